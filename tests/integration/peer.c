#include "tests/integration/peer.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <cmocka.h>

#include "proto/uuid7.h"

enum { ARENA_BYTES = 64 << 20 };

struct received {
	TAILQ_ENTRY(received) link;
	struct arena arena;
	struct codec_frame frame;
	bool taken;
};
TAILQ_HEAD(received_list, received);

struct peer {
	struct event_base *base;
	struct event *give_up;
	struct channel_loop *loop;
	struct channel *ch; /* NULL: closed */
	struct tls *tls;
	struct received_list frames;
	uint64_t last_request_id;
	const Ieum__V1__Welcome *welcome;
	enum channel_close_reason closed;
	bool ready, late;
	char why[256];
};

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd, (void)what;
	p->late = true;
}

static void on_frame(struct peer *p, const struct frame_view *view)
{
	struct received *r = calloc(1, sizeof(*r));
	struct codec_problem problem;
	uint8_t *bytes;

	assert_non_null(r);
	arena_init(&r->arena, ARENA_BYTES);
	bytes = arena_copy(&r->arena, view->payload, view->len);
	if (codec_decode(bytes, view->len, CODEC_FROM_HUB, &r->arena, &r->frame, &problem))
		fail_msg("the hub sent a frame that is not valid: %s", problem.detail);
	TAILQ_INSERT_TAIL(&p->frames, r, link);
}

static void on_channel(struct channel *ch, enum channel_event event, const struct frame_view *view,
		       void *arg)
{
	struct peer *p = arg;

	switch (event) {
	case CHANNEL_READY: p->ready = true; break;
	case CHANNEL_FRAME: on_frame(p, view); break;
	case CHANNEL_CLOSED:
		p->closed = channel_close_reason(ch);
		snprintf(p->why, sizeof(p->why), "%s", channel_close_text(ch));
		p->ch = NULL;
		break;
	case CHANNEL_TURN_END:
	case CHANNEL_DRAINED:
	case CHANNEL_BROKEN: break;
	}
}

/* One step of the loop; false when the waiting has taken too long. */
static bool step(struct peer *p)
{
	event_base_loop(p->base, EVLOOP_ONCE);
	return !p->late;
}

static void begin_waiting(struct peer *p)
{
	struct timeval within = { HUB_WAIT_S, 0 };

	p->late = false;
	evtimer_add(p->give_up, &within);
}

struct peer *peer_open(const struct hub *h, const char *certificate_path)
{
	char files[3][HUB_PATH_BYTES + 16];
	char why[TLS_WHY_BYTES] = "";
	struct tls_files tls = { .cert = files[0], .key = files[1], .ca = files[2] };
	struct channel_connect_options options = { .address = h->address, .cb = on_channel };
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	TAILQ_INIT(&p->frames);
	snprintf(files[0], sizeof(files[0]), "%s/%s.crt", h->certificates, certificate_path);
	snprintf(files[1], sizeof(files[1]), "%s/%s.key", h->certificates, certificate_path);
	snprintf(files[2], sizeof(files[2]), "%s/ca.crt", h->certificates);
	p->base = event_base_new();
	p->give_up = evtimer_new(p->base, on_late, p);
	p->loop = channel_loop_new(p->base, NULL);
	if (tls_new(TLS_CLIENT, &tls, &p->tls, why))
		fail_msg("%s", why);
	options.tls = p->tls;
	options.arg = p;
	if (channel_connect(p->loop, &options, &p->ch, why))
		fail_msg("%s", why);
	begin_waiting(p);
	while (!p->ready && p->ch)
		if (!step(p))
			fail_msg("no connection to the hub in time");
	return p;
}

static void peer_free(struct peer *p)
{
	struct received *r;

	while ((r = TAILQ_FIRST(&p->frames))) {
		TAILQ_REMOVE(&p->frames, r, link);
		arena_release(&r->arena);
		free(r);
	}
	channel_loop_free(p->loop);
	event_free(p->give_up);
	event_base_free(p->base);
	tls_free(p->tls);
	free(p);
}

