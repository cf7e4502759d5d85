/* SIGHUP: certificates, revocation list and hub file, all or nothing.
 *
 *     IDLE ──SIGHUP──► READING (a thread builds the new ones whole) ──► taken or refused ──► IDLE
 *                         └── another SIGHUP: once more afterwards
 *
 * Reading and checking a large hub file or revocation list takes long, so a thread of its own does it,
 * and the loop only exchanges pointers.  Judging every open session's certificate again takes long
 * too: whoever does something is judged first (reload_checked()), the others a few in each turn.
 * Revoked or no longer listed, it is told so and ends. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/session.h"

enum { CHECKED_PER_TURN = 4 }; /* a signature or two each */

struct fresh {
	struct tls *tls;
	struct policy *policy;
	struct roster roster;
};

struct reload {
	struct server *sv;
	struct event done_ev;
	int done_fd;
	pthread_t thread;
	bool reading, once_more;
	bool checking; /* some session is unchecked */
	uint64_t checked;
	/* The thread's while reading. */
	const struct config *config;
	const char *hub; /* its name, which can't change */
	struct fresh fresh;
	bool good;
};

static void fresh_free(struct fresh *f)
{
	tls_free(f->tls);
	policy_free(f->policy);
	roster_free(&f->roster);
	*f = (struct fresh){ .tls = NULL };
}

void reload_tell_dates(const struct server *sv)
{
	enum { DAY_S = 24 * 60 * 60, CRL_WARNING_S = 2 * DAY_S };
	int64_t now_s = clock_read().realtime_us / 1000000;
	int64_t certificate_s = tls_own(sv->tls)->not_after_s - now_s;
	int64_t crl_at_s = tls_crl_next_update_s(sv->tls);

	if (certificate_s < CONFIG_CERTIFICATE_WARNING_DAYS * (int64_t)DAY_S)
		log_warn("certificate_ends", LOG_I("in_days", certificate_s / DAY_S));
	if (policy_holidays_end_soon(sv->policy, now_s * 1000))
		log_warn("holidays_end",
			 LOG_I("in_days",
			       (policy_holidays_end_ms(sv->policy) / 1000 - now_s) / DAY_S),
			 LOG_S("do", "add the next ones to the hub file and send SIGHUP"));
	if (crl_at_s && crl_at_s - now_s < CRL_WARNING_S)
		log_warn(
			"revocation_list_ends", LOG_I("in_hours", (crl_at_s - now_s) / 3600),
			LOG_S("do",
			      "publish a new one and send SIGHUP: from then on every client is refused"));
}

static bool refuse(const char *what, const char *why)
{
	log_error("reload_refused", LOG_S("what", what), LOG_S("why", why));
	return false;
}

static bool load_policy(const struct config *c, struct policy **out)
{
	struct yaml_diag diag;
	enum ieum_err err;

	yaml_diag_init(&diag);
	err = policy_load(c->hub_file, &diag, out);
	for (size_t i = 0; i < yaml_diag_kept(&diag); i++)
		log_error("mistake", LOG_S("text", diag.mistakes[i].text));
	return err ? refuse("hub file", ieum_error((int)err)->name) : true;
}

/* ---- the thread ---- */

static bool load(const struct reload *r, struct fresh *f)
{
	char why[TLS_WHY_BYTES] = "";
	enum ieum_err err = tls_new(TLS_SERVER, &r->config->tls, &f->tls, why);

	if (err)
		return refuse("certificates", why[0] ? why : ieum_error((int)err)->name);
	if (!load_policy(r->config, &f->policy))
		return false;
	/* Every certificate and every journal entry carries the hub's name. */
	if (strcmp(policy_hub(f->policy), r->hub) != 0)
		return refuse("hub file", "a hub's name can't change");
	if (strcmp(tls_own(f->tls)->hub, r->hub) != 0)
		return refuse("certificates", "they are of another hub");
	return true;
}

