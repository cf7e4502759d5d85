/* An agency's desk: the command `ieum` in a folder of profiles and messages, against a test's hub, and
 * what it said.  A test program has one.  A failed expectation fails the cmocka test and shows both
 * outputs. */
#ifndef IEUM_TESTS_INTEGRATION_DESK_H
#define IEUM_TESTS_INTEGRATION_DESK_H

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

#include "client/exit_code.h"
#include "tests/integration/hub.h"

/* The least that a police station may report; it opens a case. */
#define DESK_REPORT \
	"envelope:\n" \
	"  category: domestic_violence\n" \
	"  urgency: immediate\n" \
	"  open_case: true\n" \
	"  legal_basis: {kind: imminent_danger}\n" \
	"report_received: {response_code: code_1, child_at_home: true}\n"

struct desk {
	struct hub *hub;
	char folder[HUB_PATH_BYTES + 16];
	char ieum[PATH_MAX];
	char *printed, *said; /* by the last command: stdout, stderr; NULL before */
};
extern struct desk desk;

/* The folder has to be there before anything is written or run. */
void desk_open(struct hub *hub, const char *folder);
void desk_close(void);

/* A file of the folder. */
void desk_write(const char *name, const char *text);

/* The exit code of `ieum --profile WHO.yaml WORDS`, from the folder, in Korean time. */
int desk_run(const char *who, const char *words);
/* The same without any environment: no home, no locale. */
int desk_run_bare(const char *who, const char *words);
/* What a command has said that the test ran itself, into `out` and `err` of the folder. */
void desk_read(void);
void desk_expect(const char *who, const char *words, enum exit_code code);

/* `ieum --profile WHO.yaml inbox --follow FORM` as a process: its stdout, and its stderr where that is
 * asked for. */
FILE *desk_follow(const char *who, const char *form, pid_t *pid, FILE **told);
/* The next line holds the text; blocks until there is one. */
void desk_expect_line(FILE *from, const char *part);
/* Reads on until a line holds the text. */
void desk_await_line(FILE *from, const char *part);
/* SIGTERM, and it ends as it should. */
void desk_end_following(pid_t pid);

void assert_in(const char *text, const char *part);
void assert_not_in(const char *text, const char *part);

#endif
