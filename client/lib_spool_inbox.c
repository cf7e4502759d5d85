/* libieum: deliveries on the spool; see lib_spool.h.
 *
 *   Delivery ──► pending ──commit, then settled at the hub──► ready ──► handed (told)
 *                                                               ▲           │ ieum_settle(done)
 *                  left by a process that died, or by us ───────┤           ▼
 *                  ieum_settle(release) ──► resting, a while ───┘        taking ──commit──► freed
 *
 * A repeat is known by its row, also by another process's and after a restart; its row being on
 * the disk, it is only settled again.  While the application holds as many as it asked for, the
 * others stay ready, and the hub is told to send none.
 *
 * What the disk doesn't take is handed over as well, *bare*: without a row, and settled at the hub
 * when the application has taken it; lib_inbox.c knows its repeats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lib_spool.h"

#define TOLD_APART (UINT64_C(1) << 63)

/* ---- the table by told id ---- */

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct held *find(const struct lib_spool *sp, uint64_t told_id)
{
	struct held *h;

	HASH_FIND(hh, sp->by_told, &told_id, sizeof told_id, h);
	return h;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add(struct lib_spool *sp, struct held *h)
{
	HASH_ADD(hh, sp->by_told, told_id, sizeof h->told_id, h);
}

static struct held *held_new(const uint8_t *frame, size_t len)
{
	struct held *h = calloc(1, sizeof *h + len);

	if (h) {
		h->len = len;
		memcpy(h->frame, frame, len);
	}
	return h;
}

static void held_free(struct lib_spool *sp, struct held *h)
{
	if (h->told_id)
		HASH_DELETE(hh, sp->by_told, h);
	free(h);
}

/* ---- from the hub ---- */

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void settle_at_hub(struct ieum *c, uint64_t wire_id)
{
	if (lib_settle(c, wire_id, IEUM_SETTLE_DONE, NULL, NULL, NULL))
		lib_drop(c, IEUM_E_NO_MEMORY, "settle");
}

/* Delivery ids of another incarnation begin anew, so two that are held can have the same. */
static uint64_t told_for(struct ieum *c, uint64_t delivery_id)
{
	uint64_t told = delivery_id;

	while (find(c->spool, told) || lib_inbox_is_told(c, told))
		told = (told | TOLD_APART) + 1;
	return told;
}

static struct spool_delivery row_of(const struct ieum *c, const Ieum__V1__Delivery *delivery)
{
	struct spool_delivery d = { .mailbox = lib_inbox_mailbox(delivery),
				    .wire_id = delivery->delivery_id,
				    .cause = (int)delivery->cause,
				    .answer_by_at_ms = delivery->answer_by_at_ms,
				    .received_at_ms = delivery->received_at_ms,
				    .since_ms = wall_ms() };

	memcpy(d.message_id, delivery->referral->envelope->message_id.data, IEUM_ID_BYTES);
	memcpy(d.incarnation, c->incarnation, IEUM_ID_BYTES);
	return d;
}

bool lib_spool_holds(const struct ieum *c, uint64_t told_id)
{
	return find(c->spool, told_id) != NULL;
}

static enum ieum_err put(struct ieum *c, const Ieum__V1__Delivery *delivery, struct held *h)
{
	struct spool_delivery d = row_of(c, delivery);

	d.told_id = h->told_id;
	d.frame = h->frame;
	d.len = h->len;
	return spool_deliver(c->spool->file, &d, &h->number);
}

/* It has no row, and goes to the application in its turn like the others. */
static void go_bare(struct ieum *c, struct held *h, const Ieum__V1__Delivery *delivery)
{
	h->bare = true;
	lib_inbox_remember(c, delivery, h->told_id);
	TAILQ_INSERT_TAIL(&c->spool->ready, h, link);
	c->spool->n_ready++;
}

/* Its row is on the disk: should noting its new id fail, it is known by its reason again. */
static void known_again(struct ieum *c, const Ieum__V1__Delivery *delivery,
			const struct spool_delivery *known)
{
	if (memcmp(known->incarnation, c->incarnation, IEUM_ID_BYTES) != 0)
		(void)!spool_renew(c->spool->file, known->number, delivery->delivery_id,
				   c->incarnation);
	settle_at_hub(c, delivery->delivery_id);
	lib_work_soon(c);
}

void lib_spool_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery,
			const struct frame_view *view)
{
	struct lib_spool *sp = c->spool;
	struct spool_delivery like = row_of(c, delivery), known;
	enum ieum_err err = spool_find_delivery(sp->file, &like, &known);

	/* The same message may come to the same mailbox for another reason (an escalation). */
	if (!err && known.number) {
		known_again(c, delivery, &known);
		return;
	}
	struct held *h = held_new(view->payload, view->len);
	if (!h) {
		lib_drop(c, IEUM_E_NO_MEMORY, "delivery"); /* the hub gives it again */
		return;
	}
	h->wire_id = delivery->delivery_id;
	h->told_id = told_for(c, delivery->delivery_id);
	add(sp, h);
	if (!err)
		err = put(c, delivery, h);
	if (err) {
		lib_spool_trouble_once(c, err, spool_why(sp->file));
		go_bare(c, h, delivery);
	} else {
		TAILQ_INSERT_TAIL(&sp->pending, h, link);
	}
	lib_work_soon(c);
}

