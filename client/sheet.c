/* Tables with one place for errors; see render.h. */
#include <inttypes.h>

#include "client/render.h"
#include "client/trouble.h"

enum { DUE_SOON_MS = 60 * 60 * 1000 };

void sheet_begin(struct sheet *s, const struct invocation *inv)
{
	*s = (struct sheet){ .inv = inv, .table = table_new() };
	if (!s->table)
		s->err = IEUM_E_NO_MEMORY;
}

void sheet_column(struct sheet *s, enum text_id title, enum table_align align, size_t least_cells)
{
	if (!s->err)
		s->err = table_column(s->table, say(s->inv, title), align, least_cells);
}

void sheet_plain_column(struct sheet *s, enum table_align align)
{
	if (!s->err)
		s->err = table_column(s->table, NULL, align, 0);
}

void sheet_row(struct sheet *s)
{
	if (!s->err)
		s->err = table_row(s->table);
}

void sheet_cell(struct sheet *s, const char *text)
{
	sheet_colour(s, text, TABLE_PLAIN);
}

void sheet_colour(struct sheet *s, const char *text, enum table_colour colour)
{
	if (!s->err)
		s->err = table_cell_colour(s->table, text, colour);
}

void sheet_number(struct sheet *s, uint64_t n)
{
	if (!s->err)
		s->err = table_cellf(s->table, "%" PRIu64, n);
}

enum exit_code sheet_end(struct sheet *s)
{
	if (!s->err)
		table_print(s->table, s->inv->out, s->inv->colour,
			    table_terminal_cells(s->inv->out));
	table_free(s->table);
	s->table = NULL;
	return s->err ? trouble(s->inv, s->err, NULL) : EXIT_DONE;
}

void sheet_field(struct sheet *s, enum text_id name, const char *text)
{
	if (!*text)
		return;
	sheet_row(s);
	sheet_colour(s, say(s->inv, name), TABLE_DIM);
	sheet_cell(s, text);
}

enum table_colour due_colour(int64_t due_ms, int64_t now_ms)
{
	if (!due_ms || !now_ms)
		return TABLE_PLAIN;
	if (due_ms < now_ms)
		return TABLE_RED;
	return due_ms - now_ms < DUE_SOON_MS ? TABLE_YELLOW : TABLE_PLAIN;
}

enum table_colour urgency_colour(Ieum__V1__Urgency urgency)
{
	if (urgency == IEUM__V1__URGENCY__URGENCY_IMMEDIATE)
		return TABLE_RED;
	return urgency == IEUM__V1__URGENCY__URGENCY_URGENT ? TABLE_YELLOW : TABLE_PLAIN;
}
