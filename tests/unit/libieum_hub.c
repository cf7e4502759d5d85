/* See libieum_hub.h. */
#include "tests/unit/libieum_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/codec_samples.h"

void hub_send(struct hub *hub, Ieum__V1__Frame *frame)
{
	assert_non_null(hub->w.server.ch);
	assert_int_equal(codec_put(channel_out(hub->w.server.ch), frame), IEUM_E_OK);
	channel_flush(hub->w.server.ch);
}

void hub_welcome(struct hub *hub, uint64_t request_id)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Welcome welcome = IEUM__V1__WELCOME__INIT;
	Ieum__V1__Limits limits = IEUM__V1__LIMITS__INIT;

	limits.frame_bytes = hub->frame_bytes;
	limits.payload_bytes = CODEC_PAYLOAD_MAX_BYTES;
	limits.outstanding_requests = hub->outstanding_requests;
	limits.unsettled_deliveries = 100;
	limits.id_window_ms = hub->id_window_ms;
	welcome.version = 1;
	welcome.hub = (char *)"gimpo.ieum";
	welcome.participant = (char *)"gimpo-ps";
	welcome.incarnation = (ProtobufCBinaryData){ sizeof hub->incarnation, hub->incarnation };
	welcome.limits = &limits;
	welcome.copied_through = hub->copied_through;
	welcome.hub_time_at_ms = hub->hub_time_at_ms;
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_WELCOME;
	frame.welcome = &welcome;
	hub_send(hub, &frame);
}

void hub_receipt(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Receipt receipt = IEUM__V1__RECEIPT__INIT;

	receipt.message_id = (ProtobufCBinaryData){ 16, (uint8_t *)message_id };
	receipt.incarnation = (ProtobufCBinaryData){ sizeof hub->incarnation, hub->incarnation };
	receipt.journal_number = ++hub->journal_number;
	frame.request_id = request_id;
	frame.what_case = IEUM__V1__FRAME__WHAT_RECEIPT;
	frame.receipt = &receipt;
	hub_send(hub, &frame);
}

void hub_error(struct hub *hub, uint64_t request_id, enum ieum_err code, const char *detail,
	       uint32_t retry_after_ms)
{
	assert_int_equal(codec_put_error(channel_out(hub->w.server.ch), request_id, code, detail,
					 retry_after_ms, NULL),
			 IEUM_E_OK);
	channel_flush(hub->w.server.ch);
}

void hub_goodbye(struct hub *hub)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Goodbye goodbye = IEUM__V1__GOODBYE__INIT;

	goodbye.why = (char *)"maintenance";
	frame.what_case = IEUM__V1__FRAME__WHAT_GOODBYE;
	frame.goodbye = &goodbye;
	hub_send(hub, &frame);
	channel_finish(hub->w.server.ch);
}

void hub_deliver(struct hub *hub, uint64_t delivery_id, const uint8_t *message_id)
{
	struct samples s;
	Ieum__V1__Delivery head = IEUM__V1__DELIVERY__INIT;

	samples_init(&s, delivery_id);
	Ieum__V1__Referral *referral = samples_report(&s, 100);
	memcpy(referral->envelope->message_id.data, message_id, 16);
	ProtobufCBinaryData bytes = samples_packed(&s, &referral->base);
	head.delivery_id = delivery_id;
	head.attempt = 1;
	head.mailbox = (char *)"gimpo-ps";
	head.sender = (char *)"gimpo-city";
	head.cause = hub->cause;
	head.answer_by_at_ms = hub->answer_by_at_ms;
	head.received_at_ms = hub->received_at_ms;
	assert_int_equal(codec_put_delivery(channel_out(hub->w.server.ch), &head, bytes.data,
					    bytes.len),
			 IEUM_E_OK);
	channel_flush(hub->w.server.ch);
	samples_release(&s);
}

void hub_copied(struct hub *hub, uint64_t through)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Copied copied = IEUM__V1__COPIED__INIT;

	copied.journal_number = through;
	copied.incarnation = (ProtobufCBinaryData){ sizeof hub->incarnation, hub->incarnation };
	frame.what_case = IEUM__V1__FRAME__WHAT_COPIED;
	frame.copied = &copied;
	hub_send(hub, &frame);
}

void hub_cut(struct hub *hub)
{
	channel_close(hub->w.server.ch);
}

/* ---- what comes ---- */

static void on_submit(struct hub *hub, const Ieum__V1__Frame *frame)
{
	const uint8_t *id = frame->submit->referral->envelope->message_id.data;
	unsigned i = hub->submits++;

	assert_in_range(i, 0, HUB_LOG_MAX - 1);
	memcpy(hub->ids[i], id, 16);
	hub->at_ms[i] = world_now_ms();
	hub->requests[i] = frame->request_id;
	if (hub->mute)
		return;
	if (hub->on_submit)
		hub->on_submit(hub, frame->request_id, id);
	else
		hub_receipt(hub, frame->request_id, id);
}

