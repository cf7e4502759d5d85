/* broker/core, gates: closed until enough have approved, and who is asked when one opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/signals.h"
#include "tests/unit/council.h"
#include "tests/unit/hub_text.h"

struct linked {
	uint8_t case_id[CORE_ID_BYTES];
	uint8_t signal[CORE_ID_BYTES]; /* the school's */
	uint8_t asked[CORE_ID_BYTES];  /* the identity request */
};

static void link_signals(struct council *c, struct linked *l)
{
	council_signal(c, 1, 2);
	trial_submitted(&c->w, c->edu, &c->m);
	memcpy(l->signal, c->m.id, CORE_ID_BYTES);
	council_signal(c, 1, 2);
	trial_submitted(&c->w, c->ps, &c->m);
	council_linked_case(c, l->case_id);
}

static void ask_identity(struct council *c, struct linked *l)
{
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), l->case_id);
	c->m.identity.purpose = (char *)"to visit the child";
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(l->asked, c->m.id, CORE_ID_BYTES);
}

static bool is_open(struct council *c, const struct linked *l)
{
	const Ieum__V1__CaseResult *k = trial_case(&c->w, c->city, l->case_id);

	assert_non_null(k);
	return k->n_gates == 1 && strcmp(k->gates[0]->name, "identity") == 0;
}

static void one_approver_is_not_enough(void **state)
{
	struct council *c = *state;
	struct linked l;
	struct core_delivery d;

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_false(is_open(c, &l));
	assert_int_equal(trial_task(&c->w, c->city, l.asked), TASK(RECEIVED));
	const Ieum__V1__ReferralResult *r = trial_referral(&c->w, c->city, l.asked);
	assert_int_equal(r->tasks[0]->quorum, 2);
	assert_int_equal(r->tasks[0]->n_accepted_by, 1);
	assert_string_equal(r->tasks[0]->accepted_by[0], "ps");
	trial_verify(&c->w);
	/* Nobody was asked whom it is about. */
	assert_false(council_takes(c, c->edu, TYPE(IDENTITY_DISCLOSURE), &d));
}

static void the_second_opens_it(void **state)
{
	struct council *c = *state;
	struct linked l;
	uint64_t before;

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	before = council_routed(c, "edu");
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
	assert_int_equal(trial_task(&c->w, c->city, l.asked), TASK(COMPLETED));
	/* Both senders are asked by the hub, and have joined. */
	assert_int_equal(council_routed(c, "edu"), before + 1);
	assert_non_null(trial_case(&c->w, c->edu, l.case_id));
	trial_verify(&c->w);
	c->w.now += 7 * DAY_US;
	assert_false(is_open(c, &l));
}

static void approvers_differ(void **state)
{
	struct council *c = *state;
	struct linked l;
	uint64_t ps_2 = trial_connect(&c->w, "ps-2");

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)),
			 IEUM_E_STATE_CONFLICT);
	/* Another police station is no other kind of agency. */
	assert_int_equal(trial_answer(&c->w, ps_2, l.asked, ANSWER(ACCEPT)), IEUM_E_STATE_CONFLICT);
	/* Nobody takes it on alone. */
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(IN_PROGRESS)),
			 IEUM_E_STATE_CONFLICT);
	/* Nor does anybody who was not asked. */
	assert_int_not_equal(trial_answer(&c->w, c->city, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_false(is_open(c, &l));
}

/* Without a word of kinds one participant still counts once. */
static void nobody_approves_twice(void **state)
{
	struct council *c = *state;
	char *hub = hub_text_changed(council_hub, "    quorum_of: kind\n", "");
	struct linked l;

	trial_reload(&c->w, hub);
	free(hub);
	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)),
			 IEUM_E_STATE_CONFLICT);
	assert_false(is_open(c, &l));
	uint64_t ps_2 = trial_connect(&c->w, "ps-2");
	assert_int_equal(trial_answer(&c->w, ps_2, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
}

static void a_rejection_ends_it(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(REJECT)), IEUM_E_OK);
	assert_int_equal(trial_task(&c->w, c->city, l.asked), TASK(REJECTED));
	assert_false(is_open(c, &l));
	trial_verify(&c->w);
}

static void play_by(struct council *c, const char *old, const char *replaced)
{
	char *hub = hub_text_changed(council_hub, old, replaced);

	trial_reload(&c->w, hub);
	free(hub);
}

