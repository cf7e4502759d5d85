/* What is known without the hub; see offline.h. */
#include "client/offline.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "client/json_out.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/when.h"
#include "proto/pbmap.h"

enum exit_code offline_spool(struct invocation *inv)
{
	enum exit_code code = link_profile(inv);

	if (!code && !inv->profile->spool)
		code = trouble(inv, IEUM_E_FILE_UNREADABLE, say(inv, TEXT_SPOOL_NONE));
	return code;
}

void offline_keep_deadlines(struct ieum *c, const struct pages *pages)
{
	ieum_keep_result(c, OFFLINE_DEADLINES, (const Ieum__V1__Result *const *)pages->page,
			 pages->n);
}

/* ---- reading ---- */

struct reading {
	struct pages pages;
	int64_t as_of_ms;
	json_t *since; /* deliveries with a term that wait to be taken */
};

static bool read_page(int64_t as_of_ms, const struct spool_page *page, void *arg)
{
	struct reading *r = arg;
	Ieum__V1__Result *result = ieum__v1__result__unpack(NULL, page->len, page->bytes);
	bool added = result && result->what_case == IEUM__V1__RESULT__WHAT_DEADLINES &&
		     pages_add(&r->pages, result);

	if (result)
		ieum__v1__result__free_unpacked(result, NULL);
	r->as_of_ms = as_of_ms;
	return added;
}

/* A delivery that waits to be taken, and wants an answer. */
static bool read_delivery(const struct spool_delivery *d, void *arg)
{
	struct reading *r = arg;
	char id[UUID_TEXT_BYTES];

	uuid_format(d->message_id, id);
	if (d->answer_by_at_ms > 0)
		json_array_append_new(r->since,
				      json_pack("{s:s, s:I, s:I}", "message_id", id,
						"answer_by_at_ms", (json_int_t)d->answer_by_at_ms,
						"came_at_ms", (json_int_t)d->since_ms));
	return true;
}

/* ---- showing ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum exit_code show_json(const struct invocation *inv, struct reading *r)
{
	static const struct pbmap_style style = { .defaults = true };
	json_t *pages = json_array(), *page;

	for (size_t i = 0; i < r->pages.n; i++)
		if (!pbmap_to_json(&r->pages.page[i]->deadlines->base, &style, &page))
			json_array_append_new(pages, page);
	return json_out(inv, json_pack("{s:b, s:I, s:o, s:O}", "offline", 1, "as_of_at_ms",
				       (json_int_t)r->as_of_ms, "deadlines", pages, "deliveries",
				       r->since));
}

static enum exit_code show_since(const struct invocation *inv, const struct reading *r)
{
	struct sheet s;
	size_t i;
	json_t *row;

	if (json_array_size(r->since) == 0)
		return EXIT_DONE;
	fprintf(inv->out, "%s\n", say(inv, TEXT_OFFLINE_DELIVERIES));
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_ENDS, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_MESSAGE, TABLE_LEFT, 0);
	json_array_foreach(r->since, i, row)
	{
		char when[WHEN_BYTES];
		int64_t due_ms = json_integer_value(json_object_get(row, "answer_by_at_ms"));

		sheet_row(&s);
		sheet_colour(&s, when_deadline(due_ms, now_ms(), inv->lang, when),
			     due_colour(due_ms, now_ms()));
		sheet_cell(&s, json_string_value(json_object_get(row, "message_id")));
	}
	return sheet_end(&s);
}

static enum exit_code show(const struct invocation *inv, struct reading *r)
{
	const struct names nobody = { 0 };
	char when[WHEN_BYTES];
	enum exit_code code = EXIT_DONE;

	if (inv->json)
		return show_json(inv, r);
	if (r->pages.n > 0) {
		fprintf(inv->out, say(inv, TEXT_OFFLINE_DEADLINES), when_time(r->as_of_ms, when));
		fputc('\n', inv->out);
		/* How far off they are is told by our own clock. */
		for (size_t i = 0; i < r->pages.n; i++)
			r->pages.page[i]->hub_time_at_ms = now_ms();
		code = render_deadlines(inv, &r->pages, &nobody);
	}
	return code ? code : show_since(inv, r);
}

enum exit_code offline_deadlines(const struct invocation *inv, struct spool *s)
{
	struct reading r = { .since = json_array() };
	enum ieum_err err = spool_pages(s, OFFLINE_DEADLINES, read_page, &r);

	if (!err)
		err = spool_deliveries(s, read_delivery, &r);
	enum exit_code code = err ? trouble(inv, err, spool_why(s)) : show(inv, &r);
	pages_free(&r.pages);
	json_decref(r.since);
	return code;
}
