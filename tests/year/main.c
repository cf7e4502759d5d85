/* ieum-year: scenario (f), a city's year on one hub, with a kill in the middle.
 *
 *   ieum-year [--real BIN-FOLDER] [--base FOLDER] [--hub FILE] [--part N] [--seed N]
 *
 * --part 100 plays a hundredth of the year.  Prints messages a second, peak memory, restart time
 * and the reconciliation: what agencies received against what the journal says.  The last line
 * is TAP. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/uuid7.h"
#include "tests/year/care.h"
#include "tests/year/city.h"
#include "tests/year/script.h"

enum {
	WEEKS = 52,
	OPEN_MAX = 200, /* cases at one time */
	MAILBOXES_MAX = 512,
	LATENCIES_MAX = 1 << 20,
	CASE_AT = 10, /* bytes of an id that say which case and step it is of */
};

static const int64_t week_ms = INT64_C(7) * 86400 * 1000;

/* A case in progress. */
struct open_case {
	const struct script *script; /* NULL: free */
	size_t step;                 /* the one that has no receipt yet */
	uint32_t number;
	uint8_t ids[SCRIPT_STEPS][CITY_ID_BYTES];
	int64_t sent_ns[SCRIPT_STEPS];
};

/* What agencies say they got. */
struct got {
	char mailbox[CITY_NAME_BYTES];
	uint64_t first; /* different deliveries */
};

struct latencies {
	int64_t *ns;
	size_t n;
};

