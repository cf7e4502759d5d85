/* Hub files as text; see hub_text.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/hub_text.h"

char *hub_text_changed(const char *good, const char *find, const char *replace)
{
	const char *at = strstr(good, find);
	size_t bytes = strlen(good) + strlen(replace) + 1;
	char *text = malloc(bytes);

	if (!at)
		fail_msg("the good file has no '%s'", find);
	assert_non_null(text);
	(void)snprintf(text, bytes, "%.*s%s%s", (int)(at - good), good, replace, at + strlen(find));
	return text;
}

struct policy *hub_text_parsed(const char *text)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;

	yaml_diag_init(&diag);
	if (policy_parse("hub.yaml", text, strlen(text), &diag, &p) != IEUM_E_OK) {
		yaml_diag_print(&diag, stderr);
		fail_msg("the file should have no mistake");
	}
	return p;
}

/* "hub.yaml:line:column: " of the first `at` in the text; columns count characters. */
static void place_of(const char *text, const char *at, char *out, size_t out_bytes)
{
	const char *end = strstr(text, at);
	int line = 1, column = 1;

	if (!end)
		fail_msg("'%s' isn't in the changed file", at);
	for (const char *c = text; c < end; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if ((*c & 0xc0) != 0x80) {
			column++;
		}
	}
	(void)snprintf(out, out_bytes, "hub.yaml:%d:%d: ", line, column);
}

void hub_text_check(const char *good, const struct hub_text_mistake *m, size_t n)
{
	static struct yaml_diag diag;
	struct policy *p = NULL;
	char place[64];
	char *text = hub_text_changed(good, m->find, m->replace);

	yaml_diag_init(&diag);
	assert_int_equal(policy_parse("hub.yaml", text, strlen(text), &diag, &p),
			 IEUM_E_FILE_INVALID);
	assert_null(p);
	place_of(text, m->at, place, sizeof place);
	if (diag.count != n || strncmp(diag.mistakes[0].text, place, strlen(place)) != 0 ||
	    !strstr(diag.mistakes[0].text, m->says)) {
		yaml_diag_print(&diag, stderr);
		fail_msg("'%s': expected %s…%s…", m->replace, place, m->says);
	}
	free(text);
}
