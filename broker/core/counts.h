/* What the policy's counters have counted: for each counter and key the marks of the messages
 * that were counted, until they count no more.
 *
 * A key is a case's id, a participant's number, or what is kept of a subject's token: its kind,
 * its epoch and the first eight bytes behind them, which find the same token again and can't be
 * turned into one.  What always holds: a record has 1 … POLICY_COUNT_MARKS_MAX marks and lies in
 * the heap by when the last of them ends.  Where there is no room for another, the one that ends
 * first goes: whoever floods the hub with tokens must not keep a report out. */
#ifndef IEUM_BROKER_CORE_COUNTS_H
#define IEUM_BROKER_CORE_COUNTS_H

#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/slab.h"
#include "broker/policy/policy.h"

enum {
	COUNT_KEY_BYTES = 16, /* shorter ones end with zeros */
	COUNT_TOKEN_BYTES = 10,
	CORE_COUNTS_MAX = 1 << 20, /* counters times keys */
};

struct core;
struct applied;
struct checking;

struct count_mark {
	int64_t at_ms, until_at_ms;
	uint32_t weight;
	uint32_t participant; /* 0: the hub */
};

struct count {
	uint8_t key[COUNT_KEY_BYTES];
	char counter[POLICY_NAME_BYTES]; /* "": the record is free */
	uint64_t seq;                    /* of the event that made it */
	struct count_mark *marks;
	uint32_t n_marks, cap_marks;
	uint32_t place;
};

struct counts {
	struct slab records;
	struct lookup keys; /* by key alone: a case's are found together */
	struct heap ends;
	uint32_t max; /* CORE_COUNTS_MAX; smaller in tests */
};

void counts_init(struct core *c);
void counts_deinit(struct core *c);

/* NULL: nothing is counted for it. */
const struct count *counts_find(const struct core *c, const char *counter,
				const uint8_t key[COUNT_KEY_BYTES]);

enum ieum_err apply_counted(struct core *c, const struct applied *a,
			    const Ieum__V1__Counted *e) IEUM_MUST_CHECK;
/* Everything counted for it, by any counter: its case is forgotten. */
void counts_forget(struct core *c, const uint8_t key[COUNT_KEY_BYTES]);

/* A record of a snapshot. */
enum ieum_err counts_restore(struct core *c, const char *counter,
			     const uint8_t key[COUNT_KEY_BYTES], uint64_t seq,
			     const struct count_mark *marks, size_t n) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *counts_check(const struct core *c);

#endif
