/* Applying what becomes of what leavers had, and its place in a snapshot; see leaving.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/leaving.h"
#include "broker/core/mailbox.h"
#include "broker/core/participation.h"
#include "broker/core/snapshot.h"
#include "broker/core/task.h"

void leavers_deinit(struct leavers *ls)
{
	free(ls->all);
	*ls = (struct leavers){ .n = 0 };
}

static enum ieum_err make_room(struct leavers *ls, size_t n)
{
	leavers_deinit(ls);
	if (n == 0)
		return IEUM_E_OK;
	ls->all = calloc(n, sizeof *ls->all);
	return ls->all ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static enum ieum_err add(struct core *c, const struct leaver *l)
{
	struct leavers *ls = &c->leavers;

	if (!state_mailbox(c, l->mailbox) || (l->to && !state_mailbox(c, l->to)) ||
	    l->to == l->mailbox || l->looked_cases > state_mailbox(c, l->mailbox)->n_cases ||
	    (ls->n > 0 && ls->all[ls->n - 1].mailbox >= l->mailbox))
		return IEUM_E_JOURNAL_CORRUPT;
	ls->all[ls->n++] = *l;
	return IEUM_E_OK;
}

enum ieum_err leavers_apply_policy(struct core *c, const Ieum__V1__PolicyChanged *e)
{
	enum ieum_err err = make_room(&c->leavers, e->n_leavers);

	for (size_t i = 0; i < e->n_leavers && !err; i++)
		err = add(c, &(struct leaver){ .mailbox = e->leavers[i]->mailbox,
					       .to = e->leavers[i]->to });
	return err;
}

/* ---- a part of it ---- */

static enum ieum_err withdraw(struct core *c, const Ieum__V1__Left *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_withdrawn && !err; i++) {
		uint32_t dh = state_delivery(c, e->withdrawn[i]);
		err = dh && delivery_at(c, dh)->mailbox == e->mailbox ? mailbox_revoke(c, dh)
								      : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

/* The case is left first: it may have as many members as there is room for. */
static enum ieum_err succeed(struct core *c, const struct applied *a, uint32_t ch,
			     const Ieum__V1__Left *e)
{
	const struct member *old = case_member(case_at(c, ch), e->mailbox);

	if (!old || !e->to)
		return IEUM_E_JOURNAL_CORRUPT;
	bool sent = old->sent, newly = !case_member(case_at(c, ch), e->to), out = old->out;
	enum ieum_err err = case_leave(c, ch,
				       &(struct ended){ .mailbox = e->mailbox,
							.successor = e->to,
							.last_read_at_ms = e->last_read_at_ms });
	if (!err)
		err = case_join(c, ch, e->to, sent);
	/* Nobody reads more in the other's place than that one did. */
	if (!err && newly && out)
		err = participation_end(c, ch, &e->to, 1);
	if (err)
		return err;
	if (!out)
		participation_renew(c, ch, e->to);
	if (case_at(c, ch)->owner == e->mailbox)
		case_at(c, ch)->owner = e->to;
	for (uint32_t th = case_at(c, ch)->open.head; th; th = task_at(c, th)->case_next)
		task_pass_on(task_at(c, th), e->mailbox, e->to);
	struct entry *line =
		apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_HANDED_OVER, 0);
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->successor = e->to;
	return IEUM_E_OK;
}

static enum ieum_err forward(struct core *c, const Ieum__V1__Left *e)
{
	enum ieum_err err = e->n_forward_seqs && !e->to ? IEUM_E_JOURNAL_CORRUPT : IEUM_E_OK;

	for (size_t i = 0; i < e->n_forward_seqs && !err; i++) {
		uint32_t rh = seqmap_get(&c->seqs, e->forward_seqs[i]);
		if (!rh || (referral_at(c, rh)->core_case != 0) != (e->case_id.len > 0))
			return IEUM_E_JOURNAL_CORRUPT;
		uint32_t th = e->case_id.len ? 0 : referral_at(c, rh)->first_task;
		for (; th; th = task_at(c, th)->next)
			if (task_open(task_at(c, th)))
				task_pass_on(task_at(c, th), e->mailbox, e->to);
		err = handover_forward_add(c, e->forward_seqs[i], e->to);
	}
	return err;
}

static void drop_first(struct leavers *ls)
{
	ls->n--;
	memmove(ls->all, ls->all + 1, ls->n * sizeof *ls->all);
	if (ls->n == 0)
		leavers_deinit(ls);
}

enum ieum_err apply_left(struct core *c, const struct applied *a, const Ieum__V1__Left *e)
{
	struct leaver *l = c->leavers.n ? &c->leavers.all[0] : NULL;
	uint32_t ch = e->case_id.len == CORE_ID_BYTES ? state_case(c, e->case_id.data) : 0;

	if (!l || l->mailbox != e->mailbox || l->to != e->to || (e->case_id.len > 0) != (ch > 0) ||
	    e->looked_cases > state_mailbox(c, e->mailbox)->n_cases)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = withdraw(c, e);
	if (!err && ch)
		err = succeed(c, a, ch, e);
	if (!err)
		err = forward(c, e);
	if (e->looked_cases)
		l->looked_cases = e->looked_cases;
	if (e->looked_seq)
		l->looked_seq = e->looked_seq;
	if (e->over)
		drop_first(&c->leavers);
	return err;
}

enum ieum_err leavers_check(const struct core *c, char *what, size_t what_bytes)
{
	for (uint32_t i = 0; i < c->leavers.n; i++) {
		const struct leaver *l = &c->leavers.all[i];
		if (i > 0 && (l->looked_cases || l->looked_seq)) {
			snprintf(what, what_bytes,
				 "it was looked through before its turn: mailbox %u", l->mailbox);
			return IEUM_E_JOURNAL_CORRUPT;
		}
	}
	return IEUM_E_OK;
}

/* ---- snapshots ---- */

enum { LEAVER_NUMBERS = 4 };

enum ieum_err leavers_write(struct snapshot_writing *w, Ieum__V1__SnapshotOrder *m)
{
	const struct leavers *ls = &w->c->leavers;

	m->leavers = snapshot_room(w, (size_t)ls->n * LEAVER_NUMBERS, sizeof *m->leavers);
	if (!m->leavers)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < ls->n; i++) {
		m->leavers[m->n_leavers++] = ls->all[i].mailbox;
		m->leavers[m->n_leavers++] = ls->all[i].to;
		m->leavers[m->n_leavers++] = ls->all[i].looked_cases;
		m->leavers[m->n_leavers++] = ls->all[i].looked_seq;
	}
	return IEUM_E_OK;
}

enum ieum_err leavers_read(struct core *c, const Ieum__V1__SnapshotOrder *m)
{
	enum ieum_err err = m->n_leavers % LEAVER_NUMBERS
				    ? IEUM_E_JOURNAL_CORRUPT
				    : make_room(&c->leavers, m->n_leavers / LEAVER_NUMBERS);

	for (size_t i = 0; i + LEAVER_NUMBERS <= m->n_leavers && !err; i += LEAVER_NUMBERS)
		err = add(c, &(struct leaver){ .mailbox = (uint32_t)m->leavers[i],
					       .to = (uint32_t)m->leavers[i + 1],
					       .looked_cases = (uint32_t)m->leavers[i + 2],
					       .looked_seq = m->leavers[i + 3] });
	return err;
}
