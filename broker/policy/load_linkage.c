/* The section linkage: which blind signals are put together, and who learns of a set. */
#include "broker/policy/load.h"

#include <string.h>

#include "broker/policy/route.h"
#include "ieum/v1/types.pb-c.h"

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
	(void)yaml_opt_bool(node, "category_only", l->diag, &linkage->is.category_only);
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
		check_tells(l, i);
	for (size_t i = 0; l->p->n_linkages > 0 && i < l->p->n_rules; i++)
		check_alone(l, &l->p->rules[i]);
}
