/* The command `ieum` without a hub: every command answers --help in both languages, every mistake
 * has its exit code and says so for people and for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/command.h"
#include "client/values.h"

#define MUTABLE(text) ((char[]){ text })

static char *out_text, *err_text;

/* Runs "ieum WORDS…", keeps what it printed. */
static enum exit_code run(const char *words)
{
	char copy[512], *argv[32] = { MUTABLE("ieum") }, *save = NULL;
	size_t out_n, err_n;
	FILE *out, *err;
	enum exit_code code;
	int argc = 1;

	free(out_text);
	free(err_text);
	out = open_memstream(&out_text, &out_n);
	err = open_memstream(&err_text, &err_n);
	assert_non_null(out);
	assert_non_null(err);
	snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w && argc < 31; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	code = command_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

static int calm(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	setenv("TZ", "KST-9", 1);
	setenv("IEUM_PROFILE", "/nonexistent/profile.yaml", 1);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	free(out_text);
	free(err_text);
	out_text = err_text = NULL;
	return 0;
}

static void help_answers_in_both_languages(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run("--help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "usage: ieum"));
	for (const struct command *c = commands; c->name; c++)
		assert_non_null(strstr(out_text, c->name));
	assert_non_null(strstr(out_text, "  5  the audit found a mismatch"));
	for (const struct command *c = commands; c->name; c++) {
		snprintf(words, sizeof words, "%s --help", c->name);
		assert_int_equal(run(words), EXIT_DONE);
		snprintf(words, sizeof words, "usage: ieum %s", c->name);
		assert_non_null(strstr(out_text, words));
		snprintf(words, sizeof words, "--lang ko --help %s", c->name);
		assert_int_equal(run(words), EXIT_DONE);
		assert_non_null(strstr(out_text, "사용법: ieum"));
		assert_string_equal(err_text, "");
	}
	assert_int_equal(run("--version"), EXIT_DONE);
	assert_non_null(strstr(out_text, "ieum 0."));
}

static void mistakes_on_the_command_line(void **state)
{
	static const char *const lines[] = {
		"",
		"frobnicate",
		"inbox --frob",
		"inbox --limit",
		"inbox --limit 0",
		"inbox --limit many",
		"inbox --settle maybe",
		"inbox extra",
		"inbox --follow --follow",
		"ping --follow",
		"case",
		"case frob",
		"case show",
		"case show 12",
		"case list 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
		"case show 0192f5d4-7c1e-7a3b-9c4d-0123456789ab --closed",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab perhaps",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject --reason whim",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab need_more_time",
		"answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab need_more_time --until tomorrow",
		"settle 5",
		"settle 5 --done --release",
		"settle five --done",
		"queue list --dead-letters",
		"queue show",
		"drill advance",
		"drill advance soon",
		"drill advance 3 business days",
		"audit verify journal.db --earlier 12",
		"audit verify journal.db --earlier 12:abcd",
		"--timeout 0 ping",
		"--lang fr ping",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (run(lines[i]) != EXIT_USAGE)
			fail_msg("'%s' is taken", lines[i]);
		assert_string_equal(out_text, "");
		assert_non_null(strstr(err_text, "--help"));
	}
}

static void business_days_are_the_calendars(void **state)
{
	(void)state;
	assert_int_equal(run("drill advance 3 business days"), EXIT_USAGE);
	assert_non_null(strstr(err_text, "calendar"));
}

static void a_mistake_names_what_is_possible(void **state)
{
	(void)state;
	assert_int_equal(run("--lang ko answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab reject "
			     "--reason whim"),
			 EXIT_USAGE);
	assert_non_null(strstr(err_text, "capacity_full"));
	assert_non_null(strstr(err_text, "쓸 수 있는 값"));
}

static json_t *error_object(void)
{
	json_t *doc = json_loads(err_text, 0, NULL), *error = json_object_get(doc, "error");

	assert_non_null(error);
	json_incref(error);
	json_decref(doc);
	return error;
}

static void errors_are_json_when_asked(void **state)
{
	json_t *error;

	(void)state;
	assert_int_equal(run("whoami --json"), EXIT_FILE);
	assert_string_equal(out_text, "");
	error = error_object();
	assert_string_equal(json_string_value(json_object_get(error, "name")), "FILE_UNREADABLE");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), 71);
	assert_int_equal(json_integer_value(json_object_get(error, "exit")), EXIT_FILE);
	assert_non_null(strstr(json_string_value(json_object_get(error, "detail")),
			       "/nonexistent/profile.yaml"));
	assert_non_null(json_object_get(error, "do"));
	json_decref(error);
	assert_int_equal(run("--json frobnicate"), EXIT_USAGE);
	error = error_object();
	assert_string_equal(json_string_value(json_object_get(error, "name")), "USAGE");
	json_decref(error);
}

