/* The records of pools, holds and waiting lists in a snapshot.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_PLACES_SNAPSHOT_H
#define IEUM_BROKER_CORE_PLACES_SNAPSHOT_H

#include "broker/core/snapshot.h"

enum ieum_err places_write(struct snapshot_writing *w) IEUM_MUST_CHECK;

/* When the messages are there; in the order in which they were written. */
enum ieum_err places_read_pool(struct core *c, const Ieum__V1__SnapshotPool *m) IEUM_MUST_CHECK;
enum ieum_err places_read_hold(struct core *c, const Ieum__V1__SnapshotHold *m) IEUM_MUST_CHECK;
enum ieum_err places_read_wait(struct core *c, const Ieum__V1__SnapshotWait *m) IEUM_MUST_CHECK;

#endif
