/* Building a decision; see decision.h. */
#include "broker/core/decision.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"

static void decision_clear(struct core_decision *d)
{
	d->n_items = 0;
	d->detail[0] = '\0';
	d->retry_after_ms = 0;
	d->repeated = false;
	d->receipt_seq = 0;
	d->receipt_at_us = 0;
	d->has_case = false;
}

void core_decision_init(struct core_decision *d, size_t arena_budget_bytes)
{
	arena_init(&d->arena, arena_budget_bytes);
	decision_clear(d);
}

void core_decision_reset(struct core_decision *d)
{
	arena_reset(&d->arena);
	decision_clear(d);
}

void core_decision_release(struct core_decision *d)
{
	arena_release(&d->arena);
	decision_clear(d);
}

void *decision_zalloc(struct core_decision *d, size_t bytes)
{
	return arena_zalloc(&d->arena, bytes);
}

Ieum__V1__Event *decision_event(struct core_decision *d, core_time_us now)
{
	if (d->n_items == CORE_DECISION_EVENTS_MAX)
		return NULL;
	Ieum__V1__Event *e = arena_alloc(&d->arena, sizeof *e);
	if (!e)
		return NULL;
	*e = (Ieum__V1__Event)IEUM__V1__EVENT__INIT;
	e->at_us = now;
	d->items[d->n_items++] = (struct core_item){ .event = e };
	return e;
}

uint64_t decision_seq(const struct core *c, const struct core_decision *d)
{
	return c->last_seq + d->n_items;
}

/* Counts mailboxes, each once. */
struct tally {
	struct scratch *in;
	size_t n;
};

/* False: no memory. */
static bool tally_begin(struct tally *t, const struct core *c)
{
	struct scratch *in = c->scratch;

	*t = (struct tally){ .in = in };
	if (in->cap_counted <= c->n_mailboxes) {
		uint32_t cap = 2 * (c->n_mailboxes + 1);
		uint32_t *counted = realloc(in->counted, cap * sizeof *counted);
		if (!counted)
			return false;
		memset(counted + in->cap_counted, 0, (cap - in->cap_counted) * sizeof *counted);
		in->counted = counted;
		in->cap_counted = cap;
	}
	if (++in->count == 0) {
		memset(in->counted, 0, in->cap_counted * sizeof *in->counted);
		in->count = 1;
	}
	return true;
}

static void tally_add(struct tally *t, uint32_t mailbox)
{
	if (!mailbox || mailbox >= t->in->cap_counted || t->in->counted[mailbox] == t->in->count)
		return;
	t->in->counted[mailbox] = t->in->count;
	t->n++;
}

static void tally_routes(struct tally *t, Ieum__V1__Route *const *routes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tally_add(t, routes[i]->mailbox);
}

size_t decision_case_members(const struct core *c, const struct core_decision *d,
			     const uint8_t case_id[CORE_ID_BYTES])
{
	uint32_t ch = state_case(c, case_id);
	const struct core_case *k = ch ? case_at(c, ch) : NULL;
	struct tally t;

	if (!tally_begin(&t, c))
		return CORE_CASE_MEMBERS_MAX + 1;
	for (uint32_t i = 0; k && i < k->n_members; i++)
		tally_add(&t, k->members[i].mailbox);
	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_ESCALATED) {
			uint32_t rh = state_referral(c, of->escalated->message_id.data);
			if (ch && rh && referral_at(c, rh)->core_case == ch)
				tally_routes(&t, of->escalated->routes, of->escalated->n_routes);
		}
		if (of->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    of->submitted->case_id.len != CORE_ID_BYTES ||
		    memcmp(of->submitted->case_id.data, case_id, CORE_ID_BYTES) != 0)
			continue;
		const Ieum__V1__Submitted *e = of->submitted;
		tally_routes(&t, e->routes, e->n_routes);
		tally_add(&t, e->sender_mailbox);
		tally_add(&t, e->case_owner);
		tally_add(&t, e->case_opened ? e->case_opened->owner : 0);
	}
	return t.n;
}

static bool is_case(const ProtobufCBinaryData *id, const uint8_t case_id[CORE_ID_BYTES])
{
	return id->len == CORE_ID_BYTES && memcmp(id->data, case_id, CORE_ID_BYTES) == 0;
}

