/* What the agency knows without the hub: its open deadlines as of the last time that it was asked,
 * from the spool. */
#ifndef IEUM_CLIENT_OFFLINE_H
#define IEUM_CLIENT_OFFLINE_H

#include <event2/event.h>

#include "client/invocation.h"
#include "client/link.h"
#include "client/spool.h"

#define OFFLINE_DEADLINES "deadlines"

/* Reads the profile; its spool is known then, or it has been said that there is none. */
enum exit_code offline_spool(struct invocation *inv);

/* Keeps what the hub has just said. */
void offline_keep_deadlines(struct ieum *c, const struct pages *pages);

/* Asks for them whenever there is a connection, and again every ten minutes, page by page, and keeps
 * them.  For programs that stay; without a spool it does nothing. */
struct offline_asking {
	struct ieum *c;
	struct event *again; /* NULL: there is no spool */
	struct pages pages;
	bool under_way;
};
/* False: no memory. */
bool offline_asking_begin(struct offline_asking *a, struct event_base *base,
			  const struct ieum_options *options) IEUM_MUST_CHECK;
/* There is a connection. */
void offline_ask(struct offline_asking *a, struct ieum *c);
void offline_asking_end(struct offline_asking *a); /* after ieum_free(); takes an empty one */

/* Shows them with their time, and the deliveries with a term that came since or aren't taken yet;
 * or says that the hub has never told us. */
enum exit_code offline_deadlines(const struct invocation *inv, struct spool *s);

#endif
