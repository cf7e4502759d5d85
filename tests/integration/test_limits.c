/* Every limit with a name: reached, there is the right error with a hint when to try again, or
 * back-pressure; the connection lives on where it can, and nobody else notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"
#include "tests/integration/stranger.h"

enum { KIB = 1024 };

static struct hub hub;

/* limits: of ieumd.yaml, "frame: 64 KiB, payload: 32 KiB"; sed: changes the hub file, or NULL. */
static void start(const char *limits, const char *sed)
{
	char config[256];

	snprintf(config, sizeof(config), "limits: { %s }\n", limits ? limits : "");
	hub_make(&hub, &(struct hub_options){ .config = limits ? config : NULL });
	if (sed)
		assert_int_equal(hub_run(&hub, "sed -i '%s' %s", sed, hub.hub_file), 0);
	hub_start(&hub);
}

/* The journal of every test is sound in the end. */
static int end(void **state)
{
	(void)state;
	if (hub.pid > 0)
		assert_int_equal(hub_stop(&hub), 0);
	if (hub.folder[0]) {
		record_audit(&hub);
		hub_remove(&hub);
	}
	return 0;
}

static char *text_of(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

static void send_one(struct peer *from, const char *to)
{
	struct message m;

	message_service_report(&m, to, NULL, NULL);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
}

static void credit(struct peer *p, uint32_t deliveries, uint64_t request_id)
{
	Ieum__V1__Credit c = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	c.deliveries = deliveries;
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &c;
	peer_send(p, &frame);
}

/* Frames of n submits in one piece: they reach the hub together. */
static uint64_t send_together(struct peer *from, const char *to, int n)
{
	const uint64_t first = 1000;
	struct buf all;

	buf_init(&all, 1 << 20);
	for (int i = 0; i < n; i++) {
		Ieum__V1__Submit submit = IEUM__V1__SUBMIT__INIT;
		Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
		struct message m;

		message_service_report(&m, to, NULL, NULL);
		submit.referral = &m.referral;
		frame.request_id = first + (uint64_t)i;
		frame.what_case = IEUM__V1__FRAME__WHAT_SUBMIT;
		frame.submit = &submit;
		assert_int_equal(codec_put(&all, &frame), IEUM_E_OK);
	}
	peer_send_bytes(from, buf_bytes(&all), buf_len(&all));
	buf_release(&all);
	/* So that the peer counts on behind them. */
	credit(from, 0, first + (uint64_t)n);
	return first;
}

/* Of n requests from `first` on: how many were refused with this code, and with a hint; the others
 * must have a receipt. */
static uint32_t count_refused(struct peer *p, uint64_t first, int n, enum ieum_err code)
{
	uint32_t refused = 0;

	for (int i = 0; i < n; i++) {
		const Ieum__V1__Frame *frame = peer_answer(p, first + (uint64_t)i);

		if (frame->what_case == IEUM__V1__FRAME__WHAT_RECEIPT)
			continue;
		assert_int_equal(frame->what_case, IEUM__V1__FRAME__WHAT_ERROR);
		assert_string_equal(frame->error->name, ieum_error((int)code)->name);
		assert_true(frame->error->retry_after_ms > 0);
		refused++;
	}
	return refused;
}

/* ---- one connection ---- */

static void frame_bytes(void **state)
{
	/* The length alone, 65 KiB, is enough to know. */
	static const uint8_t header[] = { 0x80, 0x88, 0x04 };
	struct peer *p, *other;

	(void)state;
	start("frame: 64 KiB, payload: 32 KiB", NULL);
	p = peer_connect(&hub, "town-ps");
	other = peer_connect(&hub, "town-aid");
	assert_int_equal(peer_welcome(p)->limits->frame_bytes, 64 * KIB);
	assert_int_equal(peer_welcome(p)->limits->payload_bytes, 32 * KIB);
	peer_send_bytes(p, header, sizeof(header));
	(void)peer_expect_error(p, IEUM_E_FRAME_TOO_LARGE);
	(void)peer_await_close(p);
	peer_drop(p);
	peer_ping(other);
	peer_close(other);
}

static void payload_bytes(void **state)
{
	char *text = text_of(33 * KIB);
	struct peer *p;
	struct message m;

	(void)state;
	start("frame: 64 KiB, payload: 32 KiB", NULL);
	p = peer_connect(&hub, "town-ps");
	message_service_report(&m, "town-aid", NULL, text);
	(void)peer_refused(p, peer_submit(p, &m.referral), IEUM_E_FIELD_TOO_LARGE);
	text[31 * KIB] = '\0';
	message_service_report(&m, "town-aid", NULL, text);
	(void)peer_receipt(p, peer_submit(p, &m.referral));
	peer_close(p);
	free(text);
	assert_int_equal(
		record_refused(&hub, IEUM_E_FIELD_TOO_LARGE, "submit service_report", NULL), 1);
}

static void outstanding_requests(void **state)
{
	enum { ALLOWED = 4, SENT = 40 };
	struct peer *p, *other;
	uint32_t refused;
	uint64_t first;

	(void)state;
	start("outstanding_requests: 4", NULL);
	p = peer_connect(&hub, "town-ps");
	other = peer_connect(&hub, "town-aid");
	first = send_together(p, "town-aid", SENT);
	refused = count_refused(p, first, SENT, IEUM_E_TOO_MANY_REQUESTS);
	assert_true(refused > 0 && refused <= SENT - ALLOWED);
	peer_ping(other);
	/* With the answers there is room again. */
	first = send_together(other, "town-aid-2", ALLOWED);
	assert_int_equal(count_refused(other, first, ALLOWED, IEUM_E_TOO_MANY_REQUESTS), 0);
	peer_close(p);
	peer_close(other);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(record_refused(&hub, IEUM_E_TOO_MANY_REQUESTS, NULL, NULL), refused);
}

static void unsettled_deliveries(void **state)
{
	struct peer *p, *from;

	(void)state;
	start("unsettled_deliveries: 3", NULL);
	p = peer_connect(&hub, "town-aid");
	from = peer_connect(&hub, "town-ps");
	assert_int_equal(peer_welcome(p)->limits->unsettled_deliveries, 3);
	credit(p, 4, 100);
	(void)peer_refused(p, 100, IEUM_E_CREDIT_TOO_LARGE);
	for (int i = 0; i < 4; i++)
		send_one(from, "town-aid");
	peer_ping(p);
	assert_false(peer_has(p, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_credit(p, 3);
	for (int i = 0; i < 3; i++)
		(void)peer_delivery(p);
	peer_ping(p);
	assert_false(peer_has(p, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_close(p);
	peer_close(from);
	assert_int_equal(record_refused(&hub, IEUM_E_CREDIT_TOO_LARGE, "credit", NULL), 1);
}

static void idle_time(void **state)
{
	struct peer *p;

	(void)state;
	start("idle_after: 100 ms", NULL);
	p = peer_connect(&hub, "town-ps");
	(void)peer_expect_error(p, IEUM_E_TIMED_OUT);
	(void)peer_await_close(p);
	peer_drop(p);
}

/* ---- connections ---- */

static void begin(struct stranger *s)
{
	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-ps" });
}

static void connections_in_all(void **state)
{
	struct peer *p[2];
	struct stranger *third;

	(void)state;
	start("connections: 2", NULL);
	p[0] = peer_connect(&hub, "town-ps");
	p[1] = peer_connect(&hub, "town-aid");
	/* It waits to be accepted, and nobody is disturbed. */
	third = stranger_connect(&hub);
	begin(third);
	assert_false(stranger_try_handshake(third));
	for (int i = 0; i < 10; i++) {
		peer_ping(p[0]);
		send_one(p[0], "town-aid");
		assert_false(stranger_try_handshake(third));
	}
	peer_close(p[1]);
	stranger_handshake(third);
	stranger_end(third);
	peer_ping(p[0]);
	peer_close(p[0]);
}

static void connections_per_participant(void **state)
{
	struct peer *p[2], *third, *other;
	const Ieum__V1__Error *error;

	(void)state;
	start("connections_per_participant: 2", NULL);
	p[0] = peer_connect(&hub, "town-ps");
	p[1] = peer_connect(&hub, "town-ps");
	third = peer_open(&hub, "participants/town-ps");
	error = peer_expect_error(third, IEUM_E_TOO_MANY_CONNECTIONS);
	assert_true(error->retry_after_ms > 0);
	(void)peer_await_close(third);
	peer_drop(third);
	other = peer_connect(&hub, "town-aid");
	peer_ping(other);
	peer_ping(p[0]);
	peer_close(p[1]);
	hub_await_log(&hub, "event=disconnected");
	p[1] = peer_connect(&hub, "town-ps");
	peer_ping(p[1]);
	peer_close(p[0]);
	peer_close(p[1]);
	peer_close(other);
	assert_int_equal(record_refused(&hub, IEUM_E_TOO_MANY_CONNECTIONS, "connect", NULL), 1);
}

static void handshakes(void **state)
{
	struct stranger *silent[2], *waiting;
	struct peer *p;

	(void)state;
	start("handshakes: 2", NULL);
	p = peer_connect(&hub, "town-aid");
	silent[0] = stranger_connect(&hub);
	silent[1] = stranger_connect(&hub);
	waiting = stranger_connect(&hub);
	begin(waiting);
	for (int i = 0; i < 10; i++) {
		peer_ping(p);
		assert_false(stranger_try_handshake(waiting));
	}
	stranger_end(silent[0]);
	stranger_handshake(waiting);
	stranger_end(waiting);
	stranger_end(silent[1]);
	peer_close(p);
}

/* ---- participants ---- */

static void rate_per_participant(void **state)
{
	enum { PER_S = 5, SENT = 60 };
	struct peer *p, *other;
	uint32_t refused, events;
	uint64_t first;

	(void)state;
	start(NULL, "s/^  town-ps: {/&rate_per_s: 5, /");
	p = peer_connect(&hub, "town-ps");
	other = peer_connect(&hub, "town-aid");
	first = send_together(p, "town-aid", SENT);
	refused = count_refused(p, first, SENT, IEUM_E_RATE_LIMITED);
	/* One second's worth at once; on a slow machine some more came meanwhile. */
	assert_true(refused > 0 && refused <= SENT - PER_S);
	first = send_together(other, "town-aid-2", SENT);
	assert_int_equal(count_refused(other, first, SENT, IEUM_E_RATE_LIMITED), 0);
	/* Credit, settle and ping are not counted. */
	for (int i = 0; i < SENT; i++)
		peer_ping(p);
	peer_close(p);
	peer_close(other);
	assert_int_equal(hub_stop(&hub), 0);
	/* Each is on record, but not each in an event of its own. */
	assert_int_equal(record_refused(&hub, IEUM_E_RATE_LIMITED, "submit", &events), refused);
	assert_int_equal(events, 2);
}

/* ---- queues ---- */

static void queue_messages(void **state)
{
	const Ieum__V1__Error *error;
	struct peer *from, *to;
	struct message m;

	(void)state;
	start(NULL, "s/settle_within:.*/&\\n  queue_messages_max: 3/");
	from = peer_connect(&hub, "town-ps");
	to = peer_connect(&hub, "town-aid");
	for (int i = 0; i < 3; i++)
		send_one(from, "town-aid");
	message_service_report(&m, "town-aid", NULL, NULL);
	error = peer_refused(from, peer_submit(from, &m.referral), IEUM_E_QUEUE_FULL);
	assert_true(error->retry_after_ms > 0);
	assert_memory_equal(error->message_id.data, m.id, sizeof(m.id));
	send_one(from, "town-aid-2");
	/* What is in flight is the mailbox's still. */
	peer_credit(to, 1);
	{
		uint64_t id = peer_delivery(to)->delivery_id;

		(void)peer_refused(from, peer_submit(from, &m.referral), IEUM_E_QUEUE_FULL);
		peer_settle(to, id);
	}
	/* The refused id was never used up. */
	assert_false(peer_receipt(from, peer_submit(from, &m.referral))->repeated);
	peer_close(from);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(record_refused(&hub, IEUM_E_QUEUE_FULL, "submit service_report", NULL), 2);
}

static void queue_bytes(void **state)
{
	char *text = text_of(300 * KIB);
	struct peer *from, *to;
	struct message m;

	(void)state;
	start(NULL, "s/settle_within:.*/&\\n  queue_bytes_max: 1 MiB/");
	from = peer_connect(&hub, "town-ps");
	to = peer_connect(&hub, "town-aid");
	for (int i = 0; i < 3; i++) {
		message_service_report(&m, "town-aid", NULL, text);
		(void)peer_receipt(from, peer_submit(from, &m.referral));
	}
	message_service_report(&m, "town-aid", NULL, text);
	assert_true(peer_refused(from, peer_submit(from, &m.referral), IEUM_E_QUEUE_FULL)
			    ->retry_after_ms > 0);
	send_one(from, "town-aid");
	peer_credit(to, 1);
	peer_settle(to, peer_delivery(to)->delivery_id);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	peer_close(from);
	peer_close(to);
	free(text);
}

/* ---- the hub ---- */

static void expect_hub_full(struct peer *from, const char *what)
{
	const Ieum__V1__Error *error;
	struct message m;

	message_service_report(&m, "town-aid", NULL, NULL);
	error = peer_refused(from, peer_submit(from, &m.referral), IEUM_E_HUB_FULL);
	assert_true(error->retry_after_ms > 0);
	assert_non_null(strstr(error->detail, what));
}

static void referrals(void **state)
{
	struct message m[3];
	struct peer *from;

	(void)state;
	start("referrals: 3", NULL);
	from = peer_connect(&hub, "town-ps");
	for (int i = 0; i < 3; i++) {
		message_service_report(&m[i], "town-aid", i ? m[0].id : NULL, NULL);
		(void)peer_receipt(from, peer_submit(from, &m[i].referral));
	}
	expect_hub_full(from, "referrals");
	/* A repeat is no new one. */
	assert_true(peer_receipt(from, peer_submit(from, &m[1].referral))->repeated);
	peer_close(from);
}

static void cases(void **state)
{
	struct peer *from;
	struct message first, m;

	(void)state;
	start("cases: 2", NULL);
	from = peer_connect(&hub, "town-ps");
	message_service_report(&first, "town-aid", NULL, NULL);
	(void)peer_receipt(from, peer_submit(from, &first.referral));
	send_one(from, "town-aid");
	expect_hub_full(from, "cases");
	/* In a case that is there, work goes on. */
	message_service_report(&m, "town-aid", first.id, NULL);
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	peer_close(from);
}

static void deliveries(void **state)
{
	struct peer *from, *to;

	(void)state;
	start("deliveries: 2", NULL);
	from = peer_connect(&hub, "town-ps");
	to = peer_connect(&hub, "town-aid");
	send_one(from, "town-aid");
	send_one(from, "town-aid-2");
	expect_hub_full(from, "deliveries");
	peer_credit(to, 1);
	peer_settle(to, peer_delivery(to)->delivery_id);
	send_one(from, "town-aid");
	peer_close(from);
	peer_close(to);
}

/* More than may wait for the disk, at once: the submitter is no longer read for a while, and
 * what it had sent already is taken, or refused with a hint. */
static void journal_pending(void **state)
{
	enum { SENT = 200 };
	char *text = text_of(32 * KIB);
	struct peer *from, *other;
	uint64_t id[SENT];
	uint32_t taken = 0;

	(void)state;
	start("journal_pending: 64 KiB", NULL);
	from = peer_connect(&hub, "town-ps");
	other = peer_connect(&hub, "town-aid");
	for (int i = 0; i < SENT; i++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, text);
		id[i] = peer_submit(from, &m.referral);
		if (i % 20 == 0)
			peer_ping(other);
	}
	for (int i = 0; i < SENT; i++) {
		const Ieum__V1__Frame *frame = peer_answer(from, id[i]);

		if (frame->what_case == IEUM__V1__FRAME__WHAT_RECEIPT) {
			taken++;
			continue;
		}
		assert_int_equal(frame->error->code, IEUM_E_UNAVAILABLE);
		assert_true(frame->error->retry_after_ms > 0);
	}
	assert_true(taken > 0);
	/* Nothing was taken without its receipt. */
	peer_credit(other, SENT + 1);
	for (uint32_t i = 0; i < taken; i++)
		peer_settle(other, peer_delivery(other)->delivery_id);
	peer_ping(other);
	assert_false(peer_has(other, IEUM__V1__FRAME__WHAT_DELIVERY));
	send_one(from, "town-aid-2");
	peer_close(from);
	peer_close(other);
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		TEST(frame_bytes),
		TEST(payload_bytes),
		TEST(outstanding_requests),
		TEST(unsettled_deliveries),
		TEST(idle_time),
		TEST(connections_in_all),
		TEST(connections_per_participant),
		TEST(handshakes),
		TEST(rate_per_participant),
		TEST(queue_messages),
		TEST(queue_bytes),
		TEST(referrals),
		TEST(cases),
		TEST(deliveries),
		TEST(journal_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
