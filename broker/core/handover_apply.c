/* Applying what happens in a hand-over; see handover.h. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/participation.h"
#include "broker/core/readers.h"
#include "broker/core/task.h"

/* ---- what is remembered ---- */

static void handover_free(struct handover *h)
{
	free(h->cases);
	free(h);
}

void handovers_deinit(struct handovers *hs)
{
	for (uint32_t i = 0; i < hs->n; i++)
		handover_free(hs->all[i]);
	free(hs->forwards);
	*hs = (struct handovers){ .n = 0 };
}

/* The oldest that is over makes room; a redirection that no policy needs any more goes with it. */
static bool make_room(struct handovers *hs)
{
	for (uint32_t i = 0; i < hs->n; i++) {
		if (hs->all[i]->step != HANDOVER_STEP(COMPLETED) &&
		    hs->all[i]->step != HANDOVER_STEP(CANCELLED))
			continue;
		handover_free(hs->all[i]);
		hs->n--;
		memmove(&hs->all[i], &hs->all[i + 1], (hs->n - i) * sizeof *hs->all);
		return true;
	}
	return false;
}

struct handover *handovers_add(struct core *c)
{
	struct handovers *hs = &c->handovers;

	if (hs->n == HANDOVERS_MAX && !make_room(hs))
		return NULL;
	struct handover *h = calloc(1, sizeof *h);
	if (h)
		hs->all[hs->n++] = h;
	return h;
}

enum ieum_err handover_forward_add(struct core *c, uint64_t seq, uint32_t mailbox)
{
	struct handovers *hs = &c->handovers;

	if (hs->n_forwards == 0)
		hs->forwards_at = 0;
	if (hs->forwards_at + hs->n_forwards == hs->cap_forwards) {
		uint32_t cap = hs->cap_forwards ? 2 * hs->cap_forwards : 16;
		struct handover_forward *more = realloc(hs->forwards, cap * sizeof *more);
		if (!more)
			return IEUM_E_NO_MEMORY;
		hs->forwards = more;
		hs->cap_forwards = cap;
	}
	hs->forwards[hs->forwards_at + hs->n_forwards++] =
		(struct handover_forward){ .seq = seq, .mailbox = mailbox };
	return IEUM_E_OK;
}

/* ---- announced, and over ---- */

static enum ieum_err apply_announced(struct core *c, const Ieum__V1__HandoverChanged *e)
{
	size_t n = strlen(e->jurisdiction);

	if (handover_find(c, e->change_id.data) || n >= sizeof c->handovers.all[0]->jurisdiction ||
	    !state_mailbox(c, e->from) || !state_mailbox(c, e->to) ||
	    !state_mailbox(c, e->announced_by))
		return IEUM_E_JOURNAL_CORRUPT;
	struct handover *h = handovers_add(c);
	if (!h)
		return IEUM_E_NO_MEMORY;
	h->number = ++c->handovers.last_number;
	memcpy(h->change_id, e->change_id.data, CORE_ID_BYTES);
	memcpy(h->jurisdiction, e->jurisdiction, n + 1);
	h->from = e->from;
	h->to = e->to;
	h->announced_by = e->announced_by;
	h->effective_at_ms = e->effective_at_ms;
	h->step = HANDOVER_STEP(ANNOUNCED);
	return IEUM_E_OK;
}

static enum ieum_err apply_completed(struct handover *h)
{
	if (h->step != HANDOVER_STEP(CUT_OVER) || h->n_accepted + h->n_kept != h->n_cases)
		return IEUM_E_JOURNAL_CORRUPT;
	h->step = HANDOVER_STEP(COMPLETED);
	free(h->cases);
	h->cases = NULL;
	return IEUM_E_OK;
}

static enum ieum_err apply_cancelled(struct handover *h)
{
	h->step = HANDOVER_STEP(CANCELLED);
	free(h->cases);
	h->cases = NULL;
	return IEUM_E_OK;
}

/* ---- the cut-over ---- */

static enum ieum_err tell_state(struct core *c, uint32_t ch, const struct applied *a,
				Ieum__V1__Reason reason)
{
	struct entry *line =
		apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE, 0);

	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = case_at(c, ch)->state;
	line->reason = (uint8_t)reason;
	return IEUM_E_OK;
}

static enum ieum_err apply_cut_over(struct core *c, struct handover *h)
{
	if (h->step != HANDOVER_STEP(ANNOUNCED))
		return IEUM_E_JOURNAL_CORRUPT;
	h->cases = calloc(1, sizeof *h->cases);
	if (!h->cases)
		return IEUM_E_NO_MEMORY;
	h->step = HANDOVER_STEP(CUT_OVER);
	h->to_look = state_mailbox(c, h->from)->n_cases;
	return IEUM_E_OK;
}

static bool enter(struct core *c, const struct applied *a, struct handover *h,
		  const struct handed_case *handed)
{
	uint32_t ch = state_case(c, handed->row.case_id);

	if (!ch || case_at(c, ch)->handover || case_closed(case_at(c, ch)))
		return false;
	h->open_referrals += handed->row.open_referrals;
	h->clocks += handed->row.clocks;
	h->holds += handed->row.holds;
	case_begin_handover(c, ch, h->number);
	return tell_state(c, ch, a, 0) == IEUM_E_OK;
}

