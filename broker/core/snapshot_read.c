/* core_snapshot_read(): an empty core becomes what a snapshot says.
 *
 * The bytes are checksummed by whoever stored them; what is checked here is that every
 * reference leads somewhere, so that a snapshot of another version ends as JOURNAL_CORRUPT
 * and never as a crash. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/case_clock_snapshot.h"
#include "broker/core/cases.h"
#include "broker/core/counts_snapshot.h"
#include "broker/core/mailbox.h"
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

enum { SNAPSHOT_UNPACK_BYTES = 512 * 1024 * 1024 };

/* A delivery that goes back to its queue when all are read. */
struct pending {
	uint64_t id;
	uint32_t delivery;
	struct mailbox_restore from;
};

struct reading {
	struct core *c;
	struct arena arena; /* of one record */
	struct pending *pending;
	size_t n_pending, cap_pending;
	uint32_t last_case;
	uint64_t last_connection;
	bool placed; /* the deliveries are back in their queues */
	bool ended;
};

static enum ieum_err read_head(struct reading *rd, const Ieum__V1__SnapshotHead *m)
{
	struct core *c = rd->c;
	enum ieum_err err = IEUM_E_OK;

	if (c->last_seq || c->n_participants || m->incarnation.len != CORE_ID_BYTES ||
	    m->policy_hash.len != POLICY_HASH_BYTES)
		return IEUM_E_JOURNAL_CORRUPT;
	c->last_seq = m->last_seq;
	c->last_at_us = m->last_at_us;
	c->drill = m->drill;
	memcpy(c->incarnation, m->incarnation.data, CORE_ID_BYTES);
	memcpy(c->policy_hash, m->policy_hash.data, POLICY_HASH_BYTES);
	c->settle_within_ms = m->settle_within_ms;
	c->copied_through = m->copied_through;
	c->n_forgotten = m->forgotten;
	c->forgotten_id_ms = m->forgotten_id_ms;
	c->sealed.skipped = m->keys_skipped;
	rd->last_connection = m->last_connection;
	for (size_t i = 0; i < m->n_participants && !err; i++)
		err = state_name_participant(c, (uint32_t)i + 1, m->participants[i]);
	for (size_t i = 0; i < m->n_mailboxes && !err; i++)
		err = state_name_mailbox(c, (uint32_t)i + 1, m->mailboxes[i]);
	for (size_t i = 0; i < m->n_names && !err; i++)
		err = names_number(&c->names, m->names[i]) == i + 1 ? IEUM_E_OK
								    : IEUM_E_JOURNAL_CORRUPT;
	return err;
}

static enum ieum_err read_actor(struct core *c, const Ieum__V1__SnapshotActor *m)
{
	uint32_t next = c->n_actors + 1;

	if (m->participant == 0 || m->participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t n = state_actor(c, m->participant, m->name);
	return n == next ? IEUM_E_OK : n ? IEUM_E_JOURNAL_CORRUPT : IEUM_E_NO_MEMORY;
}

static enum ieum_err read_connection(struct core *c, const Ieum__V1__SnapshotConnection *m)
{
	if (m->actor == 0 || m->actor > c->n_actors)
		return IEUM_E_JOURNAL_CORRUPT;
	return state_connect(c, m->number, c->actors[m->actor - 1].participant, m->actor);
}

/* ---- cases ---- */

static enum ieum_err read_members(struct core *c, struct core_case *k,
				  const Ieum__V1__SnapshotCase *m)
{
	enum ieum_err err = IEUM_E_OK;

	if (m->n_members > CORE_CASE_MEMBERS_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	/* Rounded up as case_join() does. */
	k->members = malloc((m->n_members + 4) / 4 * 4 * sizeof *k->members);
	if (!k->members)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < m->n_members; i++) {
		if (!state_mailbox(c, m->members[i] / 2))
			return IEUM_E_JOURNAL_CORRUPT;
		k->members[k->n_members++] =
			(struct member){ .mailbox = m->members[i] / 2, .sent = m->members[i] & 1 };
	}
	for (size_t i = 0; i < m->n_links && !err; i++)
		err = m->links[i]->case_id.len == CORE_ID_BYTES
			      ? case_link(k, m->links[i]->case_id.data, (uint8_t)m->links[i]->kind)
			      : IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < m->n_excluded && !err; i++)
		err = case_exclude(k, m->excluded[i]);
	if (!err && m->safe_contact)
		err = case_set_contact(k, m->safe_contact);
	if (!err)
		err = handover_read_case(c, k, m);
	return err;
}

