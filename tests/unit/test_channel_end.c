/* proto/channel: every way in which a channel ends or never begins, with the reason that each
 * side can log. */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/commands.h"
#include "tests/unit/channel_world.h"

#define assert_text_has(text, part) \
	do { \
		if (!strstr(text, part)) \
			fail_msg("\"%s\" does not say \"%s\"", text, part); \
	} while (0)

/* --- good-byes --- */

static void a_good_bye_is_heard_on_both_sides(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	channel_finish(w.client.ch);
	channel_finish(w.client.ch);
	world_until(&w, w.client.closed == 1 && w.server.closed == 1);
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_HERE);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_PEER);
	world_until(&w, channel_loop_count(w.client_loop) == 0);
	assert_int_equal(channel_loop_count(w.server_loop), 0);
	world_close(&w);
}

static void a_good_bye_flushes_first(void **state)
{
	static uint8_t bytes[100000];
	enum { FRAMES = 40 };
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	for (int i = 0; i < FRAMES; i++)
		assert_int_equal(channel_send(w.server.ch, bytes, sizeof bytes), IEUM_E_OK);
	channel_finish(w.server.ch);
	/* Unread input at the moment of closing must not destroy what is under way. */
	for (int i = 0; i < FRAMES; i++)
		assert_int_equal(channel_send(w.client.ch, bytes, sizeof bytes), IEUM_E_OK);
	world_until(&w, w.client.closed == 1 && w.server.closed == 1);
	assert_int_equal(w.client.frames, FRAMES);
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_PEER);
	assert_int_equal(w.server.frames, 0);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_HERE);
	world_close(&w);
}

static void a_good_bye_that_nobody_takes_has_a_deadline(void **state)
{
	struct channel_limits limits = channel_limits_default;
	static uint8_t bytes[1000000];
	struct world w;

	(void)state;
	limits.close_within_ms = 100;
	world_open(&w, &limits);
	world_join(&w);
	channel_pause(w.client.ch);
	while (channel_send(w.server.ch, bytes, sizeof bytes) == IEUM_E_OK)
		event_base_loop(w.base, EVLOOP_NONBLOCK);
	channel_finish(w.server.ch);
	world_until(&w, w.server.closed == 1);
	assert_string_equal(w.server.text, "the rest was not taken in time");
	assert_int_equal(channel_loop_count(w.server_loop), 0);
	world_close(&w);
}

static void a_reset_is_a_disconnect(void **state)
{
	struct world w;
	struct raw raw;

	(void)state;
	world_open(&w, NULL);
	raw_open(&w, &raw, "zoo/good", NULL, 0);
	assert_int_equal(raw_handshake(&w, &raw), 1);
	world_until(&w, w.server.ready == 1);
	raw_close(&raw, true);
	world_until(&w, w.server.closed == 1);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_LOST);
	assert_string_equal(w.server.text, "Connection reset by peer");
	world_close(&w);
}

/* The write fails first; the frame that came before the reset is still there to be read. */
static void what_came_before_a_reset_is_heard(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_join(&w);
	channel_pause(w.client.ch);
	channel_pause(w.server.ch);
	assert_int_equal(channel_send(w.server.ch, (const uint8_t *)"bye", 3), IEUM_E_OK);
	assert_int_equal(channel_send(w.client.ch, (const uint8_t *)"unread", 6), IEUM_E_OK);
	world_quiet(&w);
	channel_close(w.server.ch);
	world_until(&w, w.server.closed == 1);
	assert_int_equal(w.client.frames, 0);
	assert_int_equal(channel_send(w.client.ch, (const uint8_t *)"too late", 8), IEUM_E_OK);
	channel_resume(w.client.ch);
	world_until(&w, w.client.closed == 1);
	assert_string_equal(w.client.last, "bye");
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_LOST);
	world_close(&w);
}

static void an_end_without_good_bye_is_a_disconnect(void **state)
{
	struct world w;
	struct raw raw;

	(void)state;
	world_open(&w, NULL);
	raw_open(&w, &raw, "zoo/good", NULL, 0);
	assert_int_equal(raw_handshake(&w, &raw), 1);
	world_until(&w, w.server.ready == 1);
	raw_close(&raw, false);
	world_until(&w, w.server.closed == 1);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_LOST);
	assert_string_equal(w.server.text, "ended without good-bye");
	world_close(&w);
}

