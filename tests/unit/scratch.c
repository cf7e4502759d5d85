/* Folders and commands for tests; see scratch.h. */
#include "tests/unit/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { COMMAND_BYTES = 512 };

void scratch_make(char folder[SCRATCH_PATH_BYTES])
{
	snprintf(folder, SCRATCH_PATH_BYTES, "/tmp/ieum-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

void scratch_remove(const char *folder)
{
	assert_int_equal(scratch_shell("rm -r %s", folder), 0);
}

int scratch_shell(const char *format, ...)
{
	char command[COMMAND_BYTES];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(command, sizeof command, format, args);
	va_end(args);
	assert_true(n > 0 && (size_t)n < sizeof command);
	int status = system(command); /* NOLINT(cert-env33-c): every command is written in a test */
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
