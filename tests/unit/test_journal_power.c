/* The SQLite journal on a disk whose power is cut, or that is full: what was reported
 * done is there, nothing is there twice, the tree verifies.  A failing round prints
 * its seed; `test_journal_power SEED` runs that round alone. */
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
#include "broker/journal/mark.h"
#include "tests/crash/power_vfs.h"
#include "tests/unit/scratch.h"

enum {
	ROUNDS = 120,
	FULL_ROUNDS = 30,
	BATCHES = 40,
	PAYLOAD_MAX = 6000,
	SMALL_MARK_BYTES = 256 << 10, /* so that the checkpointer's thread gets to work */
};

static uint64_t only_seed;
static uint64_t playing_seed;

struct round {
	uint64_t seed;
	uint64_t random;
	char folder[SCRATCH_PATH_BYTES], path[64];
	char after[64], after_path[96];
	struct power *power;
	struct journal *j;
	uint64_t acknowledged; /* last seq reported done */
	uint64_t tried;        /* last seq ever given */
	uint64_t erased;       /* payload of this seq: reported erased; 0: none */
	uint64_t erasing;      /* given, not reported */
	uint64_t n_erasures;   /* reported */
};

static uint64_t below(struct round *r, uint64_t n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % n;
}

/* What event seq holds, from the seed alone. */
static size_t content(const struct round *r, uint64_t seq, uint8_t *payload)
{
	uint64_t x = (r->seed + seq) * 0x9e3779b97f4a7c15;
	size_t len = (size_t)((x >> 20) % PAYLOAD_MAX);

	for (size_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(x >> (i % 57));
	return len;
}

static struct journal_batch *gather(struct round *r, size_t n)
{
	struct journal_batch *b = journal_batch_new();

	b->first_seq = journal_last_seq(r->j) + 1;
	for (size_t i = 0; i < n; i++) {
		uint64_t seq = b->first_seq + i;
		uint8_t *kept = journal_batch_space(b, sizeof seq);
		uint8_t *payload = journal_batch_space(b, PAYLOAD_MAX);
		struct journal_event e = { .kept = kept,
					   .kept_len = sizeof seq,
					   .payload = payload };

		memcpy(kept, &seq, sizeof seq);
		e.payload_len = content(r, seq, payload);
		assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
		r->tried = seq;
	}
	return b;
}

static void start(struct round *r, uint64_t seed, size_t mark)
{
	*r = (struct round){ .seed = seed, .random = seed * 0xd1342543de82ef95 + 7 };
	scratch_make(r->folder);
	snprintf(r->path, sizeof r->path, "%s/j", r->folder);
	snprintf(r->after, sizeof r->after, "%s/after", r->folder);
	snprintf(r->after_path, sizeof r->after_path, "%s/j", r->after);
	assert_int_equal(scratch_shell("mkdir %s", r->after), 0);
	r->power = power_new("power", seed);

	struct journal_config config = { .engine = "sqlite",
					 .path = r->path,
					 .create = true,
					 .sqlite_vfs = "power",
					 .sqlite_wal_mark_bytes = mark };
	assert_int_equal(journal_open(&config, &r->j), IEUM_E_OK);
}

static void end(struct round *r)
{
	journal_close(r->j);
	power_free(r->power);
	scratch_remove(r->folder);
}

static void work_until_the_cut(struct round *r)
{
	for (int i = 0; i < BATCHES && !power_is_cut(r->power); i++) {
		struct journal_batch *b = gather(r, 1 + (size_t)below(r, 12));

		r->erasing = 0;
		if (r->acknowledged > 0 && below(r, 6) == 0) {
			r->erasing = 1 + below(r, r->acknowledged);
			assert_int_equal(journal_batch_erase(b, r->erasing), IEUM_E_OK);
		}
		enum ieum_err err = journal_append(r->j, b);
		if (!err) {
			r->acknowledged = b->first_seq + b->n_events - 1;
			if (r->erasing) {
				r->erased = r->erasing;
				r->n_erasures++;
			}
			r->erasing = 0;
			err = journal_maintain(r->j, below(r, 3) == 0);
		}
		journal_batch_free(b);
		if (err) {
			assert_int_equal(err, IEUM_E_JOURNAL_IO);
			assert_true(power_is_cut(r->power));
		}
	}
}

struct seen {
	const struct round *r;
	uint64_t events;
};

static enum ieum_err compare(void *ctx, const struct journal_record *record)
{
	struct seen *seen = ctx;
	uint8_t payload[PAYLOAD_MAX];
	uint64_t seq;

	if (record->kept_len != sizeof seq)
		return IEUM_E_FIELD_INVALID;
	memcpy(&seq, record->kept, sizeof seq);
	if (seq != record->seq)
		return IEUM_E_FIELD_INVALID;
	seen->events++;
	if (record->payload_erased)
		return IEUM_E_OK;
	size_t len = content(seen->r, seq, payload);
	if (!record->payload || record->payload_len != len ||
	    memcmp(record->payload, payload, len) != 0)
		return IEUM_E_FIELD_MISSING;
	return seq == seen->r->erased ? IEUM_E_PAYLOAD_ERASED : IEUM_E_OK;
}

/* It is not synced, so here it is as new as it can be: it tells of nothing that could be lost. */
static void check_mark(const struct round *r, uint64_t last)
{
	struct journal_mark mark;
	const char *none;
	char name[80];

	snprintf(name, sizeof name, "%s-mark", r->path);
	assert_int_equal(journal_mark_read(name, &mark, &none), IEUM_E_OK);
	assert_null(none);
	assert_true(mark.size <= last);
	assert_true(mark.size >= r->acknowledged);
}

/* An erasure is there with the events that came in its batch, and not without them. */
static void check_erasing(const struct round *r, struct journal *j)
{
	uint8_t salt[JOURNAL_SALT_BYTES];
	uint8_t *bytes = NULL;
	size_t len;

	if (!r->erasing || r->erasing == r->erased)
		return;
	enum ieum_err err = journal_payload_read(j, r->erasing, salt, &bytes, &len);
	free(bytes);
	if (journal_last_seq(j) == r->tried)
		assert_int_equal(err, IEUM_E_PAYLOAD_ERASED);
	else if (r->n_erasures == 0)
		assert_int_equal(err, IEUM_E_OK);
}

static void check_after(struct round *r)
{
	struct journal_config config = { .engine = "sqlite",
					 .path = r->after_path,
					 .incarnation = "another machine" };
	struct seen seen = { .r = r };
	struct journal_verdict v;
	struct journal *j;

	assert_int_equal(journal_open(&config, &j), IEUM_E_OK);
	uint64_t last = journal_last_seq(j);
	assert_true(last >= r->acknowledged);
	assert_true(last == r->acknowledged || last == r->tried);
	assert_int_equal(journal_verify(j, compare, &seen, &v), IEUM_E_OK);
	if (v.finding != JOURNAL_SOUND)
		print_error("%s\n", v.text);
	assert_int_equal(v.finding, JOURNAL_SOUND);
	assert_int_equal(seen.events, last);
	check_mark(r, last);
	check_erasing(r, j);
	/* And it goes on. */
	struct journal_event e = { .kept = (const uint8_t *)"on", .kept_len = 2 };
	struct journal_batch *b = journal_batch_new();
	b->first_seq = last + 1;
	assert_int_equal(journal_batch_add(b, &e), IEUM_E_OK);
	assert_int_equal(journal_append(j, b), IEUM_E_OK);
	journal_batch_free(b);
	journal_close(j);
}

static void play_round(uint64_t seed)
{
	struct round r;

	start(&r, seed, seed % 2 ? SMALL_MARK_BYTES : 0);
	power_cut_after(r.power, 1 + (unsigned)below(&r, 1500));
	work_until_the_cut(&r);
	/* Power that outlives the work: cut it now. */
	if (!power_is_cut(r.power)) {
		power_cut_after(r.power, 1);
		struct journal_batch *b = gather(&r, 1);
		assert_int_equal(journal_append(r.j, b), IEUM_E_JOURNAL_IO);
		assert_int_equal(journal_append(r.j, b), IEUM_E_JOURNAL_IO);
		journal_batch_free(b);
	}
	journal_close(r.j);
	r.j = NULL;
	power_restore(r.power, (enum power_loss)below(&r, POWER_LOSSES), r.after);
	check_after(&r);
	end(&r);
}

static void a_power_cut_loses_nothing_acknowledged(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		playing_seed = only_seed ? only_seed : seed;
		play_round(playing_seed);
		if (only_seed)
			break;
	}
	playing_seed = 0;
}

