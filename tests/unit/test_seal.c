/* Sealing: what we seal `openssl cms` opens and verifies, and the reverse; whose signature counts;
 * several keys; a newcomer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/commands.h"
#include "client/seal_message.h"
#include "proto/tls_session.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_PATH_BYTES];
static const uint8_t message_id[16] = "sixteen bytes id";
static const char text[] = "신고자는 201호 이웃";

/* ---- certificates ---- */

static int make(void **state)
{
	static struct hub_participant people[] = { { "gimpo-ps", "police" },
						   { "gimpo-apo", "city" },
						   { "gimpo-aid", "counselling_centre" } };
	struct hub_file hub = { .hub = "gimpo.ieum", .participants = people, .n = 3 };
	struct dev_options options = { .days = 30,
				       .now_s = (int64_t)time(NULL),
				       .actors = { "gimpo-apo=new" },
				       .actors_n = 1 };
	struct zoo_subject subject = { "gimpo.ieum", "police", "gimpo-ps" };
	struct store store, zoo;
	char why[CERTS_WHY_BYTES], path[64];
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/zoo", dir);
	if (store_open(dir, false, &store, why) || store_open(path, false, &zoo, why) ||
	    certs_dev(&store, &hub, &options, null, why) ||
	    certs_zoo(&zoo, &store, &subject, options.now_s, null, why) ||
	    store_write_crl(&store, options.now_s, 30, why))
		fail_msg("%s", why);
	store_close(&zoo);
	store_close(&store);
	fclose(null);
	/* An agency whose authority gave it an RSA key. */
	assert_int_equal(
		scratch_shell(
			"cd %s && printf 'subjectAltName=URI:spiffe://gimpo.ieum/city/gimpo-rsa\\n"
			"extendedKeyUsage=clientAuth\\n' > rsa.ext && "
			"openssl req -newkey rsa:2048 -nodes -keyout rsa.key -subj /CN=rsa "
			"2>/dev/null | openssl x509 -req -CA ca.crt -CAkey ca.key -days 3 -extfile "
			"rsa.ext -out rsa.crt 2>/dev/null && chmod 600 rsa.key",
			dir),
		0);
	/* Keys that sign and do nothing else. */
	assert_int_equal(
		scratch_shell(
			"cd %s && printf 'subjectAltName=URI:spiffe://gimpo.ieum/police/gimpo-ps\\n"
			"extendedKeyUsage=clientAuth\\nkeyUsage=digitalSignature\\n' > sign.ext && "
			"for k in 'ed ed25519' 'signing ec -pkeyopt ec_paramgen_curve:P-256'; do "
			"set -- $k; name=$1; shift; openssl req -newkey $@ -nodes -keyout $name.key "
			"-subj /CN=$name 2>/dev/null | openssl x509 -req -CA ca.crt -CAkey ca.key "
			"-days 3 -extfile sign.ext -out $name.crt 2>/dev/null || exit 1; done",
			dir),
		0);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

/* A path below the folder, in a static buffer, 16 in turn. */
static const char *at(const char *name, const char *suffix)
{
	static char paths[16][96];
	static unsigned turn;
	char *path = paths[turn++ % 16];

	snprintf(path, sizeof paths[0], "%s/%s%s", dir, name, suffix);
	return path;
}

/* Whose a nameless certificate is, by the keyrings that are made from now on; NULL: none is known. */
static const struct ieum_identity *pinned;

/* Of a pair, and one that it had before (NULL: none). */
static struct ieum_keyring *keys_of(const char *pair, const char *before)
{
	const struct ieum_old_key old = { before ? at(before, ".crt") : NULL,
					  before ? at(before, ".key") : NULL };
	const struct ieum_options options = { .cert = at(pair, ".crt"),
					      .key = at(pair, ".key"),
					      .ca = at("ca.crt", ""),
					      .crl = at("ca.crl", ""),
					      .old_keys = &old,
					      .n_old_keys = before ? 1 : 0,
					      .identities = pinned,
					      .n_identities = pinned ? 1 : 0 };
	struct ieum_keyring *k;
	char why[IEUM_WHY_BYTES];

	if (ieum_keyring_new(&options, &k, why))
		fail_msg("%s", why);
	return k;
}

static X509 *certificate(const char *pair)
{
	FILE *in = fopen(at(pair, ".crt"), "r");
	X509 *cert;

	assert_non_null(in);
	cert = PEM_read_X509(in, NULL, NULL, NULL);
	assert_non_null(cert);
	fclose(in);
	return cert;
}

/* ---- parts ---- */

static Ieum__V1__NarrativePart outside(void)
{
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT;

	part.media_type = (char *)"text/plain";
	part.language = (char *)"ko";
	part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY;
	part.number = 3;
	return part;
}

static Ieum__V1__SealedContent inside(const Ieum__V1__NarrativePart *part)
{
	Ieum__V1__SealedContent content = IEUM__V1__SEALED_CONTENT__INIT;

	content.message_id = (ProtobufCBinaryData){ sizeof message_id, (uint8_t *)message_id };
	content.number = part->number;
	content.media_type = part->media_type;
	content.language = part->language;
	content.subject = part->subject;
	content.content = (ProtobufCBinaryData){ sizeof text - 1, (uint8_t *)text };
	return content;
}

/* The text, signed by one and sealed to others, into out. */
static void seal(const char *from, const char *const *to, size_t n, struct buf *out)
{
	struct ieum_keyring *k = keys_of(from, NULL);
	const Ieum__V1__NarrativePart part = outside();
	const Ieum__V1__SealedContent content = inside(&part);
	X509 *certs[4];
	char why[IEUM_WHY_BYTES] = "";

	for (size_t i = 0; i < n; i++)
		certs[i] = certificate(to[i]);
	buf_init(out, 64 * 1024);
	if (seal_make(k, &content, certs, n, out, why))
		fail_msg("%s", why);
	for (size_t i = 0; i < n; i++)
		X509_free(certs[i]);
	ieum_keyring_free(k);
}

static const char apo[] = "participants/gimpo-apo", ps[] = "participants/gimpo-ps",
		  apo_new[] = "participants/gimpo-apo.new", aid[] = "participants/gimpo-aid";

static char why[IEUM_WHY_BYTES];

/* Opens it by a pair as a part of that message by that sender; the text must be ours. */
static enum ieum_err open_as(const struct ieum_keyring *k, const uint8_t *cms, size_t len,
			     const struct seal_outside *as)
{
	Ieum__V1__NarrativePart part = as->part ? *as->part : outside();
	struct seal_outside of = *as;
	struct seal_inside got;
	enum ieum_err err;

	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part.sealed = (ProtobufCBinaryData){ len, (uint8_t *)cms };
	of.part = &part;
	if (!of.message_id.data)
		of.message_id = (ProtobufCBinaryData){ 16, (uint8_t *)message_id };
	if (!of.sender)
		of.sender = "gimpo-ps";
	why[0] = '\0';
	err = seal_open(k, &of, &got, why);
	if (!err) {
		assert_int_equal(got.content->content.len, sizeof text - 1);
		assert_memory_equal(got.content->content.data, text, sizeof text - 1);
	} else {
		assert_null(got.content);
		assert_true(why[0] != '\0');
	}
	seal_inside_free(&got);
	return err;
}

static enum ieum_err open_by(const char *pair, const char *before, const uint8_t *cms, size_t len)
{
	struct ieum_keyring *k = keys_of(pair, before);
	enum ieum_err err = open_as(k, cms, len, &(struct seal_outside){ 0 });

	ieum_keyring_free(k);
	return err;
}

static void write_file(const char *name, const uint8_t *bytes, size_t len)
{
	FILE *out = fopen(at(name, ""), "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static size_t read_file(const char *name, uint8_t *bytes, size_t max)
{
	FILE *in = fopen(at(name, ""), "r");
	size_t n;

	assert_non_null(in);
	n = fread(bytes, 1, max, in);
	fclose(in);
	return n;
}

/* ---- against openssl cms ---- */

static void openssl_must_open(const char *pair)
{
	const Ieum__V1__NarrativePart part = outside();
	const Ieum__V1__SealedContent content = inside(&part);
	uint8_t expected[1024], got[1024];
	size_t len = ieum__v1__sealed_content__pack(&content, expected);

	assert_int_equal(
		scratch_shell("cd %s && openssl cms -decrypt -binary -inform DER -in sealed -recip "
			      "%s.crt -inkey %s.key -out signed",
			      dir, pair, pair),
		0);
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -verify -binary -inform DER -in signed "
			      "-CAfile ca.crt -purpose any -signer by.crt -out content "
			      "2>/dev/null",
			      dir),
		0);
	assert_int_equal(read_file("content", got, sizeof got), len);
	assert_memory_equal(got, expected, len);
	assert_int_equal(scratch_shell("cd %s && openssl x509 -in by.crt -noout -ext "
				       "subjectAltName | grep -q police/gimpo-ps",
				       dir),
			 0);
}

static void what_we_seal_openssl_opens(void **state)
{
	struct buf sealed;

	(void)state;
	seal(ps, (const char *const[]){ ps, apo, "rsa" }, 3, &sealed);
	write_file("sealed", buf_bytes(&sealed), buf_len(&sealed));
	openssl_must_open(apo);
	openssl_must_open(ps);
	openssl_must_open("rsa");
	assert_int_not_equal(
		scratch_shell("cd %s && openssl cms -decrypt -binary -inform DER -in sealed -recip "
			      "%s.crt -inkey %s.key -out signed 2>/dev/null",
			      dir, aid, aid),
		0);
	/* Neither SHA-1 nor PKCS #1 v1.5. */
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -cmsout -print -inform DER -in sealed "
			      "> printed && grep -q dhSinglePass-stdDH-sha256kdf-scheme "
			      "printed && grep -q rsaesOaep printed && grep -q aes-256-gcm "
			      "printed && ! grep -qw sha1 printed",
			      dir),
		0);
	buf_release(&sealed);
}

