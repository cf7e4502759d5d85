/* What rests on consent, and what a withdrawal may take back; see ledger.h. */
#include <string.h>

#include "tests/sim/ledger_internal.h"

static bool rests_on_consent(const struct ledger_message *m)
{
	return m->basis == IEUM__V1__BASIS_KIND__BASIS_KIND_CONSENT;
}

static bool lacks_consent(const struct ledger_message *m)
{
	return rests_on_consent(m) && (m->withdrawn_by || (m->in && m->in->consent_withdrawn));
}

void ledger_check_shared(struct ledger *l, struct ledger_message *m, size_t n_routes)
{
	if (n_routes == 0 || !lacks_consent(m))
		return;
	if (m->seq != l->seq)
		ledger_say(l, "event %llu goes on to somebody on a consent that was withdrawn",
			   (unsigned long long)m->seq);
	else
		l->on_no_consent = m;
}

/* What was on its way when consent was withdrawn has been taken back. */
void ledger_check_released(struct ledger *l, const struct ledger_delivery *d)
{
	const struct ledger_message *m = d->of;

	if (lacks_consent(m) && m->type != TYPE(CONSENT_WITHDRAWAL))
		ledger_say(l, "event %llu comes to somebody on a consent that was withdrawn",
			   (unsigned long long)m->seq);
}

void ledger_on_consent(struct ledger *l, struct ledger_case *c, const Ieum__V1__CaseChanged *e)
{
	bool in_part = e->consent == IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN_IN_PART;

	if (e->consent == IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_GIVEN) {
		c->consent_withdrawn = false;
		if (l->on_no_consent && l->on_no_consent->in == c)
			l->on_no_consent = NULL;
	}
	if (e->consent != IEUM__V1__CONSENT_CHANGE__CONSENT_CHANGE_WITHDRAWN && !in_part)
		return;
	ledger_check_orders(l);
	l->withdrawal = (struct ledger_withdrawal){ .in = c,
						    .by = ledger_message_of(l, &e->message_id),
						    .in_part = in_part };
	c->consent_withdrawn |= !in_part;
	for (size_t i = 0; i < e->n_consent_of_ids; i++) {
		struct ledger_message *m = ledger_message_of(l, &e->consent_of_ids[i]);
		if (!m || m->in != c || !rests_on_consent(m) || m->withdrawn_by)
			ledger_say(l, "a consent is withdrawn that there was not");
		else
			m->withdrawn_by = l->withdrawal.by;
	}
}

/* ---- what is taken back ---- */

static bool replaced_by(const struct ledger_message *m, const Ieum__V1__Submitted *e)
{
	return e->supersedes.len == LEDGER_ID_BYTES &&
	       memcmp(e->supersedes.data, m->id, LEDGER_ID_BYTES) == 0;
}

static const struct ledger_case *case_of_event(const struct ledger *l, const Ieum__V1__Submitted *e)
{
	return e->case_id.len == LEDGER_ID_BYTES ? ledger_case_of(l, e->case_id.data) : NULL;
}

/* Is the case on an agenda that is on its way to one whom it excludes now?  Those who share the
 * mailbox are sent another without it. */
static bool is_agenda_of_excluded(const struct ledger *l, const Ieum__V1__Submitted *e,
				  const struct ledger_delivery *d)
{
	const struct ledger_case *in = case_of_event(l, e);

	for (size_t i = 0; in && ledger_lists(d->of, in) && i < e->n_excluded; i++)
		if (numbers_have(&l->mailboxes[d->mailbox].consumers, e->excluded[i]))
			return true;
	return false;
}

static bool by_conflict(const struct ledger *l, const Ieum__V1__Submitted *e,
			const struct ledger_delivery *d)
{
	if (d->of->type == TYPE(AGENDA))
		return is_agenda_of_excluded(l, e, d);
	return e->n_excluded > 0 && !ledger_may_act(l, d->of->in, d->mailbox);
}

/* Only a message that replaces it, a conflict of interest, or a withdrawn consent takes back what
 * is on its way; and no withdrawal takes what rests on a statute. */
