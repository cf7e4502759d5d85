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

/* What carrying it out makes the hub send; a bit, or 0. */
static uint64_t type_of_act(enum policy_act_kind kind)
{
	switch (kind) {
	case POLICY_ACT_HAND_OVER:
		return UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER;
	case POLICY_ACT_STOP_USE:
		return UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER;
	default: return 0;
	}
}

/* Of a clock that tells nobody itself, rules tell. */
static uint64_t clocks_make(const struct policy *p)
{
	uint64_t types = 0;

	for (size_t i = 0; i < p->n_clocks; i++) {
		const struct policy_clock *k = &p->clocks[i].is;

		if (k->n_tells == 0)
			types |= UINT64_C(1)
				 << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE;
		for (size_t e = 0; e < k->n_emits; e++)
			types |= UINT64_C(1) << k->emits[e].type;
	}
	return types;
}

/* Types that the hub itself makes because a rule says so. */
static uint64_t emitted_types(const struct policy *p)
{
	uint64_t types = 0;

	for (size_t i = 0; i < p->n_rules; i++) {
		for (size_t k = 0; k < p->rules[i].n_emits; k++)
			types |= UINT64_C(1) << p->rules[i].emits[k].type;
		for (size_t k = 0; k < p->rules[i].n_acts; k++)
			types |= type_of_act(p->rules[i].acts[k].kind);
	}
	return types | linkages_make(p) | clocks_make(p);
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

/* Those of the condition's types that somebody can open a case with; the hub can with all it
 * makes. */
static uint64_t opening_types(const struct policy *p, const struct condition *c)
{
	uint64_t types = 0;

	for (size_t type = 1; type < POLICY_TYPES; type++)
		types |= p->types[type].may_open ? UINT64_C(1) << type : 0;
	if (c->n_senders == 0 &&
	    (c->sender_kinds == 0 || c->sender_kinds & UINT64_C(1) << POLICY_KIND_HUB))
		types |= emitted_types(p);
	return types & c->types;
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
	if (c->opens_case == 1 && !opening_types(l->p, c))
		yaml_mistake(l->diag, condition_part(l, rule, "opens_case"),
			     "rule '%s' can never match: none of its types may open a case; see "
			     "'may_open' in 'types'",
			     rule->name);
	for (size_t i = 0; i < rule->n_to; i++) {
		if (rule->to[i].kind == ADDRESS_ADDRESSEES && c->addressed == 0)
			yaml_mistake(
				l->diag, condition_part(l, rule, "addressed"),
				"rule '%s' is for messages that name nobody, but goes to 'addressees'",
				rule->name);
	}
}

static bool gives_grade(const struct policy *p, const char *grade)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		for (size_t k = 0; k < p->rules[i].n_acts; k++) {
			const struct policy_act *act = &p->rules[i].acts[k];

			if (act->kind == POLICY_ACT_GRADE && strcmp(act->text, grade) == 0)
				return true;
		}
	}
	for (size_t i = 0; i < p->n_clocks; i++)
		if (p->clocks[i].is.grade && strcmp(p->clocks[i].is.grade, grade) == 0)
			return true;
	return strcmp(grade, "-") == 0;
}

