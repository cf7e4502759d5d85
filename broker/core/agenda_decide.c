/* Deciding about agendas: items, calls, minutes and the actions that they agree on. */
#include <string.h>

#include "broker/core/agenda_in.h"
#include "broker/core/cases.h"
#include "broker/core/occasion.h"
#include "broker/core/submit.h"

/* ---- the body ---- */

static const struct policy_body *find_body(const struct occasion *o, const char *name)
{
	int index = policy_find_body(o->p, name);

	return index == POLICY_NONE ? NULL : policy_body(o->p, index);
}

static bool is_member(const struct occasion *o, const struct policy_body *body)
{
	for (size_t i = 0; o->sender != POLICY_NONE && i < body->n_mailboxes; i++) {
		const struct policy_mailbox *m = policy_mailbox(o->p, body->mailboxes[i]);
		for (size_t k = 0; k < m->n_consumers; k++)
			if (m->consumers[k] == o->sender)
				return true;
	}
	return false;
}

const struct policy_body *agenda_take_body(const struct occasion *o, const char *field,
					   const char *name, enum ieum_err *err)
{
	const struct policy_body *body = find_body(o, name);

	*err = IEUM_E_OK;
	if (body && is_member(o, body))
		return body;
	if (!*name)
		*err = decision_refuse(o->d, IEUM_E_FIELD_MISSING, "%s: which body meets?", field);
	else if (!body)
		*err = decision_refuse(o->d, IEUM_E_FIELD_INVALID, "%s: no body '%.64s'", field,
				       name);
	else
		*err = decision_refuse(o->d, IEUM_E_NOT_PERMITTED,
				       "%s: only members of '%s' may do this", field, body->name);
	return NULL;
}

static Ieum__V1__AgendaChanged *change(const struct occasion *o, const char *body,
				       Ieum__V1__AgendaStep step)
{
	Ieum__V1__AgendaChanged *e = decision_agenda_changed(o->d, o->now);

	if (!e)
		return NULL;
	/* The agenda's own name may move when another comes to be. */
	e->body = arena_copy(&o->d->arena, body, strlen(body) + 1);
	e->step = step;
	e->message_id = o->referral->envelope->message_id;
	return e->body ? e : NULL;
}

static enum ieum_err check_room(const struct occasion *o, const char *body)
{
	const struct agenda *a = agenda_of(&o->c->agendas, body);

	if (!a || a->n_entries < AGENDA_ENTRIES_MAX)
		return IEUM_E_OK;
	o->d->retry_after_ms = CORE_RETRY_FULL_MS;
	return decision_refuse(o->d, IEUM_E_HUB_FULL,
			       "the agenda of '%s' has as many entries as it may", body);
}

/* ---- an item ---- */

enum ieum_err agenda_decide_put(const struct occasion *o)
{
	enum ieum_err err;

	if (!o->referral || o->referral->body_case != IEUM__V1__REFERRAL__BODY_AGENDA_ITEM)
		return IEUM_E_OK;
	const struct policy_body *body =
		agenda_take_body(o, "agenda_item.body", o->referral->agenda_item->body, &err);
	if (!body)
		return err;
	err = check_room(o, body->name);
	if (!err && !change(o, body->name, IEUM__V1__AGENDA_STEP__AGENDA_STEP_PUT))
		err = IEUM_E_NO_MEMORY;
	return err;
}

/* ---- a call ---- */

/* One agenda, for those who may see the same. */
struct copy {
	const struct occasion *o;
	const struct policy_body *body;
	ProtobufCBinaryData conference_id;
	const uint8_t *but_case; /* is left out, or NULL */
	size_t n_copies;
};

/* The cases on it, each once, for the record. */
static enum ieum_err list_cases(const struct copy *of, const Ieum__V1__Agenda *agenda,
				Ieum__V1__Submitted *e)
{
	Ieum__V1__AgendaSent *sent = decision_zalloc(of->o->d, sizeof *sent);
	size_t n = agenda->n_entries + 1;

	if (!sent)
		return IEUM_E_NO_MEMORY;
	*sent = (Ieum__V1__AgendaSent)IEUM__V1__AGENDA_SENT__INIT;
	sent->body = agenda->body;
	sent->conference_id = of->conference_id;
	sent->case_ids = decision_zalloc(of->o->d, n * sizeof *sent->case_ids);
	if (!sent->case_ids)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < agenda->n_entries; i++) {
		const ProtobufCBinaryData *id = &agenda->entries[i]->case_id;
		bool there = id->len == 0;
		for (size_t k = 0; k < sent->n_case_ids && !there; k++)
			there = memcmp(sent->case_ids[k].data, id->data, CORE_ID_BYTES) == 0;
		if (!there)
			sent->case_ids[sent->n_case_ids++] = *id;
	}
	e->agenda = sent;
	return IEUM_E_OK;
}

