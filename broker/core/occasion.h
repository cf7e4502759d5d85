/* On what occasion the hub does something of its own accord: a message that was just decided,
 * or time that has passed in a case.  Whatever makes messages or changes clocks, places, gates
 * and counts takes one of these, so that it works alike on both.  Private to broker/core. */
#ifndef IEUM_BROKER_CORE_OCCASION_H
#define IEUM_BROKER_CORE_OCCASION_H

#include "broker/core/decision.h"

enum { OCCASION_DEPTH_MAX = 4 }; /* messages that the hub makes because of messages it made */

struct submission;

struct occasion {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	int64_t now_ms;
	/* The message and its event; NULL when time has passed. */
	const Ieum__V1__Referral *referral;
	Ieum__V1__Submitted *e;
	/* The case: 16 bytes, or len 0 when there is none.  Handle 0 too where the message opens
	 * it: then it is a case once the decision is applied. */
	ProtobufCBinaryData case_id;
	uint32_t core_case;
	/* What is known of it, the message's own where that opens it. */
	Ieum__V1__Category category;
	const char *jurisdiction;
	Ieum__V1__Urgency urgency;
	Ieum__V1__BasisKind
		basis; /* of what it does, where there is no message; 0: none is known */
	int64_t occurred_at_ms;
	uint32_t participant; /* number of who sent it; 0: the hub, or time */
	int sender;           /* its index in the policy, POLICY_NONE */
	const int *excluded;  /* by policy index, in the decision's arena */
	size_t n_excluded;
	const int64_t *counts; /* with the message, by the policy's counters; NULL: not looked at */
	unsigned depth;
};

/* Of a submitted message, once its event is filled. */
struct occasion occasion_of_submission(const struct submission *s);
/* Time has passed in a case (handle; 0: in none). */
enum ieum_err occasion_of_time(const struct core *c, const struct policy *p,
			       struct core_decision *d, core_time_us now, uint32_t core_case,
			       struct occasion *out) IEUM_MUST_CHECK;

/* The rule's view of `referral` on this occasion, as from the hub. */
struct policy_context occasion_context(const struct occasion *o,
				       const Ieum__V1__Referral *referral);

/* ---- messages that the hub makes: envelope and typed body, never a narrative ---- */

/* One being made. */
struct hub_message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	uint8_t id[CORE_ID_BYTES];
	Ieum__V1__Submitted *e; /* the event that submits it */
};

/* In the occasion's case (where there is one), with an empty body of its type, which the caller
 * fills: m->referral.deadline_notice.  NULL: no memory, or the decision is full. */
struct hub_message *hub_message_new(const struct occasion *o, Ieum__V1__MessageType type);
/* To a mailbox (number); one that has it already keeps its first cause. */
enum ieum_err hub_message_to(const struct occasion *o, struct hub_message *m, uint32_t mailbox,
			     Ieum__V1__DeliveryCause cause) IEUM_MUST_CHECK;
/* To whoever is behind an address of the policy language; nobody is no error. */
enum ieum_err hub_message_address(const struct occasion *o, struct hub_message *m,
				  const char *address,
				  Ieum__V1__DeliveryCause cause) IEUM_MUST_CHECK;
/* Besides to whoever is on duty for those who have it, where they are off and it can't wait. */
enum ieum_err hub_message_to_duty(const struct occasion *o, struct hub_message *m) IEUM_MUST_CHECK;
/* A request of whoever has it so far, open until answered, due then (0: no deadline); the clock
 * stops at `received`, `decided` or `completed`. */
enum ieum_err hub_message_ask(const struct occasion *o, struct hub_message *m, int64_t due_at_ms,
			      Ieum__V1__StopsAt stops_at, bool blocks_closing) IEUM_MUST_CHECK;
/* To whom the rules say, with all that they say (requests, clocks, further messages); from the
 * kind `hub`.  On time that has passed nothing may be refused: where no rule takes it, it goes
 * to the case's owner.  Ends it. */
enum ieum_err hub_message_by_rules(const struct occasion *o, struct hub_message *m) IEUM_MUST_CHECK;
/* Its bytes become the payload.  Without by_rules() this must be the last call.  A message that
 * nobody gets is taken back and is no error. */
enum ieum_err hub_message_end(const struct occasion *o, struct hub_message *m) IEUM_MUST_CHECK;

/* What a rule emits. */
enum ieum_err hub_message_emit(const struct occasion *o,
			       const struct policy_emit *emit) IEUM_MUST_CHECK;
/* The body of its type, empty.  False when there is no such type, or no memory. */
bool hub_message_set_body(struct arena *arena, Ieum__V1__Referral *r, Ieum__V1__MessageType type);

/* ---- what rules set off; acts.c ---- */

enum ieum_err acts_carry_out(const struct occasion *o, const struct policy_act *acts,
			     size_t n) IEUM_MUST_CHECK;

#endif