static void *read_files(void *arg)
{
	struct reload *r = arg;
	uint64_t one = 1;

	r->good = load(r, &r->fresh);
	while (write(r->done_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

static void start_reading(struct reload *r)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->reading = pthread_create(&r->thread, NULL, read_files, r) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r->reading)
		(void)refuse("memory", "no thread to read with");
}

/* ---- taking ---- */

/* The policy takes effect for deciding: recorded and bound.  False: the server fails. */
static bool take_policy(struct server *sv, struct fresh *f)
{
	enum ieum_err err;

	core_decision_reset(&sv->decision);
	err = core_decide_policy(sv->core, f->policy, server_now_us(sv), &sv->decision);
	if (err)
		return refuse("hub file", sv->decision.detail[0] ? sv->decision.detail
								 : ieum_error((int)err)->name);
	if (!server_record(sv))
		return false;
	err = core_bind_policy(sv->core, f->policy);
	if (!err)
		err = roster_build(&f->roster, f->policy);
	if (err)
		server_fail(sv, err, "reload");
	return !err;
}

/* The participant's index is of the old policy; and whoever is listed no more ends at once. */
static void list_again(struct server *sv, struct session *s)
{
	enum ieum_err err = session_identify(channel_peer(s->ch), sv->policy, &s->participant);

	s->unchecked = s->state != SESSION_CLOSING && !err;
	if (s->state == SESSION_CLOSING)
		return;
	if (!err) {
		roster_join(sv, s);
		releases_want(s);
		return;
	}
	log_warn("no_longer_admitted", LOG_U("connection", s->connection),
		 LOG_S("error", ieum_error((int)err)->name));
	refusing_record(sv, 0, s->connection, err, "reload", NULL);
	session_end(s, err, "");
}

static void exchange(struct server *sv, struct fresh *f)
{
	struct fresh old = { sv->tls, sv->policy, sv->roster };
	struct session *s;

	LIST_FOREACH(s, &sv->sessions, all_link) {
		roster_leave(sv, s);
	}
	sv->tls = f->tls;
	sv->policy = f->policy;
	sv->roster = f->roster;
	*f = old;
	for (size_t i = 0; i < sv->config->n_listen; i++)
		if (sv->listeners[i])
			channel_listener_set_tls(sv->listeners[i], sv->tls);
	LIST_FOREACH(s, &sv->sessions, all_link) {
		list_again(sv, s);
	}
}

static void take(struct server *sv, struct fresh *f)
{
	if (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL) {
		(void)refuse("journal", "it can't record now");
		return;
	}
	if (!take_policy(sv, f))
		return;
	exchange(sv, f);
	sv->reload->hub = policy_hub(sv->policy);
	sv->reload->checking = true;
	sv->reload->checked = 0;
	erasures_soon(sv);
	log_info("reloaded", LOG_U("participants", policy_participants(sv->policy)),
		 LOG_I("crl_next_update_s", tls_crl_next_update_s(sv->tls)));
	reload_tell_dates(sv);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct reload *r = arg;
	struct server *sv = r->sv;
	int64_t began_us = pace_now_us();
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	if (!r->reading)
		return;
	pthread_join(r->thread, NULL);
	r->reading = false;
	if (r->good && !sv->failed && !sv->stopping)
		take(sv, &r->fresh);
	fresh_free(&r->fresh);
	if (r->once_more && !sv->failed && !sv->stopping)
		start_reading(r);
	r->once_more = false;
	pace_since(&sv->pace, "new files", began_us);
	server_turn_soon(sv);
}

void reload_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;

	(void)fd, (void)what;
	if (sv->failed || sv->stopping)
		return;
	if (sv->reload->reading)
		sv->reload->once_more = true;
	else
		start_reading(sv->reload);
}

/* ---- judging again ---- */

static void judge(struct session *s)
{
	char why[TLS_WHY_BYTES] = "";
	struct server *sv = s->server;
	enum ieum_err err = channel_recheck(s->ch, sv->tls, why);

	s->unchecked = false;
	sv->reload->checked++;
	if (!err || s->state == SESSION_CLOSING)
		return;
	log_warn("no_longer_admitted", LOG_U("connection", s->connection),
		 LOG_S("error", ieum_error((int)err)->name), LOG_S("why", why));
	refusing_record(sv, session_participant(s)->number, s->connection, err, "reload", NULL);
	session_end(s, err, "");
}

bool reload_checked(struct session *s)
{
	if (s->unchecked)
		judge(s);
	return s->state != SESSION_CLOSING;
}

bool reload_turn(struct server *sv)
{
	unsigned checked = 0;
	struct session *s;

	if (!sv->reload->checking || sv->stopping)
		return false;
	LIST_FOREACH(s, &sv->sessions, all_link) {
		if (!s->unchecked)
			continue;
		if (checked++ == CHECKED_PER_TURN)
			return true;
		judge(s);
	}
	sv->reload->checking = false;
	log_info("sessions_judged_again", LOG_U("sessions", sv->reload->checked));
	return false;
}

/* ---- life ---- */

enum ieum_err reload_new(struct server *sv, struct reload **out)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (!r)
		return IEUM_E_NO_MEMORY;
	r->sv = sv;
	r->config = sv->config;
	r->hub = policy_hub(sv->policy);
	r->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->done_fd < 0 ||
	    event_assign(&r->done_ev, sv->base, r->done_fd, EV_READ | EV_PERSIST, on_read, r) ||
	    event_add(&r->done_ev, NULL)) {
		if (r->done_fd >= 0)
			close(r->done_fd);
		free(r);
		return IEUM_E_NO_MEMORY;
	}
	*out = r;
	return IEUM_E_OK;
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	if (r->reading)
		pthread_join(r->thread, NULL);
	fresh_free(&r->fresh);
	event_del(&r->done_ev);
	close(r->done_fd);
	free(r);
}
