/* Languages as BCP 47 names them: "ko", "zh-Hant", "pt-BR".
 *
 * Loading checks a tag with ICU; comparing two is pure.  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_LANGUAGE_H
#define IEUM_BROKER_POLICY_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { LANGUAGE_BYTES = 36 }; /* longest tag, NUL included */

/* The tag in its usual form ("KO" is "ko").  False: it is none, or of a language that nobody
 * has registered; `meant` is then what was probably meant (of "vn", a country: "vi"), or "". */
bool language_read(const char *text, char tag[LANGUAGE_BYTES], char meant[LANGUAGE_BYTES]);

/* Does who speaks the one understand the other?  When one of the two only says it more exactly:
 * "vi" and "vi-VN", never "zh-Hans" and "zh-Hant".  `wanted` need not be in its usual form. */
bool language_suits(const char *spoken, const char *wanted, size_t wanted_len);

#endif
