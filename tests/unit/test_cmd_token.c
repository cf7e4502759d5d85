/* ieum token, and the tokens of ieum submit: from the command line to what is printed or sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/command.h"
#include "client/ieum_tokens.h"
#include "client/message.h"
#include "tests/unit/scratch.h"

enum { WORDS_MAX = 32 };

static char folder[SCRATCH_PATH_BYTES];
static char *out_text, *err_text;

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* The words of a command line; "@NAME" is a file of the folder.  What is given must live as long as
 * they do. */
struct line {
	char program[8], copy[1024], files[4][128];
	char *argv[WORDS_MAX];
	int argc;
};

static void split(struct line *l, const char *words)
{
	char *save = NULL;
	int files = 0;

	snprintf(l->program, sizeof l->program, "ieum");
	snprintf(l->copy, sizeof l->copy, "%s", words);
	l->argv[0] = l->program;
	l->argc = 1;
	for (char *w = strtok_r(l->copy, "|", &save); w; w = strtok_r(NULL, "|", &save)) {
		assert_true(l->argc < WORDS_MAX - 1);
		if (*w == '@') {
			assert_true(files < 4);
			snprintf(l->files[files], sizeof l->files[0], "%s/%s", folder, w + 1);
			w = l->files[files++];
		}
		l->argv[l->argc++] = w;
	}
	l->argv[l->argc] = NULL;
}

/* Runs "ieum|WORDS|…", keeps what it printed. */
static enum exit_code run(const char *words)
{
	struct line l = { .argc = 0 };
	size_t out_n, err_n;
	FILE *out, *err;
	enum exit_code code;

	free(out_text);
	free(err_text);
	out = open_memstream(&out_text, &out_n);
	err = open_memstream(&err_text, &err_n);
	assert_non_null(out);
	assert_non_null(err);
	split(&l, words);
	code = command_main(l.argc, l.argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

static void expect(const char *words, enum exit_code code)
{
	enum exit_code got = run(words);

	if (got != code)
		fail_msg("%s: exit %d, not %d\n%s%s", words, got, code, out_text, err_text);
}

static void assert_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is missing in:\n%s", part, text);
}

static int make(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	scratch_make(folder);
	write_file("council.key",
		   "council: test-council\nepochs:\n"
		   "  - {epoch: 1, key: \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
		   " from: 2026-01-01, until: 2027-03-31}\n");
	write_file("child.yaml", "name: 김 민준 군\nbirth: 2015년 3월 1일\nphone: 010-1234-5678\n");
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(out_text);
	free(err_text);
	out_text = err_text = NULL;
	scratch_remove(folder);
	return 0;
}

/* name_birth of docs/tokens.md's example, in base64. */
static const char TOKEN[] = "AQF3IQfRb+sw1imPtRWPUyfbSs/XHcNfFZSYTnjhlc+kBg==";

static void tokens_are_printed(void **state)
{
	json_t *doc;

	(void)state;
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--on|2026-03-01",
	       EXIT_DONE);
	assert_in(out_text, "Name, birth date");
	assert_in(out_text, TOKEN);
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--on|2026-03-01|--lang|"
	       "ko",
	       EXIT_DONE);
	assert_in(out_text, "생년월일·보호자 전화");
	expect("token|make|--json|--council-key|@council.key|--name|김민준|--birth|2015.3.1|--on|"
	       "2026-03-01",
	       EXIT_DONE);
	doc = json_loads(out_text, 0, NULL);
	assert_non_null(doc);
	assert_string_equal(json_string_value(json_object_get(doc, "council")), "test-council");
	assert_int_equal(json_array_size(json_object_get(doc, "tokens")), 1);
	json_t *token = json_array_get(json_object_get(doc, "tokens"), 0);
	assert_string_equal(json_string_value(json_object_get(token, "kind")), "name_birth");
	assert_string_equal(json_string_value(json_object_get(token, "token")), TOKEN);
	json_decref(doc);
}

