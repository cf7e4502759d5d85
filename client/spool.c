/* The spool's file: opening, slots, transactions, owner; see spool.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/spool_in.h"
#include "proto/sha256.h"

enum {
	PATH_BYTES = 4096,
	PAGE_BYTES = 4096,
	PAGES_SPARE = 4096, /* indexes and what is changed at the moment */
};
#define BYTES_MAX_DEFAULT ((uint64_t)256 << 20)

/* ---- errors ---- */

enum ieum_err spool_refuse(struct spool *s, enum ieum_err err, const char *format, ...)
{
	va_list args;
	int n = snprintf(s->why, sizeof s->why, "%s: ", s->path);

	va_start(args, format);
	if (n > 0 && (size_t)n < sizeof s->why)
		vsnprintf(s->why + n, sizeof s->why - (size_t)n, format, args);
	va_end(args);
	return err;
}

/* Where SQLite doesn't say so itself; not of a sync, after which nothing is known. */
static bool disk_is_full(const struct spool *s, int rc)
{
	bool wants_room = rc == SQLITE_IOERR_SHMSIZE || rc == SQLITE_IOERR_WRITE ||
			  (rc & 0xff) == SQLITE_CANTOPEN;
	int said = s->db && wants_room ? sqlite3_system_errno(s->db) : 0;

	return said == ENOSPC || said == EDQUOT;
}

enum ieum_err spool_failed(struct spool *s, const char *doing, int rc)
{
	const char *said = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);

	switch (disk_is_full(s, rc) ? SQLITE_FULL : rc & 0xff) {
	case SQLITE_FULL:
		return spool_refuse(s, IEUM_E_SPOOL_FULL, "no space left on its disk (%s)", doing);
	case SQLITE_NOMEM: return spool_refuse(s, IEUM_E_NO_MEMORY, "%s", doing);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return spool_refuse(s, IEUM_E_SPOOL_LOCKED, "another program holds it (%s)", doing);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return spool_refuse(s, IEUM_E_SPOOL_CORRUPT, "it is not as it was written (%s)",
				    doing);
	default:
		return spool_refuse(s, IEUM_E_FILE_UNREADABLE, "%s: %s; look at its disk", doing,
				    said);
	}
}

enum ieum_err spool_bad_row(struct spool *s, const char *table, int64_t number)
{
	return spool_refuse(s, IEUM_E_SPOOL_CORRUPT, "%s %" PRId64 " has changed on the disk",
			    table, number);
}

const char *spool_why(const struct spool *s)
{
	return s->why;
}

bool spool_digest(const uint8_t *id, const void *bytes, size_t len, uint8_t out[32])
{
	uint8_t both[SPOOL_ID_BYTES + SHA256_BYTES];

	memcpy(both, id, SPOOL_ID_BYTES);
	return sha256(bytes ? bytes : both, bytes ? len : 0, both + SPOOL_ID_BYTES) &&
	       sha256(both, sizeof both, out);
}

/* ---- statements ---- */

sqlite3_stmt *spool_query(struct spool *s, const char *sql)
{
	struct spool_statement *at = s->statements;

	for (; at < s->statements + SPOOL_STATEMENTS_MAX && at->sql; at++) {
		if (at->sql == sql) {
			sqlite3_reset(at->stmt);
			sqlite3_clear_bindings(at->stmt);
			return at->stmt;
		}
	}
	int rc = at < s->statements + SPOOL_STATEMENTS_MAX
			 ? sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &at->stmt,
					      NULL)
			 : SQLITE_NOMEM;
	if (rc) {
		(void)spool_failed(s, "asking", rc);
		return NULL;
	}
	at->sql = sql;
	return at->stmt;
}

bool spool_row(struct spool *s, sqlite3_stmt *stmt, enum ieum_err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return true;
	sqlite3_reset(stmt);
	*err = rc == SQLITE_DONE ? IEUM_E_OK : spool_failed(s, "reading", rc);
	return false;
}

enum ieum_err spool_run(struct spool *s, sqlite3_stmt *stmt, const char *doing)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? IEUM_E_OK : spool_failed(s, doing, rc);
}

