/* The SQLite engine's files: creating, locking, opening, closing; see sqlite_store.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/journal/sqlite_store.h"

enum { PATH_BYTES = 4096 };

/* Append-only also against a slip of our own; the tree finds what goes round it.  An
 * erased payload keeps its row, so that "erased" and "never had one" stay apart. */
static const char schema[] =
	"CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1), incarnation BLOB NOT NULL,"
	" drill INTEGER NOT NULL, epoch INTEGER NOT NULL) STRICT;"
	"CREATE TABLE event(seq INTEGER PRIMARY KEY, kept BLOB NOT NULL) STRICT;"
	"CREATE TABLE payload(seq INTEGER PRIMARY KEY, salt BLOB, bytes BLOB) STRICT;"
	"CREATE TABLE tree(size INTEGER PRIMARY KEY, root BLOB NOT NULL, at_us INTEGER NOT NULL,"
	" frontier BLOB) STRICT;"
	"CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
	"CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
	"CREATE TRIGGER tree_kept BEFORE UPDATE ON tree BEGIN SELECT RAISE(ABORT, 'append-only'); END;"
	"CREATE TRIGGER tree_stays BEFORE DELETE ON tree BEGIN SELECT RAISE(ABORT, 'append-only'); END;";

static const char *const queries[QUERY_COUNT] = {
	[QUERY_BEGIN] = "BEGIN IMMEDIATE",
	[QUERY_COMMIT] = "COMMIT",
	[QUERY_ROLLBACK] = "ROLLBACK",
	[QUERY_EPOCH] = "SELECT epoch FROM meta WHERE id = 1",
	[QUERY_EVENT_PUT] = "INSERT INTO event(seq, kept) VALUES(?, ?)",
	[QUERY_PAYLOAD_PUT] = "INSERT INTO payload(seq, salt, bytes) VALUES(?, ?, ?)",
	[QUERY_PAYLOAD_ERASE] = "UPDATE payload SET salt = NULL, bytes = NULL WHERE seq = ?",
	[QUERY_TREE_PUT] = "INSERT INTO tree(size, root, at_us, frontier) VALUES(?, ?, ?, ?)",
	[QUERY_TREE_LAST] = "SELECT size, root, at_us FROM tree ORDER BY size DESC LIMIT 1",
	[QUERY_TREE_FROM] =
		"SELECT size, root, at_us FROM tree WHERE size >= ? ORDER BY size LIMIT 1",
	[QUERY_FRONTIER] =
		"SELECT size, frontier FROM tree WHERE frontier IS NOT NULL ORDER BY size DESC LIMIT 1",
	[QUERY_LOAD] = "SELECT seq, kept FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
	[QUERY_LOAD_PAYLOADS] = ("SELECT e.seq, e.kept, p.seq, p.salt, p.bytes FROM event e"
				 " LEFT JOIN payload p ON p.seq = e.seq"
				 " WHERE e.seq BETWEEN ? AND ? ORDER BY e.seq LIMIT ?"),
	/* Without reading a payload: what is NULL shows in the row's head. */
	[QUERY_LOAD_PRESENCE] = ("SELECT e.seq, e.kept, p.bytes IS NOT NULL FROM event e"
				 " LEFT JOIN payload p ON p.seq = e.seq"
				 " WHERE e.seq BETWEEN ? AND ? ORDER BY e.seq LIMIT ?"),
	[QUERY_PAYLOAD_GET] = "SELECT salt, bytes FROM payload WHERE seq = ?",
};

enum ieum_err sqlite_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return IEUM_E_OK;
	case SQLITE_FULL: return IEUM_E_DISK_FULL;
	case SQLITE_NOMEM: return IEUM_E_NO_MEMORY;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return IEUM_E_UNAVAILABLE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: return IEUM_E_JOURNAL_CORRUPT;
	default: return IEUM_E_JOURNAL_IO;
	}
}