/* What was accepted and then rejected is no approval. */
static void who_thinks_again_no_longer_approves(void **state)
{
	struct council *c = *state;
	struct linked l;

	play_by(c, "    one_rejection_ends: true\n", "");
	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(REJECT)), IEUM_E_OK);
	trial_verify(&c->w);
	assert_int_equal(trial_referral(&c->w, c->city, l.asked)->tasks[0]->n_accepted_by, 0);
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_false(is_open(c, &l));
	uint64_t ps_2 = trial_connect(&c->w, "ps-2");
	assert_int_equal(trial_answer(&c->w, ps_2, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
	trial_verify(&c->w);
}

/* Nor is what somebody accepted who turns out to have a conflict of interest. */
static void the_excluded_no_longer_approve(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	message_in_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)), l.case_id);
	c->m.request.purpose = (char *)"category only";
	message_exclude(&c->m, "ps");
	trial_submitted(&c->w, c->city, &c->m);
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_false(is_open(c, &l));
	trial_verify(&c->w);
	/* One of its kind stands in. */
	uint64_t ps_2 = trial_connect(&c->w, "ps-2");
	assert_int_equal(trial_answer(&c->w, ps_2, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
	trial_verify(&c->w);
}

/* Two rules open the same gate: it opens once, and the senders are asked once. */
static void two_rules_open_it_once(void **state)
{
	struct council *c = *state;
	struct linked l;

	play_by(c, "  - name: asked-by-the-hub\n",
		"  - name: break-glass-too\n"
		"    when: {type: identity_request, break_glass: true}\n"
		"    to: boss\n"
		"    opens_gate: identity\n"
		"  - name: asked-by-the-hub\n");
	link_signals(c, &l);
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), l.case_id);
	c->m.identity.purpose = (char *)"a child is in danger now";
	c->m.identity.break_glass = true;
	c->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	trial_submitted(&c->w, c->city, &c->m);
	assert_true(is_open(c, &l));
	assert_int_equal(council_routed(c, "edu"), 1);
	trial_verify(&c->w);
}

static void an_approval_needs_a_basis(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), l.case_id);
	c->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL;
	council_refused(c, c->city, IEUM_E_LEGAL_BASIS_MISSING);
}

static void silence_goes_up_the_ladder(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	(void)trial_at(&c->w, c->w.now + DAY_US + 1000);
	assert_int_equal(trial_answer(&c->w, c->boss, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
}

static void break_glass_opens_at_once(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), l.case_id);
	c->m.identity.purpose = (char *)"a child is in danger now";
	c->m.identity.break_glass = true;
	council_refused(c, c->city, IEUM_E_LEGAL_BASIS_MISSING);
	c->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	trial_submitted(&c->w, c->city, &c->m);
	assert_true(is_open(c, &l));
	assert_int_equal(council_routed(c, "boss"), 1);
	assert_int_equal(council_routed(c, "edu"), 1);
	assert_int_equal(council_routed(c, "ps"), 1);
	trial_verify(&c->w);
	/* Open already: nobody is asked twice. */
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), l.case_id);
	c->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	c->m.identity.break_glass = true;
	trial_submitted(&c->w, c->city, &c->m);
	assert_int_equal(council_routed(c, "edu"), 1);
}

/* As many senders as a linked set can have. */
static void every_sender_is_asked(void **state)
{
	enum { SENDERS = SIGNALS_PER_SET_MAX };
	struct council *c = *state;
	char line[80];
	char *extras = NULL;
	size_t extras_bytes;
	FILE *f = open_memstream(&extras, &extras_bytes);
	struct linked l;

	assert_non_null(f);
	fputs("participants:\n", f);
	for (int i = 0; i < SENDERS; i++)
		fprintf(f, "  s-%03d: {kind: school, title: {en: s, ko: 학}}\n", i);
	assert_int_equal(fclose(f), 0);
	char *hub = hub_text_changed(council_hub, "participants:\n", extras);
	trial_reload(&c->w, hub);
	free(hub);
	free(extras);
	for (int i = 0; i < SENDERS; i++) {
		snprintf(line, sizeof line, "s-%03d", i);
		uint64_t who = trial_connect(&c->w, line);
		council_signal(c, 1, 2);
		trial_submitted(&c->w, who, &c->m);
		trial_disconnect(&c->w, who);
	}
	council_linked_case(c, l.case_id);
	ask_identity(c, &l);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(is_open(c, &l));
	for (int i = 0; i < SENDERS; i++) {
		snprintf(line, sizeof line, "s-%03d", i);
		assert_int_equal(council_routed(c, line), 1);
	}
	/* Their requests leave room for others. */
	ask_identity(c, &l);
	trial_verify(&c->w);
}

static struct message *disclose(struct council *c, const struct linked *l, ProtobufCBinaryData *id)
{
	message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_DISCLOSURE)), l->case_id);
	*id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)l->signal };
	c->m.disclosure.signal_ids = id;
	c->m.disclosure.n_signal_ids = 1;
	return &c->m;
}

