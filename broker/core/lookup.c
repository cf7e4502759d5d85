/* Hash index; see lookup.h. */
#include "broker/core/lookup.h"

#include <assert.h>
#include <stdlib.h>

enum {
	LOOKUP_FIRST_SLOTS = 64,
	LOOKUP_MOVE_PER_ADD = 8, /* empties the old table long before the new one is full */
};
/* Was in `old`, is no more: look-ups go on past it. */
#define LOOKUP_GONE UINT32_MAX

void lookup_init(struct lookup *ix)
{
	*ix = (struct lookup){ 0 };
}

void lookup_deinit(struct lookup *ix)
{
	free(ix->now.slots);
	free(ix->old.slots);
	lookup_init(ix);
}

static void table_add(struct lookup_table *t, uint32_t tag, uint32_t item)
{
	uint32_t at = tag & t->mask;

	assert(t->slots);
	while (t->slots[at].item)
		at = (at + 1) & t->mask;
	t->slots[at] = (struct lookup_slot){ tag, item };
	t->used++;
}

static void lookup_move(struct lookup *ix, uint32_t slots)
{
	struct lookup_table *old = &ix->old;

	while (old->slots && slots-- > 0) {
		struct lookup_slot *s = &old->slots[ix->moved];
		if (s->item && s->item != LOOKUP_GONE) {
			table_add(&ix->now, s->tag, s->item);
			s->item = LOOKUP_GONE;
		}
		if (ix->moved++ == old->mask) {
			free(old->slots);
			*old = (struct lookup_table){ 0 };
		}
	}
}

static enum ieum_err lookup_grow(struct lookup *ix)
{
	uint32_t slots = ix->now.slots ? 2 * (ix->now.mask + 1) : LOOKUP_FIRST_SLOTS;

	if (slots == 0)
		return IEUM_E_NO_MEMORY;
	lookup_move(ix, UINT32_MAX);
	struct lookup_slot *more = calloc(slots, sizeof *more);
	if (!more)
		return IEUM_E_NO_MEMORY;
	ix->old = ix->now;
	ix->moved = 0;
	ix->now = (struct lookup_table){ .slots = more, .mask = slots - 1 };
	return IEUM_E_OK;
}

enum ieum_err lookup_add(struct lookup *ix, uint64_t hash, uint32_t item)
{
	if (!ix->now.slots || ix->now.used >= (ix->now.mask + 1) / 4 * 3) {
		enum ieum_err err = lookup_grow(ix);
		if (err)
			return err;
	}
	lookup_move(ix, LOOKUP_MOVE_PER_ADD);
	table_add(&ix->now, (uint32_t)hash, item);
	ix->n++;
	return IEUM_E_OK;
}

/* Closes the gap at `hole` so that no look-up stops before its key. */
static void table_close(struct lookup_table *t, uint32_t hole)
{
	uint32_t at = hole;

	for (;;) {
		at = (at + 1) & t->mask;
		if (!t->slots[at].item)
			break;
		uint32_t home = t->slots[at].tag & t->mask;
		if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
			t->slots[hole] = t->slots[at];
			hole = at;
		}
	}
	t->slots[hole].item = 0;
	t->used--;
}

static bool table_find(const struct lookup_table *t, uint32_t tag, uint32_t item, uint32_t *at)
{
	if (!t->slots)
		return false;
	for (*at = tag & t->mask; t->slots[*at].item; *at = (*at + 1) & t->mask)
		if (t->slots[*at].item == item)
			return true;
	return false;
}

bool lookup_remove(struct lookup *ix, uint64_t hash, uint32_t item)
{
	uint32_t at;

	if (table_find(&ix->now, (uint32_t)hash, item, &at))
		table_close(&ix->now, at);
	else if (table_find(&ix->old, (uint32_t)hash, item, &at))
		ix->old.slots[at].item = LOOKUP_GONE;
	else
		return false;
	ix->n--;
	return true;
}

uint32_t lookup_next(struct lookup_probe *p)
{
	for (;;) {
		const struct lookup_table *t = p->in_old ? &p->in->old : &p->in->now;
		while (t->slots && t->slots[p->at].item) {
			const struct lookup_slot *s = &t->slots[p->at];
			p->at = (p->at + 1) & t->mask;
			if (s->tag == p->tag && s->item != LOOKUP_GONE)
				return s->item;
		}
		if (p->in_old)
			return 0;
		p->in_old = true;
		p->at = p->tag & p->in->old.mask;
	}
}

uint32_t lookup_first(const struct lookup *ix, uint64_t hash, struct lookup_probe *p)
{
	*p = (struct lookup_probe){ .in = ix, .tag = (uint32_t)hash };
	p->at = p->tag & ix->now.mask;
	return lookup_next(p);
}
