/* Reading scenario files; see scenario.h. */
#include "scenarios/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pbmap.h"
#include "scenarios/schema.h"
#include "scenarios/subject.h"
#include "yaml/yaml_doc.h"
#include "yaml/yaml_read.h"
#include "yaml/yaml_value.h"

static const char *text_of(const struct yaml_node *map, const char *key, struct yaml_diag *diag)
{
	const char *text = NULL;

	yaml_opt_text(map, key, SCENARIO_TEXT_BYTES, diag, &text);
	return text;
}

static void read_two_languages(const struct yaml_node *node, struct yaml_diag *diag,
			       const char **en, const char **ko)
{
	if (!node || !yaml_schema_check(node, &scenario_schema_words, diag))
		return;
	*en = text_of(node, "en", diag);
	*ko = text_of(node, "ko", diag);
}

static int enum_value(const struct yaml_node *node, const ProtobufCEnumDescriptor *type,
		      struct yaml_diag *diag)
{
	int value = 0;

	if (!yaml_text(node) || !pbmap_enum_value(type, yaml_text(node), &value))
		yaml_mistake(diag, node, "'%s' is not a %s", yaml_text(node) ? yaml_text(node) : "",
			     type->short_name);
	return value;
}

static enum ieum_err error_code(const struct yaml_node *node, struct yaml_diag *diag)
{
	static const struct {
		const char *name;
		enum ieum_err code;
	} codes[] = {
#define X(number, name, fault, retry, text) { #name, IEUM_E_##name },
		IEUM_ERRORS(X)
#undef X
	};

	for (size_t i = 0; yaml_text(node) && i < sizeof codes / sizeof codes[0]; i++) {
		if (strcmp(codes[i].name, yaml_text(node)) == 0)
			return codes[i].code;
	}
	yaml_mistake(diag, node, "'%s' is not an error of the table",
		     yaml_text(node) ? yaml_text(node) : "");
	return IEUM_E_INTERNAL;
}

static bool known_name(const struct scenario *s, const char *name)
{
	for (size_t i = 0; i < s->n_steps; i++) {
		const struct scenario_step *step = &s->steps[i];
		if (step->name && strcmp(step->name, name) == 0)
			return true;
		for (size_t k = 0; k < step->n_expects; k++) {
			if (step->expects[k].as && strcmp(step->expects[k].as, name) == 0)
				return true;
		}
	}
	return false;
}

/* The value of a key that names an earlier message of the file. */
static const char *message_name(const struct scenario *s, const struct yaml_node *map,
				const char *key, struct yaml_diag *diag)
{
	const char *name = text_of(map, key, diag);

	if (name && !known_name(s, name))
		yaml_mistake(diag, yaml_get(map, key), "no message named '%s' comes before this",
			     name);
	return name;
}

static void read_gets(const struct scenario *s, const struct yaml_node *node,
		      struct yaml_diag *diag, struct scenario_expect *e)
{
	const struct yaml_node *gets = yaml_get(node, "gets");
	const struct yaml_node *cause = yaml_get(node, "cause");
	int type = 0;

	e->kind = SCENARIO_GETS;
	e->inbox = text_of(node, "inbox", diag);
	e->as = text_of(node, "as", diag);
	e->of = message_name(s, node, "of", diag);
	if (yaml_text(gets) && known_name(s, yaml_text(gets)))
		e->message = yaml_text(gets);
	else if (yaml_text(gets) &&
		 pbmap_enum_value(&ieum__v1__message_type__descriptor, yaml_text(gets), &type))
		e->type = (Ieum__V1__MessageType)type;
	else
		yaml_mistake(diag, gets, "'gets' needs a message named before or a message type");
	if (cause)
		e->cause = (Ieum__V1__DeliveryCause)enum_value(
			cause, &ieum__v1__delivery_cause__descriptor, diag);
}

/* The state of a case, its grade, whether consent was withdrawn: one of them or several. */
static void read_case(const struct scenario *s, const struct yaml_node *node,
		      struct yaml_diag *diag, struct scenario_expect *e)
{
	const struct yaml_node *state = yaml_get(node, "state");
	bool withdrawn;

