/* One who doesn't read, and many who only sit there: the others notice nothing, memory stays
 * bounded, and what the slow one had comes back into its queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* memory of the hub says nothing then */
#else
#define SANITIZED 0
#endif

enum {
	KIB = 1024,
	BULK = 3000, /* messages for the slow one: far more than sockets and buffers hold */
	BULK_BYTES = 8 * KIB,
	CHECK_EVERY = 100,
	IDLE = 500,
	/* Of a connection that says nothing, TLS included. */
	IDLE_KIB_MAX = 64,
	/* The hub's while 24 MiB wait for the slow one: they wait on the disk. */
	GROWTH_KIB_MAX = 48 * KIB,
};

static struct hub hub;

static int end(void **state)
{
	(void)state;
	if (hub.pid > 0)
		assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
	hub_remove(&hub);
	return 0;
}

static long hub_rss_kib(void)
{
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)hub.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(f);
	assert_true(kib > 0);
	return kib;
}

static Ieum__V1__QueueSummary queue_of(const char *mailbox)
{
	struct peer *operator= peer_connect(&hub, "town-op");
	Ieum__V1__QueueQuery queue = IEUM__V1__QUEUE_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__QueueSummary summary;

	queue.mailbox = (char *)mailbox;
	query.what_case = IEUM__V1__QUERY__WHAT_QUEUE;
	query.queue = &queue;
	summary = *peer_result(operator, & query)->queue->summary;
	peer_close(operator);
	return summary;
}

/* One more to the slow one; now and then one to the other, who must get it and settle it while the
 * slow one stands. */
static void send_bulk(struct peer *from, struct peer *quick, const char *text)
{
	uint64_t request_id[CHECK_EVERY];

	for (int i = 0; i < BULK; i += CHECK_EVERY) {
		struct message m;

		for (int k = 0; k < CHECK_EVERY; k++) {
			message_service_report(&m, "town-aid", NULL, text);
			request_id[k] = peer_submit(from, &m.referral);
		}
		for (int k = 0; k < CHECK_EVERY; k++)
			(void)peer_receipt(from, request_id[k]);
		message_service_report(&m, "town-aid-2", NULL, "빠른 쪽");
		(void)peer_receipt(from, peer_submit(from, &m.referral));
		peer_settle(quick, peer_delivery(quick)->delivery_id);
	}
}

/* As many as CHECK_EVERY: whole, for the first time, and settled. */
static void take_bulk(struct peer *p)
{
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	uint64_t ids[CHECK_EVERY], request_id;

	peer_credit(p, CHECK_EVERY);
	for (int i = 0; i < CHECK_EVERY; i++) {
		const Ieum__V1__Delivery *d = peer_delivery(p);

		assert_int_equal(d->attempt, 1);
		assert_int_equal(d->referral->narrative[0]->clear.len, BULK_BYTES);
		ids[i] = d->delivery_id;
	}
	peer_credit(p, 0);
	settle.done = ids;
	settle.n_done = CHECK_EVERY;
	request_id = peer_send_settle(p, &settle);
	while (peer_expect(p, IEUM__V1__FRAME__WHAT_SETTLED)->settled->through_request_id <
	       request_id)
		;
}

static void a_slow_reader_holds_up_nobody_and_is_dropped(void **state)
{
	char *text = malloc(BULK_BYTES + 1);
	struct peer *from, *slow, *quick;
	Ieum__V1__QueueSummary queue;
	long before_kib;

	(void)state;
	assert_non_null(text);
	memset(text, 's', BULK_BYTES);
	text[BULK_BYTES] = '\0';
	hub_make(&hub,
		 &(struct hub_options){ .config = "cache: 8 MiB\n"
						  "limits: { out_buffer: 64 KiB, slow_after: 1 s, "
						  "unsettled_deliveries: 65536 }\n" });
	/* Its settle time-out must not come before. */
	assert_int_equal(hub_run(&hub, "sed -i 's/settle_within:.*/settle_within: 1 h/' %s",
				 hub.hub_file),
			 0);
	hub_start(&hub);
	from = peer_connect(&hub, "town-ps");
	quick = peer_connect(&hub, "town-aid-2");
	slow = peer_connect(&hub, "town-aid");
	before_kib = hub_rss_kib();
	peer_credit(quick, 1);
	/* All the credit there is, and from now on nobody turns its loop: it reads nothing. */
	peer_credit(slow, 65536);
	peer_pause(slow);
	send_bulk(from, quick, text);
	if (!SANITIZED)
		assert_true(hub_rss_kib() - before_kib < GROWTH_KIB_MAX);
	/* What isn't in the sockets is in the queue, not on its way. */
	hub_await_log(&hub, "it reads too slowly");
	hub_await_log(&hub, "event=disconnected");
	queue = queue_of("town-aid");
	assert_int_equal(queue.routed, BULK);
	assert_int_equal(queue.depth, BULK);
	assert_int_equal(queue.in_flight, 0);
	peer_drop(slow);
	/* Back again, it gets everything, and being slow was no failed attempt. */
	slow = peer_connect(&hub, "town-aid");
	for (int i = 0; i < BULK; i += CHECK_EVERY)
		take_bulk(slow);
	queue = queue_of("town-aid");
	assert_int_equal(queue.settled, BULK);
	peer_close(from);
	peer_close(quick);
	peer_close(slow);
	free(text);
}

/* As many descriptors as this process may have: the hub inherits them. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= 4 * IDLE);
}

static void many_idle_connections_are_cheap(void **state)
{
	static struct peer *idle[IDLE];
	struct peer *from, *to;
	long before_kib;

	(void)state;
	allow_descriptors();
	hub_make(&hub, &(struct hub_options){
			       .config = "limits: { connections_per_participant: 600 }\n" });
	hub_start(&hub);
	from = peer_connect(&hub, "town-ps");
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 10);
	before_kib = hub_rss_kib();
	for (int i = 0; i < IDLE; i++)
		idle[i] = peer_connect(&hub, i % 2 ? "town-head" : "town-aid-2");
	for (int i = 0; i < IDLE; i++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, "사이에");
		(void)peer_receipt(from, peer_submit(from, &m.referral));
		peer_settle(to, peer_delivery(to)->delivery_id);
		peer_ping(idle[i]);
	}
	if (!SANITIZED)
		assert_true((hub_rss_kib() - before_kib) / IDLE < IDLE_KIB_MAX);
	/* One of them can have work at any time. */
	{
		struct message m;

		message_service_report(&m, "town-head", NULL, NULL);
		(void)peer_receipt(from, peer_submit(from, &m.referral));
		peer_credit(idle[IDLE - 1], 1);
		peer_settle(idle[IDLE - 1], peer_delivery(idle[IDLE - 1])->delivery_id);
	}
	for (int i = 0; i < IDLE; i++)
		peer_drop(idle[i]);
	peer_ping(from);
	peer_close(from);
	peer_close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_slow_reader_holds_up_nobody_and_is_dropped, end),
		cmocka_unit_test_teardown(many_idle_connections_are_cheap, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
