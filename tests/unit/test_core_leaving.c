/* Somebody who has left the hub file leaves nothing behind for which nobody is responsible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"
#include "tests/unit/hub_text.h"

enum { MANY = 40 }; /* cases: more than one decision moves */

static void replace_all(char *text, const char *old, const char *same_length)
{
	assert_int_equal(strlen(old), strlen(same_length));
	for (char *at = strstr(text, old); at; at = strstr(at, old))
		memcpy(at, same_length, strlen(old));
}

/* The hub file that most tests use, with a town where the city was, and `extra` at its end. */
static char *hub_without_city(const char *extra)
{
	size_t bytes = strlen(trial_hub) + strlen(extra) + 1;
	char *hub = malloc(bytes);

	assert_non_null(hub);
	snprintf(hub, bytes, "%s%s", trial_hub, extra);
	replace_all(hub, "  city: {kind", "  town: {kind");
	replace_all(hub, "owner: city\n", "owner: town\n");
	replace_all(hub, "to: city\n", "to: town\n");
	return hub;
}

static char *hub_with_successor(void)
{
	return hub_without_city("left: {city: {to: carer, since: 2026-10-01}}\n");
}

struct place {
	struct trial w;
	uint64_t ps, city, boss, carer;
	uint8_t owned
		[CORE_ID_BYTES]; /* a case of the city's, opened by the message of the same id */
};

/* The city owns the case, and is asked in it. */
static void open_case(struct place *t, uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&t->w, &m, TYPE(MUTUAL_NOTIFICATION));
	message_open_case(&m);
	trial_submitted(&t->w, t->ps, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static void open_place(struct place *t)
{
	memset(t, 0, sizeof *t);
	trial_start(&t->w, trial_hub, NULL);
	t->ps = trial_connect(&t->w, "ps");
	t->city = trial_connect(&t->w, "city");
	t->boss = trial_connect(&t->w, "boss");
	t->carer = trial_connect(&t->w, "carer");
	open_case(t, t->owned);
}

/* Only what a reload leaves to do, one decision at a time; how many. */
static size_t move_on(struct place *t)
{
	size_t decisions = 0;

	for (;; decisions++) {
		core_decision_reset(&t->w.d);
		assert_int_equal(core_decide_due(t->w.core, t->w.policy, t->w.now, &t->w.d),
				 IEUM_E_OK);
		/* One that was restored on the way knows where it is. */
		core_decision_reset(&t->w.again);
		assert_int_equal(core_decide_due(t->w.mirror, t->w.policy, t->w.now, &t->w.again),
				 IEUM_E_OK);
		assert_int_equal(t->w.d.n_items, t->w.again.n_items);
		if (t->w.d.n_items == 0)
			return decisions;
		assert_true(decisions < 1000);
		assert_int_equal(trial_record(&t->w, IEUM_E_OK), IEUM_E_OK);
		trial_verify(&t->w);
	}
}

static enum ieum_err try_policy(struct place *t, const char *hub)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;

	yaml_diag_init(&diag);
	assert_int_equal(policy_parse("hub.yaml", hub, strlen(hub), &diag, &p), IEUM_E_OK);
	core_decision_reset(&t->w.d);
	enum ieum_err err = core_decide_policy(t->w.core, p, t->w.now, &t->w.d);
	memcpy(t->w.detail, t->w.d.detail, sizeof t->w.detail);
	policy_free(p);
	return err;
}

