/* What an answer does to the requests of the message it replies to. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/placing.h"
#include "broker/core/handover.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

static void read_response(struct answer *a, const Ieum__V1__InformationResponse *r)
{
	switch (r->holding) {
	case IEUM__V1__HOLDING__HOLDING_HELD:
		a->outcome = IEUM__V1__OUTCOME__OUTCOME_PROVIDED;
		break;
	case IEUM__V1__HOLDING__HOLDING_NOTHING_HELD:
		a->outcome = IEUM__V1__OUTCOME__OUTCOME_NOTHING_HELD;
		break;
	default:
		a->kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT;
		a->reason = r->reason;
		break;
	}
}

static enum ieum_err check_answer(struct submission *s)
{
	const struct answer *a = &s->answer;

	if (task_answer_needs_reason(a->kind) && !a->reason)
		return decision_refuse(s->d, IEUM_E_REASON_MISSING, "%s.reason",
				       a->strict ? "answer" : "information_response");
	if (a->kind != IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME)
		return IEUM_E_OK;
	if (a->more_time_until_at_ms <= s->now_ms ||
	    a->more_time_until_at_ms > s->now_ms + CORE_MORE_TIME_MAX_MS)
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "answer.more_time_until_at_ms: from now, at most a year");
	return IEUM_E_OK;
}

/* As far, and as often, as the hub file lets whoever is asked put it off. */
static enum ieum_err check_more_time(const struct submission *s, const struct task *t)
{
	const struct policy_type *type =
		policy_type(s->p, (Ieum__V1__MessageType)referral_at(s->c, t->referral)->type);
	int64_t from_ms = t->due_at_ms > s->now_ms ? t->due_at_ms : s->now_ms;

	if (s->answer.kind != IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME || !type)
		return IEUM_E_OK;
	if (type->more_times && t->more_times >= type->more_times)
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "more time was asked for %u times, as often as it may be; "
				       "answer, or reject",
				       t->more_times);
	if (type->more_time &&
	    s->answer.more_time_until_at_ms > policy_due(s->p, from_ms, type->more_time))
		return decision_refuse(
			s->d, IEUM_E_FIELD_INVALID,
			"answer.more_time_until_at_ms: at most %s after the deadline",
			type->more_time);
	return IEUM_E_OK;
}

enum ieum_err answer_read(struct submission *s)
{
	const Ieum__V1__Referral *r = s->from->referral;
	const struct policy_type *type = policy_type(s->p, s->envelope->type);
	struct answer *a = &s->answer;

	if (r->body_case == IEUM__V1__REFERRAL__BODY_ANSWER) {
		if (!s->reply)
			return decision_refuse(s->d, IEUM_E_FIELD_MISSING, "envelope.in_reply_to");
		*a = (struct answer){
			.kind = r->answer->kind,
			.outcome = r->answer->outcome,
			.reason = r->answer->reason,
			.more_time_until_at_ms = r->answer->more_time_until_at_ms,
			.request = r->answer->request,
			.strict = true,
		};
		if (!a->kind)
			return decision_refuse(s->d, IEUM_E_FIELD_MISSING, "answer.kind");
	} else if (type && type->acts_as_answer && s->reply) {
		a->kind = type->acts_as_answer;
		if (r->body_case == IEUM__V1__REFERRAL__BODY_INFORMATION_RESPONSE)
			read_response(a, r->information_response);
		else if (r->body_case == IEUM__V1__REFERRAL__BODY_SERVICE_REPORT)
			a->outcome = r->service_report->outcome;
	}
	return check_answer(s);
}

enum ieum_err answer_add_change(struct submission *s, const struct referral *r,
				const struct task *t, Ieum__V1__TaskChanged **out)
{
	Ieum__V1__TaskChanged *change = decision_zalloc(s->d, sizeof *change);

	if (!s->e->answered)
		s->e->answered =
			decision_zalloc(s->d, 2 * POLICY_TASKS_MAX * sizeof *s->e->answered);
	if (!change || !s->e->answered)
		return IEUM_E_NO_MEMORY;
	*change = (Ieum__V1__TaskChanged)IEUM__V1__TASK_CHANGED__INIT;
	change->message_id.len = CORE_ID_BYTES;
	change->message_id.data = (uint8_t *)r->id;
	change->task = t->index;
	change->due_at_ms = -1;
	s->e->answered[s->e->n_answered++] = change;
	*out = change;
	return IEUM_E_OK;
}

bool answer_ends(const Ieum__V1__Submitted *e, const struct referral *r, const struct task *t)
{
	for (size_t i = 0; i < e->n_answered; i++)
		if (e->answered[i]->task == t->index && task_state_ended(e->answered[i]->state) &&
		    memcmp(e->answered[i]->message_id.data, r->id, CORE_ID_BYTES) == 0)
			return true;
	return false;
}

