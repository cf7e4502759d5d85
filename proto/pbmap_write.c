/* A protobuf message as JSON; see pbmap.h. */
#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pbmap.h"
#include "proto/pbmap_rules.h"
#include "proto/uuid7.h"
#include "yaml/yaml_value.h"

static enum ieum_err message_json(const ProtobufCMessage *message, const struct pbmap_style *style,
				  int depth, json_t **out);

/* Takes the reference; NULL is the failure of jansson's constructors. */
static enum ieum_err made(json_t *json, json_t **out)
{
	if (!json)
		return IEUM_E_NO_MEMORY;
	*out = json;
	return IEUM_E_OK;
}

static enum ieum_err bytes_json(const ProtobufCFieldDescriptor *field,
				const ProtobufCBinaryData *bytes, const struct pbmap_style *style,
				json_t **out)
{
	if (!style->canonical && bytes->len == UUID_BYTES && pbmap_holds_ids(field)) {
		char text[UUID_TEXT_BYTES];

		uuid_format(bytes->data, text);
		return made(json_string(text), out);
	}
	if (bytes->len > INT32_MAX / 2)
		return IEUM_E_FIELD_TOO_LARGE;
	char *text = malloc((bytes->len + 2) / 3 * 4 + 1);
	if (!text)
		return IEUM_E_NO_MEMORY;
	text[0] = '\0';
	if (bytes->len > 0)
		(void)EVP_EncodeBlock((unsigned char *)text, bytes->data, (int)bytes->len);
	enum ieum_err err = made(json_string(text), out);
	free(text);
	return err;
}

static enum ieum_err int_json(const ProtobufCFieldDescriptor *field, int64_t value,
			      const struct pbmap_style *style, json_t **out)
{
	enum pbmap_time rule = style->times_as_text ? pbmap_time_rule(field) : PBMAP_NO_TIME;
	char text[YAML_TIME_TEXT_BYTES];
	int64_t us = value;

	if (style->canonical)
		return made(json_sprintf("%" PRId64, value), out);
	/* A time that RFC 3339 can't write (before 1970) stays a number. */
	if ((rule == PBMAP_AT_US ||
	     (rule == PBMAP_AT_MS && !__builtin_mul_overflow(value, (int64_t)1000, &us))) &&
	    yaml_format_time_us(us, style->offset_min, text))
		return made(json_string(text), out);
	return made(json_integer(value), out);
}

static enum ieum_err enum_json(const ProtobufCEnumDescriptor *type, int value,
			       const struct pbmap_style *style, json_t **out)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
	char word[PBMAP_WORD_BYTES];

	if (!known)
		return made(json_integer(value), out);
	(void)pbmap_enum_word(type, value, word);
	return made(json_string(style->canonical ? known->name : word), out);
}

static enum ieum_err value_json(const ProtobufCFieldDescriptor *field, const void *at,
				const struct pbmap_style *style, int depth, json_t **out)
{
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32: return made(json_integer(*(const int32_t *)at), out);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32: return made(json_integer(*(const uint32_t *)at), out);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return int_json(field, *(const int64_t *)at, style, out);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		if (style->canonical)
			return made(json_sprintf("%" PRIu64, *(const uint64_t *)at), out);
		if (*(const uint64_t *)at > INT64_MAX)
			return IEUM_E_FIELD_INVALID;
		return int_json(field, (int64_t) * (const uint64_t *)at, style, out);
	case PROTOBUF_C_TYPE_BOOL: return made(json_boolean(*(const protobuf_c_boolean *)at), out);
	case PROTOBUF_C_TYPE_FLOAT:
		return isfinite(*(const float *)at)
			       ? made(json_real((double)*(const float *)at), out)
			       : IEUM_E_FIELD_INVALID;
	case PROTOBUF_C_TYPE_DOUBLE:
		return isfinite(*(const double *)at) ? made(json_real(*(const double *)at), out)
						     : IEUM_E_FIELD_INVALID;
	case PROTOBUF_C_TYPE_ENUM:
		return enum_json(field->descriptor, *(const int *)at, style, out);
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)at;
		*out = json_string(text ? text : "");
		return *out ? IEUM_E_OK : IEUM_E_TEXT_INVALID;
	case PROTOBUF_C_TYPE_BYTES: return bytes_json(field, at, style, out);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_json(*(const ProtobufCMessage *const *)at, style, depth + 1, out);
	}
	return IEUM_E_INTERNAL;
}

