/* Publishers and recipients on one event loop; see load.h. */
#include "bench/load.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/wire.h"
#include "ieum/v1/frame.pb-c.h"
#include "proto/channel.h"
#include "proto/codec.h"
#include "proto/error.h"
#include "proto/uuid7.h"

enum {
	REQUEST_RING = 8192, /* more than any window */
	SETTLE_RING = 8192,  /* settles not answered yet */
	SETTLE_MAX = 1024,   /* deliveries gathered for one settle */
	PINGS = 300,
};

struct load;

struct party {
	struct load *load;
	struct channel *ch;
	struct tls *tls;
	bool publisher;
	unsigned index;
	bool welcome;
	bool ready; /* publisher: its case is open; recipient: its credit is granted */
	uint32_t last_request;
	/* publisher */
	struct wire_submit submit;
	struct uuid7_source ids;
	uint8_t id[WIRE_ID_BYTES]; /* of the last message made */
	uint64_t sent, confirmed;
	int64_t due_ns[REQUEST_RING];
	uint64_t *seen; /* bitmap of what arrived, by sequence */
	size_t seen_words;
	/* recipient */
	uint64_t done[SETTLE_MAX];
	size_t n_done;
	uint32_t settle_counts[SETTLE_RING]; /* deliveries in the settle of a request */
	uint32_t settle_through;
};

struct load {
	const struct load_config *config;
	struct load_result *out;
	struct event_base *base;
	struct channel_loop *loop;
	struct event *timer;
	struct party *parties;
	unsigned n_parties;
	unsigned n_ready;
	unsigned pings_left;
	int64_t ping_at_ns;
	uint64_t run;
	bool publishing, failed, finished;
	int64_t start_ns, end_ns, last_progress_ns, last_settled_ns, wall_offset_ns;
	uint64_t limit_each; /* open loop: messages of one publisher */
};

static void fail(struct load *l, const char *format, ...)
{
	va_list args;

	if (!l->failed) {
		va_start(args, format);
		vsnprintf(l->out->trouble, sizeof l->out->trouble, format, args);
		va_end(args);
	}
	l->failed = true;
	event_base_loopbreak(l->base);
}

static bool seen_add(struct party *p, uint64_t sequence)
{
	size_t word = sequence >> 6;

	if (word >= p->seen_words) {
		size_t words = p->seen_words ? p->seen_words * 2 : 1024;
		while (words <= word)
			words *= 2;
		uint64_t *seen = realloc(p->seen, words * sizeof *seen);
		if (!seen)
			abort();
		memset(seen + p->seen_words, 0, (words - p->seen_words) * sizeof *seen);
		p->seen = seen;
		p->seen_words = words;
	}
	uint64_t bit = UINT64_C(1) << (sequence & 63);
	bool added = !(p->seen[word] & bit);
	p->seen[word] |= bit;
	return added;
}

static bool make_id(struct party *p, int64_t now_ns)
{
	return uuid7_next(&p->ids, (uint64_t)((now_ns + p->load->wall_offset_ns) / 1000000),
			  p->id) == IEUM_E_OK;
}

/* Intended send time of a publisher's next message; 0 when the window alone decides. */
static int64_t scheduled_ns(const struct party *p)
{
	const struct load *l = p->load;

	if (l->config->rate_per_s <= 0)
		return 0;
	double nth = (double)(p->sent * l->config->publishers + p->index);
	return l->start_ns + (int64_t)(nth * 1e9 / l->config->rate_per_s);
}

static void pump(struct party *p)
{
	struct load *l = p->load;
	int64_t now = machine_now_ns();
	bool sent = false;

	while (l->publishing && p->sent - p->confirmed < l->config->window &&
	       p->sent < l->limit_each) {
		int64_t due = scheduled_ns(p);
		if (due > now)
			break;
		if (due == 0)
			due = now;
		struct wire_stamp stamp = { p->index, p->sent, due, l->run };
		uint32_t request = p->last_request + 1;
		if (!make_id(p, now) || wire_submit_put(&p->submit, request, p->id, &stamp,
							channel_out(p->ch)) != IEUM_E_OK) {
			fail(l, "publisher %u cannot write", p->index);
			return;
		}
		p->due_ns[request % REQUEST_RING] = due;
		p->last_request = request;
		p->sent++;
		l->out->published++;
		sent = true;
	}
	if (sent)
		channel_flush(p->ch);
}