static enum ieum_err fill_copy(const struct copy *of, const struct policy_mailbox *reader,
			       bool convener, Ieum__V1__Agenda *agenda)
{
	const struct occasion *o = of->o;
	const struct agenda_reader r = { .c = o->c,
					 .p = o->p,
					 .participants = reader ? reader->consumers : NULL,
					 .n_participants = reader ? reader->n_consumers : 0,
					 .linked_sets_of = reader && convener ? reader->number : 0,
					 .but_case = of->but_case,
					 .arena = &o->d->arena };
	Ieum__V1__AgendaEntry *rows = decision_zalloc(o->d, AGENDA_SHOWN_MAX * sizeof *rows);

	agenda->entries = decision_zalloc(o->d, AGENDA_SHOWN_MAX * sizeof *agenda->entries);
	if (!rows || !agenda->entries)
		return IEUM_E_NO_MEMORY;
	agenda->body = (char *)of->body->name;
	agenda->conference_id = of->conference_id;
	agenda->n_entries = agenda_fill(&r, of->body->name, rows, AGENDA_SHOWN_MAX);
	for (size_t i = 0; i < agenda->n_entries; i++)
		agenda->entries[i] = &rows[i];
	return IEUM_E_OK;
}

/* A message of no case: what is on the agenda is of many. */
static enum ieum_err begin_copy(struct copy *of, const struct policy_mailbox *reader, bool convener,
				struct hub_message **out)
{
	struct occasion none = *of->o;

	if (of->n_copies++ == AGENDA_COPIES_MAX)
		return decision_refuse(of->o->d, IEUM_E_FIELD_TOO_LARGE,
				       "'%s' would get more than %d different agendas",
				       of->body->name, AGENDA_COPIES_MAX);
	none.core_case = 0;
	none.case_id = (ProtobufCBinaryData){ 0, NULL };
	none.category = 0;
	*out = hub_message_new(&none, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA);
	if (!*out)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = fill_copy(of, reader, convener, (*out)->referral.agenda);
	return err ? err : list_cases(of, (*out)->referral.agenda, (*out)->e);
}

/* Is there something on the agenda that not everyone at this mailbox may see? */
static bool sees_less(const struct copy *of, const struct policy_mailbox *reader)
{
	const struct core *c = of->o->c;
	const struct agenda *a = agenda_of(&c->agendas, of->body->name);

	for (uint32_t i = 0; a && i < a->n_entries; i++) {
		uint32_t ch = state_case(c, a->entries[i].case_id);
		for (size_t k = 0; ch && k < reader->n_consumers; k++)
			if (case_excludes(
				    case_at(c, ch),
				    policy_participant(of->o->p, reader->consumers[k])->number))
				return true;
	}
	return false;
}

static enum ieum_err send_own(struct copy *of, const struct policy_mailbox *reader, bool convener)
{
	struct hub_message *m;
	enum ieum_err err = begin_copy(of, reader, convener, &m);

	if (!err)
		err = submit_route(of->o->d, m->e, reader->number,
				   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 0);
	return err ? err : hub_message_end(of->o, m);
}

/* Those who see all of it share one message; the convener and those with a conflict of interest
 * have their own. */
static enum ieum_err send_copies(struct copy *of)
{
	const struct policy_body *body = of->body;
	struct hub_message *common = NULL;
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < body->n_mailboxes && !err; i++) {
		const struct policy_mailbox *m = policy_mailbox(of->o->p, body->mailboxes[i]);
		if (body->mailboxes[i] == body->lead || sees_less(of, m))
			continue;
		if (!common)
			err = begin_copy(of, NULL, false, &common);
		if (!err)
			err = submit_route(of->o->d, common->e, m->number,
					   IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 0);
	}
	if (!err && common)
		err = hub_message_end(of->o, common);
	for (size_t i = 0; i < body->n_mailboxes && !err; i++) {
		const struct policy_mailbox *m = policy_mailbox(of->o->p, body->mailboxes[i]);
		if (body->mailboxes[i] == body->lead || sees_less(of, m))
			err = send_own(of, m, body->mailboxes[i] == body->lead);
	}
	return err;
}

