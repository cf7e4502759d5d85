/* ieum-command-table: what the shells complete, one line each, parts apart by tabs:
 *
 *     command  NAME  its sub-commands  its options, "--x=" with a value  what it does
 *     options  those of every command
 *     words    OPTION or COMMAND  what its value, or its second word, may be
 *
 * Made from the tables of the command itself; completion/make puts it into scripts. */
#include <stdio.h>

#include "client/command.h"
#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

static void print_options(command_options options)
{
	for (int i = 0; i < OPTION_COUNT_OF; i++)
		if (options >> i & 1)
			printf("--%s%s ", arguments_option_name((enum arguments_option)i),
			       arguments_takes_value((enum arguments_option)i) ? "=" : "");
}

static void print_words(const char *of, const ProtobufCEnumDescriptor *type)
{
	char word[PBMAP_WORD_BYTES];

	printf("words\t%s\t", of);
	/* 0 is "unspecified". */
	for (unsigned i = 0; i < type->n_values; i++)
		if (type->values[i].value > 0 && pbmap_enum_word(type, type->values[i].value, word))
			printf("%s ", word);
	putchar('\n');
}

int main(void)
{
	for (const struct command *c = commands; c->name; c++) {
		printf("command\t%s\t", c->name);
		for (const char *const *sub = c->subs; sub && *sub; sub++)
			printf("%s ", *sub);
		putchar('\t');
		print_options(c->options);
		printf("\t%s\n", text(c->line, WORDS_EN));
	}
	printf("options\t");
	print_options(COMMAND_EVERY);
	putchar('\n');
	print_words("answer", &ieum__v1__answer_kind__descriptor);
	print_words("--reason=", &ieum__v1__reason__descriptor);
	print_words("--outcome=", &ieum__v1__outcome__descriptor);
	print_words("--case-category=", &ieum__v1__category__descriptor);
	print_words("--case-state=", &ieum__v1__case_state__descriptor);
	print_words("--replies-to=", &ieum__v1__message_type__descriptor);
	printf("words\t--lang=\ten ko\nwords\t--settle=\tdone none\n");
	return ferror(stdout) ? 1 : 0;
}
