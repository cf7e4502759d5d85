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

bool ladder_step_rejected(const struct task *t, uint32_t rejected_by)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < t->n_asked; i++)
		last = t->asked[i].step > last ? t->asked[i].step : last;
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].step == last && t->asked[i].mailbox != rejected_by)
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
	int excluded[CORE_CASE_EXCLUDED_MAX];
};

static void view_task(const struct core *c, const struct policy *p, const struct task *t,
		      int64_t now_ms, struct ladder_view *v)
{
	const struct referral *r = referral_at(c, t->referral);
	const struct core_case *k = r->core_case ? case_at(c, r->core_case) : NULL;
	size_t n_asked = 0;
	size_t n_excluded = 0;

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
	for (uint32_t i = 0; k && i < k->n_excluded; i++) {
		int index = state_policy_participant(c, p, k->excluded[i]);
		if (index != POLICY_NONE)
			v->excluded[n_excluded++] = index;
	}
	v->context = (struct policy_context){
		.referral = &v->referral,
		.sender = state_policy_participant(c, p, r->sender),
		.now_ms = now_ms,
		.case_category = k ? (Ieum__V1__Category)k->category : 0,
		.case_jurisdiction = k && *k->jurisdiction ? k->jurisdiction : NULL,
		.case_owner = k ? state_policy_mailbox(c, p, k->owner) : POLICY_NONE,
		.asked = v->asked,
		.n_asked = n_asked,
		.excluded = v->excluded,
		.n_excluded = n_excluded,
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
				const struct reached *to, Ieum__V1__Escalated *e)
{
	uint32_t ch = referral_at(c, t->referral)->core_case;
	const struct core_case *k = ch ? case_at(c, ch) : NULL;
	size_t members = k ? decision_case_members(c, d, k->id) : 0;
	uint32_t asked = t->n_asked;

	for (size_t i = 0; i < to->n; i++) {
		uint32_t named = policy_mailbox(p, to->boxes[i])->number;
		uint32_t mailbox = handover_in_place(c, p, ch, named);
		bool joins = k && !case_member(k, mailbox);
		bool newly = !task_asks(t, mailbox);
		if (mailbox == 0 || mailbox == to->but || is_routed(e, mailbox) ||
		    (joins && members >= CORE_CASE_MEMBERS_MAX) ||
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
	return cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE ? !s->on_rejection_only
									     : !s->on_silence_only;
}

/* Fills the routes of the first step that reaches somebody. */
static enum ieum_err take_step(const struct core *c, const struct policy *p,
			       struct core_decision *d, const struct task *t, uint32_t rejected_by,
			       core_time_us now, Ieum__V1__Escalated *e)
{
	int64_t now_ms = to_ms(now);
	struct ladder_view *v = decision_zalloc(d, sizeof *v);
	bool rejected = e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED;
	enum ieum_err err = IEUM_E_OK;

	e->routes = decision_zalloc(d, POLICY_ROUTES_MAX * sizeof *e->routes);
	if (!v || !e->routes)
		return IEUM_E_NO_MEMORY;
	view_task(c, p, t, now_ms, v);
	uint32_t again = !rejected && t->n_ladder && t->ladder[t->n_ladder - 1].repeats;
	for (uint32_t i = t->steps_used; i < t->n_ladder + again && !err; i++) {
		struct reached to = { .but = rejected_by };
		const struct step *step = &t->ladder[i < t->n_ladder ? i : t->n_ladder - 1U];
		e->steps += i < t->n_ladder;
		const struct placing_step place = placing_read_step(p, step->to);
		if (!step_applies(step, e->cause) ||
		    (place.pool && !placing_step_open(c, p, d, t, &place)))
			continue;
		to.n = policy_resolve(p, step->to, &v->context, to.boxes, POLICY_ROUTES_MAX);
		to.n_named = to.n;
		add_duty(p, &v->context, &to);
		err = add_routes(c, p, d, t, &to, e);
		if (e->n_routes == 0)
			continue;
		e->due_at_ms = step_due(p, t, step, e->cause, now_ms);
		e->state = rejected ? IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED
				    : (Ieum__V1__TaskState)t->state;
		if (place.pool && !err)
			err = placing_step_hold(c, p, d, now, t, &place, &e->due_at_ms);
		break;
	}
	return err;
}

/* On a consent that was withdrawn nobody new gets to know: not even because whoever has taken the
 * request on stays silent. */
static bool may_be_shared(const struct core *c, const struct referral *r)
{
	return !r->core_case || !case_at(c, r->core_case)->consent_withdrawn ||
	       r->basis != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
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
	if (!e)
		return err ? err : IEUM_E_NO_MEMORY;
	e->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	e->task = t->index;
	e->cause = cause;
	if (may_be_shared(c, r))
		err = take_step(c, p, d, t, rejected_by, now, e);
	if (err || e->n_routes > 0)
		return err;
	if (rejected_by && t->n_asked > 1 && t->due_at_ms) {
		/* Somebody asked earlier may still answer, until their clock ends. */
		d->n_items--;
		return IEUM_E_OK;
	}
	e->state = IEUM__V1__TASK_STATE__TASK_STATE_FAILED;
	err = placing_failed(c, d, now, t);
	return err ? err : outcome_failed(c, p, d, now, r);
}