enum channel_close_reason peer_await_close(struct peer *p)
{
	begin_waiting(p);
	while (p->ch)
		if (!step(p))
			fail_msg("the hub did not close the connection");
	return p->closed;
}

const char *peer_why(const struct peer *p)
{
	return p->why;
}

void peer_drop(struct peer *p)
{
	peer_free(p);
}

void peer_close(struct peer *p)
{
	if (p->ch)
		channel_finish(p->ch);
	(void)peer_await_close(p);
	peer_free(p);
}

/* ---- frames ---- */

void peer_send_bytes(struct peer *p, const void *bytes, size_t n)
{
	assert_non_null(p->ch);
	assert_int_equal(buf_append(channel_out(p->ch), bytes, n), IEUM_E_OK);
	channel_flush(p->ch);
}

uint64_t peer_send(struct peer *p, Ieum__V1__Frame *frame)
{
	if (!p->ch)
		fail_msg("the connection has ended: %s", p->why);
	if (frame->request_id == 0)
		frame->request_id = p->last_request_id + 1;
	p->last_request_id = frame->request_id;
	assert_int_equal(codec_put(channel_out(p->ch), frame), IEUM_E_OK);
	channel_flush(p->ch);
	/* Even when the test goes on without waiting. */
	event_base_loop(p->base, EVLOOP_NONBLOCK);
	return frame->request_id;
}

/* Which frame is waited for. */
struct wanted {
	Ieum__V1__Frame__WhatCase what; /* 0: any */
	uint64_t request_id;            /* 0: any */
};

static struct received *find(struct peer *p, struct wanted w)
{
	struct received *r;

	TAILQ_FOREACH(r, &p->frames, link) {
		const Ieum__V1__Frame *frame = r->frame.frame;

		if (!r->taken && (!w.what || frame->what_case == w.what) &&
		    (!w.request_id || frame->request_id == w.request_id))
			return r;
	}
	return NULL;
}

static const Ieum__V1__Frame *await(struct peer *p, struct wanted w)
{
	struct wanted error = { .what = IEUM__V1__FRAME__WHAT_ERROR };
	struct received *r;

	begin_waiting(p);
	while (!(r = find(p, w))) {
		struct received *e = w.request_id || w.what == IEUM__V1__FRAME__WHAT_ERROR
					     ? NULL
					     : find(p, error);

		if (e)
			fail_msg("instead of frame %d: error %s, %s", (int)w.what,
				 e->frame.frame->error->name, e->frame.frame->error->detail);
		if (!p->ch)
			fail_msg("instead of frame %d: the connection ended, %s", (int)w.what,
				 p->why);
		if (!step(p))
			fail_msg("no frame %d in time", (int)w.what);
	}
	r->taken = true;
	return r->frame.frame;
}

const Ieum__V1__Frame *peer_expect(struct peer *p, Ieum__V1__Frame__WhatCase what)
{
	return await(p, (struct wanted){ .what = what });
}

const Ieum__V1__Frame *peer_answer(struct peer *p, uint64_t request_id)
{
	return await(p, (struct wanted){ .request_id = request_id });
}

const Ieum__V1__Error *peer_refused(struct peer *p, uint64_t request_id, enum ieum_err code)
{
	const Ieum__V1__Frame *frame = peer_answer(p, request_id);

	assert_int_equal(frame->what_case, IEUM__V1__FRAME__WHAT_ERROR);
	if (frame->error->code != (uint32_t)code)
		fail_msg("expected %s, got %s: %s", ieum_error((int)code)->name, frame->error->name,
			 frame->error->detail);
	return frame->error;
}

const Ieum__V1__Error *peer_expect_error(struct peer *p, enum ieum_err code)
{
	const Ieum__V1__Error *error = peer_expect(p, IEUM__V1__FRAME__WHAT_ERROR)->error;

	if (error->code != (uint32_t)code)
		fail_msg("expected %s, got %s: %s", ieum_error((int)code)->name, error->name,
			 error->detail);
	return error;
}

