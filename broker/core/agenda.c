/* Agendas as a part of the state, and what they show; see agenda.h. */
#include "broker/core/agenda.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/agenda_in.h"
#include "broker/core/apply.h"
#include "broker/core/cases.h"
#include "broker/core/snapshot.h"
#include "broker/core/task.h"
#include "broker/core/view.h"

void agendas_deinit(struct agendas *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		free(a->list[i].entries);
		agenda_copies_deinit(&a->list[i]);
	}
	free(a->list);
	*a = (struct agendas){ 0 };
}

const struct agenda *agenda_of(const struct agendas *a, const char *body)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i].body, body) == 0)
			return &a->list[i];
	return NULL;
}

enum ieum_err agenda_make(struct agendas *a, const char *body, struct agenda **out)
{
	size_t len = strlen(body);

	*out = (struct agenda *)agenda_of(a, body);
	if (*out)
		return IEUM_E_OK;
	if (len == 0 || len >= POLICY_NAME_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	struct agenda *list = realloc(a->list, (a->n + 1U) * sizeof *list);
	if (!list)
		return IEUM_E_NO_MEMORY;
	a->list = list;
	*out = &list[a->n++];
	**out = (struct agenda){ .n_entries = 0 };
	memcpy((*out)->body, body, len);
	return IEUM_E_OK;
}

static enum ieum_err add_entry(struct agenda *a, const struct agenda_entry *e)
{
	if (!a->entries)
		a->entries = malloc(AGENDA_ENTRIES_MAX * sizeof *a->entries);
	if (!a->entries)
		return IEUM_E_NO_MEMORY;
	if (a->n_entries == AGENDA_ENTRIES_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	a->entries[a->n_entries++] = *e;
	return IEUM_E_OK;
}

static void add_meeting(struct agenda *a, uint64_t seq, const uint8_t id[CORE_ID_BYTES])
{
	if (a->n_meetings == AGENDA_MEETINGS_MAX)
		memmove(a->meetings, a->meetings + 1, --a->n_meetings * sizeof a->meetings[0]);
	struct agenda_meeting *m = &a->meetings[a->n_meetings++];
	m->seq = seq;
	memcpy(m->message_id, id, CORE_ID_BYTES);
}

/* ---- actions ---- */

/* An action stays until it is done or whoever asked for it takes it back: that somebody failed, or
 * that nobody took it on, is for the next meeting to know. */
static bool is_undone(const struct task *t)
{
	return task_open(t) || t->state == IEUM__V1__TASK_STATE__TASK_STATE_FAILED ||
	       t->state == IEUM__V1__TASK_STATE__TASK_STATE_REJECTED;
}

static bool is_action(const struct agenda_entry *e, const struct task *t)
{
	return is_undone(t) && t->index >= e->first_action &&
	       t->index < e->first_action + e->n_actions;
}

/* The first that is not done from this task on (0: from the start); 0: no more. */
static uint32_t next_action(const struct core *c, const struct agenda_entry *e, uint32_t th)
{
	uint32_t rh = th ? 0 : state_referral(c, e->message_id);

	if (th)
		th = task_at(c, th)->next;
	else if (rh)
		th = referral_at(c, rh)->first_task;
	while (th && !is_action(e, task_at(c, th)))
		th = task_at(c, th)->next;
	return th;
}

static bool is_done(const struct core *c, const struct agenda_entry *e)
{
	return e->n_actions > 0 && !next_action(c, e, 0);
}

bool agenda_has_open_action(const struct core *c, const struct agenda_entry *e)
{
	for (uint32_t th = next_action(c, e, 0); th; th = next_action(c, e, th))
		if (task_open(task_at(c, th)))
			return true;
	return false;
}

/* ---- applying ---- */

static bool is_named(const ProtobufCBinaryData *ids, size_t n, const struct agenda_entry *entry)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i].len == CORE_ID_BYTES &&
		    memcmp(ids[i].data, entry->message_id, CORE_ID_BYTES) == 0)
			return true;
	return false;
}

