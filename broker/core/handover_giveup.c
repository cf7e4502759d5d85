/* A change of jurisdiction that can't be carried out: it has grown beyond what is handed over at
 * once, or the new one is in the hub file no more.  What was not taken stays with the old one, all
 * who know of the change are told, and another one can be announced. */
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/task.h"

enum ieum_err handover_give_up(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d, const struct handover *h,
			       Ieum__V1__Reason reason)
{
	const uint32_t told[] = { h->announced_by, h->from, h->to };
	struct occasion o;
	enum ieum_err err = occasion_of_time(c, p, d, now, 0, &o);

	if (err)
		return err;
	struct hub_message *m = hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)h->change_id };
	m->e->answer = m->referral.answer->kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
	m->e->answer_reason = m->referral.answer->reason = reason;
	for (size_t i = 0; i < sizeof told / sizeof told[0] && !err; i++)
		err = hub_message_to(&o, m, told[i],
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER);
	if (!err)
		err = hub_message_end(&o, m);
	if (err)
		return err;
	return handover_event(d, now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_CANCELLED)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}

/* ---- the new one is gone ---- */

bool handover_is_stranded(const struct core *c, const struct policy *p, const struct handover *h)
{
	return h->step == HANDOVER_STEP(CUT_OVER) && h->listed &&
	       policy_find_participant(p, state_mailbox_name(c, h->to)) == POLICY_NONE;
}

/* The hub's question whether the new one takes the case. */
static const struct task *question(const struct core *c, const struct handover *h,
				   const struct core_case *k)
{
	for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next) {
		const struct task *t = task_at(c, th);
		if (t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER &&
		    task_asks(t, h->to) && referral_at(c, t->referral)->sender == 0)
			return t;
	}
	return NULL;
}

/* Nobody is left to answer it. */
static enum ieum_err end_question(const struct core *c, struct core_decision *d, core_time_us now,
				  const struct task *t)
{
	Ieum__V1__Escalated *e = decision_escalated(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->message_id =
		(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)referral_at(c, t->referral)->id };
	e->task = t->index;
	e->cause = IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE;
	e->state = IEUM__V1__TASK_STATE__TASK_STATE_FAILED;
	return IEUM_E_OK;
}

/* First its question ends, which makes it a case that was not asked for yet. */
enum ieum_err handover_give_back(const struct core *c, struct core_decision *d, core_time_us now,
				 const struct handover *h, const struct core_case *k)
{
	const struct task *t = question(c, h, k);

	return t ? end_question(c, d, now, t)
		 : handover_keep(d, now, h, k, IEUM__V1__REASON__REASON_UNREACHABLE);
}

enum ieum_err handover_give_back_some(const struct core *c, const struct policy *p,
				      core_time_us now, struct core_decision *d,
				      const struct handover *h)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < h->n_cases && !err; i++) {
		const struct handed_case *handed = &h->cases[i];
		bool is_left = handed->step == HANDOVER_STEP(CUT_OVER) ||
			       handed->step == HANDOVER_STEP(ASKED);
		uint32_t ch = is_left ? state_case(c, handed->row.case_id) : 0;
		if (!ch)
			continue;
		if (d->n_items == HANDOVER_ASKED_AT_ONCE)
			break;
		err = handover_give_back(c, d, now, h, case_at(c, ch));
	}
	if (err || d->n_items > 0)
		return err;
	return handover_give_up(c, p, now, d, h, IEUM__V1__REASON__REASON_UNREACHABLE);
}
