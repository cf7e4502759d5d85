/* The spool's file: what was committed is there after a power cut, a full disk, a damage; whose
 * rows are whose.  A failing round of the power cuts prints its seed; `test_spool SEED` runs that
 * round alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/spool.h"
#include "tests/crash/power_vfs.h"
#include "tests/unit/scratch.h"

enum { ROUNDS = 60, BYTES = 3000 };

static uint64_t only_seed;

struct place {
	char folder[SCRATCH_PATH_BYTES], path[96], why[SPOOL_WHY_BYTES];
};

static void make_place(struct place *p)
{
	scratch_make(p->folder);
	snprintf(p->path, sizeof p->path, "%s/spool.db", p->folder);
}

static enum ieum_err try_open(struct place *p, struct spool **s)
{
	const struct spool_options options = {
		.path = p->path, .participant = "gimpo-ps", .hub = "gimpo.ieum", .busy_ms = 50
	};

	return spool_open(&options, s, p->why);
}

static struct spool *open_here(struct place *p)
{
	struct spool *s;

	if (try_open(p, &s))
		fail_msg("%s", p->why);
	return s;
}

/* The content follows from the number in the id. */
static void fill(uint8_t *bytes, size_t len, uint32_t n)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

static enum ieum_err try_put(struct spool *s, uint32_t n, int64_t *number)
{
	uint8_t bytes[BYTES];
	struct spool_message m = { .referral = bytes, .len = 1 + n * 37 % BYTES, .since_ms = n };

	fill(bytes, m.len, n);
	memcpy(m.message_id, &n, sizeof n);
	return spool_put(s, &m, number);
}

static int64_t put(struct spool *s, uint32_t n)
{
	int64_t number = 0;

	if (try_put(s, n, &number))
		fail_msg("%s", spool_why(s));
	return number;
}

static void commit(struct spool *s)
{
	if (spool_commit(s))
		fail_msg("%s", spool_why(s));
}

struct found {
	uint32_t n[4096];
	int64_t number[4096];
	enum spool_state state[4096];
	size_t count;
};

static bool collect(const struct spool_message *m, void *arg)
{
	struct found *f = arg;
	uint8_t bytes[BYTES];
	uint32_t n;

	memcpy(&n, m->message_id, sizeof n);
	fill(bytes, m->len, n);
	assert_memory_equal(m->referral, bytes, m->len);
	f->number[f->count] = m->number;
	f->state[f->count] = m->state;
	f->n[f->count++] = n;
	return f->count < 4096;
}

static void all_of(struct spool *s, struct found *f)
{
	f->count = 0;
	if (spool_messages(s, collect, f))
		fail_msg("%s", spool_why(s));
}

static void mine_of(struct spool *s, struct found *f)
{
	f->count = 0;
	if (spool_waiting(s, 0, collect, f))
		fail_msg("%s", spool_why(s));
}

static struct found found;

/* ---- opening ---- */

static void it_belongs_to_one_participant_of_one_hub(void **state)
{
	struct place p;
	struct stat st;
	struct spool *s;
	struct spool_options other = { .participant = "gimpo-fire", .hub = "gimpo.ieum" };

	(void)state;
	make_place(&p);
	spool_close(open_here(&p));
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	other.path = p.path;
	assert_int_equal(spool_open(&other, &s, p.why), IEUM_E_SPOOL_FOREIGN);
	assert_non_null(strstr(p.why, "belongs to gimpo-ps at gimpo.ieum"));
	assert_non_null(strstr(p.why, p.path));
	assert_int_equal(chmod(p.path, 0640), 0);
	assert_int_equal(try_open(&p, &s), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(p.why, "chmod 600"));
	scratch_remove(p.folder);
}

