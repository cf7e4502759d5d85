/* Clocks of cases in a snapshot.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_CASE_CLOCK_SNAPSHOT_H
#define IEUM_BROKER_CORE_CASE_CLOCK_SNAPSHOT_H

#include "broker/core/snapshot.h"

enum ieum_err case_clocks_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err case_clock_read(struct core *c, const Ieum__V1__SnapshotClock *m) IEUM_MUST_CHECK;

#endif
