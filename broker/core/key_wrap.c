/* Messages about the keys of sealed parts: a holder's key_wrap, and what is answered to it and to a key_request.  No
 * rule routes them and no case has them; see sealed.h. */
#include <assert.h>
#include <string.h>

#include "broker/core/sealed.h"
#include "broker/core/submit.h"

enum { KEYS_BYTES_MAX = 128 * 1024 }; /* that one participant gets put into one message */

bool key_message(const struct submission *s)
{
	uint8_t to = s->reply ? referral_at(s->c, s->reply)->type : 0;

	return s->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP ||
	       (s->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER &&
		(to == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_REQUEST ||
		 to == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP));
}

static enum ieum_err check_plain(struct submission *s)
{
	const char *field = s->envelope->case_id.len               ? "case_id"
			    : s->envelope->open_case               ? "open_case"
			    : s->envelope->n_case_links            ? "case_links"
			    : s->envelope->supersedes.len          ? "supersedes"
			    : s->envelope->n_excluded_participants ? "excluded_participants"
			    : s->from->referral->n_narrative       ? "narrative"
								   : NULL;

	return field ? decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "%s: a message about keys has none", field)
		     : IEUM_E_OK;
}

/* ---- key_wrap ---- */

/* One being decided. */
struct wrapping {
	struct submission *s;
	const Ieum__V1__KeyWrap *body;
	const struct referral *r;
	const struct sealed *sealed;
	int to;             /* by the policy's index */
	uint32_t to_number; /* participant */
	uint32_t readable, held;
	struct sealed_own own; /* the newcomer's certificates */
};

static enum ieum_err find_message(struct wrapping *v)
{
	struct submission *s = v->s;
	uint32_t rh = v->body->message_id.len == CORE_ID_BYTES
			      ? state_referral(s->c, v->body->message_id.data)
			      : 0;

	v->r = rh ? referral_at(s->c, rh) : NULL;
	if (v->r && v->r->sealed) {
		v->sealed = sealed_at(s->c, v->r->sealed);
		v->held = sealed_held(v->sealed, s->who.participant);
	}
	/* Who holds no key of it learns nothing of it. */
	if (v->r && v->r->erased && v->r->sender == s->who.participant)
		return decision_refuse(s->d, IEUM_E_PAYLOAD_ERASED, "key_wrap.message_id");
	if (!v->sealed || !v->held)
		return decision_refuse(s->d, IEUM_E_REFERRAL_UNKNOWN,
				       "key_wrap.message_id: no message with a sealed part that is "
				       "sealed to you");
	return IEUM_E_OK;
}

static enum ieum_err find_newcomer(struct wrapping *v)
{
	struct submission *s = v->s;

	v->to = policy_find_participant(s->p, v->body->participant);
	v->to_number = v->to == POLICY_NONE ? 0 : policy_participant(s->p, v->to)->number;
	if (!v->to_number)
		return decision_refuse(s->d, IEUM_E_ADDRESSEE_UNKNOWN, "key_wrap.participant");
	v->readable = sealed_readable(s->c, s->p, v->sealed, v->to);
	sealed_own(s->c, v->sealed, v->to_number, s->now_ms, NULL, &v->own);
	return IEUM_E_OK;
}

/* Named by nothing but certificates of the newcomer. */
static bool is_for(const struct wrapping *v, const struct core_sealed *key)
{
	for (size_t i = 0; i < key->n_recipients; i++) {
		const struct seal_recipient *r = &key->recipients[i];
		const uint8_t *id = r->by_key_id ? r->key_id : r->issuer_serial;
		size_t len = r->by_key_id ? r->key_id_len : sizeof r->issuer_serial;
		if (certificates_holder(v->s->c, id, len, r->by_key_id, v->s->now_ms,
					v->to_number - 1) != v->to_number)
			return false;
	}
	return key->n_recipients > 0;
}

enum { NAMED_MAX = 2 * CORE_CERTIFICATES_PER_PARTICIPANT }; /* by one key: by either name */

/* The newcomer's certificates that a key names. */
static size_t named(const struct wrapping *v, const struct core_sealed *key, uint64_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < key->n_recipients; i++) {
		const struct seal_recipient *r = &key->recipients[i];
		n += certificates_named(v->s->c, v->to_number,
					r->by_key_id ? r->key_id : r->issuer_serial,
					r->by_key_id ? r->key_id_len : sizeof r->issuer_serial,
					r->by_key_id, v->s->now_ms, out + n, NAMED_MAX - n);
	}
	return n;
}

/* Do all of them hold that part? */
static bool is_held(const struct wrapping *v, const struct core_sealed *key, uint32_t bit)
{
	uint64_t ids[NAMED_MAX];
	size_t n = named(v, key, ids);
	bool held = true;

	for (size_t i = 0; i < n && held; i++)
		for (size_t k = 0; k < v->own.n && held; k++)
			held = v->own.ids[k] != ids[i] || v->own.held[k] & bit;
	return held;
}

static enum ieum_err check_key(const struct wrapping *v, size_t i)
{
	struct submission *s = v->s;
	uint32_t bit = sealed_bit(v->body->keys[i]->part);

