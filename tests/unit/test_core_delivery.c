/* broker/core, deliveries: order, competing consumers, what counts as an attempt, holding back,
 * late settles, dead letters, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"

struct fixture {
	struct trial w;
	uint64_t ps, aid, aid_again; /* connections */
	uint8_t case_id[CORE_ID_BYTES], other_case[CORE_ID_BYTES];
};

static void open_case(struct fixture *f, uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&f->w, &m, TYPE(SERVICE_REPORT));
	message_open_case(&m);
	message_to(&m, "carer");
	trial_submitted(&f->w, f->ps, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, trial_hub, NULL);
	f->ps = trial_connect(&f->w, "ps");
	f->aid = trial_connect(&f->w, "aid-1");
	f->aid_again = trial_connect(&f->w, "aid-1");
	open_case(f, f->case_id);
	open_case(f, f->other_case);
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

static void send(struct fixture *f, const uint8_t *case_id, Ieum__V1__Urgency urgency)
{
	struct message m;

	message_new(&f->w, &m, TYPE(SERVICE_REPORT));
	message_in_case(&m, case_id);
	message_to(&m, "aid-1");
	m.envelope.urgency = urgency;
	f->w.now += 1000;
	trial_submitted(&f->w, f->ps, &m);
}

static uint64_t sent(struct fixture *f, const uint8_t *case_id, Ieum__V1__Urgency urgency)
{
	send(f, case_id, urgency);
	return core_last_seq(f->w.core) << 8;
}

static void urgent_goes_first_then_the_older(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[8];
	uint64_t routine = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t routine_2 = sent(f, f->other_case, URGENCY(ROUTINE));
	uint64_t routine_3 = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t immediate = sent(f, f->other_case, URGENCY(IMMEDIATE));
	uint64_t urgent = sent(f, f->case_id, URGENCY(URGENT));
	uint64_t priority = sent(f, f->case_id, URGENCY(PRIORITY));
	const uint64_t want[] = { immediate, urgent, priority, routine, routine_2, routine_3 };

	assert_int_equal(trial_release(&f->w, f->aid, 8, ids), 6);
	assert_memory_equal(ids, want, sizeof want);
}

static void no_more_than_asked_for_is_released(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[8];

	for (int i = 0; i < 5; i++)
		send(f, f->case_id, URGENCY(ROUTINE));
	assert_int_equal(trial_release(&f->w, f->aid, 0, ids), 0);
	assert_int_equal(trial_release(&f->w, f->aid, 3, ids), 3);
	assert_int_equal(trial_counts(&f->w, "aid-1").queued, 2);
	assert_int_equal(trial_counts(&f->w, "aid-1").in_flight, 3);
}

static void two_connections_compete(void **state)
{
	struct fixture *f = *state;
	uint64_t first = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t second = sent(f, f->case_id, URGENCY(ROUTINE));

	assert_int_equal(trial_release_one(&f->w, f->aid), first);
	assert_int_equal(trial_release_one(&f->w, f->aid_again), second);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
}

static void attempt_is(struct fixture *f, uint64_t id, uint32_t attempt)
{
	struct core_delivery d;

	assert_true(core_delivery(f->w.core, id, &d));
	assert_int_equal(d.attempt, attempt);
}

static void a_disconnect_returns_all_in_order_and_counts_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[8];
	uint64_t again[8];

	for (int i = 0; i < 6; i++)
		send(f, i % 2 ? f->case_id : f->other_case, URGENCY(ROUTINE));
	assert_int_equal(trial_release(&f->w, f->aid, 3, ids), 3);
	assert_int_equal(trial_release(&f->w, f->aid_again, 3, ids + 3), 3);
	trial_disconnect(&f->w, f->aid);
	trial_disconnect(&f->w, f->aid_again);
	uint64_t back = trial_connect(&f->w, "aid-1");
	assert_int_equal(trial_release(&f->w, back, 8, again), 6);
	assert_memory_equal(ids, again, 6 * sizeof *ids);
	attempt_is(f, ids[0], 1);
}

