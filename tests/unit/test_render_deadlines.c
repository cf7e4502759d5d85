/* Clocks and deadlines as a person sees them, in both languages: what runs, what stands still and
 * with how much left, what is over and stays so. */
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

/* 2026-03-02 10:00 in Korea, a Monday. */
#define MONDAY_MS INT64_C(1772413200000)
#define HOUR_MS   INT64_C(3600000)

#define CLOCK_STATE(word) IEUM__V1__CLOCK_STATE__CLOCK_STATE_##word

static void of_state(Ieum__V1__ClockView *k, Ieum__V1__ClockState state)
{
	ieum__v1__clock_view__init(k);
	k->name = (char *)"emergency-measure";
	k->state = state;
	k->due_at_ms = MONDAY_MS + 2 * HOUR_MS;
}

static void the_clocks_of_a_case(void **state)
{
	Ieum__V1__ClockView k[4];
	Ieum__V1__ClockView *list[4] = { &k[0], &k[1], &k[2], &k[3] };
	static char name[] = "emergency-measure", en[] = "Emergency measure", ko[] = "응급조치";

	(void)state;
	of_state(&k[0], CLOCK_STATE(RUNNING));
	of_state(&k[1], CLOCK_STATE(FROZEN));
	of_state(&k[2], CLOCK_STATE(BREACHED));
	of_state(&k[3], CLOCK_STATE(STOPPED));
	for (int i = 0; i < 4; i++)
		k[i].name = name;
	k[0].title_en = en;
	k[0].title_ko = ko;
	k[0].extensions = 1;
	k[1].due_at_ms = 0;
	k[1].left_ms = 22 * HOUR_MS;
	k[2].due_at_ms = MONDAY_MS - HOUR_MS;
	k[3].breached_at_ms = MONDAY_MS - HOUR_MS;
	assert_int_equal(render_clocks(&screen.inv, list, 4, MONDAY_MS), EXIT_DONE);
	assert_says("Emergency measure  Running   2026-03-02 12:00 (in 2 h)");
	assert_says("extended 1 times");
	assert_says("emergency-measure  Frozen");
	assert_says("22 h left");
	assert_says("Breached  2026-03-02 09:00 (1 h overdue)");
	assert_says("Stopped   2026-03-02 12:00 ");
	assert_says("was breached");
	screen.inv.lang = WORDS_KO;
	assert_int_equal(render_clocks(&screen.inv, list, 4, MONDAY_MS), EXIT_DONE);
	assert_says("응급조치");
	assert_says("남은 시간 22시간");
	assert_says("도과 이력");
}

static void nothing_of_a_case_without_clocks(void **state)
{
	(void)state;
	assert_int_equal(render_clocks(&screen.inv, NULL, 0, MONDAY_MS), EXIT_DONE);
	fflush(screen.inv.out);
	assert_int_equal(screen.printed_len, 0);
}

static void what_ends_when(void **state)
{
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT, *page[1] = { &result };
	Ieum__V1__DeadlinesResult deadlines = IEUM__V1__DEADLINES_RESULT__INIT;
	Ieum__V1__DeadlineEntry e[2], *list[2] = { &e[0], &e[1] };
	Ieum__V1__ClockView k;
	Ieum__V1__TaskView task = IEUM__V1__TASK_VIEW__INIT;
	struct pages pages = { page, 1 };
	struct names none = { 0 };
	static char name[] = "emergency-measure", asked[] = "gimpo-ps";

	(void)state;
	result.hub_time_at_ms = MONDAY_MS;
	result.what_case = IEUM__V1__RESULT__WHAT_DEADLINES;
	result.deadlines = &deadlines;
	assert_int_equal(render_deadlines(&screen.inv, &pages, &none), EXIT_DONE);
	assert_says("No clock runs and nothing is owed");
	screen.arguments.given[OPTION_BREACHED] = true;
	assert_int_equal(render_deadlines(&screen.inv, &pages, &none), EXIT_DONE);
	assert_says("No clock of your cases was ever breached.");

	of_state(&k, CLOCK_STATE(RUNNING));
	k.name = name;
	ieum__v1__deadline_entry__init(&e[0]);
	ieum__v1__deadline_entry__init(&e[1]);
	e[0].clock = &k;
	e[1].task = &task;
	e[1].due_at_ms = MONDAY_MS + 3 * HOUR_MS;
	e[1].type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_VISIT_REQUEST;
	task.state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	task.asked = asked;
	deadlines.entries = list;
	deadlines.n_entries = 2;
	assert_int_equal(render_deadlines(&screen.inv, &pages, &none), EXIT_DONE);
	assert_says("2026-03-02 12:00 (in 2 h)  emergency-measure  Running");
	assert_says("2026-03-02 13:00 (in 3 h)  Visit request      Requested  gimpo-ps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_clocks_of_a_case, screen_open, screen_close),
		cmocka_unit_test_setup_teardown(nothing_of_a_case_without_clocks, screen_open,
						screen_close),
		cmocka_unit_test_setup_teardown(what_ends_when, screen_open, screen_close),
	};

	return cmocka_run_group_tests_name("clocks on screen", tests, NULL, NULL);
}
