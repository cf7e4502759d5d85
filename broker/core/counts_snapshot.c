/* The counts in a snapshot, in the order in which they came to be. */
#include "broker/core/counts_snapshot.h"

#include <stdlib.h>

#include "broker/core/state.h"

enum { MARK_NUMBERS = 4 };

static int by_seq(const void *a, const void *b)
{
	const struct count *x = *(const struct count *const *)a;
	const struct count *y = *(const struct count *const *)b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static enum ieum_err put_count(struct snapshot_writing *w, const struct count *n)
{
	Ieum__V1__SnapshotCount m = IEUM__V1__SNAPSHOT_COUNT__INIT;

	m.counter = (char *)n->counter;
	m.key = (ProtobufCBinaryData){ COUNT_KEY_BYTES, (uint8_t *)n->key };
	m.seq = n->seq;
	m.marks = snapshot_room(w, (size_t)n->n_marks * MARK_NUMBERS, sizeof *m.marks);
	if (!m.marks)
		return IEUM_E_NO_MEMORY;
	for (uint32_t i = 0; i < n->n_marks; i++) {
		m.marks[m.n_marks++] = (uint64_t)n->marks[i].at_ms;
		m.marks[m.n_marks++] = (uint64_t)n->marks[i].until_at_ms;
		m.marks[m.n_marks++] = n->marks[i].weight;
		m.marks[m.n_marks++] = n->marks[i].participant;
	}
	return snapshot_put(w, IEUM__V1__SNAPSHOT_RECORD__WHAT_COUNT, &m);
}

enum ieum_err counts_write(struct snapshot_writing *w)
{
	const struct slab *records = &w->c->counts.records;
	const struct count **sorted = calloc(records->live + 1U, sizeof *sorted);
	enum ieum_err err = IEUM_E_OK;
	size_t n = 0;

	if (!sorted)
		return IEUM_E_NO_MEMORY;
	for (uint32_t h = 1; h < records->used; h++) {
		const struct count *count = slab_at(records, h);
		if (*count->counter)
			sorted[n++] = count;
	}
	qsort(sorted, n, sizeof *sorted, by_seq);
	for (size_t i = 0; i < n && !err; i++)
		err = put_count(w, sorted[i]);
	free(sorted);
	return err;
}

enum ieum_err counts_read(struct core *c, const Ieum__V1__SnapshotCount *m)
{
	struct count_mark marks[POLICY_COUNT_MARKS_MAX];
	size_t n = m->n_marks / MARK_NUMBERS;

	if (m->key.len != COUNT_KEY_BYTES || n > POLICY_COUNT_MARKS_MAX ||
	    m->n_marks % MARK_NUMBERS != 0)
		return IEUM_E_JOURNAL_CORRUPT;
	for (size_t i = 0; i < n; i++) {
		const uint64_t *from = m->marks + i * MARK_NUMBERS;
		marks[i] = (struct count_mark){ (int64_t)from[0], (int64_t)from[1],
						(uint32_t)from[2], (uint32_t)from[3] };
		if (marks[i].participant > c->n_participants)
			return IEUM_E_JOURNAL_CORRUPT;
	}
	return counts_restore(c, m->counter, m->key.data, m->seq, marks, n);
}
