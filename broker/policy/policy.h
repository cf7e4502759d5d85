/* The hub file, compiled: who takes part, and whom a message must reach.
 *
 * policy_load() reads hub.yaml, finds every mistake with its line, and compiles it into
 * one read-only struct.  Everything else here is a pure function over that struct: no
 * clock, no I/O, no global state.  A reload makes a new policy and swaps; the old one is
 * freed when nobody uses it.
 *
 * No institution, article number or deadline is known here: kinds, roles, bodies, support
 * domains, rules and calendars are the hub file's.
 *
 * Participants and mailboxes have an index in this policy and, once bound to a journal's
 * history (core_bind_policy), the number by which events name them. */
#ifndef IEUM_BROKER_POLICY_POLICY_H
#define IEUM_BROKER_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/arena.h"
#include "proto/error.h"
#include "yaml/yaml_diag.h"
#include "yaml/yaml_value.h"

enum {
	POLICY_HASH_BYTES = 32,
	POLICY_NAME_BYTES = 64, /* longest name, NUL included */
	POLICY_PARTICIPANTS_MAX = 4096,
	POLICY_MAILBOXES_MAX = 8192,
	POLICY_ROUTES_MAX = 64,        /* mailboxes one message may reach at once */
	POLICY_TASKS_MAX = 16,         /* requests one message may make */
	POLICY_STEPS_MAX = 16,         /* of one ladder */
	POLICY_RULES_MATCHED_MAX = 16, /* further ones apply too but aren't named */
	POLICY_EMITS_MAX = 4,
	POLICY_WINDOWS_MAX = 16,            /* in which one person can be reached */
	POLICY_STEP_TEXTS_BYTES = 4 * 1024, /* of the ladders of one decision */
	POLICY_ACTS_MAX = 32,     /* that one message may set off; further ones are refused */
	POLICY_COUNTERS_MAX = 64, /* of one hub file */
	POLICY_PERS = 4,          /* values of enum policy_counter_per */
	POLICY_CLOCKS_MAX = 256,  /* of one hub file */
	POLICY_CLOCK_WARNINGS_MAX = 8,
	POLICY_CLOCK_TELLS_MAX = 16,        /* addresses */
	POLICY_POOLS_MAX = 512,             /* of one hub file */
	POLICY_COUNT_MARKS_MAX = 256,       /* messages that one counter remembers for one key */
	POLICY_COUNT_EVENTS_MAX = 40,       /* that counters make of one message */
	POLICY_GRADE_BYTES = 9,             /* a case's repeat-risk grade, NUL included */
	POLICY_FILE_BYTES_MAX = 512 * 1024, /* its text goes into an event whenever it changes */
	POLICY_GATES_MAX = 32,              /* of one hub file, a bit each */
	POLICY_LINKAGES_MAX = 16,
	POLICY_TOKEN_KINDS = 6, /* of blind tokens, docs/tokens.md */
	POLICY_MORE_TIMES_MAX = 100,
	POLICY_TYPES = 51, /* message types, 0 unused */
	POLICY_NONE = -1,  /* no participant, no mailbox */
};

/* Whoever asks must not know what a counter counts: no comparison with it holds. */
#define POLICY_COUNT_UNKNOWN INT64_MIN

/* What an operator may look at. */
enum policy_view {
	POLICY_VIEW_QUEUES = 1 << 0, /* queues, envelopes only */
	POLICY_VIEW_DRILL = 1 << 1,  /* may advance a drill's clock */
};

