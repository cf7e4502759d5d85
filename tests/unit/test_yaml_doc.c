/* yaml/yaml_doc and yaml/yaml_diag: the tree with its places, each refusal with its place,
 * the limits, and which word is suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "yaml/yaml_doc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct yaml_diag diag;
static struct yaml_doc *doc;

static const struct yaml_node *parsed_as(const char *name, const char *text)
{
	yaml_doc_free(doc);
	doc = NULL;
	yaml_diag_init(&diag);
	/* A copy of exact length: reading past the end is caught by the sanitizer. */
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, text, n);
	enum ieum_err err = yaml_doc_parse(name, copy, n, &diag, &doc);
	free(copy);
	if (err) {
		assert_int_equal(err, IEUM_E_FILE_INVALID);
		assert_true(diag.count > 0);
		assert_null(doc);
		return NULL;
	}
	assert_int_equal(diag.count, 0);
	return yaml_doc_root(doc);
}

static const struct yaml_node *parsed(const char *text)
{
	return parsed_as("t.yaml", text);
}

static int drop(void **state)
{
	(void)state;
	yaml_doc_free(doc);
	doc = NULL;
	return 0;
}

static void assert_at(const struct yaml_node *node, int line, int column)
{
	assert_int_equal(yaml_line(node), line);
	assert_int_equal(yaml_column(node), column);
}

static void every_node_knows_its_place(void **state)
{
	const struct yaml_node *root = parsed("# head\n"
					      "name: 김포\n"
					      "list:\n"
					      "  - one\n"
					      "  - {a: 1, 나: 'x'}\n"
					      "empty:\n"
					      "deep: {x: [1, [2]]}\n");

	(void)state;
	assert_int_equal(yaml_kind(root), YAML_MAP);
	assert_int_equal(yaml_count(root), 4);
	assert_at(yaml_key_at(root, 0), 2, 1);
	assert_at(yaml_get(root, "name"), 2, 7);
	assert_string_equal(yaml_text(yaml_get(root, "name")), "김포");
	const struct yaml_node *list = yaml_get(root, "list");
	assert_int_equal(yaml_kind(list), YAML_SEQ);
	assert_int_equal(yaml_count(list), 2);
	assert_at(list, 4, 3);
	assert_at(yaml_at(list, 0), 4, 5);
	assert_at(yaml_get(yaml_at(list, 1), "나"), 5, 15);
	assert_int_equal(yaml_kind(yaml_get(root, "empty")), YAML_NULL);
	assert_int_equal(yaml_line(yaml_get(root, "empty")), 6);
	assert_at(yaml_at(yaml_at(yaml_get(yaml_get(root, "deep"), "x"), 1), 0), 7, 16);
	assert_string_equal(yaml_file(root), "t.yaml");
}

static void scalars_keep_their_text_and_say_if_plain(void **state)
{
	const struct yaml_node *root = parsed("a: 12\nb: '12'\nc: \"x\\ty\"\nd: |\n  one\n  two\n"
					      "e: ~\nf: null\ng: 'null'\nh: \"\"\ni: no\n");

	(void)state;
	assert_true(yaml_plain(yaml_get(root, "a")));
	assert_false(yaml_plain(yaml_get(root, "b")));
	assert_string_equal(yaml_text(yaml_get(root, "b")), "12");
	assert_string_equal(yaml_text(yaml_get(root, "c")), "x\ty");
	assert_string_equal(yaml_text(yaml_get(root, "d")), "one\ntwo\n");
	assert_int_equal(yaml_text_len(yaml_get(root, "d")), 8);
	assert_int_equal(yaml_kind(yaml_get(root, "e")), YAML_NULL);
	assert_int_equal(yaml_kind(yaml_get(root, "f")), YAML_NULL);
	assert_int_equal(yaml_kind(yaml_get(root, "g")), YAML_SCALAR);
	assert_int_equal(yaml_kind(yaml_get(root, "h")), YAML_SCALAR);
	assert_int_equal(yaml_text_len(yaml_get(root, "h")), 0);
	assert_string_equal(yaml_text(yaml_get(root, "i")), "no");
}

