/* proto/buf: order of bytes, growth up to the maximum, the cost of compaction, and what a
 * refusal leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/buf.h"

static void an_empty_buffer_has_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.base);
	assert_int_equal(buf_len(&b), 0);
	assert_non_null(buf_bytes(&b));
	buf_release(&b);
}

static void bytes_come_out_in_the_order_they_went_in(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_append(&b, "abc", 3), IEUM_E_OK);
	assert_int_equal(buf_append(&b, "", 0), IEUM_E_OK);
	assert_int_equal(buf_append(&b, "defg", 4), IEUM_E_OK);
	assert_int_equal(buf_len(&b), 7);
	assert_memory_equal(buf_bytes(&b), "abcdefg", 7);
	buf_consume(&b, 2);
	assert_int_equal(buf_len(&b), 5);
	assert_memory_equal(buf_bytes(&b), "cdefg", 5);
	buf_release(&b);
}

static void max_is_reached_and_never_passed(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_append(&b, "12345678", 8), IEUM_E_OK);
	assert_int_equal(buf_append(&b, "9", 1), IEUM_E_FIELD_TOO_LARGE);
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(buf_len(&b), 8);
	assert_memory_equal(buf_bytes(&b), "12345678", 8);

	buf_consume(&b, 3);
	assert_int_equal(buf_append(&b, "abcd", 4), IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(buf_append(&b, "abc", 3), IEUM_E_OK);
	assert_memory_equal(buf_bytes(&b), "45678abc", 8);
	buf_release(&b);
}

static void a_length_near_size_max_is_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_append(&b, "abc", 3), IEUM_E_OK);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_null(buf_reserve(&b, SIZE_MAX - 3));
	assert_memory_equal(buf_bytes(&b), "abc", 3);
	buf_release(&b);
}

static void reserve_and_commit_write_in_place(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	uint8_t *to = buf_reserve(&b, 5000);
	assert_non_null(to);
	memset(to, 'x', 5000);
	assert_int_equal(buf_len(&b), 0);
	buf_commit(&b, 4000);
	assert_int_equal(buf_len(&b), 4000);
	assert_int_equal(buf_bytes(&b)[3999], 'x');
	buf_release(&b);
}

static void consuming_all_makes_the_whole_buffer_free_again(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(buf_append(&b, "0123456789", 10), IEUM_E_OK);
		buf_consume(&b, 10);
		assert_int_equal(b.head, 0);
	}
	buf_release(&b);
}

/* Small amounts appended and consumed in turn, with a long backlog between them: the bytes
 * stay right, memory stays within twice max, and the backlog is not moved each time. */
static void a_long_backlog_is_seldom_moved(void **state)
{
	enum { MAX = 64 * 1024, STEP = 7, ROUNDS = 100000 };
	struct buf b;
	uint8_t in = 0;
	uint8_t out = 0;
	int moves = 0;

	(void)state;
	buf_init(&b, MAX);
	while (buf_len(&b) + STEP <= MAX) {
		uint8_t *to = buf_reserve(&b, STEP);
		assert_non_null(to);
		for (int i = 0; i < STEP; i++)
			to[i] = in++;
		buf_commit(&b, STEP);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < STEP; i++)
			assert_int_equal(buf_bytes(&b)[i], out++);
		buf_consume(&b, STEP);
		size_t head = b.head;
		uint8_t *to = buf_reserve(&b, STEP);
		assert_non_null(to);
		moves += b.head < head;
		for (int i = 0; i < STEP; i++)
			to[i] = in++;
		buf_commit(&b, STEP);
		assert_true(b.cap <= (size_t)2 * MAX);
	}
	/* 700,000 bytes through a backlog of 64 KiB: some ten moves, not 100,000. */
	assert_in_range(moves, 1, ROUNDS * STEP / (MAX / 2));
	buf_release(&b);
}

static void random_use_equals_a_plain_array(void **state)
{
	enum { MAX = 3000, TOTAL = 200000 };
	static uint8_t fed[TOTAL];
	size_t in = 0;
	size_t out = 0;
	struct buf b;

	(void)state;
	srandom(7);
	for (size_t i = 0; i < TOTAL; i++)
		fed[i] = (uint8_t)random();
	buf_init(&b, MAX);
	while (in < TOTAL) {
		size_t n = (size_t)random() % 1500;
		if (n > TOTAL - in)
			n = TOTAL - in;
		if (in - out + n > MAX) {
			assert_int_equal(buf_append(&b, fed + in, n), IEUM_E_FIELD_TOO_LARGE);
		} else {
			assert_int_equal(buf_append(&b, fed + in, n), IEUM_E_OK);
			in += n;
		}
		assert_int_equal(buf_len(&b), in - out);
		assert_memory_equal(buf_bytes(&b), fed + out, in - out);
		size_t drop = in > out ? (size_t)random() % (in - out + 1) : 0;
		buf_consume(&b, drop);
		out += drop;
	}
	buf_release(&b);
}

static void swap_exchanges_bytes_and_limits(void **state)
{
	struct buf a;
	struct buf b;

	(void)state;
	buf_init(&a, 4);
	buf_init(&b, 40);
	assert_int_equal(buf_append(&a, "aa", 2), IEUM_E_OK);
	assert_int_equal(buf_append(&b, "bbbbb", 5), IEUM_E_OK);
	buf_swap(&a, &b);
	assert_memory_equal(buf_bytes(&a), "bbbbb", 5);
	assert_memory_equal(buf_bytes(&b), "aa", 2);
	assert_int_equal(a.max, 40);
	assert_int_equal(buf_append(&b, "xyz", 3), IEUM_E_FIELD_TOO_LARGE);
	buf_release(&a);
	buf_release(&b);
}

static void a_released_buffer_can_be_used_again(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(buf_append(&b, "abc", 3), IEUM_E_OK);
	buf_release(&b);
	buf_release(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(b.max, 16);
	assert_int_equal(buf_append(&b, "de", 2), IEUM_E_OK);
	assert_memory_equal(buf_bytes(&b), "de", 2);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_has_no_memory),
		cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
		cmocka_unit_test(max_is_reached_and_never_passed),
		cmocka_unit_test(a_length_near_size_max_is_refused),
		cmocka_unit_test(reserve_and_commit_write_in_place),
		cmocka_unit_test(consuming_all_makes_the_whole_buffer_free_again),
		cmocka_unit_test(a_long_backlog_is_seldom_moved),
		cmocka_unit_test(random_use_equals_a_plain_array),
		cmocka_unit_test(swap_exchanges_bytes_and_limits),
		cmocka_unit_test(a_released_buffer_can_be_used_again),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
