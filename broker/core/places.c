/* Pools and holds; see places.h. */
#include "broker/core/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/participation.h"
#include "broker/core/timeline.h"

static void pool_placed(void *core, uint32_t number, uint32_t place)
{
	pool_at(core, number)->place = place;
}

static void hold_placed(void *core, uint32_t h, uint32_t place)
{
	hold_at(core, h)->place = place;
}

void places_init(struct core *c)
{
	slab_init(&c->places.holds, sizeof(struct hold));
	slab_init(&c->places.waits, sizeof(struct wait));
	slab_init(&c->places.needs, sizeof(struct need));
	lookup_init(&c->places.holds_of);
	lookup_init(&c->places.waits_of);
	heap_init(&c->places.lapses, hold_placed, c);
	heap_init(&c->places.pools_due, pool_placed, c);
}

void places_deinit(struct core *c)
{
	struct places *p = &c->places;

	waits_deinit(c);
	for (uint32_t i = 0; i < p->n_pools; i++)
		free(p->pools[i].name);
	free(p->pools);
	free(p->policy_pools);
	slab_deinit(&p->holds);
	lookup_deinit(&p->holds_of);
	heap_deinit(&p->lapses);
	heap_deinit(&p->pools_due);
}

/* ---- looking ---- */

struct pool *pool_at(const struct core *c, uint32_t number)
{
	return number && number <= c->places.n_pools ? &c->places.pools[number - 1] : NULL;
}

uint32_t pool_number(const struct core *c, const char *name)
{
	for (uint32_t i = 0; i < c->places.n_pools; i++)
		if (strcmp(c->places.pools[i].name, name) == 0)
			return i + 1;
	return 0;
}

int pool_policy_index(const struct core *c, uint32_t number)
{
	return number && number <= c->places.n_policy_pools ? c->places.policy_pools[number - 1]
							    : POLICY_NONE;
}

struct hold *hold_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->places.holds, h);
}

uint32_t hold_of(const struct core *c, uint32_t referral)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->places.holds_of,
				  state_id_hash(c, referral_at(c, referral)->id), &p);

	while (h && hold_at(c, h)->referral != referral)
		h = lookup_next(&p);
	return h;
}

uint32_t hold_in(const struct core *c, uint32_t referral, uint32_t pool)
{
	uint32_t h = hold_of(c, referral);

	while (h && hold_at(c, h)->pool != pool)
		h = hold_at(c, h)->next;
	return h;
}

bool places_open(const struct core *c, uint32_t referral)
{
	uint32_t wh = wait_of(c, referral);

	for (uint32_t h = hold_of(c, referral); h; h = hold_at(c, h)->next)
		if (hold_live(hold_at(c, h)))
			return true;
	return wh && wait_open(wait_at(c, wh));
}

int64_t places_next_due_ms(const struct core *c)
{
	const struct heap_entry *hold = heap_first(&c->places.lapses);
	const struct heap_entry *pool = heap_first(&c->places.pools_due);
	int64_t due_ms = hold ? (int64_t)hold->key : INT64_MAX;

	if (c->places.n_ready)
		return to_ms(c->last_at_us);
	return pool && (int64_t)pool->key < due_ms ? (int64_t)pool->key : due_ms;
}

/* ---- pools ---- */

enum ieum_err pool_name(struct core *c, uint32_t number, const char *name)
{
	struct places *p = &c->places;

	if (number != p->n_pools + 1 || number > CORE_POOLS_MAX || pool_number(c, name))
		return IEUM_E_JOURNAL_CORRUPT;
	struct pool *pools = realloc(p->pools, number * sizeof *pools);
	if (!pools)
		return IEUM_E_NO_MEMORY;
	p->pools = pools;
	pools[number - 1] = (struct pool){ .name = strdup(name) };
	if (!pools[number - 1].name)
		return IEUM_E_NO_MEMORY;
	p->n_pools = number;
	return IEUM_E_OK;
}

enum ieum_err places_policy_changed(struct core *c, const Ieum__V1__PolicyChanged *e, int64_t at_ms)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_pools && !err; i++)
		err = pool_name(c, e->pools[i]->number, e->pools[i]->name);
	for (size_t i = 0; i < e->n_pool_places && !err; i++) {
		struct pool *pool = pool_at(c, e->pool_places[i]->pool);
		if (!pool)
			return IEUM_E_JOURNAL_CORRUPT;
		pool->said = pool->places = e->pool_places[i]->places;
		pool->as_of_at_ms = at_ms;
	}
	for (size_t i = 0; i < e->n_pools_due && !err; i++)
		err = apply_pool_due(c, e->pools_due[i]);
	return err ? err : waits_policy_changed(c, e);
}