/* What a rule wants of its case must come about somehow. */
static void check_case_facts(struct loader *l, const struct rule *rule)
{
	const struct condition *c = &rule->when;
	bool can_be = c->n_grades == 0;

	for (size_t i = 0; i < c->n_grades; i++)
		can_be |= gives_grade(l->p, c->grades[i]);
	if (!can_be)
		yaml_mistake(l->diag, condition_part(l, rule, "grade"),
			     "rule '%s' can never match: no rule gives a case the grade '%s' "
			     "(\"grade: %s\")",
			     rule->name, c->grades[0], c->grades[0]);
	if (c->linked_set == 1 && l->p->n_linkages == 0)
		yaml_mistake(l->diag, condition_part(l, rule, "linked_set"),
			     "rule '%s' can never match: the file has no linkage that could find "
			     "linked sets",
			     rule->name);
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
	       includes(first->replies_to, second->replies_to) && first->n_jurisdictions == 0 &&
	       first->n_tests == 0 &&
	       (first->addressed < 0 || first->addressed == second->addressed) &&
	       (first->opens_case < 0 || first->opens_case == second->opens_case) &&
	       (first->working_hours < 0 || first->working_hours == second->working_hours) &&
	       includes(first->case_states, second->case_states) && first->n_grades == 0 &&
	       first->n_counts == 0 &&
	       (first->consent_withdrawn < 0 ||
		first->consent_withdrawn == second->consent_withdrawn) &&
	       (first->linked_set < 0 || first->linked_set == second->linked_set) &&
	       (first->drill < 0 || first->drill == second->drill);
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
	     effects = rule->owner || rule->case_state || rule->n_emits || rule->n_acts ||
		       rule->closing || rule->contact_at.name || rule->needs_gate ||
		       rule->anonymous_until || rule->needs_item_basis || rule->urgency;

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
	if (rule->matching.used && !has_to && !rule->ranked.used)
		yaml_mistake(l->diag, part(l, rule, "matching"),
			     "rule '%s' names nobody of whom 'matching' could choose; say 'to' or "
			     "'ranked'",
			     rule->name);
	if (rule->asks && !has_to && !rule->ranked.used && !rule->holds)
		yaml_mistake(
			l->diag, part(l, rule, "answer_within"),
			"rule '%s' sets a deadline but asks nobody; say 'to', 'ranked' or 'holds'",
			rule->name);
}

/* ---- does it reach someone, in every step? ---- */

/* Everyone an address can mean in any jurisdiction; false when only the message will tell. */
static bool reach(const struct policy *p, const struct address *a, struct mailbox_list *list)
{
	const struct policy_context nobody = { .sender = POLICY_NONE, .case_owner = POLICY_NONE };
	struct scope s;

	scope_init(&s, p, &nobody);
	s.any_day = true;
	if (a->kind == ADDRESS_HEAD_OF && a->index == POLICY_NONE)
		return false; /* of whoever sends it */
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

/* Whom a rule has asked when a step of its ladder comes. */
struct asked_before {
	struct mailbox_list maybe; /* everyone who may have been */
	struct mailbox_list first; /* by the rule itself, for certain */
	struct mailbox_list later; /* by the steps above, whatever made the ladder go on */
	struct mailbox_list on_silence, on_rejection; /* by those for one cause only */
	bool first_known;                             /* and nobody else by the rule itself */
	bool known;                                   /* nor by a step */
};

static bool is_among(const struct mailbox_list *list, int mailbox)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i] == mailbox)
			return true;
	return false;
}

static void add_all(struct mailbox_list *to, const struct mailbox_list *more)
{
	for (size_t i = 0; i < more->n; i++) {
		if (!is_among(to, more->at[i]) && to->n < POLICY_ROUTES_MAX)
			to->at[to->n++] = more->at[i];
		to->full |= to->n == POLICY_ROUTES_MAX;
	}
}

static bool is_known(const struct policy *p, const struct address *a)
{
	struct mailbox_list list;

	mailbox_list_init(&list);
	return reach(p, a, &list);
}

/* Is it the same mailboxes for every message of the rule? */
static bool is_fixed(const struct policy *p, const struct rule *rule, bool known,
		     const struct address *a, const struct mailbox_list *list)
{
	const char *everywhere = NULL;

	/* Beside somebody whom only the message names, a group may be meant to include the rest. */
	if (!known)
		return a->kind == ADDRESS_MAILBOX;
	if (a->kind != ADDRESS_ROLE && a->kind != ADDRESS_PROVIDER)
		return true;
	if (rule->matching.used || *a->language || a->sex)
		return false;
	for (size_t i = 0; i < list->n; i++) {
		const struct policy_mailbox *box = &p->mailboxes[list->at[i]];
		const struct policy_participant *who = &p->participants[box->consumers[0]];

		if (box->body != POLICY_NONE || who->from_day != INT64_MIN ||
		    who->until_day != INT64_MAX ||
		    (everywhere && strcmp(everywhere, who->jurisdiction) != 0))
			return false;
		everywhere = who->jurisdiction;
	}
	return true;
}

