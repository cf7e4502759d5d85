/* libieum and a tiny hub in one loop, over real TLS: the world of libieum's tests. */
#ifndef IEUM_TESTS_LIBIEUM_WORLD_H
#define IEUM_TESTS_LIBIEUM_WORLD_H

#include "client/ieum.h"
#include "tests/unit/codec_samples.h"
#include "tests/unit/libieum_hub.h"

/* What the client has heard. */
struct client {
	struct ieum *c;
	unsigned connected, disconnected, receipts, failures, settled, unsettled, answers, lost;
	struct ieum_failure why; /* of the last of each, with its texts in: */
	char name[64], detail[512];
	bool permanent;
	int64_t retry_in_ms;
	enum ieum_err failure;
	uint8_t failed_id[16], receipt_id[16];
	uint64_t delivered[64];
	unsigned deliveries;
	size_t referral_len;
	char participant[64];
	int64_t hub_time;
	unsigned incarnations, resent, resent_failed;
	size_t resending;
};

struct two {
	struct hub hub;
	struct client client;
	struct samples samples;
};

/* Runs the loop of `struct two w` until cond holds. */
#define UNTIL(cond) world_until(&w.hub.w, cond)

/* A hub, and options for a client of it (borrowing *address) that pauses for a few ms only. */
void two_hub_only(struct two *w);
struct ieum_options two_options(struct two *w, const char **address);
void two_connect(struct two *w, const struct ieum_options *options);
void two_open(struct two *w); /* all of these, and connected */
void two_close(struct two *w);

/* A new 112 report without an id of its own; its id, in a static buffer (16 in turn). */
const uint8_t *two_submit(struct two *w);
const uint8_t *two_new_id(void); /* likewise */

/* Count into the struct client that is arg. */
ieum_submit_cb two_on_submitted;
ieum_settle_cb two_on_settled;
ieum_query_cb two_on_result;
ieum_time_cb two_on_time;

#endif
