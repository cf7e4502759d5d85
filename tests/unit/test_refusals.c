/* broker/refusals and broker/rate: what a peer can cause at will stays small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/rate.h"
#include "broker/refusals.h"

#define MINUTE ((int64_t)REFUSALS_WINDOW_US)

static struct refusals *fresh(void)
{
	return calloc(1, sizeof(struct refusals));
}

static void the_first_at_once_repeats_counted(void **state)
{
	struct refusals *r = fresh();
	struct refusal out;

	(void)state;
	assert_true(refusals_count(r, 4, IEUM_E_NO_ROUTE, 77, "submit referral", 1000, &out));
	assert_false(out.used);
	for (int i = 0; i < 9; i++)
		assert_false(refusals_count(r, 4, IEUM_E_NO_ROUTE, 77, "submit referral", 1000 + i,
					    &out));
	/* Another participant and another error are told at once. */
	assert_true(refusals_count(r, 5, IEUM_E_NO_ROUTE, 78, "submit referral", 1010, &out));
	assert_true(refusals_count(r, 4, IEUM_E_TOO_OLD, 77, "submit referral", 1010, &out));
	assert_false(refusals_take(r, 1000 + MINUTE - 1, false, &out));
	assert_true(refusals_take(r, 1000 + MINUTE, false, &out));
	assert_int_equal(out.count, 9);
	assert_int_equal(out.participant, 4);
	assert_int_equal(out.code, IEUM_E_NO_ROUTE);
	assert_string_equal(out.what, "submit referral");
	assert_false(refusals_take(r, 2 * MINUTE, false, &out));
	/* A new minute: told at once again. */
	assert_true(refusals_count(r, 4, IEUM_E_NO_ROUTE, 77, "submit referral", 3 * MINUTE, &out));
	free(r);
}

static void nothing_is_lost_at_the_end(void **state)
{
	struct refusals *r = fresh();
	struct refusal out;

	(void)state;
	assert_true(refusals_count(r, 1, IEUM_E_NO_ROUTE, 1, "x", 0, &out));
	assert_false(refusals_count(r, 1, IEUM_E_NO_ROUTE, 1, "x", 1, &out));
	assert_true(refusals_take(r, 2, true, &out));
	assert_int_equal(out.count, 1);
	assert_false(refusals_take(r, 2, true, &out));
	free(r);
}

static void a_full_table_pushes_out_with_the_count(void **state)
{
	struct refusals *r = fresh();
	struct refusal out;
	uint64_t told = 0, sent = 0;

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t p = 1; p <= 4 * REFUSALS_SETS * REFUSALS_WAYS; p++) {
			sent++;
			if (refusals_count(r, p, IEUM_E_NO_ROUTE, p, "x", 5 + p, &out))
				told++;
			if (out.used)
				told += out.count;
		}
	}
	while (refusals_take(r, 0, true, &out))
		told += out.count;
	assert_int_equal(told, sent);
	free(r);
}

static void a_bucket_has_a_second_of_burst_then_its_rate(void **state)
{
	struct rate_bucket b = { 0 };
	int64_t now = 50 * 1000000;
	uint32_t retry = 0, taken = 0;

	(void)state;
	while (rate_take(&b, 100, now, &retry))
		taken++;
	assert_int_equal(taken, 100);
	assert_in_range(retry, 9, 11);
	assert_false(rate_take(&b, 100, now + 5000, &retry));
	assert_true(rate_take(&b, 100, now + 12000, &retry));
	assert_false(rate_take(&b, 100, now + 12000, &retry));
	/* Over ten seconds in small steps: a thousand, not more. */
	taken = 0;
	for (int64_t t = now + 12000; t < now + 12000 + 10 * 1000000; t += 777)
		if (rate_take(&b, 100, t, &retry))
			taken++;
	assert_in_range(taken, 990, 1001);
	/* Long silence saves up one second's worth. */
	now += 3600 * INT64_C(1000000);
	taken = 0;
	while (rate_take(&b, 100, now, &retry))
		taken++;
	assert_int_equal(taken, 100);
	/* No rate, no limit. */
	assert_true(rate_take(&b, 0, now, &retry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_at_once_repeats_counted),
		cmocka_unit_test(nothing_is_lost_at_the_end),
		cmocka_unit_test(a_full_table_pushes_out_with_the_count),
		cmocka_unit_test(a_bucket_has_a_second_of_burst_then_its_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
