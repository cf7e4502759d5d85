/* Checks of rules among each other and against who takes part: what can never happen, and
 * what would end at nobody.  Only what is certain is a mistake. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

static const struct yaml_node *rule_node(const struct loader *l, const struct rule *rule)
{
	return load_nth(l, "rules", (size_t)(rule - l->p->rules));
}

/* The part of the rule that a mistake is about; the rule itself where it has no such part. */
static const struct yaml_node *part(const struct loader *l, const struct rule *rule,
				    const char *key)
{
	const struct yaml_node *node = yaml_get(rule_node(l, rule), key);

	return node ? node : rule_node(l, rule);
}

static const struct yaml_node *condition_part(const struct loader *l, const struct rule *rule,
					      const char *key)
{
	const struct yaml_node *node = yaml_get(part(l, rule, "when"), key);

	return node ? node : part(l, rule, "when");
}

/* ---- can it ever match? ---- */

/* Types that the hub itself makes because a rule says so. */
static uint64_t emitted_types(const struct policy *p)
{
	uint64_t types = 0;

	for (size_t i = 0; i < p->n_rules; i++) {
		for (size_t k = 0; k < p->rules[i].n_emits; k++)
			types |= UINT64_C(1) << p->rules[i].emits[k].type;
	}
	return types;
}

/* What the senders that the condition admits may send, one way or the other. */
static uint64_t sendable_types(const struct policy *p, const struct condition *c)
{
	uint64_t types = 0;
	bool any_kind = c->sender_kinds == 0;

	for (size_t i = 0; i < p->n_participants; i++) {
		bool listed = c->n_senders == 0;

		for (size_t k = 0; k < c->n_senders; k++)
			listed |= c->senders[k] == (int)i;
		if (listed && (any_kind || c->sender_kinds & UINT64_C(1) << p->more[i].kind))
			types |= p->participants[i].may_send;
	}
	if (c->n_senders == 0 && (any_kind || c->sender_kinds & UINT64_C(1) << POLICY_KIND_HUB))
		types |= emitted_types(p);
	return types;
}

static void check_reachable(struct loader *l, const struct rule *rule)
{
	const struct condition *c = &rule->when;

	if (!(sendable_types(l->p, c) & c->types))
		yaml_mistake(
			l->diag,
			condition_part(l, rule,
				       c->sender_kinds ? "sender_kind"
				       : c->n_senders  ? "sender"
						       : "type"),
			"rule '%s' can never match: no participant that it is for may send this; "
			"see 'may_send' of their kinds",
			rule->name);
	if (c->bases && rule->needs_basis && !(c->bases & rule->needs_basis))
		yaml_mistake(
			l->diag, part(l, rule, "needs_basis"),
			"rule '%s' can never match: 'needs_basis' has none of the bases in its 'when'",
			rule->name);
	for (size_t i = 0; i < rule->n_to; i++) {
		if (rule->to[i].kind == ADDRESS_ADDRESSEES && c->addressed == 0)
			yaml_mistake(
				l->diag, condition_part(l, rule, "addressed"),
				"rule '%s' is for messages that name nobody, but goes to 'addressees'",
				rule->name);
	}
}

static bool includes(uint64_t wide, uint64_t narrow)
{
	return wide == 0 || (narrow != 0 && !(narrow & ~wide));
}

/* Whatever meets the second condition meets the first. */
static bool covers(const struct condition *first, const struct condition *second)
{
	return includes(first->types, second->types) &&
	       includes(first->categories, second->categories) &&
	       includes(first->urgencies, second->urgencies) &&
	       includes(first->bases, second->bases) &&
	       includes(first->sender_kinds, second->sender_kinds) && first->n_senders == 0 &&
	       first->n_jurisdictions == 0 && first->n_tests == 0 &&
	       (first->addressed < 0 || first->addressed == second->addressed) &&
	       (first->opens_case < 0 || first->opens_case == second->opens_case) &&
	       (first->working_hours < 0 || first->working_hours == second->working_hours);
}

static void check_shadowed(struct loader *l, const struct rule *rule)
{
	for (const struct rule *other = l->p->rules; other < rule; other++) {
		if (!other->forbid || !covers(&other->when, &rule->when))
			continue;
		yaml_mistake(l->diag, rule_node(l, rule),
			     "rule '%s' can never match: rule '%s' (line %d) forbids all of it",
			     rule->name, other->name, yaml_line(rule_node(l, other)));
		return;
	}
}

/* ---- does it do anything? ---- */

