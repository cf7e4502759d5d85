/* Cases, for those who take part in them: the list, and one with its timeline. */
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/task.h"
#include "broker/core/timeline.h"
#include "broker/core/view.h"

bool view_is_narrow(const struct viewing *w, const struct core_case *k)
{
	return !caller_consumes(w->c, w->p, &w->who, k->owner) &&
	       signals_closed_case(w->c, w->p, k, to_ms(w->v->now));
}

static Ieum__V1__CaseSummary *summary_of(struct viewing *w, const struct core_case *k)
{
	Ieum__V1__CaseSummary *s = view_alloc(w, sizeof *s);

	if (!s)
		return NULL;
	*s = (Ieum__V1__CaseSummary)IEUM__V1__CASE_SUMMARY__INIT;
	s->case_id = view_id(k->id);
	s->state = (Ieum__V1__CaseState)k->state;
	s->category = (Ieum__V1__Category)k->category;
	s->jurisdiction = view_text(k->jurisdiction);
	s->owner = view_text(state_mailbox_name(w->c, k->owner));
	s->opened_at_ms = k->opened_at_ms;
	s->last_at_ms = k->last_at_ms;
	s->open_requests = k->n_open;
	s->grade = view_text(k->grade);
	/* These walk along all that is open. */
	w->looked += k->n_open + 2 * k->n_clocks;
	s->next_due_at_ms = case_next_due(w->c, k);
	s->breached_clocks = case_clocks_breached(w->c, k);
	if (view_is_narrow(w, k))
		s->opened_at_ms = s->last_at_ms = s->next_due_at_ms = s->breached_clocks = 0;
	return s;
}

/* ---- the list: mailbox by mailbox, newest first ---- */

static uint32_t own_mailbox(const struct viewing *w, size_t i)
{
	return policy_mailbox(w->p, w->who.who->mailboxes[i])->number;
}

static bool is_listed(const struct viewing *w, const struct core_case *k, size_t box)
{
	const struct member *m = case_member(k, own_mailbox(w, box));

	return m && !m->out;
}

/* Once, under the first of the caller's mailboxes that takes part. */
static bool listed_before(const struct viewing *w, const struct core_case *k, size_t box)
{
	for (size_t i = 0; i < box; i++)
		if (is_listed(w, k, i))
			return true;
	return false;
}

enum ieum_err view_cases(struct viewing *w)
{
	Ieum__V1__CasesResult *r = view_alloc(w, sizeof *r);
	bool closed = w->v->query->cases->closed;

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__CasesResult)IEUM__V1__CASES_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_CASES;
	w->v->result->cases = r;
	r->cases = view_alloc(w, w->rows * sizeof *r->cases);
	if (!r->cases)
		return IEUM_E_NO_MEMORY;
	/* Cursor: which mailbox << 32 | how many of its list are left, + 1. */
	size_t box = w->cursor >> 32;
	uint64_t left = w->cursor & UINT32_MAX;
	for (; box < w->who.who->n_mailboxes; box++, left = 0) {
		const struct mailbox *m = state_mailbox(w->c, own_mailbox(w, box));
		uint32_t at = m ? m->n_cases : 0;
		if (left && left - 1 < at)
			at = (uint32_t)left - 1;
		while (at > 0) {
			if (r->n_cases == w->rows || view_tired(w))
				return view_more(w, (uint64_t)box << 32 | (at + 1U));
			w->looked += 1 + (uint32_t)box;
			uint32_t ch = m->cases[--at];
			const struct core_case *k = ch ? case_at(w->c, ch) : NULL;
			if (!k || (case_closed(k) && !closed) ||
			    case_excludes(k, w->who.participant) || !is_listed(w, k, box) ||
			    listed_before(w, k, box))
				continue;
			r->cases[r->n_cases] = summary_of(w, k);
			if (!r->cases[r->n_cases++])
				return IEUM_E_NO_MEMORY;
		}
	}
	return IEUM_E_OK;
}

/* ---- one case ---- */

static enum ieum_err put_links(struct viewing *w, const struct core_case *k,
			       Ieum__V1__CaseResult *r)
{
	r->links = view_alloc(w, k->n_links * sizeof *r->links);
	Ieum__V1__LinkedCase *rows = view_alloc(w, k->n_links * sizeof *rows);
	if (!r->links || !rows)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < k->n_links; i++) {
		uint32_t other = state_case(w->c, k->links[i].case_id);
		if (other && case_excludes(case_at(w->c, other), w->who.participant))
			continue;
		rows[i] = (Ieum__V1__LinkedCase)IEUM__V1__LINKED_CASE__INIT;
		rows[i].case_id = view_id(k->links[i].case_id);
		rows[i].kind = (Ieum__V1__LinkKind)k->links[i].kind;
		if (other)
			rows[i].owner =
				view_text(state_mailbox_name(w->c, case_at(w->c, other)->owner));
		r->links[r->n_links++] = &rows[i];
	}
	return IEUM_E_OK;
}

