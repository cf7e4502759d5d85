/* broker/core, what ends when: the list in order of time, in pages that look at a bounded number,
 * and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/deadlines.h"
#include "tests/unit/core_trial.h"

enum { CASES = 60, OTHERS = 2500 };

static const char hub[] =
	"hub: {name: test.ieum, title: {en: T, ko: 티}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday], holidays: []}\n"
	"kinds:\n"
	"  office: {title: {en: O, ko: 관}, may_send: all}\n"
	"participants:\n"
	"  one: {kind: office, title: {en: one, ko: 가}}\n"
	"  two: {kind: office, title: {en: two, ko: 나}}\n"
	"  three: {kind: office, title: {en: three, ko: 다}}\n"
	"types: {default: {may_open: true}}\n"
	"clocks:\n"
	"  plan: {title: {en: Plan, ko: 계획}, within: 10 d, warn_before: 1 d, tells: case_owner}\n"
	"rules:\n"
	"  - {name: report, when: {type: report_received}, to: two, starts: plan, answer_within: 3 d}\n"
	"  - {name: ask, when: {type: visit_request}, to: two, answer_within: 1 d}\n"
	"  - {name: done, when: {type: case_plan}, to: two, stops: plan}\n";

struct fixture {
	struct trial w;
	uint64_t one, two, three;
	struct message m;
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	trial_start(&f->w, hub, NULL);
	f->one = trial_connect(&f->w, "one");
	f->two = trial_connect(&f->w, "two");
	f->three = trial_connect(&f->w, "three");
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	trial_stop(&f->w);
	free(f);
	return 0;
}

static void opens(struct fixture *f, uint64_t who)
{
	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	trial_submitted(&f->w, who, &f->m);
}

static const Ieum__V1__Result *page(struct fixture *f, uint64_t who, bool breached,
				    const ProtobufCBinaryData *cursor)
{
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__DeadlinesQuery of = IEUM__V1__DEADLINES_QUERY__INIT;
	uint8_t bytes[64];
	enum ieum_err err;

	if (cursor) {
		memcpy(bytes, cursor->data, cursor->len);
		q.cursor = (ProtobufCBinaryData){ cursor->len, bytes };
	}
	q.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	q.deadlines = &of;
	of.breached = breached;
	const Ieum__V1__Result *r = trial_query(&f->w, who, &q, &err);
	assert_non_null(r);
	return r;
}

/* Through all pages: how many, in order. */
static size_t walk(struct fixture *f, uint64_t who, bool breached, size_t *pages)
{
	const Ieum__V1__Result *r = page(f, who, breached, NULL);
	int64_t last_ms = 0;
	size_t n = 0;

	*pages = 1;
	for (;;) {
		for (size_t i = 0; i < r->deadlines->n_entries; i++) {
			assert_true(r->deadlines->entries[i]->due_at_ms >= last_ms);
			last_ms = r->deadlines->entries[i]->due_at_ms;
		}
		n += r->deadlines->n_entries;
		if (!r->next_cursor.len)
			return n;
		r = page(f, who, breached, &r->next_cursor);
		(*pages)++;
	}
}

static void test_in_order_of_time(void **state)
{
	struct fixture *f = *state;
	size_t pages;

	for (int i = 0; i < CASES; i++)
		opens(f, f->one);
	const Ieum__V1__Result *r = page(f, f->two, false, NULL);
	assert_int_equal(r->deadlines->n_entries, 50);
	assert_int_equal(r->deadlines->entries[0]->type, TYPE(REPORT_RECEIVED));
	assert_string_equal(r->deadlines->entries[0]->task->asked, "two");
	assert_int_equal(walk(f, f->two, false, &pages), 2 * CASES);
	assert_int_equal(pages, 3);
	assert_int_equal(walk(f, f->one, false, &pages), 2 * CASES);
	assert_int_equal(walk(f, f->two, true, &pages), 0);
}

static void test_only_of_own_cases(void **state)
{
	struct fixture *f = *state;
	size_t pages;

	opens(f, f->one);
	message_new(&f->w, &f->m, TYPE(VISIT_REQUEST)); /* of no case */
	trial_submitted(&f->w, f->one, &f->m);
	assert_int_equal(walk(f, f->one, false, &pages), 3);
	assert_int_equal(walk(f, f->two, false, &pages), 3);
	assert_int_equal(walk(f, f->three, false, &pages), 0);

	message_open_case(message_new(&f->w, &f->m, TYPE(REPORT_RECEIVED)));
	message_exclude(&f->m, "one");
	trial_submitted(&f->w, f->one, &f->m);
	assert_int_equal(walk(f, f->one, false, &pages), 3);
	assert_int_equal(walk(f, f->two, false, &pages), 5);
}

