/* libieum against a tiny hub over real TLS on loopback: what is sent again and what is not, each
 * delivery once, pauses, hints, refusals, a new incarnation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/ieum.h"
#include "client/lib_backoff.h"
#include "proto/uuid7.h"
#include "proto/wire.h"
#include "tests/unit/codec_samples.h"
#include "tests/unit/libieum_hub.h"

struct client {
	struct ieum *c;
	unsigned connected, disconnected, receipts, failures, settled, unsettled, answers, lost;
	struct ieum_failure why; /* of the last of each, with its texts in: */
	char name[64], detail[512];
	bool permanent;
	int64_t retry_in_ms;
	enum ieum_err failure;
	uint8_t failed_id[16], receipt_id[16];
	uint64_t delivered[64];
	unsigned deliveries;
	size_t referral_len;
	char participant[64];
	int64_t hub_time;
	unsigned incarnations, resent, resent_failed;
	size_t resending;
};

struct world_of_two {
	struct hub hub;
	struct client client;
	struct samples samples;
};

/* ---- callbacks ---- */

static void note(struct client *me, const struct ieum_failure *why)
{
	snprintf(me->name, sizeof me->name, "%s", why->name);
	snprintf(me->detail, sizeof me->detail, "%s", why->detail);
	me->failure = why->code;
}

static void on_connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	me->connected++;
	snprintf(me->participant, sizeof me->participant, "%s", welcome->participant);
}

static void on_disconnected(struct ieum *c, const struct ieum_failure *why, bool permanent, int64_t retry_in_ms,
			    void *ctx)
{
	struct client *me = ctx;

	(void)c;
	me->disconnected++;
	note(me, why);
	me->permanent = permanent;
	me->retry_in_ms = retry_in_ms;
}

static void on_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery, const uint8_t *referral,
			size_t referral_len, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	assert_non_null(delivery->referral);
	assert_non_null(referral);
	me->delivered[me->deliveries++] = delivery->delivery_id;
	me->referral_len = referral_len;
}

static void on_incarnation(struct ieum *c, const uint8_t *before, const uint8_t *now, size_t resending, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	assert_memory_not_equal(before, now, 16);
	me->incarnations++;
	me->resending = resending;
}

static void on_resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *ctx)
{
	struct client *me = ctx;

	(void)c, (void)message_id;
	assert_true(!receipt != !failure);
	me->resent += receipt != NULL;
	me->resent_failed += failure != NULL;
}

static void on_submitted(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
			 const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c;
	assert_true(!receipt != !failure);
	if (receipt) {
		assert_memory_equal(receipt->message_id.data, message_id, 16);
		memcpy(me->receipt_id, message_id, 16);
		me->receipts++;
		return;
	}
	memcpy(me->failed_id, message_id, 16);
	me->failures++;
	note(me, failure);
}

static void on_settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c, (void)delivery_id;
	me->settled += !failure;
	me->unsettled += failure != NULL;
	if (failure)
		note(me, failure);
}

static void on_result(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral, size_t referral_len,
		      const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c, (void)referral, (void)referral_len;
	if (result)
		assert_string_equal(result->whoami->participant, "gimpo-ps");
	me->answers += result != NULL;
	me->lost += failure && failure->code == IEUM_E_CONNECTION_LOST;
}

static void on_time(struct ieum *c, int64_t hub_time_at_ms, const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c;
	assert_null(failure);
	me->hub_time = hub_time_at_ms;
}

/* ---- the world ---- */

static struct ieum_options options_for(struct world_of_two *w, const char **address)
{
	*address = hub_address(&w->hub);
	return (struct ieum_options){
		.addresses = address,
		.n_addresses = 1,
		.server_name = "127.0.0.1",
		.cert = world_path("participants/gimpo-ps.crt"),
		.key = world_path("participants/gimpo-ps.key"),
		.ca = world_path("ca.crt"),
		.pause_min_ms = 4,
		.pause_max_ms = 40,
		.credit = 10,
		.callbacks = { on_connected, on_disconnected, on_delivery, on_incarnation, on_resent },
		.ctx = &w->client,
	};
}

