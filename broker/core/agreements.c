/* See agreements.h. */
#include "broker/core/agreements.h"

#include <string.h>

#include "broker/core/occasion.h"
#include "broker/core/snapshot.h"

static struct agreement *agreement_of(const struct core *c, uint32_t participant)
{
	return &c->participants[participant - 1].agreement;
}

static void agreement_placed(void *core, uint32_t participant, uint32_t place)
{
	agreement_of(core, participant)->place = place;
}

void agreements_init(struct core *c)
{
	heap_init(&c->agreements, agreement_placed, c);
}

static int64_t next_of(const struct agreement *a)
{
	return a->warn_at_ms ? a->warn_at_ms : a->ends_at_ms;
}

int64_t agreements_next_due_ms(const struct core *c)
{
	const struct heap_entry *first = heap_first(&c->agreements);

	return first ? (int64_t)first->key : INT64_MAX;
}

/* ---- by the policy ---- */

static uint32_t number_of(const struct core *c, const Ieum__V1__PolicyChanged *e, const char *name)
{
	uint32_t number = state_participant_number(c, name);

	for (size_t i = 0; i < e->n_participants && !number; i++)
		if (strcmp(e->participants[i]->name, name) == 0)
			number = e->participants[i]->number;
	return number;
}

/* What is to be told, given what was.  An end that has come is told once, also when the file was
 * read again in that moment; one that was over when the hub first heard of it is no news. */
static struct agreement due_by(const struct policy *p, int index, const struct agreement *known,
			       int64_t now_ms)
{
	int64_t ends_ms = policy_agreement_ends_ms(p, index);
	int64_t warn_ms =
		ends_ms == INT64_MAX ? 0 : ends_ms - policy_participant(p, index)->warn_before_ms;

	if (ends_ms == INT64_MAX)
		return (struct agreement){ 0 };
	if (ends_ms == known->ends_at_ms)
		return (struct agreement){ .warn_at_ms = known->warn_at_ms ? warn_ms : 0,
					   .ends_at_ms = ends_ms };
	if (ends_ms <= now_ms)
		return (struct agreement){ 0 };
	return (struct agreement){ .warn_at_ms = warn_ms, .ends_at_ms = ends_ms };
}

static enum ieum_err add_row(struct core_decision *d, Ieum__V1__PolicyChanged *e, uint32_t number,
			     const struct agreement *known, const struct agreement *due)
{
	if (known->warn_at_ms == due->warn_at_ms && known->ends_at_ms == due->ends_at_ms)
		return IEUM_E_OK;
	Ieum__V1__AgreementDue *row = decision_zalloc(d, sizeof *row);
	if (!row)
		return IEUM_E_NO_MEMORY;
	*row = (Ieum__V1__AgreementDue)IEUM__V1__AGREEMENT_DUE__INIT;
	row->participant = number;
	row->warn_at_ms = due->warn_at_ms;
	row->ends_at_ms = due->ends_at_ms;
	e->agreements_due[e->n_agreements_due++] = row;
	return IEUM_E_OK;
}

enum ieum_err agreements_policy(const struct core *c, const struct policy *p, core_time_us now,
				struct core_decision *d, Ieum__V1__PolicyChanged *e)
{
	static const struct agreement none;
	enum ieum_err err = IEUM_E_OK;

	e->agreements_due = decision_zalloc(d, (policy_participants(p) + c->agreements.n + 1) *
						       sizeof *e->agreements_due);
	if (!e->agreements_due)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < policy_participants(p) && !err; i++) {
		uint32_t number = number_of(c, e, policy_participant(p, (int)i)->name);
		const struct agreement *known =
			number <= c->n_participants ? agreement_of(c, number) : &none;
		struct agreement due = due_by(p, (int)i, known, to_ms(now));
		err = add_row(d, e, number, known, &due);
	}
	for (uint32_t i = 0; i < c->agreements.n && !err; i++) {
		uint32_t number = c->agreements.entries[i].item;
		if (policy_find_participant(p, c->participants[number - 1].name) == POLICY_NONE)
			err = add_row(d, e, number, agreement_of(c, number), &none);
	}
	return err;
}

