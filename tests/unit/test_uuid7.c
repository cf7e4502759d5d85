/* proto/uuid7: order, time, form and text of version 7 UUIDs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proto/uuid7.h"

/* RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC. */
static const uint8_t rfc_id[UUID_BYTES] = { 0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0, 0x7C, 0xC3,
					    0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F };
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";

static void the_rfcs_example_is_understood(void **state)
{
	uint8_t id[UUID_BYTES];
	char text[UUID_TEXT_BYTES];

	(void)state;
	assert_true(uuid7_valid(rfc_id, sizeof rfc_id));
	assert_int_equal(uuid7_ms(rfc_id), 1645557742000);
	uuid_format(rfc_id, text);
	assert_string_equal(text, rfc_text);
	assert_true(uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", id));
	assert_memory_equal(id, rfc_id, sizeof id);
}

static void other_versions_variants_and_lengths_are_not_valid(void **state)
{
	uint8_t id[UUID_BYTES];

	(void)state;
	memcpy(id, rfc_id, sizeof id);
	for (int version = 0; version < 16; version++) {
		id[6] = (uint8_t)(version << 4 | 0xC);
		assert_int_equal(uuid7_valid(id, sizeof id), version == 7);
	}
	memcpy(id, rfc_id, sizeof id);
	for (int variant = 0; variant < 4; variant++) {
		id[8] = (uint8_t)(variant << 6 | 0x18);
		assert_int_equal(uuid7_valid(id, sizeof id), variant == 2);
	}
	assert_false(uuid7_valid(rfc_id, 15));
	assert_false(uuid7_valid(rfc_id, 17));
	assert_false(uuid7_valid(rfc_id, 0));
}

static void a_broken_text_is_refused_and_writes_nothing(void **state)
{
	char text[64];
	uint8_t id[UUID_BYTES] = { 0 }, untouched[UUID_BYTES] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rfc_text - 1; i++) {
		memcpy(text, rfc_text, sizeof rfc_text);
		text[i] = text[i] == '-' ? '0' : 'g';
		assert_false(uuid_parse(text, id));
		text[i] = '\0';
		assert_false(uuid_parse(text, id));
	}
	assert_false(uuid_parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", id));
	assert_false(uuid_parse(" 017f22e2-79b0-7cc3-98c4-dc0c0c07398f", id));
	assert_memory_equal(id, untouched, sizeof id);
}

static void ids_carry_their_time_and_strictly_increase(void **state)
{
	struct uuid7_source source = { 0 };
	uint8_t id[UUID_BYTES], last[UUID_BYTES] = { 0 };
	uint64_t ms = 1767312000000;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		/* Often the same millisecond, sometimes the next, at times far back. */
		uint64_t now = i % 1000 == 999 ? ms - 5000 : ms;

		assert_int_equal(uuid7_next(&source, now, id), IEUM_E_OK);
		assert_true(uuid7_valid(id, sizeof id));
		assert_true(memcmp(last, id, sizeof id) < 0);
		assert_true(uuid7_ms(id) >= ms);
		assert_true(uuid7_ms(id) <= ms + 50);
		memcpy(last, id, sizeof id);
		ms += i % 100 == 0;
	}
}

static void a_full_millisecond_borrows_from_the_next(void **state)
{
	struct uuid7_source source = { 0 };
	uint8_t id[UUID_BYTES], last[UUID_BYTES] = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(uuid7_next(&source, 1000, id), IEUM_E_OK);
		assert_true(memcmp(last, id, sizeof id) < 0);
		memcpy(last, id, sizeof id);
	}
	/* 2,048 to 4,096 ids to a millisecond. */
	assert_in_range(uuid7_ms(last), 1002, 1004);
}

static void a_time_over_48_bits_is_refused(void **state)
{
	struct uuid7_source source = { 0 };
	uint8_t id[UUID_BYTES];

	(void)state;
	assert_int_equal(uuid7_next(&source, UINT64_C(1) << 48, id), IEUM_E_FIELD_INVALID);
	assert_int_equal(uuid7_next(&source, (UINT64_C(1) << 48) - 1, id), IEUM_E_OK);
	assert_int_equal(uuid7_ms(id), (UINT64_C(1) << 48) - 1);
}

static void two_sources_differ(void **state)
{
	struct uuid7_source a = { 0 }, b = { 0 };
	uint8_t x[UUID_BYTES], y[UUID_BYTES];

	(void)state;
	assert_int_equal(uuid7_next(&a, 1000, x), IEUM_E_OK);
	assert_int_equal(uuid7_next(&b, 1000, y), IEUM_E_OK);
	assert_memory_not_equal(x + 8, y + 8, 8);
}

enum { THREADS = 4, IDS = 5000 };

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, UUID_BYTES);
}

static void *make_ids(void *out)
{
	uint8_t(*ids)[UUID_BYTES] = out;

	for (int i = 0; i < IDS; i++) {
		if (uuid7_make(ids[i]) || (i > 0 && by_bytes(ids[i - 1], ids[i]) >= 0))
			return ids;
	}
	return NULL;
}

static void threads_never_get_the_same_id(void **state)
{
	uint8_t(*ids)[UUID_BYTES] = calloc(THREADS * IDS, sizeof *ids);
	pthread_t threads[THREADS];
	struct timespec now;

	(void)state;
	assert_non_null(ids);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	qsort(ids, THREADS * IDS, sizeof *ids, by_bytes);
	for (int i = 1; i < THREADS * IDS; i++)
		assert_true(by_bytes(ids[i - 1], ids[i]) < 0);
	/* Within a minute of the clock. */
	assert_in_range(uuid7_ms(ids[0]) / 1000, (uintmax_t)now.tv_sec - 60,
			(uintmax_t)now.tv_sec + 60);
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_example_is_understood),
		cmocka_unit_test(other_versions_variants_and_lengths_are_not_valid),
		cmocka_unit_test(a_broken_text_is_refused_and_writes_nothing),
		cmocka_unit_test(ids_carry_their_time_and_strictly_increase),
		cmocka_unit_test(a_full_millisecond_borrows_from_the_next),
		cmocka_unit_test(a_time_over_48_bits_is_refused),
		cmocka_unit_test(two_sources_differ),
		cmocka_unit_test(threads_never_get_the_same_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
