/* YAML (or JSON) as a protobuf message; see pbmap.h.
 *
 * Goes through a whole map even after a mistake, so that all are told at once; the
 * message is thrown away at the end if there was any. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pbmap.h"
#include "proto/pbmap_rules.h"
#include "proto/uuid7.h"
#include "yaml/yaml_read.h"

enum { PBMAP_PATH_BYTES = 160, WORDS_BYTES = 160 /* of what is possible, in a mistake */ };

struct reader {
	ProtobufCAllocator *allocator; /* NULL: malloc */
	const struct pbmap_names *names;
	struct yaml_diag *diag;
	bool no_memory;
	bool canonical; /* takes what only protobuf's own mapping writes */
	/* With canonical: the field at hand, and that of the first mistake. */
	char path[PBMAP_PATH_BYTES], mistaken[PBMAP_PATH_BYTES];
};

static ProtobufCMessage *read_message(struct reader *r, const struct yaml_node *node,
				      const ProtobufCMessageDescriptor *type);

/* Goes down to a field; what leave() needs to come back up. */
static size_t enter(struct reader *r, const char *name)
{
	size_t outer = strlen(r->path);

	if (r->canonical)
		(void)snprintf(r->path + outer, sizeof r->path - outer, "%s%s", outer ? "." : "",
			       name);
	return outer;
}

static void leave(struct reader *r, size_t outer)
{
	if (r->diag->count > 0 && !r->mistaken[0])
		memcpy(r->mistaken, r->path, sizeof r->path);
	r->path[outer] = '\0';
}

static void *take(struct reader *r, size_t n)
{
	void *bytes =
		r->allocator ? r->allocator->alloc(r->allocator->allocator_data, n) : malloc(n);

	if (!bytes)
		r->no_memory = true;
	else
		memset(bytes, 0, n);
	return bytes;
}

static void give_back(struct reader *r, void *bytes)
{
	if (r->allocator)
		r->allocator->free(r->allocator->allocator_data, bytes);
	else
		free(bytes);
}

static bool take_bytes(struct reader *r, const void *from, size_t n, ProtobufCBinaryData *out)
{
	if (n == 0)
		return true;
	out->data = take(r, n);
	if (!out->data)
		return false;
	memcpy(out->data, from, n);
	out->len = n;
	return true;
}

static bool wrong(struct reader *r, const struct yaml_node *node, const char *what)
{
	return yaml_expected(node, what, r->diag);
}

typedef bool bytes_form(const char *text, size_t n, uint8_t *to, size_t *len);

/* The bytes that a text spells, in memory of the reader. */
static bool spelt(struct reader *r, const char *text, size_t n, bytes_form *form,
		  ProtobufCBinaryData *out)
{
	if (n > YAML_FILE_BYTES_MAX)
		return false;
	out->data = n > 0 ? take(r, n) : NULL;
	if (n > 0 && !out->data)
		return false;
	if (form(text, n, out->data, &out->len))
		return true;
	give_back(r, out->data);
	*out = (ProtobufCBinaryData){ 0 };
	return false;
}

/* {text: "…"} or {hex: "…"}. */
static bool read_spelt_bytes(struct reader *r, const struct yaml_node *node,
			     ProtobufCBinaryData *out)
{
	static const char *const forms[] = { "text", "hex", NULL };
	const struct yaml_node *value = yaml_at(node, 0);

	if (!yaml_check_map(node, forms, r->diag))
		return false;
	if (yaml_count(node) != 1 || !yaml_text(value))
		return wrong(r, node, "either {text: \"…\"} or {hex: \"…\"}");
	if (yaml_get(node, "text"))
		return take_bytes(r, yaml_text(value), yaml_text_len(value), out);
	return spelt(r, yaml_text(value), yaml_text_len(value), pbmap_hex, out) ||
	       (!r->no_memory && wrong(r, value, "hexadecimal"));
}

