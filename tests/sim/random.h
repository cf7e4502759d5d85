/* A random play: agencies that submit, repeat, answer, settle late or never, vanish and
 * return, and a hub whose power fails, all from one seed.
 *
 * Without a hub file it is a random city's (city.h), whose agencies have characters and send
 * messages of every type; its time jumps over weekends and months, and it changes its hub file.
 *
 * After every step the promises are checked from outside the core: what was acknowledged is
 * there once and keeps its receipt, what was settled is never delivered again, nobody gets
 * what is not theirs, a restart reaches the same state.  One thread. */
#ifndef IEUM_TESTS_SIM_RANDOM_H
#define IEUM_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANDOM_TEXT_BYTES = 512 };

struct random_config {
	const char *hub_name; /* of the hub file, for messages */
	const char *hub_text; /* NULL: the city of the play's seed */
	size_t hub_len;
	unsigned steps;
	bool trace; /* print each step to stderr */
};

struct random_result {
	unsigned steps; /* that were played, the first broken promise's last */
	uint64_t submits, receipts, refusals, deliveries, settles, crashes, repeats;
	uint64_t holds, placements, offers; /* places held, taken up, offered to who waited */
	uint64_t clocks, breaches;          /* of cases: started, and ended before the act */
	char trouble[RANDOM_TEXT_BYTES];    /* "" or the first broken promise, with its step */
};

/* The same seed and config give the same play.  False when a promise broke. */
bool random_play(const struct random_config *config, uint64_t seed, struct random_result *result);

#endif
