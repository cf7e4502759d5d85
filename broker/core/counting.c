/* See counting.h. */
#include "broker/core/counting.h"

#include <string.h>

#include "broker/core/cases.h"

enum {
	KEYS_MAX = 1 + CORE_CASE_LINKS_MAX + 16, /* a case with all it is linked with */
	FORGET_MAX = 16,                         /* in one go */
};

/* For what a message is counted, or counts. */
struct keys {
	uint8_t at[KEYS_MAX][COUNT_KEY_BYTES];
	size_t n;
};

/* What is counted so far. */
struct tally {
	bool distinct;
	int64_t sum;
	uint32_t seen[POLICY_COUNT_MARKS_MAX];
	size_t n_seen;
};

/* ---- keys ---- */

static void add_key(struct keys *keys, const void *bytes, size_t len)
{
	uint8_t key[COUNT_KEY_BYTES] = { 0 };

	memcpy(key, bytes, len < sizeof key ? len : sizeof key);
	for (size_t i = 0; i < keys->n; i++)
		if (memcmp(keys->at[i], key, sizeof key) == 0)
			return;
	if (keys->n < KEYS_MAX)
		memcpy(keys->at[keys->n++], key, sizeof key);
}

/* Those that live in one household, as far as the cases say so. */
static void add_household(const struct counting *of, struct keys *keys)
{
	const struct core_case *k = of->core_case ? case_at(of->c, of->core_case) : NULL;
	const Ieum__V1__Envelope *e = of->context->referral->envelope;

	for (uint32_t i = 0; k && i < k->n_links; i++)
		if (k->links[i].kind == IEUM__V1__LINK_KIND__LINK_KIND_SAME_HOUSEHOLD)
			add_key(keys, k->links[i].case_id, CORE_ID_BYTES);
	for (size_t i = 0; i < e->n_case_links; i++)
		if (e->case_links[i]->kind == IEUM__V1__LINK_KIND__LINK_KIND_SAME_HOUSEHOLD &&
		    e->case_links[i]->case_id.len == CORE_ID_BYTES)
			add_key(keys, e->case_links[i]->case_id.data, CORE_ID_BYTES);
}

/* The first is the message's own; of tokens each is. */
static void keys_of(const struct counting *of, enum policy_counter_per per, struct keys *keys)
{
	const Ieum__V1__Envelope *e = of->context->referral->envelope;

	keys->n = 0;
	switch (per) {
	case POLICY_PER_CASE:
	case POLICY_PER_HOUSEHOLD:
		if (of->case_id.len == CORE_ID_BYTES)
			add_key(keys, of->case_id.data, CORE_ID_BYTES);
		if (keys->n > 0 && per == POLICY_PER_HOUSEHOLD)
			add_household(of, keys);
		break;
	case POLICY_PER_SENDER:
		if (of->participant)
			add_key(keys,
				(uint8_t[]){ (uint8_t)of->participant,
					     (uint8_t)(of->participant >> 8),
					     (uint8_t)(of->participant >> 16) },
				3);
		break;
	case POLICY_PER_SUBJECT:
		for (size_t i = 0; i < e->n_subject_tokens; i++)
			if (e->subject_tokens[i].len >= COUNT_TOKEN_BYTES)
				add_key(keys, e->subject_tokens[i].data, COUNT_TOKEN_BYTES);
		break;
	}
}

/* ---- what they count ---- */

static void tally_add(struct tally *t, uint32_t participant, uint32_t weight)
{
	if (!t->distinct) {
		t->sum += weight;
		return;
	}
	for (size_t i = 0; i < t->n_seen; i++)
		if (t->seen[i] == participant)
			return;
	if (t->n_seen < POLICY_COUNT_MARKS_MAX)
		t->seen[t->n_seen++] = participant;
	t->sum = (int64_t)t->n_seen;
}

