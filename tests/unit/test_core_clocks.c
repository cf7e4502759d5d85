/* broker/core, clocks of cases: what messages and time do to them, that nothing fires twice, and
 * that a replay and a snapshot know the same of them at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/case_clock.h"
#include "tests/unit/core_trial.h"
#include "tests/unit/hub_text.h"

/* A Monday, 09:00 in Seoul. */
#define MONDAY_US ((core_time_us)1790553600 * 1000 * 1000)

static const char head[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  official: {title: {en: C, ko: 공}, may_send: all}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: ps, ko: 가}}\n"
	"  city: {kind: official, title: {en: city, ko: 나}}\n"
	"  boss: {kind: official, title: {en: boss, ko: 다}}\n"
	"  other: {kind: official, title: {en: other, ko: 라}}\n"
	"types:\n"
	"  default: {needs_case: true, may_open: true, needs_basis: true}\n"
	"  answer: {needs_case: false, needs_basis: false, needs_reply_to: true}\n"
	"rules:\n"
	"  - {name: report, when: {type: report_received}, to: city, owner: city}\n"
	"  - {name: monitor, when: {type: monitoring_due}, to: city, answer_within: 3 d}\n"
	"  - {name: traffic, when: {type: [report_received, service_report, monitoring_due]}, to: case_owner, restarts: silence}\n"
	"  - {name: told, when: {type: deadline_notice, clock: by-rule}, to: boss, answer_within: 1 d}\n"
	"  - {name: support, when: {type: referral}, to: boss, starts: by-rule, answer_within: 30 d}\n"
	"  - {name: measure, when: {type: emergency_measure_report, extension_needed: false}, to: city,\n"
	"     starts: emergency}\n"
	"  - {name: longer, when: {type: emergency_measure_report, extension_needed: true}, to: city,\n"
	"     extends: emergency}\n"
	"  - {name: filed, when: {type: court_filing_notice}, to: city, freezes: emergency,\n"
	"     acted_at: $filed_at_ms}\n"
	"  - {name: watch, when: {type: recurrence_alert}, to: city, starts: again}\n"
	"  - {name: seen, when: {type: dispatch_result}, to: city, stops: again}\n"
	"  - {name: judged, when: {type: case_judgement}, to: city, resumes: emergency}\n"
	"  - {name: order, when: {type: temporary_measure_notice}, to: city, stops: emergency, starts: order}\n"
	"  - {name: order-again, when: {type: conference_minutes}, to: city, extends: order}\n"
	"  - {name: plan, when: {type: case_plan}, to: city, starts: monthly}\n"
	"  - {name: done, when: {type: contact_result}, to: city, stops: [monthly, by-rule]}\n"
	"  - {name: keep, when: {type: protection_plan}, to: city, starts: kept}\n"
	"  - {name: twice, when: {type: checkin}, to: city, starts: twice}\n"
	"  - {name: twice-again, when: {type: checkin, reached: true}, extends: twice}\n"
	"  - {name: twice-over, when: {type: medical_request}, to: city, starts: twice, stops: twice}\n"
	"  - {name: booked, when: {type: answer, outcome: scheduled}, emit: {type: checkin}}\n"
	"  - {name: lone, when: {type: visit_request}, to: city, starts: last}\n"
	"  - {name: close, when: {type: closure_request}, to: city, answer_within: 1 d, on_accept: close_case}\n"
	"  - {name: at-once, when: {type: closure_notice}, to: city, case_state: closed, starts: twice}\n";

static const char clocks[] =
	"clocks:\n"
	"  emergency:\n"
	"    title: {en: Emergency measure, ko: 응급조치}\n"
	"    within: 72 h\n"
	"    from: $taken_at_ms\n"
	"    warn: [48 h, 60 h, 70 h]\n"
	"    tells: [case_owner]\n"
	"    breach_tells: [boss]\n"
	"    extend: {by: 48 h, includes: [saturday, sunday]}\n"
	"  silence: {title: {en: Silence, ko: 침묵}, within: 14 d, warn_before: [1 d], tells: case_owner, ends_at_closing: true}\n"
	"  again: {title: {en: Again, ko: 다시}, within: 5 d, warn_before: 1 d, tells: boss, begins_again: true}\n"
	"  by-rule: {title: {en: By rule, ko: 규칙}, within: 5 d, from: received, warn_before: 1 d}\n"
	"  monthly:\n"
	"    title: {en: Monthly, ko: 매월}\n"
	"    within: 1 month\n"
	"    every: true\n"
	"    then: {emit: {type: monitoring_due}}\n"
	"  order:\n"
	"    title: {en: Order, ko: 명령}\n"
	"    within: 2 months\n"
	"    from: $from_at_ms\n"
	"    warn_before: [7 d]\n"
	"    tells: case_owner\n"
	"    expires: true\n"
	"    extend: {by: 2 months, times: 2}\n"
	"  twice:\n"
	"    title: {en: Twice, ko: 두 번}\n"
	"    within: 1 d\n"
	"    warn_before: 1 h\n"
	"    tells: boss\n"
	"    extend: {by: 1 d}\n"
	"  last:\n"
	"    title: {en: Last, ko: 마지막}\n"
	"    within: 5 d\n"
	"    warn_before: 1 d\n"
	"    tells: case_owner\n"
	"    expires: true\n"
	"    then: {case_state: closed}\n"
	"  kept:\n"
	"    title: {en: Kept, ko: 보존}\n"
	"    within: 10 d\n"
	"    warn_before: 1 d\n"
	"    tells: boss\n"
	"    outlives_closing: true\n"
	"    expires: true\n"
	"    then: {case_state: reopened}\n";