struct policy_participant {
	char name[POLICY_NAME_BYTES];
	char kind[POLICY_NAME_BYTES];
	char jurisdiction[16];        /* its own: that of what it sends without naming one */
	const char *const *elsewhere; /* further ones that it serves */
	size_t n_elsewhere;
	const char *title_en, *title_ko;
	char agency[POLICY_NAME_BYTES]; /* that it speaks for: its own name, or as the file says */
	const char *const *domains;     /* support domains served */
	size_t n_domains;
	/* Days of its agreement, both included; INT64_MIN and INT64_MAX: without a limit.  Outside
	 * of them it is reached by its name only, not as one of a role or as a provider. */
	int64_t from_day, until_day;
	int64_t warn_before_ms;             /* that it ends, so long before */
	const char *const *agreement_tells; /* addresses, besides itself */
	size_t n_agreement_tells;
	uint64_t may_send;    /* bit per MessageType */
	bool hears_status;    /* of what it sent it learns only that it came and that it ended */
	bool reads_nothing;   /* no case, no referral, of the directory itself alone */
	bool gateway;         /* speaks for persons of its agency: Envelope.on_behalf_of */
	unsigned views;       /* of enum policy_view */
	int head;             /* mailbox told when this one stays silent, or POLICY_NONE */
	int mailbox;          /* its own mailbox */
	const int *mailboxes; /* every mailbox it consumes, its own first */
	size_t n_mailboxes;
	uint32_t number;     /* in events; 0 until bound */
	uint32_t rate_per_s; /* submits and queries; 0: the daemon's default */
};

/* A queue: a participant's own, or one role of a body ("body/role"). */
struct policy_mailbox {
	char name[2 * POLICY_NAME_BYTES];
	const char *title_en, *title_ko;
	const int *consumers; /* participants */
	size_t n_consumers;
	int body;        /* index of the body, or POLICY_NONE */
	uint32_t number; /* in events; 0 until bound */
};

struct policy_body {
	char name[POLICY_NAME_BYTES];
	char kind[POLICY_NAME_BYTES];
	char jurisdiction[16];
	const char *title_en, *title_ko;
	/* Mode "any": one per role, in the file's order.  Mode "each": its members' own. */
	const int *mailboxes;
	size_t n_mailboxes;
	int lead; /* mailbox of the lead or convener, or POLICY_NONE */
};

/* A time of the week in the hub's local time. */
struct policy_window {
	unsigned weekdays; /* bit per day, bit 0 is Sunday */
	int from_min, until_min;
};

/* When a person can be reached without danger. */
struct policy_contact {
	struct policy_window windows[POLICY_WINDOWS_MAX];
	size_t n_windows; /* 0: at any time */
	bool neutral_only;
};

/* What a type of message means in general. */
struct policy_type {
	bool needs_case;     /* refused without case_id or open_case */
	bool may_open;       /* may open a case */
	bool needs_basis;    /* refused without legal basis */
	bool needs_reply_to; /* refused without in_reply_to */
	/* How far beyond its deadline whoever is asked may put the answer off (duration text, NULL:
	 * as far as it says), and how often (0: as often as it likes). */
	const char *more_time;
	uint32_t more_times;
	/* A reply of this type counts as this answer; 0: none. */
	Ieum__V1__AnswerKind acts_as_answer;
};

struct policy_limits {
	int64_t id_window_ms;        /* 30 days */
	int64_t settle_within_ms;    /* 60 s */
	int64_t redeliver_min_ms;    /* 1 s, doubling … */
	int64_t redeliver_max_ms;    /* … to 5 min */
	uint32_t attempts_max;       /* 8 */
	uint32_t queue_messages_max; /* per mailbox */
	uint64_t queue_bytes_max;    /* per mailbox */
	int64_t wrap_within_ms; /* a holder has so long to wrap the keys of a sealed part: 15 min */
};

/* How often a pool's places are given anew. */
enum policy_renews {
	POLICY_RENEWS_NEVER,
	POLICY_RENEWS_DAILY,
	POLICY_RENEWS_WEEKLY,
	POLICY_RENEWS_MONTHLY
};

