/* Random messages of any type, made by the schema itself; see random_internal.h.
 *
 * Most fields get a value that means something in this play: a pool of the hub file, a message
 * that was sent, a person whom others have seen too.  Whatever is to stay out of the kept part of
 * an event carries the ledger's marker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/arena.h"
#include "tests/sim/ledger.h"
#include "tests/sim/random_internal.h"

enum {
	ARENA_BYTES = 1 << 20,
	BODY_FIELD_NUMBER = 100,
	PERSONS = 6, /* whom the tokens are of */
	TOKEN_BYTES = 34,
	HOUR_MS = 3600 * 1000,
	DAY_MS = 24 * HOUR_MS,
};

struct maker {
	struct world *w;
	struct peer *peer;
	struct arena *arena;
	Ieum__V1__Envelope *envelope;
};

static void *alloc(struct maker *m, size_t bytes)
{
	void *p = arena_zalloc(m->arena, bytes);

	if (!p)
		abort();
	return p;
}

static char *text(struct maker *m, const char *from)
{
	size_t bytes = strlen(from) + 1;

	return memcpy(alloc(m, bytes), from, bytes);
}

static bool once_in(struct maker *m, uint64_t n)
{
	return world_random(m->w, n) == 0;
}

static int64_t now_ms(const struct maker *m)
{
	return sim_hub_now_us(m->w->hub) / 1000;
}

static const struct policy *policy(const struct maker *m)
{
	return sim_hub_policy(m->w->hub);
}

/* ---- texts ---- */

static char *anybody(struct maker *m)
{
	return text(m, m->w->peers[world_random(m->w, m->w->n_peers)].name);
}

/* Somebody who may know of a case. */
static char *some_participant(struct maker *m)
{
	for (;;) {
		const struct peer *p = &m->w->peers[world_random(m->w, m->w->n_peers)];
		if (p->who != POLICY_NONE && !policy_participant(policy(m), p->who)->reads_nothing)
			return text(m, p->name);
	}
}

static char *some_body(struct maker *m)
{
	size_t n = policy_bodies(policy(m));

	return n ? text(m, policy_body(policy(m), (int)world_random(m->w, n))->name)
		 : text(m, "nobody");
}

static char *some_pool(struct maker *m)
{
	size_t n = policy_pools(policy(m));

	if (n == 0)
		return text(m, "nowhere");
	const struct policy_pool *pool = policy_pool(policy(m), (int)world_random(m->w, n));
	return text(m, once_in(m, 2) ? pool->kind : pool->name);
}

static char *kept_pool(struct maker *m)
{
	for (size_t i = 0; i < policy_pools(policy(m)); i++) {
		const struct policy_pool *pool = policy_pool(policy(m), (int)i);
		if (pool->keeper == m->peer->who && once_in(m, 2))
			return text(m, pool->name);
	}
	return some_pool(m);
}

static char *make_text(struct maker *m, const ProtobufCFieldDescriptor *f)
{
	static const char *const domains[] = { "emotional", "legal", "medical", "care" };
	static const char *const languages[] = { "", "ko", "vi", "zh-Hans", "en" };
	static const char *const codes[] = { "", "41570", "41210", "41" };
	bool keeps = m->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_REPORT;

	if (once_in(m, 40) && f->type == PROTOBUF_C_TYPE_STRING)
		return text(m, "");
	if (strcmp(f->name, "domain") == 0 || strcmp(f->name, "domains") == 0)
		return text(m, domains[world_random(m->w, 4)]);
	if (strcmp(f->name, "language") == 0)
		return text(
			m,
			languages
				[m->envelope->type ==
						 IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_INTERPRETER_REQUEST
					 ? 1 + world_random(m->w, 4)
					 : world_random(m->w, 5)]);
	if (strstr(f->name, "jurisdiction"))
		return text(m, codes[world_random(m->w, 4)]);
	if (strcmp(f->name, "pool") == 0)
		return keeps ? kept_pool(m) : some_pool(m);
	if (strcmp(f->name, "body") == 0)
		return once_in(m, 3) && keeps ? text(m, "") : some_body(m);
	if (strcmp(f->name, "participant") == 0 || strcmp(f->name, "from") == 0 ||
	    strcmp(f->name, "to") == 0)
		return some_participant(m);
	if (strcmp(f->name, "month") == 0)
		return text(m, "2026-03");
	if (strcmp(f->name, "grade") == 0)
		return text(m, once_in(m, 2) ? "A" : "B");
	if (strcmp(f->name, "item") == 0 || strcmp(f->name, "items") == 0)
		return text(m, "attendance");
	return text(m, LEDGER_MARKER);
}

