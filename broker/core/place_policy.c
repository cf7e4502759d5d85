/* A policy takes effect: which pools are new, which have another number of places, and which suit
 * those who wait. */
#include <string.h>

#include "broker/core/placing.h"

/* The number of a pool of the policy, given now when it is new. */
static uint32_t number_of(const struct core *c, const Ieum__V1__PolicyChanged *e, const char *name)
{
	uint32_t number = pool_number(c, name);

	for (size_t i = 0; i < e->n_pools && !number; i++)
		if (strcmp(e->pools[i]->name, name) == 0)
			number = e->pools[i]->number;
	return number;
}

static enum ieum_err add_name(const struct core *c, const struct policy_pool *pool,
			      struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	Ieum__V1__NumberedName *row = decision_zalloc(d, sizeof *row);

	if (!row)
		return IEUM_E_NO_MEMORY;
	if (c->places.n_pools + e->n_pools >= CORE_POOLS_MAX)
		return decision_refuse(d, IEUM_E_HUB_FULL, "too many pools were ever named");
	*row = (Ieum__V1__NumberedName)IEUM__V1__NUMBERED_NAME__INIT;
	row->number = c->places.n_pools + (uint32_t)e->n_pools + 1;
	row->name = arena_copy(&d->arena, pool->name, strlen(pool->name) + 1);
	e->pools[e->n_pools++] = row;
	return row->name ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err add_places(const struct core *c, const struct policy_pool *pool,
				struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	uint32_t number = number_of(c, e, pool->name);
	const struct pool *is = pool_at(c, number);

	if (is && is->said == pool->places)
		return IEUM_E_OK;
	Ieum__V1__PoolPlaces *row = decision_zalloc(d, sizeof *row);
	if (!row)
		return IEUM_E_NO_MEMORY;
	*row = (Ieum__V1__PoolPlaces)IEUM__V1__POOL_PLACES__INIT;
	row->pool = number;
	row->places = pool->places;
	e->pool_places[e->n_pool_places++] = row;
	return IEUM_E_OK;
}

/* Pools that suit the need by this policy, in its order. */
static size_t find_suiting(const struct core *c, const struct policy *p,
			   const Ieum__V1__PolicyChanged *e, const struct need *n, uint32_t *pools)
{
	const struct policy_need wants = {
		.wanted = n->wanted,
		.jurisdiction = n->jurisdiction,
		.sex = (Ieum__V1__Sex)n->sex,
		.age_years = n->age_years,
		.language = n->language,
		.places = n->places,
	};
	size_t found = 0;

	for (size_t i = 0; i < policy_pools(p); i++) {
		uint32_t number = number_of(c, e, policy_pool(p, (int)i)->name);
		bool but = false;
		for (uint32_t k = 0; k < n->n_but; k++)
			but |= n->but[k] == number;
		if (!but && policy_pool_suits(p, (int)i, &wants))
			pools[found++] = number;
	}
	return found;
}

static enum ieum_err add_wait(const struct core *c, const struct policy *p, struct core_decision *d,
			      const struct need *n, Ieum__V1__PolicyChanged *e)
{
	Ieum__V1__WaitNeed *row = decision_zalloc(d, sizeof *row);
	uint32_t *pools = decision_zalloc(d, (policy_pools(p) + 1) * sizeof *pools);

	if (!row || !pools)
		return IEUM_E_NO_MEMORY;
	size_t found = find_suiting(c, p, e, n, pools);
	if (found == n->n_pools && memcmp(pools, n->pools, found * sizeof *pools) == 0)
		return IEUM_E_OK;
	*row = (Ieum__V1__WaitNeed)IEUM__V1__WAIT_NEED__INIT;
	row->wanted = n->wanted;
	row->jurisdiction = (char *)n->jurisdiction;
	row->sex = (Ieum__V1__Sex)n->sex;
	row->age_years = n->age_years;
	row->language = n->language;
	row->places = n->places;
	row->but = n->but;
	row->n_but = n->n_but;
	row->pools = pools;
	row->n_pools = found;
	e->waits[e->n_waits++] = row;
	return IEUM_E_OK;
}

/* When its keeper is told, by this policy, that the count is stale; who was told isn't told again. */
static void set_stale(const struct policy *p, const struct policy_pool *by, const struct pool *is,
		      bool counted, int64_t now_ms, Ieum__V1__PoolDue *row)
{
	if (!*by->stale_after)
		return;
	int64_t at_ms = policy_due(p, counted ? now_ms : is->as_of_at_ms, by->stale_after);
	row->stale_told = !counted && at_ms <= now_ms && is->stale_told;
	row->stale_at_ms = row->stale_told ? 0 : at_ms;
}

static enum ieum_err add_due(const struct core *c, const struct policy *p, int index,
			     int64_t now_ms, struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	static const struct pool none;
	const struct policy_pool *by = policy_pool(p, index);
	uint32_t number = number_of(c, e, by->name);
	const struct pool *is = pool_at(c, number);
	Ieum__V1__PoolDue *row = decision_zalloc(d, sizeof *row);
	bool counted = !is;

	if (!row)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < e->n_pool_places; i++)
		counted |= e->pool_places[i]->pool == number;
	if (!is)
		is = &none;
	*row = (Ieum__V1__PoolDue)IEUM__V1__POOL_DUE__INIT;
	row->pool = number;
	row->renews_at_ms = policy_pool_renews_at(p, index, now_ms);
	/* A moment that has come and wasn't acted on isn't passed over. */
	if (row->renews_at_ms && is->renews_at_ms && is->renews_at_ms <= now_ms)
		row->renews_at_ms = is->renews_at_ms;
	set_stale(p, by, is, counted, now_ms, row);
	if (row->renews_at_ms != is->renews_at_ms || row->stale_at_ms != is->stale_at_ms ||
	    row->stale_told != is->stale_told)
		e->pools_due[e->n_pools_due++] = row;
	return IEUM_E_OK;
}

