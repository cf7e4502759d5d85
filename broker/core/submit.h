/* Deciding a submitted message, in steps; private to broker/core. */
#ifndef IEUM_BROKER_CORE_SUBMIT_H
#define IEUM_BROKER_CORE_SUBMIT_H

#include "broker/core/occasion.h"

/* No time that a peer names lies further ahead; how much more time whoever is asked may have is
 * the hub file's to say. */
#define CORE_MORE_TIME_MAX_MS ((int64_t)366 * 24 * 60 * 60 * 1000)

enum {
	CORE_RETRY_QUEUE_MS = 1000, /* hints of when to try again */
	CORE_RETRY_FULL_MS = 10000,
	CORE_WITHDRAW_MAX = 256, /* by one exclusion, per mailbox */
	SUBMIT_EXCLUDED_MAX = CORE_CASE_EXCLUDED_MAX + 16,
	SUBMIT_AGENDAS_MAX = 4 * AGENDA_MEETINGS_MAX, /* that new exclusions make anew */
	SUBMIT_CLOCKS_MAX = 2 * CORE_CASE_TASKS_MAX,  /* moved because of new exclusions */
};

/* What an answering message says, whatever its type. */
struct answer {
	Ieum__V1__AnswerKind kind; /* 0: it is none */
	Ieum__V1__Outcome outcome;
	Ieum__V1__Reason reason;
	int64_t more_time_until_at_ms;
	uint32_t request; /* from 1; 0: whichever asks the caller */
	bool strict;      /* type `answer`: refused when it answers nothing */
};

/* A submit while it is decided. */
struct submission {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	int64_t now_ms;
	const struct core_submit *from;
	const Ieum__V1__Envelope *envelope;
	struct caller who;
	struct policy_context context;
	int excluded[SUBMIT_EXCLUDED_MAX]; /* by policy index: the case's, then the message's */
	size_t n_excluded_before;
	bool only_asks;     /* nothing is sent: what others have sent must not show */
	uint32_t core_case; /* that it goes into; 0: none, or opened by it */
	uint32_t reply;     /* what it replies to */
	struct answer answer;
	Ieum__V1__Submitted *e;
	uint32_t n_reopened;   /* requests that had failed and are answered after all */
	struct task *rejected; /* whose ladder has to move on */
	uint32_t rejected_by;
	const struct task *closes;     /* accepted: the case closes */
	const struct task *hands_over; /* answered for good: the case is taken, or stays */
	uint32_t hands_over_to;        /* mailbox by which it was answered */
	const struct task *approved;   /* by enough of those who have to */
	struct agenda_again agendas[SUBMIT_AGENDAS_MAX]; /* taken back, to be sent anew */
	size_t n_agendas;
	/* Who asked hears no more than this of what was answered; 0: nothing new. */
	Ieum__V1__AnswerKind status;
	/* Of a message with sealed parts: the mailboxes that reach tells of; counted: not by the
	 * decision itself, which knows more than the sender may. */
	uint32_t told[POLICY_ROUTES_MAX];
	size_t n_told;
	bool counted;
	/* Of such a message, once it is compared, by participant (index of the policy): a bit for
	 * each part of the narrative that it may read, and that is sealed to it. */
	uint16_t *reads, *holds;
};

/* The rule's view of a message of `who`: case, owner, exclusions.  FIELD_INVALID for an excluded
 * participant that isn't listed. */
enum ieum_err submit_context(struct submission *s) IEUM_MUST_CHECK;

/* What the policy's counters count with the message, for the rules that ask for it. */
enum ieum_err submit_count(struct submission *s) IEUM_MUST_CHECK;

/* The event of the message, with what its envelope says. */
enum ieum_err submit_begin(struct submission *s) IEUM_MUST_CHECK;
/* Only whom it would reach: as when it is submitted, up to where acts would add to it. */
enum ieum_err submit_whom(struct submission *s) IEUM_MUST_CHECK;

/* Adds a route, unless the mailbox has one. */
enum ieum_err submit_route(struct core_decision *d, Ieum__V1__Submitted *e, uint32_t mailbox,
			   Ieum__V1__DeliveryCause cause, uint32_t task) IEUM_MUST_CHECK;
/* One request more; the event's array has room for POLICY_TASKS_MAX. */
enum ieum_err submit_add_task(const struct policy *p, struct core_decision *d,
			      const struct policy_task *from, Ieum__V1__Submitted *e,
			      const Ieum__V1__Referral *referral) IEUM_MUST_CHECK;
