/* broker/core, counters: what is counted for whom and how long, and what rules make of it: grades,
 * messages of the hub, a closed case that is taken up again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/state.h"
#include "tests/unit/core_trial.h"

#define HEAD \
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n" \
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n" \
	"kinds:\n" \
	"  police: {title: {en: P, ko: 경}, may_send: all}\n" \
	"  office: {title: {en: O, ko: 관}, may_send: all}\n" \
	"participants:\n" \
	"  ps: {kind: police, title: {en: ps, ko: 가}}\n" \
	"  ps-2: {kind: police, title: {en: ps-2, ko: 나}}\n" \
	"  manager: {kind: office, title: {en: manager, ko: 다}}\n" \
	"  city: {kind: office, title: {en: city, ko: 라}}\n" \
	"types:\n" \
	"  default: {needs_case: true, may_open: true}\n" \
	"  answer: {needs_case: false, needs_reply_to: true}\n" \
	"  risk_signal: {needs_case: false}\n"

static const char hub[] = HEAD
	"counters:\n"
	"  dispatches: {of: {type: report_received, sender_kind: police}, per: household, within: 1 year}\n"
	"  missed:\n"
	"    of: {type: contact_result, outcome: not_reached}\n"
	"    per: case\n"
	"    within: 90 d\n"
	"    resets: {type: contact_result, outcome: reached}\n"
	"  signs: {of: {type: risk_signal}, per: subject, within: 90 d, weight: $weight}\n"
	"  reporters: {of: {type: risk_signal}, per: subject, within: 90 d, distinct: sender}\n"
	"  minutes: {of: {type: conference_minutes}, per: sender, within: 10 d}\n"
	"  ever: {of: {type: report_received}, per: case, within: 9 years}\n"
	"  alerts: {of: {type: recurrence_alert, sender_kind: hub}, per: case, within: 1 year}\n"
	"rules:\n"
	"  - {name: report, when: {type: report_received}, to: manager, owner: manager}\n"
	"  - {name: second, when: {type: report_received, count: {dispatches: \"= 2\"}}, grade: B}\n"
	"  - name: third\n"
	"    when: {type: report_received, count: {dispatches: \">= 3\"}}\n"
	"    grade: A\n"
	"    emit: {type: recurrence_alert, urgency: urgent, body: {grade: A, dispatches_in_year: $count.dispatches}}\n"
	"  - {name: reopen, when: {type: report_received, case_state: closed}, case_state: reopened}\n"
	"  - {name: alert, when: {type: recurrence_alert}, to: city, answer_within: 24 h, then: [{to: manager, within: 1 h}]}\n"
	"  - {name: ever, when: {type: report_received, count: {ever: \">= 9\"}}, to: ps-2}\n"
	"  - {name: alert-again, when: {type: recurrence_alert, count: {alerts: 2}}, to: ps-2}\n"
	"  - {name: contact, when: {type: contact_result}, to: case_owner}\n"
	"  - {name: anew, when: {type: contact_result, outcome: reached, count: {missed: 0}}, to: ps-2}\n"
	"  - name: missed\n"
	"    when: {type: contact_result, count: {missed: \"= 3\"}}\n"
	"    emit: {type: visit_request, body: {failed_contacts: $attempt, visit_by_at_ms: $next_at_ms}}\n"
	"  - {name: visit, when: {type: visit_request}, to: city, answer_within: 24 h, then: [{to: manager, within: 1 h}]}\n"
	"  - {name: sign, when: {type: risk_signal}, to: manager}\n"
	"  - {name: heavy, when: {type: risk_signal, count: {signs: \">= 8\"}}, to: city}\n"
	"  - {name: just-heavy, when: {type: risk_signal, count: {signs: \"reaches 9\"}}, to: ps-2}\n"
	"  - {name: two-reporters, when: {type: risk_signal, count: {reporters: \">= 2\"}}, to: ps}\n"
	"  - {name: minutes, when: {type: conference_minutes}, to: case_owner}\n"
	"  - {name: enough, when: {type: conference_minutes, count: {minutes: \">= 3\"}}, forbid: enough}\n"
	"  - {name: close, when: {type: closure_request}, to: city, answer_within: 1 d, on_accept: close_case, then: [{to: manager, within: 1 h}]}\n";

struct fixture {
	struct trial w;
	uint64_t ps, ps_2, manager, city;
	uint8_t case_id[CORE_ID_BYTES];
	struct message m;
	uint8_t token[34];
	ProtobufCBinaryData tokens[2];
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, hub, NULL);
	f->ps = trial_connect(&f->w, "ps");
	f->ps_2 = trial_connect(&f->w, "ps-2");
	f->manager = trial_connect(&f->w, "manager");
	f->city = trial_connect(&f->w, "city");
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	trial_stop(&f->w);
	free(f);
	return 0;
}

static uint64_t routed(struct fixture *f, const char *mailbox)
{
	return trial_counts(&f->w, mailbox).routed;
}

static void open_case(struct fixture *f)
{
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
	trial_verify(&f->w);
}

static void report(struct fixture *f)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	trial_submitted(&f->w, f->ps, &f->m);
	trial_verify(&f->w);
}

static const char *grade(struct fixture *f)
{
	return trial_case(&f->w, f->manager, f->case_id)->summary->grade;
}

static void contact(struct fixture *f, Ieum__V1__ContactOutcome outcome)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(CONTACT_RESULT)), f->case_id);
	f->m.contact.outcome = outcome;
	f->m.contact.attempt = 7;
	trial_submitted(&f->w, f->ps, &f->m);
	trial_verify(&f->w);
}

/* ---- room ---- */

