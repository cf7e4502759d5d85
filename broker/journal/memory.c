/* The memory engine, and its disk that outlives it; see memory.h.
 *
 * The disk holds what a real one would: every event, every commit.  What a torn
 * append leaves beyond the last commit is dropped at the next writing open, as a
 * real engine's recovery does. */
#include "broker/journal/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker/journal/engine.h"

enum { FIRST_ENTRIES = 256, SNAPSHOTS_MAX = JOURNAL_SNAPSHOTS_KEPT + 1 };

struct stored_event {
	uint8_t *kept;
	size_t kept_len;
	uint8_t *payload; /* NULL: none, or erased */
	size_t payload_len;
	uint8_t salt[JOURNAL_SALT_BYTES];
	bool erased;
};

struct stored_snapshot {
	uint64_t seq;
	uint8_t *blob;
	size_t len;
};

struct memory_disk {
	bool made; /* a journal was created on it */
	bool locked;
	struct journal_info info;
	struct stored_event *events; /* events[seq - 1] */
	size_t n_events, events_cap;
	struct journal_commit *commits; /* rising size; frontier always NULL */
	size_t n_commits, commits_cap;
	struct merkle frontier;
	struct stored_snapshot snapshots[SNAPSHOTS_MAX]; /* newest first */
	size_t n_snapshots;
	enum memory_fault fault;
	unsigned fault_after, fault_times;
};

struct memory_store {
	struct memory_disk *disk;
	bool writer;
	bool dead; /* the simulated process has crashed */
};

struct memory_disk *memory_disk_new(void)
{
	return calloc(1, sizeof(struct memory_disk));
}

static void drop_events(struct memory_disk *d, size_t keep)
{
	for (size_t i = keep; i < d->n_events; i++) {
		free(d->events[i].kept);
		free(d->events[i].payload);
	}
	d->n_events = keep;
}

void memory_disk_free(struct memory_disk *d)
{
	if (!d)
		return;
	drop_events(d, 0);
	for (size_t i = 0; i < d->n_snapshots; i++)
		free(d->snapshots[i].blob);
	free(d->events);
	free(d->commits);
	free(d);
}

void memory_disk_fail(struct memory_disk *d, enum memory_fault fault, unsigned after,
		      unsigned times)
{
	d->fault = fault;
	d->fault_after = after;
	d->fault_times = times;
}

void memory_disk_fence(struct memory_disk *d)
{
	d->info.epoch++;
	d->locked = false;
}

void memory_disk_flip(struct memory_disk *d, uint64_t seq)
{
	d->events[seq - 1].kept[0] ^= 1;
}

static uint64_t committed(const struct memory_disk *d)
{
	return d->n_commits ? d->commits[d->n_commits - 1].size : 0;
}

static enum ieum_err memory_last_commit(void *store, struct journal_commit *last)
{
	struct memory_store *s = store;

	*last = (struct journal_commit){ 0 };
	if (s->disk->n_commits)
		*last = s->disk->commits[s->disk->n_commits - 1];
	return IEUM_E_OK;
}

static enum ieum_err memory_open(const struct journal_config *config, struct journal_info *info,
				 struct journal_commit *last, void **store)
{
	struct memory_disk *d = config->disk;
	struct memory_store *s;

	if (!d || (!d->made && (!config->create || config->read_only)))
		return IEUM_E_FILE_UNREADABLE;
	if (d->locked && !config->read_only) {
		journal_log(config->log_cb, config->log_ctx,
			    "journal: this disk has a writer already");
		return IEUM_E_JOURNAL_LOCKED;
	}
	s = calloc(1, sizeof *s);
	if (!s)
		return IEUM_E_NO_MEMORY;
	s->disk = d;
	s->writer = !config->read_only;
	if (!d->made) {
		d->made = true;
		d->info = (struct journal_info){ .schema_version = JOURNAL_SCHEMA_VERSION,
						 .drill = config->drill };
		memcpy(d->info.incarnation, config->incarnation, sizeof d->info.incarnation);
		merkle_init(&d->frontier);
	}
	if (s->writer) {
		d->locked = true;
		d->info.epoch++;
		drop_events(d, committed(d));
	}
	*info = d->info;
	*store = s;
	return memory_last_commit(s, last);
}

static void memory_close(void *store)
{
	struct memory_store *s = store;

	if (s->writer)
		s->disk->locked = false;
	free(s);
}

/* At least `need` entries, the new ones zero; NULL when out of memory. */
static void *grown(void *entries, size_t size, size_t need, size_t *cap)
{
	size_t had = entries ? *cap : 0;
	size_t more = had ? had : FIRST_ENTRIES;

	if (entries && need <= had)
		return entries;
	while (more < need)
		more *= 2;
	entries = realloc(entries, more * size);
	if (!entries)
		return NULL;
	memset((uint8_t *)entries + had * size, 0, (more - had) * size);
	*cap = more;
	return entries;
}

