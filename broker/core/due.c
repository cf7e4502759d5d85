/* core_decide_due(): what the passing of time does, a bounded amount per call.
 *
 * Each call does one kind of thing: settle time-outs, then deliveries that waited long enough,
 * then one ladder, then one clock of a case, then what may be forgotten.  None of them is due any more once its event is
 * applied, so nothing fires twice. */
#include <string.h>

#include "broker/core/case_clock_due.h"
#include "broker/core/cases.h"
#include "broker/core/counting.h"
#include "broker/core/decision.h"
#include "broker/core/handover.h"
#include "broker/core/leaving.h"
#include "broker/core/participation.h"
#include "broker/core/placing.h"
#include "broker/core/returning.h"
#include "broker/core/submit.h"

enum {
	DUE_DELIVERIES_MAX = 256,
	DUE_FORGET_MAX = 16,
	DUE_LOOKED_MAX = 2048, /* at what is old enough: some of it nobody ever took */
};

/* A message of no case is remembered so much longer than its id is refused as too old. */
#define DUE_KEPT_MARGIN_MS ((int64_t)24 * 60 * 60 * 1000)

static enum ieum_err due_time_outs(const struct core *c, const struct policy *p, core_time_us now,
				   struct core_decision *d)
{
	const struct returning how = { .cause = IEUM__V1__RETURN_CAUSE__RETURN_CAUSE_TIMED_OUT };
	uint32_t handles[DUE_DELIVERIES_MAX];
	size_t n = 0;

	for (uint32_t th = c->flight.head; th && n < DUE_DELIVERIES_MAX;
	     th = transit_at(c, th)->flight_next) {
		uint32_t dh = transit_at(c, th)->delivery;
		if (delivery_at(c, dh)->released_at_ms + c->settle_within_ms > to_ms(now))
			break;
		handles[n++] = dh;
	}
	for (size_t i = 0; i < n / 2; i++) {
		uint32_t tmp = handles[i];
		handles[i] = handles[n - 1 - i];
		handles[n - 1 - i] = tmp;
	}
	return returning_decide(c, p, d, now, &how, handles, n);
}

/* In order of time, then age: walks the heap by a second one, without changing it. */
static enum ieum_err due_requeued(const struct core *c, core_time_us now, struct core_decision *d)
{
	struct heap *walk = &c->scratch->candidates;
	uint64_t ids[DUE_DELIVERIES_MAX];
	size_t n = 0;
	enum ieum_err err = IEUM_E_OK;

	heap_clear(walk);
	if (c->waiting.n > 0)
		err = heap_push(walk, c->waiting.entries[0].key, c->waiting.entries[0].tie, 1);
	while (!err && walk->n > 0 && n < DUE_DELIVERIES_MAX) {
		struct heap_entry e = *heap_first(walk);
		if ((int64_t)e.key > to_ms(now))
			break;
		heap_remove(walk, 1);
		ids[n++] = e.tie;
		for (uint32_t place = 2 * e.item; place <= 2 * e.item + 1 && !err; place++)
			if (place <= c->waiting.n)
				err = heap_push(walk, c->waiting.entries[place - 1].key,
						c->waiting.entries[place - 1].tie, place);
	}
	if (err || n == 0)
		return err;
	Ieum__V1__DeliveriesRequeued *e = decision_requeued(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->deliveries = arena_copy(&d->arena, ids, n * sizeof *ids);
	e->n_deliveries = n;
	return e->deliveries ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err due_ladder(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->clocks);

	if (!first || (int64_t)first->key > to_ms(now))
		return IEUM_E_OK;
	return ladder_move(c, p, d, now, task_at(c, first->item),
			   IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE, 0);
}

/* Only on occasion of something else, or of a call that had nothing else to do: memory is no
 * deadline. */
static enum ieum_err due_forgotten(const struct core *c, const struct policy *p, core_time_us now,
				   struct core_decision *d)
{
	int64_t kept_ms = policy_limits(p)->id_window_ms + DUE_KEPT_MARGIN_MS;
	ProtobufCBinaryData cases[DUE_FORGET_MAX];
	uint64_t seqs[DUE_FORGET_MAX];
	size_t n_cases = 0;
	size_t n_seqs = 0;
	unsigned looked = 0;

	for (uint32_t h = c->closed.head;
	     h && n_cases < DUE_FORGET_MAX && looked++ < DUE_LOOKED_MAX / 8;
	     h = case_at(c, h)->closed_next) {
		struct core_case *k = case_at(c, h);
		if (k->last_at_ms + CORE_CASE_KEPT_MS > to_ms(now))
			break;
		if (!case_ended(c, k))
			continue;
		/* A copy: applying the event ends the case. */
		cases[n_cases] = (ProtobufCBinaryData){ CORE_ID_BYTES, arena_copy(&d->arena, k->id,
										  CORE_ID_BYTES) };
		if (!cases[n_cases++].data)
			return IEUM_E_NO_MEMORY;
	}
	looked = 0;
	for (uint32_t h = c->loose.head; h && n_seqs < DUE_FORGET_MAX && looked++ < DUE_LOOKED_MAX;
	     h = referral_at(c, h)->next_in_case) {
		const struct referral *r = referral_at(c, h);
		if (to_ms(r->at_us) + kept_ms > to_ms(now))
			break;
		if (referral_ended(c, r))
			seqs[n_seqs++] = r->seq;
	}
	if (n_cases + n_seqs == 0)
		return IEUM_E_OK;
	Ieum__V1__Forgotten *e = decision_forgotten(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_ids = arena_copy(&d->arena, cases, n_cases * sizeof *cases);
	e->n_case_ids = n_cases;
	e->seqs = arena_copy(&d->arena, seqs, n_seqs * sizeof *seqs);
	e->n_seqs = n_seqs;
	return e->case_ids && e->seqs ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

enum ieum_err core_decide_due(const struct core *c, const struct policy *p, core_time_us now,
			      struct core_decision *d)
{
	enum ieum_err err = due_time_outs(c, p, now, d);

	if (!err && d->n_items == 0)
		err = due_requeued(c, now, d);
	if (!err && d->n_items == 0)
		err = due_handover(c, p, now, d);
	if (!err && d->n_items == 0)
		err = due_leavers(c, p, now, d);
	if (!err && d->n_items == 0)
		err = due_ladder(c, p, now, d);
	if (!err && d->n_items == 0)
		err = placing_due(c, p, now, d);
	if (!err && d->n_items > 0)
		err = participation_decide(c, now, p, d);
	if (!err && d->n_items == 0)
		err = case_clock_due(c, p, now, d);
	if (!err && d->n_items == 0)
		err = due_handover_rest(c, p, now, d);
	if (!err && d->n_items == 0)
		err = agreements_due(c, p, now, d);
	if (!err && d->n_items == 0)
		err = certificates_due(c, p, now, d);
	if (!err && d->n_items == 0)
		err = sealed_due(c, p, now, d);
	if (!err && d->n_items == 0)
		err = due_forgotten(c, p, now, d);
	if (!err && d->n_items == 0)
		err = counting_forget(c, d, now);
	return err;
}
