/* A hub with twenty thousand cases: no page of any query looks at more than its limit, and walking the
 * pages still finds everything, once.
 *
 *     test_core_large            counts, which don't depend on the machine
 *     test_core_large measure    also prints the longest page of each kind */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/core_trial.h"
#include "tests/unit/hub_text.h"

enum {
	CASES = 20000,
	BOSS_CASES = 8000, /* of them opened by the boss, who may hand them over */
	BUSY = 50,         /* the newest have this many further requests */
	REQUESTS = 200,
	WAITING = 5000,
	PAGE_ROWS = 200,
	/* VIEW_LOOKED_MAX, and what the record at hand may hold: its requests and clocks. */
	PAGE_LOOKED_MAX = 4000 + 512,
};

static struct trial w;
static uint64_t ps, boss, manager, watcher, carer, op;
static uint8_t busy_case[CORE_ID_BYTES];
static bool is_measuring;

static void open_case(uint64_t by, uint8_t id[CORE_ID_BYTES])
{
	struct message m;

	message_new(&w, &m, TYPE(REPORT_RECEIVED));
	message_open_case(&m);
	trial_submitted(&w, by, &m);
	memcpy(id, m.id, CORE_ID_BYTES);
}

static void ask_much(const uint8_t case_id[CORE_ID_BYTES])
{
	for (int i = 0; i < REQUESTS; i++) {
		struct message m;

		message_new(&w, &m, TYPE(INFORMATION_REQUEST));
		message_in_case(&m, case_id);
		message_to(&m, "aid-1");
		trial_submitted(&w, ps, &m);
	}
}

static void wait_for_places(const uint8_t case_id[CORE_ID_BYTES])
{
	for (int i = 0; i < WAITING; i++) {
		struct message m;

		message_new(&w, &m, TYPE(WAITLIST_ENTRY));
		message_in_case(&m, case_id);
		m.entry.pool = (char *)"beds";
		m.entry.priority = (uint32_t)(i % 7);
		m.entry.places = 1;
		trial_submitted(&w, i % 2 ? ps : manager, &m);
	}
}

static char *large_hub(void)
{
	char *more = hub_text_changed(trial_hub, "queue_messages_max: 1000",
				      "queue_messages_max: 1000000");
	char *rule = hub_text_changed(
		more, "rules:\n",
		"pools:\n"
		"  beds: {title: {en: b, ko: 가}, keeper: carer, kind: bed, places: 0, hold: 30 min, offer_within: 48 h}\n"
		"rules:\n"
		"  - {name: wait, when: {type: waitlist_entry}, waits: true, to: case_owner}\n"
		"  - {name: taken, when: {type: placement_notice}, takes_place: true}\n"
		"  - {name: free, when: {type: place_returned}, returns_place: true}\n");

	free(more);
	return rule;
}

static int start(void **state)
{
	uint8_t id[CORE_ID_BYTES];
	char *hub = large_hub();

	(void)state;
	trial_start(&w, hub, NULL);
	free(hub);
	ps = trial_connect(&w, "ps");
	boss = trial_connect(&w, "boss");
	manager = trial_connect(&w, "manager");
	watcher = trial_connect(&w, "watcher");
	carer = trial_connect(&w, "carer");
	op = trial_connect(&w, "op");
	for (int i = 0; i < CASES; i++)
		open_case(i < BOSS_CASES ? boss : ps, id);
	for (int i = 0; i < BUSY; i++) {
		open_case(ps, busy_case);
		ask_much(busy_case);
	}
	wait_for_places(id);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	trial_stop(&w);
	return 0;
}

/* ---- pages ---- */

static double thread_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct walk {
	const char *name;
	uint64_t by;
	Ieum__V1__Query query;
	uint8_t cursor[16]; /* where its next page begins */
	size_t (*rows)(const Ieum__V1__Result *r);
	size_t n_rows, n_pages;
	uint32_t most_looked;
	double longest_us;
};

static void walk_page(struct walk *k)
{
	struct core_view v = {
		.connection = k->by, .query = &k->query, .now = w.now, .arena = &w.arena
	};
	double began = thread_us();

	arena_reset(&w.arena);
	enum ieum_err err = core_view(w.core, w.policy, &v);
	double took = thread_us() - began;
	if (err)
		fail_msg("%s: %s, %s", k->name, ieum_error((int)err)->name, v.detail);
	k->n_rows += k->rows(v.result);
	k->n_pages++;
	if (took > k->longest_us)
		k->longest_us = took;
	if (v.looked > k->most_looked)
		k->most_looked = v.looked;
	k->query.cursor.len = v.result->next_cursor.len;
	k->query.cursor.data = k->cursor;
	if (k->query.cursor.len)
		memcpy(k->cursor, v.result->next_cursor.data, k->query.cursor.len);
}

static void walk_all(struct walk *k)
{
	k->query.page_rows = PAGE_ROWS;
	do
		walk_page(k);
	while (k->query.cursor.len);
	assert_in_range(k->most_looked, 0, PAGE_LOOKED_MAX);
	if (is_measuring)
		printf("%-28s %6zu rows %5zu pages  most looked at %5u  longest %7.0f us\n",
		       k->name, k->n_rows, k->n_pages, k->most_looked, k->longest_us);
}

