/* Records of one size; see slab.h. */
#include "broker/core/slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void slab_init(struct slab *s, size_t record_bytes)
{
	assert(record_bytes >= sizeof(uint32_t));
	*s = (struct slab){ .record_bytes = record_bytes, .used = 1 };
}

void slab_deinit(struct slab *s)
{
	for (uint32_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	slab_init(s, s->record_bytes);
}

static int slab_grow(struct slab *s)
{
	if (s->n_chunks == UINT32_MAX >> SLAB_CHUNK_BITS)
		return -1;
	if (s->n_chunks == s->cap_chunks) {
		uint32_t cap = s->cap_chunks ? 2 * s->cap_chunks : 16;
		uint8_t **chunks = realloc(s->chunks, cap * sizeof *chunks);
		if (!chunks)
			return -1;
		s->chunks = chunks;
		s->cap_chunks = cap;
	}
	uint8_t *chunk = malloc(SLAB_CHUNK_RECORDS * s->record_bytes);
	if (!chunk)
		return -1;
	s->chunks[s->n_chunks++] = chunk;
	return 0;
}

uint32_t slab_get(struct slab *s)
{
	uint32_t handle = s->free_head;

	if (handle) {
		memcpy(&s->free_head, slab_at(s, handle), sizeof s->free_head);
	} else {
		if (s->used >> SLAB_CHUNK_BITS >= s->n_chunks && slab_grow(s))
			return 0;
		handle = s->used++;
	}
	memset(slab_at(s, handle), 0, s->record_bytes);
	s->live++;
	return handle;
}

void slab_put(struct slab *s, uint32_t handle)
{
	assert(handle && s->live);
	memcpy(slab_at(s, handle), &s->free_head, sizeof s->free_head);
	s->free_head = handle;
	s->live--;
}