struct fixture {
	struct trial w;
	char *hub;
	uint64_t ps, city, boss, other;
	uint8_t case_id[CORE_ID_BYTES];
	struct message m;
};

static char *text_of(const char *a, const char *b)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", a, b) > 0);
	return text;
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->hub = text_of(head, clocks);
	trial_start(&f->w, f->hub, NULL);
	trial_at(&f->w, MONDAY_US);
	f->ps = trial_connect(&f->w, "ps");
	f->city = trial_connect(&f->w, "city");
	f->boss = trial_connect(&f->w, "boss");
	f->other = trial_connect(&f->w, "other");
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(f->case_id, f->m.id, CORE_ID_BYTES);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	trial_stop(&f->w);
	free(f->hub);
	free(f);
	return 0;
}

/* ---- what happens ---- */

static struct message *of_type(struct fixture *f, Ieum__V1__MessageType type)
{
	message_in_case(message_new(&f->w, &f->m, type), f->case_id);
	return &f->m;
}

static void sends(struct fixture *f, Ieum__V1__MessageType type)
{
	trial_submitted(&f->w, f->ps, of_type(f, type));
	trial_verify(&f->w);
}

static void sent_earlier(struct fixture *f, Ieum__V1__MessageType type, core_time_us by_us)
{
	of_type(f, type)->envelope.occurred_at_ms = (f->w.now - by_us) / 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	trial_verify(&f->w);
}

static enum ieum_err asks_longer(struct fixture *f)
{
	of_type(f, TYPE(EMERGENCY_MEASURE_REPORT))->emergency.extension_needed = true;
	return trial_submit(&f->w, f->ps, &f->m);
}

static void passes(struct fixture *f, core_time_us by_us)
{
	trial_at(&f->w, f->w.now + by_us);
	trial_verify(&f->w);
}

/* ---- what is then so ---- */

static const Ieum__V1__ClockView *clock_of(struct fixture *f, const char *name)
{
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	const Ieum__V1__ClockView *found = NULL;

	assert_non_null(r);
	for (size_t i = 0; i < r->n_clocks; i++)
		if (strcmp(r->clocks[i]->name, name) == 0)
			found = r->clocks[i];
	return found;
}

static void clock_is(struct fixture *f, const char *name, Ieum__V1__ClockState state,
		     core_time_us due_us)
{
	const Ieum__V1__ClockView *k = clock_of(f, name);

	assert_non_null(k);
	assert_int_equal(k->state, state);
	assert_int_equal(k->due_at_ms, due_us / 1000);
}

/* Notices that the mailbox ever got. */
static uint64_t notices(struct fixture *f, const char *mailbox)
{
	static uint64_t routed_before;
	uint64_t routed = trial_counts(&f->w, mailbox).routed;
	uint64_t n = routed - routed_before;

	routed_before = routed;
	return n;
}

/* ---- tests ---- */

static void test_warns_and_is_breached(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), start_us + 72 * HOUR_US);
	(void)notices(f, "city");
	passes(f, 48 * HOUR_US - 1000);
	assert_int_equal(notices(f, "city"), 0);
	passes(f, 1000);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 12 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 10 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	assert_int_equal(trial_counts(&f->w, "boss").routed, 0);
	passes(f, 2 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	assert_int_equal(trial_counts(&f->w, "boss").routed, 1);
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), start_us + 72 * HOUR_US);
	passes(f, 30 * HOUR_US);
	assert_int_equal(notices(f, "city"), 0);

	/* Stopped at last, it stays known that it was breached. */
	sends(f, TYPE(TEMPORARY_MEASURE_NOTICE));
	clock_is(f, "emergency", CLOCK_STATE(STOPPED), start_us + 72 * HOUR_US);
	assert_int_equal(clock_of(f, "emergency")->breached_at_ms,
			 (start_us + 72 * HOUR_US) / 1000);
}

