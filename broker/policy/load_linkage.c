/* The section linkage: which blind signals are put together, and who learns of a set. */
#include "broker/policy/load.h"

#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/types.pb-c.h"

enum {
	TEXT_BYTES_MAX = 500, /* of an article, or of a text that may be said */
	ARTICLES_MAX = 512,
	MAY_SAY_MAX = 256,
};

static const struct yaml_node *needed_duration(struct loader *l, const struct yaml_node *node,
					       const char *key, const char **out)
{
	const struct yaml_node *value = yaml_require(node, key, l->diag);
	struct yaml_duration duration;

	*out = "";
	if (value)
		(void)load_within(l, value, &duration, out);
	return value;
}

static void load_tells(struct loader *l, const struct yaml_node *node, struct linkage *linkage)
{
	const struct yaml_node *tells = yaml_require(node, "tells", l->diag);
	struct address *address = load_alloc(l, 1, sizeof *address);

	linkage->is.tells = "";
	if (!tells || !address || !load_address(l, tells, address))
		return;
	linkage->is.tells = load_copy(l, yaml_text(tells));
	linkage->tells = address;
}

/* A list of different texts, copied. */
static size_t load_texts(struct loader *l, const struct yaml_node *list, size_t max,
			 const char *const **out)
{
	if (!list || !yaml_check_seq(list, 1, max, l->diag))
		return 0;
	size_t n = yaml_count(list);
	const char **texts = load_alloc(l, n + 1, sizeof *texts); /* ends with NULL */
	if (!texts)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *text = "";
		(void)yaml_read_text(yaml_at(list, i), TEXT_BYTES_MAX, l->diag, &text);
		texts[i] = load_copy(l, text);
		if (!texts[i])
			return 0;
		for (size_t k = 0; k < i; k++)
			if (strcmp(texts[k], texts[i]) == 0)
				yaml_mistake(l->diag, yaml_at(list, i),
					     "'%.64s' is in this list twice; once is enough",
					     texts[i]);
	}
	*out = texts;
	return n;
}

void load_legal_bases(struct loader *l)
{
	l->p->n_articles =
		load_texts(l, yaml_get(l->root, "legal_bases"), ARTICLES_MAX, &l->p->articles);
}

static void load_anonymity(struct loader *l, const struct yaml_node *node, struct linkage *linkage)
{
	const struct yaml_node *texts = yaml_get(node, "may_say");

	linkage->gate = load_gate_name(l, node, "gate");
	linkage->n_may_say = load_texts(l, texts, MAY_SAY_MAX, &linkage->may_say);
	(void)yaml_opt_bool(node, "category_only", l->diag, &linkage->is.category_only);
	if (linkage->is.category_only && !yaml_get(node, "gate"))
		yaml_mistake(l->diag, yaml_get(node, "category_only"),
			     "by category alone until which gate is open? say it with 'gate'");
	else if (texts && !yaml_get(node, "gate"))
		yaml_mistake(l->diag, texts, "'may_say' needs 'gate' beside it: until then");
}