static void a_name_goes_through_an_open_gate_only(void **state)
{
	struct council *c = *state;
	struct linked l;
	struct core_delivery d;
	ProtobufCBinaryData id;

	link_signals(c, &l);
	ask_identity(c, &l);
	/* The school is a member by now, for it is asked to approve. */
	(void)disclose(c, &l, &id);
	council_refused(c, c->edu, IEUM_E_GATE_CLOSED);
	assert_int_equal(trial_answer(&c->w, c->ps, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&c->w, c->edu, l.asked, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(council_takes(c, c->edu, TYPE(IDENTITY_REQUEST), &d));
	/* Not another's signal. */
	(void)disclose(c, &l, &id);
	council_refused(c, c->ps, IEUM_E_FIELD_INVALID);
	(void)disclose(c, &l, &id);
	message_reply(&c->m, d.message_id);
	trial_submitted(&c->w, c->edu, &c->m);
	assert_int_equal(trial_task(&c->w, c->edu, d.message_id), TASK(COMPLETED));
	c->w.now += 8 * DAY_US;
	(void)disclose(c, &l, &id);
	council_refused(c, c->edu, IEUM_E_GATE_CLOSED);
}

/* Whatever the type, no text but those that the linkage lists. */
static void nothing_names_anybody_before(void **state)
{
	struct council *c = *state;
	struct linked l;

	link_signals(c, &l);
	message_in_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)), l.case_id);
	c->m.request.purpose = (char *)"is Kim Minjun safe";
	council_refused(c, c->city, IEUM_E_GATE_CLOSED);
	assert_non_null(strstr(c->w.detail, "information_request.purpose"));
	c->m.request.purpose = (char *)"category only";
	c->m.basis.article = (char *)"Kim Minjun";
	council_refused(c, c->city, IEUM_E_GATE_CLOSED);
	assert_non_null(strstr(c->w.detail, "legal_basis.article"));
	c->m.basis.article = (char *)"제11조";
	c->m.request.round = (char *)"2026-13x";
	council_refused(c, c->city, IEUM_E_GATE_CLOSED);
	c->m.request.round = (char *)"2026-03";
	trial_submitted(&c->w, c->city, &c->m);
}

static void a_round_on_a_set_names_nobody(void **state)
{
	struct council *c = *state;
	Ieum__V1__ExternalRef ref = IEUM__V1__EXTERNAL_REF__INIT;
	Ieum__V1__ExternalRef *refs[] = { &ref };
	struct linked l;

	link_signals(c, &l);
	message_in_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)), l.case_id);
	c->m.request.purpose = (char *)"category only";
	c->m.envelope.external_refs = refs;
	c->m.envelope.n_external_refs = 1;
	council_refused(c, c->city, IEUM_E_GATE_CLOSED);
	c->m.envelope.n_external_refs = 0;
	trial_submitted(&c->w, c->city, &c->m);
}

static void each_item_has_its_basis(void **state)
{
	struct council *c = *state;
	char *items[] = { (char *)"attendance", (char *)"dispatches" };
	Ieum__V1__ItemBasis basis[2] = { IEUM__V1__ITEM_BASIS__INIT, IEUM__V1__ITEM_BASIS__INIT };
	Ieum__V1__ItemBasis *bases[] = { &basis[0], &basis[1] };

	message_open_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)));
	c->m.request.purpose = (char *)"monthly meeting";
	c->m.request.items = items;
	c->m.request.n_items = 2;
	c->m.request.item_bases = bases;
	c->m.request.n_item_bases = 1;
	basis[0].item = items[0];
	basis[1].item = items[1];
	council_refused(c, c->city, IEUM_E_LEGAL_BASIS_MISSING);
	c->m.request.n_item_bases = 2;
	trial_submitted(&c->w, c->city, &c->m);
	/* How each member has answered shows in the request. */
	assert_int_equal(trial_answer(&c->w, c->edu, c->m.id, ANSWER(NEED_MORE_TIME)), IEUM_E_OK);
	const Ieum__V1__ReferralResult *r = trial_referral(&c->w, c->city, c->m.id);
	int more_time = 0;
	for (size_t i = 0; i < r->n_tasks; i++)
		more_time += strcmp(r->tasks[i]->asked_first, "edu") == 0 &&
			     r->tasks[i]->answer == ANSWER(NEED_MORE_TIME);
	assert_int_equal(more_time, 1);
	trial_verify(&c->w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, council_start, council_stop)
		T(one_approver_is_not_enough),
		T(the_second_opens_it),
		T(approvers_differ),
		T(nobody_approves_twice),
		T(a_rejection_ends_it),
		T(nothing_names_anybody_before),
		T(who_thinks_again_no_longer_approves),
		T(the_excluded_no_longer_approve),
		T(two_rules_open_it_once),
		T(an_approval_needs_a_basis),
		T(silence_goes_up_the_ladder),
		T(break_glass_opens_at_once),
		T(every_sender_is_asked),
		T(a_name_goes_through_an_open_gate_only),
		T(a_round_on_a_set_names_nobody),
		T(each_item_has_its_basis),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
