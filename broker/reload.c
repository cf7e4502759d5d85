/* SIGHUP: certificates, revocation list and hub file, all or nothing.
 *
 * The new ones are built whole beside the old; only when everything is good is anything
 * exchanged.  Then every open session is looked at again: revoked or no longer listed, it is
 * told so and ends. */
#include <string.h>

#include "broker/session.h"

struct fresh {
	struct tls *tls;
	struct policy *policy;
	struct roster roster;
};

static void fresh_free(struct fresh *f)
{
	tls_free(f->tls);
	policy_free(f->policy);
	roster_free(&f->roster);
}

void reload_tell_dates(const struct server *sv)
{
	enum { DAY_S = 24 * 60 * 60, CRL_WARNING_S = 2 * DAY_S };
	int64_t now_s = clock_read().realtime_us / 1000000;
	int64_t certificate_s = tls_own(sv->tls)->not_after_s - now_s;
	int64_t crl_at_s = tls_crl_next_update_s(sv->tls);

	if (certificate_s < CONFIG_CERTIFICATE_WARNING_DAYS * (int64_t)DAY_S)
		log_warn("certificate_ends", LOG_I("in_days", certificate_s / DAY_S));
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

static bool load(const struct server *sv, struct fresh *f)
{
	char why[TLS_WHY_BYTES] = "";
	enum ieum_err err;

	if (sv->stalled || recorder_room(&sv->recorder) == RECORDER_FULL)
		return refuse("journal", "it can't record now");
	err = tls_new(TLS_SERVER, &sv->config->tls, &f->tls, why);
	if (err)
		return refuse("certificates", why[0] ? why : ieum_error((int)err)->name);
	if (!load_policy(sv->config, &f->policy))
		return false;
	/* Every certificate and every journal entry carries the hub's name. */
	if (strcmp(policy_hub(f->policy), policy_hub(sv->policy)) != 0)
		return refuse("hub file", "a hub's name can't change");
	if (strcmp(tls_own(f->tls)->hub, policy_hub(f->policy)) != 0)
		return refuse("certificates", "they are of another hub");
	return true;
}

/* The policy takes effect for deciding: recorded and bound.  False: the server fails. */
static bool take_policy(struct server *sv, struct fresh *f)
{
	enum ieum_err err;

	core_decision_reset(&sv->decision);
	err = core_decide_policy(sv->core, f->policy, server_now_us(sv), &sv->decision);
	if (err)
		return refuse("hub file", ieum_error((int)err)->name);
	if (!server_record(sv))
		return false;
	err = core_bind_policy(sv->core, f->policy);
	if (!err)
		err = roster_build(&f->roster, f->policy);
	if (err)
		server_fail(sv, err, "reload");
	return !err;
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
}

/* Is whoever is connected still who may be? */
static void look_again(struct server *sv, struct session *s)
{
	char why[TLS_WHY_BYTES] = "";
	uint32_t number = 0;
	enum ieum_err err = session_identify(channel_peer(s->ch), sv->policy, &s->participant);
	enum ieum_err tls_err = channel_recheck(s->ch, sv->tls, why);

	if (s->state == SESSION_CLOSING)
		return;
	if (!err) {
		number = session_participant(s)->number;
		roster_join(sv, s);
	}
	if (tls_err)
		err = tls_err;
	if (!err) {
		releases_want(s);
		return;
	}
	log_warn("no_longer_admitted", LOG_U("connection", s->connection),
		 LOG_S("error", ieum_error((int)err)->name), LOG_S("why", why));
	refusing_record(sv, number, s->connection, err, "reload", NULL);
	session_end(s, err, "");
}

void reload_cb(evutil_socket_t fd, short what, void *arg)
{
	struct server *sv = arg;
	struct fresh f = { .tls = NULL };
	struct session *s;

	(void)fd, (void)what;
	if (sv->failed || sv->stopping)
		return;
	if (load(sv, &f) && take_policy(sv, &f)) {
		exchange(sv, &f);
		LIST_FOREACH(s, &sv->sessions, all_link) {
			look_again(sv, s);
		}
		log_info("reloaded", LOG_U("participants", policy_participants(sv->policy)),
			 LOG_I("crl_next_update_s", tls_crl_next_update_s(sv->tls)));
		reload_tell_dates(sv);
	}
	fresh_free(&f);
	server_turn_soon(sv);
}
