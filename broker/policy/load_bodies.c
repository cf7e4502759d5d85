/* The section bodies, and with it every mailbox: one per participant, then one per role of
 * each body, with who consumes it. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add_name(struct loader *l, const char *name, int participant, int mailbox, int body)
{
	struct name_entry *entry = load_alloc(l, 1, sizeof *entry);

	if (!entry)
		return;
	*entry = (struct name_entry){
		.name = name, .participant = participant, .mailbox = mailbox, .body = body
	};
	HASH_ADD_KEYPTR(hh, l->p->names, entry->name, strlen(entry->name), entry);
}

/* Index of a new mailbox; there is room for all of them. */
static int add_mailbox(struct loader *l, const char *name, int body, const int *consumers, size_t n)
{
	struct policy *p = l->p;
	int index = (int)p->n_mailboxes++;
	struct policy_mailbox *box = &p->mailboxes[index];

	(void)snprintf(box->name, sizeof box->name, "%s", name);
	box->body = body;
	box->consumers = consumers;
	box->n_consumers = n;
	return index;
}

static void own_mailboxes(struct loader *l)
{
	struct policy *p = l->p;
	int *self = load_alloc(l, p->n_participants, sizeof *self);

	if (!self)
		return;
	for (size_t i = 0; i < p->n_participants; i++) {
		struct policy_participant *who = &p->participants[i];

		self[i] = (int)i;
		who->mailbox = add_mailbox(l, who->name, POLICY_NONE, &self[i], 1);
		p->mailboxes[who->mailbox].title_en = who->title_en;
		p->mailboxes[who->mailbox].title_ko = who->title_ko;
		add_name(l, who->name, (int)i, who->mailbox, POLICY_NONE);
	}
}

/* The members of a role, each a participant; NULL when there is none to trust. */
static int *load_members(struct loader *l, const struct yaml_node *node, size_t *n)
{
	struct policy *p = l->p;
	int *members = load_alloc(l, load_items(node), sizeof *members);
	const char *text;

	*n = 0;
	if (!members)
		return NULL;
	if (yaml_kind(node) == YAML_SEQ && yaml_count(node) == 0) {
		yaml_mistake(l->diag, node,
			     "a role without members; name who fills it, or leave the role out");
		return members;
	}
	for (size_t i = 0; i < load_items(node); i++) {
		const struct yaml_node *item = load_item(node, i);
		bool twice = false;

		if (!yaml_read_text(item, POLICY_NAME_BYTES - 1, l->diag, &text))
			continue;
		int who = policy_find_participant(p, text);
		if (who == POLICY_NONE) {
			load_unknown(l, item, "participant", p->participant_words);
			continue;
		}
		for (size_t k = 0; k < *n; k++)
			twice |= members[k] == who;
		if (twice)
			yaml_mistake(l->diag, item, "'%s' is in this list twice; once is enough",
				     text);
		else
			members[(*n)++] = who;
	}
	return members;
}

static void load_role(struct loader *l, int body, const struct yaml_node *key,
		      const struct yaml_node *node, struct body_role *role)
{
	struct policy *p = l->p;
	char name[POLICY_NAME_BYTES];
	size_t n = 0;
	int *members = load_members(l, node, &n);

	if (!load_name(l, key, '_', name))
		(void)snprintf(name, sizeof name, "#");
	role->name = load_copy(l, name);
	int *mailboxes = load_alloc(l, n + 1, sizeof *mailboxes);
	if (l->no_memory)
		return;
	role->mailboxes = mailboxes;
	if (p->roles[body].each) {
		for (size_t i = 0; i < n; i++)
			mailboxes[role->n_mailboxes++] = p->participants[members[i]].mailbox;
		return;
	}
	const char *full = load_format(l, "%s/%s", p->bodies[body].name, name);
	if (!full)
		return;
	mailboxes[0] = add_mailbox(l, full, body, members, n);
	role->n_mailboxes = 1;
	p->mailboxes[mailboxes[0]].title_en = p->bodies[body].title_en;
	p->mailboxes[mailboxes[0]].title_ko = p->bodies[body].title_ko;
	add_name(l, full, POLICY_NONE, mailboxes[0], POLICY_NONE);
}

