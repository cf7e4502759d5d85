/* ieumd itself: --check, reload, limits, slow readers, payloads read back, snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"

static struct hub hub;

static void start_with(const char *config)
{
	hub_make(&hub, &(struct hub_options){ .config = config });
	hub_start(&hub);
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* ---- --check ---- */

static int check(const char *expected)
{
	char path[HUB_PATH_BYTES + 16];
	char text[8192] = "";
	int code = hub_run(&hub, "%s/ieumd --config %s --check >%s/check.txt 2>&1", hub_bin(),
			   hub.config, hub.folder);
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/check.txt", hub.folder);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	if (!strstr(text, expected))
		fail_msg("expected \"%s\" in: %s", expected, text);
	return code;
}

/* `until` as the shell expands it. */
static void make_list(const char *until)
{
	assert_int_equal(hub_run(&hub, "%s/ieum-certs crl --out %s --until %s >>%s/certs.log 2>&1",
				 hub_bin(), hub.certificates, until, hub.folder),
			 0);
}

static void check_explains_every_mistake(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	assert_int_equal(check("no mistakes"), 0);
	assert_int_equal(hub_run(&hub, "sed -i 's/kind: police,/kind: polise,/' %s", hub.hub_file),
			 0);
	assert_int_equal(check("hub.yaml:"), 1);
	assert_int_equal(hub_start_and_end(&hub), 1);
	assert_int_equal(hub_run(&hub, "sed -i 's/kind: polise,/kind: police,/' %s", hub.hub_file),
			 0);
	assert_int_equal(check("no mistakes"), 0);
	/* No mistake of the file, but somebody should see to it. */
	assert_int_equal(
		hub_run(&hub,
			"sed -i 's/domains: \\[legal\\]/&, agreement: {until: 2026-01-31}/' %s",
			hub.hub_file),
		0);
	assert_int_equal(check("warning: the agreement of 'town-aid-2' has ended"), 0);
	/* A revocation list that ends while nobody looks; past its end it is a mistake. */
	make_list("$(date -u -d '30 hours 30 minutes' +%FT%TZ)");
	assert_int_equal(check("ieumd.yaml:2: warning: the revocation list ends in 30 hours"), 0);
	make_list("$(date -u -d '4 days' +%FT%TZ)");
	assert_int_equal(hub_run(&hub, "%s/ieumd --config %s --check 2>&1 | grep -q 'list ends'",
				 hub_bin(), hub.config),
			 1);
	/* Another one's key. */
	assert_int_equal(hub_run(&hub, "cp %s/participants/town-ps.key %s/hub.key",
				 hub.certificates, hub.certificates),
			 0);
	assert_int_equal(check("ieumd.yaml:2: "), 1);
	assert_int_equal(hub_run(&hub, "echo 'limit: 3' >>%s", hub.config), 0);
	assert_int_equal(check("unknown key 'limit'"), 1);
	/* All of them in one go: the file's own, the hub file's, the certificate's. */
	assert_int_equal(hub_run(&hub, "echo 'cache: loud' >>%s", hub.config), 0);
	assert_int_equal(hub_run(&hub, "sed -i 's/kind: police,/kind: polise,/' %s", hub.hub_file),
			 0);
	assert_int_equal(check("unknown key 'limit'"), 1);
	assert_int_equal(check("'loud'"), 1);
	assert_int_equal(check("hub.yaml:"), 1);
	assert_int_equal(check("ieumd.yaml:2: "), 1);
	assert_int_equal(hub_run(&hub, "%s/ieumd --help >/dev/null", hub_bin()), 0);
	assert_int_equal(hub_run(&hub, "%s/ieumd --version >/dev/null", hub_bin()), 0);
	assert_int_equal(hub_run(&hub, "%s/ieumd --frobnicate 2>/dev/null", hub_bin()), 2);
	assert_int_equal(hub_run(&hub, "%s/ieumd 2>/dev/null", hub_bin()), 2);
}

static void a_second_daemon_on_the_same_journal_does_not_start(void **state)
{
	(void)state;
	start_with(NULL);
	assert_int_equal(hub_run(&hub,
				 "sed 's/^listen: .*/listen: 127.0.0.1:0/' %s >%s/second.yaml",
				 hub.config, hub.folder),
			 0);
	assert_int_equal(hub_run(&hub, "%s/ieumd --config %s/second.yaml 2>%s/second.log",
				 hub_bin(), hub.folder, hub.folder),
			 3);
	assert_int_equal(hub_run(&hub, "grep -q JOURNAL_LOCKED %s/second.log", hub.folder), 0);
}

/* ---- reload ---- */

