/* The disclosure ledger; see disclosures.h.
 *
 * Two passes: the first finds which messages and cases it is about, the second tells what became of
 * them.  Kept in memory is a small record per message and, of those that it is about, one per
 * delivery. */
#include "broker/disclosures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit_names.h"
#include "broker/audit_table.h"
#include "broker/core/gateway.h"
#include "broker/core/lookup.h"
#include "broker/journal/journal.h"
#include "ieum/v1/event.pb-c.h"
#include "proto/arena.h"

enum {
	EVENT_BUDGET_BYTES = 64 << 20,
	ROUTE_BITS = 8, /* delivery id = seq << 8 | route */
	TAG_BYTES = 8,  /* of a token's HMAC, behind kind and epoch */
	TAG_TOKEN_BYTES = 2 + TAG_BYTES,
	PARTS_MAX = 32, /* bits of disclosure.key_parts */
};

struct message {
	uint64_t seq; /* the table's key */
	uint8_t id[DISCLOSURES_ID_BYTES], case_id[DISCLOSURES_ID_BYTES];
	uint32_t sender;
	uint8_t type, basis;
	bool has_case, wanted, erased;
	bool lists_case; /* an agenda with a wanted case on it */
	char *article;   /* of those that are wanted; may be NULL */
	char *person;    /* for whom a gateway sent it; may be NULL */
	char *actor;     /* who sent it, of those that are wanted; may be NULL */
};

/* A delivery of a message that is wanted. */
struct routed {
	uint64_t id; /* the table's key */
	uint64_t message;
	uint32_t mailbox;
	Ieum__V1__DeliveryCause cause;
};

struct joined {
	uint64_t number; /* the table's key */
	uint32_t participant;
	char *actor, *address;
};

/* The last key_wrap: the keys that it gives are the next event. */
struct wrap {
	uint64_t seq, connection;
	uint32_t sender;
};

struct ledger {
	const struct disclosures_of *of;
	struct audit_table messages, deliveries, connections;
	struct lookup ids;      /* message ids to seqs, by their place in `seqs` */
	struct lookup case_ids; /* wanted cases, by their place in `cases` */
	uint64_t *seqs;
	uint8_t (*cases)[DISCLOSURES_ID_BYTES];
	uint32_t n_seqs, cap_seqs, n_cases, cap_cases;
	struct audit_names participants, mailboxes;
	struct wrap wrap;
	struct arena arena;
	disclosure_cb *cb;
	void *ctx;
	bool telling; /* the second pass */
};

/* ---- ids ---- */

/* Clients choose message ids, so equal hashes are looked at one by one. */
static uint64_t id_hash(const uint8_t id[DISCLOSURES_ID_BYTES])
{
	uint64_t a;
	uint64_t b;

	memcpy(&a, id, sizeof a);
	memcpy(&b, id + sizeof a, sizeof b);
	return lookup_hash(1, a, b);
}

static struct message *message_of_id(const struct ledger *l, const uint8_t id[DISCLOSURES_ID_BYTES])
{
	struct lookup_probe probe;

	for (uint32_t i = lookup_first(&l->ids, id_hash(id), &probe); i; i = lookup_next(&probe)) {
		struct message *m = audit_table_find(&l->messages, l->seqs[i - 1]);
		if (m && memcmp(m->id, id, sizeof m->id) == 0)
			return m;
	}
	return NULL;
}

static bool is_wanted_case(const struct ledger *l, const uint8_t id[DISCLOSURES_ID_BYTES])
{
	struct lookup_probe probe;

	for (uint32_t i = lookup_first(&l->case_ids, id_hash(id), &probe); i;
	     i = lookup_next(&probe))
		if (memcmp(l->cases[i - 1], id, DISCLOSURES_ID_BYTES) == 0)
			return true;
	return false;
}

