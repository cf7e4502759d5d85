/* broker/core, queries: who may read what, pages, what operators see, and what apply and snapshots
 * refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/open_case.h"

static void report(struct open_case *f, const char *to)
{
	f->w.now += 1000;
	message_in_case(message_new(&f->w, &f->m, TYPE(SERVICE_REPORT)), f->case_id);
	message_to(&f->m, to);
	trial_submitted(&f->w, f->ps, &f->m);
}

static void a_case_is_for_those_in_it(void **state)
{
	struct open_case *f = *state;
	uint8_t nobody[CORE_ID_BYTES] = { 9 };

	assert_non_null(trial_case(&f->w, f->ps, f->case_id));
	assert_non_null(trial_case(&f->w, f->manager, f->case_id));
	assert_null(trial_case(&f->w, f->aid_1, f->case_id));
	assert_null(trial_case(&f->w, f->op, f->case_id));
	assert_null(trial_case(&f->w, f->ps, nobody));
	report(f, "aid-1");
	assert_non_null(trial_case(&f->w, f->aid_1, f->case_id));
}

static enum ieum_err view_referral(struct open_case *f, uint64_t who, const uint8_t *id,
				   uint64_t *payload)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReferralQuery of = IEUM__V1__REFERRAL_QUERY__INIT;
	struct core_view v = {
		.connection = who, .query = &q, .now = f->w.now, .arena = &f->w.arena
	};

	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &of;
	of.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)id };
	enum ieum_err err = core_view(f->w.core, f->w.policy, &v);
	*payload = v.payload_seq;
	assert_int_equal(v.has_read_id, err == IEUM_E_OK);
	return err;
}

static void members_see_the_envelope_recipients_the_content(void **state)
{
	struct open_case *f = *state;
	uint64_t payload;

	report(f, "aid-1");
	uint64_t seq = core_last_seq(f->w.core);
	assert_int_equal(view_referral(f, f->ps, f->m.id, &payload), IEUM_E_OK);
	assert_true(payload == seq);
	assert_int_equal(view_referral(f, f->aid_1, f->m.id, &payload), IEUM_E_OK);
	assert_true(payload == seq);
	assert_int_equal(view_referral(f, f->manager, f->m.id, &payload), IEUM_E_OK);
	assert_true(payload == 0);
	assert_int_equal(view_referral(f, f->op, f->m.id, &payload), IEUM_E_REFERRAL_UNKNOWN);
	assert_true(payload == 0);
}

static void the_timeline_tells_what_happened_page_by_page(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;
	uint8_t cursor[8];
	size_t rows = 0;
	uint64_t last = 0;
	enum ieum_err err;

	for (int i = 0; i < 100; i++)
		report(f, "aid-1");
	uint64_t first = trial_release_one(&f->w, f->aid_1);
	assert_true(first != 0);
	of.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, f->case_id };
	q.what_case = IEUM__V1__QUERY__WHAT_CASE;
	q.case_ = &of;
	q.page_rows = 7;
	for (;;) {
		const Ieum__V1__Result *r = trial_query(&f->w, f->ps, &q, &err);
		assert_non_null(r);
		for (size_t i = 0; i < r->case_->n_timeline; i++, rows++) {
			assert_true(r->case_->timeline[i]->journal_number > last);
			last = r->case_->timeline[i]->journal_number;
			if (rows == 0)
				assert_string_equal(r->case_->timeline[i]->to[0], "team/help");
		}
		if (!r->next_cursor.len) {
			const Ieum__V1__TimelineEntry *e =
				r->case_->timeline[r->case_->n_timeline - 1];
			assert_int_equal(e->kind, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED);
			assert_string_equal(e->from, "aid-1");
			assert_string_equal(e->actor, "someone");
			break;
		}
		assert_int_equal(r->case_->n_timeline, 7);
		memcpy(cursor, r->next_cursor.data, sizeof cursor);
		q.cursor = (ProtobufCBinaryData){ sizeof cursor, cursor };
	}
	assert_int_equal(rows, 102);
	q.cursor.len = 3;
	assert_null(trial_query(&f->w, f->ps, &q, &err));
	assert_int_equal(err, IEUM_E_FIELD_INVALID);
}

static void my_cases_come_once_each_page_by_page(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__CasesQuery of = IEUM__V1__CASES_QUERY__INIT;
	uint8_t cursor[8];
	size_t rows = 0;
	enum ieum_err err;

	for (int i = 0; i < 30; i++) {
		message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
		trial_submitted(&f->w, f->ps, &f->m);
	}
	q.what_case = IEUM__V1__QUERY__WHAT_CASES;
	q.cases = &of;
	q.page_rows = 4;
	/* The manager is in each by two mailboxes. */
	for (int pages = 0; pages < 20; pages++) {
		const Ieum__V1__Result *r = trial_query(&f->w, f->manager, &q, &err);
		assert_non_null(r);
		if (rows == 0)
			assert_memory_equal(r->cases->cases[0]->case_id.data, f->m.id,
					    CORE_ID_BYTES);
		rows += r->cases->n_cases;
		if (!r->next_cursor.len)
			break;
		memcpy(cursor, r->next_cursor.data, sizeof cursor);
		q.cursor = (ProtobufCBinaryData){ sizeof cursor, cursor };
	}
	assert_int_equal(rows, 31);
	q.cursor.len = 0;
	assert_int_equal(trial_query(&f->w, f->aid_1, &q, &err)->cases->n_cases, 0);
}

