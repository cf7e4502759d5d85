/* client/fields: every fact of every body, and every value it can have, is told in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/fields.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/pbmap.h"

static void assert_value_told(const ProtobufCEnumDescriptor *type)
{
	char word[PBMAP_WORD_BYTES];

	for (unsigned i = 0; i < type->n_values; i++) {
		if (type->values[i].value == 0 ||
		    !pbmap_enum_word(type, type->values[i].value, word))
			continue;
		if (!words_find(word) && !field_text(word, WORDS_EN))
			fail_msg("%s of %s has no text", word, type->name);
	}
}

static size_t unit_of(const char *name)
{
	static const char *const units[] = { "_at_ms", "_ms" };
	size_t n = strlen(name);

	for (size_t i = 0; i < 2; i++)
		if (n > strlen(units[i]) && strcmp(name + n - strlen(units[i]), units[i]) == 0)
			return strlen(units[i]);
	return 0;
}

static void assert_fields_told(const ProtobufCMessageDescriptor *type)
{
	char code[64];

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		snprintf(code, sizeof code, "%.*s", (int)(strlen(f->name) - unit_of(f->name)),
			 f->name);
		if (!field_text(code, WORDS_EN))
			fail_msg("%s of %s has no text", code, type->name);
		if (f->type == PROTOBUF_C_TYPE_ENUM)
			assert_value_told(f->descriptor);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			assert_fields_told(f->descriptor);
	}
}

static void every_fact_is_told(void **state)
{
	const ProtobufCMessageDescriptor *referral = &ieum__v1__referral__descriptor;
	size_t bodies = 0;

	(void)state;
	for (unsigned i = 0; i < referral->n_fields; i++) {
		const ProtobufCMessageDescriptor *body = referral->fields[i].descriptor;

		if (referral->fields[i].id <= 100)
			continue;
		bodies++;
		assert_fields_told(body);
	}
	assert_int_equal(bodies, 50);
}

static void both_languages(void **state)
{
	(void)state;
	assert_string_equal(field_text("child_at_home", WORDS_EN), "Child at home");
	assert_string_equal(field_text("child_at_home", WORDS_KO), "집에 아동 있음");
	assert_null(field_text("no_such_field", WORDS_KO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fact_is_told),
		cmocka_unit_test(both_languages),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
