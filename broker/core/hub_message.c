/* Messages that the hub makes itself: envelope and typed body, never a narrative. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/submit.h"

enum { BODY_NUMBER = 100 }; /* field number of a type's body, less the type's */

/* One being made: the message, and the event that submits it. */
struct hub_message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	uint8_t id[CORE_ID_BYTES];
	union {
		Ieum__V1__ClosureNotice notice;
		Ieum__V1__Answer answer;
	};
	Ieum__V1__Submitted *e;
};

/* A UUIDv7 from the time and the event's number: the same at every replay, different from every
 * other. */
static void make_id(const struct core *c, core_time_us now, uint64_t seq, uint8_t id[CORE_ID_BYTES])
{
	uint64_t ms = (uint64_t)to_ms(now);
	unsigned attempt = 0;

	do {
		for (int i = 0; i < 6; i++)
			id[i] = (uint8_t)(ms >> (40 - 8 * i));
		id[6] = (uint8_t)(0x70 | (attempt >> 8 & 0xf));
		id[7] = (uint8_t)attempt;
		for (int i = 0; i < 8; i++)
			id[8 + i] = (uint8_t)(seq >> (56 - 8 * i));
		id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
		attempt++;
	} while (state_referral(c, id));
}

static struct hub_message *hub_message_begin(const struct core *c, struct core_decision *d,
					     core_time_us now, Ieum__V1__MessageType type)
{
	struct hub_message *m = decision_zalloc(d, sizeof *m);
	Ieum__V1__Submitted *e = m ? decision_submitted(d, now) : NULL;

	if (!e)
		return NULL;
	m->e = e;
	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	m->referral.envelope = &m->envelope;
	make_id(c, now, decision_seq(c, d), m->id);
	m->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m->id };
	m->envelope.type = type;
	m->envelope.occurred_at_ms = to_ms(now);
	m->envelope.urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE;
	e->routes = decision_zalloc(d, POLICY_ROUTES_MAX * sizeof *e->routes);
	return e->routes ? m : NULL;
}

/* Its bytes become the payload, its envelope's fields the event's. */
static enum ieum_err hub_message_end(struct core_decision *d, struct hub_message *m)
{
	Ieum__V1__Submitted *e = m->e;
	size_t len = ieum__v1__referral__get_packed_size(&m->referral);
	uint8_t *bytes = arena_alloc(&d->arena, len);
	struct core_item *item = NULL;

	if (!bytes)
		return IEUM_E_NO_MEMORY;
	ieum__v1__referral__pack(&m->referral, bytes);
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED &&
		    d->items[i].event->submitted == e)
			item = &d->items[i];
	if (!item)
		return IEUM_E_INTERNAL;
	item->payload = bytes;
	item->payload_len = len;
	e->message_id = m->envelope.message_id;
	e->type = m->envelope.type;
	e->category = m->envelope.category;
	e->urgency = m->envelope.urgency;
	e->occurred_at_ms = m->envelope.occurred_at_ms;
	e->in_reply_to = m->envelope.in_reply_to;
	e->jurisdiction = m->envelope.jurisdiction;
	e->payload_bytes = (uint32_t)len;
	if (m->envelope.legal_basis)
		e->basis = m->envelope.legal_basis->kind;
	return IEUM_E_OK;
}

static void in_case(const struct core *c, struct hub_message *m, uint32_t ch)
{
	struct core_case *k = ch ? case_at(c, ch) : NULL;

	if (!k)
		return;
	m->envelope.case_id = m->e->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, k->id };
	m->envelope.category = (Ieum__V1__Category)k->category;
	m->envelope.jurisdiction = k->jurisdiction;
}

/* ---- emitted by a rule ---- */

static enum ieum_err link_to_parent(struct submission *s, struct hub_message *m,
				    const struct policy_emit *emit)
{
	Ieum__V1__CaseLinked **links = decision_zalloc(s->d, sizeof *links);
	Ieum__V1__CaseLinked *l = decision_zalloc(s->d, sizeof *l);
	Ieum__V1__CaseLink **told = decision_zalloc(s->d, sizeof *told);
	Ieum__V1__CaseLink *tell = decision_zalloc(s->d, sizeof *tell);
	const struct core_case *parent = s->core_case ? case_at(s->c, s->core_case) : NULL;

	if (!links || !l || !told || !tell)
		return IEUM_E_NO_MEMORY;
	if (!s->e->case_id.len ||
	    (parent && parent->n_links + m->e->n_case_links >= CORE_CASE_LINKS_MAX - 4))
		return IEUM_E_OK;
	*l = (Ieum__V1__CaseLinked)IEUM__V1__CASE_LINKED__INIT;
	*tell = (Ieum__V1__CaseLink)IEUM__V1__CASE_LINK__INIT;
	l->case_id = tell->case_id = s->e->case_id;
	l->kind = tell->kind = emit->link;
	links[0] = l;
	told[0] = tell;
	m->e->case_links = links;
	m->envelope.case_links = told;
	m->e->n_case_links = m->envelope.n_case_links = 1;
	return IEUM_E_OK;
}

