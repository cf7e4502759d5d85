/* Deliveries on their way: queues, what is in flight, holding back, dead letters.
 *
 *      put ──► QUEUED ──release──► IN_FLIGHT ──end──► SETTLED
 *                ▲ ▲                │     │
 *                │ └──take_back─────┘     │ fail (an attempt)
 *                │                        ▼
 *                └──────requeue──────── WAITING
 *      any unsettled ──end──► DEAD_LETTERED or WITHDRAWN; DEAD_LETTERED ──end──► SETTLED
 *
 * Every change of a delivery's state is one of these functions, and each keeps the counts
 * of its mailbox: routed = queued + in flight + settled + dead-lettered + withdrawn. */
#ifndef IEUM_BROKER_CORE_MAILBOX_H
#define IEUM_BROKER_CORE_MAILBOX_H

#include "broker/core/state.h"

/* dh names a delivery. */

/* A new one; its id, referral, mailbox and cause are set. */
enum ieum_err mailbox_put(struct core *c, uint32_t dh) IEUM_MUST_CHECK;

/* To a connection.  *first_time: its participant never had it before. */
enum ieum_err mailbox_release(struct core *c, uint32_t dh, uint32_t connection, int64_t at_ms,
			      bool *first_time) IEUM_MUST_CHECK;

/* Back from a connection that is gone: no attempt. */
enum ieum_err mailbox_take_back(struct core *c, uint32_t dh) IEUM_MUST_CHECK;

/* The attempt failed.  not_before_ms 0: queued at once; handed_back: not for the same
 * connection while another one takes from this mailbox. */
enum ieum_err mailbox_fail(struct core *c, uint32_t dh, int64_t not_before_ms,
			   bool handed_back) IEUM_MUST_CHECK;

/* It has waited long enough. */
enum ieum_err mailbox_requeue(struct core *c, uint32_t dh) IEUM_MUST_CHECK;

/* Settled, dead-lettered (with the refusal's reason, copied; may be NULL) or withdrawn. */
enum ieum_err mailbox_end(struct core *c, uint32_t dh, uint8_t state,
			  const char *why) IEUM_MUST_CHECK;

/* Withdrawn wherever it is, also from whoever had it before: the mailbox's part in the case has
 * ended. */
enum ieum_err mailbox_revoke(struct core *c, uint32_t dh) IEUM_MUST_CHECK;

/* A dead letter leaves the list; the counts stay. */
void mailbox_forget_dead(struct core *c, uint32_t dh);

/* Did this participant ever get it? */
bool mailbox_has_read(const struct core *c, const struct delivery *d, uint32_t participant);

uint32_t mailbox_lane(const struct core *c, uint32_t mailbox, uint32_t core_case, uint32_t urgency);

/* While a snapshot is read.  The record has its state and goes back to its place; all of them
 * in order of id. */
struct mailbox_restore {
	int64_t not_before_ms;
	uint64_t handed_back_by;
	const char *why; /* copied */
};
enum ieum_err mailbox_restore(struct core *c, uint32_t dh,
			      const struct mailbox_restore *from) IEUM_MUST_CHECK;
/* Then, in the old order of release and of death, what is in flight and what is dead. */
enum ieum_err mailbox_restore_order(struct core *c, uint32_t dh,
				    uint32_t connection) IEUM_MUST_CHECK;

/* But for its deliveries. */
void mailbox_deinit(struct mailbox *m);

#endif
