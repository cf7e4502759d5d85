/* The real hub of a city's year: ieumd with its SQLite journal, one mTLS connection per agency. */
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/policy/policy.h"
#include "proto/channel.h"
#include "proto/codec.h"
#include "tests/process/ieumd_process.h"
#include "tests/year/city.h"

extern char **environ;

enum {
	CREDIT = 256,
	SETTLE_MAX = 256,
	FRAME_ARENA_BYTES = 8 << 20,
	QUIET_MS = 100,
	PATH_BYTES = 512,
};

/* Submitted and without a receipt. */
struct owed {
	TAILQ_ENTRY(owed) link;
	uint8_t *bytes;
	size_t len;
	uint64_t request_id;
};
TAILQ_HEAD(owed_list, owed);

struct agency {
	struct real_city *city;
	const char *name;
	struct tls *tls;
	struct channel *ch;
	bool is_welcome;
	uint64_t request_id;
	struct owed_list owed;
	uint64_t settle[SETTLE_MAX];
	size_t n_settle;
};

struct real_city {
	struct city_hub hub;
	struct city_events events;
	struct ieumd_process ieumd;
	struct policy *policy;
	struct agency *agencies, *operator;
	size_t n_agencies;
	struct event_base *base;
	struct channel_loop *channels;
	struct arena arena;
	int64_t ahead_ms;
	bool heard, advanced, failed, ending;
	const Ieum__V1__Result *result; /* of the query that is asked */
	uint64_t peak_kib;
};

static bool fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return false;
}

/* ---- frames out ---- */

static void put(struct agency *a, Ieum__V1__Frame *frame)
{
	frame->request_id = ++a->request_id;
	if (codec_put(channel_out(a->ch), frame) != IEUM_E_OK)
		abort();
	channel_flush(a->ch);
}

static void put_submit(struct agency *a, struct owed *o)
{
	o->request_id = ++a->request_id;
	if (codec_put_submit(channel_out(a->ch), o->request_id, o->bytes, o->len) != IEUM_E_OK)
		abort();
	channel_flush(a->ch);
}

static void put_hello(struct agency *a)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	hello.version_min = hello.version_max = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	put(a, &frame);
}

static void put_credit(struct agency *a)
{
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	credit.deliveries = CREDIT;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	put(a, &frame);
}

static void put_settle(struct agency *a)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	if (a->n_settle == 0)
		return;
	settle.done = a->settle;
	settle.n_done = a->n_settle;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	put(a, &frame);
	a->n_settle = 0;
}

/* ---- frames in ---- */

static void on_welcome(struct agency *a)
{
	struct owed *o;

	a->is_welcome = true;
	TAILQ_FOREACH(o, &a->owed, link) {
		put_submit(a, o);
	}
	put_credit(a);
}

static struct owed *take_owed(struct agency *a, uint64_t request_id)
{
	struct owed *o;

	TAILQ_FOREACH(o, &a->owed, link) {
		if (o->request_id == request_id)
			break;
	}
	if (o)
		TAILQ_REMOVE(&a->owed, o, link);
	return o;
}

/* The packed referral begins with its envelope, and that with the message id. */
static void on_answered(struct agency *a, uint64_t request_id, const uint8_t *message_id,
			enum ieum_err code, const char *detail)
{
	struct owed *o = take_owed(a, request_id);

	if (!o) {
		a->city->failed = !fail(a->name, detail);
		return;
	}
	free(o->bytes);
	free(o);
	a->city->events.receipt(a->city->events.ctx, message_id, code, detail);
}

static void on_delivery(struct agency *a, const Ieum__V1__Delivery *d)
{
	a->city->events.delivery(a->city->events.ctx, d->mailbox, d->delivery_id, d->referral);
	a->settle[a->n_settle++] = d->delivery_id;
	if (a->n_settle == SETTLE_MAX)
		put_settle(a);
}

