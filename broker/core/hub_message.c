/* Messages that the hub makes itself; see occasion.h. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/counting.h"
#include "broker/core/handover.h"
#include "broker/core/occasion.h"
#include "broker/core/submit.h"

enum { BODY_NUMBER = 100 }; /* field number of a type's body, less the type's */

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

struct hub_message *hub_message_new(const struct occasion *o, Ieum__V1__MessageType type)
{
	struct hub_message *m = decision_zalloc(o->d, sizeof *m);
	Ieum__V1__Submitted *e = m ? decision_submitted(o->d, o->now) : NULL;

	if (!e)
		return NULL;
	m->e = e;
	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	m->referral.envelope = &m->envelope;
	make_id(o->c, o->now, decision_seq(o->c, o->d), m->id);
	m->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, m->id };
	m->envelope.type = type;
	m->envelope.case_id = e->case_id = o->case_id;
	m->envelope.category = o->category;
	m->envelope.jurisdiction = (char *)o->jurisdiction;
	m->envelope.urgency = o->urgency;
	m->envelope.occurred_at_ms = o->occurred_at_ms;
	/* On the ground of what it comes from, unless the rule says another.  A consent is not for
	 * the hub to go on with: what it has to say is also due when that is withdrawn. */
	if (o->referral && o->referral->envelope->legal_basis &&
	    o->referral->envelope->legal_basis->kind != IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT)
		m->envelope.legal_basis = o->referral->envelope->legal_basis;
	else
		e->basis = o->basis;
	e->routes = decision_zalloc(o->d, POLICY_ROUTES_MAX * sizeof *e->routes);
	if (!e->routes || !hub_message_set_body(&o->d->arena, &m->referral, type))
		return NULL;
	return m;
}

/* ---- to whom ---- */

static bool box_excluded(const struct occasion *o, int mailbox)
{
	const struct policy_mailbox *m = policy_mailbox(o->p, mailbox);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		bool excluded = false;
		for (size_t k = 0; k < o->n_excluded; k++)
			excluded |= o->excluded[k] == m->consumers[i];
		if (!excluded)
			return false;
	}
	return true;
}

enum ieum_err hub_message_to(const struct occasion *o, struct hub_message *m, uint32_t mailbox,
			     Ieum__V1__DeliveryCause cause)
{
	int index = state_policy_mailbox(o->c, o->p, mailbox);
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;

	if (index == POLICY_NONE || box_excluded(o, index) || m->e->n_routes == POLICY_ROUTES_MAX)
		return IEUM_E_OK;
	if (k && !case_member(k, mailbox) &&
	    decision_case_members(o->c, o->d, k->id) >= CORE_CASE_MEMBERS_MAX)
		return IEUM_E_OK;
	return submit_route(o->d, m->e, mailbox, cause, 0);
}

enum ieum_err hub_message_address(const struct occasion *o, struct hub_message *m,
				  const char *address, Ieum__V1__DeliveryCause cause)
{
	struct policy_context ctx = occasion_context(o, &m->referral);
	int boxes[POLICY_ROUTES_MAX];
	enum ieum_err err = IEUM_E_OK;

	ctx.sender = o->sender;
	size_t n = policy_resolve(o->p, address, &ctx, boxes, POLICY_ROUTES_MAX);
	for (size_t i = 0; i < n && !err; i++)
		err = hub_message_to(o, m, policy_mailbox(o->p, boxes[i])->number, cause);
	return err;
}

enum ieum_err hub_message_to_duty(const struct occasion *o, struct hub_message *m)
{
	struct policy_context ctx = occasion_context(o, &m->referral);
	size_t n = m->e->n_routes;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++) {
		int box = state_policy_mailbox(o->c, o->p, m->e->routes[i]->mailbox);
		int duty = box == POLICY_NONE ? POLICY_NONE : policy_duty(o->p, &ctx, box);
		if (duty != POLICY_NONE)
			err = hub_message_to(o, m, policy_mailbox(o->p, duty)->number,
					     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY);
	}
	return err;
}

enum ieum_err hub_message_ask(const struct occasion *o, struct hub_message *m, int64_t due_at_ms,
			      Ieum__V1__StopsAt stops_at, bool blocks_closing)
{
	Ieum__V1__Submitted *e = m->e;
	Ieum__V1__Task *t = decision_zalloc(o->d, sizeof *t);

	if (!e->tasks)
		e->tasks = decision_zalloc(o->d, POLICY_TASKS_MAX * sizeof *e->tasks);
	uint32_t *asked = decision_zalloc(o->d, POLICY_ROUTES_MAX * sizeof *asked);
	if (!t || !asked || !e->tasks)
		return IEUM_E_NO_MEMORY;
	*t = (Ieum__V1__Task)IEUM__V1__TASK__INIT;
	t->asked = asked;
	t->due_at_ms = due_at_ms;
	t->stops_at = stops_at;
	t->blocks_closing = blocks_closing;
	for (size_t i = 0; i < e->n_routes; i++) {
		if (e->routes[i]->task)
			continue;
		e->routes[i]->task = (uint32_t)e->n_tasks + 1;
		asked[t->n_asked++] = e->routes[i]->mailbox;
	}
	if (t->n_asked > 0 && e->n_tasks < POLICY_TASKS_MAX)
		e->tasks[e->n_tasks++] = t;
	return IEUM_E_OK;
}

