/* The tables of a policy's own tests; see trial_schema.h.  Only constants. */
#include "broker/policy/trial_schema.h"

#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"

static const char *const error_names[] = {
#define X(number, name, fault, retry, text) #name,
	IEUM_ERRORS(X)
#undef X
		NULL
};

/* clang-format off */
#define TEXT SCHEMA_TEXT(TRIAL_TEXT_BYTES)
#define TEXTS SCHEMA_LIST(0, TRIAL_LIST_MAX, TEXT)
#define TIME SCHEMA_FORM("^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}", "2026-03-02 10:00")
#define ERROR_NAME { .is = YAML_SCHEMA_WORD, .words = error_names }

const struct yaml_schema trial_schema_step = {
	.name = "step",
	.line = "A step of the ladder.",
	.keys = SCHEMA_KEYS{
		{ "to", TEXT, SCHEMA_NEEDED, "whom it goes to, as the hub file says it" },
		{ "at", TIME, SCHEMA_OPTIONAL, "until when they have, in the hub's local time" },
		SCHEMA_END,
	},
};

const struct yaml_schema trial_schema_expect = {
	.name = "expect",
	.line = "What must come of it. What is left out may be anything.",
	.keys = SCHEMA_KEYS{
		{ "refused", ERROR_NAME, SCHEMA_OPTIONAL, "it is refused with this error" },
		{ "because", TEXT, SCHEMA_OPTIONAL, "a part of the refusal's explanation" },
		{ "recipients", TEXTS, SCHEMA_OPTIONAL, "exactly these mailboxes get it" },
		{ "asked", TEXTS, SCHEMA_OPTIONAL, "exactly these mailboxes owe an answer" },
		{ "deadlines", SCHEMA_BY_MAILBOX(TEXT), SCHEMA_OPTIONAL, "until when a mailbox has: a local time, a duration from `at`, or none" },
		{ "ladder", SCHEMA_BY_MAILBOX(SCHEMA_LIST(0, TRIAL_LIST_MAX, SCHEMA_EITHER(TEXT, SCHEMA_MAP(trial_schema_step)))), SCHEMA_OPTIONAL, "who is asked after this mailbox, in this order" },
		{ "rules", TEXTS, SCHEMA_OPTIONAL, "exactly these rules apply" },
		{ "emits", SCHEMA_LIST(0, POLICY_EMITS_MAX, SCHEMA_ENUM(message_type)), SCHEMA_OPTIONAL, "exactly these messages the hub makes itself" },
		{ "acts", TEXTS, SCHEMA_OPTIONAL, "exactly this is set off: \"starts report-clock\"" },
		{ "owner", TEXT, SCHEMA_OPTIONAL, "the mailbox that owns the case from now on; none: unchanged" },
		{ "case_state", SCHEMA_ENUM(case_state), SCHEMA_OPTIONAL, "the case's state from now on" },
		SCHEMA_END,
	},
};

const struct yaml_schema trial_schema_case = {
	.name = "case",
	.line = "What is known of the case that the message belongs to.",
	.keys = SCHEMA_KEYS{
		{ "category", SCHEMA_ENUM(category), SCHEMA_OPTIONAL, "its category" },
		{ "state", SCHEMA_ENUM(case_state), SCHEMA_OPTIONAL, "its state" },
		{ "jurisdiction", TEXT, SCHEMA_OPTIONAL, "its jurisdiction" },
		{ "grade", TEXT, SCHEMA_OPTIONAL, "its repeat-risk grade" },
		{ "owner", TEXT, SCHEMA_OPTIONAL, "the mailbox that is responsible for it" },
		{ "counts", SCHEMA_BY_NAME(SCHEMA_INT(0, TRIAL_COUNT_MAX)), SCHEMA_OPTIONAL, "what the hub file's counters say, this message included; 0 when left out" },
		{ "consent_withdrawn", SCHEMA_BOOL, SCHEMA_OPTIONAL, "consent was withdrawn in it" },
		{ "gates", TEXTS, SCHEMA_OPTIONAL, "gates that are open in it" },
		{ "linked_set", SCHEMA_BOOL, SCHEMA_OPTIONAL, "it is a linked set's" },
		{ "excluded", SCHEMA_LIST(0, EXPLAIN_EXCLUDED_MAX, TEXT), SCHEMA_OPTIONAL, "participants with a conflict of interest in it" },
		SCHEMA_END,
	},
};

const struct yaml_schema trial_schema_test = {
	.name = "test",
	.line = "A message, and what must come of it.",
	.keys = SCHEMA_KEYS{
		{ "test", TEXT, SCHEMA_NEEDED, "its name" },
		{ "at", TIME, SCHEMA_NEEDED, "when the hub gets it, in its local time" },
		{ "sender", TEXT, SCHEMA_NEEDED, "the participant that sends it, or `hub`" },
		{ "case", SCHEMA_MAP(trial_schema_case), SCHEMA_OPTIONAL, "the case it belongs to" },
		{ "replies_to", SCHEMA_ENUM(message_type), SCHEMA_OPTIONAL, "the type of the message that it replies to" },
		{ "opens_case", SCHEMA_BOOL, SCHEMA_OPTIONAL, "it opens a case" },
		{ "message", SCHEMA_MESSAGE(referral), SCHEMA_NEEDED, "what is sent; an id in it may be any word" },
		{ "expect", SCHEMA_MAP(trial_schema_expect), SCHEMA_NEEDED, "what must come of it" },
		SCHEMA_END,
	},
};

const struct yaml_schema trial_schema_file = {
	.name = "file",
	.line = "The tests of a hub file: message in; recipients, deadlines and ladder out.",
	.keys = SCHEMA_KEYS{
		{ "tests", SCHEMA_LIST(1, TRIALS_MAX, SCHEMA_MAP(trial_schema_test)), SCHEMA_NEEDED, "each by itself; their order does not matter" },
		SCHEMA_END,
	},
};
/* clang-format on */
