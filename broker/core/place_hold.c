/* A message asks for places: which pools suit, what is held, who is asked first and who then. */
#include <stdio.h>
#include <string.h>

#include "broker/core/placing.h"
#include "broker/core/submit.h"

enum {
	STEP_BYTES = POLICY_NAME_BYTES + 40,
	HOLDS_AT_ONCE_MAX = 16, /* pools that one message may hold places of at the same time */
};

/* A message while it is decided what is held for it. */
struct seeking {
	const struct occasion *o;
	struct policy_need need;
	int64_t hold_ms;           /* that the sender asks for; 0: as policy says */
	int64_t from_ms, until_ms; /* when the place is needed; 0: from now, without an end */
	size_t n_late;             /* pools that suit, but keep no place until from_ms */
	const char *within;        /* how long a keeper has */
	struct policy_task *task;
	int pools[POLICY_POOLS_MAX]; /* that suit, in the order of preference */
	size_t n_pools;
};

/* A place is held from now on, so its pool has to keep it until it is needed. */
static bool keeps_until_needed(const struct seeking *s, const struct policy_pool *pool)
{
	return s->from_ms <= s->o->now_ms ||
	       s->from_ms <= policy_due(s->o->p, s->o->now_ms, pool->placement_within);
}

static void find_pools(struct seeking *s)
{
	const struct policy *p = s->o->p;

	for (size_t i = 0; i < policy_pools(p); i++) {
		const struct policy_pool *pool = policy_pool(p, (int)i);
		if (!pool->number || !policy_pool_suits(p, (int)i, &s->need) ||
		    placing_keeper_is_out(s->o, (int)i))
			continue;
		if (keeps_until_needed(s, pool))
			s->pools[s->n_pools++] = (int)i;
		else
			s->n_late++;
	}
}

static bool is_free(const struct seeking *s, int pool)
{
	return placing_free(s->o->c, s->o->d, policy_pool(s->o->p, pool)->number) >= s->need.places;
}

/* A pool that a step of the rule names, whatever kind the message wants. */
static bool step_suits(const struct seeking *s, const struct placing_step *step)
{
	struct policy_need need = s->need;

	if (step->index == POLICY_NONE)
		return false;
	need.wanted = policy_pool(s->o->p, step->index)->name;
	return policy_pool_suits(s->o->p, step->index, &need) &&
	       keeps_until_needed(s, policy_pool(s->o->p, step->index)) &&
	       !placing_keeper_is_out(s->o, step->index);
}

/* ---- the request ---- */

static void add_asked(struct policy_task *task, int mailbox)
{
	for (size_t i = 0; i < task->n_asked; i++)
		if (task->asked[i] == mailbox)
			return;
	if (task->n_asked < POLICY_ROUTES_MAX)
		task->asked[task->n_asked++] = mailbox;
}

static void bound_due(struct policy_task *task, int64_t due_at_ms)
{
	if (!task->due_at_ms || due_at_ms < task->due_at_ms)
		task->due_at_ms = due_at_ms;
}

static int64_t due_within(const struct seeking *s, const char *within)
{
	int64_t due_at_ms = policy_due(s->o->p, s->o->now_ms, within);
	int64_t wished_ms = s->o->referral->envelope->answer_within_ms;

	return wished_ms > 0 && s->o->now_ms + wished_ms < due_at_ms ? s->o->now_ms + wished_ms
								     : due_at_ms;
}

/* Holds places of a pool and asks its keeper. */
static enum ieum_err hold_in_pool(struct seeking *s, int pool, const char *within)
{
	const struct occasion *o = s->o;
	const struct policy_pool *of = policy_pool(o->p, pool);
	int64_t lapses_at_ms = policy_due(o->p, o->now_ms, of->hold);

	if (s->hold_ms > 0 && o->now_ms + s->hold_ms < lapses_at_ms)
		lapses_at_ms = o->now_ms + s->hold_ms;
	if (s->until_ms && s->until_ms < lapses_at_ms)
		lapses_at_ms = s->until_ms;
	add_asked(s->task, policy_participant(o->p, of->keeper)->mailbox);
	bound_due(s->task, due_within(s, within));
	bound_due(s->task, lapses_at_ms);
	return placing_begin(o->p, o->d, o->now, pool, s->need.places,
			     &o->referral->envelope->message_id, lapses_at_ms, s->until_ms);
}

static const char *step_text(const struct seeking *s, int pool)
{
	char *text = decision_zalloc(s->o->d, STEP_BYTES);

	if (text && s->until_ms)
		(void)snprintf(text, STEP_BYTES, "pool:%s#%u@%lld",
			       policy_pool(s->o->p, pool)->name, s->need.places,
			       (long long)s->until_ms);
	else if (text)
		(void)snprintf(text, STEP_BYTES, "pool:%s#%u", policy_pool(s->o->p, pool)->name,
			       s->need.places);
	return text;
}

