/* Refusals on their way to the journal: the first at once, repeats within a minute counted into
 * one event, so that nobody can fill the journal by being refused.
 *
 * The table is small and fixed: whoever needs a place that is taken pushes the oldest of its
 * set out, which is then recorded with its count.  Pure; one owner. */
#ifndef IEUM_BROKER_REFUSALS_H
#define IEUM_BROKER_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	REFUSALS_SETS = 128,
	REFUSALS_WAYS = 8,
	REFUSALS_WINDOW_US = 60 * 1000 * 1000,
	REFUSALS_WHAT_BYTES = 64,
};

/* What repeats are of the same kind: the same participant, the same error. */
struct refusal {
	bool used;
	uint32_t participant; /* number, 0: unknown */
	enum ieum_err code;
	uint64_t connection; /* of the first */
	char what[REFUSALS_WHAT_BYTES];
	uint32_t count;   /* not recorded yet */
	int64_t since_us; /* when the window began */
};

struct refusals {
	struct refusal place[REFUSALS_SETS][REFUSALS_WAYS]; /* a zeroed one is ready */
};

/* Counts one.  True when it has to be recorded now (with count 1).  *pushed: another kind had
 * to make room; record it when its count isn't 0. */
bool refusals_count(struct refusals *r, uint32_t participant, enum ieum_err code,
		    uint64_t connection, const char *what, int64_t now_us, struct refusal *pushed);

/* Takes one whose minute is over and that has repeats to be recorded; false when there is none.
 * all: without waiting for the minute. */
bool refusals_take(struct refusals *r, int64_t now_us, bool all, struct refusal *out);

#endif
