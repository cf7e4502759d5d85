/* The whole daemon once through: real TLS, real journal, one participant to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"

static struct hub hub;

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	return 0;
}

static int start_drill(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	hub_start(&hub);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

static void hello_and_welcome(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps");
	const Ieum__V1__Welcome *w = peer_welcome(p);

	(void)state;
	assert_string_equal(w->hub, "town.ieum");
	assert_string_equal(w->participant, "town-ps");
	assert_int_equal(w->incarnation.len, 16);
	assert_false(w->drill);
	assert_int_equal(w->limits->frame_bytes, 1 << 20);
	assert_int_equal(w->limits->settle_within_ms, 5000);
	assert_int_equal(w->certificate_ends_at_ms, 0);
	peer_ping(p);
	peer_close(p);
	hub_await_log(&hub, "event=disconnected");
	assert_int_equal(hub_stop(&hub), 0);
}

static void submit_deliver_settle(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	const Ieum__V1__Receipt *receipt;
	const Ieum__V1__Delivery *d;
	struct message m;

	(void)state;
	peer_credit(to, 10);
	message_service_report(&m, "town-aid", NULL, "지원 내용입니다");
	receipt = peer_receipt(from, peer_submit(from, &m.referral));
	assert_memory_equal(receipt->message_id.data, m.id, sizeof(m.id));
	assert_true(receipt->journal_number > 0);
	assert_false(receipt->repeated);
	assert_memory_equal(receipt->case_id.data, m.id, sizeof(m.id));
	d = peer_delivery(to);
	assert_int_equal(d->attempt, 1);
	assert_string_equal(d->sender, "town-ps");
	assert_string_equal(d->mailbox, "town-aid");
	assert_int_equal(d->journal_number, receipt->journal_number);
	assert_memory_equal(d->referral->envelope->message_id.data, m.id, sizeof(m.id));
	assert_int_equal(d->referral->n_narrative, 1);
	assert_memory_equal(d->referral->narrative[0]->clear.data, m.part.clear.data,
			    m.part.clear.len);
	peer_settle(to, d->delivery_id);
	/* Settling twice is no error. */
	peer_settle(to, d->delivery_id);
	assert_false(peer_has(to, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_close(from);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_duplicate_gets_the_first_receipt(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	const Ieum__V1__Receipt *first, *second;
	struct message m;

	(void)state;
	message_service_report(&m, "town-aid", NULL, NULL);
	first = peer_receipt(from, peer_submit(from, &m.referral));
	second = peer_receipt(from, peer_submit(from, &m.referral));
	assert_true(second->repeated);
	assert_int_equal(second->journal_number, first->journal_number);
	assert_int_equal(second->received_at_ms, first->received_at_ms);
	peer_close(from);
}

static void a_restart_keeps_the_queue(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to;
	const Ieum__V1__Receipt *receipt;
	const Ieum__V1__Delivery *d;
	struct message m[3];
	uint64_t first_id;

	(void)state;
	for (int i = 0; i < 3; i++) {
		message_service_report(&m[i], "town-aid", NULL, "남아 있어야 합니다");
		receipt = peer_receipt(from, peer_submit(from, &m[i].referral));
		assert_false(receipt->repeated);
	}
	/* One is in flight at the kill: it comes again, and no attempt is counted. */
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 1);
	first_id = peer_delivery(to)->delivery_id;
	hub_kill(&hub);
	peer_drop(from);
	peer_drop(to);
	hub_start(&hub);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 10);
	for (int i = 0; i < 3; i++) {
		d = peer_delivery(to);
		assert_memory_equal(d->referral->envelope->message_id.data, m[i].id,
				    sizeof(m[i].id));
		assert_int_equal(d->attempt, 1);
		if (i == 0)
			assert_int_equal(d->delivery_id, first_id);
		peer_settle(to, d->delivery_id);
	}
	/* The first receipt is remembered too. */
	from = peer_connect(&hub, "town-ps");
	receipt = peer_receipt(from, peer_submit(from, &m[0].referral));
	assert_true(receipt->repeated);
	peer_close(from);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_request_is_answered_and_routed_back(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	const Ieum__V1__Delivery *d;
	struct message report, answer;

	(void)state;
	peer_credit(from, 5);
	peer_credit(to, 5);
	message_report(&report, "신고 내용");
	(void)peer_receipt(from, peer_submit(from, &report.referral));
	d = peer_delivery(to);
	assert_true(d->answer_by_at_ms > d->received_at_ms);
	peer_settle(to, d->delivery_id);
	message_answer(&answer, report.id, IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED);
	(void)peer_receipt(to, peer_submit(to, &answer.referral));
	d = peer_delivery(from);
	assert_int_equal(d->cause, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER);
	assert_memory_equal(d->referral->envelope->in_reply_to.data, report.id, sizeof(report.id));
	peer_close(from);
	peer_close(to);
}

static void sigterm_says_goodbye_and_exits_0(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps");

	(void)state;
	hub_signal(&hub, SIGTERM);
	assert_string_equal(peer_expect(p, IEUM__V1__FRAME__WHAT_GOODBYE)->goodbye->why,
			    "stopping");
	assert_int_equal(peer_await_close(p), CHANNEL_CLOSE_PEER);
	assert_int_equal(hub_await_end(&hub), 0);
	assert_true(hub_logged(&hub, "event=stopped"));
	peer_drop(p);
}

static void a_drill_moves_its_clock(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *head = peer_connect(&hub, "town-head");
	struct peer *operator= peer_connect(&hub, "town-op");
	const Ieum__V1__Delivery *d;
	struct message report;

	(void)state;
	assert_true(peer_welcome(from)->drill);
	peer_credit(head, 5);
	message_report(&report, NULL);
	(void)peer_receipt(from, peer_submit(from, &report.referral));
	peer_advance(operator, 9 * 60 * 1000);
	peer_ping(head);
	assert_false(peer_has(head, IEUM__V1__FRAME__WHAT_DELIVERY));
	/* Ten minutes of silence: its head is asked. */
	peer_advance(operator, 2 * 60 * 1000);
	d = peer_delivery(head);
	assert_int_equal(d->cause, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED);
	assert_memory_equal(d->referral->envelope->message_id.data, report.id, sizeof(report.id));
	peer_close(from);
	peer_close(head);
	peer_close(operator);
	assert_int_equal(hub_stop(&hub), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hello_and_welcome, start, end),
		cmocka_unit_test_setup_teardown(submit_deliver_settle, start, end),
		cmocka_unit_test_setup_teardown(a_duplicate_gets_the_first_receipt, start, end),
		cmocka_unit_test_setup_teardown(a_restart_keeps_the_queue, start, end),
		cmocka_unit_test_setup_teardown(a_request_is_answered_and_routed_back, start, end),
		cmocka_unit_test_setup_teardown(sigterm_says_goodbye_and_exits_0, start, end),
		cmocka_unit_test_setup_teardown(a_drill_moves_its_clock, start_drill, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