enum ieum_err agenda_decide_call(const struct occasion *o)
{
	struct copy of = { .o = o };
	enum ieum_err err;

	if (!o->referral || o->referral->body_case != IEUM__V1__REFERRAL__BODY_CONFERENCE_CALL)
		return IEUM_E_OK;
	of.conference_id = o->referral->envelope->message_id;
	of.body = agenda_take_body(o, "conference_call.body", o->referral->conference_call->body,
				   &err);
	if (!of.body)
		return err;
	err = send_copies(&of);
	if (!err)
		err = agenda_ask_called(o, of.body->name);
	if (!err && !change(o, of.body->name, IEUM__V1__AGENDA_STEP__AGENDA_STEP_CALLED))
		err = IEUM_E_NO_MEMORY;
	return err;
}

/* ---- one that is sent again ---- */

static bool is_called(const struct core *c, const struct agenda_again *again)
{
	const struct agenda *a = agenda_of(&c->agendas, again->body);

	for (uint32_t i = 0; a && i < a->n_meetings; i++)
		if (memcmp(a->meetings[i].message_id, again->conference_id, CORE_ID_BYTES) == 0)
			return true;
	return false;
}

enum ieum_err agenda_decide_again(const struct submission *s)
{
	struct occasion o = occasion_of_submission(s);
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < s->n_agendas && !err; i++) {
		const struct agenda_again *again = &s->agendas[i];
		int index = state_policy_mailbox(s->c, s->p, again->mailbox);
		struct copy of = {
			.o = &o,
			.body = find_body(&o, again->body),
			.conference_id = { CORE_ID_BYTES, (uint8_t *)again->conference_id },
			.but_case = case_at(s->c, s->core_case)->id,
		};
		if (of.body && index != POLICY_NONE && is_called(s->c, again))
			err = send_own(&of, policy_mailbox(s->p, index), index == of.body->lead);
	}
	return err;
}

/* ---- minutes ---- */

const struct agenda *agenda_met(const struct occasion *o)
{
	const ProtobufCBinaryData *id = &o->referral->conference_minutes->conference_id;

	for (uint32_t i = 0; id->len == CORE_ID_BYTES && i < o->c->agendas.n; i++) {
		const struct agenda *a = &o->c->agendas.list[i];
		for (uint32_t k = 0; k < a->n_meetings; k++)
			if (memcmp(a->meetings[k].message_id, id->data, CORE_ID_BYTES) == 0)
				return a;
	}
	return NULL;
}

static bool has_minutes(const struct occasion *o)
{
	return o->referral && o->e &&
	       o->referral->body_case == IEUM__V1__REFERRAL__BODY_CONFERENCE_MINUTES;
}

/* Minutes of a body that no meeting is known of would end nothing, and nobody would notice. */
static enum ieum_err check_meeting(const struct occasion *o)
{
	const Ieum__V1__ConferenceMinutes *minutes = o->referral->conference_minutes;

	if (!*minutes->body)
		return IEUM_E_OK;
	return decision_refuse(
		o->d, minutes->conference_id.len ? IEUM_E_REFERRAL_UNKNOWN : IEUM_E_FIELD_MISSING,
		"conference_minutes.conference_id: no meeting of '%.64s' was called by "
		"such a message, or it has minutes already",
		minutes->body);
}

/* Actions that nobody will do any more leave the agenda by the council's own word alone. */
static enum ieum_err check_given_up(const struct occasion *o, const struct agenda *a)
{
	const Ieum__V1__ConferenceMinutes *minutes = o->referral->conference_minutes;

	for (size_t i = 0; i < minutes->n_given_up_ids; i++) {
		const ProtobufCBinaryData *id = &minutes->given_up_ids[i];
		const struct agenda_entry *found = NULL;
		for (uint32_t k = 0; k < a->n_entries; k++)
			if (id->len == CORE_ID_BYTES && a->entries[k].n_actions > 0 &&
			    memcmp(a->entries[k].message_id, id->data, CORE_ID_BYTES) == 0)
				found = &a->entries[k];
		if (!found)
			return decision_refuse(
				o->d, IEUM_E_REFERRAL_UNKNOWN,
				"conference_minutes.given_up_ids[%zu]: no minutes on the agenda",
				i);
		if (agenda_has_open_action(o->c, found))
			return decision_refuse(
				o->d, IEUM_E_STATE_CONFLICT,
				"conference_minutes.given_up_ids[%zu]: an action of it is still "
				"open; whoever sent the minutes may cancel it",
				i);
	}
	return IEUM_E_OK;
}

