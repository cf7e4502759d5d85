/* client/texts, exit codes: every text is there in both languages, with the same conversions in
 * the same order, so that a translation can't read the wrong argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/exit_code.h"
#include "client/texts.h"
#include "proto/error.h"

/* The conversions of a format, "%s %d" giving "%s%d". */
static void conversions(const char *format, char *out, size_t size)
{
	size_t n = 0;

	for (const char *c = strchr(format, '%'); c; c = strchr(c, '%')) {
		size_t len = strspn(c + 1, "0123456789.*lhzjt ") + 2;

		if (c[1] == '%') { /* a percent sign */
			c += 2;
			continue;
		}
		assert_true(n + len < size);
		memcpy(out + n, c, len);
		n += len;
		c += len;
	}
	out[n] = '\0';
}

static void both_languages_take_the_same_arguments(void **state)
{
	(void)state;
	for (int id = 0; id < TEXT_COUNT_OF; id++) {
		const char *en = text((enum text_id)id, WORDS_EN);
		const char *ko = text((enum text_id)id, WORDS_KO);
		char in_en[256], in_ko[256];

		assert_true(*en && *ko);
		conversions(en, in_en, sizeof in_en);
		conversions(ko, in_ko, sizeof in_ko);
		if (strcmp(in_en, in_ko) != 0)
			fail_msg("'%s' has %s, '%s' has %s", en, in_en, ko, in_ko);
	}
}

static void korean_texts_are_korean(void **state)
{
	(void)state;
	/* A help text, a sentence, a column: each has at least one Hangul syllable (EA–ED …). */
	for (int id = 0; id < TEXT_COUNT_OF; id++) {
		const char *en = text((enum text_id)id, WORDS_EN);
		const char *ko = text((enum text_id)id, WORDS_KO);
		const char *c = ko;

		while (*c && !((unsigned char)*c >= 0xEA && (unsigned char)*c <= 0xED))
			c++;
		if (!*c && strcmp(en, ko) != 0)
			fail_msg("'%s' is not Korean", ko);
	}
}

static void every_error_has_an_exit_code(void **state)
{
	static const struct {
		enum ieum_err err;
		enum exit_code code;
	} rows[] = {
		{ IEUM_E_OK, EXIT_DONE },
		{ IEUM_E_NOT_PERMITTED, EXIT_REFUSED },
		{ IEUM_E_DOMAIN_OPEN, EXIT_REFUSED },
		{ IEUM_E_STATE_CONFLICT, EXIT_REFUSED },
		{ IEUM_E_HUB_UNREACHABLE, EXIT_UNREACHABLE },
		{ IEUM_E_CERTIFICATE_REVOKED, EXIT_UNREACHABLE },
		{ IEUM_E_CASE_UNKNOWN, EXIT_NOT_FOUND },
		{ IEUM_E_DELIVERY_UNKNOWN, EXIT_NOT_FOUND },
		{ IEUM_E_JOURNAL_CORRUPT, EXIT_MISMATCH },
		{ IEUM_E_TIMED_OUT, EXIT_TIMED_OUT },
		{ IEUM_E_FILE_INVALID, EXIT_FILE },
		{ IEUM_E_RATE_LIMITED, EXIT_LATER },
		{ IEUM_E_UNAVAILABLE, EXIT_LATER },
		{ IEUM_E_STOPPING, EXIT_LATER },
		{ IEUM_E_NO_MEMORY, EXIT_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(exit_code_of(rows[i].err), rows[i].code);
	/* 0 is success alone, and usage is never the hub's word. */
	for (int number = 1; number < 100; number++) {
		if (ieum_error(number)->number != number)
			continue;
		assert_int_not_equal(exit_code_of((enum ieum_err)number), EXIT_DONE);
		assert_int_not_equal(exit_code_of((enum ieum_err)number), EXIT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_languages_take_the_same_arguments),
		cmocka_unit_test(korean_texts_are_korean),
		cmocka_unit_test(every_error_has_an_exit_code),
	};

	return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
