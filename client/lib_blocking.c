/* libieum: ask and wait, on a loop of one's own; see ieum.h.
 *
 * Each call makes a *wait*, starts what was asked and runs the loop until the wait is done or the
 * time is over.  A wait that is left behind (TIMED_OUT) stays on the list until its callback
 * comes or the handle is closed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib_internal.h"

enum { GOODBYE_MS = 1000 };

struct wait {
	LIST_ENTRY(wait) link;
	struct ieum_blocking *b;
	bool done, left;
	int64_t hub_time_at_ms;
	uint64_t copied_through;
};

/* A message beyond the callback that brought it. */
struct copy {
	ProtobufCMessage *message;
	uint8_t *referral;
	size_t referral_len;
};

struct arrived {
	STAILQ_ENTRY(arrived) link;
	struct copy copy;
};

struct ieum_blocking {
	struct event_base *base;
	struct ieum *c;
	struct event timeout_ev, signal_ev[2];
	bool timed_out;
	bool interrupted; /* by a signal: nothing is waited for any more */
	bool permanent;   /* the last end of a connection can't be mended by waiting */
	bool stopped;
	struct ieum_callbacks theirs; /* those that are passed on */
	void *ctx;
	bool accepted; /* the last message submitted was left on the spool */
	uint8_t submitted_id[IEUM_ID_BYTES];
	struct lib_trouble trouble; /* of the last call */
	struct lib_trouble down;    /* why there is no connection */
	LIST_HEAD(, wait) waits;
	STAILQ_HEAD(, arrived) inbox;
	struct copy welcome, receipt, result, delivery;
};

/* ---- copies ---- */

static void copy_free(struct copy *copy)
{
	if (copy->message)
		protobuf_c_message_free_unpacked(copy->message, NULL);
	free(copy->referral);
	*copy = (struct copy){ 0 };
}

/* Replaces what was there; empty when out of memory. */
static bool copy_set(struct copy *copy, const ProtobufCMessage *message, const uint8_t *referral,
		     size_t len)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(n ? n : 1);

	copy_free(copy);
	if (!bytes)
		return false;
	protobuf_c_message_pack(message, bytes);
	copy->message = protobuf_c_message_unpack(message->descriptor, NULL, n, bytes);
	free(bytes);
	if (!copy->message)
		return false;
	if (!referral)
		return true;
	copy->referral = malloc(len ? len : 1);
	if (!copy->referral) {
		copy_free(copy);
		return false;
	}
	memcpy(copy->referral, referral, len);
	copy->referral_len = len;
	return true;
}

/* ---- waiting ---- */

static enum ieum_err fail(struct ieum_blocking *b, enum ieum_err code, const char *detail)
{
	lib_trouble_set(&b->trouble, code, NULL, detail, 0);
	return code;
}

static void keep_failure(struct ieum_blocking *b, const struct ieum_failure *failure)
{
	if (failure)
		lib_trouble_set(&b->trouble, failure->code, failure->name, failure->detail,
				failure->retry_after_ms);
	else
		lib_trouble_set(&b->trouble, IEUM_E_OK, NULL, NULL, 0);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct ieum_blocking *b = arg;

	(void)fd, (void)what;
	b->timed_out = true;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct ieum_blocking *b = arg;

	(void)number, (void)what;
	b->interrupted = b->timed_out = true;
}

static void set_timeout(struct ieum_blocking *b, int64_t timeout_ms)
{
	int64_t ms = timeout_ms > 0 ? timeout_ms : 0;
	struct timeval in = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	b->timed_out = b->interrupted;
	event_add(&b->timeout_ev, &in);
	fail(b, IEUM_E_OK, NULL);
}

static void step(struct ieum_blocking *b)
{
	event_base_loop(b->base, EVLOOP_ONCE);
}

static struct wait *wait_new(struct ieum_blocking *b)
{
	struct wait *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->b = b;
	LIST_INSERT_HEAD(&b->waits, w, link);
	return w;
}

static void wait_free(struct wait *w)
{
	LIST_REMOVE(w, link);
	free(w);
}

