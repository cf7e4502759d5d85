/* The spool's deliveries and pages; see spool.h. */
#include <string.h>

#include "client/spool_in.h"

/* Of one that is taken the frame is gone, and its digest stands for what it was. */
enum ieum_err spool_deliver(struct spool *s, const struct spool_delivery *d, int64_t *number)
{
	uint8_t digest[32];
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_room(s, d->len);

	if (!err && !spool_digest(d->message_id, d->frame, d->len, digest))
		err = IEUM_E_NO_MEMORY;
	if (!err)
		err = spool_change(s,
				   "INSERT INTO delivery(taken, slot, message_id, mailbox, wire_id,"
				   " incarnation, told_id, cause, answer_by_at_ms, received_at_ms,"
				   " since_ms, frame, digest, handed)"
				   " VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				   &stmt);
	if (err)
		return err;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_blob(stmt, 2, d->message_id, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, (int64_t)d->mailbox);
	sqlite3_bind_int64(stmt, 4, (int64_t)d->wire_id);
	sqlite3_bind_blob(stmt, 5, d->incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, (int64_t)d->told_id);
	sqlite3_bind_int(stmt, 7, d->cause);
	sqlite3_bind_int64(stmt, 8, d->answer_by_at_ms);
	sqlite3_bind_int64(stmt, 9, d->received_at_ms);
	sqlite3_bind_int64(stmt, 10, d->since_ms);
	sqlite3_bind_blob64(stmt, 11, d->frame, d->len, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 12, digest, sizeof digest, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 13, d->handed ? 1 : 0);
	err = spool_run(s, stmt, "keeping a delivery");
	if (!err)
		*number = sqlite3_last_insert_rowid(s->db);
	return err;
}

enum ieum_err spool_renew(struct spool *s, int64_t number, uint64_t wire_id,
			  const uint8_t *incarnation)
{
	sqlite3_stmt *stmt;
	enum ieum_err err =
		spool_change(s, "UPDATE delivery SET wire_id = ?, incarnation = ? WHERE number = ?",
			     &stmt);

	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, (int64_t)wire_id);
	sqlite3_bind_blob(stmt, 2, incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, number);
	return spool_run(s, stmt, "noting a delivery's id");
}

enum ieum_err spool_handed(struct spool *s, int64_t number, bool handed)
{
	sqlite3_stmt *stmt;
	enum ieum_err err =
		spool_change(s, "UPDATE delivery SET handed = ? WHERE number = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_int(stmt, 1, handed ? 1 : 0);
	sqlite3_bind_int64(stmt, 2, number);
	return spool_run(s, stmt, "noting who was given a delivery");
}

enum ieum_err spool_taken(struct spool *s, int64_t number)
{
	sqlite3_stmt *stmt;
	enum ieum_err err =
		spool_change(s, "UPDATE delivery SET taken = 1, frame = NULL WHERE number = ?",
			     &stmt);

	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, number);
	err = spool_run(s, stmt, "taking a delivery");
	if (!err)
		err = spool_change(s, "DELETE FROM delivery WHERE taken = 1 AND number <= ?",
				   &stmt);
	if (err)
		return err;
	/* Numbers only grow, so this many rows at most are younger. */
	sqlite3_bind_int64(stmt, 1, number - SPOOL_TAKEN_MAX);
	return spool_run(s, stmt, "forgetting taken deliveries");
}

/* ---- reading ---- */

#define COLUMNS \
	"SELECT number, taken, message_id, mailbox, wire_id, incarnation, told_id," \
	" answer_by_at_ms, since_ms, slot, frame, digest, cause, received_at_ms, handed FROM delivery "

static const char held_sql[] =
	COLUMNS "WHERE taken = 0 AND slot = ? AND number > ? ORDER BY number";
static const char terms_sql[] = COLUMNS "WHERE answer_by_at_ms > 0 AND (taken = 0 OR since_ms >= ?)"
					" ORDER BY answer_by_at_ms";
static const char find_sql[] =
	COLUMNS "WHERE message_id = ?1 AND mailbox = ?2 AND (incarnation = ?3 AND wire_id = ?4"
		" OR incarnation <> ?3 AND cause = ?5 AND answer_by_at_ms = ?6"
		" AND received_at_ms = ?7) ORDER BY incarnation <> ?3, number LIMIT 1";

