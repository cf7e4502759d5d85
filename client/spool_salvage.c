/* A damaged spool: saying what is wrong, and saving what can be read; see spool.h.
 *
 * Nothing is deleted: the old file is moved aside under a name with the time in it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/spool_in.h"

enum { PATH_BYTES = 4096 };

static bool add_line(char *why, const char *line)
{
	size_t used = strlen(why);

	snprintf(why + used, SPOOL_WHY_BYTES - used, "%s%s", used ? "\n" : "", line);
	return used + strlen(line) + 1 < SPOOL_WHY_BYTES;
}

/* Read only, by a file's own means: the spool's may refuse it. */
static int open_raw(const char *path, sqlite3 **db)
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
	bool fine = true;
	int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(8)", -1, &stmt, NULL);

	while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(stmt, 0);

		rc = SQLITE_OK;
		if (said && strcmp(said, "ok") == 0)
			continue;
		fine = false;
		if (!said || !add_line(why, said))
			break;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
		add_line(why, sqlite3_errmsg(db));
		return false;
	}
	return fine;
}

/* Row by row, going on behind each that can't be read. */
struct walk {
	sqlite3 *db;
	const char *table, *bytes; /* which column has a digest */
	uint64_t good, bad;
	char *why; /* NULL: not told */
	bool (*take)(sqlite3_stmt *row, void *arg);
	void *arg;
};

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

static void bad_row(struct walk *w, int64_t number)
{
	char line[128];

	w->bad++;
	snprintf(line, sizeof line, "%s %" PRId64 " can't be read as it was written", w->table,
		 number);
	if (w->why)
		add_line(w->why, line);
}

static void walk_rows(struct walk *w)
{
	char sql[256];
	sqlite3_stmt *numbers = NULL, *row = NULL;

	snprintf(sql, sizeof sql, "SELECT number FROM %s NOT INDEXED ORDER BY number", w->table);
	int rc = sqlite3_prepare_v2(w->db, sql, -1, &numbers, NULL);
	snprintf(sql, sizeof sql,
		 "SELECT number, message_id, %s, digest, * FROM %s WHERE number = ?", w->bytes,
		 w->table);
	if (!rc)
		rc = sqlite3_prepare_v2(w->db, sql, -1, &row, NULL);
	while (!rc && sqlite3_step(numbers) == SQLITE_ROW) {
		int64_t number = sqlite3_column_int64(numbers, 0);

		sqlite3_reset(row);
		sqlite3_bind_int64(row, 1, number);
		if (sqlite3_step(row) != SQLITE_ROW || !row_is_good(row, w->table))
			bad_row(w, number);
		else if (w->take && !w->take(row, w->arg))
			break;
		else
			w->good++;
	}
	if (rc || sqlite3_errcode(w->db) == SQLITE_CORRUPT) {
		w->bad++;
		if (w->why)
			add_line(w->why, sqlite3_errmsg(w->db));
	}
	sqlite3_finalize(numbers);
	sqlite3_finalize(row);
}

static uint64_t walk_all(sqlite3 *db, char *why)
{
	struct walk submits = { .db = db, .table = "submit", .bytes = "referral", .why = why };
	struct walk deliveries = { .db = db, .table = "delivery", .bytes = "frame", .why = why };

	walk_rows(&submits);
	walk_rows(&deliveries);
	return submits.bad + deliveries.bad;
}

enum ieum_err spool_check(const char *path, char why[SPOOL_WHY_BYTES])
{
	sqlite3 *db = NULL;
	enum ieum_err err = IEUM_E_OK;

	why[0] = '\0';
	if (access(path, R_OK | W_OK) != 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	if (open_raw(path, &db)) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path,
			 db ? sqlite3_errmsg(db) : "out of memory");
		err = IEUM_E_SPOOL_CORRUPT;
	} else if (!check_pages(db, why) || walk_all(db, why) > 0) {
		err = IEUM_E_SPOOL_CORRUPT;
	}
	sqlite3_close(db);
	return err;
}

/* ---- saving ---- */

/* Behind the four that every walk asks for. */
static int column_of(sqlite3_stmt *row, const char *name)
{
	int at = 4;

	while (at < sqlite3_column_count(row) && strcmp(sqlite3_column_name(row, at), name) != 0)
		at++;
	return at;
}

/* The row as it was, under the next number: in a new file nobody knows the old ones. */
static bool copy_row(struct spool *to, sqlite3_stmt *row, const char *insert,
		     const char *const *names)
{
	sqlite3_stmt *stmt;

	if (spool_change(to, insert, &stmt))
		return false;
	for (int i = 0; names[i]; i++)
		sqlite3_bind_value(stmt, i + 1,
				   sqlite3_column_value(row, column_of(row, names[i])));
	return spool_run(to, stmt, "saving a row") == IEUM_E_OK;
}