static void one_of_a_later_version_is_left_alone(void **state)
{
	struct place p;
	struct spool *s;
	sqlite3 *db;

	(void)state;
	make_place(&p);
	spool_close(open_here(&p));
	assert_int_equal(sqlite3_open(p.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 7", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_CORRUPT);
	assert_non_null(strstr(p.why, "its version is 7, this program reads version 2"));
	scratch_remove(p.folder);
}

static bool note_handed(const struct spool_delivery *d, void *arg)
{
	char *text = arg;

	text[strlen(text)] = d->handed ? 'y' : 'n';
	return true;
}

/* As of the first version: nobody noted what was handed over. */
static void make_old(const struct place *p)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "ALTER TABLE delivery DROP COLUMN handed;"
				      "PRAGMA user_version = 1",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

static void keep_delivery(struct spool *s, bool handed)
{
	struct spool_delivery d = { .frame = (const uint8_t *)"frame", .len = 5, .handed = handed };
	int64_t number;

	assert_int_equal(spool_deliver(s, &d, &number), IEUM_E_OK);
	commit(s);
}

static void one_of_the_first_version_is_brought_up(void **state)
{
	struct place p;
	struct spool *s;
	struct spool_salvaged saved;
	char handed[8] = { 0 };
	size_t n;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	keep_delivery(s, false);
	spool_close(s);
	make_old(&p);
	s = open_here(&p);
	keep_delivery(s, false);
	assert_int_equal(spool_adopt(s, true, &n), IEUM_E_OK);
	commit(s);
	assert_int_equal(spool_held(s, 0, note_handed, handed), IEUM_E_OK);
	assert_string_equal(handed, "yn"); /* of the old one it isn't known */
	spool_close(s);
	assert_int_equal(spool_check(p.path, p.why), IEUM_E_OK);
	make_old(&p); /* and one that is damaged as well */
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_OK);
	assert_int_equal(saved.deliveries, 2);
	assert_int_equal(saved.lost, 0);
	s = open_here(&p);
	assert_int_equal(spool_adopt(s, true, &n), IEUM_E_OK);
	memset(handed, 0, sizeof handed);
	assert_int_equal(spool_held(s, 0, note_handed, handed), IEUM_E_OK);
	assert_string_equal(handed, "yy");
	assert_int_equal(spool_handed(s, 1, false), IEUM_E_OK);
	memset(handed, 0, sizeof handed);
	assert_int_equal(spool_held(s, 0, note_handed, handed), IEUM_E_OK);
	assert_string_equal(handed, "ny");
	spool_close(s);
	scratch_remove(p.folder);
}

static void another_programs_database_is_left_alone(void **state)
{
	struct place p;
	struct spool *s;

	(void)state;
	make_place(&p);
	assert_int_equal(
		scratch_shell("umask 077; echo 'not a database, but long enough to look at'"
			      " > %s",
			      p.path),
		0);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_CORRUPT);
	assert_non_null(strstr(p.why, "it is not as it was written"));
	scratch_remove(p.folder);
}

static void a_transaction_held_elsewhere_is_waited_for_and_named(void **state)
{
	struct place p;
	struct spool *a, *b;
	int64_t number;

	(void)state;
	make_place(&p);
	a = open_here(&p);
	b = open_here(&p);
	put(a, 1);
	assert_int_equal(try_put(b, 2, &number), IEUM_E_SPOOL_LOCKED);
	assert_non_null(strstr(spool_why(b), "another program holds it"));
	commit(a);
	put(b, 2);
	commit(b);
	all_of(a, &found);
	assert_int_equal(found.count, 2);
	spool_close(a);
	spool_close(b);
	scratch_remove(p.folder);
}

static void a_slot_for_each_of_so_many_programs(void **state)
{
	struct place p;
	struct spool *all[SPOOL_SLOTS_MAX], *one_more;

	(void)state;
	make_place(&p);
	for (int i = 0; i < SPOOL_SLOTS_MAX; i++)
		all[i] = open_here(&p);
	assert_int_equal(try_open(&p, &one_more), IEUM_E_SPOOL_LOCKED);
	assert_non_null(strstr(p.why, "64 programs use it"));
	spool_close(all[7]);
	all[7] = open_here(&p);
	for (int i = 0; i < SPOOL_SLOTS_MAX; i++)
		spool_close(all[i]);
	scratch_remove(p.folder);
}

/* ---- whose rows are whose ---- */

