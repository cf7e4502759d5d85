/* The resident-registration-number guard; see resident_number.h for the rule.
 *
 * This runs over every text field of every message.  A match begins with at least six digits in a
 * row, so six bytes or more: looking at each sixth byte can't miss one. */
#include "proto/resident_number.h"

#include <stdint.h>
#include <string.h>

enum {
	FRONT_DIGITS = 6,
	BACK_DIGITS = 7,
	ALL_DIGITS = FRONT_DIGITS + BACK_DIGITS,
	SEPARATORS_MAX = 3, /* "800101 - 1234567" */
	WIDE_BYTES = 3,     /* of a full-width digit, EF BC 90 … EF BC 99 */
};

struct text {
	const uint8_t *at;
	size_t n;
};

/* Bytes that occur in an ASCII or full-width digit. */
static const uint8_t in_digit[256] = {
	['0'] = 1,  ['1'] = 1,  ['2'] = 1,  ['3'] = 1,  ['4'] = 1,  ['5'] = 1,
	['6'] = 1,  ['7'] = 1,  ['8'] = 1,  ['9'] = 1,  [0xEF] = 1, [0xBC] = 1,
	[0x90] = 1, [0x91] = 1, [0x92] = 1, [0x93] = 1, [0x94] = 1, [0x95] = 1,
	[0x96] = 1, [0x97] = 1, [0x98] = 1, [0x99] = 1,
};

/* The digit that begins at i, or -1; *len is its bytes. */
static int digit_at(struct text t, size_t i, size_t *len)
{
	if (i >= t.n)
		return -1;
	const uint8_t *c = t.at + i;
	if (*c >= '0' && *c <= '9') {
		*len = 1;
		return *c - '0';
	}
	if (*c == 0xEF && t.n - i >= WIDE_BYTES && c[1] == 0xBC && c[2] >= 0x90 && c[2] <= 0x99) {
		*len = WIDE_BYTES;
		return c[2] - 0x90;
	}
	return -1;
}

/* Where the run of digits around byte i begins, not before `from`; false when i is in no digit. */
static bool run_start(struct text t, size_t from, size_t i, size_t *start)
{
	static const uint8_t back[] = { 0, 1, 2 };
	size_t len, at = i;
	bool found = false;

	for (size_t b = 0; b < sizeof back && !found; b++) {
		if (i < from + back[b])
			break;
		at = i - back[b];
		found = digit_at(t, at, &len) >= 0 && at + len > i;
	}
	if (!found)
		return false;
	for (;;) {
		if (at > from && digit_at(t, at - 1, &len) >= 0)
			at -= 1;
		else if (at >= from + WIDE_BYTES && digit_at(t, at - WIDE_BYTES, &len) >= 0 &&
			 len == WIDE_BYTES)
			at -= WIDE_BYTES;
		else
			break;
	}
	*start = at;
	return true;
}

/* Reads a whole run of digits from *i on and moves *i past it; keeps the first `keep` of them. */
static size_t read_run(struct text t, size_t *i, uint8_t *digits, size_t keep)
{
	size_t count = 0, len;
	int digit;

	while ((digit = digit_at(t, *i, &len)) >= 0) {
		if (count < keep)
			digits[count] = (uint8_t)digit;
		count++;
		*i += len;
	}
	return count;
}

/* Bytes of the separator at i, 0 when there is none. */
static size_t separator_at(struct text t, size_t i)
{
	static const char *const separators[] = {
		"\xC2\xA0",                     /* no-break space */
		"\xC2\xAD",                     /* soft hyphen */
		"\xC2\xB7",                     /* middle dot */
		"\xE2\x80\x8B",                 /* zero-width space */
		"\xE2\x80\x90", "\xE2\x80\x91", /* hyphen, non-breaking hyphen */
		"\xE2\x80\x92", "\xE2\x80\x93", /* figure dash, en dash */
		"\xE2\x80\x94", "\xE2\x80\x95", /* em dash, horizontal bar */
		"\xE2\x81\xA0",                 /* word joiner */
		"\xE2\x88\x92",                 /* minus */
		"\xE3\x80\x80",                 /* ideographic space */
		"\xEF\xB9\xA3", "\xEF\xBC\x8D", /* small and full-width hyphen-minus */
		"\xEF\xBB\xBF",                 /* zero-width no-break space */
	};

	if (i >= t.n)
		return 0;
	if (t.at[i] < 0x80)
		return t.at[i] != 0 && strchr(" \t-./_*", t.at[i]) ? 1 : 0;
	for (size_t s = 0; s < sizeof separators / sizeof separators[0]; s++) {
		size_t len = strlen(separators[s]);

		if (t.n - i >= len && memcmp(t.at + i, separators[s], len) == 0)
			return len;
	}
	return 0;
}

static bool plausible(const uint8_t d[ALL_DIGITS])
{
	static const int century[10] = {
		1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800
	};
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = century[d[6]] + d[0] * 10 + d[1];
	int month = d[2] * 10 + d[3];
	int day = d[4] * 10 + d[5];

	if (month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= month_days[month - 1] + (month == 2 && leap);
}

/* Is there a number in the run of digits at *i (perhaps going on after a separator)?  Moves *i past
 * the run. */
static bool number_at(struct text t, size_t *i)
{
	uint8_t digits[ALL_DIGITS];
	size_t front = read_run(t, i, digits, ALL_DIGITS);
	size_t at = *i, len;

	if (front == ALL_DIGITS)
		return plausible(digits);
	if (front != FRONT_DIGITS)
		return false;
	for (int s = 0; s < SEPARATORS_MAX && (len = separator_at(t, at)) > 0; s++)
		at += len;
	return read_run(t, &at, digits + FRONT_DIGITS, BACK_DIGITS) == BACK_DIGITS &&
	       plausible(digits);
}

bool resident_number_found(const char *text, size_t n)
{
	struct text t = { (const uint8_t *)text, n };
	size_t done = 0; /* no run of digits begins before it that wasn't looked at */

	if (n < ALL_DIGITS)
		return false;
	for (size_t i = FRONT_DIGITS - 1; i < n; i += FRONT_DIGITS) {
		size_t start;

		if (!in_digit[t.at[i]] || !run_start(t, done, i, &start))
			continue;
		if (number_at(t, &start))
			return true;
		/* Byte `done` is no digit, so a run after it can't miss byte done + 6. */
		done = start;
		i = done;
	}
	return false;
}
