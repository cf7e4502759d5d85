/* One message: how far its requests and deliveries are, and for whom its content is. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/task.h"
#include "broker/core/view.h"

/* Who has approved it, of those who have to. */
static enum ieum_err put_approval(struct viewing *w, const struct approval *a,
				  Ieum__V1__TaskView *out)
{
	out->quorum = a->quorum;
	out->accepted_by = view_alloc(w, a->n_accepted * sizeof *out->accepted_by);
	if (!out->accepted_by)
		return IEUM_E_NO_MEMORY;
	for (; out->n_accepted_by < a->n_accepted; out->n_accepted_by++)
		out->accepted_by[out->n_accepted_by] =
			view_text(state_participant_name(w->c, a->accepted_by[out->n_accepted_by]));
	return IEUM_E_OK;
}

enum ieum_err view_task(struct viewing *w, const struct task *t, Ieum__V1__TaskView *out)
{
	uint32_t asked = t->holder ? t->holder : t->n_asked ? t->asked[t->n_asked - 1].mailbox : 0;

	*out = (Ieum__V1__TaskView)IEUM__V1__TASK_VIEW__INIT;
	out->task = t->index;
	out->state = (Ieum__V1__TaskState)t->state;
	out->asked = view_text(state_mailbox_name(w->c, asked));
	out->outcome = (Ieum__V1__Outcome)t->outcome;
	out->reason = (Ieum__V1__Reason)t->reason;
	out->due_at_ms = t->due_at_ms;
	out->steps_left = (uint32_t)(t->n_ladder - t->steps_used);
	out->answer = (Ieum__V1__AnswerKind)t->answer;
	out->asked_first =
		view_text(state_mailbox_name(w->c, t->n_asked ? t->asked[0].mailbox : 0));
	return t->approval ? put_approval(w, t->approval, out) : IEUM_E_OK;
}

static enum ieum_err put_tasks(struct viewing *w, const struct referral *m,
			       Ieum__V1__ReferralResult *r)
{
	r->tasks = view_alloc(w, POLICY_TASKS_MAX * sizeof *r->tasks);
	if (!r->tasks)
		return IEUM_E_NO_MEMORY;
	for (uint32_t th = m->first_task; th; th = task_at(w->c, th)->next) {
		Ieum__V1__TaskView *row = view_alloc(w, sizeof *row);
		if (!row)
			return IEUM_E_NO_MEMORY;
		if (view_task(w, task_at(w->c, th), row))
			return IEUM_E_NO_MEMORY;
		r->tasks[r->n_tasks++] = row;
	}
	return IEUM_E_OK;
}

static enum ieum_err put_deliveries(struct viewing *w, const struct referral *m,
				    Ieum__V1__ReferralResult *r)
{
	size_t n = 0;

	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next)
		n++;
	Ieum__V1__DeliveryView *rows = view_alloc(w, n * sizeof *rows);
	r->deliveries = view_alloc(w, n * sizeof *r->deliveries);
	if (!rows || !r->deliveries)
		return IEUM_E_NO_MEMORY;
	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next) {
		const struct delivery *d = delivery_at(w->c, dh);
		Ieum__V1__DeliveryView *row = &rows[r->n_deliveries];
		*row = (Ieum__V1__DeliveryView)IEUM__V1__DELIVERY_VIEW__INIT;
		row->delivery_id = d->id;
		row->mailbox = view_text(state_mailbox_name(w->c, d->mailbox));
		row->state =
			(Ieum__V1__DeliveryState)(d->state == DELIVERY_WAITING ? DELIVERY_QUEUED
									       : d->state);
		row->attempts = d->attempts;
		row->released_to = view_text(state_participant_name(w->c, d->released_to));
		row->released_at_ms = d->released_at_ms;
		row->cause = (Ieum__V1__DeliveryCause)d->cause;
		r->deliveries[r->n_deliveries++] = row;
	}
	return IEUM_E_OK;
}