/* ---- ids and other bytes ---- */

/* Of a message that the peer was asked by, or that anybody sent. */
static ProtobufCBinaryData some_message(struct maker *m)
{
	struct world *w = m->w;
	uint8_t *id = alloc(m, CORE_ID_BYTES);

	if (m->peer->n_asked && world_random(w, 3))
		memcpy(id, m->peer->asked[world_random(w, m->peer->n_asked)].id, CORE_ID_BYTES);
	else if (w->n_sent)
		memcpy(id, w->sent[world_random(w, w->n_sent)].id, CORE_ID_BYTES);
	else
		world_make_id(w, id);
	return (ProtobufCBinaryData){ CORE_ID_BYTES, id };
}

/* A place that this peer was asked for, in its case. */
static ProtobufCBinaryData some_hold(struct maker *m)
{
	for (int tries = 0; tries < 12 && m->peer->n_asked; tries++) {
		const struct asked_of *a = &m->peer->asked[world_random(m->w, m->peer->n_asked)];
		if (a->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD)
			continue;
		if (a->has_case && !m->envelope->open_case)
			m->envelope->case_id =
				(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->case_id };
		return (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->id };
	}
	return some_message(m);
}

static ProtobufCBinaryData make_bytes(struct maker *m, const ProtobufCFieldDescriptor *f)
{
	if (strcmp(f->name, "location_token") == 0)
		return (ProtobufCBinaryData){ strlen(LEDGER_MARKER),
					      (uint8_t *)text(m, LEDGER_MARKER) };
	if (strcmp(f->name, "digest") == 0)
		return (ProtobufCBinaryData){ 32, alloc(m, 32) };
	if (strcmp(f->name, "hold_id") == 0)
		return some_hold(m);
	return some_message(m);
}

/* Kind, epoch, then what is the same for the same person and kind; the rest is never kept. */
static ProtobufCBinaryData make_token(struct maker *m, uint64_t person, uint8_t kind)
{
	uint8_t *token = alloc(m, TOKEN_BYTES);

	token[0] = kind;
	token[1] = 1;
	token[2] = (uint8_t)('a' + person);
	token[3] = (uint8_t)('0' + kind);
	memset(token + 4, 'x', 6);
	memset(token + 10, 'y', TOKEN_BYTES - 10);
	memcpy(token + 14, LEDGER_MARKER, strlen(LEDGER_MARKER));
	return (ProtobufCBinaryData){ TOKEN_BYTES, token };
}

/* ---- numbers ---- */

static uint32_t make_count(struct maker *m, const ProtobufCFieldDescriptor *f)
{
	if (strcmp(f->name, "measure") == 0 || strcmp(f->name, "measures") == 0)
		return 1 + (uint32_t)world_random(m->w, 4);
	if (strcmp(f->name, "weight") == 0)
		return 1 + (uint32_t)world_random(m->w, 5);
	if (strcmp(f->name, "age_years") == 0)
		return (uint32_t)world_random(m->w, 20);
	return (uint32_t)world_random(m->w, strcmp(f->name, "places") == 0 ? 4 : 6);
}

static int64_t make_time(struct maker *m, const ProtobufCFieldDescriptor *f)
{
	if (strcmp(f->name, "hold_ms") == 0)
		return once_in(m, 4) ? (int64_t)world_random(m->w, 4 * HOUR_MS) : 0;
	if (once_in(m, 6))
		return 0;
	if (strstr(f->name, "taken_at") || strstr(f->name, "filed_at") ||
	    strstr(f->name, "from_at"))
		return now_ms(m) - (int64_t)world_random(m->w, 2 * DAY_MS);
	return now_ms(m) + (int64_t)world_random(m->w, (uint64_t)8 * DAY_MS) - HOUR_MS;
}

