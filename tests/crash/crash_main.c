/* SIGKILL at random moments under load, many rounds.  After each: every message with a receipt is
 * in the journal exactly once, under the number of its receipt; every delivery whose settling was
 * confirmed is settled there and was never released again; the offline audit finds the journal
 * sound.  Restarts go from a snapshot or, when those are taken away, from the beginning.
 *
 * IEUM_CRASH_ROUNDS=300 IEUM_CRASH_SEED=7 play more, or the same again as far as timing lets
 * them be the same: what is submitted and when the kill comes follow from the seed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include <cmocka.h>

#include "tests/crash/load.h"
#include "tests/integration/hub.h"
#include "tests/integration/record.h"

enum {
	ROUNDS = 18,
	KILL_AFTER_MS = 250, /* at most, from the first connection on */
	DRAIN_MS = 20 * 1000,
	CLEAN_STOP_IN = 8, /* one round in so many ends by SIGTERM */
	FROM_THE_START_IN = 4,
};

static struct hub hub;
static struct load *load;
static uint64_t seed;
static unsigned rounds;
static unsigned from_snapshot, from_start;

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .config = "snapshot: { every_events: 200 }\n" });
	/* Refused deliveries come again at once, and are never given up. */
	assert_int_equal(hub_run(&hub,
				 "sed -i 's/settle_within:.*/settle_within: 1 h\\n"
				 "  attempts_max: 1000\\n  redeliver_min: 1 ms\\n"
				 "  redeliver_max: 10 ms/' %s",
				 hub.hub_file),
			 0);
	load = load_new(hub.certificates, seed);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	load_free(load);
	return 0;
}

/* ---- what the journal says ---- */

struct recorded {
	UT_hash_handle hh;
	uint8_t id[16];
	uint64_t seq;
	unsigned times;
};

struct settled {
	UT_hash_handle hh;
	uint64_t id;
	unsigned times;
};

struct journal_view {
	struct recorded *messages;
	struct settled *settled;
	char trouble[160];
};

static void note_trouble(struct journal_view *v, const char *what, uint64_t number)
{
	if (!v->trouble[0])
		snprintf(v->trouble, sizeof(v->trouble), "%s %llu", what,
			 (unsigned long long)number);
}

static void view_submitted(struct journal_view *v, uint64_t seq, const Ieum__V1__Submitted *e)
{
	struct recorded *r;

	HASH_FIND(hh, v->messages, e->message_id.data, sizeof(r->id), r);
	if (!r) {
		r = calloc(1, sizeof(*r));
		assert_non_null(r);
		memcpy(r->id, e->message_id.data, sizeof(r->id));
		r->seq = seq;
		HASH_ADD(hh, v->messages, id, sizeof(r->id), r);
	}
	if (++r->times > 1)
		note_trouble(v, "a message is there twice, the second time as event", seq);
}

static struct settled *find_settled(const struct journal_view *v, uint64_t id)
{
	struct settled *s;

	HASH_FIND(hh, v->settled, &id, sizeof(id), s);
	return s;
}

static void view_settled(struct journal_view *v, uint64_t id)
{
	struct settled *s = find_settled(v, id);

	if (!s) {
		s = calloc(1, sizeof(*s));
		assert_non_null(s);
		s->id = id;
		HASH_ADD(hh, v->settled, id, sizeof(s->id), s);
	}
	if (++s->times > 1)
		note_trouble(v, "settled twice: delivery", id);
}

static void view_event(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	struct journal_view *v = ctx;

	switch (event->what_case) {
	case IEUM__V1__EVENT__WHAT_SUBMITTED: view_submitted(v, seq, event->submitted); break;
	case IEUM__V1__EVENT__WHAT_SETTLED:
		for (size_t i = 0; i < event->settled->n_deliveries; i++)
			view_settled(v, event->settled->deliveries[i]);
		break;
	case IEUM__V1__EVENT__WHAT_RELEASED:
		for (size_t i = 0; i < event->released->n_deliveries; i++)
			if (find_settled(v, event->released->deliveries[i]))
				note_trouble(v, "released after it was settled: delivery",
					     event->released->deliveries[i]);
		break;
	default: break;
	}
}

