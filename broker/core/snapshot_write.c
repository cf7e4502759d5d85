/* core_snapshot_write(): the state as bytes, in the order of proto/ieum/v1/snapshot.proto.
 *
 * Nothing that depends on how this process came to the state goes in: handles are replaced
 * by event numbers, and everything is written in their order or in that of its own list. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock_snapshot.h"
#include "broker/core/cases.h"
#include "broker/core/counts_snapshot.h"
#include "broker/core/handover_snapshot.h"
#include "broker/core/leaving.h"
#include "broker/core/participation.h"
#include "broker/core/places_snapshot.h"
#include "broker/core/readers.h"
#include "broker/core/snapshot.h"
#include "broker/core/state.h"
#include "broker/core/task.h"
#include "broker/core/timeline.h"
#include "ieum/v1/snapshot.pb-c.h"

enum {
	SNAPSHOT_RECORD_BYTES = 256 * 1024 * 1024, /* budget for building one record */
	SNAPSHOT_ENTRIES = 512,                    /* of a timeline, in one record */
};

enum ieum_err snapshot_put(struct snapshot_writing *w, Ieum__V1__SnapshotRecord__WhatCase what,
			   void *message)
{
	Ieum__V1__SnapshotRecord r = IEUM__V1__SNAPSHOT_RECORD__INIT;
	uint8_t head[10];
	size_t n = 0;

	r.what_case = what;
	r.head = message; /* every case of the oneof is a pointer */
	size_t len = ieum__v1__snapshot_record__get_packed_size(&r);
	for (size_t rest = len; n == 0 || rest; rest >>= 7)
		head[n++] = (uint8_t)((rest & 0x7f) | (rest >> 7 ? 0x80 : 0));
	uint8_t *to = buf_reserve(w->out, n + len);
	if (!to)
		return IEUM_E_NO_MEMORY;
	memcpy(to, head, n);
	ieum__v1__snapshot_record__pack(&r, to + n);
	buf_commit(w->out, n + len);
	arena_reset(&w->arena);
	return IEUM_E_OK;
}

void *snapshot_room(struct snapshot_writing *w, size_t n, size_t bytes)
{
	return arena_zalloc(&w->arena, (n + 1) * bytes);
}

static uint64_t case_seq(const struct core *c, uint32_t ch)
{
	return ch ? case_at(c, ch)->seq : 0;
}

static enum ieum_err write_head(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	Ieum__V1__SnapshotHead m = IEUM__V1__SNAPSHOT_HEAD__INIT;

	m.last_seq = c->last_seq;
	m.last_at_us = c->last_at_us;
	m.drill = c->drill;
	m.incarnation = snapshot_id(c->incarnation);
	m.policy_hash = (ProtobufCBinaryData){ POLICY_HASH_BYTES, (uint8_t *)c->policy_hash };
	m.settle_within_ms = c->settle_within_ms;
	m.last_connection = c->last_connection;
	m.copied_through = c->copied_through;
	m.forgotten = c->n_forgotten;
	m.forgotten_id_ms = c->forgotten_id_ms;
	m.keys_skipped = c->sealed.skipped;
	m.names = c->names.texts;
	m.n_names = c->names.n;
	m.participants = snapshot_room(w, c->n_participants, sizeof *m.participants);
	m.mailboxes = snapshot_room(w, c->n_mailboxes, sizeof *m.mailboxes);
	if (!m.participants || !m.mailboxes)
		return IEUM_E_NO_MEMORY;
	for (; m.n_participants < c->n_participants; m.n_participants++)
		m.participants[m.n_participants] = c->participants[m.n_participants].name;
	for (; m.n_mailboxes < c->n_mailboxes; m.n_mailboxes++)
		m.mailboxes[m.n_mailboxes] = c->mailboxes[m.n_mailboxes].name;
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_HEAD, &m);
}

