/* Deciding about blind signals: which belong together, when their set is known, and who is asked
 * whom it is about; see signals.h.
 *
 * Nothing here may show the sender of a signal what it was linked with: whatever goes wrong beside
 * its own tokens, the signal is accepted. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/occasion.h"
#include "broker/core/signals_in.h"
#include "broker/core/submit.h"

/* How exactly the id of a set's case says when it came to be. */
#define ID_COARSE_MS ((int64_t)30 * 24 * 60 * 60 * 1000)

/* A new signal and what it would join. */
struct joining {
	const struct occasion *o;
	const struct policy_linkage *linkage;
	Ieum__V1__TokenTag *tags[SIGNAL_TAGS_MAX];
	size_t n_tags;
	uint32_t sets[SIGNALS_JOINED_MAX];
	uint32_t signals[SIGNALS_JOINED_MAX]; /* the one of each that it agrees with */
	size_t n_sets;
	uint32_t known; /* the case that one of them is already, the oldest; 0: none */
	uint32_t other; /* another such case */
};

/* What the united set would be. */
struct tally {
	uint32_t senders[SIGNALS_JOINED_MAX * SIGNALS_PER_SET_MAX + 1]; /* different ones */
	uint32_t n_senders, n_signals, weight;
	int64_t first_at_ms;
};

/* ---- tokens ---- */

static uint64_t first_bytes(const uint8_t *hmac)
{
	uint64_t tag = 0;

	for (int i = 0; i < SIGNAL_TAG_BYTES; i++)
		tag = tag << 8 | hmac[i];
	return tag;
}

static bool has_tag(const struct joining *j, const Ieum__V1__TokenTag *t)
{
	for (size_t i = 0; i < j->n_tags; i++)
		if (j->tags[i]->kind == t->kind && j->tags[i]->epoch == t->epoch &&
		    j->tags[i]->tag == t->tag)
			return true;
	return false;
}

static uint32_t own_weight(const struct occasion *o)
{
	return o->referral->body_case == IEUM__V1__REFERRAL__BODY_RISK_SIGNAL
		       ? o->referral->risk_signal->weight
		       : 0;
}

/* What would say whom it is about; nobody gets a blind signal, so nobody needs it. */
static const char *what_names(const struct occasion *o)
{
	const Ieum__V1__Envelope *e = o->referral->envelope;

	return o->referral->n_narrative > 0     ? "narrative"
	       : e->n_external_refs > 0         ? "envelope.external_refs"
	       : e->n_excluded_participants > 0 ? "envelope.excluded_participants"
	       : e->safe_contact                ? "envelope.safe_contact"
	       : o->case_id.len > 0             ? "envelope.case_id"
						: NULL;
}

static enum ieum_err check_blind(const struct occasion *o)
{
	const Ieum__V1__LegalBasis *basis = o->referral->envelope->legal_basis;
	const char *field = what_names(o);

	if (!basis || basis->kind != IEUM__V1__BASIS_KIND__BASIS_KIND_PSEUDONYMOUS_SIGNAL || !field)
		return IEUM_E_OK;
	return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
			       "%s: a blind signal carries category, month, weight and tokens, "
			       "nothing that says whom it is about",
			       field);
}

static enum ieum_err read_tags(struct joining *j)
{
	const Ieum__V1__Envelope *e = j->o->referral->envelope;

	if (e->n_subject_tokens == 0)
		return decision_refuse(j->o->d, IEUM_E_FIELD_MISSING,
				       "envelope.subject_tokens: a blind signal says by its tokens "
				       "whom it is about");
	for (size_t i = 0; i < e->n_subject_tokens && j->n_tags < SIGNAL_TAGS_MAX; i++) {
		const ProtobufCBinaryData *token = &e->subject_tokens[i];
		if (token->len != SIGNAL_TOKEN_BYTES || token->data[0] == 0 ||
		    token->data[0] > SIGNAL_KIND_MAX || token->data[1] == 0)
			return decision_refuse(
				j->o->d, IEUM_E_FIELD_INVALID,
				"envelope.subject_tokens[%zu]: a blind token has %d bytes, its "
				"kind is 1 to %d, its epoch at least 1",
				i, SIGNAL_TOKEN_BYTES, SIGNAL_KIND_MAX);
		Ieum__V1__TokenTag *t = decision_zalloc(j->o->d, sizeof *t);
		if (!t)
			return IEUM_E_NO_MEMORY;
		*t = (Ieum__V1__TokenTag)IEUM__V1__TOKEN_TAG__INIT;
		t->kind = token->data[0];
		t->epoch = token->data[1];
		t->tag = first_bytes(token->data + 2);
		if (!has_tag(j, t))
			j->tags[j->n_tags++] = t;
	}
	return IEUM_E_OK;
}

