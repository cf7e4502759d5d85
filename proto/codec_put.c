/* Frames to bytes, and bytes of a referral to fewer: see codec.h.
 *
 * A referral's own bytes are never unpacked and packed here: they are the sender's, and what
 * the evidence covers. */
#include <string.h>

#include "proto/codec.h"
#include "proto/catalog.h"
#include "proto/frame.h"
#include "proto/wire.h"

/* Fields of the .proto files that are written by hand here. */
enum {
	FRAME_REQUEST_ID = 1,
	FRAME_SUBMIT = 4,
	FRAME_DELIVERY = 7,
	SUBMIT_REFERRAL = 1,
	DELIVERY_REFERRAL = 11,
	REFERRAL_ENVELOPE = 1,
	REFERRAL_NARRATIVE = 2,
	ENVELOPE_SUBJECT_TOKENS = 11,
	NARRATIVE_RECIPIENTS = 3,
};

/* Room for a frame of len bytes with its header written; *at is where the payload goes.  The
 * caller commits *whole bytes when it has filled it. */
static enum ieum_err begin(struct buf *out, size_t len, uint8_t **at, size_t *whole)
{
	if (len > UINT32_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	*whole = frame_header_size((uint32_t)len) + len;
	if (*whole > out->max - buf_len(out))
		return IEUM_E_FIELD_TOO_LARGE;
	*at = buf_reserve(out, *whole);
	if (!*at)
		return IEUM_E_NO_MEMORY;
	*at += frame_header_put(*at, (uint32_t)len);
	return IEUM_E_OK;
}

enum ieum_err codec_put(struct buf *out, const Ieum__V1__Frame *frame)
{
	uint8_t *at;
	size_t whole;
	enum ieum_err err = begin(out, ieum__v1__frame__get_packed_size(frame), &at, &whole);

	if (err)
		return err;
	ieum__v1__frame__pack(frame, at);
	buf_commit(out, whole);
	return IEUM_E_OK;
}

enum ieum_err codec_put_submit(struct buf *out, uint64_t request_id, const uint8_t *referral,
			       size_t referral_len)
{
	uint64_t tag = FRAME_REQUEST_ID << WIRE_TYPE_BITS | WIRE_VARINT;
	size_t submit = wire_head_size(SUBMIT_REFERRAL, referral_len) + referral_len;
	size_t id = wire_varint_size(tag) + wire_varint_size(request_id);
	uint8_t *at;
	size_t whole;
	enum ieum_err err =
		begin(out, id + wire_head_size(FRAME_SUBMIT, submit) + submit, &at, &whole);

	if (err)
		return err;
	at = wire_put_varint(at, tag);
	at = wire_put_varint(at, request_id);
	at = wire_put_head(at, FRAME_SUBMIT, submit);
	at = wire_put_head(at, SUBMIT_REFERRAL, referral_len);
	memcpy(at, referral, referral_len);
	buf_commit(out, whole);
	return IEUM_E_OK;
}

enum ieum_err codec_put_delivery(struct buf *out, const Ieum__V1__Delivery *head,
				 const uint8_t *referral, size_t referral_len)
{
	/* In the order of the fields' numbers: these two come behind the referral. */
	Ieum__V1__Delivery before = *head, behind = IEUM__V1__DELIVERY__INIT;

	behind.drill = head->drill;
	behind.urgency = head->urgency;
	before.drill = false;
	before.urgency = IEUM__V1__URGENCY__URGENCY_UNSPECIFIED;
	size_t head_len = ieum__v1__delivery__get_packed_size(&before);
	size_t delivery = head_len + wire_head_size(DELIVERY_REFERRAL, referral_len) +
			  referral_len + ieum__v1__delivery__get_packed_size(&behind);
	uint8_t *at;
	size_t whole;
	enum ieum_err err =
		begin(out, wire_head_size(FRAME_DELIVERY, delivery) + delivery, &at, &whole);

	if (err)
		return err;
	at = wire_put_head(at, FRAME_DELIVERY, delivery);
	at += ieum__v1__delivery__pack(&before, at);
	at = wire_put_head(at, DELIVERY_REFERRAL, referral_len);
	memcpy(at, referral, referral_len);
	(void)ieum__v1__delivery__pack(&behind, at + referral_len);
	buf_commit(out, whole);
	return IEUM_E_OK;
}

enum ieum_err codec_put_error(struct buf *out, uint64_t request_id, enum ieum_err code,
			      const char *detail, uint32_t retry_after_ms,
			      const uint8_t *message_id)
{
	const struct ieum_error_row *row = ieum_error((int)code);
	Ieum__V1__Error error = IEUM__V1__ERROR__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	/* protobuf-c's structs know no const; packing only reads. */
	error.code = (uint32_t)row->number;
	error.name = (char *)row->name;
	error.detail = (char *)(detail ? detail : "");
	error.text_en = (char *)row->text;
	error.text_ko = (char *)catalog_text(WORDS_KO, row->text);
	error.retry_after_ms = retry_after_ms;
	error.fault = (char *)ieum_fault_name(row->fault);
	if (message_id) {
		error.message_id.data = (uint8_t *)message_id;
		error.message_id.len = CODEC_ID_BYTES;
	}
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_ERROR;
	frame.error = &error;
	return codec_put(out, &frame);
}

/* ---- what a reader may see of a referral ---- */

/* A part without recipients is for everyone. */
static enum ieum_err is_for_reader(const struct wire_field *part, const struct codec_reader *reader,
				   bool *yes)
{
	const uint8_t *at = part->bytes, *end = part->bytes + part->len;
	bool anyone = true;

	*yes = false;
	while (at < end) {
		struct wire_field f;

		at = wire_field(at, end, &f);
		if (!at)
			return IEUM_E_FRAME_MALFORMED;
		if (f.number != NARRATIVE_RECIPIENTS || f.type != WIRE_BYTES)
			continue;
		anyone = false;
		if (reader->is_reader(reader->ctx, (const char *)f.bytes, f.len)) {
			*yes = true;
			return IEUM_E_OK;
		}
	}
	*yes = anyone;
	return IEUM_E_OK;
}

/* What of a message's bytes stays, counted, and copied where there is room for it. */
struct kept {
	uint8_t *to; /* NULL: only counted */
	size_t len;
};

static void keep(struct kept *k, const uint8_t *from, size_t n)
{
	if (k->to)
		memcpy(k->to + k->len, from, n);
	k->len += n;
}

/* Tokens are for the hub to compare; whoever holds the key that they were made with could find out
 * by them whom a message without a name is about. */
static enum ieum_err keep_without_tokens(const struct wire_field *envelope, struct kept *k)
{
	const uint8_t *at = envelope->bytes, *end = envelope->bytes + envelope->len;

