/* Waiting lists; see places.h. */
#include <stdlib.h>
#include <string.h>

#include "broker/core/state.h"

static void wait_placed(void *core, uint32_t h, uint32_t place)
{
	wait_at(core, h)->place = place;
}

struct wait *wait_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->places.waits, h);
}

struct need *need_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->places.needs, h);
}

uint32_t wait_of(const struct core *c, uint32_t referral)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&c->places.waits_of,
				  state_id_hash(c, referral_at(c, referral)->id), &p);

	while (h && wait_at(c, h)->referral != referral)
		h = lookup_next(&p);
	return h;
}

uint32_t wait_of_offer(const struct core *c, uint32_t offer)
{
	uint64_t entry = referral_at(c, offer)->in_reply_to;
	uint32_t rh = entry ? seqmap_get(&c->seqs, entry) : 0;
	uint32_t h = rh ? wait_of(c, rh) : 0;

	return h && wait_at(c, h)->offer == offer ? h : 0;
}

/* ---- needs ---- */

static bool holds_number(const uint32_t *numbers, uint32_t n, uint32_t number)
{
	for (uint32_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

bool need_suits(const struct need *n, uint32_t pool)
{
	return holds_number(n->pools, n->n_pools, pool);
}

static bool need_is(const struct need *n, const Ieum__V1__WaitNeed *like)
{
	return n->live && n->sex == (uint8_t)like->sex && n->age_years == like->age_years &&
	       n->places == like->places && n->n_but == like->n_but &&
	       strcmp(n->wanted, like->wanted) == 0 && strcmp(n->language, like->language) == 0 &&
	       strcmp(n->jurisdiction, like->jurisdiction) == 0 &&
	       (n->n_but == 0 || memcmp(n->but, like->but, n->n_but * sizeof *n->but) == 0);
}

uint32_t need_find(const struct core *c, const Ieum__V1__WaitNeed *like)
{
	for (uint32_t h = 1; h < c->places.needs.used; h++)
		if (need_is(need_at(c, h), like))
			return h;
	return 0;
}

static enum ieum_err set_numbers(uint32_t **to, uint32_t *n_to, const uint32_t *from, size_t n)
{
	uint32_t *numbers = malloc((n + 1) * sizeof *numbers);

	if (!numbers)
		return IEUM_E_NO_MEMORY;
	if (n)
		memcpy(numbers, from, n * sizeof *numbers);
	free(*to);
	*to = numbers;
	*n_to = (uint32_t)n;
	return IEUM_E_OK;
}

static void need_free(struct core *c, uint32_t h)
{
	struct need *n = need_at(c, h);

	if (n->made_by)
		c->participants[n->made_by - 1].n_needs--;
	free(n->wanted);
	free(n->language);
	free(n->but);
	free(n->pools);
	heap_deinit(&n->waiting);
	n->live = false;
	slab_put(&c->places.needs, h);
}

static enum ieum_err need_new(struct core *c, const Ieum__V1__WaitNeed *like, uint32_t made_by,
			      uint32_t *out)
{
	uint32_t h = slab_get(&c->places.needs);

	if (!h)
		return IEUM_E_NO_MEMORY;
	if (strlen(like->jurisdiction) >= sizeof need_at(c, h)->jurisdiction)
		return IEUM_E_JOURNAL_CORRUPT;
	struct need *n = need_at(c, h);
	heap_init(&n->waiting, wait_placed, c);
	n->live = true;
	n->made_by = made_by;
	if (made_by)
		c->participants[made_by - 1].n_needs++;
	n->sex = (uint8_t)like->sex;
	n->age_years = like->age_years;
	n->places = like->places;
	memcpy(n->jurisdiction, like->jurisdiction, strlen(like->jurisdiction) + 1);
	n->wanted = strdup(like->wanted);
	n->language = strdup(like->language);
	enum ieum_err err = set_numbers(&n->but, &n->n_but, like->but, like->n_but);
	if (!err)
		err = set_numbers(&n->pools, &n->n_pools, like->pools, like->n_pools);
	*out = h;
	return err ? err : n->wanted && n->language ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

void waits_deinit(struct core *c)
{
	for (uint32_t h = 1; h < c->places.needs.used; h++) {
		if (!need_at(c, h)->live)
			continue;
		need_at(c, h)->made_by = 0; /* the participants are gone already */
		need_free(c, h);
	}
	slab_deinit(&c->places.needs);
	slab_deinit(&c->places.waits);
	lookup_deinit(&c->places.waits_of);
}

/* ---- who is next ---- */

static bool comes_before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

uint32_t waits_next(const struct core *c, uint32_t pool)
{
	const struct heap_entry *best = NULL;
	uint32_t free = pool_free(pool_at(c, pool));

	for (uint32_t h = 1; free && h < c->places.needs.used; h++) {
		const struct need *n = need_at(c, h);
		if (!n->live || n->places > free || !need_suits(n, pool))
			continue;
		const struct heap_entry *first = heap_first(&n->waiting);
		if (first && (!best || comes_before(first, best)))
			best = first;
	}
	return best ? best->item : 0;
}

void waits_refresh(struct core *c, uint32_t pool)
{
	struct pool *p = pool_at(c, pool);
	bool ready = c->places.n_waiting > 0 && waits_next(c, pool) != 0;

	c->places.n_ready += ready;
	c->places.n_ready -= p->ready;
	p->ready = ready;
}

static void refresh_suiting(struct core *c, uint32_t need)
{
	const struct need *n = need_at(c, need);

	for (uint32_t i = 0; i < n->n_pools; i++)
		waits_refresh(c, n->pools[i]);
}

/* ---- applying ---- */

static uint32_t sender_of(const struct core *c, const struct wait *w)
{
	return referral_at(c, w->referral)->sender;
}

static enum ieum_err enter_need(struct core *c, uint32_t wh, const Ieum__V1__WaitNeed *like,
				uint32_t made_by)
{
	struct wait *w = wait_at(c, wh);
	uint32_t sender = sender_of(c, w);
	uint32_t h = need_find(c, like);

	for (size_t i = 0; i < like->n_pools; i++)
		if (!pool_at(c, like->pools[i]))
			return IEUM_E_JOURNAL_CORRUPT;
	enum ieum_err err = h ? IEUM_E_OK : need_new(c, like, made_by, &h);
	if (!err)
		err = heap_push(&need_at(c, h)->waiting, UINT32_MAX - w->priority, w->seq, wh);
	if (err)
		return err;
	w->need = h;
	c->places.n_waiting++;
	if (sender)
		c->participants[sender - 1].n_waits++;
	refresh_suiting(c, h);
	return IEUM_E_OK;
}

static void leave_need(struct core *c, uint32_t wh)
{
	struct wait *w = wait_at(c, wh);
	uint32_t h = w->need;

	if (!h)
		return;
	heap_remove(&need_at(c, h)->waiting, w->place);
	w->need = 0;
	c->places.n_waiting--;
	if (sender_of(c, w))
		c->participants[sender_of(c, w) - 1].n_waits--;
	refresh_suiting(c, h);
	if (need_at(c, h)->waiting.n == 0)
		need_free(c, h);
}

static uint32_t wait_new(struct core *c, uint32_t referral, const Ieum__V1__WaitChanged *e)
{
	uint32_t h = slab_get(&c->places.waits);

	if (!h ||
	    lookup_add(&c->places.waits_of, state_id_hash(c, referral_at(c, referral)->id), h))
		return 0;
	*wait_at(c, h) = (struct wait){
		.seq = referral_at(c, referral)->seq,
		.referral = referral,
		.priority = e->priority,
		.places = e->places,
	};
	return h;
}

static bool may_follow(uint8_t state, Ieum__V1__WaitState next)
{
	switch (next) {
	case IEUM__V1__WAIT_STATE__WAIT_STATE_WAITING: return state == 0 || state == WAIT(WAITING);
	case IEUM__V1__WAIT_STATE__WAIT_STATE_OFFERED: return state == WAIT(WAITING);
	case IEUM__V1__WAIT_STATE__WAIT_STATE_PLACED: return state == WAIT(OFFERED);
	case IEUM__V1__WAIT_STATE__WAIT_STATE_ENDED: /* again: its case was closed before */
		return state == WAIT(WAITING) || state == WAIT(OFFERED) || state == WAIT(ENDED);
	default: return false;
	}
}

enum ieum_err apply_wait_changed(struct core *c, const Ieum__V1__WaitChanged *e)
{
	uint32_t rh = e->entry_id.len == CORE_ID_BYTES ? state_referral(c, e->entry_id.data) : 0;
	uint32_t wh = rh ? wait_of(c, rh) : 0;
	bool waits = e->state == IEUM__V1__WAIT_STATE__WAIT_STATE_WAITING;

	if (!rh || !may_follow(wh ? wait_at(c, wh)->state : 0, e->state) || (waits && !e->need))
		return IEUM_E_JOURNAL_CORRUPT;
	if (!wh)
		wh = wait_new(c, rh, e);
	if (!wh)
		return IEUM_E_NO_MEMORY;
	leave_need(c, wh);
	struct wait *w = wait_at(c, wh);
	w->state = (uint8_t)e->state;
	if (e->lapses_at_ms)
		w->lapses_at_ms = e->lapses_at_ms;
	if (e->state == IEUM__V1__WAIT_STATE__WAIT_STATE_OFFERED) {
		w->offer =
			e->offer_id.len == CORE_ID_BYTES ? state_referral(c, e->offer_id.data) : 0;
		if (!w->offer)
			return IEUM_E_JOURNAL_CORRUPT;
	}
	return waits ? enter_need(c, wh, e->need, sender_of(c, w)) : IEUM_E_OK;
}

enum ieum_err waits_restore(struct core *c, const Ieum__V1__WaitChanged *e, uint8_t state,
			    uint32_t offer, uint32_t need_made_by)
{
	uint32_t wh = wait_new(c, state_referral(c, e->entry_id.data), e);

	if (!wh)
		return IEUM_E_NO_MEMORY;
	wait_at(c, wh)->state = state;
	wait_at(c, wh)->offer = offer;
	wait_at(c, wh)->lapses_at_ms = e->lapses_at_ms;
	return e->need ? enter_need(c, wh, e->need, need_made_by) : IEUM_E_OK;
}

enum ieum_err waits_policy_changed(struct core *c, const Ieum__V1__PolicyChanged *e)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < e->n_waits && !err; i++) {
		uint32_t h = need_find(c, e->waits[i]);
		for (size_t k = 0; k < e->waits[i]->n_pools; k++)
			if (!pool_at(c, e->waits[i]->pools[k]))
				return IEUM_E_JOURNAL_CORRUPT;
		if (!h)
			return IEUM_E_JOURNAL_CORRUPT;
		struct need *n = need_at(c, h);
		err = set_numbers(&n->pools, &n->n_pools, e->waits[i]->pools, e->waits[i]->n_pools);
	}
	for (uint32_t i = 1; i <= c->places.n_pools; i++)
		waits_refresh(c, i);
	return err;
}

void waits_close(struct core *c, uint32_t core_case)
{
	uint32_t rh = c->places.n_waiting ? case_at(c, core_case)->referrals.head : 0;

	for (; rh; rh = referral_at(c, rh)->next_in_case) {
		uint32_t wh = wait_of(c, rh);
		if (!wh || wait_at(c, wh)->state != WAIT(WAITING))
			continue;
		leave_need(c, wh);
		wait_at(c, wh)->state = WAIT(ENDED);
	}
}

void waits_forget(struct core *c, uint32_t referral)
{
	uint32_t h = wait_of_offer(c, referral);

	if (h)
		wait_at(c, h)->offer = 0;
	h = wait_of(c, referral);
	if (!h)
		return;
	leave_need(c, h);
	lookup_remove(&c->places.waits_of, state_id_hash(c, referral_at(c, referral)->id), h);
	wait_at(c, h)->state = 0;
	slab_put(&c->places.waits, h);
}
