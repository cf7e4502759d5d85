/* core_view(): who asks what, pages and cursors; see view.h. */
#include "broker/core/view.h"

#include <stdio.h>
#include <string.h>

void *view_alloc(struct viewing *w, size_t bytes)
{
	return arena_zalloc(w->v->arena, bytes ? bytes : 1);
}

enum ieum_err view_more(struct viewing *w, uint64_t cursor)
{
	uint8_t *bytes = view_alloc(w, sizeof cursor);

	if (!bytes)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < sizeof cursor; i++)
		bytes[i] = (uint8_t)(cursor >> (56 - 8 * i));
	w->v->result->next_cursor = (ProtobufCBinaryData){ sizeof cursor, bytes };
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
	if (q->cursor.len != 0 && q->cursor.len != sizeof w->cursor)
		return view_refuse(w, IEUM_E_FIELD_INVALID, "query.cursor");
	for (size_t i = 0; i < q->cursor.len; i++)
		w->cursor = w->cursor << 8 | q->cursor.data[i];
	return IEUM_E_OK;
}

static enum ieum_err view_what(struct viewing *w)
{
	const Ieum__V1__Query *q = w->v->query;

	switch (q->what_case) {
	case IEUM__V1__QUERY__WHAT_CASES: return view_cases(w);
	case IEUM__V1__QUERY__WHAT_CASE: return view_case(w, q->case_);
	case IEUM__V1__QUERY__WHAT_REFERRAL: return view_referral(w, q->referral);
	case IEUM__V1__QUERY__WHAT_DIRECTORY: return view_directory(w, q->directory);
	case IEUM__V1__QUERY__WHAT_REACH: return view_reach(w, q->reach);
	case IEUM__V1__QUERY__WHAT_WHOAMI: return view_whoami(w);
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
	return err ? err : view_what(&w);
}
