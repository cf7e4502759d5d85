/* From the journal to a core: a snapshot if there is a good one, then the events after it.
 *
 * Used at start by the main thread and by the snapshotter on its own core and journal. */
#ifndef IEUM_BROKER_REPLAY_H
#define IEUM_BROKER_REPLAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "proto/error.h"

enum {
	REPLAY_PROGRESS_MS = 1000,            /* a line when it takes longer, and every so often */
	REPLAY_LOOK_EVENTS = 4096,            /* how often it looks at the clock */
	REPLAY_EVENT_BUDGET_BYTES = 64 << 20, /* memory of one unpacked event */
};

struct replay {
	struct core_limits limits;
	const atomic_bool *cancel; /* NULL: none; true ends it with STOPPING */
	bool quiet;                /* no lines about progress */
	uint64_t snapshot_seq;     /* out: 0 without one */
	uint64_t events;           /* out: replayed after the snapshot */
};

/* A core as of the journal's last event; the caller's.  JOURNAL_CORRUPT when an event can't be
 * applied, whatever the journal says, NO_MEMORY, STOPPING. */
enum ieum_err replay_journal(struct journal *j, struct replay *r,
			     struct core **out) IEUM_MUST_CHECK;

#endif