/* Places that somebody keeps: beds of a shelter, seats of a care centre. */
struct policy_pool {
	char name[POLICY_NAME_BYTES];
	char kind[POLICY_NAME_BYTES]; /* word by which a message may mean several pools */
	char jurisdiction[16];
	const char *title_en, *title_ko;
	int keeper; /* participant */
	uint32_t places;
	unsigned sexes; /* bit per Sex; 0: any */
	uint32_t age_from, age_until;
	const char *const *languages;
	size_t n_languages; /* 0: any */
	bool siblings;      /* gives several places at once */
	/* Durations, as policy_due() takes them. */
	const char *hold;               /* how long a place is held while its keeper is asked … */
	const char *placement_within;   /* … and from the acceptance on until it is taken up */
	const char *offer_within;       /* how long whoever waited has to answer an offer */
	const char *stale_after;        /* a count older than this is stale; "": never */
	const char *const *stale_tells; /* addresses, besides the keeper */
	size_t n_stale_tells;
	enum policy_renews renews;
	int64_t warn_before_ms; /* so long before a hold's end both sides are told; 0: they aren't */
	uint32_t number;        /* in events; 0 until bound */
};

/* What a message wants of a pool. */
struct policy_need {
	const char *wanted;       /* a pool's name, or a kind of pools */
	const char *jurisdiction; /* that a pool of the kind has to serve */
	Ieum__V1__Sex sex;
	uint32_t age_years;   /* 0: not stated */
	const char *language; /* "": none in particular */
	uint32_t places;
};

/* Something of a case that stays closed until enough people have agreed to open it. */
struct policy_gate {
	char name[POLICY_NAME_BYTES];
	const char *title_en, *title_ko;
	int64_t lasts_ms; /* once open; 0: without an end */
	int clock; /* that starts with each opening, so that its end is announced; POLICY_NONE */
};

/* When blind signals make a set, and who learns of it. */
struct policy_linkage {
	char name[POLICY_NAME_BYTES];
	uint32_t tokens_agree; /* kinds of tokens that have to be equal */
	uint32_t agencies;     /* different senders that make it known */
	const char *within;    /* duration text: how far apart two signals may lie */
	const char *expires;   /* duration text: how long a known set lasts */
	const char *tells;     /* address of the one mailbox that learns of it */
	bool category_only;
};

struct policy; /* opaque beside what the accessors give */

/* FILE_UNREADABLE, FILE_INVALID (every mistake in diag), NO_MEMORY.  The caller owns *out. */
enum ieum_err policy_load(const char *path, struct yaml_diag *diag,
			  struct policy **out) IEUM_MUST_CHECK;
enum ieum_err policy_parse(const char *name, const char *text, size_t len, struct yaml_diag *diag,
			   struct policy **out) IEUM_MUST_CHECK;
void policy_free(struct policy *p); /* takes NULL */

const char *policy_hub(const struct policy *p);     /* "gimpo.ieum" */
const char *policy_text(const struct policy *p);    /* the file as read, NUL-terminated */
const uint8_t *policy_hash(const struct policy *p); /* SHA-256 of the text */
const struct policy_limits *policy_limits(const struct policy *p);
const struct policy_type *policy_type(const struct policy *p, Ieum__V1__MessageType type);
/* How long payloads of this type are kept; amount 0: the hub file doesn't say. */
struct yaml_duration policy_retention(const struct policy *p, Ieum__V1__MessageType type);
/* Until when the payload of a message received then is kept; INT64_MAX: for ever. */
int64_t policy_kept_until(const struct policy *p, Ieum__V1__MessageType type, int64_t received_ms);
/* The newest moment so that whatever was received by then is kept no longer; INT64_MIN: none. */
int64_t policy_aged_at(const struct policy *p, Ieum__V1__MessageType type, int64_t now_ms);

/* Codes of jurisdictions are hierarchical: "41" (the province) covers "41570", "" all. */
bool policy_covers(const char *wider, const char *code);
/* Is this participant there for it, by any of its jurisdictions? */
bool policy_serves(const struct policy *p, int participant, const char *code);

size_t policy_participants(const struct policy *p);
struct policy_participant *policy_participant(const struct policy *p, int index);
int policy_find_participant(const struct policy *p, const char *name); /* POLICY_NONE */
/* Whose certificate is it, by its names as tls_identity has them?  POLICY_NONE: nobody's, or of
 * two. */
