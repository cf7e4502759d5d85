/* What an agency was asked to take over, gathered from the messages that it got itself: the list
 * that it confirms a hand-over by. */
#ifndef IEUM_CLIENT_HANDOVER_LIST_H
#define IEUM_CLIENT_HANDOVER_LIST_H

#include "client/invocation.h"
#include "client/link.h"
#include "proto/handover_row.h"
#include "proto/uuid7.h"

enum { HANDOVER_LIST_MAX = 8192 }; /* cases of one change */

struct handover_list {
	struct handover_row *rows; /* in order of the cases' ids; free() */
	size_t n;
};

/* SHA-256 of it, as docs/protocol.md says; false: no memory. */
bool handover_list_digest(const struct handover_list *list, uint8_t digest[HANDOVER_DIGEST_BYTES]);

/* Asks for each case that we take part in, for its hand-over messages, and for those of this
 * change. */
enum exit_code handover_list_gather(const struct invocation *inv, struct link *link,
				    const uint8_t change_id[UUID_BYTES], struct handover_list *out);

#endif
