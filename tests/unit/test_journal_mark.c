/* The mark beside a journal: when it begins a new incarnation, when it doesn't, and what happens
 * where it can't be written. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/journal/journal.h"
#include "broker/journal/mark.h"
#include "tests/unit/scratch.h"

#define FIRST "incarnation one"

struct place {
	char folder[SCRATCH_PATH_BYTES];
	char path[64], mark[72];
	struct journal *j;
	char next[JOURNAL_INCARNATION_BYTES]; /* given at the next open */
	char log[1024];                       /* all lines */
};

static void keep_lines(void *ctx, const char *line)
{
	struct place *p = ctx;
	size_t n = strlen(p->log);

	snprintf(p->log + n, sizeof p->log - n, "%s\n", line);
}

static struct journal_config config_of(struct place *p)
{
	struct journal_config config = { .engine = "sqlite",
					 .path = p->path,
					 .create = true,
					 .log_cb = keep_lines,
					 .log_ctx = p };

	memcpy(config.incarnation, p->next, sizeof config.incarnation);
	return config;
}

static void close_journal(struct place *p)
{
	journal_close(p->j);
	p->j = NULL;
}

static enum ieum_err try_open(struct place *p)
{
	struct journal_config config = config_of(p);

	close_journal(p);
	p->log[0] = '\0';
	return journal_open(&config, &p->j);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	scratch_make(p->folder);
	snprintf(p->path, sizeof p->path, "%s/j", p->folder);
	snprintf(p->mark, sizeof p->mark, "%s-mark", p->path);
	strcpy(p->next, FIRST);
	*state = p;
	assert_int_equal(try_open(p), IEUM_E_OK);
	strcpy(p->next, "incarnation two");
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close_journal(p);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static enum ieum_err try_append(struct place *p, size_t n)
{
	struct journal_batch *b = journal_batch_new();

	b->first_seq = journal_last_seq(p->j) + 1;
	for (size_t i = 0; i < n; i++) {
		struct journal_event e = { .kept = (const uint8_t *)"event", .kept_len = 5 };

		assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	}
	enum ieum_err err = journal_append(p->j, b);
	journal_batch_free(b);
	return err;
}

static void append(struct place *p, size_t n)
{
	assert_int_equal(try_append(p, n), IEUM_E_OK);
}

/* Copies the closed journal to FOLDER/copy, or puts that back. */
static void copy(struct place *p, const char *suffix)
{
	close_journal(p);
	assert_int_equal(scratch_shell("cp %s%s %s/copy%s", p->path, suffix, p->folder, suffix), 0);
}

static void put_back(struct place *p, const char *suffix)
{
	close_journal(p);
	assert_int_equal(scratch_shell("cp %s/copy%s %s%s", p->folder, suffix, p->path, suffix), 0);
}

static const char *incarnation(const struct place *p)
{
	return (const char *)journal_info(p->j)->incarnation;
}

/* Opened, it goes on as the journal it was. */
static void assert_goes_on(struct place *p, uint64_t last)
{
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal(incarnation(p), FIRST);
	assert_int_equal(journal_last_seq(p->j), last);
}

/* Opened, it begins a new incarnation once, for this reason. */
static void assert_begins_anew(struct place *p, const char *why)
{
	assert_int_equal(try_open(p), IEUM_E_OK);
	if (!strstr(journal_info(p->j)->restored_why, why))
		fail_msg("not '%s': '%s'", why, journal_info(p->j)->restored_why);
	assert_string_equal(incarnation(p), "incarnation two");
	strcpy(p->next, "incarnation 333");
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal(incarnation(p), "incarnation two");
}

static void it_says_how_far_the_journal_has_come(void **state)
{
	struct place *p = *state;
	struct journal_mark mark;
	struct merkle_hash root;
	const char *none;
	struct stat st;

	for (size_t n = 1; n <= 3; n++) {
		append(p, n);
		assert_int_equal(journal_mark_read(p->mark, &mark, &none), IEUM_E_OK);
		assert_null(none);
		assert_int_equal(mark.size, journal_root(p->j, &root));
		assert_true(merkle_equal(&mark.root, &root));
		assert_string_equal((const char *)mark.incarnation, FIRST);
	}
	assert_int_equal(stat(p->mark, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_goes_on(p, 6);
	append(p, 1);
	assert_goes_on(p, 7);
}

static void without_it_a_journal_is_a_copy(void **state)
{
	struct place *p = *state;

	append(p, 5);
	close_journal(p);
	assert_int_equal(unlink(p->mark), 0);
	assert_begins_anew(p, "there is no mark");
	assert_int_equal(journal_last_seq(p->j), 5);
}

/* A start that was cut short before the first event; or the journal was taken away. */
static void an_empty_journal_is_no_copy(void **state)
{
	struct place *p = *state;

	close_journal(p);
	assert_int_equal(unlink(p->mark), 0);
	assert_goes_on(p, 0);
	append(p, 3);
	close_journal(p);
	assert_int_equal(scratch_shell("rm %s", p->path), 0);
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal(incarnation(p), "incarnation two");
}

static void a_journal_that_ends_before_it_is_a_copy(void **state)
{
	struct place *p = *state;

	append(p, 5);
	copy(p, "");
	assert_goes_on(p, 5);
	append(p, 2);
	put_back(p, "");
	assert_begins_anew(p, "it ends with event 5, and 7 were written here");
	/* The numbers after the copy are given again, to others. */
	append(p, 4);
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_int_equal(journal_last_seq(p->j), 9);
}

static void a_copy_from_before_a_copy_is_one_too(void **state)
{
	struct place *p = *state;

	append(p, 5);
	copy(p, "");
	assert_int_equal(unlink(p->mark), 0);
	assert_begins_anew(p, "there is no mark");
	put_back(p, "");
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_non_null(strstr(journal_info(p->j)->restored_why, "of another incarnation"));
	assert_string_equal(incarnation(p), "incarnation 333");
}

/* An ieum that keeps no mark went on with a copy, past where the mark was. */
static void a_journal_that_came_there_in_another_way_is_a_copy(void **state)
{
	struct place *p = *state;
	struct journal_mark_file file;
	struct journal_mark mark;
	const char *none;

	append(p, 5);
	append(p, 5);
	close_journal(p);
	assert_int_equal(journal_mark_read(p->mark, &mark, &none), IEUM_E_OK);
	mark.size = 5;
	assert_int_equal(journal_mark_open(p->mark, &mark, &file), IEUM_E_OK);
	journal_mark_close(&file);
	assert_begins_anew(p, "its first 5 events are not those written here");
}

/* What a power cut may leave: the newest marks were not on the disk yet. */
static void a_mark_that_lags_is_no_matter(void **state)
{
	struct place *p = *state;

	append(p, 5);
	copy(p, "-mark");
	assert_goes_on(p, 5);
	append(p, 2);
	put_back(p, "-mark"); /* into the same file */
	assert_goes_on(p, 7);
}

static void a_damaged_mark_is_none(void **state)
{
	struct place *p = *state;

	append(p, 5);
	close_journal(p);
	assert_int_equal(scratch_shell("printf X | dd of=%s bs=1 seek=33 conv=notrunc status=none",
				       p->mark),
			 0);
	assert_begins_anew(p, "is damaged");
}

static void half_a_mark_is_none(void **state)
{
	struct place *p = *state;

	append(p, 5);
	close_journal(p);
	assert_int_equal(truncate(p->mark, 60), 0);
	assert_begins_anew(p, "is damaged");
}

/* The whole folder was put back, the mark with it: it agrees, but is another file. */
static void a_mark_that_was_copied_is_none(void **state)
{
	struct place *p = *state;

	append(p, 5);
	copy(p, "");
	copy(p, "-mark");
	assert_goes_on(p, 5);
	append(p, 2);
	close_journal(p);
	assert_int_equal(scratch_shell("rm %s*; mv %s/copy %s; mv %s/copy-mark %s", p->path,
				       p->folder, p->path, p->folder, p->mark),
			 0);
	assert_begins_anew(p, "was copied with it");
	assert_int_equal(journal_last_seq(p->j), 5);
}

static void its_operator_can_say_so(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);

	append(p, 5);
	close_journal(p);
	config.restored = true;
	assert_int_equal(journal_open(&config, &p->j), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "its operator says so");
	assert_string_equal(incarnation(p), "incarnation two");
	assert_int_equal(try_open(p), IEUM_E_OK);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal(incarnation(p), "incarnation two");
}

static void the_old_incarnation_is_no_new_one(void **state)
{
	struct place *p = *state;

	append(p, 5);
	close_journal(p);
	assert_int_equal(unlink(p->mark), 0);
	strcpy(p->next, FIRST);
	assert_int_equal(try_open(p), IEUM_E_FIELD_INVALID);
	strcpy(p->next, "incarnation two");
	assert_begins_anew(p, "there is no mark");
}

/* An auditor, on the journal of a hub or on a copy. */
static void a_reader_leaves_it_alone(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);

	append(p, 5);
	close_journal(p);
	assert_int_equal(scratch_shell("mv %s %s/kept", p->mark, p->folder), 0);
	config.read_only = true;
	config.restored = true;
	assert_int_equal(journal_open(&config, &p->j), IEUM_E_OK);
	assert_string_equal(incarnation(p), FIRST);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	close_journal(p);
	assert_int_equal(access(p->mark, F_OK), -1);
	assert_int_equal(scratch_shell("mv %s/kept %s", p->folder, p->mark), 0);
	assert_goes_on(p, 5);
}

static void where_it_cannot_be_written_nothing_starts(void **state)
{
	struct place *p = *state;

	append(p, 5);
	close_journal(p);
	assert_int_equal(unlink(p->mark), 0);
	assert_int_equal(mkdir(p->mark, 0700), 0);
	assert_int_equal(try_open(p), IEUM_E_JOURNAL_IO);
	assert_non_null(strstr(p->log, p->mark));
	assert_int_equal(rmdir(p->mark), 0);
	assert_begins_anew(p, "there is no mark");
}

/* The descriptor that the journal writes its mark through. */
static int find_mark_fd(const struct place *p)
{
	char link[64], name[128];
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = -1;

	while (found < 0 && (entry = readdir(fds))) {
		snprintf(link, sizeof link, "/proc/self/fd/%.20s", entry->d_name);
		ssize_t n = readlink(link, name, sizeof name - 1);
		if (n > 0 && (size_t)n == strlen(p->mark) && memcmp(name, p->mark, (size_t)n) == 0)
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(fds);
	assert_true(found >= 0);
	return found;
}

/* In the mark's stead; the mark's own, to be put back. */
static int replace_fd(int fd, const char *path, int flags)
{
	int own = dup(fd), other = open(path, flags | O_CLOEXEC);

	assert_true(own >= 0 && other >= 0);
	assert_int_equal(dup2(other, fd), fd);
	close(other);
	return own;
}

/* No room for it (a file system that never writes in place): as a full disk, and nothing is lost. */
static void without_room_for_it_the_next_batch_waits(void **state)
{
	struct place *p = *state;

	append(p, 5);
	int fd = find_mark_fd(p);
	int own = replace_fd(fd, "/dev/full", O_RDWR);

	append(p, 1); /* is committed, and its mark owed */
	assert_int_equal(try_append(p, 1), IEUM_E_DISK_FULL);
	assert_int_equal(try_append(p, 1), IEUM_E_DISK_FULL);
	assert_int_equal(journal_last_seq(p->j), 6);
	assert_int_equal(dup2(own, fd), fd);
	close(own);
	append(p, 1);
	assert_goes_on(p, 7);
}

static void a_mark_that_fails_is_journal_trouble(void **state)
{
	struct place *p = *state;

	append(p, 5);
	int fd = find_mark_fd(p);
	close(replace_fd(fd, "/dev/null", O_RDONLY));

	append(p, 1);
	assert_int_equal(try_append(p, 1), IEUM_E_JOURNAL_IO);
	assert_int_equal(try_append(p, 1), IEUM_E_JOURNAL_IO);
	assert_goes_on(p, 6);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_says_how_far_the_journal_has_come),
		TEST(without_it_a_journal_is_a_copy),
		TEST(an_empty_journal_is_no_copy),
		TEST(a_journal_that_ends_before_it_is_a_copy),
		TEST(a_copy_from_before_a_copy_is_one_too),
		TEST(a_journal_that_came_there_in_another_way_is_a_copy),
		TEST(a_mark_that_lags_is_no_matter),
		TEST(a_damaged_mark_is_none),
		TEST(half_a_mark_is_none),
		TEST(a_mark_that_was_copied_is_none),
		TEST(its_operator_can_say_so),
		TEST(the_old_incarnation_is_no_new_one),
		TEST(a_reader_leaves_it_alone),
		TEST(where_it_cannot_be_written_nothing_starts),
		TEST(without_room_for_it_the_next_batch_waits),
		TEST(a_mark_that_fails_is_journal_trouble),
	};

	return cmocka_run_group_tests_name("journal_mark", tests, NULL, NULL);
}
