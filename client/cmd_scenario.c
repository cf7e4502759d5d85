/* ieum scenario show: a scenario file as the timeline that it plays, offline.  Nothing is played:
 * what is expected is told as the file says it, the times are the hub file's calendar's. */
#include <stdlib.h>
#include <string.h>

#include "broker/policy/explain.h"
#include "client/command.h"
#include "client/hub_policy.h"
#include "client/json_out.h"
#include "client/shown.h"
#include "client/trouble.h"
#include "proto/catalog.h"
#include "proto/pbmap.h"
#include "proto/words.h"
#include "scenarios/scenario.h"

enum { LINE_BYTES = 512, TITLE_BYTES = 256 };

struct showing {
	const struct invocation *inv;
	const struct scenario *s;
	const struct policy *policy;
	int64_t now_ms;
	json_t *list; /* with --json */
};

static const char *word_of(const struct showing *w, const ProtobufCEnumDescriptor *type, int value,
			   char code[PBMAP_WORD_BYTES])
{
	(void)pbmap_enum_word(type, value, code);
	return words_text(code, w->inv->lang);
}

/* A participant's or mailbox's title, of a body's role with the role (that is put into `title`); the
 * name itself when the hub file has no such. */
static const char *title_of(const struct showing *w, const char *name, char title[TITLE_BYTES])
{
	int at = policy_find_participant(w->policy, name);
	int box = policy_find_mailbox(w->policy, name);
	bool ko = w->inv->lang == WORDS_KO;

	if (at != POLICY_NONE)
		return ko ? policy_participant(w->policy, at)->title_ko
			  : policy_participant(w->policy, at)->title_en;
	const struct policy_mailbox *m = policy_mailbox(w->policy, box);
	const char *role = strchr(name, '/');

	if (!m || !m->title_en)
		return name;
	snprintf(title, TITLE_BYTES, "%s%s", ko ? m->title_ko : m->title_en, role ? role : "");
	return title;
}

/* ---- what is expected ---- */

static const char *message_of(const struct showing *w, const struct scenario_expect *e,
			      char code[PBMAP_WORD_BYTES])
{
	return e->type ? word_of(w, &ieum__v1__message_type__descriptor, (int)e->type, code)
		       : e->message;
}

static void case_line(const struct showing *w, const struct scenario_expect *e, char *out)
{
	char code[PBMAP_WORD_BYTES], title[TITLE_BYTES], due[EXPLAIN_TIME_BYTES] = "";
	const char *what = "";

	if (e->due_us)
		explain_local_time(w->policy, e->due_us / 1000, due);
	if (e->clock)
		what = word_of(w, &ieum__v1__clock_state__descriptor, e->state, code);
	else if (e->state)
		what = word_of(w, &ieum__v1__case_state__descriptor, e->state, code);
	else if (e->grade)
		what = e->grade;
	else if (e->consent_withdrawn == 1)
		what = say(w->inv, TEXT_CONSENT_ENDED);
	else if (e->owner)
		what = title_of(w, e->owner, title);
	snprintf(out, LINE_BYTES, "%s%s%s: %s %s", e->message ? e->message : "",
		 e->clock || e->gate ? " · " : "",
		 e->clock  ? e->clock
		 : e->gate ? e->gate
			   : "",
		 what, due);
}

static void pool_line(const struct showing *w, const struct scenario_expect *e, char *out)
{
	const struct {
		const char *code;
		int64_t n;
	} counts[] = { { "held", e->held }, { "taken", e->taken }, { "free", e->free } };
	int used = snprintf(out, LINE_BYTES, "✓ %s:", e->pool);

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		if (counts[i].n >= 0)
			used += snprintf(out + used, LINE_BYTES - (size_t)used, " %s %lld",
					 words_text(counts[i].code, w->inv->lang),
					 (long long)counts[i].n);
}

static void expect_line(const struct showing *w, const struct scenario_expect *e, char *out)
{
	char code[PBMAP_WORD_BYTES], title[TITLE_BYTES], cause[PBMAP_WORD_BYTES] = "";
	const char *why =
		e->cause ? word_of(w, &ieum__v1__delivery_cause__descriptor, (int)e->cause, cause)
			 : "";

	switch (e->kind) {
	case SCENARIO_GETS:
		snprintf(out, LINE_BYTES, "→ %s: %s%s%s", title_of(w, e->inbox, title),
			 message_of(w, e, code), *why ? " · " : "", why);
		break;
	case SCENARIO_GETS_NOTHING:
		snprintf(out, LINE_BYTES, "→ %s: –", title_of(w, e->inbox, title));
		break;
	case SCENARIO_REFUSED: {
		const struct ieum_error_row *row = ieum_error((int)e->code);

		snprintf(out, LINE_BYTES, "✗ %s", catalog_text(w->inv->lang, row->text));
		break;
	}
	case SCENARIO_TASK_STATE:
		snprintf(out, LINE_BYTES, "✓ %s: %s", e->message,
			 word_of(w, &ieum__v1__task_state__descriptor, e->state, code));
		break;
	case SCENARIO_POOL: pool_line(w, e, out); break;
	case SCENARIO_WAITS:
		snprintf(out, LINE_BYTES, "✓ %s: %s #%lld", e->pool, e->message,
			 (long long)e->position);
		break;
	case SCENARIO_OPENS:
		snprintf(out, LINE_BYTES, "✓ ");
		snprintf(out + strlen(out), LINE_BYTES - strlen(out),
			 say(w->inv, e->is ? TEXT_SCENARIO_OPENS : TEXT_SCENARIO_SEALED),
			 title_of(w, e->by, title), e->message);
		break;
	case SCENARIO_AGENDA:
		snprintf(out, LINE_BYTES, "✓ %s", title_of(w, e->agenda, title));
		break;
	default:
		snprintf(out, LINE_BYTES, "✓ ");
		case_line(w, e, out + strlen(out));
		break;
	}
}