static void what_a_living_process_has_is_its_own(void **state)
{
	struct place p;
	struct spool *a, *b;
	size_t n;

	(void)state;
	make_place(&p);
	a = open_here(&p);
	b = open_here(&p);
	put(a, 1);
	put(a, 2);
	commit(a);
	assert_int_equal(spool_adopt(b, true, &n), IEUM_E_OK);
	commit(b);
	assert_int_equal(n, 0);
	mine_of(b, &found);
	assert_int_equal(found.count, 0);
	spool_close(a); /* as when it dies: its lock is gone, its rows are there */
	assert_int_equal(spool_adopt(b, true, &n), IEUM_E_OK);
	commit(b);
	assert_int_equal(n, 2);
	mine_of(b, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.n[0], 1);
	spool_close(b);
	scratch_remove(p.folder);
}

static void a_process_that_dies_in_a_transaction_leaves_what_it_had_committed(void **state)
{
	struct place p;
	struct spool *s;
	int status;

	(void)state;
	make_place(&p);
	pid_t pid = fork();
	if (pid == 0) {
		s = open_here(&p);
		put(s, 1);
		if (spool_commit(s))
			_exit(1);
		put(s, 2);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	s = open_here(&p);
	all_of(s, &found);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.n[0], 1);
	spool_close(s);
	scratch_remove(p.folder);
}

/* ---- receipts and copies ---- */

static const uint8_t first_hub[16] = { 1 }, second_hub[16] = { 2 };

static void what_has_a_receipt_stays_until_a_copy_covers_it(void **state)
{
	struct place p;
	struct spool *s;
	size_t n;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	for (uint32_t i = 1; i <= 4; i++) {
		int64_t number = put(s, i);

		assert_int_equal(spool_receipted(s, number, first_hub, i * 10), IEUM_E_OK);
	}
	commit(s);
	assert_int_equal(spool_copied(s, second_hub, 1000), IEUM_E_OK); /* of another journal */
	assert_int_equal(spool_copied(s, first_hub, 20), IEUM_E_OK);
	commit(s);
	all_of(s, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.n[0], 3);
	assert_int_equal(found.state[0], SPOOL_RECEIPTED);
	assert_int_equal(spool_again(s, first_hub, &n), IEUM_E_OK);
	assert_int_equal(n, 0);
	assert_int_equal(spool_again(s, second_hub, &n), IEUM_E_OK);
	commit(s);
	assert_int_equal(n, 2);
	mine_of(s, &found);
	assert_int_equal(found.count, 2);
	spool_close(s);
	scratch_remove(p.folder);
}

static void the_oldest_with_a_receipt_go_first_and_are_counted(void **state)
{
	struct place p;
	struct spool *s;
	struct spool_sum sum;
	size_t n;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	int64_t waits = put(s, 1);
	for (uint32_t i = 2; i <= 5; i++)
		assert_int_equal(spool_receipted(s, put(s, i), first_hub, i), IEUM_E_OK);
	assert_int_equal(spool_trim(s, 1 + 5 * 37 + 1 + 4 * 37, &n), IEUM_E_OK);
	commit(s);
	assert_int_equal(n, 2);
	all_of(s, &found);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.number[0], waits);
	assert_int_equal(found.n[1], 4);
	assert_int_equal(spool_sum(s, &sum), IEUM_E_OK);
	assert_int_equal(sum.let_go, 2);
	assert_int_equal(sum.waiting, 1);
	assert_int_equal(sum.receipted, 2);
	assert_int_equal(sum.bytes, 1 + 37 + 1 + 4 * 37 + 1 + 5 * 37);
	spool_close(s);
	scratch_remove(p.folder);
}

/* ---- full ---- */

