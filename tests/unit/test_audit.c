/* broker/audit: a sound journal is called sound, with the right account; whatever is changed in the
 * file afterwards is found, at its event.
 *
 * The journal is a real SQLite file, written through broker/journal and damaged through SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <sqlite3.h>

#include "broker/audit.h"
#include "broker/journal/journal.h"
#include "ieum/v1/event.pb-c.h"
#include "tests/unit/scratch.h"

/* Messages hold texts that could be written to. */
#define MUTABLE(text) ((char[]){ text })

enum { MESSAGES = 5, FIRST_MESSAGE = 4, AT_US = 1772000000 };

static const char PAYLOAD[] = "what the police wrote";

static char folder[SCRATCH_PATH_BYTES];
static char path[128];
static struct journal *journal;
static struct journal_batch *batch;
static int64_t at_us;

/* ---- writing a journal ---- */

/* Salts are all zeros here: what they are doesn't matter to an audit. */
static void add_with(Ieum__V1__Event *e, const char *payload)
{
	size_t n;
	uint8_t *kept;
	struct journal_event je = { 0 };

	e->at_us = at_us += 1000;
	n = ieum__v1__event__get_packed_size(e);
	kept = journal_batch_space(batch, n);
	assert_non_null(kept);
	ieum__v1__event__pack(e, kept);
	je.kept = kept;
	je.kept_len = n;
	if (payload) {
		je.payload = (const uint8_t *)payload;
		je.payload_len = strlen(payload);
	}
	assert_int_equal(journal_batch_add(batch, &je), IEUM_E_OK);
}

static void add(Ieum__V1__Event *e)
{
	add_with(e, NULL);
}

static void commit(void)
{
	batch->at_us = at_us;
	batch->first_seq = journal_last_seq(journal) + 1;
	assert_int_equal(journal_append(journal, batch), IEUM_E_OK);
	journal_batch_clear(batch);
}

static void add_start(void)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__HubStarted s = IEUM__V1__HUB_STARTED__INIT;
	uint8_t incarnation[16] = { 1 };

	s.software = MUTABLE("test");
	s.incarnation = (ProtobufCBinaryData){ sizeof incarnation, incarnation };
	e.what_case = IEUM__V1__EVENT__WHAT_HUB_STARTED;
	e.hub_started = &s;
	add(&e);
}

static void add_policy(void)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__PolicyChanged p = IEUM__V1__POLICY_CHANGED__INIT;
	Ieum__V1__NumberedName names[2] = { IEUM__V1__NUMBERED_NAME__INIT,
					    IEUM__V1__NUMBERED_NAME__INIT };
	Ieum__V1__NumberedName *list[] = { &names[0], &names[1] };
	uint8_t hash[32] = { 0 };

	names[0].number = 1;
	names[0].name = MUTABLE("gimpo-ps");
	names[1].number = 2;
	names[1].name = MUTABLE("legal-aid-1");
	p.hash = (ProtobufCBinaryData){ sizeof hash, hash };
	p.text = MUTABLE("hub: test");
	p.n_participants = p.n_mailboxes = 2;
	p.participants = p.mailboxes = list;
	p.settle_within_ms = 60000;
	e.what_case = IEUM__V1__EVENT__WHAT_POLICY_CHANGED;
	e.policy_changed = &p;
	add(&e);
}

static void add_connected(uint64_t number, uint32_t participant)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Connected c = IEUM__V1__CONNECTED__INIT;

	c.connection = number;
	c.participant = participant;
	c.actor = MUTABLE("duty desk");
	e.what_case = IEUM__V1__EVENT__WHAT_CONNECTED;
	e.connected = &c;
	add(&e);
}

static void add_message(uint8_t number, const char *payload)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__Submitted s = IEUM__V1__SUBMITTED__INIT;
	Ieum__V1__Route r = IEUM__V1__ROUTE__INIT;
	Ieum__V1__Route *routes[] = { &r };
	uint8_t id[16] = { 1, 0x95, 0, 0, 0, 0, 0x70, 0, 0x80, number };
	uint8_t hash[32], salted[JOURNAL_SALT_BYTES + 64] = { 0 };
	size_t n = strlen(payload);

	memcpy(salted + JOURNAL_SALT_BYTES, payload, n);
	SHA256(salted, JOURNAL_SALT_BYTES + n, hash);
	r.mailbox = 2;
	r.cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ADDRESSED;
	s.message_id = (ProtobufCBinaryData){ sizeof id, id };
	s.type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CASE_PLAN;
	s.sender = 1;
	s.connection = 1;
	s.sender_mailbox = 1;
	s.urgency = IEUM__V1__URGENCY__URGENCY_ROUTINE;
	s.payload_hash = (ProtobufCBinaryData){ sizeof hash, hash };
	s.payload_bytes = (uint32_t)n;
	s.n_routes = 1;
	s.routes = routes;
	e.what_case = IEUM__V1__EVENT__WHAT_SUBMITTED;
	e.submitted = &s;
	add_with(&e, payload);
}