/* In a callback: false when nobody waits any more. */
static bool wait_wanted(struct wait *w)
{
	if (w->left) {
		wait_free(w);
		return false;
	}
	w->done = true;
	return true;
}

static ieum_submit_cb on_submitted;

/* Whether the spool has it is known soon, and has to be known. */
static bool is_accepting(const struct wait *w)
{
	const struct ieum *c = w->b->c;

	return lib_submit_accepting(c, on_submitted, w) || lib_key_accepting(c, on_submitted, w);
}

static void leave(struct wait *w)
{
	struct ieum_blocking *b = w->b;

	b->accepted = lib_submit_leave(b->c, on_submitted, w, b->submitted_id) ||
		      lib_key_leave(b->c, on_submitted, w, b->submitted_id);
	if (b->accepted)
		wait_free(w);
	else
		w->left = true;
}

/* Until the callback has come; what it said is in b->trouble. */
static enum ieum_err wait_done(struct wait *w)
{
	struct ieum_blocking *b = w->b;

	while (!w->done && (!b->timed_out || is_accepting(w)))
		step(b);
	if (w->done) {
		wait_free(w);
		return b->trouble.failure.code;
	}
	leave(w);
	if (ieum_connected(b->c))
		return fail(b, IEUM_E_TIMED_OUT, NULL);
	return fail(b, IEUM_E_TIMED_OUT, b->down.detail);
}

static enum ieum_err wait_connected(struct ieum_blocking *b)
{
	while (!ieum_connected(b->c) && !b->timed_out && !b->permanent)
		step(b);
	if (ieum_connected(b->c))
		return IEUM_E_OK;
	if (b->down.failure.code)
		b->trouble = b->down;
	else
		fail(b, IEUM_E_TIMED_OUT, NULL);
	b->trouble.failure.name = b->trouble.name;
	b->trouble.failure.detail = b->trouble.detail;
	return b->trouble.failure.code;
}

/* ---- what the client tells ---- */

static void on_connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	struct ieum_blocking *b = ctx;

	(void)c;
	b->permanent = false;
	(void)!copy_set(&b->welcome, &welcome->base, NULL, 0);
}

static void on_disconnected(struct ieum *c, const struct ieum_failure *why, bool permanent,
			    int64_t retry_in_ms, void *ctx)
{
	struct ieum_blocking *b = ctx;

	(void)c;
	b->permanent = permanent;
	b->stopped = retry_in_ms < 0;
	lib_trouble_set(&b->down, why->code, why->name, why->detail, why->retry_after_ms);
}

static void on_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery, const uint8_t *referral,
			size_t referral_len, void *ctx)
{
	struct ieum_blocking *b = ctx;
	struct arrived *a = calloc(1, sizeof *a);

	if (a && copy_set(&a->copy, &delivery->base, referral, referral_len)) {
		STAILQ_INSERT_TAIL(&b->inbox, a, link);
		return;
	}
	free(a);
	/* Give it back rather than hold it unseen. */
	(void)!ieum_settle(c, delivery->delivery_id, IEUM_SETTLE_RELEASE, NULL, NULL, NULL);
}

static void on_renamed(struct ieum *c, const uint8_t *before, const uint8_t *now, void *ctx)
{
	struct ieum_blocking *b = ctx;

	if (memcmp(before, b->submitted_id, IEUM_ID_BYTES) == 0)
		memcpy(b->submitted_id, now, IEUM_ID_BYTES);
	if (b->theirs.renamed)
		b->theirs.renamed(c, before, now, b->ctx);
}

static void on_resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *ctx)
{
	const struct ieum_blocking *b = ctx;

	if (b->theirs.resent)
		b->theirs.resent(c, message_id, receipt, failure, b->ctx);
}

static void on_let_go(struct ieum *c, size_t messages, void *ctx)
{
	const struct ieum_blocking *b = ctx;

	if (b->theirs.let_go)
		b->theirs.let_go(c, messages, b->ctx);
}

