/* See care.h. */
#include "tests/year/care.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/uuid7.h"

enum {
	OLD_PLACES = 315,
	WAITING = 130,
	NEW_CENTRES = 5,
	NEW_PLACES = 20, /* in each */
	OFFERS_MAX = 1024,
	AT_ONCE = 100,     /* submits between two runs */
	SILENT_EVERY = 12, /* of the families that are offered a place in a new centre */
	ACTS = 2,          /* of one offer: the reply, the placement */
};

static const int64_t two_days_ms = INT64_C(48) * 3600 * 1000;

struct offer {
	uint8_t id[CITY_ID_BYTES], case_id[CITY_ID_BYTES];
	bool is_new; /* of a new centre */
};

struct care {
	struct city_hub *hub;
	struct uuid7_source ids;
	struct offer offers[OFFERS_MAX];
	size_t n_offers, n_answered;
	size_t n_silent;
	uint64_t n_sent, n_receipts;
	bool failed;
};

/* A message with its envelope. */
struct message {
	Ieum__V1__Referral referral;
	Ieum__V1__Envelope envelope;
	Ieum__V1__LegalBasis basis;
	uint8_t id[CITY_ID_BYTES];
};

static void begin(struct care *c, struct message *m, Ieum__V1__MessageType type)
{
	ieum__v1__referral__init(&m->referral);
	ieum__v1__envelope__init(&m->envelope);
	ieum__v1__legal_basis__init(&m->basis);
	if (uuid7_next(&c->ids, (uint64_t)c->hub->now_ms(c->hub->ctx), m->id) != IEUM_E_OK)
		abort();
	m->basis.kind = IEUM__V1__BASIS_KIND__BASIS_KIND_STATUTORY;
	m->basis.article = (char *)"아동복지법 제44조의2";
	m->envelope.legal_basis = &m->basis;
	m->envelope.type = type;
	m->envelope.message_id = (ProtobufCBinaryData){ CITY_ID_BYTES, m->id };
	m->referral.envelope = &m->envelope;
	m->referral.body_case = (Ieum__V1__Referral__BodyCase)(100 + (int)type);
}

static void send(struct care *c, const char *who, const struct message *m)
{
	c->n_sent++;
	if (!c->hub->submit(c->hub->ctx, who, &m->referral) ||
	    (c->n_sent % AT_ONCE == 0 && !c->hub->run(c->hub->ctx, true)))
		c->failed = true;
}

static void count_places(struct care *c, int centre, uint32_t places)
{
	Ieum__V1__CapacityReport body = IEUM__V1__CAPACITY_REPORT__INIT;
	struct message m;
	char pool[32];

	snprintf(pool, sizeof pool, "centre-%d", centre);
	begin(c, &m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_CAPACITY_REPORT);
	body.pool = pool;
	body.places = places;
	m.referral.capacity_report = &body;
	send(c, "care-hub", &m);
}

static void wait_for_a_place(struct care *c)
{
	Ieum__V1__WaitlistEntry body = IEUM__V1__WAITLIST_ENTRY__INIT;
	struct message m;

	begin(c, &m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_WAITLIST_ENTRY);
	m.envelope.open_case = true;
	m.envelope.category = IEUM__V1__CATEGORY__CATEGORY_FAMILY_SUPPORT;
	body.pool = (char *)"care_centre";
	body.places = 1;
	m.referral.waitlist_entry = &body;
	send(c, "family-centre", &m);
}

static void accept(struct care *c, struct offer *o)
{
	Ieum__V1__Answer body = IEUM__V1__ANSWER__INIT;
	struct message m;

	begin(c, &m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_ANSWER);
	m.envelope.in_reply_to = (ProtobufCBinaryData){ CITY_ID_BYTES, o->id };
	body.kind = IEUM__V1__ANSWER_KIND__ANSWER_KIND_ACCEPT;
	m.referral.answer = &body;
	send(c, "family-centre", &m);
}

static void place(struct care *c, struct offer *o)
{
	Ieum__V1__PlacementNotice body = IEUM__V1__PLACEMENT_NOTICE__INIT;
	struct message m;

	begin(c, &m, IEUM__V1__MESSAGE_TYPE__MESSAGE_TYPE_PLACEMENT_NOTICE);
	m.envelope.case_id = (ProtobufCBinaryData){ CITY_ID_BYTES, o->case_id };
	body.hold_id = (ProtobufCBinaryData){ CITY_ID_BYTES, o->id };
	m.referral.placement_notice = &body;
	send(c, "care-hub", &m);
}

/* Replies to every offer that has come and is not replied to; then the child comes. */
static bool reply(struct care *c, bool all)
{
	size_t from = c->n_answered, until = c->n_offers;

	for (int act = 0; act < ACTS && !c->failed; act++) {
		for (size_t i = from; i < until && !c->failed; i++) {
			struct offer *o = &c->offers[i];
			bool silent = !all && o->is_new && i % SILENT_EVERY == 0;

			c->n_silent += silent && act == 0;
			if (!silent)
				(act == 0 ? accept : place)(c, o);
		}
		if (!c->hub->run(c->hub->ctx, true))
			return false;
	}
	c->n_answered = until;
	return !c->failed;
}

/* ---- what the hub says ---- */

