/* Writes a snapshot every so many events, off the event loop.
 *
 * A thread with its own read-only journal: when enough has been committed it reads the last
 * snapshot, folds the events since into a core of its own, writes the next snapshot and
 * forgets the core again, so that a hub holds its state twice only for that moment. */
#ifndef IEUM_BROKER_SNAPSHOTTER_H
#define IEUM_BROKER_SNAPSHOTTER_H

#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "proto/error.h"

struct snapshotter;

struct snapshotter_config {
	struct journal_config journal; /* strings borrowed for its life */
	struct core_limits limits;
	uint64_t every_events;
	uint64_t last_seq; /* of the newest snapshot; 0: none */
};

/* Starts the thread, with all signals blocked in it. */
enum ieum_err snapshotter_new(const struct snapshotter_config *config,
			      struct snapshotter **out) IEUM_MUST_CHECK;

/* Everything up to seq is committed.  Cheap; from the loop's thread. */
void snapshotter_note(struct snapshotter *s, uint64_t seq); /* takes NULL */

/* Breaks off what is being folded and waits for the thread.  Takes NULL. */
void snapshotter_free(struct snapshotter *s);

#endif
