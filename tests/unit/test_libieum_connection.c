/* libieum: coming back, refusals and their reasons, silence, questions, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "client/lib_backoff.h"
#include "tests/unit/libieum_world.h"

static void questions_are_answered_or_told_lost(void **state)
{
	struct two w;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;

	(void)state;
	two_open(&w);
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_int_equal(ieum_query(w.client.c, &query, two_on_result, &w.client), IEUM_E_OK);
	assert_int_equal(ieum_ping(w.client.c, two_on_time, &w.client), IEUM_E_OK);
	UNTIL(w.client.answers == 1 && w.client.hub_time == 1800000000000);
	w.hub.mute = true;
	assert_int_equal(ieum_query(w.client.c, &query, two_on_result, &w.client), IEUM_E_OK);
	UNTIL(w.hub.queries == 2);
	hub_cut(&w.hub);
	UNTIL(w.client.lost == 1);
	assert_int_equal(ieum_query(w.client.c, &query, two_on_result, &w.client),
			 IEUM_E_CONNECTION_LOST);
	two_close(&w);
}

static void a_silent_hub_is_pinged_and_then_left(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	w.hub.mute = true;
	struct ieum_options options = two_options(&w, &address);
	options.silence_ms = 40;
	two_connect(&w, &options);
	UNTIL(w.hub.hellos == 2);
	assert_int_equal(w.hub.pings, 1);
	assert_string_equal(w.client.detail, "the hub is silent");
	w.hub.mute = false;
	unsigned pings = w.hub.pings, connections = w.client.connected;
	UNTIL(w.hub.pings >= pings + 3);
	assert_in_range(w.client.connected, connections, connections + 1);
	two_close(&w);
}

static void no_welcome(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub->on_hello = NULL;
}

static void a_hub_that_never_welcomes_is_left(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	w.hub.on_hello = no_welcome;
	struct ieum_options options = two_options(&w, &address);
	options.silence_ms = 40;
	two_connect(&w, &options);
	UNTIL(w.client.connected == 1);
	assert_int_equal(w.hub.hellos, 2);
	assert_int_equal(w.client.disconnected, 1);
	two_close(&w);
}

/* What the last Hello said, and which hub it came to: one that can't read what it doesn't know. */
static struct {
	uint64_t number;
	uint8_t incarnation[16];
	bool older;
	unsigned refused;
} told;

static void read_hello(struct hub *hub, uint64_t request_id)
{
	const Ieum__V1__Hello *hello = hub->frame->hello;

	told.number = hello->journal_number;
	memset(told.incarnation, 0, sizeof told.incarnation);
	if (hello->incarnation.len == sizeof told.incarnation)
		memcpy(told.incarnation, hello->incarnation.data, sizeof told.incarnation);
	if (!told.older || !hello->journal_number) {
		hub_welcome(hub, request_id);
		return;
	}
	told.refused++;
	hub_error(hub, 0, IEUM_E_FIELD_UNKNOWN, "hello.4: is a field this hub does not know", 0);
}

static void the_newest_receipt_is_told_at_hello(void **state)
{
	const uint8_t none[16] = { 0 };
	struct two w;
	const char *address;

	(void)state;
	memset(&told, 0, sizeof told);
	two_hub_only(&w);
	w.hub.on_hello = read_hello;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	for (int i = 0; i < 3; i++)
		two_submit(&w);
	UNTIL(w.client.receipts == 3);
	assert_int_equal(told.number, 0);
	assert_memory_equal(told.incarnation, none, 16);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	assert_int_equal(told.number, w.hub.journal_number);
	assert_memory_equal(told.incarnation, w.hub.incarnation, 16);
	/* Those of another incarnation are void. */
	w.hub.incarnation[0] ^= 1;
	w.hub.mute = true;
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 3);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 4);
	assert_int_equal(told.number, 0);
	two_close(&w);
}

static void a_hub_of_an_older_version_is_not_told_of_it(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	memset(&told, 0, sizeof told);
	told.older = true;
	two_hub_only(&w);
	w.hub.on_hello = read_hello;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	two_submit(&w);
	UNTIL(w.client.receipts == 1);
	for (unsigned i = 2; i < 4; i++) {
		hub_cut(&w.hub);
		UNTIL(w.client.connected == i);
		assert_int_equal(told.refused, 1);
	}
	assert_false(w.client.permanent);
	two_close(&w);
}

