/* libieum: settles on their way.
 *
 * They wait in `settles`; each loop turn what waits goes as one batch, and the hub answers
 * batches cumulatively.  A lost connection puts batches back in front.  The hub refuses a batch
 * whole when it doesn't know one delivery of it, so then each goes by itself. */
#include <stdlib.h>
#include <string.h>

#include "client/lib_internal.h"
#include "proto/resident_number.h"
#include "proto/utf8.h"

static void op_finish(struct ieum *c, struct settle_op *op, const struct ieum_failure *failure)
{
	c->n_settles--;
	lib_inbox_settled(c, op->delivery_id, op->how, failure != NULL);
	if (op->cb)
		op->cb(c, op->delivery_id, failure, op->arg);
	free(op);
}

static void free_ops(struct settle_ops *ops)
{
	struct settle_op *op;

	while ((op = STAILQ_FIRST(ops))) {
		STAILQ_REMOVE_HEAD(ops, link);
		free(op);
	}
}

/* Takes the batch out and frees it; its settles are the caller's. */
static void take_batch(struct ieum *c, struct settle_batch *batch, struct settle_ops *ops)
{
	lib_request_remove(c, &batch->request);
	TAILQ_REMOVE(&c->batches, batch, link);
	STAILQ_INIT(ops);
	STAILQ_CONCAT(ops, &batch->ops);
	free(batch);
}

static void finish_batch(struct ieum *c, struct settle_batch *batch,
			 const struct ieum_failure *failure)
{
	struct settle_ops ops;
	struct settle_op *op;

	take_batch(c, batch, &ops);
	while ((op = STAILQ_FIRST(&ops))) {
		STAILQ_REMOVE_HEAD(&ops, link);
		op_finish(c, op, failure);
	}
}

/* In front of those that wait. */
static void put_back(struct ieum *c, struct settle_ops *ops)
{
	STAILQ_CONCAT(ops, &c->settles);
	STAILQ_CONCAT(&c->settles, ops);
}

void lib_settles_through(struct ieum *c, uint64_t request_id)
{
	struct settle_batch *batch;

	while ((batch = TAILQ_FIRST(&c->batches)) && batch->request.id <= request_id)
		finish_batch(c, batch, NULL);
	lib_work_soon(c);
}

/* Settled comes by lib_settles_through(), so this is an Error. */
static void settle_answered(struct ieum *c, struct request *r, const struct codec_frame *frame,
			    const struct ieum_failure *failure)
{
	struct settle_batch *batch = (struct settle_batch *)r;
	struct settle_op *op = STAILQ_FIRST(&batch->ops);
	struct settle_ops ops;

	if (!failure) {
		if (frame)
			lib_drop(c, IEUM_E_FRAME_UNEXPECTED,
				 "a settle was answered by something else");
		return; /* the batch goes again, or lib_settles_free() frees it */
	}
	if (failure->retry_after_ms > 0 ||
	    ieum_error((int)failure->code)->retry == IEUM_RETRY_RECONNECT) {
		/* The settles go again after the pause that a new connection takes. */
		c->reconnect_hint_ms = failure->retry_after_ms;
		lib_drop(c, failure->code, failure->detail);
	} else if (STAILQ_NEXT(op, link)) {
		take_batch(c, batch, &ops);
		STAILQ_FOREACH(op, &ops, link)
			op->alone = true;
		put_back(c, &ops);
	} else {
		finish_batch(c, batch, failure);
	}
}

void lib_settles_lost(struct ieum *c)
{
	struct settle_batch *batch;
	struct settle_ops ops;

	while ((batch = TAILQ_LAST(&c->batches, settle_batches))) {
		take_batch(c, batch, &ops);
		put_back(c, &ops);
	}
}

/* ---- sending ---- */

struct settle_arrays {
	uint64_t done[CODEC_SETTLE_MAX], release[CODEC_SETTLE_MAX];
	Ieum__V1__DeliveryRefusal refusals[CODEC_SETTLE_MAX], *refuse[CODEC_SETTLE_MAX];
};

static void add_op(struct ieum *c, struct settle_op *op, Ieum__V1__Settle *settle,
		   struct settle_arrays *arrays)
{
	uint64_t id = lib_inbox_wire_id(c, op->delivery_id);