static void check_delivery(struct ledger *l, const Ieum__V1__Submitted *e, uint64_t id,
			   bool somebody_has_it)
{
	const struct ledger_delivery *d = ledger_delivery_of(l, id);

	if (!d)
		ledger_say(l, "something is taken back that was never sent");
	else if (d->who.n > 0 && !somebody_has_it)
		ledger_say(l, "something is taken back as if nobody had had it");
	else if (!rests_on_consent(d->of) && !replaced_by(d->of, e) && !by_conflict(l, e, d))
		ledger_say(l, "event %llu is taken back from mailbox %u, and rests on no consent",
			   (unsigned long long)d->of->seq, d->mailbox);
}

static void check_request(struct ledger *l, const Ieum__V1__Submitted *e,
			  const Ieum__V1__TaskChanged *t)
{
	const struct ledger_message *m = ledger_message_of(l, &t->message_id);
	bool by_withdrawal = t->answer == IEUM__V1__ANSWER_KIND__ANSWER_KIND_CANCEL &&
			     t->reason == IEUM__V1__REASON__REASON_CONSENT_REFUSED;

	/* Whoever asked may say why it does so no more. */
	if (e->in_reply_to.len == LEDGER_ID_BYTES && m &&
	    memcmp(e->in_reply_to.data, m->id, LEDGER_ID_BYTES) == 0)
		return;
	if (m && by_withdrawal && !rests_on_consent(m))
		ledger_say(l, "the request of event %llu rests on no consent and is cancelled",
			   (unsigned long long)m->seq);
}

void ledger_check_taken_back(struct ledger *l, const Ieum__V1__Submitted *e)
{
	for (size_t i = 0; i < e->n_withdrawn; i++)
		check_delivery(l, e, e->withdrawn[i], false);
	for (size_t i = 0; i < e->n_revoked; i++)
		check_delivery(l, e, e->revoked[i], true);
	for (size_t i = 0; i < e->n_answered; i++)
		check_request(l, e, e->answered[i]);
}

/* ---- orders to stop ---- */

static uint32_t own_mailbox(const struct ledger *l, uint32_t participant)
{
	for (uint32_t i = 1; i < LEDGER_MAILBOXES_MAX; i++)
		if (strcmp(l->mailboxes[i].name, l->participants[participant]) == 0)
			return i;
	return 0;
}

/* By an order of its own, or by one to who is responsible where no rule takes orders; of who has
 * handed the case over, whoever has taken it sees to it. */
static bool is_ordered(const struct ledger *l, uint32_t participant)
{
	const struct ledger_withdrawal *w = &l->withdrawal;
	uint32_t own = own_mailbox(l, participant);

	for (const struct ledger_message *m = w->by; m; m = m->next_in_case) {
		if (m->type != TYPE(STOP_USE_ORDER))
			continue;
		for (const struct ledger_delivery *d = m->deliveries; d; d = d->next)
			if (d->mailbox == own || numbers_have(&w->in->ended, own) ||
			    (d->mailbox == w->in->owner && m->n_tasks <= 1))
				return true;
	}
	return false;
}

static void check_recipients(struct ledger *l, const struct ledger_message *m)
{
	const struct ledger_withdrawal *w = &l->withdrawal;

	for (const struct ledger_delivery *d = m->deliveries; d; d = d->next)
		for (size_t i = 0; i < d->who.n; i++) {
			uint32_t who = d->who.at[i];
			if (who == w->by->sender || numbers_have(&w->in->excluded, who) ||
			    !ledger_is_listed(l, own_mailbox(l, who)) || is_ordered(l, who))
				continue;
			ledger_say(
				l,
				"consent is withdrawn, and participant %u, who got event %llu on it, hears nothing",
				who, (unsigned long long)m->seq);
		}
}

/* What was withdrawn by itself was stopped then. */
static bool is_meant(const struct ledger_withdrawal *w, const struct ledger_message *m)
{
	return rests_on_consent(m) && m->withdrawn_by == (w->in_part ? w->by : NULL);
}

void ledger_check_orders(struct ledger *l)
{
	const struct ledger_withdrawal *w = &l->withdrawal;

	if (w->in && w->by)
		for (const struct ledger_message *m = w->in->messages; m && m->seq < w->by->seq;
		     m = m->next_in_case)
			if (is_meant(w, m))
				check_recipients(l, m);
	if (l->on_no_consent && l->on_no_consent->type != TYPE(CONSENT_WITHDRAWAL))
		ledger_say(l, "event %llu is shared on a consent that was withdrawn",
			   (unsigned long long)l->on_no_consent->seq);
	l->withdrawal = (struct ledger_withdrawal){ 0 };
	l->on_no_consent = NULL;
}
