/* The contract of every journal engine: the same tests on each.  A new engine is added to ENGINES. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/journal/journal.h"
#include "broker/journal/memory.h"
#include "tests/unit/scratch.h"

#define ENGINES(X) X("sqlite") X("memory")

/* Where one test's journal lives; survives close and open. */
struct place {
	const char *engine;
	char folder[SCRATCH_PATH_BYTES];
	char path[2 * SCRATCH_PATH_BYTES];
	struct memory_disk *disk;
	struct journal *j;
	char log[512]; /* the last line */
};

static void keep_line(void *ctx, const char *line)
{
	struct place *p = ctx;

	snprintf(p->log, sizeof p->log, "%s", line);
}

static struct journal_config config_of(struct place *p)
{
	return (struct journal_config){ .engine = p->engine,
					.path = p->path,
					.disk = p->disk,
					.create = true,
					.incarnation = "incarnation one",
					.log_cb = keep_line,
					.log_ctx = p };
}

static void open_again(struct place *p)
{
	struct journal_config config = config_of(p);

	journal_close(p->j);
	p->j = NULL;
	assert_int_equal(journal_open(&config, &p->j), IEUM_E_OK);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	p->engine = *state;
	scratch_make(p->folder);
	snprintf(p->path, sizeof p->path, "%s/j", p->folder);
	p->disk = memory_disk_new();
	*state = p;
	open_again(p);
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	journal_close(p->j);
	memory_disk_free(p->disk);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

/* Event n of every test: kept "event n", payload "payload n" of n bytes more for odd n. */
static size_t kept_text(uint64_t n, char out[32])
{
	return (size_t)snprintf(out, 32, "event %llu", (unsigned long long)n);
}

static size_t payload_text(uint64_t n, uint8_t *out)
{
	size_t len = (size_t)(n * 37 % 3000);

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(n + i);
	return len;
}

static struct journal_batch *batch_of(struct journal *j, size_t n)
{
	struct journal_batch *b = journal_batch_new();

	assert_non_null(b);
	b->first_seq = journal_last_seq(j) + 1;
	b->at_us = 1700000000000000 + (int64_t)b->first_seq;
	for (size_t i = 0; i < n; i++) {
		uint64_t seq = b->first_seq + i;
		struct journal_event e = { 0 };
		uint8_t *kept = journal_batch_space(b, 32);

		assert_non_null(kept);
		e.kept = kept;
		e.kept_len = kept_text(seq, (char *)kept);
		journal_batch_space_trim(b, 32 - e.kept_len);
		if (seq % 2) {
			uint8_t *payload = journal_batch_space(b, 3000);

			assert_non_null(payload);
			e.payload = payload;
			e.payload_len = payload_text(seq, payload);
			memset(e.salt, (int)(seq & 0xff), sizeof e.salt);
		}
		assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	}
	return b;
}

static void append(struct journal *j, size_t n)
{
	struct journal_batch *b = batch_of(j, n);

	assert_int_equal(journal_append(j, b), IEUM_E_OK);
	journal_batch_free(b);
}

static struct merkle_hash root_of(uint64_t size)
{
	struct merkle m;

	merkle_init(&m);
	for (uint64_t seq = 1; seq <= size; seq++) {
		char text[32];
		size_t n = kept_text(seq, text);
		struct merkle_hash leaf = merkle_leaf(text, n);

		merkle_append(&m, &leaf);
	}
	return merkle_root(&m);
}

static void assert_root(struct journal *j, uint64_t size)
{
	struct merkle_hash expected = root_of(size);
	struct merkle_hash found;

	assert_int_equal(journal_root(j, &found), size);
	assert_int_equal(journal_last_seq(j), size);
	assert_memory_equal(expected.bytes, found.bytes, MERKLE_HASH_BYTES);
}

struct seen {
	uint64_t next;
	uint64_t stop_at; /* refuse this one */
	bool payloads;
	bool presence;
	uint64_t erased;
};

static enum ieum_err see(void *ctx, const struct journal_record *r)
{
	struct seen *s = ctx;
	char text[32];
	uint8_t payload[3000];

	assert_int_equal(r->seq, s->next);
	assert_int_equal(r->kept_len, kept_text(r->seq, text));
	assert_memory_equal(r->kept, text, r->kept_len);
	if (r->seq == s->stop_at)
		return IEUM_E_TIMED_OUT;
	s->next++;
	if (s->payloads && r->payload_erased) {
		s->erased++;
		assert_null(r->payload);
		assert_null(r->salt);
	} else if (s->payloads && r->seq % 2) {
		assert_int_equal(r->payload_len, payload_text(r->seq, payload));
		assert_memory_equal(r->payload, payload, r->payload_len);
		assert_int_equal(r->salt[JOURNAL_SALT_BYTES - 1], r->seq & 0xff);
	} else {
		assert_null(r->payload);
	}
	if (s->presence && r->seq % 2 && !r->has_payload)
		s->erased++;
	if (s->presence && r->seq % 2 == 0)
		assert_false(r->has_payload);
	return IEUM_E_OK;
}

static void a_new_journal_is_empty(void **state)
{
	struct place *p = *state;
	struct seen seen = { .next = 1 };
	struct merkle empty;
	struct merkle_hash root;

	merkle_init(&empty);
	assert_int_equal(journal_root(p->j, &root), 0);
	struct merkle_hash expected = merkle_root(&empty);
	assert_memory_equal(root.bytes, expected.bytes, MERKLE_HASH_BYTES);
	assert_int_equal(journal_load(p->j, 1, UINT64_MAX, 0, see, &seen), IEUM_E_OK);
	assert_int_equal(seen.next, 1);
	assert_string_equal((const char *)journal_info(p->j)->incarnation, "incarnation one");
	assert_int_equal(journal_info(p->j)->schema_version, JOURNAL_SCHEMA_VERSION);
	assert_false(journal_info(p->j)->drill);
	assert_int_equal(journal_info(p->j)->epoch, 1);
}

static void what_was_appended_is_found_after_reopening(void **state)
{
	static const size_t sizes[] = { 1, 2, 64, 1, 5000, 3, 700 };
	struct place *p = *state;
	uint64_t size = 0;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct journal_batch *b = batch_of(p->j, sizes[i]);
		struct merkle_hash root;

		assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
		size += sizes[i];
		assert_int_equal(b->tree_size, size);
		root = root_of(size);
		assert_memory_equal(b->tree_root, root.bytes, MERKLE_HASH_BYTES);
		journal_batch_free(b);
		assert_root(p->j, size);
	}
	open_again(p);
	assert_root(p->j, size);
	assert_int_equal(journal_info(p->j)->epoch, 2);
	struct seen seen = { .next = 1, .payloads = true };
	assert_int_equal(journal_load(p->j, 1, UINT64_MAX, JOURNAL_LOAD_PAYLOADS, see, &seen),
			 IEUM_E_OK);
	assert_int_equal(seen.next, size + 1);
	/* And goes on from there, over another reopening. */
	append(p->j, 10);
	open_again(p);
	assert_root(p->j, size + 10);
}

