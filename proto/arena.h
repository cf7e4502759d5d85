/* A budgeted bump allocator: everything a peer's bytes make us allocate comes from one.
 *
 * Memory is handed out from chunks and given back all at once by arena_reset().  A call
 * that would pass the budget returns NULL, so hostile input ends as NO_MEMORY or
 * FRAME_MALFORMED and never as growth.  One owner at a time. */
#ifndef IEUM_PROTO_ARENA_H
#define IEUM_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	ProtobufCAllocator allocator; /* for protobuf-c; its free does nothing */
	struct arena_chunk *chunk;    /* the one in use, then older ones */
	size_t used;                  /* bytes handed out since the last reset */
	size_t budget;                /* most bytes to hand out between two resets */
};

/* Allocates nothing yet.  The arena must not move while it is in use. */
void arena_init(struct arena *a, size_t budget_bytes);

/* Takes all memory back but keeps one chunk for the next round. */
void arena_reset(struct arena *a);

/* Gives all memory back to the system. */
void arena_release(struct arena *a);

/* n bytes aligned for any type, not cleared; NULL when over budget or out of memory. */
void *arena_alloc(struct arena *a, size_t n);

/* The same, cleared. */
void *arena_zalloc(struct arena *a, size_t n);

/* A copy of n bytes. */
void *arena_copy(struct arena *a, const void *bytes, size_t n);

#endif
