/* The journal: one ordered, append-only log of events, and the hub's only database.
 *
 * One front over several engines (engine.h): "sqlite" on one machine, "memory" for
 * the simulator and tests.  Events are opaque bytes, numbered by seq from 1 without a
 * gap; leaf index in the Merkle tree = seq - 1.  What always holds: after OK from
 * journal_append() the batch is durable and its root is stored with it; after any
 * other answer nothing of it may be released.
 *
 * Threads: a `struct journal` may be used by one thread at a time, and is handed
 * over by whoever opened it (normally: main opens and loads, then the committer owns
 * it).  Any number of read-only journals on the same path may be open beside it, in
 * other threads or processes.
 *
 * Errors of every function, beside those named at it:
 *   JOURNAL_IO       read, write or sync failed.  After an append: release nothing
 *                    more, exit, restart, replay.  The journal refuses all further
 *                    appends with the same answer.
 *   JOURNAL_CORRUPT  what is stored contradicts itself. */
#ifndef IEUM_BROKER_JOURNAL_JOURNAL_H
#define IEUM_BROKER_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/journal/batch.h"
#include "broker/journal/merkle.h"
#include "proto/error.h"

enum {
	/* What a writing open makes of the journal.  It goes up when an older ieum must not go on with
	 * it: 2 has events of certificates, wrapped keys and copies, which 1 would not fold. */
	JOURNAL_SCHEMA_VERSION = 2,
	JOURNAL_SCHEMA_OLDEST = 1, /* read as it is, and raised by a writing open */
	JOURNAL_INCARNATION_BYTES = 16,
	JOURNAL_SNAPSHOTS_KEPT = 2,
	JOURNAL_WHY_BYTES = 128,
	JOURNAL_SNAPSHOT_BYTES_MAX = 1 << 30,
};

struct journal;
struct memory_disk; /* memory.h */

/* One line for the log, without newline, without personal data.  Called on the thread
 * that uses the journal. */
typedef void journal_log_cb(void *ctx, const char *line);

struct journal_config {
	const char *engine; /* "sqlite" or "memory" */
	/* sqlite: the journal file; beside it live -wal, -shm, -lock, -mark and snapshots. */
	const char *path;
	struct memory_disk *disk; /* memory: borrowed, outlives the journal */

	bool read_only; /* no lock; append, erase refused with NOT_PERMITTED */
	bool create;    /* make the journal if it is not there */
	/* Must be what the journal was created with; a read-only open takes either. */
	bool drill;
	/* A copy that was put back: begin a new incarnation, also when nothing shows it. */
	bool restored;
	/* Of a journal that is created, and of one that turns out to be a copy: random, given by
	 * the caller. */
	uint8_t incarnation[JOURNAL_INCARNATION_BYTES];

	journal_log_cb *log_cb; /* may be NULL */
	void *log_ctx;

	/* Seams for tests and measurements; 0 is the default of both. */
	const char *sqlite_vfs;
	size_t sqlite_wal_mark_bytes; /* a WAL this big is moved into the database */
};

/* Fixed when the journal was created or put back, or counted up at each open. */
struct journal_info {
	uint8_t incarnation[JOURNAL_INCARNATION_BYTES];
	int schema_version;
	bool drill;
	/* Counts the writing opens; an append with an old one is refused (fencing). */
	uint64_t epoch;
	/* Why this open found that the journal is a copy put back, and began a new incarnation, so
	 * that clients send again what the old one had receipted after the copy; "": it didn't. */
	char restored_why[JOURNAL_WHY_BYTES];
};

/* FILE_UNREADABLE (not there and not to be created), JOURNAL_VERSION (written by a
 * newer ieum), JOURNAL_DRILL (drill against live), JOURNAL_LOCKED (open for writing
 * elsewhere), JOURNAL_CORRUPT, JOURNAL_IO, NO_MEMORY.  The log line says why. */
enum ieum_err journal_open(const struct journal_config *config,
			   struct journal **out) IEUM_MUST_CHECK;

/* Takes NULL.  Checkpoints what the engine wants to; never loses what append said is done. */
void journal_close(struct journal *j);

const struct journal_info *journal_info(const struct journal *j);

/* 0 when empty.  A read-only journal sees what was committed at its last
 * journal_refresh() (or its open). */
uint64_t journal_last_seq(const struct journal *j);

/* Size and root of the tree as of journal_last_seq(). */
uint64_t journal_root(const struct journal *j, struct merkle_hash *root);

/* Read-only: looks again at how far the writer has come. */
enum ieum_err journal_refresh(struct journal *j) IEUM_MUST_CHECK;

/* Appends and commits.  b->first_seq must be journal_last_seq() + 1 when there are
 * events, else INTERNAL.  Reads in the batch are not done here: see journal_read_all().
 *   OK              durable
 *   DISK_FULL       nothing of it is stored; give the same batch again later
 *   UNAVAILABLE     the same: something else holds the store (a tool, for a moment)
 *   COMMIT_UNKNOWN  the engine lost sight of it: journal_resolve() before anything else
 *   JOURNAL_FENCED  another hub has taken the journal over: exit
 *   JOURNAL_IO      see above */
enum ieum_err journal_append(struct journal *j, struct journal_batch *b) IEUM_MUST_CHECK;

