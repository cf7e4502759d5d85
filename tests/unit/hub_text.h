/* Hub files as text, for tests: a good one with one part replaced, parsed, or refused with its
 * mistake at the right place. */
#ifndef IEUM_TESTS_UNIT_HUB_TEXT_H
#define IEUM_TESTS_UNIT_HUB_TEXT_H

#include "broker/policy/policy.h"

/* The text with the first `find` in it replaced; the caller frees it. */
char *hub_text_changed(const char *good, const char *find, const char *replace);

/* The policy of a text that must have no mistake; the caller frees it. */
struct policy *hub_text_parsed(const char *text);

struct hub_text_mistake {
	const char *find, *replace; /* in the good text */
	const char *at;             /* where in the changed text the mistake is told */
	const char *says;           /* part of its text */
};

/* The changed text has n mistakes, of which `m` is the first. */
void hub_text_check(const char *good, const struct hub_text_mistake *m, size_t n);

#define HUB_TEXT_CHECK_ALL(good, table) \
	do { \
		for (size_t i_ = 0; i_ < sizeof(table) / sizeof(table)[0]; i_++) \
			hub_text_check(good, &(table)[i_], 1); \
	} while (0)

#endif
