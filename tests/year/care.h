/* The waiting list for care places at the end of a city's year: every place is taken, 130 wait;
 * five centres open with 20 places each, so that 100 offers go out and 30 stay queued with their
 * position; some families don't reply and their offer goes to the next.  Counts reconcile per
 * centre, and no place is given twice. */
#ifndef IEUM_TESTS_YEAR_CARE_H
#define IEUM_TESTS_YEAR_CARE_H

#include "tests/year/city.h"

#define CARE_HUB_FILE "tests/year/care.yaml"

struct care;

struct care *care_new(void);
void care_free(struct care *c); /* takes NULL */

/* What its hub is made with. */
struct city_events care_events(struct care *c);

/* Plays it; prints how the places stand.  True when everything is as it must be. */
bool care_play(struct care *c, struct city_hub *hub);

#endif
