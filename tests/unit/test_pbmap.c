/* proto/pbmap: every kind of field there and back, what is left out, and each mistake with its
 * place and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pbmap.h"
#include "tests/unit/pbmap_kinds.pb-c.h"
#include "tests/unit/pbmap_optional.pb-c.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct yaml_diag diag;

static ProtobufCMessage *read_as(const ProtobufCMessageDescriptor *type, const char *text)
{
	ProtobufCMessage *message = NULL;

	yaml_diag_init(&diag);
	enum ieum_err err = pbmap_from_text("t", text, strlen(text), type, NULL, &diag, &message);
	if (err) {
		assert_int_equal(err, IEUM_E_FILE_INVALID);
		assert_true(diag.count > 0);
		return NULL;
	}
	assert_int_equal(diag.count, 0);
	return message;
}

static PbmapTest__Kinds *read_kinds(const char *text)
{
	return (PbmapTest__Kinds *)read_as(&pbmap_test__kinds__descriptor, text);
}

static char *written(const void *message, const struct pbmap_style *style)
{
	json_t *json = NULL;

	assert_int_equal(pbmap_to_json(message, style, &json), IEUM_E_OK);
	char *text = json_dumps(json, JSON_COMPACT);
	assert_non_null(text);
	json_decref(json);
	return text;
}

/* Reads, writes, compares; then reads what was written and compares the bytes of both messages. */
static void assert_there_and_back(const ProtobufCMessageDescriptor *type, const char *in,
				  const char *want)
{
	ProtobufCMessage *first = read_as(type, in);
	if (!first)
		fail_msg("%s", diag.mistakes[0].text);
	char *text = written(first, NULL);
	assert_string_equal(text, want);
	ProtobufCMessage *second = read_as(type, text);
	assert_non_null(second);

	size_t n = protobuf_c_message_get_packed_size(first);
	uint8_t *a = malloc(n + 1), *b = malloc(n + 1);
	assert_true(a && b);
	assert_int_equal(protobuf_c_message_get_packed_size(second), n);
	assert_int_equal(protobuf_c_message_pack(first, a), n);
	assert_int_equal(protobuf_c_message_pack(second, b), n);
	assert_memory_equal(a, b, n);
	free(a);
	free(b);
	free(text);
	protobuf_c_message_free_unpacked(first, NULL);
	protobuf_c_message_free_unpacked(second, NULL);
}