static void refused_certificates_say_so(void **state)
{
	static const struct {
		const char *pair, *text;
	} refused[] = { { "zoo/revoked", "revoked" }, { "zoo/expired", "expired" } };

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct two w;
		const char *address;
		char cert[64], key[64];

		two_hub_only(&w);
		struct ieum_options options = two_options(&w, &address);
		snprintf(cert, sizeof cert, "%s.crt", refused[i].pair);
		snprintf(key, sizeof key, "%s.key", refused[i].pair);
		options.cert = world_path(cert);
		options.key = world_path(key);
		two_connect(&w, &options);
		UNTIL(w.client.disconnected == 1);
		assert_int_equal(w.client.failure, IEUM_E_TLS_FAILED);
		assert_non_null(strstr(w.client.detail, refused[i].text));
		assert_true(w.client.permanent);
		assert_in_range(w.client.retry_in_ms, 20,
				40); /* the longest pause, but it goes on */
		assert_int_equal(w.client.connected, 0);
		UNTIL(w.client.disconnected == 2);
		two_close(&w);
	}
}

/* As an agency's IT puts it there: by rename. */
static void put_file(const char *from, const char *to)
{
	char bytes[8192], temporary[300];
	FILE *in = fopen(world_path(from), "r");
	size_t n = fread(bytes, 1, sizeof bytes, in);

	fclose(in);
	snprintf(temporary, sizeof temporary, "%s.new", world_path(to));
	FILE *out = fopen(temporary, "w");
	assert_int_equal(fchmod(fileno(out), 0600), 0);
	assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(rename(temporary, world_path(to)), 0);
}

static void renewed_files_count_from_the_next_connection_on(void **state)
{
	struct two w;
	const char *address;
	char first[41];

	(void)state;
	put_file("participants/gimpo-ps.crt", "mine.crt");
	put_file("participants/gimpo-ps.key", "mine.key");
	two_hub_only(&w);
	struct ieum_options options = two_options(&w, &address);
	options.cert = world_path("mine.crt");
	options.key = world_path("mine.key");
	two_connect(&w, &options);
	UNTIL(w.client.connected == 1);
	snprintf(first, sizeof first, "%s", w.hub.w.server.peer.serial);
	/* Half of it: they don't belong together, so the old pair goes on. */
	put_file("zoo/good.crt", "mine.crt");
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 2);
	assert_string_equal(w.hub.w.server.peer.serial, first);
	put_file("zoo/good.key", "mine.key");
	assert_int_equal(ieum_ping(w.client.c, two_on_time, &w.client), IEUM_E_OK);
	UNTIL(w.client.hub_time != 0);
	assert_int_equal(w.client.connected, 2); /* nobody hangs up because of it */
	assert_string_equal(w.hub.w.server.peer.serial, first);
	hub_cut(&w.hub);
	UNTIL(w.client.connected == 3);
	assert_string_not_equal(w.hub.w.server.peer.serial, first);
	two_close(&w);
}

static void a_hub_with_another_name_is_refused(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	struct ieum_options options = two_options(&w, &address);
	options.server_name = "elsewhere.example";
	two_connect(&w, &options);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.failure, IEUM_E_TLS_FAILED);
	assert_true(w.client.permanent);
	assert_int_equal(w.hub.hellos, 0);
	two_close(&w);
}

static void unlisted(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub_error(hub, 0, IEUM_E_IDENTITY_UNKNOWN, "spiffe://gimpo.ieum/police/gimpo-ps", 0);
	channel_finish(hub->w.server.ch);
}

static void full_once(struct hub *hub, uint64_t request_id)
{
	hub_error(hub, request_id, IEUM_E_TOO_MANY_CONNECTIONS, "", 90);
	channel_finish(hub->w.server.ch);
	hub->on_hello = NULL;
}

static void the_hubs_last_words_are_the_reason(void **state)
{
	struct two w;
	const char *address;

	(void)state;
	two_hub_only(&w);
	w.hub.on_hello = unlisted;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.failure, IEUM_E_IDENTITY_UNKNOWN);
	assert_string_equal(w.client.name, "IDENTITY_UNKNOWN");
	assert_string_equal(w.client.detail, "spiffe://gimpo.ieum/police/gimpo-ps");
	assert_true(w.client.permanent);

	w.hub.on_hello = full_once;
	UNTIL(w.client.disconnected == 2);
	assert_int_equal(w.client.failure, IEUM_E_TOO_MANY_CONNECTIONS);
	assert_false(w.client.permanent);
	assert_in_range(w.client.retry_in_ms, 90, 1000);
	UNTIL(w.client.connected == 1);
	two_close(&w);
}

