/* Pools: how many places are free; for one pool also its holds and who waits.
 *
 * Its keeper sees all of them, everyone else what it asked for itself.  Nothing is told of the
 * people: a hold is the message's id, an entry its place in the order. */
#include <stdlib.h>

#include "broker/core/view.h"

#define SEND_BIT(word) (UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word)

bool view_may_see_pool(const struct viewing *w, const struct policy_pool *pool)
{
	return pool->keeper == w->who.index ||
	       w->who.who->may_send & (SEND_BIT(CAPACITY_HOLD) | SEND_BIT(WAITLIST_ENTRY));
}

static uint32_t places_waited_for(const struct core *c, uint32_t pool)
{
	uint32_t places = 0;

	for (uint32_t h = 1; h < c->places.needs.used; h++) {
		const struct need *n = need_at(c, h);
		if (n->live && need_suits(n, pool))
			places += n->waiting.n * n->places;
	}
	return places;
}

static Ieum__V1__PoolView *pool_row(struct viewing *w, const struct policy_pool *pool)
{
	const struct pool *is = pool_at(w->c, pool->number);
	Ieum__V1__PoolView *v = view_alloc(w, sizeof *v);

	if (!v || !is)
		return NULL;
	*v = (Ieum__V1__PoolView)IEUM__V1__POOL_VIEW__INIT;
	v->name = view_text(pool->name);
	v->title_en = view_text(pool->title_en);
	v->title_ko = view_text(pool->title_ko);
	v->keeper = view_text(policy_participant(w->p, pool->keeper)->name);
	v->places = pool_places(is);
	v->held = is->held;
	v->taken = is->taken;
	v->free = pool_free(is);
	v->as_of_at_ms = is->as_of_at_ms;
	v->stale = *pool->stale_after &&
		   policy_due(w->p, is->as_of_at_ms, pool->stale_after) <= to_ms(w->v->now);
	v->waiting = places_waited_for(w->c, pool->number);
	v->renews_at_ms = is->renews_at_ms;
	return v;
}

/* ---- all pools ---- */