/* A conflict of interest in the one case is one in the other. */
static enum ieum_err inherit_exclusions(const struct submission *s, Ieum__V1__Submitted *e)
{
	size_t n = s->context.n_excluded;

	if (n == 0)
		return IEUM_E_OK;
	e->excluded = decision_zalloc(s->d, n * sizeof *e->excluded);
	if (!e->excluded)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		e->excluded[e->n_excluded++] = policy_participant(s->p, s->excluded[i])->number;
	return IEUM_E_OK;
}

static enum ieum_err emit_case(struct submission *s, struct hub_message *m,
			       const struct policy_emit *emit,
			       const struct policy_decision *decided)
{
	if (!emit->open_case) {
		m->envelope.case_id = m->e->case_id = s->e->case_id;
		return IEUM_E_OK;
	}
	m->e->case_id = m->envelope.message_id;
	m->e->case_opened = decision_zalloc(s->d, sizeof *m->e->case_opened);
	if (!m->e->case_opened)
		return IEUM_E_NO_MEMORY;
	*m->e->case_opened = (Ieum__V1__CaseOpened)IEUM__V1__CASE_OPENED__INIT;
	if (decided->case_owner != POLICY_NONE)
		m->e->case_opened->owner = policy_mailbox(s->p, decided->case_owner)->number;
	else
		m->e->case_opened->owner =
			m->e->n_routes ? m->e->routes[0]->mailbox : s->e->sender_mailbox;
	enum ieum_err err = inherit_exclusions(s, m->e);
	return err ? err : link_to_parent(s, m, emit);
}

static void copy_envelope(struct hub_message *m, const struct submission *s)
{
	const Ieum__V1__Envelope *from = s->envelope;

	m->envelope.category = s->e->category;
	m->envelope.urgency = s->e->urgency;
	m->envelope.jurisdiction = s->e->jurisdiction;
	m->envelope.occurred_at_ms = s->e->occurred_at_ms;
	m->envelope.legal_basis = from->legal_basis;
	m->envelope.subject_tokens = from->subject_tokens;
	m->envelope.n_subject_tokens = from->n_subject_tokens;
	m->envelope.external_refs = from->external_refs;
	m->envelope.n_external_refs = from->n_external_refs;
	m->envelope.excluded_participants = from->excluded_participants;
	m->envelope.n_excluded_participants = from->n_excluded_participants;
}

bool hub_message_set_body(struct arena *arena, Ieum__V1__Referral *r, Ieum__V1__MessageType type)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor,
							(unsigned)type + BODY_NUMBER);
	const ProtobufCMessageDescriptor *body = f ? f->descriptor : NULL;
	ProtobufCMessage *made = body ? arena_zalloc(arena, body->sizeof_message) : NULL;

	if (!made)
		return false;
	body->message_init(made);
	r->body_case = (Ieum__V1__Referral__BodyCase)f->id;
	r->report_received = (Ieum__V1__ReportReceived *)made; /* any case of the oneof */
	return true;
}

enum ieum_err hub_message_emit(struct submission *s, const struct policy_emit *emit)
{
	struct policy_decision *decided = &s->c->scratch->decision;
	struct hub_message *m = hub_message_begin(s->c, s->d, s->now, emit->type);

	if (!m)
		return IEUM_E_NO_MEMORY;
	copy_envelope(m, s);
	if (!hub_message_set_body(&s->d->arena, &m->referral, emit->type))
		return IEUM_E_NO_MEMORY;
	if (emit->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_MUTUAL_NOTIFICATION)
		m->referral.mutual_notification->report_id = s->envelope->message_id;
	m->envelope.open_case = emit->open_case;

