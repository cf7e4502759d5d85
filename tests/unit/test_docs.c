/* The tables of docs/protocol.md say what the code does, and the pages on the hub file and on
 * scenario files leave no key out. */
#include <ctype.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/task_state.h"
#include "broker/policy/schema.h"
#include "broker/policy/trial.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/error.h"
#include "proto/pbmap.h"
#include "scenarios/schema.h"

enum { FIRST_LOCAL_ERROR = 70 }; /* from here on never on the wire */

static char *doc;                       /* the protocol */
static char *hub_file, *hub_mechanisms; /* the two pages on the hub file */
static char *scenario_file;             /* the page on scenario files */

static int read_page(const char *path, char **text)
{
	FILE *f = fopen(path, "r");
	size_t len = 0;

	if (!f || getdelim(text, &len, '\0', f) < 0)
		return -1;
	return fclose(f);
}

static int read_docs(void **state)
{
	(void)state;
	return read_page("docs/protocol.md", &doc) || read_page("docs/hub-file.md", &hub_file) ||
	       read_page("docs/hub-mechanisms.md", &hub_mechanisms) ||
	       read_page("tests/scenarios/README.md", &scenario_file);
}

static int free_docs(void **state)
{
	(void)state;
	free(doc);
	free(hub_file);
	free(hub_mechanisms);
	free(scenario_file);
	return 0;
}

/* What the documentation's row of a state must be. */
static void state_row(Ieum__V1__TaskState s, char *row, size_t row_bytes)
{
	char name[PBMAP_WORD_BYTES];
	char word[PBMAP_WORD_BYTES];

	pbmap_enum_word(&ieum__v1__task_state__descriptor, (int)s, name);
	int n = snprintf(row, row_bytes, "\n| %s |", name);
	for (int a = 1; a < TASK_ANSWERS; a++) {
		Ieum__V1__TaskState to = task_state_after(s, (Ieum__V1__AnswerKind)a);
		pbmap_enum_word(&ieum__v1__task_state__descriptor, (int)to, word);
		const char *cell = to == s ? "same" : to ? word : "–";
		n += snprintf(row + n, row_bytes - (size_t)n, " %s |", cell);
	}
}

static void the_state_table_is_the_codes(void **state)
{
	char row[512];

	(void)state;
	for (int s = 1; s < TASK_STATES; s++) {
		state_row((Ieum__V1__TaskState)s, row, sizeof row);
		if (!strstr(doc, row))
			fail_msg("docs/protocol.md lacks the row%s", row);
	}
}

static void the_error_table_is_the_codes(void **state)
{
	char row[512];

	(void)state;
	for (int number = 1; number < FIRST_LOCAL_ERROR; number++) {
		const struct ieum_error_row *e = ieum_error(number);
		if (e->number != number)
			continue;
		const char *again = e->retry == IEUM_RETRY_NO      ? "no"
				    : e->retry == IEUM_RETRY_LATER ? "later"
								   : "on a new connection";
		snprintf(row, sizeof row, "\n| %d | `%s` | %s | %s | %s |", number, e->name,
			 ieum_fault_name(e->fault), again, e->text);
		if (!strstr(doc, row))
			fail_msg("docs/protocol.md lacks the row%s", row);
	}
}

/* ---- the hub file ---- */

/* From the heading of a section to the next one; NULL: there is no such heading. */
static char *section_of(const char *page, const char *name)
{
	char heading[80];

	snprintf(heading, sizeof heading, "\n## %s\n", name);
	const char *from = strstr(page, heading);
	if (!from)
		return NULL;
	const char *next = strstr(from + strlen(heading), "\n## ");
	return next ? strndup(from, (size_t)(next - from)) : strdup(from);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* As a whole word in a block or a span of code: both lie between odd and even backticks. */
static bool shows(const char *section, const char *key)
{
	const size_t len = strlen(key);
	bool code = false;

	for (const char *at = section; *at; at++) {
		code ^= *at == '`';
		if (code && strncmp(at, key, len) == 0 && !is_word(at[-1]) && !is_word(at[len]))
			return true;
	}
	return false;
}

static void check_type(const char *name, const char *section, const struct yaml_schema_type *type);

static void check_keys(const char *name, const char *section, const struct yaml_schema *map)
{
	for (const struct yaml_schema_key *row = map->keys; row->key; row++) {
		if (!shows(section, row->key))
			fail_msg("'%s' of the pages on files does not explain '%s'", name,
				 row->key);
		check_type(name, section, &row->type);
	}
	if (map->other_keys)
		check_type(name, section, &map->other_type);
}

/* What several sections have is explained once: a title before all sections, the others with rules. */
static bool is_elsewhere(const char *name, const struct yaml_schema *map)
{
	return map == &schema_title ||
	       (strcmp(name, "rules") != 0 && (map == &schema_when || map == &schema_emit));
}

static void check_type(const char *name, const char *section, const struct yaml_schema_type *type)
{
	if (type->map && !is_elsewhere(name, type->map))
		check_keys(name, section, type->map);
	if (type->of)
		check_type(name, section, type->of);
	if (type->other)
		check_type(name, section, type->other);
}

static void every_key_of_the_hub_file_is_explained(void **state)
{
	(void)state;
	for (const struct yaml_schema_key *row = schema_file.keys; row->key; row++) {
		char *section = section_of(hub_file, row->key);

		if (!section)
			section = section_of(hub_mechanisms, row->key);
		if (!section)
			fail_msg("no page on the hub file has a section '%s'", row->key);
		check_type(row->key, section, &row->type);
		free(section);
	}
}

static void every_key_of_a_policys_tests_is_explained(void **state)
{
	char *section = section_of(hub_file, "tests");

	(void)state;
	assert_non_null(section);
	check_keys("tests", section, &trial_schema_file);
	free(section);
}

static void every_key_of_a_scenario_is_explained(void **state)
{
	(void)state;
	check_keys("scenarios", scenario_file, &scenario_schema_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_state_table_is_the_codes),
		cmocka_unit_test(the_error_table_is_the_codes),
		cmocka_unit_test(every_key_of_the_hub_file_is_explained),
		cmocka_unit_test(every_key_of_a_policys_tests_is_explained),
		cmocka_unit_test(every_key_of_a_scenario_is_explained),
	};

	return cmocka_run_group_tests_name("docs", tests, read_docs, free_docs);
}
