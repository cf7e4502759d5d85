/* yaml/yaml_read: what each typed reading accepts, the exact words of each mistake, and that
 * a mistake leaves the default alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "yaml/yaml_read.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct yaml_diag diag;
static struct yaml_doc *doc;

static const struct yaml_node *parsed(const char *text)
{
	yaml_doc_free(doc);
	doc = NULL;
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("t", text, strlen(text), &diag, &doc), IEUM_E_OK);
	return yaml_doc_root(doc);
}

/* The value of key "v" in a map "v: text". */
static const struct yaml_node *value(const char *text)
{
	char line[256];

	assert_true((size_t)snprintf(line, sizeof line, "v: %s\n", text) < sizeof line);
	return yaml_get(parsed(line), "v");
}

static void assert_mistake(const char *want)
{
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.mistakes[0].text, want);
}

static int drop(void **state)
{
	(void)state;
	yaml_doc_free(doc);
	doc = NULL;
	return 0;
}

static void unknown_keys_are_told_with_a_suggestion(void **state)
{
	static const char *const allowed[] = { "kind", "name", NULL };

	(void)state;
	assert_true(yaml_check_map(parsed("name: 1\nkind: 2\n"), allowed, &diag));
	assert_true(yaml_check_map(parsed("{}"), allowed, &diag));
	assert_false(yaml_check_map(parsed("name: 1\nkynd: 2\nzebra: 3\n"), allowed, &diag));
	assert_int_equal(diag.count, 2);
	assert_string_equal(diag.mistakes[0].text,
			    "t:2:1: unknown key 'kynd'; did you mean 'kind'?");
	assert_string_equal(diag.mistakes[1].text, "t:3:1: unknown key 'zebra'");
	assert_false(yaml_check_map(parsed("- a"), allowed, &diag));
	assert_mistake("t:1:1: expected a map, found a sequence");
	assert_false(yaml_check_map(parsed(""), allowed, &diag));
	assert_mistake("t:1:1: expected a map, found nothing");
	assert_false(yaml_check_map(parsed("text"), allowed, &diag));
	assert_mistake("t:1:1: 'text' is not a map");
}

static void sequences_have_so_many_entries(void **state)
{
	(void)state;
	assert_true(yaml_check_seq(parsed("[1, 2]"), 2, 2, &diag));
	assert_false(yaml_check_seq(parsed("[1]"), 2, 3, &diag));
	assert_mistake("t:1:1: 1 entries; at least 2 are needed");
	assert_false(yaml_check_seq(parsed("[1, 2, 3, 4]"), 2, 3, &diag));
	assert_mistake("t:1:1: 4 entries; at most 3 are allowed");
	assert_false(yaml_check_seq(parsed("a: 1"), 0, 3, &diag));
	assert_mistake("t:1:1: expected a sequence, found a map");
}

static void a_required_key_is_there_and_not_empty(void **state)
{
	(void)state;
	assert_string_equal(yaml_text(yaml_require(parsed("a: 1"), "a", &diag)), "1");
	assert_int_equal(diag.count, 0);
	assert_null(yaml_require(parsed("\nb: 1"), "a", &diag));
	assert_mistake("t:2:1: key 'a' is missing");
	assert_null(yaml_require(parsed("b: 1\na:\n"), "a", &diag));
	assert_int_equal(diag.mistakes[0].line, 2);
	assert_non_null(strstr(diag.mistakes[0].text, "key 'a' has no value"));
	assert_null(yaml_require(parsed("[1]"), "a", &diag));
	assert_mistake("t:1:1: expected a map, found a sequence");
}

static void texts_are_any_scalar_of_a_length(void **state)
{
	const char *text = "default";

	(void)state;
	assert_true(yaml_read_text(value("112"), 10, &diag, &text));
	assert_string_equal(text, "112");
	assert_true(yaml_read_text(value("\"한글 x\""), 8, &diag, &text));
	assert_string_equal(text, "한글 x");
	text = "default";
	assert_false(yaml_read_text(value("\"한글 x\""), 7, &diag, &text));
	assert_mistake("t:1:4: a text of 8 bytes; at most 7 are allowed");
	assert_false(yaml_read_text(value("''"), 7, &diag, &text));
	assert_mistake("t:1:4: an empty text");
	assert_false(yaml_read_text(value("[a]"), 7, &diag, &text));
	assert_mistake("t:1:4: expected a text, found a sequence");
	assert_false(yaml_read_text(value("~"), 7, &diag, &text));
	assert_mistake("t:1:4: expected a text, found nothing");
	assert_string_equal(text, "default");
}