static void open_with(struct world_of_two *w, const struct ieum_options *options)
{
	char why[IEUM_WHY_BYTES];

	if (ieum_new(w->hub.w.base, options, &w->client.c, why))
		fail_msg("%s", why);
}

static void hub_only(struct world_of_two *w)
{
	*w = (struct world_of_two){ 0 };
	samples_init(&w->samples, 1);
	hub_open(&w->hub);
}

static void both(struct world_of_two *w)
{
	const char *address;

	hub_only(w);
	struct ieum_options options = options_for(w, &address);
	open_with(w, &options);
	world_until(&w->hub.w, w->client.connected == 1);
}

static void close_world(struct world_of_two *w)
{
	ieum_free(w->client.c);
	hub_close(&w->hub);
	samples_release(&w->samples);
}

#define UNTIL(cond) world_until(&w.hub.w, cond)

static const uint8_t *submit(struct world_of_two *w)
{
	static uint8_t ids[16][16];
	static unsigned turn;
	uint8_t *id = ids[turn++ % 16];
	char why[IEUM_WHY_BYTES];
	Ieum__V1__Referral *referral = samples_report(&w->samples, 50);

	referral->envelope->message_id.len = 0;
	if (ieum_submit(w->client.c, referral, on_submitted, &w->client, id, why))
		fail_msg("%s", why);
	return id;
}

static const uint8_t *new_id(void)
{
	static uint8_t ids[16][16];
	static unsigned turn;
	uint8_t *id = ids[turn++ % 16];

	assert_int_equal(uuid7_make(id), IEUM_E_OK);
	return id;
}

/* ---- submits ---- */

static void a_submit_gets_its_receipt(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	assert_string_equal(w.client.participant, "gimpo-ps");
	assert_true(ieum_connected(w.client.c));
	const uint8_t *id = submit(&w);
	assert_int_equal(ieum_submits_waiting(w.client.c), 1);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.hub.submits, 1);
	assert_memory_equal(w.hub.ids[0], id, 16);
	assert_memory_equal(w.client.receipt_id, id, 16);
	assert_true(uuid7_valid(id, 16));
	assert_int_equal(ieum_submits_waiting(w.client.c), 0);
	assert_int_equal(w.hub.credit, 10);
	close_world(&w);
}

static void answer_the_first_then_cut(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
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
	struct world_of_two w;
	const uint8_t *ids[4];

	(void)state;
	both(&w);
	w.hub.on_submit = answer_the_first_then_cut;
	for (int i = 0; i < 3; i++)
		ids[i] = submit(&w);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.receipts, 1);
	assert_int_equal(w.client.failure, IEUM_E_CONNECTION_LOST);
	assert_false(w.client.permanent);
	assert_in_range(w.client.retry_in_ms, 2, 4);
	ids[3] = submit(&w); /* while there is no connection */
	UNTIL(w.client.receipts == 4);
	assert_int_equal(w.client.connected, 2);
	assert_int_equal(w.hub.submits, 6);
	assert_memory_equal(w.hub.ids[3], ids[1], 16);
	assert_memory_equal(w.hub.ids[4], ids[2], 16);
	assert_memory_equal(w.hub.ids[5], ids[3], 16);
	assert_int_equal(w.client.failures, 0);
	close_world(&w);
}

static void queue_full_once(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_QUEUE_FULL, "mailbox x", 120);
	hub->on_submit = NULL;
}

static void a_hint_to_wait_is_honoured(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	w.hub.on_submit = queue_full_once;
	const uint8_t *id = submit(&w);
	UNTIL(w.hub.submits == 1);
	submit(&w); /* isn't held up by it */
	UNTIL(w.client.receipts == 2);
	assert_int_equal(w.hub.submits, 3);
	assert_memory_equal(w.hub.ids[0], id, 16);
	assert_memory_equal(w.hub.ids[2], id, 16);
	assert_true(w.hub.at_ms[2] - w.hub.at_ms[0] >= 120);
	assert_int_equal(w.client.failures, 0);
	assert_int_equal(w.client.connected, 1);
	close_world(&w);
}

