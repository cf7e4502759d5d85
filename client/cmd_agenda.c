/* ieum agenda: what the next meeting of a body has before it.
 *
 * The hub keeps which messages these are; titles are in the messages, so each is read for its own,
 * and where it may not be read any more, or by us, it has none here. */
#include <string.h>

#include "client/command.h"
#include "client/json_out.h"
#include "client/render.h"

static void set_title(Ieum__V1__AgendaEntry *entry, const char *title)
{
	char *copy = *title ? strdup(title) : NULL;

	if (copy)
		entry->title = copy; /* was the empty default, which nobody owns */
}

static void find_title(struct link *link, Ieum__V1__AgendaEntry *entry)
{
	Ieum__V1__ReferralQuery one = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };

	one.message_id = entry->message_id;
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &one;
	if (!link_peek(link, &query, &pages))
		return;
	if (pages.page[0]->referral->referral)
		set_title(entry, agenda_title(pages.page[0]->referral->referral, entry));
	pages_free(&pages);
}

static void find_titles(struct link *link, const struct pages *pages)
{
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__AgendaResult *r = pages->page[p]->agenda;

		for (size_t i = 0; i < r->n_entries; i++)
			if (r->entries[i]->kind != IEUM__V1__AGENDA_KIND__AGENDA_KIND_LINKED_SET)
				find_title(link, r->entries[i]);
	}
}

static enum exit_code show(struct invocation *inv, struct link *link, const struct pages *pages)
{
	struct pages directory = { 0 };
	enum exit_code code;

	find_titles(link, pages);
	if (inv->json)
		return json_out_pages(inv, pages);
	link_ask_directory(link, &directory);
	code = render_agenda(inv, pages, &(struct names){ directory.page, directory.n });
	pages_free(&directory);
	return code;
}

enum exit_code cmd_agenda(struct invocation *inv)
{
	Ieum__V1__AgendaQuery agenda = IEUM__V1__AGENDA_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct pages pages = { 0 };
	struct link *link = NULL;
	enum exit_code code = link_open(inv, &link);

	agenda.body = inv->words[0];
	query.what_case = IEUM__V1__QUERY__WHAT_AGENDA;
	query.agenda = &agenda;
	if (!code)
		code = link_ask(link, &query, &pages);
	if (!code)
		code = show(inv, link, &pages);
	pages_free(&pages);
	link_close(link);
	return code;
}
