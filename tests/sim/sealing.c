/* Keys of simulated agencies; see sealing.h. */
#include "tests/sim/sealing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/store.h"
#include "client/seal_message.h"
#include "proto/codec.h"
#include "proto/tls_session.h"

enum { PEOPLE_MAX = 4096, MESSAGES_MAX = 256, PATH_BYTES = 512, YEARS_S = 5 * 365 * 86400 };

struct person {
	char uri[256];
	struct ieum_keyring *keys;
};

/* Of this process: a key is made once. */
static struct {
	char dir[64];
	struct store store;
	struct person people[PEOPLE_MAX];
	size_t n;
} office;

struct kept {
	uint8_t id[CORE_ID_BYTES];
	char sender[TLS_LABEL_MAX_BYTES + 1];
	uint8_t *bytes;
	size_t len;
};

struct sealing {
	const char *hub;
	struct kept kept[MESSAGES_MAX];
	size_t n_kept;
};

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "sealing: %s: %s\n", what, why);
	abort();
}

/* ---- keys ---- */

static void close_office(void)
{
	char command[128];

	for (size_t i = 0; i < office.n; i++)
		ieum_keyring_free(office.people[i].keys);
	store_close(&office.store);
	snprintf(command, sizeof command, "rm -r %s", office.dir);
	if (system(command)) /* NOLINT(cert-env33-c): a folder of our own */
		fprintf(stderr, "%s is left\n", office.dir);
}

/* Simulated clocks are years away from this machine's: valid at both. */
static int64_t valid_from_s(void)
{
	return (int64_t)time(NULL) - YEARS_S;
}

static void open_office(void)
{
	char why[CERTS_WHY_BYTES];
	enum stored what;

	if (office.dir[0])
		return;
	snprintf(office.dir, sizeof office.dir, "/tmp/ieum-sealing-XXXXXX");
	if (!mkdtemp(office.dir))
		give_up("mkdtemp", office.dir);
	if (store_open(office.dir, false, &office.store, why) ||
	    store_ca_load_or_make(&office.store, "simulated", valid_from_s(),
				  (int)(2 * (int64_t)YEARS_S / 86400), &what, why))
		give_up("authority", why);
	atexit(close_office);
}

static struct ieum_keyring *make_keys(const char *file, const char *uri)
{
	char cert[PATH_BYTES], key[PATH_BYTES], ca[PATH_BYTES], san[300], why[IEUM_WHY_BYTES];
	const struct wish wish = { .cn = "workstation-1",
				   .san = san,
				   .usage = "clientAuth",
				   .not_before_s = valid_from_s(),
				   .not_after_s = valid_from_s() + 2 * (int64_t)YEARS_S };
	const struct ieum_options options = { .cert = cert, .key = key, .ca = ca };
	struct ieum_keyring *keys = NULL;
	enum stored what;

	snprintf(san, sizeof san, "URI:%s", uri);
	if (store_issue(&office.store, &office.store, file, &wish, &what, why))
		give_up(uri, why);
	snprintf(cert, sizeof cert, "%s/%s.crt", office.dir, file);
	snprintf(key, sizeof key, "%s/%s.key", office.dir, file);
	snprintf(ca, sizeof ca, "%s/ca.crt", office.dir);
	if (ieum_keyring_new(&options, &keys, why))
		give_up(uri, why);
	return keys;
}

static struct ieum_keyring *keys_of_uri(const char *uri)
{
	char file[64];

	open_office();
	for (size_t i = 0; i < office.n; i++) {
		if (strcmp(office.people[i].uri, uri) == 0)
			return office.people[i].keys;
	}
	if (office.n == PEOPLE_MAX)
		give_up(uri, "too many agencies");
	struct person *p = &office.people[office.n];
	snprintf(p->uri, sizeof p->uri, "%s", uri);
	snprintf(file, sizeof file, "participants/%zu", office.n);
	p->keys = make_keys(file, uri);
	office.n++;
	return p->keys;
}

/* Made by sealing_certificate() when it connected. */
static struct ieum_keyring *keys_of(const struct sealing *s, const char *who)
{
	char prefix[256];

	snprintf(prefix, sizeof prefix, "spiffe://%s/", s->hub);
	for (size_t i = 0; i < office.n; i++) {
		const char *uri = office.people[i].uri;

		if (strncmp(uri, prefix, strlen(prefix)) == 0 &&
		    strcmp(strrchr(uri, '/') + 1, who) == 0)
			return office.people[i].keys;
	}
	give_up(who, "has no keys");
	return NULL;
}

