/* The sealed parts of a message on its way; see seal_message.h. */
#include "client/seal_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/uuid7.h"

/* ---- parts ---- */

bool seal_part_wanted(const Ieum__V1__NarrativePart *part, enum ieum_seal what)
{
	return part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR &&
	       (what == IEUM_SEAL_ALL ||
		part->subject != IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_UNSPECIFIED);
}

bool seal_message_wanted(const Ieum__V1__Referral *m, enum ieum_seal what)
{
	for (size_t i = 0; i < m->n_narrative; i++) {
		if (seal_part_wanted(m->narrative[i], what))
			return true;
	}
	return false;
}

static enum ieum_err refuse(char why[IEUM_WHY_BYTES], enum ieum_err err, const char *text)
{
	snprintf(why, IEUM_WHY_BYTES, "%s", text ? text : ieum_error((int)err)->text);
	return err;
}

/* Every sealed part has a number of its own. */
static enum ieum_err number(Ieum__V1__Referral *m, enum ieum_seal what, char why[IEUM_WHY_BYTES])
{
	bool taken[SEAL_PARTS_MAX + 1] = { true };
	uint32_t next = 1;

	for (size_t i = 0; i < m->n_narrative; i++) {
		uint32_t n = m->narrative[i]->number;

		if (n > SEAL_PARTS_MAX || (n && taken[n]))
			return refuse(why, IEUM_E_FIELD_INVALID,
				      "narrative: numbers of parts are 1 to 16, each once");
		taken[n] = true;
	}
	for (size_t i = 0; i < m->n_narrative; i++) {
		Ieum__V1__NarrativePart *part = m->narrative[i];

		if (part->number || !seal_part_wanted(part, what))
			continue;
		while (next <= SEAL_PARTS_MAX && taken[next])
			next++;
		if (next > SEAL_PARTS_MAX)
			return refuse(why, IEUM_E_FIELD_TOO_LARGE,
				      "narrative: at most 16 sealed parts in a message");
		taken[next] = true;
		part->number = next;
	}
	return IEUM_E_OK;
}

static void set_sealed(Ieum__V1__NarrativePart *part, uint8_t *bytes, size_t len)
{
	ProtobufCBinaryData *old = part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR
					   ? &part->clear
					   : &part->sealed;

	OPENSSL_cleanse(old->data, old->len);
	free(old->data);
	part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part->sealed = (ProtobufCBinaryData){ len, bytes };
}

/* The part as it is, with that content, sealed to these. */
static enum ieum_err seal_part(const struct ieum_keyring *k, const Ieum__V1__Referral *m,
			       Ieum__V1__NarrativePart *part, ProtobufCBinaryData content,
			       X509 *const *to, size_t n, char why[IEUM_WHY_BYTES])
{
	Ieum__V1__SealedContent inside = IEUM__V1__SEALED_CONTENT__INIT;
	struct buf out;
	uint8_t *bytes;
	enum ieum_err err;

	inside.message_id = m->envelope->message_id;
	inside.number = part->number;
	inside.media_type = part->media_type;
	inside.language = part->language;
	inside.subject = part->subject;
	inside.content = content;
	buf_init(&out, CODEC_PAYLOAD_MAX_BYTES);
	err = seal_make(k, &inside, to, n, &out, why);
	bytes = err ? NULL : malloc(buf_len(&out));
	if (bytes) {
		memcpy(bytes, buf_bytes(&out), buf_len(&out));
		set_sealed(part, bytes, buf_len(&out));
	} else if (!err) {
		err = refuse(why, IEUM_E_NO_MEMORY, NULL);
	}
	buf_release(&out);
	return err;
}

enum ieum_err seal_message_close(const struct ieum_keyring *k, Ieum__V1__Referral *m,
				 enum ieum_seal what, char why[IEUM_WHY_BYTES])
{
	X509 *own = keyring_certificate(k, 0);
	enum ieum_err err = number(m, what, why);

	for (size_t i = 0; i < m->n_narrative && !err; i++) {
		Ieum__V1__NarrativePart *part = m->narrative[i];

		if (seal_part_wanted(part, what))
			err = seal_part(k, m, part, part->clear, &own, 1, why);
	}
	return err;
}

/* ---- readers ---- */

/* Certificates that a part is sealed to; our own is not ours to free. */
struct recipients {
	X509 *at[SEAL_RECIPIENTS_MAX];
	size_t n;
};

static void recipients_free(struct recipients *r)
{
	for (size_t i = 1; i < r->n; i++)
		X509_free(r->at[i]);
}

/* Takes it. */
static void add(struct recipients *r, X509 *cert)
{
	for (size_t i = 0; i < r->n; i++) {
		if (X509_cmp(r->at[i], cert) == 0) {
			X509_free(cert);
			return;
		}
	}
	r->at[r->n++] = cert;
}

static bool reads(const Ieum__V1__ReachReader *reader, size_t part)
{
	for (size_t i = 0; i < reader->n_parts; i++) {
		if (reader->parts[i] == part)
			return true;
	}
	return false;
}

/* One that can't be trusted is left out as long as the reader has another.  With very many readers
 * each gets its share of the room, the newest first: they were seen last. */
static enum ieum_err add_reader(const struct ieum_keyring *k, const Ieum__V1__ReachReader *reader,
				size_t share, struct recipients *r, char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK, worst = IEUM_E_OK;
	size_t good = 0;
	X509 *cert;

	for (size_t i = reader->n_certificates; i > 0 && good < share; i--) {
		const ProtobufCBinaryData *der = &reader->certificates[i - 1];

		err = keyring_recipient(k, der->data, der->len, reader->participant, &cert, why);
		if (err) {
			worst = err;
		} else {
			add(r, cert);
			good++;
		}
	}
	return good > 0 ? IEUM_E_OK : worst;
}

