/* The section pools: places that somebody keeps, and whom they are for. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ieum/v1/body.pb-c.h"

enum { AGE_MAX_YEARS = 150, LANGUAGES_MAX = 64 };

/* "7-17", both included. */
static void load_ages(struct loader *l, const struct yaml_node *node, struct policy_pool *pool)
{
	const char *text;
	char *end, *end_of_second;

	if (!yaml_read_text(node, POLICY_NAME_BYTES, l->diag, &text))
		return;
	unsigned long from = strtoul(text, &end, 10);
	unsigned long until = *end == '-' ? strtoul(end + 1, &end_of_second, 10) : 0;

	if (end == text || *end != '-' || *end_of_second != '\0' || end[1] < '0' || end[1] > '9' ||
	    until > AGE_MAX_YEARS)
		yaml_mistake(l->diag, node, "'%s' are no ages; write \"7-17\"", text);
	else if (from > until)
		yaml_mistake(l->diag, node, "ages '%s' end before they begin", text);
	pool->age_from = (uint32_t)from;
	pool->age_until = (uint32_t)until;
}

static void load_pool_languages(struct loader *l, const struct yaml_node *node,
				struct policy_pool *pool)
{
	char tag[LANGUAGE_BYTES];

	if (!yaml_check_seq(node, 1, LANGUAGES_MAX, l->diag))
		return;
	const char **languages = load_alloc(l, yaml_count(node), sizeof *languages);
	if (!languages)
		return;
	pool->languages = languages;
	for (size_t i = 0; i < yaml_count(node); i++) {
		if (load_language(l, yaml_at(node, i), tag))
			languages[pool->n_languages++] = load_copy(l, tag);
	}
}

static void load_keeper(struct loader *l, const struct yaml_node *node, struct policy_pool *pool)
{
	const struct yaml_node *key = yaml_require(node, "keeper", l->diag), *code;
	const char *text;

	if (!key || !yaml_read_text(key, POLICY_NAME_BYTES - 1, l->diag, &text))
		return;
	pool->keeper = policy_find_participant(l->p, text);
	if (pool->keeper == POLICY_NONE) {
		load_unknown(l, key, "participant", l->p->participant_words);
		return;
	}
	(void)snprintf(pool->jurisdiction, sizeof pool->jurisdiction, "%s",
		       l->p->participants[pool->keeper].jurisdiction);
	if ((code = yaml_get(node, "jurisdiction")))
		(void)load_jurisdiction(l, code, pool->jurisdiction);
}

/* A duration, or what stands for it when it is left out. */
static const char *load_span(struct loader *l, const struct yaml_node *node, const char *key,
			     const char *otherwise)
{
	struct yaml_duration parsed;
	const char *text = otherwise;

	if (yaml_get(node, key))
		(void)load_within(l, yaml_get(node, key), &parsed, &text);
	return text;
}

/* How often it renews, when both sides of a hold are told that it ends, who hears of an old count. */
static void load_notices(struct loader *l, const struct yaml_node *node, struct policy_pool *pool)
{
	const struct yaml_node *tells = yaml_get(node, "stale_tells");
	size_t word = 0;

	if (yaml_get(node, "renews") &&
	    yaml_schema_opt_word(node, &schema_pool, "renews", l->diag, &word))
		pool->renews = (enum policy_renews)(POLICY_RENEWS_DAILY + word);
	(void)yaml_schema_opt_span_ms(node, &schema_pool, "warn_before", l->diag,
				      &pool->warn_before_ms);
	if (tells && !yaml_get(node, "stale_after"))
		yaml_mistake(l->diag, tells,
			     "'stale_tells' without 'stale_after': say when a count is stale");
	else if (tells)
		load_told_addresses(l, tells, false, &pool->stale_tells, &pool->n_stale_tells);
}

