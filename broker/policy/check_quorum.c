/* Requests that several have to approve: are there so many whom the rule can ask? */
#include "broker/policy/load.h"

#include <string.h>

#include "broker/policy/route.h"
#include "proto/catalog.h"

enum { ADDRESS_BYTES_MAX = 256 };

/* Everyone whom a rule may come to ask, by participant. */
struct approvers {
	const struct policy *p;
	bool *is_in;
	bool anyone; /* only the message says who */
};

static void add_mailbox(struct approvers *a, int mailbox)
{
	const struct policy_mailbox *m = &a->p->mailboxes[mailbox];

	for (size_t i = 0; i < m->n_consumers; i++)
		a->is_in[m->consumers[i]] = true;
}

static void add_head(struct approvers *a, int participant)
{
	int head = a->p->participants[participant].head;

	if (head != POLICY_NONE)
		add_mailbox(a, head);
}

/* Of each who is in by now. */
static void add_heads(struct approvers *a)
{
	bool was_in[POLICY_PARTICIPANTS_MAX];

	memcpy(was_in, a->is_in, a->p->n_participants * sizeof *was_in);
	for (size_t i = 0; i < a->p->n_participants; i++)
		if (was_in[i])
			add_head(a, (int)i);
}

static void add_kind(struct approvers *a, const struct policy_kind *kind)
{
	for (size_t i = 0; i < kind->n_participants; i++)
		a->is_in[kind->participants[i]] = true;
	for (size_t i = 0; i < kind->n_bodies; i++) {
		const struct policy_body *body = policy_body(a->p, kind->bodies[i]);
		for (size_t k = 0; k < body->n_mailboxes; k++)
			add_mailbox(a, body->mailboxes[k]);
	}
}

static void add_address(struct approvers *a, const struct address *to)
{
	const struct policy_context nobody = { .sender = POLICY_NONE, .case_owner = POLICY_NONE };
	struct mailbox_list list;
	struct scope s;

	switch (to->kind) {
	case ADDRESS_SENDER: return; /* who asks can't approve */
	case ADDRESS_HEAD: add_heads(a); return;
	case ADDRESS_HEAD_OF:
		if (to->index != POLICY_NONE)
			add_head(a, to->index);
		return;
	case ADDRESS_ROLE: add_kind(a, &a->p->kinds[to->index]); return;
	case ADDRESS_PROVIDER:
	case ADDRESS_POOL:
	case ADDRESS_CASE_OWNER:
	case ADDRESS_ADDRESSEES: a->anyone = true; return;
	default: break;
	}
	scope_init(&s, a->p, &nobody);
	mailbox_list_init(&list);
	address_resolve(&s, to, &list);
	for (size_t i = 0; i < list.n; i++)
		add_mailbox(a, list.at[i]);
}

static void add_step(struct approvers *a, const char *to)
{
	char why[ADDRESS_BYTES_MAX];
	struct address address;

	while (*to) {
		size_t len = address_length(to);
		if (address_parse(a->p, to, len, &address, why, sizeof why))
			add_address(a, &address);
		to += len;
		to += strspn(to, ", ");
	}
}

static void find_approvers(struct approvers *a, const struct rule *rule)
{
	a->anyone = rule->ranked.used;
	for (size_t i = 0; i < rule->n_to; i++)
		add_address(a, &rule->to[i]);
	for (size_t i = 0; i < rule->n_steps; i++)
		add_step(a, rule->steps[i].to);
}

static bool same_agency(const struct policy *p, size_t a, size_t b)
{
	return strcmp(p->participants[a].agency, p->participants[b].agency) == 0;
}

/* Is it the first of its agency that may approve, and that agency another than who asks? */
static bool speaks_first(const struct approvers *a, size_t who, size_t sender)
{
	bool first = !same_agency(a->p, who, sender);

	for (size_t i = 0; i < who && first; i++)
		first = !a->is_in[i] || !same_agency(a->p, i, who);
	return first;
}

