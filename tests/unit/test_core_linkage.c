/* broker/core, blind signals: which make a set, and that the convener alone learns of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/signals.h"
#include "tests/unit/council.h"

static void send(struct council *c, uint64_t who)
{
	trial_submitted(&c->w, who, &c->m);
	trial_verify(&c->w);
}

static void two_agencies_are_a_set(void **state)
{
	struct council *c = *state;
	uint8_t case_id[CORE_ID_BYTES];

	council_signal(c, 1, 3);
	send(c, c->edu);
	assert_int_equal(council_routed(c, "city"), 0);
	c->w.now += 80 * DAY_US;
	council_signal(c, 1, 3);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 1);
	council_linked_case(c, case_id);
	const Ieum__V1__CaseResult *k = trial_case(&c->w, c->city, case_id);
	assert_non_null(k);
	assert_int_equal(k->n_participants, 1);
	assert_string_equal(k->participants[0], "city");
	assert_int_equal(k->summary->state, CASE(INVESTIGATING));
}

static void the_convener_alone_learns_of_it(void **state)
{
	struct council *c = *state;
	uint8_t case_id[CORE_ID_BYTES];
	const uint64_t others[] = { c->edu, c->ps, c->cpa, c->boss };

	council_signal(c, 1, 2);
	send(c, c->edu);
	council_signal(c, 1, 2);
	send(c, c->ps);
	/* A receipt of a linked signal looks like every other: no case. */
	assert_false(c->w.d.has_case);
	council_linked_case(c, case_id);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		uint64_t ids[4];
		assert_null(trial_case(&c->w, others[i], case_id));
		assert_string_equal(c->w.detail, "query.case.case_id");
		assert_int_equal(trial_release(&c->w, others[i], 4, ids), 0);
		message_in_case(message_new(&c->w, &c->m, TYPE(IDENTITY_REQUEST)), case_id);
		council_refused(c, others[i], IEUM_E_CASE_UNKNOWN);
	}
}

/* Who is asked something in the case sees what it got, and not when, how and by what it came to be. */
static void who_is_asked_sees_no_more(void **state)
{
	struct council *c = *state;
	uint8_t case_id[CORE_ID_BYTES];
	uint8_t round[CORE_ID_BYTES];

	council_signal(c, 1, 2);
	send(c, c->edu);
	council_signal(c, 1, 2);
	send(c, c->ps);
	council_linked_case(c, case_id);
	/* The time of the second signal is not in the case's id. */
	assert_memory_not_equal(case_id, c->m.id, 6);
	message_in_case(message_new(&c->w, &c->m, TYPE(INFORMATION_REQUEST)), case_id);
	c->m.request.purpose = (char *)"category only";
	trial_submitted(&c->w, c->city, &c->m);
	memcpy(round, c->m.id, sizeof round);
	const Ieum__V1__CaseResult *k = trial_case(&c->w, c->edu, case_id);
	assert_non_null(k);
	assert_int_equal(k->summary->opened_at_ms, 0);
	assert_int_equal(k->summary->last_at_ms, 0);
	assert_int_equal(k->n_clocks, 0);
	for (size_t i = 0; i < k->n_timeline; i++)
		assert_memory_equal(k->timeline[i]->message_id.data, round, CORE_ID_BYTES);
	assert_null(trial_referral(&c->w, c->edu, case_id));
	k = trial_case(&c->w, c->city, case_id);
	assert_int_not_equal(k->summary->opened_at_ms, 0);
	assert_int_equal(k->timeline[0]->type, TYPE(LINKED_SET_NOTICE));
}

static void a_further_signal_is_a_further_notice(void **state)
{
	struct council *c = *state;
	uint8_t first[CORE_ID_BYTES];
	uint8_t again[CORE_ID_BYTES];

	council_signal(c, 1, 2);
	send(c, c->edu);
	council_signal(c, 1, 2);
	send(c, c->ps);
	council_linked_case(c, first);
	/* Longer after than two signals may lie apart, but the set lasts. */
	c->w.now += 200 * DAY_US;
	council_signal(c, 1, 2);
	send(c, c->edu);
	council_linked_case(c, again);
	assert_memory_equal(first, again, CORE_ID_BYTES);
	/* After its end the child is as new. */
	c->w.now += 200 * DAY_US;
	council_signal(c, 1, 2);
	send(c, c->edu);
	assert_int_equal(council_routed(c, "city"), 2);
}

static void outside_the_window_nothing_links(void **state)
{
	struct council *c = *state;

	council_signal(c, 1, 3);
	send(c, c->edu);
	c->w.now += 91 * DAY_US;
	council_signal(c, 1, 3);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 0);
}

