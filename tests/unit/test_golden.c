/* Whole cases as the first format wrote them: today's core must reach the same state from each.
 *
 * tests/fixtures/journal/NAME.db is never rewritten; NAME.txt is what its mailboxes, keys and
 * certificates come to.  `test_golden --print FILE` prints that for a new fixture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/core.h"
#include "broker/core/sealed.h"
#include "broker/core/state.h"
#include "broker/journal/journal.h"
#include "tests/unit/scratch.h"

static char domestic_violence[] = "case-v1", sealed_reporter[] = "sealed-v1";

enum { CERTIFICATES_MAX = 16, PATH_BYTES = 64 };

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

static void print_mailboxes(const struct core *core, FILE *out)
{
	struct core_mailbox_counts n;

	for (uint32_t i = 1; core_mailbox_counts(core, i, &n); i++)
		fprintf(out,
			"%s routed %llu queued %llu in_flight %llu settled %llu dead_lettered %llu withdrawn %llu\n",
			core_mailbox_name(core, i), (unsigned long long)n.routed,
			(unsigned long long)n.queued, (unsigned long long)n.in_flight,
			(unsigned long long)n.settled, (unsigned long long)n.dead_lettered,
			(unsigned long long)n.withdrawn);
}

/* Nothing, of a journal from before there were sealed parts. */
static void print_sealed(const struct core *core, FILE *out)
{
	unsigned message = 0;
	struct core_certificate known[CERTIFICATES_MAX];

	for (uint32_t h = core->sealed.head; h; h = sealed_at(core, h)->next) {
		const struct sealed *s = sealed_at(core, h);
		fprintf(out, "sealed message %u: parts %zu wrapped keys %zu waiting %d\n",
			++message, s->n_parts, s->n_keys, s->first_want != 0);
		for (uint32_t i = 1; i <= core_participants(core); i++)
			if (sealed_held(s, i))
				fprintf(out, "  %s opens %#x\n", core_participant_name(core, i),
					(unsigned)sealed_held(s, i));
		/* Of an older hub's holders all certificates count. */
		for (uint32_t i = 1; i <= core_participants(core); i++)
			assert_true(!sealed_held(s, i) ||
				    !sealed_lacks(core, s, i, core_last_at_us(core) / 1000));
	}
	for (uint32_t i = 1; i <= core_participants(core); i++) {
		size_t n = core_certificates(core, i, known, CERTIFICATES_MAX);
		if (n > 0)
			fprintf(out, "certificates of %s: %zu\n", core_participant_name(core, i),
				n);
	}
	if (core_copied_through(core) > 0)
		fprintf(out, "copied through %llu\n",
			(unsigned long long)core_copied_through(core));
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

	scratch_make(folder);
	struct journal *journal = open_copy(path, folder);
	assert_int_equal(journal_load(journal, 1, UINT64_MAX, 0, fold, core), IEUM_E_OK);
	assert_int_equal(core_check(core, what, sizeof what), IEUM_E_OK);
	fprintf(out, "events %llu\n", (unsigned long long)core_last_seq(core));
	print_mailboxes(core, out);
	print_sealed(core, out);
	fclose(out);
	journal_close(journal);
	core_free(core);
	scratch_remove(folder);
	return text;
}

static const char *fixture(const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "tests/fixtures/journal/%s.db", name);
	return path;
}

static void folds_to_the_same_state(void **state)
{
	char path[PATH_BYTES], expected[16384];

	snprintf(path, sizeof path, "tests/fixtures/journal/%s.txt", (char *)*state);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	expected[fread(expected, 1, sizeof expected - 1, f)] = 0;
	fclose(f);
	char *found = state_of(fixture(*state, path));
	assert_string_equal(found, expected);
	free(found);
}

static void its_evidence_verifies(void **state)
{
	char folder[SCRATCH_PATH_BYTES], path[PATH_BYTES];
	struct journal_verdict verdict;

	scratch_make(folder);
	struct journal *journal = open_copy(fixture(*state, path), folder);
	assert_int_equal(journal_verify(journal, NULL, NULL, &verdict), IEUM_E_OK);
	assert_int_equal(verdict.finding, JOURNAL_SOUND);
	assert_true(verdict.events > 100);
	journal_close(journal);
	scratch_remove(folder);
}

/* What the sealed one is kept for. */
struct kinds {
	unsigned sealed, given, asked, looked, seen, gone, copied;
};

static enum ieum_err count(void *ctx, const struct journal_record *r)
{
	struct kinds *n = ctx;
	Ieum__V1__Event *e = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	assert_non_null(e);
	switch (e->what_case) {
	case IEUM__V1__EVENT__WHAT_SUBMITTED: n->sealed += e->submitted->n_sealed > 0; break;
	case IEUM__V1__EVENT__WHAT_KEYS_CHANGED:
		n->given += e->keys_changed->n_keys > 0;
		n->asked += e->keys_changed->n_keys == 0 && e->keys_changed->n_parts > 0;
		n->looked += e->keys_changed->participant == 0;
		break;
	case IEUM__V1__EVENT__WHAT_CERTIFICATES_CHANGED:
		n->seen += e->certificates_changed->n_seen > 0;
		n->gone += e->certificates_changed->n_gone > 0;
		break;
	case IEUM__V1__EVENT__WHAT_COPY_CONFIRMED: n->copied++; break;
	default: break;
	}
	ieum__v1__event__free_unpacked(e, NULL);
	return IEUM_E_OK;
}

static void has_every_event_about_keys(void **state)
{
	char folder[SCRATCH_PATH_BYTES], path[PATH_BYTES];
	struct kinds n = { 0 };

	scratch_make(folder);
	struct journal *journal = open_copy(fixture(*state, path), folder);
	assert_int_equal(journal_load(journal, 1, UINT64_MAX, 0, count, &n), IEUM_E_OK);
	assert_int_equal(n.sealed, 2);
	assert_int_equal(n.given, 1);
	assert_true(n.asked > 0 && n.looked > 0);
	assert_true(n.seen > 0 && n.gone > 0);
	assert_int_equal(n.copied, 1);
	journal_close(journal);
	scratch_remove(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(folds_to_the_same_state, domestic_violence),
		cmocka_unit_test_prestate(its_evidence_verifies, domestic_violence),
		cmocka_unit_test_prestate(folds_to_the_same_state, sealed_reporter),
		cmocka_unit_test_prestate(its_evidence_verifies, sealed_reporter),
		cmocka_unit_test_prestate(has_every_event_about_keys, sealed_reporter),
	};

	if (argc == 3 && strcmp(argv[1], "--print") == 0) {
		char *text = state_of(argv[2]);
		fputs(text, stdout);
		free(text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