static void a_case_without_an_owner_refuses_the_hub_file(void **state)
{
	char *hub = hub_without_city("");
	struct place t;

	(void)state;
	open_place(&t);
	assert_int_equal(trial_answer(&t.w, t.city, t.owned, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(try_policy(&t, hub), IEUM_E_STATE_CONFLICT);
	assert_string_equal(t.w.detail,
			    "city owns 1 open cases and holds 1 open requests; hand them over or "
			    "name who takes its place: left: {city: {to: ...}}");
	free(hub);
	trial_stop(&t.w);
}

static void a_successor_with_a_conflict_of_interest_refuses_it_too(void **state)
{
	char *hub = hub_with_successor();
	struct message m;
	struct place t;

	(void)state;
	open_place(&t);
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.owned);
	message_exclude(&m, "carer");
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(try_policy(&t, hub), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(t.w.detail, "conflict of interest"));
	free(hub);
	trial_stop(&t.w);
}

static void the_successor_owns_answers_and_gets_what_was_on_its_way(void **state)
{
	char *hub = hub_with_successor();
	struct place t;

	(void)state;
	open_place(&t);
	int64_t due_at_ms = trial_referral(&t.w, t.ps, t.owned)->tasks[0]->due_at_ms;
	assert_int_equal(trial_counts(&t.w, "city").queued, 1);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_counts(&t.w, "city").queued, 0);
	assert_int_equal(trial_counts(&t.w, "city").withdrawn, 1);
	assert_string_equal(trial_case(&t.w, t.carer, t.owned)->summary->owner, "carer");
	const Ieum__V1__ReferralResult *r = trial_referral(&t.w, t.carer, t.owned);
	assert_true(r->tasks[0]->due_at_ms == due_at_ms);
	assert_int_equal(r->tasks[0]->state, TASK(REQUESTED));
	uint64_t id = trial_release_one(&t.w, t.carer);
	struct core_delivery d = { 0 };
	assert_true(id && core_delivery(t.w.core, id, &d));
	assert_int_equal(d.cause, CAUSE(FORWARDED));
	assert_memory_equal(d.message_id, t.owned, CORE_ID_BYTES);
	assert_int_equal(trial_answer(&t.w, t.carer, t.owned, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.carer, t.owned), TASK(RECEIVED));
	free(hub);
	trial_stop(&t.w);
}

/* What it had taken on, the clock stopped, is the successor's to complete. */
static void the_successor_holds_what_was_held(void **state)
{
	char *hub = hub_with_successor();
	struct place t;

	(void)state;
	open_place(&t);
	assert_int_equal(trial_answer(&t.w, t.city, t.owned, ANSWER(ACCEPT)), IEUM_E_OK);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_answer(&t.w, t.carer, t.owned, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.carer, t.owned), TASK(COMPLETED));
	free(hub);
	trial_stop(&t.w);
}

