/* What may be asked and by whom: pages, permissions, and that a reading is on record before its
 * answer is there. */
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

static struct hub hub;
static struct peer *police, *aid, *aid_2, *operator;

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	/* Whoever owns a case is asked to close it. */
	assert_int_equal(hub_run(&hub,
				 "sed -i 's/^rules:/&\\n  - name: closing\\n"
				 "    when: {type: closure_request}\\n    to: case_owner\\n"
				 "    answer_within: 1 d\\n    on_accept: close_case\\n"
				 "    closing: true\\n    then:\\n      - to: head/' %s",
				 hub.hub_file),
			 0);
	hub_start(&hub);
	police = peer_connect(&hub, "town-ps");
	aid = peer_connect(&hub, "town-aid");
	aid_2 = peer_connect(&hub, "town-aid-2");
	operator= peer_connect(&hub, "town-op");
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_drop(police);
	peer_drop(aid);
	peer_drop(aid_2);
	peer_drop(operator);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
	hub_remove(&hub);
	return 0;
}

/* ---- questions ---- */

struct question {
	Ieum__V1__Query query;
	Ieum__V1__CasesQuery cases;
	Ieum__V1__CaseQuery case_;
	Ieum__V1__ReferralQuery referral;
	Ieum__V1__DirectoryQuery directory;
	Ieum__V1__ReachQuery reach;
	Ieum__V1__WhoamiQuery whoami;
	Ieum__V1__QueuesQuery queues;
	Ieum__V1__QueueQuery queue;
};

static Ieum__V1__Query *question(struct question *q, Ieum__V1__Query__WhatCase what)
{
	ieum__v1__query__init(&q->query);
	ieum__v1__cases_query__init(&q->cases);
	ieum__v1__case_query__init(&q->case_);
	ieum__v1__referral_query__init(&q->referral);
	ieum__v1__directory_query__init(&q->directory);
	ieum__v1__reach_query__init(&q->reach);
	ieum__v1__whoami_query__init(&q->whoami);
	ieum__v1__queues_query__init(&q->queues);
	ieum__v1__queue_query__init(&q->queue);
	q->query.what_case = what;
	switch (what) {
	case IEUM__V1__QUERY__WHAT_CASES: q->query.cases = &q->cases; break;
	case IEUM__V1__QUERY__WHAT_CASE: q->query.case_ = &q->case_; break;
	case IEUM__V1__QUERY__WHAT_REFERRAL: q->query.referral = &q->referral; break;
	case IEUM__V1__QUERY__WHAT_DIRECTORY: q->query.directory = &q->directory; break;
	case IEUM__V1__QUERY__WHAT_REACH: q->query.reach = &q->reach; break;
	case IEUM__V1__QUERY__WHAT_WHOAMI: q->query.whoami = &q->whoami; break;
	case IEUM__V1__QUERY__WHAT_QUEUES: q->query.queues = &q->queues; break;
	default: q->query.queue = &q->queue; break;
	}
	return &q->query;
}

static Ieum__V1__Query *ask_case(struct question *q, const uint8_t id[16])
{
	question(q, IEUM__V1__QUERY__WHAT_CASE);
	q->case_.case_id = (ProtobufCBinaryData){ 16, (uint8_t *)id };
	return &q->query;
}

static Ieum__V1__Query *ask_referral(struct question *q, const uint8_t id[16])
{
	question(q, IEUM__V1__QUERY__WHAT_REFERRAL);
	q->referral.message_id = (ProtobufCBinaryData){ 16, (uint8_t *)id };
	return &q->query;
}

static void expect_refused(struct peer *p, Ieum__V1__Query *query, enum ieum_err code)
{
	(void)peer_refused(p, peer_query(p, query), code);
}

static void send(struct peer *from, struct message *m)
{
	(void)peer_receipt(from, peer_submit(from, &m->referral));
}

static uint64_t take(struct peer *to, const struct message *m)
{
	const Ieum__V1__Delivery *d = peer_delivery(to);

	assert_memory_equal(d->referral->envelope->message_id.data, m->id, sizeof(m->id));
	peer_settle(to, d->delivery_id);
	return d->delivery_id;
}

/* ---- cases ---- */

enum { CASES = 7, PAGE = 3 };