int policy_identify(const struct policy *p, const uint8_t (*names)[POLICY_HASH_BYTES], size_t n);
/* Does a participant list `identities` of its own, of another PKI? */
bool policy_names_certificates(const struct policy *p);
size_t policy_mailboxes(const struct policy *p);
struct policy_mailbox *policy_mailbox(const struct policy *p, int index);
int policy_find_mailbox(const struct policy *p, const char *name);
/* The mailbox that takes the place of one (by name) that the file has no more: `left`. */
int policy_left_to(const struct policy *p, const char *mailbox);
size_t policy_bodies(const struct policy *p);
const struct policy_body *policy_body(const struct policy *p, int index);
int policy_find_body(const struct policy *p, const char *name);

/* In the file's order, which is that of preference. */
size_t policy_pools(const struct policy *p);
struct policy_pool *policy_pool(const struct policy *p, int index);
int policy_find_pool(const struct policy *p, const char *name);
/* When the places of a pool are given anew: the first of the next day, Monday or first of a month
 * by the hub's own midnight, after that moment; 0: never. */
int64_t policy_pool_renews_at(const struct policy *p, int index, int64_t after_ms);
/* Is it the name of a pool or a kind of pools at all? */
bool policy_knows_pool(const struct policy *p, const char *wanted);
/* Does the pool take whom the need describes, were there enough free places?  What a pool is
 * limited by and the need doesn't state is no obstacle, but for the sex. */
bool policy_pool_suits(const struct policy *p, int pool, const struct policy_need *need);
struct policy_context;
/* Pools, by index, that suit the places which the context's message asks for and whose keepers may
 * be asked, in their order; how many. */
size_t policy_pools_suiting(const struct policy *p, const struct policy_context *ctx, int *pools,
			    size_t max);

size_t policy_gates(const struct policy *p);
const struct policy_gate *policy_gate(const struct policy *p, int index);
int policy_find_gate(const struct policy *p, const char *name); /* POLICY_NONE */
const struct policy_linkage *policy_linkage(const struct policy *p, int index);
int policy_find_linkage(const struct policy *p, const char *name); /* POLICY_NONE */
/* The gate of a linkage, until which whom its sets are about stays unsaid; NULL: it has none. */
const struct policy_gate *policy_linkage_gate(const struct policy *p, int linkage);

/* ---- routing ---- */

struct policy_context;

/* For what a counter of the hub file counts: each has a count of its own. */
enum policy_counter_per {
	POLICY_PER_CASE,
	POLICY_PER_SUBJECT,   /* a subject token; of several, the highest count */
	POLICY_PER_SENDER,    /* a participant */
	POLICY_PER_HOUSEHOLD, /* the case and those it is linked with as one household or incident */
};

struct policy_counter {
	const char *name;
	unsigned per;  /* bit per enum policy_counter_per; of several the highest count */
	bool distinct; /* different senders instead of messages */
};

/* What a message does to a counter. */
struct policy_counting {
	bool resets; /* what was counted before is forgotten; first */
	bool counts;
	uint32_t weight;
	int64_t at_ms, until_at_ms; /* when it happened, and from when it counts no more */
};

size_t policy_counters(const struct policy *p);
const struct policy_counter *policy_counter(const struct policy *p, int index);
struct policy_counting policy_count(const struct policy *p, int index,
				    const struct policy_context *ctx);

/* What a rule looks at. */
struct policy_context {
	const Ieum__V1__Referral *referral;
	int sender; /* participant, POLICY_NONE: the hub */
	int64_t now_ms;
	/* Of the case the message belongs to, if there is one already. */
	Ieum__V1__Category case_category;
	const char *case_jurisdiction; /* NULL: none */
	int case_owner;                /* mailbox */
	const int *asked;              /* mailboxes asked before, while a ladder moves on */
	size_t n_asked;
	const int *excluded; /* participants with a conflict of interest, the message's included */
	size_t n_excluded;
	Ieum__V1__CaseState case_state; /* 0: no case yet */
	const char *case_grade;         /* NULL or "": none */
	/* By index of the hub file's counters: what each counts, this message included, or
	 * POLICY_COUNT_UNKNOWN; NULL: all 0. */
	const int64_t *counts;
	bool consent_withdrawn; /* in the case */
	Ieum__V1__MessageType
		replied_type; /* of the message it replies to; 0: to none that is known */
	bool drill;
	uint32_t gates_open; /* in the case, a bit by index of the hub file's gates */
	bool linked_set;     /* the case is a linked set's */
	const char *linkage; /* that made it; NULL: not known (any more) */
	const struct policy_contact *case_contact; /* NULL: nothing is known */
	const struct policy_trace *trace; /* told of every rule looked at; NULL: nobody asks why */
};

