/* Output that must not leave before a batch is durable (promises 1 and 2).
 *
 * Frames are encoded straight into the buffer of the side they wait for; on commit that
 * buffer is exchanged with the channel's, without a copy when nothing else waits there.
 * Both sides together with the channel's own buffer are what one slow reader can hold:
 * over `out_buffer` nothing is released to it and it is no longer read, and after
 * `slow_after` it is dropped. */
#ifndef IEUM_BROKER_OUTBOX_H
#define IEUM_BROKER_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "broker/recorder.h"
#include "proto/buf.h"

enum { OUTBOX_KEEP_BYTES = 256 << 10 }; /* memory kept by an empty buffer */

struct server;
struct session;

struct outbox_side {
	struct buf held;
	uint32_t answers;         /* in it */
	uint64_t settled_through; /* request id of the newest Settle that this side makes durable */
	bool listed;
	TAILQ_ENTRY(session) link;
};

struct outbox {
	struct outbox_side side[RECORDER_SIDES];
	int64_t full_since_ms; /* 0: it isn't full */
};

void outbox_init(struct session *s, size_t max_bytes);
void outbox_drop(struct session *s); /* what is held is forgotten */

/* Where to encode output that may rest on everything recorded so far.  Follow with
 * outbox_answered() when it answers a request. */
struct buf *outbox_buf(struct session *s);
void outbox_answered(struct session *s);

/* Where output goes that rests on no state. */
struct buf *outbox_direct(struct session *s);

/* Settles up to this request are recorded: told once per commit. */
void outbox_settled(struct session *s, uint64_t request_id);

/* Does anything wait for a commit? */
bool outbox_holds(const struct session *s);

/* The side is durable: what was held for it leaves, and so does a session whose last word it was. */
void outbox_release(struct server *sv, int side);

/* Pauses or resumes the session by how much waits for it. */
void outbox_weigh(struct session *s);
bool outbox_full(const struct session *s);

#endif
