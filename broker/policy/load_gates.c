/* The section gates, and the keys of rules that have to do with them: what waits for a gate, and
 * who has to approve before one opens. */
#include "broker/policy/load.h"

#include <string.h>

#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/types.pb-c.h"

/* ---- the section ---- */

/* It runs as long as the gate is open: two lengths would be one too many to keep equal. */
static int load_clock_of(struct loader *l, const struct yaml_node *node,
			 const struct policy_gate *gate)
{
	const struct yaml_node *name = yaml_get(node, "clock");
	const char *words[POLICY_CLOCKS_MAX + 1] = { NULL };
	const char *text;

	if (!name || !yaml_read_text(name, POLICY_NAME_BYTES - 1, l->diag, &text))
		return POLICY_NONE;
	int found = policy_find_clock(l->p, text);
	for (size_t i = 0; i < l->p->n_clocks; i++)
		words[i] = l->p->clocks[i].is.name;
	if (found == POLICY_NONE)
		load_unknown(l, name, "clock", words);
	else if (!gate->lasts_ms || policy_clock_end(l->p, found, 0) != gate->lasts_ms)
		yaml_mistake(l->diag, name,
			     "clock '%s' does not run as long as the gate is open; give its "
			     "'within' and the gate's 'lasts' the same time",
			     text);
	return found;
}

static void load_gate(struct loader *l, const struct yaml_node *section, size_t i)
{
	const struct yaml_node *node = yaml_at(section, i);
	struct policy_gate *gate = &l->p->gates[i];

	gate->title_en = gate->title_ko = "";
	gate->clock = POLICY_NONE;
	if (!load_name(l, yaml_key_at(section, i), '-', gate->name))
		return;
	if (!yaml_schema_check(node, &schema_gate, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	load_title(l, node, &gate->title_en, &gate->title_ko);
	(void)yaml_schema_opt_span_ms(node, &schema_gate, "lasts", l->diag, &gate->lasts_ms);
	gate->clock = load_clock_of(l, node, gate);
}

void load_gates(struct loader *l)
{
	const struct yaml_node *section;

	if (!yaml_get(l->root, "gates"))
		return;
	section = load_section(l, "gates", YAML_MAP, POLICY_GATES_MAX);
	l->p->gates = load_alloc(l, yaml_count(section), sizeof *l->p->gates);
	if (!l->p->gates)
		return;
	for (size_t i = 0; i < yaml_count(section) && !l->no_memory; i++)
		load_gate(l, section, i);
	l->p->n_gates = yaml_count(section);
}

static bool opens(const struct rule *rule, size_t gate)
{
	bool does = rule->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_OPEN_GATE &&
		    rule->gate == (int)gate + 1;

	for (size_t i = 0; i < rule->n_acts; i++)
		does |= rule->acts[i].kind == POLICY_ACT_OPEN_GATE &&
			rule->acts[i].index == (int)gate;
	return does;
}

/* What waits for a gate that nothing opens waits for ever. */
void check_gates(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t i = 0; i < p->n_gates; i++) {
		bool opened = false;

		for (size_t k = 0; k < p->n_rules; k++)
			opened |= opens(&p->rules[k], i);
		if (!opened)
			yaml_mistake(
				l->diag, yaml_key_at(yaml_get(l->root, "gates"), i),
				"no rule opens gate '%s', so it stays closed for ever; give one "
				"\"on_accept: open_gate\" and \"gate: %s\", or leave the gate "
				"out",
				p->gates[i].name, p->gates[i].name);
	}
}

/* ---- in rules ---- */

int load_gate_name(struct loader *l, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *words[POLICY_GATES_MAX + 1] = { NULL };
	const char *text;

	if (!node || !yaml_read_text(node, POLICY_NAME_BYTES - 1, l->diag, &text))
		return 0;
	int found = policy_find_gate(l->p, text);
	if (found != POLICY_NONE)
		return found + 1;
	for (size_t i = 0; i < l->p->n_gates; i++)
		words[i] = l->p->gates[i].name;
	load_unknown(l, node, "gate", words);
	return 0;
}

static void load_quorum(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const struct yaml_node *quorum = yaml_get(node, "quorum");
	int64_t number = 0;
	size_t word = 0;

	if (yaml_schema_opt_int(node, &schema_rule, "quorum", l->diag, &number))
		rule->quorum = (uint32_t)number;
	if (yaml_schema_opt_word(node, &schema_rule, "quorum_of", l->diag, &word))
		rule->quorum_of_kinds = word == 1, rule->quorum_of_agencies = word == 2;
	(void)yaml_opt_bool(node, "one_rejection_ends", l->diag, &rule->rejection_ends);
	if (quorum && !rule->asks)
		yaml_mistake(l->diag, quorum,
			     "'quorum' needs 'answer_within' beside it: nobody is asked");
	if (quorum && rule->each)
		yaml_mistake(
			l->diag, quorum,
			"'quorum' counts those who accept one request; with 'each' everyone has "
			"a request of its own");
	if (!quorum && yaml_get(node, "quorum_of"))
		yaml_mistake(l->diag, yaml_get(node, "quorum_of"),
			     "'quorum_of' needs 'quorum' beside it");
}

/* "by item" can be asked of one type only. */
static void load_item_basis(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	const uint64_t type = UINT64_C(1)
			      << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INFORMATION_REQUEST;

	(void)yaml_opt_bool(node, "needs_item_basis", l->diag, &rule->needs_item_basis);
	if (rule->needs_item_basis && rule->when.types != type)
		yaml_mistake(l->diag, yaml_get(node, "needs_item_basis"),
			     "'needs_item_basis' is for information requests alone; say "
			     "\"type: information_request\" in 'when'");
}

void load_gate_keys(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	bool opens = rule->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_OPEN_GATE;

	rule->needs_gate = load_gate_name(l, node, "needs_gate");
	rule->anonymous_until = load_gate_name(l, node, "anonymous_until");
	rule->gate = load_gate_name(l, node, "gate");
	load_quorum(l, node, rule);
	load_item_basis(l, node, rule);
	if (opens && !yaml_get(node, "gate"))
		yaml_mistake(l->diag, yaml_get(node, "on_accept"),
			     "which gate? say it with 'gate'");
	else if (!opens && yaml_get(node, "gate"))
		yaml_mistake(l->diag, yaml_get(node, "gate"),
			     "'gate' needs \"on_accept: open_gate\" beside it");
}
