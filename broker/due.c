/* What time brings: deadlines, a drill's leaps, and the tick for everything that is looked at
 * once a second. */
#include "broker/session.h"
#include "broker/supervisor.h"
#include "proto/uuid7.h"

/* ---- a drill's clock ---- */

void due_await_advance(struct server *sv, struct session *s, uint64_t request_id, int64_t by_ms)
{
	/* Leaps add up: the second operator's begins where the first one's ends. */
	int64_t from_us = server_now_us(sv);

	for (size_t i = 0; i < sv->n_advances; i++)
		if (sv->advances[i].until_us > from_us)
			from_us = sv->advances[i].until_us;
	sv->advances[sv->n_advances++] = (struct advance){
		.channel_id = s->channel_id,
		.request_id = request_id,
		.until_us = from_us + by_ms * 1000,
	};
	server_turn_soon(sv);
}

/* Moves a drill to the next moment at which something happens, as time would have done: a ladder's
 * second step must not be late because the first one was. */
static void leap(struct server *sv)
{
	int64_t to_us = sv->advances[0].until_us;
	int64_t next_us = core_next_due(sv->core);

	if (next_us < to_us)
		to_us = next_us;
	if (to_us > server_now_us(sv)) {
		clock_advance(&sv->clock, to_us - server_now_us(sv));
		sv->now_us = 0;
	}
}

/* Without an event of the new time a restart would go back to the old one. */
static void record_arrival(struct server *sv)
{
	if (core_last_at_us(sv->core) >= sv->advances[0].until_us)
		return;
	core_decision_reset(&sv->decision);
	if (core_decide_advance(sv->core, 0, 0, server_now_us(sv), &sv->decision) == IEUM_E_OK)
		(void)server_record(sv);
}

static void tell_advanced(struct server *sv)
{
	while (sv->n_advances && sv->advances[0].until_us <= server_now_us(sv)) {
		record_arrival(sv);
		struct channel *ch = channel_find(sv->channels, sv->advances[0].channel_id);
		Ieum__V1__Advanced advanced = IEUM__V1__ADVANCED__INIT;
		Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

		advanced.hub_time_at_ms = server_now_us(sv) / 1000;
		frame.request_id = sv->advances[0].request_id;
		frame.what_case = IEUM__V1__FRAME__WHAT_ADVANCED;
		frame.advanced = &advanced;
		if (ch) {
			struct session *s = ((const struct owner *)channel_arg(ch))->session;

			if (s->state == SESSION_OPEN)
				session_answer(s, &frame);
		}
		sv->n_advances--;
		for (size_t i = 0; i < sv->n_advances; i++)
			sv->advances[i] = sv->advances[i + 1];
	}
}

/* ---- deadlines ---- */

/* Somebody waits for keys and nobody is left who could wrap them: an operator may know whom to call. */
static void tell_waiting_for(const struct server *sv, const Ieum__V1__KeysChanged *k)
{
	struct core_certificate known;
	char message_id[UUID_TEXT_BYTES];

	if (k->message_id.len != CORE_ID_BYTES)
		return;
	uuid_format(k->message_id.data, message_id);
	if (k->participant && k->n_parts > 0 && k->ask_again_at_ms == 0 &&
	    core_certificates(sv->core, k->participant, &known, 1) > 0)
		log_warn("nobody wraps the keys of a sealed message for a reader",
			 LOG_S("participant", core_participant_name(sv->core, k->participant)),
			 LOG_S("message_id", message_id));
	if (k->skipped)
		log_warn("more readers lack keys of sealed messages than are asked for at a time",
			 LOG_S("message_id", message_id));
}

static void tell_waiting(struct server *sv)
{
	for (size_t i = 0; i < sv->decision.n_items; i++) {
		const Ieum__V1__Event *e = sv->decision.items[i].event;

		if (e->what_case == IEUM__V1__EVENT__WHAT_KEYS_CHANGED)
			tell_waiting_for(sv, e->keys_changed);
	}
}

/* One decision about what is due.  True when there was something. */
static bool due_round(struct server *sv)
{
	enum ieum_err err;

	core_decision_reset(&sv->decision);
	err = core_decide_due(sv->core, sv->policy, server_now_us(sv), &sv->decision);
	if (err) {
		server_fail(sv, err, "deadlines");
		return false;
	}
	certificates_tell_due(sv);
	if (sv->decision.n_items == 0 || !server_record(sv))
		return false;
	tell_waiting(sv);
	return true;
}

