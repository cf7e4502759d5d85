/* broker/clock: never backwards, jumps are doubted until someone vouches, a drill leaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/clock.h"

#define S     INT64_C(1000000)
#define EPOCH (INT64_C(1768600000) * S) /* an afternoon in 2026 */

/* The machine: both clocks, moved by hand. */
struct machine {
	struct clock_reading now;
};

static struct machine machine_at(int64_t realtime_us)
{
	return (struct machine){ { realtime_us, 5000 * S } };
}

static void pass(struct machine *m, int64_t us)
{
	m->now.realtime_us += us;
	m->now.monotonic_us += us;
}

static void follows_the_system_clock(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	pass(&m, 7 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 7 * S);
	/* NTP slews by 1.5 s. */
	m.now.realtime_us += 3 * S / 2;
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 17 * S / 2);
}

static void never_runs_backwards(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	m.now.realtime_us -= S;
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	pass(&m, S / 2);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + S / 2);
}

static void a_jump_forward_is_not_followed(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	pass(&m, S);
	m.now.realtime_us += 3600 * S;
	/* Also before the check has seen it: nothing fires by itself. */
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + S);
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_DOUBTED);
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_NO_CHANGE);
	pass(&m, 10 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 11 * S);
	assert_int_equal(clock_gap_us(&c, m.now), 3600 * S);
}

static void someone_vouches_for_a_jump(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	m.now.realtime_us += 3600 * S;
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_DOUBTED);
	assert_int_equal(clock_check(&c, m.now, true), CLOCK_ADOPTED);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 3600 * S);
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_NO_CHANGE);
}

static void a_jump_back_that_is_adopted_stands_still(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	m.now.realtime_us -= 60 * S;
	assert_int_equal(clock_check(&c, m.now, true), CLOCK_ADOPTED);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	pass(&m, 59 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH);
	pass(&m, 2 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + S);
}

static void a_jump_that_goes_away_is_forgiven(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, false);
	m.now.realtime_us += 30 * S;
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_DOUBTED);
	m.now.realtime_us -= 30 * S;
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_RETURNED);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + S);
}

static void a_restart_goes_on_from_the_newest_event(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	/* One second behind: stands still, then follows. */
	clock_start(&c, m.now, EPOCH + S, false);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + S);
	pass(&m, 3 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 3 * S);
	/* An hour behind: goes on from there, doubted. */
	m = machine_at(EPOCH);
	clock_start(&c, m.now, EPOCH + 3600 * S, false);
	assert_true(c.doubted);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 3601 * S);
}

static void a_drill_leaps_and_remembers(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, true);
	clock_advance(&c, 86400 * S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 86400 * S);
	/* The leap is no jump of the system's clock. */
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_NO_CHANGE);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 86401 * S);
	clock_start(&c, m.now, EPOCH + 86401 * S, true);
	assert_false(c.doubted);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH + 86402 * S);
}

static void a_drill_begins_when_it_is_told(void **state)
{
	struct machine m = machine_at(EPOCH);
	struct clock c;

	(void)state;
	clock_start(&c, m.now, 0, true);
	clock_start_drill_at(&c, m.now, EPOCH - 1000 * S);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH - 999 * S);
	assert_int_equal(clock_check(&c, m.now, false), CLOCK_NO_CHANGE);
	/* Started again, it goes on from its newest event. */
	clock_start(&c, m.now, EPOCH - 500 * S, true);
	clock_start_drill_at(&c, m.now, EPOCH - 1000 * S);
	pass(&m, S);
	assert_int_equal(clock_now_us(&c, m.now), EPOCH - 499 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_system_clock),
		cmocka_unit_test(never_runs_backwards),
		cmocka_unit_test(a_jump_forward_is_not_followed),
		cmocka_unit_test(someone_vouches_for_a_jump),
		cmocka_unit_test(a_jump_back_that_is_adopted_stands_still),
		cmocka_unit_test(a_jump_that_goes_away_is_forgiven),
		cmocka_unit_test(a_restart_goes_on_from_the_newest_event),
		cmocka_unit_test(a_drill_leaps_and_remembers),
		cmocka_unit_test(a_drill_begins_when_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