/* ---- transactions ---- */

static enum ieum_err begin(struct spool *s)
{
	if (s->broken)
		return spool_refuse(s, IEUM_E_FILE_UNREADABLE,
				    "writing failed before; look at its disk and start again");
	/* What SQLite has rolled back by itself must not be followed by single commits. */
	if (s->writing && sqlite3_get_autocommit(s->db))
		return spool_failed(s, "writing", SQLITE_FULL);
	if (s->writing)
		return IEUM_E_OK;
	sqlite3_stmt *stmt = spool_query(s, "BEGIN IMMEDIATE");
	if (!stmt)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = spool_run(s, stmt, "writing");
	s->writing = !err;
	return err;
}

enum ieum_err spool_change(struct spool *s, const char *sql, sqlite3_stmt **out)
{
	enum ieum_err err = begin(s);

	*out = err ? NULL : spool_query(s, sql);
	return err ? err : *out ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

void spool_undo(struct spool *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->writing = false;
}

enum ieum_err spool_commit(struct spool *s)
{
	char why[SPOOL_WHY_BYTES];

	if (!s->writing)
		return IEUM_E_OK;
	/* A statement that failed may have rolled everything back already. */
	sqlite3_stmt *stmt = spool_query(s, "COMMIT");
	enum ieum_err err = !stmt ? IEUM_E_NO_MEMORY
			    : sqlite3_get_autocommit(s->db)
				    ? spool_failed(s, "writing", SQLITE_FULL)
				    : spool_run(s, stmt, "writing");
	if (err) {
		memcpy(why, s->why, sizeof why);
		spool_undo(s);
		memcpy(s->why, why, sizeof why);
		s->broken = err == IEUM_E_FILE_UNREADABLE;
	}
	s->writing = false;
	return err;
}

void spool_rollback(struct spool *s)
{
	if (s->writing)
		spool_undo(s);
}

bool spool_dirty(const struct spool *s)
{
	return s->writing;
}

enum ieum_err spool_room(struct spool *s, uint64_t bytes)
{
	sqlite3_stmt *stmt = spool_query(s, "SELECT bytes FROM size");
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!stmt || !spool_row(s, stmt, &err))
		return err ? err : spool_failed(s, "reading its size", SQLITE_CORRUPT);
	uint64_t used = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	if (used + bytes <= s->bytes_max)
		return IEUM_E_OK;
	return spool_refuse(s, IEUM_E_SPOOL_FULL,
			    "it holds %" PRIu64 " of %" PRIu64 " bytes, and this needs %" PRIu64,
			    used, s->bytes_max, bytes);
}

/* ---- slots ---- */

/* What open() and the like said. */
static enum ieum_err no_file(struct spool *s, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return spool_refuse(s, IEUM_E_SPOOL_FULL, "no space left on its disk (%s)", what);
	return spool_refuse(s, IEUM_E_FILE_UNREADABLE, "%s: %s", what, strerror(errno));
}

static bool try_slot(int fd, int slot)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1
	};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool spool_slot_lives(const struct spool *s, int slot)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1
	};

	if (slot == s->slot)
		return true;
	return fcntl(s->holders_fd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK;
}

static enum ieum_err take_slot(struct spool *s)
{
	char path[PATH_BYTES];

	if ((size_t)snprintf(path, sizeof path, "%s-holders", s->path) >= sizeof path)
		return spool_refuse(s, IEUM_E_FILE_UNREADABLE, "the path is too long");
	s->holders_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->holders_fd < 0)
		return no_file(s, path);
	for (s->slot = 1; s->slot <= SPOOL_SLOTS_MAX; s->slot++)
		if (try_slot(s->holders_fd, s->slot))
			return IEUM_E_OK;
	s->slot = 0;
	return spool_refuse(s, IEUM_E_SPOOL_LOCKED, "%d programs use it", SPOOL_SLOTS_MAX);
}

/* ---- opening ---- */

static enum ieum_err sync_folder(struct spool *s)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s", s->path);
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum ieum_err err = fd >= 0 && fsync(fd) == 0 ? IEUM_E_OK : no_file(s, "its folder");
	if (fd >= 0)
		close(fd);
	return err;
}

