/* Checks of conditions, wherever the hub file has one (rules, counters, linkages): what they want
 * of a case, of what is answered, of who sends and by which name must come about somehow.  Only
 * what is certain is a mistake. */
#include "broker/policy/load.h"

#include <string.h>

#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

#define TYPE(name)  (UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##name)
#define STATE(name) (1U << IEUM__V1__CASE_STATE__CASE_STATE_##name)

/* What the file as a whole can bring about, a bit each. */
struct possible {
	uint32_t states;
	uint64_t asked; /* types of which somebody owes an answer */
};

/* ---- what can be ---- */

bool check_may_send(const struct policy *p, const struct condition *c, size_t participant)
{
	bool named = c->n_senders == 0;

	for (size_t i = 0; i < c->n_senders; i++)
		named |= c->senders[i] == (int)participant;
	return named && p->participants[participant].may_send & c->types &&
	       (!c->sender_kinds || c->sender_kinds & UINT64_C(1) << p->more[participant].kind);
}

bool check_has_act(const struct rule *rule, enum policy_act_kind kind)
{
	for (size_t i = 0; i < rule->n_acts; i++)
		if (rule->acts[i].kind == kind)
			return true;
	return false;
}

static void add_act(struct possible *can, const struct rule *rule, enum policy_act_kind kind)
{
	switch (kind) {
	case POLICY_ACT_WAIT: can->asked |= rule->when.types | TYPE(PLACE_OFFER); break;
	case POLICY_ACT_ACTIONS:
	case POLICY_ACT_MEETING:
	case POLICY_ACT_MINUTES: can->asked |= rule->when.types; break;
	case POLICY_ACT_HAND_OVER: can->states |= STATE(IN_HANDOVER); break;
	default: break;
	}
}

static struct possible find_possible(const struct policy *p)
{
	struct possible can = { .states = STATE(RECEIVED) };

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *rule = &p->rules[i];

		can.states |= 1U << rule->case_state;
		if (rule->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_CLOSE)
			can.states |= STATE(CLOSED);
		if (rule->asks)
			can.asked |= rule->when.types;
		for (size_t k = 0; k < rule->n_acts; k++)
			add_act(&can, rule, rule->acts[k].kind);
	}
	for (size_t i = 0; i < p->n_clocks; i++)
		can.states |= 1U << p->clocks[i].is.case_state;
	return can;
}

/* ---- what a condition wants ---- */

static const char *word_of(const ProtobufCEnumDescriptor *type, int value,
			   char word[PBMAP_WORD_BYTES])
{
	if (!pbmap_enum_word(type, value, word))
		word[0] = '\0';
	return word;
}

static void check_states(struct loader *l, const struct yaml_node *when, const struct condition *c,
			 const struct possible *can)
{
	const struct yaml_node *node = yaml_get(when, "case_state");
	char word[PBMAP_WORD_BYTES];

	for (int state = 1; c->case_states && state < 32; state++)
		if (c->case_states & ~can->states & 1U << state)
			yaml_mistake(l->diag, node,
				     "no case is ever '%s': no rule gives a case that state "
				     "(\"case_state: …\")",
				     word_of(&ieum__v1__case_state__descriptor, state, word));
	if (c->case_states && c->opens_case == 1)
		yaml_mistake(l->diag, node,
			     "a message that opens a case finds it in no state, so this never "
			     "matches; leave 'case_state' or 'opens_case' out");
}

/* Is every one of its messages an answer to what was asked? */
static bool only_answers(const struct policy *p, const struct condition *c)
{
	for (int type = 1; type < POLICY_TYPES; type++)
		if (c->types & UINT64_C(1) << type &&
		    type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER &&
		    !p->types[type].acts_as_answer)
			return false;
	return true;
}

static void check_replies(struct loader *l, const struct yaml_node *when, const struct condition *c,
			  const struct possible *can)
{
	char word[PBMAP_WORD_BYTES];

	if (!c->replies_to || !only_answers(l->p, c))
		return;
	for (int type = 1; type < POLICY_TYPES; type++)
		if (c->replies_to & ~can->asked & UINT64_C(1) << type)
			yaml_mistake(l->diag, yaml_get(when, "replies_to"),
				     "by no rule does anybody owe an answer to a %s; name what is "
				     "asked, or give its rule 'answer_within'",
				     word_of(&ieum__v1__message_type__descriptor, type, word));
}

