/* core_decide_submit(): the order of the questions a submitted message has to pass. */
#include "broker/core/submit.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/counting.h"
#include "broker/core/gateway.h"
#include "broker/core/handover.h"
#include "broker/core/occasion.h"
#include "broker/core/participation.h"
#include "broker/core/placing.h"
#include "broker/core/task.h"

/* ---- its id ---- */

/* The first receipt stands, whatever policy says by now. */
static enum ieum_err repeat_receipt(struct submission *s, uint32_t rh)
{
	const struct referral *r = referral_at(s->c, rh);
	struct core_decision *d = s->d;

	if (r->sender != s->who.participant || r->type != (uint32_t)s->envelope->type ||
	    r->payload_bytes != s->from->len)
		return decision_refuse(d, IEUM_E_ID_REUSED, "envelope.message_id");
	d->repeated = true;
	d->receipt_seq = r->seq;
	d->receipt_at_us = r->at_us;
	if (r->core_case) {
		d->has_case = true;
		memcpy(d->case_id, case_at(s->c, r->core_case)->id, CORE_ID_BYTES);
	}
	return IEUM_E_OK;
}

static enum ieum_err check_id(struct submission *s)
{
	int64_t ms = id_ms(s->envelope->message_id.data);

	if (ms > s->now_ms + CORE_ID_FUTURE_MS)
		return decision_refuse(s->d, IEUM_E_ID_IN_FUTURE, "envelope.message_id");
	/* A longer window than before doesn't bring back what was forgotten. */
	if (ms < s->now_ms - policy_limits(s->p)->id_window_ms || ms <= s->c->forgotten_id_ms)
		return decision_refuse(s->d, IEUM_E_TOO_OLD, "envelope.message_id");
	return submit_check_past_acts(s);
}

/* ---- what it belongs to ---- */

/* Whoever has no part in a message learns nothing of it, not even that it exists. */
static bool knows_referral(const struct submission *s, const struct referral *r)
{
	if (r->sender == s->who.participant)
		return true;
	if (r->core_case && caller_reads_case(s->p, &s->who, case_at(s->c, r->core_case)))
		return true;
	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(s->c, dh)->next)
		if (delivery_at(s->c, dh)->state != DELIVERY_WITHDRAWN &&
		    caller_consumes(s->c, s->p, &s->who, delivery_at(s->c, dh)->mailbox))
			return true;
	return false;
}

static enum ieum_err find_reply(struct submission *s)
{
	const ProtobufCBinaryData *id = &s->envelope->in_reply_to;

	s->reply = id->len == CORE_ID_BYTES ? state_referral(s->c, id->data) : 0;
	if (id->len && (!s->reply || !knows_referral(s, referral_at(s->c, s->reply))))
		return decision_refuse(s->d, IEUM_E_REFERRAL_UNKNOWN, "envelope.in_reply_to");
	uint32_t ch = s->reply ? referral_at(s->c, s->reply)->core_case : 0;
	if (ch && case_excludes(case_at(s->c, ch), s->who.participant))
		return decision_refuse(s->d, IEUM_E_CONFLICT_OF_INTEREST, "envelope.in_reply_to");
	if (ch && handover_left(s->c, s->p, &s->who, case_at(s->c, ch)))
		return decision_refuse(s->d, IEUM_E_REFERRAL_UNKNOWN,
				       "envelope.in_reply_to: the case was handed over");
	return IEUM_E_OK;
}

/* Who knows nothing of a case can't say anew who may take part in it, or when the person is safe. */
static enum ieum_err check_trust(struct submission *s)
{
	const Ieum__V1__Envelope *e = s->envelope;
	const char *field = e->safe_contact                  ? "safe_contact"
			    : e->n_excluded_participants > 0 ? "excluded_participants"
			    : e->n_case_links > 0            ? "case_links"
							     : NULL;

	if (!field || !s->who.who->hears_status)
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_NOT_PERMITTED,
			       "envelope.%s: of a case that is there already, whoever hears only a "
			       "status can't say this",
			       field);
}

static enum ieum_err find_case(struct submission *s)
{
	const Ieum__V1__Envelope *e = s->envelope;
	uint32_t of_reply = s->reply ? referral_at(s->c, s->reply)->core_case : 0;

