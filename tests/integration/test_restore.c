/* A hub's journal is put back from a copy, and what agencies had receipts for after the copy comes
 * back from their spools: by the mark beside the journal, and where that agrees by an operator's
 * word.  Files, processes and commands as an operator has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/uuid7.h"
#include "tests/integration/desk.h"
#include "tests/integration/hub.h"
#include "tests/integration/peer.h"
#include "tests/integration/record.h"

static struct hub hub;
static uint8_t before[CODEC_ID_BYTES]; /* the incarnation of the start */

static void write_profile(const char *who)
{
	char text[1024], name[64];

	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncertificate: %s/participants/%s.crt\n"
		 "key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\n"
		 "spool: %s.spool\n",
		 hub.address, hub.certificates, hub.certificates, who, hub.certificates, who, who);
	snprintf(name, sizeof name, "%s.yaml", who);
	desk_write(name, text);
}

/* As the hub says it to whoever comes. */
static void read_incarnation(uint8_t out[CODEC_ID_BYTES])
{
	struct peer *p = peer_connect(&hub, "town-op");
	const Ieum__V1__Welcome *w = peer_welcome(p);

	assert_int_equal(w->incarnation.len, CODEC_ID_BYTES);
	memcpy(out, w->incarnation.data, CODEC_ID_BYTES);
	peer_close(p);
}

static bool same_incarnation(void)
{
	uint8_t now[CODEC_ID_BYTES];

	read_incarnation(now);
	return memcmp(before, now, sizeof now) == 0;
}

/* A hub with one message in it, from a sender with a spool. */
static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	desk_open(&hub, hub.folder);
	hub_start(&hub);
	write_profile("town-ps");
	write_profile("town-aid");
	desk_write("report.yaml", DESK_REPORT);
	desk_expect("town-ps", "submit report.yaml", EXIT_DONE);
	read_incarnation(before);
	return 0;
}

static int end(void **state)
{
	(void)state;
	desk_close();
	hub_remove(&hub);
	return 0;
}

/* After the copy: its receipt is the sender's, and the copy lacks it. */
static void submit_one_more(char id[UUID_TEXT_BYTES])
{
	const char *at;

	desk_expect("town-ps", "--json submit report.yaml", EXIT_DONE);
	at = strstr(desk.printed, "\"message_id\": \"");
	if (!at)
		fail_msg("no message id in %s", desk.printed);
	snprintf(id, UUID_TEXT_BYTES, "%s", at + strlen("\"message_id\": \""));
}

static void expect_back(const char *id)
{
	char words[80];

	desk_expect("town-ps", "spool send --timeout 20s", EXIT_DONE);
	snprintf(words, sizeof words, "referral show %s", id);
	desk_expect("town-ps", words, EXIT_DONE);
	desk_expect("town-aid", "inbox --settle done", EXIT_DONE);
	assert_in(desk.printed, id);
	assert_int_equal(hub_stop(&hub), 0);
	record_audit(&hub);
}

static void count_messages(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	(void)seq;
	*(unsigned *)ctx += event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED;
}

static void assert_messages(unsigned n)
{
	unsigned found = 0;

	record_each(&hub, count_messages, &found);
	assert_int_equal(found, n);
}

static void a_restart_is_no_restoring(void **state)
{
	(void)state;
	hub_kill(&hub);
	hub_start(&hub);
	assert_false(hub_logged(&hub, "event=new_incarnation"));
	assert_true(same_incarnation());
	assert_int_equal(hub_stop(&hub), 0);
}

/* sqlite3's copy of the running hub; later the journal alone is put back. */
static void what_a_copy_lacks_is_sent_again(void **state)
{
	char id[UUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(hub_run(&hub, "sqlite3 %s '.backup %s/copy'", hub.journal, hub.folder), 0);
	submit_one_more(id);
	hub_kill(&hub);
	assert_int_equal(hub_run(&hub, "rm %s %s-wal %s-shm && cp %s/copy %s", hub.journal,
				 hub.journal, hub.journal, hub.folder, hub.journal),
			 0);
	hub_start(&hub);
	assert_true(hub_logged(&hub, "level=warn event=new_incarnation"));
	assert_true(hub_logged(&hub, "were written here"));
	assert_false(same_incarnation());
	expect_back(id);
	assert_messages(2);
	hub_start(&hub);
	assert_false(hub_logged(&hub, "event=new_incarnation"));
}

/* A machine's backup of the whole folder, put back by a tool that makes the files anew. */
static void so_it_is_when_the_mark_is_copied_too(void **state)
{
	char id[UUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub, "mkdir %s/copy && cp -a %s* %s/copy", hub.folder,
				 hub.journal, hub.folder),
			 0);
	hub_start(&hub);
	submit_one_more(id);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub, "rm %s* && cp -a %s/copy/. %s", hub.journal, hub.folder,
				 hub.folder),
			 0);
	hub_start(&hub);
	assert_true(hub_logged(&hub, "the mark beside it was copied with it"));
	assert_false(same_incarnation());
	expect_back(id);
	assert_messages(2);
}

/* A disk image: the very files of then.  Nothing on this machine shows it, but a receipt
 * elsewhere does. */
static void where_the_mark_agrees_the_operator_says_so(void **state)
{
	char id[UUID_TEXT_BYTES];

	(void)state;
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub, "mkdir %s/copy && cp -a %s %s-mark %s/copy", hub.folder,
				 hub.journal, hub.journal, hub.folder),
			 0);
	hub_start(&hub);
	submit_one_more(id);
	desk_expect("town-ps", "submit report.yaml", EXIT_DONE);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(
		hub_run(&hub, "cat %s/copy/journal.db >%s && cat %s/copy/journal.db-mark >%s-mark",
			hub.folder, hub.journal, hub.folder, hub.journal),
		0);
	hub_start(&hub);
	desk_expect("town-ps", "whoami", EXIT_DONE);
	assert_true(
		hub_logged(&hub, "level=error event=receipt_beyond_journal participant=town-ps"));
	assert_true(same_incarnation());
	assert_int_equal(hub_run(&hub, "%s/ieumd --config %s --restored 2>%s/err", hub_bin(),
				 hub.config, hub.folder),
			 3); /* while it runs, nobody else opens its journal */
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub,
				 "%s/ieumd --config %s --restored 2>&1 | grep -qF "
				 "'event=new_incarnation'",
				 hub_bin(), hub.config),
			 0);
	hub_start(&hub);
	desk_expect("town-ps", "whoami", EXIT_DONE);
	assert_false(hub_logged(&hub, "event=new_incarnation"));
	assert_false(hub_logged(&hub, "event=receipt_beyond_journal"));
	assert_false(same_incarnation());
	expect_back(id);
	assert_messages(3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_restart_is_no_restoring),
		TEST(what_a_copy_lacks_is_sent_again),
		TEST(so_it_is_when_the_mark_is_copied_too),
		TEST(where_the_mark_agrees_the_operator_says_so),
	};

	return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
