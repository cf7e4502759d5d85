/* The section clocks of a hub file: the times it comes to, and every mistake with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/hub_text.h"

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS  (24 * HOUR_MS)

/* Friday, 2026-10-02, 15:00 in Seoul; the Saturday is a holiday, the Monday its substitute. */
#define FRIDAY_MS ((int64_t)1790920800 * 1000)

static const char good[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: [2026-10-05]}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: ps, ko: 가}}\n"
	"types: {default: {needs_case: true, may_open: true}}\n"
	"clocks:\n"
	"  measure:\n"
	"    title: {en: Measure, ko: 조치}\n"
	"    within: 72 h\n"
	"    from: $taken_at_ms\n"
	"    warn: [60 h, 48 h]\n"
	"    warn_before: [2 h, 24 h]\n"
	"    tells: [case_owner, \"role:police\"]\n"
	"    extend: {by: 48 h, times: 2, includes: [holiday]}\n"
	"  round:\n"
	"    title: {en: Round, ko: 순회}\n"
	"    within: 1 month\n"
	"    every: true\n"
	"    then: {emit: {type: monitoring_due}}\n"
	"rules:\n"
	"  - {name: take, when: {type: emergency_measure_report}, to: ps, starts: [measure, round]}\n"
	"  - {name: longer, when: {type: court_filing_notice}, to: ps, extends: measure}\n"
	"  - {name: monitor, when: {type: monitoring_due}, to: ps}\n"
	"  - {name: over, when: {type: temporary_measure_notice}, to: ps, stops: [measure]}\n";

static void test_times(void **state)
{
	struct policy *p = hub_text_parsed(good);
	int measure = policy_find_clock(p, "measure");
	int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX];
	int64_t end_ms = policy_clock_end(p, measure, FRIDAY_MS);

	(void)state;
	assert_int_equal(end_ms, FRIDAY_MS + 72 * HOUR_MS);
	/* 48 h after its start are 24 h before its end: once. */
	assert_int_equal(policy_clock_warnings(p, measure, FRIDAY_MS, FRIDAY_MS, end_ms, warn_ms),
			 3);
	assert_int_equal(warn_ms[0], FRIDAY_MS + 48 * HOUR_MS);
	assert_int_equal(warn_ms[1], FRIDAY_MS + 60 * HOUR_MS);
	assert_int_equal(warn_ms[2], FRIDAY_MS + 70 * HOUR_MS);
	assert_int_equal(policy_find_clock(p, "nothing"), POLICY_NONE);
	policy_free(p);
}

static void test_extension_needs_its_day(void **state)
{
	struct policy *p = hub_text_parsed(good);
	int measure = policy_find_clock(p, "measure");
	int64_t sunday_ms = FRIDAY_MS + 2 * DAY_MS;
	int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX];

	(void)state;
	/* The holiday begins on Monday 00:00: 33 hours after Friday 15:00, with the weekend. */
	assert_int_equal(policy_clock_extended(p, measure, FRIDAY_MS, FRIDAY_MS + 57 * HOUR_MS), 0);
	assert_int_equal(policy_clock_extended(p, measure, FRIDAY_MS, FRIDAY_MS + 58 * HOUR_MS),
			 FRIDAY_MS + 106 * HOUR_MS);
	/* Touched at its end only. */
	assert_int_equal(policy_clock_extended(p, measure, sunday_ms - 30 * HOUR_MS,
					       sunday_ms + 9 * HOUR_MS),
			 0);
	/* Warnings keep their distance to an end that was put off. */
	assert_int_equal(policy_clock_warnings(p, measure, FRIDAY_MS, FRIDAY_MS,
					       FRIDAY_MS + 120 * HOUR_MS, warn_ms),
			 3);
	assert_int_equal(warn_ms[0], FRIDAY_MS + 96 * HOUR_MS);
	policy_free(p);
}

static void test_from_the_act(void **state)
{
	struct policy *p = hub_text_parsed(good);
	Ieum__V1__Referral r = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__EmergencyMeasureReport body = IEUM__V1__EMERGENCY_MEASURE_REPORT__INIT;
	int measure = policy_find_clock(p, "measure");

	(void)state;
	r.body_case = IEUM__V1__REFERRAL__BODY_EMERGENCY_MEASURE_REPORT;
	r.emergency_measure_report = &body;
	assert_int_equal(policy_clock_from(p, measure, &r, 5, 7), 5);
	assert_int_equal(policy_clock_from(p, measure, &r, 0, 7), 7);
	body.taken_at_ms = 3;
	assert_int_equal(policy_clock_from(p, measure, &r, 5, 7), 3);
	assert_int_equal(policy_clock_from(p, policy_find_clock(p, "round"), &r, 5, 7), 5);
	policy_free(p);
}

static void test_mistakes(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "starts: [measure, round]", "starts: [measure, ruond]", "ruond",
		  "did you mean 'round'" },
		{ "warn: [60 h, 48 h]", "warn: [60 h, 80 h]", "80 h", "runs no longer" },
		{ "warn_before: [2 h, 24 h]", "warn_before: [1 business day]", "1 business day",
		  "no moment" },
		{ "from: $taken_at_ms", "from: $takn_at_ms", "$takn_at_ms",
		  "a emergency_measure_report has no time 'takn_at_ms'" },
		{ "from: $taken_at_ms", "from: recieved", "recieved", "did you mean 'received'" },
		{ "tells: [case_owner, ", "tells: [sender, ", "sender",
		  "nobody when a clock ends" },
		{ "tells: [case_owner, ", "tells: [nobody, ", "nobody", "nobody" },
		{ "includes: [holiday]", "includes: [hollidays]", "hollidays",
		  "did you mean 'holiday'" },
		{ "    extend: {by: 48 h, times: 2, includes: [holiday]}\n", "",
		  "measure:", "say by how much" },
		{ ", extends: measure}", "}", "{by: 48 h", "no rule extends clock 'measure'" },
		{ ", stops: [measure]", "", "measure:", "no rule stops clock 'measure'" },
		{ "starts: [measure, round]", "starts: [measure]",
		  "round:", "no rule or gate starts clock 'round'" },
		{ "    then: {emit: {type: monitoring_due}}\n", "", "round:", "nobody notices" },
		{ "when: {type: monitoring_due}", "when: {type: checkin}", "{type: monitoring_due}",
		  "no rule has recipients for the monitoring_due" },
		{ "    warn: [60 h, 48 h]\n    warn_before: [2 h, 24 h]\n", "",
		  "measure:", "without a warning" },
		{ "    every: true\n", "    every: true\n    expires: true # so\n", "true # so",
		  "leave 'every' or 'expires' out" },
	};

	static const struct hub_text_mistake two = { "within: 72 h", "withn: 72 h", "withn",
						     "did you mean 'within'" };

	(void)state;
	HUB_TEXT_CHECK_ALL(good, table);
	hub_text_check(good, &two, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_extension_needs_its_day),
		cmocka_unit_test(test_from_the_act),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests_name("clocks of a hub file", tests, NULL, NULL);
}
