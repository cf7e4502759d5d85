#include "broker/replay.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>

#include "broker/log.h"
#include "broker/supervisor.h"
#include "proto/sha256.h"

struct progress {
	struct replay *replay;
	struct core *core;
	struct arena arena; /* one event at a time */
	uint64_t last_seq;  /* of the journal */
	int64_t began_ms, told_ms;
};

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum ieum_err look_up(struct progress *p, uint64_t seq)
{
	int64_t now_ms = monotonic_ms();

	if (p->replay->cancel && atomic_load_explicit(p->replay->cancel, memory_order_relaxed))
		return IEUM_E_STOPPING;
	if (!p->replay->quiet && now_ms - p->told_ms >= REPLAY_PROGRESS_MS) {
		p->told_ms = now_ms;
		log_info("replaying", LOG_U("seq", seq), LOG_U("of", p->last_seq),
			 LOG_U("percent", seq * 100 / p->last_seq),
			 LOG_I("elapsed_ms", now_ms - p->began_ms));
		supervisor_starting(seq * 100 / p->last_seq);
	}
	return IEUM_E_OK;
}

static enum ieum_err apply_record(void *ctx, const struct journal_record *record)
{
	struct progress *p = ctx;
	Ieum__V1__Event *event;
	enum ieum_err err;

	if (++p->replay->events % REPLAY_LOOK_EVENTS == 0) {
		err = look_up(p, record->seq);
		if (err)
			return err;
	}
	arena_reset(&p->arena);
	event = ieum__v1__event__unpack(&p->arena.allocator, record->kept_len, record->kept);
	if (!event) {
		log_error("replay_failed", LOG_U("seq", record->seq),
			  LOG_S("why", "the event can't be unpacked"));
		return IEUM_E_JOURNAL_CORRUPT;
	}
	err = core_apply(p->core, record->seq, event);
	if (err)
		log_error("replay_failed", LOG_U("seq", record->seq),
			  LOG_S("error", ieum_error((int)err)->name));
	return err;
}

static struct core *empty_core(const struct replay *r)
{
	uint64_t hash_seed;
	struct core *core;

	if (RAND_bytes((unsigned char *)&hash_seed, sizeof(hash_seed)) != 1)
		return NULL;
	core = core_new(&r->limits, hash_seed);
	if (core)
		core_use_sha256(core, sha256);
	return core;
}

/* An empty core, or one read from the newest snapshot that can be used. */
static enum ieum_err begin(struct journal *j, struct replay *r, struct core **out)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum ieum_err err;

	*out = empty_core(r);
	if (!*out)
		return IEUM_E_NO_MEMORY;
	err = journal_snapshot_get(j, CORE_SNAPSHOT_VERSION, &r->snapshot_seq, &bytes, &len);
	if (err || !bytes) {
		r->snapshot_seq = 0;
		return err;
	}
	err = core_snapshot_read(*out, bytes, len);
	free(bytes);
	if (!err && core_last_seq(*out) == r->snapshot_seq)
		return IEUM_E_OK;
	/* Never the only copy: everything is in the events too. */
	log_warn("snapshot_unusable", LOG_U("seq", r->snapshot_seq),
		 LOG_S("error", ieum_error(err ? (int)err : IEUM_E_JOURNAL_CORRUPT)->name));
	r->snapshot_seq = 0;
	core_free(*out);
	*out = empty_core(r);
	return *out ? IEUM_E_OK : IEUM_E_NO_MEMORY;
}

enum ieum_err replay_journal(struct journal *j, struct replay *r, struct core **out)
{
	struct progress p = { .replay = r,
			      .last_seq = journal_last_seq(j),
			      .began_ms = monotonic_ms() };
	enum ieum_err err = begin(j, r, &p.core);

	p.told_ms = p.began_ms;
	r->events = 0;
	if (!err && r->snapshot_seq < p.last_seq) {
		arena_init(&p.arena, REPLAY_EVENT_BUDGET_BYTES);
		err = journal_load(j, r->snapshot_seq + 1, UINT64_MAX, 0, apply_record, &p);
		arena_release(&p.arena);
	}
	if (err) {
		core_free(p.core);
		return err;
	}
	*out = p.core;
	return IEUM_E_OK;
}
