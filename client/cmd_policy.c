/* ieum policy check, ieum policy test: a hub file and its own tests, offline. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/policy/trial.h"
#include "client/command.h"
#include "client/hub_policy.h"
#include "client/json_out.h"
#include "client/trouble.h"

#define TESTS_FILE "tests.yaml" /* beside the hub file, when none is named */

enum exit_code hub_policy_load(const struct invocation *inv, const char *path, struct policy **out)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	enum exit_code code = EXIT_DONE;
	enum ieum_err err;

	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = policy_load(path, diag, out);
	if (err)
		code = trouble_file(inv, err, diag);
	free(diag);
	return code;
}

static enum exit_code check(const struct invocation *inv, const struct policy *p, const char *path)
{
	bool soon = policy_holidays_end_soon(p, (int64_t)time(NULL) * 1000);

	if (inv->json)
		return json_out(inv, json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:b}", "good", 1,
					       "file", path, "hub", policy_hub(p), "participants",
					       (json_int_t)policy_participants(p), "bodies",
					       (json_int_t)policy_bodies(p), "mailboxes",
					       (json_int_t)policy_mailboxes(p), "holidays_end_soon",
					       soon));
	fprintf(inv->out, say(inv, TEXT_POLICY_GOOD), path, policy_participants(p),
		policy_bodies(p), policy_mailboxes(p));
	fputc('\n', inv->out);
	if (soon) {
		fflush(inv->out);
		fprintf(inv->err, say(inv, TEXT_HOLIDAYS_END), path);
		fputc('\n', inv->err);
	}
	return EXIT_DONE;
}

/* ---- tests ---- */

struct tally {
	const struct invocation *inv;
	json_t *list; /* with --json */
	size_t passed, failed;
};

static json_t *json_differences(const struct trial_result *result)
{
	json_t *list = json_array();

	for (size_t i = 0; i < result->n_differences && i < TRIAL_DIFFERENCES_MAX; i++) {
		const struct trial_difference *d = &result->differences[i];

		json_array_append_new(list, json_pack("{s:s, s:s}", "key", d->key,
						      d->wanted ? "expected" : "found", d->line));
	}
	return list;
}

static void print_result(const struct invocation *inv, const struct trials *t,
			 const struct trial *trial, const struct trial_result *result)
{
	const char *key = "";

	if (result->n_differences == 0) {
		fprintf(inv->out, "%s  %s\n", say(inv, TEXT_TEST_PASSED), trial->name);
		return;
	}
	fprintf(inv->out, "%s  %s (%s:%d)\n", say(inv, TEXT_TEST_FAILED), trial->name,
		yaml_doc_name(t->doc), trial->line);
	for (size_t i = 0; i < result->n_differences && i < TRIAL_DIFFERENCES_MAX; i++) {
		const struct trial_difference *d = &result->differences[i];

		if (strcmp(d->key, key) != 0)
			fprintf(inv->out, "    %s\n", d->key);
		key = d->key;
		fprintf(inv->out, "      %c %s\n", d->wanted ? '-' : '+', d->line);
	}
}

static enum exit_code run_trials(struct tally *tally, const struct trials *t)
{
	const struct invocation *inv = tally->inv;

	for (size_t i = 0; i < t->n; i++) {
		const struct trial *trial = &t->trials[i];
		struct trial_result result;
		enum ieum_err err = trial_run(t, trial, &result);

		if (err)
			return trouble(inv, err, trial->name);
		if (result.n_differences)
			tally->failed++;
		else
			tally->passed++;
		if (tally->list)
			json_array_append_new(tally->list,
					      json_pack("{s:s, s:s, s:i, s:b, s:o}", "test",
							trial->name, "file", yaml_doc_name(t->doc),
							"line", trial->line, "passed",
							(int)(result.n_differences == 0),
							"differences", json_differences(&result)));
		else
			print_result(inv, t, trial, &result);
	}
	return EXIT_DONE;
}

static enum exit_code run_file(struct tally *tally, const struct policy *p, const char *path)
{
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct trials *t = NULL;
	enum exit_code code;
	enum ieum_err err;

	if (!diag)
		return trouble(tally->inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	err = trials_load(p, path, diag, &t);
	code = err ? trouble_file(tally->inv, err, diag) : run_trials(tally, t);
	trials_free(t);
	free(diag);
	return code;
}

static enum exit_code run_beside(struct tally *tally, const struct policy *p, const char *hub)
{
	const char *slash = strrchr(hub, '/');
	int folder = slash ? (int)(slash - hub + 1) : 0;
	enum exit_code code;
	char *path = NULL;

	if (asprintf(&path, "%.*s" TESTS_FILE, folder, hub) < 0)
		return trouble(tally->inv, IEUM_E_NO_MEMORY, NULL);
	code = run_file(tally, p, path);
	free(path);
	return code;
}

static enum exit_code test(const struct invocation *inv, const struct policy *p)
{
	struct tally tally = { .inv = inv, .list = inv->json ? json_array() : NULL };
	enum exit_code code = EXIT_DONE;

	if (inv->n_words == 2)
		code = run_beside(&tally, p, inv->words[1]);
	for (size_t i = 2; i < inv->n_words && !code; i++)
		code = run_file(&tally, p, inv->words[i]);
	if (code) {
		json_decref(tally.list);
		return code;
	}
	if (inv->json) {
		code = json_out(inv,
				json_pack("{s:I, s:I, s:o}", "passed", (json_int_t)tally.passed,
					  "failed", (json_int_t)tally.failed, "tests", tally.list));
	} else {
		fprintf(inv->out, say(inv, TEXT_TESTS_SUM), tally.passed, tally.failed);
		fputc('\n', inv->out);
	}
	return !code && tally.failed ? EXIT_TEST_FAILED : code;
}

enum exit_code cmd_policy(struct invocation *inv)
{
	struct policy *p = NULL;
	enum exit_code code;

	if (strcmp(inv->words[0], "check") == 0 && inv->n_words > 2)
		return trouble_usage(inv, TEXT_WORD_TOO_MUCH, inv->words[2]);
	code = hub_policy_load(inv, inv->words[1], &p);
	if (!code)
		code = strcmp(inv->words[0], "check") == 0 ? check(inv, p, inv->words[1])
							   : test(inv, p);
	policy_free(p);
	return code;
}
