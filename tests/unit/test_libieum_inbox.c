/* libieum: each delivery handed over once, settles that arrive, a hub restored from a backup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/libieum_world.h"

/* ---- deliveries ---- */

static void a_delivery_comes_with_its_bytes_and_is_settled(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	UNTIL(w.hub.credit == 10);
	hub_deliver(&w.hub, 256, two_new_id());
	hub_deliver(&w.hub, 512, two_new_id());
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(w.client.delivered[0], 256);
	assert_in_range(w.client.referral_len, 200, 400);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	assert_int_equal(ieum_settle(w.client.c, 512, IEUM_SETTLE_REFUSE, "no reader for it",
				     two_on_settled, &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 2);
	assert_int_equal(w.hub.settles, 1); /* both in one frame */
	assert_int_equal(w.hub.done[0], 256);
	assert_int_equal(w.hub.refused[0], 512);
	assert_string_equal(w.hub.refusal, "no reader for it");
	ieum_credit(w.client.c, 4000);
	UNTIL(w.hub.credit == 100); /* what the hub allows */
	two_close(&w);
}

static void a_delivery_is_handed_over_once(void **state)
{
	struct two w;
	uint8_t a[16], b[16];

	(void)state;
	two_open(&w);
	memcpy(a, two_new_id(), 16);
	memcpy(b, two_new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 256, a); /* held: passed over */
	hub_deliver(&w.hub, 512, b);
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(w.client.delivered[1], 512);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	hub_deliver(&w.hub, 256, a); /* settled: settled again by itself */
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.hub.done[1], 256);
	assert_int_equal(w.client.deliveries, 2);
	hub_deliver(&w.hub, 768, a); /* the same message for a new reason */
	UNTIL(w.client.deliveries == 3);
	two_close(&w);
}

static void what_was_released_may_come_again(void **state)
{
	struct two w;
	uint8_t a[16];

	(void)state;
	two_open(&w);
	memcpy(a, two_new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_RELEASE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	assert_int_equal(w.hub.released[0], 256);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 2);
	two_close(&w);
}

static void the_memory_of_deliveries_has_an_end(void **state)
{
	struct two w;
	const char *address;
	uint8_t a[16];

	(void)state;
	two_hub_only(&w);
	struct ieum_options options = two_options(&w, &address);
	options.remember_max = 2;
	two_connect(&w, &options);
	UNTIL(w.client.connected == 1);
	memcpy(a, two_new_id(), 16);
	hub_deliver(&w.hub, 1, a);
	hub_deliver(&w.hub, 2, two_new_id());
	hub_deliver(&w.hub, 3, two_new_id());
	hub_deliver(&w.hub, 1, a);
	UNTIL(w.client.deliveries == 4);
	assert_int_equal(w.client.delivered[3], 1);
	two_close(&w);
}

static void settle_and_cut(struct hub *hub, uint64_t request_id, const Ieum__V1__Settle *settle)
{
	(void)request_id, (void)settle;
	hub->on_settle = NULL;
	hub_cut(hub);
}

static void a_settle_without_an_answer_is_sent_again(void **state)
{
	struct two w;
	uint8_t a[16];

	(void)state;
	two_open(&w);
	memcpy(a, two_new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	w.hub.on_settle = settle_and_cut;
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.settled == 1);
	assert_int_equal(w.hub.n_done, 1);
	assert_int_equal(w.hub.done[0], 256);
	assert_int_equal(w.client.deliveries, 1);
	two_close(&w);
}

/* As the hub does: nothing of a request with an unknown delivery takes effect. */
static void know_only_256(struct hub *hub, uint64_t request_id, const Ieum__V1__Settle *settle)
{
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Settled settled = IEUM__V1__SETTLED__INIT;

	for (size_t i = 0; i < settle->n_done; i++) {
		if (settle->done[i] != 256) {
			hub_error(hub, request_id, IEUM_E_DELIVERY_UNKNOWN, "", 0);
			return;
		}
	}
	hub->n_done += (unsigned)settle->n_done;
	settled.through_request_id = request_id;
	answer.request_id = request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_SETTLED;
	answer.settled = &settled;
	hub_send(hub, &answer);
}

static void one_unknown_delivery_does_not_spoil_the_others(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	w.hub.on_settle = know_only_256;
	assert_int_equal(ieum_settle(w.client.c, 7, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 1 && w.client.unsettled == 1);
	assert_int_equal(w.hub.settles, 3);
	assert_int_equal(w.hub.n_done, 1);
	assert_int_equal(w.client.failure, IEUM_E_DELIVERY_UNKNOWN);
	two_close(&w);
}

/* Of a later version: a field that this client doesn't know. */
static void an_unreadable_delivery_is_refused_by_itself(void **state)
{
	static const uint8_t frame[] = { 0x3A, 5, 0x08, 42, 0xF8, 0x06, 1 };
	struct two w;

	(void)state;
	two_open(&w);
	assert_int_equal(channel_send(w.hub.w.server.ch, frame, sizeof frame), IEUM_E_OK);
	hub_deliver(&w.hub, 43, two_new_id());
	UNTIL(w.hub.n_refused == 1 && w.client.deliveries == 1);
	assert_int_equal(w.hub.refused[0], 42);
	assert_string_equal(w.hub.refusal, "delivery: has no field 111");
	assert_int_equal(w.client.disconnected, 0);
	two_close(&w);
}

/* ---- a new incarnation ---- */

static void receipted_messages_go_again_to_a_new_incarnation(void **state)
{
	struct two w;
	const uint8_t *a, *b, *c;

	(void)state;
	two_open(&w);
	a = two_submit(&w);
	b = two_submit(&w);
	UNTIL(w.client.receipts == 2);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	assert_int_equal(w.hub.submits, 2); /* the same incarnation: nothing again */
	assert_int_equal(w.client.incarnations, 0);

	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.disconnected == 2);
	c = two_submit(&w);
	UNTIL(w.client.resent == 2 && w.client.receipts == 3);
	assert_int_equal(w.client.incarnations, 1);
	assert_int_equal(w.client.resending, 2);
	assert_int_equal(w.hub.submits, 5);
	assert_memory_equal(w.hub.ids[2], a, 16);
	assert_memory_equal(w.hub.ids[3], b, 16);
	assert_memory_equal(w.hub.ids[4], c, 16);

	memset(w.hub.incarnation, 'C', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.resent == 5);
	two_close(&w);
}

