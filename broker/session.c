#include "broker/session.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_VERSION = 1 };

const struct policy_participant *session_participant(const struct session *s)
{
	return policy_participant(s->server->policy, s->participant);
}

enum ieum_err session_identify(const struct tls_identity *peer, const struct policy *policy,
			       int *index)
{
	int found = policy_identify(policy, peer->names, peer->n_names);

	*index = POLICY_NONE;
	if (found == POLICY_NONE)
		return IEUM_E_IDENTITY_UNKNOWN;
	*index = found;
	return IEUM_E_OK;
}

void session_wait(struct session *s, enum session_wait why)
{
	if (why == SESSION_WAIT_JOURNAL && !(s->waits & SESSION_WAIT_JOURNAL))
		TAILQ_INSERT_TAIL(&s->server->waiting, s, waiting_link);
	if (why == SESSION_WAIT_TURN && !(s->waits & SESSION_WAIT_TURN))
		TAILQ_INSERT_TAIL(&s->server->resting, s, resting_link);
	s->waits |= why;
	channel_pause(s->ch);
}

void session_resume(struct session *s, enum session_wait why)
{
	if (!(s->waits & why))
		return;
	if (why == SESSION_WAIT_JOURNAL)
		TAILQ_REMOVE(&s->server->waiting, s, waiting_link);
	if (why == SESSION_WAIT_TURN)
		TAILQ_REMOVE(&s->server->resting, s, resting_link);
	s->waits &= ~(unsigned)why;
	if (s->waits == 0 && s->state != SESSION_CLOSING)
		channel_resume(s->ch);
}

static void begin_closing(struct session *s)
{
	struct server *sv = s->server;

	s->state = SESSION_CLOSING;
	outbox_drop(s);
	if (s->on_pump)
		TAILQ_REMOVE(&sv->pump, s, pump_link);
	s->on_pump = false;
	s->credit = 0;
	roster_leave(sv, s);
}

void session_part(struct session *s)
{
	begin_closing(s);
	channel_finish(s->ch);
}

void session_overflow(struct session *s, enum ieum_err err)
{
	uint32_t suppressed;

	if (s->state == SESSION_CLOSING)
		return;
	if (log_allowed(&s->server->slow_lines, clock_read().monotonic_us / 1000, &suppressed))
		log_warn("dropped", LOG_S("why", "its output buffer is full"),
			 LOG_S("error", ieum_error((int)err)->name),
			 LOG_U("connection", s->connection), LOG_U("suppressed", suppressed));
	begin_closing(s);
	channel_close(s->ch);
}

void session_end(struct session *s, enum ieum_err err, const char *detail)
{
	bool waits = refusing_rests_on_state(err);
	uint32_t retry_after_ms;

	if (s->state == SESSION_CLOSING)
		return;
	/* Whoever may be told nothing now comes again and hears it then. */
	if (waits && s->server->stalled) {
		err = IEUM_E_UNAVAILABLE;
		detail = "";
		waits = false;
	}
	retry_after_ms = ieum_error((int)err)->retry == IEUM_RETRY_LATER ? SERVER_RETRY_MS : 0;
	begin_closing(s);
	if (codec_put_error(waits ? outbox_buf(s) : outbox_direct(s), 0, err, detail,
			    retry_after_ms, NULL) != IEUM_E_OK)
		channel_close(s->ch);
	else if (!outbox_holds(s)) /* else when that is durable */
		channel_finish(s->ch);
}

void session_answer(struct session *s, const Ieum__V1__Frame *frame)
{
	enum ieum_err err = codec_put(outbox_buf(s), frame);

	if (err) {
		session_overflow(s, err);
		return;
	}
	outbox_answered(s);
	outbox_weigh(s);
}

void session_answer_direct(struct session *s, const Ieum__V1__Frame *frame)
{
	enum ieum_err err;

	/* Nothing overtakes Welcome. */
	if (!s->welcomed) {
		session_answer(s, frame);
		return;
	}
	err = codec_put(outbox_direct(s), frame);
	s->outstanding--;
	if (err)
		session_overflow(s, err);
	else
		outbox_weigh(s);
}

/* ---- greeting ---- */

