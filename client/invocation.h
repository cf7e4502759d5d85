/* One run of the command `ieum`: what was asked for, and how to say things. */
#ifndef IEUM_CLIENT_INVOCATION_H
#define IEUM_CLIENT_INVOCATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/arguments.h"
#include "client/exit_code.h"
#include "client/profile.h"
#include "client/texts.h"

enum { INVOCATION_TIMEOUT_MS = 15 * 1000 }; /* unless --timeout says otherwise */

struct command;
struct ieum_keyring;

struct invocation {
	const struct command *command;
	const struct arguments *arguments;
	char *const *words; /* after the command */
	size_t n_words;
	FILE *out;
	FILE *err;
	enum words_lang lang;
	bool json;
	bool colour;
	int64_t timeout_ms;
	struct profile *profile;            /* NULL until a command needs it */
	struct profile *renewed;            /* whose files are used now; NULL: that one's */
	const struct ieum_keyring *keyring; /* the connection's, while there is one; else NULL */
};

static inline const char *say(const struct invocation *inv, enum text_id id)
{
	return text(id, inv->lang);
}

static inline bool given(const struct invocation *inv, enum arguments_option option)
{
	return inv->arguments->given[option];
}

static inline char *value_of(const struct invocation *inv, enum arguments_option option)
{
	return inv->arguments->value[option];
}

#endif
