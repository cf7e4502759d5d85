/* What the journal of a random play must prove; see random_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/random_internal.h"

struct scan {
	struct world *w;
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

static enum ieum_err scan(void *ctx, const struct journal_record *r)
{
	struct scan *s = ctx;
	Ieum__V1__Event *e = ieum__v1__event__unpack(NULL, r->kept_len, r->kept);

	if (!e)
		return IEUM_E_JOURNAL_CORRUPT;
	if (e->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED)
		scan_submitted(s, r->seq, e->submitted);
	if (e->what_case == IEUM__V1__EVENT__WHAT_RELEASED)
		scan_released(s, e->released);
	ieum__v1__event__free_unpacked(e, NULL);
	return IEUM_E_OK;
}

void world_check_journal(struct world *w)
{
	struct scan s = { .w = w };

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
	free(s.sorted);
	free(s.times);
	free(s.released);
}
