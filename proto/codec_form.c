/* What ids, codes and tags must look like; see codec_rules.h. */
#include <string.h>

#include "proto/codec_rules.h"
#include "proto/uuid7.h"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_digits(const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(at[i]))
			return false;
	return true;
}

/* Subtags of letters and digits, one dash between two; which ones exist is not looked up. */
static bool is_language(const uint8_t *at, size_t n)
{
	bool before = false;

	for (size_t i = 0; i < n; i++) {
		bool inside = is_digit(at[i]) || is_letter(at[i]);

		if (!inside && (at[i] != '-' || !before))
			return false;
		before = inside;
	}
	return before;
}

/* RFC 6838, 4.2: printable on both sides of one slash; parameters may follow. */
static bool is_media_type(const uint8_t *at, size_t n)
{
	const uint8_t *slash = memchr(at, '/', n);

	if (!slash || slash == at || slash + 1 == at + n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (at[i] < 0x20 || at[i] > 0x7E)
			return false;
	return at[0] != ' ' && slash[1] != ' ' && slash[1] != ';';
}

static bool is_month(const uint8_t *at, size_t n)
{
	if (n != strlen("2026-11") || !all_digits(at, 4) || at[4] != '-' || !all_digits(at + 5, 2))
		return false;
	int month = (at[5] - '0') * 10 + at[6] - '0';
	return month >= 1 && month <= 12;
}

const char *codec_form_problem(enum codec_form form, const uint8_t *bytes, size_t n)
{
	switch (form) {
	case CODEC_FORM_MESSAGE_ID: return uuid7_valid(bytes, n) ? NULL : "is not a UUIDv7";
	case CODEC_FORM_DIGITS:
		return all_digits(bytes, n) ? NULL : "is not an administrative code of digits";
	case CODEC_FORM_LANGUAGE:
		return is_language(bytes, n) ? NULL : "is not a language tag (BCP 47)";
	case CODEC_FORM_MEDIA_TYPE: return is_media_type(bytes, n) ? NULL : "is not a media type";
	case CODEC_FORM_MONTH: return is_month(bytes, n) ? NULL : "is not a month (2026-11)";
	case CODEC_FORM_ID: /* only a length */
	case CODEC_FORM_TOKEN:
	case CODEC_FORM_ANY: break;
	}
	return NULL;
}