static void a_full_table_refuses_nothing_and_forgets_what_ends_first(void **state)
{
	struct fixture *f = *state;
	uint8_t first[CORE_ID_BYTES], key[COUNT_KEY_BYTES];

	open_case(f);
	memcpy(first, f->case_id, sizeof first);
	f->w.core->counts.max = f->w.mirror->counts.max = f->w.core->counts.records.live;
	f->w.now += HOUR_US;
	open_case(f); /* "dispatches" of the first case ends first, "ever" of both last */
	assert_int_equal(f->w.core->counts.records.live, f->w.core->counts.max);
	memcpy(key, first, sizeof key);
	assert_null(counts_find(f->w.core, "dispatches", key));
	memcpy(key, f->case_id, sizeof key);
	assert_non_null(counts_find(f->w.core, "ever", key));
	trial_verify(&f->w);
}

/* ---- grades ---- */

static void of_several_rules_the_last_grade_stands(void **state)
{
	static const char more[] = HEAD
		"counters:\n"
		"  dispatches: {of: {type: report_received}, per: case, within: 1 year}\n"
		"rules:\n"
		"  - {name: report, when: {type: report_received}, to: manager, owner: manager}\n"
		"  - {name: two, when: {type: report_received, count: {dispatches: \">= 2\"}}, grade: B}\n"
		"  - {name: three, when: {type: report_received, count: {dispatches: \">= 3\"}}, grade: A}\n";
	struct fixture *f = *state;

	trial_reload(&f->w, more);
	open_case(f);
	for (int i = 0; i < 4; i++) {
		report(f);
		assert_string_equal(grade(f), i == 0 ? "B" : "A");
	}
}

/* ---- per case and household ---- */

static void grades_follow_the_count(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	assert_string_equal(grade(f), "");
	report(f);
	assert_string_equal(grade(f), "B");
	report(f);
	assert_string_equal(grade(f), "A");
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->manager, f->case_id);
	unsigned grades = 0;
	for (size_t i = 0; i < r->n_timeline; i++) {
		if (r->timeline[i]->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE)
			continue;
		assert_string_equal(r->timeline[i]->name, grades++ ? "A" : "B");
		assert_int_equal(r->timeline[i]->due_at_ms, 0);
	}
	assert_int_equal(grades, 2);
	/* Already of that grade: nothing changes. */
	report(f);
	r = trial_case(&f->w, f->manager, f->case_id);
	assert_int_equal(r->timeline[r->n_timeline - 2]->kind,
			 IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED);
}

