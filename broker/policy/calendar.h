/* Working time: what a business hour, a business day or a month comes to.
 *
 * Pure functions over a calendar that never changes; the machine's clock and time zone play
 * no part.  Times are Unix milliseconds, days are days since 1970-01-01, both may be before
 * 1970.
 *
 * Where a country puts its clocks forward and back, the calendar holds the moments at which
 * the offset from UTC changes.  A local time that does not exist is then the same distance
 * after the change as it would have been without one (02:30 becomes 03:30); one that exists
 * twice means its first occurrence (RFC 5545 §3.3.5 says both).  So every local time is one
 * moment, and what passes between two moments is always counted in real time. */
#ifndef IEUM_BROKER_POLICY_CALENDAR_H
#define IEUM_BROKER_POLICY_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yaml/yaml_value.h"

enum {
	CALENDAR_DAYS_MAX = 36600, /* no sum looks further ahead than this, a century */
};

/* From at_ms on, until the next change. */
struct calendar_change {
	int64_t at_ms;
	int offset_min; /* minutes east of UTC */
};

/* Minutes since midnight; open < close. */
struct calendar_opening {
	int open_min, close_min;
};

/* Days of the week that have hours of their own, Sunday is 0.  A day of the weekend that has some
 * is open then, but is still no business day. */
struct calendar_week {
	unsigned days; /* bit per day */
	struct calendar_opening on[7];
};

/* Somebody's own hours on the hub's working days. */
struct calendar_hours {
	int open_min, close_min; /* minutes since midnight; open < close */
	bool always;             /* by day and night, holidays too */
	struct calendar_week own;
};

struct calendar {
	int offset_min; /* minutes east of UTC until the first change: 540 in Korea */
	const struct calendar_change *changes; /* ascending */
	size_t n_changes;
	int open_min, close_min; /* working hours, minutes since midnight; open < close */
	struct calendar_week own;
	unsigned weekend;        /* bit per day of the week, bit 0 is Sunday; never all seven */
	const int64_t *holidays; /* days, ascending */
	size_t n_holidays;
	int64_t holidays_until_day; /* for which the list is complete; INT64_MAX: for ever */
	int64_t warn_before_ms;     /* that it ends */
};

/* Minutes east of UTC at that moment. */
int calendar_offset_min(const struct calendar *c, int64_t at_ms);

/* The moment of a local time: `minute` (0 to 1440) of a day. */
int64_t calendar_moment(const struct calendar *c, int64_t day, int minute);

/* Sunday is 0. */
int calendar_weekday(int64_t day);

/* From 1. */
int calendar_day_of_month(int64_t day);

/* Minutes since the midnight of calendar_day(). */
int calendar_minute(const struct calendar *c, int64_t at_ms);

/* The day, by the calendar's own midnight. */
int64_t calendar_day(const struct calendar *c, int64_t at_ms);

/* One of the listed days, whether a weekend or not. */
bool calendar_is_holiday(const struct calendar *c, int64_t day);

/* Neither weekend nor holiday. */
bool calendar_is_working_day(const struct calendar *c, int64_t day);

/* Within the working hours of a working day, or of a day of the weekend that has some. */
bool calendar_is_open(const struct calendar *c, int64_t at_ms);

/* The same with somebody's own hours; NULL: the calendar's. */
bool calendar_is_open_for(const struct calendar *c, const struct calendar_hours *hours,
			  int64_t at_ms);

/* Is somebody with these hours ever there while one with the other hours isn't? */
bool calendar_is_open_beyond(const struct calendar *c, const struct calendar_hours *hours,
			     const struct calendar_hours *other);

/* from + duration:
 *   ms … d          as they are, by day and night
 *   business hours  counted in working hours only: 4 from Friday 16:00 (hours 09-18) is Monday 11:00
 *   business days   whole days: the day of the start does not count, unless it starts at midnight,
 *                   and the last one counts to its end (민법 제157조, 제159조): 3 from Monday 10:00 is
 *                   the midnight after Thursday
 *   months, years   the same day of the month, or that month's last (민법 제160조), at the same time
 * Never further than CALENDAR_DAYS_MAX days. */
int64_t calendar_add(const struct calendar *c, int64_t from_ms, struct yaml_duration duration);

/* The end of a round that begins at from_ms, of rounds of `each` that follow one another since
 * *began_ms.  Months and years are counted from there: what began on the 31st ends on the 31st again
 * after a February, at the hour at which it began.  Where no round begins at from_ms, they begin
 * anew: *began_ms becomes from_ms. */
int64_t calendar_round(const struct calendar *c, int64_t *began_ms, int64_t from_ms,
		       struct yaml_duration each);

#endif