/* Every page of the caller's cases; how many rows. */
static int read_cases(struct peer *p, bool closed, uint8_t ids[][16], uint32_t *pages)
{
	const Ieum__V1__Result *result;
	struct question q;
	int n = 0;

	question(&q, IEUM__V1__QUERY__WHAT_CASES);
	q.query.page_rows = PAGE;
	q.cases.closed = closed;
	*pages = 0;
	do {
		result = peer_result(p, &q.query);
		assert_int_equal(result->what_case, IEUM__V1__RESULT__WHAT_CASES);
		assert_true(result->cases->n_cases <= PAGE);
		for (size_t i = 0; i < result->cases->n_cases; i++)
			memcpy(ids[n++], result->cases->cases[i]->case_id.data, 16);
		q.query.cursor = result->next_cursor;
		(*pages)++;
	} while (result->next_cursor.len);
	return n;
}

static void cases_come_in_pages_to_those_in_them(void **state)
{
	uint8_t ids[2 * CASES][16];
	struct message m[CASES];
	struct question q;
	uint32_t pages;

	(void)state;
	for (int i = 0; i < CASES; i++) {
		message_service_report(&m[i], "town-aid", NULL, NULL);
		send(police, &m[i]);
	}
	assert_int_equal(read_cases(aid, false, ids, &pages), CASES);
	/* Newest first, each once. */
	for (int i = 0; i < CASES; i++)
		assert_memory_equal(ids[i], m[CASES - 1 - i].id, 16);
	assert_true(pages >= (CASES + PAGE - 1) / PAGE);
	assert_int_equal(record_read(&hub, "cases", NULL), pages);
	assert_int_equal(read_cases(police, false, ids, &pages), CASES);
	assert_int_equal(read_cases(aid_2, false, ids, &pages), 0);
	/* No cursor of ours. */
	question(&q, IEUM__V1__QUERY__WHAT_CASES);
	q.query.cursor = (ProtobufCBinaryData){ 3, (uint8_t *)"abc" };
	expect_refused(aid, &q.query, IEUM_E_FIELD_INVALID);
}

