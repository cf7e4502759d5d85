/* The section clocks: how long each runs, whom it tells, what its end does; and what only shows
 * once the rules are there: that every clock starts somewhere and can end well. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/catalog.h"
#include "proto/pbmap.h"

enum { BODY_FIELD_NUMBER = 100, GRADE_BYTES_MAX = 8, DAY_WORDS_BYTES = 80 };

/* ---- times ---- */

static void load_from(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	static const char *const words[] = { "occurred", "received", NULL };
	const char *text;

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return;
	if (*text == '$')
		k->from_field = load_copy(l, text + 1);
	else if (strcmp(text, "received") == 0)
		k->is.from_received = true;
	else if (strcmp(text, "occurred") != 0)
		load_unknown(l, node, "beginning of a clock", words);
}

static bool within_clock(const struct clock *k, struct yaml_duration d)
{
	int64_t whole_ms, ms;

	return !yaml_duration_ms(k->within, &whole_ms) || !yaml_duration_ms(d, &ms) ||
	       ms < whole_ms;
}

static void load_warnings(struct loader *l, const struct yaml_node *node, struct clock *k,
			  bool before, struct yaml_duration *out, size_t *n)
{
	const char *text;
	int64_t ms;

	if (yaml_kind(node) == YAML_SEQ &&
	    !yaml_check_seq(node, 1, POLICY_CLOCK_WARNINGS_MAX, l->diag))
		return;
	for (size_t i = 0; i < load_items(node); i++) {
		const struct yaml_node *item = load_item(node, i);

		if (!load_within(l, item, &out[*n], &text))
			continue;
		if (before && !yaml_duration_ms(out[*n], &ms))
			yaml_mistake(l->diag, item,
				     "'%s' before its end is no moment: write ms, s, min, h or d",
				     text);
		else if (!within_clock(k, out[*n]))
			yaml_mistake(l->diag, item, "the clock runs no longer than '%s'", text);
		else
			(*n)++;
	}
}

static void load_times(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	const struct yaml_node *part = yaml_require(node, "within", l->diag);
	const char *text;

	if (!part || !load_within(l, part, &k->within, &text))
		return;
	if ((part = yaml_get(node, "from")))
		load_from(l, part, k);
	if ((part = yaml_get(node, "warn")))
		load_warnings(l, part, k, false, k->warn, &k->n_warn);
	if ((part = yaml_get(node, "warn_before")))
		load_warnings(l, part, k, true, k->warn_before, &k->n_warn_before);
	if (k->n_warn + k->n_warn_before > POLICY_CLOCK_WARNINGS_MAX)
		yaml_mistake(l->diag, node, "%zu warnings; a clock has at most %d",
			     k->n_warn + k->n_warn_before, POLICY_CLOCK_WARNINGS_MAX);
}

static void load_extension_days(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	static const char *const words[] = { "sunday",    "monday",   "tuesday",
					     "wednesday", "thursday", "friday",
					     "saturday",  "holiday",  NULL };
	char text[DAY_WORDS_BYTES] = "";
	size_t word, used = 0;

	for (size_t i = 0; i < load_items(node) && i < CLOCK_DAYS; i++) {
		if (!yaml_read_word(load_item(node, i), words, l->diag, &word))
			continue;
		k->extension_days |= 1U << word;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
					 words[word]);
	}
	k->extension_words = load_copy(l, text);
}

static void load_extend(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	const struct yaml_node *part;
	const char *text;
	int64_t times = 1;

	if (!yaml_schema_check(node, &schema_clock_extend, l->diag))
		return;
	if ((part = yaml_require(node, "by", l->diag)))
		(void)load_within(l, part, &k->extended_by, &text);
	(void)yaml_schema_opt_int(node, &schema_clock_extend, "times", l->diag, &times);
	k->is.extensions_max = (uint32_t)times;
	if ((part = yaml_get(node, "includes")))
		load_extension_days(l, part, k);
}

/* ---- whom it tells, what it does ---- */

static bool load_told(struct loader *l, const struct yaml_node *node, bool in_case)
{
	struct address address;

	if (!load_address(l, node, &address))
		return false;
	if (address.kind == ADDRESS_HEAD_OF && address.index == POLICY_NONE)
		address.kind = ADDRESS_SENDER; /* whose head is as little known */
	switch (address.kind) {
	case ADDRESS_CASE_OWNER:
		if (in_case)
			return true;
		/* fall through */
	case ADDRESS_HEAD:
	case ADDRESS_SENDER:
	case ADDRESS_ADDRESSEES:
		yaml_mistake(l->diag, node, "'%s' is nobody when %s; name a participant, a role%s",
			     yaml_text(node), in_case ? tr("a clock ends") : tr("there is no case"),
			     in_case ? tr(", a body or case_owner") : tr(" or a body"));
		return false;
	default: return true;
	}
}

