/* libieum: deliveries from the spool to the application, until it has taken them; see lib_spool.h and
 * the diagram in lib_spool_inbox.c.
 *
 * What always holds: a row that the application is given says so on the disk first (unless the disk
 * doesn't take it), and one that it wasn't given says that when we end in order. */
#include "client/lib_spool.h"

/* It was read once when it came; a version that can't any more must not lose it. */
Ieum__V1__Delivery *lib_held_read(struct ieum *c, const struct held *h, struct arena *arena,
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
	delivery = lib_held_read(c, h, &c->arena, &frame);
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
		h = lib_held_new(d->frame, d->len);
		if (!h)
			return false;
		h->number = d->number;
		h->wire_id = d->wire_id;
		h->told_id = lib_held_told_for(l->c, d->told_id);
		h->again = h->marked = d->handed;
		lib_held_add(sp, h);
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

/* What is handed over next says so on the disk first: whoever finds it there later knows that it may
 * have been seen.  A disk that doesn't take it hides nothing. */
static void mark_next(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	size_t room = c->credit - sp->n_handed;
	struct held *h;

	TAILQ_FOREACH(h, &sp->ready, link) {
		if (room-- == 0)
			break;
		if (h->marked || h->bare)
			continue;
		enum ieum_err err = spool_handed(sp->file, h->number, true);
		if (err)
			lib_spool_trouble_once(c, err, spool_why(sp->file));
		h->marked = true;
		h->marking = !err;
	}
}

void lib_spool_marked(struct lib_spool *sp)
{
	struct held *h;

	TAILQ_FOREACH(h, &sp->ready, link)
		h->marking = false;
}

enum ieum_err lib_spool_unmark(struct lib_spool *sp)
{
	const struct held *h;
	enum ieum_err err = IEUM_E_OK;

	TAILQ_FOREACH(h, &sp->ready, link) {
		if (h->marked && !h->again && !h->bare && !err)
			err = spool_handed(sp->file, h->number, false);
	}
	return err;
}

static struct held *next_to_hand(struct ieum *c)
{
	struct held *h = TAILQ_FIRST(&c->spool->ready);

	return h && c->spool->n_handed < c->credit && !h->marking ? h : NULL;
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
	struct held *h;
	unsigned n = 0;

	tell_resting(c);
	if (!c->options.spool_deliveries || c->state == LIB_STOPPED)
		return;
	if (sp->n_handed < c->credit) {
		load(c);
		mark_next(c);
	}
	while (n++ < LIB_HAND_MAX && (h = next_to_hand(c)))
		hand_over(c, h);
	lib_spool_weigh(c);
	if (sp->n_handed < c->credit && (!TAILQ_EMPTY(&sp->ready) || sp->held_more))
		lib_work_soon(c);
}

/* ---- the application has taken it ---- */

/* The hub's from here on. */
static void let_bare_go(struct lib_spool *sp, struct held *h)
{
	TAILQ_REMOVE(&sp->handed, h, link);
	sp->n_handed--;
	lib_held_free(sp, h);
}

bool lib_spool_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
		      ieum_settle_cb *cb, void *arg, enum ieum_err *err)
{
	struct lib_spool *sp = c->spool;
	struct held *h = sp ? lib_held_find(sp, delivery_id) : NULL;

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

bool lib_spool_again(const struct ieum *c, uint64_t delivery_id)
{
	const struct held *h = c->spool ? lib_held_find(c->spool, delivery_id) : NULL;

	return h && h->again;
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
		h->again = true;
		TAILQ_REMOVE(&sp->resting, h, link);
		TAILQ_INSERT_TAIL(&sp->ready, h, link);
		sp->n_handed--;
		sp->n_ready++;
	}
}
