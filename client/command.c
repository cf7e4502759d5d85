/* From the command line to a command; see command.h. */
#include "client/command.h"

#include <string.h>

#include "client/table.h"
#include "client/trouble.h"
#include "client/values.h"
#include "client/version.h"
#include "proto/catalog.h"

#define MESSAGE_OPTIONS \
	(COMMAND_OPTION(CASE) | COMMAND_OPTION(OPEN_CASE) | COMMAND_OPTION(REPLY_TO) | \
	 COMMAND_OPTION(TEXT) | COMMAND_OPTION(SUBJECT) | COMMAND_OPTION(COUNCIL_KEY) | \
	 COMMAND_OPTION(ON))

#define TOKEN_OPTIONS \
	(COMMAND_OPTION(COUNCIL_KEY) | COMMAND_OPTION(SUBJECT) | COMMAND_OPTION(ON) | \
	 COMMAND_OPTION(NAME) | COMMAND_OPTION(BIRTH) | COMMAND_OPTION(SEX) | \
	 COMMAND_OPTION(GUARDIAN) | COMMAND_OPTION(PHONE) | COMMAND_OPTION(POSTCODE) | \
	 COMMAND_OPTION(COUNCIL) | COMMAND_OPTION(EPOCH) | COMMAND_OPTION(FROM) | \
	 COMMAND_OPTION(UNTIL) | COMMAND_OPTION(OUT))

static const char *const cert_subs[] = { "request", "show", NULL };
static const char *const key_subs[] = { "wrap", "refuse", NULL };
static const char *const hub_subs[] = { "copied", NULL };
static const char *const spool_subs[] = {
	"list", "send", "check", "salvage", "drop", "resend", NULL
};
static const char *const case_subs[] = { "list", "show", "timeline", NULL };
static const char *const show_subs[] = { "show", NULL };
static const char *const audit_subs[] = { "verify", "ledger", NULL };
static const char *const handover_subs[] = { "plan", "list", "status", "confirm", NULL };
static const char *const pool_subs[] = { "list", "show", NULL };
static const char *const queue_subs[] = { "list", "show", NULL };
static const char *const token_subs[] = { "make", "new-key", NULL };
static const char *const route_subs[] = { "explain", NULL };
static const char *const policy_subs[] = { "check", "test", NULL };
static const char *const scenario_subs[] = { "show", NULL };
static const char *const drill_subs[] = { "advance", NULL };

