/* Commands that get no answer, or are ended while they wait for one: what they say is what happened,
 * and whoever does what they say sends nothing twice.  Between agency and hub something holds the
 * hub's answers back. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/between.h"
#include "tests/integration/desk.h"
#include "tests/integration/record.h"

enum { PATH_BYTES = 2 * HUB_PATH_BYTES, ID_CHARS = 36 };

#define SECRET "rooftop-flat-behind-the-bakery"

static struct hub hub;
static struct between between;

static const char SEALED[] =
	"narrative:\n"
	"  - {media_type: text/plain, language: en, subject: reporter_identity,\n"
	"     clear: {text: " SECRET "}}\n";

/* ---- a town ---- */

/* As the participant; `more`: further lines. */
static void write_profile(const char *file, const char *participant, const char *address,
			  const char *more)
{
	char name[128], text[8 * PATH_BYTES];

	snprintf(name, sizeof name, "%s.yaml", file);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncertificate: %s/participants/%s.crt\n"
		 "key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\n%s",
		 address, hub.certificates, hub.certificates, participant, hub.certificates,
		 participant, more);
	desk_write(name, text);
}

static int start(void **state)
{
	static const char *const people[] = { "town-ps", "town-aid", "town-head", "town-op" };
	char folder[PATH_BYTES], sealed[1024];

	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	snprintf(folder, sizeof folder, "%s/agencies", hub.folder);
	desk_open(&hub, folder);
	assert_int_equal(hub_run(&hub, "mkdir %s", folder), 0);
	hub_start(&hub);
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
		write_profile(people[i], people[i], hub.address, "");
	desk_write("report.yaml", DESK_REPORT);
	snprintf(sealed, sizeof sealed, "%s%s", DESK_REPORT, SEALED);
	desk_write("sealed.yaml", sealed);
	return 0;
}

static int end(void **state)
{
	(void)state;
	between_end(&between);
	desk_close();
	hub_remove(&hub);
	return 0;
}

/* "slow" is town-ps through what holds back after so many frames behind Hello. */
static void hold_back(unsigned frames, bool swallow, const char *participant, const char *more)
{
	between_start(&between, &hub, BETWEEN_HELLO + frames, swallow);
	write_profile("slow", participant, between.address, more);
}

/* What stands behind the text. */
static void id_behind(const char *text, const char *before, char id[64])
{
	const char *at = strstr(text, before);

	if (!at)
		fail_msg("'%s' is missing in:\n%s", before, text);
	else
		snprintf(id, 64, "%.*s", ID_CHARS, at + strlen(before));
}

static void count_submitted(void *ctx, uint64_t seq, const Ieum__V1__Event *event)
{
	(void)seq;
	*(unsigned *)ctx += event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED;
}

static void expect_submitted(unsigned n)
{
	unsigned submitted = 0;

	record_each(&hub, count_submitted, &submitted);
	assert_int_equal(submitted, n);
}

/* ---- no answer ---- */

static void a_submit_without_an_answer_is_not_doubled(void **state)
{
	char id[64] = "", words[256];

	(void)state;
	hold_back(1, false, "town-ps", "spool: none\n");
	desk_expect("slow", "submit report.yaml --timeout 1s", EXIT_TIMED_OUT);
	assert_in(desk.said, "It may have arrived");
	assert_not_in(desk.said, "Run the command again");
	id_behind(desk.said, "--message-id ", id);
	desk_expect("slow", "submit sealed.yaml --timeout 1s --json", EXIT_TIMED_OUT);
	assert_in(desk.said, "{\"message_id\":\"");
	assert_not_in(desk.said, "--message-id"); /* sealed anew it is another */
	snprintf(words, sizeof words, "referral show %s", id);
	desk_expect("town-ps", words, EXIT_DONE);
	snprintf(words, sizeof words, "submit report.yaml --message-id %s", id);
	desk_expect("slow", "ping --timeout 1s", EXIT_TIMED_OUT);
	assert_in(desk.said, "Run the command again.");
	assert_not_in(desk.said, "arrived");
	desk_expect("town-ps", words, EXIT_DONE);
	assert_in(desk.printed, id);
	expect_submitted(1); /* of the sealed one only the question had left */
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	snprintf(words, sizeof words, "answer %s received --message-id %.35sx", id, id);
	desk_expect("town-aid", words, EXIT_USAGE);
}

