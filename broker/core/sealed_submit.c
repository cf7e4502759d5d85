/* A message with sealed parts comes in: is it sealed to those whom the policy chooses?  See
 * sealed.h.
 *
 * What it is compared with is what the question whom it would reach (view_directory.c) tells: who
 * takes from the mailboxes that it is routed to, before acts add to them, and the sender.  Rules
 * that look at what the sender may not know (counters) are left out of it; whoever gets the message
 * by them is a late joiner. */
#include <string.h>

#include "broker/core/sealed.h"
#include "broker/core/submit.h"

/* ---- whom it reaches ---- */

static bool is_told(const struct submission *s, uint32_t mailbox)
{
	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i] == mailbox)
			return true;
	return false;
}

static void tell(struct submission *s, uint32_t mailbox)
{
	if (mailbox && s->n_told < POLICY_ROUTES_MAX && !is_told(s, mailbox))
		s->told[s->n_told++] = mailbox;
}

enum ieum_err sealed_told(struct submission *s)
{
	struct policy_decision *decided = &s->c->scratch->decision;

	if (s->from->n_sealed == 0 || policy_counters(s->p) == 0)
		return IEUM_E_OK;
	s->only_asks = true;
	enum ieum_err err = submit_count(s);
	/* A refusal is for the decision itself to make. */
	if (!err && policy_decide(s->p, &s->context, decided, s->d->detail, sizeof s->d->detail) ==
			    IEUM_E_OK) {
		s->counted = decided->depends_on_counts;
		for (size_t i = 0; i < decided->n_routes; i++)
			tell(s, policy_mailbox(s->p, decided->routes[i].mailbox)->number);
	}
	s->only_asks = false;
	return err ? err : submit_count(s);
}

/* What the core adds to the policy's routes (an answer's way back) reach tells too. */
static void tell_added(struct submission *s)
{
	const struct policy_decision *decided = &s->c->scratch->decision;

	for (size_t i = 0; i < s->e->n_routes; i++) {
		bool by_policy = false;
		for (size_t k = 0; k < decided->n_routes && !by_policy; k++)
			by_policy = policy_mailbox(s->p, decided->routes[k].mailbox)->number ==
				    s->e->routes[i]->mailbox;
		if (!s->counted || !by_policy)
			tell(s, s->e->routes[i]->mailbox);
	}
}

static enum ieum_err readers_of(const struct submission *s, const uint32_t *mailboxes, size_t n,
				struct sealed_readers *to)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = sealed_add_readers(s->c, s->p, mailboxes[i], s->excluded,
					 s->context.n_excluded, to);
	return err;
}

static enum ieum_err told_readers(struct submission *s, struct sealed_readers *to)
{
	if (!s->counted)
		s->n_told = 0;
	tell_added(s);
	enum ieum_err err = readers_of(s, s->told, s->n_told, to);
	return err != IEUM_E_FIELD_TOO_LARGE
		       ? err
		       : decision_refuse(s->d, err,
					 "narrative: more than %d would read what is sealed",
					 SEALED_READERS_MAX);
}

static uint16_t part_bit(size_t place)
{
	return (uint16_t)(1u << place);
}

/* Who reads what of it: found once, since each part may have as many names as it has readers. */
static enum ieum_err read_names(struct submission *s)
{
	const Ieum__V1__Referral *m = s->from->referral;
	size_t n = policy_participants(s->p);

	s->reads = decision_zalloc(s->d, n * sizeof *s->reads);
	s->holds = decision_zalloc(s->d, n * sizeof *s->holds);
	if (!s->reads || !s->holds)
		return IEUM_E_NO_MEMORY;
	return sealed_read_names(s->c, s->p, s->core_case, m->narrative, m->n_narrative, s->reads);
}

/* ---- whom it is sealed to ---- */

/* One sealed part while it is compared. */
struct comparing {
	struct submission *s;
	const struct core_sealed *sealed;
	uint16_t bit; /* of reads and holds */
	const struct sealed_readers *readers;
	Ieum__V1__SealedPart *out;
	size_t cap_holders, cap_certificates;
};

/* `index`: of the policy, or POLICY_NONE. */
static bool may_hold(const struct comparing *k, uint32_t participant, int index)
{
	return index != POLICY_NONE &&
	       (participant == k->s->who.participant ||
		(sealed_reads(k->readers, index) && k->s->reads[index] & k->bit));
}