/* The rule's own steps: a pool in them has to suit too, and gives as many places. */
static enum ieum_err narrow_steps(struct seeking *s)
{
	struct policy_task *task = s->task;
	size_t kept = 0;

	for (size_t i = 0; i < task->n_ladder; i++) {
		struct policy_step step = task->ladder[i];
		struct placing_step place = placing_read_step(s->o->p, step.to);
		if (place.pool && !step_suits(s, &place))
			continue;
		if (place.pool && !(step.to = step_text(s, place.index)))
			return IEUM_E_NO_MEMORY;
		task->ladder[kept++] = step;
	}
	task->n_ladder = kept;
	return IEUM_E_OK;
}

/* In front of the rule's own steps: the pools that the message doesn't hold already, of keepers
 * who aren't asked already, as far as there is room. */
static enum ieum_err add_other_pools(struct seeking *s)
{
	struct policy_step others[POLICY_STEPS_MAX] = { { 0 } };
	struct policy_task *task = s->task;
	size_t n = 0;

	for (size_t i = 0; i < s->n_pools && n + task->n_ladder < POLICY_STEPS_MAX; i++) {
		int keeper = policy_participant(s->o->p, policy_pool(s->o->p, s->pools[i])->keeper)
				     ->mailbox;
		bool asked = false;
		for (size_t k = 0; k < task->n_asked; k++)
			asked |= task->asked[k] == keeper;
		if (asked)
			continue;
		others[n] = (struct policy_step){ .to = step_text(s, s->pools[i]),
						  .within = s->within };
		if (!others[n++].to)
			return IEUM_E_NO_MEMORY;
	}
	memmove(task->ladder + n, task->ladder, task->n_ladder * sizeof *task->ladder);
	memcpy(task->ladder, others, n * sizeof *others);
	task->n_ladder += n;
	return IEUM_E_OK;
}

static void drop_steps(struct policy_task *task, size_t n)
{
	task->n_ladder -= n;
	memmove(task->ladder, task->ladder + n, task->n_ladder * sizeof *task->ladder);
}

/* ---- whom to ask first ---- */

static enum ieum_err hold_first(struct seeking *s)
{
	for (size_t i = 0; i < s->n_pools; i++)
		if (is_free(s, s->pools[i]))
			return hold_in_pool(s, s->pools[i], s->within);
	return IEUM_E_OK;
}

/* One of each keeper. */
static enum ieum_err hold_every(struct seeking *s)
{
	enum ieum_err err = IEUM_E_OK;
	size_t held = 0;

	for (size_t i = 0; i < s->n_pools && held < HOLDS_AT_ONCE_MAX && !err; i++) {
		int keeper = policy_participant(s->o->p, policy_pool(s->o->p, s->pools[i])->keeper)
				     ->mailbox;
		bool asked = false;
		for (size_t k = 0; k < s->task->n_asked; k++)
			asked |= s->task->asked[k] == keeper;
		if (asked || !is_free(s, s->pools[i]))
			continue;
		held++;
		err = hold_in_pool(s, s->pools[i], s->within);
	}
	return err;
}

/* No place is free: the rule's ladder begins at once. */
static enum ieum_err ask_ladder(struct seeking *s)
{
	const struct occasion *o = s->o;
	struct policy_context ctx = occasion_context(o, o->referral);
	struct policy_task *task = s->task;
	int keepers[POLICY_ROUTES_MAX];
	size_t used = 0;

	ctx.sender = o->sender;
	ctx.asked = keepers;
	for (size_t i = 0; i < s->n_pools && ctx.n_asked < POLICY_ROUTES_MAX; i++)
		keepers[ctx.n_asked++] =
			policy_participant(o->p, policy_pool(o->p, s->pools[i])->keeper)->mailbox;
	while (used < task->n_ladder && task->n_asked == 0) {
		const struct policy_step step = task->ladder[used++];
		struct placing_step place = placing_read_step(o->p, step.to);
		if (step.on_rejection_only || (place.pool && !is_free(s, place.index)))
			continue;
		if (place.pool)
			return drop_steps(task, used), hold_in_pool(s, place.index, step.within);
		task->n_asked = policy_resolve(o->p, step.to, &ctx, task->asked, POLICY_ROUTES_MAX);
		if (task->n_asked)
			task->due_at_ms = due_within(s, step.within);
	}
	drop_steps(task, used);
	if (task->n_asked)
		return IEUM_E_OK;
	return decision_refuse(
		o->d, IEUM_E_NO_PLACE,
		"capacity_hold.pool: none of the %zu pools of '%.63s' that suit has %u free",
		s->n_pools, s->need.wanted, s->need.places);
}