static void integers_are_whole_plain_and_in_range(void **state)
{
	static const struct {
		const char *text;
		int64_t n;
	} good[] = {
		{ "0", 0 },
		{ "-5", -5 },
		{ "007", 7 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = { "x",
					   "1.5",
					   "1e3",
					   "0x10",
					   "--1",
					   "1 2",
					   "+1",
					   "1_000",
					   "true",
					   "9223372036854775808",
					   "-9223372036854775809" };
	int64_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(yaml_read_int(value(good[i].text), INT64_MIN, INT64_MAX, &diag, &n));
		assert_int_equal(n, good[i].n);
	}
	n = 77;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(yaml_read_int(value(bad[i]), INT64_MIN, INT64_MAX, &diag, &n));
		assert_non_null(strstr(diag.mistakes[0].text, "' is not a whole number"));
		assert_int_equal(n, 77);
	}
	assert_false(yaml_read_int(value("'5'"), 0, 10, &diag, &n));
	assert_mistake("t:1:4: a text in quotes; a number has none");
	assert_false(yaml_read_int(value("11"), 0, 10, &diag, &n));
	assert_mistake("t:1:4: 11 is out of range; allowed are 0 to 10");
	assert_false(yaml_read_int(value("-1"), 0, 10, &diag, &n));
	assert_mistake("t:1:4: -1 is out of range; allowed are 0 to 10");
	assert_int_equal(n, 77);
}

static void bools_are_true_or_false_only(void **state)
{
	static const char *const bad[] = { "yes", "no", "on", "off", "True", "1", "'true'" };
	bool yes = false;

	(void)state;
	assert_true(yaml_read_bool(value("true"), &diag, &yes));
	assert_true(yes);
	assert_true(yaml_read_bool(value("false"), &diag, &yes));
	assert_false(yes);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(yaml_read_bool(value(bad[i]), &diag, &yes));
		assert_non_null(strstr(diag.mistakes[0].text, "' is not true or false"));
	}
}

static void words_are_of_a_list(void **state)
{
	static const char *const words[] = { "immediate", "urgent", "routine", NULL };
	size_t i = 9;

	(void)state;
	assert_true(yaml_read_word(value("routine"), words, &diag, &i));
	assert_int_equal(i, 2);
	assert_false(yaml_read_word(value("urgnet"), words, &diag, &i));
	assert_mistake("t:1:4: unknown word 'urgnet'; did you mean 'urgent'?");
	assert_false(yaml_read_word(value("blue"), words, &diag, &i));
	assert_mistake("t:1:4: unknown word 'blue'; allowed are immediate, urgent, routine");
	assert_false(yaml_read_word(value("[a]"), words, &diag, &i));
	assert_mistake("t:1:4: expected a word, found a sequence");
	assert_int_equal(i, 2);
}

static void durations_times_and_sizes(void **state)
{
	struct yaml_duration d = { 0, YAML_UNIT_MS };
	int64_t n = 0;
	int minutes = 0;

	(void)state;
	assert_true(yaml_read_duration(value("4 business hours"), &diag, &d));
	assert_int_equal(d.unit, YAML_UNIT_BUSINESS_HOUR);
	assert_false(yaml_read_duration(value("4 hours"), &diag, &d));
	assert_mistake(
		"t:1:4: '4 hours' is not a duration such as 30 s, 10 min, 4 h, 3 d or 3 business days");
	assert_true(yaml_read_duration_ms(value("2 min"), 0, 200000, &diag, &n));
	assert_int_equal(n, 120000);
	assert_false(yaml_read_duration_ms(value("4 min"), 0, 200000, &diag, &n));
	assert_mistake("t:1:4: 4 min is out of range; allowed are 0 ms to 200000 ms");
	assert_false(yaml_read_duration_ms(value("4 business hours"), 0, 200000, &diag, &n));
	assert_mistake(
		"t:1:4: '4 business hours' is not a duration such as 500 ms, 30 s, 10 min, 4 h or 3 d");
	assert_true(yaml_read_time_us(value("1970-01-01T00:00:01Z"), &diag, &n));
	assert_int_equal(n, 1000000);
	assert_false(yaml_read_time_us(value("1970-01-01"), &diag, &n));
	assert_mistake("t:1:4: '1970-01-01' is not a time such as 2026-01-02T09:00:00+09:00");
	assert_true(yaml_read_clock(value("09:00"), &diag, &minutes));
	assert_int_equal(minutes, 540);
	assert_false(yaml_read_clock(value("9:00"), &diag, &minutes));
	assert_mistake("t:1:4: '9:00' is not a time of day such as 09:00");
	assert_true(yaml_read_date(value("1970-01-02"), &diag, &n));
	assert_int_equal(n, 1);
	assert_false(yaml_read_date(value("1970-01-32"), &diag, &n));
	assert_mistake("t:1:4: '1970-01-32' is no day of the years 1970 to 9999");
}

