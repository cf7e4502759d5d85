/* The tables of docs/protocol.md say what the code does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/task_state.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/error.h"
#include "proto/pbmap.h"

enum { FIRST_LOCAL_ERROR = 70 }; /* from here on never on the wire */

static char *doc;

static int read_doc(void **state)
{
	FILE *f = fopen("docs/protocol.md", "r");
	size_t len = 0;

	(void)state;
	if (!f || getdelim(&doc, &len, '\0', f) < 0)
		return -1;
	return fclose(f);
}

static int free_doc(void **state)
{
	(void)state;
	free(doc);
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
			 ieum_fault_name(e->fault), again, e->text_en);
		if (!strstr(doc, row))
			fail_msg("docs/protocol.md lacks the row%s", row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_state_table_is_the_codes),
		cmocka_unit_test(the_error_table_is_the_codes),
	};

	return cmocka_run_group_tests_name("docs", tests, read_doc, free_doc);
}
