/* What a core holds.  Private to broker/core; only apply (and reading a snapshot) writes it.
 *
 * Records name one another by slab handle, 0 being none.  A message is a `referral`; it has
 * a `delivery` per mailbox it went to, which keeps what is told later, and while that one is
 * not settled a `transit` with everything that queues need; a settled notification is one
 * referral, one delivery, two timeline entries and nothing else.  A `task` is the obligation
 * of one asked party to answer.
 *
 *     referral ─┬─ delivery ── transit ── lane ── mailbox
 *               ├─ task ── clock
 *               └─ case ── members, links, timeline */
#ifndef IEUM_BROKER_CORE_STATE_H
#define IEUM_BROKER_CORE_STATE_H

#include "broker/core/core.h"
#include "broker/core/counts.h"
#include "broker/core/deadlines.h"
#include "broker/core/agenda.h"
#include "broker/core/agreements.h"
#include "broker/core/certificates.h"
#include "broker/core/gates.h"
#include "broker/core/handovers.h"
#include "broker/core/heap.h"
#include "broker/core/leavers.h"
#include "broker/core/lookup.h"
#include "broker/core/names.h"
#include "broker/core/places.h"
#include "broker/core/sealed.h"
#include "broker/core/seqmap.h"
#include "broker/core/signals.h"
#include "broker/core/slab.h"

enum {
	CORE_URGENCIES = 4,              /* immediate, urgent, priority, routine */
	CORE_ROUTE_BITS = 8,             /* delivery id = seq << 8 | route */
	CORE_PARTICIPANTS_MAX = 1 << 20, /* ever named in one journal */
	CORE_ACTORS_MAX = 1 << 17,       /* people and workstations ever seen */
	CORE_PERSONS_MAX = 4096,         /* of one participant, when its gateway states one more */
	/* When one more connects.  More, so that a gateway at its limit can still come under another
	 * CN. */
	CORE_ACTORS_OF_ONE_MAX = CORE_PERSONS_MAX + 1024,
	CORE_CASE_TASKS_MAX = 2 * CORE_CASE_MEMBERS_MAX, /* open at one time in a case */
	CORE_ASKED_MAX = 64,                             /* mailboxes that may answer one task */
	CORE_CASE_EXCLUDED_MAX = 64,                     /* participants */
};

/* A closed case is remembered so long after its last event: a report within a year of another
 * has to find it. */
/* Furthest that a drill may move its clock at once. */
#define CORE_ADVANCE_MAX_MS ((int64_t)400 * 24 * 60 * 60 * 1000)

#define CORE_CASE_KEPT_MS ((int64_t)400 * 24 * 60 * 60 * 1000)

/* Waiting for its time after a failed attempt; for everyone outside it is queued. */
#define DELIVERY_WAITING   ((uint8_t)6)
#define DELIVERY_QUEUED    ((uint8_t)IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_QUEUED)
#define DELIVERY_IN_FLIGHT ((uint8_t)IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_IN_FLIGHT)
#define DELIVERY_SETTLED   ((uint8_t)IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_SETTLED)
#define DELIVERY_DEAD      ((uint8_t)IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_DEAD_LETTERED)
#define DELIVERY_WITHDRAWN ((uint8_t)IEUM__V1__DELIVERY_STATE__DELIVERY_STATE_WITHDRAWN)

struct list {
	uint32_t head, tail;
};

struct delivery {
	uint64_t id;
	int64_t released_at_ms; /* last; 0: never */
	uint32_t referral;
	uint32_t next; /* of the same referral, in order of id */
	uint32_t mailbox;
	uint32_t released_to; /* participant, the last */
	uint32_t readers;     /* earlier ones that are others */
	uint32_t transit;     /* while not settled or withdrawn */
	uint16_t attempts;    /* that failed */
	uint8_t state;
	uint8_t cause;
	uint8_t task; /* index + 1 */
};

/* Of a delivery: who had it before.  Of a message: who got its content by a query.  Of a case: who
 * read its timeline, and how much of it was there. */
struct reader {
	uint32_t participant;
	uint32_t next;
	uint64_t seq; /* of the event of its last reading; of a delivery: 0 */
};