static void on_frame(struct agency *a, const struct frame_view *view)
{
	struct real_city *c = a->city;
	struct codec_problem problem;
	struct codec_frame decoded;

	c->heard = true;
	if (!c->result)
		arena_reset(&c->arena);
	uint8_t *bytes = arena_copy(&c->arena, view->payload, view->len);
	if (!bytes ||
	    codec_decode(bytes, view->len, CODEC_FROM_HUB, &c->arena, &decoded, &problem)) {
		c->failed = !fail(a->name, "a frame that is not valid");
		return;
	}
	const Ieum__V1__Frame *f = decoded.frame;

	switch (f->what_case) {
	case IEUM__V1__FRAME__WHAT_WELCOME: on_welcome(a); break;
	case IEUM__V1__FRAME__WHAT_RECEIPT:
		on_answered(a, f->request_id, f->receipt->message_id.data, IEUM_E_OK, "");
		break;
	case IEUM__V1__FRAME__WHAT_DELIVERY: on_delivery(a, f->delivery); break;
	case IEUM__V1__FRAME__WHAT_ADVANCED: c->advanced = true; break;
	case IEUM__V1__FRAME__WHAT_RESULT: c->result = f->result; break;
	case IEUM__V1__FRAME__WHAT_ERROR:
		on_answered(a, f->request_id, f->error->message_id.data,
			    (enum ieum_err)f->error->code, f->error->detail);
		break;
	default: break;
	}
}

static void on_channel(struct channel *ch, enum channel_event event, const struct frame_view *view,
		       void *arg)
{
	struct agency *a = arg;

	switch (event) {
	case CHANNEL_READY: put_hello(a); break;
	case CHANNEL_FRAME: on_frame(a, view); break;
	case CHANNEL_TURN_END: put_settle(a); break;
	case CHANNEL_CLOSED:
		if (!a->city->ending)
			a->city->failed = !fail(a->name, channel_close_text(ch));
		a->ch = NULL;
		a->is_welcome = false;
		a->n_settle = 0;
		break;
	default: break;
	}
}

/* ---- connections ---- */

static bool connect_all(struct real_city *c)
{
	size_t n_welcome = 0;

	for (size_t i = 0; i < c->n_agencies; i++) {
		struct agency *a = &c->agencies[i];
		const struct channel_connect_options options = {
			.address = c->ieumd.address, .tls = a->tls, .cb = on_channel, .arg = a
		};
		char why[TLS_WHY_BYTES] = "";

		if (channel_connect(c->channels, &options, &a->ch, why) != IEUM_E_OK)
			return fail(a->name, why);
	}
	while (n_welcome < c->n_agencies && !c->failed) {
		event_base_loop(c->base, EVLOOP_ONCE);
		n_welcome = 0;
		for (size_t i = 0; i < c->n_agencies; i++)
			n_welcome += c->agencies[i].is_welcome;
	}
	return !c->failed;
}

static void close_all(struct real_city *c)
{
	c->ending = true;
	for (size_t i = 0; i < c->n_agencies; i++)
		if (c->agencies[i].ch)
			channel_close(c->agencies[i].ch);
	while (channel_loop_count(c->channels) > 0)
		event_base_loop(c->base, EVLOOP_ONCE);
	c->ending = false;
}

static bool prepare_agency(struct real_city *c, struct agency *a,
			   const struct policy_participant *p)
{
	char files[3][PATH_BYTES], why[TLS_WHY_BYTES] = "";
	const struct tls_files tls = { .cert = files[0], .key = files[1], .ca = files[2] };

	a->city = c;
	a->name = p->name;
	TAILQ_INIT(&a->owed);
	if (p->views & POLICY_VIEW_DRILL)
		c->operator= a;
	snprintf(files[0], PATH_BYTES, "%s/participants/%s.crt", c->ieumd.certificates, p->name);
	snprintf(files[1], PATH_BYTES, "%s/participants/%s.key", c->ieumd.certificates, p->name);
	snprintf(files[2], PATH_BYTES, "%s/ca.crt", c->ieumd.certificates);
	return tls_new(TLS_CLIENT, &tls, &a->tls, why) == IEUM_E_OK || fail(a->name, why);
}

/* ---- what the city asks for ---- */

