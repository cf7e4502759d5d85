/* One pass over a journal; see audit.h. */
#include "broker/audit.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/audit_ledger.h"
#include "broker/audit_table.h"
#include "broker/core/core.h"
#include "broker/journal/journal.h"
#include "ieum/v1/event.pb-c.h"
#include "proto/arena.h"
#include "proto/catalog.h"

enum { AUDIT_EVENT_BUDGET_BYTES = 64 << 20 }; /* memory of one unpacked event */

/* A payload that is gone: an event must say so, now or later. */
struct erased {
	uint64_t seq;
	bool told;
};

struct pass {
	struct audit *a;
	const struct audit_options *options;
	struct core *core;
	struct audit_ledger *ledger;
	struct audit_table erased; /* struct erased */
	struct arena arena;
	EVP_MD_CTX *digest;
	EVP_MD *sha256;
	struct merkle earlier; /* while it is shorter than options->earlier_size */
	uint64_t last_seq;
	enum ieum_err err; /* what ended the pass, when that was no mismatch */
};

static enum ieum_err __attribute__((format(printf, 3, 4)))
mismatch(struct pass *p, uint64_t seq, const char *format, ...)
{
	va_list args;

	p->a->sound = false;
	p->a->mismatch_seq = seq;
	va_start(args, format);
	vsnprintf(p->a->mismatch, sizeof p->a->mismatch, tr(format), args);
	va_end(args);
	return IEUM_E_JOURNAL_CORRUPT;
}

/* An error that says nothing about the journal. */
static enum ieum_err give_up(struct pass *p, enum ieum_err err)
{
	p->err = err;
	return err;
}

/* ---- payloads ---- */

static enum ieum_err note_erased(struct pass *p, uint64_t seq)
{
	if (!audit_table_add(&p->erased, seq))
		return give_up(p, IEUM_E_NO_MEMORY);
	p->a->payloads_erased++;
	return IEUM_E_OK;
}

