/* The command `ieum` at a hub that welcomes it and then doesn't answer: what it shows and what it exits
 * with.  The hub is a process of its own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/command.h"
#include "tests/unit/libieum_hub.h"
#include "tests/unit/scratch.h"

#define MUTABLE(text) ((char[]){ text })

static char folder[SCRATCH_PATH_BYTES], profile[64], spool[64];
static char *out_text, *err_text;
static pid_t hub_pid;

/* ---- the hub ---- */

static void cut_question(struct hub *hub, uint64_t request_id)
{
	(void)request_id;
	hub_cut(hub);
}

static void run_hub(int told, bool cuts)
{
	struct hub hub;
	char address[64] = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	hub_open(&hub);
	hub.mute = !cuts;
	hub.on_query = cuts ? cut_question : NULL;
	snprintf(address, sizeof address, "%s", hub_address(&hub));
	if (write(told, address, sizeof address) != (ssize_t)sizeof address)
		_exit(1);
	for (;;)
		world_step(&hub.w);
}

static void start_hub(bool cuts, char address[64])
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	hub_pid = fork();
	assert_true(hub_pid >= 0);
	if (hub_pid == 0)
		run_hub(ends[1], cuts);
	close(ends[1]);
	assert_int_equal(read(ends[0], address, 64), 64);
	close(ends[0]);
}

/* ---- the command ---- */

static void write_profile(const char *address)
{
	FILE *f;

	snprintf(profile, sizeof profile, "%s/profile.yaml", folder);
	snprintf(spool, sizeof spool, "%s/spool.db", folder);
	f = fopen(profile, "w");
	assert_non_null(f);
	fprintf(f,
		"addresses: [\"%s\"]\nca: %s\ncertificate: %s\nkey: %s\nserver_name: 127.0.0.1\n"
		"language: en\nspool: %s\n",
		address, world_path("ca.crt"), world_path("participants/gimpo-ps.crt"),
		world_path("participants/gimpo-ps.key"), spool);
	assert_int_equal(fclose(f), 0);
}

static enum exit_code run_deadlines(void)
{
	char *argv[] = { MUTABLE("ieum"),
			 MUTABLE("deadlines"),
			 MUTABLE("--profile"),
			 profile,
			 MUTABLE("--timeout"),
			 MUTABLE("1s"),
			 NULL };
	size_t out_n, err_n;
	FILE *out = open_memstream(&out_text, &out_n), *err = open_memstream(&err_text, &err_n);

	assert_non_null(out);
	assert_non_null(err);
	enum exit_code code = command_main(6, argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

static int begin(void **state)
{
	(void)state;
	setenv("LC_ALL", "C", 1);
	scratch_make(folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (hub_pid > 0) {
		kill(hub_pid, SIGKILL);
		waitpid(hub_pid, NULL, 0);
	}
	hub_pid = 0;
	free(out_text);
	free(err_text);
	out_text = err_text = NULL;
	scratch_remove(folder);
	return 0;
}

static void deadlines_are_shown_as_last_known_when_the_hub_says_nothing(void **state)
{
	char address[64];

	(void)state;
	start_hub(false, address);
	write_profile(address);
	assert_int_equal(run_deadlines(), EXIT_TIMED_OUT);
	assert_non_null(strstr(err_text, "TIMED_OUT"));
	assert_non_null(strstr(out_text, "The hub has never told this machine your open"));
}

static void deadlines_are_shown_as_last_known_when_the_hub_hangs_up(void **state)
{
	char address[64];

	(void)state;
	start_hub(true, address);
	write_profile(address);
	enum exit_code code = run_deadlines();
	assert_true(code == EXIT_TIMED_OUT || code == EXIT_UNREACHABLE);
	assert_non_null(strstr(out_text, "The hub has never told this machine your open"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			deadlines_are_shown_as_last_known_when_the_hub_says_nothing, begin, end),
		cmocka_unit_test_setup_teardown(
			deadlines_are_shown_as_last_known_when_the_hub_hangs_up, begin, end),
	};

	return cmocka_run_group_tests_name("a silent hub", tests, world_certs_make,
					   world_certs_remove);
}