	while (at < end) {
		const uint8_t *from = at;
		struct wire_field f;

		at = wire_field(at, end, &f);
		if (!at)
			return IEUM_E_FRAME_MALFORMED;
		if (f.number != ENVELOPE_SUBJECT_TOKENS)
			keep(k, from, (size_t)(at - from));
	}
	return IEUM_E_OK;
}

static enum ieum_err keep_envelope(const struct wire_field *f, struct kept *k)
{
	struct kept inner = { 0 };
	enum ieum_err err = keep_without_tokens(f, &inner);

	if (k->to)
		(void)wire_put_head(k->to + k->len, f->number, inner.len);
	k->len += wire_head_size(f->number, inner.len);
	return err ? err : keep_without_tokens(f, k);
}

/* Goes over the referral's fields. */
static enum ieum_err keep_readable(const uint8_t *referral, size_t n,
				   const struct codec_reader *reader, struct kept *k)
{
	const uint8_t *at = referral, *end = referral + n;
	enum ieum_err err = IEUM_E_OK;

	while (at < end && !err) {
		const uint8_t *from = at;
		struct wire_field f;
		bool whole = true;

		at = wire_field(at, end, &f);
		if (!at)
			return IEUM_E_FRAME_MALFORMED;
		if (f.number == REFERRAL_NARRATIVE && f.type == WIRE_BYTES) {
			err = is_for_reader(&f, reader, &whole);
		} else if (f.number == REFERRAL_ENVELOPE && f.type == WIRE_BYTES &&
			   !reader->is_sender) {
			whole = false;
			err = keep_envelope(&f, k);
		}
		if (whole)
			keep(k, from, (size_t)(at - from));
	}
	return err;
}

enum ieum_err codec_filter_referral(const uint8_t *referral, size_t len,
				    const struct codec_reader *reader, struct arena *arena,
				    const uint8_t **filtered, size_t *filtered_len)
{
	struct kept k = { 0 };
	enum ieum_err err = keep_readable(referral, len, reader, &k);

	*filtered = referral;
	*filtered_len = k.len;
	if (err || k.len == len)
		return err;
	k.to = arena_alloc(arena, k.len);
	if (!k.to)
		return IEUM_E_NO_MEMORY;
	*filtered = k.to;
	k.len = 0;
	return keep_readable(referral, len, reader, &k);
}