static void a_message_known_from_the_old_incarnation_is_not_handed_over_again(void **state)
{
	struct two w;
	uint8_t held[16], done[16];

	(void)state;
	two_open(&w);
	memcpy(held, two_new_id(), 16);
	memcpy(done, two_new_id(), 16);
	hub_deliver(&w.hub, 256, held);
	hub_deliver(&w.hub, 512, done);
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(ieum_settle(w.client.c, 512, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 1024, held);
	hub_deliver(&w.hub, 1280, done);
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.hub.done[1], 1280);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, two_on_settled,
				     &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 2);
	assert_int_equal(w.hub.done[2], 1024);
	assert_int_equal(w.client.deliveries, 2);
	two_close(&w);
}

static void deliver_because(struct hub *hub, uint64_t delivery_id, const uint8_t *message_id,
			    Ieum__V1__DeliveryCause cause, int64_t answer_by_at_ms)
{
	hub->cause = cause;
	hub->answer_by_at_ms = answer_by_at_ms;
	hub->received_at_ms = 1000;
	hub_deliver(hub, delivery_id, message_id);
}

static void settle_done(struct two *w, uint64_t delivery_id)
{
	assert_int_equal(ieum_settle(w->client.c, delivery_id, IEUM_SETTLE_DONE, NULL,
				     two_on_settled, &w->client),
			 IEUM_E_OK);
}

static void a_restored_hubs_escalation_is_handed_over(void **state)
{
	const Ieum__V1__DeliveryCause rule = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE,
				      escalated =
					      IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED;
	struct two w;
	uint8_t id[16];

	(void)state;
	two_open(&w);
	memcpy(id, two_new_id(), 16);
	deliver_because(&w.hub, 256, id, rule, 5000);
	UNTIL(w.client.deliveries == 1);
	settle_done(&w, 256);
	UNTIL(w.client.settled == 1);
	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	deliver_because(&w.hub, 1024, id, escalated, 9000); /* in this history it came to that */
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(w.client.delivered[1], 1024);
	assert_int_equal(w.hub.n_done, 1);
	deliver_because(&w.hub, 768, id, rule, 5000); /* a repeat all the same */
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.hub.done[1], 768);
	settle_done(&w, 1024);
	UNTIL(w.client.settled == 2);
	memset(w.hub.incarnation, 'C', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 3);
	deliver_because(&w.hub, 2048, id, rule, 5000); /* both are known */
	deliver_because(&w.hub, 2304, id, escalated, 9000);
	UNTIL(w.hub.n_done == 5);
	assert_int_equal(w.client.deliveries, 2);
	deliver_because(&w.hub, 2560, id, rule, 6000); /* with another term */
	UNTIL(w.client.deliveries == 3);
	two_close(&w);
}

static void a_term_that_moved_makes_no_other_delivery(void **state)
{
	const Ieum__V1__DeliveryCause rule = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE;
	struct two w;
	uint8_t id[16];

	(void)state;
	two_open(&w);
	memcpy(id, two_new_id(), 16);
	deliver_because(&w.hub, 256, id, rule, 5000);
	UNTIL(w.client.deliveries == 1);
	settle_done(&w, 256);
	UNTIL(w.client.settled == 1);
	deliver_because(&w.hub, 256, id, rule, 6000);
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.client.deliveries, 1);
	two_close(&w);
}

static void what_is_kept_for_it_is_bounded(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	struct ieum_options options = two_options(&w, &address);
	options.keep_bytes_max = 500; /* two of about 200 */
	two_connect(&w, &options);
	for (unsigned i = 1; i <= 5; i++) {
		two_submit(&w);
		UNTIL(w.client.receipts == i);
	}
	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.incarnations == 1);
	assert_in_range(w.client.resending, 1, 3);
	UNTIL(w.client.resent == w.client.resending);
	assert_memory_equal(w.hub.ids[w.hub.submits - 1], w.hub.ids[4], 16);
	two_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_comes_with_its_bytes_and_is_settled),
		cmocka_unit_test(a_delivery_is_handed_over_once),
		cmocka_unit_test(what_was_released_may_come_again),
		cmocka_unit_test(the_memory_of_deliveries_has_an_end),
		cmocka_unit_test(a_settle_without_an_answer_is_sent_again),
		cmocka_unit_test(one_unknown_delivery_does_not_spoil_the_others),
		cmocka_unit_test(an_unreadable_delivery_is_refused_by_itself),
		cmocka_unit_test(receipted_messages_go_again_to_a_new_incarnation),
		cmocka_unit_test(a_message_known_from_the_old_incarnation_is_not_handed_over_again),
		cmocka_unit_test(a_restored_hubs_escalation_is_handed_over),
		cmocka_unit_test(a_term_that_moved_makes_no_other_delivery),
		cmocka_unit_test(what_is_kept_for_it_is_bounded),
	};

	return cmocka_run_group_tests_name("libieum, deliveries", tests, world_certs_make,
					   world_certs_remove);
}
