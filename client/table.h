/* A table for people: columns aligned also with Korean text, colour only where it is wanted.
 *
 * Widths count terminal cells: a Hangul syllable takes two.  Control characters of a cell are shown
 * as '?', so that a name from the wire can't move the cursor.  One owner at a time. */
#ifndef IEUM_CLIENT_TABLE_H
#define IEUM_CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "proto/error.h"

enum {
	TABLE_COLUMNS_MAX = 16,
	TABLE_ROWS_MAX = 100000,
	TABLE_CELL_BYTES_MAX = 4096, /* a longer cell is cut at a character */
};

enum table_align { TABLE_LEFT, TABLE_RIGHT };

enum table_colour {
	TABLE_PLAIN,
	TABLE_BOLD,
	TABLE_DIM,
	TABLE_RED,
	TABLE_YELLOW,
	TABLE_GREEN,
};

struct table;

/* A table without rows; NULL when out of memory. */
struct table *table_new(void);
void table_free(struct table *table);

/* Adds a column; before the first row.  Copies the title (NULL: this column has none; when no
 * column has one there is no title line).  least_cells: where the table is wider than what it is
 * printed into, this column may be cut down to so many cells and its wider texts end in "…"; 0: never,
 * as what tells rows apart. */
enum ieum_err table_column(struct table *table, const char *title, enum table_align align,
			   size_t least_cells) IEUM_MUST_CHECK;

/* Begins a row; table_cell() then fills its columns from left to right.  Missing cells are
 * empty. */
enum ieum_err table_row(struct table *table) IEUM_MUST_CHECK;
enum ieum_err table_cell(struct table *table,
			 const char *text) IEUM_MUST_CHECK; /* copies; NULL is empty */
enum ieum_err table_cell_colour(struct table *table, const char *text,
				enum table_colour colour) IEUM_MUST_CHECK;
enum ieum_err table_cellf(struct table *table, const char *format, ...) IEUM_MUST_CHECK
	__attribute__((format(printf, 2, 3)));

/* Prints it, two spaces between columns, no spaces at the end of a line.  `into`: so many cells are
 * there for a line; 0: any number, nothing is cut. */
void table_print(const struct table *table, FILE *out, bool colour, size_t into);

/* How many cells a line has there; 0: it is no terminal, or doesn't say. */
size_t table_terminal_cells(FILE *out);

/* Colour for this file?  Only a terminal, when NO_COLOR is unset or empty and TERM isn't "dumb". */
bool table_colour_wanted(FILE *out);

/* Terminal cells of UTF-8 text; a malformed sequence counts one. */
size_t text_cells(const char *text, size_t n);

/* Prints text padded with spaces to `cells` (longer text as it is). */
void text_pad(FILE *out, const char *text, size_t cells, enum table_align align);

#endif
