/* Hand-overs in a snapshot.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_HANDOVER_SNAPSHOT_H
#define IEUM_BROKER_CORE_HANDOVER_SNAPSHOT_H

#include "broker/core/snapshot.h"

enum ieum_err handovers_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
/* Into the case's record: who took part before, the hand-over it is in. */
enum ieum_err handover_write_case(struct snapshot_writing *w, const struct core_case *k,
				  Ieum__V1__SnapshotCase *m) IEUM_MUST_CHECK;
enum ieum_err handover_write_forwards(struct snapshot_writing *w,
				      Ieum__V1__SnapshotOrder *m) IEUM_MUST_CHECK;

enum ieum_err handovers_read(struct core *c, const Ieum__V1__SnapshotHandover *m) IEUM_MUST_CHECK;
/* Once its members are there. */
enum ieum_err handover_read_case(struct core *c, struct core_case *k,
				 const Ieum__V1__SnapshotCase *m) IEUM_MUST_CHECK;
enum ieum_err handover_read_forwards(struct core *c,
				     const Ieum__V1__SnapshotOrder *m) IEUM_MUST_CHECK;

#endif