static void test_counts_from_the_act(void **state)
{
	struct fixture *f = *state;
	core_time_us taken_us = f->w.now - 50 * HOUR_US;

	of_type(f, TYPE(EMERGENCY_MEASURE_REPORT))->emergency.taken_at_ms = taken_us / 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), taken_us + 72 * HOUR_US);
	(void)notices(f, "city");
	passes(f, 9 * HOUR_US); /* 48 h were over before: nobody warns of the past */
	assert_int_equal(notices(f, "city"), 0);
	passes(f, HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
}

static void test_reported_too_late_is_breached_at_once(void **state)
{
	struct fixture *f = *state;

	sent_earlier(f, TYPE(EMERGENCY_MEASURE_REPORT), 80 * HOUR_US);
	(void)notices(f, "city");
	passes(f, 0);
	assert_int_equal(notices(f, "city"), 1);
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), f->w.now - 8 * HOUR_US);
}

static void test_missed_warnings_are_one(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	(void)notices(f, "city");
	passes(f, 71 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), start_us + 72 * HOUR_US);
}

static void test_a_leap_breaches_once(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	(void)notices(f, "city");
	passes(f, 10 * DAY_US);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 0);
	assert_int_equal(notices(f, "city"), 0);
}

static void test_start_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, HOUR_US);
	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), start_us + 72 * HOUR_US);
	assert_int_equal(trial_case(&f->w, f->city, f->case_id)->n_clocks, 2); /* and silence */
}

static void test_freeze_and_resume(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, 50 * HOUR_US);
	sends(f, TYPE(COURT_FILING_NOTICE));
	clock_is(f, "emergency", CLOCK_STATE(FROZEN), 0);
	assert_int_equal(clock_of(f, "emergency")->left_ms, 22 * HOUR_US / 1000);
	(void)notices(f, "boss");
	passes(f, 9 * DAY_US);
	assert_int_equal(notices(f, "boss"), 0);
	sends(f, TYPE(CASE_JUDGEMENT));
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), f->w.now + 22 * HOUR_US);
	(void)notices(f, "city");
	passes(f, 10 * HOUR_US); /* 60 h of its own time */
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 12 * HOUR_US);
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), f->w.now);
}

static void test_frozen_in_time_though_told_late(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, 73 * HOUR_US);
	sent_earlier(f, TYPE(COURT_FILING_NOTICE), 3 * HOUR_US);
	clock_is(f, "emergency", CLOCK_STATE(FROZEN), 0);
	assert_int_equal(clock_of(f, "emergency")->left_ms, 2 * HOUR_US / 1000);
	assert_true(clock_of(f, "emergency")->breached_at_ms > 0);
	sends(f, TYPE(TEMPORARY_MEASURE_NOTICE));
	clock_is(f, "emergency", CLOCK_STATE(STOPPED), f->w.now - HOUR_US);
}

/* Time that went by before it stood still does not go by twice. */
/* The body says when it was done, the envelope nothing. */
static void test_frozen_by_what_the_body_says(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	int64_t due_ms = clock_of(f, "emergency")->due_at_ms;
	passes(f, 80 * HOUR_US);
	assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(BREACHED));
	of_type(f, TYPE(COURT_FILING_NOTICE))->court.filed_at_ms = due_ms;
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(BREACHED));
	of_type(f, TYPE(COURT_FILING_NOTICE))->court.filed_at_ms = due_ms - 1000;
	trial_submitted(&f->w, f->ps, &f->m);
	trial_verify(&f->w);
	assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(FROZEN));
	assert_int_equal(clock_of(f, "emergency")->left_ms, 1000);
}

static void test_nothing_was_done_in_the_future(void **state)
{
	struct fixture *f = *state;
	int64_t now_ms = f->w.now / 1000;

	of_type(f, TYPE(EMERGENCY_MEASURE_REPORT))->emergency.taken_at_ms = now_ms + 10 * 60000 + 1;
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_FIELD_INVALID);
	assert_null(clock_of(f, "emergency"));
	of_type(f, TYPE(EMERGENCY_MEASURE_REPORT))->emergency.taken_at_ms = now_ms + 10 * 60000;
	trial_submitted(&f->w, f->ps, &f->m);
	of_type(f, TYPE(COURT_FILING_NOTICE))->court.filed_at_ms = now_ms + 10 * 60000 + 1;
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_FIELD_INVALID);
	assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(RUNNING));
}

