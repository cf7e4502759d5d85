/* What a rule sets off beside telling and asking people: a row per key, and what its value may
 * be.  Each act is carried out by the core; the rule only says that it happens. */
#include "broker/policy/load.h"

#include <string.h>

#include "ieum/v1/types.pb-c.h"

enum act_value {
	ACT_TRUE,   /* `key: true` */
	ACT_NAME,   /* a name of `section`, or several */
	ACT_TEXT,   /* any short text */
	ACT_HOLDS,  /* which pools are held */
	ACT_WITHIN, /* a duration */
};

struct act_key {
	const char *key;
	enum policy_act_kind kind;
	int verb;
	enum act_value value;
	const char *section; /* whose names the value is of */
};

enum { ACT_TEXT_BYTES_MAX = 8 }; /* of a grade */

#define CLOCK(verb) IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_##verb

/* clang-format off */
static const struct act_key act_keys[] = {
	{ "starts",        POLICY_ACT_CLOCK,        CLOCK(STARTED),   ACT_NAME, "clocks" },
	{ "restarts",      POLICY_ACT_CLOCK,        CLOCK(RESTARTED), ACT_NAME, "clocks" },
	{ "stops",         POLICY_ACT_CLOCK,        CLOCK(STOPPED),   ACT_NAME, "clocks" },
	{ "freezes",       POLICY_ACT_CLOCK,        CLOCK(FROZEN),    ACT_NAME, "clocks" },
	{ "resumes",       POLICY_ACT_CLOCK,        CLOCK(RESUMED),   ACT_NAME, "clocks" },
	{ "extends",       POLICY_ACT_CLOCK,        CLOCK(EXTENDED),  ACT_NAME, "clocks" },
	{ "grade",         POLICY_ACT_GRADE,        0,                ACT_TEXT, NULL },
	{ "holds",         POLICY_ACT_HOLD,         0,                ACT_HOLDS, NULL },
	{ "takes_place",   POLICY_ACT_TAKE_PLACE,   0,                ACT_TRUE, NULL },
	{ "returns_place", POLICY_ACT_RETURN_PLACE, 0,                ACT_TRUE, NULL },
	{ "counts_places", POLICY_ACT_COUNT_PLACES, 0,                ACT_TRUE, NULL },
	{ "waits",         POLICY_ACT_WAIT,         0,                ACT_TRUE, NULL },
	{ "opens_gate",    POLICY_ACT_OPEN_GATE,    0,                ACT_NAME, "gates" },
	{ "stops_use",     POLICY_ACT_STOP_USE,     0,                ACT_TRUE, NULL },
	{ "gives_consent", POLICY_ACT_CONSENT,      0,                ACT_TRUE, NULL },
	{ "asks_actions",  POLICY_ACT_ACTIONS,      0,                ACT_TRUE, NULL },
	{ "sends_agenda",  POLICY_ACT_AGENDA,       0,                ACT_TRUE, NULL },
	{ "hands_over",    POLICY_ACT_HAND_OVER,    0,                ACT_TRUE, NULL },
	{ "puts_on_agenda", POLICY_ACT_PUT_ON_AGENDA, 0,              ACT_TRUE, NULL },
	{ "meeting_within", POLICY_ACT_MEETING,     0,                ACT_WITHIN, NULL },
	{ "minutes_within", POLICY_ACT_MINUTES,     0,                ACT_WITHIN, NULL },
	{ "ends_agenda",   POLICY_ACT_END_AGENDA,   0,                ACT_TRUE, NULL },
	{ "confirms",      POLICY_ACT_CONFIRM,      0,                ACT_TRUE, NULL },
};
/* clang-format on */

enum { ACT_KEYS = sizeof act_keys / sizeof act_keys[0] };

/* The index of a name in a section of the file, by its place there. */
static int find_in_section(const struct loader *l, const char *section, const char *name)
{
	const struct yaml_node *map = yaml_get(l->root, section);

	for (size_t i = 0; map && i < yaml_count(map); i++) {
		if (strcmp(yaml_text(yaml_key_at(map, i)), name) == 0)
			return (int)i;
	}
	return POLICY_NONE;
}