static enum ieum_err check_payload(struct pass *p, const struct journal_record *r,
				   const Ieum__V1__Submitted *s)
{
	uint8_t hash[AUDIT_HASH_BYTES];

	if (r->payload_erased)
		return note_erased(p, r->seq);
	if (!r->payload)
		return s->payload_hash.len == 0 && s->payload_bytes == 0
			       ? IEUM_E_OK
			       : mismatch(p, r->seq, "its message is missing, and was not erased");
	if (r->payload_len != s->payload_bytes || s->payload_hash.len != AUDIT_HASH_BYTES)
		return mismatch(p, r->seq, "its message has %zu bytes, the event says %" PRIu32,
				r->payload_len, s->payload_bytes);
	if (EVP_DigestInit_ex2(p->digest, p->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(p->digest, r->salt, JOURNAL_SALT_BYTES) != 1 ||
	    EVP_DigestUpdate(p->digest, r->payload, r->payload_len) != 1 ||
	    EVP_DigestFinal_ex(p->digest, hash, NULL) != 1)
		return give_up(p, IEUM_E_INTERNAL);
	if (memcmp(hash, s->payload_hash.data, sizeof hash) != 0)
		return mismatch(p, r->seq, "its message is not the one that was recorded (hash)");
	p->a->payloads_checked++;
	return IEUM_E_OK;
}

static enum ieum_err check_erased(struct pass *p, uint64_t seq, const Ieum__V1__PayloadErased *e)
{
	for (size_t i = 0; i < e->n_seqs; i++) {
		struct erased *found = audit_table_find(&p->erased, e->seqs[i]);

		if (!found && e->seqs[i] < seq)
			return mismatch(p, seq,
					"it erases the message of event %" PRIu64
					", which is still there",
					e->seqs[i]);
		if (!found)
			return mismatch(p, seq,
					"it erases the message of event %" PRIu64
					", which had not come yet",
					e->seqs[i]);
		found->told = true;
	}
	return IEUM_E_OK;
}

/* ---- one event ---- */

static enum ieum_err check_earlier(struct pass *p, const struct journal_record *r)
{
	struct merkle_hash leaf, root;

	if (r->seq > p->options->earlier_size)
		return IEUM_E_OK;
	leaf = merkle_leaf(r->kept, r->kept_len);
	merkle_append(&p->earlier, &leaf);
	if (p->earlier.size < p->options->earlier_size)
		return IEUM_E_OK;
	root = merkle_root(&p->earlier);
	if (memcmp(root.bytes, p->options->earlier_root, sizeof root.bytes) == 0)
		return IEUM_E_OK;
	return mismatch(p, 0,
			"the first %" PRIu64 " events do not have the root noted earlier: "
			"the past was changed",
			p->options->earlier_size);
}

static enum ieum_err check_time(struct pass *p, uint64_t seq, int64_t at_us)
{
	if (p->a->events > 0 && at_us < p->a->last_at_us)
		return mismatch(p, seq, "its time lies before that of the event before it");
	if (p->a->events == 0)
		p->a->first_at_us = at_us;
	p->a->last_at_us = at_us;
	p->a->events++;
	return IEUM_E_OK;
}

static enum ieum_err check_event(struct pass *p, const struct journal_record *r,
				 const Ieum__V1__Event *event)
{
	char why[AUDIT_LEDGER_WHY_BYTES] = "";
	enum ieum_err err = check_time(p, r->seq, event->at_us);

	if (!err && event->what_case == IEUM__V1__EVENT__WHAT_SUBMITTED) {
		p->a->messages++;
		err = check_payload(p, r, event->submitted);
	} else if (!err && event->what_case == IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED) {
		err = check_erased(p, r->seq, event->payload_erased);
	} else if (!err && (r->payload || r->payload_erased)) {
		err = mismatch(p, r->seq, "it has a message beside it, but is none");
	}
	if (err)
		return err;
	err = audit_ledger_apply(p->ledger, r->seq, event, why);
	if (err == IEUM_E_JOURNAL_CORRUPT)
		return mismatch(p, r->seq, "%s", why);
	if (!err)
		err = core_apply(p->core, r->seq, event);
	if (err == IEUM_E_JOURNAL_CORRUPT)
		return mismatch(p, r->seq, "it contradicts the events before it");
	return err ? give_up(p, err) : IEUM_E_OK;
}

static enum ieum_err record_cb(void *ctx, const struct journal_record *r)
{
	struct pass *p = ctx;
	const Ieum__V1__Event *event;
	enum ieum_err err;

	if (p->options->progress_cb && r->seq % AUDIT_PROGRESS_EVENTS == 0)
		p->options->progress_cb(p->options->progress_ctx, r->seq, p->last_seq);
	err = check_earlier(p, r);
	if (err)
		return err;
	arena_reset(&p->arena);
	event = ieum__v1__event__unpack(&p->arena.allocator, r->kept_len, r->kept);
	if (!event)
		return mismatch(p, r->seq, "its bytes are no event");
	if (event->what_case == IEUM__V1__EVENT__WHAT__NOT_SET || event->base.n_unknown_fields > 0)
		return mismatch(p, r->seq, "this version does not know it");
	return check_event(p, r, event);
}

/* ---- at the end ---- */

/* An erasure that a running hub made meanwhile is told of by an event after the ones we read. */
static enum ieum_err told_later_cb(void *ctx, const struct journal_record *r)
{
	struct pass *p = ctx;
	Ieum__V1__Event *event;

	arena_reset(&p->arena);
	event = ieum__v1__event__unpack(&p->arena.allocator, r->kept_len, r->kept);
	if (event && event->what_case == IEUM__V1__EVENT__WHAT_PAYLOAD_ERASED) {
		for (size_t i = 0; i < event->payload_erased->n_seqs; i++) {
			struct erased *e =
				audit_table_find(&p->erased, event->payload_erased->seqs[i]);

			if (e)
				e->told = true;
		}
	}
	return IEUM_E_OK;
}

static const struct erased *first_untold(const struct pass *p)
{
	const struct erased *first = NULL, *e;
	uint32_t at = 0;

	while ((e = audit_table_next(&p->erased, &at)) != NULL) {
		if (!e->told && (!first || e->seq < first->seq))
			first = e;
	}
	return first;
}

static enum ieum_err check_untold(struct pass *p, struct journal *j)
{
	const struct erased *e = first_untold(p);
	enum ieum_err err;

	if (!e)
		return IEUM_E_OK;
	err = journal_refresh(j);
	if (!err)
		err = journal_load(j, p->a->events + 1, UINT64_MAX, 0, told_later_cb, p);
	if (err)
		return give_up(p, err);
	e = first_untold(p);
	return e ? mismatch(p, e->seq, "its message was erased, and no event says so") : IEUM_E_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct audit_mailbox *)a)->name,
		      ((const struct audit_mailbox *)b)->name);
}

/* The account of every mailbox, from the ledger. */
static enum ieum_err list_mailboxes(struct pass *p)
{
	uint32_t n = audit_ledger_mailboxes(p->ledger);
	struct audit *a = p->a;

	a->mailboxes = calloc(n ? n : 1, sizeof *a->mailboxes);
	if (!a->mailboxes)
		return give_up(p, IEUM_E_NO_MEMORY);
	audit_ledger_count(p->ledger);
	for (uint32_t number = 1; number <= n; number++) {
		const char *name = audit_ledger_mailbox_name(p->ledger, number);
		struct audit_ledger_counts c = audit_ledger_counts(p->ledger, number);
		struct audit_mailbox *m = &a->mailboxes[a->n_mailboxes];

		if (!*name)
			continue;
		*m = (struct audit_mailbox){ .name = strdup(name),
					     .routed = c.routed,
					     .queued = c.queued,
					     .in_flight = c.in_flight,
					     .settled = c.settled,
					     .dead_lettered = c.dead_lettered,
					     .withdrawn = c.withdrawn };
		if (!m->name)
			return give_up(p, IEUM_E_NO_MEMORY);
		a->n_mailboxes++;
	}
	qsort(a->mailboxes, a->n_mailboxes, sizeof *a->mailboxes, by_name);
	return IEUM_E_OK;
}