/* A request to the city in a case of the team's; nobody comes in its place. */
static void ask_city(struct place *t, uint8_t id[CORE_ID_BYTES], bool in_case)
{
	struct message m;

	message_new(&t->w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t->w, t->ps, &m);
	uint8_t case_id[CORE_ID_BYTES];
	memcpy(case_id, m.id, CORE_ID_BYTES);
	message_new(&t->w, &m, TYPE(INFORMATION_REQUEST));
	if (in_case)
		message_in_case(&m, case_id);
	message_to(&m, "city");
	trial_submitted(&t->w, t->ps, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

/* Where a request needs no case, and goes to the boss when nobody answers it. */
static char *loose_hub(void)
{
	char *hub = hub_text_changed(
		trial_hub, "types:\n",
		"types:\n  information_request: {needs_case: false, needs_basis: false}\n");

	replace_all(hub, "stops_at: completed\n    then: [{to: head,",
		    "stops_at: completed\n    then: [{to: boss,");
	return hub;
}

static void requests_without_a_successor_go_up_their_ladder(void **state, bool in_case, bool held)
{
	char *before = loose_hub();
	char *hub = hub_without_city("");
	uint8_t id[CORE_ID_BYTES];
	struct place t;

	(void)state;
	memset(&t, 0, sizeof t);
	trial_start(&t.w, before, NULL);
	t.ps = trial_connect(&t.w, "ps");
	t.city = trial_connect(&t.w, "city");
	t.boss = trial_connect(&t.w, "boss");
	ask_city(&t, id, in_case);
	if (held)
		assert_int_equal(trial_answer(&t.w, t.city, id, ANSWER(ACCEPT)), IEUM_E_OK);
	trial_reload(&t.w, hub);
	assert_int_equal(trial_counts(&t.w, "boss").routed, 0);
	(void)move_on(&t);
	assert_int_equal(trial_counts(&t.w, "boss").queued, 1);
	assert_int_equal(trial_task(&t.w, t.ps, id), TASK(REQUESTED));
	assert_true(trial_referral(&t.w, t.ps, id)->tasks[0]->due_at_ms > t.w.now / 1000);
	/* It waits for the boss, for nobody who is gone. */
	assert_string_equal(trial_referral(&t.w, t.ps, id)->tasks[0]->asked, "boss");
	assert_int_equal(trial_answer(&t.w, t.boss, id, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.ps, id), TASK(COMPLETED));
	free(before);
	free(hub);
	trial_stop(&t.w);
}

static void an_asked_one_in_a_case(void **state)
{
	requests_without_a_successor_go_up_their_ladder(state, true, false);
}

static void a_held_one_in_a_case(void **state)
{
	requests_without_a_successor_go_up_their_ladder(state, true, true);
}

static void an_asked_one_of_no_case(void **state)
{
	requests_without_a_successor_go_up_their_ladder(state, false, false);
}

/* The boss was asked too, but it was the city that took it on, and no clock runs any more. */
static void what_somebody_gone_holds_without_a_deadline_does_not_wait(void **state)
{
	char *before = loose_hub();
	char *hub = hub_without_city("");
	uint8_t id[CORE_ID_BYTES];
	struct place t;

	(void)state;
	memset(&t, 0, sizeof t);
	replace_all(before, "stops_at: completed", "stops_at: received ");
	trial_start(&t.w, before, NULL);
	t.ps = trial_connect(&t.w, "ps");
	t.city = trial_connect(&t.w, "city");
	ask_city(&t, id, true);
	(void)trial_at(&t.w, t.w.now + 3 * DAY_US);
	assert_int_equal(trial_answer(&t.w, t.city, id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_referral(&t.w, t.ps, id)->tasks[0]->due_at_ms, 0);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_task(&t.w, t.ps, id), TASK(FAILED));
	free(before);
	free(hub);
	trial_stop(&t.w);
}

/* The boss was asked too, and stays behind the city, which took it on: until it comes in its place. */
static void what_it_had_taken_on_of_no_case_is_the_successor_s(void **state)
{
	char *before = loose_hub();
	char *hub = hub_without_city("left: {city: {to: boss}}\n");
	uint8_t id[CORE_ID_BYTES];
	struct place t;

	(void)state;
	memset(&t, 0, sizeof t);
	replace_all(before, "stops_at: completed", "stops_at: received ");
	trial_start(&t.w, before, NULL);
	t.ps = trial_connect(&t.w, "ps");
	t.city = trial_connect(&t.w, "city");
	t.boss = trial_connect(&t.w, "boss");
	ask_city(&t, id, false);
	(void)trial_at(&t.w, t.w.now + 3 * DAY_US);
	assert_int_equal(trial_answer(&t.w, t.city, id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_answer(&t.w, t.boss, id, ANSWER(COMPLETE)), IEUM_E_STATE_CONFLICT);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_answer(&t.w, t.boss, id, ANSWER(COMPLETE)), IEUM_E_OK);
	free(before);
	free(hub);
	trial_stop(&t.w);
}

static void exclude(struct place *t, const uint8_t *case_id, const char *participant)
{
	struct message m;

	message_new(&t->w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, case_id);
	message_to(&m, "boss");
	message_exclude(&m, participant);
	trial_submitted(&t->w, t->ps, &m);
}

/* The city comes back; what it would get there still goes to who came in its place, as long as that
 * one may hear of it. */
static void in_the_place_of_a_successor_with_a_conflict_comes_the_owner(void **state)
{
	char *hub = hub_with_successor();
	struct message m;
	struct place t;

	(void)state;
	open_place(&t);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	trial_reload(&t.w, trial_hub);
	(void)move_on(&t);
	exclude(&t, t.owned, "carer");
	assert_string_equal(trial_case(&t.w, t.ps, t.owned)->summary->owner, "ps");
	uint64_t carer = trial_counts(&t.w, "carer").routed, ps = trial_counts(&t.w, "ps").routed;
	message_new(&t.w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, t.owned);
	message_to(&m, "city");
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_counts(&t.w, "carer").routed, carer);
	assert_int_equal(trial_counts(&t.w, "ps").routed, ps + 1);
	free(hub);
	trial_stop(&t.w);
}

/* The request has failed, so nobody has it in its place; and it is in the case only as one of a team
 * by now. */
static void who_comes_back_does_not_answer_what_it_was_asked_before(void **state)
{
	char *hub = hub_with_successor();
	char *back = hub_text_changed(trial_hub, "lead: [manager]}", "lead: [manager, city]}");
	uint8_t id[CORE_ID_BYTES];
	struct place t;

	(void)state;
	open_place(&t);
	ask_city(&t, id, true);
	for (int steps = 0; steps < 2; steps++)
		(void)trial_at(&t.w, t.w.now + 4 * DAY_US);
	assert_int_equal(trial_task(&t.w, t.ps, id), TASK(FAILED));
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	trial_reload(&t.w, back);
	(void)move_on(&t);
	assert_int_equal(trial_answer(&t.w, t.city, id, ANSWER(ACCEPT)), IEUM_E_NOT_ADDRESSED);
	free(hub);
	free(back);
	trial_stop(&t.w);
}

/* The case's team has another help and another lead now, neither of whom may hear of it. */
static void a_role_that_has_a_conflict_by_the_file_leaves_nothing_behind(void **state)
{
	char *help = hub_text_changed(trial_hub, "help: [manager, counsellor]", "help: [carer]");
	char *lead = hub_text_changed(trial_hub, "lead: [manager]}", "lead: [carer]}");
	struct message m;
	struct place t;

	(void)state;
	open_place(&t);
	message_new(&t.w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&t.w, t.ps, &m);
	uint8_t id[CORE_ID_BYTES];
	memcpy(id, m.id, CORE_ID_BYTES);
	exclude(&t, id, "carer");
	assert_int_equal(try_policy(&t, lead), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(t.w.detail, "team/lead owns 1 open cases"));
	uint64_t asked = trial_counts(&t.w, "team/lead").routed;
	trial_reload(&t.w, help);
	assert_int_equal(trial_counts(&t.w, "team/lead").routed, asked);
	(void)move_on(&t);
	assert_int_equal(trial_counts(&t.w, "team/lead").routed, asked + 1);
	free(help);
	free(lead);
	trial_stop(&t.w);
}

static void messages_of_no_case_go_to_the_successor(void **state)
{
	char *before = loose_hub();
	char *hub = hub_with_successor();
	uint8_t id[CORE_ID_BYTES];
	struct place t;

	(void)state;
	memset(&t, 0, sizeof t);
	trial_start(&t.w, before, NULL);
	t.ps = trial_connect(&t.w, "ps");
	t.carer = trial_connect(&t.w, "carer");
	ask_city(&t, id, false);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_counts(&t.w, "city").withdrawn, 1);
	assert_int_equal(trial_counts(&t.w, "carer").queued, 1);
	assert_int_equal(trial_answer(&t.w, t.carer, id, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_int_equal(trial_task(&t.w, t.ps, id), TASK(COMPLETED));
	free(before);
	free(hub);
	trial_stop(&t.w);
}

/* The city's case is closed, and nobody comes in the city's place. */
static void close_case(struct place *t)
{
	uint64_t manager = trial_connect(&t->w, "manager");
	struct message m;

	message_in_case(message_new(&t->w, &m, TYPE(CLOSURE_REQUEST)), t->owned);
	m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&t->w, t->city, &m);
	assert_int_equal(trial_answer(&t->w, manager, m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_case(&t->w, t->ps, t->owned)->summary->state, CASE(CLOSED));
}

static void a_closed_case_of_somebody_gone_is_taken_up_by_who_opens_it_again(void **state)
{
	char *hub = hub_without_city("");
	struct message m;
	struct place t;

	(void)state;
	open_place(&t);
	close_case(&t);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_string_equal(trial_case(&t.w, t.ps, t.owned)->summary->owner, "city");
	message_in_case(message_new(&t.w, &m, TYPE(RECURRENCE_ALERT)), t.owned);
	trial_submitted(&t.w, t.ps, &m);
	assert_int_equal(trial_case(&t.w, t.ps, t.owned)->summary->state, CASE(REOPENED));
	assert_string_equal(trial_case(&t.w, t.ps, t.owned)->summary->owner, "ps");
	free(hub);
	trial_stop(&t.w);
}

/* The city stays silent and leaves when its case is closed, and so does the one that asked. */
static void silence_in_a_closed_case_of_somebody_gone_is_told_nobody(void **state)
{
	char *hub = hub_without_city("");
	struct place t;

	(void)state;
	replace_all(hub, "  ps: {kind", "  sp: {kind");
	open_place(&t);
	for (int step = 0; step < 2; step++)
		(void)trial_at(&t.w, t.w.now + DAY_US);
	assert_int_equal(trial_task(&t.w, t.ps, t.owned), TASK(FAILED));
	close_case(&t);
	trial_reload(&t.w, hub);
	(void)move_on(&t);
	assert_int_equal(trial_answer(&t.w, t.boss, t.owned, ANSWER(NEED_MORE_TIME)), IEUM_E_OK);
	uint64_t routed = trial_counts(&t.w, "city").routed;
	(void)trial_at(&t.w, t.w.now + 11 * DAY_US);
	assert_int_equal(trial_task(&t.w, t.boss, t.owned), TASK(FAILED));
	assert_int_equal(trial_counts(&t.w, "city").routed, routed);
	free(hub);
	trial_stop(&t.w);
}

static void many_cases_go_in_slices_and_a_restart_between_them_loses_none(void **state)
{
	static uint8_t ids[MANY][CORE_ID_BYTES];
	char *hub = hub_with_successor();
	struct place t;

	(void)state;
	open_place(&t);
	for (int i = 0; i < MANY; i++)
		open_case(&t, ids[i]);
	trial_reload(&t.w, hub);
	core_decision_reset(&t.w.d);
	assert_int_equal(core_decide_due(t.w.core, t.w.policy, t.w.now, &t.w.d), IEUM_E_OK);
	assert_true(t.w.d.n_items > 1 && t.w.d.n_items < MANY);
	assert_int_equal(trial_record(&t.w, IEUM_E_OK), IEUM_E_OK);
	trial_verify(&t.w);
	trial_restart(&t.w);
	assert_true(core_next_due(t.w.core) <= t.w.now);
	assert_true(move_on(&t) > 2);
	t.carer = trial_connect(&t.w, "carer");
	for (int i = 0; i < MANY; i++)
		assert_string_equal(trial_case(&t.w, t.carer, ids[i])->summary->owner, "carer");
	assert_true(core_next_due(t.w.core) > t.w.now);
	free(hub);
	trial_stop(&t.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_without_an_owner_refuses_the_hub_file),
		cmocka_unit_test(a_successor_with_a_conflict_of_interest_refuses_it_too),
		cmocka_unit_test(the_successor_owns_answers_and_gets_what_was_on_its_way),
		cmocka_unit_test(the_successor_holds_what_was_held),
		cmocka_unit_test(an_asked_one_in_a_case),
		cmocka_unit_test(a_held_one_in_a_case),
		cmocka_unit_test(an_asked_one_of_no_case),
		cmocka_unit_test(what_somebody_gone_holds_without_a_deadline_does_not_wait),
		cmocka_unit_test(what_it_had_taken_on_of_no_case_is_the_successor_s),
		cmocka_unit_test(in_the_place_of_a_successor_with_a_conflict_comes_the_owner),
		cmocka_unit_test(who_comes_back_does_not_answer_what_it_was_asked_before),
		cmocka_unit_test(a_role_that_has_a_conflict_by_the_file_leaves_nothing_behind),
		cmocka_unit_test(messages_of_no_case_go_to_the_successor),
		cmocka_unit_test(a_closed_case_of_somebody_gone_is_taken_up_by_who_opens_it_again),
		cmocka_unit_test(silence_in_a_closed_case_of_somebody_gone_is_told_nobody),
		cmocka_unit_test(many_cases_go_in_slices_and_a_restart_between_them_loses_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