static void refuse(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_NO_ROUTE, "nobody for checkin", 0);
}

static void a_final_error_is_told_and_not_tried_again(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	w.hub.on_submit = refuse;
	const uint8_t *id = submit(&w);
	UNTIL(w.client.failures == 1);
	assert_memory_equal(w.client.failed_id, id, 16);
	assert_int_equal(w.client.failure, IEUM_E_NO_ROUTE);
	assert_string_equal(w.client.detail, "nobody for checkin");
	w.hub.on_submit = NULL;
	submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.hub.submits, 2);
	close_world(&w);
}

static void stopping_once(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_STOPPING, "", 0);
	hub->on_submit = NULL;
}

static void a_stopping_hub_is_left_and_found_again(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	w.hub.on_submit = stopping_once;
	const uint8_t *id = submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.client.connected, 2);
	assert_int_equal(w.client.failure, IEUM_E_STOPPING);
	assert_memory_equal(w.hub.ids[1], id, 16);

	hub_goodbye(&w.hub);
	UNTIL(w.client.connected == 3);
	assert_int_equal(w.client.failure, IEUM_E_STOPPING);
	assert_string_equal(w.client.detail, "maintenance");
	assert_false(w.client.permanent);
	close_world(&w);
}

static void no_answer(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)hub, (void)request_id, (void)message_id;
}

static void no_more_than_agreed_is_outstanding(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	w.hub.outstanding_requests = 2;
	w.hub.on_submit = no_answer;
	struct ieum_options options = options_for(&w, &address);
	open_with(&w, &options);
	for (int i = 0; i < 5; i++)
		submit(&w);
	UNTIL(w.hub.submits == 2);
	world_quiet(&w.hub.w);
	assert_int_equal(w.hub.submits, 2);
	assert_int_equal(ieum_ping(w.client.c, on_time, &w.client), IEUM_E_TOO_MANY_REQUESTS);
	w.hub.on_submit = NULL;
	hub_receipt(&w.hub, w.hub.requests[0], w.hub.ids[0]);
	UNTIL(w.hub.submits == 3);
	hub_receipt(&w.hub, w.hub.requests[1], w.hub.ids[1]);
	UNTIL(w.client.receipts == 5);
	close_world(&w);
}

static void the_queue_has_an_end(void **state)
{
	struct world_of_two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	hub_only(&w);
	w.hub.mute = true;
	struct ieum_options options = options_for(&w, &address);
	options.submits_max = 3;
	options.submit_bytes_max = 1000;
	open_with(&w, &options);
	for (int i = 0; i < 3; i++)
		submit(&w);
	assert_int_equal(ieum_submit(w.client.c, samples_report(&w.samples, 10), NULL, NULL, NULL, why),
			 IEUM_E_TOO_MANY_REQUESTS);
	ieum_free(w.client.c);
	open_with(&w, &options);
	submit(&w);
	assert_int_equal(ieum_submit(w.client.c, samples_report(&w.samples, 900), NULL, NULL, NULL, why),
			 IEUM_E_TOO_MANY_REQUESTS);
	submit(&w);
	close_world(&w);
}

static void mistakes_are_returned_at_once(void **state)
{
	struct world_of_two w;
	char why[IEUM_WHY_BYTES];

	(void)state;
	both(&w);
	Ieum__V1__Referral *referral = samples_report(&w.samples, 10);
	referral->envelope->urgency = 9;
	assert_int_equal(ieum_submit(w.client.c, referral, NULL, NULL, NULL, why), IEUM_E_FIELD_INVALID);
	assert_string_equal(why, "referral.envelope.urgency: 9 is not a value of Urgency");
	assert_int_equal(ieum_submit_bytes(w.client.c, (const uint8_t *)"\x0A\x00", 2, NULL, NULL), IEUM_E_ID_INVALID);
	assert_int_equal(ieum_settle(w.client.c, 1, IEUM_SETTLE_REFUSE, "", NULL, NULL), IEUM_E_REASON_MISSING);
	assert_int_equal(ieum_settle(w.client.c, 1, IEUM_SETTLE_REFUSE, "of 900101-1234567", NULL, NULL),
			 IEUM_E_RESIDENT_NUMBER);
	assert_int_equal(ieum_submits_waiting(w.client.c), 0);
	close_world(&w);
}

