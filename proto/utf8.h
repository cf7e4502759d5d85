/* Is this text?  Well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing above
 * U+10FFFF) without NUL, which would end it early for every reader in C.
 *
 * Own code because every text of every message passes through it: ASCII goes eight bytes at a
 * time, and NUL is looked for in the same pass.  Allocates nothing; any thread. */
#ifndef IEUM_PROTO_UTF8_H
#define IEUM_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_text_valid(const uint8_t *text, size_t n);

#endif
