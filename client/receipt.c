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

enum exit_code receipt_submit(const struct invocation *inv, struct link *link,
			      Ieum__V1__Referral *m)
{
	const Ieum__V1__Receipt *receipt;
	enum exit_code code = message_check(inv, m);

	if (!code)
		code = link_submit(link, m, &receipt);
	if (!code)
		code = receipt_print(inv, receipt);
	fflush(inv->out); /* whatever ends us while the rest of the spool is sent */
	return code;
}
