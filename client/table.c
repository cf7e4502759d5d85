/* Tables for people; see table.h. */
#include "client/table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <unistr.h>
#include <uniwidth.h>

static const char ELLIPSIS[] = "…";

struct column {
	char *title;
	enum table_align align;
	size_t least_cells; /* 0: never cut */
};

struct cell {
	char *text; /* printable UTF-8; NULL: empty */
	size_t cells;
	enum table_colour colour;
};

struct table {
	struct column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	struct cell *cells; /* row by row, column_count each */
	size_t rows;
	size_t rows_room;
	size_t next; /* column of the last row that is filled next */
};

/* The next character: *len bytes and its width.  Bytes that are no UTF-8 and control
 * characters have width 1 and are to be shown as '?' (*shown false). */
static size_t next_char(const char *text, size_t n, size_t *len, bool *shown)
{
	ucs4_t c;
	int bytes = u8_mbtouc(&c, (const uint8_t *)text, n);
	int width = 0;

	*len = bytes > 0 ? (size_t)bytes : 1;
	*shown = u8_check((const uint8_t *)text, *len) == NULL;
	if (*shown)
		width = uc_width(c, "UTF-8");
	/* Direction overrides would let a text show as another. */
	if (width < 0 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
		*shown = false;
	return *shown ? (size_t)width : 1;
}

size_t text_cells(const char *text, size_t n)
{
	size_t cells = 0, len;
	bool shown;

	for (size_t i = 0; i < n; i += len)
		cells += next_char(text + i, n - i, &len, &shown);
	return cells;
}

void text_pad(FILE *out, const char *text, size_t cells, enum table_align align)
{
	size_t width = text_cells(text, strlen(text));
	int space = width < cells ? (int)(cells - width) : 0;

	if (align == TABLE_RIGHT)
		fprintf(out, "%*s%s", space, "", text);
	else
		fprintf(out, "%s%*s", text, space, "");
}

/* A printable copy; NULL when out of memory. */
static char *printable(const char *text, size_t *cells_out)
{
	size_t n = strnlen(text, TABLE_CELL_BYTES_MAX), cells = 0, used = 0, len;
	bool shown;
	char *copy = malloc(n + 1);

	if (!copy)
		return NULL;
	if (n == TABLE_CELL_BYTES_MAX) {
		while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i += len) {
		cells += next_char(text + i, n - i, &len, &shown);
		if (shown)
			memcpy(copy + used, text + i, len);
		else
			copy[used] = '?';
		used += shown ? len : 1;
	}
	copy[used] = '\0';
	*cells_out = cells;
	return copy;
}

/* How many bytes of a text that is wider than so many cells fit into them, with one cell for the
 * ellipsis; their cells in *used. */
static size_t fitting(const char *text, size_t cells, size_t *used)
{
	size_t n = strlen(text), i = 0, len;
	bool shown;

	*used = 0;
	while (i < n) {
		size_t width = next_char(text + i, n - i, &len, &shown);

		if (*used + width >= cells)
			break;
		*used += width;
		i += len;
	}
	return i;
}

struct table *table_new(void)
{
	return calloc(1, sizeof(struct table));
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->column_count; i++)
		free(table->columns[i].title);
	for (size_t i = 0; i < table->rows * table->column_count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

enum ieum_err table_column(struct table *table, const char *title, enum table_align align,
			   size_t least_cells)
{
	struct column column = { .align = align, .least_cells = least_cells };
	size_t cells;

	if (table->column_count == TABLE_COLUMNS_MAX || table->rows > 0)
		return IEUM_E_FIELD_TOO_LARGE;
	if (title) {
		column.title = printable(title, &cells);
		if (!column.title)
			return IEUM_E_NO_MEMORY;
	}
	table->columns[table->column_count++] = column;
	return IEUM_E_OK;
}

enum ieum_err table_row(struct table *table)
{
	if (table->rows == TABLE_ROWS_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	if (table->rows == table->rows_room) {
		size_t room = table->rows_room ? table->rows_room * 2 : 16;
		size_t row_bytes =
			(table->column_count ? table->column_count : 1) * sizeof(struct cell);
		struct cell *cells = realloc(table->cells, room * row_bytes);

		if (!cells)
			return IEUM_E_NO_MEMORY;
		table->cells = cells;
		table->rows_room = room;
	}
	for (size_t i = 0; i < table->column_count; i++)
		table->cells[table->rows * table->column_count + i] = (struct cell){ 0 };
	table->rows++;
	table->next = 0;
	return IEUM_E_OK;
}

enum ieum_err table_cell_colour(struct table *table, const char *text, enum table_colour colour)
{
	if (table->rows == 0 || table->next == table->column_count)
		return IEUM_E_FIELD_TOO_LARGE;
	struct cell *cell = &table->cells[(table->rows - 1) * table->column_count + table->next];

	if (text && *text) {
		cell->text = printable(text, &cell->cells);
		if (!cell->text)
			return IEUM_E_NO_MEMORY;
	}
	cell->colour = colour;
	table->next++;
	return IEUM_E_OK;
}

enum ieum_err table_cell(struct table *table, const char *text)
{
	return table_cell_colour(table, text, TABLE_PLAIN);
}

enum ieum_err table_cellf(struct table *table, const char *format, ...)
{
	char text[TABLE_CELL_BYTES_MAX];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return n < 0 ? IEUM_E_FIELD_INVALID : table_cell(table, text);
}

static const char *colour_code(enum table_colour colour)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "",       [TABLE_BOLD] = "\033[1m",    [TABLE_DIM] = "\033[2m",
		[TABLE_RED] = "\033[31m", [TABLE_YELLOW] = "\033[33m", [TABLE_GREEN] = "\033[32m",
	};

	return (size_t)colour < sizeof codes / sizeof codes[0] ? codes[colour] : "";
}

/* The cell's text, cut where it is wider than its column; returns its cells. */
static size_t print_cell(const struct cell *cell, size_t width, const char *code, FILE *out)
{
	size_t used = cell->cells;
	bool cut = used > width;
	size_t n = cut ? fitting(cell->text, width, &used) : strlen(cell->text);

	fprintf(out, "%s%.*s%s%s", code, (int)n, cell->text, cut ? ELLIPSIS : "",
		*code ? "\033[0m" : "");
	return cut ? used + 1 : used;
}

/* One line; `owed` spaces are printed only when something follows them. */
static void print_line(const struct table *table, const struct cell *row, const size_t *widths,
		       FILE *out, bool colour)
{
	size_t owed = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct cell *cell = &row[i];
		bool right = table->columns[i].align == TABLE_RIGHT;
		size_t used = 0;

		if (right && cell->cells < widths[i])
			owed += widths[i] - cell->cells;
		if (cell->text) {
			fprintf(out, "%*s", (int)owed, "");
			used = print_cell(cell, widths[i], colour ? colour_code(cell->colour) : "",
					  out);
			owed = 0;
		}
		if (!right)
			owed += widths[i] - used;
		owed += 2;
	}
	fputc('\n', out);
}

