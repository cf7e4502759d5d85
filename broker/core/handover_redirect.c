/* What would go to somebody who has handed over goes to the successor: in the cases that were
 * taken for good, in new cases of the jurisdiction from the cut-over on.  In cases that are not
 * taken yet both get it, and the old one stays responsible. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/submit.h"

const struct ended *handover_ended(const struct core_case *k, uint32_t mailbox)
{
	for (uint32_t i = 0; i < k->n_ended; i++)
		if (k->ended[i].mailbox == mailbox)
			return &k->ended[i];
	return NULL;
}

/* ---- who stands where ---- */

bool handover_left(const struct core *c, const struct policy *p, const struct caller *who,
		   const struct core_case *k)
{
	bool left = false;

	if (k->n_ended == 0)
		return false;
	for (size_t i = 0; i < who->who->n_mailboxes && !left; i++)
		left = handover_ended(k, policy_mailbox(p, who->who->mailboxes[i])->number);
	return left && !caller_in_case(c, p, who, k);
}

bool handover_inherits(const struct core *c, const struct policy *p, const struct caller *who,
		       const struct core_case *k, uint32_t mailbox)
{
	const struct ended *e = handover_ended(k, mailbox);

	for (int hop = 0; e && hop < HANDOVER_HOPS_MAX; hop++) {
		if (caller_consumes(c, p, who, e->successor))
			return true;
		e = handover_ended(k, e->successor);
	}
	return false;
}

bool handover_speaks_for(const struct submission *s, const struct referral *r)
{
	const struct core_case *k = r->core_case ? case_at(s->c, r->core_case) : NULL;

	return k && k->n_ended && r->sender &&
	       handover_inherits(s->c, s->p, &s->who, k, handover_own_mailbox(s->c, r->sender));
}

/* ---- where to ---- */

/* A case as far as it is known where a message goes into it. */
struct where {
	const struct core *c;
	const struct policy *p;
	const struct core_case *k; /* NULL: it is opened now */
	const char *jurisdiction;
	const uint32_t *excluded; /* by the message, beside the case's own */
	size_t n_excluded;
	uint32_t owner;     /* mailbox, once the decision so far is applied */
	bool is_stop_order; /* it is for who got something, as long as that one is in the case */
};

static bool is_excluded(const struct where *w, uint32_t participant)
{
	for (size_t i = 0; i < w->n_excluded; i++)
		if (w->excluded[i] == participant)
			return true;
	return w->k && case_excludes(w->k, participant);
}

/* Is somebody there who has no conflict of interest? */
static bool may_have_it(const struct where *w, uint32_t mailbox)
{
	const struct policy_mailbox *m =
		policy_mailbox(w->p, state_policy_mailbox(w->c, w->p, mailbox));

	for (size_t i = 0; m && i < m->n_consumers; i++)
		if (!is_excluded(w, policy_participant(w->p, m->consumers[i])->number))
			return true;
	return false;
}

/* Does the policy still send this jurisdiction's messages to the old one? */
static bool is_still_listed(const struct where *w, const struct handover *h)
{
	int index = policy_find_participant(w->p, state_mailbox_name(w->c, h->from));

	return index != POLICY_NONE && policy_serves(w->p, index, w->jurisdiction);
}

static bool hands_on(const struct where *w, const struct handover *h)
{
	bool in_effect = h->step == HANDOVER_STEP(CUT_OVER) || h->step == HANDOVER_STEP(COMPLETED);

	return in_effect && policy_covers(h->jurisdiction, w->jurisdiction);
}

/* Has a later change given the jurisdiction back to whoever handed it over? */
static bool is_undone(const struct where *w, const struct handover *h)
{
	for (uint32_t i = 0; i < w->c->handovers.n; i++) {
		const struct handover *later = w->c->handovers.all[i];
		if (later != h && later->to == h->from &&
		    later->effective_at_ms >= h->effective_at_ms && hands_on(w, later))
			return true;
	}
	return false;
}

/* A case that the old one has kept, or still has, is its own; so is one that may yet be gathered. */
static bool is_new_to(const struct where *w, const struct handover *h)
{
	const struct core_case *k = w->k;

	if (!k)
		return true;
	return (k->owner != h->from || case_closed(k)) && k->kept_in != h->number &&
	       (handover_gathered(h) || !case_member(k, h->from));
}

/* Whoever has the jurisdiction from another change is in no hub file for it. */
static bool takes_effect(const struct where *w, const struct handover *h, bool redirected)
{
	return !w->is_stop_order && hands_on(w, h) && is_new_to(w, h) &&
	       (redirected || is_still_listed(w, h)) && !is_undone(w, h);
}

