/* Erasing payloads at the end of their retention: which may go, and what becomes of their
 * deliveries.  The second core of a trial replays every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

static const char retention[] =
	"retention: {default: 2 months, risk_signal: 30 d, information_request: 1 h}\n";

struct fixture {
	struct trial w;
	struct message m;
	uint64_t ps, watcher, city;
};

static char *hub_with(const char *more)
{
	size_t n = strlen(trial_hub) + strlen(more) + 1;
	char *hub = malloc(n);

	assert_non_null(hub);
	snprintf(hub, n, "%s%s", trial_hub, more);
	return hub;
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char *hub = hub_with(retention);

	assert_non_null(f);
	trial_start(&f->w, hub, NULL);
	free(hub);
	f->ps = trial_connect(&f->w, "ps");
	f->watcher = trial_connect(&f->w, "watcher");
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

/* As the journal would offer the newest message. */
static struct core_aged submit(struct fixture *f, uint64_t from)
{
	struct core_aged aged = { .at_us = f->w.now, .type = f->m.envelope.type };

	trial_submitted(&f->w, from, &f->m);
	aged.seq = f->w.d.receipt_seq;
	aged.has_case = f->w.d.has_case;
	memcpy(aged.case_id, f->w.d.case_id, sizeof aged.case_id);
	return aged;
}

static struct core_aged signal(struct fixture *f)
{
	message_new(&f->w, &f->m, TYPE(RISK_SIGNAL));
	return submit(f, f->watcher);
}

/* Asks for it at that time; is it erased now? */
static bool erase(struct fixture *f, struct core_aged *aged, core_time_us at)
{
	if (at > f->w.now)
		f->w.now = at;
	core_decision_reset(&f->w.d);
	assert_int_equal(trial_record(&f->w, core_decide_erase(f->w.core, f->w.policy, aged, 1,
							       f->w.now, &f->w.d)),
			 IEUM_E_OK);
	assert_int_equal(f->w.d.n_items, aged->erased ? 1 : 0);
	trial_verify(&f->w);
	return aged->erased;
}

/* Would a query for it read its payload? */
static bool can_be_read(struct fixture *f, uint64_t by)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;
	struct core_view v = {
		.connection = by, .query = &q, .now = f->w.now, .arena = &f->w.arena
	};

	of.message_id = f->m.envelope.message_id;
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	arena_reset(&f->w.arena);
	assert_int_equal(core_view(f->w.core, f->w.policy, &v), IEUM_E_OK);
	return v.payload_seq != 0;
}

static void it_goes_when_its_time_has_passed_and_not_before(void **state)
{
	struct fixture *f = *state;
	struct core_aged aged = signal(f);

	assert_int_equal(trial_done(&f->w, f->city, trial_release_one(&f->w, f->city)), IEUM_E_OK);
	assert_false(erase(f, &aged, aged.at_us + 30 * DAY_US - MIN_US));
	assert_true(can_be_read(f, f->city));
	assert_true(erase(f, &aged, aged.at_us + 30 * DAY_US));
	assert_false(can_be_read(f, f->city));
	/* It is over, and is told of once. */
	assert_int_equal(trial_counts(&f->w, "city").settled, 1);
	assert_false(erase(f, &aged, f->w.now));
	trial_restart(&f->w);
	trial_verify(&f->w);
}

static void what_nobody_came_for_is_withdrawn(void **state)
{
	struct fixture *f = *state;
	struct core_aged aged = signal(f);

	assert_true(erase(f, &aged, aged.at_us + 30 * DAY_US));
	assert_int_equal(trial_counts(&f->w, "city").queued, 0);
	assert_int_equal(trial_counts(&f->w, "city").withdrawn, 1);
	assert_int_equal(trial_release_one(&f->w, f->city), 0);
}

static void so_is_what_somebody_had_and_did_not_settle(void **state)
{
	struct fixture *f = *state;
	struct core_aged aged = signal(f);

	assert_int_not_equal(trial_release_one(&f->w, f->city), 0);
	f->w.now = aged.at_us + 31 * DAY_US;
	/* It may be on somebody's screen now. */
	assert_false(erase(f, &aged, f->w.now));
	trial_disconnect(&f->w, f->city);
	assert_true(erase(f, &aged, f->w.now));
	assert_int_equal(trial_counts(&f->w, "city").withdrawn, 1);
}

