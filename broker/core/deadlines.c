/* Moments in order; see deadlines.h. */
#include "broker/core/deadlines.h"

static int compare(const struct deadline *a, const struct deadline *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return a->tie < b->tie ? -1 : a->tie > b->tie;
}

RB_PROTOTYPE(deadline_tree, deadline, link, compare)
RB_GENERATE(deadline_tree, deadline, link, compare)

void deadlines_init(struct deadlines *d)
{
	slab_init(&d->nodes, sizeof(struct deadline));
	RB_INIT(&d->tree);
}

void deadlines_deinit(struct deadlines *d)
{
	slab_deinit(&d->nodes);
}

static struct deadline *node_at(const struct deadlines *d, uint32_t node)
{
	return slab_at(&d->nodes, node);
}

enum ieum_err deadlines_set(struct deadlines *d, uint32_t *node, const struct deadline *what)
{
	if (*node) {
		struct deadline *old = node_at(d, *node);
		if (old->at_ms == what->at_ms && old->tie == what->tie)
			return IEUM_E_OK;
		deadline_tree_RB_REMOVE(&d->tree, old);
		if (!what->at_ms) {
			slab_put(&d->nodes, *node);
			*node = 0;
			return IEUM_E_OK;
		}
	} else if (what->at_ms) {
		*node = slab_get(&d->nodes);
		if (!*node)
			return IEUM_E_NO_MEMORY;
	} else {
		return IEUM_E_OK;
	}
	struct deadline *new = node_at(d, *node);
	*new = *what;
	new->node = *node;
	deadline_tree_RB_INSERT(&d->tree, new);
	return IEUM_E_OK;
}

const struct deadline *deadlines_next(const struct deadline *at)
{
	return deadline_tree_RB_NEXT((struct deadline *)at); /* the macros know no const */
}

const struct deadline *deadlines_after(const struct deadlines *d, int64_t at_ms, uint64_t tie)
{
	struct deadline from = { .at_ms = at_ms, .tie = tie };
	struct deadline_tree *tree =
		(struct deadline_tree *)&d->tree; /* the macros know no const */
	struct deadline *found = deadline_tree_RB_NFIND(tree, &from);

	if (found && compare(found, &from) == 0)
		found = deadline_tree_RB_NEXT(found);
	return found;
}
