/* How long the event loop is held: the longest callback of each kind, told at the end, and a line in
 * the log whenever one takes longer than PACE_MAX_US.
 *
 * Times are the thread's own processor time, so that other work on the machine doesn't count.  Asking
 * for it is a system call, too much for every frame: a request is timed on the wall, and only when
 * that was long by the processor time since its callback began, which is never less than its own.
 * One owner. */
#ifndef IEUM_BROKER_PACE_H
#define IEUM_BROKER_PACE_H

#include <stdint.h>
#include <time.h>

#include "broker/log.h"

enum {
	PACE_MAX_US = 1000,  /* nobody waits longer than this for another's request */
	PACE_KINDS_MAX = 40, /* what has no room any more is counted with the last */
};

struct pace_kind {
	const char *what;
	uint64_t n, over; /* of them over PACE_MAX_US */
	int64_t longest_us;
};

struct pace {
	struct pace_kind kinds[PACE_KINDS_MAX];
	unsigned n_kinds;
	int64_t turn_began_us; /* processor time: of the callback at hand */
	struct log_rate lines;
};

static inline int64_t pace_clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Processor time. */
static inline int64_t pace_now_us(void)
{
	return pace_clock_us(CLOCK_THREAD_CPUTIME_ID);
}

static inline int64_t pace_wall_us(void)
{
	return pace_clock_us(CLOCK_MONOTONIC);
}

/* `what` is of static duration. */
void pace_took(struct pace *p, const char *what, int64_t us);
/* Since pace_now_us() said that. */
void pace_since(struct pace *p, const char *what, int64_t began_us);

/* Frames that came together: before the first, and after each, since pace_wall_us() said that. */
void pace_turn(struct pace *p);
void pace_request(struct pace *p, const char *what, int64_t began_wall_us);

/* A line per kind. */
void pace_tell(const struct pace *p);

#endif
