/* ieum pipe: lines of stdin, and the commands in them; see pipe.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/link.h"
#include "client/message.h"
#include "client/pipe.h"
#include "client/trouble.h"
#include "ieum/v1/frame.pb-c.h"

/* ---- ends of commands ---- */

static void fail(struct pipe_call *call, enum ieum_err err, const char *detail, enum exit_code code)
{
	const struct ieum_failure why = { .code = err,
					  .name = ieum_error((int)err)->name,
					  .detail = detail };

	pipe_failed(call, &why, code);
}

/* Something in the line itself, seen before it was sent. */
static void mistake(struct pipe_call *call, enum ieum_err err, const char *detail)
{
	fail(call, err, detail, EXIT_FILE);
}

/* {"message_id": …} of a submit. */
static json_t *id_json(struct pipe *p, const uint8_t *message_id)
{
	Ieum__V1__Receipt only = IEUM__V1__RECEIPT__INIT;
	char room[PBMAP_WORD_BYTES];
	const char *key = pipe_key(p, "message_id", room);
	json_t *receipt, *id;

	only.message_id = (ProtobufCBinaryData){ IEUM_ID_BYTES, (uint8_t *)message_id };
	receipt = pipe_json(p, &only.base);
	id = json_pack("{s:O*}", key, json_object_get(receipt, key));
	json_decref(receipt);
	return id;
}

void pipe_end_all(struct pipe *p, enum ieum_err err, const char *detail)
{
	struct pipe_call *call;

	while ((call = TAILQ_FIRST(&p->calls))) {
		if (call->accepted) {
			if (!p->code)
				p->code = EXIT_KEPT;
			pipe_result(call, "kept", id_json(p, call->message_id));
		} else {
			fail(call, err, detail, exit_code_of(err));
		}
	}
}

/* ---- submit, answer ---- */

void pipe_accepted(struct pipe *p, const uint8_t *message_id)
{
	struct pipe_call *call;

	TAILQ_FOREACH(call, &p->calls, link) {
		if (!call->has_message_id ||
		    memcmp(call->message_id, message_id, IEUM_ID_BYTES) != 0)
			continue;
		call->accepted = true;
		pipe_news(call, "accepted", id_json(p, call->message_id));
	}
}

void pipe_renamed(struct pipe *p, const uint8_t *before, const uint8_t *now)
{
	char room[PBMAP_WORD_BYTES];
	const char *key = pipe_key(p, "message_id", room);
	json_t *old = id_json(p, before), *id = id_json(p, now);
	struct pipe_call *call;

	TAILQ_FOREACH(call, &p->calls, link) {
		if (call->has_message_id && memcmp(call->message_id, before, IEUM_ID_BYTES) == 0)
			memcpy(call->message_id, now, IEUM_ID_BYTES);
	}
	json_object_set(id, "before", json_object_get(old, key));
	json_decref(old);
	pipe_say(p, "renamed", id);
}

static void submitted(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *arg)
{
	struct pipe_call *call = arg;
	struct pipe *p = call->pipe;

	(void)c;
	memcpy(call->message_id, message_id, IEUM_ID_BYTES);
	call->has_message_id = true;
	if (receipt)
		pipe_result(call, "receipt", pipe_json(p, &receipt->base));
	else
		pipe_failed(call, failure, exit_code_of(failure->code));
	pipe_go_on(p);
}

static enum ieum_err start_submit(struct pipe_call *call, char why[IEUM_WHY_BYTES])
{
	const Ieum__V1__Submit *submit = (const Ieum__V1__Submit *)call->message;
	struct pipe *p = call->pipe;
	enum ieum_err err = ieum_submit_sealed(p->c, submit->referral, link_sealing(p->inv),
					       submitted, call, call->message_id, why);

	call->has_message_id = !err;
	return err;
}

