/* Records of one size, named by a 32-bit handle instead of a pointer.
 *
 * Memory comes in chunks that never move, so a record's address is good until it is given
 * back; freed records are used again first.  Handle 0 names nothing.  Handles are never
 * part of any result: two cores in the same state may number their records differently. */
#ifndef IEUM_BROKER_CORE_SLAB_H
#define IEUM_BROKER_CORE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
	SLAB_CHUNK_BITS = 9,
	SLAB_CHUNK_RECORDS = 1 << SLAB_CHUNK_BITS,
};

struct slab {
	uint8_t **chunks;
	size_t record_bytes;
	uint32_t n_chunks, cap_chunks;
	uint32_t used;      /* handles ever given out, the unused 0 included */
	uint32_t free_head; /* its first four bytes name the next */
	uint32_t live;
};

void slab_init(struct slab *s, size_t record_bytes);
void slab_deinit(struct slab *s);

/* A cleared record; 0 when out of memory. */
uint32_t slab_get(struct slab *s);
void slab_put(struct slab *s, uint32_t handle);

static inline void *slab_at(const struct slab *s, uint32_t handle)
{
	return s->chunks[handle >> SLAB_CHUNK_BITS] +
	       (size_t)(handle & (SLAB_CHUNK_RECORDS - 1)) * s->record_bytes;
}

#endif
