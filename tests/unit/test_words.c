/* proto/words: the vocabulary is whole and consistent, also with the enums of the protocol. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include <cmocka.h>

#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"
#include "proto/words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void english_is_the_code_in_sentence_case_but_for_four(void **state)
{
	static const char *const otherwise[][2] = {
		{ "dispatch_request", "Joint dispatch" },
		{ "capacity_hold", "Hold a place" },
		{ "transfer", "Family moved" },
		{ "warned", "Ends soon" },
	};
	size_t count;
	const struct words_row *rows = words_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char want[64];

		assert_true((size_t)snprintf(want, sizeof want, "%s", rows[i].code) < sizeof want);
		for (char *c = want; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		want[0] = (char)toupper((unsigned char)want[0]);
		for (size_t o = 0; o < COUNT(otherwise); o++) {
			if (strcmp(rows[i].code, otherwise[o][0]) == 0)
				(void)snprintf(want, sizeof want, "%s", otherwise[o][1]);
		}
		assert_string_equal(rows[i].text, want);
	}
}

static void korean_is_hangul_and_utf8(void **state)
{
	size_t count;
	const struct words_row *rows = words_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		ucs4_t first;
		const uint8_t *ko = (const uint8_t *)words_text(rows[i].code, WORDS_KO);

		assert_null(u8_check(ko, strlen((const char *)ko)));
		assert_true(u8_strmbtouc(&first, ko) > 0);
		assert_in_range(first, 0xAC00, 0xD7A3);
	}
}

static void a_code_reads_the_same_in_every_group_and_once_in_each(void **state)
{
	size_t count;
	const struct words_row *rows = words_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++) {
			if (strcmp(rows[i].code, rows[j].code) != 0)
				continue;
			assert_int_not_equal(rows[i].group, rows[j].group);
			assert_string_equal(rows[i].text, rows[j].text);
		}
}

static void every_value_of_the_protocols_enums_has_words(void **state)
{
	static const ProtobufCEnumDescriptor *const enums[] = {
		&ieum__v1__message_type__descriptor,
		&ieum__v1__category__descriptor,
		&ieum__v1__urgency__descriptor,
		&ieum__v1__task_state__descriptor,
		&ieum__v1__answer_kind__descriptor,
		&ieum__v1__outcome__descriptor,
		&ieum__v1__case_state__descriptor,
		&ieum__v1__judgement__descriptor,
		&ieum__v1__reason__descriptor,
		&ieum__v1__basis_kind__descriptor,
		&ieum__v1__link_kind__descriptor,
		&ieum__v1__delivery_cause__descriptor,
		&ieum__v1__narrative_subject__descriptor,
	};

	(void)state;
	for (size_t e = 0; e < COUNT(enums); e++)
		for (unsigned i = 0; i < enums[e]->n_values; i++) {
			char word[PBMAP_WORD_BYTES];

			assert_true(pbmap_enum_word(enums[e], enums[e]->values[i].value, word));
			if (strcmp(word, "unspecified") != 0 && !words_find(word))
				fail_msg("%s '%s' has no words", enums[e]->short_name, word);
		}
}

static void words_are_found_in_both_languages(void **state)
{
	(void)state;
	assert_string_equal(words_text("capacity_hold", WORDS_EN), "Hold a place");
	assert_string_equal(words_text("capacity_hold", WORDS_KO), "자리확보");
	assert_string_equal(words_text("routine", WORDS_KO), "일반");
	assert_string_equal(words_text("no_such_word", WORDS_KO), "no_such_word");
	assert_null(words_find("no_such_word"));
	assert_null(words_find(""));
}

static void a_language_is_taken_from_its_name_or_the_locale(void **state)
{
	static const char *const ko[] = { "ko", "ko_KR", "ko_KR.UTF-8", "ko.UTF-8", "ko-KR" };
	static const char *const none[] = { "",  "C",      "POSIX", "kok_IN", "de_DE.UTF-8",
					    "k", "english" };
	enum words_lang lang;

	(void)state;
	for (size_t i = 0; i < COUNT(ko); i++) {
		lang = WORDS_EN;
		assert_true(words_lang_named(ko[i], &lang));
		assert_int_equal(lang, WORDS_KO);
	}
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(words_lang_named(none[i], &lang));
	assert_true(words_lang_named("en_GB", &lang));
	assert_int_equal(lang, WORDS_EN);

	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	unsetenv("LANG");
	assert_int_equal(words_lang_chosen(NULL), WORDS_EN);
	setenv("LANG", "ko_KR.UTF-8", 1);
	assert_int_equal(words_lang_chosen(NULL), WORDS_KO);
	assert_int_equal(words_lang_chosen("en"), WORDS_EN);
	setenv("LC_MESSAGES", "en_US.UTF-8", 1);
	assert_int_equal(words_lang_chosen(""), WORDS_EN);
	setenv("LC_ALL", "ko_KR.UTF-8", 1);
	assert_int_equal(words_lang_chosen(NULL), WORDS_KO);
	setenv("LC_ALL", "", 1);
	assert_int_equal(words_lang_chosen(NULL), WORDS_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(english_is_the_code_in_sentence_case_but_for_four),
		cmocka_unit_test(korean_is_hangul_and_utf8),
		cmocka_unit_test(a_code_reads_the_same_in_every_group_and_once_in_each),
		cmocka_unit_test(every_value_of_the_protocols_enums_has_words),
		cmocka_unit_test(words_are_found_in_both_languages),
		cmocka_unit_test(a_language_is_taken_from_its_name_or_the_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