	struct policy_context ctx = s->context;
	ctx.referral = &m->referral;
	ctx.sender = POLICY_NONE;
	enum ieum_err err = policy_decide(s->p, &ctx, decided, s->d->detail, sizeof s->d->detail);
	if (!err)
		err = submit_take_over(s->c, s->p, s->d, decided, m->e, &m->referral);
	if (!err)
		err = emit_case(s, m, emit, decided);
	if (!err && m->e->case_opened && !m->e->case_opened->owner)
		err = decision_refuse(s->d, IEUM_E_NO_ROUTE,
				      "nobody would own the case of the notification");
	if (!err && m->e->case_id.len &&
	    decision_case_members(s->c, s->d, m->e->case_id.data) > CORE_CASE_MEMBERS_MAX)
		err = decision_refuse(s->d, IEUM_E_HUB_FULL,
				      "the case has as many participants as it may");
	if (!err)
		err = hub_message_end(s->d, m);
	return err ? err : submit_check_queues(s, m->e, m->e->payload_bytes);
}

/* ---- a case is closed ---- */

static bool box_excluded(const struct core *c, const struct policy *p, const struct core_case *k,
			 int mailbox)
{
	const struct policy_mailbox *m = policy_mailbox(p, mailbox);

	for (size_t i = 0; i < m->n_consumers; i++)
		if (!case_excludes(k, policy_participant(p, m->consumers[i])->number))
			return false;
	(void)c;
	return true;
}

enum ieum_err hub_message_closure(struct submission *s, Ieum__V1__Reason reason)
{
	uint32_t ch = referral_at(s->c, s->closes->referral)->core_case;
	const struct core_case *k = case_at(s->c, ch);
	struct hub_message *m =
		hub_message_begin(s->c, s->d, s->now,
				  IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE);
	enum ieum_err err = IEUM_E_OK;

	if (!m)
		return IEUM_E_NO_MEMORY;
	in_case(s->c, m, ch);
	ieum__v1__closure_notice__init(&m->notice);
	m->notice.reason = reason;
	m->notice.closed_at_ms = s->now_ms;
	m->referral.body_case = IEUM__V1__REFERRAL__BODY_CLOSURE_NOTICE;
	m->referral.closure_notice = &m->notice;
	for (uint32_t i = 0; i < k->n_members && !err; i++) {
		int mailbox = state_policy_mailbox(s->c, s->p, k->members[i].mailbox);
		if (k->members[i].sent && mailbox != POLICY_NONE &&
		    !box_excluded(s->c, s->p, k, mailbox))
			err = submit_route(s->d, m->e, k->members[i].mailbox,
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_OUTCOME, 0);
	}
	return err ? err : hub_message_end(s->d, m);
}

/* ---- nobody took a request on ---- */

static uint32_t who_is_told(const struct core *c, const struct policy *p, const struct referral *r,
			    Ieum__V1__DeliveryCause *cause)
{
	const struct core_case *k = r->core_case ? case_at(c, r->core_case) : NULL;
	int sender = state_policy_participant(c, p, r->sender);

	*cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER;
	if (sender != POLICY_NONE && !(k && case_excludes(k, r->sender)) &&
	    policy_participant(p, sender)->mailbox != POLICY_NONE)
		return policy_mailbox(p, policy_participant(p, sender)->mailbox)->number;
	*cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED;
	return k ? k->owner : 0;
}

enum ieum_err hub_message_failed(const struct core *c, const struct policy *p,
				 struct core_decision *d, core_time_us now,
				 const struct referral *r)
{
	Ieum__V1__DeliveryCause cause;
	uint32_t mailbox = who_is_told(c, p, r, &cause);

	if (!mailbox)
		return IEUM_E_OK;
	if (r->core_case) {
		const struct core_case *k = case_at(c, r->core_case);
		if (!case_member(k, mailbox) &&
		    decision_case_members(c, d, k->id) >= CORE_CASE_MEMBERS_MAX)
			mailbox = k->owner;
	}
	struct hub_message *m =
		hub_message_begin(c, d, now, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	if (!m)
		return IEUM_E_NO_MEMORY;
	in_case(c, m, r->core_case);
	m->envelope.urgency =
		(Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	ieum__v1__answer__init(&m->answer);
	m->answer.kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
	m->answer.reason = IEUM__V1__REASON__REASON_UNREACHABLE;
	m->e->answer = m->answer.kind;
	m->e->answer_reason = m->answer.reason;
	m->referral.body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	m->referral.answer = &m->answer;
	m->e->policy_hash = (ProtobufCBinaryData){ POLICY_HASH_BYTES, (uint8_t *)policy_hash(p) };
	enum ieum_err err = submit_route(d, m->e, mailbox, cause, 0);
	return err ? err : hub_message_end(d, m);
}
