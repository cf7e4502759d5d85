/* Whoever leaves the hub file leaves nothing behind for which nobody is responsible.
 *
 *     policy_changed names the leavers ──► due, a part at a time: each case, then the messages
 *     (and who takes their places)         of no case ──► over
 *
 * Where the hub file says who takes a leaver's place (`left`), that one gets its part in every
 * case, as after a hand-over: what it owned, the requests it was asked or had taken on with their
 * deadlines as they are, and what was on its way to it.  Where it doesn't, or the successor has a
 * conflict of interest, requests that nobody else can answer go up their ladder at once, and a hub
 * file that would leave an open case without an owner is refused.
 *
 * So it is with a role that stays, where a case's conflicts of interest leave nobody of those whom
 * the file now names for it: it keeps what it has, but for requests that wait for it.
 *
 * What always holds: a leaver is looked through before any ladder moves by its time; what was
 * decided is in the events, so replay needs no hub file.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_LEAVING_H
#define IEUM_BROKER_CORE_LEAVING_H

#include "broker/core/apply.h"
#include "broker/core/state.h"
#include "ieum/v1/snapshot.pb-c.h"

/* leaver_policy.c: who leaves by this policy, into its event.  STATE_CONFLICT: an open case would
 * have no owner. */
enum ieum_err leavers_policy(const struct core *c, const struct policy *p, struct core_decision *d,
			     Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;
/* May somebody who takes from the mailbox (index) hear of the case? */
bool leaver_may_succeed(const struct core *c, const struct policy *p, int mailbox,
			const struct core_case *k);

/* Can nobody answer the open request any more, by this policy, or did it wait without a deadline for
 * this mailbox, which may not? */
bool leaver_strands(const struct core *c, const struct policy *p, uint32_t mailbox,
		    const struct task *t);

/* leaver_due.c: the next part; nothing when all is done. */
enum ieum_err due_leavers(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d) IEUM_MUST_CHECK;

/* leavers.c */
enum ieum_err leavers_apply_policy(struct core *c,
				   const Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;
enum ieum_err apply_left(struct core *c, const struct applied *a,
			 const Ieum__V1__Left *e) IEUM_MUST_CHECK;
enum ieum_err leavers_check(const struct core *c, char *what, size_t what_bytes) IEUM_MUST_CHECK;

struct snapshot_writing;
enum ieum_err leavers_write(struct snapshot_writing *w, Ieum__V1__SnapshotOrder *m) IEUM_MUST_CHECK;
enum ieum_err leavers_read(struct core *c, const Ieum__V1__SnapshotOrder *m) IEUM_MUST_CHECK;

#endif
