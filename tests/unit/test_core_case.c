/* broker/core, cases: who may answer what, clocks and ladders, outcomes, closing and what comes
 * after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/open_case.h"

static void refer(struct open_case *f, const char *domain)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)domain;
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
}

static void answers(struct open_case *f, uint64_t who, Ieum__V1__AnswerKind kind,
		    enum ieum_err want)
{
	enum ieum_err err = trial_answer(&f->w, who, f->id, kind);

	if (err != want)
		fail_msg("%s instead of %s: %s", ieum_error((int)err)->name,
			 ieum_error((int)want)->name, f->w.detail);
}

static void task_is(struct open_case *f, Ieum__V1__TaskState state, int64_t due_in_us)
{
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, f->id);

	assert_non_null(r);
	assert_int_equal(r->tasks[0]->state, state);
	if (due_in_us == 0)
		assert_int_equal(r->tasks[0]->due_at_ms, 0);
	else
		assert_int_equal(r->tasks[0]->due_at_ms, (f->w.now + due_in_us) / 1000);
}

/* The report's own clock shall not run in between. */
static void acknowledge(struct open_case *f)
{
	assert_int_equal(trial_answer(&f->w, f->counsellor, f->case_id, ANSWER(RECEIVED)),
			 IEUM_E_OK);
}

/* Someone outside of the case must be in it to ask. */
static void bring_in_boss(struct open_case *f)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "boss");
	trial_submitted(&f->w, f->ps, &f->m);
}

static size_t drain(struct open_case *f, uint64_t who)
{
	uint64_t ids[64];
	size_t n = trial_release(&f->w, who, 64, ids);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(trial_done(&f->w, who, ids[i]), IEUM_E_OK);
	return n;
}

static Ieum__V1__DeliveryCause last_cause(struct open_case *f, uint64_t who)
{
	uint64_t ids[64];
	size_t n = trial_release(&f->w, who, 64, ids);
	struct core_delivery d;

	assert_true(n > 0);
	assert_true(core_delivery(f->w.core, ids[n - 1], &d));
	return d.cause;
}

static void only_who_is_asked_may_answer(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	answers(f, f->counsellor, ANSWER(ACCEPT), IEUM_E_NOT_ADDRESSED);
	answers(f, f->aid_2, ANSWER(ACCEPT), IEUM_E_REFERRAL_UNKNOWN);
	answers(f, f->manager, ANSWER(ACCEPT), IEUM_E_NOT_ADDRESSED);
	answers(f, f->aid_1, ANSWER(CANCEL), IEUM_E_NOT_ADDRESSED);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	task_is(f, TASK(ACCEPTED), 0);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_STATE_CONFLICT);
	answers(f, f->aid_1, ANSWER(REJECT), IEUM_E_STATE_CONFLICT);
	answers(f, f->aid_1, ANSWER(COMPLETE), IEUM_E_OK);
	task_is(f, TASK(COMPLETED), 0);
	answers(f, f->aid_1, ANSWER(IN_PROGRESS), IEUM_E_STATE_CONFLICT);
}

static void an_answer_comes_back_to_the_referrer(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	(void)drain(f, f->manager);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	assert_int_equal(last_cause(f, f->manager), CAUSE(ANSWER));
}

static void an_answer_needs_its_reason(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	message_reply(message_new(&f->w, &f->m, TYPE(ANSWER)), f->id);
	f->m.answer.kind = ANSWER(REJECT);
	assert_int_equal(trial_submit(&f->w, f->aid_1, &f->m), IEUM_E_REASON_MISSING);
	message_new(&f->w, &f->m, TYPE(ANSWER));
	f->m.answer.kind = ANSWER(ACCEPT);
	assert_int_equal(trial_submit(&f->w, f->aid_1, &f->m), IEUM_E_FIELD_MISSING);
	message_reply(message_new(&f->w, &f->m, TYPE(ANSWER)), f->id);
	assert_int_equal(trial_submit(&f->w, f->aid_1, &f->m), IEUM_E_FIELD_MISSING);
}

