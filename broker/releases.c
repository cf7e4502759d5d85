/* Deliveries: who has credit gets what its mailboxes hold, most urgent first.
 *
 * A session is on the pump while something may be there for it.  Each round decides about one
 * session: what is released is recorded, and the deliveries are encoded behind that record.  Payloads
 * come from the cache; what isn't there is asked from the journal with the batch, and when the
 * answers are there it is decided anew. */
#include <string.h>

#include "broker/session.h"

enum {
	RELEASE_AT_ONCE = 128,   /* deliveries of one round: competing consumers take turns */
	READS_PER_SESSION = 256, /* payloads asked from the journal at a time */
};

void releases_want(struct session *s)
{
	struct server *sv = s->server;

	if (s->on_pump || s->state != SESSION_OPEN || s->credit == 0)
		return;
	TAILQ_INSERT_TAIL(&sv->pump, s, pump_link);
	s->on_pump = true;
	server_turn_soon(sv);
}

static void leave_pump(struct session *s)
{
	if (!s->on_pump)
		return;
	TAILQ_REMOVE(&s->server->pump, s, pump_link);
	s->on_pump = false;
}

bool releases_is_reader(void *ctx, const char *recipient, size_t len)
{
	const struct reading *reading = ctx;
	const struct session *s = reading->s;

	return core_is_reader(s->server->core, s->server->policy, s->connection, reading->case_id,
			      recipient, len);
}

enum ieum_err releases_add_keys(struct session *s, const uint8_t *message_id,
				const uint8_t **referral, size_t *len)
{
	struct arena *arena = &s->server->arena;
	struct core_key *known = arena_alloc(arena, CORE_KEYS_MAX * sizeof *known);
	struct codec_key *keys = arena_alloc(arena, CORE_KEYS_MAX * sizeof *keys);
	size_t n;

	if (!known || !keys)
		return IEUM_E_NO_MEMORY;
	n = core_keys(s->server->core, s->connection, message_id, known, CORE_KEYS_MAX);
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct codec_key){ known[i].part, { known[i].info, known[i].info_len } };
	return codec_splice_referral(*referral, *len, keys, n, arena, referral, len);
}

/* ---- payloads ---- */

/* Asks the journal for what isn't cached among these deliveries, as far as the cache can keep it. */
static void fetch(struct session *s, const uint64_t *ids, size_t n)
{
	struct server *sv = s->server;
	size_t room = payload_cache_fetched_max(sv->recorder.cache) / 4;

	for (size_t i = 0; i < n && s->reads < READS_PER_SESSION; i++) {
		struct core_delivery delivery;
		const uint8_t *bytes;
		size_t len;

		if (!core_delivery(sv->core, ids[i], &delivery) ||
		    payload_cache_get(sv->recorder.cache, delivery.seq, &bytes, &len))
			continue;
		/* One always: or nothing would ever move. */
		if (s->reads && delivery.payload_bytes > room)
			break;
		room -= delivery.payload_bytes < room ? delivery.payload_bytes : room;
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): an id travels as a tag, nothing is pointed at */
		if (recorder_read(&sv->recorder, delivery.seq, (void *)(uintptr_t)s->channel_id) !=
		    IEUM_E_OK) {
			/* Others have asked for as much as a batch can read. */
			s->unread = sv->unread = true;
			break;
		}
		s->reads++;
	}
}

void releases_read_again(struct server *sv)
{
	struct session *s;

	if (!sv->unread)
		return;
	sv->unread = false;
	LIST_FOREACH(s, &sv->sessions, all_link) {
		if (s->unread)
			releases_want(s);
		s->unread = false;
	}
}

/* How many of the first deliveries can go now: their payload is here and there is room for them. */
static size_t usable(struct session *s, const uint64_t *ids, size_t n, bool *missing)
{
	struct server *sv = s->server;
	size_t room = (size_t)sv->config->limits.out_buffer;

	*missing = false;
	for (size_t i = 0; i < n; i++) {
		struct core_delivery delivery;
		const uint8_t *bytes;
		size_t len;

		if (!core_delivery(sv->core, ids[i], &delivery))
			return i;
		if (!payload_cache_get(sv->recorder.cache, delivery.seq, &bytes, &len)) {
			*missing = true;
			return i;
		}
		if (i && len > room)
			return i;
		room -= len < room ? len : room;
	}
	return n;
}

/* ---- encoding ---- */

static enum ieum_err put_delivery(struct session *s, uint64_t id)
{
	struct server *sv = s->server;
	Ieum__V1__Delivery head = IEUM__V1__DELIVERY__INIT;
	struct core_delivery d;
	const uint8_t *payload, *filtered;
	size_t len, filtered_len;
	enum ieum_err err;