/* Mostly a value that says something. */
static int make_enum(struct maker *m, const ProtobufCFieldDescriptor *f)
{
	const ProtobufCEnumDescriptor *e = f->descriptor;

	return e->values[once_in(m, 40) ? 0 : 1 + world_random(m->w, e->n_values - 1)].value;
}

/* ---- messages ---- */

static ProtobufCMessage *make_message(struct maker *m, const ProtobufCMessageDescriptor *of);

static void make_value(struct maker *m, const ProtobufCFieldDescriptor *f, void *at)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)at = once_in(m, 2); break;
	case PROTOBUF_C_TYPE_ENUM: *(int *)at = make_enum(m, f); break;
	case PROTOBUF_C_TYPE_UINT32: *(uint32_t *)at = make_count(m, f); break;
	case PROTOBUF_C_TYPE_INT64: *(int64_t *)at = make_time(m, f); break;
	case PROTOBUF_C_TYPE_STRING: *(char **)at = make_text(m, f); break;
	case PROTOBUF_C_TYPE_BYTES: *(ProtobufCBinaryData *)at = make_bytes(m, f); break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = make_message(m, f->descriptor);
		break;
	default: abort();
	}
}

static size_t value_bytes(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM: return sizeof(int);
	case PROTOBUF_C_TYPE_UINT32: return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_INT64: return sizeof(int64_t);
	case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
	default: return sizeof(void *);
	}
}

static ProtobufCMessage *make_message(struct maker *m, const ProtobufCMessageDescriptor *of)
{
	ProtobufCMessage *message = alloc(m, of->sizeof_message);

	protobuf_c_message_init(of, message);
	for (unsigned i = 0; i < of->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &of->fields[i];
		uint8_t *at = (uint8_t *)message + f->offset;
		if (f->label != PROTOBUF_C_LABEL_REPEATED) {
			make_value(m, f, at);
			continue;
		}
		size_t n = world_random(m->w, 3);
		uint8_t *list = alloc(m, (n + 1) * value_bytes(f));
		for (size_t k = 0; k < n; k++)
			make_value(m, f, list + k * value_bytes(f));
		memcpy(at, &list, sizeof list);
		memcpy((uint8_t *)message + f->quantifier_offset, &n, sizeof n);
	}
	return message;
}

static void set_body(struct maker *m, Ieum__V1__Referral *r)
{
	uint32_t number = BODY_FIELD_NUMBER + (uint32_t)m->envelope->type;
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(&ieum__v1__referral__descriptor, number);
	ProtobufCMessage *body = make_message(m, f->descriptor);

	memcpy((uint8_t *)r + f->offset, &body, sizeof body);
	r->body_case = (Ieum__V1__Referral__BodyCase)number;
}

/* ---- the envelope ---- */

static void set_basis(struct maker *m)
{
	Ieum__V1__LegalBasis *b = alloc(m, sizeof *b);
	bool blind = m->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL &&
		     world_random(m->w, 4);

	ieum__v1__legal_basis__init(b);
	b->kind = blind ? IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL
			: (Ieum__V1__BasisKind)(1 + world_random(m->w, 3));
	b->article = text(m, "Article 10 " LEDGER_MARKER);
	if (b->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT) {
		b->consent = alloc(m, sizeof *b->consent);
		ieum__v1__consent__init(b->consent);
		b->consent->recipients = alloc(m, sizeof *b->consent->recipients);
		b->consent->recipients[b->consent->n_recipients++] = text(m, "any");
		b->consent->purpose = text(m, "support " LEDGER_MARKER);
		b->consent->items = alloc(m, sizeof *b->consent->items);
		b->consent->items[b->consent->n_items++] = text(m, "contact");
	}
	if (world_random(m->w, 20))
		m->envelope->legal_basis = b;
}

