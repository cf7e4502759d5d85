/* Bump allocation in chunks; see arena.h. */
#include "proto/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK_BYTES = 64 * 1024 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t cap;
	size_t used;
	alignas(max_align_t) uint8_t bytes[];
};

static void *alloc_for_protobuf(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void free_for_protobuf(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

void arena_init(struct arena *a, size_t budget_bytes)
{
	*a = (struct arena){ .budget = budget_bytes };
	a->allocator.alloc = alloc_for_protobuf;
	a->allocator.free = free_for_protobuf;
	a->allocator.allocator_data = a;
}

static void drop_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *older = chunk->older;
		free(chunk);
		chunk = older;
	}
}

void arena_reset(struct arena *a)
{
	a->used = 0;
	if (!a->chunk)
		return;
	drop_chunks(a->chunk->older);
	a->chunk->older = NULL;
	a->chunk->used = 0;
	if (a->chunk->cap > ARENA_CHUNK_BYTES)
		arena_release(a);
}

void arena_release(struct arena *a)
{
	drop_chunks(a->chunk);
	a->chunk = NULL;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);

	if (n > a->budget - a->used)
		return NULL;
	n = (n + align - 1) / align * align;
	if (n > a->budget - a->used)
		return NULL;
	if (!a->chunk || a->chunk->cap - a->chunk->used < n) {
		size_t cap = n > ARENA_CHUNK_BYTES ? n : ARENA_CHUNK_BYTES;
		struct arena_chunk *chunk = malloc(sizeof *chunk + cap);
		if (!chunk)
			return NULL;
		chunk->older = a->chunk;
		chunk->cap = cap;
		chunk->used = 0;
		a->chunk = chunk;
	}
	void *p = a->chunk->bytes + a->chunk->used;
	a->chunk->used += n;
	a->used += n;
	return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	return p ? memset(p, 0, n) : NULL;
}

void *arena_copy(struct arena *a, const void *bytes, size_t n)
{
	void *p = arena_alloc(a, n);

	return p && n > 0 ? memcpy(p, bytes, n) : p;
}
