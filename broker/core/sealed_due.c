/* What has to be done about keys that somebody wants: looking who lacks one, and asking those who
 * have it, one after the other.  See sealed.h. */
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/occasion.h"
#include "broker/core/sealed.h"

/* ---- events ---- */

static enum ieum_err list_parts(struct core_decision *d, uint32_t parts, uint32_t **to, size_t *n)
{
	*to = decision_zalloc(d, SEALED_PARTS_MAX * sizeof **to);
	if (!*to)
		return IEUM_E_NO_MEMORY;
	for (uint32_t number = 1; number <= SEALED_PARTS_MAX; number++)
		if (parts & sealed_bit(number))
			(*to)[(*n)++] = number;
	return IEUM_E_OK;
}

static Ieum__V1__KeysChanged *keys_changed(const struct core *c, const struct sealed *s,
					   core_time_us now, struct core_decision *d)
{
	Ieum__V1__KeysChanged *e = decision_keys_changed(d, now);

	if (!e)
		return NULL;
	e->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(c, s->referral)->id };
	return e;
}

static enum ieum_err note_want(const struct core *c, const struct sealed *s, uint32_t participant,
			       uint32_t parts, core_time_us now, struct core_decision *d)
{
	Ieum__V1__KeysChanged *e = keys_changed(c, s, now, d);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->participant = participant;
	e->ask_again_at_ms = to_ms(now);
	return list_parts(d, parts, &e->parts, &e->n_parts);
}

/* ---- looking who lacks a key ---- */

struct looking {
	size_t messages, work;
	bool skipped, broken_off;
};

/* Of those for whom it is still on its way: who has it already asks for it. */
static enum ieum_err look_at(const struct core *c, const struct policy *p, uint32_t h,
			     core_time_us now, struct core_decision *d, struct looking *l)
{
	const struct sealed *s = sealed_at(c, h);
	struct sealed_readers readers = { .n = 0 };
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t dh = referral_at(c, s->referral)->first_delivery; dh && !err;
	     dh = delivery_at(c, dh)->next, l->work++)
		if (delivery_at(c, dh)->transit && delivery_at(c, dh)->state != DELIVERY_DEAD)
			err = sealed_add_readers(c, p, delivery_at(c, dh)->mailbox, NULL, 0,
						 &readers);
	/* More than are looked at: those behind ask for it when they read it. */
	err = err == IEUM_E_FIELD_TOO_LARGE ? IEUM_E_OK : err;
	for (size_t i = 0; i < readers.n && !err && !l->broken_off; i++) {
		uint32_t number = policy_participant(p, readers.index[i])->number;
		/* Nearly all have theirs, and what somebody may read is long to find. */
		uint32_t parts = number ? sealed_lacks(c, s, number, to_ms(now)) : 0;
		if (!parts || sealed_want_of(c, s, number))
			continue;
		parts &= sealed_readable(c, p, s, readers.index[i]);
		if (!parts)
			continue;
		/* Who is noted is not looked at again, so the next time it is those behind. */
		l->broken_off = d->n_items == SEALED_NOTED_MAX;
		if (!sealed_has_room(c, s, number, d->n_items))
			l->skipped = true;
		else if (!l->broken_off)
			err = note_want(c, s, number, parts, now, d);
	}
	l->work += readers.n * s->n_parts;
	return err;
}

static enum ieum_err look(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d)
{
	uint32_t last = 0;
	struct looking l = { 0 };
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t h = c->sealed.first_look; h && !err && l.messages++ < SEALED_LOOKED_MAX &&
						l.work < SEALED_LOOK_WORK && d->n_items == 0;
	     h = sealed_at(c, h)->next) {
		err = look_at(c, p, h, now, d, &l);
		last = l.broken_off ? last : h;
	}
	if (err || !last)
		return err;
	Ieum__V1__KeysChanged *e = keys_changed(c, sealed_at(c, last), now, d);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->skipped = l.skipped;
	return IEUM_E_OK;
}

/* ---- asking ---- */

/* A want that is due. */
struct serving {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	const struct sealed *s;
	const struct sealed_want *w;
	uint32_t parts; /* that it may read and lacks now */
	struct sealed_own own;
	bool here; /* only who is connected */
};

static struct caller caller(const struct serving *v, uint32_t participant, int index)
{
	return (struct caller){ .participant = participant,
				.index = index,
				.who = policy_participant(v->p, index) };
}

/* To be asked tells who has come: only those hear it who read the case now, and who handed it over to
 * the newcomer itself. */
static bool may_hear(const struct serving *v, uint32_t participant, int index)
{
	uint32_t ch = referral_at(v->c, v->s->referral)->core_case;
	const struct core_case *k = ch ? case_at(v->c, ch) : NULL;
	const struct caller who = caller(v, participant, index);
	const struct caller newcomer =
		caller(v, v->w->participant,
		       state_policy_participant(v->c, v->p, v->w->participant));

	if (!k || participant == v->w->participant)
		return true;
	if (case_excludes(k, participant))
		return false;
	return caller_reads_case(v->p, &who, k) ||
	       handover_inherits(v->c, v->p, &newcomer, k, handover_own_mailbox(v->c, participant));
}

