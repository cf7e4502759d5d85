/* What must hold of hand-overs, for core_check(). */
#include <stdio.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"

static enum ieum_err wrong(char *what, size_t what_bytes, const char *text, uint64_t of)
{
	snprintf(what, what_bytes, "%s %llu", text, (unsigned long long)of);
	return IEUM_E_JOURNAL_CORRUPT;
}

static enum ieum_err check_counts(const struct core *c, const struct handover *h, char *what,
				  size_t what_bytes)
{
	uint32_t n_accepted = 0, n_kept = 0, n_asked = 0;

	for (uint32_t i = 0; h->cases && i < h->n_cases; i++) {
		const struct handed_case *k = &h->cases[i];
		bool open = k->step == HANDOVER_STEP(CUT_OVER) || k->step == HANDOVER_STEP(ASKED);
		uint32_t ch = state_case(c, k->row.case_id);
		n_accepted += k->step == HANDOVER_STEP(ACCEPTED);
		n_kept += k->step == HANDOVER_STEP(KEPT);
		n_asked += k->step != HANDOVER_STEP(CUT_OVER);
		if (ch && (case_at(c, ch)->handover == h->number) != open)
			return wrong(what, what_bytes,
				     "a case and its hand-over don't agree: hand-over", h->number);
	}
	if (h->cases &&
	    (n_accepted != h->n_accepted || n_kept != h->n_kept || n_asked != h->n_asked))
		return wrong(what, what_bytes, "its cases are counted wrong: hand-over", h->number);
	if (h->looked > h->to_look || (h->listed && !handover_gathered(h)))
		return wrong(what, what_bytes, "it was listed before it was gathered: hand-over",
			     h->number);
	if ((h->step == HANDOVER_STEP(CUT_OVER)) != (h->cases != NULL))
		return wrong(what, what_bytes, "it has a list or goes on, but not both: hand-over",
			     h->number);
	return IEUM_E_OK;
}

enum ieum_err handovers_check(const struct core *c, char *what, size_t what_bytes)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < c->handovers.n && !err; i++)
		err = check_counts(c, c->handovers.all[i], what, what_bytes);
	for (uint32_t i = 0; i < c->handovers.n_forwards && !err; i++)
		if (!seqmap_get(&c->seqs, c->handovers.forwards[c->handovers.forwards_at + i].seq))
			err = wrong(what, what_bytes, "a forwarded message is gone: event",
				    c->handovers.forwards[c->handovers.forwards_at + i].seq);
	return err;
}

static uint32_t holds_of(const struct core *c, const struct core_case *k)
{
	uint32_t n = 0;

	for (uint32_t rh = k->referrals.head; rh; rh = referral_at(c, rh)->next_in_case)
		for (uint32_t h = hold_of(c, rh); h; h = hold_at(c, h)->next)
			n += hold_live(hold_at(c, h));
	return n;
}

bool handover_is_told_by(const struct core *c, const struct referral *r, uint32_t mailbox)
{
	uint32_t asked = r->in_reply_to ? seqmap_get(&c->seqs, r->in_reply_to) : 0;
	const struct referral *a = asked ? referral_at(c, asked) : NULL;

	return a && a->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER && a->sender &&
	       handover_own_mailbox(c, a->sender) == mailbox;
}

/* Was it asked to take the case at any time? */
static bool was_asked(const struct core *c, const struct core_case *k, uint32_t mailbox)
{
	for (uint32_t rh = k->referrals.head; rh; rh = referral_at(c, rh)->next_in_case) {
		const struct referral *r = referral_at(c, rh);
		uint32_t dh = r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER
				      ? r->first_delivery
				      : 0;
		for (; dh; dh = delivery_at(c, dh)->next)
			if (delivery_at(c, dh)->mailbox == mailbox)
				return true;
	}
	return false;
}

/* Nobody who has left takes part, but to take it again, or has anything on its way; who hands over
 * is responsible until the other is. */
enum ieum_err handover_check_case(const struct core *c, const struct core_case *k, char *what,
				  size_t what_bytes)
{
	const struct handover *h = handover_numbered(c, k->handover);
	bool in_handover = k->state == IEUM__V1__CASE_STATE__CASE_STATE_IN_HANDOVER;

	if (k->handover && (!h || !handover_case(h, k->id)))
		return wrong(what, what_bytes, "it is in no known hand-over: case of event",
			     k->seq);
	if (k->n_holds != holds_of(c, k))
		return wrong(what, what_bytes, "its places are counted wrong: case of event",
			     k->seq);
	if (in_handover != (k->handover && !case_closed(k)))
		return wrong(what, what_bytes,
			     "it is in hand-over or not, but not both: case of event", k->seq);
	for (uint32_t i = 0; i < k->n_ended; i++)
		if (k->owner == k->ended[i].mailbox ||
		    (case_member(k, k->ended[i].mailbox) && !was_asked(c, k, k->ended[i].mailbox)))
			return wrong(what, what_bytes,
				     "somebody who has left still takes part: case of event",
				     k->seq);
	return IEUM_E_OK;
}
