#include "tests/crash/load.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include <cmocka.h>

#include "proto/channel.h"
#include "proto/codec.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"

enum {
	WINDOW = 32, /* submits without a receipt, per agent */
	CREDIT = 24,
	HELD_MAX = 8, /* deliveries an agent sits on before it settles them together */
	NARRATIVE_BYTES = 3000,
	ARENA_BYTES = 16 << 20,
	DRAIN_LOOK_MS = 5,
};

/* Who works.  Two of one participant compete for its mailbox. */
static const struct role {
	const char *participant;
	bool submits;
} roles[] = {
	{ "town-ps", true },   { "town-ps", true },	{ "town-aid", false },
	{ "town-aid", true },  { "town-aid-2", false }, { "town-head", false },
};
enum { AGENTS = sizeof(roles) / sizeof(roles[0]) };

/* A message, as long as the test runs. */
struct sent {
	UT_hash_handle hh;
	TAILQ_ENTRY(sent) link; /* of its agent, in the order of submitting */
	uint8_t id[CODEC_ID_BYTES];
	uint8_t *bytes; /* the packed referral */
	size_t len;
	uint64_t number; /* in the journal; 0: no receipt yet */
};
TAILQ_HEAD(sent_list, sent);

struct delivered {
	UT_hash_handle hh;
	uint64_t id;
	bool is_settled; /* Settled has come */
};

/* A delivery whose Settle is on its way, or was when the connection ended. */
struct settling {
	STAILQ_ENTRY(settling) link;
	uint64_t request_id;
	struct delivered *delivered;
};

STAILQ_HEAD(settling_list, settling);

struct agent {
	struct load *load;
	const struct role *role;
	struct tls *tls;
	struct channel *ch; /* NULL: not connected */
	bool is_welcome;
	uint64_t request_id;
	unsigned outstanding;
	struct sent_list owed;    /* without a receipt */
	struct sent_list receipted;
	uint8_t case_id[CODEC_ID_BYTES]; /* one of its own, receipted */
	bool has_case;
	struct settling_list settling, unconfirmed;
	struct delivered *held[HELD_MAX];
	unsigned n_held;
};

struct load {
	const char *certificates;
	uint64_t random;
	struct event_base *base;
	struct channel_loop *channels;
	struct event *kill_ev, *look_ev;
	pid_t pid;
	int signal_number;
	bool is_draining, is_late;
	struct agent agents[AGENTS];
	struct sent *sent;           /* by id */
	struct delivered *delivered; /* by id */
	struct load_counts counts;
	char trouble[200];
};

uint64_t load_random(struct load *l, uint64_t below)
{
	/* splitmix64 */
	uint64_t z = l->random += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return (z ^ z >> 31) % below;
}

static void broken(struct load *l, const char *format, ...)
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

/* ---- submitting ---- */

static void put_frame(struct agent *a, Ieum__V1__Frame *frame)
{
	frame->request_id = ++a->request_id;
	assert_int_equal(codec_put(channel_out(a->ch), frame), IEUM_E_OK);
	channel_flush(a->ch);
}

static void put_submit(struct agent *a, const struct sent *s)
{
	assert_int_equal(codec_put_submit(channel_out(a->ch), ++a->request_id, s->bytes, s->len),
			 IEUM_E_OK);
	channel_flush(a->ch);
	a->outstanding++;
}

/* Into the memory, then on the wire. */
static void submit(struct agent *a, const struct message *m)
{
	struct sent *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	memcpy(s->id, m->id, sizeof(s->id));
	s->len = ieum__v1__referral__get_packed_size(&m->referral);
	s->bytes = malloc(s->len);
	assert_non_null(s->bytes);
	ieum__v1__referral__pack(&m->referral, s->bytes);
	HASH_ADD(hh, a->load->sent, id, sizeof(s->id), s);
	TAILQ_INSERT_TAIL(&a->owed, s, link);
	a->load->counts.submitted++;
	put_submit(a, s);
}

/* Most are reports of a service, to one or to a shared inbox, in a new case or an old one; some
 * ask for an answer. */
static void submit_something(struct agent *a)
{
	struct load *l = a->load;
	char text[NARRATIVE_BYTES + 1];
	size_t len = load_random(l, NARRATIVE_BYTES);
	struct message m;

	memset(text, 'a' + (int)load_random(l, 26), len);
	text[len] = '\0';
	if (strcmp(a->role->participant, "town-ps") == 0 && load_random(l, 8) == 0) {
		message_report(&m, text);
	} else {
		message_service_report(&m, "town-head",
				       a->has_case && load_random(l, 2) ? a->case_id : NULL, text);
		if (load_random(l, 3)) {
			m.addressee.to_case = IEUM__V1__ADDRESSEE__TO_BODY;
			m.addressee.body = (char *)"town-desk";
		} else if (load_random(l, 2)) {
			m.addressee.participant = (char *)"town-aid";
		}
		m.envelope.urgency = (Ieum__V1__Urgency)load_random(l, 5);
	}
	submit(a, &m);
}

