/* libieum: one connection after the other.  The diagram is in lib_internal.h.
 *
 * What always holds: at most one channel; in DOWN the reconnect timer is pending; every end of a
 * connection or attempt is told by exactly one `disconnected`. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "client/lib_internal.h"

/* ---- why it ended ---- */

static enum ieum_err code_of(enum channel_close_reason reason)
{
	switch (reason) {
	case CHANNEL_CLOSE_NONE:
	case CHANNEL_CLOSE_HERE:
	case CHANNEL_CLOSE_PEER:
	case CHANNEL_CLOSE_LOST: return IEUM_E_CONNECTION_LOST;
	case CHANNEL_CLOSE_UNREACHABLE:
	case CHANNEL_CLOSE_HANDSHAKE_TIMEOUT: return IEUM_E_HUB_UNREACHABLE;
	case CHANNEL_CLOSE_PEER_REFUSED:
	case CHANNEL_CLOSE_REFUSED_BY_PEER:
	case CHANNEL_CLOSE_TLS: return IEUM_E_TLS_FAILED;
	case CHANNEL_CLOSE_FRAME_MALFORMED: return IEUM_E_FRAME_MALFORMED;
	case CHANNEL_CLOSE_FRAME_TOO_LARGE: return IEUM_E_FRAME_TOO_LARGE;
	case CHANNEL_CLOSE_NO_MEMORY: return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_CONNECTION_LOST;
}

/* Will another attempt end the same until a person changes something? */
static bool is_permanent(enum ieum_err code, enum channel_close_reason reason)
{
	if (reason == CHANNEL_CLOSE_PEER_REFUSED || reason == CHANNEL_CLOSE_REFUSED_BY_PEER)
		return true;
	return code == IEUM_E_IDENTITY_UNKNOWN || code == IEUM_E_CERTIFICATE_REVOKED ||
	       code == IEUM_E_CERTIFICATE_EXPIRED || code == IEUM_E_VERSION_UNSUPPORTED ||
	       code == IEUM_E_FIELD_INVALID;
}

/* What the hub or we said before counts more than how the socket ended. */
static void end_reason(struct ieum *c, enum channel_close_reason reason, const char *text)
{
	if (c->reason.failure.code == IEUM_E_OK && c->state != LIB_STOPPED)
		lib_trouble_set(&c->reason, code_of(reason), NULL, text, 0);
}

/* ---- pauses ---- */

void lib_connect_soon(struct ieum *c, uint32_t in_ms)
{
	struct timeval in = { in_ms / 1000, in_ms % 1000 * 1000 };

	event_add(&c->reconnect_ev, &in);
}

/* The other addresses of a round are tried at once, the next round after a pause. */
static uint32_t next_pause(struct ieum *c, bool was_up, bool permanent)
{
	uint32_t hint = c->reconnect_hint_ms, pause;

	c->address = (c->address + 1) % c->options.n_addresses;
	c->tried = was_up ? 0 : c->tried + 1;
	if (!was_up && c->tried < c->options.n_addresses)
		return 0;
	c->tried = 0;
	if (permanent && c->backoff.failures < 32)
		c->backoff.failures = 32;
	pause = backoff_next(&c->backoff, lib_random());
	return hint > pause ? hint : pause;
}

/* The connection, or the attempt, has ended for the reason in c->reason. */
static void went_down(struct ieum *c, enum channel_close_reason reason)
{
	struct lib_trouble why = c->reason;
	bool stopped = c->state == LIB_STOPPED, was_up = c->state == LIB_UP;
	bool permanent =
		!stopped && is_permanent(why.failure.code, reason) && !lib_files_changed(c);
	int64_t retry_in_ms = -1;

	why.failure.name = why.name;
	why.failure.detail = why.detail;
	c->ch = NULL;
	c->pinged = false;
	if (was_up)
		c->alone_since_ms = lib_now_ms();
	if (!stopped) {
		c->state = LIB_DOWN;
		uint32_t pause = next_pause(c, was_up, permanent);
		lib_connect_soon(c, pause);
		retry_in_ms = pause;
	}
	c->reason.failure.code = IEUM_E_OK;
	c->reconnect_hint_ms = 0;
	lib_submits_lost(c);
	lib_settles_lost(c);
	struct ieum_failure lost = why.failure;
	if (stopped)
		lost.code = IEUM_E_CONNECTION_LOST;
	lib_requests_lost(c, &lost);
	lib_work_soon(c);
	if (c->options.callbacks.disconnected)
		c->options.callbacks.disconnected(c, &why.failure, permanent, retry_in_ms,
						  c->options.ctx);
}

/* Ends the connection from here; CHANNEL_CLOSED will come. */
void lib_drop(struct ieum *c, enum ieum_err code, const char *detail)
{
	if (!c->ch || c->state == LIB_STOPPED)
		return;
	if (c->reason.failure.code == IEUM_E_OK)
		lib_trouble_set(&c->reason, code, NULL, detail, 0);
	channel_finish(c->ch);
}

/* ---- greeting ---- */

static void send_hello(struct ieum *c)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;

