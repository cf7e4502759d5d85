/* proto/resident_number: what looks like a registration number, what doesn't, and that no
 * position or neighbour hides one.  All numbers here are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/resident_number.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool found(const char *text)
{
	/* A copy of exact length, so that reading past the end is caught by the sanitizer. */
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	bool is = resident_number_found(copy, n);
	free(copy);
	return is;
}

static void append(char *text, size_t room, const char *piece)
{
	size_t used = strlen(text), n = strlen(piece);

	assert_true(used + n < room);
	memcpy(text + used, piece, n + 1);
}

static void numbers_are_found(void **state)
{
	static const char *const texts[] = {
		"800101-1234567",
		"8001011234567",
		"주민등록번호 800101-1234567 입니다",
		"주민800101-1234567번",
		"800101 1234567",
		"800101 - 1234567",
		"800101–1234567",
		"800101—1234567",
		"800101－1234567",
		"800101\u00A01234567",
		"800101　1234567",
		"800101.1234567",
		"800101/1234567",
		"800101_1234567",
		"800101*1234567",
		"800101\xE2\x80\x8B-1234567",
		"８００１０１-１２３４５６７",
		"８００１０１１２３４５６７",
		"80０1０１－12３4567",
		"x800101-1234567y",
		"-800101-1234567-",
		"800101-1234567.",
		"(800101-1234567)",
		"12 800101-1234567 34",
		"12345 800101-1234567",
		"123456 800101-1234567",
		"000000-800101-1234567",
		"1234567890123 800101-1234567",
		"２ 800101-1234567",
		"a\357\274800101-1234567",
		"\377\376800101-1234567\377",
		"800101-1234567-9",
		"2026-01-02 800101-1234567",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (!found(texts[i]))
			fail_msg("not found in: %s", texts[i]);
	}
}

static void other_numbers_are_left_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"800101",
		"800101-",
		"800101-123456",
		"800101-12345678",
		"80010-1234567",
		"1800101-1234567",
		"800101123456",
		"80010112345678",
		"18001011234567",
		"20260117000321800101", /* a receipt number */
		"２800101-1234567",
		"800101-1234567２",
		"800101----1234567",
		"800101, 1234567",
		"800101:1234567",
		"800101x1234567",
		"800101가1234567",
		"8 0 0 1 0 1 1 2 3 4 5 6 7",
		"800101\n1234567",
		"010-1234-5678",
		"031-980-2114",
		"2026-0117-00321",
		"0192f5d4-7c1e-7a3b-9c4d-800101123456",
		"41570",
		"-1234567",
		"1795339422000", /* milliseconds of 2026 */
		"가나다라마바사아자차카타파하",
		"ＡＢＣＤＥＦＧＨＩＪＫＬＭ",
		"\xEF\xBC\xEF\xBC\x90\xEF",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (found(texts[i]))
			fail_msg("taken for one: %s", texts[i]);
	}
}

/* Days of a month by a table of its own; every month, day and seventh digit for some years. */
static void the_first_six_must_be_a_day_that_exists(void **state)
{
	static const int days[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const int years[] = { 0, 1, 4, 80, 99 };
	char text[64];

	(void)state;
	for (size_t y = 0; y < COUNT(years); y++)
		for (int month = 0; month < 100; month++)
			for (int day = 0; day < 100; day++)
				for (int seventh = 0; seventh < 10; seventh++) {
					/* 29 February: only 2000 was a leap year among the years 00. */
					bool s2000 = seventh == 3 || seventh == 4 || seventh == 7 ||
						     seventh == 8;
					bool leap = years[y] % 4 == 0 && (years[y] != 0 || s2000);
					bool want = month >= 1 && month <= 12 && day >= 1 &&
						    day <= days[month] + (month == 2 && leap);

					(void)snprintf(text, sizeof text, "%02d%02d%02d-%d234567",
						       years[y], month, day, seventh);
					assert_int_equal(resident_number_found(text, 14), want);
				}
}

static void every_position_is_looked_at(void **state)
{
	static const char *const fillings[] = { "x",        "가",     "7 ",  "３가",
						"\xEF\xBC", "12345 ", "\xEF" };
	static const char *const numbers[] = { "800101-1234567", "8001011234567",
					       "８００１０１-１２３４５６７" };

	(void)state;
	for (size_t f = 0; f < COUNT(fillings); f++)
		for (size_t k = 0; k < COUNT(numbers); k++)
			for (size_t before = 0; before < 40; before++)
				for (size_t after = 0; after < 8; after++) {
					char text[512] = "";

					for (size_t i = 0; i < before; i++)
						append(text, sizeof text, fillings[f]);
					append(text, sizeof text, "|");
					append(text, sizeof text, numbers[k]);
					append(text, sizeof text, "|");
					for (size_t i = 0; i < after; i++)
						append(text, sizeof text, fillings[f]);
					if (!found(text))
						fail_msg("not found in: %s", text);
				}
}

/* The rule once more, slowly and without any skipping. */
static bool slow_found(const uint8_t *t, size_t n)
{
	int digits[600];
	size_t count = 0;

	for (size_t i = 0; i < n;) {
		size_t len = 1;
		int digit = -1;

		if (t[i] >= '0' && t[i] <= '9')
			digit = t[i] - '0';
		else if (i + 2 < n && t[i] == 0xEF && t[i + 1] == 0xBC && t[i + 2] >= 0x90 &&
			 t[i + 2] <= 0x99) {
			digit = t[i + 2] - 0x90;
			len = 3;
		}
		/* Anything else is one byte: -'-' for a dash, -1 otherwise. */
		digits[count++] = digit >= 0 ? digit : t[i] == '-' ? -'-' : -1;
		i += len;
	}
	for (size_t s = 0; s < count; s++) {
		int d[13];
		size_t at = s, have = 0, dashes = 0;

		if (s > 0 && digits[s - 1] >= 0)
			continue;
		while (have < 13 && at < count) {
			if (have == 6 && digits[at] == -'-' && dashes < 3) {
				dashes++;
				at++;
				continue;
			}
			if (digits[at] < 0)
				break;
			d[have++] = digits[at++];
		}
		if (have < 13 || (at < count && digits[at] >= 0))
			continue;
		int month = d[2] * 10 + d[3], day = d[4] * 10 + d[5];
		/* The random texts below hold no 29 to 31. */
		if (month >= 1 && month <= 12 && day >= 1 && day <= 28)
			return true;
	}
	return false;
}

static void random_texts_get_the_same_answer_as_a_slow_search(void **state)
{
	static const char *const pieces[] = { "0",       "1",  "01", "800101",
					      "1234567", "-",  "-",  "８",
					      "０１",    "가", "x",  "8001011234567",
					      "\xEF\xBC" };
	uint64_t seed = 42;
	int hits = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char text[600] = "";

		for (int i = 0; i < 12; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			append(text, sizeof text, pieces[(seed >> 33) % COUNT(pieces)]);
		}
		bool want = slow_found((const uint8_t *)text, strlen(text));
		hits += want;
		if (resident_number_found(text, strlen(text)) != want)
			fail_msg("round %d: expected %d for %s", round, want, text);
	}
	assert_in_range(hits, 1000, 199000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_found),
		cmocka_unit_test(other_numbers_are_left_alone),
		cmocka_unit_test(the_first_six_must_be_a_day_that_exists),
		cmocka_unit_test(every_position_is_looked_at),
		cmocka_unit_test(random_texts_get_the_same_answer_as_a_slow_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
