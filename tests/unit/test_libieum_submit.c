/* libieum: what is sent again and what is not, in which order, under which id, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"
#include "tests/unit/libieum_world.h"

static void a_submit_gets_its_receipt(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	assert_string_equal(w.client.participant, "gimpo-ps");
	assert_true(ieum_connected(w.client.c));
	const uint8_t *id = two_submit(&w);
	assert_int_equal(ieum_submits_waiting(w.client.c), 1);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.hub.submits, 1);
	assert_memory_equal(w.hub.ids[0], id, 16);
	assert_memory_equal(w.client.receipt_id, id, 16);
	assert_true(uuid7_valid(id, 16));
	assert_int_equal(ieum_submits_waiting(w.client.c), 0);
	assert_int_equal(w.hub.credit, 10);
	two_close(&w);
}

static void answer_the_first_then_cut(struct hub *hub, uint64_t request_id,
				      const uint8_t *message_id)
{
	if (hub->submits == 1)
		hub_receipt(hub, request_id, message_id);
	if (hub->submits == 3) {
		channel_flush(hub->w.server.ch);
		channel_finish(hub->w.server.ch);
		hub->on_submit = NULL;
	}
}

static void what_had_no_receipt_is_sent_again_in_order_under_its_id(void **state)
{
	struct two w;
	const uint8_t *ids[4];

	(void)state;
	two_open(&w);
	w.hub.on_submit = answer_the_first_then_cut;
	for (int i = 0; i < 3; i++)
		ids[i] = two_submit(&w);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.receipts, 1);
	assert_int_equal(w.client.failure, IEUM_E_CONNECTION_LOST);
	assert_false(w.client.permanent);
	assert_in_range(w.client.retry_in_ms, 2, 4);
	ids[3] = two_submit(&w); /* while there is no connection */
	UNTIL(w.client.receipts == 4);
	assert_int_equal(w.client.connected, 2);
	assert_int_equal(w.hub.submits, 6);
	assert_memory_equal(w.hub.ids[3], ids[1], 16);
	assert_memory_equal(w.hub.ids[4], ids[2], 16);
	assert_memory_equal(w.hub.ids[5], ids[3], 16);
	assert_int_equal(w.client.failures, 0);
	two_close(&w);
}

static void queue_full_once(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_QUEUE_FULL, "mailbox x", 120);
	hub->on_submit = NULL;
}

static void a_hint_to_wait_is_honoured(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	w.hub.on_submit = queue_full_once;
	const uint8_t *id = two_submit(&w);
	UNTIL(w.hub.submits == 1);
	two_submit(&w); /* isn't held up by it */
	UNTIL(w.client.receipts == 2);
	assert_int_equal(w.hub.submits, 3);
	assert_memory_equal(w.hub.ids[0], id, 16);
	assert_memory_equal(w.hub.ids[2], id, 16);
	assert_true(w.hub.at_ms[2] - w.hub.at_ms[0] >= 120);
	assert_int_equal(w.client.failures, 0);
	assert_int_equal(w.client.connected, 1);
	two_close(&w);
}

static void refuse(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_NO_ROUTE, "nobody for checkin", 0);
}

static void a_final_error_is_told_and_not_tried_again(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	w.hub.on_submit = refuse;
	const uint8_t *id = two_submit(&w);
	UNTIL(w.client.failures == 1);
	assert_memory_equal(w.client.failed_id, id, 16);
	assert_int_equal(w.client.failure, IEUM_E_NO_ROUTE);
	assert_string_equal(w.client.detail, "nobody for checkin");
	w.hub.on_submit = NULL;
	two_submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.hub.submits, 2);
	two_close(&w);
}

static void stopping_once(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_STOPPING, "", 0);
	hub->on_submit = NULL;
}

static void a_stopping_hub_is_left_and_found_again(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	w.hub.on_submit = stopping_once;
	const uint8_t *id = two_submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.client.connected, 2);
	assert_int_equal(w.client.failure, IEUM_E_STOPPING);
	assert_memory_equal(w.hub.ids[1], id, 16);

	hub_goodbye(&w.hub);
	UNTIL(w.client.connected == 3);
	assert_int_equal(w.client.failure, IEUM_E_STOPPING);
	assert_string_equal(w.client.detail, "maintenance");
	assert_false(w.client.permanent);
	two_close(&w);
}

static void no_answer(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)hub, (void)request_id, (void)message_id;
}

static void no_more_than_agreed_is_outstanding(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	w.hub.outstanding_requests = 2;
	w.hub.on_submit = no_answer;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	for (int i = 0; i < 5; i++)
		two_submit(&w);
	UNTIL(w.hub.submits == 2);
	world_quiet(&w.hub.w);
	assert_int_equal(w.hub.submits, 2);
	assert_int_equal(ieum_ping(w.client.c, two_on_time, &w.client), IEUM_E_TOO_MANY_REQUESTS);
	w.hub.on_submit = NULL;
	hub_receipt(&w.hub, w.hub.requests[0], w.hub.ids[0]);
	UNTIL(w.hub.submits == 3);
	hub_receipt(&w.hub, w.hub.requests[1], w.hub.ids[1]);
	UNTIL(w.client.receipts == 5);
	two_close(&w);
}

static void what_was_sent_before_goes_first_again(void **state)
{
	struct two w;
	const char *address;
	const uint8_t *ids[4];

	(void)state;
	two_hub_only(&w);
	w.hub.outstanding_requests = 2;
	w.hub.on_submit = no_answer;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	for (int i = 0; i < 4; i++)
		ids[i] = two_submit(&w);
	UNTIL(w.hub.submits == 2);
	w.hub.on_submit = NULL;
	hub_cut(&w.hub);
	UNTIL(w.client.receipts == 4);
	for (int i = 0; i < 4; i++)
		assert_memory_equal(w.hub.ids[2 + i], ids[i], 16);
	two_close(&w);
}

