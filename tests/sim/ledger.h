/* What the journal of a play must never say, whatever happens: kept beside the core, from the
 * events alone.
 *
 * It reads what is committed, once, in order.  From that it knows who owns each case, who was
 * excluded and who has left, what was sent where and how far it got, which requests are open until
 * when, and what rests on consent; and it knows it another way than the core does.  One thread. */
#ifndef IEUM_TESTS_SIM_LEDGER_H
#define IEUM_TESTS_SIM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "broker/policy/policy.h"

enum { LEDGER_TEXT_BYTES = 256 };

/* Stands in every narrative, token and remark of a play, never in the kept part of an event. */
#define LEDGER_MARKER "zqmarkerqz"

struct ledger;

struct ledger *ledger_new(void);    /* aborts when memory is short */
void ledger_free(struct ledger *l); /* takes NULL */

/* Reads what the journal has got since the last time.  False: `trouble` is set. */
bool ledger_read(struct ledger *l, struct journal *journal);

/* Everything due by then was done: is any request or clock still open that ended before, any place
 * held for nothing? */
bool ledger_check_time(struct ledger *l, int64_t now_ms);

/* Is it on record that this delivery was released to this connection? */
bool ledger_disclosed(const struct ledger *l, uint64_t delivery, uint64_t connection);

/* Does the core count each mailbox as the journal does?  After ledger_read(), with nothing left to
 * commit. */
bool ledger_check_mailboxes(struct ledger *l, const struct core *core);

/* Open requests of messages up to that event whose clock runs and has an end: nobody will ask
 * again after it. */
size_t ledger_owed(const struct ledger *l, uint64_t last_seq);

/* May this participant read that case?  By mailboxes that got or sent something in it. */
bool ledger_may_read(const struct ledger *l, const struct policy *p, int participant,
		     const uint8_t case_id[16]);

/* The first contradiction; "": none. */
const char *ledger_trouble(const struct ledger *l);

#endif
