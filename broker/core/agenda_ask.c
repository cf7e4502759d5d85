/* Requests that a meeting answers: of the convener, to call one for what is on the agenda, and to
 * see to its minutes.  They are asked like every request and have a ladder; what completes them is
 * the call and the minutes themselves. */
#include <string.h>

#include "broker/core/agenda_in.h"
#include "broker/core/cases.h"
#include "broker/core/occasion.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* ---- asking ---- */

/* Is somebody there who has no conflict of interest in the case? */
static bool may_hear(const struct occasion *o, int box)
{
	const struct policy_mailbox *m = policy_mailbox(o->p, box);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		bool excluded = false;
		for (size_t k = 0; k < o->n_excluded; k++)
			excluded |= o->excluded[k] == m->consumers[i];
		if (!excluded)
			return true;
	}
	return false;
}

/* Where the convener may not hear of the case: whom the rule's ladder asks, else who is responsible
 * for the case. */
static uint32_t instead_of(const struct occasion *o, int rule, int convener, int64_t due_at_ms)
{
	struct policy_step *steps = decision_zalloc(o->d, POLICY_STEPS_MAX * sizeof *steps);
	struct policy_context ctx = occasion_context(o, o->referral);
	size_t n = steps ? policy_ladder(o->p, rule, due_at_ms, steps) : 0;
	int boxes[POLICY_ROUTES_MAX];

	ctx.sender = o->sender;
	ctx.asked = &convener;
	ctx.n_asked = 1;
	for (size_t i = 0; i < n; i++) {
		size_t found = policy_resolve(o->p, steps[i].to, &ctx, boxes, POLICY_ROUTES_MAX);
		for (size_t k = 0; k < found; k++)
			if (may_hear(o, boxes[k]))
				return policy_mailbox(o->p, boxes[k])->number;
	}
	return o->core_case ? decision_case_owner(o->d, case_at(o->c, o->core_case))
			    : o->e->sender_mailbox;
}

static enum ieum_err ask_convener(const struct occasion *o, int rule,
				  const struct policy_body *body, int64_t due_at_ms,
				  Ieum__V1__Awaits awaits)
{
	if (!o->e || body->lead == POLICY_NONE)
		return IEUM_E_OK;
	uint32_t mailbox = may_hear(o, body->lead) ? policy_mailbox(o->p, body->lead)->number
						   : instead_of(o, rule, body->lead, due_at_ms);
	enum ieum_err err = agenda_widen(o, 1);
	return err ? err : agenda_add_request(o, rule, mailbox, due_at_ms, awaits);
}

enum ieum_err agenda_decide_meeting(const struct occasion *o, const struct policy_act *act)
{
	enum ieum_err err;

	if (!o->referral || o->referral->body_case != IEUM__V1__REFERRAL__BODY_AGENDA_ITEM)
		return IEUM_E_OK;
	const struct policy_body *body =
		agenda_take_body(o, "agenda_item.body", o->referral->agenda_item->body, &err);
	return body ? ask_convener(o, act->index, body, policy_due(o->p, o->now_ms, act->text),
				   IEUM__V1__AWAITS__AWAITS_MEETING)
		    : err;
}

enum ieum_err agenda_decide_minutes(const struct occasion *o, const struct policy_act *act)
{
	enum ieum_err err;

	if (!o->referral || o->referral->body_case != IEUM__V1__REFERRAL__BODY_CONFERENCE_CALL)
		return IEUM_E_OK;
	const Ieum__V1__ConferenceCall *call = o->referral->conference_call;
	const struct policy_body *body =
		agenda_take_body(o, "conference_call.body", call->body, &err);
	int64_t from_ms = call->starts_at_ms > o->now_ms ? call->starts_at_ms : o->now_ms;
	return body ? ask_convener(o, act->index, body, policy_due(o->p, from_ms, act->text),
				   IEUM__V1__AWAITS__AWAITS_MINUTES)
		    : err;
}

/* ---- answering ---- */

