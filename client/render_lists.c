/* The directory, whom a message would reach, who we are. */
#include <string.h>

#include "client/render.h"
#include "client/when.h"

enum {
	TITLE_CELLS = 36,
	LIST_BYTES = 1024,
};

/* "a, b, c", cut where the room ends. */
static const char *joined(char *const *texts, size_t n, const char *between, char out[LIST_BYTES])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && used < LIST_BYTES; i++)
		used += (size_t)snprintf(out + used, LIST_BYTES - used, "%s%s", i ? between : "",
					 texts[i]);
	return out;
}

enum exit_code render_directory(const struct invocation *inv, const struct pages *pages)
{
	char list[LIST_BYTES];
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->directory->n_entries;
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_ENTRIES));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_NAME, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_TITLE, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_KIND, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_JURISDICTION, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_SERVES, TABLE_LEFT, TITLE_CELLS);
	sheet_column(&s, TEXT_MEMBERS, TABLE_LEFT, 0);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__DirectoryResult *d = pages->page[p]->directory;

		for (size_t i = 0; i < d->n_entries; i++) {
			const Ieum__V1__DirectoryEntry *e = d->entries[i];

			sheet_row(&s);
			sheet_colour(&s, e->name, e->is_body ? TABLE_BOLD : TABLE_PLAIN);
			sheet_cell(&s, inv->lang == WORDS_KO ? e->title_ko : e->title_en);
			sheet_cell(&s, e->kind);
			sheet_cell(&s, e->jurisdiction);
			sheet_cell(&s, joined(e->domains, e->n_domains, ", ", list));
			sheet_cell(&s, joined(e->members, e->n_members, "; ", list));
		}
	}
	return sheet_end(&s);
}

/* Who is asked for places only when it is sent: then it is known what is free. */
static void print_keepers(const struct invocation *inv, const Ieum__V1__ReachResult *r,
			  const struct names *names)
{
	char list[LIST_BYTES] = "", name[SHOWN_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < r->n_pools && used < sizeof list; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s (%s)",
					 i ? ", " : "", r->pools[i]->pool,
					 shown_name(inv, names, r->pools[i]->keeper, name));
	if (r->n_pools == 0)
		return;
	fprintf(inv->out, say(inv, TEXT_REACH_KEEPERS), list);
	fputc('\n', inv->out);
}

/* Who is asked one after the other, in words. */
static const char *ladder(const struct invocation *inv, const struct names *names,
			  const Ieum__V1__ReachEntry *e, char out[LIST_BYTES])
{
	char step[LIST_BYTES];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < e->n_ladder && used < LIST_BYTES; i++) {
		render_address(inv, names, e->ladder[i], step, sizeof step);
		used += (size_t)snprintf(out + used, LIST_BYTES - used, "%s%s", i ? " → " : "",
					 step);
	}
	return out;
}

enum exit_code render_reach(const struct invocation *inv, const struct pages *pages,
			    const struct names *names)
{
	const Ieum__V1__ReachResult *r = pages->page[0]->reach;
	int64_t now_ms = pages->page[0]->hub_time_at_ms;
	char name[SHOWN_BYTES], when[WHEN_BYTES], list[LIST_BYTES];
	enum exit_code code;
	struct sheet s;

	if (r->depends_on_counts)
		fprintf(inv->out, "%s\n", say(inv, TEXT_REACH_DEPENDS));
	print_keepers(inv, r, names);
	if (r->n_entries == 0) {
		if (r->n_pools == 0)
			fprintf(inv->out, "%s\n", say(inv, TEXT_REACHES_NOBODY));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_TO, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_TYPE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_BECAUSE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_ANSWER_BY, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_THEN, TABLE_LEFT, 0);
	for (size_t i = 0; i < r->n_entries; i++) {
		const Ieum__V1__ReachEntry *e = r->entries[i];

		sheet_row(&s);
		sheet_cell(&s, shown_name(inv, names, e->mailbox, name));
		sheet_cell(&s, SHOWN_WORD(inv, message_type, e->type));
		sheet_cell(&s, SHOWN_WORD(inv, delivery_cause, e->cause));
		sheet_cell(&s, when_deadline(e->answer_by_at_ms, now_ms, inv->lang, when));
		sheet_cell(&s, ladder(inv, names, e, list));
	}
	code = sheet_end(&s);
	if (!code && r->n_rules) {
		fputc('\n', inv->out);
		fprintf(inv->out, say(inv, TEXT_RULES), joined(r->rules, r->n_rules, ", ", list));
		fputc('\n', inv->out);
	}
	return code;
}

enum exit_code render_whoami(const struct invocation *inv, const Ieum__V1__WhoamiResult *who)
{
	char list[LIST_BYTES];
	struct sheet s;

	sheet_begin(&s, inv);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_plain_column(&s, TABLE_LEFT);
	sheet_field(&s, TEXT_HUB, who->hub);
	sheet_field(&s, TEXT_YOU_ARE, who->participant);
	sheet_field(&s, TEXT_ACTOR, who->actor);
	sheet_field(&s, TEXT_KIND, who->kind);
	sheet_field(&s, TEXT_JURISDICTION, who->jurisdiction);
	sheet_field(&s, TEXT_MAILBOXES, joined(who->mailboxes, who->n_mailboxes, ", ", list));
	sheet_field(&s, TEXT_VIEWS, joined(who->views, who->n_views, ", ", list));
	return sheet_end(&s);
}
