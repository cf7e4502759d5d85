/* libieum with a spool: what is accepted, what is sent again and when, what is handed over again. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "certs/store.h"
#include "client/spool.h"
#include "proto/uuid7.h"
#include "tests/crash/power_vfs.h"
#include "tests/unit/libieum_world.h"
#include "tests/unit/scratch.h"

/* What only a client with a spool hears. */
static struct {
	unsigned accepted, accepted_after_sent, let_go, troubles, alone;
	uint64_t alone_waiting;
	enum ieum_err trouble;
	char trouble_detail[IEUM_WHY_BYTES];
	uint8_t resent_id[16];
	unsigned renamed;
	uint8_t renamed_from[16], renamed_to[16];
	enum ieum_err resent_failure;
} heard;

struct spooled {
	struct two w;
	char folder[SCRATCH_PATH_BYTES], path[96];
	const char *address;
	struct ieum_options options;
};

static struct spooled *of(struct ieum *c, void *ctx)
{
	(void)c;
	return (struct spooled *)((char *)ctx - offsetof(struct spooled, w.client));
}

static void on_accepted(struct ieum *c, const uint8_t *message_id, void *ctx)
{
	(void)message_id;
	heard.accepted++;
	heard.accepted_after_sent += of(c, ctx)->w.hub.submits > 0;
}

static void on_resent(struct ieum *c, const uint8_t *message_id, const Ieum__V1__Receipt *receipt,
		      const struct ieum_failure *failure, void *ctx)
{
	struct spooled *s = of(c, ctx);

	memcpy(heard.resent_id, message_id, 16);
	heard.resent_failure = failure ? failure->code : IEUM_E_OK;
	s->w.client.resent += receipt != NULL;
	s->w.client.resent_failed += failure != NULL;
}

static void on_renamed(struct ieum *c, const uint8_t *before, const uint8_t *now, void *ctx)
{
	(void)c, (void)ctx;
	heard.renamed++;
	memcpy(heard.renamed_from, before, 16);
	memcpy(heard.renamed_to, now, 16);
}

static void on_let_go(struct ieum *c, size_t messages, void *ctx)
{
	(void)c, (void)ctx;
	heard.let_go += (unsigned)messages;
}

static void on_trouble(struct ieum *c, const struct ieum_failure *why, void *ctx)
{
	(void)c, (void)ctx;
	assert_true(why->detail[0]);
	heard.troubles++;
	heard.trouble = why->code;
	snprintf(heard.trouble_detail, sizeof heard.trouble_detail, "%s", why->detail);
}

static void on_alone(struct ieum *c, int64_t for_ms, uint64_t waiting, void *ctx)
{
	(void)c, (void)ctx;
	assert_true(for_ms >= 50);
	heard.alone++;
	heard.alone_waiting = waiting;
}

static void open_world(struct spooled *s)
{
	memset(&heard, 0, sizeof heard);
	two_hub_only(&s->w);
	scratch_make(s->folder);
	snprintf(s->path, sizeof s->path, "%s/spool.db", s->folder);
	s->options = two_options(&s->w, &s->address);
	s->options.spool = s->path;
	s->options.callbacks.accepted = on_accepted;
	s->options.callbacks.resent = on_resent;
	s->options.callbacks.renamed = on_renamed;
	s->options.callbacks.let_go = on_let_go;
	s->options.callbacks.spool_trouble = on_trouble;
	s->options.callbacks.alone = on_alone;
}

/* Another process of the same agency begins; the hub's log goes on. */
static void start(struct spooled *s)
{
	s->w.client = (struct client){ 0 };
	two_connect(&s->w, &s->options);
}

/* As when it dies, but for receipts that weren't noted yet. */
static void leave(struct spooled *s)
{
	ieum_free(s->w.client.c);
	s->w.client.c = NULL;
}

static void close_world(struct spooled *s)
{
	two_close(&s->w);
	scratch_remove(s->folder);
}

static void without_a_hub(struct spooled *s)
{
	s->address = "127.0.0.1:1";
}

static void with_the_hub(struct spooled *s)
{
	s->address = hub_address(&s->w.hub);
}

/* The hub is there, but says no word. */
static void cut_hello(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub_cut(hub);
}

static struct spool_sum sum_of(struct spooled *s)
{
	const struct spool_options options = { .path = s->path };
	char why[SPOOL_WHY_BYTES];
	struct spool_sum sum;
	struct spool *spool;

	if (spool_open(&options, &spool, why))
		fail_msg("%s", why);
	assert_int_equal(spool_sum(spool, &sum), IEUM_E_OK);
	spool_close(spool);
	return sum;
}

#define UNTIL_(cond) world_until(&s.w.hub.w, cond)

/* ---- submits ---- */

static void it_is_on_the_disk_before_it_is_sent(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	const uint8_t *id = two_submit(&s.w);
	assert_int_equal(heard.accepted, 0); /* not from inside the function */
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(heard.accepted, 1);
	assert_int_equal(heard.accepted_after_sent, 0);
	assert_memory_equal(s.w.hub.ids[0], id, 16);
	leave(&s);
	assert_int_equal(sum_of(&s).receipted, 1); /* until there is a copy */
	assert_int_equal(sum_of(&s).waiting, 0);
	close_world(&s);
}