static void only_the_recipient_s_received_stops_the_acknowledgement_clock(void **state)
{
	struct open_case *f = *state;

	memcpy(f->id, f->case_id, CORE_ID_BYTES);
	task_is(f, TASK(REQUESTED), 4 * HOUR_US);
	/* Released and settled is not received. */
	assert_true(drain(f, f->counsellor) > 0);
	task_is(f, TASK(REQUESTED), 4 * HOUR_US);
	answers(f, f->counsellor, ANSWER(RECEIVED), IEUM_E_OK);
	task_is(f, TASK(RECEIVED), 0);
	assert_int_equal(trial_at(&f->w, f->w.now + 3 * DAY_US), 0);
}

static void received_does_not_stop_a_clock_for_a_decision(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	answers(f, f->aid_1, ANSWER(RECEIVED), IEUM_E_OK);
	task_is(f, TASK(RECEIVED), 3 * DAY_US);
	answers(f, f->aid_1, ANSWER(ON_HOLD), IEUM_E_OK);
	task_is(f, TASK(ON_HOLD), 3 * DAY_US);
	answers(f, f->aid_1, ANSWER(IN_PROGRESS), IEUM_E_OK);
	task_is(f, TASK(IN_PROGRESS), 0);
}

static void more_time_moves_the_deadline_but_not_too_far(void **state)
{
	struct open_case *f = *state;

	acknowledge(f);
	refer(f, "legal");
	answers(f, f->aid_1, ANSWER(NEED_MORE_TIME), IEUM_E_OK);
	task_is(f, TASK(RECEIVED), 10 * DAY_US);
	message_reply(message_new(&f->w, &f->m, TYPE(ANSWER)), f->id);
	f->m.answer.kind = ANSWER(NEED_MORE_TIME);
	f->m.answer.more_time_until_at_ms = (f->w.now + 367 * DAY_US) / 1000;
	assert_int_equal(trial_submit(&f->w, f->aid_1, &f->m), IEUM_E_FIELD_INVALID);
	f->m.answer.more_time_until_at_ms = f->w.now / 1000;
	assert_int_equal(trial_submit(&f->w, f->aid_1, &f->m), IEUM_E_FIELD_INVALID);
	assert_int_equal(trial_at(&f->w, f->w.now + 9 * DAY_US), 0);
	assert_true(trial_at(&f->w, f->w.now + DAY_US) > 0);
}

static void silence_asks_the_next_and_nothing_fires_twice(void **state)
{
	struct open_case *f = *state;

	acknowledge(f);
	refer(f, "legal");
	core_time_us at = f->w.now;
	assert_int_equal(trial_at(&f->w, at + 3 * DAY_US - 1000), 0);
	assert_int_equal(trial_at(&f->w, at + 3 * DAY_US), 1);
	assert_int_equal(trial_at(&f->w, at + 3 * DAY_US), 0);
	assert_int_equal(last_cause(f, f->aid_2), CAUSE(ESCALATED));
	task_is(f, TASK(REQUESTED), 3 * DAY_US);
	/* Who was silent may still answer; the first to accept has it. */
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	answers(f, f->aid_2, ANSWER(ACCEPT), IEUM_E_STATE_CONFLICT);
	answers(f, f->aid_2, ANSWER(COMPLETE), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(f->w.detail, "taken on by 'aid-1'"));
}

static void who_was_asked_before_it_was_taken_on_may_not_take_over(void **state)
{
	struct open_case *f = *state;

	message_in_case(message_new(&f->w, &f->m, TYPE(INFORMATION_REQUEST)), f->case_id);
	f->m.request.purpose = (char *)"safety";
	message_to(&f->m, "aid-1");
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
	trial_at(&f->w, f->w.now + 3 * DAY_US);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	task_is(f, TASK(ACCEPTED), DAY_US);
	trial_verify(&f->w);
	answers(f, f->boss, ANSWER(COMPLETE), IEUM_E_STATE_CONFLICT);
}

static void who_is_asked_because_the_holder_fell_silent_may_take_over(void **state)
{
	struct open_case *f = *state;

	message_in_case(message_new(&f->w, &f->m, TYPE(INFORMATION_REQUEST)), f->case_id);
	f->m.request.purpose = (char *)"safety";
	message_to(&f->m, "aid-1");
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	task_is(f, TASK(ACCEPTED), 3 * DAY_US);
	bring_in_boss(f);
	answers(f, f->boss, ANSWER(COMPLETE), IEUM_E_NOT_ADDRESSED);
	trial_at(&f->w, f->w.now + 3 * DAY_US);
	answers(f, f->boss, ANSWER(COMPLETE), IEUM_E_OK);
	task_is(f, TASK(COMPLETED), 0);
}

