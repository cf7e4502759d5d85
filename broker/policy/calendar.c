/* Working time; see calendar.h. */
#include "broker/policy/calendar.h"

enum {
	MIN_MS = 60 * 1000,
	HOUR_MS = 60 * MIN_MS,
	DAY_MS = 24 * HOUR_MS,
	DAYS_OF_400_YEARS = 146097,
	DAYS_TO_1970 = 719468,    /* from 0000-03-01 */
	OFFSET_MAX_MIN = 16 * 60, /* no clock was ever further from UTC */
	MONTHS_MAX = CALENDAR_DAYS_MAX / 31,
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* How many changes lie at or before at_ms. */
static size_t changes_until(const struct calendar *c, int64_t at_ms)
{
	size_t low = 0, high = c->n_changes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->changes[middle].at_ms <= at_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int offset_after(const struct calendar *c, size_t n_changes)
{
	return n_changes > 0 ? c->changes[n_changes - 1].offset_min : c->offset_min;
}

int calendar_offset_min(const struct calendar *c, int64_t at_ms)
{
	return offset_after(c, changes_until(c, at_ms));
}

static int64_t local_ms(const struct calendar *c, int64_t at_ms)
{
	return at_ms + (int64_t)calendar_offset_min(c, at_ms) * MIN_MS;
}

/* The offset that held before the last change that this local time comes after, or fell
 * into: in a gap and at the first of two occurrences that is the older one. */
static int64_t utc_ms(const struct calendar *c, int64_t local)
{
	size_t n = changes_until(c, local + (int64_t)OFFSET_MAX_MIN * MIN_MS);

	for (; n > 0; n--) {
		int64_t by_older = local - (int64_t)offset_after(c, n - 1) * MIN_MS;
		int64_t by_newer = local - (int64_t)offset_after(c, n) * MIN_MS;
		int64_t change_ms = c->changes[n - 1].at_ms;

		if (by_older >= change_ms)
			return by_newer >= change_ms ? by_newer : by_older;
	}
	return local - (int64_t)c->offset_min * MIN_MS;
}

int64_t calendar_moment(const struct calendar *c, int64_t day, int minute)
{
	return utc_ms(c, day * DAY_MS + (int64_t)minute * MIN_MS);
}

int64_t calendar_day(const struct calendar *c, int64_t at_ms)
{
	return floor_div(local_ms(c, at_ms), DAY_MS);
}

int calendar_minute(const struct calendar *c, int64_t at_ms)
{
	int64_t local = local_ms(c, at_ms);

	return (int)((local - floor_div(local, DAY_MS) * DAY_MS) / MIN_MS);
}

bool calendar_is_holiday(const struct calendar *c, int64_t day)
{
	size_t low = 0, high = c->n_holidays;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->holidays[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n_holidays && c->holidays[low] == day;
}

int calendar_weekday(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(day + 4 - 7 * floor_div(day + 4, 7));
}

bool calendar_is_working_day(const struct calendar *c, int64_t day)
{
	return !(c->weekend & 1U << calendar_weekday(day)) && !calendar_is_holiday(c, day);
}

/* From when until when somebody is there on a day that is no holiday; the same moment: not at all. */
static struct calendar_opening opening_by_week(const struct calendar *c,
					       const struct calendar_hours *hours, int weekday)
{
	const struct calendar_week *own = hours ? &hours->own : &c->own;

	if (own->days & 1U << weekday)
		return own->on[weekday];
	if (c->weekend & 1U << weekday)
		return (struct calendar_opening){ 0 };
	return hours ? (struct calendar_opening){ hours->open_min, hours->close_min }
		     : (struct calendar_opening){ c->open_min, c->close_min };
}

static struct calendar_opening opening_on(const struct calendar *c,
					  const struct calendar_hours *hours, int64_t day)
{
	if (calendar_is_holiday(c, day))
		return (struct calendar_opening){ 0 };
	return opening_by_week(c, hours, calendar_weekday(day));
}

static bool is_open_on(const struct calendar *c, const struct calendar_hours *hours, int64_t day,
		       int64_t at_ms)
{
	struct calendar_opening is = opening_on(c, hours, day);

	return at_ms >= calendar_moment(c, day, is.open_min) &&
	       at_ms < calendar_moment(c, day, is.close_min);
}

bool calendar_is_open_for(const struct calendar *c, const struct calendar_hours *hours,
			  int64_t at_ms)
{
	int64_t day = calendar_day(c, at_ms);

	if (hours && hours->always)
		return true;
	/* Clocks put back over midnight show yesterday's date once more while the new day has
	 * begun already. */
	return is_open_on(c, hours, day, at_ms) || is_open_on(c, hours, day + 1, at_ms);
}

bool calendar_is_open_beyond(const struct calendar *c, const struct calendar_hours *hours,
			     const struct calendar_hours *other)
{
	if (other && other->always)
		return false;
	if (hours && hours->always)
		return true;
	for (int weekday = 0; weekday < 7; weekday++) {
		struct calendar_opening is = opening_by_week(c, hours, weekday);
		struct calendar_opening but = opening_by_week(c, other, weekday);

		if (is.open_min < is.close_min &&
		    (is.open_min < but.open_min || is.close_min > but.close_min))
			return true;
	}
	return false;
}

bool calendar_is_open(const struct calendar *c, int64_t at_ms)
{
	return calendar_is_open_for(c, NULL, at_ms);
}

static int64_t add_business_hours(const struct calendar *c, int64_t from_ms, int64_t hours)
{
	int64_t left = hours * HOUR_MS;
	int64_t at = from_ms;
	int64_t day = calendar_day(c, from_ms);

	if (hours == 0)
		return from_ms;
	for (int64_t last = day + CALENDAR_DAYS_MAX; day < last; day++) {
		struct calendar_opening is = opening_on(c, NULL, day);
		int64_t open = calendar_moment(c, day, is.open_min);
		int64_t close = calendar_moment(c, day, is.close_min);

		if (at < open)
			at = open;
		if (at >= close)
			continue;
		if (left <= close - at)
			return at + left;
		left -= close - at;
	}
	return calendar_moment(c, day, 0);
}

static int64_t add_business_days(const struct calendar *c, int64_t from_ms, int64_t days)
{
	int64_t day = calendar_day(c, from_ms);

	if (days == 0)
		return from_ms;
	/* A day that begins at this very moment is whole, so it counts. */
	if (calendar_moment(c, day, 0) == from_ms)
		day--;
	for (int64_t last = day + CALENDAR_DAYS_MAX; days > 0 && day < last;)
		days -= calendar_is_working_day(c, ++day);
	return calendar_moment(c, day + 1, 0);
}

/* The civil calendar in years that begin in March, so that the leap day is the last. */
static int64_t day_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * DAYS_OF_400_YEARS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_TO_1970;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t n = days + DAYS_TO_1970;
	int64_t era = floor_div(n, DAYS_OF_400_YEARS);
	int64_t of_era = n - era * DAYS_OF_400_YEARS;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + year_of_era + (*month <= 2);
}

int calendar_day_of_month(int64_t day)
{
	int64_t year, month, of_month;

	date_of(day, &year, &month, &of_month);
	return (int)of_month;
}

static int64_t add_months(const struct calendar *c, int64_t from_ms, int64_t months)
{
	int64_t year, month, day;
	int64_t from_day = calendar_day(c, from_ms);

	if (months == 0)
		return from_ms;
	if (months > MONTHS_MAX)
		months = MONTHS_MAX;
	date_of(from_day, &year, &month, &day);
	month += months - 1; /* now counted from 0 */
	year += month / 12;
	month = month % 12 + 1;
	int64_t first = day_of(year, month, 1);
	int64_t next = month == 12 ? day_of(year + 1, 1, 1) : day_of(year, month + 1, 1);
	int64_t to_day = first + day - 1 < next ? first + day - 1 : next - 1;

	return utc_ms(c, local_ms(c, from_ms) + (to_day - from_day) * DAY_MS);
}

int64_t calendar_add(const struct calendar *c, int64_t from_ms, struct yaml_duration duration)
{
	const int64_t most = (int64_t)CALENDAR_DAYS_MAX * DAY_MS;
	int64_t ms;

	switch (duration.unit) {
	case YAML_UNIT_BUSINESS_HOUR: return add_business_hours(c, from_ms, duration.amount);
	case YAML_UNIT_BUSINESS_DAY: return add_business_days(c, from_ms, duration.amount);
	case YAML_UNIT_MONTH: return add_months(c, from_ms, duration.amount);
	case YAML_UNIT_YEAR: return add_months(c, from_ms, duration.amount * 12);
	default: break;
	}
	if (!yaml_duration_ms(duration, &ms) || ms > most)
		ms = most;
	return from_ms + ms;
}

int64_t calendar_round(const struct calendar *c, int64_t *began_ms, int64_t from_ms,
		       struct yaml_duration each)
{
	int64_t months = each.unit == YAML_UNIT_YEAR ? 12 * each.amount : each.amount;
	bool uneven = each.unit == YAML_UNIT_YEAR || each.unit == YAML_UNIT_MONTH;
	int64_t n = 0;

	if (uneven && months > 0 && months < MONTHS_MAX && from_ms > *began_ms) {
		/* No round is longer than its months of 31 days. */
		n = (from_ms - *began_ms) / (months * 31 * DAY_MS);
		while (n * months < MONTHS_MAX && add_months(c, *began_ms, n * months) < from_ms)
			n++;
		if ((n + 1) * months <= MONTHS_MAX &&
		    add_months(c, *began_ms, n * months) == from_ms)
			return add_months(c, *began_ms, (n + 1) * months);
	}
	*began_ms = from_ms;
	return calendar_add(c, from_ms, each);
}