/* ---- the asked party ---- */

static uint32_t asked_step(const struct task *t, uint32_t mailbox)
{
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].mailbox == mailbox)
			return t->asked[i].step;
	return 0;
}

/* Taken on by someone: then only that one may go on, or whoever was asked because that one
 * stayed silent. */
static bool may_answer(const struct task *t, uint32_t mailbox)
{
	return !t->holder || t->holder == mailbox || asked_step(t, mailbox) > t->held_at;
}

bool answer_is_possible(const struct submission *s, const struct task *t)
{
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (may_answer(t, t->asked[i].mailbox) && !submit_excludes(s, t->asked[i].mailbox))
			return true;
	return false;
}

/* What it had in the case is another's, also a request that failed before; only to take the case
 * back it is asked itself. */
static bool has_left(const struct submission *s, const struct task *t, uint32_t mailbox)
{
	uint32_t ch = referral_at(s->c, t->referral)->core_case;

	return ch && t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER &&
	       handover_ended(case_at(s->c, ch), mailbox) &&
	       !case_member(case_at(s->c, ch), mailbox);
}

/* The caller's mailbox that the task asks; one that may answer comes first. */
static uint32_t asked_mailbox(const struct submission *s, const struct task *t)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < t->n_asked; i++) {
		uint32_t mailbox = t->asked[i].mailbox;
		if (!caller_consumes(s->c, s->p, &s->who, mailbox) || has_left(s, t, mailbox))
			continue;
		if (may_answer(t, mailbox))
			return mailbox;
		found = mailbox;
	}
	return found;
}

static bool is_meant(const struct submission *s, const struct task *t)
{
	return !s->answer.request || s->answer.request == t->index + 1U;
}

/* The state in which the answer would leave it, UNSPECIFIED: it does not take it. */
static Ieum__V1__TaskState state_after(const struct submission *s, const struct task *t)
{
	/* What rested on a consent that was withdrawn meanwhile is taken up by nobody. */
	if (task_missed(t) && referral_lacks_consent(s->c, referral_at(s->c, t->referral)))
		return task_state_after((Ieum__V1__TaskState)t->state, s->answer.kind);
	return task_after(t, s->answer.kind);
}

/* The request this answers: an open one that allows the answer, then one that allows it after its
 * end, else one that shows why not. */
static struct task *find_task(const struct submission *s, uint32_t *by)
{
	struct task *best = NULL;
	bool allows = false;

	for (uint32_t th = referral_at(s->c, s->reply)->first_task; th;
	     th = task_at(s->c, th)->next) {
		struct task *t = task_at(s->c, th);
		uint32_t mailbox = is_meant(s, t) ? asked_mailbox(s, t) : 0;
		if (!mailbox)
			continue;
		bool takes_it = state_after(s, t) && may_answer(t, mailbox);
		if (!best || (takes_it && !allows) || (task_open(t) && takes_it >= allows)) {
			best = t;
			*by = mailbox;
			allows = takes_it;
		}
		if (allows && task_open(best))
			return best;
	}
	return best;
}

bool answer_is_owed(const struct submission *s)
{
	uint32_t by = 0;

	if (!s->answer.kind || !s->reply)
		return false;
	if (task_answer_is_referrers(s->answer.kind))
		return referral_at(s->c, s->reply)->sender == s->who.participant ||
		       handover_speaks_for(s, referral_at(s->c, s->reply));
	const struct task *t = find_task(s, &by);
	return t && (task_open(t) || task_missed(t));
}

/* Is there a step left that a rejection goes on to? */
static bool rejection_goes_on(const struct task *t)
{
	for (uint32_t i = t->steps_used; i < t->n_ladder; i++)
		if (!t->ladder[i].on_silence_only)
			return true;
	return false;
}

/* Where a rejected request stands until the ladder has moved on, which is in the same batch. */
static Ieum__V1__TaskState state_of_rejected(const struct task *t, uint32_t by)
{
	bool nobody_left = t->n_asked <= 1 && task_asks(t, by);

	return nobody_left && t->steps_used == 0 && !rejection_goes_on(t)
		       ? IEUM__V1__TASK_STATE__TASK_STATE_REJECTED
		       : (Ieum__V1__TaskState)t->state;
}

