/* Cases: owner, who takes part, links, who is excluded, history.
 *
 * What always holds: a case has one owner and is closed or not; every mailbox that takes
 * part lists the case; the closed ones are in one list, the longest quiet first. */
#ifndef IEUM_BROKER_CORE_CASES_H
#define IEUM_BROKER_CORE_CASES_H

#include "broker/core/state.h"

/* A new record in the tables; `seq` is the opening message's. */
uint32_t case_open(struct core *c, const uint8_t id[CORE_ID_BYTES], uint64_t seq, int64_t at_ms);
enum ieum_err case_set_jurisdiction(struct core_case *k, const char *code) IEUM_MUST_CHECK;

enum ieum_err case_join(struct core *c, uint32_t h, uint32_t mailbox, bool sent) IEUM_MUST_CHECK;
enum ieum_err case_link(struct core_case *k, const uint8_t other[CORE_ID_BYTES],
			uint8_t kind) IEUM_MUST_CHECK;
enum ieum_err case_exclude(struct core_case *k, uint32_t participant) IEUM_MUST_CHECK;

/* contact.c: when the person can be reached, in place of what was said before. */
enum ieum_err case_set_contact(struct core_case *k,
			       const Ieum__V1__SafeContact *from) IEUM_MUST_CHECK;
/* As a message states it; NULL: no memory. */
Ieum__V1__SafeContact *contact_message(struct arena *arena, const struct policy_contact *from);

/* The only place where a case's state changes. */
void case_set_state(struct core *c, uint32_t h, uint8_t state);
/* Something happened in it. */
void case_touch(struct core *c, uint32_t h, int64_t at_ms);

/* It is handed over by the change of this number; then over, taken or not. */
void case_begin_handover(struct core *c, uint32_t h, uint32_t number);
void case_end_handover(struct core *c, uint32_t h);
/* Somebody's part in it ends; the successor has a part already. */
struct ended;
enum ieum_err case_leave(struct core *c, uint32_t h, const struct ended *as) IEUM_MUST_CHECK;

static inline bool case_closed(const struct core_case *k)
{
	return k->state == IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
}

const struct member *case_member(const struct core_case *k, uint32_t mailbox);
bool case_excludes(const struct core_case *k, uint32_t participant);

/* The next deadline of an open task or a clock, 0: none. */
int64_t case_next_due(const struct core *c, const struct core_case *k);

/* Does it rest on a consent that was withdrawn, in its case or of this message? */
bool referral_lacks_consent(const struct core *c, const struct referral *r);

/* Is nothing owed and nothing undelivered any more?  Of a case: and is it closed? */
bool referral_ended(const struct core *c, const struct referral *r);
bool case_ended(const struct core *c, const struct core_case *k);

/* With everything that belongs to its messages. */
void case_forget(struct core *c, uint32_t h);
/* One message with its tasks and deliveries, which have all ended. */
void referral_forget(struct core *c, uint32_t rh);
/* What it has allocated; for core_free(). */
void case_deinit(struct core_case *k);

#endif
