/* How a message reaches its mailbox: the credit window, settling, attempts, dead letters, order,
 * withdrawal, who sees which part.
 *
 * The hubs are drills where time matters: it moves when the test says so, and otherwise no
 * faster than the test runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

enum {
	MINUTE_MS = 60 * 1000,
	/* redeliver_min of the hub, then doubled: far above what a test takes. */
	FIRST_DELAY_MS = 5 * MINUTE_MS,
	SECOND_DELAY_MS = 2 * FIRST_DELAY_MS,
};

static struct hub hub;

/* limits is the last section of the town's file. */
static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	assert_int_equal(hub_run(&hub,
				 "sed -i 's/settle_within:.*/settle_within: 10 min\\n"
				 "  attempts_max: 3\\n  redeliver_min: 5 min\\n"
				 "  redeliver_max: 1 h/' %s",
				 hub.hub_file),
			 0);
	hub_start(&hub);
	return 0;
}

/* Every test leaves a journal that proves itself. */
static int end(void **state)
{
	(void)state;
	if (hub.pid > 0)
		assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
	hub_remove(&hub);
	return 0;
}

static void send(struct peer *from, struct message *m)
{
	(void)peer_receipt(from, peer_submit(from, &m->referral));
}

/* A report to town-aid in a case of its own. */
static void send_one(struct peer *from, struct message *m)
{
	message_service_report(m, "town-aid", NULL, "내용");
	send(from, m);
}

static void expect_nothing(struct peer *p)
{
	peer_ping(p);
	assert_false(peer_has(p, IEUM__V1__FRAME__WHAT_DELIVERY));
}

static uint64_t expect(struct peer *to, const struct message *m, uint32_t attempt)
{
	const Ieum__V1__Delivery *d = peer_delivery(to);

	assert_memory_equal(d->referral->envelope->message_id.data, m->id, sizeof(m->id));
	assert_int_equal(d->attempt, attempt);
	return d->delivery_id;
}

/* What the operator sees of a mailbox; good until `operator` ends. */
static const Ieum__V1__QueueResult *queue_of(struct peer *operator, const char * mailbox, bool dead)
{
	Ieum__V1__QueueQuery queue = IEUM__V1__QUEUE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	queue.mailbox = (char *)mailbox;
	queue.dead_letters = dead;
	query.what_case = IEUM__V1__QUERY__WHAT_QUEUE;
	query.queue = &queue;
	return peer_result(operator, & query)->queue;
}

/* ---- credit ---- */

static void credit_is_a_window(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct message m[5];
	uint64_t first, second;

	(void)state;
	for (int i = 0; i < 5; i++)
		send_one(from, &m[i]);
	/* It begins at 0. */
	expect_nothing(to);
	peer_credit(to, 2);
	first = expect(to, &m[0], 1);
	second = expect(to, &m[1], 1);
	expect_nothing(to);
	peer_settle(to, first);
	first = expect(to, &m[2], 1);
	expect_nothing(to);
	/* A window, not an increment: smaller than what is out already, nothing comes. */
	peer_credit(to, 1);
	peer_settle(to, first);
	expect_nothing(to);
	peer_settle(to, second);
	first = expect(to, &m[3], 1);
	expect_nothing(to);
	peer_credit(to, 0);
	peer_settle(to, first);
	expect_nothing(to);
	peer_credit(to, 1);
	peer_settle(to, expect(to, &m[4], 1));
	peer_close(from);
	peer_close(to);
}

static void two_connections_share_without_doubling(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to[2] = { peer_connect(&hub, "town-aid"), peer_connect(&hub, "town-aid") };
	struct message m[4];
	uint64_t id[4];

	(void)state;
	peer_credit(to[0], 2);
	peer_credit(to[1], 2);
	peer_ping(to[0]);
	peer_ping(to[1]);
	for (int i = 0; i < 4; i++)
		send_one(from, &m[i]);
	for (int i = 0; i < 4; i++)
		id[i] = peer_delivery(to[i % 2])->delivery_id;
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			assert_true(id[i] != id[k]);
	expect_nothing(to[0]);
	expect_nothing(to[1]);
	for (int i = 0; i < 4; i++)
		peer_settle(to[i % 2], id[i]);
	peer_close(from);
	peer_close(to[0]);
	peer_close(to[1]);
}

/* ---- failed attempts ---- */

static void count_dead(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	char *why = ctx;

	(void)seq;
	if (event->what_case == IEUM__V1__EVENT__WHAT_DEAD_LETTERED)
		snprintf(why, 100, "%s", event->dead_lettered->why);
}

