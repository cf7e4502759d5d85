/* What an open session may ask: submit, credit, settle, ping, advance, query, copies,
 * goodbye. */
#include "broker/recipients.h"
#include "broker/session.h"
#include "proto/pbmap.h"

enum { WHAT_BYTES = REFUSALS_WHAT_BYTES };

bool requests_rate(const struct request *rq, const char *what)
{
	struct session *s = rq->s;
	struct server *sv = s->server;
	const struct policy_participant *who = session_participant(s);
	uint32_t per_s = who->rate_per_s ? who->rate_per_s
					 : (uint32_t)sv->config->limits.rate_per_participant;
	uint32_t retry_after_ms;

	/* By the machine's clock: a drill may stand still or leap. */
	if (rate_take(&sv->roster.entries[s->participant].rate, per_s, clock_read().monotonic_us,
		      &retry_after_ms))
		return true;
	refusing_answer(s, rq->id,
			&(struct refusing){ .err = IEUM_E_RATE_LIMITED,
					    .what = what,
					    .retry_after_ms = retry_after_ms });
	return false;
}

/* ---- submit ---- */

static void submit_what(const Ieum__V1__Envelope *envelope, char what[WHAT_BYTES])
{
	char word[PBMAP_WORD_BYTES];

	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)envelope->type, word))
		snprintf(word, sizeof(word), "%d", (int)envelope->type);
	snprintf(what, WHAT_BYTES, "submit %.*s", WHAT_BYTES - 8, word);
}

static void refuse_submit(const struct request *rq, enum ieum_err err, const char *detail,
			  uint32_t retry_after_ms)
{
	const Ieum__V1__Envelope *envelope = rq->frame->frame->submit->referral->envelope;
	char what[WHAT_BYTES];

	submit_what(envelope, what);
	refusing_answer(rq->s, rq->id,
			&(struct refusing){ .err = err,
					    .what = what,
					    .detail = detail,
					    .retry_after_ms = retry_after_ms,
					    .message_id = envelope->message_id.data });
}

/* Room in the journal's memory.  At the ceiling the submitter is no longer read; what it had sent
 * already goes into half of the reserve, `immediate` into all of it. */
static bool submit_room(const struct request *rq)
{
	const Ieum__V1__Envelope *envelope = rq->frame->frame->submit->referral->envelope;
	struct recorder *r = &rq->s->server->recorder;
	enum recorder_room room = recorder_room(r);

	if (rq->s->server->stalled) {
		refuse_submit(rq, IEUM_E_UNAVAILABLE, "", SERVER_RETRY_MS);
		return false;
	}
	if (room == RECORDER_ROOMY || (room == RECORDER_RESERVED &&
				       envelope->urgency == IEUM__V1__URGENCY__URGENCY_IMMEDIATE))
		return true;
	session_wait(rq->s, SESSION_WAIT_JOURNAL);
	if (room == RECORDER_RESERVED &&
	    recorder_pending_bytes(r) < r->pending_max + RECORDER_RESERVE_BYTES / 2)
		return true;
	refuse_submit(rq, IEUM_E_UNAVAILABLE, "the journal is behind", SERVER_SOON_MS);
	return false;
}

static void receipt(const struct request *rq, const struct core_decision *d)
{
	struct server *sv = rq->s->server;
	Ieum__V1__Receipt r = IEUM__V1__RECEIPT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	r.message_id = rq->frame->frame->submit->referral->envelope->message_id;
	r.journal_number = d->receipt_seq;
	r.received_at_ms = d->receipt_at_us / 1000;
	if (d->has_case)
		r.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)d->case_id };
	r.incarnation = (ProtobufCBinaryData){ sizeof(sv->incarnation), sv->incarnation };
	r.repeated = d->repeated;
	r.drill = sv->drill;
	frame.request_id = rq->id;
	frame.what_case = IEUM__V1__FRAME__WHAT_RECEIPT;
	frame.receipt = &r;
	session_answer(rq->s, &frame);
}

