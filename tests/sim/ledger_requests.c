/* Requests, followed from who is asked to the last answer; see ledger.h. */
#include "tests/sim/ledger_internal.h"

static struct ledger_task *task_of(struct ledger *l, const ProtobufCBinaryData *id, uint32_t index)
{
	struct ledger_message *m = ledger_message_of(l, id);

	if (m && index < m->n_tasks)
		return &m->tasks[index];
	ledger_say(l, "it names a request that nobody made");
	return NULL;
}

bool ledger_is_open(const struct ledger_task *t)
{
	switch (t->state) {
	case TASK_STATE(REJECTED):
	case TASK_STATE(COMPLETED):
	case TASK_STATE(FAILED):
	case TASK_STATE(CANCELLED):
	case TASK_STATE(ENTERED_IN_ERROR): return false;
	default: return true;
	}
}

void ledger_add_tasks(struct ledger *l, struct ledger_message *m, const Ieum__V1__Submitted *e)
{
	if (e->n_tasks > LEDGER_TASKS_MAX)
		ledger_say(l, "%zu requests of one message", e->n_tasks);
	for (size_t i = 0; i < e->n_tasks && i < LEDGER_TASKS_MAX; i++) {
		const Ieum__V1__Task *from = e->tasks[i];
		struct ledger_task *t = &m->tasks[m->n_tasks++];
		*t = (struct ledger_task){
			.due_at_ms = from->due_at_ms,
			.state = TASK_STATE(REQUESTED),
			.stops_at = from->stops_at,
			.has_effect = from->effect != 0,
			.repeats = from->n_ladder && from->ladder[from->n_ladder - 1]->repeats,
		};
		for (size_t k = 0; k < from->n_asked; k++)
			numbers_put(&t->asked, from->asked[k]);
		if (from->n_asked == 0)
			ledger_say(l, "a request is asked of nobody");
	}
}

/* The end of its ladder ended it, no answer: one may still come. */
static bool is_missed(const struct ledger_task *t)
{
	return t->state == TASK_STATE(FAILED) && !t->has_effect &&
	       t->answer != IEUM__V1__ANSWER_KIND__ANSWER_KIND_FAIL;
}

static bool takes_on(Ieum__V1__AnswerKind kind)
{
	return kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_IN_PROGRESS ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_INTERIM ||
	       kind == IEUM__V1__ANSWER_KIND__ANSWER_KIND_ON_HOLD;
}

/* One takes it on; another may only where that one was silent, and others were asked. */
static void take_on(struct ledger *l, struct ledger_task *t, uint32_t by)
{
	if (t->holder == by)
		return;
	if (t->holder && !numbers_have(&t->since, by))
		ledger_say(l, "mailbox %u takes on what mailbox %u has taken on", by, t->holder);
	t->holder = by;
	t->since.n = 0;
}

void ledger_on_changed(struct ledger *l, const Ieum__V1__TaskChanged *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);
	bool rejects = e->rejected || e->answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_REJECT;

	if (!t)
		return;
	/* What has ended can only turn out to have been an error, but for what nobody answered. */
	if (!ledger_is_open(t) && !is_missed(t) && e->state != TASK_STATE(ENTERED_IN_ERROR))
		ledger_say(l, "a request is answered that is over: state %d, answer %d, then %d",
			   (int)t->state, (int)e->answer, (int)e->state);
	/* Who keeps places may say that somebody came after all, also having rejected before. */
	if (e->by && !numbers_have(&t->asked, e->by) &&
	    !(t->has_effect && e->answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_COMPLETE))
		ledger_say(l, "mailbox %u answers what it was not asked", e->by);
	t->state = e->state;
	t->answer = e->answer;
	if (e->due_at_ms >= 0)
		t->due_at_ms = e->due_at_ms;
	if (rejects) {
		t->rejected_by = e->by;
		t->rejected_seq = l->seq;
	}
	if (e->rejected) {
		numbers_take_out(&t->asked, e->by);
		if (t->holder == e->by)
			t->holder = 0;
	} else if (takes_on(e->answer) && !e->accepted_by)
		take_on(l, t, e->by);
	if (!ledger_is_open(t))
		t->due_at_ms = 0;
}

