/* What the two halves of pbmap share: how a field's name decides its form.
 * For pbmap_write.c and pbmap_read.c only. */
#ifndef IEUM_PROTO_PBMAP_RULES_H
#define IEUM_PROTO_PBMAP_RULES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

enum pbmap_time {
	PBMAP_NO_TIME,
	PBMAP_AT_MS, /* milliseconds since 1970 */
	PBMAP_AT_US,
	PBMAP_SPAN_MS, /* a duration */
};

enum pbmap_time pbmap_time_rule(const ProtobufCFieldDescriptor *field);

bool pbmap_holds_ids(const ProtobufCFieldDescriptor *field);

/* Bytes of one value in memory: of the member, or of an item of a repeated field. */
size_t pbmap_value_size(ProtobufCType type);

#endif
