#include "broker/snapshotter.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/log.h"
#include "broker/replay.h"

/* Folding takes a whole processor for seconds; the loop and the journal thread go first. */
enum {
	SNAPSHOTTER_NICE = 10,
	SNAPSHOTTER_BYTES_PER_EVENT =
		200, /* of a snapshot, that take as long as folding an event */
};

struct snapshotter {
	struct snapshotter_config config; /* last_seq: the thread's alone once it runs */
	pthread_t thread;
	atomic_bool stop;
	_Atomic uint64_t interval; /* events between two snapshots */
	uint64_t noted_seq;        /* the loop's alone: committed when the thread was last woken */
	pthread_mutex_t lock;
	pthread_cond_t woken;
	uint64_t wanted_seq; /* under the lock: a snapshot at or after this, 0: none wanted */
};

/* Waits for work; false when it is time to end. */
static bool wait_for_work(struct snapshotter *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->wanted_seq == 0 && !atomic_load(&s->stop))
		pthread_cond_wait(&s->woken, &s->lock);
	s->wanted_seq = 0;
	pthread_mutex_unlock(&s->lock);
	return !atomic_load(&s->stop);
}

/* Reading and writing the whole state must not cost more than folding the events in between: a
 * large state is written less often. */
static void space_out(struct snapshotter *s, size_t bytes)
{
	uint64_t worth = bytes / SNAPSHOTTER_BYTES_PER_EVENT;

	atomic_store(&s->interval, worth > s->config.every_events ? worth : s->config.every_events);
}

static enum ieum_err write_snapshot(struct snapshotter *s, struct journal *j)
{
	struct replay replay = { .limits = s->config.limits, .cancel = &s->stop, .quiet = true };
	struct core *core = NULL;
	struct buf bytes;
	enum ieum_err err = journal_refresh(j);

	if (!err)
		err = replay_journal(j, &replay, &core);
	if (err)
		return err;
	buf_init(&bytes, JOURNAL_SNAPSHOT_BYTES_MAX);
	err = core_snapshot_write(core, &bytes);
	if (!err)
		err = journal_snapshot_put(j, core_last_seq(core), CORE_SNAPSHOT_VERSION,
					   buf_bytes(&bytes), buf_len(&bytes));
	if (!err) {
		space_out(s, buf_len(&bytes));
		log_info("snapshot", LOG_U("seq", core_last_seq(core)),
			 LOG_U("bytes", buf_len(&bytes)), LOG_U("folded", replay.events));
	}
	buf_release(&bytes);
	core_free(core);
	return err;
}

static void *run(void *arg)
{
	struct snapshotter *s = arg;
	struct journal *j = NULL;

	/* On Linux this is the thread's own.  Failing, it only competes. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), SNAPSHOTTER_NICE);
	while (wait_for_work(s)) {
		enum ieum_err err = j ? IEUM_E_OK : journal_open(&s->config.journal, &j);

		if (!err)
			err = write_snapshot(s, j);
		/* Without snapshots a restart takes longer; nothing else is lost. */
		if (err && err != IEUM_E_STOPPING)
			log_warn("snapshot_failed", LOG_S("error", ieum_error((int)err)->name));
	}
	journal_close(j);
	return NULL;
}

enum ieum_err snapshotter_new(const struct snapshotter_config *config, struct snapshotter **out)
{
	struct snapshotter *s = calloc(1, sizeof(*s));
	sigset_t all, before;
	int failed;

	if (!s)
		return IEUM_E_NO_MEMORY;
	s->config = *config;
	s->config.journal.read_only = true;
	s->config.journal.create = false;
	s->noted_seq = config->last_seq;
	atomic_init(&s->interval, config->every_events);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->woken, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		free(s);
		return IEUM_E_NO_MEMORY;
	}
	*out = s;
	return IEUM_E_OK;
}

void snapshotter_note(struct snapshotter *s, uint64_t seq)
{
	if (!s || seq - s->noted_seq < atomic_load(&s->interval))
		return;
	s->noted_seq = seq;
	pthread_mutex_lock(&s->lock);
	s->wanted_seq = seq;
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
}

void snapshotter_free(struct snapshotter *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->stop, true);
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->woken);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
