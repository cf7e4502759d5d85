/* An agency as its processes: one `ieum inbox --follow` that takes what comes, and one run of
 * `ieum` for each thing it does.
 *
 * Functions return false after they have said why on stderr. */
#ifndef IEUM_TESTS_SCENARIOS_REAL_AGENCY_H
#define IEUM_TESTS_SCENARIOS_REAL_AGENCY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ieumd_process;

enum { AGENCY_LINE_MAX_BYTES = 1 << 20 };

struct agency {
	const char *name;
	char profile[320];
	pid_t inbox;
	int inbox_fd;
	char *partial; /* of a line not yet complete */
	size_t partial_len;
};

/* Writes the profile; starts nothing. */
bool agency_prepare(struct agency *a, const char *name, const struct ieumd_process *hub);

/* Starts `ieum inbox --follow --json`. */
bool agency_follow(struct agency *a, const char *bin);

/* Ends it and waits for it. */
void agency_stop(struct agency *a);

/* What is readable now: the next whole line as JSON (the caller's), NULL when there is none. */
json_t *agency_next_line(struct agency *a);

/* Runs `ieum --profile … --json WORDS`; its exit code, and the JSON it printed (stderr's when
 * it failed), the caller's, NULL when it printed none.  -1: it could not be run. */
int agency_run(const struct agency *a, const char *bin, char *const *words, json_t **printed);

#endif
