/* The section left: who takes the place of somebody who is in the file no more. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

/* The mailbox by which a participant, a body or a role is reached as one. */
static int mailbox_of(const struct policy *p, const struct name_entry *who)
{
	if (who->body == POLICY_NONE)
		return who->mailbox;
	const struct policy_body *body = &p->bodies[who->body];

	return body->lead == POLICY_NONE && body->n_mailboxes > 0 ? body->mailboxes[0] : body->lead;
}

static void load_leaver(struct loader *l, const struct yaml_node *key, const struct yaml_node *node,
			struct left *left)
{
	struct policy *p = l->p;
	const struct yaml_node *to, *since = yaml_get(node, "since");
	const char *name, *text;
	int64_t day;

	left->mailbox = left->body = POLICY_NONE;
	if (!yaml_schema_check(node, &schema_left, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	if (!yaml_read_text(key, sizeof left->name - 1, l->diag, &name))
		return;
	(void)snprintf(left->name, sizeof left->name, "%s", name);
	if (policy_name(p, name, strlen(name)))
		yaml_mistake(l->diag, key,
			     "'%s' is in this file; only who left it has a successor here", name);
	if (since)
		(void)yaml_read_date(since, l->diag, &day);
	to = yaml_require(node, "to", l->diag);
	if (!to || !yaml_read_text(to, sizeof left->name - 1, l->diag, &text))
		return;
	const struct name_entry *who = policy_name(p, text, strlen(text));
	if (!who) {
		load_unknown(l, to, "participant or body", p->participant_words);
		return;
	}
	left->body = who->body;
	left->mailbox = mailbox_of(p, who);
}

void load_left(struct loader *l)
{
	const struct yaml_node *section;

	if (!yaml_get(l->root, "left"))
		return;
	section = load_section(l, "left", YAML_MAP, POLICY_LEFT_MAX);
	l->p->left = load_alloc(l, yaml_count(section), sizeof *l->p->left);
	if (!l->p->left)
		return;
	for (size_t i = 0; i < yaml_count(section) && !l->no_memory; i++)
		load_leaver(l, yaml_key_at(section, i), yaml_at(section, i), &l->p->left[i]);
	l->p->n_left = yaml_count(section);
}

/* The same role of the body that comes in the place of another. */
static int same_role(const struct policy *p, const struct left *left, const char *role)
{
	char name[2 * POLICY_NAME_BYTES];

	if (left->body == POLICY_NONE)
		return left->mailbox;
	(void)snprintf(name, sizeof name, "%s%s", p->bodies[left->body].name, role);
	const struct name_entry *entry = policy_name(p, name, strlen(name));

	return entry && entry->mailbox != POLICY_NONE ? entry->mailbox : left->mailbox;
}

int policy_left_to(const struct policy *p, const char *mailbox)
{
	const char *role = strchr(mailbox, '/');
	size_t n = role ? (size_t)(role - mailbox) : strlen(mailbox);
	int of_body = POLICY_NONE;

	for (size_t i = 0; i < p->n_left; i++) {
		const struct left *left = &p->left[i];
		if (strcmp(left->name, mailbox) == 0)
			return left->mailbox;
		if (role && strlen(left->name) == n && memcmp(left->name, mailbox, n) == 0)
			of_body = same_role(p, left, role);
	}
	return of_body;
}
