/* The offline audit: is this journal what it says it is, and does it keep the promises?
 *
 * Opens a journal read-only and goes through it once, beside a running hub, after a kill, or on
 * a copy:
 *   - the Merkle tree of each commit, and that no event is missing (journal_verify);
 *   - each message against its salted hash, and that what is gone was erased by an event;
 *   - each event against the state that the events before it gave (core_apply), and at the end
 *     that state itself (core_check);
 *   - each delivery by a second, independent count (audit_ledger.h): routed before it was
 *     released, released before it was settled, settled once; and per mailbox
 *     routed = queued + in flight + settled + dead-lettered + withdrawn.
 * It stops at the first mismatch and names the event.  One thread; blocks. */
#ifndef IEUM_BROKER_AUDIT_H
#define IEUM_BROKER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	AUDIT_HASH_BYTES = 32,
	AUDIT_TEXT_BYTES = 512,
	AUDIT_PROGRESS_EVENTS = 8192, /* how often progress_cb is called */
};

struct audit_options {
	/* A root noted earlier (from this command, or a receipt's time): the tree of the first
	 * earlier_size events must have it.  Size 0: not asked. */
	uint64_t earlier_size;
	uint8_t earlier_root[AUDIT_HASH_BYTES];

	void (*progress_cb)(void *ctx, uint64_t done, uint64_t of); /* may be NULL */
	void *progress_ctx;
};

struct audit_mailbox {
	char *name;
	uint64_t routed, queued, in_flight, settled, dead_lettered, withdrawn;
};

/* What was found.  `sound` false: mismatch says what, at event mismatch_seq (0: not at one event);
 * the counts are then those up to there. */
struct audit {
	bool sound;
	bool drill;
	uint64_t mismatch_seq;
	char mismatch[AUDIT_TEXT_BYTES];

	uint8_t incarnation[16];
	uint64_t events, commits;
	uint8_t root[AUDIT_HASH_BYTES]; /* of all verified events */
	int64_t first_at_us, last_at_us;

	uint64_t messages; /* `submitted` events */
	uint64_t payloads_checked, payloads_erased;

	struct audit_mailbox *mailboxes; /* by name */
	size_t n_mailboxes;
};

/* OK: *out says what was found, good or bad, and is released by the caller.  Else it could not be
 * looked at (FILE_UNREADABLE, JOURNAL_VERSION, JOURNAL_IO, JOURNAL_CORRUPT: it can't even be opened,
 * NO_MEMORY), *out needs no release and its `mismatch` says more if there is more to say. */
enum ieum_err audit_run(const char *path, const struct audit_options *options,
			struct audit *out) IEUM_MUST_CHECK;
void audit_release(struct audit *a);

#endif