static void welcome(struct session *s, uint64_t request_id)
{
	enum { WARNING_S = CONFIG_CERTIFICATE_WARNING_DAYS * 24 * 3600 };
	struct server *sv = s->server;
	const struct config_limits *limits = &sv->config->limits;
	const struct policy_limits *policy = policy_limits(sv->policy);
	const struct tls_identity *peer = channel_peer(s->ch);
	Ieum__V1__Limits allowed = IEUM__V1__LIMITS__INIT;
	Ieum__V1__Welcome w = IEUM__V1__WELCOME__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	int64_t now_us = server_now_us(sv);

	allowed.frame_bytes = (uint32_t)limits->frame;
	allowed.payload_bytes = (uint32_t)limits->payload;
	allowed.outstanding_requests = (uint32_t)limits->outstanding_requests;
	allowed.unsettled_deliveries = (uint32_t)limits->unsettled_deliveries;
	allowed.id_window_ms = policy->id_window_ms;
	allowed.settle_within_ms = policy->settle_within_ms;
	w.version = PROTOCOL_VERSION;
	w.hub = (char *)policy_hub(sv->policy);
	w.participant = (char *)session_participant(s)->name;
	w.actor = (char *)peer->actor;
	w.incarnation = (ProtobufCBinaryData){ sizeof(sv->incarnation), sv->incarnation };
	w.hub_time_at_ms = now_us / 1000;
	w.limits = &allowed;
	/* By the machine's clock, as TLS judges it: a drill's clock may be elsewhere. */
	if (peer->not_after_s - clock_read().realtime_us / 1000000 < WARNING_S)
		w.certificate_ends_at_ms = peer->not_after_s * 1000;
	w.drill = sv->drill;
	w.revocation_list_ends_at_ms = tls_crl_next_update_s(sv->tls) * 1000;
	w.copied_through = core_copied_through(sv->core);
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_WELCOME;
	frame.welcome = &w;
	session_answer(s, &frame);
}

static void refuse_greeting(struct session *s, enum ieum_err err, const char *what,
			    const char *detail)
{
	uint32_t number = s->participant == POLICY_NONE ? 0 : session_participant(s)->number;
	struct server *sv = s->server;
	uint32_t suppressed;

	if (log_allowed(&sv->identity_lines, clock_read().monotonic_us / 1000, &suppressed))
		log_warn("refused", LOG_S("error", ieum_error((int)err)->name), LOG_S("what", what),
			 LOG_S("why", detail), LOG_S("peer", channel_peer(s->ch)->uri),
			 LOG_S("address", channel_address(s->ch)), LOG_U("suppressed", suppressed));
	refusing_record(sv, number, 0, err, what, NULL);
	session_end(s, err, detail);
}

/* What it came with, for those who seal to it.  False: that is not to be had now, or nobody can: who
 * is known by such a certificate alone would keep everybody from sealing to all the others. */
static bool comes_with(const struct session *s, struct tls_certificate *from,
		       struct core_certificate *out)
{
	const struct tls_identity *peer = channel_peer(s->ch);

	if (channel_peer_certificate(s->ch, from) || !from->can_be_sealed_to)
		return false;
	*out = (struct core_certificate){
		.der = from->der,
		.der_len = from->der_len,
		.fingerprint = from->fingerprint,
		.key_id = from->key_id,
		.key_id_len = from->key_id_len,
		.issuer_serial = from->issuer_serial,
		.ends_at_ms = peer->not_after_s * 1000,
		.actor = peer->actor,
		.serial = peer->serial,
	};
	return true;
}

static enum ieum_err decide_connect(struct session *s, const struct core_connect *connect)
{
	struct server *sv = s->server;

	core_decision_reset(&sv->decision);
	return core_decide_connect(sv->core, sv->policy, connect, server_now_us(sv), &sv->decision);
}

/* What a peer says changes nothing: it can be wrong.  But a journal that ends before a receipt of
 * its own incarnation is a copy, of which its mark knew nothing. */
static void look_for_lost_end(const struct session *s, const Ieum__V1__Hello *hello)
{
	struct server *sv = s->server;
	uint64_t last = core_last_seq(sv->core);

	if (hello->journal_number <= last ||
	    memcmp(hello->incarnation.data, sv->incarnation, sizeof(sv->incarnation)) != 0)
		return;
	log_limited(
		&sv->trouble_lines, clock_read().monotonic_us / 1000, LOG_ERROR,
		"receipt_beyond_journal", LOG_S("participant", session_participant(s)->name),
		LOG_U("receipt", hello->journal_number), LOG_U("seq", last),
		LOG_S("text",
		      "the journal ends before a receipt it has given: if it was put back from a copy, stop the hub and run it once with --restored, so that agencies send again what is missing"));
}

