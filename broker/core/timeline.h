/* A case's history: small entries in order, no texts.  Entry numbers count from 0 and stay
 * what they are, so a page's cursor is a number. */
#ifndef IEUM_BROKER_CORE_TIMELINE_H
#define IEUM_BROKER_CORE_TIMELINE_H

#include "broker/core/state.h"

/* A cleared entry at the end; NULL when out of memory. */
struct entry *timeline_add(struct timeline *t);
void timeline_free(struct timeline *t);

/* What the line names: the number of a name that the core keeps.  Such a line has no outcome and
 * no reason, whose bytes it takes. */
static inline void entry_set_name(struct entry *e, uint32_t name)
{
	e->outcome = (uint8_t)name;
	e->reason = (uint8_t)(name >> 8);
}

static inline uint32_t entry_name(const struct entry *e)
{
	return (uint32_t)(e->outcome | e->reason << 8);
}

static inline struct entry *timeline_at(const struct timeline *t, uint32_t n)
{
	return &t->chunks[n / TIMELINE_CHUNK_ENTRIES][n % TIMELINE_CHUNK_ENTRIES];
}

#endif