static void gather_mailboxes(struct loader *l, int body)
{
	struct policy *p = l->p;
	const struct body_roles *roles = &p->roles[body];
	size_t most = 0, n = 0;

	for (size_t i = 0; i < roles->n_roles; i++)
		most += roles->roles[i].n_mailboxes;
	int *all = load_alloc(l, most, sizeof *all);
	if (!all)
		return;
	for (size_t i = 0; i < roles->n_roles; i++) {
		for (size_t k = 0; k < roles->roles[i].n_mailboxes; k++) {
			int box = roles->roles[i].mailboxes[k];
			bool twice = false;

			for (size_t j = 0; j < n; j++)
				twice |= all[j] == box;
			if (!twice)
				all[n++] = box;
		}
	}
	p->bodies[body].mailboxes = all;
	p->bodies[body].n_mailboxes = n;
}

static void load_roles(struct loader *l, int body, const struct yaml_node *node)
{
	struct body_roles *roles = &l->p->roles[body];
	const struct yaml_node *section = yaml_require(node, "roles", l->diag);

	if (!section)
		return;
	if (yaml_kind(section) != YAML_MAP || yaml_count(section) < 1 ||
	    yaml_count(section) > POLICY_ROLES_MAX) {
		yaml_mistake(
			l->diag, section,
			"body '%s' needs 1 to %d roles with their members, for example {police: [gimpo-ps]}",
			l->p->bodies[body].name, POLICY_ROLES_MAX);
		return;
	}
	struct body_role *all = load_alloc(l, yaml_count(section), sizeof *all);
	if (!all)
		return;
	roles->roles = all;
	for (size_t i = 0; i < yaml_count(section); i++) {
		load_role(l, body, yaml_key_at(section, i), yaml_at(section, i), &all[i]);
		if (l->no_memory)
			return;
		roles->n_roles++;
	}
	gather_mailboxes(l, body);
}

static void load_lead(struct loader *l, int body, const struct yaml_node *node, const char *key)
{
	struct body_roles *roles = &l->p->roles[body];
	const struct yaml_node *lead = yaml_get(node, key);
	const char *words[POLICY_ROLES_MAX + 1] = { NULL };
	const char *text;

	if (!lead || !yaml_read_text(lead, POLICY_NAME_BYTES - 1, l->diag, &text))
		return;
	for (size_t i = 0; i < roles->n_roles; i++) {
		words[i] = roles->roles[i].name;
		if (strcmp(text, roles->roles[i].name) == 0)
			roles->lead = &roles->roles[i];
	}
	if (!roles->lead) {
		load_unknown(l, lead, "role of this body", words);
	} else if (roles->lead->n_mailboxes != 1) {
		yaml_mistake(l->diag, lead, "%s '%s' has %zu members; one must be responsible", key,
			     text, roles->lead->n_mailboxes);
	} else {
		l->p->bodies[body].lead = roles->lead->mailboxes[0];
	}
}

static void load_body(struct loader *l, int index, const struct yaml_node *key,
		      const struct yaml_node *node)
{
	struct policy *p = l->p;
	struct policy_body *body = &p->bodies[index];
	const struct yaml_node *kind, *jurisdiction = yaml_get(node, "jurisdiction");
	const char *text;
	size_t mode = 0;

	body->lead = POLICY_NONE;
	p->roles[index].kind = POLICY_NONE;
	memcpy(body->jurisdiction, p->jurisdiction, sizeof body->jurisdiction);
	if (!yaml_schema_check(node, &schema_body, l->diag) && yaml_kind(node) != YAML_MAP)
		return;
	kind = yaml_require(node, "kind", l->diag);
	if (kind && yaml_read_text(kind, POLICY_NAME_BYTES - 1, l->diag, &text)) {
		p->roles[index].kind = policy_find_kind(p, text, strlen(text));
		if (p->roles[index].kind == POLICY_NONE)
			load_unknown(l, kind, "kind", p->kind_words);
		(void)snprintf(body->kind, sizeof body->kind, "%s", text);
	}
	load_title(l, node, &body->title_en, &body->title_ko);
	if (jurisdiction)
		(void)load_jurisdiction(l, jurisdiction, body->jurisdiction);
	(void)yaml_schema_opt_word(node, &schema_body, "mode", l->diag, &mode);
	p->roles[index].each = mode == 1;
	load_roles(l, index, node);
	if (yaml_get(node, "lead") && yaml_get(node, "convener"))
		yaml_mistake(l->diag, key,
			     "body '%s' has a lead and a convener; one must be responsible",
			     body->name);
	load_lead(l, index, node, yaml_get(node, "convener") ? "convener" : "lead");
}

