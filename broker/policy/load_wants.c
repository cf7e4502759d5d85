/* What a rule reads of the message's body by the name of a field, "$language": whom it may be
 * asked of, and when the person is to be reached. */
#include "broker/policy/load.h"

#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/catalog.h"

enum { BODY_FIELD_NUMBER = 100 };

bool load_field_ref(struct loader *l, const struct yaml_node *node, uint64_t types,
		    ProtobufCType type, const char *use, struct field_ref *out)
{
	const char *text = yaml_text(node);

	out->name = load_copy(l, text + 1);
	for (unsigned i = 1; i < POLICY_TYPES; i++) {
		const ProtobufCFieldDescriptor *body =
			protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
								BODY_FIELD_NUMBER + i);
		const ProtobufCFieldDescriptor *field = NULL;

		if (!(types & UINT64_C(1) << i))
			continue;
		if (body)
			field = protobuf_c_message_descriptor_get_field_by_name(body->descriptor,
										text + 1);
		if (!field || field->type != type || field->label == PROTOBUF_C_LABEL_REPEATED) {
			yaml_mistake(l->diag, node, "a %s has no %s '%s' %s",
				     body ? body->name : tr("message"),
				     type == PROTOBUF_C_TYPE_STRING  ? tr("text field")
				     : type == PROTOBUF_C_TYPE_INT64 ? tr("time")
								     : tr("field"),
				     text + 1, tr(use));
			return false;
		}
		out->of[i] = field;
	}
	return true;
}

static bool is_field(const struct yaml_node *node)
{
	const char *text = yaml_text(node);

	return text && *text == '$';
}

static void load_wanted_language(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	char tag[LANGUAGE_BYTES];

	if (is_field(node))
		(void)load_field_ref(l, node, rule->when.types, PROTOBUF_C_TYPE_STRING,
				     "that could name a language", &rule->matching.language_field);
	else if (load_language(l, node, tag))
		rule->matching.language = load_copy(l, tag);
}

static void load_wanted_sex(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	struct field_ref *field = &rule->matching.sex_field;

	if (!is_field(node)) {
		(void)load_enum(l, node, &ieum__v1__sex__descriptor, "sex", &rule->matching.sex);
		return;
	}
	if (!load_field_ref(l, node, rule->when.types, PROTOBUF_C_TYPE_ENUM, "that could say a sex",
			    field))
		return;
	for (unsigned i = 1; i < POLICY_TYPES; i++) {
		if (field->of[i] && field->of[i]->descriptor != &ieum__v1__sex__descriptor) {
			yaml_mistake(l->diag, node, "'%s' says no sex", field->name);
			return;
		}
	}
}

void load_matching(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const struct yaml_node *language = yaml_get(node, "language"), *sex = yaml_get(node, "sex");

	if (!yaml_schema_check(node, &schema_matching, l->diag))
		return;
	rule->matching.used = true;
	if (!language && !sex)
		yaml_mistake(l->diag, node, "'matching' needs 'language', 'sex' or both");
	if (language)
		load_wanted_language(l, language, rule);
	if (sex)
		load_wanted_sex(l, sex, rule);
}

bool load_time_ref(struct loader *l, const struct yaml_node *node, const char *key, uint64_t types,
		   const char *use, struct field_ref *out)
{
	if (is_field(node))
		return load_field_ref(l, node, types, PROTOBUF_C_TYPE_INT64, use, out);
	yaml_mistake(l->diag, node, "'%s' names a time of the body, for example $visit_by_at_ms",
		     key);
	return false;
}

void load_contact_at(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	(void)load_time_ref(l, node, "contact_at", rule->when.types,
			    "at which a person could be reached", &rule->contact_at);
}