/* One change more in the occasion's event; `room` further ones are to come at most. */
static Ieum__V1__TaskChanged *add_change(const struct occasion *o, const struct referral *r,
					 const struct task *t)
{
	Ieum__V1__Submitted *e = o->e;
	Ieum__V1__TaskChanged *change = decision_zalloc(o->d, sizeof *change);
	Ieum__V1__TaskChanged **list = decision_zalloc(o->d, (e->n_answered + 1) * sizeof *list);

	if (!change || !list)
		return NULL;
	*change = (Ieum__V1__TaskChanged)IEUM__V1__TASK_CHANGED__INIT;
	change->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	change->task = t->index;
	change->by = t->n_asked ? t->asked[0].mailbox : 0;
	if (e->n_answered)
		memcpy(list, e->answered, e->n_answered * sizeof(Ieum__V1__TaskChanged *));
	list[e->n_answered++] = change;
	e->answered = list;
	return change;
}

/* The open request of a message that awaits this; NULL: none. */
static const struct task *find_awaiting(const struct core *c, const struct referral *r,
					Ieum__V1__Awaits awaits)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_open(task_at(c, th)) && task_at(c, th)->awaits == (uint8_t)awaits)
			return task_at(c, th);
	return NULL;
}

/* due_at_ms 0: it is completed; else it goes on until then. */
static enum ieum_err answer(const struct occasion *o, const uint8_t message_id[CORE_ID_BYTES],
			    Ieum__V1__Awaits awaits, bool done, int64_t from_ms)
{
	uint32_t rh = state_referral(o->c, message_id);
	const struct task *t = rh ? find_awaiting(o->c, referral_at(o->c, rh), awaits) : NULL;

	if (!t || !o->e)
		return IEUM_E_OK;
	Ieum__V1__TaskChanged *change = add_change(o, referral_at(o->c, rh), t);
	if (!change)
		return IEUM_E_NO_MEMORY;
	change->answer = done ? IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE
			      : IEUM__V1__ANSWER_KIND__ANSWER_KIND_IN_PROGRESS;
	change->state = done ? IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED
			     : IEUM__V1__TASK_STATE__TASK_STATE_IN_PROGRESS;
	change->outcome = done ? IEUM__V1__OUTCOME__OUTCOME_UNSPECIFIED
			       : IEUM__V1__OUTCOME__OUTCOME_SCHEDULED;
	change->due_at_ms = done ? 0 : ladder_again_at_ms(t, from_ms);
	return IEUM_E_OK;
}

enum ieum_err agenda_ask_called(const struct occasion *o, const char *body)
{
	const struct agenda *a = agenda_of(&o->c->agendas, body);
	int64_t from_ms = o->referral->conference_call->starts_at_ms;
	enum ieum_err err = IEUM_E_OK;

	if (from_ms < o->now_ms)
		from_ms = o->now_ms;
	for (uint32_t i = 0; a && i < a->n_entries && !err; i++)
		err = answer(o, a->entries[i].message_id, IEUM__V1__AWAITS__AWAITS_MEETING, false,
			     from_ms);
	return err;
}

static bool is_kept(const Ieum__V1__ConferenceMinutes *minutes, const struct agenda_entry *e)
{
	for (size_t i = 0; i < minutes->n_kept_item_ids; i++)
		if (memcmp(minutes->kept_item_ids[i].data, e->message_id, CORE_ID_BYTES) == 0)
			return true;
	return false;
}

enum ieum_err agenda_ask_minuted(const struct occasion *o, const struct agenda *a)
{
	const Ieum__V1__ConferenceMinutes *minutes = o->referral->conference_minutes;
	uint64_t called = 0;
	enum ieum_err err =
		answer(o, minutes->conference_id.data, IEUM__V1__AWAITS__AWAITS_MINUTES, true, 0);

	for (uint32_t i = 0; i < a->n_meetings; i++)
		if (memcmp(a->meetings[i].message_id, minutes->conference_id.data, CORE_ID_BYTES) ==
		    0)
			called = a->meetings[i].seq;
	for (uint32_t i = 0; i < a->n_entries && !err; i++) {
		const struct agenda_entry *e = &a->entries[i];
		if (e->n_actions == 0 && e->seq < called)
			err = answer(o, e->message_id, IEUM__V1__AWAITS__AWAITS_MEETING,
				     !is_kept(minutes, e), o->now_ms);
	}
	return err;
}
