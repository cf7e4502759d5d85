/* What the journal of a random play must prove; see random_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/random_internal.h"

/* A pool and a hold, counted here from the journal alone. */
struct given {
	uint8_t id[CORE_ID_BYTES];
	uint32_t pool, places;
};

enum { SCAN_POOLS_MAX = 64, SCAN_GIVEN_MAX = 4096 };

struct scan {
	uint32_t places[SCAN_POOLS_MAX];    /* by number: as was said last */
	struct given given[SCAN_GIVEN_MAX]; /* held or taken */
	size_t n_given;
	struct world *w;
	struct clock_scan *clocks;
	struct sent **sorted; /* by id */
	unsigned *times;      /* per sent message: `submitted` events with its id */
	uint8_t *released;    /* per got delivery: its release is on record */
};

static int compare_ids(const void *a, const void *b)
{
	return memcmp(((const struct sent *const *)a)[0]->id,
		      ((const struct sent *const *)b)[0]->id, CORE_ID_BYTES);
}

static struct sent *find_sent(struct world *w, struct sent **sorted, const uint8_t *id)
{
	struct sent key;
	const struct sent *k = &key;

	memcpy(key.id, id, CORE_ID_BYTES);
	struct sent **found = bsearch(&k, sorted, w->n_sent, sizeof *sorted, compare_ids);
	return found ? *found : NULL;
}

static void scan_submitted(struct scan *s, uint64_t seq, const Ieum__V1__Submitted *e)
{
	struct sent *m = find_sent(s->w, s->sorted, e->message_id.data);

	if (!m)
		return; /* the hub's own */
	if (++s->times[m - s->w->sent] > 1)
		world_trouble(s->w, "a message has two effects (seq %llu)",
			      (unsigned long long)seq);
	if (m->receipted && m->seq != seq)
		world_trouble(s->w, "a receipt names seq %llu, the journal has it at %llu",
			      (unsigned long long)m->seq, (unsigned long long)seq);
}

static void scan_released(struct scan *s, const Ieum__V1__DeliveriesReleased *e)
{
	for (size_t i = 0; i < s->w->n_got; i++) {
		for (size_t k = 0; k < e->n_deliveries; k++) {
			if (s->w->got[i].delivery_id == e->deliveries[k] &&
			    s->w->got[i].connection == e->connection)
				s->released[i] = 1;
		}
	}
}

static uint32_t given_of(const struct scan *s, uint32_t pool)
{
	uint32_t places = 0;

	for (size_t i = 0; i < s->n_given; i++)
		places += s->given[i].pool == pool ? s->given[i].places : 0;
	return places;
}

/* Never more places given than exist, whatever came in which order. */
static void scan_places(struct scan *s, uint64_t seq, const Ieum__V1__PlacesChanged *e)
{
	bool gives = e->state == IEUM__V1__HOLD_STATE__HOLD_STATE_HELD ||
		     e->state == IEUM__V1__HOLD_STATE__HOLD_STATE_TAKEN;
	size_t at = 0;

	if (e->pool >= SCAN_POOLS_MAX || s->n_given == SCAN_GIVEN_MAX)
		return world_trouble(s->w, "too many pools or holds for this check");
	s->w->result->holds += e->state == IEUM__V1__HOLD_STATE__HOLD_STATE_HELD;
	s->w->result->placements += e->state == IEUM__V1__HOLD_STATE__HOLD_STATE_TAKEN;
	if (e->hold_id.len == 0) {
		s->places[e->pool] = e->places;
		return;
	}
	while (at < s->n_given && (s->given[at].pool != e->pool ||
				   memcmp(s->given[at].id, e->hold_id.data, CORE_ID_BYTES) != 0))
		at++;
	if (gives && at == s->n_given) {
		if (given_of(s, e->pool) + e->places > s->places[e->pool])
			world_trouble(s->w, "pool %u gives more places than it has (seq %llu)",
				      e->pool, (unsigned long long)seq);
		memcpy(s->given[at].id, e->hold_id.data, CORE_ID_BYTES);
		s->given[at].pool = e->pool;
		s->given[at].places = e->places;
		s->n_given++;
	} else if (!gives && at < s->n_given) {
		s->given[at] = s->given[--s->n_given];
	} else if (!gives) {
		world_trouble(s->w, "a place was given back that nobody had (seq %llu)",
			      (unsigned long long)seq);
	}
}

static void scan_policy(struct scan *s, const Ieum__V1__PolicyChanged *e)
{
	for (size_t i = 0; i < e->n_pool_places; i++)
		if (e->pool_places[i]->pool < SCAN_POOLS_MAX)
			s->places[e->pool_places[i]->pool] = e->pool_places[i]->places;
}

static enum ieum_err scan(void *ctx, const struct journal_record *r)
{
	struct scan *s = ctx;
	Ieum__V1__Event *e = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!e)
		return IEUM_E_JOURNAL_CORRUPT;
	if (memmem(r->kept, r->kept_len, WORLD_LOCATION, strlen(WORLD_LOCATION)))
		world_trouble(s->w, "an event tells of a location (seq %llu)",
			      (unsigned long long)r->seq);
	if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED)
		scan_submitted(s, r->seq, e->submitted);
	if (e->what_case == IEUM__V1__EVENT__WHAT_PLACES_CHANGED)
		scan_places(s, r->seq, e->places_changed);
	if (e->what_case == IEUM__V1__EVENT__WHAT_WAIT_CHANGED)
		s->w->result->offers +=
			e->wait_changed->state == IEUM__V1__WAIT_STATE__WAIT_STATE_OFFERED;
	if (e->what_case == IEUM__V1__EVENT__WHAT_POLICY_CHANGED)
		scan_policy(s, e->policy_changed);
	if (e->what_case == IEUM__V1__EVENT__WHAT_RELEASED)
		scan_released(s, e->released);
	if (e->what_case == IEUM__V1__EVENT__WHAT_CLOCK_CHANGED)
		clock_scan_event(s->clocks, s->w, r->seq, e->at_us / 1000, e->clock_changed);
	ieum__v1__event__free_unpacked(e, NULL);
	return IEUM_E_OK;
}

void world_check_journal(struct world *w)
{
	struct scan s = { .w = w };

	s.clocks = clock_scan_new();
	s.sorted = malloc((w->n_sent + 1) * sizeof *s.sorted);
	s.times = calloc(w->n_sent + 1, sizeof *s.times);
	s.released = calloc(w->n_got + 1, 1);
	if (!s.sorted || !s.times || !s.released)
		abort();
	for (size_t i = 0; i < w->n_sent; i++)
		s.sorted[i] = &w->sent[i];
	qsort(s.sorted, w->n_sent, sizeof *s.sorted, compare_ids);
	if (journal_load(sim_hub_journal(w->hub), 1, UINT64_MAX, 0, scan, &s) != IEUM_E_OK)
		world_trouble(w, "the journal cannot be read");
	for (size_t i = 0; i < w->n_sent; i++) {
		if (w->sent[i].receipted && s.times[i] == 0)
			world_trouble(w, "an acknowledged message is not in the journal");
	}
	for (size_t i = 0; i < w->n_got; i++) {
		if (!s.released[i])
			world_trouble(w, "a delivery is not on record");
	}
	clock_scan_free(s.clocks);
	free(s.sorted);
	free(s.times);
	free(s.released);
}
