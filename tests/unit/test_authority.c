/* A city's authority and an agency's request: what is signed and what is not, how a renewal overlaps,
 * what a batch leaves alone, and that keys stay where they were made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/offline.h"
#include "certs/request.h"
#include "client/cert_request.h"

enum { DAY_S = 24 * 60 * 60, NOW_S = 1800000000, PATH_MAX_BYTES = 256, TEXT_MAX_BYTES = 4096 };

static char dir[64];
static char why[CERTS_WHY_BYTES];
static struct hub_participant participants[] = {
	{ "gimpo-ps", "police" },
	{ "gimpo-team", "joint_response_team" },
};
static const struct hub_file hub = { .hub = "gimpo.ieum", .participants = participants, .n = 2 };
static const struct offline_options year = { .now_s = NOW_S,
					     .until_s = NOW_S + 365 * (int64_t)DAY_S,
					     .within_days = OFFLINE_RENEW_DAYS };
static const struct cert_wish desk = {
	.hub = "gimpo.ieum", .kind = "police", .participant = "gimpo-ps", .actor = "김경위"
};

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/ieum-authority-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char paths[4][PATH_MAX_BYTES];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX_BYTES, "%s/%.180s", dir, name);
	return path;
}

/* What was said on `out`; of the last call. */
static char said[TEXT_MAX_BYTES];

static FILE *listen_to(void)
{
	memset(said, 0, sizeof said);
	return fmemopen(said, sizeof said - 1, "w");
}

static struct store *authority(const char *passphrase)
{
	static struct store store;

	assert_int_equal(store_open(path_of("city"), false, &store, why), IEUM_E_OK);
	store.passphrase = passphrase;
	assert_int_equal(offline_ca(&store, "Gimpo CA", &year, why), IEUM_E_OK);
	return &store;
}

static void ask(const char *stem, const struct cert_wish *wish)
{
	assert_int_equal(cert_request(path_of(stem), wish, why), IEUM_E_OK);
}

/* The file of the certificate, below the authority's folder. */
static const char *sign(struct store *store, const char *request,
			const struct offline_options *options)
{
	static char file[201];
	FILE *out = listen_to();

	assert_int_equal(offline_sign(store, &hub, path_of(request), options, out, why), IEUM_E_OK);
	fclose(out);
	assert_int_equal(sscanf(said, "signed %200s", file), 1);
	return file;
}

static X509 *read_cert(const char *name)
{
	char path[2 * PATH_MAX_BYTES];

	snprintf(path, sizeof path, "%s/city/%.255s", dir, name);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	X509 *cert = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	assert_non_null(cert);
	return cert;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	return st.st_mode & 07777;
}

/* ---- one ---- */

