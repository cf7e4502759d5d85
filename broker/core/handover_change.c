/* A change of jurisdiction is announced, taken back, or confirmed by the one who took over. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/submit.h"

Ieum__V1__HandoverChanged *handover_event(struct core_decision *d, core_time_us now,
					  const struct handover *h, Ieum__V1__HandoverStep step)
{
	Ieum__V1__HandoverChanged *e = decision_handover_changed(d, now);

	if (!e)
		return NULL;
	e->change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)h->change_id };
	e->step = step;
	e->from = h->from;
	e->to = h->to;
	return e;
}

static bool is_listed(const struct core *c, const struct policy *p, uint32_t mailbox)
{
	return state_policy_mailbox(c, p, mailbox) != POLICY_NONE;
}

static enum ieum_err tell(const struct occasion *o, uint32_t mailbox)
{
	if (mailbox == o->e->sender_mailbox || !is_listed(o->c, o->p, mailbox))
		return IEUM_E_OK;
	return submit_route(o->d, o->e, mailbox, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ADDRESSED,
			    0);
}

/* Whoever is told of it must not come to know a case by that. */
static enum ieum_err check_no_case(const struct occasion *o)
{
	return o->case_id.len ? decision_refuse(o->d, IEUM_E_FIELD_INVALID,
						"envelope.case_id: a change of jurisdiction "
						"belongs to no case")
			      : IEUM_E_OK;
}

/* ---- announced ---- */

static enum ieum_err find_participant(const struct occasion *o, const char *name, const char *field,
				      uint32_t *mailbox)
{
	int index = policy_find_participant(o->p, name);

	*mailbox = index == POLICY_NONE || policy_participant(o->p, index)->mailbox == POLICY_NONE
			   ? 0
			   : policy_mailbox(o->p, policy_participant(o->p, index)->mailbox)->number;
	if (*mailbox)
		return IEUM_E_OK;
	return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
			       "jurisdiction_change.%s: '%.64s' is not in the hub file", field,
			       name);
}

static enum ieum_err check_change(const struct occasion *o, const Ieum__V1__JurisdictionChange *b)
{
	if (strcmp(b->from, b->to) == 0)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "jurisdiction_change.to: the same as 'from'");
	if (*b->to_jurisdiction && strcmp(b->to_jurisdiction, b->from_jurisdiction) != 0)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "jurisdiction_change.to_jurisdiction: the cases stay in "
				       "their jurisdiction; leave it out");
	if (!b->effective_at_ms)
		return decision_refuse(o->d, IEUM_E_FIELD_MISSING,
				       "jurisdiction_change.effective_at_ms");
	if (b->effective_at_ms > o->now_ms + CORE_ADVANCE_MAX_MS)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "jurisdiction_change.effective_at_ms: more than 400 days "
				       "ahead");
	return IEUM_E_OK;
}

static bool is_over(const struct handover *h)
{
	return h->step == HANDOVER_STEP(COMPLETED) || h->step == HANDOVER_STEP(CANCELLED);
}

static enum ieum_err check_others(const struct occasion *o, uint32_t from)
{
	const struct handovers *hs = &o->c->handovers;
	uint32_t n_over = 0;

	for (uint32_t i = 0; i < hs->n; i++) {
		n_over += is_over(hs->all[i]);
		if (hs->all[i]->from == from && !is_over(hs->all[i]))
			return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
					       "a change from '%s' is announced or going on",
					       state_mailbox_name(o->c, from));
	}
	if (hs->n == HANDOVERS_MAX && n_over == 0)
		return decision_refuse(o->d, IEUM_E_HUB_FULL, "%d changes are going on",
				       HANDOVERS_MAX);
	return IEUM_E_OK;
}

static enum ieum_err check_extent(const struct occasion *o, uint32_t from, uint32_t to,
				  const char *jurisdiction)
{
	struct handover_plan plan = handover_plan(o->c, o->p, from, to, jurisdiction);
	uint32_t n;

	if (!(plan.new_one->may_send >> IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER & 1))
		return decision_refuse(o->d, IEUM_E_NOT_PERMITTED,
				       "jurisdiction_change.to: '%s' may send no answer, so it "
				       "could not take a case",
				       state_mailbox_name(o->c, to));
	enum ieum_err err = handover_count(o->c, &plan, &n);
	if (err == IEUM_E_HUB_FULL)
		return decision_refuse(o->d, err, "'%s' takes part in more than %d cases",
				       state_mailbox_name(o->c, from), HANDOVER_LOOKED_MAX);
	if (!err && n > HANDOVER_CASES_MAX)
		return decision_refuse(o->d, IEUM_E_HUB_FULL,
				       "%u cases; at most %d are handed over at once", n,
				       HANDOVER_CASES_MAX);
	return err;
}

enum ieum_err handover_announce(const struct occasion *o)
{
	const Ieum__V1__JurisdictionChange *b =
		o->referral->body_case == IEUM__V1__REFERRAL__BODY_JURISDICTION_CHANGE
			? o->referral->jurisdiction_change
			: NULL;
	uint32_t from = 0;
	uint32_t to = 0;

	if (!b)
		return IEUM_E_OK;
	enum ieum_err err = check_no_case(o);
	if (!err)
		err = check_change(o, b);
	if (!err)
		err = find_participant(o, b->from, "from", &from);
	if (!err)
		err = find_participant(o, b->to, "to", &to);
	if (!err)
		err = check_others(o, from);
	if (!err)
		err = check_extent(o, from, to, b->from_jurisdiction);
	if (!err)
		err = tell(o, from);
	if (!err)
		err = tell(o, to);
	if (err)
		return err;
	Ieum__V1__HandoverChanged *e = decision_handover_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->change_id = o->referral->envelope->message_id;
	e->step = IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ANNOUNCED;
	e->from = from;
	e->to = to;
	e->jurisdiction = b->from_jurisdiction;
	e->effective_at_ms = b->effective_at_ms;
	e->announced_by = o->e->sender_mailbox;
	return IEUM_E_OK;
}