static const Ieum__V1__Counted *counted_at(const struct counting *of, size_t i, const char *counter,
					   const uint8_t key[COUNT_KEY_BYTES])
{
	const Ieum__V1__Event *e = of->d->items[i].event;

	return e->what_case == IEUM__V1__EVENT__WHAT_COUNTED &&
			       strcmp(e->counted->counter, counter) == 0 &&
			       memcmp(e->counted->key.data, key, COUNT_KEY_BYTES) == 0
		       ? e->counted
		       : NULL;
}

/* What was counted for a key, by this decision too. */
static void tally_key(const struct counting *of, const char *counter,
		      const uint8_t key[COUNT_KEY_BYTES], struct tally *t)
{
	const struct count *known = counts_find(of->c, counter, key);
	size_t from = 0;
	bool reset = false;

	for (size_t i = 0; i < of->d->n_items; i++) {
		const Ieum__V1__Counted *e = counted_at(of, i, counter, key);
		if (e && e->reset) {
			reset = true;
			from = i + 1;
		}
	}
	for (uint32_t i = 0; known && !reset && i < known->n_marks; i++)
		if (known->marks[i].until_at_ms > to_ms(of->now))
			tally_add(t, known->marks[i].participant, known->marks[i].weight);
	for (size_t i = from; i < of->d->n_items; i++) {
		const Ieum__V1__Counted *e = counted_at(of, i, counter, key);
		if (e && e->until_at_ms > to_ms(of->now))
			tally_add(t, e->participant, e->weight);
	}
}

static bool is_own(enum policy_counter_per per, size_t key)
{
	return per != POLICY_PER_HOUSEHOLD || key == 0;
}

static int64_t look_per(const struct counting *of, const struct policy_counter *counter,
			const struct policy_counting *with, enum policy_counter_per per)
{
	bool counts = with->counts && with->until_at_ms > to_ms(of->now);
	struct tally t = { .distinct = counter->distinct };
	struct keys keys;
	int64_t most = 0;

	keys_of(of, per, &keys);
	for (size_t i = 0; i < keys.n; i++) {
		if (per == POLICY_PER_SUBJECT)
			t.sum = 0, t.n_seen = 0;
		if (!with->resets || !is_own(per, i))
			tally_key(of, counter->name, keys.at[i], &t);
		if (counts && is_own(per, i))
			tally_add(&t, of->participant, with->weight);
		most = t.sum > most ? t.sum : most;
	}
	return most;
}

