/* One form for one text; see letters.h. */
#include "client/letters.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* ICU works on UTF-16: at most two units a code point. */
enum { UNITS_MAX = 2 * LETTERS_MAX };

struct units {
	int32_t n;
	UChar at[UNITS_MAX];
};

static enum ieum_err failed(UErrorCode status)
{
	switch (status) {
	case U_BUFFER_OVERFLOW_ERROR: return IEUM_E_FIELD_TOO_LARGE;
	case U_MEMORY_ALLOCATION_ERROR: return IEUM_E_NO_MEMORY;
	default: return U_SUCCESS(status) ? IEUM_E_OK : IEUM_E_INTERNAL;
	}
}

static enum ieum_err to_units(const struct letters *text, struct units *out)
{
	UErrorCode status = U_ZERO_ERROR;

	u_strFromUTF32(out->at, UNITS_MAX, &out->n, text->at, (int32_t)text->n, &status);
	return failed(status);
}

static enum ieum_err from_units(const struct units *units, struct letters *out)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = 0;

	u_strToUTF32(out->at, LETTERS_MAX, &n, units->at, units->n, &status);
	out->n = (size_t)n;
	return failed(status);
}

static enum ieum_err normalize(const UNormalizer2 *form, struct letters *text)
{
	UErrorCode status = U_ZERO_ERROR;
	struct units from, to;
	enum ieum_err err = to_units(text, &from);

	if (err)
		return err;
	to.n = unorm2_normalize(form, from.at, from.n, to.at, UNITS_MAX, &status);
	err = failed(status);
	return err ? err : from_units(&to, text);
}

static enum ieum_err compose(struct letters *text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);

	return U_FAILURE(status) ? failed(status) : normalize(nfc, text);
}

static enum ieum_err decompose(struct letters *text)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);

	return U_FAILURE(status) ? failed(status) : normalize(nfd, text);
}

static bool between(int32_t c, int32_t first, int32_t last)
{
	return c >= first && c <= last;
}

/* Format characters (bidi marks, joiners, soft hyphen) and variation selectors: two texts that
 * differ only in them look the same. */
static bool is_invisible(int32_t c)
{
	return u_charType(c) == U_FORMAT_CHAR || between(c, 0xFE00, 0xFE0F) ||
	       between(c, 0xE0100, 0xE01EF);
}

static bool is_accent(int32_t c)
{
	return between(c, 0x0300, 0x036F);
}

bool letters_is_space(int32_t c)
{
	return between(c, 0x09, 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       between(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
	       c == 0x205F || c == 0x3000;
}

bool letters_is_dash(int32_t c)
{
	return c == '-' || between(c, 0x2010, 0x2015) || c == 0x2212;
}

bool letters_is_syllable(int32_t c)
{
	return between(c, 0xAC00, 0xD7A3);
}

bool letters_is_jamo(int32_t c)
{
	return between(c, 0x1100, 0x11FF) || between(c, 0x3131, 0x318E) ||
	       between(c, 0xA960, 0xA97C) || between(c, 0xD7B0, 0xD7FB) ||
	       between(c, 0xFFA0, 0xFFDC);
}

bool letters_is_letter(int32_t c)
{
	const uint32_t marks = U_GC_MN_MASK | U_GC_MC_MASK;

	return (U_GET_GC_MASK(c) & (U_GC_L_MASK | marks)) != 0;
}

void letters_drop(struct letters *text, bool (*test)(int32_t c))
{
	size_t kept = 0;

	for (size_t i = 0; i < text->n; i++) {
		if (!test(text->at[i]))
			text->at[kept++] = text->at[i];
	}
	text->n = kept;
}

enum ieum_err letters_read(const char *text, struct letters *out)
{
	UErrorCode status = U_ZERO_ERROR;
	struct units units;
	enum ieum_err err;

	u_strFromUTF8(units.at, UNITS_MAX, &units.n, text, (int32_t)strlen(text), &status);
	err = failed(status);
	if (!err)
		err = from_units(&units, out);
	if (err)
		return err;
	letters_drop(out, is_invisible);
	/* The full-width forms of ASCII; before composing, as an accent may follow. */
	for (size_t i = 0; i < out->n; i++) {
		if (between(out->at[i], 0xFF01, 0xFF5E))
			out->at[i] -= 0xFF01 - '!';
	}
	return compose(out);
}

/* Latin letters that have a stroke or no dot and so don't decompose. */
static int32_t plain(int32_t c)
{
	switch (c) {
	case 0x0111: return 'd';
	case 0x00F8: return 'o';
	case 0x0142: return 'l';
	case 0x0131: return 'i';
	default: return c;
	}
}

enum ieum_err letters_fold(struct letters *text)
{
	UErrorCode status = U_ZERO_ERROR;
	struct units from, to;
	enum ieum_err err = to_units(text, &from);

	if (err)
		return err;
	to.n = u_strFoldCase(to.at, UNITS_MAX, from.at, from.n, U_FOLD_CASE_DEFAULT, &status);
	err = failed(status);
	if (!err)
		err = from_units(&to, text);
	if (!err)
		err = decompose(text);
	if (err)
		return err;
	letters_drop(text, is_accent);
	for (size_t i = 0; i < text->n; i++)
		text->at[i] = plain(text->at[i]);
	return compose(text);
}

enum ieum_err letters_write(const struct letters *text, char *out, size_t size)
{
	UErrorCode status = U_ZERO_ERROR;
	struct units units;
	enum ieum_err err = to_units(text, &units);
	int32_t n = 0;

	if (err)
		return err;
	u_strToUTF8(out, (int32_t)size, &n, units.at, units.n, &status);
	/* It says so when there was no room left for the NUL. */
	return status == U_STRING_NOT_TERMINATED_WARNING ? IEUM_E_FIELD_TOO_LARGE : failed(status);
}

/* The code points of a short UTF-8 text of ours; how many. */
static size_t points(const char *utf8, int32_t *out, size_t max)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar units[64];
	int32_t n = 0;

	u_strFromUTF8(units, 64, &n, utf8, -1, &status);
	u_strToUTF32(out, (int32_t)max, &n, units, n, &status);
	return U_SUCCESS(status) ? (size_t)n : 0;
}

size_t letters_end(const struct letters *text, size_t n, const char *utf8)
{
	int32_t end[64];
	size_t len = points(utf8, end, 64);

	if (len > n || memcmp(text->at + n - len, end, len * sizeof *end) != 0)
		return 0;
	return len;
}

bool letters_begin(const struct letters *text, const char *utf8)
{
	int32_t begin[64];
	size_t len = points(utf8, begin, 64);

	return len <= text->n && memcmp(text->at, begin, len * sizeof *begin) == 0;
}

bool letters_are(const struct letters *text, const char *utf8)
{
	size_t len = letters_end(text, text->n, utf8);

	return len == text->n && len > 0;
}
