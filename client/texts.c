/* The rows behind texts.h. */
#include "client/texts.h"

#include <stddef.h>

#include "proto/catalog.h"

static const char *const rows[] = {
#define X(name, english) [TEXT_##name] = (english),
	IEUM_TEXTS(X)
#undef X
};

const char *text(enum text_id id, enum words_lang lang)
{
	return (size_t)id < TEXT_COUNT_OF ? catalog_text(lang, rows[id]) : "";
}
