/* The tables of the YAML loaders and the JSON Schemas made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/policy/schema.h"
#include "proto/schema_json.h"
#include "tests/schema/files.h"

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail_msg("%s: cannot be opened", path);
	assert_true(getdelim(&text, &size, '\0', file) >= 0);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void the_kept_schemas_are_the_tables(void **state)
{
	(void)state;
	for (const struct schema_file *f = schema_files; f->path; f++) {
		char *kept = read_all(f->path), *made = NULL;

		assert_int_equal(schema_json(f->table, &made), IEUM_E_OK);
		if (strcmp(kept, made) != 0)
			fail_msg("%s is not what its table gives; run `make schemas`", f->path);
		free(kept);
		free(made);
	}
}

/* Every row has a line for the editor, no key is there twice, words and maps are not empty. */
static void check_table(const struct yaml_schema *map)
{
	size_t n = 0;

	assert_non_null(map->line);
	for (const struct yaml_schema_key *row = map->keys; row->key; row++, n++) {
		assert_non_null(row->line);
		for (const struct yaml_schema_key *other = map->keys; other < row; other++)
			assert_string_not_equal(other->key, row->key);
		if (row->type.is == YAML_SCHEMA_MAP)
			check_table(row->type.map);
		if (row->type.of && row->type.of->is == YAML_SCHEMA_MAP)
			check_table(row->type.of->map);
	}
	assert_in_range(n, 1, YAML_SCHEMA_KEYS_MAX);
}

static void the_tables_are_whole(void **state)
{
	(void)state;
	for (const struct schema_file *f = schema_files; f->path; f++)
		check_table(f->table);
}

static const struct yaml_schema inner = {
	.name = "inner",
	.line = "Inside.",
	.keys = SCHEMA_KEYS{ { "deep", SCHEMA_SPAN(1, 5000), SCHEMA_NEEDED, "how deep" },
			     SCHEMA_END },
};

static const struct yaml_schema small = {
	.name = "small",
	.line = "A small file.",
	.keys =
		SCHEMA_KEYS{
			{ "n", SCHEMA_INT(1, 9), SCHEMA_NEEDED, "a number" },
			{ "word", SCHEMA_WORD("any", "each"), SCHEMA_OPTIONAL, "a word" },
			{ "bytes", SCHEMA_BYTES(1, 2048), SCHEMA_OPTIONAL, "a size" },
			{ "inside", SCHEMA_MANY(SCHEMA_MAP(inner)), SCHEMA_OPTIONAL,
			  "one or several" },
			SCHEMA_END,
		},
};

static void a_table_becomes_a_schema(void **state)
{
	const char *kind, *pointer;
	json_int_t most;
	char *text = NULL;

	(void)state;
	assert_int_equal(schema_json(&small, &text), IEUM_E_OK);
	json_t *doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_unpack(doc, "{s:{s:{s:s, s:I}}}", "properties", "n", "type", &kind,
				     "maximum", &most),
			 0);
	assert_string_equal(kind, "integer");
	assert_int_equal(most, 9);
	assert_int_equal(json_unpack(doc, "{s:{s:{s:[{s:s}, {s:{s:s}}]}}}", "properties", "inside",
				     "anyOf", "$ref", &pointer, "items", "$ref", &pointer),
			 0);
	assert_string_equal(pointer, "#/$defs/inner");
	assert_true(json_is_false(json_object_get(doc, "additionalProperties")));
	json_decref(doc);
	free(text);
}

/* Reads `text` by the small table. */
static size_t mistakes_of(const char *text, int64_t *n, size_t *word, int64_t *bytes)
{
	struct yaml_diag diag;
	struct yaml_doc *doc = NULL;

	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("f", text, strlen(text), &diag, &doc), IEUM_E_OK);
	const struct yaml_node *root = yaml_doc_root(doc);

	(void)yaml_schema_check(root, &small, &diag);
	(void)yaml_schema_opt_int(root, &small, "n", &diag, n);
	(void)yaml_schema_opt_word(root, &small, "word", &diag, word);
	(void)yaml_schema_opt_bytes(root, &small, "bytes", &diag, bytes);
	yaml_doc_free(doc);
	return diag.count;
}

static void a_table_checks_a_map(void **state)
{
	int64_t n = 0, bytes = 0;
	size_t word = 0;

	(void)state;
	assert_int_equal(mistakes_of("{n: 9, word: each, bytes: 2 KiB}", &n, &word, &bytes), 0);
	assert_int_equal(n, 9);
	assert_int_equal(word, 1);
	assert_int_equal(bytes, 2048);
	assert_int_equal(mistakes_of("{n: 10}", &n, &word, &bytes), 1);
	assert_int_equal(mistakes_of("{word: every}", &n, &word, &bytes), 1);
	assert_int_equal(mistakes_of("{bytes: 3 KiB}", &n, &word, &bytes), 1);
	assert_int_equal(mistakes_of("{m: 1}", &n, &word, &bytes), 1);
	assert_int_equal(mistakes_of("[1]", &n, &word, &bytes), 1);
}

static void a_condition_offers_the_facts_of_every_body(void **state)
{
	const char *pattern = NULL;
	char *text = NULL;

	(void)state;
	assert_int_equal(schema_json(&schema_file, &text), IEUM_E_OK);
	json_t *doc = json_loads(text, 0, NULL);
	json_t *when = json_object_get(json_object_get(json_object_get(doc, "$defs"), "when"),
				       "properties");

	assert_non_null(json_object_get(when, "child_at_home"));
	assert_int_equal(json_unpack(when, "{s:{s:[{s:[{}, {s:s}]}]}}", "dispatches_in_year",
				     "anyOf", "anyOf", "pattern", &pattern),
			 0);
	assert_non_null(strstr(pattern, ">="));
	/* What a rule says of every message is no fact of a body of the same name. */
	assert_string_equal(json_string_value(json_object_get(json_object_get(when, "category"),
							      "description")),
			    "the message's, or when it names none its case's");
	json_decref(doc);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kept_schemas_are_the_tables),
		cmocka_unit_test(the_tables_are_whole),
		cmocka_unit_test(a_table_becomes_a_schema),
		cmocka_unit_test(a_table_checks_a_map),
		cmocka_unit_test(a_condition_offers_the_facts_of_every_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