/* --- input that is no frame --- */

static void say_why(struct end *end, enum channel_event event, const struct frame_view *frame)
{
	(void)frame;
	if (event == CHANNEL_BROKEN)
		assert_int_equal(channel_send(end->ch, (const uint8_t *)"too much", 8), IEUM_E_OK);
}

static void broken_input(const uint8_t *bytes, size_t n, enum channel_close_reason reason)
{
	struct channel_limits limits = channel_limits_default;
	struct world w;

	limits.max_frame_bytes = 100;
	world_open(&w, &limits);
	w.server.then = say_why;
	world_join(&w);
	assert_int_equal(buf_append(channel_out(w.client.ch), bytes, n), IEUM_E_OK);
	channel_flush(w.client.ch);
	world_until(&w, w.server.closed == 1 && w.client.closed == 1);
	assert_int_equal(w.server.broken, 1);
	assert_int_equal(w.server.frames, 1);
	assert_int_equal(w.server.turn_ends, 1);
	assert_int_equal(w.server.reason, reason);
	assert_string_equal(w.client.last, "too much");
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_PEER);
	world_close(&w);
}

static void broken_input_ends_with_a_last_word(void **state)
{
	(void)state;
	broken_input((const uint8_t *)"\x02ok\x65", 4, CHANNEL_CLOSE_FRAME_TOO_LARGE);
	broken_input((const uint8_t *)"\x02ok\x00", 4, CHANNEL_CLOSE_FRAME_MALFORMED);
	broken_input((const uint8_t *)"\x02ok\xff\xff\xff\xff\xff\xff", 9,
		     CHANNEL_CLOSE_FRAME_MALFORMED);
}

/* --- handshakes --- */

static void silence_has_a_deadline(void **state)
{
	struct channel_limits limits = channel_limits_default;
	struct world w;

	(void)state;
	limits.handshake_within_ms = 50;
	world_open(&w, &limits);
	int fd = world_raw_socket(&w);
	world_until(&w, w.server.closed == 1);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_HANDSHAKE_TIMEOUT);
	assert_int_equal(w.server.ready, 0);
	close(fd);
	world_close(&w);
}

static void noise_is_no_handshake(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	int fd = world_raw_socket(&w);
	assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	world_until(&w, w.server.closed == 1);
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_TLS);
	assert_text_has(w.server.text, "http request");
	close(fd);
	world_close(&w);
}

struct refusal {
	const char *pair, *alpn;
	int max_version;
	enum channel_close_reason reason;
	const char *text;
};

static void refuse_raw(const struct refusal *r)
{
	struct world w;
	struct raw raw;

	world_open(&w, NULL);
	raw_open(&w, &raw, r->pair, r->alpn, r->max_version);
	int end = raw_handshake(&w, &raw);
	world_until(&w, w.server.ready + w.server.closed == 1);
	if (r->reason == CHANNEL_CLOSE_NONE) {
		assert_int_equal(end, 1);
		assert_int_equal(w.server.ready, 1);
	} else {
		assert_int_equal(w.server.closed, 1);
		assert_int_equal(w.server.reason, r->reason);
		assert_text_has(w.server.text, r->text);
		/* It stays half open for as long as the peer may still read the alert. */
		assert_int_equal(channel_loop_count(w.server_loop), 1);
	}
	raw_close(&raw, false);
	world_until(&w, channel_loop_count(w.server_loop) == 0);
	world_close(&w);
}

