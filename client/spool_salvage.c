/* A damaged spool: saying what is wrong, and saving what can be read; see spool.h.
 *
 *   PATH ──rows that can be read──► PATH.salvaging ──whole, synced──► PATH.salvaged ──► PATH
 *
 * Nothing is deleted: before the last step the old file gets a second name with the time in it.
 * What always holds: PATH is the old file or the new one, whole; while PATH.salvaged is there it
 * isn't opened, because then the old file may lack its log. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/spool_in.h"

enum {
	PATH_BYTES = 4096,
	GAP_MAX = 4 * 1000 * 1000, /* numbers tried where no row can be read */
};

/* What a salvage makes, and what it calls that once it is whole. */
static const char making[] = ".salvaging", whole[] = ".salvaged";

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

static void bad_rows(struct walk *w, int64_t first, int64_t last)
{
	char line[128], to[32] = "";

	w->bad++;
	if (last > first)
		snprintf(to, sizeof to, " to %" PRId64, last);
	snprintf(line, sizeof line, "%s %" PRId64 "%s can't be read as it was written", w->table,
		 first, to);
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
static int64_t last_number(const struct walk *w)
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
static enum found look_at(struct walk *w, sqlite3_stmt *row, int64_t from, int64_t last,
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
static void walk_from_first(struct walk *w, sqlite3_stmt *row)
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
			bad_rows(w, named = number, number);
		/* The number of a bad row may be wrong as well: nothing up to it is passed over. */
		if (found == FOUND_GOOD) {
			w->good++;
			at = number;
		}
	}
}

static void walk_rows(struct walk *w)
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
			add_line(w->why, sqlite3_errmsg(w->db));
		return;
	}
	walk_from_first(w, row);
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
	if (spool_is_exchanged(path)) {
		snprintf(why, SPOOL_WHY_BYTES,
			 "%s: a salvage was cut short; finish it with `ieum spool salvage`", path);
		return IEUM_E_SPOOL_CORRUPT;
	}
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
					     "cause",           "answer_by_at_ms",
					     "received_at_ms",  "since_ms",    "frame",
					     "digest",          NULL };
	return copy_row(
		arg, row,
		"INSERT INTO delivery(slot, taken, message_id, mailbox, wire_id, incarnation,"
		" told_id, cause, answer_by_at_ms, received_at_ms, since_ms, frame, digest)"
		" VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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

/* ---- the exchange ---- */

static bool beside(char out[PATH_BYTES], const char *path, const char *suffix)
{
	return (size_t)snprintf(out, PATH_BYTES, "%s%s", path, suffix) < PATH_BYTES;
}

static bool is_there(const char *path, const char *suffix)
{
	char name[PATH_BYTES];

	return beside(name, path, suffix) && access(name, F_OK) == 0;
}

static bool give_name(const char *path, const char *aside, const char *suffix)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	return beside(from, path, suffix) && beside(to, aside, suffix) &&
	       (link(from, to) == 0 || errno == ENOENT);
}

static bool forget(const char *path, const char *suffix)
{
	char name[PATH_BYTES];

	return beside(name, path, suffix) && (unlink(name) == 0 || errno == ENOENT);
}

static bool take_name(const char *from, const char *from_suffix, const char *to,
		      const char *to_suffix)
{
	char old[PATH_BYTES], new[PATH_BYTES];

	return beside(old, from, from_suffix) && beside(new, to, to_suffix) &&
	       rename(old, new) == 0;
}

static bool sync_folder_of(const char *path)
{
	char folder[PATH_BYTES];
	int fd;

	snprintf(folder, sizeof folder, "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced;
}

/* A name that nothing has, with the time in it. */
static bool name_aside(const char *path, char out[PATH_BYTES])
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 0; i < 100; i++) {
		char again[8] = "";

		if (i > 0)
			snprintf(again, sizeof again, "-%u", i);
		if ((size_t)snprintf(out, PATH_BYTES, "%s.damaged-%s%s", path, when, again) >=
		    PATH_BYTES)
			break;
		if (access(out, F_OK) != 0)
			return true;
	}
	errno = EEXIST;
	return false;
}

