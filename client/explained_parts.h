/* What explaining to people and to programs share; for explained.c and explained_json.c only. */
#ifndef IEUM_CLIENT_EXPLAINED_PARTS_H
#define IEUM_CLIENT_EXPLAINED_PARTS_H

#include "client/explained.h"

const char *explained_mailbox(const struct explained *e, int mailbox);

/* The rule behind a route; "" when the sender named the mailbox. */
const char *explained_rule_of(const struct explained *e, size_t route);

/* "starts clock needs-assessment", in the language. */
enum { EXPLAINED_ACT_BYTES = 256 };
const char *explained_act(const struct invocation *inv, const struct policy_act *act,
			  char out[EXPLAINED_ACT_BYTES]);

enum exit_code explained_json(const struct invocation *inv, const struct explained *e);

#endif