static void mistakes_are_said(void **state)
{
	(void)state;
	expect("token|make|--subject|@child.yaml", EXIT_USAGE);
	assert_in(err_text, "--council-key");
	expect("token|make|--council-key|@none.key|--subject|@child.yaml", EXIT_FILE);
	expect("token|make|--council-key|@council.key|--subject|@none.yaml", EXIT_FILE);
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--name|김민준",
	       EXIT_USAGE);
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--on|2026-2-30",
	       EXIT_USAGE);
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--on|2029-01-01",
	       EXIT_FILE);
	assert_in(err_text, "2029-01-01");
	expect("token|make|--council-key|@council.key|--name|김민준|--on|2026-03-01", EXIT_USAGE);
	assert_in(err_text, "name and birth");
	expect("token|make|--council-key|@council.key|--out|@x", EXIT_USAGE);
	assert_in(err_text, "--out does not go");
	expect("token|new-key|--out|@x|--name|김민준", EXIT_USAGE);
	expect("token|break", EXIT_USAGE);
	write_file("child.yaml", "nmae: 김민준\n");
	expect("token|make|--council-key|@council.key|--subject|@child.yaml", EXIT_FILE);
	assert_in(err_text, "did you mean 'name'");
}

static void a_refused_identifier_is_named_in_both_languages_without_its_value(void **state)
{
	(void)state;
	expect("token|make|--council-key|@council.key|--name|김민준|--phone|150301-3123456|--on|"
	       "2026-03-01",
	       EXIT_USAGE);
	assert_in(err_text, "phone: looks like a resident registration number");
	assert_null(strstr(err_text, "150301"));
	write_file("child.yaml", "name: 미상\nbirth: 2015-03-01\n");
	expect("token|make|--council-key|@council.key|--subject|@child.yaml|--on|2026-03-01|--lang|"
	       "ko",
	       EXIT_FILE);
	assert_in(err_text, "name: 모른다는 뜻의 값입니다");
	assert_null(strstr(err_text, "미상"));
}

static void a_key_is_made_and_rotated(void **state)
{
	(void)state;
	expect("token|new-key|--out|@new.key", EXIT_USAGE);
	assert_in(err_text, "--council");
	expect("token|new-key|--out|@new.key|--council|c|--from|2026-01-01|--until|2027-03-31",
	       EXIT_DONE);
	assert_in(out_text, "epoch 1, valid 2026-01-01 to 2027-03-31");
	expect("token|new-key|--out|@new.key|--council|other", EXIT_USAGE);
	expect("token|new-key|--out|@new.key|--from|2027-01-01|--until|2026-12-31", EXIT_USAGE);
	expect("token|new-key|--out|@new.key|--from|2027-01-01", EXIT_DONE);
	assert_in(out_text, "epoch 2, valid 2027-01-01 to 2028-03-30");
	assert_in(out_text, "by 90 days");
	expect("token|new-key|--out|@new.key|--from|2027-02-01", EXIT_USAGE);
	assert_in(err_text, "two epochs");
	expect("token|new-key|--out|@new.key|--epoch|2|--from|2030-01-01", EXIT_USAGE);
	expect("token|new-key|--out|@new.key|--epoch|9|--from|2030-01-01|--json", EXIT_DONE);
	assert_in(out_text, "\"overlap_days\": 0");
	expect("token|new-key|--out|@new.key|--from|2035-01-01", EXIT_DONE);
	assert_in(out_text, "epoch 10");
	assert_in(out_text, "never be linked");
	/* The key itself is on no screen. */
	assert_int_equal(scratch_shell("grep -o 'key: \"[^\"]*' %s/new.key | cut -c7- > %s/keys; "
				       "test $(wc -l < %s/keys) = 4",
				       folder, folder, folder),
			 0);
	write_file("screen", out_text);
	assert_int_not_equal(scratch_shell("grep -qF -f %s/keys %s/screen", folder, folder), 0);
	expect("token|make|--council-key|@new.key|--subject|@child.yaml|--on|2027-02-01|--json",
	       EXIT_DONE);
	assert_in(out_text, "\"epoch\": 2");
	expect("token|new-key|--out|/nonexistent/c.key|--council|c", EXIT_FILE);
}

