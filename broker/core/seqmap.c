/* Event numbers to records; see seqmap.h. */
#include "broker/core/seqmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void seqmap_init(struct seqmap *m)
{
	*m = (struct seqmap){ 0 };
}

void seqmap_deinit(struct seqmap *m)
{
	for (uint64_t c = 0; c < m->n_chunks; c++)
		free(m->chunks[c]);
	free(m->chunks);
	seqmap_init(m);
}

static enum ieum_err seqmap_grow(struct seqmap *m, uint64_t c)
{
	uint64_t n = m->n_chunks ? m->n_chunks : 64;

	while (n <= c)
		n *= 2;
	struct seqmap_chunk **chunks = realloc(m->chunks, n * sizeof(struct seqmap_chunk *));
	if (!chunks)
		return IEUM_E_NO_MEMORY;
	memset(chunks + m->n_chunks, 0, (n - m->n_chunks) * sizeof(struct seqmap_chunk *));
	m->chunks = chunks;
	m->n_chunks = n;
	return IEUM_E_OK;
}

enum ieum_err seqmap_set(struct seqmap *m, uint64_t seq, uint32_t item)
{
	uint64_t c = seq >> SEQMAP_CHUNK_BITS;

	if (c >= m->n_chunks) {
		enum ieum_err err = seqmap_grow(m, c);
		if (err)
			return err;
	}
	if (!m->chunks[c])
		m->chunks[c] = calloc(1, sizeof(struct seqmap_chunk));
	if (!m->chunks[c])
		return IEUM_E_NO_MEMORY;
	assert(!seqmap_get(m, seq));
	m->chunks[c]->items[seq & (SEQMAP_CHUNK_ITEMS - 1)] = item;
	m->chunks[c]->used++;
	return IEUM_E_OK;
}

void seqmap_clear(struct seqmap *m, uint64_t seq)
{
	uint64_t c = seq >> SEQMAP_CHUNK_BITS;

	if (!seqmap_get(m, seq))
		return;
	m->chunks[c]->items[seq & (SEQMAP_CHUNK_ITEMS - 1)] = 0;
	if (--m->chunks[c]->used == 0) {
		free(m->chunks[c]);
		m->chunks[c] = NULL;
	}
}

uint64_t seqmap_next(const struct seqmap *m, uint64_t seq)
{
	uint64_t c = seq >> SEQMAP_CHUNK_BITS;

	while (c < m->n_chunks) {
		if (!m->chunks[c]) {
			seq = ++c << SEQMAP_CHUNK_BITS;
		} else if (seqmap_get(m, seq)) {
			return seq;
		} else {
			c = ++seq >> SEQMAP_CHUNK_BITS;
		}
	}
	return 0;
}
