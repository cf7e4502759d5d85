/* Submitting a message and saying what became of it; used by every command that submits. */
#ifndef IEUM_CLIENT_RECEIPT_H
#define IEUM_CLIENT_RECEIPT_H

#include "client/link.h"

/* Gives the message an id when it has none, checks it, submits it, prints the receipt.  When there
 * is no receipt, prints the id that was made: with it the message can be sent again safely. */
enum exit_code receipt_submit(const struct invocation *inv, struct link *link,
			      Ieum__V1__Referral *m);

/* Says that the hub has it. */
enum exit_code receipt_print(const struct invocation *inv, const Ieum__V1__Receipt *r);

#endif
