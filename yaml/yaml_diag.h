/* The mistakes found in YAML files, each with its place and what to do about it.
 *
 * A loader goes through a whole file and adds every mistake it meets; whoever
 * called it looks at `count` once at the end.  Plain memory: nothing to free.
 * One owner at a time. */
#ifndef IEUM_YAML_YAML_DIAG_H
#define IEUM_YAML_YAML_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	YAML_MISTAKES_MAX = 50,   /* kept; further ones are counted only */
	YAML_MISTAKE_BYTES = 320, /* longest text, NUL included; longer ones are cut */
};

struct yaml_mistake {
	int line;   /* 1 = first; 0 = the file as a whole */
	int column; /* 1 = first, in characters */
	/* "hub.yaml:12:3: unknown key 'kynd'; did you mean 'kind'?" */
	char text[YAML_MISTAKE_BYTES];
};

struct yaml_diag {
	size_t count; /* mistakes found in all; the first YAML_MISTAKES_MAX of them are kept */
	struct yaml_mistake mistakes[YAML_MISTAKES_MAX];
};

/* No mistakes yet. */
void yaml_diag_init(struct yaml_diag *diag);

/* How many of the mistakes can be read. */
static inline size_t yaml_diag_kept(const struct yaml_diag *diag)
{
	return diag->count < YAML_MISTAKES_MAX ? diag->count : YAML_MISTAKES_MAX;
}

/* One mistake a line, in the order of finding, then how many more there were. */
void yaml_diag_print(const struct yaml_diag *diag, FILE *out);

/* Adds a mistake, in the language of the process (proto/catalog.h); line 0 leaves line and column
 * out of its text. */
void yaml_diag_add(struct yaml_diag *diag, const char *file, int line, int column,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));
void yaml_diag_addv(struct yaml_diag *diag, const char *file, int line, int column,
		    const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* The word nearest to `text` among `words` (ends with NULL), or NULL when none is so near
 * that it was probably meant.  Borrows; case does not count. */
const char *yaml_nearest(const char *text, const char *const *words);

#endif
