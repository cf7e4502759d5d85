/* libieum's blocking functions: the hub runs in a thread of its own, the test asks and waits. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/ieum.h"
#include "client/spool.h"
#include "proto/uuid7.h"
#include "tests/unit/codec_samples.h"
#include "tests/unit/libieum_hub.h"
#include "tests/unit/scratch.h"

/* The thread owns the hub until it ends, which it does when so many good-byes were said, so many
 * connections have ended and none is open. */
struct served {
	struct hub hub;
	pthread_t thread;
	unsigned goodbyes_wanted, closed_wanted;
	struct samples samples;
	struct ieum_blocking *b;
};

static void *serve(void *arg)
{
	struct served *s = arg;
	int64_t until_ms = world_now_ms() + 20000;

	while ((s->hub.goodbyes < s->goodbyes_wanted || s->hub.w.server.closed < s->closed_wanted ||
		s->hub.w.server.ch) &&
	       world_now_ms() < until_ms)
		world_step(&s->hub.w);
	return NULL;
}

static void start(struct served *s)
{
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static struct ieum_options options_for(const struct served *s, const char **address)
{
	*address = hub_address(&s->hub);
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
	};
}

static void prepare(struct served *s)
{
	*s = (struct served){ .goodbyes_wanted = 1 };
	samples_init(&s->samples, 1);
	hub_open(&s->hub);
}

static void open_client(struct served *s)
{
	const char *address;
	struct ieum_options options = options_for(s, &address);
	char why[IEUM_WHY_BYTES];

	start(s);
	if (ieum_blocking_open(&options, 10000, &s->b, why))
		fail_msg("%s", why);
}

static void finish(struct served *s)
{
	ieum_blocking_close(s->b);
	pthread_join(s->thread, NULL);
	assert_int_equal(s->hub.goodbyes, s->goodbyes_wanted);
	hub_close(&s->hub);
	samples_release(&s->samples);
}

static void ask_and_wait(void **state)
{
	struct served s;
	const Ieum__V1__Receipt *receipt;
	const Ieum__V1__Result *result;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	int64_t hub_time;

	(void)state;
	prepare(&s);
	open_client(&s);
	assert_string_equal(ieum_blocking_welcome(s.b)->participant, "gimpo-ps");
	Ieum__V1__Referral *referral = samples_report(&s.samples, 100);
	assert_int_equal(ieum_blocking_submit(s.b, referral, 10000, &receipt), IEUM_E_OK);
	assert_memory_equal(receipt->message_id.data, referral->envelope->message_id.data, 16);
	assert_int_equal(receipt->journal_number, 1);
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_int_equal(ieum_blocking_query(s.b, &query, 10000, &result, NULL, NULL), IEUM_E_OK);
	assert_string_equal(result->whoami->participant, "gimpo-ps");
	assert_int_equal(ieum_blocking_ping(s.b, 10000, &hub_time), IEUM_E_OK);
	assert_int_equal(hub_time, 1800000000000);
	assert_int_equal(ieum_blocking_advance(s.b, 0, 10000, &hub_time), IEUM_E_FIELD_INVALID);
	referral->envelope->category = 0;
	assert_int_equal(ieum_blocking_submit(s.b, referral, 10000, &receipt),
			 IEUM_E_FIELD_MISSING);
	assert_null(receipt);
	assert_string_equal(ieum_blocking_failure(s.b)->detail,
			    "referral.envelope.category: is required when a case is opened");
	finish(&s);
}

static void deliver_on_hello(struct hub *hub, uint64_t request_id)
{
	uint8_t id[16];

	hub_welcome(hub, request_id);
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(uuid7_make(id), IEUM_E_OK);
		hub_deliver(hub, 256 * i, id);
	}
}

static void deliveries_are_taken_one_by_one(void **state)
{
	struct served s;
	const Ieum__V1__Delivery *delivery;
	const uint8_t *referral;
	size_t len;

	(void)state;
	prepare(&s);
	s.hub.on_hello = deliver_on_hello;
	open_client(&s);
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(ieum_blocking_next(s.b, 10000, &delivery, &referral, &len),
				 IEUM_E_OK);
		assert_int_equal(delivery->delivery_id, 256 * i);
		assert_string_equal(delivery->sender, "gimpo-city");
		assert_non_null(delivery->referral->report_received);
		assert_in_range(len, 200, 400);
		assert_int_equal(ieum_blocking_settle(s.b, delivery->delivery_id, IEUM_SETTLE_DONE,
						      NULL, 10000),
				 IEUM_E_OK);
	}
	assert_int_equal(ieum_blocking_next(s.b, 1, &delivery, NULL, NULL), IEUM_E_TIMED_OUT);
	assert_null(delivery);
	finish(&s);
	assert_int_equal(s.hub.n_done, 2);
}

static void cut_once(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub->on_query = NULL;
	hub_cut(hub);
}

static void a_query_survives_a_lost_connection(void **state)
{
	struct served s;
	const Ieum__V1__Result *result;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;

	(void)state;
	prepare(&s);
	s.hub.on_query = cut_once;
	open_client(&s);
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_int_equal(ieum_blocking_query(s.b, &query, 10000, &result, NULL, NULL), IEUM_E_OK);
	assert_string_equal(result->whoami->participant, "gimpo-ps");
	finish(&s);
	assert_int_equal(s.hub.queries, 2);
	assert_int_equal(s.hub.hellos, 2);
}

static void refuse(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_NO_ROUTE, "nobody", 0);
}