static void packed_bytes_go_as_they_are(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	Ieum__V1__Referral *referral = samples_report(&w.samples, 10);
	ProtobufCBinaryData bytes = samples_packed(&w.samples, &referral->base);
	assert_int_equal(ieum_submit_bytes(w.client.c, bytes.data, bytes.len, on_submitted, &w.client), IEUM_E_OK);
	UNTIL(w.client.receipts == 1);
	assert_memory_equal(w.hub.ids[0], referral->envelope->message_id.data, 16);
	close_world(&w);
}

static void a_submit_is_given_up_in_the_end_and_a_late_receipt_does_no_harm(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	w.hub.on_submit = no_answer;
	struct ieum_options options = options_for(&w, &address);
	options.retry_for_ms = 60;
	open_with(&w, &options);
	int64_t from = world_now_ms();
	submit(&w);
	UNTIL(w.client.failures == 1);
	assert_true(world_now_ms() - from >= 60);
	assert_int_equal(w.client.failure, IEUM_E_TIMED_OUT);
	hub_receipt(&w.hub, w.hub.requests[0], w.hub.ids[0]);
	w.hub.on_submit = NULL;
	submit(&w);
	UNTIL(w.client.receipts == 1);
	assert_int_equal(w.client.disconnected, 0);
	close_world(&w);
}

/* An id made here, grown too old before it was on the wire, is made anew; one that the
 * application gave is its own. */
static void an_id_is_made_anew_only_when_nobody_has_seen_it(void **state)
{
	struct world_of_two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	hub_only(&w);
	w.hub.id_window_ms = 1;
	struct ieum_options options = options_for(&w, &address);
	open_with(&w, &options);
	Ieum__V1__Referral *own = samples_report(&w.samples, 10);
	memcpy(own->envelope->message_id.data, new_id(), 16);
	assert_int_equal(ieum_submit(w.client.c, own, on_submitted, &w.client, NULL, why), IEUM_E_OK);
	const uint8_t *made = submit(&w);
	/* A handshake takes longer than the window. */
	UNTIL(w.client.receipts == 2);
	assert_memory_equal(w.hub.ids[0], own->envelope->message_id.data, 16);
	assert_memory_not_equal(w.hub.ids[1], made, 16);
	assert_memory_equal(w.client.receipt_id, w.hub.ids[1], 16);
	close_world(&w);
}

/* ---- deliveries ---- */

static void a_delivery_comes_with_its_bytes_and_is_settled(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	UNTIL(w.hub.credit == 10);
	hub_deliver(&w.hub, 256, new_id());
	hub_deliver(&w.hub, 512, new_id());
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(w.client.delivered[0], 256);
	assert_in_range(w.client.referral_len, 200, 400);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	assert_int_equal(ieum_settle(w.client.c, 512, IEUM_SETTLE_REFUSE, "no reader for it", on_settled, &w.client),
			 IEUM_E_OK);
	UNTIL(w.client.settled == 2);
	assert_int_equal(w.hub.settles, 1); /* both in one frame */
	assert_int_equal(w.hub.done[0], 256);
	assert_int_equal(w.hub.refused[0], 512);
	assert_string_equal(w.hub.refusal, "no reader for it");
	ieum_credit(w.client.c, 4000);
	UNTIL(w.hub.credit == 100); /* what the hub allows */
	close_world(&w);
}

