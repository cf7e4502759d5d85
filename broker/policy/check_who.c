/* Checks of participants among each other: heads in a circle, domains and ranks that nobody
 * has. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

/* The participant who is the head of another; a role of a body ends the chain. */
static int head_of(const struct policy *p, int participant)
{
	int box = p->participants[participant].head;

	if (box == POLICY_NONE || p->mailboxes[box].body != POLICY_NONE)
		return POLICY_NONE;
	return p->mailboxes[box].consumers[0];
}

/* Writes "a, b, a" when the heads lead back to where they began. */
static bool is_circle(const struct policy *p, int from, char *chain, size_t chain_bytes)
{
	int who = from;
	size_t used = (size_t)snprintf(chain, chain_bytes, "%s", p->participants[from].name);

	for (size_t i = 0; i < p->n_participants; i++) {
		who = head_of(p, who);
		/* Each circle is told once, at its first participant. */
		if (who == POLICY_NONE || who < from)
			return false;
		if (used < chain_bytes)
			used += (size_t)snprintf(chain + used, chain_bytes - used, ", %s",
						 p->participants[who].name);
		if (who == from)
			return true;
	}
	return false;
}

void check_heads(struct loader *l)
{
	char chain[200];

	for (size_t i = 0; i < l->p->n_participants; i++) {
		if (is_circle(l->p, (int)i, chain, sizeof chain))
			yaml_mistake(
				l->diag, yaml_get(load_nth(l, "participants", i), "head"),
				"the heads go in a circle (%s): silence would never reach anyone new",
				chain);
	}
}

static bool someone_has_rank(const struct policy *p, size_t domain, int rank, const char *code)
{
	for (size_t i = 0; i < p->n_participants; i++) {
		if (p->more[i].ranks[domain] == rank &&
		    policy_covers(p->participants[i].jurisdiction, code))
			return true;
	}
	return false;
}

static void check_ranks(struct loader *l, size_t domain)
{
	const struct policy *p = l->p;
	const char *name = p->domains[domain].name;

	for (size_t i = 0; i < p->n_participants; i++) {
		int rank = p->more[i].ranks[domain];
		const struct yaml_node *ranks = yaml_get(load_nth(l, "participants", i), "ranks");

		if (rank > 1 &&
		    !someone_has_rank(p, domain, rank - 1, p->participants[i].jurisdiction))
			yaml_mistake(l->diag, yaml_get(ranks, name),
				     "'%s' has rank %d in '%s', but nobody in %s has rank %d; "
				     "ranks go 1, 2, 3 without gaps",
				     p->participants[i].name, rank, name,
				     p->participants[i].jurisdiction, rank - 1);
	}
}

void check_providers(struct loader *l)
{
	const struct policy *p = l->p;

	for (size_t d = 0; d < p->n_domains; d++) {
		if (p->domains[d].n_providers == 0)
			yaml_mistake(l->diag, yaml_at(yaml_get(l->root, "domains"), d),
				     "nobody serves support domain '%s'; give it to a participant "
				     "(\"domains: [%s]\") or leave it out",
				     p->domains[d].name, p->domains[d].name);
		check_ranks(l, d);
	}
}