static bool read_delivery(const struct spool *s, sqlite3_stmt *stmt, struct spool_delivery *d)
{
	uint8_t digest[32];

	*d = (struct spool_delivery){ .number = sqlite3_column_int64(stmt, 0),
				      .taken = sqlite3_column_int(stmt, 1),
				      .mailbox = (uint64_t)sqlite3_column_int64(stmt, 3),
				      .wire_id = (uint64_t)sqlite3_column_int64(stmt, 4),
				      .told_id = (uint64_t)sqlite3_column_int64(stmt, 6),
				      .cause = sqlite3_column_int(stmt, 12),
				      .answer_by_at_ms = sqlite3_column_int64(stmt, 7),
				      .received_at_ms = sqlite3_column_int64(stmt, 13),
				      .handed = sqlite3_column_int(stmt, 14),
				      .since_ms = sqlite3_column_int64(stmt, 8),
				      .mine = sqlite3_column_int(stmt, 9) == s->slot,
				      .frame = sqlite3_column_blob(stmt, 10),
				      .len = (size_t)sqlite3_column_bytes(stmt, 10) };
	if (sqlite3_column_bytes(stmt, 2) != SPOOL_ID_BYTES ||
	    sqlite3_column_bytes(stmt, 5) != SPOOL_ID_BYTES ||
	    sqlite3_column_bytes(stmt, 11) != sizeof digest)
		return false;
	memcpy(d->message_id, sqlite3_column_blob(stmt, 2), SPOOL_ID_BYTES);
	memcpy(d->incarnation, sqlite3_column_blob(stmt, 5), SPOOL_ID_BYTES);
	return d->taken || (spool_digest(d->message_id, d->frame, d->len, digest) &&
			    memcmp(digest, sqlite3_column_blob(stmt, 11), sizeof digest) == 0);
}

static enum ieum_err each_delivery(struct spool *s, sqlite3_stmt *stmt, spool_delivery_cb *cb,
				   void *arg)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	struct spool_delivery d;

	while (stmt && spool_row(s, stmt, &err)) {
		if (!read_delivery(s, stmt, &d)) {
			sqlite3_reset(stmt);
			return spool_bad_row(s, "delivery", d.number);
		}
		if (!cb(&d, arg)) {
			sqlite3_reset(stmt);
			return IEUM_E_OK;
		}
	}
	return err;
}

enum ieum_err spool_held(struct spool *s, int64_t after, spool_delivery_cb *cb, void *arg)
{
	sqlite3_stmt *stmt = spool_query(s, held_sql);

	if (!stmt)
		return IEUM_E_NO_MEMORY;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_int64(stmt, 2, after);
	return each_delivery(s, stmt, cb, arg);
}

enum ieum_err spool_terms(struct spool *s, int64_t since_ms, spool_delivery_cb *cb, void *arg)
{
	sqlite3_stmt *stmt = spool_query(s, terms_sql);

	if (!stmt)
		return IEUM_E_NO_MEMORY;
	sqlite3_bind_int64(stmt, 1, since_ms);
	return each_delivery(s, stmt, cb, arg);
}

static bool keep_found(const struct spool_delivery *d, void *arg)
{
	struct spool_delivery *out = arg;

	*out = *d;
	out->frame = NULL;
	return false;
}

enum ieum_err spool_find_delivery(struct spool *s, const struct spool_delivery *like,
				  struct spool_delivery *out)
{
	sqlite3_stmt *stmt = spool_query(s, find_sql);

	*out = (struct spool_delivery){ 0 };
	if (!stmt)
		return IEUM_E_NO_MEMORY;
	sqlite3_bind_blob(stmt, 1, like->message_id, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)like->mailbox);
	sqlite3_bind_blob(stmt, 3, like->incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, (int64_t)like->wire_id);
	sqlite3_bind_int(stmt, 5, like->cause);
	sqlite3_bind_int64(stmt, 6, like->answer_by_at_ms);
	sqlite3_bind_int64(stmt, 7, like->received_at_ms);
	return each_delivery(s, stmt, keep_found, out);
}

/* ---- pages ---- */

enum ieum_err spool_keep_pages(struct spool *s, const char *name, int64_t as_of_ms,
			       const struct spool_page *pages, size_t n)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s, "DELETE FROM page WHERE name = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	err = spool_run(s, stmt, "keeping a page");
	for (size_t i = 0; i < n && !err; i++) {
		err = spool_change(s, "INSERT INTO page VALUES(?, ?, ?, ?)", &stmt);
		if (err)
			break;
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, (int64_t)i);
		sqlite3_bind_int64(stmt, 3, as_of_ms);
		sqlite3_bind_blob64(stmt, 4, pages[i].len ? (const void *)pages[i].bytes : "",
				    pages[i].len, SQLITE_STATIC);
		err = spool_run(s, stmt, "keeping a page");
	}
	return err;
}

enum ieum_err spool_pages(struct spool *s, const char *name, spool_page_cb *cb, void *arg)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	sqlite3_stmt *stmt =
		spool_query(s, "SELECT as_of_ms, bytes FROM page WHERE name = ? ORDER BY place");

	if (stmt)
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	while (stmt && spool_row(s, stmt, &err)) {
		const struct spool_page page = { sqlite3_column_blob(stmt, 1),
						 (size_t)sqlite3_column_bytes(stmt, 1) };

		if (!cb(sqlite3_column_int64(stmt, 0), &page, arg)) {
			sqlite3_reset(stmt);
			return IEUM_E_OK;
		}
	}
	return err;
}