static void a_rejection_asks_the_next_at_once(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	f->w.now += HOUR_US;
	answers(f, f->aid_1, ANSWER(REJECT), IEUM_E_OK);
	assert_int_equal(last_cause(f, f->aid_2), CAUSE(NEXT_RANK));
	task_is(f, TASK(REQUESTED), 3 * DAY_US);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_NOT_ADDRESSED);
	answers(f, f->aid_2, ANSWER(ACCEPT), IEUM_E_OK);
}

static void a_ladder_that_ends_fails_and_the_referrer_hears(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	(void)drain(f, f->manager);
	answers(f, f->aid_1, ANSWER(REJECT), IEUM_E_OK);
	answers(f, f->aid_2, ANSWER(REJECT), IEUM_E_OK); /* the step to boss is for silence only */
	task_is(f, TASK(FAILED), 0);
	assert_int_equal(f->w.hub_messages, 1);
	assert_int_equal(last_cause(f, f->manager), CAUSE(ANSWER));
	answers(f, f->aid_2, ANSWER(ACCEPT), IEUM_E_NOT_ADDRESSED);
}

static void silence_to_the_end_fails_too(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	core_time_us at = f->w.now;
	trial_at(&f->w, at + 3 * DAY_US);
	trial_at(&f->w, at + 6 * DAY_US);
	assert_int_equal(last_cause(f, f->boss), CAUSE(ESCALATED));
	task_is(f, TASK(REQUESTED), DAY_US);
	trial_at(&f->w, at + 7 * DAY_US);
	task_is(f, TASK(FAILED), 0);
	assert_int_equal(trial_referral(&f->w, f->manager, f->id)->tasks[0]->reason,
			 REASON(UNREACHABLE));
	trial_verify(&f->w);
}

/* Late is better than never: who stayed silent may still take it on, and is alone with it then. */
static void who_stayed_silent_may_answer_after_the_end(void **state)
{
	struct open_case *f = *state;

	acknowledge(f);
	refer(f, "legal");
	core_time_us at = f->w.now;
	trial_at(&f->w, at + 3 * DAY_US);
	trial_at(&f->w, at + 6 * DAY_US);
	trial_at(&f->w, at + 7 * DAY_US);
	task_is(f, TASK(FAILED), 0);
	trial_restart(&f->w);
	f->aid_1 = trial_connect(&f->w, "aid-1");
	f->aid_2 = trial_connect(&f->w, "aid-2");
	f->boss = trial_connect(&f->w, "boss");
	f->manager = trial_connect(&f->w, "manager");
	answers(f, f->aid_2, ANSWER(REJECT), IEUM_E_OK);
	task_is(f, TASK(FAILED), 0);
	answers(f, f->aid_1, ANSWER(RECEIVED), IEUM_E_OK);
	/* Open again, so somebody watches it again. */
	task_is(f, TASK(RECEIVED), 3 * DAY_US);
	assert_int_not_equal(trial_referral(&f->w, f->manager, f->id)->tasks[0]->reason,
			     REASON(UNREACHABLE));
	trial_verify(&f->w);
	trial_at(&f->w, f->w.now + 3 * DAY_US);
	task_is(f, TASK(FAILED), 0);
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_OK);
	task_is(f, TASK(ACCEPTED), 0);
	answers(f, f->boss, ANSWER(ACCEPT), IEUM_E_STATE_CONFLICT);
	answers(f, f->aid_1, ANSWER(FAIL), IEUM_E_OK);
	/* Whose own word ended it, ended it. */
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_STATE_CONFLICT);
	trial_verify(&f->w);
}

static void deadlines_survive_a_restart_and_are_not_reset(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	core_time_us at = f->w.now;
	f->w.now += DAY_US;
	trial_restart(&f->w);
	assert_true(core_next_due(f->w.core) == at + 4 * HOUR_US);
	trial_at(&f->w, at + 3 * DAY_US - 1000);
	f->manager = trial_connect(&f->w, "manager");
	assert_int_equal(trial_task(&f->w, f->manager, f->id), TASK(REQUESTED));
	size_t escalated = f->w.escalated;
	trial_at(&f->w, at + 3 * DAY_US);
	assert_true(f->w.escalated > escalated);
}

