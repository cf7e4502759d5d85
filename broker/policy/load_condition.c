/* A rule's `when`: the envelope's fields, and any fact of the typed body by its name in the
 * .proto files, found through protobuf-c's descriptors. */
#include "broker/policy/load.h"

#include <stdlib.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

enum { BODY_FIELD_NUMBER = 100, BODY_FIELDS_MAX = 64 };

/* What a rule can say of every message has a row in the table; all else is a fact of a body. */
static bool is_envelope_key(const char *key)
{
	for (const struct yaml_schema_key *row = schema_when.keys; row->key; row++) {
		if (strcmp(row->key, key) == 0)
			return true;
	}
	return false;
}

static const ProtobufCMessageDescriptor *body_of(int type)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							(unsigned)(BODY_FIELD_NUMBER + type));

	return field ? field->descriptor : NULL;
}

static bool load_op(const char **text, enum field_op *op)
{
	static const struct {
		const char *sign;
		enum field_op op;
	} signs[] = { { ">=", FIELD_AT_LEAST },    { "<=", FIELD_AT_MOST }, { "!=", FIELD_NOT },
		      { ">", FIELD_OVER },         { "<", FIELD_UNDER },    { "=", FIELD_IN },
		      { "reaches", FIELD_REACHES } };

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		size_t n = strlen(signs[i].sign);

		if (strncmp(*text, signs[i].sign, n) != 0)
			continue;
		*text += n;
		*text += strspn(*text, " ");
		*op = signs[i].op;
		return true;
	}
	return false;
}

static bool load_number(struct loader *l, const struct yaml_node *node, struct field_test *t,
			bool alone, int64_t *out)
{
	const char *text;
	char *end;
	bool is_unsigned = t->field->type == PROTOBUF_C_TYPE_UINT32;

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return false;
	bool has_op = alone && load_op(&text, &t->op);
	bool is_count = strcmp(t->field->name, "count") == 0 && !t->type;
	long long number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || (t->op == FIELD_REACHES && !is_count)) {
		yaml_mistake(l->diag, node,
			     "'%s' is no number; write 3 or \">= 3\" (>=, <=, >, <, =, !=)",
			     yaml_text(node));
		return false;
	}
	if (is_unsigned && (number < 0 || (has_op && t->op == FIELD_UNDER && number == 0))) {
		yaml_mistake(l->diag, node, "'%s' is never below 0, so this rule can never match",
			     t->field->name);
		return false;
	}
	*out = number;
	return true;
}

/* The wanted values of one field: a value, or a sequence of which one must be met. */
static void load_test(struct loader *l, const struct yaml_node *node, struct field_test *t)
{
	size_t n = load_items(node);
	int64_t *numbers = load_alloc(l, n, sizeof *numbers);
	const char **words = load_alloc(l, n, sizeof *words);
	const char *text;
	bool yes;
	int value;

	if (!numbers || !words)
		return;
	t->op = FIELD_IN;
	t->numbers = numbers;
	t->words = words;
	t->n = n;
	if (n == 0 || n > POLICY_ITEMS_MAX) {
		yaml_mistake(l->diag, node, "%zu values; 1 to %d are allowed", n, POLICY_ITEMS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item = load_item(node, i);

		switch (t->field->type) {
		case PROTOBUF_C_TYPE_BOOL:
			if (yaml_read_bool(item, l->diag, &yes))
				numbers[i] = yes;
			break;
		case PROTOBUF_C_TYPE_ENUM:
			/* "" is what an unset one reads as, as of a text. */
			if (yaml_kind(item) == YAML_SCALAR && yaml_text_len(item) == 0)
				numbers[i] = 0;
			else if (load_enum(l, item, t->field->descriptor, t->field->name, &value))
				numbers[i] = value;
			break;
		case PROTOBUF_C_TYPE_STRING:
			/* "" is what an unset text reads as. */
			if (yaml_kind(item) == YAML_SCALAR && yaml_text_len(item) == 0)
				words[i] = "";
			else if (yaml_read_text(item, POLICY_NAME_BYTES, l->diag, &text))
				words[i] = load_copy(l, text);
			break;
		case PROTOBUF_C_TYPE_BYTES:
		case PROTOBUF_C_TYPE_MESSAGE:
			yaml_mistake(l->diag, node, "'%s' holds bytes; a rule can't compare them",
				     t->field->name);
			return;
		default: (void)load_number(l, item, t, n == 1, &numbers[i]); break;
		}
	}
}

static void unknown_field(struct loader *l, const struct yaml_node *key,
			  const ProtobufCMessageDescriptor *body, int type)
{
	const char *words[BODY_FIELDS_MAX + YAML_SCHEMA_KEYS_MAX + 1];
	char word[PBMAP_WORD_BYTES];
	size_t n = 0;

	for (unsigned i = 0; i < body->n_fields && i < BODY_FIELDS_MAX; i++)
		words[n++] = body->fields[i].name;
	for (const struct yaml_schema_key *row = schema_when.keys; row->key; row++)
		words[n++] = row->key;
	words[n] = NULL;
	const char *near = yaml_nearest(yaml_text(key), words);
	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, type, word))
		word[0] = '\0';
	if (near)
		yaml_mistake(l->diag, key, "a %s has no field '%.64s'; did you mean '%s'?", word,
			     yaml_text(key), near);
	else
		yaml_mistake(l->diag, key, "a %s has no field '%.64s'", word, yaml_text(key));
}

