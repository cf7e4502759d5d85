/* Plays a scenario against a hub, simulated or real, and checks what it expects.
 *
 * The hub is behind a small table of functions; what a player does and checks is the same
 * for both.  One thread. */
#ifndef IEUM_TESTS_SCENARIOS_PLAY_H
#define IEUM_TESTS_SCENARIOS_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/policy/policy.h"
#include "ieum/v1/query.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "tests/scenarios/scenario.h"

enum { PLAY_ID_BYTES = 16, PLAY_DETAIL_BYTES = 256, PLAY_DELIVERIES_MAX = 4096 };

/* What became of a submit. */
struct play_receipt {
	enum ieum_err code; /* OK, or why it was refused */
	char detail[PLAY_DETAIL_BYTES];
	uint8_t case_id[PLAY_ID_BYTES];
	bool has_case;
};

/* A delivery that some agency's client took and settled. */
struct play_delivery {
	char participant[POLICY_NAME_BYTES]; /* whose client took it */
	char mailbox[2 * POLICY_NAME_BYTES];
	char sender[POLICY_NAME_BYTES]; /* "" for the hub */
	uint8_t message_id[PLAY_ID_BYTES];
	uint8_t case_id[PLAY_ID_BYTES];
	Ieum__V1__MessageType type;
	Ieum__V1__DeliveryCause cause;
	Ieum__V1__AnswerKind answer; /* of an answer */
	Ieum__V1__Reason reason;
	int64_t answer_by_at_ms;
	bool seen; /* by an expectation */
};

/* A hub to play against.  Every function may abort the play by returning false after it
 * has printed why to stderr. */
struct play_hub {
	void *ctx;
	/* Submits for a participant; *receipt says how it ended. */
	bool (*submit)(void *ctx, const char *who, const Ieum__V1__Referral *referral,
		       struct play_receipt *receipt);
	/* The next delivery, waiting for it.  *got false: nothing more comes (simulated: the hub
	 * is quiet; real: not within some seconds). */
	bool (*next_delivery)(void *ctx, struct play_delivery *out, bool *got);
	/* Deliveries that are there already, without waiting longer than a round trip. */
	bool (*settled_down)(void *ctx, struct play_delivery *out, bool *got);
	/* The clock moves on; what is due happens. */
	bool (*advance)(void *ctx, int64_t by_ms);
	/* Power cut and restart. */
	bool (*crash)(void *ctx);
	bool (*case_state)(void *ctx, const char *who, const uint8_t *case_id,
			   Ieum__V1__CaseState *state);
	/* The state of the message's request that `inbox` was last asked (NULL: its first). */
	bool (*task_state)(void *ctx, const char *who, const uint8_t *message_id, const char *inbox,
			   Ieum__V1__TaskState *state);
	int64_t (*now_ms)(void *ctx);
};

struct play_options {
	FILE *timeline; /* what happens, in two languages; NULL: silent */
	bool colour;
};

struct play_result {
	size_t steps, expectations; /* that held */
	char trouble[512];          /* "" or the first that did not: file:line: what */
};

/* True when every expectation held. */
bool play_scenario(const struct scenario *s, const struct policy *policy,
		   const struct play_hub *hub, const struct play_options *options,
		   struct play_result *result);

#endif
