/* The state machine of a request (FHIR R4 Task.status): what each answer does in each state.
 *
 *     REQUESTED ─► RECEIVED ─► ACCEPTED ─► IN_PROGRESS ─► COMPLETED
 *         │            │           │ ▲          │ ▲
 *         ├────────────┴───────────┴─┼► ON_HOLD ┴─┘
 *         │                          └── (every step may be left out)
 *         └─► REJECTED (nobody left to ask), FAILED, CANCELLED, ENTERED_IN_ERROR
 *
 * Whoever is asked says received … fail; the referrer says cancel and entered_in_error.
 * Pure functions over constant tables. */
#ifndef IEUM_BROKER_CORE_TASK_STATE_H
#define IEUM_BROKER_CORE_TASK_STATE_H

#include <stdbool.h>

#include "ieum/v1/event.pb-c.h"
#include "ieum/v1/types.pb-c.h"

enum {
	TASK_STATES = IEUM__V1__TASK_STATE__TASK_STATE_ENTERED_IN_ERROR + 1,
	TASK_ANSWERS = IEUM__V1__ANSWER_KIND__ANSWER_KIND_ENTERED_IN_ERROR + 1,
};

/* The state after an answer; UNSPECIFIED when this state doesn't allow it.  REJECTED for a
 * reject: whether somebody else is asked then is the ladder's matter. */
Ieum__V1__TaskState task_state_after(Ieum__V1__TaskState state, Ieum__V1__AnswerKind answer);

/* Is it the referrer who may say this, and nobody else? */
bool task_answer_is_referrers(Ieum__V1__AnswerKind answer);

/* Does it take the request on, so that nobody else may? */
bool task_answer_takes(Ieum__V1__AnswerKind answer);

/* Must it carry a reason? */
bool task_answer_needs_reason(Ieum__V1__AnswerKind answer);

/* Is nothing owed any more? */
bool task_state_ended(Ieum__V1__TaskState state);

/* Does this answer end the clock? */
bool task_clock_ends(Ieum__V1__StopsAt stops_at, Ieum__V1__AnswerKind answer);

#endif
