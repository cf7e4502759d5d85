/* Error frames, and the record of who was refused what. */
#include "broker/session.h"

/* What the hub can't record, or what isn't about the participant at all, stays out of the journal. */
static bool is_recorded(enum ieum_err err)
{
	switch (err) {
	case IEUM_E_UNAVAILABLE:
	case IEUM_E_STOPPING:
	case IEUM_E_DISK_FULL:
	case IEUM_E_JOURNAL_IO:
	case IEUM_E_INTERNAL:
	case IEUM_E_NO_MEMORY: return false;
	default: return true;
	}
}

/* What doesn't is told at once, also while the journal can't commit. */
bool refusing_rests_on_state(enum ieum_err err)
{
	switch (err) {
	case IEUM_E_UNAVAILABLE:
	case IEUM_E_STOPPING:
	case IEUM_E_RATE_LIMITED:
	case IEUM_E_TOO_MANY_REQUESTS:
	case IEUM_E_CREDIT_TOO_LARGE:
	case IEUM_E_FRAME_MALFORMED:
	case IEUM_E_FRAME_TOO_LARGE:
	case IEUM_E_FRAME_UNKNOWN:
	case IEUM_E_FRAME_UNEXPECTED:
	case IEUM_E_VERSION_UNSUPPORTED:
	case IEUM_E_TIMED_OUT: return false;
	default: return true;
	}
}

static void record(struct server *sv, const struct refusal *refusal, uint32_t count,
		   const uint8_t *message_id)
{
	struct core_refused refused = {
		.connection = refusal->connection,
		.participant = refusal->participant,
		.code = refusal->code,
		.what = refusal->what,
		.count = count,
		.message_id = message_id,
	};
	enum ieum_err err;

	core_decision_reset(&sv->decision);
	err = core_decide_refused(sv->core, &refused, server_now_us(sv), &sv->decision);
	if (err)
		log_warn("refusal_not_recorded", LOG_S("error", ieum_error((int)err)->name));
	else
		(void)server_record(sv);
}

void refusing_record(struct server *sv, uint32_t participant, uint64_t connection,
		     enum ieum_err err, const char *what, const uint8_t *message_id)
{
	struct refusal pushed;
	struct refusal first = { .participant = participant,
				 .code = err,
				 .connection = connection };

	if (!is_recorded(err) || sv->failed || sv->stalled ||
	    recorder_room(&sv->recorder) == RECORDER_FULL)
		return;
	if (refusals_count(&sv->refusals, participant, err, connection, what, server_now_us(sv),
			   &pushed)) {
		snprintf(first.what, sizeof(first.what), "%s", what);
		record(sv, &first, 1, message_id);
	}
	if (pushed.used && pushed.count)
		record(sv, &pushed, pushed.count, NULL);
}

void refusing_flush(struct server *sv, bool all)
{
	struct refusal refusal;

	while (!sv->failed && !sv->stalled && recorder_room(&sv->recorder) != RECORDER_FULL &&
	       refusals_take(&sv->refusals, server_now_us(sv), all, &refusal))
		record(sv, &refusal, refusal.count, NULL);
}

void refusing_answer(struct session *s, uint64_t request_id, const struct refusing *r)
{
	uint32_t retry_after_ms = r->retry_after_ms;
	char detail[CORE_DETAIL_BYTES];
	enum ieum_err err;
	bool direct;

	/* It may lie in the decision, which recording uses again. */
	snprintf(detail, sizeof(detail), "%s", r->detail ? r->detail : "");
	if (retry_after_ms == 0 && ieum_error((int)r->err)->retry == IEUM_RETRY_LATER)
		retry_after_ms = SERVER_RETRY_MS;
	refusing_record(s->server, session_participant(s)->number, s->connection, r->err, r->what,
			r->message_id);
	if (s->server->failed || s->state == SESSION_CLOSING)
		return;
	log_debug("refused", LOG_U("connection", s->connection),
		  LOG_S("error", ieum_error((int)r->err)->name), LOG_S("what", r->what));
	direct = s->welcomed && !refusing_rests_on_state(r->err);
	err = codec_put_error(direct ? outbox_direct(s) : outbox_buf(s), request_id, r->err, detail,
			      retry_after_ms, r->message_id);
	if (err) {
		session_overflow(s, err);
		return;
	}
	if (direct)
		s->outstanding--;
	else
		outbox_answered(s);
	outbox_weigh(s);
}
