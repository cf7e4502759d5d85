/* Who gets in, who is refused, and that both sides learn why: certificates, TLS, Hello. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "proto/codec.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"
#include "tests/integration/stranger.h"

static struct hub hub;

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	return 0;
}

static int start_impatient(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .config = "limits: { handshake_within: 300 ms }\n" });
	hub_start(&hub);
	return 0;
}

static int start_with_zoo(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	assert_int_equal(hub_run(&hub,
				 "%s/ieum-certs zoo --out %s/zoo --ca %s --hub town.ieum "
				 "--participant police/town-ps >>%s/certs.log 2>&1",
				 hub_bin(), hub.certificates, hub.certificates, hub.folder),
			 0);
	hub_start(&hub);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* The hub is there as before for those who may. */
static void expect_well(void)
{
	struct peer *p = peer_connect(&hub, "town-ps");

	peer_ping(p);
	peer_close(p);
}

/* ---- the zoo ---- */

/* The alert that the refused one sees; the words of the log are in zoo.tsv. */
static const char *alert_of(const char *name)
{
	static const struct {
		const char *name, *alert;
	} alerts[] = {
		{ "expired", "certificate expired" },
		{ "revoked", "certificate revoked" },
		{ "wrong-ca", "unknown CA" },
		{ "self-signed", "unknown CA" },
	};

	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (strcmp(alerts[i].name, name) == 0)
			return alerts[i].alert;
	return "certificate";
}

static void expect_refused_in_handshake(const char *certificate, const char *alert,
					const char *words)
{
	struct stranger *s = stranger_connect(&hub);
	const char *seen, *line;

	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = certificate, .alpn = "ieum/1" });
	seen = stranger_await_alert(s);
	if (!strstr(seen, alert))
		fail_msg("%s: expected alert '%s', got '%s'", certificate, alert, seen);
	line = hub_await_log(&hub, "event=tls_refused");
	if (!strstr(line, words) || !strstr(line, stranger_address(s)))
		fail_msg("%s: neither '%s' nor '%s' may be missing: %s", certificate, words,
			 stranger_address(s), line);
	stranger_end(s);
}

/* An Error for the whole connection, then its end, and the log knows who and why. */
static void expect_refused_by_hub(const char *certificate, enum ieum_err code)
{
	const char *name = ieum_error((int)code)->name;
	struct peer *p = peer_open(&hub, certificate);
	const Ieum__V1__Error *error = peer_expect_error(p, code);
	const char *line = hub_await_log(&hub, "event=refused");

	assert_string_equal(error->name, name);
	assert_true(error->text_ko[0] != '\0');
	assert_int_equal(peer_await_close(p), CHANNEL_CLOSE_PEER);
	if (!strstr(line, name) || !strstr(line, "address=127.0.0.1:") || !strstr(line, "spiffe:"))
		fail_msg("%s: %s", certificate, line);
	peer_drop(p);
}

static void each_of_the_zoo_is_refused_with_its_reason(void **state)
{
	char path[HUB_PATH_BYTES + 16], line[256];
	unsigned by_tls = 0, by_hub = 0;
	FILE *zoo;

	(void)state;
	snprintf(path, sizeof(path), "%s/zoo/zoo.tsv", hub.certificates);
	zoo = fopen(path, "r");
	assert_non_null(zoo);
	while (fgets(line, sizeof(line), zoo)) {
		char *save, *name = strtok_r(line, "\t\n", &save);
		char *by = name[0] == '#' ? NULL : strtok_r(NULL, "\t\n", &save);
		char *words = by ? strtok_r(NULL, "\t\n", &save) : NULL;
		char certificate[80];

		if (!words)
			continue; /* a comment, or "good" */
		snprintf(certificate, sizeof(certificate), "zoo/%s", name);
		if (strcmp(by, "tls") == 0) {
			expect_refused_in_handshake(certificate, alert_of(name), words);
			by_tls++;
		} else {
			assert_string_equal(words, "IDENTITY_UNKNOWN");
			expect_refused_by_hub(certificate, IEUM_E_IDENTITY_UNKNOWN);
			by_hub++;
		}
	}
	fclose(zoo);
	assert_int_equal(by_tls, 10);
	assert_int_equal(by_hub, 1);
	/* What fails before identity is known goes to the log only, the rest on record. */
	expect_well();
	assert_int_equal(record_refused(&hub, IEUM_E_IDENTITY_UNKNOWN, "connect", NULL), 1);
}

static void the_good_one_of_the_zoo_gets_in(void **state)
{
	struct peer *p = peer_open(&hub, "zoo/good");

	(void)state;
	peer_hello(p);
	assert_string_equal(peer_expect(p, IEUM__V1__FRAME__WHAT_WELCOME)->welcome->participant,
			    "town-ps");
	peer_close(p);
}

/* ---- identity ---- */

