/* The simulator: random plays from seeds.
 *
 *   ieum-sim --hub FILE [--seed N | --seeds N | --seconds S] [--steps N] [--trace]
 *
 * --seed plays one, --seeds the first N (the fixed set), --seconds new ones until the time
 * is over.  A failing seed is printed with the command that replays it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "tests/sim/hub.h"
#include "tests/sim/random.h"

struct totals {
	struct random_result sum;
	unsigned passed, failed;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void play(const struct random_config *config, uint64_t seed, struct totals *t)
{
	struct random_result r;

	if (random_play(config, seed, &r)) {
		t->passed++;
	} else {
		t->failed++;
		printf("FAIL seed %llu: %s\n  replay: ieum-sim --hub %s --seed %llu --steps %u --trace\n",
		       (unsigned long long)seed, r.trouble, config->hub_name,
		       (unsigned long long)seed, config->steps);
		fflush(stdout);
	}
	t->sum.submits += r.submits;
	t->sum.receipts += r.receipts;
	t->sum.refusals += r.refusals;
	t->sum.deliveries += r.deliveries;
	t->sum.settles += r.settles;
	t->sum.crashes += r.crashes;
	t->sum.repeats += r.repeats;
}

static uint64_t fresh_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		abort();
	return seed >> 16;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hub", required_argument, NULL, 'h' },
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "steps", required_argument, NULL, 'k' },
		{ "trace", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct random_config config = { .steps = 600 };
	struct totals t = { 0 };
	const char *hub = "examples/gimpo/hub.yaml";
	const char *seed = NULL;
	unsigned long fixed = 0;
	double limit_s = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			hub = optarg;
		else if (c == 's')
			seed = optarg;
		else if (c == 'n')
			fixed = strtoul(optarg, NULL, 10);
		else if (c == 't')
			limit_s = strtod(optarg, NULL);
		else if (c == 'k')
			config.steps = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'v')
			config.trace = true;
		else
			return 2;
	}
	char *text = sim_hub_file(hub, &config.hub_len);
	if (!text) {
		fprintf(stderr, "ieum-sim: %s cannot be read\n", hub);
		return 2;
	}
	config.hub_name = hub;
	config.hub_text = text;
	double start = seconds();
	if (seed)
		play(&config, strtoull(seed, NULL, 10), &t);
	for (unsigned long i = 1; i <= fixed; i++)
		play(&config, i, &t);
	while (limit_s > 0 && seconds() - start < limit_s && t.failed == 0)
		play(&config, fresh_seed(), &t);
	printf("%.1f s: %llu submits, %llu receipts, %llu refusals, %llu deliveries, %llu settles, %llu repeats, "
	       "%llu crashes\n%u passed, %u failed\n",
	       seconds() - start, (unsigned long long)t.sum.submits,
	       (unsigned long long)t.sum.receipts, (unsigned long long)t.sum.refusals,
	       (unsigned long long)t.sum.deliveries, (unsigned long long)t.sum.settles,
	       (unsigned long long)t.sum.repeats, (unsigned long long)t.sum.crashes, t.passed,
	       t.failed);
	free(text);
	return t.failed == 0 && t.passed > 0 ? 0 : 1;
}
