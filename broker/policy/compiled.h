/* The compiled hub file from inside: what the loaders fill and what deciding reads.
 *
 * Everything lies in the policy's arena, is written while loading and never afterwards
 * (except the numbers that the core binds).  Private to broker/policy. */
#ifndef IEUM_BROKER_POLICY_COMPILED_H
#define IEUM_BROKER_POLICY_COMPILED_H

#include <uthash.h>

#include "broker/policy/calendar.h"
#include "broker/policy/language.h"
#include "broker/policy/policy.h"

enum {
	POLICY_KINDS_MAX = 62, /* a bit each in a condition; bit 62 is the hub itself */
	POLICY_KIND_HUB = 62,
	POLICY_DOMAINS_MAX = 64,
	POLICY_RANKS_MAX = 8, /* of the providers of one support domain */
	POLICY_RULES_MAX = 1024,
	POLICY_BODIES_MAX = 512,
	POLICY_ROLES_MAX = 16,         /* of one body */
	POLICY_ITEMS_MAX = 64,         /* of a list in a rule */
	POLICY_JURISDICTIONS_MAX = 64, /* of one participant */
	POLICY_LEFT_MAX = 4096,        /* former participants, bodies and roles */
	POLICY_STEP_TEXT_BYTES = 256,
};

/* A name of the hub file: participant and mailbox, body, or mailbox "body/role". */
struct name_entry {
	const char *name;
	int participant; /* or POLICY_NONE */
	int mailbox;
	int body;
	UT_hash_handle hh;
};

struct policy_kind {
	const char *name;
	const char *title_en, *title_ko;
	uint64_t may_send; /* bit per MessageType */
	bool says_none;    /* "may_send: none": an onlooker on purpose */
	bool hears_status, reads_nothing;
	const int *participants, *bodies;
	size_t n_participants, n_bodies;
};

/* Role of a body: whom "body:NAME/ROLE" reaches. */
struct body_role {
	const char *name;
	const int *mailboxes; /* mode any: the one "body/role"; each: its members' own */
	size_t n_mailboxes;
};

/* Beside the public struct of the same index. */
struct body_roles {
	const struct body_role *roles;
	size_t n_roles;
	int kind;
	bool each;
	const struct body_role *lead; /* or NULL */
};

/* A language, and the sexes of those who speak it. */
struct spoken {
	const char *language; /* BCP 47 */
	unsigned sexes;       /* bit per Sex; all: not stated */
};

struct participant_more {
	int kind;
	const uint8_t *ranks; /* per support domain; 0: does not serve it */
	const struct spoken *spoken;
	size_t n_spoken;
};

/* When somebody works at a mailbox, and who is there otherwise. */
struct attendance {
	const struct calendar_hours *hours; /* NULL: the hub's */
	int duty;                           /* mailbox of the duty contact, or POLICY_NONE */
};

struct policy_domain {
	const char *name;
	const char *step_to[POLICY_RANKS_MAX + 1]; /* "provider:legal#2", by rank */
	int n_ranks;                               /* highest rank that someone has */
	const int *providers;                      /* participants */
	size_t n_providers;
};

enum address_kind {
	ADDRESS_MAILBOX,   /* index: mailbox */
	ADDRESS_BODY,      /* index: body */
	ADDRESS_BODY_ROLE, /* index: body, part: role */
	ADDRESS_LEAD,      /* index: body */
	ADDRESS_ROLE,      /* index: kind; jurisdiction */
	ADDRESS_PROVIDER,  /* index: domain; part: rank, 0 = any */
	ADDRESS_POOL,      /* index: pool; part: places that are held */
	ADDRESS_HEAD,      /* of whoever is asked */
	ADDRESS_HEAD_OF,   /* index: participant, POLICY_NONE: whoever sends it */
	ADDRESS_SENDER,
	ADDRESS_CASE_OWNER,
	ADDRESS_ADDRESSEES,
};

struct address {
	enum address_kind kind;
	int index;
	int part;
	char jurisdiction[16];         /* "": that of the message */
	char language[LANGUAGE_BYTES]; /* "": any */
	int sex;                       /* 0: any */
};

