/* libieum: deliveries, each handed over once.
 *
 *                 not known                 ieum_settle()             Settled: done
 *   Delivery ──────────────► HELD (told) ──────────────► SETTLING ─────────────────► SETTLED
 *                                                            │ Settled: release, refuse; failed
 *                                                            └──────────────────────► forgotten
 *
 * A repeat of a delivery that is HELD or SETTLING is passed over: its settle is still to come, or
 * goes again by itself.  A repeat of one that is SETTLED is settled again here.  After the hub
 * was restored from a backup the same message may come under another delivery id; the
 * application goes on with the one it knows, and wire_id has the other.  The memory is bounded
 * (options.remember_max): what fell out of it is handed over again if it comes again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib_internal.h"
#include "proto/wire.h"

/* FNV-1a: names come from the hub, whom we trust not to attack its own clients. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return hash;
}

uint64_t lib_inbox_mailbox(const Ieum__V1__Delivery *delivery)
{
	return hash_name(delivery->mailbox);
}

static struct seen_key key_of(const Ieum__V1__Delivery *delivery)
{
	struct seen_key key = { .mailbox = lib_inbox_mailbox(delivery) };

	memcpy(key.message_id, delivery->referral->envelope->message_id.data, IEUM_ID_BYTES);
	return key;
}

static void forget(struct ieum *c, struct seen *s)
{
	assert(c->seen_by_key && c->seen_by_told); /* s is in both */
	HASH_DELETE(hh, c->seen_by_key, s);
	HASH_DELETE(hh_told, c->seen_by_told, s);
	TAILQ_REMOVE(&c->seen, s, link);
	free(s);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct seen *find_told(struct ieum *c, uint64_t told_id)
{
	struct seen *s;

	HASH_FIND(hh_told, c->seen_by_told, &told_id, sizeof told_id, s);
	return s;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct seen *find_key(struct ieum *c, const struct seen_key *key)
{
	struct seen *s;

	HASH_FIND(hh, c->seen_by_key, key, sizeof *key, s);
	return s;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add(struct ieum *c, struct seen *s)
{
	HASH_ADD(hh, c->seen_by_key, key, sizeof s->key, s);
	HASH_ADD(hh_told, c->seen_by_told, told_id, sizeof s->told_id, s);
	TAILQ_INSERT_TAIL(&c->seen, s, link);
}

static void remember(struct ieum *c, const struct seen_key *key, uint64_t delivery_id)
{
	struct seen *s = find_told(c, delivery_id);

	/* Delivery ids of another incarnation begin anew: the newer one counts. */
	if (s)
		forget(c, s);
	while (HASH_COUNT(c->seen_by_key) >= c->options.remember_max)
		forget(c, TAILQ_FIRST(&c->seen));
	s = calloc(1, sizeof *s);
	if (!s)
		return; /* a repeat will be handed over again, no worse */
	s->key = *key;
	s->told_id = s->wire_id = delivery_id;
	s->incarnation = c->incarnation_n;
	add(c, s);
}

/* Was it handed over before? */
static bool is_repeat(struct ieum *c, const struct seen_key *key, uint64_t delivery_id)
{
	struct seen *s = find_key(c, key);

	if (!s)
		return false;
	if (s->incarnation == c->incarnation_n && s->wire_id != delivery_id) {
		/* The same message for the same mailbox, but for a new reason (an escalation). */
		forget(c, s);
		return false;
	}
	s->incarnation = c->incarnation_n;
	s->wire_id = delivery_id;
	if (s->state == SEEN_SETTLED &&
	    ieum_settle(c, s->told_id, IEUM_SETTLE_DONE, NULL, NULL, NULL))
		lib_drop(c, IEUM_E_NO_MEMORY, "settle");
	return true;
}

void lib_inbox_delivery(struct ieum *c, const struct codec_frame *frame,
			const struct frame_view *view)
{
	const Ieum__V1__Delivery *delivery = frame->frame->delivery;
	struct seen_key key = key_of(delivery);

	if (c->state == LIB_UP && c->spool && c->options.spool_deliveries) {
		lib_spool_delivery(c, delivery, view);
		return;
	}
	if (c->state != LIB_UP || is_repeat(c, &key, delivery->delivery_id))
		return;
	remember(c, &key, delivery->delivery_id);
	if (c->options.callbacks.delivery)
		c->options.callbacks.delivery(c, delivery, frame->referral, frame->referral_len,
					      c->options.ctx);
}

bool lib_inbox_unreadable(struct ieum *c, const struct frame_view *view, const char *why)
{
	static const uint32_t path[] = { IEUM__V1__FRAME__WHAT_DELIVERY, 1 }; /* delivery_id */
	const uint8_t *at = view->payload, *end = view->payload + view->len;
	struct wire_field f = { 0 };
	char reason[IEUM_REASON_MAX_BYTES + 1];

	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
		do {
			if (at >= end || !(at = wire_field(at, end, &f)))
				return false;
		} while (f.number != path[i]);
		if (f.type != (i == 0 ? WIRE_BYTES : WIRE_VARINT))
			return false;
		at = f.bytes;
		end = f.bytes + f.len;
	}
	/* The codec's texts name fields and limits, never what was in them. */
	strncpy(reason, why, sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	return ieum_settle(c, f.value, IEUM_SETTLE_REFUSE, reason, NULL, NULL) == IEUM_E_OK;
}

uint64_t lib_inbox_wire_id(struct ieum *c, uint64_t told_id)
{
	const struct seen *s = find_told(c, told_id);

	return s ? s->wire_id : told_id;
}

void lib_inbox_settling(struct ieum *c, uint64_t told_id)
{
	struct seen *s = find_told(c, told_id);

	if (s)
		s->state = SEEN_SETTLING;
}

void lib_inbox_settled(struct ieum *c, uint64_t told_id, enum ieum_settle how, bool failed)
{
	struct seen *s = find_told(c, told_id);

	if (!s)
		return;
	if (how != IEUM_SETTLE_DONE || failed) {
		forget(c, s);
		return;
	}
	s->state = SEEN_SETTLED;
	TAILQ_REMOVE(&c->seen, s, link);
	TAILQ_INSERT_TAIL(&c->seen, s, link);
}

void lib_inbox_free(struct ieum *c)
{
	struct seen *next;

	for (struct seen *s = TAILQ_FIRST(&c->seen); s; s = next) {
		next = TAILQ_NEXT(s, link);
		forget(c, s);
	}
}

void ieum_credit(struct ieum *c, uint32_t deliveries)
{
	c->credit = deliveries;
	if (c->state == LIB_UP)
		lib_send_credit(c);
}
