/* The requests a rule makes: who is asked first, by when, and the ladder behind them. */
#include "broker/policy/decide.h"

#include <string.h>

/* Whom a rule asks first, and which part of its ladder is still ahead. */
struct plan {
	struct mailbox_list first;
	struct yaml_duration within;
	int domain; /* of the ranks, POLICY_NONE: no ranks */
	int rank;   /* the one asked first */
	size_t next_step;
};

static enum ieum_err find_domain(struct deciding *d, const struct rule *rule, int *domain)
{
	char word[PBMAP_WORD_BYTES];
	const char *text;

	*domain = rule->ranked.domain;
	if (*domain != POLICY_NONE)
		return IEUM_E_OK;
	text = body_text(&d->s, rule->ranked.field.of[d->s.type]);
	if (!text)
		return decide_refuse(d, IEUM_E_FIELD_MISSING,
				     "%s.%s: rule '%s' chooses the provider by it",
				     decide_type_word(d, word), rule->ranked.field.name,
				     rule->name);
	*domain = policy_find_domain(d->s.p, text, strlen(text));
	if (*domain == POLICY_NONE)
		return decide_refuse(d, IEUM_E_FIELD_INVALID,
				     "%s.%s: '%.40s' is no support domain of this hub",
				     decide_type_word(d, word), rule->ranked.field.name, text);
	return IEUM_E_OK;
}

/* The rule's own recipients: the first rank that has any, or everyone behind `to`. */
static void find_first(const struct deciding *d, const struct scope *s, const struct rule *rule,
		       struct plan *plan)
{
	mailbox_list_init(&plan->first);
	plan->within = rule->within_parsed;
	plan->next_step = 0;
	if (plan->domain != POLICY_NONE) {
		int n_ranks = s->p->domains[plan->domain].n_ranks;

		for (plan->rank = 1; plan->rank <= n_ranks && plan->first.n == 0; plan->rank++)
			provider_resolve(s, plan->domain, plan->rank, &plan->first);
		plan->rank--;
		return;
	}
	for (size_t i = 0; i < rule->n_to; i++) {
		if (rule->to[i].kind != ADDRESS_ADDRESSEES) {
			address_resolve(s, &rule->to[i], &plan->first);
			continue;
		}
		for (size_t k = 0; k < d->addressed.n; k++)
			mailbox_list_add(s, &plan->first, d->addressed.at[k]);
		plan->first.excluded += d->addressed.excluded;
	}
}

/* Nobody of the rule's own recipients is left: the first step of the ladder that has someone.
 * "head" then means the head of those who would have been asked. */
static void find_in_ladder(struct deciding *d, const struct rule *rule, struct plan *plan)
{
	struct plan would = { .domain = plan->domain };
	struct scope everyone = d->s;
	struct scope s = d->s;

	everyone.exclude = false;
	find_first(d, &everyone, rule, &would);
	s.asked = would.first.at;
	s.n_asked = would.first.n;
	for (size_t i = 0; i < rule->n_steps && plan->first.n == 0; i++) {
		plan->next_step = i + 1;
		if (rule->steps[i].on_rejection_only)
			continue;
		plan->within = rule->steps[i].within_parsed;
		address_resolve_text(&s, rule->steps[i].to, &plan->first);
	}
}

/* Only those who can serve what the message needs, in a step that is resolved later too. */
static const char *step_to(struct deciding *d, const char *to)
{
	struct policy_decision *out = d->out;
	char *text = out->step_texts + out->n_step_text_bytes;
	size_t room = sizeof out->step_texts - out->n_step_text_bytes;

	if (!d->s.language && d->s.sex == 0)
		return to;
	size_t len = address_narrow(&d->s, to, text, room);
	if (len >= room) {
		d->texts_full = true;
		return "";
	}
	/* The requests of one rule have the same ladder. */
	for (const char *known = out->step_texts; known < text; known += strlen(known) + 1) {
		if (strcmp(known, text) == 0)
			return known;
	}
	out->n_step_text_bytes += len + 1;
	return text;
}

