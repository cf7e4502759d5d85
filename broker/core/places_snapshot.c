/* See places_snapshot.h.  Holds and entries are written in order of their event numbers: their
 * lists and heaps come about again when they are read in that order. */
#include "broker/core/places_snapshot.h"

#include <stdlib.h>

struct row {
	uint64_t seq;
	uint32_t item;
};

static int compare_rows(const void *a, const void *b)
{
	uint64_t x = ((const struct row *)a)->seq;
	uint64_t y = ((const struct row *)b)->seq;

	return x < y ? -1 : x > y;
}

/* ---- writing ---- */

static enum ieum_err write_pool(struct snapshot_writing *w, uint32_t number)
{
	const struct pool *p = pool_at(w->c, number);
	Ieum__V1__SnapshotPool m = IEUM__V1__SNAPSHOT_POOL__INIT;

	m.name = p->name;
	m.said = p->said;
	m.places = p->places;
	m.as_of_at_ms = p->as_of_at_ms;
	m.renews_at_ms = p->renews_at_ms;
	m.stale_at_ms = p->stale_at_ms;
	m.stale_told = p->stale_told;
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_POOL, &m);
}

static enum ieum_err write_hold(struct snapshot_writing *w, uint32_t h)
{
	const struct hold *hold = hold_at(w->c, h);
	Ieum__V1__SnapshotHold m = IEUM__V1__SNAPSHOT_HOLD__INIT;

	m.seq = hold->seq;
	m.hold_id = snapshot_id(referral_at(w->c, hold->referral)->id);
	m.pool = hold->pool;
	m.state = hold->state;
	m.places = hold->places;
	m.lapses_at_ms = hold->lapses_at_ms;
	m.keeper = hold->keeper;
	m.until_at_ms = hold->until_ms;
	m.warn_at_ms = hold->warn_at_ms;
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_HOLD, &m);
}

static void describe_need(const struct need *n, Ieum__V1__WaitNeed *m)
{
	*m = (Ieum__V1__WaitNeed)IEUM__V1__WAIT_NEED__INIT;
	m->wanted = n->wanted;
	m->jurisdiction = (char *)n->jurisdiction;
	m->sex = (Ieum__V1__Sex)n->sex;
	m->age_years = n->age_years;
	m->language = n->language;
	m->places = n->places;
	m->but = n->but;
	m->n_but = n->n_but;
	m->pools = n->pools;
	m->n_pools = n->n_pools;
}

static enum ieum_err write_wait(struct snapshot_writing *w, uint32_t h)
{
	const struct wait *wait = wait_at(w->c, h);
	Ieum__V1__SnapshotWait m = IEUM__V1__SNAPSHOT_WAIT__INIT;
	Ieum__V1__WaitNeed need;

	m.entry_id = snapshot_id(referral_at(w->c, wait->referral)->id);
	m.state = wait->state;
	m.priority = wait->priority;
	m.places = wait->places;
	m.lapses_at_ms = wait->lapses_at_ms;
	if (wait->need) {
		describe_need(need_at(w->c, wait->need), &need);
		m.need = &need;
		m.need_made_by = need_at(w->c, wait->need)->made_by;
	}
	if (wait->offer)
		m.offer_id = snapshot_id(referral_at(w->c, wait->offer)->id);
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_WAIT, &m);
}

static enum ieum_err write_rows(struct snapshot_writing *w, struct row *rows, size_t n,
				enum ieum_err (*write)(struct snapshot_writing *w, uint32_t item))
{
	enum ieum_err err = IEUM_E_OK;

	if (n)
		qsort(rows, n, sizeof *rows, compare_rows);
	for (size_t i = 0; i < n && !err; i++)
		err = write(w, rows[i].item);
	return err;
}

enum ieum_err places_write(struct snapshot_writing *w)
{
	const struct places *p = &w->c->places;
	uint32_t most = p->holds.live > p->waits.live ? p->holds.live : p->waits.live;
	struct row *rows = malloc((most + 1U) * sizeof *rows);
	enum ieum_err err = rows ? IEUM_E_OK : IEUM_E_NO_MEMORY;
	size_t n = 0;

