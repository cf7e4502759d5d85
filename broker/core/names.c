/* Names that the state keeps; see names.h. */
#include "broker/core/names.h"

#include <stdlib.h>
#include <string.h>

void names_deinit(struct names *n)
{
	for (uint32_t i = 0; i < n->n; i++)
		free(n->texts[i]);
	free(n->texts);
	*n = (struct names){ 0 };
}

uint32_t names_find(const struct names *n, const char *text)
{
	for (uint32_t i = 0; i < n->n; i++)
		if (strcmp(n->texts[i], text) == 0)
			return i + 1;
	return 0;
}

uint32_t names_number(struct names *n, const char *text)
{
	uint32_t number = names_find(n, text);

	if (number || n->n == NAMES_MAX)
		return number;
	if (n->n == n->cap) {
		uint32_t cap = n->cap ? 2 * n->cap : 16;
		char **texts = realloc(n->texts, cap * sizeof *texts);
		if (!texts)
			return 0;
		n->texts = texts;
		n->cap = cap;
	}
	n->texts[n->n] = strdup(text);
	return n->texts[n->n] ? ++n->n : 0;
}

const char *names_text(const struct names *n, uint32_t number)
{
	return number && number <= n->n ? n->texts[number - 1] : "";
}