	if (e->open_case && e->case_id.len)
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "envelope.open_case: a case is named already");
	if (e->open_case && of_reply && s->answer.kind)
		return decision_refuse(
			s->d, IEUM_E_FIELD_INVALID,
			"envelope.open_case: an answer belongs to the case of what it "
			"answers");
	if (e->open_case)
		return IEUM_E_OK;
	s->core_case =
		e->case_id.len == CORE_ID_BYTES ? state_case(s->c, e->case_id.data) : of_reply;
	if (e->case_id.len && !s->core_case)
		return decision_refuse(s->d, IEUM_E_CASE_UNKNOWN, "envelope.case_id");
	if (s->core_case && of_reply && s->core_case != of_reply && s->answer.kind)
		return decision_refuse(
			s->d, IEUM_E_FIELD_INVALID,
			"envelope.case_id: the answered message belongs to another case");
	if (!s->core_case)
		return IEUM_E_OK;
	const struct core_case *k = case_at(s->c, s->core_case);
	if (case_excludes(k, s->who.participant))
		return decision_refuse(s->d, IEUM_E_CONFLICT_OF_INTEREST, "envelope.case_id");
	if (s->core_case != of_reply && !caller_in_case(s->c, s->p, &s->who, k))
		return decision_refuse(s->d, IEUM_E_CASE_UNKNOWN, "envelope.case_id");
	return check_trust(s);
}

static enum ieum_err add_excluded(struct submission *s, const char *name)
{
	int index = policy_find_participant(s->p, name);

	if (index == POLICY_NONE)
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "envelope.excluded_participants: '%.64s' is not listed",
				       name);
	for (size_t i = 0; i < s->context.n_excluded; i++)
		if (s->excluded[i] == index)
			return IEUM_E_OK;
	if (s->context.n_excluded == SUBMIT_EXCLUDED_MAX)
		return decision_refuse(s->d, IEUM_E_FIELD_TOO_LARGE,
				       "envelope.excluded_participants");
	s->excluded[s->context.n_excluded++] = index;
	return IEUM_E_OK;
}

enum ieum_err submit_context(struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;
	struct policy_context *ctx = &s->context;
	enum ieum_err err = IEUM_E_OK;

	*ctx = (struct policy_context){
		.referral = s->from->referral,
		.sender = s->who.index,
		.now_ms = s->now_ms,
		.case_owner = POLICY_NONE,
		.excluded = s->excluded,
	};
	ctx->drill = s->c->drill;
	if (s->reply)
		ctx->replied_type = (Ieum__V1__MessageType)referral_at(s->c, s->reply)->type;
	if (k) {
		ctx->case_state = (Ieum__V1__CaseState)k->state;
		ctx->case_grade = k->grade;
		ctx->consent_withdrawn = k->consent_withdrawn;
		ctx->case_contact = k->contact;
		ctx->gates_open = gates_open(s->p, k, s->now_ms);
		ctx->linked_set = signals_own_case(s->c, k);
		ctx->linkage = signals_linkage(s->c, k);
		ctx->case_category = (Ieum__V1__Category)k->category;
		ctx->case_jurisdiction = *k->jurisdiction ? k->jurisdiction : NULL;
		ctx->case_owner = state_policy_mailbox(s->c, s->p, k->owner);
	}
	for (uint32_t i = 0; k && i < k->n_excluded; i++) {
		int index = state_policy_participant(s->c, s->p, k->excluded[i]);
		if (index != POLICY_NONE)
			s->excluded[ctx->n_excluded++] = index;
	}
	s->n_excluded_before = ctx->n_excluded;
	for (size_t i = 0; i < s->envelope->n_excluded_participants && !err; i++)
		err = add_excluded(s, s->envelope->excluded_participants[i]);
	if (!err && k &&
	    k->n_excluded + ctx->n_excluded - s->n_excluded_before > CORE_CASE_EXCLUDED_MAX)
		err = decision_refuse(s->d, IEUM_E_FIELD_TOO_LARGE,
				      "envelope.excluded_participants: too many in this case");
	return err;
}

/* ---- what it does to its case ---- */

static enum ieum_err add_links(struct submission *s)
{
	const Ieum__V1__Envelope *from = s->envelope;
	uint32_t known = s->core_case ? case_at(s->c, s->core_case)->n_links : 0;