enum ieum_err agenda_decide_end(const struct occasion *o)
{
	const struct agenda *a = has_minutes(o) ? agenda_met(o) : NULL;
	enum ieum_err err;

	if (!a)
		return has_minutes(o) ? check_meeting(o) : IEUM_E_OK;
	const Ieum__V1__ConferenceMinutes *minutes = o->referral->conference_minutes;
	if (!agenda_take_body(o, "conference_minutes.conference_id", a->body, &err))
		return err;
	if (*minutes->body && strcmp(minutes->body, a->body) != 0)
		return decision_refuse(o->d, IEUM_E_FIELD_INVALID,
				       "conference_minutes.body: it was a meeting of '%s'",
				       a->body);
	for (size_t i = 0; i < minutes->n_kept_item_ids && !err; i++) {
		const ProtobufCBinaryData *id = &minutes->kept_item_ids[i];
		bool found = false;
		for (uint32_t k = 0; k < a->n_entries; k++)
			found |= id->len == CORE_ID_BYTES && a->entries[k].n_actions == 0 &&
				 memcmp(a->entries[k].message_id, id->data, CORE_ID_BYTES) == 0;
		if (!found)
			err = decision_refuse(
				o->d, IEUM_E_REFERRAL_UNKNOWN,
				"conference_minutes.kept_item_ids[%zu]: not on the agenda", i);
	}
	if (!err)
		err = check_given_up(o, a);
	if (!err)
		err = agenda_ask_minuted(o, a);
	if (err)
		return err;
	Ieum__V1__AgendaChanged *e = change(o, a->body, IEUM__V1__AGENDA_STEP__AGENDA_STEP_ENDED);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->conference_id = minutes->conference_id;
	e->kept_ids = minutes->kept_item_ids;
	e->n_kept_ids = minutes->n_kept_item_ids;
	e->given_up_ids = minutes->given_up_ids;
	e->n_given_up_ids = minutes->n_given_up_ids;
	return IEUM_E_OK;
}

static enum ieum_err who_does(const struct occasion *o, size_t i, uint32_t *mailbox)
{
	const Ieum__V1__ActionItem *item = o->referral->conference_minutes->action_items[i];
	int index = policy_find_participant(o->p, item->participant);

	if (index == POLICY_NONE || policy_participant(o->p, index)->mailbox == POLICY_NONE)
		return decision_refuse(o->d, IEUM_E_ADDRESSEE_UNKNOWN,
				       "conference_minutes.action_items[%zu]: '%.64s'", i,
				       item->participant);
	if (policy_participant(o->p, index)->reads_nothing)
		return decision_refuse(
			o->d, IEUM_E_NOT_PERMITTED,
			"conference_minutes.action_items[%zu]: '%s' reads nothing of "
			"a case; somebody else has to do it",
			i, item->participant);
	for (size_t k = 0; k < o->n_excluded; k++)
		if (o->excluded[k] == index)
			return decision_refuse(o->d, IEUM_E_CONFLICT_OF_INTEREST,
					       "conference_minutes.action_items[%zu]: '%s'", i,
					       item->participant);
	if (item->due_at_ms <= o->now_ms)
		return decision_refuse(
			o->d, item->due_at_ms ? IEUM_E_FIELD_INVALID : IEUM_E_FIELD_MISSING,
			"conference_minutes.action_items[%zu].due_at_ms: by when is it done?", i);
	*mailbox = policy_mailbox(o->p, policy_participant(o->p, index)->mailbox)->number;
	return IEUM_E_OK;
}

static enum ieum_err add_ladder(const struct occasion *o, int rule, Ieum__V1__Task *t)
{
	struct policy_step *from = decision_zalloc(o->d, POLICY_STEPS_MAX * sizeof *from);
	size_t n = from ? policy_ladder(o->p, rule, t->due_at_ms, from) : 0;
	Ieum__V1__Step *steps = decision_zalloc(o->d, (n + 1) * sizeof *steps);