/* A new case where that is allowed, else mostly one that the peer has to do with. */
static void set_case(struct maker *m)
{
	const struct policy_type *type = policy_type(policy(m), m->envelope->type);
	struct peer *p = m->peer;
	size_t n = p->n_cases < WORLD_PEER_CASES_MAX ? p->n_cases : WORLD_PEER_CASES_MAX;

	if (type->may_open && (n == 0 || once_in(m, 3)))
		m->envelope->open_case = true;
	else if (!type->needs_case && once_in(m, 2))
		return;
	else if (n > 0 && world_random(m->w, 20))
		m->envelope->case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES, p->cases[world_random(m->w, n)] };
	else if (m->w->n_cases)
		m->envelope->case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES,
					       m->w->cases[world_random(m->w, m->w->n_cases)] };
}

static void add_addressee(struct maker *m)
{
	Ieum__V1__Addressee *to = alloc(m, sizeof *to);
	Ieum__V1__Envelope *e = m->envelope;

	ieum__v1__addressee__init(to);
	to->to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	to->participant = anybody(m);
	if (once_in(m, 6) && policy_bodies(policy(m))) {
		to->to_case = IEUM__V1__ADDRESSEE__TO_BODY;
		to->body = some_body(m);
	} else if (once_in(m, 6)) {
		to->to_case = IEUM__V1__ADDRESSEE__TO_ROLE;
		to->role = alloc(m, sizeof *to->role);
		ieum__v1__role_in__init(to->role);
		to->role->role = text(m, "authority");
	}
	if (!e->addressees)
		e->addressees = alloc(m, 2 * sizeof *e->addressees);
	e->addressees[e->n_addressees++] = to;
}

static void add_tokens(struct maker *m)
{
	uint64_t person = world_random(m->w, PERSONS);
	Ieum__V1__Envelope *e = m->envelope;
	size_t n = 1 + world_random(m->w, 3);

	e->subject_tokens = alloc(m, n * sizeof *e->subject_tokens);
	for (; e->n_subject_tokens < n; e->n_subject_tokens++)
		e->subject_tokens[e->n_subject_tokens] =
			make_token(m, person, (uint8_t)(1 + e->n_subject_tokens));
}

static void add_contact(struct maker *m)
{
	Ieum__V1__SafeContact *c = alloc(m, sizeof *c);
	Ieum__V1__ContactWindow *window = alloc(m, sizeof *window);

	ieum__v1__safe_contact__init(c);
	ieum__v1__contact_window__init(window);
	window->from_minute = (uint32_t)world_random(m->w, 12 * 60);
	window->until_minute = window->from_minute + 60 + (uint32_t)world_random(m->w, 11 * 60);
	c->windows = alloc(m, sizeof *c->windows);
	c->windows[0] = window;
	c->n_windows = 1;
	m->envelope->safe_contact = c;
}

static void add_reference(struct maker *m)
{
	Ieum__V1__ExternalRef *ref = alloc(m, sizeof *ref);

	ieum__v1__external_ref__init(ref);
	ref->system = text(m, "112");
	ref->number = text(m, LEDGER_MARKER);
	m->envelope->external_refs = alloc(m, sizeof *m->envelope->external_refs);
	m->envelope->external_refs[m->envelope->n_external_refs++] = ref;
}

static void add_link(struct maker *m)
{
	Ieum__V1__CaseLink *link = alloc(m, sizeof *link);
	struct peer *p = m->peer;
	size_t n = p->n_cases < WORLD_PEER_CASES_MAX ? p->n_cases : WORLD_PEER_CASES_MAX;

	if (n == 0)
		return;
	ieum__v1__case_link__init(link);
	link->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, p->cases[world_random(m->w, n)] };
	link->kind = (Ieum__V1__LinkKind)(1 + world_random(m->w, 3));
	m->envelope->case_links = alloc(m, sizeof *m->envelope->case_links);
	m->envelope->case_links[m->envelope->n_case_links++] = link;
}