/* ---- what agrees ---- */

static bool has_equal(const struct signal *s, const Ieum__V1__TokenTag *t)
{
	for (uint32_t i = 0; i < s->n_tags; i++)
		if (s->tags[i] == t->tag && s->kinds[i] == t->kind && s->epochs[i] == t->epoch)
			return true;
	return false;
}

/* How many kinds of tokens are equal, under whatever key. */
static uint32_t agreement(const struct joining *j, const struct signal *s)
{
	uint8_t seen[UINT8_MAX + 1] = { 0 };
	uint32_t kinds = 0;

	for (size_t i = 0; i < j->n_tags; i++) {
		uint8_t kind = (uint8_t)j->tags[i]->kind;
		if (seen[kind] || !has_equal(s, j->tags[i]))
			continue;
		seen[kind] = 1;
		kinds++;
	}
	return kinds;
}

/* A set that became a case takes up further signals until it ends; the others as long as the two
 * signals lie close enough. */
static bool can_join(const struct joining *j, const struct signal *s)
{
	const struct core *c = j->o->c;
	const struct signal_set *set = signal_set_at(c, s->set);

	if (strcmp(set->linkage, j->linkage->name) != 0)
		return false;
	if (set->core_case)
		return set->until_ms > j->o->now_ms && !case_closed(case_at(c, set->core_case));
	return s->until_ms > j->o->now_ms;
}

static void join(struct joining *j, uint32_t sh)
{
	const struct core *c = j->o->c;
	uint32_t set = signal_at(c, sh)->set;
	uint32_t ch = signal_set_at(c, set)->core_case;

	for (size_t i = 0; i < j->n_sets; i++)
		if (j->sets[i] == set)
			return;
	if (j->n_sets == SIGNALS_JOINED_MAX)
		return;
	j->sets[j->n_sets] = set;
	j->signals[j->n_sets++] = sh;
	if (ch && (!j->known || case_at(c, ch)->seq < case_at(c, j->known)->seq)) {
		j->other = j->known;
		j->known = ch;
	} else if (ch) {
		j->other = ch;
	}
}

static void find_joined(struct joining *j)
{
	const struct core *c = j->o->c;

	for (size_t i = 0; i < j->n_tags; i++) {
		const Ieum__V1__TokenTag *t = j->tags[i];
		uint32_t th = signal_find_tag(c, (uint8_t)t->kind, (uint8_t)t->epoch, t->tag);
		uint32_t ph = th ? signal_tag_at(c, th)->newest : 0;
		for (; ph; ph = tag_place_at(c, ph)->older) {
			const struct signal *s = signal_at(c, tag_place_at(c, ph)->signal);
			if (can_join(j, s) && agreement(j, s) >= j->linkage->tokens_agree)
				join(j, tag_place_at(c, ph)->signal);
		}
	}
}

static void tally_one(struct tally *t, uint32_t sender, uint32_t weight, int64_t at_ms)
{
	uint32_t i = 0;

	while (i < t->n_senders && t->senders[i] != sender)
		i++;
	if (i == t->n_senders)
		t->senders[t->n_senders++] = sender;
	t->n_signals++;
	t->weight += weight;
	if (!t->first_at_ms || at_ms < t->first_at_ms)
		t->first_at_ms = at_ms;
}

static void tally_set(const struct joining *j, uint32_t set, struct tally *t)
{
	const struct core *c = j->o->c;

	for (uint32_t sh = signal_set_at(c, set)->head; sh; sh = signal_at(c, sh)->set_next) {
		const struct signal *s = signal_at(c, sh);
		if (signal_set_at(c, set)->core_case || s->until_ms > j->o->now_ms)
			tally_one(t, s->participant, s->weight, s->at_ms);
	}
}

