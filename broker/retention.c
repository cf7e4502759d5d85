#include "broker/retention.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/log.h"
#include "proto/arena.h"

enum {
	RETENTION_NICE = 10, /* the loop and the journal thread go first */
	EVENT_BUDGET_BYTES = 8 << 20,
};

enum state {
	IDLE,
	LOOKING,
	FOUND,
};

/* How far one type was looked through. */
struct progress {
	uint64_t next_seq; /* everything before was offered, or has no payload */
	uint64_t kept_seq; /* the oldest that was offered and kept; 0: none */
};

struct retention {
	struct journal_config config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	/* Under the lock. */
	enum state state;
	bool stop;
	struct retention_ages ages;
	bool again;
	/* The loop's while FOUND, else the thread's. */
	struct core_aged found[RETENTION_AT_ONCE];
	size_t n_found;
	/* The thread's. */
	struct progress progress[POLICY_TYPES];
	struct arena arena;
};

/* ---- between loop and thread ---- */

/* Hands over what was found and waits until it is decided; false: time to end. */
static bool hand_over(struct retention *r)
{
	bool stop;

	pthread_mutex_lock(&r->lock);
	r->state = FOUND;
	while (r->state == FOUND && !r->stop)
		pthread_cond_wait(&r->woken, &r->lock);
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return !stop;
}

/* What is to be looked at; false: time to end. */
static bool wait_for_work(struct retention *r, struct retention_ages *ages, bool *again)
{
	bool stop;

	pthread_mutex_lock(&r->lock);
	while (r->state != LOOKING && !r->stop)
		pthread_cond_wait(&r->woken, &r->lock);
	*ages = r->ages;
	*again = r->again;
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return !stop;
}

static bool is_stopped(struct retention *r)
{
	bool stop;

	pthread_mutex_lock(&r->lock);
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

static void set_idle(struct retention *r)
{
	pthread_mutex_lock(&r->lock);
	r->state = IDLE;
	pthread_mutex_unlock(&r->lock);
}

/* ---- looking ---- */

/* Types that are kept equally long: one pass through the journal finds all that is due of them,
 * and ends at the first event that is younger. */
struct pass {
	struct retention *r;
	int64_t received_by_us;
	bool types[POLICY_TYPES];
	uint64_t next_seq;
	bool is_done; /* what comes now is younger */
};

/* Ends a load in its middle: a full batch, or nothing more to find.  Its chunk's read transaction
 * must not stay open while the loop decides. */
#define PAUSE IEUM_E_STOPPING

static bool take_event(const struct pass *p, const Ieum__V1__Event *e,
		       const struct journal_record *record)
{
	const Ieum__V1__Submitted *s = e->submitted;

	if (!record->has_payload || e->what_case != IEUM__V1__EVENT__WHAT_SUBMITTED ||
	    (unsigned)s->type >= POLICY_TYPES || !p->types[s->type])
		return false;
	struct core_aged *found = &p->r->found[p->r->n_found++];
	*found = (struct core_aged){ .seq = record->seq, .at_us = e->at_us, .type = s->type };
	found->has_case = s->case_id.len == CORE_ID_BYTES;
	if (found->has_case)
		memcpy(found->case_id, s->case_id.data, CORE_ID_BYTES);
	return true;
}

static enum ieum_err look_at(void *ctx, const struct journal_record *record)
{
	enum { LOOK_UP_EVENTS = 1024 };
	struct pass *p = ctx;
	const Ieum__V1__Event *event;

	if (record->seq % LOOK_UP_EVENTS == 0 && is_stopped(p->r))
		return PAUSE;
	arena_reset(&p->r->arena);
	event = ieum__v1__event__unpack(&p->r->arena.allocator, record->kept_len, record->kept);
	if (!event)
		return IEUM_E_JOURNAL_CORRUPT;
	if (event->at_us > p->received_by_us) {
		p->is_done = true;
		return PAUSE;
	}
	p->next_seq = record->seq + 1;
	if (take_event(p, event, record) && p->r->n_found == RETENTION_AT_ONCE)
		return PAUSE;
	return IEUM_E_OK;
}

static void note_kept(struct retention *r)
{
	for (size_t i = 0; i < r->n_found; i++) {
		struct progress *of = &r->progress[r->found[i].type];

		if (!r->found[i].erased && (of->kept_seq == 0 || r->found[i].seq < of->kept_seq))
			of->kept_seq = r->found[i].seq;
	}
}

/* Where the pass begins, after which nothing is known as kept. */
static uint64_t begin(struct pass *p, bool again)
{
	uint64_t from = UINT64_MAX;

	for (size_t t = 0; t < POLICY_TYPES; t++) {
		struct progress *of = &p->r->progress[t];
		if (!p->types[t])
			continue;
		if (of->next_seq < from)
			from = of->next_seq;
		if (again && of->kept_seq && of->kept_seq < from)
			from = of->kept_seq;
		if (again)
			of->kept_seq = 0;
	}
	return from;
}

static enum ieum_err look_through(struct pass *p, struct journal *j, bool again)
{
	struct retention *r = p->r;
	enum ieum_err err = IEUM_E_OK;

	p->next_seq = begin(p, again);
	while (!err && !p->is_done && p->next_seq <= journal_last_seq(j)) {
		r->n_found = 0;
		err = journal_load(j, p->next_seq, UINT64_MAX, JOURNAL_LOAD_PRESENCE, look_at, p);
		if (is_stopped(r))
			return IEUM_E_STOPPING;
		if (err == PAUSE)
			err = IEUM_E_OK;
		if (err || r->n_found == 0)
			continue;
		if (!hand_over(r))
			return IEUM_E_STOPPING;
		note_kept(r);
	}
	for (size_t t = 0; !err && t < POLICY_TYPES; t++)
		if (p->types[t] && p->next_seq > r->progress[t].next_seq)
			r->progress[t].next_seq = p->next_seq;
	return err;
}

static enum ieum_err look(struct retention *r, struct journal *j, const struct retention_ages *ages,
			  bool again)
{
	bool seen[POLICY_TYPES] = { false };
	enum ieum_err err = journal_refresh(j);

	for (size_t t = 0; t < POLICY_TYPES && !err; t++) {
		struct pass p = { .r = r, .received_by_us = ages->received_by_us[t] };

		if (seen[t] || p.received_by_us == INT64_MIN)
			continue;
		for (size_t other = t; other < POLICY_TYPES; other++) {
			p.types[other] = ages->received_by_us[other] == p.received_by_us;
			seen[other] = seen[other] || p.types[other];
		}
		err = look_through(&p, j, again);
	}
	return err;
}

/* ---- the thread ---- */

static void *run(void *arg)
{
	struct retention *r = arg;
	struct journal *j = NULL;
	struct retention_ages ages;
	bool again;

	/* On Linux this is the thread's own.  Failing, it only competes. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), RETENTION_NICE);
	while (wait_for_work(r, &ages, &again)) {
		enum ieum_err err = j ? IEUM_E_OK : journal_open(&r->config, &j);

		if (!err)
			err = look(r, j, &ages, again);
		/* The next look tries again. */
		if (err && err != IEUM_E_STOPPING)
			log_warn("retention_failed", LOG_S("error", ieum_error((int)err)->name));
		set_idle(r);
	}
	journal_close(j);
	return NULL;
}

