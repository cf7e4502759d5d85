/* The "disk" of the memory engine: it outlives the journals opened on it, and fails when told.
 *
 * For the simulator and tests.  A disk belongs to one thread at a time, together with
 * the journals on it (the committer's tests hand both over). */
#ifndef IEUM_BROKER_JOURNAL_MEMORY_H
#define IEUM_BROKER_JOURNAL_MEMORY_H

#include <stdint.h>

struct memory_disk;

enum memory_fault {
	MEMORY_FAULT_NONE,
	MEMORY_LOSE_BATCH,      /* nothing stored, JOURNAL_IO: a crash before the commit */
	MEMORY_LOSE_COMPLETION, /* stored, JOURNAL_IO: a crash between the commit and its answer */
	MEMORY_TORN_BATCH, /* part of it stored without its commit, JOURNAL_IO; the next open drops that part */
	MEMORY_DISK_FULL,    /* nothing stored, DISK_FULL */
	MEMORY_UNKNOWN_DONE, /* stored, COMMIT_UNKNOWN: the link to a cluster was lost */
	MEMORY_UNKNOWN_LOST, /* not stored, COMMIT_UNKNOWN */
};

/* NULL when out of memory. */
struct memory_disk *memory_disk_new(void);

/* No journal may be open on it.  Takes NULL. */
void memory_disk_free(struct memory_disk *d);

/* After `after` good appends the next `times` ones end like this. */
void memory_disk_fail(struct memory_disk *d, enum memory_fault fault, unsigned after,
		      unsigned times);

/* Another hub takes over: the open writer's next append is JOURNAL_FENCED. */
void memory_disk_fence(struct memory_disk *d);

/* Changes one bit of the stored kept bytes of seq, for tests of the evidence. */
void memory_disk_flip(struct memory_disk *d, uint64_t seq);

#endif
