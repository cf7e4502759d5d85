/* Identifiers from a file or from options; see subject.h. */
#include "client/subject.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/tokens.h"
#include "client/trouble.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

static const enum arguments_option identifier_options[IEUM_IDENTIFIER_COUNT_OF] = {
	[IEUM_IDENTIFIER_NAME] = OPTION_NAME,   [IEUM_IDENTIFIER_BIRTH] = OPTION_BIRTH,
	[IEUM_IDENTIFIER_SEX] = OPTION_SEX,     [IEUM_IDENTIFIER_GUARDIAN] = OPTION_GUARDIAN,
	[IEUM_IDENTIFIER_PHONE] = OPTION_PHONE, [IEUM_IDENTIFIER_POSTCODE] = OPTION_POSTCODE,
};

void subject_today(char out[SUBJECT_DAY_BYTES])
{
	time_t now = time(NULL);
	struct tm t;

	out[0] = '\0';
	if (localtime_r(&now, &t))
		strftime(out, SUBJECT_DAY_BYTES, "%Y-%m-%d", &t);
}

enum exit_code subject_day(const struct invocation *inv, enum arguments_option option,
			   char out[SUBJECT_DAY_BYTES])
{
	const char *text = value_of(inv, option);
	int64_t days;

	if (!given(inv, option))
		return EXIT_DONE;
	if (!yaml_parse_date(text, &days))
		return trouble_usage(inv, TEXT_DAY_WRONG, text);
	snprintf(out, SUBJECT_DAY_BYTES, "%s", text);
	return EXIT_DONE;
}

/* ---- who ---- */

static void read_identifiers(const struct yaml_node *root, struct yaml_diag *diag,
			     struct ieum_identifiers *out)
{
	static const char *const keys[] = {
#define X(name, word) word,
		IEUM_IDENTIFIERS(X)
#undef X
			NULL
	};

	if (!yaml_check_map(root, keys, diag))
		return;
	/* A text that is too long is for the token's rules to refuse, in their words. */
	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++)
		yaml_opt_text(root, keys[i], YAML_FILE_BYTES_MAX, diag, &out->text[i]);
}

/* The texts borrow from *doc, which is the caller's. */
static enum exit_code read_subject_file(const struct invocation *inv, const char *path,
					struct yaml_doc **doc, struct ieum_identifiers *out)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	enum exit_code code = EXIT_DONE;
	enum ieum_err err;

	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = yaml_doc_open(path, diag, doc);
	if (!err) {
		read_identifiers(yaml_doc_root(*doc), diag, out);
		err = diag->count ? IEUM_E_FILE_INVALID : IEUM_E_OK;
	}
	if (err)
		code = trouble_file(inv, err, diag);
	free(diag);
	return code;
}

/* From --subject or from options of their own, not from both. */
static enum exit_code take_subject(const struct invocation *inv, struct yaml_doc **doc,
				   struct ieum_identifiers *out)
{
	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++) {
		enum arguments_option option = identifier_options[i];

		if (given(inv, option) && given(inv, OPTION_SUBJECT))
			return trouble_usage(inv, TEXT_SUBJECT_TWICE,
					     arguments_option_name(option));
		out->text[i] = value_of(inv, option);
	}
	if (given(inv, OPTION_SUBJECT))
		return read_subject_file(inv, value_of(inv, OPTION_SUBJECT), doc, out);
	return EXIT_DONE;
}

/* ---- the council's key ---- */

static enum exit_code take_key(const struct invocation *inv, struct ieum_council_key **out)
{
	struct yaml_diag *diag;
	enum exit_code code = EXIT_DONE;
	enum ieum_err err;

	if (!given(inv, OPTION_COUNCIL_KEY))
		return trouble_usage(inv, TEXT_OPTION_MISSING,
				     arguments_option_name(OPTION_COUNCIL_KEY));
	diag = malloc(sizeof *diag);
	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = council_key_load(value_of(inv, OPTION_COUNCIL_KEY), diag, out);
	if (err)
		code = trouble_file(inv, err, diag);
	free(diag);
	return code;
}

/* ---- tokens ---- */

/* The mistake is in the file, or in what was typed. */
static enum exit_code say_why(const struct invocation *inv, enum ieum_err err,
			      const struct token_problem *problem, const char *on)
{
	char detail[512] = "";

	if (problem->wrong)
		snprintf(detail, sizeof detail, say(inv, TEXT_FIELD_VALUE),
			 identifier_word(problem->which),
			 identifier_wrong_text(problem->wrong, inv->lang));
	else if (err == IEUM_E_FIELD_MISSING)
		snprintf(detail, sizeof detail, "%s", say(inv, TEXT_TOKENS_TOO_FEW));
	else if (err == IEUM_E_FILE_INVALID)
		snprintf(detail, sizeof detail, say(inv, TEXT_TOKENS_NO_EPOCH), on);
	trouble(inv, err, detail);
	if (err == IEUM_E_NO_MEMORY || err == IEUM_E_INTERNAL)
		return EXIT_FAILED;
	return given(inv, OPTION_SUBJECT) || err == IEUM_E_FILE_INVALID ? EXIT_FILE : EXIT_USAGE;
}

enum exit_code subject_read(const struct invocation *inv, struct subject_tokens *out)
{
	struct ieum_identifiers identifiers = { { NULL } };
	struct ieum_council_key *key = NULL;
	struct yaml_doc *doc = NULL;
	struct token_problem problem;
	enum exit_code code;

	subject_today(out->on);
	code = subject_day(inv, OPTION_ON, out->on);
	if (!code)
		code = take_subject(inv, &doc, &identifiers);
	if (!code)
		code = take_key(inv, &key);
	if (!code) {
		enum ieum_err err = tokens_make(key, &identifiers, out->on, &out->tokens, &problem);

		snprintf(out->council, sizeof out->council, "%s", ieum_council_key_council(key));
		if (err)
			code = say_why(inv, err, &problem, out->on);
	}
	ieum_council_key_free(key);
	yaml_doc_free(doc);
	return code;
}
