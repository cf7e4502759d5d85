/* The tables of scenario files; see schema.h.  Only constants. */
#include "scenarios/schema.h"

#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/query.pb-c.h"
#include "proto/error.h"
#include "scenarios/scenario.h"

static const char *const error_names[] = {
#define X(number, name, fault, retry, text) #name,
	IEUM_ERRORS(X)
#undef X
		NULL
};

/* clang-format off */
#define TEXT SCHEMA_TEXT(SCENARIO_TEXT_BYTES)
#define TIME SCHEMA_FORM("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$", "2026-03-02T10:00:00+09:00")
#define ERROR_NAME { .is = YAML_SCHEMA_WORD, .words = error_names }
#define STATE SCHEMA_EITHER(SCHEMA_EITHER(SCHEMA_ENUM(case_state), SCHEMA_ENUM(task_state)), SCHEMA_ENUM(clock_state))
#define MAILBOX SCHEMA_FORM("^[a-z0-9][a-z0-9-]*(/[a-z0-9_]+)?$", "joint-response-team-gimpo/police")

const struct yaml_schema scenario_schema_words = {
	.name = "words",
	.line = "A text in both languages.",
	.keys = SCHEMA_KEYS{
		{ "en", TEXT, SCHEMA_NEEDED, "in English" },
		{ "ko", TEXT, SCHEMA_NEEDED, "in Korean" },
		SCHEMA_END,
	},
};

const struct yaml_schema scenario_schema_plan = {
	.name = "plan",
	.line = "A change of jurisdiction that is not announced.",
	.keys = SCHEMA_KEYS{
		{ "from", TEXT, SCHEMA_NEEDED, "who is responsible now" },
		{ "to", TEXT, SCHEMA_NEEDED, "who would be" },
		{ "jurisdiction", TEXT, SCHEMA_OPTIONAL, "only cases of this one" },
		SCHEMA_END,
	},
};

