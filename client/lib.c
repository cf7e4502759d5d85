/* libieum: making and freeing a client; see ieum.h and lib_internal.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "client/lib_internal.h"

enum {
	DEFAULT_PAUSE_MIN_MS = 500,
	DEFAULT_PAUSE_MAX_MS = 30 * 1000,
	DEFAULT_SILENCE_MS = 30 * 1000,
	DEFAULT_SUBMITS_MAX = 4096,
	DEFAULT_SUBMIT_BYTES_MAX = 64 * 1024 * 1024,
	DEFAULT_KEEP_BYTES_MAX = 16 * 1024 * 1024,
	DEFAULT_REMEMBER_MAX = 16384,
	DEFAULT_ALONE_AFTER_MS = 2 * 60 * 1000,
	STRINGS_MAX_BYTES = 64 * 1024,
};

#define DEFAULT_SPOOL_BYTES_MAX ((uint64_t)256 << 20)

int64_t lib_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For jitter only: without random bytes the clock has to do. */
uint64_t lib_random(void)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
		random = (uint64_t)lib_now_ms() * UINT64_C(2685821657736338717);
	return random;
}

void lib_trouble_set(struct lib_trouble *t, enum ieum_err code, const char *name,
		     const char *detail, uint32_t retry_after_ms)
{
	snprintf(t->name, sizeof t->name, "%s", name ? name : ieum_error((int)code)->name);
	snprintf(t->detail, sizeof t->detail, "%s", detail ? detail : "");
	t->failure = (struct ieum_failure){ code, t->name, t->detail, retry_after_ms };
}

/* ---- work and time ---- */

/* When its user is to be told that the hub is away. */
static int64_t alone_due_ms(const struct ieum *c)
{
	if (c->state == LIB_UP || c->state == LIB_STOPPED || c->alone_told)
		return INT64_MAX;
	return c->alone_since_ms + c->options.alone_after_ms;
}

static void check_alone(struct ieum *c)
{
	int64_t now = lib_now_ms();

	if (now < alone_due_ms(c))
		return;
	c->alone_told = true;
	if (c->options.callbacks.alone)
		c->options.callbacks.alone(c, now - c->alone_since_ms, lib_spool_waiting(c),
					   c->options.ctx);
}

static void set_tick(struct ieum *c)
{
	int64_t due = lib_submits_due_ms(c), now = lib_now_ms();
	const int64_t others[] = { lib_silence_due_ms(c), lib_spool_due_ms(c), alone_due_ms(c) };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		due = others[i] < due ? others[i] : due;
	if (due == INT64_MAX) {
		event_del(&c->tick_ev);
		return;
	}
	int64_t in_ms = due > now ? due - now : 0;
	struct timeval in = { (time_t)(in_ms / 1000), (suseconds_t)(in_ms % 1000 * 1000) };
	event_add(&c->tick_ev, &in);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct ieum *c = arg;

	(void)fd, (void)what;
	c->in_callback = c->in_work = true;
	lib_files_look(c);
	lib_spool_turn(c);
	if (c->state == LIB_UP) {
		lib_settles_send(c);
		lib_submits_send(c);
	}
	c->in_callback = c->in_work = false;
	c->files_looked_at = false;
	set_tick(c);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ieum *c = arg;

	(void)fd, (void)what;
	c->in_callback = true;
	lib_submits_tick(c);
	lib_spool_tick(c);
	lib_silence_check(c);
	check_alone(c);
	c->in_callback = false;
	lib_work_soon(c);
}

/* Work that makes work comes back after a look at the sockets and clocks. */
void lib_work_soon(struct ieum *c)
{
	static const struct timeval at_once = { 0, 0 };

	if (c->in_work)
		event_add(&c->work_ev, &at_once);
	else
		event_active(&c->work_ev, EV_TIMEOUT, 0);
}

/* ---- options ---- */

static const char *own(struct ieum *c, const char *text)
{
	return text ? arena_copy(&c->strings, text, strlen(text) + 1) : NULL;
}

static enum ieum_err bad_option(char why[IEUM_WHY_BYTES], const char *text)
{
	snprintf(why, IEUM_WHY_BYTES, "%s", text);
	return IEUM_E_FIELD_INVALID;
}

static void set_defaults(struct ieum_options *o)
{
	if (!o->software)
		o->software = "libieum";
	if (!o->pause_min_ms)
		o->pause_min_ms = DEFAULT_PAUSE_MIN_MS;
	if (!o->pause_max_ms)
		o->pause_max_ms = DEFAULT_PAUSE_MAX_MS;
	if (o->pause_max_ms < o->pause_min_ms)
		o->pause_max_ms = o->pause_min_ms;
	if (!o->silence_ms)
		o->silence_ms = DEFAULT_SILENCE_MS;
	if (!o->submits_max)
		o->submits_max = DEFAULT_SUBMITS_MAX;
	if (!o->submit_bytes_max)
		o->submit_bytes_max = DEFAULT_SUBMIT_BYTES_MAX;
	if (!o->keep_bytes_max)
		o->keep_bytes_max = DEFAULT_KEEP_BYTES_MAX;
	else if (o->keep_bytes_max == SIZE_MAX)
		o->keep_bytes_max = 0;
	if (!o->remember_max)
		o->remember_max = DEFAULT_REMEMBER_MAX;
	if (!o->spool_bytes_max)
		o->spool_bytes_max = DEFAULT_SPOOL_BYTES_MAX;
	if (!o->alone_after_ms)
		o->alone_after_ms = DEFAULT_ALONE_AFTER_MS;
}

