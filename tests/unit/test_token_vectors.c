/* tests/vectors/tokens.json: the C code gives every form, message and token that is written there.
 * tests/vectors/tokens.py does the same without any of our code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/tokens.h"
#include "tests/unit/scratch.h"

enum { VECTORS_MIN = 200 };

static json_t *vectors;

static int read_vectors(void **state)
{
	(void)state;
	vectors = json_load_file("tests/vectors/tokens.json", 0, NULL);
	return vectors ? 0 : -1;
}

static int drop_vectors(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static const char *text_of(const json_t *vector, const char *name)
{
	return json_string_value(json_object_get(vector, name));
}

/* The text of a vector; hexadecimal where it is no text. */
static const char *input(const json_t *vector, char bytes[64])
{
	const char *hex = text_of(vector, "hex");
	size_t n = hex ? strlen(hex) / 2 : 0;

	if (!hex)
		return text_of(vector, "text");
	assert_true(n < 64);
	for (size_t i = 0; i < n; i++) {
		char byte[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (char)strtoul(byte, NULL, 16);
	}
	bytes[n] = '\0';
	return bytes;
}

static enum ieum_identifier named(const char *word)
{
	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++) {
		if (strcmp(identifier_word((enum ieum_identifier)i), word) == 0)
			return (enum ieum_identifier)i;
	}
	fail_msg("no identifier %s", word);
	return IEUM_IDENTIFIER_COUNT_OF;
}

static void there_are_enough(void **state)
{
	(void)state;
	assert_true(json_array_size(json_object_get(vectors, "identifiers")) +
			    json_array_size(json_object_get(vectors, "subjects")) >=
		    VECTORS_MIN);
}

static void every_identifier_has_its_form(void **state)
{
	char form[IDENTIFIER_FORM_BYTES], again[IDENTIFIER_FORM_BYTES], bytes[64];
	json_t *vector;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vectors, "identifiers"), i, vector)
	{
		enum ieum_identifier which = named(text_of(vector, "identifier"));
		enum identifier_wrong wrong = identifier_form(which, input(vector, bytes), form);

		if (text_of(vector, "refused")) {
			assert_string_equal(identifier_wrong_word(wrong),
					    text_of(vector, "refused"));
			continue;
		}
		assert_int_equal(wrong, IDENTIFIER_NONE);
		assert_string_equal(form, text_of(vector, "form"));
		/* A form is its own form: it may be stored and given again. */
		assert_int_equal(identifier_form(which, form, again), IDENTIFIER_NONE);
		assert_string_equal(form, again);
	}
}

static void every_refusal_has_a_vector(void **state)
{
	(void)state;
	for (int w = IDENTIFIER_NONE + 1; w < IDENTIFIER_NO_MEMORY; w++) {
		const char *word = identifier_wrong_word((enum identifier_wrong)w);
		const char *list = w == IDENTIFIER_DATE_FUTURE ? "subjects" : "identifiers";
		bool found = false;
		json_t *vector;
		size_t i;

		json_array_foreach(json_object_get(vectors, list), i, vector)
		{
			const char *refused = text_of(vector, "refused");

			found |= refused && strstr(refused, word) != NULL;
		}
		if (!found)
			fail_msg("no vector is refused as %s", word);
	}
}

/* The vectors' keys, as a council's file has them. */
static struct ieum_council_key *load_key(void)
{
	char folder[SCRATCH_PATH_BYTES], path[128], why[IEUM_WHY_BYTES];
	struct ieum_council_key *key = NULL;
	json_t *epoch;
	size_t i;
	FILE *f;

	scratch_make(folder);
	snprintf(path, sizeof path, "%s/council.key", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("council: vectors\nepochs:\n", f);
	json_array_foreach(json_object_get(vectors, "epochs"), i, epoch)
	{
		fprintf(f, "  - {epoch: %d, key: \"%s\", from: %s, until: %s}\n",
			(int)json_integer_value(json_object_get(epoch, "epoch")),
			text_of(epoch, "key"), text_of(epoch, "from"), text_of(epoch, "until"));
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	if (ieum_council_key_load(path, &key, why))
		fail_msg("%s", why);
	scratch_remove(folder);
	return key;
}

static void assert_hex(const char *want, const uint8_t *bytes, size_t n)
{
	char text[2 * TOKEN_MESSAGE_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, want);
}

static void check_tokens(const json_t *list, const struct ieum_tokens *tokens,
			 const struct token_forms *forms)
{
	uint8_t message[TOKEN_MESSAGE_BYTES_MAX];
	json_t *vector;
	size_t i;

	assert_int_equal(json_array_size(list), tokens->n);
	json_array_foreach(list, i, vector)
	{
		const uint8_t *token = tokens->at[i].bytes;
		size_t n = token_message((enum ieum_token_kind)token[0], token[1], forms, message);

		assert_string_equal(ieum_token_kind_word(token[0]), text_of(vector, "kind"));
		assert_int_equal(token[1], json_integer_value(json_object_get(vector, "epoch")));
		assert_hex(text_of(vector, "message"), message, n);
		assert_hex(text_of(vector, "token"), token, IEUM_TOKEN_BYTES);
	}
}

static const char *refusal(enum ieum_err err, const struct token_problem *problem, char out[64])
{
	if (problem->wrong)
		snprintf(out, 64, "%s: %s", identifier_word(problem->which),
			 identifier_wrong_word(problem->wrong));
	else
		snprintf(out, 64, "%s", err == IEUM_E_FILE_INVALID ? "no_epoch" : "too_few");
	return out;
}

static void every_subject_has_its_tokens(void **state)
{
	struct ieum_council_key *key = load_key();
	json_t *vector;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vectors, "subjects"), i, vector)
	{
		const char *on = text_of(vector, "on"), *refused = text_of(vector, "refused");
		json_t *known = json_object_get(vector, "identifiers");
		struct ieum_identifiers who = { { NULL } };
		struct token_problem problem;
		struct ieum_tokens tokens;
		struct token_forms forms;
		enum ieum_err err;
		char why[64];

		for (int id = 0; id < IEUM_IDENTIFIER_COUNT_OF; id++)
			who.text[id] = text_of(known, identifier_word((enum ieum_identifier)id));
		err = tokens_make(key, &who, on, &tokens, &problem);
		if (refused) {
			assert_int_not_equal(err, IEUM_E_OK);
			assert_string_equal(refusal(err, &problem, why), refused);
			continue;
		}
		assert_int_equal(err, IEUM_E_OK);
		assert_int_equal(token_forms_make(&who, on, &forms, &problem), IEUM_E_OK);
		check_tokens(json_object_get(vector, "tokens"), &tokens, &forms);
	}
	ieum_council_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_enough),
		cmocka_unit_test(every_identifier_has_its_form),
		cmocka_unit_test(every_refusal_has_a_vector),
		cmocka_unit_test(every_subject_has_its_tokens),
	};

	return cmocka_run_group_tests_name("token_vectors", tests, read_vectors, drop_vectors);
}