static const Ieum__V1__Submitted *made(struct fixture *f, Ieum__V1__MessageType type,
				       Ieum__V1__Referral **payload)
{
	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const struct core_item *item = &f->w.d.items[i];
		if (item->event->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    item->event->submitted->type != type)
			continue;
		*payload = ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
		return item->event->submitted;
	}
	fail_msg("the hub made no such message");
	abort(); /* fail_msg() has not returned */
}

static void the_third_makes_an_alert_with_the_count_in_it(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Referral *r = NULL;

	open_case(f);
	report(f);
	assert_int_equal(routed(f, "city"), 0);
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	trial_submitted(&f->w, f->ps, &f->m);
	const Ieum__V1__Submitted *e = made(f, TYPE(RECURRENCE_ALERT), &r);
	assert_int_equal(e->sender, 0);
	assert_int_equal(e->n_tasks, 1);
	assert_int_equal(e->urgency, URGENCY(URGENT));
	assert_string_equal(r->recurrence_alert->grade, "A");
	assert_int_equal(r->recurrence_alert->dispatches_in_year, 3);
	ieum__v1__referral__free_unpacked(r, NULL);
	assert_int_equal(routed(f, "city"), 1);
	trial_verify(&f->w);
}

static void what_the_hub_makes_is_counted_too(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	report(f);
	report(f);
	assert_int_equal(routed(f, "ps-2"), 0);
	report(f);
	assert_int_equal(routed(f, "ps-2"), 1);
	report(f);
	assert_int_equal(routed(f, "ps-2"), 1);
}

static void what_lies_outside_of_the_window_counts_no_more(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	report(f);
	f->w.now += 366 * DAY_US;
	report(f);
	assert_string_equal(grade(f), "B"); /* of the second; this is the first again */
	assert_int_equal(routed(f, "city"), 0);
}

/* The window runs from the act, not from the hub's receipt. */
static void what_happened_long_ago_is_not_counted(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	f->m.envelope.occurred_at_ms = f->w.now / 1000 - 366 * DAY_US / 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_string_equal(grade(f), "");
	message_in_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)), f->case_id);
	f->m.envelope.occurred_at_ms = f->w.now / 1000 - 364 * DAY_US / 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_string_equal(grade(f), "B");
	f->w.now += 2 * DAY_US;
	report(f);
	assert_string_equal(grade(f), "B");
	assert_int_equal(routed(f, "city"), 0);
}

static void a_household_is_counted_together(void **state)
{
	struct fixture *f = *state;
	uint8_t first[CORE_ID_BYTES];

	open_case(f);
	memcpy(first, f->case_id, CORE_ID_BYTES);
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	memcpy(f->m.link_to, first, CORE_ID_BYTES);
	ieum__v1__case_link__init(&f->m.link);
	f->m.link.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, f->m.link_to };
	f->m.link.kind = IEUM__V1__LINK_KIND__LINK_KIND_SAME_HOUSEHOLD;
	f->m.links[0] = &f->m.link;
	f->m.envelope.case_links = f->m.links;
	f->m.envelope.n_case_links = 1;
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
	assert_string_equal(grade(f), "B");
	memcpy(f->case_id, first, CORE_ID_BYTES);
	report(f);
	assert_string_equal(grade(f), "A");
}

static void a_success_begins_the_count_anew(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_REACHED);
	assert_int_equal(routed(f, "ps-2"), 1); /* the rules see it already */
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	assert_int_equal(routed(f, "city"), 0);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	assert_int_equal(routed(f, "city"), 1);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	assert_int_equal(routed(f, "city"), 1);
}

