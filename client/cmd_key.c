/* ieum key: a newcomer may open what was sealed before it came, or may not. */
#include <string.h>

#include "client/command.h"
#include "client/link.h"
#include "client/receipt.h"
#include "client/shown.h"
#include "client/trouble.h"
#include "client/values.h"

/* The request, of the hub: good until *pages are freed. */
static enum exit_code ask_request(const struct invocation *inv, struct link *link,
				  struct pages *pages, const Ieum__V1__Referral **out)
{
	Ieum__V1__ReferralQuery one = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	char detail[SHOWN_BYTES];
	uint8_t id[UUID_BYTES];
	enum exit_code code = value_id(inv, inv->words[1], id);

	if (code)
		return code;
	one.message_id = (ProtobufCBinaryData){ UUID_BYTES, id };
	query.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	query.referral = &one;
	code = link_ask(link, &query, pages);
	if (code)
		return code;
	*out = pages->page[0]->referral->referral;
	if (*out && (*out)->body_case == IEUM__V1__REFERRAL__BODY_KEY_REQUEST)
		return EXIT_DONE;
	snprintf(detail, sizeof detail, say(inv, TEXT_KEY_NOT_ASKED), inv->words[1]);
	trouble(inv, IEUM_E_FIELD_INVALID, detail);
	return EXIT_USAGE;
}

static enum exit_code take_reason(const struct invocation *inv, int *reason)
{
	*reason = 0;
	if (strcmp(inv->words[0], "wrap") == 0) {
		enum arguments_option alone =
			given(inv, OPTION_REASON) ? OPTION_REASON : OPTION_REMARK;

		return given(inv, alone) ? trouble_usage(inv, TEXT_OPTION_NOT_HERE,
							 arguments_option_name(alone))
					 : EXIT_DONE;
	}
	if (!given(inv, OPTION_REASON))
		return trouble_usage(inv, TEXT_ANSWER_NEEDS_REASON, inv->words[0]);
	return value_word(inv, &ieum__v1__reason__descriptor, value_of(inv, OPTION_REASON), reason);
}

enum exit_code cmd_key(struct invocation *inv)
{
	const Ieum__V1__Referral *request = NULL;
	const Ieum__V1__Receipt *receipt = NULL;
	struct pages pages = { 0 };
	struct link *link = NULL;
	int reason = 0;
	enum exit_code code = take_reason(inv, &reason);

	if (!code)
		code = link_open(inv, &link);
	if (!code)
		code = ask_request(inv, link, &pages, &request);
	if (!code)
		code = reason ? link_key_refuse(link, request, reason, value_of(inv, OPTION_REMARK),
						&receipt)
			      : link_key_wrap(link, request, &receipt);
	if (!code)
		code = receipt_print(inv, receipt);
	pages_free(&pages);
	link_close(link);
	return code;
}