	if (from->n_case_links == 0)
		return IEUM_E_OK;
	if (!s->e->case_id.len)
		return decision_refuse(s->d, IEUM_E_FIELD_MISSING,
				       "envelope.case_id: links are a case's");
	s->e->case_links = decision_zalloc(s->d, from->n_case_links * sizeof *s->e->case_links);
	if (!s->e->case_links)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < from->n_case_links; i++) {
		const ProtobufCBinaryData *id = &from->case_links[i]->case_id;
		uint32_t other = id->len == CORE_ID_BYTES ? state_case(s->c, id->data) : 0;
		const struct core_case *k = other ? case_at(s->c, other) : NULL;
		if (!k || other == s->core_case || case_excludes(k, s->who.participant) ||
		    !caller_reads_case(s->p, &s->who, k))
			return decision_refuse(s->d, IEUM_E_CASE_UNKNOWN,
					       "envelope.case_links[%zu]", i);
		if (known + i >= CORE_CASE_LINKS_MAX || k->n_links + i >= CORE_CASE_LINKS_MAX)
			return decision_refuse(s->d, IEUM_E_FIELD_TOO_LARGE, "envelope.case_links");
		Ieum__V1__CaseLinked *l = decision_zalloc(s->d, sizeof *l);
		if (!l)
			return IEUM_E_NO_MEMORY;
		*l = (Ieum__V1__CaseLinked)IEUM__V1__CASE_LINKED__INIT;
		l->case_id = *id;
		l->kind = from->case_links[i]->kind;
		s->e->case_links[s->e->n_case_links++] = l;
	}
	return IEUM_E_OK;
}

static uint32_t mailbox_number_of(const struct policy *p, int index)
{
	return index == POLICY_NONE ? 0 : policy_mailbox(p, index)->number;
}

static enum ieum_err decide_case(struct submission *s, const struct policy_decision *decided)
{
	Ieum__V1__Submitted *e = s->e;
	uint32_t owner = mailbox_number_of(s->p, decided->case_owner);

	e->case_state = decided->case_state;
	if (s->envelope->open_case) {
		e->case_id = s->envelope->message_id;
		e->case_opened = decision_zalloc(s->d, sizeof *e->case_opened);
		if (!e->case_opened)
			return IEUM_E_NO_MEMORY;
		*e->case_opened = (Ieum__V1__CaseOpened)IEUM__V1__CASE_OPENED__INIT;
		e->case_opened->owner = owner ? owner : e->sender_mailbox;
		if (s->c->cases.live >= s->c->limits.cases_max) {
			s->d->retry_after_ms = CORE_RETRY_FULL_MS;
			return decision_refuse(s->d, IEUM_E_HUB_FULL, "cases");
		}
	} else if (s->core_case) {
		struct core_case *k = case_at(s->c, s->core_case);
		e->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, k->id };
		if (owner != k->owner)
			e->case_owner = owner;
		if (case_closed(k) &&
		    decided->case_state != IEUM__V1__CASE_STATE__CASE_STATE_REOPENED &&
		    !answer_is_owed(s) && !placing_is_owed(s))
			return decision_refuse(s->d, IEUM_E_CASE_CLOSED, "envelope.case_id");
		/* What is owed to a closed case does not open it in passing. */
		if (case_closed(k) &&
		    decided->case_state != IEUM__V1__CASE_STATE__CASE_STATE_REOPENED)
			e->case_state = 0;
	} else {
		e->case_state = 0;
	}
	return add_links(s);
}

/* ---- what policy decided ---- */

enum ieum_err submit_route(struct core_decision *d, Ieum__V1__Submitted *e, uint32_t mailbox,
			   Ieum__V1__DeliveryCause cause, uint32_t task)
{
	if (mailbox == 0)
		return IEUM_E_OK;
	for (size_t i = 0; i < e->n_routes; i++)
		if (e->routes[i]->mailbox == mailbox)
			return IEUM_E_OK;
	if (e->n_routes == POLICY_ROUTES_MAX)
		return decision_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				       "more than %d mailboxes would get this", POLICY_ROUTES_MAX);
	Ieum__V1__Route *r = arena_alloc(&d->arena, sizeof *r);
	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__Route)IEUM__V1__ROUTE__INIT;
	r->mailbox = mailbox;
	r->cause = cause;
	r->task = task;
	e->routes[e->n_routes++] = r;
	return IEUM_E_OK;
}

