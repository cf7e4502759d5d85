/* The random world's parts, shared by random*.c only. */
#ifndef IEUM_TESTS_SIM_RANDOM_INTERNAL_H
#define IEUM_TESTS_SIM_RANDOM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/hub.h"
#include "tests/sim/random.h"

enum {
	WORLD_MESSAGES_MAX = 4096,
	WORLD_UNSETTLED_MAX = 64,
	WORLD_HELD_MAX = 64, /* deliveries a peer remembers from lost connections */
	WORLD_ASKED_MAX = 64,
	WORLD_CASES_MAX = 256,
	WORLD_PEER_CASES_MAX = 32, /* that a peer knows of, the newest */
	WORLD_LAST_DAYS = 60,      /* after a play, until nothing may be owed any more */
	WORLD_EXCLUSIONS_MAX = 256,
	WORLD_NARRATIVE_BYTES = 24,
	WORLD_SETTLES_MAX = 256, /* remembered until the hub confirms them */
};

/* A message that was submitted at least once. */
struct sent {
	uint8_t id[CORE_ID_BYTES];
	uint8_t *bytes; /* the referral, packed */
	size_t len;
	size_t peer;
	Ieum__V1__MessageType type;
	uint8_t case_id[CORE_ID_BYTES];
	bool has_case;
	bool receipted;
	uint64_t seq; /* of its receipt */
};

/* A delivery as some client saw it. */
struct got {
	uint64_t delivery_id;
	uint64_t connection;
	bool settled; /* the hub has confirmed that it is done */
};

/* A message that wants an answer, and how far the peer has come with it. */
struct asked_of {
	uint8_t id[CORE_ID_BYTES];
	uint8_t case_id[CORE_ID_BYTES];
	bool has_case;
	Ieum__V1__MessageType type;
	Ieum__V1__AnswerKind said; /* last; 0: nothing yet */
};

struct peer {
	const char *name;
	uint64_t connection; /* 0: away */
	uint64_t unsettled[WORLD_UNSETTLED_MAX];
	size_t n_unsettled;
	uint64_t held[WORLD_HELD_MAX]; /* of connections that were lost */
	size_t n_held;
	struct asked_of asked[WORLD_ASKED_MAX];
	size_t n_asked;
	uint8_t cases[WORLD_PEER_CASES_MAX][CORE_ID_BYTES]; /* got or sent something of them */
	size_t n_cases;                                     /* ever */
};

/* Somebody who may get nothing of a case any more. */
struct exclusion {
	uint8_t case_id[CORE_ID_BYTES];
	char participant[POLICY_NAME_BYTES];
};

struct settle_under_way {
	uint64_t tag;
	uint64_t done[WORLD_UNSETTLED_MAX];
	size_t n_done;
};

struct world {
	const struct random_config *config;
	struct random_result *result;
	struct sim_hub *hub;
	uint64_t random;
	unsigned step;
	struct peer *peers;
	size_t n_peers;
	struct sent sent[WORLD_MESSAGES_MAX];
	size_t n_sent;
	struct got *got;
	size_t n_got, got_cap;
	uint8_t cases[WORLD_CASES_MAX][CORE_ID_BYTES];
	size_t n_cases;
	struct exclusion exclusions[WORLD_EXCLUSIONS_MAX];
	size_t n_exclusions;
	struct settle_under_way settles[WORLD_SETTLES_MAX];
	size_t n_settles; /* ever */
	uint64_t next_tag;
};

void world_trouble(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The peer has to do with this case. */
void world_know_case(struct peer *p, const uint8_t case_id[CORE_ID_BYTES]);

/* Uniform in 0 … n - 1. */
uint64_t world_random(struct world *w, uint64_t n);

/* A message that the peer might send now, in the world's memory until the next call;
 * returns its index in sent[] or -1 when there is no room. */
int world_make_message(struct world *w, size_t peer);
int world_make_answer(struct world *w, size_t peer);

/* Looks through the whole journal: every promise that it can prove. */
void world_check_journal(struct world *w);

#endif
