/* broker/core, what has an end: participants of a case, queues that hub-made messages fill, and
 * what may be forgotten though something older was never taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

enum { EXTRAS = CORE_CASE_MEMBERS_MAX + 6, HUB_BYTES = 32768 };

struct fixture {
	struct trial w;
	char hub[HUB_BYTES];
	struct message m;
};

/* The test hub with one line more after, or instead of, what is found. */
static void edit(char *hub, const char *found, const char *with)
{
	char *at = strstr(hub, found);
	size_t old = strlen(found);
	size_t new = strlen(with);

	assert_non_null(at);
	assert_true(strlen(hub) + new < HUB_BYTES);
	memmove(at + new, at + old, strlen(at + old) + 1);
	memcpy(at, with, new);
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char extras[EXTRAS * 64] = "participants:\n";

	for (int i = 0; i < EXTRAS; i++)
		snprintf(extras + strlen(extras), sizeof extras - strlen(extras),
			 "  x-%03d: {kind: office, title: {en: x, ko: 엑}}\n", i);
	memcpy(f->hub, trial_hub, strlen(trial_hub) + 1);
	edit(f->hub, "participants:\n", extras);
	edit(f->hub, "rules:\n",
	     "rules:\n  - name: alert\n    when: {type: recurrence_alert}\n"
	     "    emit: {type: mutual_notification}\n"
	     "  - {name: ends, when: {type: case_judgement}, to: boss, case_state: closed}\n"
	     "  - {name: withdrawn, when: {type: consent_withdrawal}, to: case_owner, stops_use: true}\n"
	     "  - {name: stop, when: {type: stop_use_order, addressed: true}, to: addressees, each: true,\n"
	     "     answer_within: 1 d, stops_at: received, then: [{to: boss, within: 1 d}]}\n");
	trial_start(&f->w, f->hub, NULL);
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

/* So many mailboxes more take part in the case. */
static void fill_case(struct fixture *f, uint64_t who, const uint8_t *case_id, int n)
{
	static char names[EXTRAS][16];

	for (int i = 0; i < n; i++) {
		snprintf(names[i], sizeof names[i], "x-%03d", i);
		message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), case_id);
		message_to(&f->m, names[i]);
		trial_submitted(&f->w, who, &f->m);
	}
}

static size_t members(struct fixture *f, uint64_t who, const uint8_t *case_id)
{
	const Ieum__V1__CaseResult *k = trial_case(&f->w, who, case_id);

	assert_non_null(k);
	return k->n_participants;
}

static void a_full_case_still_takes_a_rejection(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	uint64_t manager = trial_connect(&f->w, "manager");
	uint64_t counsellor = trial_connect(&f->w, "counsellor");
	uint8_t id[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, ps, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
	assert_int_equal(trial_answer(&f->w, counsellor, id, ANSWER(REJECT)), IEUM_E_OK);
	/* Who has rejected, and its role in the team, read it no more and keep their room. */
	fill_case(f, ps, id, (int)(CORE_CASE_MEMBERS_MAX - 3 - members(f, ps, id)));
	assert_int_equal(members(f, ps, id), CORE_CASE_MEMBERS_MAX - 3);
	/* The manager comes in by answering; its head, the next step, has no room any more. */
	assert_int_equal(trial_answer(&f->w, manager, id, ANSWER(REJECT)), IEUM_E_OK);
	assert_int_equal(trial_task(&f->w, ps, id), TASK(FAILED));
}

static void an_emitted_message_needs_room_in_the_case(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	uint8_t id[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, ps, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
	fill_case(f, ps, id, (int)(CORE_CASE_MEMBERS_MAX - members(f, ps, id)));
	message_in_case(message_new(&f->w, &f->m, TYPE(RECURRENCE_ALERT)), id);
	assert_int_equal(trial_submit(&f->w, ps, &f->m), IEUM_E_HUB_FULL);
}

/* How many mailboxes got a message of that type by the last decision. */
static size_t told(const struct fixture *f, Ieum__V1__MessageType type)
{
	size_t n = 0;

	for (size_t i = 0; i < f->w.d.n_items; i++) {
		const Ieum__V1__Event *e = f->w.d.items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && !e->submitted->sender &&
		    e->submitted->type == type)
			n += e->submitted->n_routes;
	}
	return n;
}

enum { MANY = 200 };

/* So many have sent into the case, so many have got something on consent. */
static void take_part(struct fixture *f, uint64_t ps, const uint8_t *id)
{
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "x-%03d", i);
		uint64_t who = trial_connect(&f->w, name);
		message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), id);
		message_to(&f->m, name);
		f->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
		f->m.basis.article = (char *)"";
		f->m.basis.consent = &consent;
		trial_submitted(&f->w, ps, &f->m);
		uint64_t delivery = trial_release_one(&f->w, who);
		assert_int_equal(trial_done(&f->w, who, delivery), IEUM_E_OK);
		message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), id);
		trial_submitted(&f->w, who, &f->m);
		trial_disconnect(&f->w, who);
	}
}