/* Facts of the message that led to it go over into the one that the hub makes. */
static void a_field_is_taken_over(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Referral *r = NULL;

	open_case(f);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	contact(f, IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED);
	message_in_case(message_new(&f->w, &f->m, TYPE(CONTACT_RESULT)), f->case_id);
	f->m.contact.outcome = IEUM__V1__CONTACT_OUTCOME__CONTACT_OUTCOME_NOT_REACHED;
	f->m.contact.attempt = 7;
	f->m.contact.next_at_ms = 1234567890123;
	trial_submitted(&f->w, f->ps, &f->m);
	(void)made(f, TYPE(VISIT_REQUEST), &r);
	assert_int_equal(r->visit_request->failed_contacts, 7);
	assert_int_equal(r->visit_request->visit_by_at_ms, 1234567890123);
	ieum__v1__referral__free_unpacked(r, NULL);
}

static void a_report_reopens_a_closed_case(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	message_in_case(message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST)), f->case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_answer(&f->w, f->city, f->m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_case(&f->w, f->manager, f->case_id)->summary->state, CASE(CLOSED));
	report(f);
	assert_int_equal(trial_case(&f->w, f->manager, f->case_id)->summary->state, CASE(REOPENED));
	report(f);
	assert_int_equal(trial_case(&f->w, f->manager, f->case_id)->summary->state, CASE(REOPENED));
}

/* ---- per subject and sender ---- */

static enum ieum_err sign(struct fixture *f, uint64_t who, uint8_t subject, uint32_t weight)
{
	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	memset(f->token, subject, sizeof f->token);
	f->token[20] = (uint8_t)f->w.ids; /* what lies behind the tag is never looked at */
	f->tokens[0] = (ProtobufCBinaryData){ sizeof f->token, f->token };
	f->m.envelope.subject_tokens = f->tokens;
	f->m.envelope.n_subject_tokens = subject ? 1 : 0;
	f->m.signal.weight = weight;
	enum ieum_err err = trial_submit(&f->w, who, &f->m);
	trial_verify(&f->w);
	return err;
}

static void weights_of_one_subject_add_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f, f->ps, 1, 4), IEUM_E_OK);
	assert_int_equal(sign(f, f->ps, 2, 4), IEUM_E_OK);
	assert_int_equal(sign(f, f->ps, 1, 3), IEUM_E_OK);
	assert_int_equal(routed(f, "city"), 0);
	assert_int_equal(sign(f, f->ps, 1, 0), IEUM_E_OK); /* not stated: 1 */
	assert_int_equal(routed(f, "city"), 1);
}

/* What a signal of this weight would reach, asked by somebody who sends none. */
static const Ieum__V1__ReachResult *ask_reach(struct fixture *f, uint64_t who, uint32_t weight)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	memset(f->token, 1, sizeof f->token);
	f->tokens[0] = (ProtobufCBinaryData){ sizeof f->token, f->token };
	f->m.envelope.subject_tokens = f->tokens;
	f->m.envelope.n_subject_tokens = 1;
	f->m.signal.weight = weight;
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &reach;
	reach.referral = &f->m.referral;
	const Ieum__V1__Result *r = trial_query(&f->w, who, &q, &err);
	assert_non_null(r);
	return r->reach;
}

/* Else the sum of what others have sent could be found out by asking with different weights. */
static void asking_whom_it_reaches_tells_no_count(void **state)
{
	struct fixture *f = *state;

	const Ieum__V1__ReachResult *r = ask_reach(f, f->ps_2, 5);
	size_t before = r->n_entries;
	assert_true(r->depends_on_counts);
	assert_int_equal(sign(f, f->ps, 1, 6), IEUM_E_OK);
	for (uint32_t weight = 1; weight <= 5; weight++) {
		r = ask_reach(f, f->ps_2, weight);
		assert_int_equal(r->n_entries, before);
		assert_int_equal(r->n_rules, 1);
		assert_true(r->depends_on_counts);
	}
}