static void load_tests(struct loader *l, const struct yaml_node *when, struct condition *out)
{
	size_t n_types = (size_t)__builtin_popcountll(out->types), n_fields = 0;
	struct field_test *tests;

	for (size_t i = 0; i < yaml_count(when); i++)
		n_fields += !is_envelope_key(yaml_text(yaml_key_at(when, i)));
	tests = load_alloc(l, n_fields * n_types, sizeof *tests);
	if (!tests)
		return;
	out->tests = tests;
	for (size_t i = 0; i < yaml_count(when); i++) {
		const struct yaml_node *key = yaml_key_at(when, i);

		if (is_envelope_key(yaml_text(key)))
			continue;
		if (!yaml_get(when, "type")) {
			yaml_mistake(
				l->diag, key,
				"unknown key '%.64s'; a fact of the message's body needs 'type' beside it",
				yaml_text(key));
			continue;
		}
		for (int type = 1; type < POLICY_TYPES; type++) {
			const ProtobufCMessageDescriptor *body = body_of(type);
			const ProtobufCFieldDescriptor *field;

			if (!(out->types & UINT64_C(1) << type) || !body)
				continue;
			field = protobuf_c_message_descriptor_get_field_by_name(body,
										yaml_text(key));
			if (!field) {
				unknown_field(l, key, body, type);
				break;
			}
			tests[out->n_tests].type = (Ieum__V1__MessageType)type;
			tests[out->n_tests].field = field;
			load_test(l, yaml_at(when, i), &tests[out->n_tests++]);
		}
	}
}

static void load_sender_kinds(struct loader *l, const struct yaml_node *node, uint64_t *bits)
{
	const char *text;

	for (size_t i = 0; i < load_items(node); i++) {
		const struct yaml_node *item = load_item(node, i);

		if (!yaml_read_text(item, POLICY_NAME_BYTES, l->diag, &text))
			continue;
		int kind = policy_find_kind(l->p, text, strlen(text));
		if (kind != POLICY_NONE)
			*bits |= UINT64_C(1) << kind;
		else if (strcmp(text, "hub") == 0)
			*bits |= UINT64_C(1) << POLICY_KIND_HUB;
		else
			load_unknown(l, item, "kind", l->p->kind_words);
	}
}

static void load_senders(struct loader *l, const struct yaml_node *node, struct condition *out)
{
	int *senders = load_alloc(l, load_items(node), sizeof *senders);
	const char *text;

	if (!senders)
		return;
	out->senders = senders;
	for (size_t i = 0; i < load_items(node); i++) {
		const struct yaml_node *item = load_item(node, i);

		if (!yaml_read_text(item, POLICY_NAME_BYTES, l->diag, &text))
			continue;
		int who = policy_find_participant(l->p, text);
		if (who == POLICY_NONE)
			load_unknown(l, item, "participant", l->p->participant_words);
		else
			senders[out->n_senders++] = who;
	}
}

static void load_jurisdictions(struct loader *l, const struct yaml_node *node,
			       struct condition *out)
{
	const char **codes = load_alloc(l, load_items(node), sizeof *codes);
	char code[16];

	if (!codes)
		return;
	out->jurisdictions = codes;
	for (size_t i = 0; i < load_items(node); i++) {
		if (load_jurisdiction(l, load_item(node, i), code))
			codes[out->n_jurisdictions++] = load_copy(l, code);
	}
}

static void load_grades(struct loader *l, const struct yaml_node *node, struct condition *out)
{
	const char **grades = load_alloc(l, load_items(node), sizeof *grades);
	const char *text;

	if (!grades)
		return;
	out->grades = grades;
	for (size_t i = 0; i < load_items(node); i++) {
		if (yaml_read_text(load_item(node, i), POLICY_GRADE_BYTES - 1, l->diag, &text))
			grades[out->n_grades++] = load_copy(l, text);
	}
}