/* Is it over with these minutes? */
static bool is_over(const struct core *c, const Ieum__V1__AgendaChanged *e, uint64_t called,
		    const struct agenda_entry *entry)
{
	if (entry->n_actions == 0)
		return entry->seq < called && !is_named(e->kept_ids, e->n_kept_ids, entry);
	return is_done(c, entry) || is_named(e->given_up_ids, e->n_given_up_ids, entry);
}

static enum ieum_err end_meeting(const struct core *c, struct agenda *a,
				 const Ieum__V1__AgendaChanged *e)
{
	uint32_t m = 0;
	uint32_t n = 0;

	while (m < a->n_meetings &&
	       (e->conference_id.len != CORE_ID_BYTES ||
		memcmp(a->meetings[m].message_id, e->conference_id.data, CORE_ID_BYTES) != 0))
		m++;
	if (m == a->n_meetings)
		return IEUM_E_JOURNAL_CORRUPT;
	for (uint32_t i = 0; i < a->n_entries; i++) {
		if (!is_over(c, e, a->meetings[m].seq, &a->entries[i]))
			a->entries[n++] = a->entries[i];
	}
	a->n_entries = n;
	a->n_meetings--;
	memmove(a->meetings + m, a->meetings + m + 1, (a->n_meetings - m) * sizeof a->meetings[0]);
	return IEUM_E_OK;
}

enum ieum_err apply_agenda_changed(struct core *c, const struct applied *at,
				   const Ieum__V1__AgendaChanged *e)
{
	uint32_t rh =
		e->message_id.len == CORE_ID_BYTES ? state_referral(c, e->message_id.data) : 0;
	struct agenda_entry entry = { .seq = at->seq };
	struct agenda *a;

	if (!rh)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = agenda_make(&c->agendas, e->body, &a);
	if (err)
		return err;
	const struct referral *r = referral_at(c, rh);
	memcpy(entry.message_id, r->id, CORE_ID_BYTES);
	if (r->core_case)
		memcpy(entry.case_id, case_at(c, r->core_case)->id, CORE_ID_BYTES);
	entry.participant = r->sender;
	switch (e->step) {
	case IEUM__V1__AGENDA_STEP__AGENDA_STEP_PUT: return add_entry(a, &entry);
	case IEUM__V1__AGENDA_STEP__AGENDA_STEP_AGREED:
		if (e->actions == 0 || e->first_action + e->actions > POLICY_TASKS_MAX)
			return IEUM_E_JOURNAL_CORRUPT;
		entry.first_action = (uint16_t)e->first_action;
		entry.n_actions = (uint16_t)e->actions;
		entry.carried = 1;
		return add_entry(a, &entry);
	case IEUM__V1__AGENDA_STEP__AGENDA_STEP_CALLED:
		for (uint32_t i = 0; i < a->n_entries; i++)
			a->entries[i].carried++;
		add_meeting(a, at->seq, r->id);
		return IEUM_E_OK;
	case IEUM__V1__AGENDA_STEP__AGENDA_STEP_ENDED: return end_meeting(c, a, e);
	default: return IEUM_E_JOURNAL_VERSION;
	}
}

void agendas_forget(struct agendas *a, const uint8_t case_id[CORE_ID_BYTES])
{
	for (uint32_t i = 0; i < a->n; i++) {
		struct agenda *agenda = &a->list[i];
		uint32_t n = 0;
		for (uint32_t k = 0; k < agenda->n_entries; k++)
			if (memcmp(agenda->entries[k].case_id, case_id, CORE_ID_BYTES) != 0)
				agenda->entries[n++] = agenda->entries[k];
		agenda->n_entries = n;
	}
}

/* ---- what it shows ---- */

/* Of a case that excludes one of those who read nothing is shown. */
static bool may_see(const struct agenda_reader *r, const uint8_t case_id[CORE_ID_BYTES])
{
	uint32_t ch = state_case(r->c, case_id);

	if (r->but_case && memcmp(r->but_case, case_id, CORE_ID_BYTES) == 0)
		return false;
	for (size_t i = 0; ch && i < r->n_participants; i++)
		if (case_excludes(case_at(r->c, ch),
				  policy_participant(r->p, r->participants[i])->number))
			return false;
	return true;
}

