/* Copies of the journal off this disk, as an operator confirms them.
 *
 * What was receipted up to the confirmed number outlives the disk, so senders need no longer keep
 * it.  The number belongs to an incarnation: a hub that was restored from a copy begins without
 * one, because nobody has said yet which copies there are of what it writes from now on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/decision.h"

enum ieum_err core_decide_copied(const struct core *c, uint64_t connection,
				 const Ieum__V1__ConfirmCopy *copy, core_time_us now,
				 struct core_decision *d)
{
	if (copy->incarnation.len != CORE_ID_BYTES ||
	    memcmp(copy->incarnation.data, c->incarnation, CORE_ID_BYTES) != 0)
		return decision_refuse(d, IEUM_E_FIELD_INVALID,
				       "confirm_copy.incarnation: a copy of another journal");
	if (copy->journal_number > c->last_seq)
		return decision_refuse(
			d, IEUM_E_FIELD_INVALID,
			"confirm_copy.journal_number: the journal's newest is %" PRIu64,
			c->last_seq);
	if (copy->journal_number <= c->copied_through)
		return IEUM_E_OK;
	Ieum__V1__CopyConfirmed *e = decision_copy_confirmed(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->connection = connection;
	e->journal_number = copy->journal_number;
	return IEUM_E_OK;
}

enum ieum_err apply_copy_confirmed(struct core *c, const struct applied *a,
				   const Ieum__V1__CopyConfirmed *e)
{
	if (e->journal_number >= a->seq || e->journal_number <= c->copied_through)
		return IEUM_E_JOURNAL_CORRUPT;
	c->copied_through = e->journal_number;
	return IEUM_E_OK;
}

void copies_started(struct core *c, const Ieum__V1__HubStarted *e)
{
	if (e->incarnation.len == CORE_ID_BYTES &&
	    memcmp(e->incarnation.data, c->incarnation, CORE_ID_BYTES) != 0)
		c->copied_through = 0;
}

uint64_t core_copied_through(const struct core *c)
{
	return c->copied_through;
}
