/* client/table: columns stay aligned with wide characters, nothing from a cell reaches the
 * terminal as a command, limits hold. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/table.h"

static struct table *table;

static int make(void **state)
{
	(void)state;
	table = table_new();
	return table ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	table_free(table);
	table = NULL;
	return 0;
}

static void assert_prints_into(size_t cells, bool colour, const char *want)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	table_print(table, out, colour, cells);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
	free(text);
}

static void assert_prints(bool colour, const char *want)
{
	assert_prints_into(0, colour, want);
}

static void column(const char *title, enum table_align align, size_t max_cells)
{
	assert_int_equal(table_column(table, title, align, max_cells), IEUM_E_OK);
}

static void row(const char *a, const char *b)
{
	assert_int_equal(table_row(table), IEUM_E_OK);
	assert_int_equal(table_cell(table, a), IEUM_E_OK);
	if (b)
		assert_int_equal(table_cell(table, b), IEUM_E_OK);
}

static void widths_count_cells_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(text_cells("", 0), 0);
	assert_int_equal(text_cells("abc", 3), 3);
	assert_int_equal(text_cells("한글", strlen("한글")), 4);
	assert_int_equal(text_cells("ｶ한a", strlen("ｶ한a")), 4);
	assert_int_equal(text_cells("e\xCC\x81", 3), 1); /* a combining accent */
	assert_int_equal(text_cells("\xFF\xFE", 2), 2);  /* no UTF-8 */
	assert_int_equal(text_cells("한", 2), 1);        /* cut in the middle: one mark */
}

static void columns_align_under_korean(void **state)
{
	(void)state;
	column("Agency", TABLE_LEFT, 0);
	column("N", TABLE_RIGHT, 0);
	row("김포경찰서", "7");
	row("gimpo-ps", "1234");
	row(NULL, "5");
	row("상담소", NULL);
	assert_prints(false, "Agency         N\n"
			     "김포경찰서     7\n"
			     "gimpo-ps    1234\n"
			     "               5\n"
			     "상담소\n");
}

static void a_table_without_titles_has_no_title_line(void **state)
{
	(void)state;
	column(NULL, TABLE_LEFT, 0);
	column(NULL, TABLE_LEFT, 0);
	row("a", "b");
	row("ccc", "d");
	assert_prints(false, "a    b\nccc  d\n");
}

static void a_wide_cell_is_cut_at_a_character(void **state)
{
	(void)state;
	column(NULL, TABLE_LEFT, 5);
	column(NULL, TABLE_LEFT, 0);
	row("abcde", "|");
	row("abcdef", "|");
	row("한글말", "|");
	row("a한글", "|");
	row("a한글b", "|");
	assert_prints_into(8, false,
			   "abcde  |\n"
			   "abcd…  |\n"
			   "한글…  |\n"
			   "a한글  |\n"
			   "a한…   |\n");
}

static void only_what_does_not_fit_is_cut(void **state)
{
	(void)state;
	column("Who", TABLE_LEFT, 0);
	column("What", TABLE_LEFT, 4);
	column("Note", TABLE_LEFT, 6);
	row("a name that is whole", "12345678");
	assert_int_equal(table_cell(table, "123456789"), IEUM_E_OK);
	/* A file, and a terminal that is wide enough. */
	assert_prints(false, "Who                   What      Note\n"
			     "a name that is whole  12345678  123456789\n");
	assert_prints_into(41, false,
			   "Who                   What      Note\n"
			   "a name that is whole  12345678  123456789\n");
	/* From the widest first, and no further than needed. */
	assert_prints_into(39, false,
			   "Who                   What     Note\n"
			   "a name that is whole  123456…  1234567…\n");
	/* Names stay, though the line wraps then. */
	assert_prints_into(20, false,
			   "Who                   What  Note\n"
			   "a name that is whole  123…  12345…\n");
}

static void control_characters_show_as_question_marks(void **state)
{
	/* U+202E; as a literal it would mislead a reader of this file too. */
	static const char override[] = { 'x', '\xE2', '\x80', '\xAE', 'y', '\0' };

	(void)state;
	column(NULL, TABLE_LEFT, 0);
	row("a\033[31mb\n\r\tc\x7f", NULL);
	row("x\xFFy", NULL);
	row(override, NULL);
	row("x\xC2\x9By", NULL); /* a control sequence in one character */
	assert_prints(false, "a?[31mb???c?\nx?y\nx?y\nx?y\n");
}