static enum ieum_err read_case(struct reading *rd, const Ieum__V1__SnapshotCase *m)
{
	struct core *c = rd->c;

	if (m->id.len != CORE_ID_BYTES || state_case(c, m->id.data) || !state_mailbox(c, m->owner))
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t ch = case_open(c, m->id.data, m->seq, m->opened_at_ms);
	if (!ch)
		return IEUM_E_NO_MEMORY;
	struct core_case *k = case_at(c, ch);
	k->last_at_ms = m->last_at_ms;
	k->owner = m->owner;
	k->state = (uint8_t)m->state; /* the closed ones are listed by their order record */
	k->category = (uint8_t)m->category;
	k->consent_withdrawn = m->consent_withdrawn;
	memcpy(k->grade, m->grade, strnlen(m->grade, sizeof k->grade - 1));
	rd->last_case = ch;
	enum ieum_err err = case_set_jurisdiction(k, m->jurisdiction);
	if (!err)
		err = gates_read(&k->gates, m->gates, m->n_gates);
	if (!err)
		err = readers_read(c, &k->readers, m->readers, m->n_readers);
	if (!err)
		err = read_members(c, k, m);
	return err ? err : participation_read(c, ch, m);
}

uint32_t snapshot_case(const struct core *c, uint64_t seq)
{
	uint32_t rh = seqmap_get(&c->seqs, seq);
	uint32_t ch = rh ? referral_at(c, rh)->core_case : 0;

	return ch && case_at(c, ch)->seq == seq ? ch : 0;
}

/* The case that a message opened. */
static uint32_t case_of_seq(const struct reading *rd, uint64_t seq)
{
	if (rd->last_case && case_at(rd->c, rd->last_case)->seq == seq)
		return rd->last_case;
	return snapshot_case(rd->c, seq);
}

static enum ieum_err read_entry(struct reading *rd, struct core_case *k, const uint64_t *from)
{
	uint32_t rh = from[2] ? seqmap_get(&rd->c->seqs, from[2]) : 0;
	struct entry *e = timeline_add(&k->timeline);

	if (!e)
		return IEUM_E_NO_MEMORY;
	if (from[2] && !rh)
		return IEUM_E_JOURNAL_CORRUPT;
	e->seq = from[0];
	e->at_ms = (int64_t)from[1];
	e->referral = rh;
	e->kind = (uint8_t)from[3];
	e->what = (uint8_t)(from[3] >> 8);
	e->outcome = (uint8_t)(from[3] >> 16);
	e->reason = (uint8_t)(from[3] >> 24);
	if (e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DELIVERED ||
	    e->kind == IEUM__V1__TIMELINE_KIND__TIMELINE_KIND_DEAD_LETTERED) {
		e->mailbox = (uint32_t)from[4];
		e->actor = (uint32_t)from[5];
	} else {
		e->due_at_ms = (int64_t)from[4];
	}
	return IEUM_E_OK;
}

static enum ieum_err read_timeline(struct reading *rd, const Ieum__V1__SnapshotTimeline *m)
{
	uint32_t ch = case_of_seq(rd, m->case_seq);
	enum ieum_err err = IEUM_E_OK;

	if (!ch || m->n_entries % 6 != 0)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < m->n_entries && !err; i += 6)
		err = read_entry(rd, case_at(rd->c, ch), m->entries + i);
	return err;
}

/* ---- referrals ---- */

static enum ieum_err add_pending(struct reading *rd, uint32_t dh,
				 const Ieum__V1__SnapshotDelivery *m)
{
	if (rd->n_pending == rd->cap_pending) {
		size_t cap = rd->cap_pending ? 2 * rd->cap_pending : 1024;
		struct pending *pending = realloc(rd->pending, cap * sizeof *pending);
		if (!pending)
			return IEUM_E_NO_MEMORY;
		rd->pending = pending;
		rd->cap_pending = cap;
	}
	char *why = *m->why ? strdup(m->why) : NULL;
	if (*m->why && !why)
		return IEUM_E_NO_MEMORY;
	rd->pending[rd->n_pending++] = (struct pending){
		.id = m->id,
		.delivery = dh,
		.from = { .not_before_ms = m->not_before_ms,
			  .handed_back_by = m->handed_back_by,
			  .why = why },
	};
	return IEUM_E_OK;
}

