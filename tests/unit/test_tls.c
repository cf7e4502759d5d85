/* proto/tls: what is refused when credentials are built, with words that name the file, and
 * which identities a certificate may carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/commands.h"
#include "proto/tls_session.h"
#include "tests/unit/channel_world.h"

#define assert_text_has(text, part) \
	do { \
		if (!strstr(text, part)) \
			fail_msg("\"%s\" does not say \"%s\"", text, part); \
	} while (0)

static struct tls_files good_files(void)
{
	return (struct tls_files){
		.cert = world_path("hub.crt"),
		.key = world_path("hub.key"),
		.ca = world_path("ca.crt"),
		.crl = world_path("ca.crl"),
	};
}

static void refused(const struct tls_files *files, enum ieum_err err, const char *words)
{
	char why[TLS_WHY_BYTES];
	struct tls *tls = (struct tls *)1;

	assert_int_equal(tls_new(TLS_SERVER, files, &tls, why), err);
	assert_null(tls);
	assert_text_has(why, words);
}

static void good_files_make_credentials(void **state)
{
	char why[TLS_WHY_BYTES];
	struct tls_files files = good_files();
	struct tls *tls;

	(void)state;
	assert_int_equal(tls_new(TLS_SERVER, &files, &tls, why), IEUM_E_OK);
	assert_string_equal(tls_own(tls)->uri, "spiffe://gimpo.ieum/hub/gimpo.ieum");
	assert_true(tls_own(tls)->not_after_s > time(NULL));
	assert_true(tls_crl_next_update_s(tls) > time(NULL));
	tls_free(tls);
	files.crl = NULL;
	assert_int_equal(tls_new(TLS_SERVER, &files, &tls, why), IEUM_E_OK);
	assert_int_equal(tls_crl_next_update_s(tls), 0);
	tls_free(tls);
	tls_free(NULL);
}

static void a_missing_file_is_named(void **state)
{
	struct tls_files files;

	(void)state;
	files = good_files(), files.cert = "/nowhere/a.crt";
	refused(&files, IEUM_E_FILE_UNREADABLE, "/nowhere/a.crt: No such file");
	files = good_files(), files.key = "/nowhere/a.key";
	refused(&files, IEUM_E_FILE_UNREADABLE, "/nowhere/a.key: No such file");
	files = good_files(), files.ca = "/nowhere/ca.crt";
	refused(&files, IEUM_E_FILE_UNREADABLE, "/nowhere/ca.crt: No such file");
	files = good_files(), files.crl = "/nowhere/ca.crl";
	refused(&files, IEUM_E_FILE_UNREADABLE, "/nowhere/ca.crl: No such file");
}

static void a_wrong_file_is_named(void **state)
{
	struct tls_files files;

	(void)state;
	files = good_files(), files.cert = world_path("hub.key");
	refused(&files, IEUM_E_FILE_INVALID, "hub.key: no usable PEM certificate");
	files = good_files(), files.cert = world_path("ca.crt");
	refused(&files, IEUM_E_FILE_INVALID, "ca.crt: certificate has no spiffe URI in its SAN");
	files = good_files(), files.key = world_path("zoo/good.key");
	refused(&files, IEUM_E_FILE_INVALID,
		"good.key: the key does not belong to the certificate");
	files = good_files(), files.ca = world_path("ca.crl");
	refused(&files, IEUM_E_FILE_INVALID, "ca.crl: no usable PEM certificate");
	files = good_files(), files.crl = world_path("ca.crt");
	refused(&files, IEUM_E_FILE_INVALID, "ca.crt: no usable PEM CRL");
	files = good_files(), files.crl = world_path("zoo/participants");
	refused(&files, IEUM_E_FILE_INVALID, "no *.crl or *.pem file in it");
}

static void a_damaged_second_crl_is_no_end_of_file(void **state)
{
	struct tls_files files = good_files();
	char bytes[4096], path[256];
	FILE *in = fopen(files.crl, "r");
	size_t n = fread(bytes, 1, sizeof bytes, in);

	(void)state;
	fclose(in);
	snprintf(path, sizeof path, "%s", world_path("two.crl"));
	FILE *out = fopen(path, "w");
	fwrite(bytes, 1, n, out);
	fwrite(bytes, 1, n / 2, out);
	fclose(out);
	files.crl = path;
	refused(&files, IEUM_E_FILE_INVALID, "two.crl: no usable PEM CRL");
	unlink(path);
}

static void a_folder_of_lists_is_read(void **state)
{
	struct tls_files files = good_files();
	char dir[256], from[256], to[300], why[TLS_WHY_BYTES];
	struct tls *tls;

	(void)state;
	snprintf(dir, sizeof dir, "%s", world_path("lists"));
	snprintf(from, sizeof from, "%s", files.crl);
	snprintf(to, sizeof to, "%s/one.crl", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(link(from, to), 0);
	files.crl = dir;
	assert_int_equal(tls_new(TLS_SERVER, &files, &tls, why), IEUM_E_OK);
	assert_true(tls_crl_next_update_s(tls) > time(NULL));
	tls_free(tls);
}

static void a_key_open_to_others_is_refused(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0660, 0644 };
	struct tls_files files = good_files();

	(void)state;
	for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
		assert_int_equal(chmod(files.key, open_modes[i]), 0);
		refused(&files, IEUM_E_FILE_INVALID, "hub.key: the key is open to others (mode 06");
	}
	assert_int_equal(chmod(files.key, 0600), 0);
}

static void an_encrypted_key_is_refused_without_asking(void **state)
{
	struct tls_files files = good_files();
	char path[256];
	FILE *in = fopen(files.key, "r");
	EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);

	(void)state;
	fclose(in);
	snprintf(path, sizeof path, "%s", world_path("locked.key"));
	FILE *out = fopen(path, "w");
	char phrase[] = "phrase";
	assert_int_equal(
		PEM_write_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), phrase, 6, NULL, NULL), 1);
	fclose(out);
	EVP_PKEY_free(key);
	assert_int_equal(chmod(path, 0600), 0);
	files.key = path;
	refused(&files, IEUM_E_FILE_INVALID, "locked.key: no unencrypted PEM private key");
}

/* --- identities --- */

