/* proto/error: the table is what the wire and scripts may rely on. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/catalog.h"

#include "proto/error.h"

static const int numbers[] = {
#define X(number, name, fault, retry, text) number,
	IEUM_ERRORS(X)
#undef X
};

enum { ROWS = sizeof numbers / sizeof numbers[0] };

static void numbers_and_names_are_unique(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		for (int j = i + 1; j < ROWS; j++) {
			assert_int_not_equal(numbers[i], numbers[j]);
			assert_string_not_equal(ieum_error(numbers[i])->name,
						ieum_error(numbers[j])->name);
		}
	}
}

static void a_row_is_found_by_its_number(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(ieum_error(numbers[i])->number, numbers[i]);
}

static void a_number_without_row_is_internal(void **state)
{
	static const int strangers[] = { -1, 19, 9999, INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
		assert_string_equal(ieum_error(strangers[i])->name, "INTERNAL");
}

static bool holds_hangul(const char *text)
{
	/* U+AC00..U+D7A3 in UTF-8 begin with EA..ED. */
	for (; *text; text++) {
		if ((unsigned char)*text >= 0xEA && (unsigned char)*text <= 0xED)
			return true;
	}
	return false;
}

static void every_row_speaks_both_languages(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		const struct ieum_error_row *row = ieum_error(numbers[i]);
		assert_true(strlen(row->text) > 0);
		assert_true(islower((unsigned char)row->text[0]) || row->text[0] == '"');
		assert_true(holds_hangul(catalog_text(WORDS_KO, row->text)));
		for (const char *c = row->name; *c; c++)
			assert_true(isupper((unsigned char)*c) || *c == '_');
	}
}

static void only_success_is_nobodys_fault(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		const struct ieum_error_row *row = ieum_error(numbers[i]);
		assert_true((row->fault == IEUM_FAULT_NONE) == (row->number == IEUM_E_OK));
	}
	assert_int_equal(IEUM_E_OK, 0);
}

/* Clients in other languages hold these numbers: a row may be added, none may move. */
static void numbers_on_the_wire_do_not_move(void **state)
{
	static const struct {
		int number;
		const char *name;
	} fixed[] = {
		{ 1, "FRAME_TOO_LARGE" },      { 5, "FIELD_INVALID" },  { 10, "RESIDENT_NUMBER" },
		{ 12, "VERSION_UNSUPPORTED" }, { 15, "TOO_OLD" },       { 20, "IDENTITY_UNKNOWN" },
		{ 21, "CERTIFICATE_REVOKED" }, { 23, "NOT_PERMITTED" }, { 25, "NO_ROUTE" },
		{ 33, "DOMAIN_OPEN" },         { 42, "RATE_LIMITED" },  { 43, "QUEUE_FULL" },
		{ 50, "UNAVAILABLE" },         { 57, "INTERNAL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		assert_string_equal(ieum_error(fixed[i].number)->name, fixed[i].name);
}

static void retry_says_what_helps(void **state)
{
	(void)state;
	assert_int_equal(ieum_error(IEUM_E_FIELD_INVALID)->retry, IEUM_RETRY_NO);
	assert_int_equal(ieum_error(IEUM_E_RATE_LIMITED)->retry, IEUM_RETRY_LATER);
	assert_int_equal(ieum_error(IEUM_E_UNAVAILABLE)->retry, IEUM_RETRY_LATER);
	assert_int_equal(ieum_error(IEUM_E_STOPPING)->retry, IEUM_RETRY_RECONNECT);
	assert_int_equal(ieum_error(IEUM_E_COMMIT_UNKNOWN)->retry, IEUM_RETRY_RECONNECT);
}

static void faults_have_names(void **state)
{
	(void)state;
	assert_string_equal(ieum_fault_name(IEUM_FAULT_NONE), "none");
	assert_string_equal(ieum_fault_name(IEUM_FAULT_CLIENT), "client");
	assert_string_equal(ieum_fault_name(IEUM_FAULT_POLICY), "policy");
	assert_string_equal(ieum_fault_name(IEUM_FAULT_HUB), "hub");
	assert_string_equal(ieum_fault_name(IEUM_FAULT_JOURNAL), "journal");
	/* From a newer peer. */
	assert_string_equal(ieum_fault_name((enum ieum_fault)77), "hub");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_are_unique),
		cmocka_unit_test(a_row_is_found_by_its_number),
		cmocka_unit_test(a_number_without_row_is_internal),
		cmocka_unit_test(every_row_speaks_both_languages),
		cmocka_unit_test(only_success_is_nobodys_fault),
		cmocka_unit_test(numbers_on_the_wire_do_not_move),
		cmocka_unit_test(retry_says_what_helps),
		cmocka_unit_test(faults_have_names),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
