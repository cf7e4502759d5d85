/* A growing byte buffer with a named maximum.
 *
 * Bytes are appended at the tail and consumed at the head; the unread bytes are
 * always contiguous.  A buffer never grows past `max`: the call that would is
 * refused and changes nothing.  Not thread-safe; one owner at a time. */
#ifndef IEUM_PROTO_BUF_H
#define IEUM_PROTO_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct buf {
	uint8_t *base;
	size_t head; /* first unread byte */
	size_t tail; /* one past the last byte */
	size_t cap;  /* allocated bytes */
	size_t max;  /* most unread bytes this buffer may ever hold */
};

/* An empty buffer without memory; allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);

/* Gives the memory back; the buffer is empty and may be used again. */
void buf_release(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

static inline const uint8_t *buf_bytes(const struct buf *b)
{
	return b->base ? b->base + b->head : (const uint8_t *)"";
}

/* Room for n more bytes at the tail: returns where to write, NULL when over max or
 * out of memory.  buf_commit() then says how many were written. */
uint8_t *buf_reserve(struct buf *b, size_t n) IEUM_MUST_CHECK;

static inline void buf_commit(struct buf *b, size_t n)
{
	b->tail += n;
}

/* FIELD_TOO_LARGE when it would pass max, NO_MEMORY when allocation fails. */
enum ieum_err buf_append(struct buf *b, const void *bytes, size_t n) IEUM_MUST_CHECK;

/* Drops n bytes (at most buf_len) from the head. */
void buf_consume(struct buf *b, size_t n);

/* Exchanges the contents and limits of two buffers. */
void buf_swap(struct buf *a, struct buf *b);

#endif