static void on_settle(struct hub *hub, const Ieum__V1__Frame *frame)
{
	const Ieum__V1__Settle *settle = frame->settle;
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Settled settled = IEUM__V1__SETTLED__INIT;

	hub->settles++;
	if (hub->on_settle) {
		hub->on_settle(hub, frame->request_id, settle);
		return;
	}
	for (size_t i = 0; i < settle->n_done; i++)
		hub->done[hub->n_done++] = settle->done[i];
	for (size_t i = 0; i < settle->n_release; i++)
		hub->released[hub->n_released++] = settle->release[i];
	for (size_t i = 0; i < settle->n_refuse; i++) {
		hub->refused[hub->n_refused++] = settle->refuse[i]->delivery_id;
		snprintf(hub->refusal, sizeof hub->refusal, "%s", settle->refuse[i]->reason);
	}
	if (hub->mute)
		return;
	settled.through_request_id = frame->request_id;
	answer.request_id = frame->request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_SETTLED;
	answer.settled = &settled;
	hub_send(hub, &answer);
}

static void on_query(struct hub *hub, uint64_t request_id)
{
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Result result = IEUM__V1__RESULT__INIT;
	Ieum__V1__WhoamiResult whoami = IEUM__V1__WHOAMI_RESULT__INIT;

	hub->queries++;
	if (hub->mute)
		return;
	if (hub->on_query) {
		hub->on_query(hub, request_id);
		return;
	}
	whoami.participant = (char *)"gimpo-ps";
	result.what_case = IEUM__V1__RESULT__WHAT_WHOAMI;
	result.whoami = &whoami;
	answer.request_id = request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_RESULT;
	answer.result = &result;
	hub_send(hub, &answer);
}

static void on_ping(struct hub *hub, uint64_t request_id)
{
	Ieum__V1__Frame answer = IEUM__V1__FRAME__INIT;
	Ieum__V1__Pong pong = IEUM__V1__PONG__INIT;

	hub->pings++;
	if (hub->mute)
		return;
	pong.hub_time_at_ms = 1800000000000;
	answer.request_id = request_id;
	answer.what_case = IEUM__V1__FRAME__WHAT_PONG;
	answer.pong = &pong;
	hub_send(hub, &answer);
}

static void on_event(struct end *end, enum channel_event event, const struct frame_view *view)
{
	struct hub *hub = end->then_arg;
	struct codec_frame got;
	struct codec_problem problem;

	if (event != CHANNEL_FRAME)
		return;
	arena_reset(&hub->arena);
	if (codec_decode(view->payload, view->len, CODEC_FROM_CLIENT, &hub->arena, &got, &problem))
		fail_msg("the client sent: %s", problem.detail);
	hub->frame = got.frame;
	switch (got.frame->what_case) {
	case IEUM__V1__FRAME__WHAT_HELLO:
		hub->hellos++;
		if (hub->on_hello)
			hub->on_hello(hub, got.frame->request_id);
		else
			hub_welcome(hub, got.frame->request_id);
		break;
	case IEUM__V1__FRAME__WHAT_SUBMIT: on_submit(hub, got.frame); break;
	case IEUM__V1__FRAME__WHAT_SETTLE: on_settle(hub, got.frame); break;
	case IEUM__V1__FRAME__WHAT_CREDIT: hub->credit = got.frame->credit->deliveries; break;
	case IEUM__V1__FRAME__WHAT_QUERY: on_query(hub, got.frame->request_id); break;
	case IEUM__V1__FRAME__WHAT_PING: on_ping(hub, got.frame->request_id); break;
	case IEUM__V1__FRAME__WHAT_GOODBYE:
		hub->goodbyes++;
		channel_finish(end->ch);
		break;
	default: fail_msg("the client sent frame kind %d", got.frame->what_case);
	}
}

void hub_open(struct hub *hub)
{
	*hub = (struct hub){ .outstanding_requests = 64,
			     .id_window_ms = 1000000,
			     .frame_bytes = 1 << 20 };
	memset(hub->incarnation, 'A', sizeof hub->incarnation);
	world_open(&hub->w, NULL);
	arena_init(&hub->arena, CODEC_ARENA_BUDGET_BYTES);
	hub->w.server.then = on_event;
	hub->w.server.then_arg = hub;
}

void hub_close(struct hub *hub)
{
	world_close(&hub->w);
	arena_release(&hub->arena);
}

const char *hub_address(const struct hub *hub)
{
	return channel_listener_address(hub->w.listener);
}