static void json_is_read_too(void **state)
{
	static const char text[] =
		"{\n\t\"a\": \"\\ud83d\\ude00 \\/ \\u00e9\",\n\t\"b\": [1, -2.5e3, null, true]\n}\n";
	static const char *const names[] = { "t.yaml", "t.json" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct yaml_node *root = parsed_as(names[i], text);

		assert_string_equal(yaml_text(yaml_get(root, "a")), "😀 / é");
		assert_at(yaml_at(yaml_get(root, "b"), 1), 3, 11);
		assert_int_equal(yaml_kind(yaml_at(yaml_get(root, "b"), 2)), YAML_NULL);
	}
	/* A .json file is held to JSON. */
	assert_null(parsed_as("t.json", "{a: 1}"));
}

static void nothing_reads_as_null(void **state)
{
	(void)state;
	assert_int_equal(yaml_kind(parsed("")), YAML_NULL);
	assert_int_equal(yaml_kind(parsed("# only a comment\n")), YAML_NULL);
	assert_int_equal(yaml_kind(NULL), YAML_NULL);
	assert_int_equal(yaml_count(NULL), 0);
	assert_null(yaml_text(NULL));
	assert_null(yaml_get(NULL, "a"));
	assert_null(yaml_at(NULL, 0));
	const struct yaml_node *root = parsed("a: [1]\n");
	assert_null(yaml_get(root, "b"));
	assert_null(yaml_at(root, 1));
	assert_null(yaml_key_at(root, 1));
	assert_null(yaml_key_at(yaml_get(root, "a"), 0));
	assert_null(yaml_text(root));
	assert_null(yaml_get(yaml_get(root, "a"), "x"));
}

static void each_mistake_has_its_place(void **state)
{
	static const struct {
		const char *text;
		const char *mistake;
	} bad[] = {
		{ "a: 1\nb: 2\na: 3\n",
		  "t.yaml:3:1: key 'a' is there twice, first in line 1; remove one" },
		{ "x:\n  - {b: 1, b: 2}\n",
		  "t.yaml:2:12: key 'b' is there twice, first in line 2; remove one" },
		{ "a: 1\n'a': 3\n",
		  "t.yaml:2:1: key 'a' is there twice, first in line 1; remove one" },
		{ "a: 1\nb: &x 2\n",
		  "t.yaml:2:7: anchors and tags are not used here; write the value itself" },
		{ "a: 1\nb: *x\n",
		  "t.yaml:2:5: aliases are not used here; write the value itself" },
		{ "a: !!int 1\n",
		  "t.yaml:1:10: anchors and tags are not used here; write the value itself" },
		{ "a: &m {b: 1}\n",
		  "t.yaml:1:7: anchors and tags are not used here; write the value itself" },
		{ "a: 1\n<<: 2\n", "t.yaml:2:1: merge keys are not used here; write the keys out" },
		{ "a: 1\n---\nb: 2\n",
		  "t.yaml:2:1: a second document begins here; one file is one document" },
		{ "a: 1\n[b]: 2\n", "t.yaml:2:1: a key must be a plain word, not a sequence" },
		{ "{b: 1}: 2\n", "t.yaml:1:1: a key must be a plain word, not a map" },
		{ "a: 1\n: 2\n", "t.yaml:2:3: a key must be a plain word, not nothing" },
		{ "a: 1\nb: \"x\\0y\"\n", "t.yaml:2:4: a text must not hold a NUL" },
		{ "a: 1\n가: \"\xFF\"\n", "t.yaml:2:5: not valid UTF-8; save the file as UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(parsed(bad[i].text));
		assert_string_equal(diag.mistakes[0].text, bad[i].mistake);
		assert_int_equal(diag.count, 1);
	}
}

static void what_is_no_yaml_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{ "a:\n\tb: 2\n", 2 },
		{ "a: 1\n  b: 2\n", 1 },
		{ "a: [1, 2\nb: 3\n", 3 },
		{ "a: 1\nb: \"x\n", 2 },
		{ "a: 1\n}\n", 2 },
		{ "a: b: c\n", 1 },
		{ "- a\nb: 1\n", 2 },
		{ "a: @x\n", 1 },
		{ "a: 1\nb: \"\\ud83d\"\n", 2 },
		{ "a: 1\nb: \"\\U0000d800\"\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(parsed(bad[i].text));
		assert_int_equal(diag.mistakes[0].line, bad[i].line);
		assert_non_null(strstr(diag.mistakes[0].text, "t.yaml:"));
	}
}

