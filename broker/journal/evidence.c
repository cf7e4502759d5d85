/* Evidence from what is stored: verification of the whole journal, and proofs.
 * Reads only; any journal will do, a read-only one beside a running hub as well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/journal/engine.h"

static enum ieum_err leaf_record_cb(void *ctx, const struct journal_record *r)
{
	struct merkle_hash *leaf = ctx;

	*leaf = merkle_leaf(r->kept, r->kept_len);
	return IEUM_E_OK;
}

static enum ieum_err leaf_cb(void *ctx, uint64_t index, struct merkle_hash *leaf)
{
	return journal_load(ctx, index + 1, index + 1, 0, leaf_record_cb, leaf);
}

enum ieum_err journal_inclusion_prove(struct journal *j, uint64_t seq, uint64_t size,
				      struct merkle_proof *proof)
{
	if (seq == 0 || size > j->last.size)
		return IEUM_E_FIELD_INVALID;
	return merkle_inclusion_prove(seq - 1, size, leaf_cb, j, proof);
}

enum ieum_err journal_consistency_prove(struct journal *j, uint64_t old_size, uint64_t size,
					struct merkle_proof *proof)
{
	if (size > j->last.size)
		return IEUM_E_FIELD_INVALID;
	return merkle_consistency_prove(old_size, size, leaf_cb, j, proof);
}

/* One pass: the event being read, and the commit it belongs to. */
struct pass {
	struct journal *j;
	journal_record_cb *cb;
	void *ctx;
	struct journal_verdict *v;
	struct merkle tree;
	struct journal_commit commit; /* the one that ends at or after the next event */
	bool found;                   /* a mismatch: *v is complete, stop reading */
};

static void hex(const struct merkle_hash *h, char out[2 * MERKLE_HASH_BYTES + 1])
{
	for (size_t i = 0; i < MERKLE_HASH_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", h->bytes[i]);
}

static void gap(struct pass *p, uint64_t expected, uint64_t found)
{
	struct journal_verdict *v = p->v;

	p->found = true;
	v->finding = JOURNAL_GAP;
	v->seq = v->expected_seq = expected;
	v->found_seq = found;
	if (found)
		snprintf(v->text, sizeof v->text,
			 "event %" PRIu64 " is missing; event %" PRIu64 " came instead", expected,
			 found);
	else
		snprintf(v->text, sizeof v->text,
			 "event %" PRIu64 " is missing; the commit of size %" PRIu64 " counts it",
			 expected, p->commit.size);
}

static void root_mismatch(struct pass *p, const struct merkle_hash *computed)
{
	char expected[2 * MERKLE_HASH_BYTES + 1];
	char found[2 * MERKLE_HASH_BYTES + 1];
	struct journal_verdict *v = p->v;

	p->found = true;
	v->finding = JOURNAL_ROOT_MISMATCH;
	v->seq = p->commit.size;
	v->expected = p->commit.root;
	v->found = *computed;
	hex(&v->expected, expected);
	hex(&v->found, found);
	snprintf(v->text, sizeof v->text,
		 "events %" PRIu64 "..%" PRIu64
		 " do not give the root stored with them: expected %s, found %s",
		 v->from_seq + 1, v->seq, expected, found);
}

static void uncommitted(struct pass *p, uint64_t seq)
{
	struct journal_verdict *v = p->v;

	p->found = true;
	v->finding = JOURNAL_UNCOMMITTED;
	v->seq = v->found_seq = seq;
	snprintf(v->text, sizeof v->text, "event %" PRIu64 " belongs to no commit", seq);
}

static enum ieum_err commit_check(struct pass *p)
{
	struct merkle_hash root = merkle_root(&p->tree);

	if (!merkle_equal(&root, &p->commit.root)) {
		root_mismatch(p, &root);
		return IEUM_E_JOURNAL_CORRUPT;
	}
	p->v->commits++;
	p->v->from_seq = p->tree.size;
	p->v->root = root;
	return p->j->engine->commit_from(p->j->store, p->tree.size + 1, &p->commit);
}

static enum ieum_err verify_cb(void *ctx, const struct journal_record *r)
{
	struct pass *p = ctx;
	struct merkle_hash leaf = merkle_leaf(r->kept, r->kept_len);
	enum ieum_err err;

	if (r->seq != p->tree.size + 1) {
		gap(p, p->tree.size + 1, r->seq);
		return IEUM_E_JOURNAL_CORRUPT;
	}
	if (p->cb) {
		err = p->cb(p->ctx, r);
		if (err) {
			p->found = true;
			p->v->finding = JOURNAL_CONTENT;
			p->v->seq = r->seq;
			snprintf(p->v->text, sizeof p->v->text,
				 "event %" PRIu64 " is not what it should be: %s", r->seq,
				 ieum_error((int)err)->text);
			return err;
		}
	}
	merkle_append(&p->tree, &leaf);
	p->v->events++;
	return p->tree.size == p->commit.size ? commit_check(p) : IEUM_E_OK;
}

/* What comes after the last commit that we began with: newer events are fine, events
 * without a commit are not. */
static enum ieum_err beyond_cb(void *ctx, const struct journal_record *r)
{
	struct pass *p = ctx;
	enum ieum_err err = p->j->engine->commit_from(p->j->store, r->seq, &p->commit);

	if (!err && p->commit.size == 0)
		uncommitted(p, r->seq);
	return err;
}

enum ieum_err journal_verify(struct journal *j, journal_record_cb *cb, void *ctx,
			     struct journal_verdict *v)
{
	struct pass p = { .j = j, .cb = cb, .ctx = ctx, .v = v };
	unsigned flags = cb ? JOURNAL_LOAD_PAYLOADS : 0;
	enum ieum_err err = journal_refresh(j);

	*v = (struct journal_verdict){ 0 };
	v->root = merkle_root(&p.tree);
	if (err)
		return err;
	/* Of a journal that a hub goes on writing, what was committed when we began. */
	uint64_t end = j->last.size;
	err = j->engine->commit_from(j->store, 1, &p.commit);
	if (!err)
		err = j->engine->load(j->store, 0, end, flags, verify_cb, &p);
	if (!err && p.tree.size < end)
		gap(&p, p.tree.size + 1, 0);
	if (!err && !p.found)
		err = j->engine->load(j->store, end + 1, end + 1, 0, beyond_cb, &p);
	if (p.found)
		return IEUM_E_OK;
	if (!err)
		snprintf(v->text, sizeof v->text,
			 "%" PRIu64 " events in %" PRIu64 " commits verify", v->events, v->commits);
	return err;
}