/* Sender and recipients may read it, and to whom they have handed the case over. */
static bool may_read(const struct viewing *w, const struct referral *m)
{
	const struct core_case *k = m->core_case ? case_at(w->c, m->core_case) : NULL;

	if (m->sender == w->who.participant ||
	    (k && m->sender &&
	     handover_inherits(w->c, w->p, &w->who, k, handover_own_mailbox(w->c, m->sender))))
		return true;
	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next) {
		const struct delivery *d = delivery_at(w->c, dh);
		if (k && handover_inherits(w->c, w->p, &w->who, k, d->mailbox))
			return true;
		if (d->state != DELIVERY_WITHDRAWN &&
		    caller_consumes(w->c, w->p, &w->who, d->mailbox))
			return true;
	}
	return false;
}

/* On a consent that was withdrawn nobody gets to know more than it does already. */
static bool is_withheld(const struct viewing *w, const struct referral *m)
{
	if (!referral_lacks_consent(w->c, m) || m->sender == w->who.participant)
		return false;
	for (uint32_t dh = m->first_delivery; dh; dh = delivery_at(w->c, dh)->next)
		if (mailbox_has_read(w->c, delivery_at(w->c, dh), w->who.participant))
			return false;
	return true;
}

static Ieum__V1__Withheld why_withheld(const struct viewing *w, const struct referral *m,
				       bool may_read_it)
{
	if (!may_read_it)
		return IEUM__V1__WITHHELD__WITHHELD_NOT_ADDRESSED;
	if (m->erased)
		return IEUM__V1__WITHHELD__WITHHELD_ERASED;
	return is_withheld(w, m) ? IEUM__V1__WITHHELD__WITHHELD_CONSENT_WITHDRAWN : 0;
}

/* Who has handed the case over, and is asked to wrap a key for whoever took it, needs the message for
 * that, which it has had. */
static bool is_asked_for_key(const struct viewing *w, const struct referral *m)
{
	const struct sealed *s = m->sealed ? sealed_at(w->c, m->sealed) : NULL;

	for (uint32_t wh = s ? s->first_want : 0; wh; wh = sealed_want_at(w->c, wh)->next)
		if (sealed_asks(sealed_want_at(w->c, wh), w->who.participant))
			return true;
	return false;
}

bool view_is_own(const struct viewing *w, const struct referral *m)
{
	return may_read(w, m);
}

enum ieum_err view_referral(struct viewing *w, const Ieum__V1__ReferralQuery *q)
{
	uint32_t rh =
		q->message_id.len == CORE_ID_BYTES ? state_referral(w->c, q->message_id.data) : 0;
	const struct referral *m = rh ? referral_at(w->c, rh) : NULL;
	const struct core_case *k = m && m->core_case ? case_at(w->c, m->core_case) : NULL;

	if ((k && case_excludes(k, w->who.participant)) ||
	    (m && agenda_copy_tells(w->c, m, w->who.participant)))
		return view_refuse(w, IEUM_E_CONFLICT_OF_INTEREST, "query.referral.message_id");
	if (k && handover_left(w->c, w->p, &w->who, k) && !is_asked_for_key(w, m))
		return view_refuse(w, IEUM_E_REFERRAL_UNKNOWN, "query.referral.message_id");
	bool content = m && may_read(w, m);
	if (!m ||
	    (!content && !(k && caller_reads_case(w->p, &w->who, k) && !view_is_narrow(w, k))))
		return view_refuse(w, IEUM_E_REFERRAL_UNKNOWN, "query.referral.message_id");
	Ieum__V1__ReferralResult *r = view_alloc(w, sizeof *r);
	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__ReferralResult)IEUM__V1__REFERRAL_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_REFERRAL;
	w->v->result->referral = r;
	r->withheld = why_withheld(w, m, content);
	w->v->payload_seq = r->withheld ? 0 : m->seq;
	w->v->sealed = m->sealed != 0;
	view_read_id(w, m->id);
	r->message_id = view_id(m->id);
	if (k)
		r->case_id = view_id(k->id);
	r->type = (Ieum__V1__MessageType)m->type;
	r->sender = view_text(state_participant_name(w->c, m->sender));
	r->sender_actor = view_text(state_actor_name(w->c, m->actor));
	r->received_at_ms = to_ms(m->at_us);
	r->journal_number = m->seq;
	enum ieum_err err = put_tasks(w, m, r);
	return err ? err : put_deliveries(w, m, r);
}
