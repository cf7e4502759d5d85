/* Places in ladders; see placing.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/handover.h"
#include "broker/core/placing.h"
#include "broker/core/task.h"

static const char POOL_PREFIX[] = "pool:";
static const char UNTIL_MARK = '@';

struct placing_step placing_read_step(const struct policy *p, const char *to)
{
	char name[POLICY_NAME_BYTES] = "";
	size_t prefix = strlen(POOL_PREFIX);
	struct placing_step step = { .places = 1 };

	if (strncmp(to, POOL_PREFIX, prefix) != 0)
		return step;
	size_t len = strcspn(to + prefix, "#@");
	if (len < sizeof name)
		memcpy(name, to + prefix, len);
	if (to[prefix + len] == '#')
		step.places = (uint32_t)strtoul(to + prefix + len + 1, NULL, 10);
	if (strchr(to, UNTIL_MARK))
		step.until_ms = strtoll(strchr(to, UNTIL_MARK) + 1, NULL, 10);
	(void)snprintf(step.address, sizeof step.address, "%s%s", POOL_PREFIX, name);
	step.index = policy_find_pool(p, name);
	step.pool =
		step.index == POLICY_NONE ? CORE_POOLS_MAX + 1 : policy_pool(p, step.index)->number;
	return step;
}

static bool was_asked(const struct core *c, const struct task *t, uint32_t mailbox)
{
	for (uint32_t dh = referral_at(c, t->referral)->first_delivery; dh;
	     dh = delivery_at(c, dh)->next)
		if (delivery_at(c, dh)->mailbox == mailbox &&
		    delivery_at(c, dh)->task == t->index + 1)
			return true;
	return false;
}

static bool has_left(const struct core *c, uint32_t core_case, uint32_t mailbox)
{
	return core_case && handover_ended(case_at(c, core_case), mailbox);
}

bool placing_keeper_is_out(const struct occasion *o, int pool)
{
	for (size_t i = 0; i < o->n_excluded; i++)
		if (o->excluded[i] == policy_pool(o->p, pool)->keeper)
			return true;
	return has_left(o->c, o->core_case, placing_keeper(o->p, pool));
}

bool placing_step_open(const struct core *c, const struct policy *p, const struct core_decision *d,
		       int64_t now_ms, const struct task *t, const struct placing_step *step)
{
	return pool_at(c, step->pool) && (!step->until_ms || step->until_ms > now_ms) &&
	       placing_free(c, d, step->pool) >= step->places &&
	       !was_asked(c, t, placing_keeper(p, step->index)) &&
	       !has_left(c, referral_at(c, t->referral)->core_case, placing_keeper(p, step->index));
}

enum ieum_err placing_step_hold(const struct core *c, const struct policy *p,
				struct core_decision *d, core_time_us now, const struct task *t,
				const struct placing_step *step, int64_t *due_at_ms)
{
	const ProtobufCBinaryData id = { CORE_ID_BYTES, referral_at(c, t->referral)->id };
	int64_t lapses_at_ms = policy_due(p, to_ms(now), policy_pool(p, step->index)->hold);

	if (step->until_ms && step->until_ms < lapses_at_ms)
		lapses_at_ms = step->until_ms;
	if (!*due_at_ms || *due_at_ms > lapses_at_ms)
		*due_at_ms = lapses_at_ms;
	return placing_begin(p, d, now, step->index, step->places, &id, lapses_at_ms,
			     step->until_ms);
}

enum ieum_err placing_silent(const struct core *c, struct core_decision *d, core_time_us now,
			     const struct task *t)
{
	enum ieum_err err = IEUM_E_OK;
	uint32_t wh = wait_of_offer(c, t->referral);

	if (t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE)
		return IEUM_E_OK;
	for (uint32_t h = hold_of(c, t->referral); h && !err; h = hold_at(c, h)->next) {
		const struct hold *hold = hold_at(c, h);
		bool over = hold->lapses_at_ms <= to_ms(now);
		if (hold->state == HOLD(HELD) && !t->holder)
			err = placing_change(d, c, now,
					     &(struct placing_change){
						     .hold = hold,
						     .state = over ? HOLD(LAPSED)
								   : HOLD(RELEASED) });
	}
	if (!err && wh && wait_open(wait_at(c, wh)))
		err = placing_wait_ends(c, d, now, wh, IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED);
	return err;
}

enum ieum_err placing_failed(const struct core *c, struct core_decision *d, core_time_us now,
			     const struct task *t)
{
	enum ieum_err err = IEUM_E_OK;

	if (t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE)
		return IEUM_E_OK;
	for (uint32_t h = hold_of(c, t->referral); h && !err; h = hold_at(c, h)->next)
		if (placing_state(d, c, hold_at(c, h)) == HOLD(HELD))
			err = placing_change(d, c, now,
					     &(struct placing_change){ .hold = hold_at(c, h),
								       .state = HOLD(RELEASED) });
	return err;
}
