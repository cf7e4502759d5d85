/* client/tokens: what a program that links libieum gets.  The forms and tokens in their breadth are
 * in test_token_vectors.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "client/ieum_tokens.h"
#include "tests/unit/scratch.h"

static const char KEY_FILE[] =
	"council: test-council\n"
	"epochs:\n"
	"  - {epoch: 1, key: \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
	" from: 2026-01-01, until: 2027-03-31}\n"
	"  - {epoch: 2, key: \"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\","
	" from: 2027-01-01, until: 2028-03-31}\n";

static char folder[SCRATCH_PATH_BYTES];
static struct ieum_council_key *key;
static struct ieum_tokens tokens;
static char why[IEUM_WHY_BYTES];

static int make(void **state)
{
	char path[128];
	FILE *f;

	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/council.key", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(KEY_FILE, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(ieum_council_key_load(path, &key, why), IEUM_E_OK);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	ieum_council_key_free(key);
	key = NULL;
	scratch_remove(folder);
	return 0;
}

static const struct ieum_identifiers child = { {
	[IEUM_IDENTIFIER_NAME] = "김민준",
	[IEUM_IDENTIFIER_BIRTH] = "2015-03-01",
	[IEUM_IDENTIFIER_SEX] = "남",
	[IEUM_IDENTIFIER_GUARDIAN] = "박지영",
	[IEUM_IDENTIFIER_PHONE] = "010-1234-5678",
	[IEUM_IDENTIFIER_POSTCODE] = "10101",
} };

static void make_on(const struct ieum_identifiers *who, const char *on)
{
	assert_int_equal(ieum_tokens_make(key, who, on, &tokens, why), IEUM_E_OK);
	assert_string_equal(why, "");
}

/* Kinds of which a and b have an equal token, as a set of bits. */
static unsigned agreeing(const struct ieum_tokens *a, const struct ieum_tokens *b)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < a->n; i++) {
		for (size_t j = 0; j < b->n; j++) {
			if (memcmp(a->at[i].bytes, b->at[j].bytes, IEUM_TOKEN_BYTES) == 0)
				kinds |= 1u << a->at[i].bytes[0];
		}
	}
	return kinds;
}

#define KIND(name) (1u << IEUM_TOKEN_##name)
enum { EVERY_KIND = 0x7E };

/* The bytes are those of `openssl dgst -sha256 -mac HMAC` over the message of docs/tokens.md. */
static void the_example_of_the_specification(void **state)
{
	static const uint8_t token[IEUM_TOKEN_BYTES] = {
		0x01, 0x01, 0x77, 0x21, 0x07, 0xd1, 0x6f, 0xeb, 0x30, 0xd6, 0x29, 0x8f,
		0xb5, 0x15, 0x8f, 0x53, 0x27, 0xdb, 0x4a, 0xcf, 0xd7, 0x1d, 0xc3, 0x5f,
		0x15, 0x94, 0x98, 0x4e, 0x78, 0xe1, 0x95, 0xcf, 0xa4, 0x06,
	};
	struct ieum_identifiers who = { { NULL } };

	(void)state;
	who.text[IEUM_IDENTIFIER_NAME] = "김민준";
	who.text[IEUM_IDENTIFIER_BIRTH] = "2015-03-01";
	make_on(&who, "2026-03-01");
	assert_int_equal(tokens.n, 1);
	assert_memory_equal(tokens.at[0].bytes, token, sizeof token);
	assert_string_equal(ieum_council_key_council(key), "test-council");
}

static void every_kind_under_every_valid_epoch(void **state)
{
	(void)state;
	make_on(&child, "2026-12-31");
	assert_int_equal(tokens.n, 6);
	make_on(&child, "2027-01-01");
	assert_int_equal(tokens.n, 12);
	for (size_t i = 0; i < tokens.n; i++) {
		assert_int_equal(tokens.at[i].bytes[0], i % 6 + 1);
		assert_int_equal(tokens.at[i].bytes[1], i / 6 + 1);
	}
	make_on(&child, "2027-04-01");
	assert_int_equal(tokens.n, 6);
	assert_int_equal(tokens.at[0].bytes[1], 2);
}

static void agencies_that_write_differently_agree(void **state)
{
	struct ieum_identifiers other = { {
		[IEUM_IDENTIFIER_NAME] = "김 민준 군",
		[IEUM_IDENTIFIER_BIRTH] = "2015년 3월 1일",
		[IEUM_IDENTIFIER_SEX] = "Male",
		[IEUM_IDENTIFIER_GUARDIAN] = "박지영 님",
		[IEUM_IDENTIFIER_PHONE] = "+82 10 1234 5678",
		[IEUM_IDENTIFIER_POSTCODE] = "１０１０１",
	} };
	struct ieum_tokens ours;

	(void)state;
	make_on(&child, "2026-03-01");
	ours = tokens;
	make_on(&other, "2026-05-05");
	assert_int_equal(agreeing(&ours, &tokens), EVERY_KIND);
	/* Before and after a rotation nothing is equal; in the overlap something always is. */
	make_on(&other, "2028-01-01");
	assert_int_equal(agreeing(&ours, &tokens), 0);
	make_on(&other, "2027-02-01");
	assert_int_equal(agreeing(&ours, &tokens), EVERY_KIND);
}

