/* Working time: what a business hour, a business day or a month comes to.
 *
 * Pure functions over a calendar that never changes; the machine's clock and time zone play
 * no part.  Times are Unix milliseconds, days are days since 1970-01-01, both may be before
 * 1970.  The offset from UTC is fixed: a hub whose country changes its clocks twice a year
 * would need more than this. */
#ifndef IEUM_BROKER_POLICY_CALENDAR_H
#define IEUM_BROKER_POLICY_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yaml/yaml_value.h"

enum {
	CALENDAR_DAYS_MAX = 36600, /* no sum looks further ahead than this, a century */
};

struct calendar {
	int offset_min;          /* minutes east of UTC: 540 in Korea */
	int open_min, close_min; /* working hours, minutes since midnight; open < close */
	unsigned weekend;        /* bit per day of the week, bit 0 is Sunday; never all seven */
	const int64_t *holidays; /* days, ascending */
	size_t n_holidays;
};

/* The day, by the calendar's own midnight. */
int64_t calendar_day(const struct calendar *c, int64_t at_ms);

/* Neither weekend nor holiday. */
bool calendar_is_working_day(const struct calendar *c, int64_t day);

/* Within the working hours of a working day. */
bool calendar_is_open(const struct calendar *c, int64_t at_ms);

/* from + duration:
 *   ms … d          as they are, by day and night
 *   business hours  counted in working hours only: 4 from Friday 16:00 (hours 09-18) is Monday 11:00
 *   business days   whole days: the day of the start does not count, unless it starts at midnight,
 *                   and the last one counts to its end (민법 제157조, 제159조): 3 from Monday 10:00 is
 *                   the midnight after Thursday
 *   months, years   the same day of the month, or that month's last (민법 제160조), at the same time
 * Never further than CALENDAR_DAYS_MAX days. */
int64_t calendar_add(const struct calendar *c, int64_t from_ms, struct yaml_duration duration);

#endif