/* A step's clock begins when that of the step before has run out; what waits for a rejection
 * takes no time in a ladder that everyone is silent on. */
static void add_step(const struct deciding *d, struct policy_task *task, int64_t *at_ms,
		     struct policy_step step, struct yaml_duration within)
{
	if (!step.on_rejection_only)
		*at_ms = step.due_at_ms = calendar_add(&d->s.p->calendar, *at_ms, within);
	task->ladder[task->n_ladder++] = step;
}

static void fill_ladder(struct deciding *d, struct policy_task *task, const struct rule *rule,
			const struct plan *plan)
{
	int64_t at_ms = task->due_at_ms;

	if (plan->domain != POLICY_NONE) {
		const struct policy_domain *domain = &d->s.p->domains[plan->domain];

		for (int rank = plan->rank + 1; rank <= domain->n_ranks; rank++)
			add_step(d, task, &at_ms,
				 (struct policy_step){ .to = step_to(d, domain->step_to[rank]),
						       .within = rule->within },
				 rule->within_parsed);
	}
	for (size_t i = plan->next_step; i < rule->n_steps; i++) {
		const struct rule_step *step = &rule->steps[i];

		add_step(d, task, &at_ms,
			 (struct policy_step){ .to = step_to(d, step->to),
					       .within = step->within,
					       .on_silence_only = step->on_silence_only,
					       .on_rejection_only = step->on_rejection_only,
					       .repeats = step->repeats },
			 step->within_parsed);
	}
}

/* The sender may ask for less time than the rule gives, never for more. */
static int64_t first_due_ms(const struct deciding *d, const struct rule *rule,
			    const struct plan *plan)
{
	const Ieum__V1__Envelope *e = d->s.envelope;
	int64_t now_ms = d->s.ctx->now_ms;
	int64_t from_ms = rule->from_occurred && e->occurred_at_ms > 0 ? e->occurred_at_ms : now_ms;
	int64_t due_ms = calendar_add(&d->s.p->calendar, from_ms, plan->within);

	if (e->answer_within_ms > 0 && e->answer_within_ms < due_ms - now_ms)
		due_ms = now_ms + e->answer_within_ms;
	return due_ms;
}

static bool is_asked(const struct deciding *d, int mailbox)
{
	for (size_t i = 0; i < d->out->n_routes; i++) {
		if (d->out->routes[i].mailbox == mailbox)
			return d->out->routes[i].task >= 0;
	}
	return false;
}

/* One request to all of `boxes` that no earlier rule has asked; none when all are. */
static enum ieum_err ask(struct deciding *d, const struct rule *rule, const struct plan *plan,
			 const int *boxes, size_t n)
{
	struct policy_decision *out = d->out;
	int index = (int)out->n_tasks;

	if (out->n_tasks == POLICY_TASKS_MAX)
		return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				     "more than %d requests would come of this", POLICY_TASKS_MAX);
	struct policy_task *task = &out->tasks[index];

	task->n_asked = task->n_ladder = 0;
	for (size_t i = 0; i < n; i++) {
		enum ieum_err err;

		if (is_asked(d, boxes[i]))
			continue;
		err = decide_route(d, boxes[i], IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE,
				   index);
		if (err)
			return err;
		task->asked[task->n_asked++] = boxes[i];
	}
	if (task->n_asked == 0)
		return IEUM_E_OK;
	out->n_tasks++;
	task->due_at_ms = first_due_ms(d, rule, plan);
	task->stops_at = rule->stops_at;
	task->effect = rule->effect;
	task->quorum = rule->quorum;
	task->quorum_of_kinds = rule->quorum_of_kinds;
	task->quorum_of_agencies = rule->quorum_of_agencies;
	task->rejection_ends = rule->rejection_ends;
	task->gate = rule->gate ? d->s.p->gates[rule->gate - 1].name : NULL;
	task->gate_for_ms = rule->gate ? d->s.p->gates[rule->gate - 1].lasts_ms : 0;
	task->blocks_closing = rule->blocks_closing;
	fill_ladder(d, task, rule, plan);
	if (d->texts_full)
		return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE,
				     "rule '%s': the addresses of its ladder are too long",
				     rule->name);
	return IEUM_E_OK;
}

