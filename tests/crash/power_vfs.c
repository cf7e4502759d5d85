/* The VFS with a power switch; see power_vfs.h. */
#include "tests/crash/power_vfs.h"

#include <assert.h>
#include <libgen.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, FILES_MAX = 8, PATH_BYTES = 512 };

/* One unsynced change: a write, or (bytes NULL) a truncation to `offset`. */
struct change {
	uint64_t offset;
	size_t len;
	uint8_t *bytes;
};

struct image {
	uint8_t *bytes;
	size_t len, cap;
};

struct tracked {
	char path[PATH_BYTES];
	bool exists;
	struct image durable;
	struct change *changes;
	size_t n_changes, changes_cap;
};

struct power {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	pthread_mutex_t mutex;
	uint64_t random;
	struct tracked files[FILES_MAX];
	size_t n_files;
	unsigned ops;
	unsigned cut_at; /* op number, 0: never */
	bool cut;
	uint64_t space;
};

struct power_file {
	sqlite3_file base;
	struct power *power;
	struct tracked *tracked; /* NULL: a temporary file, nobody's promise */
	sqlite3_file *real;      /* lies behind this struct */
};

static uint64_t next_random(struct power *p)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return p->random;
}

static void image_resize(struct image *im, size_t len)
{
	if (len > im->cap) {
		im->cap = len * 2;
		im->bytes = realloc(im->bytes, im->cap);
		assert(im->bytes);
	}
	if (len > im->len)
		memset(im->bytes + im->len, 0, len - im->len);
	im->len = len;
}

static void image_write(struct image *im, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (offset + len > im->len)
		image_resize(im, offset + len);
	memcpy(im->bytes + offset, bytes, len);
}

static void apply(struct image *im, const struct change *c)
{
	if (c->bytes)
		image_write(im, c->offset, c->bytes, c->len);
	else
		image_resize(im, c->offset);
}

static void forget_changes(struct tracked *t)
{
	for (size_t i = 0; i < t->n_changes; i++)
		free(t->changes[i].bytes);
	t->n_changes = 0;
}

static void remember(struct tracked *t, uint64_t offset, const void *bytes, size_t len)
{
	struct change *c;

	if (t->n_changes == t->changes_cap) {
		t->changes_cap = t->changes_cap ? t->changes_cap * 2 : 64;
		t->changes = realloc(t->changes, t->changes_cap * sizeof *t->changes);
		assert(t->changes);
	}
	c = &t->changes[t->n_changes++];
	*c = (struct change){ .offset = offset, .len = len };
	if (bytes) {
		c->bytes = malloc(len ? len : 1);
		assert(c->bytes);
		memcpy(c->bytes, bytes, len);
	}
}

static void make_durable(struct tracked *t)
{
	for (size_t i = 0; i < t->n_changes; i++)
		apply(&t->durable, &t->changes[i]);
	forget_changes(t);
}

static struct power_file *file_of(sqlite3_file *f)
{
	return (struct power_file *)(void *)f;
}

/* Counts an operation; true: the power goes with this one, or is gone already. */
static bool op_is_cut(struct power *p, bool *now)
{
	*now = false;
	if (p->cut)
		return true;
	if (++p->ops == p->cut_at) {
		p->cut = true;
		*now = true;
		return true;
	}
	return false;
}

static int file_close(sqlite3_file *f)
{
	return file_of(f)->real->pMethods ? file_of(f)->real->pMethods->xClose(file_of(f)->real)
					  : SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 offset)
{
	return file_of(f)->real->pMethods->xRead(file_of(f)->real, to, n, offset);
}

