/* When there is too much, or the journal can't keep up, or can't be written: what was receipted
 * is kept, what can't be recorded is refused, and nothing hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/integration/hub.h"
#include "tests/integration/peer.h"

enum { NARRATIVE = 2000 };

static struct hub hub;
static bool mounted;

static int end(void **state)
{
	(void)state;
	if (hub.pid)
		hub_kill(&hub);
	if (mounted)
		(void)hub_run(&hub, "umount %s/disk", hub.folder);
	mounted = false;
	hub_remove(&hub);
	return 0;
}

static const char *narrative(void)
{
	static char text[NARRATIVE + 1];

	memset(text, 'n', NARRATIVE);
	return text;
}

/* What came back for a number of requests. */
struct tally {
	int receipts;
	int refused;
};

/* Submits n messages without waiting, then takes every answer; refusals must be `code`. */
static struct tally flood(struct peer *p, int n, enum ieum_err code)
{
	uint64_t *ids = calloc((size_t)n, sizeof(*ids));
	struct tally t = { 0 };

	assert_non_null(ids);
	for (int i = 0; i < n; i++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, narrative());
		ids[i] = peer_submit(p, &m.referral);
	}
	for (int i = 0; i < n; i++) {
		const Ieum__V1__Frame *answer = peer_answer(p, ids[i]);

		if (answer->what_case == IEUM__V1__FRAME__WHAT_RECEIPT) {
			t.receipts++;
			continue;
		}
		assert_int_equal(answer->what_case, IEUM__V1__FRAME__WHAT_ERROR);
		assert_int_equal(answer->error->code, code);
		assert_true(answer->error->retry_after_ms > 0);
		t.refused++;
	}
	free(ids);
	return t;
}

static void take(struct peer *to, int n)
{
	peer_credit(to, 100);
	for (int i = 0; i < n; i++)
		peer_settle(to, peer_delivery(to)->delivery_id);
	peer_ping(to);
	assert_false(peer_has(to, IEUM__V1__FRAME__WHAT_DELIVERY));
}

