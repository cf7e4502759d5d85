/* What the agency knows without the hub: its open deadlines as of the last time that it was asked,
 * from the spool. */
#ifndef IEUM_CLIENT_OFFLINE_H
#define IEUM_CLIENT_OFFLINE_H

#include "client/invocation.h"
#include "client/link.h"
#include "client/spool.h"

#define OFFLINE_DEADLINES "deadlines"

/* Reads the profile; its spool is known then, or it has been said that there is none. */
enum exit_code offline_spool(struct invocation *inv);

/* Keeps what the hub has just said. */
void offline_keep_deadlines(struct ieum *c, const struct pages *pages);

/* Shows them with their time, and what came since with a term; nothing when nobody ever asked. */
enum exit_code offline_deadlines(const struct invocation *inv, struct spool *s);

#endif