Ieum__V1__CaseState decision_case_state(const struct core *c, const struct core_decision *d,
					const uint8_t case_id[CORE_ID_BYTES],
					const Ieum__V1__Submitted *before)
{
	uint32_t ch = state_case(c, case_id);
	Ieum__V1__CaseState state = ch ? (Ieum__V1__CaseState)case_at(c, ch)->state : 0;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (before && of->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED &&
		    of->submitted == before)
			break;
		if (of->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && of->submitted->case_state &&
		    is_case(&of->submitted->case_id, case_id))
			state = of->submitted->case_state;
		if (of->what_case == IEUM__V1__EVENT__WHAT_CASE_CHANGED &&
		    of->case_changed->state && is_case(&of->case_changed->case_id, case_id))
			state = of->case_changed->state;
	}
	return state;
}

uint32_t decision_case_owner(const struct core_decision *d, const struct core_case *k)
{
	uint32_t owner = k->owner;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && of->submitted->case_owner &&
		    is_case(&of->submitted->case_id, k->id))
			owner = of->submitted->case_owner;
		if (of->what_case == IEUM__V1__EVENT__WHAT_CASE_CHANGED &&
		    of->case_changed->owner && is_case(&of->case_changed->case_id, k->id))
			owner = of->case_changed->owner;
	}
	return owner;
}

/* Of a policy that knows the participant. */
static void put_excluded(const struct core *c, const struct policy *p, uint32_t participant,
			 int *excluded, size_t *n, size_t max)
{
	int index = state_policy_participant(c, p, participant);

	if (index != POLICY_NONE && *n < max)
		excluded[(*n)++] = index;
}

size_t decision_case_excluded(const struct core *c, const struct policy *p,
			      const struct core_decision *d, const struct core_case *k,
			      int *excluded, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 0; i < k->n_excluded; i++)
		put_excluded(c, p, k->excluded[i], excluded, &n, max);
	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    !is_case(&of->submitted->case_id, k->id))
			continue;
		for (size_t x = 0; x < of->submitted->n_excluded; x++)
			put_excluded(c, p, of->submitted->excluded[x], excluded, &n, max);
	}
	return n;
}

enum ieum_err decision_refuse(struct core_decision *d, enum ieum_err code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->detail, sizeof d->detail, format, args);
	va_end(args);
	d->n_items = 0;
	return code;
}

/* ---- who asks ---- */

enum ieum_err caller_of(const struct core *c, const struct policy *p, uint64_t connection,
			struct caller *out)
{
	uint32_t kh = state_connection(c, connection);

	if (!kh)
		return IEUM_E_IDENTITY_UNKNOWN;
	out->connection = kh;
	out->participant = connection_at(c, kh)->participant;
	out->index = state_policy_participant(c, p, out->participant);
	if (out->index == POLICY_NONE)
		return IEUM_E_IDENTITY_UNKNOWN;
	out->who = policy_participant(p, out->index);
	return IEUM_E_OK;
}

bool caller_consumes(const struct core *c, const struct policy *p, const struct caller *who,
		     uint32_t mailbox)
{
	int index = state_policy_mailbox(c, p, mailbox);

	for (size_t i = 0; index != POLICY_NONE && i < who->who->n_mailboxes; i++)
		if (who->who->mailboxes[i] == index)
			return true;
	return false;
}

bool caller_in_case(const struct core *c, const struct policy *p, const struct caller *who,
		    const struct core_case *k)
{
	(void)c;
	for (size_t i = 0; i < who->who->n_mailboxes; i++)
		if (case_member(k, policy_mailbox(p, who->who->mailboxes[i])->number))
			return true;
	return false;
}

bool caller_reads_case(const struct policy *p, const struct caller *who, const struct core_case *k)
{
	for (size_t i = 0; i < who->who->n_mailboxes; i++) {
		const struct member *m =
			case_member(k, policy_mailbox(p, who->who->mailboxes[i])->number);
		if (m && !m->out)
			return true;
	}
	return false;
}

uint32_t caller_mailbox(const struct policy *p, const struct caller *who)
{
	return who->who->mailbox == POLICY_NONE ? 0 : policy_mailbox(p, who->who->mailbox)->number;
}

bool mailbox_is_shared(const struct core *c, const struct policy *p, uint32_t mailbox)
{
	int index = state_policy_mailbox(c, p, mailbox);
	uint32_t connections = 0;

	if (index == POLICY_NONE)
		return false;
	const struct policy_mailbox *m = policy_mailbox(p, index);
	for (size_t i = 0; i < m->n_consumers; i++) {
		uint32_t number = policy_participant(p, m->consumers[i])->number;
		if (number)
			connections += c->participants[number - 1].n_connections;
	}
	return connections > 1;
}
