/* What the passing of time does to the clocks of cases.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_CASE_CLOCK_DUE_H
#define IEUM_BROKER_CORE_CASE_CLOCK_DUE_H

#include "broker/core/decision.h"

/* The clock that is due first, in order of time, then of id: it warns, ends or begins again, and
 * whoever it concerns is told.  No event when none is due. */
enum ieum_err case_clock_due(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d) IEUM_MUST_CHECK;

#endif
