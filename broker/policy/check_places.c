/* Checks of pools against the rules and against what their keepers may send: a place that nobody
 * could take up, give back or even promise is none. */
#include "broker/policy/load.h"

#include "ieum/v1/types.pb-c.h"

static const struct rule *first_with(const struct policy *p, enum policy_act_kind kind)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (check_has_act(&p->rules[i], kind))
			return &p->rules[i];
	return NULL;
}

/* May this one send what a rule carries out so? */
static bool can_do(const struct policy *p, enum policy_act_kind kind, int participant)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (check_has_act(&p->rules[i], kind) &&
		    check_may_send(p, &p->rules[i].when, (size_t)participant))
			return true;
	return false;
}

static bool may_answer(const struct policy *p, int participant)
{
	return p->participants[participant].may_send &
	       UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
}

static void check_keeper(struct loader *l, size_t i)
{
	const struct policy *p = l->p;
	const struct policy_pool *pool = &p->pools[i];
	const struct yaml_node *node = yaml_get(load_nth(l, "pools", i), "keeper");
	const char *name = p->participants[pool->keeper].name;

	if (first_with(p, POLICY_ACT_HOLD) && !may_answer(p, pool->keeper))
		yaml_mistake(l->diag, node,
			     "'%s' is asked for these places and may send no answer; see "
			     "'may_send' of its kind",
			     name);
	if (first_with(p, POLICY_ACT_TAKE_PLACE) && !can_do(p, POLICY_ACT_TAKE_PLACE, pool->keeper))
		yaml_mistake(l->diag, node,
			     "'%s' can't say that a place was taken up, so each would lapse: it "
			     "may send nothing that a rule with 'takes_place' is for",
			     name);
	if (!pool->renews && first_with(p, POLICY_ACT_RETURN_PLACE) &&
	    !can_do(p, POLICY_ACT_RETURN_PLACE, pool->keeper))
		yaml_mistake(l->diag, node,
			     "'%s' can't say that a place is free again, so it would fill up: it "
			     "may send nothing that a rule with 'returns_place' is for",
			     name);
}

void check_places(struct loader *l)
{
	const struct policy *p = l->p;
	const struct rule *gives = first_with(p, POLICY_ACT_HOLD);
	bool all_renew = true;

	if (!gives)
		gives = first_with(p, POLICY_ACT_WAIT);
	for (size_t i = 0; gives && i < p->n_pools; i++) {
		all_renew &= p->pools[i].renews != 0;
		check_keeper(l, i);
	}
	if (!gives || p->n_pools == 0)
		return;
	const struct yaml_node *node = load_nth(l, "rules", (size_t)(gives - p->rules));
	if (!first_with(p, POLICY_ACT_TAKE_PLACE))
		yaml_mistake(l->diag, node,
			     "rule '%s' gives places, but none says that one is taken up, so each "
			     "would lapse; add one with \"takes_place: true\"",
			     gives->name);
	if (!all_renew && !first_with(p, POLICY_ACT_RETURN_PLACE))
		yaml_mistake(l->diag, node,
			     "rule '%s' gives places, but none says that one is free again, so "
			     "the pools would fill up; add one with \"returns_place: true\"",
			     gives->name);
}