/* clang-format off */
const struct command commands[] = {
	{ "submit",    NULL,       1, 1,    MESSAGE_OPTIONS | COMMAND_OPTION(SEAL) |
					    COMMAND_OPTION(ON_BEHALF_OF) | COMMAND_OPTION(MESSAGE_ID),
	  TEXT_LINE_SUBMIT, TEXT_HELP_SUBMIT, cmd_submit },
	{ "inbox",     NULL,       0, 0,    COMMAND_OPTION(FOLLOW) | COMMAND_OPTION(LIMIT) |
					    COMMAND_OPTION(SETTLE) | COMMAND_OPTION(WAIT) |
					    COMMAND_OPTION(NOTIFY),
	  TEXT_LINE_INBOX, TEXT_HELP_INBOX, cmd_inbox },
	{ "answer",    NULL,       2, 2,    COMMAND_OPTION(REASON) | COMMAND_OPTION(REMARK) |
					    COMMAND_OPTION(UNTIL) | COMMAND_OPTION(OUTCOME) |
					    COMMAND_OPTION(SCHEDULED) | COMMAND_OPTION(REQUEST) |
					    COMMAND_OPTION(TEXT) | COMMAND_OPTION(SEAL) |
					    COMMAND_OPTION(ON_BEHALF_OF) | COMMAND_OPTION(MESSAGE_ID),
	  TEXT_LINE_ANSWER, TEXT_HELP_ANSWER, cmd_answer },
	{ "settle",    NULL,       1, 1000, COMMAND_OPTION(DONE) | COMMAND_OPTION(RELEASE) |
					    COMMAND_OPTION(REFUSE),
	  TEXT_LINE_SETTLE, TEXT_HELP_SETTLE, cmd_settle },
	{ "key",       key_subs,   2, 2,    COMMAND_OPTION(REASON) | COMMAND_OPTION(REMARK),
	  TEXT_LINE_KEY, TEXT_HELP_KEY, cmd_key },
	{ "pipe",      NULL,       0, 0,    COMMAND_OPTION(PLAIN) | COMMAND_OPTION(SEAL),
	  TEXT_LINE_PIPE, TEXT_HELP_PIPE, cmd_pipe },
	{ "case",      case_subs,  1, 2,    COMMAND_OPTION(CLOSED),
	  TEXT_LINE_CASE, TEXT_HELP_CASE, cmd_case },
	{ "deadlines", NULL,       0, 0,    COMMAND_OPTION(BREACHED),
	  TEXT_LINE_DEADLINES, TEXT_HELP_DEADLINES, cmd_deadlines },
	{ "referral",  show_subs,  2, 2,    0,
	  TEXT_LINE_REFERRAL, TEXT_HELP_REFERRAL, cmd_referral },
	{ "agenda",    NULL,       1, 1,    0,
	  TEXT_LINE_AGENDA, TEXT_HELP_AGENDA, cmd_agenda },
	{ "directory", NULL,       0, 0,    COMMAND_OPTION(KIND),
	  TEXT_LINE_DIRECTORY, TEXT_HELP_DIRECTORY, cmd_directory },
	{ "reach",     NULL,       1, 1,    MESSAGE_OPTIONS | COMMAND_OPTION(SEAL),
	  TEXT_LINE_REACH, TEXT_HELP_REACH, cmd_reach },
	{ "whoami",    NULL,       0, 0,    0,
	  TEXT_LINE_WHOAMI, TEXT_HELP_WHOAMI, cmd_whoami },
	{ "ping",      NULL,       0, 0,    COMMAND_OPTION(COUNT),
	  TEXT_LINE_PING, TEXT_HELP_PING, cmd_ping },
	{ "audit",     audit_subs, 2, 2,    COMMAND_OPTION(EARLIER) | COMMAND_OPTION(CASE) |
					    COMMAND_OPTION(TOKEN) | COMMAND_OPTION(PARTICIPANT),
	  TEXT_LINE_AUDIT, TEXT_HELP_AUDIT, cmd_audit },
	{ "pool",      pool_subs,  1, 2,    0,
	  TEXT_LINE_POOL, TEXT_HELP_POOL, cmd_pool },
	{ "handover",  handover_subs, 1, 2, COMMAND_OPTION(FROM) | COMMAND_OPTION(TO) |
					    COMMAND_OPTION(JURISDICTION),
	  TEXT_LINE_HANDOVER, TEXT_HELP_HANDOVER, cmd_handover },
	{ "queue",     queue_subs, 1, 2,    COMMAND_OPTION(DEAD_LETTERS),
	  TEXT_LINE_QUEUE, TEXT_HELP_QUEUE, cmd_queue },
	{ "spool",     spool_subs, 1, 2,    0,
	  TEXT_LINE_SPOOL, TEXT_HELP_SPOOL, cmd_spool },
	{ "hub",       hub_subs,   2, 3,    0,
	  TEXT_LINE_HUB, TEXT_HELP_HUB, cmd_hub },
	{ "token",     token_subs, 1, 1,    TOKEN_OPTIONS,
	  TEXT_LINE_TOKEN, TEXT_HELP_TOKEN, cmd_token },
	{ "cert",      cert_subs,  1, 2,    COMMAND_OPTION(OUT) | COMMAND_OPTION(HUB) |
					    COMMAND_OPTION(KIND) | COMMAND_OPTION(PARTICIPANT) |
					    COMMAND_OPTION(NAME) | COMMAND_OPTION(HOST),
	  TEXT_LINE_CERT, TEXT_HELP_CERT, cmd_cert },
	{ "route",     route_subs, 2, 2,    MESSAGE_OPTIONS | COMMAND_OPTION(HUB) |
					    COMMAND_OPTION(SENDER) | COMMAND_OPTION(AT) |
					    COMMAND_OPTION(CASE_CATEGORY) | COMMAND_OPTION(CASE_STATE) |
					    COMMAND_OPTION(CASE_OWNER) | COMMAND_OPTION(EXCLUDED) |
					    COMMAND_OPTION(COUNTED) | COMMAND_OPTION(REPLIES_TO),
	  TEXT_LINE_ROUTE, TEXT_HELP_ROUTE, cmd_route },
	{ "policy",    policy_subs, 2, 100, 0,
	  TEXT_LINE_POLICY, TEXT_HELP_POLICY, cmd_policy },
	{ "init",      NULL,       0, 256,  COMMAND_OPTION(HUB) | COMMAND_OPTION(JURISDICTION) |
					    COMMAND_OPTION(LISTEN) | COMMAND_OPTION(HOST) |
					    COMMAND_OPTION(AGENCY) | COMMAND_OPTION(DIR),
	  TEXT_LINE_INIT, TEXT_HELP_INIT, cmd_init },
	{ "scenario",  scenario_subs, 2, 100, 0,
	  TEXT_LINE_SCENARIO, TEXT_HELP_SCENARIO, cmd_scenario },
	{ "drill",     drill_subs, 2, 4,    0,
	  TEXT_LINE_DRILL, TEXT_HELP_DRILL, cmd_drill },
	{ NULL, NULL, 0, 0, 0, TEXT_HELP_BEGIN, TEXT_HELP_BEGIN, NULL },
};
/* clang-format on */

