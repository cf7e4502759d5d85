#include "broker/server.h"

#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session.h"
#include "broker/supervisor.h"

/* ---- verbs for the other parts ---- */

int64_t server_now_us(struct server *sv)
{
	if (sv->now_us == 0)
		sv->now_us = clock_now_us(&sv->clock, clock_read());
	return sv->now_us;
}

void server_turn_soon(struct server *sv)
{
	if (!sv->in_turn)
		event_active(&sv->turn_ev, EV_TIMEOUT, 1);
}

void server_fail(struct server *sv, enum ieum_err err, const char *doing)
{
	if (sv->failed)
		return;
	sv->failed = true;
	sv->exit = SERVER_EXIT_JOURNAL;
	log_error("failed", LOG_S("doing", doing), LOG_S("error", ieum_error((int)err)->name),
		  LOG_S("text", ieum_error((int)err)->text),
		  LOG_S("do", "nothing more is released; start again, the journal is replayed"));
	event_base_loopbreak(sv->base);
}

bool server_record(struct server *sv)
{
	enum ieum_err err = recorder_record(&sv->recorder, &sv->decision);

	if (err)
		server_fail(sv, err, "recording");
	else
		server_turn_soon(sv);
	return !err;
}

/* ---- the turn ---- */

static void turn_again(struct server *sv)
{
	static const struct timeval at_once = { 0, 0 };

	evtimer_add(&sv->again_ev, &at_once);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;
	int64_t began_us;
	enum ieum_err err;
	bool more;

	(void)fd, (void)what;
	if (sv->failed)
		return;
	sv->in_turn = true;
	began_us = pace_now_us();
	session_rested(sv);
	session_record_ended(sv);
	more = reload_turn(sv) | certificates_turn(sv);
	more |= due_turn(sv);
	pace_since(&sv->pace, "due", began_us);
	began_us = pace_now_us();
	releases_turn(sv);
	pace_since(&sv->pace, "release", began_us);
	sv->in_turn = false;
	if (sv->failed)
		return;
	err = recorder_hand_over(&sv->recorder, server_now_us(sv));
	/* The reason comes by the eventfd; the batch stays here meanwhile. */
	if (err && err != IEUM_E_UNAVAILABLE)
		server_fail(sv, err, "commit");
	if (more || (!TAILQ_EMPTY(&sv->pump) && !sv->stalled && !sv->stopping &&
		     recorder_room(&sv->recorder) != RECORDER_FULL))
		turn_again(sv);
	due_arm(sv);
	if (sv->stopping)
		stop_turn(sv);
	sv->now_us = 0;
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	server_turn_soon(arg);
}

static void on_took(const char *what, int64_t us, void *arg)
{
	struct server *sv = arg;

	pace_took(&sv->pace, what, us);
}

static void on_trouble(const char *text, void *arg)
{
	struct server *sv = ((const struct owner *)arg)->server;

	log_limited(&sv->trouble_lines, clock_read().monotonic_us / 1000, LOG_WARN, "listener",
		    LOG_S("why", text));
}

/* ---- making ---- */

static bool make_events(struct server *sv)
{
	static const struct timeval tick = { SERVER_TICK_MS / 1000, SERVER_TICK_MS % 1000 * 1000 };
	struct event_base *base = sv->base;
	int failed = 0;

	failed |= event_assign(&sv->turn_ev, base, -1, 0, on_turn, sv);
	failed |= event_assign(&sv->again_ev, base, -1, 0, on_again, sv);
	failed |= event_assign(&sv->due_ev, base, -1, 0, on_again, sv);
	failed |= event_assign(&sv->stop_ev, base, -1, 0, stop_deadline_cb, sv);
	failed |= event_assign(&sv->tick_ev, base, -1, EV_PERSIST, due_tick_cb, sv);
	failed |= event_assign(&sv->commit_ev, base, committer_fd(sv->committer),
			       EV_READ | EV_PERSIST, commits_cb, sv);
	failed |= evsignal_assign(&sv->term_ev, base, SIGTERM, stop_cb, sv);
	failed |= evsignal_assign(&sv->int_ev, base, SIGINT, stop_cb, sv);
	failed |= evsignal_assign(&sv->hup_ev, base, SIGHUP, reload_cb, sv);
	failed |= evsignal_assign(&sv->usr1_ev, base, SIGUSR1, due_confirm_clock_cb, sv);
	if (failed)
		return false;
	failed |= event_add(&sv->tick_ev, &tick) | event_add(&sv->commit_ev, NULL) |
		  event_add(&sv->term_ev, NULL) | event_add(&sv->int_ev, NULL) |
		  event_add(&sv->hup_ev, NULL) | event_add(&sv->usr1_ev, NULL);
	return !failed;
}