static void add_released(uint64_t connection, uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesReleased r = IEUM__V1__DELIVERIES_RELEASED__INIT;

	r.connection = connection;
	r.n_deliveries = 1;
	r.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_RELEASED;
	e.released = &r;
	add(&e);
}

static void add_settled(uint64_t connection, uint64_t id)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__DeliveriesSettled s = IEUM__V1__DELIVERIES_SETTLED__INIT;

	s.connection = connection;
	s.n_deliveries = 1;
	s.deliveries = &id;
	e.what_case = IEUM__V1__EVENT__WHAT_SETTLED;
	e.settled = &s;
	add(&e);
}

static uint64_t delivery_of(uint64_t seq)
{
	return seq * 256;
}

static void add_erased(uint64_t seq)
{
	uint64_t delivery = delivery_of(seq);
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__PayloadErased p = IEUM__V1__PAYLOAD_ERASED__INIT;

	p.n_seqs = 1;
	p.seqs = &seq;
	p.n_withdrawn = 1;
	p.withdrawn = &delivery;
	e.what_case = IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED;
	e.payload_erased = &p;
	add(&e);
}

/* Events 1–4 start, policy, two connections; then five messages to legal-aid-1, of which the first
 * is settled and the second in flight. */
static int make(void **state)
{
	struct journal_config config = { .engine = "sqlite", .path = path, .create = true };

	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/journal.db", folder);
	config.incarnation[0] = 1;
	if (journal_open(&config, &journal))
		return -1;
	batch = journal_batch_new();
	at_us = AT_US;
	add_start();
	add_policy();
	commit();
	add_connected(1, 1);
	add_connected(2, 2);
	for (int i = 0; i < MESSAGES; i++)
		add_message((uint8_t)i, PAYLOAD);
	commit();
	add_released(2, delivery_of(FIRST_MESSAGE + 1));
	add_released(2, delivery_of(FIRST_MESSAGE + 2));
	add_settled(2, delivery_of(FIRST_MESSAGE + 1));
	commit();
	return 0;
}

static void close_journal(void)
{
	journal_batch_free(batch);
	journal_close(journal);
	batch = NULL;
	journal = NULL;
}

static int drop(void **state)
{
	(void)state;
	close_journal();
	scratch_remove(folder);
	return 0;
}

/* ---- damaging it ---- */

static void damage(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	close_journal();
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_not_equal(sqlite3_total_changes(db), 0);
	sqlite3_close(db);
}

static void assert_finds(uint64_t seq, const char *text)
{
	struct audit_options options = { 0 };
	struct audit a;

	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	assert_false(a.sound);
	if (!strstr(a.mismatch, text))
		fail_msg("'%s' is not about '%s'", a.mismatch, text);
	assert_int_equal(a.mismatch_seq, seq);
	audit_release(&a);
}

static void assert_sound(void)
{
	struct audit_options options = { 0 };
	struct audit a;

	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	if (!a.sound)
		fail_msg("event %llu: %s", (unsigned long long)a.mismatch_seq, a.mismatch);
	audit_release(&a);
}

/* ---- tests ---- */

static void a_sound_journal_is_accounted_for(void **state)
{
	struct audit_options options = { 0 };
	struct audit a;

	(void)state;
	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	assert_string_equal(a.mismatch, "");
	assert_true(a.sound);
	assert_int_equal(a.events, 12);
	assert_int_equal(a.commits, 3);
	assert_int_equal(a.messages, MESSAGES);
	assert_int_equal(a.payloads_checked, MESSAGES);
	assert_int_equal(a.payloads_erased, 0);
	assert_int_equal(a.first_at_us, AT_US + 1000);
	assert_int_equal(a.last_at_us, AT_US + 12000);
	assert_int_equal(a.incarnation[0], 1);
	assert_int_equal(a.n_mailboxes, 2);
	assert_string_equal(a.mailboxes[0].name, "gimpo-ps");
	assert_int_equal(a.mailboxes[0].routed, 0);
	assert_string_equal(a.mailboxes[1].name, "legal-aid-1");
	assert_int_equal(a.mailboxes[1].routed, 5);
	assert_int_equal(a.mailboxes[1].queued, 3);
	assert_int_equal(a.mailboxes[1].in_flight, 1);
	assert_int_equal(a.mailboxes[1].settled, 1);
	audit_release(&a);
}

/* The hub is killed: nobody closes the journal, its write-ahead log lies beside it. */
static void a_copy_beside_a_running_hub_verifies(void **state)
{
	(void)state;
	assert_sound();
	assert_int_equal(scratch_shell("cd %s && mkdir killed && cp journal.db* killed/", folder),
			 0);
	snprintf(path, sizeof path, "%s/killed/journal.db", folder);
	assert_sound();
}

