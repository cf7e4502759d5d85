/* The ledger's view of who may know of what: the hub file in force, conflicts of interest, and what
 * was handed over; see ledger.h.
 *
 * The file's text stands in the journal; it is read here anew, not asked of the core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/ledger_internal.h"

/* ---- the hub file ---- */

static uint32_t participant_number(const struct ledger *l, const char *name)
{
	for (uint32_t i = 1; i < LEDGER_MAILBOXES_MAX; i++)
		if (strcmp(l->participants[i], name) == 0)
			return i;
	return 0;
}

static void read_names(struct ledger *l, const Ieum__V1__PolicyChanged *e)
{
	for (size_t i = 0; i < e->n_participants; i++)
		if (e->participants[i]->number < LEDGER_MAILBOXES_MAX)
			snprintf(l->participants[e->participants[i]->number], POLICY_NAME_BYTES,
				 "%s", e->participants[i]->name);
	for (size_t i = 0; i < e->n_mailboxes; i++)
		if (e->mailboxes[i]->number < LEDGER_MAILBOXES_MAX)
			snprintf(l->mailboxes[e->mailboxes[i]->number].name,
				 sizeof l->mailboxes[0].name, "%s", e->mailboxes[i]->name);
}

void ledger_on_policy(struct ledger *l, const Ieum__V1__PolicyChanged *e)
{
	struct yaml_diag *diag = ledger_zalloc(sizeof *diag);
	struct policy *p = NULL;

	read_names(l, e);
	if (policy_parse("journal", e->text, strlen(e->text), diag, &p) != IEUM_E_OK)
		ledger_say(l, "a hub file took effect that has mistakes");
	for (uint32_t i = 1; i < LEDGER_MAILBOXES_MAX; i++) {
		struct ledger_mailbox *m = &l->mailboxes[i];
		int index = p && *m->name ? policy_find_mailbox(p, m->name) : POLICY_NONE;
		const struct policy_mailbox *now =
			p && index != POLICY_NONE ? policy_mailbox(p, index) : NULL;
		m->consumers.n = 0;
		for (size_t k = 0; now && k < now->n_consumers; k++)
			numbers_put(&m->consumers,
				    participant_number(
					    l, policy_participant(p, now->consumers[k])->name));
	}
	policy_free(p);
	free(diag);
}

bool ledger_is_listed(const struct ledger *l, uint32_t mailbox)
{
	return mailbox < LEDGER_MAILBOXES_MAX && l->mailboxes[mailbox].consumers.n > 0;
}

static bool all_excluded(const struct ledger *l, const struct ledger_case *c, uint32_t mailbox)
{
	const struct numbers *consumers = &l->mailboxes[mailbox].consumers;

	for (size_t i = 0; i < consumers->n; i++)
		if (!numbers_have(&c->excluded, consumers->at[i]))
			return false;
	return consumers->n > 0;
}

bool ledger_may_act(const struct ledger *l, const struct ledger_case *c, uint32_t mailbox)
{
	if (!ledger_is_listed(l, mailbox))
		return false;
	return !c || (!all_excluded(l, c, mailbox) && !ledger_has_left(c, mailbox));
}

bool ledger_has_left(const struct ledger_case *c, uint32_t mailbox)
{
	return numbers_have(&c->ended, mailbox) && !numbers_have(&c->asked_back, mailbox);
}

/* Whoever had a case once is asked to take it like anybody else; as long as it is asked in a
 * change, what comes for the other comes for it too. */
static bool is_asked_back(const struct ledger_message *m, const Ieum__V1__Route *route)
{
	return (m->type == TYPE(HANDOVER) && route->task) || m->in->asked == route->mailbox;
}

/* An answer to who asked another to take its case on: the last that it hears of it. */
static bool is_told_of_its_handover(const struct ledger *l, const struct ledger_message *m,
				    uint32_t mailbox)
{
	const struct ledger_message *asked = m->reply_to;

	return asked && asked->type == TYPE(HANDOVER) && asked->sender &&
	       strcmp(l->mailboxes[mailbox].name, l->participants[asked->sender]) == 0;
}

/* ---- agendas: of no case, and telling of many ---- */

void ledger_on_agenda(struct ledger *l, struct ledger_message *m, const Ieum__V1__AgendaSent *e)
{
	m->listed = ledger_zalloc((e->n_case_ids + 1) * sizeof(const struct ledger_case *));
	for (size_t i = 0; i < e->n_case_ids; i++) {
		const struct ledger_case *c = ledger_known_case(l, &e->case_ids[i]);
		if (c)
			m->listed[m->n_listed++] = c;
	}
}

