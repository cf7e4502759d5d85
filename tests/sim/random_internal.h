/* The random world's parts, shared by random*.c only. */
#ifndef IEUM_TESTS_SIM_RANDOM_INTERNAL_H
#define IEUM_TESTS_SIM_RANDOM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/policy/policy.h"
#include "tests/sim/hub.h"
#include "tests/sim/ledger.h"
#include "tests/sim/random.h"

enum {
	WORLD_MESSAGES_MAX = 4096,
	WORLD_UNSETTLED_MAX = 64,
	WORLD_HELD_MAX = 64, /* deliveries a peer remembers from lost connections */
	WORLD_ASKED_MAX = 64,
	WORLD_CASES_MAX = 256,
	WORLD_PEER_CASES_MAX = 32, /* that a peer knows of, the newest */
	WORLD_OFFERS_MAX = 64,     /* of places, the newest */
	WORLD_LAST_DAYS = 60,      /* after a play, until nothing may be owed any more … */
	WORLD_ACTION_DAYS = 480, /* … but what a meeting agreed on, whose ladder may last a year */
	WORLD_EXCLUSIONS_MAX = 256,
	WORLD_NARRATIVE_BYTES = 24,
	WORLD_SETTLES_MAX = 256, /* remembered until the hub confirms them */
};

/* What no event may say, as it is the shelter's alone to resolve. */
#define WORLD_LOCATION "token-of-a-location"

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
	int64_t due_at_ms;
};

/* How an agency of a city behaves; in a play on a given hub file all are prompt. */
enum character {
	CHARACTER_PROMPT,
	CHARACTER_LATE,     /* answers when the time is over */
	CHARACTER_REFUSES,  /* rejects all, with a reason */
	CHARACTER_VANISHES, /* is away for days, comes back, asks for nothing less */
	CHARACTER_TWICE,    /* answers again what it has answered */
	CHARACTER_STRANGER, /* answers what others were asked */
	CHARACTER_RACER,    /* wants places */
	CHARACTERS,
};

struct peer {
	char name[POLICY_NAME_BYTES];
	enum character character;
	int who; /* in the hub file in force, POLICY_NONE: not in it */
	int64_t away_until_us;
	/* The newest list of a hand-over that it got. */
	bool has_list;
	Ieum__V1__HandoverManifest list;
	uint8_t list_digest[32], list_change[CORE_ID_BYTES];
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
	struct ledger *ledger;
	unsigned edition; /* of the city's hub file */
	uint64_t seed;
	enum ieum_err last_refused;               /* of any submit */
	struct asked_of offers[WORLD_OFFERS_MAX]; /* that somebody got */
	size_t n_offers;                          /* ever */
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
/* Any type that the policy lets it send, with any fields: for cities. */
int world_make_any(struct world *w, size_t peer);
/* What a council's members send: signals, identity, meetings. */
int world_make_council(struct world *w, size_t peer);
int world_keep(struct world *w, const Ieum__V1__Referral *referral, size_t peer);
void world_make_id(struct world *w, uint8_t id[CORE_ID_BYTES]);

/* random_clocks.c: the clocks of cases, event by event. */
struct clock_scan;
struct clock_scan *clock_scan_new(void);
void clock_scan_free(struct clock_scan *s);
void clock_scan_event(struct clock_scan *s, struct world *w, uint64_t seq, int64_t at_ms,
		      const Ieum__V1__ClockChanged *e);

/* Submits one of sent[], if its sender is there; -1: nothing. */
void world_submit(struct world *w, int index);
void world_lose_connection(struct peer *p); /* the hub has lost it, or let it go */
void world_lose_connections(struct world *w);
/* What is committed by now is in the ledger, and it has found nothing. */
void world_read_ledger(struct world *w);

/* random_city.c: what happens in cities only. */
void city_answer(struct world *w, size_t peer);
void city_restart(struct world *w, size_t peer);
void city_reload(struct world *w, size_t peer);
void city_query(struct world *w, size_t peer);
/* Who only hears of the status of what it sent hears nothing more. */
void city_check_watcher(struct world *w, const struct peer *p, const struct sim_output *o);
void city_keep_list(struct peer *p, const struct sim_output *o);

/* Looks through the whole journal: every promise that it can prove. */
void world_check_journal(struct world *w);

#endif