static void over_its_limit_nothing_is_taken_and_nothing_is_lost(void **state)
{
	struct place p;
	struct spool_options options = { .participant = "gimpo-ps",
					 .hub = "gimpo.ieum",
					 .bytes_max = 1000 };
	struct spool *s;
	int64_t number;

	(void)state;
	make_place(&p);
	options.path = p.path;
	assert_int_equal(spool_open(&options, &s, p.why), IEUM_E_OK);
	int64_t first = put(s, 10); /* 371 bytes */
	put(s, 11);                 /* 408 */
	assert_int_equal(try_put(s, 12, &number), IEUM_E_SPOOL_FULL);
	assert_non_null(strstr(spool_why(s), "it holds 779 of 1000 bytes, and this needs 445"));
	commit(s);
	all_of(s, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(spool_drop(s, first), IEUM_E_OK);
	put(s, 12);
	commit(s);
	all_of(s, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.n[1], 12);
	spool_close(s);
	scratch_remove(p.folder);
}

/* Until the disk is full, then room is made: what was committed is there, and nothing else. */
static void fill_disk(struct place *p)
{
	struct spool *s = open_here(p);
	uint32_t n = 0, committed = 0;
	int64_t number;
	enum ieum_err err = IEUM_E_OK;

	while (!err && n < 4000) {
		err = try_put(s, ++n, &number);
		enum ieum_err at_commit = spool_commit(s);

		err = err ? err : at_commit;
		committed += !err;
	}
	assert_int_equal(err, IEUM_E_SPOOL_FULL);
	assert_non_null(strstr(spool_why(s), "no space left on its disk"));
	all_of(s, &found);
	assert_int_equal(found.count, committed);
	assert_int_equal(scratch_shell("rm %s/ballast", p->folder), 0);
	put(s, n);
	commit(s);
	spool_close(s);
	s = open_here(p);
	all_of(s, &found);
	assert_int_equal(found.count, committed + 1);
	spool_close(s);
}

static void a_full_disk_is_said_and_loses_nothing(void **state)
{
	struct place p;
	char disk[SCRATCH_PATH_BYTES];

	(void)state;
	make_place(&p);
	memcpy(disk, p.folder, sizeof disk);
	if (mount("tmpfs", disk, "tmpfs", 0, "size=2m,mode=0700")) {
		scratch_remove(disk);
		print_message("skipped: mounting a tmpfs is not permitted here\n");
		skip();
	}
	assert_int_equal(scratch_shell("head -c 700000 /dev/zero > %s/ballast", disk), 0);
	fill_disk(&p);
	assert_int_equal(umount(disk), 0);
	scratch_remove(disk);
}

static void a_disk_that_is_full_at_opening_is_said_to_be_full(void **state)
{
	struct place p;
	char disk[SCRATCH_PATH_BYTES];
	struct spool *s;

	(void)state;
	make_place(&p);
	memcpy(disk, p.folder, sizeof disk);
	if (mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=0700")) {
		scratch_remove(disk);
		print_message("skipped: mounting a tmpfs is not permitted here\n");
		skip();
	}
	spool_close(open_here(&p));
	assert_int_equal(scratch_shell("head -c 2000000 /dev/zero > %s/ballast 2>/dev/null", disk),
			 1);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_FULL); /* no room for -shm */
	assert_non_null(strstr(p.why, "no space left on its disk"));
	assert_int_equal(scratch_shell("rm %s %s-holders; head -c 2000000 /dev/zero > %s/more"
				       " 2>/dev/null",
				       p.path, p.path, disk),
			 1);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_FULL); /* nor for itself */
	assert_int_equal(umount(disk), 0);
	scratch_remove(disk);
}

/* ---- power ---- */

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random % n;
}

static void look_after_the_cut(const char *folder, uint32_t committed, uint32_t tried)
{
	struct place p = { .why = "" };
	struct spool *s;

	snprintf(p.path, sizeof p.path, "%s/spool.db", folder);
	if (committed == 0 && access(p.path, F_OK) != 0)
		return;
	s = open_here(&p);
	all_of(s, &found);
	assert_in_range(found.count, committed, tried);
	for (size_t i = 0; i < found.count; i++)
		assert_int_equal(found.n[i], i + 1);
	spool_close(s);
}