static void a_delivery_is_handed_over_once(void **state)
{
	struct world_of_two w;
	uint8_t a[16], b[16];

	(void)state;
	both(&w);
	memcpy(a, new_id(), 16);
	memcpy(b, new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 256, a); /* held: passed over */
	hub_deliver(&w.hub, 512, b);
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(w.client.delivered[1], 512);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	hub_deliver(&w.hub, 256, a); /* settled: settled again by itself */
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.hub.done[1], 256);
	assert_int_equal(w.client.deliveries, 2);
	hub_deliver(&w.hub, 768, a); /* the same message for a new reason */
	UNTIL(w.client.deliveries == 3);
	close_world(&w);
}

static void what_was_released_may_come_again(void **state)
{
	struct world_of_two w;
	uint8_t a[16];

	(void)state;
	both(&w);
	memcpy(a, new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_RELEASE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	assert_int_equal(w.hub.released[0], 256);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 2);
	close_world(&w);
}

static void the_memory_of_deliveries_has_an_end(void **state)
{
	struct world_of_two w;
	const char *address;
	uint8_t a[16];

	(void)state;
	hub_only(&w);
	struct ieum_options options = options_for(&w, &address);
	options.remember_max = 2;
	open_with(&w, &options);
	UNTIL(w.client.connected == 1);
	memcpy(a, new_id(), 16);
	hub_deliver(&w.hub, 1, a);
	hub_deliver(&w.hub, 2, new_id());
	hub_deliver(&w.hub, 3, new_id());
	hub_deliver(&w.hub, 1, a);
	UNTIL(w.client.deliveries == 4);
	assert_int_equal(w.client.delivered[3], 1);
	close_world(&w);
}

static void settle_and_cut(struct hub *hub, uint64_t request_id, const Ieum__V1__Settle *settle)
{
	(void)request_id, (void)settle;
	hub->on_settle = NULL;
	hub_cut(hub);
}

static void a_settle_without_an_answer_is_sent_again(void **state)
{
	struct world_of_two w;
	uint8_t a[16];

	(void)state;
	both(&w);
	memcpy(a, new_id(), 16);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.deliveries == 1);
	w.hub.on_settle = settle_and_cut;
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 256, a);
	UNTIL(w.client.settled == 1);
	assert_int_equal(w.hub.n_done, 1);
	assert_int_equal(w.hub.done[0], 256);
	assert_int_equal(w.client.deliveries, 1);
	close_world(&w);
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
	struct world_of_two w;

	(void)state;
	both(&w);
	w.hub.on_settle = know_only_256;
	assert_int_equal(ieum_settle(w.client.c, 7, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.settled == 1 && w.client.unsettled == 1);
	assert_int_equal(w.hub.settles, 3);
	assert_int_equal(w.hub.n_done, 1);
	assert_int_equal(w.client.failure, IEUM_E_DELIVERY_UNKNOWN);
	close_world(&w);
}

/* Of a later version: a field that this client doesn't know. */
static void an_unreadable_delivery_is_refused_by_itself(void **state)
{
	static const uint8_t frame[] = { 0x3A, 5, 0x08, 42, 0xF8, 0x06, 1 };
	struct world_of_two w;

	(void)state;
	both(&w);
	assert_int_equal(channel_send(w.hub.w.server.ch, frame, sizeof frame), IEUM_E_OK);
	hub_deliver(&w.hub, 43, new_id());
	UNTIL(w.hub.n_refused == 1 && w.client.deliveries == 1);
	assert_int_equal(w.hub.refused[0], 42);
	assert_string_equal(w.hub.refusal, "delivery: has no field 111");
	assert_int_equal(w.client.disconnected, 0);
	close_world(&w);
}

/* ---- a new incarnation ---- */

static void receipted_messages_go_again_to_a_new_incarnation(void **state)
{
	struct world_of_two w;
	const uint8_t *a, *b, *c;

	(void)state;
	both(&w);
	a = submit(&w);
	b = submit(&w);
	UNTIL(w.client.receipts == 2);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	assert_int_equal(w.hub.submits, 2); /* the same incarnation: nothing again */
	assert_int_equal(w.client.incarnations, 0);

	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.disconnected == 2);
	c = submit(&w);
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
	close_world(&w);
}

