/* Any protobuf message as JSON, and YAML or JSON as any protobuf message, by its descriptor.
 *
 * The mapping (both ways, where not said otherwise):
 *   field names     as in the .proto (snake_case), on reading lowerCamelCase too; a oneof shows as
 *                   the field that is set
 *   absent          an unset optional field, an unset oneof, an empty repeated field, and a
 *                   plain proto3 scalar that has its default value: left out in JSON
 *   integers        JSON numbers, 64 bits too.  This differs from protobuf's own JSON mapping,
 *                   which writes int64 as strings: our readers (jq, Python, this project) hold
 *                   64 bits.  A uint64 above INT64_MAX is an error when writing.
 *   enums           the value's short word: the name without the enum's prefix, in lower case
 *                   (MESSAGE_TYPE_REPORT_RECEIVED: "report_received").  On reading the full
 *                   name and the number of a known value are accepted too.  A number that has
 *                   no name is written as the number.
 *   bytes           UUIDs in fields whose name is or ends in "id" or "ids", and in in_reply_to,
 *                   supersedes and incarnation: UUID text when 16 bytes long.  Every other, and an id of another
 *                   length, is base64 (with padding).  Reading an id field takes either form;
 *                   reading any bytes also takes {text: "…"} (its UTF-8 bytes) and {hex: "00ff"}
 *   "…_at_ms/_us"   milliseconds or microseconds since 1970 UTC; written as RFC 3339 text if
 *                   asked for, and read as number or RFC 3339 text
 *   other "…_ms"    a duration; a number, or on reading also a text such as "3 d" (a unit of
 *                   fixed length)
 *   float, double   numbers; not a number and infinity are errors
 *   nested, repeated  objects and arrays
 *
 * Protobuf's own JSON mapping (style.canonical; pbmap_from_json() reads both) differs: names in
 * lowerCamelCase, 64-bit integers as strings, an enum's value by its full name, bytes always base64.
 * Reading also takes base64 of the URL alphabet and without padding, a whole number as a string, and
 * null for a field that isn't set; no integer above INT64_MAX.
 *
 * Unknown fields kept by protobuf-c are not shown.  Extensions, groups and maps do not occur
 * in ieum.
 *
 * No state; any thread. */
#ifndef IEUM_PROTO_PBMAP_H
#define IEUM_PROTO_PBMAP_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"
#include "yaml/yaml_doc.h"

enum {
	PBMAP_DEPTH_MAX = 24,       /* messages inside one another */
	PBMAP_REPEATED_MAX = 65536, /* items of one repeated field, on reading */
	PBMAP_WORD_BYTES = 64,      /* longest short enum word, NUL included */
	PBMAP_WHY_BYTES = 512,
};

struct pbmap_style {
	bool times_as_text; /* …_at_ms and …_at_us as RFC 3339 */
	int offset_min;     /* of those texts, minutes east of UTC: 540 in Korea */
	bool defaults;  /* also plain scalars with their default value and empty repeated fields */
	bool canonical; /* protobuf's own mapping; times are never texts then */
};

/* `style` may be NULL: all numbers, no defaults.  The caller owns *out (json_decref).
 * FIELD_INVALID for what JSON can't hold, TEXT_INVALID for text that is not UTF-8, NO_MEMORY. */
enum ieum_err pbmap_to_json(const ProtobufCMessage *message, const struct pbmap_style *style,
			    json_t **out) IEUM_MUST_CHECK;

/* Builds a message from a map node.  Strict: an unknown field, a wrong type, a number out of
 * range, an unknown enum word or two cases of one oneof is a mistake in `diag` with its line;
 * then FILE_INVALID.  `allocator` as in protobuf-c (NULL: malloc); the caller frees *out by
 * protobuf_c_message_free_unpacked(*out, allocator).  Required submessages, sizes and the like
 * are the codec's matter. */
enum ieum_err pbmap_from_yaml(const struct yaml_node *node, const ProtobufCMessageDescriptor *type,
			      ProtobufCAllocator *allocator, struct yaml_diag *diag,
			      ProtobufCMessage **out) IEUM_MUST_CHECK;

/* Names that a file may use where it doesn't know the value: asked when a text is no UUID (ids;
 * before base64 is tried), or no number and no RFC 3339 text (times).  Either may be NULL. */
struct pbmap_names {
	void *context;
	bool (*id_cb)(void *context, const char *text, uint8_t id[16]);
	bool (*time_cb)(void *context, const char *text, int64_t *unix_us);
};

/* pbmap_from_yaml() with names; `names` may be NULL. */
enum ieum_err pbmap_from_yaml_named(const struct yaml_node *node,
				    const ProtobufCMessageDescriptor *type,
				    ProtobufCAllocator *allocator, const struct pbmap_names *names,
				    struct yaml_diag *diag, ProtobufCMessage **out) IEUM_MUST_CHECK;

/* The same from a text, YAML or JSON; `name` stands for the file in mistakes. */
enum ieum_err pbmap_from_text(const char *name, const void *bytes, size_t n,
			      const ProtobufCMessageDescriptor *type, ProtobufCAllocator *allocator,
			      struct yaml_diag *diag, ProtobufCMessage **out) IEUM_MUST_CHECK;

/* Builds a message from JSON of either mapping, as strictly.  FILE_INVALID with the first mistake in
 * `why`, the field's path first: "envelope.urgency: 'urgnt' is no Urgency; did you mean 'urgent'?".
 * The caller frees *out by protobuf_c_message_free_unpacked(*out, NULL). */
enum ieum_err pbmap_from_json(const json_t *json, const ProtobufCMessageDescriptor *type,
			      char why[PBMAP_WHY_BYTES], ProtobufCMessage **out) IEUM_MUST_CHECK;

/* The short word of an enum value; false (and the number in `out`) when the value has no name. */
bool pbmap_enum_word(const ProtobufCEnumDescriptor *type, int value, char out[PBMAP_WORD_BYTES]);

/* "message_id" as "messageId", the name of protobuf's own JSON mapping. */
void pbmap_json_name(const char *name, char out[PBMAP_WORD_BYTES]);

/* The value of a short word or full name; numbers are not taken here. */
bool pbmap_enum_value(const ProtobufCEnumDescriptor *type, const char *word, int *value);

#endif
