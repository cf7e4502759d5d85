/* Inside of the SQLite engine; see docs/decisions/0003-sqlite-journal.md for the why.
 *
 *   sqlite.c             append, read, the vtable
 *   sqlite_open.c        files, lock, schema, statements
 *   sqlite_mark.c        how far it has come, in a file beside it
 *   sqlite_checkpoint.c  moving the WAL into the database off the commit path
 *   sqlite_snapshot.c    snapshot files beside the journal
 *
 * One connection per store, used by one thread at a time; the checkpointer has its own. */
#ifndef IEUM_BROKER_JOURNAL_SQLITE_STORE_H
#define IEUM_BROKER_JOURNAL_SQLITE_STORE_H

#include <sqlite3.h>

#include "broker/journal/engine.h"

enum {
	SQLITE_APPLICATION_ID = 0x6965756d, /* "ieum" */
	/* Measured: with 150-byte events and 1.1 KiB payloads 8 KiB pages carry about a
	 * fifth more messages than 4 KiB ones (seven rows fit a page, without waste). */
	SQLITE_PAGE_BYTES = 8192,
	SQLITE_CACHE_KIB = 8192,
	SQLITE_BUSY_MS = 1000,
	/* The WAL is moved into the database when it has grown by the mark, and in idle
	 * time by a part of it; past so many marks, whatever the stall. */
	SQLITE_WAL_MARK_BYTES = 16 << 20,
	SQLITE_WAL_IDLE_PART = 4,
	SQLITE_WAL_CEILING_MARKS = 6,
	/* What the writer may be left with to move itself, between two commits. */
	SQLITE_WAL_FINISH_BYTES = 1 << 20,
	SQLITE_WAL_FILE_KEPT_BYTES = 128 << 20,
};

enum sqlite_query {
	QUERY_BEGIN,
	QUERY_COMMIT,
	QUERY_ROLLBACK,
	QUERY_EPOCH,
	QUERY_EVENT_PUT,
	QUERY_PAYLOAD_PUT,
	QUERY_PAYLOAD_ERASE,
	QUERY_TREE_PUT,
	QUERY_TREE_LAST,
	QUERY_TREE_FROM,
	QUERY_FRONTIER,
	QUERY_LOAD,
	QUERY_LOAD_PAYLOADS,
	QUERY_LOAD_PRESENCE,
	QUERY_PAYLOAD_GET,
	QUERY_COUNT,
};

struct sqlite_checkpointer;

struct sqlite_store {
	sqlite3 *db;
	sqlite3_stmt *stmt[QUERY_COUNT];
	char *path;
	int lock_fd; /* -1: read-only */
	journal_log_cb *log_cb;
	void *log_ctx;

	/* Writers only. */
	struct sqlite_checkpointer *checkpointer;
	size_t wal_mark_bytes;
	size_t wal_bytes;       /* in use in the WAL, after the last commit */
	size_t wal_tried_bytes; /* where the last checkpoint left off: not again until it has grown */
	struct journal_mark mark; /* of the last commit */
	struct journal_mark_file mark_file;
	bool mark_owed; /* it is not in the file yet */
	bool erased;    /* erased bytes may still lie in the WAL */
};

/* What a result code means to the journal. */
enum ieum_err sqlite_err(int rc);

/* Logs what SQLite says and returns sqlite_err(rc). */
enum ieum_err sqlite_failed(struct sqlite_store *s, const char *doing, int rc);

enum ieum_err sqlite_store_open(const struct journal_config *config, struct journal_info *info,
				void **store);
void sqlite_store_close(void *store);
enum ieum_err sqlite_store_start_incarnation(void *store,
					     const uint8_t incarnation[JOURNAL_INCARNATION_BYTES]);

enum ieum_err sqlite_snapshot_put(void *store, uint64_t seq, const void *head, size_t head_len,
				  const void *body, size_t body_len);
enum ieum_err sqlite_snapshot_list(void *store, uint64_t *seqs, size_t cap, size_t *n);
enum ieum_err sqlite_snapshot_read(void *store, uint64_t seq, uint8_t **blob, size_t *len);

enum ieum_err sqlite_mark_read(void *store, struct journal_mark *mark, const char **none);
enum ieum_err sqlite_mark_begin(void *store, const struct journal_mark *mark);
/* Before a batch: writes the mark that is owed.  DISK_FULL, JOURNAL_IO: it still is. */
enum ieum_err sqlite_mark_settle(struct sqlite_store *s) IEUM_MUST_CHECK;
/* After its commit. */
void sqlite_mark_commit(struct sqlite_store *s, const struct journal_commit *commit);

/* The thread with a connection of its own.  stop takes NULL. */
enum ieum_err sqlite_checkpointer_start(const char *path, const char *vfs,
					struct sqlite_checkpointer **out);
void sqlite_checkpointer_stop(struct sqlite_checkpointer *c);

/* After each commit, once its completion is announced; and in idle time. */
enum ieum_err sqlite_checkpoint_maintain(void *store, bool idle);

#endif
