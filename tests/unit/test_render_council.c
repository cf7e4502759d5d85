/* Rendering of what a council looks at: its agenda, and a round or an approval with who said what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/render.h"
#include "tests/unit/screen.h"

/* Messages hold texts that could be written to. */
#define MUTABLE(text) ((char[]){ text })

/* 2026-03-02 10:00 in Korea. */
#define MONDAY_MS INT64_C(1772413200000)

static uint8_t id[16] = { 1, 2, 3 };
static const struct names no_names = { NULL, 0 };

static void show_agenda(const Ieum__V1__AgendaEntry *rows, size_t n)
{
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT;
	Ieum__V1__AgendaResult agenda = IEUM__V1__AGENDA_RESULT__INIT;
	Ieum__V1__AgendaEntry *list[4];
	Ieum__V1__Result *page[] = { &result };

	for (size_t i = 0; i < n; i++)
		list[i] = (Ieum__V1__AgendaEntry *)&rows[i];
	agenda.entries = list;
	agenda.n_entries = n;
	result.what_case = IEUM__V1__RESULT__WHAT_AGENDA;
	result.agenda = &agenda;
	result.hub_time_at_ms = MONDAY_MS;
	assert_int_equal(render_agenda(&screen.inv, &(struct pages){ page, 1 }, &no_names),
			 EXIT_DONE);
}

static void an_agenda_says_what_was_there_before(void **state)
{
	Ieum__V1__AgendaEntry rows[3] = { IEUM__V1__AGENDA_ENTRY__INIT,
					  IEUM__V1__AGENDA_ENTRY__INIT,
					  IEUM__V1__AGENDA_ENTRY__INIT };

	(void)state;
	rows[0].kind = IEUM__V1__AGENDA_KIND__AGENDA_KIND_ITEM;
	rows[0].title = MUTABLE("absent for weeks");
	rows[0].message_id = rows[0].case_id = (ProtobufCBinaryData){ sizeof id, id };
	rows[1].kind = IEUM__V1__AGENDA_KIND__AGENDA_KIND_ACTION;
	rows[1].participant = MUTABLE("gimpo-cpa");
	rows[1].carried = 17;
	rows[1].request = 231;
	rows[2].kind = IEUM__V1__AGENDA_KIND__AGENDA_KIND_LINKED_SET;
	show_agenda(rows, 3);
	assert_says("Item");
	assert_says("absent for weeks");
	assert_says("Action");
	assert_says("gimpo-cpa");
	assert_says("17");
	assert_says("231");
	assert_says("Linked set");
	screen.inv.lang = WORDS_KO;
	show_agenda(rows, 3);
	assert_says("조치");
	show_agenda(rows, 0);
	assert_says("안건이 없습니다.");
}

/* The second action of one agency has the second title. */
static void an_action_has_its_own_title(void **state)
{
	Ieum__V1__AgendaEntry entry = IEUM__V1__AGENDA_ENTRY__INIT;
	Ieum__V1__Referral minutes = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__ConferenceMinutes body = IEUM__V1__CONFERENCE_MINUTES__INIT;
	Ieum__V1__ActionItem items[2] = { IEUM__V1__ACTION_ITEM__INIT,
					  IEUM__V1__ACTION_ITEM__INIT };
	Ieum__V1__ActionItem *list[] = { &items[0], &items[1] };

	(void)state;
	items[0].participant = items[1].participant = entry.participant = MUTABLE("gimpo-cpa");
	items[0].title = MUTABLE("visit the family");
	items[1].title = MUTABLE("call the school");
	body.action_items = list;
	body.n_action_items = 2;
	minutes.body_case = IEUM__V1__REFERRAL__BODY_CONFERENCE_MINUTES;
	minutes.conference_minutes = &body;
	entry.action = 2;
	assert_string_equal(agenda_title(&minutes, &entry), "call the school");
	entry.action = 3;
	assert_string_equal(agenda_title(&minutes, &entry), "");
}

static void show_tasks(Ieum__V1__TaskView *tasks, size_t n)
{
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT;
	Ieum__V1__ReferralResult referral = IEUM__V1__REFERRAL_RESULT__INIT;
	Ieum__V1__TaskView *list[4];
	Ieum__V1__Result *page[] = { &result };

	for (size_t i = 0; i < n; i++)
		list[i] = &tasks[i];
	referral.tasks = list;
	referral.n_tasks = n;
	referral.message_id = (ProtobufCBinaryData){ sizeof id, id };
	result.what_case = IEUM__V1__RESULT__WHAT_REFERRAL;
	result.referral = &referral;
	result.hub_time_at_ms = MONDAY_MS;
	assert_int_equal(render_referral(&screen.inv, &(struct pages){ page, 1 }, &no_names),
			 EXIT_DONE);
}

static void a_round_says_who_said_what(void **state)
{
	Ieum__V1__TaskView tasks[3] = { IEUM__V1__TASK_VIEW__INIT, IEUM__V1__TASK_VIEW__INIT,
					IEUM__V1__TASK_VIEW__INIT };

	(void)state;
	tasks[0].asked = tasks[0].asked_first = MUTABLE("gimpo-cpa");
	tasks[0].state = IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;
	tasks[0].answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE;
	tasks[0].outcome = IEUM__V1__OUTCOME__OUTCOME_NOTHING_HELD;
	tasks[1].asked = tasks[1].asked_first = MUTABLE("gimpo-edu");
	tasks[1].state = IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED;
	tasks[1].answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME;
	tasks[2].asked = MUTABLE("gimpo-ps-head");
	tasks[2].asked_first = MUTABLE("gimpo-ps");
	tasks[2].state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	show_tasks(tasks, 3);
	assert_says(words_text("nothing_held", WORDS_EN));
	assert_says(words_text("need_more_time", WORDS_EN));
	assert_says("gimpo-ps → gimpo-ps-head");
	assert_says("silent");
}

static void an_approval_says_who_has_given_it(void **state)
{
	Ieum__V1__TaskView task = IEUM__V1__TASK_VIEW__INIT;
	char *who[] = { MUTABLE("gimpo-edu") };

	(void)state;
	task.asked = task.asked_first = MUTABLE("gimpo-ps");
	task.state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	task.quorum = 2;
	task.accepted_by = who;
	task.n_accepted_by = 1;
	show_tasks(&task, 1);
	assert_says("1 of 2 have approved: gimpo-edu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, screen_open, screen_close)
		T(an_agenda_says_what_was_there_before),
		T(an_action_has_its_own_title),
		T(a_round_says_who_said_what),
		T(an_approval_says_who_has_given_it),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
