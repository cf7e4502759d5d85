/* A case is taken over, or stays where it is.
 *
 * Until the new one accepts, the old one is responsible; accepting is one event, which ends the
 * one's part and begins the other's.  It looks at every message of the case, and so costs more in a
 * long one: about 0.05 ms per thousand messages, twice that when they all still wait for the old one. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

/* ---- may it be answered so? ---- */

static bool takes(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE;
}

static bool declines(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
}

/* A case alone is handed over by whoever is responsible for it. */
static bool owner_asks(const struct submission *s, const struct task *t, const struct core_case *k)
{
	int sender = state_policy_participant(s->c, s->p, referral_at(s->c, t->referral)->sender);
	const struct policy_participant *who =
		sender == POLICY_NONE ? NULL : policy_participant(s->p, sender);

	for (size_t i = 0; who && i < who->n_mailboxes; i++)
		if (policy_mailbox(s->p, who->mailboxes[i])->number == k->owner)
			return true;
	return false;
}

enum ieum_err handover_check_answer(struct submission *s, const struct task *t, uint32_t by,
				    bool *settles)
{
	uint32_t ch = referral_at(s->c, t->referral)->core_case;
	const struct core_case *k = ch ? case_at(s->c, ch) : NULL;
	const struct handover *h = k ? handover_numbered(s->c, k->handover) : NULL;
	bool only_told = s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_RECEIVED ||
			 s->answer.kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME;

	*settles = false;
	if (!k || only_told)
		return IEUM_E_OK;
	/* Whoever was told of silence can press for an answer, but not give it. */
	if (h && h->to != by)
		return decision_refuse(s->d, IEUM_E_NOT_ADDRESSED,
				       "only '%s' can take the case or decline it",
				       state_mailbox_name(s->c, h->to));
	if (k->owner == by)
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "'%s' is responsible for the case already",
				       state_mailbox_name(s->c, by));
	if (!h && takes(s->answer.kind) && !owner_asks(s, t, k))
		return decision_refuse(s->d, IEUM_E_STATE_CONFLICT,
				       "'%s' is responsible for the case and did not ask this",
				       state_mailbox_name(s->c, k->owner));
	*settles = takes(s->answer.kind) || (h && declines(s->answer.kind));
	if (!*settles || takes(s->answer.kind))
		return IEUM_E_OK;
	/* Why it was declined: to whoever keeps the case, and to whoever announced the change; not to
	 * one that may not hear of it any more. */
	const uint32_t told[] = { h->from, h->announced_by };
	enum ieum_err err = IEUM_E_OK;
	for (size_t i = 0; i < sizeof told / sizeof told[0] && !err; i++)
		if (!submit_excludes(s, told[i]))
			err = submit_route(s->d, s->e, told[i],
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	return err;
}

Ieum__V1__TaskState handover_state_after(Ieum__V1__AnswerKind kind)
{
	if (takes(kind))
		return IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED;
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT
		       ? IEUM__V1__TASK_STATE__TASK_STATE_REJECTED
		       : IEUM__V1__TASK_STATE__TASK_STATE_FAILED;
}

/* ---- it is taken ---- */

static enum ieum_err add_number(struct core_decision *d, uint64_t **numbers, size_t *n, size_t *cap,
				uint64_t number)
{
	if (*n == *cap) {
		size_t more = *cap ? 2 * *cap : 16;
		uint64_t *grown = decision_zalloc(d, more * sizeof *grown);
		if (!grown)
			return IEUM_E_NO_MEMORY;
		if (*n)
			memcpy(grown, *numbers, *n * sizeof *grown);
		*numbers = grown;
		*cap = more;
	}
	(*numbers)[(*n)++] = number;
	return IEUM_E_OK;
}

static bool is_under_way(const struct delivery *d)
{
	return d->transit && d->state != DELIVERY_DEAD;
}

/* An open request that the new one has to answer from now on, and had not before, or that the old one
 * has taken on. */
static bool owes(const struct handover_leaving *l, const struct referral *r)
{
	for (uint32_t th = r->first_task; th; th = task_at(l->c, th)->next) {
		const struct task *t = task_at(l->c, th);
		if (task_open(t) &&
		    (t->holder == l->from || (task_asks(t, l->from) && !task_asks(t, l->to))))
			return true;
	}
	return false;
}

