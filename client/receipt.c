/* Receipts; see receipt.h. */
#include "client/receipt.h"

#include <inttypes.h>

#include "client/json_out.h"
#include "client/message.h"
#include "client/shown.h"
#include "client/when.h"

enum exit_code receipt_print(const struct invocation *inv, const Ieum__V1__Receipt *r)
{
	char id[UUID_TEXT_BYTES], when[WHEN_BYTES];

	if (inv->json)
		return json_out_message(inv, &r->base, false);
	if (r->drill)
		fprintf(inv->out, "** %s **\n", say(inv, TEXT_DRILL));
	fprintf(inv->out, say(inv, r->repeated ? TEXT_REPEATED_BY_HUB : TEXT_RECEIVED_BY_HUB),
		shown_id(&r->message_id, id));
	fputc('\n', inv->out);
	fprintf(inv->out, say(inv, TEXT_RECEIPT_JOURNAL), r->journal_number,
		when_time(r->received_at_ms, when));
	fputc('\n', inv->out);
	if (r->case_id.len) {
		fprintf(inv->out, say(inv, TEXT_RECEIPT_CASE), shown_id(&r->case_id, id));
		fputc('\n', inv->out);
	}
	return EXIT_DONE;
}

/* With no receipt it may still be on the hub's disk: the id makes the second attempt harmless. */
static void say_id(const struct invocation *inv, const Ieum__V1__Referral *m)
{
	char id[UUID_TEXT_BYTES];

	shown_id(&m->envelope->message_id, id);
	if (inv->json)
		fprintf(inv->err, "{\"message_id\":\"%s\"}\n", id);
	else
		fprintf(inv->err, say(inv, TEXT_MESSAGE_ID_IS), id), fputc('\n', inv->err);
}

enum exit_code receipt_submit(const struct invocation *inv, struct link *link,
			      Ieum__V1__Referral *m)
{
	const Ieum__V1__Receipt *receipt;
	enum exit_code code;
	bool made;

	code = message_name(inv, m, link_hub_time_ms(link), &made);
	if (!code)
		code = message_check(inv, m);
	if (code)
		return code;
	code = link_submit(link, m, &receipt);
	if (!code)
		return receipt_print(inv, receipt);
	if (made && code != EXIT_REFUSED && code != EXIT_NOT_FOUND && code != EXIT_KEPT)
		say_id(inv, m);
	return code;
}
