/* libieum: a newcomer's key.
 *
 *   ieum_key_wrap ──► asking for the message ──► key_wrap submitted ──► told
 *                              │ can't be wrapped
 *                              ├──────────────► reject submitted ──► told why not
 *                              │ a colleague's to wrap: KEY_MISSING
 *                              └──────────────► told
 *   ieum_key_check ─► asking for the message ──► it opens: told
 *                              └──────────────► reject submitted ──► told why
 *
 * The hub decided who the newcomer is; what we hold it to is the certificate, which our own
 * authority must have given to that participant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib_internal.h"
#include "client/seal.h"
#include "proto/uuid7.h"

/* A request that is being answered, or a key that is being tried. */
struct wrapping {
	LIST_ENTRY(wrapping) link;
	ieum_submit_cb *cb;
	void *arg;
	Ieum__V1__Referral *request;
	struct lib_trouble trouble; /* why it is refused; code OK: it isn't */
	bool left;                  /* nobody waits for it any more */
	X509 *to[SEAL_WRAP_MAX];
	size_t n_to;
};

static void wrapping_free(struct wrapping *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_to; i++)
		X509_free(w->to[i]);
	if (w->request)
		ieum__v1__referral__free_unpacked(w->request, NULL);
	free(w);
}

void lib_keys_free(struct ieum *c)
{
	struct wrapping *w;

	while ((w = LIST_FIRST(&c->wrappings))) {
		LIST_REMOVE(w, link);
		wrapping_free(w);
	}
}

static Ieum__V1__Referral *copied(const Ieum__V1__Referral *m)
{
	size_t len = ieum__v1__referral__get_packed_size(m);
	uint8_t *bytes = malloc(len ? len : 1);
	Ieum__V1__Referral *copy = NULL;

	if (bytes) {
		ieum__v1__referral__pack(m, bytes);
		copy = ieum__v1__referral__unpack(NULL, len, bytes);
	}
	free(bytes);
	return copy;
}

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	if (why)
		snprintf(why, IEUM_WHY_BYTES, "%s", text ? text : ieum_error((int)err)->text);
	return err;
}

static bool is_wrap(const Ieum__V1__Referral *m)
{
	return m->envelope && m->envelope->message_id.len == IEUM_ID_BYTES &&
	       m->body_case == IEUM__V1__REFERRAL__BODY_KEY_WRAP &&
	       m->key_wrap->message_id.len == IEUM_ID_BYTES;
}

static bool is_request(const Ieum__V1__Referral *m)
{
	return m->envelope && m->envelope->message_id.len == IEUM_ID_BYTES &&
	       m->body_case == IEUM__V1__REFERRAL__BODY_KEY_REQUEST &&
	       m->key_request->message_id.len == IEUM_ID_BYTES;
}

/* ---- the answer ---- */

static void finish(struct ieum *c, struct wrapping *w, const uint8_t *message_id,
		   const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure)
{
	LIST_REMOVE(w, link);
	if (w->cb)
		w->cb(c, message_id, receipt, failure, w->arg);
	wrapping_free(w);
}

/* Told why it was refused, if it was; a refusal that didn't arrive is the hub's to notice. */
static void answered(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		     const struct ieum_failure *failure, void *arg)
{
	struct wrapping *w = arg;

	if (w->trouble.failure.code)
		finish(c, w, message_id, NULL, &w->trouble.failure);
	else
		finish(c, w, message_id, receipt, failure);
}

static struct wrapping *find(const struct ieum *c, ieum_submit_cb *cb, const void *arg)
{
	struct wrapping *w;

	LIST_FOREACH(w, &c->wrappings, link) {
		if (w->cb == cb && w->arg == arg)
			return w;
	}
	return NULL;
}

bool lib_key_accepting(const struct ieum *c, ieum_submit_cb *cb, const void *arg)
{
	const struct wrapping *w = find(c, cb, arg);

	return w && lib_submit_accepting(c, answered, w);
}

bool lib_key_leave(struct ieum *c, ieum_submit_cb *cb, const void *arg,
		   uint8_t message_id[IEUM_ID_BYTES])
{
	struct wrapping *w = find(c, cb, arg);

	if (!w)
		return false;
	w->left = true;
	w->cb = NULL;
	if (!lib_submit_leave(c, answered, w, message_id))
		return false;
	LIST_REMOVE(w, link);
	wrapping_free(w);
	return true;
}

