/* What a message takes back: a predecessor that it supersedes, and what waits for participants
 * that are excluded now. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

static enum ieum_err add_withdrawn(struct submission *s, uint64_t delivery, size_t *room)
{
	Ieum__V1__Submitted *e = s->e;

	if (e->n_withdrawn == *room) {
		size_t more = *room ? 2 * *room : 16;
		uint64_t *withdrawn = decision_zalloc(s->d, more * sizeof *withdrawn);
		if (!withdrawn)
			return IEUM_E_NO_MEMORY;
		if (*room)
			memcpy(withdrawn, e->withdrawn, *room * sizeof *withdrawn);
		e->withdrawn = withdrawn;
		*room = more;
	}
	for (size_t i = 0; i < e->n_withdrawn; i++)
		if (e->withdrawn[i] == delivery)
			return IEUM_E_OK;
	e->withdrawn[e->n_withdrawn++] = delivery;
	return IEUM_E_OK;
}

static enum ieum_err add_revoked(struct submission *s, uint64_t delivery)
{
	Ieum__V1__Submitted *e = s->e;
	uint64_t *revoked = decision_zalloc(s->d, (e->n_revoked + 1) * sizeof *revoked);

	for (size_t i = 0; i < e->n_revoked; i++)
		if (e->revoked[i] == delivery)
			return IEUM_E_OK;
	if (!revoked)
		return IEUM_E_NO_MEMORY;
	if (e->n_revoked)
		memcpy(revoked, e->revoked, e->n_revoked * sizeof *revoked);
	revoked[e->n_revoked++] = delivery;
	e->revoked = revoked;
	return IEUM_E_OK;
}

enum ieum_err withdrawal_add(struct submission *s, const struct delivery *d, size_t *room)
{
	return d->released_to ? add_revoked(s, d->id) : add_withdrawn(s, d->id, room);
}

/* Nobody waits for an answer to what was replaced: its open requests end. */
static enum ieum_err cancel_tasks(struct submission *s, const struct referral *r)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t th = r->first_task; th && !err; th = task_at(s->c, th)->next) {
		Ieum__V1__TaskChanged *change;
		const struct task *t = task_at(s->c, th);
		if (!task_open(t) || answer_ends(s->e, r, t))
			continue;
		err = answer_add_change(s, r, t, &change);
		if (err)
			return err;
		change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL;
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED;
		change->due_at_ms = 0;
	}
	return err;
}

static enum ieum_err supersede(struct submission *s, size_t *room)
{
	const ProtobufCBinaryData *id = &s->envelope->supersedes;
	uint32_t rh = id->len == CORE_ID_BYTES ? state_referral(s->c, id->data) : 0;
	enum ieum_err err = IEUM_E_OK;

	if (!id->len)
		return IEUM_E_OK;
	if (!rh || referral_at(s->c, rh)->sender != s->who.participant)
		return decision_refuse(s->d, IEUM_E_REFERRAL_UNKNOWN, "envelope.supersedes");
	const struct referral *r = referral_at(s->c, rh);
	if (r->core_case != s->core_case || r->type != (uint32_t)s->envelope->type ||
	    rh == s->reply)
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "envelope.supersedes: not of the same type and case");
	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(s->c, dh)->next) {
		const struct delivery *d = delivery_at(s->c, dh);
		if (d->state == DELIVERY_QUEUED && !d->released_to)
			err = add_withdrawn(s, d->id, room);
	}
	return err ? err : cancel_tasks(s, r);
}

/* ---- exclusion ---- */

static bool is_excluded(const struct submission *s, int participant)
{
	for (size_t i = 0; i < s->context.n_excluded; i++)
		if (s->excluded[i] == participant)
			return true;
	return false;
}

/* Is nobody left who may take from it in this case? */
static bool all_excluded(const struct submission *s, int mailbox)
{
	const struct policy_mailbox *m = policy_mailbox(s->p, mailbox);

	for (size_t i = 0; i < m->n_consumers; i++)
		if (!is_excluded(s, m->consumers[i]))
			return false;
	return true;
}

bool submit_excludes(const struct submission *s, uint32_t mailbox)
{
	int index = state_policy_mailbox(s->c, s->p, mailbox);

	return index == POLICY_NONE || all_excluded(s, index);
}

