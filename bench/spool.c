/* Measuring the spool; see spool.h. */
#include "bench/spool.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ieum.h"
#include "ieum/v1/frame.pb-c.h"

enum { PATH_BYTES = 512, WINDOW_MAX = 4096, STALL_S = 30 };

/* Which message is measured is told by its place in the window. */
struct slot {
	struct bench *bench;
	int64_t began_ns;
};

struct bench {
	const struct spool_bench_config *config;
	struct event_base *base;
	struct event *end_ev;
	struct ieum *c;
	struct spool_bench_run *run;
	struct hist *took;
	struct slot slots[WINDOW_MAX];
	unsigned window;
	uint64_t done;
	bool connected, over, accepted_only;
	uint8_t *text;
	char *trouble;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(struct bench *b, const char *what, const char *why)
{
	snprintf(b->trouble, 600, "%s: %s", what, why);
	event_base_loopbreak(b->base);
}

/* ---- submitting ---- */

static void submit(struct slot *slot);

static void on_submitted(struct ieum *c, const uint8_t *message_id,
			 const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure,
			 void *arg)
{
	struct slot *slot = arg;
	struct bench *b = slot->bench;

	(void)c, (void)message_id, (void)receipt;
	if (failure) {
		fail(b, "a submit failed", failure->detail);
		return;
	}
	hist_add(b->took, now_ns() - slot->began_ns);
	b->done++;
	if (b->over)
		event_base_loopbreak(b->base);
	else
		submit(slot);
}

static void on_accepted(struct ieum *c, const uint8_t *message_id, void *ctx)
{
	struct bench *b = ctx;

	(void)c, (void)message_id;
	if (b->window == 1)
		hist_add(&b->run->accepted, now_ns() - b->slots[0].began_ns);
	if (!b->accepted_only)
		return;
	b->done++;
	if (b->over)
		event_base_loopbreak(b->base);
	else
		submit(&b->slots[b->done % b->window]);
}

static void submit(struct slot *slot)
{
	struct bench *b = slot->bench;
	Ieum__V1__Referral m = IEUM__V1__REFERRAL__INIT;
	Ieum__V1__Envelope e = IEUM__V1__ENVELOPE__INIT;
	Ieum__V1__LegalBasis basis = IEUM__V1__LEGAL_BASIS__INIT;
	Ieum__V1__ServiceReport report = IEUM__V1__SERVICE_REPORT__INIT;
	Ieum__V1__Addressee to = IEUM__V1__ADDRESSEE__INIT, *tos[] = { &to };
	Ieum__V1__NarrativePart part = IEUM__V1__NARRATIVE_PART__INIT, *parts[] = { &part };
	char why[IEUM_WHY_BYTES];

	e.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT;
	e.open_case = true;
	e.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
	basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_IMMINENT_DANGER;
	e.legal_basis = &basis;
	to.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	to.participant = (char *)"recipient-0";
	e.addressees = tos;
	e.n_addressees = 1;
	part.media_type = (char *)"text/plain";
	part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	part.clear = (ProtobufCBinaryData){ b->config->payload_bytes, b->text };
	m.envelope = &e;
	m.body_case = IEUM__V1__REFERRAL__BODY_SERVICE_REPORT;
	m.service_report = &report;
	m.narrative = parts;
	m.n_narrative = 1;
	slot->began_ns = now_ns();
	if (ieum_submit(b->c, &m, on_submitted, slot, NULL, why))
		fail(b, "a submit was not taken", why);
}

static void begin(struct bench *b)
{
	for (unsigned i = 0; i < b->window; i++) {
		b->slots[i].bench = b;
		submit(&b->slots[i]);
	}
}

/* ---- a measurement ---- */

static void on_connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	struct bench *b = ctx;

	(void)c, (void)welcome;
	if (!b->connected)
		begin(b);
	b->connected = true;
}

/* The one that is on its way ends it. */
static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct bench *b = arg;

	(void)fd, (void)what;
	b->over = true;
}

