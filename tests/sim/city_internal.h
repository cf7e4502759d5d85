/* A random city while its hub file is made, shared by city*.c only. */
#ifndef IEUM_TESTS_SIM_CITY_INTERNAL_H
#define IEUM_TESTS_SIM_CITY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ieum/v1/types.pb-c.h"

enum {
	CITY_KINDS_MAX = 14,
	CITY_PARTICIPANTS_MAX = 44,
	CITY_BODIES_MAX = 4,
	CITY_ROLES_MAX = 4,
	CITY_LEFT_MAX = CITY_BODIES_MAX,
	CITY_POOLS_MAX = 6,
	CITY_CLOCKS_MAX = 6,
	CITY_COUNTERS_MAX = 4,
	CITY_GATES_MAX = 2,
	CITY_DOMAINS_MAX = 4,
	CITY_RULES_MAX = 128,
	CITY_BOXES_MAX = CITY_PARTICIPANTS_MAX + CITY_BODIES_MAX * CITY_ROLES_MAX,
	CITY_VERBS = 6,
	CITY_NAME_BYTES = 24,
	CITY_TEXT_BYTES = 512,
	CITY_TYPES = 48, /* message types, 0 unused */
};

#define TYPE(word) ((int)IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word)
#define BIT(type)  (UINT64_C(1) << (type))

/* What kinds do in the generated rules. */
enum city_part {
	CITY_AUTHORITY, /* may send everything */
	CITY_OFFICE,
	CITY_DIVISION, /* the end of every ladder, asked nowhere else */
	CITY_DUTY,     /* always there */
	CITY_WATCHER,  /* sends signals, reads nothing */
	CITY_OPERATOR, /* sends nothing */
	CITY_BODY,
};

struct city_kind {
	char name[CITY_NAME_BYTES];
	enum city_part part;
	uint64_t may_send; /* bit per message type */
	int n;             /* participants */
};

struct city_participant {
	char name[CITY_NAME_BYTES];
	int kind;
	int head; /* participant, -1: none */
	unsigned domains;
	int ranks[CITY_DOMAINS_MAX]; /* of its domains */
	bool elsewhere;              /* another jurisdiction than the hub's */
	bool gone;                   /* from this edition … */
	int to;                      /* … and who takes its place, participant; -1: nobody */
};

struct city_body {
	char name[CITY_NAME_BYTES];
	int kind;
	bool each, council;
	int n_roles;
	char roles[CITY_ROLES_MAX][CITY_NAME_BYTES];
	uint64_t members[CITY_ROLES_MAX]; /* bit per participant */
};

/* A body or a role that this edition has no more. */
struct city_left {
	char name[2 * CITY_NAME_BYTES];
	char to[2 * CITY_NAME_BYTES];
};

struct city_pool {
	char name[CITY_NAME_BYTES];
	char kind[CITY_NAME_BYTES];
	int keeper;
};

enum city_verb { CITY_STARTS, CITY_RESTARTS, CITY_STOPS, CITY_FREEZES, CITY_RESUMES, CITY_EXTENDS };

struct city_rule {
	char name[CITY_NAME_BYTES];
	int type;
	bool takes_clocks;          /* further acts may be added */
	char when[CITY_TEXT_BYTES]; /* behind the type */
	char what[CITY_TEXT_BYTES]; /* lines behind it */
	uint32_t verbs[CITY_VERBS]; /* bit per clock */
};

/* Whom some addresses reach: mailboxes, participants' own first, then roles. */
struct city_reach {
	bool in[CITY_BOXES_MAX];
	bool unknown; /* only the message will tell */
};

struct city {
	uint64_t seed;
	unsigned edition;
	uint64_t *random; /* the stream in use: one of the next three */
	uint64_t who, leaving, how;
	FILE *out;
	struct city_kind kinds[CITY_KINDS_MAX];
	int n_kinds;
	struct city_participant people[CITY_PARTICIPANTS_MAX];
	int n_people;
	struct city_body bodies[CITY_BODIES_MAX];
	int n_bodies;
	struct city_left left[CITY_LEFT_MAX];
	int n_left;
	struct city_pool pools[CITY_POOLS_MAX];
	int n_pools, first_pool; /* of this edition */
	char domains[CITY_DOMAINS_MAX][CITY_NAME_BYTES];
	int n_domains;
	int n_clocks, n_counters, n_gates;
	bool links;    /* blind signals are put together */
	bool agencies; /* each says which it speaks for */
	struct city_rule rules[CITY_RULES_MAX];
	int n_rules;
	uint64_t may_open;
	char linkage_tells[2 * CITY_NAME_BYTES];
	char clocks[CITY_CLOCKS_MAX][CITY_TEXT_BYTES]; /* their section, as text */
	char counters[CITY_COUNTERS_MAX][CITY_TEXT_BYTES];
};

/* Uniform in 0 … n - 1; one time in n; one of several texts. */
uint64_t city_random(struct city *c, uint64_t n);
bool city_once_in(struct city *c, uint64_t n);
const char *city_one_of(struct city *c, const char *const *texts); /* NULL ends them */
/* Appends to a text, which has room (else it aborts: a generator that cuts texts would lie). */
void city_add(char *text, size_t bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* city_left.c: who is in this edition no more, and who takes its place. */
void city_let_leave(struct city *c);
void city_print_left(struct city *c);

/* city_who.c */
void city_make_people(struct city *c);
void city_print_people(struct city *c);
int city_division(struct city *c); /* one of them */
/* May rules name it?  One of those. */
bool city_may_be_named(const struct city *c, int who);
int city_pick(struct city *c);
/* Whoever keeps places has to be able to speak of them. */
void city_set_keeper(struct city *c, struct city_pool *p, int who);

/* city_address.c: random addresses of the policy language. */
void city_address(struct city *c, struct city_reach *reach, char out[CITY_TEXT_BYTES]);
/* `answer_within` and a ladder for whoever was reached; `each`: beside "each: true". */
void city_ladder(struct city *c, struct city_rule *r, struct city_reach *reach, bool each);
const char *city_duration(struct city *c);

/* city_rules.c */
void city_make_rules(struct city *c);
void city_print_rules(struct city *c);
struct city_rule *city_new_rule(struct city *c, const char *name, int type);
void city_type_word(int type, char *out, size_t bytes);

/* city_things.c: what rules set off. */
void city_make_clocks(struct city *c); /* after the rules */
/* A time of the body of that type from which a clock may count; NULL: it has none, or none was drawn. */
const char *city_time_field(struct city *c, int type);
void city_make_counters(struct city *c); /* before the clocks */
void city_make_places(struct city *c);
void city_make_council(struct city *c);
void city_make_handover(struct city *c);
void city_make_consent(struct city *c);
void city_print_pools(struct city *c);
void city_print_things(struct city *c);

#endif