static bool read_bytes(struct reader *r, const ProtobufCFieldDescriptor *field,
		       const struct yaml_node *node, ProtobufCBinaryData *out)
{
	const char *text = yaml_text(node);
	bool ids = pbmap_holds_ids(field);
	uint8_t id[UUID_BYTES];

	if (yaml_kind(node) == YAML_MAP)
		return read_spelt_bytes(r, node, out);
	if (text && ids &&
	    (uuid_parse(text, id) ||
	     (r->names && r->names->id_cb && r->names->id_cb(r->names->context, text, id))))
		return take_bytes(r, id, sizeof id, out);
	if (text && spelt(r, text, yaml_text_len(node),
			  r->canonical ? pbmap_any_base64 : pbmap_base64, out))
		return true;
	return !r->no_memory && wrong(r, node, ids ? "a UUID or base64" : "base64");
}

static bool read_time(struct reader *r, const struct yaml_node *node, enum pbmap_time rule,
		      int64_t *out)
{
	const char *text = yaml_text(node);
	int64_t us;

	if (!text ||
	    !(yaml_parse_time_us(text, &us) ||
	      (r->names && r->names->time_cb && r->names->time_cb(r->names->context, text, &us))))
		return wrong(r, node, "a time such as 2026-01-02T09:00:00+09:00, nor a number");
	if (rule == PBMAP_AT_MS && us % 1000 != 0)
		return wrong(r, node, "whole milliseconds");
	*out = rule == PBMAP_AT_MS ? us / 1000 : us;
	return true;
}

static bool is_number_text(const char *text)
{
	return *text &&
	       strspn(text + (*text == '-'), "0123456789") == strlen(text) - (*text == '-');
}

static bool looks_like_number(const struct yaml_node *node)
{
	return yaml_plain(node) && is_number_text(yaml_text(node));
}

/* A whole number written as a string. */
static bool is_quoted_number(const struct reader *r, const struct yaml_node *node)
{
	return r->canonical && yaml_kind(node) == YAML_SCALAR && !yaml_plain(node) &&
	       is_number_text(yaml_text(node));
}

static bool read_whole(struct reader *r, const struct yaml_node *node, int64_t min, int64_t max,
		       int64_t *out)
{
	long long value;

	if (!is_quoted_number(r, node))
		return yaml_read_int(node, min, max, r->diag, out);
	errno = 0;
	value = strtoll(yaml_text(node), NULL, 10);
	if (errno || value < min || value > max)
		return wrong(r, node, "a number in range");
	*out = value;
	return true;
}

static bool read_int64(struct reader *r, const ProtobufCFieldDescriptor *field,
		       const struct yaml_node *node, int64_t min, int64_t *out)
{
	enum pbmap_time rule = looks_like_number(node) || is_quoted_number(r, node)
				       ? PBMAP_NO_TIME
				       : pbmap_time_rule(field);

	switch (rule) {
	case PBMAP_AT_MS:
	case PBMAP_AT_US: return read_time(r, node, rule, out);
	case PBMAP_SPAN_MS: return yaml_read_duration_ms(node, 0, INT64_MAX, r->diag, out);
	default: return read_whole(r, node, min, INT64_MAX, out);
	}
}

static bool read_real(struct reader *r, const struct yaml_node *node, double *out)
{
	const char *text = yaml_plain(node) ? yaml_text(node) : "";
	double value = NAN;

	/* strtod would take hexadecimal, "inf" and "nan" too. */
	if (*text && strspn(text, "0123456789+-.eE") == strlen(text)) {
		char *end;

		value = strtod(text, &end);
		if (*end != '\0')
			value = NAN;
	}
	if (!isfinite(value))
		return wrong(r, node, "a number");
	*out = value;
	return true;
}

/* "a, b, c", cut after a whole word. */
static void list_words(const char *const *words, char out[WORDS_BYTES])
{
	size_t at = 0;

	out[0] = '\0';
	for (; *words; words++) {
		const char *comma = at ? ", " : "";
		size_t need = strlen(comma) + strlen(*words);

		if (at + need + sizeof ", …" > WORDS_BYTES) {
			snprintf(out + at, WORDS_BYTES - at, ", …");
			return;
		}
		at += (size_t)snprintf(out + at, WORDS_BYTES - at, "%s%s", comma, *words);
	}
}

