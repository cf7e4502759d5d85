/* Keys that were wrapped later, put into the sealed parts of a referral's bytes.  Nothing is
 * unpacked: what isn't changed is copied as it came. */
#include <string.h>

#include "proto/codec.h"
#include "proto/wire.h"

enum {
	REFERRAL_NARRATIVE = 2,
	NARRATIVE_SEALED = 6,
	NARRATIVE_NUMBER = 7,
};

/* A narrative part as it stands on the wire. */
struct part {
	struct wire_field field;
	struct wire_field sealed; /* bytes NULL: it is clear */
	uint64_t number;
};

static enum ieum_err read_part(const struct wire_field *field, struct part *to)
{
	const uint8_t *at = field->bytes, *end = field->bytes + field->len;

	*to = (struct part){ .field = *field };
	while (at < end) {
		struct wire_field f;

		at = wire_field(at, end, &f);
		if (!at)
			return IEUM_E_FRAME_MALFORMED;
		if (f.number == NARRATIVE_SEALED && f.type == WIRE_BYTES)
			to->sealed = f;
		else if (f.number == NARRATIVE_NUMBER && f.type == WIRE_VARINT)
			to->number = f.value;
	}
	return IEUM_E_OK;
}

static enum ieum_err put_field(struct buf *out, uint32_t number, const uint8_t *bytes, size_t n)
{
	uint8_t *at = buf_reserve(out, wire_head_size(number, n) + n);

	if (!at)
		return IEUM_E_FIELD_TOO_LARGE;
	buf_commit(out, wire_head_size(number, n) + n);
	memcpy(wire_put_head(at, number, n), bytes, n);
	return IEUM_E_OK;
}

/* The part with another content in the place of the one it has. */
static enum ieum_err put_part(const struct part *p, const struct buf *cms, struct buf *out)
{
	const uint8_t *at = p->field.bytes, *end = p->field.bytes + p->field.len;
	struct buf inner;
	enum ieum_err err = IEUM_E_OK;

	buf_init(&inner, out->max);
	while (at < end && !err) {
		const uint8_t *from = at;
		struct wire_field f;

		at = wire_field(at, end, &f);
		if (f.bytes == p->sealed.bytes && f.number == NARRATIVE_SEALED)
			err = put_field(&inner, NARRATIVE_SEALED, buf_bytes(cms), buf_len(cms));
		else
			err = buf_append(&inner, from, (size_t)(at - from));
	}
	if (!err)
		err = put_field(out, REFERRAL_NARRATIVE, buf_bytes(&inner), buf_len(&inner));
	buf_release(&inner);
	return err;
}

static enum ieum_err splice_part(const struct part *p, const struct codec_key *keys, size_t n,
				 struct buf *out)
{
	struct seal_bytes infos[SEAL_RECIPIENTS_MAX];
	size_t n_infos = 0;
	struct buf cms;

	for (size_t i = 0; i < n && n_infos < SEAL_RECIPIENTS_MAX; i++)
		if (keys[i].part == p->number)
			infos[n_infos++] = keys[i].info;
	if (n_infos == 0 || !p->sealed.bytes)
		return put_field(out, REFERRAL_NARRATIVE, p->field.bytes, p->field.len);
	buf_init(&cms, out->max);
	enum ieum_err err = seal_splice(p->sealed.bytes, p->sealed.len, infos, n_infos, &cms);
	/* Where nothing can be added, the reader gets the part as it is. */
	if (err == IEUM_E_NOT_SEALED || err == IEUM_E_FIELD_TOO_LARGE)
		err = put_field(out, REFERRAL_NARRATIVE, p->field.bytes, p->field.len);
	else if (!err)
		err = put_part(p, &cms, out);
	buf_release(&cms);
	return err;
}

static enum ieum_err splice_all(const uint8_t *referral, size_t len, const struct codec_key *keys,
				size_t n, struct buf *out)
{
	const uint8_t *at = referral, *end = referral + len;
	enum ieum_err err = IEUM_E_OK;

	while (at < end && !err) {
		const uint8_t *from = at;
		struct wire_field f;
		struct part part;

		at = wire_field(at, end, &f);
		if (!at)
			return IEUM_E_FRAME_MALFORMED;
		if (f.number != REFERRAL_NARRATIVE || f.type != WIRE_BYTES) {
			err = buf_append(out, from, (size_t)(at - from));
			continue;
		}
		err = read_part(&f, &part);
		if (!err)
			err = splice_part(&part, keys, n, out);
	}
	return err;
}

enum ieum_err codec_splice_referral(const uint8_t *referral, size_t len,
				    const struct codec_key *keys, size_t n, struct arena *arena,
				    const uint8_t **spliced, size_t *spliced_len)
{
	struct buf out;

	*spliced = referral;
	*spliced_len = len;
	if (n == 0)
		return IEUM_E_OK;
	buf_init(&out, CODEC_SPLICED_MAX_BYTES);
	enum ieum_err err = splice_all(referral, len, keys, n, &out);
	uint8_t *copy = err ? NULL : arena_copy(arena, buf_bytes(&out), buf_len(&out));
	if (!err && !copy)
		err = IEUM_E_NO_MEMORY;
	if (!err) {
		*spliced = copy;
		*spliced_len = buf_len(&out);
	}
	buf_release(&out);
	return err;
}
