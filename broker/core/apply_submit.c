/* Applying what makes or moves referrals and cases; see apply.h. */
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/gateway.h"
#include "broker/core/handover.h"
#include "broker/core/mailbox.h"
#include "broker/core/participation.h"
#include "broker/core/task.h"
#include "broker/core/timeline.h"

struct entry *apply_entry(struct core *c, uint32_t ch, const struct applied *a,
			  Ieum__V1__TimelineKind kind, uint32_t referral)
{
	struct entry *e = timeline_add(&case_at(c, ch)->timeline);

	if (!e)
		return NULL;
	e->seq = a->seq;
	e->at_ms = to_ms(a->at_us);
	e->referral = referral;
	e->kind = (uint8_t)kind;
	case_touch(c, ch, e->at_ms);
	return e;
}

/* ---- deliveries of an event ---- */

static enum ieum_err add_delivery(struct core *c, uint32_t rh, uint64_t id,
				  const Ieum__V1__Route *route, uint8_t task)
{
	struct referral *r = referral_at(c, rh);
	uint32_t dh = slab_get(&c->deliveries);

	if (!dh)
		return IEUM_E_NO_MEMORY;
	if (!state_mailbox(c, route->mailbox))
		return IEUM_E_JOURNAL_CORRUPT;
	*delivery_at(c, dh) = (struct delivery){
		.id = id,
		.referral = rh,
		.mailbox = route->mailbox,
		.cause = (uint8_t)route->cause,
		.task = task,
	};
	*(r->last_delivery ? &delivery_at(c, r->last_delivery)->next : &r->first_delivery) = dh;
	r->last_delivery = dh;
	enum ieum_err err = mailbox_put(c, dh);
	if (r->sealed)
		sealed_look(c, r->sealed);
	if (!err && r->core_case)
		err = case_join(c, r->core_case, route->mailbox, false);
	if (!err && participation_by_delivery(r->type, route->cause))
		participation_renew(c, r->core_case, route->mailbox);
	return err;
}

enum ieum_err apply_routes(struct core *c, uint32_t rh, uint64_t seq,
			   Ieum__V1__Route *const *routes, size_t n, uint32_t task)
{
	enum ieum_err err = IEUM_E_OK;

	if (n > POLICY_ROUTES_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < n && !err; i++)
		err = add_delivery(c, rh, seq << CORE_ROUTE_BITS | i, routes[i],
				   (uint8_t)(task ? task : routes[i]->task));
	return err;
}

/* ---- the case of a submitted message ---- */

static enum ieum_err link_both(struct core *c, uint32_t ch, const Ieum__V1__CaseLinked *l)
{
	uint32_t other = l->case_id.len == CORE_ID_BYTES ? state_case(c, l->case_id.data) : 0;

	if (!other || other == ch)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = case_link(case_at(c, ch), l->case_id.data, (uint8_t)l->kind);
	return err ? err : case_link(case_at(c, other), case_at(c, ch)->id, (uint8_t)l->kind);
}

static enum ieum_err open_its_case(struct core *c, const struct applied *a,
				   const Ieum__V1__Submitted *e, uint32_t *ch)
{
	if (*ch)
		return IEUM_E_JOURNAL_CORRUPT;
	*ch = case_open(c, e->case_id.data, a->seq, to_ms(a->at_us));
	if (!*ch)
		return IEUM_E_NO_MEMORY;
	struct core_case *k = case_at(c, *ch);
	k->category = (uint8_t)e->category;
	k->owner = e->case_opened->owner;
	if (!state_mailbox(c, k->owner))
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = case_set_jurisdiction(k, e->jurisdiction);
	return err ? err : case_join(c, *ch, k->owner, false);
}