bool ledger_lists(const struct ledger_message *m, const struct ledger_case *c)
{
	for (size_t i = 0; i < m->n_listed; i++)
		if (m->listed[i] == c)
			return true;
	return false;
}

bool ledger_tells_excluded(const struct ledger_message *m, uint32_t participant)
{
	for (size_t i = 0; i < m->n_listed; i++)
		if (numbers_have(&m->listed[i]->excluded, participant))
			return true;
	return false;
}

static bool tells_excluded_of(const struct ledger *l, const struct ledger_message *m,
			      uint32_t mailbox)
{
	const struct numbers *consumers = &l->mailboxes[mailbox].consumers;

	for (size_t i = 0; i < consumers->n; i++)
		if (ledger_tells_excluded(m, consumers->at[i]))
			return true;
	return false;
}

/* ---- where to ---- */

void ledger_check_route(struct ledger *l, const struct ledger_message *m,
			const Ieum__V1__Route *route)
{
	uint32_t mailbox = route->mailbox;

	if (mailbox == 0 || mailbox >= LEDGER_MAILBOXES_MAX)
		ledger_say(l, "something is sent to no mailbox");
	else if (!ledger_is_listed(l, mailbox))
		ledger_say(l, "mailbox %u is sent something, and nobody takes from it", mailbox);
	else if (m->in && all_excluded(l, m->in, mailbox))
		ledger_say(l, "mailbox %u is sent something of a case it is excluded from",
			   mailbox);
	else if (m->in && numbers_have(&m->in->ended, mailbox) && !is_asked_back(m, route) &&
		 !is_told_of_its_handover(l, m, mailbox))
		ledger_say(l, "mailbox %u is sent something of a case it has handed over", mailbox);
	else if (tells_excluded_of(l, m, mailbox))
		ledger_say(l,
			   "mailbox %u is sent an agenda with a case that excludes one of its own",
			   mailbox);
}

/* ---- cases ---- */

void ledger_close_clocks(struct ledger *l, struct ledger_case *of, Ieum__V1__CaseState state)
{
	if (!state)
		return;
	of->closed = state == IEUM__V1__CASE_STATE__CASE_STATE_CLOSED;
	for (struct ledger_clock *k = l->clocks; of->closed && k; k = k->hh.next)
		k->runs &= k->in != of || k->outlives_closing;
}

void ledger_reads(struct ledger_case *c, uint32_t mailbox)
{
	numbers_put(&c->members, mailbox);
	numbers_take_out(&c->out, mailbox);
}

void ledger_joins(struct ledger_message *m, const Ieum__V1__Route *route)
{
	numbers_put(&m->in->members, route->mailbox);
	if (numbers_have(&m->in->ended, route->mailbox) && is_asked_back(m, route))
		numbers_put(&m->in->asked_back, route->mailbox);
	switch (route->cause) {
	case IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_ANSWER:
	case IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_OUTCOME:
	case IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK: break;
	default:
		if (m->type != TYPE(STOP_USE_ORDER))
			ledger_reads(m->in, route->mailbox);
	}
}

/* Only who has nothing to do in it any more. */
static void goes_out(struct ledger *l, struct ledger_case *c, uint32_t mailbox)
{
	if (!numbers_have(&c->members, mailbox) || c->owner == mailbox)
		ledger_say(l, "mailbox %u loses sight of a case that it %s", mailbox,
			   c->owner == mailbox ? "is responsible for" : "took no part in");
	for (const struct ledger_message *m = c->messages; m; m = m->next_in_case)
		for (size_t i = 0; i < m->n_tasks; i++)
			if (ledger_is_open(&m->tasks[i]) && m->tasks[i].holder == mailbox)
				ledger_say(l,
					   "mailbox %u loses sight of a case of which it has taken "
					   "on event %llu",
					   mailbox, (unsigned long long)m->seq);
	numbers_put(&c->out, mailbox);
}

static void set_owner(struct ledger *l, struct ledger_case *c, uint32_t owner)
{
	c->owner = owner;
	if (owner == 0)
		ledger_say(l, "a case without anybody who is responsible");
	numbers_put(&c->owners, owner);
	if (owner)
		ledger_reads(c, owner);
}

