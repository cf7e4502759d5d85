/* The rows behind texts.h. */
#include "client/texts.h"

#include <stddef.h>

static const char *const rows[][2] = {
#define X(name, en, ko) [TEXT_##name] = { [WORDS_EN] = (en), [WORDS_KO] = (ko) },
	IEUM_TEXTS(X)
#undef X
};

const char *text(enum text_id id, enum words_lang lang)
{
	return (size_t)id < TEXT_COUNT_OF ? rows[id][lang == WORDS_KO] : "";
}