static void greet(const struct request *rq)
{
	const Ieum__V1__Hello *hello = rq->frame->frame->hello;
	struct session *s = rq->s;
	struct server *sv = s->server;
	const struct tls_identity *peer = channel_peer(s->ch);
	struct tls_certificate certificate;
	struct core_certificate with;
	struct core_connect connect = {
		.participant = session_participant(s)->name,
		.actor = peer->actor,
		.address = channel_address(s->ch),
		.certificate = peer->serial,
		.with = comes_with(s, &certificate, &with) ? &with : NULL,
	};

	if (hello->version_min > PROTOCOL_VERSION || hello->version_max < PROTOCOL_VERSION) {
		refuse_greeting(s, IEUM_E_VERSION_UNSUPPORTED, "hello", "");
		return;
	}
	if (sv->stalled || sv->n_ended || recorder_room(&sv->recorder) == RECORDER_FULL) {
		session_end(s, IEUM_E_UNAVAILABLE, "");
		return;
	}
	enum ieum_err err = decide_connect(s, &connect);
	if (err) {
		refuse_greeting(s, err, "hello", sv->decision.detail);
		return;
	}
	s->connection = sv->decision.items[0].event->connected->connection;
	if (!server_record(sv))
		return;
	s->state = SESSION_OPEN;
	look_for_lost_end(s, hello);
	log_info("connected", LOG_U("connection", s->connection),
		 LOG_S("participant", connect.participant), LOG_S("address", connect.address),
		 LOG_S("certificate", connect.certificate));
	if (connect.with)
		certificates_tell_left_out(s, connect.with);
	welcome(s, rq->id);
}

/* ---- frames ---- */

static void on_frame(struct session *s, const struct frame_view *view)
{
	struct server *sv = s->server;
	struct codec_frame frame;
	struct codec_problem problem;
	struct request rq = { .s = s, .frame = &frame };
	enum ieum_err err;

	if (s->state == SESSION_CLOSING || sv->failed || !reload_checked(s))
		return;
	arena_reset(&sv->arena);
	s->outstanding++;
	err = codec_decode(view->payload, view->len, CODEC_FROM_CLIENT, &sv->arena, &frame,
			   &problem);
	if (err) {
		if (s->state == SESSION_GREETING) {
			session_end(s, err, problem.detail);
			return;
		}
		refusing_answer(s, problem.request_id,
				&(struct refusing){ .err = err,
						    .what = "frame",
						    .detail = problem.detail,
						    .message_id = problem.has_message_id
									  ? problem.message_id
									  : NULL });
		return;
	}
	rq.id = frame.frame->request_id;
	if (rq.id <= s->last_request_id) {
		session_end(s, IEUM_E_FRAME_UNEXPECTED,
			    "request_id: must rise from frame to frame");
		return;
	}
	s->last_request_id = rq.id;
	if ((frame.frame->what_case == IEUM__V1__FRAME__WHAT_HELLO) !=
	    (s->state == SESSION_GREETING))
		session_end(s, IEUM_E_FRAME_UNEXPECTED, "Hello comes first, and once");
	else if (s->state == SESSION_GREETING)
		greet(&rq);
	else
		requests_dispatch(&rq);
}

/* Many small frames come in one read: they are one callback, which must not hold the loop for
 * long. */
static void on_frame_in_turn(struct session *s, const struct frame_view *view)
{
	if (s->turn_began_us == 0) {
		pace_turn(&s->server->pace);
		s->turn_began_us = pace_wall_us();
	}
	on_frame(s, view);
	if (s->state != SESSION_CLOSING && pace_wall_us() - s->turn_began_us > SERVER_HOLD_US)
		session_wait(s, SESSION_WAIT_TURN);
}

void session_rested(struct server *sv)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&sv->resting)))
		session_resume(s, SESSION_WAIT_TURN);
}

/* ---- life ---- */

void session_free(struct session *s)
{
	outbox_drop(s);
	LIST_REMOVE(s, all_link);
	free(s);
}

