/* ieumd as a service: what it tells the service manager, whose rights it runs with, and which
 * journals it takes over from other versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/hub.h"

/* By the hub of the first version, killed with messages waiting; and what its journal came to then. */
#define FIRST_VERSION "tests/fixtures/journal/live-v1.db"
#define ITS_TREE      "22:7a5fb8320f0fca0acc8f3eea2bf3784e92affa8f73e34691c42e9879c2838990"
#define ITS_REPORT    "01a205bd-a1e0-75f4-9d4a-7564e8d18e31"
#define ITS_HUB_FILE  "examples/gimpo/hub.yaml"

static struct hub hub;
static int notices = -1;

static int end(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	if (notices >= 0)
		close(notices);
	notices = -1;
	hub_remove(&hub);
	return 0;
}

/* ---- the service manager ---- */

static void become_the_manager(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = HUB_WAIT_S };

	snprintf(at.sun_path, sizeof at.sun_path, "%.80s/notify", hub.folder);
	notices = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(notices >= 0);
	assert_int_equal(bind(notices, (struct sockaddr *)&at, sizeof at), 0);
	setsockopt(notices, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
}

/* Passes over everything before it. */
static void await_notice(const char *wanted)
{
	char text[1024] = "";

	while (!strstr(text, wanted)) {
		ssize_t n = recv(notices, text, sizeof text - 1, 0);

		if (n < 0)
			fail_msg("the manager is not told %s", wanted);
		text[n] = '\0';
	}
}

static void the_manager_is_told(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	become_the_manager();
	hub_start(&hub);
	await_notice("READY=1");
	await_notice("WATCHDOG=1");
	await_notice("WATCHDOG=1");
	hub_signal(&hub, SIGTERM);
	await_notice("STOPPING=1");
	assert_int_equal(hub_await_end(&hub), 0);
}

/* ---- rights ---- */

/* The line of /proc/PID/status that begins so, without it. */
static void status_line(const char *name, char *out, size_t size)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)hub.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	out[0] = '\0';
	while (fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			snprintf(out, size, "%s", line + strlen(name));
	fclose(f);
}

static void root_becomes_the_account(void **state)
{
	char text[256];

	(void)state;
	if (geteuid() != 0)
		skip();
	hub_make(&hub, &(struct hub_options){ .user = "nobody" });
	assert_int_equal(hub_run(&hub, "chown -R nobody: %s", hub.folder), 0);
	hub_start(&hub);
	status_line("Uid:", text, sizeof text);
	assert_string_equal(text, "\t65534\t65534\t65534\t65534\n");
	status_line("Gid:", text, sizeof text);
	assert_string_equal(text, "\t65534\t65534\t65534\t65534\n");
	status_line("Groups:", text, sizeof text);
	assert_string_equal(text, "\t65534 \n");
	status_line("CapPrm:", text, sizeof text);
	assert_string_equal(text, "\t0000000000000000\n");
	status_line("NoNewPrivs:", text, sizeof text);
	assert_string_equal(text, "\t1\n");
	/* A reload reads what the start has read. */
	assert_true(hub_reload(&hub));
	assert_int_equal(hub_stop(&hub), 0);
}

static void refuses_to_start(const char *line)
{
	assert_int_equal(hub_start_and_end(&hub), 1);
	if (!hub_logged(&hub, line))
		fail_msg("not said: %s\n%s", line, hub.log ? hub.log : "");
}

static void root_without_an_account_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	hub_make(&hub, &(struct hub_options){ .user = "ieum-nobody-has-this-name" });
	refuses_to_start(":7: user: there is no account 'ieum-nobody-has-this-name'");
	assert_int_equal(hub_run(&hub, "sed -i '/^user:/d' %s", hub.config), 0);
	refuses_to_start(
		"started as root, and no account is named to run under; write `user: ieum`");
	/* --check says the same. */
	assert_int_equal(hub_run(&hub,
				 "%s/ieumd --config %s --check 2>&1 | grep -q 'started as root'",
				 hub_bin(), hub.config),
			 0);
}