static struct walk walk_of(const char *name, uint64_t by, Ieum__V1__Query__WhatCase what,
			   size_t (*rows)(const Ieum__V1__Result *))
{
	struct walk k = { .name = name, .by = by, .rows = rows };

	ieum__v1__query__init(&k.query);
	k.query.what_case = what;
	return k;
}

static size_t cases_rows(const Ieum__V1__Result *r)
{
	return r->cases->n_cases;
}

static size_t deadlines_rows(const Ieum__V1__Result *r)
{
	return r->deadlines->n_entries;
}

static size_t timeline_rows(const Ieum__V1__Result *r)
{
	return r->case_->n_timeline;
}

static size_t queue_rows(const Ieum__V1__Result *r)
{
	return r->queue->n_entries;
}

static size_t pool_rows(const Ieum__V1__Result *r)
{
	return r->pools->pools[0]->n_entries;
}

static size_t handover_rows(const Ieum__V1__Result *r)
{
	return r->handover->n_items;
}

static void cases_come_in_pages_that_end_early(void **state)
{
	Ieum__V1__CasesQuery of = IEUM__V1__CASES_QUERY__INIT;
	struct walk k = walk_of("cases", manager, IEUM__V1__QUERY__WHAT_CASES, cases_rows);

	(void)state;
	k.query.cases = &of;
	walk_all(&k);
	assert_int_equal(k.n_rows, CASES + BUSY);
	/* The busy ones fill a page before its rows do. */
	assert_true(k.n_pages > (CASES + BUSY) / PAGE_ROWS + 1);
}

static void deadlines_of_others_are_passed_over_in_pages(void **state)
{
	Ieum__V1__DeadlinesQuery of = IEUM__V1__DEADLINES_QUERY__INIT;
	struct walk all =
		walk_of("deadlines", manager, IEUM__V1__QUERY__WHAT_DEADLINES, deadlines_rows);
	struct walk none = walk_of("deadlines, none one's own", watcher,
				   IEUM__V1__QUERY__WHAT_DEADLINES, deadlines_rows);

	(void)state;
	all.query.deadlines = none.query.deadlines = &of;
	walk_all(&all);
	assert_int_equal(all.n_rows, CASES + BUSY + BUSY * REQUESTS);
	walk_all(&none);
	assert_int_equal(none.n_rows, 0);
	assert_true(none.n_pages > 1);
}

static void a_long_timeline_and_a_long_queue_come_in_pages(void **state)
{
	Ieum__V1__CaseQuery of = IEUM__V1__CASE_QUERY__INIT;
	Ieum__V1__QueueQuery box = IEUM__V1__QUEUE_QUERY__INIT;
	struct walk k = walk_of("case", manager, IEUM__V1__QUERY__WHAT_CASE, timeline_rows);
	struct walk queue = walk_of("queue", op, IEUM__V1__QUERY__WHAT_QUEUE, queue_rows);

	(void)state;
	of.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, busy_case };
	k.query.case_ = &of;
	walk_all(&k);
	assert_true(k.n_rows > REQUESTS);
	box.mailbox = (char *)"team/help";
	queue.query.queue = &box;
	walk_all(&queue);
	assert_true(queue.n_rows >= CASES);
}

static void a_waiting_list_and_a_dry_run_come_in_pages(void **state)
{
	Ieum__V1__PoolsQuery pool = IEUM__V1__POOLS_QUERY__INIT;
	Ieum__V1__HandoverQuery plan = IEUM__V1__HANDOVER_QUERY__INIT;
	struct walk beds = walk_of("pool, keeper", carer, IEUM__V1__QUERY__WHAT_POOLS, pool_rows);
	struct walk own =
		walk_of("pool, who waits", manager, IEUM__V1__QUERY__WHAT_POOLS, pool_rows);
	struct walk k =
		walk_of("handover, dry run", ps, IEUM__V1__QUERY__WHAT_HANDOVER, handover_rows);

	(void)state;
	pool.pool = (char *)"beds";
	beds.query.pools = own.query.pools = &pool;
	walk_all(&beds);
	assert_int_equal(beds.n_rows, WAITING);
	walk_all(&own);
	assert_int_equal(own.n_rows, WAITING / 2);
	plan.from = (char *)"boss";
	plan.to = (char *)"city";
	plan.jurisdiction = (char *)"41570";
	k.query.handover = &plan;
	walk_all(&k);
	assert_int_equal(k.n_rows, BOSS_CASES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_come_in_pages_that_end_early),
		cmocka_unit_test(deadlines_of_others_are_passed_over_in_pages),
		cmocka_unit_test(a_long_timeline_and_a_long_queue_come_in_pages),
		cmocka_unit_test(a_waiting_list_and_a_dry_run_come_in_pages),
	};

	is_measuring = argc > 1 && strcmp(argv[1], "measure") == 0;
	return cmocka_run_group_tests_name("core_large", tests, start, stop);
}
