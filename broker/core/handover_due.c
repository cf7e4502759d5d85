/* What time does in a hand-over, a bounded part per call: the cut-over, then a request to the new
 * one for each case, and the messages that follow a case that was taken. */
#include "broker/core/agenda.h"
#include "broker/core/cases.h"
#include "broker/core/handover.h"
#include "broker/core/task.h"

/* What a case's request has where no rule of the hub file asks for it. */
#define HANDOVER_WITHIN_MS ((int64_t)24 * 60 * 60 * 1000)

/* An ask makes at most so many events, what rules add included; with fewer left it waits. */
enum { HANDOVER_EVENTS_PER_ASK = 16 };

/* ---- a case ---- */

/* One being handed over. */
struct asking {
	const struct core *c;
	const struct policy *p;
	struct core_decision *d;
	core_time_us now;
	const struct handover *h;
	const struct handed_case *handed;
	const struct core_case *k;
	struct occasion o;
};

static struct hub_message *request(struct asking *a)
{
	struct hub_message *m =
		hub_message_new(&a->o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_HANDOVER);
	Ieum__V1__Addressee *to = decision_zalloc(a->d, sizeof *to);
	Ieum__V1__Addressee **list = decision_zalloc(a->d, sizeof *list);

	if (!m || !to || !list)
		return NULL;
	Ieum__V1__Handover *b = m->referral.handover;
	b->change_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->h->change_id };
	b->from = (char *)state_mailbox_name(a->c, a->h->from);
	b->to = (char *)state_mailbox_name(a->c, a->h->to);
	b->effective_at_ms = a->h->effective_at_ms;
	b->open_referrals = a->handed->row.open_referrals;
	b->clocks = a->handed->row.clocks;
	b->holds = a->handed->row.holds;
	*to = (Ieum__V1__Addressee)IEUM__V1__ADDRESSEE__INIT;
	to->to_case = IEUM__V1__ADDRESSEE__TO_PARTICIPANT;
	to->participant = b->to;
	list[0] = to;
	m->envelope.addressees = list;
	m->envelope.n_addressees = 1;
	return m;
}

static bool asks_to(const struct asking *a, const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_tasks; i++) {
		if (e->tasks[i]->effect != IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER)
			continue;
		for (size_t k = 0; k < e->tasks[i]->n_asked; k++)
			if (e->tasks[i]->asked[k] == a->h->to)
				return true;
	}
	return false;
}

/* By the rules; where they don't ask the new one (any more), the hub asks it all the same. */
static enum ieum_err send_request(struct asking *a)
{
	size_t before = a->d->n_items;
	struct hub_message *m = request(a);

	if (!m)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = hub_message_by_rules(&a->o, m);
	if (err == IEUM_E_NO_MEMORY || (!err && asks_to(a, m->e)))
		return err;
	a->d->n_items = before;
	m = request(a);
	if (!m)
		return IEUM_E_NO_MEMORY;
	err = hub_message_to(&a->o, m, a->h->to, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE);
	if (!err)
		err = hub_message_ask(&a->o, m, a->o.now_ms + HANDOVER_WITHIN_MS,
				      IEUM__V1__STOPS_AT__STOPS_AT_COMPLETED, false);
	if (!err && m->e->n_tasks > 0)
		m->e->tasks[0]->effect = IEUM__V1__CASE_EFFECT__CASE_EFFECT_HAND_OVER;
	return err ? err : hub_message_end(&a->o, m);
}

static Ieum__V1__Reason reason_of(enum ieum_err obstacle)
{
	switch (obstacle) {
	case IEUM_E_CONFLICT_OF_INTEREST: return IEUM__V1__REASON__REASON_CONFLICT_OF_INTEREST;
	case IEUM_E_HUB_FULL: return IEUM__V1__REASON__REASON_CAPACITY_FULL;
	default: return IEUM__V1__REASON__REASON_UNREACHABLE;
	}
}

/* To those who announced it and who keep the case.  In no case: whoever announced a change takes part
 * in none of its cases, and finds which one it is in the list of the change. */
static enum ieum_err tell_that_it_stays(const struct asking *a, Ieum__V1__Reason reason)
{
	const uint32_t told[] = { a->h->announced_by, a->h->from };
	struct occasion o;
	enum ieum_err err = occasion_of_time(a->c, a->p, a->d, a->now, 0, &o);

	if (err)
		return err;
	struct hub_message *m = hub_message_new(&o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	if (!m)
		return IEUM_E_NO_MEMORY;
	m->envelope.in_reply_to =
		(ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->h->change_id };
	m->e->answer = m->referral.answer->kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_INTERIM;
	m->e->answer_reason = m->referral.answer->reason = reason;
	for (size_t i = 0; i < sizeof told / sizeof told[0] && !err; i++)
		err = hub_message_to(&o, m, told[i],
				     IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER);
	return err ? err : hub_message_end(&o, m);
}

/* Something may stand in its way, from before the cut-over or since: then the case stays. */
static enum ieum_err ask_for_case(struct asking *a, const char **why)
{
	struct handover_plan plan = handover_plan(a->c, a->p, a->h->from, a->h->to, "");

	plan.number = a->h->number;
	enum ieum_err obstacle = handover_obstacle(a->c, &plan, a->k, why);
	enum ieum_err err = IEUM_E_OK;
	if (handover_obstacle_stops(obstacle)) {
		err = handover_keep(a->d, a->now, a->h, a->k, reason_of(obstacle));
		return err ? err : tell_that_it_stays(a, reason_of(obstacle));
	}
	err = send_request(a);
	if (err)
		return err;
	Ieum__V1__HandoverChanged *e =
		handover_event(a->d, a->now, a->h, IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ASKED);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->case_ids = decision_zalloc(a->d, sizeof *e->case_ids);
	if (!e->case_ids)
		return IEUM_E_NO_MEMORY;
	e->case_ids[0] = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)a->k->id };
	e->n_case_ids = 1;
	return IEUM_E_OK;
}

