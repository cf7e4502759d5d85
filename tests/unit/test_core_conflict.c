/* broker/core, conflicts of interest: an excluded participant gets nothing, and what it owed
 * becomes somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/open_case.h"

static void refused(struct open_case *f, uint64_t who, enum ieum_err want)
{
	enum ieum_err err = trial_submit(&f->w, who, &f->m);

	if (err != want)
		fail_msg("%s instead of %s: %s", ieum_error((int)err)->name,
			 ieum_error((int)want)->name, f->w.detail);
}

static void refer(struct open_case *f, uint64_t who)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)"legal";
	trial_submitted(&f->w, who, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
}

/* The police tell city of a conflict. */
static void exclude(struct open_case *f, const char *participant)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "city");
	message_exclude(&f->m, participant);
	trial_submitted(&f->w, f->ps, &f->m);
}

static uint64_t routed(struct open_case *f, const char *mailbox)
{
	return trial_counts(&f->w, mailbox).routed;
}

static void an_exclusion_is_a_case_s(void **state)
{
	struct open_case *f = *state;

	/* Nothing would remember it while the message waits in a mailbox of several. */
	message_exclude(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)), "counsellor");
	refused(f, f->ps, IEUM_E_FIELD_MISSING);
	assert_non_null(strstr(f->w.detail, "case"));
}

static void what_its_only_party_held_goes_on_at_once(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_referral(&f->w, f->manager, f->id)->tasks[0]->due_at_ms, 0);
	exclude(f, "aid-1");
	assert_int_equal(routed(f, "aid-2"), 0);
	trial_at(&f->w, f->w.now);
	assert_int_equal(routed(f, "aid-2"), 1);
	assert_true(trial_referral(&f->w, f->manager, f->id)->tasks[0]->due_at_ms > 0);
	assert_int_equal(trial_answer(&f->w, f->aid_2, f->id, ANSWER(ACCEPT)), IEUM_E_OK);
}

static void what_it_held_beside_others_is_theirs(void **state)
{
	struct open_case *f = *state;

	/* The lead is asked too, then the counsellor takes it on. */
	trial_at(&f->w, f->w.now + 4 * HOUR_US);
	exclude(f, "manager");
	assert_int_equal(trial_answer(&f->w, f->counsellor, f->case_id, ANSWER(ACCEPT)), IEUM_E_OK);
	exclude(f, "counsellor");
	trial_at(&f->w, f->w.now);
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->ps, f->case_id);
	assert_int_equal(r->tasks[0]->state, TASK(REQUESTED));
	assert_string_equal(r->tasks[0]->asked, "boss");
}

/* Nor does its clock run, which would ask another when nothing comes. */
static void what_it_took_on_after_another_was_asked_does_not_wait_for_it(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(ON_HOLD)), IEUM_E_OK);
	trial_at(&f->w, f->w.now + 3 * DAY_US);
	assert_true(routed(f, "aid-2") > 0);
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_referral(&f->w, f->manager, f->id)->tasks[0]->due_at_ms, 0);
	exclude(f, "aid-1");
	const Ieum__V1__ReferralResult *r = trial_referral(&f->w, f->manager, f->id);
	assert_int_equal(r->tasks[0]->state, TASK(REQUESTED));
	assert_true(r->tasks[0]->due_at_ms > 0);
	assert_int_equal(trial_answer(&f->w, f->aid_2, f->id, ANSWER(ACCEPT)), IEUM_E_OK);
	trial_verify(&f->w);
}

static void what_nobody_answered_yet_does_not_wait_for_its_clock(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	exclude(f, "aid-1");
	trial_at(&f->w, f->w.now);
	assert_int_equal(routed(f, "aid-2"), 1);
}

/* An answer of the counsel to the last request, in which it tells of its own conflict. */
static void answer_excluding(struct open_case *f, const char *whom, Ieum__V1__AnswerKind kind)
{
	message_reply(message_new(&f->w, &f->m, TYPE(ANSWER)), f->id);
	message_in_case(&f->m, f->case_id);
	f->m.answer.kind = kind;
	f->m.answer.reason = REASON(CONFLICT_OF_INTEREST);
	message_exclude(&f->m, whom);
}

