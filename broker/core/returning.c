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

/* Takes the requests for keys out of a list.  Every workstation that was there gave them back because
 * it has no key to wrap, and nobody has to look after that: the next holder is asked meanwhile, and
 * these again when they come; see sealed.h. */
static size_t take_key_requests(const struct core *c, uint64_t *ids, size_t *n, uint64_t *to)
{
	size_t kept = 0, taken = 0;

	for (size_t i = 0; i < *n; i++) {
		const struct delivery *d = delivery_at(c, state_delivery(c, ids[i]));
		if (referral_at(c, d->referral)->type ==
		    IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST)
			to[taken++] = ids[i];
		else
			ids[kept++] = ids[i];
	}
	*n = kept;
	return taken;
}

static enum ieum_err end_key_requests(const struct core *c, struct core_decision *d,
				      core_time_us now, const struct returning *how, uint64_t *ids,
				      size_t *n)
{
	uint64_t *ended = arena_alloc(&d->arena, *n * sizeof *ended);
	size_t n_ended = ended ? take_key_requests(c, ids, n, ended) : 0;
	Ieum__V1__DeliveriesSettled *e = n_ended ? decision_settled(d, now) : NULL;

	if (!ended || (n_ended && !e))
		return IEUM_E_NO_MEMORY;
	if (!e)
		return IEUM_E_OK;
	e->connection = how->connection;
	e->deliveries = ended;
	e->n_deliveries = n_ended;
	return IEUM_E_OK;
}

static enum ieum_err give_up(const struct core *c, struct core_decision *d, core_time_us now,
			     const struct returning *how, uint64_t *ids, size_t n)
{
	Ieum__V1__DeliveriesDeadLettered *e;

	if (how->cause == IEUM__V1__RETURN_CAUSE__RETURN_CAUSE_RELEASED) {
		enum ieum_err err = end_key_requests(c, d, now, how, ids, &n);
		if (err || n == 0)
			return err;
	}
	e = decision_dead_lettered(d, now);
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
		if (d->n_items + 2 > CORE_DECISION_EVENTS_MAX)
			return decision_refuse(d, IEUM_E_HUB_FULL, "too much at once");
		size_t taken = take_alike(c, l->attempts_max, deliveries, &n, ids, &failed_before);
		if (failed_before + 1 >= l->attempts_max)
			err = give_up(c, d, now, how, ids, taken);
		else
			err = give_back(l, d, now, how, failed_before, ids, taken);
	}
	return err;
}
