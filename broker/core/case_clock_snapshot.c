/* Clocks of cases in a snapshot: case by case in the order of their opening messages, in each in
 * the order in which they started. */
#include "broker/core/case_clock_snapshot.h"

#include <string.h>

#include "broker/core/case_clock.h"

static enum ieum_err write_clock(struct snapshot_writing *w, const struct case_clock *k)
{
	Ieum__V1__SnapshotClock m = IEUM__V1__SNAPSHOT_CLOCK__INIT;

	m.case_seq = case_at(w->c, k->core_case)->seq;
	m.id = k->id;
	m.name = k->name;
	m.started_by_id = snapshot_id(k->started_by);
	m.from_at_ms = k->from_at_ms;
	m.began_at_ms = k->began_at_ms == k->from_at_ms ? 0 : k->began_at_ms;
	m.due_at_ms = k->due_at_ms;
	m.left_ms = k->left_ms;
	m.breached_at_ms = k->breached_at_ms;
	m.warn_at_ms = (int64_t *)k->warn_at_ms;
	m.n_warn_at_ms = k->n_warn;
	m.state = k->state;
	m.extensions = k->extensions;
	m.outlives_closing = k->outlives_closing;
	m.ends_well = k->ends_well;
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_CLOCK, &m);
}

enum ieum_err case_clocks_write(struct snapshot_writing *w)
{
	const struct core *c = w->c;
	enum ieum_err err = IEUM_E_OK;

	if (!c->case_clocks.records.live)
		return IEUM_E_OK;
	for (uint64_t seq = seqmap_next(&c->seqs, 1); seq && !err;
	     seq = seqmap_next(&c->seqs, seq + 1)) {
		uint32_t ch = snapshot_case(c, seq);
		uint32_t h = ch ? case_at(c, ch)->clocks.head : 0;
		for (; h && !err; h = case_clock_at(c, h)->next)
			err = write_clock(w, case_clock_at(c, h));
	}
	return err;
}

enum ieum_err case_clock_read(struct core *c, const Ieum__V1__SnapshotClock *m)
{
	uint32_t ch = snapshot_case(c, m->case_seq);

	if (!ch || case_at(c, ch)->n_clocks == CASE_CLOCKS_MAX ||
	    !*names_text(&c->names, m->name) || m->started_by_id.len != CORE_ID_BYTES ||
	    m->n_warn_at_ms > POLICY_CLOCK_WARNINGS_MAX || m->due_at_ms <= 0 || m->state == 0 ||
	    m->state > CLOCK_STATE(BREACHED))
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = slab_get(&c->case_clocks.records);
	if (!h)
		return IEUM_E_NO_MEMORY;
	struct case_clock *k = case_clock_at(c, h);
	k->id = m->id;
	k->name = (uint16_t)m->name;
	memcpy(k->started_by, m->started_by_id.data, CORE_ID_BYTES);
	k->from_at_ms = m->from_at_ms;
	k->began_at_ms = m->began_at_ms ? m->began_at_ms : m->from_at_ms;
	k->due_at_ms = m->due_at_ms;
	k->left_ms = m->left_ms;
	k->breached_at_ms = m->breached_at_ms;
	for (size_t i = 0; i < m->n_warn_at_ms; i++)
		k->warn_at_ms[k->n_warn++] = m->warn_at_ms[i];
	k->state = (uint8_t)m->state;
	k->extensions = m->extensions;
	k->outlives_closing = m->outlives_closing;
	k->ends_well = m->ends_well;
	return case_clock_restore(c, h, ch);
}