void sealing_certificate(struct sealing *s, const char *participant, const char *kind,
			 struct tls_certificate *room, struct core_certificate *out)
{
	char uri[256];
	X509 *cert;

	snprintf(uri, sizeof uri, "spiffe://%s/%s/%s", s->hub, kind, participant);
	cert = keyring_certificate(keys_of_uri(uri), 0);
	if (tls_certificate_of(cert, room))
		give_up(uri, "its certificate");
	*out = (struct core_certificate){
		.der = room->der,
		.der_len = room->der_len,
		.fingerprint = room->fingerprint,
		.key_id = room->key_id,
		.key_id_len = room->key_id_len,
		.issuer_serial = room->issuer_serial,
		.ends_at_ms = (valid_from_s() + 2 * (int64_t)YEARS_S) * 1000,
		.actor = "workstation-1",
		.serial = "01",
	};
}

/* ---- messages ---- */

bool sealing_wanted(const struct scenario *s)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		if (s->steps[i].message &&
		    seal_message_wanted(s->steps[i].message, IEUM_SEAL_NEEDED))
			return true;
	}
	return false;
}

struct sealing *sealing_new(const char *hub)
{
	struct sealing *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->hub = hub;
	return s;
}

void sealing_free(struct sealing *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_kept; i++)
		free(s->kept[i].bytes);
	free(s);
}

static uint8_t *packed(const Ieum__V1__Referral *m, size_t *len)
{
	*len = ieum__v1__referral__get_packed_size(m);
	uint8_t *bytes = malloc(*len ? *len : 1);

	if (!bytes)
		abort();
	ieum__v1__referral__pack(m, bytes);
	return bytes;
}

Ieum__V1__Referral *sealing_close(struct sealing *s, const char *who, const Ieum__V1__Referral *m)
{
	char why[IEUM_WHY_BYTES];
	size_t len;

	if (!seal_message_wanted(m, IEUM_SEAL_NEEDED))
		return NULL;
	uint8_t *bytes = packed(m, &len);
	Ieum__V1__Referral *copy = ieum__v1__referral__unpack(NULL, len, bytes);
	free(bytes);
	if (!copy || seal_message_close(keys_of(s, who), copy, IEUM_SEAL_NEEDED, why))
		give_up(who, why);
	return copy;
}

void sealing_to(struct sealing *s, const char *who, Ieum__V1__Referral *m,
		const Ieum__V1__ReachResult *reach)
{
	char why[IEUM_WHY_BYTES];

	if (seal_message_to(keys_of(s, who), m, reach->readers, reach->n_readers, why))
		give_up(who, why);
	if (s->n_kept == MESSAGES_MAX)
		give_up(who, "too many sealed messages");
	struct kept *k = &s->kept[s->n_kept++];
	memcpy(k->id, m->envelope->message_id.data, CORE_ID_BYTES);
	snprintf(k->sender, sizeof k->sender, "%s", who);
	k->bytes = packed(m, &k->len);
}

static const struct kept *find(const struct sealing *s, const uint8_t *id)
{
	for (size_t i = s->n_kept; i > 0; i--) {
		if (memcmp(s->kept[i - 1].id, id, CORE_ID_BYTES) == 0)
			return &s->kept[i - 1];
	}
	return NULL;
}

/* ---- a newcomer ---- */

static void add_key(Ieum__V1__KeyWrap *wrap, uint32_t part, const struct seal_bytes *info)
{
	Ieum__V1__WrappedKey *key = malloc(sizeof *key);
	Ieum__V1__WrappedKey **more =
		realloc(wrap->keys, (wrap->n_keys + 1) * sizeof(Ieum__V1__WrappedKey *));

	if (!key || !more)
		abort();
	ieum__v1__wrapped_key__init(key);
	key->part = part;
	key->recipient_info.data = malloc(info->len);
	if (!key->recipient_info.data)
		abort();
	memcpy(key->recipient_info.data, info->data, info->len);
	key->recipient_info.len = info->len;
	wrap->keys = more;
	wrap->keys[wrap->n_keys++] = key;
}