static void on_spool_trouble(struct ieum *c, const struct ieum_failure *why, void *ctx)
{
	const struct ieum_blocking *b = ctx;

	if (b->theirs.spool_trouble)
		b->theirs.spool_trouble(c, why, b->ctx);
}

static void on_alone(struct ieum *c, int64_t for_ms, uint64_t waiting, void *ctx)
{
	const struct ieum_blocking *b = ctx;

	if (b->theirs.alone)
		b->theirs.alone(c, for_ms, waiting, b->ctx);
}

/* ---- open and close ---- */

static struct ieum_blocking *blocking_new(void)
{
	struct ieum_blocking *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	LIST_INIT(&b->waits);
	STAILQ_INIT(&b->inbox);
	lib_trouble_set(&b->trouble, IEUM_E_OK, NULL, NULL, 0);
	b->base = event_base_new();
	if (!b->base) {
		free(b);
		return NULL;
	}
	event_assign(&b->timeout_ev, b->base, -1, 0, on_timeout, b);
	evsignal_assign(&b->signal_ev[0], b->base, SIGINT, on_signal, b);
	evsignal_assign(&b->signal_ev[1], b->base, SIGTERM, on_signal, b);
	return b;
}

static void blocking_free(struct ieum_blocking *b)
{
	struct arrived *a;
	struct wait *next;

	ieum_free(b->c);
	for (struct wait *w = LIST_FIRST(&b->waits); w; w = next) {
		next = LIST_NEXT(w, link);
		wait_free(w);
	}
	while ((a = STAILQ_FIRST(&b->inbox))) {
		STAILQ_REMOVE_HEAD(&b->inbox, link);
		copy_free(&a->copy);
		free(a);
	}
	copy_free(&b->welcome);
	copy_free(&b->receipt);
	copy_free(&b->result);
	copy_free(&b->delivery);
	event_del(&b->timeout_ev);
	event_del(&b->signal_ev[0]);
	event_del(&b->signal_ev[1]);
	event_base_free(b->base);
	free(b);
}

enum ieum_err ieum_blocking_begin(const struct ieum_options *options, struct ieum_blocking **out,
				  char why[IEUM_WHY_BYTES])
{
	struct ieum_options mine = *options;
	struct ieum_blocking *b = blocking_new();
	enum ieum_err err;

	*out = NULL;
	snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error(IEUM_E_NO_MEMORY)->text);
	if (!b)
		return IEUM_E_NO_MEMORY;
	b->theirs = options->callbacks;
	b->ctx = options->ctx;
	mine.callbacks = (struct ieum_callbacks){ .connected = on_connected,
						  .disconnected = on_disconnected,
						  .delivery = on_delivery,
						  .renamed = on_renamed,
						  .resent = on_resent,
						  .let_go = on_let_go,
						  .spool_trouble = on_spool_trouble,
						  .alone = on_alone };
	mine.ctx = b;
	err = ieum_new(b->base, &mine, &b->c, why);
	if (err) {
		blocking_free(b);
		return err;
	}
	*out = b;
	return IEUM_E_OK;
}

enum ieum_err ieum_blocking_connect(struct ieum_blocking *b, int64_t timeout_ms)
{
	set_timeout(b, timeout_ms);
	return wait_connected(b);
}

void ieum_blocking_heed_signals(struct ieum_blocking *b)
{
	event_add(&b->signal_ev[0], NULL);
	event_add(&b->signal_ev[1], NULL);
}

bool ieum_blocking_interrupted(const struct ieum_blocking *b)
{
	return b->interrupted;
}

struct ieum *ieum_blocking_inner(struct ieum_blocking *b)
{
	return b->c;
}

enum ieum_err ieum_blocking_open(const struct ieum_options *options, int64_t timeout_ms,
				 struct ieum_blocking **out, char why[IEUM_WHY_BYTES])
{
	struct ieum_blocking *b;
	enum ieum_err err = ieum_blocking_begin(options, &b, why);

	*out = NULL;
	if (err)
		return err;
	err = ieum_blocking_connect(b, timeout_ms);
	if (err) {
		snprintf(why, IEUM_WHY_BYTES, "%s",
			 b->trouble.detail[0] ? b->trouble.detail : ieum_error((int)err)->text);
		blocking_free(b);
		return err;
	}
	*out = b;
	return IEUM_E_OK;
}

