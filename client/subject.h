/* Of whom a command makes tokens, and with which council's key. */
#ifndef IEUM_CLIENT_SUBJECT_H
#define IEUM_CLIENT_SUBJECT_H

#include "client/ieum_tokens.h"
#include "client/invocation.h"
#include "yaml/yaml_value.h"

enum { SUBJECT_DAY_BYTES = YAML_TIME_TEXT_BYTES };

struct subject_tokens {
	char council[256];
	char on[SUBJECT_DAY_BYTES]; /* the day they were made for */
	struct ieum_tokens tokens;
};

/* The tokens of whom --subject FILE or --name, --birth, … describe, by --council-key, on the day
 * --on or today.  Says what is wrong itself. */
enum exit_code subject_read(const struct invocation *inv, struct subject_tokens *out);

/* The day of an option, "2026-03-01"; *out keeps its value when the option isn't given. */
enum exit_code subject_day(const struct invocation *inv, enum arguments_option option,
			   char out[SUBJECT_DAY_BYTES]);

/* Today on this machine. */
void subject_today(char out[SUBJECT_DAY_BYTES]);

#endif
