/* client/profile: what a good file gives, every mistake of a bad one with its line, which file is
 * taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/profile.h"
#include "tests/unit/scratch.h"

static char folder[SCRATCH_PATH_BYTES];
static char path[128];
static struct yaml_diag diag;

static int make(void **state)
{
	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/profile.yaml", folder);
	yaml_diag_init(&diag);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void a_whole_profile_is_read(void **state)
{
	struct profile *p = NULL;
	char want[256];

	(void)state;
	write_file("addresses: [hub-a:7443, \"[::1]:7444\"]\n"
		   "ca: ca.crt\ncertificate: /etc/ieum/me.crt\nkey: keys/me.key\n"
		   "server_name: hub.gimpo.ieum\nlanguage: ko\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_int_equal(p->n_addresses, 2);
	assert_string_equal(p->addresses[0], "hub-a:7443");
	assert_string_equal(p->addresses[1], "[::1]:7444");
	snprintf(want, sizeof want, "%s/ca.crt", folder);
	assert_string_equal(p->ca, want);
	assert_string_equal(p->certificate, "/etc/ieum/me.crt");
	snprintf(want, sizeof want, "%s/keys/me.key", folder);
	assert_string_equal(p->key, want);
	assert_string_equal(p->server_name, "hub.gimpo.ieum");
	assert_true(p->has_language);
	assert_int_equal(p->language, WORDS_KO);
	profile_free(p);
}

static void identities_say_whose_a_certificate_is(void **state)
{
	static const char rest[] = "addresses: a:1\nca: a\ncertificate: b\nkey: c\n";
	char text[512];
	struct profile *p = NULL;

	(void)state;
	snprintf(text, sizeof text,
		 "%sidentities:\n  - {participant: aid, issuer: 'CN=X,O=Y', subject: 'CN=z'}\n"
		 "  - {participant: aid, key: 'sha256:%064d'}\n",
		 rest, 7);
	write_file(text);
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_int_equal(p->n_identities, 2);
	assert_string_equal(p->identities[0].participant, "aid");
	assert_string_equal(p->identities[0].issuer, "CN=X,O=Y");
	assert_string_equal(p->identities[0].subject, "CN=z");
	assert_null(p->identities[0].key);
	assert_non_null(p->identities[1].key);
	profile_free(p);
	snprintf(text, sizeof text,
		 "%sidentities:\n  - {participant: aid}\n  - {participant: aid, issuer: x}\n"
		 "  - {participant: aid, key: abc}\n  - {key: '%064d'}\n",
		 rest, 7);
	write_file(text);
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 4);
}

static void one_address_needs_no_list(void **state)
{
	struct profile *p = NULL;

	(void)state;
	write_file("addresses: hub:7443\nca: a\ncertificate: b\nkey: c\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_int_equal(p->n_addresses, 1);
	assert_null(p->server_name);
	assert_false(p->has_language);
	profile_free(p);
}

static void what_sealing_needs_is_read(void **state)
{
	struct profile *p = NULL;
	char want[256];

	(void)state;
	write_file("addresses: hub:7443\nca: a\ncertificate: b\nkey: c\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_null(p->crl);
	assert_int_equal(p->n_old_keys, 0);
	assert_false(p->seal_all);
	assert_false(p->ask_to_wrap);
	profile_free(p);
	write_file("addresses: hub:7443\nca: a\ncertificate: b\nkey: c\ncrl: a.crl\n"
		   "old_keys: [{certificate: b1, key: c1}, {certificate: /b2, key: /c2}]\n"
		   "seal: all\nwrap_keys: ask\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	snprintf(want, sizeof want, "%s/a.crl", folder);
	assert_string_equal(p->crl, want);
	assert_int_equal(p->n_old_keys, 2);
	snprintf(want, sizeof want, "%s/c1", folder);
	assert_string_equal(p->old_keys[0].key, want);
	assert_string_equal(p->old_keys[1].cert, "/b2");
	assert_true(p->seal_all);
	assert_true(p->ask_to_wrap);
	profile_free(p);
	write_file("addresses: hub:7443\nca: a\ncertificate: b\nkey: c\n"
		   "old_keys: [{certificate: b1}]\nseal: some\nwrap_keys: never\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 3);
}

/* `path` is absolute, as the default profile's is. */
static void a_profile_can_want_no_spool(void **state)
{
	static const char rest[] = "addresses: a:1\nca: a\ncertificate: b\nkey: c\n";
	struct profile *p = NULL;
	char text[256], want[256];

	(void)state;
	assert_int_equal(path[0], '/');
	snprintf(text, sizeof text, "%sspool: none\n", rest);
	write_file(text);
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_true(p->no_spool);
	assert_null(p->spool);
	profile_free(p);
	snprintf(text, sizeof text, "%sspool: none.spool\n", rest);
	write_file(text);
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_OK);
	assert_false(p->no_spool);
	snprintf(want, sizeof want, "%s/none.spool", folder);
	assert_string_equal(p->spool, want);
	profile_free(p);
	snprintf(text, sizeof text, "%sspool: [none]\n", rest);
	write_file(text);
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 1);
}