static void play_power_round(uint64_t seed)
{
	struct place p;
	char after[64];
	uint64_t random = seed;
	struct spool *s = NULL;
	uint32_t tried = 0, committed = 0, safe = 0;
	int64_t number;

	make_place(&p);
	snprintf(after, sizeof after, "%s/after", p.folder);
	assert_int_equal(mkdir(after, 0700), 0);
	struct power *power = power_new("spool-power", seed);
	const struct spool_options options = {
		.path = p.path, .participant = "gimpo-ps", .hub = "gimpo.ieum", .vfs = "spool-power"
	};
	power_cut_after(power, 60 + (unsigned)below(&random, 600));
	enum ieum_err err = spool_open(&options, &s, p.why);
	bool opened = !err;
	while (!err && tried < 2000) {
		uint64_t n = 1 + below(&random, 6);

		for (uint64_t i = 0; i < n && !err; i++)
			err = try_put(s, ++tried, &number);
		enum ieum_err at_commit = spool_commit(s);
		err = err ? err : at_commit;
		if (!err)
			committed = tried;
	}
	safe = committed;
	assert_true(power_is_cut(power));
	if (opened) /* nothing more is taken: the disk isn't known */
		assert_true(try_put(s, tried + 1, &number) || spool_commit(s));
	spool_close(s);
	power_restore(power, (enum power_loss)below(&random, POWER_LOSSES), after);
	power_free(power);
	assert_int_equal(scratch_shell("chmod 600 %s/spool.db 2>/dev/null || true", after), 0);
	look_after_the_cut(after, safe, tried);
	scratch_remove(p.folder);
}

static void what_was_committed_outlives_a_power_cut(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		if (only_seed && seed != only_seed)
			continue;
		print_message("# round %llu\n", (unsigned long long)seed);
		play_power_round(seed * UINT64_C(0x9e3779b97f4a7c15));
	}
}

/* ---- damage ---- */

/* Overwrites a part of the row's bytes, found by what they are. */
static void damage_row(const char *path, uint32_t n)
{
	static uint8_t file[4 << 20];
	uint8_t bytes[BYTES];
	size_t len = 1 + n * 37 % BYTES;
	int fd = open(path, O_RDWR);
	ssize_t size = read(fd, file, sizeof file);

	fill(bytes, len, n);
	assert_true(size > 0);
	const uint8_t *at = memmem(file, (size_t)size, bytes, len);
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "damage", 6, at - file + 8), 6);
	close(fd);
}

static void a_damaged_row_is_named_and_the_others_are_saved(void **state)
{
	struct place p;
	struct spool_salvaged saved;
	struct spool *s;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	for (uint32_t i = 1; i <= 20; i++)
		put(s, i);
	commit(s);
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_SPOOL_LOCKED);
	spool_close(s);
	assert_int_equal(spool_check(p.path, p.why), IEUM_E_OK);
	damage_row(p.path, 13);
	assert_int_equal(spool_check(p.path, p.why), IEUM_E_SPOOL_CORRUPT);
	assert_string_equal(p.why, "message 13 can't be read as it was written");
	s = open_here(&p);
	found.count = 0;
	assert_int_equal(spool_messages(s, collect, &found), IEUM_E_SPOOL_CORRUPT);
	assert_non_null(strstr(spool_why(s), "message 13 has changed on the disk"));
	spool_close(s);
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_OK);
	assert_int_equal(saved.messages, 19);
	assert_int_equal(saved.lost, 1);
	assert_int_equal(access(saved.aside, R_OK), 0);
	s = open_here(&p); /* and it is still gimpo-ps's */
	all_of(s, &found);
	assert_int_equal(found.count, 19);
	assert_int_equal(found.n[11], 12);
	assert_int_equal(found.n[12], 14);
	spool_close(s);
	scratch_remove(p.folder);
}

/* In which page of the file a row lies, found by its id and what it is. */
static size_t page_of(const uint8_t *file, size_t size, uint32_t n)
{
	uint8_t row[SPOOL_ID_BYTES + BYTES] = { 0 };
	size_t len = 1 + n * 37 % BYTES;

	memcpy(row, &n, sizeof n);
	fill(row + SPOOL_ID_BYTES, len, n);
	const uint8_t *at = memmem(file, size, row, SPOOL_ID_BYTES + len);
	assert_non_null(at);
	return (size_t)(at - file) / 4096;
}

