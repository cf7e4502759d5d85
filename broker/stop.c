/* SIGTERM, SIGINT: nothing new, commit what was taken, say good-bye, go.
 *
 *   RUNNING ──signal──► DRAINING ──journal idle──► PARTING ──peers gone, journal idle──► out of the loop
 *
 * A second signal, or `stop_within`, cuts the connections off; what was recorded is committed all
 * the same.  Only a journal that can't commit is left behind. */
#include "broker/session.h"
#include "broker/supervisor.h"

static void say_goodbye(struct session *s)
{
	Ieum__V1__Goodbye goodbye = IEUM__V1__GOODBYE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	char why[] = "stopping";

	if (s->state == SESSION_CLOSING)
		return;
	if (s->state == SESSION_GREETING) {
		session_end(s, IEUM_E_STOPPING, "");
		return;
	}
	goodbye.why = why;
	frame.what_case = IEUM__V1__FRAME__WHAT_GOODBYE;
	frame.goodbye = &goodbye;
	if (codec_put(outbox_direct(s), &frame) == IEUM_E_OK)
		channel_finish(s->ch);
	else
		channel_close(s->ch);
}

static void cut_off(struct server *sv)
{
	struct session *s;

	LIST_FOREACH(s, &sv->sessions, all_link) {
		channel_close(s->ch);
	}
	if (sv->stopping == SERVER_DRAINING)
		sv->stopping = SERVER_PARTING;
	server_turn_soon(sv);
}

static struct timeval stop_within(const struct server *sv)
{
	return (struct timeval){ sv->config->limits.stop_within_ms / 1000,
				 sv->config->limits.stop_within_ms % 1000 * 1000 };
}

void stop_cb(evutil_socket_t signal_number, short what, void *arg)
{
	struct server *sv = arg;
	struct timeval within = stop_within(sv);
	struct session *s;

	(void)what;
	if (sv->stopping) {
		log_warn("stopping_now", LOG_I("signal", signal_number));
		cut_off(sv);
		return;
	}
	log_info("stopping", LOG_I("signal", signal_number));
	supervisor_stopping();
	refusing_flush(sv, true);
	sv->stopping = SERVER_DRAINING;
	for (size_t i = 0; i < sv->config->n_listen; i++) {
		channel_listener_free(sv->listeners[i]);
		sv->listeners[i] = NULL;
	}
	LIST_FOREACH(s, &sv->sessions, all_link) {
		session_wait(s, SESSION_WAIT_STOP);
	}
	evtimer_add(&sv->stop_ev, &within);
	server_turn_soon(sv);
}

void stop_deadline_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;
	struct timeval within = stop_within(sv);

	(void)fd, (void)what;
	if (sv->stalled) {
		log_error("stopped_without_commit",
			  LOG_S("do", "the last batch was receipted to nobody"));
		sv->exit = SERVER_EXIT_JOURNAL;
		event_base_loopbreak(sv->base);
		return;
	}
	log_warn("stopping_now", LOG_S("why", "stop_within is over"));
	cut_off(sv);
	/* A journal that stalls only now must not keep the process for ever either. */
	evtimer_add(&sv->stop_ev, &within);
}

void stop_turn(struct server *sv)
{
	struct session *s;

	if (!recorder_idle(&sv->recorder))
		return;
	if (sv->stopping == SERVER_DRAINING) {
		sv->stopping = SERVER_PARTING;
		LIST_FOREACH(s, &sv->sessions, all_link) {
			say_goodbye(s);
		}
	}
	if (sv->stopping == SERVER_PARTING && LIST_EMPTY(&sv->sessions) && sv->n_ended == 0)
		event_base_loopbreak(sv->base);
}