enum ieum_err sqlite_failed(struct sqlite_store *s, const char *doing, int rc)
{
	journal_log(s->log_cb, s->log_ctx, "journal: %s: %s (%d)", doing,
		    s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc),
		    s->db ? sqlite3_extended_errcode(s->db) : rc);
	return sqlite_err(rc);
}

static enum ieum_err sync_folder(const char *path)
{
	char name[PATH_BYTES];
	enum ieum_err err = IEUM_E_OK;

	snprintf(name, sizeof name, "%s", path);
	int fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return IEUM_E_JOURNAL_IO;
	if (fsync(fd) != 0)
		err = IEUM_E_JOURNAL_IO;
	close(fd);
	return err;
}

/* A lock of its own: SQLite's would keep readers out as well. */
static enum ieum_err lock_for_writing(struct sqlite_store *s)
{
	char name[PATH_BYTES];

	snprintf(name, sizeof name, "%s-lock", s->path);
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0) {
		journal_log(s->log_cb, s->log_ctx, "journal: the lock file %s: %s", name,
			    strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return IEUM_E_OK;
	journal_log(s->log_cb, s->log_ctx, "journal: %s is open for writing in another process",
		    s->path);
	return IEUM_E_JOURNAL_LOCKED;
}

/* SQLite would make the file readable for everyone. */
static enum ieum_err make_file(struct sqlite_store *s, bool create)
{
	struct stat st;

	if (stat(s->path, &st) == 0)
		return IEUM_E_OK;
	if (!create) {
		journal_log(s->log_cb, s->log_ctx, "journal: %s: %s", s->path, strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		journal_log(s->log_cb, s->log_ctx, "journal: cannot make %s: %s", s->path,
			    strerror(errno));
		return IEUM_E_FILE_UNREADABLE;
	}
	close(fd);
	return sync_folder(s->path);
}

static enum ieum_err connect_db(struct sqlite_store *s, const struct journal_config *config)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc = sqlite3_open_v2(s->path, &s->db, flags, config->sqlite_vfs);

	if (rc)
		return sqlite_failed(s, "open", rc);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, SQLITE_BUSY_MS);
	return IEUM_E_OK;
}

static enum ieum_err run(struct sqlite_store *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc ? sqlite_failed(s, sql, rc) : IEUM_E_OK;
}

static enum ieum_err get_int(struct sqlite_store *s, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	*value = 0;
	if (!rc) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			*value = sqlite3_column_int64(stmt, 0);
	}
	enum ieum_err err = sqlite_err(rc) ? sqlite_failed(s, sql, rc) : IEUM_E_OK;
	sqlite3_finalize(stmt);
	return err;
}

static enum ieum_err run_with_incarnation(struct sqlite_store *s, const char *sql,
					  const uint8_t incarnation[JOURNAL_INCARNATION_BYTES],
					  bool drill)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (!rc) {
		sqlite3_bind_blob(stmt, 1, incarnation, JOURNAL_INCARNATION_BYTES, SQLITE_STATIC);
		if (sqlite3_bind_parameter_count(stmt) > 1)
			sqlite3_bind_int(stmt, 2, drill ? 1 : 0);
		rc = sqlite3_step(stmt);
	}
	enum ieum_err err = sqlite_err(rc) ? sqlite_failed(s, sql, rc) : IEUM_E_OK;
	sqlite3_finalize(stmt);
	return err;
}

enum ieum_err sqlite_store_start_incarnation(void *store,
					     const uint8_t incarnation[JOURNAL_INCARNATION_BYTES])
{
	return run_with_incarnation(store, "UPDATE meta SET incarnation = ? WHERE id = 1",
				    incarnation, false);
}

/* An empty file becomes a journal in one transaction. */
static enum ieum_err make_schema(struct sqlite_store *s, const struct journal_config *config)
{
	char sql[128];
	enum ieum_err err;

