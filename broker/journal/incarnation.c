/* Which incarnation a journal goes on in when it is opened to be written.
 *
 * A copy that was put back gives the numbers after its end a second time, for other events.
 * Whoever has a receipt with such a number learns by a new incarnation that it is void.  The store's
 * mark (mark.h) shows it; where it doesn't, the operator says so. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/journal/engine.h"

/* A mark in the future of this journal, or on another way to it. */
static enum ieum_err compare(struct journal *j, const struct journal_mark *mark)
{
	char *why = j->info.restored_why;
	struct journal_commit then;

	if (memcmp(mark->incarnation, j->info.incarnation, sizeof mark->incarnation) != 0) {
		if (j->last.size > 0)
			snprintf(why, JOURNAL_WHY_BYTES,
				 "the mark beside it is of another incarnation");
		return IEUM_E_OK;
	}
	if (mark->size > j->last.size) {
		snprintf(why, JOURNAL_WHY_BYTES,
			 "it ends with event %" PRIu64 ", and %" PRIu64 " were written here",
			 j->last.size, mark->size);
		return IEUM_E_OK;
	}
	if (mark->size == 0)
		return IEUM_E_OK;
	enum ieum_err err = j->engine->commit_from(j->store, mark->size, &then);
	if (!err && (then.size != mark->size || !merkle_equal(&then.root, &mark->root)))
		snprintf(why, JOURNAL_WHY_BYTES,
			 "its first %" PRIu64 " events are not those written here", mark->size);
	return err;
}

static enum ieum_err find_doubt(struct journal *j, bool restored)
{
	struct journal_mark mark;
	const char *none;

	if (restored) {
		snprintf(j->info.restored_why, JOURNAL_WHY_BYTES, "its operator says so");
		return IEUM_E_OK;
	}
	if (!j->engine->mark_read)
		return IEUM_E_OK;
	enum ieum_err err = j->engine->mark_read(j->store, &mark, &none);
	if (err)
		return err;
	if (!none)
		return compare(j, &mark);
	if (j->last.size > 0)
		snprintf(j->info.restored_why, JOURNAL_WHY_BYTES, "%s", none);
	return IEUM_E_OK;
}

static enum ieum_err begin_new(struct journal *j, const uint8_t *incarnation)
{
	if (memcmp(incarnation, j->info.incarnation, sizeof j->info.incarnation) == 0) {
		journal_log(
			j->log_cb, j->log_ctx,
			"journal: a new incarnation was to begin, and the old one was given for it");
		return IEUM_E_FIELD_INVALID;
	}
	enum ieum_err err = j->engine->start_incarnation(j->store, incarnation);
	if (!err)
		memcpy(j->info.incarnation, incarnation, sizeof j->info.incarnation);
	return err;
}

enum ieum_err journal_settle_incarnation(struct journal *j, const struct journal_config *config)
{
	struct journal_mark mark = { .size = j->last.size, .root = j->last.root };
	enum ieum_err err = find_doubt(j, config->restored);

	/* First the journal: a mark of an incarnation that nobody has heard of does no harm. */
	if (!err && j->info.restored_why[0])
		err = begin_new(j, config->incarnation);
	if (err || !j->engine->mark_begin)
		return err;
	memcpy(mark.incarnation, j->info.incarnation, sizeof mark.incarnation);
	return j->engine->mark_begin(j->store, &mark);
}