static void the_same_answer_is_recorded_once(void **state)
{
	char id[64] = "", again[64] = "", words[256];

	(void)state;
	desk_expect("town-ps", "submit report.yaml", EXIT_DONE);
	id_behind(desk.printed, "message ", id);
	hold_back(1, false, "town-aid", "spool: none\n");
	snprintf(words, sizeof words, "answer %s received --timeout 1s", id);
	desk_expect("slow", words, EXIT_TIMED_OUT);
	id_behind(desk.said, "--message-id ", again);
	snprintf(words, sizeof words, "answer %s received --message-id %s", id, again);
	desk_expect("town-aid", words, EXIT_DONE);
	expect_submitted(2);
}

/* ---- ended by its user ---- */

/* Runs until the hub's answer is held back, then gets the signal; its exit code. */
static int run_and_signal(const char *who, const char *words, int number)
{
	char *command;
	int status;

	assert_true(
		asprintf(
			&command,
			"cd %s && XDG_STATE_HOME=%s LC_ALL=C.UTF-8 exec %s --profile %s.yaml %s >out "
			"2>err </dev/null",
			desk.folder, desk.folder, desk.ieum, who, words) > 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	between_await(&between);
	assert_int_equal(kill(pid, number), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(command);
	desk_read();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void whoever_ends_a_submit_is_told_that_it_is_kept(void **state)
{
	char id[64] = "", sent[128];

	(void)state;
	hold_back(1, false, "town-ps", "");
	assert_int_equal(run_and_signal("slow", "submit report.yaml --timeout 60s", SIGINT),
			 EXIT_KEPT);
	id_behind(desk.printed, "not yet at the hub: message ", id);
	assert_in(desk.said, "don't submit it again");
	desk_expect("town-ps", "whoami", EXIT_DONE);
	snprintf(sent, sizeof sent, "Sent from the spool: message %s", id);
	assert_in(desk.said, sent);
	expect_submitted(1);
}

static void whoever_ends_a_submit_without_a_spool_is_told_how_to_go_on(void **state)
{
	char id[64] = "", words[256];

	(void)state;
	hold_back(1, false, "town-ps", "spool: none\n");
	assert_int_equal(run_and_signal("slow", "submit report.yaml --timeout 60s", SIGTERM),
			 EXIT_TIMED_OUT);
	id_behind(desk.said, "--message-id ", id);
	snprintf(words, sizeof words, "submit report.yaml --message-id %s", id);
	desk_expect("town-ps", words, EXIT_DONE);
	expect_submitted(1);
}

static void whoever_ends_it_before_there_is_a_hub_is_told_that_nothing_was_sent(void **state)
{
	(void)state;
	between_start(&between, &hub, 0, false);
	write_profile("slow", "town-ps", between.address, "");
	assert_int_equal(run_and_signal("slow", "submit report.yaml --timeout 60s", SIGINT),
			 EXIT_UNREACHABLE);
	assert_in(desk.said, "nothing was sent and nothing was kept");
	desk_expect("town-ps", "spool list", EXIT_DONE);
	assert_in(desk.printed, "waiting 0,");
	expect_submitted(0);
}

/* ---- a newcomer's key ---- */

/* A request for a key, which town-aid is asked. */
static void make_key_request(char id[64])
{
	write_profile("town-aid", "town-aid", hub.address, "wrap_keys: ask\n");
	desk_expect("town-aid", "ping", EXIT_DONE);
	desk_expect("town-ps", "submit sealed.yaml", EXIT_DONE);
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	desk_expect("town-head", "ping", EXIT_DONE);
	desk_expect("town-op", "drill advance '11 min'", EXIT_DONE);
	desk_expect("town-head", "inbox --limit 1", EXIT_DONE);
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	id_behind(desk.printed, "ieum key wrap ", id);
}

static void a_key_that_is_refused_after_its_wait_is_seen(void **state)
{
	char id[64] = "", kept[64] = "", words[256];

	(void)state;
	make_key_request(id);
	/* The request, the message, the key: that doesn't reach the hub. */
	hold_back(3, true, "town-aid", "");
	snprintf(words, sizeof words, "key wrap %s --timeout 1s", id);
	desk_expect("slow", words, EXIT_KEPT);
	id_behind(desk.printed, "not yet at the hub: message ", kept);
	write_profile("elsewhere", "town-aid", hub.address, "spool: none\n");
	snprintf(words, sizeof words, "key wrap %s", id);
	desk_expect("elsewhere", words, EXIT_DONE);
	desk_expect("town-aid", "spool send", EXIT_DONE);
	assert_in(desk.said, "The hub refused message");
	assert_in(desk.said, "NOT_PERMITTED"); /* town-head has one */
	desk_expect("town-aid", "spool list --json", EXIT_DONE);
	assert_in(desk.printed, "\"refused\": 1");
	snprintf(words, sizeof words, "spool resend %s", kept);
	desk_expect("town-aid", words, EXIT_DONE);
	assert_in(desk.said, "The hub refused message");
	snprintf(words, sizeof words, "spool drop %s", kept);
	desk_expect("town-aid", words, EXIT_DONE);
	snprintf(words, sizeof words, "spool resend %s", kept);
	desk_expect("town-aid", words, EXIT_NOT_FOUND);
}

static void a_key_without_an_answer_is_looked_for_first(void **state)
{
	char id[64] = "", words[256];

	(void)state;
	make_key_request(id);
	hold_back(3, false, "town-aid", "spool: none\n");
	snprintf(words, sizeof words, "key wrap %s --timeout 1s", id);
	desk_expect("slow", words, EXIT_TIMED_OUT);
	assert_in(desk.said, "whether the request is answered");
	assert_in(desk.said, id);
}

/* ---- clocks and spools ---- */

static void what_a_wrong_clock_named_arrives_sealed_under_another_id(void **state)
{
	char id[64] = "", renamed[128];

	(void)state;
	desk_expect("town-aid", "ping", EXIT_DONE);
	write_profile("away", "town-ps", "127.0.0.1:1", "");
	desk_expect("away", "submit sealed.yaml --timeout 1s", EXIT_KEPT);
	id_behind(desk.printed, "not yet at the hub: message ", id);
	desk_expect("town-op", "drill advance '40 d'", EXIT_DONE);
	desk_expect("town-ps", "whoami", EXIT_DONE);
	snprintf(renamed, sizeof renamed, "Message %s goes under a new id", id);
	assert_in(desk.said, renamed);
	assert_in(desk.said, "Sent from the spool: message");
	desk_expect("town-aid", "inbox --limit 1", EXIT_DONE);
	assert_in(desk.printed, SECRET);
}

static void without_a_place_for_a_spool_it_is_said(void **state)
{
	(void)state;
	assert_int_equal(desk_run_bare("town-ps", "submit report.yaml"), EXIT_DONE);
	assert_in(desk.said, "There is no spool");
	assert_int_equal(desk_run_bare("town-ps", "inbox --limit 1 --json"), EXIT_DONE);
	assert_in(desk.said, "{\"notice\":\"no_spool\"}");
	write_profile("town-ps", "town-ps", hub.address, "spool: none\n");
	assert_int_equal(desk_run_bare("town-ps", "submit report.yaml"), EXIT_DONE);
	assert_not_in(desk.said, "spool");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		TEST(a_submit_without_an_answer_is_not_doubled),
		TEST(the_same_answer_is_recorded_once),
		TEST(whoever_ends_a_submit_is_told_that_it_is_kept),
		TEST(whoever_ends_a_submit_without_a_spool_is_told_how_to_go_on),
		TEST(whoever_ends_it_before_there_is_a_hub_is_told_that_nothing_was_sent),
		TEST(a_key_that_is_refused_after_its_wait_is_seen),
		TEST(a_key_without_an_answer_is_looked_for_first),
		TEST(what_a_wrong_clock_named_arrives_sealed_under_another_id),
		TEST(without_a_place_for_a_spool_it_is_said),
	};

	return cmocka_run_group_tests_name("held back", tests, NULL, NULL);
}