/* The new ones lie behind the old ones, which there is room for, both in order. */
static void merge_in(struct handover *h, const struct handed_case *more, size_t n)
{
	size_t to = h->n_cases + n;

	for (size_t i = h->n_cases; n > 0;) {
		bool is_old =
			i > 0 && handover_row_compare(&h->cases[i - 1].row, &more[n - 1].row) > 0;
		h->cases[--to] = is_old ? h->cases[--i] : more[--n];
	}
}

static bool take_row(const Ieum__V1__HandoverChanged *e, size_t i, struct handed_case *to)
{
	if (e->case_ids[i].len != CORE_ID_BYTES)
		return false;
	memcpy(to->row.case_id, e->case_ids[i].data, CORE_ID_BYTES);
	to->row.open_referrals = e->counts[3 * i];
	to->row.clocks = e->counts[3 * i + 1];
	to->row.holds = e->counts[3 * i + 2];
	to->step = HANDOVER_STEP(CUT_OVER);
	return i == 0 || handover_row_compare(&to[-1].row, &to->row) < 0;
}

static enum ieum_err apply_gathered(struct core *c, const struct applied *a, struct handover *h,
				    const Ieum__V1__HandoverChanged *e)
{
	struct handed_case more[HANDOVER_GATHERED_AT_ONCE];
	size_t n = e->n_case_ids;

	if (h->step != HANDOVER_STEP(CUT_OVER) || e->looked <= h->looked ||
	    e->looked > h->to_look || n > HANDOVER_GATHERED_AT_ONCE || e->n_counts != 3 * n)
		return IEUM_E_JOURNAL_CORRUPT;
	struct handed_case *cases = realloc(h->cases, (h->n_cases + n + 1) * sizeof *cases);
	if (!cases)
		return IEUM_E_NO_MEMORY;
	h->cases = cases;
	for (size_t i = 0; i < n; i++)
		if (!take_row(e, i, &more[i]) || !enter(c, a, h, &more[i]))
			return IEUM_E_JOURNAL_CORRUPT;
	merge_in(h, more, n);
	h->n_cases += (uint32_t)n;
	h->looked = e->looked;
	return IEUM_E_OK;
}

static enum ieum_err apply_listed(struct handover *h, const Ieum__V1__HandoverChanged *e)
{
	if (h->step != HANDOVER_STEP(CUT_OVER) || !handover_gathered(h) || h->listed ||
	    e->digest.len != HANDOVER_DIGEST_BYTES || e->cases != h->n_cases)
		return IEUM_E_JOURNAL_CORRUPT;
	memcpy(h->digest, e->digest.data, HANDOVER_DIGEST_BYTES);
	h->listed = true;
	return IEUM_E_OK;
}

/* ---- a case ---- */

/* The case of the event, in the hand-over and where it is expected to be. */
static enum ieum_err find_case(const struct core *c, const struct handover *h,
			       const Ieum__V1__HandoverChanged *e, uint32_t *ch,
			       struct handed_case **handed)
{
	if (e->n_case_ids != 1 || e->case_ids[0].len != CORE_ID_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	*ch = state_case(c, e->case_ids[0].data);
	*handed = h ? handover_case(h, e->case_ids[0].data) : NULL;
	if (!*ch || (h && (!*handed || case_at(c, *ch)->handover != h->number)))
		return IEUM_E_JOURNAL_CORRUPT;
	return IEUM_E_OK;
}

static enum ieum_err apply_asked(struct core *c, struct handover *h,
				 const Ieum__V1__HandoverChanged *e)
{
	struct handed_case *handed;
	uint32_t ch;
	enum ieum_err err = find_case(c, h, e, &ch, &handed);

	if (err || handed->step != HANDOVER_STEP(CUT_OVER))
		return IEUM_E_JOURNAL_CORRUPT;
	handed->step = HANDOVER_STEP(ASKED);
	h->n_asked++;
	return IEUM_E_OK;
}

void handover_unanswered(struct core *c, uint32_t core_case)
{
	struct core_case *k = case_at(c, core_case);
	struct handover *h = handover_numbered(c, k->handover);
	struct handed_case *handed = h ? handover_case(h, k->id) : NULL;

	if (!handed || handed->step != HANDOVER_STEP(ASKED))
		return;
	handed->step = HANDOVER_STEP(CUT_OVER);
	h->n_asked--;
}

static enum ieum_err apply_kept(struct core *c, const struct applied *a, struct handover *h,
				const Ieum__V1__HandoverChanged *e)
{
	struct handed_case *handed;
	uint32_t ch;
	enum ieum_err err = find_case(c, h, e, &ch, &handed);

	if (err)
		return err;
	h->n_asked += handed->step == HANDOVER_STEP(CUT_OVER);
	h->n_kept++;
	handed->step = HANDOVER_STEP(KEPT);
	case_end_handover(c, ch);
	case_at(c, ch)->kept_in = h->number;
	return tell_state(c, ch, a, e->reason);
}

static enum ieum_err withdraw(struct core *c, const Ieum__V1__HandoverChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_withdrawn && !err; i++) {
		uint32_t dh = state_delivery(c, e->withdrawn[i]);
		err = dh && delivery_at(c, dh)->mailbox == e->from ? mailbox_revoke(c, dh)
								   : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

/* Its part in the case ends, and the other's begins. */
static enum ieum_err succeed(struct core *c, uint32_t ch, const Ieum__V1__HandoverChanged *e)
{
	const struct member *old = case_member(case_at(c, ch), e->from);
	enum ieum_err err = case_join(c, ch, e->to, old && old->sent);

