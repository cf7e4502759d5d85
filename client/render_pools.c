/* Pools: how many places are free; of one pool what is held and who waits. */
#include "client/render.h"
#include "client/when.h"

enum { TITLE_CELLS = 40 };

static void pool_columns(struct sheet *s)
{
	sheet_column(s, TEXT_POOL, TABLE_LEFT, 0);
	sheet_column(s, TEXT_TITLE, TABLE_LEFT, TITLE_CELLS);
	sheet_column(s, TEXT_KEEPER, TABLE_LEFT, 0);
	sheet_column(s, TEXT_PLACES, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_PLACES_FREE, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_PLACES_HELD, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_PLACES_TAKEN, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_PLACES_WANTED, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_COUNTED, TABLE_LEFT, 0);
	sheet_column(s, TEXT_RENEWS, TABLE_LEFT, 0);
}

static void pool_row(const struct invocation *inv, const struct names *names, struct sheet *s,
		     const Ieum__V1__PoolView *v)
{
	char name[SHOWN_BYTES], when[WHEN_BYTES], counted[WHEN_BYTES + 32];

	sheet_row(s);
	sheet_cell(s, v->name);
	sheet_cell(s, inv->lang == WORDS_KO ? v->title_ko : v->title_en);
	sheet_cell(s, shown_name(inv, names, v->keeper, name));
	sheet_number(s, v->places);
	if (v->free)
		sheet_number(s, v->free);
	else
		sheet_colour(s, "0", TABLE_RED);
	sheet_number(s, v->held);
	sheet_number(s, v->taken);
	sheet_number(s, v->waiting);
	snprintf(counted, sizeof counted, "%s%s", when_time(v->as_of_at_ms, when),
		 v->stale ? say(inv, TEXT_COUNT_STALE) : "");
	sheet_colour(s, counted, v->stale ? TABLE_YELLOW : TABLE_PLAIN);
	sheet_cell(s, v->renews_at_ms ? when_time(v->renews_at_ms, when) : "");
}

enum exit_code render_pools(const struct invocation *inv, const struct pages *pages,
			    const struct names *names)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->pools->n_pools;
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_POOLS));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	pool_columns(&s);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__PoolsResult *r = pages->page[p]->pools;

		for (size_t i = 0; i < r->n_pools; i++)
			pool_row(inv, names, &s, r->pools[i]);
	}
	return sheet_end(&s);
}

/* ---- one pool ---- */

static void hold_row(const struct invocation *inv, struct sheet *s, const Ieum__V1__HoldView *h,
		     int64_t now_ms)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES];

	sheet_row(s);
	sheet_cell(s, shown_id(&h->hold_id, id));
	sheet_cell(s, SHOWN_WORD(inv, hold_state, h->state));
	sheet_cell(s, "");
	sheet_number(s, h->places);
	sheet_cell(s, "");
	sheet_colour(s, when_deadline(h->lapses_at_ms, now_ms, inv->lang, when),
		     due_colour(h->lapses_at_ms, now_ms));
	sheet_cell(s, h->until_at_ms ? when_time(h->until_at_ms, when) : "");
}

static void wait_row(const struct invocation *inv, struct sheet *s, const Ieum__V1__WaitView *w,
		     int64_t now_ms)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES];

	sheet_row(s);
	sheet_cell(s, shown_id(&w->entry_id, id));
	sheet_cell(s, SHOWN_WORD(inv, wait_state, w->state));
	if (w->position)
		sheet_number(s, w->position);
	else
		sheet_cell(s, "");
	sheet_number(s, w->places);
	sheet_number(s, w->priority);
	sheet_colour(s, when_deadline(w->lapses_at_ms, now_ms, inv->lang, when),
		     due_colour(w->lapses_at_ms, now_ms));
	sheet_cell(s, "");
}

static enum exit_code render_rows(const struct invocation *inv, const struct pages *pages)
{
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_MESSAGE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_POSITION, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_PLACES, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_PRIORITY, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_UNTIL, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_NEEDED_UNTIL, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__PoolView *v = pages->page[p]->pools->pools[0];
		int64_t now_ms = pages->page[p]->hub_time_at_ms;

		for (size_t i = 0; i < v->n_holds; i++)
			hold_row(inv, &s, v->holds[i], now_ms);
		for (size_t i = 0; i < v->n_entries; i++)
			wait_row(inv, &s, v->entries[i], now_ms);
	}
	return sheet_end(&s);
}

enum exit_code render_pool(const struct invocation *inv, const struct pages *pages,
			   const struct names *names)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->pools->pools[0]->n_holds +
		     pages->page[p]->pools->pools[0]->n_entries;
	sheet_begin(&s, inv);
	pool_columns(&s);
	pool_row(inv, names, &s, pages->page[0]->pools->pools[0]);
	enum exit_code code = sheet_end(&s);

	if (code || n == 0)
		return code;
	fputc('\n', inv->out);
	return render_rows(inv, pages);
}
