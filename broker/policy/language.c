/* Languages; see language.h. */
#include "broker/policy/language.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/uloc.h>

enum { LOCALE_BYTES = 64, NAME_UNITS = 64 };

/* ICU has no name for a code that isn't registered: it gives the code back, with a warning. */
static bool is_language(const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar name[NAME_UNITS];

	(void)uloc_getDisplayLanguage(locale, "en", name, NAME_UNITS, &status);
	return U_SUCCESS(status) && status != U_USING_DEFAULT_WARNING;
}

static bool has_country(const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar name[NAME_UNITS];

	(void)uloc_getDisplayCountry(locale, "en", name, NAME_UNITS, &status);
	return U_SUCCESS(status) && status != U_USING_DEFAULT_WARNING;
}

/* The language of a country whose code was written instead of it. */
static void guess(const char *text, char meant[LANGUAGE_BYTES])
{
	UErrorCode status = U_ZERO_ERROR;
	char of_country[LOCALE_BYTES], likely[LOCALE_BYTES], language[LANGUAGE_BYTES];

	*meant = '\0';
	(void)snprintf(of_country, sizeof of_country, "und_%s", text);
	if (strlen(text) != 2 || !has_country(of_country))
		return;
	(void)uloc_addLikelySubtags(of_country, likely, sizeof likely, &status);
	if (U_SUCCESS(status) && uloc_getLanguage(likely, language, sizeof language, &status) > 0 &&
	    U_SUCCESS(status) && strcmp(language, "und") != 0)
		(void)snprintf(meant, LANGUAGE_BYTES, "%s", language);
}

bool language_read(const char *text, char tag[LANGUAGE_BYTES], char meant[LANGUAGE_BYTES])
{
	UErrorCode status = U_ZERO_ERROR;
	char locale[LOCALE_BYTES];
	int32_t parsed = 0;

	guess(text, meant);
	(void)uloc_forLanguageTag(text, locale, sizeof locale, &parsed, &status);
	if (U_FAILURE(status) || status == U_STRING_NOT_TERMINATED_WARNING ||
	    (size_t)parsed != strlen(text) || !is_language(locale))
		return false;
	(void)uloc_toLanguageTag(locale, tag, LANGUAGE_BYTES, 1, &status);
	return U_SUCCESS(status) && status != U_STRING_NOT_TERMINATED_WARNING &&
	       strcmp(tag, "und") != 0;
}

bool language_suits(const char *spoken, const char *wanted, size_t wanted_len)
{
	size_t spoken_len = strlen(spoken);
	size_t n = spoken_len < wanted_len ? spoken_len : wanted_len;

	return strncasecmp(spoken, wanted, n) == 0 && (spoken_len == n || spoken[n] == '-') &&
	       (wanted_len == n || wanted[n] == '-');
}
