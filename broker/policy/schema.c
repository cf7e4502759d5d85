/* The tables of hub.yaml; see schema.h.  Only constants: what a value means is its loader's. */
#include "broker/policy/schema.h"

#include "broker/policy/compiled.h"
#include "ieum/v1/body.pb-c.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "ieum/v1/types.pb-c.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* clang-format off */
#define HUB_NAME SCHEMA_FORM("^[a-z0-9][a-z0-9.-]*$", "gimpo.ieum")
#define NAME SCHEMA_FORM("^[a-z0-9][a-z0-9-]*$", "gimpo-ps")                   /* with '-' */
#define WORD SCHEMA_FORM("^[a-z0-9][a-z0-9_]*$", "case_manager")               /* with '_' */
#define MAILBOX SCHEMA_FORM("^[a-z0-9][a-z0-9-]*(/[a-z0-9_]+)?$", "team/lead")
#define ADDRESS SCHEMA_FORM("^[a-z_]+:.+$|^[a-z0-9][a-z0-9_-]*$", "body:joint-response-team")
#define CODE SCHEMA_FORM("^[0-9]{2,10}$", "41570")
#define ZONE SCHEMA_FORM("^([+-][0-9]{2}:[0-9]{2}|[A-Z][A-Za-z0-9_+/-]+)$", "Asia/Seoul")
#define HOURS SCHEMA_FORM("^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$", "09:00-18:00")
#define BY_DAY SCHEMA_EITHER(HOURS, SCHEMA_MAP(schema_hours))
#define OWN_HOURS SCHEMA_EITHER(SCHEMA_WORD("always"), BY_DAY)
#define LANGUAGE SCHEMA_FORM("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", "vi")
#define SEXES SCHEMA_EITHER(SCHEMA_WORD("any"), SCHEMA_MANY(SCHEMA_ENUM(sex)))
#define FIELD SCHEMA_FORM("^\\$[a-z0-9_]+$", "$visit_by_at_ms")
#define DATE SCHEMA_FORM("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2026-10-03")
#define WEEKDAY SCHEMA_WORD("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
#define DOMAIN_OR_FIELD SCHEMA_FORM("^\\$?[a-z0-9_]+$", "$domain")
#define MESSAGE_TYPE SCHEMA_ENUM(message_type)
#define COUNT SCHEMA_FORM("^((>=|<=|!=|>|<|=|reaches) *)?[0-9]+$", ">= 3")
#define EITHER_WAY SCHEMA_EITHER(SCHEMA_BOOL, SCHEMA_WORD("either"))