/* Takes from the widest of the columns that can be cut, until the line fits. */
static void narrow(const struct table *table, size_t widths[TABLE_COLUMNS_MAX], size_t into)
{
	size_t total = table->column_count ? 2 * (table->column_count - 1) : 0;

	for (size_t i = 0; i < table->column_count; i++)
		total += widths[i];
	for (; total > into; total--) {
		size_t *widest = NULL;

		for (size_t i = 0; i < table->column_count; i++) {
			size_t least = table->columns[i].least_cells;

			if (least && widths[i] > least && (!widest || widths[i] > *widest))
				widest = &widths[i];
		}
		if (!widest)
			return;
		--*widest;
	}
}

void table_print(const struct table *table, FILE *out, bool colour, size_t into)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };
	struct cell titles[TABLE_COLUMNS_MAX] = { 0 };
	bool titled = false;

	for (size_t i = 0; i < table->column_count; i++) {
		char *title = table->columns[i].title;

		if (title) {
			titled = true;
			titles[i] = (struct cell){ title, text_cells(title, strlen(title)),
						   TABLE_BOLD };
			widths[i] = titles[i].cells;
		}
	}
	for (size_t i = 0; i < table->rows * table->column_count; i++) {
		size_t *width = &widths[i % table->column_count];

		if (table->cells[i].cells > *width)
			*width = table->cells[i].cells;
	}
	if (into)
		narrow(table, widths, into);
	if (titled)
		print_line(table, titles, widths, out, colour);
	for (size_t row = 0; row < table->rows; row++)
		print_line(table, table->cells + row * table->column_count, widths, out, colour);
}

size_t table_terminal_cells(FILE *out)
{
	struct winsize size;

	if (isatty(fileno(out)) != 1 || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

bool table_colour_wanted(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if ((no_colour && *no_colour) || (terminal && strcmp(terminal, "dumb") == 0))
		return false;
	return isatty(fileno(out)) == 1;
}