static void on_receipt(void *ctx, const uint8_t *message_id, enum ieum_err code, const char *detail)
{
	struct care *c = ctx;

	(void)message_id;
	c->n_receipts++;
	if (!code)
		return;
	fprintf(stderr, "care places: %s %s\n", ieum_error((int)code)->name, detail);
	c->failed = true;
}

static void on_delivery(void *ctx, const char *mailbox, uint64_t delivery_id,
			const Ieum__V1__Referral *r)
{
	struct care *c = ctx;
	struct offer *o = &c->offers[c->n_offers];

	(void)mailbox;
	(void)delivery_id;
	if (r->body_case != IEUM__V1__REFERRAL__BODY_PLACE_OFFER)
		return;
	for (size_t i = 0; i < c->n_offers; i++)
		if (memcmp(c->offers[i].id, r->envelope->message_id.data, CITY_ID_BYTES) == 0)
			return;
	if (c->n_offers == OFFERS_MAX) {
		c->failed = true;
		return;
	}
	memcpy(o->id, r->envelope->message_id.data, CITY_ID_BYTES);
	memcpy(o->case_id, r->envelope->case_id.data, CITY_ID_BYTES);
	o->is_new = strncmp(r->place_offer->pool, "centre-", strlen("centre-")) == 0;
	c->n_offers++;
}

/* ---- how the places stand ---- */

static bool pools(struct care *c, const char *when, uint32_t *taken, uint32_t *waiting)
{
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__PoolsQuery all = IEUM__V1__POOLS_QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	bool ok = true;

	query.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	query.pools = &all;
	query.page_rows = 100;
	*taken = *waiting = 0;
	if (!c->hub->query(c->hub->ctx, "care-hub", &query, &result))
		return false;
	printf("  %s\n  %-20s %7s %5s %6s %5s %8s\n", when, "centre", "places", "held", "taken",
	       "free", "waiting");
	for (size_t i = 0; i < result->pools->n_pools; i++) {
		const Ieum__V1__PoolView *p = result->pools->pools[i];

		printf("  %-20s %7u %5u %6u %5u %8u\n", p->name, p->places, p->held, p->taken,
		       p->free, p->waiting);
		ok = ok && p->held + p->taken + p->free == p->places;
		*taken += p->taken;
		*waiting = p->waiting > *waiting ? p->waiting : *waiting;
	}
	return ok;
}

/* Positions 1, 2, 3 … of those who wait, as the family centre sees its own. */
static bool positions(struct care *c, uint32_t expected)
{
	Ieum__V1__Query query = IEUM__V1__QUERY__INIT;
	Ieum__V1__PoolsQuery one = IEUM__V1__POOLS_QUERY__INIT;
	const Ieum__V1__Result *result = NULL;
	uint32_t last = 0;

	one.pool = (char *)"centre-16";
	query.what_case = IEUM__V1__QUERY__WHAT_POOLS;
	query.pools = &one;
	query.page_rows = 200;
	if (!c->hub->query(c->hub->ctx, "family-centre", &query, &result) ||
	    result->pools->n_pools != 1)
		return false;
	const Ieum__V1__PoolView *p = result->pools->pools[0];

	for (size_t i = 0; i < p->n_entries; i++)
		if (p->entries[i]->position == last + 1)
			last++;
	printf("  %u wait, with the positions 1 to %u\n", expected, last);
	return last == expected;
}

static bool fill_up(struct care *c)
{
	for (int i = 0; i < OLD_PLACES && !c->failed; i++)
		wait_for_a_place(c);
	return !c->failed && c->hub->run(c->hub->ctx, true) && reply(c, true);
}

bool care_play(struct care *c, struct city_hub *hub)
{
	uint32_t taken = 0, waiting = 0;

	c->hub = hub;
	bool ok = fill_up(c);
	for (int i = 0; ok && i < WAITING && !c->failed; i++)
		wait_for_a_place(c);
	ok = ok && hub->run(hub->ctx, true) && pools(c, "full, and 130 wait:", &taken, &waiting) &&
	     taken == OLD_PLACES && waiting == WAITING;
	for (int i = 0; ok && i < NEW_CENTRES; i++)
		count_places(c, 16 + i, NEW_PLACES);
	ok = ok && hub->run(hub->ctx, true) &&
	     c->n_offers == OLD_PLACES + NEW_CENTRES * NEW_PLACES &&
	     positions(c, WAITING - NEW_CENTRES * NEW_PLACES) && reply(c, false);
	/* What nobody replied to goes to the next, who replies. */
	ok = ok && hub->advance(hub->ctx, two_days_ms) && hub->run(hub->ctx, true) &&
	     c->n_offers == OLD_PLACES + NEW_CENTRES * NEW_PLACES + c->n_silent && reply(c, true);
	ok = ok && pools(c, "five centres opened:", &taken, &waiting) &&
	     taken == OLD_PLACES + NEW_CENTRES * NEW_PLACES &&
	     waiting == WAITING - NEW_CENTRES * NEW_PLACES - c->n_silent && positions(c, waiting);
	printf("  %zu offers, %zu without a reply went to the next\n", c->n_offers - OLD_PLACES,
	       c->n_silent);
	return ok && !c->failed && c->n_receipts == c->n_sent;
}

struct care *care_new(void)
{
	struct care *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	return c;
}

void care_free(struct care *c)
{
	free(c);
}

struct city_events care_events(struct care *c)
{
	return (struct city_events){ c, on_receipt, on_delivery };
}
