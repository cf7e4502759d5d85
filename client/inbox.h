/* What the parts of `ieum inbox` share; for them alone.
 *
 *   cmd_inbox.c    options, the connection, beginning and end    inbox_print.c  deliveries
 *
 * Main thread. */
#ifndef IEUM_CLIENT_INBOX_H
#define IEUM_CLIENT_INBOX_H

#include <event2/event.h>

#include "client/giving.h"
#include "client/link.h"
#include "client/offline.h"

struct inbox {
	struct invocation *inv;
	struct event_base *base;
	struct event *quiet; /* nothing came for so long; before the welcome: nobody there */
	struct event *signals[2];
	struct ieum *c;
	struct pages directory;
	bool asked; /* for the directory */
	bool follow, settle;
	bool told_away; /* that the hub isn't reached, since it was last */
	bool away;      /* printing what the spool holds: there was no hub yet */
	bool hopeless;  /* and there will be none; it is said, and what to exit with */
	bool told_held; /* that what is printed came before */
	bool spooled;   /* deliveries are kept on this machine's disk before they are printed */
	struct offline_asking deadlines;
	bool notify;    /* say only that something waits, in the hub's words for that: */
	char *notice;   /* NULL: the hub has none */
	bool ending;    /* no more deliveries */
	bool leaving;   /* all settled: saying good-bye */
	uint64_t limit; /* 0: none */
	uint64_t printed;
	size_t settling;    /* without an answer yet */
	struct giver giver; /* of keys for newcomers */
	bool given_up;      /* nothing that is on its way is waited for */
	int64_t quiet_ms;
	int64_t hub_ahead_ms;   /* the hub's clock minus ours */
	enum ieum_err last_err; /* why there is no connection */
	char last_why[IEUM_WHY_BYTES];
	enum exit_code code;
};

int64_t inbox_now_ms(void);
/* Over when nothing has come for so long. */
void inbox_arm(struct inbox *in, int64_t ms);
/* No more deliveries; over when every settle has its answer, or the hub has gone silent.  The first
 * code that isn't EXIT_DONE counts. */
void inbox_end(struct inbox *in, enum exit_code code);

/* inbox_print.c: libieum's callback; giving's. */
void inbox_delivered(struct ieum *c, const Ieum__V1__Delivery *d, const uint8_t *referral,
		     size_t referral_len, void *arg);
void inbox_key_given(void *ctx, uint64_t delivery_id, enum ieum_settle how);

#endif
