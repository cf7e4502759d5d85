/* Places held for messages; see ledger.h.  How many there are of each pool is counted from the whole
 * journal at the end (random_check.c). */
#include "tests/sim/ledger_internal.h"

void ledger_on_places(struct ledger *l, const Ieum__V1__PlacesChanged *e)
{
	struct ledger_message *m = e->hold_id.len ? ledger_message_of(l, &e->hold_id) : NULL;
	struct ledger_hold *h = m ? m->holds : NULL;

	if (e->hold_id.len && !m)
		ledger_say(l, "places are held for a message that there is not");
	/* Nothing happened to it but that both sides heard of its end. */
	if (!m || e->told)
		return;
	while (h && h->pool != e->pool)
		h = h->next;
	if (!h) {
		h = ledger_zalloc(sizeof *h);
		h->pool = e->pool;
		h->next = m->holds;
		m->holds = h;
	}
	h->state = e->state;
	h->seq = l->seq;
	h->lapses_at_ms = e->state == HOLD_STATE(HELD) ? e->at_ms : 0;
	if (e->keeper)
		h->keeper = e->keeper;
	if (m->in && e->state == HOLD_STATE(TAKEN))
		numbers_take_out(&m->in->out, h->keeper);
}

/* Whoever said no keeps nothing free, and nothing is kept for what is over or whose time is. */
static void check_held(struct ledger *l, const struct ledger_message *m,
		       const struct ledger_hold *h, int64_t now_ms)
{
	unsigned long long seq = m->seq;
	bool over = m->n_tasks > 0;

	for (size_t i = 0; i < m->n_tasks; i++) {
		const struct ledger_task *t = &m->tasks[i];
		over &= !ledger_is_open(t) && t->state != TASK_STATE(COMPLETED);
		/* Of several requests the answer may have been to another. */
		if (m->n_tasks == 1 && h->keeper && t->rejected_by == h->keeper &&
		    h->seq < t->rejected_seq)
			ledger_say(l, "mailbox %u has rejected event %llu and holds places for it",
				   h->keeper, seq);
	}
	if (over)
		ledger_say(l, "places are held for event %llu, whose request is over", seq);
	if (h->lapses_at_ms && h->lapses_at_ms <= now_ms)
		ledger_say(l, "places are held for event %llu longer than they may be", seq);
}

void ledger_check_holds(struct ledger *l, const struct ledger_message *m, int64_t now_ms)
{
	unsigned taken = 0;

	for (const struct ledger_hold *h = m->holds; h; h = h->next) {
		if (h->state == HOLD_STATE(HELD))
			check_held(l, m, h, now_ms);
		taken += h->state == HOLD_STATE(TAKEN);
	}
	if (taken > 1)
		ledger_say(l, "for event %llu places are taken in %u pools",
			   (unsigned long long)m->seq, taken);
}