static enum ieum_err write_actors(struct snapshot_writing *w)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < w->c->n_actors && !err; i++) {
		Ieum__V1__SnapshotActor m = IEUM__V1__SNAPSHOT_ACTOR__INIT;
		m.participant = w->c->actors[i].participant;
		m.name = w->c->actors[i].name;
		err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_ACTOR, &m);
	}
	return err;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static enum ieum_err write_connections(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	uint64_t *numbers = malloc((c->connections.live + 1) * sizeof *numbers);
	size_t n = 0;
	enum ieum_err err = IEUM_E_OK;

	if (!numbers)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = 1; h < c->connections.used; h++)
		if (state_connection(c, connection_at(c, h)->number) == h)
			numbers[n++] = connection_at(c, h)->number;
	qsort(numbers, n, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < n && !err; i++) {
		Ieum__V1__SnapshotConnection m = IEUM__V1__SNAPSHOT_CONNECTION__INIT;
		m.number = numbers[i];
		m.actor = connection_at(c, state_connection(c, numbers[i]))->actor;
		err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_CONNECTION, &m);
	}
	free(numbers);
	return err;
}

/* ---- cases ---- */

static enum ieum_err write_case(struct snapshot_writing *w, const struct core_case *k)
{
	Ieum__V1__SnapshotCase m = IEUM__V1__SNAPSHOT_CASE__INIT;
	Ieum__V1__CaseLinked *links = snapshot_room(w, k->n_links, sizeof *links);

	m.id = snapshot_id(k->id);
	m.seq = k->seq;
	m.opened_at_ms = k->opened_at_ms;
	m.last_at_ms = k->last_at_ms;
	m.owner = k->owner;
	m.state = k->state;
	m.category = k->category;
	m.jurisdiction = (char *)k->jurisdiction;
	m.grade = (char *)k->grade;
	m.consent_withdrawn = k->consent_withdrawn;
	m.members = snapshot_room(w, k->n_members, sizeof *m.members);
	m.links = snapshot_room(w, k->n_links, sizeof *m.links);
	if (!links || !m.members || !m.links)
		return IEUM_E_NO_MEMORY;
	for (; m.n_members < k->n_members; m.n_members++)
		m.members[m.n_members] =
			k->members[m.n_members].mailbox * 2 + k->members[m.n_members].sent;
	for (; m.n_links < k->n_links; m.n_links++) {
		links[m.n_links] = (Ieum__V1__CaseLinked)IEUM__V1__CASE_LINKED__INIT;
		links[m.n_links].case_id = snapshot_id(k->links[m.n_links].case_id);
		links[m.n_links].kind = (Ieum__V1__LinkKind)k->links[m.n_links].kind;
		m.links[m.n_links] = &links[m.n_links];
	}
	m.excluded = k->excluded;
	m.n_excluded = k->n_excluded;
	if (gates_write(w, &k->gates, &m.gates, &m.n_gates))
		return IEUM_E_NO_MEMORY;
	if (k->contact && !(m.safe_contact = contact_message(&w->arena, k->contact)))
		return IEUM_E_NO_MEMORY;
	enum ieum_err err = readers_write(w, k->readers, &m.readers, &m.n_readers);
	if (!err)
		err = handover_write_case(w, k, &m);
	if (!err)
		err = participation_write(w, k, &m);
	return err ? err : snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_CASE, &m);
}

static bool entry_is_delivery(const struct entry *e)
{
	return e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED ||
	       e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED;
}

static void write_entry(const struct core *c, const struct entry *e, uint64_t *to)
{
	to[0] = e->seq;
	to[1] = (uint64_t)e->at_ms;
	to[2] = e->referral ? referral_at(c, e->referral)->seq : 0;
	to[3] = (uint64_t)e->kind | (uint64_t)e->what << 8 | (uint64_t)e->outcome << 16 |
		(uint64_t)e->reason << 24;
	to[4] = entry_is_delivery(e) ? e->mailbox : (uint64_t)e->due_at_ms;
	to[5] = entry_is_delivery(e) ? e->actor : 0;
}