/* ---- time ---- */

static enum ieum_err tell(const struct occasion *o, const struct policy_participant *who,
			  Ieum__V1__ClockChange change, int64_t ends_at_ms)
{
	struct hub_message *m =
		hub_message_new(o, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_DEADLINE_NOTICE);

	if (!m)
		return IEUM_E_NO_MEMORY;
	Ieum__V1__DeadlineNotice *body = m->referral.deadline_notice;
	body->participant = (char *)who->name;
	body->change = change;
	body->due_at_ms = ends_at_ms;
	enum ieum_err err = hub_message_to(o, m, policy_mailbox(o->p, who->mailbox)->number,
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	for (size_t i = 0; i < who->n_agreement_tells && !err; i++)
		err = hub_message_address(o, m, who->agreement_tells[i],
					  IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_CLOCK);
	return err ? err : hub_message_end(o, m);
}

enum ieum_err agreements_due(const struct core *c, const struct policy *p, core_time_us now,
			     struct core_decision *d)
{
	const struct heap_entry *first = heap_first(&c->agreements);
	struct occasion o;

	if (!first || (int64_t)first->key > to_ms(now))
		return IEUM_E_OK;
	const struct agreement *a = agreement_of(c, first->item);
	const struct policy_participant *who =
		policy_participant(p, state_policy_participant(c, p, first->item));
	bool over = a->ends_at_ms <= to_ms(now);
	Ieum__V1__AgreementDue *e = decision_agreement_due(d, now);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->participant = first->item;
	e->ends_at_ms = over ? 0 : a->ends_at_ms;
	enum ieum_err err = occasion_of_time(c, p, d, now, 0, &o);
	if (err || !who)
		return err;
	return tell(&o, who,
		    over ? IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_STOPPED
			 : IEUM__V1__CLOCK_CHANGE__CLOCK_CHANGE_WARNED,
		    a->ends_at_ms);
}

/* ---- applying ---- */

enum ieum_err apply_agreement_due(struct core *c, const Ieum__V1__AgreementDue *e)
{
	if (e->participant == 0 || e->participant > c->n_participants || e->warn_at_ms < 0 ||
	    e->ends_at_ms < 0 || (e->warn_at_ms && !e->ends_at_ms))
		return IEUM_E_JOURNAL_CORRUPT;
	struct agreement *a = agreement_of(c, e->participant);
	a->warn_at_ms = e->warn_at_ms;
	a->ends_at_ms = e->ends_at_ms;
	if (a->place && !next_of(a))
		heap_remove(&c->agreements, a->place);
	else if (a->place)
		heap_rekey(&c->agreements, a->place, (uint64_t)next_of(a), e->participant);
	else if (next_of(a))
		return heap_push(&c->agreements, (uint64_t)next_of(a), e->participant,
				 e->participant);
	return IEUM_E_OK;
}

/* ---- snapshots, checking ---- */

enum ieum_err agreements_write(struct snapshot_writing *w)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 1; i <= w->c->n_participants && !err; i++) {
		const struct agreement *a = agreement_of(w->c, i);
		Ieum__V1__AgreementDue m = IEUM__V1__AGREEMENT_DUE__INIT;
		if (!next_of(a))
			continue;
		m.participant = i;
		m.warn_at_ms = a->warn_at_ms;
		m.ends_at_ms = a->ends_at_ms;
		err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_AGREEMENT, &m);
	}
	return err;
}

const char *agreements_check(const struct core *c)
{
	uint32_t listed = 0;

	for (uint32_t i = 1; i <= c->n_participants; i++) {
		const struct agreement *a = agreement_of(c, i);
		if ((next_of(a) != 0) != (a->place != 0))
			return "an agreement has something to tell and is not due, or the reverse";
		if (a->place && (int64_t)c->agreements.entries[a->place - 1].key != next_of(a))
			return "an agreement is due at another moment than it says";
		listed += a->place != 0;
	}
	return listed == c->agreements.n ? NULL : "agreements are due of nobody";
}
