/* What the command `ieum` exits with: stable, for scripts; docs/cli.md has the same table. */
#ifndef IEUM_CLIENT_EXIT_CODE_H
#define IEUM_CLIENT_EXIT_CODE_H

#include "proto/error.h"

/* X(number, name, English).  Numbers are never reused. */
/* clang-format off */
#define IEUM_EXITS(X) \
	X(0, DONE,        "done") \
	X(1, REFUSED,     "the hub refused it") \
	X(2, USAGE,       "the command line has a mistake") \
	X(3, UNREACHABLE, "no connection: address, TLS or certificate") \
	X(4, NOT_FOUND,   "no such case, message or delivery, or not yours to see") \
	X(5, MISMATCH,    "the audit found a mismatch") \
	X(6, TIMED_OUT,   "no answer in time") \
	X(7, FILE,        "a file or message has mistakes, or cannot be read") \
	X(8, LATER,       "the hub cannot take it now: try again later") \
	X(9, FAILED,      "out of memory, or the output cannot be written") \
	X(10, TEST_FAILED, "a test of the policy failed") \
	X(11, KEPT,        "no receipt, but kept in the spool: sent when the hub is there")
/* clang-format on */

enum exit_code {
#define X(number, name, text) EXIT_##name = (number),
	IEUM_EXITS(X)
#undef X
};

/* What a command ends with when this was the last word. */
enum exit_code exit_code_of(enum ieum_err err);

#endif