/* ---- how many ---- */

/* Enough are held, or there are few again: the hub is told. */
static void weigh(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	size_t held = sp->n_ready + sp->n_handed;
	bool shut = sp->shut;

	if (held >= c->credit)
		shut = true;
	else if (held <= c->credit / 2)
		shut = false;
	if (shut == sp->shut)
		return;
	sp->shut = shut;
	if (c->state == LIB_UP)
		lib_send_credit(c);
}

bool lib_spool_shut(const struct ieum *c)
{
	return c->spool && c->options.spool_deliveries && c->spool->shut;
}

/* ---- to the application ---- */

/* It was read once when it came; a version that can't any more must not lose it. */
static Ieum__V1__Delivery *read_frame(struct ieum *c, const struct held *h, struct arena *arena,
				      struct codec_frame *frame)
{
	struct codec_problem problem;

	arena_reset(arena);
	if (!codec_decode(h->frame, h->len, CODEC_FROM_HUB, arena, frame, &problem) &&
	    frame->frame->what_case == IEUM__V1__FRAME__WHAT_DELIVERY)
		return frame->frame->delivery;
	const struct ieum_failure failure = { IEUM_E_SPOOL_CORRUPT, "SPOOL_CORRUPT",
					      "a delivery in it can't be read", 0 };
	lib_spool_tell(c, &failure);
	return NULL;
}

static void hand_over(struct ieum *c, struct held *h)
{
	struct lib_spool *sp = c->spool;
	struct codec_frame frame;
	Ieum__V1__Delivery *delivery;

	TAILQ_REMOVE(&sp->ready, h, link);
	TAILQ_INSERT_TAIL(&sp->handed, h, link);
	h->told = true;
	sp->n_ready--;
	sp->n_handed++;
	delivery = read_frame(c, h, &c->arena, &frame);
	if (!delivery)
		return;
	delivery->delivery_id = h->told_id;
	if (c->options.callbacks.delivery)
		c->options.callbacks.delivery(c, delivery, frame.referral, frame.referral_len,
					      c->options.ctx);
}

struct loading {
	struct ieum *c;
	unsigned n;
};

static bool is_listed(const struct held_list *list, int64_t number)
{
	const struct held *h;

	TAILQ_FOREACH(h, list, link) {
		if (h->number == number)
			return true;
	}
	return false;
}

