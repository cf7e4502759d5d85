/* Agendas from inside: what deciding about calls, minutes and requests shares.  Private to
 * broker/core/agenda*.c. */
#ifndef IEUM_BROKER_CORE_AGENDA_IN_H
#define IEUM_BROKER_CORE_AGENDA_IN_H

#include "broker/core/agenda.h"

/* The body that a field names, of which the sender is a member; NULL: *err says why not. */
const struct policy_body *agenda_take_body(const struct occasion *o, const char *field,
					   const char *name, enum ieum_err *err);
/* The agenda whose meeting the occasion's minutes are of; NULL: of none. */
const struct agenda *agenda_met(const struct occasion *o);

/* Room for n further requests in the occasion's event. */
enum ieum_err agenda_widen(const struct occasion *o, size_t n) IEUM_MUST_CHECK;
/* One of them, of that mailbox (number), with the ladder of the rule. */
enum ieum_err agenda_add_request(const struct occasion *o, int rule, uint32_t mailbox,
				 int64_t due_at_ms, Ieum__V1__Awaits awaits) IEUM_MUST_CHECK;

/* Minutes on the agenda: is one of their actions still to be answered? */
bool agenda_has_open_action(const struct core *c, const struct agenda_entry *e);

/* ---- agenda_ask.c: what a meeting does to the requests that await it ---- */

/* A meeting is called: what waited for it is due some time after it. */
enum ieum_err agenda_ask_called(const struct occasion *o, const char *body) IEUM_MUST_CHECK;
/* It has minutes: what it had before it is done, or waits for the next one. */
enum ieum_err agenda_ask_minuted(const struct occasion *o, const struct agenda *a) IEUM_MUST_CHECK;

#endif
