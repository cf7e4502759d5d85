/* broker/core/task_state: every state with every answer, and what each answer means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/task_state.h"

/* The table as docs tell it: a row per state, a letter per answer.
 * . not in this state, r received, a accepted, j rejected, p in progress, h on hold,
 * c completed, f failed, x cancelled, e entered in error */
static const char *const table[TASK_STATES] = {
	/* - received accept reject progress interim more hold complete fail cancel error */
	"............", /* unspecified */
	".rajpprhcfxe", /* requested */
	".rajpprhcfxe", /* received */
	"....ppahcfxe", /* accepted */
	"...........e", /* rejected */
	"....ppphcfxe", /* in progress */
	"..a.phh.cfxe", /* on hold */
	"...........e", /* completed */
	"...........e", /* failed */
	"...........e", /* cancelled */
	"............", /* entered in error */
};

static char letter(Ieum__V1__TaskState s)
{
	static const char letters[TASK_STATES] = { '.', 'q', 'r', 'a', 'j', 'p',
						   'h', 'c', 'f', 'x', 'e' };

	assert_true((unsigned)s < TASK_STATES);
	return letters[s];
}

static void each_state_with_each_answer(void **state)
{
	(void)state;
	for (int s = 0; s < TASK_STATES; s++) {
		assert_int_equal(strlen(table[s]), TASK_ANSWERS);
		for (int a = 0; a < TASK_ANSWERS; a++) {
			char got = letter(
				task_state_after((Ieum__V1__TaskState)s, (Ieum__V1__AnswerKind)a));
			if (got != table[s][a])
				fail_msg("state %d, answer %d: %c instead of %c", s, a, got,
					 table[s][a]);
		}
	}
}

static void numbers_beyond_the_tables_are_impossible(void **state)
{
	(void)state;
	assert_int_equal(
		task_state_after((Ieum__V1__TaskState)TASK_STATES, (Ieum__V1__AnswerKind)1), 0);
	assert_int_equal(
		task_state_after((Ieum__V1__TaskState)1, (Ieum__V1__AnswerKind)TASK_ANSWERS), 0);
	assert_int_equal(task_state_after((Ieum__V1__TaskState)-1, (Ieum__V1__AnswerKind)-1), 0);
	assert_false(task_answer_is_referrers((Ieum__V1__AnswerKind)99));
	assert_true(task_state_ended((Ieum__V1__TaskState)99));
}

/* Whatever has ended allows at most to be called an error; whatever is open can end. */
static void an_end_is_an_end_and_every_open_state_can_end(void **state)
{
	(void)state;
	for (int s = 1; s < TASK_STATES; s++) {
		bool can_end = false;
		for (int a = 1; a < TASK_ANSWERS; a++) {
			Ieum__V1__TaskState next =
				task_state_after((Ieum__V1__TaskState)s, (Ieum__V1__AnswerKind)a);
			if (task_state_ended((Ieum__V1__TaskState)s))
				assert_true(
					!next ||
					a == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ENTERED_IN_ERROR);
			can_end |= next && task_state_ended(next);
		}
		assert_true(can_end || s == IEUM__V1__TASK_STATE__TASK_STATE_ENTERED_IN_ERROR);
	}
}

static void clocks_end_by_their_answers(void **state)
{
	/* received accept reject progress interim more hold complete fail cancel error */
	static const char *const ends[] = { "-+++++-+++++", "-.++++..++++", "-.......++++" };

	(void)state;
	for (int a = 1; a < TASK_ANSWERS; a++) {
		Ieum__V1__AnswerKind k = (Ieum__V1__AnswerKind)a;
		assert_int_equal(task_clock_ends(IEUM__V1__STOPS_AT__STOPS_AT_RECEIVED, k),
				 ends[0][a] == '+');
		assert_int_equal(task_clock_ends(IEUM__V1__STOPS_AT__STOPS_AT_DECIDED, k),
				 ends[1][a] == '+');
		assert_int_equal(task_clock_ends(IEUM__V1__STOPS_AT__STOPS_AT_COMPLETED, k),
				 ends[2][a] == '+');
	}
}

static void the_referrer_says_two_things_and_reasons_go_with_three(void **state)
{
	(void)state;
	for (int a = 0; a < TASK_ANSWERS; a++) {
		Ieum__V1__AnswerKind k = (Ieum__V1__AnswerKind)a;
		assert_int_equal(task_answer_is_referrers(k),
				 a >= IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL);
		assert_int_equal(task_answer_needs_reason(k),
				 k == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
					 k == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD ||
					 k == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL);
		assert_false(task_answer_takes(k) && task_answer_is_referrers(k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_with_each_answer),
		cmocka_unit_test(numbers_beyond_the_tables_are_impossible),
		cmocka_unit_test(an_end_is_an_end_and_every_open_state_can_end),
		cmocka_unit_test(clocks_end_by_their_answers),
		cmocka_unit_test(the_referrer_says_two_things_and_reasons_go_with_three),
	};

	return cmocka_run_group_tests_name("task state", tests, NULL, NULL);
}
