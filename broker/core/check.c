/* core_check(): counts everything again and looks for contradictions.  For the simulator, the
 * audit and tests; never on the loop. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/leaving.h"
#include "broker/core/state.h"
#include "broker/core/task.h"

struct checking {
	const struct core *c;
	char *what;
	size_t what_bytes;
	struct core_mailbox_counts *counts; /* by mailbox, as found */
	uint64_t unsettled, transits, cases, closed, tasks_with_clock, in_flight;
};

static enum ieum_err __attribute__((format(printf, 2, 3)))
wrong(struct checking *k, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(k->what, k->what_bytes, format, args);
	va_end(args);
	return IEUM_E_JOURNAL_CORRUPT;
}

static enum ieum_err check_delivery(struct checking *k, const struct referral *r, uint32_t dh)
{
	const struct delivery *d = delivery_at(k->c, dh);
	unsigned long long id = d->id;
	bool ended = d->state == DELIVERY_SETTLED || d->state == DELIVERY_WITHDRAWN;

	if (d->mailbox == 0 || d->mailbox > k->c->n_mailboxes)
		return wrong(k, "delivery %llu has no mailbox", id);
	struct core_mailbox_counts *n = &k->counts[d->mailbox - 1];
	n->routed++;
	switch (d->state) {
	case DELIVERY_QUEUED:
	case DELIVERY_WAITING:
		n->queued++;
		n->queued_bytes += r->payload_bytes;
		break;
	case DELIVERY_IN_FLIGHT: n->in_flight++; break;
	case DELIVERY_SETTLED: n->settled++; break;
	case DELIVERY_DEAD: n->dead_lettered++; break;
	case DELIVERY_WITHDRAWN: n->withdrawn++; break;
	default: return wrong(k, "delivery %llu has no state", id);
	}
	if (ended != (d->transit == 0))
		return wrong(k, "delivery %llu is settled or not, but not both", id);
	k->transits += !ended;
	k->unsettled += !ended && d->state != DELIVERY_DEAD;
	k->in_flight += d->state == DELIVERY_IN_FLIGHT;
	const struct core_case *in = r->core_case ? case_at(k->c, r->core_case) : NULL;
	bool left = in && handover_ended(in, d->mailbox) && !case_member(in, d->mailbox);
	/* A withdrawn consent takes back what was not settled, a conflict of interest an agenda; and
	 * what is of no case goes from who left the hub file to who takes its place. */
	bool taken_back = !in || r->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT ||
			  r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA;
	if (d->state == DELIVERY_WITHDRAWN && d->released_to && !(in && in->n_ended) &&
	    !r->erased && !taken_back)
		return wrong(k, "delivery %llu was withdrawn after it was released", id);
	if (r->erased && !ended && d->state != DELIVERY_DEAD)
		return wrong(k, "delivery %llu is on its way, but its content is erased", id);
	if (d->state == DELIVERY_QUEUED && !transit_at(k->c, d->transit)->lane)
		return wrong(k, "delivery %llu is queued and in no lane", id);
	if (d->state == DELIVERY_WAITING && !transit_at(k->c, d->transit)->place)
		return wrong(k, "delivery %llu waits for no time", id);
	if (left && !ended && d->state != DELIVERY_DEAD &&
	    !handover_is_told_by(k->c, r, d->mailbox))
		return wrong(k, "delivery %llu is on its way to who has left the case", id);
	if (in && !left && !case_member(in, d->mailbox))
		return wrong(k, "delivery %llu: its mailbox takes no part in the case", id);
	return IEUM_E_OK;
}

/* Has it been answered as far as its clock asks? */
static bool may_stand_still(const struct task *t)
{
	switch (t->stops_at) {
	case IEUM__V1__STOPS_AT__STOPS_AT_RECEIVED:
		return t->state != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	case IEUM__V1__STOPS_AT__STOPS_AT_DECIDED:
		return t->state != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED &&
		       t->state != IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED;
	default: return false;
	}
}

/* Promise 4: an open request has an answer, a clock, or somebody who took it on. */
static enum ieum_err check_task(struct checking *k, const struct referral *r, const struct task *t)
{
	bool open = task_open(t);

	k->tasks_with_clock += t->due_at_ms != 0;
	if ((t->due_at_ms != 0) != (t->place != 0))
		return wrong(k, "referral %llu task %u: its clock is not in the heap",
			     (unsigned long long)r->seq, t->index);
	if (!open && t->due_at_ms)
		return wrong(k, "referral %llu task %u: a clock runs after the end",
			     (unsigned long long)r->seq, t->index);
	if (open && !t->due_at_ms && !may_stand_still(t))
		return wrong(k, "referral %llu task %u: not answered and no clock runs",
			     (unsigned long long)r->seq, t->index);
	if (open && t->n_asked == 0)
		return wrong(k, "referral %llu task %u: open, and nobody is asked",
			     (unsigned long long)r->seq, t->index);
	return IEUM_E_OK;
}