bool due_turn(struct server *sv)
{
	int64_t began_us = pace_wall_us();

	if (sv->stalled || sv->stopping)
		return false;
	for (int round = 0;
	     round < SERVER_DUE_ROUNDS && !sv->failed && pace_wall_us() - began_us < SERVER_HOLD_US;
	     round++) {
		if (recorder_room(&sv->recorder) == RECORDER_FULL)
			return false;
		if ((sv->look_due || core_next_due(sv->core) <= server_now_us(sv)) && due_round(sv))
			continue;
		sv->look_due = false;
		if (sv->n_advances == 0)
			return false;
		tell_advanced(sv);
		if (sv->n_advances)
			leap(sv);
	}
	return !sv->failed;
}

void due_arm(struct server *sv)
{
	int64_t next_us = core_next_due(sv->core);
	int64_t in_us = next_us - server_now_us(sv);
	struct timeval in;

	/* The tick looks too, so that a clock that was set meanwhile is noticed. */
	if (next_us == INT64_MAX || in_us > SERVER_TICK_MS * 1000 || sv->stalled || sv->stopping) {
		event_del(&sv->due_ev);
		return;
	}
	if (in_us < 1000)
		in_us = 1000;
	in = (struct timeval){ in_us / 1000000, in_us % 1000000 };
	evtimer_add(&sv->due_ev, &in);
}

/* ---- the tick ---- */

static void check_clock(struct server *sv)
{
	struct clock_reading now = clock_read();
	int64_t gap_us = clock_gap_us(&sv->clock, now);
	bool vouched = sv->clock_confirmed || clock_synchronised();

	switch (clock_check(&sv->clock, now, vouched)) {
	case CLOCK_NO_CHANGE: break;
	case CLOCK_DOUBTED:
		log_error(
			"clock_jumped", LOG_I("by_ms", gap_us / 1000),
			LOG_S("do",
			      "keeping the old pace until NTP is synchronised or SIGUSR1 confirms"));
		break;
	case CLOCK_RETURNED: log_info("clock_returned", LOG_I("gap_ms", gap_us / 1000)); break;
	case CLOCK_ADOPTED:
		log_warn("clock_adopted", LOG_I("by_ms", gap_us / 1000),
			 LOG_B("confirmed", sv->clock_confirmed));
		break;
	}
	sv->clock_confirmed = false;
}

void due_confirm_clock_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;

	(void)fd, (void)what;
	sv->clock_confirmed = true;
	check_clock(sv);
	server_turn_soon(sv);
}

/* One session's patience: no Hello, no frame for long, or a reader too slow. */
static void look_at(struct session *s, int64_t now_ms)
{
	const struct config_limits *limits = &s->server->config->limits;
	int64_t idle_ms = now_ms - channel_last_input_ms(s->ch);

	if (s->state == SESSION_CLOSING)
		return;
	if (outbox_full(s)) {
		if (now_ms - s->outbox.full_since_ms < limits->slow_after_ms)
			return;
		log_limited(&s->server->slow_lines, now_ms, LOG_WARN, "dropped",
			    LOG_S("why", "it reads too slowly"), LOG_U("connection", s->connection),
			    LOG_I("full_for_ms", now_ms - s->outbox.full_since_ms));
		channel_close(s->ch);
	} else if (s->state == SESSION_GREETING &&
		   now_ms - s->since_ms > limits->handshake_within_ms) {
		session_end(s, IEUM_E_TIMED_OUT, "no Hello in time");
	} else if (s->waits == 0 && idle_ms > limits->idle_after_ms) {
		session_end(s, IEUM_E_TIMED_OUT,
			    "nothing was sent for long; Ping keeps a connection");
	}
}

void due_tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;
	int64_t now_ms = clock_read().monotonic_us / 1000;
	int64_t began_us = pace_now_us();
	struct session *s;

	(void)fd, (void)what;
	supervisor_alive();
	check_clock(sv);
	refusing_flush(sv, false);
	sv->look_due = true;
	erasures_tick(sv);
	certificates_tick(sv);
	if (++sv->ticks % SERVER_DATES_TICKS == 0)
		certificates_tell_dates(sv);
	LIST_FOREACH(s, &sv->sessions, all_link) {
		look_at(s, now_ms);
	}
	pace_since(&sv->pace, "tick", began_us);
	server_turn_soon(sv);
}
