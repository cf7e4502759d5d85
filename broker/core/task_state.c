/* Tables behind task_state.h. */
#include "broker/core/task_state.h"

#define S(state)  [IEUM__V1__TASK_STATE__TASK_STATE_##state]
#define A(answer) [IEUM__V1__ANSWER_KIND__ANSWER_KIND_##answer]

enum {
	NO = IEUM__V1__TASK_STATE__TASK_STATE_UNSPECIFIED, /* not in this state */
	REC = IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED,
	ACC = IEUM__V1__TASK_STATE__TASK_STATE_ACCEPTED,
	REJ = IEUM__V1__TASK_STATE__TASK_STATE_REJECTED,
	PRO = IEUM__V1__TASK_STATE__TASK_STATE_IN_PROGRESS,
	HOL = IEUM__V1__TASK_STATE__TASK_STATE_ON_HOLD,
	COM = IEUM__V1__TASK_STATE__TASK_STATE_COMPLETED,
	FAI = IEUM__V1__TASK_STATE__TASK_STATE_FAILED,
	CAN = IEUM__V1__TASK_STATE__TASK_STATE_CANCELLED,
	ERR = IEUM__V1__TASK_STATE__TASK_STATE_ENTERED_IN_ERROR,
};

/* clang-format off */
/* An accepted request can't be rejected any more, it fails; what has ended can only turn out to
 * have been an error. */
static const unsigned char after[TASK_STATES][TASK_ANSWERS] = {
	/*                     -    received accept reject progress interim more time on hold complete fail cancel error */
	S(UNSPECIFIED)      = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    NO },
	S(REQUESTED)        = { NO, REC,     ACC,   REJ,   PRO,     PRO,    REC,      HOL,    COM,     FAI, CAN,   ERR },
	S(RECEIVED)         = { NO, REC,     ACC,   REJ,   PRO,     PRO,    REC,      HOL,    COM,     FAI, CAN,   ERR },
	S(ACCEPTED)         = { NO, NO,      NO,    NO,    PRO,     PRO,    ACC,      HOL,    COM,     FAI, CAN,   ERR },
	S(REJECTED)         = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    ERR },
	S(IN_PROGRESS)      = { NO, NO,      NO,    NO,    PRO,     PRO,    PRO,      HOL,    COM,     FAI, CAN,   ERR },
	S(ON_HOLD)          = { NO, NO,      ACC,   NO,    PRO,     HOL,    HOL,      NO,     COM,     FAI, CAN,   ERR },
	S(COMPLETED)        = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    ERR },
	S(FAILED)           = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    ERR },
	S(CANCELLED)        = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    ERR },
	S(ENTERED_IN_ERROR) = { NO, NO,      NO,    NO,    NO,      NO,     NO,       NO,     NO,      NO,  NO,    NO },
};

struct meaning {
	bool referrers, takes, needs_reason;
	/* From which kind of clock on it ends it. */
	bool ends_received, ends_decided, ends_completed;
};

/* More time moves a clock instead of ending it, so that the promised time is watched too. */
static const struct meaning meanings[TASK_ANSWERS] = {
	/*                       referrers takes  reason received decided completed */
	A(UNSPECIFIED)      = { false,     false, false, false,   false,  false },
	A(RECEIVED)         = { false,     false, false, true,    false,  false },
	A(ACCEPT)           = { false,     true,  false, true,    true,   false },
	A(REJECT)           = { false,     false, true,  true,    true,   false },
	A(IN_PROGRESS)      = { false,     true,  false, true,    true,   false },
	A(INTERIM)          = { false,     true,  false, true,    true,   false },
	A(NEED_MORE_TIME)   = { false,     false, false, false,   false,  false },
	A(ON_HOLD)          = { false,     true,  true,  true,    false,  false },
	A(COMPLETE)         = { false,     true,  false, true,    true,   true },
	A(FAIL)             = { false,     true,  true,  true,    true,   true },
	A(CANCEL)           = { true,      false, false, true,    true,   true },
	A(ENTERED_IN_ERROR) = { true,      false, false, true,    true,   true },
};
/* clang-format on */

static const struct meaning *meaning_of(Ieum__V1__AnswerKind answer)
{
	return &meanings[(unsigned)answer < TASK_ANSWERS ? answer : 0];
}

Ieum__V1__TaskState task_state_after(Ieum__V1__TaskState state, Ieum__V1__AnswerKind answer)
{
	if ((unsigned)state >= TASK_STATES || (unsigned)answer >= TASK_ANSWERS)
		return IEUM__V1__TASK_STATE__TASK_STATE_UNSPECIFIED;
	return (Ieum__V1__TaskState)after[state][answer];
}

bool task_answer_is_referrers(Ieum__V1__AnswerKind answer)
{
	return meaning_of(answer)->referrers;
}

bool task_answer_takes(Ieum__V1__AnswerKind answer)
{
	return meaning_of(answer)->takes;
}

bool task_answer_needs_reason(Ieum__V1__AnswerKind answer)
{
	return meaning_of(answer)->needs_reason;
}

bool task_state_ended(Ieum__V1__TaskState state)
{
	switch (state) {
	case IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED:
	case IEUM__V1__TASK_STATE__TASK_STATE_RECEIVED:
	case IEUM__V1__TASK_STATE__TASK_STATE_ACCEPTED:
	case IEUM__V1__TASK_STATE__TASK_STATE_IN_PROGRESS:
	case IEUM__V1__TASK_STATE__TASK_STATE_ON_HOLD: return false;
	default: return true;
	}
}

bool task_clock_ends(Ieum__V1__StopsAt stops_at, Ieum__V1__AnswerKind answer)
{
	const struct meaning *m = meaning_of(answer);

	switch (stops_at) {
	case IEUM__V1__STOPS_AT__STOPS_AT_RECEIVED: return m->ends_received;
	case IEUM__V1__STOPS_AT__STOPS_AT_DECIDED: return m->ends_decided;
	default: return m->ends_completed;
	}
}