enum ieum_err places_bind(struct core *c, struct policy *p)
{
	int *indexes = malloc((c->places.n_pools + 1) * sizeof *indexes);

	if (!indexes)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < c->places.n_pools; i++)
		indexes[i] = POLICY_NONE;
	for (size_t i = 0; i < policy_pools(p); i++) {
		struct policy_pool *pool = policy_pool(p, (int)i);
		pool->number = pool_number(c, pool->name);
		if (pool->number)
			indexes[pool->number - 1] = (int)i;
	}
	free(c->places.policy_pools);
	c->places.policy_pools = indexes;
	c->places.n_policy_pools = c->places.n_pools;
	return IEUM_E_OK;
}

/* ---- holds ---- */

/* Last in its message's list. */
uint32_t hold_new(struct core *c, uint32_t referral, uint64_t seq, uint32_t pool)
{
	uint32_t h = slab_get(&c->places.holds);
	uint32_t last = hold_of(c, referral);

	if (!h)
		return 0;
	*hold_at(c, h) = (struct hold){ .seq = seq, .referral = referral, .pool = pool };
	while (last && hold_at(c, last)->next)
		last = hold_at(c, last)->next;
	if (last)
		hold_at(c, last)->next = h;
	else if (lookup_add(&c->places.holds_of, state_id_hash(c, referral_at(c, referral)->id), h))
		return 0;
	return h;
}

static void live_add(struct core *c, uint32_t h)
{
	struct hold *hold = hold_at(c, h);
	struct pool *pool = pool_at(c, hold->pool);

	hold->live_prev = pool->last_live;
	hold->live_next = 0;
	*(pool->last_live ? &hold_at(c, pool->last_live)->live_next : &pool->first_live) = h;
	pool->last_live = h;
}

static void live_remove(struct core *c, uint32_t h)
{
	struct hold *hold = hold_at(c, h);
	struct pool *pool = pool_at(c, hold->pool);

	*(hold->live_prev ? &hold_at(c, hold->live_prev)->live_next : &pool->first_live) =
		hold->live_next;
	*(hold->live_next ? &hold_at(c, hold->live_next)->live_prev : &pool->last_live) =
		hold->live_prev;
}

static enum ieum_err set_lapse(struct core *c, uint32_t h, int64_t lapses_at_ms)
{
	struct hold *hold = hold_at(c, h);
	struct heap *lapses = &c->places.lapses;

	hold->lapses_at_ms = lapses_at_ms;
	uint64_t due_ms = (uint64_t)hold_due_ms(hold);
	if (!due_ms && hold->place)
		heap_remove(lapses, hold->place);
	else if (due_ms && hold->place)
		heap_rekey(lapses, hold->place, due_ms, hold->seq);
	else if (due_ms)
		return heap_push(lapses, due_ms, hold->seq, h);
	return IEUM_E_OK;
}

/* May the one state follow the other?  0: no hold yet. */
static bool may_follow(uint8_t state, uint8_t next)
{
	switch (next) {
	case HOLD(HELD): return state != HOLD(TAKEN);
	case HOLD(TAKEN): return state != 0 && state != HOLD(TAKEN);
	case HOLD(RELEASED):
	case HOLD(LAPSED): return state == HOLD(HELD);
	case HOLD(RETURNED): return state == HOLD(TAKEN);
	default: return false;
	}
}

static uint32_t *holds_of_case(struct core *c, const struct hold *hold)
{
	uint32_t ch = referral_at(c, hold->referral)->core_case;

	return ch ? &case_at(c, ch)->n_holds : NULL;
}

static void set_live(struct core *c, uint32_t h, bool live)
{
	uint32_t *n = holds_of_case(c, hold_at(c, h));

	if (live)
		live_add(c, h);
	else
		live_remove(c, h);
	if (n)
		*n += live ? 1U : UINT32_MAX;
}

enum ieum_err hold_set_state(struct core *c, uint32_t h, uint8_t state, int64_t lapses_at_ms)
{
	struct hold *hold = hold_at(c, h);
	struct pool *pool = pool_at(c, hold->pool);
	bool was_live = hold_live(hold);

	if (!may_follow(hold->state, state))
		return IEUM_E_JOURNAL_CORRUPT;
	pool->held -= hold->state == HOLD(HELD) ? hold->places : 0;
	pool->taken -= hold->state == HOLD(TAKEN) ? hold->places : 0;
	hold->state = state;
	if (!was_live && hold_live(hold) && hold->places > pool_free(pool))
		return IEUM_E_JOURNAL_CORRUPT;
	pool->held += state == HOLD(HELD) ? hold->places : 0;
	pool->taken += state == HOLD(TAKEN) ? hold->places : 0;
	if (was_live != hold_live(hold))
		set_live(c, h, hold_live(hold));
	enum ieum_err err = set_lapse(c, h, lapses_at_ms);
	waits_refresh(c, hold->pool);
	return err;
}

