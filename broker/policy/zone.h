/* A time zone of the IANA database as the moments at which its offset changes.
 *
 * Only loading asks ICU; what it says is compiled into the calendar, so that deciding needs
 * no library and no file.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_ZONE_H
#define IEUM_BROKER_POLICY_ZONE_H

#include "broker/policy/load.h"

/* Fills the calendar's offsets from "Asia/Seoul", for the years 1970 to 2100; what holds at
 * their end holds for ever.  False after a mistake at `node`. */
bool zone_load(struct loader *l, const struct yaml_node *node, struct calendar *c);

#endif