void load_told_addresses(struct loader *l, const struct yaml_node *node, bool in_case,
			 const char *const **out, size_t *n)
{
	const char **addresses = load_alloc(l, load_items(node), sizeof *addresses);

	if (!addresses || (yaml_kind(node) == YAML_SEQ &&
			   !yaml_check_seq(node, 1, POLICY_CLOCK_TELLS_MAX, l->diag)))
		return;
	*out = addresses;
	for (size_t i = 0; i < load_items(node); i++) {
		if (load_told(l, load_item(node, i), in_case))
			addresses[(*n)++] = load_copy(l, yaml_text(load_item(node, i)));
	}
}

static void load_urgency(struct loader *l, const struct yaml_node *map, const char *key,
			 Ieum__V1__Urgency *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	int value = 0;

	if (node && load_enum(l, node, &ieum__v1__urgency__descriptor, "urgency", &value))
		*out = (Ieum__V1__Urgency)value;
}

static void load_then(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	const struct yaml_node *part;
	const char *text;
	int value = 0;

	if (!yaml_schema_check(node, &schema_clock_then, l->diag))
		return;
	if ((part = yaml_get(node, "emit")))
		load_emits(l, part, 0, &k->is.emits, &k->is.n_emits);
	if ((part = yaml_get(node, "case_state")) &&
	    load_enum(l, part, &ieum__v1__case_state__descriptor, "case state", &value))
		k->is.case_state = (Ieum__V1__CaseState)value;
	if (yaml_opt_text(node, "grade", GRADE_BYTES_MAX, l->diag, &text))
		k->is.grade = load_copy(l, text);
}

/* Nobody may forget over a closing what the law still asks for, so this is said of each clock that
 * may be forgotten. */
static void load_closing(struct loader *l, const struct yaml_node *node, struct clock *k)
{
	bool no_breach = k->is.repeats || k->is.expires;
	bool ends = false;

	(void)yaml_opt_bool(node, "outlives_closing", l->diag, &k->is.outlives_closing);
	(void)yaml_opt_bool(node, "ends_at_closing", l->diag, &ends);
	if (ends && k->is.outlives_closing)
		yaml_mistake(l->diag, yaml_get(node, "ends_at_closing"),
			     "a clock ends when its case is closed, or goes on; leave "
			     "'ends_at_closing' or 'outlives_closing' out");
	k->is.blocks_closing = !ends && !no_breach && !k->is.outlives_closing;
}

static void load_clock(struct loader *l, const struct yaml_node *key, const struct yaml_node *node,
		       struct clock *k)
{
	char name[POLICY_NAME_BYTES] = "";
	const struct yaml_node *part;

	k->line = yaml_line(key);
	k->extension_words = "";
	k->is.name = load_name(l, key, '-', name) ? load_copy(l, name) : "";
	k->is.urgency = IEUM__V1__URGENCY__URGENCY_URGENT;
	k->is.breach_urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	if (!yaml_schema_check(node, &schema_clock, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	load_title(l, node, &k->is.title_en, &k->is.title_ko);
	load_times(l, node, k);
	if ((part = yaml_get(node, "tells")))
		load_told_addresses(l, part, true, &k->is.tells, &k->is.n_tells);
	if ((part = yaml_get(node, "breach_tells")))
		load_told_addresses(l, part, true, &k->is.breach_tells, &k->is.n_breach_tells);
	load_urgency(l, node, "urgency", &k->is.urgency);
	load_urgency(l, node, "breach_urgency", &k->is.breach_urgency);
	if ((part = yaml_get(node, "extend")))
		load_extend(l, part, k);
	(void)yaml_opt_bool(node, "every", l->diag, &k->is.repeats);
	(void)yaml_opt_bool(node, "expires", l->diag, &k->is.expires);
	load_closing(l, node, k);
	if ((part = yaml_get(node, "then")))
		load_then(l, part, k);
	if (k->is.repeats && k->is.expires)
		yaml_mistake(
			l->diag, yaml_get(node, "expires"),
			"a clock that begins again has no end; leave 'every' or 'expires' out");
	(void)yaml_opt_bool(node, "begins_again", l->diag, &k->is.begins_again);
	if (k->is.begins_again && (k->is.repeats || k->is.expires))
		yaml_mistake(l->diag, yaml_get(node, "begins_again"),
			     "the end of this clock is no breach; leave 'begins_again' out, or %s",
			     k->is.repeats ? "'every'" : "'expires'");
	if (k->is.repeats && (k->is.n_tells == 0 && k->is.n_emits == 0))
		yaml_mistake(
			l->diag, key,
			"clock '%s' comes round and nobody notices: add 'tells', or 'then' with "
			"'emit'",
			name);
}

void load_clocks(struct loader *l)
{
	const struct yaml_node *section = yaml_get(l->root, "clocks");
	struct policy *p = l->p;

	if (!section || !load_section(l, "clocks", YAML_MAP, POLICY_CLOCKS_MAX))
		return;
	p->clocks = load_alloc(l, yaml_count(section), sizeof *p->clocks);
	if (!p->clocks)
		return;
	for (size_t i = 0; i < yaml_count(section) && !l->no_memory; i++) {
		load_clock(l, yaml_key_at(section, i), yaml_at(section, i), &p->clocks[i]);
		p->n_clocks++;
	}
}

/* ---- with the rules ---- */

static bool starts_it(const struct policy_act *act, int clock)
{
	return act->kind == POLICY_ACT_CLOCK && act->index == clock &&
	       (act->verb == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STARTED ||
		act->verb == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESTARTED);
}

/* The rule's messages have the time from which the clock counts. */
static void check_from(struct loader *l, const struct yaml_node *node, const struct clock *k,
		       const struct rule *rule)
{
	char word[PBMAP_WORD_BYTES] = "";

	for (unsigned i = 1; i < POLICY_TYPES; i++) {
		const ProtobufCFieldDescriptor *body =
			protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
								BODY_FIELD_NUMBER + i);
		const ProtobufCFieldDescriptor *field = NULL;

		if (!(rule->when.types & UINT64_C(1) << i) || !body)
			continue;
		field = protobuf_c_message_descriptor_get_field_by_name(body->descriptor,
									k->from_field);
		if (field && field->type == PROTOBUF_C_TYPE_INT64 &&
		    field->label != PROTOBUF_C_LABEL_REPEATED)
			continue;
		(void)pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)i, word);
		yaml_mistake(l->diag, node,
			     "rule '%s' (line %d) starts this clock, but a %s has no time '%s'",
			     rule->name, rule->line, word, k->from_field);
		return;
	}
}

