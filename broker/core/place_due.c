/* Places and the passing of time: holds lapse, and whoever waits is offered what is free. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/placing.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* ---- lapsing ---- */

/* Who wanted the place: whoever asked for it, or who took an offer. */
static uint32_t requester(const struct core *c, const struct policy *p, const struct referral *r,
			  const struct task *t)
{
	int index = state_policy_participant(c, p, r->sender);

	if (!r->sender)
		return t ? t->holder : 0;
	return index == POLICY_NONE || policy_participant(p, index)->mailbox == POLICY_NONE
		       ? 0
		       : policy_mailbox(p, policy_participant(p, index)->mailbox)->number;
}

/* Both sides hear that a place which was accepted is not kept any more. */
static enum ieum_err tell(const struct occasion *o, const struct hold *hold, const struct task *t)
{
	const struct referral *r = referral_at(o->c, hold->referral);
	struct hub_message *m = outcome_failure(o, r);
	uint32_t wants = requester(o->c, o->p, r, t);
	enum ieum_err err = IEUM_E_OK;

	if (!m)
		return IEUM_E_NO_MEMORY;
	if (wants)
		err = hub_message_to(o, m, wants, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER);
	if (!err && hold->keeper)
		err = hub_message_to(o, m, hold->keeper,
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	return err ? err : hub_message_end(o, m);
}

/* An offer that was taken, or one until a moment that is over: there is nobody else to ask. */
static enum ieum_err fail(const struct occasion *o, const struct hold *hold, const struct task *t)
{
	Ieum__V1__Escalated *e = decision_escalated(o->d, o->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(o->c, t->referral)->id };
	e->task = t->index;
	e->cause = IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE;
	e->state = IEUM__V1__TASK_STATE__TASK_STATE_FAILED;
	return tell(o, hold, t);
}

static bool others_hold(const struct core *c, const struct hold *hold)
{
	for (uint32_t h = hold_of(c, hold->referral); h; h = hold_at(c, h)->next)
		if (hold_at(c, h) != hold && hold_at(c, h)->state == HOLD(HELD))
			return true;
	return false;
}

/* Taken on, and nobody came in time: another is asked, as if it had never been accepted. */
static enum ieum_err go_on(const struct occasion *o, const struct hold *hold, const struct task *t)
{
	const struct referral *r = referral_at(o->c, hold->referral);

	if (!r->sender || (hold->until_ms && hold->until_ms <= o->now_ms))
		return fail(o, hold, t);
	enum ieum_err err = placing_tell_lapsed(o, hold, requester(o->c, o->p, r, t));
	return err ? err
		   : ladder_move(o->c, o->p, o->d, o->now, t,
				 IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_LAPSED, 0);
}

static enum ieum_err lapse(const struct occasion *o, const struct hold *hold)
{
	const struct task *t = placing_task(o->c, referral_at(o->c, hold->referral));
	bool open = t && task_open(t);
	uint32_t wh = wait_of_offer(o->c, hold->referral);

	/* Its keeper had until now to answer. */
	if (open && !t->holder && !others_hold(o->c, hold))
		return ladder_move(o->c, o->p, o->d, o->now, t,
				   IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE, 0);
	enum ieum_err err =
		placing_change(o->d, o->c, o->now,
			       &(struct placing_change){ .hold = hold, .state = HOLD(LAPSED) });
	if (!err && wh && wait_open(wait_at(o->c, wh)))
		err = placing_wait_ends(o->c, o->d, o->now, wh,
					IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	/* Another keeper may have been asked since: whoever took it on was silent for too long. */
	return err || !open || !t->holder || others_hold(o->c, hold) ? err : go_on(o, hold, t);
}

static enum ieum_err due_hold(const struct core *c, const struct policy *p, core_time_us now,
			      struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->places.lapses);
	struct occasion o;

	if (!first || (int64_t)first->key > to_ms(now))
		return IEUM_E_OK;
	const struct hold *hold = hold_at(c, first->item);
	const struct referral *r = referral_at(c, hold->referral);
	enum ieum_err err = occasion_of_time(c, p, d, now, r->core_case, &o);
	if (err || (hold->state == HOLD(HELD) && hold->lapses_at_ms <= o.now_ms))
		return err ? err : lapse(&o, hold);
	const struct task *t = placing_task(c, r);
	/* Of an offer that nobody took the keeper hears nothing. */
	bool offered = !r->sender && t && !t->holder && t->n_asked > 0;
	return offered ? placing_tell_of_end(&o, hold, t->asked[0].mailbox, 0)
		       : placing_tell_of_end(&o, hold, requester(c, p, r, t), hold->keeper);
}

/* ---- offering ---- */

/* 0: it can get no offer, because its case is closed, its sender is in the hub no more, or it rests
 * on a consent that is withdrawn. */
static uint32_t who_waits(const struct occasion *o, const struct wait *w)
{
	const struct referral *r = referral_at(o->c, w->referral);
	int index = state_policy_participant(o->c, o->p, r->sender);

	if (index == POLICY_NONE || placing_lacks_consent(o->c, r) ||
	    (o->core_case && (case_closed(case_at(o->c, o->core_case)) ||
			      case_excludes(case_at(o->c, o->core_case), r->sender))))
		return 0;
	return policy_mailbox(o->p, policy_participant(o->p, index)->mailbox)->number;
}

/* Waits on, but not for that pool: its keeper has a conflict of interest in the case by now. */
static enum ieum_err wait_for_others(const struct occasion *o, const struct wait *w, uint32_t pool)
{
	const struct need *n = need_at(o->c, w->need);
	Ieum__V1__WaitChanged *e = decision_wait_changed(o->d, o->now);
	Ieum__V1__WaitNeed *need = decision_zalloc(o->d, sizeof *need);
	uint32_t *but = decision_zalloc(o->d, (n->n_but + 1U) * sizeof *but);