	hello.version_min = hello.version_max = LIB_VERSION;
	hello.software = (char *)c->options.software;
	if (c->receipt_number && !c->plain_hello) {
		hello.journal_number = c->receipt_number;
		hello.incarnation = (ProtobufCBinaryData){ sizeof c->incarnation, c->incarnation };
	}
	frame.request_id = ++c->last_request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	c->state = LIB_GREETING;
	if (codec_put(channel_out(c->ch), &frame))
		lib_drop(c, IEUM_E_NO_MEMORY, "hello");
	else
		channel_flush(c->ch);
	lib_work_soon(c); /* silence is measured from here */
}

void lib_send_credit(struct ieum *c)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Credit credit = IEUM__V1__CREDIT__INIT;

	credit.deliveries = c->credit;
	if (lib_spool_shut(c))
		credit.deliveries = 0;
	if (credit.deliveries > c->hub.unsettled_deliveries)
		credit.deliveries = c->hub.unsettled_deliveries;
	frame.request_id = ++c->last_request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_CREDIT;
	frame.credit = &credit;
	if (codec_put(channel_out(c->ch), &frame))
		lib_drop(c, IEUM_E_NO_MEMORY, "credit");
	else
		channel_flush(c->ch);
}

static void meet_incarnation(struct ieum *c, const uint8_t *now, size_t from_spool)
{
	uint8_t before[IEUM_ID_BYTES];

	if (c->incarnation_n && memcmp(c->incarnation, now, IEUM_ID_BYTES) == 0)
		return;
	memcpy(before, c->incarnation, sizeof before);
	memcpy(c->incarnation, now, sizeof c->incarnation);
	c->receipt_number = 0;
	if (++c->incarnation_n == 1)
		return;
	size_t resending = lib_submits_again(c) + from_spool;
	if (c->options.callbacks.incarnation_changed)
		c->options.callbacks.incarnation_changed(c, before, now, resending, c->options.ctx);
}

static void on_welcome(struct ieum *c, const Ieum__V1__Welcome *welcome)
{
	size_t resending;

	if (c->state != LIB_GREETING) {
		lib_drop(c, IEUM_E_FRAME_UNEXPECTED, "a second welcome");
		return;
	}
	c->hub = *welcome->limits;
	c->drill = welcome->drill;
	c->hub_time_ms = welcome->hub_time_at_ms;
	c->hub_time_since_ms = lib_now_ms();
	if (!lib_spool_welcome(c, welcome, &resending))
		return;
	c->state = LIB_UP;
	c->alone_told = false;
	c->tried = 0;
	c->backoff.failures = 0;
	meet_incarnation(c, welcome->incarnation.data, resending);
	if (c->credit)
		lib_send_credit(c);
	lib_work_soon(c);
	if (c->options.callbacks.connected)
		c->options.callbacks.connected(c, welcome, c->options.ctx);
}

/* ---- frames ---- */

/* An Error that answers no request, or Hello: why the hub will close. */
static void on_last_words(struct ieum *c, const Ieum__V1__Error *error)
{
	lib_trouble_set(&c->reason, (enum ieum_err)ieum_error((int)error->code)->number,
			error->name, error->detail, error->retry_after_ms);
	c->reconnect_hint_ms = error->retry_after_ms;
	if (c->state == LIB_GREETING && error->code == IEUM_E_FIELD_UNKNOWN)
		c->plain_hello = true;
	if (c->state == LIB_GREETING)
		channel_finish(c->ch);
}

