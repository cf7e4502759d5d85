/* Agreements of participants that end: when each is told that it ends soon, and that it has ended.
 *
 * The days themselves are the hub file's; here is only what somebody has still to hear.  What
 * always holds: whoever has still to hear something is in the heap, once, at the sooner moment. */
#ifndef IEUM_BROKER_CORE_AGREEMENTS_H
#define IEUM_BROKER_CORE_AGREEMENTS_H

#include <stdint.h>

#include "broker/core/core.h"
#include "broker/core/heap.h"
#include "proto/error.h"

struct snapshot_writing;

/* Of one participant. */
struct agreement {
	int64_t warn_at_ms, ends_at_ms; /* 0: never, or that was told */
	uint32_t place;                 /* in the heap */
};

void agreements_init(struct core *c);

/* INT64_MAX: nobody has anything to hear. */
int64_t agreements_next_due_ms(const struct core *c);

/* What is due by this policy and isn't known, into the event with which it takes effect. */
enum ieum_err agreements_policy(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d,
				Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;
/* One agreement that ends soon, or has ended: it and whom the hub file names are told. */
enum ieum_err agreements_due(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d) IEUM_MUST_CHECK;

enum ieum_err apply_agreement_due(struct core *c, const Ieum__V1__AgreementDue *e) IEUM_MUST_CHECK;

enum ieum_err agreements_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *agreements_check(const struct core *c);

#endif
