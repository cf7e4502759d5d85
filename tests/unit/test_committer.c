/* The journal thread: hand-over, stall and recovery, unknown commits, failure, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <poll.h>
#include <string.h>

#include <cmocka.h>

#include "broker/journal/committer.h"
#include "broker/journal/memory.h"
#include "tests/unit/scratch.h"

enum { NEVER_MS = 20000 };

struct world {
	struct memory_disk *disk;
	struct journal *j;
	struct committer *c;
	struct journal_batch *b;
	uint64_t given; /* the loop's own count: the journal is the thread's */
};

static struct world world;

static int set_up(void **state)
{
	struct journal_config config = { .engine = "memory", .create = true };

	(void)state;
	world.disk = memory_disk_new();
	config.disk = world.disk;
	world.b = journal_batch_new();
	assert_int_equal(journal_open(&config, &world.j), IEUM_E_OK);
	return 0;
}

static void start(enum memory_fault fault, unsigned after, unsigned times)
{
	memory_disk_fail(world.disk, fault, after, times);
	assert_int_equal(committer_new(world.j, &world.c), IEUM_E_OK);
}

static int tear_down(void **state)
{
	(void)state;
	committer_free(world.c);
	journal_batch_free(world.b);
	journal_close(world.j);
	memory_disk_free(world.disk);
	world = (struct world){ 0 };
	return 0;
}

static struct journal_batch *batch_of(size_t n)
{
	static const struct journal_event e = { .kept = (const uint8_t *)"kept",
						.kept_len = 4,
						.payload = (const uint8_t *)"payload",
						.payload_len = 7 };

	journal_batch_clear(world.b);
	world.b->first_seq = world.given + 1;
	world.given += n;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(journal_batch_add(world.b, &e), IEUM_E_OK);
	return world.b;
}

static void wait_for_news(void)
{
	struct pollfd p = { .fd = committer_fd(world.c), .events = POLLIN };

	assert_int_equal(poll(&p, 1, NEVER_MS), 1);
}

/* As a loop does it: reap on news, look at the state. */
static enum ieum_err wait_for_batch(unsigned *stalls_seen)
{
	for (;;) {
		enum ieum_err result;

		wait_for_news();
		struct journal_batch *b = committer_reap(world.c, &result);
		if (stalls_seen && committer_state(world.c) == COMMITTER_STALLED)
			++*stalls_seen;
		if (b) {
			assert_ptr_equal(b, world.b);
			return result;
		}
	}
}

static void batches_come_back_done(void **state)
{
	struct committer_stats stats;
	enum ieum_err result;

	(void)state;
	start(MEMORY_FAULT_NONE, 0, 0);
	assert_false(committer_busy(world.c));
	assert_null(committer_reap(world.c, &result));
	for (size_t i = 1; i <= 50; i++) {
		assert_int_equal(committer_submit(world.c, batch_of(i)), IEUM_E_OK);
		assert_true(committer_busy(world.c));
		assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
		assert_false(committer_busy(world.c));
		assert_int_equal(world.b->tree_size, world.given);
	}
	assert_int_equal(committer_state(world.c), COMMITTER_RUNNING);
	committer_stats(world.c, &stats);
	assert_int_equal(stats.commits, 50);
	assert_int_equal(stats.events, world.given);
	assert_int_equal(stats.bytes, world.given * 11);
}

static void one_batch_at_a_time(void **state)
{
	struct journal_batch *other = journal_batch_new();

	(void)state;
	start(MEMORY_FAULT_NONE, 0, 0);
	assert_int_equal(committer_submit(world.c, batch_of(1)), IEUM_E_OK);
	assert_int_equal(committer_submit(world.c, other), IEUM_E_STATE_CONFLICT);
	wait_for_news();
	/* Done, but not reaped: still busy. */
	assert_int_equal(committer_submit(world.c, other), IEUM_E_STATE_CONFLICT);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	journal_batch_free(other);
}

static void reads_are_answered_after_the_commit(void **state)
{
	(void)state;
	start(MEMORY_FAULT_NONE, 0, 0);
	batch_of(3);
	assert_int_equal(journal_batch_read(world.b, 2, NULL), IEUM_E_OK);
	assert_int_equal(journal_batch_read(world.b, 9, NULL), IEUM_E_OK);
	assert_int_equal(committer_submit(world.c, world.b), IEUM_E_OK);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	assert_int_equal(world.b->reads[0].result, IEUM_E_OK);
	assert_memory_equal(world.b->reads[0].bytes, "payload", 7);
	assert_int_equal(world.b->reads[1].result, IEUM_E_FIELD_INVALID);
}

