/* Places that somebody keeps: pools, what is held and taken of them, and who waits.
 *
 *     (free) ──► HELD ──► TAKEN ──► RETURNED
 *                 ├──► RELEASED   (rejected, taken back, another pool has it)
 *                 └──► LAPSED     (its time is over)
 *     an ended one may be held, or taken, again while there are enough free places
 *
 * What always holds: a pool's held and taken places are the sum of its holds, and never more than
 * it has; applying an event that would give more fails.  Where a hub file takes places away that
 * are in use, the pool keeps them until they are free.
 *
 * Who waits is kept by need: all entries of one need suit the same pools, so that the next one
 * for a place is the best of the needs' first ones.  A pool is *ready* when somebody waits whom
 * it has enough places for; then an offer is due. */
#ifndef IEUM_BROKER_CORE_PLACES_H
#define IEUM_BROKER_CORE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/slab.h"
#include "ieum/v1/event.pb-c.h"
#include "proto/error.h"

enum {
	CORE_POOLS_MAX = 4096,  /* ever named in one journal */
	CORE_WAITS_MAX = 20000, /* entries of waiting lists at one time … */
	CORE_WAITS_PER_SENDER_MAX = CORE_WAITS_MAX / 8, /* … of one sender */
	CORE_NEEDS_MAX = 2048,                          /* different ones among them … */
	CORE_NEEDS_PER_SENDER_MAX = CORE_NEEDS_MAX / 8, /* … that are new with one sender */
};

#define HOLD(word) ((uint8_t)IEUM__V1__HOLD_STATE__HOLD_STATE_##word)
#define WAIT(word) ((uint8_t)IEUM__V1__WAIT_STATE__WAIT_STATE_##word)

struct core;
struct applied;
struct policy;
struct referral;

struct pool {
	char *name;
	uint32_t said;   /* places by the hub file that was last */
	uint32_t places; /* that it shall have: as the file or its keeper said last */
	uint32_t held, taken;
	int64_t as_of_at_ms;
	int64_t renews_at_ms, stale_at_ms; /* 0: never */
	uint32_t place;                    /* in the heap of pools of which something is due */
	uint32_t first_live, last_live;    /* holds that hold or took places */
	bool stale_told;                   /* its keeper knows that the count is stale */
	bool ready;
};

struct hold {
	uint64_t seq;         /* of the event that made it */
	int64_t lapses_at_ms; /* of one that is taken: when its time is over; 0: never, or told */
	int64_t until_ms;     /* for which it was asked; 0: without an end */
	int64_t warn_at_ms;   /* when both sides are told that it ends soon; 0: never, or told */
	uint32_t referral;    /* by which it is held */
	uint32_t next;        /* of the same message, in order of seq */
	uint32_t live_prev, live_next;
	uint32_t place;  /* in the heap of holds of which something is due */
	uint32_t pool;   /* number */
	uint32_t keeper; /* mailbox */
	uint32_t places;
	uint8_t state;
};

struct need {
	char *wanted, *language;
	uint32_t *but, *pools; /* numbers */
	uint32_t n_but, n_pools;
	struct heap waiting; /* of its entries: the highest priority first, then the oldest */
	uint32_t made_by;    /* participant whose entry was the first */
	uint32_t age_years, places;
	char jurisdiction[16];
	uint8_t sex;
	bool live;
};

struct wait {
	uint64_t seq; /* of the entry's message */
	int64_t lapses_at_ms;
	uint32_t referral; /* the entry */
	uint32_t offer;    /* the hub's message, while one is open or was accepted */
	uint32_t need;     /* while it waits */
	uint32_t place;    /* in the need's heap */
	uint32_t priority;
	uint32_t places;
	uint8_t state;
};

struct places {
	struct pool *pools; /* by number, from 1 */
	uint32_t n_pools;
	uint32_t n_ready;
	struct slab holds, waits, needs;
	struct lookup holds_of, waits_of; /* by the message's id: its first hold; its entry */
	struct heap lapses;    /* holds that lapse, or of which both sides are to be told */
	struct heap pools_due; /* pools that renew, or whose count becomes stale */
	uint32_t n_waiting;
	int *policy_pools; /* from binding: number to the policy's index */
	uint32_t n_policy_pools;
};

void places_init(struct core *c);
void places_deinit(struct core *c);

/* ---- looking ---- */

