/* client/details: what a hub or the spool says of an error reads as Korean where it is known, and
 * loses nothing where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/details.h"
#include "proto/catalog.h"

static char out[DETAILS_BYTES];

static void reads(const char *english, const char *korean)
{
	assert_string_equal(details_in(WORDS_KO, english, out), korean);
}

static void a_known_sentence_is_said_in_the_language(void **state)
{
	(void)state;
	reads("no connection takes from it", "받아 가는 연결이 없음");
	assert_string_equal(details_in(WORDS_EN, "no connection takes from it", out),
			    "no connection takes from it");
	assert_null(details_in(WORDS_KO, NULL, out));
	reads("", "");
}

static void the_place_before_it_stays(void **state)
{
	(void)state;
	reads("query.pools.pool: no such pool", "query.pools.pool: 그런 시설이 없습니다");
	reads("/var/lib/a.db: some of its pages are damaged",
	      "/var/lib/a.db: 일부 쪽이 손상되었습니다");
}

static void values_and_words_go_with_it(void **state)
{
	(void)state;
	reads("envelope.on_behalf_of: 'ec-counsel' is no gateway in the hub file",
	      "envelope.on_behalf_of: 'ec-counsel'은(는) 허브 파일에 게이트웨이로 적혀 있지 않습니다");
	reads("envelope.case_id: report_received belongs to a case; name it or set open_case",
	      "envelope.case_id: 사례에 속하는 메시지입니다(신고접수). 사례를 적거나 open_case를 쓰십시오");
	reads("a.db: it belongs to us at here, not to them at there",
	      "a.db: here의 us 것이며, there의 them 것이 아닙니다");
	reads("hub:7443: the peer's alert: certificate revoked",
	      "hub:7443: 상대의 경고: 인증서 폐지됨");
}

static void each_line_is_taken_for_itself(void **state)
{
	(void)state;
	reads("some of its pages are damaged\nmessages 4 to 9 can't be read as they were written (rows: 6)\n"
	      "nobody knows this",
	      "일부 쪽이 손상되었습니다\n메시지 4–9번이 기록된 그대로 읽히지 않습니다 (6건)\nnobody knows this");
}

static void what_is_not_known_stays(void **state)
{
	char *much = malloc(2 * DETAILS_BYTES);

	(void)state;
	assert_non_null(much);
	reads("no connection takes from it.", "no connection takes from it.");
	reads("a: b: c", "a: b: c");
	reads("100 %s %1$s", "100 %s %1$s");
	memset(much, 'x', 2 * DETAILS_BYTES - 1);
	much[2 * DETAILS_BYTES - 1] = '\0';
	assert_ptr_equal(details_in(WORDS_KO, much, out), much);
	free(much);
}

static void every_sentence_has_its_translation_and_no_place(void **state)
{
	(void)state;
	for (size_t i = 0; details_known[i]; i++) {
		const char *sentence = details_known[i];
		const char *colon = strstr(sentence, ": ");

		assert_string_not_equal(catalog_text(WORDS_KO, sentence), sentence);
		if (colon && !memchr(sentence, ' ', (size_t)(colon - sentence)))
			fail_msg("never found: '%s'", sentence);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_sentence_is_said_in_the_language),
		cmocka_unit_test(the_place_before_it_stays),
		cmocka_unit_test(values_and_words_go_with_it),
		cmocka_unit_test(each_line_is_taken_for_itself),
		cmocka_unit_test(what_is_not_known_stays),
		cmocka_unit_test(every_sentence_has_its_translation_and_no_place),
	};

	return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}
