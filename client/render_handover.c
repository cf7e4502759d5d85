/* Changes of jurisdiction: which there are, what one would hand over or how far it is. */
#include "client/render.h"
#include "client/when.h"
#include "proto/catalog.h"

static const char *obstacle(const struct invocation *inv, const Ieum__V1__HandoverItem *item)
{
	const struct ieum_error_row *e =
		item->error_code ? ieum_error((int)item->error_code) : NULL;

	if (!e)
		return item->error;
	return inv->lang == WORDS_EN ? item->error : catalog_text(inv->lang, e->text);
}

static enum exit_code render_changes(const struct invocation *inv,
				     const Ieum__V1__HandoverResult *r, const struct names *names)
{
	char name[SHOWN_BYTES], when[WHEN_BYTES], id[UUID_TEXT_BYTES];
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_CHANGE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_FROM, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_TO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_JURISDICTION, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_EFFECTIVE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_CASES, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_NOT_ACCEPTED, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_KEPT, TABLE_RIGHT, 0);
	for (size_t i = 0; i < r->n_changes; i++) {
		const Ieum__V1__HandoverSummary *c = r->changes[i];

		sheet_row(&s);
		sheet_cell(&s, shown_id(&c->change_id, id));
		sheet_cell(&s, SHOWN_WORD(inv, handover_step, c->step));
		sheet_cell(&s, shown_name(inv, names, c->from, name));
		sheet_cell(&s, shown_name(inv, names, c->to, name));
		sheet_cell(&s, c->jurisdiction);
		sheet_cell(&s, when_time(c->effective_at_ms, when));
		sheet_number(&s, c->cases);
		sheet_number(&s, c->not_accepted);
		sheet_number(&s, c->kept);
	}
	return sheet_end(&s);
}

static void item_row(const struct invocation *inv, struct sheet *s,
		     const Ieum__V1__HandoverItem *item)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES];

	sheet_row(s);
	sheet_cell(s, shown_id(&item->case_id, id));
	sheet_cell(s, SHOWN_WORD(inv, case_state, item->state));
	sheet_number(s, item->open_referrals);
	sheet_number(s, item->clocks);
	sheet_number(s, item->holds);
	if (item->error_code)
		sheet_colour(s, obstacle(inv, item), TABLE_RED);
	else
		sheet_cell(s, SHOWN_WORD(inv, handover_step, item->step));
	sheet_cell(s, when_time(item->last_read_at_ms, when));
}

static enum exit_code render_items(const struct invocation *inv, const struct pages *pages)
{
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_CASE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_STATE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_OPEN_REQUESTS, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_CLOCKS, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_PLACES, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_PROGRESS, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_LAST_READ, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__HandoverResult *r = pages->page[p]->handover;

		for (size_t i = 0; i < r->n_items; i++)
			item_row(inv, &s, r->items[i]);
	}
	return sheet_end(&s);
}

static void print_totals(const struct invocation *inv, const Ieum__V1__HandoverResult *r)
{
	const Ieum__V1__HandoverManifest *m = r->manifest;

	if (r->step)
		fprintf(inv->out, "%s\n", SHOWN_WORD(inv, handover_step, r->step));
	fprintf(inv->out, say(inv, TEXT_HANDOVER_SUM), m->cases, m->open_referrals, m->clocks,
		m->holds);
	fputc('\n', inv->out);
	fprintf(inv->out, say(inv, TEXT_HANDOVER_LEFT), r->not_accepted, r->errors);
	fputc('\n', inv->out);
	fprintf(inv->out, "SHA-256 ");
	for (size_t i = 0; i < m->digest.len; i++)
		fprintf(inv->out, "%02x", m->digest.data[i]);
	fputs("\n", inv->out);
}

enum exit_code render_handover(const struct invocation *inv, const struct pages *pages,
			       const struct names *names)
{
	const Ieum__V1__HandoverResult *first = pages->page[0]->handover;

	if (!first->manifest && first->n_changes == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_CHANGES));
		return EXIT_DONE;
	}
	if (!first->manifest)
		return render_changes(inv, first, names);
	print_totals(inv, first);
	if (first->n_items == 0)
		return EXIT_DONE;
	fputc('\n', inv->out);
	return render_items(inv, pages);
}