static enum ieum_err check_mailbox(struct pass *p, const struct audit_mailbox *m)
{
	struct core_mailbox_counts c = { 0 };
	uint32_t number = core_mailbox_number(p->core, m->name);
	uint64_t accounted =
		m->queued + m->in_flight + m->settled + m->dead_lettered + m->withdrawn;

	if (m->routed != accounted)
		return mismatch(p, 0,
				"mailbox %s: %" PRIu64 " deliveries were routed, %" PRIu64
				" are accounted for",
				m->name, m->routed, accounted);
	if (!number || !core_mailbox_counts(p->core, number, &c))
		return mismatch(p, 0, "mailbox %s is not in the state", m->name);
	if (c.routed != m->routed || c.queued != m->queued || c.in_flight != m->in_flight ||
	    c.settled != m->settled || c.dead_lettered != m->dead_lettered ||
	    c.withdrawn != m->withdrawn)
		return mismatch(p, 0,
				"mailbox %s: by its events %" PRIu64 " queued, %" PRIu64
				" in flight, %" PRIu64 " settled; by the state %" PRIu64
				", %" PRIu64 ", %" PRIu64,
				m->name, m->queued, m->in_flight, m->settled, c.queued, c.in_flight,
				c.settled);
	return IEUM_E_OK;
}

static enum ieum_err check_end(struct pass *p, struct journal *j)
{
	char what[AUDIT_TEXT_BYTES] = "";
	enum ieum_err err = check_untold(p, j);

	if (!err && p->earlier.size < p->options->earlier_size)
		err = mismatch(p, 0,
			       "it ends at event %" PRIu64 "; the root noted earlier is of %" PRIu64
			       " events: its end was cut off",
			       p->a->events, p->options->earlier_size);
	for (size_t i = 0; i < p->a->n_mailboxes && !err; i++)
		err = check_mailbox(p, &p->a->mailboxes[i]);
	if (err)
		return err;
	err = core_check(p->core, what, sizeof what);
	if (err == IEUM_E_JOURNAL_CORRUPT)
		return mismatch(p, 0, "%s", what);
	return err ? give_up(p, err) : IEUM_E_OK;
}

/* ---- the pass ---- */

static enum ieum_err pass_init(struct pass *p)
{
	/* What was held once can be held again: an audit has no limits of its own. */
	struct core_limits limits = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	uint64_t seed;

	arena_init(&p->arena, AUDIT_EVENT_BUDGET_BYTES);
	merkle_init(&p->earlier);
	audit_table_init(&p->erased, sizeof(struct erased));
	if (RAND_bytes((unsigned char *)&seed, sizeof seed) != 1)
		return IEUM_E_INTERNAL;
	p->core = core_new(&limits, seed);
	p->ledger = audit_ledger_new();
	p->digest = EVP_MD_CTX_new();
	p->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	return p->core && p->ledger && p->digest && p->sha256 ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

static void pass_deinit(struct pass *p)
{
	audit_table_deinit(&p->erased);
	core_free(p->core);
	audit_ledger_free(p->ledger);
	EVP_MD_CTX_free(p->digest);
	EVP_MD_free(p->sha256);
	arena_release(&p->arena);
}

/* *p->a is complete when this is OK. */
static enum ieum_err run(struct pass *p, struct journal *j)
{
	struct journal_verdict v;
	enum ieum_err err = journal_verify(j, record_cb, p, &v), end;

	if (p->err || (err && p->a->sound))
		return p->err ? p->err : err;
	p->a->events = v.events;
	p->a->commits = v.commits;
	memcpy(p->a->root, v.root.bytes, sizeof p->a->root);
	end = list_mailboxes(p);
	if (end)
		return end;
	if (v.finding != JOURNAL_SOUND && p->a->sound) {
		(void)mismatch(p, v.seq, "%s", v.text);
	} else if (p->a->sound) {
		(void)check_end(p, j);
	}
	return p->err;
}

static void keep_log(void *ctx, const char *line)
{
	struct audit *a = ctx;

	if (a->sound)
		snprintf(a->mismatch, sizeof a->mismatch, "%s", line);
}

enum ieum_err audit_run(const char *path, const struct audit_options *options, struct audit *out)
{
	struct journal_config config = { .engine = "sqlite",
					 .path = path,
					 .read_only = true,
					 .log_cb = keep_log,
					 .log_ctx = out };
	struct pass p = { .a = out, .options = options };
	struct journal *j = NULL;
	enum ieum_err err;

	*out = (struct audit){ .sound = true };
	err = journal_open(&config, &j);
	if (err)
		return err;
	out->mismatch[0] = '\0';
	out->drill = journal_info(j)->drill;
	memcpy(out->incarnation, journal_info(j)->incarnation, sizeof out->incarnation);
	p.last_seq = journal_last_seq(j);
	err = pass_init(&p);
	if (!err)
		err = run(&p, j);
	pass_deinit(&p);
	journal_close(j);
	if (err)
		audit_release(out);
	return err;
}

void audit_release(struct audit *a)
{
	for (size_t i = 0; i < a->n_mailboxes; i++)
		free(a->mailboxes[i].name);
	free(a->mailboxes);
	a->mailboxes = NULL;
	a->n_mailboxes = 0;
}
