/* The daemon around the core: connections, the loop, the clock, the two threads.
 *
 * One turn of the loop:
 *   frames that came are decided, recorded and applied (session.c, requests.c, queries.c)
 *   what is due is done (due.c)
 *   deliveries are released to whoever has credit (releases.c)
 *   the gathered batch goes to the journal thread when that is idle (recorder.c)
 * and when a batch is durable, the output held for it leaves (outbox.c).
 *
 * Everything here belongs to the thread that calls server_run(). */
#ifndef IEUM_BROKER_SERVER_H
#define IEUM_BROKER_SERVER_H

#include <stdbool.h>

#include "broker/config.h"
#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "broker/policy/policy.h"
#include "proto/error.h"
#include "proto/tls.h"

/* How the process ends. */
enum server_exit {
	SERVER_EXIT_STOPPED = 0,  /* as asked, everything on disk */
	SERVER_EXIT_MISTAKES = 1, /* in the configuration */
	SERVER_EXIT_USAGE = 2,
	SERVER_EXIT_NOT_STARTED = 3,     /* an address, the journal, memory */
	SERVER_EXIT_JOURNAL = 4,         /* the journal failed: start again, it is replayed */
	SERVER_EXIT_NOT_ITS_JOURNAL = 5, /* of a newer version, a drill's, damaged: ask a person */
};

struct server;

struct server_parts {
	const struct config *config; /* borrowed */
	struct policy *policy;       /* taken, also on failure */
	struct tls *tls;             /* taken, also on failure */
	struct journal *journal;     /* borrowed; nobody else may use it until server_free() */
	struct core *core;           /* borrowed; replayed to the journal's end */
	uint64_t snapshot_seq;       /* of the newest snapshot */
	bool drill;
	int64_t drill_from_us; /* when the clock of a new drill begins; 0: now */
};

/* Records the start, binds the addresses, starts the threads.  The log says why not. */
enum ieum_err server_new(const struct server_parts *parts, struct server **out) IEUM_MUST_CHECK;

/* Until a signal ends it or the journal fails. */
enum server_exit server_run(struct server *sv);

/* Takes NULL. */
void server_free(struct server *sv);

#endif
