/* ieum settle: deliveries that were got before, by number. */
#include "client/command.h"
#include "client/json_out.h"
#include "client/link.h"
#include "client/trouble.h"
#include "client/values.h"

static enum exit_code take_how(const struct invocation *inv, enum ieum_settle *how)
{
	int asked =
		given(inv, OPTION_DONE) + given(inv, OPTION_RELEASE) + given(inv, OPTION_REFUSE);

	if (asked != 1)
		return trouble_usage(inv, TEXT_SETTLE_WHICH, "");
	*how = given(inv, OPTION_DONE)      ? IEUM_SETTLE_DONE
	       : given(inv, OPTION_RELEASE) ? IEUM_SETTLE_RELEASE
					    : IEUM_SETTLE_REFUSE;
	return EXIT_DONE;
}

/* All numbers are read before the first is settled. */
static enum exit_code check_numbers(const struct invocation *inv)
{
	enum exit_code code = EXIT_DONE;
	uint64_t id;

	for (size_t i = 0; i < inv->n_words && !code; i++)
		code = value_number(inv, inv->words[i], 1, UINT64_MAX, &id);
	return code;
}

enum exit_code cmd_settle(struct invocation *inv)
{
	enum ieum_settle how = IEUM_SETTLE_DONE;
	struct link *link = NULL;
	enum exit_code code = take_how(inv, &how);
	uint64_t id;

	if (!code)
		code = check_numbers(inv);
	if (!code)
		code = link_open(inv, &link);
	for (size_t i = 0; i < inv->n_words && !code; i++) {
		code = value_number(inv, inv->words[i], 1, UINT64_MAX, &id);
		if (!code)
			code = link_settle(link, id, how, value_of(inv, OPTION_REFUSE));
	}
	link_close(link);
	if (code)
		return code;
	if (inv->json)
		return json_out(inv, json_pack("{s:I}", "settled", (json_int_t)inv->n_words));
	fprintf(inv->out, say(inv, TEXT_SETTLED_N), inv->n_words);
	fputc('\n', inv->out);
	return EXIT_DONE;
}
