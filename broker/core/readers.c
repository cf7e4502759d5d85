/* Who has read what by a query; see readers.h. */
#include "broker/core/readers.h"

#include <string.h>

static enum ieum_err add_first(struct core *c, uint32_t *list, uint32_t participant, uint64_t seq)
{
	uint32_t h = slab_get(&c->readers);

	if (!h)
		return IEUM_E_NO_MEMORY;
	*(struct reader *)slab_at(&c->readers, h) =
		(struct reader){ .participant = participant, .next = *list, .seq = seq };
	*list = h;
	return IEUM_E_OK;
}

static void take_out(struct core *c, uint32_t *list, uint32_t participant)
{
	for (uint32_t *link = list; *link;) {
		struct reader *r = slab_at(&c->readers, *link);
		if (r->participant == participant) {
			uint32_t h = *link;
			*link = r->next;
			slab_put(&c->readers, h);
			return;
		}
		link = &r->next;
	}
}

enum ieum_err readers_note(struct core *c, const struct applied *a, const Ieum__V1__WasRead *e,
			   uint32_t participant)
{
	bool of_case = strcmp(e->what, "case") == 0;
	enum ieum_err err = IEUM_E_OK;

	if (!of_case && strcmp(e->what, "referral") != 0)
		return IEUM_E_OK;
	for (size_t i = 0; i < e->n_ids && !err; i++) {
		uint32_t *list = NULL;
		uint32_t h;
		if (e->ids[i].len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		/* A case's id is also that of the message which opened it. */
		if (of_case && (h = state_case(c, e->ids[i].data)))
			list = &case_at(c, h)->readers;
		else if (!of_case && (h = state_referral(c, e->ids[i].data)))
			list = &referral_at(c, h)->readers;
		if (!list)
			continue;
		take_out(c, list, participant);
		err = add_first(c, list, participant, a->seq);
		if (!err && !of_case)
			err = sealed_was_read(c, a, h, participant);
	}
	return err;
}

void readers_forget(struct core *c, uint32_t *list)
{
	while (*list) {
		uint32_t next = reader_at(c, *list)->next;
		slab_put(&c->readers, *list);
		*list = next;
	}
}

/* ---- snapshots ---- */

enum ieum_err readers_write(struct snapshot_writing *w, uint32_t list, uint64_t **out, size_t *n)
{
	size_t room = 0;

	for (uint32_t h = list; h; h = reader_at(w->c, h)->next)
		room += 2;
	*out = snapshot_room(w, room, sizeof **out);
	if (!*out)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = list; h; h = reader_at(w->c, h)->next) {
		(*out)[(*n)++] = reader_at(w->c, h)->participant;
		(*out)[(*n)++] = reader_at(w->c, h)->seq;
	}
	return IEUM_E_OK;
}

enum ieum_err readers_read(struct core *c, uint32_t *list, const uint64_t *from, size_t n)
{
	enum ieum_err err = IEUM_E_OK;

	if (n % 2 != 0)
		return IEUM_E_JOURNAL_CORRUPT;
	while (n > 0 && !err) {
		n -= 2;
		err = from[n] > 0 && from[n] <= c->n_participants
			      ? add_first(c, list, (uint32_t)from[n], from[n + 1])
			      : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}
