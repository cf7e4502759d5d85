#include "broker/recorder.h"

#include <string.h>

enum ieum_err recorder_init(struct recorder *r, struct core *core, size_t pending_max,
			    size_t cache_bytes)
{
	*r = (struct recorder){ .core = core, .pending_max = pending_max };
	r->cache = payload_cache_new(cache_bytes);
	r->salts = salt_source_new();
	r->side[0] = journal_batch_new();
	r->side[1] = journal_batch_new();
	if (!r->cache || !r->salts || !r->side[0] || !r->side[1]) {
		recorder_deinit(r);
		return IEUM_E_NO_MEMORY;
	}
	return IEUM_E_OK;
}

void recorder_deinit(struct recorder *r)
{
	for (int i = 0; i < RECORDER_SIDES; i++)
		/* What was never reaped the committer frees. */
		if (r->side[i] && !(r->in_flight && (unsigned)i != r->gathering))
			journal_batch_free(r->side[i]);
	payload_cache_free(r->cache);
	salt_source_free(r->salts);
	*r = (struct recorder){ .core = NULL };
}

static struct journal_batch *other(const struct recorder *r)
{
	return r->side[r->gathering ^ 1];
}

/* The batches borrow payloads from the cache from their first event on. */
static void hold_payloads(struct recorder *r)
{
	const struct journal_batch *oldest =
		r->in_flight && other(r)->n_events ? other(r) : recorder_batch(r);

	payload_cache_hold(r->cache, oldest->n_events ? oldest->first_seq : UINT64_MAX);
}

/* Keeps the payload and covers it by a salted hash in the event. */
static enum ieum_err add_payload(struct recorder *r, struct core_decision *d,
				 const struct core_item *item, uint64_t seq,
				 struct journal_event *to)
{
	ProtobufCBinaryData *hash = &item->event->submitted->payload_hash;

	hash->data = arena_alloc(&d->arena, SALT_HASH_BYTES);
	hash->len = SALT_HASH_BYTES;
	to->payload = payload_cache_put(r->cache, seq, item->payload, item->payload_len);
	to->payload_len = item->payload_len;
	if (!hash->data || !to->payload)
		return IEUM_E_NO_MEMORY;
	return salt_hash(r->salts, to->payload, to->payload_len, to->salt, hash->data);
}

/* In the transaction of the event that tells of it. */
static enum ieum_err erase_payloads(struct journal_batch *b, const Ieum__V1__PayloadErased *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_seqs && !err; i++)
		err = journal_batch_erase(b, e->seqs[i]);
	return err;
}

static enum ieum_err record_item(struct recorder *r, struct core_decision *d,
				 const struct core_item *item)
{
	struct journal_batch *b = recorder_batch(r);
	uint64_t seq = core_last_seq(r->core) + 1;
	struct journal_event event = { .kept = NULL };
	enum ieum_err err;
	uint8_t *to;

	if (b->n_events == 0)
		b->first_seq = seq;
	if (item->payload && item->event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED) {
		err = add_payload(r, d, item, seq, &event);
		if (err)
			return err;
	}
	event.kept_len = protobuf_c_message_get_packed_size(&item->event->base);
	to = journal_batch_space(b, event.kept_len);
	if (!to)
		return IEUM_E_NO_MEMORY;
	protobuf_c_message_pack(&item->event->base, to);
	event.kept = to;
	err = journal_batch_add(b, &event);
	if (!err && item->event->what_case == IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED)
		err = erase_payloads(b, item->event->payload_erased);
	if (err)
		return err;
	if (b->n_events == 1)
		hold_payloads(r);
	return core_apply(r->core, seq, item->event);
}

enum ieum_err recorder_record(struct recorder *r, struct core_decision *d)
{
	for (size_t i = 0; i < d->n_items; i++) {
		enum ieum_err err = record_item(r, d, &d->items[i]);

		if (err)
			return err;
	}
	return IEUM_E_OK;
}

enum ieum_err recorder_read(struct recorder *r, uint64_t seq, void *tag)
{
	return journal_batch_read(recorder_batch(r), seq, tag);
}

size_t recorder_pending_bytes(const struct recorder *r)
{
	return recorder_batch(r)->bytes + (r->in_flight ? other(r)->bytes : 0);
}

_Static_assert(RECORDER_RESERVE_EVENTS >= 4 * CORE_DECISION_EVENTS_MAX,
	       "settles and urgent messages have room between the ceiling and the end");

enum recorder_room recorder_room(const struct recorder *r)
{
	size_t bytes = recorder_pending_bytes(r);
	size_t events = recorder_batch(r)->n_events;

	if (bytes >= r->pending_max + RECORDER_RESERVE_BYTES ||
	    events >= JOURNAL_BATCH_EVENTS_MAX - 2 * CORE_DECISION_EVENTS_MAX)
		return RECORDER_FULL;
	if (bytes >= r->pending_max || events >= JOURNAL_BATCH_EVENTS_MAX - RECORDER_RESERVE_EVENTS)
		return RECORDER_RESERVED;
	return RECORDER_ROOMY;
}

int recorder_side(const struct recorder *r)
{
	if (!journal_batch_empty(recorder_batch(r)))
		return (int)r->gathering;
	return r->in_flight ? (int)(r->gathering ^ 1) : RECORDER_NOTHING_PENDING;
}

enum ieum_err recorder_hand_over(struct recorder *r, int64_t now_us)
{
	struct journal_batch *b = recorder_batch(r);
	enum ieum_err err;

	if (r->in_flight || journal_batch_empty(b))
		return IEUM_E_OK;
	b->at_us = now_us;
	err = committer_submit(r->committer, b);
	if (err)
		return err;
	r->in_flight = true;
	r->gathering ^= 1;
	return IEUM_E_OK;
}

bool recorder_reap(struct recorder *r, int *side, enum ieum_err *result)
{
	if (!r->in_flight || !committer_reap(r->committer, result))
		return false;
	*side = (int)(r->gathering ^ 1);
	r->in_flight = false;
	return true;
}

void recorder_done(struct recorder *r, int side)
{
	journal_batch_clear(r->side[side]);
	hold_payloads(r);
}
