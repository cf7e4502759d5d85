/* The command `ieum` against a real hub: real processes, real certificates, what they print and
 * what they exit with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/integration/desk.h"

static struct hub hub;

/* ---- running it ---- */

static void write_profile(const char *participant, const char *address, const char *ca)
{
	char name[128], text[1024];

	snprintf(name, sizeof name, "%s.yaml", participant);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s\ncertificate: %s/participants/%s.crt\n"
		 "key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\n"
		 "spool: %s.spool\n",
		 address, ca, hub.certificates, participant, hub.certificates, participant,
		 participant);
	desk_write(name, text);
}

/* A text field of the JSON document that was printed. */
static void take_field(const char *name, char *out, size_t size)
{
	json_t *doc = json_loads(desk.printed, 0, NULL);
	const char *text = json_string_value(json_object_get(doc, name));

	if (!text)
		fail_msg("no %s in:\n%s", name, desk.printed);
	snprintf(out, size, "%s", text);
	json_decref(doc);
}

static const char REPORT[] = "envelope:\n"
			     "  category: domestic_violence\n"
			     "  urgency: immediate\n"
			     "  legal_basis: {kind: imminent_danger}\n"
			     "  external_refs: [{system: '112', number: 2026-0117-00321}]\n"
			     "report_received: {response_code: code_1, child_at_home: true}\n";

static int start(void **state)
{
	static const char *const who[] = { "town-ps", "town-aid", "town-aid-2", "town-head",
					   "town-op" };
	char ca[2 * HUB_PATH_BYTES];

	(void)state;
	hub_make(&hub, &(struct hub_options){ .drill = true });
	hub_start(&hub);
	desk_open(&hub, hub.folder);
	snprintf(ca, sizeof ca, "%s/ca.crt", hub.certificates);
	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
		write_profile(who[i], hub.address, ca);
	desk_write("report.yaml", REPORT);
	desk_write("notes.txt", "문을 열어 주지 않음\n");
	return 0;
}

static int end(void **state)
{
	(void)state;
	desk_close();
	hub_remove(&hub);
	return 0;
}

static char case_id[64];

static void submit_report(void)
{
	desk_expect("town-ps", "submit report.yaml --open-case --text notes.txt --json", EXIT_DONE);
	take_field("case_id", case_id, sizeof case_id);
}

/* ---- tests ---- */

static void a_report_is_carried_and_answered(void **state)
{
	char words[256];

	(void)state;
	desk_expect("town-ps", "reach report.yaml --open-case", EXIT_DONE);
	assert_in(desk.printed, "Town aid");
	assert_in(desk.printed, "the head");
	submit_report();
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Immediate · Report received · delivery");
	assert_in(desk.printed, "Town police (town-ps-1)");
	assert_in(desk.printed, "112 2026-0117-00321");
	assert_in(desk.printed, "| 문을 열어 주지 않음");
	assert_in(desk.printed, "(in 9 min)");
	assert_in(desk.printed, "DRILL");
	/* It was taken, so it does not come again. */
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
	snprintf(words, sizeof words, "answer %s received --remark '갑니다'", case_id);
	desk_expect("town-aid", words, EXIT_DONE);
	assert_in(desk.printed, "The hub has it: message ");
	desk_expect("town-ps", "inbox --lang ko", EXIT_DONE);
	assert_in(desk.printed, "회신 · 배달");
	assert_in(desk.printed, "비고: 갑니다");
	snprintf(words, sizeof words, "case timeline %s", case_id);
	desk_expect("town-ps", words, EXIT_DONE);
	assert_in(desk.printed, "Domestic violence");
	assert_in(desk.printed, "Town police");
	assert_in(desk.printed, "Delivered: Report received");
	assert_in(desk.printed, "Received (re: Report received)");
	desk_expect("town-aid", "case list", EXIT_DONE);
	assert_in(desk.printed, case_id);
	snprintf(words, sizeof words, "referral show %s", case_id);
	desk_expect("town-aid", words, EXIT_DONE);
	assert_in(desk.printed, "taken");
	assert_in(desk.printed, "| 문을 열어 주지 않음");
}