static enum ieum_err read_readers(struct core *c, struct delivery *d,
				  const Ieum__V1__SnapshotDelivery *m)
{
	uint32_t *link = &d->readers;

	for (size_t i = 0; i < m->n_readers; i++) {
		uint32_t h = slab_get(&c->readers);
		if (!h)
			return IEUM_E_NO_MEMORY;
		struct reader *r = slab_at(&c->readers, h);
		r->participant = m->readers[i];
		*link = h;
		link = &r->next;
	}
	return IEUM_E_OK;
}

static enum ieum_err read_delivery(struct reading *rd, uint32_t rh,
				   const Ieum__V1__SnapshotDelivery *m)
{
	struct core *c = rd->c;
	struct referral *r = referral_at(c, rh);
	uint64_t seq = m->id >> CORE_ROUTE_BITS;
	uint32_t dh = slab_get(&c->deliveries);

	if (!dh)
		return IEUM_E_NO_MEMORY;
	if (!state_mailbox(c, m->mailbox) || m->state == 0 || m->state > DELIVERY_WAITING ||
	    m->released_to > c->n_participants || m->attempts > UINT16_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	struct delivery *d = delivery_at(c, dh);
	*d = (struct delivery){
		.id = m->id,
		.released_at_ms = m->released_at_ms,
		.referral = rh,
		.mailbox = m->mailbox,
		.released_to = m->released_to,
		.attempts = (uint16_t)m->attempts,
		.state = (uint8_t)m->state,
		.cause = (uint8_t)m->cause,
		.task = (uint8_t)m->task,
	};
	*(r->last_delivery ? &delivery_at(c, r->last_delivery)->next : &r->first_delivery) = dh;
	r->last_delivery = dh;
	enum ieum_err err = read_readers(c, d, m);
	if (!err && seq != r->seq && seqmap_get(&c->seqs, seq) != rh)
		err = seqmap_get(&c->seqs, seq) ? IEUM_E_JOURNAL_CORRUPT
						: seqmap_set(&c->seqs, seq, rh);
	return err ? err : add_pending(rd, dh, m);
}

static enum ieum_err read_approval(struct task *t, const Ieum__V1__SnapshotTask *m)
{
	Ieum__V1__Task from = IEUM__V1__TASK__INIT;

	from.quorum = m->quorum;
	from.quorum_of_kinds = m->quorum_of_kinds;
	from.quorum_of_agencies = m->quorum_of_agencies;
	from.gate = m->gate;
	from.gate_for_ms = m->gate_for_ms;
	enum ieum_err err = approval_new(&from, &t->approval);
	for (size_t i = 0; i < m->n_accepted_by && !err; i++)
		err = approval_add(t->approval, m->accepted_by[i]);
	return err;
}

static enum ieum_err read_task(struct core *c, uint32_t rh, uint8_t index,
			       const Ieum__V1__SnapshotTask *m)
{
	uint32_t th = slab_get(&c->tasks);
	uint32_t *link = &referral_at(c, rh)->first_task;
	enum ieum_err err = IEUM_E_OK;

	if (!th)
		return IEUM_E_NO_MEMORY;
	while (*link)
		link = &task_at(c, *link)->next;
	*link = th;
	struct task *t = task_at(c, th);
	t->referral = rh;
	t->index = index;
	if (m->n_asked != m->n_asked_steps || m->state == 0 || m->state >= TASK_STATES ||
	    strlen(m->jurisdiction) >= sizeof t->jurisdiction)
		return IEUM_E_JOURNAL_CORRUPT;
	t->holder = m->holder;
	t->due_at_ms = m->due_at_ms;
	t->within_ms = m->within_ms;
	t->steps_used = (uint16_t)m->steps_used;
	t->held_at = (uint16_t)m->held_at;
	t->state = (uint8_t)m->state;
	t->stops_at = (uint8_t)m->stops_at;
	t->effect = (uint8_t)m->effect;
	t->outcome = (uint8_t)m->outcome;
	t->reason = (uint8_t)m->reason;
	t->effect_reason = (uint8_t)m->effect_reason;
	t->blocks_closing = m->blocks_closing;
	t->rejection_ends = m->rejection_ends;
	t->awaits = (uint8_t)m->awaits;
	t->more_times = (uint8_t)m->more_times;
	t->answer = (uint8_t)m->answer;
	memcpy(t->jurisdiction, m->jurisdiction, strlen(m->jurisdiction));
	for (size_t i = 0; i < m->n_asked && !err; i++)
		err = state_mailbox(c, m->asked[i]) ? task_ask(t, m->asked[i], m->asked_steps[i])
						    : IEUM_E_JOURNAL_CORRUPT;
	if (!err)
		err = task_set_ladder(t, m->ladder, m->n_ladder);
	if (!err)
		err = read_approval(t, m);
	if (!err && t->steps_used > t->n_ladder)
		err = IEUM_E_JOURNAL_CORRUPT;
	return err ? err : task_restore(c, th);
}

static enum ieum_err read_referral(struct reading *rd, const Ieum__V1__SnapshotReferral *m)
{
	struct core *c = rd->c;
	uint32_t ch = m->case_seq ? case_of_seq(rd, m->case_seq) : 0;

	if (m->id.len != CORE_ID_BYTES || state_referral(c, m->id.data) || m->seq == 0 ||
	    m->seq > c->last_seq || seqmap_get(&c->seqs, m->seq) || (m->case_seq && !ch) ||
	    m->sender > c->n_participants || m->actor > c->n_actors || m->urgency >= CORE_URGENCIES)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t rh = slab_get(&c->referrals);
	if (!rh)
		return IEUM_E_NO_MEMORY;
	struct referral *r = referral_at(c, rh);
	memcpy(r->id, m->id.data, CORE_ID_BYTES);
	r->seq = m->seq;
	r->at_us = m->at_us;
	r->in_reply_to = m->in_reply_to;
	r->core_case = ch;
	r->sender = m->sender;
	r->actor = m->actor;
	r->payload_bytes = m->payload_bytes;
	r->type = (uint8_t)m->type;
	r->urgency = (uint8_t)m->urgency;
	r->category = (uint8_t)m->category;
	r->erased = m->erased != 0;
	r->basis = (uint8_t)m->basis;
	r->consent_withdrawn = m->consent_withdrawn != 0;
	struct list *list = ch ? &case_at(c, ch)->referrals : &c->loose;
	r->prev_in_case = list->tail;
	*(list->tail ? &referral_at(c, list->tail)->next_in_case : &list->head) = rh;
	list->tail = rh;
	enum ieum_err err = state_add_referral(c, rh);
	if (!err)
		err = readers_read(c, &r->readers, m->readers, m->n_readers);
	for (size_t i = 0; i < m->n_deliveries && !err; i++)
		err = read_delivery(rd, rh, m->deliveries[i]);
	if (!err && m->n_tasks > POLICY_TASKS_MAX)
		err = IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < m->n_tasks && !err; i++)
		err = read_task(c, rh, (uint8_t)i, m->tasks[i]);
	return err;
}