void ledger_on_case(struct ledger *l, struct ledger_case *c, const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_excluded; i++)
		numbers_put(&c->excluded, e->excluded[i]);
	set_owner(l, c, e->case_owner ? e->case_owner : c->owner);
	numbers_put(&c->members, e->sender_mailbox);
	ledger_close_clocks(l, c, e->case_state);
}

void ledger_on_case_changed(struct ledger *l, const Ieum__V1__CaseChanged *e)
{
	struct ledger_case *c = ledger_known_case(l, &e->case_id);

	if (!c)
		return;
	ledger_close_clocks(l, c, e->state);
	ledger_on_consent(l, c, e);
	if (e->owner)
		set_owner(l, c, e->owner);
	for (size_t i = 0; i < e->n_out; i++)
		goes_out(l, c, e->out[i]);
}

/* Exactly one is responsible, and may be. */
void ledger_check_owners(struct ledger *l)
{
	for (const struct ledger_case *c = l->cases; c; c = c->hh.next)
		if (!c->closed &&
		    (!ledger_may_act(l, c, c->owner) || numbers_have(&c->ended, c->owner)))
			ledger_say(
				l,
				"mailbox %u, which is responsible for the case of event %llu, %s",
				c->owner, (unsigned long long)c->seq,
				!ledger_is_listed(l, c->owner) ? "has nobody who takes from it"
				: numbers_have(&c->ended, c->owner)
					? "has handed it over"
					: "has a conflict of interest in it");
}

/* ---- hand-over ---- */

/* Who gets the other's part without a word reads no more than that one did. */
static void succeed(struct ledger_case *c, uint32_t from, uint32_t to, bool accepted)
{
	bool reads = accepted || !numbers_have(&c->out, from);

	if (reads)
		ledger_reads(c, to);
	else if (!numbers_have(&c->members, to))
		numbers_put(&c->out, to);
	numbers_put(&c->members, to);
	numbers_take_out(&c->members, from);
	numbers_take_out(&c->out, from);
	numbers_put(&c->ended, from);
	numbers_take_out(&c->ended, to);
	numbers_take_out(&c->asked_back, from);
	numbers_take_out(&c->asked_back, to);
	c->asked = c->asked == to ? 0 : c->asked;
	for (struct ledger_message *m = c->messages; m; m = m->next_in_case)
		ledger_pass_on(m, from, to);
}

/* Of no case. */
static void pass_on_loose(struct ledger *l, const Ieum__V1__Left *e)
{
	for (size_t i = 0; i < e->n_forward_seqs; i++)
		for (struct ledger_message *m = l->messages; m; m = m->hh.next)
			if (m->seq == e->forward_seqs[i])
				ledger_pass_on(m, e->mailbox, e->to);
}

void ledger_on_left(struct ledger *l, const Ieum__V1__Left *e)
{
	struct ledger_case *c = e->case_id.len ? ledger_known_case(l, &e->case_id) : NULL;

	ledger_withdraw(l, e->withdrawn, e->n_withdrawn);
	if (!c)
		return pass_on_loose(l, e);
	if (c->owner == e->mailbox)
		set_owner(l, c, e->to);
	succeed(c, e->mailbox, e->to, false);
}

void ledger_on_handover(struct ledger *l, const Ieum__V1__HandoverChanged *e)
{
	struct ledger_message *m = e->message_id.len ? ledger_message_of(l, &e->message_id) : NULL;
	bool asked = e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ASKED;
	bool accepted = e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_ACCEPTED;
	bool kept = e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_KEPT;

	if (e->step == IEUM__V1__HANDOVER_STEP__HANDOVER_STEP_FORWARDED && m)
		ledger_add_routes(l, m, e->routes, e->n_routes);
	ledger_withdraw(l, e->withdrawn, e->n_withdrawn);
	for (size_t i = 0; (asked || accepted || kept) && i < e->n_case_ids; i++) {
		struct ledger_case *c = ledger_known_case(l, &e->case_ids[i]);
		/* Whoever is asked to take it on gets what comes for it meanwhile. */
		if (c && !accepted)
			c->asked = asked ? e->to : 0;
		if (c && asked)
			numbers_put(&c->owners, e->to);
		else if (c && accepted) {
			/* What the old one took part in without being responsible stays its owner's. */
			if (c->owner == e->from)
				set_owner(l, c, e->to);
			succeed(c, e->from, e->to, true);
		}
	}
}
