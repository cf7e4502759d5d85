/* The sets of signals from inside, for deciding and applying.  Private to broker/core/signals*.c. */
#ifndef IEUM_BROKER_CORE_SIGNALS_IN_H
#define IEUM_BROKER_CORE_SIGNALS_IN_H

#include "broker/core/state.h"

static inline struct signal *signal_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->signals.records, h);
}

static inline struct signal_set *signal_set_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->signals.sets, h);
}

static inline struct signal_tag *signal_tag_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->signals.tags, h);
}

static inline struct tag_place *tag_place_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->signals.places, h);
}

/* "2026-11", or "" for 0. */
char *signal_month_text(struct arena *arena, uint32_t month);
/* By the message's id; 0: it is not kept. */
uint32_t signal_find(const struct core *c, const uint8_t id[CORE_ID_BYTES]);
uint32_t signal_find_tag(const struct core *c, uint8_t kind, uint8_t epoch, uint64_t tag);

#endif
