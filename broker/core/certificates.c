/* The known certificates as a part of the state; see certificates.h. */
#include "broker/core/certificates.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/certificates_in.h"
#include "broker/core/snapshot.h"

static void certificate_placed(void *core, uint32_t certificate, uint32_t place)
{
	certificate_at(core, certificate)->place = place;
}

void certificates_init(struct core *c)
{
	slab_init(&c->certificates.records, sizeof(struct certificate));
	heap_init(&c->certificates.due, certificate_placed, c);
}

static void free_owned(struct certificate *k)
{
	free(k->der);
	free(k->actor);
}

void certificates_deinit(struct core *c)
{
	for (uint32_t h = c->certificates.own.head; h; h = certificate_at(c, h)->next)
		free_owned(certificate_at(c, h));
	for (uint32_t i = 0; i < c->n_participants; i++)
		for (uint32_t h = c->participants[i].certificates.head; h;
		     h = certificate_at(c, h)->next)
			free_owned(certificate_at(c, h));
	slab_deinit(&c->certificates.records);
	lookup_deinit(&c->certificates.ids);
	heap_deinit(&c->certificates.due);
}

/* ---- looking ---- */

static uint64_t id_hash(const struct core *c, const uint8_t *id, size_t len)
{
	uint64_t words[2] = { 0, len };

	memcpy(words, id, len < sizeof words ? len : sizeof words);
	return lookup_hash(c->seed, words[0], words[1]);
}

uint32_t certificate_find(const struct core *c, const uint8_t fingerprint[CORE_HASH_BYTES])
{
	struct lookup_probe probe;

	for (uint32_t h = lookup_first(&c->certificates.ids,
				       id_hash(c, fingerprint, CORE_HASH_BYTES), &probe);
	     h; h = lookup_next(&probe))
		if (memcmp(certificate_at(c, h)->fingerprint, fingerprint, CORE_HASH_BYTES) == 0)
			return h;
	return 0;
}

static bool is_named(const struct certificate *k, const uint8_t *id, size_t len, bool by_key_id)
{
	if (by_key_id)
		return k->key_id_len == len && memcmp(k->key_id, id, len) == 0;
	return len == CORE_HASH_BYTES && memcmp(k->issuer_serial, id, len) == 0;
}

size_t certificates_named(const struct core *c, uint32_t participant, const uint8_t *id, size_t len,
			  bool by_key_id, int64_t now_ms, uint64_t *out, size_t max)
{
	size_t n = 0;

	for (uint32_t h = c->participants[participant - 1].certificates.head; h && n < max;
	     h = certificate_at(c, h)->next) {
		const struct certificate *k = certificate_at(c, h);
		if (is_named(k, id, len, by_key_id) && k->ends_at_ms > now_ms)
			out[n++] = certificate_identifier(k->fingerprint);
	}
	return n;
}

uint32_t certificates_holder(const struct core *c, const uint8_t *id, size_t len, bool by_key_id,
			     int64_t now_ms, uint32_t after)
{
	struct lookup_probe probe;
	uint32_t lowest = 0;

	if (len == 0 || len > CORE_HASH_BYTES)
		return 0;
	for (uint32_t h = lookup_first(&c->certificates.ids, id_hash(c, id, len), &probe); h;
	     h = lookup_next(&probe)) {
		const struct certificate *k = certificate_at(c, h);
		if (is_named(k, id, len, by_key_id) && k->ends_at_ms > now_ms &&
		    k->participant > after && (!lowest || k->participant < lowest))
			lowest = k->participant;
	}
	return lowest;
}

struct core_certificate certificate_shown(const struct certificate *k)
{
	return (struct core_certificate){
		.participant = k->participant,
		.matter = (Ieum__V1__CertificateMatter)k->matter,
		.der = k->der,
		.der_len = k->der_len,
		.fingerprint = k->fingerprint,
		.key_id = k->key_id,
		.key_id_len = k->key_id_len,
		.issuer_serial = k->issuer_serial,
		.ends_at_ms = k->ends_at_ms,
		.actor = k->actor,
		.serial = k->serial,
	};
}

