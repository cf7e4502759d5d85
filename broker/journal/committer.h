/* The journal thread: commits one batch at a time while the event loop gathers the next.
 *
 *   loop                              journal thread
 *   committer_submit(batch) ───────►  append + commit, then the batch's payload reads
 *   eventfd readable        ◄───────  result
 *   committer_reap()                  housekeeping: short after a commit, the rest when idle
 *
 * No artificial delay: the commit starts when the batch arrives.  The thread owns
 * the journal from committer_new() to committer_stop(); the batch is the thread's from
 * submit to reap.
 *
 * DISK_FULL never reaches the loop while running: the thread keeps the batch and
 * tries it again after 100 ms, 200 ms, … 5 s, and the state is COMMITTER_STALLED
 * meanwhile.  COMMIT_UNKNOWN is resolved by sequence number in the same way.
 * Every function is for the loop's thread only. */
#ifndef IEUM_BROKER_JOURNAL_COMMITTER_H
#define IEUM_BROKER_JOURNAL_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/journal/journal.h"
#include "proto/error.h"

enum {
	COMMITTER_IDLE_MS = 20, /* nothing submitted for so long: housekeeping */
	COMMITTER_RETRY_MIN_MS = 100,
	COMMITTER_RETRY_MAX_MS = 5000,
};

enum committer_state {
	COMMITTER_RUNNING,
	COMMITTER_STALLED, /* cannot commit now, keeps trying: refuse new work, say so in health */
	COMMITTER_FAILED,  /* JOURNAL_IO, JOURNAL_FENCED, …: release nothing more and exit */
	COMMITTER_STOPPED,
};

struct committer;

/* Borrows the journal (no one else may use it until committer_stop()) and starts the
 * thread, with all signals blocked in it. */
enum ieum_err committer_new(struct journal *j, struct committer **out) IEUM_MUST_CHECK;

/* Stops if need be.  A batch never reaped is freed with it.  Takes NULL. */
void committer_free(struct committer *c);

/* An eventfd: readable when there is a batch to reap or the state has changed.
 * committer_reap() clears it: call that, then look at committer_state(). */
int committer_fd(const struct committer *c);

/* True while a batch is submitted and not yet reaped: gather, don't submit. */
bool committer_busy(struct committer *c);

/* Takes the batch (also with reads or erasures only).  STATE_CONFLICT while busy, UNAVAILABLE
 * after stop or failure: the batch stays the caller's. */
enum ieum_err committer_submit(struct committer *c, struct journal_batch *b) IEUM_MUST_CHECK;

/* The finished batch, again the caller's, and its result; NULL when there is none yet.
 * OK: durable, release.  Anything else: release nothing of it. */
struct journal_batch *committer_reap(struct committer *c, enum ieum_err *result);

enum committer_state committer_state(struct committer *c);

/* Why it is stalled or has failed; OK otherwise. */
enum ieum_err committer_trouble(struct committer *c);

/* Finishes the batch in flight (one stalled is given back with its error), does the
 * final housekeeping and ends the thread.  Blocks until then.  Reap afterwards. */
void committer_stop(struct committer *c);

struct committer_stats {
	uint64_t commits, events, bytes;
	uint64_t stalls;          /* how often it went from running to stalled */
	uint64_t commit_us_total; /* in append, successful ones */
	uint64_t commit_us_max;
};

void committer_stats(struct committer *c, struct committer_stats *stats);

#endif
