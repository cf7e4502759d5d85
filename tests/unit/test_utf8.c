/* proto/utf8: every code point there is, nothing that only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/utf8.h"

static bool valid(const char *text, size_t n)
{
	return utf8_text_valid((const uint8_t *)text, n);
}
#define VALID(literal) valid(literal, sizeof(literal) - 1)

static size_t encode(uint32_t point, uint8_t *to)
{
	if (point < 0x80) {
		to[0] = (uint8_t)point;
		return 1;
	}
	size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = len; --i > 0; point >>= 6)
		to[i] = (uint8_t)(0x80 | (point & 0x3F));
	to[0] = (uint8_t)((0xF00 >> len & 0xFF) | point);
	return len;
}

static void every_code_point_but_nul_and_surrogates_is_text(void **state)
{
	(void)state;
	for (uint32_t point = 0; point <= 0x110000; point++) {
		uint8_t text[16];
		bool wanted = point != 0 && (point < 0xD800 || point > 0xDFFF) && point <= 0x10FFFF;
		size_t at = point % 9; /* also across the border of the first eight bytes */

		memset(text, 'a', sizeof text);
		size_t len = encode(point, text + at);
		if (utf8_text_valid(text, sizeof text) != wanted ||
		    utf8_text_valid(text + at, len) != wanted)
			fail_msg("U+%04X", (unsigned)point);
		if (wanted && len > 1 && utf8_text_valid(text, at + len - 1))
			fail_msg("U+%04X cut off", (unsigned)point);
	}
}

static void what_only_looks_like_text_is_refused(void **state)
{
	(void)state;
	assert_true(VALID(""));
	assert_true(VALID("가정폭력 접수, 12 characters"));
	assert_false(VALID("\xC0\xAF")); /* overlong / */
	assert_false(VALID("\xC1\xBF"));
	assert_false(VALID("\xE0\x80\xAF"));
	assert_false(VALID("\xE0\x9F\xBF"));
	assert_false(VALID("\xF0\x80\x80\xAF"));
	assert_false(VALID("\xF0\x8F\xBF\xBF"));
	assert_false(VALID("\xC0\x80")); /* NUL in disguise */
	assert_false(VALID("\x80"));
	assert_false(VALID("a\xBF"));
	assert_false(VALID("\xFE"));
	assert_false(VALID("\xFF"));
	assert_false(VALID("\xF5\x80\x80\x80"));
	assert_false(VALID("\xED\xA0\x80\xED\xB0\x80")); /* CESU-8 */
	assert_false(VALID("\xEA\xB0"));
	assert_false(VALID("\xEA\xB0"
			   "a"));
	assert_false(VALID("12345678\0"
			   "12345678"));
	assert_false(VALID("1234567\0"));
	assert_false(VALID("\0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_but_nul_and_surrogates_is_text),
		cmocka_unit_test(what_only_looks_like_text_is_refused),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