/* The Submit of {"in_reply_to": ID, "message_id": ID, …fields of Answer}; NULL: no memory. */
static json_t *answer_as_submit(const json_t *answer)
{
	static const char *const names[] = { "in_reply_to", "inReplyTo", "message_id",
					     "messageId" };
	json_t *fields = json_copy((json_t *)answer), *envelope = json_object();

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		json_t *value = json_object_get(fields, names[i]);

		if (value) {
			json_object_set(envelope, names[i], value);
			json_object_del(fields, names[i]);
		}
	}
	return json_pack("{s:{s:o, s:o}}", "referral", "envelope", envelope, "answer", fields);
}

/* ---- settle ---- */

static void settle_end(struct pipe_call *call)
{
	struct pipe *p = call->pipe;
	char room[PBMAP_WORD_BYTES];

	if (call->settling > 0)
		return;
	if (call->unsettled)
		pipe_failed(call, &call->failure, exit_code_of(call->failure.code));
	else
		pipe_result(call, "settled",
			    json_pack("{s:I}", pipe_key(p, "deliveries", room),
				      (json_int_t)call->settled));
}

/* Keeps the first reason, and every delivery that it is about. */
static void not_settled(struct pipe_call *call, uint64_t delivery_id,
			const struct ieum_failure *why)
{
	struct pipe *p = call->pipe;

	if (!call->unsettled) {
		call->unsettled = json_array();
		snprintf(call->name, sizeof call->name, "%s", why->name);
		snprintf(call->detail, sizeof call->detail, "%s", why->detail);
		call->failure = *why;
		call->failure.name = call->name;
		call->failure.detail = call->detail;
	}
	json_array_append_new(call->unsettled, p->style.canonical
						       ? json_sprintf("%" PRIu64, delivery_id)
						       : json_integer((json_int_t)delivery_id));
}

static void settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		    void *arg)
{
	struct pipe_call *call = arg;
	struct pipe *p = call->pipe;

	(void)c;
	call->settling--;
	if (failure)
		not_settled(call, delivery_id, failure);
	else
		call->settled++;
	settle_end(call);
	pipe_go_on(p);
}

static void settle_one(struct pipe_call *call, uint64_t delivery_id, enum ieum_settle how,
		       const char *reason)
{
	enum ieum_err err = ieum_settle(call->pipe->c, delivery_id, how, reason, settled, call);
	const struct ieum_failure why = { .code = err,
					  .name = ieum_error((int)err)->name,
					  .detail = "" };

	if (err)
		not_settled(call, delivery_id, &why);
	else
		call->settling++;
}

static enum ieum_err start_settle(struct pipe_call *call, char why[IEUM_WHY_BYTES])
{
	const Ieum__V1__Settle *s = (const Ieum__V1__Settle *)call->message;

	(void)why;
	for (size_t i = 0; i < s->n_done; i++)
		settle_one(call, s->done[i], IEUM_SETTLE_DONE, NULL);
	for (size_t i = 0; i < s->n_release; i++)
		settle_one(call, s->release[i], IEUM_SETTLE_RELEASE, NULL);
	for (size_t i = 0; i < s->n_refuse; i++)
		settle_one(call, s->refuse[i]->delivery_id, IEUM_SETTLE_REFUSE,
			   s->refuse[i]->reason);
	settle_end(call);
	return IEUM_E_OK;
}

/* ---- receive, query, ping ---- */

static enum ieum_err start_receive(struct pipe_call *call, char why[IEUM_WHY_BYTES])
{
	struct pipe *p = call->pipe;
	const Ieum__V1__Credit *credit = (const Ieum__V1__Credit *)call->message;

	(void)why;
	p->window = credit->deliveries;
	pipe_result(call, "credit", pipe_json(p, call->message));
	return IEUM_E_OK;
}

static void result_came(struct pipe_call *call, const Ieum__V1__Result *result)
{
	const Ieum__V1__ReferralResult *r = result->referral;
	struct pipe *p = call->pipe;
	json_t *json = pipe_json(p, &result->base), *opened = NULL;

	if (json && result->what_case == IEUM__V1__RESULT__WHAT_REFERRAL)
		opened =
			pipe_open(p, json_object_get(json_object_get(json, "referral"), "referral"),
				  r->referral, r->sender, r->received_at_ms);
	if (opened)
		call->opened = opened;
	pipe_result(call, "result", json);
}