	snprintf(sql, sizeof sql, "PRAGMA page_size = %d", SQLITE_PAGE_BYTES);
	err = run(s, sql);
	if (!err)
		err = run(s, "PRAGMA journal_mode = WAL");
	if (!err)
		err = run(s, "BEGIN IMMEDIATE");
	if (!err)
		err = run(s, schema);
	if (!err)
		err = run_with_incarnation(
			s, "INSERT INTO meta(id, incarnation, drill, epoch) VALUES(1, ?, ?, 0)",
			config->incarnation, config->drill);
	snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 SQLITE_APPLICATION_ID, JOURNAL_SCHEMA_VERSION);
	if (!err)
		err = run(s, sql);
	if (!err)
		err = run(s, "COMMIT");
	return err;
}

static enum ieum_err check_schema(struct sqlite_store *s, const struct journal_config *config,
				  struct journal_info *info)
{
	int64_t application_id;
	int64_t version;
	int64_t tables;
	enum ieum_err err = get_int(s, "PRAGMA application_id", &application_id);

	if (!err)
		err = get_int(s, "PRAGMA user_version", &version);
	if (!err)
		err = get_int(s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (err)
		return err;
	info->schema_version = JOURNAL_SCHEMA_VERSION;
	if (application_id == 0 && version == 0 && tables == 0 && config->create &&
	    !config->read_only)
		return make_schema(s, config);
	if (application_id != SQLITE_APPLICATION_ID) {
		journal_log(s->log_cb, s->log_ctx, "journal: %s is not an ieum journal", s->path);
		return IEUM_E_JOURNAL_CORRUPT;
	}
	if (version < JOURNAL_SCHEMA_OLDEST || version > JOURNAL_SCHEMA_VERSION) {
		journal_log(
			s->log_cb, s->log_ctx,
			"journal: %s has schema version %lld, this ieum knows version %d: use a newer ieum",
			s->path, (long long)version, JOURNAL_SCHEMA_VERSION);
		return IEUM_E_JOURNAL_VERSION;
	}
	info->schema_version = (int)version;
	return IEUM_E_OK;
}

static enum ieum_err set_pragmas(struct sqlite_store *s, bool read_only)
{
	char sql[256];
	enum ieum_err err;

	/* secure_delete: an erased payload is overwritten, not only unlinked. */
	snprintf(
		sql, sizeof sql,
		"PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -%d;"
		"PRAGMA journal_size_limit = %d; PRAGMA secure_delete = ON; PRAGMA mmap_size = 0",
		SQLITE_CACHE_KIB, SQLITE_WAL_FILE_KEPT_BYTES);
	err = run(s, sql);
	if (!err && !read_only)
		err = run(s, "PRAGMA journal_mode = WAL");
	return err;
}

static enum ieum_err prepare_queries(struct sqlite_store *s)
{
	for (size_t i = 0; i < QUERY_COUNT; i++) {
		int rc = sqlite3_prepare_v3(s->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT,
					    &s->stmt[i], NULL);

		if (rc)
			return sqlite_failed(s, queries[i], rc);
	}
	return IEUM_E_OK;
}

static enum ieum_err read_meta(struct sqlite_store *s, struct journal_info *info)
{
	static const char sql[] = "SELECT incarnation, drill, epoch FROM meta WHERE id = 1";
	sqlite3_stmt *stmt = NULL;
	enum ieum_err err = IEUM_E_OK;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (!rc)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == JOURNAL_INCARNATION_BYTES) {
		memcpy(info->incarnation, sqlite3_column_blob(stmt, 0), JOURNAL_INCARNATION_BYTES);
		info->drill = sqlite3_column_int(stmt, 1) != 0;
		info->epoch = (uint64_t)sqlite3_column_int64(stmt, 2);
	} else {
		err = rc == SQLITE_ROW || rc == SQLITE_DONE ? IEUM_E_JOURNAL_CORRUPT
							    : sqlite_failed(s, sql, rc);
	}
	sqlite3_finalize(stmt);
	return err;
}

