/* Work for a hub that will be killed: agencies that submit, receive, answer and settle without
 * pause, and a memory of everything the hub has ever promised them.
 *
 * All connections run on one event base, so a run is: connect, work, and at some moment the kill.
 * What was promised and is broken later, is the first line of load_trouble(): a second
 * receipt with another number, a delivery after its Settled.  One thread. */
#ifndef IEUM_TESTS_CRASH_LOAD_H
#define IEUM_TESTS_CRASH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct load;

/* Certificates as in struct hub; borrowed.  A failure to set up aborts. */
struct load *load_new(const char *certificates, uint64_t seed);
void load_free(struct load *l);

/* The next pseudo-random number below `below`, of the load's seed. */
uint64_t load_random(struct load *l, uint64_t below);

/* When the process gets the signal: after so long, or shortly after so many new messages,
 * whatever comes first.  The second keeps journals of fast machines small. */
struct load_kill {
	pid_t pid;
	int signal_number;
	uint32_t after_ms;
	uint32_t after_messages;
};

/* Connects everyone and works until the kill; returns when every connection has ended.  What had
 * no receipt before is sent again first. */
void load_run(struct load *l, const char *address, const struct load_kill *kill_at);

/* Connects everyone, sends nothing new, and works until everything submitted has a receipt and
 * every delivery is settled; then says good-bye.  False when that takes longer than timeout_ms. */
bool load_drain(struct load *l, const char *address, uint32_t timeout_ms);

/* "" or the first broken promise. */
const char *load_trouble(const struct load *l);

struct load_counts {
	uint64_t submitted, receipted, repeated; /* messages; receipts that said `repeated` */
	uint64_t delivered, settled;             /* deliveries; those with Settled */
	uint64_t redelivered;                    /* deliveries seen more than once */
};
struct load_counts load_counts(const struct load *l);

/* What the hub has promised: cb for every message with a receipt. */
typedef void load_receipt_cb(void *ctx, const uint8_t id[16], uint64_t journal_number);
void load_each_receipt(const struct load *l, load_receipt_cb *cb, void *ctx);
/* Was this delivery's settling confirmed? */
bool load_is_settled(const struct load *l, uint64_t delivery_id);

#endif
