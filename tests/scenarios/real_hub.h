/* A real hub as the scenario player needs it: ieumd --drill with the SQLite journal, one inbox
 * process per agency, one run of `ieum` for everything an agency does. */
#ifndef IEUM_TESTS_SCENARIOS_REAL_HUB_H
#define IEUM_TESTS_SCENARIOS_REAL_HUB_H

#include "tests/scenarios/play.h"

struct real_hub;

/* Starts everything; NULL after it has said why on stderr.  `bin` holds ieumd, ieum and
 * ieum-certs. */
struct real_hub *real_hub_new(const struct scenario *s, const struct policy *policy,
			      const char *bin, const char *base);

/* Stops every process; with `audit` runs `ieum audit verify` on the journal and shows its
 * answer there; with `keep_journal` copies the journal to that file (for fixtures).  False
 * when something did not end as it should. */
bool real_hub_end(struct real_hub *h, FILE *audit, const char *keep_journal);

/* For play_scenario(); borrowed. */
const struct play_hub *real_hub_play(struct real_hub *h);

#endif
