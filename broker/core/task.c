/* Tasks; see task.h. */
#include "broker/core/task.h"

#include <stdlib.h>
#include <string.h>

static enum ieum_err task_set_due(struct core *c, uint32_t th, int64_t due_at_ms)
{
	struct task *t = task_at(c, th);
	uint64_t tie = referral_at(c, t->referral)->seq << 8 | t->index;

	t->due_at_ms = due_at_ms;
	enum ieum_err err = deadlines_set(
		&c->ending, &t->ending,
		&(struct deadline){ .at_ms = due_at_ms, .tie = tie, .item = th, .is_task = true });
	if (err)
		return err;
	if (due_at_ms && t->place)
		heap_rekey(&c->clocks, t->place, (uint64_t)due_at_ms, tie);
	else if (due_at_ms)
		return heap_push(&c->clocks, (uint64_t)due_at_ms, tie, th);
	else if (t->place)
		heap_remove(&c->clocks, t->place);
	return IEUM_E_OK;
}

static void case_list_add(struct core *c, uint32_t th)
{
	struct task *t = task_at(c, th);
	uint32_t ch = referral_at(c, t->referral)->core_case;

	if (!ch)
		return;
	struct core_case *k = case_at(c, ch);
	t->case_prev = k->open.tail;
	t->case_next = 0;
	*(k->open.tail ? &task_at(c, k->open.tail)->case_next : &k->open.head) = th;
	k->open.tail = th;
	k->n_open++;
}

static void case_list_remove(struct core *c, uint32_t th)
{
	struct task *t = task_at(c, th);
	uint32_t ch = referral_at(c, t->referral)->core_case;

	if (!ch)
		return;
	struct core_case *k = case_at(c, ch);
	*(t->case_prev ? &task_at(c, t->case_prev)->case_next : &k->open.head) = t->case_next;
	*(t->case_next ? &task_at(c, t->case_next)->case_prev : &k->open.tail) = t->case_prev;
	t->case_prev = t->case_next = 0;
	k->n_open--;
}

/* The only place where a task's state and deadline change. */
static enum ieum_err task_set_state(struct core *c, uint32_t th, uint8_t state, int64_t due_at_ms)
{
	struct task *t = task_at(c, th);
	bool was_open = task_open(t);

	t->state = state;
	if (was_open && !task_open(t))
		case_list_remove(c, th);
	if (!was_open && task_open(t))
		case_list_add(c, th);
	return task_set_due(c, th, task_open(t) ? due_at_ms : 0);
}

enum ieum_err task_ask(struct task *t, uint32_t mailbox, uint32_t step)
{
	for (uint32_t i = 0; i < t->n_asked; i++) {
		if (t->asked[i].mailbox == mailbox) {
			t->asked[i].step = step;
			return IEUM_E_OK;
		}
	}
	if (t->n_asked == CORE_ASKED_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	struct asked *asked = realloc(t->asked, (t->n_asked + 1) * sizeof *asked);
	if (!asked)
		return IEUM_E_NO_MEMORY;
	t->asked = asked;
	asked[t->n_asked++] = (struct asked){ .mailbox = mailbox, .step = step };
	return IEUM_E_OK;
}

bool task_asks(const struct task *t, uint32_t mailbox)
{
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].mailbox == mailbox)
			return true;
	return false;
}

bool task_missed(const struct task *t)
{
	return t->state == IEUM__V1__TASK_STATE__TASK_STATE_FAILED &&
	       t->answer != IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL && !t->effect && !t->approval &&
	       !t->awaits;
}

Ieum__V1__TaskState task_after(const struct task *t, Ieum__V1__AnswerKind answer)
{
	bool late = task_missed(t) && !task_answer_is_referrers(answer);

	return task_state_after(late ? IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED
				     : (Ieum__V1__TaskState)t->state,
				answer);
}

static void task_unask(struct task *t, uint32_t mailbox)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].mailbox != mailbox)
			t->asked[kept++] = t->asked[i];
	t->n_asked = kept;
}

