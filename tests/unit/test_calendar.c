/* broker/policy/calendar: business hours and days around weekends, holidays and the end of a
 * day; months and years at the end of a month. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/calendar.h"

enum { SUNDAY = 1 << 0, SATURDAY = 1 << 6 };

static int64_t holiday_days[2];

/* Korean office hours; 2026-10-05 (a Monday) and 2026-10-09 (a Friday) are holidays. */
static struct calendar korea(void)
{
	assert_true(yaml_parse_date("2026-10-05", &holiday_days[0]));
	assert_true(yaml_parse_date("2026-10-09", &holiday_days[1]));
	return (struct calendar){ .offset_min = 540,
				  .open_min = 9 * 60,
				  .close_min = 18 * 60,
				  .weekend = SUNDAY | SATURDAY,
				  .holidays = holiday_days,
				  .n_holidays = 2 };
}

static int64_t ms(const char *time)
{
	int64_t us;

	assert_true(yaml_parse_time_us(time, &us));
	return us / 1000;
}

/* "2026-09-28T11:00" is local time in Korea. */
static int64_t local(const char *minute)
{
	char text[YAML_TIME_TEXT_BYTES];

	(void)snprintf(text, sizeof text, "%s:00+09:00", minute);
	return ms(text);
}

static void add_is(const char *from, const char *duration, const char *to)
{
	struct calendar c = korea();
	struct yaml_duration d;
	char got[YAML_TIME_TEXT_BYTES], want[YAML_TIME_TEXT_BYTES];

	assert_true(yaml_parse_duration(duration, &d));
	assert_true(yaml_format_time_us(calendar_add(&c, local(from), d) * 1000, 540, got));
	(void)snprintf(want, sizeof want, "%s:00+09:00", to);
	assert_string_equal(got, want);
}

static void fixed_durations_run_by_day_and_night(void **state)
{
	(void)state;
	add_is("2026-10-02T17:55", "10 min", "2026-10-02T18:05");
	add_is("2026-10-02T17:55", "48 h", "2026-10-04T17:55");
	add_is("2026-10-02T17:55", "3 d", "2026-10-05T17:55");
	add_is("2026-10-02T17:55", "0", "2026-10-02T17:55");
}

static void business_hours_within_a_day(void **state)
{
	(void)state;
	add_is("2026-09-28T09:00", "4 business hours", "2026-09-28T13:00");
	add_is("2026-09-28T14:00", "4 business hours", "2026-09-28T18:00");
	add_is("2026-09-28T09:00", "9 business hours", "2026-09-28T18:00");
}

static void business_hours_wait_for_the_morning(void **state)
{
	(void)state;
	add_is("2026-09-28T03:00", "1 business hour", "2026-09-28T10:00");
	add_is("2026-09-28T18:00", "1 business hour", "2026-09-29T10:00");
	add_is("2026-09-28T23:59", "1 business hour", "2026-09-29T10:00");
	add_is("2026-09-28T17:59", "1 business hour", "2026-09-29T09:59");
}

static void business_hours_leap_weekends_and_holidays(void **state)
{
	(void)state;
	add_is("2026-09-18T16:00", "4 business hours", "2026-09-21T11:00"); /* Friday to Monday */
	add_is("2026-09-19T12:00", "4 business hours", "2026-09-21T13:00"); /* from a Saturday */
	add_is("2026-10-02T16:00", "4 business hours",
	       "2026-10-06T11:00");                                        /* Monday is a holiday */
	add_is("2026-10-05T10:00", "1 business hour", "2026-10-06T10:00"); /* from a holiday */
	add_is("2026-10-08T17:00", "10 business hours", "2026-10-12T18:00");
}

static void business_days_end_with_the_day(void **state)
{
	(void)state;
	add_is("2026-09-28T00:00", "1 business day", "2026-09-29T00:00");
	add_is("2026-09-28T00:01", "1 business day", "2026-09-30T00:00");
	add_is("2026-09-28T09:00", "1 business day", "2026-09-30T00:00");
	add_is("2026-09-28T23:59", "1 business day", "2026-09-30T00:00");
	add_is("2026-09-28T14:00", "3 business days", "2026-10-02T00:00");
	add_is("2026-09-28T14:00", "0 business days", "2026-09-28T14:00");
}

