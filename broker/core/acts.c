/* What rules set off: each kind of act goes to the part of the core that carries it out. */
#include <string.h>

#include "broker/core/consent.h"
#include "broker/core/handover.h"
#include "broker/core/occasion.h"
#include "broker/core/placing.h"

#include "broker/core/case_clock_act.h"

/* The case's grade as the decision has it so far. */
static const char *grade_so_far(const struct occasion *o)
{
	const char *is = o->core_case ? case_at(o->c, o->core_case)->grade : "";

	for (size_t i = 0; i < o->d->n_items; i++) {
		const Ieum__V1__Event *e = o->d->items[i].event;
		if (e->what_case == IEUM__V1__EVENT__WHAT_CASE_CHANGED && *e->case_changed->grade &&
		    e->case_changed->case_id.len == CORE_ID_BYTES &&
		    memcmp(e->case_changed->case_id.data, o->case_id.data, CORE_ID_BYTES) == 0)
			is = e->case_changed->grade;
	}
	return *is ? is : "-";
}

/* The case's repeat-risk grade, where it changes. */
static enum ieum_err grade(const struct occasion *o, const char *text)
{
	if (o->case_id.len != CORE_ID_BYTES || strcmp(grade_so_far(o), text) == 0)
		return IEUM_E_OK;
	Ieum__V1__CaseChanged *e = decision_case_changed(o->d, o->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = o->case_id;
	e->grade = (char *)text;
	if (o->referral)
		e->message_id = o->referral->envelope->message_id;
	return IEUM_E_OK;
}

static enum ieum_err carry_out(const struct occasion *o, const struct policy_act *act)
{
	switch (act->kind) {
	case POLICY_ACT_GRADE: return grade(o, act->text);
	case POLICY_ACT_STOP_USE: return consent_stop_use(o);
	case POLICY_ACT_CONSENT: return consent_give(o);
	case POLICY_ACT_CLOCK: return case_clock_act(o, act);
	case POLICY_ACT_HOLD: return placing_hold(o, act);
	case POLICY_ACT_TAKE_PLACE: return placing_take(o);
	case POLICY_ACT_RETURN_PLACE: return placing_return(o);
	case POLICY_ACT_COUNT_PLACES: return placing_count(o);
	case POLICY_ACT_WAIT: return placing_wait(o);
	case POLICY_ACT_OPEN_GATE: return gate_act(o, act->index);
	case POLICY_ACT_ACTIONS: return agenda_decide_actions(o, act->index);
	case POLICY_ACT_AGENDA: return agenda_decide_call(o);
	case POLICY_ACT_PUT_ON_AGENDA: return agenda_decide_put(o);
	case POLICY_ACT_MEETING: return agenda_decide_meeting(o, act);
	case POLICY_ACT_MINUTES: return agenda_decide_minutes(o, act);
	case POLICY_ACT_END_AGENDA: return agenda_decide_end(o);
	case POLICY_ACT_KEEP_SIGNAL: return signals_decide(o, act->index);
	case POLICY_ACT_HAND_OVER: return handover_announce(o);
	case POLICY_ACT_CONFIRM: return handover_confirm(o);
	}
	(void)o;
	return IEUM_E_OK;
}

enum ieum_err acts_carry_out(const struct occasion *o, const struct policy_act *acts, size_t n)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = carry_out(o, &acts[i]);
	return err;
}
