/* Bytes as texts; see pbmap_rules.h. */
#include <string.h>

#include "proto/pbmap_rules.h"

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool pbmap_hex(const char *text, size_t n, uint8_t *to, size_t *len)
{
	if (n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i / 2] = (uint8_t)(high << 4 | low);
	}
	*len = n / 2;
	return true;
}

static int base64_digit(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || (url && c == '-'))
		return 62;
	return c == '/' || (url && c == '_') ? 63 : -1;
}

/* Digits alone, without padding. */
static bool base64_digits(const char *text, size_t n, bool url, uint8_t *to, size_t *len)
{
	uint32_t bits = 0;
	size_t at = 0;

	if (n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(text[i], url);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 != 0) /* the second, third and fourth digit each complete a byte */
			to[at++] = (uint8_t)(bits >> (2 * (3 - i % 4)));
	}
	*len = at;
	return true;
}

static size_t without_padding(const char *text, size_t n)
{
	size_t body = n;

	while (body > 0 && n - body < 2 && text[body - 1] == '=')
		body--;
	return body;
}

bool pbmap_base64(const char *text, size_t n, uint8_t *to, size_t *len)
{
	return n % 4 == 0 && base64_digits(text, without_padding(text, n), false, to, len);
}

bool pbmap_any_base64(const char *text, size_t n, uint8_t *to, size_t *len)
{
	size_t body = without_padding(text, n);

	return (body == n || n % 4 == 0) && base64_digits(text, body, true, to, len);
}