static enum ieum_err write_timeline(struct snapshot_writing *w, const struct core_case *k)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < k->timeline.n && !err;) {
		Ieum__V1__SnapshotTimeline m = IEUM__V1__SNAPSHOT_TIMELINE__INIT;
		m.case_seq = k->seq;
		m.entries = snapshot_room(w, (size_t)SNAPSHOT_ENTRIES * 6, sizeof *m.entries);
		if (!m.entries)
			return IEUM_E_NO_MEMORY;
		for (; i < k->timeline.n && m.n_entries < (size_t)SNAPSHOT_ENTRIES * 6;
		     i++, m.n_entries += 6)
			write_entry(w->c, timeline_at(&k->timeline, i), m.entries + m.n_entries);
		err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_TIMELINE, &m);
	}
	return err;
}

/* ---- referrals ---- */

static enum ieum_err put_readers(struct snapshot_writing *w, const struct delivery *d,
				 Ieum__V1__SnapshotDelivery *m)
{
	size_t n = 0;

	for (uint32_t h = d->readers; h;
	     h = ((const struct reader *)slab_at(&w->c->readers, h))->next)
		n++;
	m->readers = snapshot_room(w, n, sizeof *m->readers);
	if (!m->readers)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = d->readers; h;) {
		const struct reader *r = slab_at(&w->c->readers, h);
		m->readers[m->n_readers++] = r->participant;
		h = r->next;
	}
	return IEUM_E_OK;
}

static enum ieum_err put_delivery(struct snapshot_writing *w, const struct delivery *d,
				  Ieum__V1__SnapshotDelivery *m)
{
	const struct transit *t = d->transit ? transit_at(w->c, d->transit) : NULL;

	*m = (Ieum__V1__SnapshotDelivery)IEUM__V1__SNAPSHOT_DELIVERY__INIT;
	m->id = d->id;
	m->released_at_ms = d->released_at_ms;
	m->mailbox = d->mailbox;
	m->released_to = d->released_to;
	m->attempts = d->attempts;
	m->state = d->state;
	m->cause = d->cause;
	m->task = d->task;
	if (t && d->state == DELIVERY_WAITING)
		m->not_before_ms = t->not_before_ms;
	else if (t && d->state == DELIVERY_QUEUED)
		m->handed_back_by = t->handed_back_by;
	else if (t && d->state == DELIVERY_DEAD && t->why)
		m->why = t->why;
	return put_readers(w, d, m);
}

static enum ieum_err put_ladder(struct snapshot_writing *w, const struct task *t,
				Ieum__V1__SnapshotTask *m)
{
	Ieum__V1__Step *steps = snapshot_room(w, t->n_ladder, sizeof *steps);

	m->ladder = snapshot_room(w, t->n_ladder, sizeof *m->ladder);
	if (!steps || !m->ladder)
		return IEUM_E_NO_MEMORY;
	for (; m->n_ladder < t->n_ladder; m->n_ladder++) {
		const struct step *from = &t->ladder[m->n_ladder];
		Ieum__V1__Step *to = &steps[m->n_ladder];
		*to = (Ieum__V1__Step)IEUM__V1__STEP__INIT;
		to->to = from->to;
		to->within = from->within;
		to->due_at_ms = from->due_at_ms;
		to->on_silence_only = from->on_silence_only;
		to->on_rejection_only = from->on_rejection_only;
		to->repeats = from->repeats;
		m->ladder[m->n_ladder] = to;
	}
	return IEUM_E_OK;
}

