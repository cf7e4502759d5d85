/* Protobuf's wire format: https://protobuf.dev/programming-guides/encoding/
 *
 * Everything but groups, which proto3 has not.  ieum's schema has no fixed-width fields
 * either; they are read so that an unknown one can be named.  Inline: this is the innermost
 * loop of both sides. */
#ifndef IEUM_PROTO_WIRE_H
#define IEUM_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
	WIRE_TYPE_BITS = 3,
	WIRE_VARINT_MAX_BYTES = 10,
	WIRE_NUMBER_MAX = (1 << 29) - 1, /* of a field */
};

/* One field as it stands on the wire. */
struct wire_field {
	uint32_t number;
	unsigned type;
	uint64_t value;       /* of a varint */
	const uint8_t *bytes; /* of everything else */
	size_t len;
};

/* Where the varint at `at` ends; NULL when it is cut off or over 64 bits. */
static inline const uint8_t *wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
	uint64_t sum = 0;

	if (at < end && *at < 0x80) {
		*value = *at;
		return at + 1;
	}
	for (unsigned i = 0; i < WIRE_VARINT_MAX_BYTES && at < end; i++) {
		uint8_t byte = *at++;
		if (i == WIRE_VARINT_MAX_BYTES - 1 && byte > 1)
			return NULL;
		sum |= (uint64_t)(byte & 0x7F) << (7 * i);
		if (!(byte & 0x80)) {
			*value = sum;
			return at;
		}
	}
	return NULL;
}

/* Where the field at `at` (before `end`) ends; NULL when it is none. */
static inline const uint8_t *wire_field(const uint8_t *at, const uint8_t *end, struct wire_field *f)
{
	uint64_t tag, len;

	*f = (struct wire_field){ 0 };
	at = wire_varint(at, end, &tag);
	if (!at || tag >> WIRE_TYPE_BITS == 0 || tag >> WIRE_TYPE_BITS > WIRE_NUMBER_MAX)
		return NULL;
	f->number = (uint32_t)(tag >> WIRE_TYPE_BITS);
	f->type = (unsigned)tag & ((1 << WIRE_TYPE_BITS) - 1);
	if (f->type == WIRE_VARINT)
		return wire_varint(at, end, &f->value);
	if (f->type == WIRE_BYTES)
		at = wire_varint(at, end, &len);
	else if (f->type == WIRE_FIXED64 || f->type == WIRE_FIXED32)
		len = f->type == WIRE_FIXED64 ? 8 : 4;
	else
		return NULL;
	if (!at || len > (uint64_t)(end - at))
		return NULL;
	f->bytes = at;
	f->len = (size_t)len;
	return at + len;
}

static inline size_t wire_varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

/* Writes a varint; returns where it ends. */
static inline uint8_t *wire_put_varint(uint8_t *to, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (uint8_t)(value | 0x80);
	*to++ = (uint8_t)value;
	return to;
}

/* Writes the head of a length-prefixed field; its bytes follow. */
static inline uint8_t *wire_put_head(uint8_t *to, uint32_t number, size_t len)
{
	to = wire_put_varint(to, (uint64_t)number << WIRE_TYPE_BITS | WIRE_BYTES);
	return wire_put_varint(to, len);
}

static inline size_t wire_head_size(uint32_t number, size_t len)
{
	return wire_varint_size((uint64_t)number << WIRE_TYPE_BITS) + wire_varint_size(len);
}

#endif
