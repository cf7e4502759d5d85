/* What bytes on a connection mean, as tests/vectors/frames.json says it.  For the program that makes
 * that file and the test that holds it. */
#ifndef IEUM_TESTS_VECTORS_FRAMES_H
#define IEUM_TESTS_VECTORS_FRAMES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/codec.h"

enum { FRAMES_LIMIT_BYTES = 1024 * 1024 }; /* before Welcome has told of another */

/* An object of
 *   frames   of each whole frame: {"frame": its JSON by protobuf's own mapping}, or of one that is
 *            refused {"error": NAME, "detail": where, why}
 *   missing  bytes that are wanted at least before there is another one; left out when 0
 *   ends     NAME of the error after which the stream can't be read further
 * NULL: no memory.  The caller's. */
json_t *frames_meaning(const uint8_t *bytes, size_t n, enum codec_from from);

/* Bytes of hexadecimal text, the caller's; NULL when it is none.  And the reverse. */
uint8_t *frames_unhex(const char *text, size_t *n);
json_t *frames_hex(const uint8_t *bytes, size_t n);

#endif