/* What only root can read must not work until the first SIGHUP. */
static void the_account_has_to_read_the_key(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	hub_make(&hub, &(struct hub_options){ .user = "nobody" });
	assert_int_equal(hub_run(&hub, "chown nobody: %s && chmod 711 %s", hub.folder, hub.folder),
			 0);
	refuses_to_start("hub.key");
	assert_int_equal(hub_run(&hub, "%s/ieumd --config %s --check 2>&1 | grep -q hub.key",
				 hub_bin(), hub.config),
			 0);
}

/* ---- other versions' journals ---- */

static int schema_version(void)
{
	return hub_run(&hub, "exit $(sqlite3 %s 'PRAGMA user_version')", hub.journal);
}

/* Profile of a participant of the hub; the command's exit code. */
static int ieum_as(const char *who, const char *words)
{
	char profile[HUB_PATH_BYTES + 64];
	FILE *f;

	snprintf(profile, sizeof profile, "%.200s/%s.yaml", hub.folder, who);
	f = fopen(profile, "w");
	assert_non_null(f);
	fprintf(f,
		"addresses: [\"%s\"]\nca: certs/ca.crt\ncertificate: certs/participants/%s.crt\n"
		"key: certs/participants/%s.key\n",
		hub.address, who, who);
	fclose(f);
	/* With a spool of its own: every run has the same messages. */
	return hub_run(&hub, "XDG_STATE_HOME=%s %s/ieum --profile %s %s", hub.folder, hub_bin(),
		       profile, words);
}

static void a_journal_of_the_first_version_goes_on(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .hub_file = ITS_HUB_FILE });
	assert_int_equal(hub_run(&hub, "cp %s %s", FIRST_VERSION, hub.journal), 0);
	/* Looking at it does not change it. */
	assert_int_equal(hub_run(&hub, "%s/ieum audit verify %s --earlier %s >%s/audit", hub_bin(),
				 hub.journal, ITS_TREE, hub.folder),
			 0);
	assert_int_equal(schema_version(), 1);
	hub_start(&hub);
	assert_true(hub_logged(&hub, "had schema version 1 and has 2 from now on"));

	/* What waited when the old hub was killed is delivered, with its text; new reports go on top. */
	assert_int_equal(ieum_as("gimpo-case-manager",
				 "referral show " ITS_REPORT
				 " | grep 'notes of the first report' >/dev/null"),
			 0);
	assert_int_equal(ieum_as("gimpo-case-manager", "inbox | grep " ITS_REPORT " >/dev/null"),
			 0);
	assert_int_equal(ieum_as("gimpo-case-manager", "answer " ITS_REPORT " received >/dev/null"),
			 0);
	assert_int_equal(
		ieum_as("gimpo-ps", "submit --open-case tests/fixtures/report.yaml >/dev/null"), 0);
	hub_kill(&hub);
	hub_start(&hub);
	assert_int_equal(ieum_as("gimpo-ps", "inbox | grep " ITS_REPORT " >/dev/null"), 0);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(schema_version(), 2);
	/* Nothing of the past was touched. */
	assert_int_equal(hub_run(&hub, "%s/ieum audit verify %s --earlier %s >%s/audit", hub_bin(),
				 hub.journal, ITS_TREE, hub.folder),
			 0);
}

static void a_journal_of_a_newer_version_is_refused(void **state)
{
	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = false });
	hub_start(&hub);
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub, "sqlite3 %s 'PRAGMA user_version = 3'", hub.journal), 0);
	assert_int_equal(hub_start_and_end(&hub), 5);
	assert_true(hub_logged(
		&hub, "has schema version 3, this ieum knows version 2: use a newer ieum"));
	assert_true(hub_logged(&hub, "error=JOURNAL_VERSION"));
	/* It was left alone. */
	assert_int_equal(schema_version(), 3);
	assert_int_equal(hub_run(&hub, "%s/ieum audit verify %s 2>&1 | grep -q JOURNAL_VERSION",
				 hub_bin(), hub.journal),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_manager_is_told, end),
		cmocka_unit_test_teardown(root_becomes_the_account, end),
		cmocka_unit_test_teardown(root_without_an_account_is_refused, end),
		cmocka_unit_test_teardown(the_account_has_to_read_the_key, end),
		cmocka_unit_test_teardown(a_journal_of_the_first_version_goes_on, end),
		cmocka_unit_test_teardown(a_journal_of_a_newer_version_is_refused, end),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