static void a_reload_is_all_or_nothing(void **state)
{
	struct peer *p;
	struct message m;

	(void)state;
	start_with(NULL);
	p = peer_connect(&hub, "town-ps");
	assert_int_equal(hub_run(&hub, "cp %s %s/good.yaml && echo 'nonsense: 1' >>%s",
				 hub.hub_file, hub.folder, hub.hub_file),
			 0);
	assert_false(hub_reload(&hub));
	message_service_report(&m, "town-aid", NULL, NULL);
	(void)peer_receipt(p, peer_submit(p, &m.referral));
	/* A good hub file beside a certificate that can't be read: nothing of either is taken. */
	assert_int_equal(
		hub_run(&hub,
			"sed '/town-aid-2: /d; s/, town-aid-2\\]/]/; s/\\[care, legal\\]/[care]/' "
			"%s/good.yaml >%s && mv %s/hub.crt %s/hub.crt.away",
			hub.folder, hub.hub_file, hub.certificates, hub.certificates),
		0);
	assert_false(hub_reload(&hub));
	peer_close(peer_connect(&hub, "town-aid-2"));
	assert_int_equal(hub_run(&hub, "mv %s/hub.crt.away %s/hub.crt", hub.certificates,
				 hub.certificates),
			 0);
	assert_true(hub_reload(&hub));
	peer_ping(p);
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
}

static void whoever_is_no_longer_listed_is_told_and_closed(void **state)
{
	struct peer *stays, *goes;

	(void)state;
	start_with(NULL);
	stays = peer_connect(&hub, "town-ps");
	goes = peer_connect(&hub, "town-aid-2");
	assert_int_equal(
		hub_run(&hub,
			"sed -i '/town-aid-2: /d; s/, town-aid-2\\]/]/; s/\\[care, legal\\]/[care]/' %s",
			hub.hub_file),
		0);
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(goes, IEUM_E_IDENTITY_UNKNOWN);
	(void)peer_await_close(goes);
	peer_drop(goes);
	peer_ping(stays);
	/* And it doesn't come in again. */
	goes = peer_open(&hub, "participants/town-aid-2");
	(void)peer_expect_error(goes, IEUM_E_IDENTITY_UNKNOWN);
	(void)peer_await_close(goes);
	peer_drop(goes);
	peer_close(stays);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_revoked_certificate_ends_open_sessions(void **state)
{
	struct peer *stays, *goes;

	(void)state;
	start_with(NULL);
	stays = peer_connect(&hub, "town-ps");
	goes = peer_connect(&hub, "town-aid");
	hub_revoke(&hub, "town-aid");
	peer_ping(goes);
	assert_true(hub_reload(&hub));
	(void)peer_expect_error(goes, IEUM_E_CERTIFICATE_REVOKED);
	(void)peer_await_close(goes);
	peer_drop(goes);
	peer_ping(stays);
	goes = peer_open(&hub, "participants/town-aid");
	assert_int_equal(peer_await_close(goes), CHANNEL_CLOSE_REFUSED_BY_PEER);
	peer_drop(goes);
	hub_await_log(&hub, "event=tls_refused");
	peer_close(stays);
	assert_int_equal(hub_stop(&hub), 0);
}

/* ---- limits ---- */

static void limits_are_told(void **state)
{
	static char narrative[80 * 1024];
	struct peer *p[3];
	struct message m;

	(void)state;
	start_with("limits:\n"
		   "  payload: 64 KiB\n"
		   "  frame: 128 KiB\n"
		   "  unsettled_deliveries: 10\n"
		   "  connections_per_participant: 2\n");
	p[0] = peer_connect(&hub, "town-ps");
	p[1] = peer_connect(&hub, "town-ps");
	p[2] = peer_open(&hub, "participants/town-ps");
	assert_true(peer_expect_error(p[2], IEUM_E_TOO_MANY_CONNECTIONS)->text_ko[0]);
	(void)peer_await_close(p[2]);
	peer_drop(p[2]);
	peer_credit(p[0], 11);
	(void)peer_expect_error(p[0], IEUM_E_CREDIT_TOO_LARGE);
	memset(narrative, 'n', sizeof(narrative) - 1);
	message_service_report(&m, "town-aid", NULL, narrative);
	peer_submit(p[0], &m.referral);
	(void)peer_expect_error(p[0], IEUM_E_FIELD_TOO_LARGE);
	/* The connection goes on. */
	message_service_report(&m, "town-aid", NULL, NULL);
	(void)peer_receipt(p[0], peer_submit(p[0], &m.referral));
	/* Over the frame limit it can't. */
	peer_send_bytes(p[1], "\xff\xff\xff\x7f", 4);
	(void)peer_expect_error(p[1], IEUM_E_FRAME_TOO_LARGE);
	(void)peer_await_close(p[1]);
	peer_drop(p[1]);
	peer_close(p[0]);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_rate_is_kept_with_a_hint(void **state)
{
	enum { SENT = 50 };
	struct peer *p;
	struct message m;
	int refused = 0;
	uint64_t ids[SENT];

	(void)state;
	start_with("limits: { rate_per_participant: 10 }\n");
	p = peer_connect(&hub, "town-ps");
	for (int i = 0; i < SENT; i++) {
		message_service_report(&m, "town-aid", NULL, NULL);
		ids[i] = peer_submit(p, &m.referral);
	}
	for (int i = 0; i < SENT; i++) {
		const Ieum__V1__Frame *frame = peer_answer(p, ids[i]);

		if (frame->what_case != IEUM__V1__FRAME__WHAT_ERROR)
			continue;
		assert_int_equal(frame->error->code, IEUM_E_RATE_LIMITED);
		assert_in_range(frame->error->retry_after_ms, 1, 1000);
		refused++;
	}
	assert_in_range(refused, 20, SENT - 10);
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
}

static void frames_out_of_turn_are_refused(void **state)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct peer *p;

	(void)state;
	start_with(NULL);
	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	/* Before Hello. */
	p = peer_open(&hub, "participants/town-ps");
	peer_send(p, &frame);
	(void)peer_expect_error(p, IEUM_E_FRAME_UNEXPECTED);
	(void)peer_await_close(p);
	peer_drop(p);
	/* With a request id that was there before. */
	p = peer_connect(&hub, "town-ps");
	frame.request_id = 1;
	peer_send(p, &frame);
	(void)peer_expect_error(p, IEUM_E_FRAME_UNEXPECTED);
	(void)peer_await_close(p);
	peer_drop(p);
	assert_int_equal(hub_stop(&hub), 0);
}

static void who_says_nothing_is_dropped(void **state)
{
	struct peer *silent, *idle;

	(void)state;
	start_with("limits: { handshake_within: 1 s, idle_after: 1 s }\n");
	silent = peer_open(&hub, "participants/town-ps");
	idle = peer_connect(&hub, "town-aid");
	(void)peer_expect_error(silent, IEUM_E_TIMED_OUT);
	(void)peer_await_close(silent);
	(void)peer_expect_error(idle, IEUM_E_TIMED_OUT);
	(void)peer_await_close(idle);
	peer_drop(silent);
	peer_drop(idle);
	assert_int_equal(hub_stop(&hub), 0);
}

/* ---- large and slow ---- */

enum { LARGE = 500 * 1024, LARGES = 40 };

/* A narrative that tells which one it is. */
static const char *large(int i)
{
	static char text[LARGE + 1];

	memset(text, 'a' + i % 26, LARGE);
	text[0] = (char)('A' + i / 26);
	return text;
}

static void submit_larges(void)
{
	struct peer *from = peer_connect(&hub, "town-ps");

	for (int i = 0; i < LARGES; i++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, large(i));
		(void)peer_receipt(from, peer_submit(from, &m.referral));
	}
	peer_close(from);
}

