/* Merkle tree hashing and proofs; see merkle.h. */

/* The low-level SHA-256 is deprecated in OpenSSL 3, and half the price of a reused EVP
 * context for inputs as short as ours (65 bytes: 109 against 217 ns); nor can it fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "broker/journal/merkle.h"

#include <openssl/sha.h>
#include <string.h>

struct merkle_hash merkle_leaf(const void *bytes, size_t len)
{
	static const uint8_t prefix = 0x00;
	struct merkle_hash h;
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, &prefix, 1);
	SHA256_Update(&sha, bytes, len);
	SHA256_Final(h.bytes, &sha);
	return h;
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
	static const uint8_t prefix = 0x01;
	struct merkle_hash h;
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, &prefix, 1);
	SHA256_Update(&sha, left->bytes, sizeof left->bytes);
	SHA256_Update(&sha, right->bytes, sizeof right->bytes);
	SHA256_Final(h.bytes, &sha);
	return h;
}

bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void merkle_init(struct merkle *m)
{
	m->size = 0;
}

size_t merkle_peaks(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

void merkle_append(struct merkle *m, const struct merkle_hash *leaf)
{
	size_t n = merkle_peaks(m->size);
	struct merkle_hash h = *leaf;

	/* Each trailing 1 bit is a complete subtree as big as the one just completed. */
	for (uint64_t bits = m->size; bits & 1; bits >>= 1)
		h = merkle_node(&m->peak[--n], &h);
	m->peak[n] = h;
	m->size++;
}

struct merkle_hash merkle_root(const struct merkle *m)
{
	struct merkle_hash root;

	if (m->size == 0) {
		SHA256_CTX sha;

		SHA256_Init(&sha);
		SHA256_Final(root.bytes, &sha);
		return root;
	}
	size_t n = merkle_peaks(m->size);
	root = m->peak[--n];
	while (n > 0)
		root = merkle_node(&m->peak[--n], &root);
	return root;
}

/* The largest power of two smaller than n (n >= 2): where RFC 9162 splits a tree. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static enum ieum_err subtree(uint64_t from, uint64_t to, merkle_leaf_cb *leaf_cb, void *ctx,
			     struct merkle_hash *root)
{
	struct merkle m;

	merkle_init(&m);
	for (uint64_t i = from; i < to; i++) {
		struct merkle_hash leaf;
		enum ieum_err err = leaf_cb(ctx, i, &leaf);

		if (err)
			return err;
		merkle_append(&m, &leaf);
	}
	*root = merkle_root(&m);
	return IEUM_E_OK;
}

/* The proofs are defined from the leaf up and found from the root down. */
static void reverse(struct merkle_proof *proof)
{
	for (size_t i = 0, k = proof->n; i + 1 < k; i++) {
		struct merkle_hash h = proof->node[i];

		proof->node[i] = proof->node[--k];
		proof->node[k] = h;
	}
}

enum ieum_err merkle_inclusion_prove(uint64_t index, uint64_t size, merkle_leaf_cb *leaf_cb,
				     void *ctx, struct merkle_proof *proof)
{
	uint64_t from = 0;
	uint64_t to = size;

	proof->n = 0;
	if (index >= size)
		return IEUM_E_FIELD_INVALID;
	while (to - from > 1) {
		uint64_t mid = from + split(to - from);
		bool left = index < mid;
		enum ieum_err err = left ? subtree(mid, to, leaf_cb, ctx, &proof->node[proof->n])
					 : subtree(from, mid, leaf_cb, ctx, &proof->node[proof->n]);

		if (err)
			return err;
		proof->n++;
		if (left)
			to = mid;
		else
			from = mid;
	}
	reverse(proof);
	return IEUM_E_OK;
}

/* SUBPROOF of RFC 9162, 2.1.4.1, as a loop: `whole` while the old tree is still a
 * complete left edge whose root the verifier knows already. */
enum ieum_err merkle_consistency_prove(uint64_t old_size, uint64_t size, merkle_leaf_cb *leaf_cb,
				       void *ctx, struct merkle_proof *proof)
{
	uint64_t from = 0;
	uint64_t to = size;
	bool whole = true;
	enum ieum_err err;

	proof->n = 0;
	if (old_size == 0 || old_size > size)
		return IEUM_E_FIELD_INVALID;
	while (to != old_size) {
		uint64_t mid = from + split(to - from);
		bool left = old_size <= mid;

		err = left ? subtree(mid, to, leaf_cb, ctx, &proof->node[proof->n])
			   : subtree(from, mid, leaf_cb, ctx, &proof->node[proof->n]);
		if (err)
			return err;
		proof->n++;
		if (left) {
			to = mid;
		} else {
			from = mid;
			whole = false;
		}
	}
	if (!whole) {
		err = subtree(from, to, leaf_cb, ctx, &proof->node[proof->n]);
		if (err)
			return err;
		proof->n++;
	}
	reverse(proof);
	return IEUM_E_OK;
}

bool merkle_inclusion_verify(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
			     const struct merkle_proof *proof, const struct merkle_hash *root)
{
	if (index >= size || proof->n > MERKLE_PROOF_MAX)
		return false;

	uint64_t fn = index;
	uint64_t sn = size - 1;
	struct merkle_hash r = *leaf;

	for (size_t i = 0; i < proof->n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			r = merkle_node(&proof->node[i], &r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			r = merkle_node(&r, &proof->node[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && merkle_equal(&r, root);
}

bool merkle_consistency_verify(uint64_t old_size, const struct merkle_hash *old_root, uint64_t size,
			       const struct merkle_hash *root, const struct merkle_proof *proof)
{
	if (old_size == 0 || old_size > size || proof->n > MERKLE_PROOF_MAX)
		return false;
	if (old_size == size)
		return proof->n == 0 && merkle_equal(old_root, root);

	bool power_of_two = (old_size & (old_size - 1)) == 0;
	size_t i = 0;
	struct merkle_hash fr = *old_root;

	if (!power_of_two) {
		if (proof->n == 0)
			return false;
		fr = proof->node[i++];
	}
	struct merkle_hash sr = fr;
	uint64_t fn = old_size - 1;
	uint64_t sn = size - 1;

	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	for (; i < proof->n; i++) {
		const struct merkle_hash *c = &proof->node[i];

		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			fr = merkle_node(c, &fr);
			sr = merkle_node(c, &sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			sr = merkle_node(&sr, c);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && merkle_equal(&fr, old_root) && merkle_equal(&sr, root);
}
