/* Consent to share: withdrawn, or given again; and what becomes of what was shared on it.
 *
 * A withdrawal takes back what nobody has settled yet, cancels the requests that nobody has taken on,
 * and tells everyone who got something to stop using it: by a message of the hub's own to each,
 * which the rules make a request that must be acknowledged.  What a statute asks for, or danger,
 * rests on no consent and goes on. */
#include "broker/core/consent.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/placing.h"
#include "broker/core/submit.h"
#include "broker/core/task.h"

enum {
	CONSENT_MESSAGES_MAX = 512,   /* of a case, that are named to who got them */
	CONSENT_RECIPIENTS_MAX = 256, /* participants */
	CONSENT_TAKEN_BACK_MAX = 4096,
	CONSENT_CANCELLED_MAX = CORE_CASE_TASKS_MAX,
	ORDER_NAMED_MAX = 64, /* messages in one order; more: it names none, all are meant */
	ORDERS_MAX = 24,      /* that name messages; of one decision */
	ORDER_TO_MAX = POLICY_TASKS_MAX, /* of the same messages: a request to each */
	STATUSES_MAX = 16, /* events before the orders; no withdrawal fails for want of room */
};

struct recipient {
	uint32_t participant;
	int index;
	bool more; /* than can be named */
	bool told;
	uint8_t got[CONSENT_MESSAGES_MAX / 8];
};

struct stopping {
	const struct occasion *o;
	const struct core_case *k;
	const Ieum__V1__ConsentWithdrawal *body; /* NULL: everything of the case */
	const struct referral **messages;
	uint32_t n_messages;
	struct recipient *to;
	size_t n_to;
	unsigned orders;
	size_t room, room_revoked; /* of the event's lists of what is taken back */
};

static enum ieum_err consent_changed(const struct occasion *o, Ieum__V1__ConsentChange change)
{
	Ieum__V1__CaseChanged *e = decision_case_changed(o->d, o->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = o->case_id;
	e->consent = change;
	if (o->referral)
		e->message_id = o->referral->envelope->message_id;
	return IEUM_E_OK;
}

enum ieum_err consent_give(const struct occasion *o)
{
	if (!o->core_case || !case_at(o->c, o->core_case)->consent_withdrawn)
		return IEUM_E_OK;
	return consent_changed(o, IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_GIVEN);
}

/* ---- what rests on it ---- */

static bool is_meant(const struct stopping *s, const struct referral *r)
{
	if (r->basis != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT)
		return false;
	for (size_t i = 0; s->body && i < s->body->n_message_ids; i++)
		if (memcmp(s->body->message_ids[i].data, r->id, CORE_ID_BYTES) == 0)
			return true;
	return !s->body || s->body->n_message_ids == 0;
}

/* Adds to a list of the event's, where there is room and it isn't there yet. */
static enum ieum_err add_delivery(struct stopping *s, uint64_t **list, size_t *n, size_t *room,
				  uint64_t delivery)
{
	for (size_t i = 0; i < *n; i++)
		if ((*list)[i] == delivery)
			return IEUM_E_OK;
	if (*n == CONSENT_TAKEN_BACK_MAX)
		return IEUM_E_OK;
	if (!*room || *n == *room) {
		*room = *n ? 2 * *n : 16;
		uint64_t *more = decision_zalloc(s->o->d, *room * sizeof *more);
		if (!more)
			return IEUM_E_NO_MEMORY;
		for (size_t i = 0; i < *n; i++)
			more[i] = (*list)[i];
		*list = more;
	}
	(*list)[(*n)++] = delivery;
	return IEUM_E_OK;
}

/* What is not settled would come again: after a disconnect or a time-out, and to a colleague too. */
static enum ieum_err take_back(struct stopping *s, const struct delivery *d)
{
	Ieum__V1__Submitted *e = s->o->e;

	if (d->state != DELIVERY_QUEUED && d->state != DELIVERY_WAITING &&
	    d->state != DELIVERY_IN_FLIGHT)
		return IEUM_E_OK;
	return d->released_to ? add_delivery(s, &e->revoked, &e->n_revoked, &s->room_revoked, d->id)
			      : add_delivery(s, &e->withdrawn, &e->n_withdrawn, &s->room, d->id);
}

/* Those who may not hear of the case any more are told nothing, nor is who withdraws. */
static bool is_to_be_told(const struct stopping *s, uint32_t participant, int index)
{
	if (index == POLICY_NONE || participant == s->o->participant ||
	    policy_participant(s->o->p, index)->mailbox == POLICY_NONE)
		return false;
	for (size_t i = 0; i < s->o->n_excluded; i++)
		if (s->o->excluded[i] == index)
			return false;
	return true;
}

static void add_recipient(struct stopping *s, uint32_t participant)
{
	int index = state_policy_participant(s->o->c, s->o->p, participant);
	struct recipient *to = NULL;

	if (!is_to_be_told(s, participant, index))
		return;
	for (size_t i = 0; i < s->n_to && !to; i++)
		if (s->to[i].participant == participant)
			to = &s->to[i];
	if (!to) {
		if (s->n_to == CONSENT_RECIPIENTS_MAX)
			return;
		to = &s->to[s->n_to++];
		to->participant = participant;
		to->index = index;
	}
	/* The message is the last that was added, where there was room. */
	if (s->n_messages > CONSENT_MESSAGES_MAX)
		to->more = true;
	else
		to->got[(s->n_messages - 1) / 8] |= (uint8_t)(1U << (s->n_messages - 1) % 8);
}

static enum ieum_err stop_deliveries(struct stopping *s, const struct referral *r)
{
	const struct core *c = s->o->c;
	enum ieum_err err = IEUM_E_OK;