	t->ladder = decision_zalloc(o->d, (n + 1) * sizeof *t->ladder);
	if (!from || !steps || !t->ladder)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		steps[i] = (Ieum__V1__Step)IEUM__V1__STEP__INIT;
		steps[i].to = (char *)from[i].to;
		steps[i].within = (char *)from[i].within;
		steps[i].due_at_ms = from[i].due_at_ms;
		steps[i].on_silence_only = from[i].on_silence_only;
		steps[i].on_rejection_only = from[i].on_rejection_only;
		t->ladder[t->n_ladder++] = &steps[i];
	}
	return IEUM_E_OK;
}

/* A mailbox that gets the message anyway gets it as asked. */
enum ieum_err agenda_add_request(const struct occasion *o, int rule, uint32_t mailbox,
				 int64_t due_at_ms, Ieum__V1__Awaits awaits)
{
	Ieum__V1__Task *t = decision_zalloc(o->d, sizeof *t);
	uint32_t *asked = decision_zalloc(o->d, sizeof *asked);
	Ieum__V1__Submitted *e = o->e;

	if (!t || !asked)
		return IEUM_E_NO_MEMORY;
	enum ieum_err err =
		submit_route(o->d, e, mailbox, IEUM__V1__DELIVERY_CAUSE__DELIVERY_CAUSE_RULE, 0);
	if (err)
		return err;
	for (size_t i = 0; i < e->n_routes; i++)
		if (e->routes[i]->mailbox == mailbox && !e->routes[i]->task)
			e->routes[i]->task = (uint32_t)e->n_tasks + 1;
	*t = (Ieum__V1__Task)IEUM__V1__TASK__INIT;
	*asked = mailbox;
	t->asked = asked;
	t->n_asked = 1;
	t->due_at_ms = due_at_ms;
	t->stops_at = IEUM__V1__STOPS_AT__STOPS_AT_COMPLETED;
	t->awaits = awaits;
	e->tasks[e->n_tasks++] = t;
	return add_ladder(o, rule, t);
}

enum ieum_err agenda_widen(const struct occasion *o, size_t n)
{
	Ieum__V1__Task **tasks = decision_zalloc(o->d, POLICY_TASKS_MAX * sizeof *tasks);
	const struct core_case *k = o->core_case ? case_at(o->c, o->core_case) : NULL;
	Ieum__V1__Submitted *e = o->e;

	if (e->n_tasks + n > POLICY_TASKS_MAX)
		return decision_refuse(o->d, IEUM_E_FIELD_TOO_LARGE,
				       "more than %d requests would come of this",
				       POLICY_TASKS_MAX);
	if (k && (k->n_open + e->n_tasks + n > CORE_CASE_TASKS_MAX ||
		  decision_case_members(o->c, o->d, k->id) + n > CORE_CASE_MEMBERS_MAX))
		return decision_refuse(o->d, IEUM_E_HUB_FULL,
				       "the case has as many requests or participants as it may");
	if (!tasks)
		return IEUM_E_NO_MEMORY;
	if (e->n_tasks)
		memcpy(tasks, e->tasks, e->n_tasks * sizeof(Ieum__V1__Task *));
	e->tasks = tasks;
	return IEUM_E_OK;
}

enum ieum_err agenda_decide_actions(const struct occasion *o, int rule)
{
	const Ieum__V1__ConferenceMinutes *minutes =
		has_minutes(o) ? o->referral->conference_minutes : NULL;

	if (!minutes || minutes->n_action_items == 0)
		return IEUM_E_OK;
	const struct agenda *a = agenda_met(o);
	size_t first = o->e->n_tasks;
	enum ieum_err err = IEUM_E_OK;
	if (a && !agenda_take_body(o, "conference_minutes.conference_id", a->body, &err))
		return err;
	err = agenda_widen(o, minutes->n_action_items);
	if (!err && a)
		err = check_room(o, a->body);
	for (size_t i = 0; i < minutes->n_action_items && !err; i++) {
		uint32_t mailbox = 0;
		err = who_does(o, i, &mailbox);
		if (!err)
			err = agenda_add_request(o, rule, mailbox,
						 minutes->action_items[i]->due_at_ms,
						 IEUM__V1__AWAITS__AWAITS_UNSPECIFIED);
	}
	if (err || !a)
		return err;
	Ieum__V1__AgendaChanged *e = change(o, a->body, IEUM__V1__AGENDA_STEP__AGENDA_STEP_AGREED);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->first_action = (uint32_t)first;
	e->actions = (uint32_t)minutes->n_action_items;
	return IEUM_E_OK;
}
