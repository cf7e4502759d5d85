/* The section counters: what is counted, for whom and how long; and what a message does to one. */
#include "broker/policy/load.h"

#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/referral.pb-c.h"

int load_counter_index(struct loader *l, const struct yaml_node *node, const char *name)
{
	const struct policy *p = l->p;
	const char *words[POLICY_COUNTERS_MAX + 1];

	for (size_t i = 0; i < p->n_counters; i++) {
		if (strcmp(p->counters[i].is.name, name) == 0)
			return (int)i;
		words[i] = p->counters[i].is.name;
	}
	words[p->n_counters] = NULL;
	if (p->n_counters > 0)
		load_unknown(l, node, "counter", words);
	else if (yaml_get(l->root, "counters"))
		yaml_mistake(l->diag, node, "what is counted can't depend on a count");
	else
		yaml_mistake(l->diag, node,
			     "unknown counter '%.64s'; the hub file has no section 'counters'",
			     name);
	return POLICY_NONE;
}

/* The weight is a count that every message which is counted has. */
static void load_weight(struct loader *l, const struct yaml_node *node, struct counter *counter)
{
	const char *text = yaml_text(node);

	if (!text || *text != '$')
		yaml_mistake(l->diag, node,
			     "'weight' names a field of the body, for example $weight");
	else
		(void)load_field_ref(l, node, counter->of.types, PROTOBUF_C_TYPE_UINT32,
				     "that could be a weight", &counter->weight);
}

static void load_counted(struct loader *l, const struct yaml_node *node, struct condition *out)
{
	out->addressed = -1;
	load_condition(l, node, out);
	if (yaml_kind(node) == YAML_MAP && !yaml_get(node, "type"))
		yaml_mistake(l->diag, node, "say the 'type' of message that this is about");
}

static void load_per(struct loader *l, const struct yaml_node *node, struct counter *counter)
{
	static const char *const words[] = { "case", "subject", "sender", "household", NULL };
	size_t word;

	for (size_t i = 0; i < load_items(node); i++)
		if (yaml_read_word(load_item(node, i), words, l->diag, &word))
			counter->is.per |= 1U << word;
}

