/* Makes tokens.json of token_cases.yaml: what our own code gives for each case, one a line.
 *
 *     ieum-token-vectors tests/vectors/token_cases.yaml > tests/vectors/tokens.json
 *
 * tests/vectors/tokens.py, which is not made of our code, says whether that is right. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tokens.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"

enum { LINE = JSON_COMPACT | JSON_ENSURE_ASCII };

static struct yaml_diag diag;

static json_t *hex(const uint8_t *bytes, size_t n)
{
	char text[2 * TOKEN_MESSAGE_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

/* Bytes of hexadecimal text; false when it is none. */
static bool unhex(const char *text, char out[LETTERS_TEXT_BYTES_MAX])
{
	size_t n = strlen(text) / 2;

	if (n >= LETTERS_TEXT_BYTES_MAX || strspn(text, "0123456789abcdef") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

		out[i] = (char)strtoul(byte, NULL, 16);
	}
	out[n] = '\0';
	return true;
}

/* The lines of one list, with commas between. */
static void print_line(json_t *line, bool *first)
{
	fputs(*first ? "\n" : ",\n", stdout);
	json_dumpf(line, stdout, LINE);
	json_decref(line);
	*first = false;
}

static json_t *refusal(const char *identifier, enum identifier_wrong wrong)
{
	return identifier ? json_sprintf("%s: %s", identifier, identifier_wrong_word(wrong))
			  : json_string(identifier_wrong_word(wrong));
}

static void print_identifier(enum ieum_identifier which, const char *text, bool is_hex, bool *first)
{
	char form[IDENTIFIER_FORM_BYTES], bytes[LETTERS_TEXT_BYTES_MAX];
	json_t *line = json_pack("{s:s, s:s}", "identifier", identifier_word(which),
				 is_hex ? "hex" : "text", text);
	enum identifier_wrong wrong;

	if (is_hex && !unhex(text, bytes))
		abort();
	wrong = identifier_form(which, is_hex ? bytes : text, form);
	if (wrong)
		json_object_set_new(line, "refused", refusal(NULL, wrong));
	else
		json_object_set_new(line, "form", json_string(form));
	print_line(line, first);
}

static void print_identifiers(const struct yaml_node *cases, bool is_hex, bool *first)
{
	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++) {
		enum ieum_identifier which = (enum ieum_identifier)i;
		const struct yaml_node *list = yaml_get(cases, identifier_word(which));

		for (size_t n = 0; n < yaml_count(list); n++)
			print_identifier(which, yaml_text(yaml_at(list, n)), is_hex, first);
	}
}

static json_t *token_list(const struct ieum_tokens *tokens, const struct token_forms *forms)
{
	uint8_t message[TOKEN_MESSAGE_BYTES_MAX];
	json_t *list = json_array();

	for (size_t i = 0; i < tokens->n; i++) {
		const uint8_t *token = tokens->at[i].bytes;
		size_t n = token_message((enum ieum_token_kind)token[0], token[1], forms, message);

		json_array_append_new(list, json_pack("{s:s, s:i, s:o, s:o}", "kind",
						      ieum_token_kind_word(token[0]), "epoch",
						      (int)token[1], "message", hex(message, n),
						      "token", hex(token, IEUM_TOKEN_BYTES)));
	}
	return list;
}

static void print_subject(const struct ieum_council_key *key, const struct yaml_node *node,
			  bool *first)
{
	const char *on = yaml_text(yaml_get(node, "on"));
	struct ieum_identifiers identifiers = { { NULL } };
	struct token_problem problem;
	struct token_forms forms;
	struct ieum_tokens tokens;
	json_t *known = json_object(), *line;
	enum ieum_err err;

	for (int i = 0; i < IEUM_IDENTIFIER_COUNT_OF; i++) {
		const char *word = identifier_word((enum ieum_identifier)i);

		identifiers.text[i] = yaml_text(yaml_get(node, word));
		if (identifiers.text[i])
			json_object_set_new(known, word, json_string(identifiers.text[i]));
	}
	line = json_pack("{s:s, s:o}", "on", on, "identifiers", known);
	err = tokens_make(key, &identifiers, on, &tokens, &problem);
	if (problem.wrong)
		json_object_set_new(line, "refused",
				    refusal(identifier_word(problem.which), problem.wrong));
	else if (err)
		json_object_set_new(line, "refused",
				    json_string(err == IEUM_E_FILE_INVALID ? "no_epoch"
									   : "too_few"));
	else if (!token_forms_make(&identifiers, on, &forms, &problem))
		json_object_set_new(line, "tokens", token_list(&tokens, &forms));
	print_line(line, first);
}

/* The key file's part comes first, while the keys are still in the document. */
static void print_epochs(const struct yaml_node *epochs)
{
	static const char *const texts[] = { "key", "from", "until" };
	bool first = true;

	for (size_t i = 0; i < yaml_count(epochs); i++) {
		const struct yaml_node *epoch = yaml_at(epochs, i);
		int64_t number = 0;
		json_t *line;

		yaml_opt_int(epoch, "epoch", 1, COUNCIL_EPOCH_MAX, &diag, &number);
		line = json_pack("{s:I}", "epoch", (json_int_t)number);
		for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
			json_object_set_new(line, texts[t],
					    json_string(yaml_text(yaml_get(epoch, texts[t]))));
		print_line(line, &first);
	}
}

static void print_all(const struct yaml_node *root, struct ieum_council_key *key)
{
	const struct yaml_node *key_file = yaml_get(root, "council_key");
	const struct yaml_node *subjects = yaml_get(root, "subjects");
	bool first = true;

	fputs("{\"epochs\": [", stdout);
	print_epochs(yaml_get(key_file, "epochs"));
	council_key_read(key_file, &diag, key);
	fputs("\n],\n\"identifiers\": [", stdout);
	print_identifiers(yaml_get(root, "identifiers"), false, &first);
	print_identifiers(yaml_get(root, "bytes"), true, &first);
	fputs("\n],\n\"subjects\": [", stdout);
	first = true;
	for (size_t i = 0; i < yaml_count(subjects); i++)
		print_subject(key, yaml_at(subjects, i), &first);
	fputs("\n]}\n", stdout);
}

int main(int argc, char **argv)
{
	static const char *const keys[] = { "council_key", "identifiers", "bytes", "subjects",
					    NULL };
	struct ieum_council_key *key = calloc(1, sizeof *key);
	struct yaml_doc *doc = NULL;

	yaml_diag_init(&diag);
	if (argc != 2 || !key) {
		free(key);
		fputs("usage: ieum-token-vectors CASES.yaml\n", stderr);
		return 2;
	}
	if (!yaml_doc_open(argv[1], &diag, &doc) && yaml_check_map(yaml_doc_root(doc), keys, &diag))
		print_all(yaml_doc_root(doc), key);
	yaml_doc_free(doc);
	ieum_council_key_free(key);
	yaml_diag_print(&diag, stderr);
	return diag.count || fflush(stdout) ? 1 : 0;
}