	for (uint32_t i = 1; i <= p->n_pools && !err; i++)
		err = write_pool(w, i);
	for (uint32_t h = 1; rows && h < p->holds.used; h++)
		if (hold_at(w->c, h)->state)
			rows[n++] = (struct row){ hold_at(w->c, h)->seq, h };
	if (!err)
		err = write_rows(w, rows, n, write_hold);
	n = 0;
	for (uint32_t h = 1; rows && h < p->waits.used; h++)
		if (wait_at(w->c, h)->state)
			rows[n++] = (struct row){ wait_at(w->c, h)->seq, h };
	if (!err)
		err = write_rows(w, rows, n, write_wait);
	free(rows);
	return err;
}

/* ---- reading ---- */

enum ieum_err places_read_pool(struct core *c, const Ieum__V1__SnapshotPool *m)
{
	uint32_t number = c->places.n_pools + 1;
	Ieum__V1__PoolDue due = IEUM__V1__POOL_DUE__INIT;
	enum ieum_err err = pool_name(c, number, m->name);

	if (err)
		return err;
	pool_at(c, number)->said = m->said;
	pool_at(c, number)->places = m->places;
	pool_at(c, number)->as_of_at_ms = m->as_of_at_ms;
	due.pool = number;
	due.renews_at_ms = m->renews_at_ms;
	due.stale_at_ms = m->stale_at_ms;
	due.stale_told = m->stale_told;
	return apply_pool_due(c, &due);
}

/* A pool may have fewer places by now than are in use: they are its own while it is read. */
enum ieum_err places_read_hold(struct core *c, const Ieum__V1__SnapshotHold *m)
{
	uint32_t rh = m->hold_id.len == CORE_ID_BYTES ? state_referral(c, m->hold_id.data) : 0;
	struct pool *pool = pool_at(c, m->pool);

	if (!rh || !pool || hold_in(c, rh, m->pool) || m->state == 0 || m->state > HOLD(RETURNED))
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = hold_new(c, rh, m->seq, m->pool);
	if (!h)
		return IEUM_E_NO_MEMORY;
	hold_at(c, h)->places = m->places;
	hold_at(c, h)->keeper = m->keeper;
	hold_at(c, h)->until_ms = m->until_at_ms;
	hold_at(c, h)->warn_at_ms = m->warn_at_ms;
	if (m->state != HOLD(HELD) && m->state != HOLD(TAKEN)) {
		hold_at(c, h)->state = (uint8_t)m->state;
		hold_at(c, h)->lapses_at_ms = m->lapses_at_ms;
		return IEUM_E_OK;
	}
	uint32_t places = pool->places;
	pool->places = UINT32_MAX;
	hold_at(c, h)->state = HOLD(RELEASED);
	enum ieum_err err = hold_set_state(c, h, (uint8_t)m->state, m->lapses_at_ms);
	pool->places = places;
	return err;
}

enum ieum_err places_read_wait(struct core *c, const Ieum__V1__SnapshotWait *m)
{
	Ieum__V1__WaitChanged e = IEUM__V1__WAIT_CHANGED__INIT;
	uint32_t rh = m->entry_id.len == CORE_ID_BYTES ? state_referral(c, m->entry_id.data) : 0;
	uint32_t offer = m->offer_id.len == CORE_ID_BYTES ? state_referral(c, m->offer_id.data) : 0;

	if (!rh || wait_of(c, rh) || m->state == 0 || m->state > WAIT(ENDED) ||
	    (m->offer_id.len && !offer) || m->need_made_by > c->n_participants ||
	    (m->state == WAIT(WAITING)) != (m->need != NULL))
		return IEUM_E_JOURNAL_CORRUPT;
	e.entry_id = m->entry_id;
	e.priority = m->priority;
	e.places = m->places;
	e.need = m->need;
	e.lapses_at_ms = m->lapses_at_ms;
	return waits_restore(c, &e, (uint8_t)m->state, offer, m->need_made_by);
}