static void queues_are_an_operator_s_and_show_envelopes(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__QueuesQuery all = IEUM__V1__QUEUES_QUERY__INIT;
	Ieum__V1__QueueQuery one = IEUM__V1__QUEUE_QUERY__INIT;
	enum ieum_err err;

	for (int i = 0; i < 5; i++)
		report(f, "aid-1");
	uint64_t id = trial_release_one(&f->w, f->aid_1);
	assert_int_equal(trial_refuse(&f->w, f->aid_1, id, "unreadable"), IEUM_E_OK);
	q.what_case = IEUM__V1__QUERY__WHAT_QUEUES;
	q.queues = &all;
	assert_null(trial_query(&f->w, f->ps, &q, &err));
	assert_int_equal(err, IEUM_E_NOT_PERMITTED);
	const Ieum__V1__Result *r = trial_query(&f->w, f->op, &q, &err);
	assert_int_equal(r->queues->n_queues, 12);
	for (size_t i = 0; i < r->queues->n_queues; i++) {
		const Ieum__V1__QueueSummary *s = r->queues->queues[i];
		assert_true(s->routed ==
			    s->depth + s->in_flight + s->settled + s->dead_lettered + s->withdrawn);
	}
	q.what_case = IEUM__V1__QUERY__WHAT_QUEUE;
	q.queue = &one;
	one.mailbox = (char *)"aid-1";
	q.page_rows = 3;
	assert_null(trial_query(&f->w, f->aid_1, &q, &err));
	r = trial_query(&f->w, f->op, &q, &err);
	assert_int_equal(r->queue->summary->depth, 5);
	assert_non_null(strstr(r->queue->summary->head_waits, "attempt 1 failed"));
	assert_int_equal(r->queue->n_entries, 3);
	assert_int_equal(r->queue->entries[0]->attempts, 1);
	assert_true(r->queue->entries[0]->not_before_at_ms > 0);
	uint8_t cursor[8];
	memcpy(cursor, r->next_cursor.data, sizeof cursor);
	q.cursor = (ProtobufCBinaryData){ sizeof cursor, cursor };
	r = trial_query(&f->w, f->op, &q, &err);
	assert_int_equal(r->queue->n_entries, 2);
	assert_int_equal(r->next_cursor.len, 0);
}

