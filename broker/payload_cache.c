#include "broker/payload_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Memory of recent payloads, filled from the front, dropped whole. */
struct block {
	STAILQ_ENTRY(block) link;
	uint64_t newest_seq;
	size_t used, size;
	uint8_t bytes[];
};
STAILQ_HEAD(block_list, block);

/* Index of the recent: slot seq % slots.  A slot taken over by a later seq forgets the earlier. */
struct slot {
	uint64_t seq; /* 0: empty */
	const uint8_t *bytes;
	size_t len;
};

struct fetched {
	uint64_t seq;
	uint8_t *bytes;
	size_t len;
	STAILQ_ENTRY(fetched) link; /* in the order of adding: the oldest goes first */
	LIST_ENTRY(fetched) chain;
};
STAILQ_HEAD(fetched_list, fetched);
LIST_HEAD(fetched_chain, fetched);

enum { FETCHED_CHAINS = 4096 };

struct payload_cache {
	size_t recent_max, fetched_max;
	size_t recent_bytes, fetched_bytes;
	struct block_list blocks; /* oldest first */
	struct block *filling;    /* the newest */
	uint64_t oldest_seq;      /* recent ones below are gone */
	uint64_t hold_from_seq;
	struct slot *slots;
	size_t slots_mask;
	struct fetched_list fetched;
	struct fetched_chain chains[FETCHED_CHAINS]; /* by seq */
};

struct payload_cache *payload_cache_new(size_t budget_bytes)
{
	struct payload_cache *c = calloc(1, sizeof(*c));
	size_t slots = 1;

	if (!c)
		return NULL;
	if (budget_bytes < PAYLOAD_CACHE_MIN_BYTES)
		budget_bytes = PAYLOAD_CACHE_MIN_BYTES;
	c->fetched_max = budget_bytes / PAYLOAD_FETCHED_SHARE;
	c->recent_max = budget_bytes - c->fetched_max;
	while (slots < c->recent_max / PAYLOAD_TYPICAL_BYTES)
		slots *= 2;
	c->slots_mask = slots - 1;
	c->slots = calloc(slots, sizeof(*c->slots));
	c->hold_from_seq = UINT64_MAX;
	STAILQ_INIT(&c->blocks);
	STAILQ_INIT(&c->fetched);
	if (!c->slots) {
		free(c);
		return NULL;
	}
	return c;
}

static struct fetched *fetched_find(const struct payload_cache *c, uint64_t seq)
{
	struct fetched *f = NULL;

	LIST_FOREACH(f, &c->chains[seq % FETCHED_CHAINS], chain) {
		if (f->seq == seq)
			break;
	}
	return f;
}

static void fetched_drop(struct payload_cache *c, struct fetched *f)
{
	STAILQ_REMOVE(&c->fetched, f, fetched, link);
	LIST_REMOVE(f, chain);
	c->fetched_bytes -= f->len + sizeof(*f);
	free(f->bytes);
	free(f);
}

static void fetched_drop_oldest(struct payload_cache *c)
{
	fetched_drop(c, STAILQ_FIRST(&c->fetched));
}

void payload_cache_free(struct payload_cache *c)
{
	if (!c)
		return;
	while (!STAILQ_EMPTY(&c->blocks)) {
		struct block *b = STAILQ_FIRST(&c->blocks);

		STAILQ_REMOVE_HEAD(&c->blocks, link);
		free(b);
	}
	while (!STAILQ_EMPTY(&c->fetched))
		fetched_drop_oldest(c);
	free(c->slots);
	free(c);
}

/* Takes the oldest block out when the budget is used up and no batch borrows from it. */
static struct block *take_oldest(struct payload_cache *c)
{
	struct block *b = STAILQ_FIRST(&c->blocks);