static void business_days_leap_weekends_and_holidays(void **state)
{
	(void)state;
	add_is("2026-09-18T14:00", "1 business day", "2026-09-22T00:00"); /* Friday */
	add_is("2026-09-19T14:00", "1 business day", "2026-09-22T00:00"); /* Saturday */
	add_is("2026-10-02T14:00", "1 business day", "2026-10-07T00:00"); /* Monday is a holiday */
	add_is("2026-10-07T14:00", "3 business days", "2026-10-14T00:00");
}

static void months_keep_the_day_or_take_the_last(void **state)
{
	(void)state;
	add_is("2026-01-15T09:30", "2 months", "2026-03-15T09:30");
	add_is("2026-01-31T09:30", "1 month", "2026-02-28T09:30");
	add_is("2028-01-31T00:00", "1 month", "2028-02-29T00:00");
	add_is("2026-11-30T10:00", "3 months", "2027-02-28T10:00");
	add_is("2026-12-31T10:00", "12 months", "2027-12-31T10:00");
	add_is("2028-02-29T10:00", "1 year", "2029-02-28T10:00");
	add_is("2026-03-01T00:30", "1 month", "2026-04-01T00:30"); /* still February in UTC */
}

static void open_is_within_hours_of_a_working_day(void **state)
{
	struct calendar c = korea();

	(void)state;
	assert_false(calendar_is_open(&c, local("2026-09-28T08:59")));
	assert_true(calendar_is_open(&c, local("2026-09-28T09:00")));
	assert_true(calendar_is_open(&c, local("2026-09-28T17:59")));
	assert_false(calendar_is_open(&c, local("2026-09-28T18:00")));
	assert_false(calendar_is_open(&c, local("2026-09-19T12:00")));
	assert_false(calendar_is_open(&c, local("2026-10-05T12:00")));
}

static void every_weekday_is_told_apart(void **state)
{
	struct calendar c = korea();
	int64_t sunday;

	(void)state;
	assert_true(yaml_parse_date("2026-09-20", &sunday));
	for (int i = 0; i < 7; i++) {
		c.weekend = 1U << i;
		for (int k = 0; k < 7; k++)
			assert_int_equal(calendar_is_working_day(&c, sunday + k), i != k);
	}
	/* Before 1970 too: 1969-12-28 was a Sunday. */
	c.weekend = SUNDAY;
	assert_false(calendar_is_working_day(&c, -4));
	assert_true(calendar_is_working_day(&c, -3));
}

static void west_of_greenwich_the_day_begins_later(void **state)
{
	struct calendar c = korea();

	(void)state;
	c.offset_min = -300;
	assert_int_equal(calendar_day(&c, ms("2026-09-28T04:59:00Z")) + 1,
			 calendar_day(&c, ms("2026-09-28T05:00:00Z")));
	assert_int_equal(calendar_day(&c, -1), -1);
}

static void nothing_is_looked_for_longer_than_a_century(void **state)
{
	struct calendar c = korea();
	int64_t from = local("2026-09-28T09:00");
	int64_t most = from + (CALENDAR_DAYS_MAX + 2) * INT64_C(86400000);

	(void)state;
	for (int unit = YAML_UNIT_MS; unit <= YAML_UNIT_YEAR; unit++) {
		struct yaml_duration d = { YAML_DURATION_AMOUNT_MAX, (enum yaml_unit)unit };
		int64_t to = calendar_add(&c, from, d);

		assert_true(to > from);
		assert_true(to <= most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_durations_run_by_day_and_night),
		cmocka_unit_test(business_hours_within_a_day),
		cmocka_unit_test(business_hours_wait_for_the_morning),
		cmocka_unit_test(business_hours_leap_weekends_and_holidays),
		cmocka_unit_test(business_days_end_with_the_day),
		cmocka_unit_test(business_days_leap_weekends_and_holidays),
		cmocka_unit_test(months_keep_the_day_or_take_the_last),
		cmocka_unit_test(open_is_within_hours_of_a_working_day),
		cmocka_unit_test(every_weekday_is_told_apart),
		cmocka_unit_test(west_of_greenwich_the_day_begins_later),
		cmocka_unit_test(nothing_is_looked_for_longer_than_a_century),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