static void a_changed_message_is_found(void **state)
{
	(void)state;
	damage("UPDATE payload SET bytes = CAST('what nobody ever said' AS BLOB) WHERE seq = 6");
	assert_finds(6, "not the one that was recorded");
}

static void a_removed_message_is_found(void **state)
{
	(void)state;
	damage("DELETE FROM payload WHERE seq = 7");
	assert_finds(7, "missing");
}

static void a_changed_event_is_found(void **state)
{
	(void)state;
	damage("DROP TRIGGER event_kept;"
	       "UPDATE event SET kept = CAST(replace(CAST(kept AS TEXT), 'duty desk', 'duty dusk')"
	       " AS BLOB) WHERE seq = 3");
	assert_finds(9, "do not give the root");
}

static void a_removed_event_is_found(void **state)
{
	(void)state;
	damage("DROP TRIGGER event_stays; DELETE FROM event WHERE seq = 5");
	assert_finds(5, "event 5 is missing");
}

static void an_erasure_without_an_event_is_found(void **state)
{
	(void)state;
	assert_int_equal(journal_payload_erase(journal, 6), IEUM_E_OK);
	assert_finds(6, "no event says so");
}

static void an_erasure_with_its_event_is_sound(void **state)
{
	(void)state;
	assert_int_equal(journal_batch_erase(batch, 6), IEUM_E_OK);
	add_erased(6);
	commit();
	assert_sound();
}

static void an_erasure_that_never_happened_is_found(void **state)
{
	(void)state;
	add_erased(6);
	commit();
	assert_finds(13, "still there");
}

static void a_settle_without_a_release_is_found(void **state)
{
	(void)state;
	add_settled(2, delivery_of(FIRST_MESSAGE + 3));
	commit();
	assert_finds(13, "never released");
}

static void time_that_runs_backwards_is_found(void **state)
{
	(void)state;
	at_us -= 50000;
	add_connected(3, 1);
	commit();
	assert_finds(13, "before that of the event before");
}

static void what_only_the_state_knows_is_found(void **state)
{
	Ieum__V1__Event e = IEUM__V1__EVENT__INIT;
	Ieum__V1__CaseChanged c = IEUM__V1__CASE_CHANGED__INIT;
	uint8_t id[16] = { 9 };

	(void)state;
	c.case_id = (ProtobufCBinaryData){ sizeof id, id };
	c.state = IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
	e.what_case = IEUM__V1__EVENT__WHAT_CASE_CHANGED;
	e.case_changed = &c;
	add(&e);
	commit();
	assert_finds(13, "contradicts");
}

static void an_earlier_root_holds_the_past(void **state)
{
	struct audit_options options = { 0 };
	struct audit a;

	(void)state;
	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	options.earlier_size = a.events;
	memcpy(options.earlier_root, a.root, sizeof a.root);
	audit_release(&a);
	add_connected(3, 1);
	commit();
	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	assert_true(a.sound);
	audit_release(&a);
	options.earlier_root[0] ^= 1;
	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	assert_false(a.sound);
	assert_non_null(strstr(a.mismatch, "the past was changed"));
	audit_release(&a);
	options.earlier_size = 1000;
	assert_int_equal(audit_run(path, &options, &a), IEUM_E_OK);
	assert_false(a.sound);
	assert_non_null(strstr(a.mismatch, "its end was cut off"));
	audit_release(&a);
}

static void a_file_that_is_no_journal_is_said(void **state)
{
	struct audit_options options = { 0 };
	struct audit a;

	(void)state;
	assert_int_equal(audit_run("/nonexistent/journal.db", &options, &a),
			 IEUM_E_FILE_UNREADABLE);
	assert_int_not_equal(audit_run("/etc/hostname", &options, &a), IEUM_E_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sound_journal_is_accounted_for, make, drop),
		cmocka_unit_test_setup_teardown(a_copy_beside_a_running_hub_verifies, make, drop),
		cmocka_unit_test_setup_teardown(a_changed_message_is_found, make, drop),
		cmocka_unit_test_setup_teardown(a_removed_message_is_found, make, drop),
		cmocka_unit_test_setup_teardown(a_changed_event_is_found, make, drop),
		cmocka_unit_test_setup_teardown(a_removed_event_is_found, make, drop),
		cmocka_unit_test_setup_teardown(an_erasure_without_an_event_is_found, make, drop),
		cmocka_unit_test_setup_teardown(an_erasure_with_its_event_is_sound, make, drop),
		cmocka_unit_test_setup_teardown(an_erasure_that_never_happened_is_found, make,
						drop),
		cmocka_unit_test_setup_teardown(a_settle_without_a_release_is_found, make, drop),
		cmocka_unit_test_setup_teardown(time_that_runs_backwards_is_found, make, drop),
		cmocka_unit_test_setup_teardown(what_only_the_state_knows_is_found, make, drop),
		cmocka_unit_test_setup_teardown(an_earlier_root_holds_the_past, make, drop),
		cmocka_unit_test_setup_teardown(a_file_that_is_no_journal_is_said, make, drop),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
