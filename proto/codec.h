/* The codec: a frame's bytes to a checked message and back.
 *
 * Decoding fills protobuf-c's structs in an arena and checks, in the same pass, everything
 * that protobuf-c does not: UTF-8 and NUL in texts, enum ranges, required fields, sizes,
 * counts, ids, unknown and repeated fields, sealed-only narratives, resident registration
 * numbers, which side may send what.  What comes out of codec_decode() needs no further
 * checking of form.  The rules are tables (codec_rules.h).  No state, no I/O; any thread. */
#ifndef IEUM_PROTO_CODEC_H
#define IEUM_PROTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/frame.pb-c.h"
#include "proto/arena.h"
#include "proto/buf.h"
#include "proto/error.h"
#include "proto/seal_der.h"

enum {
	CODEC_DETAIL_BYTES = 200,  /* longest text of a problem, NUL included */
	CODEC_ID_BYTES = 16,       /* message and case ids */
	CODEC_NAME_MAX_BYTES = 64, /* names of participants, bodies, roles, domains */
	CODEC_TEXT_MAX_BYTES = 500,
	CODEC_REPEATED_MAX = 16, /* entries of a repeated field where its comment says no other */
	CODEC_SETTLE_MAX = 4096, /* deliveries named in one Settle */
	CODEC_PAYLOAD_MAX_BYTES = 768 * 1024,
	/* What the hub adds to the sealed parts for one reader, and the most that it sends then. */
	CODEC_KEYS_MAX_BYTES = 128 * 1024,
	CODEC_SPLICED_MAX_BYTES = CODEC_PAYLOAD_MAX_BYTES + CODEC_KEYS_MAX_BYTES,
	/* What decoding any frame of 1 MiB may need; bytes fields point into the frame. */
	CODEC_ARENA_BUDGET_BYTES = 4 * 1024 * 1024,
};

/* Who sent the frame: each side may send only its own kinds. */
enum codec_from {
	CODEC_FROM_CLIENT,
	CODEC_FROM_HUB,
};

/* A decoded frame.  Structs and texts live in the arena; bytes fields (ids, narratives) point
 * into the frame's bytes.  So it is good as long as both are. */
struct codec_frame {
	Ieum__V1__Frame *frame;
	/* The bytes of the Referral in Submit, Delivery, Query.reach, Result.referral: as they came. */
	const uint8_t *referral;
	size_t referral_len;
};

/* What was wrong, ready for an Error frame. */
struct codec_problem {
	enum ieum_err code;
	char detail
		[CODEC_DETAIL_BYTES]; /* the field's path first: "submit.referral.envelope.urgency: 9 is not …" */
	uint64_t request_id; /* 0 when it could not be read */
	uint8_t message_id[CODEC_ID_BYTES];
	bool has_message_id;
};

/* OK, or the code that is also in *problem (which is filled only then).  After any of them the
 * stream can go on: the frame's borders were right.
 *   FRAME_MALFORMED  not protobuf           FRAME_UNKNOWN     a frame or query of a later version
 *   FRAME_UNEXPECTED not this side's frame  NO_MEMORY         over the arena's budget
 *   FIELD_*, TEXT_INVALID, ID_INVALID, RESIDENT_NUMBER, SEALED_ONLY, LEGAL_BASIS_MISSING,
 *   REASON_MISSING, NOT_SEALED, NOT_PERMITTED (by a client what only a hub makes): as their texts say.
 * Requests of a client (all its frames but Goodbye) must have a request id. */
enum ieum_err codec_decode(const uint8_t *payload, size_t len, enum codec_from from,
			   struct arena *arena, struct codec_frame *out,
			   struct codec_problem *problem) IEUM_MUST_CHECK;

/* Checks a referral that was not decoded from a frame (built from a file) by the same rules, as
 * if a client had sent it; paths begin with "referral".  Not for the hot path. */
enum ieum_err codec_check_referral(const Ieum__V1__Referral *referral,
				   struct codec_problem *problem) IEUM_MUST_CHECK;

/* Appends header and payload of a frame.  FIELD_TOO_LARGE when over the buffer's max. */
enum ieum_err codec_put(struct buf *out, const Ieum__V1__Frame *frame) IEUM_MUST_CHECK;

/* The same for the two frames that carry a referral's bytes, without unpacking and packing
 * them: the `referral` field of the struct given must be NULL. */
enum ieum_err codec_put_submit(struct buf *out, uint64_t request_id, const uint8_t *referral,
			       size_t referral_len) IEUM_MUST_CHECK;
enum ieum_err codec_put_delivery(struct buf *out, const Ieum__V1__Delivery *head,
				 const uint8_t *referral, size_t referral_len) IEUM_MUST_CHECK;

/* Is this one of the reader's names, which a narrative part lists as a recipient? */
typedef bool codec_reader_cb(void *ctx, const char *recipient, size_t len);

/* Whom a referral is shown to. */
struct codec_reader {
	codec_reader_cb *is_reader;
	void *ctx;
	bool is_sender; /* of the referral */
};

/* The referral's bytes without what isn't for the reader: narrative parts for others, and the
 * subject's tokens unless the reader sent them.  *filtered points at `referral` itself when nothing
 * has to go (the usual case), else into the arena. */
enum ieum_err codec_filter_referral(const uint8_t *referral, size_t len,
				    const struct codec_reader *reader, struct arena *arena,
				    const uint8_t **filtered, size_t *filtered_len) IEUM_MUST_CHECK;

/* A content key that was wrapped for a reader after the part (by its number) had been sealed. */
struct codec_key {
	uint32_t part;
	struct seal_bytes info; /* DER of a RecipientInfo */
};

/* The referral's bytes with the keys in their parts: a CMS that opens for the reader.  *spliced
 * points at `referral` itself when there are no keys, else into the arena.  A part that can take
 * no more stays as it is.  FIELD_TOO_LARGE: over CODEC_SPLICED_MAX_BYTES. */
enum ieum_err codec_splice_referral(const uint8_t *referral, size_t len,
				    const struct codec_key *keys, size_t n, struct arena *arena,
				    const uint8_t **spliced, size_t *spliced_len) IEUM_MUST_CHECK;

/* Appends an Error frame for a row of the table. */
enum ieum_err codec_put_error(struct buf *out, uint64_t request_id, enum ieum_err code,
			      const char *detail, uint32_t retry_after_ms,
			      const uint8_t *message_id) IEUM_MUST_CHECK;

#endif