/* What nobody noticed is told again, and stays listed as a breach meanwhile. */
static void test_breached_it_begins_again(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	sends(f, TYPE(RECURRENCE_ALERT));
	(void)notices(f, "boss");
	passes(f, 4 * DAY_US);
	passes(f, DAY_US);
	clock_is(f, "again", CLOCK_STATE(RUNNING), start_us + 10 * DAY_US);
	assert_int_equal(clock_of(f, "again")->breached_at_ms, (start_us + 5 * DAY_US) / 1000);
	assert_int_equal(notices(f, "boss"), 2);
	trial_restart(&f->w);
	f->ps = trial_connect(&f->w, "ps");
	f->city = trial_connect(&f->w, "city");
	passes(f, 4 * DAY_US);
	passes(f, DAY_US);
	assert_int_equal(notices(f, "boss"), 2);
	/* The hub was down for three rounds: one breach, and a whole one from now on. */
	f->w.now += 15 * DAY_US;
	passes(f, DAY_US);
	clock_is(f, "again", CLOCK_STATE(RUNNING), f->w.now + 5 * DAY_US);
	sends(f, TYPE(DISPATCH_RESULT));
	assert_int_equal(clock_of(f, "again")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(clock_of(f, "again")->breached_at_ms, (start_us + 15 * DAY_US) / 1000);
	passes(f, 10 * DAY_US);
	assert_int_equal(clock_of(f, "again")->state, CLOCK_STATE(STOPPED));
}

/* What its own end sets off may be the act that stops it: then it doesn't run again. */
static void test_stopped_by_its_end_it_does_not_begin_again(void **state)
{
	struct fixture *f = *state;
	char *hub = hub_text_changed(f->hub, "tells: boss, begins_again: true}",
				     "tells: boss, begins_again: true, "
				     "then: {emit: {type: dispatch_result}}}");

	trial_reload(&f->w, hub);
	free(hub);
	sends(f, TYPE(RECURRENCE_ALERT));
	core_time_us start_us = f->w.now;
	passes(f, 5 * DAY_US);
	assert_int_equal(clock_of(f, "again")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(clock_of(f, "again")->breached_at_ms, (start_us + 5 * DAY_US) / 1000);
}

/* A schedule that nobody would keep must not seem to run. */
static void test_in_no_case_nothing_starts_anew(void **state)
{
	struct fixture *f = *state;

	message_new(&f->w, &f->m, TYPE(SERVICE_REPORT));
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_FIELD_MISSING);
}

static void test_resumed_no_earlier_than_frozen(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	core_time_us end_us = f->w.now + 72 * HOUR_US;
	passes(f, 50 * HOUR_US);
	sends(f, TYPE(COURT_FILING_NOTICE));
	passes(f, HOUR_US);
	sent_earlier(f, TYPE(CASE_JUDGEMENT), 400 * DAY_US);
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), end_us);
}

/* The hub was away when it ended: whoever comes first must not hide that. */
static void test_stopped_after_its_end_it_was_breached(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	core_time_us end_us = f->w.now + 72 * HOUR_US;
	f->w.now = end_us + HOUR_US;
	sends(f, TYPE(TEMPORARY_MEASURE_NOTICE));
	clock_is(f, "emergency", CLOCK_STATE(STOPPED), end_us);
	assert_int_equal(clock_of(f, "emergency")->breached_at_ms, end_us / 1000);
}

static void test_stopped_in_time_though_told_late(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	f->w.now += 73 * HOUR_US;
	sent_earlier(f, TYPE(TEMPORARY_MEASURE_NOTICE), 2 * HOUR_US);
	assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(clock_of(f, "emergency")->breached_at_ms, 0);
}

static void test_told_late_it_starts_no_shorter_time(void **state)
{
	struct fixture *f = *state;
	core_time_us end_us = f->w.now + 14 * DAY_US;

	passes(f, DAY_US);
	sent_earlier(f, TYPE(SERVICE_REPORT), 13 * DAY_US);
	clock_is(f, "silence", CLOCK_STATE(RUNNING), end_us);
}

static void test_begins_at_no_far_time(void **state)
{
	struct fixture *f = *state;

	of_type(f, TYPE(TEMPORARY_MEASURE_NOTICE))->measure.from_at_ms =
		(f->w.now + 4000 * DAY_US) / 1000;
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_FIELD_INVALID);
	assert_null(clock_of(f, "order"));
}

/* The ninth of those that nobody stopped. */
static void test_starts_however_many_were_breached(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 9; i++) {
		sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
		clock_is(f, "emergency", CLOCK_STATE(RUNNING), f->w.now + 72 * HOUR_US);
		passes(f, 4 * DAY_US);
		assert_int_equal(clock_of(f, "emergency")->state, CLOCK_STATE(BREACHED));
	}
}

static void test_freezing_what_is_over_changes_nothing(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, 73 * HOUR_US);
	sends(f, TYPE(COURT_FILING_NOTICE));
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), f->w.now - HOUR_US);
}

