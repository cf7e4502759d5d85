/* The simulator: random plays from seeds.
 *
 * On a given hub file, or each in a city of its own; --help tells how.  A failing seed is made as
 * short as it will go and printed with the command that replays it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "tests/sim/city.h"
#include "tests/sim/hub.h"
#include "tests/sim/random.h"

enum { SHORTEN_TRIES = 10 };

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

/* As few steps as still break a promise, if that is found within some tries. */
static unsigned shorten(const struct random_config *config, uint64_t seed, struct random_result *r)
{
	struct random_config shorter = *config;
	unsigned most = r->steps < config->steps ? r->steps : config->steps;
	unsigned least = 0;

	for (int tries = 0; tries < SHORTEN_TRIES && most - least > 1; tries++) {
		struct random_result now;
		shorter.steps = least + (most - least) / 2;
		if (random_play(&shorter, seed, &now)) {
			least = shorter.steps;
		} else {
			most = shorter.steps;
			*r = now;
		}
	}
	return most;
}

static void tell_failure(const struct random_config *config, uint64_t seed, struct random_result *r)
{
	unsigned steps = shorten(config, seed, r);

	printf("FAIL seed %llu: %s\n", (unsigned long long)seed, r->trouble);
	if (config->hub_text)
		printf("  replay: ieum-sim --hub %s --seed %llu --steps %u --trace\n",
		       config->hub_name, (unsigned long long)seed, steps);
	else
		printf("  replay: ieum-sim --city %llu --steps %u --trace\n"
		       "  its hub file: ieum-sim --city %llu --show\n",
		       (unsigned long long)seed, steps, (unsigned long long)seed);
	fflush(stdout);
}

static void play(const struct random_config *config, uint64_t seed, struct totals *t)
{
	struct random_result r;

	if (random_play(config, seed, &r)) {
		t->passed++;
	} else {
		t->failed++;
		tell_failure(config, seed, &r);
	}
	t->sum.submits += r.submits;
	t->sum.receipts += r.receipts;
	t->sum.refusals += r.refusals;
	t->sum.deliveries += r.deliveries;
	t->sum.settles += r.settles;
	t->sum.crashes += r.crashes;
	t->sum.repeats += r.repeats;
	t->sum.holds += r.holds;
	t->sum.placements += r.placements;
	t->sum.offers += r.offers;
	t->sum.clocks += r.clocks;
	t->sum.breaches += r.breaches;
}

static uint64_t fresh_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		abort();
	return seed >> 16;
}

struct options {
	struct random_config config;
	const char *hub, *seed;
	unsigned long fixed;
	unsigned edition;
	double limit_s;
	bool cities, show, help;
};

static const char usage[] =
	"usage: ieum-sim --cities [--seeds N | --seconds S] [--steps N]\n"
	"       ieum-sim --city SEED [--show [--edition N]] [--steps N] [--trace]\n"
	"       ieum-sim [--hub FILE] [--seed N | --seeds N | --seconds S] [--steps N] [--trace]\n"
	"\n"
	"Plays a whole hub on a virtual clock, with agencies that answer late, refuse, vanish and\n"
	"return and a power supply that fails, and checks every promise after each step.\n"
	"\n"
	"  --cities     each play in a random city of its own\n"
	"  --city SEED  one of them\n"
	"  --hub FILE   on this hub file (examples/gimpo/hub.yaml)\n"
	"  --seed N     one play\n"
	"  --seeds N    the plays 1 to N, the same ones each time\n"
	"  --seconds S  new ones until the time is over, or one fails\n"
	"  --steps N    steps of a play (600)\n"
	"  --trace      tell each step\n"
	"  --show       print the city's hub file instead\n"
	"  --edition N  the one after N reloads\n"
	"\n"
	"A play that fails is made as short as it will go, and told with the command that replays it.\n";

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'H' },
		{ "hub", required_argument, NULL, 'h' },
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ "steps", required_argument, NULL, 'k' },
		{ "trace", no_argument, NULL, 'v' },
		{ "city", required_argument, NULL, 'c' },
		{ "cities", no_argument, NULL, 'C' },
		{ "show", no_argument, NULL, 'w' },
		{ "edition", required_argument, NULL, 'e' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'H')
			o->help = true;
		else if (c == 'h')
			o->hub = optarg;
		else if (c == 's' || c == 'c')
			o->seed = optarg;
		else if (c == 'n')
			o->fixed = strtoul(optarg, NULL, 10);
		else if (c == 't')
			o->limit_s = strtod(optarg, NULL);
		else if (c == 'k')
			o->config.steps = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'e')
			o->edition = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'v')
			o->config.trace = true;
		else if (c == 'w')
			o->show = true;
		else if (c != 'C')
			return false;
		o->cities |= c == 'c' || c == 'C';
	}
	return true;
}

static void show(const struct options *o)
{
	size_t len;
	char *text = city_hub_file(strtoull(o->seed, NULL, 10), o->edition, &len);

	fputs(text, stdout);
	free(text);
}

static void play_all(const struct options *o, struct totals *t)
{
	double start = seconds();

	if (o->seed)
		play(&o->config, strtoull(o->seed, NULL, 10), t);
	for (unsigned long i = 1; i <= o->fixed; i++)
		play(&o->config, i, t);
	while (o->limit_s > 0 && seconds() - start < o->limit_s && t->failed == 0)
		play(&o->config, fresh_seed(), t);
	printf("%.1f s: %llu submits, %llu receipts, %llu refusals, %llu deliveries, %llu settles, %llu repeats, "
	       "%llu crashes, %llu places held, %llu taken, %llu offered\n%u passed, %u failed\n",
	       seconds() - start, (unsigned long long)t->sum.submits,
	       (unsigned long long)t->sum.receipts, (unsigned long long)t->sum.refusals,
	       (unsigned long long)t->sum.deliveries, (unsigned long long)t->sum.settles,
	       (unsigned long long)t->sum.repeats, (unsigned long long)t->sum.crashes,
	       (unsigned long long)t->sum.holds, (unsigned long long)t->sum.placements,
	       (unsigned long long)t->sum.offers, t->passed, t->failed);
}

int main(int argc, char **argv)
{
	struct options o = { .config = { .steps = 600 }, .hub = "examples/gimpo/hub.yaml" };
	struct totals t = { 0 };
	char *text = NULL;

	if (!read_options(argc, argv, &o) || (o.show && !o.seed)) {
		fprintf(stderr, "ieum-sim --help tells what there is\n");
		return 2;
	}
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (o.show) {
		show(&o);
		return 0;
	}
	if (!o.cities && !(text = sim_hub_file(o.hub, &o.config.hub_len))) {
		fprintf(stderr, "ieum-sim: %s cannot be read\n", o.hub);
		return 2;
	}
	o.config.hub_name = o.cities ? "city" : o.hub;
	o.config.hub_text = text;
	play_all(&o, &t);
	free(text);
	return t.failed == 0 && t.passed > 0 ? 0 : 1;
}