static void on_stall(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fail(arg, "it stalled", "no receipt");
}

static bool run_loop(struct bench *b, double *per_s)
{
	const struct timeval seconds = {
		(time_t)b->config->seconds,
		(suseconds_t)((b->config->seconds - (double)(time_t)b->config->seconds) * 1e6)
	};
	const struct timeval stall = { (time_t)b->config->seconds + STALL_S, 0 };
	struct event *stall_ev = evtimer_new(b->base, on_stall, b);
	int64_t began = now_ns();

	evtimer_add(b->end_ev, &seconds);
	evtimer_add(stall_ev, &stall);
	if (b->accepted_only)
		begin(b);
	event_base_dispatch(b->base);
	event_free(stall_ev);
	*per_s = (double)b->done / ((double)(now_ns() - began) / 1e9);
	return !b->trouble[0];
}

/* window 1: one at a time.  hub false: nobody is there, and being accepted counts. */
static bool measure(struct bench *b, const char *spool, unsigned window, bool hub,
		    struct spool_bench_run *run, double *per_s)
{
	const struct spool_bench_config *c = b->config;
	char cert[PATH_BYTES], key[PATH_BYTES], ca[PATH_BYTES];
	const char *nowhere = "127.0.0.1:1";

	snprintf(cert, sizeof cert, "%s/participants/publisher-0.crt", c->certificates);
	snprintf(key, sizeof key, "%s/participants/publisher-0.key", c->certificates);
	snprintf(ca, sizeof ca, "%s/ca.crt", c->certificates);
	const struct ieum_options options = { .addresses = hub ? &c->address : &nowhere,
					      .n_addresses = 1,
					      .server_name = "localhost",
					      .cert = cert,
					      .key = key,
					      .ca = ca,
					      .submits_max = 10000000,
					      .submit_bytes_max = (size_t)4 << 30,
					      .spool = spool,
					      .spool_bytes_max = (uint64_t)4 << 30,
					      .callbacks = { .connected = on_connected,
							     .accepted = on_accepted },
					      .ctx = b };
	b->run = run;
	b->window = window;
	b->took = window == 1 ? &run->alone : &run->receipt;
	b->done = 0;
	b->connected = b->over = false;
	b->accepted_only = !hub;
	b->base = event_base_new();
	b->end_ev = b->base ? evtimer_new(b->base, on_end, b) : NULL;
	bool ok = b->end_ev && ieum_new(b->base, &options, &b->c, b->trouble) == IEUM_E_OK;
	if (ok) {
		b->trouble[0] = '\0';
		ok = run_loop(b, per_s);
		ieum_free(b->c);
	}
	if (b->end_ev)
		event_free(b->end_ev);
	if (b->base)
		event_base_free(b->base);
	return ok;
}

bool spool_bench(const struct spool_bench_config *config, struct spool_bench_result *out)
{
	struct bench *b = calloc(1, sizeof *b);
	char spool[PATH_BYTES], apart[PATH_BYTES];
	double per_s;
	bool ok = b && (b->text = malloc(config->payload_bytes)) != NULL;

	snprintf(spool, sizeof spool, "%s/bench.spool", config->folder);
	snprintf(apart, sizeof apart, "%s/offline.spool", config->folder);
	if (ok) {
		memset(b->text, 'x', config->payload_bytes);
		b->config = config;
		b->trouble = out->trouble;
		ok = measure(b, NULL, config->window, true, &out->without,
			     &out->without.submits_per_s) &&
		     measure(b, spool, config->window, true, &out->with,
			     &out->with.submits_per_s) &&
		     measure(b, NULL, 1, true, &out->without, &per_s) &&
		     measure(b, spool, 1, true, &out->with, &per_s) &&
		     measure(b, apart, config->window, false, &out->with, &out->kept_per_s);
	}
	if (b)
		free(b->text);
	free(b);
	return ok;
}