static enum ieum_err check_case(struct checking *k, uint32_t ch)
{
	const struct core_case *cs = case_at(k->c, ch);
	uint32_t open = 0;
	enum ieum_err err = handover_check_case(k->c, cs, k->what, k->what_bytes);

	if (err)
		return err;
	k->cases++;
	k->closed += case_closed(cs);
	if (!state_mailbox(k->c, cs->owner))
		return wrong(k, "case of referral %llu has no owner", (unsigned long long)cs->seq);
	if (!case_member(cs, cs->owner) || case_member(cs, cs->owner)->out)
		return wrong(k, "case of referral %llu: its owner takes no part",
			     (unsigned long long)cs->seq);
	for (uint32_t rh = cs->referrals.head; rh; rh = referral_at(k->c, rh)->next_in_case) {
		if (referral_at(k->c, rh)->core_case != ch)
			return wrong(k, "case of referral %llu lists another's message",
				     (unsigned long long)cs->seq);
		for (uint32_t th = referral_at(k->c, rh)->first_task; th;
		     th = task_at(k->c, th)->next)
			open += task_open(task_at(k->c, th));
	}
	if (open != cs->n_open)
		return wrong(k, "case of referral %llu: %u open requests, %u counted",
			     (unsigned long long)cs->seq, open, cs->n_open);
	for (uint32_t i = 0; i < cs->n_links; i++) {
		uint32_t other = state_case(k->c, cs->links[i].case_id);
		bool back = !other && k->c->n_forgotten;
		for (uint32_t n = 0; other && n < case_at(k->c, other)->n_links; n++)
			back |= memcmp(case_at(k->c, other)->links[n].case_id, cs->id,
				       CORE_ID_BYTES) == 0;
		if (!back)
			return wrong(k, "case of referral %llu: a link goes one way only",
				     (unsigned long long)cs->seq);
	}
	return IEUM_E_OK;
}

static enum ieum_err check_referral(struct checking *k, const struct referral *r)
{
	uint32_t unsettled = 0;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(k->c, dh)->next) {
		uint8_t state = delivery_at(k->c, dh)->state;
		unsettled += state == DELIVERY_QUEUED || state == DELIVERY_WAITING ||
			     state == DELIVERY_IN_FLIGHT;
		err = check_delivery(k, r, dh);
	}
	for (uint32_t th = r->first_task; th && !err; th = task_at(k->c, th)->next)
		err = check_task(k, r, task_at(k->c, th));
	if (!err && unsettled != r->n_unsettled)
		err = wrong(k, "referral %llu: %u unsettled, %u counted",
			    (unsigned long long)r->seq, unsettled, r->n_unsettled);
	if (!err && r->core_case && case_at(k->c, r->core_case)->seq == r->seq)
		err = check_case(k, r->core_case);
	return err;
}

/* ---- queues ---- */

/* In order of id; each lane of it ready exactly when its head is queued. */
static enum ieum_err check_lane(struct checking *k, uint32_t h)
{
	const struct lane *l = lane_at(k->c, h);
	uint64_t last = 0;

	for (uint32_t th = l->transits.head; th; th = transit_at(k->c, th)->lane_next) {
		const struct transit *t = transit_at(k->c, th);
		if (t->id <= last || t->lane != h)
			return wrong(k, "mailbox %u: a lane is out of order at delivery %llu",
				     l->mailbox, (unsigned long long)t->id);
		last = t->id;
	}
	const struct transit *head = transit_at(k->c, l->transits.head);
	if ((delivery_at(k->c, head->delivery)->state == DELIVERY_QUEUED) != (l->place != 0))
		return wrong(k, "mailbox %u: a lane is ready or not, but not both", l->mailbox);
	if (l->place &&
	    k->c->mailboxes[l->mailbox - 1].ready[l->urgency].entries[l->place - 1].key != head->id)
		return wrong(k, "mailbox %u: a lane waits at the wrong place", l->mailbox);
	return IEUM_E_OK;
}

static enum ieum_err check_mailbox(struct checking *k, uint32_t number)
{
	const struct mailbox *m = state_mailbox(k->c, number);
	const struct core_mailbox_counts *is = &m->counts;
	const struct core_mailbox_counts *found = &k->counts[number - 1];
	uint64_t last = 0;
	uint64_t listed = 0;
	enum ieum_err err = IEUM_E_OK;