static enum ieum_err want_case(struct ledger *l, const uint8_t id[DISCLOSURES_ID_BYTES])
{
	if (is_wanted_case(l, id))
		return IEUM_E_OK;
	if (l->n_cases == l->cap_cases) {
		uint32_t cap = l->cap_cases ? 2 * l->cap_cases : 16;
		void *cases = realloc(l->cases, cap * sizeof *l->cases);
		if (!cases)
			return IEUM_E_NO_MEMORY;
		l->cases = cases;
		l->cap_cases = cap;
	}
	memcpy(l->cases[l->n_cases++], id, DISCLOSURES_ID_BYTES);
	return lookup_add(&l->case_ids, id_hash(id), l->n_cases);
}

/* ---- the first pass: what it is about ---- */

static bool carries(struct ledger *l, const struct journal_record *r)
{
	bool found = false;

	if (!r->payload)
		return false;
	Ieum__V1__Referral *referral =
		ieum__v1__referral__unpack(&l->arena.allocator, r->payload_len, r->payload);
	if (!referral || !referral->envelope)
		return false;
	for (size_t i = 0; i < referral->envelope->n_subject_tokens; i++) {
		const ProtobufCBinaryData *t = &referral->envelope->subject_tokens[i];
		found |= t->len == l->of->token_len && memcmp(t->data, l->of->token, t->len) == 0;
	}
	return found;
}

static enum ieum_err add_message(struct ledger *l, const struct journal_record *r,
				 const Ieum__V1__Submitted *s)
{
	if (s->message_id.len != DISCLOSURES_ID_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	struct message *m = audit_table_add(&l->messages, r->seq);
	if (!m)
		return IEUM_E_NO_MEMORY;
	memcpy(m->id, s->message_id.data, sizeof m->id);
	m->sender = s->sender;
	if (*s->on_behalf_of && !(m->person = strdup(s->on_behalf_of)))
		return IEUM_E_NO_MEMORY;
	m->type = (uint8_t)s->type;
	m->basis = (uint8_t)s->basis;
	m->erased = r->payload_erased;
	m->has_case = s->case_id.len == DISCLOSURES_ID_BYTES;
	if (m->has_case)
		memcpy(m->case_id, s->case_id.data, sizeof m->case_id);
	if (l->n_seqs == l->cap_seqs) {
		uint32_t cap = l->cap_seqs ? 2 * l->cap_seqs : 1024;
		uint64_t *seqs = realloc(l->seqs, cap * sizeof *seqs);
		if (!seqs)
			return IEUM_E_NO_MEMORY;
		l->seqs = seqs;
		l->cap_seqs = cap;
	}
	l->seqs[l->n_seqs++] = r->seq;
	m->wanted = l->of->participant || (l->of->token && carries(l, r));
	if (m->wanted && l->of->token && m->has_case) {
		enum ieum_err err = want_case(l, m->case_id);
		if (err)
			return err;
	}
	return lookup_add(&l->ids, id_hash(m->id), l->n_seqs);
}

static uint64_t first_bytes(const uint8_t *bytes)
{
	uint64_t tag = 0;

	for (int i = 0; i < TAG_BYTES; i++)
		tag = tag << 8 | bytes[i];
	return tag;
}

/* What is left of a signal's tokens still says that it was this one. */
static enum ieum_err take_signal(struct ledger *l, const Ieum__V1__SignalKept *e)
{
	bool same = false;

	for (size_t i = 0; l->of->token && l->of->token_len >= TAG_TOKEN_BYTES && i < e->n_tags;
	     i++)
		same |= e->tags[i]->kind == l->of->token[0] &&
			e->tags[i]->epoch == l->of->token[1] &&
			e->tags[i]->tag == first_bytes(l->of->token + 2);
	bool joins = same;
	for (size_t i = 0; i < e->n_linked_ids && !joins; i++) {
		const struct message *other = e->linked_ids[i].len == DISCLOSURES_ID_BYTES
						      ? message_of_id(l, e->linked_ids[i].data)
						      : NULL;
		joins = other && other->wanted;
	}
	if (!l->of->token || !joins)
		return IEUM_E_OK;
	struct message *m = same && e->message_id.len == DISCLOSURES_ID_BYTES
				    ? message_of_id(l, e->message_id.data)
				    : NULL;
	if (m)
		m->wanted = true;
	return e->case_id.len == DISCLOSURES_ID_BYTES ? want_case(l, e->case_id.data) : IEUM_E_OK;
}

static enum ieum_err find_event(struct ledger *l, const struct journal_record *r,
				const Ieum__V1__Event *e)
{
	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_SUBMITTED: return add_message(l, r, e->submitted);
	case IEUM__V1__EVENT__WHAT_SIGNAL_KEPT: return take_signal(l, e->signal_kept);
	default: return IEUM_E_OK;
	}
}