/* After COMMIT_UNKNOWN, for the same batch: OK and *committed says which.  COMMIT_UNKNOWN:
 * still cannot tell, ask again later. */
enum ieum_err journal_resolve(struct journal *j, struct journal_batch *b,
			      bool *committed) IEUM_MUST_CHECK;

/* Does the reads of a committed batch; answers are in the batch. */
void journal_read_all(struct journal *j, struct journal_batch *b);

/* Housekeeping off the commit path, called by the committer after it has announced a
 * completion (idle false: only what is short and due) or when nothing has come for
 * some ms (idle true). */
enum ieum_err journal_maintain(struct journal *j, bool idle) IEUM_MUST_CHECK;

/* One stored event.  Pointers are good during the callback only. */
struct journal_record {
	uint64_t seq;
	const uint8_t *kept;
	size_t kept_len;
	bool has_payload; /* that is not erased; with either flag */
	/* Only with JOURNAL_LOAD_PAYLOADS. */
	const uint8_t *payload; /* NULL: none, or erased */
	size_t payload_len;
	const uint8_t *salt; /* JOURNAL_SALT_BYTES, NULL with payload NULL */
	bool payload_erased;
};

/* Anything but OK ends the load and is returned by it. */
typedef enum ieum_err journal_record_cb(void *ctx, const struct journal_record *r);

enum {
	JOURNAL_LOAD_PAYLOADS = 1,
	JOURNAL_LOAD_PRESENCE = 2, /* whether there is a payload, without reading it */
};

/* Gives the events from..to (to is cut to journal_last_seq(); UINT64_MAX = all), in
 * order.  Holds no read transaction for long, so a slow reader never keeps the
 * writer from its checkpoints.  A gap is JOURNAL_CORRUPT.  The callback must not
 * append to the same journal. */
enum ieum_err journal_load(struct journal *j, uint64_t from, uint64_t to, unsigned flags,
			   journal_record_cb *cb, void *ctx) IEUM_MUST_CHECK;

/* One payload.  OK with *bytes NULL: the event has none.  PAYLOAD_ERASED; FIELD_INVALID
 * for a seq that is not there; NO_MEMORY.  *bytes is the caller's (free()). */
enum ieum_err journal_payload_read(struct journal *j, uint64_t seq,
				   uint8_t salt[JOURNAL_SALT_BYTES], uint8_t **bytes,
				   size_t *len) IEUM_MUST_CHECK;

/* Erases outside a batch (a batch's erasures commit with the event that tells of them;
 * prefer those).  Erasing what has no payload or is erased already is OK. */
enum ieum_err journal_payload_erase(struct journal *j, uint64_t seq) IEUM_MUST_CHECK;

/* Snapshots: versioned, checksummed, bound to this journal's history, disposable.
 * Put may be called on a read-only journal (the snapshotter's).  The newest
 * JOURNAL_SNAPSHOTS_KEPT are kept. `version` is the caller's own. */
enum ieum_err journal_snapshot_put(struct journal *j, uint64_t seq, uint32_t version,
				   const void *bytes, size_t len) IEUM_MUST_CHECK;

/* The newest valid one with this version and seq <= journal_last_seq(): OK and *bytes
 * (the caller's, free()), or OK and *bytes NULL when there is none.  What is corrupt,
 * of another version or of another history is passed over with a log line. */
enum ieum_err journal_snapshot_get(struct journal *j, uint32_t version, uint64_t *seq,
				   uint8_t **bytes, size_t *len) IEUM_MUST_CHECK;

/* Proofs from the stored events; O(size).  Leaf = seq - 1. */
enum ieum_err journal_inclusion_prove(struct journal *j, uint64_t seq, uint64_t size,
				      struct merkle_proof *proof) IEUM_MUST_CHECK;
enum ieum_err journal_consistency_prove(struct journal *j, uint64_t old_size, uint64_t size,
					struct merkle_proof *proof) IEUM_MUST_CHECK;

/* What journal_verify() found. */
enum journal_finding {
	JOURNAL_SOUND,
	JOURNAL_GAP,           /* seq `expected_seq` is missing; `found_seq` came (0: none) */
	JOURNAL_ROOT_MISMATCH, /* the commit of size `seq`: stored root is not that of its events */
	JOURNAL_UNCOMMITTED,   /* an event beyond the last commit */
	JOURNAL_CONTENT,       /* the callback refused the event `seq` */
};

struct journal_verdict {
	enum journal_finding finding;
	uint64_t seq; /* where the first mismatch is; a root mismatch lies in (from_seq, seq] */
	uint64_t from_seq; /* the size of the last commit that verified */
	uint64_t expected_seq, found_seq;
	struct merkle_hash expected, found; /* root stored, root computed */
	uint64_t events, commits;           /* verified before the end or the mismatch */
	struct merkle_hash root;            /* of all verified events */
	char text[256];                     /* the same in a sentence */
};

/* Recomputes the tree over every event and compares each commit's root and size, and
 * the contiguity of seq.  cb (may be NULL) sees every event, with its payload, in the
 * same pass, so that a caller who knows event types checks conservation and payload
 * hashes; it is called before the event's own commit has been checked.
 * OK: *v says what was found, good or bad; anything else: could not read on. */
enum ieum_err journal_verify(struct journal *j, journal_record_cb *cb, void *ctx,
			     struct journal_verdict *v) IEUM_MUST_CHECK;

#endif