static bool make_loop(struct server *sv)
{
	const struct config_limits *limits = &sv->config->limits;
	struct channel_limits channel_limits = {
		.max_frame_bytes = (size_t)limits->frame,
		/* What may wait, one turn's answers to what was read already, and a last word. */
		.out_max_bytes = 2 * (size_t)limits->out_buffer + 4 * (size_t)limits->frame,
		.out_high_bytes = (size_t)limits->out_buffer,
		.out_low_bytes = (size_t)limits->out_buffer / 2,
		.channels_max = (uint32_t)limits->connections,
		.handshaking_max = (uint32_t)limits->handshakes,
		.handshake_within_ms = (uint32_t)limits->handshake_within_ms,
		.close_within_ms = (uint32_t)limits->close_within_ms,
	};

	sv->base = event_base_new();
	if (sv->base)
		sv->channels = channel_loop_new(sv->base, &channel_limits);
	if (sv->channels)
		channel_loop_measure(sv->channels, on_took, sv);
	return sv->channels != NULL;
}

static enum ieum_err start_threads(struct server *sv, const struct server_parts *parts)
{
	const struct config *c = sv->config;
	struct snapshotter_config snapshots = {
		.journal = { .engine = c->journal_engine,
			     .path = c->journal_path,
			     .drill = sv->drill },
		.limits = { (uint64_t)c->limits.referrals, (uint64_t)c->limits.deliveries,
			    (uint64_t)c->limits.cases },
		.every_events = (uint64_t)c->snapshot_every_events,
		.last_seq = parts->snapshot_seq,
	};
	enum ieum_err err = committer_new(sv->journal, &sv->committer);

	sv->recorder.committer = sv->committer;
	/* A memory journal can't be read by a second thread, and dies with the process. */
	if (!err && c->snapshot_every_events && strcmp(c->journal_engine, "sqlite") == 0)
		err = snapshotter_new(&snapshots, &sv->snapshotter);
	snapshotter_note(sv->snapshotter, core_last_seq(sv->core));
	if (!err && strcmp(c->journal_engine, "sqlite") == 0)
		err = retention_new(&snapshots.journal, &sv->retention);
	return err;
}

static enum ieum_err listen_all(struct server *sv)
{
	for (size_t i = 0; i < sv->config->n_listen; i++) {
		struct channel_listen_options options = {
			.address = sv->config->listen[i],
			.tls = sv->tls,
			.cb = session_channel_cb,
			.trouble_cb = on_trouble,
			.arg = &sv->nobody,
		};
		char why[TLS_WHY_BYTES] = "";
		enum ieum_err err = channel_listen(sv->channels, &options, &sv->listeners[i], why);

		if (err) {
			log_error("not_listening", LOG_S("address", options.address),
				  LOG_S("why", why));
			return err;
		}
	}
	return IEUM_E_OK;
}

