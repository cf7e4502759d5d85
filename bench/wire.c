/* Template frames and a skimming reader; see wire.h. */
#include "bench/wire.h"

#include <stdlib.h>
#include <string.h>

#include "ieum/v1/frame.pb-c.h"
#include "proto/codec.h"

enum {
	FIELD_REQUEST_ID = 1,
	REQUEST_ID_BYTES = 5, /* a varint padded to a fixed width */
};

static void put_fixed_varint(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < REQUEST_ID_BYTES; i++)
		to[i] = (uint8_t)((v >> (7 * i) & 0x7f) | (i < REQUEST_ID_BYTES - 1 ? 0x80 : 0));
}

static size_t put_varint(uint8_t *to, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

/* Letters only: digits could look like a number the hub refuses. */
static void put_letters(uint8_t *to, uint64_t v)
{
	for (int i = 0; i < 16; i++, v >>= 4)
		to[i] = (uint8_t)('a' + (v & 15));
}

static uint64_t get_letters(const uint8_t *from)
{
	uint64_t v = 0;

	for (int i = 15; i >= 0; i--)
		v = v << 4 | ((uint64_t)(from[i] - 'a') & 15);
	return v;
}

/* Packs the referral once with values that are easy to find again. */
static size_t pack_referral(uint8_t **out, const char *addressee, const uint8_t *case_id,
			    uint8_t *narrative, size_t narrative_len, uint8_t *message_id)
{
	Ieum__V1__LegalBasis basis = IEUM__V1__LEGAL_BASIS__INIT;
	Ieum__V1__Addressee to = IEUM__V1__ADDRESSEE__INIT;
	Ieum__V1__Addressee *tos[] = { &to };
	Ieum__V1__Envelope envelope = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__ServiceReport report = IEUM__V1__SERVICE_REPORT__INIT;
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT;
	Ieum__V1__NarrativePart *parts[] = { &part };
	Ieum__V1__Referral referral = IEUM__V1__REFERRAL__INIT;

	basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	basis.article = (char *)"load test";
	to.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	to.participant = (char *)addressee;
	envelope.message_id = (ProtobufCBinaryData){ WIRE_ID_BYTES, message_id };
	envelope.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT;
	if (case_id) {
		envelope.case_id = (ProtobufCBinaryData){ WIRE_ID_BYTES, (uint8_t *)case_id };
	} else {
		envelope.open_case = true;
		envelope.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
	}
	envelope.urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE;
	envelope.legal_basis = &basis;
	envelope.addressees = tos;
	envelope.n_addressees = 1;
	report.domain = (char *)"care";
	report.outcome = IEUM__V1__OUTCOME__OUTCOME_PROVIDED;
	part.media_type = (char *)"text/plain";
	part.language = (char *)"ko";
	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	part.clear = (ProtobufCBinaryData){ narrative_len, narrative };
	referral.envelope = &envelope;
	referral.narrative = parts;
	referral.n_narrative = 1;
	referral.body_case = IEUM__V1__REFERRAL__BODY_SERVICE_REPORT;
	referral.service_report = &report;
	size_t n = ieum__v1__referral__get_packed_size(&referral);
	*out = malloc(n);
	return *out ? ieum__v1__referral__pack(&referral, *out) : 0;
}

enum ieum_err wire_submit_init(struct wire_submit *w, const char *addressee, const uint8_t *case_id,
			       size_t payload_bytes)
{
	uint8_t message_id[WIRE_ID_BYTES];
	uint8_t head[64];
	uint8_t *narrative = malloc(payload_bytes);
	uint8_t *referral = NULL;
	enum ieum_err err = IEUM_E_NO_MEMORY;

	*w = (struct wire_submit){ 0 };
	if (!narrative)
		return err;
	memset(narrative, 'q', payload_bytes);
	memset(message_id, 0xA5, sizeof message_id);
	size_t n =
		pack_referral(&referral, addressee, case_id, narrative, payload_bytes, message_id);
	if (n == 0)
		goto out;

	/* Frame { request_id = 1; submit = 4 { referral = 1 } } */
	uint8_t inner[16];
	size_t inner_len = 0;
	inner[inner_len++] = 1 << 3 | 2;
	inner_len += put_varint(inner + inner_len, n);
	size_t at = FRAME_HEADER_MAX_BYTES;
	head[at++] = FIELD_REQUEST_ID << 3;
	w->request_id_at = at;
	at += REQUEST_ID_BYTES;
	head[at++] = 4 << 3 | 2;
	at += put_varint(head + at, inner_len + n);
	memcpy(head + at, inner, inner_len);
	at += inner_len;

	uint8_t header[FRAME_HEADER_MAX_BYTES];
	size_t header_len = frame_header_put(header, (uint32_t)(at - FRAME_HEADER_MAX_BYTES + n));
	w->len = header_len + at - FRAME_HEADER_MAX_BYTES + n;
	w->frame = malloc(w->len);
	if (!w->frame)
		goto out;
	memcpy(w->frame, header, header_len);
	memcpy(w->frame + header_len, head + FRAME_HEADER_MAX_BYTES, at - FRAME_HEADER_MAX_BYTES);
	memcpy(w->frame + w->len - n, referral, n);
	w->request_id_at = w->request_id_at - FRAME_HEADER_MAX_BYTES + header_len;
	w->message_id_at =
		(size_t)((uint8_t *)memmem(w->frame, w->len, message_id, sizeof message_id) -
			 w->frame);
	w->narrative_at =
		(size_t)((uint8_t *)memmem(w->frame, w->len, narrative, payload_bytes) - w->frame);
	err = IEUM_E_OK;
out:
	free(narrative);
	free(referral);
	return err;
}

void wire_submit_deinit(struct wire_submit *w)
{
	free(w->frame);
	*w = (struct wire_submit){ 0 };
}

enum ieum_err wire_submit_put(struct wire_submit *w, uint32_t request_id, const uint8_t *message_id,
			      const struct wire_stamp *stamp, struct buf *out)
{
	uint8_t *to = buf_reserve(out, w->len);

	if (!to)
		return IEUM_E_FIELD_TOO_LARGE;
	memcpy(to, w->frame, w->len);
	put_fixed_varint(to + w->request_id_at, request_id);
	memcpy(to + w->message_id_at, message_id, WIRE_ID_BYTES);
	put_letters(to + w->narrative_at, stamp->publisher);
	put_letters(to + w->narrative_at + 16, stamp->sequence);
	put_letters(to + w->narrative_at + 32, (uint64_t)stamp->sent_ns);
	put_letters(to + w->narrative_at + 48, stamp->run);
	buf_commit(out, w->len);
	return IEUM_E_OK;
}

bool wire_stamp_read(const uint8_t *narrative, size_t len, struct wire_stamp *stamp)
{
	if (len < WIRE_STAMP_BYTES)
		return false;
	for (int i = 0; i < WIRE_STAMP_BYTES; i++) {
		if (narrative[i] < 'a' || narrative[i] > 'p')
			return false;
	}
	stamp->publisher = (uint32_t)get_letters(narrative);
	stamp->sequence = get_letters(narrative + 16);
	stamp->sent_ns = (int64_t)get_letters(narrative + 32);
	stamp->run = get_letters(narrative + 48);
	return true;
}

/* ---- skimming ---- */

struct field {
	uint32_t number;
	uint64_t value;       /* of a varint */
	const uint8_t *bytes; /* of a length-delimited field */
	size_t len;
};

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;
		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool next_field(const uint8_t **at, const uint8_t *end, struct field *f)
{
	uint64_t key = 0;

	*f = (struct field){ 0 };
	if (!read_varint(at, end, &key) || !read_varint(at, end, &f->value))
		return false;
	f->number = (uint32_t)(key >> 3);
	if ((key & 7) == 0)
		return true;
	if ((key & 7) != 2 || f->value > (uint64_t)(end - *at))
		return false;
	f->bytes = *at;
	f->len = (size_t)f->value;
	*at += f->len;
	return true;
}

/* The last occurrence of a field; fields that are not there leave *out empty. */
static bool find_field(const uint8_t *bytes, size_t len, uint32_t number, struct field *out)
{
	const uint8_t *at = bytes;
	struct field f;

	*out = (struct field){ 0 };
	while (at < bytes + len) {
		if (!next_field(&at, bytes + len, &f))
			return false;
		if (f.number == number) {
			*out = f;
			return true;
		}
	}
	return false;
}

static bool read_delivery(struct wire_frame *out)
{
	struct field id;
	struct field referral;
	struct field part;
	struct field clear;

	if (!find_field(out->body, out->body_len, 1, &id) ||
	    !find_field(out->body, out->body_len, 11, &referral))
		return false;
	out->delivery_id = id.value;
	if (find_field(referral.bytes, referral.len, 2, &part) &&
	    find_field(part.bytes, part.len, 5, &clear)) {
		out->narrative = clear.bytes;
		out->narrative_len = clear.len;
	}
	return true;
}

bool wire_read(const uint8_t *payload, size_t len, struct wire_frame *out)
{
	const uint8_t *at = payload;
	struct field f;

	*out = (struct wire_frame){ 0 };
	while (at < payload + len) {
		if (!next_field(&at, payload + len, &f))
			return false;
		if (f.number == FIELD_REQUEST_ID) {
			out->request_id = f.value;
			continue;
		}
		out->body = f.bytes;
		out->body_len = f.len;
		switch (f.number) {
		case 3: out->kind = WIRE_WELCOME; break;
		case 5: out->kind = WIRE_RECEIPT; break;
		case 7: out->kind = WIRE_DELIVERY; break;
		case 9: out->kind = WIRE_SETTLED; break;
		case 13: out->kind = WIRE_PONG; break;
		case 14: out->kind = WIRE_ERROR; break;
		default: break;
		}
	}
	if (out->kind == WIRE_DELIVERY)
		return read_delivery(out);
	if (out->kind == WIRE_SETTLED && find_field(out->body, out->body_len, 1, &f))
		out->through_request_id = f.value;
	return out->body != NULL || out->kind != WIRE_OTHER;
}

enum ieum_err wire_settle_put(struct buf *out, uint32_t request_id, const uint64_t *done, size_t n)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	settle.done = (uint64_t *)done;
	settle.n_done = n;
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	return codec_put(out, &frame);
}