static enum ieum_err take_over_ladder(struct core_decision *d, const struct policy_task *from,
				      Ieum__V1__Task *t)
{
	t->ladder = decision_zalloc(d, (from->n_ladder + 1) * sizeof *t->ladder);
	Ieum__V1__Step *steps = decision_zalloc(d, (from->n_ladder + 1) * sizeof *steps);
	if (!t->ladder || !steps)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < from->n_ladder; i++) {
		const struct policy_step *f = &from->ladder[i];
		steps[i] = (Ieum__V1__Step)IEUM__V1__STEP__INIT;
		/* Some are written into the decision, which the next message is decided in. */
		steps[i].to = arena_copy(&d->arena, f->to, strlen(f->to) + 1);
		if (!steps[i].to)
			return IEUM_E_NO_MEMORY;
		steps[i].within = (char *)(f->within ? f->within : "");
		steps[i].due_at_ms = f->due_at_ms;
		steps[i].on_silence_only = f->on_silence_only;
		steps[i].on_rejection_only = f->on_rejection_only;
		steps[i].repeats = f->repeats;
		t->ladder[i] = &steps[i];
	}
	t->n_ladder = from->n_ladder;
	return IEUM_E_OK;
}

static Ieum__V1__Reason effect_reason(const Ieum__V1__Referral *r)
{
	return r->body_case == IEUM__V1__REFERRAL__BODY_CLOSURE_REQUEST
		       ? r->closure_request->reason
		       : IEUM__V1__REASON__REASON_UNSPECIFIED;
}

enum ieum_err submit_add_task(const struct policy *p, struct core_decision *d,
			      const struct policy_task *from, Ieum__V1__Submitted *e,
			      const Ieum__V1__Referral *referral)
{
	Ieum__V1__Task *t = decision_zalloc(d, sizeof *t);
	uint32_t *asked = decision_zalloc(d, (from->n_asked + 1) * sizeof *asked);

	if (e->n_tasks == POLICY_TASKS_MAX)
		return decision_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				       "more than %d requests would come of this",
				       POLICY_TASKS_MAX);
	if (!t || !asked)
		return IEUM_E_NO_MEMORY;
	*t = (Ieum__V1__Task)IEUM__V1__TASK__INIT;
	t->asked = asked;
	for (size_t i = 0; i < from->n_asked; i++)
		asked[t->n_asked++] = mailbox_number_of(p, from->asked[i]);
	t->due_at_ms = from->due_at_ms;
	t->stops_at = from->stops_at;
	t->effect = from->effect;
	t->effect_reason = from->effect ? effect_reason(referral) : 0;
	t->blocks_closing = from->blocks_closing;
	t->quorum = from->quorum;
	t->quorum_of_kinds = from->quorum_of_kinds;
	t->quorum_of_agencies = from->quorum_of_agencies;
	t->rejection_ends = from->rejection_ends;
	t->gate = (char *)(from->gate ? from->gate : "");
	t->gate_for_ms = from->gate_for_ms;
	e->tasks[e->n_tasks++] = t;
	return take_over_ladder(d, from, t);
}

enum ieum_err submit_take_over(const struct core *c, const struct policy *p,
			       struct core_decision *d, const struct policy_decision *decided,
			       Ieum__V1__Submitted *e, const Ieum__V1__Referral *referral)
{
	enum ieum_err err = IEUM_E_OK;

	(void)c;
	/* Routes of answers are added later. */
	e->routes = arena_alloc(&d->arena, POLICY_ROUTES_MAX * sizeof *e->routes);
	if (!e->routes)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < decided->n_routes && !err; i++) {
		const struct policy_route *r = &decided->routes[i];
		err = submit_route(d, e, mailbox_number_of(p, r->mailbox), r->cause,
				   (uint32_t)(r->task + 1));
	}
	/* Acts may add to these. */
	e->tasks = decision_zalloc(d, POLICY_TASKS_MAX * sizeof *e->tasks);
	if (!e->tasks)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < decided->n_tasks && !err; i++)
		err = submit_add_task(p, d, &decided->tasks[i], e, referral);
	if (!err && decided->n_rules > 0) {
		e->rules = arena_alloc(&d->arena, decided->n_rules * sizeof *e->rules);
		err = e->rules ? IEUM_E_OK : IEUM_E_NO_MEMORY;
	}
	for (size_t i = 0; i < decided->n_rules && !err; i++)
		e->rules[e->n_rules++] = (char *)decided->rules[i];
	e->urgency = decided->urgency;
	e->policy_hash = (ProtobufCBinaryData){ POLICY_HASH_BYTES, (uint8_t *)policy_hash(p) };
	return err;
}

