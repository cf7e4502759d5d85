/* broker/policy, counters, what rules say of the case, and messages that the hub makes: what they
 * become, and every mistake at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/policy.h"
#include "tests/unit/hub_text.h"

static const char good[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: {all_except: [stop_use_order]}}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, head: boss}\n"
	"  boss: {kind: police, title: {en: B, ko: 장}}\n"
	"types:\n"
	"  answer: {needs_reply_to: true}\n"
	"counters:\n"
	"  dispatches: {of: {type: report_received, sender_kind: police}, per: case, within: 1 year}\n"
	"  signs: {of: {type: risk_signal}, per: subject, within: 90 d, weight: $weight}\n"
	"  eyes: {of: {type: risk_signal}, per: subject, within: 90 d, distinct: sender, resets: {type: checkin, reached: true}}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: ps\n"
	"  - name: third\n"
	"    when: {type: report_received, count: {dispatches: \">= 3\", eyes: 2}}\n"
	"    grade: A\n"
	"    emit:\n"
	"      type: recurrence_alert\n"
	"      urgency: urgent\n"
	"      article: \"law 1\"\n"
	"      body: {dispatches_in_year: $count.dispatches, grade: A}\n"
	"  - name: alert\n"
	"    when: {type: recurrence_alert, sender_kind: hub}\n"
	"    to: ps\n"
	"  - name: closed\n"
	"    when: {type: report_received, case_state: [closed, monitoring], grade: [A, \"-\"]}\n"
	"    case_state: reopened\n"
	"  - name: drills\n"
	"    when: {type: report_received, drill: true, consent_withdrawn: false}\n"
	"    to: boss\n"
	"  - name: signs\n"
	"    when: {type: risk_signal, count: {signs: \">= 8\"}}\n"
	"    to: ps\n"
	"  - name: seen\n"
	"    when: {type: checkin}\n"
	"    to: ps\n"
	"  - name: withdrawn\n"
	"    when: {type: consent_withdrawal}\n"
	"    to: boss\n"
	"    stops_use: true\n"
	"  - name: stop\n"
	"    when: {type: stop_use_order, sender_kind: hub, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"    then: [{to: boss}]\n"
	"  - {name: watched, when: {type: monitoring_due}, case_state: monitoring}\n"
	"  - {name: over, when: {type: closure_request}, case_state: closed}\n";

/* A report, as the rules see it. */
struct view {
	struct policy *p;
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__ReportReceived report;
	Ieum__V1__RiskSignal signal;
	Ieum__V1__Checkin checkin;
	struct policy_context ctx;
	int64_t counts[3];
	struct policy_decision out;
	char detail[200];
};

static int start(void **state)
{
	struct view *v = calloc(1, sizeof *v);

	assert_non_null(v);
	v->p = hub_text_parsed(good);
	ieum__v1__referral__init(&v->referral);
	ieum__v1__envelope__init(&v->envelope);
	ieum__v1__report_received__init(&v->report);
	ieum__v1__risk_signal__init(&v->signal);
	ieum__v1__checkin__init(&v->checkin);
	v->referral.envelope = &v->envelope;
	v->envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED;
	v->referral.body_case = IEUM__V1__REFERRAL__BODY_REPORT_RECEIVED;
	v->referral.report_received = &v->report;
	v->ctx = (struct policy_context){ .referral = &v->referral,
					  .sender = policy_find_participant(v->p, "ps"),
					  .now_ms = 1772500000000,
					  .case_owner = POLICY_NONE,
					  .counts = v->counts };
	*state = v;
	return 0;
}

static int stop(void **state)
{
	struct view *v = *state;

	policy_free(v->p);
	free(v);
	return 0;
}

static bool matches(struct view *v, const char *rule)
{
	assert_int_equal(policy_decide(v->p, &v->ctx, &v->out, v->detail, sizeof v->detail),
			 IEUM_E_OK);
	for (size_t i = 0; i < v->out.n_rules; i++)
		if (strcmp(v->out.rules[i], rule) == 0)
			return true;
	return false;
}

static void a_rule_asks_for_counts(void **state)
{
	struct view *v = *state;

	v->counts[0] = 2;
	v->counts[2] = 2;
	assert_false(matches(v, "third"));
	v->counts[0] = 3;
	assert_true(matches(v, "third"));
	v->counts[2] = 3; /* without a sign: exactly so many */
	assert_false(matches(v, "third"));
	v->ctx.counts = NULL; /* where nobody counted, nothing was */
	assert_false(matches(v, "third"));
}

