/* Reading the command line by getopt_long; see arguments.h. */
#include "client/arguments.h"

#include <getopt.h>
#include <string.h>

enum { FIRST_OPTION = 1000 }; /* apart from the characters of short options */

static const struct option_row {
	const char *written;
	bool value;
} rows[] = {
#define X(name, written, value) { written, value },
	IEUM_OPTIONS(X)
#undef X
};

const char *arguments_option_name(enum arguments_option option)
{
	return rows[option].written;
}

bool arguments_takes_value(enum arguments_option option)
{
	return rows[option].value;
}

static bool mistake(struct arguments *a, enum text_id wrong, const char *word)
{
	a->wrong = wrong;
	a->wrong_word = word;
	return false;
}

static bool add_word(struct arguments *a, char *word)
{
	if (a->n_words == ARGUMENTS_WORDS_MAX)
		return mistake(a, TEXT_TOO_MANY_WORDS, word);
	a->words[a->n_words++] = word;
	return true;
}

static bool add_option(struct arguments *a, enum arguments_option option, char *value)
{
	/* Given as often as there are agencies: each is a word of the command, in order. */
	if (option == OPTION_AGENCY) {
		a->given[option] = true;
		return add_word(a, value);
	}
	if (a->given[option])
		return mistake(a, TEXT_OPTION_TWICE, rows[option].written);
	a->given[option] = true;
	a->value[option] = value;
	return true;
}

static bool add(struct arguments *a, int got, char **argv)
{
	switch (got) {
	case 1: return add_word(a, optarg);
	case 'h': return add_option(a, OPTION_HELP, NULL);
	case 'c': return add_option(a, OPTION_COUNT, optarg);
	case 'f': return add_option(a, OPTION_FOLLOW, NULL);
	case ':': return mistake(a, TEXT_OPTION_NEEDS_VALUE, argv[optind - 1]);
	case '?': return mistake(a, TEXT_OPTION_UNKNOWN, argv[optind - 1]);
	default: return add_option(a, (enum arguments_option)(got - FIRST_OPTION), optarg);
	}
}

bool arguments_parse(int argc, char **argv, struct arguments *out)
{
	struct option longs[OPTION_COUNT_OF + 1] = { 0 };
	int got;

	*out = (struct arguments){ 0 };
	for (int i = 0; i < OPTION_COUNT_OF; i++)
		longs[i] =
			(struct option){ .name = rows[i].written,
					 .has_arg = rows[i].value ? required_argument : no_argument,
					 .val = FIRST_OPTION + i };
	optind = 0; /* glibc: begin anew, also when called again */
	/* '-': words come in their place among the options; ':': we speak of mistakes ourselves. */
	while ((got = getopt_long(argc, argv, "-:hc:f", longs, NULL)) != -1) {
		if (!add(out, got, argv))
			return false;
	}
	for (int i = optind; i < argc; i++) {
		if (!add_word(out, argv[i]))
			return false;
	}
	return true;
}
