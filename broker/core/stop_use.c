/* Orders to stop using; see stop_use.h.
 *
 * Nobody is left out for want of room: those who got the same share an order, an order that would
 * name too many names none, and of those whom the case has no room for any more its owner is told. */
#include "broker/core/stop_use.h"

#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/readers.h"

enum {
	MESSAGES_NAMED_MAX = 512, /* of a case, that orders can name */
	ORDER_NAMED_MAX = 64,     /* messages in one order; more: it names none, all are meant */
	NAMED_ORDERS_MAX = 128,   /* of one withdrawal; further ones name none */
	ORDER_TO_MAX = POLICY_TASKS_MAX, /* of the same messages: a request to each */
};

struct recipient {
	uint32_t participant;
	int index;
	bool more; /* than can be named */
	bool told;
	uint8_t got[MESSAGES_NAMED_MAX / 8];
};

enum ieum_err stop_use_begin(struct stop_use *s, const struct occasion *o)
{
	*s = (struct stop_use){ .o = o, .k = case_at(o->c, o->core_case) };
	s->place = decision_zalloc(o->d, (o->c->n_participants + 1) * sizeof *s->place);
	return s->place ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* ---- who got it ---- */

/* Those who may not hear of the case any more are told nothing, nor is who withdraws. */
bool stop_use_may_tell(const struct stop_use *s, uint32_t participant, int index)
{
	if (index == POLICY_NONE || participant == s->o->participant ||
	    policy_participant(s->o->p, index)->mailbox == POLICY_NONE)
		return false;
	for (size_t i = 0; i < s->o->n_excluded; i++)
		if (s->o->excluded[i] == index)
			return false;
	return true;
}

/* An array in the decision's arena, twice as large. */
static void *grow(struct core_decision *d, const void *old, size_t *cap, size_t bytes_each)
{
	size_t more = *cap ? 2 * *cap : 16;
	void *list = decision_zalloc(d, more * bytes_each);

	if (list && *cap)
		memcpy(list, old, *cap * bytes_each);
	if (list)
		*cap = more;
	return list;
}

static struct recipient *take_recipient(struct stop_use *s, uint32_t participant, int index)
{
	if (s->place[participant])
		return &s->to[s->place[participant] - 1];
	if (s->n_to == s->cap_to) {
		struct recipient *to = grow(s->o->d, s->to, &s->cap_to, sizeof *to);
		if (!to)
			return NULL;
		s->to = to;
	}
	s->to[s->n_to] = (struct recipient){ .participant = participant, .index = index };
	s->place[participant] = (uint32_t)s->n_to + 1;
	return &s->to[s->n_to++];
}

/* The newest message went to this participant. */
static enum ieum_err add_recipient(struct stop_use *s, uint32_t participant)
{
	int index = state_policy_participant(s->o->c, s->o->p, participant);

	if (!stop_use_may_tell(s, participant, index))
		return IEUM_E_OK;
	struct recipient *to = take_recipient(s, participant, index);
	if (!to)
		return IEUM_E_NO_MEMORY;
	size_t at = s->n_messages - 1;
	if (at >= MESSAGES_NAMED_MAX)
		to->more = true;
	else
		to->got[at / 8] |= (uint8_t)(1U << at % 8);
	return IEUM_E_OK;
}

/* Those whose reading came later than `since`.  Who sent it reads what it has of its own. */
static enum ieum_err add_readers(struct stop_use *s, uint32_t list, uint64_t since, uint32_t sender)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = list; h && !err; h = reader_at(s->o->c, h)->next)
		if (reader_at(s->o->c, h)->seq >= since &&
		    reader_at(s->o->c, h)->participant != sender)
			err = add_recipient(s, reader_at(s->o->c, h)->participant);
	return err;
}

enum ieum_err stop_use_add(struct stop_use *s, const struct referral *r)
{
	const struct core *c = s->o->c;

	if (s->n_messages == s->cap_messages) {
		void *list = grow(s->o->d, (const void *)s->messages, &s->cap_messages,
				  sizeof *s->messages);
		if (!list)
			return IEUM_E_NO_MEMORY;
		s->messages = list;
	}
	s->messages[s->n_messages++] = r;
	enum ieum_err err = add_readers(s, r->readers, 0, r->sender);
	if (!err)
		err = add_readers(s, s->k->readers, r->seq, r->sender);
	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(c, dh)->next) {
		const struct delivery *d = delivery_at(c, dh);
		if (d->released_to)
			err = add_recipient(s, d->released_to);
		if (!err)
			err = add_readers(s, d->readers, 0, 0);
	}
	return err;
}