/* Damages the heads of these pages; tells which of the rows lie in them. */
static size_t damage_pages(const char *path, const size_t *pages, size_t n_pages, bool *lost,
			   uint32_t rows)
{
	static uint8_t file[4 << 20];
	int fd = open(path, O_RDWR);
	ssize_t size = read(fd, file, sizeof file);
	size_t n = 0;

	assert_true(size > 0);
	for (size_t i = 0; i < n_pages; i++)
		assert_int_equal(pwrite(fd, "\377\377\377\377\377", 5, (off_t)pages[i] * 4096), 5);
	close(fd);
	for (uint32_t row = 1; row <= rows; row++) {
		size_t page = page_of(file, (size_t)size, row);

		for (size_t i = 0; i < n_pages; i++)
			lost[row] = lost[row] || page == pages[i];
		n += lost[row];
	}
	return n;
}

/* The first gap, with how many rows lie in it; then what is wrong with the pages. */
static void expect_named(const char *why, const bool *lost, uint32_t rows)
{
	char line[128];
	uint32_t first = 1, last;

	while (first <= rows && !lost[first])
		first++;
	for (last = first; last < rows && lost[last + 1];)
		last++;
	snprintf(line, sizeof line,
		 "messages %u to %u can't be read as they were written (rows: %u)", first, last,
		 last - first + 1);
	if (!strstr(why, line))
		fail_msg("not '%s' in: %s", line, why);
	assert_non_null(strstr(why, "some of its pages are damaged")); /* SQLite counts from 1 */
}

static void of_damaged_pages_only_their_rows_are_lost(void **state)
{
	enum { ROWS = 200 };
	static const size_t pages[] = { 20, 21, 22, 23, 40 };
	bool lost[ROWS + 1] = { false };
	struct place p;
	struct spool *s;
	struct spool_salvaged saved;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	for (uint32_t i = 1; i <= ROWS; i++)
		put(s, i);
	commit(s);
	spool_close(s);
	size_t n_lost = damage_pages(p.path, pages, sizeof pages / sizeof *pages, lost, ROWS);
	assert_true(n_lost > 0 && n_lost < ROWS / 4);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_CORRUPT);
	assert_non_null(strstr(p.why, "some of its pages are damaged"));
	assert_int_equal(access(p.path, R_OK), 0); /* nobody moves it but its user */
	assert_int_equal(spool_check(p.path, p.why), IEUM_E_SPOOL_CORRUPT);
	expect_named(p.why, lost, ROWS);
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_OK);
	assert_int_equal(saved.messages, ROWS - n_lost);
	assert_int_equal(saved.lost, n_lost);
	s = open_here(&p);
	all_of(s, &found);
	assert_int_equal(found.count, ROWS - n_lost);
	for (size_t i = 0; i < found.count; i++)
		assert_false(lost[found.n[i]]);
	spool_close(s);
	scratch_remove(p.folder);
}

/* What a power cut leaves between the last two steps: the new file is whole, the old one has its
 * name still, or, of an older program, nothing has. */
static void a_salvage_that_was_cut_short_is_finished(const char *old)
{
	struct place p;
	struct spool *s;
	struct spool_salvaged saved;

	make_place(&p);
	s = open_here(&p);
	for (uint32_t i = 1; i <= 20; i++)
		put(s, i);
	commit(s);
	spool_close(s);
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_OK);
	assert_int_equal(scratch_shell("cd %s && mv spool.db spool.db.salvaged && mv"
				       " spool.db.damaged-* %s",
				       p.folder, old),
			 0);
	assert_int_equal(try_open(&p, &s), IEUM_E_SPOOL_CORRUPT);
	assert_non_null(strstr(p.why, "ieum spool salvage"));
	assert_int_equal(spool_check(p.path, p.why), IEUM_E_SPOOL_CORRUPT);
	assert_int_equal(spool_salvage(p.path, &saved, p.why), IEUM_E_OK);
	assert_int_equal(saved.messages, 20);
	s = open_here(&p);
	all_of(s, &found);
	assert_int_equal(found.count, 20);
	spool_close(s);
	scratch_remove(p.folder);
}