static void a_load_keeps_to_its_range_and_stops_when_told(void **state)
{
	struct place *p = *state;
	struct seen seen = { .next = 17 };

	append(p->j, 100);
	assert_int_equal(journal_load(p->j, 17, 40, 0, see, &seen), IEUM_E_OK);
	assert_int_equal(seen.next, 41);
	assert_int_equal(journal_load(p->j, 41, 41, 0, see, &seen), IEUM_E_OK);
	assert_int_equal(seen.next, 42);
	seen.stop_at = 60;
	assert_int_equal(journal_load(p->j, 42, UINT64_MAX, 0, see, &seen), IEUM_E_TIMED_OUT);
	assert_int_equal(seen.next, 60);
	assert_int_equal(journal_load(p->j, 101, UINT64_MAX, 0, see, &seen), IEUM_E_OK);
	assert_int_equal(seen.next, 60);
}

static void a_batch_must_follow_the_last(void **state)
{
	struct place *p = *state;
	struct journal_batch *b = batch_of(p->j, 3);

	b->first_seq = 2;
	assert_int_equal(journal_append(p->j, b), IEUM_E_INTERNAL);
	b->first_seq = 1;
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	assert_int_equal(journal_append(p->j, b), IEUM_E_INTERNAL);
	assert_root(p->j, 3);
	journal_batch_free(b);
}

static void assert_payload(struct journal *j, uint64_t seq)
{
	uint8_t salt[JOURNAL_SALT_BYTES];
	uint8_t expected[3000];
	uint8_t *bytes;
	size_t len;

	assert_int_equal(journal_payload_read(j, seq, salt, &bytes, &len), IEUM_E_OK);
	assert_non_null(bytes);
	assert_int_equal(len, payload_text(seq, expected));
	assert_memory_equal(bytes, expected, len);
	assert_int_equal(salt[0], seq & 0xff);
	free(bytes);
}