static void test_extended_over_a_weekend(void **state)
{
	struct fixture *f = *state;

	passes(f, 4 * DAY_US); /* Friday */
	core_time_us start_us = f->w.now;
	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, 49 * HOUR_US);
	assert_int_equal(asks_longer(f), IEUM_E_OK);
	trial_verify(&f->w);
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), start_us + 120 * HOUR_US);
	assert_int_equal(asks_longer(f), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(f->w.detail, "all that it may get"));

	/* The warnings move along with the end. */
	(void)notices(f, "city");
	passes(f, 46 * HOUR_US);
	assert_int_equal(notices(f, "city"), 0);
	passes(f, HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 22 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 2 * HOUR_US);
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), start_us + 120 * HOUR_US);
	assert_int_equal(asks_longer(f), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(f->w.detail, "it is over"));
}

static void test_not_extended_without_a_weekend(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	assert_int_equal(asks_longer(f), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(f->w.detail, "does not run in this case"));
	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	assert_int_equal(asks_longer(f), IEUM_E_STATE_CONFLICT);
	assert_non_null(strstr(f->w.detail, "no saturday, sunday"));
	clock_is(f, "emergency", CLOCK_STATE(RUNNING), start_us + 72 * HOUR_US);
}

static void test_expires_without_a_breach(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__DeadlinesQuery of = IEUM__V1__DEADLINES_QUERY__INIT;
	enum ieum_err err;

	sends(f, TYPE(TEMPORARY_MEASURE_NOTICE));
	sends(f, TYPE(CONFERENCE_MINUTES));
	sends(f, TYPE(CONFERENCE_MINUTES));
	assert_int_equal(trial_submit(&f->w, f->ps, of_type(f, TYPE(CONFERENCE_MINUTES))),
			 IEUM_E_STATE_CONFLICT);
	assert_int_equal(clock_of(f, "order")->extensions, 2);
	int64_t due_ms = clock_of(f, "order")->due_at_ms;
	assert_true(due_ms > (f->w.now + 180 * DAY_US) / 1000);
	trial_at(&f->w, due_ms * 1000);
	trial_verify(&f->w);
	clock_is(f, "order", CLOCK_STATE(STOPPED), due_ms * 1000);
	assert_int_equal(clock_of(f, "order")->breached_at_ms, 0);

	q.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	q.deadlines = &of;
	of.breached = true;
	const Ieum__V1__Result *r = trial_query(&f->w, f->city, &q, &err);
	assert_non_null(r);
	for (size_t i = 0; i < r->deadlines->n_entries; i++)
		assert_string_not_equal(r->deadlines->entries[i]->clock->name, "order");
}

static void test_schedule_comes_round(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;

	sends(f, TYPE(CASE_PLAN));
	size_t before = f->w.hub_messages;
	passes(f, 20 * DAY_US);
	size_t notices_of_silence = f->w.hub_messages - before;
	passes(f, 11 * DAY_US);
	assert_int_equal(f->w.hub_messages - before, notices_of_silence + 1);
	const Ieum__V1__ClockView *k = clock_of(f, "monthly");
	assert_int_equal(k->state, CLOCK_STATE(RUNNING));
	assert_true(k->due_at_ms > f->w.now / 1000);
	assert_int_equal(k->breached_at_ms, 0);

	/* After a long sleep it comes round once, and is on its days again. */
	trial_at(&f->w, f->w.now + 100 * DAY_US);
	trial_verify(&f->w);
	size_t rounds = 0;
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	for (size_t i = 0; i < r->n_timeline; i++)
		rounds += r->timeline[i]->type == TYPE(MONITORING_DUE) &&
			  r->timeline[i]->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED;
	assert_int_equal(rounds, 2);
	assert_true(clock_of(f, "monthly")->due_at_ms > f->w.now / 1000);
	assert_true(clock_of(f, "monthly")->due_at_ms < (f->w.now + 32 * DAY_US) / 1000);
	assert_true(f->w.now > start_us);

	sends(f, TYPE(CONTACT_RESULT));
	assert_int_equal(clock_of(f, "monthly")->state, CLOCK_STATE(STOPPED));
}

/* A Sunday, 31 January 2027, 09:00 in Seoul. */
#define LAST_OF_JANUARY_US (MONDAY_US + 125 * DAY_US)