static void a_message_known_from_the_old_incarnation_is_not_handed_over_again(void **state)
{
	struct world_of_two w;
	uint8_t held[16], done[16];

	(void)state;
	both(&w);
	memcpy(held, new_id(), 16);
	memcpy(done, new_id(), 16);
	hub_deliver(&w.hub, 256, held);
	hub_deliver(&w.hub, 512, done);
	UNTIL(w.client.deliveries == 2);
	assert_int_equal(ieum_settle(w.client.c, 512, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.settled == 1);
	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	hub_deliver(&w.hub, 1024, held);
	hub_deliver(&w.hub, 1280, done);
	UNTIL(w.hub.n_done == 2);
	assert_int_equal(w.hub.done[1], 1280);
	assert_int_equal(ieum_settle(w.client.c, 256, IEUM_SETTLE_DONE, NULL, on_settled, &w.client), IEUM_E_OK);
	UNTIL(w.client.settled == 2);
	assert_int_equal(w.hub.done[2], 1024);
	assert_int_equal(w.client.deliveries, 2);
	close_world(&w);
}

static void what_is_kept_for_it_is_bounded(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	struct ieum_options options = options_for(&w, &address);
	options.keep_bytes_max = 500; /* two of about 200 */
	open_with(&w, &options);
	for (unsigned i = 1; i <= 5; i++) {
		submit(&w);
		UNTIL(w.client.receipts == i);
	}
	memset(w.hub.incarnation, 'B', sizeof w.hub.incarnation);
	hub_cut(&w.hub);
	UNTIL(w.client.incarnations == 1);
	assert_in_range(w.client.resending, 1, 3);
	UNTIL(w.client.resent == w.client.resending);
	assert_memory_equal(w.hub.ids[w.hub.submits - 1], w.hub.ids[4], 16);
	close_world(&w);
}

/* ---- connections ---- */

static void questions_are_answered_or_told_lost(void **state)
{
	struct world_of_two w;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;

	(void)state;
	both(&w);
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_int_equal(ieum_query(w.client.c, &query, on_result, &w.client), IEUM_E_OK);
	assert_int_equal(ieum_ping(w.client.c, on_time, &w.client), IEUM_E_OK);
	UNTIL(w.client.answers == 1 && w.client.hub_time == 1800000000000);
	w.hub.mute = true;
	assert_int_equal(ieum_query(w.client.c, &query, on_result, &w.client), IEUM_E_OK);
	UNTIL(w.hub.queries == 2);
	hub_cut(&w.hub);
	UNTIL(w.client.lost == 1);
	assert_int_equal(ieum_query(w.client.c, &query, on_result, &w.client), IEUM_E_CONNECTION_LOST);
	close_world(&w);
}

static void a_silent_hub_is_pinged_and_then_left(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	w.hub.mute = true;
	struct ieum_options options = options_for(&w, &address);
	options.silence_ms = 40;
	open_with(&w, &options);
	UNTIL(w.hub.hellos == 2);
	assert_int_equal(w.hub.pings, 1);
	assert_string_equal(w.client.detail, "the hub is silent");
	w.hub.mute = false;
	unsigned pings = w.hub.pings, connections = w.client.connected;
	UNTIL(w.hub.pings >= pings + 3);
	assert_in_range(w.client.connected, connections, connections + 1);
	close_world(&w);
}

static void no_welcome(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub->on_hello = NULL;
}

static void a_hub_that_never_welcomes_is_left(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	w.hub.on_hello = no_welcome;
	struct ieum_options options = options_for(&w, &address);
	options.silence_ms = 40;
	open_with(&w, &options);
	UNTIL(w.client.connected == 1);
	assert_int_equal(w.hub.hellos, 2);
	assert_int_equal(w.client.disconnected, 1);
	close_world(&w);
}

static void refused_certificates_say_so(void **state)
{
	static const struct {
		const char *pair, *text;
	} refused[] = { { "zoo/revoked", "revoked" }, { "zoo/expired", "expired" } };

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct world_of_two w;
		const char *address;
		char cert[64], key[64];

		hub_only(&w);
		struct ieum_options options = options_for(&w, &address);
		snprintf(cert, sizeof cert, "%s.crt", refused[i].pair);
		snprintf(key, sizeof key, "%s.key", refused[i].pair);
		options.cert = world_path(cert);
		options.key = world_path(key);
		open_with(&w, &options);
		UNTIL(w.client.disconnected == 1);
		assert_int_equal(w.client.failure, IEUM_E_TLS_FAILED);
		assert_non_null(strstr(w.client.detail, refused[i].text));
		assert_true(w.client.permanent);
		assert_in_range(w.client.retry_in_ms, 20, 40); /* the longest pause, but it goes on */
		assert_int_equal(w.client.connected, 0);
		UNTIL(w.client.disconnected == 2);
		close_world(&w);
	}
}

