/* Dates, phone numbers, sexes and postcodes in one form; see identifier.h.  Names: name_form.c. */
#include "client/identifier.h"

#include <stdio.h>
#include <string.h>

#include "proto/resident_number.h"
#include "proto/utf8.h"
#include "yaml/yaml_value.h"

#define COUNT_OF(list) (sizeof(list) / sizeof(list)[0])

const char *identifier_word(enum ieum_identifier which)
{
	static const char *const words[] = {
#define X(name, word) [IEUM_IDENTIFIER_##name] = (word),
		IEUM_IDENTIFIERS(X)
#undef X
	};

	return words[which];
}

static const struct {
	const char *word;
	enum ieum_err err;
	const char *texts[2];
} wrongs[] = {
#define X(name, word, err, en, ko) { word, IEUM_E_##err, { [WORDS_EN] = (en), [WORDS_KO] = (ko) } },
	IDENTIFIER_WRONGS(X)
#undef X
};

const char *identifier_wrong_word(enum identifier_wrong wrong)
{
	return wrongs[wrong].word;
}

const char *identifier_wrong_text(enum identifier_wrong wrong, enum words_lang lang)
{
	return wrongs[wrong].texts[lang == WORDS_KO];
}

enum ieum_err identifier_wrong_error(enum identifier_wrong wrong)
{
	return wrongs[wrong].err;
}

enum identifier_wrong identifier_failed(enum ieum_err err)
{
	switch (err) {
	case IEUM_E_OK: return IDENTIFIER_NONE;
	case IEUM_E_FIELD_TOO_LARGE: return IDENTIFIER_TOO_LONG;
	case IEUM_E_NO_MEMORY: return IDENTIFIER_NO_MEMORY;
	default: return IDENTIFIER_INTERNAL;
	}
}

static bool is_digit(int32_t c)
{
	return c >= '0' && c <= '9';
}

/* ---- dates ---- */

/* Digits from *i on, at most `most`; how many there were. */
static size_t take_number(const struct letters *text, size_t *i, size_t most, int *out)
{
	size_t from = *i;

	*out = 0;
	for (; *i < text->n && *i - from < most && is_digit(text->at[*i]); (*i)++)
		*out = *out * 10 + (text->at[*i] - '0');
	return *i - from;
}

static bool take(const struct letters *text, size_t *i, int32_t c)
{
	if (*i >= text->n || text->at[*i] != c)
		return false;
	(*i)++;
	return true;
}

struct day {
	int year, month, day;
};

enum { YEAR_MIN = 1900, YEAR_MAX = 2199 };
enum { YEAR_SIGN = 0xB144, MONTH_SIGN = 0xC6D4, DAY_SIGN = 0xC77C, BORN_SIGN = 0xC0DD };

/* 20150301; 2015-3-1, 2015/03/01, 2015.3.1.; 2015년3월1일; each perhaps with 생 at its end. */
static bool read_day(const struct letters *text, struct day *out)
{
	size_t i = 0;
	bool read;

	if (take_number(text, &i, 4, &out->year) != 4 || i == text->n)
		return false;
	int32_t sign = text->at[i];
	if (is_digit(sign)) {
		read = take_number(text, &i, 2, &out->month) == 2 &&
		       take_number(text, &i, 2, &out->day) == 2;
	} else {
		bool korean = sign == YEAR_SIGN;

		i++;
		read = (korean || sign == '-' || sign == '.' || sign == '/') &&
		       take_number(text, &i, 2, &out->month) > 0 &&
		       take(text, &i, korean ? MONTH_SIGN : sign) &&
		       take_number(text, &i, 2, &out->day) > 0;
		if (korean || sign == '.')
			take(text, &i, korean ? DAY_SIGN : sign);
	}
	take(text, &i, BORN_SIGN);
	return read && i == text->n;
}

static enum identifier_wrong birth_form(struct letters *text, char *out)
{
	char after_400_years[16];
	struct day d;
	int64_t days;

	for (size_t i = 0; i < text->n; i++) {
		if (letters_is_dash(text->at[i]))
			text->at[i] = '-';
	}
	if (!read_day(text, &d))
		return IDENTIFIER_DATE_FORM;
	/* yaml_parse_date() begins in 1970; leap years come back after 400. */
	snprintf(after_400_years, sizeof after_400_years, "%04d-%02d-%02d", (d.year + 400) % 10000,
		 d.month % 100, d.day % 100);
	if (d.year < YEAR_MIN || d.year > YEAR_MAX || !yaml_parse_date(after_400_years, &days))
		return IDENTIFIER_DATE_IMPOSSIBLE;
	snprintf(out, IDENTIFIER_FORM_BYTES, "%04d-%02d-%02d", d.year, d.month, d.day);
	return strcmp(out, "1900-01-01") == 0 ? IDENTIFIER_FILLER : IDENTIFIER_NONE;
}

/* ---- sex ---- */

static enum identifier_wrong sex_form(struct letters *text, char *out)
{
	static const char *const female[] = { "f",    "female", "woman", "girl", "여",
					      "여자", "여성",   "여아",  "녀" };
	static const char *const male[] = {
		"m", "male", "man", "boy", "남", "남자", "남성", "남아"
	};
	enum identifier_wrong wrong = identifier_failed(letters_fold(text));
	const char *form = NULL;

	if (wrong)
		return wrong;
	for (size_t i = 0; i < COUNT_OF(female) && !form; i++)
		form = letters_are(text, female[i]) ? "F" : NULL;
	for (size_t i = 0; i < COUNT_OF(male) && !form; i++)
		form = letters_are(text, male[i]) ? "M" : NULL;
	if (!form)
		return IDENTIFIER_SEX_FORM;
	snprintf(out, IDENTIFIER_FORM_BYTES, "%s", form);
	return IDENTIFIER_NONE;
}