static void payloads_are_read_and_erased_apart_from_the_evidence(void **state)
{
	struct place *p = *state;
	uint8_t salt[JOURNAL_SALT_BYTES];
	uint8_t *bytes;
	size_t len;

	append(p->j, 20);
	assert_payload(p->j, 7);
	assert_int_equal(journal_payload_read(p->j, 8, salt, &bytes, &len), IEUM_E_OK);
	assert_null(bytes);
	assert_int_equal(journal_payload_read(p->j, 0, salt, &bytes, &len), IEUM_E_FIELD_INVALID);
	assert_int_equal(journal_payload_read(p->j, 21, salt, &bytes, &len), IEUM_E_FIELD_INVALID);

	/* One by itself, one in a batch with the event that tells of it. */
	assert_int_equal(journal_payload_erase(p->j, 7), IEUM_E_OK);
	assert_int_equal(journal_payload_erase(p->j, 7), IEUM_E_OK);
	assert_int_equal(journal_payload_erase(p->j, 8), IEUM_E_OK);
	struct journal_batch *b = batch_of(p->j, 1);
	assert_int_equal(journal_batch_erase(b, 9), IEUM_E_OK);
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	journal_batch_free(b);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(journal_payload_read(p->j, 7, salt, &bytes, &len),
				 IEUM_E_PAYLOAD_ERASED);
		assert_int_equal(journal_payload_read(p->j, 9, salt, &bytes, &len),
				 IEUM_E_PAYLOAD_ERASED);
		assert_int_equal(journal_payload_read(p->j, 8, salt, &bytes, &len), IEUM_E_OK);
		assert_null(bytes);
		assert_payload(p->j, 11);
		assert_root(p->j, 21);
		struct seen seen = { .next = 1, .payloads = true };
		assert_int_equal(journal_load(p->j, 1, UINT64_MAX, JOURNAL_LOAD_PAYLOADS, see,
					      &seen),
				 IEUM_E_OK);
		assert_int_equal(seen.erased, 2);
		struct seen presence = { .next = 1, .presence = true };
		assert_int_equal(journal_load(p->j, 1, UINT64_MAX, JOURNAL_LOAD_PRESENCE, see,
					      &presence),
				 IEUM_E_OK);
		assert_int_equal(presence.erased, 2);
		open_again(p);
	}
}

static void an_empty_payload_is_one_too(void **state)
{
	struct place *p = *state;
	struct journal_batch *b = journal_batch_new();
	struct journal_event e = { .kept = (const uint8_t *)"k",
				   .kept_len = 1,
				   .payload = (const uint8_t *)"" };
	uint8_t salt[JOURNAL_SALT_BYTES];
	uint8_t *bytes;
	size_t len;

	b->first_seq = 1;
	memset(e.salt, 'S', sizeof e.salt);
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	journal_batch_free(b);
	assert_int_equal(journal_payload_read(p->j, 1, salt, &bytes, &len), IEUM_E_OK);
	assert_non_null(bytes);
	assert_int_equal(len, 0);
	assert_int_equal(salt[15], 'S');
	free(bytes);
}

static void a_batch_of_reads_is_answered_one_by_one(void **state)
{
	struct place *p = *state;
	struct journal_batch *b;
	int tag;

	append(p->j, 20);
	assert_int_equal(journal_payload_erase(p->j, 5), IEUM_E_OK);
	b = batch_of(p->j, 1);
	assert_int_equal(journal_batch_read(b, 3, &tag), IEUM_E_OK);
	assert_int_equal(journal_batch_read(b, 4, NULL), IEUM_E_OK);
	assert_int_equal(journal_batch_read(b, 5, NULL), IEUM_E_OK);
	assert_int_equal(journal_batch_read(b, 21, NULL), IEUM_E_OK); /* of this very batch */
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	journal_read_all(p->j, b);
	assert_int_equal(b->reads[0].result, IEUM_E_OK);
	assert_ptr_equal(b->reads[0].tag, &tag);
	assert_int_equal(b->reads[0].len, 3 * 37);
	assert_int_equal(b->reads[0].bytes[1], 4);
	assert_int_equal(b->reads[1].result, IEUM_E_OK);
	assert_null(b->reads[1].bytes);
	assert_int_equal(b->reads[2].result, IEUM_E_PAYLOAD_ERASED);
	assert_int_equal(b->reads[3].result, IEUM_E_OK);
	assert_int_equal(b->reads[3].len, 21 * 37);
	uint8_t *taken = journal_read_take(&b->reads[3]);
	assert_int_equal(taken[0], 21);
	free(taken);
	/* A batch of reads alone is no commit. */
	journal_batch_clear(b);
	assert_true(journal_batch_empty(b));
	assert_int_equal(journal_batch_read(b, 3, NULL), IEUM_E_OK);
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	assert_int_equal(b->tree_size, 21);
	journal_batch_free(b);
	assert_root(p->j, 21);
}