static void on_submit(const struct request *rq)
{
	struct session *s = rq->s;
	struct server *sv = s->server;
	struct core_decision *d = &sv->decision;
	struct core_submit submit = {
		.connection = s->connection,
		.referral = rq->frame->frame->submit->referral,
		.bytes = rq->frame->referral,
		.len = rq->frame->referral_len,
	};
	enum ieum_err err;

	if (submit.len > (size_t)sv->config->limits.payload) {
		refuse_submit(rq, IEUM_E_FIELD_TOO_LARGE, "submit.referral: over the hub's limit",
			      0);
		return;
	}
	if (!requests_rate(rq, "submit") || !submit_room(rq))
		return;
	err = recipients_read(submit.referral, &sv->arena, &submit);
	if (err) {
		refuse_submit(rq, err, "submit.referral: sealed parts, or keys", 0);
		return;
	}
	core_decision_reset(d);
	err = core_decide_submit(sv->core, sv->policy, &submit, server_now_us(sv), d);
	if (err) {
		refuse_submit(rq, err, d->detail, d->retry_after_ms);
		return;
	}
	if (server_record(sv))
		receipt(rq, d);
}

/* ---- credit and settle ---- */

static void on_credit(const struct request *rq)
{
	uint32_t deliveries = rq->frame->frame->credit->deliveries;
	struct session *s = rq->s;

	if (deliveries > (uint32_t)s->server->config->limits.unsettled_deliveries) {
		s->outstanding++;
		refusing_answer(s, rq->id,
				&(struct refusing){ .err = IEUM_E_CREDIT_TOO_LARGE,
						    .what = "credit" });
		return;
	}
	s->credit = deliveries;
	releases_want(s);
}

static void on_settle(const struct request *rq)
{
	const Ieum__V1__Settle *settle = rq->frame->frame->settle;
	struct session *s = rq->s;
	struct server *sv = s->server;
	struct core_settle command = {
		.connection = s->connection,
		.done = settle->done,
		.n_done = settle->n_done,
		.release = settle->release,
		.n_release = settle->n_release,
		.refuse = settle->refuse,
		.n_refuse = settle->n_refuse,
	};
	enum ieum_err err = IEUM_E_UNAVAILABLE;
	const char *detail = "the journal is behind";

	if (recorder_room(&sv->recorder) != RECORDER_FULL) {
		core_decision_reset(&sv->decision);
		err = core_decide_settle(sv->core, sv->policy, &command, server_now_us(sv),
					 &sv->decision);
		detail = sv->decision.detail;
	}
	if (err) {
		s->outstanding++;
		refusing_answer(s, rq->id,
				&(struct refusing){
					.err = err, .what = "settle", .detail = detail });
		return;
	}
	if (!server_record(sv))
		return;
	outbox_settled(s, rq->id);
	releases_want(s);
}

/* ---- ping, advance, goodbye ---- */

static void on_ping(const struct request *rq)
{
	Ieum__V1__Pong pong = IEUM__V1__PONG__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	pong.hub_time_at_ms = server_now_us(rq->s->server) / 1000;
	frame.request_id = rq->id;
	frame.what_case = IEUM__V1__FRAME__WHAT_PONG;
	frame.pong = &pong;
	session_answer_direct(rq->s, &frame);
}

static void on_advance(const struct request *rq)
{
	struct session *s = rq->s;
	struct server *sv = s->server;
	int64_t by_ms = rq->frame->frame->advance->by_ms;
	enum ieum_err err = IEUM_E_OK;

	core_decision_reset(&sv->decision);
	sv->decision.detail[0] = '\0';
	if (!sv->drill || !(session_participant(s)->views & POLICY_VIEW_DRILL))
		err = IEUM_E_NOT_PERMITTED;
	else if (sv->stalled)
		err = IEUM_E_UNAVAILABLE;
	else if (sv->n_advances == SERVER_ADVANCES_MAX)
		err = IEUM_E_TOO_MANY_REQUESTS;
	else
		err = core_decide_advance(sv->core, s->connection, by_ms, server_now_us(sv),
					  &sv->decision);
	if (err) {
		refusing_answer(s, rq->id,
				&(struct refusing){ .err = err,
						    .what = "advance",
						    .detail = sv->decision.detail });
		return;
	}
	if (server_record(sv))
		due_await_advance(sv, s, rq->id, by_ms);
}

/* ---- copies of the journal ---- */

