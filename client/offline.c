/* What is known without the hub; see offline.h. */
#include "client/offline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/json_out.h"
#include "client/render.h"
#include "client/trouble.h"
#include "client/when.h"
#include "proto/pbmap.h"

enum {
	OFFLINE_ASK_S = 10 * 60,
	/* Another process may have kept a delivery while the hub's answer was on its way: rather one
	 * too many than one that is missing. */
	OFFLINE_OVERLAP_MS = 60 * 1000,
};

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

/* ---- asking ---- */

static void asked_all(struct offline_asking *a)
{
	pages_free(&a->pages);
	a->under_way = false;
}

static void ask_page(struct offline_asking *a);

static void page_came(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		      size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct offline_asking *a = arg;

	(void)referral, (void)referral_len, (void)failure; /* the next time will do as well */
	if (!result || result->what_case != IEUM__V1__RESULT__WHAT_DEADLINES ||
	    !pages_add(&a->pages, result)) {
		asked_all(a);
	} else if (result->next_cursor.len > 0 && a->pages.n < LINK_PAGES_MAX) {
		ask_page(a);
	} else {
		offline_keep_deadlines(c, &a->pages);
		asked_all(a);
	}
}

static void ask_page(struct offline_asking *a)
{
	Ieum__V1__DeadlinesQuery deadlines = IEUM__V1__DEADLINES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	query.page_rows = LINK_PAGE_ROWS;
	query.what_case = IEUM__V1__QUERY__WHAT_DEADLINES;
	query.deadlines = &deadlines;
	if (a->pages.n > 0)
		query.cursor = a->pages.page[a->pages.n - 1]->next_cursor;
	if (ieum_query(a->c, &query, page_came, a))
		asked_all(a);
}

static void ask_again(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval in_a_while = { .tv_sec = OFFLINE_ASK_S };
	struct offline_asking *a = arg;

	(void)fd, (void)what;
	evtimer_add(a->again, &in_a_while);
	if (a->under_way)
		return;
	a->under_way = true;
	ask_page(a);
}

bool offline_asking_begin(struct offline_asking *a, struct event_base *base,
			  const struct ieum_options *options)
{
	if (options->spool)
		a->again = evtimer_new(base, ask_again, a);
	return a->again || !options->spool;
}

void offline_ask(struct offline_asking *a, struct ieum *c)
{
	a->c = c;
	if (a->again)
		ask_again(-1, 0, a);
}

void offline_asking_end(struct offline_asking *a)
{
	pages_free(&a->pages);
	if (a->again)
		event_free(a->again);
	a->again = NULL;
}

/* ---- reading ---- */

struct reading {
	struct pages pages;
	int64_t kept_ms; /* our clock; 0: the hub has never told them */
	json_t *since;   /* deliveries with a term that the pages don't have */
};

static bool read_page(int64_t as_of_ms, const struct spool_page *page, void *arg)
{
	struct reading *r = arg;
	Ieum__V1__Result *result = ieum__v1__result__unpack(NULL, page->len, page->bytes);
	bool added = result && result->what_case == IEUM__V1__RESULT__WHAT_DEADLINES &&
		     pages_add(&r->pages, result);

	if (result)
		ieum__v1__result__free_unpacked(result, NULL);
	r->kept_ms = as_of_ms;
	return added;
}

static bool is_in_page(const Ieum__V1__DeadlinesResult *page, const uint8_t *message_id)
{
	for (size_t i = 0; i < page->n_entries; i++) {
		const ProtobufCBinaryData *id = &page->entries[i]->message_id;

		if (id->len == UUID_BYTES && memcmp(id->data, message_id, UUID_BYTES) == 0)
			return true;
	}
	return false;
}

static bool read_delivery(const struct spool_delivery *d, void *arg)
{
	struct reading *r = arg;
	char id[UUID_TEXT_BYTES];

	for (size_t i = 0; i < r->pages.n; i++)
		if (is_in_page(r->pages.page[i]->deadlines, d->message_id))
			return true;
	uuid_format(d->message_id, id);
	json_array_append_new(r->since, json_pack("{s:s, s:I, s:I}", "message_id", id,
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
	json_t *as_of = r->pages.n ? json_integer((json_int_t)r->pages.page[0]->hub_time_at_ms)
				   : json_null();

	for (size_t i = 0; i < r->pages.n; i++)
		if (!pbmap_to_json(&r->pages.page[i]->deadlines->base, &style, &page))
			json_array_append_new(pages, page);
	return json_out(inv, json_pack("{s:b, s:o, s:o, s:O}", "offline", 1, "as_of_at_ms", as_of,
				       "deadlines", pages, "deliveries", r->since));
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
	if (r->pages.n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_OFFLINE_NEVER));
	} else {
		fprintf(inv->out, say(inv, TEXT_OFFLINE_DEADLINES),
			when_time(r->pages.page[0]->hub_time_at_ms, when));
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
		err = spool_terms(s, r.kept_ms - OFFLINE_OVERLAP_MS, read_delivery, &r);
	enum exit_code code = err ? trouble(inv, err, spool_why(s)) : show(inv, &r);
	pages_free(&r.pages);
	json_decref(r.since);
	return code;
}