static void load_pool(struct loader *l, const struct yaml_node *node, struct policy_pool *pool)
{
	const struct yaml_node *part;
	uint64_t sexes = 0;
	int64_t places = 0;

	if (!yaml_schema_check(node, &schema_pool, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	load_title(l, node, &pool->title_en, &pool->title_ko);
	load_keeper(l, node, pool);
	if ((part = yaml_require(node, "kind", l->diag)))
		(void)load_name(l, part, '_', pool->kind);
	if (yaml_require(node, "places", l->diag) &&
	    yaml_schema_opt_int(node, &schema_pool, "places", l->diag, &places))
		pool->places = (uint32_t)places;
	if ((part = yaml_get(node, "sex")) &&
	    load_enum_bits(l, part, &ieum__v1__sex__descriptor, "sex", &sexes))
		pool->sexes = (unsigned)sexes;
	if ((part = yaml_get(node, "ages")))
		load_ages(l, part, pool);
	if ((part = yaml_get(node, "languages")))
		load_pool_languages(l, part, pool);
	(void)yaml_opt_bool(node, "siblings", l->diag, &pool->siblings);
	(void)yaml_require(node, "hold", l->diag);
	pool->hold = load_span(l, node, "hold", "");
	pool->placement_within = load_span(l, node, "placement_within", pool->hold);
	pool->offer_within = load_span(l, node, "offer_within", pool->hold);
	pool->stale_after = load_span(l, node, "stale_after", "");
	load_notices(l, node, pool);
}

void load_pools(struct loader *l)
{
	const struct yaml_node *section = yaml_get(l->root, "pools");
	struct policy *p = l->p;
	char name[POLICY_NAME_BYTES];

	p->pool_words = load_alloc(l, yaml_count(section) + 1, sizeof *p->pool_words);
	if (!section || !load_section(l, "pools", YAML_MAP, POLICY_POOLS_MAX) || !p->pool_words)
		return;
	p->pools = load_alloc(l, yaml_count(section), sizeof *p->pools);
	for (size_t i = 0; p->pools && i < yaml_count(section); i++) {
		struct policy_pool *pool = &p->pools[i];

		pool->keeper = POLICY_NONE;
		pool->title_en = pool->title_ko = "";
		pool->age_until = AGE_MAX_YEARS;
		if (load_name(l, yaml_key_at(section, i), '-', name))
			(void)snprintf(pool->name, sizeof pool->name, "%s", name);
		load_pool(l, yaml_at(section, i), pool);
		p->pool_words[p->n_pools++] = pool->name;
		if (l->no_memory)
			return;
	}
}

/* `holds: first` or `holds: every`. */
bool load_holds(struct loader *l, const struct yaml_node *node, struct rule *rule, int *verb)
{
	static const char *const words[] = { "first", "every", NULL };
	size_t word;

	if (!yaml_read_word(node, words, l->diag, &word))
		return false;
	*verb = (int)word;
	rule->holds = true;
	return true;
}

/* ---- mistakes that show only when everything is there ---- */

static void check_names(struct loader *l)
{
	const struct policy *p = l->p;
	const struct yaml_node *section = yaml_get(l->root, "pools");

	for (size_t i = 0; i < p->n_pools; i++) {
		if (policy_find_pool(p, p->pools[i].kind) != POLICY_NONE)
			yaml_mistake(
				l->diag, yaml_get(yaml_at(section, i), "kind"),
				"'%s' is the name of a pool; a kind of pools needs a word of its own",
				p->pools[i].kind);
	}
}

static bool is_pool(const struct yaml_node *item)
{
	return strncmp(yaml_text(item), "pool:", 5) == 0;
}

static void check_steps(struct loader *l, const struct rule *rule, const struct yaml_node *then)
{
	for (size_t i = 0; i < yaml_count(then); i++) {
		const struct yaml_node *to = yaml_get(yaml_at(then, i), "to");

		for (size_t k = 0; k < load_items(to); k++) {
			if (!is_pool(load_item(to, k)))
				continue;
			if (!rule->holds)
				yaml_mistake(l->diag, load_item(to, k),
					     "rule '%s' holds no places; a step to a pool needs "
					     "\"holds: first\" or \"holds: every\"",
					     rule->name);
			else if (load_items(to) > 1)
				yaml_mistake(l->diag, load_item(to, k),
					     "a pool has to be the only one in its step");
		}
	}
}

void check_pools(struct loader *l)
{
	const struct policy *p = l->p;

	check_names(l);
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct yaml_node *node = load_nth(l, "rules", i);
		const struct yaml_node *to = yaml_get(node, "to");

		if (p->rules[i].holds && p->n_pools == 0)
			yaml_mistake(l->diag, yaml_get(node, "holds"),
				     "rule '%s' holds places, but this file has no pools",
				     p->rules[i].name);
		if (p->rules[i].holds && (to || p->rules[i].ranked.used))
			yaml_mistake(l->diag, to ? to : yaml_get(node, "ranked"),
				     "rule '%s' asks the keepers of pools; make a second rule for "
				     "whoever else gets it",
				     p->rules[i].name);
		for (size_t k = 0; to && k < load_items(to); k++) {
			if (is_pool(load_item(to, k)))
				yaml_mistake(l->diag, load_item(to, k),
					     "a pool can be asked by 'holds' and in 'then' only");
		}
		check_steps(l, &p->rules[i], yaml_get(node, "then"));
	}
}
