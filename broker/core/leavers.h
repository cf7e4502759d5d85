/* Mailboxes that the hub file has no more, while what they had is moved on.  A part of the state;
 * what is done with it is in leaving.h. */
#ifndef IEUM_BROKER_CORE_LEAVERS_H
#define IEUM_BROKER_CORE_LEAVERS_H

#include <stdint.h>

struct leaver {
	uint32_t mailbox;
	uint32_t to;           /* who takes its place; 0: nobody */
	uint32_t looked_cases; /* of its list of cases, so many places */
	uint64_t looked_seq;   /* of the last message of no case that was looked at; 0: none yet */
};

/* In order of number; the first is looked through, then dropped. */
struct leavers {
	struct leaver *all;
	uint32_t n;
};

void leavers_deinit(struct leavers *ls);

#endif
