/* Records by number; see audit_table.h. */
#include "broker/audit_table.h"

/* The keys are counters of the hub's own, so the hash needs no secret. */
static uint64_t hash_of(uint64_t key)
{
	return lookup_hash(0, key, 1);
}

static uint64_t key_of(const struct audit_table *t, uint32_t handle)
{
	return *(const uint64_t *)slab_at(&t->records, handle);
}

static uint32_t handle_of(const struct audit_table *t, uint64_t key)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(&t->keys, hash_of(key), &p);

	while (h && key_of(t, h) != key)
		h = lookup_next(&p);
	return h;
}

void audit_table_init(struct audit_table *t, size_t record_bytes)
{
	slab_init(&t->records, record_bytes);
	lookup_init(&t->keys);
}

void audit_table_deinit(struct audit_table *t)
{
	lookup_deinit(&t->keys);
	slab_deinit(&t->records);
}

void *audit_table_find(const struct audit_table *t, uint64_t key)
{
	uint32_t h = handle_of(t, key);

	return h ? slab_at(&t->records, h) : NULL;
}

void *audit_table_add(struct audit_table *t, uint64_t key)
{
	uint32_t h = slab_get(&t->records);

	if (!h)
		return NULL;
	if (lookup_add(&t->keys, hash_of(key), h)) {
		slab_put(&t->records, h);
		return NULL;
	}
	*(uint64_t *)slab_at(&t->records, h) = key;
	return slab_at(&t->records, h);
}

void audit_table_drop(struct audit_table *t, uint64_t key)
{
	uint32_t h = handle_of(t, key);

	lookup_remove(&t->keys, hash_of(key), h);
	slab_put(&t->records, h);
}

void audit_table_clear(struct audit_table *t)
{
	size_t record_bytes = t->records.record_bytes;

	audit_table_deinit(t);
	audit_table_init(t, record_bytes);
}

/* A record that was given back has no place in the index. */
void *audit_table_next(const struct audit_table *t, uint32_t *at)
{
	while (++*at < t->records.used) {
		if (handle_of(t, key_of(t, *at)) == *at)
			return slab_at(&t->records, *at);
	}
	return NULL;
}