static bool store_event(struct memory_disk *d, const struct journal_event *e)
{
	struct stored_event *to = &d->events[d->n_events];

	*to = (struct stored_event){ .kept = malloc(e->kept_len), .kept_len = e->kept_len };
	if (e->payload) {
		to->payload = malloc(e->payload_len + 1); /* an empty payload is one too */
		to->payload_len = e->payload_len;
	}
	if (!to->kept || (e->payload && !to->payload)) {
		free(to->kept);
		free(to->payload);
		return false;
	}
	memcpy(to->kept, e->kept, e->kept_len);
	if (e->payload) {
		memcpy(to->payload, e->payload, e->payload_len);
		memcpy(to->salt, e->salt, sizeof to->salt);
	}
	d->n_events++;
	return true;
}

static void erase(struct memory_disk *d, uint64_t seq)
{
	if (seq == 0 || seq > d->n_events || !d->events[seq - 1].payload)
		return;
	struct stored_event *e = &d->events[seq - 1];
	free(e->payload);
	e->payload = NULL;
	e->payload_len = 0;
	memset(e->salt, 0, sizeof e->salt);
	e->erased = true;
}

/* Stores the first n_events of the batch, and commits them when told. */
static enum ieum_err store_batch(struct memory_disk *d, const struct journal_batch *b,
				 size_t n_events, const struct journal_commit *commit)
{
	struct stored_event *events =
		grown(d->events, sizeof *d->events, d->n_events + n_events, &d->events_cap);
	struct journal_commit *commits =
		grown(d->commits, sizeof *d->commits, d->n_commits + 1, &d->commits_cap);

	if (events)
		d->events = events;
	if (commits)
		d->commits = commits;
	if (!events || !commits)
		return IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n_events; i++) {
		if (!store_event(d, &b->events[i])) {
			drop_events(d, committed(d));
			return IEUM_E_NO_MEMORY;
		}
	}
	if (n_events < b->n_events)
		return IEUM_E_OK;
	for (size_t i = 0; i < b->n_erasures; i++)
		erase(d, b->erasures[i]);
	if (commit) {
		if (commit->frontier)
			d->frontier = *commit->frontier;
		d->commits[d->n_commits] = *commit;
		d->commits[d->n_commits++].frontier = NULL;
	}
	return IEUM_E_OK;
}

static enum memory_fault fault_due(struct memory_disk *d)
{
	if (d->fault == MEMORY_FAULT_NONE || d->fault_times == 0)
		return MEMORY_FAULT_NONE;
	if (d->fault_after > 0) {
		d->fault_after--;
		return MEMORY_FAULT_NONE;
	}
	d->fault_times--;
	return d->fault;
}

static enum ieum_err memory_append(void *store, const struct journal_batch *b,
				   const struct journal_commit *commit, uint64_t epoch)
{
	struct memory_store *s = store;
	struct memory_disk *d = s->disk;
	enum ieum_err err = IEUM_E_OK;

	if (s->dead)
		return IEUM_E_JOURNAL_IO;
	if (epoch != d->info.epoch)
		return IEUM_E_JOURNAL_FENCED;
	switch (fault_due(d)) {
	case MEMORY_FAULT_NONE: return store_batch(d, b, b->n_events, commit);
	case MEMORY_LOSE_BATCH: s->dead = true; return IEUM_E_JOURNAL_IO;
	case MEMORY_LOSE_COMPLETION:
		s->dead = true;
		err = store_batch(d, b, b->n_events, commit);
		return err ? err : IEUM_E_JOURNAL_IO;
	case MEMORY_TORN_BATCH:
		s->dead = true;
		err = store_batch(d, b, b->n_events / 2, NULL);
		return err ? err : IEUM_E_JOURNAL_IO;
	case MEMORY_DISK_FULL: return IEUM_E_DISK_FULL;
	case MEMORY_UNKNOWN_DONE:
		err = store_batch(d, b, b->n_events, commit);
		return err ? err : IEUM_E_COMMIT_UNKNOWN;
	case MEMORY_UNKNOWN_LOST: return IEUM_E_COMMIT_UNKNOWN;
	}
	return IEUM_E_INTERNAL;
}

static enum ieum_err memory_commit_from(void *store, uint64_t at_least,
					struct journal_commit *commit)
{
	struct memory_store *s = store;
	size_t low = 0;
	size_t high = s->disk->n_commits;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->disk->commits[mid].size < at_least)
			low = mid + 1;
		else
			high = mid;
	}
	*commit = (struct journal_commit){ 0 };
	if (low < s->disk->n_commits)
		*commit = s->disk->commits[low];
	return IEUM_E_OK;
}

static enum ieum_err memory_frontier(void *store, struct merkle *tree)
{
	struct memory_store *s = store;

	*tree = s->disk->frontier;
	return IEUM_E_OK;
}