static bool save_message(sqlite3_stmt *row, void *arg)
{
	static const char *const names[] = { "state",       "message_id", "referral",
					     "digest",      "since_ms",   "stamped",
					     "on_wire",     "sealed",     "journal_number",
					     "incarnation", "code",       "detail",
					     NULL };
	return copy_row(arg, row,
			"INSERT INTO submit(slot, state, message_id, referral, digest, since_ms,"
			" stamped, on_wire, sealed, journal_number, incarnation, code, detail)"
			" VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			names);
}

static bool save_delivery(sqlite3_stmt *row, void *arg)
{
	static const char *const names[] = { "taken",           "message_id",  "mailbox",
					     "wire_id",         "incarnation", "told_id",
					     "answer_by_at_ms", "since_ms",    "frame",
					     "digest",          NULL };
	return copy_row(
		arg, row,
		"INSERT INTO delivery(slot, taken, message_id, mailbox, wire_id, incarnation,"
		" told_id, answer_by_at_ms, since_ms, frame, digest)"
		" VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		names);
}

static void save_owner(sqlite3 *from, struct spool *to)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(from, "SELECT participant, hub FROM owner", -1, &stmt, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) > 0)
		(void)!spool_bind(to, (const char *)sqlite3_column_text(stmt, 0),
				  (const char *)sqlite3_column_text(stmt, 1));
	sqlite3_finalize(stmt);
}

static enum ieum_err save_rows(const char *path, struct spool *to, struct spool_salvaged *out)
{
	sqlite3 *from = NULL;
	struct walk submits = {
		.table = "submit", .bytes = "referral", .take = save_message, .arg = to
	};
	struct walk deliveries = {
		.table = "delivery", .bytes = "frame", .take = save_delivery, .arg = to
	};

	if (open_raw(path, &from) == SQLITE_OK) {
		save_owner(from, to);
		submits.db = deliveries.db = from;
		walk_rows(&submits);
		walk_rows(&deliveries);
	}
	sqlite3_close(from);
	out->messages = submits.good;
	out->deliveries = deliveries.good;
	out->lost = submits.bad + deliveries.bad;
	return spool_commit(to);
}

static bool move(const char *from, const char *to, const char *suffix)
{
	char old[PATH_BYTES + 8], moved[PATH_BYTES + 8];

	snprintf(old, sizeof old, "%s%s", from, suffix);
	snprintf(moved, sizeof moved, "%s%s", to, suffix);
	return rename(old, moved) == 0 || errno == ENOENT;
}

/* All slots at once: nobody has it open. */
static int lock_all(const char *path)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = SPOOL_SLOTS_MAX
	};
	char holders[PATH_BYTES + 16];

	snprintf(holders, sizeof holders, "%s-holders", path);
	int fd = open(holders, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock)) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum ieum_err exchange(const char *path, const char *fresh, struct spool_salvaged *out,
			      char why[SPOOL_WHY_BYTES])
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out->aside, sizeof out->aside, "%.4000s.damaged-%s", path, when);
	if (move(path, out->aside, "-wal") && move(path, out->aside, "-shm") &&
	    move(path, out->aside, "") && move(fresh, path, ""))
		return IEUM_E_OK;
	snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
	return IEUM_E_FILE_UNREADABLE;
}

enum ieum_err spool_salvage(const char *path, struct spool_salvaged *out, char why[SPOOL_WHY_BYTES])
{
	char fresh[PATH_BYTES], leftover[PATH_BYTES + 16];
	const struct spool_options options = { .path = fresh, .bytes_max = UINT32_MAX };
	struct spool *to = NULL;
	int fd;

	*out = (struct spool_salvaged){ 0 };
	if ((size_t)snprintf(fresh, sizeof fresh, "%s.salvaged", path) >= sizeof fresh ||
	    access(path, R_OK | W_OK) != 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	fd = lock_all(path);
	if (fd < 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: another program uses it; end that program",
			 path);
		return IEUM_E_SPOOL_LOCKED;
	}
	unlink(fresh); /* of a try that was cut short: nothing was moved then */
	enum ieum_err err = spool_open(&options, &to, why);
	if (!err) {
		err = save_rows(path, to, out);
		if (err)
			snprintf(why, SPOOL_WHY_BYTES, "%s", spool_why(to));
		spool_close(to); /* the last one: its log is in the file now */
	}
	if (!err)
		err = exchange(path, fresh, out, why);
	snprintf(leftover, sizeof leftover, "%s-holders", fresh);
	unlink(leftover);
	close(fd);
	return err;
}
