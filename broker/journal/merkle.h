/* The Merkle tree over all events: hashing and proofs of RFC 9162, section 2.1.
 *
 *   leaf = SHA-256(0x00 || stored bytes)      node = SHA-256(0x01 || left || right)
 *
 * Nothing here does I/O or keeps global state.  A `struct merkle` belongs to one
 * thread.  Leaves are numbered from 0: leaf index = seq - 1. */
#ifndef IEUM_BROKER_JOURNAL_MERKLE_H
#define IEUM_BROKER_JOURNAL_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	MERKLE_HASH_BYTES = 32,
	MERKLE_PROOF_MAX = 64, /* hashes: a 64-bit index has no longer path */
};

struct merkle_hash {
	uint8_t bytes[MERKLE_HASH_BYTES];
};

/* The right edge of a growing tree: the roots of its complete subtrees, biggest
 * first.  peak[] has one entry per 1 bit of size.  Plain data: may be copied. */
struct merkle {
	uint64_t size; /* leaves */
	struct merkle_hash peak[64];
};

struct merkle_proof {
	size_t n;
	struct merkle_hash node[MERKLE_PROOF_MAX];
};

struct merkle_hash merkle_leaf(const void *bytes, size_t len);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);
bool merkle_equal(const struct merkle_hash *a, const struct merkle_hash *b);

/* The empty tree. */
void merkle_init(struct merkle *m);
void merkle_append(struct merkle *m, const struct merkle_hash *leaf);

/* The root of the tree as it is; of the empty tree, SHA-256 of nothing. */
struct merkle_hash merkle_root(const struct merkle *m);

/* How many peaks a tree of this size has. */
size_t merkle_peaks(uint64_t size);

/* Gives the hash of leaf `index`; what it returns other than OK ends the caller. */
typedef enum ieum_err merkle_leaf_cb(void *ctx, uint64_t index, struct merkle_hash *leaf);

/* Proofs for the tree of the first `size` leaves.  They read the leaves they need
 * through leaf_cb, in rising order within each subtree: O(size) reads.
 * FIELD_INVALID when index >= size, or not 0 < old_size <= size. */
enum ieum_err merkle_inclusion_prove(uint64_t index, uint64_t size, merkle_leaf_cb *leaf_cb,
				     void *ctx, struct merkle_proof *proof) IEUM_MUST_CHECK;
enum ieum_err merkle_consistency_prove(uint64_t old_size, uint64_t size, merkle_leaf_cb *leaf_cb,
				       void *ctx, struct merkle_proof *proof) IEUM_MUST_CHECK;

/* RFC 9162, 2.1.3.2 and 2.1.4.2.  False for anything that does not prove. */
bool merkle_inclusion_verify(const struct merkle_hash *leaf, uint64_t index, uint64_t size,
			     const struct merkle_proof *proof, const struct merkle_hash *root);
bool merkle_consistency_verify(uint64_t old_size, const struct merkle_hash *old_root, uint64_t size,
			       const struct merkle_hash *root, const struct merkle_proof *proof);

#endif