static void the_next_address_is_tried_at_once(void **state)
{
	struct two w;
	struct hub closed;
	const char *address;
	char gone[64];

	(void)state;
	two_hub_only(&w);
	hub_open(&closed); /* a port that nobody listens on any more */
	snprintf(gone, sizeof gone, "%s", hub_address(&closed));
	hub_close(&closed);
	struct ieum_options options = two_options(&w, &address);
	const char *addresses[] = { gone, address };
	options.addresses = addresses;
	options.n_addresses = 2;
	options.pause_min_ms = 60 * 1000; /* would be noticed */
	options.pause_max_ms = 60 * 1000;
	two_connect(&w, &options);
	UNTIL(w.client.connected == 1);
	assert_int_equal(w.client.disconnected, 1);
	assert_int_equal(w.client.failure, IEUM_E_HUB_UNREACHABLE);
	assert_int_equal(w.client.retry_in_ms, 0);
	two_close(&w);
}

static void stopping_says_goodbye_and_is_the_end(void **state)
{
	struct two w;

	(void)state;
	two_open(&w);
	ieum_stop(w.client.c);
	assert_false(ieum_connected(w.client.c));
	UNTIL(w.client.disconnected == 1 && w.hub.goodbyes == 1);
	assert_int_equal(w.client.failure, IEUM_E_OK);
	assert_int_equal(w.client.retry_in_ms, -1);
	world_quiet(&w.hub.w);
	assert_int_equal(w.hub.hellos, 1);
	two_close(&w);

	two_hub_only(&w);
	const char *address;
	struct ieum_options options = two_options(&w, &address);
	two_connect(&w, &options);
	ieum_stop(w.client.c); /* before it was ever connected */
	assert_int_equal(w.client.disconnected, 0);
	UNTIL(w.client.disconnected == 1);
	assert_int_equal(w.client.retry_in_ms, -1);
	two_close(&w);
}

static void options_are_checked(void **state)
{
	struct two w;
	const char *address;
	char why[IEUM_WHY_BYTES];

	(void)state;
	two_hub_only(&w);
	struct ieum_options good = two_options(&w, &address), bad = good;
	bad.n_addresses = 0;
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FIELD_INVALID);
	bad = good;
	bad.key = NULL;
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FIELD_INVALID);
	bad = good;
	bad.cert = "/nonexistent/cert.crt";
	assert_int_equal(ieum_new(w.hub.w.base, &bad, &w.client.c, why), IEUM_E_FILE_UNREADABLE);
	assert_non_null(strstr(why, "/nonexistent/cert.crt"));
	assert_null(w.client.c);
	two_close(&w);
}

static void pauses_grow_within_their_bounds_and_differ(void **state)
{
	struct backoff b = { .min_ms = 500, .max_ms = 30000 };
	uint64_t random = 88172645463325252u;
	unsigned low = 0, high = 0;

	(void)state;
	for (unsigned failures = 0; failures < 100; failures++) {
		uint64_t span = failures < 6 ? 500u << failures : 30000;

		for (int i = 0; i < 1000; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			b.failures = failures;
			uint32_t pause = backoff_next(&b, random);
			assert_in_range(pause, span / 2, span);
			assert_int_equal(b.failures, failures + 1);
			low += pause < span * 5 / 8;
			high += pause > span * 7 / 8;
		}
	}
	assert_in_range(low, 20000, 30000); /* a quarter each */
	assert_in_range(high, 20000, 30000);
	b = (struct backoff){ .min_ms = 1, .max_ms = UINT32_MAX, .failures = 1000 };
	assert_true(backoff_next(&b, UINT64_MAX) >= UINT32_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered_or_told_lost),
		cmocka_unit_test(a_silent_hub_is_pinged_and_then_left),
		cmocka_unit_test(a_hub_that_never_welcomes_is_left),
		cmocka_unit_test(the_newest_receipt_is_told_at_hello),
		cmocka_unit_test(a_hub_of_an_older_version_is_not_told_of_it),
		cmocka_unit_test(refused_certificates_say_so),
		cmocka_unit_test(renewed_files_count_from_the_next_connection_on),
		cmocka_unit_test(a_hub_with_another_name_is_refused),
		cmocka_unit_test(the_hubs_last_words_are_the_reason),
		cmocka_unit_test(the_next_address_is_tried_at_once),
		cmocka_unit_test(stopping_says_goodbye_and_is_the_end),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(pauses_grow_within_their_bounds_and_differ),
	};

	return cmocka_run_group_tests_name("libieum, connections", tests, world_certs_make,
					   world_certs_remove);
}