static void the_first_of_two_roles_to_accept_holds_it(void **state)
{
	struct open_case *f = *state;

	memcpy(f->id, f->case_id, CORE_ID_BYTES);
	answers(f, f->manager, ANSWER(ACCEPT), IEUM_E_OK);
	/* The same mailbox: a colleague goes on with it. */
	answers(f, f->counsellor, ANSWER(IN_PROGRESS), IEUM_E_OK);
}

static void the_referrer_takes_it_back(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	(void)drain(f, f->aid_1);
	answers(f, f->manager, ANSWER(CANCEL), IEUM_E_OK);
	task_is(f, TASK(CANCELLED), 0);
	assert_int_equal(last_cause(f, f->aid_1), CAUSE(ANSWER));
	answers(f, f->aid_1, ANSWER(ACCEPT), IEUM_E_STATE_CONFLICT);
	answers(f, f->manager, ANSWER(CANCEL), IEUM_E_STATE_CONFLICT);
	answers(f, f->manager, ANSWER(ENTERED_IN_ERROR), IEUM_E_OK);
	task_is(f, TASK(ENTERED_IN_ERROR), 0);
}

/* ---- an information round ---- */

static void ask_round(struct open_case *f)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(INFORMATION_REQUEST)), f->case_id);
	f->m.request.purpose = (char *)"safety";
	message_to(&f->m, "city");
	message_to(&f->m, "aid-1");
	message_to(&f->m, "carer");
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
}

static enum ieum_err respond(struct open_case *f, uint64_t who, Ieum__V1__Holding holding,
			     Ieum__V1__Reason reason)
{
	message_reply(message_new(&f->w, &f->m, TYPE(INFORMATION_RESPONSE)), f->id);
	f->m.response.holding = holding;
	f->m.response.reason = reason;
	return trial_submit(&f->w, who, &f->m);
}

static void a_round_has_an_answer_from_each_or_its_head_is_asked(void **state)
{
	struct open_case *f = *state;

	ask_round(f);
	(void)drain(f, f->boss);
	assert_int_equal(respond(f, f->city, IEUM__V1__HOLDING__HOLDING_HELD, 0), IEUM_E_OK);
	assert_int_equal(respond(f, f->aid_1, IEUM__V1__HOLDING__HOLDING_NOTHING_HELD, 0),
			 IEUM_E_OK);
	assert_int_equal(respond(f, f->carer, IEUM__V1__HOLDING__HOLDING_REFUSED, 0),
			 IEUM_E_REASON_MISSING);
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, f->id);
	assert_int_equal(r->n_tasks, 3);
	assert_int_equal(r->tasks[0]->state, TASK(COMPLETED));
	assert_int_equal(r->tasks[1]->outcome, IEUM__V1__OUTCOME__OUTCOME_NOTHING_HELD);
	assert_int_equal(r->tasks[2]->state, TASK(REQUESTED));
	trial_at(&f->w, f->w.now + 3 * DAY_US);
	assert_int_equal(last_cause(f, f->boss), CAUSE(ESCALATED));
}

static void a_second_response_changes_nothing(void **state)
{
	struct open_case *f = *state;

	ask_round(f);
	assert_int_equal(respond(f, f->city, IEUM__V1__HOLDING__HOLDING_HELD, 0), IEUM_E_OK);
	assert_int_equal(respond(f, f->city, IEUM__V1__HOLDING__HOLDING_NOTHING_HELD, 0),
			 IEUM_E_OK);
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, f->id);
	assert_int_equal(r->tasks[0]->outcome, IEUM__V1__OUTCOME__OUTCOME_PROVIDED);
}

/* ---- closing ---- */

static enum ieum_err ask_to_close(struct open_case *f)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST)), f->case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	return trial_submit(&f->w, f->boss, &f->m);
}

static void close_case(struct open_case *f)
{
	bring_in_boss(f);
	assert_int_equal(ask_to_close(f), IEUM_E_OK);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
	answers(f, f->manager, ANSWER(ACCEPT), IEUM_E_OK);
}

