/* Requests that several have to approve, each for itself; see gates.h. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/gates.h"
#include "broker/core/occasion.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

static bool accepts(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE;
}

/* What would take the request on for one of those asked, who then is alone with it. */
static bool takes_on(Ieum__V1__AnswerKind kind)
{
	return task_answer_takes(kind) && !accepts(kind);
}

static const char *kind_of(const struct submission *s, uint32_t participant)
{
	int index = state_policy_participant(s->c, s->p, participant);

	return index == POLICY_NONE ? "" : policy_participant(s->p, index)->kind;
}

static bool has_accepted(const struct approval *a, uint32_t participant)
{
	for (uint32_t i = 0; i < a->n_accepted; i++)
		if (a->accepted_by[i] == participant)
			return true;
	return false;
}

/* A conflict of interest that is declared later ends an approval too. */
static bool counts(const struct submission *s, uint32_t participant)
{
	return !s->core_case || !case_excludes(case_at(s->c, s->core_case), participant);
}

/* Which agency speaks by a participant; one that is listed no more is one of its own. */
static const char *agency_of(const struct submission *s, uint32_t participant)
{
	int index = state_policy_participant(s->c, s->p, participant);

	return index == POLICY_NONE ? state_participant_name(s->c, participant)
				    : policy_participant(s->p, index)->agency;
}

/* One agency speaks once, by whomever, and not about what it asks for itself. */
static enum ieum_err check_agency(struct submission *s, const struct task *t)
{
	const struct approval *a = t->approval;
	const char *own = s->who.who->agency;

	if (strcmp(agency_of(s, referral_at(s->c, t->referral)->sender), own) == 0)
		return decision_refuse(s->d, IEUM_E_NOT_ADDRESSED,
				       "agency '%s' asks for this approval itself; another has to "
				       "give it",
				       own);
	for (uint32_t i = 0; i < a->n_accepted; i++)
		if (counts(s, a->accepted_by[i]) &&
		    strcmp(agency_of(s, a->accepted_by[i]), own) == 0)
			return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
					       "'%s' has accepted for agency '%s' already; another "
					       "agency has to",
					       state_participant_name(s->c, a->accepted_by[i]),
					       own);
	return IEUM_E_OK;
}

/* May the caller's acceptance be one more? */
static enum ieum_err check_approver(struct submission *s, const struct task *t)
{
	const struct approval *a = t->approval;

	if (a->n_accepted == APPROVAL_QUORUM_MAX)
		return decision_refuse(s->d, IEUM_E_HUB_FULL,
				       "as many have accepted this as can; send it again");
	if (referral_at(s->c, t->referral)->sender == s->who.participant)
		return decision_refuse(s->d, IEUM_E_NOT_ADDRESSED,
				       "whoever asks for an approval can't give it");
	if (has_accepted(a, s->who.participant))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "'%s' has accepted already; another has to",
				       s->who.who->name);
	for (uint32_t i = 0; i < a->n_accepted && a->of_kinds; i++) {
		if (counts(s, a->accepted_by[i]) &&
		    strcmp(kind_of(s, a->accepted_by[i]), s->who.who->kind) == 0)
			return decision_refuse(
				s->d, IEUM_E_STATE_CONFLICT,
				"somebody of kind '%s' has accepted already; one of another kind "
				"has to",
				s->who.who->kind);
	}
	return a->of_agencies ? check_agency(s, t) : IEUM_E_OK;
}

enum ieum_err approval_decide(struct submission *s, const struct task *t,
			      Ieum__V1__TaskChanged *change)
{
	const struct approval *a = t->approval;
	uint32_t n = 1;

	if (s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT &&
	    has_accepted(a, s->who.participant))
		change->accepted_by = s->who.participant;
	if (takes_on(s->answer.kind))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "several have to approve this: accept or reject it");
	if (!accepts(s->answer.kind))
		return IEUM_E_OK;
	enum ieum_err err = check_approver(s, t);
	if (err)
		return err;
	change->accepted_by = s->who.participant;
	for (uint32_t i = 0; i < a->n_accepted; i++)
		n += counts(s, a->accepted_by[i]);
	if (n < a->quorum) {
		change->state = (Ieum__V1__TaskState)t->state;
		change->due_at_ms = -1;
		return IEUM_E_OK;
	}
	change->state = IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;
	change->due_at_ms = 0;
	s->approved = t;
	return IEUM_E_OK;
}

enum ieum_err approval_carry_out(struct submission *s)
{
	const struct approval *a = s->approved->approval;
	const struct referral *r = referral_at(s->c, s->approved->referral);
	struct occasion o;

	if (!*a->gate || !r->core_case)
		return IEUM_E_OK;
	enum ieum_err err = occasion_of_time(s->c, s->p, s->d, s->now, r->core_case, &o);
	if (err)
		return err;
	o.urgency = (Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	o.basis = (Ieum__V1__BasisKind)r->basis;
	const ProtobufCBinaryData id = { CORE_ID_BYTES, (uint8_t *)r->id };
	return gate_decide(&o, a->gate, a->gate_for_ms, &id);
}

/* ---- state ---- */

enum ieum_err approval_new(const Ieum__V1__Task *from, struct approval **out)
{
	size_t len = strlen(from->gate);

	*out = NULL;
	if (from->quorum <= 1 && len == 0)
		return IEUM_E_OK;
	if (from->quorum > APPROVAL_QUORUM_MAX || len >= POLICY_NAME_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	struct approval *a = calloc(1, sizeof *a);
	if (!a)
		return IEUM_E_NO_MEMORY;
	a->quorum = from->quorum;
	a->of_kinds = from->quorum_of_kinds;
	a->of_agencies = from->quorum_of_agencies;
	a->gate_for_ms = from->gate_for_ms;
	memcpy(a->gate, from->gate, len);
	*out = a;
	return IEUM_E_OK;
}

enum ieum_err approval_add(struct approval *a, uint32_t participant)
{
	if (!a || a->n_accepted == APPROVAL_QUORUM_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	a->accepted_by[a->n_accepted++] = participant;
	return IEUM_E_OK;
}

enum ieum_err approval_take_back(struct approval *a, uint32_t participant)
{
	uint32_t kept = 0;

	if (!a || !has_accepted(a, participant))
		return IEUM_E_JOURNAL_CORRUPT;
	for (uint32_t i = 0; i < a->n_accepted; i++)
		if (a->accepted_by[i] != participant)
			a->accepted_by[kept++] = a->accepted_by[i];
	a->n_accepted = kept;
	return IEUM_E_OK;
}
