/* The journal's front: numbers, hashes and checks, then lets the engine store.
 * See journal.h for the contract and who may call from where. */
#include "broker/journal/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/journal/engine.h"

static const struct journal_engine *const engines[] = {
	&journal_sqlite,
	&journal_memory,
};

void journal_log(journal_log_cb *cb, void *ctx, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!cb)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	cb(ctx, line);
}

static enum ieum_err tree_grow_cb(void *ctx, const struct journal_record *r)
{
	struct merkle *tree = ctx;
	struct merkle_hash leaf = merkle_leaf(r->kept, r->kept_len);

	if (r->seq != tree->size + 1)
		return IEUM_E_JOURNAL_CORRUPT;
	merkle_append(tree, &leaf);
	return IEUM_E_OK;
}

/* From the newest stored frontier and the events after it, to the last commit. */
static enum ieum_err tree_rebuild(struct journal *j)
{
	enum ieum_err err = j->engine->frontier(j->store, &j->tree);

	if (err)
		return err;
	if (j->tree.size > j->last.size) {
		journal_log(j->log_cb, j->log_ctx,
			    "journal: a stored frontier lies beyond the last commit");
		return IEUM_E_JOURNAL_CORRUPT;
	}
	j->frontier_size = j->tree.size;
	if (j->tree.size < j->last.size) {
		err = j->engine->load(j->store, j->tree.size + 1, j->last.size, 0, tree_grow_cb,
				      &j->tree);
		if (err)
			return err;
	}
	struct merkle_hash root = merkle_root(&j->tree);
	if (j->tree.size != j->last.size ||
	    (j->last.size > 0 && !merkle_equal(&root, &j->last.root))) {
		journal_log(
			j->log_cb, j->log_ctx,
			"journal: the newest events do not give the root stored with the last commit, size %llu",
			(unsigned long long)j->last.size);
		return IEUM_E_JOURNAL_CORRUPT;
	}
	j->last.root = root;
	return IEUM_E_OK;
}

enum ieum_err journal_open(const struct journal_config *config, struct journal **out)
{
	struct journal *j = calloc(1, sizeof *j);
	enum ieum_err err = IEUM_E_FIELD_INVALID;

	*out = NULL;
	if (!j)
		return IEUM_E_NO_MEMORY;
	j->read_only = config->read_only;
	j->log_cb = config->log_cb;
	j->log_ctx = config->log_ctx;
	for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
		if (config->engine && strcmp(config->engine, engines[i]->name) == 0)
			j->engine = engines[i];
	}
	if (!j->engine) {
		journal_log(j->log_cb, j->log_ctx, "journal: there is no engine '%s'",
			    config->engine ? config->engine : "");
		goto out;
	}
	err = j->engine->open(config, &j->info, &j->last, &j->store);
	if (err)
		goto out;
	if (!config->read_only && config->drill != j->info.drill) {
		journal_log(j->log_cb, j->log_ctx,
			    "journal: this is a %s journal and was to be opened as a %s one",
			    j->info.drill ? "drill" : "live", config->drill ? "drill" : "live");
		err = IEUM_E_JOURNAL_DRILL;
		goto out;
	}
	/* An auditor must be able to open what does not verify, to say where. */
	if (!config->read_only) {
		err = tree_rebuild(j);
		if (!err)
			err = journal_settle_incarnation(j, config);
	} else if (j->last.size == 0) {
		j->last.root = merkle_root(&j->tree);
	}
out:
	if (err)
		journal_close(j);
	else
		*out = j;
	return err;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->store)
		j->engine->close(j->store);
	free(j);
}

const struct journal_info *journal_info(const struct journal *j)
{
	return &j->info;
}

uint64_t journal_last_seq(const struct journal *j)
{
	return j->last.size;
}

uint64_t journal_root(const struct journal *j, struct merkle_hash *root)
{
	*root = j->last.root;
	return j->last.size;
}

enum ieum_err journal_refresh(struct journal *j)
{
	struct journal_commit last;

	if (!j->read_only)
		return IEUM_E_OK;
	enum ieum_err err = j->engine->last_commit(j->store, &last);
	if (!err && last.size > 0)
		j->last = last;
	return err;
}

static void adopt(struct journal *j, struct journal_batch *b)
{
	if (b->n_events > 0) {
		j->tree = j->next;
		j->last.size = j->tree.size;
		j->last.root = merkle_root(&j->tree);
		j->last.at_us = b->at_us;
	}
	b->tree_size = j->last.size;
	memcpy(b->tree_root, j->last.root.bytes, sizeof b->tree_root);
}

static bool frontier_due(const struct journal *j)
{
	return j->next.size - j->frontier_size >= JOURNAL_FRONTIER_EVERY;
}

enum ieum_err journal_append(struct journal *j, struct journal_batch *b)
{
	struct journal_commit commit = { .at_us = b->at_us };
	enum ieum_err err;

