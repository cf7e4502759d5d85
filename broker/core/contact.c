/* When the person of a case can be reached without danger: what the newest message about it said. */
#include <stdlib.h>

#include "broker/core/cases.h"

enum { WEEK_DAYS = 7 };

enum ieum_err case_set_contact(struct core_case *k, const Ieum__V1__SafeContact *from)
{
	if (from->n_windows > POLICY_WINDOWS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	if (!k->contact)
		k->contact = malloc(sizeof *k->contact);
	if (!k->contact)
		return IEUM_E_NO_MEMORY;
	policy_read_contact(from, k->contact);
	return IEUM_E_OK;
}

static Ieum__V1__ContactWindow *put_window(struct arena *arena, const struct policy_window *from)
{
	Ieum__V1__ContactWindow *w = arena_zalloc(arena, sizeof *w);
	uint32_t *days = arena_zalloc(arena, WEEK_DAYS * sizeof *days);

	if (!w || !days)
		return NULL;
	*w = (Ieum__V1__ContactWindow)IEUM__V1__CONTACT_WINDOW__INIT;
	w->from_minute = (uint32_t)from->from_min;
	w->until_minute = (uint32_t)from->until_min;
	w->weekdays = days;
	/* 1 is Monday, 7 Sunday; a bit 0 is Sunday's. */
	for (uint32_t day = 1; day <= WEEK_DAYS; day++)
		if (from->weekdays & 1U << day % WEEK_DAYS)
			days[w->n_weekdays++] = day;
	return w;
}

Ieum__V1__SafeContact *contact_message(struct arena *arena, const struct policy_contact *from)
{
	Ieum__V1__SafeContact *m = arena_zalloc(arena, sizeof *m);
	Ieum__V1__ContactWindow **windows =
		arena_zalloc(arena, POLICY_WINDOWS_MAX * sizeof *windows);

	if (!m || !windows)
		return NULL;
	*m = (Ieum__V1__SafeContact)IEUM__V1__SAFE_CONTACT__INIT;
	m->neutral_only = from->neutral_only;
	m->windows = windows;
	for (size_t i = 0; i < from->n_windows; i++) {
		windows[i] = put_window(arena, &from->windows[i]);
		if (!windows[i])
			return NULL;
		m->n_windows++;
	}
	return m;
}
