/* From tables to a JSON Schema; see schema_json.h.
 *
 * Every map, message and enum is written once under "$defs" and referred to from wherever it is
 * used.  Running out of memory leaves a NULL behind that is looked at once, at the end: jansson's
 * _new functions take NULL, refuse it, and say so. */
#include "proto/schema_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pbmap.h"
#include "proto/pbmap_rules.h"

enum { REF_BYTES = 96, WORDS_BYTES = 400 };

#define AMOUNT           "[0-9]{1,10} ?"
#define SPAN_PATTERN     "^" AMOUNT "(ms|s|min|h|d)$"
#define DURATION_PATTERN "^" AMOUNT "(ms|s|min|h|d|business (hour|day)s?|months?|years?)$"
#define BYTES_PATTERN    "^[0-9]{1,19} ?([KMG]iB)?$"
#define TIME_PATTERN \
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
#define COMPARISON_PATTERN "^(>=|<=|!=|>|<|=)? *-?[0-9]+$"
#define OWN_NAME_PATTERN   "^[a-z0-9][a-z0-9_-]{0,62}$"

struct writer {
	json_t *defs;
	bool failed;
};

static json_t *type_json(struct writer *w, const struct yaml_schema_type *type);

static void put(struct writer *w, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		w->failed = true;
}

static void add(struct writer *w, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		w->failed = true;
}

static json_t *ref(const char *name)
{
	return json_pack("{s:s+}", "$ref", "#/$defs/", name);
}

static json_t *any_of(json_t *first, json_t *second)
{
	return json_pack("{s:[o, o]}", "anyOf", first, second);
}

static json_t *pattern(const char *regex)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", regex);
}

static json_t *integer(int64_t min, int64_t max)
{
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)min,
			 "maximum", (json_int_t)max);
}

/* ---- words ---- */

/* The words of an enum without its 0, which stands for "not said". */
static json_t *enum_words(struct writer *w, const ProtobufCEnumDescriptor *type)
{
	json_t *words = json_array();
	char word[PBMAP_WORD_BYTES];

	for (unsigned i = 0; i < type->n_values; i++) {
		if (type->values[i].value != 0 &&
		    pbmap_enum_word(type, type->values[i].value, word))
			add(w, words, json_string(word));
	}
	return words;
}

static json_t *enum_ref(struct writer *w, const ProtobufCEnumDescriptor *type)
{
	if (!json_object_get(w->defs, type->short_name))
		put(w, w->defs, type->short_name, json_pack("{s:o}", "enum", enum_words(w, type)));
	return ref(type->short_name);
}

static json_t *word_json(struct writer *w, const char *const *words)
{
	json_t *list = json_array();

	for (; *words; words++)
		add(w, list, json_string(*words));
	return json_pack("{s:o}", "enum", list);
}

/* ---- protobuf messages, as pbmap.h reads them ---- */

static json_t *message_ref(struct writer *w, const ProtobufCMessageDescriptor *type);

static json_t *bytes_json(const ProtobufCFieldDescriptor *field)
{
	const char *what = pbmap_holds_ids(field) ? "a UUID or base64" : "base64";

	return any_of(json_pack("{s:s, s:s}", "type", "string", "description", what),
		      json_pack("{s:s, s:{s:{s:s}, s:{s:s}}, s:b, s:i, s:i}", "type", "object",
				"properties", "text", "type", "string", "hex", "type", "string",
				"additionalProperties", 0, "minProperties", 1, "maxProperties", 1));
}

static json_t *number_json(const ProtobufCFieldDescriptor *field)
{
	json_t *whole = json_pack("{s:s}", "type", "integer");

	switch (pbmap_time_rule(field)) {
	case PBMAP_AT_MS:
	case PBMAP_AT_US: return any_of(pattern(TIME_PATTERN), whole);
	case PBMAP_SPAN_MS: return any_of(pattern(SPAN_PATTERN), whole);
	case PBMAP_NO_TIME: break;
	}
	return whole;
}

static json_t *field_json(struct writer *w, const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL: return json_pack("{s:s}", "type", "boolean");
	case PROTOBUF_C_TYPE_STRING: return json_pack("{s:s}", "type", "string");
	case PROTOBUF_C_TYPE_ENUM: return enum_ref(w, field->descriptor);
	case PROTOBUF_C_TYPE_MESSAGE: return message_ref(w, field->descriptor);
	case PROTOBUF_C_TYPE_BYTES: return bytes_json(field);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE: return json_pack("{s:s}", "type", "number");
	default: return number_json(field);
	}
}

