/* The commands of `ieum`, and what runs them. */
#ifndef IEUM_CLIENT_COMMAND_H
#define IEUM_CLIENT_COMMAND_H

#include <stdint.h>

#include "client/invocation.h"

/* A bit for every option of the table. */
typedef unsigned __int128 command_options;

struct command {
	const char *name;
	const char *const *subs; /* what its first word may be, ends with NULL; NULL: anything */
	size_t min_words;        /* after the name, the sub included */
	size_t max_words;
	command_options options; /* beyond those of every command */
	enum text_id line;
	enum text_id help;
	enum exit_code (*run_cb)(struct invocation *inv);
};

#define COMMAND_OPTION(name) ((command_options)1 << OPTION_##name)
/* The options of every command. */
#define COMMAND_EVERY \
	(COMMAND_OPTION(PROFILE) | COMMAND_OPTION(JSON) | COMMAND_OPTION(LANG) | \
	 COMMAND_OPTION(TIMEOUT) | COMMAND_OPTION(HELP) | COMMAND_OPTION(VERSION))

_Static_assert(OPTION_COUNT_OF <= 8 * sizeof(command_options), "a bit for every option");

/* All of them, ends with a row without name. */
extern const struct command commands[];

enum exit_code cmd_submit(struct invocation *inv);
enum exit_code cmd_inbox(struct invocation *inv);
enum exit_code cmd_pipe(struct invocation *inv);
enum exit_code cmd_spool(struct invocation *inv);
enum exit_code cmd_hub(struct invocation *inv);
enum exit_code cmd_answer(struct invocation *inv);
enum exit_code cmd_settle(struct invocation *inv);
enum exit_code cmd_key(struct invocation *inv);
enum exit_code cmd_case(struct invocation *inv);
enum exit_code cmd_deadlines(struct invocation *inv);
enum exit_code cmd_referral(struct invocation *inv);
enum exit_code cmd_directory(struct invocation *inv);
enum exit_code cmd_reach(struct invocation *inv);
enum exit_code cmd_whoami(struct invocation *inv);
enum exit_code cmd_ping(struct invocation *inv);
enum exit_code cmd_audit(struct invocation *inv);
enum exit_code cmd_ledger(struct invocation *inv); /* audit ledger */
enum exit_code cmd_pool(struct invocation *inv);
enum exit_code cmd_handover(struct invocation *inv);
enum exit_code cmd_queue(struct invocation *inv);
enum exit_code cmd_agenda(struct invocation *inv);
enum exit_code cmd_route(struct invocation *inv);
enum exit_code cmd_policy(struct invocation *inv);
enum exit_code cmd_scenario(struct invocation *inv);
enum exit_code cmd_drill(struct invocation *inv);
enum exit_code cmd_token(struct invocation *inv);
enum exit_code cmd_cert(struct invocation *inv);
enum exit_code cmd_init(struct invocation *inv);

/* The whole run: reads the command line, runs the command, returns the code of exit.  Prints to
 * the two files given, so that tests can look. */
enum exit_code command_main(int argc, char **argv, FILE *out, FILE *err);

#endif