/* Finds or opens it, and does to it what the message does, but for its state. */
static enum ieum_err enter_case(struct core *c, const struct applied *a,
				const Ieum__V1__Submitted *e, uint32_t *out)
{
	enum ieum_err err = IEUM_E_OK;

	*out = 0;
	if (e->case_id.len != CORE_ID_BYTES)
		return e->case_id.len || e->case_opened ? IEUM_E_JOURNAL_CORRUPT : IEUM_E_OK;
	uint32_t ch = state_case(c, e->case_id.data);
	if (e->case_opened)
		err = open_its_case(c, a, e, &ch);
	if (err)
		return err;
	if (!ch)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < e->n_case_links && !err; i++)
		err = link_both(c, ch, e->case_links[i]);
	for (size_t i = 0; i < e->n_excluded && !err; i++)
		err = case_exclude(case_at(c, ch), e->excluded[i]);
	if (!err && e->safe_contact)
		err = case_set_contact(case_at(c, ch), e->safe_contact);
	if (!err && e->sender_mailbox)
		err = case_join(c, ch, e->sender_mailbox, true);
	if (!err && e->case_owner) {
		case_at(c, ch)->owner = e->case_owner;
		err = case_join(c, ch, e->case_owner, false);
		participation_renew(c, ch, e->case_owner);
	}
	*out = ch;
	return err;
}

static enum ieum_err case_history(struct core *c, const struct applied *a,
				  const Ieum__V1__Submitted *e, uint32_t ch, uint32_t rh)
{
	/* A withdrawal cancels requests, a meeting completes some, but neither answers them. */
	bool answers =
		e->answer || (e->n_answered > 0 &&
			      e->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_CALL &&
			      e->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_MINUTES &&
			      e->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONSENT_WITHDRAWAL);
	struct entry *line = apply_entry(c, ch, a,
					 answers ? IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ANSWERED
						 : IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_SUBMITTED,
					 rh);

	if (!line)
		return IEUM_E_NO_MEMORY;
	if (e->answer) {
		line->what = (uint8_t)e->answer;
		line->reason = (uint8_t)e->answer_reason;
	} else if (answers) {
		const Ieum__V1__TaskChanged *t = e->answered[0];
		line->what = (uint8_t)t->answer;
		line->outcome = (uint8_t)t->outcome;
		line->reason = (uint8_t)t->reason;
		line->due_at_ms = t->due_at_ms > 0 ? t->due_at_ms : 0;
	} else if (e->n_tasks > 0) {
		line->due_at_ms = e->tasks[0]->due_at_ms;
	}
	if (!e->case_state)
		return IEUM_E_OK;
	case_set_state(c, ch, (uint8_t)e->case_state);
	line = apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE, rh);
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = (uint8_t)e->case_state;
	return IEUM_E_OK;
}

/* ---- a submitted message ---- */

static uint8_t urgency_index(Ieum__V1__Urgency u)
{
	return (uint8_t)(u >= IEUM__V1__URGENCY__URGENCY_IMMEDIATE &&
					 u < IEUM__V1__URGENCY__URGENCY_ROUTINE
				 ? u - IEUM__V1__URGENCY__URGENCY_IMMEDIATE
				 : CORE_URGENCIES - 1);
}

static void append_referral(struct core *c, uint32_t ch, uint32_t rh)
{
	struct list *list = ch ? &case_at(c, ch)->referrals : &c->loose;

	referral_at(c, rh)->prev_in_case = list->tail;
	*(list->tail ? &referral_at(c, list->tail)->next_in_case : &list->head) = rh;
	list->tail = rh;
}

static enum ieum_err make_referral(struct core *c, const struct applied *a,
				   const Ieum__V1__Submitted *e, uint32_t ch, uint32_t *out)
{
	uint32_t rh = slab_get(&c->referrals);

	if (!rh)
		return IEUM_E_NO_MEMORY;
	struct referral *r = referral_at(c, rh);
	memcpy(r->id, e->message_id.data, CORE_ID_BYTES);
	r->seq = a->seq;
	r->at_us = a->at_us;
	r->core_case = ch;
	r->sender = e->sender;
	r->payload_bytes = e->payload_bytes;
	r->type = (uint8_t)e->type;
	r->urgency = urgency_index(e->urgency);
	r->category = (uint8_t)e->category;
	r->basis = (uint8_t)e->basis;
	uint32_t kh = e->connection ? state_connection(c, e->connection) : 0;
	r->actor = kh ? gateway_actor(c, connection_at(c, kh)->actor, e->on_behalf_of) : 0;
	if (kh && !r->actor)
		return IEUM_E_NO_MEMORY;
	if (e->in_reply_to.len == CORE_ID_BYTES) {
		uint32_t to = state_referral(c, e->in_reply_to.data);
		r->in_reply_to = to ? referral_at(c, to)->seq : 0;
	}
	append_referral(c, ch, rh);
	*out = rh;
	return state_add_referral(c, rh);
}

