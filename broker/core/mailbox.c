/* Deliveries on their way; see mailbox.h. */
#include "broker/core/mailbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- telling that there is something to release ---- */

static enum ieum_err mailbox_tell_ready(struct core *c, uint32_t number)
{
	struct mailbox *m = &c->mailboxes[number - 1];

	if (m->told_ready)
		return IEUM_E_OK;
	if (c->n_ready == c->cap_ready) {
		uint32_t cap = c->cap_ready ? 2 * c->cap_ready : 64;
		uint32_t *ready = malloc(cap * sizeof *ready);
		if (!ready)
			return IEUM_E_NO_MEMORY;
		for (uint32_t i = 0; i < c->n_ready; i++)
			ready[i] = c->ready[(c->ready_at + i) % c->cap_ready];
		free(c->ready);
		c->ready = ready;
		c->ready_at = 0;
		c->cap_ready = cap;
	}
	c->ready[(c->ready_at + c->n_ready++) % c->cap_ready] = number;
	m->told_ready = true;
	return IEUM_E_OK;
}

size_t core_take_ready(struct core *c, uint32_t *mailboxes, size_t max)
{
	size_t n = 0;

	for (; n < max && c->n_ready > 0; n++) {
		mailboxes[n] = c->ready[c->ready_at];
		c->ready_at = (c->ready_at + 1) % c->cap_ready;
		c->n_ready--;
		c->mailboxes[mailboxes[n] - 1].told_ready = false;
	}
	return n;
}

/* ---- lanes ---- */

static uint64_t lane_hash(const struct core *c, uint32_t mailbox, uint32_t core_case,
			  uint32_t urgency)
{
	return lookup_hash(c->seed, (uint64_t)mailbox << 32 | core_case, urgency);
}

uint32_t mailbox_lane(const struct core *c, uint32_t mailbox, uint32_t core_case, uint32_t urgency)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->lane_keys, lane_hash(c, mailbox, core_case, urgency), &p);

	for (; h; h = lookup_next(&p)) {
		const struct lane *l = lane_at(c, h);
		if (l->mailbox == mailbox && l->core_case == core_case && l->urgency == urgency)
			return h;
	}
	return 0;
}

static uint32_t lane_open(struct core *c, uint32_t mailbox, uint32_t core_case, uint32_t urgency)
{
	uint32_t h = mailbox_lane(c, mailbox, core_case, urgency);

	if (h)
		return h;
	h = slab_get(&c->lanes);
	if (!h)
		return 0;
	struct lane *l = lane_at(c, h);
	l->mailbox = mailbox;
	l->core_case = core_case;
	l->urgency = urgency;
	if (lookup_add(&c->lane_keys, lane_hash(c, mailbox, core_case, urgency), h))
		return 0;
	return h;
}

/* After a change at the head: into the heap of ready lanes, out of it, or another place in
 * it; an empty lane is given back. */
static enum ieum_err lane_refresh(struct core *c, uint32_t h)
{
	struct lane *l = lane_at(c, h);
	struct heap *ready = &c->mailboxes[l->mailbox - 1].ready[l->urgency];
	const struct transit *head = l->transits.head ? transit_at(c, l->transits.head) : NULL;

	if (head && delivery_at(c, head->delivery)->state == DELIVERY_QUEUED) {
		if (!l->place) {
			enum ieum_err err = heap_push(ready, head->id, 0, h);
			if (err)
				return err;
		} else if (ready->entries[l->place - 1].key != head->id) {
			heap_rekey(ready, l->place, head->id, 0);
		}
		return mailbox_tell_ready(c, l->mailbox);
	}
	if (l->place)
		heap_remove(ready, l->place);
	if (!head) {
		lookup_remove(&c->lane_keys, lane_hash(c, l->mailbox, l->core_case, l->urgency), h);
		slab_put(&c->lanes, h);
	}
	return IEUM_E_OK;
}

/* The last with a smaller id, 0: none.  Whatever goes back comes in runs, so the search
 * starts where the last one went. */