/* ---- the second pass: who got it ---- */

static enum ieum_err add_routes(struct ledger *l, uint64_t seq, uint64_t message,
				Ieum__V1__Route *const *routes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct routed *d = audit_table_add(&l->deliveries, seq << ROUTE_BITS | i);
		if (!d)
			return IEUM_E_NO_MEMORY;
		d->message = message;
		d->mailbox = routes[i]->mailbox;
		d->cause = routes[i]->cause;
	}
	return IEUM_E_OK;
}

static enum ieum_err take_article(struct ledger *l, const struct journal_record *r,
				  struct message *m)
{
	Ieum__V1__Referral *referral =
		r->payload ? ieum__v1__referral__unpack(&l->arena.allocator, r->payload_len,
							r->payload)
			   : NULL;

	if (!referral || !referral->envelope || !referral->envelope->legal_basis ||
	    !*referral->envelope->legal_basis->article)
		return IEUM_E_OK;
	m->article = strdup(referral->envelope->legal_basis->article);
	return m->article ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* As the hub calls it: the certificate's name, and for whom its gateway speaks. */
static enum ieum_err take_actor(const struct ledger *l, uint64_t connection, struct message *m)
{
	const struct joined *k = audit_table_find(&l->connections, connection);
	char name[GATEWAY_ACTOR_BYTES];

	if (!k)
		return IEUM_E_OK;
	if (m->person)
		snprintf(name, sizeof name, GATEWAY_ACTOR, k->actor, m->person);
	m->actor = strdup(m->person ? name : k->actor);
	return m->actor ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* An agenda is of no case, and says of those on it that they are there.  Journals from before it
 * was on record have that in the content alone. */
static bool lists_wanted(struct ledger *l, const struct journal_record *r,
			 const Ieum__V1__AgendaSent *sent)
{
	for (size_t i = 0; sent && i < sent->n_case_ids; i++)
		if (sent->case_ids[i].len == DISCLOSURES_ID_BYTES &&
		    is_wanted_case(l, sent->case_ids[i].data))
			return true;
	if (sent)
		return false;
	Ieum__V1__Referral *referral =
		r->payload ? ieum__v1__referral__unpack(&l->arena.allocator, r->payload_len,
							r->payload)
			   : NULL;

	if (!referral || referral->body_case != IEUM__V1__REFERRAL__BODY_AGENDA)
		return false;
	for (size_t i = 0; i < referral->agenda->n_entries; i++) {
		const ProtobufCBinaryData *id = &referral->agenda->entries[i]->case_id;
		if (id->len == DISCLOSURES_ID_BYTES && is_wanted_case(l, id->data))
			return true;
	}
	return false;
}

static enum ieum_err tell_submitted(struct ledger *l, const struct journal_record *r,
				    const Ieum__V1__Submitted *s)
{
	struct message *m = audit_table_find(&l->messages, r->seq);

	if (s->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP)
		l->wrap = (struct wrap){ r->seq, s->connection, s->sender };
	/* One that came between the passes is not told of. */
	if (!m)
		return IEUM_E_OK;
	m->wanted |= m->has_case && is_wanted_case(l, m->case_id);
	if (s->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA && lists_wanted(l, r, s->agenda))
		m->wanted = m->lists_case = true;
	if (!m->wanted)
		return IEUM_E_OK;
	enum ieum_err err = take_article(l, r, m);
	if (!err)
		err = take_actor(l, s->connection, m);
	return err ? err : add_routes(l, r->seq, r->seq, s->routes, s->n_routes);
}

static enum ieum_err tell_escalated(struct ledger *l, uint64_t seq, const Ieum__V1__Escalated *e)
{
	const struct message *m = e->message_id.len == DISCLOSURES_ID_BYTES
					  ? message_of_id(l, e->message_id.data)
					  : NULL;

