/* libieum: messages on their way.
 *
 *                       room                 Receipt
 *   submit ──► waiting ──────► sent ─────────────────────► kept (for a new incarnation) or freed
 *                 ▲             │ │
 *                 │ connection  │ │ Error with a time to wait
 *                 ├─── lost ────┘ ▼
 *                 └────────── delayed        final Error, retry_for_ms over ──► freed, told
 *
 * What always holds: a message is on exactly one of the lists; `started` holds all but the kept,
 * in the order of ieum_submit(); its callback comes once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lib_internal.h"
#include "proto/uuid7.h"
#include "proto/wire.h"

/* ---- bytes ---- */

/* Where the message id lies in a packed referral: field 1 of field 1. */
static bool find_id(const uint8_t *bytes, size_t len, size_t *id_at)
{
	const uint8_t *at = bytes, *end = bytes + len;
	struct wire_field f;

	for (int depth = 0; depth < 2; depth++) {
		do {
			if (at >= end || !(at = wire_field(at, end, &f)))
				return false;
		} while (f.number != 1);
		if (f.type != WIRE_BYTES)
			return false;
		at = f.bytes;
		end = f.bytes + f.len;
	}
	*id_at = (size_t)(f.bytes - bytes);
	return f.len == IEUM_ID_BYTES;
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* It waited so long that the hub would refuse its id: nobody has seen that one, so make another. */
static void stamp_anew(const struct ieum *c, struct outgoing *o)
{
	uint64_t window = c->hub.id_window_ms > 0 ? (uint64_t)c->hub.id_window_ms : UINT64_MAX;
	uint64_t made_at = uuid7_ms(o->message_id), now = wall_ms();
	uint8_t id[IEUM_ID_BYTES];

	if (!o->stamped || o->on_wire || now < made_at || now - made_at < window || uuid7_make(id))
		return;
	memcpy(o->message_id, id, sizeof id);
	memcpy(o->bytes + o->id_at, id, sizeof id);
}

/* ---- the end of a message ---- */

static void unlist(struct ieum *c, struct outgoing *o)
{
	if (o->sent)
		TAILQ_REMOVE(&c->sent, o, link);
	else if (o->delayed)
		TAILQ_REMOVE(&c->delayed, o, link);
	else
		TAILQ_REMOVE(&c->waiting, o, link);
	o->sent = o->delayed = false;
}

static void tell(struct ieum *c, const struct outgoing *o, const Ieum__V1__Receipt *receipt,
		 const struct ieum_failure *failure)
{
	if (o->resent) {
		if (c->options.callbacks.resent)
			c->options.callbacks.resent(c, o->message_id, receipt, failure,
						    c->options.ctx);
	} else if (o->cb) {
		o->cb(c, o->message_id, receipt, failure, o->arg);
	}
}

static void drop_oldest_kept(struct ieum *c)
{
	struct outgoing *oldest = TAILQ_FIRST(&c->kept);

	TAILQ_REMOVE(&c->kept, oldest, link);
	c->kept_bytes -= oldest->len;
	c->n_kept--;
	free(oldest);
}

static void keep(struct ieum *c, struct outgoing *o)
{
	o->resent = true;
	TAILQ_INSERT_TAIL(&c->kept, o, link);
	c->kept_bytes += o->len;
	c->n_kept++;
	while (c->n_kept > 0 &&
	       (c->kept_bytes > c->options.keep_bytes_max || c->n_kept > LIB_KEPT_MAX))
		drop_oldest_kept(c);
}

/* Off every list; then told; then kept if it has a receipt. */
static void finish(struct ieum *c, struct outgoing *o, const Ieum__V1__Receipt *receipt,
		   const struct ieum_failure *failure)
{
	unlist(c, o);
	lib_request_remove(c, &o->request);
	TAILQ_REMOVE(&c->started, o, started);
	c->n_started--;
	c->started_bytes -= o->len;
	tell(c, o, receipt, failure);
	if (receipt)
		keep(c, o);
	else
		free(o);
}

static void give_up(struct ieum *c, struct outgoing *o, enum ieum_err code, const char *detail)
{
	const struct ieum_failure failure = { code, ieum_error((int)code)->name, detail, 0 };

	finish(c, o, NULL, &failure);
}

/* ---- answers ---- */

static void wait_and_retry(struct ieum *c, struct outgoing *o, uint32_t hint_ms)
{
	struct backoff backoff = { .min_ms = LIB_RETRY_MIN_MS,
				   .max_ms = c->options.pause_max_ms,
				   .failures = o->delays };
	uint32_t pause = backoff_next(&backoff, lib_random());
	struct outgoing *before;

	unlist(c, o);
	o->delays++;
	o->delayed = true;
	/* Never before the hint, and not everyone at once. */
	o->not_before_ms = lib_now_ms() + hint_ms + pause;
	TAILQ_FOREACH_REVERSE(before, &c->delayed, outgoing_list, link)
	{
		if (before->not_before_ms <= o->not_before_ms)
			break;
	}
	if (before)
		TAILQ_INSERT_AFTER(&c->delayed, before, o, link);
	else
		TAILQ_INSERT_HEAD(&c->delayed, o, link);
	lib_work_soon(c);
}

static void submit_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			    const struct ieum_failure *failure)
{
	struct outgoing *o = (struct outgoing *)r;

	if (frame) {
		const Ieum__V1__Receipt *receipt = frame->frame->receipt;

		if (frame->frame->what_case != IEUM__V1__FRAME__WHAT_RECEIPT ||
		    memcmp(receipt->message_id.data, o->message_id, IEUM_ID_BYTES) != 0)
			lib_drop(c, IEUM_E_FRAME_UNEXPECTED,
				 "a submit was not answered by its receipt");
		else
			finish(c, o, receipt, NULL);
		return;
	}
	if (!failure)
		return; /* lib_submits_free() frees it */
	if (ieum_error((int)failure->code)->retry == IEUM_RETRY_RECONNECT) {
		/* It stays on the list `sent` and goes again on the next connection. */
		c->reconnect_hint_ms = failure->retry_after_ms;
		lib_drop(c, failure->code, failure->detail);
	} else if (failure->retry_after_ms > 0) {
		wait_and_retry(c, o, failure->retry_after_ms);
	} else {
		finish(c, o, NULL, failure);
	}
}