	switch (op->how) {
	case IEUM_SETTLE_DONE: arrays->done[settle->n_done++] = id; break;
	case IEUM_SETTLE_RELEASE: arrays->release[settle->n_release++] = id; break;
	case IEUM_SETTLE_REFUSE: {
		Ieum__V1__DeliveryRefusal *refusal = &arrays->refusals[settle->n_refuse];

		ieum__v1__delivery_refusal__init(refusal);
		refusal->delivery_id = id;
		refusal->reason = op->reason;
		arrays->refuse[settle->n_refuse++] = refusal;
		break;
	}
	}
}

static bool send_batch(struct ieum *c)
{
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	Ieum__V1__Settle settle = IEUM__V1__SETTLE__INIT;
	struct settle_batch *batch = calloc(1, sizeof *batch);
	struct settle_arrays *arrays = malloc(sizeof *arrays);
	struct settle_op *op = STAILQ_FIRST(&c->settles);
	bool sent = false, alone = op->alone;

	if (!batch || !arrays)
		goto out;
	batch->request.answered = settle_answered;
	STAILQ_INIT(&batch->ops);
	for (int n = 0; op && n < (alone ? 1 : CODEC_SETTLE_MAX) && op->alone == alone; n++) {
		STAILQ_REMOVE_HEAD(&c->settles, link);
		STAILQ_INSERT_TAIL(&batch->ops, op, link);
		add_op(c, op, &settle, arrays);
		op = STAILQ_FIRST(&c->settles);
	}
	settle.done = arrays->done;
	settle.release = arrays->release;
	settle.refuse = arrays->refuse;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLE;
	frame.settle = &settle;
	sent = lib_request_send(c, &batch->request, &frame) == IEUM_E_OK;
	if (sent) {
		TAILQ_INSERT_TAIL(&c->batches, batch, link);
		batch = NULL;
	} else {
		put_back(c, &batch->ops);
	}
out:
	free(arrays);
	free(batch);
	return sent;
}

void lib_settles_send(struct ieum *c)
{
	while (!STAILQ_EMPTY(&c->settles) && lib_request_room(c))
		if (!send_batch(c))
			return;
}

/* ---- settling ---- */

enum ieum_err ieum_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
			  const char *reason, ieum_settle_cb *cb, void *arg)
{
	enum ieum_err err;

	if (lib_spool_settle(c, delivery_id, how, cb, arg, &err))
		return err;
	err = lib_settle(c, delivery_id, how, reason, cb, arg);
	if (!err && how == IEUM_SETTLE_DONE)
		lib_inbox_taken(c, delivery_id);
	return err;
}

enum ieum_err lib_settle(struct ieum *c, uint64_t delivery_id, enum ieum_settle how,
			 const char *reason, ieum_settle_cb *cb, void *arg)
{
	size_t len = reason ? strlen(reason) : 0;

	if (how == IEUM_SETTLE_REFUSE && len == 0)
		return IEUM_E_REASON_MISSING;
	if (len > IEUM_REASON_MAX_BYTES)
		return IEUM_E_FIELD_TOO_LARGE;
	if (len > 0 && !utf8_text_valid((const uint8_t *)reason, len))
		return IEUM_E_TEXT_INVALID;
	if (resident_number_found(reason ? reason : "", len))
		return IEUM_E_RESIDENT_NUMBER;
	if (c->n_settles >= LIB_SETTLES_MAX)
		return IEUM_E_TOO_MANY_REQUESTS;
	struct settle_op *op = malloc(sizeof *op + len + 1);
	if (!op)
		return IEUM_E_NO_MEMORY;
	*op = (struct settle_op){ .delivery_id = delivery_id, .how = how, .cb = cb, .arg = arg };
	memcpy(op->reason, reason ? reason : "", len + 1);
	c->n_settles++;
	STAILQ_INSERT_TAIL(&c->settles, op, link);
	lib_inbox_settling(c, delivery_id);
	lib_work_soon(c);
	return IEUM_E_OK;
}

void lib_settles_free(struct ieum *c)
{
	lib_settles_lost(c);
	free_ops(&c->settles);
}