static void unknown_in_section(struct loader *l, const struct yaml_node *node, const char *section)
{
	const struct yaml_node *map = yaml_get(l->root, section);
	size_t n = map ? yaml_count(map) : 0;
	const char **words = load_alloc(l, n + 1, sizeof *words);

	if (!words)
		return;
	for (size_t i = 0; i < n; i++)
		words[i] = load_copy(l, yaml_text(yaml_key_at(map, i)));
	load_unknown(l, node, section, words);
}

static void load_names(struct loader *l, const struct yaml_node *node, const struct act_key *key,
		       struct rule *rule, struct policy_act *acts, size_t *n)
{
	for (size_t i = 0; i < load_items(node) && *n < POLICY_ACTS_MAX; i++) {
		const struct yaml_node *item = load_item(node, i);
		const char *text;

		if (!yaml_read_text(item, POLICY_NAME_BYTES - 1, l->diag, &text))
			continue;
		int index = find_in_section(l, key->section, text);

		if (index == POLICY_NONE) {
			unknown_in_section(l, item, key->section);
			continue;
		}
		acts[(*n)++] = (struct policy_act){ .kind = key->kind,
						    .index = index,
						    .verb = key->verb,
						    .text = load_copy(l, text),
						    .rule = rule->name,
						    .key = key->key };
	}
}

static void load_act(struct loader *l, const struct yaml_node *node, const struct act_key *key,
		     struct rule *rule, struct policy_act *acts, size_t *n)
{
	struct policy_act act = { .kind = key->kind,
				  .index = (int)(rule - l->p->rules),
				  .verb = key->verb,
				  .rule = rule->name,
				  .key = key->key };
	struct yaml_duration within;
	const char *text;
	bool yes = false;

	switch (key->value) {
	case ACT_NAME: load_names(l, node, key, rule, acts, n); return;
	case ACT_TEXT:
		if (!yaml_read_text(node, ACT_TEXT_BYTES_MAX, l->diag, &text))
			return;
		act.text = load_copy(l, text);
		break;
	case ACT_HOLDS:
		if (!load_holds(l, node, rule, &act.verb))
			return;
		act.index = (int)(rule - l->p->rules);
		break;
	case ACT_WITHIN:
		if (!load_within(l, node, &within, &act.text))
			return;
		break;
	case ACT_TRUE:
		if (!yaml_read_bool(node, l->diag, &yes) || !yes)
			return;
		break;
	}
	if (*n < POLICY_ACTS_MAX)
		acts[(*n)++] = act;
}

/* When the act was done, for every clock that the rule acts on. */
static void load_acted_at(struct loader *l, const struct yaml_node *node, const struct rule *rule,
			  struct policy_act *acts, size_t n)
{
	struct field_ref field = { 0 };
	bool acts_on_clock = false;

	if (!node || !load_time_ref(l, node, "acted_at", rule->when.types,
				    "at which something could have been done", &field))
		return;
	for (size_t i = 0; i < n; i++) {
		if (acts[i].kind != POLICY_ACT_CLOCK)
			continue;
		acts[i].acted_at = field.name;
		acts_on_clock = true;
	}
	if (!acts_on_clock)
		yaml_mistake(
			l->diag, node,
			"'acted_at' is for the clocks of a rule, and rule '%s' stops or starts "
			"none",
			rule->name);
}

void load_acts(struct loader *l, const struct yaml_node *node, struct rule *rule)
{
	struct policy_act acts[POLICY_ACTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < ACT_KEYS; i++) {
		const struct yaml_node *value = yaml_get(node, act_keys[i].key);

		if (value)
			load_act(l, value, &act_keys[i], rule, acts, &n);
	}
	load_acted_at(l, yaml_get(node, "acted_at"), rule, acts, n);
	if (n == 0)
		return;
	rule->acts = arena_copy(&l->p->arena, acts, n * sizeof *acts);
	rule->n_acts = rule->acts ? n : 0;
	l->no_memory |= !rule->acts;
}