/* ---- orders of their own ---- */

static int compare_pending(const void *a, const void *b)
{
	const struct pending *x = a;
	const struct pending *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static enum ieum_err place_deliveries(struct reading *rd)
{
	enum ieum_err err = IEUM_E_OK;

	if (rd->placed)
		return IEUM_E_OK;
	rd->placed = true;
	if (rd->n_pending)
		qsort(rd->pending, rd->n_pending, sizeof *rd->pending, compare_pending);
	for (size_t i = 0; i < rd->n_pending && !err; i++)
		err = mailbox_restore(rd->c, rd->pending[i].delivery, &rd->pending[i].from);
	return err;
}

static enum ieum_err read_mailbox(struct reading *rd, const Ieum__V1__SnapshotMailbox *m)
{
	enum ieum_err err = place_deliveries(rd);
	struct mailbox *b = state_mailbox(rd->c, m->number);

	if (err || !b || b->cases)
		return err ? err : IEUM_E_JOURNAL_CORRUPT;
	b->counts.routed = m->routed;
	b->counts.settled = m->settled;
	b->counts.dead_lettered = m->dead_lettered;
	b->counts.withdrawn = m->withdrawn;
	b->cases = malloc((m->n_cases + 1) * sizeof *b->cases);
	if (!b->cases)
		return IEUM_E_NO_MEMORY;
	b->cap_cases = (uint32_t)m->n_cases + 1;
	for (size_t i = 0; i < m->n_cases; i++) {
		uint32_t ch = m->cases[i] ? case_of_seq(rd, m->cases[i]) : 0;
		if (m->cases[i] && !ch)
			return IEUM_E_JOURNAL_CORRUPT;
		b->cases[b->n_cases++] = ch;
	}
	for (size_t i = 0; i < m->n_dead_letters && !err; i++) {
		uint32_t dh = state_delivery(rd->c, m->dead_letters[i]);
		err = dh && delivery_at(rd->c, dh)->state == DELIVERY_DEAD
			      ? mailbox_restore_order(rd->c, dh, 0)
			      : IEUM_E_JOURNAL_CORRUPT;
	}
	return err;
}

static enum ieum_err read_order(struct reading *rd, const Ieum__V1__SnapshotOrder *m)
{
	struct core *c = rd->c;
	enum ieum_err err = place_deliveries(rd);

	if (m->n_in_flight != m->n_connections)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < m->n_in_flight && !err; i++) {
		uint32_t dh = state_delivery(c, m->in_flight[i]);
		uint32_t kh = state_connection(c, m->connections[i]);
		err = dh && kh ? mailbox_restore_order(c, dh, kh) : IEUM_E_JOURNAL_CORRUPT;
	}
	for (size_t i = 0; i < m->n_closed && !err; i++) {
		uint32_t ch = case_of_seq(rd, m->closed[i]);
		if (!ch || !case_closed(case_at(c, ch)))
			return IEUM_E_JOURNAL_CORRUPT;
		case_at(c, ch)->state = IEUM__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
		case_set_state(c, ch, IEUM__V1__CASE_STATE__CASE_STATE_CLOSED);
	}
	if (!err)
		err = handover_read_forwards(c, m);
	if (!err)
		err = leavers_read(c, m);
	c->last_connection = rd->last_connection;
	rd->ended = true;
	return err;
}

