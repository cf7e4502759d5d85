/* The sections kinds and participants: who takes part and what each may send. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

#include "ieum/v1/types.pb-c.h"

static const uint64_t ALL_TYPES = ((UINT64_C(1) << POLICY_TYPES) - 1) & ~UINT64_C(1);

/* `all`, `none`, a list of types, or {all_except: [types]}. */
static void load_may_send(struct loader *l, const struct yaml_node *node, struct policy_kind *kind)
{
	const ProtobufCEnumDescriptor *types = &ieum__v1__message_type__descriptor;
	const char *text = yaml_text(node);
	uint64_t bits = 0;

	if (text && strcmp(text, "all") == 0) {
		kind->may_send = ALL_TYPES;
	} else if (text && strcmp(text, "none") == 0) {
		kind->says_none = true;
	} else if (yaml_kind(node) == YAML_MAP) {
		const struct yaml_node *except = NULL;

		if (yaml_schema_check(node, &schema_may_send, l->diag))
			except = yaml_require(node, "all_except", l->diag);
		if (!except || !load_enum_bits(l, except, types, "message type", &bits))
			return;
		kind->may_send = ALL_TYPES & ~bits;
		if (kind->may_send == 0)
			yaml_mistake(
				l->diag, node,
				"kind '%s' may send nothing; write \"may_send: none\" if it only looks",
				kind->name);
	} else if (yaml_kind(node) == YAML_SEQ && yaml_count(node) == 0) {
		yaml_mistake(
			l->diag, node,
			"kind '%s' may send nothing; write \"may_send: none\" if it only looks",
			kind->name);
	} else if (load_enum_bits(l, node, types, "message type", &bits)) {
		kind->may_send = bits;
	}
}

/* Who hears no more than the state of what it sent could not read the case it became either. */
static void load_reading(struct loader *l, const struct yaml_node *node, struct policy_kind *kind)
{
	size_t hears = 0, reads = 0;

	(void)yaml_schema_opt_word(node, &schema_kind, "hears", l->diag, &hears);
	(void)yaml_schema_opt_word(node, &schema_kind, "reads", l->diag, &reads);
	kind->hears_status = hears == 1;
	kind->reads_nothing = reads == 1 || hears == 1;
}

void load_kinds(struct loader *l)
{
	const struct yaml_node *kinds = load_section(l, "kinds", YAML_MAP, POLICY_KINDS_MAX);
	struct policy *p = l->p;
	char name[POLICY_NAME_BYTES];

	p->kinds = load_alloc(l, yaml_count(kinds), sizeof *p->kinds);
	p->kind_words = load_alloc(l, yaml_count(kinds) + 1, sizeof *p->kind_words);
	if (l->no_memory)
		return;
	for (size_t i = 0; i < yaml_count(kinds); i++) {
		const struct yaml_node *node = yaml_at(kinds, i);
		struct policy_kind *kind = &p->kinds[i];

		if (!load_name(l, yaml_key_at(kinds, i), '_', name))
			(void)snprintf(name, sizeof name, "#%zu", i);
		kind->name = load_copy(l, name);
		if (l->no_memory)
			return;
		p->kind_words[p->n_kinds++] = kind->name;
		if (!yaml_schema_check(node, &schema_kind, l->diag))
			continue;
		load_title(l, node, &kind->title_en, &kind->title_ko);
		const struct yaml_node *may_send = yaml_require(node, "may_send", l->diag);
		if (may_send)
			load_may_send(l, may_send, kind);
		load_reading(l, node, kind);
	}
}

static void load_served_domains(struct loader *l, const struct yaml_node *node, size_t index)
{
	struct policy *p = l->p;
	const struct yaml_node *list = yaml_get(node, "domains");
	const struct yaml_node *ranks = yaml_get(node, "ranks");
	struct policy_participant *who = &p->participants[index];
	uint8_t *rank_of = load_alloc(l, p->n_domains, sizeof *rank_of);
	const char **served = load_alloc(l, p->n_domains, sizeof *served);
	int64_t rank;

	if (!rank_of || !served)
		return;
	p->more[index].ranks = rank_of;
	who->domains = served;
	if (list && !yaml_check_seq(list, 1, POLICY_DOMAINS_MAX, l->diag))
		list = NULL;
	for (size_t i = 0; i < yaml_count(list); i++) {
		const struct yaml_node *item = yaml_at(list, i);
		const char *text;

		if (!yaml_read_text(item, POLICY_NAME_BYTES, l->diag, &text))
			continue;
		int domain = policy_find_domain(p, text, strlen(text));
		if (domain == POLICY_NONE) {
			load_unknown(l, item, "support domain", p->domain_words);
		} else if (rank_of[domain]) {
			yaml_mistake(l->diag, item, "'%s' is in this list twice; once is enough",
				     text);
		} else {
			rank_of[domain] = 1;
			served[who->n_domains++] = p->domains[domain].name;
		}
	}
	if (ranks && yaml_kind(ranks) != YAML_MAP) {
		yaml_mistake(l->diag, ranks, "'ranks' must be a map, for example {legal: 2}");
		return;
	}
	for (size_t i = 0; i < yaml_count(ranks); i++) {
		const struct yaml_node *key = yaml_key_at(ranks, i);
		int domain = policy_find_domain(p, yaml_text(key), yaml_text_len(key));

		if (domain == POLICY_NONE || !rank_of[domain])
			yaml_mistake(l->diag, key,
				     "a rank in '%s', which is not in this participant's domains",
				     yaml_text(key));
		else if (yaml_read_int(yaml_at(ranks, i), 1, POLICY_RANKS_MAX, l->diag, &rank))
			rank_of[domain] = (uint8_t)rank;
	}
}

