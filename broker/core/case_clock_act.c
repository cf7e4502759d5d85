/* Acts on clocks; see case_clock_act.h.
 *
 * One message may act on a clock more than once, because every rule that fits applies.  So each
 * act looks at the case's clocks as the events decided so far will leave them. */
#include "broker/core/case_clock_act.h"

#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"

/* A time that begins later is a slip of the pen, and nobody would be warned of it. */
#define BEGINS_AHEAD_MAX_MS ((int64_t)366 * 24 * 60 * 60 * 1000)

/* One act, and the clocks of that name that are not stopped. */
struct acting {
	const struct occasion *o;
	int index; /* in the policy */
	const struct policy_clock *clock;
	bool by_hub;     /* nobody is there to be refused */
	int64_t from_ms; /* from when one counts that the act starts */
	int64_t acted_at_ms;
	struct case_clock found[CASE_CLOCKS_SAME_MAX];
	size_t n;
	uint32_t n_kept; /* of any name, that the case may not forget */
};

static void keep(struct acting *a, const struct case_clock *k)
{
	if (a->n < CASE_CLOCKS_SAME_MAX)
		a->found[a->n++] = *k;
}

static bool is_of_case(const struct acting *a, const Ieum__V1__ClockChanged *e)
{
	return e->case_id.len == CORE_ID_BYTES &&
	       memcmp(e->case_id.data, a->o->case_id.data, CORE_ID_BYTES) == 0;
}

static void find_decided(struct acting *a, const Ieum__V1__ClockChanged *e)
{
	if (!is_of_case(a, e))
		return;
	if (e->change == CLOCK_CHANGE(STARTED)) {
		struct case_clock k = { .id = e->clock, .outlives_closing = e->outlives_closing };
		a->n_kept++;
		case_clock_change(&k, e);
		if (strcmp(e->name, a->clock->name) == 0)
			keep(a, &k);
		return;
	}
	for (size_t i = 0; i < a->n; i++)
		if (a->found[i].id == e->clock)
			case_clock_change(&a->found[i], e);
}

static void find_clocks(struct acting *a)
{
	const struct core *c = a->o->c;
	uint32_t name = names_find(&c->names, a->clock->name);
	uint32_t h = a->o->core_case ? case_at(c, a->o->core_case)->clocks.head : 0;
	size_t kept = 0;

	for (; h; h = case_clock_at(c, h)->next) {
		const struct case_clock *k = case_clock_at(c, h);
		a->n_kept += !case_clock_spare(k);
		if (case_clock_open(k) && k->name == name)
			keep(a, k);
	}
	for (size_t i = 0; i < a->o->d->n_items; i++)
		if (a->o->d->items[i].event->what_case == IEUM__V1__EVENT__WHAT_CLOCK_CHANGED)
			find_decided(a, a->o->d->items[i].event->clock_changed);
	for (size_t i = 0; i < a->n; i++)
		if (case_clock_open(&a->found[i]))
			a->found[kept++] = a->found[i];
	a->n = kept;
}

/* The one that runs or stands still; NULL: none. */
static const struct case_clock *going(const struct acting *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->found[i].state != CLOCK_STATE(BREACHED))
			return &a->found[i];
	return NULL;
}

/* One runs, or one was breached that this very act had started. */
static bool is_started(const struct acting *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->found[i].state != CLOCK_STATE(BREACHED) ||
		    a->found[i].from_at_ms == a->from_ms)
			return true;
	return false;
}

/* ---- events ---- */

static Ieum__V1__ClockChanged *change(const struct acting *a, const struct case_clock *k,
				      Ieum__V1__ClockChange what)
{
	Ieum__V1__ClockChanged *e = decision_clock_changed(a->o->d, a->o->now);

	if (!e)
		return NULL;
	e->change = what;
	e->case_id = a->o->case_id;
	if (a->o->referral)
		e->message_id = a->o->referral->envelope->message_id;
	if (k)
		e->clock = k->id;
	return e;
}