static void certificate_version_and_protocol_are_required(void **state)
{
	static const struct refusal rows[] = {
		{ NULL, NULL, 0, CHANNEL_CLOSE_PEER_REFUSED, "the peer has no certificate" },
		{ "zoo/good", "\x02h2", 0, CHANNEL_CLOSE_TLS, "no application protocol" },
		{ "zoo/good", "\x02h2\x06ieum/1", 0, CHANNEL_CLOSE_NONE, NULL },
		{ "zoo/good", NULL, 0, CHANNEL_CLOSE_NONE, NULL },
		{ "zoo/good", NULL, TLS1_2_VERSION, CHANNEL_CLOSE_TLS, "unsupported protocol" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		refuse_raw(&rows[i]);
}

static void talk_at_once(struct end *end, enum channel_event event, const struct frame_view *frame)
{
	static uint8_t much[200000];

	(void)frame;
	if (event == CHANNEL_READY)
		assert_int_equal(channel_send(end->ch, much, sizeof much), IEUM_E_OK);
}

/* True when it was refused in the handshake, which is where `by` wants it. */
static bool meet(const char *pair, const char *by, const char *words)
{
	bool by_tls = strcmp(by, "tls") == 0;
	struct tls *tls = world_tls_unchecked(pair);
	struct world w;

	if (!tls) {
		/* No identity of its own: libieum would not even start with it. */
		refuse_raw(&(struct refusal){ pair, NULL, 0, CHANNEL_CLOSE_PEER_REFUSED, words });
		return true;
	}
	world_open(&w, NULL);
	/* Sent before the hub has judged: unread input must not cost the client the alert. */
	w.client.then = talk_at_once;
	world_connect(&w, tls);
	if (by_tls) {
		world_until(&w, w.server.closed == 1 && w.client.closed == 1);
		assert_int_equal(w.server.ready, 0);
		assert_int_equal(w.server.reason, CHANNEL_CLOSE_PEER_REFUSED);
		assert_text_has(w.server.text, words);
		assert_text_has(w.server.text, "serial ");
		/* The CN may be a person's name. */
		assert_null(strstr(w.server.text, "zoo"));
		assert_int_equal(w.client.reason, CHANNEL_CLOSE_REFUSED_BY_PEER);
		assert_text_has(w.client.text, "the peer's alert: ");
	} else {
		world_until(&w, w.server.ready == 1);
	}
	tls_free(tls);
	world_close(&w);
	return by_tls;
}

/* Each certificate that zoo.tsv lists as refused in the handshake, by its words there. */
static void the_zoo_is_refused_with_the_right_words(void **state)
{
	char line[256], pair[300];
	unsigned refused = 0;
	FILE *table = fopen(world_path("zoo/zoo.tsv"), "r");

	(void)state;
	assert_non_null(table);
	while (fgets(line, sizeof line, table)) {
		char *rest = line;
		const char *name = strsep(&rest, "\t");
		const char *by = strsep(&rest, "\t");
		const char *words = strsep(&rest, "\n");
		if (*name == '#')
			continue;
		snprintf(pair, sizeof pair, "zoo/%s", name);
		refused += meet(pair, by, words);
	}
	fclose(table);
	assert_int_equal(refused, 10);
}

static void the_client_judges_the_hub_too(void **state)
{
	char why[TLS_WHY_BYTES];
	struct channel *ch;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	struct channel_connect_options options = {
		.address = channel_listener_address(w.listener),
		.server_name = "other.example",
		.tls = w.client_tls,
		.cb = end_cb,
		.arg = &w.client,
	};
	assert_int_equal(channel_connect(w.client_loop, &options, &ch, why), IEUM_E_OK);
	world_until(&w, w.client.closed == 1 && w.server.closed == 1);
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_PEER_REFUSED);
	assert_text_has(w.client.text, "hostname mismatch");
	assert_int_equal(w.server.reason, CHANNEL_CLOSE_REFUSED_BY_PEER);

	/* A participant cannot pose as a hub. */
	struct tls *poser = world_tls(TLS_SERVER, "participants/gimpo-ps");
	channel_listener_set_tls(w.listener, poser);
	world_connect(&w, w.client_tls);
	world_until(&w, w.client.closed == 2);
	assert_text_has(w.client.text, "unsuitable certificate purpose");
	tls_free(poser);
	world_close(&w);
}

static void a_reload_concerns_new_connections_and_a_recheck_the_old(void **state)
{
	char why[TLS_WHY_BYTES];
	struct world w;
	enum stored what;
	struct wish wish = {
		.cn = "desk",
		.san = "URI:spiffe://gimpo.ieum/police/gimpo-ps",
		.usage = "clientAuth",
		.not_before_s = (int64_t)time(NULL) - 60,
		.not_after_s = (int64_t)time(NULL) + 3600,
	};

	(void)state;
	assert_int_equal(store_issue(world_store(), world_store(), "desk", &wish, &what, why), 0);
	world_open(&w, NULL);
	struct tls *desk = world_tls(TLS_CLIENT, "desk");
	world_connect(&w, desk);
	world_until(&w, w.server.ready == 1);
	assert_int_equal(channel_recheck(w.server.ch, w.server_tls, why), IEUM_E_OK);
	assert_int_equal(channel_recheck(w.client.ch, w.client_tls, why), IEUM_E_OK);

	assert_int_equal(store_revoke(world_store(), "desk", REVOKED_OUT_OF_USE,
				      (int64_t)time(NULL), NULL, why),
			 0);
	assert_int_equal(store_write_crl(world_store(), (int64_t)time(NULL), 30, why), 0);
	struct tls *reloaded = world_tls(TLS_SERVER, "hub");
	assert_true(tls_crl_next_update_s(reloaded) > time(NULL));
	channel_listener_set_tls(w.listener, reloaded);
	assert_int_equal(channel_recheck(w.server.ch, w.server_tls, why), IEUM_E_OK);
	assert_int_equal(channel_recheck(w.server.ch, reloaded, why), IEUM_E_CERTIFICATE_REVOKED);
	assert_text_has(why, "certificate revoked (spiffe://gimpo.ieum/police/gimpo-ps, serial ");
	world_quiet(&w);
	assert_int_equal(w.server.closed, 0);

	world_connect(&w, desk);
	world_until(&w, w.server.closed == 1);
	assert_text_has(w.server.text, "certificate revoked");
	tls_free(reloaded);
	tls_free(desk);
	world_close(&w);
}

/* --- reaching and accepting --- */

static void an_address_where_nobody_listens(void **state)
{
	char address[64], why[TLS_WHY_BYTES];
	struct channel *ch;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	snprintf(address, sizeof address, "%s", channel_listener_address(w.listener));
	channel_listener_free(w.listener);
	w.listener = NULL;
	struct channel_connect_options options = {
		.address = address, .tls = w.client_tls, .cb = end_cb, .arg = &w.client
	};
	assert_int_equal(channel_connect(w.client_loop, &options, &ch, why), IEUM_E_OK);
	assert_int_equal(w.client.closed, 0);
	world_until(&w, w.client.closed == 1);
	assert_int_equal(w.client.reason, CHANNEL_CLOSE_UNREACHABLE);
	assert_text_has(w.client.text, "Connection refused");
	world_close(&w);
}

static bool localhost_has(int family)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", "1", &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

/* Where "localhost" is both 127.0.0.1 and ::1, one of the two rounds needs the second address. */
static void each_address_of_a_name_is_tried(void **state)
{
	static const struct {
		int family;
		const char *listen_on;
	} rounds[] = { { AF_INET, "127.0.0.1:0" }, { AF_INET6, "[::1]:0" } };
	char address[64], why[TLS_WHY_BYTES];
	struct channel *ch;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world w;
		if (!localhost_has(rounds[i].family))
			continue;
		world_open(&w, NULL);
		channel_listener_free(w.listener);
		struct channel_listen_options listen_options = {
			.address = rounds[i].listen_on,
			.tls = w.server_tls,
			.cb = end_cb,
			.arg = &w.server,
		};
		assert_int_equal(channel_listen(w.server_loop, &listen_options, &w.listener, why),
				 IEUM_E_OK);
		snprintf(address, sizeof address, "localhost%s",
			 strrchr(channel_listener_address(w.listener), ':'));
		struct channel_connect_options options = {
			.address = address, .tls = w.client_tls, .cb = end_cb, .arg = &w.client
		};
		assert_int_equal(channel_connect(w.client_loop, &options, &ch, why), IEUM_E_OK);
		world_until(&w, w.client.ready == 1 && w.server.ready == 1);
		world_close(&w);
	}
}