static void say_unknown_word(struct reader *r, const ProtobufCEnumDescriptor *type,
			     const struct yaml_node *node, const char *const *words)
{
	const char *near = yaml_nearest(yaml_text(node), words);
	char possible[WORDS_BYTES];

	if (near) {
		yaml_mistake(r->diag, node, "'%.60s' is no %s; did you mean '%s'?", yaml_text(node),
			     type->short_name, near);
		return;
	}
	/* The first is "not stated". */
	list_words(words[0] ? words + 1 : words, possible);
	yaml_mistake(r->diag, node, "'%.60s' is no %s; possible: %s", yaml_text(node),
		     type->short_name, possible);
}

/* The mistake of a word that the enum doesn't know, with the one that was probably meant, else with
 * those that it knows. */
static bool unknown_word(struct reader *r, const ProtobufCEnumDescriptor *type,
			 const struct yaml_node *node)
{
	char(*words)[PBMAP_WORD_BYTES] = calloc(type->n_values, sizeof *words);
	const char **list = calloc(type->n_values + 1, sizeof *list);

	if (words && list) {
		for (unsigned i = 0; i < type->n_values; i++) {
			(void)pbmap_enum_word(type, type->values[i].value, words[i]);
			list[i] = words[i];
		}
		say_unknown_word(r, type, node, list);
	} else {
		r->no_memory = true;
	}
	free(words);
	free(list);
	return false;
}

static bool read_enum(struct reader *r, const ProtobufCFieldDescriptor *field,
		      const struct yaml_node *node, int *out)
{
	const ProtobufCEnumDescriptor *type = field->descriptor;
	int64_t number;

	if (!yaml_text(node))
		return wrong(r, node, "a word");
	if (!looks_like_number(node))
		return pbmap_enum_value(type, yaml_text(node), out) || unknown_word(r, type, node);
	if (!yaml_read_int(node, INT32_MIN, INT32_MAX, r->diag, &number))
		return false;
	if (!protobuf_c_enum_descriptor_get_value(type, (int)number)) {
		yaml_mistake(r->diag, node, "%d is no known %s", (int)number, type->short_name);
		return false;
	}
	*out = (int)number;
	return true;
}

static bool read_string(struct reader *r, const struct yaml_node *node, char **out)
{
	if (!yaml_text(node))
		return wrong(r, node, "a text");
	char *copy = take(r, yaml_text_len(node) + 1);
	if (!copy)
		return false;
	memcpy(copy, yaml_text(node), yaml_text_len(node));
	*out = copy;
	return true;
}

/* One value into the memory of its type at `at`. */
static bool read_value(struct reader *r, const ProtobufCFieldDescriptor *field,
		       const struct yaml_node *node, void *at)
{
	int64_t number = 0;
	double real = 0;
	bool yes = false, good;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		good = read_whole(r, node, INT32_MIN, INT32_MAX, &number);
		*(int32_t *)at = (int32_t)number;
		return good;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		good = read_whole(r, node, 0, UINT32_MAX, &number);
		*(uint32_t *)at = (uint32_t)number;
		return good;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64: return read_int64(r, field, node, INT64_MIN, at);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64: return read_int64(r, field, node, 0, at);
	case PROTOBUF_C_TYPE_BOOL:
		good = yaml_read_bool(node, r->diag, &yes);
		*(protobuf_c_boolean *)at = yes;
		return good;
	case PROTOBUF_C_TYPE_FLOAT:
		good = read_real(r, node, &real);
		*(float *)at = (float)real;
		return good &&
		       (isfinite(*(float *)at) || wrong(r, node, "a number that fits a float"));
	case PROTOBUF_C_TYPE_DOUBLE: return read_real(r, node, at);
	case PROTOBUF_C_TYPE_ENUM: return read_enum(r, field, node, at);
	case PROTOBUF_C_TYPE_STRING: return read_string(r, node, at);
	case PROTOBUF_C_TYPE_BYTES: return read_bytes(r, field, node, at);
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = read_message(r, node, field->descriptor);
		return *(ProtobufCMessage **)at != NULL;
	}
	return false;
}