static void a_restart_returns_all_and_counts_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	trial_restart(&f->w);
	assert_int_equal(trial_counts(&f->w, "aid-1").queued, 1);
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_IDENTITY_UNKNOWN);
	uint64_t back = trial_connect(&f->w, "aid-1");
	assert_true(back > f->aid_again);
	assert_int_equal(trial_release_one(&f->w, back), id);
	attempt_is(f, id, 1);
	f->aid = back;
}

static void settling_twice_is_no_error_and_no_event(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_OK);
	size_t events = f->w.events;
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_OK);
	assert_int_equal(f->w.events, events);
	assert_int_equal(trial_counts(&f->w, "aid-1").settled, 1);
}

static void a_delivery_named_twice_in_one_settle_counts_once(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));
	const uint64_t twice[] = { id, id };
	Ieum__V1__DeliveryRefusal r = IEUM__V1__DELIVERY_REFUSAL__INIT;
	Ieum__V1__DeliveryRefusal *list[] = { &r };

	r.delivery_id = id;
	r.reason = (char *)"x";
	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	const struct core_settle s = { .connection = f->aid,
				       .done = twice,
				       .n_done = 2,
				       .release = twice,
				       .n_release = 2,
				       .refuse = list,
				       .n_refuse = 1 };
	core_decision_reset(&f->w.d);
	assert_int_equal(trial_record(&f->w, core_decide_settle(f->w.core, f->w.policy, &s,
								f->w.now, &f->w.d)),
			 IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "aid-1").settled, 1);
	assert_int_equal(trial_counts(&f->w, "aid-1").in_flight, 0);
}

static void what_one_never_got_cannot_be_settled(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_DELIVERY_UNKNOWN);
	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_int_equal(trial_done(&f->w, f->ps, id), IEUM_E_DELIVERY_UNKNOWN);
	assert_int_equal(trial_done(&f->w, f->aid, id + 1), IEUM_E_DELIVERY_UNKNOWN);
	assert_int_equal(trial_counts(&f->w, "aid-1").in_flight, 1);
}

static void a_time_out_is_an_attempt_with_a_growing_delay(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));
	core_time_us at = f->w.now;

	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_true(core_next_due(f->w.core) <= at + MIN_US);
	assert_int_equal(trial_at(&f->w, at + MIN_US - 2000), 0);
	assert_int_equal(trial_at(&f->w, at + MIN_US), 1);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	assert_int_equal(trial_at(&f->w, at + MIN_US + 1000 * 1000), 1);
	attempt_is(f, id, 2);
	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_int_equal(trial_refuse(&f->w, f->aid, id, "no"), IEUM_E_OK);
	at = f->w.now;
	assert_int_equal(trial_at(&f->w, at + 1999 * 1000), 0);
	assert_int_equal(trial_at(&f->w, at + 2000 * 1000), 1);
	attempt_is(f, id, 3);
}

static void a_late_settle_counts(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	trial_at(&f->w, f->w.now + MIN_US);
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "aid-1").settled, 1);
	assert_int_equal(trial_at(&f->w, f->w.now + MIN_US), 0);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
}

static void after_the_last_attempt_it_is_a_dead_letter_with_its_reason(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	for (int i = 0; i < 4; i++) {
		assert_int_equal(trial_counts(&f->w, "aid-1").dead_lettered, 0);
		assert_int_equal(trial_release_one(&f->w, f->aid), id);
		assert_int_equal(trial_refuse(&f->w, f->aid, id, "unreadable"), IEUM_E_OK);
		trial_at(&f->w, f->w.now + 5 * 1000 * 1000);
	}
	assert_int_equal(trial_counts(&f->w, "aid-1").dead_lettered, 1);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	trial_verify(&f->w);
	/* A late settle still counts. */
	assert_int_equal(trial_done(&f->w, f->aid, id), IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "aid-1").dead_lettered, 0);
	assert_int_equal(trial_counts(&f->w, "aid-1").settled, 1);
}

static void releases_count_as_attempts(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	for (int i = 0; i < 4; i++) {
		uint64_t who = i % 2 ? f->aid : f->aid_again;
		assert_int_equal(trial_release_one(&f->w, who), id);
		assert_int_equal(trial_give_back(&f->w, who, id), IEUM_E_OK);
	}
	assert_int_equal(trial_counts(&f->w, "aid-1").dead_lettered, 1);
}

