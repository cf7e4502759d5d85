/* The load generator's own short-cuts on the wire.
 *
 * The generator shares two cores with the broker it measures, so it neither packs nor
 * unpacks whole messages: a Submit is a template with four fields patched in place, and of
 * a Delivery only the fields it counts are looked at.  The frames are the same bytes that
 * libieum would send.  One owner at a time. */
#ifndef IEUM_BENCH_WIRE_H
#define IEUM_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/error.h"
#include "proto/frame.h"

enum {
	WIRE_STAMP_BYTES = 64, /* letters at the start of the narrative */
	WIRE_PAYLOAD_MAX_BYTES = 64 * 1024,
	WIRE_ID_BYTES = 16,
};

/* What a message says of itself, written as letters into its narrative. */
struct wire_stamp {
	uint32_t publisher;
	uint64_t sequence;
	int64_t sent_ns; /* CLOCK_MONOTONIC, when it was due to be sent */
	uint64_t run;
};

struct wire_submit {
	uint8_t *frame; /* header and payload */
	size_t len;
	size_t request_id_at; /* fixed-width varint, 5 bytes */
	size_t message_id_at;
	size_t narrative_at;
};

/* A Submit of a service_report to one addressee, with payload_bytes of narrative (text), in
 * the given case; case_id NULL: it opens one. */
enum ieum_err wire_submit_init(struct wire_submit *w, const char *addressee, const uint8_t *case_id,
			       size_t payload_bytes) IEUM_MUST_CHECK;
void wire_submit_deinit(struct wire_submit *w);

/* Patches the template and appends it to out. */
enum ieum_err wire_submit_put(struct wire_submit *w, uint32_t request_id, const uint8_t *message_id,
			      const struct wire_stamp *stamp, struct buf *out) IEUM_MUST_CHECK;

enum wire_kind {
	WIRE_OTHER,
	WIRE_WELCOME,
	WIRE_RECEIPT,
	WIRE_DELIVERY,
	WIRE_SETTLED,
	WIRE_PONG,
	WIRE_ERROR,
};

struct wire_frame {
	enum wire_kind kind;
	uint64_t request_id;
	uint64_t delivery_id;        /* of a delivery */
	uint64_t through_request_id; /* of a settled */
	const uint8_t *narrative;    /* of a delivery */
	size_t narrative_len;
	const uint8_t *body; /* the frame's message, for printing an error */
	size_t body_len;
};

/* False when the bytes are not what a hub sends. */
bool wire_read(const uint8_t *payload, size_t len, struct wire_frame *out);

/* False when the narrative is not one of ours. */
bool wire_stamp_read(const uint8_t *narrative, size_t len, struct wire_stamp *stamp);

/* A Settle of n deliveries. */
enum ieum_err wire_settle_put(struct buf *out, uint32_t request_id, const uint64_t *done,
			      size_t n) IEUM_MUST_CHECK;

#endif
