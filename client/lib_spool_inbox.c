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
struct held *lib_held_find(const struct lib_spool *sp, uint64_t told_id)
{
	struct held *h;

	HASH_FIND(hh, sp->by_told, &told_id, sizeof told_id, h);
	return h;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
void lib_held_add(struct lib_spool *sp, struct held *h)
{
	HASH_ADD(hh, sp->by_told, told_id, sizeof h->told_id, h);
}

struct held *lib_held_new(const uint8_t *frame, size_t len)
{
	struct held *h = calloc(1, sizeof *h + len);

	if (h) {
		h->len = len;
		memcpy(h->frame, frame, len);
	}
	return h;
}

void lib_held_free(struct lib_spool *sp, struct held *h)
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

uint64_t lib_held_told_for(struct ieum *c, uint64_t delivery_id)
{
	uint64_t told = delivery_id;

	while (lib_held_find(c->spool, told) || lib_inbox_is_told(c, told))
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
	return lib_held_find(c->spool, told_id) != NULL;
}

/* It will be handed over with the others of this turn; then its row says so from the beginning. */
static bool goes_at_once(const struct ieum *c)
{
	const struct lib_spool *sp = c->spool;

	return !sp->held_more && sp->n_handed + sp->n_ready + sp->n_pending < c->credit;
}

static enum ieum_err put(struct ieum *c, const Ieum__V1__Delivery *delivery, struct held *h)
{
	struct spool_delivery d = row_of(c, delivery);

	h->marked = goes_at_once(c);
	d.handed = h->marked;
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
	struct held *h = lib_held_new(view->payload, view->len);
	if (!h) {
		lib_drop(c, IEUM_E_NO_MEMORY, "delivery"); /* the hub gives it again */
		return;
	}
	h->wire_id = delivery->delivery_id;
	h->told_id = lib_held_told_for(c, delivery->delivery_id);
	lib_held_add(sp, h);
	if (!err)
		err = put(c, delivery, h);
	if (err) {
		lib_spool_trouble_once(c, err, spool_why(sp->file));
		go_bare(c, h, delivery);
	} else {
		TAILQ_INSERT_TAIL(&sp->pending, h, link);
		sp->n_pending++;
	}
	lib_work_soon(c);
}

void lib_spool_known(struct ieum *c, const Ieum__V1__Delivery *delivery,
		     struct spool_delivery *known)
{
	const struct spool_delivery like = row_of(c, delivery);
	enum ieum_err err = spool_find_delivery(c->spool->file, &like, known);

	if (err) {
		lib_spool_trouble_once(c, err, spool_why(c->spool->file));
		*known = (struct spool_delivery){ 0 };
	} else if (known->taken) {
		settle_at_hub(c, delivery->delivery_id);
	}
}

void lib_spool_row_taken(struct ieum *c, int64_t number)
{
	enum ieum_err err = spool_taken(c->spool->file, number);

	if (err)
		lib_spool_trouble_once(c, err, spool_why(c->spool->file));
	lib_work_soon(c);
}

/* ---- how many ---- */

void lib_spool_weigh(struct ieum *c)
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
	lib_spool_marked(sp);
	sp->n_pending = 0;
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
		lib_held_free(sp, h);
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
	sp->n_pending = 0;
	while ((h = TAILQ_FIRST(&sp->pending))) {
		TAILQ_REMOVE(&sp->pending, h, link);
		h->number = 0;
		delivery = lib_held_read(c, h, &arena, &frame);
		if (delivery)
			go_bare(c, h, delivery);
		else
			lib_held_free(sp, h);
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

	lib_spool_marked(sp); /* or not: they aren't hidden for that */
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
