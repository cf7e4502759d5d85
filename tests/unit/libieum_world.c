/* See libieum_world.h. */
#include "tests/unit/libieum_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"

/* ---- callbacks ---- */

static void note(struct client *me, const struct ieum_failure *why)
{
	if (!why) {
		fail_msg("no failure to note");
		return;
	}
	snprintf(me->name, sizeof me->name, "%s", why->name);
	snprintf(me->detail, sizeof me->detail, "%s", why->detail);
	me->failure = why->code;
}

static void on_connected(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	me->connected++;
	snprintf(me->participant, sizeof me->participant, "%s", welcome->participant);
}

static void on_disconnected(struct ieum *c, const struct ieum_failure *why, bool permanent,
			    int64_t retry_in_ms, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	me->disconnected++;
	note(me, why);
	me->permanent = permanent;
	me->retry_in_ms = retry_in_ms;
}

static void on_delivery(struct ieum *c, const Ieum__V1__Delivery *delivery, const uint8_t *referral,
			size_t referral_len, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	assert_non_null(delivery->referral);
	assert_non_null(referral);
	me->delivered[me->deliveries++] = delivery->delivery_id;
	me->referral_len = referral_len;
}

static void on_incarnation(struct ieum *c, const uint8_t *before, const uint8_t *now,
			   size_t resending, void *ctx)
{
	struct client *me = ctx;

	(void)c;
	assert_memory_not_equal(before, now, 16);
	me->incarnations++;
	me->resending = resending;
}

static void on_resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *ctx)
{
	struct client *me = ctx;

	(void)c, (void)message_id;
	assert_true(!receipt != !failure);
	me->resent += receipt != NULL;
	me->resent_failed += failure != NULL;
}

void two_on_submitted(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c;
	assert_true(!receipt != !failure);
	if (receipt) {
		assert_memory_equal(receipt->message_id.data, message_id, 16);
		memcpy(me->receipt_id, message_id, 16);
		me->receipts++;
		return;
	}
	memcpy(me->failed_id, message_id, 16);
	me->failures++;
	note(me, failure);
}

void two_on_settled(struct ieum *c, uint64_t delivery_id, const struct ieum_failure *failure,
		    void *arg)
{
	struct client *me = arg;

	(void)c, (void)delivery_id;
	me->settled += !failure;
	me->unsettled += failure != NULL;
	if (failure)
		note(me, failure);
}

void two_on_result(struct ieum *c, const Ieum__V1__Result *result, const uint8_t *referral,
		   size_t referral_len, const struct ieum_failure *failure, void *arg)
{
	struct client *me = arg;

	(void)c, (void)referral, (void)referral_len;
	if (result)
		assert_string_equal(result->whoami->participant, "gimpo-ps");
	me->answers += result != NULL;
	me->lost += failure && failure->code == IEUM_E_CONNECTION_LOST;
}

void two_on_time(struct ieum *c, int64_t hub_time_at_ms, const struct ieum_failure *failure,
		 void *arg)
{
	struct client *me = arg;

	(void)c;
	assert_null(failure);
	me->hub_time = hub_time_at_ms;
}

/* ---- the world ---- */

struct ieum_options two_options(struct two *w, const char **address)
{
	*address = hub_address(&w->hub);
	return (struct ieum_options){
		.addresses = address,
		.n_addresses = 1,
		.server_name = "127.0.0.1",
		.cert = world_path("participants/gimpo-ps.crt"),
		.key = world_path("participants/gimpo-ps.key"),
		.ca = world_path("ca.crt"),
		.pause_min_ms = 4,
		.pause_max_ms = 40,
		.credit = 10,
		.callbacks = { on_connected, on_disconnected, on_delivery, on_incarnation,
			       on_resent },
		.ctx = &w->client,
	};
}

void two_connect(struct two *w, const struct ieum_options *options)
{
	char why[IEUM_WHY_BYTES];

	if (ieum_new(w->hub.w.base, options, &w->client.c, why))
		fail_msg("%s", why);
}

void two_hub_only(struct two *w)
{
	*w = (struct two){ 0 };
	samples_init(&w->samples, 1);
	hub_open(&w->hub);
}

void two_open(struct two *w)
{
	const char *address;

	two_hub_only(w);
	struct ieum_options options = two_options(w, &address);
	two_connect(w, &options);
	world_until(&w->hub.w, w->client.connected == 1);
}

void two_close(struct two *w)
{
	ieum_free(w->client.c);
	hub_close(&w->hub);
	samples_release(&w->samples);
}

const uint8_t *two_submit(struct two *w)
{
	static uint8_t ids[16][16];
	static unsigned turn;
	uint8_t *id = ids[turn++ % 16];
	char why[IEUM_WHY_BYTES];
	Ieum__V1__Referral *referral = samples_report(&w->samples, 50);

	referral->envelope->message_id.len = 0;
	if (ieum_submit(w->client.c, referral, two_on_submitted, &w->client, id, why))
		fail_msg("%s", why);
	return id;
}

const uint8_t *two_new_id(void)
{
	static uint8_t ids[16][16];
	static unsigned turn;
	uint8_t *id = ids[turn++ % 16];

	assert_int_equal(uuid7_make(id), IEUM_E_OK);
	return id;
}