static void a_request_becomes_a_certificate(void **state)
{
	struct store *store = authority(NULL);
	struct cert_facts facts;
	char file[201];

	(void)state;
	umask(0);
	ask("desk", &desk);
	umask(022);
	assert_int_equal(mode_of("desk.key"), 0600);
	snprintf(file, sizeof file, "%s", sign(store, "desk.csr", &year));
	X509 *cert = read_cert(file), *ca = read_cert("ca.crt");
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
	FILE *in = fopen(path_of("desk.key"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
	fclose(in);
	assert_int_equal(X509_check_private_key(cert, key), 1);
	EVP_PKEY_free(key);
	X509_free(cert);
	X509_free(ca);
	char path[PATH_MAX_BYTES];
	snprintf(path, sizeof path, "city/%s", file);
	assert_int_equal(cert_read(path_of(path), &facts, why), IEUM_E_OK);
	assert_string_equal(facts.id.uri, "spiffe://gimpo.ieum/police/gimpo-ps");
	assert_string_equal(facts.id.actor, "김경위");
	assert_string_equal(facts.subject, "CN=김경위");
	assert_string_equal(facts.issuer, "CN=Gimpo CA");
	assert_string_equal(facts.key_type, "EC prime256v1");
	assert_int_equal(strlen(facts.key_pin), 64);
	assert_int_equal(facts.ends_at_ms, year.until_s * 1000);
	assert_true(facts.can_sign && facts.can_be_sealed_to);
	store_close(store);
}

static void a_hub_asks_with_its_hosts(void **state)
{
	struct store *store = authority(NULL);
	const struct cert_wish wish = { .hub = "gimpo.ieum",
					.kind = "hub",
					.participant = "gimpo.ieum",
					.actor = "gimpo.ieum",
					.hosts = "hub.gimpo.example,10.1.2.3" };

	(void)state;
	ask("hub", &wish);
	struct offline_options of_hub = year;
	of_hub.of_hub = true;
	X509 *cert = read_cert(sign(store, "hub.csr", &of_hub));
	/* Whoever signs sees what it is good for. */
	assert_non_null(strstr(said, "DNS:hub.gimpo.example,IP:10.1.2.3"));
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
	assert_int_equal(X509_check_host(cert, "hub.gimpo.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(cert, "10.1.2.3", 0), 1);
	X509_free(cert);
	store_close(store);
}

static void nothing_is_written_over_a_key(void **state)
{
	struct stat st;
	struct cert_wish wish = desk;

	(void)state;
	ask("desk", &desk);
	assert_int_equal(cert_request(path_of("desk"), &desk, why), IEUM_E_FILE_EXISTS);
	assert_string_equal(why, path_of("desk.key"));
	assert_int_equal(symlink("elsewhere", path_of("link.key")), 0);
	assert_int_equal(cert_request(path_of("link"), &desk, why), IEUM_E_FILE_EXISTS);
	assert_int_equal(lstat(path_of("elsewhere"), &st), -1);
	/* Without the request the key is of no use, and is not left behind. */
	FILE *out = fopen(path_of("half.csr"), "w");
	fclose(out);
	assert_int_equal(cert_request(path_of("half"), &desk, why), IEUM_E_FILE_EXISTS);
	assert_int_equal(lstat(path_of("half.key"), &st), -1);
	static const char *const bad[] = { "", "Gimpo", "a b", "../x", "-x" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		wish.participant = bad[i];
		assert_int_equal(cert_request(path_of("bad"), &wish, why), IEUM_E_FIELD_INVALID);
	}
	wish = desk;
	wish.actor = "a/b";
	assert_int_equal(cert_request(path_of("bad"), &wish, why), IEUM_E_FIELD_INVALID);
	assert_int_equal(lstat(path_of("bad.key"), &st), -1);
}

/* ---- the authority's own key ---- */

static void the_authoritys_key_is_encrypted(void **state)
{
	struct store *store = authority("correct horse");
	char line[64] = "";
	FILE *in = fopen(path_of("city/ca.key"), "r");

	(void)state;
	assert_non_null(fgets(line, sizeof line, in));
	fclose(in);
	assert_string_equal(line, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
	assert_int_equal(mode_of("city/ca.key"), 0600);
	store_close(store);
	assert_int_equal(store_open(path_of("city"), false, store, why), IEUM_E_OK);
	store->passphrase = "wrong";
	assert_int_equal(store_ca_load(store, why), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(why, "passphrase"));
	store->passphrase = "correct horse";
	assert_int_equal(store_ca_load(store, why), IEUM_E_OK);
	ask("desk", &desk);
	(void)sign(store, "desk.csr", &year);
	/* A second authority would make the first one's certificates worthless. */
	assert_int_equal(offline_ca(store, "Other", &year, why), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(why, "there already"));
	store_close(store);
}

/* ---- over the years ---- */

static size_t lines_of(const char *begin)
{
	size_t n = 0;

	for (const char *at = said; (at = strstr(at, begin)) != NULL; at++)
		n += at == said || at[-1] == '\n';
	return n;
}

static size_t batch(struct store *store, const struct offline_options *options)
{
	FILE *out = listen_to();
	size_t refused;

	assert_int_equal(offline_batch(store, &hub, dir, options, out, &refused, why), IEUM_E_OK);
	fclose(out);
	return refused;
}

static void a_renewal_overlaps_and_one_is_revoked(void **state)
{
	const struct offline_options later = { .now_s = NOW_S + 330 * (int64_t)DAY_S,
					       .until_s = NOW_S + 700 * (int64_t)DAY_S,
					       .within_days = OFFLINE_RENEW_DAYS };
	struct store *store = authority(NULL);
	char first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];

	(void)state;
	ask("desk", &desk);
	assert_int_equal(batch(store, &year), 0);
	assert_int_equal(lines_of("signed participants/gimpo-ps."), 1);
	assert_int_equal(lines_of("missing gimpo-team"), 1);
	assert_int_equal(sscanf(said, "signed %200s", first), 1);
	/* The same request again: nothing to do, until it is due. */
	assert_int_equal(batch(store, &year), 0);
	assert_int_equal(lines_of("kept participants/gimpo-ps."), 1);
	ask("desk-2", &desk);
	snprintf(second, sizeof second, "%s", sign(store, "desk-2.csr", &later));
	assert_non_null(strstr(said, "it follows participants/gimpo-ps."));
	FILE *out = listen_to();
	assert_int_equal(offline_due(store, &later, out, why), IEUM_E_OK);
	fclose(out);
	assert_int_equal(lines_of("due "), 1);
	assert_non_null(strstr(said, first));
	/* Both were good; the old one is taken back by its number. */
	X509 *cert = read_cert(first);
	char *serial = cert_serial(cert);
	assert_int_equal(store_revoke(store, serial, REVOKED_OUT_OF_USE, later.now_s, NULL, why),
			 IEUM_E_OK);
	assert_int_equal(store_write_crl_until(store, later.now_s, later.until_s, why), IEUM_E_OK);
	FILE *in = fopen(path_of("city/ca.crl"), "r");
	X509_CRL *crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
	X509_REVOKED *row = NULL;
	fclose(in);
	assert_int_equal(X509_CRL_get0_by_cert(crl, &row, cert), 1);
	X509 *other = read_cert(second);
	assert_int_equal(X509_CRL_get0_by_cert(crl, &row, other), 0);
	time_t end = (time_t)later.until_s - 1;
	assert_int_equal(X509_cmp_time(X509_CRL_get0_nextUpdate(crl), &end), 1);
	X509_free(other);
	X509_CRL_free(crl);
	OPENSSL_free(serial);
	X509_free(cert);
	store_close(store);
}

/* ---- what is not signed ---- */

static void write_request(const char *name, EVP_PKEY *key, const char *cn, const char *san,
			  bool tampered)
{
	X509_REQ *request = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	if (cn)
		assert_int_equal(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request),
							    NID_commonName, MBSTRING_UTF8,
							    (const unsigned char *)cn, -1, -1, 0),
				 1);
	if (san) {
		sk_X509_EXTENSION_push(list,
				       X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
		assert_int_equal(X509_REQ_add_extensions(request, list), 1);
	}
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	EVP_PKEY *other = tampered ? EVP_EC_gen("P-256") : NULL;
	if (tampered)
		assert_int_equal(X509_REQ_set_pubkey(request, other), 1);
	FILE *out = fopen(path_of(name), "w");
	assert_int_equal(PEM_write_X509_REQ(out, request), 1);
	fclose(out);
	EVP_PKEY_free(other);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(request);
}

static void refused_by_sign(struct store *store, const char *request,
			    const struct offline_options *options, const char *says)
{
	FILE *out = listen_to();

	assert_int_equal(offline_sign(store, &hub, path_of(request), options, out, why),
			 IEUM_E_FILE_INVALID);
	fclose(out);
	assert_non_null(strstr(why, says));
}

/* Whoever has such a certificate is the hub to every agency: nobody gets it among a folder of others. */
static void a_hub_is_signed_only_when_that_was_said(void **state)
{
	static const char uri[] = "URI:spiffe://gimpo.ieum/hub/gimpo.ieum";
	struct offline_options of_hub = year;
	struct store *store = authority(NULL);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char any_host[128];

	(void)state;
	of_hub.of_hub = true;
	write_request("as-hub.csr", key, "gimpo-ps", uri, false);
	ask("desk", &desk);
	assert_int_equal(batch(store, &year), 1);
	assert_int_equal(lines_of("refused "), 1);
	assert_int_equal(lines_of("signed "), 1);
	assert_non_null(strstr(said, "as-hub.csr"));
	assert_non_null(strstr(said, "--of-hub"));
	assert_int_equal(batch(store, &of_hub), 1);
	refused_by_sign(store, "as-hub.csr", &year, "--of-hub");
	refused_by_sign(store, "desk.csr", &of_hub, "no request of the hub");
	(void)sign(store, "as-hub.csr", &of_hub);
	snprintf(any_host, sizeof any_host, "%s,DNS:*", uri);
	write_request("as-hub.csr", key, "gimpo.ieum", any_host, false);
	refused_by_sign(store, "as-hub.csr", &of_hub, "host name");
	snprintf(any_host, sizeof any_host, "%s,DNS:*.example", uri);
	write_request("as-hub.csr", key, "gimpo.ieum", any_host, false);
	refused_by_sign(store, "as-hub.csr", &of_hub, "host name");
	EVP_PKEY_free(key);
	store_close(store);
}

static void what_asks_for_more_or_less_is_refused(void **state)
{
	static const char good[] = "URI:spiffe://gimpo.ieum/police/gimpo-ps";
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *weak = EVP_RSA_gen(2048), *odd = EVP_EC_gen("P-521");
	const struct {
		EVP_PKEY *key;
		const char *cn, *san;
		bool tampered;
		const char *says;
	} rows[] = {
		{ ec, "x", "URI:spiffe://gimpo.ieum/police/nobody", false, "names nobody" },
		{ ec, "x", "URI:spiffe://other.ieum/police/gimpo-ps", false, "names nobody" },
		{ ec, "x", "URI:spiffe://gimpo.ieum/office/gimpo-ps", false, "names nobody" },
		{ ec, "x", NULL, false, "no URI" },
		{ ec, "x",
		  "URI:spiffe://gimpo.ieum/police/gimpo-ps,URI:spiffe://gimpo.ieum/police/gimpo-ps",
		  false, "more than one URI" },
		{ ec, "x", "URI:spiffe://gimpo.ieum/police/gimpo-ps,DNS:hub.gimpo.example", false,
		  "no use of" },
		{ ec, NULL, good, false, "CN" },
		{ ec, "a/b", good, false, "CN" },
		{ weak, "x", good, false, "3072" },
		{ odd, "x", good, false, "neither EC P-256" },
		{ ec, "x", good, true, "not signed by its own key" },
	};
	struct store *store = authority(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		FILE *out = listen_to();
		write_request("bad.csr", rows[i].key, rows[i].cn, rows[i].san, rows[i].tampered);
		assert_int_equal(offline_sign(store, &hub, path_of("bad.csr"), &year, out, why),
				 IEUM_E_FILE_INVALID);
		fclose(out);
		if (!strstr(why, rows[i].says))
			fail_msg("row %zu: '%s' is not in '%s'", i, rows[i].says, why);
	}
	/* One bad request keeps nobody else from theirs. */
	ask("desk", &desk);
	assert_int_equal(batch(store, &year), 1);
	assert_int_equal(lines_of("refused "), 1);
	assert_int_equal(lines_of("signed participants/gimpo-ps."), 1);
	write_request("plain.csr", ec, "y", good, false);
	(void)sign(store, "plain.csr", &year);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(odd);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_becomes_a_certificate, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_hub_asks_with_its_hosts, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(nothing_is_written_over_a_key, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(the_authoritys_key_is_encrypted, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_renewal_overlaps_and_one_is_revoked, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_hub_is_signed_only_when_that_was_said, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(what_asks_for_more_or_less_is_refused, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
