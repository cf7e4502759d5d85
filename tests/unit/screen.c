#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/screen.h"

struct screen screen;

int screen_open(void **state)
{
	(void)state;
	setenv("TZ", "KST-9", 1);
	tzset();
	screen = (struct screen){ .inv = { .arguments = &screen.arguments } };
	screen.inv.out = open_memstream(&screen.printed, &screen.printed_len);
	screen.inv.err = screen.inv.out;
	return screen.inv.out ? 0 : -1;
}

int screen_close(void **state)
{
	(void)state;
	fclose(screen.inv.out);
	free(screen.printed);
	screen.printed = NULL;
	return 0;
}

void assert_says(const char *text)
{
	fflush(screen.inv.out);
	if (!strstr(screen.printed, text))
		fail_msg("'%s' is missing in:\n%s", text, screen.printed);
}

void assert_says_not(const char *text)
{
	fflush(screen.inv.out);
	if (strstr(screen.printed, text))
		fail_msg("'%s' is in:\n%s", text, screen.printed);
}
