/* The payloads that were received lately or read back, so that a delivery needs no disk.
 *
 * Two parts.  *Recent*: every payload goes in once as it is received, in the order of seq, into
 * blocks that are reused oldest first; the journal batch borrows the bytes from here, so a payload is
 * copied once between its TLS record and the disk.  *Fetched*: what was read back from the
 * journal because a slow consumer came for it after its block had been reused.
 *
 * payload_cache_hold() says from which seq on bytes are borrowed by a batch: those blocks stay,
 * even over the budget (a batch is bounded by itself).  One owner. */
#ifndef IEUM_BROKER_PAYLOAD_CACHE_H
#define IEUM_BROKER_PAYLOAD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	PAYLOAD_BLOCK_BYTES = 1 << 20,
	PAYLOAD_CACHE_MIN_BYTES = 8 << 20,
	PAYLOAD_FETCHED_SHARE = 4,   /* one part in four is for fetched ones */
	PAYLOAD_TYPICAL_BYTES = 512, /* sizes the index of recent ones */
};

struct payload_cache;

/* NULL when out of memory. */
struct payload_cache *payload_cache_new(size_t budget_bytes);
void payload_cache_free(struct payload_cache *c); /* takes NULL */

/* Copies a payload in; where it lies now, good until its block is reused.  seq must rise.
 * NULL when out of memory. */
const uint8_t *payload_cache_put(struct payload_cache *c, uint64_t seq, const uint8_t *bytes,
				 size_t len);

/* Nothing from this seq on is reused; UINT64_MAX: nothing is borrowed. */
void payload_cache_hold(struct payload_cache *c, uint64_t from_seq);

/* Keeps a payload that was read back; takes bytes (malloc'ed; NULL for one without content). */
enum ieum_err payload_cache_put_fetched(struct payload_cache *c, uint64_t seq, uint8_t *bytes,
					size_t len) IEUM_MUST_CHECK;

/* It is erased: not here any more, and overwritten unless a batch borrows it. */
void payload_cache_drop(struct payload_cache *c, uint64_t seq);

/* False when it isn't here. */
bool payload_cache_get(const struct payload_cache *c, uint64_t seq, const uint8_t **bytes,
		       size_t *len);

/* How many bytes of fetched payloads it can keep at a time. */
size_t payload_cache_fetched_max(const struct payload_cache *c);

/* Bytes in use, for metrics. */
size_t payload_cache_bytes(const struct payload_cache *c);

#endif
