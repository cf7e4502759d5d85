/* client/council_key: what a good file gives, every mistake of a bad one, whose eyes it is for, and
 * rotation. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "client/council_key.h"
#include "tests/unit/scratch.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
#define EPOCH(n, key, from, until) \
	"  - {epoch: " n ", key: \"" key "\", from: " from ", until: " until "}\n"
#define HEAD "council: c\nepochs:\n"

static char folder[SCRATCH_PATH_BYTES];
static char path[128];
static struct yaml_diag diag;
static struct ieum_council_key *key;

static int make(void **state)
{
	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/council.key", folder);
	yaml_diag_init(&diag);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	ieum_council_key_free(key);
	key = NULL;
	scratch_remove(folder);
	return 0;
}

static void write_file(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_mistake(const char *part)
{
	bool found = false;

	for (size_t i = 0; i < yaml_diag_kept(&diag); i++)
		found |= strstr(diag.mistakes[i].text, part) != NULL;
	if (!found)
		fail_msg("no mistake says '%s'; the first of %zu: %s", part, diag.count,
			 diag.count ? diag.mistakes[0].text : "");
}

static void a_good_file_is_read(void **state)
{
	(void)state;
	write_file(HEAD EPOCH("1", KEY_A, "2026-01-01", "2027-03-31")
			   EPOCH("7", KEY_B, "2027-01-01", "2028-03-31"),
		   0600);
	assert_int_equal(council_key_load(path, &diag, &key), IEUM_E_OK);
	assert_string_equal(key->council, "c");
	assert_int_equal(key->n_epochs, 2);
	assert_int_equal(key->epochs[1].number, 7);
	for (int i = 0; i < COUNCIL_KEY_BYTES; i++)
		assert_int_equal(key->epochs[1].key[i], 32 + i);
	assert_string_equal(key->epochs[0].from, "2026-01-01");
	assert_string_equal(key->epochs[0].until, "2027-03-31");
}

static void only_its_owner_may_read_it(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0660, 0666, 0644, 0610, 0601, 0620 };
	char why[IEUM_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		write_file(HEAD EPOCH("1", KEY_A, "2026-01-01", "2027-03-31"), modes[i]);
		assert_int_equal(ieum_council_key_load(path, &key, why), IEUM_E_FILE_INVALID);
		assert_non_null(strstr(why, "others than its owner"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(ieum_council_key_load(path, &key, why), IEUM_E_OK);
}

static void what_is_no_file_is_said(void **state)
{
	(void)state;
	assert_int_equal(council_key_load(path, &diag, &key), IEUM_E_FILE_UNREADABLE);
	assert_mistake("cannot be read");
	assert_int_equal(council_key_load(folder, &diag, &key), IEUM_E_FILE_INVALID);
	assert_mistake("not a file");
}

static void every_mistake_is_told(void **state)
{
	static const struct {
		const char *file, *mistake;
	} rows[] = {
		{ "council: c\n", "epochs" },
		{ "epochs: []\n", "council" },
		{ HEAD EPOCH("0", KEY_A, "2026-01-01", "2027-03-31"), ":3:" },
		{ HEAD EPOCH("256", KEY_A, "2026-01-01", "2027-03-31"), ":3:" },
		{ HEAD EPOCH("1", "c2hvcnQ=", "2026-01-01", "2027-03-31"), "not 32 bytes" },
		/* 31 and 33 bytes, no padding, a bit set behind the last byte, a foreign letter */
		{ HEAD EPOCH("1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "2026-01-01",
			     "2027-03-31"),
		  "not 32 bytes" },
		{ HEAD EPOCH("1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", "2026-01-01",
			     "2027-03-31"),
		  "not 32 bytes" },
		{ HEAD EPOCH("1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "2026-01-01",
			     "2027-03-31"),
		  "not 32 bytes" },
		{ HEAD EPOCH("1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "2026-01-01",
			     "2027-03-31"),
		  "not 32 bytes" },
		{ HEAD EPOCH("1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_=", "2026-01-01",
			     "2027-03-31"),
		  "not 32 bytes" },
		{ HEAD EPOCH("1", KEY_A, "2026-02-30", "2027-03-31"), ":3:" },
		{ HEAD EPOCH("1", KEY_A, "2027-03-31", "2026-01-01"), "ends before it begins" },
		{ HEAD EPOCH("2", KEY_A, "2026-01-01", "2027-03-31")
			  EPOCH("2", KEY_B, "2027-01-01", "2028-03-31"),
		  ":4:" },
		{ HEAD EPOCH("1", KEY_A, "2026-01-01", "2026-12-31")
			  EPOCH("2", KEY_B, "2026-06-01", "2026-12-31")
				  EPOCH("3", KEY_B, "2026-12-31", "2027-12-31"),
		  "at most 2 epochs" },
		{ HEAD "  - {epoch: 1, kye: x, from: 2026-01-01, until: 2027-01-01}\n",
		  "did you mean 'key'" },
		{ "just text\n", ":1:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_file(rows[i].file, 0600);
		yaml_diag_init(&diag);
		assert_int_equal(council_key_load(path, &diag, &key), IEUM_E_FILE_INVALID);
		assert_mistake(rows[i].mistake);
		/* A key that was nearly one must not reach a screen or a log. */
		for (size_t m = 0; m < yaml_diag_kept(&diag); m++)
			assert_null(strstr(diag.mistakes[m].text, "AAECAwQF"));
	}
}

