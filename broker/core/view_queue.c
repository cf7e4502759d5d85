/* Queues, for an operator: envelopes only, nothing of a case. */
#include <stdio.h>
#include <string.h>

#include "broker/core/mailbox.h"
#include "broker/core/view.h"

static enum ieum_err check_operator(struct viewing *w)
{
	if (w->who.who->views & POLICY_VIEW_QUEUES)
		return IEUM_E_OK;
	return view_refuse(w, IEUM_E_NOT_PERMITTED, "the view \"queues\" is an operator's");
}

static uint32_t consumers_of(const struct viewing *w, uint32_t mailbox)
{
	int index = state_policy_mailbox(w->c, w->p, mailbox);
	uint32_t n = 0;

	if (index == POLICY_NONE)
		return 0;
	const struct policy_mailbox *m = policy_mailbox(w->p, index);
	for (size_t i = 0; i < m->n_consumers; i++) {
		uint32_t number = policy_participant(w->p, m->consumers[i])->number;
		if (number)
			n += w->c->participants[number - 1].n_connections;
	}
	return n;
}

/* Why the oldest isn't on its way, in words. */
static char *why_head_waits(struct viewing *w, const struct mailbox *m, uint32_t consumers)
{
	const char *why = "";
	char *text = NULL;

	if (m->counts.queued == 0 || !m->unsettled.head)
		return view_text("");
	const struct transit *t = transit_at(w->c, m->unsettled.head);
	const struct delivery *d = delivery_at(w->c, t->delivery);
	if (consumers == 0) {
		why = "no connection takes from it";
	} else if (d->state == DELIVERY_WAITING) {
		text = view_alloc(w, CORE_DETAIL_BYTES);
		if (text)
			snprintf(text, CORE_DETAIL_BYTES, "attempt %u failed; again in %lld ms",
				 d->attempts, (long long)(t->not_before_ms - to_ms(w->v->now)));
	} else if (d->state == DELIVERY_IN_FLIGHT) {
		why = d->attempts
			      ? "the head is out again after a failed attempt; the same case waits for it"
			      : "the head is out and not settled yet";
	} else {
		why = "no credit";
	}
	return text ? text : view_text(why);
}

static Ieum__V1__QueueSummary *summary_of(struct viewing *w, uint32_t number)
{
	const struct mailbox *m = state_mailbox(w->c, number);
	Ieum__V1__QueueSummary *s = view_alloc(w, sizeof *s);
	struct core_mailbox_counts counts;

	if (!s || !core_mailbox_counts(w->c, number, &counts))
		return NULL;
	*s = (Ieum__V1__QueueSummary)IEUM__V1__QUEUE_SUMMARY__INIT;
	s->mailbox = m->name;
	s->depth = counts.queued;
	s->depth_bytes = counts.queued_bytes;
	s->in_flight = counts.in_flight;
	s->settled = counts.settled;
	s->dead_lettered = counts.dead_lettered;
	s->withdrawn = counts.withdrawn;
	s->routed = counts.routed;
	s->oldest_age_ms = counts.oldest_at_ms ? to_ms(w->v->now) - counts.oldest_at_ms : 0;
	s->consumers = consumers_of(w, number);
	s->head_waits = why_head_waits(w, m, s->consumers);
	return s;
}

enum ieum_err view_queues(struct viewing *w)
{
	Ieum__V1__QueuesResult *r = view_alloc(w, sizeof *r);
	enum ieum_err err = check_operator(w);

	if (err)
		return err;
	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__QueuesResult)IEUM__V1__QUEUES_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_QUEUES;
	w->v->result->queues = r;
	r->queues = view_alloc(w, w->rows * sizeof *r->queues);
	if (!r->queues)
		return IEUM_E_NO_MEMORY;
	for (uint64_t i = w->cursor; i < w->c->n_mailboxes; i++) {
		if (r->n_queues == w->rows)
			return view_more(w, i);
		r->queues[r->n_queues] = summary_of(w, (uint32_t)i + 1);
		if (!r->queues[r->n_queues++])
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

static void put_entry(struct viewing *w, const struct transit *t, Ieum__V1__QueueEntry *e)
{
	const struct delivery *d = delivery_at(w->c, t->delivery);
	const struct referral *m = referral_at(w->c, d->referral);

	*e = (Ieum__V1__QueueEntry)IEUM__V1__QUEUE_ENTRY__INIT;
	e->delivery_id = d->id;
	e->message_id = view_id(m->id);
	e->type = (Ieum__V1__MessageType)m->type;
	e->urgency = (Ieum__V1__Urgency)(m->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	e->received_at_ms = to_ms(m->at_us);
	e->attempts = d->attempts;
	e->state = (Ieum__V1__DeliveryState)(d->state == DELIVERY_WAITING ? DELIVERY_QUEUED
									  : d->state);
	if (d->state == DELIVERY_WAITING)
		e->not_before_at_ms = t->not_before_ms;
	if (d->state == DELIVERY_DEAD && t->why)
		e->why = t->why;
	e->bytes = m->payload_bytes;
}

/* Where the page begins: at the delivery that the cursor names, if it is still there. */
static uint32_t first_of_page(const struct viewing *w, const struct list *list, bool dead)
{
	uint32_t dh = w->cursor ? state_delivery(w->c, w->cursor) : 0;
	unsigned looked = 0;

	if (!w->cursor)
		return list->head;
	if (dh && delivery_at(w->c, dh)->transit &&
	    (delivery_at(w->c, dh)->state == DELIVERY_DEAD) == dead)
		return delivery_at(w->c, dh)->transit;
	uint32_t th = list->head;
	while (th && transit_at(w->c, th)->id < w->cursor && looked++ < VIEW_LOOKED_MAX)
		th = transit_at(w->c, th)->box_next;
	return th;
}

enum ieum_err view_queue(struct viewing *w, const Ieum__V1__QueueQuery *q)
{
	uint32_t number = core_mailbox_number(w->c, q->mailbox);
	enum ieum_err err = check_operator(w);

	if (err)
		return err;
	if (!number)
		return view_refuse(w, IEUM_E_FIELD_INVALID, "query.queue.mailbox: no such mailbox");
	const struct mailbox *m = state_mailbox(w->c, number);
	Ieum__V1__QueueResult *r = view_alloc(w, sizeof *r);
	Ieum__V1__QueueEntry *rows = view_alloc(w, w->rows * sizeof *rows);
	if (!r || !rows)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__QueueResult)IEUM__V1__QUEUE_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_QUEUE;
	w->v->result->queue = r;
	r->summary = summary_of(w, number);
	r->entries = view_alloc(w, w->rows * sizeof *r->entries);
	if (!r->summary || !r->entries)
		return IEUM_E_NO_MEMORY;
	uint32_t th = first_of_page(w, q->dead_letters ? &m->dead : &m->unsettled, q->dead_letters);
	for (; th; th = transit_at(w->c, th)->box_next) {
		if (r->n_entries == w->rows)
			return view_more(w, transit_at(w->c, th)->id);
		put_entry(w, transit_at(w->c, th), &rows[r->n_entries]);
		r->entries[r->n_entries] = &rows[r->n_entries];
		r->n_entries++;
	}
	return IEUM_E_OK;
}