static void a_hub_with_another_name_is_refused(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	struct ieum_options options = options_for(&w, &address);
	options.server_name = "elsewhere.example";
	open_with(&w, &options);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.failure, IEUM_E_TLS_FAILED);
	assert_true(w.client.permanent);
	assert_int_equal(w.hub.hellos, 0);
	close_world(&w);
}

static void unlisted(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub_error(hub, 0, IEUM_E_IDENTITY_UNKNOWN, "spiffe://gimpo.ieum/police/gimpo-ps", 0);
	channel_finish(hub->w.server.ch);
}

static void full_once(struct hub *hub, uint64_t request_id)
{
	hub_error(hub, request_id, IEUM_E_TOO_MANY_CONNECTIONS, "", 90);
	channel_finish(hub->w.server.ch);
	hub->on_hello = NULL;
}

static void the_hubs_last_words_are_the_reason(void **state)
{
	struct world_of_two w;
	const char *address;

	(void)state;
	hub_only(&w);
	w.hub.on_hello = unlisted;
	struct ieum_options options = options_for(&w, &address);
	open_with(&w, &options);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.failure, IEUM_E_IDENTITY_UNKNOWN);
	assert_string_equal(w.client.name, "IDENTITY_UNKNOWN");
	assert_string_equal(w.client.detail, "spiffe://gimpo.ieum/police/gimpo-ps");
	assert_true(w.client.permanent);

	w.hub.on_hello = full_once;
	UNTIL(w.client.disconnected == 2);
	assert_int_equal(w.client.failure, IEUM_E_TOO_MANY_CONNECTIONS);
	assert_false(w.client.permanent);
	assert_in_range(w.client.retry_in_ms, 90, 1000);
	UNTIL(w.client.connected == 1);
	close_world(&w);
}

static void the_next_address_is_tried_at_once(void **state)
{
	struct world_of_two w;
	struct hub closed;
	const char *address;
	char gone[64];

	(void)state;
	hub_only(&w);
	hub_open(&closed); /* a port that nobody listens on any more */
	snprintf(gone, sizeof gone, "%s", hub_address(&closed));
	hub_close(&closed);
	struct ieum_options options = options_for(&w, &address);
	const char *addresses[] = { gone, address };
	options.addresses = addresses;
	options.n_addresses = 2;
	options.pause_min_ms = 60 * 1000; /* would be noticed */
	options.pause_max_ms = 60 * 1000;
	open_with(&w, &options);
	UNTIL(w.client.connected == 1);
	assert_int_equal(w.client.disconnected, 1);
	assert_int_equal(w.client.failure, IEUM_E_HUB_UNREACHABLE);
	assert_int_equal(w.client.retry_in_ms, 0);
	close_world(&w);
}