size_t certificates_of(const struct core *c, uint32_t participant, int64_t now_ms,
		       struct core_certificate *out, size_t max)
{
	size_t n = 0;

	if (participant == 0 || participant > c->n_participants)
		return 0;
	for (uint32_t h = c->participants[participant - 1].certificates.head; h && n < max;
	     h = certificate_at(c, h)->next)
		if (certificate_at(c, h)->ends_at_ms > now_ms)
			out[n++] = certificate_shown(certificate_at(c, h));
	return n;
}

uint64_t certificate_identifier(const uint8_t fingerprint[CORE_HASH_BYTES])
{
	uint64_t id = 0;

	for (size_t i = 0; i < sizeof id; i++)
		id = id << 8 | fingerprint[i];
	return id;
}

uint64_t certificates_newest(const struct core *c, uint32_t participant)
{
	uint32_t h = c->participants[participant - 1].certificates.tail;

	return h ? certificate_identifier(certificate_at(c, h)->fingerprint) : 0;
}

/* ---- when something has to be told ---- */

/* Days ahead, the soonest first; the last is the end itself. */
static const uint8_t days_of_certificate[] = { 30, 7, 1, 0 };
static const uint8_t days_of_list[] = { 3, 1, 0 };

const uint8_t *certificate_days(const struct certificate *k, size_t *n)
{
	bool list = k->matter == IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_REVOCATION_LIST;

	*n = list ? sizeof days_of_list : sizeof days_of_certificate;
	return list ? days_of_list : days_of_certificate;
}

int64_t certificate_next_ms(const struct certificate *k)
{
	size_t n;
	const uint8_t *days = certificate_days(k, &n);

	for (size_t i = 0; i < n; i++)
		if (days[i] < k->told)
			return k->ends_at_ms - days[i] * CERTIFICATE_DAY_MS;
	return 0;
}

int64_t certificates_next_due_ms(const struct core *c)
{
	const struct heap_entry *first = heap_first(&c->certificates.due);

	return first ? (int64_t)first->key : INT64_MAX;
}

/* Equal moments in an order that is the same in every core. */
static uint64_t tie_of(const struct certificate *k)
{
	uint64_t tie;

	memcpy(&tie, k->fingerprint, sizeof tie);
	return tie;
}

static enum ieum_err place(struct core *c, uint32_t h)
{
	struct certificate *k = certificate_at(c, h);
	int64_t next_ms = certificate_next_ms(k);

	if (k->place && !next_ms)
		heap_remove(&c->certificates.due, k->place);
	else if (k->place)
		heap_rekey(&c->certificates.due, k->place, (uint64_t)next_ms, tie_of(k));
	else if (next_ms)
		return heap_push(&c->certificates.due, (uint64_t)next_ms, tie_of(k), h);
	return IEUM_E_OK;
}

/* ---- applying ---- */

static struct certificate_list *list_of(struct core *c, uint32_t participant)
{
	return participant ? &c->participants[participant - 1].certificates : &c->certificates.own;
}

static void drop(struct core *c, uint32_t h)
{
	struct certificate *k = certificate_at(c, h);
	struct certificate_list *list = list_of(c, k->participant);

	*(k->prev ? &certificate_at(c, k->prev)->next : &list->head) = k->next;
	*(k->next ? &certificate_at(c, k->next)->prev : &list->tail) = k->prev;
	list->n--;
	lookup_remove(&c->certificates.ids, id_hash(c, k->fingerprint, CORE_HASH_BYTES), h);
	if (k->participant) {
		lookup_remove(&c->certificates.ids, id_hash(c, k->issuer_serial, CORE_HASH_BYTES),
			      h);
		if (k->key_id_len)
			lookup_remove(&c->certificates.ids, id_hash(c, k->key_id, k->key_id_len),
				      h);
	}
	if (k->place)
		heap_remove(&c->certificates.due, k->place);
	free_owned(k);
	slab_put(&c->certificates.records, h);
}

