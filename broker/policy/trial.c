/* Running a policy's own tests: what is expected and what happens, each as lines of text, then
 * the lines that only one of them has; see trial.h. */
#include "broker/policy/trial.h"

#include <stdio.h>
#include <string.h>

#include "ieum/v1/types.pb-c.h"
#include "proto/pbmap.h"

struct lines {
	char at[TRIAL_LIST_MAX][TRIAL_LINE_BYTES];
	size_t n;
};

struct running {
	const struct policy *p;
	const struct trial *trial;
	const struct explanation *x;
	struct trial_result *out;
	struct lines wanted, got;
};

static void add_line(struct lines *lines, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_line(struct lines *lines, const char *format, ...)
{
	va_list args;

	if (lines->n == TRIAL_LIST_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(lines->at[lines->n++], TRIAL_LINE_BYTES, format, args);
	va_end(args);
}

static void differ(struct running *r, const char *key, bool wanted, const char *line)
{
	struct trial_result *out = r->out;

	if (out->n_differences < TRIAL_DIFFERENCES_MAX) {
		struct trial_difference *d = &out->differences[out->n_differences];

		d->key = key;
		d->wanted = wanted;
		(void)snprintf(d->line, sizeof d->line, "%s", line);
	}
	out->n_differences++;
}

static bool has_line(const struct lines *lines, const char *line)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (strcmp(lines->at[i], line) == 0)
			return true;
	}
	return false;
}

/* Where the order does not matter. */
static void compare_sets(struct running *r, const char *key)
{
	for (size_t i = 0; i < r->wanted.n; i++) {
		if (!has_line(&r->got, r->wanted.at[i]))
			differ(r, key, true, r->wanted.at[i]);
	}
	for (size_t i = 0; i < r->got.n; i++) {
		if (!has_line(&r->wanted, r->got.at[i]))
			differ(r, key, false, r->got.at[i]);
	}
}

/* Where it does: from the first line that differs on, all of both. */
static void compare_sequences(struct running *r, const char *key)
{
	size_t same = 0;

	while (same < r->wanted.n && same < r->got.n &&
	       strcmp(r->wanted.at[same], r->got.at[same]) == 0)
		same++;
	for (size_t i = same; i < r->wanted.n; i++)
		differ(r, key, true, r->wanted.at[i]);
	for (size_t i = same; i < r->got.n; i++)
		differ(r, key, false, r->got.at[i]);
}

static const struct yaml_node *begin(struct running *r, const char *key)
{
	r->wanted.n = r->got.n = 0;
	return yaml_get(r->trial->expect, key);
}

static void want_texts(struct running *r, const struct yaml_node *list)
{
	for (size_t i = 0; i < yaml_count(list); i++)
		add_line(&r->wanted, "%s", yaml_text(yaml_at(list, i)));
}

static const char *mailbox_name(const struct running *r, int mailbox)
{
	return policy_mailbox(r->p, mailbox)->name;
}

static const char *type_word(Ieum__V1__MessageType type, char word[PBMAP_WORD_BYTES])
{
	if (!pbmap_enum_word(&ieum__v1__message_type__descriptor, (int)type, word))
		(void)snprintf(word, PBMAP_WORD_BYTES, "?");
	return word;
}

/* ---- expectation by expectation ---- */

static void check_recipients(struct running *r)
{
	const struct yaml_node *list = begin(r, "recipients");
	const struct policy_decision *d = &r->x->decision;

	if (!list)
		return;
	want_texts(r, list);
	for (size_t i = 0; i < d->n_routes; i++)
		add_line(&r->got, "%s", mailbox_name(r, d->routes[i].mailbox));
	compare_sets(r, "recipients");
}

static void check_asked(struct running *r)
{
	const struct yaml_node *list = begin(r, "asked");
	const struct policy_decision *d = &r->x->decision;

	if (!list)
		return;
	want_texts(r, list);
	for (size_t i = 0; i < d->n_routes; i++) {
		if (d->routes[i].task >= 0)
			add_line(&r->got, "%s", mailbox_name(r, d->routes[i].mailbox));
	}
	compare_sets(r, "asked");
}

/* The request that a mailbox is asked by; NULL: it owes nothing. */
static const struct policy_task *task_of(const struct running *r, const char *mailbox)
{
	const struct policy_decision *d = &r->x->decision;

	for (size_t i = 0; i < d->n_routes; i++) {
		if (d->routes[i].task >= 0 &&
		    strcmp(mailbox_name(r, d->routes[i].mailbox), mailbox) == 0)
			return &d->tasks[d->routes[i].task];
	}
	return NULL;
}

/* "none", a duration or a time, as the time it comes to. */
static const char *wanted_time(const struct running *r, const char *text,
			       char out[EXPLAIN_TIME_BYTES])
{
	int64_t at_ms = 0;

	if (strcmp(text, "none") == 0)
		return text;
	if (!explain_parse_time(r->p, text, &at_ms))
		at_ms = policy_due(r->p, r->trial->at_ms, text);
	return explain_local_time(r->p, at_ms, out);
}

static void check_deadlines(struct running *r)
{
	const struct yaml_node *map = begin(r, "deadlines");
	char time[EXPLAIN_TIME_BYTES];

	for (size_t i = 0; i < yaml_count(map); i++) {
		const char *mailbox = yaml_text(yaml_key_at(map, i));
		const struct policy_task *task = task_of(r, mailbox);

		add_line(&r->wanted, "%s: %s", mailbox,
			 wanted_time(r, yaml_text(yaml_at(map, i)), time));
		add_line(&r->got, "%s: %s", mailbox,
			 task ? explain_local_time(r->p, task->due_at_ms, time) : "none");
	}
	compare_sets(r, "deadlines");
}