static void a_count_is_reached_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f, f->ps, 1, 7), IEUM_E_OK);
	assert_int_equal(routed(f, "ps-2"), 0);
	assert_int_equal(sign(f, f->ps, 1, 3), IEUM_E_OK);
	assert_int_equal(routed(f, "ps-2"), 1);
	assert_int_equal(sign(f, f->ps, 1, 1), IEUM_E_OK);
	assert_int_equal(routed(f, "ps-2"), 1);
}

static void of_several_tokens_the_highest_count_is_taken(void **state)
{
	struct fixture *f = *state;
	uint8_t other[34];

	memset(other, 9, sizeof other);
	assert_int_equal(sign(f, f->ps, 1, 5), IEUM_E_OK);
	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	memset(f->token, 1, sizeof f->token);
	f->tokens[0] = (ProtobufCBinaryData){ sizeof other, other };
	f->tokens[1] = (ProtobufCBinaryData){ sizeof f->token, f->token };
	f->m.envelope.subject_tokens = f->tokens;
	f->m.envelope.n_subject_tokens = 2;
	f->m.signal.weight = 2;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(routed(f, "city"), 0); /* 7 and 2, not 9 */
	assert_int_equal(sign(f, f->ps, 1, 1), IEUM_E_OK);
	assert_int_equal(routed(f, "city"), 1);
}

static void without_a_token_nothing_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f, f->manager, 0, 9), IEUM_E_OK);
	assert_int_equal(routed(f, "city"), 0);
}

static void different_senders_are_counted_once_each(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f, f->manager, 1, 1), IEUM_E_OK);
	assert_int_equal(sign(f, f->manager, 1, 1), IEUM_E_OK);
	assert_int_equal(routed(f, "ps"), 0);
	assert_int_equal(sign(f, f->ps_2, 1, 1), IEUM_E_OK);
	assert_int_equal(routed(f, "ps"), 1);
}

static enum ieum_err minutes(struct fixture *f, uint64_t who)
{
	message_in_case(message_new(&f->w, &f->m, TYPE(CONFERENCE_MINUTES)), f->case_id);
	return trial_submit(&f->w, who, &f->m);
}

static void each_sender_has_a_count(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	assert_int_equal(minutes(f, f->ps), IEUM_E_OK);
	assert_int_equal(minutes(f, f->ps), IEUM_E_OK);
	assert_int_equal(minutes(f, f->manager), IEUM_E_OK);
	assert_int_equal(minutes(f, f->ps), IEUM_E_NOT_PERMITTED);
	/* What was refused was not counted. */
	f->w.now += 11 * DAY_US;
	assert_int_equal(minutes(f, f->ps), IEUM_E_OK);
	trial_verify(&f->w);
}

/* ---- keeping and forgetting ---- */

static void a_token_is_never_kept_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sign(f, f->ps, 1, 4), IEUM_E_OK);
	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const Ieum__V1__Event *e = f->w.d.items[i].event;
		if (e->what_case != IEUM__V1__EVENT__WHAT_COUNTED)
			continue;
		assert_int_equal(e->counted->key.len, 16);
		assert_int_equal(e->counted->key.data[9], 1);
		for (size_t k = 10; k < 16; k++)
			assert_int_equal(e->counted->key.data[k], 0);
	}
}

static void a_count_survives_restart_and_a_changed_policy(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	report(f);
	trial_restart(&f->w);
	f->ps = trial_connect(&f->w, "ps");
	f->manager = trial_connect(&f->w, "manager");
	trial_reload(&f->w, hub);
	report(f);
	assert_string_equal(grade(f), "A");
}

static size_t counted_events(struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->w.d.n_items; i++)
		n += f->w.d.items[i].event->what_case == IEUM__V1__EVENT__WHAT_COUNTED;
	return n;
}

