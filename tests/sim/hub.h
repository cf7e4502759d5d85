/* A whole hub in one process on a virtual clock: core, policy and memory journal.
 *
 * It does what the daemon's loop does (decide, record, apply, commit, release), without
 * sockets and threads, and it can be cut off at the two moments that matter: before a
 * commit and between a commit and its completion.  One thread. */
#ifndef IEUM_TESTS_SIM_HUB_H
#define IEUM_TESTS_SIM_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "broker/journal/memory.h"
#include "broker/policy/policy.h"

enum { SIM_TEXT_BYTES = 400, SIM_OUTPUTS_MAX = 8192, SIM_REFUSE_MAX = 64 };

/* What leaves the hub after a commit. */
enum sim_output_kind {
	SIM_RECEIPT,
	SIM_REFUSAL,
	SIM_DELIVERY,
	SIM_SETTLED,
};

struct sim_output {
	enum sim_output_kind kind;
	uint64_t connection;
	uint64_t tag;       /* the peer's own, of a request */
	enum ieum_err code; /* of a refusal */
	char detail[CORE_DETAIL_BYTES];
	uint8_t message_id[CORE_ID_BYTES];
	uint8_t case_id[CORE_ID_BYTES];
	bool has_case;
	bool repeated; /* of a receipt */
	uint64_t seq;  /* of a receipt; of a delivery's message */
	uint64_t delivery_id;
	uint32_t attempt;
	char mailbox[2 * POLICY_NAME_BYTES];
	char sender[POLICY_NAME_BYTES];
	Ieum__V1__DeliveryCause cause;
	int64_t answer_by_at_ms;
	const uint8_t
		*payload; /* of a delivery: the referral's bytes, good until the next commit */
	size_t payload_len;
};

typedef void sim_output_cb(void *ctx, const struct sim_output *out);

/* Delivery ids, by what shall become of them. */
struct sim_settle {
	const uint64_t *done;
	size_t n_done;
	const uint64_t *release;
	size_t n_release;
	const uint64_t *refuse;
	size_t n_refuse; /* at most SIM_REFUSE_MAX */
};

struct sim_hub;

/* The text of a hub file, NUL-terminated, the caller's (free()); NULL when it can't be read. */
char *sim_hub_file(const char *path, size_t *len);

/* A hub that has started and committed its start. `text` is the hub file.  Aborts when
 * memory is short; NULL and `why` when the hub file has mistakes. */
struct sim_hub *sim_hub_new(const char *name, const char *text, size_t len, int64_t start_us,
			    char *why, size_t why_bytes);
void sim_hub_free(struct sim_hub *h); /* takes NULL */

/* Outputs are handed over during sim_hub_commit(). */
void sim_hub_listen(struct sim_hub *h, sim_output_cb *cb, void *ctx);

int64_t sim_hub_now_us(const struct sim_hub *h);
const struct core *sim_hub_core(const struct sim_hub *h);
struct policy *sim_hub_policy(struct sim_hub *h);
struct journal *sim_hub_journal(struct sim_hub *h);

/* Requests; what they lead to comes with the next commit.  The connection's number; 0: refused. */
uint64_t sim_hub_connect(struct sim_hub *h, const char *participant);
/* With a certificate that others can seal to; may be NULL. */
uint64_t sim_hub_connect_with(struct sim_hub *h, const char *participant,
			      const struct core_certificate *with);
void sim_hub_disconnect(struct sim_hub *h, uint64_t connection);
void sim_hub_submit(struct sim_hub *h, uint64_t connection, uint64_t tag,
		    const Ieum__V1__Referral *referral);
void sim_hub_settle(struct sim_hub *h, uint64_t connection, uint64_t tag,
		    const struct sim_settle *settle);
/* Releases up to `max` deliveries to the connection. */
void sim_hub_pump(struct sim_hub *h, uint64_t connection, uint32_t max);

/* Another hub file takes effect, all or nothing: OK, and what refers to the policy before is gone.
 * FILE_INVALID when it has mistakes, else the core's refusal, and `why`. */
enum ieum_err sim_hub_reload(struct sim_hub *h, const char *name, const char *text, size_t len,
			     char *why, size_t why_bytes);

/* Asks; what is read goes on record.  The result lives in the arena, its texts in the hub: it is
 * good until the next call.  NULL and the error when it is refused. */
const Ieum__V1__Result *sim_hub_query(struct sim_hub *h, uint64_t connection,
				      const Ieum__V1__Query *query, struct arena *arena,
				      enum ieum_err *err);

/* Time passes and what is due is done, in the order of its due times. */
void sim_hub_advance(struct sim_hub *h, int64_t by_us);

/* How a commit may end. */
enum sim_fault {
	SIM_COMMIT,          /* it is on disk and everything is released */
	SIM_LOSE_BATCH,      /* power cut before the commit */
	SIM_LOSE_COMPLETION, /* power cut after it, before anything is released */
	SIM_TEAR_BATCH,      /* power cut in the middle of writing */
};

/* Commits what was gathered.  After a power cut the hub has restarted from its journal and
 * every connection is gone; returns false then. */
bool sim_hub_commit(struct sim_hub *h, enum sim_fault fault);

/* Is everything that was decided on disk? */
bool sim_hub_committed(const struct sim_hub *h);

/* The first contradiction found by any check so far; "" when there is none. */
const char *sim_hub_trouble(const struct sim_hub *h);

/* Every check that looks at the whole hub: core_check(), a second core folded from the
 * journal equals the live one, a snapshot restores to the same.  Every other restart begins with
 * the snapshot of the last check, as a daemon does. */
bool sim_hub_check(struct sim_hub *h);

#endif