enum field_op {
	FIELD_IN,
	FIELD_NOT,
	FIELD_AT_LEAST,
	FIELD_AT_MOST,
	FIELD_OVER,
	FIELD_UNDER,
	FIELD_REACHES, /* of a count: at least that with this message, and less without it */
};

/* One fact of a typed body compared with what the rule wants. */
struct field_test {
	Ieum__V1__MessageType type; /* the body this test is for */
	const ProtobufCFieldDescriptor *field;
	enum field_op op;
	const int64_t *numbers;   /* bools, numbers, enum values; one with an order op */
	const char *const *words; /* texts */
	size_t n;
};

/* What a counter of the hub file has counted, compared with a number. */
struct count_test {
	int counter;
	struct field_test is;
};

/* -1: does not matter, 0: must not, 1: must. */
struct condition {
	uint64_t types;      /* bit per type */
	uint32_t categories; /* bit per value; 0: any; the same below */
	uint32_t urgencies;
	uint32_t bases;
	uint64_t sender_kinds;
	uint64_t replies_to; /* bit per type */
	const int *senders;
	size_t n_senders;
	const char *const *jurisdictions;
	size_t n_jurisdictions;
	int addressed;
	int opens_case;
	int working_hours;
	uint32_t case_states;
	const char *const *grades; /* "-": none */
	size_t n_grades;
	const struct count_test *counts;
	size_t n_counts;
	int consent_withdrawn;
	int linked_set;
	int drill;
	const struct field_test *tests;
	size_t n_tests;
};

struct rule_step {
	const char *to; /* as resolved later by policy_resolve() */
	const char *within;
	struct yaml_duration within_parsed;
	bool on_silence_only;
	bool on_rejection_only;
	bool repeats;
};

/* A field of the body that a rule reads by its name, "$domain". */
struct field_ref {
	const char *name;                                 /* NULL: none */
	const ProtobufCFieldDescriptor *of[POLICY_TYPES]; /* by type */
};

/* Whom `ranked` asks one after the other: a domain, or the one that a field of the body names. */
struct ranking {
	bool used;
	int domain; /* POLICY_NONE: the field says */
	struct field_ref field;
};

/* What those of a group must be able to serve to be asked. */
struct matching {
	bool used;
	int sex;              /* 0: the field says, if there is one */
	const char *language; /* NULL: the same */
	struct field_ref sex_field;
	struct field_ref language_field;
};

/* Beside what the core sees of it. */
struct linkage {
	struct policy_linkage is;
	struct condition of;
	const struct address *tells;
	int gate;                   /* index + 1 of that until which nobody may be named; 0: none */
	const char *const *may_say; /* texts that are no free text */
	size_t n_may_say;
};

struct rule {
	const char *name;
	int line; /* in the hub file */
	struct condition when;
	const char *forbid;   /* text for the sender, or NULL */
	uint32_t needs_basis; /* bit per BasisKind; 0: none in particular */
	const struct address *to;
	size_t n_to;
	struct ranking ranked;
	struct matching matching;
	struct field_ref contact_at; /* a time at which the person is to be reached */
	const char *within;
	struct yaml_duration within_parsed;
	bool asks;  /* has answer_within */
	bool holds; /* places: their keepers are who it asks */
	bool from_occurred;
	bool each;
	bool blocks_closing;
	bool closing;
	Ieum__V1__StopsAt stops_at;
	Ieum__V1__CaseEffect effect;
	/* Gates: their index + 1, 0: none. */
	int needs_gate;      /* refused while it is closed */
	int anonymous_until; /* may name nobody while it is closed */
	int gate;            /* that acceptance opens */
	bool needs_item_basis;
	uint32_t quorum;
	bool quorum_of_kinds, quorum_of_agencies;
	bool rejection_ends;
	const struct rule_step *steps;
	size_t n_steps;
	const struct address *owner; /* or NULL */
	Ieum__V1__CaseState case_state;
	Ieum__V1__Urgency urgency; /* that the message has at least; 0: as it says */
	const struct policy_emit *emits;
	size_t n_emits;
	const struct policy_act *acts;
	size_t n_acts;
};