/* Nobody else may read it, from its first byte on. */
static enum ieum_err make_file(struct spool *s)
{
	struct stat st;

	if (spool_is_exchanged(s->path)) /* its slot is ours: nobody is salvaging it now */
		return spool_refuse(s, IEUM_E_SPOOL_CORRUPT,
				    "a salvage was cut short; finish it with `ieum spool salvage`");
	int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return sync_folder(s);
	}
	if (errno != EEXIST || stat(s->path, &st) != 0)
		return no_file(s, "its file");
	if (!S_ISREG(st.st_mode))
		return spool_refuse(s, IEUM_E_FILE_INVALID, "it is not a file");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return spool_refuse(s, IEUM_E_FILE_INVALID,
				    "others can read or write it; chmod 600");
	return IEUM_E_OK;
}

enum ieum_err spool_execute(struct spool *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc ? spool_failed(s, "opening", rc) : IEUM_E_OK;
}

static enum ieum_err look_whole(struct spool *s)
{
	sqlite3_stmt *stmt = NULL;
	enum ieum_err err = IEUM_E_OK;
	int rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);

	if (!rc)
		rc = sqlite3_step(stmt);
	const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (!said)
		err = spool_failed(s, "opening", rc);
	else if (strcmp(said, "ok") != 0)
		err = spool_refuse(s, IEUM_E_SPOOL_CORRUPT, "some of its pages are damaged");
	sqlite3_finalize(stmt);
	return err;
}

static enum ieum_err open_database(struct spool *s, const struct spool_options *o)
{
	char limit[64];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(s->path, &s->db, flags, o->vfs);

	if (rc)
		return spool_failed(s, "opening", rc);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, (int)(o->busy_ms ? o->busy_ms : SPOOL_BUSY_MS));
	snprintf(limit, sizeof limit, "PRAGMA max_page_count = %" PRIu64,
		 s->bytes_max / PAGE_BYTES * 3 / 2 + PAGES_SPARE);
	enum ieum_err err =
		spool_execute(s, "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;"
				 "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
				 "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF");
	if (!err)
		err = spool_execute(s, limit);
	if (!err)
		err = spool_know_schema(s);
	if (!err)
		err = look_whole(s);
	return err ? err : spool_renew_schema(s);
}

enum ieum_err spool_open(const struct spool_options *options, struct spool **out,
			 char why[SPOOL_WHY_BYTES])
{
	struct spool *s = calloc(1, sizeof *s);
	enum ieum_err err;

	*out = NULL;
	snprintf(why, SPOOL_WHY_BYTES, "%s", ieum_error(IEUM_E_NO_MEMORY)->text);
	if (!s)
		return IEUM_E_NO_MEMORY;
	s->holders_fd = -1;
	s->bytes_max = options->bytes_max ? options->bytes_max : BYTES_MAX_DEFAULT;
	s->path = strdup(options->path);
	if (!s->path) {
		spool_close(s);
		return IEUM_E_NO_MEMORY;
	}
	err = take_slot(s);
	if (!err)
		err = make_file(s);
	if (!err)
		err = open_database(s, options);
	if (!err && options->participant && options->hub) {
		err = spool_bind(s, options->participant, options->hub);
		if (!err)
			err = spool_commit(s);
	}
	if (err) {
		snprintf(why, SPOOL_WHY_BYTES, "%s", s->why);
		spool_close(s);
		return err;
	}
	*out = s;
	return IEUM_E_OK;
}

/* What was dropped isn't to lie in it until others, who have it open, end.  Where one of them is
 * writing now it does. */
static void clear_log(struct spool *s)
{
	sqlite3_busy_timeout(s->db, 0);
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SPOOL_STATEMENTS_MAX; i++)
		sqlite3_finalize(s->statements[i].stmt);
	if (s->db && s->writing)
		spool_undo(s);
	if (s->db && !s->broken)
		clear_log(s);
	sqlite3_close(s->db);
	if (s->holders_fd >= 0)
		close(s->holders_fd);
	free(s->path);
	free(s);
}