static void expect_large(struct peer *to, int i)
{
	const Ieum__V1__Delivery *d = peer_delivery(to);
	const Ieum__V1__NarrativePart *part = d->referral->narrative[0];

	assert_int_equal(part->clear.len, LARGE);
	assert_memory_equal(part->clear.data, large(i), LARGE);
	peer_settle(to, d->delivery_id);
}

static void payloads_come_back_from_the_journal(void **state)
{
	struct peer *to;

	(void)state;
	/* Twenty megabytes through a cache of eight. */
	start_with("cache: 8 MiB\n");
	submit_larges();
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 4);
	for (int i = 0; i < LARGES / 2; i++)
		expect_large(to, i);
	/* After a restart nothing is cached. */
	hub_kill(&hub);
	peer_drop(to);
	hub_start(&hub);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 1000);
	for (int i = LARGES / 2; i < LARGES; i++)
		expect_large(to, i);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_slow_reader_is_dropped_and_harms_nobody(void **state)
{
	struct peer *slow, *other;
	struct message m;

	(void)state;
	start_with("limits: { out_buffer: 1 MiB, slow_after: 1 s }\n");
	slow = peer_connect(&hub, "town-aid");
	peer_credit(slow, 1000);
	peer_pause(slow);
	submit_larges();
	/* The other one is served meanwhile. */
	other = peer_connect(&hub, "town-head");
	peer_credit(other, 1);
	message_service_report(&m, "town-head", NULL, NULL);
	{
		struct peer *from = peer_connect(&hub, "town-ps");

		(void)peer_receipt(from, peer_submit(from, &m.referral));
		peer_close(from);
	}
	peer_settle(other, peer_delivery(other)->delivery_id);
	hub_await_log(&hub, "event=dropped");
	peer_drop(slow);
	/* Nothing is lost. */
	slow = peer_connect(&hub, "town-aid");
	peer_credit(slow, 2);
	for (int i = 0; i < LARGES; i++)
		expect_large(slow, i);
	peer_close(slow);
	peer_close(other);
	assert_int_equal(hub_stop(&hub), 0);
}

