/* Salts for payloads, and the salted hash by which an event covers its payload.
 *
 * Random bytes are drawn from the system in blocks.  The digest is fetched and its context
 * made once: what remains per payload is SHA-256 itself.  One owner. */
#ifndef IEUM_BROKER_SALT_H
#define IEUM_BROKER_SALT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	SALT_BYTES = 16,
	SALT_HASH_BYTES = 32,
	SALT_POOL_BYTES = 4096,
};

struct salt_source;

/* NULL when out of memory or without SHA-256. */
struct salt_source *salt_source_new(void);
void salt_source_free(struct salt_source *s); /* takes NULL */

/* A fresh salt and SHA-256(salt || payload).  INTERNAL when the system gives no random bytes. */
enum ieum_err salt_hash(struct salt_source *s, const uint8_t *payload, size_t len,
			uint8_t salt[SALT_BYTES], uint8_t hash[SALT_HASH_BYTES]) IEUM_MUST_CHECK;

#endif