const struct yaml_schema schema_title = {
	.name = "title",
	.line = "In both languages of every screen.",
	.keys = SCHEMA_KEYS{
		{ "en", SCHEMA_TEXT(200), SCHEMA_NEEDED, "in English" },
		{ "ko", SCHEMA_TEXT(200), SCHEMA_NEEDED, "in Korean" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_hub = {
	.name = "hub",
	.line = "The hub as a whole.",
	.keys = SCHEMA_KEYS{
		{ "name", HUB_NAME, SCHEMA_NEEDED, "the hub's name in every certificate" },
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "jurisdiction", CODE, SCHEMA_NEEDED, "administrative code of participants and bodies that name none" },
		{ "time_zone", ZONE, SCHEMA_NEEDED, "offset from UTC or the name of a zone, for working hours and holidays" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_hours = {
	.name = "hours",
	.line = "Hours by days of the week.",
	.keys = SCHEMA_KEYS{
		{ "default", HOURS, SCHEMA_NEEDED, "of each working day that is not listed" },
		{ "sunday", HOURS, SCHEMA_OPTIONAL, "of Sundays; a day of the weekend is open then, but no business day" },
		{ "monday", HOURS, SCHEMA_OPTIONAL, "of Mondays" },
		{ "tuesday", HOURS, SCHEMA_OPTIONAL, "of Tuesdays" },
		{ "wednesday", HOURS, SCHEMA_OPTIONAL, "of Wednesdays" },
		{ "thursday", HOURS, SCHEMA_OPTIONAL, "of Thursdays" },
		{ "friday", HOURS, SCHEMA_OPTIONAL, "of Fridays" },
		{ "saturday", HOURS, SCHEMA_OPTIONAL, "of Saturdays" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_calendar = {
	.name = "calendar",
	.line = "Working hours, weekends and holidays: what business hours and days are.",
	.keys = SCHEMA_KEYS{
		{ "working_hours", BY_DAY, SCHEMA_NEEDED, "of each working day, or by days of the week" },
		{ "weekend", SCHEMA_LIST(0, 6, WEEKDAY), SCHEMA_NEEDED, "days without work" },
		{ "holidays", SCHEMA_LIST(0, 2000, DATE), SCHEMA_OPTIONAL, "public holidays and their substitutes" },
		{ "holidays_until", DATE, SCHEMA_OPTIONAL, "the day until which that list is complete; its last one when left out" },
		{ "warn_before", SCHEMA_SPAN(DAY_MS, 366 * DAY_MS), SCHEMA_OPTIONAL, "so long before that day the check and the hub's log say so; 60 d when left out" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_may_send = {
	.name = "may_send",
	.line = "Everything but some types.",
	.keys = SCHEMA_KEYS{
		{ "all_except", SCHEMA_MANY(MESSAGE_TYPE), SCHEMA_NEEDED, "types of message it may not send" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_kind = {
	.name = "kind",
	.line = "A kind of institution.",
	.keys = SCHEMA_KEYS{
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "may_send", SCHEMA_EITHER(SCHEMA_EITHER(SCHEMA_WORD("all", "none"), SCHEMA_MAP(schema_may_send)), SCHEMA_MANY(MESSAGE_TYPE)),
		  SCHEMA_NEEDED, "all, none, a list of message types, or {all_except: [types]}" },
		{ "hears", SCHEMA_WORD("answers", "status"), SCHEMA_OPTIONAL, "what it learns of what it sent: answers, or only that it came and that it ended" },
		{ "reads", SCHEMA_WORD("cases", "none"), SCHEMA_OPTIONAL, "whether it may look at cases and referrals" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_agreement = {
	.name = "agreement",
	.line = "Days on which it is one of its kind and a provider; before and after it is reached by name only.",
	.keys = SCHEMA_KEYS{
		{ "from", DATE, SCHEMA_OPTIONAL, "first day" },
		{ "until", DATE, SCHEMA_OPTIONAL, "last day" },
		{ "warn_before", SCHEMA_SPAN(DAY_MS, 366 * DAY_MS), SCHEMA_OPTIONAL, "so long before its end the participant is told; 30 d when left out" },
		{ "tells", SCHEMA_MANY(ADDRESS), SCHEMA_OPTIONAL, "who else is told that it ends soon, and that it has ended" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "from", "until", NULL },
};

const struct yaml_schema schema_identity = {
	.name = "identity",
	.line = "A certificate of a PKI that an agency has already: a URI, or issuer and subject, or a pinned key.",
	.keys = SCHEMA_KEYS{
		{ "uri", SCHEMA_TEXT(255), SCHEMA_OPTIONAL, "a URI among its subject alternative names" },
		{ "issuer", SCHEMA_TEXT(500), SCHEMA_OPTIONAL, "who signed it, as `ieum cert show` prints it; with `subject`" },
		{ "subject", SCHEMA_TEXT(500), SCHEMA_OPTIONAL, "whom it names; with `issuer`" },
		{ "key", SCHEMA_FORM("^(sha256:)?[0-9a-fA-F]{64}$", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"), SCHEMA_OPTIONAL, "SHA-256 over its public key's DER" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "uri", "subject", "key", NULL },
};

const struct yaml_schema schema_participant = {
	.name = "participant",
	.line = "Who takes part: has a certificate in its name and a mailbox of its own.",
	.keys = SCHEMA_KEYS{
		{ "kind", WORD, SCHEMA_NEEDED, "one of `kinds`" },
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "jurisdiction", CODE, SCHEMA_OPTIONAL, "administrative code; the hub's when left out" },
		{ "jurisdictions", SCHEMA_LIST(1, POLICY_JURISDICTIONS_MAX, CODE), SCHEMA_OPTIONAL, "several, its own first" },
		{ "head", MAILBOX, SCHEMA_OPTIONAL, "who is told when this participant stays silent" },
		{ "agency", NAME, SCHEMA_OPTIONAL, "which agency it speaks for, where several have to agree; its own name when left out" },
		{ "domains", SCHEMA_LIST(1, POLICY_DOMAINS_MAX, WORD), SCHEMA_OPTIONAL, "support domains it serves" },
		{ "ranks", SCHEMA_BY_NAME(SCHEMA_INT(1, POLICY_RANKS_MAX)), SCHEMA_OPTIONAL, "its place among the providers of a domain; 1 when left out" },
		{ "languages", SCHEMA_EITHER(SCHEMA_LIST(1, 64, LANGUAGE), SCHEMA_BY_NAME(SEXES)), SCHEMA_OPTIONAL, "languages it serves, BCP 47; with the sexes of those who speak them: {vi: [female], ru: any}" },
		{ "hours", OWN_HOURS, SCHEMA_OPTIONAL, "when somebody is there on working days; the hub's when left out" },
		{ "duty", NAME, SCHEMA_OPTIONAL, "participant who gets what is immediate outside of the hours" },
		{ "agreement", SCHEMA_MAP(schema_agreement), SCHEMA_OPTIONAL, "from when until when it is designated" },
		{ "views", SCHEMA_LIST(1, 2, SCHEMA_WORD("queues", "drill")), SCHEMA_OPTIONAL, "what an operator may look at" },
		{ "rate_per_s", SCHEMA_INT(1, 1000000), SCHEMA_OPTIONAL, "submits and queries a second" },
		{ "identities", SCHEMA_LIST(1, 32, SCHEMA_MAP(schema_identity)), SCHEMA_OPTIONAL, "its certificates, where they are of another PKI; its spiffe URI when left out" },
		{ "gateway", SCHEMA_BOOL, SCHEMA_OPTIONAL, "it may say on whose behalf it sends: a system that speaks for persons of the agency" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_body = {
	.name = "body",
	.line = "A team or council of participants.",
	.keys = SCHEMA_KEYS{
		{ "kind", WORD, SCHEMA_NEEDED, "one of `kinds`" },
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "jurisdiction", CODE, SCHEMA_OPTIONAL, "administrative code; the hub's when left out" },
		{ "mode", SCHEMA_WORD("any", "each"), SCHEMA_OPTIONAL, "any: whoever of a role takes a message has it; each: every member gets its own copy" },
		{ "roles", SCHEMA_BY_NAME(SCHEMA_MANY(NAME)), SCHEMA_NEEDED, "each role with its members" },
		{ "lead", WORD, SCHEMA_OPTIONAL, "the role that is responsible" },
		{ "convener", WORD, SCHEMA_OPTIONAL, "the role that is responsible, of a council" },
		{ "hours", OWN_HOURS, SCHEMA_OPTIONAL, "when somebody is there on working days; the hub's when left out" },
		{ "duty", NAME, SCHEMA_OPTIONAL, "participant who gets what is immediate outside of the hours" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_more_time = {
	.name = "more time",
	.line = "How far whoever is asked may put off the answer.",
	.keys = SCHEMA_KEYS{
		{ "at_most", SCHEMA_DURATION, SCHEMA_OPTIONAL, "so far beyond its deadline; up to a year when left out" },
		{ "times", SCHEMA_INT(1, POLICY_MORE_TIMES_MAX), SCHEMA_OPTIONAL, "so often; as often as it likes when left out" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "at_most", "times", NULL },
};

const struct yaml_schema schema_type = {
	.name = "type",
	.line = "What a type of message needs.",
	.keys = SCHEMA_KEYS{
		{ "needs_case", SCHEMA_BOOL, SCHEMA_OPTIONAL, "refused without case_id or open_case" },
		{ "may_open", SCHEMA_BOOL, SCHEMA_OPTIONAL, "may open a case" },
		{ "needs_basis", SCHEMA_BOOL, SCHEMA_OPTIONAL, "refused without a legal basis" },
		{ "needs_reply_to", SCHEMA_BOOL, SCHEMA_OPTIONAL, "refused without in_reply_to" },
		{ "acts_as_answer", SCHEMA_ENUM(answer_kind), SCHEMA_OPTIONAL, "a reply of this type counts as that answer" },
		{ "more_time", SCHEMA_MAP(schema_more_time), SCHEMA_OPTIONAL, "how far, and how often, whoever is asked may put off its answer to a message of this type" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_types = {
	.name = "types",
	.line = "What each type of message needs.",
	.keys = SCHEMA_KEYS{
		{ "default", SCHEMA_MAP(schema_type), SCHEMA_OPTIONAL, "for types not listed, and for what a listed one leaves out" },
		SCHEMA_END,
	},
	.other_keys = &ieum__v1__message_type__descriptor,
	.other_type = SCHEMA_MAP(schema_type),
};

const struct yaml_schema schema_when = {
	.name = "when",
	.line = "All that is written must be true; of a list, one.",
	.keys = SCHEMA_KEYS{
		{ "type", SCHEMA_MANY(MESSAGE_TYPE), SCHEMA_OPTIONAL, "the message has this type" },
		{ "category", SCHEMA_MANY(SCHEMA_ENUM(category)), SCHEMA_OPTIONAL, "the message's, or when it names none its case's" },
		{ "urgency", SCHEMA_MANY(SCHEMA_ENUM(urgency)), SCHEMA_OPTIONAL, "unset counts as routine" },
		{ "basis", SCHEMA_MANY(SCHEMA_ENUM(basis_kind)), SCHEMA_OPTIONAL, "the kind of legal basis" },
		{ "sender_kind", SCHEMA_MANY(WORD), SCHEMA_OPTIONAL, "kind of the sender; `hub` for what the hub makes itself" },
		{ "sender", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "this participant sent it" },
		{ "jurisdiction", SCHEMA_MANY(CODE), SCHEMA_OPTIONAL, "the message's is or lies in this one" },
		{ "addressed", EITHER_WAY, SCHEMA_OPTIONAL, "the sender named addressees (true), named none (false), or either" },
		{ "opens_case", EITHER_WAY, SCHEMA_OPTIONAL, "the message opens a case" },
		{ "working_hours", EITHER_WAY, SCHEMA_OPTIONAL, "the message comes within working hours (true) or outside of them (false)" },
		{ "replies_to", SCHEMA_MANY(MESSAGE_TYPE), SCHEMA_OPTIONAL, "it replies to, or answers, a message of this type" },
		{ "case_state", SCHEMA_MANY(SCHEMA_ENUM(case_state)), SCHEMA_OPTIONAL, "of the case that the message goes into, before it does" },
		{ "grade", SCHEMA_MANY(SCHEMA_TEXT(POLICY_GRADE_BYTES - 1)), SCHEMA_OPTIONAL, "repeat-risk grade of that case; \"-\": none" },
		{ "count", SCHEMA_BY_NAME(COUNT), SCHEMA_OPTIONAL, "what counters have counted, this message included: {dispatches: \">= 3\"}" },
		{ "consent_withdrawn", EITHER_WAY, SCHEMA_OPTIONAL, "consent to share is withdrawn in that case" },
		{ "linked_set", EITHER_WAY, SCHEMA_OPTIONAL, "the case is one of a linked set" },
		{ "drill", EITHER_WAY, SCHEMA_OPTIONAL, "the hub runs a drill" },
		SCHEMA_END,
	},
	.facts_of = &ieum__v1__referral__descriptor,
};

const struct yaml_schema schema_step = {
	.name = "step",
	.line = "One step of a ladder: who is asked next.",
	.keys = SCHEMA_KEYS{
		{ "to", SCHEMA_MANY(ADDRESS), SCHEMA_NEEDED, "who is asked next" },
		{ "within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "how long they have; as answer_within when left out" },
		{ "on", SCHEMA_WORD("either", "silence", "rejection"), SCHEMA_OPTIONAL, "what makes the ladder go on to this step" },
		{ "repeat", SCHEMA_BOOL, SCHEMA_OPTIONAL, "of the last step: silence asks the same again, every `within`" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_emit = {
	.name = "emit",
	.line = "A message that the hub makes itself.",
	.keys = SCHEMA_KEYS{
		{ "type", MESSAGE_TYPE, SCHEMA_NEEDED, "its type" },
		{ "open_case", SCHEMA_BOOL, SCHEMA_OPTIONAL, "in a case of its own" },
		{ "link", SCHEMA_ENUM(link_kind), SCHEMA_OPTIONAL, "how that case is linked to this one" },
		{ "urgency", SCHEMA_ENUM(urgency), SCHEMA_OPTIONAL, "as that of the message it comes from when left out" },
		{ "article", SCHEMA_TEXT(500), SCHEMA_OPTIONAL, "of the statute on which it is sent; on the same basis as the message it comes from when left out" },
		{ "body", SCHEMA_BY_NAME(SCHEMA_ANYTHING), SCHEMA_OPTIONAL, "fields of its body: a value, $name of the message it comes from, or $count.NAME of a counter" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_matching = {
	.name = "matching",
	.line = "Of a role or of providers only those who can serve this.",
	.keys = SCHEMA_KEYS{
		{ "language", SCHEMA_EITHER(FIELD, LANGUAGE), SCHEMA_OPTIONAL, "a language, or the body's field that names it" },
		{ "sex", SCHEMA_EITHER(FIELD, SCHEMA_ENUM(sex)), SCHEMA_OPTIONAL, "of those who speak it, or the body's field that says it" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "language", "sex", NULL },
};

const struct yaml_schema schema_rule = {
	.name = "rule",
	.line = "Every rule whose `when` fits a message applies, from the top of the file to its end.",
	.keys = SCHEMA_KEYS{
		{ "name", NAME, SCHEMA_NEEDED, "unique among the rules" },
		{ "when", SCHEMA_MAP(schema_when), SCHEMA_OPTIONAL, "which messages it is for; all when left out" },
		{ "needs_basis", SCHEMA_MANY(SCHEMA_ENUM(basis_kind)), SCHEMA_OPTIONAL, "the rule is for these legal bases only" },
		{ "to", SCHEMA_MANY(ADDRESS), SCHEMA_OPTIONAL, "who gets it" },
		{ "ranked", DOMAIN_OR_FIELD, SCHEMA_OPTIONAL, "the providers of a support domain, rank by rank" },
		{ "matching", SCHEMA_MAP(schema_matching), SCHEMA_OPTIONAL, "of roles and providers only those who can serve what the message needs, in the ladder too" },
		{ "urgency", SCHEMA_ENUM(urgency), SCHEMA_OPTIONAL, "the message is at least so urgent, for the rules below and for whoever gets it" },
		{ "contact_at", FIELD, SCHEMA_OPTIONAL, "the body's time at which the person is to be reached: refused when that is not safe" },
		{ "forbid", SCHEMA_TEXT(160), SCHEMA_OPTIONAL, "the message is refused with this text" },
		{ "answer_within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "makes a request of it: whoever it names owes an answer" },
		{ "clock_from", SCHEMA_WORD("received", "occurred"), SCHEMA_OPTIONAL, "from the hub's receipt, or from when the act happened" },
		{ "stops_at", SCHEMA_ENUM(stops_at), SCHEMA_OPTIONAL, "which answer stops the clock" },
		{ "each", SCHEMA_BOOL, SCHEMA_OPTIONAL, "one request to each, so that each has to answer" },
		{ "then", SCHEMA_LIST(1, POLICY_STEPS_MAX, SCHEMA_MAP(schema_step)), SCHEMA_OPTIONAL, "the ladder" },
		{ "blocks_closing", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the case can't close while this request is open" },
		{ "on_accept", SCHEMA_WORD("close_case", "open_gate", "hand_over"), SCHEMA_OPTIONAL, "what its acceptance does to the case" },
		{ "gate", NAME, SCHEMA_OPTIONAL, "the gate that its acceptance opens" },
		{ "quorum", SCHEMA_INT(1, 16), SCHEMA_OPTIONAL, "so many different participants have to accept; who asks doesn't count" },
		{ "quorum_of", SCHEMA_WORD("participant", "kind", "agency"), SCHEMA_OPTIONAL, "kind: those who accept are of different kinds too; agency: they speak for different agencies, none for that of who asks" },
		{ "one_rejection_ends", SCHEMA_BOOL, SCHEMA_OPTIONAL, "it is rejected when one of those asked rejects it" },
		{ "needs_gate", NAME, SCHEMA_OPTIONAL, "refused while this gate of the case is closed" },
		{ "anonymous_until", NAME, SCHEMA_OPTIONAL, "while this gate of the case is closed, the message may carry no tokens, no numbers of other systems and no narrative" },
		{ "needs_item_basis", SCHEMA_BOOL, SCHEMA_OPTIONAL, "an information request says for each item on which ground it is asked for" },
		{ "owner", ADDRESS, SCHEMA_OPTIONAL, "who owns the case from now on" },
		{ "case_state", SCHEMA_ENUM(case_state), SCHEMA_OPTIONAL, "the case's state from now on" },
		{ "closing", SCHEMA_BOOL, SCHEMA_OPTIONAL, "refused while something that blocks closing is open" },
		{ "emit", SCHEMA_MANY(SCHEMA_MAP(schema_emit)), SCHEMA_OPTIONAL, "what the hub sends itself because of it" },
		{ "starts", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks of the case that start" },
		{ "restarts", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks that run anew from now, started or not" },
		{ "stops", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks whose act was done" },
		{ "freezes", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks that stand still from now" },
		{ "resumes", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks that go on with what was left" },
		{ "extends", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "clocks that get more time, where their condition for it holds" },
		{ "acted_at", FIELD, SCHEMA_OPTIONAL, "the body's time at which the act was done, for the clocks that the rule names; the message's occurred_at when left out" },
		{ "grade", SCHEMA_TEXT(8), SCHEMA_OPTIONAL, "the case's repeat-risk grade from now on; \"-\": none" },
		{ "holds", SCHEMA_WORD("first", "every"), SCHEMA_OPTIONAL, "places of the pools that suit are held and their keepers asked: of the first that has them free, or of all at once" },
		{ "takes_place", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the held place that the body names is taken up" },
		{ "returns_place", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the place that the body names is free again" },
		{ "counts_places", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the body says how many places a pool has" },
		{ "waits", SCHEMA_BOOL, SCHEMA_OPTIONAL, "onto the waiting list that the body names" },
		{ "stops_use", SCHEMA_BOOL, SCHEMA_OPTIONAL, "who got something on the consent is told to stop using it" },
		{ "gives_consent", SCHEMA_BOOL, SCHEMA_OPTIONAL, "consent is given again" },
		{ "asks_actions", SCHEMA_BOOL, SCHEMA_OPTIONAL, "each action of the body is a request" },
		{ "sends_agenda", SCHEMA_BOOL, SCHEMA_OPTIONAL, "members of the body get the agenda" },
		{ "hands_over", SCHEMA_BOOL, SCHEMA_OPTIONAL, "a change of jurisdiction is announced" },
		{ "confirms", SCHEMA_BOOL, SCHEMA_OPTIONAL, "completes a hand-over whose list agrees" },
		{ "opens_gate", SCHEMA_MANY(NAME), SCHEMA_OPTIONAL, "gates of the case that open at once" },
		{ "puts_on_agenda", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the item comes onto the agenda of the body that it names" },
		{ "meeting_within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "the body's convener is asked to call a meeting that has the item before it" },
		{ "minutes_within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "the body's convener is asked for the minutes of the meeting, so long after it begins" },
		{ "ends_agenda", SCHEMA_BOOL, SCHEMA_OPTIONAL, "minutes: what their meeting had before it is over" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_counter = {
	.name = "counter",
	.line = "How often something happened within a time; rules ask for it by `count`.",
	.keys = SCHEMA_KEYS{
		{ "of", SCHEMA_MAP(schema_when), SCHEMA_NEEDED, "which messages are counted" },
		{ "per", SCHEMA_MANY(SCHEMA_WORD("case", "subject", "sender", "household")), SCHEMA_NEEDED, "for what each is counted, of several the highest count: its case, each subject token (of several the highest counts), who sent it, or the case with those linked to it as same_household" },
		{ "within", SCHEMA_DURATION, SCHEMA_NEEDED, "how long one counts, from when it happened" },
		{ "weight", FIELD, SCHEMA_OPTIONAL, "the body's field that says how much it counts; 1 when left out" },
		{ "distinct", SCHEMA_WORD("sender"), SCHEMA_OPTIONAL, "different senders are counted instead of messages" },
		{ "resets", SCHEMA_MAP(schema_when), SCHEMA_OPTIONAL, "messages after which it counts anew" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_clock_extend = {
	.name = "extend",
	.line = "When a clock may get more time.",
	.keys = SCHEMA_KEYS{
		{ "by", SCHEMA_DURATION, SCHEMA_NEEDED, "how much more, from its end" },
		{ "times", SCHEMA_INT(1, 100), SCHEMA_OPTIONAL, "how often; once when left out" },
		{ "includes", SCHEMA_MANY(SCHEMA_WORD("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "holiday")), SCHEMA_OPTIONAL, "one such day must lie in its time" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_clock_then = {
	.name = "end",
	.line = "What the end of a clock does.",
	.keys = SCHEMA_KEYS{
		{ "emit", SCHEMA_MANY(SCHEMA_MAP(schema_emit)), SCHEMA_OPTIONAL, "what the hub sends" },
		{ "case_state", SCHEMA_ENUM(case_state), SCHEMA_OPTIONAL, "the case's state from then on" },
		{ "grade", SCHEMA_TEXT(8), SCHEMA_OPTIONAL, "the case's repeat-risk grade from then on; \"-\": none" },
		SCHEMA_END,
	},
	.one_of = (const char *const[]){ "emit", "case_state", "grade", NULL },
};

const struct yaml_schema schema_clock = {
	.name = "clock",
	.line = "A time within which something has to be done in a case; rules start and stop it.",
	.keys = SCHEMA_KEYS{
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "within", SCHEMA_DURATION, SCHEMA_NEEDED, "how long it runs" },
		{ "from", SCHEMA_EITHER(SCHEMA_WORD("occurred", "received"), FIELD), SCHEMA_OPTIONAL, "from when: the act (the default), the hub's receipt, or a time of the body" },
		{ "warn", SCHEMA_MANY(SCHEMA_DURATION), SCHEMA_OPTIONAL, "so long after its start it warns" },
		{ "warn_before", SCHEMA_MANY(SCHEMA_DURATION), SCHEMA_OPTIONAL, "so long before its end it warns" },
		{ "tells", SCHEMA_MANY(ADDRESS), SCHEMA_OPTIONAL, "who is told of each warning and of the end; whom rules say when left out" },
		{ "breach_tells", SCHEMA_MANY(ADDRESS), SCHEMA_OPTIONAL, "who is told of its end besides" },
		{ "urgency", SCHEMA_ENUM(urgency), SCHEMA_OPTIONAL, "of warnings; urgent when left out" },
		{ "breach_urgency", SCHEMA_ENUM(urgency), SCHEMA_OPTIONAL, "of the end; immediate when left out" },
		{ "extend", SCHEMA_MAP(schema_clock_extend), SCHEMA_OPTIONAL, "when it may get more time" },
		{ "every", SCHEMA_BOOL, SCHEMA_OPTIONAL, "begins again at its end until it is stopped; that is no breach" },
		{ "expires", SCHEMA_BOOL, SCHEMA_OPTIONAL, "its end is no breach: what it measures is simply over" },
		{ "begins_again", SCHEMA_BOOL, SCHEMA_OPTIONAL, "its end is a breach, and it begins again there until it is stopped" },
		{ "outlives_closing", SCHEMA_BOOL, SCHEMA_OPTIONAL, "goes on when the case is closed, and is no obstacle to that" },
		{ "ends_at_closing", SCHEMA_BOOL, SCHEMA_OPTIONAL, "closing the case stops it; a clock with neither of the two hinders closing while it runs, unless its end is no breach" },
		{ "then", SCHEMA_MAP(schema_clock_then), SCHEMA_OPTIONAL, "what its end does" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_gate = {
	.name = "gate",
	.line = "Something of a case that stays closed until enough people have agreed to open it.",
	.keys = SCHEMA_KEYS{
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "lasts", SCHEMA_SPAN(MINUTE_MS, 366 * DAY_MS), SCHEMA_OPTIONAL, "how long it stays open; without an end when left out" },
		{ "clock", SCHEMA_TEXT(POLICY_NAME_BYTES - 1), SCHEMA_OPTIONAL, "a clock that starts with each opening: it warns before the gate closes" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_linkage = {
	.name = "linkage",
	.line = "Which blind signals are put together, and who learns of a set.",
	.keys = SCHEMA_KEYS{
		{ "of", SCHEMA_MAP(schema_when), SCHEMA_NEEDED, "which messages are such signals" },
		{ "tokens_agree", SCHEMA_INT(1, POLICY_TOKEN_KINDS), SCHEMA_OPTIONAL, "so many different kinds of tokens, of which there are six, have to be equal; 1 when left out" },
		{ "agencies", SCHEMA_INT(2, 16), SCHEMA_OPTIONAL, "so many different senders make a set known; 2 when left out" },
		{ "within", SCHEMA_DURATION, SCHEMA_NEEDED, "how far apart two signals of one set may lie" },
		{ "expires", SCHEMA_DURATION, SCHEMA_NEEDED, "how long a known set takes up further signals" },
		{ "tells", ADDRESS, SCHEMA_NEEDED, "the one mailbox that learns of a set" },
		{ "gate", NAME, SCHEMA_OPTIONAL, "until it is open, no message in a set's case may say who it is" },
		{ "may_say", SCHEMA_LIST(1, 256, SCHEMA_TEXT(500)), SCHEMA_OPTIONAL, "the only texts that messages may have until then, beside names of this file, articles of legal_bases and months" },
		{ "category_only", SCHEMA_BOOL, SCHEMA_OPTIONAL, "the notice says that the set is discussed by category alone until the gate is open" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_pool = {
	.name = "pool",
	.line = "Places that somebody keeps, and whom they are for.",
	.keys = SCHEMA_KEYS{
		{ "title", SCHEMA_MAP(schema_title), SCHEMA_NEEDED, "name on screen" },
		{ "keeper", NAME, SCHEMA_NEEDED, "participant who keeps it: is asked, says how many places there are, places people" },
		{ "kind", WORD, SCHEMA_NEEDED, "word by which a message can mean several pools" },
		{ "jurisdiction", CODE, SCHEMA_OPTIONAL, "administrative code; the keeper's when left out" },
		{ "places", SCHEMA_INT(0, 100000), SCHEMA_NEEDED, "how many there are, until the keeper reports another number" },
		{ "sex", SCHEMA_MANY(SCHEMA_ENUM(sex)), SCHEMA_OPTIONAL, "only these; any when left out" },
		{ "ages", SCHEMA_FORM("^[0-9]{1,3}-[0-9]{1,3}$", "7-17"), SCHEMA_OPTIONAL, "only from this age to that one, both included" },
		{ "languages", SCHEMA_LIST(1, 64, LANGUAGE), SCHEMA_OPTIONAL, "spoken there, BCP 47; any when left out" },
		{ "siblings", SCHEMA_BOOL, SCHEMA_OPTIONAL, "gives several places at once" },
		{ "hold", SCHEMA_DURATION, SCHEMA_NEEDED, "how long a place is held while the keeper is asked" },
		{ "placement_within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "how long it is held from the acceptance on; as hold when left out" },
		{ "offer_within", SCHEMA_DURATION, SCHEMA_OPTIONAL, "how long whoever waited has to answer an offer; as hold when left out" },
		{ "stale_after", SCHEMA_DURATION, SCHEMA_OPTIONAL, "a count of the places older than this is stale, and its keeper is told; never when left out" },
		{ "stale_tells", SCHEMA_MANY(ADDRESS), SCHEMA_OPTIONAL, "who else is told that a count is stale" },
		{ "renews", SCHEMA_WORD("daily", "weekly", "monthly"), SCHEMA_OPTIONAL, "when all its places are given anew: at the hub's midnight, every day, Monday or first of a month; never when left out" },
		{ "warn_before", SCHEMA_SPAN(MINUTE_MS, 366 * DAY_MS), SCHEMA_OPTIONAL, "so long before both sides are told that an accepted place lapses or that its time is over; they aren't when left out" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_limits = {
	.name = "limits",
	.line = "What a mailbox may hold, how delivering is retried.",
	.keys = SCHEMA_KEYS{
		{ "id_window", SCHEMA_SPAN(HOUR_MS, 366 * DAY_MS), SCHEMA_OPTIONAL, "how long message ids are remembered" },
		{ "settle_within", SCHEMA_SPAN(SECOND_MS, DAY_MS), SCHEMA_OPTIONAL, "after this an unsettled delivery goes back to its queue" },
		{ "redeliver_min", SCHEMA_SPAN(1, HOUR_MS), SCHEMA_OPTIONAL, "wait before the next attempt; doubles" },
		{ "redeliver_max", SCHEMA_SPAN(1, DAY_MS), SCHEMA_OPTIONAL, "the longest wait before an attempt" },
		{ "attempts_max", SCHEMA_INT(1, 1000), SCHEMA_OPTIONAL, "then the delivery is a dead letter" },
		{ "queue_messages_max", SCHEMA_INT(1, 100000000), SCHEMA_OPTIONAL, "per mailbox" },
		{ "queue_bytes_max", SCHEMA_BYTES(1024 * 1024, INT64_MAX), SCHEMA_OPTIONAL, "per mailbox" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_sealed = {
	.name = "sealed",
	.line = "Narratives that only their readers can open.",
	.keys = SCHEMA_KEYS{
		{ "wrap_within", SCHEMA_SPAN(SECOND_MS, DAY_MS), SCHEMA_OPTIONAL, "how long somebody who can open a sealed part has to wrap its key for somebody who gets it later, before the next is asked; 15 min when left out" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_retention = {
	.name = "retention",
	.line = "How long the payload of each type of message is kept.",
	.keys = SCHEMA_KEYS{
		{ "default", SCHEMA_DURATION, SCHEMA_OPTIONAL, "for types that are not listed" },
		SCHEMA_END,
	},
	.other_keys = &ieum__v1__message_type__descriptor,
	.other_type = SCHEMA_DURATION,
};

const struct yaml_schema schema_left = {
	.name = "left",
	.line = "Who takes the place of somebody who is in the file no more.",
	.keys = SCHEMA_KEYS{
		{ "to", MAILBOX, SCHEMA_NEEDED, "participant, body or role that gets its cases, requests and messages" },
		{ "since", DATE, SCHEMA_OPTIONAL, "day on which it left; a note for whoever reads the file" },
		SCHEMA_END,
	},
};

const struct yaml_schema schema_file = {
	.name = "file",
	.line = "A hub file of ieum: who takes part in a hub and how referrals flow.",
	.keys = SCHEMA_KEYS{
		{ "hub", SCHEMA_MAP(schema_hub), SCHEMA_NEEDED, "name, jurisdiction, time zone" },
		{ "calendar", SCHEMA_MAP(schema_calendar), SCHEMA_NEEDED, "working hours, weekend, holidays" },
		{ "domains", SCHEMA_LIST(1, POLICY_DOMAINS_MAX, WORD), SCHEMA_OPTIONAL, "support domains" },
		{ "kinds", SCHEMA_BY_NAME(SCHEMA_MAP(schema_kind)), SCHEMA_NEEDED, "kinds of institutions and what each may send" },
		{ "participants", SCHEMA_BY_NAME(SCHEMA_MAP(schema_participant)), SCHEMA_NEEDED, "who takes part" },
		{ "bodies", SCHEMA_BY_NAME(SCHEMA_MAP(schema_body)), SCHEMA_OPTIONAL, "teams and councils" },
		{ "left", SCHEMA_BY_NAME(SCHEMA_MAP(schema_left)), SCHEMA_OPTIONAL, "who takes the place of former participants and bodies" },
		{ "types", SCHEMA_MAP(schema_types), SCHEMA_NEEDED, "what each type of message needs" },
		{ "pools", SCHEMA_BY_NAME(SCHEMA_MAP(schema_pool)), SCHEMA_OPTIONAL, "places that are held, taken and waited for" },
		{ "counters", SCHEMA_BY_NAME(SCHEMA_MAP(schema_counter)), SCHEMA_OPTIONAL, "what is counted" },
		{ "legal_bases", SCHEMA_LIST(1, 512, SCHEMA_TEXT(500)), SCHEMA_OPTIONAL, "articles of statutes that messages may name; any when left out" },
		{ "gates", SCHEMA_BY_NAME(SCHEMA_MAP(schema_gate)), SCHEMA_OPTIONAL, "what stays closed until it is approved" },
		{ "linkage", SCHEMA_BY_NAME(SCHEMA_MAP(schema_linkage)), SCHEMA_OPTIONAL, "which blind signals make a set" },
		{ "rules", SCHEMA_LIST(1, POLICY_RULES_MAX, SCHEMA_MAP(schema_rule)), SCHEMA_NEEDED, "who must hear" },
		{ "clocks", SCHEMA_BY_NAME(SCHEMA_MAP(schema_clock)), SCHEMA_OPTIONAL, "times within which something has to be done in a case" },
		{ "notification", SCHEMA_MAP(schema_title), SCHEMA_OPTIONAL, "neutral text for pages and telephones, instead of any content" },
		{ "sealed", SCHEMA_MAP(schema_sealed), SCHEMA_OPTIONAL, "narratives that only their readers can open" },
		{ "limits", SCHEMA_MAP(schema_limits), SCHEMA_OPTIONAL, "what a mailbox may hold, how delivering is retried" },
		{ "retention", SCHEMA_MAP(schema_retention), SCHEMA_OPTIONAL, "how long payloads are kept" },
		SCHEMA_END,
	},
};
/* clang-format on */
