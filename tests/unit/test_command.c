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
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/command.h"
#include "client/values.h"

#define MUTABLE(text) ((char[]){ text })

#define HUB_FILE "examples/gimpo/hub.yaml"
#define REPORT_BY_POLICE \
	"route explain tests/fixtures/report.yaml --hub " HUB_FILE " --sender gimpo-ps"
#define FAILING_TESTS "tests/fixtures/policy-tests-failing.yaml"

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

static int forget_profile(void **state)
{
	forget(state);
	return calm(state);
}

static void write_profile(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void the_profile_says_the_language_from_the_first_word_on(void **state)
{
	char path[] = "/tmp/ieum-profile-XXXXXX", words[128];

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	setenv("IEUM_PROFILE", path, 1);
	/* The rest of it is not looked at yet. */
	write_profile(path, "language: ko\n");
	assert_int_equal(run("--help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "사용법: ieum"));
	assert_int_equal(run("frobnicate"), EXIT_USAGE);
	assert_non_null(strstr(err_text, "명령"));
	assert_int_equal(run("case show 123"), EXIT_USAGE);
	assert_null(strstr(err_text, " is "));
	/* Above the locale, below the option. */
	setenv("LC_ALL", "en_US.UTF-8", 1);
	assert_int_equal(run("--help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "사용법: ieum"));
	assert_int_equal(run("--help --lang en"), EXIT_DONE);
	assert_non_null(strstr(out_text, "usage: ieum"));
	write_profile(path, "language: en\n");
	setenv("LC_ALL", "ko_KR.UTF-8", 1);
	assert_int_equal(run("--help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "usage: ieum"));
	/* A broken one says nothing, nor does one that is not there. */
	for (int i = 0; i < 3; i++) {
		write_profile(path, i == 0 ? "language: [en]\n" : i == 1 ? "{" : "language: fr\n");
		assert_int_equal(run("--help"), EXIT_DONE);
		assert_non_null(strstr(out_text, "사용법: ieum"));
		assert_string_equal(err_text, "");
	}
	write_profile(path, "language: en\n");
	unsetenv("IEUM_PROFILE");
	snprintf(words, sizeof words, "--help --profile %s", path);
	assert_int_equal(run(words), EXIT_DONE);
	assert_non_null(strstr(out_text, "usage: ieum"));
	assert_int_equal(remove(path), 0);
	assert_int_equal(run(words), EXIT_DONE);
	assert_non_null(strstr(out_text, "사용법: ieum"));
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
		"route",
		"route explain tests/fixtures/report.yaml",
		("route explain tests/fixtures/report.yaml --hub " HUB_FILE),
		("route explain tests/fixtures/report.yaml --hub " HUB_FILE " --sender nobody"),
		(REPORT_BY_POLICE " --at soon"),
		(REPORT_BY_POLICE " --case-category weather"),
		(REPORT_BY_POLICE " --case-owner nobody"),
		(REPORT_BY_POLICE " --excluded gimpo-ps,nobody"),
		(REPORT_BY_POLICE " --counted weather=1"),
		"policy check",
		("policy check " HUB_FILE " " HUB_FILE),
		"policy test",
		("policy frob " HUB_FILE),
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
	/* In a message's file. */
	assert_int_equal(run("route explain tests/fixtures/report-unknown-word.yaml --hub " HUB_FILE
			     " --sender gimpo-ps"),
			 EXIT_FILE);
	assert_non_null(
		strstr(err_text, "'neglect' is no Category; possible: domestic_violence, "));
	assert_non_null(strstr(err_text, "has no field 'urgenzy'; did you mean 'urgency'?"));
	assert_int_equal(
		run("--lang ko route explain tests/fixtures/report-unknown-word.yaml --hub " HUB_FILE
		    " --sender gimpo-ps"),
		EXIT_FILE);
	assert_non_null(strstr(err_text, "혹시 'urgency'입니까?"));
	assert_null(strstr(err_text, "did you mean"));
}

/* What an example shows can be typed. */
static void a_length_of_time_is_one_word(void **state)
{
	(void)state;
	assert_int_equal(run("spool --help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "spool send --timeout 5min\n"));
	assert_int_equal(run("spool send --timeout 5min"), EXIT_FILE);
	assert_non_null(strstr(err_text, "/nonexistent/profile.yaml"));
}

static void options_that_are_taken_are_told(void **state)
{
	(void)state;
	assert_int_equal(run("answer --help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "[--on-behalf-of PERSON]"));
	assert_int_equal(run("submit --help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "[--on-behalf-of PERSON]"));
	assert_int_equal(run("--help"), EXIT_DONE);
	assert_non_null(strstr(out_text, "\n  spool: "));
}

static void a_key_that_is_there_is_not_overwritten(void **state)
{
	char stem[] = "/tmp/ieum-command-XXXXXX", words[256], path[64];
	int fd = mkstemp(stem);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof path, "%s.key", stem);
	assert_int_equal(rename(stem, path), 0);
	snprintf(words, sizeof words,
		 "cert request --hub gimpo.ieum --kind police --participant gimpo-ps --name desk "
		 "--out %s",
		 stem);
	assert_int_equal(run(words), EXIT_FILE);
	assert_non_null(strstr(err_text, "FILE_EXISTS"));
	assert_non_null(strstr(err_text, ".key is there already; choose another --out"));
	assert_null(strstr(err_text, "permissions"));
	assert_int_equal(unlink(path), 0);
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

static void a_message_is_explained_without_a_hub(void **state)
{
	(void)state;
	assert_int_equal(run(REPORT_BY_POLICE " --open-case --at 2026-03-03T10:00"), EXIT_DONE);
	assert_non_null(strstr(out_text, "violence-report "));
	assert_non_null(strstr(out_text, "  applies"));
	assert_non_null(strstr(out_text, "category is domestic_violence, the rule wants "));
	assert_non_null(strstr(out_text, "2026-03-03 14:00"));
	assert_non_null(strstr(out_text, "lead:joint-response-team-gimpo"));
	assert_non_null(strstr(out_text, "Mutual notification"));
	assert_int_equal(run(REPORT_BY_POLICE " --open-case --at 2026-03-03T10:00 --lang ko"),
			 EXIT_DONE);
	assert_non_null(strstr(out_text, "적용"));
	/* Refused: said on stdout with the rules that led to it, and by the code of exit. */
	assert_int_equal(run(REPORT_BY_POLICE " --case-state managed --excluded gimpo-ps"),
			 EXIT_REFUSED);
	assert_non_null(strstr(out_text, "CONFLICT_OF_INTEREST"));
}

static void an_explanation_is_json_when_asked(void **state)
{
	const char *mailbox, *due, *name;
	int blocks;
	json_t *doc, *rules;

	(void)state;
	assert_int_equal(run(REPORT_BY_POLICE " --open-case --at 2026-03-03T10:00 --json"),
			 EXIT_DONE);
	doc = json_loads(out_text, 0, NULL);
	rules = json_object_get(doc, "rules");
	assert_true(json_array_size(rules) > 5);
	assert_int_equal(json_unpack(doc, "{s:[{s:s}], s:[{s:s, s:b}], s:[{s:s}]}", "recipients",
				     "mailbox", &mailbox, "requests", "due", &due, "blocks_closing",
				     &blocks, "emits", "type", &name),
			 0);
	assert_string_equal(mailbox, "joint-response-team-gimpo/police");
	assert_string_equal(due, "2026-03-03 14:00");
	assert_string_equal(name, "mutual_notification");
	json_decref(doc);
	assert_int_equal(run("route explain tests/fixtures/report.yaml --json --hub " HUB_FILE
			     " --sender gimpo-watcher --open-case"),
			 EXIT_REFUSED);
	doc = json_loads(out_text, 0, NULL);
	assert_int_equal(json_unpack(doc, "{s:{s:s}}", "refused", "name", &name), 0);
	assert_string_equal(name, "NOT_PERMITTED");
	json_decref(doc);
}

static void a_hub_file_is_checked(void **state)
{
	(void)state;
	assert_int_equal(run("policy check " HUB_FILE), EXIT_DONE);
	assert_non_null(strstr(out_text, "no mistake"));
	assert_int_equal(run("policy check " FAILING_TESTS), EXIT_FILE);
	assert_non_null(strstr(err_text, FAILING_TESTS ":2:1: unknown key 'tests'"));
	assert_int_equal(run("policy check /nonexistent/hub.yaml"), EXIT_FILE);
}

static void a_hub_file_has_tests_of_its_own(void **state)
{
	const char *key, *line;
	json_t *doc;
	int n;

	(void)state;
	/* Those beside it. */
	assert_int_equal(run("policy test " HUB_FILE), EXIT_DONE);
	assert_non_null(strstr(out_text, " 0 failed"));
	assert_int_equal(run("policy test " HUB_FILE " " FAILING_TESTS), EXIT_TEST_FAILED);
	assert_non_null(strstr(out_text, "passed  a watcher sends"));
	assert_non_null(strstr(out_text, "FAILED  a wrong expectation (" FAILING_TESTS ":11)"));
	assert_non_null(
		strstr(out_text, "    owner\n      - gimpo-ps\n      + gimpo-child-official"));
	assert_non_null(strstr(out_text, "1 passed, 1 failed"));
	assert_int_equal(run("policy test --json " HUB_FILE " " FAILING_TESTS), EXIT_TEST_FAILED);
	doc = json_loads(out_text, 0, NULL);
	assert_int_equal(json_unpack(doc, "{s:i, s:[{}, {s:[{s:s, s:s}]}]}", "failed", &n, "tests",
				     "differences", "key", &key, "expected", &line),
			 0);
	assert_int_equal(n, 1);
	assert_string_equal(key, "deadlines");
	assert_string_equal(line, "gimpo-child-official: 2026-03-03 10:20");
	json_decref(doc);
	assert_int_equal(run("policy test " HUB_FILE " /nonexistent/tests.yaml"), EXIT_FILE);
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
		cmocka_unit_test_setup_teardown(
			the_profile_says_the_language_from_the_first_word_on, calm, forget_profile),
		cmocka_unit_test_teardown(mistakes_on_the_command_line, forget),
		cmocka_unit_test_teardown(business_days_are_the_calendars, forget),
		cmocka_unit_test_teardown(a_mistake_names_what_is_possible, forget),
		cmocka_unit_test_teardown(a_length_of_time_is_one_word, forget),
		cmocka_unit_test_teardown(options_that_are_taken_are_told, forget),
		cmocka_unit_test_teardown(a_key_that_is_there_is_not_overwritten, forget),
		cmocka_unit_test_teardown(errors_are_json_when_asked, forget),
		cmocka_unit_test_teardown(a_missing_profile_is_explained, forget),
		cmocka_unit_test_teardown(a_journal_that_is_none_is_said, forget),
		cmocka_unit_test_teardown(a_message_is_explained_without_a_hub, forget),
		cmocka_unit_test_teardown(an_explanation_is_json_when_asked, forget),
		cmocka_unit_test_teardown(a_hub_file_is_checked, forget),
		cmocka_unit_test_teardown(a_hub_file_has_tests_of_its_own, forget),
		cmocka_unit_test_teardown(a_full_disk_is_no_success, forget),
		cmocka_unit_test_teardown(times_are_read_as_people_write_them, forget),
	};

	return cmocka_run_group_tests_name("command", tests, calm, NULL);
}
