/* A dry run comes in pages that each count what they tell of; here they become one. */
#ifndef IEUM_CLIENT_HANDOVER_PLAN_H
#define IEUM_CLIENT_HANDOVER_PLAN_H

#include <stdbool.h>

#include "client/link.h"

/* Puts all of it into the first page: what stays first, for somebody has to look at it; the counts;
 * the digest of what goes.  Pages of something else are left alone.  False: no memory. */
bool handover_plan_add_up(struct pages *pages);

#endif