static void settle(struct party *p)
{
	if (p->n_done == 0)
		return;
	uint32_t request = ++p->last_request;
	p->settle_counts[request % SETTLE_RING] = (uint32_t)p->n_done;
	if (wire_settle_put(channel_out(p->ch), request, p->done, p->n_done) != IEUM_E_OK)
		fail(p->load, "recipient %u cannot write", p->index);
	p->n_done = 0;
	channel_flush(p->ch);
}

static void send_frame(struct party *p, const Ieum__V1__Frame *frame)
{
	if (codec_put(channel_out(p->ch), frame) != IEUM_E_OK)
		fail(p->load, "cannot write");
	channel_flush(p->ch);
}

static void send_hello(struct party *p)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	hello.version_min = hello.version_max = 1;
	hello.software = (char *)"ieum bench";
	frame.request_id = ++p->last_request;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	send_frame(p, &frame);
}

static void send_ping(struct party *p)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.request_id = ++p->last_request;
	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	p->load->ping_at_ns = machine_now_ns();
	send_frame(p, &frame);
}

/* A publisher opens its case with its first message; the run's messages go into it. */
static void open_case(struct party *p)
{
	const struct load_config *c = p->load->config;
	char addressee[64];
	struct wire_stamp stamp = { p->index, 0, 0, 0 };
	struct wire_submit opening;

	snprintf(addressee, sizeof addressee, "recipient-%u", p->index % c->recipients);
	if (!make_id(p, machine_now_ns()) ||
	    wire_submit_init(&opening, addressee, NULL, c->payload_bytes) != IEUM_E_OK) {
		fail(p->load, "out of memory");
		return;
	}
	if (wire_submit_put(&opening, ++p->last_request, p->id, &stamp, channel_out(p->ch)) !=
		    IEUM_E_OK ||
	    wire_submit_init(&p->submit, addressee, p->id, c->payload_bytes) != IEUM_E_OK)
		fail(p->load, "out of memory");
	wire_submit_deinit(&opening);
	channel_flush(p->ch);
}

static void on_welcome(struct party *p)
{
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	p->welcome = true;
	if (p->publisher) {
		open_case(p);
		return;
	}
	credit.deliveries = 512;
	frame.request_id = ++p->last_request;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	send_frame(p, &frame);
	p->ready = true;
	p->load->n_ready++;
}

static void start_publishing(struct load *l)
{
	const struct load_config *c = l->config;

	machine_usage(c->broker, &l->out->before);
	l->out->own_cpu_s = -machine_own_cpu_s();
	l->start_ns = l->last_progress_ns = machine_now_ns();
	l->end_ns = l->start_ns + (int64_t)(c->seconds * 1e9);
	l->limit_each = UINT64_MAX;
	if (c->rate_per_s > 0)
		l->limit_each = (uint64_t)(c->rate_per_s * c->seconds) / c->publishers;
	l->publishing = true;
	for (unsigned i = 0; i < l->n_parties; i++) {
		if (l->parties[i].publisher)
			pump(&l->parties[i]);
	}
}

static void on_pong(struct party *p)
{
	struct load *l = p->load;

	hist_add(&l->out->ping, machine_now_ns() - l->ping_at_ns);
	if (--l->pings_left > 0)
		send_ping(p);
	else
		start_publishing(l);
}

static void on_receipt(struct party *p, const struct wire_frame *f)
{
	struct load *l = p->load;

	if (!p->ready) {
		p->ready = true;
		if (++l->n_ready == l->n_parties)
			send_ping(p);
		return;
	}
	int64_t now = machine_now_ns();
	p->confirmed++;
	l->out->confirmed++;
	l->last_progress_ns = now;
	hist_add(&l->out->confirm, now - p->due_ns[f->request_id % REQUEST_RING]);
}

