/* ieum pipe: lines to stdout; see pipe.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/pipe.h"
#include "client/trouble.h"
#include "ieum/v1/frame.pb-c.h"
#include "proto/catalog.h"

static void no_memory(struct pipe *p)
{
	pipe_abort(p, trouble(p->inv, IEUM_E_NO_MEMORY, NULL));
}

json_t *pipe_json(struct pipe *p, const ProtobufCMessage *message)
{
	json_t *json = NULL;
	enum ieum_err err = pbmap_to_json(message, &p->style, &json);

	if (err)
		pipe_abort(p, trouble(p->inv, err, NULL));
	return err ? NULL : json;
}

const char *pipe_key(const struct pipe *p, const char *name, char room[PBMAP_WORD_BYTES])
{
	if (!p->style.canonical)
		return name;
	pbmap_json_name(name, room);
	return room;
}

/* As an Error of the hub is written. */
json_t *pipe_error_json(struct pipe *p, const struct ieum_failure *why, const uint8_t *message_id)
{
	const struct ieum_error_row *row = ieum_error((int)why->code);
	Ieum__V1__Error error = IEUM__V1__ERROR__INIT;

	error.code = (uint32_t)why->code;
	error.name = (char *)(why->name ? why->name : row->name);
	error.detail = (char *)(why->detail ? why->detail : "");
	error.text_en = (char *)row->text;
	error.text_ko = (char *)catalog_text(WORDS_KO, row->text);
	error.fault = (char *)ieum_fault_name(row->fault);
	error.retry_after_ms = why->retry_after_ms;
	/* One that is ours has no hint of the hub; that it can help to try again is told all the same. */
	if (!error.retry_after_ms && row->retry != IEUM_RETRY_NO)
		error.retry_after_ms = PIPE_RETRY_MS;
	if (message_id)
		error.message_id = (ProtobufCBinaryData){ IEUM_ID_BYTES, (uint8_t *)message_id };
	return pipe_json(p, &error.base);
}

/* ---- lines ---- */

void pipe_put(struct pipe *p, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	json_decref(line);
	if (!text || evbuffer_add_printf(p->out, "%s\n", text) < 0)
		no_memory(p);
	free(text);
	if (evbuffer_get_length(p->out) > PIPE_OUT_HIGH_BYTES)
		p->out_slow = true;
}

void pipe_say(struct pipe *p, const char *what, json_t *value)
{
	if (value)
		pipe_put(p, json_pack("{s:o}", what, value));
}

static void forget(struct pipe_call *call)
{
	struct pipe *p = call->pipe;

	TAILQ_REMOVE(&p->calls, call, link);
	p->n_calls--;
	p->progress = true;
	if (p->held == call)
		p->held = NULL;
	if (call->message)
		protobuf_c_message_free_unpacked(call->message, NULL);
	json_decref(call->id);
	json_decref(call->opened);
	json_decref(call->unsettled);
	free(call);
}

static json_t *line_of(const struct pipe_call *call)
{
	json_t *line = json_object();

	if (call->id)
		json_object_set(line, "id", call->id);
	return line;
}

void pipe_news(struct pipe_call *call, const char *what, json_t *value)
{
	json_t *line = value ? line_of(call) : NULL;

	if (!line)
		return;
	json_object_set_new(line, what, value);
	if (call->opened)
		json_object_set(line, "opened", call->opened);
	pipe_put(call->pipe, line);
}

void pipe_result(struct pipe_call *call, const char *what, json_t *value)
{
	pipe_news(call, what, value);
	forget(call);
}

void pipe_failed(struct pipe_call *call, const struct ieum_failure *why, enum exit_code code)
{
	struct pipe *p = call->pipe;
	char room[PBMAP_WORD_BYTES];
	json_t *error = pipe_error_json(p, why, call->has_message_id ? call->message_id : NULL);
	json_t *line = line_of(call);

	if (!p->code)
		p->code = code;
	if (error) {
		json_object_set_new(line, "line", json_integer((json_int_t)call->line));
		json_object_set_new(line, "error", error);
		if (call->unsettled)
			json_object_set(line, pipe_key(p, "delivery_ids", room), call->unsettled);
		pipe_put(p, line);
	} else {
		json_decref(line);
	}
	forget(call);
}

/* ---- stdout ---- */

void pipe_write(struct pipe *p)
{
	size_t n = evbuffer_get_length(p->out);
	ssize_t written;

	if (n == 0)
		return;
	if (n > p->write_bytes)
		n = p->write_bytes;
	written = write(fileno(p->inv->out), evbuffer_pullup(p->out, (ev_ssize_t)n), n);
	if (written < 0 && errno != EAGAIN && errno != EINTR) {
		p->out_broken = true;
		pipe_abort(p, trouble_output(p->inv));
		return;
	}
	if (written > 0) {
		evbuffer_drain(p->out, (size_t)written);
		/* News of the connection go on coming while results don't. */
		p->progress = p->progress || p->n_calls == 0;
	}
	if (evbuffer_get_length(p->out) <= PIPE_OUT_LOW_BYTES)
		p->out_slow = false;
}