/* `count: {dispatches: ">= 3"}` */
static void load_counts(struct loader *l, const struct yaml_node *node, struct condition *out)
{
	static const ProtobufCFieldDescriptor count = { .name = "count",
							.type = PROTOBUF_C_TYPE_INT64 };
	struct count_test *tests;

	if (yaml_kind(node) != YAML_MAP || yaml_count(node) > POLICY_COUNTERS_MAX) {
		yaml_mistake(l->diag, node,
			     "'count' is a map of counters, for example {dispatches: \">= 3\"}");
		return;
	}
	tests = load_alloc(l, yaml_count(node), sizeof *tests);
	if (!tests)
		return;
	out->counts = tests;
	for (size_t i = 0; i < yaml_count(node); i++) {
		const struct yaml_node *key = yaml_key_at(node, i);
		struct count_test *t = &tests[out->n_counts];
		int64_t *numbers = load_alloc(l, 1, sizeof *numbers);

		if (!numbers)
			return;
		t->counter = load_counter_index(l, key, yaml_text(key));
		t->is = (struct field_test){
			.field = &count, .op = FIELD_IN, .numbers = numbers, .n = 1
		};
		if (t->counter == POLICY_NONE ||
		    !load_number(l, yaml_at(node, i), &t->is, true, numbers))
			continue;
		out->n_counts++;
		if (t->is.op == FIELD_REACHES && l->p->counters[t->counter].is.distinct)
			yaml_mistake(l->diag, yaml_at(node, i),
				     "'reaches' compares with the count without this message, "
				     "which of different senders isn't known; write \"= %lld\"",
				     (long long)*numbers);
		if (!l->p->counters[t->counter].weight.name && *numbers > POLICY_COUNT_MARKS_MAX)
			yaml_mistake(l->diag, yaml_at(node, i),
				     "a counter never counts further than %d",
				     POLICY_COUNT_MARKS_MAX);
	}
}

/* What is known of the case that the message goes into. */
static void load_case_conditions(struct loader *l, const struct yaml_node *when,
				 struct condition *out)
{
	const struct yaml_node *node;
	uint64_t bits = 0;

	if ((node = yaml_get(when, "case_state")) &&
	    load_enum_bits(l, node, &ieum__v1__case_state__descriptor, "case state", &bits))
		out->case_states = (uint32_t)bits;
	if ((node = yaml_get(when, "grade")))
		load_grades(l, node, out);
	if ((node = yaml_get(when, "count")))
		load_counts(l, node, out);
}

/* true, false, or either (the default is the caller's). */
static void load_three(struct loader *l, const struct yaml_node *when, const char *key, int *out)
{
	const struct yaml_node *node = yaml_get(when, key);
	const char *text = yaml_text(node);
	bool yes;

	if (!node)
		return;
	if (text && strcmp(text, "either") == 0)
		*out = -1;
	else if (yaml_read_bool(node, l->diag, &yes))
		*out = yes;
}

void load_condition(struct loader *l, const struct yaml_node *when, struct condition *out)
{
	const struct yaml_node *type = yaml_get(when, "type"), *node;
	uint64_t bits = 0;

	out->types = ((UINT64_C(1) << POLICY_TYPES) - 1) & ~UINT64_C(1);
	out->opens_case = out->working_hours = out->consent_withdrawn = out->drill = -1;
	out->linked_set = -1;
	if (when && yaml_kind(when) != YAML_MAP) {
		yaml_mistake(l->diag, when, "'when' must be a map, for example {type: referral}");
		out->types = 0;
		return;
	}
	if (type && !load_enum_bits(l, type, &ieum__v1__message_type__descriptor, "message type",
				    &out->types)) {
		out->types = 0;
		return;
	}
	if ((node = yaml_get(when, "category")) &&
	    load_enum_bits(l, node, &ieum__v1__category__descriptor, "category", &bits))
		out->categories = (uint32_t)bits;
	if ((node = yaml_get(when, "urgency")) &&
	    load_enum_bits(l, node, &ieum__v1__urgency__descriptor, "urgency", &bits))
		out->urgencies = (uint32_t)bits;
	if ((node = yaml_get(when, "basis")) &&
	    load_enum_bits(l, node, &ieum__v1__basis_kind__descriptor, "legal basis", &bits))
		out->bases = (uint32_t)bits;
	if ((node = yaml_get(when, "replies_to")))
		(void)load_enum_bits(l, node, &ieum__v1__message_type__descriptor, "message type",
				     &out->replies_to);
	if ((node = yaml_get(when, "sender_kind")))
		load_sender_kinds(l, node, &out->sender_kinds);
	if ((node = yaml_get(when, "sender")))
		load_senders(l, node, out);
	if ((node = yaml_get(when, "jurisdiction")))
		load_jurisdictions(l, node, out);
	load_three(l, when, "addressed", &out->addressed);
	load_three(l, when, "opens_case", &out->opens_case);
	load_three(l, when, "working_hours", &out->working_hours);
	load_case_conditions(l, when, out);
	load_three(l, when, "consent_withdrawn", &out->consent_withdrawn);
	load_three(l, when, "linked_set", &out->linked_set);
	load_three(l, when, "drill", &out->drill);
	load_tests(l, when, out);
}
