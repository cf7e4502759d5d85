/* Clocks that warn and end; see case_clock_due.h.
 *
 * Nothing here may fail for what a policy says, or the clock would never get past its moment: when
 * what its end is to do can't be done, the case's owner is told and that is all. */
#include "broker/core/case_clock_due.h"

#include "broker/core/case_clock.h"
#include "broker/core/case_clock_act.h"
#include "broker/core/submit.h"

/* Rounds of a schedule that are passed over at most, after the hub was down: then it counts anew
 * from now. */
enum { ROUNDS_MAX = 1000 };

struct ending {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	int64_t now_ms;
	const struct case_clock *k;
	int index;                        /* in the policy, POLICY_NONE: it is there no more */
	const struct policy_clock *clock; /* or NULL */
	const char *name;
	bool ends; /* else it warns */
	struct occasion o;
};

/* ---- the event ---- */

/* What is due several times over is one warning. */
static enum ieum_err warn(const struct ending *w, Ieum__V1__ClockChanged *e)
{
	e->change = CLOCK_CHANGE(WARNED);
	e->warn_at_ms = decision_zalloc(w->d, sizeof w->k->warn_at_ms);
	if (!e->warn_at_ms)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < w->k->n_warn; i++)
		if (w->k->warn_at_ms[i] > w->now_ms)
			e->warn_at_ms[e->n_warn_at_ms++] = w->k->warn_at_ms[i];
	return IEUM_E_OK;
}

static enum ieum_err begin_again(const struct ending *w, Ieum__V1__ClockChanged *e)
{
	int64_t began_ms = w->k->began_at_ms;
	int64_t from_ms = w->k->due_at_ms;
	int64_t end_ms = policy_clock_round(w->p, w->index, &began_ms, from_ms);

	for (int rounds = 0; end_ms <= w->now_ms; rounds++) {
		from_ms = rounds < ROUNDS_MAX ? end_ms : w->now_ms;
		end_ms = policy_clock_round(w->p, w->index, &began_ms, from_ms);
	}
	e->change = CLOCK_CHANGE(RESTARTED);
	return case_clock_round(w->d, w->p, w->index, began_ms, from_ms, w->now_ms, e);
}

static enum ieum_err change_clock(const struct ending *w, Ieum__V1__ClockChanged **out)
{
	Ieum__V1__ClockChanged *e = decision_clock_changed(w->d, w->now);

	if (!e)
		return IEUM_E_NO_MEMORY;
	*out = e;
	e->clock = w->k->id;
	e->case_id = w->o.case_id;
	if (!w->ends)
		return warn(w, e);
	if (w->clock && w->clock->repeats)
		return begin_again(w, e);
	bool well = w->clock ? w->clock->expires : w->k->ends_well;
	e->change = well ? CLOCK_CHANGE(STOPPED) : CLOCK_CHANGE(BREACHED);
	return IEUM_E_OK;
}

/* ---- who is told ---- */

static enum ieum_err tell_all(const struct ending *w, struct hub_message *m,
			      const char *const *addresses, size_t n)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = hub_message_address(&w->o, m, addresses[i],
					  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	return err;
}

static struct hub_message *make_notice(const struct ending *w, Ieum__V1__ClockChange change)
{
	struct hub_message *m =
		hub_message_new(&w->o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE);

	if (!m)
		return NULL;
	Ieum__V1__DeadlineNotice *body = m->referral.deadline_notice;
	body->clock = (char *)w->name;
	body->change = change;
	body->due_at_ms = w->k->due_at_ms;
	body->started_by_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)w->k->started_by };
	m->envelope.urgency = IEUM__V1__URGENCY__URGENCY_IMMEDIATE;
	m->envelope.occurred_at_ms = w->ends ? w->k->due_at_ms : w->now_ms;
	if (w->clock)
		m->envelope.urgency = w->ends ? w->clock->breach_urgency : w->clock->urgency;
	return m;
}

