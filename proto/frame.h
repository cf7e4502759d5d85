/* Delimited frames: a varint length, then that many bytes of payload.
 *
 * The same bytes as writeDelimitedTo (Java), protodelim (Go) and encodeDelimited
 * (JavaScript).  Works on bytes alone: no allocation, no state, no I/O, any thread.
 * A reader calls frame_next() on whatever it holds, however the input was split.
 *
 * The length is at most FRAME_HEADER_MAX_BYTES long and fits in 32 bits.  A length written
 * with more bytes than it needs is accepted, as protobuf's own readers do: a writer may
 * reserve five bytes and fill them in afterwards.  A length of zero is refused, since an
 * empty ieum.v1.Frame says nothing. */
#ifndef IEUM_PROTO_FRAME_H
#define IEUM_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum { FRAME_HEADER_MAX_BYTES = 5 };

struct frame_view {
	const uint8_t *payload; /* into the caller's bytes; NULL while incomplete */
	size_t len;             /* payload bytes; while incomplete: as announced, 0 unknown */
	size_t consumed;        /* header and payload; 0 while incomplete */
	size_t missing;         /* while incomplete: at least so many bytes more; else 0 */
};

/* Looks at the n bytes for one frame.
 * OK with view->payload set: a whole frame; the next one starts at bytes + consumed.
 * OK with view->payload NULL: not an error, more bytes are needed (view->missing).
 * FRAME_TOO_LARGE: the announced length is over max_frame_bytes (of payload), told as soon
 * as the header is there.  FRAME_MALFORMED: not a length, or zero.  After either the
 * stream cannot be read any further. */
enum ieum_err frame_next(const uint8_t *bytes, size_t n, size_t max_frame_bytes,
			 struct frame_view *view) IEUM_MUST_CHECK;

/* How many bytes the header of a payload of len bytes takes: 1 to 5. */
size_t frame_header_size(uint32_t len);

/* Writes the header, returns its size; `to` has room for FRAME_HEADER_MAX_BYTES. */
size_t frame_header_put(uint8_t *to, uint32_t len);

#endif