static void a_slip_in_one_identifier_leaves_the_others(void **state)
{
	struct ieum_identifiers other = child;
	struct ieum_tokens ours;

	(void)state;
	make_on(&child, "2026-03-01");
	ours = tokens;
	other.text[IEUM_IDENTIFIER_NAME] = "김민중";
	make_on(&other, "2026-03-01");
	assert_int_equal(agreeing(&ours, &tokens),
			 KIND(BIRTH_PHONE) | KIND(GUARDIAN_BIRTH_SEX) | KIND(BIRTH_SEX_POSTCODE));
	other = child;
	other.text[IEUM_IDENTIFIER_PHONE] = "010-1234-5679";
	make_on(&other, "2026-03-01");
	assert_int_equal(agreeing(&ours, &tokens),
			 EVERY_KIND & ~(KIND(NAME_PHONE) | KIND(BIRTH_PHONE)));
}

static void brothers_and_sisters_differ(void **state)
{
	struct ieum_identifiers sister = child;
	struct ieum_tokens ours;

	(void)state;
	make_on(&child, "2026-03-01");
	ours = tokens;
	sister.text[IEUM_IDENTIFIER_NAME] = "김서연";
	sister.text[IEUM_IDENTIFIER_BIRTH] = "2017-08-15";
	sister.text[IEUM_IDENTIFIER_SEX] = "여";
	make_on(&sister, "2026-03-01");
	assert_int_equal(agreeing(&ours, &tokens), 0);
}

static void a_refusal_names_the_identifier_and_never_its_value(void **state)
{
	static const struct {
		enum ieum_identifier which;
		enum ieum_err err;
		const char *text, *why;
	} rows[] = {
		{ IEUM_IDENTIFIER_NAME, IEUM_E_FIELD_INVALID, "미상", "name: a filler" },
		{ IEUM_IDENTIFIER_NAME, IEUM_E_FIELD_MISSING, "", "name: nothing is left" },
		{ IEUM_IDENTIFIER_NAME, IEUM_E_TEXT_INVALID, "\xff\xfe", "name: not valid UTF-8" },
		{ IEUM_IDENTIFIER_BIRTH, IEUM_E_FIELD_INVALID, "2015-02-29", "birth: there is no" },
		{ IEUM_IDENTIFIER_BIRTH, IEUM_E_FIELD_INVALID, "2026-03-02", "birth: a day yet" },
		{ IEUM_IDENTIFIER_SEX, IEUM_E_FIELD_INVALID, "3", "sex: neither" },
		{ IEUM_IDENTIFIER_GUARDIAN, IEUM_E_FIELD_INVALID, "김민준 어머니",
		  "guardian: says whose relative" },
		{ IEUM_IDENTIFIER_PHONE, IEUM_E_RESIDENT_NUMBER, "150301-3123456",
		  "phone: looks like a resident" },
		{ IEUM_IDENTIFIER_POSTCODE, IEUM_E_FIELD_INVALID, "415-700", "postcode: not a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ieum_identifiers who = child;

		who.text[rows[i].which] = rows[i].text;
		assert_int_equal(ieum_tokens_make(key, &who, "2026-03-01", &tokens, why),
				 rows[i].err);
		assert_int_equal(strncmp(why, rows[i].why, strlen(rows[i].why)), 0);
		assert_true(!*rows[i].text || !strstr(why, rows[i].text));
		assert_int_equal(tokens.n, 0);
	}
}

static void too_long_a_text_is_refused(void **state)
{
	struct ieum_identifiers who = child;
	char text[300];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[256] = '\0';
	who.text[IEUM_IDENTIFIER_NAME] = text;
	make_on(&who, "2026-03-01");
	text[256] = 'a';
	text[257] = '\0';
	assert_int_equal(ieum_tokens_make(key, &who, "2026-03-01", &tokens, why),
			 IEUM_E_FIELD_TOO_LARGE);
}

static void nothing_is_made_without_key_or_identifiers(void **state)
{
	struct ieum_identifiers who = { { NULL } };

	(void)state;
	assert_int_equal(ieum_tokens_make(key, &who, "2026-03-01", &tokens, why),
			 IEUM_E_FIELD_MISSING);
	assert_non_null(strstr(why, "too few"));
	who.text[IEUM_IDENTIFIER_GUARDIAN] = "박지영";
	who.text[IEUM_IDENTIFIER_PHONE] = "010-1234-5678";
	who.text[IEUM_IDENTIFIER_POSTCODE] = "10101";
	assert_int_equal(ieum_tokens_make(key, &who, "2026-03-01", &tokens, why),
			 IEUM_E_FIELD_MISSING);
	assert_int_equal(ieum_tokens_make(key, &child, "2025-12-31", &tokens, why),
			 IEUM_E_FILE_INVALID);
	assert_non_null(strstr(why, "2025-12-31"));
	assert_int_equal(ieum_tokens_make(key, &child, "2026-3-1", &tokens, why),
			 IEUM_E_FIELD_INVALID);
	assert_int_equal(tokens.n, 0);
}

static void kinds_have_words(void **state)
{
	(void)state;
	assert_string_equal(ieum_token_kind_word(IEUM_TOKEN_NAME_BIRTH), "name_birth");
	assert_string_equal(ieum_token_kind_word(6), "birth_sex_postcode");
	assert_null(ieum_token_kind_word(0));
	assert_null(ieum_token_kind_word(7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_specification),
		cmocka_unit_test(every_kind_under_every_valid_epoch),
		cmocka_unit_test(agencies_that_write_differently_agree),
		cmocka_unit_test(a_slip_in_one_identifier_leaves_the_others),
		cmocka_unit_test(brothers_and_sisters_differ),
		cmocka_unit_test(a_refusal_names_the_identifier_and_never_its_value),
		cmocka_unit_test(too_long_a_text_is_refused),
		cmocka_unit_test(nothing_is_made_without_key_or_identifiers),
		cmocka_unit_test(kinds_have_words),
	};

	return cmocka_run_group_tests_name("tokens", tests, make, drop);
}