struct transit {
	uint64_t id; /* of the delivery */
	union {
		int64_t not_before_ms;   /* waiting */
		uint64_t handed_back_by; /* queued: a connection's number, 0: none */
		char *why;               /* dead; may be NULL */
	};
	uint32_t delivery;
	uint32_t lane, lane_prev, lane_next;
	uint32_t box_prev,
		box_next;    /* the mailbox's, in order of id; of a dead one: its dead letters */
	uint32_t connection; /* in flight to */
	uint32_t flight_prev, flight_next; /* all in flight, in order of release */
	union {
		uint32_t own_prev; /* in flight: of the connection */
		uint32_t place;    /* waiting: in the heap */
	};
	uint32_t own_next;
};

/* Deliveries of one mailbox, case and urgency, in order of id: the queued ones, and those
 * whose attempt failed until they are settled.  The walk from the head ends at the first of
 * the latter: it holds the later ones back.  Case 0: nothing is held back. */
struct lane {
	uint32_t mailbox;
	uint32_t core_case;
	uint32_t urgency; /* 0 to 3 */
	struct list transits;
	uint32_t hint;  /* the last that was put into the middle */
	uint32_t place; /* in the mailbox's heap of ready lanes */
};

struct referral {
	uint8_t id[CORE_ID_BYTES];
	uint64_t seq;
	int64_t at_us;
	uint64_t in_reply_to; /* seq; 0: none */
	uint32_t core_case;
	uint32_t next_in_case, prev_in_case; /* without a case: of all such */
	uint32_t sender;                     /* participant; 0: the hub */
	uint32_t actor;
	uint32_t payload_bytes;
	uint32_t first_delivery, last_delivery;
	uint32_t first_task;
	uint32_t n_unsettled;
	uint32_t readers; /* by a query */
	uint32_t sealed;  /* it has sealed parts; 0: none */
	uint8_t type;
	uint8_t urgency; /* 0 to 3 */
	uint8_t category;
	uint8_t erased;
	uint8_t basis;          /* BasisKind; 0: none */
	bool consent_withdrawn; /* of this message alone */
};

struct asked {
	uint32_t mailbox;
	uint32_t step; /* of the ladder, 0: the first asked */
};

struct step {
	char *to, *within;
	int64_t due_at_ms;
	bool on_silence_only, on_rejection_only, repeats;
};

struct task {
	uint32_t referral;
	uint32_t next;                 /* of the same referral, by index */
	uint32_t case_prev, case_next; /* while open */
	uint32_t place;                /* in the heap of clocks */
	uint32_t ending;               /* node in the list of what ends */
	uint32_t holder;               /* mailbox that took it on; 0: nobody yet */
	int64_t due_at_ms;             /* 0: no clock runs */
	int64_t within_ms;             /* what whoever was asked first had */
	struct asked *asked;
	struct step *ladder;
	uint32_t n_asked;
	uint16_t n_ladder, steps_used;
	uint16_t held_at;          /* steps used when the holder took it on */
	struct approval *approval; /* NULL: one acceptance is enough, and opens no gate */
	uint8_t index, state, stops_at, effect, outcome, reason, effect_reason;
	uint8_t answer; /* the last */
	bool blocks_closing;
	bool rejection_ends;
	uint8_t awaits;     /* enum Ieum__V1__Awaits */
	uint8_t more_times; /* that whoever is asked now asked for more time; at most 255 */
	char jurisdiction[16];
};

/* A line of a timeline, without what its referral tells already. */
struct entry {
	uint64_t seq;
	int64_t at_ms;
	uint32_t referral;
	uint8_t kind;
	uint8_t what; /* the answer, the case's state, or the cause */
	uint8_t outcome;
	uint8_t reason;
	union {
		int64_t due_at_ms;
		uint64_t letters;   /* of a grade, the first lowest */
		uint64_t successor; /* of a hand-over: mailbox */
		struct {
			uint32_t mailbox; /* of a delivery */
			uint32_t actor;
		};
	};
};

enum {
	TIMELINE_CHUNK_ENTRIES = 64,
	TIMELINE_FIRST_ENTRIES = 4,
};

struct timeline {
	struct entry **chunks; /* all full ones but the last */
	uint32_t n;
	uint32_t cap; /* entries there is room for */
};