static bool is_sound(const struct core *c, const Ieum__V1__SeenCertificate *e)
{
	bool of_somebody =
		e->participant > 0 && e->participant <= c->n_participants &&
		e->matter == IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_PARTICIPANT &&
		e->der.len > 0 && e->der.len <= CORE_CERTIFICATE_BYTES_MAX &&
		e->issuer_serial.len == CORE_HASH_BYTES;
	bool of_hub =
		e->participant == 0 && e->der.len == 0 &&
		(e->matter == IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_HUB ||
		 e->matter == IEUM__V1__CERTIFICATE_MATTER__CERTIFICATE_MATTER_REVOCATION_LIST);

	return (of_somebody || of_hub) && e->fingerprint.len == CORE_HASH_BYTES &&
	       e->key_id.len <= CORE_HASH_BYTES && strlen(e->serial) < CERTIFICATE_SERIAL_BYTES &&
	       !certificate_find(c, e->fingerprint.data);
}

static enum ieum_err fill(struct certificate *k, const Ieum__V1__SeenCertificate *e)
{
	memcpy(k->fingerprint, e->fingerprint.data, CORE_HASH_BYTES);
	if (e->issuer_serial.len == CORE_HASH_BYTES)
		memcpy(k->issuer_serial, e->issuer_serial.data, CORE_HASH_BYTES);
	k->key_id_len = (uint8_t)e->key_id.len;
	if (e->key_id.len)
		memcpy(k->key_id, e->key_id.data, e->key_id.len);
	memcpy(k->serial, e->serial, strlen(e->serial) + 1);
	k->matter = (uint8_t)e->matter;
	k->participant = e->participant;
	k->ends_at_ms = e->ends_at_ms;
	k->actor = strdup(e->actor);
	k->der_len = e->der.len;
	k->der = malloc(e->der.len + 1);
	if (!k->actor || !k->der)
		return IEUM_E_NO_MEMORY;
	if (e->der.len)
		memcpy(k->der, e->der.data, e->der.len);
	return IEUM_E_OK;
}

static enum ieum_err add_ids(struct core *c, uint32_t h)
{
	const struct certificate *k = certificate_at(c, h);
	enum ieum_err err =
		lookup_add(&c->certificates.ids, id_hash(c, k->fingerprint, CORE_HASH_BYTES), h);

	if (!err && k->participant)
		err = lookup_add(&c->certificates.ids,
				 id_hash(c, k->issuer_serial, CORE_HASH_BYTES), h);
	if (!err && k->participant && k->key_id_len)
		err = lookup_add(&c->certificates.ids, id_hash(c, k->key_id, k->key_id_len), h);
	return err;
}

static enum ieum_err add(struct core *c, const Ieum__V1__SeenCertificate *e, uint32_t told)
{
	if (!is_sound(c, e) || told > CERTIFICATE_UNTOLD)
		return IEUM_E_JOURNAL_CORRUPT;
	struct certificate_list *list = list_of(c, e->participant);
	if (list->n == CORE_CERTIFICATES_PER_PARTICIPANT)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = slab_get(&c->certificates.records);
	if (!h)
		return IEUM_E_NO_MEMORY;
	struct certificate *k = certificate_at(c, h);
	enum ieum_err err = fill(k, e);
	k->told = (uint8_t)told;
	k->prev = list->tail;
	*(list->tail ? &certificate_at(c, list->tail)->next : &list->head) = h;
	list->tail = h;
	list->n++;
	if (!err)
		err = add_ids(c, h);
	return err ? err : place(c, h);
}

static enum ieum_err apply_told(struct core *c, const Ieum__V1__CertificateTold *e)
{
	uint32_t h = e->fingerprint.len == CORE_HASH_BYTES
			     ? certificate_find(c, e->fingerprint.data)
			     : 0;

	if (!h || e->days >= certificate_at(c, h)->told)
		return IEUM_E_JOURNAL_CORRUPT;
	certificate_at(c, h)->told = (uint8_t)e->days;
	return place(c, h);
}

/* First what goes: its place may be another's in the same event. */
enum ieum_err apply_certificates_changed(struct core *c, const Ieum__V1__CertificatesChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_gone; i++) {
		uint32_t h = e->gone[i].len == CORE_HASH_BYTES
				     ? certificate_find(c, e->gone[i].data)
				     : 0;
		if (!h)
			return IEUM_E_JOURNAL_CORRUPT;
		drop(c, h);
	}
	for (size_t i = 0; i < e->n_seen && !err; i++)
		err = add(c, e->seen[i], CERTIFICATE_UNTOLD);
	for (size_t i = 0; i < e->n_told && !err; i++)
		err = apply_told(c, e->told[i]);
	return err;
}