static json_t *message_ref(struct writer *w, const ProtobufCMessageDescriptor *type)
{
	json_t *fields;

	if (json_object_get(w->defs, type->short_name))
		return ref(type->short_name);
	fields = json_object();
	/* In its place before its fields are, for a message may hold itself. */
	put(w, w->defs, type->short_name,
	    json_pack("{s:s, s:o, s:b}", "type", "object", "properties", fields,
		      "additionalProperties", 0));
	for (unsigned i = 0; i < type->n_fields; i++) {
		json_t *value = field_json(w, &type->fields[i]);

		if (type->fields[i].label == PROTOBUF_C_LABEL_REPEATED)
			value = json_pack("{s:s, s:o}", "type", "array", "items", value);
		put(w, fields, type->fields[i].name, value);
	}
	return ref(type->short_name);
}

/* ---- facts of a body, in a rule's condition ---- */

/* What a rule can compare a field with; NULL: nothing, it holds bytes. */
static json_t *fact_json(struct writer *w, const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE: return NULL;
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_STRING: return field_json(w, field);
	case PROTOBUF_C_TYPE_ENUM: /* "": not stated */
		return any_of(field_json(w, field), json_pack("{s:s}", "const", ""));
	default: return any_of(json_pack("{s:s}", "type", "integer"), pattern(COMPARISON_PATTERN));
	}
}

/* Beside what another type of message calls by the same name. */
static void add_fact(struct writer *w, json_t *facts, const char *name, const char *type_name,
		     json_t *value)
{
	json_t *known = json_object_get(facts, name), *forms = json_object_get(known, "anyOf");
	char line[WORDS_BYTES];
	size_t i;
	json_t *form;

	if (!known) {
		(void)snprintf(line, sizeof line, "a fact of %s", type_name);
		put(w, facts, name,
		    json_pack("{s:s, s:[o, {s:s, s:o}]}", "description", line, "anyOf",
			      json_incref(value), "type", "array", "items", value));
		return;
	}
	(void)snprintf(line, sizeof line, "%s, %s",
		       json_string_value(json_object_get(known, "description")), type_name);
	put(w, known, "description", json_string(line));
	json_array_foreach(forms, i, form)
	{
		if (json_equal(form, value)) {
			json_decref(value);
			return;
		}
	}
	add(w, forms, json_incref(value));
	add(w, forms, json_pack("{s:s, s:o}", "type", "array", "items", value));
}