bool peer_has(struct peer *p, Ieum__V1__Frame__WhatCase what)
{
	event_base_loop(p->base, EVLOOP_NONBLOCK);
	return find(p, (struct wanted){ .what = what }) != NULL;
}

void peer_pause(struct peer *p)
{
	channel_pause(p->ch);
}

void peer_resume(struct peer *p)
{
	channel_resume(p->ch);
}

/* ---- in one word ---- */

void peer_hello(struct peer *p)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	char software[] = "integration tests";

	hello.version_min = hello.version_max = 1;
	hello.software = software;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	peer_send(p, &frame);
}

struct peer *peer_connect(const struct hub *h, const char *participant)
{
	char path[HUB_PATH_BYTES];
	struct peer *p;

	snprintf(path, sizeof(path), "participants/%s", participant);
	p = peer_open(h, path);
	if (!p->ch)
		fail_msg("no connection: %s", p->why);
	peer_hello(p);
	p->welcome = peer_expect(p, IEUM__V1__FRAME__WHAT_WELCOME)->welcome;
	return p;
}

const Ieum__V1__Welcome *peer_welcome(const struct peer *p)
{
	return p->welcome;
}

void peer_credit(struct peer *p, uint32_t deliveries)
{
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	credit.deliveries = deliveries;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	peer_send(p, &frame);
}

uint64_t peer_send_settle(struct peer *p, Ieum__V1__Settle *settle)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = settle;
	return peer_send(p, &frame);
}

static void settle_and_wait(struct peer *p, Ieum__V1__Settle *settle)
{
	uint64_t request_id = peer_send_settle(p, settle);

	while (peer_expect(p, IEUM__V1__FRAME__WHAT_SETTLED)->settled->through_request_id <
	       request_id)
		;
}

void peer_settle(struct peer *p, uint64_t delivery_id)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;

	settle.done = &delivery_id;
	settle.n_done = 1;
	settle_and_wait(p, &settle);
}

void peer_give_back(struct peer *p, uint64_t delivery_id)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;

	settle.release = &delivery_id;
	settle.n_release = 1;
	settle_and_wait(p, &settle);
}

void peer_refuse(struct peer *p, uint64_t delivery_id, const char *reason)
{
	Ieum__V1__DeliveryRefusal refusal = IEUM__V1__DELIVERY_REFUSAL__INIT, *refusals[1];
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;

	refusal.delivery_id = delivery_id;
	refusal.reason = (char *)reason;
	refusals[0] = &refusal;
	settle.refuse = refusals;
	settle.n_refuse = 1;
	settle_and_wait(p, &settle);
}

void peer_ping(struct peer *p)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	peer_send(p, &frame);
	(void)peer_expect(p, IEUM__V1__FRAME__WHAT_PONG);
}

void peer_advance(struct peer *p, int64_t by_ms)
{
	Ieum__V1__Advance advance = IEUM__V1__ADVANCE__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	advance.by_ms = by_ms;
	frame.what_case = IEUM__V1__FRAME__WHAT_ADVANCE;
	frame.advance = &advance;
	peer_send(p, &frame);
	(void)peer_expect(p, IEUM__V1__FRAME__WHAT_ADVANCED);
}

uint64_t peer_submit(struct peer *p, Ieum__V1__Referral *referral)
{
	Ieum__V1__Submit submit = IEUM__V1__SUBMIT__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	submit.referral = referral;
	frame.what_case = IEUM__V1__FRAME__WHAT_SUBMIT;
	frame.submit = &submit;
	return peer_send(p, &frame);
}

const Ieum__V1__Receipt *peer_receipt(struct peer *p, uint64_t request_id)
{
	const Ieum__V1__Frame *frame = peer_answer(p, request_id);

	if (frame->what_case == IEUM__V1__FRAME__WHAT_ERROR)
		fail_msg("no receipt: %s, %s", frame->error->name, frame->error->detail);
	assert_int_equal(frame->what_case, IEUM__V1__FRAME__WHAT_RECEIPT);
	return frame->receipt;
}