struct member {
	uint32_t mailbox;
	bool sent;               /* into the case; else it received */
	bool out;                /* it has declined, and reads the case no more */
	int64_t last_read_at_ms; /* by a query; 0: never */
};

/* Somebody who took part until the case was handed over. */
struct ended {
	uint32_t mailbox;
	uint32_t successor; /* mailbox */
	int64_t last_read_at_ms;
};

struct link {
	uint8_t case_id[CORE_ID_BYTES];
	uint8_t kind;
};

struct core_case {
	uint8_t id[CORE_ID_BYTES];
	uint64_t seq; /* of the message that opened it */
	int64_t opened_at_ms, last_at_ms;
	uint32_t owner; /* mailbox */
	uint32_t n_members, n_links, n_excluded, n_open;
	struct member *members;
	struct link *links;
	uint32_t *excluded;             /* participants */
	struct policy_contact *contact; /* NULL: nothing was said */
	struct case_gates gates;
	uint32_t signal_set; /* that became this case; 0: none */
	struct list open;    /* tasks */
	struct list clocks;  /* in the order in which they started */
	uint32_t n_clocks;
	struct list referrals;
	struct timeline timeline;
	uint32_t closed_prev, closed_next; /* all closed ones, the longest quiet first */
	struct ended *ended;
	uint32_t n_ended;
	uint32_t handover;          /* number of the one it is in; 0: none */
	uint32_t kept_in;           /* number of the one in which it stayed; 0: none */
	uint32_t readers;           /* of its timeline, by a query */
	uint32_t n_holds;           /* that hold or took places, of its messages */
	uint8_t state_but_handover; /* what its state would be but for that */
	uint8_t state, category;
	bool consent_withdrawn;         /* nothing may be shared on consent */
	char grade[POLICY_GRADE_BYTES]; /* "": none */
	char jurisdiction[16];
};

struct mailbox {
	char *name;
	struct core_mailbox_counts counts;
	struct list unsettled;             /* transits, in order of id */
	struct list dead;                  /* transits, in order of death */
	struct heap ready[CORE_URGENCIES]; /* lanes that have something to release */
	uint32_t *cases;                   /* it takes part in, in order of joining; 0: forgotten */
	uint32_t n_cases, cap_cases;
	bool told_ready;
};

struct participant {
	char *name;
	uint32_t n_connections, n_actors;
	struct agreement agreement;
	struct certificate_list certificates;
	uint32_t n_signals, n_waits; /* that it sent: kept, and waiting now */
	uint32_t n_needs;            /* that were new when it waited for them */
	uint32_t n_wants;            /* messages of which it wants keys */
	uint32_t n_wanted;           /* wants of keys of what it sent */
};

struct actor {
	char *name;
	uint32_t participant;
};

struct connection {
	uint64_t number;
	uint32_t participant;
	uint32_t actor;
	uint32_t n_in_flight;
	struct list in_flight;
};

/* Memory that deciding works in; never part of the state. */
struct scratch {
	struct policy_decision decision;
	struct heap candidates;
	/* By mailbox: counted by the count of this number, so that none has to be cleared. */
	uint32_t *counted;
	uint32_t cap_counted, count;
};

struct core {
	struct core_limits limits;
	uint64_t seed;
	uint64_t last_seq;
	int64_t last_at_us;

	/* From HubStarted and PolicyChanged. */
	bool drill;
	uint8_t incarnation[CORE_ID_BYTES];
	uint64_t copied_through; /* a copy up to this event is off the disk; 0: none is known */
	uint8_t policy_hash[POLICY_HASH_BYTES];
	int64_t settle_within_ms;

	/* By number, from 1. */
	struct participant *participants;
	struct mailbox *mailboxes;
	struct actor *actors;
	uint32_t n_participants, n_mailboxes, n_actors;
	struct lookup participant_names, mailbox_names, actor_names;
	uint64_t last_connection;

	struct slab connections, referrals, cases, deliveries, transits, readers, lanes, tasks;
	struct lookup connection_numbers, referral_ids, case_ids, lane_keys;
	struct seqmap seqs; /* of submitted and escalated events to referrals */

