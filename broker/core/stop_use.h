/* Orders to stop using what was shared on a consent that is withdrawn: who got it, and what.
 * Private to broker/core. */
#ifndef IEUM_BROKER_CORE_STOP_USE_H
#define IEUM_BROKER_CORE_STOP_USE_H

#include "broker/core/occasion.h"

struct recipient;

struct stop_use {
	const struct occasion *o;
	const struct core_case *k;
	/* Those that are withdrawn; the first of them can be named. */
	const struct referral **messages;
	size_t n_messages, cap_messages;
	struct recipient *to;
	size_t n_to, cap_to;
	uint32_t *place; /* by participant: in `to`, + 1 */
	unsigned named;  /* orders that name messages */
};

enum ieum_err stop_use_begin(struct stop_use *s, const struct occasion *o) IEUM_MUST_CHECK;
/* May this participant be told of the case at all?  `index`: in the policy. */
bool stop_use_may_tell(const struct stop_use *s, uint32_t participant, int index);
/* Everyone who got this message: it was delivered, read by a query, or seen in the case's timeline. */
enum ieum_err stop_use_add(struct stop_use *s, const struct referral *r) IEUM_MUST_CHECK;
/* A message of the hub's own to each, which the rules make a request that must be acknowledged. */
enum ieum_err stop_use_send(struct stop_use *s) IEUM_MUST_CHECK;

#endif