/* ---- applying ---- */

static enum ieum_err add_entry(struct core *c, const struct applied *a, uint32_t h)
{
	const struct hold *hold = hold_at(c, h);
	uint32_t ch = referral_at(c, hold->referral)->core_case;
	struct entry *line = ch ? timeline_add(&case_at(c, ch)->timeline) : NULL;

	if (!ch)
		return IEUM_E_OK;
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->seq = a->seq;
	line->at_ms = to_ms(a->at_us);
	line->referral = hold->referral;
	line->kind = IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_PLACE;
	line->what = hold->state;
	line->due_at_ms = hold->state == HOLD(HELD) ? hold->lapses_at_ms : 0;
	entry_set_name(line, hold->pool);
	case_touch(c, ch, line->at_ms);
	return IEUM_E_OK;
}

/* Nothing but that both sides know now. */
static enum ieum_err told_of(struct core *c, uint32_t h, const Ieum__V1__PlacesChanged *e)
{
	if (!hold_live(hold_at(c, h)) || hold_at(c, h)->state != (uint8_t)e->state)
		return IEUM_E_JOURNAL_CORRUPT;
	return set_lapse(c, h, e->at_ms);
}

static enum ieum_err change_pool(struct core *c, const Ieum__V1__PlacesChanged *e)
{
	struct pool *pool = pool_at(c, e->pool);

	pool->places = e->places;
	pool->as_of_at_ms = e->at_ms;
	waits_refresh(c, e->pool);
	return IEUM_E_OK;
}

enum ieum_err apply_places_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__PlacesChanged *e)
{
	if (!pool_at(c, e->pool))
		return IEUM_E_JOURNAL_CORRUPT;
	if (e->hold_id.len == 0)
		return change_pool(c, e);
	uint32_t rh = e->hold_id.len == CORE_ID_BYTES ? state_referral(c, e->hold_id.data) : 0;
	uint32_t h = rh ? hold_in(c, rh, e->pool) : 0;
	if (!rh || (!h && e->state != IEUM__V1__HOLD_STATE__HOLD_STATE_HELD))
		return IEUM_E_JOURNAL_CORRUPT;
	if (!h) {
		h = hold_new(c, rh, a->seq, e->pool);
		if (!h)
			return IEUM_E_NO_MEMORY;
		hold_at(c, h)->places = e->places;
	}
	if (hold_at(c, h)->places != e->places)
		return IEUM_E_JOURNAL_CORRUPT;
	if (e->keeper)
		hold_at(c, h)->keeper = e->keeper;
	if (e->until_at_ms)
		hold_at(c, h)->until_ms = e->until_at_ms;
	hold_at(c, h)->warn_at_ms = e->warn_at_ms;
	if (e->told)
		return told_of(c, h, e);
	enum ieum_err err = hold_set_state(c, h, (uint8_t)e->state, e->at_ms);
	/* It has the person. */
	if (!err && hold_at(c, h)->state == HOLD(TAKEN))
		participation_renew(c, referral_at(c, rh)->core_case, hold_at(c, h)->keeper);
	return err ? err : add_entry(c, a, h);
}

enum ieum_err apply_pool_due(struct core *c, const Ieum__V1__PoolDue *e)
{
	struct pool *pool = pool_at(c, e->pool);
	struct heap *due = &c->places.pools_due;

	if (!pool || e->renews_at_ms < 0 || e->stale_at_ms < 0 || (e->stale_at_ms && e->stale_told))
		return IEUM_E_JOURNAL_CORRUPT;
	pool->renews_at_ms = e->renews_at_ms;
	pool->stale_at_ms = e->stale_at_ms;
	pool->stale_told = e->stale_told;
	uint64_t due_ms = (uint64_t)pool_due_ms(pool);
	if (!due_ms && pool->place)
		heap_remove(due, pool->place);
	else if (due_ms && pool->place)
		heap_rekey(due, pool->place, due_ms, e->pool);
	else if (due_ms)
		return heap_push(due, due_ms, e->pool, e->pool);
	return IEUM_E_OK;
}

void places_forget(struct core *c, uint32_t referral)
{
	uint32_t h = hold_of(c, referral);

	if (h)
		lookup_remove(&c->places.holds_of, state_id_hash(c, referral_at(c, referral)->id),
			      h);
	while (h) {
		uint32_t next = hold_at(c, h)->next;
		hold_at(c, h)->state = 0;
		slab_put(&c->places.holds, h);
		h = next;
	}
	waits_forget(c, referral);
}