/* With `each`, one who is asked beside may be new to the others' requests: their lead, say.  Where
 * the step asks all of them once more nobody is. */
static bool asks_nobody_new(const struct rule *rule, const struct asked_before *before,
			    const struct mailbox_list *step)
{
	size_t repeated = 0, of_first = 0;

	for (size_t i = 0; i < step->n; i++) {
		bool is_first = is_among(&before->first, step->at[i]);

		if (!is_first && !is_among(&before->later, step->at[i]))
			return false;
		of_first += is_first;
		repeated += is_among(&before->later, step->at[i]);
	}
	return !rule->each || repeated == step->n ||
	       (before->first_known && of_first == before->first.n);
}

/* Is everyone in the step asked already when it comes? */
static void check_repeated(struct loader *l, const struct rule *rule, size_t index,
			   const struct asked_before *before, const struct mailbox_list *step)
{
	const struct yaml_node *to = yaml_get(yaml_at(part(l, rule, "then"), index), "to");
	struct asked_before seen = *before;

	if (rule->steps[index].on_silence_only)
		add_all(&seen.later, &before->on_silence);
	if (rule->steps[index].on_rejection_only)
		add_all(&seen.later, &before->on_rejection);
	if (step->n > 0 && !step->full && asks_nobody_new(rule, &seen, step))
		yaml_mistake(l->diag, to,
			     "this step of rule '%s' asks nobody who was not asked before",
			     rule->name);
}

/* One step: everyone in it exists, and it asks somebody who was not asked before. */
static void check_step(struct loader *l, const struct rule *rule, size_t index,
		       struct asked_before *before)
{
	const struct yaml_node *to = yaml_get(yaml_at(part(l, rule, "then"), index), "to");
	struct mailbox_list step, fixed;
	bool step_known = true;

	mailbox_list_init(&step);
	mailbox_list_init(&fixed);
	for (size_t i = 0; i < load_items(to); i++) {
		struct mailbox_list here;
		struct address a;

		mailbox_list_init(&here);
		if (!load_address(l, load_item(to, i), &a))
			return;
		if (a.kind == ADDRESS_HEAD && before->known)
			check_heads_exist(l, load_item(to, i), &before->maybe);
		if (!reach(l->p, &a, &here)) {
			step_known = false;
			continue;
		}
		if (here.n == 0)
			nobody_there(l, to, i);
		add_all(&step, &here);
		if (is_fixed(l->p, rule, before->known, &a, &here))
			add_all(&fixed, &here);
	}
	if (step_known)
		check_repeated(l, rule, index, before, &step);
	add_all(&before->maybe, &step);
	add_all(rule->steps[index].on_silence_only     ? &before->on_silence
		: rule->steps[index].on_rejection_only ? &before->on_rejection
						       : &before->later,
		&fixed);
	before->known = before->known && step_known;
}

static void check_ladder_length(struct loader *l, const struct rule *rule)
{
	int ranks = 0;

	for (size_t i = 0; rule->ranked.used && i < l->p->n_domains; i++) {
		if ((rule->ranked.domain == POLICY_NONE || rule->ranked.domain == (int)i) &&
		    l->p->domains[i].n_ranks > ranks)
			ranks = l->p->domains[i].n_ranks;
	}
	if ((size_t)ranks + rule->n_steps > POLICY_STEPS_MAX)
		yaml_mistake(l->diag, part(l, rule, "then"),
			     "%zu steps and ranks; at most %d are allowed",
			     (size_t)ranks + rule->n_steps, POLICY_STEPS_MAX);
}