static void check_sense(struct loader *l, const struct rule *rule)
{
	bool has_to = rule->n_to > 0,
	     effects = rule->owner || rule->case_state || rule->n_emits || rule->closing;

	if (rule->forbid && (has_to || rule->ranked.used || effects || rule->needs_basis))
		yaml_mistake(l->diag, part(l, rule, "forbid"),
			     "rule '%s' refuses the message, so nothing else in it can happen",
			     rule->name);
	else if (!rule->forbid && !has_to && !rule->ranked.used && !effects)
		yaml_mistake(
			l->diag, rule_node(l, rule),
			"rule '%s' does nothing; say 'to', 'ranked', 'forbid', 'emit', 'owner', "
			"'case_state' or 'closing'",
			rule->name);
	if (has_to && rule->ranked.used)
		yaml_mistake(l->diag, part(l, rule, "ranked"),
			     "rule '%s' has 'to' and 'ranked'; make two rules of it", rule->name);
	if (rule->asks && !has_to && !rule->ranked.used)
		yaml_mistake(l->diag, part(l, rule, "answer_within"),
			     "rule '%s' sets a deadline but asks nobody; say 'to' or 'ranked'",
			     rule->name);
}

/* ---- does it reach someone, in every step? ---- */

/* Everyone an address can mean in any jurisdiction; false when only the message will tell. */
static bool reach(const struct policy *p, const struct address *a, struct mailbox_list *list)
{
	const struct policy_context nobody = { .sender = POLICY_NONE, .case_owner = POLICY_NONE };
	struct scope s;

	scope_init(&s, p, &nobody);
	switch (a->kind) {
	case ADDRESS_HEAD:
	case ADDRESS_SENDER:
	case ADDRESS_CASE_OWNER:
	case ADDRESS_ADDRESSEES: return false;
	case ADDRESS_ROLE:
	case ADDRESS_PROVIDER: break;
	default: address_resolve(&s, a, list); return true;
	}
	for (size_t i = 0; i < p->n_participants; i++) {
		/* Each participant's own jurisdiction once is every jurisdiction there is. */
		s.jurisdiction = p->participants[i].jurisdiction;
		address_resolve(&s, a, list);
	}
	return true;
}

static const char *text_of(const struct yaml_node *to, size_t i)
{
	return yaml_text(load_item(to, i));
}

static void nobody_there(struct loader *l, const struct yaml_node *to, size_t i)
{
	yaml_mistake(l->diag, load_item(to, i),
		     "'%s' reaches nobody: no participant or body is that", text_of(to, i));
}

static void check_heads_exist(struct loader *l, const struct yaml_node *at,
			      const struct mailbox_list *asked)
{
	const struct policy *p = l->p;

	for (size_t i = 0; i < asked->n; i++) {
		const struct policy_mailbox *box = &p->mailboxes[asked->at[i]];

		for (size_t k = 0; k < box->n_consumers; k++) {
			const struct policy_participant *who = &p->participants[box->consumers[k]];

			if (who->head == POLICY_NONE)
				yaml_mistake(
					l->diag, at,
					"the ladder goes to the head of '%s', who has none; give it one "
					"(\"head: …\") or name somebody",
					who->name);
		}
	}
}

/* One step: everyone in it exists, and it asks somebody who was not asked before. */
static void check_step(struct loader *l, const struct rule *rule, size_t index,
		       struct mailbox_list *asked, bool *known)
{
	const struct yaml_node *to = yaml_get(yaml_at(part(l, rule, "then"), index), "to");
	struct mailbox_list before = *asked;
	bool step_known = true;

	for (size_t i = 0; i < load_items(to); i++) {
		struct mailbox_list here;
		struct address a;

		mailbox_list_init(&here);
		if (!load_address(l, load_item(to, i), &a))
			return;
		if (a.kind == ADDRESS_HEAD && *known)
			check_heads_exist(l, load_item(to, i), &before);
		if (!reach(l->p, &a, &here)) {
			step_known = false;
			continue;
		}
		if (here.n == 0)
			nobody_there(l, to, i);
		for (size_t k = 0; k < here.n && asked->n < POLICY_ROUTES_MAX; k++) {
			bool there = false;

			for (size_t j = 0; j < asked->n; j++)
				there |= asked->at[j] == here.at[k];
			if (!there)
				asked->at[asked->n++] = here.at[k];
		}
	}
	/* With `each`, whoever is asked beside may still be new to one of the requests. */
	if (!rule->each && step_known && *known && asked->n == before.n && asked->n > 0 &&
	    asked->n < POLICY_ROUTES_MAX)
		yaml_mistake(l->diag, to,
			     "this step of rule '%s' asks nobody who was not asked before",
			     rule->name);
	*known = *known && step_known;
}