/* ---- the convener's case ---- */

static uint32_t mailbox_told(const struct joining *j)
{
	struct policy_context ctx = { .sender = POLICY_NONE,
				      .now_ms = j->o->now_ms,
				      .case_owner = POLICY_NONE };
	int box;

	return policy_resolve(j->o->p, j->linkage->tells, &ctx, &box, 1) == 1
		       ? policy_mailbox(j->o->p, box)->number
		       : 0;
}

/* Of the signals that it joins, by their ids, which their senders alone know. */
static uint64_t mix_signals(const struct joining *j)
{
	const struct core *c = j->o->c;
	uint64_t mixed = j->n_sets;

	for (size_t i = 0; i < j->n_sets; i++) {
		for (uint32_t sh = signal_set_at(c, j->sets[i])->head; sh;
		     sh = signal_at(c, sh)->set_next) {
			uint64_t half[2];
			memcpy(half, signal_at(c, sh)->id, sizeof half);
			mixed = lookup_hash(mixed, half[0], half[1]);
		}
	}
	return mixed;
}

/* The case's id goes to everyone who is asked in it.  As other ids are made it would tell when the
 * set came to be, and by the event's number after whose signal. */
static void blind_id(const struct joining *j, uint8_t id[CORE_ID_BYTES])
{
	const struct occasion *o = j->o;
	int64_t ms = o->now_ms - o->now_ms % ID_COARSE_MS;
	uint64_t mixed = mix_signals(j);

	for (int i = 0; i < 6; i++)
		id[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
	do {
		mixed = lookup_hash(mixed, decision_seq(o->c, o->d), (uint64_t)o->now);
		for (int i = 0; i < 8; i++)
			id[8 + i] = (uint8_t)(mixed >> (56 - 8 * i));
		id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	} while (state_referral(o->c, id));
}

static enum ieum_err open_case(const struct joining *j, struct occasion *n, struct hub_message *m,
			       uint32_t owner)
{
	blind_id(j, m->id);
	m->envelope.open_case = true;
	m->envelope.case_id = (ProtobufCBinaryData){ 0, NULL };
	m->e->case_id = m->envelope.message_id;
	m->e->case_opened = decision_zalloc(n->d, sizeof *m->e->case_opened);
	if (!m->e->case_opened)
		return IEUM_E_NO_MEMORY;
	*m->e->case_opened = (Ieum__V1__CaseOpened)IEUM__V1__CASE_OPENED__INIT;
	m->e->case_opened->owner = owner;
	n->e = m->e;
	return IEUM_E_OK;
}

/* Two cases of one person have turned out to be one. */
static enum ieum_err link_other(const struct joining *j, struct hub_message *m)
{
	const struct core *c = j->o->c;
	Ieum__V1__CaseLinked **links = decision_zalloc(j->o->d, sizeof *links);
	Ieum__V1__CaseLinked *l = decision_zalloc(j->o->d, sizeof *l);

	if (!links || !l)
		return IEUM_E_NO_MEMORY;
	if (!j->other || case_at(c, j->known)->n_links >= CORE_CASE_LINKS_MAX ||
	    case_at(c, j->other)->n_links >= CORE_CASE_LINKS_MAX)
		return IEUM_E_OK;
	*l = (Ieum__V1__CaseLinked)IEUM__V1__CASE_LINKED__INIT;
	l->case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, case_at(c, j->other)->id };
	l->kind = IEUM__V1__LINK_KIND__LINK_KIND_SAME_HOUSEHOLD;
	links[0] = l;
	m->e->case_links = links;
	m->e->n_case_links = 1;
	return IEUM_E_OK;
}

static void fill_notice(const struct joining *j, const struct tally *t, int64_t until_ms,
			Ieum__V1__LinkedSetNotice *notice)
{
	notice->linkage = (char *)j->linkage->name;
	notice->agencies = t->n_senders;
	notice->signals = t->n_signals;
	notice->weight = t->weight;
	notice->first_at_ms = t->first_at_ms;
	notice->last_at_ms = j->o->now_ms;
	notice->expires_at_ms = until_ms;
	notice->category_only = j->linkage->category_only;
}

