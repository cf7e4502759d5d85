/* Blind tokens from identifiers, step by step; the whole is ieum_tokens_make(). */
#ifndef IEUM_CLIENT_TOKENS_H
#define IEUM_CLIENT_TOKENS_H

#include <stdbool.h>

#include "client/council_key.h"
#include "client/identifier.h"

enum {
	TOKEN_FIELDS_MAX = 3, /* identifiers that one kind is made from */
	TOKEN_MESSAGE_BYTES_MAX = 16 + TOKEN_FIELDS_MAX * (2 + IDENTIFIER_FORM_BYTES),
};

/* What went wrong: with an identifier, or (IDENTIFIER_NONE) as the error says. */
struct token_problem {
	enum ieum_identifier which;
	enum identifier_wrong wrong;
};

/* The forms of one person's identifiers; empty: not known. */
struct token_forms {
	char text[IEUM_IDENTIFIER_COUNT_OF][IDENTIFIER_FORM_BYTES];
};

/* Brings all into their forms, or says which can't be.  `on`: births lie not after that day. */
enum ieum_err token_forms_make(const struct ieum_identifiers *identifiers, const char *on,
			       struct token_forms *out,
			       struct token_problem *problem) IEUM_MUST_CHECK;

/* What the HMAC of one kind is taken over; 0 when an identifier that it needs is not known. */
size_t token_message(enum ieum_token_kind kind, uint8_t epoch, const struct token_forms *forms,
		     uint8_t out[TOKEN_MESSAGE_BYTES_MAX]);

/* FIELD_MISSING (problem->wrong is NONE): no kind can be made of these.  FILE_INVALID: no epoch is
 * valid on that day. */
enum ieum_err tokens_make(const struct ieum_council_key *key,
			  const struct ieum_identifiers *identifiers, const char *on,
			  struct ieum_tokens *out, struct token_problem *problem) IEUM_MUST_CHECK;

#endif
