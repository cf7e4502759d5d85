/* What becomes of a case or a request is told by the hub: to everyone who referred into a case
 * that is closed, and to whoever asked when nobody took it on. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/occasion.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* Whoever reads the mailbox learns of a case only that what it sent came, and that it ended. */
static bool hears_status(const struct occasion *o, uint32_t mailbox)
{
	int index = state_policy_mailbox(o->c, o->p, mailbox);
	const struct policy_mailbox *m = policy_mailbox(o->p, index);

	return m && m->body == POLICY_NONE &&
	       policy_participant(o->p, m->consumers[0])->hears_status;
}

static struct hub_message *closure_notice(const struct occasion *o, Ieum__V1__Reason reason)
{
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE);

	if (!m)
		return NULL;
	m->referral.closure_notice->reason = reason;
	m->referral.closure_notice->closed_at_ms = o->now_ms;
	return m;
}

/* More referrers than one message reaches get it by several. */
enum ieum_err outcome_of_case(const struct occasion *o, Ieum__V1__Reason reason)
{
	const struct core_case *k = case_at(o->c, o->core_case);
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < k->n_members && !err;) {
		struct hub_message *m = closure_notice(o, reason);
		if (!m)
			return IEUM_E_NO_MEMORY;
		for (; i < k->n_members && m->e->n_routes < POLICY_ROUTES_MAX && !err; i++)
			if (k->members[i].sent && !hears_status(o, k->members[i].mailbox))
				err = hub_message_to(
					o, m, k->members[i].mailbox,
					IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_OUTCOME);
		if (!err)
			err = hub_message_end(o, m);
	}
	return err;
}

/* Of a case that is over with the message that opened it. */
static enum ieum_err outcome_to_opener(const struct occasion *o, Ieum__V1__Reason reason)
{
	struct hub_message *m = closure_notice(o, reason);
	enum ieum_err err = m ? IEUM_E_OK : IEUM_E_NO_MEMORY;

	if (!err && o->e->sender_mailbox && !hears_status(o, o->e->sender_mailbox))
		err = hub_message_to(o, m, o->e->sender_mailbox,
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_OUTCOME);
	return err ? err : hub_message_end(o, m);
}

enum ieum_err outcome_of_rule(const struct occasion *o, Ieum__V1__Reason reason)
{
	const Ieum__V1__CaseState closed = IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;

	if (!o->e || o->e->case_state != closed ||
	    decision_case_state(o->c, o->d, o->case_id.data, o->e) == closed)
		return IEUM_E_OK;
	return o->core_case ? outcome_of_case(o, reason) : outcome_to_opener(o, reason);
}

static uint32_t who_is_told(const struct occasion *o, const struct referral *r,
			    Ieum__V1__DeliveryCause *cause)
{
	const struct core_case *k = r->core_case ? case_at(o->c, r->core_case) : NULL;
	int sender = state_policy_participant(o->c, o->p, r->sender);
	bool hears = sender != POLICY_NONE;

	for (size_t i = 0; i < o->n_excluded; i++)
		hears &= o->excluded[i] != sender;
	*cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER;
	if (hears && policy_participant(o->p, sender)->mailbox != POLICY_NONE)
		return policy_mailbox(o->p, policy_participant(o->p, sender)->mailbox)->number;
	*cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED;
	return k ? decision_case_owner(o->d, k) : 0;
}

enum ieum_err outcome_status(const struct core *c, const struct policy *p, struct core_decision *d,
			     core_time_us now, const struct referral *r, Ieum__V1__AnswerKind kind)
{
	int sender = state_policy_participant(c, p, r->sender);
	struct occasion o;
	/* In no case: it does not even learn that there is one. */
	enum ieum_err err = occasion_of_time(c, p, d, now, 0, &o);

	if (err || sender == POLICY_NONE)
		return err;
	struct hub_message *m = hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	m->e->answer = m->referral.answer->kind = kind;
	err = hub_message_to(&o, m,
			     policy_mailbox(p, policy_participant(p, sender)->mailbox)->number,
			     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER);
	return err ? err : hub_message_end(&o, m);
}

static bool fails_now(const struct core_decision *d, const struct referral *r, const struct task *t)
{
	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Escalated *e = d->items[i].event->escalated;
		if (d->items[i].event->what_case == IEUM__V1__EVENT__WHAT_ESCALATED &&
		    e->state == IEUM__V1__TASK_STATE__TASK_STATE_FAILED && e->task == t->index &&
		    memcmp(e->message_id.data, r->id, CORE_ID_BYTES) == 0)
			return true;
	}
	return false;
}

/* Has every request of the message ended, those that fail in this decision too? */
static bool all_ended(const struct core *c, const struct core_decision *d, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_open(task_at(c, th)) && !fails_now(d, r, task_at(c, th)))
			return false;
	return true;
}

/* Nobody has to look up what it was, or whom to ring. */
static enum ieum_err say_who_is_silent(const struct occasion *o, Ieum__V1__Answer *a,
				       const struct task *t)
{
	a->no_answer_from = decision_zalloc(o->d, (t->n_asked + 1) * sizeof *a->no_answer_from);
	if (!a->no_answer_from)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < t->n_asked; i++)
		a->no_answer_from[a->n_no_answer_from++] =
			(char *)state_mailbox_name(o->c, t->asked[i].mailbox);
	return IEUM_E_OK;
}

struct hub_message *outcome_failure(const struct occasion *o, const struct referral *r)
{
	struct hub_message *m = hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);

	if (!m)
		return NULL;
	m->envelope.urgency =
		(Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	m->e->answer = m->referral.answer->kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
	m->e->answer_reason = m->referral.answer->reason = IEUM__V1__REASON__REASON_UNREACHABLE;
	m->referral.answer->asked_for = (Ieum__V1__MessageType)r->type;
	return m;
}

enum ieum_err outcome_failed(const struct core *c, const struct policy *p, struct core_decision *d,
			     core_time_us now, const struct referral *r, const struct task *t)
{
	Ieum__V1__DeliveryCause cause;
	struct occasion o;
	enum ieum_err err = occasion_of_time(c, p, d, now, r->core_case, &o);

	if (err)
		return err;
	uint32_t mailbox = who_is_told(&o, r, &cause);
	if (!mailbox)
		return IEUM_E_OK;
	if (cause == IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER &&
	    policy_participant(p, state_policy_participant(c, p, r->sender))->hears_status)
		return all_ended(c, d, r)
			       ? outcome_status(c, p, d, now, r,
						IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE)
			       : IEUM_E_OK;
	if (r->core_case) {
		const struct core_case *k = case_at(c, r->core_case);
		if (!case_member(k, mailbox) &&
		    decision_case_members(c, d, k->id) >= CORE_CASE_MEMBERS_MAX)
			mailbox = decision_case_owner(d, k);
	}
	struct hub_message *m = outcome_failure(&o, r);
	if (!m)
		return IEUM_E_NO_MEMORY;
	err = say_who_is_silent(&o, m->referral.answer, t);
	/* Who is responsible for a closed case may have left the hub file: then it is told nobody. */
	if (!err)
		err = hub_message_to(&o, m, mailbox, cause);
	if (!err)
		err = hub_message_to_duty(&o, m);
	return err ? err : hub_message_end(&o, m);
}