	return m && m->wanted ? add_routes(l, seq, m->seq, e->routes, e->n_routes) : IEUM_E_OK;
}

static bool is_wanted_reader(const struct ledger *l, uint32_t participant)
{
	return !l->of->participant ||
	       strcmp(audit_names_of(&l->participants, participant), l->of->participant) == 0;
}

static struct disclosure begin(const struct ledger *l, uint64_t seq, int64_t at_us,
			       uint32_t participant)
{
	return (struct disclosure){ .seq = seq,
				    .at_us = at_us,
				    .participant = audit_names_of(&l->participants, participant),
				    .actor = "",
				    .address = "",
				    .read = "",
				    .mailbox = "",
				    .sender = "",
				    .sender_actor = "",
				    .on_behalf_of = "",
				    .article = "",
				    .wrapped_by = "",
				    .wrapped_by_actor = "" };
}

static struct disclosure begin_with(const struct ledger *l, uint64_t seq, int64_t at_us,
				    const struct joined *k)
{
	struct disclosure d = begin(l, seq, at_us, k->participant);

	d.actor = k->actor;
	d.address = k->address;
	return d;
}

static void put_message(const struct ledger *l, const struct message *m, struct disclosure *d)
{
	d->message_id = m->id;
	d->case_id = m->has_case ? m->case_id : m->lists_case ? l->of->case_id : NULL;
	d->type = (Ieum__V1__MessageType)m->type;
	d->sender = audit_names_of(&l->participants, m->sender);
	d->sender_actor = m->actor ? m->actor : "";
	d->on_behalf_of = m->person ? m->person : "";
	d->basis = (Ieum__V1__BasisKind)m->basis;
	d->article = m->article ? m->article : "";
	d->erased = m->erased;
}

static enum ieum_err tell_released(struct ledger *l, uint64_t seq, int64_t at_us,
				   const Ieum__V1__DeliveriesReleased *e)
{
	const struct joined *k = audit_table_find(&l->connections, e->connection);
	enum ieum_err err = IEUM_E_OK;

	if (!k)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < e->n_deliveries && is_wanted_reader(l, k->participant) && !err;
	     i++) {
		const struct routed *r = audit_table_find(&l->deliveries, e->deliveries[i]);
		const struct message *m = r ? audit_table_find(&l->messages, r->message) : NULL;
		if (!m)
			continue;
		struct disclosure d = begin_with(l, seq, at_us, k);
		put_message(l, m, &d);
		d.mailbox = audit_names_of(&l->mailboxes, r->mailbox);
		d.cause = r->cause;
		err = l->cb(l->ctx, &d);
	}
	return err;
}

/* A case's id is also that of the message which opened it: what was asked says which. */
static bool fill_read(const struct ledger *l, const Ieum__V1__WasRead *e,
		      const ProtobufCBinaryData *id, struct disclosure *d)
{
	const struct message *m =
		id->len == DISCLOSURES_ID_BYTES ? message_of_id(l, id->data) : NULL;
	bool of_case = strcmp(e->what, "case") == 0;

	if (!m)
		return false;
	if (!of_case) {
		put_message(l, m, d);
		return m->wanted;
	}
	/* On which basis: that on which the case was opened. */
	d->case_id = m->id;
	d->basis = (Ieum__V1__BasisKind)m->basis;
	d->article = m->article ? m->article : "";
	return l->of->participant || is_wanted_case(l, m->id);
}

static enum ieum_err tell_read(struct ledger *l, uint64_t seq, int64_t at_us,
			       const Ieum__V1__WasRead *e)
{
	const struct joined *k = audit_table_find(&l->connections, e->connection);
	enum ieum_err err = IEUM_E_OK;

	if (!k)
		return IEUM_E_JOURNAL_CORRUPT;
	if (!is_wanted_reader(l, k->participant))
		return IEUM_E_OK;
	struct disclosure d = begin_with(l, seq, at_us, k);
	d.read = e->what;
	/* A list says of no one case that it was read. */
	if (e->n_ids == 0)
		return l->of->participant ? l->cb(l->ctx, &d) : IEUM_E_OK;
	for (size_t i = 0; i < e->n_ids && !err; i++) {
		struct disclosure one = d;
		if (fill_read(l, e, &e->ids[i], &one))
			err = l->cb(l->ctx, &one);
	}
	return err;
}

/* ---- keys of sealed parts ---- */

static enum ieum_err parts_of(const Ieum__V1__KeysChanged *e, uint32_t *parts)
{
	*parts = 0;
	for (size_t i = 0; i < e->n_keys; i++) {
		uint32_t number = e->keys[i]->part;
		if (number == 0 || number > PARTS_MAX)
			return IEUM_E_JOURNAL_CORRUPT;
		*parts |= UINT32_C(1) << (number - 1);
	}
	return IEUM_E_OK;
}

/* Who has a key can open every copy of the part, whenever it got that: the giving is told on its
 * own.  Nobody's connection takes it, so no person stands for the newcomer. */
static enum ieum_err tell_keys(struct ledger *l, uint64_t seq, int64_t at_us,
			       const Ieum__V1__KeysChanged *e)
{
	const struct message *m = e->message_id.len == DISCLOSURES_ID_BYTES
					  ? message_of_id(l, e->message_id.data)
					  : NULL;
	bool by_wrap = l->wrap.seq + 1 == seq && l->wrap.sender == e->holder;
	const struct joined *by =
		by_wrap ? audit_table_find(&l->connections, l->wrap.connection) : NULL;

	if (!m || !m->wanted || e->n_keys == 0 || !is_wanted_reader(l, e->participant))
		return IEUM_E_OK;
	struct disclosure d = begin(l, seq, at_us, e->participant);
	enum ieum_err err = parts_of(e, &d.key_parts);
	if (err)
		return err;
	put_message(l, m, &d);
	d.wrapped_by = audit_names_of(&l->participants, e->holder);
	if (by)
		d.wrapped_by_actor = by->actor;
	return l->cb(l->ctx, &d);
}

/* ---- connections ---- */

static enum ieum_err connect(struct ledger *l, const Ieum__V1__Connected *e)
{
	struct joined *k = audit_table_add(&l->connections, e->connection);