/* ---- owner ---- */

static enum ieum_err write_owner(struct spool *s, const char *participant, const char *hub)
{
	sqlite3_stmt *stmt;
	enum ieum_err err = spool_change(s, "UPDATE owner SET participant = ?, hub = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_text(stmt, 1, participant, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, hub, -1, SQLITE_STATIC);
	return spool_run(s, stmt, "binding its owner");
}

enum ieum_err spool_bind(struct spool *s, const char *participant, const char *hub)
{
	struct spool_sum sum;
	enum ieum_err err = spool_sum(s, &sum);

	if (err)
		return err;
	if (!sum.participant[0])
		return write_owner(s, participant, hub);
	if (strcmp(sum.participant, participant) == 0 && strcmp(sum.hub, hub) == 0)
		return IEUM_E_OK;
	return spool_refuse(s, IEUM_E_SPOOL_FOREIGN, "it belongs to %s at %s, not to %s at %s",
			    sum.participant, sum.hub, participant, hub);
}

enum ieum_err spool_note_hub(struct spool *s, const uint8_t *incarnation, uint64_t copied_through)
{
	sqlite3_stmt *stmt;
	enum ieum_err err =
		spool_change(s, "UPDATE owner SET incarnation = ?, copied_through = ?", &stmt);

	if (err)
		return err;
	sqlite3_bind_blob(stmt, 1, incarnation, SPOOL_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)copied_through);
	return spool_run(s, stmt, "noting the hub");
}

static enum ieum_err count_rows(struct spool *s, struct spool_sum *out)
{
	uint64_t *const counts[] = { &out->waiting, &out->receipted, &out->refused, &out->held };
	enum ieum_err err = IEUM_E_NO_MEMORY;
	sqlite3_stmt *stmt =
		spool_query(s, "SELECT state, count(*) FROM submit GROUP BY state UNION ALL"
			       " SELECT 3, count(*) FROM delivery WHERE taken = 0");

	while (stmt && spool_row(s, stmt, &err)) {
		int which = sqlite3_column_int(stmt, 0);

		if (which >= 0 && which < 4)
			*counts[which] = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return err;
}

static enum ieum_err read_receipt(struct spool *s, struct spool_sum *out)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	sqlite3_stmt *stmt = spool_query(s, "SELECT max(journal_number) FROM submit JOIN owner"
					    " ON submit.incarnation = owner.incarnation"
					    " WHERE state = 1");

	if (!stmt || !spool_row(s, stmt, &err))
		return err;
	out->receipt_number = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return IEUM_E_OK;
}

static void copy_text(sqlite3_stmt *stmt, int column, char *to, size_t room)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	snprintf(to, room, "%s", text ? (const char *)text : "");
}

enum ieum_err spool_sum(struct spool *s, struct spool_sum *out)
{
	enum ieum_err err = IEUM_E_NO_MEMORY;
	sqlite3_stmt *stmt =
		spool_query(s, "SELECT participant, hub, incarnation, copied_through, let_go, bytes"
			       " FROM owner, size");

	*out = (struct spool_sum){ .bytes_max = s->bytes_max };
	if (!stmt || !spool_row(s, stmt, &err))
		return err ? err : spool_failed(s, "reading its owner", SQLITE_CORRUPT);
	copy_text(stmt, 0, out->participant, sizeof out->participant);
	copy_text(stmt, 1, out->hub, sizeof out->hub);
	out->has_incarnation = sqlite3_column_bytes(stmt, 2) == SPOOL_ID_BYTES;
	if (out->has_incarnation)
		memcpy(out->incarnation, sqlite3_column_blob(stmt, 2), SPOOL_ID_BYTES);
	out->copied_through = (uint64_t)sqlite3_column_int64(stmt, 3);
	out->let_go = (uint64_t)sqlite3_column_int64(stmt, 4);
	out->bytes = (uint64_t)sqlite3_column_int64(stmt, 5);
	sqlite3_reset(stmt);
	err = read_receipt(s, out);
	return err ? err : count_rows(s, out);
}