struct policy_route {
	int mailbox;
	Ieum__V1__DeliveryCause cause;
	int task; /* index into tasks, or -1 */
};

struct policy_step {
	const char *to;     /* address text */
	const char *within; /* duration text, "" = no clock */
	int64_t due_at_ms; /* if everyone before stays silent; 0: none (no clock, or on rejection only) */
	bool on_silence_only;
	bool on_rejection_only;
	bool repeats; /* of the last: silence asks the same again */
};

struct policy_task {
	int asked[POLICY_ROUTES_MAX]; /* mailboxes */
	size_t n_asked;
	int64_t due_at_ms;
	Ieum__V1__StopsAt stops_at;
	struct policy_step ladder[POLICY_STEPS_MAX];
	size_t n_ladder;
	Ieum__V1__CaseEffect effect;
	bool blocks_closing;
	uint32_t quorum;         /* different participants who have to accept; 0 and 1: one */
	bool quorum_of_kinds;    /* of different kinds, too */
	bool quorum_of_agencies; /* of different agencies, and none of who asks */
	bool rejection_ends;
	const char *gate;    /* that an acceptance opens; NULL: none */
	int64_t gate_for_ms; /* 0: without an end */
};

struct policy_emit_field {
	const ProtobufCFieldDescriptor *field;
	const char *from; /* of the source's body; NULL: the value below */
	int counter;      /* what that one counts, POLICY_NONE: the value below */
	int64_t number;
	const char *text;
};

/* A message that the hub itself makes because a rule says so. */
struct policy_emit {
	Ieum__V1__MessageType type;
	bool open_case; /* in a case of its own, linked to this one */
	Ieum__V1__LinkKind link;
	Ieum__V1__Urgency urgency; /* 0: that of the message it comes from */
	const char *article; /* of the statute that it goes out on; NULL: its source's basis */
	/* Fields of its body: a value, or "$name": a field of the message it comes from. */
	const struct policy_emit_field *fields;
	size_t n_fields;
};

/* What a rule sets off beside telling and asking people.  `index` is that of the thing in its
 * section of the hub file. */
enum policy_act_kind {
	POLICY_ACT_CLOCK,         /* index: clock; verb: enum ClockChange */
	POLICY_ACT_GRADE,         /* text: the case's grade from now on, "-": none */
	POLICY_ACT_HOLD,          /* index: rule; verb: enum policy_holds; places are held */
	POLICY_ACT_TAKE_PLACE,    /* the hold that the body names is taken up */
	POLICY_ACT_RETURN_PLACE,  /* the hold that the body names is over */
	POLICY_ACT_COUNT_PLACES,  /* the pool that the body names was counted */
	POLICY_ACT_WAIT,          /* onto the waiting list of the pool that the body names */
	POLICY_ACT_OPEN_GATE,     /* index: gate; at once, without approvals */
	POLICY_ACT_STOP_USE,      /* consent is withdrawn: who got something on it must stop */
	POLICY_ACT_CONSENT,       /* consent is given again */
	POLICY_ACT_ACTIONS,       /* each action of the body is a request */
	POLICY_ACT_AGENDA,        /* the body's members get the agenda */
	POLICY_ACT_HAND_OVER,     /* a change of jurisdiction is announced */
	POLICY_ACT_PUT_ON_AGENDA, /* of the body that the message's body names */
	POLICY_ACT_END_AGENDA,    /* minutes: what the meeting had before it is over */
	POLICY_ACT_MEETING, /* text: duration; the convener has to call a meeting for the item */
	POLICY_ACT_MINUTES, /* text: duration, after the meeting; the convener owes minutes */
	POLICY_ACT_KEEP_SIGNAL, /* index: linkage */
	POLICY_ACT_CONFIRM,     /* the new one states what it has got: completes a hand-over */
};

