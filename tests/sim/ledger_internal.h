/* The ledger's parts, shared by ledger*.c only. */
#ifndef IEUM_TESTS_SIM_LEDGER_INTERNAL_H
#define IEUM_TESTS_SIM_LEDGER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "broker/policy/policy.h"
#include "ieum/v1/event.pb-c.h"
#include "tests/sim/ledger.h"

enum {
	LEDGER_ID_BYTES = 16,
	LEDGER_TASKS_MAX = 16,
	LEDGER_ROUTE_BITS = 8,
	LEDGER_MAILBOXES_MAX = 256,
};

#define TASK_STATE(word) IEUM__V1__TASK_STATE__TASK_STATE_##word
#define HOLD_STATE(word) IEUM__V1__HOLD_STATE__HOLD_STATE_##word
#define TYPE(word)       IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_##word

struct numbers {
	uint32_t *at;
	size_t n;
};

struct ledger_task {
	int64_t due_at_ms;
	Ieum__V1__TaskState state;
	Ieum__V1__StopsAt stops_at;
	bool repeats;                /* its last step asks again and again */
	bool has_effect;             /* on the case, when it is accepted */
	Ieum__V1__AnswerKind answer; /* the last */
	uint32_t rejected_by;        /* mailbox, the last … */
	uint64_t rejected_seq;       /* … and when */
	uint32_t holder;             /* mailbox that has taken it on; 0: nobody */
	struct numbers since;        /* asked since then, because that one stayed silent */
	struct numbers asked;        /* mailboxes that may answer */
};

/* Places held for a message, in one pool. */
struct ledger_hold {
	struct ledger_hold *next;
	uint64_t seq; /* of the event that held them last */
	uint32_t pool, keeper;
	int64_t lapses_at_ms; /* 0: no time is set */
	Ieum__V1__HoldState state;
};

struct ledger_message {
	UT_hash_handle hh;
	uint8_t id[LEDGER_ID_BYTES];
	uint64_t seq;
	uint32_t sender; /* participant; 0: the hub */
	Ieum__V1__MessageType type;
	Ieum__V1__BasisKind basis;
	struct ledger_message *reply_to, *next_in_case;
	struct ledger_case *in;
	struct ledger_task tasks[LEDGER_TASKS_MAX];
	size_t n_tasks;
	struct ledger_hold *holds;
	struct ledger_delivery *deliveries;
	const struct ledger_message *withdrawn_by; /* its consent, not that of others; NULL: not */
	const struct ledger_case **listed;         /* of an agenda: the cases on it */
	size_t n_listed;
};

struct ledger_clock {
	UT_hash_handle hh;
	uint64_t id;
	struct ledger_case *in;
	int64_t due_at_ms;
	bool runs, outlives_closing;
};

struct ledger_case {
	UT_hash_handle hh;
	uint8_t id[LEDGER_ID_BYTES];
	uint64_t seq; /* of the message that opened it */
	bool closed;
	bool consent_withdrawn;
	uint32_t owner;            /* mailbox */
	struct numbers owners;     /* all that there were */
	struct numbers members;    /* mailboxes that sent or got something */
	struct numbers out;        /* of these, who has declined and reads no more */
	struct numbers ended;      /* of them: whose access is over … */
	struct numbers asked_back; /* … but who were asked to take it again */
	uint32_t asked;            /* mailbox that a change asks to take it on; 0: none */
	struct numbers excluded;   /* participants */
	struct ledger_message *messages, *last_message;
};

enum ledger_way {
	WAY_QUEUED,
	WAY_WAITS,
	WAY_IN_FLIGHT,
	WAY_SETTLED,
	WAY_DEAD,
	WAY_WITHDRAWN,
	WAYS
};

struct ledger_delivery {
	UT_hash_handle hh;
	uint64_t id;
	uint32_t mailbox;
	enum ledger_way way;
	uint64_t connection; /* in flight to */
	struct numbers to;   /* connections it was ever released to … */
	struct numbers who;  /* … and their participants */
	struct ledger_message *of;
	struct ledger_delivery *next; /* of the same message */
};

struct ledger_connection {
	UT_hash_handle hh;
	uint64_t number;
	uint32_t participant;
};

/* Who takes from a mailbox, by the hub file that is in force. */
struct ledger_mailbox {
	char name[2 * POLICY_NAME_BYTES];
	struct numbers consumers; /* participants; none: the file has it no more */
	uint64_t ways[WAYS];      /* its deliveries */
	uint64_t routed;
};

/* A withdrawal of consent whose orders are still to come in what is read now. */
struct ledger_withdrawal {
	struct ledger_case *in;
	struct ledger_message *by; /* NULL: none */
	bool in_part;              /* of those messages that it is `withdrawn_by` */
};

