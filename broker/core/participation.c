/* See participation.h. */
#include "broker/core/participation.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/places.h"
#include "broker/core/snapshot.h"
#include "broker/core/task.h"

enum {
	LOOKED_MAX = 4096, /* requests and deliveries of a case that one decision looks at */
	ENDED_MAX = 64,    /* mailboxes whose part one decision ends */
};

/* What one decision ends, in one case. */
struct ending {
	const struct core *c;
	const struct policy *p;
	const struct core_decision *d;
	uint32_t core_case;
	uint32_t mailboxes[ENDED_MAX];
	size_t n;
	uint32_t looked;
};

/* ---- what is declined ---- */

static uint32_t referral_of(const struct core *c, const ProtobufCBinaryData *id)
{
	return id->len == CORE_ID_BYTES ? state_referral(c, id->data) : 0;
}

/* Whose place is given up by this; 0: nobody's. */
static uint32_t gives_up(const struct core *c, const Ieum__V1__Event *of)
{
	const Ieum__V1__PlacesChanged *e = of->places_changed;

	if (of->what_case != IEUM__V1__EVENT__WHAT_PLACES_CHANGED || e->told ||
	    (e->state != IEUM__V1__HOLD_STATE__HOLD_STATE_RELEASED &&
	     e->state != IEUM__V1__HOLD_STATE__HOLD_STATE_LAPSED))
		return 0;
	uint32_t rh = referral_of(c, &e->hold_id);
	uint32_t h = rh ? hold_in(c, rh, e->pool) : 0;
	return h ? hold_at(c, h)->keeper : 0;
}

/* Whoever has taken it on has it until it goes on. */
static bool keeps(const struct ending *w, const struct referral *r, const struct task *t,
		  uint32_t mailbox)
{
	if (!task_open(t) || t->holder != mailbox)
		return false;
	for (size_t i = 0; i < w->d->n_items; i++) {
		const Ieum__V1__Event *e = w->d->items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_ESCALATED &&
		    e->escalated->task == t->index &&
		    memcmp(e->escalated->message_id.data, r->id, CORE_ID_BYTES) == 0)
			return false;
	}
	return true;
}

/* Is this the request that the decision takes off the mailbox? */
static bool is_declined(const struct ending *w, const struct referral *r, const struct task *t,
			uint32_t mailbox)
{
	for (size_t i = 0; i < w->d->n_items; i++) {
		const Ieum__V1__Event *e = w->d->items[i].event;

		if (gives_up(w->c, e) == mailbox &&
		    t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE &&
		    !keeps(w, r, t, mailbox) &&
		    memcmp(e->places_changed->hold_id.data, r->id, CORE_ID_BYTES) == 0)
			return true;
		if (e->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED)
			continue;
		for (size_t k = 0; k < e->submitted->n_answered; k++) {
			const Ieum__V1__TaskChanged *change = e->submitted->answered[k];
			if (change->rejected && change->task == t->index && change->by == mailbox &&
			    memcmp(change->message_id.data, r->id, CORE_ID_BYTES) == 0)
				return true;
		}
	}
	return false;
}

/* ---- is there another part? ---- */

static bool is_route_to(Ieum__V1__Route *const *routes, size_t n, uint32_t type, uint32_t mailbox)
{
	for (size_t i = 0; i < n; i++)
		if (routes[i]->mailbox == mailbox &&
		    participation_by_delivery((uint8_t)type, routes[i]->cause))
			return true;
	return false;
}

/* By what the decision itself does. */
static bool begins(const struct ending *w, uint32_t mailbox)
{
	const uint8_t *id = case_at(w->c, w->core_case)->id;

	for (size_t i = 0; i < w->d->n_items; i++) {
		const Ieum__V1__Event *e = w->d->items[i].event;
		uint32_t rh;
		switch (e->what_case) {
		case IEUM__V1__EVENT__WHAT_SUBMITTED:
			if (e->submitted->case_id.len == CORE_ID_BYTES &&
			    memcmp(e->submitted->case_id.data, id, CORE_ID_BYTES) == 0 &&
			    (e->submitted->case_owner == mailbox ||
			     is_route_to(e->submitted->routes, e->submitted->n_routes,
					 e->submitted->type, mailbox)))
				return true;
			break;
		case IEUM__V1__EVENT__WHAT_ESCALATED:
			rh = referral_of(w->c, &e->escalated->message_id);
			if (rh && referral_at(w->c, rh)->core_case == w->core_case &&
			    is_route_to(e->escalated->routes, e->escalated->n_routes,
					referral_at(w->c, rh)->type, mailbox))
				return true;
			break;
		case IEUM__V1__EVENT__WHAT_CASE_CHANGED:
			if (e->case_changed->owner == mailbox)
				return true;
			break;
		default: break;
		}
	}
	return false;
}

/* Something it took on and did, or has still to do. */
static bool has_request(struct ending *w, const struct referral *r, uint32_t mailbox)
{
	for (uint32_t th = r->first_task; th; th = task_at(w->c, th)->next) {
		const struct task *t = task_at(w->c, th);
		bool done = t->state == IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;

		w->looked++;
		if ((task_open(t) || (done && t->holder == mailbox)) &&
		    (t->holder == mailbox || task_asks(t, mailbox)) &&
		    !is_declined(w, r, t, mailbox))
			return true;
	}
	return false;
}

/* Something that it was to know without being asked for anything. */
static bool was_told(struct ending *w, const struct referral *r, uint32_t mailbox)
{
	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(w->c, dh)->next) {
		const struct delivery *d = delivery_at(w->c, dh);

		w->looked++;
		if (d->mailbox == mailbox && !d->task && d->state != DELIVERY_WITHDRAWN &&
		    participation_by_delivery(r->type, (Ieum__V1__DeliveryCause)d->cause))
			return true;
	}
	return false;
}

