/* Random cities: hub files made from a seed, over all that a hub file can say.
 *
 * A city's kinds, participants, bodies and pools by name come from the seed alone; who of them has left
 * by then, hours, numbers and rules from the seed and the edition, so that a running hub can take one
 * edition after another.  Every file passes the loader: one that doesn't is a mistake here or there.
 * Pure; any thread. */
#ifndef IEUM_TESTS_SIM_CITY_H
#define IEUM_TESTS_SIM_CITY_H

#include <stddef.h>
#include <stdint.h>

/* NUL-terminated, the caller's (free()).  Aborts when memory is short. */
char *city_hub_file(uint64_t seed, unsigned edition, size_t *len);

#endif