static void silence_is_seen_in_the_timeline(void **state)
{
	char words[128];

	(void)state;
	submit_report();
	desk_expect("town-op", "drill advance 11 min", EXIT_DONE);
	snprintf(words, sizeof words, "case timeline %s", case_id);
	desk_expect("town-ps", words, EXIT_DONE);
	assert_in(desk.printed, "Report received: no answer in time, the next is asked");
	assert_in(desk.printed, "Town hall");
	desk_expect("town-ps", "drill advance 1 h", EXIT_REFUSED);
	assert_in(desk.said, "NOT_PERMITTED");
}

/* From a key and a subject file to the hub: it has tokens and nothing that they were made from. */
static void tokens_go_to_the_hub_and_identifiers_stay(void **state)
{
	char words[128];

	(void)state;
	desk_write("child.yaml", "name: 김 민준 군\nbirth: 2015년 3월 1일\nphone: 010-1234-5678\n");
	desk_expect("town-ps", "token new-key --council c --out council.key", EXIT_DONE);
	desk_expect(
		"town-ps",
		"submit report.yaml --open-case --subject child.yaml --council-key council.key --json",
		EXIT_DONE);
	take_field("case_id", case_id, sizeof case_id);
	snprintf(words, sizeof words, "referral show %s --json", case_id);
	desk_expect("town-ps", words, EXIT_DONE);
	/* Kinds 1 to 3 of epoch 1, in base64. */
	assert_in(desk.printed, "\"AQ");
	assert_in(desk.printed, "\"Ag");
	assert_in(desk.printed, "\"Aw");
	assert_int_equal(hub_run(&hub,
				 "grep -qa -e 민준 -e 2015-03-01 -e 01012345678 %s/journal.db*",
				 hub.folder),
			 1);
	desk_expect("town-ps", "submit report.yaml --open-case --subject child.yaml", EXIT_USAGE);
}

static void looking_takes_nothing(void **state)
{
	char words[128];
	json_t *line;

	(void)state;
	submit_report();
	desk_expect("town-aid", "inbox --settle none --json", EXIT_DONE);
	line = json_loads(desk.printed, 0, NULL);
	assert_non_null(line);
	snprintf(words, sizeof words, "settle %lld --done",
		 (long long)json_integer_value(json_object_get(line, "delivery_id")));
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_object_get(line, "referral"), "envelope"), "type")),
		"report_received");
	json_decref(line);
	desk_expect("town-aid", "inbox --settle none", EXIT_DONE);
	assert_in(desk.printed, "Report received");
	/* By number, from another process: a late settle counts. */
	desk_expect("town-aid", words, EXIT_DONE);
	assert_in(desk.printed, "1 deliveries settled");
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
	desk_expect("town-ps", words, EXIT_NOT_FOUND);
}

#define DRILL_EN "** DRILL: nothing here is real ** "
#define DRILL_KO "** 훈련: 실제가 아님 ** "

static void a_notice_says_nothing_and_takes_nothing(void **state)
{
	(void)state;
	submit_report();
	submit_report();
	desk_expect("town-aid", "inbox --notify", EXIT_DONE);
	assert_string_equal(desk.printed, DRILL_EN "Please look into your inbox.\n" DRILL_EN
						   "Please look into your inbox.\n");
	desk_expect("town-aid", "inbox --notify --lang ko --limit 1", EXIT_DONE);
	assert_string_equal(desk.printed, DRILL_KO "수신함을 확인하십시오.\n");
	desk_expect("town-aid", "inbox --notify --json --limit 1", EXIT_DONE);
	assert_string_equal(desk.printed,
			    "{\"notification\":\"Please look into your inbox.\",\"drill\":true}\n");
	desk_expect("town-aid", "inbox --notify --follow", EXIT_USAGE);
	desk_expect("town-aid", "inbox --notify --settle done", EXIT_USAGE);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Report received");
}

static void what_was_not_printed_is_not_taken(void **state)
{
	(void)state;
	submit_report();
	assert_int_equal(hub_run(&hub,
				 "cd %s && %s --profile town-aid.yaml inbox "
				 ">/dev/full 2>err",
				 hub.folder, desk.ieum),
			 EXIT_FAILED);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Report received");
}

