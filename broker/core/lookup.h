/* From a 64-bit keyed hash to the records that may have the key.
 *
 * Holds no keys: whoever looks up compares the records that lookup_first() and lookup_next()
 * offer.  Open addressing, eight bytes a slot.  It grows a few slots at a time while things
 * are added, so no single call pauses the loop (a table of a million doubled at once takes
 * tens of milliseconds), and needs a fifth of the memory of an intrusive table with
 * pointers. */
#ifndef IEUM_BROKER_CORE_LOOKUP_H
#define IEUM_BROKER_CORE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct lookup_slot {
	uint32_t tag;  /* 32 bits of the hash; the low ones say where its place is */
	uint32_t item; /* 0: empty */
};

struct lookup_table {
	struct lookup_slot *slots;
	uint32_t mask; /* slots - 1 */
	uint32_t used;
};

struct lookup {
	struct lookup_table now;
	struct lookup_table old; /* being emptied into `now`; no slots: none */
	uint32_t moved;          /* slots of `old` that were looked at */
	uint32_t n;
};

/* Where a look-up has come to. */
struct lookup_probe {
	const struct lookup *in;
	uint32_t tag;
	uint32_t at;
	bool in_old;
};

void lookup_init(struct lookup *ix);
void lookup_deinit(struct lookup *ix);

/* NO_MEMORY.  `item` must not be 0 or UINT32_MAX. */
enum ieum_err lookup_add(struct lookup *ix, uint64_t hash, uint32_t item) IEUM_MUST_CHECK;
/* False: it wasn't there. */
bool lookup_remove(struct lookup *ix, uint64_t hash, uint32_t item);

/* Candidates for a key with this hash, 0 when there are no more. */
uint32_t lookup_first(const struct lookup *ix, uint64_t hash, struct lookup_probe *p);
uint32_t lookup_next(struct lookup_probe *p);

/* The hash of two words under a secret key. */
static inline uint64_t lookup_hash(uint64_t seed, uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ seed) *
			      (b ^ ((seed << 32 | seed >> 32) * 0x9e3779b97f4a7c15u));
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);

	h ^= a + (b << 1);
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

#endif
