/* The section rules: each rule from its map to a struct that deciding can run through. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"

enum { FORBID_BYTES_MAX = 160, WHY_BYTES = 200, REPEAT_MIN_MINUTES = 60 };

bool load_address(struct loader *l, const struct yaml_node *node, struct address *out)
{
	const char *text;
	char why[WHY_BYTES];

	if (!yaml_read_text(node, POLICY_STEP_TEXT_BYTES - 1, l->diag, &text))
		return false;
	if (address_parse(l->p, text, strlen(text), out, why, sizeof why)) {
		char tag[LANGUAGE_BYTES], meant[LANGUAGE_BYTES];

		if (!*out->language || language_read(out->language, tag, meant))
			return true;
		(void)snprintf(why, sizeof why, "'%s' is no language; write its BCP 47 tag in '%s'",
			       out->language, text);
	}
	yaml_mistake(l->diag, node, "%s", why);
	return false;
}

static void load_to(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	size_t n = load_items(node);

	if (yaml_kind(node) == YAML_SEQ && !yaml_check_seq(node, 1, POLICY_ITEMS_MAX, l->diag))
		return;
	struct address *to = load_alloc(l, n, sizeof *to);
	if (!to)
		return;
	rule->to = to;
	for (size_t i = 0; i < n; i++) {
		if (load_address(l, load_item(node, i), &to[rule->n_to]))
			rule->n_to++;
	}
}

/* What is asked for ever must not fill the mailbox. */
static void load_repeat(struct loader *l, const struct yaml_node *node, struct rule_step *step)
{
	const struct yaml_node *repeat = yaml_get(node, "repeat");
	const struct yaml_duration *within = &step->within_parsed;

	if (!repeat || !yaml_read_bool(repeat, l->diag, &step->repeats) || !step->repeats)
		return;
	if (step->on_rejection_only)
		yaml_mistake(l->diag, repeat,
			     "'repeat' asks again on silence; this step is for rejections only");
	if (!*step->within || within->unit == YAML_UNIT_MS || within->unit == YAML_UNIT_S ||
	    (within->unit == YAML_UNIT_MIN && within->amount < REPEAT_MIN_MINUTES))
		yaml_mistake(l->diag, repeat,
			     "'repeat' at most once an hour; say 'within: 1 h' or longer");
}

static void load_step(struct loader *l, const struct yaml_node *node, const struct rule *rule,
		      struct rule_step *step)
{
	char text[POLICY_STEP_TEXT_BYTES] = "";
	const struct yaml_node *to, *within = yaml_get(node, "within");
	struct address address;
	size_t cause = 0, used = 0;

