/* core_check() of pools, holds and waiting lists: everything counted again. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/core/state.h"

struct checking {
	const struct core *c;
	char *what;
	size_t what_bytes;
	uint32_t *held, *taken; /* by pool, as found */
	uint32_t lapses, pools_due;
};

static enum ieum_err __attribute__((format(printf, 2, 3)))
wrong(struct checking *k, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(k->what, k->what_bytes, format, args);
	va_end(args);
	return IEUM_E_JOURNAL_CORRUPT;
}

static enum ieum_err check_hold(struct checking *k, uint32_t h)
{
	const struct hold *hold = hold_at(k->c, h);
	unsigned long long seq = hold->seq;

	if (!pool_at(k->c, hold->pool) || !referral_at(k->c, hold->referral)->seq)
		return wrong(k, "hold %llu has no pool or no message", seq);
	if (hold_in(k->c, hold->referral, hold->pool) != h)
		return wrong(k, "hold %llu is not found by its message", seq);
	if ((hold_due_ms(hold) != 0) != (hold->place != 0))
		return wrong(k, "hold %llu lapses or not, but not both", seq);
	if (hold->state == HOLD(HELD) && !hold->lapses_at_ms)
		return wrong(k, "hold %llu never lapses", seq);
	k->lapses += hold->place != 0;
	k->held[hold->pool - 1] += hold->state == HOLD(HELD) ? hold->places : 0;
	k->taken[hold->pool - 1] += hold->state == HOLD(TAKEN) ? hold->places : 0;
	return IEUM_E_OK;
}

static enum ieum_err check_pool(struct checking *k, uint32_t number)
{
	const struct pool *p = pool_at(k->c, number);
	uint32_t listed = 0;

	if (p->held != k->held[number - 1] || p->taken != k->taken[number - 1])
		return wrong(k, "pool '%s': %u held and %u taken, found %u and %u", p->name,
			     p->held, p->taken, k->held[number - 1], k->taken[number - 1]);
	if (p->held + p->taken > pool_places(p))
		return wrong(k, "pool '%s' has given more places than it has", p->name);
	for (uint32_t h = p->first_live; h; h = hold_at(k->c, h)->live_next)
		listed += hold_at(k->c, h)->places;
	if (listed != p->held + p->taken)
		return wrong(k, "pool '%s': %u places listed", p->name, listed);
	if ((pool_due_ms(p) != 0) != (p->place != 0))
		return wrong(k, "pool '%s' is due or not, but not both", p->name);
	k->pools_due += p->place != 0;
	if (p->ready != (waits_next(k->c, number) != 0))
		return wrong(k, "pool '%s' has somebody to offer a place to, or not, but not both",
			     p->name);
	return IEUM_E_OK;
}

/* Each sender's own entries, and the needs that were new with them. */
static enum ieum_err check_senders(struct checking *k)
{
	const struct core *c = k->c;
	uint32_t *waits = calloc(c->n_participants + 1U, sizeof *waits);
	uint32_t *needs = calloc(c->n_participants + 1U, sizeof *needs);
	enum ieum_err err = waits && needs ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	for (uint32_t h = 1; !err && h < c->places.waits.used; h++)
		if (wait_at(c, h)->state && wait_at(c, h)->need)
			waits[referral_at(c, wait_at(c, h)->referral)->sender]++;
	for (uint32_t h = 1; !err && h < c->places.needs.used; h++)
		if (need_at(c, h)->live)
			needs[need_at(c, h)->made_by]++;
	for (uint32_t i = 1; i <= c->n_participants && !err; i++)
		if (waits[i] != c->participants[i - 1].n_waits ||
		    needs[i] != c->participants[i - 1].n_needs)
			err = wrong(k, "'%s' has %u entries and %u needs, counted %u and %u",
				    c->participants[i - 1].name, waits[i], needs[i],
				    c->participants[i - 1].n_waits, c->participants[i - 1].n_needs);
	free(waits);
	free(needs);
	return err;
}

/* Everyone who waits is in the heap of a need that somebody has; nobody waits for a place that
 * was offered. */
static enum ieum_err check_waits(struct checking *k)
{
	const struct core *c = k->c;
	uint32_t waiting = 0;
	uint32_t in_needs = 0;

	for (uint32_t h = 1; h < c->places.waits.used; h++) {
		const struct wait *w = wait_at(c, h);
		if (!w->state)
			continue;
		waiting += w->state == WAIT(WAITING);
		if ((w->state == WAIT(WAITING)) != (w->need != 0))
			return wrong(k, "entry %llu waits or not, but not both",
				     (unsigned long long)w->seq);
		if (w->state == WAIT(OFFERED) && wait_of_offer(c, w->offer) != h)
			return wrong(k, "entry %llu was offered a place that nobody finds",
				     (unsigned long long)w->seq);
	}
	for (uint32_t h = 1; h < c->places.needs.used; h++) {
		const struct need *n = need_at(c, h);
		in_needs += n->live ? n->waiting.n : 0;
		if (n->live && n->waiting.n == 0)
			return wrong(k, "nobody has the need for '%s'", n->wanted);
	}
	if (waiting != in_needs || waiting != c->places.n_waiting)
		return wrong(k, "%u entries wait, %u counted, %u listed", waiting,
			     c->places.n_waiting, in_needs);
	return IEUM_E_OK;
}

enum ieum_err places_check(const struct core *c, char *what, size_t what_bytes)
{
	struct checking k = { .c = c, .what = what, .what_bytes = what_bytes };
	enum ieum_err err = IEUM_E_OK;
	uint32_t ready = 0;

	k.held = calloc(c->places.n_pools + 1U, sizeof *k.held);
	k.taken = calloc(c->places.n_pools + 1U, sizeof *k.taken);
	if (!k.held || !k.taken)
		err = IEUM_E_NO_MEMORY;
	for (uint32_t h = 1; h < c->places.holds.used && !err; h++)
		if (hold_at(c, h)->state)
			err = check_hold(&k, h);
	for (uint32_t i = 1; i <= c->places.n_pools && !err; i++) {
		err = check_pool(&k, i);
		ready += pool_at(c, i)->ready;
	}
	if (!err)
		err = check_waits(&k);
	if (!err)
		err = check_senders(&k);
	if (!err && (ready != c->places.n_ready || k.lapses != c->places.lapses.n))
		err = wrong(&k, "%u pools are ready and %u holds lapse, counted %u and %u", ready,
			    k.lapses, c->places.n_ready, c->places.lapses.n);
	if (!err && k.pools_due != c->places.pools_due.n)
		err = wrong(&k, "%u pools are due, counted %u", k.pools_due, c->places.pools_due.n);
	free(k.held);
	free(k.taken);
	return err;
}