static void load_views(struct loader *l, const struct yaml_node *views, unsigned *out)
{
	static const char *const words[] = { "queues", "drill", NULL };
	size_t view;

	if (!views || !yaml_check_seq(views, 1, 2, l->diag))
		return;
	for (size_t i = 0; i < yaml_count(views); i++) {
		if (yaml_read_word(yaml_at(views, i), words, l->diag, &view))
			*out |= 1U << view;
	}
}

static void load_kind_of(struct loader *l, const struct yaml_node *node, size_t index)
{
	struct policy *p = l->p;
	struct policy_participant *who = &p->participants[index];
	const struct yaml_node *kind = yaml_require(node, "kind", l->diag);
	const char *text;

	p->more[index].kind = POLICY_NONE;
	if (!kind || !yaml_read_text(kind, POLICY_NAME_BYTES - 1, l->diag, &text))
		return;
	p->more[index].kind = policy_find_kind(p, text, strlen(text));
	if (p->more[index].kind == POLICY_NONE) {
		load_unknown(l, kind, "kind", p->kind_words);
		return;
	}
	(void)snprintf(who->kind, sizeof who->kind, "%s", text);
	who->may_send = p->kinds[p->more[index].kind].may_send;
	who->hears_status = p->kinds[p->more[index].kind].hears_status;
	who->reads_nothing = p->kinds[p->more[index].kind].reads_nothing;
}

/* `jurisdiction: "41390"`, or several, the participant's own first. */
static void load_where(struct loader *l, const struct yaml_node *node,
		       struct policy_participant *who)
{
	const struct yaml_node *one = yaml_get(node, "jurisdiction");
	const struct yaml_node *list = yaml_get(node, "jurisdictions");
	char code[sizeof who->jurisdiction];

	if (one)
		(void)load_jurisdiction(l, one, who->jurisdiction);
	if (!list || !yaml_check_seq(list, 1, POLICY_JURISDICTIONS_MAX, l->diag))
		return;
	if (one)
		yaml_mistake(l->diag, list,
			     "'jurisdiction' and 'jurisdictions' together; write one of them, in a "
			     "list its own first");
	const char **elsewhere = load_alloc(l, yaml_count(list), sizeof *elsewhere);
	if (!elsewhere)
		return;
	who->elsewhere = elsewhere;
	for (size_t i = 0; i < yaml_count(list); i++) {
		if (!load_jurisdiction(l, yaml_at(list, i), code))
			continue;
		if (i == 0)
			memcpy(who->jurisdiction, code, sizeof code);
		else
			elsewhere[who->n_elsewhere++] = load_copy(l, code);
	}
}

static void load_participant(struct loader *l, const struct yaml_node *node, size_t index)
{
	struct policy_participant *who = &l->p->participants[index];
	int64_t rate = 0;

	who->head = POLICY_NONE;
	who->title_en = who->title_ko = "";
	memcpy(who->jurisdiction, l->p->jurisdiction, sizeof who->jurisdiction);
	if (!yaml_schema_check(node, &schema_participant, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	load_kind_of(l, node, index);
	load_title(l, node, &who->title_en, &who->title_ko);
	memcpy(who->agency, who->name, sizeof who->agency);
	if (yaml_get(node, "agency"))
		(void)load_name(l, yaml_get(node, "agency"), '-', who->agency);
	load_where(l, node, who);
	load_served_domains(l, node, index);
	load_languages(l, yaml_get(node, "languages"), &l->p->more[index]);
	load_agreement(l, yaml_get(node, "agreement"), who);
	load_views(l, yaml_get(node, "views"), &who->views);
	if (yaml_get(node, "gateway"))
		(void)yaml_read_bool(yaml_get(node, "gateway"), l->diag, &who->gateway);
	if (yaml_schema_opt_int(node, &schema_participant, "rate_per_s", l->diag, &rate))
		who->rate_per_s = (uint32_t)rate;
}

void load_participants(struct loader *l)
{
	const struct yaml_node *section =
		load_section(l, "participants", YAML_MAP, POLICY_PARTICIPANTS_MAX);
	size_t n = yaml_count(section);
	struct policy *p = l->p;

	p->participants = load_alloc(l, n, sizeof *p->participants);
	p->more = load_alloc(l, n, sizeof *p->more);
	p->participant_words = load_alloc(l, n + 1, sizeof *p->participant_words);
	if (l->no_memory)
		return;
	for (size_t i = 0; i < n; i++) {
		struct policy_participant *who = &p->participants[i];

		if (!load_name(l, yaml_key_at(section, i), '-', who->name))
			(void)snprintf(who->name, sizeof who->name, "#%zu", i);
		p->participant_words[i] = who->name;
		p->n_participants++;
		load_participant(l, yaml_at(section, i), i);
	}
}