/* What is read, what is written. */
static const char *const kinds_there_and_back[][2] = {
	{ "{}", "{}" },
	{ "i32: -2147483648", "{\"i32\":-2147483648}" },
	{ "s32: 2147483647", "{\"s32\":2147483647}" },
	{ "sf32: -1", "{\"sf32\":-1}" },
	{ "u32: 4294967295", "{\"u32\":4294967295}" },
	{ "f32: 7", "{\"f32\":7}" },
	{ "i64: -9223372036854775808", "{\"i64\":-9223372036854775808}" },
	{ "s64: 9223372036854775807", "{\"s64\":9223372036854775807}" },
	{ "sf64: -1", "{\"sf64\":-1}" },
	{ "u64: 9223372036854775807", "{\"u64\":9223372036854775807}" },
	{ "f64: 1", "{\"f64\":1}" },
	{ "yes: true", "{\"yes\":true}" },
	{ "real32: 0.5", "{\"real32\":0.5}" },
	{ "real64: -2.5e3", "{\"real64\":-2500.0}" },
	{ "real64: 3", "{\"real64\":3.0}" },
	{ "colour: dark_blue", "{\"colour\":\"dark_blue\"}" },
	{ "colour: COLOUR_KIND_RED", "{\"colour\":\"red\"}" },
	{ "colour: 2", "{\"colour\":\"dark_blue\"}" },
	{ "plain: something", "{\"plain\":\"something\"}" },
	{ "plain: SOMETHING", "{\"plain\":\"something\"}" },
	{ "text: 한글 \"x\"", "{\"text\":\"한글 \\\"x\\\"\"}" },
	{ "text: 112", "{\"text\":\"112\"}" },
	{ "blob: AAEC/w==", "{\"blob\":\"AAEC/w==\"}" },
	{ "blob: AAEC", "{\"blob\":\"AAEC\"}" },
	{ "blob: {text: 한}", "{\"blob\":\"7ZWc\"}" },
	{ "blob: {hex: 00fF}", "{\"blob\":\"AP8=\"}" },
	{ "message_id: 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
	  "{\"message_id\":\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"}" },
	{ "message_id: AZL11HweejucTQEjRWeJqw==",
	  "{\"message_id\":\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"}" },
	{ "message_id: AAEC", "{\"message_id\":\"AAEC\"}" },
	{ "in_reply_to: 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
	  "{\"in_reply_to\":\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"}" },
	{ "incarnation: 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
	  "{\"incarnation\":\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"}" },
	{ "fluid: AZL11HweejucTQEjRWeJqw==", "{\"fluid\":\"AZL11HweejucTQEjRWeJqw==\"}" },
	{ "inner: {}", "{\"inner\":{}}" },
	{ "inner: {name: a, inside: [{name: b}, {}]}",
	  "{\"inner\":{\"name\":\"a\",\"inside\":[{\"name\":\"b\"},{}]}}" },
	{ "numbers: [1, -2, 0]", "{\"numbers\":[1,-2,0]}" },
	{ "numbers: []", "{}" },
	{ "texts: [a, '', 한]", "{\"texts\":[\"a\",\"\",\"한\"]}" },
	{ "blobs: [AAEC, '']", "{\"blobs\":[\"AAEC\",\"\"]}" },
	{ "case_ids: [0192f5d4-7c1e-7a3b-9c4d-0123456789ab]",
	  "{\"case_ids\":[\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"]}" },
	{ "inners:\n- name: a\n- {}\n", "{\"inners\":[{\"name\":\"a\"},{}]}" },
	{ "colours: [red, unspecified, 1]", "{\"colours\":[\"red\",\"unspecified\",\"red\"]}" },
	{ "answers: [true, false]", "{\"answers\":[true,false]}" },
	{ "reals: [0.5, 1]", "{\"reals\":[0.5,1.0]}" },
	{ "as_text: ''", "{\"as_text\":\"\"}" },
	{ "as_text: x", "{\"as_text\":\"x\"}" },
	{ "as_number: 0", "{\"as_number\":0}" },
	{ "as_blob: AAEC", "{\"as_blob\":\"AAEC\"}" },
	{ "as_inner: {name: x}", "{\"as_inner\":{\"name\":\"x\"}}" },
	{ "as_colour: unspecified", "{\"as_colour\":\"unspecified\"}" },
	{ "occurred_at_ms: 2026-01-02T09:00:00+09:00", "{\"occurred_at_ms\":1767312000000}" },
	{ "occurred_at_ms: 1767312000000", "{\"occurred_at_ms\":1767312000000}" },
	{ "recorded_at_us: '2026-01-02T00:00:00.000001Z'",
	  "{\"recorded_at_us\":1767312000000001}" },
	{ "answer_within_ms: 3 d", "{\"answer_within_ms\":259200000}" },
	{ "answer_within_ms: 5000", "{\"answer_within_ms\":5000}" },
	{ "{\"text\": \"a\", \"i32\": 5}", "{\"i32\":5,\"text\":\"a\"}" },
};

static void every_kind_of_field_goes_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds_there_and_back); i++)
		assert_there_and_back(&pbmap_test__kinds__descriptor, kinds_there_and_back[i][0],
				      kinds_there_and_back[i][1]);
}

