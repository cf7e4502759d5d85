/* The mark's file; see mark.h.  Integers little-endian:
 *
 *   0   8  "IEUMMARK"            72   8  inode of this file
 *   8   4  format, 1             80   8  when it was born, ns; 0: not known
 *   12  4  reserved, 0           88  32  hash of the bytes before it
 *   16 16  incarnation
 *   32  8  size
 *   40 32  root of that size
 *
 * It lies within one sector, so that a power cut leaves the old one or the new one; where it does
 * not, the hash tells. */
#include "broker/journal/mark.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FORMAT = 1,
	MARK_BYTES = 120,
	MARK_HASHED = 88,
};

static const char magic[8] = { 'I', 'E', 'U', 'M', 'M', 'A', 'R', 'K' };

struct stored_mark {
	char magic[8];
	uint32_t format;
	uint32_t reserved;
	uint8_t incarnation[JOURNAL_INCARNATION_BYTES];
	uint64_t size;
	uint8_t root[MERKLE_HASH_BYTES];
	uint64_t inode;
	uint64_t born_ns;
	struct merkle_hash hash;
};

_Static_assert(sizeof(struct stored_mark) == MARK_BYTES, "a stored layout has no padding");
_Static_assert(offsetof(struct stored_mark, hash) == MARK_HASHED, "the hash covers all before it");

static enum ieum_err from_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? IEUM_E_DISK_FULL : IEUM_E_JOURNAL_IO;
}

static enum ieum_err find_place(int fd, struct journal_mark_place *place)
{
	struct statx s;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &s) != 0)
		return from_errno();
	*place = (struct journal_mark_place){ .inode = s.stx_ino };
	if (s.stx_mask & STATX_BTIME)
		place->born_ns = (uint64_t)s.stx_btime.tv_sec * 1000000000 + s.stx_btime.tv_nsec;
	return IEUM_E_OK;
}

/* Why what was read is no mark of this place; NULL: it is one. */
static const char *objection(const struct stored_mark *s, size_t len,
			     const struct journal_mark_place *place)
{
	struct merkle_hash hash = merkle_leaf(s, MARK_HASHED);

	if (len != sizeof *s || memcmp(s->magic, magic, sizeof magic) != 0 ||
	    le32toh(s->format) != FORMAT || !merkle_equal(&hash, &s->hash))
		return "the mark beside it is damaged";
	if (le64toh(s->inode) != place->inode || le64toh(s->born_ns) != place->born_ns)
		return "the mark beside it was copied with it";
	return NULL;
}

static ssize_t read_whole(int fd, void *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = pread(fd, (uint8_t *)bytes + len, size - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

enum ieum_err journal_mark_read(const char *path, struct journal_mark *mark, const char **none)
{
	struct stored_mark s = { .format = 0 };
	struct journal_mark_place place;
	enum ieum_err err = IEUM_E_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	*none = NULL;
	if (fd < 0 && errno == ENOENT) {
		*none = "there is no mark beside it";
		return IEUM_E_OK;
	}
	if (fd < 0)
		return IEUM_E_JOURNAL_IO;
	ssize_t len = read_whole(fd, &s, sizeof s);
	if (len < 0)
		err = IEUM_E_JOURNAL_IO;
	if (!err)
		err = find_place(fd, &place);
	if (!err)
		*none = objection(&s, (size_t)len, &place);
	if (!err && !*none) {
		memcpy(mark->incarnation, s.incarnation, sizeof mark->incarnation);
		mark->size = le64toh(s.size);
		memcpy(mark->root.bytes, s.root, sizeof s.root);
	}
	int why = errno;
	close(fd);
	errno = why;
	return err;
}

static enum ieum_err sync_name(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;

	if (n >= sizeof folder) {
		errno = ENAMETOOLONG;
		return IEUM_E_JOURNAL_IO;
	}
	memcpy(folder, n ? path : ".", n ? n : 1);
	folder[n ? n : 1] = '\0';
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return from_errno();
	enum ieum_err err = fsync(fd) ? from_errno() : IEUM_E_OK;
	int why = errno;
	close(fd);
	errno = why;
	return err;
}

enum ieum_err journal_mark_open(const char *path, const struct journal_mark *mark,
				struct journal_mark_file *file)
{
	enum ieum_err err;

	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd < 0)
		return from_errno();
	err = find_place(file->fd, &file->place);
	if (!err)
		err = journal_mark_write(file, mark);
	if (!err && fsync(file->fd) != 0)
		err = from_errno();
	return err ? err : sync_name(path);
}

enum ieum_err journal_mark_write(const struct journal_mark_file *file,
				 const struct journal_mark *mark)
{
	struct stored_mark s = { .format = htole32(FORMAT),
				 .size = htole64(mark->size),
				 .inode = htole64(file->place.inode),
				 .born_ns = htole64(file->place.born_ns) };
	ssize_t n;

	memcpy(s.magic, magic, sizeof magic);
	memcpy(s.incarnation, mark->incarnation, sizeof s.incarnation);
	memcpy(s.root, mark->root.bytes, sizeof s.root);
	s.hash = merkle_leaf(&s, MARK_HASHED);
	do
		n = pwrite(file->fd, &s, sizeof s, 0);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n != (ssize_t)sizeof s)
		errno = ENOSPC;
	return n == (ssize_t)sizeof s ? IEUM_E_OK : from_errno();
}

void journal_mark_close(struct journal_mark_file *file)
{
	if (file->fd < 0)
		return;
	(void)fdatasync(file->fd);
	close(file->fd);
	file->fd = -1;
}