static void sizes_have_binary_units(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = { { "512", 512 },
		     { "64 KiB", 65536 },
		     { "64KiB", 65536 },
		     { "16 MiB", 16777216 },
		     { "2 GiB", INT64_C(2147483648) } };
	static const char *const bad[] = { "x",
					   "64 kB",
					   "-1",
					   "64  KiB",
					   "KiB",
					   "9999999999999999999",
					   "9223372036854775807 GiB" };
	int64_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(yaml_read_bytes(value(good[i].text), 0, INT64_MAX, &diag, &n));
		assert_int_equal(n, good[i].bytes);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(yaml_read_bytes(value(bad[i]), 0, INT64_MAX, &diag, &n));
		assert_non_null(strstr(diag.mistakes[0].text, "' is not a number of bytes"));
	}
	assert_false(yaml_read_bytes(value("2 KiB"), 0, 1024, &diag, &n));
	assert_mistake("t:1:4: 2048 is out of range; allowed are 0 to 1024");
}

static void an_absent_key_keeps_the_default_and_is_no_mistake(void **state)
{
	static const char *const words[] = { "a", NULL };
	const struct yaml_node *map =
		parsed("n: 5\nt: x\nb: true\nw: a\nd: 2 business days\nms: 3 s\nk: 1 KiB\n"
		       "bad: [1]\nempty:\n");
	const char *text = "kept";
	int64_t n = 7, ms = 7, bytes = 7;
	bool yes = false;
	size_t word = 7;
	struct yaml_duration d = { 7, YAML_UNIT_H };

	(void)state;
	assert_false(yaml_opt_text(map, "none", 9, &diag, &text));
	assert_false(yaml_opt_int(map, "none", 0, 9, &diag, &n));
	assert_false(yaml_opt_bool(map, "none", &diag, &yes));
	assert_false(yaml_opt_word(map, "none", words, &diag, &word));
	assert_false(yaml_opt_duration(map, "none", &diag, &d));
	assert_false(yaml_opt_duration_ms(map, "none", 0, 9, &diag, &ms));
	assert_false(yaml_opt_bytes(map, "none", 0, 9, &diag, &bytes));
	assert_int_equal(diag.count, 0);
	assert_true(n == 7 && ms == 7 && bytes == 7 && word == 7 && d.amount == 7 && !yes);
	assert_string_equal(text, "kept");

	assert_true(yaml_opt_text(map, "t", 9, &diag, &text));
	assert_true(yaml_opt_int(map, "n", 0, 9, &diag, &n));
	assert_true(yaml_opt_bool(map, "b", &diag, &yes));
	assert_true(yaml_opt_word(map, "w", words, &diag, &word));
	assert_true(yaml_opt_duration(map, "d", &diag, &d));
	assert_true(yaml_opt_duration_ms(map, "ms", 0, 9000, &diag, &ms));
	assert_true(yaml_opt_bytes(map, "k", 0, 9000, &diag, &bytes));
	assert_int_equal(diag.count, 0);
	assert_true(n == 5 && ms == 3000 && bytes == 1024 && word == 0 && d.amount == 2 && yes);

	assert_false(yaml_opt_int(map, "bad", 0, 9, &diag, &n));
	assert_false(yaml_opt_int(map, "empty", 0, 9, &diag, &n));
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.mistakes[1].line, 9);
	assert_int_equal(n, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, drop)
	const struct CMUnitTest tests[] = {
		TEST(unknown_keys_are_told_with_a_suggestion),
		TEST(sequences_have_so_many_entries),
		TEST(a_required_key_is_there_and_not_empty),
		TEST(texts_are_any_scalar_of_a_length),
		TEST(integers_are_whole_plain_and_in_range),
		TEST(bools_are_true_or_false_only),
		TEST(words_are_of_a_list),
		TEST(durations_times_and_sizes),
		TEST(sizes_have_binary_units),
		TEST(an_absent_key_keeps_the_default_and_is_no_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