static void fill_window(struct agent *a)
{
	while (a->role->submits && !a->load->is_draining && a->outstanding < WINDOW)
		submit_something(a);
}

static void on_receipt(struct agent *a, const Ieum__V1__Receipt *r)
{
	struct load *l = a->load;
	struct sent *s;

	HASH_FIND(hh, l->sent, r->message_id.data, CODEC_ID_BYTES, s);
	if (!s) {
		broken(l, "a receipt for what was never sent");
		return;
	}
	a->outstanding--;
	l->counts.repeated += r->repeated ? 1 : 0;
	if (s->number && s->number != r->journal_number)
		broken(l, "a message has the receipts %llu and %llu",
		       (unsigned long long)s->number, (unsigned long long)r->journal_number);
	if (!s->number) {
		TAILQ_REMOVE(&a->owed, s, link);
		TAILQ_INSERT_TAIL(&a->receipted, s, link);
		l->counts.receipted++;
	}
	s->number = r->journal_number;
	memcpy(a->case_id, r->case_id.data, r->case_id.len == sizeof(a->case_id) ? sizeof(a->case_id) : 0);
	a->has_case |= r->case_id.len == sizeof(a->case_id);
	fill_window(a);
}

/* ---- receiving ---- */

static void settle_held(struct agent *a)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	uint64_t ids[HELD_MAX];

	if (a->n_held == 0)
		return;
	for (unsigned i = 0; i < a->n_held; i++) {
		struct settling *s = calloc(1, sizeof(*s));

		assert_non_null(s);
		ids[i] = a->held[i]->id;
		s->delivered = a->held[i];
		s->request_id = a->request_id + 1;
		STAILQ_INSERT_TAIL(&a->settling, s, link);
	}
	settle.done = ids;
	settle.n_done = a->n_held;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	put_frame(a, &frame);
	a->n_held = 0;
}

/* The hub may have taken these before it died, or not: it comes to the same. */
static void settle_unconfirmed(struct agent *a)
{
	struct settling *s;

	while ((s = STAILQ_FIRST(&a->unconfirmed))) {
		STAILQ_REMOVE_HEAD(&a->unconfirmed, link);
		a->held[a->n_held++] = s->delivered;
		free(s);
		if (a->n_held == HELD_MAX)
			settle_held(a);
	}
	settle_held(a);
}

static void refuse(struct agent *a, uint64_t id)
{
	Ieum__V1__DeliveryRefusal refusal = IEUM__V1__DELIVERY_REFUSAL__INIT, *refusals[1];
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	refusal.delivery_id = id;
	refusal.reason = (char *)"not now";
	refusals[0] = &refusal;
	settle.refuse = refusals;
	settle.n_refuse = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	put_frame(a, &frame);
}

static void on_delivery(struct agent *a, const Ieum__V1__Delivery *d)
{
	struct load *l = a->load;
	struct delivered *known;
	struct message answer;

	HASH_FIND(hh, l->delivered, &d->delivery_id, sizeof(d->delivery_id), known);
	if (known && known->is_settled) {
		broken(l, "delivery %llu comes after its Settled",
		       (unsigned long long)d->delivery_id);
		return;
	}
	l->counts.redelivered += known ? 1 : 0;
	if (!known) {
		known = calloc(1, sizeof(*known));
		assert_non_null(known);
		known->id = d->delivery_id;
		HASH_ADD(hh, l->delivered, id, sizeof(known->id), known);
		l->counts.delivered++;
		if (d->answer_by_at_ms) {
			message_answer(&answer, d->referral->envelope->message_id.data,
				       IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE);
			submit(a, &answer);
		}
	}
	if (load_random(l, 20) == 0) {
		refuse(a, d->delivery_id);
		return;
	}
	a->held[a->n_held++] = known;
	if (a->n_held == HELD_MAX || load_random(l, 3) || l->is_draining)
		settle_held(a);
}

static void on_settled(struct agent *a, uint64_t through)
{
	struct settling *s;

	while ((s = STAILQ_FIRST(&a->settling)) && s->request_id <= through) {
		STAILQ_REMOVE_HEAD(&a->settling, link);
		a->load->counts.settled += s->delivered->is_settled ? 0 : 1;
		s->delivered->is_settled = true;
		free(s);
	}
}

/* ---- connections ---- */

static void on_welcome(struct agent *a)
{
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct sent *s;

	a->is_welcome = true;
	TAILQ_FOREACH(s, &a->owed, link) {
		put_submit(a, s);
	}
	credit.deliveries = CREDIT;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	put_frame(a, &frame);
	if (a->load->is_draining || load_random(a->load, 2))
		settle_unconfirmed(a);
	fill_window(a);
}

static void on_error(struct agent *a, const Ieum__V1__Error *e)
{
	/* While it stops it may say so; nothing else is expected. */
	if (e->code != IEUM_E_STOPPING)
		broken(a->load, "%s: %s %s", a->role->participant, e->name, e->detail);
}