static void the_case_keeps_it_until_it_is_closed(void **state)
{
	struct fixture *f = *state;
	uint64_t manager = trial_connect(&f->w, "manager");
	uint8_t closure[CORE_ID_BYTES];

	message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED));
	message_open_case(&f->m);
	struct core_aged aged = submit(f, f->ps);
	assert_true(aged.has_case);
	assert_int_equal(trial_answer(&f->w, manager, f->m.id, ANSWER(RECEIVED)), IEUM_E_OK);
	assert_int_equal(trial_answer(&f->w, manager, f->m.id, ANSWER(COMPLETE)), IEUM_E_OK);
	trial_at(&f->w, aged.at_us + 100 * DAY_US);
	assert_false(erase(f, &aged, f->w.now));

	message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST));
	message_in_case(&f->m, aged.case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	memcpy(closure, f->m.id, sizeof closure);
	assert_int_equal(trial_answer(&f->w, manager, closure, ANSWER(ACCEPT)), IEUM_E_OK);
	assert_true(erase(f, &aged, f->w.now));
}

static void it_goes_also_when_the_core_has_forgotten_it(void **state)
{
	struct fixture *f = *state;
	struct core_aged aged = signal(f);

	assert_int_equal(trial_done(&f->w, f->city, trial_release_one(&f->w, f->city)), IEUM_E_OK);
	trial_at(&f->w, aged.at_us + 60 * DAY_US);
	assert_null(trial_referral(&f->w, f->city, f->m.id));
	aged.has_case = true;
	memset(aged.case_id, 7, sizeof aged.case_id);
	assert_true(erase(f, &aged, f->w.now));
}

static void an_open_request_keeps_it(void **state)
{
	struct fixture *f = *state;
	uint64_t boss = trial_connect(&f->w, "boss");
	uint64_t manager = trial_connect(&f->w, "manager");
	struct core_aged asked;
	uint8_t case_id[CORE_ID_BYTES], question[CORE_ID_BYTES];

	message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED));
	message_open_case(&f->m);
	memcpy(case_id, submit(f, f->ps).case_id, sizeof case_id);
	message_new(&f->w, &f->m, TYPE(INFORMATION_REQUEST));
	message_in_case(&f->m, case_id);
	message_to(&f->m, "boss");
	asked = submit(f, f->ps);
	memcpy(question, f->m.id, sizeof question);
	message_new(&f->w, &f->m, TYPE(CLOSURE_REQUEST));
	message_in_case(&f->m, case_id);
	f->m.closure.reason = REASON(GOALS_MET);
	trial_submitted(&f->w, f->ps, &f->m);
	assert_int_equal(trial_answer(&f->w, manager, f->m.id, ANSWER(ACCEPT)), IEUM_E_OK);

	assert_false(erase(f, &asked, asked.at_us + 2 * HOUR_US));
	assert_int_equal(trial_answer(&f->w, boss, question, ANSWER(COMPLETE)), IEUM_E_OK);
	assert_true(erase(f, &asked, f->w.now));
}

static void the_policy_of_now_decides(void **state)
{
	struct fixture *f = *state;
	struct core_aged aged = signal(f);
	char *longer = hub_with("retention: {risk_signal: 1 year}\n");

	trial_reload(&f->w, longer);
	assert_false(erase(f, &aged, aged.at_us + 31 * DAY_US));
	/* Without an end, it stays for ever. */
	trial_reload(&f->w, trial_hub);
	assert_false(erase(f, &aged, aged.at_us + 10000 * DAY_US));
	free(longer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(it_goes_when_its_time_has_passed_and_not_before),
		TEST(what_nobody_came_for_is_withdrawn),
		TEST(so_is_what_somebody_had_and_did_not_settle),
		TEST(the_case_keeps_it_until_it_is_closed),
		TEST(it_goes_also_when_the_core_has_forgotten_it),
		TEST(an_open_request_keeps_it),
		TEST(the_policy_of_now_decides),
	};

	return cmocka_run_group_tests_name("core_erase", tests, NULL, NULL);
}