static void dead_letters_are_listed_with_their_reason(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__QueueQuery one = IEUM__V1__QUEUE_QUERY__INIT;
	enum ieum_err err;

	report(f, "aid-1");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(trial_refuse(&f->w, f->aid_1, trial_release_one(&f->w, f->aid_1),
					      "unreadable"),
				 IEUM_E_OK);
		trial_at(&f->w, f->w.now + 10 * 1000 * 1000);
	}
	q.what_case = IEUM__V1__QUERY__WHAT_QUEUE;
	q.queue = &one;
	one.mailbox = (char *)"aid-1";
	one.dead_letters = 1;
	const Ieum__V1__Result *r = trial_query(&f->w, f->op, &q, &err);
	assert_int_equal(r->queue->n_entries, 1);
	assert_string_equal(r->queue->entries[0]->why, "unreadable");
	assert_int_equal(r->queue->entries[0]->state, STATE(DEAD_LETTERED));
}

static void directory_whoami_and_reach_come_from_policy(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__DirectoryQuery directory = IEUM__V1__DIRECTORY_QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	q.what_case = IEUM__V1__QUERY__WHAT_DIRECTORY;
	q.directory = &directory;
	assert_int_equal(trial_query(&f->w, f->ps, &q, &err)->directory->n_entries, 11);
	directory.kind = (char *)"team";
	const Ieum__V1__Result *r = trial_query(&f->w, f->ps, &q, &err);
	assert_int_equal(r->directory->n_entries, 1);
	assert_int_equal(r->directory->entries[0]->n_members, 3);
	assert_string_equal(r->directory->entries[0]->members[0], "help: manager");

	q.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	q.whoami = &whoami;
	r = trial_query(&f->w, f->op, &q, &err);
	assert_string_equal(r->whoami->participant, "op");
	assert_string_equal(r->whoami->views[0], "queues");
	assert_true(r->whoami->drill);

	message_in_case(message_new(&f->w, &f->m, TYPE(REFERRAL)), f->case_id);
	f->m.support.domain = (char *)"legal";
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &reach;
	reach.referral = &f->m.referral;
	r = trial_query(&f->w, f->manager, &q, &err);
	assert_int_equal(r->reach->n_entries, 1);
	assert_string_equal(r->reach->entries[0]->mailbox, "aid-1");
	assert_string_equal(r->reach->entries[0]->ladder[0], "provider:legal#2");
	assert_string_equal(r->reach->rules[0], "support");
	assert_null(trial_query(&f->w, f->aid_1, &q, &err));
	assert_int_equal(err, IEUM_E_CASE_UNKNOWN);
}

static void reach_shows_what_the_hub_would_send_itself(void **state)
{
	struct open_case *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	enum ieum_err err;

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	f->m.report.child_at_home = 1;
	q.what_case = IEUM__V1__QUERY__WHAT_REACH;
	q.reach = &reach;
	reach.referral = &f->m.referral;
	const Ieum__V1__Result *r = trial_query(&f->w, f->ps, &q, &err);
	assert_non_null(r);
	assert_int_equal(r->reach->n_entries, 2);
	assert_string_equal(r->reach->entries[0]->mailbox, "team/help");
	assert_int_equal(r->reach->entries[0]->type, TYPE(REPORT_RECEIVED));
	assert_string_equal(r->reach->entries[1]->mailbox, "city");
	assert_int_equal(r->reach->entries[1]->type, TYPE(MUTUAL_NOTIFICATION));
	assert_true(r->reach->entries[1]->answer_by_at_ms > 0);
	assert_string_equal(r->reach->rules[r->reach->n_rules - 1], "notify");
	/* The only one whom it would reach is excluded: as when it is sent. */
	message_exclude(&f->m, "city");
	message_exclude(&f->m, "boss");
	assert_null(trial_query(&f->w, f->ps, &q, &err));
	assert_int_equal(err, IEUM_E_CONFLICT_OF_INTEREST);
	assert_int_equal(trial_submit(&f->w, f->ps, &f->m), IEUM_E_CONFLICT_OF_INTEREST);
}