/* What a case is about; of a linked set that is all that may be said of it. */
static void fill_category(const struct agenda_reader *r, const uint8_t *case_id,
			  Ieum__V1__AgendaEntry *out)
{
	uint32_t ch = state_case(r->c, case_id);
	const struct core_case *k = ch ? case_at(r->c, ch) : NULL;

	if (!k)
		return;
	out->category = (Ieum__V1__Category)k->category;
	if (r->arena && signals_own_case(r->c, k) &&
	    signals_months(r->c, k, r->arena, &out->months, &out->n_months))
		out->n_months = 0;
}

static Ieum__V1__AgendaEntry *fill(const struct agenda_reader *r, Ieum__V1__AgendaEntry *out,
				   Ieum__V1__AgendaKind kind, const uint8_t *message_id,
				   const uint8_t *case_id)
{
	static const uint8_t none[CORE_ID_BYTES];

	*out = (Ieum__V1__AgendaEntry)IEUM__V1__AGENDA_ENTRY__INIT;
	out->kind = kind;
	out->message_id = view_id(message_id);
	if (memcmp(case_id, none, sizeof none) != 0)
		out->case_id = view_id(case_id);
	fill_category(r, case_id, out);
	return out;
}

static size_t fill_actions(const struct agenda_reader *r, const struct agenda_entry *e,
			   Ieum__V1__AgendaEntry *out, size_t max)
{
	size_t n = 0;

	for (uint32_t th = next_action(r->c, e, 0); th && n < max; th = next_action(r->c, e, th)) {
		const struct task *t = task_at(r->c, th);
		Ieum__V1__AgendaEntry *row =
			fill(r, &out[n++], IEUM__V1__AGENDA_KIND__AGENDA_KIND_ACTION, e->message_id,
			     e->case_id);
		row->participant =
			view_text(state_mailbox_name(r->c, t->n_asked ? t->asked[0].mailbox : 0));
		row->due_at_ms = t->due_at_ms;
		row->carried = e->carried;
		row->action = t->index - e->first_action + 1U;
		row->request = t->index + 1U;
		row->state = (Ieum__V1__TaskState)t->state;
	}
	return n;
}

static size_t fill_linked_sets(const struct agenda_reader *r, Ieum__V1__AgendaEntry *out,
			       size_t max)
{
	const struct mailbox *m = state_mailbox(r->c, r->linked_sets_of);
	size_t n = 0;

	for (uint32_t i = m ? m->n_cases : 0, looked = 0;
	     i > 0 && n < max && looked < VIEW_LOOKED_MAX; i--, looked++) {
		uint32_t ch = m->cases[i - 1];
		const struct core_case *k = ch ? case_at(r->c, ch) : NULL;
		if (k && k->owner == r->linked_sets_of && !case_closed(k) &&
		    signals_own_case(r->c, k) && may_see(r, k->id))
			(void)fill(r, &out[n++], IEUM__V1__AGENDA_KIND__AGENDA_KIND_LINKED_SET,
				   k->id, k->id);
	}
	return n;
}

size_t agenda_fill(const struct agenda_reader *r, const char *body, Ieum__V1__AgendaEntry *out,
		   size_t max)
{
	const struct agenda *a = agenda_of(&r->c->agendas, body);
	size_t n = 0;

	for (uint32_t i = 0; a && i < a->n_entries && n < max; i++) {
		const struct agenda_entry *e = &a->entries[i];
		if (!may_see(r, e->case_id))
			continue;
		if (e->n_actions > 0) {
			n += fill_actions(r, e, out + n, max - n);
			continue;
		}
		Ieum__V1__AgendaEntry *row =
			fill(r, &out[n++], IEUM__V1__AGENDA_KIND__AGENDA_KIND_ITEM, e->message_id,
			     e->case_id);
		row->participant = view_text(state_participant_name(r->c, e->participant));
		row->carried = e->carried;
	}
	return n + fill_linked_sets(r, out + n, max - n);
}

/* ---- snapshots ---- */

