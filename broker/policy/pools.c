/* Pools: which of them suit a need, and the requests of rules that hold places. */
#include "broker/policy/compiled.h"
#include "broker/policy/route.h"

#include <string.h>

size_t policy_pools(const struct policy *p)
{
	return p->n_pools;
}

struct policy_pool *policy_pool(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_pools ? &p->pools[index] : NULL;
}

int policy_find_pool(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_pools; i++) {
		if (strcmp(p->pools[i].name, name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

bool policy_knows_pool(const struct policy *p, const char *wanted)
{
	for (size_t i = 0; i < p->n_pools; i++) {
		if (strcmp(p->pools[i].name, wanted) == 0 || strcmp(p->pools[i].kind, wanted) == 0)
			return true;
	}
	return false;
}

int64_t policy_pool_renews_at(const struct policy *p, int index, int64_t after_ms)
{
	enum { MONDAY = 1, DAYS_OF_WEEK = 7 };
	const struct calendar *c = &p->calendar;
	int64_t day = calendar_day(c, after_ms) + 1;

	switch (p->pools[index].renews) {
	case POLICY_RENEWS_DAILY: break;
	case POLICY_RENEWS_WEEKLY:
		day += (MONDAY + DAYS_OF_WEEK - calendar_weekday(day)) % DAYS_OF_WEEK;
		break;
	case POLICY_RENEWS_MONTHLY:
		while (calendar_day_of_month(day) != 1)
			day++;
		break;
	default: return 0;
	}
	return calendar_moment(c, day, 0);
}

static bool speaks(const struct policy_pool *pool, const char *language)
{
	bool found = pool->n_languages == 0 || !*language;

	for (size_t i = 0; i < pool->n_languages && !found; i++)
		found = language_suits(pool->languages[i], language, strlen(language));
	return found;
}

bool policy_pool_suits(const struct policy *p, int index, const struct policy_need *need)
{
	const struct policy_pool *pool = &p->pools[index];
	bool by_name = strcmp(pool->name, need->wanted) == 0;

	if (!by_name && (strcmp(pool->kind, need->wanted) != 0 ||
			 !policy_covers(pool->jurisdiction, need->jurisdiction)))
		return false;
	if (pool->sexes && !(pool->sexes & 1U << need->sex))
		return false;
	if (need->age_years &&
	    (need->age_years < pool->age_from || need->age_years > pool->age_until))
		return false;
	return speaks(pool, need->language) && (need->places <= 1 || pool->siblings);
}

const char *policy_hold_task(const struct policy *p, int index, struct policy_task *out)
{
	const struct rule *rule = &p->rules[index];

	*out = (struct policy_task){
		.stops_at = rule->stops_at,
		.effect = IEUM__V1__CASE_EFFECT__CASE_EFFECT_TAKE_PLACE,
		.blocks_closing = rule->blocks_closing,
	};
	for (size_t i = 0; i < rule->n_steps; i++)
		out->ladder[out->n_ladder++] = (struct policy_step){
			.to = rule->steps[i].to,
			.within = rule->steps[i].within,
			.on_silence_only = rule->steps[i].on_silence_only,
			.on_rejection_only = rule->steps[i].on_rejection_only,
			.repeats = rule->steps[i].repeats,
		};
	return rule->within;
}

size_t policy_pools_suiting(const struct policy *p, const struct policy_context *ctx, int *pools,
			    size_t max)
{
	const Ieum__V1__Referral *m = ctx->referral;
	size_t n = 0;

	if (m->body_case != IEUM__V1__REFERRAL__BODY_CAPACITY_HOLD)
		return 0;
	const Ieum__V1__CapacityHold *hold = m->capacity_hold;
	struct scope s;
	scope_init(&s, p, ctx);
	const struct policy_need need = {
		.wanted = hold->pool,
		.jurisdiction = s.jurisdiction,
		.sex = hold->sex,
		.age_years = hold->age_years,
		.language = hold->language,
		.places = hold->places > 1 ? hold->places : 1,
	};
	for (size_t i = 0; i < policy_pools(p) && n < max; i++)
		if (policy_pool_suits(p, (int)i, &need) &&
		    !policy_excludes(ctx, policy_pool(p, (int)i)->keeper))
			pools[n++] = (int)i;
	return n;
}
