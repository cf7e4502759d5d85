/* The journal thread; see committer.h for the hand-over.
 *
 *   waiting ── submit ──► committing ── done ──► tidying ──► waiting
 *      │ 20 ms                │  ▲
 *      ▼                DISK_FULL, UNAVAILABLE,
 *   tidying (idle)      COMMIT_UNKNOWN: stalled, again after a growing delay
 *
 * The mutex guards every field but those marked; it is never held during I/O.  The
 * batch itself needs no lock: submit and reap move it under the mutex. */
#include "broker/journal/committer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	IDLE_AGAIN_MS = 5000, /* housekeeping that a reader kept from its end */
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
};

struct committer {
	struct journal *journal; /* the thread's own */
	int fd;                  /* constant */
	pthread_t thread;        /* the loop's own */
	bool joined;             /* the loop's own */

	pthread_mutex_t mutex;
	pthread_cond_t wake; /* the thread waits here: work or stop */
	bool stop;
	struct journal_batch *work; /* submitted, not finished */
	struct journal_batch *done; /* finished, not reaped */
	enum ieum_err result;       /* of done */
	enum committer_state state;
	enum ieum_err trouble;
	struct committer_stats stats;
};

static void tell_loop(struct committer *c)
{
	uint64_t one = 1;

	while (write(c->fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* Clears the eventfd before the state is looked at, so that no news is lost. */
static void clear_news(struct committer *c)
{
	uint64_t count;

	while (read(c->fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

static struct timespec from_now(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / MS_PER_S;
	t.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
	if (t.tv_nsec >= (long)MS_PER_S * NS_PER_MS) {
		t.tv_sec++;
		t.tv_nsec -= (long)MS_PER_S * NS_PER_MS;
	}
	return t;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void set_state(struct committer *c, enum committer_state state, enum ieum_err trouble)
{
	pthread_mutex_lock(&c->mutex);
	bool news = c->state != state || c->trouble != trouble;
	if (state == COMMITTER_STALLED && c->state != COMMITTER_STALLED)
		c->stats.stalls++;
	c->state = state;
	c->trouble = trouble;
	pthread_mutex_unlock(&c->mutex);
	if (news)
		tell_loop(c);
}

/* Waits out the delay; true when told to stop meanwhile. */
static bool stopped_within(struct committer *c, unsigned ms)
{
	struct timespec until = from_now(ms);
	int rc = 0;

	pthread_mutex_lock(&c->mutex);
	while (!c->stop && rc == 0)
		rc = pthread_cond_timedwait(&c->wake, &c->mutex, &until);
	bool stop = c->stop;
	pthread_mutex_unlock(&c->mutex);
	return stop;
}

/* One try.  An unknown fate is asked for before the batch is given again. */
static enum ieum_err commit_once(struct committer *c, struct journal_batch *b, bool *unknown)
{
	enum ieum_err err;

	if (*unknown) {
		bool committed = false;

		err = journal_resolve(c->journal, b, &committed);
		if (err || committed)
			return err;
		*unknown = false;
	}
	err = journal_append(c->journal, b);
	*unknown = err == IEUM_E_COMMIT_UNKNOWN;
	return err;
}

static bool worth_retrying(enum ieum_err err)
{
	return err == IEUM_E_DISK_FULL || err == IEUM_E_UNAVAILABLE || err == IEUM_E_COMMIT_UNKNOWN;
}

static enum ieum_err commit(struct committer *c, struct journal_batch *b)
{
	unsigned delay_ms = COMMITTER_RETRY_MIN_MS;
	bool unknown = false;
	bool stalled = false;
	enum ieum_err err = commit_once(c, b, &unknown);

	/* What is merely unknown is asked for at once. */
	if (err == IEUM_E_COMMIT_UNKNOWN)
		err = commit_once(c, b, &unknown);
	while (worth_retrying(err)) {
		stalled = true;
		set_state(c, COMMITTER_STALLED, err);
		if (stopped_within(c, delay_ms))
			return err;
		delay_ms = delay_ms * 2 < COMMITTER_RETRY_MAX_MS ? delay_ms * 2
								 : COMMITTER_RETRY_MAX_MS;
		err = commit_once(c, b, &unknown);
	}
	if (!err && stalled)
		set_state(c, COMMITTER_RUNNING, IEUM_E_OK);
	return err;
}

static void finish(struct committer *c, struct journal_batch *b, enum ieum_err err,
		   uint64_t took_us)
{
	pthread_mutex_lock(&c->mutex);
	if (!err) {
		c->stats.commits++;
		c->stats.events += b->n_events;
		c->stats.bytes += b->bytes;
		c->stats.commit_us_total += took_us;
		if (took_us > c->stats.commit_us_max)
			c->stats.commit_us_max = took_us;
	} else if (!worth_retrying(err)) {
		c->state = COMMITTER_FAILED;
		c->trouble = err;
	}
	c->result = err;
	c->done = b;
	c->work = NULL;
	pthread_mutex_unlock(&c->mutex);
	tell_loop(c);
}

static bool tidy(struct committer *c, bool idle)
{
	enum ieum_err err = journal_maintain(c->journal, idle);

	if (err)
		set_state(c, COMMITTER_FAILED, err);
	return !err;
}

/* The next batch, NULL when it is time to stop.  Tidies when nothing comes. */
static struct journal_batch *wait_for_work(struct committer *c)
{
	struct timespec until = from_now(COMMITTER_IDLE_MS);
	struct journal_batch *b;

	pthread_mutex_lock(&c->mutex);
	while (!c->work && !c->stop) {
		if (pthread_cond_timedwait(&c->wake, &c->mutex, &until) != ETIMEDOUT || c->work ||
		    c->stop)
			continue;
		pthread_mutex_unlock(&c->mutex);
		tidy(c, true);
		until = from_now(IDLE_AGAIN_MS);
		pthread_mutex_lock(&c->mutex);
	}
	b = c->work;
	pthread_mutex_unlock(&c->mutex);
	return b;
}

static void *run(void *arg)
{
	struct committer *c = arg;
	struct journal_batch *b;

	while ((b = wait_for_work(c))) {
		uint64_t began_us = now_us();
		enum ieum_err err = commit(c, b);
		uint64_t took_us = now_us() - began_us;

		if (!err)
			journal_read_all(c->journal, b);
		finish(c, b, err, took_us);
		if (!err)
			tidy(c, false);
	}
	tidy(c, true);
	return NULL;
}

static enum ieum_err start(struct committer *c)
{
	pthread_condattr_t attr;
	sigset_t all;
	sigset_t before;

	pthread_mutex_init(&c->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return IEUM_E_OK;
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	return IEUM_E_NO_MEMORY;
}

enum ieum_err committer_new(struct journal *j, struct committer **out)
{
	struct committer *c = calloc(1, sizeof *c);
	enum ieum_err err = IEUM_E_NO_MEMORY;

	*out = NULL;
	if (!c)
		return err;
	c->journal = j;
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->fd >= 0)
		err = start(c);
	if (err) {
		if (c->fd >= 0)
			close(c->fd);
		free(c);
		return err;
	}
	*out = c;
	return IEUM_E_OK;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	committer_stop(c);
	journal_batch_free(c->done);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	close(c->fd);
	free(c);
}

int committer_fd(const struct committer *c)
{
	return c->fd;
}

bool committer_busy(struct committer *c)
{
	pthread_mutex_lock(&c->mutex);
	bool busy = c->work || c->done;
	pthread_mutex_unlock(&c->mutex);
	return busy;
}

enum ieum_err committer_submit(struct committer *c, struct journal_batch *b)
{
	enum ieum_err err = IEUM_E_OK;

	pthread_mutex_lock(&c->mutex);
	if (c->stop || c->state == COMMITTER_FAILED)
		err = IEUM_E_UNAVAILABLE;
	else if (c->work || c->done)
		err = IEUM_E_STATE_CONFLICT;
	else
		c->work = b;
	pthread_mutex_unlock(&c->mutex);
	/* Signalled without the mutex: the thread would only wake to wait for it. */
	if (!err)
		pthread_cond_signal(&c->wake);
	return err;
}

struct journal_batch *committer_reap(struct committer *c, enum ieum_err *result)
{
	clear_news(c);
	pthread_mutex_lock(&c->mutex);
	struct journal_batch *b = c->done;
	*result = b ? c->result : IEUM_E_OK;
	c->done = NULL;
	pthread_mutex_unlock(&c->mutex);
	return b;
}

enum committer_state committer_state(struct committer *c)
{
	pthread_mutex_lock(&c->mutex);
	enum committer_state state = c->state;
	pthread_mutex_unlock(&c->mutex);
	return state;
}

enum ieum_err committer_trouble(struct committer *c)
{
	pthread_mutex_lock(&c->mutex);
	enum ieum_err trouble = c->trouble;
	pthread_mutex_unlock(&c->mutex);
	return trouble;
}

void committer_stop(struct committer *c)
{
	if (c->joined)
		return;
	pthread_mutex_lock(&c->mutex);
	c->stop = true;
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_signal(&c->wake);
	pthread_join(c->thread, NULL);
	c->joined = true;
	/* Whoever failed stays failed: a stop must not look like a clean end. */
	if (c->state != COMMITTER_FAILED)
		c->state = COMMITTER_STOPPED;
}

void committer_stats(struct committer *c, struct committer_stats *stats)
{
	pthread_mutex_lock(&c->mutex);
	*stats = c->stats;
	pthread_mutex_unlock(&c->mutex);
}
