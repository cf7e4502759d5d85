/* Deciding about places: who is asked for one, what an answer does to what is held, offers to
 * who waits.  State is in places.h; nothing here changes it.
 *
 * The request of a message that asks for places has the effect TAKE_PLACE.  Its ladder has steps
 * "pool:NAME#2": two places of that pool are held and its keeper is asked, if they are free;
 * "pool:NAME#2@1793577600000": they are needed until that moment.
 * Private to broker/core. */
#ifndef IEUM_BROKER_CORE_PLACING_H
#define IEUM_BROKER_CORE_PLACING_H

#include "broker/core/occasion.h"

struct submission;

/* Does the message say that a place which is held or taken is taken up, or free again?  Then a
 * closed case still takes it. */
bool placing_is_owed(const struct submission *s);

/* ---- what rules set off ---- */

/* place_hold.c: holds places for the message and asks the keepers.  NO_PLACE. */
enum ieum_err placing_hold(const struct occasion *o, const struct policy_act *act) IEUM_MUST_CHECK;
/* place_acts.c */
enum ieum_err placing_take(const struct occasion *o) IEUM_MUST_CHECK;
enum ieum_err placing_return(const struct occasion *o) IEUM_MUST_CHECK;
enum ieum_err placing_count(const struct occasion *o) IEUM_MUST_CHECK;
enum ieum_err placing_wait(const struct occasion *o) IEUM_MUST_CHECK;

/* The consent that the message rests on is withdrawn: what nobody has taken on yet is given back,
 * and nobody waits any more. */
enum ieum_err placing_withdrawn(const struct occasion *o, uint32_t referral) IEUM_MUST_CHECK;
/* Does it rest on a consent that is withdrawn by now? */
bool placing_lacks_consent(const struct core *c, const struct referral *r);

/* ---- answers; place_answer.c ---- */

/* After what the message does to requests: what it does to the places held for them. */
enum ieum_err placing_answered(struct submission *s) IEUM_MUST_CHECK;
/* May the sender take its entry of a waiting list back by cancelling? */
bool placing_cancels(const struct submission *s);

/* ---- ladders; place_step.c ---- */

/* A step of a ladder that asks the keeper of a pool. */
struct placing_step {
	uint32_t pool, places;               /* pool 0: it is another step */
	int index;                           /* of the pool in the policy */
	int64_t until_ms;                    /* for which they are needed; 0: without an end */
	char address[POLICY_NAME_BYTES + 8]; /* of the keeper, in the policy's language */
};

struct placing_step placing_read_step(const struct policy *p, const char *to);
/* Are there enough places, and was the keeper not asked by this task? */
bool placing_step_open(const struct core *c, const struct policy *p, const struct core_decision *d,
		       int64_t now_ms, const struct task *t, const struct placing_step *step);
/* Holds them, and bounds the step's deadline. */
enum ieum_err placing_step_hold(const struct core *c, const struct policy *p,
				struct core_decision *d, core_time_us now, const struct task *t,
				const struct placing_step *step,
				int64_t *due_at_ms) IEUM_MUST_CHECK;
/* Whoever was asked stayed silent: what was held for the task's message ends, but for the
 * places of who has taken it on. */
enum ieum_err placing_silent(const struct core *c, struct core_decision *d, core_time_us now,
			     const struct task *t) IEUM_MUST_CHECK;

/* Its request has failed: whatever is still held for it ends. */
enum ieum_err placing_failed(const struct core *c, struct core_decision *d, core_time_us now,
			     const struct task *t) IEUM_MUST_CHECK;

/* ---- time; place_due.c ---- */

/* One hold that lapses or ends soon, one pool of which something is due, or one offer. */
enum ieum_err placing_due(const struct core *c, const struct policy *p, core_time_us now,
			  struct core_decision *d) IEUM_MUST_CHECK;

/* ---- time, without anything that lapses; place_time.c ---- */

/* Both sides, `wants` and `keeper` (mailboxes; 0: nobody), hear that the hold ends soon, or that its
 * time is over. */
enum ieum_err placing_tell_of_end(const struct occasion *o, const struct hold *hold, uint32_t wants,
				  uint32_t keeper) IEUM_MUST_CHECK;
/* They hear that a place which was accepted was not taken up in time. */
enum ieum_err placing_tell_lapsed(const struct occasion *o, const struct hold *hold,
				  uint32_t wants) IEUM_MUST_CHECK;
/* When they are told of an end; 0: not before it. */
int64_t placing_warns_at(const struct core *c, const struct policy *p, uint32_t pool,
			 int64_t ends_at_ms, int64_t now_ms);
/* A pool was counted: when that count is stale. */
enum ieum_err placing_counted(const struct occasion *o, uint32_t number,
			      int64_t as_of_at_ms) IEUM_MUST_CHECK;
/* One pool whose places are given anew, or whose count is stale. */
enum ieum_err placing_due_pool(const struct core *c, const struct policy *p, core_time_us now,
			       struct core_decision *d) IEUM_MUST_CHECK;

/* ---- the policy; place_policy.c ---- */

/* Pools, places and waiting lists in the event of a policy that takes effect. */
enum ieum_err placing_policy(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d, Ieum__V1__PolicyChanged *e) IEUM_MUST_CHECK;

/* ---- events; place_event.c ---- */

/* What becomes of a hold. */
struct placing_change {
	const struct hold *hold;
	uint8_t state;
	int64_t at_ms;                         /* when it lapses, or its time is over */
	int64_t warn_at_ms;                    /* when both sides are told of that; 0: not */
	bool told;                             /* nothing but that they were told */
	const ProtobufCBinaryData *message_id; /* that did it; NULL: time */
};
enum ieum_err placing_change(struct core_decision *d, const struct core *c, core_time_us now,
			     const struct placing_change *change) IEUM_MUST_CHECK;
/* A new one, of the message with this id; `until_ms`: for which it is needed, 0: without an end. */
enum ieum_err placing_begin(const struct policy *p, struct core_decision *d, core_time_us now,
			    int pool, uint32_t places, const ProtobufCBinaryData *hold_id,
			    int64_t lapses_at_ms, int64_t until_ms) IEUM_MUST_CHECK;
/* The hold's state once the decision so far is applied. */
uint8_t placing_state(const struct core_decision *d, const struct core *c, const struct hold *hold);
/* Free places of a pool once the decision so far is applied. */
uint32_t placing_free(const struct core *c, const struct core_decision *d, uint32_t pool);
/* Until when a place is held from the acceptance on. */
int64_t placing_kept_until(const struct core *c, const struct policy *p, const struct hold *hold,
			   int64_t now_ms);
/* The mailbox (number) of who keeps a pool of the policy. */
uint32_t placing_keeper(const struct policy *p, int pool);
/* Whoever keeps the pool has a conflict of interest in the case, or has handed it over: it is asked
 * for no place. */
bool placing_keeper_is_out(const struct occasion *o, int pool);
/* An entry of a waiting list is offered a place no more, or was. */
enum ieum_err placing_wait_ends(const struct core *c, struct core_decision *d, core_time_us now,
				uint32_t wait, Ieum__V1__WaitState state) IEUM_MUST_CHECK;
/* The first task of a message that asks for places; NULL: none. */
const struct task *placing_task(const struct core *c, const struct referral *r);
/* Pools that suit the need, by number, without `but`; in the decision's arena. */
enum ieum_err placing_suiting(const struct policy *p, struct core_decision *d,
			      Ieum__V1__WaitNeed *need) IEUM_MUST_CHECK;

#endif
