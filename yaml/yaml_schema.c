/* Checking YAML maps by their tables; see yaml_schema.h. */
#include "yaml/yaml_schema.h"

#include <assert.h>
#include <string.h>

bool yaml_schema_check(const struct yaml_node *node, const struct yaml_schema *schema,
		       struct yaml_diag *diag)
{
	const char *words[YAML_SCHEMA_KEYS_MAX + 1];
	size_t n = 0;

	if (schema->other_keys || schema->facts_of)
		return yaml_kind(node) == YAML_MAP || yaml_expected(node, "a map", diag);
	for (; schema->keys[n].key; n++) {
		assert(n < YAML_SCHEMA_KEYS_MAX);
		words[n] = schema->keys[n].key;
	}
	words[n] = NULL;
	return yaml_check_map(node, words, diag);
}

const struct yaml_schema_key *yaml_schema_row(const struct yaml_schema *schema, const char *key)
{
	const struct yaml_schema_key *row = schema->keys;

	while (row->key && strcmp(row->key, key) != 0)
		row++;
	assert(row->key);
	return row;
}

bool yaml_schema_opt_int(const struct yaml_node *map, const struct yaml_schema *schema,
			 const char *key, struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_schema_type *type = &yaml_schema_row(schema, key)->type;

	assert(type->is == YAML_SCHEMA_INT);
	return yaml_opt_int(map, key, type->min, type->max, diag, out);
}

bool yaml_schema_opt_word(const struct yaml_node *map, const struct yaml_schema *schema,
			  const char *key, struct yaml_diag *diag, size_t *out)
{
	const struct yaml_schema_type *type = &yaml_schema_row(schema, key)->type;

	assert(type->is == YAML_SCHEMA_WORD);
	return yaml_opt_word(map, key, type->words, diag, out);
}

bool yaml_schema_opt_span_ms(const struct yaml_node *map, const struct yaml_schema *schema,
			     const char *key, struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_schema_type *type = &yaml_schema_row(schema, key)->type;

	assert(type->is == YAML_SCHEMA_SPAN);
	return yaml_opt_duration_ms(map, key, type->min, type->max, diag, out);
}

bool yaml_schema_opt_bytes(const struct yaml_node *map, const struct yaml_schema *schema,
			   const char *key, struct yaml_diag *diag, int64_t *out)
{
	const struct yaml_schema_type *type = &yaml_schema_row(schema, key)->type;

	assert(type->is == YAML_SCHEMA_BYTES);
	return yaml_opt_bytes(map, key, type->min, type->max, diag, out);
}