/* What `ieum submit WORDS` would send, or how it would end; the message is the caller's. */
static enum exit_code read_message(const char *words, Ieum__V1__Referral **m)
{
	struct line l = { .argc = 0 };
	struct arguments arguments;
	struct invocation inv = { .arguments = &arguments, .lang = WORDS_EN };
	size_t err_n;
	enum exit_code code;

	free(err_text);
	inv.out = inv.err = open_memstream(&err_text, &err_n);
	assert_non_null(inv.err);
	split(&l, words);
	assert_true(arguments_parse(l.argc, l.argv, &arguments));
	inv.words = arguments.words + 1; /* after "submit" */
	inv.n_words = arguments.n_words - 1;
	*m = NULL;
	code = message_read(&inv, inv.words[0], m);
	fclose(inv.err);
	return code;
}

static void a_submitted_message_carries_the_tokens_and_nothing_else(void **state)
{
	Ieum__V1__Referral *m;
	uint8_t bytes[4096];
	size_t n;

	(void)state;
	write_file("signal.yaml", "envelope: {category: child_neglect}\n"
				  "risk_signal: {}\n");
	assert_int_equal(read_message("submit|@signal.yaml|--council-key|@council.key|--subject|"
				      "@child.yaml|--on|2026-03-01",
				      &m),
			 EXIT_DONE);
	assert_int_equal(m->envelope->n_subject_tokens, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(m->envelope->subject_tokens[i].len, IEUM_TOKEN_BYTES);
		assert_int_equal(m->envelope->subject_tokens[i].data[0], i + 1);
		assert_int_equal(m->envelope->subject_tokens[i].data[1], 1);
	}
	n = ieum__v1__referral__get_packed_size(m);
	assert_true(n < sizeof bytes);
	ieum__v1__referral__pack(m, bytes);
	assert_null(memmem(bytes, n, "민준", strlen("민준")));
	assert_null(memmem(bytes, n, "1234", 4));
	ieum__v1__referral__free_unpacked(m, NULL);
}

static void tokens_and_options_that_do_not_fit_are_refused(void **state)
{
	Ieum__V1__Referral *m;

	(void)state;
	write_file("signal.yaml",
		   "envelope:\n  category: child_neglect\n"
		   "  subject_tokens: [\"AAAAAAAAAAAAAAAAAAAAAA==\"]\nrisk_signal: {}\n");
	assert_int_equal(read_message("submit|@signal.yaml|--council-key|@council.key|--subject|"
				      "@child.yaml",
				      &m),
			 EXIT_USAGE);
	assert_in(err_text, "subject_tokens already");
	assert_int_equal(read_message("submit|@signal.yaml|--council-key|@council.key", &m),
			 EXIT_USAGE);
	assert_int_equal(read_message("submit|@signal.yaml|--on|2026-03-01", &m), EXIT_USAGE);
	assert_null(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_are_printed, make, drop),
		cmocka_unit_test_setup_teardown(mistakes_are_said, make, drop),
		cmocka_unit_test_setup_teardown(
			a_refused_identifier_is_named_in_both_languages_without_its_value, make,
			drop),
		cmocka_unit_test_setup_teardown(a_key_is_made_and_rotated, make, drop),
		cmocka_unit_test_setup_teardown(
			a_submitted_message_carries_the_tokens_and_nothing_else, make, drop),
		cmocka_unit_test_setup_teardown(tokens_and_options_that_do_not_fit_are_refused,
						make, drop),
	};

	return cmocka_run_group_tests_name("cmd_token", tests, NULL, NULL);
}