/* ---- taken back ---- */

enum ieum_err handover_cancel(struct submission *s, bool *is_change)
{
	const struct referral *r = referral_at(s->c, s->reply);
	const struct handover *h = handover_find(s->c, r->id);
	enum ieum_err err = IEUM_E_OK;

	*is_change = h != NULL;
	if (!h)
		return IEUM_E_OK;
	if (h->step != HANDOVER_STEP(ANNOUNCED))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "the change took effect; it can't be taken back");
	const uint32_t told[] = { h->from, h->to };
	for (size_t i = 0; i < 2 && !err; i++)
		if (told[i] != s->e->sender_mailbox && is_listed(s->c, s->p, told[i]))
			err = submit_route(s->d, s->e, told[i],
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	if (err)
		return err;
	return handover_event(s->d, s->now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_CANCELLED)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}

/* ---- confirmed ---- */

static enum ieum_err differs(const struct occasion *o, const char *what, uint32_t states,
			     uint32_t has)
{
	return decision_refuse(o->d, IEUM_E_MANIFEST_MISMATCH,
			       "handover_manifest.%s: %u, but %u were handed over", what, states,
			       has);
}

static enum ieum_err compare(const struct occasion *o, const Ieum__V1__HandoverManifest *m,
			     const struct handover *h)
{
	if (m->cases != h->n_cases)
		return differs(o, "cases", m->cases, h->n_cases);
	if (m->open_referrals != h->open_referrals)
		return differs(o, "open_referrals", m->open_referrals, h->open_referrals);
	if (m->clocks != h->clocks)
		return differs(o, "clocks", m->clocks, h->clocks);
	if (m->holds != h->holds)
		return differs(o, "holds", m->holds, h->holds);
	if (m->digest.len != HANDOVER_DIGEST_BYTES ||
	    memcmp(m->digest.data, h->digest, HANDOVER_DIGEST_BYTES) != 0)
		return decision_refuse(o->d, IEUM_E_MANIFEST_MISMATCH,
				       "handover_manifest.digest: the lists are not the same");
	return IEUM_E_OK;
}

/* The new one was never asked, because the hub found that the case can't go; or may not read it any
 * more, by a conflict of interest or because it has handed it on. */
static bool is_unknown_to(const struct occasion *o, uint32_t mailbox,
			  const struct handed_case *handed)
{
	uint32_t participant = state_participant_number(o->c, state_mailbox_name(o->c, mailbox));
	uint32_t ch = state_case(o->c, handed->row.case_id);

	return ch && (!case_member(case_at(o->c, ch), mailbox) ||
		      case_excludes(case_at(o->c, ch), participant));
}

/* What the new one can know of: a list of its own, as if that were all. */
static enum ieum_err known_part(const struct occasion *o, const struct handover *h,
				struct handover *out)
{
	*out = (struct handover){
		.cases = decision_zalloc(o->d, (h->n_cases + 1U) * sizeof *out->cases),
	};
	if (!out->cases)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < h->n_cases; i++) {
		if (is_unknown_to(o, h->to, &h->cases[i]))
			continue;
		out->cases[out->n_cases++] = h->cases[i];
		out->open_referrals += h->cases[i].row.open_referrals;
		out->clocks += h->cases[i].row.clocks;
		out->holds += h->cases[i].row.holds;
	}
	return handover_digest(o->c, out, &o->d->arena, out->digest);
}

static enum ieum_err check_list(const struct occasion *o, const Ieum__V1__HandoverManifest *m,
				const struct handover *h)
{
	struct handover known;

	if (m->cases == h->n_cases)
		return compare(o, m, h);
	enum ieum_err err = known_part(o, h, &known);
	return err ? err : compare(o, m, m->cases == known.n_cases ? &known : h);
}

enum ieum_err handover_confirm(const struct occasion *o)
{
	const Ieum__V1__HandoverManifest *m =
		o->referral->body_case == IEUM__V1__REFERRAL__BODY_HANDOVER_MANIFEST
			? o->referral->handover_manifest
			: NULL;
	const struct handover *h = m && m->change_id.len == CORE_ID_BYTES
					   ? handover_find(o->c, m->change_id.data)
					   : NULL;

	if (!m)
		return IEUM_E_OK;
	if (!h || (h->to != o->e->sender_mailbox && h->from != o->e->sender_mailbox))
		return decision_refuse(o->d, IEUM_E_REFERRAL_UNKNOWN,
				       "handover_manifest.change_id");
	if (h->to != o->e->sender_mailbox)
		return decision_refuse(o->d, IEUM_E_NOT_ADDRESSED,
				       "only '%s' can confirm what it got",
				       state_mailbox_name(o->c, h->to));
	if (is_over(h))
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT, "the change is over");
	if (!h->listed)
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
				       "the change is not in effect yet");
	enum ieum_err err = check_no_case(o);
	if (!err)
		err = check_list(o, m, h);
	if (err)
		return err;
	uint32_t left = h->n_cases - h->n_accepted - h->n_kept;
	if (left)
		return decision_refuse(o->d, IEUM_E_STATE_CONFLICT,
				       "cases not accepted yet: %u of %u", left, h->n_cases);
	err = tell(o, h->from);
	if (!err)
		err = tell(o, h->announced_by);
	if (err)
		return err;
	return handover_event(o->d, o->now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_COMPLETED)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}