/* How many can approve what this one asks. */
static size_t count_without(const struct approvers *a, size_t sender, const struct rule *rule)
{
	bool seen[POLICY_KINDS_MAX] = { false };
	size_t n = 0;

	for (size_t i = 0; i < a->p->n_participants; i++) {
		int kind = a->p->more[i].kind;
		if (i == sender || !a->is_in[i] || (rule->quorum_of_kinds && seen[kind]) ||
		    (rule->quorum_of_agencies && !speaks_first(a, i, sender)))
			continue;
		seen[kind] = true;
		n++;
	}
	return n;
}

/* A head that counts as an agency of its own would let one agency approve twice. */
static void check_heads_agency(struct loader *l, const struct approvers *a, const struct rule *rule)
{
	const struct policy *p = l->p;

	for (size_t i = 0; i < p->n_participants; i++) {
		const struct policy_mailbox *m =
			a->is_in[i] && p->participants[i].head != POLICY_NONE
				? &p->mailboxes[p->participants[i].head]
				: NULL;
		for (size_t k = 0; m && k < m->n_consumers; k++) {
			size_t head = (size_t)m->consumers[k];
			const struct yaml_node *node = load_nth(l, "participants", head);
			if (!a->is_in[head] || same_agency(p, i, head) || yaml_get(node, "agency"))
				continue;
			yaml_mistake(l->diag, node,
				     "rule '%s' lets both '%s' and its head '%s' accept: for which "
				     "agency does '%s' speak? say it with 'agency: %s', or with "
				     "its own name if that is another one",
				     rule->name, p->participants[i].name,
				     p->participants[head].name, p->participants[head].name,
				     p->participants[i].agency);
		}
	}
}

static void check_one(struct loader *l, const struct rule *rule, bool *is_in)
{
	struct approvers a = { .p = l->p, .is_in = is_in };
	const struct yaml_node *node = load_nth(l, "rules", (size_t)(rule - l->p->rules));

	memset(is_in, 0, l->p->n_participants * sizeof *is_in);
	find_approvers(&a, rule);
	if (rule->quorum_of_agencies)
		check_heads_agency(l, &a, rule);
	for (size_t i = 0; i < l->p->n_participants && !a.anyone; i++) {
		size_t n = check_may_send(l->p, &rule->when, i) ? count_without(&a, i, rule)
								: rule->quorum;
		if (n >= rule->quorum)
			continue;
		yaml_mistake(l->diag, yaml_get(node, "quorum"),
			     "rule '%s': %u%s have to accept, but only %zu whom it asks can do so "
			     "when '%s' sends it; ask more in 'to' or 'then', or lower 'quorum'",
			     rule->name, rule->quorum,
			     rule->quorum_of_kinds      ? tr(" kinds")
			     : rule->quorum_of_agencies ? tr(" agencies")
							: "",
			     n, l->p->participants[i].name);
		return;
	}
}

/* A slip in the name would make an agency of its own. */
static void check_agency_name(struct loader *l, size_t who)
{
	const struct policy *p = l->p;
	const struct yaml_node *node = yaml_get(load_nth(l, "participants", who), "agency");
	bool known = policy_find_participant(p, p->participants[who].agency) != POLICY_NONE;

	for (size_t i = 0; i < p->n_participants; i++)
		known |= i != who && same_agency(p, i, who);
	if (node && !known)
		load_unknown(l, node, "agency", p->participant_words);
}

void check_quorums(struct loader *l)
{
	for (size_t i = 0; i < l->p->n_participants; i++)
		check_agency_name(l, i);
	bool *is_in = load_alloc(l, l->p->n_participants + 1, sizeof *is_in);

	for (size_t i = 0; is_in && i < l->p->n_rules; i++)
		if (l->p->rules[i].quorum > 1)
			check_one(l, &l->p->rules[i], is_in);
}
