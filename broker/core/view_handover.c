/* Changes of jurisdiction: the dry run, how far one is, and which there are.
 *
 * A dry run goes along the old one's list of cases, newest first, and each page tells of those
 * that it looked at: whoever asks adds the pages up. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/view.h"

/* ---- who may ask ---- */

static bool may_announce(const struct viewing *w)
{
	return w->who.who->may_send >> IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_JURISDICTION_CHANGE & 1;
}

static bool may_see(const struct viewing *w, const struct handover *h)
{
	return may_announce(w) || caller_consumes(w->c, w->p, &w->who, h->from) ||
	       caller_consumes(w->c, w->p, &w->who, h->to);
}

/* ---- rows ---- */

static Ieum__V1__HandoverItem *add_item(struct viewing *w, Ieum__V1__HandoverResult *r,
					const uint8_t id[CORE_ID_BYTES],
					const struct handover_row *row)
{
	Ieum__V1__HandoverItem *item = view_alloc(w, sizeof *item);
	uint32_t ch = state_case(w->c, id);

	if (!item)
		return NULL;
	*item = (Ieum__V1__HandoverItem)IEUM__V1__HANDOVER_ITEM__INIT;
	item->case_id = view_id(id);
	/* How it goes on is no business of who takes part no more. */
	if (ch && (may_announce(w) || caller_reads_case(w->p, &w->who, case_at(w->c, ch))))
		item->state = (Ieum__V1__CaseState)case_at(w->c, ch)->state;
	item->open_referrals = row->open_referrals;
	item->clocks = row->clocks;
	item->holds = row->holds;
	r->items[r->n_items++] = item;
	return item;
}

static Ieum__V1__HandoverManifest *add_manifest(struct viewing *w, Ieum__V1__HandoverResult *r,
						const struct handover *h)
{
	Ieum__V1__HandoverManifest *m = view_alloc(w, sizeof *m);

	if (!m)
		return NULL;
	*m = (Ieum__V1__HandoverManifest)IEUM__V1__HANDOVER_MANIFEST__INIT;
	if (h)
		m->change_id = view_id(h->change_id);
	r->manifest = m;
	return m;
}

/* ---- the dry run ---- */

static enum ieum_err put_planned(struct viewing *w, Ieum__V1__HandoverResult *r,
				 const struct handover_plan *plan, const struct core_case *k)
{
	const struct handover_row row = handover_row_of(w->c, k);
	Ieum__V1__HandoverItem *item = add_item(w, r, k->id, &row);
	const char *detail = "";

	if (!item)
		return IEUM_E_NO_MEMORY;
	enum ieum_err obstacle = handover_obstacle(w->c, plan, k, &detail);
	item->error_code = (uint32_t)obstacle;
	item->error = view_text(detail);
	r->errors += obstacle != IEUM_E_OK;
	item->stays = handover_obstacle_stops(obstacle);
	if (item->stays)
		return IEUM_E_OK;
	r->not_accepted++;
	r->manifest->cases++;
	r->manifest->open_referrals += row.open_referrals;
	r->manifest->clocks += row.clocks;
	r->manifest->holds += row.holds;
	return IEUM_E_OK;
}

static enum ieum_err put_plan(struct viewing *w, Ieum__V1__HandoverResult *r,
			      const struct handover_plan *plan, const struct handover *h)
{
	const struct mailbox *from = state_mailbox(w->c, plan->from);
	/* Cursor: how many of the list are left, + 1. */
	uint32_t at = from ? from->n_cases : 0;
	enum ieum_err err = IEUM_E_OK;

	if (!add_manifest(w, r, h))
		return IEUM_E_NO_MEMORY;
	if (w->cursor && w->cursor - 1 < at)
		at = (uint32_t)w->cursor - 1;
	while (at > 0 && !err) {
		if (r->n_items == w->rows || view_tired(w))
			return view_more(w, at + 1U);
		uint32_t ch = from->cases[--at];
		const struct core_case *k = ch ? case_at(w->c, ch) : NULL;
		if (!k)
			continue;
		w->looked += 1 + k->n_open + k->n_clocks;
		if (!case_excludes(k, w->who.participant) && handover_concerns(w->c, plan, k))
			err = put_planned(w, r, plan, k);
	}
	return err;
}

static enum ieum_err find_mailbox(struct viewing *w, const char *name, const char *field,
				  uint32_t *mailbox)
{
	int index = policy_find_participant(w->p, name);

	*mailbox = index == POLICY_NONE ? 0 : core_mailbox_number(w->c, name);
	return *mailbox ? IEUM_E_OK : view_refuse(w, IEUM_E_ADDRESSEE_UNKNOWN, field);
}

