/* What applying an event of one kind does; core_apply() dispatches.  Every function returns
 * OK, NO_MEMORY or JOURNAL_CORRUPT, after which the state is unusable. */
#ifndef IEUM_BROKER_CORE_APPLY_H
#define IEUM_BROKER_CORE_APPLY_H

#include "broker/core/state.h"

/* The event that is applied. */
struct applied {
	uint64_t seq;
	int64_t at_us;
};

/* A line at the end of the timeline of a case (handle); `referral` is a handle, 0: of no message.
 * NULL: no memory. */
struct entry *apply_entry(struct core *c, uint32_t ch, const struct applied *a,
			  Ieum__V1__TimelineKind kind, uint32_t referral);

/* Deliveries of a message (handle) made by the event `seq`; `task`: index + 1 of the request that
 * all of them are asked by, 0: each route says. */
enum ieum_err apply_routes(struct core *c, uint32_t rh, uint64_t seq,
			   Ieum__V1__Route *const *routes, size_t n, uint32_t task) IEUM_MUST_CHECK;

enum ieum_err apply_submitted(struct core *c, const struct applied *a,
			      const Ieum__V1__Submitted *e) IEUM_MUST_CHECK;
enum ieum_err apply_escalated(struct core *c, const struct applied *a,
			      const Ieum__V1__Escalated *e) IEUM_MUST_CHECK;
enum ieum_err apply_case_changed(struct core *c, const struct applied *a,
				 const Ieum__V1__CaseChanged *e) IEUM_MUST_CHECK;
enum ieum_err apply_erased(struct core *c, const Ieum__V1__PayloadErased *e) IEUM_MUST_CHECK;
enum ieum_err apply_forgotten(struct core *c, const Ieum__V1__Forgotten *e) IEUM_MUST_CHECK;

enum ieum_err apply_released(struct core *c, const struct applied *a,
			     const Ieum__V1__DeliveriesReleased *e) IEUM_MUST_CHECK;
enum ieum_err apply_settled(struct core *c, const Ieum__V1__DeliveriesSettled *e) IEUM_MUST_CHECK;
enum ieum_err apply_returned(struct core *c, const Ieum__V1__DeliveriesReturned *e) IEUM_MUST_CHECK;
enum ieum_err apply_requeued(struct core *c, const Ieum__V1__DeliveriesRequeued *e) IEUM_MUST_CHECK;
enum ieum_err apply_dead_lettered(struct core *c, const struct applied *a,
				  const Ieum__V1__DeliveriesDeadLettered *e) IEUM_MUST_CHECK;

enum ieum_err apply_hub_started(struct core *c, const Ieum__V1__HubStarted *e) IEUM_MUST_CHECK;
enum ieum_err apply_policy_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;
enum ieum_err apply_connected(struct core *c, const struct applied *a,
			      const Ieum__V1__Connected *e) IEUM_MUST_CHECK;
enum ieum_err apply_disconnected(struct core *c, const Ieum__V1__Disconnected *e) IEUM_MUST_CHECK;

/* copies.c */
enum ieum_err apply_copy_confirmed(struct core *c, const struct applied *a,
				   const Ieum__V1__CopyConfirmed *e) IEUM_MUST_CHECK;
/* Before the incarnation of HubStarted is taken. */
void copies_started(struct core *c, const Ieum__V1__HubStarted *e);

#endif
