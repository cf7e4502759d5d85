/* Those who want keys of sealed parts, as a part of the state; see sealed.h. */
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/sealed.h"

/* ---- looking ---- */

struct sealed_want *sealed_want_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->sealed.wants, h);
}

uint32_t sealed_want_of(const struct core *c, const struct sealed *s, uint32_t participant)
{
	uint32_t h = s->first_want;

	while (h && sealed_want_at(c, h)->participant != participant)
		h = sealed_want_at(c, h)->next;
	return h;
}

bool sealed_declined(const struct sealed_want *w, uint32_t participant)
{
	for (uint32_t i = 0; i < w->n_declined; i++)
		if (w->declined[i] == participant)
			return true;
	return false;
}

/* ---- wants ---- */

static void leave_queue(struct core *c, uint32_t wh)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	if (w->place) {
		heap_remove(&c->sealed.due, w->place);
		return;
	}
	*(w->wait_prev ? &sealed_want_at(c, w->wait_prev)->wait_next : &c->sealed.wait_head) =
		w->wait_next;
	if (w->wait_next)
		sealed_want_at(c, w->wait_next)->wait_prev = w->wait_prev;
}

static enum ieum_err join_queue(struct core *c, uint32_t wh, int64_t ask_again_at_ms)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	w->ask_again_at_ms = ask_again_at_ms;
	if (ask_again_at_ms) {
		/* Equal moments in an order that is the same in every core. */
		uint64_t seq = referral_at(c, sealed_at(c, w->sealed)->referral)->seq;
		return heap_push(&c->sealed.due, (uint64_t)ask_again_at_ms,
				 seq << 20 | w->participant, wh);
	}
	w->wait_prev = 0;
	w->wait_next = c->sealed.wait_head;
	if (w->wait_next)
		sealed_want_at(c, w->wait_next)->wait_prev = wh;
	c->sealed.wait_head = wh;
	return IEUM_E_OK;
}

enum ieum_err sealed_place_want(struct core *c, uint32_t wh, int64_t ask_again_at_ms)
{
	leave_queue(c, wh);
	return join_queue(c, wh, ask_again_at_ms);
}

static void count_want(struct core *c, const struct sealed_want *w, bool more)
{
	uint32_t sender = referral_at(c, sealed_at(c, w->sealed)->referral)->sender;
	uint32_t by = more ? 1 : UINT32_MAX;

	c->participants[w->participant - 1].n_wants += by;
	if (sender)
		c->participants[sender - 1].n_wanted += by;
}

bool sealed_has_room(const struct core *c, const struct sealed *s, uint32_t participant,
		     size_t beside)
{
	uint32_t sender = referral_at(c, s->referral)->sender;

	return c->sealed.wants.live + beside < SEALED_WANTS_MAX &&
	       c->participants[participant - 1].n_wants < SEALED_WANTS_OF_ONE &&
	       !(sender && c->participants[sender - 1].n_wanted + beside >= SEALED_WANTED_OF_ONE);
}

/* It waits; 0: no memory. */
uint32_t sealed_add_want(struct core *c, uint32_t h, uint32_t participant)
{
	uint32_t wh = slab_get(&c->sealed.wants);
	uint32_t *link = &sealed_at(c, h)->first_want;

	if (!wh)
		return 0;
	struct sealed_want *w = sealed_want_at(c, wh);
	w->sealed = h;
	w->participant = participant;
	while (*link)
		link = &sealed_want_at(c, *link)->next;
	*link = wh;
	count_want(c, w, true);
	return join_queue(c, wh, 0) ? 0 : wh;
}

void sealed_drop_want(struct core *c, uint32_t wh)
{
	uint32_t *link = &sealed_at(c, sealed_want_at(c, wh)->sealed)->first_want;

	while (*link != wh)
		link = &sealed_want_at(c, *link)->next;
	*link = sealed_want_at(c, wh)->next;
	leave_queue(c, wh);
	count_want(c, sealed_want_at(c, wh), false);
	slab_put(&c->sealed.wants, wh);
	if (c->sealed.skipped && c->sealed.wants.live % SEALED_ROOM_EVERY == 0) {
		c->sealed.skipped = false;
		sealed_look_all(c);
	}
}

/* ---- what comes ---- */

/* Not before the pause since the last round is over. */
static enum ieum_err wake(struct core *c, const struct applied *a, uint32_t wh)
{
	const struct sealed_want *w = sealed_want_at(c, wh);
	int64_t rested_ms = w->asked_at_ms ? w->asked_at_ms + SEALED_PAUSE_MS : 0;
	int64_t now_ms = to_ms(a->at_us);

	return sealed_place_want(c, wh, rested_ms > now_ms ? rested_ms : now_ms);
}

enum ieum_err sealed_wake_others(struct core *c, const struct applied *a, uint32_t h,
				 uint32_t parts)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = sealed_at(c, h)->first_want; wh && !err;
	     wh = sealed_want_at(c, wh)->next)
		if (!sealed_want_at(c, wh)->place && sealed_want_at(c, wh)->parts & parts)
			err = wake(c, a, wh);
	return err;
}