static bool closes_case(const struct submission *s, const struct task *t)
{
	return t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_CLOSE &&
	       referral_at(s->c, t->referral)->core_case &&
	       (s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT ||
		s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
}

/* Its deadline after the answer, 0: it has none any more, -1: the one it had. */
static int64_t due_after(struct submission *s, const struct task *t)
{
	Ieum__V1__AnswerKind kind = s->answer.kind;
	bool reopens = task_missed(t) && !task_state_ended(state_after(s, t));

	s->n_reopened += reopens;
	if (kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME)
		return s->answer.more_time_until_at_ms;
	if (task_clock_ends((Ieum__V1__StopsAt)t->stops_at, kind))
		return 0;
	return reopens ? ladder_again_at_ms(t, s->now_ms) : -1;
}

static enum ieum_err change_task(struct submission *s, struct task *t, uint32_t by)
{
	const struct answer *a = &s->answer;
	Ieum__V1__TaskChanged *change;
	bool settles = false;
	enum ieum_err err = t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER
				    ? handover_check_answer(s, t, by, &settles)
				    : IEUM_E_OK;

	if (!err)
		err = check_more_time(s, t);
	if (!err)
		err = answer_add_change(s, referral_at(s->c, s->reply), t, &change);
	if (err)
		return err;
	change->answer = a->kind;
	change->state = state_after(s, t);
	change->outcome = a->outcome;
	change->reason = a->reason;
	change->by = by;
	change->due_at_ms = due_after(s, t);
	if (a->kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT) {
		change->rejected = true;
		change->state = state_of_rejected(t, by);
		change->due_at_ms = -1;
		if (t->rejection_ends) {
			change->state = IEUM__V1__TASK_STATE__TASK_STATE_REJECTED;
			change->due_at_ms = 0;
		} else if (!task_state_ended(change->state) && ladder_step_rejected(s, t, by)) {
			s->rejected = t;
			s->rejected_by = by;
		} else if (!task_state_ended(change->state) && !t->due_at_ms) {
			/* Only who rejects now had stopped it; the others still owe an answer. */
			change->state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
			change->due_at_ms = ladder_again_at_ms(t, s->now_ms);
		}
	}
	if (settles) {
		change->state = handover_state_after(a->kind);
		change->due_at_ms = 0;
		s->rejected = NULL;
		s->hands_over = t;
		s->hands_over_to = by;
	}
	if (t->approval && (err = approval_decide(s, t, change)))
		return err;
	if (closes_case(s, t) && (!t->approval || s->approved)) {
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;
		s->closes = t;
		return closing_check(s, t);
	}
	return IEUM_E_OK;
}

static const char *state_word(uint8_t state)
{
	static const char *const words[TASK_STATES] = {
		"?",       "requested", "received", "accepted",  "rejected",         "in_progress",
		"on_hold", "completed", "failed",   "cancelled", "entered_in_error",
	};

	return words[state < TASK_STATES ? state : 0];
}

/* Nothing but an answer is wanted of it: no approval, no place, no change of the case. */
static bool is_plain(const struct task *t)
{
	return task_open(t) && !t->approval && !t->effect && !t->awaits && !t->holder;
}

/* Is it asked in the place of others: on duty, or by a ladder?  By rules nobody is asked twice. */
static bool stands_in(const struct submission *s, uint32_t mailbox)
{
	size_t n = 0;

	for (uint32_t th = referral_at(s->c, s->reply)->first_task; th;
	     th = task_at(s->c, th)->next)
		n += is_plain(task_at(s->c, th)) && task_asks(task_at(s->c, th), mailbox);
	return n > 1;
}

/* Who is asked in the place of several, each of whom has a request of its own, answers for all of
 * them at once: on duty at night for every role of a team, or above all who stayed silent. */
static enum ieum_err answer_in_places(struct submission *s, const struct task *answered,
				      uint32_t by)
{
	const struct referral *r = referral_at(s->c, s->reply);
	const struct answer *a = &s->answer;

	if (a->request || a->kind != IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED ||
	    r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_MINUTES || !stands_in(s, by))
		return IEUM_E_OK;
	for (uint32_t th = r->first_task; th; th = task_at(s->c, th)->next) {
		const struct task *t = task_at(s->c, th);
		Ieum__V1__TaskChanged *change;
		enum ieum_err err;

		if (t == answered || !is_plain(t) || !task_asks(t, by) || !state_after(s, t))
			continue;
		if ((err = answer_add_change(s, r, t, &change)))
			return err;
		change->answer = a->kind;
		change->state = state_after(s, t);
		change->by = by;
		change->due_at_ms = due_after(s, t);
	}
	return IEUM_E_OK;
}

static enum ieum_err decide_asked(struct submission *s)
{
	uint32_t by = 0;
	struct task *t = find_task(s, &by);

	if (!t)
		return decision_refuse(s->d, IEUM_E_NOT_ADDRESSED, "%s",
				       s->answer.request ? "answer.request"
							 : "envelope.in_reply_to");
	if (!state_after(s, t))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT, "the request is %s",
				       state_word(t->state));
	if (!may_answer(t, by))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "the request was taken on by '%s'",
				       state_mailbox_name(s->c, t->holder));
	enum ieum_err err = change_task(s, t, by);
	return err ? err : answer_in_places(s, t, by);
}

/* ---- the referrer ---- */