/* A step as far as the test says something of it: `timed` steps with their time. */
static void add_step(struct lines *lines, const char *mailbox, const char *to, const char *time,
		     bool timed)
{
	if (timed)
		add_line(lines, "%s: %s, until %s", mailbox, to, time);
	else
		add_line(lines, "%s: %s", mailbox, to);
}

static void check_ladder_of(struct running *r, const char *mailbox, const struct yaml_node *steps)
{
	const struct policy_task *task = task_of(r, mailbox);
	char time[EXPLAIN_TIME_BYTES];

	for (size_t i = 0; i < yaml_count(steps); i++) {
		const struct yaml_node *step = yaml_at(steps, i), *at = yaml_get(step, "at");
		const struct yaml_node *to = yaml_get(step, "to");

		add_step(&r->wanted, mailbox, yaml_text(to ? to : step),
			 at ? wanted_time(r, yaml_text(at), time) : "", at != NULL);
	}
	for (size_t i = 0; task && i < task->n_ladder; i++) {
		const struct policy_step *step = &task->ladder[i];

		add_step(&r->got, mailbox, step->to,
			 step->due_at_ms ? explain_local_time(r->p, step->due_at_ms, time) : "none",
			 yaml_get(yaml_at(steps, i), "at") != NULL);
	}
	compare_sequences(r, "ladder");
}

static void check_ladder(struct running *r)
{
	const struct yaml_node *map = yaml_get(r->trial->expect, "ladder");

	for (size_t i = 0; i < yaml_count(map); i++) {
		(void)begin(r, "ladder");
		check_ladder_of(r, yaml_text(yaml_key_at(map, i)), yaml_at(map, i));
	}
}

static void check_rules_named(struct running *r)
{
	const struct yaml_node *list = begin(r, "rules");

	if (!list)
		return;
	want_texts(r, list);
	for (size_t i = 0; i < r->x->n_looks; i++) {
		if (r->x->looks[i].verdict == POLICY_RULE_APPLIES)
			add_line(&r->got, "%s", r->x->looks[i].rule);
	}
	compare_sets(r, "rules");
}

static void check_emits(struct running *r)
{
	const struct yaml_node *list = begin(r, "emits");
	char word[PBMAP_WORD_BYTES];

	if (!list)
		return;
	want_texts(r, list);
	for (size_t i = 0; i < r->x->decision.n_emits; i++)
		add_line(&r->got, "%s", type_word(r->x->decision.emits[i].type, word));
	compare_sets(r, "emits");
}

static void check_acts(struct running *r)
{
	const struct yaml_node *list = begin(r, "acts");
	const struct policy_decision *d = &r->x->decision;

	if (!list)
		return;
	want_texts(r, list);
	for (size_t i = 0; i < d->n_acts; i++)
		add_line(&r->got, "%s%s%s", d->acts[i].key, d->acts[i].text ? " " : "",
			 d->acts[i].text ? d->acts[i].text : "");
	compare_sets(r, "acts");
}

static void check_owner(struct running *r)
{
	const struct yaml_node *owner = begin(r, "owner");
	int got = r->x->decision.case_owner;

	if (!owner)
		return;
	add_line(&r->wanted, "%s", yaml_text(owner));
	add_line(&r->got, "%s", got == POLICY_NONE ? "none" : mailbox_name(r, got));
	compare_sets(r, "owner");
}

static void check_case_state(struct running *r)
{
	const struct yaml_node *state = begin(r, "case_state");
	char word[PBMAP_WORD_BYTES];
	int got = (int)r->x->decision.case_state;

	if (!state)
		return;
	add_line(&r->wanted, "%s", yaml_text(state));
	if (got == 0 || !pbmap_enum_word(&ieum__v1__case_state__descriptor, got, word))
		(void)snprintf(word, sizeof word, "unchanged");
	add_line(&r->got, "%s", word);
	compare_sets(r, "case_state");
}

/* True when the test is about a refusal, or ends with one: nothing else is then decided. */
static bool check_refusal(struct running *r)
{
	const struct yaml_node *refused = begin(r, "refused"),
			       *because = yaml_get(r->trial->expect, "because");
	const char *name = r->x->err ? ieum_error((int)r->x->err)->name : "accepted";
	const char *wanted = refused ? yaml_text(refused) : "accepted";
	char line[TRIAL_LINE_BYTES];

	if (strcmp(name, wanted) != 0) {
		(void)snprintf(line, sizeof line, "%s%s%s", name, *r->x->detail ? ": " : "",
			       r->x->err ? r->x->detail : "");
		differ(r, "refused", true, wanted);
		differ(r, "refused", false, line);
	} else if (because && !strstr(r->x->detail, yaml_text(because))) {
		differ(r, "because", true, yaml_text(because));
		differ(r, "because", false, r->x->detail);
	}
	return refused || r->x->err;
}

static void check_all(struct running *r)
{
	if (check_refusal(r))
		return;
	check_recipients(r);
	check_asked(r);
	check_deadlines(r);
	check_ladder(r);
	check_rules_named(r);
	check_emits(r);
	check_acts(r);
	check_owner(r);
	check_case_state(r);
}

enum ieum_err trial_run(const struct trials *t, const struct trial *trial, struct trial_result *out)
{
	struct explanation *x = NULL;
	enum ieum_err err = explain(t->policy, trial->message, trial->sender, trial->at_ms,
				    &trial->in_case, &x);

	if (err)
		return err;
	struct running r = { .p = t->policy, .trial = trial, .x = x, .out = out };

	out->n_differences = 0;
	check_all(&r);
	explanation_free(x);
	return IEUM_E_OK;
}
