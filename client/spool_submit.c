/* The spool's submits; see spool.h. */
#include <stdio.h>
#include <string.h>

#include "client/spool_in.h"

enum { SLOTS_SEEN = SPOOL_SLOTS_MAX + 1 };

/* What the 48 bits of an id can hold. */
#define ID_TIME_MAX ((INT64_C(1) << 48) - 1)

/* ---- writing ---- */

enum ieum_err spool_put(struct spool *s, const struct spool_message *m, int64_t *number)
{
	uint8_t digest[32];
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_room(s, m->len);

	if (!err && !spool_digest(m->message_id, m->referral, m->len, digest))
		err = IEUM_E_NO_MEMORY;
	if (!err)
		err = spool_change(
			s,
			"INSERT INTO submit(state, slot, message_id, referral, digest, since_ms,"
			" stamped, on_wire, sealed) VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?)",
			&stmt);
	if (err)
		return err;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_blob(stmt, 2, m->message_id, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 3, m->referral, m->len, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 4, digest, sizeof digest, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 5, m->since_ms);
	sqlite3_bind_int(stmt, 6, m->stamped ? 1 : 0);
	sqlite3_bind_int(stmt, 7, m->on_wire ? 1 : 0);
	sqlite3_bind_int(stmt, 8, (int)m->sealed);
	err = spool_run(s, stmt, "keeping a message");
	if (!err)
		*number = sqlite3_last_insert_rowid(s->db);
	return err;
}

enum ieum_err spool_replace(struct spool *s, const struct spool_message *m)
{
	uint8_t digest[32];
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s,
					 "UPDATE submit SET message_id = ?, referral = ?,"
					 " digest = ?, sealed = ?, on_wire = 1 WHERE number = ?",
					 &stmt);

	if (!err && !spool_digest(m->message_id, m->referral, m->len, digest))
		err = IEUM_E_NO_MEMORY;
	if (err)
		return err;
	sqlite3_bind_blob(stmt, 1, m->message_id, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, m->referral, m->len, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 3, digest, sizeof digest, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 4, (int)m->sealed);
	sqlite3_bind_int64(stmt, 5, m->number);
	return spool_run(s, stmt, "changing a message");
}

enum ieum_err spool_receipted(struct spool *s, int64_t number, const uint8_t *incarnation,
			      uint64_t journal_number)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s,
					 "UPDATE submit SET state = 1, incarnation = ?,"
					 " journal_number = ? WHERE number = ?",
					 &stmt);

	if (err)
		return err;
	sqlite3_bind_blob(stmt, 1, incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)journal_number);
	sqlite3_bind_int64(stmt, 3, number);
	return spool_run(s, stmt, "noting a receipt");
}

enum ieum_err spool_refused(struct spool *s, int64_t number, uint32_t code, const char *detail)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(
		s, "UPDATE submit SET state = 2, code = ?, detail = ? WHERE number = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, code);
	sqlite3_bind_text(stmt, 2, detail, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, number);
	return spool_run(s, stmt, "noting a refusal");
}

enum ieum_err spool_drop(struct spool *s, int64_t number)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s, "DELETE FROM submit WHERE number = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, number);
	return spool_run(s, stmt, "dropping a message");
}

/* The lowest id of a UUIDv7's time. */
static void id_of_time(int64_t ms, uint8_t out[SPOOL_ID_BYTES])
{
	uint64_t time = ms < 0 ? 0 : ms > ID_TIME_MAX ? ID_TIME_MAX : (uint64_t)ms;

	memset(out, 0, SPOOL_ID_BYTES);
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(time >> (40 - 8 * i));
}

enum ieum_err spool_sending(struct spool *s, int64_t after_ms, int64_t until_ms)
{
	uint8_t from[SPOOL_ID_BYTES], to[SPOOL_ID_BYTES];
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(
		s,
		"UPDATE submit SET on_wire = 1 WHERE state = 0 AND slot = ? AND on_wire = 0"
		" AND (stamped = 0 OR (message_id >= ? AND message_id < ?))",
		&stmt);

