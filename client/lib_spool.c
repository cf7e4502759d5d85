/* libieum: submits on the spool; see lib_spool.h.
 *
 *   ieum_submit ──► writing ──commit──► waiting … sent ──receipt, error──► noted ──commit──► freed
 *                      ▲                   │
 *                      └── other bytes ────┘  (a new id, sealed to others: on the disk first)
 *
 * What always holds: a message whose number isn't 0 has a row; one that is accepted loses it only
 * when its end is noted. */
#include "client/lib_spool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lib_spool_tell(struct ieum *c, const struct ieum_failure *failure)
{
	if (c->options.callbacks.spool_trouble)
		c->options.callbacks.spool_trouble(c, failure, c->options.ctx);
}

void lib_spool_trouble(struct ieum *c, enum ieum_err err)
{
	const struct ieum_failure failure = { err, ieum_error((int)err)->name,
					      spool_why(c->spool->file), LIB_AGAIN_MS };

	lib_spool_tell(c, &failure);
}

void lib_spool_trouble_once(struct ieum *c, enum ieum_err err, const char *why)
{
	const struct ieum_failure failure = { err, ieum_error((int)err)->name, why, LIB_AGAIN_MS };

	if (c->spool->trouble_told)
		return;
	c->spool->trouble_told = true;
	lib_spool_tell(c, &failure);
}

/* The transaction is not to be committed any more; why is kept for those who are in it. */
static void spoil(struct lib_spool *sp, enum ieum_err err)
{
	if (err && !sp->failed.failure.code)
		lib_trouble_set(&sp->failed, err, NULL, spool_why(sp->file), LIB_AGAIN_MS);
}