	if (!(v->readable & bit))
		return decision_refuse(s->d, IEUM_E_NOT_PERMITTED,
				       "key_wrap.keys[%zu].part: '%.64s' may not read it", i,
				       v->body->participant);
	if (!(v->held & bit))
		return decision_refuse(s->d, IEUM_E_NOT_PERMITTED,
				       "key_wrap.keys[%zu].part: it is not sealed to you", i);
	if (i >= s->from->n_sealed || !is_for(v, &s->from->sealed[i]))
		return decision_refuse(s->d, IEUM_E_FIELD_INVALID,
				       "key_wrap.keys[%zu].recipient_info: names no certificate "
				       "that is valid now of '%.64s'",
				       i, v->body->participant);
	/* One more key could only stand in the way of the one that opens. */
	if (is_held(v, &s->from->sealed[i], bit))
		return decision_refuse(s->d, IEUM_E_NOT_PERMITTED,
				       "key_wrap.keys[%zu].part: '%.64s' holds a key of it", i,
				       v->body->participant);
	return IEUM_E_OK;
}

static enum ieum_err check_keys(const struct wrapping *v)
{
	struct submission *s = v->s;
	size_t bytes = 0, n = v->body->n_keys;
	enum ieum_err err = IEUM_E_OK;

	assert(v->sealed); /* or the message was refused */
	if (v->body->n_keys == 0)
		return decision_refuse(s->d, IEUM_E_FIELD_MISSING, "key_wrap.keys");
	for (size_t i = 0; i < v->body->n_keys && !err; i++) {
		bytes += v->body->keys[i]->recipient_info.len;
		err = check_key(v, i);
	}
	if (err)
		return err;
	for (size_t i = 0; i < v->sealed->n_keys; i++) {
		if (v->sealed->keys[i].participant != v->to_number)
			continue;
		bytes += v->sealed->keys[i].info_len;
		n++;
	}
	if (bytes > KEYS_BYTES_MAX || n > CORE_KEYS_MAX ||
	    v->sealed->n_keys + v->body->n_keys > SEALED_KEYS_MAX)
		return decision_refuse(s->d, IEUM_E_FIELD_TOO_LARGE,
				       "key_wrap.keys: the message has as many keys as it may");
	return IEUM_E_OK;
}

/* The newcomer hears that the key has come, and asks for the message. */
static enum ieum_err tell_newcomer(const struct wrapping *v)
{
	struct submission *s = v->s;
	int box = policy_participant(s->p, v->to)->mailbox;

	s->e->routes = decision_zalloc(s->d, sizeof(Ieum__V1__Route *));
	if (!s->e->routes)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = submit_route(s->d, s->e, policy_mailbox(s->p, box)->number,
					 IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER, 0);
	return err ? err : submit_check_queues(s->c, s->p, s->d, s->e, s->from->len);
}

/* The parts that some certificate of the newcomer lacks with those keys too. */
static uint32_t still_lacking(const struct wrapping *v, const Ieum__V1__KeysChanged *e)
{
	uint32_t lacks = 0;

	for (size_t k = 0; k < v->own.n; k++) {
		uint32_t held = v->own.held[k];
		for (size_t i = 0; i < e->n_keys; i++)
			for (size_t n = 0; n < e->keys[i]->n_certificates; n++)
				if (e->keys[i]->certificates[n] == v->own.ids[k])
					held |= sealed_bit(e->keys[i]->part);
		lacks |= ~held;
	}
	return lacks;
}

static enum ieum_err keep_keys(const struct wrapping *v)
{
	struct submission *s = v->s;
	Ieum__V1__KeysChanged *e = decision_keys_changed(s->d, s->now);
	size_t n = v->body->n_keys;
	Ieum__V1__KeptKey *keys = decision_zalloc(s->d, n * sizeof *keys);

	if (!e || !keys)
		return IEUM_E_NO_MEMORY;
	e->message_id = v->body->message_id;
	e->participant = v->to_number;
	e->holder = s->who.participant;
	e->wrap_id = s->envelope->message_id;
	e->keys = decision_zalloc(s->d, n * sizeof *e->keys);
	if (!e->keys)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		keys[i] = (Ieum__V1__KeptKey)IEUM__V1__KEPT_KEY__INIT;
		keys[i].part = v->body->keys[i]->part;
		keys[i].recipient_info = v->body->keys[i]->recipient_info;
		keys[i].certificates =
			decision_zalloc(s->d, NAMED_MAX * sizeof *keys[i].certificates);
		if (!keys[i].certificates)
			return IEUM_E_NO_MEMORY;
		keys[i].n_certificates = named(v, &s->from->sealed[i], keys[i].certificates);
		e->keys[e->n_keys++] = &keys[i];
	}
	uint32_t wh = sealed_want_of(s->c, v->sealed, v->to_number);
	const struct sealed_want *w = wh ? sealed_want_at(s->c, wh) : NULL;
	/* Once it has all, nobody else has to wrap. */
	return w && !(w->parts & still_lacking(v, e))
		       ? sealed_withdraw_requests(s->c, w, 0, s->d, e)
		       : IEUM_E_OK;
}

