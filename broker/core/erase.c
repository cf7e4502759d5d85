/* Erasing payloads at the end of their retention: which may go, and what becomes of their message.
 *
 * Retention begins with the receipt and is judged by the policy of now.  A payload stays while
 * somebody may still have to act on it: until its case is closed, as long as a request of it is
 * open, and while a delivery of it is in flight.  What waits in a queue does not keep it: an agency
 * that never comes for it must not keep it for ever, so those deliveries are withdrawn. */
#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/decision.h"
#include "broker/core/mailbox.h"
#include "broker/core/task.h"

/* ---- deciding ---- */

/* 0: the core has forgotten it. */
static uint32_t referral_of(const struct core *c, uint64_t seq)
{
	uint32_t rh = seqmap_get(&c->seqs, seq);

	return rh && referral_at(c, rh)->seq == seq ? rh : 0;
}

/* A case that is known no more was closed. */
static bool is_case_open(const struct core *c, const struct core_aged *of)
{
	uint32_t ch = of->has_case ? state_case(c, of->case_id) : 0;

	return ch && !case_closed(case_at(c, ch));
}

static bool is_at_work(const struct core *c, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_open(task_at(c, th)))
			return true;
	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(c, dh)->next)
		if (delivery_at(c, dh)->state == DELIVERY_IN_FLIGHT)
			return true;
	return false;
}

static bool may_go(const struct core *c, const struct policy *p, const struct core_aged *of,
		   int64_t now_ms)
{
	uint32_t rh = referral_of(c, of->seq);

	return policy_kept_until(p, of->type, to_ms(of->at_us)) <= now_ms && !is_case_open(c, of) &&
	       !(rh && (referral_at(c, rh)->erased || is_at_work(c, referral_at(c, rh))));
}

static bool is_under_way(const struct delivery *d)
{
	return d->transit && d->state != DELIVERY_DEAD;
}

static size_t count_under_way(const struct core *c, const struct referral *r)
{
	size_t n = 0;

	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(c, dh)->next)
		n += is_under_way(delivery_at(c, dh));
	return n;
}

/* What waits of those that go; their number is known. */
static void withdraw_all(const struct core *c, Ieum__V1__PayloadErased *e)
{
	for (size_t i = 0; i < e->n_seqs; i++) {
		uint32_t rh = referral_of(c, e->seqs[i]);
		for (uint32_t dh = rh ? referral_at(c, rh)->first_delivery : 0; dh;
		     dh = delivery_at(c, dh)->next)
			if (is_under_way(delivery_at(c, dh)))
				e->withdrawn[e->n_withdrawn++] = delivery_at(c, dh)->id;
	}
}

enum ieum_err core_decide_erase(const struct core *c, const struct policy *p,
				struct core_aged *aged, size_t n, core_time_us now,
				struct core_decision *d)
{
	uint64_t seqs[CORE_ERASE_MAX];
	size_t n_seqs = 0;
	size_t under_way = 0;

	for (size_t i = 0; i < n; i++) {
		aged[i].erased = n_seqs < CORE_ERASE_MAX && may_go(c, p, &aged[i], to_ms(now));
		if (!aged[i].erased)
			continue;
		uint32_t rh = referral_of(c, aged[i].seq);
		under_way += rh ? count_under_way(c, referral_at(c, rh)) : 0;
		seqs[n_seqs++] = aged[i].seq;
	}
	if (n_seqs == 0)
		return IEUM_E_OK;
	Ieum__V1__PayloadErased *e = decision_payload_erased(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->seqs = arena_copy(&d->arena, seqs, n_seqs * sizeof *seqs);
	e->withdrawn = decision_zalloc(d, (under_way + 1) * sizeof *e->withdrawn);
	if (!e->seqs || !e->withdrawn)
		return IEUM_E_NO_MEMORY;
	e->n_seqs = n_seqs;
	withdraw_all(c, e);
	return IEUM_E_OK;
}

/* ---- applying ---- */

enum ieum_err apply_erased(struct core *c, const Ieum__V1__PayloadErased *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_seqs; i++) {
		uint32_t rh = referral_of(c, e->seqs[i]);
		if (!rh)
			continue;
		referral_at(c, rh)->erased = 1;
		sealed_forget(c, referral_at(c, rh));
	}
	for (size_t i = 0; i < e->n_withdrawn && !err; i++) {
		uint32_t dh = state_delivery(c, e->withdrawn[i]);
		err = dh ? mailbox_revoke(c, dh) : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}