static void a_cut_between_a_salvage_s_last_steps_loses_nothing(void **state)
{
	(void)state;
	a_salvage_that_was_cut_short_is_finished("spool.db");
	a_salvage_that_was_cut_short_is_finished("elsewhere");
}

/* ---- deliveries and pages ---- */

static bool count_held(const struct spool_delivery *d, void *arg)
{
	assert_false(d->taken);
	assert_memory_equal(d->frame, "frame", 5);
	(*(unsigned *)arg)++;
	return true;
}

static void a_taken_delivery_is_remembered_without_what_it_said(void **state)
{
	struct place p;
	struct spool *s;
	struct spool_delivery d = { .mailbox = 7,
				    .wire_id = 4711,
				    .told_id = 4711,
				    .frame = (const uint8_t *)"frame",
				    .len = 5 };
	struct spool_delivery out;
	int64_t number;
	unsigned n = 0;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	assert_int_equal(spool_deliver(s, &d, &number), IEUM_E_OK);
	commit(s);
	assert_int_equal(spool_held(s, 0, count_held, &n), IEUM_E_OK);
	assert_int_equal(n, 1);
	assert_int_equal(spool_taken(s, number), IEUM_E_OK);
	commit(s);
	spool_close(s);
	s = open_here(&p);
	assert_int_equal(spool_held(s, 0, count_held, &n), IEUM_E_OK);
	assert_int_equal(n, 1);
	assert_int_equal(spool_find_delivery(s, &d, &out), IEUM_E_OK);
	assert_int_equal(out.number, number);
	assert_true(out.taken);
	d.mailbox = 8;
	assert_int_equal(spool_find_delivery(s, &d, &out), IEUM_E_OK);
	assert_int_equal(out.number, 0);
	assert_int_equal(scratch_shell("grep -c frame %s", p.path), 0 /* the column's name */);
	spool_close(s);
	scratch_remove(p.folder);
}

/* On one page, and over several. */
static void what_is_gone_cannot_be_read_from_the_file(void **state)
{
	static uint8_t bytes[20000];
	const size_t lens[] = { 100, sizeof bytes };
	struct place p;
	struct spool *s;

	(void)state;
	make_place(&p);
	s = open_here(&p);
	for (size_t i = 0; i + 16 <= sizeof bytes; i += 16)
		memcpy(bytes + i, "marked narrative", 16);
	for (size_t i = 0; i < 2; i++) {
		struct spool_message m = { .referral = bytes, .len = lens[i] };
		struct spool_delivery d = { .frame = bytes, .len = lens[i] };
		const struct spool_page page = { bytes, lens[i] };
		int64_t message, delivery, other;

		assert_int_equal(spool_put(s, &m, &message), IEUM_E_OK);
		assert_int_equal(spool_deliver(s, &d, &delivery), IEUM_E_OK);
		assert_int_equal(spool_keep_pages(s, "deadlines", 1, &page, 1), IEUM_E_OK);
		m.referral = d.frame = (const uint8_t *)"";
		m.len = d.len = 0;
		assert_int_equal(spool_put(s, &m, &other), IEUM_E_OK);
		commit(s);
		assert_int_equal(scratch_shell("grep -q 'marked narrative' %s*", p.path), 0);
		assert_int_equal(spool_drop(s, message), IEUM_E_OK);
		assert_int_equal(spool_taken(s, delivery), IEUM_E_OK);
		assert_int_equal(spool_keep_pages(s, "deadlines", 2, &page, 0), IEUM_E_OK);
		commit(s);
	}
	/* Also while another process has it open. */
	struct spool *other = open_here(&p);
	spool_close(s);
	assert_int_equal(scratch_shell("grep -q 'marked narrative' %s*", p.path), 1);
	spool_close(other);
	assert_int_equal(scratch_shell("grep -q 'marked narrative' %s*", p.path), 1);
	scratch_remove(p.folder);
}

static bool take_page(int64_t as_of_ms, const struct spool_page *page, void *arg)
{
	char *text = arg;

	assert_int_equal(as_of_ms, 99);
	strncat(text, (const char *)page->bytes, page->len);
	return true;
}

