/* Acts of rules about places: taken up, returned, counted, waited for. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/placing.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* Does the sender keep the pool: by what was written when the place was held, or now? */
static bool keeps(const struct occasion *o, uint32_t pool, uint32_t mailbox)
{
	const struct policy_pool *of = policy_pool(o->p, pool_policy_index(o->c, pool));
	const struct policy_participant *who = policy_participant(o->p, o->sender);
	int box = state_policy_mailbox(o->c, o->p, mailbox);

	if (of && of->keeper == o->sender && who)
		return true;
	for (size_t i = 0; who && box != POLICY_NONE && i < who->n_mailboxes; i++)
		if (who->mailboxes[i] == box)
			return true;
	return false;
}

/* Nobody who keeps the pool can write into the case any more: the place must not be lost for it. */
static bool keeper_is_out(const struct occasion *o, const struct hold *hold)
{
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;
	int pool = pool_policy_index(o->c, hold->pool);
	uint32_t keepers[] = { hold->keeper, pool == POLICY_NONE ? 0 : placing_keeper(o->p, pool) };

	for (size_t i = 0; k && i < sizeof keepers / sizeof keepers[0]; i++) {
		int box = state_policy_mailbox(o->c, o->p, keepers[i]);
		const struct policy_mailbox *m = policy_mailbox(o->p, box);
		for (size_t n = 0; m && case_member(k, keepers[i]) && n < m->n_consumers; n++)
			if (!case_excludes(k, policy_participant(o->p, m->consumers[n])->number))
				return false;
	}
	return k != NULL;
}

/* Its keeper; where there is none any more, who is responsible for the case. */
static bool speaks_for(const struct occasion *o, const struct hold *hold)
{
	const struct policy_participant *who = policy_participant(o->p, o->sender);
	uint32_t owner = o->core_case ? case_at(o->c, o->core_case)->owner : 0;

	if (keeps(o, hold->pool, hold->keeper))
		return true;
	for (size_t i = 0; who && owner && i < who->n_mailboxes; i++)
		if (policy_mailbox(o->p, who->mailboxes[i])->number == owner)
			return keeper_is_out(o, hold);
	return false;
}

static enum ieum_err change(const struct occasion *o, const struct hold *hold, uint8_t state,
			    int64_t at_ms)
{
	return placing_change(o->d, o->c, o->now,
			      &(struct placing_change){
				      .hold = hold,
				      .state = state,
				      .at_ms = at_ms,
				      .message_id = &o->referral->envelope->message_id });
}

/* The hold of that message which the sender keeps; a live one comes first. */
static enum ieum_err find_hold(const struct occasion *o, const ProtobufCBinaryData *id,
			       const char *field, uint32_t *out)
{
	uint32_t rh = id->len == CORE_ID_BYTES ? state_referral(o->c, id->data) : 0;
	uint32_t found = 0;
	bool any = false;

	for (uint32_t h = rh ? hold_of(o->c, rh) : 0; h; h = hold_at(o->c, h)->next) {
		const struct hold *hold = hold_at(o->c, h);
		if (referral_at(o->c, rh)->core_case != o->core_case)
			continue;
		any = true;
		if (speaks_for(o, hold) && (!found || hold_live(hold)))
			found = h;
	}
	*out = found;
	if (found)
		return IEUM_E_OK;
	if (any)
		return decision_refuse(o->d, IEUM_E_NOT_PERMITTED,
				       "%s: only who keeps the pool may say this", field);
	return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
			       "%s: no place was held by that message in this case", field);
}

/* ---- taken up ---- */

/* The request for the place ends well, unless the message says so already. */
static enum ieum_err complete(const struct occasion *o, const struct referral *r,
			      const struct task *t, uint32_t keeper)
{
	Ieum__V1__Submitted *e = o->e;
	Ieum__V1__TaskChanged *change = decision_zalloc(o->d, sizeof *change);

	if (!t || !task_open(t))
		return IEUM_E_OK;
	for (size_t i = 0; i < e->n_answered; i++)
		if (e->answered[i]->task == t->index &&
		    memcmp(e->answered[i]->message_id.data, r->id, CORE_ID_BYTES) == 0)
			return IEUM_E_OK;
	if (!e->answered)
		e->answered = decision_zalloc(o->d, 2 * POLICY_TASKS_MAX * sizeof *e->answered);
	if (!change || !e->answered)
		return IEUM_E_NO_MEMORY;
	*change = (Ieum__V1__TaskChanged)IEUM__V1__TASK_CHANGED__INIT;
	change->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	change->task = t->index;
	change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE;
	change->state = IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;
	change->by = t->holder ? t->holder : keeper;
	e->answered[e->n_answered++] = change;
	return IEUM_E_OK;
}