static void addresses_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",           "localhost", "localhost:", ":7",   "1.2.3.4:99999",
		"1.2.3.4:-1", "::1:7443",  "[::1]7443",  "[::1", "a:b"
	};
	char why[TLS_WHY_BYTES];
	struct channel *ch;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct channel_connect_options options = {
			.address = bad[i], .tls = w.client_tls, .cb = end_cb, .arg = &w.client
		};
		assert_int_equal(channel_connect(w.client_loop, &options, &ch, why),
				 IEUM_E_FIELD_INVALID);
		assert_null(ch);
		assert_text_has(why, "host:port");
	}
	assert_int_equal(channel_loop_count(w.client_loop), 0);
	world_close(&w);
}

static void an_address_in_use_is_told(void **state)
{
	struct channel_listener *second;
	char why[TLS_WHY_BYTES];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	struct channel_listen_options options = { .address = channel_listener_address(w.listener),
						  .tls = w.server_tls,
						  .cb = end_cb };
	assert_int_equal(channel_listen(w.server_loop, &options, &second, why),
			 IEUM_E_HUB_UNREACHABLE);
	assert_text_has(why, "Address already in use");
	options.address = ":0";
	assert_int_equal(channel_listen(w.server_loop, &options, &second, why), IEUM_E_OK);
	channel_listener_free(second);
	world_close(&w);
}

