/* broker/policy/calendar: business hours and days around weekends, holidays and the end of a
 * day; months and years at the end of a month; all of it where clocks are put forward and back. */
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

/* ---- clocks that are put forward and back ---- */

enum { MIN_MS = 60 * 1000, HOUR_MS = 60 * MIN_MS };

/* Berlin's clocks in 2026: 29 March 02:00 becomes 03:00, 25 October 03:00 becomes 02:00. */
static struct calendar berlin(int open_min, int close_min)
{
	static struct calendar_change changes[2];

	changes[0] = (struct calendar_change){ ms("2026-03-29T01:00:00Z"), 120 };
	changes[1] = (struct calendar_change){ ms("2026-10-25T01:00:00Z"), 60 };
	return (struct calendar){ .offset_min = 60,
				  .changes = changes,
				  .n_changes = 2,
				  .open_min = open_min,
				  .close_min = close_min,
				  .weekend = SUNDAY | SATURDAY };
}

static void sum_is(const struct calendar *c, const char *from, const char *duration, const char *to)
{
	struct yaml_duration d;
	char got[YAML_TIME_TEXT_BYTES];
	int64_t at;

	assert_true(yaml_parse_duration(duration, &d));
	at = calendar_add(c, ms(from), d);
	assert_true(yaml_format_time_us(at * 1000, calendar_offset_min(c, at), got));
	assert_string_equal(got, to);
}

static int64_t day(const char *date)
{
	int64_t days;

	assert_true(yaml_parse_date(date, &days));
	return days;
}

static void a_local_time_is_one_moment(void **state)
{
	struct calendar c = berlin(540, 1080);
	int64_t spring = day("2026-03-29"), autumn = day("2026-10-25");

	(void)state;
	assert_int_equal(calendar_moment(&c, spring, 119), ms("2026-03-29T01:59:00+01:00"));
	/* Does not exist: as far after the change as it would have been without one. */
	assert_int_equal(calendar_moment(&c, spring, 120), ms("2026-03-29T03:00:00+02:00"));
	assert_int_equal(calendar_moment(&c, spring, 150), ms("2026-03-29T03:30:00+02:00"));
	assert_int_equal(calendar_moment(&c, spring, 180), ms("2026-03-29T03:00:00+02:00"));
	/* Exists twice: the first. */
	assert_int_equal(calendar_moment(&c, autumn, 119), ms("2026-10-25T01:59:00+02:00"));
	assert_int_equal(calendar_moment(&c, autumn, 120), ms("2026-10-25T02:00:00+02:00"));
	assert_int_equal(calendar_moment(&c, autumn, 179), ms("2026-10-25T02:59:00+02:00"));
	assert_int_equal(calendar_moment(&c, autumn, 180), ms("2026-10-25T03:00:00+01:00"));
	assert_int_equal(calendar_moment(&c, autumn, 1440), ms("2026-10-26T00:00:00+01:00"));
}

static void the_wall_clock_shows_what_it_shows(void **state)
{
	struct calendar c = berlin(540, 1080);

	(void)state;
	assert_int_equal(calendar_minute(&c, ms("2026-03-29T00:59:00Z")), 119);
	assert_int_equal(calendar_minute(&c, ms("2026-03-29T01:00:00Z")), 180);
	assert_int_equal(calendar_minute(&c, ms("2026-10-25T00:30:00Z")), 150);
	assert_int_equal(calendar_minute(&c, ms("2026-10-25T01:30:00Z")), 150);
	assert_int_equal(calendar_offset_min(&c, ms("2026-01-01T00:00:00Z")), 60);
	assert_int_equal(calendar_offset_min(&c, ms("2030-07-01T00:00:00Z")), 60);
	assert_int_equal(calendar_weekday(day("2026-03-29")), 0);
}

static void business_hours_are_office_hours_in_summer_and_winter(void **state)
{
	struct calendar c = berlin(540, 1080);

	(void)state;
	sum_is(&c, "2026-03-27T16:00:00+01:00", "4 business hours", "2026-03-30T11:00:00+02:00");
	sum_is(&c, "2026-10-23T16:00:00+02:00", "4 business hours", "2026-10-26T11:00:00+01:00");
	sum_is(&c, "2026-03-27T16:00:00+01:00", "3 business days", "2026-04-02T00:00:00+02:00");
	sum_is(&c, "2026-10-23T16:00:00+02:00", "1 business day", "2026-10-27T00:00:00+01:00");
	assert_false(calendar_is_open(&c, ms("2026-03-30T06:59:00Z")));
	assert_true(calendar_is_open(&c, ms("2026-03-30T07:00:00Z")));
	assert_false(calendar_is_open(&c, ms("2026-10-26T07:59:00Z")));
	assert_true(calendar_is_open(&c, ms("2026-10-26T08:00:00Z")));
}

