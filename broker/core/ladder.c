/* Ladders: silence or a rejection asks the next, until nobody is left. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/placing.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* What a step has that says no time of its own, where the first one had none either: no
 * request may wait for ever. */
#define LADDER_WITHIN_MS ((int64_t)24 * 60 * 60 * 1000)

/* On duty for somebody: what that one rejects needs no second word. */
static bool is_on_duty(const struct core *c, const struct task *t, uint32_t mailbox)
{
	for (uint32_t dh = referral_at(c, t->referral)->first_delivery; dh;
	     dh = delivery_at(c, dh)->next) {
		const struct delivery *d = delivery_at(c, dh);

		if (d->mailbox == mailbox)
			return d->cause == IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY;
	}
	return false;
}

bool ladder_step_rejected(const struct submission *s, const struct task *t, uint32_t rejected_by)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < t->n_asked; i++)
		last = t->asked[i].step > last ? t->asked[i].step : last;
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].step == last && t->asked[i].mailbox != rejected_by &&
		    !submit_excludes(s, t->asked[i].mailbox) &&
		    !is_on_duty(s->c, t, t->asked[i].mailbox))
			return false;
	return true;
}

int64_t ladder_again_at_ms(const struct task *t, int64_t now_ms)
{
	return now_ms + (t->within_ms ? t->within_ms : LADDER_WITHIN_MS);
}

/* The rule's view of a message that was sent long ago: what is still known of its envelope. */
struct ladder_view {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	struct policy_context context;
	int asked[CORE_ASKED_MAX];
	int excluded[SUBMIT_EXCLUDED_MAX];
	size_t n_excluded;
};

/* Is somebody there who takes from the mailbox and has no conflict of interest? */
static bool may_act(const struct core *c, const struct policy *p, const struct ladder_view *v,
		    uint32_t mailbox)
{
	int index = state_policy_mailbox(c, p, mailbox);
	const struct policy_mailbox *m = index == POLICY_NONE ? NULL : policy_mailbox(p, index);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		bool excluded = false;
		for (size_t x = 0; x < v->n_excluded && !excluded; x++)
			excluded = v->excluded[x] == m->consumers[i];
		if (!excluded)
			return true;
	}
	return false;
}

