/* Mistakes in YAML files; see yaml_diag.h. */
#include "yaml/yaml_diag.h"

#include <ctype.h>
#include <string.h>

#include "proto/catalog.h"

enum {
	NEAREST_BYTES_MAX = 64, /* longer words are never suggested */
};

void yaml_diag_init(struct yaml_diag *diag)
{
	diag->count = 0;
}

void yaml_diag_addv(struct yaml_diag *diag, const char *file, int line, int column,
		    const char *format, va_list args)
{
	if (diag->count >= YAML_MISTAKES_MAX) {
		diag->count++;
		return;
	}
	struct yaml_mistake *m = &diag->mistakes[diag->count++];
	int at;

	m->line = line;
	m->column = column;
	if (line > 0)
		at = snprintf(m->text, sizeof m->text, "%s:%d:%d: ", file, line, column);
	else
		at = snprintf(m->text, sizeof m->text, "%s: ", file);
	if (at < 0)
		at = 0;
	if ((size_t)at < sizeof m->text)
		(void)vsnprintf(m->text + at, sizeof m->text - (size_t)at, tr(format), args);
}

void yaml_diag_add(struct yaml_diag *diag, const char *file, int line, int column,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	yaml_diag_addv(diag, file, line, column, format, args);
	va_end(args);
}

void yaml_diag_print(const struct yaml_diag *diag, FILE *out)
{
	size_t kept = yaml_diag_kept(diag);

	for (size_t i = 0; i < kept; i++)
		fprintf(out, "%s\n", diag->mistakes[i].text);
	if (diag->count > kept)
		fprintf(out, tr("… and %zu more\n"), diag->count - kept);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edits (insert, delete, change, swap neighbours) from one word to the other. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAREST_BYTES_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		int ca = tolower((unsigned char)a[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			int cb = tolower((unsigned char)b[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		size_t *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

const char *yaml_nearest(const char *text, const char *const *words)
{
	size_t n = strlen(text);
	const char *best = NULL;
	size_t best_edits = n < 4 ? 2 : n < 8 ? 3 : 4; /* must be fewer than this */

	if (n == 0 || n > NEAREST_BYTES_MAX)
		return NULL;
	for (; *words; words++) {
		size_t m = strlen(*words);

		if (m > NEAREST_BYTES_MAX)
			continue;
		size_t edits = distance(text, n, *words, m);
		if (edits < best_edits) {
			best = *words;
			best_edits = edits;
		}
	}
	return best;
}