static void on_delivery(struct party *p, const struct wire_frame *f)
{
	struct load *l = p->load;
	struct wire_stamp stamp;

	if (!wire_stamp_read(f->narrative, f->narrative_len, &stamp) ||
	    f->narrative_len != l->config->payload_bytes ||
	    stamp.publisher >= l->config->publishers) {
		fail(l, "recipient %u got something that was not sent", p->index);
		return;
	}
	if (stamp.run != l->run) {
		l->out->foreign++;
	} else if (!seen_add(&l->parties[stamp.publisher], stamp.sequence)) {
		l->out->repeated++;
	} else {
		int64_t now = machine_now_ns();
		l->out->delivered++;
		l->last_progress_ns = now;
		hist_add(&l->out->delivery, now - stamp.sent_ns);
	}
	p->done[p->n_done++] = f->delivery_id;
	if (p->n_done == SETTLE_MAX)
		settle(p);
}

static void on_settled(struct party *p, const struct wire_frame *f)
{
	struct load *l = p->load;

	for (uint32_t r = p->settle_through + 1; r <= f->through_request_id; r++) {
		l->out->settled += p->settle_counts[r % SETTLE_RING];
		p->settle_counts[r % SETTLE_RING] = 0;
	}
	p->settle_through = (uint32_t)f->through_request_id;
	l->last_settled_ns = machine_now_ns();
}

static void check_finished(struct load *l)
{
	const struct load_result *o = l->out;

	if (!l->publishing && l->start_ns && o->confirmed == o->published &&
	    o->delivered >= o->published && o->settled >= o->delivered + o->foreign + o->repeated) {
		l->finished = true;
		event_base_loopbreak(l->base);
	}
}

static void on_error(struct party *p, const struct wire_frame *f)
{
	Ieum__V1__Error *e = ieum__v1__error__unpack(NULL, f->body_len, f->body);

	fail(p->load, "the hub refuses %s %u: %s: %s", p->publisher ? "publisher" : "recipient",
	     p->index, e ? e->name : "?", e ? e->detail : "unreadable");
	if (e)
		ieum__v1__error__free_unpacked(e, NULL);
}

static void on_frame(struct party *p, const struct frame_view *view)
{
	struct wire_frame f;

	if (!wire_read(view->payload, view->len, &f)) {
		fail(p->load, "a frame that cannot be read");
		return;
	}
	switch (f.kind) {
	case WIRE_WELCOME: on_welcome(p); break;
	case WIRE_RECEIPT: on_receipt(p, &f); break;
	case WIRE_DELIVERY: on_delivery(p, &f); break;
	case WIRE_SETTLED: on_settled(p, &f); break;
	case WIRE_PONG: on_pong(p); break;
	case WIRE_ERROR: on_error(p, &f); break;
	case WIRE_OTHER: break;
	}
}

static void on_channel(struct channel *ch, enum channel_event event, const struct frame_view *frame,
		       void *arg)
{
	struct party *p = arg;

	switch (event) {
	case CHANNEL_READY: send_hello(p); break;
	case CHANNEL_FRAME: on_frame(p, frame); break;
	case CHANNEL_TURN_END:
		if (p->publisher && p->ready)
			pump(p);
		settle(p);
		check_finished(p->load);
		break;
	case CHANNEL_CLOSED:
		p->ch = NULL;
		if (!p->load->finished)
			fail(p->load, "connection of %s %u closed: %s",
			     p->publisher ? "publisher" : "recipient", p->index,
			     channel_close_text(ch));
		break;
	case CHANNEL_DRAINED:
	case CHANNEL_BROKEN: /* CLOSED follows and says why */ break;
	}
}