static void an_open_domain_blocks_closing(void **state)
{
	struct open_case *f = *state;

	bring_in_boss(f);
	refer(f, "legal");
	assert_int_equal(ask_to_close(f), IEUM_E_DOMAIN_OPEN);
	assert_non_null(strstr(f->w.detail, "referral of 'aid-1'"));
	answers(f, f->aid_1, ANSWER(COMPLETE), IEUM_E_OK);
	assert_int_equal(ask_to_close(f), IEUM_E_OK);
	uint8_t closing[CORE_ID_BYTES];
	memcpy(closing, f->m.id, CORE_ID_BYTES);
	/* Opened while the lead thinks it over. */
	refer(f, "care");
	memcpy(f->id, closing, CORE_ID_BYTES);
	answers(f, f->manager, ANSWER(ACCEPT), IEUM_E_DOMAIN_OPEN);
}

static void closing_tells_everyone_who_sent(void **state)
{
	struct open_case *f = *state;

	refer(f, "legal");
	answers(f, f->aid_1, ANSWER(COMPLETE), IEUM_E_OK);
	(void)drain(f, f->ps);
	(void)drain(f, f->aid_1);
	close_case(f);
	assert_int_equal(trial_case(&f->w, f->ps, f->case_id)->summary->state, CASE(CLOSED));
	assert_int_equal(trial_task(&f->w, f->manager, f->id), TASK(COMPLETED));
	assert_int_equal(last_cause(f, f->ps), CAUSE(OUTCOME));
	assert_int_equal(last_cause(f, f->aid_1), CAUSE(OUTCOME));
	assert_int_equal(last_cause(f, f->boss), CAUSE(OUTCOME));
	/* Who only received hears nothing. */
	assert_int_equal(trial_counts(&f->w, "team/help").routed, 1);
}

static void a_closed_case_takes_answers_still_owed_and_nothing_else(void **state)
{
	struct open_case *f = *state;

	close_case(f);
	trial_verify(&f->w);
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "city");
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_CASE_CLOSED);
	memcpy(f->id, f->case_id, CORE_ID_BYTES);
	answers(f, f->counsellor, ANSWER(RECEIVED), IEUM_E_OK);
	message_in_case(message_new(&f->w, &f->m, TYPE(RECURRENCE_ALERT)), f->case_id);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_case(&f->w, f->ps, f->case_id)->summary->state, CASE(REOPENED));
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "city");
	trial_submitted(&f->w, f->ps, &f->m);
}

static void a_closed_case_is_forgotten_after_its_time(void **state)
{
	struct open_case *f = *state;

	trial_at(&f->w, f->w.now + 4 * HOUR_US);
	assert_int_equal(f->w.escalated, 1);
	close_case(f);
	memcpy(f->id, f->case_id, CORE_ID_BYTES);
	answers(f, f->counsellor, ANSWER(COMPLETE), IEUM_E_OK);
	(void)drain(f, f->manager);
	(void)drain(f, f->counsellor);
	(void)drain(f, f->ps);
	(void)drain(f, f->boss);
	trial_at(&f->w, f->w.now + 399 * DAY_US);
	assert_non_null(trial_case(&f->w, f->ps, f->case_id));
	assert_true(trial_at(&f->w, f->w.now + 2 * DAY_US) > 0);
	assert_null(trial_case(&f->w, f->ps, f->case_id));
	trial_verify(&f->w);
	assert_int_equal(trial_counts(&f->w, "ps").settled, trial_counts(&f->w, "ps").routed);
}

static void who_rejects_after_receiving_leaves_the_others_a_clock(void **state)
{
	struct open_case *f = *state;

	bring_in_boss(f);
	memcpy(f->id, f->case_id, CORE_ID_BYTES);
	trial_at(&f->w, f->w.now + 4 * HOUR_US); /* the lead is asked too */
	answers(f, f->counsellor, ANSWER(RECEIVED), IEUM_E_OK);
	answers(f, f->counsellor, ANSWER(REJECT), IEUM_E_OK);
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, f->id);
	assert_int_equal(r->tasks[0]->state, TASK(REQUESTED));
	assert_true(r->tasks[0]->due_at_ms > f->w.now / 1000);
	assert_int_equal(trial_at(&f->w, f->w.now + 5 * HOUR_US) > 0, 1);
	assert_int_equal(last_cause(f, f->boss), CAUSE(ESCALATED));
}

