/* Escalation without an end: heads that lead back to where they began through the roles of
 * bodies.  A chain of participants alone is check_heads()'s. */
#include "broker/policy/load.h"

#include <stdio.h>
#include <string.h>

enum { CHAIN_BYTES = 200 };

/* Everyone above one participant: the heads of heads, and whoever sits at such a mailbox. */
struct above {
	bool *is_in; /* by participant */
	int *list;   /* the same in the order of finding */
	int *below;  /* by participant: whose head led to it */
	size_t n;
	bool has_top;  /* somebody in it has no head */
	bool has_role; /* the mailbox of a role is among the heads */
};

static bool above_init(struct loader *l, struct above *a)
{
	a->is_in = load_alloc(l, l->p->n_participants, sizeof *a->is_in);
	a->list = load_alloc(l, l->p->n_participants, sizeof *a->list);
	a->below = load_alloc(l, l->p->n_participants, sizeof *a->below);
	return !l->no_memory;
}

static void add_head_of(const struct policy *p, struct above *a, int who)
{
	int head = p->participants[who].head;

	if (head == POLICY_NONE) {
		a->has_top = true;
		return;
	}
	a->has_role |= p->mailboxes[head].body != POLICY_NONE;
	for (size_t i = 0; i < p->mailboxes[head].n_consumers; i++) {
		int above = p->mailboxes[head].consumers[i];

		if (a->is_in[above])
			continue;
		a->is_in[above] = true;
		a->below[above] = who;
		a->list[a->n++] = above;
	}
}

static void find_above(const struct policy *p, struct above *a, int who)
{
	for (size_t i = 0; i < a->n; i++)
		a->is_in[a->list[i]] = false;
	a->n = 0;
	a->has_top = a->has_role = false;
	add_head_of(p, a, who);
	for (size_t i = 0; i < a->n && !a->has_top; i++)
		add_head_of(p, a, a->list[i]);
}

/* "a, b, a": from the participant up to itself. */
static void write_chain(const struct policy *p, const struct above *a, int who,
			char out[CHAIN_BYTES])
{
	char rest[CHAIN_BYTES];
	int at = who;

	(void)snprintf(out, CHAIN_BYTES, "%s", p->participants[who].name);
	for (size_t i = 0; i <= a->n; i++) {
		at = a->below[at];
		(void)snprintf(rest, sizeof rest, "%s", out);
		(void)snprintf(out, CHAIN_BYTES, "%.60s, %.130s", p->participants[at].name, rest);
		if (at == who)
			return;
	}
}

void check_circles(struct loader *l)
{
	const struct policy *p = l->p;
	struct above a = { 0 };
	char chain[CHAIN_BYTES];

	if (!above_init(l, &a))
		return;
	for (size_t i = 0; i < p->n_participants; i++) {
		bool first = true;

		find_above(p, &a, (int)i);
		/* Everyone above has a head, and i is above itself: nobody is at the top. */
		if (a.has_top || !a.has_role || !a.is_in[i])
			continue;
		/* Each circle is told once, at its first participant. */
		for (size_t k = 0; k < a.n; k++)
			first &= a.list[k] >= (int)i;
		if (!first)
			continue;
		write_chain(p, &a, (int)i, chain);
		yaml_mistake(
			l->diag, yaml_get(load_nth(l, "participants", i), "head"),
			"the heads go in a circle (%s) and nobody in it is at the top: silence "
			"would never reach anyone new",
			chain);
	}
}