static enum ieum_err tell(struct deciding *d, const struct mailbox_list *list)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; !err && i < list->n; i++)
		err = decide_route(d, list->at[i], IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE,
				   -1);
	return err;
}

/* A request that nobody gets would be forgotten: better the sender knows now. */
static enum ieum_err refuse_empty(struct deciding *d, const struct rule *rule, bool by_conflict)
{
	if (by_conflict)
		return decide_refuse(d, IEUM_E_CONFLICT_OF_INTEREST,
				     "rule '%s': everyone it asks is excluded from this case",
				     rule->name);
	return decide_refuse(d, IEUM_E_NO_ROUTE, "rule '%s': nobody to ask in %s%s%s", rule->name,
			     d->s.jurisdiction, d->s.language ? " who speaks " : "",
			     d->s.language ? d->s.language : "");
}

/* What the message asks of those who get it, until decide_recipients() is through. */
static enum ieum_err set_wanted(struct deciding *d, const struct rule *rule)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const struct matching *m = &rule->matching;
	char word[PBMAP_WORD_BYTES];

	d->s.language = m->language;
	if (m->language_field.name)
		d->s.language = body_text(&d->s, m->language_field.of[d->s.type]);
	d->s.sex = m->sex;
	if (m->sex_field.name)
		d->s.sex = (int)body_number(&d->s, m->sex_field.of[d->s.type]);
	/* It becomes part of an address. */
	if (d->s.language && (strlen(d->s.language) >= LANGUAGE_BYTES ||
			      d->s.language[strspn(d->s.language, allowed)] != '\0'))
		return decide_refuse(d, IEUM_E_FIELD_INVALID, "%s.%s: no BCP 47 language",
				     decide_type_word(d, word), m->language_field.name);
	return IEUM_E_OK;
}

static enum ieum_err ask_recipients(struct deciding *d, const struct rule *rule)
{
	struct plan plan;
	enum ieum_err err = IEUM_E_OK;

	plan.domain = POLICY_NONE;
	if (rule->ranked.used)
		err = find_domain(d, rule, &plan.domain);
	if (err)
		return err;
	find_first(d, &d->s, rule, &plan);
	bool by_conflict = plan.first.n == 0 && plan.first.excluded > 0;

	d->emptied_by_conflict |= by_conflict;
	if (plan.first.n == 0 && rule->asks)
		find_in_ladder(d, rule, &plan);
	if (plan.first.full)
		return decide_refuse(d, IEUM_E_FIELD_TOO_LARGE, "rule '%s': more than %d mailboxes",
				     rule->name, POLICY_ROUTES_MAX);
	if (!rule->asks)
		return tell(d, &plan.first);
	if (plan.first.n == 0)
		return refuse_empty(d, rule, by_conflict);
	if (!rule->each)
		return ask(d, rule, &plan, plan.first.at, plan.first.n);
	for (size_t i = 0; !err && i < plan.first.n; i++)
		err = ask(d, rule, &plan, &plan.first.at[i], 1);
	return err;
}

enum ieum_err decide_recipients(struct deciding *d, const struct rule *rule)
{
	enum ieum_err err = set_wanted(d, rule);

	if (!err)
		err = ask_recipients(d, rule);
	d->s.language = NULL;
	d->s.sex = 0;
	return err;
}

enum ieum_err decide_sender_deadline(struct deciding *d)
{
	const struct rule none = { .within = "", .stops_at = IEUM__V1__STOPS_AT__STOPS_AT_DECIDED };
	struct plan plan = { .domain = POLICY_NONE,
			     .within = { d->s.envelope->answer_within_ms, YAML_UNIT_MS } };
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; !err && i < d->addressed.n; i++) {
		if (!is_asked(d, d->addressed.at[i]))
			err = ask(d, &none, &plan, &d->addressed.at[i], 1);
	}
	return err;
}