static enum ieum_err write_agenda(struct snapshot_writing *w, const struct agenda *a)
{
	Ieum__V1__SnapshotAgenda m = IEUM__V1__SNAPSHOT_AGENDA__INIT;
	Ieum__V1__SnapshotAgendaEntry *rows = snapshot_room(w, a->n_entries, sizeof *rows);
	Ieum__V1__SnapshotMeeting *meetings = snapshot_room(w, a->n_meetings, sizeof *meetings);

	m.entries = snapshot_room(w, a->n_entries, sizeof *m.entries);
	m.meetings = snapshot_room(w, a->n_meetings, sizeof *m.meetings);
	if (!rows || !meetings || !m.entries || !m.meetings)
		return IEUM_E_NO_MEMORY;
	m.body = (char *)a->body;
	for (; m.n_entries < a->n_entries; m.n_entries++) {
		const struct agenda_entry *e = &a->entries[m.n_entries];
		Ieum__V1__SnapshotAgendaEntry *row = m.entries[m.n_entries] = &rows[m.n_entries];
		*row = (Ieum__V1__SnapshotAgendaEntry)IEUM__V1__SNAPSHOT_AGENDA_ENTRY__INIT;
		row->seq = e->seq;
		row->message_id = snapshot_id(e->message_id);
		row->case_id = snapshot_id(e->case_id);
		row->participant = e->participant;
		row->carried = e->carried;
		row->first_action = e->first_action;
		row->actions = e->n_actions;
	}
	for (; m.n_meetings < a->n_meetings; m.n_meetings++) {
		const struct agenda_meeting *from = &a->meetings[m.n_meetings];
		Ieum__V1__SnapshotMeeting *row = m.meetings[m.n_meetings] = &meetings[m.n_meetings];
		*row = (Ieum__V1__SnapshotMeeting)IEUM__V1__SNAPSHOT_MEETING__INIT;
		row->seq = from->seq;
		row->message_id = snapshot_id(from->message_id);
	}
	enum ieum_err err = agenda_copies_write(w, a, &m);
	return err ? err : snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_AGENDA, &m);
}

enum ieum_err agendas_write(struct snapshot_writing *w)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < w->c->agendas.n && !err; i++)
		err = write_agenda(w, &w->c->agendas.list[i]);
	return err;
}

enum ieum_err agendas_read(struct core *c, const Ieum__V1__SnapshotAgenda *m)
{
	struct agenda *a;
	enum ieum_err err = agenda_of(&c->agendas, m->body) ? IEUM_E_JOURNAL_CORRUPT
							    : agenda_make(&c->agendas, m->body, &a);

	for (size_t i = 0; i < m->n_entries && !err; i++) {
		const Ieum__V1__SnapshotAgendaEntry *from = m->entries[i];
		struct agenda_entry e = { .seq = from->seq,
					  .participant = from->participant,
					  .carried = from->carried,
					  .first_action = (uint16_t)from->first_action,
					  .n_actions = (uint16_t)from->actions };
		if (from->message_id.len != CORE_ID_BYTES || from->case_id.len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		memcpy(e.message_id, from->message_id.data, CORE_ID_BYTES);
		memcpy(e.case_id, from->case_id.data, CORE_ID_BYTES);
		err = add_entry(a, &e);
	}
	for (size_t i = 0; i < m->n_meetings && !err; i++) {
		if (m->meetings[i]->message_id.len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		add_meeting(a, m->meetings[i]->seq, m->meetings[i]->message_id.data);
	}
	return err ? err : agenda_copies_read(a, m);
}

const char *agendas_check(const struct core *c)
{
	for (uint32_t i = 0; i < c->agendas.n; i++) {
		const struct agenda *a = &c->agendas.list[i];
		uint64_t last = 0;

		if (a->n_entries > AGENDA_ENTRIES_MAX || a->n_meetings > AGENDA_MEETINGS_MAX)
			return "an agenda is longer than it may be";
		for (uint32_t k = 0; k < a->n_entries; k++) {
			if (a->entries[k].seq <= last || a->entries[k].seq > c->last_seq)
				return "an agenda is out of order";
			last = a->entries[k].seq;
		}
	}
	return NULL;
}
