/* broker/core, who hears what and when: duty in ladders, languages that ladders remember, senders
 * that hear no more than a state, who reads nothing, and when a person can be reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

static const char hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: Asia/Seoul}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  watcher: {title: {en: W, ko: 명}, may_send: [risk_signal], hears: status}\n"
	"  first: {title: {en: F, ko: 첫}, may_send: all}\n"
	"  second: {title: {en: S, ko: 둘}, may_send: all}\n"
	"  team: {title: {en: T, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: ps, ko: 가}}\n"
	"  watcher: {kind: watcher, title: {en: watcher, ko: 나}}\n"
	"  city: {kind: police, title: {en: city, ko: 다}}\n"
	"  other: {kind: police, title: {en: other, ko: 라}}\n"
	"  one: {kind: first, title: {en: one, ko: 마}, languages: {vi: female}}\n"
	"  two: {kind: second, title: {en: two, ko: 바}, languages: {vi: male}}\n"
	"  three: {kind: second, title: {en: three, ko: 사}, languages: {vi: female}, duty: night}\n"
	"  night: {kind: police, title: {en: night, ko: 아}, hours: \"00:00-24:00\", duty: late}\n"
	"  late: {kind: police, title: {en: late, ko: 자}, hours: always}\n"
	"bodies:\n"
	"  team: {kind: team, title: {en: team, ko: 팀}, roles: {help: [one, two], lead: three}, lead: lead, duty: night}\n"
	"types:\n"
	"  default: {may_open: true}\n"
	"  answer: {needs_reply_to: true}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: other\n"
	"    answer_within: 1 h\n"
	"    then: [{to: body:team/help, within: 1 h}, {to: ps, within: 1 h}]\n"
	"  - name: interpreter\n"
	"    when: {type: interpreter_request}\n"
	"    to: \"role:first\"\n"
	"    matching: {language: $language, sex: $sex}\n"
	"    answer_within: 15 min\n"
	"    then: [{to: \"role:second\"}]\n"
	"  - name: signal\n"
	"    when: {type: risk_signal}\n"
	"    to: [city, other]\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"  - name: visit\n"
	"    when: {type: visit_request}\n"
	"    to: city\n"
	"    contact_at: $visit_by_at_ms\n"
	"  - name: work\n"
	"    when: {type: service_report}\n"
	"    to: city\n"
	"  - name: withdrawn\n"
	"    when: {type: consent_withdrawal}\n"
	"    to: city\n"
	"    stops_use: true\n"
	"  - name: stop\n"
	"    when: {type: stop_use_order, addressed: true}\n"
	"    to: addressees\n"
	"    each: true\n"
	"    answer_within: 1 d\n"
	"    then: [{to: city, within: 1 d}]\n";

/* The trial begins on a Monday at 23:13 in Seoul. */
struct fixture {
	struct trial w;
	uint64_t ps, watcher, city, other, one, night;
	struct message m;
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, hub, NULL);
	f->ps = trial_connect(&f->w, "ps");
	f->watcher = trial_connect(&f->w, "watcher");
	f->city = trial_connect(&f->w, "city");
	f->other = trial_connect(&f->w, "other");
	f->one = trial_connect(&f->w, "one");
	f->night = trial_connect(&f->w, "night");
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

/* ---- duty ---- */

static void report(struct fixture *f, Ieum__V1__Urgency urgency)
{
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.envelope.urgency = urgency;
	trial_submitted(&f->w, f->ps, &f->m);
}