static void refused_to_the_end_is_a_dead_letter_with_its_reason(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct peer *operator= peer_connect(&hub, "town-op");
	const Ieum__V1__QueueResult *queue;
	char why[100] = "";
	struct message m;
	uint64_t id;

	(void)state;
	peer_credit(to, 5);
	send_one(from, &m);
	id = expect(to, &m, 1);
	peer_refuse(to, id, "no key for it");
	peer_advance(operator, FIRST_DELAY_MS - MINUTE_MS);
	expect_nothing(to);
	peer_advance(operator, MINUTE_MS);
	assert_int_equal(expect(to, &m, 2), id);
	/* It waits twice as long now. */
	peer_refuse(to, id, "still no key");
	peer_advance(operator, FIRST_DELAY_MS + MINUTE_MS);
	expect_nothing(to);
	peer_advance(operator, SECOND_DELAY_MS - FIRST_DELAY_MS);
	assert_int_equal(expect(to, &m, 3), id);
	peer_refuse(to, id, "given up");
	peer_advance(operator, 24 * 60 * MINUTE_MS);
	expect_nothing(to);
	queue = queue_of(operator, "town-aid", true);
	assert_int_equal(queue->summary->dead_lettered, 1);
	assert_int_equal(queue->summary->routed, 1);
	assert_int_equal(queue->n_entries, 1);
	assert_int_equal(queue->entries[0]->delivery_id, id);
	assert_int_equal(queue->entries[0]->attempts, 3);
	assert_string_equal(queue->entries[0]->why, "given up");
	record_each(&hub, count_dead, why);
	assert_string_equal(why, "given up");
	/* The participant has it all the same: its late word counts. */
	peer_settle(to, id);
	queue = queue_of(operator, "town-aid", true);
	assert_int_equal(queue->summary->settled, 1);
	assert_int_equal(queue->summary->dead_lettered, 0);
	assert_int_equal(queue->n_entries, 0);
	peer_close(from);
	peer_close(to);
	peer_close(operator);
}

static void given_back_it_goes_to_a_colleague_at_once(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *one = peer_connect(&hub, "town-aid");
	struct peer *other = peer_connect(&hub, "town-aid-2");
	const Ieum__V1__Delivery *d;
	struct message m;
	uint64_t id;

	(void)state;
	peer_credit(one, 1);
	message_service_report(&m, "town-desk", NULL, NULL);
	m.addressee.to_case = IEUM__V1__ADDRESSEE__TO_BODY;
	m.addressee.body = (char *)"town-desk";
	send(from, &m);
	d = peer_delivery(one);
	assert_string_equal(d->mailbox, "town-desk/member");
	id = d->delivery_id;
	peer_credit(other, 1);
	expect_nothing(other);
	peer_give_back(one, id);
	assert_int_equal(expect(other, &m, 2), id);
	expect_nothing(one);
	peer_settle(other, id);
	peer_close(from);
	peer_close(one);
	peer_close(other);
}

static void not_settled_in_time_it_comes_again(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct peer *operator= peer_connect(&hub, "town-op");
	struct message m;
	uint64_t id;

	(void)state;
	peer_credit(to, 1);
	send_one(from, &m);
	id = expect(to, &m, 1);
	peer_advance(operator, 8 * MINUTE_MS);
	assert_int_equal(queue_of(operator, "town-aid", false)->summary->in_flight, 1);
	peer_advance(operator, 3 * MINUTE_MS);
	assert_int_equal(queue_of(operator, "town-aid", false)->summary->in_flight, 0);
	expect_nothing(to);
	peer_advance(operator, FIRST_DELAY_MS);
	assert_int_equal(expect(to, &m, 2), id);
	/* The first time out is forgotten by a settle of the second. */
	peer_settle(to, id);
	peer_advance(operator, 60 * MINUTE_MS);
	expect_nothing(to);
	peer_close(from);
	peer_close(to);
	peer_close(operator);
}

static void a_redelivering_message_holds_back_its_case_only(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct peer *operator= peer_connect(&hub, "town-op");
	struct message first, second, elsewhere;
	uint64_t id;

	(void)state;
	peer_credit(to, 1);
	send_one(from, &first);
	id = expect(to, &first, 1);
	message_service_report(&second, "town-aid", first.id, NULL);
	send(from, &second);
	send_one(from, &elsewhere);
	peer_refuse(to, id, "not now");
	peer_settle(to, expect(to, &elsewhere, 1));
	/* With room for both, and also while the first is out again. */
	peer_credit(to, 5);
	expect_nothing(to);
	peer_advance(operator, FIRST_DELAY_MS + MINUTE_MS);
	assert_int_equal(expect(to, &first, 2), id);
	expect_nothing(to);
	peer_settle(to, id);
	peer_settle(to, expect(to, &second, 1));
	peer_close(from);
	peer_close(to);
	peer_close(operator);
}

/* ---- connections that end ---- */