/* Where the event of this entry sent its message. */
static enum ieum_err put_recipients(struct viewing *w, const struct referral *m, uint64_t seq,
				    Ieum__V1__TimelineEntry *e)
{
	size_t n = 0;

	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next) {
		n += delivery_at(w->c, dh)->id >> CORE_ROUTE_BITS == seq;
		w->looked++;
	}
	e->to = view_alloc(w, n * sizeof *e->to);
	if (!e->to)
		return IEUM_E_NO_MEMORY;
	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next)
		if (delivery_at(w->c, dh)->id >> CORE_ROUTE_BITS == seq)
			e->to[e->n_to++] =
				view_text(state_mailbox_name(w->c, delivery_at(w->c, dh)->mailbox));
	return IEUM_E_OK;
}

static enum ieum_err put_message(struct viewing *w, const struct entry *from,
				 Ieum__V1__TimelineEntry *e)
{
	const struct referral *m = referral_at(w->c, from->referral);

	e->message_id = view_id(m->id);
	e->type = (Ieum__V1__MessageType)m->type;
	e->urgency = (Ieum__V1__Urgency)(m->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	uint32_t replied = m->in_reply_to ? seqmap_get(&w->c->seqs, m->in_reply_to) : 0;
	if (replied && referral_at(w->c, replied)->seq == m->in_reply_to)
		e->in_reply_to = view_id(referral_at(w->c, replied)->id);
	if (from->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED ||
	    from->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED) {
		e->cause = (Ieum__V1__DeliveryCause)from->what;
		e->actor = view_text(state_actor_name(w->c, from->actor));
		if (from->actor)
			e->from = view_text(state_participant_name(
				w->c, w->c->actors[from->actor - 1].participant));
		e->to = view_alloc(w, sizeof *e->to);
		if (!e->to)
			return IEUM_E_NO_MEMORY;
		e->to[e->n_to++] = view_text(state_mailbox_name(w->c, from->mailbox));
		return IEUM_E_OK;
	}
	if (from->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED) {
		e->from = view_text(state_participant_name(w->c, m->sender));
		e->actor = view_text(state_actor_name(w->c, m->actor));
	}
	return put_recipients(w, m, from->seq, e);
}

/* A grade, of eight letters at most. */
static char *view_letters(struct viewing *w, uint64_t letters)
{
	char *text = view_alloc(w, sizeof letters + 1);

	for (size_t i = 0; text && i < sizeof letters; i++)
		text[i] = (char)(letters >> 8 * i);
	return text ? text : view_text("");
}

static enum ieum_err put_successor(struct viewing *w, const struct entry *from,
				   Ieum__V1__TimelineEntry *e)
{
	e->to = view_alloc(w, sizeof *e->to);
	if (!e->to)
		return IEUM_E_NO_MEMORY;
	e->to[e->n_to++] = view_text(state_mailbox_name(w->c, (uint32_t)from->successor));
	return IEUM_E_OK;
}

static enum ieum_err put_entry(struct viewing *w, const struct entry *from,
			       Ieum__V1__TimelineEntry *e)
{
	*e = (Ieum__V1__TimelineEntry)IEUM__V1__TIMELINE_ENTRY__INIT;
	e->at_ms = from->at_ms;
	e->kind = (Ieum__V1__TimelineKind)from->kind;
	e->journal_number = from->seq;
	e->outcome = (Ieum__V1__Outcome)from->outcome;
	e->reason = (Ieum__V1__Reason)from->reason;
	switch (e->kind) {
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED:
		e->answer = (Ieum__V1__AnswerKind)from->what;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE:
		e->case_state = (Ieum__V1__CaseState)from->what;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED:
		e->cause = from->what == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED
				   ? IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_NEXT_RANK
				   : IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CLOCK:
		e->clock_change = (Ieum__V1__ClockChange)from->what;
		e->name = view_text(names_text(&w->c->names, entry_name(from)));
		e->outcome = IEUM__V1__OUTCOME__OUTCOME_UNSPECIFIED;
		e->reason = IEUM__V1__REASON__REASON_UNSPECIFIED;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_PLACE:
		e->hold_state = (Ieum__V1__HoldState)from->what;
		e->name = view_text(pool_at(w->c, entry_name(from))->name);
		e->outcome = IEUM__V1__OUTCOME__OUTCOME_UNSPECIFIED;
		e->reason = IEUM__V1__REASON__REASON_UNSPECIFIED;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GATE:
		e->at_once = from->what != 0;
		e->name = view_text(names_text(&w->c->names, entry_name(from)));
		e->outcome = IEUM__V1__OUTCOME__OUTCOME_UNSPECIFIED;
		e->reason = IEUM__V1__REASON__REASON_UNSPECIFIED;
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_HANDED_OVER: return put_successor(w, from, e);
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE:
		e->name = view_letters(w, from->letters);
		break;
	case IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CONSENT:
		e->name = view_text(
			from->what == IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_GIVEN ? "given"
			: from->what == IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN
				? "withdrawn"
				: "withdrawn_in_part");
		break;
	default: break;
	}
	if (e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED &&
	    e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE &&
	    e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED)
		e->due_at_ms = from->due_at_ms;
	return from->referral ? put_message(w, from, e) : IEUM_E_OK;
}

static bool is_own_entry(const struct viewing *w, const struct entry *e)
{
	return e->referral && e->kind != IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CLOCK &&
	       view_is_own(w, referral_at(w->c, e->referral));
}

static enum ieum_err put_timeline(struct viewing *w, const struct core_case *k,
				  Ieum__V1__CaseResult *r)
{
	uint64_t at = w->cursor < k->timeline.n ? w->cursor : k->timeline.n;
	size_t n = k->timeline.n - at < w->rows ? (size_t)(k->timeline.n - at) : w->rows;
	bool narrow = view_is_narrow(w, k);
	Ieum__V1__TimelineEntry *rows = view_alloc(w, n * sizeof *rows);
	enum ieum_err err = IEUM_E_OK;

	r->timeline = view_alloc(w, n * sizeof *r->timeline);
	if (!rows || !r->timeline)
		return IEUM_E_NO_MEMORY;
	for (; at < k->timeline.n && r->n_timeline < n && !err; at++) {
		const struct entry *from = timeline_at(&k->timeline, (uint32_t)at);
		if (r->n_timeline && view_tired(w))
			break;
		w->looked++;
		if (narrow && !is_own_entry(w, from))
			continue;
		err = put_entry(w, from, &rows[r->n_timeline]);
		r->timeline[r->n_timeline] = &rows[r->n_timeline];
		r->n_timeline++;
	}
	return !err && at < k->timeline.n ? view_more(w, at) : err;
}

static Ieum__V1__GateView *gate_view(struct viewing *w, const struct case_gate *gate)
{
	const struct policy_gate *policy = policy_gate(w->p, policy_find_gate(w->p, gate->name));
	Ieum__V1__GateView *g = view_alloc(w, sizeof *g);

	if (!g)
		return NULL;
	*g = (Ieum__V1__GateView)IEUM__V1__GATE_VIEW__INIT;
	g->name = view_text(gate->name);
	g->until_at_ms = gate->until_ms;
	if (policy) {
		g->title_en = view_text(policy->title_en);
		g->title_ko = view_text(policy->title_ko);
	}
	return g;
}

static enum ieum_err put_gates(struct viewing *w, const struct core_case *k,
			       Ieum__V1__CaseResult *r)
{
	const struct case_gates *gates = &k->gates;

	r->gates = view_alloc(w, gates->n * sizeof *r->gates);
	if (!r->gates)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < gates->n; i++) {
		if (!gate_is_open(gates, gates->list[i].name, to_ms(w->v->now)))
			continue;
		if (!(r->gates[r->n_gates++] = gate_view(w, &gates->list[i])))
			return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

enum ieum_err view_case(struct viewing *w, const Ieum__V1__CaseQuery *q)
{
	uint32_t ch = q->case_id.len == CORE_ID_BYTES ? state_case(w->c, q->case_id.data) : 0;
	const struct core_case *k = ch ? case_at(w->c, ch) : NULL;

	if (k && case_excludes(k, w->who.participant))
		return view_refuse(w, IEUM_E_CONFLICT_OF_INTEREST, "query.case.case_id");
	if (!k || !caller_reads_case(w->p, &w->who, k))
		return view_refuse(w, IEUM_E_CASE_UNKNOWN, "query.case.case_id");
	Ieum__V1__CaseResult *r = view_alloc(w, sizeof *r);
	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__CaseResult)IEUM__V1__CASE_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_CASE;
	w->v->result->case_ = r;
	view_read_id(w, k->id);
	r->summary = summary_of(w, k);
	r->consent_withdrawn = k->consent_withdrawn;
	r->participants = view_alloc(w, k->n_members * sizeof *r->participants);
	if (!r->summary || !r->participants)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < k->n_members; i++)
		if (!k->members[i].out)
			r->participants[r->n_participants++] =
				view_text(state_mailbox_name(w->c, k->members[i].mailbox));
	if (k->contact && !(r->safe_contact = contact_message(w->v->arena, k->contact)))
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = put_gates(w, k, r);
	if (!err && !view_is_narrow(w, k))
		err = view_case_clocks(w, k, r);
	if (!err && !view_is_narrow(w, k))
		err = put_links(w, k, r);
	return err ? err : put_timeline(w, k, r);
}