static enum ieum_err take_options(struct ieum *c, const struct ieum_options *options,
				  char why[IEUM_WHY_BYTES])
{
	struct ieum_options *o = &c->options;

	if (options->n_addresses < 1 || options->n_addresses > IEUM_ADDRESSES_MAX ||
	    !options->addresses)
		return bad_option(why, "options: 1 to 16 addresses");
	if (!lib_files_are_named(options, why))
		return IEUM_E_FIELD_INVALID;
	*o = *options;
	set_defaults(o);
	if (strlen(o->software) > 64)
		return bad_option(why, "options: software has at most 64 bytes");
	for (size_t i = 0; i < o->n_addresses; i++)
		c->addresses[i] = own(c, options->addresses[i]);
	o->addresses = c->addresses;
	o->server_name = own(c, o->server_name);
	if (o->n_identities > IEUM_IDENTITIES_MAX)
		return bad_option(why, "options: too many identities");
	for (size_t i = 0; i < o->n_identities; i++) {
		const struct ieum_identity *of = &o->identities[i];

		c->identities[i] =
			(struct ieum_identity){ own(c, of->participant), own(c, of->key),
						own(c, of->issuer), own(c, of->subject) };
	}
	o->identities = c->identities;
	o->spool = own(c, o->spool);
	o->software = own(c, o->software);
	if (!o->software || !lib_files_name(options, o, &c->file_names))
		return IEUM_E_NO_MEMORY;
	c->credit = o->credit;
	c->backoff = (struct backoff){ .min_ms = o->pause_min_ms, .max_ms = o->pause_max_ms };
	return IEUM_E_OK;
}

/* ---- life ---- */

_Static_assert((int)IEUM_WHY_BYTES == (int)TLS_WHY_BYTES, "a reason's room");

static void init_lists(struct ieum *c)
{
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->sent);
	TAILQ_INIT(&c->delayed);
	TAILQ_INIT(&c->kept);
	TAILQ_INIT(&c->started);
	STAILQ_INIT(&c->settles);
	TAILQ_INIT(&c->batches);
	TAILQ_INIT(&c->seen);
}

enum ieum_err ieum_new(struct event_base *base, const struct ieum_options *options,
		       struct ieum **out, char why[IEUM_WHY_BYTES])
{
	struct ieum *c = calloc(1, sizeof *c);
	enum ieum_err err = IEUM_E_NO_MEMORY;

	*out = NULL;
	snprintf(why, IEUM_WHY_BYTES, "%s", ieum_error(IEUM_E_NO_MEMORY)->text);
	if (!c)
		return err;
	c->base = base;
	c->limits = channel_limits_default;
	c->alone_since_ms = lib_now_ms();
	init_lists(c);
	arena_init(&c->strings, STRINGS_MAX_BYTES);
	arena_init(&c->file_names, LIB_FILE_NAMES_MAX_BYTES);
	arena_init(&c->arena, CODEC_ARENA_BUDGET_BYTES);
	event_assign(&c->work_ev, base, -1, 0, on_work, c);
	event_assign(&c->tick_ev, base, -1, 0, on_tick, c);
	event_assign(&c->reconnect_ev, base, -1, 0, lib_connect, c);
	err = take_options(c, options, why);
	if (!err)
		err = lib_files_read(c, why);
	if (!err && !(c->loop = channel_loop_new(base, &c->limits)))
		err = IEUM_E_NO_MEMORY;
	if (!err)
		err = lib_spool_open(c, why);
	if (err) {
		ieum_free(c);
		return err;
	}
	lib_connect_soon(c, 0);
	*out = c;
	return IEUM_E_OK;
}

void ieum_free(struct ieum *c)
{
	if (!c)
		return;
	assert(!c->in_callback);
	event_del(&c->reconnect_ev);
	event_del(&c->work_ev);
	event_del(&c->tick_ev);
	lib_requests_free(c);
	lib_spool_close(c);
	lib_submits_free(c);
	lib_settles_free(c);
	lib_inbox_free(c);
	lib_keys_free(c);
	if (c->loop)
		channel_loop_free(c->loop);
	tls_free(c->tls);
	ieum_keyring_free(c->keyring);
	arena_release(&c->arena);
	arena_release(&c->strings);
	arena_release(&c->file_names);
	free(c);
}

bool ieum_connected(const struct ieum *c)
{
	return c->state == LIB_UP;
}