/* Whatever happens in between: replayed, from a snapshot, and after a night without a hub. */
static void test_schedule_stays_on_its_day(void **state)
{
	/* 28 February, 31 March, 30 April, 31 May, 30 June. */
	static const int days[] = { 28, 59, 89, 120, 150 };
	struct fixture *f = *state;

	trial_at(&f->w, LAST_OF_JANUARY_US);
	sends(f, TYPE(CASE_PLAN));
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		clock_is(f, "monthly", CLOCK_STATE(RUNNING), LAST_OF_JANUARY_US + days[i] * DAY_US);
		trial_at(&f->w, LAST_OF_JANUARY_US + days[i] * DAY_US + HOUR_US);
		trial_verify(&f->w);
	}
	/* July and August are passed over. */
	trial_at(&f->w, LAST_OF_JANUARY_US + 220 * DAY_US);
	trial_verify(&f->w);
	clock_is(f, "monthly", CLOCK_STATE(RUNNING), LAST_OF_JANUARY_US + 242 * DAY_US);
}

static void test_traffic_starts_anew(void **state)
{
	struct fixture *f = *state;

	clock_is(f, "silence", CLOCK_STATE(RUNNING), f->w.now + 14 * DAY_US);
	passes(f, 10 * DAY_US);
	sends(f, TYPE(SERVICE_REPORT));
	clock_is(f, "silence", CLOCK_STATE(RUNNING), f->w.now + 14 * DAY_US);
	passes(f, 14 * DAY_US);
	clock_is(f, "silence", CLOCK_STATE(BREACHED), f->w.now);

	/* Whoever comes at last starts it anew; the breach stays listed. */
	sends(f, TYPE(SERVICE_REPORT));
	clock_is(f, "silence", CLOCK_STATE(RUNNING), f->w.now + 14 * DAY_US);
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	assert_int_equal(r->n_clocks, 2);
	assert_int_equal(r->clocks[0]->state, CLOCK_STATE(STOPPED));
	assert_true(r->clocks[0]->breached_at_ms > 0);
	assert_int_equal(r->summary->breached_clocks, 0);
}

static void test_the_hub_is_no_traffic(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(CASE_PLAN));
	passes(f, 25 * DAY_US);
	sends(f, TYPE(SERVICE_REPORT));
	core_time_us silent_us = f->w.now + 14 * DAY_US;
	passes(f, 7 * DAY_US); /* its own monitoring_due comes round */
	clock_is(f, "silence", CLOCK_STATE(RUNNING), silent_us);
}

/* Every rule that fits applies, in the order of the file. */
static void test_several_acts_of_one_message(void **state)
{
	struct fixture *f = *state;

	of_type(f, TYPE(CHECKIN))->checkin.reached = true;
	trial_submitted(&f->w, f->ps, &f->m);
	trial_verify(&f->w);
	clock_is(f, "twice", CLOCK_STATE(RUNNING), f->w.now + 2 * DAY_US);
	assert_int_equal(clock_of(f, "twice")->extensions, 1);
	sends(f, TYPE(MEDICAL_REQUEST));
	clock_is(f, "twice", CLOCK_STATE(STOPPED), f->w.now + 2 * DAY_US);
	sends(f, TYPE(MEDICAL_REQUEST));
	clock_is(f, "twice", CLOCK_STATE(STOPPED), f->w.now + DAY_US);
}

static void test_told_by_rules_with_all_they_say(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(REFERRAL));
	(void)notices(f, "boss");
	passes(f, 4 * DAY_US);
	assert_int_equal(notices(f, "boss"), 1);
	/* The rule makes a request of it. */
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	assert_int_equal(r->summary->open_requests, 2);
	passes(f, DAY_US);
	clock_is(f, "by-rule", CLOCK_STATE(BREACHED), f->w.now);
}

static void closes(struct fixture *f)
{
	of_type(f, TYPE(CLOSURE_REQUEST));
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_answer(&f->w, f->city, f->m.id, ANSWER(ACCEPT)), IEUM_E_OK);
	trial_verify(&f->w);
}

/* Only its act stops it, neither a closing nor that it stands still. */
static void refuses_to_close(struct fixture *f)
{
	of_type(f, TYPE(CLOSURE_REQUEST));
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_answer(&f->w, f->city, f->m.id, ANSWER(ACCEPT)), IEUM_E_DOMAIN_OPEN);
	assert_non_null(strstr(f->w.detail, "clock 'emergency'"));
}

