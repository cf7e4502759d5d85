/* broker/policy, checks of a hub file as a whole: rules that can never match, escalation that
 * goes in a circle.  Each mistake with its place; and what only looks like one is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/hub_text.h"

/* clang-format off */
static const char good[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  crew: {title: {en: C, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, head: team/lead}\n"
	"  boss: {kind: police, title: {en: B, ko: 장}}\n"
	"  aid: {kind: police, title: {en: L, ko: 법}}\n"
	"bodies:\n"
	"  team: {kind: crew, title: {en: T, ko: 팀}, roles: {lead: [boss], help: [aid, boss]}}\n"
	"types:\n"
	"  default: {needs_case: true}\n"
	"  checkin: {may_open: true}\n"
	"rules:\n"
	"  - {name: report, when: {type: report_received}, to: [ps, aid], answer_within: 1 h}\n"
	"  - {name: again, when: {type: report_received, urgency: immediate}, to: boss}\n"
	"  - {name: opens, when: {type: checkin, opens_case: true}, to: ps}\n";
/* clang-format on */

static void rules_that_can_never_match(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "{type: checkin, ", "{type: visit_request, ", "true}, to: ps}",
		  "rule 'opens' can never match: none of its types may open a case" },
		{ "urgency: immediate", "grade: A", "A}", "no rule gives a case the grade 'A'" },
		{ "urgency: immediate", "linked_set: true", "true}, to: boss",
		  "the file has no linkage" },
	};

	(void)state;
	policy_free(hub_text_parsed(good));
	HUB_TEXT_CHECK_ALL(good, rows);
	/* A grade that a rule gives is one, and so is having none. */
	char *given = hub_text_changed(good, "urgency: immediate}", "grade: [A, B]}, grade: A");
	char *none = hub_text_changed(good, "urgency: immediate", "grade: \"-\"");

	policy_free(hub_text_parsed(given));
	policy_free(hub_text_parsed(none));
	free(given);
	free(none);
}

static void escalation_in_a_circle(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "boss: {kind: police, title: {en: B, ko: 장}",
		  "boss: {kind: police, title: {en: B, ko: 장}, head: ps", "team/lead}",
		  "the heads go in a circle (ps, boss, ps) and nobody in it is at the top" },
		/* A role of two, who both have the same head below. */
		{ "head: team/lead}\n  boss: {kind: police, title: {en: B, ko: 장}}\n"
		  "  aid: {kind: police, title: {en: L, ko: 법}}",
		  "head: team/help}\n  boss: {kind: police, title: {en: B, ko: 장}, head: ps}\n"
		  "  aid: {kind: police, title: {en: L, ko: 법}, head: ps}",
		  "team/help}", "the heads go in a circle (ps, " },
	};
	char *top;

	(void)state;
	HUB_TEXT_CHECK_ALL(good, rows);
	/* Of the two in the role one has no head: silence ends there. */
	top = hub_text_changed(
		good, "head: team/lead}\n  boss: {kind: police, title: {en: B, ko: 장}}",
		"head: team/help}\n  boss: {kind: police, title: {en: B, ko: 장}, head: ps}");
	policy_free(hub_text_parsed(top));
	free(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_can_never_match),
		cmocka_unit_test(escalation_in_a_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