static enum ieum_err view_plan(struct viewing *w, const Ieum__V1__HandoverQuery *q,
			       Ieum__V1__HandoverResult *r)
{
	uint32_t from = 0;
	uint32_t to = 0;

	if (!may_announce(w))
		return view_refuse(w, IEUM_E_NOT_PERMITTED,
				   "only who may announce a change may ask what it would do");
	enum ieum_err err = find_mailbox(w, q->from, "query.handover.from", &from);
	if (!err)
		err = find_mailbox(w, q->to, "query.handover.to", &to);
	if (err)
		return err;
	struct handover_plan plan = handover_plan(w->c, w->p, from, to, q->jurisdiction);
	return put_plan(w, r, &plan, NULL);
}

/* ---- one that is going on ---- */

static enum ieum_err put_totals(struct viewing *w, Ieum__V1__HandoverResult *r,
				const struct handover *h)
{
	Ieum__V1__HandoverManifest *m = add_manifest(w, r, h);

	if (!m)
		return IEUM_E_NO_MEMORY;
	m->cases = h->n_cases;
	m->open_referrals = h->open_referrals;
	m->clocks = h->clocks;
	m->holds = h->holds;
	if (h->listed)
		m->digest = (ProtobufCBinaryData){ HANDOVER_DIGEST_BYTES, (uint8_t *)h->digest };
	r->not_accepted = h->n_cases - h->n_accepted - h->n_kept;
	return IEUM_E_OK;
}

static enum ieum_err put_progress(struct viewing *w, Ieum__V1__HandoverResult *r,
				  const struct handover *h)
{
	enum ieum_err err = put_totals(w, r, h);
	uint64_t n = h->cases ? h->n_cases : 0;
	uint64_t at = w->cursor;

	for (; at < n && r->n_items < w->rows && !err; at++) {
		const struct handed_case *k = &h->cases[at];
		uint32_t ch = state_case(w->c, k->row.case_id);
		const struct ended *ended = ch ? handover_ended(case_at(w->c, ch), h->from) : NULL;
		w->looked++;
		if (ch && case_excludes(case_at(w->c, ch), w->who.participant))
			continue;
		Ieum__V1__HandoverItem *item = add_item(w, r, k->row.case_id, &k->row);
		if (!item)
			return IEUM_E_NO_MEMORY;
		item->step = (Ieum__V1__HandoverStep)k->step;
		item->last_read_at_ms = ended ? ended->last_read_at_ms : 0;
	}
	return !err && at < n ? view_more(w, at) : err;
}

static enum ieum_err view_change(struct viewing *w, const Ieum__V1__HandoverQuery *q,
				 Ieum__V1__HandoverResult *r)
{
	const struct handover *h =
		q->change_id.len == CORE_ID_BYTES ? handover_find(w->c, q->change_id.data) : NULL;

	if (!h || !may_see(w, h))
		return view_refuse(w, IEUM_E_REFERRAL_UNKNOWN, "query.handover.change_id");
	view_read_id(w, h->change_id);
	r->step = (Ieum__V1__HandoverStep)h->step;
	if (h->step != HANDOVER_STEP(ANNOUNCED))
		return put_progress(w, r, h);
	struct handover_plan plan = handover_plan(w->c, w->p, h->from, h->to, h->jurisdiction);
	return put_plan(w, r, &plan, h);
}

/* ---- the list of changes ---- */

static enum ieum_err view_changes(struct viewing *w, Ieum__V1__HandoverResult *r)
{
	Ieum__V1__HandoverSummary *rows = view_alloc(w, HANDOVERS_MAX * sizeof *rows);

	r->changes = view_alloc(w, HANDOVERS_MAX * sizeof *r->changes);
	if (!rows || !r->changes)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < w->c->handovers.n; i++) {
		const struct handover *h = w->c->handovers.all[i];
		Ieum__V1__HandoverSummary *row = &rows[r->n_changes];
		if (!may_see(w, h))
			continue;
		*row = (Ieum__V1__HandoverSummary)IEUM__V1__HANDOVER_SUMMARY__INIT;
		row->change_id = view_id(h->change_id);
		row->step = (Ieum__V1__HandoverStep)h->step;
		row->from = view_text(state_mailbox_name(w->c, h->from));
		row->to = view_text(state_mailbox_name(w->c, h->to));
		row->jurisdiction = view_text(h->jurisdiction);
		row->effective_at_ms = h->effective_at_ms;
		row->cases = h->n_cases;
		row->not_accepted = h->n_cases - h->n_accepted - h->n_kept;
		row->kept = h->n_kept;
		r->changes[r->n_changes++] = row;
	}
	return IEUM_E_OK;
}

enum ieum_err view_handover(struct viewing *w, const Ieum__V1__HandoverQuery *q)
{
	Ieum__V1__HandoverResult *r = view_alloc(w, sizeof *r);

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__HandoverResult)IEUM__V1__HANDOVER_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_HANDOVER;
	w->v->result->handover = r;
	r->items = view_alloc(w, w->rows * sizeof *r->items);
	if (!r->items)
		return IEUM_E_NO_MEMORY;
	if (q->change_id.len)
		return view_change(w, q, r);
	return *q->from || *q->to ? view_plan(w, q, r) : view_changes(w, r);
}