static void handshakes_under_way_are_limited(void **state)
{
	enum { ALLOWED = 2, TRIES = 6 };
	struct channel_limits limits = channel_limits_default;
	int fds[TRIES];
	struct world w;

	(void)state;
	limits.handshaking_max = ALLOWED;
	limits.handshake_within_ms = 60;
	world_open(&w, &limits);
	for (int i = 0; i < TRIES; i++)
		fds[i] = world_raw_socket(&w);
	while (w.server.closed < TRIES) {
		world_step(&w);
		assert_true(channel_loop_count(w.server_loop) <= ALLOWED);
	}
	world_join(&w);
	for (int i = 0; i < TRIES; i++)
		close(fds[i]);
	world_close(&w);
}

static void channels_in_all_are_limited(void **state)
{
	struct channel_limits limits = channel_limits_default;
	struct world w;

	(void)state;
	limits.channels_max = 1;
	world_open(&w, &limits);
	world_join(&w);
	world_connect(&w, w.client_tls);
	world_quiet(&w);
	assert_int_equal(channel_loop_count(w.server_loop), 1);
	channel_close(w.server.ch);
	world_until(&w, w.server.ready == 2);
	world_close(&w);
}

static void without_descriptors_the_listener_waits(void **state)
{
	struct rlimit before, tight;
	struct world w;
	int fd, hoard[1024], n = 0;

	(void)state;
	world_open(&w, NULL);
	getrlimit(RLIMIT_NOFILE, &before);
	tight = before;
	tight.rlim_cur = 512;
	setrlimit(RLIMIT_NOFILE, &tight);
	fd = world_raw_socket(&w);
	while (n < 1024 && (hoard[n] = dup(fd)) >= 0)
		n++;
	assert_true(n < 1024);
	world_until(&w, w.server.troubles == 1);
	assert_text_has(w.server.trouble, "accept: Too many open files; trying again every");
	while (n > 0)
		close(hoard[--n]);
	world_until(&w, w.server.troubles == 2);
	assert_string_equal(w.server.trouble, "accept: working again");
	assert_int_equal(channel_loop_count(w.server_loop), 1);
	close(fd);
	setrlimit(RLIMIT_NOFILE, &before);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_bye_is_heard_on_both_sides),
		cmocka_unit_test(a_good_bye_flushes_first),
		cmocka_unit_test(a_good_bye_that_nobody_takes_has_a_deadline),
		cmocka_unit_test(a_reset_is_a_disconnect),
		cmocka_unit_test(what_came_before_a_reset_is_heard),
		cmocka_unit_test(an_end_without_good_bye_is_a_disconnect),
		cmocka_unit_test(broken_input_ends_with_a_last_word),
		cmocka_unit_test(silence_has_a_deadline),
		cmocka_unit_test(noise_is_no_handshake),
		cmocka_unit_test(certificate_version_and_protocol_are_required),
		cmocka_unit_test(the_zoo_is_refused_with_the_right_words),
		cmocka_unit_test(the_client_judges_the_hub_too),
		cmocka_unit_test(a_reload_concerns_new_connections_and_a_recheck_the_old),
		cmocka_unit_test(an_address_where_nobody_listens),
		cmocka_unit_test(each_address_of_a_name_is_tried),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(an_address_in_use_is_told),
		cmocka_unit_test(handshakes_under_way_are_limited),
		cmocka_unit_test(channels_in_all_are_limited),
		cmocka_unit_test(without_descriptors_the_listener_waits),
	};

	return cmocka_run_group_tests_name("channel_end", tests, world_certs_make,
					   world_certs_remove);
}
