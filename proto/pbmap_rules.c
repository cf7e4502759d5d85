/* Rules of the mapping that go by names; see pbmap.h. */
#include "proto/pbmap_rules.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && memcmp(name + n - m, end, m) == 0;
}

/* "…_end", or the end alone. */
static bool last_word(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return ends_with(name, end) && (n == m || name[n - m - 1] == '_');
}

enum pbmap_time pbmap_time_rule(const ProtobufCFieldDescriptor *field)
{
	if (field->type != PROTOBUF_C_TYPE_INT64 && field->type != PROTOBUF_C_TYPE_UINT64)
		return PBMAP_NO_TIME;
	if (last_word(field->name, "at_ms"))
		return PBMAP_AT_MS;
	if (last_word(field->name, "at_us"))
		return PBMAP_AT_US;
	return last_word(field->name, "ms") ? PBMAP_SPAN_MS : PBMAP_NO_TIME;
}

bool pbmap_holds_ids(const ProtobufCFieldDescriptor *field)
{
	static const char *const others[] = { "in_reply_to", "supersedes", "incarnation" };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (strcmp(field->name, others[i]) == 0)
			return true;
	}
	return last_word(field->name, "id") || last_word(field->name, "ids");
}

void pbmap_json_name(const char *name, char out[PBMAP_WORD_BYTES])
{
	size_t n = 0;

	for (const char *from = name; *from && n < PBMAP_WORD_BYTES - 1; from++) {
		if (*from == '_' && from[1])
			out[n++] = (char)toupper((unsigned char)*++from);
		else
			out[n++] = *from;
	}
	out[n] = '\0';
}

const ProtobufCFieldDescriptor *pbmap_field_named(const ProtobufCMessageDescriptor *type,
						  const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(type, name);
	char json_name[PBMAP_WORD_BYTES];

	for (unsigned i = 0; i < type->n_fields && !field; i++) {
		pbmap_json_name(type->fields[i].name, json_name);
		if (strcmp(json_name, name) == 0)
			field = &type->fields[i];
	}
	return field;
}

size_t pbmap_value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE: return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	default: return sizeof(uint32_t);
	}
}

/* Bytes of the enum's prefix in its values' names: MessageType begins them with MESSAGE_TYPE_; 0
 * when this name doesn't begin so. */
static size_t prefix_len(const ProtobufCEnumDescriptor *type, const char *name)
{
	const char *from = type->short_name;
	size_t n = 0;

	for (size_t i = 0; from[i]; i++) {
		if (i > 0 && isupper((unsigned char)from[i]) &&
		    !isupper((unsigned char)from[i - 1]) && name[n++] != '_')
			return 0;
		if (name[n++] != toupper((unsigned char)from[i]))
			return 0;
	}
	return name[n] == '_' && name[n + 1] ? n + 1 : 0;
}

static void short_word(const ProtobufCEnumDescriptor *type, const char *name,
		       char out[PBMAP_WORD_BYTES])
{
	const char *from = name + prefix_len(type, name);
	size_t i;

	for (i = 0; i < PBMAP_WORD_BYTES - 1 && from[i]; i++)
		out[i] = (char)tolower((unsigned char)from[i]);
	out[i] = '\0';
}

bool pbmap_enum_word(const ProtobufCEnumDescriptor *type, int value, char out[PBMAP_WORD_BYTES])
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

	if (!known) {
		(void)snprintf(out, PBMAP_WORD_BYTES, "%d", value);
		return false;
	}
	short_word(type, known->name, out);
	return true;
}

bool pbmap_enum_value(const ProtobufCEnumDescriptor *type, const char *word, int *value)
{
	const ProtobufCEnumValue *full = protobuf_c_enum_descriptor_get_value_by_name(type, word);

	if (full) {
		*value = full->value;
		return true;
	}
	for (unsigned i = 0; i < type->n_values; i++) {
		char known[PBMAP_WORD_BYTES];

		short_word(type, type->values[i].name, known);
		if (strcmp(known, word) == 0) {
			*value = type->values[i].value;
			return true;
		}
	}
	return false;
}