static void a_rule_asks_for_the_case(void **state)
{
	struct view *v = *state;

	assert_false(matches(v, "closed"));
	v->ctx.case_state = IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
	assert_true(matches(v, "closed"));
	v->ctx.case_grade = "B";
	assert_false(matches(v, "closed"));
	v->ctx.case_grade = "A";
	v->ctx.case_state = IEUM__V1__CASE_STATE__CASE_STATE_MONITORING;
	assert_true(matches(v, "closed"));
	assert_false(matches(v, "drills"));
	v->ctx.drill = true;
	assert_true(matches(v, "drills"));
	v->ctx.consent_withdrawn = true;
	assert_false(matches(v, "drills"));
}

static void an_emit_has_what_the_file_says(void **state)
{
	struct view *v = *state;

	v->counts[0] = 3;
	v->counts[2] = 2;
	assert_true(matches(v, "third"));
	assert_int_equal(v->out.n_emits, 1);
	const struct policy_emit *e = &v->out.emits[0];
	assert_int_equal(e->type, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RECURRENCE_ALERT);
	assert_int_equal(e->urgency, IEUM__V1__URGENCY__URGENCY_URGENT);
	assert_string_equal(e->article, "law 1");
	assert_int_equal(e->n_fields, 2);
	assert_string_equal(e->fields[0].field->name, "dispatches_in_year");
	assert_int_equal(e->fields[0].counter, 0);
	assert_int_equal(e->fields[1].counter, POLICY_NONE);
	assert_string_equal(e->fields[1].text, "A");
	assert_int_equal(v->out.n_acts, 1);
	assert_int_equal(v->out.acts[0].kind, POLICY_ACT_GRADE);
	assert_string_equal(v->out.acts[0].text, "A");
}

static void a_message_counts_as_the_counter_says(void **state)
{
	struct view *v = *state;

	assert_int_equal(policy_counters(v->p), 3);
	assert_string_equal(policy_counter(v->p, 0)->name, "dispatches");
	assert_int_equal(policy_counter(v->p, 1)->per, 1 << POLICY_PER_SUBJECT);
	assert_true(policy_counter(v->p, 2)->distinct);
	struct policy_counting n = policy_count(v->p, 0, &v->ctx);
	assert_true(n.counts && !n.resets);
	assert_int_equal(n.weight, 1);
	assert_int_equal(n.at_ms, v->ctx.now_ms);
	assert_int_equal(n.until_at_ms, v->ctx.now_ms + 365LL * 86400000);
	v->envelope.occurred_at_ms = v->ctx.now_ms - 86400000;
	n = policy_count(v->p, 0, &v->ctx);
	assert_int_equal(n.at_ms, v->envelope.occurred_at_ms);
	v->ctx.sender = POLICY_NONE;
	assert_false(policy_count(v->p, 0, &v->ctx).counts);
	assert_false(policy_count(v->p, 1, &v->ctx).counts);
	v->envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL;
	v->referral.body_case = IEUM__V1__REFERRAL__BODY_RISK_SIGNAL;
	v->referral.risk_signal = &v->signal;
	assert_int_equal(policy_count(v->p, 1, &v->ctx).weight, 1);
	v->signal.weight = 5;
	assert_int_equal(policy_count(v->p, 1, &v->ctx).weight, 5);
	assert_int_equal(policy_count(v->p, 2, &v->ctx).weight, 1);
	v->envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CHECKIN;
	v->referral.body_case = IEUM__V1__REFERRAL__BODY_CHECKIN;
	v->referral.checkin = &v->checkin;
	assert_false(policy_count(v->p, 2, &v->ctx).resets);
	v->checkin.reached = true;
	assert_true(policy_count(v->p, 2, &v->ctx).resets);
}

/* ---- mistakes ---- */

