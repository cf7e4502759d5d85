/* What the two halves of pbmap share: how a field's name decides its form.
 * For pbmap_*.c only. */
#ifndef IEUM_PROTO_PBMAP_RULES_H
#define IEUM_PROTO_PBMAP_RULES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/pbmap.h"

enum pbmap_time {
	PBMAP_NO_TIME,
	PBMAP_AT_MS, /* milliseconds since 1970 */
	PBMAP_AT_US,
	PBMAP_SPAN_MS, /* a duration */
};

enum pbmap_time pbmap_time_rule(const ProtobufCFieldDescriptor *field);

bool pbmap_holds_ids(const ProtobufCFieldDescriptor *field);

/* By its name in the .proto, or by that of protobuf's own JSON mapping; NULL: there is none. */
const ProtobufCFieldDescriptor *pbmap_field_named(const ProtobufCMessageDescriptor *type,
						  const char *name);

/* Bytes of one value in memory: of the member, or of an item of a repeated field. */
size_t pbmap_value_size(ProtobufCType type);

/* The bytes that a text spells; `to` has room for n.  False: it isn't of that form. */
bool pbmap_hex(const char *text, size_t n, uint8_t *to, size_t *len);
/* RFC 4648, with padding, no spaces. */
bool pbmap_base64(const char *text, size_t n, uint8_t *to, size_t *len);
/* The URL alphabet as well, with or without padding. */
bool pbmap_any_base64(const char *text, size_t n, uint8_t *to, size_t *len);

#endif