/* From the moment that the new file is whole until it has the name, the old one isn't opened any
 * more: its log may be gone.  A crash in between leaves the rest to the next salvage. */
static enum ieum_err exchange(const char *path, struct spool_salvaged *out,
			      char why[SPOOL_WHY_BYTES])
{
	if (name_aside(path, out->aside) && give_name(path, out->aside, "") &&
	    give_name(path, out->aside, "-wal") && sync_folder_of(path) && forget(path, "-wal") &&
	    forget(path, "-shm") && take_name(path, whole, path, "") && sync_folder_of(path))
		return IEUM_E_OK;
	snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
	return IEUM_E_FILE_UNREADABLE;
}

bool spool_is_exchanged(const char *path)
{
	return is_there(path, whole);
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

/* Makes PATH.salvaged, whole and on the disk. */
static enum ieum_err make_new(const char *path, struct spool_salvaged *out,
			      char why[SPOOL_WHY_BYTES])
{
	char fresh[PATH_BYTES];
	const struct spool_options options = { .path = fresh, .bytes_max = UINT32_MAX };
	struct spool *to = NULL;

	/* Of a try that was cut short: nothing was exchanged then. */
	if (!beside(fresh, path, making) || !forget(fresh, "") || !forget(fresh, "-wal")) {
		snprintf(why, SPOOL_WHY_BYTES, "%s%s: %s", path, making, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	enum ieum_err err = spool_open(&options, &to, why);
	if (!err) {
		err = save_rows(path, to, out);
		if (err)
			snprintf(why, SPOOL_WHY_BYTES, "%s", spool_why(to));
		spool_close(to); /* the last one: its log is in the file now */
	}
	forget(fresh, "-holders");
	if (!err && is_there(fresh, "-wal")) {
		snprintf(why, SPOOL_WHY_BYTES,
			 "%s: it can't be finished; make room on its disk and try again", path);
		err = IEUM_E_SPOOL_FULL;
	}
	if (!err && !(take_name(fresh, "", path, whole) && sync_folder_of(path))) {
		snprintf(why, SPOOL_WHY_BYTES, "%s%s: %s", path, making, strerror(errno));
		err = IEUM_E_FILE_UNREADABLE;
	}
	return err;
}

/* What an earlier salvage saved. */
static void count_saved(const char *path, struct spool_salvaged *out)
{
	char fresh[PATH_BYTES];
	sqlite3 *db = NULL;
	struct walk submits = { .table = "submit", .bytes = "referral" };
	struct walk deliveries = { .table = "delivery", .bytes = "frame" };

	if (beside(fresh, path, whole) && open_raw(fresh, &db) == SQLITE_OK) {
		submits.db = deliveries.db = db;
		walk_rows(&submits);
		walk_rows(&deliveries);
	}
	sqlite3_close(db);
	out->messages = submits.good;
	out->deliveries = deliveries.good;
}

enum ieum_err spool_salvage(const char *path, struct spool_salvaged *out, char why[SPOOL_WHY_BYTES])
{
	bool exchanged = spool_is_exchanged(path);
	enum ieum_err err = IEUM_E_OK;

	*out = (struct spool_salvaged){ 0 };
	if (!exchanged && access(path, R_OK | W_OK) != 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: %s", path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	int fd = lock_all(path);
	if (fd < 0) {
		snprintf(why, SPOOL_WHY_BYTES, "%s: another program uses it; end that program",
			 path);
		return IEUM_E_SPOOL_LOCKED;
	}
	if (exchanged)
		count_saved(path, out);
	else
		err = make_new(path, out, why);
	if (!err)
		err = exchange(path, out, why);
	close(fd);
	return err;
}