/* Also the newcomer itself, while another workstation of it can. */
static bool holds_some(const struct serving *v, uint32_t participant)
{
	return participant == v->w->participant ? sealed_holds(&v->own, v->parts)
						: sealed_held(v->s, participant) & v->parts;
}

/* Somebody who holds one of the parts, and may hear who wants it. */
static bool can_wrap(const struct serving *v, uint32_t participant)
{
	int index = participant ? state_policy_participant(v->c, v->p, participant) : POLICY_NONE;

	return index != POLICY_NONE &&
	       (!v->here || v->c->participants[participant - 1].n_connections > 0) &&
	       !sealed_asks(v->w, participant) && !sealed_declined(v->w, participant) &&
	       !sealed_has_rejected(v->c, v->s, v->w->participant, participant) &&
	       holds_some(v, participant) && may_hear(v, participant, index);
}

/* One of the case's owner. */
static uint32_t owner_who_can(const struct serving *v)
{
	uint32_t ch = referral_at(v->c, v->s->referral)->core_case;
	int box = ch ? state_policy_mailbox(v->c, v->p, case_at(v->c, ch)->owner) : POLICY_NONE;
	const struct policy_mailbox *m = box == POLICY_NONE ? NULL : policy_mailbox(v->p, box);

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		uint32_t number = policy_participant(v->p, m->consumers[i])->number;
		if (can_wrap(v, number))
			return number;
	}
	return 0;
}

/* A colleague at another workstation, the case's owner, the sender, then the others: 0 when nobody
 * is left.  One workstation alone is most likely the one that wants the key. */
static uint32_t first_holder(const struct serving *v)
{
	const struct sealed *s = v->s;
	uint32_t sender = referral_at(v->c, s->referral)->sender;
	uint32_t self = v->w->participant;
	uint32_t found =
		v->c->participants[self - 1].n_connections > 1 && can_wrap(v, self) ? self : 0;

	if (!found)
		found = owner_who_can(v);
	if (!found && can_wrap(v, sender))
		found = sender;
	for (size_t i = 0; i < s->n_parts && !found; i++)
		for (size_t k = 0; k < s->parts[i].n_holders && !found; k++)
			found = can_wrap(v, s->parts[i].holders[k]) ? s->parts[i].holders[k] : 0;
	for (size_t i = 0; i < s->n_keys && !found; i++)
		found = can_wrap(v, s->keys[i].participant) ? s->keys[i].participant : 0;
	if (!found && can_wrap(v, self))
		found = self;
	return found;
}

/* In that order those who are connected: the others can't answer now. */
static uint32_t next_holder(struct serving *v)
{
	uint32_t found;

	if (v->w->n_asked == SEALED_ASKED_MAX)
		return 0;
	v->here = true;
	found = first_holder(v);
	v->here = false;
	return found ? found : first_holder(v);
}

/* Those of the newcomer that lack one of the parts, in the order in which they were seen: a request
 * has room for so many.  Whoever was asked for some is asked for those behind.  *through: the last that
 * is named, when there are more. */
static enum ieum_err name_certificates(const struct serving *v, uint32_t holder, uint32_t parts,
				       Ieum__V1__KeyRequest *to, uint64_t *through)
{
	enum { CERTIFICATES_MAX = 8 };
	uint64_t after = sealed_asked_partly(v->w, holder) ? v->w->through : 0;
	size_t i = 0;

	to->certificates = decision_zalloc(v->d, CERTIFICATES_MAX * sizeof *to->certificates);
	if (!to->certificates)
		return IEUM_E_NO_MEMORY;
	while (after && i < v->own.n && v->own.ids[i] != after)
		i++;
	/* Gone meanwhile: from the beginning. */
	i = after && i < v->own.n ? i + 1 : 0;
	for (uint64_t last = 0; i < v->own.n; i++) {
		const struct core_certificate *k = &v->own.known[i];
		if (!(parts & ~v->own.held[i]))
			continue;
		if (to->n_certificates == CERTIFICATES_MAX) {
			*through = last;
			break;
		}
		to->certificates[to->n_certificates++] =
			(ProtobufCBinaryData){ k->der_len, (uint8_t *)k->der };
		last = v->own.ids[i];
	}
	return IEUM_E_OK;
}

static enum ieum_err fill_request(const struct serving *v, uint32_t holder,
				  Ieum__V1__KeyRequest *to, uint64_t *through)
{
	uint32_t parts =
		v->parts & (holder == v->w->participant ? v->parts : sealed_held(v->s, holder));
	enum ieum_err err = name_certificates(v, holder, parts, to, through);

	to->message_id =
		(ProtobufCBinaryData){ CORE_ID_BYTES, referral_at(v->c, v->s->referral)->id };
	to->participant = (char *)state_participant_name(v->c, v->w->participant);
	return err ? err : list_parts(v->d, parts, &to->parts, &to->n_parts);
}

