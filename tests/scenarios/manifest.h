/* The list that a hand-over is confirmed by, as the new agency makes it: of what it was told about
 * each case, and of nothing that the hub says of the whole. */
#ifndef IEUM_TESTS_SCENARIOS_MANIFEST_H
#define IEUM_TESTS_SCENARIOS_MANIFEST_H

#include "tests/scenarios/play.h"

/* Sets the change, and each count and the digest where the scenario states none.  False: out of
 * memory. */
bool manifest_fill(Ieum__V1__HandoverManifest *m, const uint8_t *change_id, const char *who,
		   const struct play_delivery *deliveries, size_t n);

#endif