	if (s->n_messages < CONSENT_MESSAGES_MAX)
		s->messages[s->n_messages] = r;
	if (s->n_messages <= CONSENT_MESSAGES_MAX)
		s->n_messages++;
	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(c, dh)->next) {
		const struct delivery *d = delivery_at(c, dh);
		err = take_back(s, d);
		if (d->released_to)
			add_recipient(s, d->released_to);
		for (uint32_t h = d->readers; h;) {
			const struct reader *reader = slab_at(&c->readers, h);
			add_recipient(s, reader->participant);
			h = reader->next;
		}
	}
	return err;
}

/* Who asked hears that its request is no more; who hears only that all has ended, when it has. */
static enum ieum_err tell_referrer(struct stopping *s, const struct referral *r, bool goes_on)
{
	const struct occasion *o = s->o;
	bool many = o->d->n_items >= STATUSES_MAX;
	int index = state_policy_participant(o->c, o->p, r->sender);

	if (!is_to_be_told(s, r->sender, index) || o->e->n_routes == POLICY_ROUTES_MAX)
		return IEUM_E_OK;
	if (policy_participant(o->p, index)->hears_status && (goes_on || many))
		return IEUM_E_OK;
	if (policy_participant(o->p, index)->hears_status)
		return outcome_status(o->c, o->p, o->d, o->now, r,
				      IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
	int mailbox = policy_participant(o->p, index)->mailbox;
	return submit_route(o->d, o->e, policy_mailbox(o->p, mailbox)->number,
			    IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
}

static bool is_taken_on(const struct task *t)
{
	return t->state != IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED &&
	       t->state != IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED;
}

/* The same message may say that whoever was asked has a conflict of interest: its request goes on
 * to nobody, it ends. */
static void stop_passing_on(Ieum__V1__Submitted *e, const Ieum__V1__TaskChanged *ended)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_clocks; i++)
		if (e->clocks[i]->task != ended->task ||
		    memcmp(e->clocks[i]->message_id.data, ended->message_id.data, CORE_ID_BYTES) !=
			    0)
			e->clocks[kept++] = e->clocks[i];
	e->n_clocks = kept;
}

/* Of requests that somebody has taken on, who did says how they end. */
static enum ieum_err cancel_requests(struct stopping *s, const struct referral *r)
{
	Ieum__V1__Submitted *e = s->o->e;
	bool any = false, goes_on = false;

	for (uint32_t th = r->first_task; th; th = task_at(s->o->c, th)->next) {
		const struct task *t = task_at(s->o->c, th);
		Ieum__V1__TaskChanged *change;
		goes_on |= task_open(t) && is_taken_on(t);
		if (!task_open(t) || is_taken_on(t) || e->n_answered >= CONSENT_CANCELLED_MAX)
			continue;
		change = decision_zalloc(s->o->d, sizeof *change);
		if (!change)
			return IEUM_E_NO_MEMORY;
		*change = (Ieum__V1__TaskChanged)IEUM__V1__TASK_CHANGED__INIT;
		change->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
		change->task = t->index;
		change->answer = IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL;
		change->state = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED;
		change->reason = IEUM__V1__REASON__REASON_CONSENT_REFUSED;
		e->answered[e->n_answered++] = change;
		stop_passing_on(e, change);
		any = true;
	}
	return any ? tell_referrer(s, r, goes_on) : IEUM_E_OK;
}

static enum ieum_err begin(struct stopping *s)
{
	Ieum__V1__Submitted *e = s->o->e;
	size_t room = (CONSENT_CANCELLED_MAX + e->n_answered) * sizeof(Ieum__V1__TaskChanged *);
	Ieum__V1__TaskChanged **answered = decision_zalloc(s->o->d, room);