static bool sum_wires(const struct spool_delivery *d, void *arg)
{
	*(uint64_t *)arg = *(uint64_t *)arg * 10 + d->wire_id;
	return true;
}

static void put_delivery(struct spool *s, uint64_t wire_id, int64_t since_ms, int64_t term_ms,
			 bool taken)
{
	struct spool_delivery d = { .wire_id = wire_id,
				    .since_ms = since_ms,
				    .answer_by_at_ms = term_ms,
				    .frame = (const uint8_t *)"frame",
				    .len = 5 };
	int64_t number;

	assert_int_equal(spool_deliver(s, &d, &number), IEUM_E_OK);
	if (taken)
		assert_int_equal(spool_taken(s, number), IEUM_E_OK);
}

static void terms_are_of_what_is_held_and_what_came_since(void **state)
{
	struct place p;
	uint64_t wires = 0;

	(void)state;
	make_place(&p);
	struct spool *s = open_here(&p);
	put_delivery(s, 1, 1000, 9000, true);
	put_delivery(s, 2, 1000, 9000, false);
	put_delivery(s, 3, 2000, 8000, true);
	put_delivery(s, 4, 2000, 0, true);
	put_delivery(s, 5, 3000, 7000, false);
	commit(s);
	assert_int_equal(spool_terms(s, 2000, sum_wires, &wires), IEUM_E_OK);
	assert_int_equal(wires, 532); /* the soonest first */
	spool_close(s);
	scratch_remove(p.folder);
}

static void pages_are_replaced_whole(void **state)
{
	const struct spool_page old[] = { { (const uint8_t *)"x", 1 },
					  { (const uint8_t *)"y", 1 } };
	const struct spool_page fresh[] = { { (const uint8_t *)"deadlines", 9 } };
	struct place p;
	struct spool *s;
	char text[32] = "";

	(void)state;
	make_place(&p);
	s = open_here(&p);
	assert_int_equal(spool_keep_pages(s, "deadlines", 98, old, 2), IEUM_E_OK);
	assert_int_equal(spool_keep_pages(s, "deadlines", 99, fresh, 1), IEUM_E_OK);
	commit(s);
	assert_int_equal(spool_pages(s, "deadlines", take_page, text), IEUM_E_OK);
	assert_string_equal(text, "deadlines");
	spool_close(s);
	scratch_remove(p.folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_belongs_to_one_participant_of_one_hub),
		cmocka_unit_test(one_of_a_later_version_is_left_alone),
		cmocka_unit_test(one_of_the_first_version_is_brought_up),
		cmocka_unit_test(another_programs_database_is_left_alone),
		cmocka_unit_test(a_transaction_held_elsewhere_is_waited_for_and_named),
		cmocka_unit_test(a_slot_for_each_of_so_many_programs),
		cmocka_unit_test(what_a_living_process_has_is_its_own),
		cmocka_unit_test(a_process_that_dies_in_a_transaction_leaves_what_it_had_committed),
		cmocka_unit_test(what_has_a_receipt_stays_until_a_copy_covers_it),
		cmocka_unit_test(the_oldest_with_a_receipt_go_first_and_are_counted),
		cmocka_unit_test(over_its_limit_nothing_is_taken_and_nothing_is_lost),
		cmocka_unit_test(a_full_disk_is_said_and_loses_nothing),
		cmocka_unit_test(a_disk_that_is_full_at_opening_is_said_to_be_full),
		cmocka_unit_test(what_was_committed_outlives_a_power_cut),
		cmocka_unit_test(a_damaged_row_is_named_and_the_others_are_saved),
		cmocka_unit_test(of_damaged_pages_only_their_rows_are_lost),
		cmocka_unit_test(a_cut_between_a_salvage_s_last_steps_loses_nothing),
		cmocka_unit_test(a_taken_delivery_is_remembered_without_what_it_said),
		cmocka_unit_test(what_is_gone_cannot_be_read_from_the_file),
		cmocka_unit_test(terms_are_of_what_is_held_and_what_came_since),
		cmocka_unit_test(pages_are_replaced_whole),
	};

	only_seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