static void on_ready(struct server *sv, struct channel *ch)
{
	const struct config_limits *limits = &sv->config->limits;
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		channel_close(ch);
		return;
	}
	s->owner = (struct owner){ sv, s };
	s->server = sv;
	s->ch = ch;
	s->channel_id = channel_id(ch);
	s->since_ms = clock_read().monotonic_us / 1000;
	outbox_init(s, channel_out(ch)->max);
	LIST_INSERT_HEAD(&sv->sessions, s, all_link);
	channel_set_arg(ch, &s->owner);
	if (sv->stopping) {
		session_end(s, IEUM_E_STOPPING, "");
	} else if (session_identify(channel_peer(ch), sv->policy, &s->participant) != IEUM_E_OK) {
		refuse_greeting(s, IEUM_E_IDENTITY_UNKNOWN, "connect", "");
	} else if (sv->roster.entries[s->participant].n_sessions >=
		   limits->connections_per_participant) {
		refuse_greeting(s, IEUM_E_TOO_MANY_CONNECTIONS, "connect", "");
	} else if (certificates_is_stranger(s)) {
		log_limited(&sv->tls_lines, s->since_ms, LOG_WARN, "tls_refused",
			    LOG_S("why", "the revocation list has ended, and this certificate "
					 "was never seen while it was good"),
			    LOG_S("address", channel_address(ch)));
		session_end(s, IEUM_E_UNAVAILABLE, "the hub's revocation list has ended");
	} else {
		roster_join(sv, s);
	}
}

/* Recorded at once, or when the journal has room again. */
static void record_end(struct server *sv, uint64_t connection)
{
	if (sv->failed)
		return;
	if (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL) {
		if (sv->n_ended == (size_t)sv->config->limits.connections)
			server_fail(sv, IEUM_E_HUB_FULL, "recording ends");
		else
			sv->ended[sv->n_ended++] = connection;
		return;
	}
	core_decision_reset(&sv->decision);
	if (core_decide_disconnect(sv->core, connection, server_now_us(sv), &sv->decision) ==
	    IEUM_E_OK)
		(void)server_record(sv);
}

void session_record_ended(struct server *sv)
{
	while (sv->n_ended && !sv->failed && !sv->stalled &&
	       recorder_room(&sv->recorder) != RECORDER_FULL)
		record_end(sv, sv->ended[--sv->n_ended]);
}

static void on_closed(struct session *s)
{
	struct server *sv = s->server;

	if (s->state != SESSION_CLOSING)
		begin_closing(s);
	if (s->waits & SESSION_WAIT_JOURNAL)
		TAILQ_REMOVE(&sv->waiting, s, waiting_link);
	if (s->waits & SESSION_WAIT_TURN)
		TAILQ_REMOVE(&sv->resting, s, resting_link);
	queries_forget(sv, s->channel_id);
	if (s->connection) {
		log_info("disconnected", LOG_U("connection", s->connection),
			 LOG_S("reason", channel_close_reason_name(channel_close_reason(s->ch))));
		record_end(sv, s->connection);
	}
	session_free(s);
}

/* It never became a session: nobody is known, so this goes to the log only. */
static void on_stranger_closed(struct server *sv, struct channel *ch)
{
	log_limited(&sv->tls_lines, clock_read().monotonic_us / 1000, LOG_WARN, "tls_refused",
		    LOG_S("reason", channel_close_reason_name(channel_close_reason(ch))),
		    LOG_S("why", channel_close_text(ch)), LOG_S("address", channel_address(ch)));
}

void session_channel_cb(struct channel *ch, enum channel_event event,
			const struct frame_view *frame, void *arg)
{
	struct owner *owner = arg;
	struct server *sv = owner->server;
	struct session *s = owner->session;

	switch (event) {
	case CHANNEL_READY: on_ready(sv, ch); break;
	case CHANNEL_FRAME: on_frame_in_turn(s, frame); break;
	case CHANNEL_TURN_END: s->turn_began_us = 0; break;
	case CHANNEL_DRAINED: outbox_weigh(s); break;
	case CHANNEL_BROKEN:
		session_end(s,
			    channel_close_reason(ch) == CHANNEL_CLOSE_FRAME_TOO_LARGE
				    ? IEUM_E_FRAME_TOO_LARGE
				    : IEUM_E_FRAME_MALFORMED,
			    "");
		break;
	case CHANNEL_CLOSED:
		if (s)
			on_closed(s);
		else
			on_stranger_closed(sv, ch);
		break;
	}
	server_turn_soon(sv);
}