static void what_was_accepted_without_a_hub_is_sent_by_the_next_process(void **state)
{
	struct spooled s;
	uint8_t ids[3][16];

	(void)state;
	open_world(&s);
	without_a_hub(&s);
	start(&s);
	for (int i = 0; i < 3; i++)
		memcpy(ids[i], two_submit(&s.w), 16);
	UNTIL_(heard.accepted == 3);
	leave(&s);
	assert_int_equal(sum_of(&s).waiting, 3);
	with_the_hub(&s);
	start(&s);
	UNTIL_(s.w.client.resent == 3);
	assert_int_equal(s.w.hub.submits, 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(s.w.hub.ids[i], ids[i], 16);
	assert_int_equal(s.w.client.receipts, 0);
	leave(&s);
	start(&s); /* and not once more */
	UNTIL_(s.w.client.connected == 1);
	two_submit(&s.w);
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(s.w.hub.submits, 4);
	close_world(&s);
}

static void what_was_sent_without_a_receipt_is_sent_again_under_its_id(void **state)
{
	struct spooled s;
	uint8_t id[16];

	(void)state;
	open_world(&s);
	s.w.hub.mute = true;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	memcpy(id, two_submit(&s.w), 16);
	UNTIL_(s.w.hub.submits == 1);
	leave(&s);
	s.w.hub.mute = false;
	start(&s);
	UNTIL_(s.w.client.resent == 1);
	assert_int_equal(s.w.hub.submits, 2);
	assert_memory_equal(s.w.hub.ids[1], id, 16);
	close_world(&s);
}

static void what_has_waited_too_long_for_its_id_gets_another_first_on_the_disk(void **state)
{
	struct spooled s;
	uint8_t id[16];

	(void)state;
	open_world(&s);
	s.w.hub.on_hello = cut_hello;
	s.w.hub.id_window_ms = 1;
	start(&s);
	memcpy(id, two_submit(&s.w), 16);
	UNTIL_(heard.accepted == 1 && s.w.client.disconnected > 2);
	s.w.hub.mute = true;
	s.w.hub.on_hello = NULL;
	UNTIL_(s.w.hub.submits == 1);
	assert_memory_not_equal(s.w.hub.ids[0], id, 16);
	leave(&s);
	s.w.hub.mute = false;
	s.w.hub.id_window_ms = 0;
	start(&s);
	UNTIL_(s.w.client.resent == 1);
	assert_memory_equal(s.w.hub.ids[1], s.w.hub.ids[0], 16);
	close_world(&s);
}

/* ---- clocks that are wrong ---- */

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_hub_clock(struct spooled *s, int64_t ahead_ms)
{
	s->w.hub.hub_time_at_ms = wall_ms() + ahead_ms;
	s->w.hub.id_window_ms = 30 * DAY_MS;
}

static void expect_time_of_hub(const struct spooled *s, const uint8_t *id)
{
	int64_t from = s->w.hub.hub_time_at_ms;

	assert_in_range(uuid7_ms(id), from, from + 60000);
}

static void submit_offline(struct spooled *s, uint8_t id[16])
{
	without_a_hub(s);
	start(s);
	memcpy(id, two_submit(&s->w), 16);
	world_until(&s->w.hub.w, heard.accepted == 1);
	leave(s);
	with_the_hub(s);
}

static struct spool *open_file(const struct spooled *s)
{
	const struct spool_options options = { .path = s->path };
	char why[SPOOL_WHY_BYTES];
	struct spool *spool;

	if (spool_open(&options, &spool, why))
		fail_msg("%s", why);
	return spool;
}

static void kept_by_a_clock_that_is_off(int64_t hub_ahead_ms)
{
	struct spooled s;
	uint8_t id[16];

	open_world(&s);
	struct spool *first = open_file(&s); /* has the first slot: later that isn't its own */
	submit_offline(&s, id);
	spool_close(first);
	without_a_hub(&s);
	start(&s); /* adopts it, and sends nothing */
	UNTIL_(s.w.client.disconnected > 0);
	leave(&s);
	with_the_hub(&s);
	set_hub_clock(&s, hub_ahead_ms);
	start(&s);
	UNTIL_(s.w.client.resent == 1);
	assert_int_equal(heard.renamed, 1);
	assert_memory_equal(heard.renamed_from, id, 16);
	assert_memory_equal(heard.renamed_to, s.w.hub.ids[0], 16);
	assert_memory_equal(heard.resent_id, s.w.hub.ids[0], 16);
	expect_time_of_hub(&s, s.w.hub.ids[0]);
	/* Now that its clock is known the next id is right from the start. */
	expect_time_of_hub(&s, two_submit(&s.w));
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(heard.renamed, 1);
	close_world(&s);
}

static void what_a_wrong_clock_named_gets_an_id_of_the_hubs_time(void **state)
{
	(void)state;
	kept_by_a_clock_that_is_off(40 * DAY_MS);
	kept_by_a_clock_that_is_off(-2 * HOUR_MS);
}

static void what_a_hub_may_have_seen_keeps_its_id(void **state)
{
	struct spooled s;
	uint8_t id[16];

	(void)state;
	open_world(&s);
	s.w.hub.mute = true;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	memcpy(id, two_submit(&s.w), 16);
	UNTIL_(s.w.hub.submits == 1);
	leave(&s);
	s.w.hub.mute = false;
	set_hub_clock(&s, 40 * DAY_MS);
	start(&s);
	UNTIL_(s.w.client.resent == 1);
	assert_memory_equal(s.w.hub.ids[1], id, 16);
	assert_int_equal(heard.renamed, 0);
	close_world(&s);
}

static void refuse_as_too_old(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_TOO_OLD, "envelope.message_id", 0);
}