/* Everyone who is here may forget what it kept up to there, once that is on record. */
static void tell_copied(struct session *s, uint64_t request_id)
{
	struct server *sv = s->server;
	Ieum__V1__Copied copied = IEUM__V1__COPIED__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	enum ieum_err err;

	copied.journal_number = core_copied_through(sv->core);
	copied.incarnation = (ProtobufCBinaryData){ sizeof(sv->incarnation), sv->incarnation };
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_COPIED;
	frame.copied = &copied;
	if (request_id) {
		session_answer(s, &frame);
		return;
	}
	err = codec_put(outbox_buf(s), &frame);
	if (err)
		session_overflow(s, err);
	else
		outbox_weigh(s);
}

static void on_confirm_copy(const struct request *rq)
{
	struct session *s = rq->s, *other;
	struct server *sv = s->server;
	struct core_decision *d = &sv->decision;
	bool news;
	enum ieum_err err = IEUM_E_OK;

	core_decision_reset(d);
	d->detail[0] = '\0';
	if (!(session_participant(s)->views & POLICY_VIEW_QUEUES))
		err = IEUM_E_NOT_PERMITTED;
	else if (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL)
		err = IEUM_E_UNAVAILABLE;
	else
		err = core_decide_copied(sv->core, s->connection, rq->frame->frame->confirm_copy,
					 server_now_us(sv), d);
	if (err) {
		refusing_answer(s, rq->id,
				&(struct refusing){
					.err = err, .what = "confirm_copy", .detail = d->detail });
		return;
	}
	news = d->n_items > 0;
	if (!server_record(sv))
		return;
	tell_copied(s, rq->id);
	if (!news)
		return;
	log_info("copied", LOG_U("connection", s->connection),
		 LOG_U("through", core_copied_through(sv->core)));
	LIST_FOREACH(other, &sv->sessions, all_link) {
		if (other != s && other->state == SESSION_OPEN)
			tell_copied(other, 0);
	}
}

/* Of a request that may take long; queries tell their own kind (queries.c). */
static const char *name_of(const Ieum__V1__Frame *frame)
{
	switch (frame->what_case) {
	case IEUM__V1__FRAME__WHAT_SUBMIT: return "submit";
	case IEUM__V1__FRAME__WHAT_SETTLE: return "settle";
	default: return NULL;
	}
}

static void dispatch(const struct request *rq)
{
	struct session *s = rq->s;
	const Ieum__V1__Frame *frame = rq->frame->frame;
	bool answered = true;

	switch (frame->what_case) {
	case IEUM__V1__FRAME__WHAT_CREDIT:
	case IEUM__V1__FRAME__WHAT_SETTLE:
	case IEUM__V1__FRAME__WHAT_GOODBYE: answered = false; break;
	default: break;
	}
	if (!answered) {
		s->outstanding--;
	} else if (s->outstanding > (uint32_t)s->server->config->limits.outstanding_requests) {
		refusing_answer(s, rq->id,
				&(struct refusing){ .err = IEUM_E_TOO_MANY_REQUESTS,
						    .what = "request",
						    .retry_after_ms = SERVER_SOON_MS });
		return;
	}
	switch (frame->what_case) {
	case IEUM__V1__FRAME__WHAT_SUBMIT: on_submit(rq); break;
	case IEUM__V1__FRAME__WHAT_CREDIT: on_credit(rq); break;
	case IEUM__V1__FRAME__WHAT_SETTLE: on_settle(rq); break;
	case IEUM__V1__FRAME__WHAT_QUERY: queries_answer(rq); break;
	case IEUM__V1__FRAME__WHAT_PING: on_ping(rq); break;
	case IEUM__V1__FRAME__WHAT_ADVANCE: on_advance(rq); break;
	case IEUM__V1__FRAME__WHAT_CONFIRM_COPY: on_confirm_copy(rq); break;
	case IEUM__V1__FRAME__WHAT_GOODBYE: session_part(s); break;
	default:
		/* The codec lets nothing else through. */
		session_end(s, IEUM_E_FRAME_UNEXPECTED, "");
		break;
	}
}

void requests_dispatch(const struct request *rq)
{
	struct server *sv = rq->s->server;
	const char *name = name_of(rq->frame->frame);
	int64_t began_us = name ? pace_wall_us() : 0;

	dispatch(rq);
	if (name)
		pace_request(&sv->pace, name, began_us);
}