static void closed_cases_are_shown_when_asked_for(void **state)
{
	Ieum__V1__ClosureRequest closure = IEUM__V1__CLOSURE_REQUEST__INIT;
	struct message m, request, accept;
	const Ieum__V1__CaseSummary *s;
	uint8_t ids[4][16];
	struct question q;
	uint32_t pages;

	(void)state;
	message_report(&m, NULL);
	send(police, &m);
	peer_credit(aid, 5);
	take(aid, &m);
	message_answer(&accept, m.id, IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
	send(aid, &accept);
	message_service_report(&request, "town-aid", m.id, NULL);
	request.envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_REQUEST;
	request.envelope.n_addressees = 0;
	closure.reason = IEUM__V1__REASON__REASON_GOALS_MET;
	request.referral.body_case = IEUM__V1__REFERRAL__BODY_CLOSURE_REQUEST;
	request.referral.closure_request = &closure;
	send(police, &request);
	take(aid, &request);
	assert_int_equal(read_cases(police, false, ids, &pages), 1);
	message_answer(&accept, request.id, IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT);
	send(aid, &accept);
	assert_int_equal(read_cases(police, false, ids, &pages), 0);
	assert_int_equal(read_cases(police, true, ids, &pages), 1);
	assert_memory_equal(ids[0], m.id, 16);
	s = peer_result(police, ask_case(&q, m.id))->case_->summary;
	assert_int_equal(s->state, IEUM__V1__CASE_STATE__CASE_STATE_CLOSED);
	assert_int_equal(s->open_requests, 0);
	/* Nothing new goes into it, and nobody else sees it. */
	message_service_report(&m, "town-aid", ids[0], NULL);
	(void)peer_refused(police, peer_submit(police, &m.referral), IEUM_E_CASE_CLOSED);
	assert_int_equal(read_cases(aid_2, true, ids, &pages), 0);
}

static void a_case_tells_its_history_in_pages(void **state)
{
	static const Ieum__V1__TimelineKind expected[] = {
		IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED,
		IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED,
		IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED,
		IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED,
	};
	const Ieum__V1__Result *result;
	const Ieum__V1__CaseResult *c;
	struct message report, answer;
	size_t seen = 0;
	struct question q;

	(void)state;
	peer_credit(aid, 5);
	peer_credit(police, 5);
	message_report(&report, "신고");
	send(police, &report);
	take(aid, &report);
	message_answer(&answer, report.id, IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT);
	send(aid, &answer);
	take(police, &answer);
	ask_case(&q, report.id);
	q.query.page_rows = 1;
	do {
		result = peer_result(aid, &q.query);
		c = result->case_;
		assert_memory_equal(c->summary->case_id.data, report.id, 16);
		assert_string_equal(c->summary->owner, "town-aid");
		assert_int_equal(c->summary->open_requests, 1);
		assert_int_equal(c->n_participants, 2);
		assert_int_equal(c->n_timeline, 1);
		assert_true(seen < sizeof(expected) / sizeof(expected[0]));
		assert_int_equal(c->timeline[0]->kind, expected[seen]);
		assert_true(c->timeline[0]->journal_number > 0 && c->timeline[0]->at_ms > 0);
		if (expected[seen] == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED) {
			assert_string_equal(c->timeline[0]->from, "town-aid");
			assert_int_equal(c->timeline[0]->answer,
					 IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT);
		}
		q.query.cursor = result->next_cursor;
		seen++;
	} while (result->next_cursor.len);
	assert_int_equal(seen, sizeof(expected) / sizeof(expected[0]));
	assert_int_equal(record_read(&hub, "case", report.id), seen);
}

/* A case of others looks like one that isn't there, and asking is on record. */
static void a_foreign_case_is_unknown(void **state)
{
	struct message m, elsewhere;
	struct question q;

	(void)state;
	message_service_report(&m, "town-aid", NULL, "비밀");
	send(police, &m);
	message_service_report(&elsewhere, "town-aid", NULL, NULL);
	expect_refused(aid_2, ask_case(&q, m.id), IEUM_E_CASE_UNKNOWN);
	expect_refused(aid_2, ask_case(&q, elsewhere.id), IEUM_E_CASE_UNKNOWN);
	expect_refused(operator, ask_case(&q, m.id), IEUM_E_CASE_UNKNOWN);
	expect_refused(aid_2, ask_referral(&q, m.id), IEUM_E_REFERRAL_UNKNOWN);
	expect_refused(operator, ask_referral(&q, m.id), IEUM_E_REFERRAL_UNKNOWN);
	/* Nor may they write into it. */
	memcpy(elsewhere.case_id, m.id, 16);
	elsewhere.envelope.open_case = false;
	elsewhere.envelope.case_id = (ProtobufCBinaryData){ 16, elsewhere.case_id };
	(void)peer_refused(aid_2, peer_submit(aid_2, &elsewhere.referral), IEUM_E_CASE_UNKNOWN);
	assert_int_equal(record_read(&hub, "case", NULL), 0);
	assert_int_equal(record_read(&hub, "referral", NULL), 0);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(record_refused(&hub, IEUM_E_CASE_UNKNOWN, NULL, NULL), 4);
	assert_int_equal(record_refused(&hub, IEUM_E_REFERRAL_UNKNOWN, "query referral", NULL), 2);
	hub_start(&hub);
}

static void an_excluded_participant_sees_nothing(void **state)
{
	char *excluded[] = { (char *)"town-aid-2" };
	struct message m;
	uint8_t ids[2][16];
	struct question q;
	uint32_t pages;

	(void)state;
	peer_credit(aid_2, 5);
	message_service_report(&m, "town-desk", NULL, NULL);
	m.addressee.to_case = IEUM__V1__ADDRESSEE__TO_BODY;
	m.addressee.body = (char *)"town-desk";
	m.envelope.excluded_participants = excluded;
	m.envelope.n_excluded_participants = 1;
	send(police, &m);
	/* It sits in an inbox that both share, and only one of them gets it. */
	expect_refused(aid_2, ask_case(&q, m.id), IEUM_E_CONFLICT_OF_INTEREST);
	expect_refused(aid_2, ask_referral(&q, m.id), IEUM_E_CONFLICT_OF_INTEREST);
	assert_int_equal(read_cases(aid_2, true, ids, &pages), 0);
	assert_false(peer_has(aid_2, IEUM__V1__FRAME__WHAT_DELIVERY));
	peer_credit(aid, 5);
	take(aid, &m);
	assert_int_equal(peer_result(aid, ask_case(&q, m.id))->what_case,
			 IEUM__V1__RESULT__WHAT_CASE);
}

/* ---- one message ---- */

static void a_referral_shows_content_to_sender_and_recipients(void **state)
{
	const Ieum__V1__ReferralResult *r;
	struct message first, second;
	struct question q;

	(void)state;
	message_service_report(&first, "town-aid", NULL, "첫 번째 내용");
	send(police, &first);
	message_service_report(&second, "town-aid-2", first.id, "두 번째");
	send(police, &second);
	peer_credit(aid, 5);
	take(aid, &first);
	r = peer_result(aid, ask_referral(&q, first.id))->referral;
	assert_memory_equal(r->message_id.data, first.id, 16);
	assert_memory_equal(r->case_id.data, first.id, 16);
	assert_string_equal(r->sender, "town-ps");
	assert_int_equal(r->n_deliveries, 1);
	assert_int_equal(r->deliveries[0]->state, IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_SETTLED);
	assert_string_equal(r->deliveries[0]->released_to, "town-aid");
	assert_non_null(r->referral);
	assert_int_equal(r->referral->n_narrative, 1);
	assert_memory_equal(r->referral->narrative[0]->clear.data, "첫 번째 내용",
			    strlen("첫 번째 내용"));
	/* On the disk before the answer was here. */
	assert_int_equal(record_read(&hub, "referral", first.id), 1);
	assert_non_null(peer_result(police, ask_referral(&q, first.id))->referral->referral);
	/* In the case, but no recipient: how far it is, not what it says. */
	r = peer_result(aid_2, ask_referral(&q, first.id))->referral;
	assert_null(r->referral);
	assert_int_equal(r->withheld, IEUM__V1__WITHHELD__WITHHELD_NOT_ADDRESSED);
	assert_int_equal(r->n_deliveries, 1);
	assert_int_equal(record_read(&hub, "referral", first.id), 2);
	assert_int_equal(record_read(&hub, "referral_status", first.id), 1);
}

/* ---- the hub ---- */

static void the_directory_comes_in_pages_and_by_kind(void **state)
{
	const Ieum__V1__Result *result;
	bool body = false;
	size_t all = 0;
	struct question q;

	(void)state;
	question(&q, IEUM__V1__QUERY__WHAT_DIRECTORY);
	q.query.page_rows = 2;
	do {
		result = peer_result(aid, &q.query);
		assert_true(result->directory->n_entries <= 2);
		all += result->directory->n_entries;
		for (size_t i = 0; i < result->directory->n_entries; i++)
			if (strcmp(result->directory->entries[i]->name, "town-desk") == 0) {
				assert_int_equal(result->directory->entries[i]->n_members, 2);
				body = result->directory->entries[i]->is_body;
			}
		q.query.cursor = result->next_cursor;
	} while (result->next_cursor.len);
	assert_int_equal(all, 7);
	assert_true(body);
	question(&q, IEUM__V1__QUERY__WHAT_DIRECTORY);
	q.directory.kind = (char *)"counselling_centre";
	result = peer_result(aid, &q.query);
	assert_int_equal(result->directory->n_entries, 2);
	assert_string_equal(result->directory->entries[0]->name, "town-aid");
	assert_string_equal(result->directory->entries[0]->title_ko, "마을상담소");
}

static void count_submitted(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	(void)seq;
	*(int *)ctx += event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED;
}

static void reach_tells_without_sending(void **state)
{
	const Ieum__V1__ReachResult *reach;
	struct message m;
	struct question q;
	int submitted = 0;

	(void)state;
	message_report(&m, NULL);
	question(&q, IEUM__V1__QUERY__WHAT_REACH);
	q.reach.referral = &m.referral;
	reach = peer_result(police, &q.query)->reach;
	assert_int_equal(reach->n_entries, 1);
	assert_string_equal(reach->entries[0]->mailbox, "town-aid");
	assert_int_equal(reach->entries[0]->cause, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	assert_true(reach->entries[0]->answer_by_at_ms > 0);
	assert_int_equal(reach->entries[0]->n_ladder, 1);
	assert_string_equal(reach->entries[0]->ladder[0], "head");
	assert_int_equal(reach->n_rules, 1);
	assert_string_equal(reach->rules[0], "report");
	/* Who may not send it isn't told either. */
	expect_refused(aid, &q.query, IEUM_E_NOT_PERMITTED);
	record_each(&hub, count_submitted, &submitted);
	assert_int_equal(submitted, 0);
}

static void whoami_tells_what_the_hub_takes_one_for(void **state)
{
	const Ieum__V1__WhoamiResult *who;
	struct question q;

	(void)state;
	who = peer_result(aid, question(&q, IEUM__V1__QUERY__WHAT_WHOAMI))->whoami;
	assert_string_equal(who->participant, "town-aid");
	assert_string_equal(who->kind, "counselling_centre");
	assert_string_equal(who->jurisdiction, "41570");
	assert_string_equal(who->actor, "town-aid-1");
	assert_string_equal(who->hub, "town.ieum");
	assert_int_equal(who->n_mailboxes, 2);
	assert_string_equal(who->mailboxes[0], "town-aid");
	assert_string_equal(who->mailboxes[1], "town-desk/member");
	assert_int_equal(who->n_views, 0);
	assert_false(who->drill);
	who = peer_result(operator, question(&q, IEUM__V1__QUERY__WHAT_WHOAMI))->whoami;
	assert_int_equal(who->n_views, 2);
}

/* ---- queues ---- */

static void queues_are_for_the_operator(void **state)
{
	const Ieum__V1__Result *result;
	const Ieum__V1__QueueSummary *s = NULL;
	struct message m[3];
	struct question q;
	size_t all = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		message_service_report(&m[i], "town-aid", NULL, "보이지 않는 내용");
		send(police, &m[i]);
	}
	peer_credit(aid, 1);
	(void)peer_delivery(aid);
	question(&q, IEUM__V1__QUERY__WHAT_QUEUES);
	q.query.page_rows = 2;
	do {
		result = peer_result(operator, & q.query);
		assert_true(result->queues->n_queues <= 2);
		all += result->queues->n_queues;
		for (size_t i = 0; i < result->queues->n_queues; i++)
			if (strcmp(result->queues->queues[i]->mailbox, "town-aid") == 0)
				s = result->queues->queues[i];
		q.query.cursor = result->next_cursor;
	} while (result->next_cursor.len);
	assert_true(all >= 6);
	if (!s) {
		fail_msg("town-aid is not among the queues");
		return;
	}
	assert_int_equal(s->depth, 2);
	assert_int_equal(s->in_flight, 1);
	assert_int_equal(s->routed, 3);
	assert_int_equal(s->consumers, 1);
	assert_true(s->depth_bytes > 0);
	question(&q, IEUM__V1__QUERY__WHAT_QUEUE);
	q.queue.mailbox = (char *)"town-aid";
	q.query.page_rows = 2;
	result = peer_result(operator, & q.query);
	assert_int_equal(result->queue->n_entries, 2);
	assert_memory_equal(result->queue->entries[0]->message_id.data, m[0].id, 16);
	assert_int_equal(result->queue->entries[0]->state,
			 IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_IN_FLIGHT);
	q.query.cursor = result->next_cursor;
	result = peer_result(operator, & q.query);
	assert_int_equal(result->queue->n_entries, 1);
	assert_int_equal(result->next_cursor.len, 0);
	assert_int_equal(record_read(&hub, "queue", NULL), 2);
	q.query.cursor = (ProtobufCBinaryData){ 0, NULL };
	q.queue.mailbox = (char *)"nobody";
	expect_refused(operator, & q.query, IEUM_E_FIELD_INVALID);
	/* For anyone else it is refused, and that is on record. */
	expect_refused(aid, &q.query, IEUM_E_NOT_PERMITTED);
	expect_refused(police, question(&q, IEUM__V1__QUERY__WHAT_QUEUES), IEUM_E_NOT_PERMITTED);
	assert_int_equal(record_refused(&hub, IEUM_E_NOT_PERMITTED, "query queue", NULL), 1);
	assert_int_equal(record_refused(&hub, IEUM_E_NOT_PERMITTED, "query queues", NULL), 1);
	assert_int_equal(record_read(&hub, "queue", NULL), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(cases_come_in_pages_to_those_in_them),
		TEST(closed_cases_are_shown_when_asked_for),
		TEST(a_case_tells_its_history_in_pages),
		TEST(a_foreign_case_is_unknown),
		TEST(an_excluded_participant_sees_nothing),
		TEST(a_referral_shows_content_to_sender_and_recipients),
		TEST(the_directory_comes_in_pages_and_by_kind),
		TEST(reach_tells_without_sending),
		TEST(whoami_tells_what_the_hub_takes_one_for),
		TEST(queues_are_for_the_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