	if (err)
		return err;
	participation_renew(c, ch, e->to);
	if (case_at(c, ch)->owner == e->from)
		case_at(c, ch)->owner = e->to;
	for (uint32_t th = case_at(c, ch)->open.head; th; th = task_at(c, th)->case_next)
		task_pass_on(task_at(c, th), e->from, e->to);
	case_end_handover(c, ch);
	return case_leave(c, ch,
			  &(struct ended){ .mailbox = e->from,
					   .successor = e->to,
					   .last_read_at_ms = e->last_read_at_ms });
}

static enum ieum_err apply_accepted(struct core *c, const struct applied *a, struct handover *h,
				    const Ieum__V1__HandoverChanged *e)
{
	struct handed_case *handed;
	uint32_t ch;
	enum ieum_err err = find_case(c, h, e, &ch, &handed);

	if (!err && (!state_mailbox(c, e->to) || !case_member(case_at(c, ch), e->from)))
		err = IEUM_E_JOURNAL_CORRUPT;
	if (!err)
		err = withdraw(c, e);
	if (!err)
		err = succeed(c, ch, e);
	for (size_t i = 0; i < e->n_forward_seqs && !err; i++)
		err = handover_forward_add(c, e->forward_seqs[i], e->to);
	struct entry *line =
		err ? NULL
		    : apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_HANDED_OVER, 0);
	if (!line)
		return err ? err : IEUM_E_NO_MEMORY;
	line->successor = e->to;
	if (handed) {
		handed->step = HANDOVER_STEP(ACCEPTED);
		h->n_accepted++;
	}
	return IEUM_E_OK;
}

/* The oldest of those that are still to go. */
static enum ieum_err apply_forwarded(struct core *c, const struct applied *a,
				     const Ieum__V1__HandoverChanged *e)
{
	struct handovers *hs = &c->handovers;
	const struct handover_forward *next = &hs->forwards[hs->forwards_at];
	uint32_t rh =
		e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;

	if (!rh || hs->n_forwards == 0 || next->seq != referral_at(c, rh)->seq)
		return IEUM_E_JOURNAL_CORRUPT;
	hs->forwards_at++;
	hs->n_forwards--;
	enum ieum_err err = e->n_routes ? seqmap_set(&c->seqs, a->seq, rh) : IEUM_E_OK;
	return err ? err : apply_routes(c, rh, a->seq, e->routes, e->n_routes, 0);
}

/* ---- reading ---- */

enum ieum_err apply_was_read(struct core *c, const struct applied *a, const Ieum__V1__WasRead *e)
{
	uint32_t kh = state_connection(c, e->connection);
	uint32_t participant = kh ? connection_at(c, kh)->participant : 0;
	uint32_t mailbox = kh ? handover_own_mailbox(c, participant) : 0;

	for (size_t i = 0; i < e->n_ids && mailbox; i++) {
		if (e->ids[i].len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		uint32_t rh = state_referral(c, e->ids[i].data);
		uint32_t ch = rh ? referral_at(c, rh)->core_case : state_case(c, e->ids[i].data);
		for (uint32_t k = 0; ch && k < case_at(c, ch)->n_members; k++)
			if (case_at(c, ch)->members[k].mailbox == mailbox)
				case_at(c, ch)->members[k].last_read_at_ms = to_ms(a->at_us);
	}
	return participant ? readers_note(c, a, e, participant) : IEUM_E_OK;
}

/* ---- dispatch ---- */

enum ieum_err apply_handover_changed(struct core *c, const struct applied *a,
				     const Ieum__V1__HandoverChanged *e)
{
	if (e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_FORWARDED)
		return apply_forwarded(c, a, e);
	if (e->change_id.len != CORE_ID_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	struct handover *h = handover_find(c, e->change_id.data);
	switch (e->step) {
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ANNOUNCED: return apply_announced(c, e);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ACCEPTED: return apply_accepted(c, a, h, e);
	default: break;
	}
	if (!h)
		return IEUM_E_JOURNAL_CORRUPT;
	switch (e->step) {
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_CUT_OVER: return apply_cut_over(c, h);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_GATHERED: return apply_gathered(c, a, h, e);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_LISTED: return apply_listed(h, e);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ASKED: return apply_asked(c, h, e);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_KEPT: return apply_kept(c, a, h, e);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_COMPLETED: return apply_completed(h);
	case IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_CANCELLED: return apply_cancelled(h);
	default: return IEUM_E_JOURNAL_VERSION;
	}
}