	if (!k)
		return IEUM_E_NO_MEMORY;
	k->participant = e->participant;
	k->actor = strdup(e->actor);
	k->address = strdup(e->address);
	return k->actor && k->address ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static void forget_texts(struct joined *k)
{
	free(k->actor);
	free(k->address);
}

static void disconnect(struct ledger *l, uint64_t number)
{
	struct joined *k = audit_table_find(&l->connections, number);

	if (!k)
		return;
	forget_texts(k);
	audit_table_drop(&l->connections, number);
}

static void disconnect_all(struct ledger *l)
{
	struct joined *k;
	uint32_t at = 0;

	while ((k = audit_table_next(&l->connections, &at)) != NULL)
		forget_texts(k);
	audit_table_clear(&l->connections);
}

static enum ieum_err tell_event(struct ledger *l, const struct journal_record *r,
				const Ieum__V1__Event *e)
{
	enum ieum_err err = IEUM_E_OK;

	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_HUB_STARTED: disconnect_all(l); return IEUM_E_OK;
	case IEUM__V1__EVENT__WHAT_POLICY_CHANGED:
		err = audit_names_take(&l->participants, e->policy_changed->participants,
				       e->policy_changed->n_participants);
		return err ? err
			   : audit_names_take(&l->mailboxes, e->policy_changed->mailboxes,
					      e->policy_changed->n_mailboxes);
	case IEUM__V1__EVENT__WHAT_CONNECTED: return connect(l, e->connected);
	case IEUM__V1__EVENT__WHAT_DISCONNECTED:
		disconnect(l, e->disconnected->connection);
		return IEUM_E_OK;
	case IEUM__V1__EVENT__WHAT_SUBMITTED: return tell_submitted(l, r, e->submitted);
	case IEUM__V1__EVENT__WHAT_ESCALATED: return tell_escalated(l, r->seq, e->escalated);
	case IEUM__V1__EVENT__WHAT_RELEASED: return tell_released(l, r->seq, e->at_us, e->released);
	case IEUM__V1__EVENT__WHAT_WAS_READ: return tell_read(l, r->seq, e->at_us, e->was_read);
	case IEUM__V1__EVENT__WHAT_KEYS_CHANGED:
		return tell_keys(l, r->seq, e->at_us, e->keys_changed);
	default: return IEUM_E_OK;
	}
}

/* ---- the passes ---- */

static enum ieum_err record_cb(void *ctx, const struct journal_record *r)
{
	struct ledger *l = ctx;

