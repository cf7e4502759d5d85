/* Why a message goes where it goes: what policy_decide() tells of each rule while it decides.
 *
 * The telling is done by the deciding itself, so an explanation can't differ from what a hub
 * does.  Nobody asks on the hot path: a context without a trace costs one comparison a rule. */
#ifndef IEUM_BROKER_POLICY_TRACE_H
#define IEUM_BROKER_POLICY_TRACE_H

#include "broker/policy/policy.h"

enum {
	POLICY_TRACE_VALUE_BYTES = 240, /* longer values are cut */
};

enum policy_verdict {
	POLICY_RULE_APPLIES,
	POLICY_RULE_UNMET,       /* its `when` is for other messages */
	POLICY_RULE_LACKS_BASIS, /* … but not on the basis that the message has */
	POLICY_RULE_FORBIDS,
	POLICY_RULE_REFUSES, /* it applies and can't be carried out; the decision's detail says why */
};

/* One rule of the message's type, in the file's order. */
struct policy_look {
	const char *rule;
	int line; /* in the hub file */
	enum policy_verdict verdict;
	/* Of UNMET and LACKS_BASIS: the key of the rule, what the message has there, and which
	 * values the rule wants; "" where there is nothing. */
	const char *key;
	char is[POLICY_TRACE_VALUE_BYTES];
	char wants[POLICY_TRACE_VALUE_BYTES];
	/* What it added to the decision: routes and tasks from these indexes on. */
	size_t first_route, n_routes;
	size_t first_task, n_tasks;
};

struct policy_trace {
	void (*look_cb)(void *ctx, const struct policy_look *look);
	void *ctx;
};

#endif