/* ---- ending it ---- */

static struct core_item *item_of(const struct occasion *o, const struct hub_message *m)
{
	for (size_t i = 0; i < o->d->n_items; i++)
		if (o->d->items[i].event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED &&
		    o->d->items[i].event->submitted == m->e)
			return &o->d->items[i];
	return NULL;
}

/* The event says what the message does. */
static void fill_event(const struct policy *p, struct hub_message *m)
{
	Ieum__V1__Submitted *e = m->e;

	e->message_id = m->envelope.message_id;
	e->type = m->envelope.type;
	e->category = m->envelope.category;
	e->urgency = m->envelope.urgency;
	e->occurred_at_ms = m->envelope.occurred_at_ms;
	e->in_reply_to = m->envelope.in_reply_to;
	e->jurisdiction = m->envelope.jurisdiction;
	e->policy_hash = (ProtobufCBinaryData){ POLICY_HASH_BYTES, (uint8_t *)policy_hash(p) };
	if (m->envelope.legal_basis)
		e->basis = m->envelope.legal_basis->kind;
}

enum ieum_err hub_message_end(const struct occasion *o, struct hub_message *m)
{
	Ieum__V1__Submitted *e = m->e;
	struct core_item *item = item_of(o, m);

	if (!item)
		return IEUM_E_INTERNAL;
	/* First: whom it goes to instead depends on its type and, of a new case, its jurisdiction. */
	fill_event(o->p, m);
	enum ieum_err err = handover_redirect(o->c, o->p, o->d, e);
	if (err)
		return err;
	if (e->n_routes == 0 && item == &o->d->items[o->d->n_items - 1]) {
		o->d->n_items--;
		return IEUM_E_OK;
	}
	size_t len = ieum__v1__referral__get_packed_size(&m->referral);
	uint8_t *bytes = arena_alloc(&o->d->arena, len);
	if (!bytes)
		return IEUM_E_NO_MEMORY;
	ieum__v1__referral__pack(&m->referral, bytes);
	item->payload = bytes;
	item->payload_len = len;
	e->payload_bytes = (uint32_t)len;
	return IEUM_E_OK;
}

/* ---- by the rules ---- */

/* The same on the next level down: what the hub's own message sets off. */
static struct occasion occasion_below(const struct occasion *o, struct hub_message *m)
{
	struct occasion below = *o;

	below.referral = &m->referral;
	below.e = m->e;
	below.case_id = m->e->case_id;
	if (m->e->case_opened)
		below.core_case = 0;
	below.participant = 0;
	below.sender = POLICY_NONE;
	below.depth = o->depth + 1;
	return below;
}

/* Who is responsible for a closed case that is taken up again, when whoever was has left the hub file
 * since; 0: that one still is. */
static uint32_t owner_again(const struct occasion *o, const struct hub_message *m,
			    const struct policy_decision *decided)
{
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;

	if (!k || !case_closed(k) ||
	    decided->case_state != IEUM__V1__CASE_STATE__CASE_STATE_REOPENED)
		return 0;
	uint32_t owner = handover_in_place(o->c, o->p, o->core_case, decision_case_owner(o->d, k));
	int index = state_policy_mailbox(o->c, o->p, owner);
	if (index != POLICY_NONE && !box_excluded(o, index))
		return 0;
	return m->e->n_routes ? m->e->routes[0]->mailbox : o->e ? o->e->sender_mailbox : 0;
}

static enum ieum_err take_case(const struct occasion *o, struct hub_message *m,
			       const struct policy_decision *decided)
{
	uint32_t owner = decided->case_owner == POLICY_NONE
				 ? 0
				 : policy_mailbox(o->p, decided->case_owner)->number;

	if (m->e->case_opened) {
		m->e->case_opened->owner = owner            ? owner
					   : m->e->n_routes ? m->e->routes[0]->mailbox
					   : o->e           ? o->e->sender_mailbox
							    : 0;
		if (!m->e->case_opened->owner)
			return decision_refuse(o->d, IEUM_E_NO_ROUTE,
					       "nobody would own the case of the hub's message");
	} else if (m->e->case_id.len) {
		m->e->case_owner = owner ? owner : owner_again(o, m, decided);
	}
	if (m->e->case_id.len)
		m->e->case_state = decided->case_state;
	return IEUM_E_OK;
}

