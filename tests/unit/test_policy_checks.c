/* broker/policy, checks of a hub file as a whole: rules that can never match, escalation that
 * goes in a circle, gates, linkages, pools and duty contacts of no use.  Each mistake with its place; and what only looks like one is none. */
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

/* With everything in it that can be dead. */
static const char whole[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: [2026-10-03]}\n"
	"domains: [legal]\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: {all_except: [handover]}}\n"
	"  school: {title: {en: S, ko: 학}, may_send: {all_except: [case_plan]}}\n"
	"  house: {title: {en: H, ko: 집}, may_send: [answer, placement_notice, place_returned]}\n"
	"  crew: {title: {en: C, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, duty: watch, domains: [legal]}\n"
	"  watch: {kind: police, title: {en: W, ko: 당}, agency: ps, hours: always}\n"
	"  edu: {kind: school, title: {en: E, ko: 교}}\n"
	"  home: {kind: house, title: {en: H, ko: 집}}\n"
	"bodies:\n"
	"  team: {kind: crew, title: {en: T, ko: 팀}, roles: {lead: [ps], help: [edu], more: [watch]}, lead: lead, duty: watch}\n"
	"types:\n"
	"  default: {needs_case: true}\n"
	"  checkin: {may_open: true}\n"
	"gates:\n"
	"  name: {title: {en: N, ko: 이}}\n"
	"linkage:\n"
	"  signs: {of: {type: risk_signal, sender_kind: [police, school]}, agencies: 2, tokens_agree: 6, within: 90 d, expires: 1 year, tells: ps}\n"
	"pools:\n"
	"  beds: {title: {en: B, ko: 방}, keeper: home, kind: bed, places: 1, hold: 1 h}\n"
	"rules:\n"
	"  - {name: opens, when: {type: checkin, opens_case: true}, to: ps, case_state: managed}\n"
	"  - {name: again, when: {type: checkin, case_state: [managed, received]}, to: edu}\n"
	"  - {name: support, when: {type: referral, domain: legal}, to: ps, answer_within: 1 h}\n"
	"  - {name: taken-on, when: {type: answer, replies_to: referral, kind: accept}, to: edu}\n"
	"  - {name: meets, when: {type: conference_call, body: [team, \"\"]}, to: body:team, each: true, answer_within: 1 h, then: [{to: lead:team}, {to: edu}]}\n"
	"  - {name: plan, when: {type: case_plan, sender_kind: police}, to: edu}\n"
	"  - {name: may-we, when: {type: identity_request}, to: edu, answer_within: 1 h, on_accept: open_gate, gate: name}\n"
	"  - {name: bed, when: {type: capacity_hold, pool: [bed, beds]}, holds: first, answer_within: 1 h}\n"
	"  - {name: placed, when: {type: placement_notice}, takes_place: true}\n"
	"  - {name: free, when: {type: place_returned}, returns_place: true}\n"
	"  - {name: changes, when: {type: jurisdiction_change}, hands_over: true}\n"
	"  - {name: goes-over, when: {type: handover, addressed: true}, to: addressees, answer_within: 1 d, on_accept: hand_over, then: [{to: ps}]}\n"
	"  - {name: is-over, when: {type: handover_manifest}, confirms: true}\n";
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

static void what_never_comes_about(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "[managed, received]", "[monitoring, received]", "[monitoring, rec",
		  "no case is ever 'monitoring'" },
		{ "checkin, case_state", "checkin, opens_case: true, case_state", "[managed, rec",
		  "a message that opens a case finds it in no state" },
		{ "replies_to: referral", "replies_to: capacity_report", "capacity_report, kind",
		  "by no rule does anybody owe an answer to a capacity_report" },
		{ "sender_kind: police}", "sender_kind: [police, school]}", "school]}, to: edu",
		  "'school' may send nothing that this is about" },
		{ ", on_accept: open_gate, gate: name", "", "name: {title: {en: N",
		  "no rule opens gate 'name', so it stays closed for ever" },
	};

	(void)state;
	policy_free(hub_text_parsed(whole));
	HUB_TEXT_CHECK_ALL(whole, rows);
	/* A ban may name whoever could not do it anyway. */
	char *ban =
		hub_text_changed(whole, "{type: case_plan, sender_kind: police}, to: edu",
				 "{type: case_plan, sender_kind: [police, school]}, forbid: no");
	/* Break-glass opens a gate, too. */
	char *glass =
		hub_text_changed(whole, "answer_within: 1 h, on_accept: open_gate, gate: name",
				 "opens_gate: name");

	policy_free(hub_text_parsed(ban));
	policy_free(hub_text_parsed(glass));
	free(ban);
	free(glass);
}