/* What policy decided: routes, tasks, rules. */
enum ieum_err submit_take_over(const struct core *c, const struct policy *p,
			       struct core_decision *d, const struct policy_decision *decided,
			       Ieum__V1__Submitted *e,
			       const Ieum__V1__Referral *referral) IEUM_MUST_CHECK;

/* answer.c: fills s->answer from the message; REASON_MISSING, FIELD_INVALID. */
enum ieum_err answer_read(struct submission *s) IEUM_MUST_CHECK;
/* What it does to the tasks of the referral it replies to. */
enum ieum_err answer_decide(struct submission *s) IEUM_MUST_CHECK;
/* Does it answer an open task?  Then a closed case still takes it. */
bool answer_is_owed(const struct submission *s);
/* Is somebody left who may answer this request, and has no conflict of interest? */
bool answer_is_possible(const struct submission *s, const struct task *t);
enum ieum_err answer_add_change(struct submission *s, const struct referral *r,
				const struct task *t, Ieum__V1__TaskChanged **out) IEUM_MUST_CHECK;
/* Does the message end this request by what was decided so far? */
bool answer_ends(const Ieum__V1__Submitted *e, const struct referral *r, const struct task *t);

/* past_acts.c: FIELD_INVALID where something is said to have been done in the future. */
enum ieum_err submit_check_past_acts(struct submission *s) IEUM_MUST_CHECK;

/* closing.c: DOMAIN_OPEN with who still owes what, and which clocks run. */
enum ieum_err closing_check(struct submission *s, const struct task *but) IEUM_MUST_CHECK;
/* The case closes and everyone who referred hears of it. */
enum ieum_err closing_carry_out(struct submission *s) IEUM_MUST_CHECK;

/* withdrawal.c: supersedes, and newly excluded participants. */
enum ieum_err withdrawal_decide(struct submission *s) IEUM_MUST_CHECK;
/* One delivery that has not ended: withdrawn, or revoked where somebody has had it. */
enum ieum_err withdrawal_add(struct submission *s, const struct delivery *d,
			     size_t *room) IEUM_MUST_CHECK;
/* What the message ends does not go on: its clock is not moved.  When all else is decided. */
void withdrawal_settle_clocks(Ieum__V1__Submitted *e);
/* Is nobody left who may take from this mailbox (number) in the case, with what the message
 * says?  Of one that policy doesn't list nobody takes. */
bool submit_excludes(const struct submission *s, uint32_t mailbox);

/* Refuses where the mailboxes of a message have no room for it. */
enum ieum_err submit_check_queues(const struct core *c, const struct policy *p,
				  struct core_decision *d, const Ieum__V1__Submitted *e,
				  size_t bytes) IEUM_MUST_CHECK;

/* outcome.c: everyone who referred into the case that closes, the occasion's, hears of it. */
enum ieum_err outcome_of_case(const struct occasion *o, Ieum__V1__Reason reason) IEUM_MUST_CHECK;
/* The same where what a rule says of the occasion's message closes it. */
enum ieum_err outcome_of_rule(const struct occasion *o, Ieum__V1__Reason reason) IEUM_MUST_CHECK;
/* The hub's answer to a message that nobody took on, still to be addressed; NULL: no memory, or
 * the decision is full. */
struct hub_message *outcome_failure(const struct occasion *o, const struct referral *r);
/* Nobody took it on: told to whoever asked, or to the case's owner. */
enum ieum_err outcome_failed(const struct core *c, const struct policy *p, struct core_decision *d,
			     core_time_us now, const struct referral *r,
			     const struct task *t) IEUM_MUST_CHECK;
/* To a sender that hears no more: what it sent was received, or is complete. */
enum ieum_err outcome_status(const struct core *c, const struct policy *p, struct core_decision *d,
			     core_time_us now, const struct referral *r,
			     Ieum__V1__AnswerKind kind) IEUM_MUST_CHECK;

/* ladder.c: asks the next, or ends the task.  `rejected_by` is the mailbox that just rejected. */
enum ieum_err ladder_move(const struct core *c, const struct policy *p, struct core_decision *d,
			  core_time_us now, const struct task *t, Ieum__V1__EscalationCause cause,
			  uint32_t rejected_by) IEUM_MUST_CHECK;
/* A new deadline for those of a step who still owe an answer when its clock had stopped. */
int64_t ladder_again_at_ms(const struct task *t, int64_t now_ms);
/* Is nobody of the step that was asked last left who may answer, without this mailbox? */
bool ladder_step_rejected(const struct submission *s, const struct task *t, uint32_t rejected_by);

#endif
