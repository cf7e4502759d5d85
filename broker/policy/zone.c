/* Time zones by their IANA names; see zone.h. */
#include "broker/policy/zone.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>

enum {
	MIN_MS = 60 * 1000,
	CHANGES_MAX = 1024, /* a zone changes four times a year at most */
	NAMES_MAX = 1024,
};

/* 2101-01-01T00:00:00Z */
static const UDate LAST_MS = 4133980800000.0;

/* ICU's text for a name of ASCII; false when it is none. */
static bool to_utf16(const char *name, UChar out[POLICY_NAME_BYTES])
{
	size_t n = strlen(name);

	if (n >= POLICY_NAME_BYTES)
		return false;
	for (size_t i = 0; i <= n; i++) {
		if ((unsigned char)name[i] > 126)
			return false;
		out[i] = (UChar)name[i];
	}
	return true;
}

static bool is_known(const UChar *name)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar canonical[POLICY_NAME_BYTES];
	UBool is_system = 0;

	(void)ucal_getCanonicalTimeZoneID(name, -1, canonical, POLICY_NAME_BYTES, &is_system,
					  &status);
	return U_SUCCESS(status) && is_system;
}

/* The zone's names for a suggestion: borrowed by `words` as long as the enumeration is open. */
static void unknown_zone(struct loader *l, const struct yaml_node *node)
{
	UErrorCode status = U_ZERO_ERROR;
	UEnumeration *names = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_CANONICAL_LOCATION,
							     NULL, NULL, &status);
	const char **words = load_alloc(l, NAMES_MAX + 1, sizeof *words);
	const char *near = NULL;
	size_t n = 0;

	if (!words || U_FAILURE(status))
		goto out;
	while (n < NAMES_MAX) {
		const char *name = uenum_next(names, NULL, &status);

		if (!name || U_FAILURE(status))
			break;
		words[n] = load_copy(l, name);
		if (!words[n++])
			goto out;
	}
	near = yaml_nearest(yaml_text(node), words);
out:
	uenum_close(names);
	if (near)
		yaml_mistake(l->diag, node, "unknown time zone '%.64s'; did you mean '%s'?",
			     yaml_text(node), near);
	else
		yaml_mistake(l->diag, node,
			     "unknown time zone '%.64s'; write a name such as Asia/Seoul, or an "
			     "offset from UTC such as \"+09:00\"",
			     yaml_text(node));
}

/* Minutes east of UTC at the calendar's moment.  The few offsets since 1970 that are no whole
 * minutes (Monrovia's, until 1972) are rounded towards UTC. */
static int offset_min_at(UCalendar *zone, UDate at_ms, UErrorCode *status)
{
	ucal_setMillis(zone, at_ms, status);
	return (ucal_get(zone, UCAL_ZONE_OFFSET, status) +
		ucal_get(zone, UCAL_DST_OFFSET, status)) /
	       MIN_MS;
}

static UErrorCode read_changes(UCalendar *zone, struct calendar *c, struct calendar_change *changes)
{
	UErrorCode status = U_ZERO_ERROR;
	UDate at_ms = 0;
	int before = c->offset_min = offset_min_at(zone, at_ms, &status);

	while (c->n_changes < CHANGES_MAX && U_SUCCESS(status) &&
	       ucal_getTimeZoneTransitionDate(zone, UCAL_TZ_TRANSITION_NEXT, &at_ms, &status) &&
	       at_ms < LAST_MS) {
		int offset_min = offset_min_at(zone, at_ms, &status);

		/* Some changes are of the zone's name or of what counts as summer only. */
		if (offset_min == before)
			continue;
		changes[c->n_changes++] = (struct calendar_change){ .at_ms = (int64_t)at_ms,
								    .offset_min = offset_min };
		before = offset_min;
	}
	return status;
}

bool zone_load(struct loader *l, const struct yaml_node *node, struct calendar *c)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar name[POLICY_NAME_BYTES];
	struct calendar_change *changes = load_alloc(l, CHANGES_MAX, sizeof *changes);

	if (!changes)
		return false;
	if (!to_utf16(yaml_text(node), name) || !is_known(name)) {
		unknown_zone(l, node);
		return false;
	}
	UCalendar *zone = ucal_open(name, -1, "en", UCAL_GREGORIAN, &status);

	if (U_SUCCESS(status)) {
		c->changes = changes;
		c->n_changes = 0;
		status = read_changes(zone, c, changes);
	}
	ucal_close(zone);
	if (U_FAILURE(status))
		yaml_mistake(l->diag, node, "time zone '%.64s' can't be read: %s", yaml_text(node),
			     u_errorName(status));
	return U_SUCCESS(status);
}
