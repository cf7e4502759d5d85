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
	POLICY_FILE_BYTES_MAX = 512 * 1024, /* its text goes into an event whenever it changes */
	POLICY_TYPES = 38,                  /* message types, 0 unused */
	POLICY_NONE = -1,                   /* no participant, no mailbox */
};

/* What an operator may look at. */
enum policy_view {
	POLICY_VIEW_QUEUES = 1 << 0, /* queues, envelopes only */
	POLICY_VIEW_DRILL = 1 << 1,  /* may advance a drill's clock */
};

struct policy_participant {
	char name[POLICY_NAME_BYTES];
	char kind[POLICY_NAME_BYTES];
	char jurisdiction[16];
	const char *title_en, *title_ko;
	const char *const *domains; /* support domains served */
	size_t n_domains;
	uint64_t may_send;    /* bit per MessageType */
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

/* What a type of message means in general. */
struct policy_type {
	bool needs_case;     /* refused without case_id or open_case */
	bool may_open;       /* may open a case */
	bool needs_basis;    /* refused without legal basis */
	bool needs_reply_to; /* refused without in_reply_to */
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

size_t policy_participants(const struct policy *p);
struct policy_participant *policy_participant(const struct policy *p, int index);
int policy_find_participant(const struct policy *p, const char *name); /* POLICY_NONE */
size_t policy_mailboxes(const struct policy *p);
struct policy_mailbox *policy_mailbox(const struct policy *p, int index);
int policy_find_mailbox(const struct policy *p, const char *name);
size_t policy_bodies(const struct policy *p);
const struct policy_body *policy_body(const struct policy *p, int index);
int policy_find_body(const struct policy *p, const char *name);

/* ---- routing ---- */

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
};

/* A message that the hub itself makes because a rule says so. */
struct policy_emit {
	Ieum__V1__MessageType type;
	bool open_case; /* in a case of its own, linked to this one */
	Ieum__V1__LinkKind link;
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
	int case_owner; /* of a case this opens or takes over; POLICY_NONE: unchanged */
	Ieum__V1__CaseState case_state; /* 0: unchanged */
	bool closing;                   /* refuse while something that blocks closing is open */
};

/* Whom does the message reach?  Fills *out (large: keep it static or in an arena; entries
 * past the counts are not written).  Its pointers borrow from the policy.
 * NOT_PERMITTED, NO_ROUTE, ADDRESSEE_UNKNOWN, LEGAL_BASIS_MISSING, CONFLICT_OF_INTEREST,
 * FIELD_MISSING, FIELD_TOO_LARGE (more recipients or requests than the maxima above):
 * `detail` says which rule and what to do.
 *
 * A message that the hub makes itself (ctx->sender POLICY_NONE) needs no permission, basis or
 * case.  An answer that no rule routes further is no error: the core brings it to the
 * referrer.  A message that opens a case always gets a case_owner. */
enum ieum_err policy_decide(const struct policy *p, const struct policy_context *ctx,
			    struct policy_decision *out, char *detail,
			    size_t detail_bytes) IEUM_MUST_CHECK;

/* Mailboxes behind an address of the policy language, without excluded participants.
 * Addresses: "gimpo-ps" (participant), "body:NAME" (every role), "body:NAME/ROLE",
 * "lead:NAME", "role:KIND" and "role:KIND@41570", "provider:DOMAIN" and "provider:DOMAIN#RANK",
 * "head" (the head of whoever is asked now, ctx->asked), "head:NAME", "sender", "case_owner",
 * "addressees"; several with commas between.  Returns how many, at most max; 0 too for what
 * is no address (of an event written under an older policy, say). */
size_t policy_resolve(const struct policy *p, const char *address, const struct policy_context *ctx,
		      int *mailboxes, size_t max);

/* from + a duration text, through the hub's calendar where the unit is a business one;
 * 0 for "". */
int64_t policy_due(const struct policy *p, int64_t from_ms, const char *within);

#endif
