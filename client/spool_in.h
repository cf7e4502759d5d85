/* Inside the spool; see spool.h.
 *
 *   spool.c          opening, slots, transactions, owner
 *   spool_schema.c   tables, versions
 *   spool_submit.c   rows of `submit`
 *   spool_deliver.c  rows of `delivery`, pages
 *   spool_check.c    looking at a damaged one
 *   spool_salvage.c  saving what can be read of it */
#ifndef IEUM_CLIENT_SPOOL_IN_H
#define IEUM_CLIENT_SPOOL_IN_H

#include <sqlite3.h>

#include "client/spool.h"

enum { SPOOL_STATEMENTS_MAX = 48 };

struct spool_statement {
	const char *sql; /* the literal itself is the key */
	sqlite3_stmt *stmt;
};

struct spool {
	sqlite3 *db;
	char *path;
	int holders_fd;
	int slot; /* from 1 */
	uint64_t bytes_max;
	bool writing; /* a transaction is open */
	bool broken;  /* what the disk has isn't known */
	struct spool_statement statements[SPOOL_STATEMENTS_MAX];
	char why[SPOOL_WHY_BYTES];
};

/* Remembers what SQLite said. */
enum ieum_err spool_failed(struct spool *s, const char *doing, int rc);
/* An error of our own. */
enum ieum_err spool_refuse(struct spool *s, enum ieum_err err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The prepared statement of a literal, reset; NULL: spool_why() says it. */
sqlite3_stmt *spool_query(struct spool *s, const char *sql);
/* The same, inside a transaction. */
enum ieum_err spool_change(struct spool *s, const char *sql, sqlite3_stmt **out) IEUM_MUST_CHECK;
/* Runs one that gives no rows, and resets it. */
enum ieum_err spool_run(struct spool *s, sqlite3_stmt *stmt, const char *doing) IEUM_MUST_CHECK;
/* One step: true with a row; false at the end or after an error, in *err. */
bool spool_row(struct spool *s, sqlite3_stmt *stmt, enum ieum_err *err);

/* Statements that give no rows, beside any transaction of ours; undoing what is open. */
enum ieum_err spool_execute(struct spool *s, const char *sql) IEUM_MUST_CHECK;
void spool_undo(struct spool *s);

/* Makes the tables of a new file; else it has to be a spool, of this version or an earlier one.  The
 * second makes one of this version of it, once its pages were looked at. */
enum ieum_err spool_know_schema(struct spool *s) IEUM_MUST_CHECK;
enum ieum_err spool_renew_schema(struct spool *s) IEUM_MUST_CHECK;

/* Does a living process have the slot? */
bool spool_slot_lives(const struct spool *s, int slot);

/* Room for so many bytes more?  SPOOL_FULL. */
enum ieum_err spool_room(struct spool *s, uint64_t bytes) IEUM_MUST_CHECK;

/* Is the file about to be exchanged for a salvaged one?  Then it isn't opened. */
bool spool_is_exchanged(const char *path);

/* Opens the file as any database: as a spool it may be refused.  A code of SQLite's. */
int spool_open_raw(const char *path, sqlite3 **db);

/* Row by row in the order of their numbers, going on behind each that can't be read. */
struct spool_walk {
	sqlite3 *db;
	const char *table, *bytes; /* which column has a digest */
	uint64_t good, bad;
	char *why; /* SPOOL_WHY_BYTES, a line for what is bad is added; NULL: not told */
	/* A row's columns: number, message_id, bytes, digest, then all.  False: stop.  May be NULL. */
	bool (*take)(sqlite3_stmt *row, void *arg);
	void *arg;
};
void spool_walk_rows(struct spool_walk *w);

/* A row's digest: its id, what it is and its bytes. */
bool spool_digest(const uint8_t *id, const void *bytes, size_t len, uint8_t out[32]);
/* SPOOL_CORRUPT, naming the row. */
enum ieum_err spool_bad_row(struct spool *s, const char *table, int64_t number);

#endif
