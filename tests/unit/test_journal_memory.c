/* The memory engine's faults: how each way of failing looks, and what is there afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/journal/journal.h"
#include "broker/journal/memory.h"

struct world {
	struct memory_disk *disk;
	struct journal *j;
	struct journal_batch *b;
};

static struct world world;

static void open_journal(void)
{
	struct journal_config config = { .engine = "memory", .disk = world.disk, .create = true };

	journal_close(world.j);
	world.j = NULL;
	assert_int_equal(journal_open(&config, &world.j), IEUM_E_OK);
}

static int set_up(void **state)
{
	(void)state;
	world.disk = memory_disk_new();
	world.b = journal_batch_new();
	open_journal();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	journal_close(world.j);
	journal_batch_free(world.b);
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
	world.b->first_seq = journal_last_seq(world.j) + 1;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(journal_batch_add(world.b, &e), IEUM_E_OK);
	return world.b;
}

static void assert_sound(uint64_t events)
{
	struct journal_verdict v;

	assert_int_equal(journal_last_seq(world.j), events);
	assert_int_equal(journal_verify(world.j, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.events, events);
}

/* Four events are there; the next append crashes; `left` are there afterwards. */
static void crash(enum memory_fault fault, uint64_t left)
{
	assert_int_equal(journal_append(world.j, batch_of(4)), IEUM_E_OK);
	memory_disk_fail(world.disk, fault, 0, 1);
	assert_int_equal(journal_append(world.j, batch_of(6)), IEUM_E_JOURNAL_IO);
	/* The crashed process can't go on. */
	assert_int_equal(journal_append(world.j, world.b), IEUM_E_JOURNAL_IO);
	assert_int_equal(journal_maintain(world.j, true), IEUM_E_JOURNAL_IO);
	open_journal();
	assert_sound(left);
	assert_int_equal(journal_append(world.j, batch_of(3)), IEUM_E_OK);
	open_journal();
	assert_sound(left + 3);
}

static void a_lost_batch_is_gone(void **state)
{
	(void)state;
	crash(MEMORY_LOSE_BATCH, 4);
}

static void a_lost_completion_leaves_the_batch(void **state)
{
	(void)state;
	crash(MEMORY_LOSE_COMPLETION, 10);
}

static void a_torn_batch_is_dropped(void **state)
{
	(void)state;
	crash(MEMORY_TORN_BATCH, 4);
}

static void a_torn_batch_is_seen_by_the_auditor(void **state)
{
	struct journal_config config = { .engine = "memory",
					 .disk = world.disk,
					 .read_only = true };
	struct journal_verdict v;
	struct journal *reader;

	(void)state;
	config.disk = world.disk;
	assert_int_equal(journal_append(world.j, batch_of(4)), IEUM_E_OK);
	memory_disk_fail(world.disk, MEMORY_TORN_BATCH, 0, 1);
	assert_int_equal(journal_append(world.j, batch_of(6)), IEUM_E_JOURNAL_IO);
	assert_int_equal(journal_open(&config, &reader), IEUM_E_OK);
	assert_int_equal(journal_verify(reader, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_UNCOMMITTED);
	assert_int_equal(v.seq, 5);
	journal_close(reader);
}

static void a_full_disk_keeps_the_batch_for_later(void **state)
{
	(void)state;
	memory_disk_fail(world.disk, MEMORY_DISK_FULL, 1, 2);
	assert_int_equal(journal_append(world.j, batch_of(2)), IEUM_E_OK);
	assert_int_equal(journal_append(world.j, batch_of(2)), IEUM_E_DISK_FULL);
	assert_int_equal(journal_append(world.j, world.b), IEUM_E_DISK_FULL);
	assert_int_equal(journal_last_seq(world.j), 2);
	assert_int_equal(journal_append(world.j, world.b), IEUM_E_OK);
	assert_sound(4);
}

static void an_unknown_commit_is_asked_for(enum memory_fault fault, bool expected)
{
	bool committed = !expected;

	assert_int_equal(journal_append(world.j, batch_of(2)), IEUM_E_OK);
	assert_int_equal(journal_resolve(world.j, world.b, &committed), IEUM_E_INTERNAL);
	memory_disk_fail(world.disk, fault, 0, 1);
	assert_int_equal(journal_append(world.j, batch_of(3)), IEUM_E_COMMIT_UNKNOWN);
	assert_int_equal(journal_append(world.j, world.b), IEUM_E_COMMIT_UNKNOWN);
	assert_int_equal(journal_resolve(world.j, world.b, &committed), IEUM_E_OK);
	assert_int_equal(committed, expected);
	if (!committed)
		assert_int_equal(journal_append(world.j, world.b), IEUM_E_OK);
	assert_int_equal(world.b->tree_size, 5);
	assert_sound(5);
}

static void an_unknown_commit_that_was_done(void **state)
{
	(void)state;
	an_unknown_commit_is_asked_for(MEMORY_UNKNOWN_DONE, true);
}

static void an_unknown_commit_that_was_lost(void **state)
{
	(void)state;
	an_unknown_commit_is_asked_for(MEMORY_UNKNOWN_LOST, false);
}

static void an_overtaken_writer_is_fenced(void **state)
{
	struct journal_config config = { .engine = "memory", .disk = world.disk };
	struct journal *old = world.j;

	(void)state;
	config.disk = world.disk;
	assert_int_equal(journal_append(old, batch_of(2)), IEUM_E_OK);
	memory_disk_fence(world.disk);
	assert_int_equal(journal_open(&config, &world.j), IEUM_E_OK);
	assert_int_equal(journal_append(world.j, batch_of(1)), IEUM_E_OK);
	assert_int_equal(journal_append(old, batch_of(1)),
			 IEUM_E_INTERNAL); /* its own numbering is behind */
	world.b->first_seq = 3;
	assert_int_equal(journal_append(old, world.b), IEUM_E_JOURNAL_FENCED);
	assert_int_equal(journal_append(old, world.b), IEUM_E_JOURNAL_FENCED);
	journal_close(old);
	assert_sound(3);
}

static void a_changed_bit_is_found(void **state)
{
	struct journal_config config = { .engine = "memory", .disk = world.disk };
	struct journal_verdict v;
	struct journal *j;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(journal_append(world.j, batch_of(5)), IEUM_E_OK);
	memory_disk_flip(world.disk, 13);
	assert_int_equal(journal_verify(world.j, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_ROOT_MISMATCH);
	assert_int_equal(v.from_seq, 10);
	assert_int_equal(v.seq, 15);
	assert_int_equal(v.events, 15);
	assert_int_equal(v.commits, 2);
	assert_memory_not_equal(v.expected.bytes, v.found.bytes, MERKLE_HASH_BYTES);
	assert_non_null(strstr(v.text, "11..15"));
	/* A writer refuses to go on from there. */
	journal_close(world.j);
	world.j = NULL;
	config.disk = world.disk;
	assert_int_equal(journal_open(&config, &j), IEUM_E_JOURNAL_CORRUPT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_lost_batch_is_gone),
		TEST(a_lost_completion_leaves_the_batch),
		TEST(a_torn_batch_is_dropped),
		TEST(a_torn_batch_is_seen_by_the_auditor),
		TEST(a_full_disk_keeps_the_batch_for_later),
		TEST(an_unknown_commit_that_was_done),
		TEST(an_unknown_commit_that_was_lost),
		TEST(an_overtaken_writer_is_fenced),
		TEST(a_changed_bit_is_found),
	};

	return cmocka_run_group_tests_name("journal_memory", tests, NULL, NULL);
}