/* ---- snapshots, checking ---- */

static enum ieum_err write_list(struct snapshot_writing *w, uint32_t h)
{
	enum ieum_err err = IEUM_E_OK;

	for (; h && !err; h = certificate_at(w->c, h)->next) {
		struct certificate *k = certificate_at(w->c, h);
		Ieum__V1__SnapshotCertificate m = IEUM__V1__SNAPSHOT_CERTIFICATE__INIT;
		Ieum__V1__SeenCertificate seen = IEUM__V1__SEEN_CERTIFICATE__INIT;
		seen.participant = k->participant;
		seen.matter = (Ieum__V1__CertificateMatter)k->matter;
		seen.der = (ProtobufCBinaryData){ k->der_len, k->der };
		seen.key_id = (ProtobufCBinaryData){ k->key_id_len, k->key_id };
		if (k->participant)
			seen.issuer_serial =
				(ProtobufCBinaryData){ CORE_HASH_BYTES, k->issuer_serial };
		seen.fingerprint = (ProtobufCBinaryData){ CORE_HASH_BYTES, k->fingerprint };
		seen.ends_at_ms = k->ends_at_ms;
		seen.actor = k->actor;
		seen.serial = k->serial;
		m.seen = &seen;
		m.told = k->told;
		err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_CERTIFICATE, &m);
	}
	return err;
}

enum ieum_err certificates_write(struct snapshot_writing *w)
{
	enum ieum_err err = write_list(w, w->c->certificates.own.head);

	for (uint32_t i = 0; i < w->c->n_participants && !err; i++)
		err = write_list(w, w->c->participants[i].certificates.head);
	return err;
}

enum ieum_err certificates_read(struct core *c, const Ieum__V1__SnapshotCertificate *m)
{
	return m->seen ? add(c, m->seen, m->told) : IEUM_E_JOURNAL_CORRUPT;
}

static const char *check_one(const struct core *c, uint32_t h, uint32_t participant)
{
	const struct certificate *k = certificate_at(c, h);
	int64_t next_ms = certificate_next_ms(k);

	if (k->participant != participant)
		return "a certificate is listed of another participant";
	if (certificate_find(c, k->fingerprint) != h)
		return "a certificate is not found by its fingerprint";
	if (participant && certificates_holder(c, k->issuer_serial, CORE_HASH_BYTES, false,
					       k->ends_at_ms - 1, participant - 1) != participant)
		return "a certificate is not found by its issuer and serial number";
	if (participant && k->key_id_len &&
	    certificates_holder(c, k->key_id, k->key_id_len, true, k->ends_at_ms - 1,
				participant - 1) != participant)
		return "a certificate is not found by its key";
	if ((next_ms != 0) != (k->place != 0))
		return "of a certificate something has to be told and it is not due, or the reverse";
	if (k->place && (int64_t)c->certificates.due.entries[k->place - 1].key != next_ms)
		return "a certificate is due at another moment than it says";
	return NULL;
}

const char *certificates_check(const struct core *c)
{
	uint32_t n = 0, placed = 0;

	for (uint32_t i = 0; i <= c->n_participants; i++) {
		const struct certificate_list *list =
			i ? &c->participants[i - 1].certificates : &c->certificates.own;
		uint32_t listed = 0;
		for (uint32_t h = list->head; h; h = certificate_at(c, h)->next) {
			const char *wrong = check_one(c, h, i);
			if (wrong)
				return wrong;
			listed++;
			placed += certificate_at(c, h)->place != 0;
		}
		if (listed != list->n || listed > CORE_CERTIFICATES_PER_PARTICIPANT)
			return "a participant has another number of certificates than it says";
		n += listed;
	}
	if (n != c->certificates.records.live || placed != c->certificates.due.n)
		return "certificates are known of nobody";
	return NULL;
}
