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
#include "proto/handover_row.h"
#include "scenarios/scenario.h"

enum {
	PLAY_CLOCKS_MAX = 64,
	PLAY_ID_BYTES = 16,
	PLAY_DETAIL_BYTES = 256,
	PLAY_DELIVERIES_MAX = 4096
};

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
	/* Of a hand-over: the change it belongs to, and what the case held. */
	uint8_t change_id[PLAY_ID_BYTES];
	struct handover_row handed;
	bool seen; /* by an expectation */
};

struct play_clock {
	char name[POLICY_NAME_BYTES];
	Ieum__V1__ClockState state;
	int64_t due_at_ms;
};

/* A case as an agency sees it. */
enum { PLAY_GATES_MAX = 8, PLAY_AGENDA_MAX = 200 };

struct play_case {
	Ieum__V1__CaseState state;
	char owner[2 * POLICY_NAME_BYTES];
	char grade[POLICY_GRADE_BYTES]; /* "": none */
	bool consent_withdrawn;
	struct play_clock clocks[PLAY_CLOCKS_MAX]; /* in the order in which they started */
	size_t n_clocks;
	char gates[PLAY_GATES_MAX][POLICY_NAME_BYTES]; /* that are open */
	size_t n_gates;
};

/* A pool as an agency sees it, and where one entry of its waiting list stands. */
struct play_pool {
	uint32_t held, taken, free;
	uint32_t position; /* 0: it does not wait */
};

/* A change of jurisdiction, or what one would do. */
struct play_handover {
	Ieum__V1__HandoverStep step;
	uint32_t cases, not_accepted, errors;
};

/* What is asked about: a change, or from whom to whom it would go. */
struct play_handover_query {
	const uint8_t *change_id; /* or NULL */
	const char *from, *to, *jurisdiction;
};

/* An entry of an agenda. */
struct play_agenda {
	uint8_t message_id[PLAY_ID_BYTES];
	uint32_t carried;
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
			   struct play_case *out);
	/* The state of the message's request that `inbox` was last asked (NULL: its first). */
	bool (*task_state)(void *ctx, const char *who, const uint8_t *message_id, const char *inbox,
			   Ieum__V1__TaskState *state);
	int64_t (*now_ms)(void *ctx);
	/* `entry` may be NULL. */
	bool (*pool)(void *ctx, const char *who, const char *pool, const uint8_t *entry,
		     struct play_pool *out);
	/* *n: room for so many in `out`, then how many there are. */
	bool (*agenda)(void *ctx, const char *who, const char *body, struct play_agenda *out,
		       size_t *n);
	bool (*handover)(void *ctx, const char *who, const struct play_handover_query *of,
			 struct play_handover *out);
	/* Does the participant get the message with sealed parts that its key opens, all of them? */
	bool (*opens)(void *ctx, const char *who, const uint8_t *message_id, bool *opens);
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
