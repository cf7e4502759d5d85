/* broker/config: defaults, every key, and every mistake with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/config.h"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ieum-config-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static const char *config_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/ieumd.yaml", folder);
	return path;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(config_path());
	return rmdir(folder);
}

static enum ieum_err load(const char *text, struct yaml_diag *diag, struct config **out)
{
	FILE *f = fopen(config_path(), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	yaml_diag_init(diag);
	return config_load(config_path(), diag, out);
}

#define FILES \
	"certificate: hub.crt\n" \
	"key: hub.key\n" \
	"ca: /etc/ieum/ca.crt\n" \
	"hub_file: hub.yaml\n"
#define MINIMAL \
	FILES "listen: 127.0.0.1:0\n" \
	      "journal: { engine: sqlite, path: journal.db }\n"

static void defaults(void **state)
{
	struct yaml_diag diag;
	struct config *c = NULL;
	char expected[128];

	(void)state;
	assert_int_equal(load(MINIMAL, &diag, &c), IEUM_E_OK);
	snprintf(expected, sizeof(expected), "%s/hub.crt", folder);
	assert_string_equal(c->tls.cert, expected);
	assert_string_equal(c->tls.ca, "/etc/ieum/ca.crt");
	assert_null(c->tls.crl);
	assert_int_equal(c->tls.crl_grace_s, 0);
	assert_null(c->user);
	assert_int_equal(c->tls_line, 1);
	assert_int_equal(c->hub_file_line, 4);
	assert_int_equal(c->n_listen, 1);
	assert_string_equal(c->listen[0], "127.0.0.1:0");
	assert_string_equal(c->journal_engine, "sqlite");
	assert_int_equal(c->limits.frame, 1 << 20);
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->log_format, LOG_KV);
	config_free(c);
}

static void every_key(void **state)
{
	struct yaml_diag diag;
	struct config *c = NULL;

	(void)state;
	assert_int_equal(load(FILES "listen: [\"127.0.0.1:7443\", \"[::1]:7443\"]\n"
				    "crl: ca.crl\n"
				    "user: ieum\n"
				    "revocation_list_past: {accept_known_for: 24 h}\n"
				    "journal: { engine: memory }\n"
				    "log: { format: json, level: debug }\n"
				    "snapshot: { every_events: 1000 }\n"
				    "cache: 16 MiB\n"
				    "limits:\n"
				    "  frame: 512 KiB\n"
				    "  payload: 64 KiB\n"
				    "  outstanding_requests: 5\n"
				    "  idle_after: 2 min\n"
				    "  rate_per_participant: 0\n",
			      &diag, &c),
			 IEUM_E_OK);
	assert_int_equal(c->n_listen, 2);
	assert_string_equal(c->listen[1], "[::1]:7443");
	assert_non_null(c->tls.crl);
	assert_int_equal(c->tls.crl_grace_s, 24 * 60 * 60);
	assert_string_equal(c->user, "ieum");
	assert_int_equal(c->user_line, 7);
	assert_string_equal(c->journal_engine, "memory");
	assert_null(c->journal_path);
	assert_int_equal(c->log_format, LOG_JSON);
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->snapshot_every_events, 1000);
	assert_int_equal(c->cache_bytes, 16 << 20);
	assert_int_equal(c->limits.frame, 512 * 1024);
	assert_int_equal(c->limits.payload, 64 * 1024);
	assert_int_equal(c->limits.outstanding_requests, 5);
	assert_int_equal(c->limits.idle_after_ms, 120000);
	assert_int_equal(c->limits.rate_per_participant, 0);
	config_free(c);
}

static void mistake(const char *text, const char *expected)
{
	struct yaml_diag diag;
	struct config *c = NULL;

	assert_int_equal(load(text, &diag, &c), IEUM_E_FILE_INVALID);
	assert_null(c);
	assert_true(diag.count > 0);
	if (!strstr(diag.mistakes[0].text, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, diag.mistakes[0].text);
}

static void mistakes_have_their_line(void **state)
{
	struct yaml_diag diag;
	struct config *c = NULL;

	(void)state;
	mistake(MINIMAL "limit: {}\n", "ieumd.yaml:7:1: ");
	mistake(MINIMAL "limits:\n  fraem: 1 MiB\n", "ieumd.yaml:8:3: ");
	mistake(MINIMAL "limits:\n  frame: 1\n", "ieumd.yaml:8:");
	mistake(MINIMAL "limits:\n  frame: 128 KiB\n", "fit into a frame");
	mistake(MINIMAL "log: { level: loud }\n", "ieumd.yaml:7:");
	mistake(MINIMAL "revocation_list_past: accept\n", "refuse, or {accept_known_for: 24 h}");
	mistake(MINIMAL "revocation_list_past: {accept_known_for: 8 d}\n", "ieumd.yaml:7:");
	mistake(MINIMAL "revocation_list_past: {accept_for: 1 d}\n", "unknown key");
	mistake(FILES "listen: 127.0.0.1\njournal: { path: j.db }\n", "has no port");
	mistake(FILES "listen: a:1\njournal: { engine: sqlite }\n", "path");
	mistake("- no\n- map\n", "ieumd.yaml:1:");
	/* All of them at once. */
	assert_int_equal(load("listen: a:1\nkey: hub.key\njournal: { engine: redis, path: j }\n",
			      &diag, &c),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 4);
}

static void a_missing_file_is_told(void **state)
{
	struct yaml_diag diag;
	struct config *c = NULL;

	(void)state;
	yaml_diag_init(&diag);
	assert_int_equal(config_load("/nonexistent/ieumd.yaml", &diag, &c), IEUM_E_FILE_UNREADABLE);
	assert_int_equal(diag.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(every_key, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(mistakes_have_their_line, make_folder,
						remove_folder),
		cmocka_unit_test(a_missing_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
