/* What the hub sends by itself because a rule or a clock says so: `emit`.
 *
 * Its body is made of values and of facts of the message that it comes from.  Both are compared
 * with the .proto files here, so that the core only has to copy. */
#include "broker/policy/load.h"

#include <inttypes.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

enum {
	BODY_FIELD_NUMBER = 100, /* field number of a type's body, less the type's */
	BODY_FIELDS_MAX = 64,
	EMIT_FIELDS_MAX = 16, /* of one emit */
	EMIT_TEXT_BYTES_MAX = 64,
	ARTICLE_BYTES_MAX = 500,
};

#define COUNT_PREFIX "$count."

static const ProtobufCMessageDescriptor *body_of(unsigned type)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							BODY_FIELD_NUMBER + type);

	return field ? field->descriptor : NULL;
}

static const char *type_word(unsigned type, char word[PBMAP_WORD_BYTES])
{
	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)type, word))
		word[0] = '\0';
	return word;
}

static bool is_integer(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64: return true;
	default: return false;
	}
}

static bool can_be_set(const ProtobufCFieldDescriptor *field)
{
	return field->label != PROTOBUF_C_LABEL_REPEATED &&
	       (is_integer(field->type) || field->type == PROTOBUF_C_TYPE_BOOL ||
		field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_STRING);
}

/* ---- what a field is set to ---- */

static bool is_same(const ProtobufCFieldDescriptor *a, const ProtobufCFieldDescriptor *b)
{
	return a->type == b->type && b->label != PROTOBUF_C_LABEL_REPEATED &&
	       (a->type != PROTOBUF_C_TYPE_ENUM || a->descriptor == b->descriptor);
}

/* `$name`: every type that it can come from has such a field. */
static void load_taken_over(struct loader *l, const struct yaml_node *value, uint64_t source_types,
			    struct policy_emit_field *out)
{
	const char *name = yaml_text(value) + 1;
	char word[PBMAP_WORD_BYTES];

	if (!source_types) {
		yaml_mistake(l->diag, value,
			     "'%s': this comes from no message whose fields it could take over",
			     yaml_text(value));
		return;
	}
	for (unsigned type = 1; type < POLICY_TYPES; type++) {
		const ProtobufCMessageDescriptor *body = body_of(type);
		const ProtobufCFieldDescriptor *from;

		if (!(source_types & UINT64_C(1) << type))
			continue;
		from = body ? protobuf_c_message_descriptor_get_field_by_name(body, name) : NULL;
		if (from && is_same(out->field, from))
			continue;
		yaml_mistake(l->diag, value,
			     from ? "the field '%s' of a %s holds something else than '%s'"
				  : "no field '%s' in a %s, from which this is sent; '%s' would be "
				    "set to it",
			     name, type_word(type, word), out->field->name);
		return;
	}
	out->from = load_copy(l, name);
}

static void load_counted(struct loader *l, const struct yaml_node *value,
			 struct policy_emit_field *out)
{
	const char *name = yaml_text(value) + strlen(COUNT_PREFIX);

	if (!is_integer(out->field->type)) {
		yaml_mistake(l->diag, value, "'%s' holds no number", out->field->name);
		return;
	}
	out->counter = load_counter_index(l, value, name);
}

static void load_value(struct loader *l, const struct yaml_node *value,
		       struct policy_emit_field *out)
{
	const char *text;
	bool yes = false;
	int word = 0;

	switch (out->field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (yaml_read_bool(value, l->diag, &yes))
			out->number = yes;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		if (load_enum(l, value, out->field->descriptor, out->field->name, &word))
			out->number = word;
		break;
	case PROTOBUF_C_TYPE_STRING:
		if (yaml_read_text(value, EMIT_TEXT_BYTES_MAX, l->diag, &text))
			out->text = load_copy(l, text);
		break;
	default: (void)yaml_read_int(value, 0, INT32_MAX, l->diag, &out->number); break;
	}
}

static const ProtobufCFieldDescriptor *find_field(struct loader *l, const struct yaml_node *key,
						  unsigned type)
{
	const ProtobufCMessageDescriptor *body = body_of(type);
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(body, yaml_text(key));
	const char *words[BODY_FIELDS_MAX + 1];
	char word[PBMAP_WORD_BYTES];
	size_t n = 0;

	if (field && can_be_set(field))
		return field;
	if (field) {
		yaml_mistake(l->diag, key,
			     "'%s' holds ids, messages or several values; a hub "
			     "file can't set it",
			     field->name);
		return NULL;
	}
	for (unsigned i = 0; i < body->n_fields && n < BODY_FIELDS_MAX; i++) {
		if (can_be_set(&body->fields[i]))
			words[n++] = body->fields[i].name;
	}
	words[n] = NULL;
	const char *near = yaml_nearest(yaml_text(key), words);
	if (near)
		yaml_mistake(l->diag, key, "a %s has no field '%.64s'; did you mean '%s'?",
			     type_word(type, word), yaml_text(key), near);
	else
		yaml_mistake(l->diag, key, "a %s has no field '%.64s'", type_word(type, word),
			     yaml_text(key));
	return NULL;
}