static void who_is_not_listed_is_told_so(void **state)
{
	(void)state;
	/* A good certificate for somebody of whom the hub's file doesn't know. */
	assert_int_equal(
		hub_run(&hub,
			"sed 's/^  town-op:.*/&\\n  newcomer: {kind: police, title: {en: N, ko: 새}}/' "
			"%s >%s/more.yaml && %s/ieum-certs dev --hub-file %s/more.yaml --out %s "
			">>%s/certs.log 2>&1",
			hub.hub_file, hub.folder, hub_bin(), hub.folder, hub.certificates,
			hub.folder),
		0);
	expect_refused_by_hub("participants/newcomer", IEUM_E_IDENTITY_UNKNOWN);
	expect_refused_by_hub("participants/newcomer", IEUM_E_IDENTITY_UNKNOWN);
	expect_well();
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(record_refused(&hub, IEUM_E_IDENTITY_UNKNOWN, "connect", NULL), 2);
}

static void a_listed_name_of_another_kind_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(hub_run(&hub,
				 "%s/ieum-certs zoo --out %s/odd --ca %s --hub town.ieum "
				 "--participant city_division/town-ps >>%s/certs.log 2>&1",
				 hub_bin(), hub.certificates, hub.certificates, hub.folder),
			 0);
	expect_refused_by_hub("odd/good", IEUM_E_IDENTITY_UNKNOWN);
	expect_well();
}

static void a_certificate_that_ends_soon_is_told(void **state)
{
	const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	int64_t now_ms = (int64_t)time(NULL) * 1000, left_ms;
	const Ieum__V1__Welcome *w;
	struct peer *p;

	(void)state;
	assert_int_equal(hub_run(&hub,
				 "%s/ieum-certs dev --hub-file %s --out %s --days 10 "
				 "--actor town-ps=night-desk >>%s/certs.log 2>&1",
				 hub_bin(), hub.hub_file, hub.certificates, hub.folder),
			 0);
	p = peer_connect(&hub, "town-ps.night-desk");
	w = peer_welcome(p);
	assert_string_equal(w->participant, "town-ps");
	assert_string_equal(w->actor, "night-desk");
	left_ms = w->certificate_ends_at_ms - now_ms;
	assert_true(left_ms > 9 * day_ms && left_ms < 11 * day_ms);
	peer_close(p);
	/* One of a year is not worth a word. */
	p = peer_connect(&hub, "town-ps");
	assert_int_equal(peer_welcome(p)->certificate_ends_at_ms, 0);
	peer_close(p);
}

/* ---- below the protocol ---- */

static void plain_tcp_is_no_connection(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
	struct stranger *s = stranger_connect(&hub);
	const char *line;

	(void)state;
	stranger_send(s, text, sizeof(text) - 1);
	stranger_await_end(s);
	line = hub_await_log(&hub, "event=tls_refused");
	assert_non_null(strstr(line, stranger_address(s)));
	assert_non_null(strstr(line, "http request"));
	stranger_end(s);
	expect_well();
}

static void tls_1_2_is_refused(void **state)
{
	struct stranger *s = stranger_connect(&hub);
	const char *line;

	(void)state;
	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-ps",
						   .max_version = TLS1_2_VERSION,
						   .alpn = "ieum/1" });
	assert_string_equal(stranger_await_alert(s), "protocol version");
	line = hub_await_log(&hub, "event=tls_refused");
	assert_non_null(strstr(line, stranger_address(s)));
	assert_non_null(strstr(line, "unsupported protocol"));
	stranger_end(s);
	expect_well();
}

static void another_alpn_is_refused(void **state)
{
	struct stranger *s = stranger_connect(&hub);
	const char *line;

	(void)state;
	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-ps",
						   .alpn = "h2" });
	assert_string_equal(stranger_await_alert(s), "no application protocol");
	line = hub_await_log(&hub, "event=tls_refused");
	assert_non_null(strstr(line, stranger_address(s)));
	stranger_end(s);
	expect_well();
}

static void no_alpn_is_accepted(void **state)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct stranger *s = stranger_connect(&hub);
	struct buf out;

	(void)state;
	stranger_begin_tls(s, &hub,
			   &(struct stranger_tls){ .certificate = "participants/town-ps" });
	stranger_handshake(s);
	hello.version_min = hello.version_max = 1;
	frame.request_id = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	buf_init(&out, 4096);
	assert_int_equal(codec_put(&out, &frame), IEUM_E_OK);
	stranger_ask(s, buf_bytes(&out), buf_len(&out));
	buf_release(&out);
	hub_await_log(&hub, "event=connected");
	stranger_end(s);
}

/* ---- deadlines ---- */

static void who_says_nothing_is_dropped(void **state)
{
	struct stranger *s = stranger_connect(&hub);
	const char *line;

	(void)state;
	stranger_await_end(s);
	line = hub_await_log(&hub, "event=tls_refused");
	assert_non_null(strstr(line, "handshake_timeout"));
	assert_non_null(strstr(line, stranger_address(s)));
	stranger_end(s);
	expect_well();
}