/* ---- the table by number ---- */

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void add_number(struct lib_spool *sp, struct outgoing *o)
{
	HASH_ADD(hh_number, sp->by_number, number, sizeof o->number, o);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static void remove_number(struct lib_spool *sp, struct outgoing *o)
{
	assert(sp->by_number); /* o is in it */
	HASH_DELETE(hh_number, sp->by_number, o);
}

/* NOLINTNEXTLINE(readability-function-size): uthash's macro */
static struct outgoing *find_number(const struct lib_spool *sp, int64_t number)
{
	struct outgoing *o;

	HASH_FIND(hh_number, sp->by_number, &number, sizeof number, o);
	return o;
}

/* ---- putting ---- */

static struct spool_message message_of(const struct outgoing *o)
{
	struct spool_message m = { .number = o->number,
				   .referral = o->bytes,
				   .len = o->len,
				   .since_ms = lib_wall_ms(),
				   .stamped = o->stamped,
				   .on_wire = o->on_wire,
				   .sealed = o->to_seal  ? SPOOL_SEALED_TO_US
					     : o->sealed ? SPOOL_SEALED_TO_THEM
							 : SPOOL_NOT_SEALED };

	memcpy(m.message_id, o->message_id, sizeof m.message_id);
	return m;
}

enum ieum_err lib_spool_put(struct ieum *c, struct outgoing *o, char why[IEUM_WHY_BYTES])
{
	struct lib_spool *sp = c->spool;
	struct spool_message m = message_of(o);

	/* While there is a connection it may leave at any time after the commit. */
	m.on_wire = c->state == LIB_UP;
	enum ieum_err err = spool_put(sp->file, &m, &o->number);
	if (err) {
		if (why)
			snprintf(why, IEUM_WHY_BYTES, "%s", spool_why(sp->file));
		return err;
	}
	add_number(sp, o);
	o->writing = true;
	TAILQ_INSERT_TAIL(&sp->writing, o, link);
	return IEUM_E_OK;
}

void lib_spool_changed(struct ieum *c, struct outgoing *o)
{
	const struct spool_message m = message_of(o);

	spoil(c->spool, spool_replace(c->spool->file, &m));
	o->writing = true;
	TAILQ_INSERT_TAIL(&c->spool->writing, o, link);
	lib_work_soon(c);
}

/* ---- the end of a message ---- */

static void note_soon(struct ieum *c, int64_t in_ms)
{
	int64_t due = lib_now_ms() + in_ms;

	if (due < c->spool->note_due_ms)
		c->spool->note_due_ms = due;
	lib_work_soon(c);
}

static bool is_covered(const struct ieum *c, const Ieum__V1__Receipt *receipt)
{
	return receipt->journal_number <= c->spool->copied_through &&
	       memcmp(receipt->incarnation.data, c->incarnation, IEUM_ID_BYTES) == 0;
}

void lib_spool_finished(struct ieum *c, struct outgoing *o, const Ieum__V1__Receipt *receipt,
			const struct ieum_failure *failure)
{
	struct lib_spool *sp = c->spool;

	remove_number(sp, o);
	if (receipt && receipt->incarnation.len == IEUM_ID_BYTES && !is_covered(c, receipt)) {
		o->note = LIB_NOTE_RECEIPT;
		o->journal_number = receipt->journal_number;
		memcpy(o->incarnation, receipt->incarnation.data, IEUM_ID_BYTES);
		sp->since_trim += o->len;
	} else if (failure && o->alone) {
		/* Whoever submitted it is gone, or waits no more: it stays for its user to see. */
		o->note = LIB_NOTE_REFUSED;
		o->code = failure->code;
		o->detail = strdup(failure->detail);
	} else {
		o->note = LIB_NOTE_DROP;
	}
	free(o->bytes);
	o->bytes = NULL;
	TAILQ_INSERT_TAIL(&sp->noted, o, link);
	note_soon(c, LIB_NOTE_MS);
}

static void outgoing_free(struct outgoing *o)
{
	free(o->bytes);
	free(o->detail);
	free(o);
}

static enum ieum_err note(struct spool *file, const struct outgoing *o)
{
	switch (o->note) {
	case LIB_NOTE_RECEIPT:
		return spool_receipted(file, o->number, o->incarnation, o->journal_number);
	case LIB_NOTE_REFUSED:
		return spool_refused(file, o->number, o->code, o->detail ? o->detail : "");
	case LIB_NOTE_DROP: break;
	}
	return spool_drop(file, o->number);
}

static uint64_t keep_bytes(const struct ieum *c)
{
	uint64_t all = c->options.spool_bytes_max;

	return c->spool->copied_through ? all / 4 * 3 : c->options.keep_bytes_max;
}

/* Of those with a receipt the oldest go; looked at now and then only. */
static enum ieum_err trim(struct ieum *c, size_t *let_go)
{
	struct lib_spool *sp = c->spool;
	uint64_t keep = keep_bytes(c);

	*let_go = 0;
	if (sp->since_trim <= keep / 16)
		return IEUM_E_OK;
	sp->since_trim = 0;
	return spool_trim(sp->file, keep, let_go);
}

static enum ieum_err write_notes(struct ieum *c, size_t *let_go)
{
	struct lib_spool *sp = c->spool;
	const struct outgoing *o;
	enum ieum_err err = IEUM_E_OK;

	TAILQ_FOREACH(o, &sp->noted, link) {
		err = note(sp->file, o);
		if (err)
			return err;
	}
	return trim(c, let_go);
}

static void notes_written(struct lib_spool *sp)
{
	struct outgoing *o;

	while ((o = TAILQ_FIRST(&sp->noted))) {
		TAILQ_REMOVE(&sp->noted, o, link);
		outgoing_free(o);
	}
	sp->note_due_ms = INT64_MAX;
}

/* ---- the turn's transaction ---- */

/* What a callback submits meanwhile belongs to the next transaction. */
static void take_written(struct lib_spool *sp, struct outgoing_list *out)
{
	TAILQ_INIT(out);
	TAILQ_CONCAT(out, &sp->writing, link);
}

static void rows_are_safe(struct ieum *c)
{
	struct outgoing_list safe;
	struct outgoing *o;

	take_written(c->spool, &safe);
	while ((o = TAILQ_FIRST(&safe))) {
		bool first = !o->accepted;

		o->writing = o->unsaved = false;
		o->marked = o->marked || c->state == LIB_UP;
		o->accepted = true;
		TAILQ_REMOVE(&safe, o, link);
		TAILQ_INSERT_TAIL(&c->waiting, o, link);
		if (first && c->options.callbacks.accepted)
			c->options.callbacks.accepted(c, o->message_id, c->options.ctx);
		lib_id_tell(c, o);
	}
}

/* What was accepted stays so, and is tried again; the others are told that they were not. */
static void undo(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct lib_trouble why = { 0 };
	struct outgoing_list undone;
	struct outgoing *o;
	bool later = false;

	spool_rollback(sp->file);
	lib_trouble_set(&why, sp->failed.failure.code, NULL, sp->failed.detail, LIB_AGAIN_MS);
	lib_trouble_set(&sp->failed, IEUM_E_OK, NULL, NULL, 0);
	take_written(sp, &undone);
	while ((o = TAILQ_FIRST(&undone))) {
		TAILQ_REMOVE(&undone, o, link);
		TAILQ_INSERT_TAIL(&c->waiting, o, link);
		o->writing = false;
		if (o->accepted) {
			o->unsaved = later = true;
			lib_submit_delay(c, o, LIB_AGAIN_MS);
		} else {
			remove_number(sp, o);
			o->number = 0;
			lib_submit_failed(c, o, &why.failure);
		}
	}
	if (!TAILQ_EMPTY(&sp->noted))
		sp->note_due_ms = lib_now_ms() + LIB_AGAIN_MS;
	if (later)
		lib_spool_tell(c, &why.failure);
	lib_spool_inbox_undone(c, &why.failure);
}

static bool notes_are_due(const struct lib_spool *sp)
{
	return !TAILQ_EMPTY(&sp->noted) &&
	       (spool_dirty(sp->file) || sp->note_due_ms <= lib_now_ms());
}

static void commit(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct held_list taken;
	bool notes = notes_are_due(sp), taking = lib_spool_taking_is_due(sp);
	size_t let_go = 0;

	/* One that failed to begin isn't dirty. */
	if (!notes && !taking && !spool_dirty(sp->file) && !sp->failed.failure.code)
		return;
	if (notes && !sp->failed.failure.code)
		spoil(sp, write_notes(c, &let_go));
	if (taking && !sp->failed.failure.code)
		spoil(sp, lib_spool_write_taken(sp));
	if (!sp->failed.failure.code)
		spoil(sp, spool_commit(sp->file));
	if (sp->failed.failure.code) {
		undo(c);
		return;
	}
	if (notes)
		notes_written(sp);
	lib_spool_inbox_committed(c, &taken); /* before any callback */
	rows_are_safe(c);
	lib_spool_inbox_tell_taken(c, &taken);
	if (let_go && c->options.callbacks.let_go)
		c->options.callbacks.let_go(c, let_go, c->options.ctx);
}

/* ---- reading back ---- */

struct loading {
	struct ieum *c;
	unsigned n;
};

static bool has_room(const struct ieum *c)
{
	return c->n_started < c->options.submits_max / 4 * 3 + 1 &&
	       c->started_bytes < c->options.submit_bytes_max / 4 * 3;
}

static bool load_one(const struct spool_message *m, void *arg)
{
	struct loading *l = arg;
	struct lib_spool *sp = l->c->spool;

	if (!has_room(l->c) || l->n == LIB_LOAD_MAX)
		return false;
	if (!find_number(sp, m->number)) {
		struct outgoing *o = lib_submit_loaded(l->c, m->referral, m->len);

		if (!o)
			return false;
		o->number = m->number;
		o->stamped = m->stamped;
		o->on_wire = o->marked = m->on_wire;
		o->to_seal = m->sealed == SPOOL_SEALED_TO_US;
		o->sealed = m->sealed != SPOOL_NOT_SEALED;
		add_number(sp, o);
		l->n++;
	}
	sp->load_after = m->number;
	return true;
}

/* Bounded, and gone on with when there is room again. */
static void load(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct loading l = { .c = c };

	if (!sp->load_more || !has_room(c))
		return;
	enum ieum_err err = spool_waiting(sp->file, sp->load_after, load_one, &l);
	if (err) {
		sp->load_more = false;
		lib_spool_trouble(c, err);
		return;
	}
	sp->load_more = l.n == LIB_LOAD_MAX || !has_room(c);
	if (l.n == LIB_LOAD_MAX)
		lib_work_soon(c);
}

static void load_again(struct lib_spool *sp)
{
	sp->load_after = 0;
	sp->held_after = 0;
	sp->load_more = sp->held_more = true;
}

void lib_spool_turn(struct ieum *c)
{
	if (!c->spool)
		return;
	commit(c);
	load(c);
	lib_spool_inbox_turn(c);
}

/* ---- the hub ---- */

static enum ieum_err commit_or_undo(struct spool *file, enum ieum_err err)
{
	if (!err)
		return spool_commit(file);
	spool_rollback(file);
	return err;
}

/* What has to be on the disk before there can be a connection: nothing, mostly. */
static enum ieum_err meet(struct ieum *c, const Ieum__V1__Welcome *w, size_t *resending)
{
	struct spool *file = c->spool->file;
	enum ieum_err err = spool_bind(file, w->participant, w->hub);

	if (!err)
		err = spool_again(file, w->incarnation.data, resending);
	return commit_or_undo(file, err);
}

/* From now on they may be on the wire; those excepted that lib_id_renew() will give another id, which
 * has its row written then. */
static enum ieum_err mark_sending(struct ieum *c, const struct lib_id_window *w)
{
	return spool_sending(c->spool->file, w->oldest_ms, w->newest_ms);
}

static void are_marked(struct ieum *c, const struct lib_id_window *w)
{
	struct outgoing *o;

	TAILQ_FOREACH(o, &c->started, started) {
		if (o->number && (!o->stamped || lib_id_fits(w, o->message_id)))
			o->marked = true;
	}
}

/* The rest must not keep us from the hub where the disk is full: the messages whose rows don't say
 * yet that they are sent are written first, each by itself, when that works again. */
static void prepare(struct ieum *c, const Ieum__V1__Welcome *w)
{
	const struct lib_id_window window = lib_id_window(c);
	struct lib_spool *sp = c->spool;
	size_t adopted;
	enum ieum_err err = spool_adopt(sp->file, c->options.spool_deliveries, &adopted);

	if (!err)
		err = mark_sending(c, &window);
	err = commit_or_undo(sp->file, err);
	if (!err)
		are_marked(c, &window);
	if (!err && w->copied_through)
		err = spool_copied(sp->file, w->incarnation.data, w->copied_through);
	if (!err)
		err = spool_note_hub(sp->file, w->incarnation.data, w->copied_through);
	err = commit_or_undo(sp->file, err);
	if (err)
		lib_spool_trouble(c, err);
}

bool lib_spool_must_mark(const struct ieum *c, const struct outgoing *o)
{
	return c->spool && !o->marked;
}

bool lib_spool_welcome(struct ieum *c, const Ieum__V1__Welcome *welcome, size_t *resending)
{
	struct lib_spool *sp = c->spool;

	*resending = 0;
	if (!sp)
		return true;
	commit(c); /* a receipt that isn't noted yet isn't of the new incarnation */
	enum ieum_err err = meet(c, welcome, resending);
	if (err) {
		lib_drop(c, err, spool_why(sp->file));
		return false;
	}
	prepare(c, welcome);
	sp->copied_through = welcome->copied_through;
	sp->adopt_due_ms = lib_now_ms() + LIB_ADOPT_MS;
	load_again(sp);
	lib_work_soon(c);
	return true;
}

void lib_spool_copied(struct ieum *c, const Ieum__V1__Copied *copied)
{
	struct lib_spool *sp = c->spool;

	if (copied->incarnation.len != IEUM_ID_BYTES ||
	    memcmp(copied->incarnation.data, c->incarnation, IEUM_ID_BYTES) != 0)
		return;
	lib_submits_copied(c, copied->journal_number);
	if (!sp || copied->journal_number <= sp->copied_through)
		return;
	sp->copied_through = copied->journal_number;
	/* Should this fail, the next one, or the next Welcome, does it. */
	if (!spool_copied(sp->file, copied->incarnation.data, copied->journal_number))
		(void)!spool_note_hub(sp->file, copied->incarnation.data, copied->journal_number);
	lib_work_soon(c);
}

/* The spool counts also what has just ended and isn't noted yet. */
uint64_t lib_spool_waiting(struct ieum *c)
{
	const struct outgoing *o;
	struct spool_sum sum;
	uint64_t noted = 0;

	if (!c->spool || spool_sum(c->spool->file, &sum))
		return c->n_started;
	TAILQ_FOREACH(o, &c->spool->noted, link) {
		noted++;
	}
	return sum.waiting > noted ? sum.waiting - noted : 0;
}

bool lib_spool_idle(const struct ieum *c)
{
	return c->n_started == 0 && !(c->spool && c->spool->load_more);
}

/* ---- pages ---- */

static void keep_result(struct ieum *c, const char *name, const Ieum__V1__Result *const *results,
			struct spool_page *pages, size_t n)
{
	struct buf all;
	bool packed = true;
	enum ieum_err err = IEUM_E_OK;

	buf_init(&all, LIB_PAGES_MAX_BYTES);
	for (size_t i = 0; i < n; i++) { /* where they lie is known only at the end */
		size_t len = ieum__v1__result__get_packed_size(results[i]);
		uint8_t *to = packed ? buf_reserve(&all, len + 1) : NULL;

		packed = to != NULL;
		if (to)
			buf_commit(&all, ieum__v1__result__pack(results[i], to));
		pages[i].len = len;
	}
	for (size_t i = 0, at = 0; packed && i < n; at += pages[i++].len)
		pages[i].bytes = buf_bytes(&all) + at;
	if (packed)
		err = spool_keep_pages(c->spool->file, name, lib_wall_ms(), pages, n);
	if (err)
		lib_spool_trouble(c, err);
	buf_release(&all);
	lib_work_soon(c);
}

void ieum_keep_result(struct ieum *c, const char *name, const Ieum__V1__Result *const *pages,
		      size_t n)
{
	struct spool_page *room = c->spool && n > 0 ? calloc(n, sizeof *room) : NULL;

	if (room)
		keep_result(c, name, pages, room, n);
	free(room);
}

/* ---- time ---- */

int64_t lib_spool_due_ms(const struct ieum *c)
{
	const struct lib_spool *sp = c->spool;

	if (!sp)
		return INT64_MAX;
	int64_t due = sp->adopt_due_ms < sp->note_due_ms ? sp->adopt_due_ms : sp->note_due_ms;
	return !TAILQ_EMPTY(&sp->taking) && sp->take_due_ms < due ? sp->take_due_ms : due;
}

void lib_spool_tick(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	size_t adopted = 0;

	if (!sp || lib_now_ms() < sp->adopt_due_ms)
		return;
	lib_spool_inbox_rested(c);
	sp->adopt_due_ms = lib_now_ms() + LIB_ADOPT_MS;
	enum ieum_err err = spool_adopt(sp->file, c->options.spool_deliveries, &adopted);
	if (err)
		lib_spool_trouble_once(c, err, spool_why(sp->file));
	if (adopted)
		load_again(sp);
}

/* ---- opening ---- */

static enum ieum_err open_file(struct ieum *c, char why[IEUM_WHY_BYTES])
{
	const struct tls_identity *own = tls_own(c->tls);
	const struct spool_options options = {
		.path = c->options.spool,
		.participant = own && own->name[0] ? own->name : NULL,
		.hub = own && own->hub[0] ? own->hub : NULL,
		.bytes_max = c->options.spool_bytes_max,
	};

	return spool_open(&options, &c->spool->file, why);
}

/* The incarnation that the hub had when somebody last spoke to it from here. */
static enum ieum_err remember_hub(struct ieum *c, char why[IEUM_WHY_BYTES])
{
	struct lib_spool *sp = c->spool;
	struct spool_sum sum;
	size_t adopted;
	enum ieum_err err = spool_sum(sp->file, &sum);

	if (!err && sum.has_incarnation) {
		memcpy(c->incarnation, sum.incarnation, IEUM_ID_BYTES);
		c->incarnation_n = 1;
		c->receipt_number = sum.receipt_number > sum.copied_through ? sum.receipt_number
									    : sum.copied_through;
	}
	if (!err)
		err = spool_adopt(sp->file, c->options.spool_deliveries, &adopted);
	if (!err)
		err = spool_commit(sp->file);
	if (err)
		snprintf(why, IEUM_WHY_BYTES, "%s", spool_why(sp->file));
	return err;
}

_Static_assert((int)SPOOL_WHY_BYTES == (int)IEUM_WHY_BYTES, "a reason's room");

enum ieum_err lib_spool_open(struct ieum *c, char why[IEUM_WHY_BYTES])
{
	struct lib_spool *sp;
	enum ieum_err err;

	if (!c->options.spool)
		return IEUM_E_OK;
	c->spool = sp = calloc(1, sizeof *sp);
	if (!sp)
		return IEUM_E_NO_MEMORY;
	TAILQ_INIT(&sp->writing);
	TAILQ_INIT(&sp->noted);
	TAILQ_INIT(&sp->pending);
	TAILQ_INIT(&sp->ready);
	TAILQ_INIT(&sp->handed);
	TAILQ_INIT(&sp->taking);
	TAILQ_INIT(&sp->resting);
	sp->note_due_ms = INT64_MAX;
	sp->adopt_due_ms = lib_now_ms() + LIB_ADOPT_MS;
	sp->since_trim = UINT64_MAX / 2; /* look once */
	load_again(sp);
	err = open_file(c, why);
	if (!err)
		err = remember_hub(c, why);
	if (!err)
		lib_work_soon(c);
	return err;
}

void lib_spool_close(struct ieum *c)
{
	struct lib_spool *sp = c->spool;
	struct outgoing *o;
	size_t let_go;

	if (!sp)
		return;
	/* What isn't accepted must not be found there later. */
	if (sp->file && TAILQ_EMPTY(&sp->writing) && TAILQ_EMPTY(&sp->pending) &&
	    !write_notes(c, &let_go) && !lib_spool_write_taken(sp) && !lib_spool_unmark(sp))
		(void)!spool_commit(sp->file);
	HASH_CLEAR(hh_number, sp->by_number);
	while ((o = TAILQ_FIRST(&sp->writing))) {
		TAILQ_REMOVE(&sp->writing, o, link);
		outgoing_free(o);
	}
	notes_written(sp);
	lib_spool_inbox_free(sp);
	spool_close(sp->file);
	free(sp);
	c->spool = NULL;
}