/* ---- orders ---- */

static bool got_the_same(const struct recipient *a, const struct recipient *b)
{
	return a->more == b->more && memcmp(a->got, b->got, sizeof a->got) == 0;
}

static enum ieum_err name_messages(const struct stop_use *s, const struct recipient *to,
				   Ieum__V1__StopUseOrder *order)
{
	order->message_ids = decision_zalloc(s->o->d, ORDER_NAMED_MAX * sizeof *order->message_ids);
	if (!order->message_ids)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < s->n_messages && i < MESSAGES_NAMED_MAX; i++) {
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

	if (!a)
		return IEUM_E_NO_MEMORY;
	*a = (Ieum__V1__Addressee)IEUM__V1__ADDRESSEE__INIT;
	a->to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	a->participant = (char *)who->name;
	m->envelope.addressees[m->envelope.n_addressees++] = a;
	return IEUM_E_OK;
}

static enum ieum_err begin_order(struct stop_use *s, const struct occasion *o, size_t n_to,
				 struct hub_message **out)
{
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_STOP_USE_ORDER);

	*out = m;
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->referral.stop_use_order->withdrawal_id = s->o->referral->envelope->message_id;
	m->envelope.addressees = decision_zalloc(o->d, n_to * sizeof *m->envelope.addressees);
	return m->envelope.addressees ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static uint32_t mailbox_of(const struct stop_use *s, const struct recipient *to)
{
	int box = policy_participant(s->o->p, to->index)->mailbox;

	return policy_mailbox(s->o->p, box)->number;
}

/* Those whom the case has no room for: its owner has to see to them. */
static enum ieum_err tell_owner(struct stop_use *s)
{
	struct occasion o = *s->o;
	struct hub_message *m;

	o.referral = NULL;
	enum ieum_err err = begin_order(s, &o, s->n_to, &m);
	for (size_t i = 0; i < s->n_to && !err; i++) {
		if (!s->to[i].told)
			err = address_to(m, o.d, policy_participant(o.p, s->to[i].index));
		s->to[i].told = true;
	}
	if (!err)
		err = hub_message_address(&o, m, "case_owner",
					  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(&o, m);
}

/* Which of those who got the same get one order: as many as one message may ask, and as the case
 * has room for. */
static size_t choose(const struct stop_use *s, size_t first, bool named,
		     size_t chosen[ORDER_TO_MAX])
{
	size_t members = decision_case_members(s->o->c, s->o->d, s->k->id);
	size_t n = 0;

	for (size_t i = first; i < s->n_to && n < ORDER_TO_MAX; i++) {
		const struct recipient *to = &s->to[i];
		bool joins = !case_member(s->k, mailbox_of(s, to));
		if (to->told || (named && !got_the_same(to, &s->to[first])) ||
		    (joins && members >= CORE_CASE_MEMBERS_MAX))
			continue;
		members += joins;
		chosen[n++] = i;
	}
	return n;
}

/* The rules say by when each has to acknowledge it; where none does, it is the owner's to see to. */
static enum ieum_err order_to(struct stop_use *s, size_t first, bool named)
{
	struct occasion o = *s->o;
	size_t chosen[ORDER_TO_MAX];
	size_t n = choose(s, first, named, chosen);
	struct hub_message *m;

	if (n == 0)
		return IEUM_E_OK;
	o.referral = NULL; /* nobody withdraws in vain because an order can't be routed */
	enum ieum_err err = begin_order(s, &o, n, &m);
	if (!err && named)
		err = name_messages(s, &s->to[first], m->referral.stop_use_order);
	for (size_t i = 0; i < n && !err; i++) {
		s->to[chosen[i]].told = true;
		err = address_to(m, o.d, policy_participant(o.p, s->to[chosen[i]].index));
	}
	return err ? err : hub_message_by_rules(&o, m);
}

enum ieum_err stop_use_send(struct stop_use *s)
{
	bool full = false;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < s->n_to && !err;) {
		bool named = !s->to[i].more && s->named < NAMED_ORDERS_MAX;
		if (!s->to[i].told) {
			err = order_to(s, i, named);
			s->named += named;
		}
		full |= !s->to[i].told;
		i++;
	}
	return !err && full ? tell_owner(s) : err;
}
