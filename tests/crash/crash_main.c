/* SIGKILL at random moments under load, many rounds.  After each: every message with a receipt is
 * in the journal exactly once, under the number of its receipt; every delivery whose settling was
 * confirmed is settled there and was never released again; the offline audit finds the journal
 * sound.  Restarts go from a snapshot or, when those are taken away, from the beginning.
 *
 * IEUM_CRASH_ROUNDS=60 IEUM_CRASH_SEED=7 play more, or the same again as far as timing lets
 * them be the same: what is submitted and when the kill comes follow from the seed. */
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/crash/load.h"
#include "tests/integration/hub.h"
#include "tests/integration/record.h"

enum {
	ROUNDS = 18,
	KILL_AFTER_MS = 250, /* at most, from the first connection on */
	KILL_AFTER_MESSAGES = 1500,
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
	uint8_t id[16]; /* first: it is compared by */
	uint64_t seq;
};

struct journal_view {
	void *messages;     /* tree of struct recorded */
	void *settled;      /* tree of uint64_t */
	uint64_t confirmed; /* settled, and the load knows */
	char trouble[160];
};

static int compare_recorded(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct recorded *)0)->id));
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void note_trouble(struct journal_view *v, const char *what, uint64_t number)
{
	if (!v->trouble[0])
		snprintf(v->trouble, sizeof(v->trouble), "%s %llu", what,
			 (unsigned long long)number);
}

static void view_submitted(struct journal_view *v, uint64_t seq, const Ieum__V1__Submitted *e)
{
	struct recorded *r = calloc(1, sizeof(*r)), **found;

	assert_non_null(r);
	memcpy(r->id, e->message_id.data, sizeof(r->id));
	r->seq = seq;
	found = tsearch(r, &v->messages, compare_recorded);
	assert_non_null(found);
	if (*found == r)
		return;
	note_trouble(v, "a message is there twice, the second time as event", seq);
	free(r);
}

static void view_settled(struct journal_view *v, uint64_t id)
{
	uint64_t *own = malloc(sizeof(*own)), **found;

	assert_non_null(own);
	*own = id;
	found = tsearch(own, &v->settled, compare_ids);
	assert_non_null(found);
	if (*found == own) {
		v->confirmed += load_is_settled(load, id) ? 1 : 0;
		return;
	}
	note_trouble(v, "settled twice: delivery", id);
	free(own);
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
			if (tfind(&event->released->deliveries[i], &v->settled, compare_ids))
				note_trouble(v, "released after it was settled: delivery",
					     event->released->deliveries[i]);
		break;
	default: break;
	}
}

static void check_receipt(void *ctx, const uint8_t id[16], uint64_t journal_number)
{
	struct journal_view *v = ctx;
	struct recorded *const *r = tfind(id, &v->messages, compare_recorded);

	if (!r)
		note_trouble(v, "a message is lost: its receipt says", journal_number);
	else if ((*r)->seq != journal_number)
		note_trouble(v, "a message is elsewhere: its receipt says", journal_number);
}

/* The hub is down. */
static void check_journal(void)
{
	uint64_t promised = load_counts(load).settled;
	struct journal_view v = { .trouble = "" };

	record_each(&hub, view_event, &v);
	load_each_receipt(load, check_receipt, &v);
	if (v.confirmed != promised)
		note_trouble(&v, "settled by promise, not in the journal: so many,",
			     promised - v.confirmed);
	tdestroy(v.messages, free);
	tdestroy(v.settled, free);
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

	struct load_kill kill_at = {
		.signal_number = clean ? SIGTERM : SIGKILL,
		.after_ms = (uint32_t)load_random(load, KILL_AFTER_MS),
		.after_messages = (uint32_t)load_random(load, KILL_AFTER_MESSAGES),
	};

	start_hub();
	kill_at.pid = hub.pid;
	load_run(load, hub.address, &kill_at);
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
		fail_msg(
			"in the end, of %llu messages %llu have a receipt and %llu are settled: %s",
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