/* Mostly a message of its own, of the same type and case; sometimes anything. */
static void supersede(struct maker *m)
{
	struct world *w = m->w;

	for (int tries = 0; tries < 32 && w->n_sent > 0; tries++) {
		struct sent *s = &w->sent[world_random(w, w->n_sent)];
		if (&w->peers[s->peer] != m->peer || s->type != m->envelope->type)
			continue;
		m->envelope->supersedes = (ProtobufCBinaryData){ CORE_ID_BYTES, s->id };
		m->envelope->open_case = false;
		if (s->has_case)
			m->envelope->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, s->case_id };
		return;
	}
}

static void add_excluded(struct maker *m)
{
	m->envelope->excluded_participants = alloc(m, sizeof(char *));
	m->envelope->excluded_participants[m->envelope->n_excluded_participants++] =
		once_in(m, 3) ? text(m, "duty-office-1") : anybody(m);
}

static void fill_envelope(struct maker *m)
{
	Ieum__V1__Envelope *e = m->envelope;

	e->category = (Ieum__V1__Category)(1 + world_random(m->w, 10));
	if (!e->open_case && once_in(m, 2))
		e->category = IEUM__V1__CATEGORY__CATEGORY_UNSPECIFIED;
	e->urgency = (Ieum__V1__Urgency)world_random(m->w, 5);
	if (once_in(m, 3))
		e->occurred_at_ms = now_ms(m) - (int64_t)world_random(m->w, 3 * DAY_MS);
	set_basis(m);
	if (e->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL || once_in(m, 3))
		add_tokens(m);
	if (once_in(m, 4))
		add_addressee(m);
	if (e->n_addressees && once_in(m, 3))
		add_addressee(m);
	if (once_in(m, 8))
		e->answer_within_ms = (int64_t)world_random(m->w, 2 * DAY_MS);
	if (once_in(m, 8))
		add_reference(m);
	if (once_in(m, 10))
		add_contact(m);
	if (once_in(m, 12))
		add_link(m);
	if (once_in(m, 16))
		supersede(m);
	if ((e->open_case || e->case_id.len) && once_in(m, 16))
		add_excluded(m);
	if (policy_type(policy(m), e->type)->needs_reply_to || once_in(m, 24))
		e->in_reply_to = some_message(m);
}

/* What is sealed to a certificate that the hub has never seen, with the marker in the place of what
 * nobody can read. */
static void seal_part(struct maker *m, Ieum__V1__NarrativePart *part, uint32_t number)
{
	static const uint8_t before[] = {
		0x30, 0x81, 0x82, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10,
		0x01, 0x17, 0xa0, 0x73, 0x30, 0x71, 0x02, 0x01, 0x00, 0x31, 0x21, 0x30, 0x1f, 0x02,
		0x01, 0x02, 0x80, 0x04, 0x01, 0x02, 0x03, 0x04, 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86,
		0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x04, 0x07, 0x77, 0x72, 0x61, 0x70, 0x70,
		0x65, 0x64, 0x30, 0x37, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07,
		0x01, 0x30, 0x1e, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e,
		0x30, 0x11, 0x04, 0x0c, 0x6e, 0x6f, 0x6e, 0x63, 0x65, 0x2d, 0x6f, 0x66, 0x2d, 0x31,
		0x32, 0x62, 0x02, 0x01, 0x10, 0x80, 0x0a
	};
	static const uint8_t behind[] = { 0x04, 0x10, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36,
					  0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66 };
	size_t n = strlen(LEDGER_MARKER);
	uint8_t *cms = alloc(m, sizeof before + n + sizeof behind);

	memcpy(cms, before, sizeof before);
	memcpy(cms + sizeof before, LEDGER_MARKER, n);
	memcpy(cms + sizeof before + n, behind, sizeof behind);
	part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part->sealed = (ProtobufCBinaryData){ sizeof before + n + sizeof behind, cms };
	part->number = number;
}