static enum ieum_err put_task(struct snapshot_writing *w, const struct task *t,
			      Ieum__V1__SnapshotTask *m)
{
	*m = (Ieum__V1__SnapshotTask)IEUM__V1__SNAPSHOT_TASK__INIT;
	m->holder = t->holder;
	m->due_at_ms = t->due_at_ms;
	m->within_ms = t->within_ms;
	m->steps_used = t->steps_used;
	m->held_at = t->held_at;
	m->state = t->state;
	m->stops_at = t->stops_at;
	m->effect = t->effect;
	m->outcome = t->outcome;
	m->reason = t->reason;
	m->effect_reason = t->effect_reason;
	m->blocks_closing = t->blocks_closing;
	m->rejection_ends = t->rejection_ends;
	m->awaits = t->awaits;
	m->more_times = t->more_times;
	m->answer = t->answer;
	if (t->approval) {
		m->quorum = t->approval->quorum;
		m->quorum_of_kinds = t->approval->of_kinds;
		m->quorum_of_agencies = t->approval->of_agencies;
		m->accepted_by = t->approval->accepted_by;
		m->n_accepted_by = t->approval->n_accepted;
		m->gate = t->approval->gate;
		m->gate_for_ms = t->approval->gate_for_ms;
	}
	m->jurisdiction = (char *)t->jurisdiction;
	m->asked = snapshot_room(w, t->n_asked, sizeof *m->asked);
	m->asked_steps = snapshot_room(w, t->n_asked, sizeof *m->asked_steps);
	if (!m->asked || !m->asked_steps)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < t->n_asked; i++) {
		m->asked[m->n_asked++] = t->asked[i].mailbox;
		m->asked_steps[m->n_asked_steps++] = t->asked[i].step;
	}
	return put_ladder(w, t, m);
}

static enum ieum_err put_parts(struct snapshot_writing *w, const struct referral *r,
			       Ieum__V1__SnapshotReferral *m)
{
	size_t n_deliveries = 0;
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t dh = r->first_delivery; dh; dh = delivery_at(w->c, dh)->next)
		n_deliveries++;
	Ieum__V1__SnapshotDelivery *deliveries = snapshot_room(w, n_deliveries, sizeof *deliveries);
	Ieum__V1__SnapshotTask *tasks = snapshot_room(w, POLICY_TASKS_MAX, sizeof *tasks);
	m->deliveries = snapshot_room(w, n_deliveries, sizeof *m->deliveries);
	m->tasks = snapshot_room(w, POLICY_TASKS_MAX, sizeof *m->tasks);
	if (!deliveries || !tasks || !m->deliveries || !m->tasks)
		return IEUM_E_NO_MEMORY;
	for (uint32_t dh = r->first_delivery; dh && !err; dh = delivery_at(w->c, dh)->next) {
		err = put_delivery(w, delivery_at(w->c, dh), &deliveries[m->n_deliveries]);
		m->deliveries[m->n_deliveries] = &deliveries[m->n_deliveries];
		m->n_deliveries++;
	}
	for (uint32_t th = r->first_task; th && !err; th = task_at(w->c, th)->next) {
		err = put_task(w, task_at(w->c, th), &tasks[m->n_tasks]);
		m->tasks[m->n_tasks] = &tasks[m->n_tasks];
		m->n_tasks++;
	}
	return err;
}

static enum ieum_err write_referral(struct snapshot_writing *w, const struct referral *r)
{
	Ieum__V1__SnapshotReferral m = IEUM__V1__SNAPSHOT_REFERRAL__INIT;

	m.id = snapshot_id(r->id);
	m.seq = r->seq;
	m.at_us = r->at_us;
	m.in_reply_to = r->in_reply_to;
	m.case_seq = case_seq(w->c, r->core_case);
	m.sender = r->sender;
	m.actor = r->actor;
	m.payload_bytes = r->payload_bytes;
	m.type = r->type;
	m.urgency = r->urgency;
	m.category = r->category;
	m.erased = r->erased;
	m.basis = r->basis;
	m.consent_withdrawn = r->consent_withdrawn;
	enum ieum_err err = put_parts(w, r, &m);
	if (!err)
		err = readers_write(w, r->readers, &m.readers, &m.n_readers);
	return err ? err : snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_REFERRAL, &m);
}