/* "2026-11" as a number; the codec has looked at its form. */
static uint32_t month_of(const Ieum__V1__Referral *r)
{
	const char *text =
		r->body_case == IEUM__V1__REFERRAL__BODY_RISK_SIGNAL ? r->risk_signal->month : "";
	char *end;
	unsigned long year = strtoul(text, &end, 10);
	unsigned long month = *end == '-' ? strtoul(end + 1, NULL, 10) : 0;

	return year >= 1 && year <= 9999 && month >= 1 && month <= 12
		       ? (uint32_t)(year * 12 + month - 1)
		       : 0;
}

static enum ieum_err add_sign(const struct joining *j, Ieum__V1__LinkedSetNotice *notice,
			      uint32_t category, uint32_t month, uint32_t weight)
{
	Ieum__V1__LinkedSign *sign = decision_zalloc(j->o->d, sizeof *sign);

	if (!sign)
		return IEUM_E_NO_MEMORY;
	*sign = (Ieum__V1__LinkedSign)IEUM__V1__LINKED_SIGN__INIT;
	sign->category = (Ieum__V1__Category)category;
	sign->month = signal_month_text(&j->o->d->arena, month);
	sign->weight = weight;
	if (!sign->month)
		return IEUM_E_NO_MEMORY;
	if (notice->n_signs < SIGNALS_SIGNS_MAX)
		notice->signs[notice->n_signs++] = sign;
	return IEUM_E_OK;
}

/* What the signals say, so that it can be discussed by category. */
static enum ieum_err fill_signs(const struct joining *j, uint32_t weight,
				Ieum__V1__LinkedSetNotice *notice)
{
	const struct core *c = j->o->c;
	enum ieum_err err = IEUM_E_OK;

	notice->signs = decision_zalloc(j->o->d, SIGNALS_SIGNS_MAX * sizeof *notice->signs);
	if (!notice->signs)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < j->n_sets; i++) {
		const struct signal_set *set = signal_set_at(c, j->sets[i]);
		for (uint32_t sh = set->head; sh && !err; sh = signal_at(c, sh)->set_next) {
			const struct signal *s = signal_at(c, sh);
			if (set->core_case || s->until_ms > j->o->now_ms)
				err = add_sign(j, notice, s->category, s->month, s->weight);
		}
	}
	return err ? err
		   : add_sign(j, notice, (uint32_t)j->o->referral->envelope->category,
			      month_of(j->o->referral), weight);
}

/* By the rules where one has recipients; else simply to the case's owner. */
static enum ieum_err send_notice(const struct occasion *n, struct hub_message *m)
{
	struct policy_context ctx = occasion_context(n, &m->referral);
	struct policy_decision *decided = &n->c->scratch->decision;

