/* Deliveries whose attempt failed: back to the queue after a growing delay, or given up. */
#ifndef IEUM_BROKER_CORE_RETURNING_H
#define IEUM_BROKER_CORE_RETURNING_H

#include "broker/core/decision.h"

struct returning {
	uint64_t connection; /* 0: a time-out */
	Ieum__V1__ReturnCause cause;
	const char *why; /* of a refusal; may be NULL */
	bool at_once;    /* no delay: a colleague can take them */
};

/* One event for all that wait equally long, one for those given up.  Sorts `deliveries`
 * (handles).  HUB_FULL when the decision has no room for so many events. */
enum ieum_err returning_decide(const struct core *c, const struct policy *p,
			       struct core_decision *d, core_time_us now,
			       const struct returning *how, uint32_t *deliveries,
			       size_t n) IEUM_MUST_CHECK;

#endif