static int say_seed(void **state)
{
	(void)state;
	if (playing_seed)
		print_error("seed: %llu\n", (unsigned long long)playing_seed);
	return 0;
}

static void a_full_disk_is_tried_again_and_nothing_doubles(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= FULL_ROUNDS; seed++) {
		struct round r;
		unsigned full = 0;

		start(&r, seed, seed % 2 ? SMALL_MARK_BYTES : 0);
		for (int i = 0; i < 12; i++) {
			struct journal_batch *b = gather(&r, 1 + (size_t)below(&r, 12));
			enum ieum_err err;

			power_space(r.power, below(&r, 60000));
			while ((err = journal_append(r.j, b)) == IEUM_E_DISK_FULL) {
				assert_int_equal(journal_last_seq(r.j), b->first_seq - 1);
				assert_int_equal(journal_maintain(r.j, true), IEUM_E_OK);
				power_space(r.power, full++ % 3 ? UINT64_MAX : below(&r, 60000));
			}
			assert_int_equal(err, IEUM_E_OK);
			r.acknowledged = r.tried;
			assert_int_equal(journal_maintain(r.j, below(&r, 2)), IEUM_E_OK);
			journal_batch_free(b);
		}
		assert_true(full > 0);
		/* And the power goes while it is full. */
		power_space(r.power, below(&r, 5000));
		struct journal_batch *b = gather(&r, 5);
		r.tried = r.acknowledged;
		enum ieum_err err = journal_append(r.j, b);
		if (!err)
			r.acknowledged = r.tried = b->first_seq + 4;
		else
			assert_int_equal(err, IEUM_E_DISK_FULL);
		journal_batch_free(b);
		power_cut_after(r.power, 1);
		journal_close(r.j);
		r.j = NULL;
		power_restore(r.power, (enum power_loss)below(&r, POWER_LOSSES), r.after);
		check_after(&r);
		end(&r);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_power_cut_loses_nothing_acknowledged, say_seed),
		cmocka_unit_test(a_full_disk_is_tried_again_and_nothing_doubles),
	};

	if (argc > 1)
		only_seed = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("journal_power", tests, NULL, NULL);
}
