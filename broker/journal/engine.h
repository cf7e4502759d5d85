/* What a journal engine does: the vtable behind journal.h.  Included by the front
 * and the engines only.
 *
 * The front numbers, hashes and checks; an engine stores and finds.  Calls come from
 * one thread at a time.  An engine knows no event type and no protobuf.
 *
 * To add one: implement every entry, add it to the list in journal.c and to the
 * contract suite (tests/unit/test_journal.c). */
#ifndef IEUM_BROKER_JOURNAL_ENGINE_H
#define IEUM_BROKER_JOURNAL_ENGINE_H

#include "broker/journal/journal.h"
#include "broker/journal/mark.h"

enum {
	/* Rebuilding the tree at open hashes at most this many events and one batch. */
	JOURNAL_FRONTIER_EVERY = 4096,
	/* Events read in one go: how long a reader's transaction lasts. */
	JOURNAL_LOAD_CHUNK = 2048,
};

/* One stored commit. */
struct journal_commit {
	uint64_t size; /* events in the journal after it */
	struct merkle_hash root;
	int64_t at_us;
	const struct merkle *frontier; /* append only: store it too; NULL: not this time */
};

struct journal_engine {
	const char *name;

	/* Opens or creates, takes the lock, counts the epoch up, drops what a crash left
	 * without its commit; fills *info and *last (size 0: empty). */
	enum ieum_err (*open)(const struct journal_config *config, struct journal_info *info,
			      struct journal_commit *last, void **store);
	void (*close)(void *store);

	/* All or nothing.  commit is NULL when the batch has no events.  DISK_FULL and
	 * UNAVAILABLE promise that nothing of it will ever be found. */
	enum ieum_err (*append)(void *store, const struct journal_batch *b,
				const struct journal_commit *commit, uint64_t epoch);

	/* As stored, now: size 0 when empty. */
	enum ieum_err (*last_commit)(void *store, struct journal_commit *last);
	/* The first commit with size >= at_least; size 0 when there is none. */
	enum ieum_err (*commit_from)(void *store, uint64_t at_least, struct journal_commit *commit);
	/* The newest stored frontier; of the empty tree when there is none. */
	enum ieum_err (*frontier)(void *store, struct merkle *tree);

	/* Whatever is stored in from..to, in order, gaps and all. */
	enum ieum_err (*load)(void *store, uint64_t from, uint64_t to, unsigned flags,
			      journal_record_cb *cb, void *ctx);
	enum ieum_err (*payload_read)(void *store, uint64_t seq, uint8_t salt[JOURNAL_SALT_BYTES],
				      uint8_t **bytes, size_t *len);

	/* Snapshots are blobs here, in two parts so that no one copies the big one. put
	 * drops every other but the newest older one; list gives the seqs, newest first. */
	enum ieum_err (*snapshot_put)(void *store, uint64_t seq, const void *head, size_t head_len,
				      const void *body, size_t body_len);
	enum ieum_err (*snapshot_list)(void *store, uint64_t *seqs, size_t cap, size_t *n);
	enum ieum_err (*snapshot_read)(void *store, uint64_t seq, uint8_t **blob, size_t *len);

	enum ieum_err (*start_incarnation)(void *store,
					   const uint8_t incarnation[JOURNAL_INCARNATION_BYTES]);
	/* Where the store's last writer had come to, kept apart from the journal; see mark.h.
	 * begin: from now on every commit leaves one.  NULL: this engine keeps none. */
	enum ieum_err (*mark_read)(void *store, struct journal_mark *mark, const char **none);
	enum ieum_err (*mark_begin)(void *store, const struct journal_mark *mark);
	enum ieum_err (*maintain)(void *store, bool idle);
};

extern const struct journal_engine journal_sqlite;
extern const struct journal_engine journal_memory;

/* The front's state; shared by its parts (journal.c, incarnation.c, snapshot.c,
 * evidence.c). */
struct journal {
	const struct journal_engine *engine;
	void *store;
	struct journal_info info;
	bool read_only;
	journal_log_cb *log_cb;
	void *log_ctx;
	struct journal_commit last;

	/* Writers only. */
	struct merkle tree;     /* of `last` */
	struct merkle next;     /* after the batch being committed */
	uint64_t frontier_size; /* of the newest stored frontier */
	bool unknown;           /* the last append's fate is not known yet */
	enum ieum_err failed;   /* answer to every further append */
};

/* A writing open's last step; incarnation.c. */
enum ieum_err journal_settle_incarnation(struct journal *j,
					 const struct journal_config *config) IEUM_MUST_CHECK;

/* A line through config->log_cb; nothing when there is none. */
void journal_log(journal_log_cb *cb, void *ctx, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