struct year {
	struct city_hub *hub;
	struct uuid7_source ids;
	uint64_t random;
	uint32_t part;
	struct open_case cases[OPEN_MAX];
	uint32_t n_cases, n_done, n_refused;
	uint32_t n_open;
	uint64_t n_submitted, n_receipts;
	struct got got[MAILBOXES_MAX];
	size_t n_got;
	uint8_t *seen; /* a bit per delivery, by hash of its id */
	uint64_t seen_bits;
	struct latencies immediate, other;
	bool failed;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t next_random(struct year *y, uint64_t below)
{
	uint64_t z = y->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

/* ---- cases ---- */

/* The number of the case and the step are in the id, so that a delivery finds both. */
static void make_id(struct year *y, const struct open_case *k, size_t step, uint8_t *id)
{
	if (uuid7_next(&y->ids, (uint64_t)y->hub->now_ms(y->hub->ctx), id) != IEUM_E_OK)
		abort();
	for (int i = 0; i < 4; i++)
		id[CASE_AT + i] = (uint8_t)(k->number >> (24 - 8 * i));
	id[CASE_AT + 4] = (uint8_t)step;
}

static struct open_case *case_of(struct year *y, const uint8_t *id, size_t *step)
{
	uint32_t number = 0;

	for (int i = 0; i < 4; i++)
		number = number << 8 | id[CASE_AT + i];
	*step = id[CASE_AT + 4];
	struct open_case *k = &y->cases[number % OPEN_MAX];

	return k->script && k->number == number && *step < SCRIPT_STEPS &&
			       memcmp(k->ids[*step], id, CITY_ID_BYTES) == 0
		       ? k
		       : NULL;
}

static void say_next(struct year *y, struct open_case *k)
{
	struct script_message m;

	make_id(y, k, k->step, k->ids[k->step]);
	script_message(k->script, k->step, k->ids, &m);
	k->sent_ns[k->step] = now_ns();
	y->n_submitted++;
	if (!y->hub->submit(y->hub->ctx, k->script->steps[k->step].who, &m.referral))
		y->failed = true;
}

static void on_receipt(void *ctx, const uint8_t *message_id, enum ieum_err code, const char *detail)
{
	struct year *y = ctx;
	size_t step;
	struct open_case *k = case_of(y, message_id, &step);

	if (!k || step != k->step)
		return; /* repeated after the kill, or of the care places */
	if (code) {
		fprintf(stderr, "%s, step %zu by %s was refused: %s %s\n", k->script->name, step,
			k->script->steps[step].who, ieum_error((int)code)->name, detail);
		y->n_refused++;
		y->failed = true;
		return;
	}
	y->n_receipts++;
	if (++k->step < SCRIPT_STEPS) {
		say_next(y, k);
		return;
	}
	k->script = NULL;
	y->n_done++;
	y->n_open--;
}

/* ---- deliveries ---- */

static struct got *got_of(struct year *y, const char *mailbox)
{
	size_t i = 0;

	while (i < y->n_got && strcmp(y->got[i].mailbox, mailbox) != 0)
		i++;
	if (i == MAILBOXES_MAX)
		abort();
	if (i == y->n_got)
		snprintf(y->got[y->n_got++].mailbox, CITY_NAME_BYTES, "%s", mailbox);
	return &y->got[i];
}

/* Delivery ids are event number * 256 + route: dense enough for a bit each. */
static bool is_first(struct year *y, uint64_t id)
{
	while (id >= y->seen_bits) {
		uint64_t bits = y->seen_bits ? 2 * y->seen_bits : UINT64_C(1) << 24;
		uint8_t *seen = realloc(y->seen, bits / 8);

		if (!seen)
			abort();
		memset(seen + y->seen_bits / 8, 0, (bits - y->seen_bits) / 8);
		y->seen = seen;
		y->seen_bits = bits;
	}
	bool first = !(y->seen[id / 8] & 1 << id % 8);

	y->seen[id / 8] |= (uint8_t)(1 << id % 8);
	return first;
}

static void on_delivery(void *ctx, const char *mailbox, uint64_t delivery_id,
			const Ieum__V1__Referral *referral)
{
	struct year *y = ctx;
	size_t step;

	if (!is_first(y, delivery_id))
		return;
	got_of(y, mailbox)->first++;
	const struct open_case *k = case_of(y, referral->envelope->message_id.data, &step);

	if (!k)
		return;
	struct latencies *l = k->script->urgency == IEUM__V1__URGENCY__URGENCY_IMMEDIATE
				      ? &y->immediate
				      : &y->other;
	if (l->n < LATENCIES_MAX)
		l->ns[l->n++] = now_ns() - k->sent_ns[step];
}

/* ---- a week ---- */

static uint32_t due_by(uint32_t in_a_year, uint32_t part, uint32_t weeks)
{
	return (uint32_t)((uint64_t)in_a_year * weeks / WEEKS / part);
}

/* The week's cases, shuffled as they come: the next is of a kind by chance. */
static bool open_one(struct year *y, uint32_t left[], uint32_t *all)
{
	uint64_t at = next_random(y, *all);
	size_t s = 0;

	while (s + 1 < SCRIPTS && at >= left[s])
		at -= left[s++];
	struct open_case *k = &y->cases[y->n_cases % OPEN_MAX];

	if (k->script)
		return false; /* the oldest is still open: its place is taken */
	*k = (struct open_case){ .script = &scripts[s], .number = y->n_cases++ };
	left[s]--;
	--*all;
	y->n_open++;
	say_next(y, k);
	return true;
}

static bool play_week(struct year *y, uint32_t week, double *restart_ms)
{
	uint32_t left[SCRIPTS], all = 0;
	uint32_t half;

	for (size_t s = 0; s < SCRIPTS; s++) {
		left[s] = due_by(scripts[s].in_a_year, y->part, week + 1) -
			  due_by(scripts[s].in_a_year, y->part, week);
		all += left[s];
	}
	half = all / 2;
	while (!y->failed && (all > 0 || y->n_open > 0)) {
		while (all > 0 && y->n_open < OPEN_MAX && open_one(y, left, &all))
			;
		if (week == WEEKS / 2 && all <= half && *restart_ms < 0) {
			if (!y->hub->kill(y->hub->ctx, restart_ms))
				return false;
		}
		if (!y->hub->run(y->hub->ctx, false))
			return false;
	}
	return !y->failed && y->hub->run(y->hub->ctx, true) &&
	       y->hub->advance(y->hub->ctx, week_ms) && y->hub->run(y->hub->ctx, true);
}

/* ---- what is printed ---- */

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_latency(const char *what, struct latencies *l)
{
	if (l->n == 0)
		return;
	qsort(l->ns, l->n, sizeof *l->ns, compare_ns);
	size_t middle = l->n / 2, slowest_hundredth = l->n * 99 / 100;
	printf("  %-22s %9zu deliveries   p50 %8.2f ms   p99 %8.2f ms\n", what, l->n,
	       (double)l->ns[middle] / 1e6, (double)l->ns[slowest_hundredth] / 1e6);
}

/* Received by agencies = routed by the journal, mailbox by mailbox, nothing left over. */
static bool print_reconciliation(struct year *y, const struct city_mailbox *rows, size_t n,
				 uint64_t messages)
{
	uint64_t received = 0, routed = 0, settled = 0;
	bool ok = true;

	printf("\n  %-46s %10s %10s %10s %7s\n", "mailbox", "routed", "received", "settled",
	       "left");
	for (size_t i = 0; i < n; i++) {
		uint64_t got = got_of(y, rows[i].name)->first;

		if (rows[i].routed + got == 0)
			continue;

		ok = ok && got == rows[i].routed && rows[i].other == 0;
		printf("  %-46s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %7" PRIu64 "%s\n",
		       rows[i].name, rows[i].routed, got, rows[i].settled, rows[i].other,
		       got == rows[i].routed ? "" : "  <- differs");
		routed += rows[i].routed;
		received += got;
		settled += rows[i].settled;
	}
	printf("  %-46s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", "all", routed, received,
	       settled);
	if (messages > 0)
		printf("  messages in the journal %" PRIu64 ", of agencies %" PRIu64
		       ", made by the hub %" PRIu64 "\n",
		       messages, y->n_receipts, messages - y->n_receipts);
	return ok && y->n_receipts == y->n_submitted && routed == received;
}

static bool finish(struct year *y, double took_s, double restart_ms)
{
	struct city_mailbox *rows = NULL;
	uint64_t messages = 0;
	size_t n = 0;

	printf("%u cases, %" PRIu64 " messages in %.1f s: %.0f messages/s (%s hub)\n", y->n_done,
	       y->n_receipts, took_s, (double)y->n_receipts / took_s, y->hub->kind);
	print_latency("immediate", &y->immediate);
	print_latency("all others", &y->other);
	bool ok = y->hub->reconcile(y->hub->ctx, &rows, &n, &messages);

	if (y->hub->peak_memory_kib(y->hub->ctx) > 0)
		printf("  peak memory of the hub %.0f MiB\n",
		       (double)y->hub->peak_memory_kib(y->hub->ctx) / 1024);
	printf("  killed in the middle, back after %.0f ms\n", restart_ms);
	ok = ok && print_reconciliation(y, rows, n, messages);
	free(rows);
	return ok;
}

static bool play(struct year *y)
{
	double restart_ms = -1;
	int64_t start = now_ns();
	bool ok = true;

	for (uint32_t week = 0; week < WEEKS && ok; week++)
		ok = play_week(y, week, &restart_ms);
	double took_s = (double)(now_ns() - start) / 1e9;

	return ok && finish(y, took_s, restart_ms) && restart_ms >= 0;
}

static bool play_care(const char *bin, const char *base)
{
	struct care *care = care_new();
	const struct city_events events = care_events(care);
	struct city_hub *hub = bin ? real_city_new(CARE_HUB_FILE, bin, base, &events)
				   : sim_city_new(CARE_HUB_FILE, &events);

	printf("\nCare places (%s hub)\n", hub ? hub->kind : "no");
	bool ok = hub && care_play(care, hub);

	if (hub)
		hub->end(hub->ctx);
	care_free(care);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "real", required_argument, NULL, 'r' }, { "base", required_argument, NULL, 'b' },
		{ "hub", required_argument, NULL, 'h' },  { "part", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' }, { 0 },
	};
	const char *bin = NULL, *base = getenv("TMPDIR"), *hub = "examples/gimpo/hub.yaml";
	uint32_t part = 1;
	uint64_t seed = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'r': bin = optarg; break;
		case 'b': base = optarg; break;
		case 'h': hub = optarg; break;
		case 'p': part = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	if (part == 0)
		return 2;
	struct year *y = calloc(1, sizeof *y);
	if (!y)
		abort();
	y->part = part;
	y->random = seed;
	const struct city_events events = { y, on_receipt, on_delivery };

	setvbuf(stdout, NULL, _IOLBF, 0);

	y->immediate.ns = malloc(LATENCIES_MAX * sizeof(int64_t));
	y->other.ns = malloc(LATENCIES_MAX * sizeof(int64_t));
	y->hub = bin ? real_city_new(hub, bin, base ? base : "/tmp", &events)
		     : sim_city_new(hub, &events);
	bool ok = y->hub && play(y);

	if (y->hub)
		y->hub->end(y->hub->ctx);
	bool cared = play_care(bin, base ? base : "/tmp");

	printf("1..2\n%s 1 - a city's year, 1/%u of it\n%s 2 - care places and their waiting list\n",
	       ok ? "ok" : "not ok", y->part, cared ? "ok" : "not ok");
	free(y->immediate.ns);
	free(y->other.ns);
	free(y->seen);
	free(y);
	return ok && cared ? 0 : 1;
}
