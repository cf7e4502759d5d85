/* A whole case as the first format wrote it: today's core must reach the same state from it.
 *
 * tests/fixtures/journal/case-v1.db is never rewritten; case-v1.txt is what its mailboxes
 * come to.  `test_golden --print FILE` prints that for a new fixture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "tests/unit/scratch.h"

static const char *const journal_path = "tests/fixtures/journal/case-v1.db";
static const char *const expected_path = "tests/fixtures/journal/case-v1.txt";

static enum ieum_err fold(void *core, const struct journal_record *r)
{
	Ieum__V1__Event *event = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!event)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = core_apply(core, r->seq, event);
	ieum__v1__event__free_unpacked(event, NULL);
	return err;
}

/* Opens a copy of a fixture, because SQLite writes beside what it opens. */
static struct journal *open_copy(const char *path, const char *folder)
{
	char copy[SCRATCH_PATH_BYTES + 16];
	struct journal *journal = NULL;

	snprintf(copy, sizeof copy, "%s/journal.db", folder);
	assert_int_equal(scratch_shell("cp '%s' '%s'", path, copy), 0);
	struct journal_config config = { .engine = "sqlite", .path = copy, .read_only = true };
	assert_int_equal(journal_open(&config, &journal), IEUM_E_OK);
	return journal;
}

/* The state that the journal folds to, in words. */
static char *state_of(const char *path)
{
	char folder[SCRATCH_PATH_BYTES];
	char what[200];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const struct core_limits limits = { 100000, 100000, 100000 };
	struct core *core = core_new(&limits, 1);
	struct core_mailbox_counts n;

	scratch_make(folder);
	struct journal *journal = open_copy(path, folder);
	assert_int_equal(journal_load(journal, 1, UINT64_MAX, 0, fold, core), IEUM_E_OK);
	assert_int_equal(core_check(core, what, sizeof what), IEUM_E_OK);
	fprintf(out, "events %llu\n", (unsigned long long)core_last_seq(core));
	for (uint32_t i = 1; core_mailbox_counts(core, i, &n); i++)
		fprintf(out,
			"%s routed %llu queued %llu in_flight %llu settled %llu dead_lettered %llu withdrawn %llu\n",
			core_mailbox_name(core, i), (unsigned long long)n.routed,
			(unsigned long long)n.queued, (unsigned long long)n.in_flight,
			(unsigned long long)n.settled, (unsigned long long)n.dead_lettered,
			(unsigned long long)n.withdrawn);
	fclose(out);
	journal_close(journal);
	core_free(core);
	scratch_remove(folder);
	return text;
}

static void folds_to_the_same_state(void **state)
{
	char expected[16384];
	FILE *f = fopen(expected_path, "r");

	(void)state;
	assert_non_null(f);
	expected[fread(expected, 1, sizeof expected - 1, f)] = 0;
	fclose(f);
	char *found = state_of(journal_path);
	assert_string_equal(found, expected);
	free(found);
}

static void its_evidence_verifies(void **state)
{
	char folder[SCRATCH_PATH_BYTES];
	struct journal_verdict verdict;

	(void)state;
	scratch_make(folder);
	struct journal *journal = open_copy(journal_path, folder);
	assert_int_equal(journal_verify(journal, NULL, NULL, &verdict), IEUM_E_OK);
	assert_int_equal(verdict.finding, JOURNAL_SOUND);
	assert_true(verdict.events > 100);
	journal_close(journal);
	scratch_remove(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_to_the_same_state),
		cmocka_unit_test(its_evidence_verifies),
	};

	if (argc == 3 && strcmp(argv[1], "--print") == 0) {
		char *text = state_of(argv[2]);
		fputs(text, stdout);
		free(text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
