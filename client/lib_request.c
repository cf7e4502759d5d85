/* libieum: the table of open requests, and the questions (query, ping, advance). */
#include <stdlib.h>

#include "client/lib_internal.h"

/* A question: not sent again when the connection is lost. */
struct question {
	struct request request;
	ieum_query_cb *query_cb;
	ieum_time_cb *time_cb;
	ieum_copied_cb *copied_cb;
	void *arg;
};

/* ---- the table ---- */

bool lib_request_room(const struct ieum *c)
{
	uint32_t max = c->hub.outstanding_requests;

	return c->state == LIB_UP && (max == 0 || HASH_COUNT(c->requests) < max) &&
	       buf_len(channel_out(c->ch)) < c->limits.out_high_bytes;
}

/* By the number just used.
 * NOLINTNEXTLINE(readability-function-size): uthash's macro */
void lib_request_add(struct ieum *c, struct request *r)
{
	r->id = c->last_request_id;
	HASH_ADD(hh, c->requests, id, sizeof r->id, r);
}

enum ieum_err lib_request_send(struct ieum *c, struct request *r, Ieum__V1__Frame *frame)
{
	frame->request_id = c->last_request_id + 1;
	enum ieum_err err = codec_put(channel_out(c->ch), frame);

	if (err)
		return err;
	c->last_request_id++;
	channel_flush(c->ch);
	lib_request_add(c, r);
	return IEUM_E_OK;
}

void lib_request_remove(struct ieum *c, struct request *r)
{
	if (r->id)
		HASH_DEL(c->requests, r);
	r->id = 0;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct request *find(struct ieum *c, uint64_t id)
{
	struct request *r;

	HASH_FIND(hh, c->requests, &id, sizeof id, r);
	return r;
}

void lib_request_answer(struct ieum *c, const struct codec_frame *frame)
{
	uint64_t id = frame->frame->request_id;
	struct request *r = find(c, id);

	if (!r) {
		/* Nobody waits for what was given up, or for an Error about Credit. */
		if (id == 0 || id > c->last_request_id)
			lib_drop(c, IEUM_E_FRAME_UNEXPECTED, "an answer to nothing");
		return;
	}
	lib_request_remove(c, r);
	lib_work_soon(c); /* there is room for another one */
	if (frame->frame->what_case != IEUM__V1__FRAME__WHAT_ERROR) {
		r->answered(c, r, frame, NULL);
		return;
	}
	const Ieum__V1__Error *error = frame->frame->error;
	const struct ieum_failure failure = {
		.code = (enum ieum_err)ieum_error((int)error->code)->number,
		.name = error->name,
		.detail = error->detail,
		.retry_after_ms = error->retry_after_ms,
	};
	r->answered(c, r, NULL, &failure);
}

static void take_all(struct ieum *c, const struct ieum_failure *why)
{
	while (c->requests) {
		struct request *r = c->requests;

		lib_request_remove(c, r);
		r->answered(c, r, NULL, why);
	}
}

void lib_requests_lost(struct ieum *c, const struct ieum_failure *why)
{
	struct ieum_failure lost = *why;

	lost.code = IEUM_E_CONNECTION_LOST;
	lost.name = ieum_error(IEUM_E_CONNECTION_LOST)->name;
	lost.retry_after_ms = 0;
	take_all(c, &lost);
}

void lib_requests_free(struct ieum *c)
{
	take_all(c, NULL);
}

/* ---- questions ---- */

static const struct ieum_failure *wrong_answer(void)
{
	static const struct ieum_failure wrong = {
		IEUM_E_FRAME_UNEXPECTED, "FRAME_UNEXPECTED",
		"the hub's answer is of another kind than the question", 0
	};

	return &wrong;
}

static void query_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			   const struct ieum_failure *failure)
{
	struct question *q = (struct question *)r;
	const Ieum__V1__Result *result = NULL;

	if (frame && frame->frame->what_case == IEUM__V1__FRAME__WHAT_RESULT)
		result = frame->frame->result;
	else if (frame)
		failure = wrong_answer();
	if (q->query_cb && (result || failure))
		q->query_cb(c, result, result ? frame->referral : NULL,
			    result ? frame->referral_len : 0, failure, q->arg);
	free(q);
}

