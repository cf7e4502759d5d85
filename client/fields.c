/* The rows behind fields.h. */
#include "client/fields.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code;
	const char *texts[2];
} rows[] = {
#define X(code, en, ko) { #code, { [WORDS_EN] = (en), [WORDS_KO] = (ko) } },
	IEUM_FIELDS(X)
#undef X
};

const char *field_text(const char *code, enum words_lang lang)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].texts[lang == WORDS_KO];
	}
	return NULL;
}
