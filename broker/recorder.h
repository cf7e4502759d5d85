/* The way of a decision into the journal: hash, pack, apply, gather, hand over, reap.
 *
 *   decided ──record──► gathering batch ──hand over──► committer ──reap──► durable
 *                       (applied at once)              (in flight)
 *
 * There are two batches and so two *sides*, 0 and 1: while one is in flight the other gathers, and they
 * change roles at each hand-over.  Output that rests on what was recorded is held per side until
 * that side's batch is durable (outbox.h).
 *
 * A failure in the middle of recording leaves memory and journal apart: the caller must stop the
 * daemon and release nothing more.  Loop thread only. */
#ifndef IEUM_BROKER_RECORDER_H
#define IEUM_BROKER_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/committer.h"
#include "broker/payload_cache.h"
#include "broker/salt.h"
#include "proto/error.h"

enum {
	RECORDER_SIDES = 2,
	RECORDER_NOTHING_PENDING = -1,
	RECORDER_RESERVE_BYTES = 8 << 20, /* over the ceiling: settles and `immediate` */
	RECORDER_RESERVE_EVENTS = 4096,   /* the same, of JOURNAL_BATCH_EVENTS_MAX */
};

/* How much may still be recorded before the disk has caught up. */
enum recorder_room {
	RECORDER_ROOMY,
	RECORDER_RESERVED, /* the ceiling is reached: settles and `immediate` only */
	RECORDER_FULL,
};

struct recorder {
	struct core *core;           /* borrowed */
	struct committer *committer; /* borrowed; NULL until the loop starts */
	struct payload_cache *cache;
	struct salt_source *salts;
	struct journal_batch *side[RECORDER_SIDES];
	unsigned gathering; /* which side */
	bool in_flight;     /* the other side is with the committer */
	size_t pending_max; /* the ceiling, bytes */
};

/* HUB full of memory: NO_MEMORY. */
enum ieum_err recorder_init(struct recorder *r, struct core *core, size_t pending_max,
			    size_t cache_bytes) IEUM_MUST_CHECK;
void recorder_deinit(struct recorder *r);

/* Records every event of a decision, in order. */
enum ieum_err recorder_record(struct recorder *r, struct core_decision *d) IEUM_MUST_CHECK;

/* Wants a payload from the journal: answered with the batch that is gathering now. */
enum ieum_err recorder_read(struct recorder *r, uint64_t seq, void *tag) IEUM_MUST_CHECK;

enum recorder_room recorder_room(const struct recorder *r);
size_t recorder_pending_bytes(const struct recorder *r);

/* The side whose commit output has to wait for that may rest on everything recorded so far;
 * RECORDER_NOTHING_PENDING: it may leave now. */
int recorder_side(const struct recorder *r);

static inline struct journal_batch *recorder_batch(const struct recorder *r)
{
	return r->side[r->gathering];
}

static inline bool recorder_idle(const struct recorder *r)
{
	return !r->in_flight && journal_batch_empty(recorder_batch(r));
}

/* Gives the gathered batch to the committer when it is idle and there is something. */
enum ieum_err recorder_hand_over(struct recorder *r, int64_t now_us) IEUM_MUST_CHECK;

/* Takes a finished batch back: its side in *side, or false when there is none.  *result other
 * than OK: release nothing of it.  Its reads may be looked at; then recorder_done(). */
bool recorder_reap(struct recorder *r, int *side, enum ieum_err *result);
void recorder_done(struct recorder *r, int side);

#endif