static void too_many_outstanding_requests_are_refused(void **state)
{
	struct peer *p, *to;
	struct tally t;

	(void)state;
	hub_make(&hub, &(struct hub_options){ .config = "limits: { outstanding_requests: 5 }\n" });
	hub_start(&hub);
	p = peer_connect(&hub, "town-ps");
	assert_int_equal(peer_welcome(p)->limits->outstanding_requests, 5);
	/* All of them are sent before the first answer is read. */
	peer_pause(p);
	hub_signal(&hub, SIGSTOP);
	for (int i = 0; i < 20; i++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, NULL);
		peer_submit(p, &m.referral);
	}
	hub_signal(&hub, SIGCONT);
	peer_resume(p);
	t = (struct tally){ 0 };
	for (uint64_t id = 2; id < 22; id++) {
		const Ieum__V1__Frame *answer = peer_answer(p, id);

		if (answer->what_case == IEUM__V1__FRAME__WHAT_ERROR)
			assert_int_equal(answer->error->code, IEUM_E_TOO_MANY_REQUESTS);
		t.receipts += answer->what_case == IEUM__V1__FRAME__WHAT_RECEIPT;
		t.refused += answer->what_case == IEUM__V1__FRAME__WHAT_ERROR;
	}
	assert_true(t.receipts >= 5);
	assert_true(t.refused > 0);
	to = peer_connect(&hub, "town-aid");
	take(to, t.receipts);
	peer_close(to);
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_journal_that_lags_holds_submitters_back(void **state)
{
	enum { SENT = 3000 };
	struct peer *p, *to;
	struct tally t;

	(void)state;
	hub_make(&hub, &(struct hub_options){ .config = "limits: { journal_pending: 64 KiB, "
							"outstanding_requests: 65536 }\n" });
	hub_start(&hub);
	p = peer_connect(&hub, "town-ps");
	t = flood(p, SENT, IEUM_E_UNAVAILABLE);
	assert_int_equal(t.receipts, SENT);
	to = peer_connect(&hub, "town-aid");
	take(to, SENT);
	peer_close(p);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

static void a_failed_write_ends_it_without_a_receipt(void **state)
{
	struct rlimit tight, before;
	struct message kept, lost;
	const Ieum__V1__Receipt *receipt;
	struct peer *p;

	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	p = peer_connect(&hub, "town-ps");
	message_service_report(&kept, "town-aid", NULL, NULL);
	(void)peer_receipt(p, peer_submit(p, &kept.referral));
	assert_int_equal(prlimit(hub.pid, RLIMIT_FSIZE, NULL, &before), 0);
	tight = (struct rlimit){ 4096, before.rlim_max };
	assert_int_equal(prlimit(hub.pid, RLIMIT_FSIZE, &tight, NULL), 0);
	message_service_report(&lost, "town-aid", NULL, NULL);
	peer_submit(p, &lost.referral);
	(void)peer_await_close(p);
	assert_false(peer_has(p, IEUM__V1__FRAME__WHAT_RECEIPT));
	peer_drop(p);
	assert_int_equal(hub_await_end(&hub), 4);
	assert_true(hub_logged(&hub, "event=failed"));
	hub_start(&hub);
	p = peer_connect(&hub, "town-ps");
	receipt = peer_receipt(p, peer_submit(p, &kept.referral));
	assert_true(receipt->repeated);
	receipt = peer_receipt(p, peer_submit(p, &lost.referral));
	assert_false(receipt->repeated);
	peer_close(p);
	assert_int_equal(hub_stop(&hub), 0);
}

/* ---- a full disk ---- */

static bool mount_small_disk(void)
{
	char disk[HUB_PATH_BYTES + 8];

	snprintf(disk, sizeof(disk), "%s/disk", hub.folder);
	assert_int_equal(mkdir(disk, 0700), 0);
	mounted = mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0;
	return mounted;
}

static const Ieum__V1__Frame *whoami(struct peer *p)
{
	Ieum__V1__WhoamiQuery who = IEUM__V1__WHOAMI_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	query.what_case = IEUM__V1__QUERY__WHAT_WHOAMI;
	query.whoami = &who;
	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = &query;
	return peer_answer(p, peer_send(p, &frame));
}

static const Ieum__V1__Frame *cases(struct peer *p)
{
	Ieum__V1__CasesQuery which = IEUM__V1__CASES_QUERY__INIT;
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;

	query.what_case = IEUM__V1__QUERY__WHAT_CASES;
	query.cases = &which;
	frame.what_case = IEUM__V1__FRAME__WHAT_QUERY;
	frame.query = &query;
	return peer_answer(p, peer_send(p, &frame));
}

/* One message after the other until the disk is full; how many have a receipt. */
static int fill_disk(struct peer *p, uint64_t *waiting)
{
	for (int receipts = 0;; receipts++) {
		struct message m;

		message_service_report(&m, "town-aid", NULL, narrative());
		*waiting = peer_submit(p, &m.referral);
		/* Either the receipt comes, or the log says why it doesn't. */
		while (!hub_logged(&hub, "event=journal_stalled") &&
		       !peer_has(p, IEUM__V1__FRAME__WHAT_RECEIPT))
			peer_ping(p);
		if (!peer_has(p, IEUM__V1__FRAME__WHAT_RECEIPT))
			return receipts;
		(void)peer_receipt(p, *waiting);
		assert_true(receipts < 5000);
	}
}

static void a_full_disk_is_waited_for(void **state)
{
	struct message m;
	struct peer *p, *to;
	uint64_t waiting;
	int receipts;

	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	if (!mount_small_disk())
		skip(); /* needs the right to mount */
	assert_int_equal(hub_run(&hub, "sed -i 's,path: journal.db,path: disk/journal.db,' %s",
				 hub.config),
			 0);
	hub_start(&hub);
	p = peer_connect(&hub, "town-ps");
	receipts = fill_disk(p, &waiting);
	hub_await_log(&hub, "event=journal_stalled");
	/* New work is refused, reading cases too; who am I and ping go on. */
	message_service_report(&m, "town-aid", NULL, NULL);
	peer_submit(p, &m.referral);
	assert_true(peer_expect_error(p, IEUM_E_UNAVAILABLE)->retry_after_ms > 0);
	assert_int_equal(cases(p)->error->code, IEUM_E_UNAVAILABLE);
	assert_string_equal(whoami(p)->result->whoami->participant, "town-ps");
	peer_ping(p);
	assert_false(peer_has(p, IEUM__V1__FRAME__WHAT_RECEIPT));
	/* Somebody makes room: the receipt comes after all. */
	assert_int_equal(hub_run(&hub, "mount -o remount,size=64m %s/disk", hub.folder), 0);
	(void)peer_receipt(p, waiting);
	hub_await_log(&hub, "event=journal_resumed");
	to = peer_connect(&hub, "town-aid");
	take(to, receipts + 1);
	peer_close(p);
	peer_close(to);
	assert_int_equal(hub_stop(&hub), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(too_many_outstanding_requests_are_refused, end),
		cmocka_unit_test_teardown(a_journal_that_lags_holds_submitters_back, end),
		cmocka_unit_test_teardown(a_failed_write_ends_it_without_a_receipt, end),
		cmocka_unit_test_teardown(a_full_disk_is_waited_for, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