void task_pass_on(struct task *t, uint32_t from, uint32_t to)
{
	if (t->holder == from)
		t->holder = to;
	if (task_asks(t, to))
		task_unask(t, from);
	for (uint32_t i = 0; i < t->n_asked; i++)
		if (t->asked[i].mailbox == from)
			t->asked[i].mailbox = to;
}

enum ieum_err task_set_ladder(struct task *t, Ieum__V1__Step *const *steps, size_t n)
{
	size_t bytes = n * sizeof(struct step);

	if (n == 0)
		return IEUM_E_OK;
	if (n > POLICY_STEPS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < n; i++)
		bytes += strlen(steps[i]->to) + strlen(steps[i]->within) + 2;
	t->ladder = malloc(bytes);
	if (!t->ladder)
		return IEUM_E_NO_MEMORY;
	char *text = (char *)(t->ladder + n);
	for (size_t i = 0; i < n; i++) {
		struct step *s = &t->ladder[i];
		s->to = text;
		text = stpcpy(text, steps[i]->to) + 1;
		s->within = text;
		text = stpcpy(text, steps[i]->within) + 1;
		s->due_at_ms = steps[i]->due_at_ms;
		s->on_silence_only = steps[i]->on_silence_only;
		s->on_rejection_only = steps[i]->on_rejection_only;
		s->repeats = steps[i]->repeats;
	}
	t->n_ladder = (uint16_t)n;
	return IEUM_E_OK;
}

/* Last in the referral's list: a referral has at most POLICY_TASKS_MAX. */
static enum ieum_err referral_append_task(struct core *c, uint32_t referral, uint32_t th)
{
	uint32_t *link = &referral_at(c, referral)->first_task;
	uint8_t index = 0;

	for (; *link; link = &task_at(c, *link)->next)
		index++;
	if (index >= POLICY_TASKS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	*link = th;
	task_at(c, th)->referral = referral;
	task_at(c, th)->index = index;
	return IEUM_E_OK;
}

enum ieum_err task_add(struct core *c, uint32_t referral, const Ieum__V1__Task *from,
		       const char *jurisdiction)
{
	uint32_t th = slab_get(&c->tasks);

	if (!th)
		return IEUM_E_NO_MEMORY;
	struct task *t = task_at(c, th);
	enum ieum_err err = referral_append_task(c, referral, th);
	t->state = IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED;
	t->stops_at = (uint8_t)from->stops_at;
	t->effect = (uint8_t)from->effect;
	t->effect_reason = (uint8_t)from->effect_reason;
	t->blocks_closing = from->blocks_closing;
	t->rejection_ends = from->rejection_ends;
	t->awaits = (uint8_t)from->awaits;
	int64_t at_ms = to_ms(referral_at(c, referral)->at_us);
	t->within_ms = from->due_at_ms > at_ms ? from->due_at_ms - at_ms : 0;
	memcpy(t->jurisdiction, jurisdiction, strnlen(jurisdiction, sizeof t->jurisdiction - 1));
	for (size_t i = 0; i < from->n_asked && !err; i++)
		err = task_ask(t, from->asked[i], 0);
	if (!err)
		err = task_set_ladder(t, from->ladder, from->n_ladder);
	if (!err)
		err = approval_new(from, &t->approval);
	t->due_at_ms = from->due_at_ms;
	return err ? err : task_restore(c, th);
}

enum ieum_err task_restore(struct core *c, uint32_t th)
{
	if (!task_open(task_at(c, th)))
		return IEUM_E_OK;
	case_list_add(c, th);
	return task_set_due(c, th, task_at(c, th)->due_at_ms);
}

static uint32_t find_task(const struct core *c, const ProtobufCBinaryData *id, uint32_t index)
{
	if (id->len != CORE_ID_BYTES)
		return 0;
	uint32_t rh = state_referral(c, id->data);
	uint32_t th = rh ? referral_at(c, rh)->first_task : 0;
	while (th && task_at(c, th)->index != index)
		th = task_at(c, th)->next;
	return th;
}

enum ieum_err task_change(struct core *c, const Ieum__V1__TaskChanged *change)
{
	uint32_t th = find_task(c, &change->message_id, change->task);