static int64_t look_at(const struct counting *of, int index)
{
	const struct policy_counter *counter = policy_counter(of->p, index);
	struct policy_counting with = policy_count(of->p, index, of->context);
	int64_t most = 0;

	for (unsigned per = 0; per < POLICY_PERS; per++) {
		int64_t n = counter->per & 1U << per
				    ? look_per(of, counter, &with, (enum policy_counter_per)per)
				    : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* Does it count what agencies know nothing of that have no part in the case? */
static bool is_shared(const struct policy_counter *counter)
{
	return counter->per & (1U << POLICY_PER_SUBJECT | 1U << POLICY_PER_HOUSEHOLD);
}

enum ieum_err counting_look(const struct counting *of, const int64_t **out)
{
	size_t n = policy_counters(of->p);
	int64_t *counts;

	*out = NULL;
	if (n == 0)
		return IEUM_E_OK;
	counts = decision_zalloc(of->d, n * sizeof *counts);
	if (!counts)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		counts[i] = of->own_only && is_shared(policy_counter(of->p, (int)i))
				    ? POLICY_COUNT_UNKNOWN
				    : look_at(of, (int)i);
	*out = counts;
	return IEUM_E_OK;
}

/* ---- keeping it ---- */

static Ieum__V1__Counted *add_event(struct core_decision *d, core_time_us now, const char *counter,
				    const uint8_t key[COUNT_KEY_BYTES])
{
	/* Copies: applying the event may end the record, and the policy may go before the event. */
	char *name = arena_copy(&d->arena, counter, strlen(counter) + 1);
	uint8_t *bytes = arena_copy(&d->arena, key, COUNT_KEY_BYTES);
	Ieum__V1__Counted *e = name && bytes ? decision_counted(d, now) : NULL;

	if (!e)
		return NULL;
	e->counter = name;
	e->key = (ProtobufCBinaryData){ COUNT_KEY_BYTES, bytes };
	e->at_ms = to_ms(now);
	return e;
}

static bool anything_counted(const struct counting *of, const char *counter,
			     const uint8_t key[COUNT_KEY_BYTES])
{
	bool any = counts_find(of->c, counter, key) != NULL;

	for (size_t i = 0; i < of->d->n_items; i++)
		any |= counted_at(of, i, counter, key) != NULL;
	return any;
}

static enum ieum_err keep_one(const struct counting *of, const struct policy_counter *counter,
			      const struct policy_counting *with,
			      const uint8_t key[COUNT_KEY_BYTES])
{
	Ieum__V1__Counted *e;

	if (with->resets && anything_counted(of, counter->name, key)) {
		e = add_event(of->d, of->now, counter->name, key);
		if (!e)
			return IEUM_E_NO_MEMORY;
		e->reset = true;
	}
	if (!with->counts || with->until_at_ms <= to_ms(of->now))
		return IEUM_E_OK;
	e = add_event(of->d, of->now, counter->name, key);
	if (!e)
		return IEUM_E_NO_MEMORY;
	e->at_ms = with->at_ms;
	e->until_at_ms = with->until_at_ms;
	e->weight = with->weight;
	e->participant = of->participant;
	return IEUM_E_OK;
}

static enum ieum_err keep_each(const struct counting *of, const struct policy_counter *counter,
			       const struct policy_counting *with)
{
	enum ieum_err err = IEUM_E_OK;
	struct keys keys;

	for (unsigned per = 0; per < POLICY_PERS && !err; per++) {
		if (!(counter->per & 1U << per))
			continue;
		keys_of(of, (enum policy_counter_per)per, &keys);
		for (size_t n = 0; n < keys.n && is_own((enum policy_counter_per)per, n) && !err;
		     n++)
			err = keep_one(of, counter, with, keys.at[n]);
	}
	return err;
}

enum ieum_err counting_keep(const struct counting *of)
{
	enum ieum_err err = IEUM_E_OK;

	for (size_t i = 0; i < policy_counters(of->p) && !err; i++) {
		const struct policy_counter *counter = policy_counter(of->p, (int)i);
		struct policy_counting with = policy_count(of->p, (int)i, of->context);

		if (with.resets || with.counts)
			err = keep_each(of, counter, &with);
	}
	return err;
}

enum ieum_err counting_forget(const struct core *c, struct core_decision *d, core_time_us now)
{
	struct heap *walk = &c->scratch->candidates;
	const struct heap *ends = &c->counts.ends;
	enum ieum_err err = IEUM_E_OK;

	heap_clear(walk);
	if (ends->n > 0)
		err = heap_push(walk, ends->entries[0].key, ends->entries[0].tie, 1);
	for (int n = 0; !err && walk->n > 0 && n < FORGET_MAX; n++) {
		struct heap_entry first = *heap_first(walk);
		const struct count *count;

		if ((int64_t)first.key > to_ms(now))
			break;
		heap_remove(walk, 1);
		count = slab_at(&c->counts.records, ends->entries[first.item - 1].item);
		Ieum__V1__Counted *e = add_event(d, now, count->counter, count->key);
		if (!e)
			return IEUM_E_NO_MEMORY;
		e->reset = true;
		for (uint32_t at = 2 * first.item; at <= 2 * first.item + 1 && !err; at++)
			if (at <= ends->n)
				err = heap_push(walk, ends->entries[at - 1].key,
						ends->entries[at - 1].tie, at);
	}
	return err;
}
