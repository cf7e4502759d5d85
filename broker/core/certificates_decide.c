/* What is decided about certificates: that one is seen, that one is known no more, and whom its end
 * is told; see certificates.h. */
#include <string.h>

#include "broker/core/certificates_in.h"
#include "broker/core/occasion.h"

/* ---- seen ---- */

static ProtobufCBinaryData copy_bytes(struct core_decision *d, const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, len ? arena_copy(&d->arena, bytes, len) : NULL };
}

static char *copy_text(struct core_decision *d, const char *text)
{
	return arena_copy(&d->arena, text, strlen(text) + 1);
}

static enum ieum_err add_seen(struct core_decision *d, Ieum__V1__CertificatesChanged *e,
			      const struct core_certificate *k)
{
	Ieum__V1__SeenCertificate *seen = decision_zalloc(d, sizeof *seen);

	if (!e->seen)
		e->seen = decision_zalloc(d, CORE_OWN_CERTIFICATES_MAX * sizeof *e->seen);
	if (!seen || !e->seen)
		return IEUM_E_NO_MEMORY;
	*seen = (Ieum__V1__SeenCertificate)IEUM__V1__SEEN_CERTIFICATE__INIT;
	seen->participant = k->participant;
	seen->matter = k->matter;
	seen->der = copy_bytes(d, k->der, k->der_len);
	seen->key_id = copy_bytes(d, k->key_id, k->key_id_len);
	if (k->participant)
		seen->issuer_serial = copy_bytes(d, k->issuer_serial, CORE_HASH_BYTES);
	seen->fingerprint = copy_bytes(d, k->fingerprint, CORE_HASH_BYTES);
	seen->ends_at_ms = k->ends_at_ms;
	seen->actor = copy_text(d, k->actor);
	seen->serial = copy_text(d, k->serial);
	e->seen[e->n_seen++] = seen;
	return seen->actor && seen->serial && seen->fingerprint.data &&
			       (!k->der_len || seen->der.data) &&
			       (!k->key_id_len || seen->key_id.data) &&
			       (!k->participant || seen->issuer_serial.data)
		       ? IEUM_E_OK
		       : IEUM_E_NO_MEMORY;
}