/* One step from the mailbox, which somebody's messages may have been `redirected` to, to who gets
 * it instead, or beside it; 0: nobody. */
static uint32_t next_of(const struct where *w, uint32_t mailbox, bool redirected, bool *beside)
{
	const struct ended *e = w->k ? handover_ended(w->k, mailbox) : NULL;
	const struct handover *pending = w->k ? handover_numbered(w->c, w->k->handover) : NULL;

	*beside = false;
	if (e)
		return e->successor;
	if (pending && pending->from == mailbox) {
		*beside = true;
		return may_have_it(w, pending->to) ? pending->to : 0;
	}
	for (uint32_t i = w->c->handovers.n; i-- > 0 && !pending;) {
		const struct handover *h = w->c->handovers.all[i];
		/* Whoever has handed this very case on doesn't get it back by another change. */
		if (h->from == mailbox && takes_effect(w, h, redirected) && may_have_it(w, h->to) &&
		    !(w->k && handover_ended(w->k, h->to)))
			return h->to;
	}
	return 0;
}

/* The last successor of all. */
static uint32_t last_successor(const struct where *w, uint32_t mailbox)
{
	bool beside = false;

	for (int hop = 0; hop < HANDOVER_HOPS_MAX; hop++) {
		uint32_t next = next_of(w, mailbox, hop > 0, &beside);
		if (!next || beside)
			break;
		mailbox = next;
	}
	return mailbox;
}

/* That one; where it has a conflict of interest by now, or is in the hub file no more, whoever is
 * responsible for the case. */
static uint32_t instead_of(const struct where *w, uint32_t mailbox)
{
	uint32_t last = last_successor(w, mailbox);

	return last == mailbox || !w->k || may_have_it(w, last) ? last : w->owner;
}

uint32_t handover_in_place(const struct core *c, const struct policy *p, uint32_t core_case,
			   uint32_t mailbox)
{
	const struct where w = { .c = c,
				 .p = p,
				 .k = core_case ? case_at(c, core_case) : NULL,
				 .jurisdiction =
					 core_case ? case_at(c, core_case)->jurisdiction : "" };

	return core_case ? last_successor(&w, mailbox) : mailbox;
}

/* ---- a message's routes and requests ---- */

static void drop_route(Ieum__V1__Submitted *e, size_t i)
{
	e->n_routes--;
	memmove(&e->routes[i], &e->routes[i + 1], (e->n_routes - i) * sizeof *e->routes);
}

/* Where two mailboxes have become one, it gets the message once, and with the request. */
static void merge_routes(Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_routes; i++) {
		for (size_t k = i + 1; k < e->n_routes;) {
			if (e->routes[k]->mailbox != e->routes[i]->mailbox) {
				k++;
				continue;
			}
			if (!e->routes[i]->task)
				e->routes[i]->task = e->routes[k]->task;
			drop_route(e, k);
		}
	}
}

static void drop_task(Ieum__V1__Submitted *e, size_t i)
{
	e->n_tasks--;
	memmove(&e->tasks[i], &e->tasks[i + 1], (e->n_tasks - i) * sizeof *e->tasks);
	for (size_t k = 0; k < e->n_routes; k++)
		if (e->routes[k]->task > i + 1)
			e->routes[k]->task--;
}

/* Two requests of one who was two are one; the first one's deadline holds. */
static void merge_tasks(Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_tasks; i++) {
		for (size_t k = i + 1; k < e->n_tasks;) {
			if (e->tasks[i]->n_asked != 1 || e->tasks[k]->n_asked != 1 ||
			    e->tasks[i]->asked[0] != e->tasks[k]->asked[0]) {
				k++;
				continue;
			}
			for (size_t r = 0; r < e->n_routes; r++)
				if (e->routes[r]->task == k + 1)
					e->routes[r]->task = (uint32_t)i + 1;
			drop_task(e, k);
		}
	}
}

/* Is it asked to take a case that it once had?  That is a question to nobody else. */
static bool is_asked_back(const struct where *w, const Ieum__V1__Task *t, uint32_t mailbox)
{
	if (!w->k || t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER ||
	    !handover_ended(w->k, mailbox))
		return false;
	for (size_t i = 0; i < t->n_asked; i++)
		if (t->asked[i] == mailbox)
			return true;
	return false;
}

