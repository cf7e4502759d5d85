/* Texts that stand for durations, points in time and clock times.
 *
 * Pure functions over text; no clock, no time zone of the machine. */
#ifndef IEUM_YAML_YAML_VALUE_H
#define IEUM_YAML_YAML_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units as they are written.  The first group is a fixed number of milliseconds; what a
 * business hour, month or year comes to, only a calendar knows. */
enum yaml_unit {
	YAML_UNIT_MS,
	YAML_UNIT_S,
	YAML_UNIT_MIN,
	YAML_UNIT_H,
	YAML_UNIT_D, /* 24 hours */
	YAML_UNIT_BUSINESS_HOUR,
	YAML_UNIT_BUSINESS_DAY,
	YAML_UNIT_MONTH,
	YAML_UNIT_YEAR,
};

struct yaml_duration {
	int64_t amount; /* 0 … YAML_DURATION_AMOUNT_MAX */
	enum yaml_unit unit;
};

enum {
	YAML_DURATION_AMOUNT_MAX = 1000000000,
	YAML_TIME_TEXT_BYTES = 40,     /* room for any RFC 3339 text written here */
	YAML_DURATION_TEXT_BYTES = 40, /* room for any duration written here */
};

/* "500 ms", "30 s", "10 min", "4 h", "3 d", "4 business hours", "1 business day", "2 months",
 * "1 year": a whole number, an optional space, a unit.  Bare numbers are no duration, except 0. */
bool yaml_parse_duration(const char *text, struct yaml_duration *out);

/* False for units without a fixed length, or over INT64_MAX. */
bool yaml_duration_ms(struct yaml_duration duration, int64_t *ms);

/* As it would be written: "4 business hours". */
void yaml_format_duration(struct yaml_duration duration, char out[YAML_DURATION_TEXT_BYTES]);

/* RFC 3339 with seconds and an explicit offset ("2026-01-02T09:00:00+09:00", "…T00:00:00.5Z"),
 * years 1970–9999, fraction up to 6 digits, no leap second.  Microseconds since 1970 UTC. */
bool yaml_parse_time_us(const char *text, int64_t *us);

/* The reverse, with the offset given (minutes east of UTC; 0 prints "Z") and as many fraction
 * digits (0, 3 or 6) as the value needs.  False when the year would leave 1970–9999. */
bool yaml_format_time_us(int64_t us, int offset_min, char out[YAML_TIME_TEXT_BYTES]);

/* "09:00" … "23:59", and "24:00" as the end of a day: minutes since midnight. */
bool yaml_parse_clock(const char *text, int *minutes);

enum { YAML_YEAR_MIN = 1970, YAML_YEAR_MAX = 9999 };

/* "2026-10-03" (a day that exists, years 1970–9999): days since 1970-01-01. */
bool yaml_parse_date(const char *text, int64_t *days);

#endif