static void read_repeated(struct reader *r, const ProtobufCFieldDescriptor *field,
			  const struct yaml_node *node, char *base)
{
	size_t size = pbmap_value_size(field->type), n = yaml_count(node);

	if (!yaml_check_seq(node, 0, PBMAP_REPEATED_MAX, r->diag) || n == 0)
		return;
	char *items = take(r, n * size);
	if (!items)
		return;
	/* Counted before they are filled: what is still zero is freed as nothing. */
	*(char **)(void *)(base + field->offset) = items;
	*(size_t *)(void *)(base + field->quantifier_offset) = n;
	for (size_t i = 0; i < n && !r->no_memory; i++)
		(void)read_value(r, field, yaml_at(node, i), items + i * size);
}

/* The other field of this oneof that is set already, or NULL. */
static const ProtobufCFieldDescriptor *rival(const ProtobufCMessage *message,
					     const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	uint32_t set = *(const uint32_t *)(const void *)(base + field->quantifier_offset);

	return set == 0 ? NULL : protobuf_c_message_descriptor_get_field(message->descriptor, set);
}

static void read_single(struct reader *r, const ProtobufCFieldDescriptor *field,
			const struct yaml_node *key, const struct yaml_node *node,
			ProtobufCMessage *message)
{
	char *base = (char *)message;
	void *quantifier = base + field->quantifier_offset;
	bool oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
	/* A oneof's cases share memory, and only a set case is freed: read aside, then put in. */
	union {
		uint64_t number;
		void *pointer;
		ProtobufCBinaryData bytes;
	} value = { .bytes = { 0 } };

	if (oneof) {
		const ProtobufCFieldDescriptor *other = rival(message, field);

		if (other) {
			yaml_mistake(r->diag, key, "'%s' and '%s' exclude each other; keep one",
				     field->name, other->name);
			return;
		}
	}
	if (yaml_kind(node) == YAML_NULL) {
		yaml_mistake(r->diag, node, "'%s' has no value; leave it out if there is none",
			     field->name);
		return;
	}
	if (!read_value(r, field, node, &value))
		return;
	memcpy(base + field->offset, &value, pbmap_value_size(field->type));
	if (oneof)
		*(uint32_t *)quantifier = field->id;
	else if (field->label == PROTOBUF_C_LABEL_OPTIONAL &&
		 field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *)quantifier = 1;
}

static void unknown_field(struct reader *r, const ProtobufCMessageDescriptor *type,
			  const struct yaml_node *key)
{
	const char **names = calloc((size_t)type->n_fields + 1, sizeof *names);

	if (!names) {
		r->no_memory = true;
		return;
	}
	for (unsigned i = 0; i < type->n_fields; i++)
		names[i] = type->fields[i].name;
	const char *near = yaml_nearest(yaml_text(key), names);
	if (near)
		yaml_mistake(r->diag, key, "%s has no field '%.60s'; did you mean '%s'?",
			     type->short_name, yaml_text(key), near);
	else
		yaml_mistake(r->diag, key, "%s has no field '%.60s'", type->short_name,
			     yaml_text(key));
	free(names);
}