static void on_frame(struct ieum *c, const struct frame_view *view)
{
	struct codec_frame got;
	struct codec_problem problem;

	arena_reset(&c->arena);
	if (codec_decode(view->payload, view->len, CODEC_FROM_HUB, &c->arena, &got, &problem)) {
		if (c->state != LIB_UP || !lib_inbox_unreadable(c, view, problem.detail))
			lib_drop(c, problem.code, problem.detail);
		return;
	}
	const Ieum__V1__Frame *frame = got.frame;
	switch (frame->what_case) {
	case IEUM__V1__FRAME__WHAT_WELCOME: on_welcome(c, frame->welcome); return;
	case IEUM__V1__FRAME__WHAT_DELIVERY: lib_inbox_delivery(c, &got, view); return;
	case IEUM__V1__FRAME__WHAT_COPIED:
		lib_spool_copied(c, frame->copied);
		if (frame->request_id == 0)
			return;
		break;
	case IEUM__V1__FRAME__WHAT_SETTLED:
		lib_settles_through(c, frame->settled->through_request_id);
		return;
	case IEUM__V1__FRAME__WHAT_GOODBYE:
		if (c->reason.failure.code == IEUM_E_OK && c->state != LIB_STOPPED)
			lib_trouble_set(&c->reason, IEUM_E_STOPPING, NULL, frame->goodbye->why, 0);
		channel_finish(c->ch);
		return;
	case IEUM__V1__FRAME__WHAT_ERROR:
		if (frame->request_id == 0 || c->state == LIB_GREETING) {
			on_last_words(c, frame->error);
			return;
		}
		break;
	default: break;
	}
	lib_request_answer(c, &got);
}

static void on_channel(struct channel *ch, enum channel_event event, const struct frame_view *frame,
		       void *arg)
{
	struct ieum *c = arg;

	assert(ch == c->ch);
	c->in_callback = true;
	switch (event) {
	case CHANNEL_READY: send_hello(c); break;
	case CHANNEL_FRAME:
		c->pinged = false;
		lib_files_look(c);
		on_frame(c, frame);
		break;
	case CHANNEL_TURN_END:
	case CHANNEL_DRAINED: lib_work_soon(c); break;
	case CHANNEL_BROKEN: break;
	case CHANNEL_CLOSED:
		end_reason(c, channel_close_reason(ch), channel_close_text(ch));
		went_down(c, channel_close_reason(ch));
		break;
	}
	c->in_callback = false;
}

void lib_connect(evutil_socket_t fd, short what, void *arg)
{
	struct ieum *c = arg;
	char why[TLS_WHY_BYTES];

	(void)fd, (void)what;
	if (c->state != LIB_STOPPED)
		lib_files_renew(c);
	const struct channel_connect_options options = {
		.address = c->options.addresses[c->address],
		.server_name = c->options.server_name,
		.tls = c->tls,
		.cb = on_channel,
		.arg = c,
	};
	if (c->state == LIB_STOPPED) { /* without a connection there is nothing to wait for */
		c->in_callback = true;
		went_down(c, CHANNEL_CLOSE_HERE);
		c->in_callback = false;
		return;
	}
	c->last_request_id = 0;
	c->state = LIB_CONNECTING;
	enum ieum_err err = channel_connect(c->loop, &options, &c->ch, why);
	if (err) {
		c->in_callback = true;
		lib_trouble_set(&c->reason, err, NULL, why, 0);
		went_down(c, CHANNEL_CLOSE_UNREACHABLE);
		c->in_callback = false;
	}
}

/* ---- silence ---- */

int64_t lib_silence_due_ms(const struct ieum *c)
{
	if (c->state != LIB_UP && c->state != LIB_GREETING)
		return INT64_MAX;
	return channel_last_input_ms(c->ch) + (int64_t)c->options.silence_ms * (c->pinged ? 2 : 1);
}

void lib_silence_check(struct ieum *c)
{
	if (lib_now_ms() < lib_silence_due_ms(c))
		return;
	if (c->pinged || c->state == LIB_GREETING) {
		lib_trouble_set(&c->reason, IEUM_E_CONNECTION_LOST, NULL, "the hub is silent", 0);
		channel_close(c->ch);
		return;
	}
	c->pinged = true;
	if (ieum_ping(c, NULL, NULL)) /* the other requests have no answer either */
		lib_work_soon(c);
}

/* ---- stopping ---- */

void ieum_stop(struct ieum *c)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Goodbye goodbye = IEUM__V1__GOODBYE__INIT;
	bool was_up = c->state == LIB_UP;

	if (c->state == LIB_STOPPED)
		return;
	event_del(&c->reconnect_ev);
	lib_trouble_set(&c->reason, IEUM_E_OK, NULL, "stopped", 0);
	c->state = LIB_STOPPED;
	if (!c->ch) {
		event_active(&c->reconnect_ev, EV_TIMEOUT, 0);
		return;
	}
	frame.request_id = ++c->last_request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_GOODBYE;
	frame.goodbye = &goodbye;
	goodbye.why = (char *)"stopped";
	if (was_up && codec_put(channel_out(c->ch), &frame) == IEUM_E_OK)
		channel_flush(c->ch);
	channel_finish(c->ch);
}