	if (is->routed !=
	    is->queued + is->in_flight + is->settled + is->dead_lettered + is->withdrawn)
		return wrong(k, "mailbox '%s': routed %llu is not the sum", m->name,
			     (unsigned long long)is->routed);
	if (is->queued != found->queued || is->in_flight != found->in_flight ||
	    is->queued_bytes != found->queued_bytes)
		return wrong(k, "mailbox '%s': queued %llu, found %llu", m->name,
			     (unsigned long long)is->queued, (unsigned long long)found->queued);
	bool short_of = is->settled < found->settled || is->dead_lettered < found->dead_lettered ||
			is->withdrawn < found->withdrawn;
	if (short_of || (!k->c->n_forgotten && is->routed != found->routed))
		return wrong(k, "mailbox '%s': routed %llu, found %llu", m->name,
			     (unsigned long long)is->routed, (unsigned long long)found->routed);
	for (uint32_t th = m->unsettled.head; th && !err; th = transit_at(k->c, th)->box_next) {
		const struct transit *t = transit_at(k->c, th);
		if (t->id <= last)
			return wrong(k, "mailbox '%s' is out of order at delivery %llu", m->name,
				     (unsigned long long)t->id);
		last = t->id;
		listed++;
		if (t->lane && lane_at(k->c, t->lane)->transits.head == th)
			err = check_lane(k, t->lane);
	}
	if (!err && listed != is->queued + is->in_flight)
		err = wrong(k, "mailbox '%s': %llu listed as unsettled", m->name,
			    (unsigned long long)listed);
	return err;
}

/* What an event's number leads to is known by its id, and was made by that event. */
static enum ieum_err check_seq(struct checking *k, uint64_t seq)
{
	uint32_t rh = seqmap_get(&k->c->seqs, seq);
	const struct referral *r = referral_at(k->c, rh);
	bool made = r->seq == seq;

	if (state_referral(k->c, r->id) != rh)
		return wrong(k, "event %llu leads to a message that is gone",
			     (unsigned long long)seq);
	for (uint32_t dh = r->first_delivery; dh && !made; dh = delivery_at(k->c, dh)->next)
		made = delivery_at(k->c, dh)->id >> CORE_ROUTE_BITS == seq;
	return made ? IEUM_E_OK
		    : wrong(k, "event %llu leads to another's message", (unsigned long long)seq);
}

static enum ieum_err check_totals(struct checking *k)
{
	const struct core *c = k->c;
	uint64_t flight = 0;

	for (uint32_t th = c->flight.head; th; th = transit_at(c, th)->flight_next)
		flight++;
	if (flight != k->in_flight)
		return wrong(k, "%llu in flight, %llu listed", (unsigned long long)k->in_flight,
			     (unsigned long long)flight);
	if (k->unsettled != c->n_unsettled || k->transits != c->transits.live)
		return wrong(k, "%llu deliveries unsettled, %llu counted",
			     (unsigned long long)k->unsettled, (unsigned long long)c->n_unsettled);
	if (k->tasks_with_clock != c->clocks.n)
		return wrong(k, "%llu clocks, %u in the heap",
			     (unsigned long long)k->tasks_with_clock, c->clocks.n);
	if (k->cases != c->cases.live)
		return wrong(k, "%u cases, %llu with an opening message", c->cases.live,
			     (unsigned long long)k->cases);
	uint64_t closed = 0;
	for (uint32_t h = c->closed.head; h; h = case_at(c, h)->closed_next)
		closed++;
	if (closed != k->closed)
		return wrong(k, "%llu cases closed, %llu listed", (unsigned long long)k->closed,
			     (unsigned long long)closed);
	return IEUM_E_OK;
}

enum ieum_err core_check(const struct core *c, char *what, size_t what_bytes)
{
	struct checking k = { .c = c, .what = what, .what_bytes = what_bytes };
	enum ieum_err err = IEUM_E_OK;

	if (what_bytes)
		*what = '\0';
	k.counts = calloc(c->n_mailboxes + 1U, sizeof *k.counts);
	if (!k.counts)
		return IEUM_E_NO_MEMORY;
	for (uint64_t seq = seqmap_next(&c->seqs, 1); seq && !err;
	     seq = seqmap_next(&c->seqs, seq + 1)) {
		const struct referral *r = referral_at(c, seqmap_get(&c->seqs, seq));
		err = check_seq(&k, seq);
		if (!err && r->seq == seq)
			err = check_referral(&k, r);
	}
	for (uint32_t i = 1; i <= c->n_mailboxes && !err; i++)
		err = check_mailbox(&k, i);
	if (!err)
		err = check_totals(&k);
	if (!err)
		err = case_clocks_check(c, what, what_bytes);
	if (!err)
		err = places_check(c, what, what_bytes);
	if (!err)
		err = handovers_check(c, what, what_bytes);
	if (!err)
		err = leavers_check(c, what, what_bytes);
	const char *counts_wrong = err ? NULL : counts_check(c);
	if (!err && !counts_wrong)
		counts_wrong = signals_check(c);
	if (!err && !counts_wrong)
		counts_wrong = agendas_check(c);
	if (!err && !counts_wrong)
		counts_wrong = agreements_check(c);
	if (!err && !counts_wrong)
		counts_wrong = certificates_check(c);
	if (!err && !counts_wrong)
		counts_wrong = sealed_check(c);
	if (counts_wrong)
		err = wrong(&k, "%s", counts_wrong);
	free(k.counts);
	return err;
}