/* ---- what contradicts the state is not taken ---- */

static void apply_refuses_what_cannot_be(void **state)
{
	struct open_case *f = *state;
	uint64_t deliveries[] = { 12345678 };
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesSettled settled = IEUM__V1__DELIVERIES_SETTLED__INIT;
	Ieum__V1__DeliveriesReleased released = IEUM__V1__DELIVERIES_RELEASED__INIT;
	Ieum__V1__Connected connected = IEUM__V1__CONNECTED__INIT;
	struct core *c = f->w.mirror;
	uint64_t next = core_last_seq(c) + 1;

	e.at_us = f->w.now;
	assert_int_equal(core_apply(c, next, &e), IEUM_E_JOURNAL_VERSION);
	e.what_case = IEUM__V1__EVENT__WHAT_SETTLED;
	e.settled = &settled;
	settled.deliveries = deliveries;
	settled.n_deliveries = 1;
	assert_int_equal(core_apply(c, next, &e), IEUM_E_JOURNAL_CORRUPT);
	settled.n_deliveries = 0;
	assert_int_equal(core_apply(c, next + 1, &e), IEUM_E_JOURNAL_CORRUPT);
	e.at_us = 5;
	assert_int_equal(core_apply(c, next, &e), IEUM_E_JOURNAL_CORRUPT);
	e.at_us = f->w.now;
	e.what_case = IEUM__V1__EVENT__WHAT_RELEASED;
	e.released = &released;
	released.connection = 9999;
	assert_int_equal(core_apply(c, next, &e), IEUM_E_JOURNAL_CORRUPT);
	e.what_case = IEUM__V1__EVENT__WHAT_CONNECTED;
	e.connected = &connected;
	connected.connection = 10000;
	connected.participant = 500;
	assert_int_equal(core_apply(c, next, &e), IEUM_E_JOURNAL_CORRUPT);
}

static void a_cut_or_changed_snapshot_is_refused_and_never_crashes(void **state)
{
	static const struct core_limits wide = { 1 << 20, 1 << 20, 1 << 20 };
	struct open_case *f = *state;
	struct buf b;

	for (int i = 0; i < 5; i++)
		report(f, "aid-1");
	(void)trial_release_one(&f->w, f->aid_1);
	buf_init(&b, 1 << 24);
	assert_int_equal(core_snapshot_write(f->w.core, &b), IEUM_E_OK);
	size_t n = buf_len(&b);
	uint8_t *bytes = malloc(n);
	assert_non_null(bytes);
	for (size_t cut = 0; cut < n; cut += 3) {
		struct core *c = core_new(&wide, 1);
		memcpy(bytes, buf_bytes(&b), n);
		assert_int_not_equal(core_snapshot_read(c, bytes, cut), IEUM_E_OK);
		core_free(c);
		c = core_new(&wide, 1);
		bytes[cut] ^= 0x15;
		(void)!core_snapshot_read(c, bytes, n);
		core_free(c);
	}
	free(bytes);
	buf_release(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_case_start, open_case_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_case_is_for_those_in_it),
		TEST(members_see_the_envelope_recipients_the_content),
		TEST(the_timeline_tells_what_happened_page_by_page),
		TEST(my_cases_come_once_each_page_by_page),
		TEST(queues_are_an_operator_s_and_show_envelopes),
		TEST(dead_letters_are_listed_with_their_reason),
		TEST(directory_whoami_and_reach_come_from_policy),
		TEST(reach_shows_what_the_hub_would_send_itself),
		TEST(apply_refuses_what_cannot_be),
		TEST(a_cut_or_changed_snapshot_is_refused_and_never_crashes),
	};

	return cmocka_run_group_tests_name("core view", tests, NULL, NULL);
}
