/* A disk whose power can be cut: a SQLite VFS that knows which writes were synced.
 *
 * Everything goes through to real files, so that the process under test sees what
 * it wrote.  Beside that it keeps what a disk promises to hold: the bytes as of each
 * file's last sync, and the writes since.  After a cut nothing more is written, and
 * power_restore() makes the files as a machine might find them at its next start.
 * SIGKILL can't show a missing fsync; this can.  Safe with several threads. */
#ifndef IEUM_TESTS_CRASH_POWER_VFS_H
#define IEUM_TESTS_CRASH_POWER_VFS_H

#include <stdbool.h>
#include <stdint.h>

struct power;

enum power_loss {
	POWER_LOSE_ALL,     /* nothing unsynced survives */
	POWER_KEEP_SECTORS, /* each unsynced 512-byte sector survives or not, by chance */
	POWER_KEEP_PREFIX,  /* some first writes survive, the next is torn, the rest is gone */
	POWER_KEEP_ALL,
	POWER_LOSSES,
};

/* Registers a VFS under this name (kept, not copied); one at a time per name. */
struct power *power_new(const char *name, uint64_t seed);
void power_free(struct power *p);

/* The n-th write, truncation or sync from now fails, and all after it; a sync that
 * is cut may or may not have done its work. */
void power_cut_after(struct power *p, unsigned n);
bool power_is_cut(struct power *p);

/* Writes, truncations and syncs so far. */
unsigned power_ops(struct power *p);

/* After so many more bytes, writes fail for want of space; UINT64_MAX: never. */
void power_space(struct power *p, uint64_t bytes);

/* Writes the files as they may be after the cut into another folder. */
void power_restore(struct power *p, enum power_loss loss, const char *folder);

#endif