static int wal_grew_cb(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *s = ctx;

	(void)db;
	(void)name;
	s->wal_bytes = (size_t)pages * SQLITE_PAGE_BYTES;
	if (s->wal_bytes < s->wal_tried_bytes)
		s->wal_tried_bytes = 0; /* it has started anew */
	return SQLITE_OK;
}

/* Events that no commit counts can't come from a crash: the file was changed. */
static enum ieum_err check_end(struct sqlite_store *s)
{
	int64_t events;
	int64_t counted;
	enum ieum_err err = get_int(s, "SELECT max(seq) FROM event", &events);

	if (!err)
		err = get_int(s, "SELECT max(size) FROM tree", &counted);
	if (!err && events != counted) {
		journal_log(s->log_cb, s->log_ctx,
			    "journal: the last event is %lld, the last commit counts %lld",
			    (long long)events, (long long)counted);
		err = IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

/* From now on an older ieum keeps off: one with a lower epoch, and one that knows only a lower version. */
static enum ieum_err take_over(struct sqlite_store *s, struct journal_info *info)
{
	char sql[160];
	enum ieum_err err;

	if (info->schema_version < JOURNAL_SCHEMA_VERSION)
		journal_log(
			s->log_cb, s->log_ctx,
			"journal: %s had schema version %d and has %d from now on: an older ieum can't open it any more",
			s->path, info->schema_version, JOURNAL_SCHEMA_VERSION);
	snprintf(sql, sizeof sql,
		 "BEGIN IMMEDIATE; UPDATE meta SET epoch = epoch + 1 WHERE id = 1;"
		 "PRAGMA user_version = %d; COMMIT",
		 JOURNAL_SCHEMA_VERSION);
	err = run(s, sql);
	if (err)
		return err;
	info->epoch++;
	info->schema_version = JOURNAL_SCHEMA_VERSION;
	return IEUM_E_OK;
}

static enum ieum_err open_for_writing(struct sqlite_store *s, const struct journal_config *config,
				      struct journal_info *info)
{
	enum ieum_err err = check_end(s);

	if (err || config->drill != info->drill)
		return err; /* the front refuses it: leave the epoch alone */
	sqlite3_wal_hook(s->db, wal_grew_cb, s);
	err = take_over(s, info);
	if (err)
		return err;
	/* Whatever a crashed writer erased may still be readable in its WAL. */
	s->erased = true;
	return sqlite_checkpointer_start(s->path, config->sqlite_vfs, &s->checkpointer);
}

enum ieum_err sqlite_store_open(const struct journal_config *config, struct journal_info *info,
				void **store)
{
	struct sqlite_store *s = calloc(1, sizeof *s);
	enum ieum_err err;

	if (!s)
		return IEUM_E_NO_MEMORY;
	s->lock_fd = -1;
	s->mark_file.fd = -1;
	s->wal_mark_bytes = config->sqlite_wal_mark_bytes ? config->sqlite_wal_mark_bytes
							  : SQLITE_WAL_MARK_BYTES;
	s->log_cb = config->log_cb;
	s->log_ctx = config->log_ctx;
	s->path = config->path ? strdup(config->path) : NULL;
	err = s->path && strlen(s->path) < PATH_BYTES - 64 ? IEUM_E_OK : IEUM_E_FIELD_INVALID;
	if (!err)
		err = make_file(s, config->create && !config->read_only);
	if (!err && !config->read_only)
		err = lock_for_writing(s);
	if (!err)
		err = connect_db(s, config);
	if (!err)
		err = check_schema(s, config, info);
	if (!err)
		err = set_pragmas(s, config->read_only);
	if (!err)
		err = prepare_queries(s);
	if (!err)
		err = read_meta(s, info);
	if (!err && !config->read_only)
		err = open_for_writing(s, config, info);
	if (err)
		sqlite_store_close(s);
	else
		*store = s;
	return err;
}

void sqlite_store_close(void *store)
{
	struct sqlite_store *s = store;

	sqlite_checkpointer_stop(s->checkpointer);
	for (size_t i = 0; i < QUERY_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	journal_mark_close(&s->mark_file);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}