static void answered(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		     size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct pipe_call *call = arg;
	struct pipe *p = call->pipe;

	(void)c;
	(void)referral;
	(void)referral_len;
	if (result)
		result_came(call, result);
	else
		pipe_failed(call, failure, exit_code_of(failure->code));
	pipe_go_on(p);
}

static enum ieum_err start_query(struct pipe_call *call, char why[IEUM_WHY_BYTES])
{
	(void)why;
	return ieum_query(call->pipe->c, (const Ieum__V1__Query *)call->message, answered, call);
}

static void ponged(struct ieum *c, int64_t hub_time_at_ms, const struct ieum_failure *failure,
		   void *arg)
{
	struct pipe_call *call = arg;
	struct pipe *p = call->pipe;
	Ieum__V1__Pong pong = IEUM__V1__PONG__INIT;

	(void)c;
	pong.hub_time_at_ms = hub_time_at_ms;
	if (failure)
		pipe_failed(call, failure, exit_code_of(failure->code));
	else
		pipe_result(call, "pong", pipe_json(p, &pong.base));
	pipe_go_on(p);
}

static enum ieum_err start_ping(struct pipe_call *call, char why[IEUM_WHY_BYTES])
{
	(void)why;
	return ieum_ping(call->pipe->c, ponged, call);
}

/* ---- lines ---- */

static const struct pipe_command {
	const char *name;
	const ProtobufCMessageDescriptor *type;
	enum ieum_err (*start)(struct pipe_call *call, char why[IEUM_WHY_BYTES]);
} pipe_commands[] = {
	{ "submit", &ieum__v1__submit__descriptor, start_submit },
	{ "answer", &ieum__v1__submit__descriptor, start_submit },
	{ "receive", &ieum__v1__credit__descriptor, start_receive },
	{ "settle", &ieum__v1__settle__descriptor, start_settle },
	{ "query", &ieum__v1__query__descriptor, start_query },
	{ "ping", &ieum__v1__ping__descriptor, start_ping },
};

/* The one command of a line; NULL: none, or several, or something else beside it. */
static const struct pipe_command *command_of(const json_t *line)
{
	size_t others = json_object_size(line) - (json_object_get(line, "id") ? 1 : 0);

	for (size_t i = 0; i < sizeof pipe_commands / sizeof pipe_commands[0]; i++) {
		if (others == 1 && json_object_get(line, pipe_commands[i].name))
			return &pipe_commands[i];
	}
	return NULL;
}

/* Calls whose start() has begun are freed by their result, possibly at once. */
static bool hand_over(struct pipe_call *call)
{
	struct pipe *p = call->pipe;
	char why[IEUM_WHY_BYTES] = "";
	enum ieum_err err = call->start(call, why);

	if (err == IEUM_E_TOO_MANY_REQUESTS ||
	    (err == IEUM_E_CONNECTION_LOST && !p->welcomed && !p->alone)) {
		p->held = call;
		return false;
	}
	p->held = NULL;
	if (err == IEUM_E_CONNECTION_LOST) {
		fail(call, err, p->last_why, exit_code_of(err));
		return true;
	}
	if (err)
		mistake(call, err, why);
	return true;
}

bool pipe_hand_over_held(struct pipe *p)
{
	return !p->held || hand_over(p->held);
}

/* Of a submit: the message's type follows from its body when the line names none. */
static enum ieum_err complete(struct pipe_call *call, char why[PBMAP_WHY_BYTES])
{
	Ieum__V1__Referral *m;

	if (call->start != start_submit)
		return IEUM_E_OK;
	m = ((Ieum__V1__Submit *)call->message)->referral;
	if (!m) {
		snprintf(why, PBMAP_WHY_BYTES, "referral: a submit needs one");
		return IEUM_E_FIELD_MISSING;
	}
	if (m->envelope)
		message_type_from_body(m);
	return IEUM_E_OK;
}