/* A kind that may not send what this is about; where none may, that is told as one mistake. */
static void check_sender_kinds(struct loader *l, const struct yaml_node *when,
			       const struct condition *c)
{
	const struct policy *p = l->p;
	const struct yaml_node *list = yaml_get(when, "sender_kind");
	bool one_may = false;

	for (int round = 0; list && round < 2; round++) {
		for (size_t i = 0; i < load_items(list); i++) {
			const char *text = yaml_text(load_item(list, i));
			int kind = policy_find_kind(p, text, strlen(text));

			if (kind == POLICY_NONE || p->kinds[kind].may_send & c->types)
				one_may = true;
			else if (round == 1 && one_may)
				yaml_mistake(l->diag, load_item(list, i),
					     "'%s' may send nothing that this is about; see "
					     "'may_send' of that kind",
					     text);
		}
	}
}

/* ---- names of this file in the fields of a body ---- */

/* The names of a section of the file, which is a map or a list of words. */
static size_t add_names(const struct yaml_node *section, const char **words, size_t n)
{
	bool is_map = yaml_kind(section) == YAML_MAP;

	for (size_t i = 0; i < yaml_count(section); i++)
		words[n++] = yaml_text(is_map ? yaml_key_at(section, i) : yaml_at(section, i));
	return n;
}

static const struct named_field {
	const char *field, *section, *what;
} named_fields[] = {
	{ "body", "bodies", "body" },
	{ "domain", "domains", "support domain" },
	{ "domains", "domains", "support domain" },
	{ "pool", "pools", "pool or kind of pools" },
	{ "linkage", "linkage", "linkage" },
	{ "clock", "clocks", "clock" },
	{ "participant", "participants", "participant" },
};

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, text) == 0)
			return true;
	return false;
}

static void check_named(struct loader *l, const struct yaml_node *when, const struct named_field *f)
{
	const struct yaml_node *node = yaml_get(when, f->field),
			       *section = yaml_get(l->root, f->section);
	const char **words = load_alloc(l, 2 * yaml_count(section) + 1, sizeof *words);
	bool is_pool = strcmp(f->field, "pool") == 0;

	if (!node || !words)
		return;
	size_t n = add_names(section, words, 0);
	for (size_t i = 0; is_pool && i < l->p->n_pools; i++)
		words[n++] = l->p->pools[i].kind;
	for (size_t i = 0; i < load_items(node); i++) {
		const char *text = yaml_text(load_item(node, i));

		if (text && *text && !is_one_of(text, words))
			load_unknown(l, load_item(node, i), f->what, words);
	}
}

static void check_names(struct loader *l, const struct yaml_node *when)
{
	for (size_t i = 0; i < sizeof named_fields / sizeof named_fields[0]; i++)
		check_named(l, when, &named_fields[i]);
}

/* ---- everywhere ---- */

static void check_one(struct loader *l, const struct yaml_node *when, const struct condition *c,
		      const struct possible *can)
{
	if (!when)
		return;
	check_states(l, when, c, can);
	check_replies(l, when, c, can);
	check_names(l, when);
}

void check_conditions(struct loader *l)
{
	const struct policy *p = l->p;
	const struct possible can = find_possible(p);

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct yaml_node *when = yaml_get(load_nth(l, "rules", i), "when");

		check_one(l, when, &p->rules[i].when, &can);
		/* A ban may also name who could not do it anyway. */
		if (!p->rules[i].forbid)
			check_sender_kinds(l, when, &p->rules[i].when);
	}
	for (size_t i = 0; i < p->n_counters; i++) {
		const struct yaml_node *node = load_nth(l, "counters", i);

		check_one(l, yaml_get(node, "of"), &p->counters[i].of, &can);
		check_one(l, yaml_get(node, "resets"), &p->counters[i].resets, &can);
		check_sender_kinds(l, yaml_get(node, "of"), &p->counters[i].of);
	}
	for (size_t i = 0; i < p->n_linkages; i++) {
		const struct yaml_node *of = yaml_get(load_nth(l, "linkage", i), "of");

		check_one(l, of, &p->linkages[i].of, &can);
		check_sender_kinds(l, of, &p->linkages[i].of);
	}
}