static enum ieum_err set_warnings(struct core_decision *d, Ieum__V1__ClockChanged *e,
				  const int64_t *warn_ms, size_t n, int64_t now_ms)
{
	e->warn_at_ms = decision_zalloc(d, (n + 1) * sizeof *e->warn_at_ms);
	if (!e->warn_at_ms)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		if (warn_ms[i] > now_ms)
			e->warn_at_ms[e->n_warn_at_ms++] = warn_ms[i];
	return IEUM_E_OK;
}

enum ieum_err case_clock_round(struct core_decision *d, const struct policy *p, int index,
			       int64_t began_ms, int64_t from_ms, int64_t now_ms,
			       Ieum__V1__ClockChanged *e)
{
	int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX];
	int64_t end_ms = policy_clock_round(p, index, &began_ms, from_ms);
	size_t n = policy_clock_warnings(p, index, began_ms, from_ms, end_ms, warn_ms);

	if (began_ms != from_ms)
		e->began_at_ms = began_ms;
	e->from_at_ms = from_ms;
	e->due_at_ms = end_ms;
	return set_warnings(d, e, warn_ms, n, now_ms);
}

/* ---- acts ---- */

/* Did somebody send the message that all of it follows from, and can be refused?  When time has
 * passed, whoever decides tells the case's owner what could not be done. */
static bool is_asked_for(const struct core_decision *d)
{
	const Ieum__V1__Event *first = d->n_items ? d->items[0].event : NULL;

	return first && first->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED &&
	       first->submitted->sender != 0;
}

static enum ieum_err start(struct acting *a)
{
	const struct occasion *o = a->o;

	if (a->n_kept >= CASE_CLOCKS_MAX - (is_asked_for(o->d) ? CASE_CLOCKS_OF_HUB : 0U))
		return decision_refuse(o->d, IEUM_E_HUB_FULL,
				       "clock '%s': the case has as many clocks as it may",
				       a->clock->name);
	if (!a->by_hub && a->from_ms > o->now_ms + BEGINS_AHEAD_MAX_MS)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "clock '%s' would begin more than a year from now: see the "
				       "times in the message",
				       a->clock->name);
	/* That it was breached stays known. */
	if (a->n == CASE_CLOCKS_SAME_MAX && !change(a, &a->found[0], CLOCK_CHANGE(STOPPED)))
		return IEUM_E_NO_MEMORY;
	Ieum__V1__ClockChanged *e = change(a, NULL, CLOCK_CHANGE(STARTED));
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->clock = decision_seq(o->c, o->d) << CORE_ROUTE_BITS;
	e->name = (char *)a->clock->name;
	e->started_by_id = e->message_id;
	e->outlives_closing = a->clock->outlives_closing;
	e->ends_well = a->clock->repeats || a->clock->expires;
	return case_clock_round(o->d, o->p, a->index, a->from_ms, a->from_ms, o->now_ms, e);
}

/* What ended before the act, though nobody looked until now, was breached first. */
static enum ieum_err breach_overdue(struct acting *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct case_clock *k = &a->found[i];
		if (!case_clock_runs(k) || k->due_at_ms > a->acted_at_ms || a->clock->repeats ||
		    a->clock->expires)
			continue;
		Ieum__V1__ClockChanged *e = change(a, k, CLOCK_CHANGE(BREACHED));
		if (!e)
			return IEUM_E_NO_MEMORY;
		case_clock_change(k, e);
	}
	return IEUM_E_OK;
}

static enum ieum_err start_anew(struct acting *a)
{
	enum ieum_err err = breach_overdue(a);

	return err || is_started(a) ? err : start(a);
}

/* What the hub itself sends is no traffic. */
static enum ieum_err restart(struct acting *a)
{
	const struct occasion *o = a->o;