static enum ieum_err decide_wrap(struct submission *s)
{
	struct wrapping v = { .s = s, .body = s->from->referral->key_wrap };
	enum ieum_err err = find_message(&v);

	if (err || (err = find_newcomer(&v)) || (err = check_keys(&v)) || (err = submit_begin(s)) ||
	    (err = tell_newcomer(&v)))
		return err;
	return keep_keys(&v);
}

/* ---- an answer to a key_request, or to a key_wrap ---- */

/* The want that the request was sent for, while it waits for this answer; 0: it is over. */
static uint32_t want_of_request(const struct submission *s, const struct referral *request)
{
	uint32_t rh = request->in_reply_to ? seqmap_get(&s->c->seqs, request->in_reply_to) : 0;
	uint32_t h = rh ? referral_at(s->c, rh)->sealed : 0;

	for (uint32_t wh = h ? sealed_at(s->c, h)->first_want : 0; wh;
	     wh = sealed_want_at(s->c, wh)->next)
		if (memcmp(sealed_want_at(s->c, wh)->request_id, request->id, CORE_ID_BYTES) == 0)
			return wh;
	return 0;
}

static bool declines(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
}

static enum ieum_err list_wanted(const struct submission *s, uint32_t parts,
				 Ieum__V1__KeysChanged *e)
{
	e->parts = decision_zalloc(s->d, SEALED_PARTS_MAX * sizeof *e->parts);
	if (!e->parts)
		return IEUM_E_NO_MEMORY;
	for (uint32_t number = 1; number <= SEALED_PARTS_MAX; number++)
		if (parts & sealed_bit(number))
			e->parts[e->n_parts++] = number;
	return IEUM_E_OK;
}

/* Somebody has declined: the next is asked at once for the participant. */
static Ieum__V1__KeysChanged *declined(const struct submission *s, uint32_t h, uint32_t participant,
				       uint32_t holder)
{
	Ieum__V1__KeysChanged *e = decision_keys_changed(s->d, s->now);

	if (!e)
		return NULL;
	e->message_id =
		(ProtobufCBinaryData){ CORE_ID_BYTES,
				       referral_at(s->c, sealed_at(s->c, h)->referral)->id };
	e->participant = participant;
	e->holder = holder;
	e->declined = true;
	e->ask_again_at_ms = s->now_ms;
	return e;
}

static enum ieum_err decline_request(const struct submission *s)
{
	uint32_t wh = want_of_request(s, referral_at(s->c, s->reply));

	if (!wh)
		return IEUM_E_OK;
	const struct sealed_want *w = sealed_want_at(s->c, wh);
	Ieum__V1__KeysChanged *e = declined(s, w->sealed, w->participant, s->who.participant);
	/* For some certificates: it is asked for the others. */
	if (e && sealed_asked_partly(w, s->who.participant))
		e->declined = false;
	return e ? list_wanted(s, w->parts, e) : IEUM_E_NO_MEMORY;
}

/* What it brought doesn't open: whoever wrapped it is as good as one who declines. */
static enum ieum_err decline_wrap(const struct submission *s)
{
	const struct referral *wrap = referral_at(s->c, s->reply);
	uint32_t h = sealed_of_wrap(s->c, wrap->id), me = s->who.participant;
	const struct sealed *of = h ? sealed_at(s->c, h) : NULL;
	uint32_t lacks = h ? sealed_lacks_without(s->c, of, me, s->now_ms, wrap->id) : 0;
	uint32_t wh = h ? sealed_want_of(s->c, of, me) : 0;

	for (size_t i = 0; h && i < of->n_keys; i++) {
		if (memcmp(of->keys[i].wrap_id, wrap->id, CORE_ID_BYTES) != 0 ||
		    of->keys[i].participant != me)
			continue;
		Ieum__V1__KeysChanged *e = declined(s, h, me, wrap->sender);
		if (!e)
			return IEUM_E_NO_MEMORY;
		e->wrap_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)wrap->id };
		/* One may err; who gives back whatever comes is not waited on at every turn. */
		if (sealed_has_rejected(s->c, of, me, 0))
			e->ask_again_at_ms += SEALED_PAUSE_MS;
		if (!wh && !sealed_has_room(s->c, of, me, 0)) {
			e->skipped = true;
			return IEUM_E_OK;
		}
		return list_wanted(s, lacks | (wh ? sealed_want_at(s->c, wh)->parts : 0), e);
	}
	return IEUM_E_OK;
}

/* Who declines is not waited for. */
static enum ieum_err decide_answer(struct submission *s)
{
	enum ieum_err err = submit_begin(s);

	if (err || !declines(s->from->referral->answer->kind))
		return err;
	return referral_at(s->c, s->reply)->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP
		       ? decline_wrap(s)
		       : decline_request(s);
}

enum ieum_err key_message_decide(struct submission *s)
{
	enum ieum_err err = check_plain(s);

	if (err)
		return err;
	return s->envelope->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP
		       ? decide_wrap(s)
		       : decide_answer(s);
}
