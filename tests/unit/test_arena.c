/* proto/arena: alignment, the budget, what a reset keeps and what it gives back. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/arena.h"

static void pieces_are_aligned_and_apart(void **state)
{
	enum { PIECES = 3000 };
	static uint8_t *pieces[PIECES];
	struct arena a;

	(void)state;
	arena_init(&a, 64 << 20);
	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = arena_alloc(&a, i % 300 + 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], (int)(i % 251), i % 300 + 1);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t k = 0; k <= i % 300; k++)
			assert_int_equal(pieces[i][k], i % 251);
	arena_release(&a);
}

static void the_budget_is_never_passed(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1000);
	assert_null(arena_alloc(&a, 1001));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 4));
	assert_non_null(arena_alloc(&a, 900));
	assert_null(arena_alloc(&a, 101));
	/* Rounding up to the alignment counts too. */
	assert_null(arena_alloc(&a, 1000 - a.used - 1));
	assert_non_null(arena_alloc(&a, 16));
	assert_true(a.used <= a.budget);
	arena_reset(&a);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 900));
	arena_release(&a);
}

static void a_reset_keeps_one_ordinary_chunk(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 64 << 20);
	void *first = arena_alloc(&a, 100);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 100), first);
	/* A huge piece isn't kept for ever. */
	assert_non_null(arena_alloc(&a, 10 << 20));
	arena_reset(&a);
	assert_null(a.chunk);
	assert_non_null(arena_alloc(&a, 100));
	arena_release(&a);
	arena_release(&a);
	assert_non_null(arena_alloc(&a, 100));
	arena_release(&a);
}

static void cleared_and_copied(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	memset(arena_alloc(&a, 1000), 0xFF, 1000);
	arena_reset(&a);
	uint8_t *zeros = arena_zalloc(&a, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(zeros[i], 0);
	char *copy = arena_copy(&a, "이음", 7);
	assert_string_equal(copy, "이음");
	assert_non_null(arena_copy(&a, NULL, 0));
	arena_release(&a);
}

static void protobuf_allocates_from_it(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	void *p = a.allocator.alloc(a.allocator.allocator_data, 90);
	assert_non_null(p);
	a.allocator.free(a.allocator.allocator_data, p);
	assert_null(a.allocator.alloc(a.allocator.allocator_data, 90));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),
		cmocka_unit_test(the_budget_is_never_passed),
		cmocka_unit_test(a_reset_keeps_one_ordinary_chunk),
		cmocka_unit_test(cleared_and_copied),
		cmocka_unit_test(protobuf_allocates_from_it),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