static void check_recipients(struct loader *l, const struct rule *rule)
{
	const struct yaml_node *to = yaml_get(rule_node(l, rule), "to");
	struct mailbox_list asked;
	bool known = !rule->ranked.used;
	int ranks = 0;

	mailbox_list_init(&asked);
	for (size_t i = 0; i < rule->n_to; i++) {
		size_t before = asked.n;

		if (rule->to[i].kind == ADDRESS_HEAD)
			yaml_mistake(
				l->diag, load_item(to, i),
				"'head' is the head of whoever was asked; it can stand only in 'then'");
		if (!reach(l->p, &rule->to[i], &asked))
			known = false;
		else if (asked.n == before && before == 0)
			nobody_there(l, to, i);
	}
	if (rule->each && asked.n > POLICY_TASKS_MAX)
		yaml_mistake(
			l->diag, part(l, rule, "each"),
			"'each' would make %zu requests of one message; at most %d are allowed",
			asked.n, POLICY_TASKS_MAX);
	for (size_t i = 0; rule->ranked.used && i < l->p->n_domains; i++) {
		if ((rule->ranked.domain == POLICY_NONE || rule->ranked.domain == (int)i) &&
		    l->p->domains[i].n_ranks > ranks)
			ranks = l->p->domains[i].n_ranks;
	}
	if ((size_t)ranks + rule->n_steps > POLICY_STEPS_MAX)
		yaml_mistake(l->diag, part(l, rule, "then"),
			     "%zu steps and ranks; at most %d are allowed",
			     (size_t)ranks + rule->n_steps, POLICY_STEPS_MAX);
	for (size_t i = 0; i < rule->n_steps; i++)
		check_step(l, rule, i, &asked, &known);
	if (rule->owner &&
	    (rule->owner->kind == ADDRESS_HEAD || rule->owner->kind == ADDRESS_ADDRESSEES))
		yaml_mistake(l->diag, part(l, rule, "owner"),
			     "an owner must be certain; '%s' may be nobody or several",
			     yaml_text(part(l, rule, "owner")));
}

/* ---- messages that the hub makes ---- */

static bool takes_from_hub(const struct rule *rule, Ieum__V1__MessageType type)
{
	return rule->when.types & UINT64_C(1) << type && rule->when.n_senders == 0 &&
	       rule->when.addressed != 1 &&
	       (rule->when.sender_kinds == 0 ||
		rule->when.sender_kinds & UINT64_C(1) << POLICY_KIND_HUB);
}

static void check_emits(struct loader *l, const struct rule *rule)
{
	const struct policy *p = l->p;
	char word[PBMAP_WORD_BYTES];

	for (size_t i = 0; i < rule->n_emits; i++) {
		Ieum__V1__MessageType type = rule->emits[i].type;
		bool received = false;

		for (size_t k = 0; k < p->n_rules; k++) {
			const struct rule *other = &p->rules[k];

			if (!takes_from_hub(other, type))
				continue;
			received |= other->n_to > 0 || other->ranked.used;
			if (other->asks && other->n_steps == 0 && !other->ranked.used)
				yaml_mistake(
					l->diag, part(l, other, "answer_within"),
					"the ladder of rule '%s' ends nowhere: the hub itself sends this "
					"(rule '%s'), so there is no sender to tell of silence; add 'then'",
					other->name, rule->name);
		}
		(void)pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)type, word);
		if (!received)
			yaml_mistake(l->diag, part(l, rule, "emit"),
				     "no rule has recipients for the %s that rule '%s' makes", word,
				     rule->name);
	}
}

/* Types that a message of this type can lead to, through any number of rules. */
static uint64_t leads_to(const struct policy *p, uint64_t types)
{
	uint64_t found = 0, before;

	do {
		before = found;
		for (size_t i = 0; i < p->n_rules; i++) {
			if (!(p->rules[i].when.types & (types | found)))
				continue;
			for (size_t k = 0; k < p->rules[i].n_emits; k++)
				found |= UINT64_C(1) << p->rules[i].emits[k].type;
		}
	} while (found != before);
	return found;
}

static void check_endless(struct loader *l, const struct rule *rule)
{
	for (size_t i = 0; i < rule->n_emits; i++) {
		uint64_t bit = UINT64_C(1) << rule->emits[i].type;

		if ((bit | leads_to(l->p, bit)) & rule->when.types)
			yaml_mistake(l->diag, part(l, rule, "emit"),
				     "what rule '%s' makes would make itself again, without end",
				     rule->name);
	}
}

void check_rules(struct loader *l)
{
	for (size_t i = 0; i < l->p->n_rules; i++) {
		const struct rule *rule = &l->p->rules[i];

		check_sense(l, rule);
		check_reachable(l, rule);
		check_shadowed(l, rule);
		check_recipients(l, rule);
		check_emits(l, rule);
		check_endless(l, rule);
	}
}