	if (!policy_decide(n->p, &ctx, decided, n->d->detail, sizeof n->d->detail) &&
	    decided->n_routes > 0)
		return hub_message_by_rules(n, m);
	n->d->detail[0] = '\0';
	enum ieum_err err = hub_message_address(n, m, "case_owner",
						IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(n, m);
}

/* Tells the convener; *case_id is then that of the set's case, or empty when nobody can be told. */
static enum ieum_err make_known(const struct joining *j, const struct tally *t, int64_t until_ms,
				ProtobufCBinaryData *case_id)
{
	const struct occasion *o = j->o;
	uint32_t owner = mailbox_told(j);
	struct occasion n;
	enum ieum_err err = occasion_of_time(o->c, o->p, o->d, o->now, j->known, &n);

	if (err || (!owner && !j->known))
		return err;
	if (!j->known) {
		n.category = o->category;
		n.jurisdiction = o->jurisdiction;
	}
	n.urgency = o->urgency;
	struct hub_message *m =
		hub_message_new(&n, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE);
	if (!m)
		return IEUM_E_NO_MEMORY;
	fill_notice(j, t, until_ms, m->referral.linked_set_notice);
	err = fill_signs(j, own_weight(o), m->referral.linked_set_notice);
	if (err)
		return err;
	m->envelope.legal_basis = o->referral->envelope->legal_basis;
	err = j->known ? link_other(j, m) : open_case(j, &n, m, owner);
	*case_id = m->e->case_id;
	return err ? err : send_notice(&n, m);
}

/* ---- the signal ---- */

static enum ieum_err keep(const struct joining *j, ProtobufCBinaryData case_id, int64_t until_ms)
{
	const struct occasion *o = j->o;
	Ieum__V1__SignalKept *e = decision_signal_kept(o->d, o->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->linkage = (char *)j->linkage->name;
	e->message_id = o->referral->envelope->message_id;
	e->participant = o->participant;
	e->weight = own_weight(o);
	e->month = month_of(o->referral);
	e->category = o->referral->envelope->category;
	e->tags = arena_copy(&o->d->arena, j->tags, j->n_tags * sizeof *e->tags);
	e->n_tags = j->n_tags;
	e->until_at_ms = policy_due(o->p, o->now_ms, j->linkage->within);
	e->linked_ids = decision_zalloc(o->d, (j->n_sets + 1) * sizeof *e->linked_ids);
	if (!e->tags || !e->linked_ids)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < j->n_sets; i++)
		e->linked_ids[e->n_linked_ids++] =
			(ProtobufCBinaryData){ CORE_ID_BYTES, signal_at(o->c, j->signals[i])->id };
	e->case_id = case_id;
	e->set_until_at_ms = case_id.len ? until_ms : 0;
	return IEUM_E_OK;
}

static int64_t set_until(const struct joining *j)
{
	const struct core *c = j->o->c;

	for (size_t i = 0; j->known && i < j->n_sets; i++)
		if (signal_set_at(c, j->sets[i])->core_case == j->known)
			return signal_set_at(c, j->sets[i])->until_ms;
	return policy_due(j->o->p, j->o->now_ms, j->linkage->expires);
}

/* What is over makes room when the next one is kept. */
static enum ieum_err check_room(const struct occasion *o)
{
	const struct heap_entry *first = heap_first(&o->c->signals.ends);

	if (first && (int64_t)first->key <= o->now_ms)
		return IEUM_E_OK;
	if (o->c->participants[o->participant - 1].n_signals >= CORE_SIGNALS_PER_SENDER_MAX)
		return decision_refuse(o->d, IEUM_E_SENDER_FULL, "%d signals are kept",
				       CORE_SIGNALS_PER_SENDER_MAX);
	if (o->c->signals.records.live < CORE_SIGNALS_MAX)
		return IEUM_E_OK;
	o->d->retry_after_ms = CORE_RETRY_FULL_MS;
	return decision_refuse(o->d, IEUM_E_HUB_FULL, "signals");
}

enum ieum_err signals_decide(const struct occasion *o, int linkage)
{
	struct joining j = { .o = o, .linkage = policy_linkage(o->p, linkage) };
	struct tally *t = decision_zalloc(o->d, sizeof *t);
	ProtobufCBinaryData case_id = { 0, NULL };

	if (!o->referral || !o->participant)
		return IEUM_E_OK;
	enum ieum_err err = check_blind(o);
	if (!err)
		err = read_tags(&j);
	if (err || !t)
		return err ? err : IEUM_E_NO_MEMORY;
	err = check_room(o);
	if (err)
		return err;
	find_joined(&j);
	tally_one(t, o->participant, own_weight(o), o->now_ms);
	for (size_t i = 0; i < j.n_sets; i++)
		tally_set(&j, j.sets[i], t);
	int64_t until_ms = set_until(&j);
	if (j.known || t->n_senders >= j.linkage->agencies)
		err = make_known(&j, t, until_ms, &case_id);
	return err ? err : keep(&j, case_id, until_ms);
}

/* ---- who it is ---- */

/* Signals of one sender, the newest first. */
static enum ieum_err list_own(const struct occasion *o, const struct signal_set *set,
			      uint32_t sender, Ieum__V1__IdentityRequest *out)
{
	out->signal_ids = decision_zalloc(o->d, SIGNAL_TAGS_MAX * sizeof *out->signal_ids);
	if (!out->signal_ids)
		return IEUM_E_NO_MEMORY;
	for (uint32_t sh = set->tail; sh && out->n_signal_ids < SIGNAL_TAGS_MAX;
	     sh = signal_at(o->c, sh)->set_prev)
		if (signal_at(o->c, sh)->participant == sender)
			out->signal_ids[out->n_signal_ids++] =
				(ProtobufCBinaryData){ CORE_ID_BYTES, signal_at(o->c, sh)->id };
	return IEUM_E_OK;
}

static enum ieum_err address(const struct occasion *o, struct hub_message *m, const char *name)
{
	Ieum__V1__Addressee **list = decision_zalloc(o->d, sizeof *list);
	Ieum__V1__Addressee *to = decision_zalloc(o->d, sizeof *to);