static void nobody_takes_on_what_it_excludes_itself_from(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	answer_excluding(f, "aid-1", ANSWER(ACCEPT));
	refused(f, f->aid_1, IEUM_E_CONFLICT_OF_INTEREST);
	answer_excluding(f, "aid-1", ANSWER(REJECT));
	trial_submitted(&f->w, f->aid_1, &f->m);
	trial_at(&f->w, f->w.now);
	assert_int_equal(routed(f, "aid-2"), 1);
	trial_verify(&f->w);
}

/* What has failed because nobody answered would be open again, and nobody's. */
static void nobody_takes_up_again_what_it_excludes_itself_from(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	for (int step = 0; step < 4; step++)
		trial_at(&f->w, f->w.now + 30 * DAY_US);
	assert_int_equal(trial_task(&f->w, f->manager, f->id), TASK(FAILED));
	answer_excluding(f, "aid-1", ANSWER(RECEIVED));
	refused(f, f->aid_1, IEUM_E_CONFLICT_OF_INTEREST);
}

static void a_rejection_does_not_wait_for_the_excluded(void **state)
{
	struct open_case *f = *state;

	/* The second is asked because the first is silent, and turns out to have a conflict. */
	refer(f, f->manager);
	trial_at(&f->w, trial_referral(&f->w, f->manager, f->id)->tasks[0]->due_at_ms * 1000);
	assert_int_equal(routed(f, "aid-2"), 1);
	exclude(f, "aid-2");
	assert_int_equal(trial_task(&f->w, f->manager, f->id), TASK(REQUESTED));
	size_t before = f->w.escalated;
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(REJECT)), IEUM_E_OK);
	assert_int_equal(f->w.escalated, before + 1);
}

static void the_next_asked_is_not_who_is_excluded_by_the_rejection(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	answer_excluding(f, "aid-2", ANSWER(REJECT));
	trial_submitted(&f->w, f->aid_1, &f->m);
	trial_at(&f->w, f->w.now);
	assert_int_equal(routed(f, "aid-2"), 0);
}

static void who_is_excluded_by_the_last_rejection_does_not_hear_of_the_failure(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager); /* which leads the team that owns the case, too */
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(REJECT)), IEUM_E_OK);
	uint64_t manager = routed(f, "manager"), lead = routed(f, "team/lead");
	uint64_t told = routed(f, "aid-2");
	answer_excluding(f, "manager", ANSWER(REJECT));
	trial_submitted(&f->w, f->aid_2, &f->m);
	assert_int_equal(routed(f, "manager"), manager);
	assert_int_equal(routed(f, "team/lead"), lead);
	assert_int_equal(routed(f, "aid-2"), told + 1);
	trial_verify(&f->w);
}

static void where_somebody_else_may_answer_nothing_moves(void **state)
{
	struct open_case *f = *state;

	/* The report asks manager and counsellor. */
	exclude(f, "counsellor");
	assert_int_equal(trial_at(&f->w, f->w.now), 0);
}

static void taking_back_tells_no_excluded_party(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	(void)trial_release_one(&f->w, f->aid_1);
	exclude(f, "aid-1");
	trial_at(&f->w, f->w.now);
	uint64_t before = routed(f, "aid-1");
	assert_int_equal(trial_answer(&f->w, f->manager, f->id, ANSWER(CANCEL)), IEUM_E_OK);
	assert_int_equal(routed(f, "aid-1"), before);
	assert_int_equal(routed(f, "aid-2"), 2);
}