	if (err)
		return err;
	id_of_time(after_ms < INT64_MAX ? after_ms + 1 : after_ms, from);
	id_of_time(until_ms < INT64_MAX ? until_ms + 1 : until_ms, to);
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_blob(stmt, 2, from, sizeof from, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 3, to, sizeof to, SQLITE_STATIC);
	return spool_run(s, stmt, "noting what is sent");
}

enum ieum_err spool_resend(struct spool *s, int64_t number)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s,
					 "UPDATE submit SET state = 0, slot = ?, on_wire = 0,"
					 " stamped = 1, code = NULL, detail = NULL"
					 " WHERE number = ? AND state = 2",
					 &stmt);

	if (err)
		return err;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_int64(stmt, 2, number);
	return spool_run(s, stmt, "sending again");
}

enum ieum_err spool_copied(struct spool *s, const uint8_t *incarnation, uint64_t through)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s,
					 "DELETE FROM submit WHERE state = 1 AND incarnation = ?"
					 " AND journal_number <= ?",
					 &stmt);

	if (err)
		return err;
	sqlite3_bind_blob(stmt, 1, incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)through);
	return spool_run(s, stmt, "dropping what has a copy");
}

enum ieum_err spool_again(struct spool *s, const uint8_t *incarnation, size_t *n)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s,
					 "UPDATE submit SET state = 0, slot = ?, on_wire = 1"
					 " WHERE state = 1 AND incarnation <> ?",
					 &stmt);

	if (err)
		return err;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_blob(stmt, 2, incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	err = spool_run(s, stmt, "sending again");
	*n = err ? 0 : (size_t)sqlite3_changes64(s->db);
	return err;
}

/* The first number that may stay, so that the younger ones have at most so many bytes. */
static enum ieum_err first_kept(struct spool *s, uint64_t bytes, int64_t *out)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	uint64_t sum = 0;
	sqlite3_stmt *stmt = spool_query(s, "SELECT number, length(referral) FROM submit"
					    " WHERE state = 1 ORDER BY number DESC");

	*out = 0;
	while (stmt && spool_row(s, stmt, &err)) {
		sum += (uint64_t)sqlite3_column_int64(stmt, 1);
		if (sum > bytes) {
			*out = sqlite3_column_int64(stmt, 0) + 1;
			sqlite3_reset(stmt);
			return IEUM_E_OK;
		}
	}
	return err;
}

enum ieum_err spool_trim(struct spool *s, uint64_t bytes, size_t *n)
{
	int64_t first;
	sqlite3_stmt *stmt;
	enum ieum_err err = first_kept(s, bytes, &first);

	*n = 0;
	if (err || first == 0)
		return err;
	err = spool_change(s, "DELETE FROM submit WHERE state = 1 AND number < ?", &stmt);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, first);
	err = spool_run(s, stmt, "letting go the oldest");
	if (err)
		return err;
	*n = (size_t)sqlite3_changes64(s->db);
	err = spool_change(s, "UPDATE owner SET let_go = let_go + ?", &stmt);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, (int64_t)*n);
	return spool_run(s, stmt, "letting go the oldest");
}

/* ---- adopting ---- */

static enum ieum_err slots_of(struct spool *s, const char *sql, bool dead[SLOTS_SEEN])
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	sqlite3_stmt *stmt = spool_query(s, sql);

	memset(dead, 0, SLOTS_SEEN * sizeof *dead);
	while (stmt && spool_row(s, stmt, &err)) {
		int slot = sqlite3_column_int(stmt, 0);

		if (slot >= 0 && slot < SLOTS_SEEN)
			dead[slot] = slot == 0 || !spool_slot_lives(s, slot);
	}
	return err;
}

static enum ieum_err adopt(struct spool *s, const char *find, const char *take, size_t *n)
{
	bool dead[SLOTS_SEEN];
	sqlite3_stmt *stmt;
	enum ieum_err err = slots_of(s, find, dead); /* a look that costs no transaction */

