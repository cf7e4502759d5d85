/* What a connection gets next: urgency, then age, over all its mailboxes.
 *
 * The ready lanes of a mailbox are heaps; a second heap of candidates walks them in order
 * without changing them, so a release costs what it takes and not what waits. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/decision.h"
#include "broker/core/mailbox.h"

enum { RELEASE_PASSED_MAX = 256 }; /* that the connection may not have, per urgency */

struct picking {
	const struct core *c;
	const struct policy *p;
	struct caller who;
	uint64_t connection;
	struct heap *candidates; /* transits */
	uint64_t *ids;
	size_t n, max;
};

static enum ieum_err offer(struct picking *k, uint32_t th)
{
	return heap_push(k->candidates, transit_at(k->c, th)->id, 0, th);
}

/* The head of the lane at a place of a mailbox's heap. */
static enum ieum_err offer_lane(struct picking *k, const struct heap *ready, uint32_t place)
{
	if (place > ready->n)
		return IEUM_E_OK;
	return offer(k, lane_at(k->c, ready->entries[place - 1].item)->transits.head);
}

/* One candidate: takes it or not, and offers what comes after it. */
static enum ieum_err visit(struct picking *k, uint32_t th, bool *taken)
{
	const struct transit *t = transit_at(k->c, th);
	const struct lane *l = lane_at(k->c, t->lane);
	const struct delivery *d = delivery_at(k->c, t->delivery);
	const struct heap *ready = &k->c->mailboxes[l->mailbox - 1].ready[l->urgency];
	bool excluded = l->core_case
				? case_excludes(case_at(k->c, l->core_case), k->who.participant)
				: agenda_copy_tells(k->c, referral_at(k->c, d->referral),
						    k->who.participant);
	bool avoided =
		t->handed_back_by == k->connection && mailbox_is_shared(k->c, k->p, l->mailbox);
	enum ieum_err err = IEUM_E_OK;

	*taken = !excluded && !avoided;
	if (*taken)
		k->ids[k->n++] = d->id;
	if (l->transits.head == th) {
		err = offer_lane(k, ready, 2 * l->place);
		if (!err)
			err = offer_lane(k, ready, 2 * l->place + 1);
	}
	bool holds = l->core_case && d->attempts > 0;
	if (err || excluded || holds || !t->lane_next)
		return err;
	const struct transit *next = transit_at(k->c, t->lane_next);
	return delivery_at(k->c, next->delivery)->state == DELIVERY_QUEUED ? offer(k, t->lane_next)
									   : IEUM_E_OK;
}

static enum ieum_err pick_urgency(struct picking *k, uint32_t urgency)
{
	unsigned passed = 0;
	enum ieum_err err = IEUM_E_OK;

	heap_clear(k->candidates);
	for (size_t i = 0; i < k->who.who->n_mailboxes && !err; i++) {
		uint32_t number = policy_mailbox(k->p, k->who.who->mailboxes[i])->number;
		if (number && number <= k->c->n_mailboxes)
			err = offer_lane(k, &k->c->mailboxes[number - 1].ready[urgency], 1);
	}
	while (!err && k->n < k->max && passed < RELEASE_PASSED_MAX && k->candidates->n > 0) {
		bool taken;
		uint32_t th = heap_first(k->candidates)->item;
		heap_remove(k->candidates, 1);
		err = visit(k, th, &taken);
		passed += !taken;
	}
	return err;
}

static enum ieum_err pick(const struct core *c, const struct policy *p, uint64_t connection,
			  size_t max, uint64_t *ids, size_t *n)
{
	struct picking k = {
		.c = c,
		.p = p,
		.connection = connection,
		.candidates = &c->scratch->candidates,
		.ids = ids,
		.max = max < CORE_RELEASE_MAX ? max : CORE_RELEASE_MAX,
	};
	enum ieum_err err = caller_of(c, p, connection, &k.who);

	for (uint32_t u = 0; u < CORE_URGENCIES && !err && k.n < k.max; u++)
		err = pick_urgency(&k, u);
	*n = err ? 0 : k.n;
	return err;
}

enum ieum_err core_decide_release(const struct core *c, const struct policy *p, uint64_t connection,
				  uint32_t max, core_time_us now, struct core_decision *d)
{
	uint64_t ids[CORE_RELEASE_MAX];
	size_t n;
	enum ieum_err err = pick(c, p, connection, max, ids, &n);

	if (err || n == 0)
		return err;
	Ieum__V1__DeliveriesReleased *e = decision_released(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = connection;
	e->deliveries = arena_copy(&d->arena, ids, n * sizeof *ids);
	e->n_deliveries = n;
	return e->deliveries ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

size_t core_peek_release(const struct core *c, const struct policy *p, uint64_t connection,
			 uint32_t max, core_time_us now, uint64_t *delivery_ids)
{
	size_t n;

	(void)now;
	return pick(c, p, connection, max, delivery_ids, &n) ? 0 : n;
}

uint32_t core_in_flight(const struct core *c, uint64_t connection)
{
	uint32_t h = state_connection(c, connection);

	return h ? connection_at(c, h)->n_in_flight : 0;
}

bool core_delivery(const struct core *c, uint64_t delivery_id, struct core_delivery *out)
{
	uint32_t dh = state_delivery(c, delivery_id);

	if (!dh)
		return false;
	const struct delivery *d = delivery_at(c, dh);
	const struct referral *r = referral_at(c, d->referral);
	const struct task *t = d->task ? state_task(c, r, d->task - 1U) : NULL;
	*out = (struct core_delivery){
		.delivery_id = d->id,
		.seq = r->seq,
		.attempt = d->attempts + 1U,
		.payload_bytes = r->payload_bytes,
		.mailbox = c->mailboxes[d->mailbox - 1].name,
		.sender = state_participant_name(c, r->sender),
		.sender_actor = state_actor_name(c, r->actor),
		.received_at_ms = to_ms(r->at_us),
		.cause = (Ieum__V1__DeliveryCause)d->cause,
		.answer_by_at_ms = t ? t->due_at_ms : 0,
		.urgency = (Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE),
		.case_id = r->core_case ? case_at(c, r->core_case)->id : NULL,
		.message_id = r->id,
		.sealed = r->sealed != 0,
	};
	return true;
}