static void check_recipients(struct loader *l, const struct rule *rule)
{
	const struct yaml_node *to = yaml_get(rule_node(l, rule), "to");
	struct asked_before before = { .known = !rule->ranked.used };
	struct mailbox_list *asked = &before.maybe;
	bool is_certain = true;

	for (size_t i = 0; i < rule->n_to; i++)
		before.known = before.known && is_known(l->p, &rule->to[i]);
	for (size_t i = 0; i < rule->n_to; i++) {
		size_t n = asked->n;
		struct mailbox_list here;

		if (rule->to[i].kind == ADDRESS_HEAD)
			yaml_mistake(
				l->diag, load_item(to, i),
				"'head' is the head of whoever was asked; it can stand only in 'then'");
		mailbox_list_init(&here);
		if (reach(l->p, &rule->to[i], &here) && here.n == 0 && n == 0)
			nobody_there(l, to, i);
		if (is_fixed(l->p, rule, before.known, &rule->to[i], &here))
			add_all(&before.first, &here);
		else
			is_certain = false;
		add_all(asked, &here);
	}
	before.first_known = before.known && is_certain;
	if (rule->each && asked->n > POLICY_TASKS_MAX)
		yaml_mistake(
			l->diag, part(l, rule, "each"),
			"'each' would make %zu requests of one message; at most %d are allowed",
			asked->n, POLICY_TASKS_MAX);
	check_ladder_length(l, rule);
	for (size_t i = 0; i < rule->n_steps; i++)
		check_step(l, rule, i, &before);
	if (rule->owner &&
	    (rule->owner->kind == ADDRESS_HEAD || rule->owner->kind == ADDRESS_ADDRESSEES))
		yaml_mistake(l->diag, part(l, rule, "owner"),
			     "an owner must be certain; '%s' may be nobody or several",
			     yaml_text(part(l, rule, "owner")));
}

/* ---- messages that the hub makes ---- */

bool check_takes_from_hub(const struct rule *rule, Ieum__V1__MessageType type)
{
	return rule->when.types & UINT64_C(1) << type && rule->when.n_senders == 0 &&
	       rule->when.addressed != 1 &&
	       (rule->when.sender_kinds == 0 ||
		rule->when.sender_kinds & UINT64_C(1) << POLICY_KIND_HUB);
}

static bool takes_one_from_hub(const struct rule *rule, uint64_t types)
{
	for (int type = 1; type < POLICY_TYPES; type++) {
		if (types & UINT64_C(1) << type &&
		    check_takes_from_hub(rule, (Ieum__V1__MessageType)type))
			return true;
	}
	return false;
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

			if (!check_takes_from_hub(other, type))
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

/* Orders to stop using something go to those who got it, so a rule must take them as addressed, and
 * ask: silence would not be noticed else. */
static void check_stop_use(struct loader *l, const struct rule *rule)
{
	const struct policy *p = l->p;
	bool orders = false, asked = false;

	for (size_t i = 0; i < rule->n_acts; i++)
		orders |= rule->acts[i].kind == POLICY_ACT_STOP_USE;
	for (size_t i = 0; orders && i < p->n_rules; i++) {
		const struct condition *c = &p->rules[i].when;

		asked |=
			c->types & UINT64_C(1)
					   << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER &&
			c->addressed != 0 && c->n_senders == 0 &&
			(c->sender_kinds == 0 || c->sender_kinds & UINT64_C(1)
									   << POLICY_KIND_HUB) &&
			p->rules[i].asks && p->rules[i].each && p->rules[i].n_steps > 0;
	}
	if (orders && !asked)
		yaml_mistake(l->diag, part(l, rule, "stops_use"),
			     "no rule asks those who got something to stop using it; add one for "
			     "{type: stop_use_order, addressed: true} with \"to: addressees\", "
			     "\"each: true\", 'answer_within' and 'then'");
}

/* Types that the hub can make because of its own messages of these types, through any number of
 * rules. */
static uint64_t leads_to(const struct policy *p, uint64_t types)
{
	uint64_t found = 0, before;

	do {
		before = found;
		for (size_t i = 0; i < p->n_rules; i++) {
			if (!takes_one_from_hub(&p->rules[i], types | found))
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

		if (takes_one_from_hub(rule, bit | leads_to(l->p, bit)))
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
		check_case_facts(l, rule);
		check_shadowed(l, rule);
		check_recipients(l, rule);
		check_emits(l, rule);
		check_stop_use(l, rule);
		check_endless(l, rule);
	}
}