/* ---- all of it ---- */

static enum ieum_err add_route(const struct occasion *o, int box, Ieum__V1__DeliveryCause cause)
{
	Ieum__V1__Submitted *e = o->e;
	uint32_t number = (uint32_t)e->n_tasks; /* of the task that was just added, plus 1 */
	uint32_t mailbox = policy_mailbox(o->p, box)->number;

	for (size_t i = 0; i < e->n_routes; i++)
		if (e->routes[i]->mailbox == mailbox && !e->routes[i]->task)
			e->routes[i]->task = number;
	return submit_route(o->d, e, mailbox, cause, number);
}

/* The message goes to whoever is asked; those after `n_named` are on duty for them. */
static enum ieum_err add_routes(const struct occasion *o, const struct policy_task *task,
				size_t n_named)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < task->n_asked && !err; i++)
		err = add_route(o, task->asked[i],
				i < n_named ? IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE
					    : IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY);
	if (!err && o->e->case_id.len &&
	    decision_case_members(o->c, o->d, o->e->case_id.data) > CORE_CASE_MEMBERS_MAX)
		err = decision_refuse(o->d, IEUM_E_HUB_FULL,
				      "the case has as many participants as it may");
	return err;
}

/* Whoever is on duty for those that are off hours answers for them. */
static void add_duty(const struct occasion *o, struct policy_task *task, size_t n_named)
{
	struct policy_context ctx = occasion_context(o, o->referral);

	ctx.sender = o->sender;
	for (size_t i = 0; i < n_named; i++) {
		int duty = policy_duty(o->p, &ctx, task->asked[i]);
		if (duty != POLICY_NONE)
			add_asked(task, duty);
	}
}

static enum ieum_err ask(struct seeking *s)
{
	enum ieum_err err = narrow_steps(s);

	if (!err)
		err = s->task->n_asked ? add_other_pools(s) : ask_ladder(s);
	if (err)
		return err;
	size_t n_named = s->task->n_asked;
	add_duty(s->o, s->task, n_named);
	err = submit_add_task(s->o->p, s->o->d, s->task, s->o->e, s->o->referral);
	return err ? err : add_routes(s->o, s->task, n_named);
}

/* A time that can't be kept is refused: nobody would notice that it was passed over. */
static enum ieum_err check_times(struct seeking *s)
{
	if (s->until_ms && (s->until_ms <= s->o->now_ms || s->until_ms <= s->from_ms))
		return decision_refuse(s->o->d, IEUM_E_FIELD_INVALID,
				       "capacity_hold.until_at_ms: the time is over before it "
				       "begins");
	if (s->n_pools || !s->n_late)
		return IEUM_E_OK;
	return decision_refuse(s->o->d, IEUM_E_FIELD_INVALID,
			       "capacity_hold.from_at_ms: places are held from now on, and no pool "
			       "of '%.63s' keeps one that long; ask again nearer to that time",
			       s->need.wanted);
}

enum ieum_err placing_hold(const struct occasion *o, const struct policy_act *act)
{
	const Ieum__V1__CapacityHold *body =
		o->referral && o->referral->body_case == IEUM__V1__REFERRAL__BODY_CAPACITY_HOLD
			? o->referral->capacity_hold
			: NULL;
	struct seeking *s = decision_zalloc(o->d, sizeof *s);
	struct policy_task *task = decision_zalloc(o->d, sizeof *task);

	if (!body || !o->e)
		return IEUM_E_OK;
	/* By another rule for the same message. */
	for (size_t i = 0; i < o->e->n_tasks; i++)
		if (o->e->tasks[i]->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE)
			return IEUM_E_OK;
	if (!s || !task)
		return IEUM_E_NO_MEMORY;
	if (!policy_knows_pool(o->p, body->pool))
		return decision_refuse(
			o->d, IEUM_E_FIELD_INVALID,
			"capacity_hold.pool: '%.64s' is no pool and no kind of pools", body->pool);
	s->o = o;
	s->task = task;
	s->hold_ms = body->hold_ms;
	s->from_ms = body->from_at_ms;
	s->until_ms = body->until_at_ms;
	s->need = (struct policy_need){
		.wanted = body->pool,
		.jurisdiction = o->jurisdiction,
		.sex = body->sex,
		.age_years = body->age_years,
		.language = body->language,
		.places = body->places > 1 ? body->places : 1,
	};
	s->within = policy_hold_task(o->p, act->index, task);
	find_pools(s);
	enum ieum_err err = check_times(s);
	if (!err)
		err = act->verb == POLICY_HOLDS_EVERY ? hold_every(s) : hold_first(s);
	return err ? err : ask(s);
}
