/* libieum: sealed narratives, on their way to the hub and opened when they have come.
 *
 * A message to seal is sealed to ourselves as soon as it is submitted, so that its clear text waits
 * nowhere; lib_submit.c asks the hub whom it would reach before it sends it, and what is sealed to
 * them by lib_seal_answered() is what travels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib_internal.h"
#include "client/seal_message.h"

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], enum ieum_err err)
{
	snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error((int)err)->text);
	return err;
}

/* ---- asking ---- */

static Ieum__V1__Referral *unpacked(const struct outgoing *o)
{
	return ieum__v1__referral__unpack(NULL, o->len, o->bytes);
}

bool lib_seal_ask(struct ieum *c, struct outgoing *o)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	Ieum__V1__Referral *m = unpacked(o);
	bool asked = false;

	if (m && !seal_message_empty(m)) {
		reach.referral = m;
		query.what_case = IEUM__V1__QUERY__WHAT_REACH;
		query.reach = &reach;
		frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
		frame.query = &query;
		asked = lib_request_send(c, &o->request, &frame) == IEUM_E_OK;
	}
	if (m)
		ieum__v1__referral__free_unpacked(m, NULL);
	return asked;
}

enum ieum_err lib_seal_answered(struct ieum *c, struct outgoing *o, const Ieum__V1__Result *result,
				char why[IEUM_WHY_BYTES])
{
	const Ieum__V1__ReachResult *reach = result->reach;
	Ieum__V1__Referral *m = unpacked(o);
	enum ieum_err err =
		m ? seal_message_to(c->keyring, m, reach->readers, reach->n_readers, why)
		  : refuse(why, IEUM_E_NO_MEMORY);

	if (!err) {
		size_t len = ieum__v1__referral__get_packed_size(m);
		uint8_t *bytes = malloc(len);

		if (bytes) {
			ieum__v1__referral__pack(m, bytes);
			lib_submit_set_bytes(c, o, bytes, len);
			o->to_seal = false;
			o->sealings++;
		} else {
			err = refuse(why, IEUM_E_NO_MEMORY);
		}
	}
	if (m)
		ieum__v1__referral__free_unpacked(m, NULL);
	return err;
}

/* ---- submitting ---- */

/* A copy with an id and the wanted parts sealed to ourselves; *out is the caller's. */
static enum ieum_err closed_copy(struct ieum *c, const Ieum__V1__Referral *referral,
				 enum ieum_seal what, Ieum__V1__Referral **out,
				 char why[IEUM_WHY_BYTES])
{
	size_t len = ieum__v1__referral__get_packed_size(referral);
	uint8_t *bytes = OPENSSL_malloc(len ? len : 1);
	Ieum__V1__Referral *m = NULL;
	enum ieum_err err = IEUM_E_OK;

	if (bytes) {
		ieum__v1__referral__pack(referral, bytes);
		m = ieum__v1__referral__unpack(NULL, len, bytes);
		OPENSSL_clear_free(bytes, len);
	}
	if (!m)
		return refuse(why, IEUM_E_NO_MEMORY);
	if (m->envelope->message_id.len == 0) {
		m->envelope->message_id.data = malloc(IEUM_ID_BYTES);
		if (!m->envelope->message_id.data)
			err = refuse(why, IEUM_E_NO_MEMORY);
		else if ((err = lib_id_make(c, m->envelope->message_id.data)))
			refuse(why, err);
		else
			m->envelope->message_id.len = IEUM_ID_BYTES;
	}
	if (!err)
		err = seal_message_close(c->keyring, m, what, why);
	if (err)
		ieum__v1__referral__free_unpacked(m, NULL);
	else
		*out = m;
	return err;
}

enum ieum_err ieum_submit_sealed(struct ieum *c, const Ieum__V1__Referral *referral,
				 enum ieum_seal what, ieum_submit_cb *cb, void *arg,
				 uint8_t message_id[IEUM_ID_BYTES], char why[IEUM_WHY_BYTES])
{
	char reason[IEUM_WHY_BYTES];
	Ieum__V1__Referral *m;
	enum ieum_err err;

	if (!referral->envelope || !seal_message_wanted(referral, what))
		return ieum_submit(c, referral, cb, arg, message_id, why);
	if (!why)
		why = reason;
	err = closed_copy(c, referral, what, &m, why);
	if (err)
		return err;
	err = lib_submit(c, m, referral->envelope->message_id.len == 0, true, cb, arg, why);
	if (!err && message_id)
		memcpy(message_id, m->envelope->message_id.data, IEUM_ID_BYTES);
	ieum__v1__referral__free_unpacked(m, NULL);
	return err;
}

/* ---- opening ---- */

const struct ieum_keyring *ieum_keyring(const struct ieum *c)
{
	return c->keyring;
}

static void take(struct ieum_opened_part *to, struct seal_inside *inside)
{
	Ieum__V1__SealedContent *content = inside->content;

	to->content = content->content.data;
	to->len = content->content.len;
	content->content = (ProtobufCBinaryData){ 0 };
	snprintf(to->signer, sizeof to->signer, "%s", inside->signer.name);
	snprintf(to->actor, sizeof to->actor, "%s", inside->signer.actor);
}

enum ieum_err ieum_open(const struct ieum_keyring *keyring, const Ieum__V1__Referral *referral,
			const char *sender, int64_t received_at_ms, struct ieum_opened **out)
{
	size_t n = referral->n_narrative;
	struct ieum_opened *opened = calloc(1, sizeof *opened + n * sizeof opened->parts[0]);

	*out = opened;
	if (!opened)
		return IEUM_E_NO_MEMORY;
	opened->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct seal_outside of = { .message_id = referral->envelope->message_id,
						 .part = referral->narrative[i],
						 .sender = sender,
						 .at_ms = received_at_ms };
		struct ieum_opened_part *to = &opened->parts[i];
		struct seal_inside inside;

		if (of.part->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		to->sealed = true;
		to->err = seal_open(keyring, &of, &inside, to->why);
		if (!to->err)
			take(to, &inside);
		seal_inside_free(&inside);
	}
	return IEUM_E_OK;
}

void ieum_opened_free(struct ieum_opened *opened)
{
	if (!opened)
		return;
	for (size_t i = 0; i < opened->n; i++) {
		if (opened->parts[i].content)
			OPENSSL_cleanse(opened->parts[i].content, opened->parts[i].len);
		free(opened->parts[i].content);
	}
	free(opened);
}
