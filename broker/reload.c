/* SIGHUP: certificates, revocation list and hub file, all or nothing.  What TLS reads is also
 * watched: when such a file has changed and stays as it is, it is read without the hub file.
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
	bool tls_only;   /* this time */
	bool names_more; /* the hub file that is in force names certificates of another PKI */
	bool checking;   /* some session is unchecked */
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
	struct tls_files files = r->config->tls;

	if (!r->tls_only && !load_policy(r->config, &f->policy))
		return false;
	files.other_names = f->policy ? policy_names_certificates(f->policy) : r->names_more;
	enum ieum_err err = tls_new(TLS_SERVER, &files, &f->tls, why);
	if (err)
		return refuse("certificates", why[0] ? why : ieum_error((int)err)->name);
	/* Every certificate and every journal entry carries the hub's name. */
	if (f->policy && strcmp(policy_hub(f->policy), r->hub) != 0)
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

static void start_reading(struct reload *r, bool tls_only)
{
	sigset_t all, before;

	certificates_note_files(r->sv);
	r->tls_only = tls_only;
	r->names_more = policy_names_certificates(r->sv->policy);
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

static void listen_with_new(struct server *sv)
{
	for (size_t i = 0; i < sv->config->n_listen; i++)
		if (sv->listeners[i])
			channel_listener_set_tls(sv->listeners[i], sv->tls);
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
	listen_with_new(sv);
	LIST_FOREACH(s, &sv->sessions, all_link) {
		list_again(sv, s);
	}
}

/* New credentials under the same policy: nobody's place in it changes. */
static void exchange_tls(struct server *sv, struct fresh *f)
{
	struct tls *old = sv->tls;
	struct session *s;

	sv->tls = f->tls;
	f->tls = old;
	listen_with_new(sv);
	LIST_FOREACH(s, &sv->sessions, all_link) {
		s->unchecked = s->state != SESSION_CLOSING;
	}
}

static void take(struct server *sv, struct fresh *f)
{
	if (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL) {
		(void)refuse("journal", "it can't record now");
		return;
	}
	if (!f->policy)
		exchange_tls(sv, f);
	else if (take_policy(sv, f))
		exchange(sv, f);
	else
		return;
	if (!certificates_take_own(sv))
		return;
	sv->reload->hub = policy_hub(sv->policy);
	sv->reload->checking = true;
	sv->reload->checked = 0;
	certificates_judge_again(sv);
	erasures_soon(sv);
	log_info(sv->reload->tls_only ? "certificates_read" : "reloaded",
		 LOG_U("participants", policy_participants(sv->policy)),
		 LOG_I("crl_next_update_s", tls_crl_next_update_s(sv->tls)));
	certificates_tell_dates(sv);
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
		start_reading(r, false);
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
		start_reading(sv->reload, false);
}

bool reload_certificates(struct server *sv)
{
	if (sv->reload->reading || sv->failed || sv->stopping)
		return false;
	start_reading(sv->reload, true);
	return true;
}

/* ---- judging again ---- */

void reload_admit_no_more(struct session *s, enum ieum_err err, const char *what, const char *why)
{
	log_warn("no_longer_admitted", LOG_U("connection", s->connection),
		 LOG_S("error", ieum_error((int)err)->name), LOG_S("why", why));
	refusing_record(s->server, session_participant(s)->number, s->connection, err, what, NULL);
	session_end(s, err, "");
}

static void judge(struct session *s)
{
	char why[TLS_WHY_BYTES] = "";
	struct server *sv = s->server;
	enum ieum_err err = channel_recheck(s->ch, sv->tls, why);

	s->unchecked = false;
	sv->reload->checked++;
	if (!err || s->state == SESSION_CLOSING)
		return;
	reload_admit_no_more(s, err, "reload", why);
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