static void on_frame(struct agent *a, const struct frame_view *view)
{
	struct codec_problem problem;
	struct codec_frame decoded;
	struct arena arena;
	uint8_t *bytes;

	arena_init(&arena, ARENA_BYTES);
	bytes = arena_copy(&arena, view->payload, view->len);
	if (codec_decode(bytes, view->len, CODEC_FROM_HUB, &arena, &decoded, &problem)) {
		broken(a->load, "a frame that is not valid: %s", problem.detail);
		arena_release(&arena);
		return;
	}
	switch (decoded.frame->what_case) {
	case IEUM__V1__FRAME__WHAT_WELCOME: on_welcome(a); break;
	case IEUM__V1__FRAME__WHAT_RECEIPT: on_receipt(a, decoded.frame->receipt); break;
	case IEUM__V1__FRAME__WHAT_DELIVERY: on_delivery(a, decoded.frame->delivery); break;
	case IEUM__V1__FRAME__WHAT_SETTLED:
		on_settled(a, decoded.frame->settled->through_request_id);
		break;
	case IEUM__V1__FRAME__WHAT_ERROR: on_error(a, decoded.frame->error); break;
	case IEUM__V1__FRAME__WHAT_GOODBYE: break;
	default: broken(a->load, "frame %d came unasked", (int)decoded.frame->what_case); break;
	}
	arena_release(&arena);
}

static void hello(struct agent *a)
{
	Ieum__V1__Hello h = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	h.version_min = h.version_max = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &h;
	put_frame(a, &frame);
}

/* What became of what was on its way isn't known any more. */
static void forget_connection(struct agent *a)
{
	STAILQ_CONCAT(&a->unconfirmed, &a->settling);
	a->ch = NULL;
	a->is_welcome = false;
	a->request_id = 0;
	a->outstanding = a->n_held = 0;
}

static void on_channel(struct channel *ch, enum channel_event event, const struct frame_view *view,
		       void *arg)
{
	struct agent *a = arg;
	bool any = false;

	switch (event) {
	case CHANNEL_READY: hello(a); break;
	case CHANNEL_FRAME:
		if (!a->load->trouble[0])
			on_frame(a, view);
		break;
	case CHANNEL_CLOSED:
		if (a->load->is_draining && channel_close_reason(ch) != CHANNEL_CLOSE_HERE)
			broken(a->load, "closed while nobody was killed: %s",
			       channel_close_text(ch));
		forget_connection(a);
		for (int i = 0; i < AGENTS; i++)
			any |= a->load->agents[i].ch != NULL;
		if (!any)
			event_base_loopbreak(a->load->base);
		break;
	case CHANNEL_TURN_END:
	case CHANNEL_DRAINED:
	case CHANNEL_BROKEN: break;
	}
}

static void connect_all(struct load *l, const char *address)
{
	for (int i = 0; i < AGENTS; i++) {
		struct agent *a = &l->agents[i];
		struct channel_connect_options options = {
			.address = address, .tls = a->tls, .cb = on_channel, .arg = a
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
	kill(l->pid, l->signal_number);
}

void load_run(struct load *l, const char *address, pid_t pid, int signal_number,
	      uint32_t kill_after_ms)
{
	struct timeval after = { kill_after_ms / 1000, (suseconds_t)(kill_after_ms % 1000) * 1000 };

	l->pid = pid;
	l->signal_number = signal_number;
	l->is_draining = false;
	connect_all(l, address);
	evtimer_add(l->kill_ev, &after);
	event_base_dispatch(l->base);
	evtimer_del(l->kill_ev);
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
	struct sent *s, *next;

	HASH_ITER(hh, l->sent, s, next) {
		if (s->number)
			cb(ctx, s->id, s->number);
	}
}

bool load_is_settled(const struct load *l, uint64_t delivery_id)
{
	struct delivered *d;

	HASH_FIND(hh, l->delivered, &delivery_id, sizeof(delivery_id), d);
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

void load_free(struct load *l)
{
	struct delivered *d, *next_d;
	struct sent *s, *next_s;

	if (!l)
		return;
	channel_loop_free(l->channels);
	for (int i = 0; i < AGENTS; i++) {
		struct agent *a = &l->agents[i];
		struct settling *u;

		forget_connection(a);
		while ((u = STAILQ_FIRST(&a->unconfirmed))) {
			STAILQ_REMOVE_HEAD(&a->unconfirmed, link);
			free(u);
		}
		tls_free(a->tls);
	}
	HASH_ITER(hh, l->sent, s, next_s) {
		HASH_DEL(l->sent, s);
		free(s->bytes);
		free(s);
	}
	HASH_ITER(hh, l->delivered, d, next_d) {
		HASH_DEL(l->delivered, d);
		free(d);
	}
	event_free(l->kill_ev);
	event_free(l->look_ev);
	event_base_free(l->base);
	free(l);
}