	step->within = rule->within;
	step->within_parsed = rule->within_parsed;
	if (!yaml_schema_check(node, &schema_step, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	to = yaml_require(node, "to", l->diag);
	for (size_t i = 0; to && i < load_items(to); i++) {
		if (!load_address(l, load_item(to, i), &address))
			continue;
		int more = snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
				    yaml_text(load_item(to, i)));
		used += (size_t)more;
		if (used >= sizeof text) {
			yaml_mistake(l->diag, to, "addresses of more than %d bytes together",
				     POLICY_STEP_TEXT_BYTES - 1);
			break;
		}
	}
	step->to = load_copy(l, text);
	if (within)
		(void)load_within(l, within, &step->within_parsed, &step->within);
	(void)yaml_schema_opt_word(node, &schema_step, "on", l->diag, &cause);
	step->on_silence_only = cause == 1;
	step->on_rejection_only = cause == 2;
	load_repeat(l, node, step);
}

static void load_steps(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	if (!yaml_check_seq(node, 1, POLICY_STEPS_MAX, l->diag))
		return;
	struct rule_step *steps = load_alloc(l, yaml_count(node), sizeof *steps);
	if (!steps)
		return;
	rule->steps = steps;
	rule->n_steps = yaml_count(node);
	for (size_t i = 0; i < rule->n_steps; i++)
		load_step(l, yaml_at(node, i), rule, &steps[i]);
	for (size_t i = 0; i + 1 < rule->n_steps; i++) {
		if (steps[i].repeats)
			yaml_mistake(l->diag, yaml_get(yaml_at(node, i), "repeat"),
				     "only the last step of a ladder can repeat");
	}
}

/* `ranked: medical`, or `ranked: $domain`: the domain that the body's field of that name says. */
static void load_ranked(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	struct ranking *ranked = &rule->ranked;
	const char *text;

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return;
	ranked->used = true;
	ranked->domain = POLICY_NONE;
	if (*text != '$') {
		ranked->domain = policy_find_domain(l->p, text, strlen(text));
		if (ranked->domain == POLICY_NONE)
			load_unknown(l, node, "support domain", l->p->domain_words);
		return;
	}
	(void)load_field_ref(l, node, rule->when.types, PROTOBUF_C_TYPE_STRING,
			     "that could name a support domain", &ranked->field);
}

/* Requests of the core's own, whose deadlines the message or these keys say. */
static bool asks_by_act(const struct yaml_node *node)
{
	return yaml_get(node, "asks_actions") || yaml_get(node, "meeting_within") ||
	       yaml_get(node, "minutes_within");
}

/* Their deadlines are said elsewhere; only what follows on silence is the rule's. */
static void load_action_steps(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const struct yaml_node *steps = yaml_get(node, "then");

	if (!steps || !asks_by_act(node))
		return;
	load_steps(l, steps, rule);
	for (size_t i = 0; i < rule->n_steps; i++) {
		if (!*rule->steps[i].within)
			yaml_mistake(l->diag, yaml_at(steps, i),
				     "say how long this step lasts: \"within: 1 month\"");
	}
}

/* The clock of the requests that a rule makes, and what they do to the case. */
static void load_request(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	static const char *const only[] = { "clock_from", "stops_at",  "then",
					    "each",       "on_accept", "blocks_closing",
					    "ranked",     "holds",     NULL };
	const struct yaml_node *within = yaml_get(node, "answer_within"), *part;
	size_t word = 0;
	int value = 0;

	rule->within = "";
	rule->stops_at = IEUM__V1__STOPS_AT__STOPS_AT_DECIDED;
	if (!within) {
		for (size_t i = 0; only[i]; i++) {
			if (yaml_get(node, only[i]) &&
			    !(strcmp(only[i], "then") == 0 && asks_by_act(node)))
				yaml_mistake(
					l->diag, yaml_get(node, only[i]),
					"'%s' needs 'answer_within' beside it: without a deadline nobody "
					"is asked for an answer, and silence would never be noticed",
					only[i]);
		}
		load_action_steps(l, node, rule);
		return;
	}
	rule->asks = load_within(l, within, &rule->within_parsed, &rule->within);
	if (yaml_schema_opt_word(node, &schema_rule, "clock_from", l->diag, &word))
		rule->from_occurred = word == 1;
	part = yaml_get(node, "stops_at");
	if (part && load_enum(l, part, &ieum__v1__stops_at__descriptor,
			      "answer that stops the clock", &value))
		rule->stops_at = (Ieum__V1__StopsAt)value;
	(void)yaml_opt_bool(node, "each", l->diag, &rule->each);
	(void)yaml_opt_bool(node, "blocks_closing", l->diag, &rule->blocks_closing);
	if (yaml_schema_opt_word(node, &schema_rule, "on_accept", l->diag, &word))
		rule->effect = (Ieum__V1__CaseEffect)(IEUM__V1__CASE_EFFECT__CASE_EFFECT_CLOSE +
						      (int)word);
	part = yaml_get(node, "then");
	if (part)
		load_steps(l, part, rule);
}

static void load_effects(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const struct yaml_node *part;
	uint64_t bits = 0;
	const char *text;
	int value = 0;

	if ((part = yaml_get(node, "needs_basis")) &&
	    load_enum_bits(l, part, &ieum__v1__basis_kind__descriptor, "legal basis", &bits))
		rule->needs_basis = (uint32_t)bits;
	if (yaml_opt_text(node, "forbid", FORBID_BYTES_MAX, l->diag, &text))
		rule->forbid = load_copy(l, text);
	if ((part = yaml_get(node, "owner"))) {
		struct address *owner = load_alloc(l, 1, sizeof *owner);

		if (owner && load_address(l, part, owner))
			rule->owner = owner;
	}
	if ((part = yaml_get(node, "case_state")) &&
	    load_enum(l, part, &ieum__v1__case_state__descriptor, "case state", &value))
		rule->case_state = (Ieum__V1__CaseState)value;
	if (rule->case_state == IEUM__V1__CASE_STATE__CASE_STATE_IN_HANDOVER)
		yaml_mistake(l->diag, part,
			     "the hub itself says 'in_handover', of the cases of a "
			     "jurisdiction_change; see 'hands_over'");
	if ((part = yaml_get(node, "urgency")) &&
	    load_enum(l, part, &ieum__v1__urgency__descriptor, "urgency", &value))
		rule->urgency = (Ieum__V1__Urgency)value;
	(void)yaml_opt_bool(node, "closing", l->diag, &rule->closing);
	if ((part = yaml_get(node, "emit")))
		load_emits(l, part, rule->when.types, &rule->emits, &rule->n_emits);
	load_acts(l, node, rule);
}

/* What a rule says about `addressed` when it says nothing: whom the sender named decides the
 * recipients, so a rule with recipients of its own is for messages that name nobody. */
static int addressed_default(const struct rule *rule)
{
	if (rule->n_to == 0 && !rule->ranked.used)
		return -1;
	for (size_t i = 0; i < rule->n_to; i++) {
		if (rule->to[i].kind == ADDRESS_ADDRESSEES)
			return 1;
	}
	return 0;
}

static void load_rule(struct loader *l, const struct yaml_node *node, size_t index)
{
	struct rule *rule = &l->p->rules[index];
	char name[POLICY_NAME_BYTES] = "";
	const struct yaml_node *key, *when = yaml_get(node, "when"), *part;

	rule->name = "";
	rule->line = yaml_line(node);
	rule->within = "";
	if (!yaml_schema_check(node, &schema_rule, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	key = yaml_require(node, "name", l->diag);
	if (key && load_name(l, key, '-', name)) {
		for (size_t i = 0; i < index; i++) {
			if (strcmp(l->p->rules[i].name, name) == 0)
				yaml_mistake(
					l->diag, key,
					"rule '%s' exists already (line %d); give this one another name",
					name, yaml_line(load_nth(l, "rules", i)));
		}
		rule->name = load_copy(l, name);
	}
	if (l->no_memory)
		return;
	if ((part = yaml_get(node, "to")))
		load_to(l, part, rule);
	rule->ranked.used = yaml_get(node, "ranked") != NULL;
	rule->when.addressed = addressed_default(rule);
	load_condition(l, when, &rule->when);
	if ((part = yaml_get(node, "ranked")))
		load_ranked(l, part, rule);
	if ((part = yaml_get(node, "matching")))
		load_matching(l, part, rule);
	if ((part = yaml_get(node, "contact_at")))
		load_contact_at(l, part, rule);
	load_request(l, node, rule);
	load_gate_keys(l, node, rule);
	load_effects(l, node, rule);
}

/* In the file's order, the rules that a message of each type can meet. */
static void sort_by_type(struct loader *l)
{
	struct policy *p = l->p;

	for (size_t type = 1; type < POLICY_TYPES; type++) {
		struct rules_of_type *of = &p->of_type[type];

		of->rules = load_alloc(l, p->n_rules, sizeof *of->rules);
		if (l->no_memory)
			return;
		for (size_t i = 0; i < p->n_rules; i++) {
			if (p->rules[i].when.types & UINT64_C(1) << type)
				of->rules[of->n++] = &p->rules[i];
		}
	}
}

void load_rules(struct loader *l)
{
	const struct yaml_node *section = load_section(l, "rules", YAML_SEQ, POLICY_RULES_MAX);
	struct policy *p = l->p;

	p->rules = load_alloc(l, yaml_count(section), sizeof *p->rules);
	if (!p->rules)
		return;
	for (size_t i = 0; i < yaml_count(section); i++) {
		load_rule(l, yaml_at(section, i), i);
		if (l->no_memory)
			return;
		p->n_rules++;
	}
	sort_by_type(l);
}
