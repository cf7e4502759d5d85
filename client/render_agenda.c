/* The agenda of a body, for those who prepare its meeting. */
#include "client/render.h"
#include "client/when.h"

enum { TITLE_CELLS = 40, ABOUT_BYTES = 256 };

const char *agenda_title(const Ieum__V1__Referral *r, const Ieum__V1__AgendaEntry *entry)
{
	if (r->body_case == IEUM__V1__REFERRAL__BODY_AGENDA_ITEM)
		return r->agenda_item->title;
	if (r->body_case != IEUM__V1__REFERRAL__BODY_CONFERENCE_MINUTES)
		return "";
	if (entry->action >= 1 && entry->action <= r->conference_minutes->n_action_items)
		return r->conference_minutes->action_items[entry->action - 1]->title;
	return "";
}

/* Of what has no title what may be said of it: "neglect, 2026-02, 2026-03". */
static const char *about(const struct invocation *inv, const Ieum__V1__AgendaEntry *e,
			 char out[ABOUT_BYTES])
{
	size_t used = 0;

	if (*e->title || !e->category)
		return e->title;
	int more = snprintf(out, ABOUT_BYTES, "%s", SHOWN_WORD(inv, category, e->category));
	for (size_t i = 0; more > 0 && i < e->n_months; i++) {
		used += (size_t)more;
		if (used >= ABOUT_BYTES)
			break;
		more = snprintf(out + used, ABOUT_BYTES - used, ", %s", e->months[i]);
	}
	return out;
}

static void agenda_row(const struct invocation *inv, const struct names *names, struct sheet *s,
		       const Ieum__V1__AgendaEntry *e, int64_t now_ms)
{
	char name[SHOWN_BYTES], when[WHEN_BYTES], id[UUID_TEXT_BYTES], text[ABOUT_BYTES];

	sheet_row(s);
	sheet_cell(s, SHOWN_WORD(inv, agenda_kind, e->kind));
	sheet_cell(s, about(inv, e, text));
	sheet_cell(s, *e->participant ? shown_name(inv, names, e->participant, name) : "");
	sheet_colour(s, when_deadline(e->due_at_ms, now_ms, inv->lang, when),
		     due_colour(e->due_at_ms, now_ms));
	sheet_number(s, e->carried);
	if (e->request)
		sheet_number(s, e->request);
	else
		sheet_cell(s, "");
	sheet_cell(s, shown_id(&e->case_id, id));
	sheet_cell(s, shown_id(&e->message_id, id));
}

enum exit_code render_agenda(const struct invocation *inv, const struct pages *pages,
			     const struct names *names)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->agenda->n_entries;
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_AGENDA));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_KIND, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_TITLE, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_WHO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_DEADLINE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_CARRIED, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_REQUEST, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_CASE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_MESSAGE, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++)
		for (size_t i = 0; i < pages->page[p]->agenda->n_entries; i++)
			agenda_row(inv, names, &s, pages->page[p]->agenda->entries[i],
				   pages->page[p]->hub_time_at_ms);
	return sheet_end(&s);
}