static bool redirect_asked(const struct where *w, Ieum__V1__Task *t)
{
	size_t kept = 0;
	bool changed = false;

	for (size_t i = 0; i < t->n_asked; i++) {
		bool back = is_asked_back(w, t, t->asked[i]);
		uint32_t mailbox = back ? t->asked[i] : instead_of(w, t->asked[i]);
		bool there = false;
		changed |= mailbox != t->asked[i];
		for (size_t k = 0; k < kept; k++)
			there |= t->asked[k] == mailbox;
		if (!there)
			t->asked[kept++] = mailbox;
	}
	t->n_asked = kept;
	return changed;
}

static enum ieum_err redirect_routes(const struct where *w, struct core_decision *d,
				     Ieum__V1__Submitted *e, bool *changed)
{
	size_t n = e->n_routes;

	for (size_t i = 0; i < n; i++) {
		uint32_t task = e->routes[i]->task;
		bool back = task && is_asked_back(w, e->tasks[task - 1], e->routes[i]->mailbox);
		uint32_t mailbox =
			back ? e->routes[i]->mailbox : instead_of(w, e->routes[i]->mailbox);
		bool beside;
		uint32_t also = next_of(w, mailbox, mailbox != e->routes[i]->mailbox, &beside);
		if (mailbox != e->routes[i]->mailbox) {
			*changed = true;
			e->routes[i]->mailbox = mailbox;
			e->routes[i]->cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_FORWARDED;
		}
		if (!also || !beside || also == e->sender_mailbox ||
		    e->n_routes == POLICY_ROUTES_MAX ||
		    (!case_member(w->k, also) &&
		     decision_case_members(w->c, d, w->k->id) >= CORE_CASE_MEMBERS_MAX))
			continue;
		Ieum__V1__Route *r = decision_zalloc(d, sizeof *r);
		if (!r)
			return IEUM_E_NO_MEMORY;
		*r = (Ieum__V1__Route)IEUM__V1__ROUTE__INIT;
		r->mailbox = also;
		r->cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_FORWARDED;
		e->routes[e->n_routes++] = r;
		*changed = true;
	}
	return IEUM_E_OK;
}

static void redirect_owner(const struct where *w, Ieum__V1__Submitted *e)
{
	if (e->case_opened)
		e->case_opened->owner = instead_of(w, e->case_opened->owner);
	else if (e->case_owner)
		e->case_owner = instead_of(w, e->case_owner);
	else if (e->case_state == IEUM__V1__CASE_STATE__CASE_STATE_REOPENED &&
		 instead_of(w, w->k->owner) != w->k->owner)
		e->case_owner = instead_of(w, w->k->owner);
}

/* The message of the same decision and case that excludes somebody: what the hub makes because of
 * it comes before that is applied. */
static const Ieum__V1__Submitted *excluding(const struct core_decision *d,
					    const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *other = d->items[i].event;
		if (other->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED &&
		    other->submitted->n_excluded > 0 &&
		    other->submitted->case_id.len == e->case_id.len &&
		    memcmp(other->submitted->case_id.data, e->case_id.data, e->case_id.len) == 0)
			return other->submitted;
	}
	return e;
}

enum ieum_err handover_redirect(const struct core *c, const struct policy *p,
				struct core_decision *d, Ieum__V1__Submitted *e)
{
	uint32_t ch = e->case_id.len == CORE_ID_BYTES && !e->case_opened
			      ? state_case(c, e->case_id.data)
			      : 0;
	struct where w = { .c = c,
			   .p = p,
			   .k = ch ? case_at(c, ch) : NULL,
			   .jurisdiction = ch ? case_at(c, ch)->jurisdiction : e->jurisdiction,
			   .excluded = excluding(d, e)->excluded,
			   .n_excluded = excluding(d, e)->n_excluded,
			   .owner = ch ? case_at(c, ch)->owner : 0,
			   .is_stop_order =
				   e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER };
	bool changed = false;

	/* Nothing was ever handed over, or it is no case's: the common case. */
	if (!e->case_id.len || (c->handovers.n == 0 && !(w.k && w.k->n_ended)))
		return IEUM_E_OK;
	if (!ch && !e->case_opened)
		return IEUM_E_OK;
	redirect_owner(&w, e);
	w.owner = w.k ? decision_case_owner(d, w.k) : 0;
	enum ieum_err err = redirect_routes(&w, d, e, &changed);
	for (size_t i = 0; i < e->n_tasks && !err; i++)
		changed |= redirect_asked(&w, e->tasks[i]);
	if (!err && changed) {
		merge_routes(e);
		merge_tasks(e);
	}
	return err;
}