/* Nothing but zeros: the default of a plain proto3 scalar. */
static bool is_default(const ProtobufCFieldDescriptor *field, const char *at)
{
	static const char zeros[sizeof(ProtobufCBinaryData)];
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)(const void *)at;
		return !text || !*text;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)(const void *)at)->len == 0;
	default: return memcmp(at, zeros, pbmap_value_size(field->type)) == 0;
	}
}

/* Is this single field to be written? */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		   bool defaults)
{
	const char *base = (const char *)message;
	const char *at = base + field->offset;
	const char *quantifier = base + field->quantifier_offset;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		if (*(const uint32_t *)(const void *)quantifier != field->id)
			return false;
	} else if (field->label == PROTOBUF_C_LABEL_NONE) {
		if (!defaults && is_default(field, at))
			return false;
	} else if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
		if (field->type == PROTOBUF_C_TYPE_STRING)
			return *(const char *const *)(const void *)at != NULL;
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			return *(const protobuf_c_boolean *)(const void *)quantifier;
	}
	return field->type != PROTOBUF_C_TYPE_MESSAGE ||
	       *(const ProtobufCMessage *const *)(const void *)at;
}

static enum ieum_err repeated_json(const ProtobufCMessage *message,
				   const ProtobufCFieldDescriptor *field,
				   const struct pbmap_style *style, int depth, json_t **out)
{
	const char *base = (const char *)message;
	size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
	const char *items = *(const char *const *)(const void *)(base + field->offset);
	json_t *array = json_array();

	if (!array)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		json_t *item = NULL;
		enum ieum_err err = value_json(field, items + i * pbmap_value_size(field->type),
					       style, depth, &item);

		if (!err && json_array_append_new(array, item))
			err = IEUM_E_NO_MEMORY;
		if (err) {
			json_decref(array);
			return err;
		}
	}
	*out = array;
	return IEUM_E_OK;
}

static enum ieum_err field_json(const ProtobufCMessage *message,
				const ProtobufCFieldDescriptor *field,
				const struct pbmap_style *style, int depth, json_t *object)
{
	const char *base = (const char *)message;
	json_t *value = NULL;
	char json_name[PBMAP_WORD_BYTES];
	enum ieum_err err;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		if (*(const size_t *)(const void *)(base + field->quantifier_offset) == 0 &&
		    !style->defaults)
			return IEUM_E_OK;
		err = repeated_json(message, field, style, depth, &value);
	} else {
		if (!is_set(message, field, style->defaults))
			return IEUM_E_OK;
		err = value_json(field, base + field->offset, style, depth, &value);
	}
	if (style->canonical)
		pbmap_json_name(field->name, json_name);
	if (!err && json_object_set_new(object, style->canonical ? json_name : field->name, value))
		err = IEUM_E_NO_MEMORY;
	return err;
}

static enum ieum_err message_json(const ProtobufCMessage *message, const struct pbmap_style *style,
				  int depth, json_t **out)
{
	json_t *object;

	if (depth > PBMAP_DEPTH_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	object = json_object();
	if (!object)
		return IEUM_E_NO_MEMORY;
	for (unsigned i = 0; message && i < message->descriptor->n_fields; i++) {
		enum ieum_err err =
			field_json(message, &message->descriptor->fields[i], style, depth, object);

		if (err) {
			json_decref(object);
			return err;
		}
	}
	*out = object;
	return IEUM_E_OK;
}

enum ieum_err pbmap_to_json(const ProtobufCMessage *message, const struct pbmap_style *style,
			    json_t **out)
{
	static const struct pbmap_style plain;

	return message_json(message, style ? style : &plain, 1, out);
}