static void add_narrative(struct maker *m, Ieum__V1__Referral *r)
{
	size_t n = world_random(m->w, 3);

	r->narrative = alloc(m, (n + 1) * sizeof *r->narrative);
	for (; r->n_narrative < n; r->n_narrative++) {
		Ieum__V1__NarrativePart *part = alloc(m, sizeof *part);
		ieum__v1__narrative_part__init(part);
		part->media_type = text(m, "text/plain");
		part->clear = (ProtobufCBinaryData){ strlen(LEDGER_MARKER),
						     (uint8_t *)text(m, LEDGER_MARKER) };
		part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
		if (once_in(m, 2)) {
			seal_part(m, part, (uint32_t)r->n_narrative + 1);
			part->subject = (Ieum__V1__NarrativeSubject)world_random(m->w, 3);
		}
		r->narrative[r->n_narrative] = part;
	}
}

/* What the hub makes itself is nobody's to send, even where a kind may send "all". */
static bool by_hub_only(int type)
{
	switch (type) {
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_NOTICE:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_OFFER:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CERTIFICATE_NOTICE:
	case IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA: return true;
	default: return false;
	}
}

/* Was it asked for a place that somebody may come to, or leave, by now? */
static bool keeps_places(const struct maker *m)
{
	for (size_t i = 0; i < m->peer->n_asked; i++)
		if (m->peer->asked[i].type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD)
			return true;
	return false;
}

/* Some come more often than others: what opens cases, races for places, is counted and linked. */
static Ieum__V1__MessageType suggest_type(struct maker *m)
{
	static const Ieum__V1__MessageType often[] = {
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED,
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REFERRAL,
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD,
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_WAITLIST_ENTRY,
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL,
		IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CLOSURE_REQUEST,
	};

	if (keeps_places(m) && once_in(m, 3))
		return once_in(m, 3) ? IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACE_RETURNED
				     : IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACEMENT_NOTICE;
	if (m->peer->character == CHARACTER_RACER && once_in(m, 2))
		return IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_HOLD;
	if (once_in(m, 2))
		return often[world_random(m->w, sizeof often / sizeof often[0])];
	return (Ieum__V1__MessageType)(1 + world_random(m->w, POLICY_TYPES - 1));
}

/* Mostly one that it may send, and has a case for. */
static Ieum__V1__MessageType choose_type(struct maker *m, uint64_t may_send)
{
	for (int tries = 0; tries < 200; tries++) {
		Ieum__V1__MessageType type = suggest_type(m);
		const struct policy_type *is = policy_type(policy(m), type);
		if (once_in(m, 80))
			return type;
		if (may_send >> type & 1 && !by_hub_only(type) &&
		    type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER &&
		    (!is->needs_case || is->may_open || m->peer->n_cases > 0))
			return type;
	}
	return IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL;
}

static bool is_blind(const struct maker *m)
{
	const Ieum__V1__LegalBasis *basis = m->envelope->legal_basis;

	return basis && basis->kind == IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL;
}

/* Nothing is left that would say whom it is about. */
static void blind(struct maker *m)
{
	Ieum__V1__Envelope *e = m->envelope;

	e->case_id = (ProtobufCBinaryData){ 0, NULL };
	e->n_external_refs = e->n_excluded_participants = e->n_case_links = 0;
	e->safe_contact = NULL;
}

int world_make_any(struct world *w, size_t peer)
{
	const struct policy_participant *who =
		policy_participant(sim_hub_policy(w->hub), w->peers[peer].who);
	Ieum__V1__Referral referral = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope envelope = IEUM__V1__ENVELOPE__INIT;
	uint8_t id[CORE_ID_BYTES];
	struct arena arena;
	struct maker m = { w, &w->peers[peer], &arena, &envelope };

	arena_init(&arena, ARENA_BYTES);
	referral.envelope = &envelope;
	world_make_id(w, id);
	envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, id };
	envelope.type = choose_type(&m, who->may_send);
	set_case(&m);
	set_body(&m, &referral);
	fill_envelope(&m);
	if (!is_blind(&m) || once_in(&m, 10))
		add_narrative(&m, &referral);
	if (is_blind(&m) && world_random(w, 10))
		blind(&m);
	if (envelope.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER_MANIFEST &&
	    m.peer->has_list)
		*referral.handover_manifest = m.peer->list;
	int index = world_keep(w, &referral, peer);
	arena_release(&arena);
	return index;
}