static void add_holder(struct comparing *k, uint32_t participant, int index)
{
	uint16_t *holds = &k->s->holds[index];

	if (*holds & k->bit || k->out->n_holders == k->cap_holders)
		return;
	*holds |= k->bit;
	k->out->holders[k->out->n_holders++] = participant;
}

static uint32_t holder_of(const struct submission *s, const struct seal_recipient *r,
			  uint32_t after)
{
	return certificates_holder(s->c, r->by_key_id ? r->key_id : r->issuer_serial,
				   r->by_key_id ? r->key_id_len : sizeof r->issuer_serial,
				   r->by_key_id, s->now_ms, after);
}

static void add_certificates(struct comparing *k, const struct seal_recipient *r, uint32_t who)
{
	k->out->n_certificates +=
		certificates_named(k->s->c, who, r->by_key_id ? r->key_id : r->issuer_serial,
				   r->by_key_id ? r->key_id_len : sizeof r->issuer_serial,
				   r->by_key_id, k->s->now_ms,
				   k->out->certificates + k->out->n_certificates,
				   k->cap_certificates - k->out->n_certificates);
}

/* A key can be in certificates of several participants: one of them has to be a reader.  A
 * certificate that the hub has never seen opens it for somebody outside, who gets nothing here. */
static enum ieum_err add_holders(struct comparing *k, const struct seal_recipient *r)
{
	struct submission *s = k->s;
	uint32_t first = holder_of(s, r, 0);
	bool meant = !first;

	for (uint32_t who = first; who; who = holder_of(s, r, who)) {
		int index = state_policy_participant(s->c, s->p, who);
		if (!may_hold(k, who, index))
			continue;
		meant = true;
		add_holder(k, who, index);
		add_certificates(k, r, who);
	}
	if (meant)
		return IEUM_E_OK;
	return decision_refuse(s->d, IEUM_E_SEALED_OTHERWISE,
			       "narrative[%zu]: is sealed to '%.64s', who would not read it",
			       k->sealed->place, state_participant_name(s->c, first));
}

static enum ieum_err check_complete(const struct comparing *k)
{
	struct submission *s = k->s;
	struct core_certificate one;

	for (size_t i = 0; i < k->readers->n; i++) {
		int index = k->readers->index[i];
		const struct policy_participant *who = policy_participant(s->p, index);
		if (!(s->reads[index] & ~s->holds[index] & k->bit) ||
		    certificates_of(s->c, who->number, s->now_ms, &one, 1) == 0)
			continue;
		return decision_refuse(
			s->d, IEUM_E_SEALED_OTHERWISE,
			"narrative[%zu]: '%.64s' would read it, and it is not sealed to them",
			k->sealed->place, who->name);
	}
	return IEUM_E_OK;
}

static enum ieum_err compare_part(struct submission *s, const struct core_sealed *sealed,
				  const struct sealed_readers *readers, Ieum__V1__SealedPart *out)
{
	const Ieum__V1__NarrativePart *part = s->from->referral->narrative[sealed->place];
	struct comparing k = {
		.s = s,
		.sealed = sealed,
		.bit = part_bit(sealed->place),
		.readers = readers,
		.out = out,
		.cap_holders = readers->n + 1,
		/* Few keys are in more than one. */
		.cap_certificates = 2 * sealed->n_recipients,
	};
	enum ieum_err err = IEUM_E_OK;

	*out = (Ieum__V1__SealedPart)IEUM__V1__SEALED_PART__INIT;
	out->number = part->number;
	out->recipients = part->recipients;
	out->n_recipients = part->n_recipients;
	out->holders = decision_zalloc(s->d, k.cap_holders * sizeof *out->holders);
	out->certificates = decision_zalloc(s->d, k.cap_certificates * sizeof *out->certificates);
	if (!out->holders || !out->certificates)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < sealed->n_recipients && !err; i++)
		err = add_holders(&k, &sealed->recipients[i]);
	return err ? err : check_complete(&k);
}

enum ieum_err sealed_compare(struct submission *s)
{
	struct sealed_readers readers = { .n = 0 };
	size_t n = s->from->n_sealed;