static void a_bad_key_does_not_hide_the_next_mistake(void **state)
{
	(void)state;
	assert_null(parsed("a: {x: 1, x: 2}\nb: 1\nb: 2\nc:\n  d: 1\n  d: 2\n"));
	assert_int_equal(diag.count, 3);
	assert_int_equal(diag.mistakes[0].line, 1);
	assert_int_equal(diag.mistakes[1].line, 6);
	assert_int_equal(diag.mistakes[2].line, 3);
}

static void a_nul_in_the_file_is_refused(void **state)
{
	(void)state;
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("t.yaml", "a: 1\nb\0: 2\n", 11, &diag, &doc),
			 IEUM_E_FILE_INVALID);
	assert_string_equal(diag.mistakes[0].text, "t.yaml:2:2: a NUL byte; this is not text");
}

/* `depth` sequences in one another. */
static char *nested(size_t depth)
{
	char *text = calloc(1, 2 * depth + 1);

	assert_non_null(text);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

static void depth_is_limited(void **state)
{
	char *good = nested(YAML_DEPTH_MAX), *bad = nested(YAML_DEPTH_MAX + 1),
	     *worst = nested(100000);

	(void)state;
	assert_non_null(parsed(good));
	assert_null(parsed(bad));
	assert_string_equal(diag.mistakes[0].text,
			    "t.yaml:1:33: maps and sequences lie too deep inside one another");
	assert_null(parsed(worst));
	free(good);
	free(bad);
	free(worst);
}

static void the_number_of_values_is_limited(void **state)
{
	size_t n = 2 * (size_t)YAML_NODES_MAX;
	char *text = malloc(n + 3);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i += 2)
		memcpy(text + 1 + i, "0,", 2);
	text[0] = '[';
	text[n + 1] = ']';
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("t.yaml", text, n + 2, &diag, &doc), IEUM_E_FILE_INVALID);
	assert_string_equal(diag.mistakes[0].text + strlen("t.yaml:1:2000000"),
			    ": too many values in one file; split it");
	free(text);
}

static void the_size_of_a_file_is_limited(void **state)
{
	size_t n = (size_t)YAML_FILE_BYTES_MAX + 1;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', n);
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("t.yaml", text, n, &diag, &doc), IEUM_E_FILE_INVALID);
	assert_string_equal(diag.mistakes[0].text,
			    "t.yaml: the file is larger than 16 MiB; split it");
	free(text);
}

static void files_are_read_and_their_absence_is_told(void **state)
{
	char path[] = "/tmp/ieum-yaml-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	/* More than one read's worth. */
	for (int i = 0; i < 20000; i++)
		assert_true(dprintf(fd, "key%d: value\n", i) > 0);
	assert_int_equal(close(fd), 0);
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_open(path, &diag, &doc), IEUM_E_OK);
	assert_int_equal(yaml_count(yaml_doc_root(doc)), 20000);
	assert_int_equal(yaml_line(yaml_get(yaml_doc_root(doc), "key19999")), 20000);
	assert_string_equal(yaml_doc_name(doc), path);
	assert_int_equal(unlink(path), 0);
	struct yaml_doc *none = NULL;
	assert_int_equal(yaml_doc_open(path, &diag, &none), IEUM_E_FILE_UNREADABLE);
	assert_non_null(strstr(diag.mistakes[0].text, ": cannot be read: No such file"));
	assert_int_equal(yaml_doc_open("/tmp", &diag, &none), IEUM_E_FILE_UNREADABLE);
	assert_non_null(strstr(diag.mistakes[1].text, "/tmp: cannot be read: Is a directory"));
	/* A file without an end is not read to its end. */
	assert_int_equal(yaml_doc_open("/dev/zero", &diag, &none), IEUM_E_FILE_INVALID);
	assert_non_null(strstr(diag.mistakes[2].text, "the file is larger than 16 MiB"));
	assert_null(none);
}