static enum ieum_err release_others(const struct occasion *o, uint32_t referral, uint32_t but)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = hold_of(o->c, referral); h && !err; h = hold_at(o->c, h)->next)
		if (h != but && placing_state(o->d, o->c, hold_at(o->c, h)) == HOLD(HELD))
			err = change(o, hold_at(o->c, h), HOLD(RELEASED), 0);
	return err;
}

/* For as long as it was asked for. */
static enum ieum_err take(const struct occasion *o, const struct hold *hold)
{
	int64_t warn_at_ms =
		hold->until_ms ? placing_warns_at(o->c, o->p, hold->pool, hold->until_ms, o->now_ms)
			       : 0;

	return placing_change(o->d, o->c, o->now,
			      &(struct placing_change){
				      .hold = hold,
				      .state = HOLD(TAKEN),
				      .at_ms = hold->until_ms,
				      .warn_at_ms = warn_at_ms,
				      .message_id = &o->referral->envelope->message_id });
}

/* One request takes a place in one pool, even where the others' holds are over and they are free. */
static bool taken_elsewhere(const struct occasion *o, uint32_t referral, uint32_t but)
{
	for (uint32_t h = hold_of(o->c, referral); h; h = hold_at(o->c, h)->next)
		if (h != but && placing_state(o->d, o->c, hold_at(o->c, h)) == HOLD(TAKEN))
			return true;
	return false;
}

enum ieum_err placing_take(const struct occasion *o)
{
	const Ieum__V1__PlacementNotice *body =
		o->referral && o->referral->body_case == IEUM__V1__REFERRAL__BODY_PLACEMENT_NOTICE
			? o->referral->placement_notice
			: NULL;
	uint32_t h;

	/* A person can also be placed where no place had to be held. */
	if (!body || !o->e || !body->hold_id.len)
		return IEUM_E_OK;
	enum ieum_err err = find_hold(o, &body->hold_id, "placement_notice.hold_id", &h);
	if (err)
		return err;
	const struct hold *hold = hold_at(o->c, h);
	const struct referral *r = referral_at(o->c, hold->referral);
	uint8_t state = placing_state(o->d, o->c, hold);
	if (state == HOLD(TAKEN) || state == HOLD(RETURNED))
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
				       "placement_notice.hold_id: the place was taken up before");
	if (taken_elsewhere(o, hold->referral, h))
		return decision_refuse(
			o->d, IEUM_E_STATE_CONFLICT,
			"placement_notice.hold_id: a place was taken up for it elsewhere");
	if (state != HOLD(HELD) && placing_free(o->c, o->d, hold->pool) < hold->places)
		return decision_refuse(
			o->d, IEUM_E_NO_PLACE,
			"placement_notice.hold_id: the hold is over and '%.63s' is full",
			pool_at(o->c, hold->pool)->name);
	uint32_t wh = wait_of_offer(o->c, hold->referral);
	err = complete(o, r, placing_task(o->c, r), hold->keeper);
	if (!err)
		err = take(o, hold);
	if (!err)
		err = release_others(o, hold->referral, h);
	if (!err && wh && wait_at(o->c, wh)->state == WAIT(OFFERED))
		err = placing_wait_ends(o->c, o->d, o->now, wh,
					IEUM__V1__WAIT_STATE__WAIT_STATE_PLACED);
	return err;
}

enum ieum_err placing_return(const struct occasion *o)
{
	const Ieum__V1__PlaceReturned *body =
		o->referral && o->referral->body_case == IEUM__V1__REFERRAL__BODY_PLACE_RETURNED
			? o->referral->place_returned
			: NULL;
	uint32_t h;

	if (!body)
		return IEUM_E_OK;
	enum ieum_err err = find_hold(o, &body->hold_id, "place_returned.hold_id", &h);
	if (err)
		return err;
	if (hold_at(o->c, h)->state != HOLD(TAKEN))
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
				       "place_returned.hold_id: nobody has that place");
	return change(o, hold_at(o->c, h), HOLD(RETURNED), 0);
}

/* ---- without consent ---- */

bool placing_lacks_consent(const struct core *c, const struct referral *r)
{
	return referral_lacks_consent(c, r);
}

enum ieum_err placing_withdrawn(const struct occasion *o, uint32_t referral)
{
	const struct task *t = placing_task(o->c, referral_at(o->c, referral));
	uint32_t wh = wait_of(o->c, referral);

	if (wh && wait_at(o->c, wh)->state == WAIT(WAITING))
		return placing_wait_ends(o->c, o->d, o->now, wh,
					 IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	return t && task_open(t) && t->holder ? IEUM_E_OK : release_others(o, referral, 0);
}

/* ---- counted ---- */

enum ieum_err placing_count(const struct occasion *o)
{
	const Ieum__V1__CapacityReport *body =
		o->referral && o->referral->body_case == IEUM__V1__REFERRAL__BODY_CAPACITY_REPORT
			? o->referral->capacity_report
			: NULL;