/* A drill's clock may be years away from ours: it is where the request was made, or later. */
static void envelope_to(const struct ieum *c, Ieum__V1__Envelope *e, uint8_t id[IEUM_ID_BYTES],
			const Ieum__V1__Referral *request, Ieum__V1__MessageType type)
{
	struct uuid7_source source = { 0 };

	ieum__v1__envelope__init(e);
	e->type = type;
	e->in_reply_to = request->envelope->message_id;
	if (c->drill && !uuid7_next(&source, uuid7_ms(e->in_reply_to.data), id))
		e->message_id = (ProtobufCBinaryData){ IEUM_ID_BYTES, id };
}

static enum ieum_err submit_reject(struct ieum *c, const Ieum__V1__Referral *request, int reason,
				   const char *remark, ieum_submit_cb *cb, void *arg,
				   char why[IEUM_WHY_BYTES])
{
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Answer answer = IEUM__V1__ANSWER__INIT;
	Ieum__V1__Envelope e;
	uint8_t id[IEUM_ID_BYTES];

	envelope_to(c, &e, id, request, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	answer.kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT;
	answer.reason = (Ieum__V1__Reason)reason;
	if (remark)
		answer.remark = (char *)remark; /* only read */
	m.envelope = &e;
	m.body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	m.answer = &answer;
	return ieum_submit(c, &m, cb, arg, NULL, why);
}

/* It can't be wrapped: the hub asks the next one. */
static void give_back(struct ieum *c, struct wrapping *w, enum ieum_err err, const char *why)
{
	lib_trouble_set(&w->trouble, err, NULL, why, 0);
	err = submit_reject(c, w->request, (int)IEUM__V1__REASON__REASON_OTHER_SOURCE_BETTER, NULL,
			    answered, w, NULL);
	if (err)
		finish(c, w, NULL, NULL, &w->trouble.failure);
}

/* A reject would speak for the whole participant, of which another workstation may have the key. */
static void leave_to_colleague(struct ieum *c, struct wrapping *w, enum ieum_err err,
			       const char *why)
{
	lib_trouble_set(&w->trouble, err, NULL, why, 0);
	finish(c, w, NULL, NULL, &w->trouble.failure);
}

enum ieum_err ieum_key_refuse(struct ieum *c, const Ieum__V1__Referral *request, int reason,
			      const char *remark, ieum_submit_cb *cb, void *arg,
			      char why[IEUM_WHY_BYTES])
{
	if (!is_request(request))
		return refuse(why, IEUM_E_FIELD_INVALID, "this message asks for no key");
	return submit_reject(c, request, reason, remark, cb, arg, why);
}

/* ---- wrapping ---- */

static bool asks_for(const Ieum__V1__KeyRequest *request, uint32_t number)
{
	for (size_t i = 0; i < request->n_parts; i++) {
		if (request->parts[i] == number)
			return true;
	}
	return request->n_parts == 0;
}

/* The keys of one message: as many RecipientInfos as there are parts and certificates. */
struct keys {
	Ieum__V1__WrappedKey key[SEAL_PARTS_MAX * SEAL_WRAP_MAX],
		*list[SEAL_PARTS_MAX * SEAL_WRAP_MAX];
	size_t n;
	struct seal_wrapped of[SEAL_PARTS_MAX];
	size_t n_of;
};

static void keys_free(struct keys *keys)
{
	for (size_t i = 0; keys && i < keys->n_of; i++)
		seal_wrapped_free(&keys->of[i]);
	free(keys);
}

static enum ieum_err wrap_part(const struct ieum *c, const struct wrapping *w,
			       const struct seal_outside *of, struct keys *keys,
			       char why[IEUM_WHY_BYTES])
{
	struct seal_wrapped *to = &keys->of[keys->n_of];
	enum ieum_err err = seal_wrap(c->keyring, of, w->to, w->n_to, to, why);

	if (err)
		return err;
	keys->n_of++;
	for (size_t i = 0; i < to->n; i++) {
		Ieum__V1__WrappedKey *key = &keys->key[keys->n];

		ieum__v1__wrapped_key__init(key);
		key->part = of->part->number;
		key->recipient_info =
			(ProtobufCBinaryData){ to->infos[i].len, (uint8_t *)to->infos[i].data };
		keys->list[keys->n++] = key;
	}
	return IEUM_E_OK;
}

static bool same_id(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* What we can't open a colleague may; all of it: KEY_MISSING.  The message has to be the one that
 * was asked about, and each part to be sealed for it: the hub's word is not enough for that. */
static enum ieum_err wrap_parts(const struct ieum *c, const struct wrapping *w,
				const Ieum__V1__ReferralResult *result, struct keys *keys,
				char why[IEUM_WHY_BYTES])
{
	const Ieum__V1__KeyRequest *request = w->request->key_request;
	const Ieum__V1__Referral *m = result->referral;
	enum ieum_err err = refuse(why, IEUM_E_NOT_SEALED, "it has no such sealed part");

	if (!m->envelope || !same_id(&result->message_id, &request->message_id) ||
	    !same_id(&m->envelope->message_id, &request->message_id))
		return refuse(why, IEUM_E_NOT_SEALED, "the hub gave another message");
	for (size_t i = 0; i < m->n_narrative && keys->n_of < SEAL_PARTS_MAX; i++) {
		const struct seal_outside of = { .message_id = request->message_id,
						 .part = m->narrative[i],
						 .sender = result->sender,
						 .at_ms = result->received_at_ms };

		if (of.part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED &&
		    asks_for(request, of.part->number))
			err = wrap_part(c, w, &of, keys, why);
	}
	return keys->n ? IEUM_E_OK : err;
}

static void submit_keys(struct ieum *c, struct wrapping *w, const struct keys *keys)
{
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__KeyWrap wrap = IEUM__V1__KEY_WRAP__INIT;
	Ieum__V1__Envelope e;
	uint8_t id[IEUM_ID_BYTES];
	char why[IEUM_WHY_BYTES];
	enum ieum_err err;

	envelope_to(c, &e, id, w->request, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP);
	wrap.message_id = w->request->key_request->message_id;
	wrap.participant = w->request->key_request->participant;
	wrap.keys = (Ieum__V1__WrappedKey **)keys->list; /* only read */
	wrap.n_keys = keys->n;
	m.envelope = &e;
	m.body_case = IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	m.key_wrap = &wrap;
	err = ieum_submit(c, &m, answered, w, NULL, why);
	if (err) {
		lib_trouble_set(&w->trouble, err, NULL, why, 0);
		finish(c, w, NULL, NULL, &w->trouble.failure);
	}
}

static void message_came(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
			 size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct wrapping *w = arg;
	char why[IEUM_WHY_BYTES] = "";
	struct keys *keys;
	enum ieum_err err;

	(void)referral, (void)referral_len;
	if (w->left || (failure && failure->code == IEUM_E_CONNECTION_LOST)) {
		finish(c, w, NULL, NULL, failure);
		return;
	}
	if (failure || result->what_case != IEUM__V1__RESULT__WHAT_REFERRAL ||
	    !result->referral->referral) {
		give_back(c, w, failure ? failure->code : IEUM_E_PAYLOAD_ERASED,
			  failure ? failure->detail
				  : "the hub doesn't give us the message any more");
		return;
	}
	keys = calloc(1, sizeof *keys);
	err = keys ? wrap_parts(c, w, result->referral, keys, why)
		   : refuse(why, IEUM_E_NO_MEMORY, NULL);
	if (err == IEUM_E_KEY_MISSING)
		leave_to_colleague(c, w, err, why);
	else if (err)
		give_back(c, w, err, why);
	else
		submit_keys(c, w, keys);
	keys_free(keys);
}

/* ---- beginning ---- */

/* The newcomer's certificates that we trust.  OK too when there are none: then `why` says. */
static void take_certificates(const struct ieum *c, struct wrapping *w, enum ieum_err *worst,
			      char why[IEUM_WHY_BYTES])
{
	const Ieum__V1__KeyRequest *request = w->request->key_request;

	*worst = refuse(why, IEUM_E_NOT_SEALED, "the request names no certificate");
	for (size_t i = 0; i < request->n_certificates && w->n_to < SEAL_WRAP_MAX; i++) {
		const ProtobufCBinaryData *der = &request->certificates[i];
		enum ieum_err err = keyring_recipient(c->keyring, der->data, der->len,
						      request->participant, &w->to[w->n_to], why);

		if (err)
			*worst = err;
		else
			w->n_to++;
	}
}

static enum ieum_err ask_message(struct ieum *c, struct wrapping *w, ProtobufCBinaryData message_id,
				 ieum_query_cb *cb)
{
	Ieum__V1__ReferralQuery one = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;

	one.message_id = message_id;
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &one;
	return ieum_query(c, &query, cb, w);
}

/* Of a message that was delivered; NULL: why says. */
static struct wrapping *begin(struct ieum *c, const Ieum__V1__Referral *m, ieum_submit_cb *cb,
			      void *arg, enum ieum_err *err, char why[IEUM_WHY_BYTES])
{
	struct wrapping *w;

	*err = IEUM_E_OK;
	if (!ieum_connected(c)) {
		*err = refuse(why, IEUM_E_CONNECTION_LOST, NULL);
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (!w || !(w->request = copied(m))) {
		wrapping_free(w);
		*err = refuse(why, IEUM_E_NO_MEMORY, NULL);
		return NULL;
	}
	LIST_INSERT_HEAD(&c->wrappings, w, link);
	w->cb = cb;
	w->arg = arg;
	return w;
}

/* The message's content was asked for, or couldn't be. */
static enum ieum_err begun(struct wrapping *w, enum ieum_err err, char why[IEUM_WHY_BYTES])
{
	if (!err)
		return IEUM_E_OK;
	LIST_REMOVE(w, link);
	wrapping_free(w);
	return refuse(why, err, NULL);
}

enum ieum_err ieum_key_wrap(struct ieum *c, const Ieum__V1__Referral *request, ieum_submit_cb *cb,
			    void *arg, char why[IEUM_WHY_BYTES])
{
	struct wrapping *w;
	char reason[IEUM_WHY_BYTES];
	enum ieum_err err;

	if (!is_request(request))
		return refuse(why, IEUM_E_FIELD_INVALID, "this message asks for no key");
	w = begin(c, request, cb, arg, &err, why);
	if (!w)
		return err;
	take_certificates(c, w, &err, reason);
	if (w->n_to == 0) {
		give_back(c, w, err, reason);
		return IEUM_E_OK;
	}
	return begun(w, ask_message(c, w, request->key_request->message_id, message_came), why);
}

/* ---- a key that has come ---- */

static bool is_in(const Ieum__V1__KeyWrap *wrap, uint32_t number)
{
	for (size_t i = 0; i < wrap->n_keys; i++) {
		if (wrap->keys[i]->part == number)
			return true;
	}
	return false;
}

/* A part that is sealed to another certificate of ours (KEY_MISSING) is a colleague's to try. */
static enum ieum_err try_keys(const struct ieum *c, const Ieum__V1__KeyWrap *wrap,
			      const Ieum__V1__Referral *m, char why[IEUM_WHY_BYTES])
{
	for (size_t i = 0; i < m->n_narrative; i++) {
		const Ieum__V1__NarrativePart *part = m->narrative[i];

		if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED &&
		    is_in(wrap, part->number) &&
		    seal_try_key(c->keyring, &part->sealed, why) == IEUM_E_NOT_SEALED)
			return IEUM_E_NOT_SEALED;
	}
	return IEUM_E_OK;
}

static void opened_came(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
			size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct wrapping *w = arg;
	char why[IEUM_WHY_BYTES] = "";

	(void)referral, (void)referral_len;
	if (!failure && result->what_case == IEUM__V1__RESULT__WHAT_REFERRAL &&
	    result->referral->referral &&
	    try_keys(c, w->request->key_wrap, result->referral->referral, why))
		give_back(c, w, IEUM_E_NOT_SEALED, why);
	else
		finish(c, w, NULL, NULL, failure);
}

enum ieum_err ieum_key_check(struct ieum *c, const Ieum__V1__Referral *wrap, ieum_submit_cb *cb,
			     void *arg, char why[IEUM_WHY_BYTES])
{
	struct wrapping *w;
	enum ieum_err err;

	if (!is_wrap(wrap))
		return refuse(why, IEUM_E_FIELD_INVALID, "this message brings no key");
	w = begin(c, wrap, cb, arg, &err, why);
	if (!w)
		return err;
	return begun(w, ask_message(c, w, wrap->key_wrap->message_id, opened_came), why);
}
