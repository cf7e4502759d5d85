/* broker/policy, a policy's own tests: those of the example pass; an expectation that is not met
 * says so line by line; what can't be a test is a mistake with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/policy/trial.h"
#include "tests/unit/hub_text.h"

/* clang-format off */
static const char hub[] =
	"hub: {name: a.ieum, title: {en: A, ko: 가}, jurisdiction: \"41570\", time_zone: \"+09:00\"}\n"
	"calendar: {working_hours: \"09:00-18:00\", weekend: [saturday, sunday]}\n"
	"domains: [legal]\n"
	"kinds:\n"
	"  police: {title: {en: P, ko: 경}, may_send: all}\n"
	"  watch: {title: {en: W, ko: 명}, may_send: [risk_signal]}\n"
	"  crew: {title: {en: C, ko: 팀}, may_send: none}\n"
	"participants:\n"
	"  ps: {kind: police, title: {en: P, ko: 경}, head: chief}\n"
	"  city: {kind: police, title: {en: C, ko: 시}, head: chief}\n"
	"  chief: {kind: police, title: {en: B, ko: 장}}\n"
	"  aid-1: {kind: police, title: {en: L, ko: 법}, domains: [legal]}\n"
	"  aid-2: {kind: police, title: {en: M, ko: 벗}, domains: [legal], ranks: {legal: 2}}\n"
	"  eye: {kind: watch, title: {en: E, ko: 눈}}\n"
	"bodies:\n"
	"  team: {kind: crew, title: {en: T, ko: 팀}, roles: {lead: [chief]}}\n"
	"types:\n"
	"  default: {may_open: true}\n"
	"rules:\n"
	"  - name: report\n"
	"    when: {type: report_received}\n"
	"    to: city\n"
	"    answer_within: 10 min\n"
	"    then: [{to: [head, \"head:ps\"], within: 2870 min}, {to: body:team/lead, within: 1 d}]\n"
	"    owner: city\n"
	"    case_state: investigating\n"
	"  - {name: support, when: {type: referral}, ranked: $domain, answer_within: 1 d, then: [{to: chief}]}\n"
	"  - {name: done, when: {type: service_report, replies_to: referral}, to: chief}\n";
/* clang-format on */

static struct policy *policy;
static char path[] = "/tmp/ieum-trial-XXXXXX";

static int load_hub(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	policy = hub_text_parsed(hub);
	return fd < 0 || close(fd);
}

static int free_hub(void **state)
{
	(void)state;
	policy_free(policy);
	return unlink(path);
}

/* A child-abuse report by the police, with an `expect` of its own. */
#define REPORT(expect) \
	"tests:\n" \
	"  - test: a report\n" \
	"    at: 2026-03-03 10:00\n" \
	"    sender: ps\n" \
	"    opens_case: true\n" \
	"    message:\n" \
	"      envelope: {category: child_neglect, legal_basis: {kind: statutory, article: a}}\n" \
	"      report_received: {}\n" \
	"    expect: " expect "\n"

static enum ieum_err load_text(const char *text, struct yaml_diag *diag, struct trials **t)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	yaml_diag_init(diag);
	*t = NULL;
	return trials_load(policy, path, diag, t);
}

static struct trial_result *result_of(const char *text)
{
	static struct trial_result result;
	static struct yaml_diag diag;
	struct trials *t;

	if (load_text(text, &diag, &t))
		fail_msg("%s", diag.mistakes[0].text);
	assert_int_equal(t->n, 1);
	assert_int_equal(trial_run(t, &t->trials[0], &result), IEUM_E_OK);
	trials_free(t);
	return &result;
}

static void run_example(const char *hub_file, const char *tests)
{
	static struct trial_result result;
	static struct yaml_diag diag;
	struct policy *city = NULL;
	struct trials *t = NULL;

	yaml_diag_init(&diag);
	if (policy_load(hub_file, &diag, &city) || trials_load(city, tests, &diag, &t)) {
		fail_msg("%s", diag.mistakes[0].text);
		abort(); /* fail_msg() has not returned */
	}
	assert_true(t->n >= 15);
	for (size_t i = 0; i < t->n; i++) {
		assert_int_equal(trial_run(t, &t->trials[i], &result), IEUM_E_OK);
		if (result.n_differences)
			fail_msg("%s: %s: %c %s", t->trials[i].name, result.differences[0].key,
				 result.differences[0].wanted ? '-' : '+',
				 result.differences[0].line);
	}
	trials_free(t);
	policy_free(city);
}

