/* A council for tests: its hub file, its members at work, their signals. */
#ifndef IEUM_TESTS_UNIT_COUNCIL_H
#define IEUM_TESTS_UNIT_COUNCIL_H

#include "tests/unit/core_trial.h"

extern const char council_hub[];

struct council {
	struct trial w;
	uint64_t city, ps, edu, cpa, boss; /* the city convenes */
	struct message m;
	uint8_t tokens[4][34];
	ProtobufCBinaryData list[4];
};

/* cmocka's set-up and tear-down; *state is a struct council. */
int council_start(void **state);
int council_stop(void **state);

/* A signal in c->m about a subject, by one token of each kind 1 … kinds. */
void council_signal(struct council *c, int subject, int kinds);
/* The token of that kind in c->m becomes another's. */
void council_other_token(struct council *c, int kind, int subject);

/* The last hub-made message of a type that went to the mailbox, its delivery settled; false: there
 * is none.  What came before it is settled too. */
bool council_takes(struct council *c, uint64_t connection, Ieum__V1__MessageType type,
		   struct core_delivery *out);
/* The case of the convener's newest linked set; fails when there is none. */
void council_linked_case(struct council *c, uint8_t case_id[CORE_ID_BYTES]);

void council_refused(struct council *c, uint64_t who, enum ieum_err want);
uint64_t council_routed(struct council *c, const char *mailbox);

#endif
