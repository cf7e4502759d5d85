/* Documents with one change, written in YAML's JSON-like style. */
#include "tests/scenarios/edited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

/* Only without quotes a scalar can be a number or true or false. */
static void write_scalar(FILE *out, const char *text, bool plain)
{
	size_t digits = strspn(text + (*text == '-'), "0123456789");
	bool is_number = digits > 0 && text[digits + (*text == '-')] == '\0';

	if (plain && (is_number || strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		fputs(text, out);
	else
		write_quoted(out, text);
}

static void write_node(FILE *out, const struct yaml_node *node, const struct edit *edit)
{
	bool is_map = yaml_kind(node) == YAML_MAP;
	const char *comma = "";

	if (yaml_kind(node) == YAML_NULL) {
		fputs("null", out);
		return;
	}
	if (yaml_kind(node) == YAML_SCALAR) {
		write_scalar(out, yaml_text(node), yaml_plain(node));
		return;
	}
	fputc(is_map ? '{' : '[', out);
	for (size_t i = 0; i < yaml_count(node); i++) {
		bool here = edit->at == node && edit->index == i;

		if (here && !edit->value)
			continue;
		fprintf(out, "%s\n", comma);
		comma = ",";
		if (is_map) {
			write_quoted(out, yaml_text(yaml_key_at(node, i)));
			fputs(": ", out);
		}
		if (here)
			write_scalar(out, edit->value, yaml_plain(yaml_at(node, i)));
		else
			write_node(out, yaml_at(node, i), edit);
	}
	fputc(is_map ? '}' : ']', out);
}

char *edited_text(const struct yaml_node *root, const struct edit *edit, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		abort();
	write_node(out, root, edit);
	fputc('\n', out);
	if (fclose(out) != 0)
		abort();
	return text;
}