static uint32_t lane_before(const struct core *c, const struct lane *l, uint64_t id)
{
	uint32_t at = l->hint ? l->hint : l->transits.head;

	if (!at || transit_at(c, l->transits.tail)->id < id)
		return l->transits.tail;
	if (transit_at(c, at)->id > id) {
		while (at && transit_at(c, at)->id > id)
			at = transit_at(c, at)->lane_prev;
		return at;
	}
	while (transit_at(c, at)->lane_next && transit_at(c, transit_at(c, at)->lane_next)->id < id)
		at = transit_at(c, at)->lane_next;
	return at;
}

static enum ieum_err lane_insert(struct core *c, uint32_t th)
{
	struct transit *t = transit_at(c, th);
	const struct delivery *d = delivery_at(c, t->delivery);
	const struct referral *r = referral_at(c, d->referral);
	uint32_t h = lane_open(c, d->mailbox, r->core_case, r->urgency);

	if (!h)
		return IEUM_E_NO_MEMORY;
	struct lane *l = lane_at(c, h);
	uint32_t prev = lane_before(c, l, t->id);
	uint32_t next = prev ? transit_at(c, prev)->lane_next : l->transits.head;
	t->lane = h;
	t->lane_prev = prev;
	t->lane_next = next;
	*(prev ? &transit_at(c, prev)->lane_next : &l->transits.head) = th;
	*(next ? &transit_at(c, next)->lane_prev : &l->transits.tail) = th;
	if (next)
		l->hint = th;
	return lane_refresh(c, h);
}

static enum ieum_err lane_remove(struct core *c, uint32_t th)
{
	struct transit *t = transit_at(c, th);
	uint32_t h = t->lane;
	struct lane *l = lane_at(c, h);

	*(t->lane_prev ? &transit_at(c, t->lane_prev)->lane_next : &l->transits.head) =
		t->lane_next;
	*(t->lane_next ? &transit_at(c, t->lane_next)->lane_prev : &l->transits.tail) =
		t->lane_prev;
	if (l->hint == th)
		l->hint = t->lane_next ? t->lane_next : t->lane_prev;
	t->lane = t->lane_prev = t->lane_next = 0;
	return lane_refresh(c, h);
}

/* Does it hold back later ones, so that it stays in its lane until it is settled? */
static bool holds_back(const struct core *c, const struct delivery *d)
{
	return d->attempts > 0 && referral_at(c, d->referral)->core_case != 0;
}

/* After its state changed: into the lane, if it isn't there and belongs there. */
static enum ieum_err lane_enter(struct core *c, uint32_t th)
{
	const struct transit *t = transit_at(c, th);
	const struct delivery *d = delivery_at(c, t->delivery);

	if (t->lane)
		return lane_refresh(c, t->lane);
	if (d->state == DELIVERY_QUEUED || holds_back(c, d))
		return lane_insert(c, th);
	return IEUM_E_OK;
}

/* ---- the other lists ---- */

static void box_append(struct core *c, struct list *list, uint32_t th)
{
	struct transit *t = transit_at(c, th);

	t->box_prev = list->tail;
	t->box_next = 0;
	*(list->tail ? &transit_at(c, list->tail)->box_next : &list->head) = th;
	list->tail = th;
}

static void box_remove(struct core *c, struct list *list, uint32_t th)
{
	struct transit *t = transit_at(c, th);

	*(t->box_prev ? &transit_at(c, t->box_prev)->box_next : &list->head) = t->box_next;
	*(t->box_next ? &transit_at(c, t->box_next)->box_prev : &list->tail) = t->box_prev;
}

static void flight_append(struct core *c, uint32_t th, uint32_t connection)
{
	struct transit *t = transit_at(c, th);
	struct connection *k = connection_at(c, connection);

	t->connection = connection;
	t->flight_prev = c->flight.tail;
	t->flight_next = 0;
	*(c->flight.tail ? &transit_at(c, c->flight.tail)->flight_next : &c->flight.head) = th;
	c->flight.tail = th;
	t->own_prev = k->in_flight.tail;
	t->own_next = 0;
	*(k->in_flight.tail ? &transit_at(c, k->in_flight.tail)->own_next : &k->in_flight.head) =
		th;
	k->in_flight.tail = th;
	k->n_in_flight++;
}