static bool load_one(const struct spool_delivery *d, void *arg)
{
	struct loading *l = arg;
	struct lib_spool *sp = l->c->spool;
	struct held *h;

	if (l->n == LIB_HAND_MAX)
		return false;
	if (!is_listed(&sp->pending, d->number) && !is_listed(&sp->ready, d->number) &&
	    !is_listed(&sp->handed, d->number) && !is_listed(&sp->taking, d->number) &&
	    !is_listed(&sp->resting, d->number)) {
		h = held_new(d->frame, d->len);
		if (!h)
			return false;
		h->number = d->number;
		h->wire_id = d->wire_id;
		h->told_id = told_for(l->c, d->told_id);
		add(sp, h);
		TAILQ_INSERT_TAIL(&sp->ready, h, link);
		sp->n_ready++;
		l->n++;
	}
	sp->held_after = d->number;
	return true;
}

static void load(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct loading l = { .c = c };

	if (!sp->held_more || sp->n_ready > 0)
		return;
	enum ieum_err err = spool_held(sp->file, sp->held_after, load_one, &l);
	sp->held_more = !err && l.n == LIB_HAND_MAX;
	if (err)
		lib_spool_trouble(c, err);
}

static void tell_resting(struct ieum *c)
{
	struct held *h;

	TAILQ_FOREACH(h, &c->spool->resting, link) {
		ieum_settle_cb *cb = h->cb;

		h->cb = NULL;
		if (cb)
			cb(c, h->told_id, NULL, h->arg);
	}
}

void lib_spool_inbox_turn(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	unsigned n = 0;

	tell_resting(c);
	if (!c->options.spool_deliveries || c->state == LIB_STOPPED)
		return;
	if (sp->n_handed < c->credit)
		load(c);
	while (sp->n_handed < c->credit && n++ < LIB_HAND_MAX && !TAILQ_EMPTY(&sp->ready))
		hand_over(c, TAILQ_FIRST(&sp->ready));
	weigh(c);
	if (sp->n_handed < c->credit && (!TAILQ_EMPTY(&sp->ready) || sp->held_more))
		lib_work_soon(c);
}

/* ---- the application has taken it ---- */

/* The hub's from here on. */
static void let_bare_go(struct lib_spool *sp, struct held *h)
{
	TAILQ_REMOVE(&sp->handed, h, link);
	sp->n_handed--;
	held_free(sp, h);
}

bool lib_spool_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
		      ieum_settle_cb *cb, void *arg, enum ieum_err *err)
{
	struct lib_spool *sp = c->spool;
	struct held *h = sp ? find(sp, delivery_id) : NULL;

	if (!h || !h->told)
		return false;
	if (h->bare) {
		let_bare_go(sp, h);
		return false;
	}
	*err = how == IEUM_SETTLE_REFUSE || h->resting ? IEUM_E_STATE_CONFLICT : IEUM_E_OK;
	if (*err || (h->taking && h->cb))
		return true;
	h->cb = cb; /* of one that could not be noted as well: it is tried again */
	h->arg = arg;
	lib_work_soon(c);
	if (h->taking)
		return true;
	TAILQ_REMOVE(&sp->handed, h, link);
	h->taking = how == IEUM_SETTLE_DONE;
	h->resting = !h->taking;
	TAILQ_INSERT_TAIL(h->taking ? &sp->taking : &sp->resting, h, link);
	return true;
}

bool lib_spool_taking_is_due(const struct lib_spool *sp)
{
	return !TAILQ_EMPTY(&sp->taking) && sp->take_due_ms <= lib_now_ms();
}

enum ieum_err lib_spool_write_taken(struct lib_spool *sp)
{
	const struct held *h;
	enum ieum_err err = IEUM_E_OK;

	TAILQ_FOREACH(h, &sp->taking, link) {
		err = spool_taken(sp->file, h->number);
		if (err)
			break;
	}
	sp->taken_written = !err;
	return err;
}

void lib_spool_inbox_rested(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct held *h;

	while ((h = TAILQ_FIRST(&sp->resting)) && !h->cb) {
		h->told = h->resting = false;
		TAILQ_REMOVE(&sp->resting, h, link);
		TAILQ_INSERT_TAIL(&sp->ready, h, link);
		sp->n_handed--;
		sp->n_ready++;
	}
}

