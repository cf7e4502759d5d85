/* The SQLite engine: one transaction per batch, reads by seq; see sqlite_store.h. */
#include <stdlib.h>
#include <string.h>

#include "broker/journal/sqlite_store.h"

/* Runs a statement that gives no row, and clears it: bound bytes are borrowed. */
static int step_once(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	int reset = sqlite3_reset(stmt);

	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? reset : rc;
}

static int put_event(struct sqlite_store *s, uint64_t seq, const struct journal_event *e)
{
	sqlite3_stmt *put = s->stmt[QUERY_EVENT_PUT];

	sqlite3_bind_int64(put, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob64(put, 2, e->kept, e->kept_len, SQLITE_STATIC);
	int rc = step_once(put);
	if (rc || !e->payload)
		return rc;

	put = s->stmt[QUERY_PAYLOAD_PUT];
	sqlite3_bind_int64(put, 1, (sqlite3_int64)seq);
	sqlite3_bind_blob(put, 2, e->salt, JOURNAL_SALT_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob64(put, 3, e->payload, e->payload_len, SQLITE_STATIC);
	return step_once(put);
}

static int put_commit(struct sqlite_store *s, const struct journal_commit *commit)
{
	sqlite3_stmt *put = s->stmt[QUERY_TREE_PUT];

	sqlite3_bind_int64(put, 1, (sqlite3_int64)commit->size);
	sqlite3_bind_blob(put, 2, commit->root.bytes, MERKLE_HASH_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(put, 3, commit->at_us);
	if (commit->frontier)
		sqlite3_bind_blob64(put, 4, commit->frontier->peak,
				    merkle_peaks(commit->size) * sizeof commit->frontier->peak[0],
				    SQLITE_STATIC);
	return step_once(put);
}

static int put_all(struct sqlite_store *s, const struct journal_batch *b,
		   const struct journal_commit *commit)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; !rc && i < b->n_events; i++)
		rc = put_event(s, b->first_seq + i, &b->events[i]);
	for (size_t i = 0; !rc && i < b->n_erasures; i++) {
		sqlite3_bind_int64(s->stmt[QUERY_PAYLOAD_ERASE], 1, (sqlite3_int64)b->erasures[i]);
		rc = step_once(s->stmt[QUERY_PAYLOAD_ERASE]);
	}
	if (!rc && commit)
		rc = put_commit(s, commit);
	return rc;
}

static enum ieum_err check_epoch(struct sqlite_store *s, uint64_t epoch)
{
	sqlite3_stmt *get = s->stmt[QUERY_EPOCH];
	int rc = sqlite3_step(get);
	bool same = rc == SQLITE_ROW && sqlite3_column_int64(get, 0) == (sqlite3_int64)epoch;

	sqlite3_reset(get);
	if (sqlite_err(rc))
		return sqlite_failed(s, "epoch", rc);
	return same ? IEUM_E_OK : IEUM_E_JOURNAL_FENCED;
}

/* SQLITE_FULL: the write that failed came before the whole commit record was written,
 * so nothing of the transaction can be found again and it may be given once more.
 * Whatever else fails may have failed after that point: no promise, stop. */
static enum ieum_err give_up(struct sqlite_store *s, enum ieum_err err)
{
	int rc = sqlite3_get_autocommit(s->db) ? SQLITE_OK : step_once(s->stmt[QUERY_ROLLBACK]);

	if (rc)
		err = IEUM_E_JOURNAL_IO;
	switch (err) {
	case IEUM_E_DISK_FULL:
	case IEUM_E_UNAVAILABLE:
	case IEUM_E_JOURNAL_FENCED:
	case IEUM_E_JOURNAL_CORRUPT: return err;
	default:
		/* Leave the files as they are: the next start recovers from what is there. */
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		return IEUM_E_JOURNAL_IO;
	}
}

static enum ieum_err sqlite_append(void *store, const struct journal_batch *b,
				   const struct journal_commit *commit, uint64_t epoch)
{
	struct sqlite_store *s = store;
	enum ieum_err err = sqlite_mark_settle(s);

	if (err)
		return err;
	int rc = step_once(s->stmt[QUERY_BEGIN]);
	if (rc)
		return give_up(s, sqlite_failed(s, "begin", rc));
	err = check_epoch(s, epoch);
	if (err)
		return give_up(s, err);
	rc = put_all(s, b, commit);
	if (rc)
		return give_up(s, sqlite_failed(s, "append", rc));
	rc = step_once(s->stmt[QUERY_COMMIT]);
	if (rc)
		return give_up(s, sqlite_failed(s, "commit", rc));
	if (commit)
		sqlite_mark_commit(s, commit);
	if (b->n_erasures > 0)
		s->erased = true;
	return IEUM_E_OK;
}

/* Reads the commit that the statement finds; size 0 when it finds none. */
static enum ieum_err get_commit(struct sqlite_store *s, sqlite3_stmt *get,
				struct journal_commit *commit)
{
	enum ieum_err err = IEUM_E_OK;
	int rc = sqlite3_step(get);

	*commit = (struct journal_commit){ 0 };
	if (rc == SQLITE_ROW && sqlite3_column_bytes(get, 1) == MERKLE_HASH_BYTES) {
		commit->size = (uint64_t)sqlite3_column_int64(get, 0);
		memcpy(commit->root.bytes, sqlite3_column_blob(get, 1), MERKLE_HASH_BYTES);
		commit->at_us = sqlite3_column_int64(get, 2);
	} else if (rc == SQLITE_ROW) {
		err = IEUM_E_JOURNAL_CORRUPT;
	} else if (rc != SQLITE_DONE) {
		err = sqlite_failed(s, "commit row", rc);
	}
	sqlite3_reset(get);
	return err;
}

static enum ieum_err sqlite_last_commit(void *store, struct journal_commit *last)
{
	struct sqlite_store *s = store;

	return get_commit(s, s->stmt[QUERY_TREE_LAST], last);
}

static enum ieum_err sqlite_commit_from(void *store, uint64_t at_least,
					struct journal_commit *commit)
{
	struct sqlite_store *s = store;

	sqlite3_bind_int64(s->stmt[QUERY_TREE_FROM], 1, (sqlite3_int64)at_least);
	return get_commit(s, s->stmt[QUERY_TREE_FROM], commit);
}

static enum ieum_err sqlite_frontier(void *store, struct merkle *tree)
{
	struct sqlite_store *s = store;
	sqlite3_stmt *get = s->stmt[QUERY_FRONTIER];
	enum ieum_err err = IEUM_E_OK;
	int rc = sqlite3_step(get);

	merkle_init(tree);
	if (rc == SQLITE_ROW) {
		uint64_t size = (uint64_t)sqlite3_column_int64(get, 0);
		size_t bytes = merkle_peaks(size) * sizeof tree->peak[0];

		if ((size_t)sqlite3_column_bytes(get, 1) == bytes && bytes > 0) {
			tree->size = size;
			memcpy(tree->peak, sqlite3_column_blob(get, 1), bytes);
		} else {
			err = IEUM_E_JOURNAL_CORRUPT;
		}
	} else if (rc != SQLITE_DONE) {
		err = sqlite_failed(s, "frontier", rc);
	}
	sqlite3_reset(get);
	return err;
}

static const uint8_t *column_bytes(sqlite3_stmt *stmt, int column, size_t *len)
{
	const void *bytes = sqlite3_column_blob(stmt, column);

	*len = (size_t)sqlite3_column_bytes(stmt, column);
	if (!bytes && sqlite3_column_type(stmt, column) != SQLITE_NULL)
		return (const uint8_t *)""; /* SQLite gives NULL for an empty blob */
	return bytes;
}

static void read_record(sqlite3_stmt *get, unsigned flags, struct journal_record *r)
{
	*r = (struct journal_record){ .seq = (uint64_t)sqlite3_column_int64(get, 0) };
	r->kept = column_bytes(get, 1, &r->kept_len);
	if (flags & JOURNAL_LOAD_PRESENCE)
		r->has_payload = sqlite3_column_int(get, 2) != 0;
	if (!(flags & JOURNAL_LOAD_PAYLOADS) || sqlite3_column_type(get, 2) == SQLITE_NULL)
		return;
	r->payload = column_bytes(get, 4, &r->payload_len);
	r->payload_erased = !r->payload;
	r->has_payload = r->payload != NULL;
	if (r->payload && sqlite3_column_bytes(get, 3) == JOURNAL_SALT_BYTES)
		r->salt = sqlite3_column_blob(get, 3);
}

/* One chunk in one short read transaction. *from moves behind what was given; *n says
 * how many that were. */
static enum ieum_err load_chunk(struct sqlite_store *s, uint64_t *from, uint64_t to, unsigned flags,
				journal_record_cb *cb, void *ctx, int *n)
{
	sqlite3_stmt *get = s->stmt[flags & JOURNAL_LOAD_PAYLOADS   ? QUERY_LOAD_PAYLOADS
				    : flags & JOURNAL_LOAD_PRESENCE ? QUERY_LOAD_PRESENCE
								    : QUERY_LOAD];
	enum ieum_err err = IEUM_E_OK;
	int rc = SQLITE_OK;

	*n = 0;
	sqlite3_bind_int64(get, 1, (sqlite3_int64)*from);
	sqlite3_bind_int64(get, 2, to > INT64_MAX ? INT64_MAX : (sqlite3_int64)to);
	sqlite3_bind_int(get, 3, JOURNAL_LOAD_CHUNK);
	while (!err && (rc = sqlite3_step(get)) == SQLITE_ROW) {
		struct journal_record r;

		read_record(get, flags, &r);
		*from = r.seq + 1;
		++*n;
		err = cb(ctx, &r);
	}
	if (!err && rc != SQLITE_DONE)
		err = sqlite_failed(s, "load", rc);
	sqlite3_reset(get);
	return err;
}

static enum ieum_err sqlite_load(void *store, uint64_t from, uint64_t to, unsigned flags,
				 journal_record_cb *cb, void *ctx)
{
	enum ieum_err err = IEUM_E_OK;
	int n = JOURNAL_LOAD_CHUNK;

	while (!err && from <= to && n == JOURNAL_LOAD_CHUNK)
		err = load_chunk(store, &from, to, flags, cb, ctx, &n);
	return err;
}

static enum ieum_err sqlite_payload_read(void *store, uint64_t seq,
					 uint8_t salt[JOURNAL_SALT_BYTES], uint8_t **bytes,
					 size_t *len)
{
	struct sqlite_store *s = store;
	sqlite3_stmt *get = s->stmt[QUERY_PAYLOAD_GET];
	enum ieum_err err = IEUM_E_OK;

	sqlite3_bind_int64(get, 1, (sqlite3_int64)seq);
	int rc = sqlite3_step(get);
	if (rc == SQLITE_ROW && sqlite3_column_type(get, 1) == SQLITE_NULL) {
		err = IEUM_E_PAYLOAD_ERASED;
	} else if (rc == SQLITE_ROW && sqlite3_column_bytes(get, 0) == JOURNAL_SALT_BYTES) {
		const uint8_t *stored = column_bytes(get, 1, len);

		memcpy(salt, sqlite3_column_blob(get, 0), JOURNAL_SALT_BYTES);
		*bytes = malloc(*len + 1); /* an empty payload is one too */
		if (*bytes)
			memcpy(*bytes, stored, *len);
		else
			err = IEUM_E_NO_MEMORY;
	} else if (rc == SQLITE_ROW) {
		err = IEUM_E_JOURNAL_CORRUPT;
	} else if (rc != SQLITE_DONE) {
		err = sqlite_failed(s, "payload", rc);
	}
	sqlite3_reset(get);
	return err;
}

static enum ieum_err sqlite_open(const struct journal_config *config, struct journal_info *info,
				 struct journal_commit *last, void **store)
{
	enum ieum_err err = sqlite_store_open(config, info, store);

	return err ? err : sqlite_last_commit(*store, last);
}

const struct journal_engine journal_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_store_close,
	.append = sqlite_append,
	.last_commit = sqlite_last_commit,
	.commit_from = sqlite_commit_from,
	.frontier = sqlite_frontier,
	.load = sqlite_load,
	.payload_read = sqlite_payload_read,
	.snapshot_put = sqlite_snapshot_put,
	.snapshot_list = sqlite_snapshot_list,
	.snapshot_read = sqlite_snapshot_read,
	.start_incarnation = sqlite_store_start_incarnation,
	.mark_read = sqlite_mark_read,
	.mark_begin = sqlite_mark_begin,
	.maintain = sqlite_checkpoint_maintain,
};
