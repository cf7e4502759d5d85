/* broker/payload_cache: the oldest go first, borrowed ones stay, fetched ones keep to their share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/payload_cache.h"

enum { BIG = 256 * 1024 };

/* A payload that can be told from every other. */
static const uint8_t *payload(uint64_t seq, size_t len)
{
	static uint8_t bytes[4 * BIG];

	memset(bytes, (int)(seq % 251), len);
	memcpy(bytes, &seq, sizeof(seq));
	return bytes;
}

static void assert_has(const struct payload_cache *c, uint64_t seq, size_t len)
{
	const uint8_t *bytes;
	size_t found;

	assert_true(payload_cache_get(c, seq, &bytes, &found));
	assert_int_equal(found, len);
	assert_memory_equal(bytes, payload(seq, len), len);
}

static bool has(const struct payload_cache *c, uint64_t seq)
{
	const uint8_t *bytes;
	size_t len;

	return payload_cache_get(c, seq, &bytes, &len);
}

static void what_was_put_is_there(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);

	(void)state;
	assert_non_null(payload_cache_put(c, 3, payload(3, 100), 100));
	assert_non_null(payload_cache_put(c, 9, payload(9, 8), 8));
	assert_has(c, 3, 100);
	assert_has(c, 9, 8);
	assert_false(has(c, 4));
	assert_false(has(c, 0));
	payload_cache_free(c);
}

static void the_oldest_go_first_and_memory_stays_bounded(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);
	uint64_t n = 400;

	(void)state;
	for (uint64_t seq = 1; seq <= n; seq++) {
		assert_non_null(payload_cache_put(c, seq, payload(seq, BIG), BIG));
		assert_has(c, seq, BIG);
		assert_in_range(payload_cache_bytes(c), 0, PAYLOAD_CACHE_MIN_BYTES);
	}
	assert_false(has(c, 1));
	/* Not just the last one: most of the budget is in use. */
	for (uint64_t seq = n - 16; seq <= n; seq++)
		assert_has(c, seq, BIG);
	payload_cache_free(c);
}

static void borrowed_ones_stay_even_over_the_budget(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);
	const uint8_t *borrowed;

	(void)state;
	borrowed = payload_cache_put(c, 1, payload(1, BIG), BIG);
	payload_cache_hold(c, 1);
	for (uint64_t seq = 2; seq <= 200; seq++)
		assert_non_null(payload_cache_put(c, seq, payload(seq, BIG), BIG));
	assert_memory_equal(borrowed, payload(1, BIG), BIG);
	assert_true(payload_cache_bytes(c) > PAYLOAD_CACHE_MIN_BYTES);
	/* Given back, the excess goes away. */
	payload_cache_hold(c, UINT64_MAX);
	for (uint64_t seq = 201; seq <= 205; seq++)
		assert_non_null(payload_cache_put(c, seq, payload(seq, BIG), BIG));
	assert_in_range(payload_cache_bytes(c), 0, PAYLOAD_CACHE_MIN_BYTES);
	assert_false(has(c, 1));
	payload_cache_free(c);
}

static void a_payload_larger_than_a_block(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);
	size_t len = 4 * BIG - 8 + PAYLOAD_BLOCK_BYTES;
	uint8_t *large = calloc(1, len);
	const uint8_t *bytes;
	size_t found;

	(void)state;
	memset(large, 7, len);
	assert_non_null(payload_cache_put(c, 5, large, len));
	assert_true(payload_cache_get(c, 5, &bytes, &found));
	assert_int_equal(found, len);
	assert_memory_equal(bytes, large, len);
	free(large);
	payload_cache_free(c);
}

static void put_fetched(struct payload_cache *c, uint64_t seq, size_t len)
{
	uint8_t *bytes = malloc(len);

	memcpy(bytes, payload(seq, len), len);
	assert_int_equal(payload_cache_put_fetched(c, seq, bytes, len), IEUM_E_OK);
}

static void fetched_ones_keep_to_their_share(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);

	(void)state;
	for (uint64_t seq = 1; seq <= 100; seq++) {
		put_fetched(c, seq, BIG);
		assert_has(c, seq, BIG);
		assert_in_range(payload_cache_bytes(c), 0, payload_cache_fetched_max(c));
	}
	assert_false(has(c, 1));
	assert_has(c, 96, BIG);
	/* Fetched twice: kept once. */
	put_fetched(c, 96, BIG);
	assert_has(c, 96, BIG);
	payload_cache_free(c);
}

static void an_erased_payload_is_known_to_be_empty(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);
	const uint8_t *bytes;
	size_t len = 1;

	(void)state;
	assert_int_equal(payload_cache_put_fetched(c, 12, NULL, 0), IEUM_E_OK);
	assert_true(payload_cache_get(c, 12, &bytes, &len));
	assert_int_equal(len, 0);
	payload_cache_free(c);
}

static void what_is_dropped_is_gone_from_memory(void **state)
{
	struct payload_cache *c = payload_cache_new(PAYLOAD_CACHE_MIN_BYTES);
	const uint8_t secret[] = "the child said that";
	const uint8_t *at = payload_cache_put(c, 1, secret, sizeof secret);

	(void)state;
	assert_non_null(payload_cache_put(c, 2, secret, sizeof secret));
	put_fetched(c, 3, BIG);
	put_fetched(c, 4, BIG);
	payload_cache_drop(c, 1);
	payload_cache_drop(c, 3);
	payload_cache_drop(c, 99);
	assert_false(has(c, 1));
	assert_false(has(c, 3));
	assert_true(has(c, 2));
	assert_has(c, 4, BIG);
	for (size_t i = 0; i < sizeof secret; i++)
		assert_int_equal(at[i], 0);
	payload_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there),
		cmocka_unit_test(the_oldest_go_first_and_memory_stays_bounded),
		cmocka_unit_test(borrowed_ones_stay_even_over_the_budget),
		cmocka_unit_test(a_payload_larger_than_a_block),
		cmocka_unit_test(fetched_ones_keep_to_their_share),
		cmocka_unit_test(an_erased_payload_is_known_to_be_empty),
		cmocka_unit_test(what_is_dropped_is_gone_from_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