static void flight_remove(struct core *c, uint32_t th)
{
	struct transit *t = transit_at(c, th);
	struct connection *k = connection_at(c, t->connection);

	*(t->flight_prev ? &transit_at(c, t->flight_prev)->flight_next : &c->flight.head) =
		t->flight_next;
	*(t->flight_next ? &transit_at(c, t->flight_next)->flight_prev : &c->flight.tail) =
		t->flight_prev;
	*(t->own_prev ? &transit_at(c, t->own_prev)->own_next : &k->in_flight.head) = t->own_next;
	*(t->own_next ? &transit_at(c, t->own_next)->own_prev : &k->in_flight.tail) = t->own_prev;
	t->flight_prev = t->flight_next = t->own_prev = t->own_next = 0;
	t->connection = 0;
	k->n_in_flight--;
}

/* ---- the one place where a delivery's state changes ---- */

static uint64_t *count_of(struct mailbox *m, uint8_t state)
{
	switch (state) {
	case DELIVERY_QUEUED:
	case DELIVERY_WAITING: return &m->counts.queued;
	case DELIVERY_IN_FLIGHT: return &m->counts.in_flight;
	case DELIVERY_SETTLED: return &m->counts.settled;
	case DELIVERY_DEAD: return &m->counts.dead_lettered;
	default: return &m->counts.withdrawn;
	}
}

static bool is_queued(uint8_t state)
{
	return state == DELIVERY_QUEUED || state == DELIVERY_WAITING;
}

static void delivery_set_state(struct core *c, struct delivery *d, uint8_t state)
{
	struct mailbox *m = &c->mailboxes[d->mailbox - 1];
	uint32_t bytes = referral_at(c, d->referral)->payload_bytes;

	if (d->state) {
		--*count_of(m, d->state);
		if (is_queued(d->state))
			m->counts.queued_bytes -= bytes;
	} else {
		m->counts.routed++;
	}
	++*count_of(m, state);
	if (is_queued(state))
		m->counts.queued_bytes += bytes;
	d->state = state;
}

static void count_unsettled(struct core *c, const struct delivery *d, bool more)
{
	struct referral *r = referral_at(c, d->referral);

	if (more) {
		c->n_unsettled++;
		r->n_unsettled++;
	} else {
		c->n_unsettled--;
		r->n_unsettled--;
	}
}

/* What a delivery needs while it is not settled; 0: no memory. */
static uint32_t transit_new(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);
	uint32_t th = slab_get(&c->transits);

	if (!th)
		return 0;
	struct transit *t = transit_at(c, th);
	t->id = d->id;
	t->delivery = dh;
	d->transit = th;
	return th;
}

enum ieum_err mailbox_put(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);
	uint32_t th = transit_new(c, dh);

	if (!th)
		return IEUM_E_NO_MEMORY;
	delivery_set_state(c, d, DELIVERY_QUEUED);
	count_unsettled(c, d, true);
	box_append(c, &c->mailboxes[d->mailbox - 1].unsettled, th);
	return lane_insert(c, th);
}

bool mailbox_has_read(const struct core *c, const struct delivery *d, uint32_t participant)
{
	if (d->released_to == participant)
		return true;
	for (uint32_t h = d->readers; h;) {
		const struct reader *r = slab_at(&c->readers, h);
		if (r->participant == participant)
			return true;
		h = r->next;
	}
	return false;
}

static enum ieum_err delivery_add_reader(struct core *c, struct delivery *d, uint32_t participant)
{
	for (uint32_t h = d->readers; h;) {
		const struct reader *r = slab_at(&c->readers, h);
		if (r->participant == participant)
			return IEUM_E_OK;
		h = r->next;
	}
	uint32_t h = slab_get(&c->readers);
	if (!h)
		return IEUM_E_NO_MEMORY;
	*(struct reader *)slab_at(&c->readers, h) =
		(struct reader){ .participant = participant, .next = d->readers };
	d->readers = h;
	return IEUM_E_OK;
}

