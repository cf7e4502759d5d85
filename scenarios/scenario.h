/* Scenario files: who does what when, and what is then expected of whom.
 *
 * A scenario is YAML that a case worker can read; tests/scenarios/README.md describes it.
 * This reads one and finds every mistake with its line; play.h plays it.  Everything in
 * the structs belongs to the scenario. */
#ifndef IEUM_SCENARIOS_SCENARIO_H
#define IEUM_SCENARIOS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/query.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/error.h"
#include "yaml/yaml_diag.h"

enum {
	SCENARIO_STEPS_MAX = 500,
	SCENARIO_EXPECTS_MAX = 32, /* of one step */
	SCENARIO_NAME_BYTES = 64,
	SCENARIO_TEXT_BYTES = 400,
};

enum scenario_expect_kind {
	SCENARIO_GETS,         /* the message is delivered to the inbox */
	SCENARIO_GETS_NOTHING, /* nothing new was delivered to the inbox */
	SCENARIO_REFUSED,      /* the step's message is refused with this error */
	SCENARIO_CASE_STATE,   /* the case is in this state */
	SCENARIO_TASK_STATE,   /* a request of the message is in this state */
	SCENARIO_POOL,         /* a pool has so many places held, taken, free */
	SCENARIO_WAITS,        /* an entry has this place in a pool's waiting list */
	SCENARIO_AGENDA,       /* a message is on a body's agenda, or not */
	SCENARIO_HIDDEN,       /* a participant can't read a case */
	SCENARIO_OPENS,        /* it opens what is sealed in a message; `is`: or can't */
	SCENARIO_HANDOVER,     /* a change of jurisdiction is so far, or would do so much */
};

struct scenario_expect {
	enum scenario_expect_kind kind;
	int line;
	const char *inbox;             /* mailbox */
	const char *message;           /* a message's name in the file, or NULL */
	Ieum__V1__MessageType type;    /* or any message of this type; 0: by name */
	const char *as;                /* name it from here on, or NULL */
	Ieum__V1__DeliveryCause cause; /* 0: any */
	enum ieum_err code;            /* of a refusal */
	int state;                     /* CaseState or TaskState; 0: any */
	const char *grade;             /* of a case, "-": none; NULL: any */
	int consent_withdrawn;         /* in a case; -1: either */
	const char *clock;             /* of a case: then `state` is a ClockState */
	int64_t due_us;                /* when that one ends, 0: any */
	const char *pool;
	int64_t held, taken, free;            /* places of the pool; -1: any */
	int64_t position;                     /* in its waiting list; 0: not in it any more */
	const char *gate;                     /* of a case: then `is` says whether it is open */
	const char *agenda, *by;              /* body, and the participant that asks */
	bool is;                              /* open; on the agenda */
	const char *of;                       /* of a delivery: the case of this message, or NULL */
	const char *owner;                    /* of a case, or NULL */
	const char *from, *to, *jurisdiction; /* of a change that isn't announced */
	int64_t cases, not_accepted, errors;  /* of a change; -1: any */
	int64_t carried;                      /* meetings that had it before; -1: any */
};

enum scenario_step_kind {
	SCENARIO_SUBMIT,
	SCENARIO_ANSWER, /* a submit whose message answers `reply_to` */
	SCENARIO_AFTER,  /* time passes */
	SCENARIO_CRASH,  /* power cut and restart */
	SCENARIO_CHECK,  /* only expectations */
};

struct scenario_step {
	enum scenario_step_kind kind;
	int line;
	const char *who;  /* participant */
	const char *name; /* of the message, or NULL */
	bool opens_case;
	const char *in_case;  /* name of the message that opened the case, or NULL */
	const char *reply_to; /* name of the message, or NULL */
	const char *supersedes;
	const char
		*hold; /* name of the message by which a place is held: fills the body's hold_id */
	const char *manifest_of;     /* of a handover_manifest: the change that it confirms */
	const char *conference;      /* of minutes: the call */
	const char *keeps;           /* of minutes: an item that stays on the agenda */
	const char *signal;          /* of a disclosure: the signal that it is about */
	const char *after;           /* duration text */
	const char *say_en, *say_ko; /* or NULL */
	Ieum__V1__Referral *message;
	struct scenario_expect expects[SCENARIO_EXPECTS_MAX];
	size_t n_expects;
	bool nobody_else; /* no delivery beside the expected ones */
};

struct scenario {
	const char *path;
	const char *name;
	const char *title_en, *title_ko;
	char *hub_file;    /* path, relative to the working directory */
	int64_t starts_us; /* Unix microseconds */
	struct scenario_step *steps;
	size_t n_steps;
	struct yaml_doc *doc;
};

/* FILE_UNREADABLE, FILE_INVALID (every mistake in diag), NO_MEMORY. */
enum ieum_err scenario_load(const char *path, struct yaml_diag *diag,
			    struct scenario **out) IEUM_MUST_CHECK;
void scenario_free(struct scenario *s); /* takes NULL */

#endif