static enum exit_code print_help(const struct invocation *inv)
{
	static const struct {
		int number;
		const char *text;
	} exits[] = {
#define X(number, name, text) { number, text },
		IEUM_EXITS(X)
#undef X
	};

	if (inv->command) {
		fputs(say(inv, inv->command->help), inv->out);
		return EXIT_DONE;
	}
	fputs(say(inv, TEXT_HELP_BEGIN), inv->out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(inv->out, "  %-11s %s\n", c->name, say(inv, c->line));
	fputs(say(inv, TEXT_HELP_OPTIONS), inv->out);
	for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
		fprintf(inv->out, "  %d  %s\n", exits[i].number,
			catalog_text(inv->lang, exits[i].text));
	fputs(say(inv, TEXT_HELP_PROFILE), inv->out);
	return EXIT_DONE;
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static bool among(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/* Do the options and words go with the command? */
static enum exit_code check_command(const struct invocation *inv)
{
	const struct command *c = inv->command;

	for (int i = 0; i < OPTION_COUNT_OF; i++) {
		if (given(inv, (enum arguments_option)i) &&
		    !((c->options | COMMAND_EVERY) >> i & 1))
			return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
					     arguments_option_name((enum arguments_option)i));
	}
	if (c->subs && inv->n_words > 0 && !among(inv->words[0], c->subs))
		return trouble_usage(inv, TEXT_WORD_UNKNOWN, inv->words[0]);
	if (inv->n_words < c->min_words)
		return trouble_usage(inv, TEXT_WORD_MISSING,
				     inv->n_words ? inv->words[inv->n_words - 1] : c->name);
	if (inv->n_words > c->max_words)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[c->max_words]);
	return EXIT_DONE;
}

/* --lang, else the profile's, else the locale's. */
static enum words_lang choose_language(const struct invocation *inv)
{
	enum words_lang lang = words_lang_chosen(NULL);
	char path[PROFILE_PATH_BYTES];

	if (!given(inv, OPTION_LANG) &&
	    profile_path(value_of(inv, OPTION_PROFILE), path) == IEUM_E_OK)
		(void)profile_says_language(path, &lang);
	return lang;
}

/* Language and manner, before anything is said. */
static enum exit_code take_manner(struct invocation *inv)
{
	inv->lang = choose_language(inv);
	inv->json = given(inv, OPTION_JSON);
	inv->colour = !inv->json && table_colour_wanted(inv->out);
	inv->timeout_ms = INVOCATION_TIMEOUT_MS;
	if (given(inv, OPTION_LANG) && !words_lang_named(value_of(inv, OPTION_LANG), &inv->lang))
		return trouble_usage(inv, TEXT_WORD_UNKNOWN, value_of(inv, OPTION_LANG));
	/* For what is not said through an invocation: mistakes in files. */
	catalog_use(inv->lang);
	if (given(inv, OPTION_TIMEOUT))
		return value_duration(inv, value_of(inv, OPTION_TIMEOUT), &inv->timeout_ms);
	return EXIT_DONE;
}

/* A full disk or a closed pipe must not look like success. */
static enum exit_code check_output(const struct invocation *inv, enum exit_code code)
{
	if ((fflush(inv->out) || ferror(inv->out)) && code == EXIT_DONE)
		return trouble_output(inv);
	return code;
}

static enum exit_code run(struct invocation *inv)
{
	enum exit_code code = take_manner(inv);

	if (code)
		return code;
	if (inv->arguments->wrong_word)
		return trouble_usage(inv, inv->arguments->wrong, inv->arguments->wrong_word);
	if (given(inv, OPTION_VERSION)) {
		fputs("ieum " IEUM_CLIENT_VERSION "\n", inv->out);
		return EXIT_DONE;
	}
	if (inv->arguments->n_words > 0) {
		inv->command = find_command(inv->arguments->words[0]);
		if (!inv->command)
			return trouble_usage(inv, TEXT_COMMAND_UNKNOWN, inv->arguments->words[0]);
		inv->words = inv->arguments->words + 1;
		inv->n_words = inv->arguments->n_words - 1;
	}
	if (given(inv, OPTION_HELP))
		return print_help(inv);
	if (!inv->command)
		return trouble_usage(inv, TEXT_COMMAND_MISSING, "");
	code = check_command(inv);
	return code ? code : inv->command->run_cb(inv);
}

enum exit_code command_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct arguments arguments;
	struct invocation inv = { .arguments = &arguments, .out = out, .err = err };
	enum exit_code code;

	arguments_parse(argc, argv, &arguments);
	code = check_output(&inv, run(&inv));
	profile_free(inv.profile);
	profile_free(inv.renewed);
	return code;
}