	if (a->by_hub)
		return IEUM_E_OK;
	enum ieum_err err = breach_overdue(a);
	if (err)
		return err;
	const struct case_clock *k = going(a);
	for (size_t i = 0; i < a->n; i++)
		if (a->found[i].state == CLOCK_STATE(BREACHED) &&
		    !change(a, &a->found[i], CLOCK_CHANGE(STOPPED)))
			return IEUM_E_NO_MEMORY;
	if (!k) {
		a->n = 0;
		return start(a);
	}
	/* Told late, of something before that from which it counts. */
	if (a->from_ms < k->from_at_ms)
		return IEUM_E_OK;
	Ieum__V1__ClockChanged *e = change(a, k, CLOCK_CHANGE(RESTARTED));
	if (!e)
		return IEUM_E_NO_MEMORY;
	return case_clock_round(o->d, o->p, a->index, a->from_ms, a->from_ms, o->now_ms, e);
}

static enum ieum_err stop(struct acting *a)
{
	enum ieum_err err = breach_overdue(a);

	if (err)
		return err;
	for (size_t i = 0; i < a->n; i++)
		if (!change(a, &a->found[i], CLOCK_CHANGE(STOPPED)))
			return IEUM_E_NO_MEMORY;
	return IEUM_E_OK;
}

/* What is left counts from the act: one that was done in time stops the time also when the hub
 * hears of it too late. */