static enum ieum_err find_recipients(const struct ieum_keyring *k,
				     Ieum__V1__ReachReader *const *readers, size_t n, size_t part,
				     size_t room, struct recipients *r, char why[IEUM_WHY_BYTES])
{
	size_t share = n > 0 && n < room ? (room - 1) / n : 1;
	enum ieum_err err = IEUM_E_OK;

	*r = (struct recipients){ .at = { keyring_certificate(k, 0) }, .n = 1 };
	for (size_t i = 0; i < n && !err; i++) {
		if (!reads(readers[i], part))
			continue;
		err = r->n < room ? add_reader(k, readers[i], share, r, why)
				  : refuse(why, IEUM_E_FIELD_TOO_LARGE,
					   "narrative: too many readers to seal it to");
	}
	return err;
}

/* Certificates that each sealed part can have. */
static size_t room_of(const Ieum__V1__Referral *m)
{
	size_t sealed = 0, room = SEAL_RECIPIENTS_MAX;

	for (size_t i = 0; i < m->n_narrative; i++)
		sealed += m->narrative[i]->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	if (sealed > 0 && SEAL_MESSAGE_RECIPIENTS_MAX / sealed < room)
		room = SEAL_MESSAGE_RECIPIENTS_MAX / sealed;
	return room;
}

/* At the time of its id: it may have waited longer than the certificate was valid.  But the clock
 * may have been wrong then, so now counts as well.  *inside is empty where somebody else has sealed
 * it. */
static enum ieum_err open_own(const struct ieum_keyring *k, const Ieum__V1__Referral *m,
			      const Ieum__V1__NarrativePart *part, struct seal_inside *inside,
			      char why[IEUM_WHY_BYTES])
{
	struct tls_identity own;
	struct seal_outside of = { .message_id = m->envelope->message_id,
				   .part = part,
				   .sender = own.name,
				   .at_ms = (int64_t)uuid7_ms(m->envelope->message_id.data) };
	enum ieum_err err;

	keyring_own(k, &own);
	err = seal_open(k, &of, inside, why);
	if (err && err != IEUM_E_NO_MEMORY) {
		of.at_ms = 0;
		err = seal_open(k, &of, inside, why);
	}
	if (err == IEUM_E_NO_MEMORY)
		return err;
	return IEUM_E_OK;
}

enum ieum_err seal_message_rename(const struct ieum_keyring *k, Ieum__V1__Referral *m,
				  const uint8_t *id, char why[IEUM_WHY_BYTES])
{
	uint8_t old[UUID_BYTES];
	X509 *own = keyring_certificate(k, 0);
	enum ieum_err err = IEUM_E_OK;
	struct seal_inside inside;

	memcpy(old, m->envelope->message_id.data, sizeof old);
	for (size_t i = 0; i < m->n_narrative && !err; i++) {
		Ieum__V1__NarrativePart *part = m->narrative[i];

		if (part->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		memcpy(m->envelope->message_id.data, old, sizeof old);
		err = open_own(k, m, part, &inside, why);
		if (!err && !inside.content)
			err = refuse(why, IEUM_E_KEY_MISSING,
				     "a part that we can't open is bound to the message's id");
		memcpy(m->envelope->message_id.data, id, sizeof old);
		if (!err)
			err = seal_part(k, m, part, inside.content->content, &own, 1, why);
		seal_inside_free(&inside);
	}
	memcpy(m->envelope->message_id.data, id, sizeof old);
	return err;
}

enum ieum_err seal_message_to(const struct ieum_keyring *k, Ieum__V1__Referral *m,
			      Ieum__V1__ReachReader *const *readers, size_t n,
			      char why[IEUM_WHY_BYTES])
{
	enum ieum_err err = IEUM_E_OK;
	struct recipients to;
	struct seal_inside inside;
	size_t ours = 0;

	for (size_t i = 0; i < m->n_narrative && !err; i++) {
		Ieum__V1__NarrativePart *part = m->narrative[i];

		if (part->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED)
			continue;
		err = open_own(k, m, part, &inside, why);
		if (err || !inside.content)
			continue;
		err = find_recipients(k, readers, n, i, room_of(m), &to, why);
		if (!err)
			err = seal_part(k, m, part, inside.content->content, to.at, to.n, why);
		recipients_free(&to);
		seal_inside_free(&inside);
		ours++;
	}
	if (!err && ours == 0)
		err = refuse(why, IEUM_E_KEY_MISSING,
			     "what waits sealed to ourselves opens by no key that we have now: is "
			     "the pair of that time among the old keys?");
	return err;
}

/* ---- asking ---- */

enum ieum_err seal_message_empty(Ieum__V1__Referral *m)
{
	for (size_t i = 0; i < m->n_narrative; i++) {
		Ieum__V1__NarrativePart *part = m->narrative[i];
		uint8_t *something;

		if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_SEALED) {
			free(part->sealed.data);
			part->sealed = (ProtobufCBinaryData){ 0 };
			part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT__NOT_SET;
		} else if (part->content_case == IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR) {
			something = malloc(1);
			if (!something)
				return IEUM_E_NO_MEMORY;
			*something = '-';
			free(part->clear.data);
			part->clear = (ProtobufCBinaryData){ 1, something };
		}
	}
	return IEUM_E_OK;
}