static void every_mistake_has_its_line(void **state)
{
	struct profile *p = NULL;

	(void)state;
	write_file("addresses: []\nca: ca.crt\ncertifcate: me.crt\nlanguage: kr\n");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_FILE_INVALID);
	assert_null(p);
	/* No addresses, unknown key, certificate and key missing, language unknown. */
	assert_int_equal(diag.count, 5);
	char *all = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&all, &n);
	assert_non_null(out);
	yaml_diag_print(&diag, out);
	fclose(out);
	assert_non_null(strstr(all, "profile.yaml:3:1"));
	assert_non_null(strstr(all, "did you mean 'certificate'"));
	assert_non_null(strstr(all, "profile.yaml:4:"));
	free(all);
}

static void a_profile_that_is_not_there_is_said(void **state)
{
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(profile_load("/nonexistent/profile.yaml", &diag, &p),
			 IEUM_E_FILE_UNREADABLE);
	assert_int_equal(diag.count, 1);
	assert_null(p);
	write_file("just text");
	assert_int_equal(profile_load(path, &diag, &p), IEUM_E_FILE_INVALID);
}

static void asked_then_environment_then_home(void **state)
{
	char found[PROFILE_PATH_BYTES];

	(void)state;
	setenv("IEUM_PROFILE", "/env/p.yaml", 1);
	setenv("HOME", "/home/duty", 1);
	unsetenv("XDG_CONFIG_HOME");
	assert_int_equal(profile_path("mine.yaml", found), IEUM_E_OK);
	assert_string_equal(found, "mine.yaml");
	assert_int_equal(profile_path(NULL, found), IEUM_E_OK);
	assert_string_equal(found, "/env/p.yaml");
	unsetenv("IEUM_PROFILE");
	assert_int_equal(profile_path(NULL, found), IEUM_E_OK);
	assert_string_equal(found, "/home/duty/.config/ieum/profile.yaml");
	setenv("XDG_CONFIG_HOME", "/cfg", 1);
	assert_int_equal(profile_path(NULL, found), IEUM_E_OK);
	assert_string_equal(found, "/cfg/ieum/profile.yaml");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_int_equal(profile_path(NULL, found), IEUM_E_FILE_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_profile_is_read, make, drop),
		cmocka_unit_test_setup_teardown(identities_say_whose_a_certificate_is, make, drop),
		cmocka_unit_test_setup_teardown(one_address_needs_no_list, make, drop),
		cmocka_unit_test_setup_teardown(what_sealing_needs_is_read, make, drop),
		cmocka_unit_test_setup_teardown(a_profile_can_want_no_spool, make, drop),
		cmocka_unit_test_setup_teardown(every_mistake_has_its_line, make, drop),
		cmocka_unit_test_setup_teardown(a_profile_that_is_not_there_is_said, make, drop),
		cmocka_unit_test_setup_teardown(asked_then_environment_then_home, make, drop),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
