/* libieum: messages on their way.
 *
 *                       room                 Receipt
 *   submit ──► waiting ──────► sent ─────────────────────► kept (for a new incarnation) or freed
 *                 ▲             │ │
 *                 │ connection  │ │ Error with a time to wait
 *                 ├─── lost ────┘ ▼
 *                 └────────── delayed        final Error, retry_for_ms over ──► freed, told
 *
 * One that is to be sealed goes to `sent` first as the question whom it would reach, and comes back
 * sealed to them; an answer that it is sealed otherwise than the policy chooses asks again.
 *
 * What always holds: a message is on exactly one of the lists; `started` holds all but the kept,
 * in the order of ieum_submit(); its callback comes once. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib_spool.h"
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

void lib_submit_set_bytes(struct ieum *c, struct outgoing *o, uint8_t *bytes, size_t len)
{
	free(o->bytes);
	c->started_bytes += len - o->len;
	o->bytes = bytes;
	o->len = len;
	(void)find_id(bytes, len, &o->id_at);
}

/* ---- the end of a message ---- */

static void outgoing_free(struct outgoing *o)
{
	free(o->bytes);
	free(o->detail);
	free(o);
}

static void unlist(struct ieum *c, struct outgoing *o)
{
	if (o->sent)
		TAILQ_REMOVE(&c->sent, o, link);
	else if (o->delayed)
		TAILQ_REMOVE(&c->delayed, o, link);
	else if (o->writing)
		TAILQ_REMOVE(&c->spool->writing, o, link);
	else
		TAILQ_REMOVE(&c->waiting, o, link);
	o->sent = o->delayed = o->writing = false;
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

static void drop_kept(struct ieum *c, struct outgoing *o)
{
	TAILQ_REMOVE(&c->kept, o, link);
	assert(TAILQ_FIRST(&c->kept) != o); /* it is off the list */
	c->kept_bytes -= o->len;
	c->n_kept--;
	outgoing_free(o);
}

static void keep(struct ieum *c, struct outgoing *o, const Ieum__V1__Receipt *receipt)
{
	o->resent = true;
	o->journal_number = receipt->journal_number;
	TAILQ_INSERT_TAIL(&c->kept, o, link);
	c->kept_bytes += o->len;
	c->n_kept++;
	while (c->n_kept > 0 &&
	       (c->kept_bytes > c->options.keep_bytes_max || c->n_kept > LIB_KEPT_MAX))
		drop_kept(c, TAILQ_FIRST(&c->kept));
}

/* Told at the next Hello: a hub that was put back from a copy may not know it. */
static void note_number(struct ieum *c, const Ieum__V1__Receipt *receipt)
{
	if (receipt->journal_number > c->receipt_number &&
	    receipt->incarnation.len == IEUM_ID_BYTES &&
	    memcmp(receipt->incarnation.data, c->incarnation, IEUM_ID_BYTES) == 0)
		c->receipt_number = receipt->journal_number;
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
	if (receipt)
		note_number(c, receipt);
	tell(c, o, receipt, failure);
	if (o->number)
		lib_spool_finished(c, o, receipt, failure);
	else if (receipt)
		keep(c, o, receipt);
	else
		outgoing_free(o);
}

static void give_up(struct ieum *c, struct outgoing *o, enum ieum_err code, const char *detail)
{
	const struct ieum_failure failure = { code, ieum_error((int)code)->name, detail, 0 };

	finish(c, o, NULL, &failure);
}

/* ---- answers ---- */

/* Sealed twice the same text is different bytes, so the hub can't tell that it has this message. */
#define SEALED_ANEW \
	"envelope.message_id: the hub has a message with this id already; sealed again, the same one " \
	"is other bytes: `ieum referral show` with the id says what it has, and a new message takes a " \
	"new id"

void lib_submit_delay(struct ieum *c, struct outgoing *o, int64_t ms)
{
	struct outgoing *before;

	unlist(c, o);
	o->delayed = true;
	o->not_before_ms = lib_now_ms() + ms;
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

/* Never before the hint, and not everyone at once. */
static void wait_and_retry(struct ieum *c, struct outgoing *o, uint32_t hint_ms)
{
	struct backoff backoff = { .min_ms = LIB_RETRY_MIN_MS,
				   .max_ms = c->options.pause_max_ms,
				   .failures = o->delays++ };

	lib_submit_delay(c, o, (int64_t)hint_ms + backoff_next(&backoff, lib_random()));
}

static void put_first(struct ieum *c, struct outgoing *o)
{
	unlist(c, o);
	TAILQ_INSERT_HEAD(&c->waiting, o, link);
	lib_work_soon(c);
}

/* Whom it would reach: sealed to them it goes next. */
static void reach_answered(struct ieum *c, struct outgoing *o, const struct codec_frame *frame)
{
	char why[IEUM_WHY_BYTES];
	enum ieum_err err;

	if (frame->frame->what_case != IEUM__V1__FRAME__WHAT_RESULT ||
	    frame->frame->result->what_case != IEUM__V1__RESULT__WHAT_REACH) {
		lib_drop(c, IEUM_E_FRAME_UNEXPECTED, "a question was not answered by its result");
		return;
	}
	err = lib_seal_answered(c, o, frame->frame->result, why);
	if (err) {
		give_up(c, o, err, why);
	} else if (o->number) {
		/* Sealed anew it would be another message to the hub that knows this one. */
		unlist(c, o);
		lib_spool_changed(c, o);
	} else {
		put_first(c, o);
	}
}

static void submit_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			    const struct ieum_failure *failure)
{
	struct outgoing *o = (struct outgoing *)r;

	if (frame && o->to_seal) {
		reach_answered(c, o, frame);
		return;
	}
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
	} else if (failure->code == IEUM_E_SEALED_OTHERWISE && o->sealed &&
		   o->sealings < LIB_SEALINGS_MAX) {
		/* The policy changed since we asked. */
		o->to_seal = true;
		put_first(c, o);
	} else if (failure->code == IEUM_E_ID_REUSED && o->sealed) {
		give_up(c, o, failure->code, SEALED_ANEW);
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
	bool renewed = lib_id_renew(c, o);
	if (o->number && (renewed || o->unsaved || lib_spool_must_mark(c, o))) {
		unlist(c, o);
		lib_spool_changed(c, o);
		return true;
	}
	lib_id_tell(c, o);
	if (o->to_seal) {
		if (!lib_seal_ask(c, o))
			return false;
	} else {
		if (codec_put_submit(channel_out(c->ch), c->last_request_id + 1, o->bytes, o->len))
			return false;
		c->last_request_id++;
		lib_request_add(c, &o->request);
		o->on_wire = true;
	}
	TAILQ_REMOVE(&c->waiting, o, link);
	TAILQ_INSERT_TAIL(&c->sent, o, link);
	o->sent = true;
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

void lib_submits_copied(struct ieum *c, uint64_t through)
{
	struct outgoing *oldest;

	while ((oldest = TAILQ_FIRST(&c->kept)) && oldest->journal_number <= through)
		drop_kept(c, oldest);
}

/* ---- time ---- */

static bool may_expire(const struct ieum *c)
{
	return c->options.retry_for_ms > 0 && !c->spool;
}

int64_t lib_submits_due_ms(const struct ieum *c)
{
	const struct outgoing *delayed = TAILQ_FIRST(&c->delayed),
			      *oldest = TAILQ_FIRST(&c->started);
	int64_t due = INT64_MAX;

	if (delayed && c->state == LIB_UP)
		due = delayed->not_before_ms;
	if (oldest && may_expire(c) && oldest->since_ms + c->options.retry_for_ms < due)
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
	while (may_expire(c) && (o = TAILQ_FIRST(&c->started)) &&
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
	else if (!(o = calloc(1, sizeof *o)) || !(o->bytes = malloc(len ? len : 1)))
		*err = IEUM_E_NO_MEMORY;
	if (*err) {
		free(o);
		return NULL;
	}
	o->request.answered = submit_answered;
	o->len = len;
	o->since_ms = lib_now_ms();
	return o;
}

static void begin(struct ieum *c, struct outgoing *o)
{
	TAILQ_INSERT_TAIL(&c->started, o, started);
	c->n_started++;
	c->started_bytes += o->len;
	lib_work_soon(c);
}

/* Takes it; with a spool it goes there first. */
static enum ieum_err start(struct ieum *c, struct outgoing *o, ieum_submit_cb *cb, void *arg,
			   char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;

	o->cb = cb;
	o->arg = arg;
	memcpy(o->message_id, o->bytes + o->id_at, IEUM_ID_BYTES);
	if (c->spool)
		err = lib_spool_put(c, o, why);
	else
		TAILQ_INSERT_TAIL(&c->waiting, o, link);
	if (err)
		outgoing_free(o);
	else
		begin(c, o);
	return err;
}

struct outgoing *lib_submit_loaded(struct ieum *c, const uint8_t *bytes, size_t len)
{
	struct outgoing *o = calloc(1, sizeof *o);
	uint8_t *copy = malloc(len ? len : 1);

	if (!o || !copy || !find_id(bytes, len, &o->id_at)) {
		free(copy);
		free(o);
		return NULL;
	}
	memcpy(copy, bytes, len);
	o->request.answered = submit_answered;
	o->bytes = copy;
	o->len = len;
	o->since_ms = lib_now_ms();
	o->accepted = o->alone = o->resent = true;
	memcpy(o->message_id, copy + o->id_at, IEUM_ID_BYTES);
	TAILQ_INSERT_TAIL(&c->waiting, o, link);
	begin(c, o);
	return o;
}

/* On the spool, or on its way there; NULL: no such message. */
static struct outgoing *find_spooled(const struct ieum *c, ieum_submit_cb *cb, const void *arg)
{
	struct outgoing *o;

	TAILQ_FOREACH(o, &c->started, started) {
		if (o->number && o->cb == cb && o->arg == arg)
			return o;
	}
	return NULL;
}

bool lib_submit_accepting(const struct ieum *c, ieum_submit_cb *cb, const void *arg)
{
	const struct outgoing *o = find_spooled(c, cb, arg);

	return o && !o->accepted;
}

bool lib_submit_leave(struct ieum *c, ieum_submit_cb *cb, const void *arg,
		      uint8_t message_id[IEUM_ID_BYTES])
{
	struct outgoing *o = find_spooled(c, cb, arg);

	if (!o)
		return false;
	o->cb = NULL;
	o->alone = o->resent = true;
	memcpy(message_id, o->message_id, IEUM_ID_BYTES);
	return true;
}

void lib_submit_failed(struct ieum *c, struct outgoing *o, const struct ieum_failure *failure)
{
	finish(c, o, NULL, failure);
}

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	if (why)
		snprintf(why, IEUM_WHY_BYTES, "%s", text ? text : ieum_error((int)err)->text);
	return err;
}

enum ieum_err lib_submit(struct ieum *c, const Ieum__V1__Referral *referral, bool stamped,
			 bool to_seal, ieum_submit_cb *cb, void *arg, char why[IEUM_WHY_BYTES])
{
	struct codec_problem problem;
	enum ieum_err err = codec_check_referral(referral, &problem);

	if (err)
		return refuse(why, err, problem.detail);
	struct outgoing *o = outgoing_new(c, ieum__v1__referral__get_packed_size(referral), &err);
	if (!o)
		return refuse(why, err, NULL);
	ieum__v1__referral__pack(referral, o->bytes);
	o->stamped = stamped;
	o->sealed = o->to_seal = to_seal;
	if (!find_id(o->bytes, o->len, &o->id_at)) {
		outgoing_free(o);
		return refuse(why, IEUM_E_ID_INVALID, NULL);
	}
	return start(c, o, cb, arg, why);
}

enum ieum_err ieum_submit(struct ieum *c, const Ieum__V1__Referral *referral, ieum_submit_cb *cb,
			  void *arg, uint8_t message_id[IEUM_ID_BYTES], char why[IEUM_WHY_BYTES])
{
	Ieum__V1__Referral stamped = *referral;
	Ieum__V1__Envelope envelope;
	uint8_t id[IEUM_ID_BYTES];
	bool stamp = referral->envelope && referral->envelope->message_id.len == 0;
	enum ieum_err err = IEUM_E_OK;

	if (stamp) {
		err = lib_id_make(c, id);
		if (err)
			return refuse(why, err, "no random bytes for a message id");
		envelope = *referral->envelope;
		envelope.message_id = (ProtobufCBinaryData){ sizeof id, id };
		stamped.envelope = &envelope;
	}
	err = lib_submit(c, &stamped, stamp, false, cb, arg, why);
	if (!err && message_id)
		memcpy(message_id, stamped.envelope->message_id.data, IEUM_ID_BYTES);
	return err;
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
	return start(c, o, cb, arg, NULL);
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
		outgoing_free(o);
	}
}

void lib_submits_free(struct ieum *c)
{
	free_list(&c->waiting);
	free_list(&c->sent);
	free_list(&c->delayed);
	free_list(&c->kept);
}
