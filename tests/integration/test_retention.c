/* Payloads at the end of their retention: erased by the date, out of memory, out of the file, and
 * the evidence stays whole.  A drill's clock brings the date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/audit.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"

#define DAY_MS INT64_C(86400000)

static struct hub hub;
static struct peer *ps, *aid, *operator;

static void connect_all(void)
{
	ps = peer_connect(&hub, "town-ps");
	aid = peer_connect(&hub, "town-aid");
	operator= peer_connect(&hub, "town-op");
}

static int start(void **state)
{
	(void)state;
	hub_make(&hub,
		 &(struct hub_options){ .hub_file = "tests/integration/kept.yaml", .drill = true });
	hub_start(&hub);
	connect_all();
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

static void stop(void)
{
	peer_close(ps);
	peer_close(aid);
	peer_close(operator);
	assert_int_equal(hub_stop(&hub), 0);
}

/* A report about nobody's case. */
static void send_report(struct message *m, const char *narrative)
{
	message_service_report(m, "town-aid", NULL, narrative);
	m->envelope.open_case = false;
	(void)peer_receipt(ps, peer_submit(ps, &m->referral));
}

static void take(const struct message *m)
{
	const Ieum__V1__Delivery *d = peer_delivery(aid);

	assert_memory_equal(d->referral->envelope->message_id.data, m->id, sizeof(m->id));
	peer_settle(aid, d->delivery_id);
}

/* What a query shows of a message that is known. */
static bool has_content(struct peer *by, const struct message *m)
{
	Ieum__V1__ReferralQuery referral = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;

	referral.message_id = m->envelope.message_id;
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &referral;
	return peer_result(by, &q)->referral->referral != NULL;
}

static bool is_on_disk(const char *text)
{
	return hub_run(&hub, "grep -qaF '%s' %s*", text, hub.journal) == 0;
}

/* The audit of the file alone. */
static void expect_sound(uint64_t erased, uint64_t checked)
{
	struct audit_options options = { .earlier_size = 0 };
	struct audit a;

	assert_int_equal(audit_run(hub.journal, &options, &a), IEUM_E_OK);
	if (!a.sound)
		fail_msg("event %llu: %s", (unsigned long long)a.mismatch_seq, a.mismatch);
	assert_int_equal(a.payloads_erased, erased);
	assert_int_equal(a.payloads_checked, checked);
	audit_release(&a);
}

static void what_is_past_its_date_goes_and_nothing_else(void **state)
{
	struct message read, waiting, young;

	(void)state;
	send_report(&read, "이미 읽은 내용");
	peer_credit(aid, 1);
	take(&read);
	peer_credit(aid, 0);
	send_report(&waiting, "아무도 읽지 않은 내용");
	peer_advance(operator, 3 * DAY_MS);
	send_report(&young, "아직 남는 내용");
	assert_true(has_content(aid, &read));
	peer_advance(operator, 3 * DAY_MS);
	hub_await_log(&hub, "event=payloads_erased payloads=2 still_needed=0");
	assert_false(has_content(aid, &read));
	assert_false(has_content(ps, &waiting));
	assert_true(has_content(ps, &young));
	/* What waited is withdrawn: the next one to come is the younger. */
	peer_credit(aid, 5);
	take(&young);
	stop();
	assert_false(is_on_disk("이미 읽은 내용"));
	assert_false(is_on_disk("아무도 읽지 않은 내용"));
	assert_true(is_on_disk("아직 남는 내용"));
	expect_sound(2, 1);
}

/* Accepted by the owner; the hub's own notice of it has a payload too. */
static void close_case(const uint8_t *case_id)
{
	Ieum__V1__ClosureRequest body = IEUM__V1__CLOSURE_REQUEST__INIT;
	struct message closure, answer;

	message_service_report(&closure, "town-aid", case_id, NULL);
	body.reason = IEUM__V1__REASON__REASON_GOALS_MET;
	closure.envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_REQUEST;
	closure.envelope.n_addressees = 0;
	closure.referral.body_case = IEUM__V1__REFERRAL__BODY_CLOSURE_REQUEST;
	closure.referral.closure_request = &body;
	(void)peer_receipt(ps, peer_submit(ps, &closure.referral));
	message_answer(&answer, closure.id, IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT);
	(void)peer_receipt(aid, peer_submit(aid, &answer.referral));
}

static void a_case_keeps_its_messages_until_it_is_closed(void **state)
{
	struct message report, in_case;

	(void)state;
	message_report(&report, "사건의 내용");
	(void)peer_receipt(ps, peer_submit(ps, &report.referral));
	message_service_report(&in_case, "town-aid", report.id, "사건의 경과");
	(void)peer_receipt(ps, peer_submit(ps, &in_case.referral));
	peer_advance(operator, 12 * DAY_MS);
	hub_await_log(&hub, "event=payloads_erased payloads=0 still_needed=2");
	assert_true(has_content(ps, &report));
	close_case(report.id);
	peer_advance(operator, 2 * DAY_MS);
	hub_await_log(&hub, "event=payloads_erased payloads=2 still_needed=0");
	assert_false(has_content(ps, &report));
	assert_false(has_content(ps, &in_case));
	stop();
	assert_false(is_on_disk("사건의"));
}

static void a_kill_loses_no_erasure(void **state)
{
	enum { MANY = 600 }; /* more than one piece */
	static struct message m[MANY];
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		message_service_report(&m[i], "town-aid", NULL, "곧 지워질 내용");
		m[i].envelope.open_case = false;
		last = peer_submit(ps, &m[i].referral);
	}
	(void)peer_receipt(ps, last);
	peer_advance(operator, 10 * DAY_MS);
	/* In the middle: some pieces are erased, the others not yet. */
	hub_await_log(&hub, "event=erasing");
	hub_kill(&hub);
	peer_drop(ps);
	peer_drop(aid);
	peer_drop(operator);
	hub_start(&hub);
	hub_await_log(&hub, "event=payloads_erased");
	connect_all();
	for (int i = 0; i < MANY; i += MANY / 3)
		assert_false(has_content(ps, &m[i]));
	stop();
	assert_false(is_on_disk("곧 지워질 내용"));
	expect_sound(MANY, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_past_its_date_goes_and_nothing_else, start,
						end),
		cmocka_unit_test_setup_teardown(a_case_keeps_its_messages_until_it_is_closed, start,
						end),
		cmocka_unit_test_setup_teardown(a_kill_loses_no_erasure, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
