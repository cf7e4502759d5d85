/* What a council's members send, so that it makes sense together: blind signals of a few people,
 * requests for their identity and what is told then, items, calls and minutes of meetings. */
#include <string.h>

#include "tests/sim/ledger.h"
#include "tests/sim/random_internal.h"

enum {
	PERSONS = 4,
	KINDS = 3,
	TOKEN_BYTES = 34,
	CALLS_LOOKED_AT = 2000,
	DAY_MS = 24 * 3600 * 1000,
};

struct draft {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	Ieum__V1__RiskSignal signal;
	Ieum__V1__IdentityRequest identity;
	Ieum__V1__IdentityDisclosure disclosure;
	Ieum__V1__AgendaItem item;
	Ieum__V1__ConferenceCall call;
	Ieum__V1__ConferenceMinutes minutes;
	Ieum__V1__ActionItem actions[3], *action_list[3];
	ProtobufCBinaryData tokens[KINDS], ids[1];
	uint8_t token[KINDS][TOKEN_BYTES];
	uint8_t id[CORE_ID_BYTES];
	const struct peer *peer;
	char *body; /* of which the peer is a member */
};

static void begin(struct world *w, struct draft *d, Ieum__V1__MessageType type)
{
	ieum__v1__referral__init(&d->referral);
	ieum__v1__envelope__init(&d->envelope);
	ieum__v1__legal_basis__init(&d->basis);
	world_make_id(w, d->id);
	d->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	d->basis.article = (char *)"Article 10";
	d->envelope.message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, d->id };
	d->envelope.type = type;
	d->envelope.legal_basis = &d->basis;
	d->referral.envelope = &d->envelope;
}

static void in_own_case(struct world *w, struct draft *d)
{
	const struct peer *p = d->peer;
	size_t n = p->n_cases < WORLD_PEER_CASES_MAX ? p->n_cases : WORLD_PEER_CASES_MAX;

	if (n > 0)
		d->envelope.case_id =
			(ProtobufCBinaryData){ CORE_ID_BYTES,
					       (uint8_t *)p->cases[world_random(w, n)] };
}

/* A message of that type, the newest first with some left out; mostly one's own where `own`. */
static ProtobufCBinaryData some_sent(struct world *w, const struct draft *d,
				     Ieum__V1__MessageType type, bool own)
{
	for (size_t i = w->n_sent, n = 0; i > 0 && n < CALLS_LOOKED_AT; i--, n++) {
		struct sent *s = &w->sent[i - 1];
		if (s->type == type && (!own || &w->peers[s->peer] == d->peer) &&
		    world_random(w, 3))
			return (ProtobufCBinaryData){ CORE_ID_BYTES, s->id };
	}
	return (ProtobufCBinaryData){ 0, NULL };
}

/* ---- blind ---- */

static void make_signal(struct world *w, struct draft *d)
{
	uint64_t person = world_random(w, PERSONS);

	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL);
	ieum__v1__risk_signal__init(&d->signal);
	d->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL;
	d->envelope.category = IEUM__V1__CATEGORY__CATEGORY_CHILD_NEGLECT;
	d->signal.month = (char *)"2026-03";
	d->signal.weight = 1 + (uint32_t)world_random(w, 5);
	d->envelope.subject_tokens = d->tokens;
	for (int kind = 1; kind <= KINDS; kind++) {
		uint8_t *token = d->token[kind - 1];
		token[0] = (uint8_t)kind;
		token[1] = 1;
		/* Now and then of another: a slip in one field. */
		token[2] =
			(uint8_t)('a' + (world_random(w, 8) ? person : world_random(w, PERSONS)));
		token[3] = (uint8_t)('0' + kind);
		memset(token + 4, 'x', TOKEN_BYTES - 4);
		memcpy(token + 14, LEDGER_MARKER, strlen(LEDGER_MARKER));
		d->tokens[d->envelope.n_subject_tokens++] =
			(ProtobufCBinaryData){ TOKEN_BYTES, token };
	}
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_RISK_SIGNAL;
	d->referral.risk_signal = &d->signal;
}

static void make_identity(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_IDENTITY_REQUEST);
	ieum__v1__identity_request__init(&d->identity);
	d->identity.purpose = (char *)"to visit";
	d->identity.break_glass = world_random(w, 4) == 0;
	if (d->identity.break_glass) {
		d->envelope.urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
		d->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	}
	in_own_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_IDENTITY_REQUEST;
	d->referral.identity_request = &d->identity;
}

