/* Agendas that were sent: a message of no case that tells of many.  The cases on it are remembered
 * as long as the message is, so that a conflict of interest that is declared later holds for it
 * too; see agenda.h. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/agenda.h"
#include "broker/core/cases.h"
#include "broker/core/snapshot.h"
#include "broker/core/submit.h"

struct agenda_copy {
	uint8_t message_id[CORE_ID_BYTES], conference_id[CORE_ID_BYTES];
	uint8_t (*cases)[CORE_ID_BYTES];
	uint32_t n_cases;
};

static bool lists(const struct agenda_copy *copy, const uint8_t case_id[CORE_ID_BYTES])
{
	for (uint32_t i = 0; i < copy->n_cases; i++)
		if (memcmp(copy->cases[i], case_id, CORE_ID_BYTES) == 0)
			return true;
	return false;
}

static const struct agenda_copy *find_copy(const struct core *c, const uint8_t id[CORE_ID_BYTES])
{
	for (uint32_t i = 0; i < c->agendas.n; i++) {
		const struct agenda *a = &c->agendas.list[i];
		for (uint32_t k = 0; k < a->n_copies; k++)
			if (memcmp(a->copies[k].message_id, id, CORE_ID_BYTES) == 0)
				return &a->copies[k];
	}
	return NULL;
}

bool agenda_copy_tells(const struct core *c, const struct referral *r, uint32_t participant)
{
	const struct agenda_copy *copy =
		r->type == IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_AGENDA ? find_copy(c, r->id) : NULL;

	for (uint32_t i = 0; copy && i < copy->n_cases; i++) {
		uint32_t ch = state_case(c, copy->cases[i]);
		if (ch && case_excludes(case_at(c, ch), participant))
			return true;
	}
	return false;
}

/* ---- deciding ---- */

static bool is_on_its_way(const struct delivery *d, uint32_t mailbox)
{
	return d->mailbox == mailbox && d->transit && d->state != DELIVERY_DEAD;
}

static void send_again(struct submission *s, const struct agenda_again *again)
{
	for (size_t i = 0; i < s->n_agendas; i++)
		if (s->agendas[i].mailbox == again->mailbox &&
		    memcmp(s->agendas[i].conference_id, again->conference_id, CORE_ID_BYTES) == 0)
			return;
	if (s->n_agendas < SUBMIT_AGENDAS_MAX)
		s->agendas[s->n_agendas++] = *again;
}

static enum ieum_err take_back(struct submission *s, const struct agenda *a,
			       const struct agenda_copy *copy, uint32_t mailbox, size_t *room)
{
	const struct agenda_again again = { a->body, copy->conference_id, mailbox };
	uint32_t rh = state_referral(s->c, copy->message_id);
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t dh = rh ? referral_at(s->c, rh)->first_delivery : 0; dh && !err;
	     dh = delivery_at(s->c, dh)->next) {
		const struct delivery *d = delivery_at(s->c, dh);
		if (!is_on_its_way(d, mailbox))
			continue;
		err = withdrawal_add(s, d, room);
		send_again(s, &again);
	}
	return err;
}

enum ieum_err agenda_copy_exclude(struct submission *s, uint32_t mailbox, size_t *room)
{
	const uint8_t *case_id = case_at(s->c, s->core_case)->id;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < s->c->agendas.n; i++) {
		const struct agenda *a = &s->c->agendas.list[i];
		for (uint32_t k = 0; k < a->n_copies && !err; k++)
			if (lists(&a->copies[k], case_id))
				err = take_back(s, a, &a->copies[k], mailbox, room);
	}
	return err;
}

/* ---- applying ---- */