static void a_step_at_night_reaches_who_is_on_duty_too(void **state)
{
	struct fixture *f = *state;

	report(f, URGENCY(IMMEDIATE));
	assert_int_equal(routed(f, "night"), 0); /* nobody is on duty for `other` */
	assert_int_equal(trial_at(&f->w, f->w.now + HOUR_US), 1);
	assert_int_equal(routed(f, "team/help"), 1);
	assert_int_equal(routed(f, "night"), 1);
	const Ieum__V1__Escalated *e = f->w.d.items[0].event->escalated;
	assert_int_equal(e->n_routes, 2);
	assert_int_equal(e->routes[0]->cause, CAUSE(ESCALATED));
	assert_int_equal(e->routes[1]->cause, CAUSE(DUTY));
	/* It answers in the team's place. */
	assert_int_equal(trial_answer(&f->w, f->night, f->m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_int_equal(trial_task(&f->w, f->ps, f->m.id), TASK(ACCEPTED));
	trial_verify(&f->w);
}

static void what_can_wait_waits_in_the_inbox(void **state)
{
	struct fixture *f = *state;

	report(f, URGENCY(URGENT));
	assert_int_equal(trial_at(&f->w, f->w.now + HOUR_US), 1);
	assert_int_equal(routed(f, "team/help"), 1);
	assert_int_equal(routed(f, "night"), 0);
}

static void who_is_excluded_is_no_duty_but_the_next_is(void **state)
{
	struct fixture *f = *state;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.envelope.urgency = URGENCY(IMMEDIATE);
	message_exclude(&f->m, "night");
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_at(&f->w, f->w.now + HOUR_US), 1);
	assert_int_equal(routed(f, "team/help"), 1);
	assert_int_equal(routed(f, "night"), 0);
	assert_int_equal(routed(f, "late"), 1);
}

static void what_failed_at_night_reaches_who_is_on_duty(void **state)
{
	struct fixture *f = *state;
	uint64_t three = trial_connect(&f->w, "three");

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.envelope.urgency = URGENCY(IMMEDIATE);
	trial_submitted(&f->w, three, &f->m);
	assert_int_equal(trial_at(&f->w, f->w.now + HOUR_US), 1);
	assert_int_equal(trial_at(&f->w, f->w.now + HOUR_US), 1);
	uint64_t before = routed(f, "night");
	assert_true(trial_at(&f->w, f->w.now + HOUR_US) >= 2);
	assert_int_equal(trial_task(&f->w, three, f->m.id), TASK(FAILED));
	assert_int_equal(routed(f, "three"), 1);
	assert_int_equal(routed(f, "night"), before + 1);
	trial_verify(&f->w);
}

/* ---- languages ---- */

static void a_ladder_remembers_the_language(void **state)
{
	struct fixture *f = *state;

	message_new(&f->w, &f->m, TYPE(INTERPRETER_REQUEST));
	f->m.interpreter.language = (char *)"vi";
	f->m.interpreter.sex = IEUM__V1__SEX__SEX_FEMALE;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(routed(f, "one"), 1);
	trial_verify(&f->w); /* from a snapshot too */
	assert_int_equal(trial_at(&f->w, f->w.now + 15 * MIN_US), 1);
	assert_int_equal(routed(f, "two"), 0);
	assert_int_equal(routed(f, "three"), 1);
}

static void reach_names_the_same_ladder(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery of = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	message_new(&f->w, &f->m, TYPE(INTERPRETER_REQUEST));
	f->m.interpreter.language = (char *)"vi";
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &of;
	of.referral = &f->m.referral;
	const Ieum__V1__Result *r = trial_query(&f->w, f->ps, &q, &err);
	assert_non_null(r);
	assert_string_equal(r->reach->entries[0]->ladder[0], "role:second[vi]");
}

/* ---- who hears no more than a state ---- */

static void signal_sent(struct fixture *f, bool in_case)
{
	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	if (in_case)
		message_open_case(&f->m);
	trial_submitted(&f->w, f->watcher, &f->m);
}

/* What the hub made of the answer just recorded: nothing, or an answer of its own. */
static void made_is(struct fixture *f, Ieum__V1__AnswerKind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const struct core_item *item = &f->w.d.items[i];
		const Ieum__V1__Event *e = item->event;
		if (e->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED || e->submitted->sender)
			continue;
		Ieum__V1__Referral *r =
			ieum__v1__referral__unpack(NULL, item->payload_len, item->payload);
		assert_non_null(r);
		assert_int_equal(r->body_case, IEUM__V1__REFERRAL__BODY_ANSWER);
		assert_int_equal(r->answer->kind, kind);
		assert_int_equal(r->answer->outcome, 0);
		assert_int_equal(r->answer->reason, 0);
		assert_string_equal(r->answer->remark, "");
		assert_int_equal(r->envelope->case_id.len, 0);
		assert_int_equal(r->n_narrative, 0);
		assert_memory_equal(r->envelope->in_reply_to.data, f->m.id, CORE_ID_BYTES);
		assert_int_equal(e->submitted->case_id.len, 0);
		ieum__v1__referral__free_unpacked(r, NULL);
		n++;
	}
	assert_int_equal(n, kind != 0);
}