/* Which mailboxes each participant consumes: its own, then those of its roles. */
static void consumed_mailboxes(struct loader *l)
{
	struct policy *p = l->p;
	size_t *counts = load_alloc(l, p->n_participants, sizeof *counts);

	if (!counts)
		return;
	for (size_t i = 0; i < p->n_mailboxes; i++) {
		for (size_t k = 0; k < p->mailboxes[i].n_consumers; k++)
			counts[p->mailboxes[i].consumers[k]]++;
	}
	for (size_t i = 0; i < p->n_participants; i++) {
		p->participants[i].mailboxes = load_alloc(l, counts[i], sizeof(int));
		if (l->no_memory)
			return;
	}
	/* A participant's own mailbox has the smallest index of all it consumes. */
	for (size_t i = 0; i < p->n_mailboxes; i++) {
		for (size_t k = 0; k < p->mailboxes[i].n_consumers; k++) {
			struct policy_participant *who =
				&p->participants[p->mailboxes[i].consumers[k]];

			((int *)who->mailboxes)[who->n_mailboxes++] = (int)i;
		}
	}
}

/* Upper bound of mailboxes; 0 after a mistake. */
static size_t count_mailboxes(struct loader *l, const struct yaml_node *section)
{
	size_t n = l->p->n_participants;

	for (size_t i = 0; i < yaml_count(section); i++)
		n += yaml_count(yaml_get(yaml_at(section, i), "roles"));
	if (n <= POLICY_MAILBOXES_MAX)
		return n;
	yaml_mistake(l->diag, section,
		     "%zu mailboxes of participants and roles; at most %d are allowed", n,
		     POLICY_MAILBOXES_MAX);
	return 0;
}

void load_bodies(struct loader *l)
{
	const struct yaml_node *section = yaml_get(l->root, "bodies");
	struct policy *p = l->p;
	size_t most, n = 0;

	if (section)
		section = load_section(l, "bodies", YAML_MAP, POLICY_BODIES_MAX);
	most = count_mailboxes(l, section);
	if (most > 0)
		n = yaml_count(section);
	p->mailboxes = load_alloc(l, most, sizeof *p->mailboxes);
	p->bodies = load_alloc(l, n, sizeof *p->bodies);
	p->roles = load_alloc(l, n, sizeof *p->roles);
	p->body_words = load_alloc(l, n + 1, sizeof *p->body_words);
	if (l->no_memory || most == 0)
		return;
	own_mailboxes(l);
	for (size_t i = 0; i < n && !l->no_memory; i++) {
		struct policy_body *body = &p->bodies[i];
		const struct yaml_node *key = yaml_key_at(section, i);

		if (!load_name(l, key, '-', body->name))
			(void)snprintf(body->name, sizeof body->name, "#%zu", i);
		if (policy_find_participant(p, body->name) != POLICY_NONE)
			yaml_mistake(
				l->diag, key,
				"'%s' is a participant already; a body needs a name of its own",
				body->name);
		else
			add_name(l, body->name, POLICY_NONE, POLICY_NONE, (int)i);
		p->body_words[i] = body->name;
		p->n_bodies++;
		load_body(l, (int)i, key, yaml_at(section, i));
	}
	if (!l->no_memory)
		consumed_mailboxes(l);
}