/* ---- limits ---- */

static enum ieum_err check_room(struct submission *s)
{
	const struct core *c = s->c;

	if (c->referrals.live >= c->limits.referrals_max ||
	    c->n_unsettled >= c->limits.deliveries_max) {
		s->d->retry_after_ms = CORE_RETRY_FULL_MS;
		return decision_refuse(s->d, IEUM_E_HUB_FULL, "%s",
				       c->referrals.live >= c->limits.referrals_max ? "referrals"
										    : "deliveries");
	}
	return IEUM_E_OK;
}

enum ieum_err submit_check_queues(const struct core *c, const struct policy *p,
				  struct core_decision *d, const Ieum__V1__Submitted *e,
				  size_t bytes)
{
	const struct policy_limits *l = policy_limits(p);

	for (size_t i = 0; i < e->n_routes; i++) {
		const struct mailbox *m = &c->mailboxes[e->routes[i]->mailbox - 1];
		if (m->counts.queued + m->counts.in_flight < l->queue_messages_max &&
		    m->counts.queued_bytes + bytes <= l->queue_bytes_max)
			continue;
		d->retry_after_ms = CORE_RETRY_QUEUE_MS;
		return decision_refuse(d, IEUM_E_QUEUE_FULL, "mailbox '%s'", m->name);
	}
	return IEUM_E_OK;
}

/* The case's own limits: who takes part, and how much is open at one time. */
static enum ieum_err check_case_room(struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;
	size_t members = k ? k->n_members : 0;
	size_t open = (k ? k->n_open : 0) + s->e->n_tasks + s->n_reopened;

	if (!s->e->case_id.len)
		return IEUM_E_OK;
	if (members + s->e->n_routes + 2 > CORE_CASE_MEMBERS_MAX) {
		for (size_t i = 0; i < s->e->n_routes; i++)
			members += !k || !case_member(k, s->e->routes[i]->mailbox);
		members += s->e->sender_mailbox && (!k || !case_member(k, s->e->sender_mailbox));
		members += !k || (s->e->case_owner && !case_member(k, s->e->case_owner));
	} else {
		members = 0;
	}
	if (members <= CORE_CASE_MEMBERS_MAX && open <= CORE_CASE_TASKS_MAX)
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_HUB_FULL, "the case has as many %s as it may",
			       members > CORE_CASE_MEMBERS_MAX ? "participants" : "open requests");
}

/* ---- all of it ---- */

/* Its own mailbox; in a case which that one has handed over, another that still takes part. */
static uint32_t speaks_from(const struct submission *s)
{
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;
	const struct policy_participant *who = s->who.who;
	uint32_t own = caller_mailbox(s->p, &s->who);

	for (size_t i = 0; k && handover_ended(k, own) && i < who->n_mailboxes; i++) {
		uint32_t other = policy_mailbox(s->p, who->mailboxes[i])->number;
		if (case_member(k, other))
			return other;
	}
	return own;
}

