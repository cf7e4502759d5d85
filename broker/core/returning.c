/* Failed attempts; see returning.h. */
#include "broker/core/returning.h"

#include <string.h>

/* min, 2 min, 4 min, … max */
static int64_t delay_ms(const struct policy_limits *l, unsigned failed_before)
{
	int64_t ms = l->redeliver_min_ms > 0 ? l->redeliver_min_ms : 1;

	for (; failed_before > 0 && ms < l->redeliver_max_ms; failed_before--)
		ms *= 2;
	return ms < l->redeliver_max_ms ? ms : l->redeliver_max_ms;
}

static enum ieum_err give_up(struct core_decision *d, core_time_us now, const struct returning *how,
			     uint64_t *ids, size_t n)
{
	Ieum__V1__DeliveriesDeadLettered *e = decision_dead_lettered(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->deliveries = ids;
	e->n_deliveries = n;
	e->cause = how->cause;
	if (how->why)
		e->why = arena_copy(&d->arena, how->why, strlen(how->why) + 1);
	return e->why ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err give_back(const struct policy_limits *l, struct core_decision *d,
			       core_time_us now, const struct returning *how,
			       unsigned failed_before, uint64_t *ids, size_t n)
{
	Ieum__V1__DeliveriesReturned *e = decision_returned(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = how->connection;
	e->cause = how->cause;
	e->deliveries = ids;
	e->n_deliveries = n;
	if (!how->at_once)
		e->not_before_at_ms = to_ms(now) + delay_ms(l, failed_before);
	return IEUM_E_OK;
}

/* Takes those with as many failed attempts as the first (or all that are given up) out of the
 * list, newest first: so each goes back in front of the one before. */
static size_t take_alike(const struct core *c, uint32_t attempts_max, uint32_t *deliveries,
			 size_t *n, uint64_t *ids, unsigned *failed_before)
{
	size_t kept = 0;
	size_t taken = 0;
	unsigned like = delivery_at(c, deliveries[0])->attempts;

	for (size_t i = 0; i < *n; i++) {
		unsigned failed = delivery_at(c, deliveries[i])->attempts;
		if (failed == like || (failed + 1 >= attempts_max && like + 1 >= attempts_max))
			ids[taken++] = delivery_at(c, deliveries[i])->id;
		else
			deliveries[kept++] = deliveries[i];
	}
	*n = kept;
	*failed_before = like;
	return taken;
}

enum ieum_err returning_decide(const struct core *c, const struct policy *p,
			       struct core_decision *d, core_time_us now,
			       const struct returning *how, uint32_t *deliveries, size_t n)
{
	const struct policy_limits *l = policy_limits(p);
	enum ieum_err err = IEUM_E_OK;

	while (n > 0 && !err) {
		unsigned failed_before;
		uint64_t *ids = arena_alloc(&d->arena, n * sizeof *ids);
		if (!ids)
			return IEUM_E_NO_MEMORY;
		if (d->n_items == CORE_DECISION_EVENTS_MAX)
			return decision_refuse(d, IEUM_E_HUB_FULL, "too much at once");
		size_t taken = take_alike(c, l->attempts_max, deliveries, &n, ids, &failed_before);
		if (failed_before + 1 >= l->attempts_max)
			err = give_up(d, now, how, ids, taken);
		else
			err = give_back(l, d, now, how, failed_before, ids, taken);
	}
	return err;
}
