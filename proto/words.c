/* The rows behind words.h. */
#include "proto/words.h"

#include <stdlib.h>
#include <string.h>

#include "proto/catalog.h"

static const struct words_row rows[] = {
#define X(group, code, text) { WORDS_##group, #code, text },
	IEUM_WORDS(X)
#undef X
};

const struct words_row *words_rows(size_t *count)
{
	*count = sizeof rows / sizeof rows[0];
	return rows;
}

const struct words_row *words_find(const char *code)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
	}
	return NULL;
}

const char *words_text(const char *code, enum words_lang lang)
{
	const struct words_row *row = words_find(code);

	if (!row)
		return code;
	return catalog_text(lang, row->text);
}

bool words_lang_named(const char *name, enum words_lang *lang)
{
	static const char codes[][3] = { [WORDS_EN] = "en", [WORDS_KO] = "ko" };

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		/* A locale's name goes on with country, encoding or variant. */
		if (strncmp(name, codes[i], 2) == 0 && strchr("_-.@", name[2])) {
			*lang = (enum words_lang)i;
			return true;
		}
	}
	return false;
}

enum words_lang words_lang_chosen(const char *name)
{
	static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	enum words_lang lang = WORDS_EN;

	for (size_t i = 0; (!name || !*name) && i < sizeof variables / sizeof variables[0]; i++)
		name = getenv(variables[i]);
	if (name)
		(void)words_lang_named(name, &lang);
	return lang;
}