	e->message = message_name(s, node, "case", diag);
	e->by = text_of(node, "by", diag);
	e->owner = text_of(node, "owner", diag);
	e->grade = text_of(node, "grade", diag);
	e->consent_withdrawn = -1;
	if (yaml_opt_bool(node, "consent_withdrawn", diag, &withdrawn))
		e->consent_withdrawn = withdrawn;
	e->gate = text_of(node, "gate", diag);
	if (e->gate && !yaml_opt_bool(node, "open", diag, &e->is))
		yaml_mistake(diag, node, "is the gate 'open'?");
	e->clock = text_of(node, "clock", diag);
	if (yaml_get(node, "due"))
		yaml_read_time_us(yaml_get(node, "due"), diag, &e->due_us);
	if (e->clock && state)
		e->state = enum_value(state, &ieum__v1__clock_state__descriptor, diag);
	else if (e->clock)
		yaml_mistake(diag, node, "say the 'state' of the clock");
	else if (state)
		e->state = enum_value(state, &ieum__v1__case_state__descriptor, diag);
	else if (!e->grade && e->consent_withdrawn < 0 && !e->gate && !e->owner)
		yaml_mistake(
			diag, node,
			"say 'state', 'owner', 'grade', 'gate' or 'consent_withdrawn' of the case");
}

static void read_pool(const struct scenario *s, const struct yaml_node *node,
		      struct yaml_diag *diag, struct scenario_expect *e)
{
	e->kind = yaml_get(node, "waits") ? SCENARIO_WAITS : SCENARIO_POOL;
	e->pool = text_of(node, "pool", diag);
	e->message = message_name(s, node, "waits", diag);
	e->held = e->taken = e->free = -1;
	(void)yaml_schema_opt_int(node, &scenario_schema_expect, "held", diag, &e->held);
	(void)yaml_schema_opt_int(node, &scenario_schema_expect, "taken", diag, &e->taken);
	(void)yaml_schema_opt_int(node, &scenario_schema_expect, "free", diag, &e->free);
	(void)yaml_schema_opt_int(node, &scenario_schema_expect, "position", diag, &e->position);
}

static void read_agenda(const struct scenario *s, const struct yaml_node *node,
			struct yaml_diag *diag, struct scenario_expect *e)
{
	e->kind = SCENARIO_AGENDA;
	e->agenda = text_of(node, "agenda", diag);
	e->by = text_of(node, "by", diag);
	e->is = yaml_get(node, "has") != NULL;
	e->message = message_name(s, node, e->is ? "has" : "lacks", diag);
	e->carried = -1;
	(void)yaml_schema_opt_int(node, &scenario_schema_expect, "carried", diag, &e->carried);
	if (!e->by || !e->message)
		yaml_mistake(diag, node, "who looks ('by'), and what does it 'have' or 'lack'?");
}

/* `handover: CHANGE`, or `plan: {from, to, jurisdiction}`. */
static void read_handover(const struct scenario *s, const struct yaml_node *node,
			  struct yaml_diag *diag, struct scenario_expect *e)
{
	const struct yaml_schema *schema = &scenario_schema_expect;
	const struct yaml_node *plan = yaml_get(node, "plan");

	e->kind = SCENARIO_HANDOVER;
	e->by = text_of(node, "by", diag);
	e->message = message_name(s, node, "handover", diag);
	e->cases = e->not_accepted = e->errors = -1;
	(void)yaml_schema_opt_int(node, schema, "cases", diag, &e->cases);
	(void)yaml_schema_opt_int(node, schema, "not_accepted", diag, &e->not_accepted);
	(void)yaml_schema_opt_int(node, schema, "errors", diag, &e->errors);
	if (yaml_get(node, "step"))
		e->state = enum_value(yaml_get(node, "step"), &ieum__v1__handover_step__descriptor,
				      diag);
	if (plan && yaml_schema_check(plan, &scenario_schema_plan, diag)) {
		e->from = text_of(plan, "from", diag);
		e->to = text_of(plan, "to", diag);
		e->jurisdiction = text_of(plan, "jurisdiction", diag);
	}
	if (!e->by)
		yaml_mistake(diag, node, "who asks ('by')?");
}