static int file_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 offset)
{
	struct power_file *pf = file_of(f);
	struct power *p = pf->power;
	int rc = SQLITE_OK;
	bool now;

	if (!pf->tracked)
		return pf->real->pMethods->xWrite(pf->real, from, n, offset);
	pthread_mutex_lock(&p->mutex);
	if (op_is_cut(p, &now)) {
		if (now)
			remember(pf->tracked, (uint64_t)offset, from, (size_t)n);
		rc = SQLITE_IOERR_WRITE;
	} else {
		int fits = p->space < (uint64_t)n ? (int)p->space : n;

		if (p->space != UINT64_MAX)
			p->space -= (uint64_t)fits;
		remember(pf->tracked, (uint64_t)offset, from, (size_t)fits);
		if (fits > 0)
			rc = pf->real->pMethods->xWrite(pf->real, from, fits, offset);
		if (!rc && fits < n)
			rc = SQLITE_FULL;
	}
	pthread_mutex_unlock(&p->mutex);
	return rc;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct power_file *pf = file_of(f);
	int rc = SQLITE_IOERR_TRUNCATE;
	bool now;

	if (!pf->tracked)
		return pf->real->pMethods->xTruncate(pf->real, size);
	pthread_mutex_lock(&pf->power->mutex);
	if (!op_is_cut(pf->power, &now)) {
		remember(pf->tracked, (uint64_t)size, NULL, 0);
		rc = pf->real->pMethods->xTruncate(pf->real, size);
	}
	pthread_mutex_unlock(&pf->power->mutex);
	return rc;
}

static int file_sync(sqlite3_file *f, int flags)
{
	struct power_file *pf = file_of(f);
	int rc = SQLITE_OK;
	bool now;

	(void)flags;
	if (!pf->tracked)
		return SQLITE_OK;
	pthread_mutex_lock(&pf->power->mutex);
	bool cut = op_is_cut(pf->power, &now);
	if (!cut || (now && next_random(pf->power) % 2))
		make_durable(pf->tracked);
	if (cut)
		rc = SQLITE_IOERR_FSYNC;
	pthread_mutex_unlock(&pf->power->mutex);
	return rc;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return file_of(f)->real->pMethods->xFileSize(file_of(f)->real, size);
}

static int file_lock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xLock(file_of(f)->real, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xUnlock(file_of(f)->real, level);
}

static int file_check_lock(sqlite3_file *f, int *held)
{
	return file_of(f)->real->pMethods->xCheckReservedLock(file_of(f)->real, held);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	/* Growing the file behind our back would escape the count. */
	if (op == SQLITE_FCNTL_CHUNK_SIZE || op == SQLITE_FCNTL_SIZE_HINT ||
	    op == SQLITE_FCNTL_MMAP_SIZE)
		return SQLITE_OK;
	return file_of(f)->real->pMethods->xFileControl(file_of(f)->real, op, arg);
}

static int file_sector_size(sqlite3_file *f)
{
	(void)f;
	return SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *f)
{
	return file_of(f)->real->pMethods->xDeviceCharacteristics(file_of(f)->real);
}

static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **at)
{
	return file_of(f)->real->pMethods->xShmMap(file_of(f)->real, page, size, extend, at);
}

static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return file_of(f)->real->pMethods->xShmLock(file_of(f)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *f)
{
	file_of(f)->real->pMethods->xShmBarrier(file_of(f)->real);
}

static int file_shm_unmap(sqlite3_file *f, int drop)
{
	return file_of(f)->real->pMethods->xShmUnmap(file_of(f)->real, drop);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* no memory mapping: it would write past us */
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

static struct tracked *track(struct power *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++) {
		if (strcmp(p->files[i].path, path) == 0)
			return &p->files[i];
	}
	assert(p->n_files < FILES_MAX);
	struct tracked *t = &p->files[p->n_files++];
	snprintf(t->path, sizeof t->path, "%s", path);
	return t;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags,
		    int *out_flags)
{
	struct power *p = vfs->pAppData;
	struct power_file *pf = file_of(f);

	*pf = (struct power_file){ .power = p, .real = (sqlite3_file *)(void *)(pf + 1) };
	int rc = p->real->xOpen(p->real, name, pf->real, flags, out_flags);
	if (rc)
		return rc;
	pf->base.pMethods = &methods;
	if (name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))) {
		pthread_mutex_lock(&p->mutex);
		pf->tracked = track(p, name);
		pf->tracked->exists = true;
		pthread_mutex_unlock(&p->mutex);
	}
	return SQLITE_OK;
}