static void identity_of(const char *cn, const char *san, enum ieum_err err, const char *words,
			struct tls_identity *id)
{
	struct wish wish = {
		.cn = cn,
		.san = san,
		.usage = "clientAuth",
		.not_before_s = 1000000000,
		.not_after_s = 2000000000,
	};
	char why[TLS_WHY_BYTES] = "";
	struct pair pair;

	assert_int_equal(pair_new(NULL, &wish, &pair, why), IEUM_E_OK);
	assert_int_equal(tls_identity_of(pair.cert, id, why), err);
	if (words)
		assert_text_has(why, words);
	pair_release(&pair);
}

static void identities_are_read(void **state)
{
	struct tls_identity id;

	(void)state;
	identity_of("\xea\xb9\x80\xed\x8f\xac-1", "URI:spiffe://gimpo.ieum/police/gimpo-ps,DNS:a.b",
		    IEUM_E_OK, NULL, &id);
	assert_string_equal(id.uri, "spiffe://gimpo.ieum/police/gimpo-ps");
	assert_string_equal(id.actor, "\xea\xb9\x80\xed\x8f\xac-1");
	assert_int_equal(id.not_after_s, 2000000000);
	identity_of("a", "URI:https://x/,URI:spiffe://h/k/n", IEUM_E_OK, NULL, &id);
	assert_string_equal(id.hub, "h");
	assert_string_equal(id.kind, "k");
	assert_string_equal(id.name, "n");
}

static void identities_that_are_none(void **state)
{
	static const char *const uris[] = {
		"spiffe://",
		"spiffe://h",
		"spiffe://h/k",
		"spiffe://h/k/",
		"spiffe://h//n",
		"spiffe:///k/n",
		"spiffe://h/k/n/x",
		"spiffe://H/k/n",
		"spiffe://h/k/N",
		"spiffe://h/k/..",
		"spiffe://h/k/a b",
		"spiffe://h/k/a%20b",
		"spiffe://h/k/n?q",
		"spiffe://h:1/k/n",
		"spiffe://u@h/k/n",
		"spiffe://h/k/-n",
		"spiffe://h/k/0123456789012345678901234567890123456789012345678901234567890123",
	};
	char san[512];
	struct tls_identity id;

	(void)state;
	for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
		snprintf(san, sizeof san, "URI:%s", uris[i]);
		identity_of("a", san, IEUM_E_FIELD_INVALID, "is not spiffe://<hub>/<kind>/<name>",
			    &id);
		assert_string_equal(id.uri, "");
	}
	snprintf(san, sizeof san, "URI:spiffe://%0250d/k/n", 0);
	identity_of("a", san, IEUM_E_FIELD_INVALID, "too long", &id);
	identity_of("a", NULL, IEUM_E_FIELD_MISSING, "no spiffe URI", &id);
	identity_of("a", "URI:spiffe://h/k/n,URI:spiffe://h/k/m", IEUM_E_FIELD_INVALID,
		    "more than one", &id);
	identity_of(NULL, "URI:spiffe://h/k/n", IEUM_E_FIELD_MISSING, "no CN", &id);
	identity_of("a\nb", "URI:spiffe://h/k/n", IEUM_E_FIELD_INVALID, "control characters", &id);
	identity_of("a\xc2\x85z", "URI:spiffe://h/k/n", IEUM_E_FIELD_INVALID, "control characters",
		    &id);
}

/* "spiffe://h/k/n\0.evil": a C string would end at the NUL and be somebody else. */
static void a_nul_in_the_uri_is_refused(void **state)
{
	static const char uri[] = "spiffe://h/k/n\0.evil";
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	char why[TLS_WHY_BYTES];
	struct tls_identity id;
	struct wish wish = { .cn = "a", .usage = "clientAuth", .not_after_s = 2000000000 };
	struct pair pair;

	(void)state;
	assert_int_equal(pair_new(NULL, &wish, &pair, why), IEUM_E_OK);
	assert_int_equal(ASN1_STRING_set(text, uri, sizeof uri - 1), 1);
	GENERAL_NAME_set0_value(name, GEN_URI, text);
	sk_GENERAL_NAME_push(names, name);
	assert_int_equal(X509_add1_ext_i2d(pair.cert, NID_subject_alt_name, names, 0, 0), 1);
	assert_int_equal(tls_identity_of(pair.cert, &id, why), IEUM_E_FIELD_INVALID);
	assert_text_has(why, "holds a NUL");
	GENERAL_NAMES_free(names);
	pair_release(&pair);
}