static void what_was_refused_for_its_time_can_be_sent_again_under_another_id(void **state)
{
	struct spooled s;
	uint8_t id[16];

	(void)state;
	open_world(&s);
	submit_offline(&s, id);
	s.w.hub.on_submit = refuse_as_too_old;
	start(&s);
	UNTIL_(s.w.client.resent_failed == 1);
	assert_memory_equal(s.w.hub.ids[0], id, 16);
	leave(&s);
	struct spool *file = open_file(&s);
	assert_int_equal(spool_resend(file, 1), IEUM_E_OK);
	assert_int_equal(spool_commit(file), IEUM_E_OK);
	spool_close(file);
	s.w.hub.on_submit = NULL;
	set_hub_clock(&s, 40 * DAY_MS);
	start(&s);
	UNTIL_(s.w.client.resent == 1);
	assert_memory_equal(heard.renamed_from, id, 16);
	expect_time_of_hub(&s, s.w.hub.ids[1]);
	leave(&s);
	assert_int_equal(sum_of(&s).refused, 0);
	close_world(&s);
}

static bool is_on_wire(const struct spool_message *m, void *arg)
{
	*(bool *)arg = m->on_wire;
	return true;
}

/* A row that somebody left behind, and no hub has seen. */
static void leave_behind(struct spooled *s)
{
	static uint8_t bytes[4096];
	Ieum__V1__Referral *m = samples_report(&s->w.samples, 50);
	struct spool *file = open_file(s);
	struct spool_message row = { .referral = bytes, .stamped = true };
	int64_t number;

	memcpy(m->envelope->message_id.data, two_new_id(), 16);
	memcpy(row.message_id, m->envelope->message_id.data, 16);
	row.len = ieum__v1__referral__pack(m, bytes);
	assert_int_equal(spool_put(file, &row, &number), IEUM_E_OK);
	assert_int_equal(spool_commit(file), IEUM_E_OK);
	spool_close(file);
}

/* Else the next process could take its id for one that nobody has seen. */
static void what_is_adopted_while_connected_is_marked_before_it_is_sent(void **state)
{
	struct spooled s;
	bool on_wire = false;

	(void)state;
	open_world(&s);
	s.w.hub.mute = true;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	leave_behind(&s);
	UNTIL_(s.w.hub.submits == 1); /* after LIB_ADOPT_MS */
	leave(&s);
	struct spool *file = open_file(&s);
	assert_int_equal(spool_messages(file, is_on_wire, &on_wire), IEUM_E_OK);
	assert_true(on_wire);
	spool_close(file);
	close_world(&s);
}

static void refuse(struct hub *hub, uint64_t request_id, const uint8_t *message_id)
{
	(void)message_id;
	hub_error(hub, request_id, IEUM_E_NO_ROUTE, "nobody for checkin", 0);
}

static void what_is_refused_when_nobody_waits_stays_to_be_seen(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	without_a_hub(&s);
	start(&s);
	two_submit(&s.w);
	UNTIL_(heard.accepted == 1);
	leave(&s);
	with_the_hub(&s);
	s.w.hub.on_submit = refuse;
	start(&s);
	UNTIL_(s.w.client.resent_failed == 1);
	assert_int_equal(heard.resent_failure, IEUM_E_NO_ROUTE);
	leave(&s);
	assert_int_equal(sum_of(&s).refused, 1);
	start(&s);
	two_submit(&s.w);
	UNTIL_(s.w.client.failures == 1); /* told to whoever waits: nothing is kept of it */
	leave(&s);
	assert_int_equal(sum_of(&s).refused, 1);
	assert_int_equal(s.w.hub.submits, 2);
	close_world(&s);
}

static void what_is_to_be_sealed_never_lies_there_in_clear(void **state)
{
	static const char secret[] = "the neighbour on the second floor";
	struct spooled s;
	char why[IEUM_WHY_BYTES];

	(void)state;
	open_world(&s);
	without_a_hub(&s);
	start(&s);
	Ieum__V1__Referral *m = samples_report(&s.w.samples, sizeof secret - 1);
	memcpy(m->narrative[0]->clear.data, secret, sizeof secret - 1);
	if (ieum_submit_sealed(s.w.client.c, m, IEUM_SEAL_ALL, two_on_submitted, &s.w.client, NULL,
			       why))
		fail_msg("%s", why);
	UNTIL_(heard.accepted == 1);
	assert_int_equal(scratch_shell("grep -q 'second floor' %s*", s.path), 1);
	leave(&s);
	assert_int_equal(scratch_shell("grep -q 'second floor' %s*", s.path), 1);
	assert_int_equal(sum_of(&s).waiting, 1);
	close_world(&s);
}

/* ---- copies and incarnations ---- */

static void a_hub_restored_from_a_backup_gets_again_what_no_copy_covered(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	start(&s);
	for (int i = 0; i < 3; i++)
		two_submit(&s.w);
	UNTIL_(s.w.client.receipts == 3);
	hub_copied(&s.w.hub, 1);
	two_submit(&s.w);
	UNTIL_(s.w.client.receipts == 4);
	leave(&s);
	assert_int_equal(sum_of(&s).receipted, 3);
	assert_int_equal(sum_of(&s).copied_through, 1);
	s.w.hub.incarnation[0] = 9;
	start(&s);
	UNTIL_(s.w.client.resent == 3);
	assert_int_equal(s.w.client.incarnations, 1);
	assert_int_equal(s.w.client.resending, 3);
	assert_int_equal(s.w.hub.submits, 7);
	assert_memory_equal(s.w.hub.ids[4], s.w.hub.ids[1], 16);
	leave(&s);
	s.w.hub.copied_through = 100; /* a copy of the new one */
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	leave(&s);
	assert_int_equal(sum_of(&s).receipted, 0);
	close_world(&s);
}

