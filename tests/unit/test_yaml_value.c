/* yaml/yaml_value: durations, points in time, clock times and dates as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "yaml/yaml_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void durations_have_a_number_and_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t amount;
		enum yaml_unit unit;
		int64_t ms; /* -1: no fixed length */
	} good[] = {
		{ "0", 0, YAML_UNIT_MS, 0 },
		{ "500 ms", 500, YAML_UNIT_MS, 500 },
		{ "30 s", 30, YAML_UNIT_S, 30000 },
		{ "30s", 30, YAML_UNIT_S, 30000 },
		{ "10 min", 10, YAML_UNIT_MIN, 600000 },
		{ "4 h", 4, YAML_UNIT_H, 14400000 },
		{ "3 d", 3, YAML_UNIT_D, 259200000 },
		{ "1000000000 d", 1000000000, YAML_UNIT_D, 86400000000000000 },
		{ "4 business hours", 4, YAML_UNIT_BUSINESS_HOUR, -1 },
		{ "1 business hour", 1, YAML_UNIT_BUSINESS_HOUR, -1 },
		{ "3 business days", 3, YAML_UNIT_BUSINESS_DAY, -1 },
		{ "2 months", 2, YAML_UNIT_MONTH, -1 },
		{ "1 year", 1, YAML_UNIT_YEAR, -1 },
	};
	struct yaml_duration d;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t ms = -1;

		assert_true(yaml_parse_duration(good[i].text, &d));
		assert_int_equal(d.amount, good[i].amount);
		assert_int_equal(d.unit, good[i].unit);
		assert_int_equal(yaml_duration_ms(d, &ms), good[i].ms >= 0);
		assert_int_equal(ms, good[i].ms);
	}
}

static void no_duration_is_taken_for_one(void **state)
{
	static const char *const bad[] = { "",
					   "5",
					   "5  s",
					   "-5 s",
					   "5 seconds",
					   " 5 s",
					   "5 s ",
					   "1.5 h",
					   "5 m",
					   "s",
					   "1000000001 s",
					   "5 S",
					   "4 business",
					   "99999999999999999999 s",
					   "5 business  days" };
	struct yaml_duration d = { 77, YAML_UNIT_H };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(yaml_parse_duration(bad[i], &d));
	assert_int_equal(d.amount, 77);
}

static void durations_are_written_as_they_are_read(void **state)
{
	static const char *const texts[] = { "1 ms",
					     "30 s",
					     "10 min",
					     "4 h",
					     "3 d",
					     "1 business hour",
					     "4 business hours",
					     "1 business day",
					     "3 business days",
					     "1 month",
					     "2 months",
					     "1 year",
					     "2 years" };
	char out[YAML_DURATION_TEXT_BYTES];
	struct yaml_duration d;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(yaml_parse_duration(texts[i], &d));
		yaml_format_duration(d, out);
		assert_string_equal(out, texts[i]);
	}
}

static void times_are_read_with_their_offset(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-01-02T09:00:00+09:00", 1767312000000000 },
		{ "2026-01-02T00:00:00Z", 1767312000000000 },
		{ "2026-01-01T19:00:00-05:00", 1767312000000000 },
		{ "2026-01-02T00:00:00.5Z", 1767312000500000 },
		{ "2026-01-02T00:00:00.000001Z", 1767312000000001 },
		{ "2024-02-29T23:59:59Z", 1709251199000000 },
		{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
		{ "2026-01-02 00:00:00Z", 1767312000000000 },
	};
	static const char *const bad[] = {
		"",
		"2026-01-02",
		"2026-01-02T09:00:00",
		"2026-01-02T09:00Z",
		"2026-13-02T09:00:00Z",
		"2026-00-02T09:00:00Z",
		"2026-02-29T09:00:00Z",
		"2026-04-31T09:00:00Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T09:60:00Z",
		"2026-01-02T09:00:60Z",
		"2026-01-02T09:00:00.Z",
		"2026-01-02T09:00:00.1234567Z",
		"2026-01-02T09:00:00+0900",
		"2026-01-02T09:00:00+24:00",
		"2026-01-02T09:00:00Z ",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+09:00",
		"26-01-02T09:00:00Z",
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(yaml_parse_time_us(good[i].text, &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(yaml_parse_time_us(bad[i], &us));
}

static void times_are_written_with_the_digits_they_need(void **state)
{
	char out[YAML_TIME_TEXT_BYTES];

	(void)state;
	assert_true(yaml_format_time_us(1767312000000000, 0, out));
	assert_string_equal(out, "2026-01-02T00:00:00Z");
	assert_true(yaml_format_time_us(1767312000000000, 540, out));
	assert_string_equal(out, "2026-01-02T09:00:00+09:00");
	assert_true(yaml_format_time_us(1767312000500000, -330, out));
	assert_string_equal(out, "2026-01-01T18:30:00.500-05:30");
	assert_true(yaml_format_time_us(1767312000000001, 0, out));
	assert_string_equal(out, "2026-01-02T00:00:00.000001Z");
	assert_false(yaml_format_time_us(-1, 0, out));
	assert_false(yaml_format_time_us(0, -1, out));
	assert_true(yaml_format_time_us(253402300799999999, 0, out));
	assert_string_equal(out, "9999-12-31T23:59:59.999999Z");
	assert_false(yaml_format_time_us(253402300799999999, 1, out));
	assert_false(yaml_format_time_us(INT64_MAX, 0, out));
}

/* libc's own calendar as the judge, over every day of four centuries. */
static void every_day_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 146097; day++) {
		char ours[YAML_TIME_TEXT_BYTES], theirs[YAML_TIME_TEXT_BYTES];
		time_t seconds = day * 86400 + day % 86400;
		int64_t us, days;
		struct tm tm;

		assert_true(yaml_format_time_us(seconds * 1000000, 0, ours));
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(ours, theirs);
		assert_true(yaml_parse_time_us(ours, &us));
		assert_int_equal(us, seconds * 1000000);
		ours[10] = '\0';
		assert_true(yaml_parse_date(ours, &days));
		assert_int_equal(days, seconds / 86400);
	}
}

static void clock_times_are_minutes_of_a_day(void **state)
{
	static const char *const bad[] = { "",         "9:00",  "09:60", "24:01", "25:00",
					   "09:00:00", "09-00", "0900",  "-1:00" };
	int minutes = 5;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(yaml_parse_clock(bad[i], &minutes));
	assert_true(yaml_parse_clock("00:00", &minutes));
	assert_int_equal(minutes, 0);
	assert_true(yaml_parse_clock("09:30", &minutes));
	assert_int_equal(minutes, 570);
	assert_true(yaml_parse_clock("24:00", &minutes));
	assert_int_equal(minutes, 1440);
}

static void dates_are_days_that_exist(void **state)
{
	static const char *const bad[] = { "2026-02-29",  "2100-02-29", "2026-1-2",
					   "2026-01-02 ", "1969-12-31", "" };
	int64_t days = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(yaml_parse_date(bad[i], &days));
	assert_true(yaml_parse_date("2000-02-29", &days));
	assert_int_equal(days, 11016);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_a_number_and_a_unit),
		cmocka_unit_test(no_duration_is_taken_for_one),
		cmocka_unit_test(durations_are_written_as_they_are_read),
		cmocka_unit_test(times_are_read_with_their_offset),
		cmocka_unit_test(times_are_written_with_the_digits_they_need),
		cmocka_unit_test(every_day_agrees_with_libc),
		cmocka_unit_test(clock_times_are_minutes_of_a_day),
		cmocka_unit_test(dates_are_days_that_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