/* Who is in the file no more, and who takes the place. */
struct left {
	char name[2 * POLICY_NAME_BYTES]; /* of a participant, a body or "body/role" */
	int mailbox;                      /* the successor's */
	int body;                         /* the successor, where it is one; or POLICY_NONE */
};

/* What is counted, how long, and what makes it start anew. */
struct counter {
	struct policy_counter is;
	int line;
	struct condition of, resets;
	bool has_resets;
	struct yaml_duration within;
	struct field_ref weight; /* of the body */
};

enum {
	CLOCK_DAY_HOLIDAY = 7, /* beside the days of the week, 0 Sunday to 6 Saturday */
	CLOCK_DAYS,
};

/* Times of a clock. */
struct clock {
	struct policy_clock is;
	int line;
	struct yaml_duration within;
	const char *from_field; /* a time of the body that starts it; NULL: none */
	struct yaml_duration warn[POLICY_CLOCK_WARNINGS_MAX];        /* after its start */
	struct yaml_duration warn_before[POLICY_CLOCK_WARNINGS_MAX]; /* of a fixed length */
	size_t n_warn, n_warn_before;
	struct yaml_duration extended_by;
	unsigned extension_days; /* bit per day of which one must lie in its time; 0: none must */
	const char *extension_words;
};

/* Indexes of the rules whose condition a type can meet, in the file's order. */
/* What a certificate is known by; see load_identities.c. */
struct identity {
	uint8_t name[POLICY_HASH_BYTES];
	int participant;
	int line;                     /* of the file; 0: it lists none of this participant */
	const struct yaml_node *node; /* while loading */
};

struct rules_of_type {
	const struct rule **rules;
	size_t n;
};

struct policy {
	struct arena arena;
	char hub[POLICY_NAME_BYTES];
	const char *title_en, *title_ko;
	char jurisdiction[16];
	char *text;
	uint8_t hash[POLICY_HASH_BYTES];
	struct calendar calendar;
	const char *notification_en, *notification_ko;
	struct policy_limits limits;
	struct policy_type types[POLICY_TYPES];
	struct yaml_duration retention[POLICY_TYPES];

	struct policy_domain *domains;
	size_t n_domains;
	struct policy_kind *kinds;
	size_t n_kinds;
	struct policy_participant *participants;
	struct participant_more *more;
	size_t n_participants;
	struct identity *identities; /* in order of their names */
	size_t n_identities;
	bool names_certificates; /* some participant lists its own */
	struct policy_mailbox *mailboxes;
	struct attendance *attendance; /* per mailbox */
	size_t n_mailboxes;
	struct policy_body *bodies;
	struct body_roles *roles;
	size_t n_bodies;
	struct left *left;
	size_t n_left;
	struct counter *counters;
	size_t n_counters;
	struct clock *clocks;
	size_t n_clocks;
	struct policy_pool *pools;
	size_t n_pools;
	struct policy_gate *gates;
	size_t n_gates;
	struct linkage *linkages;
	size_t n_linkages;
	const char *const *articles; /* of statutes; none: any is taken */
	size_t n_articles;
	struct rule *rules;
	size_t n_rules;
	struct rules_of_type of_type[POLICY_TYPES];

	struct name_entry *names; /* uthash */
	/* For suggestions; each ends with NULL. */
	const char **domain_words, **kind_words, **participant_words, **body_words, **pool_words;
};

/* NULL when there is no such name. */
const struct name_entry *policy_name(const struct policy *p, const char *name, size_t len);
int policy_find_domain(const struct policy *p, const char *name, size_t len);
int policy_find_kind(const struct policy *p, const char *name, size_t len);
/* Any, where the file has no legal_bases. */
bool policy_knows_article(const struct policy *p, const char *article);

/* Types of messages that the hub makes because of linkages, a bit each. */
uint64_t linkages_make(const struct policy *p);

#endif
