/* What connects participants and bodies: heads, the providers of each support domain, the
 * members of each kind. */
#include "broker/policy/load.h"

#include <string.h>

void load_heads(struct loader *l)
{
	struct policy *p = l->p;
	const char *text;

	for (size_t i = 0; i < p->n_participants; i++) {
		const struct yaml_node *head = yaml_get(load_nth(l, "participants", i), "head");

		if (!head || !yaml_read_text(head, 2 * POLICY_NAME_BYTES - 1, l->diag, &text))
			continue;
		p->participants[i].head = policy_find_mailbox(p, text);
		if (p->participants[i].head == POLICY_NONE)
			load_unknown(l, head, "participant or body/role", p->participant_words);
	}
}

void load_providers(struct loader *l)
{
	struct policy *p = l->p;

	for (size_t d = 0; d < p->n_domains; d++) {
		struct policy_domain *domain = &p->domains[d];
		int *providers = load_alloc(l, p->n_participants, sizeof *providers);

		if (!providers)
			return;
		domain->providers = providers;
		for (size_t i = 0; i < p->n_participants; i++) {
			int rank = p->more[i].ranks ? p->more[i].ranks[d] : 0;

			if (rank == 0)
				continue;
			providers[domain->n_providers++] = (int)i;
			if (rank > domain->n_ranks)
				domain->n_ranks = rank;
		}
		for (int rank = 1; rank <= domain->n_ranks; rank++) {
			domain->step_to[rank] =
				load_format(l, "provider:%s#%d", domain->name, rank);
			if (!domain->step_to[rank])
				return;
		}
	}
}

void load_kind_members(struct loader *l)
{
	struct policy *p = l->p;

	for (size_t k = 0; k < p->n_kinds; k++) {
		struct policy_kind *kind = &p->kinds[k];
		int *participants = load_alloc(l, p->n_participants, sizeof *participants);
		int *bodies = load_alloc(l, p->n_bodies, sizeof *bodies);

		if (!participants || !bodies)
			return;
		for (size_t i = 0; i < p->n_participants; i++) {
			if (p->more[i].kind == (int)k)
				participants[kind->n_participants++] = (int)i;
		}
		for (size_t i = 0; i < p->n_bodies; i++) {
			if (p->roles[i].kind == (int)k)
				bodies[kind->n_bodies++] = (int)i;
		}
		kind->participants = participants;
		kind->bodies = bodies;
	}
}