/* Whoever has little to see does not get it by holding up everybody else. */
static void test_a_page_looks_at_a_bounded_number(void **state)
{
	struct fixture *f = *state;
	size_t pages;

	for (int i = 0; i < OTHERS; i++)
		opens(f, f->two);
	opens(f, f->one);
	const Ieum__V1__Result *r = page(f, f->one, false, NULL);
	assert_int_equal(r->deadlines->n_entries, 0);
	assert_true(r->next_cursor.len > 0);
	assert_int_equal(walk(f, f->one, false, &pages), 2);
	assert_in_range(pages, 3, 5);
}

static void test_breaches_stay(void **state)
{
	struct fixture *f = *state;
	size_t pages;

	opens(f, f->one);
	uint8_t case_id[CORE_ID_BYTES];
	memcpy(case_id, f->m.id, CORE_ID_BYTES);
	trial_at(&f->w, f->w.now + 11 * DAY_US);
	trial_verify(&f->w);
	assert_int_equal(walk(f, f->one, true, &pages), 1);
	const Ieum__V1__Result *r = page(f, f->one, false, NULL);
	assert_int_equal(r->deadlines->n_entries, 1);
	assert_int_equal(r->deadlines->entries[0]->clock->state,
			 IEUM__V1__CLOCK_STATE__CLOCK_STATE_BREACHED);
	message_in_case(message_new(&f->w, &f->m, TYPE(CASE_PLAN)), case_id);
	trial_submitted(&f->w, f->two, &f->m);
	assert_int_equal(walk(f, f->one, true, &pages), 1);
	assert_int_equal(walk(f, f->one, false, &pages), 0);
}

static void test_wrong_cursor(void **state)
{
	struct fixture *f = *state;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	Ieum__V1__DeadlinesQuery of = IEUM__V1__DEADLINES_QUERY__INIT;
	uint8_t bytes[12] = { 0 };
	enum ieum_err err;

	q.cursor = (ProtobufCBinaryData){ sizeof bytes, bytes };
	q.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	q.deadlines = &of;
	assert_null(trial_query(&f->w, f->one, &q, &err));
	assert_int_equal(err, IEUM_E_FIELD_INVALID);
}

/* ---- the list itself, against a plain array ---- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_list_as_an_array(void **state)
{
	enum { ITEMS = 200, ROUNDS = 5000 };
	struct deadlines d;
	uint32_t nodes[ITEMS] = { 0 };
	int64_t at_ms[ITEMS] = { 0 };
	uint64_t seed = 4711;

	(void)state;
	deadlines_init(&d);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t i = (uint32_t)(next_random(&seed) % ITEMS);
		at_ms[i] = (int64_t)(next_random(&seed) % 50);
		assert_int_equal(
			deadlines_set(&d, &nodes[i],
				      &(struct deadline){ .at_ms = at_ms[i], .tie = i, .item = i }),
			IEUM_E_OK);
		assert_true((at_ms[i] != 0) == (nodes[i] != 0));
	}
	size_t listed = 0;
	for (uint32_t i = 0; i < ITEMS; i++)
		listed += at_ms[i] != 0;
	size_t found = 0;
	int64_t last_ms = 0;
	uint64_t last_tie = 0;
	for (const struct deadline *at = deadlines_after(&d, 0, 0); at;
	     at = deadlines_next(at), found++) {
		assert_ptr_equal(deadlines_after(&d, at->at_ms, at->tie), deadlines_next(at));
		assert_int_equal(at->at_ms, at_ms[at->item]);
		assert_true(at->at_ms > last_ms || (at->at_ms == last_ms && at->tie > last_tie));
		last_ms = at->at_ms;
		last_tie = at->tie;
	}
	assert_int_equal(found, listed);
	assert_int_equal(d.nodes.live, listed);
	deadlines_deinit(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_in_order_of_time),
		TEST(test_only_of_own_cases),
		TEST(test_a_page_looks_at_a_bounded_number),
		TEST(test_breaches_stay),
		TEST(test_wrong_cursor),
		cmocka_unit_test(test_list_as_an_array),
	};

	return cmocka_run_group_tests_name("what ends when", tests, NULL, NULL);
}
