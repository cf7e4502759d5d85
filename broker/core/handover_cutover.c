/* A change of jurisdiction takes effect: first the moment itself, in one event; then the old one's
 * cases are gathered, some per call; then both get the list of them. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"

/* ---- the moment ---- */

/* It may have grown since it was announced, beyond what is handed over at once: a part of it would be
 * worse than nothing. */
static enum ieum_err take_effect(const struct core *c, const struct policy *p, core_time_us now,
				 struct core_decision *d, const struct handover *h)
{
	struct handover_plan plan = handover_plan(c, p, h->from, h->to, h->jurisdiction);
	uint32_t n;

	if (!plan.new_one)
		return handover_give_up(c, p, now, d, h, IEUM__V1__REASON__REASON_UNREACHABLE);
	if (handover_count(c, &plan, &n) || n > HANDOVER_LISTED_MAX)
		return handover_give_up(c, p, now, d, h, IEUM__V1__REASON__REASON_CAPACITY_FULL);
	return handover_event(d, now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_CUT_OVER)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}

/* ---- its cases ---- */

static enum ieum_err put_rows(struct core_decision *d, const struct handover_row *rows, size_t n,
			      Ieum__V1__HandoverChanged *e)
{
	e->case_ids = decision_zalloc(d, (n + 1) * sizeof *e->case_ids);
	e->counts = decision_zalloc(d, (n + 1) * 3 * sizeof *e->counts);
	if (!e->case_ids || !e->counts)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		e->case_ids[i] = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)rows[i].case_id };
		e->counts[e->n_counts++] = rows[i].open_referrals;
		e->counts[e->n_counts++] = rows[i].clocks;
		e->counts[e->n_counts++] = rows[i].holds;
	}
	e->n_case_ids = n;
	return IEUM_E_OK;
}

/* Also those in whose way something stands: that they stay is said of each, and counted.  One in
 * another hand-over is on the list of that. */
static enum ieum_err gather(const struct core *c, const struct policy *p, core_time_us now,
			    struct core_decision *d, const struct handover *h)
{
	const struct handover_plan plan = handover_plan(c, p, h->from, h->to, h->jurisdiction);
	const struct mailbox *from = state_mailbox(c, h->from);
	struct handover_row *rows = decision_zalloc(d, HANDOVER_GATHERED_AT_ONCE * sizeof *rows);
	Ieum__V1__HandoverChanged *e =
		handover_event(d, now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_GATHERED);
	uint32_t weight = 0;
	uint32_t at = h->looked;
	size_t n = 0;

	if (!rows || !e)
		return IEUM_E_NO_MEMORY;
	for (; at < h->to_look && weight < HANDOVER_GATHERED_AT_ONCE; at++) {
		const struct core_case *k = from->cases[at] ? case_at(c, from->cases[at]) : NULL;
		if (!k)
			continue;
		weight += 1 + k->n_open + k->n_clocks;
		if (handover_concerns(c, &plan, k) && !k->handover)
			rows[n++] = handover_row_of(c, k);
	}
	qsort(rows, n, sizeof *rows, handover_row_compare);
	e->looked = at;
	return put_rows(d, rows, n, e);
}

/* ---- the list for both ---- */

static enum ieum_err send_manifest(const struct core *c, const struct policy *p, core_time_us now,
				   struct core_decision *d, const struct handover *h,
				   uint8_t digest[HANDOVER_DIGEST_BYTES])
{
	const uint32_t both[] = { h->from, h->to };
	struct occasion o;
	enum ieum_err err = occasion_of_time(c, p, d, now, 0, &o);

	if (err)
		return err;
	struct hub_message *m =
		hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER_MANIFEST);
	if (!m)
		return IEUM_E_NO_MEMORY;
	Ieum__V1__HandoverManifest *b = m->referral.handover_manifest;
	b->change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)h->change_id };
	b->cases = h->n_cases;
	b->open_referrals = h->open_referrals;
	b->clocks = h->clocks;
	b->holds = h->holds;
	b->digest = (ProtobufCBinaryData){ HANDOVER_DIGEST_BYTES, digest };
	for (size_t i = 0; i < 2 && !err; i++)
		err = hub_message_to(&o, m, both[i], IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(&o, m);
}

static enum ieum_err list(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d, const struct handover *h)
{
	uint8_t *digest = decision_zalloc(d, HANDOVER_DIGEST_BYTES);

	if (!digest)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = handover_digest(c, h, &d->arena, digest);
	if (!err)
		err = send_manifest(c, p, now, d, h, digest);
	if (err)
		return err;
	Ieum__V1__HandoverChanged *e =
		handover_event(d, now, h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_LISTED);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->cases = h->n_cases;
	e->open_referrals = h->open_referrals;
	e->clocks = h->clocks;
	e->holds = h->holds;
	e->digest = (ProtobufCBinaryData){ HANDOVER_DIGEST_BYTES, digest };
	return IEUM_E_OK;
}

enum ieum_err handover_cut_over(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d, const struct handover *h)
{
	if (h->step == HANDOVER_STEP(ANNOUNCED))
		return take_effect(c, p, now, d, h);
	return handover_gathered(h) ? list(c, p, now, d, h) : gather(c, p, now, d, h);
}
