/* The counts in a snapshot.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_COUNTS_SNAPSHOT_H
#define IEUM_BROKER_CORE_COUNTS_SNAPSHOT_H

#include "broker/core/snapshot.h"

enum ieum_err counts_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err counts_read(struct core *c, const Ieum__V1__SnapshotCount *m) IEUM_MUST_CHECK;

#endif