	if (!core_delivery(sv->core, id, &d) ||
	    !payload_cache_get(sv->recorder.cache, d.seq, &payload, &len))
		return IEUM_E_INTERNAL;
	arena_reset(&sv->arena);
	struct reading reading = { s, d.case_id };
	const struct codec_reader reader = {
		.is_reader = releases_is_reader,
		.ctx = &reading,
		.is_sender = strcmp(d.sender, session_participant(s)->name) == 0,
	};
	err = codec_filter_referral(payload, len, &reader, &sv->arena, &filtered, &filtered_len);
	if (!err && d.sealed)
		err = releases_add_keys(s, d.message_id, &filtered, &filtered_len);
	if (err)
		return err;
	head.delivery_id = d.delivery_id;
	head.attempt = d.attempt;
	head.mailbox = (char *)d.mailbox;
	head.sender = (char *)d.sender;
	head.sender_actor = (char *)d.sender_actor;
	head.received_at_ms = d.received_at_ms;
	head.journal_number = d.seq;
	head.cause = d.cause;
	head.answer_by_at_ms = d.answer_by_at_ms;
	head.urgency = d.urgency;
	head.drill = sv->drill;
	if (d.case_id)
		head.case_id = (ProtobufCBinaryData){ CORE_ID_BYTES, (uint8_t *)d.case_id };
	return codec_put_delivery(outbox_buf(s), &head, filtered, filtered_len);
}

/* The deliveries of a decision that was just recorded. */
static void put_released(struct session *s, const Ieum__V1__DeliveriesReleased *released)
{
	for (size_t i = 0; i < released->n_deliveries; i++) {
		enum ieum_err err = put_delivery(s, released->deliveries[i]);

		if (err) {
			/* They are in flight to a session that can't have them: its end returns them. */
			session_overflow(s, err);
			return;
		}
	}
	outbox_weigh(s);
}

/* ---- deciding ---- */

/* The `released` event of a decision; NULL when nothing is released. */
static const Ieum__V1__DeliveriesReleased *released_of(const struct core_decision *d)
{
	for (size_t i = 0; i < d->n_items; i++)
		if (d->items[i].event->what_case == IEUM__V1__EVENT__WHAT_RELEASED)
			return d->items[i].event->released;
	return NULL;
}

static const Ieum__V1__DeliveriesReleased *decide(struct session *s, uint32_t max)
{
	struct server *sv = s->server;

	core_decision_reset(&sv->decision);
	if (core_decide_release(sv->core, sv->policy, s->connection, max, server_now_us(sv),
				&sv->decision) != IEUM_E_OK)
		return NULL;
	return released_of(&sv->decision);
}

/* One round for one session.  True while there may be more for it. */
static bool release_round(struct session *s)
{
	struct server *sv = s->server;
	uint32_t in_flight = core_in_flight(sv->core, s->connection);
	uint32_t max = s->credit > in_flight ? s->credit - in_flight : 0;
	const Ieum__V1__DeliveriesReleased *released;
	size_t now;
	bool missing;

	if (max > RELEASE_AT_ONCE)
		max = RELEASE_AT_ONCE;
	if (max == 0 || outbox_full(s) || !reload_checked(s))
		return false;
	released = decide(s, max);
	if (!released)
		return false;
	now = usable(s, released->deliveries, released->n_deliveries, &missing);
	if (missing && s->reads == 0)
		fetch(s, released->deliveries + now, released->n_deliveries - now);
	if (now == 0)
		return false;
	if (now < released->n_deliveries) {
		released = decide(s, (uint32_t)now);
		if (!released)
			return false;
	}
	if (!server_record(sv))
		return false;
	/* Recording keeps the decision: its events are still there to be told. */
	put_released(s, released);
	return !missing && s->state == SESSION_OPEN;
}

void releases_turn(struct server *sv)
{
	enum { READY_AT_ONCE = 256 };
	uint32_t ready[READY_AT_ONCE];
	int64_t began_us = pace_wall_us();
	size_t n;

	do {
		n = core_take_ready(sv->core, ready, READY_AT_ONCE);
		for (size_t i = 0; i < n; i++)
			roster_wake(sv, ready[i]);
	} while (n == READY_AT_ONCE);
	if (sv->stalled || sv->stopping)
		return;
	for (int round = 0; round < SERVER_RELEASE_ROUNDS && !sv->failed &&
			    pace_wall_us() - began_us < SERVER_HOLD_US;
	     round++) {
		struct session *s = TAILQ_FIRST(&sv->pump);

		if (!s || recorder_room(&sv->recorder) == RECORDER_FULL)
			break;
		leave_pump(s);
		if (release_round(s))
			releases_want(s);
	}
}