/* Signed and sealed by openssl cms with these options. */
static void openssl_seals(const char *signer, const char *options)
{
	const Ieum__V1__NarrativePart part = outside();
	const Ieum__V1__SealedContent content = inside(&part);
	uint8_t packed[1024] = { 0 };

	write_file("content", packed, ieum__v1__sealed_content__pack(&content, packed));
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -sign -binary -nodetach -signer %s.crt "
			      "-inkey %s.key -in content -outform DER -out signed",
			      dir, signer, signer),
		0);
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -encrypt -binary -aes-256-gcm -in signed "
			      "-outform DER -out sealed %s",
			      dir, options),
		0);
}

static enum ieum_err open_file(const char *pair)
{
	uint8_t sealed[16 * 1024];
	size_t len = read_file("sealed", sealed, sizeof sealed);

	return open_by(pair, NULL, sealed, len);
}

static void what_openssl_seals_we_open(void **state)
{
	(void)state;
	openssl_seals(ps, "participants/gimpo-apo.crt participants/gimpo-aid.crt");
	assert_int_equal(open_file(apo), IEUM_E_OK);
	assert_int_equal(open_file(aid), IEUM_E_OK);
	assert_int_equal(open_file(ps), IEUM_E_KEY_MISSING);
	openssl_seals(ps, "-keyid -recip participants/gimpo-apo.crt -keyopt ecdh_kdf_md:sha256");
	assert_int_equal(open_file(apo), IEUM_E_OK);
	openssl_seals(ps, "-recip rsa.crt -keyopt rsa_padding_mode:oaep");
	assert_int_equal(open_file("rsa"), IEUM_E_OK);
}

