/* Keys for newcomers that the inbox gives by itself, and keys that have come for us, which it tries:
 * the delivered key_request or key_wrap is answered, then said, and only then settled. */
#ifndef IEUM_CLIENT_GIVING_H
#define IEUM_CLIENT_GIVING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "client/ieum.h"
#include "client/invocation.h"
#include "ieum/v1/frame.pb-c.h"

struct giving;

struct giver {
	const struct invocation *inv;
	/* An answer is on its way no more: settle its delivery so. */
	void (*done)(void *ctx, uint64_t delivery_id, enum ieum_settle how);
	void *ctx;
	LIST_HEAD(giving_list, giving) list;
};

/* Is it one that our user need not be asked about? */
bool giving_wanted(const struct giver *giver, const Ieum__V1__Delivery *d);
/* False when it can't be answered now: give the delivery back. */
bool giving_start(struct giver *giver, struct ieum *c, const Ieum__V1__Delivery *d);
bool giving_any(const struct giver *giver);
/* Once the connection is freed, so that no answer comes any more. */
void giving_drop(struct giver *giver);

#endif