enum ieum_err submit_begin(struct submission *s)
{
	const Ieum__V1__Envelope *from = s->envelope;
	Ieum__V1__Submitted *e = decision_submitted(s->d, s->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	s->e = e;
	s->d->items[s->d->n_items - 1].payload = s->from->bytes;
	s->d->items[s->d->n_items - 1].payload_len = s->from->len;
	e->message_id = from->message_id;
	e->type = from->type;
	e->sender = s->who.participant;
	e->sender_mailbox = speaks_from(s);
	e->connection = s->from->connection;
	e->on_behalf_of = from->on_behalf_of;
	e->category = from->category;
	if (!e->category && s->core_case)
		e->category = (Ieum__V1__Category)case_at(s->c, s->core_case)->category;
	e->urgency = from->urgency ? from->urgency : IEUM__V1__URGENCY__URGENCY_ROUTINE;
	e->occurred_at_ms = from->occurred_at_ms ? from->occurred_at_ms : s->now_ms;
	e->in_reply_to = from->in_reply_to;
	e->supersedes = from->supersedes;
	e->payload_bytes = (uint32_t)s->from->len;
	e->basis = from->legal_basis ? from->legal_basis->kind : 0;
	if (s->core_case || from->open_case)
		e->safe_contact = from->safe_contact;
	if (*from->jurisdiction)
		e->jurisdiction = from->jurisdiction;
	else if (s->core_case && *case_at(s->c, s->core_case)->jurisdiction)
		e->jurisdiction = case_at(s->c, s->core_case)->jurisdiction;
	else
		e->jurisdiction = (char *)s->who.who->jurisdiction;
	return IEUM_E_OK;
}

/* A copy: what the hub makes because of a message is decided in the same scratch. */
struct consequences {
	struct policy_emit emits[POLICY_EMITS_MAX];
	struct policy_act acts[POLICY_ACTS_MAX];
	size_t n_emits, n_acts;
};

static void copy_consequences(const struct policy_decision *decided, struct consequences *out)
{
	out->n_emits = decided->n_emits;
	out->n_acts = decided->n_acts;
	memcpy(out->emits, decided->emits, out->n_emits * sizeof *out->emits);
	memcpy(out->acts, decided->acts, out->n_acts * sizeof *out->acts);
}

static struct counting counting_of(const struct submission *s)
{
	struct counting of = {
		.c = s->c,
		.p = s->p,
		.d = s->d,
		.now = s->now,
		.context = &s->context,
		.core_case = s->core_case,
		.participant = s->who.participant,
		.own_only = s->only_asks,
	};

	if (s->envelope->open_case)
		of.case_id = s->envelope->message_id;
	else if (s->core_case)
		of.case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES, case_at(s->c, s->core_case)->id };
	return of;
}

enum ieum_err submit_count(struct submission *s)
{
	struct counting counting = counting_of(s);

	return counting_look(&counting, &s->context.counts);
}

/* Nothing is shared on a consent that was withdrawn, unless the message itself brings it back. */
static enum ieum_err check_consent(struct submission *s, const struct policy_decision *decided)
{
	if (!s->context.consent_withdrawn || !s->envelope->legal_basis ||
	    s->envelope->legal_basis->kind != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT)
		return IEUM_E_OK;
	for (size_t i = 0; i < decided->n_acts; i++)
		if (decided->acts[i].kind == POLICY_ACT_CONSENT ||
		    decided->acts[i].kind == POLICY_ACT_STOP_USE)
			return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_CONSENT_WITHDRAWN, "envelope.legal_basis");
}

/* What it gives as the reason, should a rule close the case because of it. */
static Ieum__V1__Reason closing_reason(const struct submission *s)
{
	Ieum__V1__Reason stated = effect_reason(s->from->referral);

	return stated ? stated : s->answer.reason;
}

/* The messages and events that follow from this one, in the same batch. */
static enum ieum_err decide_consequences(struct submission *s, const struct consequences *from)
{
	struct occasion o = occasion_of_submission(s);
	struct counting counting = counting_of(s);
	enum ieum_err err = counting_keep(&counting);

	if (!err)
		err = placing_answered(s);
	if (!err)
		err = acts_carry_out(&o, from->acts, from->n_acts);

	if (!err && s->rejected)
		err = ladder_move(s->c, s->p, s->d, s->now, s->rejected,
				  IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_REJECTED,
				  s->rejected_by);
	if (!err && s->status)
		err = outcome_status(s->c, s->p, s->d, s->now, referral_at(s->c, s->reply),
				     s->status);
	if (!err)
		err = outcome_of_rule(&o, closing_reason(s));
	if (!err && s->closes)
		err = closing_carry_out(s);
	if (!err && s->hands_over)
		err = handover_carry_out(s);
	if (!err && s->e->n_excluded > 0)
		err = handover_exclude(s);
	if (!err)
		err = agenda_decide_again(s);
	if (!err && s->approved)
		err = approval_carry_out(s);
	for (size_t i = 0; i < from->n_emits && !err; i++)
		err = hub_message_emit(&o, &from->emits[i]);
	return err;
}

