/* What ends when: clocks and requests of the caller's cases in order of time, and the clocks of one
 * case.
 *
 * The lists are the hub's, in order of time; a page walks along one of them, looks at a bounded
 * number and shows what the caller may see.  So a page may be short, or empty, and not the last. */
#include <string.h>

#include "broker/core/case_clock.h"
#include "broker/core/cases.h"
#include "broker/core/task.h"
#include "broker/core/view.h"

enum { DEADLINES_LOOKED_MAX = 2000 };

static void put_clock(const struct viewing *w, const struct case_clock *k, Ieum__V1__ClockView *out)
{
	const char *name = names_text(&w->c->names, k->name);
	const struct policy_clock *clock = policy_clock(w->p, policy_find_clock(w->p, name));

	*out = (Ieum__V1__ClockView)IEUM__V1__CLOCK_VIEW__INIT;
	out->name = view_text(name);
	out->state = (Ieum__V1__ClockState)k->state;
	out->due_at_ms = k->state == CLOCK_STATE(FROZEN) ? 0 : k->due_at_ms;
	out->left_ms = k->left_ms;
	out->extensions = k->extensions;
	out->started_by_id = view_id(k->started_by);
	out->breached_at_ms = k->breached_at_ms;
	out->case_id = view_id(case_at(w->c, k->core_case)->id);
	if (clock) {
		out->title_en = view_text(clock->title_en);
		out->title_ko = view_text(clock->title_ko);
	}
}

enum ieum_err view_case_clocks(struct viewing *w, const struct core_case *of,
			       Ieum__V1__CaseResult *r)
{
	Ieum__V1__ClockView *rows = view_alloc(w, of->n_clocks * sizeof *rows);

	r->clocks = view_alloc(w, of->n_clocks * sizeof *r->clocks);
	if (!rows || !r->clocks)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = of->clocks.head; h; h = case_clock_at(w->c, h)->next) {
		put_clock(w, case_clock_at(w->c, h), &rows[r->n_clocks]);
		r->clocks[r->n_clocks] = &rows[r->n_clocks];
		r->n_clocks++;
	}
	return IEUM_E_OK;
}

/* ---- in order of time ---- */

/* The case that it belongs to, 0: none. */
static uint32_t case_of(const struct core *c, const struct deadline *at)
{
	return at->is_task ? referral_at(c, task_at(c, at->item)->referral)->core_case
			   : case_clock_at(c, at->item)->core_case;
}

/* A request of no case is for who made it and for who is asked. */
static bool is_own_request(const struct viewing *w, const struct task *t)
{
	if (referral_at(w->c, t->referral)->sender == w->who.participant)
		return true;
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (caller_consumes(w->c, w->p, &w->who, t->asked[i].mailbox))
			return true;
	return false;
}

/* Whether the caller takes part is looked up mailbox by mailbox among the members. */
static uint32_t look_costs(const struct viewing *w, const struct deadline *at)
{
	enum { MEMBERS_PER_LOOK = 16 }; /* they lie side by side */
	uint32_t ch = case_of(w->c, at);
	uint32_t members = ch ? case_at(w->c, ch)->n_members : 0;

	return 1 + (uint32_t)w->who.who->n_mailboxes * members / MEMBERS_PER_LOOK;
}

static bool may_see(const struct viewing *w, const struct deadline *at)
{
	uint32_t ch = case_of(w->c, at);

	if (!ch)
		return is_own_request(w, task_at(w->c, at->item));
	if (view_is_narrow(w, case_at(w->c, ch)) &&
	    (!at->is_task || !is_own_request(w, task_at(w->c, at->item))))
		return false;
	return !case_excludes(case_at(w->c, ch), w->who.participant) &&
	       caller_reads_case(w->p, &w->who, case_at(w->c, ch));
}

static Ieum__V1__DeadlineEntry *make_entry(struct viewing *w, const struct deadline *at)
{
	uint32_t ch = case_of(w->c, at);
	Ieum__V1__DeadlineEntry *e = view_alloc(w, sizeof *e);
	Ieum__V1__ClockView *clock = at->is_task ? NULL : view_alloc(w, sizeof *clock);
	Ieum__V1__TaskView *task = at->is_task ? view_alloc(w, sizeof *task) : NULL;

	if (!e || (!clock && !task))
		return NULL;
	*e = (Ieum__V1__DeadlineEntry)IEUM__V1__DEADLINE_ENTRY__INIT;
	e->due_at_ms = at->at_ms;
	if (ch)
		e->case_id = view_id(case_at(w->c, ch)->id);
	if (task) {
		const struct task *t = task_at(w->c, at->item);
		const struct referral *r = referral_at(w->c, t->referral);
		e->message_id = view_id(r->id);
		e->type = (Ieum__V1__MessageType)r->type;
		if (view_task(w, t, task))
			return NULL;
		e->task = task;
	} else {
		put_clock(w, case_clock_at(w->c, at->item), clock);
		e->clock = clock;
	}
	return e;
}

enum ieum_err view_deadlines(struct viewing *w, const Ieum__V1__DeadlinesQuery *q)
{
	const struct deadlines *list = q->breached ? &w->c->breaches : &w->c->ending;
	Ieum__V1__DeadlinesResult *r = view_alloc(w, sizeof *r);
	const struct deadline *at = deadlines_after(list, (int64_t)w->cursor, w->tie);

	if (!r)
		return IEUM_E_NO_MEMORY;
	*r = (Ieum__V1__DeadlinesResult)IEUM__V1__DEADLINES_RESULT__INIT;
	w->v->result->what_case = IEUM__V1__RESULT__WHAT_DEADLINES;
	w->v->result->deadlines = r;
	r->entries = view_alloc(w, w->rows * sizeof *r->entries);
	if (!r->entries)
		return IEUM_E_NO_MEMORY;
	for (; at; at = deadlines_next(at)) {
		if (r->n_entries == w->rows || w->looked >= DEADLINES_LOOKED_MAX)
			return view_more_at(w, w->cursor, w->tie);
		w->looked += look_costs(w, at);
		if (may_see(w, at)) {
			r->entries[r->n_entries] = make_entry(w, at);
			if (!r->entries[r->n_entries++])
				return IEUM_E_NO_MEMORY;
		}
		w->cursor = (uint64_t)at->at_ms;
		w->tie = at->tie;
	}
	return IEUM_E_OK;
}