static void view_task(const struct core *c, const struct policy *p, const struct core_decision *d,
		      const struct task *t, int64_t now_ms, struct ladder_view *v)
{
	const struct referral *r = referral_at(c, t->referral);
	const struct core_case *k = r->core_case ? case_at(c, r->core_case) : NULL;
	size_t n_asked = 0;

	ieum__v1__referral__init(&v->referral);
	ieum__v1__envelope__init(&v->envelope);
	v->referral.envelope = &v->envelope;
	v->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	v->envelope.type = (Ieum__V1__MessageType)r->type;
	v->envelope.category = (Ieum__V1__Category)r->category;
	v->envelope.urgency =
		(Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	v->envelope.jurisdiction = (char *)t->jurisdiction;
	for (uint32_t i = 0; i < t->n_asked; i++) {
		int index = state_policy_mailbox(c, p, t->asked[i].mailbox);
		if (index != POLICY_NONE)
			v->asked[n_asked++] = index;
	}
	/* Also whom the message excludes because of which the ladder moves. */
	v->n_excluded =
		k ? decision_case_excluded(c, p, d, k, v->excluded, SUBMIT_EXCLUDED_MAX) : 0;
	v->context = (struct policy_context){
		.referral = &v->referral,
		.sender = state_policy_participant(c, p, r->sender),
		.now_ms = now_ms,
		.case_category = k ? (Ieum__V1__Category)k->category : 0,
		.case_jurisdiction = k && *k->jurisdiction ? k->jurisdiction : NULL,
		.case_owner =
			k ? state_policy_mailbox(c, p, decision_case_owner(d, k)) : POLICY_NONE,
		.asked = v->asked,
		.n_asked = n_asked,
		.excluded = v->excluded,
		.n_excluded = v->n_excluded,
	};
}

/* The mailboxes behind a step's address. */
struct reached {
	int boxes[POLICY_ROUTES_MAX];
	size_t n, n_named; /* those after n_named are on duty for them */
	uint32_t but;      /* the one that just rejected; 0: none */
};

/* Whoever is on duty for those that are off hours answers for them. */
static void add_duty(const struct policy *p, const struct policy_context *ctx, struct reached *to)
{
	size_t n = to->n;

	for (size_t i = 0; i < n; i++) {
		int duty = policy_duty(p, ctx, to->boxes[i]);
		bool there = duty == POLICY_NONE;

		for (size_t k = 0; k < to->n && !there; k++)
			there = to->boxes[k] == duty;
		if (!there && to->n < POLICY_ROUTES_MAX)
			to->boxes[to->n++] = duty;
	}
}

static bool is_routed(const Ieum__V1__Escalated *e, uint32_t mailbox)
{
	for (size_t i = 0; i < e->n_routes; i++)
		if (e->routes[i]->mailbox == mailbox)
			return true;
	return false;
}

/* Whom a step asks, as far as the task and its case have room for them. */
static enum ieum_err add_routes(const struct core *c, const struct policy *p,
				struct core_decision *d, const struct task *t,
				const struct ladder_view *v, const struct reached *to,
				Ieum__V1__Escalated *e)
{
	uint32_t ch = referral_at(c, t->referral)->core_case;
	const struct core_case *k = ch ? case_at(c, ch) : NULL;
	size_t members = k ? decision_case_members(c, d, k->id) : 0;
	uint32_t asked = t->n_asked;

	for (size_t i = 0; i < to->n; i++) {
		uint32_t named = policy_mailbox(p, to->boxes[i])->number;
		/* Whoever is asked to take a case may be one that once had it. */
		bool back = t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER &&
			    task_asks(t, named);
		uint32_t mailbox = back ? named : handover_in_place(c, p, ch, named);
		bool joins = k && !case_member(k, mailbox);
		bool newly = !task_asks(t, mailbox);
		if (mailbox == 0 || mailbox == to->but || is_routed(e, mailbox) ||
		    !may_act(c, p, v, mailbox) || (joins && members >= CORE_CASE_MEMBERS_MAX) ||
		    (newly && asked == CORE_ASKED_MAX))
			continue;
		Ieum__V1__Route *r = decision_zalloc(d, sizeof *r);
		if (!r)
			return IEUM_E_NO_MEMORY;
		*r = (Ieum__V1__Route)IEUM__V1__ROUTE__INIT;
		r->mailbox = mailbox;
		r->cause = mailbox != named   ? IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_FORWARDED
			   : i >= to->n_named ? IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY
			   : e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED
				   ? IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_NEXT_RANK
				   : IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED;
		r->task = t->index + 1U;
		e->routes[e->n_routes++] = r;
		members += joins;
		asked += newly;
	}
	return IEUM_E_OK;
}

static int64_t step_due(const struct policy *p, const struct task *t, const struct step *step,
			Ieum__V1__EscalationCause cause, int64_t now_ms)
{
	int64_t due_at_ms = 0;

	if (cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE)
		due_at_ms = step->due_at_ms;
	if (due_at_ms <= now_ms)
		due_at_ms = policy_due(p, now_ms, step->within);
	if (due_at_ms <= now_ms)
		due_at_ms = ladder_again_at_ms(t, now_ms);
	return due_at_ms;
}

static bool step_applies(const struct step *s, Ieum__V1__EscalationCause cause)
{
	return cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED
		       ? !s->on_silence_only
		       : !s->on_rejection_only;
}

/* Would the step ask only those who are silent already? */
static bool asks_nobody_new(const struct core *c, const struct policy *p, const struct task *t,
			    const struct reached *to)
{
	uint32_t ch = referral_at(c, t->referral)->core_case;

	for (size_t i = 0; i < to->n; i++)
		if (!task_asks(t, handover_in_place(c, p, ch,
						    policy_mailbox(p, to->boxes[i])->number)))
			return false;
	return to->n > 0;
}

/* Is the mailbox asked, by a ladder and by this very deadline, for another request of the message? */
static bool has_it_already(const struct core *c, const struct task *t, uint32_t mailbox,
			   int64_t due_at_ms)
{
	for (uint32_t th = referral_at(c, t->referral)->first_task; th; th = task_at(c, th)->next) {
		const struct task *other = task_at(c, th);

		if (other == t || !task_open(other) || other->due_at_ms != due_at_ms)
			continue;
		for (uint32_t i = 0; i < other->n_asked; i++)
			if (other->asked[i].mailbox == mailbox && other->asked[i].step > 0)
				return true;
	}
	return false;
}

/* One message is enough for all the requests that they are asked in the place of others for. */
static enum ieum_err once_for_all(const struct core *c, struct core_decision *d,
				  const struct task *t, Ieum__V1__Escalated *e)
{
	size_t kept = 0;

	e->asks = decision_zalloc(d, POLICY_ROUTES_MAX * sizeof *e->asks);
	if (!e->asks)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < e->n_routes; i++) {
		if (has_it_already(c, t, e->routes[i]->mailbox, e->due_at_ms))
			e->asks[e->n_asks++] = e->routes[i]->mailbox;
		else
			e->routes[kept++] = e->routes[i];
	}
	e->n_routes = kept;
	return IEUM_E_OK;
}

