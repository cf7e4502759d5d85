/* Durations, points in time and clock times as text; see yaml_value.h. */
#include "yaml/yaml_value.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum yaml_unit unit;
} unit_words[] = {
	{ "ms", YAML_UNIT_MS },
	{ "s", YAML_UNIT_S },
	{ "min", YAML_UNIT_MIN },
	{ "h", YAML_UNIT_H },
	{ "d", YAML_UNIT_D },
	{ "business hour", YAML_UNIT_BUSINESS_HOUR },
	{ "business hours", YAML_UNIT_BUSINESS_HOUR },
	{ "business day", YAML_UNIT_BUSINESS_DAY },
	{ "business days", YAML_UNIT_BUSINESS_DAY },
	{ "month", YAML_UNIT_MONTH },
	{ "months", YAML_UNIT_MONTH },
	{ "year", YAML_UNIT_YEAR },
	{ "years", YAML_UNIT_YEAR },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool yaml_parse_duration(const char *text, struct yaml_duration *out)
{
	int64_t amount = 0;

	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++) {
		amount = amount * 10 + (*text - '0');
		if (amount > YAML_DURATION_AMOUNT_MAX)
			return false;
	}
	if (*text == '\0' && amount == 0) {
		*out = (struct yaml_duration){ 0, YAML_UNIT_MS };
		return true;
	}
	if (*text == ' ')
		text++;
	for (size_t i = 0; i < sizeof unit_words / sizeof unit_words[0]; i++) {
		if (strcmp(text, unit_words[i].text) == 0) {
			*out = (struct yaml_duration){ amount, unit_words[i].unit };
			return true;
		}
	}
	return false;
}

bool yaml_duration_ms(struct yaml_duration duration, int64_t *ms)
{
	static const int64_t unit_ms[] = {
		[YAML_UNIT_MS] = 1,      [YAML_UNIT_S] = 1000,     [YAML_UNIT_MIN] = 60000,
		[YAML_UNIT_H] = 3600000, [YAML_UNIT_D] = 86400000,
	};

	if ((size_t)duration.unit >= sizeof unit_ms / sizeof unit_ms[0])
		return false;
	return !__builtin_mul_overflow(duration.amount, unit_ms[duration.unit], ms);
}

void yaml_format_duration(struct yaml_duration duration, char out[YAML_DURATION_TEXT_BYTES])
{
	const char *unit = "?";

	/* Of two words for a unit the first is the one for 1. */
	for (size_t i = 0; i < sizeof unit_words / sizeof unit_words[0]; i++) {
		if (unit_words[i].unit != duration.unit)
			continue;
		unit = unit_words[i].text;
		if (duration.amount == 1)
			break;
	}
	(void)snprintf(out, YAML_DURATION_TEXT_BYTES, "%lld %s", (long long)duration.amount, unit);
}

/* Exactly n digits as a number; moves *at past them. */
static bool digits(const char **at, int n, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!is_digit((*at)[i]))
			return false;
		value = value * 10 + ((*at)[i] - '0');
	}
	*at += n;
	*out = value;
	return true;
}

static bool skip(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01 of a day in the Gregorian calendar: years begin in March, so that
 * the leap day is the last of its year. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t mp = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static bool date_at(const char **at, int64_t *days)
{
	int year, month, day;

	if (!digits(at, 4, &year) || !skip(at, '-') || !digits(at, 2, &month) || !skip(at, '-') ||
	    !digits(at, 2, &day))
		return false;
	if (year < YAML_YEAR_MIN || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return false;
	*days = days_from_civil(year, month, day);
	return true;
}

bool yaml_parse_date(const char *text, int64_t *days)
{
	int64_t value;

	if (!date_at(&text, &value) || *text != '\0')
		return false;
	*days = value;
	return true;
}

/* ".5" … ".123456" as microseconds; no dot is 0. */
static bool fraction_at(const char **at, int64_t *us)
{
	int64_t scale = 100000;

	*us = 0;
	if (!skip(at, '.'))
		return true;
	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); (*at)++, scale /= 10) {
		if (scale == 0)
			return false;
		*us += (**at - '0') * scale;
	}
	return true;
}

/* "Z" or "+09:00". */
static bool offset_at(const char **at, int *minutes)
{
	int hour, minute, sign = 1;

	*minutes = 0;
	if (skip(at, 'Z') || skip(at, 'z'))
		return true;
	if (skip(at, '-'))
		sign = -1;
	else if (!skip(at, '+'))
		return false;
	if (!digits(at, 2, &hour) || !skip(at, ':') || !digits(at, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

bool yaml_parse_time_us(const char *text, int64_t *us)
{
	int64_t days, part_us;
	int hour, minute, second, offset;

	if (!date_at(&text, &days))
		return false;
	if (!skip(&text, 'T') && !skip(&text, 't') && !skip(&text, ' '))
		return false;
	if (!digits(&text, 2, &hour) || !skip(&text, ':') || !digits(&text, 2, &minute) ||
	    !skip(&text, ':') || !digits(&text, 2, &second) || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	if (!fraction_at(&text, &part_us) || !offset_at(&text, &offset) || *text != '\0')
		return false;
	int64_t seconds = days * 86400 + hour * 3600 + (minute - offset) * 60 + second;
	if (seconds < 0)
		return false;
	*us = seconds * 1000000 + part_us;
	return true;
}

bool yaml_format_time_us(int64_t us, int offset_min, char out[YAML_TIME_TEXT_BYTES])
{
	int64_t local, second_of_day, part_us;
	int year, month, day, n;

	if (us < 0 || offset_min < -1439 || offset_min > 1439 ||
	    __builtin_add_overflow(us / 1000000, (int64_t)offset_min * 60, &local) || local < 0)
		return false;
	part_us = us % 1000000;
	second_of_day = local % 86400;
	/* 9999-12-31: beyond it the year has five digits. */
	if (local / 86400 > 2932896)
		return false;
	civil_from_days(local / 86400, &year, &month, &day);
	n = snprintf(out, YAML_TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
		     (int)(second_of_day / 3600), (int)(second_of_day / 60 % 60),
		     (int)(second_of_day % 60));
	if (n > 0 && part_us % 1000 != 0)
		n += snprintf(out + n, YAML_TIME_TEXT_BYTES - (size_t)n, ".%06d", (int)part_us);
	else if (n > 0 && part_us != 0)
		n += snprintf(out + n, YAML_TIME_TEXT_BYTES - (size_t)n, ".%03d",
			      (int)(part_us / 1000));
	if (n < 0)
		return false;
	int away = offset_min < 0 ? -offset_min : offset_min;
	if (offset_min == 0)
		(void)snprintf(out + n, YAML_TIME_TEXT_BYTES - (size_t)n, "Z");
	else
		(void)snprintf(out + n, YAML_TIME_TEXT_BYTES - (size_t)n, "%c%02d:%02d",
			       offset_min < 0 ? '-' : '+', away / 60, away % 60);
	return true;
}

bool yaml_parse_clock(const char *text, int *minutes)
{
	int hour, minute;

	if (!digits(&text, 2, &hour) || !skip(&text, ':') || !digits(&text, 2, &minute) ||
	    *text != '\0')
		return false;
	if (minute > 59 || hour * 60 + minute > 24 * 60)
		return false;
	*minutes = hour * 60 + minute;
	return true;
}
