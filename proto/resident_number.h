/* Does a text hold what looks like a Korean resident registration number?
 *
 * The rule, for DOMAIN.md's "a plausible date and seventh digit suffice" (numbers issued since
 * October 2020 have no check digit that could be tested):
 *   - 13 digits: six, an optional separator, seven;
 *   - the seventh digit gives the century: 9, 0: 1800s; 1, 2, 5, 6: 1900s; 3, 4, 7, 8: 2000s
 *     (1–4 nationals, 5–8 foreigners, 9 and 0 born before 1900).  All ten occur, so it only
 *     decides whether 29 February existed;
 *   - the first six are a day that exists in that century (YYMMDD).  No clock: a day yet to
 *     come, or 1805, counts as plausible, so that the same bytes always get the same answer;
 *   - a digit is ASCII or full-width (U+FF10 … U+FF19);
 *   - the separator is one to three of: space, tab, '-', '.', '/', '_', '*', and the wider
 *     dashes, spaces and dots of the list in the .c file, invisible ones among them; other
 *     characters (',', ':') would turn lists of numbers into false alarms;
 *   - the run of digits ends there: a digit right before the six or right after the seven means
 *     a longer number, such as a 20-digit receipt number.
 * Of random 13-digit numbers about 3.7 % look like one and are refused: that's the price of a rule
 * without a check digit.  Not found, on purpose: spelt-out numbers, digits apart from each other,
 * 13 digits inside a longer run.  This guards against carelessness; someone who wants to hide a
 * number can. */
#ifndef IEUM_PROTO_RESIDENT_NUMBER_H
#define IEUM_PROTO_RESIDENT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* `text` need not be UTF-8 nor end with NUL.  Linear, allocates nothing; any thread. */
bool resident_number_found(const char *text, size_t n);

#endif
