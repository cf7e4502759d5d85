/* broker/policy, hand-over of a jurisdiction: participants of several jurisdictions, ladders that
 * repeat, who takes a case over, and the mistakes in these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/policy/policy.h"
#include "ieum/v1/body.pb-c.h"
#include "tests/unit/hub_text.h"

static const char good[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41210\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [sunday]}\n"
	"kinds:\n"
	"  agency: {title: {en: Agency, ko: 기관}, may_send: all}\n"
	"participants:\n"
	"  old: {kind: agency, title: {en: Old, ko: 옛}, jurisdictions: [\"41390\", \"41210\"], head: city}\n"
	"  new: {kind: agency, title: {en: New, ko: 새}, jurisdiction: \"41570\", head: city}\n"
	"  city: {kind: agency, title: {en: City, ko: 시}, jurisdiction: \"11\"}\n"
	"types:\n"
	"  default: {needs_basis: false}\n"
	"rules:\n"
	"  - name: reports\n"
	"    when: {type: report_received}\n"
	"    to: \"role:agency\"\n"
	"  - name: changes\n"
	"    when: {type: jurisdiction_change}\n"
	"    hands_over: true\n"
	"  - name: takes-over\n"
	"    when: {type: handover, addressed: true}\n"
	"    to: addressees\n"
	"    answer_within: 1 d\n"
	"    stops_at: completed\n"
	"    on_accept: hand_over\n"
	"    then:\n"
	"      - {to: head, within: 1 d}\n"
	"      - {to: city, within: 2 h, repeat: true}\n"
	"  - name: confirmed\n"
	"    when: {type: handover_manifest}\n"
	"    confirms: true\n";

static void decide(const struct policy *p, Ieum__V1__MessageType type, const char *jurisdiction,
		   const char *to, struct policy_decision *out)
{
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope envelope = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__Addressee addressee = IEUM__V1__ADDRESSEE__INIT;
	Ieum__V1__Addressee *addressees[] = { &addressee };
	Ieum__V1__ReportReceived report = IEUM__V1__REPORT_RECEIVED__INIT;
	Ieum__V1__Handover handover = IEUM__V1__HANDOVER__INIT;
	const struct policy_context ctx = { .referral = &m,
					    .sender = POLICY_NONE,
					    .case_owner = POLICY_NONE,
					    .now_ms = INT64_C(1790000000000) };
	char detail[200];

	m.envelope = &envelope;
	envelope.type = type;
	envelope.jurisdiction = (char *)jurisdiction;
	addressee.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	addressee.participant = (char *)to;
	envelope.addressees = addressees;
	envelope.n_addressees = to != NULL;
	if (type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER) {
		m.body_case = IEUM__V1__REFERRAL__BODY_HANDOVER;
		m.handover = &handover;
	} else {
		m.body_case = IEUM__V1__REFERRAL__BODY_REPORT_RECEIVED;
		m.report_received = &report;
	}
	assert_int_equal(policy_decide(p, &ctx, out, detail, sizeof detail), IEUM_E_OK);
}

static void one_is_there_for_several_jurisdictions(void **state)
{
	static struct policy_decision d;
	struct policy *p = hub_text_parsed(good);
	int old = policy_find_participant(p, "old");

	(void)state;
	assert_string_equal(policy_participant(p, old)->jurisdiction, "41390");
	assert_true(policy_serves(p, old, "41210"));
	assert_true(policy_serves(p, old, "41390"));
	assert_false(policy_serves(p, old, "41570"));
	decide(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED, "41210", NULL, &d);
	assert_int_equal(d.n_routes, 1);
	assert_string_equal(policy_mailbox(p, d.routes[0].mailbox)->name, "old");
	policy_free(p);
}

static void a_handover_asks_until_it_is_answered(void **state)
{
	static struct policy_decision d;
	struct policy *p = hub_text_parsed(good);

	(void)state;
	decide(p, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER, "41210", "new", &d);
	assert_int_equal(d.n_tasks, 1);
	assert_int_equal(d.tasks[0].effect, IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER);
	assert_int_equal(d.tasks[0].n_ladder, 2);
	assert_false(d.tasks[0].ladder[0].repeats);
	assert_true(d.tasks[0].ladder[1].repeats);
	policy_free(p);
}

static void mistakes(void **state)
{
	static const struct hub_text_mistake table[] = {
		{ "on_accept: hand_over", "blocks_closing: false", "hands_over",
		  "nobody is asked to take the cases" },
		{ "{to: head, within: 1 d}", "{to: head, within: 1 d, repeat: true}", "repeat",
		  "only the last step of a ladder can repeat" },
		{ "within: 2 h, repeat", "within: 59 min, repeat", "repeat: true",
		  "'repeat' at most once an hour" },
		{ "repeat: true", "on: rejection, repeat: true", "repeat: true",
		  "this step is for rejections only" },
		{ "jurisdictions: [", "jurisdiction: \"41\", jurisdictions: [", "jurisdictions",
		  "'jurisdiction' and 'jurisdictions' together" },
		{ "    confirms: true", "    confirms: true\n    case_state: in_handover",
		  "in_handover", "the hub itself says 'in_handover'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char *text = hub_text_changed(good, table[i].find, table[i].replace);
		struct yaml_diag *diag = calloc(1, sizeof *diag);
		struct policy *p = NULL;
		bool said = false;

		assert_non_null(diag);
		assert_int_equal(policy_parse("hub.yaml", text, strlen(text), diag, &p),
				 IEUM_E_FILE_INVALID);
		for (size_t k = 0; k < diag->count && !said; k++)
			said = strstr(diag->mistakes[k].text, table[i].says) != NULL;
		if (!said)
			fail_msg("'%s' is not said", table[i].says);
		free(diag);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_there_for_several_jurisdictions),
		cmocka_unit_test(a_handover_asks_until_it_is_answered),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
