/* Strict UTF-8; see utf8.h. */
#include "proto/utf8.h"

#include <endian.h>
#include <string.h>

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* How many of the eight bytes at `at`, from the first on, are in 0x01 … 0x7F. */
static size_t plain_of_eight(const uint8_t *at)
{
	uint64_t eight;

	memcpy(&eight, at, sizeof eight);
	eight = le64toh(eight);
	/* A borrow from a zero byte only spoils bytes after it. */
	uint64_t others = (eight | (eight - EVERY_BYTE(1))) & EVERY_BYTE(0x80);
	return others ? (size_t)__builtin_ctzll(others) / 8 : 8;
}

/* Bytes of the character at `at`, 0 when it is none.  RFC 3629, section 4: only the second
 * byte's range depends on the first. */
static size_t character(const uint8_t *at, size_t n)
{
	uint8_t first = at[0], low = 0x80, high = 0xBF;
	size_t len;

	if (first < 0x80)
		return first ? 1 : 0;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	if (first < 0xE0) {
		len = 2;
	} else if (first < 0xF0) {
		len = 3;
		if (first == 0xE0)
			low = 0xA0; /* else overlong */
		else if (first == 0xED)
			high = 0x9F; /* else a surrogate */
	} else {
		len = 4;
		if (first == 0xF0)
			low = 0x90; /* else overlong */
		else if (first == 0xF4)
			high = 0x8F; /* else above U+10FFFF */
	}
	if (n < len || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	return len;
}

bool utf8_text_valid(const uint8_t *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (n - i >= 8) {
			size_t plain = plain_of_eight(text + i);
			i += plain;
			if (plain == 8)
				continue;
		}
		/* Korean comes in words: stay with it while it goes on. */
		do {
			size_t len = character(text + i, n - i);
			if (!len)
				return false;
			i += len;
		} while (i < n && text[i] >= 0x80);
	}
	return true;
}
