/* Hand-over of a jurisdiction: one participant's cases become another's, case by case, while
 * messages keep coming.
 *
 *     ANNOUNCED ──effective_at──► CUT_OVER ──confirmed──► COMPLETED
 *         └──cancelled by who announced it──► CANCELLED   (also when the new one is gone)
 *
 *     a case of it:   CUT_OVER (gathered) ──► ASKED ──accepted──► ACCEPTED
 *                                               └──declined──► KEPT
 *
 * From the cut-over on new cases are the new one's.  The old one's are then gathered, some at a
 * time because there may be thousands, and when all are, both get the list.
 *
 * What always holds: until a case is accepted the old one (`from`) owns it and may act; from then
 * on it takes no part, nothing of the case is on its way to it, and whatever would go to it goes
 * to its successor.  Deadlines stay what they are.  A case is in one hand-over at a time.
 *
 * From and to are the own mailboxes of participants.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_HANDOVER_H
#define IEUM_BROKER_CORE_HANDOVER_H

#include "broker/core/handovers.h"
#include "broker/core/occasion.h"

enum {
	/* A change may be announced for so many cases … */
	HANDOVER_CASES_MAX = 4096,
	/* … and takes more if they were opened until it took effect. */
	HANDOVER_LISTED_MAX = 2 * HANDOVER_CASES_MAX,
	/* Cases that `from` takes part in and that are remembered, the closed ones too: they are
	 * all counted, at once. */
	HANDOVER_LOOKED_MAX = 16384,
	HANDOVER_GATHERED_AT_ONCE = 512, /* cases with their requests and clocks, in one decision */
	HANDOVER_ASKED_AT_ONCE = 8,      /* cases, in one decision */
	HANDOVER_FORWARDED_AT_ONCE = 32, /* messages, in one decision */
	HANDOVER_HOPS_MAX = 4,           /* from successor to successor */
};

/* ---- handover_list.c: which cases, and what stands in their way ---- */

/* A change that may not be recorded yet. */
struct handover_plan {
	uint32_t from, to; /* mailboxes */
	uint32_t from_participant;
	const struct policy_participant *new_one; /* NULL: it is not in the hub file */
	uint32_t number;                          /* of the change; 0: it would be a new one */
	const char *jurisdiction;
};

struct handover_plan handover_plan(const struct core *c, const struct policy *p, uint32_t from,
				   uint32_t to, const char *jurisdiction);

struct handover *handover_find(const struct core *c, const uint8_t change_id[CORE_ID_BYTES]);
struct handover *handover_numbered(const struct core *c, uint32_t number);
struct handed_case *handover_case(const struct handover *h, const uint8_t case_id[CORE_ID_BYTES]);
/* The own mailbox of a participant (number); 0: it has none. */
uint32_t handover_own_mailbox(const struct core *c, uint32_t participant);

/* Is the case one that the plan hands over? */
bool handover_concerns(const struct core *c, const struct handover_plan *plan,
		       const struct core_case *k);
/* Why the new one can't take it (OK: it can); *detail says it in words. */
enum ieum_err handover_obstacle(const struct core *c, const struct handover_plan *plan,
				const struct core_case *k, const char **detail);
/* Does the obstacle keep the case where it is? */
static inline bool handover_obstacle_stops(enum ieum_err obstacle)
{
	return obstacle && obstacle != IEUM_E_NOT_PERMITTED;
}
/* How many.  HUB_FULL: more than may be looked at. */
enum ieum_err handover_count(const struct core *c, const struct handover_plan *plan,
			     uint32_t *n) IEUM_MUST_CHECK;
/* What the case holds now. */
struct handover_row handover_row_of(const struct core *c, const struct core_case *k);
/* Of all that it has gathered. */
enum ieum_err handover_digest(const struct core *c, const struct handover *h, struct arena *arena,
			      uint8_t digest[HANDOVER_DIGEST_BYTES]) IEUM_MUST_CHECK;

/* ---- handover_change.c: announced, cancelled, confirmed ---- */

enum ieum_err handover_announce(const struct occasion *o) IEUM_MUST_CHECK;
enum ieum_err handover_confirm(const struct occasion *o) IEUM_MUST_CHECK;

/* ---- handover_accept.c: a case is taken, or stays ---- */

/* What one who leaves leaves behind, gathered message by message into the decision's arena. */
struct handover_leaving {
	const struct core *c;
	uint32_t from, to;
	int64_t last_read_at_ms;
	uint64_t *withdrawn;    /* deliveries on their way to it */
	uint64_t *forward_seqs; /* messages that the other needs */
	size_t n_withdrawn, n_forward_seqs;
	size_t cap_withdrawn, cap_forward;
};

enum ieum_err handover_leave_message(struct handover_leaving *l, struct core_decision *d,
				     const struct referral *r) IEUM_MUST_CHECK;
/* All messages of the case, and when it last read it. */
enum ieum_err handover_leave_case(struct handover_leaving *l, struct core_decision *d,
				  const struct core_case *k) IEUM_MUST_CHECK;

struct submission;

/* An answer to a request that hands a case over: may this one give it?  *settles: it decides. */
enum ieum_err handover_check_answer(struct submission *s, const struct task *t, uint32_t by,
				    bool *settles) IEUM_MUST_CHECK;
