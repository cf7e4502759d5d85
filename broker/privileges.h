/* The account that the hub runs under when it was started as root.
 *
 * Called once, before any thread, and before the journal, the keys and the hub file are opened: what
 * the account can't read shows at the start, not at the first reload. */
#ifndef IEUM_BROKER_PRIVILEGES_H
#define IEUM_BROKER_PRIVILEGES_H

#include "proto/error.h"

enum { PRIVILEGES_WHY_BYTES = 256 };

/* Of root only; started as anybody else, this changes nothing.
 *   user NULL     NOT_PERMITTED: a hub does not run as root unless that was asked for
 *   "root"        stays root; for a try-out in a container
 *   an account    its user id, its groups and no other, no way back; nothing that it starts can have more
 * FIELD_INVALID: there is no such account.  INTERNAL: the system refused; go no further. */
enum ieum_err privileges_drop(const char *user, char why[PRIVILEGES_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