	if (!th)
		return IEUM_E_JOURNAL_CORRUPT;
	struct task *t = task_at(c, th);
	if (!task_after(t, change->answer) || (unsigned)change->state >= TASK_STATES ||
	    !change->state)
		return IEUM_E_JOURNAL_CORRUPT;
	if (task_missed(t))
		t->reason = 0; /* that nobody was to be reached is true no more */
	if (change->outcome)
		t->outcome = (uint8_t)change->outcome;
	if (change->reason)
		t->reason = (uint8_t)change->reason;
	if (change->answer)
		t->answer = (uint8_t)change->answer;
	if (change->answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_NEED_MORE_TIME)
		t->more_times = (uint8_t)(t->more_times + (t->more_times < UINT8_MAX));
	enum ieum_err err = IEUM_E_OK;
	if (change->rejected) {
		task_unask(t, change->by);
		if (t->holder == change->by)
			t->holder = 0; /* whoever says next that it takes it on has it */
		/* It stays known whose word it was that ended it. */
		if (change->state == IEUM__V1__TASK_STATE__TASK_STATE_REJECTED)
			t->holder = change->by;
		if (change->accepted_by)
			err = approval_take_back(t->approval, change->accepted_by);
	} else if (change->accepted_by) {
		err = approval_add(t->approval, change->accepted_by);
	} else if (task_answer_takes(change->answer) && t->holder != change->by) {
		t->holder = change->by;
		t->held_at = t->steps_used;
	}
	return err ? err
		   : task_set_state(c, th, (uint8_t)change->state,
				    change->due_at_ms < 0 ? t->due_at_ms : change->due_at_ms);
}

enum ieum_err task_move_clock(struct core *c, const Ieum__V1__ClockMoved *m)
{
	uint32_t th = find_task(c, &m->message_id, m->task);

	if (!th || m->due_at_ms <= 0)
		return IEUM_E_JOURNAL_CORRUPT;
	if (!task_open(task_at(c, th)))
		return IEUM_E_OK;
	task_at(c, th)->holder = 0;
	return task_set_state(c, th, IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED, m->due_at_ms);
}

/* Silence leaves a request as it is, but where whoever had taken it on is not there any more. */
static bool ends_holding(const Ieum__V1__Escalated *e)
{
	return e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_LAPSED ||
	       (e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE &&
		e->state == IEUM__V1__TASK_STATE__TASK_STATE_REQUESTED);
}

enum ieum_err task_escalate(struct core *c, const Ieum__V1__Escalated *e)
{
	uint32_t th = find_task(c, &e->message_id, e->task);
	enum ieum_err err = IEUM_E_OK;

	if (!th)
		return IEUM_E_JOURNAL_CORRUPT;
	struct task *t = task_at(c, th);
	if (!task_open(t) || e->steps > (uint32_t)(t->n_ladder - t->steps_used) ||
	    (unsigned)e->state >= TASK_STATES || !e->state)
		return IEUM_E_JOURNAL_CORRUPT;
	t->steps_used = (uint16_t)(t->steps_used + e->steps);
	for (size_t i = 0; i < e->n_routes && !err; i++)
		err = task_ask(t, e->routes[i]->mailbox, t->steps_used);
	for (size_t i = 0; i < e->n_asks && !err; i++)
		err = task_ask(t, e->asks[i], t->steps_used);
	if (ends_holding(e))
		t->holder = 0;
	if (!err)
		err = task_set_state(c, th, (uint8_t)e->state, e->due_at_ms);
	if (!err && !task_open(t) && !t->reason)
		t->reason = IEUM__V1__REASON__REASON_UNREACHABLE;
	if (!err && task_open(t) && e->n_routes + e->n_asks) /* who is asked now said nothing yet */
		t->answer = t->outcome = t->reason = t->more_times = 0;
	return err;
}

void task_free(struct core *c, uint32_t th)
{
	struct task *t = task_at(c, th);

	if (task_open(t))
		case_list_remove(c, th);
	(void)!task_set_due(c, th, 0); /* only takes out: needs no memory */
	free(t->asked);
	free(t->ladder);
	free(t->approval);
	t->asked = NULL;
	t->ladder = NULL;
	t->approval = NULL;
	slab_put(&c->tasks, th);
}
