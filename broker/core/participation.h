/* Who takes part in a case reads it; whoever has declined does so no more.
 *
 * A member of a case that rejects what it was asked, or whose place is given up or lapses, and that
 * has no other part in the case, is *out*: it reads what it sent and what was sent to it, not the
 * case.  It stays a member, may still send what it owes, and reads again as soon as it is asked
 * anew or takes something on.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_PARTICIPATION_H
#define IEUM_BROKER_CORE_PARTICIPATION_H

#include "broker/core/decision.h"

struct snapshot_writing;

/* Last of a decision: those whose part ends by it.  At most one event. */
enum ieum_err participation_decide(const struct core *c, core_time_us now, const struct policy *p,
				   struct core_decision *d) IEUM_MUST_CHECK;

/* ---- state ---- */

enum ieum_err participation_end(struct core *c, uint32_t core_case, const uint32_t *mailboxes,
				size_t n) IEUM_MUST_CHECK;
/* It reads the case again, where it takes part at all. */
void participation_renew(struct core *c, uint32_t core_case, uint32_t mailbox);
/* A delivery for this reason asks, or tells, somebody who shall know the case. */
bool participation_by_delivery(uint8_t type, Ieum__V1__DeliveryCause cause);

/* ---- snapshots; once the members are there ---- */

enum ieum_err participation_write(struct snapshot_writing *w, const struct core_case *k,
				  Ieum__V1__SnapshotCase *m) IEUM_MUST_CHECK;
enum ieum_err participation_read(struct core *c, uint32_t core_case,
				 const Ieum__V1__SnapshotCase *m) IEUM_MUST_CHECK;

#endif