static void load_one(struct loader *l, const struct yaml_node *section, size_t i)
{
	const struct yaml_node *node = yaml_at(section, i), *of;
	struct linkage *linkage = &l->p->linkages[i];
	int64_t number = 0;

	linkage->is.within = linkage->is.expires = linkage->is.tells = "";
	linkage->is.tokens_agree = 1;
	linkage->is.agencies = 2;
	if (!load_name(l, yaml_key_at(section, i), '-', linkage->is.name))
		return;
	if (!yaml_schema_check(node, &schema_linkage, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	of = yaml_require(node, "of", l->diag);
	linkage->of.addressed = -1;
	load_condition(l, of, &linkage->of);
	if (yaml_schema_opt_int(node, &schema_linkage, "tokens_agree", l->diag, &number))
		linkage->is.tokens_agree = (uint32_t)number;
	if (yaml_schema_opt_int(node, &schema_linkage, "agencies", l->diag, &number))
		linkage->is.agencies = (uint32_t)number;
	(void)needed_duration(l, node, "within", &linkage->is.within);
	(void)needed_duration(l, node, "expires", &linkage->is.expires);
	load_tells(l, node, linkage);
	load_anonymity(l, node, linkage);
}

void load_linkages(struct loader *l)
{
	const struct yaml_node *section;

	if (!yaml_get(l->root, "linkage"))
		return;
	section = load_section(l, "linkage", YAML_MAP, POLICY_LINKAGES_MAX);
	l->p->linkages = load_alloc(l, yaml_count(section), sizeof *l->p->linkages);
	if (!l->p->linkages)
		return;
	for (size_t i = 0; i < yaml_count(section) && !l->no_memory; i++)
		load_one(l, section, i);
	l->p->n_linkages = yaml_count(section);
}

/* ---- when everything is there ---- */

uint64_t linkages_make(const struct policy *p)
{
	return p->n_linkages
		       ? UINT64_C(1) << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE |
				 UINT64_C(1)
					 << IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_IDENTITY_REQUEST
		       : 0;
}

static bool is_certain(const struct address *a)
{
	switch (a->kind) {
	case ADDRESS_HEAD:
	case ADDRESS_SENDER:
	case ADDRESS_CASE_OWNER:
	case ADDRESS_ADDRESSEES: return false;
	default: return true;
	}
}

static void check_tells(struct loader *l, size_t i)
{
	const struct policy_context nobody = { .sender = POLICY_NONE, .case_owner = POLICY_NONE };
	const struct yaml_node *node = yaml_get(yaml_at(yaml_get(l->root, "linkage"), i), "tells");
	const struct linkage *linkage = &l->p->linkages[i];
	struct mailbox_list list;
	struct scope s;

	scope_init(&s, l->p, &nobody);
	mailbox_list_init(&list);
	if (is_certain(linkage->tells))
		address_resolve(&s, linkage->tells, &list);
	if (list.n != 1)
		yaml_mistake(l->diag, node,
			     "'%s' is not one mailbox; exactly one learns of a linked set, "
			     "for example \"convener:NAME\"",
			     linkage->is.tells);
}

/* How many agencies could ever see one person. */
static void check_agencies(struct loader *l, size_t i)
{
	const struct policy *p = l->p;
	const struct linkage *linkage = &p->linkages[i];
	const struct yaml_node *node = load_nth(l, "linkage", i), *at = yaml_get(node, "agencies");
	size_t n = 0;

	for (size_t k = 0; k < p->n_participants; k++) {
		bool counts = check_may_send(p, &linkage->of, k);

		for (size_t j = 0; j < k && counts; j++)
			counts = !check_may_send(p, &linkage->of, j) ||
				 strcmp(p->participants[j].agency, p->participants[k].agency) != 0;
		n += counts;
	}
	if (n < linkage->is.agencies)
		yaml_mistake(
			l->diag, at ? at : yaml_get(node, "of"),
			"%u agencies make a set known, but only %zu can send such a signal, so "
			"nobody would ever learn of one; admit more in 'of', or lower "
			"'agencies'",
			linkage->is.agencies, n);
}

static bool takes_notice(const struct condition *c)
{
	const uint64_t notice = UINT64_C(1)
				<< IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE;

	return c->types & notice && c->n_senders == 0 && c->addressed != 1 &&
	       (c->sender_kinds == 0 || c->sender_kinds & UINT64_C(1) << POLICY_KIND_HUB);
}

/* Whoever gets the notice learns that the set exists. */
static void check_alone(struct loader *l, const struct rule *rule)
{
	bool others = rule->ranked.used || rule->n_steps > 0 || rule->owner;

	for (size_t i = 0; i < rule->n_to; i++)
		others |= rule->to[i].kind != ADDRESS_CASE_OWNER;
	if (others && takes_notice(&rule->when))
		yaml_mistake(
			l->diag, load_nth(l, "rules", (size_t)(rule - l->p->rules)),
			"rule '%s' would tell others of a linked set; a linked_set_notice goes to "
			"'case_owner' alone, who is the one that 'tells' names",
			rule->name);
}

void check_linkages(struct loader *l)
{
	for (size_t i = 0; i < l->p->n_linkages; i++)
		check_tells(l, i), check_agencies(l, i);
	for (size_t i = 0; l->p->n_linkages > 0 && i < l->p->n_rules; i++)
		check_alone(l, &l->p->rules[i]);
}
