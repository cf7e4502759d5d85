/* Tasks: who owes an answer, until when, and whom to ask next.
 *
 * What always holds: an open task is in its case's list of open ones; one with a deadline is
 * in the heap of clocks; every change of a task's state goes through task_set_state(). */
#ifndef IEUM_BROKER_CORE_TASK_H
#define IEUM_BROKER_CORE_TASK_H

#include "broker/core/state.h"
#include "broker/core/task_state.h"

/* Makes the referral's next task. */
enum ieum_err task_add(struct core *c, uint32_t referral, const Ieum__V1__Task *from,
		       const char *jurisdiction) IEUM_MUST_CHECK;
/* An answer moved it.  JOURNAL_CORRUPT when there is no such task or the state doesn't allow it. */
enum ieum_err task_change(struct core *c, const Ieum__V1__TaskChanged *change) IEUM_MUST_CHECK;
/* Requested again, of nobody who held it before; nothing happens to one that has ended. */
enum ieum_err task_move_clock(struct core *c, const Ieum__V1__ClockMoved *m) IEUM_MUST_CHECK;
/* Its ladder moved on. */
enum ieum_err task_escalate(struct core *c, const Ieum__V1__Escalated *e) IEUM_MUST_CHECK;

/* For a snapshot being read: a task with every field set goes into lists and clocks. */
enum ieum_err task_restore(struct core *c, uint32_t th) IEUM_MUST_CHECK;
/* Memory for the ladder, once; the texts are copied. */
enum ieum_err task_set_ladder(struct task *t, Ieum__V1__Step *const *steps,
			      size_t n) IEUM_MUST_CHECK;
enum ieum_err task_ask(struct task *t, uint32_t mailbox, uint32_t step) IEUM_MUST_CHECK;

/* Whoever takes over answers in the place of the other; its deadline stays. */
void task_pass_on(struct task *t, uint32_t from, uint32_t to);

void task_free(struct core *c, uint32_t th);

/* Did it fail because nobody answered in time, and not by anybody's word?  Then it still takes an
 * answer; not one whose acceptance would do something of its own, because that was given up: a
 * place is somebody else's by now. */
bool task_missed(const struct task *t);
/* The state after an answer, also one that comes after the end; UNSPECIFIED when none is taken. */
Ieum__V1__TaskState task_after(const struct task *t, Ieum__V1__AnswerKind answer);

/* May this mailbox answer? */
bool task_asks(const struct task *t, uint32_t mailbox);
static inline bool task_open(const struct task *t)
{
	return !task_state_ended((Ieum__V1__TaskState)t->state);
}

#endif