void ieum_blocking_close(struct ieum_blocking *b)
{
	if (!b)
		return;
	ieum_stop(b->c);
	set_timeout(b, GOODBYE_MS);
	while (!b->stopped && !b->timed_out)
		step(b);
	blocking_free(b);
}

const struct ieum_failure *ieum_blocking_failure(const struct ieum_blocking *b)
{
	return &b->trouble.failure;
}

const Ieum__V1__Welcome *ieum_blocking_welcome(const struct ieum_blocking *b)
{
	return (const Ieum__V1__Welcome *)b->welcome.message;
}

/* ---- submit and settle: they wait for a connection by themselves ---- */

static void on_submitted(struct ieum *c, const uint8_t *message_id,
			 const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure,
			 void *arg)
{
	struct wait *w = arg;
	struct ieum_blocking *b = w->b;

	(void)c, (void)message_id;
	if (!wait_wanted(w))
		return;
	keep_failure(b, failure);
	if (receipt && !copy_set(&b->receipt, &receipt->base, NULL, 0))
		fail(b, IEUM_E_NO_MEMORY, "receipt");
}

/* What ends with a receipt.  start: hands it to the client; a wait that it refuses is freed. */
struct sending {
	const Ieum__V1__Referral *referral;
	enum ieum_seal what;
	int reason;
	const char *remark;
	enum ieum_err (*start)(struct ieum *c, const struct sending *s, struct wait *w,
			       char why[IEUM_WHY_BYTES]);
};

static enum ieum_err await_receipt(struct ieum_blocking *b, const struct sending *s,
				   int64_t timeout_ms, const Ieum__V1__Receipt **receipt)
{
	struct wait *w = wait_new(b);
	char why[IEUM_WHY_BYTES];
	enum ieum_err err;

	if (receipt)
		*receipt = NULL;
	if (!w)
		return fail(b, IEUM_E_NO_MEMORY, NULL);
	b->accepted = false;
	set_timeout(b, timeout_ms);
	err = s->start(b->c, s, w, why);
	if (err) {
		wait_free(w);
		return fail(b, err, why);
	}
	err = wait_done(w);
	if (!err && receipt)
		*receipt = (const Ieum__V1__Receipt *)b->receipt.message;
	return err;
}

static enum ieum_err start_submit(struct ieum *c, const struct sending *s, struct wait *w,
				  char why[IEUM_WHY_BYTES])
{
	return ieum_submit(c, s->referral, on_submitted, w, w->b->submitted_id, why);
}

enum ieum_err ieum_blocking_submit(struct ieum_blocking *b, const Ieum__V1__Referral *referral,
				   int64_t timeout_ms, const Ieum__V1__Receipt **receipt)
{
	return await_receipt(b, &(struct sending){ .referral = referral, .start = start_submit },
			     timeout_ms, receipt);
}

static enum ieum_err start_sealed(struct ieum *c, const struct sending *s, struct wait *w,
				  char why[IEUM_WHY_BYTES])
{
	return ieum_submit_sealed(c, s->referral, s->what, on_submitted, w, w->b->submitted_id,
				  why);
}

enum ieum_err ieum_blocking_submit_sealed(struct ieum_blocking *b,
					  const Ieum__V1__Referral *referral, enum ieum_seal what,
					  int64_t timeout_ms, const Ieum__V1__Receipt **receipt)
{
	return await_receipt(
		b, &(struct sending){ .referral = referral, .what = what, .start = start_sealed },
		timeout_ms, receipt);
}

static enum ieum_err start_wrap(struct ieum *c, const struct sending *s, struct wait *w,
				char why[IEUM_WHY_BYTES])
{
	return ieum_key_wrap(c, s->referral, on_submitted, w, why);
}

enum ieum_err ieum_blocking_key_wrap(struct ieum_blocking *b, const Ieum__V1__Referral *request,
				     int64_t timeout_ms, const Ieum__V1__Receipt **receipt)
{
	return await_receipt(b, &(struct sending){ .referral = request, .start = start_wrap },
			     timeout_ms, receipt);
}