/* What the message belongs to, and what the rules look at. */
static enum ieum_err find_context(struct submission *s)
{
	enum ieum_err err = answer_read(s);

	if (err || (err = find_case(s)) || (err = signals_check_disclosure(s)) ||
	    (err = submit_context(s)))
		return err;
	return submit_count(s);
}

/* Whom the policy and the state send it to, before acts add to them; in the scratch. */
static enum ieum_err decide_routes(struct submission *s)
{
	struct policy_decision *decided = &s->c->scratch->decision;
	enum ieum_err err =
		policy_decide(s->p, &s->context, decided, s->d->detail, sizeof s->d->detail);

	if (err || (err = check_consent(s, decided)) || (err = submit_begin(s)) ||
	    (err = submit_take_over(s->c, s->p, s->d, decided, s->e, s->from->referral)) ||
	    (err = decide_case(s, decided)) || (err = answer_decide(s)) ||
	    (err = withdrawal_decide(s)))
		return err;
	return handover_redirect(s->c, s->p, s->d, s->e);
}

enum ieum_err submit_whom(struct submission *s)
{
	enum ieum_err err = find_reply(s);

	if (!err)
		err = find_context(s);
	return err ? err : decide_routes(s);
}

static void give_receipt(struct submission *s)
{
	s->d->receipt_seq = s->c->last_seq + 1;
	s->d->receipt_at_us = s->now;
	s->d->has_case = s->e->case_id.len > 0;
	if (s->d->has_case)
		memcpy(s->d->case_id, s->e->case_id.data, CORE_ID_BYTES);
}

static enum ieum_err decide_all(struct submission *s)
{
	struct policy_decision *decided = &s->c->scratch->decision;
	struct consequences follow;
	enum ieum_err err = find_context(s);

	if (err || (err = sealed_told(s)) || (err = decide_routes(s)) || (err = sealed_compare(s)))
		return err;
	if (decided->closing && s->core_case && (err = closing_check(s, NULL)))
		return err;
	copy_consequences(decided, &follow);
	size_t n_routes = s->e->n_routes;
	err = decide_consequences(s, &follow);
	/* What acts have added goes to a successor too. */
	if (!err && s->e->n_routes > n_routes)
		err = handover_redirect(s->c, s->p, s->d, s->e);
	withdrawal_settle_clocks(s->e);
	/* Last: acts may add to whom it reaches and asks. */
	if (err || (err = submit_check_queues(s->c, s->p, s->d, s->e, s->from->len)) ||
	    (err = check_case_room(s)))
		return err;
	return sealed_late(s);
}

static enum ieum_err decide_new(struct submission *s)
{
	enum ieum_err err = check_id(s);

	if (err || (err = gateway_check(s)) || (err = check_room(s)) || (err = find_reply(s)))
		return err;
	err = key_message(s) ? key_message_decide(s) : decide_all(s);
	if (!err)
		give_receipt(s);
	return err;
}

enum ieum_err core_decide_submit(const struct core *c, const struct policy *p,
				 const struct core_submit *from, core_time_us now,
				 struct core_decision *d)
{
	struct submission s = {
		.c = c,
		.p = p,
		.d = d,
		.now = now,
		.now_ms = to_ms(now),
		.from = from,
		.envelope = from->referral->envelope,
	};

	if (!s.envelope || s.envelope->message_id.len != CORE_ID_BYTES)
		return decision_refuse(d, IEUM_E_ID_INVALID, "envelope.message_id");
	enum ieum_err err = caller_of(c, p, from->connection, &s.who);
	if (err)
		return err;
	uint32_t known = state_referral(c, s.envelope->message_id.data);
	err = known ? repeat_receipt(&s, known) : decide_new(&s);
	if (!err && !known)
		err = participation_decide(c, now, p, d);
	if (err == IEUM_E_NO_MEMORY && d->n_items == CORE_DECISION_EVENTS_MAX)
		err = decision_refuse(d, IEUM_E_HUB_FULL, "it would set off more than %d events",
				      CORE_DECISION_EVENTS_MAX);
	if (err)
		d->n_items = 0;
	return err;
}
