/* Hand-overs in a snapshot: each a record in the order in which they were announced, what a case
 * knows in the case's, and what is still to be forwarded in the record of orders. */
#include "broker/core/handover_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/cases.h"
#include "broker/core/handover.h"

/* ---- writing ---- */

static enum ieum_err write_cases(struct snapshot_writing *w, const struct handover *h,
				 Ieum__V1__SnapshotHandover *m)
{
	uint32_t n = h->cases ? h->n_cases : 0;

	m->case_ids = snapshot_room(w, n, sizeof *m->case_ids);
	m->counts = snapshot_room(w, (size_t)n * 4, sizeof *m->counts);
	if (!m->case_ids || !m->counts)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < n; i++) {
		const struct handed_case *k = &h->cases[i];
		m->case_ids[m->n_case_ids++] = snapshot_id(k->row.case_id);
		m->counts[m->n_counts++] = k->row.open_referrals;
		m->counts[m->n_counts++] = k->row.clocks;
		m->counts[m->n_counts++] = k->row.holds;
		m->counts[m->n_counts++] = k->step;
	}
	return IEUM_E_OK;
}

enum ieum_err handovers_write(struct snapshot_writing *w)
{
	enum ieum_err err = IEUM_E_OK;

	for (uint32_t i = 0; i < w->c->handovers.n && !err; i++) {
		const struct handover *h = w->c->handovers.all[i];
		Ieum__V1__SnapshotHandover m = IEUM__V1__SNAPSHOT_HANDOVER__INIT;
		m.number = h->number;
		m.change_id = snapshot_id(h->change_id);
		m.step = h->step;
		m.from = h->from;
		m.to = h->to;
		m.announced_by = h->announced_by;
		m.jurisdiction = (char *)h->jurisdiction;
		m.effective_at_ms = h->effective_at_ms;
		m.cases = h->n_cases;
		m.open_referrals = h->open_referrals;
		m.clocks = h->clocks;
		m.holds = h->holds;
		m.digest = (ProtobufCBinaryData){ HANDOVER_DIGEST_BYTES, (uint8_t *)h->digest };
		m.listed = h->listed;
		m.looked = h->looked;
		m.to_look = h->to_look;
		m.accepted = h->n_accepted;
		m.kept = h->n_kept;
		err = write_cases(w, h, &m);
		if (!err)
			err = snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_HANDOVER, &m);
	}
	return err;
}

enum ieum_err handover_write_case(struct snapshot_writing *w, const struct core_case *k,
				  Ieum__V1__SnapshotCase *m)
{
	Ieum__V1__SnapshotEnded *ended = snapshot_room(w, k->n_ended, sizeof *ended);
	size_t n_read = k->n_members;

	m->ended = snapshot_room(w, k->n_ended, sizeof *m->ended);
	m->members_read_at_ms = snapshot_room(w, n_read, sizeof *m->members_read_at_ms);
	if (!ended || !m->ended || !m->members_read_at_ms)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < k->n_ended; i++) {
		ended[i] = (Ieum__V1__SnapshotEnded)IEUM__V1__SNAPSHOT_ENDED__INIT;
		ended[i].mailbox = k->ended[i].mailbox;
		ended[i].successor = k->ended[i].successor;
		ended[i].last_read_at_ms = k->ended[i].last_read_at_ms;
		m->ended[m->n_ended++] = &ended[i];
	}
	m->handover = k->handover;
	m->state_but_handover = k->state_but_handover;
	m->kept_in = k->kept_in;
	while (n_read > 0 && !k->members[n_read - 1].last_read_at_ms)
		n_read--;
	for (; m->n_members_read_at_ms < n_read; m->n_members_read_at_ms++)
		m->members_read_at_ms[m->n_members_read_at_ms] =
			k->members[m->n_members_read_at_ms].last_read_at_ms;
	return IEUM_E_OK;
}

enum ieum_err handover_write_forwards(struct snapshot_writing *w, Ieum__V1__SnapshotOrder *m)
{
	const struct handovers *hs = &w->c->handovers;

	m->forwards = snapshot_room(w, (size_t)hs->n_forwards * 2, sizeof *m->forwards);
	if (!m->forwards)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < hs->n_forwards; i++) {
		m->forwards[m->n_forwards++] = hs->forwards[hs->forwards_at + i].seq;
		m->forwards[m->n_forwards++] = hs->forwards[hs->forwards_at + i].mailbox;
	}
	return IEUM_E_OK;
}

/* ---- reading ---- */