static void answered(struct fixture *f, uint64_t by, Ieum__V1__AnswerKind kind,
		     Ieum__V1__AnswerKind made)
{
	assert_int_equal(trial_answer(&f->w, by, f->m.id, kind), IEUM_E_OK);
	made_is(f, made);
}

static void a_watcher_learns_that_it_came_and_that_it_ended(void **state)
{
	struct fixture *f = *state;

	signal_sent(f, true);
	answered(f, f->city, ANSWER(RECEIVED), ANSWER(RECEIVED));
	answered(f, f->other, ANSWER(RECEIVED), 0);
	answered(f, f->city, ANSWER(ACCEPT), 0);
	answered(f, f->city, ANSWER(INTERIM), 0);
	answered(f, f->city, ANSWER(FAIL), 0);
	answered(f, f->other, ANSWER(COMPLETE), ANSWER(COMPLETE));
	assert_int_equal(routed(f, "watcher"), 2);
	trial_verify(&f->w);
}

static void whatever_the_end_was_it_is_complete(void **state)
{
	struct fixture *f = *state;

	signal_sent(f, false);
	answered(f, f->city, ANSWER(REJECT), ANSWER(RECEIVED));
	answered(f, f->other, ANSWER(REJECT), ANSWER(COMPLETE));
	signal_sent(f, false);
	answered(f, f->city, ANSWER(ACCEPT), ANSWER(RECEIVED));
	answered(f, f->city, ANSWER(FAIL), 0);
	answered(f, f->other, ANSWER(FAIL), ANSWER(COMPLETE));
}

static void silence_ends_it_like_any_other_end(void **state)
{
	struct fixture *f = *state;

	signal_sent(f, true);
	f->w.hub_messages = 0;
	assert_true(trial_at(&f->w, f->w.now + DAY_US) >= 2);
	assert_int_equal(f->w.hub_messages, 1);
	assert_int_equal(routed(f, "watcher"), 1);
}

static void others_hear_the_answer_itself(void **state)
{
	struct fixture *f = *state;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, f->ps, &f->m);
	answered(f, f->other, ANSWER(RECEIVED), 0);
	assert_int_equal(routed(f, "ps"), 1);
}

static void a_watcher_is_responsible_for_no_case(void **state)
{
	struct fixture *f = *state;

	signal_sent(f, true);
	assert_string_equal(trial_case(&f->w, f->city, f->m.id)->summary->owner, "city");
	/* Nor when the owner turns out to have a conflict of interest. */
	uint8_t case_id[CORE_ID_BYTES];
	memcpy(case_id, f->m.id, CORE_ID_BYTES);
	message_open_case(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)));
	message_exclude(&f->m, "city");
	trial_submitted(&f->w, f->watcher, &f->m);
	assert_string_equal(trial_case(&f->w, f->other, f->m.id)->summary->owner, "other");
}

static void a_watcher_changes_nothing_about_a_case_that_is_there(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__SafeContact any = IEUM__V1__SAFE_CONTACT__INIT;
	uint8_t case_id[CORE_ID_BYTES];

	signal_sent(f, true);
	memcpy(case_id, f->m.id, CORE_ID_BYTES);
	message_in_case(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)), case_id);
	f->m.envelope.safe_contact = &any;
	assert_int_equal(trial_submit(&f->w, f->watcher, &f->m), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(f->w.detail, "safe_contact"));
	message_in_case(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)), case_id);
	message_exclude(&f->m, "city");
	assert_int_equal(trial_submit(&f->w, f->watcher, &f->m), IEUM_E_NOT_PERMITTED);
	assert_non_null(strstr(f->w.detail, "excluded_participants"));
	message_in_case(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)), case_id);
	trial_submitted(&f->w, f->watcher, &f->m);
}