static bool do_submit(void *ctx, const char *who, const Ieum__V1__Referral *referral)
{
	struct real_city *c = ctx;
	size_t i = 0;

	while (i < c->n_agencies && strcmp(c->agencies[i].name, who) != 0)
		i++;
	if (i == c->n_agencies)
		return fail(who, "is not in the hub file");
	struct owed *o = calloc(1, sizeof *o);
	if (!o)
		abort();
	o->len = ieum__v1__referral__get_packed_size(referral);
	o->bytes = malloc(o->len);
	if (!o->bytes)
		abort();
	ieum__v1__referral__pack(referral, o->bytes);
	TAILQ_INSERT_TAIL(&c->agencies[i].owed, o, link);
	if (c->agencies[i].is_welcome)
		put_submit(&c->agencies[i], o);
	return true;
}

static void on_quiet(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	*(bool *)arg = true;
}

static bool owes(const struct real_city *c)
{
	for (size_t i = 0; i < c->n_agencies; i++)
		if (!TAILQ_EMPTY(&c->agencies[i].owed))
			return true;
	return false;
}

/* Quiet: nothing is owed, and then nothing came for a while. */
static bool do_run(void *ctx, bool quiet)
{
	struct real_city *c = ctx;
	const struct timeval while_ = { 0, QUIET_MS * 1000 };
	bool over = false;
	struct event *timer = evtimer_new(c->base, on_quiet, &over);

	do {
		c->heard = over = false;
		if (quiet)
			evtimer_add(timer, &while_);
		event_base_loop(c->base, EVLOOP_ONCE);
	} while (!c->failed && quiet && (!over || c->heard || owes(c)));
	event_free(timer);
	return !c->failed;
}

static bool do_advance(void *ctx, int64_t by_ms)
{
	struct real_city *c = ctx;
	Ieum__V1__Advance advance = IEUM__V1__ADVANCE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	advance.by_ms = by_ms;
	frame.what_case = IEUM__V1__FRAME__WHAT_ADVANCE;
	frame.advance = &advance;
	c->advanced = false;
	put(c->operator, & frame);
	c->ahead_ms += by_ms;
	while (!c->advanced && !c->failed)
		event_base_loop(c->base, EVLOOP_ONCE);
	return !c->failed;
}

static bool do_query(void *ctx, const char *who, const Ieum__V1__Query *query,
		     const Ieum__V1__Result **result)
{
	struct real_city *c = ctx;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	size_t i = 0;

	while (i < c->n_agencies && strcmp(c->agencies[i].name, who) != 0)
		i++;
	if (i == c->n_agencies)
		return fail(who, "is not in the hub file");
	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = (Ieum__V1__Query *)query;
	c->result = NULL;
	put(&c->agencies[i], &frame);
	while (!c->result && !c->failed)
		event_base_loop(c->base, EVLOOP_ONCE);
	*result = c->result;
	return !c->failed;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t do_memory(void *ctx)
{
	struct real_city *c = ctx;
	char path[64], line[256];
	static const char high_water[] = "VmHWM:";

	snprintf(path, sizeof path, "/proc/%d/status", (int)c->ieumd.pid);
	FILE *f = c->ieumd.pid > 0 ? fopen(path, "r") : NULL;
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, high_water, strlen(high_water)) != 0)
			continue;
		uint64_t kib = strtoull(line + strlen(high_water), NULL, 10);
		if (kib > c->peak_kib)
			c->peak_kib = kib;
	}
	if (f)
		fclose(f);
	return c->peak_kib;
}

static bool do_kill(void *ctx, double *restart_ms)
{
	struct real_city *c = ctx;

	(void)do_memory(c);
	if (!ieumd_kill(&c->ieumd))
		return false;
	close_all(c);
	double start = seconds();
	if (!ieumd_start(&c->ieumd))
		return false;
	*restart_ms = (seconds() - start) * 1e3;
	return connect_all(c);
}

static int64_t do_now_ms(void *ctx)
{
	const struct real_city *c = ctx;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + c->ahead_ms;
}

/* ---- the end ---- */