static void the_examples_tests_pass(void **state)
{
	(void)state;
	run_example("examples/gimpo/hub.yaml", "examples/gimpo/tests.yaml");
	run_example("examples/gwangmyeong/hub.yaml", "examples/gwangmyeong/tests.yaml");
}

static void what_is_so_passes(void **state)
{
	(void)state;
	assert_int_equal(result_of(REPORT("{recipients: [city],"
					  " asked: [city],"
					  " deadlines: {city: 10 min, ps: none},"
					  " ladder: {city: [{to: \"head, head:ps\","
					  " at: 2026-03-05 10:00}, body:team/lead]},"
					  " owner: city, emits: [],"
					  " case_state: investigating}"))
				 ->n_differences,
			 0);
	assert_int_equal(result_of(REPORT("{deadlines: {city: 2026-03-03 10:10}}"))->n_differences,
			 0);
}

static void what_is_not_so_is_told_line_by_line(void **state)
{
	static const struct {
		const char *text, *key, *wanted, *got;
	} rows[] = {
		{ REPORT("{recipients: [chief]}"), "recipients", "chief", "city" },
		{ REPORT("{asked: []}"), "asked", NULL, "city" },
		{ REPORT("{deadlines: {city: 20 min}}"), "deadlines", "city: 2026-03-03 10:20",
		  "city: 2026-03-03 10:10" },
		{ REPORT("{deadlines: {ps: 20 min}}"), "deadlines", "ps: 2026-03-03 10:20",
		  "ps: none" },
		{ REPORT("{ladder: {city: [\"head, head:ps\"]}}"), "ladder", NULL,
		  "city: body:team/lead" },
		{ REPORT("{ladder: {city: [{to: \"head, head:ps\","
			 " at: 2026-03-05 11:00}, body:team/lead]}}"),
		  "ladder", "city: head, head:ps, until 2026-03-05 11:00", "city: body:team/lead" },
		{ REPORT("{rules: [support]}"), "rules", "support", "report" },
		{ REPORT("{emits: [mutual_notification]}"), "emits", "mutual_notification", NULL },
		{ REPORT("{acts: [starts a-clock]}"), "acts", "starts a-clock", NULL },
		{ REPORT("{owner: ps}"), "owner", "ps", "city" },
		{ REPORT("{case_state: judged}"), "case_state", "judged", "investigating" },
		{ REPORT("{refused: NO_ROUTE}"), "refused", "NO_ROUTE", "accepted" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct trial_result *r = result_of(rows[i].text);
		bool wanted = !rows[i].wanted, got = !rows[i].got;

		assert_true(r->n_differences > 0);
		for (size_t k = 0; k < r->n_differences; k++) {
			const struct trial_difference *d = &r->differences[k];

			assert_string_equal(d->key, rows[i].key);
			wanted |=
				d->wanted && rows[i].wanted && strcmp(d->line, rows[i].wanted) == 0;
			got |= !d->wanted && rows[i].got && strcmp(d->line, rows[i].got) == 0;
		}
		if (!wanted || !got)
			fail_msg("%s: %c %s", rows[i].text, r->differences[0].wanted ? '-' : '+',
				 r->differences[0].line);
	}
}

static void a_refusal_that_nobody_expects_fails(void **state)
{
	static const char text[] =
		"tests:\n"
		"  - test: t\n"
		"    at: 2026-03-03 10:00\n"
		"    sender: eye\n"
		"    opens_case: true\n"
		"    message: {envelope: {category: child_neglect}, report_received: {}}\n"
		"    expect: %s\n";
	char whole[400];

	(void)state;
	(void)snprintf(whole, sizeof whole, text, "{recipients: []}");
	assert_string_equal(result_of(whole)->differences[0].key, "refused");
	(void)snprintf(whole, sizeof whole, text, "{refused: NOT_PERMITTED, because: watch}");
	assert_int_equal(result_of(whole)->n_differences, 0);
	(void)snprintf(whole, sizeof whole, text, "{refused: NOT_PERMITTED, because: the weather}");
	assert_string_equal(result_of(whole)->differences[0].key, "because");
}

static void the_case_is_what_the_test_says(void **state)
{
	static const char text[] =
		"tests:\n"
		"  - test: t\n"
		"    at: 2026-03-03 10:00\n"
		"    sender: ps\n"
		"    case: {category: domestic_violence, owner: ps, excluded: [aid-1]}\n"
		"    message:\n"
		"      envelope: {in_reply_to: the earlier one, legal_basis: {kind: imminent_danger}}\n"
		"      referral: {domain: legal}\n"
		"    expect: {recipients: [aid-2]}\n";

	(void)state;
	assert_int_equal(result_of(text)->n_differences, 0);
}

static void what_it_replies_to_is_what_the_test_says(void **state)
{
	static const char text[] = "tests:\n"
				   "  - test: t\n"
				   "    at: 2026-03-03 10:00\n"
				   "    sender: ps\n"
				   "    replies_to: %s\n"
				   "    message: {service_report: {}}\n"
				   "    expect: %s\n";
	char whole[300];

	(void)state;
	(void)snprintf(whole, sizeof whole, text, "referral", "{recipients: [chief]}");
	assert_int_equal(result_of(whole)->n_differences, 0);
	(void)snprintf(whole, sizeof whole, text, "visit_request", "{refused: NO_ROUTE}");
	assert_int_equal(result_of(whole)->n_differences, 0);
}

static void mistakes_have_a_line(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *says;
	} rows[] = {
		{ "tests: []\n", 1, "at least 1" },
		{ "test: []\n", 1, "did you mean 'tests'" },
		{ REPORT("{recipients: [pss]}"), 9, "no mailbox 'pss'" },
		{ REPORT("{recipients: [team]}"), 9, "name the mailbox of a role" },
		{ REPORT("{deadlines: {ps: soon}}"), 9, "a duration" },
		{ REPORT("{ladder: {ps: head}}"), 9, "a sequence" },
		{ REPORT("{ladder: {ps: [{too: head}]}}"), 9, "did you mean 'to'" },
		{ REPORT("{refused: NO_ROUT}"), 9, "did you mean 'NO_ROUTE'" },
		{ REPORT("{emits: [mutual]}"), 9, "no MessageType" },
		{ REPORT("{case_state: perhaps}"), 9, "no CaseState" },
		{ REPORT("{recipient: []}"), 9, "did you mean 'recipients'" },
		{ "tests:\n  - {test: t, at: now, sender: ps, message: {report_received: {}}, expect: {}}\n",
		  2, "a time" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: x, message: {report_received: {}}, expect: {}}\n",
		  2, "no participant 'x'" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: ps, message: {report: {}}, expect: {}}\n",
		  2, "report" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: ps, message: {envelope: {type: referral}}, expect: {}}\n",
		  2, "no hub takes this message" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: ps, case: {excluded: [y]}, message: {report_received: {}}, expect: {}}\n",
		  2, "no participant 'y'" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: ps, case: {counts: {y: 1}}, message: {report_received: {}}, expect: {}}\n",
		  2, "no counter 'y'" },
		{ "tests:\n  - {test: t, at: 2026-03-03 10:00, sender: ps, case: {gates: [y]}, message: {report_received: {}}, expect: {}}\n",
		  2, "no gate 'y'" },
	};
	static struct yaml_diag diag;
	struct trials *t;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(load_text(rows[i].text, &diag, &t), IEUM_E_FILE_INVALID);
		assert_null(t);
		assert_int_equal(diag.mistakes[0].line, rows[i].line);
		if (!strstr(diag.mistakes[0].text, rows[i].says))
			fail_msg("'%s' does not say '%s'", diag.mistakes[0].text, rows[i].says);
	}
	yaml_diag_init(&diag);
	assert_int_equal(trials_load(policy, "/nonexistent", &diag, &t), IEUM_E_FILE_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_tests_pass),
		cmocka_unit_test(what_is_so_passes),
		cmocka_unit_test(what_is_not_so_is_told_line_by_line),
		cmocka_unit_test(a_refusal_that_nobody_expects_fails),
		cmocka_unit_test(the_case_is_what_the_test_says),
		cmocka_unit_test(what_it_replies_to_is_what_the_test_says),
		cmocka_unit_test(mistakes_have_a_line),
	};

	return cmocka_run_group_tests(tests, load_hub, free_hub);
}