static enum ieum_err add_gone(struct core_decision *d, Ieum__V1__CertificatesChanged *e,
			      const uint8_t fingerprint[CORE_HASH_BYTES])
{
	if (!e->gone)
		e->gone = decision_zalloc(d, CORE_CERTIFICATES_PER_PARTICIPANT * sizeof *e->gone);
	if (!e->gone)
		return IEUM_E_NO_MEMORY;
	e->gone[e->n_gone] = copy_bytes(d, fingerprint, CORE_HASH_BYTES);
	return e->gone[e->n_gone++].data ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

/* The one that ends first makes room, which a renewed one does; 0: there is room.  False: none of
 * them ends before the new one.  Of those that end in the same second (one `ieum-certs batch`) the
 * first to come stay: if they made room for each other, each of them would be new whenever it came
 * back, and everybody would be told of its end again and asked for keys again. */
static bool make_room(const struct core *c, const struct core_certificate *new, uint32_t *out)
{
	const struct certificate_list *list = &c->participants[new->participant - 1].certificates;
	int64_t first_ms = new->ends_at_ms;

	*out = 0;
	if (list->n < CORE_CERTIFICATES_PER_PARTICIPANT)
		return true;
	for (uint32_t h = list->head; h; h = certificate_at(c, h)->next) {
		if (certificate_at(c, h)->ends_at_ms >= first_ms)
			continue;
		first_ms = certificate_at(c, h)->ends_at_ms;
		*out = h;
	}
	return *out != 0;
}

enum ieum_err certificates_seen(const struct core *c, uint32_t participant,
				const struct core_certificate *seen, core_time_us now,
				struct core_decision *d)
{
	uint32_t known = certificate_find(c, seen->fingerprint);
	struct core_certificate new = *seen;
	uint32_t leaves;

	new.participant = participant;
	new.matter = IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_PARTICIPANT;
	if ((known && certificate_at(c, known)->participant == participant) || new.der_len == 0 ||
	    new.der_len > CORE_CERTIFICATE_BYTES_MAX || new.ends_at_ms <= to_ms(now) ||
	    !make_room(c, &new, &leaves))
		return IEUM_E_OK;
	Ieum__V1__CertificatesChanged *e = decision_certificates_changed(d, now);
	enum ieum_err err = e ? add_seen(d, e, &new) : IEUM_E_NO_MEMORY;
	/* It is this participant's now. */
	if (!err && known)
		err = add_gone(d, e, certificate_at(c, known)->fingerprint);
	if (!err && leaves)
		err = add_gone(d, e, certificate_at(c, leaves)->fingerprint);
	return err;
}

enum ieum_err core_decide_certificates_gone(const struct core *c,
					    const uint8_t (*fingerprints)[CORE_HASH_BYTES],
					    size_t n, core_time_us now, struct core_decision *d)
{
	Ieum__V1__CertificatesChanged *e = NULL;
	enum ieum_err err = IEUM_E_OK;

	if (n > CORE_CERTIFICATES_PER_PARTICIPANT)
		return IEUM_E_INTERNAL;
	for (size_t i = 0; i < n && !err; i++) {
		if (!certificate_find(c, fingerprints[i]))
			continue;
		if (!e)
			e = decision_certificates_changed(d, now);
		err = e ? add_gone(d, e, fingerprints[i]) : IEUM_E_NO_MEMORY;
	}
	return err;
}

/* ---- the hub's own ---- */

static bool is_among(const struct core_certificate *own, size_t n,
		     const uint8_t fingerprint[CORE_HASH_BYTES])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(own[i].fingerprint, fingerprint, CORE_HASH_BYTES) == 0)
			return true;
	return false;
}

enum ieum_err core_decide_own_certificates(const struct core *c, const struct core_certificate *own,
					   size_t n, core_time_us now, struct core_decision *d)
{
	Ieum__V1__CertificatesChanged *e = NULL;
	enum ieum_err err = IEUM_E_OK;

	if (n > CORE_OWN_CERTIFICATES_MAX)
		return IEUM_E_INTERNAL;
	for (uint32_t h = c->certificates.own.head; h && !err; h = certificate_at(c, h)->next) {
		const uint8_t *fingerprint = certificate_at(c, h)->fingerprint;
		if (is_among(own, n, fingerprint))
			continue;
		if (!e)
			e = decision_certificates_changed(d, now);
		err = e ? add_gone(d, e, fingerprint) : IEUM_E_NO_MEMORY;
	}
	for (size_t i = 0; i < n && !err; i++) {
		uint32_t known = certificate_find(c, own[i].fingerprint);
		if (known && certificate_at(c, known)->participant == 0)
			continue;
		if (!e)
			e = decision_certificates_changed(d, now);
		err = e ? add_seen(d, e, &own[i]) : IEUM_E_NO_MEMORY;
		if (!err && known)
			err = add_gone(d, e, own[i].fingerprint);
	}
	return err;
}

/* ---- time ---- */

/* Renewed: whoever has it comes with another one that is good for longer. */
static bool is_followed(const struct core *c, const struct certificate *k)
{
	if (!k->participant)
		return false;
	for (uint32_t h = c->participants[k->participant - 1].certificates.head; h;
	     h = certificate_at(c, h)->next) {
		const struct certificate *other = certificate_at(c, h);
		if (other->ends_at_ms > k->ends_at_ms && strcmp(other->actor, k->actor) == 0)
			return true;
	}
	return false;
}

