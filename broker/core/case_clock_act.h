/* What rules do to the clocks of a case: start, stop, freeze, resume, extend.  Private to
 * broker/core. */
#ifndef IEUM_BROKER_CORE_CASE_CLOCK_ACT_H
#define IEUM_BROKER_CORE_CASE_CLOCK_ACT_H

#include "broker/core/occasion.h"

struct case_clock;

/* act->verb of the clock act->index of the occasion's case.  STATE_CONFLICT when more time is
 * asked for and can't be given, FIELD_MISSING without a case, HUB_FULL; of a message that the hub
 * makes nothing is refused. */
enum ieum_err case_clock_act(const struct occasion *o,
			     const struct policy_act *act) IEUM_MUST_CHECK;

/* `k`, of that index in the policy, was breached just now and begins again there. */
enum ieum_err case_clock_again(const struct occasion *o, int index,
			       const struct case_clock *k) IEUM_MUST_CHECK;

/* A round of a clock: due and warnings of one that counts from then, those that are past at
 * `now_ms` left out; its rounds are counted since `began_ms`, which of a first one is from_ms.  The
 * times go into the decision's memory. */
enum ieum_err case_clock_round(struct core_decision *d, const struct policy *p, int index,
			       int64_t began_ms, int64_t from_ms, int64_t now_ms,
			       Ieum__V1__ClockChanged *e) IEUM_MUST_CHECK;

#endif
