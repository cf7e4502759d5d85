/* Finds the payloads that are past their retention, off the event loop.
 *
 * A thread with its own read-only journal: the core forgets messages long before their payloads may
 * go, so what is stored is looked through, oldest first, and handed to the loop a few at a time.
 *
 *            start            found              took                     (more)
 *     IDLE ────────► LOOKING ───────► FOUND ───────────────► LOOKING … ───────────► IDLE
 *                        └──────────── nothing left ───────────────────────────────►
 *
 * The thread only knows times, so it offers more than may go: what the loop keeps (its case is not
 * closed) is offered again by a later look.  Nothing is remembered over a restart: the first look
 * then passes over what was erased already. */
#ifndef IEUM_BROKER_RETENTION_H
#define IEUM_BROKER_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "proto/error.h"

enum { RETENTION_AT_ONCE = CORE_ERASE_MAX };

struct retention;

/* Per message type: payloads received by then are past their retention, microseconds UTC;
 * INT64_MIN: none is. */
struct retention_ages {
	int64_t received_by_us[POLICY_TYPES];
};

/* Starts the thread, with all signals blocked in it.  The config's strings are borrowed. */
enum ieum_err retention_new(const struct journal_config *journal,
			    struct retention **out) IEUM_MUST_CHECK;
/* Breaks off what it looks at and waits for the thread.  Takes NULL. */
void retention_free(struct retention *r);

/* The loop's calls; none of them waits. */

bool retention_is_idle(struct retention *r);
/* When idle.  `again`: also at what was kept by an earlier look. */
void retention_start(struct retention *r, const struct retention_ages *ages, bool again);
/* What was found, RETENTION_AT_ONCE at most, or NULL when there is nothing (yet).  The loop's, with
 * core_aged.erased to be filled in, until retention_took(). */
struct core_aged *retention_found(struct retention *r, size_t *n);
void retention_took(struct retention *r);

#endif
