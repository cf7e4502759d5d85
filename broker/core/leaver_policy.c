/* Who leaves by a new policy, and whether everything they are responsible for has somebody. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/decision.h"
#include "broker/core/leaving.h"
#include "broker/core/task.h"

bool leaver_may_succeed(const struct core *c, const struct policy *p, int mailbox,
			const struct core_case *k)
{
	const struct policy_mailbox *m = policy_mailbox(p, mailbox);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		const char *name = policy_participant(p, m->consumers[i])->name;
		uint32_t number = state_participant_number(c, name);
		if (!number || !case_excludes(k, number))
			return true;
	}
	return false;
}

static bool is_listed(const struct policy *p, const char *mailbox)
{
	int index = policy_find_mailbox(p, mailbox);

	/* The role of a body may be reached by its members' own. */
	return index != POLICY_NONE && strcmp(policy_mailbox(p, index)->name, mailbox) == 0;
}

static bool may_act(const struct core *c, const struct policy *p, const struct core_case *k,
		    uint32_t mailbox)
{
	const char *name = state_mailbox_name(c, mailbox);

	return is_listed(p, name) &&
	       (!k || leaver_may_succeed(c, p, policy_find_mailbox(p, name), k));
}

bool leaver_strands(const struct core *c, const struct policy *p, uint32_t mailbox,
		    const struct task *t)
{
	uint32_t ch = referral_at(c, t->referral)->core_case;
	const struct core_case *k = ch ? case_at(c, ch) : NULL;

	if (!task_open(t))
		return false;
	if (t->holder == mailbox && t->due_at_ms == 0)
		return !may_act(c, p, k, mailbox);
	if (!task_asks(t, mailbox))
		return false;
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (may_act(c, p, k, t->asked[i].mailbox))
			return false;
	return true;
}

/* A mailbox may get its number by this very event. */
static uint32_t number_of(const struct core *c, const Ieum__V1__PolicyChanged *e, const char *name)
{
	uint32_t number = core_mailbox_number(c, name);

	for (size_t i = 0; i < e->n_mailboxes && !number; i++)
		if (strcmp(e->mailboxes[i]->name, name) == 0)
			number = e->mailboxes[i]->number;
	return number;
}

/* What nobody would be responsible for. */
struct orphans {
	uint32_t cases, requests, conflicts;
};

static void count(const struct core *c, const struct policy *p, uint32_t mailbox, int to,
		  struct orphans *o)
{
	const struct mailbox *m = state_mailbox(c, mailbox);

	for (uint32_t i = 0; i < m->n_cases; i++) {
		const struct core_case *k = m->cases[i] ? case_at(c, m->cases[i]) : NULL;
		if (!k || (to != POLICY_NONE && leaver_may_succeed(c, p, to, k)))
			continue;
		bool owned = !case_closed(k) && k->owner == mailbox;
		o->cases += owned;
		o->conflicts += owned && to != POLICY_NONE;
		for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next)
			o->requests += task_at(c, th)->holder == mailbox;
	}
}

/* Of cases of which nobody may hear who takes from the mailbox by this policy: those that it owns, and
 * the requests that would wait for it. */
static void count_conflicts(const struct core *c, const struct policy *p, uint32_t mailbox,
			    struct orphans *o)
{
	const struct mailbox *m = state_mailbox(c, mailbox);

	for (uint32_t i = 0; i < m->n_cases; i++) {
		const struct core_case *k = m->cases[i] ? case_at(c, m->cases[i]) : NULL;
		if (!k || k->n_excluded == 0 || may_act(c, p, k, mailbox))
			continue;
		o->cases += !case_closed(k) && k->owner == mailbox;
		for (uint32_t th = k->open.head; th; th = task_at(c, th)->case_next)
			o->requests += leaver_strands(c, p, mailbox, task_at(c, th));
	}
	o->conflicts = o->cases;
}

static enum ieum_err refuse(struct core_decision *d, const char *name, const char *to,
			    const struct orphans *o)
{
	if (o->conflicts)
		return decision_refuse(
			d, IEUM_E_STATE_CONFLICT,
			"%s owns %u open cases of which %s may not hear (conflict of "
			"interest); hand them over first",
			name, o->conflicts, to);
	return decision_refuse(d, IEUM_E_STATE_CONFLICT,
			       "%s owns %u open cases and holds %u open requests; hand them over "
			       "or name who takes its place: left: {%s: {to: ...}}",
			       name, o->cases, o->requests, name);
}

static enum ieum_err add(struct core_decision *d, Ieum__V1__PolicyChanged *e, uint32_t mailbox,
			 uint32_t to)
{
	Ieum__V1__Leaver *l = decision_zalloc(d, sizeof *l);

	if (!l)
		return IEUM_E_NO_MEMORY;
	*l = (Ieum__V1__Leaver)IEUM__V1__LEAVER__INIT;
	l->mailbox = mailbox;
	l->to = to;
	e->leavers[e->n_leavers++] = l;
	return IEUM_E_OK;
}

enum ieum_err leavers_policy(const struct core *c, const struct policy *p, struct core_decision *d,
			     Ieum__V1__PolicyChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	e->leavers = decision_zalloc(d, (c->n_mailboxes + 1) * sizeof *e->leavers);
	if (!e->leavers)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 1; i <= c->n_mailboxes && !err; i++) {
		const struct mailbox *m = state_mailbox(c, i);
		struct orphans o = { 0 };
		if (m->n_cases == 0 && m->counts.routed == 0)
			continue;
		if (is_listed(p, m->name)) {
			count_conflicts(c, p, i, &o);
			if (o.cases > 0)
				return refuse(d, m->name, "whoever the file names for it", &o);
			if (o.requests > 0)
				err = add(d, e, i, 0);
			continue;
		}
		int to = policy_left_to(p, m->name);
		const char *to_name = to == POLICY_NONE ? "" : policy_mailbox(p, to)->name;
		count(c, p, i, to, &o);
		if (o.cases > 0)
			return refuse(d, m->name, to_name, &o);
		err = add(d, e, i, to == POLICY_NONE ? 0 : number_of(c, e, to_name));
	}
	return err;
}