/* ---- a chain of authorities ---- */

static bool extend(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

/* certs/ makes authorities that have none below them. */
static struct pair authority_below(const struct pair *above, const char *cn, long serial)
{
	struct pair p = { .cert = X509_new(), .key = EVP_EC_gen("P-256") };
	const struct pair *by = above ? above : &p;
	X509_NAME *name = X509_get_subject_name(p.cert);

	assert_int_equal(X509_set_version(p.cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
						    (const unsigned char *)cn, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(p.cert, X509_get_subject_name(by->cert)), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(p.cert), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600));
	assert_int_equal(X509_set_pubkey(p.cert, p.key), 1);
	assert_true(extend(p.cert, NID_subject_key_identifier, "hash"));
	assert_true(extend(p.cert, NID_basic_constraints, "critical,CA:TRUE"));
	assert_true(extend(p.cert, NID_key_usage, "critical,keyCertSign,cRLSign"));
	assert_true(X509_sign(p.cert, by->key, EVP_sha256()) > 0);
	return p;
}

static void append_list(FILE *out, const struct pair *by, const struct pair *revoked)
{
	char why[CERTS_WHY_BYTES], *serial = revoked ? cert_serial(revoked->cert) : NULL;
	struct revoked row = { serial, time(NULL) - 1, REVOKED_SILENTLY };
	X509_CRL *crl;

	assert_int_equal(crl_new(by, &row, revoked != NULL, time(NULL), time(NULL) + 3600, &crl,
				 why),
			 IEUM_E_OK);
	assert_int_equal(PEM_write_X509_CRL(out, crl), 1);
	X509_CRL_free(crl);
	OPENSSL_free(serial);
}

/* By a list of the root that revokes `of_root` (or nobody), and one of the intermediate if so. */
static enum ieum_err judged(const struct pair *root, const struct pair *middle,
			    const struct pair *leaf, const struct pair *of_root, bool of_middle)
{
	struct tls_files files = good_files();
	char why[TLS_WHY_BYTES];
	struct tls_identity id;
	struct tls *tls;
	unsigned char *der = NULL;
	FILE *out = fopen(world_path("chain.crt"), "w");

	assert_int_equal(PEM_write_X509(out, root->cert), 1);
	assert_int_equal(PEM_write_X509(out, middle->cert), 1);
	fclose(out);
	out = fopen(world_path("chain.crl"), "w");
	append_list(out, root, of_root);
	if (of_middle)
		append_list(out, middle, NULL);
	fclose(out);
	files.ca = world_path("chain.crt");
	files.crl = world_path("chain.crl");
	assert_int_equal(tls_new(TLS_SERVER, &files, &tls, why), IEUM_E_OK);
	int n = i2d_X509(leaf->cert, &der);
	enum ieum_err err = tls_judge(tls, der, (size_t)n, &id, why);
	OPENSSL_free(der);
	tls_free(tls);
	return err;
}

static void the_whole_chain_is_looked_up_in_the_lists(void **state)
{
	char why[TLS_WHY_BYTES];
	struct wish wish = { .cn = "a",
			     .san = "URI:spiffe://gimpo.ieum/police/gimpo-ps",
			     .usage = "clientAuth",
			     .not_before_s = time(NULL) - 60,
			     .not_after_s = time(NULL) + 3600 };
	struct pair root = authority_below(NULL, "root", 1);
	struct pair middle = authority_below(&root, "middle", 2), leaf;

	(void)state;
	assert_int_equal(pair_new(&middle, &wish, &leaf, why), IEUM_E_OK);
	assert_int_equal(judged(&root, &middle, &leaf, NULL, true), IEUM_E_OK);
	assert_int_equal(judged(&root, &middle, &leaf, &middle, true), IEUM_E_CERTIFICATE_REVOKED);
	assert_int_equal(judged(&root, &middle, &leaf, NULL, false), IEUM_E_TLS_FAILED);
	pair_release(&root);
	pair_release(&middle);
	pair_release(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_make_credentials),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(a_wrong_file_is_named),
		cmocka_unit_test(a_damaged_second_crl_is_no_end_of_file),
		cmocka_unit_test(a_folder_of_lists_is_read),
		cmocka_unit_test(a_key_open_to_others_is_refused),
		cmocka_unit_test(an_encrypted_key_is_refused_without_asking),
		cmocka_unit_test(identities_are_read),
		cmocka_unit_test(identities_that_are_none),
		cmocka_unit_test(a_nul_in_the_uri_is_refused),
		cmocka_unit_test(the_whole_chain_is_looked_up_in_the_lists),
	};

	return cmocka_run_group_tests_name("tls", tests, world_certs_make, world_certs_remove);
}