enum ieum_err mailbox_release(struct core *c, uint32_t dh, uint32_t connection, int64_t at_ms,
			      bool *first_time)
{
	struct delivery *d = delivery_at(c, dh);

	if (d->state != DELIVERY_QUEUED)
		return IEUM_E_JOURNAL_CORRUPT;
	struct transit *t = transit_at(c, d->transit);
	uint32_t participant = connection_at(c, connection)->participant;
	enum ieum_err err = IEUM_E_OK;
	*first_time = !mailbox_has_read(c, d, participant);
	if (d->released_to && d->released_to != participant)
		err = delivery_add_reader(c, d, d->released_to);
	if (err)
		return err;
	d->released_to = participant;
	d->released_at_ms = at_ms;
	t->handed_back_by = 0;
	delivery_set_state(c, d, DELIVERY_IN_FLIGHT);
	flight_append(c, d->transit, connection);
	return holds_back(c, d) ? lane_refresh(c, t->lane) : lane_remove(c, d->transit);
}

enum ieum_err mailbox_take_back(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);

	if (d->state != DELIVERY_IN_FLIGHT)
		return IEUM_E_JOURNAL_CORRUPT;
	flight_remove(c, d->transit);
	delivery_set_state(c, d, DELIVERY_QUEUED);
	return lane_enter(c, d->transit);
}

enum ieum_err mailbox_fail(struct core *c, uint32_t dh, int64_t not_before_ms, bool handed_back)
{
	struct delivery *d = delivery_at(c, dh);
	enum ieum_err err = IEUM_E_OK;

	if (d->state != DELIVERY_IN_FLIGHT || d->attempts == UINT16_MAX)
		return IEUM_E_JOURNAL_CORRUPT;
	struct transit *t = transit_at(c, d->transit);
	uint64_t connection = connection_at(c, t->connection)->number;
	flight_remove(c, d->transit);
	delivery_set_state(c, d, not_before_ms ? DELIVERY_WAITING : DELIVERY_QUEUED);
	d->attempts++;
	if (not_before_ms) {
		t->not_before_ms = not_before_ms;
		err = heap_push(&c->waiting, (uint64_t)not_before_ms, t->id, d->transit);
	} else if (handed_back) {
		t->handed_back_by = connection;
	}
	return err ? err : lane_enter(c, d->transit);
}

enum ieum_err mailbox_requeue(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);

	if (d->state != DELIVERY_WAITING)
		return IEUM_E_JOURNAL_CORRUPT;
	struct transit *t = transit_at(c, d->transit);
	heap_remove(&c->waiting, t->place);
	t->not_before_ms = 0;
	delivery_set_state(c, d, DELIVERY_QUEUED);
	return lane_enter(c, d->transit);
}

/* Out of everything that only the unsettled are in. */
static enum ieum_err transit_leave(struct core *c, struct delivery *d)
{
	struct transit *t = transit_at(c, d->transit);

	if (d->state == DELIVERY_IN_FLIGHT)
		flight_remove(c, d->transit);
	else if (d->state == DELIVERY_WAITING)
		heap_remove(&c->waiting, t->place);
	t->not_before_ms = 0;
	box_remove(c, &c->mailboxes[d->mailbox - 1].unsettled, d->transit);
	count_unsettled(c, d, false);
	return t->lane ? lane_remove(c, d->transit) : IEUM_E_OK;
}

void mailbox_forget_dead(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);

	box_remove(c, &c->mailboxes[d->mailbox - 1].dead, d->transit);
	free(transit_at(c, d->transit)->why);
	slab_put(&c->transits, d->transit);
	d->transit = 0;
}

enum ieum_err mailbox_end(struct core *c, uint32_t dh, uint8_t state, const char *why)
{
	struct delivery *d = delivery_at(c, dh);
	struct mailbox *m = &c->mailboxes[d->mailbox - 1];

