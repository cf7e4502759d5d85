/* Plays scenario files: in the simulator on a virtual clock, or against a real ieumd with one
 * client process per agency.  A line each (TAP), and a count.
 *
 *   ieum-play [--timeline] FILE...
 *   ieum-play --real BIN-FOLDER [--base FOLDER] [--keep-journal FILE] [--timeline] FILE...
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/scenarios/real_hub.h"
#include "tests/sim/scenario_hub.h"

struct options {
	const char *real_bin; /* NULL: the simulator */
	const char *base;
	const char *keep_journal;
	struct play_options play;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool play_simulated(const struct scenario *s, const struct options *o,
			   struct play_result *result)
{
	struct scenario_hub *hub = scenario_hub_new(s, result->trouble, sizeof result->trouble);
	bool ok = false;

	if (!hub)
		return false;
	struct sim_hub *sim = scenario_hub_sim(hub);
	ok = play_scenario(s, sim_hub_policy(sim), scenario_hub_play(hub), &o->play, result) &&
	     sim_hub_check(sim);
	if (!ok && !result->trouble[0])
		snprintf(result->trouble, sizeof result->trouble, "%s", sim_hub_trouble(sim));
	scenario_hub_free(hub);
	return ok;
}

static bool play_real(const struct scenario *s, const struct options *o, struct yaml_diag *diag,
		      struct play_result *result)
{
	struct policy *policy = NULL;
	bool ok = false;

	if (policy_load(s->hub_file, diag, &policy) != IEUM_E_OK) {
		yaml_diag_print(diag, stderr);
		return false;
	}
	struct real_hub *hub = real_hub_new(s, policy, o->real_bin, o->base);
	if (hub) {
		ok = play_scenario(s, policy, real_hub_play(hub), &o->play, result);
		FILE *audit = o->play.timeline ? o->play.timeline : fopen("/dev/null", "w");

		if (!real_hub_end(hub, audit, o->keep_journal)) {
			if (ok)
				snprintf(result->trouble, sizeof result->trouble,
					 "the hub or its audit failed at the end");
			ok = false;
		}
	}
	policy_free(policy);
	return ok;
}

static bool play(const char *path, const struct options *o, int number)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);
	struct scenario *s = NULL;
	struct play_result result = { 0 };
	double start = seconds();
	bool ok = false;

	if (!diag)
		abort();
	if (scenario_load(path, diag, &s) != IEUM_E_OK) {
		printf("not ok %d - %s\n", number, path);
		yaml_diag_print(diag, stdout);
		free(diag);
		return false;
	}
	ok = o->real_bin ? play_real(s, o, diag, &result) : play_simulated(s, o, &result);
	printf("%s%s %d - %s: %zu steps, %zu expectations, %.0f ms\n", o->play.timeline ? "\n" : "",
	       ok ? "ok" : "not ok", number, s->name, result.steps, result.expectations,
	       (seconds() - start) * 1e3);
	if (!ok)
		printf("# %s\n", result.trouble);
	fflush(stdout);
	scenario_free(s);
	free(diag);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "real", required_argument, NULL, 'r' },
		{ "base", required_argument, NULL, 'b' },
		{ "keep-journal", required_argument, NULL, 'k' },
		{ "timeline", no_argument, NULL, 't' },
		{ 0 },
	};
	struct options o = { .base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp" };
	int passed = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'r')
			o.real_bin = optarg;
		else if (c == 'b')
			o.base = optarg;
		else if (c == 'k')
			o.keep_journal = optarg;
		else if (c == 't')
			o.play = (struct play_options){ stdout, isatty(STDOUT_FILENO) &&
									!getenv("NO_COLOR") };
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", argc - optind);
	for (int i = optind; i < argc; i++)
		passed += play(argv[i], &o, i - optind + 1);
	printf("# %d of %d scenarios passed\n", passed, argc - optind);
	return passed > 0 && passed == argc - optind ? 0 : 1;
}