enum ieum_err retention_new(const struct journal_config *journal, struct retention **out)
{
	struct retention *r = calloc(1, sizeof(*r));
	sigset_t all, before;
	int failed;

	if (!r)
		return IEUM_E_NO_MEMORY;
	r->config = *journal;
	r->config.read_only = true;
	r->config.create = false;
	for (size_t t = 0; t < POLICY_TYPES; t++)
		r->progress[t].next_seq = 1;
	arena_init(&r->arena, EVENT_BUDGET_BYTES);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->woken, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		free(r);
		return IEUM_E_NO_MEMORY;
	}
	*out = r;
	return IEUM_E_OK;
}

void retention_free(struct retention *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->woken);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->woken);
	pthread_mutex_destroy(&r->lock);
	arena_release(&r->arena);
	free(r);
}

/* ---- the loop's calls ---- */

bool retention_is_idle(struct retention *r)
{
	bool idle;

	pthread_mutex_lock(&r->lock);
	idle = r->state == IDLE;
	pthread_mutex_unlock(&r->lock);
	return idle;
}

void retention_start(struct retention *r, const struct retention_ages *ages, bool again)
{
	pthread_mutex_lock(&r->lock);
	if (r->state == IDLE) {
		r->ages = *ages;
		r->again = again;
		r->state = LOOKING;
		pthread_cond_signal(&r->woken);
	}
	pthread_mutex_unlock(&r->lock);
}

struct core_aged *retention_found(struct retention *r, size_t *n)
{
	bool found;

	pthread_mutex_lock(&r->lock);
	found = r->state == FOUND;
	pthread_mutex_unlock(&r->lock);
	*n = found ? r->n_found : 0;
	return found ? r->found : NULL;
}

void retention_took(struct retention *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->state == FOUND)
		r->state = LOOKING;
	pthread_cond_signal(&r->woken);
	pthread_mutex_unlock(&r->lock);
}
