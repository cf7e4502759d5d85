/* Delimited frames; see frame.h. */
#include "proto/frame.h"

enum {
	VARINT_BITS = 7,
	VARINT_MORE = 0x80,
	VARINT_LAST_MAX = 0x0f, /* what a fifth byte may hold of a 32-bit length */
};

/* Bytes of the header, 0 when it is incomplete, or an error. */
static enum ieum_err read_length(const uint8_t *bytes, size_t n, uint32_t *length, size_t *header)
{
	uint32_t value = 0;

	*header = 0;
	for (unsigned i = 0; i < n && i < FRAME_HEADER_MAX_BYTES; i++) {
		if (i == FRAME_HEADER_MAX_BYTES - 1 && bytes[i] > VARINT_LAST_MAX)
			return IEUM_E_FRAME_MALFORMED;
		value |= (uint32_t)(bytes[i] & (VARINT_MORE - 1)) << (VARINT_BITS * i);
		if (!(bytes[i] & VARINT_MORE)) {
			*length = value;
			*header = i + 1;
			return value ? IEUM_E_OK : IEUM_E_FRAME_MALFORMED;
		}
	}
	return IEUM_E_OK;
}

enum ieum_err frame_next(const uint8_t *bytes, size_t n, size_t max_frame_bytes,
			 struct frame_view *view)
{
	uint32_t length = 0;
	size_t header = 0;

	*view = (struct frame_view){ 0 };
	enum ieum_err err = read_length(bytes, n, &length, &header);
	if (err)
		return err;
	if (header == 0) {
		view->missing = 1;
		return IEUM_E_OK;
	}
	if (length > max_frame_bytes)
		return IEUM_E_FRAME_TOO_LARGE;
	view->len = length;
	if (n - header < length) {
		view->missing = length - (n - header);
		return IEUM_E_OK;
	}
	view->payload = bytes + header;
	view->consumed = header + length;
	return IEUM_E_OK;
}

size_t frame_header_size(uint32_t len)
{
	size_t size = 1;

	for (; len >= VARINT_MORE; len >>= VARINT_BITS)
		size++;
	return size;
}

size_t frame_header_put(uint8_t *to, uint32_t len)
{
	size_t size = 0;

	for (; len >= VARINT_MORE; len >>= VARINT_BITS)
		to[size++] = (uint8_t)(len | VARINT_MORE);
	to[size++] = (uint8_t)len;
	return size;
}