/* Fills the routes of the first step that reaches somebody. */
static enum ieum_err take_step(const struct core *c, const struct policy *p,
			       struct core_decision *d, const struct task *t, struct ladder_view *v,
			       uint32_t rejected_by, core_time_us now, Ieum__V1__Escalated *e)
{
	int64_t now_ms = to_ms(now);
	bool rejected = e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED;
	enum ieum_err err = IEUM_E_OK;

	e->routes = decision_zalloc(d, POLICY_ROUTES_MAX * sizeof *e->routes);
	if (!e->routes)
		return IEUM_E_NO_MEMORY;
	uint32_t again = !rejected && t->n_ladder && t->ladder[t->n_ladder - 1].repeats;
	for (uint32_t i = t->steps_used; i < t->n_ladder + again && !err; i++) {
		struct reached to = { .but = rejected_by };
		const struct step *step = &t->ladder[i < t->n_ladder ? i : t->n_ladder - 1U];
		e->steps += i < t->n_ladder;
		const struct placing_step place = placing_read_step(p, step->to);
		if (!step_applies(step, e->cause) ||
		    (place.pool && !placing_step_open(c, p, d, now_ms, t, &place)))
			continue;
		to.n = policy_resolve(p, place.pool ? place.address : step->to, &v->context,
				      to.boxes, POLICY_ROUTES_MAX);
		to.n_named = to.n;
		add_duty(p, &v->context, &to);
		if (!rejected && !place.pool && i + 1U < t->n_ladder &&
		    asks_nobody_new(c, p, t, &to))
			continue;
		err = add_routes(c, p, d, t, v, &to, e);
		if (e->n_routes == 0)
			continue;
		e->due_at_ms = step_due(p, t, step, e->cause, now_ms);
		if (!err && !rejected && !step->repeats)
			err = once_for_all(c, d, t, e);
		e->state = e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE
				   ? (Ieum__V1__TaskState)t->state
				   : IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
		if (place.pool && !err)
			err = placing_step_hold(c, p, d, now, t, &place, &e->due_at_ms);
		break;
	}
	return err;
}

/* Somebody asked earlier may still answer, until their clock ends. */
static bool is_left_to_others(const struct core *c, const struct policy *p,
			      const struct ladder_view *v, const struct task *t, uint32_t but)
{
	for (uint32_t i = 0; t->due_at_ms && i < t->n_asked; i++)
		if (t->asked[i].mailbox != but && may_act(c, p, v, t->asked[i].mailbox))
			return true;
	return false;
}

enum ieum_err ladder_move(const struct core *c, const struct policy *p, struct core_decision *d,
			  core_time_us now, const struct task *t, Ieum__V1__EscalationCause cause,
			  uint32_t rejected_by)
{
	const struct referral *r = referral_at(c, t->referral);
	enum ieum_err err = IEUM_E_OK;

	if (cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE)
		err = placing_silent(c, d, now, t);
	Ieum__V1__Escalated *e = err ? NULL : decision_escalated(d, now);
	struct ladder_view *v = e ? decision_zalloc(d, sizeof *v) : NULL;
	if (!v)
		return err ? err : IEUM_E_NO_MEMORY;
	view_task(c, p, d, t, to_ms(now), v);
	e->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	e->task = t->index;
	e->cause = cause;
	/* On a consent that was withdrawn nobody new gets to know: not even because whoever has
	 * taken the request on stays silent. */
	if (!referral_lacks_consent(c, r))
		err = take_step(c, p, d, t, v, rejected_by, now, e);
	if (err || e->n_routes + e->n_asks > 0)
		return err;
	if (rejected_by && is_left_to_others(c, p, v, t, rejected_by)) {
		d->n_items--;
		return IEUM_E_OK;
	}
	e->state = IEUM__V1__TASK_STATE__TASK_STATE_FAILED;
	err = placing_failed(c, d, now, t);
	return err ? err : outcome_failed(c, p, d, now, r, t);
}
