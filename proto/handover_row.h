/* What the digest of a hand-over is taken over: a row for each case, in the order of the cases' ids.
 * Both sides make it, the hub from what it hands over and the new one from what it got; the
 * bytes are specified in docs/protocol.md. */
#ifndef IEUM_PROTO_HANDOVER_ROW_H
#define IEUM_PROTO_HANDOVER_ROW_H

#include <stdint.h>
#include <string.h>

enum {
	HANDOVER_ID_BYTES = 16,
	HANDOVER_ROW_BYTES = HANDOVER_ID_BYTES + 3 * 4,
	HANDOVER_DIGEST_BYTES = 32,
};

struct handover_row {
	uint8_t case_id[HANDOVER_ID_BYTES];
	uint32_t open_referrals, clocks, holds;
};

static inline uint8_t *handover_put_u32(uint8_t *to, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*to++ = (uint8_t)(n >> shift);
	return to;
}

static inline void handover_row_put(const struct handover_row *row, uint8_t to[HANDOVER_ROW_BYTES])
{
	memcpy(to, row->case_id, HANDOVER_ID_BYTES);
	to = handover_put_u32(to + HANDOVER_ID_BYTES, row->open_referrals);
	to = handover_put_u32(to, row->clocks);
	(void)handover_put_u32(to, row->holds);
}

/* For qsort() and bsearch(). */
static inline int handover_row_compare(const void *a, const void *b)
{
	return memcmp(((const struct handover_row *)a)->case_id,
		      ((const struct handover_row *)b)->case_id, HANDOVER_ID_BYTES);
}

#endif