	if (j->read_only)
		return IEUM_E_NOT_PERMITTED;
	if (j->failed)
		return j->failed;
	if (j->unknown)
		return IEUM_E_COMMIT_UNKNOWN;
	if (b->n_events > 0 && b->first_seq != j->last.size + 1)
		return IEUM_E_INTERNAL;
	if (b->n_events == 0 && b->n_erasures == 0) {
		adopt(j, b);
		return IEUM_E_OK;
	}
	j->next = j->tree;
	for (size_t i = 0; i < b->n_events; i++) {
		struct merkle_hash leaf = merkle_leaf(b->events[i].kept, b->events[i].kept_len);

		merkle_append(&j->next, &leaf);
	}
	commit.size = j->next.size;
	commit.root = merkle_root(&j->next);
	commit.frontier = frontier_due(j) ? &j->next : NULL;
	err = j->engine->append(j->store, b, b->n_events > 0 ? &commit : NULL, j->info.epoch);
	switch (err) {
	case IEUM_E_OK:
		if (b->n_events > 0 && commit.frontier)
			j->frontier_size = commit.size;
		adopt(j, b);
		break;
	case IEUM_E_DISK_FULL:
	case IEUM_E_UNAVAILABLE: break;
	case IEUM_E_COMMIT_UNKNOWN: j->unknown = true; break;
	default: j->failed = err;
	}
	return err;
}

enum ieum_err journal_resolve(struct journal *j, struct journal_batch *b, bool *committed)
{
	struct journal_commit stored;
	enum ieum_err err;

	*committed = false;
	if (!j->unknown)
		return IEUM_E_INTERNAL;
	err = j->engine->last_commit(j->store, &stored);
	if (err == IEUM_E_COMMIT_UNKNOWN)
		return err;
	j->unknown = false;
	if (err) {
		j->failed = err;
		return err;
	}
	struct merkle_hash root = merkle_root(&j->next);
	if (b->n_events > 0 && stored.size == j->next.size && merkle_equal(&stored.root, &root)) {
		*committed = true;
		adopt(j, b);
		return IEUM_E_OK;
	}
	/* Erasures alone leave no trace in the tree, but may be done twice. */
	if (stored.size == j->last.size &&
	    (stored.size == 0 || merkle_equal(&stored.root, &j->last.root)))
		return IEUM_E_OK;
	j->failed = IEUM_E_JOURNAL_FENCED;
	return j->failed;
}

void journal_read_all(struct journal *j, struct journal_batch *b)
{
	size_t total = 0;

	for (size_t i = 0; i < b->n_reads; i++) {
		struct journal_read *r = &b->reads[i];

		if (total >= JOURNAL_BATCH_READ_BYTES_MAX) {
			r->result = IEUM_E_HUB_FULL;
			continue;
		}
		r->result = journal_payload_read(j, r->seq, r->salt, &r->bytes, &r->len);
		total += r->len;
	}
}

enum ieum_err journal_maintain(struct journal *j, bool idle)
{
	if (j->read_only || j->unknown)
		return IEUM_E_OK;
	if (j->failed)
		return j->failed;
	j->failed = j->engine->maintain(j->store, idle);
	return j->failed;
}

/* Holds the engine to contiguity on the way to the caller. */
struct load {
	uint64_t next;
	journal_record_cb *cb;
	void *ctx;
};

static enum ieum_err load_cb(void *ctx, const struct journal_record *r)
{
	struct load *load = ctx;

	if (r->seq != load->next)
		return IEUM_E_JOURNAL_CORRUPT;
	load->next++;
	return load->cb(load->ctx, r);
}

enum ieum_err journal_load(struct journal *j, uint64_t from, uint64_t to, unsigned flags,
			   journal_record_cb *cb, void *ctx)
{
	struct load load = { .next = from ? from : 1, .cb = cb, .ctx = ctx };

	if (to > j->last.size)
		to = j->last.size;
	if (load.next > to)
		return IEUM_E_OK;
	enum ieum_err err = j->engine->load(j->store, load.next, to, flags, load_cb, &load);
	if (!err && load.next != to + 1)
		err = IEUM_E_JOURNAL_CORRUPT;
	if (err == IEUM_E_JOURNAL_CORRUPT)
		journal_log(j->log_cb, j->log_ctx,
			    "journal: event %llu is missing or cannot be read",
			    (unsigned long long)load.next);
	return err;
}

enum ieum_err journal_payload_read(struct journal *j, uint64_t seq,
				   uint8_t salt[JOURNAL_SALT_BYTES], uint8_t **bytes, size_t *len)
{
	*bytes = NULL;
	*len = 0;
	if (seq == 0 || seq > j->last.size)
		return IEUM_E_FIELD_INVALID;
	return j->engine->payload_read(j->store, seq, salt, bytes, len);
}

enum ieum_err journal_payload_erase(struct journal *j, uint64_t seq)
{
	struct journal_batch b = { .erasures = &seq, .n_erasures = 1 };

	return journal_append(j, &b);
}