static void load_counter(struct loader *l, const struct yaml_node *key,
			 const struct yaml_node *node, struct counter *counter)
{
	char name[POLICY_NAME_BYTES] = "";
	const struct yaml_node *part;
	const char *text;
	size_t word = 0;

	counter->line = yaml_line(key);
	counter->is.name = load_name(l, key, '-', name) ? load_copy(l, name) : "";
	if (!yaml_schema_check(node, &schema_counter, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	if ((part = yaml_require(node, "of", l->diag)))
		load_counted(l, part, &counter->of);
	if ((part = yaml_require(node, "per", l->diag)))
		load_per(l, part, counter);
	if ((part = yaml_require(node, "within", l->diag)))
		(void)load_within(l, part, &counter->within, &text);
	if ((part = yaml_get(node, "weight")))
		load_weight(l, part, counter);
	if (yaml_schema_opt_word(node, &schema_counter, "distinct", l->diag, &word))
		counter->is.distinct = true;
	if (counter->is.distinct && counter->weight.name)
		yaml_mistake(l->diag, yaml_get(node, "weight"),
			     "different senders are counted, so a message has no weight");
	if (counter->is.distinct && counter->is.per & 1U << POLICY_PER_SENDER)
		yaml_mistake(l->diag, yaml_get(node, "distinct"),
			     "per sender there is never more than one sender");
	if ((part = yaml_get(node, "resets"))) {
		counter->has_resets = true;
		load_counted(l, part, &counter->resets);
	}
}

void load_counters(struct loader *l)
{
	const struct yaml_node *section = yaml_get(l->root, "counters");
	struct policy *p = l->p;
	size_t n = yaml_count(section);

	if (!section)
		return;
	if (yaml_kind(section) != YAML_MAP || n == 0 || n > POLICY_COUNTERS_MAX) {
		yaml_mistake(l->diag, section, "'counters' is a map of 1 to %d counters",
			     POLICY_COUNTERS_MAX);
		return;
	}
	p->counters = load_alloc(l, n, sizeof *p->counters);
	if (!p->counters)
		return;
	for (size_t i = 0; i < n && !l->no_memory; i++)
		load_counter(l, yaml_key_at(section, i), yaml_at(section, i), &p->counters[i]);
	/* Known from now on, so that no counter depends on another. */
	p->n_counters = n;
}

/* ---- checks of the whole ---- */

enum { TOKENS_MAX = 16 }; /* of one message */

static size_t events_of(const struct counter *counter, uint64_t type)
{
	unsigned others = counter->is.per & ~(1U << POLICY_PER_SUBJECT);
	size_t each = (size_t)__builtin_popcount(others) +
		      (counter->is.per & 1U << POLICY_PER_SUBJECT ? TOKENS_MAX : 0);

	return (counter->of.types & type ? each : 0) +
	       (counter->has_resets && counter->resets.types & type ? each : 0);
}

/* One message must not make more events than a decision has room for. */
static void check_events(struct loader *l)
{
	const struct policy *p = l->p;

	for (unsigned type = 1; type < POLICY_TYPES; type++) {
		size_t n = 0;

		for (size_t i = 0; i < p->n_counters; i++) {
			n += events_of(&p->counters[i], UINT64_C(1) << type);
			if (n <= POLICY_COUNT_EVENTS_MAX)
				continue;
			yaml_mistake(l->diag, yaml_key_at(yaml_get(l->root, "counters"), i),
				     "one message would be counted more than %d times (per subject "
				     "it may be %d times); count fewer things of its type",
				     POLICY_COUNT_EVENTS_MAX, TOKENS_MAX);
			return;
		}
	}
}

static bool is_asked_for(const struct policy *p, int counter)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct rule *rule = &p->rules[i];

		for (size_t k = 0; k < rule->when.n_counts; k++) {
			if (rule->when.counts[k].counter == counter)
				return true;
		}
	}
	return false;
}

/* What nothing looks at is most likely a slip in a rule; and everything that is counted is kept. */
void check_counters(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t i = 0; i < p->n_counters; i++) {
		if (!is_asked_for(p, (int)i))
			yaml_mistake(
				l->diag, yaml_key_at(yaml_get(l->root, "counters"), i),
				"no rule asks what '%s' counts; say \"count: {%s: '>= 2'}\" in "
				"its 'when'",
				p->counters[i].is.name, p->counters[i].is.name);
	}
	check_events(l);
}

/* ---- what others may see ---- */

size_t policy_counters(const struct policy *p)
{
	return p->n_counters;
}

const struct policy_counter *policy_counter(const struct policy *p, int index)
{
	return index >= 0 && (size_t)index < p->n_counters ? &p->counters[index].is : NULL;
}

static bool is_met(const struct condition *c, const struct scope *s)
{
	return c->types & UINT64_C(1) << s->type && !condition_unmet(c, s);
}

struct policy_counting policy_count(const struct policy *p, int index,
				    const struct policy_context *ctx)
{
	const struct counter *counter = &p->counters[index];
	struct policy_counting out = { .weight = 1, .at_ms = ctx->now_ms };
	struct scope s;

	scope_init(&s, p, ctx);
	if (!s.envelope || (int)s.type <= 0 || (int)s.type >= POLICY_TYPES)
		return out;
	out.counts = is_met(&counter->of, &s);
	out.resets = counter->has_resets && is_met(&counter->resets, &s);
	if (counter->weight.name) {
		int64_t weight = body_number(&s, counter->weight.of[s.type]);
		if (weight > 0)
			out.weight = (uint32_t)weight;
	}
	if (s.envelope->occurred_at_ms > 0)
		out.at_ms = s.envelope->occurred_at_ms;
	out.until_at_ms = calendar_add(&p->calendar, out.at_ms, counter->within);
	return out;
}
