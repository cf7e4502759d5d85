/* Agendas: what the meetings of a body have before them.
 *
 * An item comes onto the agenda of the body that it names and stays until minutes end it; an
 * action that minutes agreed on stays until it is done.  What is kept is which message it is, in
 * which case and of whom: its title stays in the message, which can be erased. */
#ifndef IEUM_BROKER_CORE_AGENDA_H
#define IEUM_BROKER_CORE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/policy/policy.h"
#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/snapshot.pb-c.h"
#include "proto/error.h"

enum {
	AGENDA_ENTRIES_MAX = 128, /* of one body: items, and minutes with actions */
	AGENDA_SHOWN_MAX = 200,   /* entries of one agenda */
	AGENDA_MEETINGS_MAX = 12, /* called and without minutes; the oldest goes */
	AGENDA_COPIES_MAX = 24,   /* different agendas of one call */
};

struct core;
struct applied;
struct occasion;
struct snapshot_writing;

struct agenda_entry {
	uint64_t seq; /* of the event */
	uint8_t message_id[16];
	uint8_t case_id[16];              /* zeros: none */
	uint32_t participant;             /* who put it there */
	uint32_t carried;                 /* meetings that had it before them */
	uint16_t first_action, n_actions; /* of minutes: requests; 0: it is an item */
};

struct agenda_meeting {
	uint64_t seq;
	uint8_t message_id[16];
};

struct agenda {
	char body[POLICY_NAME_BYTES];
	struct agenda_entry *entries; /* in order of seq */
	uint32_t n_entries;
	struct agenda_meeting meetings[AGENDA_MEETINGS_MAX]; /* in order of seq */
	uint32_t n_meetings;
};

struct agendas {
	struct agenda *list; /* in the order in which they came to be */
	uint32_t n;
};

void agendas_deinit(struct agendas *a);
/* NULL: nothing was ever on it. */
const struct agenda *agenda_of(const struct agendas *a, const char *body);

/* ---- deciding; each for the act of a rule ---- */

/* An agenda_item: onto the agenda of the body that it names. */
enum ieum_err agenda_decide_put(const struct occasion *o) IEUM_MUST_CHECK;
/* A conference_call: every member of the body gets the agenda. */
enum ieum_err agenda_decide_call(const struct occasion *o) IEUM_MUST_CHECK;
/* conference_minutes: each action becomes a request of who has to do it, with that rule's ladder;
 * it is on the body's agenda until it is done. */
enum ieum_err agenda_decide_actions(const struct occasion *o, int rule) IEUM_MUST_CHECK;
/* conference_minutes: what the meeting had before it is over, but for what stays open. */
enum ieum_err agenda_decide_end(const struct occasion *o) IEUM_MUST_CHECK;

/* What somebody may see of the agenda of a body. */
struct agenda_reader {
	const struct core *c;
	const struct policy *p;
	const int *participants; /* of the policy: entries of cases that exclude one are left out */
	size_t n_participants;
	uint32_t linked_sets_of; /* mailbox whose linked sets are shown; 0: none */
};
/* Fills at most `max` entries, which point into the core. */
size_t agenda_fill(const struct agenda_reader *r, const char *body, Ieum__V1__AgendaEntry *out,
		   size_t max);

/* ---- state ---- */

enum ieum_err apply_agenda_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__AgendaChanged *e) IEUM_MUST_CHECK;
/* The case is forgotten: so is what it has on agendas. */
void agendas_forget(struct agendas *a, const uint8_t case_id[16]);

enum ieum_err agendas_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err agendas_read(struct core *c, const Ieum__V1__SnapshotAgenda *m) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *agendas_check(const struct core *c);

#endif
