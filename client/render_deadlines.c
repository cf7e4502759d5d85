/* Clocks, and what ends when. */
#include <string.h>

#include "client/render.h"
#include "client/when.h"

enum { TITLE_CELLS = 40 };

static const char *title_of(const struct invocation *inv, const Ieum__V1__ClockView *k)
{
	const char *title = inv->lang == WORDS_KO ? k->title_ko : k->title_en;

	return *title ? title : k->name;
}

static enum table_colour state_colour(Ieum__V1__ClockState state)
{
	return state == IEUM__V1__CLOCK_STATE__CLOCK_STATE_BREACHED ? TABLE_RED
	       : state == IEUM__V1__CLOCK_STATE__CLOCK_STATE_FROZEN ? TABLE_YELLOW
								    : TABLE_PLAIN;
}

/* What is left of one that stands still, how often it was extended, that it was late. */
static const char *note_of(const struct invocation *inv, const Ieum__V1__ClockView *k,
			   char out[SHOWN_BYTES])
{
	char span[WHEN_BYTES];
	size_t n = 0;

	out[0] = '\0';
	if (k->state == IEUM__V1__CLOCK_STATE__CLOCK_STATE_FROZEN)
		n += (size_t)snprintf(out, SHOWN_BYTES, say(inv, TEXT_CLOCK_LEFT),
				      when_span(k->left_ms, inv->lang, span));
	if (k->extensions && n < SHOWN_BYTES) {
		n += (size_t)snprintf(out + n, SHOWN_BYTES - n, "%s", n ? " · " : "");
		n += (size_t)snprintf(out + n, SHOWN_BYTES - n, say(inv, TEXT_CLOCK_LONGER),
				      k->extensions);
	}
	if (k->breached_at_ms && k->state != IEUM__V1__CLOCK_STATE__CLOCK_STATE_BREACHED &&
	    n < SHOWN_BYTES)
		snprintf(out + n, SHOWN_BYTES - n, "%s%s", n ? " · " : "",
			 say(inv, TEXT_CLOCK_LATE));
	return out;
}

/* A deadline that something still hangs on is told with how far it is off. */
static void end_cell(const struct invocation *inv, struct sheet *s, const Ieum__V1__ClockView *k,
		     int64_t now_ms)
{
	char when[WHEN_BYTES];
	bool counts = k->state == IEUM__V1__CLOCK_STATE__CLOCK_STATE_RUNNING ||
		      k->state == IEUM__V1__CLOCK_STATE__CLOCK_STATE_BREACHED;

	if (counts)
		sheet_colour(s, when_deadline(k->due_at_ms, now_ms, inv->lang, when),
			     due_colour(k->due_at_ms, now_ms));
	else
		sheet_cell(s, when_time(k->due_at_ms, when));
}

enum exit_code render_clocks(const struct invocation *inv, Ieum__V1__ClockView *const *clocks,
			     size_t n, int64_t now_ms)
{
	char note[SHOWN_BYTES];
	struct sheet s;

	if (n == 0)
		return EXIT_DONE;
	fputc('\n', inv->out);
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_CLOCK, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_ENDS, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_NOTE, TABLE_LEFT, 0);
	for (size_t i = 0; i < n; i++) {
		sheet_row(&s);
		sheet_cell(&s, title_of(inv, clocks[i]));
		sheet_colour(&s, SHOWN_WORD(inv, clock_state, clocks[i]->state),
			     state_colour(clocks[i]->state));
		end_cell(inv, &s, clocks[i], now_ms);
		sheet_cell(&s, note_of(inv, clocks[i], note));
	}
	return sheet_end(&s);
}

/* ---- in order of time ---- */

static void deadline_row(const struct invocation *inv, struct sheet *s, const struct names *names,
			 const Ieum__V1__DeadlineEntry *e, int64_t now_ms)
{
	char text[SHOWN_BYTES], when[WHEN_BYTES], id[UUID_TEXT_BYTES];

	sheet_row(s);
	if (e->clock) {
		end_cell(inv, s, e->clock, now_ms);
		sheet_colour(s, title_of(inv, e->clock), TABLE_BOLD);
		sheet_colour(s, SHOWN_WORD(inv, clock_state, e->clock->state),
			     state_colour(e->clock->state));
		sheet_cell(s, note_of(inv, e->clock, text));
	} else {
		sheet_colour(s, when_deadline(e->due_at_ms, now_ms, inv->lang, when),
			     due_colour(e->due_at_ms, now_ms));
		sheet_cell(s, SHOWN_WORD(inv, message_type, e->type));
		sheet_cell(s, e->task ? SHOWN_WORD(inv, task_state, e->task->state) : "");
		sheet_cell(s, e->task ? shown_name(inv, names, e->task->asked, text) : "");
	}
	sheet_cell(s, shown_id(&e->case_id, id));
}

enum exit_code render_deadlines(const struct invocation *inv, const struct pages *pages,
				const struct names *names)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->deadlines->n_entries;
	if (n == 0) {
		fprintf(inv->out, "%s\n",
			say(inv,
			    given(inv, OPTION_BREACHED) ? TEXT_NO_BREACHES : TEXT_NO_DEADLINES));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_ENDS, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_WHAT, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_NOTE, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_CASE, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__DeadlinesResult *r = pages->page[p]->deadlines;

		for (size_t i = 0; i < r->n_entries; i++)
			deadline_row(inv, &s, names, r->entries[i], pages->page[p]->hub_time_at_ms);
	}
	return sheet_end(&s);
}