struct clock_use {
	bool started, stopped, extended;
};

static struct clock_use use_of(struct loader *l, const struct yaml_node *from,
			       const struct clock *k, int index)
{
	struct clock_use use = { 0 };

	for (size_t g = 0; g < l->p->n_gates; g++)
		use.started |= l->p->gates[g].clock == index;
	for (size_t r = 0; r < l->p->n_rules; r++) {
		const struct rule *rule = &l->p->rules[r];

		for (size_t i = 0; i < rule->n_acts; i++) {
			const struct policy_act *act = &rule->acts[i];

			if (act->kind != POLICY_ACT_CLOCK || act->index != index)
				continue;
			if (starts_it(act, index) && k->from_field)
				check_from(l, from, k, rule);
			use.started |= starts_it(act, index);
			use.stopped |= act->verb == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STOPPED ||
				       act->verb == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_RESTARTED;
			use.extended |= act->verb == IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_EXTENDED;
		}
	}
	return use;
}

/* What its end sends must reach somebody, and if it asks for an answer, not end in silence. */
static void check_emitted(struct loader *l, const struct yaml_node *node, const struct clock *k)
{
	char word[PBMAP_WORD_BYTES] = "";

	for (size_t i = 0; i < k->is.n_emits; i++) {
		bool received = false;

		for (size_t r = 0; r < l->p->n_rules; r++) {
			const struct rule *rule = &l->p->rules[r];

			received |= check_takes_from_hub(rule, k->is.emits[i].type) &&
				    (rule->n_to > 0 || rule->ranked.used);
		}
		(void)pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)k->is.emits[i].type,
				      word);
		if (!received)
			yaml_mistake(l->diag, node,
				     "no rule has recipients for the %s that clock '%s' makes",
				     word, k->is.name);
	}
}

static void check_clock(struct loader *l, const struct yaml_node *key, const struct yaml_node *node,
			int index)
{
	const struct clock *k = &l->p->clocks[index];
	struct clock_use use = use_of(l, yaml_get(node, "from"), k, index);

	if (!use.started)
		yaml_mistake(
			l->diag, key,
			"no rule or gate starts clock '%s'; add 'starts: %s' to one, or take it out",
			k->is.name, k->is.name);
	else if (!use.stopped && !k->is.repeats && !k->is.expires)
		yaml_mistake(l->diag, key,
			     "no rule stops clock '%s', so it would always be breached; add "
			     "'stops: %s' to one, or say 'expires: true'",
			     k->is.name, k->is.name);
	if (use.extended && !k->is.extensions_max)
		yaml_mistake(l->diag, key,
			     "a rule extends clock '%s'; say by how much: 'extend: {by: 48 h}'",
			     k->is.name);
	if (k->is.extensions_max && !use.extended)
		yaml_mistake(l->diag, yaml_get(node, "extend"),
			     "no rule extends clock '%s'; add 'extends: %s' to one", k->is.name,
			     k->is.name);
	check_emitted(l, yaml_get(yaml_get(node, "then"), "emit"), k);
	if (!k->is.repeats && k->n_warn + k->n_warn_before == 0)
		yaml_mistake(l->diag, key,
			     "clock '%s' would end without a warning; add 'warn' or 'warn_before'",
			     k->is.name);
}

void check_clocks(struct loader *l)
{
	const struct yaml_node *section = yaml_get(l->root, "clocks");

	for (size_t i = 0; i < l->p->n_clocks; i++)
		check_clock(l, yaml_key_at(section, i), yaml_at(section, i), (int)i);
}