/* Which of several suitable pools are held. */
enum policy_holds {
	POLICY_HOLDS_FIRST, /* the first with enough free places; its keeper is asked, then the next's */
	POLICY_HOLDS_EVERY, /* all; whoever of the keepers accepts first has it */
};

struct policy_act {
	enum policy_act_kind kind;
	int index;
	int verb;
	const char *text; /* as the rule has it: a grade, or the name of the thing; NULL: none */
	const char *rule; /* its name */
	const char *key;  /* of the rule: "starts" */
	const char
		*acted_at; /* of a clock: the body's time at which it was done; NULL: occurred_at */
};

struct policy_decision {
	struct policy_route routes[POLICY_ROUTES_MAX];
	size_t n_routes;
	struct policy_task tasks[POLICY_TASKS_MAX];
	size_t n_tasks;
	const char *rules[POLICY_RULES_MATCHED_MAX];
	size_t n_rules;
	struct policy_emit emits[POLICY_EMITS_MAX];
	size_t n_emits;
	struct policy_act acts[POLICY_ACTS_MAX];
	size_t n_acts;
	/* Addresses of steps that had to be written for this message. */
	char step_texts[POLICY_STEP_TEXTS_BYTES];
	size_t n_step_text_bytes;
	int case_owner; /* of a case this opens or takes over; POLICY_NONE: unchanged */
	Ieum__V1__CaseState case_state; /* 0: unchanged */
	Ieum__V1__Urgency urgency;      /* as the message says, or more by a rule */
	bool closing;                   /* refuse while something that blocks closing is open */
	bool depends_on_counts; /* a rule looks at one that is unknown, and fits otherwise */
};

/* Whom does the message reach?  Fills *out (large: keep it static or in an arena; entries
 * past the counts are not written).  Its pointers borrow from the policy.
 * NOT_PERMITTED, NO_ROUTE, ADDRESSEE_UNKNOWN, LEGAL_BASIS_MISSING, CONFLICT_OF_INTEREST,
 * UNSAFE_CONTACT_TIME, FIELD_MISSING, FIELD_TOO_LARGE (more recipients or requests than the maxima above):
 * `detail` says which rule and what to do.
 *
 * A message that the hub makes itself (ctx->sender POLICY_NONE) needs no permission, basis or
 * case.  An answer that no rule routes further is no error: the core brings it to the
 * referrer.  A message that opens a case always gets a case_owner. */
enum ieum_err policy_decide(const struct policy *p, const struct policy_context *ctx,
			    struct policy_decision *out, char *detail,
			    size_t detail_bytes) IEUM_MUST_CHECK;

/* The request of a rule (its index) that holds places, without who is asked first and without
 * times: its ladder's steps have none until they fire.  Returns how long each keeper has. */
const char *policy_hold_task(const struct policy *p, int index, struct policy_task *out);

/* ---- clocks of cases ---- */

/* What a clock does apart from its times, which the functions below know. */
struct policy_clock {
	const char *name;
	const char *title_en, *title_ko;
	/* Who is told of each warning and of its end; none: whom the rules say. */
	const char *const *tells;
	size_t n_tells;
	const char *const *breach_tells; /* of its end besides */
	size_t n_breach_tells;
	Ieum__V1__Urgency urgency, breach_urgency;
	bool from_received; /* what happens to it counts from the hub's receipt, not from the act */
	bool repeats;       /* begins again at its end, until it is stopped */
	bool expires;       /* its end is no breach */
	bool begins_again;  /* its end is a breach, and it begins again there */
	bool outlives_closing;
	bool blocks_closing; /* while it runs or stands still */
	uint32_t extensions_max;
	/* What its end does: once, or each time that it begins again. */
	const struct policy_emit *emits;
	size_t n_emits;
	Ieum__V1__CaseState case_state; /* 0: unchanged */
	const char *grade;              /* NULL: unchanged */
};

size_t policy_clocks(const struct policy *p);
const struct policy_clock *policy_clock(const struct policy *p, int index);
int policy_find_clock(const struct policy *p, const char *name); /* POLICY_NONE */