/* As the policy's counters see the message. */
static struct counting counting_of(const struct occasion *o, const struct hub_message *m,
				   const struct policy_context *ctx)
{
	return (struct counting){
		.c = o->c,
		.p = o->p,
		.d = o->d,
		.now = o->now,
		.context = ctx,
		.case_id = m->e->case_id,
		.core_case = m->e->case_opened ? 0 : o->core_case,
	};
}

enum ieum_err hub_message_by_rules(const struct occasion *o, struct hub_message *m)
{
	struct policy_decision *decided = &o->c->scratch->decision;
	struct policy_context ctx = occasion_context(o, &m->referral);
	struct occasion below;
	struct policy_emit emits[POLICY_EMITS_MAX];
	struct policy_act acts[POLICY_ACTS_MAX];
	bool of_time = !o->referral;
	struct counting counting = counting_of(o, m, &ctx);
	enum ieum_err err = counting_look(&counting, &ctx.counts);

	if (m->e->case_opened) {
		/* What is known is known of the case that this is linked to. */
		ctx.case_state = IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
		ctx.case_grade = NULL;
		ctx.consent_withdrawn = false;
	}
	if (!err)
		err = policy_decide(o->p, &ctx, decided, o->d->detail, sizeof o->d->detail);

	if (err && of_time) {
		err = hub_message_address(o, m, "case_owner",
					  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
		return err ? err : hub_message_end(o, m);
	}
	if (!err)
		err = submit_take_over(o->c, o->p, o->d, decided, m->e, &m->referral);
	m->envelope.urgency = decided->urgency;
	if (!err)
		err = take_case(o, m, decided);
	if (!err && m->e->case_id.len &&
	    decision_case_members(o->c, o->d, m->e->case_id.data) > CORE_CASE_MEMBERS_MAX)
		err = decision_refuse(o->d, IEUM_E_HUB_FULL,
				      "the case has as many participants as it may");
	/* Deciding what follows uses the same scratch. */
	size_t n_emits = decided->n_emits;
	size_t n_acts = decided->n_acts;
	memcpy(emits, decided->emits, n_emits * sizeof *emits);
	memcpy(acts, decided->acts, n_acts * sizeof *acts);
	if (!err)
		err = hub_message_end(o, m);
	/* On time that has passed there is nobody to try again. */
	if (!err && !of_time)
		err = submit_check_queues(o->c, o->p, o->d, m->e, m->e->payload_bytes);
	if (err || (!item_of(o, m) && m->e->case_opened))
		return err;
	below = occasion_below(o, m);
	below.counts = ctx.counts;
	if (item_of(o, m))
		err = counting_keep(&counting);
	if (!err)
		err = acts_carry_out(&below, acts, n_acts);
	if (!err && item_of(o, m))
		err = outcome_of_rule(&below, IEUM__V1__REASON__REASON_UNSPECIFIED);
	for (size_t i = 0; i < n_emits && !err && below.depth < OCCASION_DEPTH_MAX; i++)
		err = hub_message_emit(&below, &emits[i]);
	return err;
}

/* ---- emitted by a rule ---- */

static enum ieum_err link_to_parent(const struct occasion *o, struct hub_message *m,
				    const struct policy_emit *emit)
{
	Ieum__V1__CaseLinked **links = decision_zalloc(o->d, sizeof *links);
	Ieum__V1__CaseLinked *l = decision_zalloc(o->d, sizeof *l);
	Ieum__V1__CaseLink **told = decision_zalloc(o->d, sizeof *told);
	Ieum__V1__CaseLink *tell = decision_zalloc(o->d, sizeof *tell);
	const struct core_case *parent = o->core_case ? case_at(o->c, o->core_case) : NULL;

	if (!links || !l || !told || !tell)
		return IEUM_E_NO_MEMORY;
	if (!o->case_id.len || !emit->link ||
	    (parent && parent->n_links + m->e->n_case_links >= CORE_CASE_LINKS_MAX - 4))
		return IEUM_E_OK;
	*l = (Ieum__V1__CaseLinked)IEUM__V1__CASE_LINKED__INIT;
	*tell = (Ieum__V1__CaseLink)IEUM__V1__CASE_LINK__INIT;
	l->case_id = tell->case_id = o->case_id;
	l->kind = tell->kind = emit->link;
	links[0] = l;
	told[0] = tell;
	m->e->case_links = links;
	m->envelope.case_links = told;
	m->e->n_case_links = m->envelope.n_case_links = 1;
	return IEUM_E_OK;
}

/* A conflict of interest in the one case is one in the other. */
static enum ieum_err inherit_exclusions(const struct occasion *o, Ieum__V1__Submitted *e)
{
	if (o->n_excluded == 0)
		return IEUM_E_OK;
	e->excluded = decision_zalloc(o->d, o->n_excluded * sizeof *e->excluded);
	if (!e->excluded)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < o->n_excluded; i++)
		e->excluded[e->n_excluded++] = policy_participant(o->p, o->excluded[i])->number;
	return IEUM_E_OK;
}