	if (!b || c->recent_bytes < c->recent_max || b->newest_seq >= c->hold_from_seq)
		return NULL;
	STAILQ_REMOVE_HEAD(&c->blocks, link);
	if (b == c->filling)
		c->filling = NULL;
	c->recent_bytes -= b->size;
	c->oldest_seq = b->newest_seq + 1;
	return b;
}

/* A block at the end with room for n bytes. */
static struct block *block_with_room(struct payload_cache *c, size_t n)
{
	size_t size = n > PAYLOAD_BLOCK_BYTES ? n : PAYLOAD_BLOCK_BYTES;
	struct block *b = c->filling;
	struct block *old;

	if (b && b->size - b->used >= n)
		return b;
	b = NULL;
	/* More than one at a time, so that a passing excess over the budget goes away again. */
	while ((old = take_oldest(c))) {
		if (!b && old->size == size)
			b = old;
		else
			free(old);
	}
	if (!b)
		b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->used = 0;
	b->size = size;
	c->recent_bytes += size;
	STAILQ_INSERT_TAIL(&c->blocks, b, link);
	c->filling = b;
	return b;
}

const uint8_t *payload_cache_put(struct payload_cache *c, uint64_t seq, const uint8_t *bytes,
				 size_t len)
{
	struct block *b = block_with_room(c, len);
	uint8_t *to;

	if (!b)
		return NULL;
	to = b->bytes + b->used;
	memcpy(to, bytes, len);
	b->used += len;
	b->newest_seq = seq;
	c->slots[seq & c->slots_mask] = (struct slot){ seq, to, len };
	return to;
}

void payload_cache_hold(struct payload_cache *c, uint64_t from_seq)
{
	c->hold_from_seq = from_seq;
}

enum ieum_err payload_cache_put_fetched(struct payload_cache *c, uint64_t seq, uint8_t *bytes,
					size_t len)
{
	struct fetched *f = fetched_find(c, seq);

	/* Two consumers of a mailbox asked for it. */
	if (f) {
		free(bytes);
		return IEUM_E_OK;
	}
	while (!STAILQ_EMPTY(&c->fetched) && c->fetched_bytes + len + sizeof(*f) > c->fetched_max)
		fetched_drop_oldest(c);
	f = calloc(1, sizeof(*f));
	if (!f) {
		free(bytes);
		return IEUM_E_NO_MEMORY;
	}
	f->seq = seq;
	f->bytes = bytes;
	f->len = len;
	STAILQ_INSERT_TAIL(&c->fetched, f, link);
	LIST_INSERT_HEAD(&c->chains[seq % FETCHED_CHAINS], f, chain);
	c->fetched_bytes += len + sizeof(*f);
	return IEUM_E_OK;
}

void payload_cache_drop(struct payload_cache *c, uint64_t seq)
{
	struct slot *slot = &c->slots[seq & c->slots_mask];
	struct fetched *f = fetched_find(c, seq);

	if (slot->bytes && slot->seq == seq) {
		if (seq >= c->oldest_seq && seq < c->hold_from_seq)
			explicit_bzero((uint8_t *)slot->bytes, slot->len);
		*slot = (struct slot){ .seq = 0 };
	}
	if (f) {
		if (f->bytes)
			explicit_bzero(f->bytes, f->len);
		fetched_drop(c, f);
	}
}

bool payload_cache_get(const struct payload_cache *c, uint64_t seq, const uint8_t **bytes,
		       size_t *len)
{
	const struct slot *slot = &c->slots[seq & c->slots_mask];
	const struct fetched *f;

	if (slot->bytes && slot->seq == seq && seq >= c->oldest_seq) {
		*bytes = slot->bytes;
		*len = slot->len;
		return true;
	}
	f = fetched_find(c, seq);
	if (!f)
		return false;
	*bytes = f->bytes;
	*len = f->len;
	return true;
}

size_t payload_cache_fetched_max(const struct payload_cache *c)
{
	return c->fetched_max;
}

size_t payload_cache_bytes(const struct payload_cache *c)
{
	return c->recent_bytes + c->fetched_bytes;
}