/* Where the request stands after an answer that decides. */
Ieum__V1__TaskState handover_state_after(Ieum__V1__AnswerKind kind);
/* What follows from it, once the answer's event is made. */
enum ieum_err handover_carry_out(struct submission *s) IEUM_MUST_CHECK;
/* The case stays with the old one. */
enum ieum_err handover_keep(struct core_decision *d, core_time_us now, const struct handover *h,
			    const struct core_case *k, Ieum__V1__Reason reason) IEUM_MUST_CHECK;
/* The message tells of a conflict of interest of the one who should take the case: it stays. */
enum ieum_err handover_exclude(struct submission *s) IEUM_MUST_CHECK;
/* Taken back by who announced it; *is_change false: the message announced none. */
enum ieum_err handover_cancel(struct submission *s, bool *is_change) IEUM_MUST_CHECK;

/* ---- handover_redirect.c: what would go to the old one ---- */

/* What a submitted message says, once it is decided: routes, requests, owner. */
enum ieum_err handover_redirect(const struct core *c, const struct policy *p,
				struct core_decision *d, Ieum__V1__Submitted *e) IEUM_MUST_CHECK;
/* Who hears in place of a mailbox in the case (handle): itself, or its successor. */
uint32_t handover_in_place(const struct core *c, const struct policy *p, uint32_t core_case,
			   uint32_t mailbox);

/* Has the caller handed the case over, and no other part in it? */
bool handover_left(const struct core *c, const struct policy *p, const struct caller *who,
		   const struct core_case *k);
/* Does the caller go on with what somebody else sent, who has handed the case over to it? */
bool handover_speaks_for(const struct submission *s, const struct referral *r);
/* Does the caller stand where this mailbox stood in the case? */
bool handover_inherits(const struct core *c, const struct policy *p, const struct caller *who,
		       const struct core_case *k, uint32_t mailbox);
const struct ended *handover_ended(const struct core_case *k, uint32_t mailbox);

/* ---- handover_change.c: its events ---- */

/* With what does not change any more; NULL: no room or memory. */
Ieum__V1__HandoverChanged *handover_event(struct core_decision *d, core_time_us now,
					  const struct handover *h, Ieum__V1__HandoverStep step);

/* ---- handover_cutover.c: its time has come ---- */

/* The next step until both have the list. */
enum ieum_err handover_cut_over(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d, const struct handover *h) IEUM_MUST_CHECK;
static inline bool handover_gathered(const struct handover *h)
{
	return h->looked == h->to_look;
}

/* ---- handover_giveup.c: it can't be carried out ---- */

/* All three are told why, and it is over. */
enum ieum_err handover_give_up(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d, const struct handover *h,
			       Ieum__V1__Reason reason) IEUM_MUST_CHECK;
/* One step on which the case stays with the old one: the question to the new one ends, then the
 * case's part in the hand-over. */
enum ieum_err handover_give_back(const struct core *c, struct core_decision *d, core_time_us now,
				 const struct handover *h,
				 const struct core_case *k) IEUM_MUST_CHECK;
/* Did the new one leave the hub file after the cut-over? */
bool handover_is_stranded(const struct core *c, const struct policy *p, const struct handover *h);
/* Then its cases stay, some per call, and at last it is given up. */
enum ieum_err handover_give_back_some(const struct core *c, const struct policy *p,
				      core_time_us now, struct core_decision *d,
				      const struct handover *h) IEUM_MUST_CHECK;

/* ---- handover_due.c: what time and a cut-over leave to do ---- */

/* The cut-over until both have the list: nothing else that is due comes between. */
enum ieum_err due_handover(const struct core *c, const struct policy *p, core_time_us now,
			   struct core_decision *d) IEUM_MUST_CHECK;
/* What can wait for every deadline: messages that follow a case, the requests to take one. */
enum ieum_err due_handover_rest(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d) IEUM_MUST_CHECK;
/* When that is; INT64_MAX: nothing. */
int64_t handover_next_due_ms(const struct core *c);

/* ---- handover_apply.c, handover_check.c ---- */

struct applied;
enum ieum_err apply_handover_changed(struct core *c, const struct applied *a,
				     const Ieum__V1__HandoverChanged *e) IEUM_MUST_CHECK;
void handovers_deinit(struct handovers *hs);
struct handover *handovers_add(struct core *c); /* NULL: no memory, or no room */
enum ieum_err handover_forward_add(struct core *c, uint64_t seq, uint32_t mailbox) IEUM_MUST_CHECK;

/* Nobody answered the request for a case, and its ladder has ended: it is asked anew. */
void handover_unanswered(struct core *c, uint32_t core_case);
/* Evidence that somebody read a case: its last time is known when it hands over. */
enum ieum_err apply_was_read(struct core *c, const struct applied *a,
			     const Ieum__V1__WasRead *e) IEUM_MUST_CHECK;

/* OK, or JOURNAL_CORRUPT with what is wrong. */
enum ieum_err handovers_check(const struct core *c, char *what, size_t what_bytes) IEUM_MUST_CHECK;
/* Does the message answer the mailbox's own request to take a case?  Whoever asked hears of it, though
 * it has left by that. */
bool handover_is_told_by(const struct core *c, const struct referral *r, uint32_t mailbox);
enum ieum_err handover_check_case(const struct core *c, const struct core_case *k, char *what,
				  size_t what_bytes) IEUM_MUST_CHECK;

#endif
