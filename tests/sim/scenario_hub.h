/* A simulated hub as the scenario player needs it: every participant of the hub file has a
 * client that takes and settles whatever comes. */
#ifndef IEUM_TESTS_SIM_SCENARIO_HUB_H
#define IEUM_TESTS_SIM_SCENARIO_HUB_H

#include "tests/scenarios/play.h"
#include "tests/sim/hub.h"

struct scenario_hub;

/* NULL and why when the hub file has mistakes. */
struct scenario_hub *scenario_hub_new(const struct scenario *s, char *why, size_t why_bytes);
/* The same with this text in place of the hub file. */
struct scenario_hub *scenario_hub_of_text(const struct scenario *s, const char *text, size_t len,
					  char *why, size_t why_bytes);
void scenario_hub_free(struct scenario_hub *h); /* takes NULL */

/* For play_scenario(); borrowed. */
const struct play_hub *scenario_hub_play(struct scenario_hub *h);
struct sim_hub *scenario_hub_sim(struct scenario_hub *h);

#endif
