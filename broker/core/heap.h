/* A binary heap of records by a key; equal keys are ordered by `tie`, so that the order
 * never depends on how the heap came about. */
#ifndef IEUM_BROKER_CORE_HEAP_H
#define IEUM_BROKER_CORE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct heap_entry {
	uint64_t key, tie;
	uint32_t item;
};

/* Tells a record its place, 0: in the heap no more. */
typedef void heap_place_cb(void *ctx, uint32_t item, uint32_t place);

struct heap {
	struct heap_entry *entries; /* entries[place - 1] */
	uint32_t n, cap;
	heap_place_cb *place_cb; /* may be NULL: then only push and pop are of use */
	void *ctx;
};

void heap_init(struct heap *h, heap_place_cb *place_cb, void *ctx);
void heap_deinit(struct heap *h);

enum ieum_err heap_push(struct heap *h, uint64_t key, uint64_t tie, uint32_t item) IEUM_MUST_CHECK;
void heap_remove(struct heap *h, uint32_t place);
void heap_rekey(struct heap *h, uint32_t place, uint64_t key, uint64_t tie);
void heap_clear(struct heap *h); /* tells nobody */

/* The smallest; NULL when empty. */
static inline const struct heap_entry *heap_first(const struct heap *h)
{
	return h->n ? &h->entries[0] : NULL;
}

#endif
