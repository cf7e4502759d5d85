/* What an agency knows of somebody, in the one form from which tokens are made.
 *
 * The forms are those of docs/tokens.md, byte by byte.  What can't be brought into its form with
 * certainty is refused: a token made from a guess never agrees with anybody's, or agrees with a
 * stranger's.  Reads no clock, keeps nothing, says nothing; any thread. */
#ifndef IEUM_CLIENT_IDENTIFIER_H
#define IEUM_CLIENT_IDENTIFIER_H

#include "client/ieum_tokens.h"
#include "client/letters.h"
#include "proto/words.h"

enum { IDENTIFIER_FORM_BYTES = 2048 }; /* room for any form, with its NUL */

/* X(name, word, error, English, Korean): why an identifier is refused.  The words are those of
 * docs/tokens.md and of the test vectors. */
/* clang-format off */
#define IDENTIFIER_WRONGS(X) \
	X(NONE,            "none",            OK,              "fine",                                                               "이상 없음") \
	X(TOO_LONG,        "too_long",        FIELD_TOO_LARGE, "longer than 256 bytes",                                              "256바이트를 넘습니다") \
	X(NOT_TEXT,        "not_text",        TEXT_INVALID,    "not valid UTF-8",                                                    "올바른 UTF-8이 아닙니다") \
	X(RESIDENT_NUMBER, "resident_number", RESIDENT_NUMBER, "looks like a resident registration number; ieum takes none",         "주민등록번호로 보입니다. 이음은 받지 않습니다") \
	X(EMPTY,           "empty",           FIELD_MISSING,   "nothing is left of it; leave it out when it is not known",           "남는 글자가 없습니다. 모르면 빼십시오") \
	X(NOT_LETTERS,     "not_letters",     FIELD_INVALID,   "a name holds letters only: no digits, brackets or other signs",      "이름에는 글자만 씁니다. 숫자, 괄호 등은 빼십시오") \
	X(LOOSE_JAMO,      "loose_jamo",      FIELD_INVALID,   "an unfinished Hangul syllable",                                      "완성되지 않은 한글이 있습니다") \
	X(TOO_SHORT,       "too_short",       FIELD_INVALID,   "a whole name has two letters or more",                               "성과 이름을 모두 쓰십시오 (두 글자 이상)") \
	X(RELATION,        "relation",        FIELD_INVALID,   "says whose relative it is; write the person's own name",             "관계를 쓴 것입니다. 본인의 이름을 쓰십시오") \
	X(FILLER,          "filler",          FIELD_INVALID,   "a filler for what is not known; leave it out",                       "모른다는 뜻의 값입니다. 모르면 빼십시오") \
	X(DATE_FORM,       "date_form",       FIELD_INVALID,   "not a date with year, month and day, such as 2015-03-01",            "연월일이 있는 날짜가 아닙니다 (예: 2015-03-01)") \
	X(DATE_IMPOSSIBLE, "date_impossible", FIELD_INVALID,   "there is no such day, or it lies before 1900 or after 2199",         "없는 날짜이거나 1900년부터 2199년 사이가 아닙니다") \
	X(DATE_FUTURE,     "date_future",     FIELD_INVALID,   "a day yet to come",                                                  "아직 오지 않은 날짜입니다") \
	X(SEX_FORM,        "sex_form",        FIELD_INVALID,   "neither female nor male",                                            "여 또는 남이 아닙니다") \
	X(PHONE_FORM,      "phone_form",      FIELD_INVALID,   "not a phone number with its area or mobile code",                    "지역번호나 010이 있는 전화번호가 아닙니다") \
	X(POSTCODE_FORM,   "postcode_form",   FIELD_INVALID,   "not a postcode of five digits",                                      "다섯 자리 우편번호가 아닙니다") \
	X(NO_MEMORY,       "no_memory",       NO_MEMORY,       "out of memory",                                                      "메모리가 부족합니다") \
	X(INTERNAL,        "internal",        INTERNAL,        "the Unicode library failed",                                         "유니코드 라이브러리 오류입니다")
/* clang-format on */

enum identifier_wrong {
#define X(name, word, err, en, ko) IDENTIFIER_##name,
	IDENTIFIER_WRONGS(X)
#undef X
		IDENTIFIER_WRONG_COUNT_OF
};

/* "name", "birth", … */
const char *identifier_word(enum ieum_identifier which);

const char *identifier_wrong_word(enum identifier_wrong wrong);
const char *identifier_wrong_text(enum identifier_wrong wrong, enum words_lang lang);
enum ieum_err identifier_wrong_error(enum identifier_wrong wrong);

/* NONE, and the form in UTF-8; or why there is none. */
enum identifier_wrong identifier_form(enum ieum_identifier which, const char *text,
				      char out[IDENTIFIER_FORM_BYTES]);

/* A name from letters_read(); the form is left in the same place. */
enum identifier_wrong name_form(struct letters *text);

/* What an error of letters.h means here. */
enum identifier_wrong identifier_failed(enum ieum_err err);

#endif