static void server_init(struct server *sv, const struct server_parts *parts)
{
	sv->config = parts->config;
	sv->drill = parts->drill;
	sv->policy = parts->policy;
	sv->tls = parts->tls;
	sv->journal = parts->journal;
	sv->core = parts->core;
	sv->nobody = (struct owner){ sv, NULL };
	memcpy(sv->incarnation, journal_info(parts->journal)->incarnation, sizeof(sv->incarnation));
	LIST_INIT(&sv->sessions);
	TAILQ_INIT(&sv->pump);
	TAILQ_INIT(&sv->waiting);
	TAILQ_INIT(&sv->resting);
	TAILQ_INIT(&sv->parked);
	for (int side = 0; side < RECORDER_SIDES; side++)
		TAILQ_INIT(&sv->held[side]);
	core_decision_init(&sv->decision, SERVER_DECISION_BUDGET_BYTES);
	arena_init(&sv->arena, 16 * (size_t)sv->config->limits.frame);
	clock_start(&sv->clock, clock_read(), core_last_at_us(sv->core), sv->drill);
	if (sv->drill && parts->drill_from_us)
		clock_start_drill_at(&sv->clock, clock_read(), parts->drill_from_us);
}

enum ieum_err server_new(const struct server_parts *parts, struct server **out)
{
	const struct config_limits *limits = &parts->config->limits;
	struct server *sv = calloc(1, sizeof(*sv));
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!sv) {
		policy_free(parts->policy);
		tls_free(parts->tls);
		return err;
	}
	server_init(sv, parts);
	sv->ended = calloc((size_t)limits->connections, sizeof(*sv->ended));
	if (sv->ended)
		err = recorder_init(&sv->recorder, sv->core, (size_t)limits->journal_pending,
				    (size_t)sv->config->cache_bytes);
	if (!err)
		err = start_record(sv);
	if (!err)
		err = roster_build(&sv->roster, sv->policy);
	if (!err)
		err = make_loop(sv) ? listen_all(sv) : IEUM_E_NO_MEMORY;
	if (!err)
		err = start_threads(sv, parts);
	if (!err)
		err = reload_new(sv, &sv->reload);
	if (!err && !make_events(sv))
		err = IEUM_E_NO_MEMORY;
	if (err) {
		log_error("not_started", LOG_S("error", ieum_error((int)err)->name),
			  LOG_S("text", ieum_error((int)err)->text));
		server_free(sv);
		return err;
	}
	*out = sv;
	return IEUM_E_OK;
}

/* ---- running and ending ---- */

static void tell_ready(const struct server *sv)
{
	char addresses[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < sv->config->n_listen && len < sizeof(addresses) - 1; i++) {
		int n = snprintf(addresses + len, sizeof(addresses) - len, "%s%s", i ? "," : "",
				 channel_listener_address(sv->listeners[i]));

		len += n > 0 ? (size_t)n : 0;
	}
	log_info("ready", LOG_S("listen", addresses), LOG_S("hub", policy_hub(sv->policy)),
		 LOG_B("drill", sv->drill), LOG_U("seq", core_last_seq(sv->core)),
		 LOG_S("version", IEUM_VERSION));
	supervisor_ready(addresses);
}

enum server_exit server_run(struct server *sv)
{
	tell_ready(sv);
	certificates_tell_dates(sv);
	sv->now_us = 0;
	server_turn_soon(sv);
	event_base_dispatch(sv->base);
	pace_tell(&sv->pace);
	if (!sv->failed)
		log_info("stopped", LOG_U("seq", core_last_seq(sv->core)));
	return sv->exit;
}

void server_free(struct server *sv)
{
	struct session *s;

	if (!sv)
		return;
	reload_free(sv->reload);
	snapshotter_free(sv->snapshotter);
	retention_free(sv->retention);
	if (sv->committer) {
		committer_stop(sv->committer);
		committer_free(sv->committer);
	}
	for (size_t i = 0; i < sv->config->n_listen; i++)
		channel_listener_free(sv->listeners[i]);
	while ((s = LIST_FIRST(&sv->sessions)))
		session_free(s);
	channel_loop_free(sv->channels);
	queries_forget(sv, 0);
	if (sv->base)
		event_base_free(sv->base);
	recorder_deinit(&sv->recorder);
	roster_free(&sv->roster);
	free(sv->ended);
	core_decision_release(&sv->decision);
	arena_release(&sv->arena);
	policy_free(sv->policy);
	tls_free(sv->tls);
	free(sv);
}
