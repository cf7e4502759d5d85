/* A damaged spool: saving what can be read; see spool.h.
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

enum { PATH_BYTES = 4096 };

/* What a salvage makes, and what it calls that once it is whole. */
static const char making[] = ".salvaging", whole[] = ".salvaged";

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
	static const char *const names[] = {
		"taken",          "message_id", "mailbox", "wire_id",
		"incarnation",    "told_id",    "cause",   "answer_by_at_ms",
		"received_at_ms", "since_ms",   "frame",   "digest",
		"handed",         NULL
	};
	return copy_row(
		arg, row,
		"INSERT INTO delivery(slot, taken, message_id, mailbox, wire_id, incarnation,"
		" told_id, cause, answer_by_at_ms, received_at_ms, since_ms, frame, digest,"
		" handed) VALUES(0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ifnull(?, 1))",
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
	struct spool_walk submits = {
		.table = "submit", .bytes = "referral", .take = save_message, .arg = to
	};
	struct spool_walk deliveries = {
		.table = "delivery", .bytes = "frame", .take = save_delivery, .arg = to
	};

	if (spool_open_raw(path, &from) == SQLITE_OK) {
		save_owner(from, to);
		submits.db = deliveries.db = from;
		spool_walk_rows(&submits);
		spool_walk_rows(&deliveries);
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
	struct spool_walk submits = { .table = "submit", .bytes = "referral" };
	struct spool_walk deliveries = { .table = "delivery", .bytes = "frame" };

	if (beside(fresh, path, whole) && spool_open_raw(fresh, &db) == SQLITE_OK) {
		submits.db = deliveries.db = db;
		spool_walk_rows(&submits);
		spool_walk_rows(&deliveries);
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
