/* The spool's tables, and how a file of an earlier version becomes one of ours; see spool.h.
 *
 *   1  as it began
 *   2  delivery.handed: whether an application may have been given it; of older rows that isn't
 *      known, so they say yes */
#include <inttypes.h>
#include <stdio.h>

#include "client/spool_in.h"

enum { APPLICATION_ID = 0x6965756d /* "ieum" */ };

/* `size` is kept by triggers, so that the limit holds whoever writes. */
static const char schema[] =
	"CREATE TABLE owner(id INTEGER PRIMARY KEY CHECK(id = 1), participant TEXT NOT NULL,"
	" hub TEXT NOT NULL, incarnation BLOB, copied_through INTEGER NOT NULL,"
	" let_go INTEGER NOT NULL) STRICT;"
	"INSERT INTO owner VALUES(1, '', '', NULL, 0, 0);"
	"CREATE TABLE size(id INTEGER PRIMARY KEY CHECK(id = 1), bytes INTEGER NOT NULL) STRICT;"
	"INSERT INTO size VALUES(1, 0);"
	"CREATE TABLE submit(number INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL,"
	" slot INTEGER NOT NULL, message_id BLOB NOT NULL, referral BLOB NOT NULL,"
	" digest BLOB NOT NULL, since_ms INTEGER NOT NULL, stamped INTEGER NOT NULL,"
	" on_wire INTEGER NOT NULL, sealed INTEGER NOT NULL, journal_number INTEGER,"
	" incarnation BLOB, code INTEGER, detail TEXT) STRICT;"
	"CREATE INDEX submit_state ON submit(state, slot, number);"
	"CREATE TABLE delivery(number INTEGER PRIMARY KEY AUTOINCREMENT, taken INTEGER NOT NULL,"
	" slot INTEGER NOT NULL, message_id BLOB NOT NULL, mailbox INTEGER NOT NULL,"
	" wire_id INTEGER NOT NULL, incarnation BLOB NOT NULL, told_id INTEGER NOT NULL,"
	" cause INTEGER NOT NULL, answer_by_at_ms INTEGER NOT NULL,"
	" received_at_ms INTEGER NOT NULL, since_ms INTEGER NOT NULL, frame BLOB,"
	" digest BLOB NOT NULL, handed INTEGER NOT NULL DEFAULT 1) STRICT;"
	"CREATE INDEX delivery_of ON delivery(message_id, mailbox, number);"
	"CREATE INDEX delivery_state ON delivery(taken, slot, number);"
	"CREATE TABLE page(name TEXT NOT NULL, place INTEGER NOT NULL, as_of_ms INTEGER NOT NULL,"
	" bytes BLOB NOT NULL, PRIMARY KEY(name, place)) STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER submit_put AFTER INSERT ON submit BEGIN"
	" UPDATE size SET bytes = bytes + length(new.referral); END;"
	"CREATE TRIGGER submit_gone AFTER DELETE ON submit BEGIN"
	" UPDATE size SET bytes = bytes - length(old.referral); END;"
	"CREATE TRIGGER submit_changed AFTER UPDATE OF referral ON submit BEGIN"
	" UPDATE size SET bytes = bytes - length(old.referral) + length(new.referral); END;"
	"CREATE TRIGGER delivery_put AFTER INSERT ON delivery BEGIN"
	" UPDATE size SET bytes = bytes + ifnull(length(new.frame), 0); END;"
	"CREATE TRIGGER delivery_gone AFTER DELETE ON delivery BEGIN"
	" UPDATE size SET bytes = bytes - ifnull(length(old.frame), 0); END;"
	"CREATE TRIGGER delivery_changed AFTER UPDATE OF frame ON delivery BEGIN"
	" UPDATE size SET bytes = bytes - ifnull(length(old.frame), 0)"
	" + ifnull(length(new.frame), 0); END;";

static const char from_1[] = "ALTER TABLE delivery ADD COLUMN handed INTEGER NOT NULL DEFAULT 1;"
			     "PRAGMA user_version = 2";

static enum ieum_err number_of(struct spool *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (!rc)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? IEUM_E_OK : spool_failed(s, "opening", rc);
}

static enum ieum_err make(struct spool *s)
{
	char marks[128];
	enum ieum_err err = spool_execute(s, schema);

	snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, SPOOL_VERSION);
	return err ? err : spool_execute(s, marks);
}

/* In one transaction, in which the version is looked at again: another process may have been quicker. */
static enum ieum_err bring_up(struct spool *s)
{
	int64_t version = 0;
	enum ieum_err err = spool_execute(s, "BEGIN IMMEDIATE");

	if (!err)
		err = number_of(s, "PRAGMA user_version", &version);
	if (!err && version == 0)
		err = make(s);
	else if (!err && version == 1)
		err = spool_execute(s, from_1);
	if (!err)
		err = spool_execute(s, "COMMIT");
	if (err)
		spool_undo(s);
	return err;
}

enum ieum_err spool_know_schema(struct spool *s)
{
	int64_t version = 0, application = 0;
	enum ieum_err err = number_of(s, "PRAGMA user_version", &version);

	if (!err)
		err = number_of(s, "PRAGMA application_id", &application);
	if (!err && version == 0 && application == 0)
		return bring_up(s);
	if (!err && application != APPLICATION_ID)
		err = spool_refuse(s, IEUM_E_SPOOL_CORRUPT,
				   "it is a database of another program; name another file");
	if (!err && (version < 1 || version > SPOOL_VERSION))
		err = spool_refuse(s, IEUM_E_SPOOL_CORRUPT,
				   "its version is %" PRId64 ", this program reads version %d; use"
				   " the newer program",
				   version, SPOOL_VERSION);
	return err;
}

enum ieum_err spool_renew_schema(struct spool *s)
{
	int64_t version = 0;
	enum ieum_err err = number_of(s, "PRAGMA user_version", &version);

	return err || version == SPOOL_VERSION ? err : bring_up(s);
}