static void check_receipt(void *ctx, const uint8_t id[16], uint64_t journal_number)
{
	struct journal_view *v = ctx;
	struct recorded *r;

	HASH_FIND(hh, v->messages, id, sizeof(r->id), r);
	if (!r)
		note_trouble(v, "a message is lost: its receipt says", journal_number);
	else if (r->seq != journal_number)
		note_trouble(v, "a message is elsewhere: its receipt says", journal_number);
}

static void view_free(struct journal_view *v)
{
	struct recorded *r, *next_r;
	struct settled *s, *next_s;

	HASH_ITER(hh, v->messages, r, next_r) {
		HASH_DEL(v->messages, r);
		free(r);
	}
	HASH_ITER(hh, v->settled, s, next_s) {
		HASH_DEL(v->settled, s);
		free(s);
	}
}

/* The hub is down. */
static void check_journal(void)
{
	struct journal_view v = { .trouble = "" };
	uint64_t confirmed = 0;
	struct settled *s, *next;

	record_each(&hub, view_event, &v);
	load_each_receipt(load, check_receipt, &v);
	HASH_ITER(hh, v.settled, s, next) {
		confirmed += load_is_settled(load, s->id) ? 1 : 0;
	}
	if (confirmed != load_counts(load).settled)
		note_trouble(&v, "settled by promise, not in the journal: so many,",
			     load_counts(load).settled - confirmed);
	view_free(&v);
	if (v.trouble[0])
		fail_msg("%s", v.trouble);
	record_audit(&hub);
}

/* ---- rounds ---- */

static void start_hub(void)
{
	const char *line, *from;

	if (load_random(load, FROM_THE_START_IN) == 0)
		assert_int_equal(hub_run(&hub, "rm -f %s.snapshot-*", hub.journal), 0);
	hub_start(&hub);
	hub.mark = 0;
	line = hub_await_log(&hub, "event=replayed");
	from = strstr(line, "snapshot_seq=");
	assert_non_null(from);
	if (strtoull(from + strlen("snapshot_seq="), NULL, 10))
		from_snapshot++;
	else
		from_start++;
}

static void play_round(void)
{
	bool clean = load_random(load, CLEAN_STOP_IN) == 0;

	start_hub();
	load_run(load, hub.address, hub.pid, clean ? SIGTERM : SIGKILL,
		 (uint32_t)load_random(load, KILL_AFTER_MS));
	if (load_trouble(load)[0])
		fail_msg("%s", load_trouble(load));
	assert_int_equal(hub_await_end(&hub), clean ? 0 : 128 + SIGKILL);
	check_journal();
}

static void kills_at_random_moments_lose_and_double_nothing(void **state)
{
	struct load_counts c;
	bool drained;

	(void)state;
	for (unsigned i = 0; i < rounds; i++)
		play_round();
	start_hub();
	drained = load_drain(load, hub.address, DRAIN_MS);
	c = load_counts(load);
	if (!drained)
		fail_msg("in the end, of %llu messages %llu have a receipt and %llu are settled: %s",
			 (unsigned long long)c.submitted, (unsigned long long)c.receipted,
			 (unsigned long long)c.settled, load_trouble(load));
	assert_int_equal(hub_stop(&hub), 0);
	check_journal();
	print_message("%u rounds: %llu messages, %llu repeated, %llu deliveries, %llu again; "
		      "%u starts from a snapshot, %u from the beginning\n",
		      rounds, (unsigned long long)c.submitted, (unsigned long long)c.repeated,
		      (unsigned long long)c.delivered, (unsigned long long)c.redelivered,
		      from_snapshot, from_start);
	/* Else the rounds have shown little. */
	assert_true(c.repeated > 0 && c.redelivered > 0);
	assert_true(from_snapshot > 0 && from_start > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kills_at_random_moments_lose_and_double_nothing,
						start, end),
	};

	seed = number_of("IEUM_CRASH_SEED", (uint64_t)time(NULL));
	rounds = (unsigned)number_of("IEUM_CRASH_ROUNDS", ROUNDS);
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
