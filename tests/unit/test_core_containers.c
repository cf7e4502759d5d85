/* broker/core, containers: slab, index, seqmap and heap against the plainest thing that does the
 * same, with random use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/core/heap.h"
#include "broker/core/lookup.h"
#include "broker/core/seqmap.h"
#include "broker/core/slab.h"

enum { ITEMS = 5000, ROUNDS = 60000 };

static void slab_reuses_what_was_given_back(void **state)
{
	struct slab s;
	uint32_t handles[2000];

	(void)state;
	slab_init(&s, 24);
	for (uint32_t i = 0; i < 2000; i++) {
		handles[i] = slab_get(&s);
		assert_int_equal(handles[i], i + 1);
		memset(slab_at(&s, handles[i]), 0xff, 24);
	}
	uint8_t *kept = slab_at(&s, handles[7]);
	for (uint32_t i = 100; i < 200; i++)
		slab_put(&s, handles[i]);
	assert_int_equal(s.live, 1900);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t h = slab_get(&s);
		assert_in_range(h, 101, 200);
		assert_int_equal(*(uint64_t *)slab_at(&s, h), 0);
	}
	assert_int_equal(slab_get(&s), 2001);
	assert_ptr_equal(kept, slab_at(&s, handles[7]));
	slab_deinit(&s);
}

/* Few different hashes, so that keys collide. */
static uint64_t hash_of(uint32_t item)
{
	return lookup_hash(7, item % 1500, 3);
}

static bool finds(const struct lookup *ix, uint32_t item)
{
	struct lookup_probe p;
	uint32_t h = lookup_first(ix, hash_of(item), &p);

	while (h && h != item)
		h = lookup_next(&p);
	return h == item;
}

static void index_finds_what_is_in_it_and_nothing_else(void **state)
{
	static bool in[ITEMS + 1];
	struct lookup ix;
	uint32_t n = 0;

	(void)state;
	srandom(11);
	lookup_init(&ix);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t item = 1 + (uint32_t)random() % (round < ROUNDS / 2 ? ITEMS : ITEMS / 50);
		assert_int_equal(finds(&ix, item), in[item]);
		if (in[item]) {
			assert_true(lookup_remove(&ix, hash_of(item), item));
			assert_false(lookup_remove(&ix, hash_of(item), item));
			n--;
		} else {
			assert_int_equal(lookup_add(&ix, hash_of(item), item), IEUM_E_OK);
			n++;
		}
		in[item] = !in[item];
		assert_int_equal(ix.n, n);
		assert_int_equal(finds(&ix, item), in[item]);
	}
	for (uint32_t i = 1; i <= ITEMS; i++)
		assert_int_equal(finds(&ix, i), in[i]);
	lookup_deinit(&ix);
}

/* A table that has grown is emptied a few slots at a time, and is never lost on the way. */
static void index_finds_all_while_it_grows(void **state)
{
	struct lookup ix;

	(void)state;
	lookup_init(&ix);
	for (uint32_t i = 1; i <= 4000; i++) {
		assert_int_equal(lookup_add(&ix, lookup_hash(1, i, i), i), IEUM_E_OK);
		if (i % 37)
			continue;
		for (uint32_t k = 1; k <= i; k++) {
			struct lookup_probe p;
			uint32_t h = lookup_first(&ix, lookup_hash(1, k, k), &p);
			while (h && h != k)
				h = lookup_next(&p);
			assert_int_equal(h, k);
		}
	}
	lookup_deinit(&ix);
}

static void seqmap_goes_through_in_order(void **state)
{
	struct seqmap m;
	static const uint64_t seqs[] = { 1, 2, 1023, 1024, 1025, 70000, 70001, 1000000 };
	enum { N = sizeof seqs / sizeof seqs[0] };
	uint64_t at = 1;

	(void)state;
	seqmap_init(&m);
	assert_int_equal(seqmap_next(&m, 1), 0);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(seqmap_set(&m, seqs[i], i + 1), IEUM_E_OK);
	for (uint32_t i = 0; i < N; i++, at++) {
		at = seqmap_next(&m, at);
		assert_true(at == seqs[i]);
		assert_int_equal(seqmap_get(&m, at), i + 1);
	}
	assert_int_equal(seqmap_next(&m, at), 0);
	seqmap_clear(&m, 70000);
	seqmap_clear(&m, 70000);
	seqmap_clear(&m, 70001);
	assert_int_equal(seqmap_get(&m, 70000), 0);
	assert_true(seqmap_next(&m, 1026) == 1000000);
	assert_int_equal(seqmap_get(&m, UINT64_MAX), 0);
	seqmap_deinit(&m);
}

static uint32_t places[ITEMS + 1];

static void placed(void *ctx, uint32_t item, uint32_t place)
{
	(void)ctx;
	places[item] = place;
}

static void heap_gives_the_smallest_first_and_ties_in_order(void **state)
{
	static uint64_t keys[ITEMS + 1];
	struct heap h;
	uint32_t n = 0;

	(void)state;
	srandom(5);
	memset(places, 0, sizeof places);
	heap_init(&h, placed, NULL);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t item = 1 + (uint32_t)random() % ITEMS;
		keys[item] = (uint64_t)random() % 50;
		if (places[item] && round % 3) {
			heap_remove(&h, places[item]);
			assert_int_equal(places[item], 0);
			n--;
		} else if (places[item]) {
			heap_rekey(&h, places[item], keys[item], item);
		} else {
			assert_int_equal(heap_push(&h, keys[item], item, item), IEUM_E_OK);
			n++;
		}
		assert_int_equal(h.n, n);
		if (places[item])
			assert_int_equal(h.entries[places[item] - 1].item, item);
	}
	struct heap_entry last = { 0 };
	while (h.n > 0) {
		struct heap_entry e = *heap_first(&h);
		assert_true(e.key > last.key || (e.key == last.key && e.tie > last.tie));
		last = e;
		heap_remove(&h, 1);
	}
	heap_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_reuses_what_was_given_back),
		cmocka_unit_test(index_finds_what_is_in_it_and_nothing_else),
		cmocka_unit_test(index_finds_all_while_it_grows),
		cmocka_unit_test(seqmap_goes_through_in_order),
		cmocka_unit_test(heap_gives_the_smallest_first_and_ties_in_order),
	};

	return cmocka_run_group_tests_name("core containers", tests, NULL, NULL);
}