static void a_full_disk_stalls_and_recovers(void **state)
{
	struct committer_stats stats;
	unsigned stalls = 0;

	(void)state;
	start(MEMORY_DISK_FULL, 1, 2);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	assert_int_equal(wait_for_batch(&stalls), IEUM_E_OK);
	assert_int_equal(stalls, 0);
	assert_int_equal(committer_submit(world.c, batch_of(3)), IEUM_E_OK);
	wait_for_news();
	enum ieum_err result;
	assert_null(committer_reap(world.c, &result));
	assert_int_equal(committer_state(world.c), COMMITTER_STALLED);
	assert_int_equal(committer_trouble(world.c), IEUM_E_DISK_FULL);
	assert_int_equal(wait_for_batch(&stalls), IEUM_E_OK);
	assert_int_equal(committer_state(world.c), COMMITTER_RUNNING);
	assert_int_equal(committer_trouble(world.c), IEUM_E_OK);
	committer_stats(world.c, &stats);
	assert_int_equal(stats.stalls, 1);
	committer_stop(world.c);
	assert_int_equal(journal_last_seq(world.j), 5);
}

static void a_stalled_batch_is_given_back_at_stop(void **state)
{
	enum ieum_err result;

	(void)state;
	start(MEMORY_DISK_FULL, 0, 1000000);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	wait_for_news();
	committer_stop(world.c);
	assert_int_equal(committer_state(world.c), COMMITTER_STOPPED);
	assert_ptr_equal(committer_reap(world.c, &result), world.b);
	assert_int_equal(result, IEUM_E_DISK_FULL);
	assert_int_equal(journal_last_seq(world.j), 0);
}

static void an_unknown_commit_is_settled_unseen(void **state)
{
	(void)state;
	start(MEMORY_UNKNOWN_DONE, 1, 1);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	committer_stop(world.c);
	assert_int_equal(journal_last_seq(world.j), 4);
}

static void an_unknown_commit_that_was_lost_is_given_again(void **state)
{
	(void)state;
	start(MEMORY_UNKNOWN_LOST, 0, 3);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	committer_stop(world.c);
	assert_int_equal(journal_last_seq(world.j), 2);
}

static void a_failure_is_final(void **state)
{
	(void)state;
	start(MEMORY_LOSE_BATCH, 0, 1);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_OK);
	assert_int_equal(wait_for_batch(NULL), IEUM_E_JOURNAL_IO);
	assert_int_equal(committer_state(world.c), COMMITTER_FAILED);
	assert_int_equal(committer_trouble(world.c), IEUM_E_JOURNAL_IO);
	assert_int_equal(committer_submit(world.c, batch_of(2)), IEUM_E_UNAVAILABLE);
	committer_stop(world.c);
	assert_int_equal(committer_state(world.c), COMMITTER_FAILED);
}

static void a_stop_finishes_what_was_given(void **state)
{
	enum ieum_err result;

	(void)state;
	start(MEMORY_FAULT_NONE, 0, 0);
	assert_int_equal(committer_submit(world.c, batch_of(9)), IEUM_E_OK);
	committer_stop(world.c);
	assert_ptr_equal(committer_reap(world.c, &result), world.b);
	assert_int_equal(result, IEUM_E_OK);
	assert_int_equal(journal_last_seq(world.j), 9);
	assert_int_equal(committer_submit(world.c, world.b), IEUM_E_UNAVAILABLE);
	committer_stop(world.c);
}

static void what_is_never_reaped_is_freed(void **state)
{
	(void)state;
	start(MEMORY_FAULT_NONE, 0, 0);
	assert_int_equal(committer_submit(world.c, batch_of(1)), IEUM_E_OK);
	world.b = NULL;
}

/* The thread, the checkpointer's thread and a reader's connection at the same time. */
static void the_sqlite_engine_works_under_the_thread(void **state)
{
	struct journal_config config = { .engine = "sqlite",
					 .create = true,
					 .sqlite_wal_mark_bytes = 64 << 10 };
	char folder[SCRATCH_PATH_BYTES];
	char path[2 * SCRATCH_PATH_BYTES];
	struct journal_verdict v;
	struct journal *reader;

	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/j", folder);
	config.path = path;
	journal_close(world.j);
	assert_int_equal(journal_open(&config, &world.j), IEUM_E_OK);
	start(MEMORY_FAULT_NONE, 0, 0);
	config.read_only = true;
	assert_int_equal(journal_open(&config, &reader), IEUM_E_OK);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(committer_submit(world.c, batch_of(100)), IEUM_E_OK);
		if (i % 10 == 0) {
			assert_int_equal(journal_verify(reader, NULL, NULL, &v), IEUM_E_OK);
			assert_int_equal(v.finding, JOURNAL_SOUND);
		}
		assert_int_equal(wait_for_batch(NULL), IEUM_E_OK);
	}
	committer_stop(world.c);
	assert_int_equal(journal_verify(reader, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.events, 10000);
	journal_close(reader);
	journal_close(world.j);
	world.j = NULL;
	scratch_remove(folder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(batches_come_back_done),
		TEST(one_batch_at_a_time),
		TEST(reads_are_answered_after_the_commit),
		TEST(a_full_disk_stalls_and_recovers),
		TEST(a_stalled_batch_is_given_back_at_stop),
		TEST(an_unknown_commit_is_settled_unseen),
		TEST(an_unknown_commit_that_was_lost_is_given_again),
		TEST(a_failure_is_final),
		TEST(a_stop_finishes_what_was_given),
		TEST(what_is_never_reaped_is_freed),
		TEST(the_sqlite_engine_works_under_the_thread),
	};

	return cmocka_run_group_tests_name("committer", tests, NULL, NULL);
}
