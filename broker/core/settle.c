/* core_decide_settle(): done, given back, refused. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/decision.h"
#include "broker/core/mailbox.h"
#include "broker/core/returning.h"

struct settling {
	const struct core *c;
	const struct policy *p;
	const struct core_settle *from;
	core_time_us now;
	struct core_decision *d;
	struct caller who;
	const uint64_t *release; /* sorted */
	size_t n_release;
};

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ascending and each once; usually they come so. */
static size_t sort_ids(uint64_t *ids, size_t n)
{
	size_t kept = 0;
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = ids[i - 1] < ids[i];
	if (sorted)
		return n;
	qsort(ids, n, sizeof *ids, compare_ids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

/* Of this participant: it got it once, whoever may have it now. */
static enum ieum_err find_own(const struct settling *s, uint64_t id, uint32_t *dh)
{
	*dh = state_delivery(s->c, id);
	if (!*dh || !mailbox_has_read(s->c, delivery_at(s->c, *dh), s->who.participant))
		return decision_refuse(s->d, IEUM_E_DELIVERY_UNKNOWN, "delivery %llu",
				       (unsigned long long)id);
	return IEUM_E_OK;
}

static enum ieum_err settle_done(struct settling *s, uint64_t *ids, size_t n)
{
	Ieum__V1__DeliveriesSettled *e;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t dh;
		enum ieum_err err = find_own(s, ids[i], &dh);
		if (err)
			return err;
		uint8_t state = delivery_at(s->c, dh)->state;
		/* Withdrawn while it was in flight: its case was handed over. */
		if (state != DELIVERY_SETTLED && state != DELIVERY_WITHDRAWN)
			ids[kept++] = ids[i];
	}
	if (kept == 0)
		return IEUM_E_OK;
	e = decision_settled(s->d, s->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = s->from->connection;
	e->deliveries = ids;
	e->n_deliveries = kept;
	return IEUM_E_OK;
}

/* Only what this connection has in flight can go back; what timed out has gone already. */
static bool in_flight_here(const struct settling *s, uint32_t dh)
{
	const struct delivery *d = delivery_at(s->c, dh);

	return d->state == DELIVERY_IN_FLIGHT &&
	       transit_at(s->c, d->transit)->connection == s->who.connection;
}

static bool contains(const uint64_t *sorted, size_t n, uint64_t id)
{
	return n && bsearch(&id, sorted, n, sizeof id, compare_ids);
}

/* `done`, sorted, wins over the rest of the same request. */
static enum ieum_err settle_release(struct settling *s, const uint64_t *done, size_t n_done)
{
	struct returning how = {
		.connection = s->from->connection,
		.cause = IEUM__V1__RETURN_CAUSE__RETURN_CAUSE_RELEASED,
	};
	uint64_t *ids =
		arena_copy(&s->d->arena, s->from->release, s->from->n_release * sizeof *ids);
	uint32_t *handles = arena_alloc(&s->d->arena, s->from->n_release * sizeof *handles);
	size_t n = ids ? sort_ids(ids, s->from->n_release) : 0;
	enum ieum_err err = ids && handles ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	s->release = ids;
	s->n_release = n;
	for (int colleague = 0; colleague < 2 && !err; colleague++) {
		size_t kept = 0;
		for (size_t i = n; i-- > 0 && !err;) {
			uint32_t dh;
			err = find_own(s, ids[i], &dh);
			if (!err && in_flight_here(s, dh) && !contains(done, n_done, ids[i]) &&
			    mailbox_is_shared(s->c, s->p, delivery_at(s->c, dh)->mailbox) ==
				    (colleague == 1))
				handles[kept++] = dh;
		}
		how.at_once = colleague == 1;
		if (!err)
			err = returning_decide(s->c, s->p, s->d, s->now, &how, handles, kept);
	}
	return err;
}

struct refusal {
	uint64_t id;
	const char *why;
};

static int compare_refusals(const void *a, const void *b)
{
	const struct refusal *x = a;
	const struct refusal *y = b;

	if (strcmp(x->why, y->why) != 0)
		return strcmp(x->why, y->why);
	return x->id > y->id ? -1 : x->id < y->id;
}

/* Newest first, those with the same reason together. */
static enum ieum_err settle_refuse(struct settling *s, const uint64_t *done, size_t n_done)
{
	size_t n = s->from->n_refuse;
	struct refusal *all = arena_alloc(&s->d->arena, n * sizeof *all);
	uint32_t *handles = arena_alloc(&s->d->arena, n * sizeof *handles);
	uint64_t last = 0;
	enum ieum_err err = all && handles ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	for (size_t i = 0; i < n && !err; i++)
		all[i] = (struct refusal){ s->from->refuse[i]->delivery_id,
					   s->from->refuse[i]->reason };
	if (!err)
		qsort(all, n, sizeof *all, compare_refusals);
	for (size_t i = 0; i < n && !err;) {
		struct returning how = {
			.connection = s->from->connection,
			.why = all[i].why,
			.cause = IEUM__V1__RETURN_CAUSE__RETURN_CAUSE_REFUSED,
		};
		size_t kept = 0;
		for (; i < n && strcmp(all[i].why, how.why) == 0 && !err; i++) {
			uint32_t dh;
			err = find_own(s, all[i].id, &dh);
			if (!err && all[i].id != last && in_flight_here(s, dh) &&
			    !contains(done, n_done, all[i].id) &&
			    !contains(s->release, s->n_release, all[i].id))
				handles[kept++] = dh;
			last = all[i].id;
		}
		if (!err)
			err = returning_decide(s->c, s->p, s->d, s->now, &how, handles, kept);
	}
	return err;
}

/* The same delivery refused twice for two reasons would fail twice. */
static enum ieum_err check_refusals(const struct settling *s)
{
	size_t n = s->from->n_refuse;
	uint64_t *ids = n ? arena_alloc(&s->d->arena, n * sizeof *ids) : NULL;

	if (n && !ids)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		ids[i] = s->from->refuse[i]->delivery_id;
	if (n && sort_ids(ids, n) != n)
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "settle.refuse: a delivery twice");
	return IEUM_E_OK;
}

enum ieum_err core_decide_settle(const struct core *c, const struct policy *p,
				 const struct core_settle *from, core_time_us now,
				 struct core_decision *d)
{
	struct settling s = { .c = c, .p = p, .from = from, .now = now, .d = d };
	uint64_t *done = NULL;
	size_t n_done = 0;
	enum ieum_err err = caller_of(c, p, from->connection, &s.who);

	if (!err)
		err = check_refusals(&s);
	if (!err && from->n_done > 0) {
		done = arena_copy(&d->arena, from->done, from->n_done * sizeof *done);
		if (!done)
			return IEUM_E_NO_MEMORY;
		n_done = sort_ids(done, from->n_done);
	}
	/* The event's own list may lose what was settled before; look-ups need them all. */
	uint64_t *all = n_done && (from->n_release || from->n_refuse)
				? arena_copy(&d->arena, done, n_done * sizeof *done)
				: done;
	if (!err && n_done)
		err = all ? settle_done(&s, done, n_done) : IEUM_E_NO_MEMORY;
	if (!err && from->n_release > 0)
		err = settle_release(&s, all, n_done);
	if (!err && from->n_refuse > 0)
		err = settle_refuse(&s, all, n_done);
	if (err)
		d->n_items = 0;
	return err;
}