void lib_submits_lost(struct ieum *c)
{
	struct outgoing *o;

	TAILQ_FOREACH(o, &c->sent, link) {
		lib_request_remove(c, &o->request);
		o->sent = false;
	}
	/* In front of those that were never sent. */
	TAILQ_CONCAT(&c->sent, &c->waiting, link);
	TAILQ_CONCAT(&c->waiting, &c->sent, link);
}

/* ---- sending ---- */

static bool send_one(struct ieum *c, struct outgoing *o)
{
	if (c->hub.frame_bytes > 0 && o->len + LIB_FRAME_ROOM_BYTES > c->hub.frame_bytes) {
		give_up(c, o, IEUM_E_FRAME_TOO_LARGE,
			"submit.referral: over the hub's limit of a frame");
		return true;
	}
	stamp_anew(c, o);
	if (codec_put_submit(channel_out(c->ch), c->last_request_id + 1, o->bytes, o->len))
		return false;
	c->last_request_id++;
	lib_request_add(c, &o->request);
	TAILQ_REMOVE(&c->waiting, o, link);
	TAILQ_INSERT_TAIL(&c->sent, o, link);
	o->sent = o->on_wire = true;
	return true;
}

void lib_submits_send(struct ieum *c)
{
	struct outgoing *o;

	while (lib_request_room(c) && (o = TAILQ_FIRST(&c->waiting)) && send_one(c, o))
		continue;
	if (c->state == LIB_UP)
		channel_flush(c->ch);
}

size_t lib_submits_again(struct ieum *c)
{
	struct outgoing *o;
	size_t n = c->n_kept;

	TAILQ_FOREACH(o, &c->kept, link) {
		o->since_ms = lib_now_ms();
		o->delays = 0;
		TAILQ_INSERT_TAIL(&c->started, o, started);
	}
	c->n_started += n;
	c->started_bytes += c->kept_bytes;
	c->n_kept = c->kept_bytes = 0;
	/* They were first. */
	TAILQ_CONCAT(&c->kept, &c->waiting, link);
	TAILQ_CONCAT(&c->waiting, &c->kept, link);
	lib_work_soon(c);
	return n;
}

/* ---- time ---- */

int64_t lib_submits_due_ms(const struct ieum *c)
{
	const struct outgoing *delayed = TAILQ_FIRST(&c->delayed),
			      *oldest = TAILQ_FIRST(&c->started);
	int64_t due = INT64_MAX;

	if (delayed && c->state == LIB_UP)
		due = delayed->not_before_ms;
	if (oldest && c->options.retry_for_ms > 0 &&
	    oldest->since_ms + c->options.retry_for_ms < due)
		due = oldest->since_ms + c->options.retry_for_ms;
	return due;
}

