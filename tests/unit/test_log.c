/* broker/log: both formats read back, hostile text stays inside its quotes, floods are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/log.h"

static int pipe_ends[2];
static char text[2 * LOG_LINE_BYTES];

static int open_pipe(void **state)
{
	(void)state;
	return pipe(pipe_ends);
}

static int close_pipe(void **state)
{
	(void)state;
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	return 0;
}

/* What was logged since, up to one pipe full. */
static const char *logged(void)
{
	ssize_t n = read(pipe_ends[0], text, sizeof(text) - 1);

	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

static void key_value_lines(void **state)
{
	(void)state;
	log_open(pipe_ends[1], LOG_KV, LOG_INFO);
	log_info("connected", LOG_U("connection", 7), LOG_S("participant", "gimpo-ps"),
		 LOG_I("gap", -3), LOG_B("drill", true), LOG_S("why", "two words"),
		 LOG_S("none", NULL));
	assert_non_null(strstr(
		logged(), " level=info event=connected connection=7 participant=gimpo-ps gap=-3 "
			  "drill=true why=\"two words\" none=\"\"\n"));
	assert_int_equal(strncmp(text, "time=20", 7), 0);
}

static void a_peer_cannot_forge_fields_or_lines(void **state)
{
	(void)state;
	log_open(pipe_ends[1], LOG_KV, LOG_INFO);
	log_info("x", LOG_S("why", "a\" level=error\nevent=forged"));
	assert_non_null(strstr(logged(), "why=\"a\\\" level=error\\nevent=forged\"\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void json_lines_parse(void **state)
{
	json_t *line;

	(void)state;
	log_open(pipe_ends[1], LOG_JSON, LOG_DEBUG);
	log_debug("x", LOG_S("why", "quote \" backslash \\ newline \n bell \a 김포"),
		  LOG_I("n", -1), LOG_B("b", false));
	line = json_loads(logged(), 0, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "why")),
			    "quote \" backslash \\ newline \n bell \a 김포");
	assert_string_equal(json_string_value(json_object_get(line, "level")), "debug");
	assert_int_equal(json_integer_value(json_object_get(line, "n")), -1);
	assert_true(json_is_false(json_object_get(line, "b")));
	json_decref(line);
}

static void long_lines_are_cut_and_still_parse(void **state)
{
	static char long_text[2 * LOG_LINE_BYTES];
	json_t *line;

	(void)state;
	memset(long_text, '\n', sizeof(long_text) - 1);
	log_open(pipe_ends[1], LOG_JSON, LOG_INFO);
	log_info("x", LOG_S("why", long_text));
	assert_in_range(strlen(logged()), LOG_LINE_BYTES - 16, LOG_LINE_BYTES);
	line = json_loads(text, 0, NULL);
	assert_non_null(line);
	json_decref(line);
}

static void levels_are_left_out(void **state)
{
	(void)state;
	log_open(pipe_ends[1], LOG_KV, LOG_WARN);
	log_info("left_out", LOG_I("n", 1));
	log_warn("kept", LOG_I("n", 1));
	assert_null(strstr(logged(), "left_out"));
	assert_non_null(strstr(text, "event=kept"));
}

static void floods_are_counted(void **state)
{
	struct log_rate rate = { .lines = 0 };
	uint32_t suppressed = 99;
	int64_t now = 1000000;

	(void)state;
	for (int i = 0; i < LOG_RATE_LINES; i++) {
		assert_true(log_allowed(&rate, now, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	for (int i = 0; i < 500; i++)
		assert_false(log_allowed(&rate, now + i, &suppressed));
	assert_true(log_allowed(&rate, now + LOG_RATE_WINDOW_MS, &suppressed));
	assert_int_equal(suppressed, 500);
	assert_true(log_allowed(&rate, now + LOG_RATE_WINDOW_MS, &suppressed));
	assert_int_equal(suppressed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(key_value_lines, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_peer_cannot_forge_fields_or_lines, open_pipe,
						close_pipe),
		cmocka_unit_test_setup_teardown(json_lines_parse, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(long_lines_are_cut_and_still_parse, open_pipe,
						close_pipe),
		cmocka_unit_test_setup_teardown(levels_are_left_out, open_pipe, close_pipe),
		cmocka_unit_test(floods_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