static void run(struct pipe_call *call, const struct pipe_command *command, const json_t *value)
{
	bool answer = strcmp(command->name, "answer") == 0;
	json_t *made = answer && json_is_object(value) ? answer_as_submit(value) : NULL;
	char why[PBMAP_WHY_BYTES];
	enum ieum_err err;

	call->start = command->start;
	err = pbmap_from_json(made ? made : value, command->type, why, &call->message);
	json_decref(made);
	if (err == IEUM_E_FILE_INVALID)
		err = IEUM_E_FIELD_INVALID;
	if (!err)
		err = complete(call, why);
	if (err)
		mistake(call, err, why);
	else
		hand_over(call);
}

static struct pipe_call *call_new(struct pipe *p)
{
	struct pipe_call *call = calloc(1, sizeof *call);

	if (!call) {
		pipe_abort(p, trouble(p->inv, IEUM_E_NO_MEMORY, NULL));
		return NULL;
	}
	call->pipe = p;
	call->line = p->line;
	TAILQ_INSERT_TAIL(&p->calls, call, link);
	p->n_calls++;
	return call;
}

static bool is_blank(const char *text, size_t n)
{
	while (n > 0 && strchr(" \t\r", text[n - 1]))
		n--;
	return n == 0;
}

static void take_line(struct pipe *p, const char *text, size_t n)
{
	const struct pipe_command *command;
	struct pipe_call *call;
	json_error_t problem;
	char detail[JSON_ERROR_TEXT_LENGTH + 32];
	json_t *line;

	p->line++;
	if (is_blank(text, n))
		return;
	call = call_new(p);
	if (!call)
		return;
	line = json_loadb(text, n, JSON_REJECT_DUPLICATES, &problem);
	if (!line) {
		snprintf(detail, sizeof detail, "no JSON: %s", problem.text);
		mistake(call, IEUM_E_FILE_INVALID, detail);
		return;
	}
	call->id = json_incref(json_object_get(line, "id"));
	command = json_is_object(line) ? command_of(line) : NULL;
	if (command)
		run(call, command, json_object_get(line, command->name));
	else
		mistake(call, IEUM_E_FIELD_INVALID,
			"wanted: an object with one of submit, answer, receive, settle, query, "
			"ping, and an id if you like");
	json_decref(line);
}

bool pipe_is_stuck(const struct pipe *p)
{
	return p->held || p->out_slow || p->n_calls >= PIPE_CALLS_MAX || p->leaving;
}

static void too_long(struct pipe *p)
{
	struct pipe_call *call;
	char detail[64];

	p->line++;
	call = call_new(p);
	if (!call)
		return;
	snprintf(detail, sizeof detail, "a line has at most %d bytes", PIPE_LINE_BYTES_MAX);
	mistake(call, IEUM_E_FIELD_TOO_LARGE, detail);
}

/* The rest of a line that was too long; false: it goes on. */
static bool skip(struct pipe *p)
{
	struct evbuffer_ptr end = evbuffer_search_eol(p->in, NULL, NULL, EVBUFFER_EOL_LF);

	evbuffer_drain(p->in, end.pos < 0 ? evbuffer_get_length(p->in) : (size_t)end.pos + 1);
	p->skipping = end.pos < 0;
	return !p->skipping;
}

void pipe_take_lines(struct pipe *p)
{
	while (!pipe_is_stuck(p) && evbuffer_get_length(p->in) > 0) {
		struct evbuffer_ptr end;
		size_t n, length = evbuffer_get_length(p->in);

		if (p->skipping && !skip(p))
			return;
		end = evbuffer_search_eol(p->in, NULL, NULL, EVBUFFER_EOL_LF);
		n = end.pos >= 0 ? (size_t)end.pos : length;
		if (n > PIPE_LINE_BYTES_MAX) {
			too_long(p);
			p->skipping = true;
			continue;
		}
		if (end.pos < 0 && !p->in_ended)
			return;
		take_line(p, (const char *)evbuffer_pullup(p->in, (ev_ssize_t)n), n);
		/* A last line may lack its end. */
		evbuffer_drain(p->in, n + (end.pos >= 0));
	}
}