/* Of no case: who can open a message need not take part in its case any more, and being asked
 * doesn't bring it back. */
static enum ieum_err send_request(const struct serving *v, uint32_t holder, ProtobufCBinaryData *id,
				  uint64_t *through)
{
	const struct referral *r = referral_at(v->c, v->s->referral);
	int index = state_policy_participant(v->c, v->p, holder);
	int box = policy_participant(v->p, index)->mailbox;
	struct occasion o;
	enum ieum_err err = occasion_of_time(v->c, v->p, v->d, v->now, 0, &o);
	struct hub_message *m =
		err ? NULL : hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST);

	if (!m)
		return err ? err : IEUM_E_NO_MEMORY;
	m->envelope.in_reply_to = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
	m->envelope.urgency =
		(Ieum__V1__Urgency)(r->urgency + IEUM__V1__URGENCY__URGENCY_IMMEDIATE);
	*id = m->envelope.message_id;
	err = fill_request(v, holder, m->referral.key_request, through);
	if (!err)
		err = hub_message_to(&o, m, policy_mailbox(v->p, box)->number,
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	return err ? err : hub_message_end(&o, m);
}

static bool is_unread(const struct delivery *d, uint32_t mailbox)
{
	return d->transit && !d->released_to && (!mailbox || d->mailbox == mailbox) &&
	       (d->state == DELIVERY_QUEUED || d->state == DELIVERY_WAITING);
}

enum ieum_err sealed_withdraw_requests(const struct core *c, const struct sealed_want *w,
				       uint32_t mailbox, struct core_decision *d,
				       Ieum__V1__KeysChanged *e)
{
	e->withdrawn = decision_zalloc(d, SEALED_ASKED_MAX * sizeof *e->withdrawn);
	if (!e->withdrawn)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < w->n_requests; i++) {
		uint32_t rh = seqmap_get(&c->seqs, w->requests[i]);
		uint32_t dh = rh ? referral_at(c, rh)->first_delivery : 0;
		if (dh && is_unread(delivery_at(c, dh), mailbox))
			e->withdrawn[e->n_withdrawn++] = delivery_at(c, dh)->id;
	}
	return IEUM_E_OK;
}

static enum ieum_err ask(const struct serving *v, uint32_t holder)
{
	int index = state_policy_participant(v->c, v->p, holder);
	int box = policy_participant(v->p, index)->mailbox;
	ProtobufCBinaryData id;
	uint64_t through = 0;
	enum ieum_err err = send_request(v, holder, &id, &through);
	Ieum__V1__KeysChanged *e = err ? NULL : keys_changed(v->c, v->s, v->now, v->d);

	if (!e)
		return err ? err : IEUM_E_NO_MEMORY;
	e->participant = v->w->participant;
	e->holder = holder;
	e->request_id = id;
	e->through = through;
	e->ask_again_at_ms = to_ms(v->now) + policy_limits(v->p)->wrap_within_ms;
	/* One request to each of them is enough. */
	err = sealed_withdraw_requests(v->c, v->w, policy_mailbox(v->p, box)->number, v->d, e);
	return err ? err : list_parts(v->d, v->parts, &e->parts, &e->n_parts);
}

/* It wants none any more, or has to wait. */
static enum ieum_err settle(const struct serving *v)
{
	Ieum__V1__KeysChanged *e = keys_changed(v->c, v->s, v->now, v->d);

	if (!e)
		return IEUM_E_NO_MEMORY;
	e->participant = v->w->participant;
	if (v->parts)
		return list_parts(v->d, v->parts, &e->parts, &e->n_parts);
	return sealed_withdraw_requests(v->c, v->w, 0, v->d, e);
}

/* One want that is due: the next holder is asked, or it waits, or is over. */
static enum ieum_err serve(struct serving *v)
{
	int index = state_policy_participant(v->c, v->p, v->w->participant);

	/* None when its certificates have ended: when another is seen, it is looked who lacks what. */
	v->parts = index == POLICY_NONE
			   ? 0
			   : sealed_lacks(v->c, v->s, v->w->participant, to_ms(v->now));
	if (v->parts)
		v->parts &= sealed_readable(v->c, v->p, v->s, index);
	sealed_own(v->c, v->s, v->w->participant, to_ms(v->now), NULL, &v->own);
	uint32_t holder = v->parts ? next_holder(v) : 0;
	return holder ? ask(v, holder) : settle(v);
}

enum ieum_err sealed_due(const struct core *c, const struct policy *p, core_time_us now,
			 struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->sealed.due);

	if (first && (int64_t)first->key <= to_ms(now))
		return serve(&(struct serving){
			.c = c,
			.p = p,
			.d = d,
			.now = now,
			.s = sealed_at(c, sealed_want_at(c, first->item)->sealed),
			.w = sealed_want_at(c, first->item),
		});
	return look(c, p, now, d);
}
