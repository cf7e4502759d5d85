/* What comes back from the journal thread: a batch is durable, or the journal is in trouble. */
#include "broker/session.h"

static void resume_waiting(struct server *sv)
{
	struct session *s;

	/* At three quarters of the ceiling: not at every batch. */
	if (sv->stalled ||
	    recorder_pending_bytes(&sv->recorder) > sv->recorder.pending_max / 4 * 3 ||
	    recorder_room(&sv->recorder) != RECORDER_ROOMY)
		return;
	while ((s = TAILQ_FIRST(&sv->waiting)))
		session_resume(s, SESSION_WAIT_JOURNAL);
}

/* A payload that was asked for: into the cache, then whoever waited goes on. */
static void on_read(struct server *sv, struct journal_read *r)
{
	struct channel *ch = channel_find(sv->channels, (uint64_t)(uintptr_t)r->tag);
	size_t len = r->len;
	enum ieum_err err = r->result;

	if (err == IEUM_E_OK || err == IEUM_E_PAYLOAD_ERASED)
		err = payload_cache_put_fetched(sv->recorder.cache, r->seq, journal_read_take(r),
						len);
	/* Too much for one batch: whoever waits asks again. */
	if (err && err != IEUM_E_HUB_FULL) {
		server_fail(sv, err, "reading a payload");
		return;
	}
	if (ch) {
		struct session *s = ((const struct owner *)channel_arg(ch))->session;

		s->reads--;
		releases_want(s);
	}
	queries_payload_read(sv, r->seq, err == IEUM_E_OK && len == 0);
}

static void on_durable(struct server *sv, int side)
{
	struct journal_batch *b = sv->recorder.side[side];

	outbox_release(sv, side);
	for (size_t i = 0; i < b->n_reads && !sv->failed; i++)
		on_read(sv, &b->reads[i]);
	/* After the reads: one of an earlier batch may have brought it back. */
	for (size_t i = 0; i < b->n_erasures; i++)
		payload_cache_drop(sv->recorder.cache, b->erasures[i]);
	if (b->n_events)
		snapshotter_note(sv->snapshotter, b->first_seq + b->n_events - 1);
	recorder_done(&sv->recorder, side);
	releases_read_again(sv);
	resume_waiting(sv);
}

static void on_state(struct server *sv, enum committer_state state)
{
	bool stalled = state == COMMITTER_STALLED;

	if (stalled == sv->stalled)
		return;
	sv->stalled = stalled;
	if (stalled)
		log_error("journal_stalled",
			  LOG_S("error", ieum_error((int)committer_trouble(sv->committer))->name),
			  LOG_S("do", "new work is refused; the batch is tried again"));
	else
		log_info("journal_resumed", LOG_U("seq", core_last_seq(sv->core)));
}

/* Reaping clears the news, so the state is asked for afterwards: what the thread changes later it
 * tells again. */
void commits_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;
	enum committer_state state;
	enum ieum_err result = IEUM_E_OK;
	int64_t began_us = pace_now_us();
	bool reaped;
	int side;

	(void)fd, (void)what;
	if (sv->failed)
		return;
	reaped = recorder_reap(&sv->recorder, &side, &result);
	state = committer_state(sv->committer);
	if (!result && state == COMMITTER_FAILED)
		result = committer_trouble(sv->committer);
	if (result) {
		server_fail(sv, result, "commit");
		return;
	}
	on_state(sv, state);
	if (reaped)
		on_durable(sv, side);
	pace_since(&sv->pace, "commit", began_us);
	if (!sv->failed)
		server_turn_soon(sv);
}
