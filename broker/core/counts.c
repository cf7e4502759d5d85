/* See counts.h. */
#include "broker/core/counts.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/apply.h"
#include "broker/core/state.h"

enum { MARKS_FIRST = 4 };

static struct count *count_at(const struct core *c, uint32_t h)
{
	return slab_at(&c->counts.records, h);
}

static void placed(void *core, uint32_t h, uint32_t place)
{
	count_at(core, h)->place = place;
}

void counts_init(struct core *c)
{
	slab_init(&c->counts.records, sizeof(struct count));
	lookup_init(&c->counts.keys);
	heap_init(&c->counts.ends, placed, c);
	c->counts.max = CORE_COUNTS_MAX;
}

void counts_deinit(struct core *c)
{
	for (uint32_t h = 1; h < c->counts.records.used; h++)
		if (*count_at(c, h)->counter)
			free(count_at(c, h)->marks);
	slab_deinit(&c->counts.records);
	lookup_deinit(&c->counts.keys);
	heap_deinit(&c->counts.ends);
}

static uint64_t hash_of(const struct core *c, const uint8_t key[COUNT_KEY_BYTES])
{
	uint64_t words[2];

	memcpy(words, key, sizeof words);
	return lookup_hash(c->seed, words[0], words[1]);
}

/* The next record of the key after `probe` has begun. */
static uint32_t same_key(const struct core *c, uint32_t h, struct lookup_probe *probe,
			 const uint8_t key[COUNT_KEY_BYTES])
{
	while (h && memcmp(count_at(c, h)->key, key, COUNT_KEY_BYTES) != 0)
		h = lookup_next(probe);
	return h;
}

static uint32_t find(const struct core *c, const char *counter, const uint8_t key[COUNT_KEY_BYTES])
{
	struct lookup_probe probe;
	uint32_t h = lookup_first(&c->counts.keys, hash_of(c, key), &probe);

	for (h = same_key(c, h, &probe, key); h; h = same_key(c, lookup_next(&probe), &probe, key))
		if (strcmp(count_at(c, h)->counter, counter) == 0)
			return h;
	return 0;
}

const struct count *counts_find(const struct core *c, const char *counter,
				const uint8_t key[COUNT_KEY_BYTES])
{
	uint32_t h = find(c, counter, key);

	return h ? count_at(c, h) : NULL;
}

static void drop(struct core *c, uint32_t h)
{
	struct count *n = count_at(c, h);

	lookup_remove(&c->counts.keys, hash_of(c, n->key), h);
	if (n->place)
		heap_remove(&c->counts.ends, n->place);
	free(n->marks);
	*n = (struct count){ 0 };
	slab_put(&c->counts.records, h);
}

static uint32_t make(struct core *c, const char *counter, const uint8_t key[COUNT_KEY_BYTES],
		     uint64_t seq)
{
	uint32_t h = slab_get(&c->counts.records);

	if (!h)
		return 0;
	if (lookup_add(&c->counts.keys, hash_of(c, key), h)) {
		slab_put(&c->counts.records, h);
		return 0;
	}
	struct count *n = count_at(c, h);
	memcpy(n->key, key, COUNT_KEY_BYTES);
	strncpy(n->counter, counter, sizeof n->counter - 1);
	n->seq = seq;
	return h;
}

static int64_t last_end(const struct count *n)
{
	int64_t last = 0;

	for (uint32_t i = 0; i < n->n_marks; i++)
		last = n->marks[i].until_at_ms > last ? n->marks[i].until_at_ms : last;
	return last;
}

static enum ieum_err place(struct core *c, uint32_t h)
{
	struct count *n = count_at(c, h);
	uint64_t ends = (uint64_t)last_end(n);

	if (!n->place)
		return heap_push(&c->counts.ends, ends, n->seq, h);
	heap_rekey(&c->counts.ends, n->place, ends, n->seq);
	return IEUM_E_OK;
}