/* Taken as durable at once: SQLite syncs the folder where it matters. */
static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct power *p = vfs->pAppData;
	int rc = SQLITE_IOERR_DELETE;

	pthread_mutex_lock(&p->mutex);
	if (!p->cut) {
		struct tracked *t = track(p, name);

		t->exists = false;
		t->durable.len = 0;
		forget_changes(t);
		rc = p->real->xDelete(p->real, name, sync_folder);
	}
	pthread_mutex_unlock(&p->mutex);
	return rc;
}

struct power *power_new(const char *name, uint64_t seed)
{
	struct power *p = calloc(1, sizeof *p);

	assert(p);
	p->real = sqlite3_vfs_find(NULL);
	p->vfs = *p->real;
	p->vfs.pNext = NULL;
	p->vfs.zName = name;
	p->vfs.pAppData = p;
	p->vfs.szOsFile = (int)sizeof(struct power_file) + p->real->szOsFile;
	p->vfs.xOpen = vfs_open;
	p->vfs.xDelete = vfs_delete;
	p->random = seed * 0x9e3779b97f4a7c15 + 1;
	p->space = UINT64_MAX;
	pthread_mutex_init(&p->mutex, NULL);
	sqlite3_vfs_register(&p->vfs, 0);
	return p;
}

void power_free(struct power *p)
{
	sqlite3_vfs_unregister(&p->vfs);
	for (size_t i = 0; i < p->n_files; i++) {
		forget_changes(&p->files[i]);
		free(p->files[i].changes);
		free(p->files[i].durable.bytes);
	}
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

void power_cut_after(struct power *p, unsigned n)
{
	pthread_mutex_lock(&p->mutex);
	p->cut_at = p->ops + n;
	pthread_mutex_unlock(&p->mutex);
}

bool power_is_cut(struct power *p)
{
	pthread_mutex_lock(&p->mutex);
	bool cut = p->cut;
	pthread_mutex_unlock(&p->mutex);
	return cut;
}

unsigned power_ops(struct power *p)
{
	pthread_mutex_lock(&p->mutex);
	unsigned ops = p->ops;
	pthread_mutex_unlock(&p->mutex);
	return ops;
}

void power_space(struct power *p, uint64_t bytes)
{
	pthread_mutex_lock(&p->mutex);
	p->space = bytes;
	pthread_mutex_unlock(&p->mutex);
}

static void keep_sectors(struct power *p, struct image *im, const struct change *c)
{
	if (!c->bytes) {
		if (next_random(p) % 2)
			apply(im, c);
		return;
	}
	for (size_t at = 0; at < c->len;) {
		size_t n = SECTOR_BYTES - (size_t)((c->offset + at) % SECTOR_BYTES);

		if (n > c->len - at)
			n = c->len - at;
		if (next_random(p) % 2)
			image_write(im, c->offset + at, c->bytes + at, n);
		at += n;
	}
}

static void lose(struct power *p, struct tracked *t, enum power_loss loss)
{
	size_t whole = t->n_changes ? (size_t)(next_random(p) % t->n_changes) : 0;

	for (size_t i = 0; i < t->n_changes; i++) {
		const struct change *c = &t->changes[i];

		if (loss == POWER_KEEP_ALL || (loss == POWER_KEEP_PREFIX && i < whole))
			apply(&t->durable, c);
		else if (loss == POWER_KEEP_SECTORS || (loss == POWER_KEEP_PREFIX && i == whole))
			keep_sectors(p, &t->durable, c);
	}
	forget_changes(t);
}

void power_restore(struct power *p, enum power_loss loss, const char *folder)
{
	for (size_t i = 0; i < p->n_files; i++) {
		struct tracked *t = &p->files[i];
		char copy[PATH_BYTES];
		char path[2 * PATH_BYTES];

		if (!t->exists)
			continue;
		lose(p, t, loss);
		snprintf(copy, sizeof copy, "%s", t->path);
		snprintf(path, sizeof path, "%s/%s", folder, basename(copy));
		FILE *out = fopen(path, "wb");
		assert(out);
		if (t->durable.len)
			assert(fwrite(t->durable.bytes, t->durable.len, 1, out) == 1);
		assert(fclose(out) == 0);
	}
}