static void a_limit_takes_no_more(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		submit_report();
	desk_expect("town-aid", "inbox --limit 2 --json", EXIT_DONE);
	json_t *second = json_loads(strchr(desk.printed, '\n') + 1, 0, NULL);
	assert_non_null(second);
	json_decref(second);
	/* The third was never released to anybody. */
	desk_expect("town-op", "queue list --json", EXIT_DONE);
	json_t *doc = json_loads(desk.printed, 0, NULL);
	json_t *queues = json_object_get(json_object_get(doc, "queues"), "queues");
	for (size_t i = 0; i < json_array_size(queues); i++) {
		json_t *q = json_array_get(queues, i);

		if (strcmp(json_string_value(json_object_get(q, "mailbox")), "town-aid") != 0)
			continue;
		assert_int_equal(json_integer_value(json_object_get(q, "settled")), 2);
		assert_int_equal(json_integer_value(json_object_get(q, "depth")), 1);
	}
	json_decref(doc);
	char words[128];
	snprintf(words, sizeof words, "case timeline %s", case_id);
	desk_expect("town-ps", words, EXIT_DONE);
	if (strstr(desk.printed, "Delivered: "))
		fail_msg("it was released:\n%s", desk.printed);
}

/* ---- following ---- */

static void following_goes_on_over_a_kill(void **state)
{
	pid_t pid;
	FILE *lines = desk_follow("town-aid", "--json", &pid, NULL);

	(void)state;
	submit_report();
	desk_expect_line(lines, "report_received");
	hub_kill(&hub);
	hub_start(&hub);
	submit_report();
	desk_expect_line(lines, "report_received");
	desk_end_following(pid);
	fclose(lines);
	desk_expect("town-aid", "inbox", EXIT_DONE);
	assert_in(desk.printed, "Nothing new.");
}

/* After a power cut an agency's machine may be up before the hub. */
static void following_may_begin_before_the_hub(void **state)
{
	FILE *told, *lines;
	pid_t pid;

	(void)state;
	hub_kill(&hub);
	lines = desk_follow("town-aid", "--lang=en", &pid, &told);
	desk_expect_line(told, "no address of the hub answers");
	desk_await_line(told, "Still trying to reach the hub.");
	hub_start(&hub);
	desk_await_line(told, "Waiting for messages.");
	submit_report();
	desk_await_line(lines, "Report received");
	desk_end_following(pid);
	fclose(told);
	fclose(lines);
}

/* ---- refusals ---- */

static void every_failure_has_its_exit_code(void **state)
{
	char ca[2 * HUB_PATH_BYTES];

	(void)state;
	desk_expect("town-ps", "queue list", EXIT_REFUSED);
	desk_expect("town-ps", "case show 0192f5d4-7c1e-7a3b-9c4d-0123456789ab", EXIT_NOT_FOUND);
	assert_in(desk.said, "CASE_UNKNOWN");
	desk_expect("town-ps", "answer 0192f5d4-7c1e-7a3b-9c4d-0123456789ab received",
		    EXIT_NOT_FOUND);
	desk_write("wrong.yaml", "envelope: {urgancy: immediate}\nreport_received: {}\n");
	desk_expect("town-ps", "submit wrong.yaml --open-case", EXIT_FILE);
	assert_in(desk.said, "wrong.yaml:1:");
	assert_in(desk.said, "urgency");
	desk_write("number.txt", "주민번호 900101-1234567\n");
	desk_expect("town-ps", "submit report.yaml --open-case --text number.txt --lang ko",
		    EXIT_FILE);
	assert_in(desk.said, "주민등록번호");
	desk_expect("town-ps", "submit missing.yaml", EXIT_FILE);
	/* Another CA than the hub's: its certificate proves nothing to us. */
	snprintf(ca, sizeof ca, "%s/participants/town-ps.crt", hub.certificates);
	write_profile("town-ps", hub.address, ca);
	desk_expect("town-ps", "whoami", EXIT_UNREACHABLE);
	snprintf(ca, sizeof ca, "%s/ca.crt", hub.certificates);
	write_profile("town-ps", "127.0.0.1:1", ca);
	desk_expect("town-ps", "whoami --timeout 1s", EXIT_UNREACHABLE);
	desk_expect("town-ps", "inbox --timeout 1s", EXIT_UNREACHABLE);
	write_profile("town-ps", hub.address, ca);
	hub_revoke(&hub, "town-ps");
	assert_true(hub_reload(&hub));
	desk_expect("town-ps", "whoami", EXIT_UNREACHABLE);
	desk_expect("town-ps", "inbox --follow", EXIT_UNREACHABLE);
	assert_in(desk.said, "new certificate");
}

