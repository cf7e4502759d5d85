/* A journal that can't be used, or not for a while: the hub says why and does not start, or waits
 * and refuses; nothing that was receipted is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "broker/audit.h"
#include "broker/journal/journal.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

enum {
	NOT_ITS_JOURNAL = 5, /* exit code */
	NARRATIVE_BYTES = 60 * 1024,
	FLOOD = 400, /* 24 MB: more than the disk has */
};

static struct hub hub;
static bool is_mounted;

static int start(void **state)
{
	(void)state;
	is_mounted = false;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (hub.pid > 0)
		hub_kill(&hub);
	if (is_mounted)
		(void)hub_run(&hub, "umount %s/disk", hub.folder);
	hub_remove(&hub);
	return 0;
}

/* A journal with something in it. */
static void run_once(void)
{
	struct peer *from;
	struct message m;

	hub_start(&hub);
	from = peer_connect(&hub, "town-ps");
	message_service_report(&m, "town-aid", NULL, "원래 내용");
	(void)peer_receipt(from, peer_submit(from, &m.referral));
	peer_close(from);
	assert_int_equal(hub_stop(&hub), 0);
}

static void change_journal(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(hub.journal, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void expect_no_start(const char *why)
{
	assert_int_equal(hub_start_and_end(&hub), NOT_ITS_JOURNAL);
	if (!hub_logged(&hub, why))
		fail_msg("the log doesn't say '%s': %s", why, hub.log);
	assert_false(hub_logged(&hub, "event=ready"));
}

/* ---- it does not start ---- */

static void a_drill_and_real_work_are_not_mixed(void **state)
{
	(void)state;
	run_once();
	hub.drill = true;
	expect_no_start("JOURNAL_DRILL");
	hub.drill = false;
	hub_start(&hub);
	assert_int_equal(hub_stop(&hub), 0);
	/* Nor the other way round. */
	assert_int_equal(hub_run(&hub, "rm %s*", hub.journal), 0);
	hub.drill = true;
	run_once();
	hub.drill = false;
	expect_no_start("JOURNAL_DRILL");
}

static void a_newer_schema_is_left_alone(void **state)
{
	(void)state;
	run_once();
	change_journal("PRAGMA user_version = 99");
	expect_no_start("use a newer ieum");
	change_journal("PRAGMA user_version = 1");
	hub_start(&hub);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

static void a_file_that_is_no_journal(void **state)
{
	(void)state;
	change_journal("CREATE TABLE other(x)");
	expect_no_start("is not an ieum journal");
}

static void an_event_that_was_changed_behind_its_back(void **state)
{
	struct audit_options options = { .earlier_size = 0 };
	struct audit a;

	(void)state;
	run_once();
	change_journal("DROP TRIGGER event_kept;"
		       "UPDATE event SET kept = (SELECT kept FROM event WHERE seq = 1)"
		       " WHERE seq = 2");
	assert_int_equal(audit_run(hub.journal, &options, &a), IEUM_E_OK);
	assert_false(a.sound);
	assert_true(a.mismatch_seq >= 2);
	audit_release(&a);
}

/* ---- it waits ---- */

/* 8 MiB of it; false where mounting isn't permitted. */
static bool use_small_disk(void)
{
	char path[HUB_PATH_BYTES + 16];

	snprintf(path, sizeof(path), "%s/disk", hub.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	if (mount("tmpfs", path, "tmpfs", 0, "size=8m,mode=0700"))
		return false;
	is_mounted = true;
	snprintf(hub.journal, sizeof(hub.journal), "%.200s/disk/journal.db", hub.folder);
	assert_int_equal(hub_run(&hub, "sed -i 's,path: journal.db,path: disk/journal.db,' %s",
				 hub.config),
			 0);
	return true;
}

struct flood {
	uint64_t request_id[FLOOD];
	uint8_t id[FLOOD][16];
	uint64_t number[FLOOD]; /* 0: no receipt */
	int n, receipts;
};

/* Everything that the hub had to say before is here then, an Error too. */
static void await_pong(struct peer *p)
{
	Ieum__V1__Ping ping = IEUM__V1__PING__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	frame.what_case = IEUM__V1__FRAME__WHAT_PING;
	frame.ping = &ping;
	assert_int_equal(peer_answer(p, peer_send(p, &frame))->what_case,
			 IEUM__V1__FRAME__WHAT_PONG);
}

/* Submits until the disk is full. */
static void flood(struct peer *from, struct flood *f)
{
	static char text[NARRATIVE_BYTES + 1];

	memset(text, 'f', NARRATIVE_BYTES);
	for (f->n = 0; !hub_logged(&hub, "event=journal_stalled"); f->n++) {
		struct message m;

		assert_true(f->n < FLOOD);
		message_service_report(&m, "town-aid", NULL, text);
		memcpy(f->id[f->n], m.id, sizeof(m.id));
		f->request_id[f->n] = peer_submit(from, &m.referral);
		await_pong(from);
	}
}

/* Every receipt that is here already. */
static void take_receipts(struct peer *from, struct flood *f)
{
	await_pong(from);
	while (peer_has(from, IEUM__V1__FRAME__WHAT_RECEIPT)) {
		const Ieum__V1__Frame *frame = peer_expect(from, IEUM__V1__FRAME__WHAT_RECEIPT);

		for (int i = 0; i < f->n; i++)
			if (f->request_id[i] == frame->request_id)
				f->number[i] = frame->receipt->journal_number;
		f->receipts++;
	}
}

static void killed_while_the_disk_is_full_it_keeps_what_was_receipted(void **state)
{
	static struct flood f;
	Ieum__V1__WhoamiQuery whoami = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__CasesQuery cases = IEUM__V1__CASES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	struct peer *from, *to;
	struct message m;

	(void)state;
	if (!use_small_disk()) {
		print_message("skipped: mounting a tmpfs is not permitted here\n");
		skip();
	}
	hub_start(&hub);
	from = peer_connect(&hub, "town-ps");
	to = peer_connect(&hub, "town-aid");
	flood(from, &f);
	take_receipts(from, &f);
	assert_true(f.receipts > 0 && f.receipts < f.n);
	/* Nothing is recorded now, so nothing is taken and nothing read; the rest goes on. */
	message_service_report(&m, "town-aid", NULL, NULL);
	assert_true(
		peer_refused(to, peer_submit(to, &m.referral), IEUM_E_UNAVAILABLE)->retry_after_ms >
		0);
	query.what_case = IEUM__V1__QUERY__WHAT_CASES;
	query.cases = &cases;
	(void)peer_refused(to, peer_query(to, &query), IEUM_E_UNAVAILABLE);
	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &whoami;
	assert_string_equal(peer_result(to, &query)->whoami->participant, "town-aid");
	peer_credit(to, 1);
	peer_ping(to);
	assert_false(peer_has(to, IEUM__V1__FRAME__WHAT_DELIVERY));
	hub_kill(&hub);
	peer_drop(from);
	peer_drop(to);
	/* With room again it starts, and the receipts are as they were. */
	assert_int_equal(hub_run(&hub, "mount -o remount,size=64m %s/disk", hub.folder), 0);
	hub_start(&hub);
	to = peer_connect(&hub, "town-aid");
	peer_credit(to, 1);
	for (int i = 0; i < f.n; i++) {
		const Ieum__V1__Delivery *d;

		if (!f.number[i])
			continue;
		d = peer_delivery(to);
		assert_memory_equal(d->referral->envelope->message_id.data, f.id[i], 16);
		assert_int_equal(d->journal_number, f.number[i]);
		peer_settle(to, d->delivery_id);
	}
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_drill_and_real_work_are_not_mixed),
		TEST(a_newer_schema_is_left_alone),
		TEST(a_file_that_is_no_journal),
		TEST(an_event_that_was_changed_behind_its_back),
		TEST(killed_while_the_disk_is_full_it_keeps_what_was_receipted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