struct pool *pool_at(const struct core *c, uint32_t number); /* NULL: none */
uint32_t pool_number(const struct core *c, const char *name);
/* The policy's index, POLICY_NONE when the hub file has it no more. */
int pool_policy_index(const struct core *c, uint32_t number);

static inline uint32_t pool_places(const struct pool *p)
{
	uint32_t used = p->held + p->taken;

	return p->places > used ? p->places : used;
}

static inline uint32_t pool_free(const struct pool *p)
{
	return pool_places(p) - p->held - p->taken;
}

struct hold *hold_at(const struct core *c, uint32_t h);
struct wait *wait_at(const struct core *c, uint32_t h);
struct need *need_at(const struct core *c, uint32_t h);
/* By the message: its first hold, its entry; 0: none. */
uint32_t hold_of(const struct core *c, uint32_t referral);
uint32_t hold_in(const struct core *c, uint32_t referral, uint32_t pool);
uint32_t wait_of(const struct core *c, uint32_t referral);
/* The entry that this message, an offer, is for. */
uint32_t wait_of_offer(const struct core *c, uint32_t offer);

static inline bool hold_live(const struct hold *h)
{
	return h->state == HOLD(HELD) || h->state == HOLD(TAKEN);
}

static inline bool wait_open(const struct wait *w)
{
	return w->state == WAIT(WAITING) || w->state == WAIT(OFFERED);
}

/* When something is due of it; 0: never. */
static inline int64_t hold_due_ms(const struct hold *h)
{
	return !hold_live(h) ? 0 : h->warn_at_ms ? h->warn_at_ms : h->lapses_at_ms;
}

static inline int64_t pool_due_ms(const struct pool *p)
{
	return p->stale_at_ms && (!p->renews_at_ms || p->stale_at_ms < p->renews_at_ms)
		       ? p->stale_at_ms
		       : p->renews_at_ms;
}

/* Does it hold or take a place, or wait for one? */
bool places_open(const struct core *c, uint32_t referral);
/* Who is next for a place of this pool, 0: nobody whom it has enough for. */
uint32_t waits_next(const struct core *c, uint32_t pool);
/* Does the need suit the pool? */
bool need_suits(const struct need *n, uint32_t pool);
/* The need with these facts, 0: nobody has it. */
uint32_t need_find(const struct core *c, const Ieum__V1__WaitNeed *like);

/* When something is due of a hold or a pool, at once where an offer is; INT64_MAX: nothing. */
int64_t places_next_due_ms(const struct core *c);

/* ---- applying ---- */

enum ieum_err apply_places_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__PlacesChanged *e) IEUM_MUST_CHECK;
enum ieum_err apply_pool_due(struct core *c, const Ieum__V1__PoolDue *e) IEUM_MUST_CHECK;
enum ieum_err apply_wait_changed(struct core *c, const Ieum__V1__WaitChanged *e) IEUM_MUST_CHECK;
/* The policy's part: names of pools, their numbers, who suits whom. */
enum ieum_err places_policy_changed(struct core *c, const Ieum__V1__PolicyChanged *e,
				    int64_t at_ms) IEUM_MUST_CHECK;
enum ieum_err places_bind(struct core *c, struct policy *p) IEUM_MUST_CHECK;
/* A message that is forgotten takes its ended holds and entry along. */
void places_forget(struct core *c, uint32_t referral);

/* waits.c: after a change of places or of who waits. */
void waits_refresh(struct core *c, uint32_t pool);
void waits_deinit(struct core *c);
void waits_forget(struct core *c, uint32_t referral);
/* Nobody waits in a case that is closed. */
void waits_close(struct core *c, uint32_t core_case);
enum ieum_err waits_policy_changed(struct core *c,
				   const Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;

/* For reading a snapshot. */
enum ieum_err waits_restore(struct core *c, const Ieum__V1__WaitChanged *e, uint8_t state,
			    uint32_t offer, uint32_t need_made_by) IEUM_MUST_CHECK;
enum ieum_err pool_name(struct core *c, uint32_t number, const char *name) IEUM_MUST_CHECK;
uint32_t hold_new(struct core *c, uint32_t referral, uint64_t seq, uint32_t pool);
/* The only place where a hold's state changes; OK where the pool has enough places. */
enum ieum_err hold_set_state(struct core *c, uint32_t h, uint8_t state,
			     int64_t lapses_at_ms) IEUM_MUST_CHECK;

/* OK, or JOURNAL_CORRUPT with what is wrong. */
enum ieum_err places_check(const struct core *c, char *what, size_t what_bytes) IEUM_MUST_CHECK;

#endif