static enum ieum_err withdraw(struct core *c, const Ieum__V1__Submitted *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_withdrawn && !err; i++) {
		uint32_t dh = state_delivery(c, e->withdrawn[i]);
		err = dh ? mailbox_end(c, dh, DELIVERY_WITHDRAWN, NULL) : IEUM_E_JOURNAL_CORRUPT;
	}
	for (size_t i = 0; i < e->n_revoked && !err; i++) {
		uint32_t dh = state_delivery(c, e->revoked[i]);
		err = dh ? mailbox_revoke(c, dh) : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

/* Whoever takes a request on after all reads the case again. */
static enum ieum_err answer_request(struct core *c, const Ieum__V1__Submitted *e, uint32_t ch,
				    const Ieum__V1__TaskChanged *change)
{
	if (!change->rejected && task_answer_takes(change->answer)) {
		participation_renew(c, ch, change->by);
		participation_renew(c, ch, e->sender_mailbox);
	}
	return task_change(c, change);
}

enum ieum_err apply_submitted(struct core *c, const struct applied *a, const Ieum__V1__Submitted *e)
{
	uint32_t ch = 0;
	uint32_t rh = 0;

	if (e->message_id.len != CORE_ID_BYTES || state_referral(c, e->message_id.data) ||
	    e->sender > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = enter_case(c, a, e, &ch);
	if (!err)
		err = make_referral(c, a, e, ch, &rh);
	if (!err && ch)
		err = case_history(c, a, e, ch, rh);
	for (size_t i = 0; i < e->n_answered && !err; i++)
		err = answer_request(c, e, ch, e->answered[i]);
	for (size_t i = 0; i < e->n_tasks && !err; i++)
		err = task_add(c, rh, e->tasks[i], e->jurisdiction);
	for (size_t i = 0; i < e->n_clocks && !err; i++)
		err = task_move_clock(c, e->clocks[i]);
	if (!err)
		err = withdraw(c, e);
	if (!err && e->agenda)
		err = agenda_copy_apply(c, e->message_id.data, e->agenda);
	if (!err)
		err = apply_routes(c, rh, a->seq, e->routes, e->n_routes, 0);
	/* Last: who lacks a key of it now was said with it. */
	return err || e->n_sealed == 0 ? err : sealed_add(c, rh, e->sealed, e->n_sealed);
}

enum ieum_err apply_escalated(struct core *c, const struct applied *a, const Ieum__V1__Escalated *e)
{
	uint32_t rh =
		e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;

	if (!rh)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = task_escalate(c, e);
	if (!err && e->n_routes > 0)
		err = seqmap_set(&c->seqs, a->seq, rh);
	if (!err)
		err = apply_routes(c, rh, a->seq, e->routes, e->n_routes, e->task + 1);
	uint32_t ch = referral_at(c, rh)->core_case;
	if (err || !ch)
		return err;
	const struct task *t = state_task(c, referral_at(c, rh), e->task);
	if (t->effect == IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER && !task_open(t) &&
	    referral_at(c, rh)->sender == 0)
		handover_unanswered(c, ch);
	struct entry *line =
		apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_ESCALATED, rh);
	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = (uint8_t)e->cause;
	line->due_at_ms = e->due_at_ms;
	return IEUM_E_OK;
}

/* The message that led to a change; 0: none, or it is known no more. */
static uint32_t cause_of(const struct core *c, const Ieum__V1__CaseChanged *e)
{
	return e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;
}

static enum ieum_err state_history(struct core *c, const struct applied *a,
				   const Ieum__V1__CaseChanged *e, uint32_t ch)
{
	struct entry *line =
		apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CASE_STATE, 0);

	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = (uint8_t)e->state;
	line->reason = (uint8_t)e->reason;
	return IEUM_E_OK;
}

