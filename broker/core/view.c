/* core_view(): who asks what, pages and cursors; see view.h. */
#include "broker/core/view.h"

#include <stdio.h>
#include <string.h>

void *view_alloc(struct viewing *w, size_t bytes)
{
	return arena_zalloc(w->v->arena, bytes ? bytes : 1);
}

static void put_number(uint8_t *to, uint64_t n)
{
	for (size_t i = 0; i < sizeof n; i++)
		to[i] = (uint8_t)(n >> (56 - 8 * i));
}

static uint64_t take_number(const uint8_t *from)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof n; i++)
		n = n << 8 | from[i];
	return n;
}

enum ieum_err view_more(struct viewing *w, uint64_t cursor)
{
	uint8_t *bytes = view_alloc(w, sizeof cursor);

	if (!bytes)
		return IEUM_E_NO_MEMORY;
	put_number(bytes, cursor);
	w->v->result->next_cursor = (ProtobufCBinaryData){ sizeof cursor, bytes };
	return IEUM_E_OK;
}

enum ieum_err view_more_at(struct viewing *w, uint64_t cursor, uint64_t tie)
{
	uint8_t *bytes = view_alloc(w, sizeof cursor + sizeof tie);

	if (!bytes)
		return IEUM_E_NO_MEMORY;
	put_number(bytes, cursor);
	put_number(bytes + sizeof cursor, tie);
	w->v->result->next_cursor = (ProtobufCBinaryData){ sizeof cursor + sizeof tie, bytes };
	return IEUM_E_OK;
}

enum ieum_err view_refuse(struct viewing *w, enum ieum_err code, const char *detail)
{
	snprintf(w->v->detail, sizeof w->v->detail, "%s", detail);
	return code;
}

void view_read_id(struct viewing *w, const uint8_t id[CORE_ID_BYTES])
{
	memcpy(w->v->read_id, id, CORE_ID_BYTES);
	w->v->has_read_id = true;
}

static enum ieum_err read_page(struct viewing *w)
{
	const Ieum__V1__Query *q = w->v->query;

	w->rows = q->page_rows ? q->page_rows : VIEW_ROWS_DEFAULT;
	if (w->rows > VIEW_ROWS_MAX)
		w->rows = VIEW_ROWS_MAX;
	if (q->cursor.len != 0 && q->cursor.len != sizeof w->cursor &&
	    q->cursor.len != sizeof w->cursor + sizeof w->tie)
		return view_refuse(w, IEUM_E_FIELD_INVALID, "query.cursor");
	if (q->cursor.len)
		w->cursor = take_number(q->cursor.data);
	if (q->cursor.len > sizeof w->cursor)
		w->tie = take_number(q->cursor.data + sizeof w->cursor);
	return IEUM_E_OK;
}

/* Of those who read nothing: who they are, which is also all that the directory tells them; and
 * an operator's queues, which its own permission guards. */
static bool may_ask(const struct viewing *w)
{
	switch (w->v->query->what_case) {
	case IEUM__V1__QUERY__WHAT_WHOAMI:
	case IEUM__V1__QUERY__WHAT_DIRECTORY:
	case IEUM__V1__QUERY__WHAT_QUEUES:
	case IEUM__V1__QUERY__WHAT_QUEUE: return true;
	default: return !w->who.who->reads_nothing;
	}
}

static enum ieum_err view_what(struct viewing *w)
{
	const Ieum__V1__Query *q = w->v->query;

	if (!may_ask(w))
		return view_refuse(w, IEUM_E_NOT_PERMITTED,
				   "participants of this kind read nothing");
	switch (q->what_case) {
	case IEUM__V1__QUERY__WHAT_CASES: return view_cases(w);
	case IEUM__V1__QUERY__WHAT_CASE: return view_case(w, q->case_);
	case IEUM__V1__QUERY__WHAT_REFERRAL: return view_referral(w, q->referral);
	case IEUM__V1__QUERY__WHAT_DIRECTORY: return view_directory(w, q->directory);
	case IEUM__V1__QUERY__WHAT_REACH: return view_reach(w, q->reach);
	case IEUM__V1__QUERY__WHAT_WHOAMI: return view_whoami(w);
	case IEUM__V1__QUERY__WHAT_DEADLINES: return view_deadlines(w, q->deadlines);
	case IEUM__V1__QUERY__WHAT_AGENDA: return view_agenda(w, q->agenda);
	case IEUM__V1__QUERY__WHAT_HANDOVER: return view_handover(w, q->handover);
	case IEUM__V1__QUERY__WHAT_POOLS: return view_pools(w, q->pools);
	case IEUM__V1__QUERY__WHAT_QUEUES: return view_queues(w);
	case IEUM__V1__QUERY__WHAT_QUEUE: return view_queue(w, q->queue);
	default: return view_refuse(w, IEUM_E_FIELD_MISSING, "query.what");
	}
}

enum ieum_err core_view(const struct core *c, const struct policy *p, struct core_view *v)
{
	struct viewing w = { .c = c, .p = p, .v = v };

	v->payload_seq = 0;
	v->has_read_id = false;
	v->detail[0] = '\0';
	v->result = arena_alloc(v->arena, sizeof *v->result);
	if (!v->result)
		return IEUM_E_NO_MEMORY;
	*v->result = (Ieum__V1__Result)IEUM__V1__RESULT__INIT;
	v->result->hub_time_at_ms = to_ms(v->now);
	enum ieum_err err = caller_of(c, p, v->connection, &w.who);
	if (!err)
		err = read_page(&w);
	if (!err)
		err = view_what(&w);
	v->looked = w.looked;
	return err;
}