static enum ieum_err keep(struct agenda *a, const struct agenda_copy *copy,
			  const ProtobufCBinaryData *ids, size_t n)
{
	struct agenda_copy kept = *copy;
	struct agenda_copy *list = realloc(a->copies, (a->n_copies + 1U) * sizeof *list);

	if (!list)
		return IEUM_E_NO_MEMORY;
	a->copies = list;
	kept.cases = malloc((n + 1) * sizeof *kept.cases);
	if (!kept.cases)
		return IEUM_E_NO_MEMORY;
	list[a->n_copies++] = kept;
	for (size_t i = 0; i < n; i++) {
		if (ids[i].len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		memcpy(kept.cases[i], ids[i].data, CORE_ID_BYTES);
		list[a->n_copies - 1].n_cases++;
	}
	return IEUM_E_OK;
}

enum ieum_err agenda_copy_apply(struct core *c, const uint8_t message_id[CORE_ID_BYTES],
				const Ieum__V1__AgendaSent *e)
{
	struct agenda_copy copy = { .n_cases = 0 };
	struct agenda *a;

	if (e->conference_id.len != CORE_ID_BYTES || e->n_case_ids > AGENDA_SHOWN_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	memcpy(copy.message_id, message_id, CORE_ID_BYTES);
	memcpy(copy.conference_id, e->conference_id.data, CORE_ID_BYTES);
	enum ieum_err err = agenda_make(&c->agendas, e->body, &a);
	return err ? err : keep(a, &copy, e->case_ids, e->n_case_ids);
}

void agenda_copy_forget(struct core *c, const uint8_t message_id[CORE_ID_BYTES])
{
	const struct agenda_copy *copy = find_copy(c, message_id);

	for (uint32_t i = 0; copy && i < c->agendas.n; i++) {
		struct agenda *a = &c->agendas.list[i];
		uint32_t n = 0;
		for (uint32_t k = 0; k < a->n_copies; k++) {
			if (&a->copies[k] == copy)
				free(a->copies[k].cases);
			else
				a->copies[n++] = a->copies[k];
		}
		if (n < a->n_copies) {
			a->n_copies = n;
			return;
		}
	}
}

void agenda_copies_deinit(struct agenda *a)
{
	for (uint32_t i = 0; i < a->n_copies; i++)
		free(a->copies[i].cases);
	free(a->copies);
}

/* ---- snapshots ---- */

enum ieum_err agenda_copies_write(struct snapshot_writing *w, const struct agenda *a,
				  Ieum__V1__SnapshotAgenda *m)
{
	Ieum__V1__SnapshotAgendaCopy *rows = snapshot_room(w, a->n_copies, sizeof *rows);

	m->copies = snapshot_room(w, a->n_copies, sizeof *m->copies);
	if (!rows || !m->copies)
		return IEUM_E_NO_MEMORY;
	for (; m->n_copies < a->n_copies; m->n_copies++) {
		const struct agenda_copy *from = &a->copies[m->n_copies];
		Ieum__V1__SnapshotAgendaCopy *row = m->copies[m->n_copies] = &rows[m->n_copies];
		*row = (Ieum__V1__SnapshotAgendaCopy)IEUM__V1__SNAPSHOT_AGENDA_COPY__INIT;
		row->message_id = snapshot_id(from->message_id);
		row->conference_id = snapshot_id(from->conference_id);
		row->case_ids = snapshot_room(w, from->n_cases, sizeof *row->case_ids);
		if (!row->case_ids)
			return IEUM_E_NO_MEMORY;
		for (; row->n_case_ids < from->n_cases; row->n_case_ids++)
			row->case_ids[row->n_case_ids] = snapshot_id(from->cases[row->n_case_ids]);
	}
	return IEUM_E_OK;
}

enum ieum_err agenda_copies_read(struct agenda *a, const Ieum__V1__SnapshotAgenda *m)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < m->n_copies && !err; i++) {
		const Ieum__V1__SnapshotAgendaCopy *from = m->copies[i];
		struct agenda_copy copy = { .n_cases = 0 };
		if (from->message_id.len != CORE_ID_BYTES ||
		    from->conference_id.len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		memcpy(copy.message_id, from->message_id.data, CORE_ID_BYTES);
		memcpy(copy.conference_id, from->conference_id.data, CORE_ID_BYTES);
		err = keep(a, &copy, from->case_ids, from->n_case_ids);
	}
	return err;
}
