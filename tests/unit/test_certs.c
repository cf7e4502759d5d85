/* certs/: files and their modes, what is kept and what is made anew, the index, the revocation
 * list, and which hub files are refused. */
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

#include "certs/commands.h"
#include "certs/index.h"

enum { NOW_S = 1800000000, DAY_S = 24 * 60 * 60 };

static char dir[64];
static char why[CERTS_WHY_BYTES];
static struct hub_participant participants[] = {
	{ "gimpo-ps", "police" },
	{ "gimpo-team", "joint_response_team" },
};
static const struct hub_file hub = { .hub = "gimpo.ieum", .participants = participants, .n = 2 };

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/ieum-certs-XXXXXX");
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
	static char paths[2][256];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static enum ieum_err run_dev(bool force, const struct dev_options *options)
{
	struct store store;
	FILE *null = fopen("/dev/null", "w");
	enum ieum_err err = store_open(dir, force, &store, why);

	if (!err)
		err = certs_dev(&store, &hub, options, null, why);
	store_close(&store);
	fclose(null);
	return err;
}

static const struct dev_options plain = { .days = 10, .now_s = NOW_S };

static X509 *read_cert(const char *name)
{
	FILE *in = fopen(path_of(name), "r");
	X509 *cert;

	assert_non_null(in);
	cert = PEM_read_X509(in, NULL, NULL, NULL);
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

static void every_participant_gets_a_pair(void **state)
{
	static const char *const pairs[] = { "ca", "hub", "participants/gimpo-ps",
					     "participants/gimpo-team" };
	char name[80];

	(void)state;
	umask(0);
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	umask(022);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		snprintf(name, sizeof name, "%s.key", pairs[i]);
		assert_int_equal(mode_of(name), 0600);
		snprintf(name, sizeof name, "%s.crt", pairs[i]);
		assert_int_equal(mode_of(name), 0644);
	}
	X509 *cert = read_cert("participants/gimpo-ps.crt"), *ca = read_cert("ca.crt");
	time_t start = NOW_S - 60, end = NOW_S + 10 * DAY_S - 60, late = NOW_S + 10 * DAY_S + 60;
	assert_int_equal(X509_cmp_time(X509_get0_notBefore(cert), &start), -1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &end), 1);
	assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &late), -1);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
	assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(cert)), CERTS_SERIAL_BYTES);
	X509_free(cert);
	cert = read_cert("hub.crt");
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_SERVER);
	assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "hub.example", 0, 0, NULL), 0);
	X509_free(cert);
	X509_free(ca);
}

static void nothing_is_overwritten_without_force(void **state)
{
	(void)state;
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	X509 *before = read_cert("hub.crt"), *ca = read_cert("ca.crt");
	unlink(path_of("participants/gimpo-ps.crt"));
	unlink(path_of("participants/gimpo-ps.key"));
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	X509 *after = read_cert("hub.crt"), *added = read_cert("participants/gimpo-ps.crt");
	assert_int_equal(X509_cmp(before, after), 0);
	assert_int_equal(X509_verify(added, X509_get0_pubkey(ca)), 1);
	X509_free(after);
	assert_int_equal(run_dev(true, &plain), IEUM_E_OK);
	after = read_cert("hub.crt");
	assert_true(X509_cmp(before, after) != 0);
	assert_int_equal(X509_verify(after, X509_get0_pubkey(ca)), 0);
	assert_int_equal(mode_of("hub.key"), 0600);
	X509_free(before);
	X509_free(after);
	X509_free(added);
	X509_free(ca);
}

static void half_a_pair_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	unlink(path_of("hub.key"));
	assert_int_equal(run_dev(false, &plain), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(why, "hub: only one of .crt and .key is there"));
	assert_int_equal(run_dev(true, &plain), IEUM_E_OK);
}