static enum ieum_err write_referrals(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	enum ieum_err err = IEUM_E_OK;

	for (uint64_t seq = seqmap_next(&c->seqs, 1); seq && !err;
	     seq = seqmap_next(&c->seqs, seq + 1)) {
		const struct referral *r = referral_at(c, seqmap_get(&c->seqs, seq));
		if (r->seq != seq)
			continue; /* an escalation's */
		if (case_seq(c, r->core_case) == seq)
			err = write_case(w, case_at(c, r->core_case));
		if (!err)
			err = write_referral(w, r);
	}
	for (uint64_t seq = seqmap_next(&c->seqs, 1); seq && !err;
	     seq = seqmap_next(&c->seqs, seq + 1)) {
		const struct referral *r = referral_at(c, seqmap_get(&c->seqs, seq));
		if (r->seq == seq && case_seq(c, r->core_case) == seq)
			err = write_timeline(w, case_at(c, r->core_case));
	}
	return err;
}

/* ---- orders of their own ---- */

static enum ieum_err write_mailbox(struct snapshot_writing *w, uint32_t number)
{
	const struct mailbox *b = state_mailbox(w->c, number);
	Ieum__V1__SnapshotMailbox m = IEUM__V1__SNAPSHOT_MAILBOX__INIT;

	m.number = number;
	m.routed = b->counts.routed;
	m.settled = b->counts.settled;
	m.dead_lettered = b->counts.dead_lettered;
	m.withdrawn = b->counts.withdrawn;
	m.cases = snapshot_room(w, b->n_cases, sizeof *m.cases);
	m.dead_letters = snapshot_room(w, b->counts.dead_lettered, sizeof *m.dead_letters);
	if (!m.cases || !m.dead_letters)
		return IEUM_E_NO_MEMORY;
	for (; m.n_cases < b->n_cases; m.n_cases++)
		m.cases[m.n_cases] = case_seq(w->c, b->cases[m.n_cases]);
	for (uint32_t th = b->dead.head; th; th = transit_at(w->c, th)->box_next)
		m.dead_letters[m.n_dead_letters++] = transit_at(w->c, th)->id;
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_MAILBOX, &m);
}

static enum ieum_err write_order(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	Ieum__V1__SnapshotOrder m = IEUM__V1__SNAPSHOT_ORDER__INIT;
	size_t n = 0;

	for (uint32_t th = c->flight.head; th; th = transit_at(c, th)->flight_next)
		n++;
	m.in_flight = snapshot_room(w, n, sizeof *m.in_flight);
	m.connections = snapshot_room(w, n, sizeof *m.connections);
	m.closed = snapshot_room(w, c->cases.live, sizeof *m.closed);
	if (!m.in_flight || !m.connections || !m.closed)
		return IEUM_E_NO_MEMORY;
	for (uint32_t th = c->flight.head; th; th = transit_at(c, th)->flight_next) {
		m.in_flight[m.n_in_flight++] = transit_at(c, th)->id;
		m.connections[m.n_connections++] =
			connection_at(c, transit_at(c, th)->connection)->number;
	}
	for (uint32_t h = c->closed.head; h; h = case_at(c, h)->closed_next)
		m.closed[m.n_closed++] = case_at(c, h)->seq;
	enum ieum_err err = handover_write_forwards(w, &m);
	if (!err)
		err = leavers_write(w, &m);
	return err ? err : snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_ORDER, &m);
}

enum ieum_err core_snapshot_write(const struct core *c, struct buf *out)
{
	struct snapshot_writing w = { .c = c, .out = out };

	arena_init(&w.arena, SNAPSHOT_RECORD_BYTES);
	enum ieum_err err = write_head(&w);
	if (!err)
		err = write_actors(&w);
	if (!err)
		err = write_connections(&w);
	if (!err)
		err = write_referrals(&w);
	for (uint32_t i = 1; i <= c->n_mailboxes && !err; i++)
		err = write_mailbox(&w, i);
	if (!err)
		err = case_clocks_write(&w);
	if (!err)
		err = counts_write(&w);
	if (!err)
		err = places_write(&w);
	if (!err)
		err = agreements_write(&w);
	if (!err)
		err = certificates_write(&w);
	if (!err)
		err = sealed_write(&w);
	if (!err)
		err = signals_write(&w);
	if (!err)
		err = handovers_write(&w);
	if (!err)
		err = agendas_write(&w);
	if (!err)
		err = write_order(&w);
	arena_release(&w.arena);
	return err;
}
