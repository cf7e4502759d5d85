/* What a command prints, kept in memory instead: for tests of what people see, in Korean time. */
#ifndef IEUM_TESTS_UNIT_SCREEN_H
#define IEUM_TESTS_UNIT_SCREEN_H

#include <stddef.h>

#include "client/command.h"

struct screen {
	struct arguments arguments;
	struct invocation inv; /* prints here; borrows the arguments */
	char *printed;
	size_t printed_len;
};

extern struct screen screen;

/* cmocka's set-up and tear-down of a test. */
int screen_open(void **state);
int screen_close(void **state);

/* The text is, or is not, in what was printed so far; fails the test otherwise. */
void assert_says(const char *text);
void assert_says_not(const char *text);

#endif
