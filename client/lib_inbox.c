/* libieum: deliveries, each handed over once.
 *
 *                 not known                 ieum_settle()             Settled: done
 *   Delivery ──────────────► HELD (told) ──────────────► SETTLING ─────────────────► SETTLED
 *                                                            │ Settled: release, refuse; failed
 *                                                            └──────────────────────► forgotten
 *
 * A repeat of a delivery that is HELD or SETTLING is passed over: its settle is still to come, or
 * goes again by itself.  A repeat of one that is SETTLED is settled again here.  After the hub
 * was restored from a backup the same delivery may come under another id; the application goes on
 * with the one it knows, and wire.id has the other.  The same message for another reason, an
 * escalation above all, is handed over.  The memory is bounded
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

static struct seen_why why_of(const Ieum__V1__Delivery *delivery)
{
	struct seen_why why = { .mailbox = lib_inbox_mailbox(delivery),
				.cause = (uint64_t)delivery->cause,
				.answer_by_at_ms = delivery->answer_by_at_ms,
				.received_at_ms = delivery->received_at_ms };

	memcpy(why.message_id, delivery->referral->envelope->message_id.data, IEUM_ID_BYTES);
	return why;
}

/* ---- the tables ---- */

static void forget(struct ieum *c, struct seen *s)
{
	assert(c->seen_by_why && c->seen_by_wire && c->seen_by_told); /* s is in each */
	HASH_DELETE(hh_why, c->seen_by_why, s);
	HASH_DELETE(hh_wire, c->seen_by_wire, s);
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
static struct seen *find_wire(struct ieum *c, const struct seen_wire *wire)
{
	struct seen *s;

	/* Its bytes are set; the analyser doesn't see that of a number read byte by byte. */
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
	HASH_FIND(hh_wire, c->seen_by_wire, wire, sizeof *wire, s);
	return s;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct seen *find_why(struct ieum *c, const struct seen_why *why)
{
	struct seen *s;

	HASH_FIND(hh_why, c->seen_by_why, why, sizeof *why, s);
	return s;
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add_wire(struct ieum *c, struct seen *s)
{
	HASH_ADD(hh_wire, c->seen_by_wire, wire, sizeof s->wire, s);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add(struct ieum *c, struct seen *s)
{
	HASH_ADD(hh_why, c->seen_by_why, why, sizeof s->why, s);
	HASH_ADD(hh_told, c->seen_by_told, told_id, sizeof s->told_id, s);
	add_wire(c, s);
	TAILQ_INSERT_TAIL(&c->seen, s, link);
}

static void renew_wire(struct ieum *c, struct seen *s, const struct seen_wire *wire)
{
	assert(c->seen_by_wire); /* s is in it */
	HASH_DELETE(hh_wire, c->seen_by_wire, s);
	s->wire = *wire;
	add_wire(c, s);
}

/* ---- deliveries ---- */

/* What was handed over before; NULL: it wasn't. */
static struct seen *find_same(struct ieum *c, const struct seen_why *why,
			      const struct seen_wire *wire)
{
	struct seen *s = find_wire(c, wire);

	if (s && memcmp(s->why.message_id, why->message_id, IEUM_ID_BYTES) == 0 &&
	    s->why.mailbox == why->mailbox)
		return s; /* its term may have moved meanwhile */
	s = find_why(c, why);
	return s && s->wire.incarnation != wire->incarnation ? s : NULL;
}

static bool is_repeat(struct ieum *c, const Ieum__V1__Delivery *delivery)
{
	const struct seen_why why = why_of(delivery);
	const struct seen_wire wire = { delivery->delivery_id, c->incarnation_n };
	struct seen *s = find_same(c, &why, &wire);

	if (!s)
		return false;
	renew_wire(c, s, &wire);
	if (s->state == SEEN_SETTLED &&
	    ieum_settle(c, s->told_id, IEUM_SETTLE_DONE, NULL, NULL, NULL))
		lib_drop(c, IEUM_E_NO_MEMORY, "settle");
	return true;
}

void lib_inbox_remember(struct ieum *c, const Ieum__V1__Delivery *delivery, uint64_t told_id)
{
	const struct seen_why why = why_of(delivery);
	/* Delivery ids of another incarnation begin anew, and of what came for the same reason
	 * again only one can be told apart: the newer one counts. */
	struct seen *const older[] = { find_told(c, told_id), find_why(c, &why) };
	struct seen *s;

	for (size_t i = 0; i < sizeof older / sizeof older[0]; i++)
		if (older[i] && (i == 0 || older[i] != older[0]))
			forget(c, older[i]);
	while (HASH_CNT(hh_why, c->seen_by_why) >= c->options.remember_max)
		forget(c, TAILQ_FIRST(&c->seen));
	s = calloc(1, sizeof *s);
	if (!s)
		return; /* a repeat will be handed over again, no worse */
	s->why = why;
	s->wire = (struct seen_wire){ delivery->delivery_id, c->incarnation_n };
	s->told_id = told_id;
	add(c, s);
}

/* Another process of ours has it on the spool: one that died before it was taken, mostly. */
static void note_row(struct ieum *c, uint64_t told_id, const struct spool_delivery *known)
{
	struct seen *s = known->number ? find_told(c, told_id) : NULL;

	if (!s)
		return;
	s->row = known->number;
	s->again = known->handed;
}

void lib_inbox_taken(struct ieum *c, uint64_t told_id)
{
	struct seen *s = find_told(c, told_id);

	if (!s || !s->row)
		return;
	lib_spool_row_taken(c, s->row);
	s->row = 0;
}

bool ieum_handed_before(struct ieum *c, uint64_t delivery_id)
{
	const struct seen *s = find_told(c, delivery_id);

	return lib_spool_again(c, delivery_id) || (s && s->again);
}

bool lib_inbox_is_told(struct ieum *c, uint64_t told_id)
{
	return find_told(c, told_id) != NULL;
}

/* A request for a key is answered while we are connected, or a colleague's to answer: it stays the
 * hub's until it is settled.  Unless the spool holds another incarnation's under the same number. */
static bool stays_at_hub(const struct ieum *c, const struct codec_frame *frame)
{
	return frame->frame->delivery->referral->body_case ==
		       IEUM__V1__REFERRAL__BODY_KEY_REQUEST &&
	       !lib_spool_holds(c, frame->frame->delivery->delivery_id);
}

void lib_inbox_delivery(struct ieum *c, const struct codec_frame *frame,
			const struct frame_view *view)
{
	const Ieum__V1__Delivery *delivery = frame->frame->delivery;
	struct spool_delivery known = { 0 };

	if (c->state != LIB_UP || is_repeat(c, delivery))
		return;
	if (c->spool && c->options.spool_deliveries && !stays_at_hub(c, frame)) {
		lib_spool_delivery(c, delivery, view);
		return;
	}
	if (c->spool)
		lib_spool_known(c, delivery, &known);
	if (known.taken)
		return;
	lib_inbox_remember(c, delivery, delivery->delivery_id);
	note_row(c, delivery->delivery_id, &known);
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

	return s ? s->wire.id : told_id;
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