static enum ieum_err start_refuse(struct ieum *c, const struct sending *s, struct wait *w,
				  char why[IEUM_WHY_BYTES])
{
	return ieum_key_refuse(c, s->referral, s->reason, s->remark, on_submitted, w, why);
}

enum ieum_err ieum_blocking_key_refuse(struct ieum_blocking *b, const Ieum__V1__Referral *request,
				       int reason, const char *remark, int64_t timeout_ms,
				       const Ieum__V1__Receipt **receipt)
{
	return await_receipt(b,
			     &(struct sending){ .referral = request,
						.reason = reason,
						.remark = remark,
						.start = start_refuse },
			     timeout_ms, receipt);
}

const struct ieum_keyring *ieum_blocking_keyring(const struct ieum_blocking *b)
{
	return ieum_keyring(b->c);
}

bool ieum_blocking_accepted(const struct ieum_blocking *b, const uint8_t **message_id)
{
	if (message_id)
		*message_id = b->submitted_id;
	return b->accepted;
}

enum ieum_err ieum_blocking_drain(struct ieum_blocking *b, int64_t timeout_ms, uint64_t *left)
{
	enum ieum_err err = ieum_blocking_connect(b, timeout_ms);

	while (!err && !lib_spool_idle(b->c) && !b->timed_out) {
		step(b);
		if (!ieum_connected(b->c))
			err = wait_connected(b);
	}
	*left = lib_spool_waiting(b->c);
	return err || lib_spool_idle(b->c) ? err : fail(b, IEUM_E_TIMED_OUT, NULL);
}

static void on_settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		       void *arg)
{
	struct wait *w = arg;

	(void)c, (void)delivery_id;
	if (wait_wanted(w))
		keep_failure(w->b, failure);
}

enum ieum_err ieum_blocking_settle(struct ieum_blocking *b, uint64_t delivery_id,
				   enum ieum_settle how, const char *reason, int64_t timeout_ms)
{
	struct wait *w = wait_new(b);

	if (!w)
		return fail(b, IEUM_E_NO_MEMORY, NULL);
	set_timeout(b, timeout_ms);
	enum ieum_err err = ieum_settle(b->c, delivery_id, how, reason, on_settled, w);
	if (err) {
		wait_free(w);
		return fail(b, err, NULL);
	}
	return wait_done(w);
}

/* ---- deliveries ---- */

enum ieum_err ieum_blocking_next(struct ieum_blocking *b, int64_t timeout_ms,
				 const Ieum__V1__Delivery **delivery, const uint8_t **referral,
				 size_t *referral_len)
{
	struct arrived *a;

	*delivery = NULL;
	set_timeout(b, timeout_ms);
	while (STAILQ_EMPTY(&b->inbox) && !b->timed_out && !b->permanent)
		step(b);
	a = STAILQ_FIRST(&b->inbox);
	if (!a && b->permanent)
		return wait_connected(b);
	if (!a)
		return fail(b, IEUM_E_TIMED_OUT, ieum_connected(b->c) ? NULL : b->down.detail);
	STAILQ_REMOVE_HEAD(&b->inbox, link);
	copy_free(&b->delivery);
	b->delivery = a->copy;
	free(a);
	*delivery = (const Ieum__V1__Delivery *)b->delivery.message;
	if (referral)
		*referral = b->delivery.referral;
	if (referral_len)
		*referral_len = b->delivery.referral_len;
	return IEUM_E_OK;
}

/* ---- questions ---- */

static void on_result(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		      size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct wait *w = arg;
	struct ieum_blocking *b = w->b;

	(void)c;
	if (!wait_wanted(w))
		return;
	keep_failure(b, failure);
	if (result && !copy_set(&b->result, &result->base, referral, referral_len))
		fail(b, IEUM_E_NO_MEMORY, "result");
}