	for (int slot = 0; slot < SLOTS_SEEN && !err; slot++) {
		if (!dead[slot])
			continue;
		/* Looked at again inside: whoever takes the slot now reads its rows later. */
		err = spool_change(s, take, &stmt);
		if (err || (slot > 0 && spool_slot_lives(s, slot)))
			continue;
		sqlite3_bind_int(stmt, 1, s->slot);
		sqlite3_bind_int(stmt, 2, slot);
		err = spool_run(s, stmt, "adopting");
		*n += err ? 0 : (size_t)sqlite3_changes64(s->db);
	}
	return err;
}

enum ieum_err spool_adopt(struct spool *s, bool deliveries, size_t *n)
{
	*n = 0;
	enum ieum_err err = adopt(s, "SELECT DISTINCT slot FROM submit WHERE state = 0",
				  "UPDATE submit SET slot = ? WHERE state = 0 AND slot = ?", n);
	if (!err && deliveries)
		err = adopt(s, "SELECT DISTINCT slot FROM delivery WHERE taken = 0",
			    "UPDATE delivery SET slot = ? WHERE taken = 0 AND slot = ?", n);
	return err;
}

/* ---- reading ---- */

static const char waiting_sql[] =
	"SELECT number, state, message_id, referral, digest, since_ms, stamped, on_wire, sealed,"
	" journal_number, code, detail, slot FROM submit"
	" WHERE state = 0 AND slot = ? AND number > ? ORDER BY number";
static const char all_sql[] =
	"SELECT number, state, message_id, referral, digest, since_ms, stamped, on_wire, sealed,"
	" journal_number, code, detail, slot FROM submit ORDER BY number";

static bool read_message(const struct spool *s, sqlite3_stmt *stmt, struct spool_message *m)
{
	uint8_t digest[32];

	*m = (struct spool_message){ .number = sqlite3_column_int64(stmt, 0),
				     .state = (enum spool_state)sqlite3_column_int(stmt, 1),
				     .referral = sqlite3_column_blob(stmt, 3),
				     .len = (size_t)sqlite3_column_bytes(stmt, 3),
				     .since_ms = sqlite3_column_int64(stmt, 5),
				     .stamped = sqlite3_column_int(stmt, 6),
				     .on_wire = sqlite3_column_int(stmt, 7),
				     .sealed = (enum spool_sealed)sqlite3_column_int(stmt, 8),
				     .journal_number = (uint64_t)sqlite3_column_int64(stmt, 9),
				     .code = (uint32_t)sqlite3_column_int64(stmt, 10),
				     .mine = sqlite3_column_int(stmt, 12) == s->slot };
	if (sqlite3_column_type(stmt, 11) == SQLITE_TEXT)
		snprintf(m->detail, sizeof m->detail, "%s",
			 (const char *)sqlite3_column_text(stmt, 11));
	if (sqlite3_column_bytes(stmt, 2) != SPOOL_ID_BYTES ||
	    sqlite3_column_bytes(stmt, 4) != sizeof digest)
		return false;
	memcpy(m->message_id, sqlite3_column_blob(stmt, 2), SPOOL_ID_BYTES);
	return spool_digest(m->message_id, m->referral, m->len, digest) &&
	       memcmp(digest, sqlite3_column_blob(stmt, 4), sizeof digest) == 0;
}

static enum ieum_err each_message(struct spool *s, sqlite3_stmt *stmt, spool_message_cb *cb,
				  void *arg)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	struct spool_message m;

	while (stmt && spool_row(s, stmt, &err)) {
		if (!read_message(s, stmt, &m)) {
			sqlite3_reset(stmt);
			return spool_bad_row(s, "message", m.number);
		}
		if (!cb(&m, arg)) {
			sqlite3_reset(stmt);
			return IEUM_E_OK;
		}
	}
	return err;
}

enum ieum_err spool_waiting(struct spool *s, int64_t after, spool_message_cb *cb, void *arg)
{
	sqlite3_stmt *stmt = spool_query(s, waiting_sql);

	if (!stmt)
		return IEUM_E_NO_MEMORY;
	sqlite3_bind_int(stmt, 1, s->slot);
	sqlite3_bind_int64(stmt, 2, after);
	return each_message(s, stmt, cb, arg);
}

enum ieum_err spool_messages(struct spool *s, spool_message_cb *cb, void *arg)
{
	return each_message(s, spool_query(s, all_sql), cb, arg);
}
