/* Snapshots as files beside the journal: <journal>.snapshot-<seq, 20 digits>.
 *
 * Written to a temporary name, synced, then renamed: a name without ".tmp" is a whole
 * file, or a disk that lied, which the front's checksum finds.  No SQLite here; the
 * store's path is all that is used, so the snapshotter's thread may put while others
 * read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broker/journal/sqlite_store.h"

enum { NAME_BYTES = 4096, SEQ_DIGITS = 20, FILES_MAX = 64 };

static const char infix[] = ".snapshot-";

struct snapshot_names {
	char folder[NAME_BYTES];
	char prefix[NAME_BYTES]; /* file name without folder, up to and with the infix */
};

/* Fills *names. */
static void split_path(const char *path, struct snapshot_names *names)
{
	char copy[NAME_BYTES];

	snprintf(copy, sizeof copy, "%s", path);
	snprintf(names->folder, sizeof names->folder, "%s", dirname(copy));
	snprintf(copy, sizeof copy, "%s", path);
	size_t n = (size_t)snprintf(names->prefix, sizeof names->prefix, "%s", basename(copy));
	snprintf(names->prefix + n, sizeof names->prefix - n, "%s", infix);
}

static void file_name(const struct sqlite_store *s, uint64_t seq, const char *suffix,
		      char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%s%s%0*llu%s", s->path, infix, SEQ_DIGITS,
		 (unsigned long long)seq, suffix);
}

static enum ieum_err io_failed(struct sqlite_store *s, const char *doing)
{
	int why = errno;

	journal_log(s->log_cb, s->log_ctx, "journal: snapshot: %s: %s", doing, strerror(why));
	return why == ENOSPC || why == EDQUOT ? IEUM_E_DISK_FULL : IEUM_E_JOURNAL_IO;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The seq in a snapshot's file name, 0 for any other file. */
static uint64_t seq_of(const struct snapshot_names *names, const char *file)
{
	size_t n = strlen(names->prefix);

	if (strncmp(file, names->prefix, n) != 0 || strlen(file + n) != SEQ_DIGITS ||
	    strspn(file + n, "0123456789") != SEQ_DIGITS)
		return 0;
	return strtoull(file + n, NULL, 10);
}

enum ieum_err sqlite_snapshot_list(void *store, uint64_t *seqs, size_t cap, size_t *n)
{
	struct sqlite_store *s = store;
	struct snapshot_names names = { 0 };
	uint64_t found[FILES_MAX];
	size_t count = 0;
	struct dirent *entry;

	*n = 0;
	split_path(s->path, &names);
	DIR *folder = opendir(names.folder);
	if (!folder)
		return io_failed(s, "open the folder");
	while (count < FILES_MAX && (entry = readdir(folder))) {
		uint64_t seq = seq_of(&names, entry->d_name);

		if (seq)
			found[count++] = seq;
	}
	closedir(folder);
	qsort(found, count, sizeof found[0], newest_first);
	*n = count < cap ? count : cap;
	memcpy(seqs, found, *n * sizeof found[0]);
	return IEUM_E_OK;
}

/* All but the newest older one; newer ones are of a lost future. */
static void prune(struct sqlite_store *s, uint64_t seq)
{
	uint64_t seqs[FILES_MAX];
	size_t n;
	size_t older = 0;

	if (sqlite_snapshot_list(s, seqs, FILES_MAX, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		char name[NAME_BYTES];

		if (seqs[i] == seq || (seqs[i] < seq && older++ < JOURNAL_SNAPSHOTS_KEPT - 1))
			continue;
		file_name(s, seqs[i], "", name);
		unlink(name);
	}
}

static enum ieum_err sync_folder(struct sqlite_store *s)
{
	struct snapshot_names names = { 0 };
	enum ieum_err err = IEUM_E_OK;

	split_path(s->path, &names);
	int fd = open(names.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		err = io_failed(s, "sync the folder");
	if (fd >= 0)
		close(fd);
	return err;
}

enum ieum_err sqlite_snapshot_put(void *store, uint64_t seq, const void *head, size_t head_len,
				  const void *body, size_t body_len)
{
	struct sqlite_store *s = store;
	char name[NAME_BYTES];
	char temporary[NAME_BYTES];
	enum ieum_err err = IEUM_E_OK;

	file_name(s, seq, "", name);
	/* One name for all: what an interrupted put left is overwritten by the next. */
	snprintf(temporary, sizeof temporary, "%s%stmp", s->path, infix);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return io_failed(s, "make");
	if (!write_all(fd, head, head_len) || !write_all(fd, body, body_len) || fsync(fd) != 0)
		err = io_failed(s, "write");
	close(fd);
	if (!err && rename(temporary, name) != 0)
		err = io_failed(s, "rename");
	if (err) {
		unlink(temporary);
		return err;
	}
	err = sync_folder(s);
	if (!err)
		prune(s, seq);
	return err;
}

enum ieum_err sqlite_snapshot_read(void *store, uint64_t seq, uint8_t **blob, size_t *len)
{
	char name[NAME_BYTES];
	struct stat st;
	enum ieum_err err = IEUM_E_FILE_UNREADABLE;
	size_t got = 0;

	file_name(store, seq, "", name);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err;
	if (fstat(fd, &st) != 0 || st.st_size < 0 ||
	    st.st_size > JOURNAL_SNAPSHOT_BYTES_MAX + NAME_BYTES)
		goto out;
	*len = (size_t)st.st_size;
	*blob = malloc(*len + 1);
	if (!*blob) {
		err = IEUM_E_NO_MEMORY;
		goto out;
	}
	while (got < *len) {
		ssize_t n = read(fd, *blob + got, *len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (got == *len)
		err = IEUM_E_OK;
out:
	close(fd);
	return err;
}
