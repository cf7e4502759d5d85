/* The SQLite engine's mark: PATH-mark, overwritten after every commit; see mark.h.
 *
 * A mark that can't be written is owed: the batch before it is committed and stays so, and the
 * next one is not begun before the mark is there.  So it lags by one batch at most, and a full
 * disk is what it is everywhere else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/journal/sqlite_store.h"

enum { NAME_BYTES = 4096 };

static void name_of(const struct sqlite_store *s, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%s-mark", s->path);
}

static enum ieum_err failed(const struct sqlite_store *s, enum ieum_err err)
{
	journal_log(s->log_cb, s->log_ctx, "journal: the mark %s-mark: %s", s->path,
		    strerror(errno));
	return err;
}

enum ieum_err sqlite_mark_read(void *store, struct journal_mark *mark, const char **none)
{
	struct sqlite_store *s = store;
	char name[NAME_BYTES];

	name_of(s, name);
	enum ieum_err err = journal_mark_read(name, mark, none);
	return err ? failed(s, err) : IEUM_E_OK;
}

enum ieum_err sqlite_mark_begin(void *store, const struct journal_mark *mark)
{
	struct sqlite_store *s = store;
	char name[NAME_BYTES];

	name_of(s, name);
	s->mark = *mark;
	enum ieum_err err = journal_mark_open(name, mark, &s->mark_file);
	return err ? failed(s, err) : IEUM_E_OK;
}

enum ieum_err sqlite_mark_settle(struct sqlite_store *s)
{
	if (!s->mark_owed)
		return IEUM_E_OK;
	enum ieum_err err = journal_mark_write(&s->mark_file, &s->mark);
	if (err)
		return failed(s, err);
	s->mark_owed = false;
	return IEUM_E_OK;
}

void sqlite_mark_commit(struct sqlite_store *s, const struct journal_commit *commit)
{
	s->mark.size = commit->size;
	s->mark.root = commit->root;
	s->mark_owed = journal_mark_write(&s->mark_file, &s->mark) != IEUM_E_OK;
}
