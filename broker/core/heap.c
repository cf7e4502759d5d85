/* Binary heap; see heap.h. */
#include "broker/core/heap.h"

#include <assert.h>
#include <stdlib.h>

enum { HEAP_FIRST_CAP = 8 };

void heap_init(struct heap *h, heap_place_cb *place_cb, void *ctx)
{
	*h = (struct heap){ .place_cb = place_cb, .ctx = ctx };
}

void heap_deinit(struct heap *h)
{
	free(h->entries);
	heap_init(h, h->place_cb, h->ctx);
}

void heap_clear(struct heap *h)
{
	h->n = 0;
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void put(struct heap *h, uint32_t place, struct heap_entry e)
{
	h->entries[place - 1] = e;
	if (h->place_cb)
		h->place_cb(h->ctx, e.item, place);
}

static void settle_in(struct heap *h, uint32_t place, struct heap_entry e)
{
	while (place > 1 && before(&e, &h->entries[place / 2 - 1])) {
		put(h, place, h->entries[place / 2 - 1]);
		place /= 2;
	}
	for (;;) {
		uint32_t child = 2 * place;
		if (child > h->n)
			break;
		if (child < h->n && before(&h->entries[child], &h->entries[child - 1]))
			child++;
		if (!before(&h->entries[child - 1], &e))
			break;
		put(h, place, h->entries[child - 1]);
		place = child;
	}
	put(h, place, e);
}

enum ieum_err heap_push(struct heap *h, uint64_t key, uint64_t tie, uint32_t item)
{
	if (h->n == h->cap) {
		uint32_t cap = h->cap ? 2 * h->cap : HEAP_FIRST_CAP;
		struct heap_entry *entries = realloc(h->entries, cap * sizeof *entries);
		if (!entries)
			return IEUM_E_NO_MEMORY;
		h->entries = entries;
		h->cap = cap;
	}
	h->n++;
	settle_in(h, h->n, (struct heap_entry){ key, tie, item });
	return IEUM_E_OK;
}

void heap_remove(struct heap *h, uint32_t place)
{
	assert(place && place <= h->n);
	if (h->place_cb)
		h->place_cb(h->ctx, h->entries[place - 1].item, 0);
	struct heap_entry last = h->entries[--h->n];
	if (place <= h->n)
		settle_in(h, place, last);
}

void heap_rekey(struct heap *h, uint32_t place, uint64_t key, uint64_t tie)
{
	settle_in(h, place, (struct heap_entry){ key, tie, h->entries[place - 1].item });
}