static bool names_whom(const struct ending *w)
{
	return w->clock && (w->clock->n_tells > 0 || (w->ends && w->clock->n_breach_tells > 0));
}

/* `plainly`: the case's owner, whatever else the policy says. */
static enum ieum_err tell(const struct ending *w, Ieum__V1__ClockChange change, bool plainly)
{
	static const char *const owner[] = { "case_owner" };
	struct hub_message *m = make_notice(w, change);
	enum ieum_err err = IEUM_E_OK;

	if (!m)
		return IEUM_E_NO_MEMORY;
	if (!plainly && !names_whom(w))
		return hub_message_by_rules(&w->o, m);
	if (!plainly)
		err = tell_all(w, m, w->clock->tells, w->clock->n_tells);
	if (!err && !plainly && w->ends)
		err = tell_all(w, m, w->clock->breach_tells, w->clock->n_breach_tells);
	if (!err && m->e->n_routes == 0)
		err = tell_all(w, m, owner, 1);
	if (!err)
		err = hub_message_to_duty(&w->o, m);
	return err ? err : hub_message_end(&w->o, m);
}

/* A schedule that comes round is told by what it sends, where that is all it does. */
static bool is_told(const struct ending *w)
{
	bool comes_round = w->ends && w->clock && w->clock->repeats;

	return !comes_round || w->clock->n_tells > 0;
}

/* ---- what its end does ---- */

static enum ieum_err change_case(const struct ending *w)
{
	bool closes = w->clock->case_state == IEUM__V1__CASE_STATE__CASE_STATE_CLOSED &&
		      decision_case_state(w->c, w->d, w->o.case_id.data, NULL) !=
			      IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;

	if (!w->clock->case_state && !w->clock->grade)
		return IEUM_E_OK;
	Ieum__V1__CaseChanged *e = decision_case_changed(w->d, w->now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_id = w->o.case_id;
	e->state = w->clock->case_state;
	e->grade = (char *)(w->clock->grade ? w->clock->grade : "");
	return closes ? outcome_of_case(&w->o, IEUM__V1__REASON__REASON_UNSPECIFIED) : IEUM_E_OK;
}

static enum ieum_err follow(const struct ending *w)
{
	enum ieum_err err = IEUM_E_OK;

	if (!w->ends || !w->clock)
		return IEUM_E_OK;
	for (size_t i = 0; i < w->clock->n_emits && !err; i++)
		err = hub_message_emit(&w->o, &w->clock->emits[i]);
	return err ? err : change_case(w);
}

static enum ieum_err fire(const struct ending *w, bool plainly)
{
	Ieum__V1__ClockChanged *e = NULL;
	enum ieum_err err = change_clock(w, &e);

	if (!err && (plainly || is_told(w)))
		err = tell(w, e->change, plainly);
	if (!err && !plainly)
		err = follow(w);
	if (!err && !plainly && w->clock && w->clock->begins_again &&
	    e->change == CLOCK_CHANGE(BREACHED))
		err = case_clock_again(&w->o, w->index, w->k);
	return err;
}

enum ieum_err case_clock_due(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->case_clocks.next);
	struct ending w = { .c = c, .p = p, .d = d, .now = now, .now_ms = to_ms(now) };

	if (!first || (int64_t)first->key > w.now_ms)
		return IEUM_E_OK;
	w.k = case_clock_at(c, first->item);
	w.name = names_text(&c->names, w.k->name);
	w.index = policy_find_clock(p, w.name);
	w.clock = policy_clock(p, w.index);
	w.ends = w.k->due_at_ms <= w.now_ms;
	enum ieum_err err = occasion_of_time(c, p, d, now, w.k->core_case, &w.o);
	if (!err)
		err = fire(&w, false);
	if (err) {
		d->n_items = 0;
		err = fire(&w, true);
	}
	return err;
}