/* ---- a step ---- */

static void step_line(const struct showing *w, const struct scenario_step *step, char *out)
{
	char title[TITLE_BYTES], type[PBMAP_WORD_BYTES], urgency[PBMAP_WORD_BYTES],
		kind[PBMAP_WORD_BYTES];

	switch (step->kind) {
	case SCENARIO_AFTER:
		snprintf(out, LINE_BYTES, say(w->inv, TEXT_SCENARIO_AFTER), step->after);
		return;
	case SCENARIO_CRASH:
		snprintf(out, LINE_BYTES, "%s", say(w->inv, TEXT_SCENARIO_CRASH));
		return;
	case SCENARIO_CHECK: *out = '\0'; return;
	case SCENARIO_SUBMIT:
	case SCENARIO_ANSWER: break;
	}
	const Ieum__V1__Envelope *e = step->message->envelope;
	const Ieum__V1__Answer *a = step->message->body_case == IEUM__V1__REFERRAL__BODY_ANSWER
					    ? step->message->answer
					    : NULL;
	snprintf(out, LINE_BYTES, "%s: %s%s%s%s%s", title_of(w, step->who, title),
		 word_of(w, &ieum__v1__message_type__descriptor, (int)e->type, type),
		 a ? " · " : "",
		 a ? word_of(w, &ieum__v1__answer_kind__descriptor, (int)a->kind, kind) : "",
		 e->urgency ? " · " : "",
		 e->urgency ? word_of(w, &ieum__v1__urgency__descriptor, (int)e->urgency, urgency)
			    : "");
}

static enum exit_code show_step(struct showing *w, const struct scenario_step *step)
{
	char when[EXPLAIN_TIME_BYTES], line[LINE_BYTES];
	const char *said = w->inv->lang == WORDS_KO ? step->say_ko : step->say_en;
	json_t *expected = w->list ? json_array() : NULL;

	if (step->kind == SCENARIO_AFTER)
		w->now_ms = policy_due(w->policy, w->now_ms, step->after);
	explain_local_time(w->policy, w->now_ms, when);
	step_line(w, step, line);
	if (!w->list)
		fprintf(w->inv->out, "%s  %s\n", when, line);
	if (!w->list && said)
		fprintf(w->inv->out, "                    %s\n", said);
	json_t *object = w->list ? json_pack("{s:s, s:i, s:s, s:s?}", "at", when, "line",
					     step->line, "step", line, "say", said)
				 : NULL;
	for (size_t i = 0; i < step->n_expects; i++) {
		expect_line(w, &step->expects[i], line);
		if (w->list)
			json_array_append_new(expected, json_string(line));
		else
			fprintf(w->inv->out, "                    %s\n", line);
	}
	if (!w->list)
		return EXIT_DONE;
	json_object_set_new(object, "expect", expected);
	return json_array_append_new(w->list, object) == 0
		       ? EXIT_DONE
		       : trouble(w->inv, IEUM_E_NO_MEMORY, NULL);
}

static enum exit_code show_steps(struct showing *w)
{
	bool ko = w->inv->lang == WORDS_KO;
	enum exit_code code = EXIT_DONE;

	w->now_ms = w->s->starts_us / 1000;
	if (!w->list)
		fprintf(w->inv->out, "%s%s%s\n%s\n\n", w->inv->colour ? "\033[1m" : "",
			ko ? w->s->title_ko : w->s->title_en, w->inv->colour ? "\033[0m" : "",
			w->s->hub_file);
	for (size_t i = 0; i < w->s->n_steps && !code; i++)
		code = show_step(w, &w->s->steps[i]);
	if (code || !w->list)
		return code;
	return json_out(w->inv, json_pack("{s:s, s:s, s:s, s:O}", "scenario", w->s->name, "title",
					  ko ? w->s->title_ko : w->s->title_en, "hub",
					  w->s->hub_file, "steps", w->list));
}

static enum exit_code show(const struct invocation *inv, const char *path)
{
	struct showing w = { .inv = inv, .list = inv->json ? json_array() : NULL };
	struct yaml_diag *diag = malloc(sizeof *diag);
	struct scenario *s = NULL;
	struct policy *policy = NULL;
	enum exit_code code = EXIT_DONE;

	if (!diag)
		return trouble(inv, IEUM_E_NO_MEMORY, NULL);
	yaml_diag_init(diag);
	enum ieum_err err = scenario_load(path, diag, &s);

	if (err)
		code = trouble_file(inv, err, diag);
	if (!code)
		code = hub_policy_load(inv, s->hub_file, &policy);
	w.s = s;
	w.policy = policy;
	if (!code)
		code = show_steps(&w);
	json_decref(w.list);
	policy_free(policy);
	scenario_free(s);
	free(diag);
	return code;
}

enum exit_code cmd_scenario(struct invocation *inv)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 1; i < inv->n_words && !code; i++)
		code = show(inv, inv->words[i]);
	return code;
}