	if (!list || !to)
		return IEUM_E_NO_MEMORY;
	ieum__v1__addressee__init(to);
	to->to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	to->participant = (char *)name;
	list[0] = to;
	m->envelope.addressees = list;
	m->envelope.n_addressees = 1;
	return IEUM_E_OK;
}

_Static_assert(CORE_CASE_MEMBERS_MAX >= SIGNALS_PER_SET_MAX + 64,
	       "all senders of a set can join its case, beside who works on it");
_Static_assert(CORE_DECISION_EVENTS_MAX >= 3 * CORE_CASE_MEMBERS_MAX, "each can be told at once");

/* In a case that is full its owner has to ask them. */
static bool has_room_for(const struct occasion *o, int participant)
{
	const struct core_case *k = case_at(o->c, o->core_case);
	int box = policy_participant(o->p, participant)->mailbox;

	return (box != POLICY_NONE && case_member(k, policy_mailbox(o->p, box)->number)) ||
	       decision_case_members(o->c, o->d, k->id) < CORE_CASE_MEMBERS_MAX;
}

static enum ieum_err ask_sender(const struct occasion *o, const struct signal_set *set,
				uint32_t sender, const char *gate)
{
	int index = state_policy_participant(o->c, o->p, sender);
	struct occasion n;

	if (index == POLICY_NONE || case_excludes(case_at(o->c, o->core_case), sender))
		return IEUM_E_OK;
	enum ieum_err err = occasion_of_time(o->c, o->p, o->d, o->now, o->core_case, &n);
	if (err)
		return err;
	n.urgency = o->urgency;
	n.basis = o->referral && o->referral->envelope->legal_basis
			  ? o->referral->envelope->legal_basis->kind
			  : o->basis;
	struct hub_message *m =
		hub_message_new(&n, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_IDENTITY_REQUEST);
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->referral.identity_request->purpose = (char *)gate;
	err = list_own(o, set, sender, m->referral.identity_request);
	if (!err)
		err = address(o, m, policy_participant(o->p, index)->name);
	if (err || has_room_for(o, index))
		return err ? err : hub_message_by_rules(&n, m);
	err = hub_message_address(&n, m, "case_owner",
				  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(&n, m);
}

enum ieum_err signals_ask_who(const struct occasion *o, const char *gate)
{
	const struct core_case *k = case_at(o->c, o->core_case);
	const struct signal_set *set = k->signal_set ? signal_set_at(o->c, k->signal_set) : NULL;
	uint32_t asked[SIGNALS_PER_SET_MAX];
	size_t n = 0;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t sh = set ? set->head : 0; sh && !err; sh = signal_at(o->c, sh)->set_next) {
		uint32_t sender = signal_at(o->c, sh)->participant;
		size_t i = 0;
		while (i < n && asked[i] != sender)
			i++;
		if (i < n)
			continue;
		asked[n++] = sender;
		err = ask_sender(o, set, sender, gate);
	}
	return err;
}

enum ieum_err signals_check_disclosure(struct submission *s)
{
	const Ieum__V1__Referral *r = s->from->referral;
	const struct core_case *k = s->core_case ? case_at(s->c, s->core_case) : NULL;

	if (r->body_case != IEUM__V1__REFERRAL__BODY_IDENTITY_DISCLOSURE)
		return IEUM_E_OK;
	for (size_t i = 0; i < r->identity_disclosure->n_signal_ids; i++) {
		const ProtobufCBinaryData *id = &r->identity_disclosure->signal_ids[i];
		uint32_t sh = id->len == CORE_ID_BYTES ? signal_find(s->c, id->data) : 0;
		if (!sh || !k || signal_at(s->c, sh)->participant != s->who.participant ||
		    signal_at(s->c, sh)->set != k->signal_set)
			return decision_refuse(
				s->d, IEUM_E_FIELD_INVALID,
				"identity_disclosure.signal_ids[%zu]: not your signal in this case",
				i);
	}
	return IEUM_E_OK;
}
