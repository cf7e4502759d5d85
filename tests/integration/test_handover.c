/* A hand-over by the command `ieum` against a real hub: the dry run, the announcement, a case
 * that is accepted, and the list that the new agency computes from the messages it got itself. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/exit_code.h"
#include "proto/uuid7.h"
#include "tests/integration/hub.h"

enum { OUTPUT_BYTES_MAX = 1 << 20 };

static struct hub hub;
static char ieum[PATH_MAX];
static char printed[OUTPUT_BYTES_MAX];

static const char *const agencies[] = { "gm-ps",           "gm-child-official", "siheung-cpa",
					"gwangmyeong-cpa", "gm-child-division", "gm-operator" };

/* ---- running it ---- */

static void write_text(const char *name, const char *text)
{
	char path[2 * HUB_PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", hub.folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void write_profile(const char *who)
{
	char name[128], text[2048];

	snprintf(name, sizeof name, "%s.yaml", who);
	snprintf(text, sizeof text,
		 "addresses: [\"%s\"]\nca: %s/ca.crt\ncertificate: %s/participants/%s.crt\n"
		 "key: %s/participants/%s.key\nserver_name: localhost\nlanguage: en\n"
		 "spool: %s.spool\n",
		 hub.address, hub.certificates, hub.certificates, who, hub.certificates, who, who);
	write_text(name, text);
}

static void expect(const char *who, const char *words, enum exit_code code)
{
	int got = hub_run(&hub,
			  "cd %s && TZ=KST-9 LC_ALL=C.UTF-8 %s --profile %s.yaml %s >out 2>&1 "
			  "</dev/null",
			  hub.folder, ieum, who, words);
	char path[2 * HUB_PATH_BYTES];

	snprintf(path, sizeof path, "%s/out", hub.folder);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	printed[fread(printed, 1, sizeof printed - 1, f)] = '\0';
	fclose(f);
	if (got != (int)code)
		fail_msg("ieum %s as %s: exit %d, not %d\n%s", words, who, got, (int)code, printed);
}

static void assert_in(const char *part)
{
	if (!strstr(printed, part))
		fail_msg("'%s' is missing in:\n%s", part, printed);
}

static void assert_not_in(const char *part)
{
	if (strstr(printed, part))
		fail_msg("'%s' should not be in:\n%s", part, printed);
}

/* A text of the JSON that was printed. */
static void take_field(const char *name, char out[UUID_TEXT_BYTES])
{
	json_t *doc = json_loads(printed, 0, NULL);
	const char *text = json_string_value(json_object_get(doc, name));

	if (!text)
		fail_msg("no %s in:\n%s", name, printed);
	snprintf(out, UUID_TEXT_BYTES, "%s", text);
	json_decref(doc);
}

/* The id of the hand-over among the lines that the inbox printed. */
static bool take_handover(char out[UUID_TEXT_BYTES])
{
	bool found = false;

	for (char *rest = printed, *line; !found && (line = strsep(&rest, "\n"));) {
		json_t *doc = json_loads(line, 0, NULL);
		const json_t *envelope =
			json_object_get(json_object_get(doc, "referral"), "envelope");
		const char *type = json_string_value(json_object_get(envelope, "type"));
		found = type && strcmp(type, "handover") == 0;
		if (found)
			snprintf(out, UUID_TEXT_BYTES, "%s",
				 json_string_value(json_object_get(envelope, "message_id")));
		json_decref(doc);
	}
	return found;
}

/* ---- the hand-over ---- */

static int start(void **state)
{
	char path[2 * HUB_PATH_BYTES];

	(void)state;
	snprintf(path, sizeof path, "%s/ieum", hub_bin());
	assert_non_null(realpath(path, ieum));
	hub_make(&hub, &(struct hub_options){ .hub_file = "examples/gwangmyeong/hub.yaml",
					      .drill = true });
	hub_start(&hub);
	for (size_t i = 0; i < sizeof agencies / sizeof agencies[0]; i++)
		write_profile(agencies[i]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_remove(&hub);
	return 0;
}

/* Its protection plan has a part for the old agency by name, and one for somebody else. */
static void open_a_case(char case_id[UUID_TEXT_BYTES], char plan_id[UUID_TEXT_BYTES])
{
	char words[256];

	write_text("report.yaml",
		   "envelope: {type: report_received, category: child_neglect, legal_basis: "
		   "{kind: statutory, article: \"아동학대처벌법 제10조\"}}\nreport_received: {}\n");
	write_text("plan.yaml",
		   "envelope: {type: protection_plan, legal_basis: {kind: statutory, article: "
		   "\"아동복지법 제15조\"}}\nprotection_plan: {}\nnarrative:\n"
		   "  - {media_type: text/plain, language: en, recipients: [siheung-cpa], "
		   "clear: dGhlIHBsYW4gaW4gd29yZHM=}\n"
		   "  - {media_type: text/plain, language: en, recipients: [gm-ps], "
		   "clear: Zm9yIHRoZSBwb2xpY2UgYWxvbmU=}\n");
	expect("gm-ps", "--json submit report.yaml --open-case", EXIT_DONE);
	take_field("case_id", case_id);
	snprintf(words, sizeof words, "--json submit plan.yaml --case %s", case_id);
	expect("gm-child-official", words, EXIT_DONE);
	take_field("message_id", plan_id);
}

static void announce(char change_id[UUID_TEXT_BYTES])
{
	char text[512];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(
		text, sizeof text,
		"envelope: {type: jurisdiction_change, legal_basis: {kind: statutory, article: "
		"\"아동복지법 제45조\"}}\njurisdiction_change: {from: siheung-cpa, to: gwangmyeong-cpa, "
		"from_jurisdiction: \"41210\", effective_at_ms: %lld}\n",
		(long long)(now.tv_sec + 3600) * 1000);
	write_text("change.yaml", text);
	expect("gm-child-division", "--json submit change.yaml", EXIT_DONE);
	take_field("message_id", change_id);
}

static void a_jurisdiction_is_handed_over(void **state)
{
	char case_id[UUID_TEXT_BYTES], change_id[UUID_TEXT_BYTES], handover_id[UUID_TEXT_BYTES];
	char plan_id[UUID_TEXT_BYTES], words[256];

	(void)state;
	open_a_case(case_id, plan_id);
	expect("gm-child-division",
	       "handover plan --from siheung-cpa --to gwangmyeong-cpa --jurisdiction 41210",
	       EXIT_DONE);
	assert_in("Cases: 1. Open requests: 2. Clocks: 0. Places: 0.");
	assert_in(case_id);
	expect("gm-ps", "handover plan --from siheung-cpa --to gwangmyeong-cpa", EXIT_REFUSED);
	announce(change_id);
	expect("siheung-cpa", "handover list", EXIT_DONE);
	assert_in("Announced");
	expect("gm-operator", "drill advance 2 h", EXIT_DONE);

	expect("gwangmyeong-cpa", "--json inbox --limit 3", EXIT_DONE);
	assert_true(take_handover(handover_id));
	snprintf(words, sizeof words, "handover confirm %s", change_id);
	expect("gwangmyeong-cpa", words, EXIT_REFUSED);
	assert_in("cases not accepted yet: 1 of 1");
	/* Whoever didn't get the messages can't make the list of them. */
	expect("siheung-cpa", words, EXIT_REFUSED);
	snprintf(words, sizeof words, "answer %s accept", handover_id);
	expect("gwangmyeong-cpa", words, EXIT_DONE);

	snprintf(words, sizeof words, "case show %s", case_id);
	expect("siheung-cpa", words, EXIT_NOT_FOUND);
	snprintf(words, sizeof words, "case timeline %s", case_id);
	expect("gwangmyeong-cpa", words, EXIT_DONE);
	assert_in("Handed over to Gwangmyeong child protection agency");
	/* What was written for the old one is for the new one, brought to it and looked up. */
	expect("gwangmyeong-cpa", "inbox --limit 1", EXIT_DONE);
	assert_in("the plan in words");
	snprintf(words, sizeof words, "referral show %s", plan_id);
	expect("gwangmyeong-cpa", words, EXIT_DONE);
	assert_in("the plan in words");
	assert_not_in("for the police alone");
	snprintf(words, sizeof words, "handover confirm %s", change_id);
	expect("gwangmyeong-cpa", words, EXIT_DONE);
	snprintf(words, sizeof words, "--lang ko handover status %s", change_id);
	expect("gm-child-division", words, EXIT_DONE);
	assert_in("완료");
	assert_in("미인수 0");
	assert_int_equal(hub_stop(&hub), 0);
	assert_int_equal(hub_run(&hub, "%s audit verify %s >/dev/null", ieum, hub.journal), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_jurisdiction_is_handed_over) };

	return cmocka_run_group_tests(tests, start, end);
}