static void stopping_says_goodbye_and_is_the_end(void **state)
{
	struct world_of_two w;

	(void)state;
	both(&w);
	ieum_stop(w.client.c);
	assert_false(ieum_connected(w.client.c));
	UNTIL(w.client.disconnected == 1 && w.hub.goodbyes == 1);
	assert_int_equal(w.client.failure, IEUM_E_OK);
	assert_int_equal(w.client.retry_in_ms, -1);
	world_quiet(&w.hub.w);
	assert_int_equal(w.hub.hellos, 1);
	close_world(&w);

	hub_only(&w);
	const char *address;
	struct ieum_options options = options_for(&w, &address);
	open_with(&w, &options);
	ieum_stop(w.client.c); /* before it was ever connected */
	assert_int_equal(w.client.disconnected, 0);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.retry_in_ms, -1);
	close_world(&w);
}

static void options_are_checked(void **state)
{
	struct world_of_two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	hub_only(&w);
	struct ieum_options good = options_for(&w, &address), bad = good;
	bad.n_addresses = 0;
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FIELD_INVALID);
	bad = good;
	bad.key = NULL;
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FIELD_INVALID);
	bad = good;
	bad.cert = "/nonexistent/cert.crt";
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FILE_UNREADABLE);
	assert_non_null(strstr(why, "/nonexistent/cert.crt"));
	assert_null(w.client.c);
	close_world(&w);
}

static void pauses_grow_within_their_bounds_and_differ(void **state)
{
	struct backoff b = { .min_ms = 500, .max_ms = 30000 };
	uint64_t random = 88172645463325252u;
	unsigned low = 0, high = 0;

	(void)state;
	for (unsigned failures = 0; failures < 100; failures++) {
		uint64_t span = failures < 6 ? 500u << failures : 30000;

		for (int i = 0; i < 1000; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			b.failures = failures;
			uint32_t pause = backoff_next(&b, random);
			assert_in_range(pause, span / 2, span);
			assert_int_equal(b.failures, failures + 1);
			low += pause < span * 5 / 8;
			high += pause > span * 7 / 8;
		}
	}
	assert_in_range(low, 20000, 30000); /* a quarter each */
	assert_in_range(high, 20000, 30000);
	b = (struct backoff){ .min_ms = 1, .max_ms = UINT32_MAX, .failures = 1000 };
	assert_true(backoff_next(&b, UINT64_MAX) >= UINT32_MAX / 2);
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
		cmocka_unit_test(the_queue_has_an_end),
		cmocka_unit_test(mistakes_are_returned_at_once),
		cmocka_unit_test(packed_bytes_go_as_they_are),
		cmocka_unit_test(a_submit_is_given_up_in_the_end_and_a_late_receipt_does_no_harm),
		cmocka_unit_test(an_id_is_made_anew_only_when_nobody_has_seen_it),
		cmocka_unit_test(a_delivery_comes_with_its_bytes_and_is_settled),
		cmocka_unit_test(a_delivery_is_handed_over_once),
		cmocka_unit_test(what_was_released_may_come_again),
		cmocka_unit_test(the_memory_of_deliveries_has_an_end),
		cmocka_unit_test(a_settle_without_an_answer_is_sent_again),
		cmocka_unit_test(one_unknown_delivery_does_not_spoil_the_others),
		cmocka_unit_test(an_unreadable_delivery_is_refused_by_itself),
		cmocka_unit_test(receipted_messages_go_again_to_a_new_incarnation),
		cmocka_unit_test(a_message_known_from_the_old_incarnation_is_not_handed_over_again),
		cmocka_unit_test(what_is_kept_for_it_is_bounded),
		cmocka_unit_test(questions_are_answered_or_told_lost),
		cmocka_unit_test(a_silent_hub_is_pinged_and_then_left),
		cmocka_unit_test(a_hub_that_never_welcomes_is_left),
		cmocka_unit_test(refused_certificates_say_so),
		cmocka_unit_test(a_hub_with_another_name_is_refused),
		cmocka_unit_test(the_hubs_last_words_are_the_reason),
		cmocka_unit_test(the_next_address_is_tried_at_once),
		cmocka_unit_test(stopping_says_goodbye_and_is_the_end),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(pauses_grow_within_their_bounds_and_differ),
	};

	return cmocka_run_group_tests_name("libieum", tests, world_certs_make, world_certs_remove);
}