static void the_same_id_is_one_message(void **state)
{
	char text[1024];

	(void)state;
	submit_report();
	snprintf(text, sizeof text, "envelope:\n  message_id: %s\n%s", case_id,
		 REPORT + strlen("envelope:\n"));
	desk_write("again.yaml", text);
	desk_expect("town-ps", "submit again.yaml --open-case --text notes.txt", EXIT_DONE);
	assert_in(desk.printed, "The hub had it already");
}

/* ---- for operators and auditors ---- */

static void an_operator_sees_queues_and_no_content(void **state)
{
	(void)state;
	submit_report();
	desk_expect("town-op", "queue list", EXIT_DONE);
	assert_in(desk.printed, "town-aid");
	assert_in(desk.printed, "no connection");
	desk_expect("town-op", "queue show town-aid", EXIT_DONE);
	assert_in(desk.printed, "Report received");
	assert_in(desk.printed, "Immediate");
	desk_expect("town-op", "queue show town-aid --dead-letters", EXIT_DONE);
	assert_in(desk.printed, "Nothing here.");
	desk_expect("town-op", "directory --lang ko", EXIT_DONE);
	assert_in(desk.printed, "마을상담소");
	desk_expect("town-op", "whoami --json", EXIT_DONE);
	assert_in(desk.printed, "\"views\"");
	desk_expect("town-op", "ping -c 3", EXIT_DONE);
	assert_in(desk.printed, "3 answered");
}

static void the_journal_verifies_live_and_after_a_kill(void **state)
{
	char root[80], words[128];

	(void)state;
	submit_report();
	desk_expect("town-aid", "inbox", EXIT_DONE);
	desk_expect("nobody", "audit verify journal.db", EXIT_DONE);
	assert_in(desk.printed, "SOUND");
	assert_in(desk.printed, "town-aid");
	desk_expect("nobody", "audit verify journal.db --json", EXIT_DONE);
	take_field("root", root, sizeof root);
	json_t *doc = json_loads(desk.printed, 0, NULL);
	snprintf(words, sizeof words, "audit verify journal.db --earlier %lld:%s",
		 (long long)json_integer_value(json_object_get(doc, "events")), root);
	json_decref(doc);
	submit_report();
	hub_kill(&hub);
	desk_expect("nobody", words, EXIT_DONE);
	hub_start(&hub);
	assert_int_equal(hub_stop(&hub), 0);
	desk_expect("nobody", words, EXIT_DONE);
	memset(strchr(words, ':') + 1, '0', strlen(root));
	desk_expect("nobody", words, EXIT_MISMATCH);
	assert_in(desk.printed, "MISMATCH");
	hub_start(&hub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_report_is_carried_and_answered, start, end),
		cmocka_unit_test_setup_teardown(silence_is_seen_in_the_timeline, start, end),
		cmocka_unit_test_setup_teardown(tokens_go_to_the_hub_and_identifiers_stay, start,
						end),
		cmocka_unit_test_setup_teardown(looking_takes_nothing, start, end),
		cmocka_unit_test_setup_teardown(a_notice_says_nothing_and_takes_nothing, start,
						end),
		cmocka_unit_test_setup_teardown(what_was_not_printed_is_not_taken, start, end),
		cmocka_unit_test_setup_teardown(a_limit_takes_no_more, start, end),
		cmocka_unit_test_setup_teardown(following_goes_on_over_a_kill, start, end),
		cmocka_unit_test_setup_teardown(following_may_begin_before_the_hub, start, end),
		cmocka_unit_test_setup_teardown(every_failure_has_its_exit_code, start, end),
		cmocka_unit_test_setup_teardown(the_same_id_is_one_message, start, end),
		cmocka_unit_test_setup_teardown(an_operator_sees_queues_and_no_content, start, end),
		cmocka_unit_test_setup_teardown(the_journal_verifies_live_and_after_a_kill, start,
						end),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