static void other_ciphers_and_bare_texts_are_refused(void **state)
{
	(void)state;
	openssl_seals(ps, "participants/gimpo-apo.crt");
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -encrypt -binary -aes-256-cbc -in signed "
			      "-outform DER -out sealed %s.crt",
			      dir, apo),
		0);
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	assert_int_equal(
		scratch_shell("cd %s && openssl cms -encrypt -binary -aes-256-gcm -in content "
			      "-outform DER -out sealed %s.crt",
			      dir, apo),
		0);
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
}

/* ---- who signed ---- */

static void a_signature_of_somebody_else_does_not_count(void **state)
{
	(void)state;
	openssl_seals(aid, "participants/gimpo-apo.crt"); /* and the hub says gimpo-ps */
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	assert_non_null(strstr(why, "gimpo-aid"));
	assert_non_null(strstr(why, "gimpo-ps"));
	openssl_seals("zoo/wrong-ca", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	openssl_seals("zoo/self-signed", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	openssl_seals("zoo/wrong-san", "participants/gimpo-apo.crt"); /* of another hub */
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	openssl_seals("zoo/two-sans", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	openssl_seals("hub", "participants/gimpo-apo.crt"); /* a server, no participant */
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	openssl_seals("zoo/expired", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_CERTIFICATE_EXPIRED);
	openssl_seals("zoo/revoked", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_CERTIFICATE_REVOKED);
}

static enum ieum_err open_at(int64_t at_ms)
{
	struct ieum_keyring *k = keys_of(apo, NULL);
	uint8_t sealed[16 * 1024];
	size_t len = read_file("sealed", sealed, sizeof sealed);
	enum ieum_err err = open_as(k, sealed, len, &(struct seal_outside){ .at_ms = at_ms });

	ieum_keyring_free(k);
	return err;
}

static void what_was_good_when_it_was_sent_stays_good(void **state)
{
	const int64_t now_ms = (int64_t)time(NULL) * 1000, day_ms = INT64_C(24) * 3600 * 1000;

	(void)state;
	openssl_seals("zoo/expired", "participants/gimpo-apo.crt");
	assert_int_equal(open_at(now_ms - 10 * day_ms), IEUM_E_OK);
	assert_int_equal(open_at(now_ms - 40 * day_ms), IEUM_E_CERTIFICATE_EXPIRED);
	openssl_seals("zoo/revoked", "participants/gimpo-apo.crt");
	assert_int_equal(open_at(now_ms - 3600 * 1000), IEUM_E_OK);
	assert_int_equal(open_at(now_ms + 3600 * 1000), IEUM_E_CERTIFICATE_REVOKED);
}

static void write_list(const struct store *store)
{
	char problem[CERTS_WHY_BYTES];

	if (store_write_crl((struct store *)store, (int64_t)time(NULL), 30, problem))
		fail_msg("%s", problem);
}

/* A thief signs with whatever date he likes. */
static void what_a_stolen_key_signed_is_never_good(void **state)
{
	const int64_t before_ms = ((int64_t)time(NULL) - 3600) * 1000;
	char problem[CERTS_WHY_BYTES];
	struct store store;

	(void)state;
	openssl_seals("zoo/revoked", "participants/gimpo-apo.crt");
	assert_int_equal(open_at(before_ms), IEUM_E_OK);
	assert_int_equal(store_open(dir, false, &store, problem), IEUM_E_OK);
	assert_int_equal(store_ca_load(&store, problem), IEUM_E_OK);
	assert_int_equal(store_revoke(&store, "revoked", REVOKED_STOLEN, (int64_t)time(NULL), NULL,
				      problem),
			 IEUM_E_OK);
	write_list(&store);
	assert_int_equal(open_at(before_ms), IEUM_E_CERTIFICATE_REVOKED);
	/* Kept with the certificate: a later list says so too. */
	write_list(&store);
	assert_int_equal(open_at(before_ms), IEUM_E_CERTIFICATE_REVOKED);
	/* A list that gives no reason doesn't say that it wasn't stolen. */
	assert_int_equal(scratch_shell("grep -q ,keyCompromise %s/index.txt && "
				       "sed -i s/,keyCompromise// %s/index.txt",
				       dir, dir),
			 0);
	write_list(&store);
	assert_int_equal(open_at(before_ms), IEUM_E_CERTIFICATE_REVOKED);
	store_close(&store);
}

/* Of an authority that knows no hubs: who sent it is the hub's word, and the subject is told. */
static void a_nameless_signer_is_told_by_its_subject(void **state)
{
	struct ieum_keyring *k = keys_of(apo, NULL);
	Ieum__V1__NarrativePart part = outside();
	uint8_t sealed[16 * 1024];
	const struct seal_outside of = { .message_id = { 16, (uint8_t *)message_id },
					 .part = &part,
					 .sender = "gimpo-ps" };
	struct seal_inside got;

	(void)state;
	openssl_seals("zoo/no-san", "participants/gimpo-apo.crt");
	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part.sealed = (ProtobufCBinaryData){ read_file("sealed", sealed, sizeof sealed), sealed };
	assert_int_equal(seal_open(k, &of, &got, why), IEUM_E_OK);
	assert_string_equal(got.signer.name, "");
	assert_string_equal(got.signer.actor, "CN=zoo no-san");
	seal_inside_free(&got);
	ieum_keyring_free(k);
}

static void it_belongs_to_one_message_and_one_part(void **state)
{
	struct ieum_keyring *k = keys_of(apo, NULL);
	Ieum__V1__NarrativePart part = outside();
	const struct seal_outside of = { .part = &part };
	uint8_t other[16] = "sixteen bytes iD";
	struct buf sealed;

	(void)state;
	seal(ps, (const char *const[]){ apo }, 1, &sealed);
#define OPENED(...) open_as(k, buf_bytes(&sealed), buf_len(&sealed), __VA_ARGS__)
	assert_int_equal(OPENED(&of), IEUM_E_OK);
	part.number = 4;
	assert_int_equal(OPENED(&of), IEUM_E_NOT_SEALED);
	part = outside();
	part.media_type = (char *)"text/html";
	assert_int_equal(OPENED(&of), IEUM_E_NOT_SEALED);
	part = outside();
	part.subject = IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_UNSPECIFIED;
	assert_int_equal(OPENED(&of), IEUM_E_NOT_SEALED);
	part = outside();
	part.language = (char *)"en";
	assert_int_equal(OPENED(&of), IEUM_E_NOT_SEALED);
	assert_int_equal(OPENED(&(struct seal_outside){ .message_id = { 16, other } }),
			 IEUM_E_NOT_SEALED);
#undef OPENED
	buf_release(&sealed);
	ieum_keyring_free(k);
}

static void no_changed_byte_changes_the_text(void **state)
{
	struct ieum_keyring *k = keys_of(apo, NULL);
	struct buf sealed;
	uint8_t *copy;
	size_t refused = 0;

	(void)state;
	seal(ps, (const char *const[]){ apo }, 1, &sealed);
	copy = malloc(buf_len(&sealed));
	assert_non_null(copy);
	memcpy(copy, buf_bytes(&sealed), buf_len(&sealed));
	for (size_t i = 0; i < buf_len(&sealed); i++) {
		copy[i] ^= 0x41;
		/* open_as() looks at the text of what opens. */
		refused += open_as(k, copy, buf_len(&sealed), &(struct seal_outside){ 0 }) != 0;
		copy[i] ^= 0x41;
	}
	/* Nearly all: version numbers and the name of the inner type decide nothing. */
	assert_true(refused + 12 >= buf_len(&sealed));
	assert_int_not_equal(open_as(k, copy, buf_len(&sealed) - 1, &(struct seal_outside){ 0 }),
			     IEUM_E_OK);
	free(copy);
	buf_release(&sealed);
	ieum_keyring_free(k);
}

/* ---- keys ---- */

static void two_keys_of_one_participant_both_open(void **state)
{
	struct buf sealed;

	(void)state;
	seal(ps, (const char *const[]){ apo }, 1, &sealed); /* before its renewal */
	assert_int_equal(open_by(apo_new, apo, buf_bytes(&sealed), buf_len(&sealed)), IEUM_E_OK);
	assert_int_equal(open_by(apo_new, NULL, buf_bytes(&sealed), buf_len(&sealed)),
			 IEUM_E_KEY_MISSING);
	buf_release(&sealed);
	seal(ps, (const char *const[]){ apo_new }, 1, &sealed); /* after it */
	assert_int_equal(open_by(apo_new, apo, buf_bytes(&sealed), buf_len(&sealed)), IEUM_E_OK);
	assert_int_equal(open_by(apo, NULL, buf_bytes(&sealed), buf_len(&sealed)),
			 IEUM_E_KEY_MISSING);
	buf_release(&sealed);
	seal(ps, (const char *const[]){ apo, apo_new }, 2, &sealed); /* while both are valid */
	assert_int_equal(open_by(apo, NULL, buf_bytes(&sealed), buf_len(&sealed)), IEUM_E_OK);
	assert_int_equal(open_by(apo_new, NULL, buf_bytes(&sealed), buf_len(&sealed)), IEUM_E_OK);
	buf_release(&sealed);
}

/* The files under it change again and again: a certificate, then lists only. */
static void a_keyring_keeps_what_it_signed_with(void **state)
{
	struct ieum_keyring *k = keys_of(apo, NULL);
	struct buf sealed;

	(void)state;
	seal(ps, (const char *const[]){ apo }, 1, &sealed);
	for (int i = 0; i < 3; i++) {
		keyring_renew(k, keys_of(apo_new, NULL));
		assert_int_equal(k->n, 2);
		assert_int_equal(open_as(k, buf_bytes(&sealed), buf_len(&sealed),
					 &(struct seal_outside){ 0 }),
				 IEUM_E_OK);
	}
	buf_release(&sealed);
	ieum_keyring_free(k);
}

/* Of what wrap() is said to wrap. */
static const uint8_t *wrapped_id = message_id;
static const char *wrapped_sender = "gimpo-ps";

/* Wraps by a holder's pair for newcomers, and splices it as the hub does. */
static enum ieum_err wrap(const char *holder, const char *const *newcomers, size_t n,
			  const struct buf *sealed, struct buf *out)
{
	struct ieum_keyring *k = keys_of(holder, NULL);
	Ieum__V1__NarrativePart part = outside();
	const struct seal_outside of = { .message_id = { 16, (uint8_t *)wrapped_id },
					 .part = &part,
					 .sender = wrapped_sender };
	struct seal_wrapped wrapped;
	X509 *certs[4];
	enum ieum_err err;

	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_SEALED;
	part.sealed = (ProtobufCBinaryData){ buf_len(sealed), (uint8_t *)buf_bytes(sealed) };
	for (size_t i = 0; i < n; i++)
		certs[i] = certificate(newcomers[i]);
	buf_init(out, 64 * 1024);
	err = seal_wrap(k, &of, certs, n, &wrapped, why);
	if (!err) {
		assert_int_equal(wrapped.n, n);
		assert_int_equal(seal_splice(buf_bytes(sealed), buf_len(sealed), wrapped.infos,
					     wrapped.n, out),
				 IEUM_E_OK);
	}
	seal_wrapped_free(&wrapped);
	for (size_t i = 0; i < n; i++)
		X509_free(certs[i]);
	ieum_keyring_free(k);
	return err;
}

static void a_holder_opens_it_for_a_newcomer(void **state)
{
	struct buf sealed, more;

	(void)state;
	seal(ps, (const char *const[]){ ps, apo }, 2, &sealed);
	assert_int_equal(open_by(aid, NULL, buf_bytes(&sealed), buf_len(&sealed)),
			 IEUM_E_KEY_MISSING);
	assert_int_equal(wrap(apo, (const char *const[]){ aid, "rsa" }, 2, &sealed, &more),
			 IEUM_E_OK);
	assert_int_equal(open_by(aid, NULL, buf_bytes(&more), buf_len(&more)), IEUM_E_OK);
	assert_int_equal(open_by("rsa", NULL, buf_bytes(&more), buf_len(&more)), IEUM_E_OK);
	assert_int_equal(open_by(ps, NULL, buf_bytes(&more), buf_len(&more)), IEUM_E_OK);
	write_file("sealed", buf_bytes(&more), buf_len(&more));
	openssl_must_open(aid);
	buf_release(&more);
	assert_int_equal(wrap(aid, (const char *const[]){ aid }, 1, &sealed, &more),
			 IEUM_E_KEY_MISSING);
	buf_release(&sealed);
	/* And from an RSA key for a P-256 one. */
	seal(ps, (const char *const[]){ "rsa" }, 1, &sealed);
	assert_int_equal(wrap("rsa", (const char *const[]){ aid }, 1, &sealed, &more), IEUM_E_OK);
	assert_int_equal(open_by(aid, NULL, buf_bytes(&more), buf_len(&more)), IEUM_E_OK);
	buf_release(&more);
	buf_release(&sealed);
}

/* Whoever gets a holder to wrap the key of another message's ciphertext reads that one. */
static void a_key_is_wrapped_of_the_message_that_it_is_asked_of(void **state)
{
	static const uint8_t other[16] = "sixteen bytes iD";
	const char *const newcomer[] = { aid };
	struct buf sealed, more;

	(void)state;
	seal(ps, (const char *const[]){ apo }, 1, &sealed);
	wrapped_id = other;
	assert_int_equal(wrap(apo, newcomer, 1, &sealed, &more), IEUM_E_NOT_SEALED);
	assert_int_equal(buf_len(&more), 0);
	buf_release(&more);
	wrapped_id = message_id;
	wrapped_sender = "gimpo-aid";
	assert_int_equal(wrap(apo, newcomer, 1, &sealed, &more), IEUM_E_NOT_SEALED);
	buf_release(&more);
	wrapped_sender = "gimpo-ps";
	/* The last byte is of the tag. */
	uint8_t *last = (uint8_t *)buf_bytes(&sealed) + buf_len(&sealed) - 1;
	*last ^= 1;
	assert_int_equal(wrap(apo, newcomer, 1, &sealed, &more), IEUM_E_NOT_SEALED);
	buf_release(&more);
	*last ^= 1;
	assert_int_equal(wrap(apo, newcomer, 1, &sealed, &more), IEUM_E_OK);
	buf_release(&more);
	buf_release(&sealed);
}

/* The infos of `from` for newcomers, wrapped by ps, put into `into`, which they don't open. */
static void spoil(const struct buf *from, const char *const *newcomers, size_t n,
		  const struct buf *into, struct buf *out)
{
	struct buf more;
	struct seal_bytes before = { buf_bytes(from), buf_len(from) }, after, infos[4];
	size_t n_infos;

	assert_int_equal(wrap(ps, newcomers, n, from, &more), IEUM_E_OK);
	after = (struct seal_bytes){ buf_bytes(&more), buf_len(&more) };
	assert_int_equal(seal_new_recipients(&before, &after, infos, 4, &n_infos), IEUM_E_OK);
	assert_int_equal(n_infos, n);
	buf_init(out, 64 * 1024);
	assert_int_equal(seal_splice(buf_bytes(into), buf_len(into), infos, n, out), IEUM_E_OK);
	buf_release(&more);
}

/* Three times each, as a SET OF is in the order of its bytes: the good one is not always the first. */
static void a_wrong_key_beside_the_good_one_locks_nobody_out(void **state)
{
	const char *const both[] = { aid, "rsa" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf other, sealed, bad, good;

		seal(ps, (const char *const[]){ ps }, 1, &other);
		seal(ps, (const char *const[]){ ps }, 1, &sealed);
		spoil(&other, both, 2, &sealed, &bad);
		assert_int_equal(open_by(aid, NULL, buf_bytes(&bad), buf_len(&bad)),
				 IEUM_E_NOT_SEALED);
		assert_int_equal(open_by("rsa", NULL, buf_bytes(&bad), buf_len(&bad)),
				 IEUM_E_NOT_SEALED);
		assert_int_equal(open_by(apo, NULL, buf_bytes(&bad), buf_len(&bad)),
				 IEUM_E_KEY_MISSING);
		assert_int_equal(wrap(ps, both, 2, &bad, &good), IEUM_E_OK);
		assert_int_equal(open_by(aid, NULL, buf_bytes(&good), buf_len(&good)), IEUM_E_OK);
		assert_int_equal(open_by("rsa", NULL, buf_bytes(&good), buf_len(&good)), IEUM_E_OK);
		/* And whoever wraps further finds the good one as well. */
		buf_release(&bad);
		assert_int_equal(wrap(aid, (const char *const[]){ apo }, 1, &good, &bad),
				 IEUM_E_OK);
		assert_int_equal(open_by(apo, NULL, buf_bytes(&bad), buf_len(&bad)), IEUM_E_OK);
		buf_release(&good);
		buf_release(&bad);
		buf_release(&sealed);
		buf_release(&other);
	}
}

/* ---- messages ---- */

/* A text part, on the heap. */
static Ieum__V1__NarrativePart *part_of(const char *content, Ieum__V1__NarrativeSubject subject)
{
	Ieum__V1__NarrativePart *part = malloc(sizeof *part);

	assert_non_null(part);
	ieum__v1__narrative_part__init(part);
	part->media_type = strdup("text/plain");
	part->language = strdup("ko");
	part->subject = subject;
	part->content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	part->clear = (ProtobufCBinaryData){ strlen(content), (uint8_t *)strdup(content) };
	return part;
}

static Ieum__V1__Referral *message(void)
{
	Ieum__V1__Referral *m = malloc(sizeof *m);

	assert_non_null(m);
	ieum__v1__referral__init(m);
	m->envelope = malloc(sizeof *m->envelope);
	assert_non_null(m->envelope);
	ieum__v1__envelope__init(m->envelope);
	m->envelope->message_id = (ProtobufCBinaryData){ 16, malloc(16) };
	memcpy(m->envelope->message_id.data, message_id, 16);
	m->narrative = malloc(3 * sizeof *m->narrative);
	assert_non_null(m->narrative);
	m->n_narrative = 3;
	m->narrative[0] = part_of("what happened", 0);
	m->narrative[1] =
		part_of(text, IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_REPORTER_IDENTITY);
	m->narrative[2] =
		part_of(text, IEUM__V1__NARRATIVE_SUBJECT__NARRATIVE_SUBJECT_SHELTER_LOCATION);
	return m;
}

struct reader {
	Ieum__V1__ReachReader reader;
	ProtobufCBinaryData certificates[2];
	uint32_t parts[3];
};

static void reader_make(struct reader *r, const char *participant, const char *pair,
			const char *pair_2)
{
	const char *pairs[] = { pair, pair_2 };

	ieum__v1__reach_reader__init(&r->reader);
	r->reader.participant = (char *)participant;
	for (size_t i = 0; i < 2 && pairs[i]; i++) {
		X509 *cert = certificate(pairs[i]);

		r->certificates[i].data = NULL;
		r->certificates[i].len = (size_t)i2d_X509(cert, &r->certificates[i].data);
		X509_free(cert);
		r->reader.n_certificates = i + 1;
	}
	r->reader.certificates = r->certificates;
	r->reader.parts = r->parts;
}

static void reader_free(struct reader *r)
{
	for (size_t i = 0; i < r->reader.n_certificates; i++)
		OPENSSL_free(r->certificates[i].data);
}

static enum ieum_err opened_part(const char *pair, const Ieum__V1__Referral *m, size_t i)
{
	struct ieum_keyring *k = keys_of(pair, NULL);
	struct ieum_opened *opened;
	enum ieum_err err;

	assert_int_equal(ieum_open(k, m, "gimpo-ps", 0, &opened), IEUM_E_OK);
	assert_int_equal(opened->n, 3);
	assert_true(opened->parts[i].sealed);
	err = opened->parts[i].err;
	if (!err) {
		assert_int_equal(opened->parts[i].len, sizeof text - 1);
		assert_memory_equal(opened->parts[i].content, text, sizeof text - 1);
		assert_string_equal(opened->parts[i].signer, "gimpo-ps");
	}
	ieum_opened_free(opened);
	ieum_keyring_free(k);
	return err;
}

static void each_part_is_sealed_to_its_readers(void **state)
{
	struct ieum_keyring *k = keys_of(ps, NULL);
	Ieum__V1__Referral *m = message();
	struct reader one, two;
	Ieum__V1__ReachReader *readers[] = { &one.reader, &two.reader };

	(void)state;
	assert_true(seal_message_wanted(m, IEUM_SEAL_NEEDED));
	assert_int_equal(seal_message_close(k, m, IEUM_SEAL_NEEDED, why), IEUM_E_OK);
	assert_false(seal_message_wanted(m, IEUM_SEAL_NEEDED));
	assert_int_equal(m->narrative[0]->content_case, IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR);
	assert_int_equal(m->narrative[0]->number, 0);
	assert_int_equal(m->narrative[1]->number, 1);
	assert_int_equal(m->narrative[2]->number, 2);
	assert_int_equal(opened_part(ps, m, 1), IEUM_E_OK);
	assert_int_equal(opened_part(apo, m, 1), IEUM_E_KEY_MISSING);

	reader_make(&one, "gimpo-apo", apo, apo_new);
	one.parts[0] = 1;
	one.parts[1] = 2;
	one.reader.n_parts = 2;
	reader_make(&two, "gimpo-aid", aid, NULL);
	two.parts[0] = 2;
	two.reader.n_parts = 1;
	for (int again = 0; again < 2; again++) { /* sealed again it is the same */
		assert_int_equal(seal_message_to(k, m, readers, 2, why), IEUM_E_OK);
		assert_int_equal(opened_part(ps, m, 1), IEUM_E_OK);
		assert_int_equal(opened_part(apo, m, 1), IEUM_E_OK);
		assert_int_equal(opened_part(apo_new, m, 2), IEUM_E_OK);
		assert_int_equal(opened_part(aid, m, 1), IEUM_E_KEY_MISSING);
		assert_int_equal(opened_part(aid, m, 2), IEUM_E_OK);
	}
	reader_free(&one);
	reader_free(&two);
	ieum__v1__referral__free_unpacked(m, NULL);
	ieum_keyring_free(k);
}

static void all_parts_are_sealed_when_asked(void **state)
{
	struct ieum_keyring *k = keys_of(ps, NULL);
	Ieum__V1__Referral *m = message();

	(void)state;
	m->narrative[2]->number = 1; /* the application's own */
	assert_int_equal(seal_message_close(k, m, IEUM_SEAL_ALL, why), IEUM_E_OK);
	assert_int_equal(m->narrative[0]->number, 2);
	assert_int_equal(m->narrative[1]->number, 3);
	assert_int_equal(m->narrative[0]->content_case, IEUM__V1__NARRATIVE_PART__CONTENT_SEALED);
	assert_int_equal(seal_message_empty(m), IEUM_E_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(m->narrative[i]->content_case,
				 IEUM__V1__NARRATIVE_PART__CONTENT__NOT_SET);
	ieum__v1__referral__free_unpacked(m, NULL);
	m = message();
	m->narrative[1]->number = m->narrative[2]->number = 7;
	assert_int_equal(seal_message_close(k, m, IEUM_SEAL_NEEDED, why), IEUM_E_FIELD_INVALID);
	ieum__v1__referral__free_unpacked(m, NULL);
	ieum_keyring_free(k);
}

/* What sealing to one reader with that certificate says. */
static enum ieum_err sealed_to_reader(const char *participant, const char *pair, const char *pair_2)
{
	struct ieum_keyring *k = keys_of(aid, NULL);
	Ieum__V1__Referral *m = message();
	struct reader one;
	Ieum__V1__ReachReader *readers[] = { &one.reader };
	enum ieum_err err;

	assert_int_equal(seal_message_close(k, m, IEUM_SEAL_NEEDED, why), IEUM_E_OK);
	reader_make(&one, participant, pair, pair_2);
	one.parts[0] = 1;
	one.reader.n_parts = 1;
	err = seal_message_to(k, m, readers, 1, why);
	reader_free(&one);
	ieum__v1__referral__free_unpacked(m, NULL);
	ieum_keyring_free(k);
	return err;
}

static void a_certificate_of_the_hub_s_choice_is_looked_at(void **state)
{
	(void)state;
	assert_int_equal(sealed_to_reader("gimpo-ps", ps, NULL), IEUM_E_OK);
	assert_int_equal(sealed_to_reader("gimpo-ps", apo, NULL), IEUM_E_NOT_SEALED);
	assert_non_null(strstr(why, "gimpo-apo"));
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/wrong-ca", NULL), IEUM_E_NOT_SEALED);
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/wrong-san", NULL), IEUM_E_NOT_SEALED);
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/revoked", NULL),
			 IEUM_E_CERTIFICATE_REVOKED);
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/expired", NULL),
			 IEUM_E_CERTIFICATE_EXPIRED);
	/* No key to seal to. */
	assert_int_equal(sealed_to_reader("gimpo-ps", "ed", NULL), IEUM_E_NOT_SEALED);
	assert_non_null(strstr(why, "none to seal to"));
	assert_int_equal(sealed_to_reader("gimpo-ps", "signing", NULL), IEUM_E_NOT_SEALED);
	/* One good one is enough. */
	assert_int_equal(sealed_to_reader("gimpo-ps", ps, "ed"), IEUM_E_OK);
	assert_int_equal(sealed_to_reader("gimpo-ps", "signing", ps), IEUM_E_OK);
	assert_int_equal(sealed_to_reader("gimpo-ps", ps, "zoo/revoked"), IEUM_E_OK);
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/revoked", ps), IEUM_E_OK);
}

/* Else the hub could name any certificate of a PKI that doesn't know it, and read along. */
static void a_nameless_certificate_is_sealed_to_when_it_is_pinned(void **state)
{
	X509 *cert = certificate("zoo/no-san");
	char *issuer = tls_name_text(X509_get_issuer_name(cert));
	struct ieum_identity known = { .participant = "gimpo-ps",
				       .issuer = issuer,
				       .subject = "CN=zoo no-san" };

	(void)state;
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/no-san", NULL), IEUM_E_NOT_SEALED);
	assert_non_null(strstr(why, "identities"));
	pinned = &known;
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/no-san", NULL), IEUM_E_OK);
	assert_int_equal(sealed_to_reader("gimpo-apo", "zoo/no-san", NULL), IEUM_E_NOT_SEALED);
	/* What somebody else of that PKI has signed as gimpo-ps isn't believed either. */
	openssl_seals("zoo/no-san", "participants/gimpo-apo.crt");
	assert_int_equal(open_file(apo), IEUM_E_OK);
	known.subject = "CN=somebody else";
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/no-san", NULL), IEUM_E_NOT_SEALED);
	assert_int_equal(open_file(apo), IEUM_E_NOT_SEALED);
	known = (struct ieum_identity){
		.participant = "gimpo-ps",
		.key = "SHA256:00",
	};
	assert_int_equal(sealed_to_reader("gimpo-ps", "zoo/no-san", NULL), IEUM_E_NOT_SEALED);
	pinned = NULL;
	OPENSSL_free(issuer);
	X509_free(cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_seal_openssl_opens),
		cmocka_unit_test(what_openssl_seals_we_open),
		cmocka_unit_test(other_ciphers_and_bare_texts_are_refused),
		cmocka_unit_test(a_signature_of_somebody_else_does_not_count),
		cmocka_unit_test(what_was_good_when_it_was_sent_stays_good),
		cmocka_unit_test(what_a_stolen_key_signed_is_never_good),
		cmocka_unit_test(a_nameless_signer_is_told_by_its_subject),
		cmocka_unit_test(it_belongs_to_one_message_and_one_part),
		cmocka_unit_test(no_changed_byte_changes_the_text),
		cmocka_unit_test(two_keys_of_one_participant_both_open),
		cmocka_unit_test(a_keyring_keeps_what_it_signed_with),
		cmocka_unit_test(a_holder_opens_it_for_a_newcomer),
		cmocka_unit_test(a_key_is_wrapped_of_the_message_that_it_is_asked_of),
		cmocka_unit_test(a_wrong_key_beside_the_good_one_locks_nobody_out),
		cmocka_unit_test(each_part_is_sealed_to_its_readers),
		cmocka_unit_test(all_parts_are_sealed_when_asked),
		cmocka_unit_test(a_certificate_of_the_hub_s_choice_is_looked_at),
		cmocka_unit_test(a_nameless_certificate_is_sealed_to_when_it_is_pinned),
	};

	return cmocka_run_group_tests_name("seal", tests, make, unmake);
}
