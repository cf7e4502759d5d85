/* Counting a message: what every counter of the policy counts with it, before the rules look,
 * and the events that keep it, when it is taken.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_COUNTING_H
#define IEUM_BROKER_CORE_COUNTING_H

#include "broker/core/decision.h"

struct counting {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	const struct policy_context *context; /* the rules' view, but for the counts */
	ProtobufCBinaryData case_id;          /* len 0: in none */
	uint32_t core_case;                   /* 0: in none, or opened by it */
	uint32_t participant;                 /* 0: the hub */
	bool own_only; /* what others may have sent of a person or household stays unknown */
};

/* By index of the policy's counters, in the decision's arena; what the decision has counted so
 * far is counted too.  NULL in *out: there are no counters. */
enum ieum_err counting_look(const struct counting *of, const int64_t **out) IEUM_MUST_CHECK;
/* The message is taken: adds its events. */
enum ieum_err counting_keep(const struct counting *of) IEUM_MUST_CHECK;

/* What counts no more is forgotten, some at a time. */
enum ieum_err counting_forget(const struct core *c, struct core_decision *d,
			      core_time_us now) IEUM_MUST_CHECK;

#endif