static void a_disconnect_is_no_attempt(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to;
	struct message m[2];
	uint64_t id;

	(void)state;
	send_one(from, &m[0]);
	send_one(from, &m[1]);
	/* Four times, where three attempts are allowed. */
	for (int i = 0; i < 4; i++) {
		to = peer_connect(&hub, "town-aid");
		peer_credit(to, 2);
		(void)expect(to, &m[0], 1);
		(void)expect(to, &m[1], 1);
		peer_drop(to);
		hub_await_log(&hub, "event=disconnected");
	}
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 2);
	id = expect(to, &m[0], 1);
	peer_settle(to, id);
	peer_settle(to, expect(to, &m[1], 1));
	peer_close(from);
	peer_close(to);
}

static void a_late_settle_counts(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct peer *again, *other;
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	struct message m[2];
	uint64_t id[2];

	(void)state;
	peer_credit(to, 2);
	for (int i = 0; i < 2; i++) {
		send_one(from, &m[i]);
		id[i] = expect(to, &m[i], 1);
	}
	peer_drop(to);
	hub_await_log(&hub, "event=disconnected");
	/* In the queue again, and settled from there. */
	to = peer_connect(&hub, "town-aid");
	peer_settle(to, id[0]);
	/* In flight to another connection, and settled by this one. */
	again = peer_connect(&hub, "town-aid");
	peer_credit(again, 2);
	assert_int_equal(expect(again, &m[1], 1), id[1]);
	peer_settle(to, id[1]);
	peer_credit(to, 2);
	expect_nothing(to);
	/* By an outsider, never. */
	other = peer_connect(&hub, "town-aid-2");
	settle.done = id;
	settle.n_done = 1;
	(void)peer_refused(other, peer_send_settle(other, &settle), IEUM_E_DELIVERY_UNKNOWN);
	peer_close(from);
	peer_close(to);
	peer_close(again);
	peer_close(other);
	assert_int_equal(record_refused(&hub, IEUM_E_DELIVERY_UNKNOWN, "settle", NULL), 1);
	/* After a restart too. */
	hub_kill(&hub);
	hub_start(&hub);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 2);
	expect_nothing(to);
	peer_close(to);
}

static void one_unknown_delivery_spoils_the_whole_settle(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	struct message m;
	uint64_t ids[2];

	(void)state;
	peer_credit(to, 1);
	send_one(from, &m);
	ids[0] = expect(to, &m, 1);
	ids[1] = ids[0] + 1;
	settle.done = ids;
	settle.n_done = 2;
	(void)peer_refused(to, peer_send_settle(to, &settle), IEUM_E_DELIVERY_UNKNOWN);
	peer_drop(to);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 1);
	peer_settle(to, expect(to, &m, 1));
	peer_close(from);
	peer_close(to);
}

/* ---- order and withdrawal ---- */

static void urgency_goes_before_age(void **state)
{
	static const Ieum__V1__Urgency sent[] = {
		IEUM__V1__URGENCY__URGENCY_ROUTINE,   IEUM__V1__URGENCY__URGENCY_UNSPECIFIED,
		IEUM__V1__URGENCY__URGENCY_PRIORITY,  IEUM__V1__URGENCY__URGENCY_URGENT,
		IEUM__V1__URGENCY__URGENCY_IMMEDIATE, IEUM__V1__URGENCY__URGENCY_URGENT,
	};
	static const int expected[] = { 4, 3, 5, 2, 0, 1 };
	enum { N = sizeof(sent) / sizeof(sent[0]) };
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct message m[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		message_service_report(&m[i], "town-aid", NULL, NULL);
		m[i].envelope.urgency = sent[i];
		send(from, &m[i]);
	}
	peer_credit(to, 1);
	for (int i = 0; i < N; i++)
		peer_settle(to, expect(to, &m[expected[i]], 1));
	peer_close(from);
	peer_close(to);
}

static void supersede(struct message *m, struct message *earlier)
{
	message_service_report(m, "town-aid", earlier->id, "고친 내용");
	m->envelope.supersedes = (ProtobufCBinaryData){ sizeof(earlier->id), earlier->id };
}

static void a_superseded_message_is_withdrawn_unless_it_was_delivered(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	struct peer *operator= peer_connect(&hub, "town-op");
	const Ieum__V1__QueueSummary *queue;
	struct message wrong, right, delivered, next;
	uint64_t id;

	(void)state;
	send_one(from, &wrong);
	supersede(&right, &wrong);
	send(from, &right);
	peer_credit(to, 5);
	id = expect(to, &right, 1);
	expect_nothing(to);
	queue = queue_of(operator, "town-aid", false)->summary;
	assert_int_equal(queue->routed, 2);
	assert_int_equal(queue->withdrawn, 1);
	peer_settle(to, id);
	/* What someone has, nobody takes back. */
	send_one(from, &delivered);
	id = expect(to, &delivered, 1);
	supersede(&next, &delivered);
	send(from, &next);
	peer_settle(to, expect(to, &next, 1));
	peer_settle(to, id);
	queue = queue_of(operator, "town-aid", false)->summary;
	assert_int_equal(queue->withdrawn, 1);
	assert_int_equal(queue->settled, 3);
	peer_close(from);
	peer_close(to);
	peer_close(operator);
}

