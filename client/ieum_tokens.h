/* Blind tokens: what an agency says of somebody instead of a name.
 *
 * A token is 34 bytes, made on the agency's side with a key that the members of a council share and
 * the hub never holds.  Two agencies that know the same person make equal tokens; nobody without
 * the key can tell whom a token stands for.  It is still personal data.  Each kind of token is made
 * from other identifiers, so that a slip in one of them leaves the others equal.
 *
 * docs/tokens.md specifies every byte: an agency can make tokens without this library.
 *
 * Threads: a key is read-only once loaded and may be used from several.  Nothing here reads a clock.
 * Errors: the returned code, and in `why` which identifier or file and what is wrong, in English;
 * an identifier's value is never repeated there. */
#ifndef IEUM_TOKENS_H
#define IEUM_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "client/ieum.h"

enum {
	IEUM_TOKEN_BYTES = 34, /* kind, epoch, HMAC-SHA-256 */
	IEUM_TOKENS_MAX = 16,  /* of one person; what an envelope takes */
};

/* X(name, word): what an agency may know of somebody. */
#define IEUM_IDENTIFIERS(X) \
	X(NAME, "name")         /* "김민준", "Nguyen Thi Hoa" */ \
	X(BIRTH, "birth")       /* date of birth: "2015-03-01", "2015년 3월 1일" */ \
	X(SEX, "sex")           /* "female", "여" */ \
	X(GUARDIAN, "guardian") /* the guardian's own name */ \
	X(PHONE, "phone")       /* the guardian's number: "010-1234-5678" */ \
	X(POSTCODE, "postcode") /* five digits */

enum ieum_identifier {
#define X(name, word) IEUM_IDENTIFIER_##name,
	IEUM_IDENTIFIERS(X)
#undef X
		IEUM_IDENTIFIER_COUNT_OF
};

/* As the agency has them, UTF-8; NULL: not known. */
struct ieum_identifiers {
	const char *text[IEUM_IDENTIFIER_COUNT_OF];
};

/* X(number, name, word): byte 0 of a token, from which identifiers it is made.  Each has something
 * of the person's own, so that brothers and sisters differ; numbers are never reused. */
#define IEUM_TOKEN_KINDS(X) \
	X(1, NAME_BIRTH, "name_birth") \
	X(2, NAME_PHONE, "name_phone") \
	X(3, BIRTH_PHONE, "birth_phone") \
	X(4, GUARDIAN_BIRTH_SEX, "guardian_birth_sex") \
	X(5, NAME_POSTCODE, "name_postcode") \
	X(6, BIRTH_SEX_POSTCODE, "birth_sex_postcode")

enum ieum_token_kind {
#define X(number, name, word) IEUM_TOKEN_##name = (number),
	IEUM_TOKEN_KINDS(X)
#undef X
};

/* "name_birth"; NULL for a number without a row. */
const char *ieum_token_kind_word(int kind);

struct ieum_token {
	uint8_t bytes[IEUM_TOKEN_BYTES]; /* [0] kind, [1] epoch */
};

/* By epoch, then by kind. */
struct ieum_tokens {
	size_t n;
	struct ieum_token at[IEUM_TOKENS_MAX];
};

struct ieum_council_key;

/* Reads a council key file, which only its owner may be able to read.  FILE_UNREADABLE,
 * FILE_INVALID, NO_MEMORY.  The caller owns *out. */
enum ieum_err ieum_council_key_load(const char *path, struct ieum_council_key **out,
				    char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

/* Erases the key from memory.  NULL is fine. */
void ieum_council_key_free(struct ieum_council_key *key);

/* The council's name, as the file has it. */
const char *ieum_council_key_council(const struct ieum_council_key *key);

/* Every token that these identifiers give, under every epoch of the key that is valid on the day
 * `on` ("2026-03-01").  FIELD_MISSING: too few identifiers for any kind.  FILE_INVALID: no epoch is
 * valid that day.  An identifier that can't be used refuses the whole: FIELD_INVALID,
 * FIELD_MISSING (nothing is left of it), FIELD_TOO_LARGE, TEXT_INVALID, RESIDENT_NUMBER.
 * NO_MEMORY, INTERNAL (a library failed). */
enum ieum_err ieum_tokens_make(const struct ieum_council_key *key,
			       const struct ieum_identifiers *identifiers, const char *on,
			       struct ieum_tokens *out, char why[IEUM_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