static enum ieum_err withdraw_queued(struct submission *s, uint32_t mailbox, size_t *room)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t u = 0; u < CORE_URGENCIES; u++) {
		uint32_t lane = mailbox_lane(s->c, mailbox, s->core_case, u);
		uint32_t th = lane ? lane_at(s->c, lane)->transits.head : 0;
		for (int n = 0; th && n < CORE_WITHDRAW_MAX && !err; n++) {
			const struct transit *t = transit_at(s->c, th);
			const struct delivery *d = delivery_at(s->c, t->delivery);
			if (d->state == DELIVERY_QUEUED && !d->released_to)
				err = add_withdrawn(s, d->id, room);
			th = t->lane_next;
		}
	}
	return err;
}

/* Somebody is left there who may know of a case at all. */
static bool may_own(const struct submission *s, uint32_t mailbox)
{
	const struct policy_mailbox *m =
		policy_mailbox(s->p, state_policy_mailbox(s->c, s->p, mailbox));

	for (size_t i = 0; m && i < m->n_consumers; i++)
		if (!is_excluded(s, m->consumers[i]) &&
		    !policy_participant(s->p, m->consumers[i])->reads_nothing)
			return true;
	return false;
}

/* The sender; who gets the message, when the sender told of a conflict of its own; or who takes
 * part already. */
static uint32_t find_owner(const struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;

	if (may_own(s, s->e->sender_mailbox))
		return s->e->sender_mailbox;
	for (size_t i = 0; i < s->e->n_routes; i++)
		if (may_own(s, s->e->routes[i]->mailbox))
			return s->e->routes[i]->mailbox;
	for (uint32_t i = 0; k && i < k->n_members; i++)
		if (may_own(s, k->members[i].mailbox))
			return k->members[i].mailbox;
	return 0;
}

/* A case whose owner may not know of it any more needs another. */
static enum ieum_err replace_owner(struct submission *s)
{
	uint32_t owner = s->e->case_owner;

	if (!owner)
		owner = s->core_case ? case_at(s->c, s->core_case)->owner
				     : s->e->case_opened->owner;
	if (!submit_excludes(s, owner))
		return IEUM_E_OK;
	owner = find_owner(s);
	if (!owner)
		return decision_refuse(s->d, IEUM_E_CONFLICT_OF_INTEREST,
				       "envelope.excluded_participants: nobody would own the case");
	if (s->e->case_opened)
		s->e->case_opened->owner = owner;
	else
		s->e->case_owner = owner;
	return IEUM_E_OK;
}

/* A closed case may be nobody's: whoever was responsible has left the hub file since.  Taken up again
 * it needs somebody. */
static enum ieum_err own_again(struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;

	if (!k || !case_closed(k) || s->e->case_owner ||
	    s->e->case_state != IEUM__V1__CASE_STATE__CASE_STATE_REOPENED ||
	    !submit_excludes(s, handover_in_place(s->c, s->p, s->core_case, k->owner)))
		return IEUM_E_OK;
	s->e->case_owner = find_owner(s);
	if (!s->e->case_owner)
		return decision_refuse(s->d, IEUM_E_NO_ROUTE,
				       "nobody would own the case that is taken up again");
	return IEUM_E_OK;
}

/* ---- what the excluded owe ---- */

static bool asks_one_of(const struct task *t, const struct policy *p,
			const struct policy_participant *who)
{
	for (size_t i = 0; i < who->n_mailboxes; i++)
		if (task_asks(t, policy_mailbox(p, who->mailboxes[i])->number))
			return true;
	return false;
}

static bool asks_others(const struct submission *s, const struct task *t)
{
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (!submit_excludes(s, t->asked[i].mailbox))
			return true;
	return false;
}

/* Taken on by somebody who may not act any more, and no clock would tell that nothing comes of it:
 * of one whose clock runs, the ladder asks another. */
static bool waits_for_the_excluded(const struct submission *s, const struct task *t)
{
	return t->due_at_ms == 0 && t->holder && submit_excludes(s, t->holder);
}

/* Requests that nobody may answer any more, whether their clock ran or had stopped, or that wait for
 * the excluded: those asked beside these get their time anew, where there are none the ladder goes on
 * now. */