static enum ieum_err change_grade(struct core *c, const struct applied *a,
				  const Ieum__V1__CaseChanged *e, uint32_t ch)
{
	struct core_case *k = case_at(c, ch);
	struct entry *line =
		apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GRADE, cause_of(c, e));

	if (!line)
		return IEUM_E_NO_MEMORY;
	size_t length = strlen(e->grade);

	if (length >= sizeof k->grade)
		return IEUM_E_JOURNAL_CORRUPT;
	memset(k->grade, 0, sizeof k->grade);
	if (strcmp(e->grade, "-") != 0)
		memcpy(k->grade, e->grade, length);
	for (size_t i = 0; i < sizeof line->letters && e->grade[i]; i++)
		line->letters |= (uint64_t)(uint8_t)e->grade[i] << 8 * i;
	return IEUM_E_OK;
}

static enum ieum_err change_consent(struct core *c, const struct applied *a,
				    const Ieum__V1__CaseChanged *e, uint32_t ch)
{
	struct entry *line = apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_CONSENT,
					 cause_of(c, e));

	if (!line)
		return IEUM_E_NO_MEMORY;
	line->what = (uint8_t)e->consent;
	if (e->consent != IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN_IN_PART)
		case_at(c, ch)->consent_withdrawn =
			e->consent == IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN;
	for (size_t i = 0; i < e->n_consent_of_ids; i++) {
		uint32_t rh = e->consent_of_ids[i].len == CORE_ID_BYTES
				      ? state_referral(c, e->consent_of_ids[i].data)
				      : 0;
		if (!rh || referral_at(c, rh)->core_case != ch)
			return IEUM_E_JOURNAL_CORRUPT;
		referral_at(c, rh)->consent_withdrawn = true;
	}
	return IEUM_E_OK;
}

static enum ieum_err apply_gate(struct core *c, const struct applied *a, uint32_t ch,
				const Ieum__V1__CaseChanged *e)
{
	enum ieum_err err = gate_set(&case_at(c, ch)->gates, e->gate_opened, e->gate_until_at_ms);
	uint32_t name = err ? 0 : names_number(&c->names, e->gate_opened);

	if (!name)
		return err ? err : IEUM_E_NO_MEMORY;
	struct entry *line = apply_entry(c, ch, a, IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_GATE, 0);
	if (!line)
		return IEUM_E_NO_MEMORY;
	entry_set_name(line, name);
	line->what = e->at_once ? 1 : 0;
	line->due_at_ms = e->gate_until_at_ms;
	return IEUM_E_OK;
}

enum ieum_err apply_case_changed(struct core *c, const struct applied *a,
				 const Ieum__V1__CaseChanged *e)
{
	uint32_t ch = e->case_id.len == CORE_ID_BYTES ? state_case(c, e->case_id.data) : 0;

	if (!ch || e->owner > c->n_mailboxes)
		return IEUM_E_JOURNAL_CORRUPT;
	if (*e->gate_opened)
		return apply_gate(c, a, ch, e);
	if (e->state)
		case_set_state(c, ch, (uint8_t)e->state);
	if (e->owner) {
		case_at(c, ch)->owner = e->owner;
		enum ieum_err err = case_join(c, ch, e->owner, false);
		if (err)
			return err;
		participation_renew(c, ch, e->owner);
	}
	enum ieum_err err = e->state || e->owner ? state_history(c, a, e, ch) : IEUM_E_OK;
	if (!err && *e->grade)
		err = change_grade(c, a, e, ch);
	if (!err && e->consent)
		err = change_consent(c, a, e, ch);
	return err ? err : participation_end(c, ch, e->out, e->n_out);
}

enum ieum_err apply_forgotten(struct core *c, const Ieum__V1__Forgotten *e)
{
	for (size_t i = 0; i < e->n_case_ids; i++) {
		uint32_t ch = e->case_ids[i].len == CORE_ID_BYTES
				      ? state_case(c, e->case_ids[i].data)
				      : 0;
		if (!ch || !case_ended(c, case_at(c, ch)))
			return IEUM_E_JOURNAL_CORRUPT;
		case_forget(c, ch);
		c->n_forgotten++;
	}
	for (size_t i = 0; i < e->n_seqs; i++) {
		uint32_t rh = seqmap_get(&c->seqs, e->seqs[i]);
		if (!rh || referral_at(c, rh)->seq != e->seqs[i] || referral_at(c, rh)->core_case ||
		    !referral_ended(c, referral_at(c, rh)))
			return IEUM_E_JOURNAL_CORRUPT;
		referral_forget(c, rh);
		c->n_forgotten++;
	}
	return IEUM_E_OK;
}
