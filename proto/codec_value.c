/* One value from the wire, by the rule of its place; see codec_walk.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec_walk.h"
#include "proto/resident_number.h"
#include "proto/utf8.h"

size_t codec_value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM: return sizeof(int);
	case PROTOBUF_C_TYPE_UINT32: return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64: return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
	default: abort(); /* no such field in the schema; test_codec_rules.c holds it to that */
	}
}

bool codec_is_number(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
	       type != PROTOBUF_C_TYPE_MESSAGE;
}

enum ieum_err codec_read_number(const struct codec_walk *w, const struct codec_place *place,
				uint64_t raw, void *to)
{
	const struct codec_rule *rule = place->rule;
	int64_t value = (int64_t)raw;
	bool unset = raw == 0 && place->field->label != PROTOBUF_C_LABEL_REPEATED;

	if (rule->most && !unset && (value < rule->least || value > rule->most))
		return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place,
					  "%" PRId64 " is not within %" PRId64 " and %" PRId64,
					  value, rule->least, rule->most);
	switch (place->field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (raw > 1)
			return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place,
						  "is neither true nor false");
		*(protobuf_c_boolean *)to = (protobuf_c_boolean)raw;
		return IEUM_E_OK;
	case PROTOBUF_C_TYPE_ENUM: {
		const ProtobufCEnumDescriptor *type = place->field->descriptor;

		if (raw > INT32_MAX || !protobuf_c_enum_descriptor_get_value(type, (int)raw))
			return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place,
						  "%" PRId64 " is not a value of %s", value,
						  type->short_name);
		*(int *)to = (int)raw;
		return IEUM_E_OK;
	}
	case PROTOBUF_C_TYPE_UINT32:
		if (raw > UINT32_MAX)
			return codec_refuse_place(w, IEUM_E_FIELD_INVALID, place,
						  "is over 32 bits");
		*(uint32_t *)to = (uint32_t)raw;
		return IEUM_E_OK;
	default: *(uint64_t *)to = raw; return IEUM_E_OK;
	}
}

/* Length and form of a text or of bytes; an unset one has none. */
static enum ieum_err check_bytes(const struct codec_walk *w, const struct codec_place *place,
				 const struct wire_field *f, uint32_t max)
{
	const struct codec_rule *rule = place->rule;
	enum ieum_err ill_formed =
		rule->form == CODEC_FORM_MESSAGE_ID ? IEUM_E_ID_INVALID : IEUM_E_FIELD_INVALID;

	if (f->len == 0) {
		if (place->field->label == PROTOBUF_C_LABEL_REPEATED)
			return codec_refuse_place(w, IEUM_E_FIELD_MISSING, place, "is empty");
		return IEUM_E_OK;
	}
	if (rule->min == max && f->len != max)
		return codec_refuse_place(w, ill_formed, place, "is %zu bytes long, not %u", f->len,
					  max);
	if (f->len > max)
		return codec_refuse_place(w, IEUM_E_FIELD_TOO_LARGE, place,
					  "%zu bytes, allowed are %u", f->len, max);
	if (f->len < rule->min)
		return codec_refuse_place(w, ill_formed, place, "%zu bytes, needed are %u", f->len,
					  rule->min);
	const char *problem = codec_form_problem(rule->form, f->bytes, f->len);
	if (problem)
		return codec_refuse_place(w, ill_formed, place, "%s", problem);
	if (w->guards &&
	    (rule->form == CODEC_FORM_TOKEN || place->field->type == PROTOBUF_C_TYPE_STRING) &&
	    resident_number_found((const char *)f->bytes, f->len))
		return codec_refuse_place(w, IEUM_E_RESIDENT_NUMBER, place,
					  "looks like a resident registration number");
	return IEUM_E_OK;
}

enum ieum_err codec_read_text(struct codec_walk *w, const struct codec_place *place,
			      const struct wire_field *f, char **to)
{
	uint32_t max = place->rule->max;

	if (max == 0)
		max = w->from == CODEC_FROM_HUB ? CODEC_HUB_TEXT_MAX_BYTES : CODEC_TEXT_MAX_BYTES;
	if (f->len <= max && !utf8_text_valid(f->bytes, f->len))
		return codec_refuse_place(w, IEUM_E_TEXT_INVALID, place,
					  "is not valid UTF-8, or holds a NUL");
	enum ieum_err err = check_bytes(w, place, f, max);
	if (err)
		return err;
	char *text = arena_alloc(w->arena, f->len + 1);
	if (!text)
		return codec_out_of_memory(w);
	memcpy(text, f->bytes, f->len);
	text[f->len] = '\0';
	*to = text;
	return IEUM_E_OK;
}

enum ieum_err codec_read_bytes(const struct codec_walk *w, const struct codec_place *place,
			       const struct wire_field *f, ProtobufCBinaryData *to)
{
	uint32_t max = place->rule->max ? place->rule->max : CODEC_BYTES_MAX;
	enum ieum_err err = check_bytes(w, place, f, max);

	if (err)
		return err;
	to->len = f->len;
	to->data = f->len ? (uint8_t *)f->bytes : NULL; /* the struct knows no const */
	return IEUM_E_OK;
}