static void reads_stop_at_their_budget(void **state)
{
	struct place *p = *state;
	struct journal_batch *b = journal_batch_new();
	uint8_t *big = calloc(1, JOURNAL_PAYLOAD_BYTES_MAX);
	struct journal_event e = { .kept = (const uint8_t *)"k",
				   .kept_len = 1,
				   .payload = big,
				   .payload_len = JOURNAL_PAYLOAD_BYTES_MAX };
	size_t fit = JOURNAL_BATCH_READ_BYTES_MAX / JOURNAL_PAYLOAD_BYTES_MAX;

	b->first_seq = 1;
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	assert_int_equal(journal_append(p->j, b), IEUM_E_OK);
	journal_batch_clear(b);
	for (size_t i = 0; i < fit + 1; i++)
		assert_int_equal(journal_batch_read(b, 1, NULL), IEUM_E_OK);
	journal_read_all(p->j, b);
	assert_int_equal(b->reads[fit - 1].result, IEUM_E_OK);
	assert_int_equal(b->reads[fit].result, IEUM_E_HUB_FULL);
	journal_batch_free(b);
	free(big);
}

static void a_drill_and_a_live_journal_do_not_mix(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);
	struct journal *j;

	append(p->j, 1);
	journal_close(p->j);
	p->j = NULL;
	config.drill = true;
	assert_int_equal(journal_open(&config, &j), IEUM_E_JOURNAL_DRILL);
	assert_null(j);
	assert_non_null(strstr(p->log, "live"));
	config.read_only = true;
	assert_int_equal(journal_open(&config, &j), IEUM_E_OK);
	assert_false(journal_info(j)->drill);
	journal_close(j);
	open_again(p);
	assert_root(p->j, 1);
}

static void only_one_may_write_and_anyone_may_read(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);
	struct journal *reader;
	struct journal *second;

	append(p->j, 5);
	assert_int_equal(journal_open(&config, &second), IEUM_E_JOURNAL_LOCKED);
	assert_null(second);
	config.read_only = true;
	assert_int_equal(journal_open(&config, &reader), IEUM_E_OK);
	assert_int_equal(journal_last_seq(reader), 5);
	append(p->j, 5);
	assert_int_equal(journal_last_seq(reader), 5);
	assert_int_equal(journal_refresh(reader), IEUM_E_OK);
	assert_root(reader, 10);
	assert_payload(reader, 9);

	struct journal_batch *b = batch_of(reader, 1);
	assert_int_equal(journal_append(reader, b), IEUM_E_NOT_PERMITTED);
	journal_batch_free(b);
	assert_int_equal(journal_payload_erase(reader, 1), IEUM_E_NOT_PERMITTED);
	journal_close(reader);
	append(p->j, 1);
	open_again(p);
}

static void a_missing_journal_is_not_made_unasked(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);
	struct memory_disk *empty = memory_disk_new();
	struct journal *j;

	config.create = false;
	config.disk = empty;
	config.path = "/tmp/ieum-journal-that-is-not-there/j";
	assert_int_equal(journal_open(&config, &j), IEUM_E_FILE_UNREADABLE);
	config.read_only = true;
	assert_int_equal(journal_open(&config, &j), IEUM_E_FILE_UNREADABLE);
	config.engine = "paper";
	assert_int_equal(journal_open(&config, &j), IEUM_E_FIELD_INVALID);
	memory_disk_free(empty);
}

static void a_new_incarnation_stays(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);

	append(p->j, 3);
	journal_close(p->j);
	config.restored = true;
	memcpy(config.incarnation, "incarnation two", sizeof config.incarnation);
	assert_int_equal(journal_open(&config, &p->j), IEUM_E_OK);
	assert_string_not_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal((const char *)journal_info(p->j)->incarnation, "incarnation two");
	open_again(p);
	assert_string_equal(journal_info(p->j)->restored_why, "");
	assert_string_equal((const char *)journal_info(p->j)->incarnation, "incarnation two");
	assert_root(p->j, 3);
}