/* Those that have ended go, and where there is no room the one that ends first. */
static void make_room(struct count *n, int64_t now_ms)
{
	uint32_t first = 0, kept = 0;

	for (uint32_t i = 0; i < n->n_marks; i++)
		if (n->marks[i].until_at_ms > now_ms)
			n->marks[kept++] = n->marks[i];
	n->n_marks = kept;
	if (kept < POLICY_COUNT_MARKS_MAX)
		return;
	for (uint32_t i = 1; i < kept; i++)
		if (n->marks[i].until_at_ms < n->marks[first].until_at_ms)
			first = i;
	n->n_marks--;
	memmove(&n->marks[first], &n->marks[first + 1], (n->n_marks - first) * sizeof *n->marks);
}

static enum ieum_err add_mark(struct count *n, const struct count_mark *mark)
{
	if (n->n_marks == n->cap_marks) {
		uint32_t cap = n->cap_marks ? 2 * n->cap_marks : MARKS_FIRST;
		struct count_mark *marks = realloc(n->marks, cap * sizeof *marks);
		if (!marks)
			return IEUM_E_NO_MEMORY;
		n->marks = marks;
		n->cap_marks = cap;
	}
	n->marks[n->n_marks++] = *mark;
	return IEUM_E_OK;
}

enum ieum_err apply_counted(struct core *c, const struct applied *a, const Ieum__V1__Counted *e)
{
	const struct count_mark mark = { e->at_ms, e->until_at_ms, e->weight, e->participant };

	if (e->key.len != COUNT_KEY_BYTES || !*e->counter ||
	    strlen(e->counter) >= POLICY_NAME_BYTES || e->participant > c->n_participants)
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = find(c, e->counter, e->key.data);
	if (e->reset) {
		if (h)
			drop(c, h);
		return IEUM_E_OK;
	}
	if (!h && c->counts.records.live >= c->counts.max)
		drop(c, heap_first(&c->counts.ends)->item);
	if (!h)
		h = make(c, e->counter, e->key.data, a->seq);
	if (!h)
		return IEUM_E_NO_MEMORY;
	make_room(count_at(c, h), to_ms(a->at_us));
	enum ieum_err err = add_mark(count_at(c, h), &mark);
	return err ? err : place(c, h);
}

void counts_forget(struct core *c, const uint8_t key[COUNT_KEY_BYTES])
{
	for (;;) {
		struct lookup_probe probe;
		uint32_t h = lookup_first(&c->counts.keys, hash_of(c, key), &probe);
		h = same_key(c, h, &probe, key);
		if (!h)
			return;
		drop(c, h);
	}
}

enum ieum_err counts_restore(struct core *c, const char *counter,
			     const uint8_t key[COUNT_KEY_BYTES], uint64_t seq,
			     const struct count_mark *marks, size_t n)
{
	if (!*counter || strlen(counter) >= POLICY_NAME_BYTES || n == 0 ||
	    n > POLICY_COUNT_MARKS_MAX || find(c, counter, key))
		return IEUM_E_JOURNAL_CORRUPT;
	uint32_t h = make(c, counter, key, seq);
	enum ieum_err err = h ? IEUM_E_OK : IEUM_E_NO_MEMORY;
	for (size_t i = 0; i < n && !err; i++)
		err = add_mark(count_at(c, h), &marks[i]);
	return err ? err : place(c, h);
}

const char *counts_check(const struct core *c)
{
	uint32_t live = 0;

	for (uint32_t h = 1; h < c->counts.records.used; h++) {
		const struct count *n = count_at(c, h);
		if (!*n->counter)
			continue;
		live++;
		if (n->n_marks == 0 || n->n_marks > POLICY_COUNT_MARKS_MAX)
			return "a count has no marks, or too many";
		if (!n->place || c->counts.ends.entries[n->place - 1].item != h ||
		    (int64_t)c->counts.ends.entries[n->place - 1].key != last_end(n))
			return "a count is at the wrong place among those that end";
		if (find(c, n->counter, n->key) != h)
			return "a count is not found by its key, or there are two";
	}
	if (live != c->counts.records.live || live != c->counts.ends.n)
		return "counts are listed that are no more";
	return NULL;
}