static void an_answer_to_an_excluded_referrer_goes_to_the_owner(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	exclude(f, "manager");
	assert_string_equal(trial_case(&f->w, f->ps, f->case_id)->summary->owner, "ps");
	uint64_t manager = routed(f, "manager");
	uint64_t owner = routed(f, "ps");
	assert_int_equal(trial_answer(&f->w, f->aid_1, f->id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(routed(f, "manager"), manager);
	assert_int_equal(routed(f, "ps"), owner + 1);
}

static void who_declares_its_own_conflict_does_not_own_the_case(void **state)
{
	struct open_case *f = *state;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	message_exclude(&f->m, "manager");
	trial_submitted(&f->w, f->manager, &f->m);
	assert_null(trial_case(&f->w, f->manager, f->m.id));
	const Ieum__V1__CaseResult *k = trial_case(&f->w, f->counsellor, f->m.id);
	assert_non_null(k);
	assert_string_equal(k->summary->owner, "team/help");
}

static void an_emitted_case_inherits_the_exclusions(void **state)
{
	struct open_case *f = *state;

	exclude(f, "boss");
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	f->m.report.child_at_home = 1;
	trial_submitted(&f->w, f->ps, &f->m);
	/* The city says nothing, and its head is excluded. */
	trial_at(&f->w, f->w.now + 11 * MIN_US);
	assert_int_equal(routed(f, "boss"), 0);
}

static void an_answer_belongs_to_the_case_of_what_it_answers(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	message_open_case(message_new(&f->w, &f->m, TYPE(ANSWER)));
	message_reply(&f->m, f->id);
	f->m.answer.kind = ANSWER(ACCEPT);
	refused(f, f->aid_1, IEUM_E_FIELD_INVALID);
	/* Accepting it would close the other case. */
	message_in_case(message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST)), f->case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	assert_int_equal(trial_answer(&f->w, f->manager, f->id, ANSWER(CANCEL)), IEUM_E_OK);
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->id, f->m.id, CORE_ID_BYTES);
	message_open_case(message_new(&f->w, &f->m, TYPE(ANSWER)));
	message_reply(&f->m, f->id);
	f->m.answer.kind = ANSWER(ACCEPT);
	refused(f, f->manager, IEUM_E_FIELD_INVALID);
}

static void the_excluded_cannot_reply_from_another_case(void **state)
{
	struct open_case *f = *state;

	refer(f, f->manager);
	exclude(f, "aid-1");
	message_open_case(message_new(&f->w, &f->m, TYPE(RECURRENCE_ALERT)));
	message_reply(&f->m, f->id);
	refused(f, f->aid_1, IEUM_E_CONFLICT_OF_INTEREST);
}

static void a_link_shows_nothing_to_whom_the_other_case_excludes(void **state)
{
	struct open_case *f = *state;
	uint8_t other[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	message_exclude(&f->m, "counsellor");
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(other, f->m.id, CORE_ID_BYTES);
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, "city");
	ieum__v1__case_link__init(&f->m.link);
	memcpy(f->m.link_to, other, CORE_ID_BYTES);
	f->m.link.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, f->m.link_to };
	f->m.link.kind = IEUM__V1__LINK_KIND__LINK_KIND_SIBLING;
	f->m.links[0] = &f->m.link;
	f->m.envelope.case_links = f->m.links;
	f->m.envelope.n_case_links = 1;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_case(&f->w, f->city, f->case_id)->n_links, 1);
	assert_int_equal(trial_case(&f->w, f->counsellor, f->case_id)->n_links, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_case_start, open_case_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_exclusion_is_a_case_s),
		TEST(what_its_only_party_held_goes_on_at_once),
		TEST(what_it_held_beside_others_is_theirs),
		TEST(what_it_took_on_after_another_was_asked_does_not_wait_for_it),
		TEST(what_nobody_answered_yet_does_not_wait_for_its_clock),
		TEST(nobody_takes_on_what_it_excludes_itself_from),
		TEST(nobody_takes_up_again_what_it_excludes_itself_from),
		TEST(a_rejection_does_not_wait_for_the_excluded),
		TEST(the_next_asked_is_not_who_is_excluded_by_the_rejection),
		TEST(who_is_excluded_by_the_last_rejection_does_not_hear_of_the_failure),
		TEST(where_somebody_else_may_answer_nothing_moves),
		TEST(taking_back_tells_no_excluded_party),
		TEST(an_answer_to_an_excluded_referrer_goes_to_the_owner),
		TEST(who_declares_its_own_conflict_does_not_own_the_case),
		TEST(an_emitted_case_inherits_the_exclusions),
		TEST(an_answer_belongs_to_the_case_of_what_it_answers),
		TEST(the_excluded_cannot_reply_from_another_case),
		TEST(a_link_shows_nothing_to_whom_the_other_case_excludes),
	};

	return cmocka_run_group_tests_name("core conflict", tests, NULL, NULL);
}