/* The participant, and whoever looks after the hub. */
static enum ieum_err address(const struct occasion *o, struct hub_message *m, int participant)
{
	const struct policy_participant *who = policy_participant(o->p, participant);
	enum ieum_err err = IEUM_E_OK;

	if (who)
		err = hub_message_to(o, m, policy_mailbox(o->p, who->mailbox)->number,
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	for (size_t i = 0; i < policy_participants(o->p) && !err; i++) {
		const struct policy_participant *operator= policy_participant(o->p, (int)i);
		if (operator->views & POLICY_VIEW_QUEUES)
			err = hub_message_to(o, m, policy_mailbox(o->p, operator->mailbox)->number,
					     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	}
	return err;
}

static enum ieum_err tell(const struct occasion *o, const struct certificate *k)
{
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CERTIFICATE_NOTICE);

	if (!m)
		return IEUM_E_NO_MEMORY;
	Ieum__V1__CertificateNotice *body = m->referral.certificate_notice;
	body->matter = (Ieum__V1__CertificateMatter)k->matter;
	body->participant = (char *)state_participant_name(o->c, k->participant);
	body->actor = k->actor;
	body->serial = (char *)k->serial;
	body->ends_at_ms = k->ends_at_ms;
	enum ieum_err err = address(o, m, state_policy_participant(o->c, o->p, k->participant));
	return err ? err : hub_message_end(o, m);
}

/* How many days ahead of the end it is: what is told now.  Of several that have passed meanwhile
 * the last only. */
static uint8_t days_now(const struct certificate *k, int64_t now_ms)
{
	size_t n;
	const uint8_t *days = certificate_days(k, &n);
	size_t i = n - 1;

	while (i > 0 && k->ends_at_ms - days[i] * CERTIFICATE_DAY_MS > now_ms)
		i--;
	return days[i];
}

static enum ieum_err add_told(struct core_decision *d, Ieum__V1__CertificatesChanged *e,
			      const struct certificate *k, uint8_t days)
{
	Ieum__V1__CertificateTold *told = decision_zalloc(d, sizeof *told);

	e->told = decision_zalloc(d, sizeof *e->told);
	if (!told || !e->told)
		return IEUM_E_NO_MEMORY;
	*told = (Ieum__V1__CertificateTold)IEUM__V1__CERTIFICATE_TOLD__INIT;
	told->fingerprint = copy_bytes(d, k->fingerprint, CORE_HASH_BYTES);
	told->days = days;
	e->told[e->n_told++] = told;
	return told->fingerprint.data ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

enum ieum_err certificates_due(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->certificates.due);
	struct occasion o;

	if (!first || (int64_t)first->key > to_ms(now))
		return IEUM_E_OK;
	const struct certificate *k = certificate_at(c, first->item);
	uint8_t days = days_now(k, to_ms(now));
	Ieum__V1__CertificatesChanged *e = decision_certificates_changed(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	/* The hub's own stay known, so that a restart doesn't tell of them again. */
	enum ieum_err err = days == 0 && k->participant ? add_gone(d, e, k->fingerprint)
							: add_told(d, e, k, days);
	if (err || is_followed(c, k))
		return err;
	err = occasion_of_time(c, p, d, now, 0, &o);
	return err ? err : tell(&o, k);
}

/* ---- for those outside of the core ---- */

bool core_certificate(const struct core *c, const uint8_t fingerprint[CORE_HASH_BYTES],
		      struct core_certificate *out)
{
	uint32_t h = certificate_find(c, fingerprint);

	if (h)
		*out = certificate_shown(certificate_at(c, h));
	return h != 0;
}

size_t core_certificates(const struct core *c, uint32_t participant, struct core_certificate *out,
			 size_t max)
{
	return certificates_of(c, participant, INT64_MIN, out, max);
}

uint32_t core_participants(const struct core *c)
{
	return c->n_participants;
}

const char *core_participant_name(const struct core *c, uint32_t number)
{
	return state_participant_name(c, number);
}