static enum ieum_err read_record(struct reading *rd, const Ieum__V1__SnapshotRecord *r)
{
	switch (r->what_case) {
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_HEAD: return read_head(rd, r->head);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_ACTOR: return read_actor(rd->c, r->actor);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_CONNECTION:
		return read_connection(rd->c, r->connection);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_CASE: return read_case(rd, r->case_);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_REFERRAL: return read_referral(rd, r->referral);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_TIMELINE: return read_timeline(rd, r->timeline);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_SIGNAL: return signals_read(rd->c, r->signal);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_HANDOVER: return handovers_read(rd->c, r->handover);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_AGENDA: return agendas_read(rd->c, r->agenda);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_POOL: return places_read_pool(rd->c, r->pool);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_HOLD: return places_read_hold(rd->c, r->hold);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_WAIT: return places_read_wait(rd->c, r->wait);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_AGREEMENT:
		return apply_agreement_due(rd->c, r->agreement);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_CERTIFICATE:
		return certificates_read(rd->c, r->certificate);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_SEALED: return sealed_read(rd->c, r->sealed);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_COUNT: return counts_read(rd->c, r->count);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_MAILBOX: return read_mailbox(rd, r->mailbox);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_ORDER: return read_order(rd, r->order);
	case IEUM__V1__SNAPSHOT_RECORD__WHAT_CLOCK: return case_clock_read(rd->c, r->clock);
	default: return IEUM_E_JOURNAL_CORRUPT;
	}
}

static bool read_length(const uint8_t **at, const uint8_t *end, size_t *len)
{
	*len = 0;
	for (int shift = 0; *at < end && shift < 63; shift += 7) {
		uint8_t b = *(*at)++;
		*len |= (size_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return *len <= (size_t)(end - *at);
	}
	return false;
}

enum ieum_err core_snapshot_read(struct core *c, const uint8_t *bytes, size_t n)
{
	struct reading rd = { .c = c };
	const uint8_t *end = bytes + n;
	enum ieum_err err = IEUM_E_OK;

	arena_init(&rd.arena, SNAPSHOT_UNPACK_BYTES);
	while (bytes < end && !err) {
		size_t len;
		Ieum__V1__SnapshotRecord *r = NULL;
		if (!rd.ended && read_length(&bytes, end, &len))
			r = ieum__v1__snapshot_record__unpack(&rd.arena.allocator, len, bytes);
		err = r ? read_record(&rd, r) : IEUM_E_JOURNAL_CORRUPT;
		bytes += r ? len : 0;
		arena_reset(&rd.arena);
	}
	for (size_t i = 0; i < rd.n_pending; i++)
		free((char *)rd.pending[i].from.why);
	free(rd.pending);
	arena_release(&rd.arena);
	return err ? err : rd.ended ? IEUM_E_OK : IEUM_E_JOURNAL_CORRUPT;
}