static void too_large_a_file_is_refused(void **state)
{
	char *text = malloc(COUNCIL_FILE_BYTES_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, '#', COUNCIL_FILE_BYTES_MAX + 1);
	text[COUNCIL_FILE_BYTES_MAX + 1] = '\0';
	write_file(text, 0600);
	free(text);
	assert_int_equal(council_key_load(path, &diag, &key), IEUM_E_FILE_INVALID);
	assert_mistake("larger than");
}

static void a_rotation_keeps_the_old_and_adds_a_new_one(void **state)
{
	struct ieum_council_key *fresh = calloc(1, sizeof *fresh);
	static const uint8_t zero[COUNCIL_KEY_BYTES];
	struct stat st;

	(void)state;
	assert_non_null(fresh);
	strcpy(fresh->council, "a \"quoted\" 협의체\\");
	assert_int_equal(council_key_add(fresh, 1, "2026-01-01", "2027-03-31"), IEUM_E_OK);
	assert_int_equal(council_key_write(fresh, path), IEUM_E_OK);
	assert_int_equal(council_key_add(fresh, 2, "2027-01-01", "2028-03-31"), IEUM_E_OK);
	assert_int_equal(council_key_write(fresh, path), IEUM_E_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(council_key_load(path, &diag, &key), IEUM_E_OK);
	assert_memory_equal(key, fresh, sizeof *key);
	assert_memory_not_equal(key->epochs[0].key, zero, sizeof zero);
	assert_memory_not_equal(key->epochs[0].key, key->epochs[1].key, sizeof zero);
	/* Nothing else stays in the folder. */
	assert_int_equal(scratch_shell("test $(ls -A %s | wc -l) = 1", folder), 0);
	ieum_council_key_free(fresh);
}

static void an_epoch_that_does_not_fit_is_not_added(void **state)
{
	(void)state;
	key = calloc(1, sizeof *key);
	assert_non_null(key);
	assert_int_equal(council_key_add(key, 3, "2026-01-01", "2026-12-31"), IEUM_E_OK);
	assert_int_equal(council_key_add(key, 3, "2027-01-01", "2027-12-31"), IEUM_E_FIELD_INVALID);
	assert_int_equal(council_key_add(key, 256, "2027-01-01", "2027-12-31"),
			 IEUM_E_FIELD_INVALID);
	assert_int_equal(council_key_add(key, 4, "2026-12-31", "2027-12-31"), IEUM_E_OK);
	assert_int_equal(council_key_add(key, 5, "2026-12-31", "2028-12-31"),
			 IEUM_E_STATE_CONFLICT);
	/* One that encloses both days of two others. */
	assert_int_equal(council_key_add(key, 5, "2020-01-01", "2028-12-31"),
			 IEUM_E_STATE_CONFLICT);
	assert_int_equal(key->n_epochs, 2);
	for (int n = 5; key->n_epochs < COUNCIL_EPOCHS_MAX; n++)
		assert_int_equal(council_key_add(key, n, "2030-01-01", "2029-01-01"), IEUM_E_OK);
	assert_int_equal(council_key_add(key, 100, "2031-01-01", "2031-12-31"),
			 IEUM_E_FIELD_TOO_LARGE);
}

static void a_file_that_cannot_be_written_is_said(void **state)
{
	(void)state;
	key = calloc(1, sizeof *key);
	assert_non_null(key);
	assert_int_equal(council_key_add(key, 1, "2026-01-01", "2026-12-31"), IEUM_E_OK);
	assert_int_equal(council_key_write(key, "/nonexistent/council.key"),
			 IEUM_E_FILE_UNREADABLE);
	assert_int_equal(errno, ENOENT);
	/* The name is taken by a folder: nothing is left behind. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(council_key_write(key, path), IEUM_E_FILE_UNREADABLE);
	assert_int_equal(scratch_shell("test $(ls -A %s | wc -l) = 1", folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_good_file_is_read, make, drop),
		cmocka_unit_test_setup_teardown(only_its_owner_may_read_it, make, drop),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_said, make, drop),
		cmocka_unit_test_setup_teardown(every_mistake_is_told, make, drop),
		cmocka_unit_test_setup_teardown(too_large_a_file_is_refused, make, drop),
		cmocka_unit_test_setup_teardown(a_rotation_keeps_the_old_and_adds_a_new_one, make,
						drop),
		cmocka_unit_test_setup_teardown(an_epoch_that_does_not_fit_is_not_added, make,
						drop),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_said, make, drop),
	};

	return cmocka_run_group_tests_name("council_key", tests, NULL, NULL);
}
