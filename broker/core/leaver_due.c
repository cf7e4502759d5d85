/* What a leaver had is moved on, a bounded part per call. */
#include "broker/core/cases.h"
#include "broker/core/decision.h"
#include "broker/core/handover.h"
#include "broker/core/leaving.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

enum {
	LEAVER_LOOKED_AT_ONCE = 256, /* cases, or messages of no case, in one decision … */
	LEAVER_CASES_AT_ONCE = 8,    /* … of which so many change hands */
};

/* The one that is looked through. */
struct leaving {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	uint32_t mailbox, to;
	int successor; /* index of `to`, or POLICY_NONE */
};

static Ieum__V1__Left *left_event(const struct leaving *l)
{
	Ieum__V1__Left *e = decision_left(l->d, l->now);

	if (!e)
		return NULL;
	e->mailbox = l->mailbox;
	e->to = l->to;
	return e;
}

static void take_gathered(Ieum__V1__Left *e, const struct handover_leaving *from)
{
	e->withdrawn = from->withdrawn;
	e->n_withdrawn = from->n_withdrawn;
	e->forward_seqs = from->forward_seqs;
	e->n_forward_seqs = from->n_forward_seqs;
}

/* ---- requests of somebody in whose place nobody comes ---- */

static bool is_stranded(const struct leaving *l, const struct task *t)
{
	return leaver_strands(l->c, l->p, l->mailbox, t);
}

static bool is_listed(const struct leaving *l)
{
	return state_policy_mailbox(l->c, l->p, l->mailbox) != POLICY_NONE;
}

/* As on silence, but that whoever had taken it on holds it no longer. */
static enum ieum_err move_on(const struct leaving *l, const struct task *t)
{
	size_t before = l->d->n_items;
	enum ieum_err err = ladder_move(l->c, l->p, l->d, l->now, t,
					IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE, 0);

	for (size_t i = before; i < l->d->n_items && !err; i++) {
		Ieum__V1__Event *e = l->d->items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_ESCALATED &&
		    !task_state_ended(e->escalated->state))
			e->escalated->state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	}
	return err;
}

/* ---- a case ---- */

static enum ieum_err pass_on(const struct leaving *l, const struct core_case *k)
{
	struct handover_leaving had = { .c = l->c, .from = l->mailbox, .to = l->to };
	Ieum__V1__Left *e = left_event(l);
	enum ieum_err err = e ? handover_leave_case(&had, l->d, k) : IEUM_E_NO_MEMORY;

	if (err)
		return err;
	e->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)k->id };
	e->last_read_at_ms = had.last_read_at_ms;
	take_gathered(e, &had);
	return IEUM_E_OK;
}

static bool hands_over(const struct handover *h, uint32_t mailbox)
{
	return h->from == mailbox || h->to == mailbox;
}

/* A case that others are handing over changes hands beside that.  *again: what was decided has to be applied before the rest of the case can be looked at. */
static enum ieum_err leave_case(const struct leaving *l, uint32_t ch, bool *again)
{
	const struct core_case *k = case_at(l->c, ch);
	const struct handover *h = handover_numbered(l->c, k->handover);

	*again = true;
	if (h && !is_listed(l) && (hands_over(h, l->mailbox) || hands_over(h, l->to)))
		return handover_give_back(l->c, l->d, l->now, h, k);
	if (l->to && leaver_may_succeed(l->c, l->p, l->successor, k)) {
		*again = false;
		return pass_on(l, k);
	}
	for (uint32_t th = k->open.head; th; th = task_at(l->c, th)->case_next)
		if (is_stranded(l, task_at(l->c, th)))
			return move_on(l, task_at(l->c, th));
	*again = false;
	return IEUM_E_OK;
}

static enum ieum_err look_at_cases(const struct leaving *l, uint32_t at)
{
	const struct mailbox *m = state_mailbox(l->c, l->mailbox);
	uint32_t from = at;
	unsigned looked = 0, moved = 0;
	enum ieum_err err = IEUM_E_OK;
	bool again = false;

	while (at < m->n_cases && looked++ < LEAVER_LOOKED_AT_ONCE &&
	       moved < LEAVER_CASES_AT_ONCE) {
		size_t before = l->d->n_items;
		/* A ladder may make many events: it gets a decision of its own. */
		if (m->cases[at])
			err = leave_case(l, m->cases[at], &again);
		if (err || again)
			break;
		moved += l->d->n_items > before;
		at++;
	}
	if (err || at == from)
		return err;
	Ieum__V1__Left *e = left_event(l);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->looked_cases = at;
	return IEUM_E_OK;
}

/* ---- messages of no case ---- */

/* The first that was not looked at yet; when the last one is forgotten, the first of all. */
static uint32_t next_message(const struct core *c, uint64_t looked_seq)
{
	uint32_t rh = looked_seq ? seqmap_get(&c->seqs, looked_seq) : 0;
	const struct referral *r = rh ? referral_at(c, rh) : NULL;

	return r && r->seq == looked_seq && !r->core_case ? r->next_in_case : c->loose.head;
}

static const struct task *stranded_of(const struct leaving *l, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(l->c, th)->next)
		if (is_stranded(l, task_at(l->c, th)))
			return task_at(l->c, th);
	return NULL;
}

static enum ieum_err look_at_messages(const struct leaving *l, uint64_t looked_seq)
{
	struct handover_leaving had = { .c = l->c, .from = l->mailbox, .to = l->to };
	uint32_t rh = next_message(l->c, looked_seq);
	enum ieum_err err = IEUM_E_OK;
	const struct task *stuck = NULL;
	uint64_t seq = 0;

	for (unsigned n = 0; rh && n < LEAVER_LOOKED_AT_ONCE && !err; n++) {
		const struct referral *r = referral_at(l->c, rh);
		stuck = l->to ? NULL : stranded_of(l, r);
		if (stuck)
			break;
		if (l->to)
			err = handover_leave_message(&had, l->d, r);
		seq = r->seq;
		rh = r->next_in_case;
	}
	if (err || (stuck && !seq))
		return err ? err : move_on(l, stuck);
	Ieum__V1__Left *e = left_event(l);
	if (!e)
		return IEUM_E_NO_MEMORY;
	take_gathered(e, &had);
	e->looked_seq = seq;
	e->over = !rh;
	return IEUM_E_OK;
}

enum ieum_err due_leavers(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d)
{
	if (c->leavers.n == 0)
		return IEUM_E_OK;
	const struct leaver *first = &c->leavers.all[0];
	const struct leaving l = { .c = c,
				   .p = p,
				   .d = d,
				   .now = now,
				   .mailbox = first->mailbox,
				   .to = first->to,
				   .successor = first->to ? state_policy_mailbox(c, p, first->to)
							  : POLICY_NONE };
	if (first->looked_cases < state_mailbox(c, first->mailbox)->n_cases)
		return look_at_cases(&l, first->looked_cases);
	return look_at_messages(&l, first->looked_seq);
}