static void what_is_given_back_goes_to_a_colleague_at_once(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t other = sent(f, f->other_case, URGENCY(ROUTINE));

	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_int_equal(trial_give_back(&f->w, f->aid, id), IEUM_E_OK);
	assert_int_equal(trial_release_one(&f->w, f->aid), other);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	trial_verify(&f->w);
	assert_int_equal(trial_release_one(&f->w, f->aid_again), id);
}

static void without_a_colleague_it_waits(void **state)
{
	struct fixture *f = *state;
	uint64_t id = sent(f, f->case_id, URGENCY(ROUTINE));

	trial_disconnect(&f->w, f->aid_again);
	assert_int_equal(trial_release_one(&f->w, f->aid), id);
	assert_int_equal(trial_give_back(&f->w, f->aid, id), IEUM_E_OK);
	assert_int_equal(trial_release_one(&f->w, f->aid), 0);
	trial_at(&f->w, f->w.now + 1000 * 1000);
	assert_int_equal(trial_release_one(&f->w, f->aid), id);
}

static void a_redelivering_one_holds_back_later_ones_of_its_case_and_urgency(void **state)
{
	struct fixture *f = *state;
	uint64_t first = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t later = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t urgent = sent(f, f->case_id, URGENCY(URGENT));
	uint64_t elsewhere = sent(f, f->other_case, URGENCY(ROUTINE));
	uint64_t ids[8];

	assert_int_equal(trial_release_one(&f->w, f->aid), urgent);
	assert_int_equal(trial_release_one(&f->w, f->aid), first);
	assert_int_equal(trial_refuse(&f->w, f->aid, first, "busy"), IEUM_E_OK);
	assert_int_equal(trial_release(&f->w, f->aid, 8, ids), 1);
	assert_int_equal(ids[0], elsewhere);
	trial_at(&f->w, f->w.now + 1000 * 1000);
	/* It is out again, and still holds. */
	assert_int_equal(trial_release(&f->w, f->aid, 8, ids), 1);
	assert_int_equal(ids[0], first);
	assert_int_equal(trial_release(&f->w, f->aid, 8, ids), 0);
	trial_verify(&f->w);
	assert_int_equal(trial_done(&f->w, f->aid, first), IEUM_E_OK);
	assert_int_equal(trial_release_one(&f->w, f->aid), later);
}

static void holding_back_ends_with_the_dead_letter(void **state)
{
	struct fixture *f = *state;
	uint64_t first = sent(f, f->case_id, URGENCY(ROUTINE));
	uint64_t later = sent(f, f->case_id, URGENCY(ROUTINE));

	for (int i = 0; i < 4; i++) {
		assert_int_equal(trial_release_one(&f->w, f->aid), first);
		assert_int_equal(trial_release_one(&f->w, f->aid), i ? 0 : later);
		if (i == 0)
			trial_disconnect(&f->w, f->aid);
		if (i == 0) {
			f->aid = trial_connect(&f->w, "aid-1");
			assert_int_equal(trial_release_one(&f->w, f->aid), first);
		}
		assert_int_equal(trial_refuse(&f->w, f->aid, first, "busy"), IEUM_E_OK);
		trial_at(&f->w, f->w.now + 5 * 1000 * 1000);
	}
	assert_int_equal(trial_release_one(&f->w, f->aid), later);
}

static void without_a_case_nothing_is_held_back(void **state)
{
	struct fixture *f = *state;
	uint64_t city = trial_connect(&f->w, "city");
	uint64_t watcher = trial_connect(&f->w, "watcher");
	struct message m;

	for (int i = 0; i < 2; i++)
		trial_submitted(&f->w, watcher, message_new(&f->w, &m, TYPE(RISK_SIGNAL)));
	uint64_t first = trial_release_one(&f->w, city);
	assert_int_equal(trial_refuse(&f->w, city, first, "busy"), IEUM_E_OK);
	uint64_t second = trial_release_one(&f->w, city);
	assert_true(second > first);
	trial_verify(&f->w);
	trial_at(&f->w, f->w.now + 1000 * 1000);
	assert_int_equal(trial_release_one(&f->w, city), first);
}