static enum ieum_err pass_on_tasks(struct submission *s, const struct policy_participant *who)
{
	for (uint32_t th = case_at(s->c, s->core_case)->open.head; th;
	     th = task_at(s->c, th)->case_next) {
		const struct task *t = task_at(s->c, th);
		if (!asks_one_of(t, s->p, who) ||
		    (answer_is_possible(s, t) && !waits_for_the_excluded(s, t)))
			continue;
		if (!s->e->clocks)
			s->e->clocks =
				decision_zalloc(s->d,
						SUBMIT_CLOCKS_MAX * sizeof(Ieum__V1__ClockMoved *));
		Ieum__V1__ClockMoved *m = decision_zalloc(s->d, sizeof *m);
		if (!m || !s->e->clocks)
			return IEUM_E_NO_MEMORY;
		*m = (Ieum__V1__ClockMoved)IEUM__V1__CLOCK_MOVED__INIT;
		m->message_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(s->c, t->referral)->id };
		m->task = t->index;
		m->due_at_ms = asks_others(s, t) ? ladder_again_at_ms(t, s->now_ms) : s->now_ms;
		if (s->e->n_clocks == SUBMIT_CLOCKS_MAX)
			return decision_refuse(s->d, IEUM_E_HUB_FULL, "too many open requests");
		s->e->clocks[s->e->n_clocks++] = m;
	}
	return IEUM_E_OK;
}

/* Would the same message take something on, or up again, in whose case it tells of a conflict of its
 * own? */
static bool takes_on_as_excluded(const struct submission *s)
{
	bool takes = task_answer_takes(s->answer.kind) || s->n_reopened > 0;

	for (size_t i = 0; takes && i < s->e->n_answered; i++)
		if (s->e->answered[i]->by && submit_excludes(s, s->e->answered[i]->by))
			return s->hands_over || !task_state_ended(s->e->answered[i]->state);
	return false;
}

void withdrawal_settle_clocks(Ieum__V1__Submitted *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_clocks; i++) {
		const Ieum__V1__ClockMoved *m = e->clocks[i];
		bool ended = false;
		for (size_t k = 0; k < e->n_answered && !ended; k++)
			ended = e->answered[k]->task == m->task &&
				task_state_ended(e->answered[k]->state) &&
				memcmp(e->answered[k]->message_id.data, m->message_id.data,
				       CORE_ID_BYTES) == 0;
		if (!ended)
			e->clocks[kept++] = e->clocks[i];
	}
	e->n_clocks = kept;
}

static enum ieum_err exclude(struct submission *s, size_t *room)
{
	size_t n = s->context.n_excluded - s->n_excluded_before;
	enum ieum_err err = IEUM_E_OK;

	if (n == 0)
		return IEUM_E_OK;
	if (!s->e->case_id.len)
		return decision_refuse(s->d, IEUM_E_FIELD_MISSING,
				       "envelope.case_id: an exclusion is a case's; name the case, "
				       "or open one");
	if (takes_on_as_excluded(s))
		return decision_refuse(s->d, IEUM_E_CONFLICT_OF_INTEREST,
				       "envelope.excluded_participants: whoever takes it on");
	s->e->excluded = decision_zalloc(s->d, n * sizeof *s->e->excluded);
	if (!s->e->excluded)
		return IEUM_E_NO_MEMORY;
	for (size_t i = s->n_excluded_before; i < s->context.n_excluded && !err; i++) {
		const struct policy_participant *who = policy_participant(s->p, s->excluded[i]);
		s->e->excluded[s->e->n_excluded++] = who->number;
		for (size_t k = 0; s->core_case && k < who->n_mailboxes && !err; k++)
			if (all_excluded(s, who->mailboxes[k]))
				err = withdraw_queued(
					s, policy_mailbox(s->p, who->mailboxes[k])->number, room);
		for (size_t k = 0; s->core_case && k < who->n_mailboxes && !err; k++)
			err = agenda_copy_exclude(
				s, policy_mailbox(s->p, who->mailboxes[k])->number, room);
		if (!err && s->core_case)
			err = pass_on_tasks(s, who);
	}
	return err ? err : replace_owner(s);
}

enum ieum_err withdrawal_decide(struct submission *s)
{
	size_t room = 0;
	enum ieum_err err = supersede(s, &room);

	if (!err)
		err = exclude(s, &room);
	return err ? err : own_again(s);
}