static void assert_snapshot(struct place *p, uint32_t version, uint64_t seq, const char *text)
{
	uint64_t found;
	uint8_t *bytes;
	size_t len;

	assert_int_equal(journal_snapshot_get(p->j, version, &found, &bytes, &len), IEUM_E_OK);
	assert_int_equal(found, seq);
	if (text) {
		assert_non_null(bytes);
		assert_int_equal(len, strlen(text));
		assert_memory_equal(bytes, text, len);
	} else {
		assert_null(bytes);
	}
	free(bytes);
}

static void snapshots_are_kept_and_passed_over(void **state)
{
	struct place *p = *state;

	append(p->j, 10);
	append(p->j, 10);
	assert_snapshot(p, 1, 0, NULL);
	assert_int_equal(journal_snapshot_put(p->j, 21, 1, "x", 1), IEUM_E_FIELD_INVALID);
	assert_int_equal(journal_snapshot_put(p->j, 5, 1, "five", 4), IEUM_E_OK);
	assert_int_equal(journal_snapshot_put(p->j, 12, 1, "twelve", 6), IEUM_E_OK);
	assert_int_equal(journal_snapshot_put(p->j, 20, 2, "twenty", 6), IEUM_E_OK);
	assert_snapshot(p, 2, 20, "twenty");
	/* Of another version: the one before; the oldest is gone. */
	assert_snapshot(p, 1, 12, "twelve");
	assert_non_null(strstr(p->log, "another version"));
	assert_snapshot(p, 3, 0, NULL);
	open_again(p);
	assert_snapshot(p, 2, 20, "twenty");
	/* Put again at the same place: the newer one holds, also when it is empty. */
	assert_int_equal(journal_snapshot_put(p->j, 20, 2, "", 0), IEUM_E_OK);
	assert_snapshot(p, 2, 20, "");
}

static void a_reader_may_put_snapshots(void **state)
{
	struct place *p = *state;
	struct journal_config config = config_of(p);
	struct journal *reader;

	append(p->j, 10);
	config.read_only = true;
	assert_int_equal(journal_open(&config, &reader), IEUM_E_OK);
	append(p->j, 10);
	assert_int_equal(journal_snapshot_put(reader, 15, 1, "fifteen", 7), IEUM_E_OK);
	journal_close(reader);
	assert_snapshot(p, 1, 15, "fifteen");
}

