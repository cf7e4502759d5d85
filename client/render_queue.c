/* Queues, for an operator: how much waits, how long, and why. */
#include <inttypes.h>

#include "client/details.h"
#include "client/render.h"
#include "client/when.h"

enum { WHY_CELLS = 60 };

static void queue_columns(struct sheet *s)
{
	sheet_column(s, TEXT_MAILBOX, TABLE_LEFT, 0);
	sheet_column(s, TEXT_DEPTH, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_OLDEST, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_IN_FLIGHT_N, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_DEAD_N, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_CONSUMERS, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_BYTES, TABLE_RIGHT, 0);
	sheet_column(s, TEXT_HEAD_WAITS, TABLE_LEFT, WHY_CELLS);
}

static void queue_row(const struct invocation *inv, struct sheet *s,
		      const Ieum__V1__QueueSummary *q)
{
	char span[WHEN_BYTES], why[DETAILS_BYTES];
	bool stuck = q->depth > 0 && q->consumers == 0;

	sheet_row(s);
	sheet_cell(s, q->mailbox);
	sheet_number(s, q->depth);
	sheet_colour(s, q->depth ? when_span(q->oldest_age_ms, inv->lang, span) : "",
		     stuck ? TABLE_YELLOW : TABLE_PLAIN);
	sheet_number(s, q->in_flight);
	if (q->dead_lettered) {
		char number[24];

		snprintf(number, sizeof number, "%" PRIu64, q->dead_lettered);
		sheet_colour(s, number, TABLE_RED);
	} else {
		sheet_number(s, 0);
	}
	sheet_number(s, q->consumers);
	sheet_number(s, q->depth_bytes);
	sheet_cell(s, details_in(inv->lang, q->head_waits, why));
}

enum exit_code render_queues(const struct invocation *inv, const struct pages *pages)
{
	struct sheet s;
	size_t n = 0;

	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->queues->n_queues;
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_NO_QUEUES));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	queue_columns(&s);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__QueuesResult *r = pages->page[p]->queues;

		for (size_t i = 0; i < r->n_queues; i++)
			queue_row(inv, &s, r->queues[i]);
	}
	return sheet_end(&s);
}

static void entry_row(const struct invocation *inv, struct sheet *s, const Ieum__V1__QueueEntry *e,
		      int64_t now_ms)
{
	char id[UUID_TEXT_BYTES], text[WHEN_BYTES], why[DETAILS_BYTES];

	sheet_row(s);
	if (!s->err)
		s->err = table_cellf(s->table, "%" PRIu64, e->delivery_id);
	sheet_cell(s, shown_id(&e->message_id, id));
	sheet_cell(s, SHOWN_WORD(inv, message_type, e->type));
	sheet_colour(s, SHOWN_WORD(inv, urgency, e->urgency), urgency_colour(e->urgency));
	sheet_cell(s, when_span(now_ms - e->received_at_ms, inv->lang, text));
	sheet_number(s, e->attempts);
	sheet_number(s, e->bytes);
	sheet_cell(s, when_time(e->not_before_at_ms, text));
	sheet_cell(s, details_in(inv->lang, e->why, why));
}

enum exit_code render_queue(const struct invocation *inv, const struct pages *pages)
{
	enum exit_code code;
	struct sheet s;
	size_t n = 0;

	sheet_begin(&s, inv);
	queue_columns(&s);
	if (pages->page[0]->queue->summary)
		queue_row(inv, &s, pages->page[0]->queue->summary);
	code = sheet_end(&s);
	if (code)
		return code;
	for (size_t p = 0; p < pages->n; p++)
		n += pages->page[p]->queue->n_entries;
	fputc('\n', inv->out);
	if (n == 0) {
		fprintf(inv->out, "%s\n", say(inv, TEXT_QUEUE_EMPTY));
		return EXIT_DONE;
	}
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_DELIVERY, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_MESSAGE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_TYPE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_URGENCY, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_AGE, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_ATTEMPTS, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_BYTES, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_NOT_BEFORE, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_WHY, TABLE_LEFT, WHY_CELLS);
	for (size_t p = 0; p < pages->n; p++) {
		const Ieum__V1__QueueResult *r = pages->page[p]->queue;

		for (size_t i = 0; i < r->n_entries; i++)
			entry_row(inv, &s, r->entries[i], pages->page[p]->hub_time_at_ms);
	}
	return sheet_end(&s);
}