static void a_missing_profile_is_explained(void **state)
{
	(void)state;
	assert_int_equal(run("ping"), EXIT_FILE);
	assert_non_null(strstr(err_text, "/nonexistent/profile.yaml"));
	assert_non_null(strstr(err_text, "--profile"));
	assert_int_equal(run("ping --lang ko"), EXIT_FILE);
	assert_non_null(strstr(err_text, "파일을 읽을 수 없습니다"));
}

static void a_journal_that_is_none_is_said(void **state)
{
	(void)state;
	assert_int_equal(run("audit verify /nonexistent/journal.db"), EXIT_FILE);
	assert_non_null(strstr(err_text, "FILE_UNREADABLE"));
	assert_int_equal(run("audit verify /etc/hostname"), EXIT_MISMATCH);
}

static void a_full_disk_is_no_success(void **state)
{
	char *argv[] = { MUTABLE("ieum"), MUTABLE("--help") };
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(command_main(2, argv, full, stderr), EXIT_FAILED);
	fclose(full);
}

static void times_are_read_as_people_write_them(void **state)
{
	struct arguments arguments = { 0 };
	size_t n;
	char *said = NULL;
	FILE *err = open_memstream(&said, &n);
	struct invocation inv = { .arguments = &arguments, .out = err, .err = err };
	int64_t ms = 0;

	(void)state;
	tzset();
	assert_int_equal(value_time(&inv, "2026-03-05 18:00", 0, &ms), EXIT_DONE);
	assert_int_equal(ms, 1772701200000);
	assert_int_equal(value_time(&inv, "2026-03-05T18:00:00+09:00", 0, &ms), EXIT_DONE);
	assert_int_equal(ms, 1772701200000);
	assert_int_equal(value_time(&inv, "2 d", 1000, &ms), EXIT_DONE);
	assert_int_equal(ms, 1000 + 2 * 86400 * 1000);
	assert_int_equal(value_time(&inv, "2026-02-30 10:00", 0, &ms), EXIT_USAGE);
	assert_int_equal(value_duration(&inv, "1500", &ms), EXIT_DONE);
	assert_int_equal(ms, 1500);
	assert_int_equal(value_duration(&inv, "4 h", &ms), EXIT_DONE);
	assert_int_equal(ms, 4 * 3600 * 1000);
	fclose(err);
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(help_answers_in_both_languages, forget),
		cmocka_unit_test_teardown(mistakes_on_the_command_line, forget),
		cmocka_unit_test_teardown(business_days_are_the_calendars, forget),
		cmocka_unit_test_teardown(a_mistake_names_what_is_possible, forget),
		cmocka_unit_test_teardown(errors_are_json_when_asked, forget),
		cmocka_unit_test_teardown(a_missing_profile_is_explained, forget),
		cmocka_unit_test_teardown(a_journal_that_is_none_is_said, forget),
		cmocka_unit_test_teardown(a_full_disk_is_no_success, forget),
		cmocka_unit_test_teardown(times_are_read_as_people_write_them, forget),
	};

	return cmocka_run_group_tests_name("command", tests, calm, NULL);
}