static void without_a_copy_the_newest_are_kept_and_the_others_told(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.keep_bytes_max = 1000;
	start(&s);
	for (int i = 0; i < 12; i++)
		two_submit(&s.w);
	UNTIL_(heard.let_go > 0);
	leave(&s);
	struct spool_sum sum = sum_of(&s);
	assert_in_range(sum.receipted, 1, 11);
	assert_in_range(sum.bytes, 1, 1000);
	assert_int_equal(sum.let_go, 12 - sum.receipted);
	close_world(&s);
}

/* ---- full and alone ---- */

static void a_full_spool_accepts_nothing_and_says_so(void **state)
{
	struct spooled s;
	char why[IEUM_WHY_BYTES];

	(void)state;
	open_world(&s);
	without_a_hub(&s);
	s.options.spool_bytes_max = 400;
	start(&s);
	two_submit(&s.w);
	UNTIL_(heard.accepted == 1);
	Ieum__V1__Referral *referral = samples_report(&s.w.samples, 300);
	assert_int_equal(ieum_submit(s.w.client.c, referral, two_on_submitted, &s.w.client, NULL,
				     why),
			 IEUM_E_SPOOL_FULL);
	assert_non_null(strstr(why, s.path));
	assert_non_null(strstr(why, "of 400 bytes"));
	assert_int_equal(ieum_submits_waiting(s.w.client.c), 1);
	leave(&s);
	assert_int_equal(sum_of(&s).waiting, 1);
	close_world(&s);
}

/* SQLite's usual disk, for as long as this lasts. */
static sqlite3_vfs *replace_disk(const char *name)
{
	sqlite3_vfs *before = sqlite3_vfs_find(NULL);

	assert_int_equal(sqlite3_vfs_register(sqlite3_vfs_find(name), 1), SQLITE_OK);
	return before;
}