static void mistakes_in_counters(void **state)
{
	static const struct hub_text_mistake wrong[] = {
		{ "per: case,", "per: town,", "town", "household" },
		{ "within: 1 year}", "within: 0 d}", "0 d", "within 0" },
		{ ", within: 1 year}", "}", "{of: {type: report_received, sender", "'within'" },
		{ "{of: {type: report_received, sender_kind: police}, per: case",
		  "{of: {sender_kind: police}, per: case", "{sender_kind: police}, per: case",
		  "'type'" },
		{ "weight: $weight}", "weight: $heavy}", "$heavy", "heavy" },
		{ "weight: $weight}", "weight: 3}", "3}", "$weight" },
		{ "of: {type: risk_signal}, per: subject, within: 90 d, weight",
		  "of: {type: risk_signal, count: {dispatches: 2}}, per: subject, within: 90 d, weight",
		  "dispatches: 2}}", "can't depend" },
		{ "distinct: sender,", "distinct: sender, weight: $weight,", "$weight, resets",
		  "no weight" },
		{ "per: subject, within: 90 d, distinct", "per: sender, within: 90 d, distinct",
		  "sender, resets", "more than one sender" },
		{ "count: {signs: \">= 8\"}", "urgency: urgent", "signs: {of", "no rule asks" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, wrong);
}

static void mistakes_in_conditions(void **state)
{
	static const struct hub_text_mistake wrong[] = {
		{ "count: {dispatches:", "count: {dispatch:", "dispatch: \">", "dispatches" },
		{ "eyes: 2}", "eyes: two}", "two", "no number" },
		{ "eyes: 2}", "eyes: 257}", "257", "256" },
		{ "case_state: [closed,", "case_state: [clozed,", "clozed", "closed" },
		{ "grade: [A, \"-\"]", "grade: [ABCDEFGHI]", "ABCDEFGHI", "8" },
		{ "drill: true", "drill: perhaps", "perhaps", "true" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, wrong);
}

static void mistakes_in_emits(void **state)
{
	static const struct hub_text_mistake wrong[] = {
		{ "type: recurrence_alert\n      urgency", "type: answer\n      urgency",
		  "answer\n      urgency", "replies" },
		{ "urgency: urgent\n", "urgency: soon\n", "soon", "urgency" },
		{ "{dispatches_in_year: $count.dispatches",
		  "{dispatches_in_yaer: $count.dispatches", "dispatches_in_yaer",
		  "did you mean 'dispatches_in_year'" },
		{ "$count.dispatches", "$count.dispatch", "$count.dispatch", "dispatches" },
		{ "$count.dispatches", "$checklist", "$checklist", "no field 'checklist'" },
		{ "$count.dispatches", "$child_at_home", "$child_at_home", "something else" },
		{ "$count.dispatches", "many", "many", "number" },
		{ "grade: A}\n", "grade: $count.dispatches}\n", "$count.dispatches}", "no number" },
		{ "recurrence_alert, sender_kind: hub", "visit_request", "type: recurrence_alert\n",
		  "no rule has recipients" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, wrong);
}

/* What only an agency's message sets off can't go on without end; what the hub's own does can. */
static void chains_end(void **state)
{
	static const struct hub_text_mistake endless = {
		"    when: {type: recurrence_alert, sender_kind: hub}\n    to: ps\n",
		"    when: {type: recurrence_alert, sender_kind: hub}\n    to: ps\n"
		"    emit: {type: visit_request}\n"
		"  - {name: v, when: {type: visit_request}, to: ps, emit: {type: recurrence_alert}}\n",
		"{type: visit_request}\n", "without end"
	};
	char *text = hub_text_changed(
		good, "    when: {type: recurrence_alert, sender_kind: hub}\n    to: ps\n",
		"    when: {type: recurrence_alert, sender_kind: hub}\n    to: ps\n"
		"  - {name: w, when: {type: recurrence_alert, sender_kind: police}, to: boss, "
		"emit: {type: recurrence_alert}}\n");

	(void)state;
	hub_text_check(good, &endless, 2);
	policy_free(hub_text_parsed(text));
	free(text);
}

static void an_order_to_stop_must_be_asked(void **state)
{
	static const struct hub_text_mistake wrong[] = {
		{ "    each: true\n    answer_within: 1 d\n    then: [{to: boss}]\n", "", "true\n",
		  "stop_use_order" },
		{ "{type: stop_use_order, sender_kind: hub, addressed: true}",
		  "{type: visit_request, addressed: true}", "true\n", "stop_use_order" },
	};

	(void)state;
	HUB_TEXT_CHECK_ALL(good, wrong);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_rule_asks_for_counts),
		WITH(a_rule_asks_for_the_case),
		WITH(an_emit_has_what_the_file_says),
		WITH(a_message_counts_as_the_counter_says),
		cmocka_unit_test(mistakes_in_counters),
		cmocka_unit_test(mistakes_in_conditions),
		cmocka_unit_test(mistakes_in_emits),
		cmocka_unit_test(chains_end),
		cmocka_unit_test(an_order_to_stop_must_be_asked),
	};

	return cmocka_run_group_tests_name("policy counters", tests, NULL, NULL);
}
