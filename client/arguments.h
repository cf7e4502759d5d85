/* The command line of `ieum`: options in any place, checked against the command they go with.
 *
 * Borrows the texts of argv. */
#ifndef IEUM_CLIENT_ARGUMENTS_H
#define IEUM_CLIENT_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/texts.h"

enum { ARGUMENTS_WORDS_MAX = 1024 };

/* X(name, how it is written, takes a value) */
/* clang-format off */
#define IEUM_OPTIONS(X) \
	X(PROFILE,      "profile",      true) \
	X(JSON,         "json",         false) \
	X(LANG,         "lang",         true) \
	X(TIMEOUT,      "timeout",      true) \
	X(HELP,         "help",         false) \
	X(VERSION,      "version",      false) \
	X(CASE,         "case",         true) \
	X(OPEN_CASE,    "open-case",    false) \
	X(REPLY_TO,     "reply-to",     true) \
	X(TEXT,         "text",         true) \
	X(FOLLOW,       "follow",       false) \
	X(LIMIT,        "limit",        true) \
	X(SETTLE,       "settle",       true) \
	X(WAIT,         "wait",         true) \
	X(NOTIFY,       "notify",       false) \
	X(REASON,       "reason",       true) \
	X(REMARK,       "remark",       true) \
	X(UNTIL,        "until",        true) \
	X(OUTCOME,      "outcome",      true) \
	X(SCHEDULED,    "scheduled",    true) \
	X(REQUEST,      "request",      true) \
	X(DONE,         "done",         false) \
	X(RELEASE,      "release",      false) \
	X(REFUSE,       "refuse",       true) \
	X(CLOSED,       "closed",       false) \
	X(KIND,         "kind",         true) \
	X(COUNT,        "count",        true) \
	X(DEAD_LETTERS, "dead-letters", false) \
	X(EARLIER,      "earlier",      true) \
	X(TOKEN,        "token",        true) \
	X(PARTICIPANT,  "participant",  true) \
	X(COUNCIL_KEY,  "council-key",  true) \
	X(SUBJECT,      "subject",      true) \
	X(ON,           "on",           true) \
	X(NAME,         "name",         true) \
	X(BIRTH,        "birth",        true) \
	X(SEX,          "sex",          true) \
	X(GUARDIAN,     "guardian",     true) \
	X(PHONE,        "phone",        true) \
	X(POSTCODE,     "postcode",     true) \
	X(COUNCIL,      "council",      true) \
	X(EPOCH,        "epoch",        true) \
	X(FROM,         "from",         true) \
	X(TO,           "to",           true) \
	X(JURISDICTION, "jurisdiction", true) \
	X(OUT,          "out",          true) \
	X(HUB,          "hub",          true) \
	X(SENDER,       "sender",       true) \
	X(AT,           "at",           true) \
	X(CASE_CATEGORY, "case-category", true) \
	X(CASE_STATE,   "case-state",   true) \
	X(CASE_OWNER,   "case-owner",   true) \
	X(EXCLUDED,     "excluded",     true) \
	X(COUNTED,      "counted",      true) \
	X(REPLIES_TO,   "replies-to",   true) \
	X(PLAIN,        "plain",        false) \
	X(SEAL,         "seal",         false) \
	X(BREACHED,     "breached",     false) \
	X(DIR,          "dir",          true) \
	X(LISTEN,       "listen",       true) \
	X(HOST,         "host",         true) \
	X(AGENCY,       "agency",       true) \
	X(ON_BEHALF_OF, "on-behalf-of", true) \
	X(MESSAGE_ID,   "message-id",   true)
/* clang-format on */

enum arguments_option {
#define X(name, written, value) OPTION_##name,
	IEUM_OPTIONS(X)
#undef X
		OPTION_COUNT_OF
};

struct arguments {
	bool given[OPTION_COUNT_OF];
	char *value[OPTION_COUNT_OF];
	char *words[ARGUMENTS_WORDS_MAX]; /* what is no option, in order */
	size_t n_words;

	/* With a mistake: what, about which word. */
	enum text_id wrong;
	const char *wrong_word;
};

/* False with a mistake.  argv[0] is passed over. */
bool arguments_parse(int argc, char **argv, struct arguments *out);

/* "follow"; without the dashes. */
const char *arguments_option_name(enum arguments_option option);
bool arguments_takes_value(enum arguments_option option);

#endif