static void a_watcher_hears_of_a_withdrawn_consent_that_it_ended(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;
	uint8_t signal[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(RISK_SIGNAL)));
	f->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	f->m.basis.article = (char *)"";
	f->m.basis.consent = &consent;
	trial_submitted(&f->w, f->watcher, &f->m);
	memcpy(signal, f->m.id, CORE_ID_BYTES);
	message_in_case(message_new(&f->w, &f->m, TYPE(CONSENT_WITHDRAWAL)), signal);
	trial_submitted(&f->w, f->other, &f->m);
	memcpy(f->m.id, signal, CORE_ID_BYTES);
	made_is(f, ANSWER(COMPLETE));
	assert_int_equal(routed(f, "watcher"), 1);
}

/* ---- who reads nothing ---- */

static enum ieum_err asks(struct fixture *f, uint64_t who, Ieum__V1__Query__WhatCase what,
			  const Ieum__V1__Result **out)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CasesQuery cases = IEUM__V1__CASES_QUERY__INIT;
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__ReferralQuery referral = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__QueuesQuery queues = IEUM__V1__QUEUES_QUERY__INIT;
	enum ieum_err err = IEUM_E_OK;

	of.case_id = referral.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, f->m.id };
	reach.referral = &f->m.referral;
	q.what_case = what;
	switch (what) {
	case IEUM__V1__QUERY__WHAT_CASES: q.cases = &cases; break;
	case IEUM__V1__QUERY__WHAT_CASE: q.case_ = &of; break;
	case IEUM__V1__QUERY__WHAT_REFERRAL: q.referral = &referral; break;
	case IEUM__V1__QUERY__WHAT_DIRECTORY: q.directory = &directory; break;
	case IEUM__V1__QUERY__WHAT_REACH: q.reach = &reach; break;
	case IEUM__V1__QUERY__WHAT_QUEUES: q.queues = &queues; break;
	default: q.whoami = &whoami; break;
	}
	*out = trial_query(&f->w, who, &q, &err);
	return *out ? IEUM_E_OK : err;
}

static void a_watcher_reads_nothing_not_even_what_it_sent(void **state)
{
	static const Ieum__V1__Query__WhatCase refused[] = {
		IEUM__V1__QUERY__WHAT_CASES,
		IEUM__V1__QUERY__WHAT_CASE,
		IEUM__V1__QUERY__WHAT_REFERRAL,
		IEUM__V1__QUERY__WHAT_REACH,
	};
	struct fixture *f = *state;
	const Ieum__V1__Result *r;

	signal_sent(f, true);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_int_equal(asks(f, f->watcher, refused[i], &r), IEUM_E_NOT_PERMITTED);
	assert_int_equal(asks(f, f->watcher, IEUM__V1__QUERY__WHAT_QUEUES, &r),
			 IEUM_E_NOT_PERMITTED);
	assert_int_equal(asks(f, f->watcher, IEUM__V1__QUERY__WHAT_WHOAMI, &r), IEUM_E_OK);
	assert_string_equal(r->whoami->participant, "watcher");
	assert_int_equal(asks(f, f->watcher, IEUM__V1__QUERY__WHAT_DIRECTORY, &r), IEUM_E_OK);
	assert_int_equal(r->directory->n_entries, 1);
	assert_string_equal(r->directory->entries[0]->name, "watcher");
	assert_int_equal(asks(f, f->city, IEUM__V1__QUERY__WHAT_CASE, &r), IEUM_E_OK);
	assert_int_equal(asks(f, f->city, IEUM__V1__QUERY__WHAT_DIRECTORY, &r), IEUM_E_OK);
	assert_int_equal(r->directory->n_entries, 10);
}

/* ---- safe contact ---- */

/* Tuesdays 10:00 to 12:00. */
static struct message *safe_report(struct fixture *f, Ieum__V1__SafeContact *contact)
{
	static uint32_t tuesday = 2;
	static Ieum__V1__ContactWindow window;
	static Ieum__V1__ContactWindow *windows[] = { &window };

	ieum__v1__contact_window__init(&window);
	window.weekdays = &tuesday;
	window.n_weekdays = 1;
	window.from_minute = 600;
	window.until_minute = 720;
	ieum__v1__safe_contact__init(contact);
	contact->windows = windows;
	contact->n_windows = 1;
	contact->neutral_only = true;
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.envelope.safe_contact = contact;
	return &f->m;
}

static enum ieum_err visit(struct fixture *f, const uint8_t *case_id, core_time_us after)
{
	struct message m;

