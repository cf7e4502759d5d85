/* ieum token: blind tokens and the council's key; docs/tokens.md.  Needs no hub. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/command.h"
#include "client/council_key.h"
#include "client/json_out.h"
#include "client/render.h"
#include "client/subject.h"
#include "client/trouble.h"
#include "client/values.h"
#include "proto/utf8.h"

#define MAKE_OPTIONS \
	(COMMAND_OPTION(COUNCIL_KEY) | COMMAND_OPTION(SUBJECT) | COMMAND_OPTION(ON) | \
	 COMMAND_OPTION(NAME) | COMMAND_OPTION(BIRTH) | COMMAND_OPTION(SEX) | \
	 COMMAND_OPTION(GUARDIAN) | COMMAND_OPTION(PHONE) | COMMAND_OPTION(POSTCODE))
#define NEW_KEY_OPTIONS \
	(COMMAND_OPTION(COUNCIL) | COMMAND_OPTION(EPOCH) | COMMAND_OPTION(FROM) | \
	 COMMAND_OPTION(UNTIL) | COMMAND_OPTION(OUT))

enum {
	TOKEN_TEXT_BYTES = 4 * ((IEUM_TOKEN_BYTES + 2) / 3) + 1, /* base64 */
	EPOCH_DAYS = 455, /* unless --until says otherwise: a year, and 90 days beside the next */
};

/* Options of the other sub-command. */
static enum exit_code refuse_options(const struct invocation *inv, command_options foreign)
{
	for (int i = 0; i < OPTION_COUNT_OF; i++) {
		if (given(inv, (enum arguments_option)i) && foreign >> i & 1)
			return trouble_usage(inv, TEXT_OPTION_NOT_HERE,
					     arguments_option_name((enum arguments_option)i));
	}
	return EXIT_DONE;
}

/* ---- make ---- */

static void token_text(const struct ieum_token *token, char out[TOKEN_TEXT_BYTES])
{
	EVP_EncodeBlock((uint8_t *)out, token->bytes, IEUM_TOKEN_BYTES);
}

static enum exit_code print_json(const struct invocation *inv, const struct subject_tokens *made)
{
	char token[TOKEN_TEXT_BYTES];
	json_t *list = json_array();

	for (size_t i = 0; i < made->tokens.n; i++) {
		const struct ieum_token *t = &made->tokens.at[i];

		token_text(t, token);
		json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "kind",
						      ieum_token_kind_word(t->bytes[0]), "epoch",
						      (int)t->bytes[1], "token", token));
	}
	return json_out(inv, json_pack("{s:s, s:s, s:o}", "council", made->council, "on", made->on,
				       "tokens", list));
}

static const char *kind_text(const struct invocation *inv, int kind)
{
	static const enum text_id texts[] = {
#define X(number, name, word) [number] = TEXT_TOKEN_##name,
		IEUM_TOKEN_KINDS(X)
#undef X
	};

	return say(inv, texts[kind]);
}

static enum exit_code print_tokens(const struct invocation *inv, const struct subject_tokens *made)
{
	char token[TOKEN_TEXT_BYTES];
	struct sheet s;

	if (inv->json)
		return print_json(inv, made);
	sheet_begin(&s, inv);
	sheet_column(&s, TEXT_KIND, TABLE_LEFT, 0);
	sheet_column(&s, TEXT_EPOCH, TABLE_RIGHT, 0);
	sheet_column(&s, TEXT_TOKEN, TABLE_LEFT, 0);
	for (size_t i = 0; i < made->tokens.n; i++) {
		const struct ieum_token *t = &made->tokens.at[i];

		token_text(t, token);
		sheet_row(&s);
		sheet_cell(&s, kind_text(inv, t->bytes[0]));
		sheet_number(&s, t->bytes[1]);
		sheet_cell(&s, token);
	}
	return sheet_end(&s);
}

static enum exit_code make(const struct invocation *inv)
{
	struct subject_tokens made;
	enum exit_code code = refuse_options(inv, NEW_KEY_OPTIONS);

	if (!code)
		code = subject_read(inv, &made);
	return code ? code : print_tokens(inv, &made);
}

/* ---- new-key ---- */

static void day_text(int64_t days, char out[SUBJECT_DAY_BYTES])
{
	time_t s = (time_t)(days * 24 * 3600);
	struct tm t;

	out[0] = '\0';
	if (gmtime_r(&s, &t))
		strftime(out, SUBJECT_DAY_BYTES, "%Y-%m-%d", &t);
}

static enum exit_code take_days(const struct invocation *inv, char from[SUBJECT_DAY_BYTES],
				char until[SUBJECT_DAY_BYTES])
{
	enum exit_code code;
	int64_t days = 0;

	subject_today(from);
	code = subject_day(inv, OPTION_FROM, from);
	if (code)
		return code;
	if (yaml_parse_date(from, &days))
		day_text(days + EPOCH_DAYS - 1, until);
	code = subject_day(inv, OPTION_UNTIL, until);
	if (!code && (strlen(until) >= COUNCIL_DAY_BYTES || strcmp(until, from) < 0))
		code = trouble_usage(inv, TEXT_OPTION_VALUE, arguments_option_name(OPTION_UNTIL));
	return code;
}

