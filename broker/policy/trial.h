/* A policy's own tests: a message in; recipients, deadlines and ladder out.
 *
 * A city keeps them in a file beside its hub file (docs/hub-file.md describes it) and runs them
 * by `ieum policy test`.  Nothing here decides: each test is one explain(). */
#ifndef IEUM_BROKER_POLICY_TRIAL_H
#define IEUM_BROKER_POLICY_TRIAL_H

#include "broker/policy/explain.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_schema.h"

enum {
	TRIALS_MAX = 2000,          /* in one file */
	TRIAL_LIST_MAX = 64,        /* of one expectation */
	TRIAL_LINE_BYTES = 320,     /* of one line of a difference; longer ones are cut */
	TRIAL_DIFFERENCES_MAX = 64, /* kept of one test; further ones are counted only */
	TRIAL_TEXT_BYTES = 200,
};

extern const struct yaml_schema trial_schema_file;

struct trial {
	const char *name; /* of the file */
	int line;
	int sender; /* participant; POLICY_NONE: the hub */
	int64_t at_ms;
	Ieum__V1__Referral *message;
	struct explain_case in_case;
	const struct yaml_node *expect;
};

struct trials {
	const struct policy *policy; /* borrowed */
	struct yaml_doc *doc;
	struct trial *trials;
	size_t n;
};

/* Reads a file of tests for this policy, which must live longer.  FILE_UNREADABLE, FILE_INVALID
 * (every mistake in diag), NO_MEMORY.  The caller frees *out. */
enum ieum_err trials_load(const struct policy *p, const char *path, struct yaml_diag *diag,
			  struct trials **out) IEUM_MUST_CHECK;
void trials_free(struct trials *t); /* takes NULL */

/* One line in which what happened is not what the test expects. */
struct trial_difference {
	const char *key; /* of `expect`: "recipients" */
	bool wanted;     /* expected and not so; else so and not expected */
	char line[TRIAL_LINE_BYTES];
};

struct trial_result {
	struct trial_difference differences[TRIAL_DIFFERENCES_MAX];
	size_t n_differences; /* 0: passed */
};

/* NO_MEMORY, or FIELD_TOO_LARGE as explain() says it; *out is written only with OK. */
enum ieum_err trial_run(const struct trials *t, const struct trial *trial,
			struct trial_result *out) IEUM_MUST_CHECK;

#endif