static void test_closing_stops_but_what_outlives(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	sends(f, TYPE(PROTECTION_PLAN));
	int64_t due_ms = clock_of(f, "kept")->due_at_ms;
	refuses_to_close(f);
	sends(f, TYPE(COURT_FILING_NOTICE));
	refuses_to_close(f);
	sends(f, TYPE(TEMPORARY_MEASURE_NOTICE));
	closes(f);
	assert_int_equal(clock_of(f, "order")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(clock_of(f, "silence")->state, CLOCK_STATE(STOPPED));
	clock_is(f, "kept", CLOCK_STATE(RUNNING), due_ms * 1000);
	passes(f, 10 * DAY_US);
	assert_int_equal(clock_of(f, "kept")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(trial_case(&f->w, f->city, f->case_id)->summary->state, CASE(REOPENED));
}

static void test_closing_message_starts_nothing(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(CLOSURE_NOTICE));
	assert_null(clock_of(f, "twice"));
	assert_int_equal(clock_of(f, "silence")->state, CLOCK_STATE(STOPPED));
}

/* What the closing answer makes the hub send comes after the closing. */
static void test_what_follows_a_closing_starts_nothing(void **state)
{
	struct fixture *f = *state;
	struct message m;

	of_type(f, TYPE(CLOSURE_REQUEST))->closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	message_reply(message_new(&f->w, &m, TYPE(ANSWER)), f->m.id);
	m.answer.kind = ANSWER(ACCEPT);
	m.answer.outcome = IEUM__V1__OUTCOME__OUTCOME_SCHEDULED;
	trial_submitted(&f->w, f->city, &m);
	trial_verify(&f->w);
	assert_int_equal(trial_case(&f->w, f->city, f->case_id)->summary->state, CASE(CLOSED));
	assert_null(clock_of(f, "twice"));
}

static void test_an_end_that_closes_is_told_as_any_closing(void **state)
{
	struct fixture *f = *state;

	sends(f, TYPE(VISIT_REQUEST));
	passes(f, 5 * DAY_US - MIN_US);
	uint64_t routed = trial_counts(&f->w, "ps").routed;
	passes(f, MIN_US);
	assert_int_equal(trial_case(&f->w, f->city, f->case_id)->summary->state, CASE(CLOSED));
	assert_int_equal(trial_counts(&f->w, "ps").routed, routed + 1);
	/* Nor is it told twice. */
	passes(f, DAY_US);
	assert_int_equal(trial_counts(&f->w, "ps").routed, routed + 1);
}

static void test_goes_on_without_its_policy(void **state)
{
	struct fixture *f = *state;
	core_time_us start_us = f->w.now;
	char *without = strdup(f->hub);

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	/* Another clock in its place. */
	for (char *at = without; (at = strstr(at, "emergency")) != NULL; at++)
		if (strncmp(at, "emergency_", 10) != 0)
			memcpy(at, "exigentia", 9);
	trial_reload(&f->w, without);
	free(without);
	(void)notices(f, "city");
	passes(f, 48 * HOUR_US);
	assert_int_equal(notices(f, "city"), 1);
	passes(f, 24 * HOUR_US);
	clock_is(f, "emergency", CLOCK_STATE(BREACHED), start_us + 72 * HOUR_US);
	assert_string_equal(clock_of(f, "emergency")->title_en, "");
}

static void test_a_schedule_without_its_policy_is_over_and_no_breach(void **state)
{
	struct fixture *f = *state;
	char *without = strdup(f->hub);

	sends(f, TYPE(CASE_PLAN));
	for (char *at = without; (at = strstr(at, "monthly")) != NULL; at++)
		memcpy(at, "mensual", 7);
	trial_reload(&f->w, without);
	free(without);
	(void)notices(f, "city");
	passes(f, 31 * DAY_US);
	assert_int_equal(clock_of(f, "monthly")->state, CLOCK_STATE(STOPPED));
	assert_int_equal(clock_of(f, "monthly")->breached_at_ms, 0);
	assert_true(notices(f, "city") > 0);
}

static void test_a_full_case_forgets_stopped_ones(void **state)
{
	struct fixture *f = *state;

	passes(f, 14 * DAY_US);
	sends(f, TYPE(SERVICE_REPORT));
	for (int i = 0; i < CASE_CLOCKS_MAX + 10; i++) {
		trial_submitted(&f->w, f->ps, of_type(f, TYPE(CASE_PLAN)));
		trial_submitted(&f->w, f->ps, of_type(f, TYPE(CONTACT_RESULT)));
	}
	trial_verify(&f->w);
	/* The silence that was breached is remembered longer. */
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	assert_int_equal(r->n_clocks, CASE_CLOCKS_MAX);
	assert_string_equal(r->clocks[0]->name, "silence");
	assert_true(r->clocks[0]->breached_at_ms > 0);
	clock_is(f, "silence", CLOCK_STATE(RUNNING), f->w.now + 14 * DAY_US);
}

static size_t breaches_listed(struct fixture *f)
{
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	size_t n = 0;

	for (size_t i = 0; i < r->n_clocks; i++)
		n += r->clocks[i]->breached_at_ms > 0 && strcmp(r->clocks[i]->name, "twice") == 0;
	return n;
}

/* By a plain rule, without anybody's approval. */
static void test_a_rule_that_closes_tells_who_referred(void **state)
{
	struct fixture *f = *state;
	size_t told = 0;

	trial_submitted(&f->w, f->ps, of_type(f, TYPE(SERVICE_REPORT)));
	trial_submitted(&f->w, f->city, of_type(f, TYPE(CLOSURE_NOTICE)));
	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const Ieum__V1__Event *e = f->w.d.items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && !e->submitted->sender &&
		    e->submitted->type == TYPE(CLOSURE_NOTICE))
			for (size_t k = 0; k < e->submitted->n_routes; k++)
				told += e->submitted->routes[k]->cause == CAUSE(OUTCOME);
	}
	assert_int_equal(told, 1); /* ps; the city has sent nothing before */
	assert_int_equal(trial_counts(&f->w, "ps").routed, 1);
	assert_int_equal(trial_case(&f->w, f->ps, f->case_id)->summary->state, CASE(CLOSED));
	trial_verify(&f->w);
}

