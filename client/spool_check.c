/* A damaged spool: what of it can be read, and saying what is wrong; see spool.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/spool_in.h"

enum { GAP_MAX = 4 * 1000 * 1000 /* numbers tried where no row can be read */ };

static bool add_line(char *why, const char *line)
{
	size_t used = strlen(why);

	snprintf(why + used, SPOOL_WHY_BYTES - used, "%s%s", used ? "\n" : "", line);
	return used + strlen(line) + 1 < SPOOL_WHY_BYTES;
}

int spool_open_raw(const char *path, sqlite3 **db)
{
	int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (!rc)
		sqlite3_busy_timeout(*db, SPOOL_BUSY_MS);
	return rc;
}

/* ---- looking ---- */

static bool check_pages(sqlite3 *db, char why[SPOOL_WHY_BYTES])
{
	sqlite3_stmt *stmt = NULL;
	bool fine = false;

	if (!sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(stmt, 0);

		fine = said && strcmp(said, "ok") == 0;
	}
	sqlite3_finalize(stmt);
	if (!fine)
		add_line(why, "some of its pages are damaged");
	return fine;
}

static bool row_is_good(sqlite3_stmt *row, const char *table)
{
	uint8_t digest[32];
	bool taken = strcmp(table, "delivery") == 0 && sqlite3_column_type(row, 2) == SQLITE_NULL;

	if (sqlite3_column_bytes(row, 1) != SPOOL_ID_BYTES ||
	    sqlite3_column_bytes(row, 3) != sizeof digest)
		return false;
	return taken || (spool_digest(sqlite3_column_blob(row, 1), sqlite3_column_blob(row, 2),
				      (size_t)sqlite3_column_bytes(row, 2), digest) &&
			 memcmp(digest, sqlite3_column_blob(row, 3), sizeof digest) == 0);
}

static bool is_submits(const struct spool_walk *w)
{
	return strcmp(w->table, "submit") == 0;
}

/* Its index lies in other pages than the table, and mostly still says how many rows there were.  0:
 * that can't be read either. */
static uint64_t rows_between(const struct spool_walk *w, int64_t first, int64_t last)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t n = 0;

	if (sqlite3_prepare_v2(w->db,
			       is_submits(w)
				       ? "SELECT count(*) FROM submit INDEXED BY submit_state"
					 " WHERE state >= 0 AND number BETWEEN ? AND ?"
				       : "SELECT count(*) FROM delivery INDEXED BY delivery_state"
					 " WHERE taken >= 0 AND number BETWEEN ? AND ?",
			       -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, first);
		sqlite3_bind_int64(stmt, 2, last);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			n = (uint64_t)sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return n;
}

static void bad_row(struct spool_walk *w, int64_t number)
{
	char line[128];

	w->bad++;
	snprintf(line, sizeof line, "%s %" PRId64 " can't be read as it was written",
		 is_submits(w) ? "message" : "delivery", number);
	if (w->why)
		add_line(w->why, line);
}

/* None of these numbers can be read; some may have gone long before. */
static void bad_rows(struct spool_walk *w, int64_t first, int64_t last)
{
	char line[128];

	if (last == first) {
		bad_row(w, first);
		return;
	}
	uint64_t n = rows_between(w, first, last);
	w->bad += n ? n : 1;
	snprintf(line, sizeof line,
		 "%s %" PRId64 " to %" PRId64 " can't be read as they were written (rows: %" PRIu64
		 "%s)",
		 is_submits(w) ? "messages" : "deliveries", first, last, n ? n : 1,
		 n ? "" : " or more");
	if (w->why)
		add_line(w->why, line);
}

/* 0 where it can't be told. */
static int64_t number_told(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t number = 0;

	if (!sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) && sqlite3_step(stmt) == SQLITE_ROW)
		number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

/* Behind it no row is looked for.  Either of the two may be damaged itself. */
static int64_t last_number(const struct spool_walk *w)
{
	char sql[128];
	int64_t given, there;

	snprintf(sql, sizeof sql, "SELECT seq FROM sqlite_sequence WHERE name = '%s'", w->table);
	given = number_told(w->db, sql);
	snprintf(sql, sizeof sql, "SELECT number FROM %s NOT INDEXED ORDER BY number DESC LIMIT 1",
		 w->table);
	there = number_told(w->db, sql);
	return given == 0 && there == 0 ? INT64_MAX : given > there ? given : there;
}