static void time_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			  const struct ieum_failure *failure)
{
	struct question *q = (struct question *)r;
	int64_t hub_time_at_ms = 0;

	if (frame && frame->frame->what_case == IEUM__V1__FRAME__WHAT_PONG)
		hub_time_at_ms = frame->frame->pong->hub_time_at_ms;
	else if (frame && frame->frame->what_case == IEUM__V1__FRAME__WHAT_ADVANCED)
		hub_time_at_ms = frame->frame->advanced->hub_time_at_ms;
	else if (frame)
		failure = wrong_answer();
	if (q->time_cb && (frame || failure))
		q->time_cb(c, hub_time_at_ms, failure, q->arg);
	free(q);
}

static enum ieum_err ask(struct ieum *c, const struct question *question, Ieum__V1__Frame *frame)
{
	if (c->state != LIB_UP)
		return IEUM_E_CONNECTION_LOST;
	if (!lib_request_room(c))
		return IEUM_E_TOO_MANY_REQUESTS;
	struct question *q = malloc(sizeof *q);
	if (!q)
		return IEUM_E_NO_MEMORY;
	*q = *question;
	enum ieum_err err = lib_request_send(c, &q->request, frame);
	if (err)
		free(q);
	return err;
}

enum ieum_err ieum_query(struct ieum *c, const Ieum__V1__Query *query, ieum_query_cb *cb, void *arg)
{
	const struct question q = { .request.answered = query_answered,
				    .query_cb = cb,
				    .arg = arg };
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = (Ieum__V1__Query *)query; /* only read */
	return ask(c, &q, &frame);
}

enum ieum_err ieum_ping(struct ieum *c, ieum_time_cb *cb, void *arg)
{
	const struct question q = { .request.answered = time_answered, .time_cb = cb, .arg = arg };
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	return ask(c, &q, &frame);
}

enum ieum_err ieum_advance(struct ieum *c, int64_t by_ms, ieum_time_cb *cb, void *arg)
{
	const struct question q = { .request.answered = time_answered, .time_cb = cb, .arg = arg };
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Advance advance = IEUM__V1__ADVANCE__INIT;

	advance.by_ms = by_ms;
	frame.what_case = IEUM__V1__FRAME__WHAT_ADVANCE;
	frame.advance = &advance;
	return ask(c, &q, &frame);
}

/* ---- copies of the journal ---- */

static void copied_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			    const struct ieum_failure *failure)
{
	struct question *q = (struct question *)r;
	uint64_t through = 0;

	if (frame && frame->frame->what_case == IEUM__V1__FRAME__WHAT_COPIED)
		through = frame->frame->copied->journal_number;
	else if (frame)
		failure = wrong_answer();
	if (q->copied_cb && (frame || failure))
		q->copied_cb(c, through, failure, q->arg);
	free(q);
}

enum ieum_err ieum_confirm_copy(struct ieum *c, uint64_t journal_number, const uint8_t *incarnation,
				ieum_copied_cb *cb, void *arg)
{
	const struct question q = { .request.answered = copied_answered,
				    .copied_cb = cb,
				    .arg = arg };
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__ConfirmCopy copy = IEUM__V1__CONFIRM_COPY__INIT;

	copy.journal_number = journal_number;
	copy.incarnation =
		(ProtobufCBinaryData){ IEUM_ID_BYTES,
				       (uint8_t *)(incarnation ? incarnation : c->incarnation) };
	frame.what_case = IEUM__V1__FRAME__WHAT_CONFIRM_COPY;
	frame.confirm_copy = &copy;
	return ask(c, &q, &frame);
}