const struct yaml_schema scenario_schema_expect = {
	.name = "expect",
	.line = "What must then be so.",
	.keys = SCHEMA_KEYS{
		{ "inbox", MAILBOX, SCHEMA_OPTIONAL, "the mailbox that is looked at" },
		{ "gets", TEXT, SCHEMA_OPTIONAL, "a message of this file by its name, or any of a type" },
		{ "gets_nothing", SCHEMA_BOOL, SCHEMA_OPTIONAL, "nothing new came to it" },
		{ "as", TEXT, SCHEMA_OPTIONAL, "the name of that message from here on" },
		{ "cause", SCHEMA_ENUM(delivery_cause), SCHEMA_OPTIONAL, "why it was delivered" },
		{ "refused", ERROR_NAME, SCHEMA_OPTIONAL, "the step's message is refused with this error" },
		{ "case", TEXT, SCHEMA_OPTIONAL, "the case of this message" },
		{ "task", TEXT, SCHEMA_OPTIONAL, "a request of this message" },
		{ "state", STATE, SCHEMA_OPTIONAL, "the state of the case, the request or the clock" },
		{ "clock", TEXT, SCHEMA_OPTIONAL, "with `case`: the clock of this name that started last in it" },
		{ "due", TIME, SCHEMA_OPTIONAL, "when that clock ends" },
		{ "pool", TEXT, SCHEMA_OPTIONAL, "the pool that is looked at" },
		{ "held", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "places of the pool that are held" },
		{ "taken", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "places of the pool that are taken" },
		{ "free", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "places of the pool that are free" },
		{ "waits", TEXT, SCHEMA_OPTIONAL, "an entry of the pool's waiting list" },
		{ "position", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "its place in the order; 0: it does not wait" },
		{ "gate", TEXT, SCHEMA_OPTIONAL, "with `case`: a gate of it" },
		{ "open", SCHEMA_BOOL, SCHEMA_OPTIONAL, "whether that gate is open" },
		{ "agenda", TEXT, SCHEMA_OPTIONAL, "the body whose agenda is looked at" },
		{ "by", TEXT, SCHEMA_OPTIONAL, "the participant that looks: at an agenda, a hand-over, a hidden case" },
		{ "has", TEXT, SCHEMA_OPTIONAL, "an item, minutes with an action, or a linked set's notice that is on it" },
		{ "lacks", TEXT, SCHEMA_OPTIONAL, "one that is not" },
		{ "carried", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "meetings that had it before them already" },
		{ "of", TEXT, SCHEMA_OPTIONAL, "with `gets`: it belongs to the case of this message" },
		{ "owner", MAILBOX, SCHEMA_OPTIONAL, "with `case`: who is responsible for it" },
		{ "hidden", TEXT, SCHEMA_OPTIONAL, "the case of this message can't be read; with `clock`: it can, but not that clock" },
		{ "opens", TEXT, SCHEMA_OPTIONAL, "the participant that gets the `message` and opens what is sealed in it" },
		{ "sealed_from", TEXT, SCHEMA_OPTIONAL, "one that does not, or has no key" },
		{ "message", TEXT, SCHEMA_OPTIONAL, "with `opens` or `sealed_from`: the message with sealed parts" },
		{ "handover", TEXT, SCHEMA_OPTIONAL, "a change of jurisdiction" },
		{ "plan", SCHEMA_MAP(scenario_schema_plan), SCHEMA_OPTIONAL, "what a change would do" },
		{ "step", SCHEMA_ENUM(handover_step), SCHEMA_OPTIONAL, "how far the change has come" },
		{ "cases", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "cases that it hands over" },
		{ "not_accepted", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "cases that are not accepted yet" },
		{ "errors", SCHEMA_INT(0, 1000000), SCHEMA_OPTIONAL, "cases that something stands in the way of" },
		{ "grade", TEXT, SCHEMA_OPTIONAL, "the case's repeat-risk grade; \"-\": none" },
		{ "consent_withdrawn", SCHEMA_BOOL, SCHEMA_OPTIONAL, "consent to share is withdrawn in the case" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "inbox", "refused", "case", "task", "pool", "agenda", "hidden", "opens", "sealed_from", "handover", "plan", NULL },
};

const struct yaml_schema scenario_schema_subject = {
	.name = "subject",
	.line = "What an agency knows of the person a blind signal is about.",
	.keys = SCHEMA_KEYS{
		{ "name", TEXT, SCHEMA_OPTIONAL, "name" },
		{ "birth", TEXT, SCHEMA_OPTIONAL, "date of birth" },
		{ "sex", TEXT, SCHEMA_OPTIONAL, "female or male" },
		{ "guardian", TEXT, SCHEMA_OPTIONAL, "the guardian's name" },
		{ "phone", TEXT, SCHEMA_OPTIONAL, "the guardian's number" },
		{ "postcode", TEXT, SCHEMA_OPTIONAL, "five digits" },
		SCHEMA_END,
	},
};

const struct yaml_schema scenario_schema_step = {
	.name = "step",
	.line = "Who does what, and what is then expected of whom.",
	.keys = SCHEMA_KEYS{
		{ "who", TEXT, SCHEMA_OPTIONAL, "the participant that acts" },
		{ "submits", TEXT, SCHEMA_OPTIONAL, "a name of your own for the message it submits" },
		{ "answers", TEXT, SCHEMA_OPTIONAL, "the earlier message that it answers" },
		{ "name", TEXT, SCHEMA_OPTIONAL, "a name of your own for that answer" },
		{ "opens_case", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the message opens a case" },
		{ "case", TEXT, SCHEMA_OPTIONAL, "the message that opened the case this is in" },
		{ "reply_to", TEXT, SCHEMA_OPTIONAL, "the earlier message this replies to" },
		{ "supersedes", TEXT, SCHEMA_OPTIONAL, "the earlier message this replaces" },
		{ "hold", TEXT, SCHEMA_OPTIONAL, "the earlier message by which the place was held" },
		{ "subject", SCHEMA_MAP(scenario_schema_subject), SCHEMA_OPTIONAL, "whom a blind signal is about; the agency makes tokens of it, nobody else sees it" },
		{ "manifest_of", TEXT, SCHEMA_OPTIONAL, "of a handover_manifest: the change whose list this is, of what came in" },
		{ "conference", TEXT, SCHEMA_OPTIONAL, "of minutes: the call of their meeting" },
		{ "keeps", TEXT, SCHEMA_OPTIONAL, "of minutes: an item that stays on the agenda" },
		{ "signal", TEXT, SCHEMA_OPTIONAL, "of a disclosure: the signal that it is about" },
		{ "message", SCHEMA_MESSAGE(referral), SCHEMA_OPTIONAL, "what is submitted" },
		{ "with", SCHEMA_MESSAGE(answer), SCHEMA_OPTIONAL, "what is answered" },
		{ "after", SCHEMA_DURATION, SCHEMA_OPTIONAL, "time passes, and everything due happens" },
		{ "crash", SCHEMA_BOOL, SCHEMA_OPTIONAL, "power cut and restart" },
		{ "say", SCHEMA_MAP(scenario_schema_words), SCHEMA_OPTIONAL, "for the reader of the timeline" },
		{ "expect", SCHEMA_LIST(1, SCENARIO_EXPECTS_MAX, SCHEMA_MAP(scenario_schema_expect)), SCHEMA_OPTIONAL, "what must then be so" },
		{ "nobody_else", SCHEMA_BOOL, SCHEMA_OPTIONAL, "no delivery beside the expected ones" },
		SCHEMA_END,
	},
};

const struct yaml_schema scenario_schema_file = {
	.name = "file",
	.line = "A scenario: who does what when, and what is then expected of whom.",
	.keys = SCHEMA_KEYS{
		{ "scenario", TEXT, SCHEMA_OPTIONAL, "a short name" },
		{ "title", SCHEMA_MAP(scenario_schema_words), SCHEMA_NEEDED, "shown when it is played" },
		{ "hub", TEXT, SCHEMA_NEEDED, "path of the hub file whose policy decides, from this file's folder" },
		{ "starts", TIME, SCHEMA_NEEDED, "the simulator's clock at the beginning" },
		{ "steps", SCHEMA_LIST(1, SCENARIO_STEPS_MAX, SCHEMA_MAP(scenario_schema_step)), SCHEMA_NEEDED, "what happens, in this order" },
		SCHEMA_END,
	},
};
/* clang-format on */
