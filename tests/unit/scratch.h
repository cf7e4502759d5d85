/* A folder of a test's own under /tmp, and shell commands on it. */
#ifndef IEUM_TESTS_UNIT_SCRATCH_H
#define IEUM_TESTS_UNIT_SCRATCH_H

enum { SCRATCH_PATH_BYTES = 32 };

/* Makes /tmp/ieum-test-XXXXXX; fails the test when it can't. */
void scratch_make(char folder[SCRATCH_PATH_BYTES]);
void scratch_remove(const char *folder);

/* Runs a command and returns its exit status. */
int scratch_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
