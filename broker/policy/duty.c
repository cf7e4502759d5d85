/* Who gets what can't wait while nobody is there, and who is designated today. */
#include "broker/policy/decide.h"

static bool is_off(const struct scope *s, int mailbox)
{
	return !calendar_is_open_for(&s->p->calendar, s->p->attendance[mailbox].hours,
				     s->ctx->now_ms);
}

/* The first along the duty contacts who is there now and may hear of it; the last who may, when
 * nobody is there.  The loader has refused circles. */
int duty_of(const struct scope *s, int mailbox)
{
	const struct policy *p = s->p;
	int found = POLICY_NONE;
	int at = mailbox;

	if (s->urgency != IEUM__V1__URGENCY__URGENCY_IMMEDIATE)
		return POLICY_NONE;
	while ((is_off(s, at) || scope_excludes(s, at)) && p->attendance[at].duty != POLICY_NONE) {
		at = p->attendance[at].duty;
		if (!scope_excludes(s, at))
			found = at;
	}
	return found == mailbox ? POLICY_NONE : found;
}

int policy_duty(const struct policy *p, const struct policy_context *ctx, int mailbox)
{
	struct scope s;

	scope_init(&s, p, ctx);
	return duty_of(&s, mailbox);
}

static void ask_too(struct policy_task *task, int mailbox)
{
	for (size_t i = 0; i < task->n_asked; i++) {
		if (task->asked[i] == mailbox)
			return;
	}
	if (task->n_asked < POLICY_ROUTES_MAX)
		task->asked[task->n_asked++] = mailbox;
}

_Static_assert(POLICY_ROUTES_MAX <= 64, "a bit for each route");

/* A bit per route whose mailbox a rule asks. */
static uint64_t routes_asked(const struct policy_decision *out)
{
	uint64_t asked = 0;

	for (size_t i = 0; i < out->n_routes; i++)
		if (out->routes[i].task >= 0)
			asked |= UINT64_C(1) << i;
	return asked;
}

/* A rule that asks the duty contact itself says by when, and what follows on its silence: then it
 * is not asked in the others' place too. */
static bool is_asked_by_rule(struct policy_decision *out, uint64_t asked, int mailbox)
{
	for (size_t i = 0; i < out->n_routes; i++) {
		if (out->routes[i].mailbox != mailbox || !(asked & UINT64_C(1) << i))
			continue;
		out->routes[i].cause = IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY;
		return true;
	}
	return false;
}

enum ieum_err decide_duty(struct deciding *d)
{
	const struct policy_context *ctx = d->s.ctx;
	struct policy_decision *out = d->out;
	size_t n_routes = out->n_routes;
	uint64_t asked = routes_asked(out);
	int own = ctx->sender == POLICY_NONE ? POLICY_NONE
					     : d->s.p->participants[ctx->sender].mailbox;
	enum ieum_err err = IEUM_E_OK;

	/* Of a linked set one mailbox learns, at whatever hour. */
	if (d->s.type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_LINKED_SET_NOTICE)
		return IEUM_E_OK;
	for (size_t i = 0; i < n_routes && !err; i++) {
		int duty = duty_of(&d->s, out->routes[i].mailbox);
		int task = out->routes[i].task;

		/* Whoever sends it knows of it. */
		if (duty == POLICY_NONE || duty == own || is_asked_by_rule(out, asked, duty))
			continue;
		err = decide_route(d, duty, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_DUTY, task);
		if (!err && task >= 0)
			ask_too(&out->tasks[task], duty);
	}
	return err;
}

bool is_designated(const struct scope *s, int participant)
{
	const struct policy_participant *who = &s->p->participants[participant];
	int64_t today = calendar_day(&s->p->calendar, s->ctx->now_ms);

	return s->any_day || (today >= who->from_day && today <= who->until_day);
}

int64_t policy_holidays_end_ms(const struct policy *p)
{
	const struct calendar *c = &p->calendar;

	return c->holidays_until_day == INT64_MAX
		       ? INT64_MAX
		       : calendar_moment(c, c->holidays_until_day + 1, 0);
}

bool policy_holidays_end_soon(const struct policy *p, int64_t now_ms)
{
	int64_t ends_ms = policy_holidays_end_ms(p);

	return ends_ms != INT64_MAX && ends_ms - p->calendar.warn_before_ms <= now_ms;
}

int64_t policy_agreement_ends_ms(const struct policy *p, int participant)
{
	const struct policy_participant *who = policy_participant(p, participant);

	if (!who || who->until_day == INT64_MAX)
		return INT64_MAX;
	return calendar_moment(&p->calendar, who->until_day + 1, 0);
}