static enum ieum_err open_case(const struct occasion *o, struct hub_message *m,
			       const struct policy_emit *emit)
{
	m->envelope.case_id = (ProtobufCBinaryData){ 0, NULL };
	m->envelope.open_case = true;
	m->e->case_id = m->envelope.message_id;
	m->e->case_opened = decision_zalloc(o->d, sizeof *m->e->case_opened);
	if (!m->e->case_opened)
		return IEUM_E_NO_MEMORY;
	*m->e->case_opened = (Ieum__V1__CaseOpened)IEUM__V1__CASE_OPENED__INIT;
	enum ieum_err err = inherit_exclusions(o, m->e);
	return err ? err : link_to_parent(o, m, emit);
}

/* What the message it comes from says beside its case. */
static void copy_envelope(struct hub_message *m, const Ieum__V1__Envelope *from)
{
	m->envelope.legal_basis = from->legal_basis;
	m->envelope.subject_tokens = from->subject_tokens;
	m->envelope.n_subject_tokens = from->n_subject_tokens;
	m->envelope.external_refs = from->external_refs;
	m->envelope.n_external_refs = from->n_external_refs;
	m->envelope.excluded_participants = from->excluded_participants;
	m->envelope.n_excluded_participants = from->n_excluded_participants;
}

static const ProtobufCMessage *body_of(const Ieum__V1__Referral *r)
{
	return r && r->body_case ? (const ProtobufCMessage *)r->report_received : NULL;
}

/* From the field of that name where it has the same type, else what the rule says. */
static void set_field(void *body, const ProtobufCMessage *source, const int64_t *counts,
		      const struct policy_emit_field *f)
{
	int64_t number = f->counter != POLICY_NONE && counts ? counts[f->counter] : f->number;
	char *to = (char *)body + f->field->offset;
	const ProtobufCFieldDescriptor *from =
		source && f->from
			? protobuf_c_message_descriptor_get_field_by_name(source->descriptor,
									  f->from)
			: NULL;

	if (f->from && (!from || from->type != f->field->type))
		return;
	const char *at = from ? (const char *)source + from->offset : NULL;
	switch (f->field->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(to, at ? at : (const char *)&f->text, sizeof f->text);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		memcpy(to, at ? at : (const char *)&number, sizeof number);
		break;
	default: {
		int32_t narrow = (int32_t)number; /* bools, enums and counts */
		memcpy(to, at ? at : (const char *)&narrow, sizeof narrow);
		break;
	}
	}
}

static enum ieum_err set_fields(const struct occasion *o, struct hub_message *m,
				const struct policy_emit *emit)
{
	const int64_t *counts = o->counts;

	if (!counts) {
		struct policy_context ctx = occasion_context(o, &m->referral);
		struct counting counting = counting_of(o, m, &ctx);
		enum ieum_err err = counting_look(&counting, &counts);
		if (err)
			return err;
	}
	for (size_t i = 0; i < emit->n_fields; i++)
		set_field(m->referral.report_received, body_of(o->referral), counts,
			  &emit->fields[i]);
	return IEUM_E_OK;
}

/* Its own basis, whatever that of the message it comes from is. */
static enum ieum_err set_article(const struct occasion *o, struct hub_message *m,
				 const char *article)
{
	Ieum__V1__LegalBasis *basis = decision_zalloc(o->d, sizeof *basis);

	if (!basis)
		return IEUM_E_NO_MEMORY;
	*basis = (Ieum__V1__LegalBasis)IEUM__V1__LEGAL_BASIS__INIT;
	basis->kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	basis->article = (char *)article;
	m->envelope.legal_basis = basis;
	return IEUM_E_OK;
}

enum ieum_err hub_message_emit(const struct occasion *o, const struct policy_emit *emit)
{
	struct hub_message *m = hub_message_new(o, emit->type);
	enum ieum_err err = IEUM_E_OK;

	if (!m)
		return IEUM_E_NO_MEMORY;
	if (emit->urgency)
		m->envelope.urgency = emit->urgency;
	if (o->referral) {
		copy_envelope(m, o->referral->envelope);
		if (emit->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_MUTUAL_NOTIFICATION)
			m->referral.mutual_notification->report_id =
				o->referral->envelope->message_id;
	}
	if (emit->article)
		err = set_article(o, m, emit->article);
	if (!err && emit->n_fields > 0)
		err = set_fields(o, m, emit);
	if (!err && emit->open_case)
		err = open_case(o, m, emit);
	return err ? err : hub_message_by_rules(o, m);
}
