/* One message shown to a policy, without a hub: what would happen, and why.
 *
 * Behind it is policy_decide() itself.  Times come with each question; nothing is kept. */
#ifndef IEUM_BROKER_POLICY_EXPLAIN_H
#define IEUM_BROKER_POLICY_EXPLAIN_H

#include "broker/policy/policy.h"
#include "broker/policy/trace.h"

enum {
	EXPLAIN_EXCLUDED_MAX = 64,
	EXPLAIN_DETAIL_BYTES = 256,
	EXPLAIN_TIME_BYTES = 32,
	EXPLAIN_REACHES_MAX = 64,
};

/* What is known of the case that a message belongs to. */
struct explain_case {
	Ieum__V1__Category category;
	Ieum__V1__CaseState state;
	const char *jurisdiction; /* NULL: none */
	const char *grade;        /* NULL: none */
	int owner;                /* mailbox, or POLICY_NONE */
	int excluded[EXPLAIN_EXCLUDED_MAX];
	size_t n_excluded;
	int64_t counts[POLICY_COUNTERS_MAX]; /* of the hub file's counters, this message included */
	bool consent_withdrawn;
	bool linked_set;
	uint32_t gates_open;                /* a bit by index of the hub file's gates */
	Ieum__V1__MessageType replied_type; /* of the message that this one replies to */
};

/* Whom an act would bring in, besides the recipients. */
struct explain_reach {
	int mailbox;
	const struct policy_act *act; /* of the decision */
};

struct explanation {
	enum ieum_err err; /* of the decision: a refusal */
	char detail[EXPLAIN_DETAIL_BYTES];
	struct policy_look *looks; /* every rule of the type, in the file's order */
	size_t n_looks;
	struct policy_decision decision; /* whole only when err is OK */
	uint64_t counted, begun_anew;    /* a bit by index of the hub file's counters */
	/* Those that may be asked for places, in their order; both sides of a hand-over. */
	struct explain_reach reaches[EXPLAIN_REACHES_MAX];
	size_t n_reaches;
};

/* No case, nobody excluded, nothing counted. */
void explain_case_init(struct explain_case *c);

/* `sender` POLICY_NONE: the hub itself.  Excludes whom the message itself excludes, too.
 * NO_MEMORY, or FIELD_TOO_LARGE with more than EXPLAIN_EXCLUDED_MAX excluded; a refusal by the policy is in
 * the explanation.  The caller frees *out, which borrows from policy and message. */
enum ieum_err explain(const struct policy *p, const Ieum__V1__Referral *message, int sender,
		      int64_t now_ms, const struct explain_case *c,
		      struct explanation **out) IEUM_MUST_CHECK;
void explanation_free(struct explanation *x); /* takes NULL */

/* explain_acts.c; for explain() alone. */
void explain_counts(const struct policy *p, const struct policy_context *ctx,
		    struct explanation *x);
void explain_acts(const struct policy *p, const struct policy_context *ctx, struct explanation *x);

/* "2026-03-02 14:00" in the hub's time zone, with seconds when they are not 0; "" for 0. */
const char *explain_local_time(const struct policy *p, int64_t unix_ms,
			       char out[EXPLAIN_TIME_BYTES]);
/* The reverse, and RFC 3339 as well. */
bool explain_parse_time(const struct policy *p, const char *text, int64_t *unix_ms);

/* Index of a counter or gate of the hub file, or POLICY_NONE. */
int explain_find_counter(const struct policy *p, const char *name);
int explain_find_gate(const struct policy *p, const char *name);

#endif
