/* UUID version 7 (RFC 9562): a number that is unique and sorts by time.
 *
 * 48 bits of Unix milliseconds, 12 bits that count within the millisecond (RFC 9562, 6.2,
 * method 1, started at random), 62 random bits.  Ids of one source strictly increase, also when
 * the clock stands still or is set back. */
#ifndef IEUM_PROTO_UUID7_H
#define IEUM_PROTO_UUID7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	UUID_BYTES = 16,
	UUID_TEXT_BYTES = 37, /* 36 characters and NUL */
	UUID7_POOL_BYTES = 512,
};

/* One owner at a time; a zeroed one is ready.  Not to be used on both sides of a fork. */
struct uuid7_source {
	uint64_t last_ms;
	uint32_t counter;
	size_t pool_left;
	uint8_t pool[UUID7_POOL_BYTES]; /* random bytes not used yet, at the end */
};

/* The next id at the given time.  INTERNAL when the system gives no random bytes, FIELD_INVALID
 * when the time doesn't fit into 48 bits. */
enum ieum_err uuid7_next(struct uuid7_source *source, uint64_t unix_ms,
			 uint8_t out[UUID_BYTES]) IEUM_MUST_CHECK;

/* The next id of this process, by the system's clock; any thread. */
enum ieum_err uuid7_make(uint8_t out[UUID_BYTES]) IEUM_MUST_CHECK;

/* Is it 16 bytes with version 7 and the RFC's variant?  Says nothing about its time. */
bool uuid7_valid(const uint8_t *id, size_t n);

/* Unix milliseconds of a valid id. */
uint64_t uuid7_ms(const uint8_t id[UUID_BYTES]);

/* Any UUID as "0192f5d4-7c1e-7a3b-9c4d-0123456789ab", lower case. */
void uuid_format(const uint8_t id[UUID_BYTES], char out[UUID_TEXT_BYTES]);

/* The reverse, either case, with the four dashes; nothing before or after. */
bool uuid_parse(const char *text, uint8_t out[UUID_BYTES]);

#endif