/* Who works through the night of the change has an hour less, or one more. */
static void hours_over_a_change_are_counted_in_real_time(void **state)
{
	struct calendar c = berlin(0, 1440);

	(void)state;
	c.weekend = 0;
	sum_is(&c, "2026-03-29T00:00:00+01:00", "23 business hours", "2026-03-30T00:00:00+02:00");
	sum_is(&c, "2026-10-25T00:00:00+02:00", "25 business hours", "2026-10-26T00:00:00+01:00");
	sum_is(&c, "2026-03-28T12:00:00+01:00", "24 h", "2026-03-29T13:00:00+02:00");
	sum_is(&c, "2026-03-28T12:00:00+01:00", "1 d", "2026-03-29T13:00:00+02:00");
	for (int64_t at = ms("2026-10-24T00:00:00Z"); at < ms("2026-10-26T00:00:00Z"); at += MIN_MS)
		assert_true(calendar_is_open(&c, at));
	/* Open until a time that exists twice: until it is first reached. */
	c.close_min = 150;
	assert_true(calendar_is_open(&c, ms("2026-10-25T02:29:00+02:00")));
	assert_false(calendar_is_open(&c, ms("2026-10-25T02:29:00+01:00")));
	/* From a time that does not exist: from where the clock goes on. */
	c.open_min = 150;
	c.close_min = 600;
	assert_false(calendar_is_open(&c, ms("2026-03-29T03:29:00+02:00")));
	assert_true(calendar_is_open(&c, ms("2026-03-29T03:30:00+02:00")));
}

static void months_keep_the_time_on_the_wall(void **state)
{
	struct calendar c = berlin(540, 1080);

	(void)state;
	sum_is(&c, "2026-03-15T09:30:00+01:00", "1 month", "2026-04-15T09:30:00+02:00");
	sum_is(&c, "2026-02-28T02:30:00+01:00", "1 month", "2026-03-28T02:30:00+01:00");
	sum_is(&c, "2026-01-29T02:30:00+01:00", "2 months", "2026-03-29T03:30:00+02:00");
	sum_is(&c, "2026-09-25T02:30:00+02:00", "1 month", "2026-10-25T02:30:00+02:00");
	sum_is(&c, "2026-10-25T02:30:00+01:00", "1 month", "2026-11-25T02:30:00+01:00");
	sum_is(&c, "2026-10-25T02:30:00+01:00", "0", "2026-10-25T02:30:00+01:00");
}

/* São Paulo put its clocks forward at midnight: that day began at 01:00.  Goose Bay put them
 * back a minute after midnight, to 23:01 of the day before. */
static void a_day_may_begin_late_or_twice(void **state)
{
	struct calendar_change forward = { ms("2018-11-04T03:00:00Z"), -120 };
	struct calendar_change back = { ms("2010-11-07T03:01:00Z"), -240 };
	struct calendar c = { .offset_min = -180, .n_changes = 1, .close_min = 1440 };

	(void)state;
	c.changes = &forward;
	assert_int_equal(calendar_moment(&c, day("2018-11-04"), 0),
			 ms("2018-11-04T01:00:00-02:00"));
	sum_is(&c, "2018-11-02T12:00:00-03:00", "1 business day", "2018-11-04T01:00:00-02:00");
	sum_is(&c, "2018-11-04T01:00:00-02:00", "1 business day", "2018-11-05T00:00:00-02:00");
	c.changes = &back;
	assert_int_equal(calendar_moment(&c, day("2010-11-07"), 0), ms("2010-11-07T03:00:00Z"));
	for (int64_t at = ms("2010-11-06T00:00:00Z"); at < ms("2010-11-08T00:00:00Z"); at += MIN_MS)
		assert_true(calendar_is_open(&c, at));
}