const Ieum__V1__Delivery *peer_delivery(struct peer *p)
{
	return peer_expect(p, IEUM__V1__FRAME__WHAT_DELIVERY)->delivery;
}

uint64_t peer_query(struct peer *p, Ieum__V1__Query *query)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = query;
	return peer_send(p, &frame);
}

const Ieum__V1__Result *peer_result(struct peer *p, Ieum__V1__Query *query)
{
	const Ieum__V1__Frame *frame = peer_answer(p, peer_query(p, query));

	if (frame->what_case == IEUM__V1__FRAME__WHAT_ERROR)
		fail_msg("no result: %s, %s", frame->error->name, frame->error->detail);
	assert_int_equal(frame->what_case, IEUM__V1__FRAME__WHAT_RESULT);
	return frame->result;
}

/* ---- messages ---- */

static void message_init(struct message *m, Ieum__V1__MessageType type)
{
	memset(m, 0, sizeof(*m));
	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	ieum__v1__legal_basis__init(&m->basis);
	ieum__v1__addressee__init(&m->addressee);
	ieum__v1__narrative_part__init(&m->part);
	ieum__v1__report_received__init(&m->report);
	ieum__v1__service_report__init(&m->service);
	ieum__v1__answer__init(&m->answer);
	assert_int_equal(uuid7_make(m->id), IEUM_E_OK);
	m->referral.envelope = &m->envelope;
	m->envelope.type = type;
	m->envelope.message_id = (ProtobufCBinaryData){ sizeof(m->id), m->id };
	m->referral.body_case = (Ieum__V1__Referral__BodyCase)(100 + type);
}

static void add_basis(struct message *m)
{
	m->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	m->basis.article = (char *)"가정폭력처벌법 제5조";
	m->envelope.legal_basis = &m->basis;
}

static void add_narrative(struct message *m, const char *text)
{
	if (!text)
		return;
	m->part.media_type = (char *)"text/plain";
	m->part.language = (char *)"ko";
	m->part.content_case = IEUM__V1__NARRATIVE_PART__CONTENT_CLEAR;
	m->part.clear = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	m->parts[0] = &m->part;
	m->referral.narrative = m->parts;
	m->referral.n_narrative = 1;
}

static void open_case(struct message *m)
{
	m->envelope.open_case = true;
	m->envelope.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
}

void message_service_report(struct message *m, const char *to, const uint8_t *case_id,
			    const char *narrative)
{
	message_init(m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_SERVICE_REPORT);
	add_basis(m);
	add_narrative(m, narrative);
	if (case_id) {
		memcpy(m->case_id, case_id, sizeof(m->case_id));
		m->envelope.case_id = (ProtobufCBinaryData){ sizeof(m->case_id), m->case_id };
	} else {
		open_case(m);
	}
	m->addressee.to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	m->addressee.participant = (char *)to;
	m->addressees[0] = &m->addressee;
	m->envelope.addressees = m->addressees;
	m->envelope.n_addressees = 1;
	m->service.domain = (char *)"care";
	m->service.outcome = IEUM__V1__OUTCOME__OUTCOME_PROVIDED;
	m->referral.service_report = &m->service;
}

void message_report(struct message *m, const char *narrative)
{
	message_init(m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_REPORT_RECEIVED);
	add_basis(m);
	add_narrative(m, narrative);
	open_case(m);
	m->envelope.urgency = IEUM__V1__URGENCY__URGENCY_URGENT;
	m->referral.report_received = &m->report;
}

void message_answer(struct message *m, const uint8_t *in_reply_to, Ieum__V1__AnswerKind kind)
{
	message_init(m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	memcpy(m->reply_to, in_reply_to, sizeof(m->reply_to));
	m->envelope.in_reply_to = (ProtobufCBinaryData){ sizeof(m->reply_to), m->reply_to };
	m->answer.kind = kind;
	m->referral.answer = &m->answer;
}
