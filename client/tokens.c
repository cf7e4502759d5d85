/* Tokens: HMAC-SHA-256 over identifiers in their forms; see docs/tokens.md. */
#include "client/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "yaml/yaml_value.h"

enum { FIELD_NONE = -1, MAC_BYTES = IEUM_TOKEN_BYTES - 2 };

/* Sets this use of a key apart from any other that somebody may make of it. */
static const char domain[] = "ieum-token-1";

/* clang-format off */
static const struct kind {
	const char *word;
	enum ieum_token_kind number;
	int fields[TOKEN_FIELDS_MAX]; /* enum ieum_identifier, in the order of the message */
} kinds[] = {
	{ "name_birth", IEUM_TOKEN_NAME_BIRTH,
	  { IEUM_IDENTIFIER_NAME, IEUM_IDENTIFIER_BIRTH, FIELD_NONE } },
	{ "name_phone", IEUM_TOKEN_NAME_PHONE,
	  { IEUM_IDENTIFIER_NAME, IEUM_IDENTIFIER_PHONE, FIELD_NONE } },
	{ "birth_phone", IEUM_TOKEN_BIRTH_PHONE,
	  { IEUM_IDENTIFIER_BIRTH, IEUM_IDENTIFIER_PHONE, FIELD_NONE } },
	{ "guardian_birth_sex", IEUM_TOKEN_GUARDIAN_BIRTH_SEX,
	  { IEUM_IDENTIFIER_GUARDIAN, IEUM_IDENTIFIER_BIRTH, IEUM_IDENTIFIER_SEX } },
	{ "name_postcode", IEUM_TOKEN_NAME_POSTCODE,
	  { IEUM_IDENTIFIER_NAME, IEUM_IDENTIFIER_POSTCODE, FIELD_NONE } },
	{ "birth_sex_postcode", IEUM_TOKEN_BIRTH_SEX_POSTCODE,
	  { IEUM_IDENTIFIER_BIRTH, IEUM_IDENTIFIER_SEX, IEUM_IDENTIFIER_POSTCODE } },
};
/* clang-format on */

enum { KINDS = sizeof kinds / sizeof kinds[0] };
_Static_assert(KINDS *COUNCIL_EPOCHS_A_DAY_MAX <= IEUM_TOKENS_MAX,
	       "all tokens of a day fit into an envelope");

static const struct kind *kind_of(int number)
{
	for (size_t i = 0; i < KINDS; i++) {
		if ((int)kinds[i].number == number)
			return &kinds[i];
	}
	return NULL;
}

const char *ieum_token_kind_word(int kind)
{
	const struct kind *row = kind_of(kind);

	return row ? row->word : NULL;
}

enum ieum_err token_forms_make(const struct ieum_identifiers *identifiers, const char *on,
			       struct token_forms *out, struct token_problem *problem)
{
	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++) {
		const char *text = identifiers->text[i];
		enum identifier_wrong wrong = IDENTIFIER_NONE;

		out->text[i][0] = '\0';
		if (text)
			wrong = identifier_form((enum ieum_identifier)i, text, out->text[i]);
		if (!wrong && i == IEUM_IDENTIFIER_BIRTH && strcmp(out->text[i], on) > 0)
			wrong = IDENTIFIER_DATE_FUTURE;
		if (wrong) {
			*problem = (struct token_problem){ (enum ieum_identifier)i, wrong };
			return identifier_wrong_error(wrong);
		}
	}
	return IEUM_E_OK;
}

size_t token_message(enum ieum_token_kind kind, uint8_t epoch, const struct token_forms *forms,
		     uint8_t out[TOKEN_MESSAGE_BYTES_MAX])
{
	const struct kind *row = kind_of((int)kind);
	size_t n = sizeof domain - 1;

	memcpy(out, domain, n);
	out[n++] = (uint8_t)kind;
	out[n++] = epoch;
	for (size_t f = 0; f < TOKEN_FIELDS_MAX && row->fields[f] != FIELD_NONE; f++) {
		const char *text = forms->text[row->fields[f]];
		size_t len = strlen(text);

		if (len == 0)
			return 0;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
		memcpy(out + n, text, len);
		n += len;
	}
	return n;
}

