/* Consent to share: withdrawn, or given again; and what becomes of what was shared on it.
 *
 * A withdrawal takes back what nobody has settled yet, cancels the requests that nobody has taken on,
 * and tells everyone who got something to stop using it: by a message of the hub's own to each,
 * which the rules make a request that must be acknowledged.  What a statute asks for, or danger,
 * rests on no consent and goes on. */
#include "broker/core/consent.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/placing.h"
#include "broker/core/stop_use.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

enum {
	/* Events before the orders; no withdrawal fails for want of room. */
	CONSENT_STATUSES_MAX = CORE_DECISION_EVENTS_MAX / 4,
};

struct stopping {
	const struct occasion *o;
	const struct core_case *k;
	const Ieum__V1__ConsentWithdrawal *body; /* NULL: everything of the case */
	struct stop_use orders;
	size_t room, room_revoked; /* of the event's lists of what is taken back */
	size_t n_before, n_revoked_before;
};

static Ieum__V1__CaseChanged *consent_changed(const struct occasion *o,
					      Ieum__V1__ConsentChange change)
{
	Ieum__V1__CaseChanged *e = decision_case_changed(o->d, o->now);

	if (!e)
		return NULL;
	e->case_id = o->case_id;
	e->consent = change;
	if (o->referral)
		e->message_id = o->referral->envelope->message_id;
	return e;
}

enum ieum_err consent_give(const struct occasion *o)
{
	if (!o->core_case || !case_at(o->c, o->core_case)->consent_withdrawn)
		return IEUM_E_OK;
	return consent_changed(o, IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_GIVEN)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}

/* ---- what rests on it ---- */

static bool names_single(const struct stopping *s)
{
	return s->body && s->body->n_message_ids > 0;
}

static bool is_meant(const struct stopping *s, const struct referral *r)
{
	/* Withdrawn before, it was stopped then. */
	if (r->basis != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT || r->consent_withdrawn)
		return false;
	for (size_t i = 0; s->body && i < s->body->n_message_ids; i++)
		if (s->body->message_ids[i].len == CORE_ID_BYTES &&
		    memcmp(s->body->message_ids[i].data, r->id, CORE_ID_BYTES) == 0)
			return true;
	return !names_single(s);
}

/* Adds to a list of the event's; of what was in it before, not again. */
static enum ieum_err add_delivery(struct stopping *s, uint64_t **list, size_t *n, size_t *room,
				  size_t n_before, uint64_t delivery)
{
	for (size_t i = 0; i < n_before; i++)
		if ((*list)[i] == delivery)
			return IEUM_E_OK;
	if (!*room || *n == *room) {
		*room = *n ? 2 * *n : 16;
		uint64_t *more = decision_zalloc(s->o->d, *room * sizeof *more);
		if (!more)
			return IEUM_E_NO_MEMORY;
		for (size_t i = 0; i < *n; i++)
			more[i] = (*list)[i];
		*list = more;
	}
	(*list)[(*n)++] = delivery;
	return IEUM_E_OK;
}

/* What is not settled would come again: after a disconnect or a time-out, and to a colleague too. */
static enum ieum_err take_back(struct stopping *s, const struct delivery *d)
{
	Ieum__V1__Submitted *e = s->o->e;

	if (d->state != DELIVERY_QUEUED && d->state != DELIVERY_WAITING &&
	    d->state != DELIVERY_IN_FLIGHT)
		return IEUM_E_OK;
	return d->released_to ? add_delivery(s, &e->revoked, &e->n_revoked, &s->room_revoked,
					     s->n_revoked_before, d->id)
			      : add_delivery(s, &e->withdrawn, &e->n_withdrawn, &s->room,
					     s->n_before, d->id);
}

static enum ieum_err stop_deliveries(struct stopping *s, const struct referral *r)
{
	const struct core *c = s->o->c;
	enum ieum_err err = stop_use_add(&s->orders, r);

	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(c, dh)->next)
		err = take_back(s, delivery_at(c, dh));
	return err;
}

/* Who asked hears that its request is no more; who hears only that all has ended, when it has. */
static enum ieum_err tell_referrer(struct stopping *s, const struct referral *r, bool goes_on)
{
	const struct occasion *o = s->o;
	bool many = o->d->n_items >= CONSENT_STATUSES_MAX;
	int index = state_policy_participant(o->c, o->p, r->sender);