static void what_has_ended_is_forgotten(void **state)
{
	struct fixture *f = *state;

	for (uint8_t subject = 1; subject <= 20; subject++)
		assert_int_equal(sign(f, f->ps, subject, 1), IEUM_E_OK);
	f->w.now += 89 * DAY_US;
	assert_int_equal(sign(f, f->ps, 1, 1), IEUM_E_OK); /* this one lives on */
	/* Two counters of nineteen subjects each; one more run has nothing left to do. */
	assert_int_equal(trial_at(&f->w, f->w.now + 2 * DAY_US), 38);
	trial_verify(&f->w);
	size_t before = f->w.events;
	(void)trial_at(&f->w, f->w.now);
	assert_int_equal(f->w.events, before);
	assert_int_equal(counted_events(f), 0);
	assert_int_equal(sign(f, f->ps, 2, 1), IEUM_E_OK);
	for (size_t i = 0; i < f->w.d.n_items; i++)
		if (f->w.d.items[i].event->what_case == IEUM__V1__EVENT__WHAT_COUNTED)
			assert_false(f->w.d.items[i].event->counted->reset);
}

static void the_oldest_of_too_many_goes(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < POLICY_COUNT_MARKS_MAX + 8; i++) {
		message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
		memset(f->token, 3, sizeof f->token);
		f->tokens[0] = (ProtobufCBinaryData){ sizeof f->token, f->token };
		f->m.envelope.subject_tokens = f->tokens;
		f->m.envelope.n_subject_tokens = 1;
		trial_submitted(&f->w, f->ps, &f->m);
		f->w.now += MIN_US;
	}
	trial_verify(&f->w);
}

static void a_forgotten_case_leaves_no_count(void **state)
{
	struct fixture *f = *state;

	open_case(f);
	message_in_case(message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST)), f->case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_answer(&f->w, f->city, f->m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	for (uint64_t id; (id = trial_release_one(&f->w, f->manager));)
		assert_int_equal(trial_done(&f->w, f->manager, id), IEUM_E_OK);
	for (uint64_t id; (id = trial_release_one(&f->w, f->city));)
		assert_int_equal(trial_done(&f->w, f->city, id), IEUM_E_OK);
	for (uint64_t id; (id = trial_release_one(&f->w, f->ps));)
		assert_int_equal(trial_done(&f->w, f->ps, id), IEUM_E_OK);
	assert_int_not_equal(trial_at(&f->w, f->w.now + 500 * DAY_US), 0);
	trial_verify(&f->w);
	/* Nothing is left that could end. */
	assert_int_equal(trial_at(&f->w, f->w.now + 9 * 366 * DAY_US), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_table_refuses_nothing_and_forgets_what_ends_first),
		TEST(of_several_rules_the_last_grade_stands),
		TEST(grades_follow_the_count),
		TEST(the_third_makes_an_alert_with_the_count_in_it),
		TEST(what_the_hub_makes_is_counted_too),
		TEST(what_lies_outside_of_the_window_counts_no_more),
		TEST(what_happened_long_ago_is_not_counted),
		TEST(a_household_is_counted_together),
		TEST(a_success_begins_the_count_anew),
		TEST(a_field_is_taken_over),
		TEST(a_report_reopens_a_closed_case),
		TEST(weights_of_one_subject_add_up),
		TEST(asking_whom_it_reaches_tells_no_count),
		TEST(a_count_is_reached_once),
		TEST(of_several_tokens_the_highest_count_is_taken),
		TEST(without_a_token_nothing_is_counted),
		TEST(different_senders_are_counted_once_each),
		TEST(each_sender_has_a_count),
		TEST(a_token_is_never_kept_whole),
		TEST(a_count_survives_restart_and_a_changed_policy),
		TEST(what_has_ended_is_forgotten),
		TEST(the_oldest_of_too_many_goes),
		TEST(a_forgotten_case_leaves_no_count),
	};

	return cmocka_run_group_tests_name("core counts", tests, NULL, NULL);
}