/* ---- phone numbers ---- */

enum {
	DIGITS_BYTES = 32, /* room for those of a number, with a NUL */
	NATIONAL_DIGITS_MIN = 9,
	NATIONAL_DIGITS_MAX = 12,
	MOBILE_DIGITS = 11, /* of 010 */
	FOREIGN_DIGITS_MIN = 8,
	FOREIGN_DIGITS_MAX = 15, /* E.164 */
	FILLER_DIGITS = 7,       /* so many equal ones at the end belong to nobody */
};

static bool is_phone_sign(int32_t c)
{
	return letters_is_dash(c) || c == '(' || c == ')' || c == '.' || c == '/' || c == 0xB7;
}

/* The digits of a text that, after an optional '+', has nothing else; 0 when it has, or more of
 * them than any number. */
static size_t digits_of(const struct letters *text, char digits[DIGITS_BYTES], bool *plus)
{
	size_t n = 0;

	*plus = text->n > 0 && text->at[0] == '+';
	for (size_t i = *plus; i < text->n; i++) {
		if (!is_digit(text->at[i]) || n == DIGITS_BYTES - 1)
			return 0;
		digits[n++] = (char)text->at[i];
	}
	digits[n] = '\0';
	return n;
}

/* Of so many digits or more. */
static bool is_filler(const char *digits, size_t n)
{
	const char *end = digits + n - FILLER_DIGITS;

	return strspn(end, (char[]){ *end, '\0' }) == FILLER_DIGITS;
}

/* Drops what stands for Korea and for "from here" before a number; false when it is no Korean one. */
static bool national_digits(const char **digits, bool plus)
{
	size_t n = strlen(*digits);

	if (!plus && strncmp(*digits, "0082", 4) == 0) {
		*digits += 4;
	} else if (strncmp(*digits, "82", 2) == 0 && (plus || n >= 10)) {
		*digits += 2;
	} else if (plus || (**digits != '0' && !(n == 10 && strncmp(*digits, "10", 2) == 0))) {
		/* A spreadsheet makes 1012345678 of 01012345678. */
		return false;
	}
	if (**digits == '0')
		(*digits)++;
	return true;
}

static enum identifier_wrong phone_form(struct letters *text, char *out)
{
	char all[DIGITS_BYTES] = "";
	const char *digits = all;
	bool plus;
	size_t n;

	letters_drop(text, is_phone_sign);
	if (digits_of(text, all, &plus) == 0)
		return IDENTIFIER_PHONE_FORM;
	if (national_digits(&digits, plus)) {
		n = strlen(digits) + 1;
		if (n < NATIONAL_DIGITS_MIN || n > NATIONAL_DIGITS_MAX || *digits == '0' ||
		    (strncmp(digits, "10", 2) == 0 && n != MOBILE_DIGITS))
			return IDENTIFIER_PHONE_FORM;
		snprintf(out, IDENTIFIER_FORM_BYTES, "0%s", digits);
	} else {
		n = strlen(digits);
		if (!plus || n < FOREIGN_DIGITS_MIN || n > FOREIGN_DIGITS_MAX || *digits == '0')
			return IDENTIFIER_PHONE_FORM;
		snprintf(out, IDENTIFIER_FORM_BYTES, "+%s", digits);
	}
	return is_filler(digits, strlen(digits)) ? IDENTIFIER_FILLER : IDENTIFIER_NONE;
}

/* ---- postcodes ---- */

enum { POSTCODE_DIGITS = 5 };

static enum identifier_wrong postcode_form(struct letters *text, char *out)
{
	char digits[DIGITS_BYTES];
	bool plus;

	letters_drop(text, letters_is_dash);
	if (digits_of(text, digits, &plus) != POSTCODE_DIGITS || plus)
		return IDENTIFIER_POSTCODE_FORM;
	if (strcmp(digits, "00000") == 0)
		return IDENTIFIER_FILLER;
	snprintf(out, IDENTIFIER_FORM_BYTES, "%s", digits);
	return IDENTIFIER_NONE;
}

/* ---- any ---- */

static enum identifier_wrong read_text(const char *text, struct letters *out)
{
	size_t n = strlen(text);

	if (n > LETTERS_TEXT_BYTES_MAX)
		return IDENTIFIER_TOO_LONG;
	if (!utf8_text_valid((const uint8_t *)text, n))
		return IDENTIFIER_NOT_TEXT;
	if (resident_number_found(text, n))
		return IDENTIFIER_RESIDENT_NUMBER;
	return identifier_failed(letters_read(text, out));
}

static enum identifier_wrong written(const struct letters *text, char *out)
{
	return identifier_failed(letters_write(text, out, IDENTIFIER_FORM_BYTES));
}

enum identifier_wrong identifier_form(enum ieum_identifier which, const char *text,
				      char out[IDENTIFIER_FORM_BYTES])
{
	struct letters letters;
	enum identifier_wrong wrong = read_text(text, &letters);

	if (wrong)
		return wrong;
	if (which == IEUM_IDENTIFIER_NAME || which == IEUM_IDENTIFIER_GUARDIAN) {
		wrong = name_form(&letters);
		return wrong ? wrong : written(&letters, out);
	}
	letters_drop(&letters, letters_is_space);
	if (letters.n == 0)
		return IDENTIFIER_EMPTY;
	switch (which) {
	case IEUM_IDENTIFIER_BIRTH: return birth_form(&letters, out);
	case IEUM_IDENTIFIER_SEX: return sex_form(&letters, out);
	case IEUM_IDENTIFIER_PHONE: return phone_form(&letters, out);
	case IEUM_IDENTIFIER_POSTCODE: return postcode_form(&letters, out);
	default: return IDENTIFIER_INTERNAL;
	}
}
