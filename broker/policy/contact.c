/* When a person can be reached without danger. */
#include "broker/policy/compiled.h"

enum { DAY_MIN = 24 * 60, MIN_MS = 60 * 1000, WEEK_DAYS = 7 };

static bool is_window(const Ieum__V1__ContactWindow *w)
{
	return w->from_minute < w->until_minute && w->until_minute <= DAY_MIN;
}

size_t policy_contact_fault(const Ieum__V1__SafeContact *from)
{
	size_t i = 0;

	while (i < from->n_windows && is_window(from->windows[i]))
		i++;
	return i;
}

static void read_window(const Ieum__V1__ContactWindow *from, struct policy_window *out)
{
	*out = (struct policy_window){ .from_min = (int)from->from_minute,
				       .until_min = (int)from->until_minute };
	for (size_t i = 0; i < from->n_weekdays; i++)
		out->weekdays |= 1U << from->weekdays[i] % WEEK_DAYS; /* 7 is Sunday, bit 0 */
	if (from->n_weekdays == 0)
		out->weekdays = (1U << WEEK_DAYS) - 1;
}

void policy_read_contact(const Ieum__V1__SafeContact *from, struct policy_contact *out)
{
	out->n_windows = 0;
	out->neutral_only = from->neutral_only;
	for (size_t i = 0; i < from->n_windows && out->n_windows < POLICY_WINDOWS_MAX; i++)
		read_window(from->windows[i], &out->windows[out->n_windows++]);
}

bool policy_is_safe_contact(const struct policy *p, const struct policy_contact *contact,
			    int64_t at_ms)
{
	int weekday = calendar_weekday(calendar_day(&p->calendar, at_ms));
	int minute = calendar_minute(&p->calendar, at_ms);

	if (at_ms == 0 || contact->n_windows == 0)
		return true;
	for (size_t i = 0; i < contact->n_windows; i++) {
		const struct policy_window *w = &contact->windows[i];
		/* "By 18:00" is within a window that ends at 18:00, and midnight ends the day before. */
		bool at_end = minute == w->until_min && at_ms % MIN_MS == 0;
		bool at_midnight = minute == 0 && at_ms % MIN_MS == 0 && w->until_min == DAY_MIN &&
				   w->weekdays & 1U << (weekday + WEEK_DAYS - 1) % WEEK_DAYS;

		if (at_midnight || (w->weekdays & 1U << weekday && minute >= w->from_min &&
				    (minute < w->until_min || at_end)))
			return true;
	}
	return false;
}