/* ---- reading and restarting ---- */

static const Ieum__V1__Result *query(struct peer *p, Ieum__V1__Query *query)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	const Ieum__V1__Frame *answer;

	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = query;
	answer = peer_answer(p, peer_send(p, &frame));
	if (answer->what_case == IEUM__V1__FRAME__WHAT_ERROR)
		fail_msg("%s: %s", answer->error->name, answer->error->detail);
	return answer->result;
}

static void a_referral_is_read_with_its_content(void **state)
{
	Ieum__V1__ReferralQuery referral = IEUM__V1__REFERRAL_QUERY__INIT;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__Query q = IEUM__V1__QUERY__INIT;
	const Ieum__V1__Result *r;
	struct message m;
	struct peer *p;

	(void)state;
	start_with(NULL);
	p = peer_connect(&hub, "town-ps");
	message_report(&m, "신고 내용");
	(void)peer_receipt(p, peer_submit(p, &m.referral));
	referral.message_id = m.envelope.message_id;
	q.what_case = IEUM__V1__QUERY__WHAT_REFERRAL;
	q.referral = &referral;
	for (int restart = 0; restart < 2; restart++) {
		r = query(p, &q);
		assert_string_equal(r->referral->sender, "town-ps");
		assert_int_equal(r->referral->n_tasks, 1);
		assert_memory_equal(r->referral->referral->narrative[0]->clear.data,
				    m.part.clear.data, m.part.clear.len);
		/* The second time the content isn't cached: it comes from the journal. */
		hub_kill(&hub);
		peer_drop(p);
		hub_start(&hub);
		p = peer_connect(&hub, "town-ps");
	}
	q.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	q.whoami = &whoami;
	assert_string_equal(query(p, &q)->whoami->participant, "town-ps");
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_snapshot_shortens_the_replay(void **state)
{
	struct peer *from, *to;
	struct message m[60];
	uint64_t snapshot = 0;

	(void)state;
	start_with("snapshot: { every_events: 50 }\n");
	from = peer_connect(&hub, "town-ps");
	for (int i = 0; i < 60; i++) {
		message_service_report(&m[i], "town-aid", NULL, "스냅샷");
		(void)peer_receipt(from, peer_submit(from, &m[i].referral));
	}
	hub_await_log(&hub, "event=snapshot ");
	hub_kill(&hub);
	peer_drop(from);
	hub_start(&hub);
	hub.mark = 0;
	snapshot = strtoul(strstr(hub_await_log(&hub, "event=replayed"), "snapshot_seq=") + 13,
			   NULL, 10);
	assert_true(snapshot > 0);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 100);
	for (int i = 0; i < 60; i++) {
		const Ieum__V1__Delivery *d = peer_delivery(to);

		assert_memory_equal(d->referral->envelope->message_id.data, m[i].id,
				    sizeof(m[i].id));
		peer_settle(to, d->delivery_id);
	}
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

static void json_logs_are_json(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .json_log = true });
	hub_start(&hub);
	assert_int_equal(hub.address[0], '1');
	assert_int_equal(hub_stop(&hub), 0);
	assert_true(hub_logged(&hub, "\"event\":\"stopped\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(check_explains_every_mistake, end),
		cmocka_unit_test_teardown(a_second_daemon_on_the_same_journal_does_not_start, end),
		cmocka_unit_test_teardown(a_reload_is_all_or_nothing, end),
		cmocka_unit_test_teardown(whoever_is_no_longer_listed_is_told_and_closed, end),
		cmocka_unit_test_teardown(a_revoked_certificate_ends_open_sessions, end),
		cmocka_unit_test_teardown(limits_are_told, end),
		cmocka_unit_test_teardown(a_rate_is_kept_with_a_hint, end),
		cmocka_unit_test_teardown(frames_out_of_turn_are_refused, end),
		cmocka_unit_test_teardown(who_says_nothing_is_dropped, end),
		cmocka_unit_test_teardown(payloads_come_back_from_the_journal, end),
		cmocka_unit_test_teardown(a_slow_reader_is_dropped_and_harms_nobody, end),
		cmocka_unit_test_teardown(a_referral_is_read_with_its_content, end),
		cmocka_unit_test_teardown(a_snapshot_shortens_the_replay, end),
		cmocka_unit_test_teardown(json_logs_are_json, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