enum ieum_err handover_leave_message(struct handover_leaving *l, struct core_decision *d,
				     const struct referral *r)
{
	bool withdrawn = false;
	bool has_it = r->sender && handover_own_mailbox(l->c, r->sender) == l->to;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(l->c, dh)->next) {
		const struct delivery *v = delivery_at(l->c, dh);
		has_it |= v->mailbox == l->to && v->state != DELIVERY_WITHDRAWN;
		if (v->mailbox != l->from)
			continue;
		if (v->released_at_ms > l->last_read_at_ms)
			l->last_read_at_ms = v->released_at_ms;
		if (!is_under_way(v))
			continue;
		withdrawn = true;
		err = add_number(d, &l->withdrawn, &l->n_withdrawn, &l->cap_withdrawn, v->id);
	}
	if (!err && (owes(l, r) || (withdrawn && !has_it)))
		err = add_number(d, &l->forward_seqs, &l->n_forward_seqs, &l->cap_forward, r->seq);
	return err;
}

enum ieum_err handover_leave_case(struct handover_leaving *l, struct core_decision *d,
				  const struct core_case *k)
{
	const struct member *m = case_member(k, l->from);
	enum ieum_err err = IEUM_E_OK;

	l->last_read_at_ms = m ? m->last_read_at_ms : 0;
	for (uint32_t rh = k->referrals.head; rh && !err; rh = referral_at(l->c, rh)->next_in_case)
		err = handover_leave_message(l, d, referral_at(l->c, rh));
	return err;
}

static enum ieum_err take(struct submission *s, const struct handover *h, uint32_t ch, uint32_t to)
{
	struct core_case *k = case_at(s->c, ch);
	uint32_t from = h ? h->from : k->owner;
	struct handover_leaving l = { .c = s->c, .from = from, .to = to };
	Ieum__V1__HandoverChanged *e = decision_handover_changed(s->d, s->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = handover_leave_case(&l, s->d, k);
	e->change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, h ? (uint8_t *)h->change_id
							       : referral_at(s->c, s->reply)->id };
	e->step = IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ACCEPTED;
	e->from = from;
	e->to = to;
	e->last_read_at_ms = l.last_read_at_ms;
	e->withdrawn = l.withdrawn;
	e->n_withdrawn = l.n_withdrawn;
	e->forward_seqs = l.forward_seqs;
	e->n_forward_seqs = l.n_forward_seqs;
	e->case_ids = decision_zalloc(s->d, sizeof *e->case_ids);
	if (err || !e->case_ids)
		return err ? err : IEUM_E_NO_MEMORY;
	e->case_ids[0] = (ProtobufCBinaryData){ CORE_ID_BYTES, k->id };
	e->n_case_ids = 1;
	return IEUM_E_OK;
}

/* ---- it stays ---- */

enum ieum_err handover_keep(struct core_decision *d, core_time_us now, const struct handover *h,
			    const struct core_case *k, Ieum__V1__Reason reason)
{
	Ieum__V1__HandoverChanged *e = decision_handover_changed(d, now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)h->change_id };
	e->step = IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_KEPT;
	e->from = h->from;
	e->to = h->to;
	e->reason = reason;
	e->case_ids = decision_zalloc(d, sizeof *e->case_ids);
	if (!e->case_ids)
		return IEUM_E_NO_MEMORY;
	e->case_ids[0] = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)k->id };
	e->n_case_ids = 1;
	return IEUM_E_OK;
}

enum ieum_err handover_carry_out(struct submission *s)
{
	const struct task *t = s->hands_over;
	uint32_t ch = referral_at(s->c, t->referral)->core_case;
	const struct core_case *k = case_at(s->c, ch);
	const struct handover *h = handover_numbered(s->c, k->handover);

	if (takes(s->answer.kind))
		return take(s, h, ch, s->hands_over_to);
	return handover_keep(s->d, s->now, h, k, s->answer.reason);
}

/* ---- it can't be taken any more ---- */

static bool excludes_now(const struct submission *s, uint32_t mailbox)
{
	uint32_t participant = state_participant_number(s->c, state_mailbox_name(s->c, mailbox));

	for (size_t i = 0; i < s->e->n_excluded; i++)
		if (s->e->excluded[i] == participant)
			return true;
	return false;
}

enum ieum_err handover_exclude(struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;
	const struct handover *h = k ? handover_numbered(s->c, k->handover) : NULL;
	Ieum__V1__TaskChanged *change;

	/* Whoever declines because of its conflict of interest has ended it itself. */
	if (!h || s->hands_over || !excludes_now(s, h->to))
		return IEUM_E_OK;
	for (uint32_t th = k->open.head; th; th = task_at(s->c, th)->case_next) {
		const struct task *t = task_at(s->c, th);
		if (t->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER ||
		    !task_asks(t, h->to) || answer_ends(s->e, referral_at(s->c, t->referral), t))
			continue;
		enum ieum_err err =
			answer_add_change(s, referral_at(s->c, t->referral), t, &change);
		if (err)
			return err;
		change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL;
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED;
		change->due_at_ms = 0;
	}
	return handover_keep(s->d, s->now, h, k, IEUM__V1__REASON__REASON_CONFLICT_OF_INTEREST);
}