static void information_refused_after_it_was_promised_fails(void **state)
{
	struct open_case *f = *state;

	message_in_case(message_new(&f->w, &f->m, TYPE(INFORMATION_REQUEST)), f->case_id);
	message_to(&f->m, "carer");
	trial_submitted(&f->w, f->manager, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
	answers(f, f->carer, ANSWER(ACCEPT), IEUM_E_OK);
	message_reply(message_new(&f->w, &f->m, TYPE(INFORMATION_RESPONSE)), f->id);
	f->m.response.holding = IEUM__V1__HOLDING__HOLDING_REFUSED;
	f->m.response.reason = REASON(ENDANGERS_FAMILY);
	trial_submitted(&f->w, f->carer, &f->m);
	task_is(f, TASK(FAILED), 0);
}

/* The line of the timeline that tells of an answer of this kind. */
static const Ieum__V1__TimelineEntry *answered_line(struct open_case *f, Ieum__V1__AnswerKind kind)
{
	const Ieum__V1__CaseResult *k = trial_case(&f->w, f->ps, f->case_id);

	for (size_t i = 0; i < k->n_timeline; i++)
		if (k->timeline[i]->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED &&
		    k->timeline[i]->answer == kind)
			return k->timeline[i];
	return NULL;
}

static void the_hub_s_own_failure_says_what_it_is_in_the_timeline(void **state)
{
	struct open_case *f = *state;

	for (int step = 0; step < 3; step++)
		trial_at(&f->w, f->w.now + DAY_US);
	const Ieum__V1__TimelineEntry *e = answered_line(f, ANSWER(FAIL));
	assert_non_null(e);
	assert_int_equal(e->reason, REASON(UNREACHABLE));
	assert_string_equal(e->from, "");
}

static void a_case_has_so_many_open_requests(void **state)
{
	struct open_case *f = *state;
	enum ieum_err err = IEUM_E_OK;

	for (int i = 0; i <= 2 * CORE_CASE_MEMBERS_MAX && !err; i++) {
		f->w.now += 1000;
		message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
		f->m.support.domain = (char *)"care";
		err = trial_submit(&f->w, f->manager, &f->m);
	}
	assert_int_equal(err, IEUM_E_HUB_FULL);
	assert_non_null(strstr(f->w.detail, "open requests"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_case_start, open_case_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_who_is_asked_may_answer),
		TEST(an_answer_comes_back_to_the_referrer),
		TEST(an_answer_needs_its_reason),
		TEST(only_the_recipient_s_received_stops_the_acknowledgement_clock),
		TEST(received_does_not_stop_a_clock_for_a_decision),
		TEST(more_time_moves_the_deadline_but_not_too_far),
		TEST(silence_asks_the_next_and_nothing_fires_twice),
		TEST(who_was_asked_before_it_was_taken_on_may_not_take_over),
		TEST(who_is_asked_because_the_holder_fell_silent_may_take_over),
		TEST(a_rejection_asks_the_next_at_once),
		TEST(a_ladder_that_ends_fails_and_the_referrer_hears),
		TEST(silence_to_the_end_fails_too),
		TEST(who_stayed_silent_may_answer_after_the_end),
		TEST(deadlines_survive_a_restart_and_are_not_reset),
		TEST(the_first_of_two_roles_to_accept_holds_it),
		TEST(the_referrer_takes_it_back),
		TEST(a_round_has_an_answer_from_each_or_its_head_is_asked),
		TEST(a_second_response_changes_nothing),
		TEST(an_open_domain_blocks_closing),
		TEST(closing_tells_everyone_who_sent),
		TEST(a_closed_case_takes_answers_still_owed_and_nothing_else),
		TEST(a_closed_case_is_forgotten_after_its_time),
		TEST(who_rejects_after_receiving_leaves_the_others_a_clock),
		TEST(information_refused_after_it_was_promised_fails),
		TEST(the_hub_s_own_failure_says_what_it_is_in_the_timeline),
		TEST(a_case_has_so_many_open_requests),
	};

	return cmocka_run_group_tests_name("core case", tests, NULL, NULL);
}
