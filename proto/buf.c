/* Growing byte buffer; see buf.h. */
#include "proto/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 1024 };

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_release(struct buf *b)
{
	free(b->base);
	buf_init(b, b->max);
}

/* Moves the unread bytes to the front, into new memory when `cap` asks for more. */
static bool buf_relocate(struct buf *b, size_t cap)
{
	size_t len = buf_len(b);

	assert(b->base || (len == 0 && cap > b->cap));
	if (b->base && cap == b->cap) {
		memmove(b->base, b->base + b->head, len);
	} else {
		uint8_t *base = malloc(cap);
		if (!base)
			return false;
		if (b->base)
			memcpy(base, b->base + b->head, len);
		free(b->base);
		b->base = base;
		b->cap = cap;
	}
	b->head = 0;
	b->tail = len;
	return true;
}

/* Twice what there is, until `need` fits.  Twice max is always enough: in so much memory,
 * whatever is full at the tail has more than half of it consumed. */
static size_t buf_larger(const struct buf *b, size_t need)
{
	size_t most = b->max <= SIZE_MAX / 2 ? 2 * b->max : SIZE_MAX;
	size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES / 2;

	if (most < BUF_FIRST_BYTES)
		most = BUF_FIRST_BYTES;
	do
		cap = cap <= most / 2 ? 2 * cap : most;
	while (cap < need);
	return cap;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t len = buf_len(b);

	if (n > b->max - len)
		return NULL;
	if (b->base && b->cap - b->tail >= n)
		return b->base + b->tail;

	/* A move of `len` bytes must be paid for by `head` bytes consumed since the last one;
	 * otherwise small reads from a long backlog would move it all each time. */
	size_t cap = b->cap;
	if (cap - len < n || b->head < len || !b->base)
		cap = buf_larger(b, len + n);
	return buf_relocate(b, cap) ? b->base + b->tail : NULL;
}

enum ieum_err buf_append(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0)
		return IEUM_E_OK;
	if (n > b->max - buf_len(b))
		return IEUM_E_FIELD_TOO_LARGE;
	uint8_t *to = buf_reserve(b, n);
	if (!to)
		return IEUM_E_NO_MEMORY;
	memcpy(to, bytes, n);
	buf_commit(b, n);
	return IEUM_E_OK;
}

void buf_consume(struct buf *b, size_t n)
{
	b->head += n;
	if (b->head >= b->tail)
		b->head = b->tail = 0;
}

void buf_swap(struct buf *a, struct buf *b)
{
	struct buf tmp = *a;

	*a = *b;
	*b = tmp;
}