/* Each got another message. */
static void two_hundred_are_told_to_stop(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	uint8_t id[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, ps, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
	take_part(f, ps, id);
	message_in_case(message_new(&f->w, &f->m, TYPE(CONSENT_WITHDRAWAL)), id);
	trial_submitted(&f->w, ps, &f->m);
	assert_int_equal(told(f, TYPE(STOP_USE_ORDER)), MANY);
	uint64_t last = trial_connect(&f->w, "x-199");
	assert_true(trial_release_one(&f->w, last) != 0);
	trial_verify(&f->w);
	/* Nobody has acknowledged it: each order goes up. */
	size_t before = f->w.escalated;
	(void)trial_at(&f->w, f->w.now + DAY_US);
	assert_true(f->w.escalated >= before + MANY);
}

/* More than the case has room for: its owner sees to the rest. */
static void whom_a_full_case_cannot_tell_its_owner_tells(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	uint64_t counsellor = trial_connect(&f->w, "counsellor");
	uint8_t id[CORE_ID_BYTES];
	Ieum__V1__Consent consent = IEUM__V1__CONSENT__INIT;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
	f->m.basis.article = (char *)"";
	f->m.basis.consent = &consent;
	trial_submitted(&f->w, ps, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
	/* By the team's inbox: its own is not in the case. */
	assert_true(trial_release_one(&f->w, counsellor) != 0);
	fill_case(f, ps, id, (int)(CORE_CASE_MEMBERS_MAX - members(f, ps, id)));
	message_in_case(message_new(&f->w, &f->m, TYPE(CONSENT_WITHDRAWAL)), id);
	uint64_t before = trial_counts(&f->w, "team/lead").routed;
	trial_submitted(&f->w, ps, &f->m);
	assert_int_equal(told(f, TYPE(STOP_USE_ORDER)), 1);
	assert_int_equal(trial_counts(&f->w, "counsellor").routed, 0);
	assert_int_equal(trial_counts(&f->w, "team/lead").routed, before + 2);
	trial_verify(&f->w);
}

static void two_hundred_referrers_hear_the_outcome(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	uint8_t id[CORE_ID_BYTES];

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, ps, &f->m);
	memcpy(id, f->m.id, CORE_ID_BYTES);
	take_part(f, ps, id);
	message_in_case(message_new(&f->w, &f->m, TYPE(CASE_JUDGEMENT)), id);
	trial_submitted(&f->w, ps, &f->m);
	assert_int_equal(told(f, TYPE(CLOSURE_NOTICE)), MANY + 1); /* and ps */
	trial_verify(&f->w);
}

static void an_emitted_message_needs_room_in_its_queue(void **state)
{
	struct fixture *f = *state;
	uint64_t ps = trial_connect(&f->w, "ps");
	enum ieum_err err = IEUM_E_OK;

	edit(f->hub, "queue_messages_max: 1000", "queue_messages_max: 5");
	trial_reload(&f->w, f->hub);
	uint64_t counsellor = trial_connect(&f->w, "counsellor");
	for (int i = 0; i < 10 && !err; i++) {
		message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
		f->m.report.child_at_home = 1;
		err = trial_submit(&f->w, ps, &f->m);
		if (!err)
			(void)trial_done(&f->w, counsellor, trial_release_one(&f->w, counsellor));
	}
	assert_int_equal(err, IEUM_E_QUEUE_FULL);
	assert_non_null(strstr(f->w.detail, "city"));
	assert_int_equal(trial_counts(&f->w, "city").queued, 5);
	assert_true(f->w.d.retry_after_ms > 0);
}

static void what_nobody_takes_keeps_nothing_else_in_memory(void **state)
{
	struct fixture *f = *state;
	uint64_t watcher = trial_connect(&f->w, "watcher");
	uint64_t city = trial_connect(&f->w, "city");
	uint64_t ids[64];
	uint8_t last[CORE_ID_BYTES];

	for (int i = 0; i < 60; i++) {
		message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
		trial_submitted(&f->w, watcher, &f->m);
	}
	memcpy(last, f->m.id, CORE_ID_BYTES);
	assert_int_equal(trial_release(&f->w, city, 64, ids), 60);
	/* The oldest go back and are never taken. */
	for (int i = 40; i < 60; i++)
		assert_int_equal(trial_done(&f->w, city, ids[i]), IEUM_E_OK);
	trial_disconnect(&f->w, city);
	trial_at(&f->w, f->w.now + 32 * DAY_US);
	assert_null(trial_referral(&f->w, watcher, last));
}

static void a_longer_window_does_not_take_what_was_forgotten_again(void **state)
{
	struct fixture *f = *state;
	uint64_t watcher = trial_connect(&f->w, "watcher");
	uint64_t city = trial_connect(&f->w, "city");
	struct message first;

	message_new(&f->w, &first, TYPE(RISK_SIGNAL));
	trial_submitted(&f->w, watcher, &first);
	assert_int_equal(trial_done(&f->w, city, trial_release_one(&f->w, city)), IEUM_E_OK);
	trial_at(&f->w, f->w.now + 32 * DAY_US);
	edit(f->hub, "limits: {", "limits: {id_window: 90 d, ");
	trial_reload(&f->w, f->hub);
	trial_verify(&f->w);
	assert_int_equal(trial_submit(&f->w, watcher, &first), IEUM_E_TOO_OLD);
	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	trial_submitted(&f->w, watcher, &f->m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_case_still_takes_a_rejection),
		TEST(an_emitted_message_needs_room_in_the_case),
		TEST(two_hundred_are_told_to_stop),
		TEST(whom_a_full_case_cannot_tell_its_owner_tells),
		TEST(two_hundred_referrers_hear_the_outcome),
		TEST(an_emitted_message_needs_room_in_its_queue),
		TEST(what_nobody_takes_keeps_nothing_else_in_memory),
		TEST(a_longer_window_does_not_take_what_was_forgotten_again),
	};

	return cmocka_run_group_tests_name("core limits", tests, NULL, NULL);
}