	if (!e || !need || !but)
		return IEUM_E_NO_MEMORY;
	memcpy(but, n->but, n->n_but * sizeof *but);
	but[n->n_but] = pool;
	*need = (Ieum__V1__WaitNeed)IEUM__V1__WAIT_NEED__INIT;
	/* Copies: applying the event may end the need it was. */
	need->wanted = arena_copy(&o->d->arena, n->wanted, strlen(n->wanted) + 1);
	need->jurisdiction = arena_copy(&o->d->arena, n->jurisdiction, strlen(n->jurisdiction) + 1);
	need->language = arena_copy(&o->d->arena, n->language, strlen(n->language) + 1);
	if (!need->wanted || !need->jurisdiction || !need->language)
		return IEUM_E_NO_MEMORY;
	need->sex = (Ieum__V1__Sex)n->sex;
	need->age_years = n->age_years;
	need->places = n->places;
	need->but = but;
	need->n_but = n->n_but + 1;
	e->entry_id = (ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(o->c, w->referral)->id };
	e->state = IEUM__V1__WAIT_STATE__WAIT_STATE_WAITING;
	e->priority = w->priority;
	e->places = w->places;
	e->need = need;
	return placing_suiting(o->p, o->d, need);
}

/* The offer itself, which its keeper hears of when it is accepted. */
static struct hub_message *make_offer(const struct occasion *o, const struct wait *w,
				      const struct policy_pool *pool, uint32_t to,
				      int64_t reply_by_ms)
{
	const struct referral *entry = referral_at(o->c, w->referral);
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_OFFER);

	if (!m)
		return NULL;
	Ieum__V1__PlaceOffer *body = m->referral.place_offer;
	body->pool = (char *)pool->name;
	body->places = w->places;
	body->reply_by_at_ms = reply_by_ms;
	body->entry_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)entry->id };
	m->envelope.in_reply_to = body->entry_id;
	m->envelope.urgency =
		(Ieum__V1__Urgency)(entry->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	if (hub_message_to(o, m, to, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE) ||
	    hub_message_ask(o, m, reply_by_ms, IEUM__V1__STOPS_AT__STOPS_AT_DECIDED, false))
		return NULL;
	for (size_t i = 0; i < m->e->n_tasks; i++)
		m->e->tasks[i]->effect = IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE;
	return hub_message_end(o, m) ? NULL : m;
}

/* As the pool says; where that is longer than the offer, or nothing, in the last quarter of it. */
static int64_t offer_warns_at(const struct policy_pool *pool, int64_t reply_by_ms, int64_t now_ms)
{
	int64_t within_ms = reply_by_ms - now_ms;
	bool fits = pool->warn_before_ms && pool->warn_before_ms < within_ms;

	return reply_by_ms - (fits ? pool->warn_before_ms : within_ms / 4);
}

static enum ieum_err offer(const struct occasion *o, uint32_t wh, uint32_t number)
{
	const struct wait *w = wait_at(o->c, wh);
	int index = pool_policy_index(o->c, number);
	const struct policy_pool *pool = policy_pool(o->p, index);
	uint32_t to = who_waits(o, w);

	if (!to)
		return placing_wait_ends(o->c, o->d, o->now, wh,
					 IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	if (!pool || placing_keeper_is_out(o, index))
		return wait_for_others(o, w, number);
	int64_t reply_by_ms = policy_due(o->p, o->now_ms, pool->offer_within);
	const struct hub_message *m = make_offer(o, w, pool, to, reply_by_ms);
	if (!m)
		return IEUM_E_NO_MEMORY;
	if (m->e->n_routes == 0)
		return placing_wait_ends(o->c, o->d, o->now, wh,
					 IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	enum ieum_err err = placing_begin(o->p, o->d, o->now, index, w->places,
					  &m->envelope.message_id, reply_by_ms, 0);
	if (err)
		return err;
	o->d->items[o->d->n_items - 1].event->places_changed->warn_at_ms =
		offer_warns_at(pool, reply_by_ms, o->now_ms);
	Ieum__V1__WaitChanged *e = decision_wait_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->pool = number;
	e->entry_id = (ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(o->c, w->referral)->id };
	e->state = IEUM__V1__WAIT_STATE__WAIT_STATE_OFFERED;
	e->priority = w->priority;
	e->places = w->places;
	e->offer_id = m->envelope.message_id;
	e->lapses_at_ms = reply_by_ms;
	return IEUM_E_OK;
}

static enum ieum_err due_offer(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d)
{
	struct occasion o;

	for (uint32_t i = 1; c->places.n_ready && i <= c->places.n_pools; i++) {
		if (!pool_at(c, i)->ready)
			continue;
		uint32_t wh = waits_next(c, i);
		enum ieum_err err =
			occasion_of_time(c, p, d, now,
					 referral_at(c, wait_at(c, wh)->referral)->core_case, &o);
		return err ? err : offer(&o, wh, i);
	}
	return IEUM_E_OK;
}

enum ieum_err placing_due(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d)
{
	enum ieum_err err = due_hold(c, p, now, d);

	if (!err && d->n_items == 0)
		err = placing_due_pool(c, p, now, d);
	return err || d->n_items > 0 ? err : due_offer(c, p, now, d);
}