static enum ieum_err view_all(struct viewing *w, Ieum__V1__PoolsResult *r)
{
	r->pools = view_alloc(w, w->rows * sizeof *r->pools);
	if (!r->pools)
		return IEUM_E_NO_MEMORY;
	for (size_t i = w->cursor; i < policy_pools(w->p); i++) {
		const struct policy_pool *pool = policy_pool(w->p, (int)i);
		if (!pool->number || !view_may_see_pool(w, pool))
			continue;
		if (r->n_pools == w->rows)
			return view_more(w, i);
		r->pools[r->n_pools] = pool_row(w, pool);
		if (!r->pools[r->n_pools++])
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

/* ---- one pool: its holds, then who waits, in one row of pages ---- */

struct detail {
	const struct policy_pool *pool;
	Ieum__V1__PoolView *view;
	bool keeper;
	uint64_t at; /* in the row of what the caller may see */
	bool full;   /* the page, and there is more */
};

/* Is this the caller's, and on this page? */
static bool shows(struct viewing *w, struct detail *d, uint32_t sender)
{
	if (!d->keeper && sender != w->who.participant)
		return false;
	if (d->at >= w->cursor + w->rows) {
		d->full = true;
		return false;
	}
	return d->at++ >= w->cursor;
}

static int compare_seqs(const void *a, const void *b)
{
	const struct hold *x = *(const struct hold *const *)a;
	const struct hold *y = *(const struct hold *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static enum ieum_err put_holds(struct viewing *w, struct detail *d)
{
	const struct pool *is = pool_at(w->c, d->pool->number);
	const struct hold **all = view_alloc(w, (is->held + is->taken) * sizeof *all);
	size_t n = 0;

	d->view->holds = view_alloc(w, w->rows * sizeof *d->view->holds);
	if (!all || !d->view->holds)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = is->first_live; h; h = hold_at(w->c, h)->live_next)
		all[n++] = hold_at(w->c, h);
	if (n)
		qsort(all, n, sizeof *all, compare_seqs);
	for (size_t i = 0; i < n && !d->full; i++) {
		const struct referral *r = referral_at(w->c, all[i]->referral);
		if (!shows(w, d, r->sender))
			continue;
		Ieum__V1__HoldView *v = view_alloc(w, sizeof *v);
		if (!v)
			return IEUM_E_NO_MEMORY;
		*v = (Ieum__V1__HoldView)IEUM__V1__HOLD_VIEW__INIT;
		v->hold_id = view_id(r->id);
		v->state = (Ieum__V1__HoldState)all[i]->state;
		v->places = all[i]->places;
		v->lapses_at_ms = all[i]->state == HOLD(HELD) ? all[i]->lapses_at_ms : 0;
		v->until_at_ms = all[i]->until_ms;
		d->view->holds[d->view->n_holds++] = v;
	}
	return IEUM_E_OK;
}

static int compare_lines(const void *a, const void *b)
{
	const struct heap_entry *x = a;
	const struct heap_entry *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->tie < y->tie ? -1 : x->tie > y->tie;
}

/* Everyone who waits for the pool, the next one first. */
static struct heap_entry *line_up(struct viewing *w, const struct detail *d, size_t *n)
{
	const struct core *c = w->c;
	struct heap_entry *line = view_alloc(w, c->places.n_waiting * sizeof *line);

	*n = 0;
	for (uint32_t h = 1; line && h < c->places.needs.used; h++) {
		const struct need *need = need_at(c, h);
		if (!need->live || !need_suits(need, d->pool->number))
			continue;
		for (uint32_t i = 0; i < need->waiting.n; i++)
			line[(*n)++] = need->waiting.entries[i];
	}
	if (line && *n)
		qsort(line, *n, sizeof *line, compare_lines);
	return line;
}

static enum ieum_err put_wait(struct viewing *w, struct detail *d, const struct wait *wait,
			      size_t position)
{
	const struct referral *r = referral_at(w->c, wait->referral);
	Ieum__V1__WaitView *v = shows(w, d, r->sender) ? view_alloc(w, sizeof *v) : NULL;

	if (!v)
		return IEUM_E_OK;
	*v = (Ieum__V1__WaitView)IEUM__V1__WAIT_VIEW__INIT;
	v->entry_id = view_id(r->id);
	v->state = (Ieum__V1__WaitState)wait->state;
	v->position = (uint32_t)position;
	v->places = wait->places;
	v->priority = wait->priority;
	v->lapses_at_ms = wait->state == WAIT(OFFERED) ? wait->lapses_at_ms : 0;
	d->view->entries[d->view->n_entries++] = v;
	return IEUM_E_OK;
}

/* Those who were offered one of its places come before those who wait. */
static enum ieum_err put_waits(struct viewing *w, struct detail *d)
{
	const struct pool *is = pool_at(w->c, d->pool->number);
	enum ieum_err err = IEUM_E_OK;
	size_t n = 0;
	const struct heap_entry *line = line_up(w, d, &n);

	d->view->entries = view_alloc(w, w->rows * sizeof *d->view->entries);
	if (!line || !d->view->entries)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = is->first_live; h && !err && !d->full; h = hold_at(w->c, h)->live_next) {
		uint32_t wh = wait_of_offer(w->c, hold_at(w->c, h)->referral);
		if (wh && wait_at(w->c, wh)->state == WAIT(OFFERED))
			err = put_wait(w, d, wait_at(w->c, wh), 0);
	}
	for (size_t i = 0; i < n && !err && !d->full; i++)
		err = put_wait(w, d, wait_at(w->c, line[i].item), i + 1);
	return err;
}

static enum ieum_err view_one(struct viewing *w, const char *name, Ieum__V1__PoolsResult *r)
{
	struct detail d = { .pool = policy_pool(w->p, policy_find_pool(w->p, name)) };

	if (!d.pool || !d.pool->number || !view_may_see_pool(w, d.pool))
		return view_refuse(w, IEUM_E_FIELD_INVALID, "query.pools.pool: no such pool");
	r->pools = view_alloc(w, sizeof *r->pools);
	d.keeper = d.pool->keeper == w->who.index;
	d.view = pool_row(w, d.pool);
	if (!r->pools || !d.view)
		return IEUM_E_NO_MEMORY;
	r->pools[r->n_pools++] = d.view;
	enum ieum_err err = put_holds(w, &d);
	if (!err && !d.full)
		err = put_waits(w, &d);
	return !err && d.full ? view_more(w, w->cursor + w->rows) : err;
}

enum ieum_err view_pools(struct viewing *w, const Ieum__V1__PoolsQuery *q)
{
	Ieum__V1__PoolsResult *r = view_alloc(w, sizeof *r);

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__PoolsResult)IEUM__V1__POOLS_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_POOLS;
	w->v->result->pools = r;
	return *q->pool ? view_one(w, q->pool, r) : view_all(w, r);
}