struct ledger {
	uint64_t seq; /* read so far */
	int64_t at_ms;
	struct ledger_message *messages;
	struct ledger_case *cases;
	struct ledger_delivery *deliveries;
	struct ledger_connection *connections;
	struct ledger_clock *clocks;
	struct ledger_mailbox mailboxes[LEDGER_MAILBOXES_MAX];      /* by number */
	char participants[LEDGER_MAILBOXES_MAX][POLICY_NAME_BYTES]; /* by number */
	struct ledger_withdrawal withdrawal;
	struct ledger_message *on_no_consent; /* shared so, unless consent is given with it */
	char trouble[LEDGER_TEXT_BYTES];
};

void ledger_say(struct ledger *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *ledger_zalloc(size_t bytes); /* aborts when memory is short */

bool numbers_have(const struct numbers *set, uint32_t number);
void numbers_put(struct numbers *set, uint32_t number); /* 0 is none */
void numbers_take_out(struct numbers *set, uint32_t number);

struct ledger_message *ledger_message_of(struct ledger *l, const ProtobufCBinaryData *id);
struct ledger_case *ledger_case_of(const struct ledger *l, const uint8_t *id);
struct ledger_case *ledger_known_case(struct ledger *l, const ProtobufCBinaryData *id);

/* ledger_access.c: who may know of what. */
void ledger_on_policy(struct ledger *l, const Ieum__V1__PolicyChanged *e);
bool ledger_is_listed(const struct ledger *l, uint32_t mailbox);
/* Is somebody there who has no conflict of interest in the case, and has not handed it over? */
bool ledger_may_act(const struct ledger *l, const struct ledger_case *c, uint32_t mailbox);
/* Has it handed the case over, and was not asked to take it again? */
bool ledger_has_left(const struct ledger_case *c, uint32_t mailbox);
void ledger_check_route(struct ledger *l, const struct ledger_message *m,
			const Ieum__V1__Route *route);
/* The cases on an agenda, of which whoever one of them excludes gets nothing. */
void ledger_on_agenda(struct ledger *l, struct ledger_message *m, const Ieum__V1__AgendaSent *e);
bool ledger_lists(const struct ledger_message *m, const struct ledger_case *c);
bool ledger_tells_excluded(const struct ledger_message *m, uint32_t participant);
void ledger_check_owners(struct ledger *l);
void ledger_on_case(struct ledger *l, struct ledger_case *c, const Ieum__V1__Submitted *e);
/* Gets the message, and reads its case if that is more than the end of what it was asked. */
void ledger_joins(struct ledger_message *m, const Ieum__V1__Route *route);
/* Reads the case again, or for the first time. */
void ledger_reads(struct ledger_case *c, uint32_t mailbox);
void ledger_on_case_changed(struct ledger *l, const Ieum__V1__CaseChanged *e);
void ledger_on_handover(struct ledger *l, const Ieum__V1__HandoverChanged *e);
void ledger_on_left(struct ledger *l, const Ieum__V1__Left *e);
void ledger_close_clocks(struct ledger *l, struct ledger_case *of, Ieum__V1__CaseState state);

/* ledger_mail.c: deliveries, each on its way to one mailbox. */
void ledger_add_routes(struct ledger *l, struct ledger_message *m, Ieum__V1__Route *const *routes,
		       size_t n);
void ledger_on_mail(struct ledger *l, const Ieum__V1__Event *e);
void ledger_withdraw(struct ledger *l, const uint64_t *deliveries, size_t n);
struct ledger_delivery *ledger_delivery_of(struct ledger *l, uint64_t id);

/* ledger_requests.c: who owes an answer, until when; clocks and places beside it. */
bool ledger_is_open(const struct ledger_task *t);
void ledger_add_tasks(struct ledger *l, struct ledger_message *m, const Ieum__V1__Submitted *e);
void ledger_on_changed(struct ledger *l, const Ieum__V1__TaskChanged *e);
void ledger_on_escalated(struct ledger *l, const Ieum__V1__Escalated *e);
void ledger_on_clock_moved(struct ledger *l, const Ieum__V1__ClockMoved *e);
void ledger_pass_on(struct ledger_message *m, uint32_t from, uint32_t to);
void ledger_check_requests(struct ledger *l, const struct ledger_message *m, int64_t now_ms);

/* ledger_places.c */
void ledger_on_places(struct ledger *l, const Ieum__V1__PlacesChanged *e);
void ledger_check_holds(struct ledger *l, const struct ledger_message *m, int64_t now_ms);

/* ledger_consent.c */
void ledger_check_shared(struct ledger *l, struct ledger_message *m, size_t n_routes);
void ledger_on_consent(struct ledger *l, struct ledger_case *c, const Ieum__V1__CaseChanged *e);
void ledger_check_released(struct ledger *l, const struct ledger_delivery *d);
void ledger_check_taken_back(struct ledger *l, const Ieum__V1__Submitted *e);
void ledger_check_orders(struct ledger *l); /* when all is read */

#endif