	if (n == 0)
		return IEUM_E_OK;
	enum ieum_err err = told_readers(s, &readers);
	if (!err)
		err = read_names(s);
	Ieum__V1__SealedPart *parts = decision_zalloc(s->d, n * sizeof *parts);
	s->e->sealed = decision_zalloc(s->d, n * sizeof *s->e->sealed);
	if (!err && (!parts || !s->e->sealed))
		err = IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n && !err; i++) {
		err = compare_part(s, &s->from->sealed[i], &readers, &parts[i]);
		s->e->sealed[s->e->n_sealed++] = &parts[i];
	}
	return err;
}

/* ---- late joiners ---- */

static size_t valid_certificates(const struct submission *s, uint32_t participant)
{
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];

	return certificates_of(s->c, participant, s->now_ms, known,
			       CORE_CERTIFICATES_PER_PARTICIPANT);
}

/* Does one of those who get a part hold no key of it, or not with each of its certificates?  These are
 * counted, since a part names as a rule each once. */
static bool has_late(const struct submission *s, const struct sealed_readers *readers, size_t part)
{
	const uint16_t bit = part_bit(s->from->sealed[part].place);
	const int sender = state_policy_participant(s->c, s->p, s->who.participant);
	bool of_sender = sender != POLICY_NONE && s->holds[sender] & bit;
	size_t certificates = 0;

	for (size_t i = 0; i < readers->n; i++) {
		int index = readers->index[i];
		if (s->holds[index] & bit)
			certificates +=
				valid_certificates(s, policy_participant(s->p, index)->number);
		else if (s->reads[index] & bit)
			return true;
		of_sender = of_sender && index != sender;
	}
	if (of_sender)
		certificates += valid_certificates(s, s->who.participant);
	return s->e->sealed[part]->n_certificates < certificates;
}

enum ieum_err sealed_late(struct submission *s)
{
	struct sealed_readers readers = { .n = 0 };
	bool late = false;

	if (s->e->n_sealed == 0)
		return IEUM_E_OK;
	for (size_t i = 0; i < s->e->n_routes && !late; i++)
		late = readers_of(s, &s->e->routes[i]->mailbox, 1, &readers) != IEUM_E_OK;
	for (size_t k = 0; k < s->e->n_sealed && !late; k++)
		late = has_late(s, &readers, k);
	if (!late)
		return IEUM_E_OK;
	Ieum__V1__KeysChanged *e = decision_keys_changed(s->d, s->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->message_id = s->e->message_id;
	e->look = true;
	return IEUM_E_OK;
}

/* ---- asked beforehand ---- */

static enum ieum_err reach_row(struct submission *s, struct arena *arena, int participant,
			       Ieum__V1__ReachReader *row)
{
	const Ieum__V1__Referral *m = s->from->referral;
	const struct policy_participant *who = policy_participant(s->p, participant);
	struct core_certificate known[CORE_CERTIFICATES_PER_PARTICIPANT];
	size_t n = certificates_of(s->c, who->number, s->now_ms, known,
				   CORE_CERTIFICATES_PER_PARTICIPANT);

	*row = (Ieum__V1__ReachReader)IEUM__V1__REACH_READER__INIT;
	row->participant = (char *)who->name;
	row->parts = arena_zalloc(arena, m->n_narrative * sizeof *row->parts);
	row->certificates = arena_zalloc(arena, (n + 1) * sizeof *row->certificates);
	if (!row->parts || !row->certificates)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < m->n_narrative; i++)
		if (participant == s->who.index || s->reads[participant] & part_bit(i))
			row->parts[row->n_parts++] = (uint32_t)i;
	for (size_t i = 0; i < n; i++)
		row->certificates[row->n_certificates++] =
			(ProtobufCBinaryData){ known[i].der_len, (uint8_t *)known[i].der };
	return IEUM_E_OK;
}

enum ieum_err sealed_reach(struct submission *s, struct arena *arena, Ieum__V1__ReachResult *out)
{
	struct sealed_readers readers = { .n = 0 };

	(void)sealed_add_reader(&readers, s->who.index);
	enum ieum_err err = told_readers(s, &readers);
	if (!err)
		err = read_names(s);
	if (err)
		return err;
	Ieum__V1__ReachReader *rows = arena_zalloc(arena, readers.n * sizeof *rows);
	out->readers = arena_zalloc(arena, readers.n * sizeof *out->readers);
	if (!rows || !out->readers)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < readers.n && !err; i++) {
		err = reach_row(s, arena, readers.index[i], &rows[i]);
		/* Of several parts, some may be for others alone. */
		if (!err && rows[i].n_parts > 0)
			out->readers[out->n_readers++] = &rows[i];
	}
	return err;
}