static void colour_is_around_the_text_only(void **state)
{
	(void)state;
	column("State", TABLE_LEFT, 0);
	column(NULL, TABLE_LEFT, 0);
	assert_int_equal(table_row(table), IEUM_E_OK);
	assert_int_equal(table_cell_colour(table, "late", TABLE_RED), IEUM_E_OK);
	assert_int_equal(table_cellf(table, "%d min", 5), IEUM_E_OK);
	assert_prints(true, "\033[1mState\033[0m\n\033[31mlate\033[0m   5 min\n");
	assert_prints(false, "State\nlate   5 min\n");
}

static void limits_hold(void **state)
{
	(void)state;
	assert_int_equal(table_cell(table, "no row yet"), IEUM_E_FIELD_TOO_LARGE);
	for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
		column("c", TABLE_LEFT, 0);
	assert_int_equal(table_column(table, "c", TABLE_LEFT, 0), IEUM_E_FIELD_TOO_LARGE);
	assert_int_equal(table_row(table), IEUM_E_OK);
	for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
		assert_int_equal(table_cell(table, "x"), IEUM_E_OK);
	assert_int_equal(table_cell(table, "x"), IEUM_E_FIELD_TOO_LARGE);
	for (int i = 1; i < TABLE_ROWS_MAX; i++)
		assert_int_equal(table_row(table), IEUM_E_OK);
	assert_int_equal(table_row(table), IEUM_E_FIELD_TOO_LARGE);
}

static void a_very_long_cell_ends_with_a_whole_character(void **state)
{
	char *text = malloc(TABLE_CELL_BYTES_MAX + 16), *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);

	(void)state;
	assert_non_null(text);
	assert_non_null(out);
	text[0] = '\0';
	for (size_t i = 0; i + 3 < TABLE_CELL_BYTES_MAX + 16; i += 3)
		memcpy(text + i, "한", 4);
	column(NULL, TABLE_LEFT, 0);
	row(text, NULL);
	table_print(table, out, false, 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(n, TABLE_CELL_BYTES_MAX / 3 * 3 + 1);
	assert_null(strchr(printed, '?'));
	free(printed);
	free(text);
}

static void padding_counts_cells_too(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_non_null(out);
	text_pad(out, "한글", 6, TABLE_LEFT);
	text_pad(out, "한글", 6, TABLE_RIGHT);
	text_pad(out, "한글", 3, TABLE_RIGHT);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "한글    한글한글");
	free(text);
}

static void only_a_terminal_gets_colour(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_false(table_colour_wanted(file));
	assert_int_equal(fclose(file), 0);
	/* A pseudo-terminal counts as one. */
	int pty = posix_openpt(O_RDWR | O_NOCTTY);
	if (pty < 0)
		skip();
	assert_int_equal(grantpt(pty), 0);
	assert_int_equal(unlockpt(pty), 0);
	FILE *terminal = fopen(ptsname(pty), "w");
	assert_non_null(terminal);
	assert_true(table_colour_wanted(terminal));
	setenv("NO_COLOR", "1", 1);
	assert_false(table_colour_wanted(terminal));
	setenv("NO_COLOR", "", 1);
	assert_true(table_colour_wanted(terminal));
	setenv("TERM", "dumb", 1);
	assert_false(table_colour_wanted(terminal));
	assert_int_equal(fclose(terminal), 0);
	assert_int_equal(close(pty), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(widths_count_cells_of_a_terminal),
		TEST(columns_align_under_korean),
		TEST(a_table_without_titles_has_no_title_line),
		TEST(a_wide_cell_is_cut_at_a_character),
		TEST(only_what_does_not_fit_is_cut),
		TEST(control_characters_show_as_question_marks),
		TEST(colour_is_around_the_text_only),
		TEST(limits_hold),
		TEST(a_very_long_cell_ends_with_a_whole_character),
		TEST(padding_counts_cells_too),
		TEST(only_a_terminal_gets_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
