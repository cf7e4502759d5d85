/* A batch: what is committed together, in one transaction.
 *
 * The event loop gathers events into one batch while the journal thread commits
 * another; the hand-over (committer.h) moves the whole batch, so a batch has one
 * owner at a time and needs no lock.
 *
 * Bytes are borrowed, never copied: whoever adds an event keeps its bytes alive
 * until the batch comes back.  journal_batch_space() gives memory that lives as long
 * as the batch's content; serializing straight into it is the usual way.
 * Every list is bounded by a named limit; the call that would pass it is refused
 * with HUB_FULL and changes nothing. */
#ifndef IEUM_BROKER_JOURNAL_BATCH_H
#define IEUM_BROKER_JOURNAL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	JOURNAL_SALT_BYTES = 16,
	JOURNAL_HASH_BYTES = 32,

	JOURNAL_KEPT_BYTES_MAX = 1 << 20,    /* the kept part of one event */
	JOURNAL_PAYLOAD_BYTES_MAX = 4 << 20, /* the erasable part of one event */
	JOURNAL_BATCH_EVENTS_MAX = 16384,
	JOURNAL_BATCH_BYTES_MAX = 64 << 20, /* kept and erasable bytes of all its events */
	JOURNAL_BATCH_READS_MAX = 4096,
	JOURNAL_BATCH_READ_BYTES_MAX = 32 << 20, /* payload bytes read back for one batch */
	JOURNAL_BATCH_ERASURES_MAX = 4096,
};

/* One event to append.  Opaque to the journal; the bytes are borrowed. */
struct journal_event {
	const uint8_t *kept;    /* the leaf of the tree is the hash of exactly these bytes */
	size_t kept_len;        /* at least 1 */
	const uint8_t *payload; /* NULL: this event has no erasable part */
	size_t payload_len;
	uint8_t salt[JOURNAL_SALT_BYTES]; /* stored and erased with the payload */
};

/* One payload to read back once the batch is durable. */
struct journal_read {
	uint64_t seq;
	void *tag; /* the asker's, untouched */

	/* The answer: OK, PAYLOAD_ERASED, HUB_FULL (over JOURNAL_BATCH_READ_BYTES_MAX:
	 * ask again in another batch), or what journal_payload_read() says.
	 * OK with bytes NULL: the event has no payload. */
	enum ieum_err result;
	uint8_t salt[JOURNAL_SALT_BYTES];
	uint8_t *bytes; /* owned by the batch; journal_read_take() makes it the caller's */
	size_t len;
};

struct journal_batch_chunk;

struct journal_batch {
	/* Filled by the caller. */
	int64_t at_us;      /* hub time of the commit, microseconds since 1970-01-01 UTC */
	uint64_t first_seq; /* seq of events[0]: the journal's last seq + 1 */
	void *tag;          /* the caller's, untouched */

	/* Filled through the functions below; read freely. */
	struct journal_event *events;
	size_t n_events;
	struct journal_read *reads;
	size_t n_reads;
	uint64_t *erasures; /* seqs whose payload goes, in the same transaction */
	size_t n_erasures;
	size_t bytes; /* kept + payload bytes of all events */

	/* Filled by a successful append: the tree that ends with this batch.  A batch
	 * without events leaves the tree, and these are the tree as it was. */
	uint64_t tree_size;
	uint8_t tree_root[JOURNAL_HASH_BYTES];

	/* Private. */
	size_t events_cap, reads_cap, erasures_cap;
	struct journal_batch_chunk *chunks;
	size_t chunk_used;
};

/* NULL when out of memory. */
struct journal_batch *journal_batch_new(void) IEUM_MUST_CHECK;
void journal_batch_free(struct journal_batch *b);

/* Empties the batch for another use; keeps one chunk and the arrays. */
void journal_batch_clear(struct journal_batch *b);

/* n bytes of memory that stay in place until clear or free; NULL when out of memory.
 * Alignment: none promised. */
uint8_t *journal_batch_space(struct journal_batch *b, size_t n) IEUM_MUST_CHECK;

/* Gives back the last n bytes of the newest space (it was reserved too generously). */
void journal_batch_space_trim(struct journal_batch *b, size_t n);

/* Adds an event; its seq is first_seq + its place.  FIELD_MISSING (no kept bytes),
 * FIELD_TOO_LARGE, HUB_FULL, NO_MEMORY. */
enum ieum_err journal_batch_add(struct journal_batch *b,
				const struct journal_event *e) IEUM_MUST_CHECK;

/* Wants a payload read after the commit / erased with it. */
enum ieum_err journal_batch_read(struct journal_batch *b, uint64_t seq, void *tag) IEUM_MUST_CHECK;
enum ieum_err journal_batch_erase(struct journal_batch *b, uint64_t seq) IEUM_MUST_CHECK;

static inline bool journal_batch_empty(const struct journal_batch *b)
{
	return b->n_events == 0 && b->n_reads == 0 && b->n_erasures == 0;
}

/* The bytes of an answered read become the caller's (free()); NULL if there are none. */
static inline uint8_t *journal_read_take(struct journal_read *r)
{
	uint8_t *bytes = r->bytes;

	r->bytes = NULL;
	return bytes;
}

#endif