/* Takes back every request of the message; whoever was asked hears of it. */
static enum ieum_err decide_referrer(struct submission *s)
{
	const struct referral *r = referral_at(s->c, s->reply);
	enum ieum_err err = IEUM_E_OK;

	if (r->sender != s->who.participant && !handover_speaks_for(s, r))
		return decision_refuse(s->d, IEUM_E_NOT_ADDRESSED,
				       "only who sent the referral may say this");
	bool is_change;
	err = handover_cancel(s, &is_change);
	if (err)
		return err;
	for (uint32_t th = r->first_task; th && !err; th = task_at(s->c, th)->next) {
		const struct task *t = task_at(s->c, th);
		Ieum__V1__TaskState state =
			task_state_after((Ieum__V1__TaskState)t->state, s->answer.kind);
		Ieum__V1__TaskChanged *change;
		if (!state || !is_meant(s, t))
			continue;
		err = answer_add_change(s, r, t, &change);
		if (err)
			return err;
		change->answer = s->answer.kind;
		change->state = state;
		change->outcome = s->answer.outcome;
		change->reason = s->answer.reason;
		change->due_at_ms = 0;
		for (uint32_t i = 0; i < t->n_asked && !err; i++)
			if (!submit_excludes(s, t->asked[i].mailbox))
				err = submit_route(s->d, s->e, t->asked[i].mailbox,
						   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER,
						   0);
	}
	if (!err && s->e->n_answered == 0 && !is_change && !placing_cancels(s))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT, "no request of it is open");
	return err;
}

/* ---- both ---- */

static Ieum__V1__TaskState state_before(const struct task *t)
{
	return (Ieum__V1__TaskState)t->state;
}

static Ieum__V1__TaskState state_afterwards(const struct submission *s, const struct task *t)
{
	const uint8_t *id = referral_at(s->c, t->referral)->id;

	for (size_t i = 0; i < s->e->n_answered; i++) {
		const Ieum__V1__TaskChanged *change = s->e->answered[i];
		if (change->task == t->index &&
		    memcmp(change->message_id.data, id, CORE_ID_BYTES) == 0)
			return change->state;
	}
	return state_before(t);
}

/* What is new for those who learn only that it came and that it ended: whatever the end was. */
static Ieum__V1__AnswerKind status_of(const struct submission *s, const struct referral *r)
{
	bool told = false, begun = false, ended = true, over = true;

	for (uint32_t th = r->first_task; th; th = task_at(s->c, th)->next) {
		const struct task *t = task_at(s->c, th);
		Ieum__V1__TaskState after = state_afterwards(s, t);

		told |= state_before(t) != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
		over &= task_state_ended(state_before(t));
		begun |= after != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
		ended &= task_state_ended(after);
	}
	if (ended && !over && s->e->n_answered > 0)
		return IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE;
	return begun && !told ? IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED : 0;
}

/* Back to whoever referred, by the mailbox that is its own; where that one may or can hear no
 * more, to the case's owner. */
static enum ieum_err route_back(struct submission *s)
{
	const struct referral *r = referral_at(s->c, s->reply);
	int index = state_policy_participant(s->c, s->p, r->sender);
	int mailbox = index == POLICY_NONE ? POLICY_NONE : policy_participant(s->p, index)->mailbox;

	if (r->sender == 0 || index == s->who.index)
		return IEUM_E_OK;
	bool hears = mailbox != POLICY_NONE &&
		     !submit_excludes(s, policy_mailbox(s->p, mailbox)->number);
	if (hears && policy_participant(s->p, index)->hears_status) {
		s->status = status_of(s, r);
		return IEUM_E_OK;
	}
	if (hears)
		return submit_route(s->d, s->e, policy_mailbox(s->p, mailbox)->number,
				    IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	uint32_t owner = s->core_case ? case_at(s->c, s->core_case)->owner : 0;
	return caller_consumes(s->c, s->p, &s->who, owner) || submit_excludes(s, owner)
		       ? IEUM_E_OK
		       : submit_route(s->d, s->e, owner,
				      IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED, 0);
}

/* Information that is refused after all: what was accepted can't be rejected, it fails. */
static void refuse_what_was_taken_on(struct submission *s, const struct task *t)
{
	if (t && s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT && !state_after(s, t))
		s->answer.kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
}

enum ieum_err answer_decide(struct submission *s)
{
	uint32_t by = 0;

	if (!s->answer.kind)
		return IEUM_E_OK;
	if (!s->answer.strict) {
		const struct task *t = find_task(s, &by);
		refuse_what_was_taken_on(s, t);
		if (!t || !state_after(s, t) || !may_answer(t, by))
			return route_back(s);
	}
	enum ieum_err err =
		task_answer_is_referrers(s->answer.kind) ? decide_referrer(s) : decide_asked(s);
	return err ? err : route_back(s);
}