static void read_expect(const struct scenario *s, const struct yaml_node *node,
			struct yaml_diag *diag, struct scenario_expect *e)
{
	*e = (struct scenario_expect){ .line = yaml_line(node) };
	if (!yaml_schema_check(node, &scenario_schema_expect, diag))
		return;
	if (yaml_get(node, "handover") || yaml_get(node, "plan")) {
		read_handover(s, node, diag, e);
	} else if (yaml_get(node, "hidden")) {
		e->kind = SCENARIO_HIDDEN;
		e->message = message_name(s, node, "hidden", diag);
		e->by = text_of(node, "by", diag);
		e->clock = text_of(node, "clock", diag);
		if (!e->by)
			yaml_mistake(diag, node, "from whom ('by') is it hidden?");
	} else if (yaml_get(node, "opens") || yaml_get(node, "sealed_from")) {
		e->kind = SCENARIO_OPENS;
		e->is = yaml_get(node, "opens") != NULL;
		e->by = text_of(node, e->is ? "opens" : "sealed_from", diag);
		e->message = message_name(s, node, "message", diag);
		if (!e->message)
			yaml_mistake(diag, node, "which 'message' does it open, or not?");
	} else if (yaml_get(node, "refused")) {
		e->kind = SCENARIO_REFUSED;
		e->code = error_code(yaml_get(node, "refused"), diag);
	} else if (yaml_get(node, "case")) {
		e->kind = SCENARIO_CASE_STATE;
		read_case(s, node, diag, e);
	} else if (yaml_get(node, "task")) {
		e->kind = SCENARIO_TASK_STATE;
		e->message = message_name(s, node, "task", diag);
		e->state = enum_value(yaml_get(node, "state"), &ieum__v1__task_state__descriptor,
				      diag);
		e->inbox = text_of(node, "inbox", diag);
	} else if (yaml_get(node, "agenda")) {
		read_agenda(s, node, diag, e);
	} else if (yaml_get(node, "pool")) {
		read_pool(s, node, diag, e);
	} else if (yaml_get(node, "gets_nothing")) {
		e->kind = SCENARIO_GETS_NOTHING;
		e->inbox = text_of(node, "inbox", diag);
	} else if (yaml_get(node, "inbox")) {
		read_gets(s, node, diag, e);
	} else {
		yaml_mistake(diag, node,
			     "expects one of: inbox, refused, case, task, pool, agenda");
	}
}

/* `with:` is the body of an answer. */
static void read_answer(struct scenario_step *step, const struct yaml_node *node,
			struct yaml_diag *diag)
{
	ProtobufCMessage *body = NULL;
	const struct yaml_node *with = yaml_require(node, "with", diag);

	step->kind = SCENARIO_ANSWER;
	if (!with ||
	    pbmap_from_yaml(with, &ieum__v1__answer__descriptor, NULL, diag, &body) != IEUM_E_OK)
		return;
	step->message = calloc(1, sizeof *step->message);
	Ieum__V1__Envelope *envelope = calloc(1, sizeof *envelope);
	if (!step->message || !envelope)
		abort();
	ieum__v1__referral__init(step->message);
	ieum__v1__envelope__init(envelope);
	envelope->type = IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER;
	step->message->envelope = envelope;
	step->message->body_case = IEUM__V1__REFERRAL__BODY_ANSWER;
	step->message->answer = (Ieum__V1__Answer *)body;
}

static void read_submit(struct scenario_step *step, const struct yaml_node *node,
			struct yaml_diag *diag)
{
	const struct yaml_node *message = yaml_require(node, "message", diag);
	ProtobufCMessage *referral = NULL;

	step->kind = SCENARIO_SUBMIT;
	step->name = text_of(node, "submits", diag);
	yaml_opt_bool(node, "opens_case", diag, &step->opens_case);
	if (message && pbmap_from_yaml(message, &ieum__v1__referral__descriptor, NULL, diag,
				       &referral) == IEUM_E_OK)
		step->message = (Ieum__V1__Referral *)referral;
	if (step->message && !step->message->envelope)
		yaml_mistake(diag, message, "the message needs an envelope");
	else if (step->message && yaml_get(node, "subject"))
		scenario_subject(yaml_get(node, "subject"), diag, step->message->envelope);
}

static void read_expects(const struct scenario *s, struct scenario_step *step,
			 const struct yaml_node *node, struct yaml_diag *diag)
{
	const struct yaml_node *expects = yaml_get(node, "expect");

	if (!expects || !yaml_check_seq(expects, 1, SCENARIO_EXPECTS_MAX, diag))
		return;
	for (size_t i = 0; i < yaml_count(expects); i++)
		read_expect(s, yaml_at(expects, i), diag, &step->expects[step->n_expects++]);
}