void ledger_on_escalated(struct ledger *l, const Ieum__V1__Escalated *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);

	if (!t)
		return;
	if (!ledger_is_open(t) && e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE)
		ledger_say(l, "the ladder of a request goes on that is over");
	/* Silence makes a request new only where its holder is not there any more. */
	if (e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_LAPSED ||
	    (e->cause == IEUM__V1__ESCALATION_CAUSE__ESCALATION_CAUSE_SILENCE &&
	     e->state == TASK_STATE(REQUESTED)))
		t->holder = 0;
	t->state = e->state;
	t->due_at_ms = ledger_is_open(t) ? e->due_at_ms : 0;
	for (size_t i = 0; i < e->n_routes; i++) {
		numbers_put(&t->asked, e->routes[i]->mailbox);
		if (t->holder)
			numbers_put(&t->since, e->routes[i]->mailbox);
	}
	/* Whoever has the message by another of its requests is asked without getting it again. */
	for (size_t i = 0; i < e->n_asks; i++) {
		numbers_put(&t->asked, e->asks[i]);
		if (t->holder)
			numbers_put(&t->since, e->asks[i]);
	}
	ledger_add_routes(l, ledger_message_of(l, &e->message_id), e->routes, e->n_routes);
}

void ledger_on_clock_moved(struct ledger *l, const Ieum__V1__ClockMoved *e)
{
	struct ledger_task *t = task_of(l, &e->message_id, e->task);

	if (!t)
		return;
	if (!ledger_is_open(t))
		ledger_say(l, "a request gets its time anew that is over");
	t->state = TASK_STATE(REQUESTED);
	t->due_at_ms = e->due_at_ms;
	t->holder = 0;
}

void ledger_pass_on(struct ledger_message *m, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < m->n_tasks; i++) {
		struct ledger_task *t = &m->tasks[i];
		if (!ledger_is_open(t))
			continue;
		if (numbers_have(&t->asked, from))
			numbers_put(&t->asked, to);
		numbers_take_out(&t->asked, from);
		if (numbers_have(&t->since, from))
			numbers_put(&t->since, to);
		t->holder = t->holder == from ? to : t->holder;
	}
}

/* Has it been answered as far as its clock asks? */
static bool may_stand_still(const struct ledger_task *t)
{
	bool taken_on = t->state != TASK_STATE(REQUESTED) && t->state != TASK_STATE(RECEIVED);

	if (t->stops_at == IEUM__V1__STOPS_AT__STOPS_AT_RECEIVED)
		return t->state != TASK_STATE(REQUESTED);
	return t->stops_at == IEUM__V1__STOPS_AT__STOPS_AT_DECIDED && taken_on;
}

static bool may_be_answered(const struct ledger *l, const struct ledger_message *m,
			    const struct ledger_task *t)
{
	for (size_t i = 0; i < t->asked.n; i++)
		if (ledger_may_act(l, m->in, t->asked.at[i]))
			return true;
	return false;
}

static void check_task(struct ledger *l, const struct ledger_message *m,
		       const struct ledger_task *t, int64_t now_ms)
{
	unsigned long long seq = m->seq;

	if (!ledger_is_open(t))
		return;
	if (t->due_at_ms && t->due_at_ms <= now_ms)
		ledger_say(l, "the request of event %llu is overdue and nothing was done", seq);
	if (!t->due_at_ms && !may_stand_still(t))
		ledger_say(l, "the request of event %llu has no answer and no clock", seq);
	if (!may_be_answered(l, m, t))
		ledger_say(l, "the request of event %llu is open, and nobody may answer it", seq);
	/* While a clock runs, somebody else was asked because that one stayed silent. */
	if (!t->due_at_ms && t->holder && !ledger_may_act(l, m->in, t->holder))
		ledger_say(l, "mailbox %u has taken on the request of event %llu and may not act",
			   t->holder, seq);
}

void ledger_check_requests(struct ledger *l, const struct ledger_message *m, int64_t now_ms)
{
	for (size_t i = 0; i < m->n_tasks; i++)
		check_task(l, m, &m->tasks[i], now_ms);
}
