/* broker/policy, gates, linkages and meetings in the hub file: each mistake at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/council.h"
#include "tests/unit/hub_text.h"

#define LINKED "    when: {type: linked_set_notice}\n    to: case_owner\n"

static const struct hub_text_mistake gates[] = {
	{ "    gate: identity\n", "    gate: identty\n", "identty", "did you mean 'identity'?" },
	{ "    gate: identity\n", "", "open_gate", "which gate? say it with 'gate'" },
	{ "    on_accept: open_gate\n", "", "identity\n    then",
	  "'gate' needs \"on_accept: open_gate\"" },
	{ "    needs_gate: identity\n", "    needs_gate: other\n", "other",
	  "unknown gate 'other'" },
	{ "    quorum: 2\n", "    quorum: 2\n    each: true\n", "2\n    each",
	  "'quorum' counts those who accept one" },
	{ "    quorum: 2\n", "    quorum: 17\n", "17", "16" },
	{ "    quorum: 2\n", "", "kind\n    one", "'quorum_of' needs 'quorum'" },
	/* Police, school and, at the end of the ladder, the office that also asks. */
	{ "    quorum: 2\n", "    quorum: 4\n", "4\n", "only 3 whom it asks" },
	{ "    to: [ps, ps-2, edu]\n", "    to: [ps, ps-2]\n", "2\n    quorum_of",
	  "rule 'who-is-it': 2 kinds have to accept, but only 1 whom it asks can do so when "
	  "'boss' sends it" },
	{ "    opens_gate: identity\n", "    opens_gate: nothing\n", "nothing", "gates" },
	{ "title: {en: ps, ko: 경}, head", "title: {en: ps, ko: 경}, agency: pss, head", "pss",
	  "unknown agency 'pss'" },
	{ "lasts: 7 d}", "lasts: 7 business days}", "7 business days", "" },
	{ "    needs_item_basis: true\n    to: body:council\n",
	  "    to: body:council\n    needs_item_basis: maybe\n", "maybe", "true or false" },
};

static const struct hub_text_mistake linkages[] = {
	{ "tells: convener:council", "tells: \"role:police\"", "\"role:police\"",
	  "is not one mailbox" },
	{ "tells: convener:council", "tells: case_owner", "case_owner", "is not one mailbox" },
	{ "    within: 90 d\n", "", "of: {type: risk_signal", "key 'within' is missing" },
	{ "    agencies: 2\n", "    agencies: 1\n", "1\n    within", "2" },
	{ LINKED, "    when: {type: linked_set_notice}\n    to: [case_owner, boss]\n",
	  "name: linked\n", "would tell others of a linked set" },
	{ LINKED, "    when: {category: child_neglect}\n    to: boss\n", "name: linked\n",
	  "would tell others of a linked set" },
	{ "    within: 90 d\n", "    within: 90 d\n    widow: 3\n", "widow", "unknown key" },
	{ "    gate: identity # until it is open\n", "", "true\n    may_say", "until which gate" },
	{ "    gate: identity # until", "    gate: identty # until", "identty",
	  "did you mean 'identity'?" },
	{ "[제11조, ", "[제11조, 제11조, ", "제11조, to visit", "in this list twice" },
};

static const struct hub_text_mistake meetings[] = {
	{ "    then: [{to: head, within: 1 month}]\n", "    then: [{to: head}]\n", "{to: head}]",
	  "say how long this step lasts" },
};

static void a_gate_is_opened_by_a_request(void **state)
{
	(void)state;
	HUB_TEXT_CHECK_ALL(council_hub, gates);
}

static void one_mailbox_learns_of_a_set(void **state)
{
	(void)state;
	HUB_TEXT_CHECK_ALL(council_hub, linkages);
}

static void actions_have_a_ladder_with_an_end(void **state)
{
	(void)state;
	HUB_TEXT_CHECK_ALL(council_hub, meetings);
}

static void what_the_file_says_is_there(void **state)
{
	struct policy *p = hub_text_parsed(council_hub);
	const struct policy_linkage *l = policy_linkage(p, 0);
	struct policy_step steps[POLICY_STEPS_MAX];

	(void)state;
	assert_int_equal(policy_gates(p), 1);
	assert_string_equal(policy_gate(p, 0)->name, "identity");
	assert_true(policy_gate(p, 0)->lasts_ms == INT64_C(7) * 24 * 60 * 60 * 1000);
	assert_int_equal(policy_find_gate(p, "x"), POLICY_NONE);
	assert_null(policy_gate(p, 1));
	assert_string_equal(l->name, "children");
	assert_int_equal(l->tokens_agree, 2);
	assert_string_equal(l->tells, "convener:council");
	assert_null(policy_linkage(p, 1));
	/* Rule 10, the minutes. */
	assert_int_equal(policy_ladder(p, 10, 1000, steps), 1);
	assert_string_equal(steps[0].to, "head");
	policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gate_is_opened_by_a_request),
		cmocka_unit_test(one_mailbox_learns_of_a_set),
		cmocka_unit_test(actions_have_a_ladder_with_an_end),
		cmocka_unit_test(what_the_file_says_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