/* In reply to what the peer was asked; of a signal that it sent, or another did. */
static void make_disclosure(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_IDENTITY_DISCLOSURE);
	ieum__v1__identity_disclosure__init(&d->disclosure);
	in_own_case(w, d);
	for (size_t i = 0; i < d->peer->n_asked; i++) {
		const struct asked_of *a = &d->peer->asked[i];
		if (a->type != IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_IDENTITY_REQUEST ||
		    !a->has_case)
			continue;
		d->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->id };
		d->envelope.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->case_id };
	}
	d->ids[0] = some_sent(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_RISK_SIGNAL,
			      world_random(w, 8) > 0);
	d->disclosure.signal_ids = d->ids;
	d->disclosure.n_signal_ids = d->ids[0].len > 0 && world_random(w, 2);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_IDENTITY_DISCLOSURE;
	d->referral.identity_disclosure = &d->disclosure;
}

/* ---- meetings ---- */

static bool sits_in(const struct policy *p, const struct policy_body *body, int who)
{
	for (size_t i = 0; i < body->n_mailboxes; i++) {
		const struct policy_mailbox *m = policy_mailbox(p, body->mailboxes[i]);
		for (size_t k = 0; k < m->n_consumers; k++)
			if (m->consumers[k] == who)
				return true;
	}
	return false;
}

static char *body_of(struct world *w, int who)
{
	const struct policy *p = sim_hub_policy(w->hub);
	size_t n = policy_bodies(p);
	size_t from = n ? world_random(w, n) : 0;

	for (size_t i = 0; i < n; i++) {
		const struct policy_body *body = policy_body(p, (int)((from + i) % n));
		if (sits_in(p, body, who) || world_random(w, 16) == 0)
			return (char *)body->name;
	}
	return (char *)"";
}

static void make_item(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA_ITEM);
	ieum__v1__agenda_item__init(&d->item);
	d->item.body = d->body;
	d->item.title = (char *)"absent " LEDGER_MARKER;
	in_own_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_AGENDA_ITEM;
	d->referral.agenda_item = &d->item;
}

static void make_call(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_CALL);
	ieum__v1__conference_call__init(&d->call);
	d->call.body = d->body;
	d->call.starts_at_ms = sim_hub_now_us(w->hub) / 1000 + DAY_MS;
	if (world_random(w, 3) == 0)
		in_own_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CONFERENCE_CALL;
	d->referral.conference_call = &d->call;
}

static void add_action(struct world *w, struct draft *d)
{
	size_t i = d->minutes.n_action_items++;

	ieum__v1__action_item__init(&d->actions[i]);
	/* Often several of one agency. */
	d->actions[i].participant = i && world_random(w, 2)
					    ? d->actions[i - 1].participant
					    : (char *)w->peers[world_random(w, w->n_peers)].name;
	d->actions[i].title = (char *)"visit " LEDGER_MARKER;
	d->actions[i].due_at_ms =
		sim_hub_now_us(w->hub) / 1000 + 1 + (int64_t)world_random(w, (uint64_t)30 * DAY_MS);
	d->action_list[i] = &d->actions[i];
}

static void make_minutes(struct world *w, struct draft *d)
{
	begin(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_MINUTES);
	ieum__v1__conference_minutes__init(&d->minutes);
	d->minutes.body = d->body;
	d->minutes.conference_id =
		some_sent(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CONFERENCE_CALL,
			  world_random(w, 2) > 0);
	d->minutes.action_items = d->action_list;
	for (uint64_t n = world_random(w, 4); n > 0; n--)
		add_action(w, d);
	d->ids[0] = some_sent(w, d, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA_ITEM, false);
	d->minutes.kept_item_ids = d->ids;
	d->minutes.n_kept_item_ids = d->ids[0].len > 0 && world_random(w, 4) == 0;
	if (world_random(w, 3) == 0)
		in_own_case(w, d);
	d->referral.body_case = IEUM__V1__REFERRAL__BODY_CONFERENCE_MINUTES;
	d->referral.conference_minutes = &d->minutes;
}

/* Mostly somebody who sits in a body, and is there. */
static size_t choose_member(struct world *w, size_t peer)
{
	const struct policy *p = sim_hub_policy(w->hub);

	for (int tries = 0; tries < 24; tries++, peer = world_random(w, w->n_peers))
		for (size_t i = 0; w->peers[peer].connection && i < policy_bodies(p); i++)
			if (sits_in(p, policy_body(p, (int)i), w->peers[peer].who))
				return peer;
	return peer;
}

int world_make_council(struct world *w, size_t peer)
{
	static void (*const makers[])(struct world *, struct draft *) = {
		make_signal, make_signal,     make_signal, make_identity, make_identity,
		make_item,   make_disclosure, make_call,   make_minutes,
	};
	peer = choose_member(w, peer);
	const struct policy_participant *who =
		policy_participant(sim_hub_policy(w->hub), w->peers[peer].who);

	/* Mostly what this kind of agency may send. */
	for (int tries = 0; who && tries < 16; tries++) {
		struct draft d = { .peer = &w->peers[peer] };
		d.body = body_of(w, w->peers[peer].who);
		makers[world_random(w, sizeof makers / sizeof makers[0])](w, &d);
		if (who->may_send >> d.envelope.type & 1)
			return world_keep(w, &d.referral, peer);
	}
	return -1;
}
