/* Pools: which of them suit a need, and the requests of rules that hold places. */
#include "broker/policy/compiled.h"

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
