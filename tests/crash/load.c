#include <event2/event.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/crash/load_internal.h"
#include "tests/integration/hub.h"

enum {
	DRAIN_LOOK_MS = 5,
	KILL_WITHIN_US = 5000, /* after the last message */
};

/* Who works.  Two of one participant compete for its mailbox. */
static const struct role roles[AGENTS] = {
	{ "town-ps", true },  { "town-ps", true },     { "town-aid", false },
	{ "town-aid", true }, { "town-aid-2", false }, { "town-head", false },
};

static int compare_sent(const void *a, const void *b)
{
	return memcmp(a, b, CODEC_ID_BYTES);
}

static int compare_delivered(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What is found under the key, or NULL. */
static void *find(void *const *tree, const void *key, int (*compare)(const void *, const void *))
{
	void *const *found = tfind(key, tree, compare);

	return found ? *found : NULL;
}

struct sent *load_find_sent(const struct load *l, const uint8_t *id)
{
	return find(&l->sent, id, compare_sent);
}

struct delivered *load_find_delivered(const struct load *l, uint64_t id)
{
	return find(&l->delivered, &id, compare_delivered);
}

void load_remember_sent(struct load *l, struct sent *s)
{
	assert_non_null(tsearch(s, &l->sent, compare_sent));
}

void load_remember_delivered(struct load *l, struct delivered *d)
{
	assert_non_null(tsearch(d, &l->delivered, compare_delivered));
}

uint64_t load_random(struct load *l, uint64_t below)
{
	/* splitmix64 */
	uint64_t z = l->random += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return (z ^ z >> 31) % below;
}

void load_broken(struct load *l, const char *format, ...)
{
	va_list args;

	if (l->trouble[0])
		return;
	va_start(args, format);
	vsnprintf(l->trouble, sizeof(l->trouble), format, args);
	va_end(args);
	event_base_loopbreak(l->base);
}

const char *load_trouble(const struct load *l)
{
	return l->trouble;
}

struct load_counts load_counts(const struct load *l)
{
	return l->counts;
}

static void connect_all(struct load *l, const char *address)
{
	for (int i = 0; i < AGENTS; i++) {
		struct agent *a = &l->agents[i];
		struct channel_connect_options options = {
			.address = address, .tls = a->tls, .cb = agent_channel_cb, .arg = a
		};
		char why[TLS_WHY_BYTES] = "";

		if (channel_connect(l->channels, &options, &a->ch, why))
			fail_msg("%s", why);
	}
}

/* ---- running ---- */

static void on_kill(evutil_socket_t fd, short what, void *arg)
{
	const struct load *l = arg;

	(void)fd, (void)what;
	kill(l->kill_at.pid, l->kill_at.signal_number);
}

void load_count_submit(struct load *l)
{
	struct timeval soon = { 0, 0 };

	if (++l->counts.submitted != l->last_message)
		return;
	soon.tv_usec = (suseconds_t)load_random(l, KILL_WITHIN_US);
	evtimer_add(l->kill_ev, &soon);
}

void load_run(struct load *l, const char *address, const struct load_kill *kill_at)
{
	struct timeval after = { kill_at->after_ms / 1000,
				 (suseconds_t)(kill_at->after_ms % 1000) * 1000 };

	l->kill_at = *kill_at;
	l->last_message = l->counts.submitted + kill_at->after_messages;
	l->is_draining = false;
	connect_all(l, address);
	evtimer_add(l->kill_ev, &after);
	event_base_dispatch(l->base);
	evtimer_del(l->kill_ev);
	l->last_message = 0;
}

static bool is_drained(const struct load *l)
{
	/* Every message of this load has exactly one recipient. */
	return l->counts.receipted == l->counts.submitted &&
	       l->counts.settled == l->counts.submitted;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;

	(void)fd, (void)what;
	if (is_drained(l))
		event_base_loopbreak(l->base);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;

	(void)fd, (void)what;
	l->is_late = true;
	event_base_loopbreak(l->base);
}

bool load_drain(struct load *l, const char *address, uint32_t timeout_ms)
{
	struct timeval within = { timeout_ms / 1000, 0 }, often = { 0, DRAIN_LOOK_MS * 1000 };
	struct event *late = evtimer_new(l->base, on_late, l);

	l->is_draining = true;
	l->is_late = false;
	connect_all(l, address);
	evtimer_add(late, &within);
	event_add(l->look_ev, &often);
	event_base_dispatch(l->base);
	event_del(l->look_ev);
	for (int i = 0; i < AGENTS; i++)
		if (l->agents[i].ch)
			channel_finish(l->agents[i].ch);
	if (!l->trouble[0])
		event_base_dispatch(l->base);
	event_free(late);
	return is_drained(l) && !l->is_late;
}

void load_each_receipt(const struct load *l, load_receipt_cb *cb, void *ctx)
{
	for (int i = 0; i < AGENTS; i++) {
		const struct sent *s;

		TAILQ_FOREACH(s, &l->agents[i].receipted, link) {
			cb(ctx, s->id, s->number);
		}
	}
}

bool load_is_settled(const struct load *l, uint64_t delivery_id)
{
	const struct delivered *d = load_find_delivered(l, delivery_id);

	return d && d->is_settled;
}

/* ---- making ---- */

static void agent_init(struct agent *a, struct load *l, const struct role *role)
{
	char files[3][HUB_PATH_BYTES + 64], why[TLS_WHY_BYTES] = "";
	struct tls_files tls = { .cert = files[0], .key = files[1], .ca = files[2] };

	a->load = l;
	a->role = role;
	TAILQ_INIT(&a->owed);
	TAILQ_INIT(&a->receipted);
	STAILQ_INIT(&a->settling);
	STAILQ_INIT(&a->unconfirmed);
	snprintf(files[0], sizeof(files[0]), "%s/participants/%s.crt", l->certificates,
		 role->participant);
	snprintf(files[1], sizeof(files[1]), "%s/participants/%s.key", l->certificates,
		 role->participant);
	snprintf(files[2], sizeof(files[2]), "%s/ca.crt", l->certificates);
	if (tls_new(TLS_CLIENT, &tls, &a->tls, why))
		fail_msg("%s", why);
}

struct load *load_new(const char *certificates, uint64_t seed)
{
	struct load *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->certificates = certificates;
	l->random = seed;
	l->base = event_base_new();
	l->channels = channel_loop_new(l->base, NULL);
	assert_non_null(l->channels);
	l->kill_ev = evtimer_new(l->base, on_kill, l);
	l->look_ev = event_new(l->base, -1, EV_PERSIST, on_look, l);
	for (int i = 0; i < AGENTS; i++)
		agent_init(&l->agents[i], l, &roles[i]);
	return l;
}

static void sent_free(void *p)
{
	struct sent *s = p;

	free(s->bytes);
	free(s);
}

static void agent_deinit(struct agent *a)
{
	struct settling *u;

	agent_forget_connection(a);
	while ((u = STAILQ_FIRST(&a->unconfirmed))) {
		STAILQ_REMOVE_HEAD(&a->unconfirmed, link);
		free(u);
	}
	tls_free(a->tls);
}

void load_free(struct load *l)
{
	if (!l)
		return;
	channel_loop_free(l->channels);
	for (int i = 0; i < AGENTS; i++)
		agent_deinit(&l->agents[i]);
	tdestroy(l->sent, sent_free);
	tdestroy(l->delivered, free);
	event_free(l->kill_ev);
	event_free(l->look_ev);
	event_base_free(l->base);
	free(l);
}