static enum ieum_err ask_for_some(const struct core *c, const struct policy *p, core_time_us now,
				  struct core_decision *d, const struct handover *h)
{
	unsigned asked = 0;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < h->n_cases && !err; i++) {
		struct asking a = { .c = c, .p = p, .d = d, .now = now, .h = h };
		const char *why;
		a.handed = &h->cases[i];
		uint32_t ch = a.handed->step == HANDOVER_STEP(CUT_OVER)
				      ? state_case(c, a.handed->row.case_id)
				      : 0;
		if (!ch)
			continue;
		if (asked++ == HANDOVER_ASKED_AT_ONCE ||
		    d->n_items + HANDOVER_EVENTS_PER_ASK > CORE_DECISION_EVENTS_MAX)
			break;
		a.k = case_at(c, ch);
		err = occasion_of_time(c, p, d, now, ch, &a.o);
		if (!err)
			err = ask_for_case(&a, &why);
	}
	return err;
}

/* ---- messages that follow a case ---- */

/* The request of the message that the mailbox has to answer; 0: none. */
static uint32_t request_of(const struct core *c, const struct referral *r, uint32_t mailbox)
{
	for (uint32_t th = r->first_task; th; th = task_at(c, th)->next)
		if (task_open(task_at(c, th)) && task_asks(task_at(c, th), mailbox))
			return task_at(c, th)->index + 1U;
	return 0;
}

/* Since it took the case a conflict of interest may have been declared; and what was on its way to the
 * old one may be an agenda that tells of a case in which the new one has one. */
static bool may_have_it(const struct core *c, const struct policy *p, const struct referral *r,
			uint32_t mailbox)
{
	const struct policy_mailbox *m = policy_mailbox(p, state_policy_mailbox(c, p, mailbox));
	bool may = false;

	for (size_t i = 0; m && i < m->n_consumers; i++) {
		uint32_t who = policy_participant(p, m->consumers[i])->number;
		if (agenda_copy_tells(c, r, who))
			return false;
		may |= !r->core_case || !case_excludes(case_at(c, r->core_case), who);
	}
	return may;
}

static enum ieum_err forward_some(const struct core *c, const struct policy *p, core_time_us now,
				  struct core_decision *d)
{
	const struct handovers *hs = &c->handovers;

	for (uint32_t i = 0; i < hs->n_forwards && i < HANDOVER_FORWARDED_AT_ONCE; i++) {
		const struct handover_forward *f = &hs->forwards[hs->forwards_at + i];
		const struct referral *r = referral_at(c, seqmap_get(&c->seqs, f->seq));
		uint32_t mailbox = handover_in_place(c, p, r->core_case, f->mailbox);
		Ieum__V1__HandoverChanged *e = decision_handover_changed(d, now);
		Ieum__V1__Route *route = decision_zalloc(d, sizeof *route);
		if (!e || !route)
			return IEUM_E_NO_MEMORY;
		e->routes = decision_zalloc(d, sizeof *e->routes);
		if (!e->routes)
			return IEUM_E_NO_MEMORY;
		e->step = IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_FORWARDED;
		e->message_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)r->id };
		*route = (Ieum__V1__Route)IEUM__V1__ROUTE__INIT;
		route->mailbox = mailbox;
		route->cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_FORWARDED;
		route->task = request_of(c, r, mailbox);
		if (may_have_it(c, p, r, mailbox) && !referral_lacks_consent(c, r))
			e->routes[e->n_routes++] = route;
	}
	return IEUM_E_OK;
}

/* ---- all of it ---- */

static bool has_work(const struct handover *h, int64_t now_ms)
{
	if (h->step == HANDOVER_STEP(ANNOUNCED))
		return h->effective_at_ms <= now_ms;
	return h->step == HANDOVER_STEP(CUT_OVER) && (!h->listed || h->n_asked < h->n_cases);
}

enum ieum_err due_handover(const struct core *c, const struct policy *p, core_time_us now,
			   struct core_decision *d)
{
	for (uint32_t i = 0; i < c->handovers.n; i++) {
		const struct handover *h = c->handovers.all[i];
		if (!h->listed && has_work(h, to_ms(now)))
			return handover_cut_over(c, p, now, d, h);
	}
	return IEUM_E_OK;
}

enum ieum_err due_handover_rest(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d)
{
	if (c->handovers.n_forwards > 0)
		return forward_some(c, p, now, d);
	for (uint32_t i = 0; i < c->handovers.n; i++) {
		const struct handover *h = c->handovers.all[i];
		if (handover_is_stranded(c, p, h))
			return handover_give_back_some(c, p, now, d, h);
		if (h->listed && has_work(h, to_ms(now)))
			return ask_for_some(c, p, now, d, h);
	}
	return IEUM_E_OK;
}

int64_t handover_next_due_ms(const struct core *c)
{
	int64_t next_ms = INT64_MAX;

	if (c->handovers.n_forwards > 0)
		return to_ms(c->last_at_us);
	for (uint32_t i = 0; i < c->handovers.n; i++) {
		const struct handover *h = c->handovers.all[i];
		int64_t at_ms = INT64_MAX;
		if (h->step == HANDOVER_STEP(ANNOUNCED))
			at_ms = h->effective_at_ms;
		else if (has_work(h, 0))
			at_ms = to_ms(c->last_at_us);
		next_ms = at_ms < next_ms ? at_ms : next_ms;
	}
	return next_ms;
}