/* What `ieum audit verify --json` prints of the journal. */
static json_t *audit(struct real_city *c)
{
	char program[PATH_BYTES], path[PATH_BYTES];
	posix_spawn_file_actions_t to_file;
	pid_t pid;
	int status;

	snprintf(program, sizeof program, "%s/ieum", c->ieumd.bin);
	snprintf(path, sizeof path, "%s/audit.json", c->ieumd.folder);
	char *argv[] = { program,          (char *)"audit",  (char *)"verify",
			 (char *)"--json", c->ieumd.journal, NULL };

	posix_spawn_file_actions_init(&to_file);
	posix_spawn_file_actions_addopen(&to_file, STDOUT_FILENO, path,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = posix_spawn(&pid, program, &to_file, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to_file);
	if (err || waitpid(pid, &status, 0) != pid || status != 0)
		return NULL;
	return json_load_file(path, 0, NULL);
}

static uint64_t number_at(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static bool do_reconcile(void *ctx, struct city_mailbox **rows, size_t *n, uint64_t *messages)
{
	struct real_city *c = ctx;

	(void)do_memory(c);
	close_all(c);
	if (!ieumd_stop(&c->ieumd))
		return fail("ieumd", "did not stop as asked");
	json_t *json = audit(c);
	const json_t *mailboxes = json_object_get(json, "mailboxes");

	if (!json)
		return fail(c->ieumd.journal, "the audit failed");
	*messages = number_at(json, "messages");
	*rows = calloc(json_array_size(mailboxes) + 1, sizeof **rows);
	if (!*rows)
		abort();
	for (*n = 0; *n < json_array_size(mailboxes); ++*n) {
		const json_t *m = json_array_get(mailboxes, *n);
		struct city_mailbox *row = &(*rows)[*n];

		snprintf(row->name, sizeof row->name, "%s",
			 json_string_value(json_object_get(m, "mailbox")));
		row->routed = number_at(m, "routed");
		row->settled = number_at(m, "settled");
		row->other = row->routed - row->settled;
	}
	json_decref(json);
	return true;
}

static void do_end(void *ctx)
{
	struct real_city *c = ctx;

	c->ending = true;
	for (size_t i = 0; i < c->n_agencies; i++) {
		struct owed *o;

		while ((o = TAILQ_FIRST(&c->agencies[i].owed))) {
			TAILQ_REMOVE(&c->agencies[i].owed, o, link);
			free(o->bytes);
			free(o);
		}
	}
	channel_loop_free(c->channels);
	for (size_t i = 0; i < c->n_agencies; i++)
		tls_free(c->agencies[i].tls);
	if (c->base)
		event_base_free(c->base);
	arena_release(&c->arena);
	ieumd_remove(&c->ieumd);
	policy_free(c->policy);
	free(c->agencies);
	free(c);
}

static bool prepare(struct real_city *c, const char *hub_file, const char *bin, const char *base)
{
	struct yaml_diag *diag = calloc(1, sizeof *diag);

	if (!diag)
		abort();
	if (policy_load(hub_file, diag, &c->policy) != IEUM_E_OK) {
		yaml_diag_print(diag, stderr);
		free(diag);
		return false;
	}
	free(diag);
	if (!ieumd_prepare(&c->ieumd, bin, hub_file, base, true))
		return false;
	c->ieumd.drill_from_us = CITY_STARTS_US;
	c->ahead_ms = CITY_STARTS_US / 1000 - do_now_ms(c);
	c->n_agencies = policy_participants(c->policy);
	c->agencies = calloc(c->n_agencies, sizeof *c->agencies);
	if (!c->agencies)
		abort();
	for (size_t i = 0; i < c->n_agencies; i++)
		if (!prepare_agency(c, &c->agencies[i], policy_participant(c->policy, (int)i)))
			return false;
	if (!c->operator)
		return fail(hub_file, "nobody has the view 'drill'");
	return ieumd_start(&c->ieumd) && connect_all(c);
}

struct city_hub *real_city_new(const char *hub_file, const char *bin, const char *base,
			       const struct city_events *events)
{
	struct real_city *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	c->events = *events;
	c->hub = (struct city_hub){ c,          "real",       do_submit, do_run,
				    do_advance, do_query,     do_kill,   do_now_ms,
				    do_memory,  do_reconcile, do_end };
	c->base = event_base_new();
	c->channels = channel_loop_new(c->base, NULL);
	arena_init(&c->arena, FRAME_ARENA_BYTES);
	if (!c->channels || !prepare(c, hub_file, bin, base)) {
		do_end(c);
		return NULL;
	}
	return &c->hub;
}