/* ---- what became of the transaction ---- */

/* What a callback does meanwhile belongs to the next transaction. */
static void take_list(struct held_list *from, struct held_list *out)
{
	TAILQ_INIT(out);
	TAILQ_CONCAT(out, from, link);
}

void lib_spool_inbox_committed(struct ieum *c, struct held_list *taken)
{
	struct lib_spool *sp = c->spool;
	struct held *h;

	TAILQ_INIT(taken);
	if (sp->taken_written) {
		take_list(&sp->taking, taken);
		sp->taken_written = false;
		sp->take_due_ms = 0;
	}
	if (!TAILQ_EMPTY(&sp->pending) || !TAILQ_EMPTY(taken))
		sp->trouble_told = false; /* deliveries are kept, and noted, again */
	while ((h = TAILQ_FIRST(&sp->pending))) {
		TAILQ_REMOVE(&sp->pending, h, link);
		TAILQ_INSERT_TAIL(&sp->ready, h, link);
		sp->n_ready++;
		settle_at_hub(c, h->wire_id);
	}
}

void lib_spool_inbox_tell_taken(struct ieum *c, struct held_list *taken)
{
	struct lib_spool *sp = c->spool;
	struct held *h;

	while ((h = TAILQ_FIRST(taken))) {
		TAILQ_REMOVE(taken, h, link);
		sp->n_handed--;
		if (h->cb)
			h->cb(c, h->told_id, NULL, h->arg);
		held_free(sp, h);
	}
}

/* What wasn't kept has no row. */
static void pending_go_bare(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	const Ieum__V1__Delivery *delivery;
	struct codec_frame frame;
	struct arena arena; /* the client's may have the frame that led here */
	struct held *h;

	arena_init(&arena, CODEC_ARENA_BUDGET_BYTES);
	while ((h = TAILQ_FIRST(&sp->pending))) {
		TAILQ_REMOVE(&sp->pending, h, link);
		h->number = 0;
		delivery = read_frame(c, h, &arena, &frame);
		if (delivery)
			go_bare(c, h, delivery);
		else
			held_free(sp, h);
	}
	arena_release(&arena);
}

/* What the application has taken is noted when that works again; it is told now that it isn't. */
static void tell_not_taken(struct ieum *c, const struct ieum_failure *failure)
{
	struct lib_spool *sp = c->spool;
	struct held_list taking;
	struct held *h;

	sp->taken_written = false;
	sp->take_due_ms = lib_now_ms() + LIB_AGAIN_MS;
	take_list(&sp->taking, &taking);
	while ((h = TAILQ_FIRST(&taking))) {
		ieum_settle_cb *cb = h->cb;

		h->cb = NULL;
		TAILQ_REMOVE(&taking, h, link);
		TAILQ_INSERT_TAIL(&sp->taking, h, link);
		if (cb)
			cb(c, h->told_id, failure, h->arg);
	}
}

void lib_spool_inbox_undone(struct ieum *c, const struct ieum_failure *failure)
{
	struct lib_spool *sp = c->spool;

	if (TAILQ_EMPTY(&sp->pending) && TAILQ_EMPTY(&sp->taking))
		return;
	lib_spool_trouble_once(c, failure->code, failure->detail);
	pending_go_bare(c);
	tell_not_taken(c, failure);
	lib_work_soon(c);
}

void lib_spool_inbox_free(struct lib_spool *sp)
{
	struct held_list *const lists[] = { &sp->pending, &sp->ready, &sp->handed, &sp->taking,
					    &sp->resting };
	struct held *h;

	HASH_CLEAR(hh, sp->by_told);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		while ((h = TAILQ_FIRST(lists[i]))) {
			TAILQ_REMOVE(lists[i], h, link);
			free(h);
		}
	}
}
