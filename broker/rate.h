/* A token bucket: so many requests a second, with a burst of one second's worth.
 * Pure; one owner. */
#ifndef IEUM_BROKER_RATE_H
#define IEUM_BROKER_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate_bucket {
	int64_t tokens_u; /* millionths of a request */
	int64_t filled_at_us;
};

/* Takes one token; when there is none: false and in how many milliseconds there will be one.
 * per_s 0: no limit.  A zeroed bucket starts full. */
static inline bool rate_take(struct rate_bucket *b, uint32_t per_s, int64_t now_us,
			     uint32_t *retry_after_ms)
{
	enum { TOKEN_U = 1000000 };
	int64_t full_u = (int64_t)per_s * TOKEN_U;
	int64_t elapsed_us = now_us - b->filled_at_us;

	if (per_s == 0)
		return true;
	/* One microsecond brings per_s millionths of a token. */
	if (b->filled_at_us == 0 || elapsed_us >= TOKEN_U)
		b->tokens_u = full_u;
	else if (elapsed_us > 0)
		b->tokens_u += elapsed_us * per_s;
	if (b->tokens_u > full_u)
		b->tokens_u = full_u;
	b->filled_at_us = now_us;
	if (b->tokens_u < TOKEN_U) {
		*retry_after_ms = (uint32_t)((TOKEN_U - b->tokens_u) / per_s / 1000 + 1);
		return false;
	}
	b->tokens_u -= TOKEN_U;
	return true;
}

#endif
