/* ieum submit, ieum reach: a message from a file. */
#include <inttypes.h>

#include "client/command.h"
#include "client/json_out.h"
#include "client/message.h"
#include "client/receipt.h"
#include "client/render.h"
#include "client/trouble.h"

typedef enum exit_code message_act(const struct invocation *inv, struct link *link,
				   Ieum__V1__Referral *m);

typedef enum exit_code link_opening(struct invocation *inv, struct link **out);

/* Reads the message that the command line names, connects, and does it. */
static enum exit_code with_message(struct invocation *inv, link_opening *open, message_act *act)
{
	Ieum__V1__Referral *m = NULL;
	struct link *link = NULL;
	enum exit_code code = message_read(inv, inv->words[0], &m);

	if (code)
		return code;
	code = open(inv, &link);
	if (!code)
		code = act(inv, link, m);
	link_close(link);
	ieum__v1__referral__free_unpacked(m, NULL);
	return code;
}

enum exit_code cmd_submit(struct invocation *inv)
{
	return with_message(inv, link_open_to_submit, receipt_submit);
}

static enum exit_code print_reach(const struct invocation *inv, struct link *link,
				  struct pages *pages)
{
	struct pages directory = { 0 };
	struct names names;
	enum exit_code code;

	if (inv->json)
		return json_out_pages(inv, pages);
	link_ask_directory(link, &directory);
	names = (struct names){ directory.page, directory.n };
	code = render_reach(inv, pages, &names);
	pages_free(&directory);
	return code;
}

static enum exit_code ask_reach(const struct invocation *inv, struct link *link,
				Ieum__V1__Referral *m)
{
	Ieum__V1__ReachQuery reach = IEUM__V1__REACH_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct message_outline outline;
	struct pages pages = { 0 };
	enum exit_code code;

	code = message_name(inv, m, link_hub_time_ms(link));
	if (!code)
		code = message_check(inv, m);
	if (code)
		return code;
	if (!message_outline(inv, m, &outline))
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	reach.referral = &outline.m;
	query.what_case = IEUM__V1__QUERY__WHAT_REACH;
	query.reach = &reach;
	code = link_ask(link, &query, &pages);
	message_outline_free(&outline);
	if (!code)
		code = print_reach(inv, link, &pages);
	pages_free(&pages);
	return code;
}

enum exit_code cmd_reach(struct invocation *inv)
{
	return with_message(inv, link_open, ask_reach);
}