static void who_says_no_hello_is_dropped(void **state)
{
	struct peer *p = peer_open(&hub, "participants/town-ps");
	const Ieum__V1__Error *error = peer_expect_error(p, IEUM_E_TIMED_OUT);

	(void)state;
	assert_int_equal(error->code, IEUM_E_TIMED_OUT);
	(void)peer_await_close(p);
	peer_drop(p);
	expect_well();
}

/* ---- Hello ---- */

static void something_else_than_hello_first(void **state)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct peer *p = peer_open(&hub, "participants/town-ps");

	(void)state;
	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	peer_send(p, &frame);
	(void)peer_expect_error(p, IEUM_E_FRAME_UNEXPECTED);
	(void)peer_await_close(p);
	peer_drop(p);
	expect_well();
}

static void hello_twice(void **state)
{
	struct peer *p = peer_connect(&hub, "town-ps");

	(void)state;
	peer_hello(p);
	(void)peer_expect_error(p, IEUM_E_FRAME_UNEXPECTED);
	(void)peer_await_close(p);
	peer_drop(p);
	expect_well();
}

static void a_request_id_that_does_not_rise(void **state)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct peer *p = peer_connect(&hub, "town-ps");

	(void)state;
	peer_ping(p);
	frame.request_id = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	peer_send(p, &frame);
	(void)peer_expect_error(p, IEUM_E_FRAME_UNEXPECTED);
	(void)peer_await_close(p);
	peer_drop(p);
}

static void a_version_that_is_not_spoken(void **state)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct peer *p = peer_open(&hub, "participants/town-ps");
	const char *line;

	(void)state;
	hello.version_min = 2;
	hello.version_max = 9;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	peer_send(p, &frame);
	(void)peer_expect_error(p, IEUM_E_VERSION_UNSUPPORTED);
	(void)peer_await_close(p);
	line = hub_await_log(&hub, "event=refused");
	assert_non_null(strstr(line, "VERSION_UNSUPPORTED"));
	peer_drop(p);
	/* A range that holds version 1 is fine. */
	p = peer_open(&hub, "participants/town-ps");
	hello.version_min = 1;
	frame.request_id = 0;
	peer_send(p, &frame);
	assert_int_equal(peer_expect(p, IEUM__V1__FRAME__WHAT_WELCOME)->welcome->version, 1);
	peer_close(p);
	assert_int_equal(record_refused(&hub, IEUM_E_VERSION_UNSUPPORTED, "hello", NULL), 1);
}

static void bytes_that_are_no_frame(void **state)
{
	/* A length, then what protobuf can't read. */
	static const uint8_t malformed[] = { 4, 0xff, 0xff, 0xff, 0xff };
	struct peer *p = peer_open(&hub, "participants/town-ps");

	(void)state;
	peer_send_bytes(p, malformed, sizeof(malformed));
	(void)peer_expect_error(p, IEUM_E_FRAME_MALFORMED);
	(void)peer_await_close(p);
	peer_drop(p);
	/* After Hello the connection survives: the frame's borders were right. */
	p = peer_connect(&hub, "town-ps");
	peer_send_bytes(p, malformed, sizeof(malformed));
	(void)peer_expect_error(p, IEUM_E_FRAME_MALFORMED);
	peer_ping(p);
	peer_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_of_the_zoo_is_refused_with_its_reason,
						start_with_zoo, end),
		cmocka_unit_test_setup_teardown(the_good_one_of_the_zoo_gets_in, start_with_zoo,
						end),
		cmocka_unit_test_setup_teardown(who_is_not_listed_is_told_so, start, end),
		cmocka_unit_test_setup_teardown(a_listed_name_of_another_kind_is_unknown, start,
						end),
		cmocka_unit_test_setup_teardown(a_certificate_that_ends_soon_is_told, start, end),
		cmocka_unit_test_setup_teardown(plain_tcp_is_no_connection, start, end),
		cmocka_unit_test_setup_teardown(tls_1_2_is_refused, start, end),
		cmocka_unit_test_setup_teardown(another_alpn_is_refused, start, end),
		cmocka_unit_test_setup_teardown(no_alpn_is_accepted, start, end),
		cmocka_unit_test_setup_teardown(who_says_nothing_is_dropped, start_impatient, end),
		cmocka_unit_test_setup_teardown(who_says_no_hello_is_dropped, start_impatient, end),
		cmocka_unit_test_setup_teardown(something_else_than_hello_first, start, end),
		cmocka_unit_test_setup_teardown(hello_twice, start, end),
		cmocka_unit_test_setup_teardown(a_request_id_that_does_not_rise, start, end),
		cmocka_unit_test_setup_teardown(a_version_that_is_not_spoken, start, end),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_frame, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