/* From when a clock counts that this message starts. */
int64_t policy_clock_from(const struct policy *p, int index, const Ieum__V1__Referral *referral,
			  int64_t occurred_at_ms, int64_t now_ms);
/* When what sets off the act on a clock was done; 0: the body has no such time, or states none. */
int64_t policy_acted_at(const struct policy_act *act, const Ieum__V1__Referral *referral);
/* When it ends if it counts from then. */
int64_t policy_clock_end(const struct policy *p, int index, int64_t from_ms);
/* The same of one that comes round: its rounds count since *began_ms; where none begins at from_ms,
 * *began_ms becomes that. */
int64_t policy_clock_round(const struct policy *p, int index, int64_t *began_ms, int64_t from_ms);
/* When one warns that ends then, ascending; they move along with an end that was put off.  `began_ms`
 * as for policy_clock_round(); of a first round it is from_ms. */
size_t policy_clock_warnings(const struct policy *p, int index, int64_t began_ms, int64_t from_ms,
			     int64_t end_ms, int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX]);
/* The end that it gets once more; 0: none of the days that this needs lies in its time. */
int64_t policy_clock_extended(const struct policy *p, int index, int64_t from_ms, int64_t end_ms);
/* Those days, "saturday, holiday". */
const char *policy_clock_days(const struct policy *p, int index);

/* Mailboxes behind an address of the policy language, without excluded participants.
 * Addresses: "gimpo-ps" (participant), "body:NAME" (every role), "body:NAME/ROLE",
 * "lead:NAME", "role:KIND" and "role:KIND@41570", "provider:DOMAIN" and "provider:DOMAIN#RANK",
 * both with "[vi]", "[female]" or "[vi,female]" behind for those only who can serve that,
 * "pool:NAME" and "pool:NAME#2" (the keeper of a pool, whose places that step holds),
 * "head" (the head of whoever is asked now, ctx->asked), "head:NAME", "head:sender", "sender", "case_owner",
 * "addressees"; several with commas between.  Returns how many, at most max; 0 too for what
 * is no address (of an event written under an older policy, say). */
size_t policy_resolve(const struct policy *p, const char *address, const struct policy_context *ctx,
		      int *mailboxes, size_t max);

/* The duty contact's mailbox when whoever works at `mailbox` is off now and the message can't
 * wait (ctx: urgency, now, excluded); else POLICY_NONE. */
int policy_duty(const struct policy *p, const struct policy_context *ctx, int mailbox);

/* The ladder of a rule (an act's index), its times counted on from `from_ms`; at most
 * POLICY_STEPS_MAX steps. */
size_t policy_ladder(const struct policy *p, int rule, int64_t from_ms, struct policy_step *steps);

/* Minutes east of UTC of the hub's local time at that moment. */
int policy_offset_min(const struct policy *p, int64_t at_ms);

/* When a participant's agreement ends: the end of its last day; INT64_MAX: never. */
int64_t policy_agreement_ends_ms(const struct policy *p, int participant);

/* The day after the last for which the holidays are known; INT64_MAX: it never comes. */
int64_t policy_holidays_end_ms(const struct policy *p);
/* Is that so near that somebody has to be told? */
bool policy_holidays_end_soon(const struct policy *p, int64_t now_ms);

/* Neutral texts for pages; "" when the hub file has none. */
void policy_notification(const struct policy *p, const char **en, const char **ko);

/* As a message states it, once it has no fault. */
void policy_read_contact(const Ieum__V1__SafeContact *from, struct policy_contact *out);

/* The index of a window that ends before it begins; n_windows: none does. */
size_t policy_contact_fault(const Ieum__V1__SafeContact *from);

/* Can the person be reached then?  Always at 0, which is no time. */
bool policy_is_safe_contact(const struct policy *p, const struct policy_contact *contact,
			    int64_t at_ms);

/* from + a duration text, through the hub's calendar where the unit is a business one;
 * 0 for "". */
int64_t policy_due(const struct policy *p, int64_t from_ms, const char *within);

#endif
