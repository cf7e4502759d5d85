/* Building a decision; see decision.h. */
#include "broker/core/decision.h"

#include <stdarg.h>
#include <stdio.h>
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

static bool joins(const struct core_case *k, uint32_t mailbox)
{
	return mailbox && (!k || !case_member(k, mailbox));
}

static size_t routes_join(const struct core_case *k, Ieum__V1__Route *const *routes, size_t n)
{
	size_t members = 0;

	for (size_t i = 0; i < n; i++)
		members += joins(k, routes[i]->mailbox);
	return members;
}

size_t decision_case_members(const struct core *c, const struct core_decision *d,
			     const uint8_t case_id[CORE_ID_BYTES])
{
	uint32_t ch = state_case(c, case_id);
	const struct core_case *k = ch ? case_at(c, ch) : NULL;
	size_t members = k ? k->n_members : 0;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_ESCALATED) {
			uint32_t rh = state_referral(c, of->escalated->message_id.data);
			if (ch && rh && referral_at(c, rh)->core_case == ch)
				members += routes_join(k, of->escalated->routes,
						       of->escalated->n_routes);
		}
		if (of->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
		    of->submitted->case_id.len != CORE_ID_BYTES ||
		    memcmp(of->submitted->case_id.data, case_id, CORE_ID_BYTES) != 0)
			continue;
		const Ieum__V1__Submitted *e = of->submitted;
		members += routes_join(k, e->routes, e->n_routes) + joins(k, e->sender_mailbox) +
			   joins(k, e->case_owner) +
			   (e->case_opened && joins(k, e->case_opened->owner));
	}
	return members;
}

static bool is_case(const ProtobufCBinaryData *id, const uint8_t case_id[CORE_ID_BYTES])
{
	return id->len == CORE_ID_BYTES && memcmp(id->data, case_id, CORE_ID_BYTES) == 0;
}

Ieum__V1__CaseState decision_case_state(const struct core *c, const struct core_decision *d,
					const uint8_t case_id[CORE_ID_BYTES])
{
	uint32_t ch = state_case(c, case_id);
	Ieum__V1__CaseState state = ch ? (Ieum__V1__CaseState)case_at(c, ch)->state : 0;

	for (size_t i = 0; i < d->n_items; i++) {
		const Ieum__V1__Event *of = d->items[i].event;
		if (of->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED && of->submitted->case_state &&
		    is_case(&of->submitted->case_id, case_id))
			state = of->submitted->case_state;
		if (of->what_case == IEUM__V1__EVENT__WHAT_CASE_CHANGED &&
		    of->case_changed->state && is_case(&of->case_changed->case_id, case_id))
			state = of->case_changed->state;
	}
	return state;
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
