/* A case's history; see timeline.h.  The first chunk grows, because most cases are short;
 * later ones are made whole, so that a long case is never copied. */
#include "broker/core/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int timeline_grow(struct timeline *t)
{
	uint32_t n_chunks = (t->cap + TIMELINE_CHUNK_ENTRIES - 1) / TIMELINE_CHUNK_ENTRIES;

	if (t->cap > 0 && t->cap < TIMELINE_CHUNK_ENTRIES) {
		struct entry *first =
			realloc(t->chunks[0], 2 * (size_t)t->cap * sizeof(struct entry));
		if (!first)
			return -1;
		t->chunks[0] = first;
		t->cap *= 2;
		return 0;
	}
	if ((n_chunks & (n_chunks - 1)) == 0) {
		size_t room = n_chunks ? 2 * (size_t)n_chunks : 1;
		assert(room > 0);
		struct entry **chunks = realloc(t->chunks, room * sizeof(struct entry *));
		if (!chunks)
			return -1;
		t->chunks = chunks;
	}
	uint32_t entries = n_chunks ? TIMELINE_CHUNK_ENTRIES : TIMELINE_FIRST_ENTRIES;
	t->chunks[n_chunks] = malloc(entries * sizeof(struct entry));
	if (!t->chunks[n_chunks])
		return -1;
	t->cap += entries;
	return 0;
}

struct entry *timeline_add(struct timeline *t)
{
	if (t->n == t->cap && timeline_grow(t))
		return NULL;
	struct entry *e = timeline_at(t, t->n++);
	*e = (struct entry){ 0 };
	return e;
}

void timeline_free(struct timeline *t)
{
	for (uint32_t i = 0; i < t->cap; i += TIMELINE_CHUNK_ENTRIES)
		free(t->chunks[i / TIMELINE_CHUNK_ENTRIES]);
	free(t->chunks);
	*t = (struct timeline){ 0 };
}
