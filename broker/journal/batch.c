/* The memory of a batch; see batch.h. */
#include "broker/journal/batch.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES = 256 << 10,
	FIRST_ENTRIES = 64,
};

/* A list, newest first; only the newest has room left. */
struct journal_batch_chunk {
	struct journal_batch_chunk *next;
	size_t cap;
	uint8_t bytes[];
};

struct journal_batch *journal_batch_new(void)
{
	return calloc(1, sizeof(struct journal_batch));
}

static void free_chunks(struct journal_batch_chunk *c)
{
	while (c) {
		struct journal_batch_chunk *next = c->next;

		free(c);
		c = next;
	}
}

static void free_answers(struct journal_batch *b)
{
	for (size_t i = 0; i < b->n_reads; i++)
		free(b->reads[i].bytes);
}

void journal_batch_free(struct journal_batch *b)
{
	if (!b)
		return;
	free_answers(b);
	free_chunks(b->chunks);
	free(b->events);
	free(b->reads);
	free(b->erasures);
	free(b);
}

void journal_batch_clear(struct journal_batch *b)
{
	struct journal_batch_chunk *kept = b->chunks;

	free_answers(b);
	if (kept) {
		free_chunks(kept->next);
		kept->next = NULL;
	}
	if (kept && kept->cap > CHUNK_BYTES) {
		free(kept);
		kept = NULL;
	}
	*b = (struct journal_batch){
		.events = b->events,
		.events_cap = b->events_cap,
		.reads = b->reads,
		.reads_cap = b->reads_cap,
		.erasures = b->erasures,
		.erasures_cap = b->erasures_cap,
		.chunks = kept,
	};
}

uint8_t *journal_batch_space(struct journal_batch *b, size_t n)
{
	if (!b->chunks || b->chunks->cap - b->chunk_used < n) {
		size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;
		struct journal_batch_chunk *c;

		if (n > JOURNAL_BATCH_BYTES_MAX)
			return NULL;
		c = malloc(sizeof *c + cap);
		if (!c)
			return NULL;
		c->next = b->chunks;
		c->cap = cap;
		b->chunks = c;
		b->chunk_used = 0;
	}
	uint8_t *space = b->chunks->bytes + b->chunk_used;
	b->chunk_used += n;
	return space;
}

void journal_batch_space_trim(struct journal_batch *b, size_t n)
{
	b->chunk_used -= n < b->chunk_used ? n : b->chunk_used;
}

/* Room for one more entry of an array, up to max entries. */
static enum ieum_err room(void **entries, size_t size, size_t n, size_t *cap, size_t max)
{
	if (n >= max)
		return IEUM_E_HUB_FULL;
	if (n < *cap)
		return IEUM_E_OK;

	size_t more = *cap ? *cap * 2 : FIRST_ENTRIES;
	void *moved = realloc(*entries, more * size);

	if (!moved)
		return IEUM_E_NO_MEMORY;
	*entries = moved;
	*cap = more;
	return IEUM_E_OK;
}

enum ieum_err journal_batch_add(struct journal_batch *b, const struct journal_event *e)
{
	size_t bytes = e->kept_len + (e->payload ? e->payload_len : 0);
	void *entries = b->events;
	enum ieum_err err;

	if (!e->kept || e->kept_len == 0)
		return IEUM_E_FIELD_MISSING;
	if (e->kept_len > JOURNAL_KEPT_BYTES_MAX ||
	    (e->payload && e->payload_len > JOURNAL_PAYLOAD_BYTES_MAX))
		return IEUM_E_FIELD_TOO_LARGE;
	if (bytes > JOURNAL_BATCH_BYTES_MAX - b->bytes)
		return IEUM_E_HUB_FULL;
	err = room(&entries, sizeof *b->events, b->n_events, &b->events_cap,
		   JOURNAL_BATCH_EVENTS_MAX);
	if (err)
		return err;
	b->events = entries;
	b->events[b->n_events++] = *e;
	b->bytes += bytes;
	return IEUM_E_OK;
}

enum ieum_err journal_batch_read(struct journal_batch *b, uint64_t seq, void *tag)
{
	void *entries = b->reads;
	enum ieum_err err = room(&entries, sizeof *b->reads, b->n_reads, &b->reads_cap,
				 JOURNAL_BATCH_READS_MAX);

	if (err)
		return err;
	b->reads = entries;
	b->reads[b->n_reads++] = (struct journal_read){ .seq = seq, .tag = tag };
	return IEUM_E_OK;
}

enum ieum_err journal_batch_erase(struct journal_batch *b, uint64_t seq)
{
	void *entries = b->erasures;
	enum ieum_err err = room(&entries, sizeof *b->erasures, b->n_erasures, &b->erasures_cap,
				 JOURNAL_BATCH_ERASURES_MAX);

	if (err)
		return err;
	b->erasures = entries;
	b->erasures[b->n_erasures++] = seq;
	return IEUM_E_OK;
}