static void a_refusal_is_kept_with_its_text(void **state)
{
	struct served s;
	const Ieum__V1__Receipt *receipt;

	(void)state;
	prepare(&s);
	s.hub.on_submit = refuse;
	open_client(&s);
	assert_int_equal(ieum_blocking_submit(s.b, samples_report(&s.samples, 10), 10000, &receipt),
			 IEUM_E_NO_ROUTE);
	assert_string_equal(ieum_blocking_failure(s.b)->name, "NO_ROUTE");
	assert_string_equal(ieum_blocking_failure(s.b)->detail, "nobody");
	finish(&s);
}

static void no_answer(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)request_id, (void)message_id;
	hub->on_submit = NULL;
}

/* The first message stays without an answer; the wait for it ends, the next one is answered, and
 * the one left behind does no harm when all is closed. */
static void time_out_and_go_on(void **state)
{
	struct served s;
	const Ieum__V1__Receipt *receipt;

	(void)state;
	prepare(&s);
	s.hub.on_submit = no_answer;
	open_client(&s);
	assert_int_equal(ieum_blocking_submit(s.b, samples_report(&s.samples, 10), 20, &receipt),
			 IEUM_E_TIMED_OUT);
	assert_int_equal(ieum_blocking_submit(s.b, samples_report(&s.samples, 10), 10000, &receipt),
			 IEUM_E_OK);
	finish(&s);
}

/* The refusal comes when the next question does. */
static uint64_t unanswered;

static void no_answer_yet(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)hub, (void)message_id;
	unanswered = request_id;
}

static void refuse_at_last(struct hub *hub, uint64_t request_id)
{
	hub_error(hub, unanswered, IEUM_E_NO_ROUTE, "nobody for checkin", 0);
	hub_error(hub, request_id, IEUM_E_NOT_PERMITTED, "?", 0);
}

static void count_refused(struct ieum *c, const uint8_t *message_id,
			  const Ieum__V1__Receipt *receipt, const struct ieum_failure *failure,
			  void *ctx)
{
	(void)c, (void)message_id;
	assert_null(receipt);
	assert_int_equal(failure->code, IEUM_E_NO_ROUTE);
	++*(unsigned *)ctx;
}

static void what_is_refused_after_its_wait_is_told_and_stays_on_the_spool(void **state)
{
	struct served s;
	char folder[SCRATCH_PATH_BYTES], path[96], why[IEUM_WHY_BYTES];
	const char *address;
	unsigned told = 0;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	const Ieum__V1__Result *result;
	struct spool_sum sum;
	struct spool *spool;

	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/spool.db", folder);
	prepare(&s);
	s.hub.on_submit = no_answer_yet;
	s.hub.on_query = refuse_at_last;
	struct ieum_options options = options_for(&s, &address);
	options.spool = path;
	options.callbacks.resent = count_refused;
	options.ctx = &told;
	start(&s);
	if (ieum_blocking_open(&options, 10000, &s.b, why))
		fail_msg("%s", why);
	assert_int_equal(ieum_blocking_submit(s.b, samples_report(&s.samples, 100), 300, NULL),
			 IEUM_E_TIMED_OUT);
	assert_true(ieum_blocking_accepted(s.b, NULL));
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_int_equal(ieum_blocking_query(s.b, &query, 10000, &result, NULL, NULL),
			 IEUM_E_NOT_PERMITTED);
	assert_int_equal(told, 1);
	finish(&s);
	const struct spool_options file = { .path = path };
	assert_int_equal(spool_open(&file, &spool, why), IEUM_E_OK);
	assert_int_equal(spool_sum(spool, &sum), IEUM_E_OK);
	assert_int_equal(sum.refused, 1);
	spool_close(spool);
	scratch_remove(folder);
}

static void a_refused_certificate_ends_the_waiting(void **state)
{
	struct served s;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	prepare(&s);
	s.goodbyes_wanted = 0;
	s.closed_wanted = 1;
	start(&s);
	struct ieum_options options = options_for(&s, &address);
	options.cert = world_path("zoo/revoked.crt");
	options.key = world_path("zoo/revoked.key");
	assert_int_equal(ieum_blocking_open(&options, 60 * 1000, &s.b, why), IEUM_E_TLS_FAILED);
	assert_non_null(strstr(why, "revoked"));
	assert_null(s.b);
	pthread_join(s.thread, NULL);
	hub_close(&s.hub);
	samples_release(&s.samples);
}

static void nobody_there_is_told_after_the_time(void **state)
{
	struct served s;
	const char *address;
	char why[IEUM_WHY_BYTES], gone[64];

	(void)state;
	prepare(&s);
	struct ieum_options options = options_for(&s, &address);
	snprintf(gone, sizeof gone, "%s", address);
	address = gone;
	hub_close(&s.hub);
	assert_int_equal(ieum_blocking_open(&options, 50, &s.b, why), IEUM_E_HUB_UNREACHABLE);
	assert_non_null(strstr(why, "127.0.0.1"));
	samples_release(&s.samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ask_and_wait),
		cmocka_unit_test(deliveries_are_taken_one_by_one),
		cmocka_unit_test(a_query_survives_a_lost_connection),
		cmocka_unit_test(a_refusal_is_kept_with_its_text),
		cmocka_unit_test(time_out_and_go_on),
		cmocka_unit_test(what_is_refused_after_its_wait_is_told_and_stays_on_the_spool),
		cmocka_unit_test(a_refused_certificate_ends_the_waiting),
		cmocka_unit_test(nobody_there_is_told_after_the_time),
	};

	return cmocka_run_group_tests_name("libieum, blocking", tests, world_certs_make,
					   world_certs_remove);
}