static void read_step(struct scenario *s, const struct yaml_node *node, struct yaml_diag *diag)
{
	struct scenario_step *step = &s->steps[s->n_steps];
	struct yaml_duration duration;

	step->line = yaml_line(node);
	if (!yaml_schema_check(node, &scenario_schema_step, diag))
		return;
	step->who = text_of(node, "who", diag);
	step->in_case = message_name(s, node, "case", diag);
	step->reply_to = message_name(s, node, "reply_to", diag);
	step->supersedes = message_name(s, node, "supersedes", diag);
	step->hold = message_name(s, node, "hold", diag);
	step->manifest_of = message_name(s, node, "manifest_of", diag);
	step->conference = message_name(s, node, "conference", diag);
	step->keeps = message_name(s, node, "keeps", diag);
	step->signal = message_name(s, node, "signal", diag);
	read_two_languages(yaml_get(node, "say"), diag, &step->say_en, &step->say_ko);
	yaml_opt_bool(node, "nobody_else", diag, &step->nobody_else);
	if (yaml_get(node, "submits")) {
		read_submit(step, node, diag);
	} else if (yaml_get(node, "answers")) {
		step->reply_to = message_name(s, node, "answers", diag);
		step->name = text_of(node, "name", diag);
		read_answer(step, node, diag);
	} else if (yaml_get(node, "after")) {
		step->kind = SCENARIO_AFTER;
		step->after = text_of(node, "after", diag);
		yaml_read_duration(yaml_get(node, "after"), diag, &duration);
	} else if (yaml_get(node, "crash")) {
		step->kind = SCENARIO_CRASH;
	} else {
		step->kind = SCENARIO_CHECK;
	}
	if ((step->kind == SCENARIO_SUBMIT || step->kind == SCENARIO_ANSWER) && !step->who)
		yaml_mistake(diag, node, "who does this?");
	s->n_steps++; /* now its own message can be named in its expectations */
	read_expects(s, step, node, diag);
}

static void read_hub_path(struct scenario *s, const struct yaml_node *root, struct yaml_diag *diag)
{
	const char *slash = strrchr(s->path, '/');
	const char *hub = NULL;

	if (!yaml_read_text(yaml_require(root, "hub", diag), SCENARIO_TEXT_BYTES, diag, &hub))
		return;
	int folder = slash ? (int)(slash - s->path + 1) : 0;
	if (asprintf(&s->hub_file, "%.*s%s", folder, s->path, hub) < 0)
		abort();
}

static void read_scenario(struct scenario *s, struct yaml_diag *diag)
{
	const struct yaml_node *root = yaml_doc_root(s->doc);
	const struct yaml_node *steps;

	if (!yaml_schema_check(root, &scenario_schema_file, diag))
		return;
	s->name = text_of(root, "scenario", diag);
	read_two_languages(yaml_require(root, "title", diag), diag, &s->title_en, &s->title_ko);
	read_hub_path(s, root, diag);
	yaml_read_time_us(yaml_require(root, "starts", diag), diag, &s->starts_us);
	steps = yaml_require(root, "steps", diag);
	if (!steps || !yaml_check_seq(steps, 1, SCENARIO_STEPS_MAX, diag))
		return;
	s->steps = calloc(yaml_count(steps), sizeof *s->steps);
	if (!s->steps)
		abort();
	for (size_t i = 0; i < yaml_count(steps); i++)
		read_step(s, yaml_at(steps, i), diag);
}

enum ieum_err scenario_load(const char *path, struct yaml_diag *diag, struct scenario **out)
{
	struct scenario *s = calloc(1, sizeof *s);
	enum ieum_err err = IEUM_E_NO_MEMORY;

	if (!s)
		return err;
	err = yaml_doc_open(path, diag, &s->doc);
	if (err != IEUM_E_OK)
		goto out;
	s->path = path;
	read_scenario(s, diag);
	err = diag->count > 0 ? IEUM_E_FILE_INVALID : IEUM_E_OK;
out:
	if (err != IEUM_E_OK) {
		scenario_free(s);
		s = NULL;
	}
	*out = s;
	return err;
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_steps; i++) {
		if (s->steps[i].message)
			ieum__v1__referral__free_unpacked(s->steps[i].message, NULL);
	}
	free(s->steps);
	free(s->hub_file);
	yaml_doc_free(s->doc);
	free(s);
}
