/* What rests on state waits for its commit, and nothing overtakes the Welcome: the edges of a
 * session's life, where other files test its middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

enum { FRAMES_MAX_BYTES = 256 };

static struct hub hub;

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* A Pong rests on nothing and could leave at once; Welcome waits for the disk. */
static void nothing_overtakes_the_welcome(void **state)
{
	Ieum__V1__Hello hello = IEUM__V1__HELLO__INIT;
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	struct peer *p = peer_open(&hub, "participants/town-ps");
	char software[] = "impatient";
	struct buf bytes;

	(void)state;
	buf_init(&bytes, FRAMES_MAX_BYTES);
	hello.version_min = hello.version_max = 1;
	hello.software = software;
	frame.request_id = 1;
	frame.what_case = IEUM__V1__FRAME__WHAT_HELLO;
	frame.hello = &hello;
	assert_int_equal(codec_put(&bytes, &frame), IEUM_E_OK);
	frame.request_id = 2;
	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	assert_int_equal(codec_put(&bytes, &frame), IEUM_E_OK);
	peer_send_bytes(p, buf_bytes(&bytes), buf_len(&bytes));
	buf_release(&bytes);
	/* The first frame, whatever it is. */
	assert_int_equal(peer_expect(p, IEUM__V1__FRAME__WHAT__NOT_SET)->what_case,
			 IEUM__V1__FRAME__WHAT_WELCOME);
	assert_int_equal(peer_answer(p, 2)->what_case, IEUM__V1__FRAME__WHAT_PONG);
	peer_close(p);
}

/* Keeps the journal from committing, as a slow disk would. */
static sqlite3 *hold_journal(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(hub.journal, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, HUB_WAIT_S * 1000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* Whoever is told to go hears it only when it is on record that it had to. */
static void expect_held(struct peer *told, struct peer *other, enum ieum_err err, sqlite3 *journal)
{
	/* It rests on nothing, so it passes what waits: everything that could leave has left. */
	peer_ping(other);
	assert_false(peer_has(told, IEUM__V1__FRAME__WHAT_ERROR));
	sqlite3_close(journal);
	(void)peer_expect_error(told, err);
	(void)peer_await_close(told);
	peer_drop(told);
	peer_close(other);
}

static void a_reload_s_last_word_waits_for_the_record(void **state)
{
	struct peer *other = peer_connect(&hub, "town-ps");
	struct peer *told = peer_connect(&hub, "town-aid");
	sqlite3 *journal;

	(void)state;
	hub_revoke(&hub, "town-aid");
	journal = hold_journal();
	assert_true(hub_reload(&hub));
	expect_held(told, other, IEUM_E_CERTIFICATE_REVOKED, journal);
	assert_int_equal(record_refused(&hub, IEUM_E_CERTIFICATE_REVOKED, "reload", NULL), 1);
}

/* A certificate of this hub's authority, for a name that the running hub doesn't list. */
static void make_newcomer(void)
{
	assert_int_equal(hub_run(&hub,
				 "sed 's/^  town-op:.*/&\\n  newcomer: {kind: police, title: "
				 "{en: New, ko: 새경찰서}}/' %s >%s/other.yaml",
				 hub.hub_file, hub.folder),
			 0);
	assert_int_equal(
		hub_run(&hub, "%s/ieum-certs dev --hub-file %s/other.yaml --out %s >>%s/certs.log",
			hub_bin(), hub.folder, hub.certificates, hub.folder),
		0);
}

static void a_refusal_at_the_door_waits_for_the_record(void **state)
{
	struct peer *other = peer_connect(&hub, "town-ps");
	struct peer *told;
	sqlite3 *journal;

	(void)state;
	make_newcomer();
	journal = hold_journal();
	told = peer_open(&hub, "participants/newcomer");
	hub_await_log(&hub, "error=IDENTITY_UNKNOWN");
	expect_held(told, other, IEUM_E_IDENTITY_UNKNOWN, journal);
	assert_int_equal(record_refused(&hub, IEUM_E_IDENTITY_UNKNOWN, "connect", NULL), 1);
}

/* ---- payloads from the disk ---- */

enum {
	READERS = 36, /* with EACH together over JOURNAL_BATCH_READS_MAX */
	EACH = 128,
	READER_NAME_BYTES = 32,
};

static void reader_name(int i, char name[READER_NAME_BYTES])
{
	snprintf(name, READER_NAME_BYTES, "reader-%d", i);
}

static void make_readers(void)
{
	assert_int_equal(hub_run(&hub,
				 "for i in $(seq 0 %d); do sed -i \"s/^  town-op:.*/&\\n  "
				 "reader-$i: {kind: police, title: {en: Reader, ko: 읽는 곳}}/\" "
				 "%s; done",
				 READERS - 1, hub.hub_file),
			 0);
	assert_int_equal(hub_run(&hub, "%s/ieum-certs dev --hub-file %s --out %s >>%s/certs.log",
				 hub_bin(), hub.hub_file, hub.certificates, hub.folder),
			 0);
	assert_true(hub_reload(&hub));
}

/* For each reader; the cache of the new run holds nothing of it. */
static void leave_backlog(void)
{
	struct peer *from = peer_connect(&hub, "town-ps");
	struct message m;
	char name[READER_NAME_BYTES];
	uint64_t id = 0;

	for (int i = 0; i < READERS; i++) {
		reader_name(i, name);
		for (int n = 0; n < EACH; n++) {
			message_service_report(&m, name, NULL, "밀린 것");
			id = peer_submit(from, &m.referral);
		}
		(void)peer_receipt(from, id);
	}
	peer_close(from);
	hub_kill(&hub);
	hub_start(&hub);
}

/* Together they ask for more payloads than one batch reads back.  Whoever found no room must not be
 * forgotten. */
static void many_readers_share_what_is_read_back(void **state)
{
	struct peer *to[READERS];
	struct peer *from;
	struct message m;
	sqlite3 *journal;
	char name[READER_NAME_BYTES];

	(void)state;
	make_readers();
	leave_backlog();
	from = peer_connect(&hub, "town-ps");
	for (int i = 0; i < READERS; i++) {
		reader_name(i, name);
		to[i] = peer_connect(&hub, name);
	}
	/* A batch in flight, so that all the reading gathers in the next one. */
	journal = hold_journal();
	message_service_report(&m, "town-head", NULL, "그 다음");
	(void)peer_submit(from, &m.referral);
	peer_ping(from);
	for (int i = 0; i < READERS; i++) {
		peer_credit(to[i], EACH);
		peer_ping(to[i]);
	}
	sqlite3_close(journal);
	for (int i = 0; i < READERS; i++) {
		for (int d = 0; d < EACH; d++)
			(void)peer_delivery(to[i]);
		peer_close(to[i]);
	}
	peer_close(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_overtakes_the_welcome, start, end),
		cmocka_unit_test_setup_teardown(a_reload_s_last_word_waits_for_the_record, start,
						end),
		cmocka_unit_test_setup_teardown(a_refusal_at_the_door_waits_for_the_record, start,
						end),
		cmocka_unit_test_setup_teardown(many_readers_share_what_is_read_back, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
