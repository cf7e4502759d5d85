/* `ieum inbox` and its spool against a real hub: what is printed without the hub, over a disk that fills
 * up, and what is said of what a process that died may have shown. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/uuid7.h"
#include "tests/integration/desk.h"

static struct hub hub;
static char small[2 * HUB_PATH_BYTES]; /* a disk of 400 kB, where we may mount one */

static void write_profile(const char *who, const char *spool)
{
	char name[128], text[1024];

	snprintf(name, sizeof name, "%s.yaml", who);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncertificate: %s/participants/%s.crt\n"
		 "key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\n"
		 "spool: %s/%s.spool\n",
		 hub.address, hub.certificates, hub.certificates, who, hub.certificates, who, spool,
		 who);
	desk_write(name, text);
}

static int start(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ 0 });
	hub_start(&hub);
	desk_open(&hub, hub.folder);
	write_profile("town-ps", hub.folder);
	write_profile("town-aid", hub.folder);
	desk_write("report.yaml", DESK_REPORT);
	return 0;
}

static int end(void **state)
{
	(void)state;
	desk_close();
	if (small[0])
		umount(small);
	small[0] = '\0';
	hub_remove(&hub);
	return 0;
}

static void submit_reports(unsigned n)
{
	while (n-- > 0)
		desk_expect("town-ps", "submit report.yaml", EXIT_DONE);
}

/* Nothing can be printed: what has come lies in the spool. */
static void fail_to_print(const char *who)
{
	assert_int_equal(hub_run(&hub,
				 "cd %s && %s --profile %s.yaml inbox >/dev/full 2>err </dev/null",
				 desk.folder, desk.ieum, who),
			 EXIT_FAILED);
}

static unsigned times_in(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

/* ---- without a hub ---- */

static void what_the_spool_holds_is_printed_without_a_hub(void **state)
{
	(void)state;
	submit_reports(3);
	fail_to_print("town-aid");
	assert_int_equal(hub_stop(&hub), 0);
	desk_expect("town-aid", "inbox --timeout 1s", EXIT_UNREACHABLE);
	assert_int_equal(times_in(desk.printed, "Report received"), 3);
	/* The one whose printing failed. */
	assert_int_equal(times_in(desk.printed, "· may have been shown before"), 1);
	assert_in(desk.said, "This came before and was not printed:");
	desk_expect("town-aid", "inbox --timeout 1s", EXIT_UNREACHABLE);
	assert_string_equal(desk.printed, "");
	assert_not_in(desk.said, "This came before");
	hub_start(&hub);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
}

/* Trying again helps nobody then. */
static void what_the_spool_holds_is_printed_though_the_hub_refuses_us(void **state)
{
	(void)state;
	submit_reports(2);
	fail_to_print("town-aid");
	hub_revoke(&hub, "town-aid");
	assert_true(hub_reload(&hub));
	desk_expect("town-aid", "inbox", EXIT_UNREACHABLE);
	assert_int_equal(times_in(desk.printed, "Report received"), 2);
	assert_int_equal(times_in(desk.said, "new certificate"), 1);
	desk_expect("town-aid", "inbox", EXIT_UNREACHABLE);
	assert_string_equal(desk.printed, "");
}

static void who_follows_prints_it_and_goes_on_when_the_hub_is_there(void **state)
{
	FILE *told, *lines;
	pid_t pid;

	(void)state;
	submit_reports(1);
	fail_to_print("town-aid");
	hub_kill(&hub);
	lines = desk_follow("town-aid", "--lang=en", &pid, &told);
	desk_await_line(told, "Still trying to reach the hub.");
	desk_await_line(lines, "Report received");
	hub_start(&hub);
	desk_await_line(told, "Waiting for messages.");
	submit_reports(1);
	desk_await_line(lines, "Report received");
	desk_end_following(pid);
	fclose(told);
	fclose(lines);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
}

/* ---- killed ---- */

/* Its place among those that were printed before; -1: it wasn't. */
static int place_of(const char *id, char (*ids)[UUID_TEXT_BYTES], int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(ids[i], id) == 0)
			return i;
	return -1;
}

