/* broker/policy, explaining: every rule of a message's type is told of, with the first thing
 * that it wants and the message has not; the deciding itself is the same with and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/explain.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"
#include "tests/unit/hub_text.h"

/* clang-format off */
static const char hub[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  aid: {title: {en: L, ko: 법}, may_send: [answer, report_received]}\n"
	"  watch: {title: {en: W, ko: 명}, may_send: [risk_signal]}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, head: boss}\n"
	"  boss: {kind: police, title: {en: B, ko: 장}}\n"
	"  aid: {kind: aid, title: {en: L, ko: 법}}\n"
	"  eye: {kind: watch, title: {en: E, ko: 눈}}\n"
	"types:\n"
	"  default: {may_open: true}\n"
	"rules:\n"
	"  - {name: first, when: {type: report_received, category: child_neglect}, to: aid}\n"
	"  - {name: of-aid, when: {type: report_received, sender: aid}, to: boss}\n"
	"  - {name: by-hub, when: {type: report_received, sender_kind: [hub, aid]}, to: boss}\n"
	"  - {name: urgent, when: {type: report_received, urgency: [immediate, urgent]}, to: boss}\n"
	"  - {name: elsewhere, when: {type: report_received, jurisdiction: \"41210\"}, to: boss}\n"
	"  - {name: at-night, when: {type: report_received, working_hours: false}, to: boss}\n"
	"  - {name: named, when: {type: report_received, addressed: true}, to: boss}\n"
	"  - {name: opening, when: {type: report_received, opens_case: true}, to: boss}\n"
	"  - {name: score, when: {type: report_received, checklist_score: \">= 5\"}, to: boss}\n"
	"  - {name: coded, when: {type: report_received, response_code: [code_0, code_1]}, to: boss}\n"
	"  - {name: home, when: {type: report_received, child_at_home: true}, to: boss}\n"
	"  - {name: closed, when: {type: report_received, case_state: closed}, to: boss}\n"
	"  - {name: on-basis, when: {type: report_received, basis: [consent]}, to: boss}\n"
	"  - {name: needs-basis, when: {type: report_received}, needs_basis: [consent, imminent_danger], to: boss}\n"
	"  - {name: applies, when: {type: report_received}, to: aid, answer_within: 2 h, then: [{to: boss}]}\n"
	"  - {name: other-type, when: {type: referral}, to: aid}\n"
	"  - {name: no-answers, when: {type: service_report}, forbid: never}\n"
	"  - {name: over, when: {type: closure_request}, case_state: closed}\n";
/* clang-format on */

static Ieum__V1__Referral *message(const char *yaml)
{
	ProtobufCMessage *m = NULL;
	struct yaml_diag diag;

	yaml_diag_init(&diag);
	if (pbmap_from_text("m", yaml, strlen(yaml), &ieum__v1__referral__descriptor, NULL, &diag,
			    &m))
		fail_msg("%s", diag.mistakes[0].text);
	return (Ieum__V1__Referral *)m;
}

static int64_t at(const struct policy *p, const char *text)
{
	int64_t ms = 0;

	assert_true(explain_parse_time(p, text, &ms));
	return ms;
}

static struct explanation *explained(const struct policy *p, const char *sender, const char *yaml,
				     Ieum__V1__Referral **m)
{
	struct explanation *x = NULL;
	struct explain_case c;

	explain_case_init(&c);
	c.state = IEUM__V1__CASE_STATE__CASE_STATE_MANAGED;
	*m = message(yaml);
	assert_int_equal(explain(p, *m, policy_find_participant(p, sender),
				 at(p, "2026-03-02 10:00"), &c, &x),
			 IEUM_E_OK);
	return x;
}

static void done(struct policy *p, struct explanation *x, Ieum__V1__Referral *m)
{
	explanation_free(x);
	ieum__v1__referral__free_unpacked(m, NULL);
	policy_free(p);
}

static const char report[] =
	"{envelope: {type: report_received, category: stalking, urgency: routine,"
	" legal_basis: {kind: statutory, article: x}},"
	" report_received: {checklist_score: 4, response_code: code_2}}";

static void every_rule_of_the_type_says_why(void **state)
{
	static const struct {
		const char *rule;
		enum policy_verdict verdict;
		const char *key, *is, *wants;
	} rows[] = {
		{ "first", POLICY_RULE_UNMET, "category", "stalking", "child_neglect" },
		{ "of-aid", POLICY_RULE_UNMET, "sender", "ps", "aid" },
		{ "by-hub", POLICY_RULE_UNMET, "sender_kind", "police", "aid or hub" },
		{ "urgent", POLICY_RULE_UNMET, "urgency", "routine", "immediate or urgent" },
		{ "elsewhere", POLICY_RULE_UNMET, "jurisdiction", "41570", "41210" },
		{ "at-night", POLICY_RULE_UNMET, "working_hours", "true", "false" },
		{ "named", POLICY_RULE_UNMET, "addressed", "false", "true" },
		{ "opening", POLICY_RULE_UNMET, "opens_case", "false", "true" },
		{ "score", POLICY_RULE_UNMET, "checklist_score", "4", ">= 5" },
		{ "coded", POLICY_RULE_UNMET, "response_code", "code_2", "code_0 or code_1" },
		{ "home", POLICY_RULE_UNMET, "child_at_home", "false", "true" },
		{ "closed", POLICY_RULE_UNMET, "case_state", "managed", "closed" },
		{ "on-basis", POLICY_RULE_UNMET, "basis", "statutory", "consent" },
		{ "needs-basis", POLICY_RULE_LACKS_BASIS, "needs_basis", "statutory",
		  "consent or imminent_danger" },
		{ "applies", POLICY_RULE_APPLIES, "", "", "" },
	};
	struct policy *p = hub_text_parsed(hub);
	Ieum__V1__Referral *m;
	struct explanation *x = explained(p, "ps", report, &m);

	(void)state;
	assert_int_equal(x->err, IEUM_E_OK);
	assert_int_equal(x->n_looks, sizeof rows / sizeof rows[0]);
	for (size_t i = 0; i < x->n_looks; i++) {
		const struct policy_look *look = &x->looks[i];

		assert_string_equal(look->rule, rows[i].rule);
		assert_int_equal(look->verdict, rows[i].verdict);
		assert_string_equal(look->key, rows[i].key);
		assert_string_equal(look->is, rows[i].is);
		assert_string_equal(look->wants, rows[i].wants);
		assert_int_equal(look->line, 15 + (int)i);
	}
	/* What the one rule that applies has added. */
	assert_int_equal(x->looks[14].n_routes, 1);
	assert_int_equal(x->looks[14].n_tasks, 1);
	assert_int_equal(x->looks[13].n_routes, 0);
	done(p, x, m);
}

static void a_refusal_is_explained_too(void **state)
{
	struct policy *p = hub_text_parsed(hub);
	Ieum__V1__Referral *m;
	struct explanation *x =
		explained(p, "ps", "{envelope: {type: service_report}, service_report: {}}", &m);

	(void)state;
	assert_int_equal(x->err, IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(x->detail, "never"));
	assert_int_equal(x->n_looks, 1);
	assert_int_equal(x->looks[0].verdict, POLICY_RULE_FORBIDS);
	done(p, x, m);

	p = hub_text_parsed(hub);
	x = explained(p, "eye", report, &m);
	assert_int_equal(x->err, IEUM_E_NOT_PERMITTED);
	assert_int_equal(x->n_looks, 0); /* refused before any rule */
	done(p, x, m);
}

static void whom_the_message_excludes_is_left_out(void **state)
{
	struct policy *p = hub_text_parsed(hub);
	Ieum__V1__Referral *m;
	struct explanation *x = explained(
		p, "ps", "{envelope: {type: referral, excluded_participants: [aid]}, referral: {}}",
		&m);

	(void)state;
	assert_int_equal(x->err, IEUM_E_CONFLICT_OF_INTEREST);
	done(p, x, m);
	p = hub_text_parsed(hub);
	x = explained(p, "ps",
		      "{envelope: {type: referral, excluded_participants: [nobody]}, referral: {}}",
		      &m);
	assert_int_equal(x->err, IEUM_E_ADDRESSEE_UNKNOWN);
	done(p, x, m);
}

static void asking_why_changes_nothing(void **state)
{
	static struct policy_decision plain;
	struct policy *p = hub_text_parsed(hub);
	Ieum__V1__Referral *m;
	struct explanation *x = explained(p, "ps", report, &m);
	const struct policy_context ctx = {
		.referral = m,
		.sender = policy_find_participant(p, "ps"),
		.now_ms = at(p, "2026-03-02 10:00"),
		.case_state = IEUM__V1__CASE_STATE__CASE_STATE_MANAGED,
		.case_owner = POLICY_NONE,
	};
	char detail[80];

	(void)state;
	assert_int_equal(policy_decide(p, &ctx, &plain, detail, sizeof detail), IEUM_E_OK);
	assert_int_equal(plain.n_routes, x->decision.n_routes);
	assert_memory_equal(plain.routes, x->decision.routes,
			    plain.n_routes * sizeof plain.routes[0]);
	assert_int_equal(plain.n_tasks, x->decision.n_tasks);
	assert_int_equal(plain.tasks[0].due_at_ms, x->decision.tasks[0].due_at_ms);
	done(p, x, m);
}

static void times_are_those_of_the_hub(void **state)
{
	char *berlin_text = hub_text_changed(hub, "\"+09:00\"", "Europe/Berlin");
	struct policy *seoul = hub_text_parsed(hub), *berlin = hub_text_parsed(berlin_text);
	char text[EXPLAIN_TIME_BYTES];
	int64_t ms;

	(void)state;
	assert_int_equal(at(seoul, "2026-03-02 10:00"), INT64_C(1772413200000));
	assert_int_equal(at(seoul, "2026-03-02T10:00:00"), INT64_C(1772413200000));
	assert_int_equal(at(seoul, "2026-03-02T01:00:00Z"), INT64_C(1772413200000));
	assert_string_equal(explain_local_time(seoul, INT64_C(1772413200000), text),
			    "2026-03-02 10:00");
	assert_string_equal(explain_local_time(seoul, INT64_C(1772413205000), text),
			    "2026-03-02 10:00:05");
	assert_string_equal(explain_local_time(seoul, 0, text), "");
	/* Winter and summer, and both ends of the night on which summer begins. */
	assert_int_equal(at(berlin, "2026-03-28 12:00"), at(seoul, "2026-03-28 20:00"));
	assert_int_equal(at(berlin, "2026-03-29 12:00"), at(seoul, "2026-03-29 19:00"));
	assert_int_equal(at(berlin, "2026-03-29 01:59") + 60000, at(berlin, "2026-03-29 03:00"));
	assert_string_equal(explain_local_time(berlin, at(berlin, "2026-07-01 08:30"), text),
			    "2026-07-01 08:30");
	assert_false(explain_parse_time(seoul, "tomorrow", &ms));
	assert_false(explain_parse_time(seoul, "2026-02-30 10:00", &ms));
	assert_false(explain_parse_time(seoul, "2026-03-02", &ms));
	policy_free(seoul);
	policy_free(berlin);
	free(berlin_text);
}

static const char *const reached_by[] = { "keeper-a", "keeper-b", "old", "new" };

/* clang-format off */
static const char hub_of_acts[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"kinds:\n"
	"  city: {title: {en: C, ko: 시}, may_send: all}\n"
	"participants:\n"
	"  city: {kind: city, title: {en: C, ko: 시}}\n"
	"  old: {kind: city, title: {en: O, ko: 구}}\n"
	"  new: {kind: city, title: {en: N, ko: 신}}\n"
	"  keeper-a: {kind: city, title: {en: A, ko: 가}}\n"
	"  keeper-b: {kind: city, title: {en: B, ko: 나}}\n"
	"  keeper-c: {kind: city, title: {en: D, ko: 다}}\n"
	"types:\n"
	"  default: {may_open: true}\n"
	"pools:\n"
	"  a: {title: {en: a, ko: 가}, kind: bed, keeper: keeper-a, places: 1, hold: 1 h}\n"
	"  b: {title: {en: b, ko: 나}, kind: bed, keeper: keeper-b, places: 1, hold: 1 h}\n"
	"  c: {title: {en: c, ko: 다}, kind: bed, keeper: keeper-c, places: 1, hold: 1 h, ages: \"10-12\"}\n"
	"counters:\n"
	"  reports: {per: case, of: {type: capacity_hold}, within: 30 d}\n"
	"  quiet: {per: case, of: {type: service_report}, resets: {type: capacity_hold}, within: 30 d}\n"
	"rules:\n"
	"  - {name: place, when: {type: capacity_hold}, holds: first, answer_within: 1 h, then: [{to: city, within: 1 h}]}\n"
	"  - {name: taken, when: {type: placement_notice}, takes_place: true}\n"
	"  - {name: free, when: {type: place_returned}, returns_place: true}\n"
	"  - {name: change, when: {type: jurisdiction_change}, hands_over: true}\n"
	"  - {name: taking, when: {type: handover, addressed: true}, to: addressees, answer_within: 1 d, on_accept: hand_over,\n"
	"     then: [{to: city, within: 1 d}]}\n"
	"  - {name: confirmed, when: {type: handover_manifest}, to: city, confirms: true}\n"
	"  - {name: often, when: {type: service_report, count: {reports: \">= 2\", quiet: \">= 2\"}}, to: city}\n";
/* clang-format on */

static void what_it_sets_off_is_told_too(void **state)
{
	struct policy *p = hub_text_parsed(hub_of_acts);
	Ieum__V1__Referral *m;

	(void)state;
	struct explanation *x = explained(p, "city",
					  "envelope: {type: capacity_hold}\n"
					  "capacity_hold: {pool: bed, age_years: 7}\n",
					  &m);
	assert_int_equal(x->err, IEUM_E_OK);
	assert_int_equal(x->n_reaches, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(policy_mailbox(p, x->reaches[i].mailbox)->name, reached_by[i]);
	assert_string_equal(x->reaches[0].act->key, "holds");
	assert_int_equal(x->counted, 1 << explain_find_counter(p, "reports"));
	assert_int_equal(x->begun_anew, 1 << explain_find_counter(p, "quiet"));
	explanation_free(x);
	protobuf_c_message_free_unpacked(&m->base, NULL);

	x = explained(p, "city",
		      "envelope: {type: jurisdiction_change}\n"
		      "jurisdiction_change: {from: old, to: new}\n",
		      &m);
	assert_int_equal(x->err, IEUM_E_OK);
	assert_int_equal(x->n_reaches, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(policy_mailbox(p, x->reaches[i].mailbox)->name,
				    reached_by[2 + i]);
	assert_int_equal(x->counted | x->begun_anew, 0);
	explanation_free(x);
	protobuf_c_message_free_unpacked(&m->base, NULL);
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_type_says_why),
		cmocka_unit_test(a_refusal_is_explained_too),
		cmocka_unit_test(whom_the_message_excludes_is_left_out),
		cmocka_unit_test(asking_why_changes_nothing),
		cmocka_unit_test(what_it_sets_off_is_told_too),
		cmocka_unit_test(times_are_those_of_the_hub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