/* Of pools that the file has no more nothing is due. */
static enum ieum_err end_due(const struct core *c, const struct policy *p, struct core_decision *d,
			     Ieum__V1__PolicyChanged *e)
{
	const struct heap *due = &c->places.pools_due;

	for (uint32_t i = 0; i < due->n; i++) {
		uint32_t number = due->entries[i].item;
		Ieum__V1__PoolDue *row = decision_zalloc(d, sizeof *row);
		if (!row)
			return IEUM_E_NO_MEMORY;
		if (policy_find_pool(p, pool_at(c, number)->name) != POLICY_NONE)
			continue;
		*row = (Ieum__V1__PoolDue)IEUM__V1__POOL_DUE__INIT;
		row->pool = number;
		e->pools_due[e->n_pools_due++] = row;
	}
	return IEUM_E_OK;
}

enum ieum_err placing_policy(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	size_t n = policy_pools(p);
	enum ieum_err err = IEUM_E_OK;

	e->pools = decision_zalloc(d, (n + 1) * sizeof *e->pools);
	e->pool_places = decision_zalloc(d, (n + 1) * sizeof *e->pool_places);
	e->waits = decision_zalloc(d, (c->places.needs.live + 1U) * sizeof *e->waits);
	e->pools_due = decision_zalloc(d, (n + c->places.pools_due.n + 1) * sizeof *e->pools_due);
	if (!e->pools || !e->pool_places || !e->waits || !e->pools_due)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n && !err; i++)
		if (!pool_number(c, policy_pool(p, (int)i)->name))
			err = add_name(c, policy_pool(p, (int)i), d, e);
	for (size_t i = 0; i < n && !err; i++)
		err = add_places(c, policy_pool(p, (int)i), d, e);
	for (size_t i = 0; i < n && !err; i++)
		err = add_due(c, p, (int)i, to_ms(now), d, e);
	if (!err)
		err = end_due(c, p, d, e);
	for (uint32_t h = 1; h < c->places.needs.used && !err; h++)
		if (need_at(c, h)->live)
			err = add_wait(c, p, d, need_at(c, h), e);
	return err;
}
