/* Deciding a submitted message, in steps; private to broker/core. */
#ifndef IEUM_BROKER_CORE_SUBMIT_H
#define IEUM_BROKER_CORE_SUBMIT_H

#include "broker/core/decision.h"

/* Most that "need more time" may ask for at once. */
#define CORE_MORE_TIME_MAX_MS ((int64_t)90 * 24 * 60 * 60 * 1000)

enum {
	CORE_RETRY_QUEUE_MS = 1000, /* hints of when to try again */
	CORE_RETRY_FULL_MS = 10000,
	CORE_WITHDRAW_MAX = 256, /* by one exclusion, per mailbox */
	SUBMIT_EXCLUDED_MAX = CORE_CASE_EXCLUDED_MAX + 16,
	SUBMIT_CLOCKS_MAX = 2 * CORE_CASE_TASKS_MAX, /* moved because of new exclusions */
};

/* What an answering message says, whatever its type. */
struct answer {
	Ieum__V1__AnswerKind kind; /* 0: it is none */
	Ieum__V1__Outcome outcome;
	Ieum__V1__Reason reason;
	int64_t more_time_until_at_ms;
	bool strict; /* type `answer`: refused when it answers nothing */
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
	uint32_t core_case; /* that it goes into; 0: none, or opened by it */
	uint32_t reply;     /* what it replies to */
	struct answer answer;
	Ieum__V1__Submitted *e;
	struct task *rejected; /* whose ladder has to move on */
	uint32_t rejected_by;
	const struct task *closes; /* accepted: the case closes */
};

/* The rule's view of a message of `who`: case, owner, exclusions.  FIELD_INVALID for an excluded
 * participant that isn't listed. */
enum ieum_err submit_context(struct submission *s) IEUM_MUST_CHECK;

/* Adds a route, unless the mailbox has one. */
enum ieum_err submit_route(struct core_decision *d, Ieum__V1__Submitted *e, uint32_t mailbox,
			   Ieum__V1__DeliveryCause cause, uint32_t task) IEUM_MUST_CHECK;
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

/* closing.c: DOMAIN_OPEN with who still owes what. */
enum ieum_err closing_check(struct submission *s, const struct task *but) IEUM_MUST_CHECK;
/* The case closes and everyone who referred hears of it. */
enum ieum_err closing_carry_out(struct submission *s) IEUM_MUST_CHECK;

/* withdrawal.c: supersedes, and newly excluded participants. */
enum ieum_err withdrawal_decide(struct submission *s) IEUM_MUST_CHECK;
/* Is nobody left who may take from this mailbox (number) in the case, with what the message
 * says?  Of one that policy doesn't list nobody takes. */
bool submit_excludes(const struct submission *s, uint32_t mailbox);

/* Refuses where the mailboxes of a message have no room for it. */
enum ieum_err submit_check_queues(struct submission *s, const Ieum__V1__Submitted *e,
				  size_t bytes) IEUM_MUST_CHECK;

/* hub_message.c: messages that the hub makes itself. */
/* The body of its type, empty.  False when there is no such type, or no memory. */
bool hub_message_set_body(struct arena *arena, Ieum__V1__Referral *r, Ieum__V1__MessageType type);
enum ieum_err hub_message_emit(struct submission *s,
			       const struct policy_emit *emit) IEUM_MUST_CHECK;
enum ieum_err hub_message_closure(struct submission *s, Ieum__V1__Reason reason) IEUM_MUST_CHECK;
/* Nobody took it on: told to whoever asked, or to the case's owner. */
enum ieum_err hub_message_failed(const struct core *c, const struct policy *p,
				 struct core_decision *d, core_time_us now,
				 const struct referral *r) IEUM_MUST_CHECK;

/* ladder.c: asks the next, or ends the task.  `rejected_by` is the mailbox that just rejected. */
enum ieum_err ladder_move(const struct core *c, const struct policy *p, struct core_decision *d,
			  core_time_us now, const struct task *t, Ieum__V1__EscalationCause cause,
			  uint32_t rejected_by) IEUM_MUST_CHECK;
/* A new deadline for those of a step who still owe an answer when its clock had stopped. */
int64_t ladder_again_at_ms(const struct task *t, int64_t now_ms);
/* Is nobody of the step that was asked last left, without this mailbox? */
bool ladder_step_rejected(const struct task *t, uint32_t rejected_by);

#endif