/* ---- narrative parts ---- */

static void expect_parts(struct peer *p, const char *own)
{
	const Ieum__V1__Referral *r = peer_delivery(p)->referral;

	const char *const texts[] = { "모두에게", "회의 위원에게", own };

	assert_int_equal(r->n_narrative, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r->narrative[i]->clear.len, strlen(texts[i]));
		assert_memory_equal(r->narrative[i]->clear.data, texts[i], strlen(texts[i]));
	}
}

static void everyone_gets_his_parts_only(void **state)
{
	static const char *const names[] = { "town-aid", "town-aid-2", "town-round" };
	static const char *const texts[] = { "하나에게만", "둘에게만", "회의 위원에게" };
	Ieum__V1__NarrativePart part[3], *parts[4];
	Ieum__V1__Addressee addressee[2], *addressees[2];
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to[2];
	struct message m;

	(void)state;
	message_service_report(&m, "town-aid", NULL, "모두에게");
	for (int i = 0; i < 3; i++) {
		part[i] = m.part;
		part[i].recipients = (char **)&names[i];
		part[i].n_recipients = 1;
		part[i].clear = (ProtobufCBinaryData){ strlen(texts[i]), (uint8_t *)texts[i] };
	}
	for (int i = 0; i < 2; i++) {
		addressee[i] = m.addressee;
		addressee[i].participant = (char *)names[i];
		addressees[i] = &addressee[i];
	}
	parts[0] = &m.part;
	parts[1] = &part[2];
	parts[2] = &part[0];
	parts[3] = &part[1];
	m.referral.narrative = parts;
	m.referral.n_narrative = 4;
	m.envelope.addressees = addressees;
	m.envelope.n_addressees = 2;
	send(from, &m);
	/* From memory first, from the disk after a restart. */
	for (int run = 0; run < 2; run++) {
		for (int i = 0; i < 2; i++) {
			to[i] = peer_connect(&hub, names[i]);
			peer_credit(to[i], 1);
			expect_parts(to[i], texts[i]);
		}
		if (run == 0) {
			hub_kill(&hub);
			hub_start(&hub);
		}
		peer_drop(to[0]);
		peer_drop(to[1]);
	}
	peer_drop(from);
}

static size_t tokens_shown(struct peer *p, struct message *m)
{
	Ieum__V1__ReferralQuery referral = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	referral.message_id = (ProtobufCBinaryData){ sizeof(m->id), m->id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &referral;
	const Ieum__V1__Result *r = peer_result(p, &query);
	assert_non_null(r->referral->referral);
	return r->referral->referral->envelope->n_subject_tokens;
}

static void tokens_are_shown_to_their_sender_only(void **state)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct peer *to = peer_connect(&hub, "town-aid");
	uint8_t bytes[34] = { 1, 1, 7 };
	ProtobufCBinaryData token = { sizeof(bytes), bytes };
	struct message m;

	(void)state;
	message_service_report(&m, "town-aid", NULL, "내용");
	m.envelope.subject_tokens = &token;
	m.envelope.n_subject_tokens = 1;
	send(from, &m);
	peer_credit(to, 1);
	const Ieum__V1__Delivery *d = peer_delivery(to);
	assert_memory_equal(d->referral->envelope->message_id.data, m.id, sizeof(m.id));
	assert_int_equal(d->referral->envelope->n_subject_tokens, 0);
	assert_int_equal(d->referral->n_narrative, 1);
	peer_settle(to, d->delivery_id);
	assert_int_equal(tokens_shown(to, &m), 0);
	assert_int_equal(tokens_shown(from, &m), 1);
	peer_close(from);
	peer_close(to);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(credit_is_a_window),
		TEST(two_connections_share_without_doubling),
		TEST(refused_to_the_end_is_a_dead_letter_with_its_reason),
		TEST(given_back_it_goes_to_a_colleague_at_once),
		TEST(not_settled_in_time_it_comes_again),
		TEST(a_redelivering_message_holds_back_its_case_only),
		TEST(a_disconnect_is_no_attempt),
		TEST(a_late_settle_counts),
		TEST(one_unknown_delivery_spoils_the_whole_settle),
		TEST(urgency_goes_before_age),
		TEST(a_superseded_message_is_withdrawn_unless_it_was_delivered),
		TEST(everyone_gets_his_parts_only),
		TEST(tokens_are_shown_to_their_sender_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