/* An answer is no part of its own: what it took on is. */
static bool has_sent(const struct ending *w, const struct referral *r, uint32_t mailbox)
{
	int index = state_policy_participant(w->c, w->p, r->sender);
	int own = index == POLICY_NONE ? POLICY_NONE : policy_participant(w->p, index)->mailbox;

	return r->sender && own != POLICY_NONE &&
	       r->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER &&
	       policy_mailbox(w->p, own)->number == mailbox;
}

/* Of a case with more messages than one decision looks at, nobody loses sight. */
static bool takes_part_otherwise(struct ending *w, uint32_t mailbox)
{
	const struct core_case *k = case_at(w->c, w->core_case);

	if (k->owner == mailbox || begins(w, mailbox))
		return true;
	for (uint32_t rh = k->referrals.head; rh; rh = referral_at(w->c, rh)->next_in_case) {
		const struct referral *r = referral_at(w->c, rh);
		if (w->looked++ > LOOKED_MAX || has_sent(w, r, mailbox) ||
		    has_request(w, r, mailbox) || was_told(w, r, mailbox))
			return true;
	}
	return false;
}

/* ---- deciding ---- */

/* `joins`: it is a member by this decision at the latest. */
static void consider(struct ending *w, uint32_t mailbox, bool joins)
{
	const struct member *m = case_member(case_at(w->c, w->core_case), mailbox);

	if (!mailbox || (m ? m->out : !joins) || w->n == ENDED_MAX)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (w->mailboxes[i] == mailbox)
			return;
	if (!takes_part_otherwise(w, mailbox))
		w->mailboxes[w->n++] = mailbox;
}

/* Whoever answers for a body joins the case by that, and leaves it as the body does. */
static void consider_rejections(struct ending *w, const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_answered; i++) {
		uint32_t rh = referral_of(w->c, &e->answered[i]->message_id);

		if (!e->answered[i]->rejected || !rh ||
		    referral_at(w->c, rh)->core_case != w->core_case)
			continue;
		consider(w, e->answered[i]->by, false);
		consider(w, e->sender_mailbox, true);
	}
}

/* The case of the first thing that is declined: one decision is about one case. */
static uint32_t case_of(const struct core *c, const Ieum__V1__Event *e)
{
	uint32_t rh = 0;

	if (gives_up(c, e))
		rh = referral_of(c, &e->places_changed->hold_id);
	if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED)
		for (size_t i = 0; i < e->submitted->n_answered && !rh; i++)
			if (e->submitted->answered[i]->rejected)
				rh = referral_of(c, &e->submitted->answered[i]->message_id);
	return rh ? referral_at(c, rh)->core_case : 0;
}

enum ieum_err participation_decide(const struct core *c, core_time_us now, const struct policy *p,
				   struct core_decision *d)
{
	struct ending w = { .c = c, .p = p, .d = d };

	for (size_t i = 0; i < d->n_items && !w.core_case; i++)
		w.core_case = case_of(c, d->items[i].event);
	if (!w.core_case)
		return IEUM_E_OK;
	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *e = d->items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED)
			consider_rejections(&w, e->submitted);
		else if (case_of(c, e) == w.core_case)
			consider(&w, gives_up(c, e), false);
	}
	if (w.n == 0)
		return IEUM_E_OK;
	Ieum__V1__CaseChanged *e = decision_case_changed(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, case_at(c, w.core_case)->id };
	e->out = arena_copy(&d->arena, w.mailboxes, w.n * sizeof *w.mailboxes);
	e->n_out = e->out ? w.n : 0;
	return e->out ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* ---- state ---- */

static struct member *member_of(const struct core *c, uint32_t core_case, uint32_t mailbox)
{
	struct core_case *k = case_at(c, core_case);

	for (uint32_t i = 0; i < k->n_members; i++)
		if (k->members[i].mailbox == mailbox)
			return &k->members[i];
	return NULL;
}

enum ieum_err participation_end(struct core *c, uint32_t core_case, const uint32_t *mailboxes,
				size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct member *m = member_of(c, core_case, mailboxes[i]);

		if (!m || case_at(c, core_case)->owner == mailboxes[i])
			return IEUM_E_JOURNAL_CORRUPT;
		m->out = true;
	}
	return IEUM_E_OK;
}

void participation_renew(struct core *c, uint32_t core_case, uint32_t mailbox)
{
	struct member *m = core_case ? member_of(c, core_case, mailbox) : NULL;

	if (m)
		m->out = false;
}

/* What only ends what it was asked, or calls back what it knows, doesn't bring it back. */
bool participation_by_delivery(uint8_t type, Ieum__V1__DeliveryCause cause)
{
	return type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER &&
	       cause != IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER &&
	       cause != IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_OUTCOME &&
	       cause != IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK;
}

/* ---- snapshots ---- */

enum ieum_err participation_write(struct snapshot_writing *w, const struct core_case *k,
				  Ieum__V1__SnapshotCase *m)
{
	m->out = snapshot_room(w, k->n_members, sizeof *m->out);
	if (!m->out)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < k->n_members; i++)
		if (k->members[i].out)
			m->out[m->n_out++] = k->members[i].mailbox;
	return IEUM_E_OK;
}

enum ieum_err participation_read(struct core *c, uint32_t core_case,
				 const Ieum__V1__SnapshotCase *m)
{
	return participation_end(c, core_case, m->out, m->n_out);
}