	arena_reset(&l->arena);
	const Ieum__V1__Event *e =
		ieum__v1__event__unpack(&l->arena.allocator, r->kept_len, r->kept);
	if (!e)
		return IEUM_E_JOURNAL_CORRUPT;
	return l->telling ? tell_event(l, r, e) : find_event(l, r, e);
}

static void ledger_init(struct ledger *l)
{
	arena_init(&l->arena, EVENT_BUDGET_BYTES);
	audit_table_init(&l->messages, sizeof(struct message));
	audit_table_init(&l->deliveries, sizeof(struct routed));
	audit_table_init(&l->connections, sizeof(struct joined));
	lookup_init(&l->ids);
	lookup_init(&l->case_ids);
}

static void ledger_deinit(struct ledger *l)
{
	const struct message *m;
	uint32_t at = 0;

	while ((m = audit_table_next(&l->messages, &at)) != NULL) {
		free(m->article);
		free(m->person);
		free(m->actor);
	}
	disconnect_all(l);
	audit_table_deinit(&l->messages);
	audit_table_deinit(&l->deliveries);
	audit_table_deinit(&l->connections);
	lookup_deinit(&l->ids);
	lookup_deinit(&l->case_ids);
	audit_names_deinit(&l->participants);
	audit_names_deinit(&l->mailboxes);
	free(l->seqs);
	free(l->cases);
	arena_release(&l->arena);
}

struct saying {
	char *why;
};

static void keep_log(void *ctx, const char *line)
{
	snprintf(((struct saying *)ctx)->why, DISCLOSURES_WHY_BYTES, "%s", line);
}

enum ieum_err disclosures_list(const char *path, const struct disclosures_of *of, disclosure_cb *cb,
			       void *ctx, char why[DISCLOSURES_WHY_BYTES])
{
	struct saying saying = { why };
	struct journal_config config = { .engine = "sqlite",
					 .path = path,
					 .read_only = true,
					 .log_cb = keep_log,
					 .log_ctx = &saying };
	struct ledger l = { .of = of, .cb = cb, .ctx = ctx };
	struct journal *j = NULL;

	*why = '\0';
	enum ieum_err err = journal_open(&config, &j);
	if (err)
		return err;
	ledger_init(&l);
	/* What comes while we read is for the next time. */
	uint64_t last = journal_last_seq(j);
	if (of->case_id)
		err = want_case(&l, of->case_id);
	if (!err)
		err = journal_load(j, 1, last, JOURNAL_LOAD_PAYLOADS, record_cb, &l);
	l.telling = true;
	if (!err)
		err = journal_load(j, 1, last, JOURNAL_LOAD_PAYLOADS, record_cb, &l);
	ledger_deinit(&l);
	journal_close(j);
	return err;
}