void lib_submits_tick(struct ieum *c)
{
	int64_t now = lib_now_ms();
	struct outgoing *o;

	while ((o = TAILQ_FIRST(&c->delayed)) && o->not_before_ms <= now) {
		unlist(c, o);
		TAILQ_INSERT_TAIL(&c->waiting, o, link);
	}
	while (c->options.retry_for_ms > 0 && (o = TAILQ_FIRST(&c->started)) &&
	       o->since_ms + c->options.retry_for_ms <= now)
		give_up(c, o, IEUM_E_TIMED_OUT, o->on_wire ? "no receipt in time" : "never sent");
}

/* ---- submitting ---- */

static struct outgoing *outgoing_new(struct ieum *c, size_t len, enum ieum_err *err)
{
	struct outgoing *o = NULL;

	if (c->n_started >= c->options.submits_max ||
	    len > c->options.submit_bytes_max - c->started_bytes)
		*err = IEUM_E_TOO_MANY_REQUESTS;
	else if (!(o = malloc(sizeof *o + len)))
		*err = IEUM_E_NO_MEMORY;
	else
		*o = (struct outgoing){ .request.answered = submit_answered,
					.len = len,
					.since_ms = lib_now_ms() };
	return o;
}

static void start(struct ieum *c, struct outgoing *o, ieum_submit_cb *cb, void *arg)
{
	o->cb = cb;
	o->arg = arg;
	memcpy(o->message_id, o->bytes + o->id_at, IEUM_ID_BYTES);
	TAILQ_INSERT_TAIL(&c->waiting, o, link);
	TAILQ_INSERT_TAIL(&c->started, o, started);
	c->n_started++;
	c->started_bytes += o->len;
	lib_work_soon(c);
}

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	if (why)
		snprintf(why, IEUM_WHY_BYTES, "%s", text ? text : ieum_error((int)err)->text_en);
	return err;
}

enum ieum_err ieum_submit(struct ieum *c, const Ieum__V1__Referral *referral, ieum_submit_cb *cb,
			  void *arg, uint8_t message_id[IEUM_ID_BYTES], char why[IEUM_WHY_BYTES])
{
	Ieum__V1__Referral stamped = *referral;
	Ieum__V1__Envelope envelope;
	struct codec_problem problem;
	uint8_t id[IEUM_ID_BYTES];
	bool stamp = referral->envelope && referral->envelope->message_id.len == 0;
	enum ieum_err err = IEUM_E_OK;

	if (stamp) {
		err = uuid7_make(id);
		if (err)
			return refuse(why, err, "no random bytes for a message id");
		envelope = *referral->envelope;
		envelope.message_id = (ProtobufCBinaryData){ sizeof id, id };
		stamped.envelope = &envelope;
	}
	err = codec_check_referral(&stamped, &problem);
	if (err)
		return refuse(why, err, problem.detail);
	struct outgoing *o = outgoing_new(c, ieum__v1__referral__get_packed_size(&stamped), &err);
	if (!o)
		return refuse(why, err, NULL);
	ieum__v1__referral__pack(&stamped, o->bytes);
	o->stamped = stamp;
	if (!find_id(o->bytes, o->len, &o->id_at)) {
		free(o);
		return refuse(why, IEUM_E_ID_INVALID, NULL);
	}
	start(c, o, cb, arg);
	if (message_id)
		memcpy(message_id, o->message_id, IEUM_ID_BYTES);
	return IEUM_E_OK;
}

enum ieum_err ieum_submit_bytes(struct ieum *c, const uint8_t *referral, size_t len,
				ieum_submit_cb *cb, void *arg)
{
	enum ieum_err err = IEUM_E_OK;
	size_t id_at;

	if (!find_id(referral, len, &id_at) || !uuid7_valid(referral + id_at, IEUM_ID_BYTES))
		return IEUM_E_ID_INVALID;
	struct outgoing *o = outgoing_new(c, len, &err);
	if (!o)
		return err;
	memcpy(o->bytes, referral, len);
	o->id_at = id_at;
	start(c, o, cb, arg);
	return IEUM_E_OK;
}

size_t ieum_submits_waiting(const struct ieum *c)
{
	return c->n_started;
}

static void free_list(struct outgoing_list *list)
{
	struct outgoing *o;

	while ((o = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, o, link);
		free(o);
	}
}

void lib_submits_free(struct ieum *c)
{
	free_list(&c->waiting);
	free_list(&c->sent);
	free_list(&c->delayed);
	free_list(&c->kept);
}
