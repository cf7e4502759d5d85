/* The events about places; see placing.h. */
#include <string.h>

#include "broker/core/placing.h"
#include "broker/core/task.h"

enum ieum_err placing_change(struct core_decision *d, const struct core *c, core_time_us now,
			     const struct placing_change *change)
{
	Ieum__V1__PlacesChanged *e = decision_places_changed(d, now);
	const struct hold *hold = change->hold;

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->pool = hold->pool;
	e->hold_id.len = CORE_ID_BYTES;
	e->hold_id.data = referral_at(c, hold->referral)->id;
	e->state = (Ieum__V1__HoldState)change->state;
	e->places = hold->places;
	e->at_ms = change->at_ms;
	e->warn_at_ms = change->warn_at_ms;
	e->told = change->told;
	if (change->message_id)
		e->message_id = *change->message_id;
	return IEUM_E_OK;
}

enum ieum_err placing_begin(const struct policy *p, struct core_decision *d, core_time_us now,
			    int pool, uint32_t places, const ProtobufCBinaryData *hold_id,
			    int64_t lapses_at_ms, int64_t until_ms)
{
	Ieum__V1__PlacesChanged *e = decision_places_changed(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->pool = policy_pool(p, pool)->number;
	e->hold_id = *hold_id;
	e->state = IEUM__V1__HOLD_STATE__HOLD_STATE_HELD;
	e->places = places;
	e->at_ms = until_ms && until_ms < lapses_at_ms ? until_ms : lapses_at_ms;
	e->until_at_ms = until_ms;
	e->keeper = placing_keeper(p, pool);
	return IEUM_E_OK;
}

static bool gives(Ieum__V1__HoldState state)
{
	return state == IEUM__V1__HOLD_STATE__HOLD_STATE_HELD ||
	       state == IEUM__V1__HOLD_STATE__HOLD_STATE_TAKEN;
}

/* Of a hold that the decision changes more than once, only the last counts. */
static bool changed_later(const struct core_decision *d, size_t i)
{
	const Ieum__V1__PlacesChanged *e = d->items[i].event->places_changed;

	for (size_t k = i + 1; k < d->n_items; k++) {
		const Ieum__V1__Event *of = d->items[k].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_PLACES_CHANGED &&
		    of->places_changed->pool == e->pool &&
		    of->places_changed->hold_id.len == e->hold_id.len &&
		    memcmp(of->places_changed->hold_id.data, e->hold_id.data, e->hold_id.len) == 0)
			return true;
	}
	return false;
}

uint8_t placing_state(const struct core_decision *d, const struct core *c, const struct hold *hold)
{
	const uint8_t *id = referral_at(c, hold->referral)->id;
	uint8_t state = hold->state;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_PLACES_CHANGED &&
		    of->places_changed->pool == hold->pool &&
		    of->places_changed->hold_id.len == CORE_ID_BYTES &&
		    memcmp(of->places_changed->hold_id.data, id, CORE_ID_BYTES) == 0)
			state = (uint8_t)of->places_changed->state;
	}
	return state;
}

uint32_t placing_free(const struct core *c, const struct core_decision *d, uint32_t pool)
{
	const struct pool *is = pool_at(c, pool);
	int64_t used = (int64_t)is->held + is->taken;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		const Ieum__V1__PlacesChanged *e = of->places_changed;
		if (of->what_case != IEUM__V1__EVENT__WHAT_PLACES_CHANGED || e->pool != pool ||
		    e->hold_id.len != CORE_ID_BYTES || changed_later(d, i))
			continue;
		uint32_t rh = state_referral(c, e->hold_id.data);
		uint32_t h = rh ? hold_in(c, rh, pool) : 0;
		if (gives(e->state))
			used += e->places;
		if (h && hold_live(hold_at(c, h)))
			used -= e->places;
	}
	return used < is->places ? (uint32_t)(is->places - used) : 0;
}

int64_t placing_kept_until(const struct core *c, const struct policy *p, const struct hold *hold,
			   int64_t now_ms)
{
	const struct policy_pool *of = policy_pool(p, pool_policy_index(c, hold->pool));
	int64_t kept_ms = of ? policy_due(p, now_ms, of->placement_within) : hold->lapses_at_ms;

	return hold->until_ms && hold->until_ms < kept_ms ? hold->until_ms : kept_ms;
}

uint32_t placing_keeper(const struct policy *p, int pool)
{
	const struct policy_participant *who = policy_participant(p, policy_pool(p, pool)->keeper);

	return policy_mailbox(p, who->mailbox)->number;
}

enum ieum_err placing_wait_ends(const struct core *c, struct core_decision *d, core_time_us now,
				uint32_t wait, Ieum__V1__WaitState state)
{
	const struct wait *w = wait_at(c, wait);
	Ieum__V1__WaitChanged *e = decision_wait_changed(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->entry_id.len = CORE_ID_BYTES;
	e->entry_id.data = referral_at(c, w->referral)->id;
	e->state = state;
	e->priority = w->priority;
	e->places = w->places;
	return IEUM_E_OK;
}

const struct task *placing_task(const struct core *c, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_at(c, th)->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE)
			return task_at(c, th);
	return NULL;
}

enum ieum_err placing_suiting(const struct policy *p, struct core_decision *d,
			      Ieum__V1__WaitNeed *need)
{
	const struct policy_need wants = {
		.wanted = need->wanted,
		.jurisdiction = need->jurisdiction,
		.sex = need->sex,
		.age_years = need->age_years,
		.language = need->language,
		.places = need->places,
	};

	need->pools = decision_zalloc(d, (policy_pools(p) + 1) * sizeof *need->pools);
	need->n_pools = 0;
	if (!need->pools)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < policy_pools(p); i++) {
		uint32_t number = policy_pool(p, (int)i)->number;
		bool but = number == 0;
		for (size_t k = 0; k < need->n_but; k++)
			but |= need->but[k] == number;
		if (!but && policy_pool_suits(p, (int)i, &wants))
			need->pools[need->n_pools++] = number;
	}
	return IEUM_E_OK;
}
