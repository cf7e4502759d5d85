/* merkle: known roots, a naive recursive definition as the oracle, proofs and forged proofs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/journal/merkle.h"

enum { LEAVES = 65 };

static struct merkle_hash leaves[LEAVES];

static int make_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEAVES; i++) {
		char text[32];
		int n = snprintf(text, sizeof text, "event %zu", i);

		leaves[i] = merkle_leaf(text, (size_t)n);
	}
	return 0;
}

static enum ieum_err give_leaf(void *ctx, uint64_t index, struct merkle_hash *leaf)
{
	(void)ctx;
	*leaf = leaves[index];
	return IEUM_E_OK;
}

/* MTH as RFC 9162, 2.1.1 writes it. */
static struct merkle_hash oracle(const struct merkle_hash *d, size_t n)
{
	size_t k = 1;

	if (n == 1)
		return d[0];
	while (k * 2 < n)
		k *= 2;
	struct merkle_hash left = oracle(d, k);
	struct merkle_hash right = oracle(d + k, n - k);
	return merkle_node(&left, &right);
}

static void assert_hex(const struct merkle_hash *h, const char *hex)
{
	char found[2 * MERKLE_HASH_BYTES + 1];

	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		snprintf(found + 2 * i, 3, "%02x", h->bytes[i]);
	assert_string_equal(found, hex);
}

/* The eight-leaf tree that Certificate Transparency implementations test with. */
static void known_roots(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *root;
	} rows[] = {
		{ "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ "\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
		{ "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
		{ "\x20\x21", 2,
		  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "\x30\x31", 2,
		  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
		{ "\x40\x41\x42\x43", 4,
		  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
		  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
	};
	struct merkle m;

	(void)state;
	merkle_init(&m);
	struct merkle_hash root = merkle_root(&m);
	assert_hex(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct merkle_hash leaf = merkle_leaf(rows[i].bytes, rows[i].len);

		merkle_append(&m, &leaf);
		root = merkle_root(&m);
		assert_hex(&root, rows[i].root);
	}
}

static void frontier_agrees_with_the_definition(void **state)
{
	struct merkle m;

	(void)state;
	merkle_init(&m);
	for (size_t n = 1; n <= LEAVES; n++) {
		merkle_append(&m, &leaves[n - 1]);
		struct merkle_hash root = merkle_root(&m);
		struct merkle_hash naive = oracle(leaves, n);

		assert_int_equal(m.size, n);
		assert_memory_equal(root.bytes, naive.bytes, MERKLE_HASH_BYTES);
	}
}

static void every_leaf_is_included(void **state)
{
	(void)state;
	for (uint64_t size = 1; size <= LEAVES; size++) {
		struct merkle_hash root = oracle(leaves, size);

		for (uint64_t i = 0; i < size; i++) {
			struct merkle_proof proof;

			assert_int_equal(merkle_inclusion_prove(i, size, give_leaf, NULL, &proof),
					 IEUM_E_OK);
			assert_true(merkle_inclusion_verify(&leaves[i], i, size, &proof, &root));
			assert_false(
				merkle_inclusion_verify(&leaves[i], i + 1, size, &proof, &root));
			assert_false(merkle_inclusion_verify(&leaves[(i + 1) % LEAVES], i, size,
							     &proof, &root));
			if (proof.n > 0) {
				proof.node[proof.n / 2].bytes[7] ^= 1;
				assert_false(merkle_inclusion_verify(&leaves[i], i, size, &proof,
								     &root));
				proof.node[proof.n / 2].bytes[7] ^= 1;
				proof.n--;
				assert_false(merkle_inclusion_verify(&leaves[i], i, size, &proof,
								     &root));
				proof.n++;
			}
			proof.node[proof.n++] = leaves[0];
			assert_false(merkle_inclusion_verify(&leaves[i], i, size, &proof, &root));
		}
	}
}

static void every_growth_is_consistent(void **state)
{
	(void)state;
	for (uint64_t size = 1; size <= LEAVES; size++) {
		struct merkle_hash root = oracle(leaves, size);

		for (uint64_t old = 1; old <= size; old++) {
			struct merkle_hash old_root = oracle(leaves, old);
			struct merkle_hash forged = old_root;
			struct merkle_proof proof;

			assert_int_equal(merkle_consistency_prove(old, size, give_leaf, NULL,
								  &proof),
					 IEUM_E_OK);
			assert_true(merkle_consistency_verify(old, &old_root, size, &root, &proof));
			forged.bytes[0] ^= 0x80;
			assert_false(merkle_consistency_verify(old, &forged, size, &root, &proof));
			forged = root;
			forged.bytes[31] ^= 1;
			assert_false(
				merkle_consistency_verify(old, &old_root, size, &forged, &proof));
			if (proof.n > 0) {
				proof.n--;
				assert_false(merkle_consistency_verify(old, &old_root, size, &root,
								       &proof));
			}
		}
	}
}

static void nonsense_is_refused(void **state)
{
	struct merkle_proof proof = { 0 };
	struct merkle_hash root = oracle(leaves, 4);

	(void)state;
	assert_int_equal(merkle_inclusion_prove(4, 4, give_leaf, NULL, &proof),
			 IEUM_E_FIELD_INVALID);
	assert_int_equal(merkle_inclusion_prove(0, 0, give_leaf, NULL, &proof),
			 IEUM_E_FIELD_INVALID);
	assert_int_equal(merkle_consistency_prove(0, 4, give_leaf, NULL, &proof),
			 IEUM_E_FIELD_INVALID);
	assert_int_equal(merkle_consistency_prove(5, 4, give_leaf, NULL, &proof),
			 IEUM_E_FIELD_INVALID);
	assert_false(merkle_inclusion_verify(&leaves[0], 0, 0, &proof, &root));
	assert_false(merkle_consistency_verify(0, &root, 4, &root, &proof));
	proof.n = SIZE_MAX;
	assert_false(merkle_inclusion_verify(&leaves[0], 0, 4, &proof, &root));
	assert_false(merkle_consistency_verify(3, &root, 4, &root, &proof));
}

static enum ieum_err fail_at_two(void *ctx, uint64_t index, struct merkle_hash *leaf)
{
	(void)ctx;
	*leaf = leaves[index];
	return index == 2 ? IEUM_E_JOURNAL_IO : IEUM_E_OK;
}

static void a_reader_that_fails_ends_the_proof(void **state)
{
	struct merkle_proof proof;

	(void)state;
	assert_int_equal(merkle_inclusion_prove(0, 4, fail_at_two, NULL, &proof),
			 IEUM_E_JOURNAL_IO);
	assert_int_equal(merkle_consistency_prove(1, 4, fail_at_two, NULL, &proof),
			 IEUM_E_JOURNAL_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_roots),
		cmocka_unit_test(frontier_agrees_with_the_definition),
		cmocka_unit_test(every_leaf_is_included),
		cmocka_unit_test(every_growth_is_consistent),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_reader_that_fails_ends_the_proof),
	};

	return cmocka_run_group_tests_name("merkle", tests, make_leaves, NULL);
}
