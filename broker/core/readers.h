/* Who has read something by a query, of a message or of a case: a list in the order of the last
 * reading, the newest first, each participant once.  It has no bound of its own: only who may read
 * gets into it.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_READERS_H
#define IEUM_BROKER_CORE_READERS_H

#include "broker/core/apply.h"
#include "broker/core/snapshot.h"

static inline const struct reader *reader_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->readers, h);
}

/* What an event of a reading makes known: of a message that its content was read, of a case that
 * its timeline was, by that participant. */
enum ieum_err readers_note(struct core *c, const struct applied *a, const Ieum__V1__WasRead *e,
			   uint32_t participant) IEUM_MUST_CHECK;
void readers_forget(struct core *c, uint32_t *list);

/* Participant and seq by turns. */
enum ieum_err readers_write(struct snapshot_writing *w, uint32_t list, uint64_t **out,
			    size_t *n) IEUM_MUST_CHECK;
enum ieum_err readers_read(struct core *c, uint32_t *list, const uint64_t *from,
			   size_t n) IEUM_MUST_CHECK;

#endif