enum found { FOUND_GOOD, FOUND_BAD, FOUND_NOTHING, FOUND_END, FOUND_STOP };

/* The first row from this number on. */
static enum found look_at(struct spool_walk *w, sqlite3_stmt *row, int64_t from, int64_t last,
			  int64_t *number)
{
	int rc;

	sqlite3_reset(row);
	sqlite3_bind_int64(row, 1, from);
	rc = sqlite3_step(row);
	if (rc == SQLITE_DONE)
		return FOUND_END;
	if (rc != SQLITE_ROW)
		return FOUND_NOTHING;
	*number = sqlite3_column_int64(row, 0);
	if (*number < from)
		return FOUND_NOTHING;
	if (!row_is_good(row, w->table))
		return *number > last ? FOUND_NOTHING : FOUND_BAD;
	return w->take && !w->take(row, w->arg) ? FOUND_STOP : FOUND_GOOD;
}

/* Number by number only through what is damaged: a page that can't be read hides what lies behind
 * it from whoever walks along, but not from whoever asks for a number behind it. */
static void walk_from_first(struct spool_walk *w, sqlite3_stmt *row)
{
	int64_t last = last_number(w), named = 0, gap = 0; /* 0: none */

	for (int64_t at = 1; at < INT64_MAX; at++) {
		int64_t number = at;
		enum found found = look_at(w, row, at, last, &number);

		if (found == FOUND_NOTHING && !gap)
			gap = at;
		if (gap && (found != FOUND_NOTHING || at >= last || at - gap >= GAP_MAX)) {
			bad_rows(w, gap, found == FOUND_NOTHING ? at : at - 1);
			gap = 0;
			if (found == FOUND_NOTHING)
				return;
		}
		if (found == FOUND_END || found == FOUND_STOP)
			return;
		if (found == FOUND_BAD && number != named)
			bad_row(w, named = number);
		/* The number of a bad row may be wrong as well: nothing up to it is passed over. */
		if (found == FOUND_GOOD) {
			w->good++;
			at = number;
		}
	}
}

void spool_walk_rows(struct spool_walk *w)
{
	char sql[256];
	sqlite3_stmt *row = NULL;

	snprintf(sql, sizeof sql,
		 "SELECT number, message_id, %s, digest, * FROM %s NOT INDEXED WHERE number >= ?"
		 " ORDER BY number LIMIT 1",
		 w->bytes, w->table);
	if (sqlite3_prepare_v2(w->db, sql, -1, &row, NULL)) {
		w->bad++;
		if (w->why)
			add_line(w->why, "some of its rows can't be asked for");
		return;
	}
	walk_from_first(w, row);
	sqlite3_finalize(row);
}

static uint64_t walk_all(sqlite3 *db, char *why)
{
	struct spool_walk submits = {
		.db = db, .table = "submit", .bytes = "referral", .why = why
	};
	struct spool_walk deliveries = {
		.db = db, .table = "delivery", .bytes = "frame", .why = why
	};

	spool_walk_rows(&submits);
	spool_walk_rows(&deliveries);
	return submits.bad + deliveries.bad;
}

enum ieum_err spool_check(const char *path, char why[SPOOL_WHY_BYTES])
{
	sqlite3 *db = NULL;
	enum ieum_err err = IEUM_E_OK;

	why[0] = '\0';
	if (spool_is_exchanged(path)) {
		snprintf(why, SPOOL_WHY_BYTES,
			 "%s: a salvage was cut short; finish it with `ieum spool salvage`", path);
		return IEUM_E_SPOOL_CORRUPT;
	}
	if (access(path, R_OK | W_OK) != 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	if (spool_open_raw(path, &db)) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path,
			 db ? sqlite3_errmsg(db) : "out of memory");
		err = IEUM_E_SPOOL_CORRUPT;
	} else {
		/* Which messages, before which pages: that is what its user has to do something about. */
		bool bad = walk_all(db, why) > 0;

		if (!check_pages(db, why) || bad)
			err = IEUM_E_SPOOL_CORRUPT;
	}
	sqlite3_close(db);
	return err;
}