	if (!stop_use_may_tell(&s->orders, r->sender, index) || o->e->n_routes == POLICY_ROUTES_MAX)
		return IEUM_E_OK;
	if (policy_participant(o->p, index)->hears_status && (goes_on || many))
		return IEUM_E_OK;
	if (policy_participant(o->p, index)->hears_status)
		return outcome_status(o->c, o->p, o->d, o->now, r,
				      IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
	int mailbox = policy_participant(o->p, index)->mailbox;
	return submit_route(o->d, o->e, policy_mailbox(o->p, mailbox)->number,
			    IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
}

static bool is_taken_on(const struct task *t)
{
	return t->state != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED &&
	       t->state != IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED;
}

/* Of requests that somebody has taken on, who did says how they end. */
static enum ieum_err cancel_requests(struct stopping *s, const struct referral *r)
{
	Ieum__V1__Submitted *e = s->o->e;
	bool any = false, goes_on = false;

	for (uint32_t th = r->first_task; th; th = task_at(s->o->c, th)->next) {
		const struct task *t = task_at(s->o->c, th);
		Ieum__V1__TaskChanged *change;
		goes_on |= task_open(t) && is_taken_on(t);
		if (!task_open(t) || is_taken_on(t) || answer_ends(e, r, t))
			continue;
		change = decision_zalloc(s->o->d, sizeof *change);
		if (!change)
			return IEUM_E_NO_MEMORY;
		*change = (Ieum__V1__TaskChanged)IEUM__V1__TASK_CHANGED__INIT;
		change->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
		change->task = t->index;
		change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL;
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED;
		change->reason = IEUM__V1__REASON__REASON_CONSENT_REFUSED;
		e->answered[e->n_answered++] = change;
		any = true;
	}
	return any ? tell_referrer(s, r, goes_on) : IEUM_E_OK;
}

static enum ieum_err begin(struct stopping *s)
{
	Ieum__V1__Submitted *e = s->o->e;
	size_t room = (s->k->n_open + e->n_answered + 1) * sizeof(Ieum__V1__TaskChanged *);
	Ieum__V1__TaskChanged **answered = decision_zalloc(s->o->d, room);

	if (!answered)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < e->n_answered; i++)
		answered[i] = e->answered[i];
	e->answered = answered;
	s->n_before = e->n_withdrawn;
	s->n_revoked_before = e->n_revoked;
	return stop_use_begin(&s->orders, s->o);
}

/* Of single messages: for others the consent stands. */
static enum ieum_err mark(struct stopping *s)
{
	const struct stop_use *of = &s->orders;
	bool in_part = names_single(s);

	if (in_part && of->n_messages == 0)
		return IEUM_E_OK;
	Ieum__V1__CaseChanged *e =
		consent_changed(s->o,
				in_part ? IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN_IN_PART
					: IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN);
	if (!e)
		return IEUM_E_NO_MEMORY;
	if (!in_part)
		return IEUM_E_OK;
	e->consent_of_ids = decision_zalloc(s->o->d, of->n_messages * sizeof *e->consent_of_ids);
	if (!e->consent_of_ids)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < of->n_messages; i++)
		e->consent_of_ids[e->n_consent_of_ids++] =
			(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)of->messages[i]->id };
	return IEUM_E_OK;
}

static enum ieum_err stop_message(struct stopping *s, uint32_t rh)
{
	const struct referral *r = referral_at(s->o->c, rh);
	enum ieum_err err = stop_deliveries(s, r);

	if (!err)
		err = cancel_requests(s, r);
	/* Where there is no room for them, holds lapse and nobody gets an offer. */
	if (!err && s->o->d->n_items < CONSENT_STATUSES_MAX)
		err = placing_withdrawn(s->o, rh);
	return err;
}

enum ieum_err consent_stop_use(const struct occasion *o)
{
	struct stopping s = { .o = o };
	enum ieum_err err;

	if (!o->core_case || !o->referral || !o->e)
		return IEUM_E_OK;
	s.k = case_at(o->c, o->core_case);
	if (o->referral->body_case == IEUM__V1__REFERRAL__BODY_CONSENT_WITHDRAWAL)
		s.body = o->referral->consent_withdrawal;
	if (s.k->consent_withdrawn)
		return IEUM_E_OK;
	err = begin(&s);
	for (uint32_t rh = s.k->referrals.head; rh && !err;
	     rh = referral_at(o->c, rh)->next_in_case)
		if (is_meant(&s, referral_at(o->c, rh)))
			err = stop_message(&s, rh);
	if (!err)
		err = mark(&s);
	return err ? err : stop_use_send(&s.orders);
}