/* Ends the publishing in time, notices a stall and, in the open loop, sends what is due. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;
	int64_t now = machine_now_ns();
	int64_t next = now + 10000000;

	(void)fd;
	(void)what;
	if (l->publishing && l->config->rate_per_s > 0) {
		bool more = false;
		for (unsigned i = 0; i < l->config->publishers; i++) {
			struct party *p = &l->parties[i];
			pump(p);
			more |= p->sent < l->limit_each;
			if (p->sent < l->limit_each && scheduled_ns(p) < next)
				next = scheduled_ns(p);
		}
		l->publishing = more;
	}
	if (l->publishing && l->config->rate_per_s <= 0 && now >= l->end_ns)
		l->publishing = false;
	if (!l->publishing && l->start_ns && l->out->pub_seconds <= 0) {
		l->out->pub_seconds = (double)(now - l->start_ns) / 1e9;
		l->out->settled_in_pub_phase = l->out->settled;
	}
	if (now - l->last_progress_ns > LOAD_STALL_S * INT64_C(1000000000)) {
		l->out->incomplete = true;
		fail(l, "nothing has moved for %d s", LOAD_STALL_S);
	}
	check_finished(l);
	int64_t wait_us = next > now ? (next - now) / 1000 : 0;
	struct timeval tv = { wait_us / 1000000, wait_us % 1000000 };
	evtimer_add(l->timer, &tv);
}

static bool connect_party(struct load *l, unsigned i)
{
	const struct load_config *c = l->config;
	struct party *p = &l->parties[i];
	char cert[512];
	char key[512];
	char ca[512];
	char why[TLS_WHY_BYTES];

	p->load = l;
	p->publisher = i < c->publishers;
	p->index = p->publisher ? i : i - c->publishers;
	const char *role = p->publisher ? "publisher" : "recipient";
	snprintf(cert, sizeof cert, "%s/participants/%s-%u.crt", c->certificates, role, p->index);
	snprintf(key, sizeof key, "%s/participants/%s-%u.key", c->certificates, role, p->index);
	snprintf(ca, sizeof ca, "%s/ca.crt", c->certificates);
	struct tls_files files = { .cert = cert, .key = key, .ca = ca };
	if (tls_new(TLS_CLIENT, &files, &p->tls, why) != IEUM_E_OK) {
		fail(l, "%s", why);
		return false;
	}
	struct channel_connect_options options = {
		.address = c->address, .tls = p->tls, .cb = on_channel, .arg = p
	};
	if (channel_connect(l->loop, &options, &p->ch, why) != IEUM_E_OK) {
		fail(l, "%s", why);
		return false;
	}
	return true;
}

static void close_parties(struct load *l)
{
	for (unsigned i = 0; i < l->n_parties; i++) {
		struct party *p = &l->parties[i];
		wire_submit_deinit(&p->submit);
		free(p->seen);
		tls_free(p->tls);
	}
	free(l->parties);
}

static bool run(struct load *l)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	l->wall_offset_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - machine_now_ns();
	l->run = (uint64_t)wall.tv_sec << 20 | (uint64_t)wall.tv_nsec >> 10;
	l->last_progress_ns = machine_now_ns();
	for (unsigned i = 0; i < l->n_parties; i++) {
		if (!connect_party(l, i))
			return false;
	}
	on_timer(-1, 0, l);
	event_base_dispatch(l->base);
	if (l->start_ns) {
		l->out->seconds = (double)(l->last_settled_ns - l->start_ns) / 1e9;
		l->out->own_cpu_s += machine_own_cpu_s();
		machine_usage(l->config->broker, &l->out->after);
	}
	return l->finished;
}

bool load_measure(const struct load_config *config, struct load_result *out)
{
	struct load l = { .config = config,
			  .out = out,
			  .n_parties = config->publishers + config->recipients,
			  .pings_left = PINGS };
	struct event_config *ec = event_config_new();
	bool ok = false;

	memset(out, 0, sizeof *out);
	l.parties = calloc(l.n_parties, sizeof *l.parties);
	if (ec)
		event_config_set_flag(ec, EVENT_BASE_FLAG_PRECISE_TIMER);
	l.base = ec ? event_base_new_with_config(ec) : NULL;
	if (l.base) {
		l.loop = channel_loop_new(l.base, NULL);
		l.timer = evtimer_new(l.base, on_timer, &l);
	}
	if (l.parties && l.loop && l.timer)
		ok = run(&l);
	else
		snprintf(out->trouble, sizeof out->trouble, "out of memory");
	l.finished = true;
	channel_loop_free(l.loop);
	if (l.parties)
		close_parties(&l);
	if (l.timer)
		event_free(l.timer);
	if (l.base)
		event_base_free(l.base);
	if (ec)
		event_config_free(ec);
	return ok;
}
