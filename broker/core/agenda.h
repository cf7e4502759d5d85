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

struct arena;
struct core;
struct agenda_copy;
struct applied;
struct occasion;
struct referral;
struct submission;
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
	struct agenda_copy *copies; /* that were sent, in order of seq */
	uint32_t n_copies;
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
/* An agenda_item, a conference_call: the convener is asked to call a meeting for it, and for the
 * minutes of the meeting; due when the act says, with its rule's ladder. */
enum ieum_err agenda_decide_meeting(const struct occasion *o,
				    const struct policy_act *act) IEUM_MUST_CHECK;
enum ieum_err agenda_decide_minutes(const struct occasion *o,
				    const struct policy_act *act) IEUM_MUST_CHECK;
/* conference_minutes: each action becomes a request of who has to do it, with that rule's ladder;
 * it is on the body's agenda until it is done. */
enum ieum_err agenda_decide_actions(const struct occasion *o, int rule) IEUM_MUST_CHECK;
/* conference_minutes: what the meeting had before it is over, but for what stays open. */
enum ieum_err agenda_decide_end(const struct occasion *o) IEUM_MUST_CHECK;

/* One that was sent and taken back, because a case on it excludes somebody now. */
struct agenda_again {
	const char *body;
	const uint8_t *conference_id;
	uint32_t mailbox;
};

/* Takes back what still is on its way to the mailbox (number) and tells of the submission's case. */
enum ieum_err agenda_copy_exclude(struct submission *s, uint32_t mailbox,
				  size_t *room) IEUM_MUST_CHECK;
/* In place of what was taken back, without that case. */
enum ieum_err agenda_decide_again(const struct submission *s) IEUM_MUST_CHECK;
/* Is this an agenda with a case on it that excludes the participant? */
bool agenda_copy_tells(const struct core *c, const struct referral *r, uint32_t participant);

/* What somebody may see of the agenda of a body. */
struct agenda_reader {
	const struct core *c;
	const struct policy *p;
	const int *participants; /* of the policy: entries of cases that exclude one are left out */
	size_t n_participants;
	struct arena *arena;     /* for the months of linked sets; NULL: they are left out */
	uint32_t linked_sets_of; /* mailbox whose linked sets are shown; 0: none */
	const uint8_t *but_case; /* is left out, because it excludes one of them now; or NULL */
};
/* Fills at most `max` entries, which point into the core. */
size_t agenda_fill(const struct agenda_reader *r, const char *body, Ieum__V1__AgendaEntry *out,
		   size_t max);

/* ---- state ---- */

enum ieum_err apply_agenda_changed(struct core *c, const struct applied *a,
				   const Ieum__V1__AgendaChanged *e) IEUM_MUST_CHECK;
/* The agenda of a body, made where there is none. */
enum ieum_err agenda_make(struct agendas *a, const char *body, struct agenda **out) IEUM_MUST_CHECK;

/* agenda_copy.c: one is sent; its message is forgotten. */
enum ieum_err agenda_copy_apply(struct core *c, const uint8_t message_id[16],
				const Ieum__V1__AgendaSent *e) IEUM_MUST_CHECK;
void agenda_copy_forget(struct core *c, const uint8_t message_id[16]);
void agenda_copies_deinit(struct agenda *a);
enum ieum_err agenda_copies_write(struct snapshot_writing *w, const struct agenda *a,
				  Ieum__V1__SnapshotAgenda *m) IEUM_MUST_CHECK;
enum ieum_err agenda_copies_read(struct agenda *a,
				 const Ieum__V1__SnapshotAgenda *m) IEUM_MUST_CHECK;

/* The case is forgotten: so is what it has on agendas. */
void agendas_forget(struct agendas *a, const uint8_t case_id[16]);

enum ieum_err agendas_write(struct snapshot_writing *w) IEUM_MUST_CHECK;
enum ieum_err agendas_read(struct core *c, const Ieum__V1__SnapshotAgenda *m) IEUM_MUST_CHECK;
/* NULL, or what is wrong. */
const char *agendas_check(const struct core *c);

#endif