static void what_the_disk_does_not_take_is_told_and_not_sent(void **state)
{
	struct spooled s;

	(void)state;
	struct power *disk = power_new("libieum-spool", 1);
	sqlite3_vfs *usual = replace_disk("libieum-spool");
	open_world(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	power_space(disk, 0);
	two_submit(&s.w);
	two_submit(&s.w);
	UNTIL_(s.w.client.failures == 2);
	assert_int_equal(s.w.client.failure, IEUM_E_SPOOL_FULL);
	assert_non_null(strstr(s.w.client.detail, "no space left on its disk"));
	assert_int_equal(heard.accepted, 0);
	power_space(disk, UINT64_MAX);
	two_submit(&s.w);
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(s.w.hub.submits, 1);
	close_world(&s);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	power_free(disk);
}

/* From inside the callback of the first, onto a disk that is full since. */
static struct power *filling;

static void submit_one_more(struct ieum *c, const uint8_t *message_id, void *ctx)
{
	on_accepted(c, message_id, ctx);
	if (heard.accepted > 1)
		return;
	power_space(filling, 0);
	two_submit(&of(c, ctx)->w);
}

static void what_a_callback_submits_belongs_to_the_next_transaction(void **state)
{
	struct spooled s;

	(void)state;
	filling = power_new("libieum-spool", 1);
	sqlite3_vfs *usual = replace_disk("libieum-spool");
	open_world(&s);
	s.options.callbacks.accepted = submit_one_more;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	two_submit(&s.w);
	UNTIL_(s.w.client.failures == 1);
	assert_int_equal(heard.accepted, 1);
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(s.w.hub.submits, 1);
	power_space(filling, UINT64_MAX);
	close_world(&s);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	power_free(filling);
}

/* Somebody else at the file. */
static void change_file(const struct spooled *s, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(s->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void what_was_told_not_to_be_accepted_is_not_on_the_disk(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	/* Messages can be put, but none can be noted. */
	change_file(&s, "CREATE TRIGGER no_notes BEFORE UPDATE OF state ON submit BEGIN"
			" SELECT RAISE(ABORT, 'not now'); END");
	two_submit(&s.w);
	UNTIL_(s.w.client.receipts == 1);
	two_submit(&s.w);
	UNTIL_(s.w.client.failures == 1);
	assert_int_equal(s.w.client.failure, IEUM_E_SPOOL_CORRUPT);
	assert_int_equal(heard.accepted, 1);
	change_file(&s, "DROP TRIGGER no_notes");
	leave(&s);
	assert_int_equal(sum_of(&s).waiting, 0);
	assert_int_equal(sum_of(&s).receipted, 1);
	close_world(&s);
}

static sqlite3 *holder;

static void hold_file(struct ieum *c, const Ieum__V1__Welcome *welcome, void *ctx)
{
	(void)welcome;
	assert_int_equal(sqlite3_open(of(c, ctx)->path, &holder), SQLITE_OK);
	assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void what_cannot_be_changed_now_is_told_and_goes_later(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.w.hub.on_hello = cut_hello;
	s.w.hub.id_window_ms = 1; /* so that it gets another id */
	s.options.callbacks.connected = hold_file;
	start(&s);
	two_submit(&s.w);
	UNTIL_(heard.accepted == 1 && s.w.client.disconnected > 2);
	s.w.hub.on_hello = NULL;
	UNTIL_(heard.troubles == 1);
	assert_int_equal(heard.trouble, IEUM_E_SPOOL_LOCKED);
	assert_non_null(strstr(heard.trouble_detail, "another program"));
	assert_int_equal(s.w.hub.submits, 0);
	assert_int_equal(sqlite3_close(holder), SQLITE_OK);
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(s.w.hub.submits, 1);
	close_world(&s);
}

static void a_disk_that_is_full_since_does_not_keep_the_hub_away(void **state)
{
	struct spooled s;

	(void)state;
	struct power *disk = power_new("libieum-spool", 1);
	sqlite3_vfs *usual = replace_disk("libieum-spool");
	open_world(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	s.w.hub.on_hello = cut_hello;
	hub_cut(&s.w.hub);
	UNTIL_(s.w.client.disconnected > 1);
	two_submit(&s.w);
	UNTIL_(heard.accepted == 1);
	power_space(disk, 0);
	s.w.hub.copied_through = 7; /* something to write */
	s.w.hub.on_hello = NULL;
	UNTIL_(s.w.client.connected == 2 && heard.troubles == 2);
	assert_int_equal(heard.trouble, IEUM_E_SPOOL_FULL);
	assert_int_equal(s.w.hub.submits, 0); /* its row doesn't say that it may be sent */
	power_space(disk, UINT64_MAX);
	UNTIL_(s.w.client.receipts == 1);
	assert_int_equal(s.w.client.connected, 2);
	close_world(&s);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	power_free(disk);
}

static void its_user_is_told_when_the_hub_has_been_away_for_long(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.w.hub.on_hello = cut_hello;
	s.options.alone_after_ms = 50;
	start(&s);
	two_submit(&s.w);
	UNTIL_(heard.alone == 1);
	assert_int_equal(heard.alone_waiting, 1);
	s.w.hub.on_hello = NULL;
	UNTIL_(s.w.client.receipts == 1);
	s.w.hub.on_hello = cut_hello;
	hub_cut(&s.w.hub);
	UNTIL_(heard.alone == 2);
	assert_int_equal(heard.alone_waiting, 0);
	close_world(&s);
}

/* ---- deliveries ---- */

static void take(struct spooled *s, uint64_t delivery_id)
{
	assert_int_equal(ieum_settle(s->w.client.c, delivery_id, IEUM_SETTLE_DONE, NULL,
				     two_on_settled, &s->w.client),
			 IEUM_E_OK);
}

static void a_delivery_is_settled_when_it_is_on_the_disk_and_handed_over_until_taken(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	hub_deliver(&s.w.hub, 0x1200, two_new_id());
	UNTIL_(s.w.client.deliveries == 2 && s.w.hub.n_done == 2);
	assert_int_equal(s.w.hub.done[0], 0x1100);
	take(&s, 0x1100);
	UNTIL_(s.w.client.settled == 1);
	assert_int_equal(ieum_settle(s.w.client.c, 0x1200, IEUM_SETTLE_REFUSE, "?", NULL, NULL),
			 IEUM_E_STATE_CONFLICT);
	leave(&s);
	assert_int_equal(sum_of(&s).held, 1);
	without_a_hub(&s);
	start(&s);
	UNTIL_(s.w.client.deliveries == 1);
	assert_int_equal(s.w.client.delivered[0], 0x1200);
	take(&s, 0x1200);
	UNTIL_(s.w.client.settled == 1);
	leave(&s);
	with_the_hub(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	hub_deliver(&s.w.hub, 0x1300, two_new_id());
	UNTIL_(s.w.client.deliveries == 1);
	assert_int_equal(s.w.client.delivered[0], 0x1300);
	close_world(&s);
}

static void a_repeat_after_a_restart_is_settled_again_and_not_handed_over(void **state)
{
	struct spooled s;
	const uint8_t *id = two_new_id();

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, id);
	UNTIL_(s.w.client.deliveries == 1);
	take(&s, 0x1100);
	UNTIL_(s.w.client.settled == 1);
	leave(&s);
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	s.w.hub.n_done = 0;
	hub_deliver(&s.w.hub, 0x1100, id);
	UNTIL_(s.w.hub.n_done == 1);
	assert_int_equal(s.w.client.deliveries, 0);
	leave(&s);
	s.w.hub.incarnation[0] = 9; /* and a restored hub gives it another id */
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	hub_deliver(&s.w.hub, 0x9900, id);
	UNTIL_(s.w.hub.n_done == 2);
	assert_int_equal(s.w.hub.done[1], 0x9900);
	assert_int_equal(s.w.client.deliveries, 0);
	hub_deliver(&s.w.hub, 0x9a00, id); /* for a new reason: an escalation */
	UNTIL_(s.w.client.deliveries == 1);
	close_world(&s);
}

static void deliver(struct spooled *s, uint64_t delivery_id, const uint8_t *id,
		    Ieum__V1__DeliveryCause cause, int64_t answer_by_at_ms)
{
	s->w.hub.cause = cause;
	s->w.hub.answer_by_at_ms = answer_by_at_ms;
	hub_deliver(&s->w.hub, delivery_id, id);
}

static void a_restored_hubs_escalation_is_no_repeat(void **state)
{
	struct spooled s;
	const uint8_t *id = two_new_id();

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	s.w.hub.received_at_ms = 1000;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	deliver(&s, 0x1100, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 5000);
	deliver(&s, 0x1200, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED, 9000);
	UNTIL_(s.w.client.deliveries == 2);
	take(&s, 0x1100);
	take(&s, 0x1200);
	UNTIL_(s.w.client.settled == 2);
	leave(&s);
	s.w.hub.incarnation[0] = 9;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	s.w.hub.n_done = 0;
	/* Both again, under other ids: two repeats. */
	deliver(&s, 0x9100, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 5000);
	deliver(&s, 0x9200, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED, 9000);
	UNTIL_(s.w.hub.n_done == 2);
	assert_int_equal(s.w.client.deliveries, 0);
	leave(&s);
	s.w.hub.incarnation[0] = 10;
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	s.w.hub.n_done = 0;
	/* In this history it was escalated later. */
	deliver(&s, 0xa100, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ESCALATED, 9500);
	UNTIL_(s.w.client.deliveries == 1);
	assert_int_equal(s.w.client.delivered[0], 0xa100);
	deliver(&s, 0xa200, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 5000);
	UNTIL_(s.w.hub.n_done == 2);
	assert_int_equal(s.w.client.deliveries, 1);
	deliver(&s, 0xa200, id, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 5000);
	UNTIL_(s.w.hub.n_done == 3);
	assert_int_equal(s.w.client.deliveries, 1);
	close_world(&s);
}

static void no_more_are_handed_over_than_were_asked_for(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	s.options.credit = 2;
	start(&s);
	UNTIL_(s.w.hub.credit == 2);
	for (uint64_t i = 1; i <= 3; i++) /* one was on its way */
		hub_deliver(&s.w.hub, i << 8, two_new_id());
	UNTIL_(s.w.hub.n_done == 3 && s.w.hub.credit == 0);
	assert_int_equal(s.w.client.deliveries, 2);
	take(&s, 0x100);
	UNTIL_(s.w.client.deliveries == 3);
	take(&s, 0x200);
	take(&s, 0x300);
	UNTIL_(s.w.client.settled == 3 && s.w.hub.credit == 2);
	close_world(&s);
}

static void a_delivery_without_room_is_handed_over_and_stays_with_the_hub(void **state)
{
	struct spooled s;
	uint8_t id[16];

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	s.options.spool_bytes_max = 200;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	memcpy(id, two_new_id(), 16);
	hub_deliver(&s.w.hub, 0x1100, id);
	hub_deliver(&s.w.hub, 0x1200, two_new_id());
	UNTIL_(s.w.client.deliveries == 2);
	assert_int_equal(heard.troubles, 1); /* said once */
	assert_int_equal(heard.trouble, IEUM_E_SPOOL_FULL);
	hub_cut(&s.w.hub);
	UNTIL_(s.w.client.connected == 2);
	hub_deliver(&s.w.hub, 0x1100, id); /* it isn't settled: a repeat */
	hub_deliver(&s.w.hub, 0x1300, two_new_id());
	UNTIL_(s.w.client.deliveries == 3);
	assert_int_equal(s.w.client.delivered[2], 0x1300);
	assert_int_equal(s.w.hub.n_done, 0);
	take(&s, 0x1100);
	UNTIL_(s.w.client.settled == 1);
	assert_int_equal(s.w.hub.done[0], 0x1100);
	assert_int_equal(ieum_settle(s.w.client.c, 0x1200, IEUM_SETTLE_REFUSE, "not ours",
				     two_on_settled, &s.w.client),
			 IEUM_E_OK);
	UNTIL_(s.w.client.settled == 2);
	assert_int_equal(s.w.hub.refused[0], 0x1200);
	assert_int_equal(heard.troubles, 1);
	leave(&s);
	assert_int_equal(sum_of(&s).held, 0);
	close_world(&s);
}

static void a_disk_that_is_full_since_hides_no_delivery(void **state)
{
	struct spooled s;

	(void)state;
	struct power *disk = power_new("libieum-spool", 1);
	sqlite3_vfs *usual = replace_disk("libieum-spool");
	open_world(&s);
	s.options.spool_deliveries = true;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	UNTIL_(s.w.client.deliveries == 1 && s.w.hub.n_done == 1);
	power_space(disk, 0);
	hub_deliver(&s.w.hub, 0x1200, two_new_id());
	UNTIL_(s.w.client.deliveries == 2);
	hub_deliver(&s.w.hub, 0x1300, two_new_id());
	UNTIL_(s.w.client.deliveries == 3);
	assert_int_equal(s.w.hub.n_done, 1);
	take(&s, 0x1100); /* this one has a row, which can't be written */
	take(&s, 0x1200);
	take(&s, 0x1300);
	UNTIL_(s.w.client.settled == 2 && s.w.client.unsettled == 1);
	assert_int_equal(s.w.client.failure, IEUM_E_SPOOL_FULL);
	assert_int_equal(s.w.hub.n_done, 3);
	assert_int_equal(s.w.client.connected, 1);
	assert_int_equal(heard.troubles, 1);
	power_space(disk, UINT64_MAX);
	hub_deliver(&s.w.hub, 0x1400, two_new_id());
	UNTIL_(s.w.client.deliveries == 4 && s.w.hub.n_done == 4); /* kept again */
	take(&s, 0x1400);
	UNTIL_(s.w.client.settled == 3);
	UNTIL_(sum_of(&s).held == 0); /* 0x1100 as well, by itself */
	close_world(&s);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	power_free(disk);
}

/* Writing fails from here on: as of a disk that breaks, this is no want of space. */
static void break_disk(struct rlimit *before)
{
	assert_int_equal(getrlimit(RLIMIT_FSIZE, before), 0);
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = before->rlim_max };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static void a_disk_that_breaks_hides_no_delivery(void **state)
{
	struct rlimit before;
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	UNTIL_(s.w.client.deliveries == 1 && s.w.hub.n_done == 1);
	break_disk(&before);
	for (uint64_t i = 2; i <= 4; i++) {
		hub_deliver(&s.w.hub, 0x1000 + (i << 8), two_new_id());
		UNTIL_(s.w.client.deliveries == i);
		take(&s, 0x1000 + (i << 8));
		UNTIL_(s.w.client.settled == i - 1);
	}
	assert_int_equal(s.w.hub.n_done, 4);
	assert_int_equal(s.w.client.connected, 1);
	assert_int_equal(heard.troubles, 1);
	assert_int_equal(heard.trouble, IEUM_E_FILE_UNREADABLE);
	take(&s, 0x1100);
	UNTIL_(s.w.client.unsettled == 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	leave(&s);
	assert_int_equal(sum_of(&s).held, 1); /* what the disk has wasn't known any more */
	close_world(&s);
}

static void as_many_as_were_asked_for_holds_without_room_too(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	s.options.spool_bytes_max = 200;
	s.options.credit = 2;
	start(&s);
	UNTIL_(s.w.hub.credit == 2);
	for (uint64_t i = 1; i <= 3; i++) /* one was on its way */
		hub_deliver(&s.w.hub, i << 8, two_new_id());
	UNTIL_(s.w.hub.credit == 0);
	assert_int_equal(s.w.client.deliveries, 2);
	take(&s, 0x100);
	UNTIL_(s.w.client.deliveries == 3);
	assert_int_equal(s.w.client.delivered[2], 0x300);
	take(&s, 0x200);
	take(&s, 0x300);
	UNTIL_(s.w.client.settled == 3 && s.w.hub.credit == 2);
	close_world(&s);
}

/* ---- what may have been shown ---- */

static void what_an_earlier_process_was_given_is_told(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	s.options.credit = 1;
	start(&s);
	UNTIL_(s.w.hub.credit == 1);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	hub_deliver(&s.w.hub, 0x1200, two_new_id()); /* was on its way */
	UNTIL_(s.w.client.deliveries == 1 && s.w.hub.n_done == 2);
	assert_false(ieum_handed_before(s.w.client.c, 0x1100));
	leave(&s);
	without_a_hub(&s);
	s.options.credit = 10;
	start(&s);
	UNTIL_(s.w.client.deliveries == 2);
	assert_true(ieum_handed_before(s.w.client.c, 0x1100));
	assert_false(ieum_handed_before(s.w.client.c, 0x1200)); /* nobody was given it */
	leave(&s);
	start(&s);
	UNTIL_(s.w.client.deliveries == 2);
	assert_true(ieum_handed_before(s.w.client.c, 0x1100));
	assert_true(ieum_handed_before(s.w.client.c, 0x1200));
	close_world(&s);
}

static void a_disk_that_is_full_since_hides_nothing_that_is_held(void **state)
{
	struct spooled s;

	(void)state;
	struct power *disk = power_new("libieum-spool", 1);
	sqlite3_vfs *usual = replace_disk("libieum-spool");
	open_world(&s);
	s.options.spool_deliveries = true;
	s.options.credit = 1;
	start(&s);
	UNTIL_(s.w.hub.credit == 1);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	hub_deliver(&s.w.hub, 0x1200, two_new_id());
	UNTIL_(s.w.client.deliveries == 1 && s.w.hub.n_done == 2);
	power_space(disk, 0);
	ieum_credit(s.w.client.c, 10);
	hub_deliver(&s.w.hub, 0x1300, two_new_id());
	UNTIL_(s.w.client.deliveries == 3);
	assert_int_equal(s.w.client.delivered[1], 0x1200); /* its row can't say so */
	assert_int_equal(heard.troubles, 1);
	power_space(disk, UINT64_MAX);
	close_world(&s);
	assert_int_equal(sqlite3_vfs_register(usual, 1), SQLITE_OK);
	power_free(disk);
}

static void what_is_given_back_is_marked_here_too(void **state)
{
	struct spooled s;

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, two_new_id());
	UNTIL_(s.w.client.deliveries == 1);
	assert_false(ieum_handed_before(s.w.client.c, 0x1100));
	assert_int_equal(ieum_settle(s.w.client.c, 0x1100, IEUM_SETTLE_RELEASE, NULL,
				     two_on_settled, &s.w.client),
			 IEUM_E_OK);
	UNTIL_(s.w.client.deliveries == 2);
	assert_true(ieum_handed_before(s.w.client.c, 0x1100));
	close_world(&s);
}

/* It was committed, and its process died before the hub heard. */
static void what_is_taken_without_keeping_is_taken_on_the_spool_too(void **state)
{
	struct spooled s;
	uint8_t held[16], taken[16];

	(void)state;
	open_world(&s);
	s.options.spool_deliveries = true;
	memcpy(held, two_new_id(), 16);
	memcpy(taken, two_new_id(), 16);
	start(&s);
	UNTIL_(s.w.hub.credit == 10);
	hub_deliver(&s.w.hub, 0x1100, held);
	hub_deliver(&s.w.hub, 0x1200, taken);
	UNTIL_(s.w.client.deliveries == 2);
	take(&s, 0x1200);
	UNTIL_(s.w.client.settled == 1 && s.w.hub.n_done == 2);
	leave(&s);
	s.options.spool_deliveries = false; /* as `ieum inbox --limit` */
	start(&s);
	UNTIL_(s.w.client.connected == 1);
	hub_deliver(&s.w.hub, 0x1200, taken);
	hub_deliver(&s.w.hub, 0x1100, held);
	UNTIL_(s.w.client.deliveries == 1 && s.w.hub.n_done == 3);
	assert_int_equal(s.w.client.delivered[0], 0x1100);
	assert_int_equal(s.w.hub.done[2], 0x1200);
	assert_true(ieum_handed_before(s.w.client.c, 0x1100));
	take(&s, 0x1100);
	UNTIL_(s.w.client.settled == 1);
	assert_int_equal(s.w.hub.done[3], 0x1100);
	leave(&s);
	assert_int_equal(sum_of(&s).held, 0);
	close_world(&s);
}

/* ---- whose ---- */

static void issue(const char *name)
{
	char san[128], path[64], why[CERTS_WHY_BYTES];
	const int64_t now_s = (int64_t)time(NULL);
	const struct wish wish = { .cn = "PC-1",
				   .san = san,
				   .usage = "clientAuth",
				   .not_before_s = now_s - 60,
				   .not_after_s = now_s + 3600 };
	enum stored what;

	snprintf(san, sizeof san, "URI:spiffe://gimpo.ieum/shelter/%s", name);
	snprintf(path, sizeof path, "participants/%s", name);
	if (store_issue(world_store(), world_store(), path, &wish, &what, why))
		fail_msg("%s", why);
}

static void another_agencys_spool_is_refused(void **state)
{
	struct spooled s;
	char why[IEUM_WHY_BYTES];
	struct ieum *c;

	(void)state;
	open_world(&s);
	start(&s);
	leave(&s);
	issue("gimpo-dusk");
	s.options.cert = world_path("participants/gimpo-dusk.crt");
	s.options.key = world_path("participants/gimpo-dusk.key");
	assert_int_equal(ieum_new(s.w.hub.w.base, &s.options, &c, why), IEUM_E_SPOOL_FOREIGN);
	assert_non_null(strstr(why, "it belongs to gimpo-ps at gimpo.ieum"));
	close_world(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_on_the_disk_before_it_is_sent),
		cmocka_unit_test(what_was_accepted_without_a_hub_is_sent_by_the_next_process),
		cmocka_unit_test(what_was_sent_without_a_receipt_is_sent_again_under_its_id),
		cmocka_unit_test(
			what_has_waited_too_long_for_its_id_gets_another_first_on_the_disk),
		cmocka_unit_test(what_a_wrong_clock_named_gets_an_id_of_the_hubs_time),
		cmocka_unit_test(what_a_hub_may_have_seen_keeps_its_id),
		cmocka_unit_test(what_was_refused_for_its_time_can_be_sent_again_under_another_id),
		cmocka_unit_test(what_is_adopted_while_connected_is_marked_before_it_is_sent),
		cmocka_unit_test(what_is_refused_when_nobody_waits_stays_to_be_seen),
		cmocka_unit_test(what_is_to_be_sealed_never_lies_there_in_clear),
		cmocka_unit_test(a_hub_restored_from_a_backup_gets_again_what_no_copy_covered),
		cmocka_unit_test(without_a_copy_the_newest_are_kept_and_the_others_told),
		cmocka_unit_test(a_full_spool_accepts_nothing_and_says_so),
		cmocka_unit_test(what_the_disk_does_not_take_is_told_and_not_sent),
		cmocka_unit_test(what_a_callback_submits_belongs_to_the_next_transaction),
		cmocka_unit_test(what_was_told_not_to_be_accepted_is_not_on_the_disk),
		cmocka_unit_test(what_cannot_be_changed_now_is_told_and_goes_later),
		cmocka_unit_test(a_disk_that_is_full_since_does_not_keep_the_hub_away),
		cmocka_unit_test(its_user_is_told_when_the_hub_has_been_away_for_long),
		cmocka_unit_test(
			a_delivery_is_settled_when_it_is_on_the_disk_and_handed_over_until_taken),
		cmocka_unit_test(a_repeat_after_a_restart_is_settled_again_and_not_handed_over),
		cmocka_unit_test(a_restored_hubs_escalation_is_no_repeat),
		cmocka_unit_test(no_more_are_handed_over_than_were_asked_for),
		cmocka_unit_test(a_delivery_without_room_is_handed_over_and_stays_with_the_hub),
		cmocka_unit_test(a_disk_that_is_full_since_hides_no_delivery),
		cmocka_unit_test(a_disk_that_breaks_hides_no_delivery),
		cmocka_unit_test(as_many_as_were_asked_for_holds_without_room_too),
		cmocka_unit_test(what_an_earlier_process_was_given_is_told),
		cmocka_unit_test(a_disk_that_is_full_since_hides_nothing_that_is_held),
		cmocka_unit_test(what_is_given_back_is_marked_here_too),
		cmocka_unit_test(what_is_taken_without_keeping_is_taken_on_the_spool_too),
		cmocka_unit_test(another_agencys_spool_is_refused),
	};

	return cmocka_run_group_tests(tests, world_certs_make, world_certs_remove);
}
