/* SHA-256 of bytes that lie in one piece.  Any thread. */
#ifndef IEUM_PROTO_SHA256_H
#define IEUM_PROTO_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

/* False: out of memory. */
bool sha256(const uint8_t *bytes, size_t len, uint8_t digest[SHA256_BYTES]);

#endif