static void the_same_agency_twice_does_not_link(void **state)
{
	struct council *c = *state;

	for (int i = 0; i < 3; i++) {
		council_signal(c, 1, 3);
		send(c, c->edu);
	}
	assert_int_equal(council_routed(c, "city"), 0);
}

static void one_kind_of_token_is_not_enough(void **state)
{
	struct council *c = *state;

	council_signal(c, 1, 3);
	send(c, c->edu);
	council_signal(c, 2, 3);
	council_other_token(c, 1, 1);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 0);
	council_signal(c, 2, 3);
	council_other_token(c, 1, 1);
	council_other_token(c, 2, 1);
	send(c, c->cpa);
	/* Two kinds with the school's, one with the police's own. */
	assert_int_equal(council_routed(c, "city"), 1);
}

/* a–b and b–c agree: a and c are of one set by b. */
static void sets_unite(void **state)
{
	struct council *c = *state;
	uint8_t case_id[CORE_ID_BYTES];

	council_signal(c, 1, 4);
	council_other_token(c, 3, 7);
	council_other_token(c, 4, 7);
	send(c, c->edu);
	council_signal(c, 2, 4);
	council_other_token(c, 1, 8);
	council_other_token(c, 2, 8);
	send(c, c->edu);
	assert_int_equal(council_routed(c, "city"), 0);
	council_signal(c, 1, 4);
	council_other_token(c, 3, 2);
	council_other_token(c, 4, 2);
	send(c, c->ps);
	council_linked_case(c, case_id);
	assert_int_equal(council_routed(c, "city"), 1);
}

/* Two sets that are cases already turn out to be of one child. */
static void known_sets_unite(void **state)
{
	struct council *c = *state;
	uint8_t older[CORE_ID_BYTES] = { 0 };
	uint8_t newer[CORE_ID_BYTES] = { 0 };
	uint8_t united[CORE_ID_BYTES];

	for (int subject = 1; subject <= 2; subject++) {
		council_signal(c, subject, 4);
		send(c, c->edu);
		council_signal(c, subject, 4);
		send(c, c->ps);
		council_linked_case(c, subject == 1 ? older : newer);
	}
	council_signal(c, 1, 4);
	council_other_token(c, 3, 2);
	council_other_token(c, 4, 2);
	send(c, c->cpa);
	council_linked_case(c, united);
	assert_memory_equal(united, older, CORE_ID_BYTES);
	const Ieum__V1__CaseResult *k = trial_case(&c->w, c->city, older);
	assert_int_equal(k->n_links, 1);
	assert_memory_equal(k->links[0]->case_id.data, newer, CORE_ID_BYTES);
}