static ProtobufCMessage *read_message(struct reader *r, const struct yaml_node *node,
				      const ProtobufCMessageDescriptor *type)
{
	if (yaml_kind(node) != YAML_MAP) {
		yaml_mistake(r->diag, node, "expected a map with the fields of %s, found %s",
			     type->short_name, yaml_kind_name(yaml_kind(node)));
		return NULL;
	}
	ProtobufCMessage *message = take(r, type->sizeof_message);
	if (!message)
		return NULL;
	protobuf_c_message_init(type, message);
	for (size_t i = 0; i < yaml_count(node) && !r->no_memory; i++) {
		const struct yaml_node *key = yaml_key_at(node, i);
		const struct yaml_node *value = yaml_at(node, i);
		const ProtobufCFieldDescriptor *field = pbmap_field_named(type, yaml_text(key));
		size_t outer = enter(r, yaml_text(key));

		if (!field)
			unknown_field(r, type, key);
		else if (r->canonical && yaml_kind(value) == YAML_NULL)
			; /* not set */
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			read_repeated(r, field, value, (char *)message);
		else
			read_single(r, field, key, value, message);
		leave(r, outer);
	}
	return message;
}

enum ieum_err pbmap_from_yaml_named(const struct yaml_node *node,
				    const ProtobufCMessageDescriptor *type,
				    ProtobufCAllocator *allocator, const struct pbmap_names *names,
				    struct yaml_diag *diag, ProtobufCMessage **out)
{
	struct reader r = { .allocator = allocator, .names = names, .diag = diag };
	size_t before = diag->count;
	ProtobufCMessage *message = read_message(&r, node, type);

	if (message && !r.no_memory && diag->count == before) {
		*out = message;
		return IEUM_E_OK;
	}
	if (message)
		protobuf_c_message_free_unpacked(message, allocator);
	return r.no_memory ? IEUM_E_NO_MEMORY : IEUM_E_FILE_INVALID;
}

enum ieum_err pbmap_from_yaml(const struct yaml_node *node, const ProtobufCMessageDescriptor *type,
			      ProtobufCAllocator *allocator, struct yaml_diag *diag,
			      ProtobufCMessage **out)
{
	return pbmap_from_yaml_named(node, type, allocator, NULL, diag, out);
}

/* "json:1:17: what is wrong" without the place, which nobody wrote. */
static const char *without_place(const char *text)
{
	int n = 0;

	(void)sscanf(text, "json:%*d:%*d: %n", &n);
	return text + n;
}

static enum ieum_err from_json_text(const char *text, const ProtobufCMessageDescriptor *type,
				    struct reader *r, ProtobufCMessage **out)
{
	struct yaml_doc *doc;
	ProtobufCMessage *message;
	enum ieum_err err = yaml_doc_parse("json", text, strlen(text), r->diag, &doc);

	if (err)
		return err;
	message = read_message(r, yaml_doc_root(doc), type);
	yaml_doc_free(doc);
	if (r->no_memory)
		err = IEUM_E_NO_MEMORY;
	else if (r->diag->count > 0)
		err = IEUM_E_FILE_INVALID;
	if (!err)
		*out = message;
	else if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	return err;
}

enum ieum_err pbmap_from_json(const json_t *json, const ProtobufCMessageDescriptor *type,
			      char why[PBMAP_WHY_BYTES], ProtobufCMessage **out)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	struct reader r = { .diag = diag, .canonical = true };
	enum ieum_err err = IEUM_E_NO_MEMORY;

	why[0] = '\0';
	if (diag && text) {
		yaml_diag_init(diag);
		err = from_json_text(text, type, &r, out);
	}
	if (err == IEUM_E_FILE_INVALID)
		(void)snprintf(why, PBMAP_WHY_BYTES, "%s%s%s", r.mistaken,
			       r.mistaken[0] ? ": " : "", without_place(diag->mistakes[0].text));
	free(text);
	free(diag);
	return err;
}

enum ieum_err pbmap_from_text(const char *name, const void *bytes, size_t n,
			      const ProtobufCMessageDescriptor *type, ProtobufCAllocator *allocator,
			      struct yaml_diag *diag, ProtobufCMessage **out)
{
	struct yaml_doc *doc;
	enum ieum_err err = yaml_doc_parse(name, bytes, n, diag, &doc);

	if (err)
		return err;
	err = pbmap_from_yaml(yaml_doc_root(doc), type, allocator, diag, out);
	yaml_doc_free(doc);
	return err;
}