static void load_body(struct loader *l, const struct yaml_node *node, uint64_t source_types,
		      struct policy_emit *emit)
{
	struct policy_emit_field *fields;

	if (yaml_kind(node) != YAML_MAP || yaml_count(node) > EMIT_FIELDS_MAX) {
		yaml_mistake(l->diag, node, "'body' is a map of at most %d fields",
			     EMIT_FIELDS_MAX);
		return;
	}
	fields = load_alloc(l, yaml_count(node), sizeof *fields);
	if (!fields)
		return;
	emit->fields = fields;
	for (size_t i = 0; i < yaml_count(node); i++) {
		const struct yaml_node *value = yaml_at(node, i);
		struct policy_emit_field *f = &fields[emit->n_fields];
		const char *text = yaml_text(value);

		f->counter = POLICY_NONE;
		f->text = "";
		f->field = find_field(l, yaml_key_at(node, i), (unsigned)emit->type);
		if (!f->field)
			continue;
		emit->n_fields++;
		if (text && strncmp(text, COUNT_PREFIX, strlen(COUNT_PREFIX)) == 0)
			load_counted(l, value, f);
		else if (text && *text == '$')
			load_taken_over(l, value, source_types, f);
		else
			load_value(l, value, f);
	}
}

/* ---- the message ---- */

static bool load_type(struct loader *l, const struct yaml_node *node, struct policy_emit *emit)
{
	int value = 0;

	if (!load_enum(l, node, &ieum__v1__message_type__descriptor, "message type", &value))
		return false;
	emit->type = (Ieum__V1__MessageType)value;
	if (!l->p->types[value].needs_reply_to)
		return true;
	yaml_mistake(l->diag, node, "the hub can't make a %s by itself: it replies to a message",
		     yaml_text(node));
	return false;
}

static void load_case(struct loader *l, const struct yaml_node *node, struct policy_emit *emit)
{
	const struct yaml_node *link = yaml_get(node, "link");
	int value = 0;

	(void)yaml_opt_bool(node, "open_case", l->diag, &emit->open_case);
	if (!link)
		return;
	if (load_enum(l, link, &ieum__v1__link_kind__descriptor, "kind of link", &value))
		emit->link = (Ieum__V1__LinkKind)value;
	if (!emit->open_case)
		yaml_mistake(
			l->diag, link,
			"a link without \"open_case: true\": the message stays in the same case");
}

static void load_emit(struct loader *l, const struct yaml_node *node, uint64_t source_types,
		      struct policy_emit *emit)
{
	const struct yaml_node *type, *part;
	const char *text;
	int value = 0;

	if (!yaml_schema_check(node, &schema_emit, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	load_case(l, node, emit);
	if ((part = yaml_get(node, "urgency")) &&
	    load_enum(l, part, &ieum__v1__urgency__descriptor, "urgency", &value))
		emit->urgency = (Ieum__V1__Urgency)value;
	if (yaml_opt_text(node, "article", ARTICLE_BYTES_MAX, l->diag, &text)) {
		emit->article = load_copy(l, text);
		if (!policy_knows_article(l->p, text))
			load_unknown(l, yaml_get(node, "article"), "article",
				     (const char *const *)l->p->articles);
	}
	type = yaml_require(node, "type", l->diag);
	if (!type || !load_type(l, type, emit))
		return;
	if ((part = yaml_get(node, "body")))
		load_body(l, part, source_types, emit);
}

void load_emits(struct loader *l, const struct yaml_node *node, uint64_t source_types,
		const struct policy_emit **out, size_t *n_out)
{
	size_t n = load_items(node);
	struct policy_emit *emits;

	if (yaml_kind(node) == YAML_SEQ && !yaml_check_seq(node, 1, POLICY_EMITS_MAX, l->diag))
		return;
	emits = load_alloc(l, n, sizeof *emits);
	if (!emits)
		return;
	for (size_t i = 0; i < n; i++)
		load_emit(l, load_item(node, i), source_types, &emits[i]);
	*out = emits;
	*n_out = n;
}