static const char *id_of(json_t *delivery)
{
	const char *id = "";

	assert_int_equal(json_unpack(delivery, "{s:{s:{s:s}}}", "referral", "envelope",
				     "message_id", &id),
			 0);
	return id;
}

/* All lines up to the end that are whole. */
static int read_ids(FILE *lines, char (*ids)[UUID_TEXT_BYTES], int n_max)
{
	json_t *line;
	int n = 0;

	while (n < n_max && (line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL))) {
		snprintf(ids[n++], UUID_TEXT_BYTES, "%s", id_of(line));
		json_decref(line);
	}
	return n;
}

/* At whatever point of printing, noting and settling it dies. */
static void what_a_killed_process_may_have_shown_is_marked(void **state)
{
	enum { N = 12 };
	char ids[2 * N][UUID_TEXT_BYTES];
	FILE *lines;
	pid_t pid;
	int before, marked = 0;

	(void)state;
	submit_reports(N);
	lines = desk_follow("town-aid", "--json", &pid, NULL);
	before = read_ids(lines, ids, 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	before += read_ids(lines, ids + before, N - before);
	fclose(lines);
	desk_expect("town-aid", "inbox --json", EXIT_DONE);
	char *at = desk.printed, *line, *save = NULL;
	int all = before;
	for (; (line = strtok_r(at, "\n", &save)); at = NULL) {
		json_t *delivery = json_loads(line, 0, NULL);
		bool maybe = json_is_true(json_object_get(delivery, "maybe_shown_before"));

		if (place_of(id_of(delivery), ids, before) < 0)
			all++;
		else if (!maybe)
			fail_msg("printed again without a word: %s", line);
		marked += maybe;
		json_decref(delivery);
	}
	print_message("# %d printed before the kill, %d marked after it\n", before, marked);
	assert_int_equal(all, N);
}

/* ---- a full disk ---- */

static bool mount_small_disk(void)
{
	snprintf(small, sizeof small, "%s/small", hub.folder);
	if (mkdir(small, 0700) == 0 && mount("tmpfs", small, "tmpfs", 0, "size=400k") == 0)
		return true;
	small[0] = '\0';
	return false;
}

static void a_disk_that_fills_up_cuts_nobody_off(void **state)
{
	FILE *told, *lines;
	pid_t pid;

	(void)state;
	if (!mount_small_disk())
		skip();
	write_profile("town-aid", small);
	lines = desk_follow("town-aid", "--json", &pid, &told);
	submit_reports(1);
	desk_expect_line(lines, "report_received");
	assert_int_equal(hub_run(&hub, "cat /dev/zero >%s/fill 2>/dev/null; true", small), 0);
	submit_reports(4);
	for (int i = 0; i < 4; i++)
		desk_expect_line(lines, "report_received");
	desk_expect_line(told, "SPOOL_FULL");
	assert_int_equal(hub_run(&hub, "rm %s/fill", small), 0);
	submit_reports(1);
	desk_expect_line(lines, "report_received");
	desk_end_following(pid);
	assert_int_equal(fgetc(told), EOF); /* said once */
	fclose(told);
	fclose(lines);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_spool_holds_is_printed_without_a_hub,
						start, end),
		cmocka_unit_test_setup_teardown(
			what_the_spool_holds_is_printed_though_the_hub_refuses_us, start, end),
		cmocka_unit_test_setup_teardown(
			who_follows_prints_it_and_goes_on_when_the_hub_is_there, start, end),
		cmocka_unit_test_setup_teardown(what_a_killed_process_may_have_shown_is_marked,
						start, end),
		cmocka_unit_test_setup_teardown(a_disk_that_fills_up_cuts_nobody_off, start, end),
	};

	return cmocka_run_group_tests_name("inbox and spool", tests, NULL, NULL);
}