static void fields_that_know_if_they_are_set(void **state)
{
	static const char *const cases[][2] = {
		{ "{}", "{}" },
		{ "maybe_i32: 0", "{\"maybe_i32\":0}" },
		{ "maybe_yes: false", "{\"maybe_yes\":false}" },
		{ "maybe_text: ''", "{\"maybe_text\":\"\"}" },
		{ "maybe_blob: ''", "{\"maybe_blob\":\"\"}" },
		{ "maybe_shade: deep", "{\"maybe_shade\":\"deep\"}" },
		{ "maybe_part: {}", "{\"maybe_part\":{}}" },
		{ "maybe_part: {name: x}", "{\"maybe_part\":{\"name\":\"x\"}}" },
		{ "maybe_at_ms: 0", "{\"maybe_at_ms\":0}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_there_and_back(&pbmap_test__optional__descriptor, cases[i][0], cases[i][1]);
}

static void each_mistake_has_its_place_and_words(void **state)
{
	static const char *const cases[][2] = {
		{ "- a", "t:1:1: expected a map with the fields of Kinds, found a sequence" },
		{ "", "t:1:1: expected a map with the fields of Kinds, found nothing" },
		{ "i32: 1\ntexxt: a", "t:2:1: Kinds has no field 'texxt'; did you mean 'text'?" },
		{ "zzzzzz: a", "t:1:1: Kinds has no field 'zzzzzz'" },
		{ "inner:\n  nam: a", "t:2:3: Inner has no field 'nam'; did you mean 'name'?" },
		{ "inner: x", "t:1:8: expected a map with the fields of Inner, found a value" },
		{ "i32: 2147483648",
		  "t:1:6: 2147483648 is out of range; allowed are -2147483648 to 2147483647" },
		{ "u32: -1", "t:1:6: -1 is out of range; allowed are 0 to 4294967295" },
		{ "u64: -1", "t:1:6: -1 is out of range; allowed are 0 to 9223372036854775807" },
		{ "i64: 9223372036854775808",
		  "t:1:6: '9223372036854775808' is not a whole number" },
		{ "i32: x", "t:1:6: 'x' is not a whole number" },
		{ "i32: '5'", "t:1:6: a text in quotes; a number has none" },
		{ "yes: 1", "t:1:6: '1' is not true or false" },
		{ "real64: 0x10", "t:1:9: '0x10' is not a number" },
		{ "real64: nan", "t:1:9: 'nan' is not a number" },
		{ "real64: 1e999", "t:1:9: '1e999' is not a number" },
		{ "real32: 1e99", "t:1:9: '1e99' is not a number that fits a float" },
		{ "colour: rde", "t:1:9: 'rde' is no ColourKind; did you mean 'red'?" },
		{ "colour: mauve", "t:1:9: 'mauve' is no ColourKind; possible: red, dark_blue" },
		{ "colour: 3", "t:1:9: 3 is no known ColourKind" },
		{ "colour: [red]", "t:1:9: expected a word, found a sequence" },
		{ "text: [a]", "t:1:7: expected a text, found a sequence" },
		{ "blob: AAE", "t:1:7: 'AAE' is not base64" },
		{ "blob: A===", "t:1:7: 'A===' is not base64" },
		{ "blob: A=AA", "t:1:7: 'A=AA' is not base64" },
		{ "blob: 'AA A'", "t:1:7: 'AA A' is not base64" },
		{ "blob: 0192f5d4-7c1e-7a3b-9c4d-0123456789ab",
		  "t:1:7: '0192f5d4-7c1e-7a3b-9c4d-0123456789ab' is not base64" },
		{ "blob: [AAEC]", "t:1:7: expected base64, found a sequence" },
		{ "blob: {hex: 0}", "t:1:13: '0' is not hexadecimal" },
		{ "blob: {hax: 00}", "t:1:8: unknown key 'hax'; did you mean 'hex'?" },
		{ "blob: {hex: 00, text: a}",
		  "t:1:7: expected either {text: \"…\"} or {hex: \"…\"}, found a map" },
		{ "message_id: report-1", "t:1:13: 'report-1' is not a UUID or base64" },
		{ "numbers: 1", "t:1:10: '1' is not a sequence" },
		{ "numbers:\n- 1\n- x\n", "t:3:3: 'x' is not a whole number" },
		{ "inners: [{name: a}, {nome: b}]",
		  "t:1:22: Inner has no field 'nome'; did you mean 'name'?" },
		{ "as_text: a\nas_number: 5",
		  "t:2:1: 'as_number' and 'as_text' exclude each other; keep one" },
		{ "occurred_at_ms: yesterday",
		  "t:1:17: 'yesterday' is not a time such as 2026-01-02T09:00:00+09:00, nor a number" },
		{ "occurred_at_ms: 2026-01-02T00:00:00.0001Z",
		  "t:1:17: '2026-01-02T00:00:00.0001Z' is not whole milliseconds" },
		{ "answer_within_ms: 3 business days",
		  "t:1:19: '3 business days' is not a duration such as 500 ms, 30 s, 10 min, 4 h or 3 d" },
		{ "items: 3 d", "t:1:8: '3 d' is not a whole number" },
		{ "text: a\ntext: b",
		  "t:2:1: key 'text' is there twice, first in line 1; remove one" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (read_kinds(cases[i][0]))
			fail_msg("accepted: %s", cases[i][0]);
		assert_string_equal(diag.mistakes[0].text, cases[i][1]);
		assert_int_equal(diag.count, 1);
	}
	assert_null(read_kinds("text:\ni32: 5\n"));
	assert_non_null(strstr(diag.mistakes[0].text,
			       "'text' has no value; leave it out if there is none"));
}

static void all_mistakes_of_a_file_are_told_at_once(void **state)
{
	(void)state;
	assert_null(read_kinds(
		"i32: x\ntexts: [a, [b]]\ninner: {nome: x, inside: [{name: [1]}]}\nas_blob: '*'\n"
		"as_text: ok\ncolours: [red, rad]\nblobs: [AAEC, '-']\n"));
	assert_int_equal(diag.count, 7);
	static const int lines[] = { 1, 2, 3, 3, 4, 6, 7 };
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(diag.mistakes[i].line, lines[i]);
}

static void times_can_be_written_as_text(void **state)
{
	static const struct pbmap_style korea = { .times_as_text = true, .offset_min = 540 };
	PbmapTest__Kinds kinds = PBMAP_TEST__KINDS__INIT;

	(void)state;
	kinds.occurred_at_ms = 1767312000000;
	kinds.recorded_at_us = 1767312000000001;
	kinds.answer_within_ms = 5000;
	char *text = written(&kinds, &korea);
	assert_string_equal(text, "{\"occurred_at_ms\":\"2026-01-02T09:00:00+09:00\","
				  "\"recorded_at_us\":\"2026-01-02T09:00:00.000001+09:00\","
				  "\"answer_within_ms\":5000}");
	PbmapTest__Kinds *back = read_kinds(text);
	assert_non_null(back);
	assert_int_equal(back->occurred_at_ms, kinds.occurred_at_ms);
	assert_int_equal(back->recorded_at_us, kinds.recorded_at_us);
	pbmap_test__kinds__free_unpacked(back, NULL);
	free(text);
	/* What RFC 3339 can't write stays a number. */
	kinds = (PbmapTest__Kinds)PBMAP_TEST__KINDS__INIT;
	kinds.occurred_at_ms = -1;
	kinds.recorded_at_us = INT64_MAX;
	text = written(&kinds, &korea);
	assert_string_equal(text, "{\"occurred_at_ms\":-1,\"recorded_at_us\":9223372036854775807}");
	free(text);
}

static void defaults_are_written_if_asked_for(void **state)
{
	static const struct pbmap_style whole = { .defaults = true };
	PbmapTest__Kinds kinds = PBMAP_TEST__KINDS__INIT;

	(void)state;
	char *text = written(&kinds, &whole);
	assert_non_null(strstr(text, "\"i32\":0,"));
	assert_non_null(strstr(text, "\"yes\":false,"));
	assert_non_null(strstr(text, "\"colour\":\"unspecified\","));
	assert_non_null(strstr(text, "\"text\":\"\","));
	assert_non_null(strstr(text, "\"blob\":\"\","));
	assert_non_null(strstr(text, "\"numbers\":[]"));
	assert_null(strstr(text, "\"inner\""));
	assert_null(strstr(text, "\"as_text\""));
	free(text);
}

static void what_json_cannot_hold_is_refused(void **state)
{
	PbmapTest__Kinds kinds = PBMAP_TEST__KINDS__INIT;
	json_t *json = NULL;

	(void)state;
	kinds.u64 = UINT64_C(1) << 63;
	assert_int_equal(pbmap_to_json(&kinds.base, NULL, &json), IEUM_E_FIELD_INVALID);
	kinds.u64 = 0;
	kinds.real64 = 1e308 * 10;
	assert_int_equal(pbmap_to_json(&kinds.base, NULL, &json), IEUM_E_FIELD_INVALID);
	kinds.real64 = 0;
	kinds.text = (char[]){ "\xFF" };
	assert_int_equal(pbmap_to_json(&kinds.base, NULL, &json), IEUM_E_TEXT_INVALID);
	assert_null(json);
}

static void an_unknown_enum_number_is_written_as_it_is(void **state)
{
	PbmapTest__Kinds kinds = PBMAP_TEST__KINDS__INIT;
	char word[PBMAP_WORD_BYTES];

	(void)state;
	kinds.colour = (PbmapTest__ColourKind)77;
	char *text = written(&kinds, NULL);
	assert_string_equal(text, "{\"colour\":77}");
	free(text);
	assert_false(pbmap_enum_word(&pbmap_test__colour_kind__descriptor, 77, word));
	assert_string_equal(word, "77");
	assert_true(pbmap_enum_word(&pbmap_test__colour_kind__descriptor, 2, word));
	assert_string_equal(word, "dark_blue");
}

static void messages_too_deep_to_write_are_refused(void **state)
{
	PbmapTest__Inner chain[PBMAP_DEPTH_MAX + 1];
	PbmapTest__Inner *next[PBMAP_DEPTH_MAX + 1];
	json_t *json = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(chain); i++) {
		pbmap_test__inner__init(&chain[i]);
		if (i + 1 < COUNT(chain)) {
			next[i] = &chain[i + 1];
			chain[i].inside = &next[i];
			chain[i].n_inside = 1;
		}
	}
	assert_int_equal(pbmap_to_json(&chain[1].base, NULL, &json), IEUM_E_OK);
	json_decref(json);
	assert_int_equal(pbmap_to_json(&chain[0].base, NULL, &json), IEUM_E_FIELD_TOO_LARGE);
}

static bool known_id(void *context, const char *text, uint8_t id[16])
{
	if (strcmp(text, "report-1") != 0)
		return false;
	memset(id, *(const int *)context, 16);
	return true;
}

static bool known_time(void *context, const char *text, int64_t *unix_us)
{
	(void)context;
	if (strcmp(text, "now") != 0)
		return false;
	*unix_us = 5000;
	return true;
}

/* ---- protobuf's own mapping ---- */

static PbmapTest__Kinds *from_json(const char *text, char why[PBMAP_WHY_BYTES])
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ProtobufCMessage *message = NULL;
	enum ieum_err err;

	assert_non_null(json);
	err = pbmap_from_json(json, &pbmap_test__kinds__descriptor, why, &message);
	json_decref(json);
	assert_int_equal(err, message ? IEUM_E_OK : IEUM_E_FILE_INVALID);
	return (PbmapTest__Kinds *)message;
}

/* What any of the two mappings writes is read, and written in protobuf's own. */
static void both_mappings_are_read_and_protobufs_own_is_written(void **state)
{
	static const char *const texts[][2] = {
		{ "{}", "{}" },
		{ "{\"messageId\":\"AZL11Hweejuc TQEjRWeJqw\"}", NULL }, /* a blank is no base64 */
		{ "{\"messageId\":\"AZL11HweejucTQEjRWeJqw==\"}",
		  "{\"messageId\":\"AZL11HweejucTQEjRWeJqw==\"}" },
		{ "{\"message_id\":\"0192f5d4-7c1e-7a3b-9c4d-0123456789ab\"}",
		  "{\"messageId\":\"AZL11HweejucTQEjRWeJqw==\"}" },
		{ "{\"blob\":\"_-8\"}", "{\"blob\":\"/+8=\"}" },
		{ "{\"i64\":\"-9223372036854775808\",\"numbers\":[1,\"2\"]}",
		  "{\"i64\":\"-9223372036854775808\",\"numbers\":[\"1\",\"2\"]}" },
		{ "{\"u64\":9223372036854775807,\"i32\":\"5\"}",
		  "{\"i32\":5,\"u64\":\"9223372036854775807\"}" },
		{ "{\"colour\":\"dark_blue\",\"colours\":[\"COLOUR_KIND_RED\",2]}",
		  "{\"colour\":\"COLOUR_KIND_DARK_BLUE\","
		  "\"colours\":[\"COLOUR_KIND_RED\",\"COLOUR_KIND_DARK_BLUE\"]}" },
		{ "{\"asText\":null,\"as_number\":\"7\",\"inner\":null}", "{\"asNumber\":\"7\"}" },
		{ "{\"text\":\"\\ud83d\\ude00 \\/\"}", "{\"text\":\"\xf0\x9f\x98\x80 /\"}" },
	};
	static const struct pbmap_style canonical = { .canonical = true };
	char why[PBMAP_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		PbmapTest__Kinds *kinds = from_json(texts[i][0], why);

		if (!texts[i][1]) {
			assert_null(kinds);
			continue;
		}
		if (!kinds)
			fail_msg("%s: %s", texts[i][0], why);
		char *text = written(kinds, &canonical);
		assert_string_equal(text, texts[i][1]);
		free(text);
		pbmap_test__kinds__free_unpacked(kinds, NULL);
	}
}

static void a_mistake_in_json_has_the_path_of_its_field(void **state)
{
	static const char *const texts[][2] = {
		{ "[]", "expected a map with the fields of Kinds, found a sequence" },
		{ "{\"colour\":\"blu\"}", "colour: 'blu' is no ColourKind" },
		{ "{\"inner\":{\"inside\":[{\"nmae\":\"x\"}]}}",
		  "inner.inside.nmae: Inner has no field 'nmae'; did you mean 'name'?" },
		{ "{\"text\":\"x\",\"i32\":\"2147483648\"}", "i32: " },
		{ "{\"asText\":\"x\",\"as_number\":1}",
		  "as_number: 'as_number' and 'as_text' exclude each other; keep one" },
	};
	char why[PBMAP_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_null(from_json(texts[i][0], why));
		why[strlen(texts[i][1]) < sizeof why ? strlen(texts[i][1]) : 0] = '\0';
		assert_string_equal(why, texts[i][1]);
	}
}

static void names_stand_for_ids_and_times(void **state)
{
	static const char good[] =
		"message_id: report-1\ncase_ids: [report-1]\noccurred_at_ms: now\nrecorded_at_us: now\n";
	static const char bad[] = "message_id: report-2\noccurred_at_ms: later\nblob: report-1\n";
	int fill = 0x11;
	const struct pbmap_names names = { .context = &fill,
					   .id_cb = known_id,
					   .time_cb = known_time };
	struct yaml_doc *doc;
	ProtobufCMessage *message = NULL;

	(void)state;
	yaml_diag_init(&diag);
	assert_int_equal(yaml_doc_parse("t", good, strlen(good), &diag, &doc), IEUM_E_OK);
	assert_int_equal(pbmap_from_yaml_named(yaml_doc_root(doc), &pbmap_test__kinds__descriptor,
					       NULL, &names, &diag, &message),
			 IEUM_E_OK);
	char *text = written(message, NULL);
	assert_string_equal(text, "{\"message_id\":\"11111111-1111-1111-1111-111111111111\","
				  "\"case_ids\":[\"11111111-1111-1111-1111-111111111111\"],"
				  "\"occurred_at_ms\":5,\"recorded_at_us\":5000}");
	free(text);
	protobuf_c_message_free_unpacked(message, NULL);
	yaml_doc_free(doc);

	assert_int_equal(yaml_doc_parse("t", bad, strlen(bad), &diag, &doc), IEUM_E_OK);
	assert_int_equal(pbmap_from_yaml_named(yaml_doc_root(doc), &pbmap_test__kinds__descriptor,
					       NULL, &names, &diag, &message),
			 IEUM_E_FILE_INVALID);
	assert_int_equal(diag.count, 3);
	yaml_doc_free(doc);
}

/* Counts what is given out and fails from the n-th time on. */
struct budget {
	size_t left;
	size_t in_use;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (budget->left == 0)
		return NULL;
	budget->left--;
	budget->in_use++;
	return malloc(size);
}

static void budget_free(void *data, void *memory)
{
	struct budget *budget = data;

	if (memory)
		budget->in_use--;
	free(memory);
}

static void memory_comes_from_the_callers_allocator_and_all_goes_back(void **state)
{
	static const char text[] =
		"text: a\nblob: AAEC\nmessage_id: 0192f5d4-7c1e-7a3b-9c4d-0123456789ab\n"
		"inner: {name: a, inside: [{name: b}, {name: c}]}\ntexts: [a, b]\n"
		"blobs: [AAEC, {hex: 00}, {text: x}]\nas_inner: {name: x}\nnumbers: [1]\n";
	size_t tries = 0;
	bool whole = false;

	(void)state;
	for (; !whole; tries++) {
		struct budget budget = { .left = tries };
		ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
		ProtobufCMessage *message = NULL;

		yaml_diag_init(&diag);
		enum ieum_err err =
			pbmap_from_text("t", text, strlen(text), &pbmap_test__kinds__descriptor,
					&allocator, &diag, &message);
		whole = err == IEUM_E_OK;
		assert_int_equal(err, whole ? IEUM_E_OK : IEUM_E_NO_MEMORY);
		assert_int_equal(diag.count, 0);
		if (whole)
			protobuf_c_message_free_unpacked(message, &allocator);
		assert_int_equal(budget.in_use, 0);
	}
	assert_in_range(tries, 15, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_field_goes_there_and_back),
		cmocka_unit_test(fields_that_know_if_they_are_set),
		cmocka_unit_test(each_mistake_has_its_place_and_words),
		cmocka_unit_test(all_mistakes_of_a_file_are_told_at_once),
		cmocka_unit_test(times_can_be_written_as_text),
		cmocka_unit_test(defaults_are_written_if_asked_for),
		cmocka_unit_test(what_json_cannot_hold_is_refused),
		cmocka_unit_test(an_unknown_enum_number_is_written_as_it_is),
		cmocka_unit_test(messages_too_deep_to_write_are_refused),
		cmocka_unit_test(both_mappings_are_read_and_protobufs_own_is_written),
		cmocka_unit_test(a_mistake_in_json_has_the_path_of_its_field),
		cmocka_unit_test(names_stand_for_ids_and_times),
		cmocka_unit_test(memory_comes_from_the_callers_allocator_and_all_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