static enum ieum_err make_token(const struct council_epoch *epoch, enum ieum_token_kind kind,
				const struct token_forms *forms, struct ieum_tokens *out)
{
	uint8_t message[TOKEN_MESSAGE_BYTES_MAX];
	size_t n = token_message(kind, epoch->number, forms, message), mac_n = 0;
	struct ieum_token *token = &out->at[out->n];

	if (n == 0)
		return IEUM_E_OK;
	if (out->n == IEUM_TOKENS_MAX)
		return IEUM_E_FIELD_TOO_LARGE;
	token->bytes[0] = (uint8_t)kind;
	token->bytes[1] = epoch->number;
	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, epoch->key, sizeof epoch->key, message,
		       n, token->bytes + 2, MAC_BYTES, &mac_n) ||
	    mac_n != MAC_BYTES)
		return IEUM_E_INTERNAL;
	out->n++;
	return IEUM_E_OK;
}

static enum ieum_err make_all(const struct ieum_council_key *key, const char *on,
			      const struct token_forms *forms, struct ieum_tokens *out)
{
	enum ieum_err err = IEUM_E_OK;
	bool valid = false;

	for (size_t e = 0; e < key->n_epochs && !err; e++) {
		const struct council_epoch *epoch = &key->epochs[e];

		if (strcmp(on, epoch->from) < 0 || strcmp(on, epoch->until) > 0)
			continue;
		valid = true;
		for (size_t k = 0; k < KINDS && !err; k++)
			err = make_token(epoch, kinds[k].number, forms, out);
	}
	if (err)
		return err;
	if (!valid)
		return IEUM_E_FILE_INVALID;
	return out->n ? IEUM_E_OK : IEUM_E_FIELD_MISSING;
}

enum ieum_err tokens_make(const struct ieum_council_key *key,
			  const struct ieum_identifiers *identifiers, const char *on,
			  struct ieum_tokens *out, struct token_problem *problem)
{
	struct token_forms forms;
	enum ieum_err err;
	int64_t days;

	out->n = 0;
	*problem = (struct token_problem){ IEUM_IDENTIFIER_NAME, IDENTIFIER_NONE };
	if (!yaml_parse_date(on, &days))
		return IEUM_E_FIELD_INVALID;
	err = token_forms_make(identifiers, on, &forms, problem);
	if (!err)
		err = make_all(key, on, &forms, out);
	if (err)
		out->n = 0;
	OPENSSL_cleanse(&forms, sizeof forms);
	return err;
}

enum ieum_err ieum_tokens_make(const struct ieum_council_key *key,
			       const struct ieum_identifiers *identifiers, const char *on,
			       struct ieum_tokens *out, char why[IEUM_WHY_BYTES])
{
	struct token_problem problem;
	enum ieum_err err = tokens_make(key, identifiers, on, out, &problem);

	why[0] = '\0';
	if (problem.wrong)
		snprintf(why, IEUM_WHY_BYTES, "%s: %s", identifier_word(problem.which),
			 identifier_wrong_text(problem.wrong, WORDS_EN));
	else if (err == IEUM_E_FIELD_MISSING)
		snprintf(why, IEUM_WHY_BYTES, "too few identifiers; a token needs two or three");
	else if (err == IEUM_E_FILE_INVALID)
		snprintf(why, IEUM_WHY_BYTES, "no epoch of the council key is valid on %.10s", on);
	else if (err == IEUM_E_FIELD_INVALID)
		snprintf(why, IEUM_WHY_BYTES, "on: not a date such as 2026-03-01");
	return err;
}