static void on_time(struct ieum *c, int64_t hub_time_at_ms, const struct ieum_failure *failure,
		    void *arg)
{
	struct wait *w = arg;

	(void)c;
	if (!wait_wanted(w))
		return;
	w->hub_time_at_ms = hub_time_at_ms;
	keep_failure(w->b, failure);
}

static void on_copied(struct ieum *c, uint64_t through, const struct ieum_failure *failure,
		      void *arg)
{
	struct wait *w = arg;

	(void)c;
	if (!wait_wanted(w))
		return;
	w->copied_through = through;
	keep_failure(w->b, failure);
}

enum ieum_err ieum_blocking_confirm_copy(struct ieum_blocking *b, uint64_t journal_number,
					 const uint8_t *incarnation, int64_t timeout_ms,
					 uint64_t *through)
{
	enum ieum_err err = ieum_blocking_connect(b, timeout_ms);
	struct wait *w = err ? NULL : wait_new(b);

	*through = 0;
	if (!w)
		return err ? err : fail(b, IEUM_E_NO_MEMORY, NULL);
	err = ieum_confirm_copy(b->c, journal_number, incarnation, on_copied, w);
	if (err) {
		wait_free(w);
		return fail(b, err, NULL);
	}
	while (!w->done && !b->timed_out)
		step(b);
	*through = w->copied_through;
	return wait_done(w);
}

struct question_asked {
	const Ieum__V1__Query *query; /* or */
	int64_t advance_by_ms;        /* or, when 0, a ping */
	int64_t hub_time_at_ms;
};

/* One attempt. */
static enum ieum_err ask_once(struct ieum_blocking *b, struct question_asked *q)
{
	struct wait *w = wait_new(b);
	enum ieum_err err;

	if (!w)
		return fail(b, IEUM_E_NO_MEMORY, NULL);
	if (q->query)
		err = ieum_query(b->c, q->query, on_result, w);
	else if (q->advance_by_ms)
		err = ieum_advance(b->c, q->advance_by_ms, on_time, w);
	else
		err = ieum_ping(b->c, on_time, w);
	if (err) {
		wait_free(w);
		return fail(b, err, NULL);
	}
	while (!w->done && !b->timed_out)
		step(b);
	if (w->done)
		q->hub_time_at_ms = w->hub_time_at_ms;
	return wait_done(w);
}

static enum ieum_err ask(struct ieum_blocking *b, struct question_asked *q, int64_t timeout_ms)
{
	bool once = q->advance_by_ms != 0;
	enum ieum_err err;

	set_timeout(b, timeout_ms);
	do {
		err = wait_connected(b);
		if (err)
			return err;
		err = ask_once(b, q);
	} while (err == IEUM_E_CONNECTION_LOST && !once && !b->timed_out);
	return err;
}

enum ieum_err ieum_blocking_query(struct ieum_blocking *b, const Ieum__V1__Query *query,
				  int64_t timeout_ms, const Ieum__V1__Result **result,
				  const uint8_t **referral, size_t *referral_len)
{
	struct question_asked q = { .query = query };
	enum ieum_err err = ask(b, &q, timeout_ms);

	*result = err ? NULL : (const Ieum__V1__Result *)b->result.message;
	if (referral)
		*referral = err ? NULL : b->result.referral;
	if (referral_len)
		*referral_len = err ? 0 : b->result.referral_len;
	return err;
}

enum ieum_err ieum_blocking_ping(struct ieum_blocking *b, int64_t timeout_ms,
				 int64_t *hub_time_at_ms)
{
	struct question_asked q = { 0 };
	enum ieum_err err = ask(b, &q, timeout_ms);

	*hub_time_at_ms = q.hub_time_at_ms;
	return err;
}

enum ieum_err ieum_blocking_advance(struct ieum_blocking *b, int64_t by_ms, int64_t timeout_ms,
				    int64_t *hub_time_at_ms)
{
	struct question_asked q = { .advance_by_ms = by_ms };

	if (by_ms <= 0)
		return fail(b, IEUM_E_FIELD_INVALID, "by_ms");
	enum ieum_err err = ask(b, &q, timeout_ms);
	*hub_time_at_ms = q.hub_time_at_ms;
	return err;
}
