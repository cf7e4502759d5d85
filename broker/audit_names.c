/* Names by number; see audit_names.h. */
#include "broker/audit_names.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1 << 21 };

static enum ieum_err reach(struct audit_names *names, uint32_t number)
{
	if (number == 0 || number > NAMES_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	if (number <= names->n)
		return IEUM_E_OK;
	char **texts = realloc(names->texts, number * sizeof *texts);
	if (!texts)
		return IEUM_E_NO_MEMORY;
	memset(texts + names->n, 0, (number - names->n) * sizeof *texts);
	names->texts = texts;
	names->n = number;
	return IEUM_E_OK;
}

enum ieum_err audit_names_take(struct audit_names *names, Ieum__V1__NumberedName *const *from,
			       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum ieum_err err = reach(names, from[i]->number);
		if (err)
			return err;
		char **text = &names->texts[from[i]->number - 1];
		free(*text);
		*text = strdup(from[i]->name);
		if (!*text)
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

const char *audit_names_of(const struct audit_names *names, uint32_t number)
{
	const char *text = number && number <= names->n ? names->texts[number - 1] : NULL;

	return text ? text : "";
}

void audit_names_deinit(struct audit_names *names)
{
	for (uint32_t i = 0; i < names->n; i++)
		free(names->texts[i]);
	free(names->texts);
}