	if (d->state == DELIVERY_DEAD && state == DELIVERY_SETTLED) {
		mailbox_forget_dead(c, dh);
		delivery_set_state(c, d, state);
		return IEUM_E_OK;
	}
	if (!d->transit || d->state == DELIVERY_DEAD ||
	    (state == DELIVERY_WITHDRAWN && d->released_to))
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = transit_leave(c, d);
	if (err)
		return err;
	delivery_set_state(c, d, state);
	if (state == DELIVERY_DEAD) {
		struct transit *t = transit_at(c, d->transit);
		/* The last one failed too. */
		d->attempts++;
		t->why = why && *why ? strdup(why) : NULL;
		box_append(c, &m->dead, d->transit);
		return why && *why && !t->why ? IEUM_E_NO_MEMORY : IEUM_E_OK;
	}
	slab_put(&c->transits, d->transit);
	d->transit = 0;
	return IEUM_E_OK;
}

enum ieum_err mailbox_revoke(struct core *c, uint32_t dh)
{
	struct delivery *d = delivery_at(c, dh);

	if (!d->transit || d->state == DELIVERY_DEAD)
		return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = transit_leave(c, d);
	if (err)
		return err;
	delivery_set_state(c, d, DELIVERY_WITHDRAWN);
	slab_put(&c->transits, d->transit);
	d->transit = 0;
	return IEUM_E_OK;
}

enum ieum_err mailbox_restore(struct core *c, uint32_t dh, const struct mailbox_restore *from)
{
	struct delivery *d = delivery_at(c, dh);
	uint8_t state = d->state;
	enum ieum_err err = IEUM_E_OK;

	d->state = 0;
	delivery_set_state(c, d, state);
	if (state == DELIVERY_SETTLED || state == DELIVERY_WITHDRAWN)
		return IEUM_E_OK;
	uint32_t th = transit_new(c, dh);
	if (!th)
		return IEUM_E_NO_MEMORY;
	struct transit *t = transit_at(c, th);
	if (state == DELIVERY_DEAD) {
		t->why = from->why ? strdup(from->why) : NULL;
		return from->why && !t->why ? IEUM_E_NO_MEMORY : IEUM_E_OK;
	}
	count_unsettled(c, d, true);
	box_append(c, &c->mailboxes[d->mailbox - 1].unsettled, th);
	if (state == DELIVERY_WAITING) {
		t->not_before_ms = from->not_before_ms;
		err = heap_push(&c->waiting, (uint64_t)t->not_before_ms, t->id, th);
	} else if (state == DELIVERY_QUEUED) {
		t->handed_back_by = from->handed_back_by;
	}
	return err ? err : lane_enter(c, th);
}

enum ieum_err mailbox_restore_order(struct core *c, uint32_t dh, uint32_t connection)
{
	struct delivery *d = delivery_at(c, dh);

	if (d->state == DELIVERY_DEAD)
		box_append(c, &c->mailboxes[d->mailbox - 1].dead, d->transit);
	else if (d->state == DELIVERY_IN_FLIGHT && connection &&
		 !transit_at(c, d->transit)->connection)
		flight_append(c, d->transit, connection);
	else
		return IEUM_E_JOURNAL_CORRUPT;
	return IEUM_E_OK;
}

void mailbox_deinit(struct mailbox *m)
{
	for (int u = 0; u < CORE_URGENCIES; u++)
		heap_deinit(&m->ready[u]);
	free(m->cases);
	free(m->name);
}

bool core_mailbox_counts(const struct core *c, uint32_t mailbox, struct core_mailbox_counts *out)
{
	enum { LOOK_MAX = 1024 }; /* in flight ahead of the oldest queued */
	const struct mailbox *m = state_mailbox(c, mailbox);

	if (!m)
		return false;
	*out = m->counts;
	uint32_t th = m->unsettled.head;
	for (int i = 0; th && i < LOOK_MAX; i++, th = transit_at(c, th)->box_next) {
		const struct delivery *d = delivery_at(c, transit_at(c, th)->delivery);
		if (is_queued(d->state)) {
			out->oldest_at_ms = to_ms(referral_at(c, d->referral)->at_us);
			break;
		}
	}
	return true;
}
