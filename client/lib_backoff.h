/* How long to pause before trying again: doubling, jittered, within bounds.
 *
 * Pause number n (from 0) lies between span/2 and span, span = min_ms * 2^n, at most max_ms: so
 * that the clients of a hub that restarts don't come back all at once. */
#ifndef IEUM_CLIENT_LIB_BACKOFF_H
#define IEUM_CLIENT_LIB_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint32_t min_ms;
	uint32_t max_ms;
	unsigned failures; /* in a row; 0 after a success */
};

static inline uint32_t backoff_span(const struct backoff *b)
{
	uint64_t span = b->failures < 32 ? (uint64_t)b->min_ms << b->failures : UINT64_MAX;

	return span < b->max_ms ? (uint32_t)span : b->max_ms;
}

/* The next pause; counts a failure. */
static inline uint32_t backoff_next(struct backoff *b, uint64_t random)
{
	uint32_t span = backoff_span(b);

	b->failures++;
	return span / 2 + (uint32_t)(random % (span - span / 2 + 1));
}

#endif