	message_in_case(message_new(&f->w, &m, TYPE(VISIT_REQUEST)), case_id);
	m.visit.visit_by_at_ms = (f->w.now + after) / 1000;
	return trial_submit(&f->w, f->ps, &m);
}

static void a_case_remembers_when_the_person_can_be_reached(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__SafeContact contact, any = IEUM__V1__SAFE_CONTACT__INIT;
	uint8_t case_id[CORE_ID_BYTES];

	trial_submitted(&f->w, f->ps, safe_report(f, &contact));
	memcpy(case_id, f->m.id, CORE_ID_BYTES);
	/* The next morning is a Tuesday's. */
	assert_int_equal(visit(f, case_id, 10 * HOUR_US), IEUM_E_UNSAFE_CONTACT_TIME);
	assert_int_equal(visit(f, case_id, 12 * HOUR_US), IEUM_E_OK);
	assert_int_equal(visit(f, case_id, 36 * HOUR_US), IEUM_E_UNSAFE_CONTACT_TIME);
	trial_verify(&f->w);
	const Ieum__V1__CaseResult *k = trial_case(&f->w, f->ps, case_id);
	assert_non_null(k->safe_contact);
	assert_true(k->safe_contact->neutral_only);
	assert_int_equal(k->safe_contact->n_windows, 1);
	assert_int_equal(k->safe_contact->windows[0]->n_weekdays, 1);
	assert_int_equal(k->safe_contact->windows[0]->weekdays[0], 2);
	assert_int_equal(k->safe_contact->windows[0]->from_minute, 600);
	assert_int_equal(k->safe_contact->windows[0]->until_minute, 720);
	/* The newest word counts. */
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), case_id);
	f->m.envelope.safe_contact = &any;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(visit(f, case_id, 36 * HOUR_US), IEUM_E_OK);
	trial_verify(&f->w);
}

static void a_window_can_end_at_midnight(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__SafeContact contact;
	uint8_t case_id[CORE_ID_BYTES];
	struct message *m = safe_report(f, &contact);
	core_time_us midnight = (f->w.now + 9 * HOUR_US) / DAY_US * DAY_US + DAY_US - 9 * HOUR_US;

	contact.windows[0]->until_minute = 24 * 60;
	trial_submitted(&f->w, f->ps, m);
	memcpy(case_id, m->id, CORE_ID_BYTES);
	/* Monday's, then Tuesday's. */
	assert_int_equal(visit(f, case_id, midnight - f->w.now), IEUM_E_UNSAFE_CONTACT_TIME);
	assert_int_equal(visit(f, case_id, midnight + DAY_US - f->w.now), IEUM_E_OK);
	assert_int_equal(visit(f, case_id, midnight + DAY_US + MIN_US - f->w.now),
			 IEUM_E_UNSAFE_CONTACT_TIME);
}

static void a_window_that_is_none_is_refused(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__SafeContact contact;
	struct message *m = safe_report(f, &contact);

	contact.windows[0]->from_minute = 720;
	assert_int_equal(trial_submit(&f->w, f->ps, m), IEUM_E_FIELD_INVALID);
	assert_non_null(strstr(f->w.detail, "safe_contact.windows[0]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_step_at_night_reaches_who_is_on_duty_too),
		TEST(who_is_excluded_is_no_duty_but_the_next_is),
		TEST(what_failed_at_night_reaches_who_is_on_duty),
		TEST(what_can_wait_waits_in_the_inbox),
		TEST(a_ladder_remembers_the_language),
		TEST(reach_names_the_same_ladder),
		TEST(a_watcher_learns_that_it_came_and_that_it_ended),
		TEST(whatever_the_end_was_it_is_complete),
		TEST(silence_ends_it_like_any_other_end),
		TEST(a_watcher_is_responsible_for_no_case),
		TEST(a_watcher_changes_nothing_about_a_case_that_is_there),
		TEST(a_watcher_hears_of_a_withdrawn_consent_that_it_ended),
		TEST(others_hear_the_answer_itself),
		TEST(a_watcher_reads_nothing_not_even_what_it_sent),
		TEST(a_case_remembers_when_the_person_can_be_reached),
		TEST(a_window_can_end_at_midnight),
		TEST(a_window_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
