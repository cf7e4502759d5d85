/* From an event's number to the record it made.
 *
 * Events are numbered without gaps, so this is an array, in chunks that come when their
 * first number is set and go when their last one is cleared. */
#ifndef IEUM_BROKER_CORE_SEQMAP_H
#define IEUM_BROKER_CORE_SEQMAP_H

#include <stdint.h>

#include "proto/error.h"

enum {
	SEQMAP_CHUNK_BITS = 10,
	SEQMAP_CHUNK_ITEMS = 1 << SEQMAP_CHUNK_BITS,
};

struct seqmap_chunk {
	uint32_t used;
	uint32_t items[SEQMAP_CHUNK_ITEMS];
};

struct seqmap {
	struct seqmap_chunk **chunks;
	uint64_t n_chunks;
};

void seqmap_init(struct seqmap *m);
void seqmap_deinit(struct seqmap *m);

/* NO_MEMORY.  The number must not be set yet, the item not be 0. */
enum ieum_err seqmap_set(struct seqmap *m, uint64_t seq, uint32_t item) IEUM_MUST_CHECK;
void seqmap_clear(struct seqmap *m, uint64_t seq);

/* The first number from `seq` on that is set; 0: none. */
uint64_t seqmap_next(const struct seqmap *m, uint64_t seq);

static inline uint32_t seqmap_get(const struct seqmap *m, uint64_t seq)
{
	uint64_t c = seq >> SEQMAP_CHUNK_BITS;

	if (c >= m->n_chunks || !m->chunks[c])
		return 0;
	return m->chunks[c]->items[seq & (SEQMAP_CHUNK_ITEMS - 1)];
}

#endif
