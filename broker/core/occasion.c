/* See occasion.h. */
#include "broker/core/occasion.h"

#include "broker/core/cases.h"
#include "broker/core/submit.h"

struct occasion occasion_of_submission(const struct submission *s)
{
	return (struct occasion){
		.c = s->c,
		.p = s->p,
		.d = s->d,
		.now = s->now,
		.now_ms = s->now_ms,
		.referral = s->from->referral,
		.e = s->e,
		.case_id = s->e->case_id,
		.core_case = s->core_case,
		.category = s->e->category,
		.jurisdiction = s->e->jurisdiction,
		.urgency = s->e->urgency,
		.occurred_at_ms = s->e->occurred_at_ms,
		.participant = s->who.participant,
		.sender = s->who.index,
		.excluded = s->excluded,
		.n_excluded = s->context.n_excluded,
		.counts = s->context.counts,
	};
}

/* That on which the case was opened.  A consent is not for the hub to go on with: what it has to
 * say is also due when that is withdrawn. */
static Ieum__V1__BasisKind basis_of_case(const struct referral *first)
{
	return first->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT
		       ? IEUM__V1__BASIS_KIND__BASIS_KIND_UNSPECIFIED
		       : (Ieum__V1__BasisKind)first->basis;
}

enum ieum_err occasion_of_time(const struct core *c, const struct policy *p,
			       struct core_decision *d, core_time_us now, uint32_t core_case,
			       struct occasion *out)
{
	struct core_case *k = core_case ? case_at(c, core_case) : NULL;
	int *excluded = decision_zalloc(d, SUBMIT_EXCLUDED_MAX * sizeof *excluded);

	*out = (struct occasion){
		.c = c,
		.p = p,
		.d = d,
		.now = now,
		.now_ms = to_ms(now),
		.core_case = core_case,
		.jurisdiction = k ? k->jurisdiction : "",
		.category = k ? (Ieum__V1__Category)k->category : 0,
		.urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE,
		.occurred_at_ms = to_ms(now),
		.sender = POLICY_NONE,
		.excluded = excluded,
	};
	if (!excluded)
		return IEUM_E_NO_MEMORY;
	if (k)
		out->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, k->id };
	if (k && k->referrals.head)
		out->basis = basis_of_case(referral_at(c, k->referrals.head));
	if (k)
		out->n_excluded = decision_case_excluded(c, p, d, k, excluded, SUBMIT_EXCLUDED_MAX);
	return IEUM_E_OK;
}

struct policy_context occasion_context(const struct occasion *o, const Ieum__V1__Referral *referral)
{
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;
	uint32_t owner = k ? k->owner : 0;

	if (o->e && o->e->case_opened)
		owner = o->e->case_opened->owner;
	else if (o->e && o->e->case_owner)
		owner = o->e->case_owner;
	return (struct policy_context){
		.referral = referral,
		.sender = POLICY_NONE,
		.now_ms = o->now_ms,
		.case_category = o->category,
		.case_jurisdiction = *o->jurisdiction ? o->jurisdiction : NULL,
		.case_owner = state_policy_mailbox(o->c, o->p, owner),
		.excluded = o->excluded,
		.n_excluded = o->n_excluded,
		.case_state = k ? (Ieum__V1__CaseState)k->state : 0,
		.case_grade = k ? k->grade : NULL,
		.consent_withdrawn = k && k->consent_withdrawn,
		.gates_open = gates_open(o->p, k, o->now_ms),
		.linked_set = k && signals_own_case(o->c, k),
		.drill = o->c->drill,
	};
}
