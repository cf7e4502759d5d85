/* Names of the policy that the state keeps beyond the policy that gave them: a clock goes on, and
 * a timeline still names it, when the hub file has it no more.
 *
 * Numbered from 1 in the order in which the journal first says them, and never forgotten: who
 * writes hub files makes them, and there are few. */
#ifndef IEUM_BROKER_CORE_NAMES_H
#define IEUM_BROKER_CORE_NAMES_H

#include <stdint.h>

enum { NAMES_MAX = UINT16_MAX };

struct names {
	char **texts; /* texts[number - 1] */
	uint32_t n, cap;
};

void names_deinit(struct names *n);

/* Given now when it is new; 0: no memory, or too many. */
uint32_t names_number(struct names *n, const char *text);
/* 0: never said. */
uint32_t names_find(const struct names *n, const char *text);
/* "" for a number that nothing has. */
const char *names_text(const struct names *n, uint32_t number);

#endif