static enum ieum_err freeze(struct acting *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct case_clock *k = &a->found[i];
		int64_t at_ms = a->acted_at_ms < k->from_at_ms ? k->from_at_ms : a->acted_at_ms;
		if (k->state == CLOCK_STATE(FROZEN) || at_ms >= k->due_at_ms)
			continue;
		Ieum__V1__ClockChanged *e = change(a, k, CLOCK_CHANGE(FROZEN));
		if (!e)
			return IEUM_E_NO_MEMORY;
		e->left_ms = k->due_at_ms - at_ms;
		enum ieum_err err = set_warnings(a->o->d, e, k->warn_at_ms, k->n_warn, 0);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static enum ieum_err resume(struct acting *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct case_clock *k = &a->found[i];
		int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX];
		size_t n_warn = k->n_warn;
		int64_t frozen_ms = k->due_at_ms - k->left_ms;
		if (k->state != CLOCK_STATE(FROZEN))
			continue;
		Ieum__V1__ClockChanged *e = change(a, k, CLOCK_CHANGE(RESUMED));
		if (!e)
			return IEUM_E_NO_MEMORY;
		e->due_at_ms =
			frozen_ms > a->acted_at_ms ? k->due_at_ms : a->acted_at_ms + k->left_ms;
		for (size_t n = 0; n < n_warn; n++)
			warn_ms[n] = k->warn_at_ms[n] + (e->due_at_ms - k->due_at_ms);
		enum ieum_err err = set_warnings(a->o->d, e, warn_ms, n_warn, a->o->now_ms);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static enum ieum_err refuse_extension(const struct acting *a, const char *why, const char *days)
{
	if (a->by_hub)
		return IEUM_E_OK;
	return decision_refuse(a->o->d, IEUM_E_STATE_CONFLICT, "clock '%s' gets no more time: %s%s",
			       a->clock->name, why, days);
}

static enum ieum_err extend(struct acting *a)
{
	const struct occasion *o = a->o;
	const struct case_clock *k = going(a);
	int64_t warn_ms[POLICY_CLOCK_WARNINGS_MAX];

	if (!k)
		return refuse_extension(a, a->n ? "it is over" : "it does not run in this case",
					"");
	if (k->extensions >= a->clock->extensions_max)
		return refuse_extension(a, "it has had all that it may get", "");
	int64_t end_ms = policy_clock_extended(o->p, a->index, k->from_at_ms, k->due_at_ms);
	if (!end_ms)
		return refuse_extension(a, "its time includes no ",
					policy_clock_days(o->p, a->index));
	Ieum__V1__ClockChanged *e = change(a, k, CLOCK_CHANGE(EXTENDED));
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->due_at_ms = end_ms;
	e->extensions = k->extensions + 1;
	if (k->state == CLOCK_STATE(FROZEN))
		e->left_ms = k->left_ms + end_ms - k->due_at_ms;
	size_t n = policy_clock_warnings(o->p, a->index, k->began_at_ms, k->from_at_ms, end_ms,
					 warn_ms);
	return set_warnings(o->d, e, warn_ms, n,
			    k->state == CLOCK_STATE(FROZEN) ? k->due_at_ms - k->left_ms
							    : o->now_ms);
}

/* Is the case closed already, or by what was decided so far, so that the clock has ended with it? */
static bool ended_with_case(const struct acting *a)
{
	return !a->clock->outlives_closing &&
	       decision_case_state(a->o->c, a->o->d, a->o->case_id.data, NULL) ==
		       IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
}

/* A time that nobody would keep must not seem to run; but in no case nothing has to be stopped. */
static bool needs_case(const struct policy_act *act)
{
	return act->verb == (int)CLOCK_CHANGE(STARTED) ||
	       act->verb == (int)CLOCK_CHANGE(RESTARTED) ||
	       act->verb == (int)CLOCK_CHANGE(EXTENDED);
}

/* When it was done: never ahead, and for a clock that counts what the hub hears, now. */
static int64_t acted_at(const struct acting *a, const struct policy_act *act)
{
	int64_t stated_ms = policy_acted_at(act, a->o->referral);
	int64_t at_ms = stated_ms ? stated_ms : a->o->occurred_at_ms;

	return a->clock->from_received || at_ms > a->o->now_ms ? a->o->now_ms : at_ms;
}

enum ieum_err case_clock_again(const struct occasion *o, int index, const struct case_clock *k)
{
	struct acting a = {
		.o = o, .index = index, .clock = policy_clock(o->p, index), .by_hub = true
	};
	int64_t from_ms = k->due_at_ms;
	bool stopped = true;

	if (ended_with_case(&a))
		return IEUM_E_OK;
	find_clocks(&a);
	for (size_t i = 0; i < a.n; i++)
		stopped &= a.found[i].id != k->id;
	if (stopped || going(&a))
		return IEUM_E_OK;
	Ieum__V1__ClockChanged *e = change(&a, k, CLOCK_CHANGE(RESTARTED));
	if (!e)
		return IEUM_E_NO_MEMORY;
	/* What went by while the hub was down is one breach. */
	if (policy_clock_end(o->p, index, from_ms) <= o->now_ms)
		from_ms = o->now_ms;
	return case_clock_round(o->d, o->p, index, from_ms, from_ms, o->now_ms, e);
}

enum ieum_err case_clock_act(const struct occasion *o, const struct policy_act *act)
{
	struct acting a = { .o = o,
			    .index = act->index,
			    .clock = policy_clock(o->p, act->index),
			    .by_hub = !o->participant };

	if (!o->case_id.len && !a.by_hub && needs_case(act))
		return decision_refuse(
			o->d, IEUM_E_FIELD_MISSING,
			"envelope.case_id: rule '%s' needs a case for its clock '%s'", act->rule,
			a.clock->name);
	if (!o->case_id.len || ended_with_case(&a))
		return IEUM_E_OK;
	a.acted_at_ms = acted_at(&a, act);
	a.from_ms = policy_clock_from(o->p, act->index, o->referral, o->occurred_at_ms, o->now_ms);
	find_clocks(&a);
	switch (act->verb) {
	case CLOCK_CHANGE(STARTED): return start_anew(&a);
	case CLOCK_CHANGE(RESTARTED): return restart(&a);
	case CLOCK_CHANGE(STOPPED): return stop(&a);
	case CLOCK_CHANGE(FROZEN): return freeze(&a);
	case CLOCK_CHANGE(RESUMED): return resume(&a);
	case CLOCK_CHANGE(EXTENDED): return extend(&a);
	default: return IEUM_E_INTERNAL;
	}
}
