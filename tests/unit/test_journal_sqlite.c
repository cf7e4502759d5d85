/* What only the SQLite engine has: files, versions, tampering, checkpoints, erased bytes, the golden journal.
 *
 * `test_journal_sqlite --make-golden FILE` writes the fixture anew (a new format only). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "broker/journal/journal.h"
#include "tests/unit/scratch.h"

#define GOLDEN "tests/fixtures/journal/v1.db"
/* One more than JOURNAL_SCHEMA_VERSION. */
#define NEWER_VERSION "PRAGMA user_version = 3"
/* As computed by another program from the twelve texts. */
#define GOLDEN_ROOT "b21405aa5fb4bbca42e98782c7db740257b8c25543308ad725a1cc49eb3d4ff3"

struct place {
	char folder[SCRATCH_PATH_BYTES];
	char path[64];
	size_t wal_mark_bytes;
	char incarnation[JOURNAL_INCARNATION_BYTES]; /* given at the next open */
	struct journal *j;
	struct journal_batch *b;
	char log[2048]; /* all lines */
};

static void keep_lines(void *ctx, const char *line)
{
	struct place *p = ctx;
	size_t n = strlen(p->log);

	snprintf(p->log + n, sizeof p->log - n, "%s\n", line);
}

static struct journal_config config_of(struct place *p)
{
	struct journal_config config = { .engine = "sqlite",
					 .path = p->path,
					 .create = true,
					 .log_cb = keep_lines,
					 .log_ctx = p,
					 .sqlite_wal_mark_bytes = p->wal_mark_bytes };
	memcpy(config.incarnation, p->incarnation, sizeof config.incarnation);
	return config;
}

static enum ieum_err try_open(struct place *p, bool read_only)
{
	struct journal_config config = config_of(p);

