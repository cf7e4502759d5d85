/* A short text as code points, brought into one form whatever keyboard and system it came from.
 *
 * The forms are those of docs/tokens.md; a change here changes tokens, and with them what agencies
 * have in common.  Unicode's tables are ICU's.  Any thread. */
#ifndef IEUM_CLIENT_LETTERS_H
#define IEUM_CLIENT_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	LETTERS_TEXT_BYTES_MAX = 256, /* of a text that is read */
	LETTERS_MAX = 2048,           /* code points in any form of it */
};

struct letters {
	size_t n;
	int32_t at[LETTERS_MAX];
};

/* From UTF-8 that is known to be well-formed and at most LETTERS_TEXT_BYTES_MAX long: without
 * invisible characters, full-width ones as ASCII, in Unicode's normal form C.  FIELD_TOO_LARGE,
 * NO_MEMORY, INTERNAL. */
enum ieum_err letters_read(const char *text, struct letters *out) IEUM_MUST_CHECK;

/* Without the difference of capital and small letters and without accents.  Errors as above. */
enum ieum_err letters_fold(struct letters *text) IEUM_MUST_CHECK;

/* UTF-8 with its NUL; FIELD_TOO_LARGE when there is no room. */
enum ieum_err letters_write(const struct letters *text, char *out, size_t size) IEUM_MUST_CHECK;

/* Drops every character that the test takes. */
void letters_drop(struct letters *text, bool (*test)(int32_t c));

bool letters_is_space(int32_t c);
bool letters_is_dash(int32_t c);     /* any dash, the ASCII hyphen among them */
bool letters_is_syllable(int32_t c); /* a whole Hangul syllable */
bool letters_is_jamo(int32_t c);     /* a part of a Hangul syllable, alone */
bool letters_is_letter(int32_t c);   /* a letter, or a mark that belongs to one */

/* Is this, in UTF-8, the end of the first `n` characters; how many it takes, or 0. */
size_t letters_end(const struct letters *text, size_t n, const char *utf8);
/* Is this, in UTF-8, where the text begins? */
bool letters_begin(const struct letters *text, const char *utf8);
/* Is this, in UTF-8, the whole text? */
bool letters_are(const struct letters *text, const char *utf8);

#endif