static void a_closed_case_takes_no_more(void **state)
{
	struct council *c = *state;
	uint8_t first[CORE_ID_BYTES];
	uint8_t second[CORE_ID_BYTES];

	council_signal(c, 1, 2);
	send(c, c->edu);
	council_signal(c, 1, 2);
	send(c, c->ps);
	council_linked_case(c, first);
	message_in_case(message_new(&c->w, &c->m, TYPE(CLOSURE_REQUEST)), first);
	c->m.closure.reason = REASON(GOALS_MET);
	send(c, c->city);
	assert_int_equal(trial_answer(&c->w, c->boss, c->m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	council_signal(c, 1, 2);
	send(c, c->edu);
	council_signal(c, 1, 2);
	send(c, c->ps);
	council_linked_case(c, second);
	assert_memory_not_equal(first, second, CORE_ID_BYTES);
}

static void tokens_are_checked(void **state)
{
	struct council *c = *state;

	council_signal(c, 1, 0);
	council_refused(c, c->edu, IEUM_E_FIELD_MISSING);
	council_signal(c, 1, 2);
	c->list[1].len = 33;
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
	council_signal(c, 1, 2);
	c->tokens[1][0] = 16;
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
	council_signal(c, 1, 2);
	c->tokens[1][1] = 0;
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
}

/* A signal that nobody gets has nothing in it that somebody could read one day. */
static void a_blind_signal_names_nobody(void **state)
{
	struct council *c = *state;
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT;
	Ieum__V1__NarrativePart *parts[] = { &part };
	Ieum__V1__ExternalRef ref = IEUM__V1__EXTERNAL_REF__INIT;
	Ieum__V1__ExternalRef *refs[] = { &ref };
	uint8_t child[CORE_ID_BYTES];

	message_open_case(message_new(&c->w, &c->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&c->w, c->edu, &c->m);
	memcpy(child, c->m.id, sizeof child);
	council_signal(c, 1, 2);
	c->m.referral.narrative = parts;
	c->m.referral.n_narrative = 1;
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
	council_signal(c, 1, 2);
	c->m.envelope.external_refs = refs;
	c->m.envelope.n_external_refs = 1;
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
	council_signal(c, 1, 2);
	message_in_case(&c->m, child);
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
	council_signal(c, 1, 2);
	message_open_case(&c->m);
	council_refused(c, c->edu, IEUM_E_FIELD_INVALID);
}

/* The same kind under two keys says the same thing twice. */
static void two_epochs_are_one_kind(void **state)
{
	struct council *c = *state;

	for (int sender = 0; sender < 2; sender++) {
		council_signal(c, 1, 2);
		memcpy(c->tokens[1], c->tokens[0], sizeof c->tokens[1]);
		c->tokens[1][1] = 2;
		send(c, sender ? c->ps : c->edu);
	}
	assert_int_equal(council_routed(c, "city"), 0);
}

/* A flood by one agency pushes out its own signals, not another's: each of them shares one token
 * with the school's, some the first and some the second, and nothing else with anyone. */
static void a_flood_hides_nothing(void **state)
{
	struct council *c = *state;

	council_signal(c, 1, 2);
	trial_submitted(&c->w, c->edu, &c->m);
	for (int i = 0; i < 2 * SIGNALS_PER_TAG_MAX + 20; i++) {
		council_signal(c, 1, 2);
		council_other_token(c, 1 + i % 2, 100);
		c->tokens[i % 2][9] = (uint8_t)i;
		trial_submitted(&c->w, c->cpa, &c->m);
	}
	trial_verify(&c->w);
	council_signal(c, 1, 2);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 1);
}

/* However much one agency sends, there is room for what others see. */
static void nobody_fills_the_hub_alone(void **state)
{
	struct council *c = *state;

	for (int i = 0; i <= CORE_SIGNALS_PER_SENDER_MAX; i++) {
		council_signal(c, 1, 2);
		memcpy(&c->tokens[0][9], &i, sizeof i);
		memcpy(&c->tokens[1][9], &i, sizeof i);
		enum ieum_err err = trial_submit(&c->w, c->edu, &c->m);
		assert_int_equal(err,
				 i < CORE_SIGNALS_PER_SENDER_MAX ? IEUM_E_OK : IEUM_E_SENDER_FULL);
	}
	council_signal(c, 2, 2);
	send(c, c->ps);
	/* What is over makes room. */
	c->w.now += 400 * DAY_US;
	council_signal(c, 3, 2);
	send(c, c->edu);
}

/* A set grows to its limit and stays there; what it knew first leaves it. */
static void a_set_is_bounded(void **state)
{
	struct council *c = *state;

	for (int i = 0; i < 300; i++) {
		c->w.now += HOUR_US;
		council_signal(c, 1, 2);
		trial_submitted(&c->w, c->edu, &c->m);
	}
	trial_verify(&c->w);
	council_signal(c, 1, 2);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 1);
}

/* Many sets end at one moment: every state drops the same ones, in whatever order its records lie. */
static void ended_sets_are_dropped(void **state)
{
	struct council *c = *state;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 12; i++) {
			council_signal(c, 20 * round + i, 2);
			send(c, c->edu);
		}
		c->w.now += 100 * DAY_US;
	}
}

static void signals_are_kept_over_a_reload(void **state)
{
	struct council *c = *state;

	council_signal(c, 1, 2);
	send(c, c->edu);
	trial_restart(&c->w);
	trial_reload(&c->w, council_hub);
	c->ps = trial_connect(&c->w, "ps");
	council_signal(c, 1, 2);
	send(c, c->ps);
	assert_int_equal(council_routed(c, "city"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, council_start, council_stop)
		T(two_agencies_are_a_set),
		T(the_convener_alone_learns_of_it),
		T(a_further_signal_is_a_further_notice),
		T(outside_the_window_nothing_links),
		T(the_same_agency_twice_does_not_link),
		T(one_kind_of_token_is_not_enough),
		T(sets_unite),
		T(known_sets_unite),
		T(a_closed_case_takes_no_more),
		T(tokens_are_checked),
		T(a_blind_signal_names_nobody),
		T(two_epochs_are_one_kind),
		T(who_is_asked_sees_no_more),
		T(a_flood_hides_nothing),
		T(nobody_fills_the_hub_alone),
		T(a_set_is_bounded),
		T(ended_sets_are_dropped),
		T(signals_are_kept_over_a_reload),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