/* The fields of every message that can be the body of this one; a body's name is its type's. */
static void add_facts(struct writer *w, const ProtobufCMessageDescriptor *message, json_t *keys)
{
	json_t *facts = json_object();

	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *body = &message->fields[i];
		const ProtobufCMessageDescriptor *fields = body->descriptor;

		if (!(body->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		for (unsigned k = 0; k < fields->n_fields; k++) {
			json_t *value = fact_json(w, &fields->fields[k]);

			if (value)
				add_fact(w, facts, fields->fields[k].name, body->name, value);
		}
	}
	if (json_object_update_missing(keys, facts))
		w->failed = true;
	json_decref(facts);
}

/* ---- maps ---- */

static json_t *one_of_json(struct writer *w, const char *const *keys)
{
	json_t *choices = json_array();

	for (; *keys; keys++)
		add(w, choices, json_pack("{s:[s]}", "required", *keys));
	return choices;
}

static json_t *other_keys_json(struct writer *w, const struct yaml_schema *map, json_t *keys)
{
	json_t *words = enum_words(w, map->other_keys);

	for (size_t i = 0; i < json_array_size(words); i++)
		put(w, keys, json_string_value(json_array_get(words, i)),
		    type_json(w, &map->other_type));
	json_decref(words);
	return keys;
}

static json_t *map_json(struct writer *w, const struct yaml_schema *map)
{
	json_t *keys = json_object(), *needed = json_array();

	for (const struct yaml_schema_key *row = map->keys; row->key; row++) {
		json_t *value = type_json(w, &row->type);

		put(w, value, "description", json_string(row->line));
		put(w, keys, row->key, value);
		if (row->needed)
			add(w, needed, json_string(row->key));
	}
	if (map->other_keys)
		(void)other_keys_json(w, map, keys);
	if (map->facts_of)
		add_facts(w, map->facts_of, keys);
	json_t *out = json_pack("{s:s, s:s, s:o}", "description", map->line, "type", "object",
				"properties", keys);
	if (json_array_size(needed) > 0)
		put(w, out, "required", json_incref(needed));
	json_decref(needed);
	if (map->one_of)
		put(w, out, "anyOf", one_of_json(w, map->one_of));
	put(w, out, "additionalProperties", json_false());
	return out;
}

static json_t *map_ref(struct writer *w, const struct yaml_schema *map)
{
	if (!json_object_get(w->defs, map->name)) {
		put(w, w->defs, map->name, json_object());
		put(w, w->defs, map->name, map_json(w, map));
	}
	return ref(map->name);
}

static json_t *text_json(const struct yaml_schema_type *type)
{
	if (type->pattern)
		return json_pack("{s:s, s:s, s:[s]}", "type", "string", "pattern", type->pattern,
				 "examples", type->example);
	return json_pack("{s:s, s:i, s:I}", "type", "string", "minLength", 1, "maxLength",
			 (json_int_t)type->max);
}

static json_t *list_json(struct writer *w, const struct yaml_schema_type *type)
{
	json_t *out = json_pack("{s:s, s:o, s:I}", "type", "array", "items", type_json(w, type->of),
				"minItems", (json_int_t)type->min);

	if (type->max > 0)
		put(w, out, "maxItems", json_integer(type->max));
	return out;
}

static json_t *many_json(struct writer *w, const struct yaml_schema_type *type)
{
	return any_of(type_json(w, type->of), json_pack("{s:s, s:o, s:i}", "type", "array", "items",
							type_json(w, type->of), "minItems", 1));
}

static json_t *type_json(struct writer *w, const struct yaml_schema_type *type)
{
	switch (type->is) {
	case YAML_SCHEMA_ANYTHING: return json_object();
	case YAML_SCHEMA_TEXT: return text_json(type);
	case YAML_SCHEMA_INT: return integer(type->min, type->max);
	case YAML_SCHEMA_BOOL: return json_pack("{s:s}", "type", "boolean");
	case YAML_SCHEMA_WORD: return word_json(w, type->words);
	case YAML_SCHEMA_ENUM: return enum_ref(w, type->enumeration);
	case YAML_SCHEMA_DURATION: return pattern(DURATION_PATTERN);
	case YAML_SCHEMA_SPAN: return pattern(SPAN_PATTERN);
	case YAML_SCHEMA_BYTES:
		return any_of(pattern(BYTES_PATTERN), integer(type->min, type->max));
	case YAML_SCHEMA_LIST: return list_json(w, type);
	case YAML_SCHEMA_MANY: return many_json(w, type);
	case YAML_SCHEMA_BY_NAME:
		return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames",
				 "pattern", type->pattern ? type->pattern : OWN_NAME_PATTERN,
				 "additionalProperties", type_json(w, type->of));
	case YAML_SCHEMA_EITHER: return any_of(type_json(w, type->of), type_json(w, type->other));
	case YAML_SCHEMA_MAP: return map_ref(w, type->map);
	case YAML_SCHEMA_MESSAGE: return message_ref(w, type->message);
	}
	return NULL;
}

static bool add_line_end(char **text)
{
	size_t n = strlen(*text);
	char *longer = realloc(*text, n + 2);

	if (!longer)
		return false;
	memcpy(longer + n, "\n", 2);
	*text = longer;
	return true;
}

enum ieum_err schema_json(const struct yaml_schema *file, char **out)
{
	struct writer w = { .defs = json_object() };
	json_t *doc = json_pack("{s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_t *top = map_json(&w, file);
	enum ieum_err err = IEUM_E_NO_MEMORY;

	*out = NULL;
	if (json_object_update(doc, top) || json_object_set(doc, "$defs", w.defs) || w.failed)
		goto out;
	*out = json_dumps(doc, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	if (*out && add_line_end(out))
		err = IEUM_E_OK;
out:
	json_decref(doc);
	json_decref(top);
	json_decref(w.defs);
	return err;
}