/* A case that could only forget a breach takes no clock more, and says so. */
static void test_a_breach_is_never_forgotten(void **state)
{
	struct fixture *f = *state;
	enum ieum_err err = IEUM_E_OK;
	size_t n = 0;

	while (!err && n < CASE_CLOCKS_MAX) {
		err = trial_submit(&f->w, f->ps, of_type(f, TYPE(CHECKIN)));
		n += !err;
		trial_at(&f->w, f->w.now + DAY_US);
	}
	assert_int_equal(err, IEUM_E_HUB_FULL);
	assert_non_null(strstr(f->w.detail, "clock 'twice'"));
	assert_true(n > CASE_CLOCKS_MAX / 2);
	assert_int_equal(breaches_listed(f), n);
	/* What starts no clock goes on as ever. */
	sends(f, TYPE(CASE_JUDGEMENT));
	assert_int_equal(breaches_listed(f), n);
}

static void test_timeline_names_the_clock(void **state)
{
	struct fixture *f = *state;
	size_t seen = 0;

	sends(f, TYPE(EMERGENCY_MEASURE_REPORT));
	passes(f, 72 * HOUR_US);
	const Ieum__V1__CaseResult *r = trial_case(&f->w, f->city, f->case_id);
	for (size_t i = 0; i < r->n_timeline; i++) {
		const Ieum__V1__TimelineEntry *e = r->timeline[i];
		if (e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CLOCK ||
		    strcmp(e->name, "emergency") != 0)
			continue;
		assert_int_equal(e->clock_change,
				 seen == 0 ? CLOCK_CHANGE(STARTED) : CLOCK_CHANGE(BREACHED));
		seen++;
		assert_int_equal(e->due_at_ms, f->w.now / 1000);
	}
	assert_int_equal(seen, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_warns_and_is_breached),
		TEST(test_counts_from_the_act),
		TEST(test_reported_too_late_is_breached_at_once),
		TEST(test_missed_warnings_are_one),
		TEST(test_a_leap_breaches_once),
		TEST(test_start_again_changes_nothing),
		TEST(test_freeze_and_resume),
		TEST(test_frozen_in_time_though_told_late),
		TEST(test_frozen_by_what_the_body_says),
		TEST(test_nothing_was_done_in_the_future),
		TEST(test_breached_it_begins_again),
		TEST(test_stopped_by_its_end_it_does_not_begin_again),
		TEST(test_in_no_case_nothing_starts_anew),
		TEST(test_freezing_what_is_over_changes_nothing),
		TEST(test_extended_over_a_weekend),
		TEST(test_not_extended_without_a_weekend),
		TEST(test_expires_without_a_breach),
		TEST(test_schedule_comes_round),
		TEST(test_schedule_stays_on_its_day),
		TEST(test_traffic_starts_anew),
		TEST(test_the_hub_is_no_traffic),
		TEST(test_several_acts_of_one_message),
		TEST(test_told_by_rules_with_all_they_say),
		TEST(test_closing_stops_but_what_outlives),
		TEST(test_closing_message_starts_nothing),
		TEST(test_what_follows_a_closing_starts_nothing),
		TEST(test_an_end_that_closes_is_told_as_any_closing),
		TEST(test_resumed_no_earlier_than_frozen),
		TEST(test_stopped_after_its_end_it_was_breached),
		TEST(test_stopped_in_time_though_told_late),
		TEST(test_told_late_it_starts_no_shorter_time),
		TEST(test_begins_at_no_far_time),
		TEST(test_starts_however_many_were_breached),
		TEST(test_goes_on_without_its_policy),
		TEST(test_a_schedule_without_its_policy_is_over_and_no_breach),
		TEST(test_a_full_case_forgets_stopped_ones),
		TEST(test_a_breach_is_never_forgotten),
		TEST(test_a_rule_that_closes_tells_who_referred),
		TEST(test_timeline_names_the_clock),
	};

	return cmocka_run_group_tests_name("clocks of cases", tests, NULL, NULL);
}