	if (!body)
		return IEUM_E_OK;
	uint32_t number = pool_number(o->c, body->pool);
	const struct pool *pool = pool_at(o->c, number);
	if (!pool || pool_policy_index(o->c, number) == POLICY_NONE)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "capacity_report.pool: '%.64s' is no pool of this hub",
				       body->pool);
	if (!keeps(o, number, 0))
		return decision_refuse(
			o->d, IEUM_E_NOT_PERMITTED,
			"capacity_report.pool: only who keeps the pool may count it");
	if (body->places < pool->held + pool->taken)
		return decision_refuse(o->d, IEUM_E_NO_PLACE,
				       "capacity_report.places: %u, but %u are held and %u taken",
				       body->places, pool->held, pool->taken);
	int64_t as_of_at_ms = body->as_of_at_ms > 0 && body->as_of_at_ms < o->now_ms
				      ? body->as_of_at_ms
				      : o->now_ms;
	if (as_of_at_ms < pool->as_of_at_ms)
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
				       "capacity_report.as_of_at_ms: a newer count of '%.64s' is "
				       "known; count again",
				       body->pool);
	Ieum__V1__PlacesChanged *e = decision_places_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->pool = number;
	e->places = body->places;
	e->at_ms = as_of_at_ms;
	e->message_id = o->referral->envelope->message_id;
	return placing_counted(o, number, as_of_at_ms);
}

/* ---- waited for ---- */

/* Pools whose keepers have a conflict of interest in the case. */
static enum ieum_err leave_out_excluded(const struct occasion *o, Ieum__V1__WaitNeed *need)
{
	need->but = decision_zalloc(o->d, (policy_pools(o->p) + 1) * sizeof *need->but);
	if (!need->but)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < policy_pools(o->p); i++) {
		const struct policy_pool *pool = policy_pool(o->p, (int)i);
		for (size_t k = 0; k < o->n_excluded; k++) {
			if (o->excluded[k] != pool->keeper || !pool->number)
				continue;
			need->but[need->n_but++] = pool->number;
			break;
		}
	}
	return IEUM_E_OK;
}

static enum ieum_err check_room(const struct occasion *o, const Ieum__V1__WaitNeed *need)
{
	const struct participant *sender = &o->c->participants[o->participant - 1];
	bool is_new = !need_find(o->c, need);

	if (sender->n_waits >= CORE_WAITS_PER_SENDER_MAX)
		return decision_refuse(o->d, IEUM_E_SENDER_FULL, "%u entries wait for a place",
				       sender->n_waits);
	if (is_new && sender->n_needs >= CORE_NEEDS_PER_SENDER_MAX)
		return decision_refuse(o->d, IEUM_E_SENDER_FULL, "%u different needs wait",
				       sender->n_needs);
	if (o->c->places.n_waiting >= CORE_WAITS_MAX ||
	    (is_new && o->c->places.needs.live >= CORE_NEEDS_MAX))
		return decision_refuse(o->d, IEUM_E_HUB_FULL, "waiting lists");
	return IEUM_E_OK;
}

enum ieum_err placing_wait(const struct occasion *o)
{
	const Ieum__V1__WaitlistEntry *body =
		o->referral && o->referral->body_case == IEUM__V1__REFERRAL__BODY_WAITLIST_ENTRY
			? o->referral->waitlist_entry
			: NULL;
	Ieum__V1__WaitNeed *need = decision_zalloc(o->d, sizeof *need);

	if (!body || o->sender == POLICY_NONE)
		return IEUM_E_OK;
	if (!need)
		return IEUM_E_NO_MEMORY;
	*need = (Ieum__V1__WaitNeed)IEUM__V1__WAIT_NEED__INIT;
	if (!policy_knows_pool(o->p, body->pool))
		return decision_refuse(
			o->d, IEUM_E_FIELD_INVALID,
			"waitlist_entry.pool: '%.64s' is no pool and no kind of pools", body->pool);
	need->wanted = body->pool;
	need->jurisdiction = (char *)o->jurisdiction;
	need->sex = body->sex;
	need->age_years = body->age_years;
	need->language = body->language;
	need->places = body->places > 1 ? body->places : 1;
	enum ieum_err err = leave_out_excluded(o, need);
	if (!err)
		err = placing_suiting(o->p, o->d, need);
	if (err)
		return err;
	if (need->n_pools == 0)
		return decision_refuse(o->d, IEUM_E_NO_PLACE,
				       "waitlist_entry.pool: no pool of '%.63s' suits", body->pool);
	err = check_room(o, need);
	if (err)
		return err;
	Ieum__V1__WaitChanged *e = decision_wait_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->entry_id = o->referral->envelope->message_id;
	e->state = IEUM__V1__WAIT_STATE__WAIT_STATE_WAITING;
	e->priority = body->priority;
	e->places = need->places;
	e->need = need;
	return IEUM_E_OK;
}