static enum ieum_err memory_load(void *store, uint64_t from, uint64_t to, unsigned flags,
				 journal_record_cb *cb, void *ctx)
{
	struct memory_store *s = store;

	for (uint64_t seq = from ? from : 1; seq <= to && seq <= s->disk->n_events; seq++) {
		const struct stored_event *e = &s->disk->events[seq - 1];
		struct journal_record r = { .seq = seq, .kept = e->kept, .kept_len = e->kept_len };

		if (flags & (JOURNAL_LOAD_PAYLOADS | JOURNAL_LOAD_PRESENCE))
			r.has_payload = e->payload != NULL;
		if (flags & JOURNAL_LOAD_PAYLOADS) {
			r.payload = e->payload;
			r.payload_len = e->payload_len;
			r.salt = e->payload ? e->salt : NULL;
			r.payload_erased = e->erased;
		}
		enum ieum_err err = cb(ctx, &r);
		if (err)
			return err;
	}
	return IEUM_E_OK;
}

static enum ieum_err memory_payload_read(void *store, uint64_t seq,
					 uint8_t salt[JOURNAL_SALT_BYTES], uint8_t **bytes,
					 size_t *len)
{
	struct memory_store *s = store;

	if (seq > s->disk->n_events)
		return IEUM_E_FIELD_INVALID;
	const struct stored_event *e = &s->disk->events[seq - 1];
	if (e->erased)
		return IEUM_E_PAYLOAD_ERASED;
	if (!e->payload)
		return IEUM_E_OK;
	*bytes = malloc(e->payload_len + 1);
	if (!*bytes)
		return IEUM_E_NO_MEMORY;
	memcpy(*bytes, e->payload, e->payload_len);
	memcpy(salt, e->salt, JOURNAL_SALT_BYTES);
	*len = e->payload_len;
	return IEUM_E_OK;
}

/* Newer ones than the one being put are of a lost future: they go as well. */
static void snapshots_prune(struct memory_disk *d, uint64_t seq)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n_snapshots; i++) {
		if (d->snapshots[i].seq < seq && kept < JOURNAL_SNAPSHOTS_KEPT - 1)
			d->snapshots[kept++] = d->snapshots[i];
		else
			free(d->snapshots[i].blob);
	}
	d->n_snapshots = kept;
}

static enum ieum_err memory_snapshot_put(void *store, uint64_t seq, const void *head,
					 size_t head_len, const void *body, size_t body_len)
{
	struct memory_store *s = store;
	struct memory_disk *d = s->disk;
	uint8_t *blob = malloc(head_len + body_len);

	if (!blob)
		return IEUM_E_NO_MEMORY;
	memcpy(blob, head, head_len);
	if (body_len)
		memcpy(blob + head_len, body, body_len);
	snapshots_prune(d, seq);
	memmove(&d->snapshots[1], &d->snapshots[0], d->n_snapshots * sizeof d->snapshots[0]);
	d->snapshots[0] =
		(struct stored_snapshot){ .seq = seq, .blob = blob, .len = head_len + body_len };
	d->n_snapshots++;
	return IEUM_E_OK;
}

static enum ieum_err memory_snapshot_list(void *store, uint64_t *seqs, size_t cap, size_t *n)
{
	struct memory_store *s = store;

	for (*n = 0; *n < cap && *n < s->disk->n_snapshots; ++*n)
		seqs[*n] = s->disk->snapshots[*n].seq;
	return IEUM_E_OK;
}

static enum ieum_err memory_snapshot_read(void *store, uint64_t seq, uint8_t **blob, size_t *len)
{
	struct memory_store *s = store;

	for (size_t i = 0; i < s->disk->n_snapshots; i++) {
		const struct stored_snapshot *from = &s->disk->snapshots[i];

		if (from->seq != seq)
			continue;
		*blob = malloc(from->len);
		if (!*blob)
			return IEUM_E_NO_MEMORY;
		memcpy(*blob, from->blob, from->len);
		*len = from->len;
		return IEUM_E_OK;
	}
	return IEUM_E_FILE_UNREADABLE;
}

static enum ieum_err memory_start_incarnation(void *store,
					      const uint8_t incarnation[JOURNAL_INCARNATION_BYTES])
{
	struct memory_store *s = store;

	memcpy(s->disk->info.incarnation, incarnation, JOURNAL_INCARNATION_BYTES);
	return IEUM_E_OK;
}

static enum ieum_err memory_maintain(void *store, bool idle)
{
	(void)store;
	(void)idle;
	return IEUM_E_OK;
}

const struct journal_engine journal_memory = {
	.name = "memory",
	.open = memory_open,
	.close = memory_close,
	.append = memory_append,
	.last_commit = memory_last_commit,
	.commit_from = memory_commit_from,
	.frontier = memory_frontier,
	.load = memory_load,
	.payload_read = memory_payload_read,
	.snapshot_put = memory_snapshot_put,
	.snapshot_list = memory_snapshot_list,
	.snapshot_read = memory_snapshot_read,
	.start_incarnation = memory_start_incarnation,
	.maintain = memory_maintain,
};