/* It may be asked once more, for other certificates. */
static void take_out(struct sealed_want *w, uint32_t holder)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->n_asked; i++)
		if (w->asked[i] != holder)
			w->asked[kept++] = w->asked[i];
	w->n_asked = kept;
}

bool sealed_asked_partly(const struct sealed_want *w, uint32_t holder)
{
	return w->partly == holder && w->through;
}

enum ieum_err sealed_want_served(struct core *c, const struct applied *a, uint32_t wh,
				 uint32_t holder)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	w->parts &= sealed_lacks(c, sealed_at(c, w->sealed), w->participant, to_ms(a->at_us));
	if (!w->parts) {
		sealed_drop_want(c, wh);
		return IEUM_E_OK;
	}
	if (!sealed_asks(w, holder))
		return IEUM_E_OK;
	/* It has done what it does: the rest is the next one's. */
	if (sealed_asked_partly(w, holder))
		take_out(w, holder);
	return sealed_place_want(c, wh, to_ms(a->at_us));
}

/* The oldest makes room. */
static void note_request(struct core *c, struct sealed_want *w, const uint8_t *request_id)
{
	uint32_t rh = state_referral(c, request_id);

	if (!rh)
		return;
	if (w->n_requests == SEALED_ASKED_MAX)
		memmove(&w->requests[0], &w->requests[1], --w->n_requests * sizeof *w->requests);
	w->requests[w->n_requests++] = referral_at(c, rh)->seq;
}

static void note_asked(struct core *c, const struct applied *a, struct sealed_want *w,
		       const Ieum__V1__KeysChanged *e)
{
	bool asks = e->holder && e->request_id.len == CORE_ID_BYTES;

	memset(w->request_id, 0, CORE_ID_BYTES);
	if (asks) {
		memcpy(w->request_id, e->request_id.data, CORE_ID_BYTES);
		w->asked_at_ms = to_ms(a->at_us);
		note_request(c, w, w->request_id);
		w->partly = e->holder;
		w->through = e->through;
	} else if (e->holder && !e->declined) {
		take_out(w, e->holder);
	}
	if (e->declined && !sealed_declined(w, e->holder) && w->n_declined < SEALED_ASKED_MAX)
		w->declined[w->n_declined++] = e->holder;
	/* When it has to wait, those who said nothing may be asked again. */
	if (!e->ask_again_at_ms) {
		w->n_asked = w->partly = e->holder;
		w->through = 0;
	} else if (asks && w->n_asked < SEALED_ASKED_MAX) {
		w->asked[w->n_asked++] = e->holder;
	}
}

enum ieum_err sealed_want_changed(struct core *c, const struct applied *a, uint32_t wh,
				  const Ieum__V1__KeysChanged *e)
{
	struct sealed_want *w = sealed_want_at(c, wh);

	w->parts = 0;
	for (size_t i = 0; i < e->n_parts; i++)
		w->parts |= sealed_bit(e->parts[i]);
	note_asked(c, a, w, e);
	return sealed_place_want(c, wh, e->ask_again_at_ms);
}

/* Which of them it may read is for the policy to say, when somebody is asked. */
enum ieum_err sealed_was_read(struct core *c, const struct applied *a, uint32_t rh,
			      uint32_t participant)
{
	const struct referral *r = referral_at(c, rh);
	struct sealed *s = r->sealed ? sealed_at(c, r->sealed) : NULL;

	if (!s || sealed_want_of(c, s, participant) || !sealed_has_room(c, s, participant, 0))
		return IEUM_E_OK;
	uint32_t parts = sealed_lacks(c, s, participant, to_ms(a->at_us));
	if (!parts)
		return IEUM_E_OK;
	uint32_t wh = sealed_add_want(c, r->sealed, participant);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	sealed_want_at(c, wh)->parts = parts;
	return sealed_place_want(c, wh, to_ms(a->at_us));
}

/* Another workstation of its own. */
static bool holds_itself(const struct core *c, const struct sealed_want *w, int64_t now_ms)
{
	struct sealed_own own;

	sealed_own(c, sealed_at(c, w->sealed), w->participant, now_ms, NULL, &own);
	return sealed_holds(&own, w->parts);
}

enum ieum_err sealed_wake(struct core *c, const struct applied *a, uint32_t participant)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = c->sealed.wait_head, next; wh && !err; wh = next) {
		const struct sealed_want *w = sealed_want_at(c, wh);
		next = w->wait_next;
		if (w->participant == participant && !holds_itself(c, w, to_ms(a->at_us)))
			continue;
		if (!sealed_declined(w, participant) &&
		    !sealed_has_rejected(c, sealed_at(c, w->sealed), w->participant, participant) &&
		    sealed_held(sealed_at(c, w->sealed), participant) & w->parts)
			err = wake(c, a, wh);
	}
	return err;
}

/* Whoever declined may have done so because of the certificates that there were. */
enum ieum_err sealed_certificate(struct core *c, const struct applied *a, uint32_t participant)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t wh = c->sealed.wait_head, next; wh && !err; wh = next) {
		struct sealed_want *w = sealed_want_at(c, wh);
		next = w->wait_next;
		if (w->participant != participant)
			continue;
		w->n_declined = 0;
		err = wake(c, a, wh);
	}
	return err;
}