static void names_in_a_body_that_are_mistyped(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "domain: legal}", "domain: lgal}", "lgal}",
		  "unknown support domain 'lgal'; did you mean 'legal'?" },
		{ "body: [team,", "body: [teem,", "teem,",
		  "unknown body 'teem'; did you mean 'team'?" },
		{ "pool: [bed,", "pool: [bad,", "bad,",
		  "unknown pool or kind of pools 'bad'; did you mean 'bed'?" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
}

static void linkages_that_find_nothing(void **state)
{
	static const struct hub_text_mistake rows[] = {
		/* Two of one agency are one: the station and its watch. */
		{ "agencies: 2", "agencies: 3", "3, tokens",
		  "3 agencies make a set known, but only 2 can send such a signal" },
		{ "sender_kind: [police, school]}, agencies: 2, ", "sender_kind: police}, ",
		  "{type: risk_signal, s", "2 agencies make a set known, but only 1 can send" },
		{ "sender_kind: [police, school]}, ag", "sender_kind: [police, school, house]}, ag",
		  "house]}, ag", "'house' may send nothing that this is about" },
		{ "tokens_agree: 6", "tokens_agree: 7", "7, within", "1 to 6" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
}

static void steps_that_ask_nobody_new(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "{to: edu}]", "{to: lead:team}]", "lead:team}]",
		  "asks nobody who was not asked" },
		{ "{to: edu}]", "{to: [sender, edu]}, {to: edu}]", "edu}]}\n  - {name: plan",
		  "asks nobody who was not asked" },
		/* Each of them has a request of its own. */
		{ "{to: lead:team}, ", "{to: body:team}, ", "body:team}, {to",
		  "asks nobody who was not asked" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
}

static void duty_contacts_who_are_off_too(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ ", hours: always}", "}", "watch, domains",
		  "'watch' is never there when it is needed" },
		{ ", hours: always}", ", hours: \"10:00-17:00\"}", "watch, domains",
		  "'watch' is never there when it is needed" },
	};
	char *late, *passed_on;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		hub_text_check(whole, &rows[i], 2); /* of the participant, and of the body */
	late = hub_text_changed(whole, ", hours: always}", ", hours: \"10:00-20:00\"}");
	passed_on = hub_text_changed(
		whole, ", hours: always}\n",
		", duty: owl}\n  owl: {kind: police, title: {en: O, ko: 올}, hours: always}\n");
	policy_free(hub_text_parsed(late));
	policy_free(hub_text_parsed(passed_on));
	free(late);
	free(passed_on);
}

static void pools_of_no_use(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "[answer, placement_notice, ", "[placement_notice, ", "home, kind: bed",
		  "'home' is asked for these places and may send no answer" },
		{ "[answer, placement_notice, ", "[answer, ", "home, kind: bed",
		  "'home' can't say that a place was taken up" },
		{ ", place_returned]", "]", "home, kind: bed",
		  "'home' can't say that a place is free again" },
		{ "takes_place: true", "to: ps", "{name: bed, ",
		  "none says that one is taken up, so each would lapse" },
		{ "returns_place: true", "to: ps", "{name: bed, ",
		  "none says that one is free again, so the pools would fill up" },
	};
	char *renews;

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
	/* Slots are free again by themselves. */
	renews = hub_text_changed(whole, "hold: 1 h}", "hold: 1 h, renews: weekly}");
	char *nothing_back = hub_text_changed(renews, "returns_place: true", "to: ps");
	policy_free(hub_text_parsed(nothing_back));
	free(nothing_back);
	free(renews);
}

static void handovers_that_never_end(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "confirms: true", "to: ps", "true}\n  - {name: goes-over",
		  "no hand-over is ever complete: nobody can state what it has got" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
}

static void days_that_are_none(void **state)
{
	static const struct hub_text_mistake rows[] = {
		{ "2026-10-03", "1926-01-01", "1926",
		  "'1926-01-01' is no day of the years 1970 to 9999" },
		{ "2026-10-03", "2026-02-30", "2026-02-30", "'2026-02-30' is no day of the years" },
		{ "2026-10-03", "3.10.2026", "3.10", "a date such as 2026-10-03" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(whole, rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_can_never_match),
		cmocka_unit_test(escalation_in_a_circle),
		cmocka_unit_test(what_never_comes_about),
		cmocka_unit_test(names_in_a_body_that_are_mistyped),
		cmocka_unit_test(linkages_that_find_nothing),
		cmocka_unit_test(steps_that_ask_nobody_new),
		cmocka_unit_test(duty_contacts_who_are_off_too),
		cmocka_unit_test(pools_of_no_use),
		cmocka_unit_test(handovers_that_never_end),
		cmocka_unit_test(days_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