static void sums_never_go_back_at_a_change(void **state)
{
	static const char *const durations[] = { "1 business hour", "1 business day", "1 month",
						 "1 year" };
	struct calendar c = berlin(60, 240);
	struct yaml_duration d;

	(void)state;
	c.weekend = 0;
	for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
		assert_true(yaml_parse_duration(durations[i], &d));
		for (int k = 0; k < 2; k++) {
			int64_t from = c.changes[k].at_ms - 3 * HOUR_MS;

			for (int64_t at = from; at < from + 6 * HOUR_MS; at += 10 * MIN_MS)
				assert_true(calendar_add(&c, at, d) > at);
		}
	}
}

/* Each round begins where the one before it ended. */
static void rounds_are(const struct calendar *c, const char *duration, const char *const *at,
		       size_t n)
{
	int64_t began = ms(at[0]);
	int64_t from = began;
	struct yaml_duration each;

	assert_true(yaml_parse_duration(duration, &each));
	for (size_t i = 1; i < n; i++) {
		char got[YAML_TIME_TEXT_BYTES];

		from = calendar_round(c, &began, from, each);
		assert_true(yaml_format_time_us(from * 1000, calendar_offset_min(c, from), got));
		assert_string_equal(got, at[i]);
		assert_int_equal(began, ms(at[0]));
	}
}