static void a_role_s_mailbox_is_shared_and_the_first_has_it(void **state)
{
	struct fixture *f = *state;
	uint64_t manager = trial_connect(&f->w, "manager");
	uint64_t counsellor = trial_connect(&f->w, "counsellor");
	struct message m;

	message_new(&f->w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&f->w, f->ps, &m);
	uint64_t id = trial_release_one(&f->w, counsellor);
	assert_true(id != 0);
	assert_int_equal(trial_release_one(&f->w, manager), 0);
	/* Timed out, taken by the colleague: the first's late settle still counts. */
	trial_at(&f->w, f->w.now + MIN_US);
	trial_at(&f->w, f->w.now + 1000 * 1000);
	assert_int_equal(trial_release_one(&f->w, manager), id);
	trial_verify(&f->w);
	assert_int_equal(trial_done(&f->w, counsellor, id), IEUM_E_OK);
	assert_int_equal(trial_counts(&f->w, "team/help").settled, 1);
	assert_int_equal(trial_done(&f->w, manager, id), IEUM_E_OK);
}

static void mailboxes_tell_when_there_is_something(void **state)
{
	struct fixture *f = *state;
	uint32_t ready[64];

	while (core_take_ready(f->w.core, ready, 64) > 0)
		;
	send(f, f->case_id, URGENCY(ROUTINE));
	send(f, f->case_id, URGENCY(ROUTINE));
	assert_int_equal(core_take_ready(f->w.core, ready, 64), 1);
	assert_int_equal(ready[0], core_mailbox_number(f->w.core, "aid-1"));
	assert_int_equal(core_take_ready(f->w.core, ready, 64), 0);
	uint64_t id = trial_release_one(&f->w, f->aid);
	while (core_take_ready(f->w.core, ready, 64) > 0)
		;
	assert_int_equal(trial_refuse(&f->w, f->aid, id, "x"), IEUM_E_OK);
	assert_int_equal(core_take_ready(f->w.core, ready, 64), 0);
	trial_at(&f->w, f->w.now + 1000 * 1000);
	assert_int_equal(core_take_ready(f->w.core, ready, 64), 1);
}

/* 4,096 in flight on two connections, interleaved: taking them back is not quadratic. */
static void a_long_queue_goes_back_in_order(void **state)
{
	enum { N = 900 };
	struct fixture *f = *state;
	uint64_t ids[N];
	uint64_t again[N];

	for (int i = 0; i < N; i++)
		send(f, f->case_id, URGENCY(ROUTINE));
	for (int i = 0; i < N; i += 2) {
		ids[i] = trial_release_one(&f->w, f->aid);
		ids[i + 1] = trial_release_one(&f->w, f->aid_again);
	}
	trial_disconnect(&f->w, f->aid_again);
	trial_disconnect(&f->w, f->aid);
	f->aid = trial_connect(&f->w, "aid-1");
	for (size_t n = 0; n < N;) {
		size_t got = trial_release(&f->w, f->aid, 256, again + n);
		assert_true(got > 0);
		n += got;
	}
	assert_memory_equal(ids, again, sizeof ids);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(urgent_goes_first_then_the_older),
		TEST(no_more_than_asked_for_is_released),
		TEST(two_connections_compete),
		TEST(a_disconnect_returns_all_in_order_and_counts_nothing),
		TEST(a_restart_returns_all_and_counts_nothing),
		TEST(settling_twice_is_no_error_and_no_event),
		TEST(a_delivery_named_twice_in_one_settle_counts_once),
		TEST(what_one_never_got_cannot_be_settled),
		TEST(a_time_out_is_an_attempt_with_a_growing_delay),
		TEST(a_late_settle_counts),
		TEST(after_the_last_attempt_it_is_a_dead_letter_with_its_reason),
		TEST(releases_count_as_attempts),
		TEST(what_is_given_back_goes_to_a_colleague_at_once),
		TEST(without_a_colleague_it_waits),
		TEST(a_redelivering_one_holds_back_later_ones_of_its_case_and_urgency),
		TEST(holding_back_ends_with_the_dead_letter),
		TEST(without_a_case_nothing_is_held_back),
		TEST(a_role_s_mailbox_is_shared_and_the_first_has_it),
		TEST(mailboxes_tell_when_there_is_something),
		TEST(a_long_queue_goes_back_in_order),
	};

	return cmocka_run_group_tests_name("core delivery", tests, NULL, NULL);
}
