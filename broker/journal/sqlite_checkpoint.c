/* Checkpoints off the commit path: the WAL moves into the database while commits go on.
 *
 *   wal_bytes > mark ──► the checkpointer's thread and connection move what there is
 *   (PASSIVE: stops no one), again and again until little is left
 *         ──► between two commits the writer moves that rest itself ──► the next commit
 *   starts the WAL file from its beginning.
 *
 * A WAL file used again is worth the trouble: overwriting it costs fdatasync about
 * half of what growing it does.  A reader in the middle of a transaction only delays
 * all this; reading in chunks keeps that short. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "broker/journal/sqlite_store.h"

enum { ROUNDS_MAX = 4 };

struct sqlite_checkpointer {
	sqlite3 *db; /* the thread's */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	/* Under the mutex. */
	bool stop;
	bool wanted; /* from the request until its end */
	bool ended;  /* a request has ended and the writer has not looked yet */
	int rc;
	size_t left_bytes; /* not yet moved when it ended */
};

static int move_wal(sqlite3 *db, int mode, size_t *left)
{
	int pages = 0;
	int moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(db, NULL, mode, &pages, &moved);

	*left = pages > moved ? (size_t)(pages - moved) * SQLITE_PAGE_BYTES : 0;
	if (rc != SQLITE_BUSY)
		return rc;
	*left = SIZE_MAX; /* a reader is in the way; later, then */
	return SQLITE_OK;
}

static void *run(void *arg)
{
	struct sqlite_checkpointer *c = arg;

	pthread_mutex_lock(&c->mutex);
	for (;;) {
		while (!c->stop && (!c->wanted || c->ended))
			pthread_cond_wait(&c->wake, &c->mutex);
		if (c->stop)
			break;
		pthread_mutex_unlock(&c->mutex);

		size_t left = SIZE_MAX;
		int rc = SQLITE_OK;
		for (int i = 0; !rc && i < ROUNDS_MAX && left > SQLITE_WAL_FINISH_BYTES; i++)
			rc = move_wal(c->db, SQLITE_CHECKPOINT_PASSIVE, &left);

		pthread_mutex_lock(&c->mutex);
		c->rc = rc;
		c->left_bytes = left;
		c->ended = true;
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

enum ieum_err sqlite_checkpointer_start(const char *path, const char *vfs,
					struct sqlite_checkpointer **out)
{
	struct sqlite_checkpointer *c = calloc(1, sizeof *c);
	enum ieum_err err;
	sigset_t all;
	sigset_t before;

	if (!c)
		return IEUM_E_NO_MEMORY;
	err = sqlite_err(
		sqlite3_open_v2(path, &c->db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, vfs));
	if (!err)
		err = sqlite_err(
			sqlite3_exec(c->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL));
	if (err) {
		sqlite3_close(c->db);
		free(c);
		return err;
	}
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&c->thread, NULL, run, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		pthread_cond_destroy(&c->wake);
		pthread_mutex_destroy(&c->mutex);
		sqlite3_close(c->db);
		free(c);
		return IEUM_E_NO_MEMORY;
	}
	*out = c;
	return IEUM_E_OK;
}

void sqlite_checkpointer_stop(struct sqlite_checkpointer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->mutex);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	sqlite3_close(c->db);
	free(c);
}

enum progress { PROGRESS_FREE, PROGRESS_MOVING, PROGRESS_ENDED };

static enum progress look(struct sqlite_checkpointer *c, int *rc, size_t *left)
{
	enum progress p = PROGRESS_FREE;

	pthread_mutex_lock(&c->mutex);
	if (c->ended) {
		p = PROGRESS_ENDED;
		*rc = c->rc;
		*left = c->left_bytes;
		c->ended = c->wanted = false;
	} else if (c->wanted) {
		p = PROGRESS_MOVING;
	}
	pthread_mutex_unlock(&c->mutex);
	return p;
}

static void request(struct sqlite_checkpointer *c)
{
	pthread_mutex_lock(&c->mutex);
	c->wanted = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
}

/* A full disk leaves everything in the WAL, where it is durable; other failures don't
 * tell what is on disk any more. */
static enum ieum_err outcome(struct sqlite_store *s, int rc)
{
	enum ieum_err err = sqlite_err(rc);

	if (!err)
		return IEUM_E_OK;
	journal_log(s->log_cb, s->log_ctx, "journal: checkpoint: %s (%d)", sqlite3_errstr(rc), rc);
	return err == IEUM_E_DISK_FULL || err == IEUM_E_UNAVAILABLE ? IEUM_E_OK : IEUM_E_JOURNAL_IO;
}

/* On the writer's own connection, so no commit can come between. */
static enum ieum_err finish(struct sqlite_store *s)
{
	size_t left;
	int rc = move_wal(s->db, SQLITE_CHECKPOINT_PASSIVE, &left);

	s->wal_tried_bytes = s->wal_bytes;
	return outcome(s, rc);
}

static enum ieum_err maintain_idle(struct sqlite_store *s)
{
	size_t left;

	if (!s->erased)
		return s->wal_bytes > s->wal_tried_bytes + s->wal_mark_bytes / SQLITE_WAL_IDLE_PART
			       ? finish(s)
			       : IEUM_E_OK;
	/* What was erased is still readable in the WAL: cut it off, without waiting for readers. */
	sqlite3_busy_timeout(s->db, 0);
	int rc = move_wal(s->db, SQLITE_CHECKPOINT_TRUNCATE, &left);
	sqlite3_busy_timeout(s->db, SQLITE_BUSY_MS);
	if (!rc && left == 0) {
		s->erased = false;
		s->wal_bytes = s->wal_tried_bytes = 0;
	}
	return outcome(s, rc);
}

enum ieum_err sqlite_checkpoint_maintain(void *store, bool idle)
{
	struct sqlite_store *s = store;
	int rc = SQLITE_OK;
	size_t left = 0;
	enum ieum_err err;

	switch (look(s->checkpointer, &rc, &left)) {
	case PROGRESS_MOVING: return IEUM_E_OK;
	case PROGRESS_ENDED:
		err = outcome(s, rc);
		s->wal_tried_bytes = s->wal_bytes;
		if (err || rc)
			return err;
		if (left <= SQLITE_WAL_FINISH_BYTES ||
		    s->wal_bytes > s->wal_mark_bytes * SQLITE_WAL_CEILING_MARKS)
			return finish(s);
		break;
	case PROGRESS_FREE: break;
	}
	if (idle)
		return maintain_idle(s);
	if (s->wal_bytes > s->wal_tried_bytes + s->wal_mark_bytes)
		request(s->checkpointer);
	return IEUM_E_OK;
}