#define ROUNDS_ARE(c, duration, ...) \
	rounds_are(c, duration, (const char *const[]){ __VA_ARGS__ }, \
		   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void rounds_do_not_drift_away_from_their_day(void **state)
{
	struct calendar c = { .offset_min = 540, .close_min = 1440 };

	(void)state;
	ROUNDS_ARE(&c, "1 month", "2026-12-31T09:00:00+09:00", "2027-01-31T09:00:00+09:00",
		   "2027-02-28T09:00:00+09:00", "2027-03-31T09:00:00+09:00",
		   "2027-04-30T09:00:00+09:00", "2027-05-31T09:00:00+09:00");
	ROUNDS_ARE(&c, "1 month", "2028-01-30T09:00:00+09:00", "2028-02-29T09:00:00+09:00",
		   "2028-03-30T09:00:00+09:00");
	ROUNDS_ARE(&c, "2 months", "2027-12-31T09:00:00+09:00", "2028-02-29T09:00:00+09:00",
		   "2028-04-30T09:00:00+09:00", "2028-06-30T09:00:00+09:00",
		   "2028-08-31T09:00:00+09:00");
	ROUNDS_ARE(&c, "1 year", "2028-02-29T09:00:00+09:00", "2029-02-28T09:00:00+09:00",
		   "2030-02-28T09:00:00+09:00", "2031-02-28T09:00:00+09:00",
		   "2032-02-29T09:00:00+09:00");
}

/* 02:30 doesn't exist on 29 March: 03:30 then, and only then. */
static void rounds_do_not_drift_away_from_their_hour(void **state)
{
	struct calendar c = berlin(540, 1080);

	(void)state;
	ROUNDS_ARE(&c, "1 month", "2026-01-29T02:30:00+01:00", "2026-02-28T02:30:00+01:00",
		   "2026-03-29T03:30:00+02:00", "2026-04-29T02:30:00+02:00");
}

static void rounds_that_were_put_off_count_anew(void **state)
{
	struct calendar c = { .offset_min = 540, .close_min = 1440 };
	int64_t began = ms("2027-01-31T09:00:00+09:00");
	int64_t put_off = ms("2027-03-02T09:00:00+09:00");
	struct yaml_duration each;

	(void)state;
	assert_true(yaml_parse_duration("1 month", &each));
	assert_int_equal(calendar_round(&c, &began, put_off, each),
			 ms("2027-04-02T09:00:00+09:00"));
	assert_int_equal(began, put_off);
	/* What is always as long needs no beginning. */
	began = ms("2027-01-31T09:00:00+09:00");
	assert_true(yaml_parse_duration("7 d", &each));
	assert_int_equal(calendar_round(&c, &began, ms("2027-02-07T09:00:00+09:00"), each),
			 ms("2027-02-14T09:00:00+09:00"));
}

/* However long it goes on: an end lies after its beginning. */
static void rounds_go_on_after_a_century(void **state)
{
	struct calendar c = { .offset_min = 540, .close_min = 1440 };
	int64_t began = ms("1970-01-31T09:00:00+09:00");
	int64_t from = began;
	struct yaml_duration each;

	(void)state;
	assert_true(yaml_parse_duration("5 months", &each));
	for (int i = 0; i < 500; i++) {
		int64_t end = calendar_round(&c, &began, from, each);

		assert_true(end > from);
		from = end;
	}
}

static void own_hours_take_the_place_of_the_hubs(void **state)
{
	struct calendar c = korea();
	struct calendar_hours late = { .open_min = 12 * 60, .close_min = 21 * 60 };
	struct calendar_hours always = { .always = true };

	(void)state;
	assert_true(calendar_is_open_for(&c, NULL, local("2026-09-28T09:00")));
	assert_false(calendar_is_open_for(&c, &late, local("2026-09-28T09:00")));
	assert_true(calendar_is_open_for(&c, &late, local("2026-09-28T20:59")));
	assert_false(calendar_is_open_for(&c, &late, local("2026-09-19T13:00")));
	assert_true(calendar_is_open_for(&c, &always, local("2026-09-19T03:00")));
}

/* On Saturdays until one o'clock, on Wednesdays until eight in the evening. */
static struct calendar with_saturdays(void)
{
	struct calendar c = korea();

	c.own.days = SATURDAY | 1 << 3;
	c.own.on[6] = (struct calendar_opening){ 9 * 60, 13 * 60 };
	c.own.on[3] = (struct calendar_opening){ 9 * 60, 20 * 60 };
	return c;
}

static void saturdays_have_hours_and_are_no_business_days(void **state)
{
	struct calendar c = with_saturdays();
	struct yaml_duration hours, days;

	(void)state;
	assert_true(yaml_parse_duration("4 business hours", &hours));
	assert_true(yaml_parse_duration("2 business days", &days));
	assert_true(calendar_is_open(&c, local("2026-09-19T12:59")));
	assert_false(calendar_is_open(&c, local("2026-09-19T13:00")));
	assert_false(calendar_is_open(&c, local("2026-09-20T10:00")));
	assert_true(calendar_is_open(&c, local("2026-09-16T19:00")));
	/* Friday 16:00: two hours on Friday, two on Saturday. */
	assert_int_equal(calendar_add(&c, local("2026-09-18T16:00"), hours),
			 local("2026-09-19T11:00"));
	assert_int_equal(calendar_add(&c, local("2026-09-19T12:00"), hours),
			 local("2026-09-21T12:00"));
	assert_int_equal(calendar_add(&c, local("2026-09-18T16:00"), days),
			 local("2026-09-23T00:00"));
}

static void a_holiday_is_closed_whatever_its_weekday_has(void **state)
{
	struct calendar c = with_saturdays();

	(void)state;
	assert_true(yaml_parse_date("2026-09-19", &holiday_days[0]));
	assert_false(calendar_is_open(&c, local("2026-09-19T10:00")));
	struct calendar_hours own = { .open_min = 9 * 60, .close_min = 18 * 60, .own = c.own };
	assert_false(calendar_is_open_for(&c, &own, local("2026-09-19T10:00")));
	assert_true(calendar_is_open_for(&c, &own, local("2026-09-26T10:00")));
	own.own.days = 0; /* whoever has hours of its own has none of the hub's Saturdays */
	assert_false(calendar_is_open_for(&c, &own, local("2026-09-26T10:00")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saturdays_have_hours_and_are_no_business_days),
		cmocka_unit_test(a_holiday_is_closed_whatever_its_weekday_has),
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
		cmocka_unit_test(a_local_time_is_one_moment),
		cmocka_unit_test(the_wall_clock_shows_what_it_shows),
		cmocka_unit_test(business_hours_are_office_hours_in_summer_and_winter),
		cmocka_unit_test(hours_over_a_change_are_counted_in_real_time),
		cmocka_unit_test(months_keep_the_time_on_the_wall),
		cmocka_unit_test(a_day_may_begin_late_or_twice),
		cmocka_unit_test(sums_never_go_back_at_a_change),
		cmocka_unit_test(rounds_do_not_drift_away_from_their_day),
		cmocka_unit_test(rounds_do_not_drift_away_from_their_hour),
		cmocka_unit_test(rounds_that_were_put_off_count_anew),
		cmocka_unit_test(rounds_go_on_after_a_century),
		cmocka_unit_test(own_hours_take_the_place_of_the_hubs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