	journal_close(p->j);
	config.read_only = read_only;
	p->log[0] = '\0';
	return journal_open(&config, &p->j);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	scratch_make(p->folder);
	snprintf(p->path, sizeof p->path, "%s/j", p->folder);
	p->b = journal_batch_new();
	*state = p;
	strcpy(p->incarnation, "golden journal!");
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	strcpy(p->incarnation, "the second one!");
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	journal_close(p->j);
	journal_batch_free(p->b);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static struct journal_batch *batch_of(struct place *p, size_t n, size_t payload_len)
{
	static const uint8_t filling[8192];

	journal_batch_clear(p->b);
	p->b->first_seq = journal_last_seq(p->j) + 1;
	p->b->at_us = 1700000000000000 + (int64_t)p->b->first_seq;
	for (size_t i = 0; i < n; i++) {
		struct journal_event e = { .payload = filling, .payload_len = payload_len };
		uint8_t *kept = journal_batch_space(p->b, 32);

		unsigned long long seq = p->b->first_seq + i;

		e.kept = kept;
		e.kept_len = (size_t)snprintf((char *)kept, 32, "golden event %llu", seq);
		assert_int_equal(journal_batch_add(p->b, &e), IEUM_E_OK);
	}
	return p->b;
}

static void append(struct place *p, size_t n)
{
	assert_int_equal(journal_append(p->j, batch_of(p, n, 100)), IEUM_E_OK);
}

/* As an intruder, or another tool, would. */
static void raw(struct place *p, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &why);
	if (why)
		print_error("%s\n", why);
	assert_null(why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_private(const char *path, const char *suffix)
{
	char name[128];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void files_are_private(void **state)
{
	struct place *p = *state;

	append(p, 3);
	assert_int_equal(journal_snapshot_put(p->j, 3, 1, "state", 5), IEUM_E_OK);
	assert_private(p->path, "");
	assert_private(p->path, "-wal");
	assert_private(p->path, "-lock");
	assert_private(p->path, ".snapshot-00000000000000000003");
}

static void a_newer_version_is_refused(void **state)
{
	struct place *p = *state;

	append(p, 1);
	raw(p, NEWER_VERSION);
	assert_int_equal(try_open(p, false), IEUM_E_JOURNAL_VERSION);
	assert_non_null(strstr(p->log, "use a newer ieum"));
	assert_int_equal(try_open(p, true), IEUM_E_JOURNAL_VERSION);
}

static void what_is_no_journal_is_refused(void **state)
{
	struct place *p = *state;

	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(
		scratch_shell(
			"rm %s; echo 'this is a text, and long enough to be looked at as a database' > %s",
			p->path, p->path),
		0);
	assert_int_equal(try_open(p, false), IEUM_E_JOURNAL_CORRUPT);
	assert_int_equal(
		scratch_shell("rm %s; sqlite3 %s 'CREATE TABLE other(x)'", p->path, p->path), 0);
	assert_int_equal(try_open(p, false), IEUM_E_JOURNAL_CORRUPT);
	assert_non_null(strstr(p->log, "not an ieum journal"));
	/* An empty file is what a crash in the middle of creating leaves. */
	assert_int_equal(scratch_shell("rm %s; touch %s", p->path, p->path), 0);
	assert_int_equal(try_open(p, true), IEUM_E_JOURNAL_CORRUPT);
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	append(p, 1);
}

static void rows_cannot_be_changed_by_a_slip(void **state)
{
	struct place *p = *state;
	static const char *const slips[] = { "UPDATE event SET kept = x'00'", "DELETE FROM event",
					     "UPDATE tree SET at_us = 0", "DELETE FROM tree" };
	sqlite3 *db;

	append(p, 3);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++)
		assert_int_equal(sqlite3_exec(db, slips[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
	sqlite3_close(db);
}

/* Four commits of five; tampered with; looked at by an auditor, then opened to write. */
static void tampered(struct place *p, const char *sql, struct journal_verdict *v)
{
	for (int i = 0; i < 4; i++)
		append(p, 5);
	raw(p,
	    "DROP TRIGGER event_kept; DROP TRIGGER event_stays; DROP TRIGGER tree_kept; DROP TRIGGER tree_stays");
	raw(p, sql);
	assert_int_equal(try_open(p, true), IEUM_E_OK);
	assert_int_equal(journal_verify(p->j, NULL, NULL, v), IEUM_E_OK);
	assert_int_equal(try_open(p, false), IEUM_E_JOURNAL_CORRUPT);
}

static void a_changed_event_is_found(void **state)
{
	struct journal_verdict v;

	tampered(*state, "UPDATE event SET kept = x'00' WHERE seq = 7", &v);
	assert_int_equal(v.finding, JOURNAL_ROOT_MISMATCH);
	assert_int_equal(v.from_seq, 5);
	assert_int_equal(v.seq, 10);
}

static void a_missing_event_is_found(void **state)
{
	struct journal_verdict v;

	tampered(*state, "DELETE FROM event WHERE seq = 12", &v);
	assert_int_equal(v.finding, JOURNAL_GAP);
	assert_int_equal(v.expected_seq, 12);
	assert_int_equal(v.found_seq, 13);
}

static void a_missing_end_is_found(void **state)
{
	struct journal_verdict v;

	tampered(*state, "DELETE FROM event WHERE seq > 18", &v);
	assert_int_equal(v.finding, JOURNAL_GAP);
	assert_int_equal(v.expected_seq, 19);
	assert_int_equal(v.found_seq, 0);
}

static void an_added_event_is_found(void **state)
{
	struct journal_verdict v;

	tampered(*state, "INSERT INTO event VALUES(21, x'00')", &v);
	assert_int_equal(v.finding, JOURNAL_UNCOMMITTED);
	assert_int_equal(v.seq, 21);
	assert_int_equal(v.events, 20);
}

static void a_changed_root_is_found(void **state)
{
	struct journal_verdict v;

	tampered(*state, "UPDATE tree SET root = zeroblob(32) WHERE size = 20", &v);
	assert_int_equal(v.finding, JOURNAL_ROOT_MISMATCH);
	assert_int_equal(v.seq, 20);
	assert_int_equal(v.commits, 3);
}

static void an_overtaken_writer_is_fenced(void **state)
{
	struct place *p = *state;

	append(p, 1);
	raw(p, "UPDATE meta SET epoch = epoch + 1");
	assert_int_equal(journal_append(p->j, batch_of(p, 1, 0)), IEUM_E_JOURNAL_FENCED);
	assert_int_equal(journal_append(p->j, batch_of(p, 1, 0)), IEUM_E_JOURNAL_FENCED);
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(journal_last_seq(p->j), 1);
}

static void another_tool_in_the_way_is_waited_for(void **state)
{
	struct place *p = *state;
	sqlite3 *db;

	append(p, 1);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	batch_of(p, 2, 100);
	assert_int_equal(journal_append(p->j, p->b), IEUM_E_UNAVAILABLE);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(journal_append(p->j, p->b), IEUM_E_OK);
	assert_int_equal(journal_last_seq(p->j), 3);
}

/* How often the WAL has started anew: bytes 12..15 of its header, big-endian. */
static unsigned wal_restarts(struct place *p)
{
	char name[80];
	uint8_t head[16] = { 0 };

	snprintf(name, sizeof name, "%s-wal", p->path);
	FILE *f = fopen(name, "rb");
	if (f) {
		(void)!fread(head, sizeof head, 1, f);
		fclose(f);
	}
	return (unsigned)head[12] << 24 | (unsigned)head[13] << 16 | (unsigned)head[14] << 8 |
	       head[15];
}

static void the_wal_is_used_again_while_commits_go_on(void **state)
{
	struct place *p = *state;
	unsigned first;

	p->wal_mark_bytes = 256 << 10;
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	append(p, 1);
	first = wal_restarts(p);
	for (int i = 0; i < 20000 && wal_restarts(p) < first + 4; i++) {
		assert_int_equal(journal_append(p->j, batch_of(p, 4, 8000)), IEUM_E_OK);
		assert_int_equal(journal_maintain(p->j, false), IEUM_E_OK);
	}
	assert_true(wal_restarts(p) >= first + 4);
	struct journal_verdict v;
	assert_int_equal(journal_verify(p->j, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
}

static bool on_disk(struct place *p, const char *text)
{
	return scratch_shell("grep -rqaF '%s' %s", text, p->folder) == 0;
}

/* Events 1 to 3, and the fourth with a payload that can be looked for. */
static enum ieum_err append_words(struct place *p)
{
	struct journal_event e = { .kept = (const uint8_t *)"k", .kept_len = 1 };
	static uint8_t payload[3000];

	memset(payload, '.', sizeof payload);
	memcpy(payload + 2000, "the child said that", 19);
	e.payload = payload;
	e.payload_len = sizeof payload;
	batch_of(p, 3, 10);
	assert_int_equal(journal_batch_add(p->b, &e), IEUM_E_OK);
	return journal_append(p->j, p->b);
}

static void erased_bytes_are_gone_from_the_disk(void **state)
{
	struct place *p = *state;

	assert_int_equal(append_words(p), IEUM_E_OK);
	assert_true(on_disk(p, "the child said that"));
	assert_int_equal(journal_payload_erase(p->j, 4), IEUM_E_OK);
	assert_int_equal(journal_maintain(p->j, true), IEUM_E_OK);
	assert_false(on_disk(p, "the child said that"));
	assert_true(on_disk(p, "golden event 3"));
}

/* Killed between the commit of an erasure and the checkpoint that takes the bytes away. */
static void what_a_killed_hub_erased_goes_at_the_next_start(void **state)
{
	struct place *p = *state;
	int status;

	journal_close(p->j);
	p->j = NULL;
	pid_t hub = fork();
	assert_true(hub >= 0);
	if (hub == 0) {
		if (try_open(p, false) || append_words(p) || journal_payload_erase(p->j, 4))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(hub, &status, 0), hub);
	assert_int_equal(status, 0);
	assert_true(on_disk(p, "the child said that"));
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(journal_maintain(p->j, true), IEUM_E_OK);
	assert_false(on_disk(p, "the child said that"));
	assert_true(on_disk(p, "golden event 3"));
}

struct meddler {
	struct place *p;
	uint64_t seen;
};

static enum ieum_err append_meanwhile(void *ctx, const struct journal_record *r)
{
	struct meddler *m = ctx;

	m->seen = r->seq;
	if (r->seq % 50 == 0) {
		append(m->p, 10);
		assert_int_equal(journal_maintain(m->p->j, true), IEUM_E_OK);
	}
	return IEUM_E_OK;
}

static void a_verification_runs_beside_the_writer(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);
	struct meddler m = { .p = p };
	struct journal_verdict v;
	struct journal *reader;

	p->wal_mark_bytes = 1;
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	append(p, 5000);
	config.read_only = true;
	assert_int_equal(journal_open(&config, &reader), IEUM_E_OK);
	assert_int_equal(journal_verify(reader, append_meanwhile, &m, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.events, 5000);
	assert_int_equal(m.seen, 5000);
	journal_close(reader);
	assert_int_equal(journal_last_seq(p->j), 6000);
}

/* The hub was killed: the newest commits are in the WAL only, no one has recovered it yet. */
static void an_auditor_reads_what_a_killed_hub_left(void **state)
{
	struct place *p = *state;
	struct journal_verdict v;
	int status;

	journal_close(p->j);
	p->j = NULL;
	pid_t hub = fork();
	assert_true(hub >= 0);
	if (hub == 0) {
		if (try_open(p, false) || journal_append(p->j, batch_of(p, 5, 100)))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(hub, &status, 0), hub);
	assert_int_equal(status, 0);
	assert_int_equal(scratch_shell("test -s %s-wal", p->path), 0);
	assert_int_equal(try_open(p, true), IEUM_E_OK);
	assert_int_equal(journal_verify(p->j, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.events, 5);
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(journal_last_seq(p->j), 5);
}

static uint64_t newest_snapshot(struct place *p)
{
	uint64_t seq;
	uint8_t *bytes;
	size_t len;

	p->log[0] = '\0';
	assert_int_equal(journal_snapshot_get(p->j, 1, &seq, &bytes, &len), IEUM_E_OK);
	free(bytes);
	return seq;
}

static void a_damaged_snapshot_is_passed_over(void **state)
{
	struct place *p = *state;

	append(p, 30);
	assert_int_equal(journal_snapshot_put(p->j, 10, 1, "ten", 3), IEUM_E_OK);
	assert_int_equal(journal_snapshot_put(p->j, 20, 1, "twenty", 6), IEUM_E_OK);
	assert_int_equal(scratch_shell("touch %s.snapshot-tmp %s.snapshot-00000000000000000025.tmp",
				       p->path, p->path),
			 0);
	assert_int_equal(newest_snapshot(p), 20);
	assert_string_equal(p->log, "");
	assert_int_equal(scratch_shell("cp %s.snapshot-00000000000000000020 %s/keep", p->path,
				       p->folder),
			 0);
	assert_int_equal(
		scratch_shell(
			"printf X | dd of=%s.snapshot-00000000000000000020 bs=1 seek=115 conv=notrunc status=none",
			p->path),
		0);
	assert_int_equal(newest_snapshot(p), 10);
	assert_non_null(strstr(p->log, "checksum"));
	assert_int_equal(scratch_shell("truncate -s 40 %s.snapshot-00000000000000000020", p->path),
			 0);
	assert_int_equal(newest_snapshot(p), 10);
	assert_non_null(strstr(p->log, "cut short"));
	assert_int_equal(scratch_shell("cp %s/keep %s.snapshot-00000000000000000025", p->folder,
				       p->path),
			 0);
	assert_int_equal(newest_snapshot(p), 10);
	assert_non_null(strstr(p->log, "name and content differ"));
	assert_int_equal(scratch_shell("rm %s.snapshot-00000000000000000010", p->path), 0);
	assert_int_equal(newest_snapshot(p), 0);
}

static void a_snapshot_of_a_lost_future_is_passed_over(void **state)
{
	struct place *p = *state;

	append(p, 10);
	assert_int_equal(journal_snapshot_put(p->j, 10, 1, "ten", 3), IEUM_E_OK);
	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(scratch_shell("cp %s %s.backup", p->path, p->path), 0);
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	append(p, 10);
	assert_int_equal(journal_snapshot_put(p->j, 20, 1, "twenty", 6), IEUM_E_OK);
	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(scratch_shell("cp %s.backup %s", p->path, p->path), 0);
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(newest_snapshot(p), 10);
	assert_non_null(strstr(p->log, "another history"));
	/* The new history grows to the same size, with other events. */
	batch_of(p, 10, 0);
	p->b->events[3].kept_len--;
	assert_int_equal(journal_append(p->j, p->b), IEUM_E_OK);
	assert_int_equal(newest_snapshot(p), 10);
	assert_non_null(strstr(p->log, "another history"));
	/* The next one drops it. */
	assert_int_equal(journal_snapshot_put(p->j, 15, 1, "fifteen", 7), IEUM_E_OK);
	assert_int_equal(newest_snapshot(p), 15);
	assert_string_equal(p->log, "");
}

static enum ieum_err golden_event(void *ctx, const struct journal_record *r)
{
	uint64_t *next = ctx;
	char text[32];
	size_t n = (size_t)snprintf(text, sizeof text, "golden event %llu",
				    (unsigned long long)r->seq);

	assert_int_equal(r->seq, ++*next);
	assert_int_equal(r->kept_len, n);
	assert_memory_equal(r->kept, text, n);
	assert_int_equal(r->payload_erased, r->seq == 2);
	if (r->seq != 2)
		assert_int_equal(r->payload_len, 100);
	return IEUM_E_OK;
}

/* Journals written by every released format must stay readable. */
static void the_golden_journal_opens(void **state)
{
	struct place *p = *state;
	char hex[2 * MERKLE_HASH_BYTES + 1];
	struct journal_verdict v;
	struct merkle_hash root;
	uint64_t seen = 0;

	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(scratch_shell("rm -f %s-wal; cp " GOLDEN " %s", p->path, p->path), 0);
	/* Looking changes nothing: an auditor's ieum may be newer than the hub's. */
	assert_int_equal(try_open(p, true), IEUM_E_OK);
	assert_int_equal(journal_info(p->j)->schema_version, 1);
	assert_int_equal(try_open(p, true), IEUM_E_OK);
	assert_int_equal(journal_info(p->j)->schema_version, 1);
	/* Writing raises it: the ieum that wrote the fixture refuses it from then on. */
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(journal_info(p->j)->schema_version, JOURNAL_SCHEMA_VERSION);
	assert_non_null(strstr(p->log, "an older ieum can't open it any more"));
	assert_int_equal(try_open(p, false), IEUM_E_OK);
	assert_int_equal(journal_info(p->j)->schema_version, JOURNAL_SCHEMA_VERSION);
	assert_string_equal(p->log, "");
	assert_int_equal(journal_root(p->j, &root), 12);
	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", root.bytes[i]);
	assert_string_equal(hex, GOLDEN_ROOT);
	assert_string_equal((const char *)journal_info(p->j)->incarnation, "golden journal!");
	assert_int_equal(journal_verify(p->j, golden_event, &seen, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.commits, 3);
	append(p, 1);
	assert_int_equal(journal_last_seq(p->j), 13);
}

static int make_golden(const char *file)
{
	struct place *p;
	void *state;

	set_up(&state);
	p = state;
	append(p, 1);
	append(p, 7);
	append(p, 4);
	assert_int_equal(journal_payload_erase(p->j, 2), IEUM_E_OK);
	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(scratch_shell("cp %s %s", p->path, file), 0);
	return tear_down(&state);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(files_are_private),
		TEST(a_newer_version_is_refused),
		TEST(what_is_no_journal_is_refused),
		TEST(rows_cannot_be_changed_by_a_slip),
		TEST(a_changed_event_is_found),
		TEST(a_missing_event_is_found),
		TEST(a_missing_end_is_found),
		TEST(an_added_event_is_found),
		TEST(a_changed_root_is_found),
		TEST(an_overtaken_writer_is_fenced),
		TEST(another_tool_in_the_way_is_waited_for),
		TEST(the_wal_is_used_again_while_commits_go_on),
		TEST(erased_bytes_are_gone_from_the_disk),
		TEST(what_a_killed_hub_erased_goes_at_the_next_start),
		TEST(a_verification_runs_beside_the_writer),
		TEST(an_auditor_reads_what_a_killed_hub_left),
		TEST(a_damaged_snapshot_is_passed_over),
		TEST(a_snapshot_of_a_lost_future_is_passed_over),
		TEST(the_golden_journal_opens),
	};

	if (argc == 3 && strcmp(argv[1], "--make-golden") == 0)
		return make_golden(argv[2]);
	return cmocka_run_group_tests_name("journal_sqlite", tests, NULL, NULL);
}
