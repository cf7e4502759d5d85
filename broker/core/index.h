/* From a 64-bit keyed hash to the records that may have the key.
 *
 * Holds no keys: whoever looks up compares the records that index_first() and index_next()
 * offer.  Open addressing, eight bytes a slot.  It grows a few slots at a time while things
 * are added, so no single call pauses the loop (a table of a million doubled at once takes
 * tens of milliseconds), and needs a fifth of the memory of an intrusive table with
 * pointers. */
#ifndef IEUM_BROKER_CORE_INDEX_H
#define IEUM_BROKER_CORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct index_slot {
	uint32_t tag;  /* 32 bits of the hash; the low ones say where its place is */
	uint32_t item; /* 0: empty */
};

struct index_table {
	struct index_slot *slots;
	uint32_t mask; /* slots - 1 */
	uint32_t used;
};

struct index {
	struct index_table now;
	struct index_table old; /* being emptied into `now`; no slots: none */
	uint32_t moved;         /* slots of `old` that were looked at */
	uint32_t n;
};

/* Where a look-up has come to. */
struct index_probe {
	const struct index *in;
	uint32_t tag;
	uint32_t at;
	bool in_old;
};

void index_init(struct index *ix);
void index_deinit(struct index *ix);

/* NO_MEMORY.  `item` must not be 0 or UINT32_MAX. */
enum ieum_err index_add(struct index *ix, uint64_t hash, uint32_t item) IEUM_MUST_CHECK;
/* False: it wasn't there. */
bool index_remove(struct index *ix, uint64_t hash, uint32_t item);

/* Candidates for a key with this hash, 0 when there are no more. */
uint32_t index_first(const struct index *ix, uint64_t hash, struct index_probe *p);
uint32_t index_next(struct index_probe *p);

/* The hash of two words under a secret key. */
static inline uint64_t index_hash(uint64_t seed, uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ seed) *
			      (b ^ ((seed << 32 | seed >> 32) * 0x9e3779b97f4a7c15u));
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);

	h ^= a + (b << 1);
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

#endif
