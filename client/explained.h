/* What a policy would do with a message, for people and for programs.
 *
 * With cmd_route.c and cmd_policy.c the files of the client that know the policy: they explain a
 * hub file offline, and a second reading of it would be a second truth. */
#ifndef IEUM_CLIENT_EXPLAINED_H
#define IEUM_CLIENT_EXPLAINED_H

#include "broker/policy/explain.h"
#include "client/invocation.h"

/* What was asked. */
struct explained {
	const struct policy *policy;
	const Ieum__V1__Referral *message;
	int sender;
	int64_t at_ms;
	const struct explanation *x;
};

/* Prints it as tables, or with --json as one document. */
enum exit_code explained_print(const struct invocation *inv, const struct explained *e);

#endif
