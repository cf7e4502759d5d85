/* Clocks of cases: a time within which something has to be done, started and stopped by what the
 * rules say of messages.
 *
 *              freeze
 *     running ───────▶ frozen
 *       │ ▲   ◀───────   │
 *       │ │    resume    │ stop
 *       │ └ extend       ▼
 *       ├───── stop ──▶ stopped
 *       │                ▲
 *       └─ its end ─▶ breached
 *
 * A breach stays on record when the clock is stopped at last.  Every number in here comes from
 * an event, so a clock goes on as it was started when the policy has another idea, or has it no
 * more.
 *
 * What always holds: a running clock is in the heap exactly once, at its next warning or its end,
 * and no other is; what runs or is breached is in the list of what ends, what was ever breached in
 * the list of breaches. */
#ifndef IEUM_BROKER_CORE_CASE_CLOCK_H
#define IEUM_BROKER_CORE_CASE_CLOCK_H

#include "broker/core/apply.h"

enum {
	/* Of one case: beyond it those that were stopped in time are forgotten, the oldest first.
	 * What goes on or was ever breached stays, so a case with nothing else takes no more. */
	CASE_CLOCKS_MAX = 256,
	CASE_CLOCKS_OF_HUB = 32,  /* of them kept for what begins because time has passed */
	CASE_CLOCKS_SAME_MAX = 8, /* not stopped, of one name: breached ones, and one that runs */
};

#define CLOCK_STATE(word)  ((uint8_t)IEUM__V1__CLOCK_STATE__CLOCK_STATE_##word)
#define CLOCK_CHANGE(word) IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_##word

struct case_clock {
	uint64_t id;
	uint32_t core_case;
	uint32_t next, prev; /* of the case, in the order in which they started */
	uint32_t place;      /* in the heap; 0: it does not run */
	uint32_t ending;     /* node in the list of what ends */
	uint32_t breach;     /* node in the list of breaches */
	uint16_t name;
	uint8_t state;
	uint8_t n_warn;
	uint32_t extensions;
	bool outlives_closing;
	bool ends_well; /* its end is no breach, also when the policy has it no more */
	uint8_t started_by[CORE_ID_BYTES];
	int64_t from_at_ms;
	int64_t began_at_ms;    /* of its first round; of one that doesn't come round: from_at_ms */
	int64_t due_at_ms;      /* of a frozen one: when it would have ended */
	int64_t left_ms;        /* of a frozen one */
	int64_t breached_at_ms; /* 0: never */
	int64_t warn_at_ms[POLICY_CLOCK_WARNINGS_MAX];
};

static inline struct case_clock *case_clock_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->case_clocks.records, h);
}

/* May the case forget it to make room? */
static inline bool case_clock_spare(const struct case_clock *k)
{
	return k->state == CLOCK_STATE(STOPPED) && !k->breached_at_ms;
}

/* Neither stopped nor over. */
static inline bool case_clock_open(const struct case_clock *k)
{
	return k->state != CLOCK_STATE(STOPPED);
}

/* Does it run, or stand still for now? */
static inline bool case_clock_going(const struct case_clock *k)
{
	return k->state == CLOCK_STATE(RUNNING) || k->state == CLOCK_STATE(FROZEN);
}

static inline bool case_clock_runs(const struct case_clock *k)
{
	return k->state == CLOCK_STATE(RUNNING);
}

void case_clocks_init(struct core *c);
void case_clocks_deinit(struct core *c);

/* What an event makes of a clock: the same while it is decided and when it is applied. */
void case_clock_change(struct case_clock *k, const Ieum__V1__ClockChanged *e);

enum ieum_err apply_clock_changed(struct core *c, const struct applied *a,
				  const Ieum__V1__ClockChanged *e) IEUM_MUST_CHECK;

/* The case was closed: what does not outlive that is stopped. */
void case_clocks_close(struct core *c, uint32_t ch);
/* The case is forgotten. */
void case_clocks_forget(struct core *c, uint32_t ch);
/* Does one still run, or stand still for now? */
bool case_clocks_going(const struct core *c, const struct core_case *of);
/* How many of the case are breached and not stopped. */
uint32_t case_clocks_breached(const struct core *c, const struct core_case *of);
/* The next end of one that runs; 0: none does. */
int64_t case_clocks_next_end(const struct core *c, const struct core_case *of);

/* Puts a clock `h` that is read from a snapshot into the case `ch`, last, and into heap and lists. */
enum ieum_err case_clock_restore(struct core *c, uint32_t h, uint32_t ch) IEUM_MUST_CHECK;

/* case_clock_check.c: see above what always holds.  OK, or JOURNAL_CORRUPT with what is wrong. */
enum ieum_err case_clocks_check(const struct core *c, char *what,
				size_t what_bytes) IEUM_MUST_CHECK;

#endif