	s->messages = decision_zalloc(s->o->d, CONSENT_MESSAGES_MAX * sizeof *s->messages);
	s->to = decision_zalloc(s->o->d, CONSENT_RECIPIENTS_MAX * sizeof *s->to);
	if (!answered || !s->messages || !s->to)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < e->n_answered; i++)
		answered[i] = e->answered[i];
	e->answered = answered;
	return IEUM_E_OK;
}

/* ---- orders to stop ---- */

static bool got_the_same(const struct recipient *a, const struct recipient *b)
{
	return a->more == b->more && memcmp(a->got, b->got, sizeof a->got) == 0;
}

static enum ieum_err name_messages(const struct stopping *s, const struct recipient *to,
				   Ieum__V1__StopUseOrder *order)
{
	order->message_ids = decision_zalloc(s->o->d, ORDER_NAMED_MAX * sizeof *order->message_ids);
	if (!order->message_ids)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < s->n_messages && i < CONSENT_MESSAGES_MAX; i++) {
		if (!(to->got[i / 8] & 1U << i % 8))
			continue;
		if (order->n_message_ids == ORDER_NAMED_MAX) {
			order->n_message_ids = 0;
			return IEUM_E_OK;
		}
		order->message_ids[order->n_message_ids++] =
			(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)s->messages[i]->id };
	}
	return IEUM_E_OK;
}

static enum ieum_err address_to(struct hub_message *m, struct core_decision *d,
				const struct policy_participant *who)
{
	Ieum__V1__Addressee *a = decision_zalloc(d, sizeof *a);

	if (!m->envelope.addressees)
		m->envelope.addressees =
			decision_zalloc(d, ORDER_TO_MAX * sizeof(Ieum__V1__Addressee *));
	if (!a || !m->envelope.addressees)
		return IEUM_E_NO_MEMORY;
	*a = (Ieum__V1__Addressee)IEUM__V1__ADDRESSEE__INIT;
	a->to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	a->participant = (char *)who->name;
	m->envelope.addressees[m->envelope.n_addressees++] = a;
	return IEUM_E_OK;
}

/* To as many of those who got the same as one message may ask.  The rules say by when each has to
 * acknowledge it; where none does, or the case is full, it is the owner's to see to. */
static enum ieum_err order_to(struct stopping *s, struct recipient *first, bool named)
{
	struct occasion o = *s->o;
	size_t members = decision_case_members(o.c, o.d, s->k->id);
	enum ieum_err err = IEUM_E_OK;

	o.referral = NULL; /* nobody withdraws in vain because an order can't be routed */
	struct hub_message *m =
		hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER);
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->referral.stop_use_order->withdrawal_id = s->o->referral->envelope->message_id;
	if (named)
		err = name_messages(s, first, m->referral.stop_use_order);
	for (struct recipient *to = first; to < s->to + s->n_to && !err; to++) {
		const struct policy_participant *who = policy_participant(o.p, to->index);
		if (to->told || (named && !got_the_same(to, first)) ||
		    m->envelope.n_addressees == ORDER_TO_MAX)
			continue;
		to->told = true;
		err = address_to(m, o.d, who);
		members += !case_member(s->k, policy_mailbox(o.p, who->mailbox)->number);
	}
	if (err)
		return err;
	if (members <= CORE_CASE_MEMBERS_MAX)
		return hub_message_by_rules(&o, m);
	err = hub_message_address(&o, m, "case_owner",
				  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(&o, m);
}

static enum ieum_err send_orders(struct stopping *s)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < s->n_to && !err; i++)
		if (!s->to[i].told)
			err = order_to(s, &s->to[i], !s->to[i].more && s->orders++ < ORDERS_MAX);
	return err;
}

enum ieum_err consent_stop_use(const struct occasion *o)
{
	struct stopping s = { .o = o };
	enum ieum_err err;

	if (!o->core_case || !o->referral || !o->e)
		return IEUM_E_OK;
	s.k = case_at(o->c, o->core_case);
	if (o->referral->body_case == IEUM__V1__REFERRAL__BODY_CONSENT_WITHDRAWAL)
		s.body = o->referral->consent_withdrawal;
	if (s.k->consent_withdrawn)
		return IEUM_E_OK;
	err = begin(&s);
	for (uint32_t rh = s.k->referrals.head; rh && !err;
	     rh = referral_at(o->c, rh)->next_in_case) {
		const struct referral *r = referral_at(o->c, rh);
		if (!is_meant(&s, r))
			continue;
		err = stop_deliveries(&s, r);
		if (!err)
			err = cancel_requests(&s, r);
		/* Where there is no room for them, holds lapse and nobody gets an offer. */
		if (!err && o->d->n_items < STATUSES_MAX)
			err = placing_withdrawn(o, rh);
	}
	/* Of single messages: for others the consent stands. */
	if (!err && (!s.body || s.body->n_message_ids == 0))
		err = consent_changed(o, IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN);
	return err ? err : send_orders(&s);
}