/* A link laid where a key will go must not lead it elsewhere. */
static void a_key_is_not_written_through_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	unlink(path_of("hub.crt"));
	unlink(path_of("hub.key"));
	assert_int_equal(symlink("elsewhere", path_of("hub.key")), 0);
	assert_int_equal(run_dev(false, &plain), IEUM_E_FILE_INVALID);
	assert_int_equal(run_dev(true, &plain), IEUM_E_OK);
	assert_int_equal(lstat(path_of("hub.key"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(lstat(path_of("elsewhere"), &st), -1);
}

static void hosts_and_actors_are_added(void **state)
{
	struct dev_options options = plain;

	(void)state;
	options.hosts[options.hosts_n++] = "hub.example";
	options.hosts[options.hosts_n++] = "10.1.2.3";
	options.actors[options.actors_n++] = "gimpo-ps=desk-2";
	assert_int_equal(run_dev(false, &options), IEUM_E_OK);
	X509 *cert = read_cert("hub.crt");
	assert_int_equal(X509_check_host(cert, "hub.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(cert, "10.1.2.3", 0), 1);
	X509_free(cert);
	char cn[80];
	cert = read_cert("participants/gimpo-ps.desk-2.crt");
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof cn);
	assert_string_equal(cn, "desk-2");
	X509_free(cert);
	static const char *const bad_hosts[] = { "", "a,DNS:b", "a b", "a:1", "a\n" };
	for (size_t i = 0; i < sizeof bad_hosts / sizeof bad_hosts[0]; i++) {
		options = (struct dev_options){ .days = 1, .now_s = NOW_S, .hosts_n = 1 };
		options.hosts[0] = bad_hosts[i];
		assert_int_equal(run_dev(false, &options), IEUM_E_FIELD_INVALID);
	}
	static const char *const bad_actors[] = { "gimpo-ps", "gimpo-ps=", "nobody=x",
						  "gimpo-ps=a/b", "gimpo=x" };
	for (size_t i = 0; i < sizeof bad_actors / sizeof bad_actors[0]; i++) {
		options = (struct dev_options){ .days = 1, .now_s = NOW_S, .actors_n = 1 };
		options.actors[0] = bad_actors[i];
		assert_int_equal(run_dev(false, &options), IEUM_E_FIELD_INVALID);
	}
}

static bool is_revoked(const char *name)
{
	X509 *cert = read_cert(name), *ca = read_cert("ca.crt");
	FILE *in = fopen(path_of("ca.crl"), "r");
	X509_CRL *crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
	X509_REVOKED *row = NULL;

	fclose(in);
	assert_non_null(crl);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	bool revoked = X509_CRL_get0_by_cert(crl, &row, cert) == 1;
	X509_CRL_free(crl);
	X509_free(cert);
	X509_free(ca);
	return revoked;
}

static void a_revocation_is_kept_in_every_later_list(void **state)
{
	struct store store;

	(void)state;
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	assert_false(is_revoked("participants/gimpo-ps.crt"));
	assert_int_equal(store_open(dir, false, &store, why), IEUM_E_OK);
	assert_int_equal(store_ca_load(&store, why), IEUM_E_OK);
	assert_int_equal(store_revoke(&store, "participants/gimpo-ps", REVOKED_OUT_OF_USE, NOW_S,
				      NULL, why),
			 IEUM_E_OK);
	assert_int_equal(store_revoke(&store, "participants/gimpo-ps", REVOKED_OUT_OF_USE, NOW_S,
				      NULL, why),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(store_revoke(&store, "participants/gimpo", REVOKED_OUT_OF_USE, NOW_S, NULL,
				      why),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(store_write_crl(&store, NOW_S, 10, why), IEUM_E_OK);
	store_close(&store);
	assert_true(is_revoked("participants/gimpo-ps.crt"));
	assert_false(is_revoked("participants/gimpo-team.crt"));
	assert_int_equal(run_dev(false, &plain), IEUM_E_OK);
	assert_true(is_revoked("participants/gimpo-ps.crt"));
}

static void the_index_survives_a_round_trip(void **state)
{
	static const struct index_row rows[] = {
		{ 1800000000, 0, REVOKED_SILENTLY, "0A", "hub.crt" },
		{ 4102444800 /* 2100 */, 1800000001, REVOKED_STOLEN, "FF", "participants/a b.crt" },
		{ 2524607999 /* the last second of 2049 */, 0, REVOKED_SILENTLY, "01", "x.crt" },
	};
	struct index index = { 0 }, again;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(index_add(&index, &rows[i]), IEUM_E_OK);
	char *text = index_text(&index);
	FILE *out = fopen(path_of("index.txt"), "w");
	fputs(text, out);
	fclose(out);
	free(text);
	assert_int_equal(index_load(path_of("index.txt"), &again, why), IEUM_E_OK);
	assert_int_equal(again.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(again.rows[i].not_after_s, rows[i].not_after_s);
		assert_int_equal(again.rows[i].revoked_s, rows[i].revoked_s);
		assert_int_equal(again.rows[i].why, rows[i].why);
		assert_string_equal(again.rows[i].serial, rows[i].serial);
		assert_string_equal(again.rows[i].file, rows[i].file);
	}
	index_release(&index);
	index_release(&again);
}

static void a_damaged_index_is_refused_with_its_line(void **state)
{
	FILE *out = fopen(path_of("index.txt"), "w");
	struct index index;

	(void)state;
	fputs("V\t271122141549Z\t\t0A\thub.crt\t/\nX\t271122141549Z\t\t0B\thub.crt\t/\n", out);
	fclose(out);
	assert_int_equal(index_load(path_of("index.txt"), &index, why), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(why, "index.txt:2: not a line of an index"));
}

static enum ieum_err load_text(const char *text, struct hub_file *file, struct yaml_diag *diag)
{
	FILE *out = fopen(path_of("hub.yaml"), "w");

	fputs(text, out);
	fclose(out);
	yaml_diag_init(diag);
	return hub_file_load(path_of("hub.yaml"), file, diag);
}

static void a_hub_file_gives_names_and_kinds(void **state)
{
	static struct yaml_diag diag;
	struct hub_file file;

	(void)state;
	assert_int_equal(load_text("hub: {name: gimpo.ieum, more: 1}\n"
				   "participants:\n"
				   "  gimpo-ps: {kind: police, rank: [1]}\n"
				   "  a_b.c: {kind: operator}\n"
				   "rules: []\n",
				   &file, &diag),
			 IEUM_E_OK);
	assert_string_equal(file.hub, "gimpo.ieum");
	assert_int_equal(file.n, 2);
	assert_string_equal(file.participants[0].name, "gimpo-ps");
	assert_string_equal(file.participants[0].kind, "police");
	assert_string_equal(file.participants[1].name, "a_b.c");
	hub_file_release(&file);
}

static void hub_files_that_are_none(void **state)
{
	static const struct {
		const char *text, *mistake;
	} rows[] = {
		{ "participants: {a: {kind: b}}\n", "key 'hub' is missing" },
		{ "hub: {name: h}\n", "key 'participants' is missing" },
		{ "hub: {name: h}\nparticipants: [a]\n", ":2:" },
		{ "hub: {name: h}\nparticipants:\n  a: {}\n", ":3:" },
		{ "hub: {name: h}\nparticipants:\n  'A/B': {kind: k}\n", ":3:3: a name in" },
		{ "hub: {name: h}\nparticipants:\n  ..: {kind: k}\n", ":3:3: a name in" },
		{ "hub: {name: 'a,URI:x'}\nparticipants: {a: {kind: k}}\n", ":1:" },
		{ "hub: {name: [x]}\nparticipants: {a: {kind: k}}\n", ":1:" },
	};
	static struct yaml_diag diag;
	struct hub_file file;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(load_text(rows[i].text, &file, &diag), IEUM_E_FILE_INVALID);
		assert_true(diag.count > 0);
		if (!strstr(diag.mistakes[0].text, rows[i].mistake))
			fail_msg("%s", diag.mistakes[0].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_participant_gets_a_pair, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(nothing_is_overwritten_without_force, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(half_a_pair_is_refused, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_key_is_not_written_through_a_link, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(hosts_and_actors_are_added, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_revocation_is_kept_in_every_later_list, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(the_index_survives_a_round_trip, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_damaged_index_is_refused_with_its_line, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_hub_file_gives_names_and_kinds, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(hub_files_that_are_none, make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("certs", tests, NULL, NULL);
}