static void the_queue_has_an_end(void **state)
{
	struct two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	two_hub_only(&w);
	w.hub.mute = true;
	struct ieum_options options = two_options(&w, &address);
	options.submits_max = 3;
	options.submit_bytes_max = 1000;
	two_connect(&w, &options);
	for (int i = 0; i < 3; i++)
		two_submit(&w);
	assert_int_equal(ieum_submit(w.client.c, samples_report(&w.samples, 10), NULL, NULL, NULL,
				     why),
			 IEUM_E_TOO_MANY_REQUESTS);
	ieum_free(w.client.c);
	two_connect(&w, &options);
	two_submit(&w);
	assert_int_equal(ieum_submit(w.client.c, samples_report(&w.samples, 900), NULL, NULL, NULL,
				     why),
			 IEUM_E_TOO_MANY_REQUESTS);
	two_submit(&w);
	two_close(&w);
}

static void mistakes_are_returned_at_once(void **state)
{
	struct two w;
	char why[IEUM_WHY_BYTES];

	(void)state;
	two_open(&w);
	Ieum__V1__Referral *referral = samples_report(&w.samples, 10);
	referral->envelope->urgency = 9;
	assert_int_equal(ieum_submit(w.client.c, referral, NULL, NULL, NULL, why),
			 IEUM_E_FIELD_INVALID);
	assert_string_equal(why, "referral.envelope.urgency: 9 is not a value of Urgency");
	assert_int_equal(ieum_submit_bytes(w.client.c, (const uint8_t *)"\x0A\x00", 2, NULL, NULL),
			 IEUM_E_ID_INVALID);
	assert_int_equal(ieum_settle(w.client.c, 1, IEUM_SETTLE_REFUSE, "", NULL, NULL),
			 IEUM_E_REASON_MISSING);
	assert_int_equal(ieum_settle(w.client.c, 1, IEUM_SETTLE_REFUSE, "of 900101-1234567", NULL,
				     NULL),
			 IEUM_E_RESIDENT_NUMBER);
	assert_int_equal(ieum_submits_waiting(w.client.c), 0);
	two_close(&w);
}

static void packed_bytes_go_as_they_are(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	Ieum__V1__Referral *referral = samples_report(&w.samples, 10);
	ProtobufCBinaryData bytes = samples_packed(&w.samples, &referral->base);
	assert_int_equal(ieum_submit_bytes(w.client.c, bytes.data, bytes.len, two_on_submitted,
					   &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.receipts == 1);
	assert_memory_equal(w.hub.ids[0], referral->envelope->message_id.data, 16);
	two_close(&w);
}

static void a_submit_is_given_up_in_the_end_and_a_late_receipt_does_no_harm(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	w.hub.on_submit = no_answer;
	struct ieum_options options = two_options(&w, &address);
	options.retry_for_ms = 60;
	two_connect(&w, &options);
	int64_t from = world_now_ms();
	two_submit(&w);
	UNTIL(w.client.failures == 1);
	assert_true(world_now_ms() - from >= 60);
	assert_int_equal(w.client.failure, IEUM_E_TIMED_OUT);
	hub_receipt(&w.hub, w.hub.requests[0], w.hub.ids[0]);
	w.hub.on_submit = NULL;
	two_submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.client.disconnected, 0);
	two_close(&w);
}

/* An id made here, grown too old before it was on the wire, is made anew; one that the
 * application gave is its own. */
static void an_id_is_made_anew_only_when_nobody_has_seen_it(void **state)
{
	struct two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	two_hub_only(&w);
	w.hub.id_window_ms = 1;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	Ieum__V1__Referral *own = samples_report(&w.samples, 10);
	memcpy(own->envelope->message_id.data, two_new_id(), 16);
	assert_int_equal(ieum_submit(w.client.c, own, two_on_submitted, &w.client, NULL, why),
			 IEUM_E_OK);
	const uint8_t *made = two_submit(&w);
	/* A handshake takes longer than the window. */
	UNTIL(w.client.receipts == 2);
	assert_memory_equal(w.hub.ids[0], own->envelope->message_id.data, 16);
	assert_memory_not_equal(w.hub.ids[1], made, 16);
	assert_memory_equal(w.client.receipt_id, w.hub.ids[1], 16);
	two_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_submit_gets_its_receipt),
		cmocka_unit_test(what_had_no_receipt_is_sent_again_in_order_under_its_id),
		cmocka_unit_test(a_hint_to_wait_is_honoured),
		cmocka_unit_test(a_final_error_is_told_and_not_tried_again),
		cmocka_unit_test(a_stopping_hub_is_left_and_found_again),
		cmocka_unit_test(no_more_than_agreed_is_outstanding),
		cmocka_unit_test(what_was_sent_before_goes_first_again),
		cmocka_unit_test(the_queue_has_an_end),
		cmocka_unit_test(mistakes_are_returned_at_once),
		cmocka_unit_test(packed_bytes_go_as_they_are),
		cmocka_unit_test(a_submit_is_given_up_in_the_end_and_a_late_receipt_does_no_harm),
		cmocka_unit_test(an_id_is_made_anew_only_when_nobody_has_seen_it),
	};

	return cmocka_run_group_tests_name("libieum, submits", tests, world_certs_make,
					   world_certs_remove);
}