/* What its holder can open of the message, for the request's certificates. */
static void wrap_all(struct sealing *s, const char *who, const Ieum__V1__KeyRequest *request,
		     const char *sender, const Ieum__V1__Referral *m, Ieum__V1__KeyWrap *wrap)
{
	struct ieum_keyring *keys = keys_of(s, who);
	char why[IEUM_WHY_BYTES];
	struct seal_wrapped wrapped;
	X509 *to = NULL;

	if (request->n_certificates < 1 ||
	    keyring_recipient(keys, request->certificates[0].data, request->certificates[0].len,
			      request->participant, &to, why))
		give_up(request->participant, "no certificate to wrap for");
	for (size_t i = 0; i < m->n_narrative; i++) {
		const Ieum__V1__NarrativePart *part = m->narrative[i];
		const struct seal_outside of = { .message_id = request->message_id,
						 .part = part,
						 .sender = sender };

		if (part->content_case != IEUM__V1__NARRATIVE_PART__CONTENT_SEALED ||
		    seal_wrap(keys, &of, &to, 1, &wrapped, why))
			continue;
		add_key(wrap, part->number, &wrapped.infos[0]);
		seal_wrapped_free(&wrapped);
	}
	X509_free(to);
}

static ProtobufCBinaryData id_copy(const uint8_t *id)
{
	ProtobufCBinaryData copy = { CORE_ID_BYTES, malloc(CORE_ID_BYTES) };

	if (!copy.data)
		abort();
	memcpy(copy.data, id, CORE_ID_BYTES);
	return copy;
}

Ieum__V1__Referral *sealing_wrap(struct sealing *s, const char *who,
				 const Ieum__V1__Referral *request)
{
	const Ieum__V1__KeyRequest *of = request->key_request;
	const struct kept *k = find(s, of->message_id.data);
	Ieum__V1__Referral *sealed = k ? ieum__v1__referral__unpack(NULL, k->len, k->bytes) : NULL;
	Ieum__V1__Referral *m = calloc(1, sizeof *m);
	Ieum__V1__Envelope *e = calloc(1, sizeof *e);
	Ieum__V1__KeyWrap *wrap = calloc(1, sizeof *wrap);

	if (!sealed || !m || !e || !wrap)
		give_up(who, "is asked for a key of nothing");
	ieum__v1__referral__init(m);
	ieum__v1__envelope__init(e);
	ieum__v1__key_wrap__init(wrap);
	e->type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_KEY_WRAP;
	e->in_reply_to = id_copy(request->envelope->message_id.data);
	wrap->message_id = id_copy(of->message_id.data);
	wrap->participant = strdup(of->participant);
	m->envelope = e;
	m->body_case = IEUM__V1__REFERRAL__BODY_KEY_WRAP;
	m->key_wrap = wrap;
	wrap_all(s, who, of, k->sender, sealed, wrap);
	ieum__v1__referral__free_unpacked(sealed, NULL);
	return m;
}

/* ---- opening ---- */

static bool all_open(const struct sealing *s, const char *who, const struct kept *k,
		     const uint8_t *bytes, size_t len)
{
	Ieum__V1__Referral *m = ieum__v1__referral__unpack(NULL, len, bytes);
	struct ieum_opened *opened = NULL;
	size_t sealed = 0, open = 0;

	if (!m || ieum_open(keys_of(s, who), m, k->sender, 0, &opened))
		abort();
	for (size_t i = 0; i < opened->n; i++) {
		sealed += opened->parts[i].sealed;
		open += opened->parts[i].sealed && !opened->parts[i].err;
	}
	ieum_opened_free(opened);
	ieum__v1__referral__free_unpacked(m, NULL);
	return sealed > 0 && open == sealed;
}

bool sealing_opens(struct sealing *s, const char *who, const uint8_t *message_id,
		   const struct core_key *keys, size_t n)
{
	const struct kept *k = find(s, message_id);
	struct codec_key added[CORE_KEYS_MAX];
	const uint8_t *bytes = NULL;
	size_t len = 0;
	struct arena arena;
	bool opens;

	if (!k || n > CORE_KEYS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		added[i] = (struct codec_key){ keys[i].part, { keys[i].info, keys[i].info_len } };
	arena_init(&arena, (size_t)16 << 20);
	if (codec_splice_referral(k->bytes, k->len, added, n, &arena, &bytes, &len))
		abort();
	opens = all_open(s, who, k, bytes, len);
	arena_release(&arena);
	return opens;
}
