/* The audit's second count: where every delivery is, from the events alone.
 *
 * Knows nothing of the core, on purpose: a mistake there must not be able to hide itself.  It
 * keeps only what is not over (queued, in flight, dead-lettered), so its size follows what a hub
 * holds, not how long it has run.  One owner. */
#ifndef IEUM_BROKER_AUDIT_LEDGER_H
#define IEUM_BROKER_AUDIT_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/event.pb-c.h"
#include "proto/error.h"

enum {
	AUDIT_LEDGER_WHY_BYTES = 256,
	AUDIT_LEDGER_MAILBOXES_MAX = 1 << 20, /* numbers of mailboxes */
};

struct audit_ledger_counts {
	uint64_t routed, queued, in_flight, settled, dead_lettered, withdrawn;
};

struct audit_ledger;

struct audit_ledger *audit_ledger_new(void);    /* NULL when out of memory */
void audit_ledger_free(struct audit_ledger *l); /* takes NULL */

/* Takes the event into account.  JOURNAL_CORRUPT with the contradiction in `why`; NO_MEMORY. */
enum ieum_err audit_ledger_apply(struct audit_ledger *l, uint64_t seq, const Ieum__V1__Event *event,
				 char why[AUDIT_LEDGER_WHY_BYTES]) IEUM_MUST_CHECK;

/* Mailboxes have the numbers 1 … audit_ledger_mailboxes(); the name is "" for one never named. */
uint32_t audit_ledger_mailboxes(const struct audit_ledger *l);
const char *audit_ledger_mailbox_name(const struct audit_ledger *l, uint32_t number);

/* Counts of one mailbox, good until the next event; call audit_ledger_count() first. */
void audit_ledger_count(struct audit_ledger *l);
struct audit_ledger_counts audit_ledger_counts(const struct audit_ledger *l, uint32_t number);

#endif