	struct handovers handovers;
	struct leavers leavers;
	core_sha256_fn *sha256; /* NULL: no jurisdiction can be handed over */
	struct counts counts;
	struct places places;
	struct signals signals;
	struct agendas agendas;
	struct certificates certificates;
	struct sealed_messages sealed;
	struct heap agreements; /* participants that have to be told of the end of theirs */

	struct heap clocks;  /* tasks */
	struct heap waiting; /* transits */
	/* Clocks of cases: by id, and those that run by what they do next. */
	struct {
		struct slab records;
		struct heap next;
	} case_clocks;
	struct deadlines ending;   /* requests with a clock, and clocks that run or are breached */
	struct deadlines breaches; /* clocks that were ever breached */
	struct names names;
	struct list flight; /* transits, in order of release */
	struct list closed; /* cases, in order of their last event */
	struct list loose;  /* referrals of no case, in order */
	uint64_t n_unsettled;
	uint64_t n_forgotten;    /* ever: then counts may exceed what is still known */
	int64_t forgotten_id_ms; /* newest time in an id that is known no more */

	uint32_t *ready; /* mailboxes to tell of: a ring of n_mailboxes */
	uint32_t ready_at, n_ready, cap_ready;

	/* From binding: number to the policy's index. */
	int *policy_participants, *policy_mailboxes;
	uint32_t n_policy_participants, n_policy_mailboxes;
	struct scratch *scratch;
};

static inline struct referral *referral_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->referrals, h);
}

static inline struct delivery *delivery_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->deliveries, h);
}

static inline struct transit *transit_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->transits, h);
}

static inline struct lane *lane_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->lanes, h);
}

static inline struct task *task_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->tasks, h);
}

static inline struct core_case *case_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->cases, h);
}

static inline struct connection *connection_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->connections, h);
}

/* When the message was made, as its UUIDv7 says. */
static inline int64_t id_ms(const uint8_t id[CORE_ID_BYTES])
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms;
}

static inline int64_t to_ms(int64_t us)
{
	return us / 1000;
}

/* state.c: looking things up; 0 or NULL when there is none. */
uint32_t state_connection(const struct core *c, uint64_t number);
uint32_t state_referral(const struct core *c, const uint8_t id[CORE_ID_BYTES]);
uint32_t state_case(const struct core *c, const uint8_t id[CORE_ID_BYTES]);
uint32_t state_delivery(const struct core *c, uint64_t delivery_id);
struct task *state_task(const struct core *c, const struct referral *r, uint32_t index);
struct mailbox *state_mailbox(const struct core *c, uint32_t number);
const char *state_participant_name(const struct core *c, uint32_t number); /* "" for 0 */
const char *state_mailbox_name(const struct core *c, uint32_t number);     /* "" for 0 */
const char *state_actor_name(const struct core *c, uint32_t number);       /* "" for 0 */
uint64_t state_id_hash(const struct core *c, const uint8_t id[CORE_ID_BYTES]);

/* state.c: names get numbers; JOURNAL_CORRUPT when a number isn't the next or the name is taken. */
enum ieum_err state_name_participant(struct core *c, uint32_t number,
				     const char *name) IEUM_MUST_CHECK;
enum ieum_err state_name_mailbox(struct core *c, uint32_t number, const char *name) IEUM_MUST_CHECK;
uint32_t state_participant_number(const struct core *c, const char *name);
/* The number of the actor, given now when it is new; 0: no memory or too many. */
uint32_t state_actor(struct core *c, uint32_t participant, const char *name);
uint32_t state_find_actor(const struct core *c, uint32_t participant, const char *name);

/* state.c: records. */
enum ieum_err state_connect(struct core *c, uint64_t number, uint32_t participant,
			    uint32_t actor) IEUM_MUST_CHECK;
void state_disconnect(struct core *c, uint32_t connection);
/* Into the tables; its id and seq are set. */
enum ieum_err state_add_referral(struct core *c, uint32_t referral) IEUM_MUST_CHECK;
void state_drop_referral(struct core *c, uint32_t referral);

/* The policy's indexes of numbers, POLICY_NONE when the policy doesn't have them. */
int state_policy_participant(const struct core *c, const struct policy *p, uint32_t number);
int state_policy_mailbox(const struct core *c, const struct policy *p, uint32_t number);

#endif