static void a_sound_journal_verifies(void **state)
{
	struct place *p = *state;
	struct seen seen = { .next = 1, .payloads = true };
	struct journal_verdict v;
	struct merkle_hash root;

	assert_int_equal(journal_verify(p->j, NULL, NULL, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	append(p->j, 3000);
	append(p->j, 1);
	append(p->j, 77);
	assert_int_equal(journal_payload_erase(p->j, 1), IEUM_E_OK);
	assert_int_equal(journal_verify(p->j, see, &seen, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(v.events, 3078);
	assert_int_equal(v.commits, 3);
	assert_int_equal(seen.next, 3079);
	root = root_of(3078);
	assert_memory_equal(v.root.bytes, root.bytes, MERKLE_HASH_BYTES);

	seen = (struct seen){ .next = 1, .payloads = true, .stop_at = 50 };
	assert_int_equal(journal_verify(p->j, see, &seen, &v), IEUM_E_OK);
	assert_int_equal(v.finding, JOURNAL_CONTENT);
	assert_int_equal(v.seq, 50);
}

static void proofs_hold_against_the_stored_root(void **state)
{
	struct place *p = *state;
	struct merkle_proof proof;
	struct merkle_hash root;
	struct merkle_hash old_root;
	char text[32];

	append(p->j, 13);
	journal_root(p->j, &old_root);
	append(p->j, 24);
	journal_root(p->j, &root);
	for (uint64_t seq = 1; seq <= 37; seq++) {
		struct merkle_hash leaf = merkle_leaf(text, kept_text(seq, text));

		assert_int_equal(journal_inclusion_prove(p->j, seq, 37, &proof), IEUM_E_OK);
		assert_true(merkle_inclusion_verify(&leaf, seq - 1, 37, &proof, &root));
	}
	assert_int_equal(journal_consistency_prove(p->j, 13, 37, &proof), IEUM_E_OK);
	assert_true(merkle_consistency_verify(13, &old_root, 37, &root, &proof));
	assert_int_equal(journal_inclusion_prove(p->j, 38, 38, &proof), IEUM_E_FIELD_INVALID);
	assert_int_equal(journal_inclusion_prove(p->j, 0, 37, &proof), IEUM_E_FIELD_INVALID);
	assert_int_equal(journal_consistency_prove(p->j, 13, 38, &proof), IEUM_E_FIELD_INVALID);
}

static void housekeeping_changes_nothing(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 20; i++) {
		append(p->j, 50);
		assert_int_equal(journal_maintain(p->j, i % 4 == 0), IEUM_E_OK);
	}
	assert_int_equal(journal_payload_erase(p->j, 1), IEUM_E_OK);
	assert_int_equal(journal_maintain(p->j, true), IEUM_E_OK);
	open_again(p);
	assert_root(p->j, 1000);
}

static void a_batch_has_limits(void **state)
{
	struct journal_batch *b = journal_batch_new();
	uint8_t *bytes = calloc(1, JOURNAL_PAYLOAD_BYTES_MAX + 1);
	struct journal_event e = { .kept = bytes, .kept_len = 0 };

	(void)state;
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_FIELD_MISSING);
	e.kept_len = JOURNAL_KEPT_BYTES_MAX + 1;
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_FIELD_TOO_LARGE);
	e.kept_len = 1;
	e.payload = bytes;
	e.payload_len = JOURNAL_PAYLOAD_BYTES_MAX + 1;
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_FIELD_TOO_LARGE);
	e.payload_len = JOURNAL_PAYLOAD_BYTES_MAX;
	for (size_t n = 0; n < JOURNAL_BATCH_BYTES_MAX / (JOURNAL_PAYLOAD_BYTES_MAX + 1); n++)
		assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_HUB_FULL);
	journal_batch_clear(b);
	e.payload = NULL;
	for (size_t i = 0; i < JOURNAL_BATCH_EVENTS_MAX; i++)
		assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_HUB_FULL);
	for (size_t i = 0; i < JOURNAL_BATCH_READS_MAX; i++)
		assert_int_equal(journal_batch_read(b, 1, NULL), IEUM_E_OK);
	assert_int_equal(journal_batch_read(b, 1, NULL), IEUM_E_HUB_FULL);
	for (size_t i = 0; i < JOURNAL_BATCH_ERASURES_MAX; i++)
		assert_int_equal(journal_batch_erase(b, 1), IEUM_E_OK);
	assert_int_equal(journal_batch_erase(b, 1), IEUM_E_HUB_FULL);
	assert_null(journal_batch_space(b, JOURNAL_BATCH_BYTES_MAX + 1));
	journal_batch_free(b);
	free(bytes);
}

/* One row per test; a test's state is the name of the engine until set_up. */
#define TEST(engine, f) \
	{ \
		engine ": " #f, f, set_up, tear_down, (engine) \
	}
/* clang-format off */
#define TESTS(engine) \
	TEST(engine, a_new_journal_is_empty), \
	TEST(engine, what_was_appended_is_found_after_reopening), \
	TEST(engine, a_load_keeps_to_its_range_and_stops_when_told), \
	TEST(engine, a_batch_must_follow_the_last), \
	TEST(engine, payloads_are_read_and_erased_apart_from_the_evidence), \
	TEST(engine, an_empty_payload_is_one_too), \
	TEST(engine, a_batch_of_reads_is_answered_one_by_one), \
	TEST(engine, reads_stop_at_their_budget), \
	TEST(engine, a_drill_and_a_live_journal_do_not_mix), \
	TEST(engine, only_one_may_write_and_anyone_may_read), \
	TEST(engine, a_missing_journal_is_not_made_unasked), \
	TEST(engine, a_new_incarnation_stays), \
	TEST(engine, snapshots_are_kept_and_passed_over), \
	TEST(engine, a_reader_may_put_snapshots), \
	TEST(engine, a_sound_journal_verifies), \
	TEST(engine, proofs_hold_against_the_stored_root), \
	TEST(engine, housekeeping_changes_nothing),

/* clang-format on */
int main(void)
{
	const struct CMUnitTest tests[] = { ENGINES(TESTS) cmocka_unit_test(a_batch_has_limits) };

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