static enum ieum_err read_cases(struct handover *h, const Ieum__V1__SnapshotHandover *m)
{
	bool going_on = h->step == HANDOVER_STEP(CUT_OVER);

	if (m->n_counts != 4 * m->n_case_ids || m->n_case_ids != (going_on ? m->cases : 0))
		return IEUM_E_JOURNAL_CORRUPT;
	if (!going_on)
		return IEUM_E_OK;
	h->cases = calloc(m->n_case_ids + 1, sizeof *h->cases);
	if (!h->cases)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < m->n_case_ids; i++) {
		struct handed_case *k = &h->cases[i];
		if (m->case_ids[i].len != CORE_ID_BYTES)
			return IEUM_E_JOURNAL_CORRUPT;
		memcpy(k->row.case_id, m->case_ids[i].data, CORE_ID_BYTES);
		k->row.open_referrals = m->counts[4 * i];
		k->row.clocks = m->counts[4 * i + 1];
		k->row.holds = m->counts[4 * i + 2];
		k->step = (uint8_t)m->counts[4 * i + 3];
		h->n_asked += k->step != HANDOVER_STEP(CUT_OVER);
	}
	return IEUM_E_OK;
}

enum ieum_err handovers_read(struct core *c, const Ieum__V1__SnapshotHandover *m)
{
	size_t n = strlen(m->jurisdiction);

	if (m->change_id.len != CORE_ID_BYTES || m->digest.len != HANDOVER_DIGEST_BYTES ||
	    !state_mailbox(c, m->from) || !state_mailbox(c, m->to) ||
	    n >= sizeof c->handovers.all[0]->jurisdiction || c->handovers.n == HANDOVERS_MAX ||
	    m->number <= c->handovers.last_number || m->looked > m->to_look)
		return IEUM_E_JOURNAL_CORRUPT;
	struct handover *h = handovers_add(c);
	if (!h)
		return IEUM_E_NO_MEMORY;
	h->number = c->handovers.last_number = m->number;
	memcpy(h->change_id, m->change_id.data, CORE_ID_BYTES);
	memcpy(h->jurisdiction, m->jurisdiction, n + 1);
	memcpy(h->digest, m->digest.data, HANDOVER_DIGEST_BYTES);
	h->step = (uint8_t)m->step;
	h->from = m->from;
	h->to = m->to;
	h->announced_by = m->announced_by;
	h->effective_at_ms = m->effective_at_ms;
	h->n_cases = m->cases;
	h->open_referrals = m->open_referrals;
	h->clocks = m->clocks;
	h->holds = m->holds;
	h->listed = m->listed;
	h->looked = m->looked;
	h->to_look = m->to_look;
	h->n_accepted = m->accepted;
	h->n_kept = m->kept;
	return read_cases(h, m);
}

enum ieum_err handover_read_case(struct core *c, struct core_case *k,
				 const Ieum__V1__SnapshotCase *m)
{
	if (m->n_members_read_at_ms > k->n_members)
		return IEUM_E_JOURNAL_CORRUPT;
	k->handover = m->handover;
	k->state_but_handover = (uint8_t)m->state_but_handover;
	k->kept_in = m->kept_in;
	for (size_t i = 0; i < m->n_members_read_at_ms; i++)
		k->members[i].last_read_at_ms = m->members_read_at_ms[i];
	if (m->n_ended == 0)
		return IEUM_E_OK;
	k->ended = calloc(m->n_ended, sizeof *k->ended);
	if (!k->ended)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < m->n_ended; i++) {
		if (!state_mailbox(c, m->ended[i]->mailbox) ||
		    !state_mailbox(c, m->ended[i]->successor))
			return IEUM_E_JOURNAL_CORRUPT;
		k->ended[k->n_ended++] =
			(struct ended){ .mailbox = m->ended[i]->mailbox,
					.successor = m->ended[i]->successor,
					.last_read_at_ms = m->ended[i]->last_read_at_ms };
	}
	return IEUM_E_OK;
}

enum ieum_err handover_read_forwards(struct core *c, const Ieum__V1__SnapshotOrder *m)
{
	enum ieum_err err = m->n_forwards % 2 ? IEUM_E_JOURNAL_CORRUPT : IEUM_E_OK;

	for (size_t i = 0; i + 1 < m->n_forwards && !err; i += 2) {
		if (!state_mailbox(c, (uint32_t)m->forwards[i + 1]) ||
		    !seqmap_get(&c->seqs, m->forwards[i]))
			return IEUM_E_JOURNAL_CORRUPT;
		err = handover_forward_add(c, m->forwards[i], (uint32_t)m->forwards[i + 1]);
	}
	return err;
}