/* A name that the file can hold and a person can read. */
static bool name_fits(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7F)
			return false;
	}
	return n > 0 && n <= COUNCIL_NAME_BYTES_MAX && utf8_text_valid((const uint8_t *)name, n);
}

/* The file's key when there is a file, else an empty one of --council. */
static enum exit_code take_file(const struct invocation *inv, const char *path,
				struct ieum_council_key **out)
{
	const char *council = value_of(inv, OPTION_COUNCIL);
	struct yaml_diag *diag;
	enum exit_code code = EXIT_DONE;
	enum ieum_err err;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		if (!given(inv, OPTION_COUNCIL))
			return trouble_usage(inv, TEXT_OPTION_MISSING,
					     arguments_option_name(OPTION_COUNCIL));
		if (!name_fits(council))
			return trouble_usage(inv, TEXT_OPTION_VALUE,
					     arguments_option_name(OPTION_COUNCIL));
		*out = calloc(1, sizeof **out);
		if (!*out)
			return trouble(inv, IEUM_E_NO_MEMORY, NULL);
		snprintf((*out)->council, sizeof(*out)->council, "%s", council);
		return EXIT_DONE;
	}
	diag = malloc(sizeof *diag);
	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = council_key_load(path, diag, out);
	if (err)
		code = trouble_file(inv, err, diag);
	else if (given(inv, OPTION_COUNCIL) && strcmp(council, (*out)->council) != 0)
		code = trouble_usage(inv, TEXT_COUNCIL_OTHER, (*out)->council);
	free(diag);
	return code;
}

/* On how many days the new epoch is valid beside an earlier one. */
static int64_t overlap_days(const struct ieum_council_key *key)
{
	const struct council_epoch *fresh = &key->epochs[key->n_epochs - 1];
	int64_t most = 0, from, until;

	for (size_t i = 0; i + 1 < key->n_epochs; i++) {
		const struct council_epoch *e = &key->epochs[i];
		const char *begin = strcmp(e->from, fresh->from) > 0 ? e->from : fresh->from;
		const char *end = strcmp(e->until, fresh->until) < 0 ? e->until : fresh->until;

		if (yaml_parse_date(begin, &from) && yaml_parse_date(end, &until) &&
		    until - from + 1 > most)
			most = until - from + 1;
	}
	return most;
}

static enum exit_code print_epoch(const struct invocation *inv, const struct ieum_council_key *key)
{
	const struct council_epoch *fresh = &key->epochs[key->n_epochs - 1];
	int64_t overlap = overlap_days(key);

	if (inv->json)
		return json_out(inv,
				json_pack("{s:s, s:i, s:s, s:s, s:I}", "council", key->council,
					  "epoch", (int)fresh->number, "from", fresh->from, "until",
					  fresh->until, "overlap_days", (json_int_t)overlap));
	fprintf(inv->out, say(inv, TEXT_EPOCH_MADE), key->council, (int)fresh->number, fresh->from,
		fresh->until);
	fputc('\n', inv->out);
	if (key->n_epochs == 1)
		return EXIT_DONE;
	if (overlap)
		fprintf(inv->out, say(inv, TEXT_EPOCH_OVERLAP), overlap);
	else
		fputs(say(inv, TEXT_EPOCH_NO_OVERLAP), inv->out);
	fputc('\n', inv->out);
	return EXIT_DONE;
}

static enum exit_code add_epoch(const struct invocation *inv, struct ieum_council_key *key,
				const char *path)
{
	uint64_t number = key->n_epochs ? key->epochs[key->n_epochs - 1].number + 1u : 1;
	char from[SUBJECT_DAY_BYTES], until[SUBJECT_DAY_BYTES];
	enum exit_code code = take_days(inv, from, until);
	enum ieum_err err;

	if (!code && given(inv, OPTION_EPOCH))
		code = value_number(inv, value_of(inv, OPTION_EPOCH), number, COUNCIL_EPOCH_MAX,
				    &number);
	if (code)
		return code;
	err = council_key_add(key, (int)number, from, until);
	if (err == IEUM_E_STATE_CONFLICT)
		return trouble_usage(inv, TEXT_EPOCHS_A_DAY, from);
	if (err) {
		trouble(inv, err, say(inv, TEXT_EPOCHS_FULL));
		return EXIT_FILE;
	}
	if (council_key_write(key, path) != IEUM_E_OK)
		return trouble_errno(inv, path);
	return print_epoch(inv, key);
}

static enum exit_code new_key(const struct invocation *inv)
{
	const char *path = value_of(inv, OPTION_OUT);
	struct ieum_council_key *key = NULL;
	enum exit_code code = refuse_options(inv, MAKE_OPTIONS);

	if (!code && !given(inv, OPTION_OUT))
		code = trouble_usage(inv, TEXT_OPTION_MISSING, arguments_option_name(OPTION_OUT));
	if (!code)
		code = take_file(inv, path, &key);
	if (!code && key)
		code = add_epoch(inv, key, path);
	ieum_council_key_free(key);
	return code;
}

enum exit_code cmd_token(struct invocation *inv)
{
	return strcmp(inv->words[0], "make") == 0 ? make(inv) : new_key(inv);
}
