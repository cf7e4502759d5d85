/* The mark: a small file beside a journal that says how far it had come when it was last written
 * here.  A journal that has not come so far, or came there in another way, is a copy that was put
 * back; see docs/decisions/0023-a-restored-journal-is-found-by-its-mark.md.
 *
 * It is overwritten in place after every commit and not synced for it: it may lag behind what is
 * committed and never leads.  It says which file it was written into, so that a mark which was
 * copied along with its journal doesn't pass for one that was written here.
 *
 * A file belongs to one thread at a time, the journal's.  Its folder must be there. */
#ifndef IEUM_BROKER_JOURNAL_MARK_H
#define IEUM_BROKER_JOURNAL_MARK_H

#include "broker/journal/journal.h"

struct journal_mark {
	uint8_t incarnation[JOURNAL_INCARNATION_BYTES];
	uint64_t size; /* events in the journal after its last commit */
	struct merkle_hash root;
};

/* Which file: a copy has another inode or another time of birth. */
struct journal_mark_place {
	uint64_t inode;
	uint64_t born_ns; /* 0: this file system doesn't tell */
};

struct journal_mark_file {
	int fd; /* -1: closed */
	struct journal_mark_place place;
};

/* OK with *none NULL: *mark was written here.  OK with *none: there is no mark to go by, and why,
 * as the end of a sentence about the journal.  JOURNAL_IO, with errno: can't be read. */
enum ieum_err journal_mark_read(const char *path, struct journal_mark *mark,
				const char **none) IEUM_MUST_CHECK;

/* Makes the file, or takes the one that is there, and writes into it durably.  *file is the
 * caller's to close, also after an error.  DISK_FULL, JOURNAL_IO; with errno. */
enum ieum_err journal_mark_open(const char *path, const struct journal_mark *mark,
				struct journal_mark_file *file) IEUM_MUST_CHECK;

/* One write in place, not synced.  DISK_FULL, JOURNAL_IO; with errno. */
enum ieum_err journal_mark_write(const struct journal_mark_file *file,
				 const struct journal_mark *mark) IEUM_MUST_CHECK;

/* Syncs it, as well as that goes: a mark may lag. */
void journal_mark_close(struct journal_mark_file *file);

#endif