static void a_long_name_keeps_its_end(void **state)
{
	char name[2 * YAML_NAME_BYTES];

	(void)state;
	memset(name, 'd', sizeof name);
	memcpy(name + sizeof name - 10, "/hub.yaml", 10);
	assert_non_null(parsed_as(name, "a: 1"));
	assert_int_equal(strlen(yaml_doc_name(doc)), YAML_NAME_BYTES - 1);
	assert_non_null(strstr(yaml_doc_name(doc), "/hub.yaml"));
}

static void only_so_many_mistakes_are_kept(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_non_null(out);
	yaml_diag_init(&diag);
	for (int i = 0; i < YAML_MISTAKES_MAX + 7; i++)
		yaml_diag_add(&diag, "f", i + 1, 2, "mistake %d", i);
	assert_int_equal(diag.count, YAML_MISTAKES_MAX + 7);
	assert_int_equal(yaml_diag_kept(&diag), YAML_MISTAKES_MAX);
	yaml_diag_print(&diag, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "f:1:2: mistake 0\nf:2:2: mistake 1\n"));
	assert_non_null(strstr(text, "\n… and 7 more\n"));
	free(text);
}

static void a_long_mistake_is_cut(void **state)
{
	char name[600];

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	yaml_diag_init(&diag);
	yaml_diag_add(&diag, name, 1, 1, "x");
	yaml_diag_add(&diag, "f", 1, 1, "%s", name);
	assert_int_equal(strlen(diag.mistakes[0].text), YAML_MISTAKE_BYTES - 1);
	assert_int_equal(strlen(diag.mistakes[1].text), YAML_MISTAKE_BYTES - 1);
}

static void the_nearest_word_is_suggested(void **state)
{
	static const char *const words[] = {
		"kind", "name", "answer_within", "escalate", "to", NULL
	};
	static const struct {
		const char *text;
		const char *near;
	} cases[] = {
		{ "kynd", "kind" },
		{ "knid", "kind" },
		{ "Kind", "kind" },
		{ "kinds", "kind" },
		{ "nmae", "name" },
		{ "answer-within", "answer_within" },
		{ "anser_witin", "answer_within" },
		{ "escalte", "escalate" },
		{ "ot", "to" },
		{ "", NULL },
		{ "xyz", NULL },
		{ "colour", NULL },
		{ "wait", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *near = yaml_nearest(cases[i].text, words);

		if (cases[i].near)
			assert_string_equal(near, cases[i].near);
		else
			assert_null(near);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, drop)
	const struct CMUnitTest tests[] = {
		TEST(every_node_knows_its_place),
		TEST(scalars_keep_their_text_and_say_if_plain),
		TEST(json_is_read_too),
		TEST(nothing_reads_as_null),
		TEST(each_mistake_has_its_place),
		TEST(what_is_no_yaml_is_told_with_its_line),
		TEST(a_bad_key_does_not_hide_the_next_mistake),
		TEST(a_nul_in_the_file_is_refused),
		TEST(depth_is_limited),
		TEST(the_number_of_values_is_limited),
		TEST(the_size_of_a_file_is_limited),
		TEST(files_are_read_and_their_absence_is_told),
		TEST(a_long_name_keeps_its_end),
		TEST(only_so_many_mistakes_are_kept),
		TEST(a_long_mistake_is_cut),
		TEST(the_nearest_word_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
