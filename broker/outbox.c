#include "broker/outbox.h"

#include "broker/session.h"

void outbox_init(struct session *s, size_t max_bytes)
{
	for (int side = 0; side < RECORDER_SIDES; side++)
		buf_init(&s->outbox.side[side].held, max_bytes);
}

static void unlist(struct session *s, int side)
{
	if (s->outbox.side[side].listed)
		TAILQ_REMOVE(&s->server->held[side], s, outbox.side[side].link);
	s->outbox.side[side].listed = false;
}

void outbox_drop(struct session *s)
{
	for (int side = 0; side < RECORDER_SIDES; side++) {
		unlist(s, side);
		buf_release(&s->outbox.side[side].held);
		s->outbox.side[side].settled_through = 0;
		s->outbox.side[side].answers = 0;
	}
}

static void list(struct session *s, int side)
{
	if (s->outbox.side[side].listed)
		return;
	s->outbox.side[side].listed = true;
	TAILQ_INSERT_TAIL(&s->server->held[side], s, outbox.side[side].link);
}

struct buf *outbox_direct(struct session *s)
{
	channel_flush(s->ch);
	return channel_out(s->ch);
}

struct buf *outbox_buf(struct session *s)
{
	int side = recorder_side(&s->server->recorder);

	if (side == RECORDER_NOTHING_PENDING)
		return outbox_direct(s);
	list(s, side);
	return &s->outbox.side[side].held;
}

void outbox_answered(struct session *s)
{
	int side = recorder_side(&s->server->recorder);

	if (side == RECORDER_NOTHING_PENDING)
		s->outstanding--;
	else
		s->outbox.side[side].answers++;
}

static void put_settled(struct session *s, struct buf *to, uint64_t through)
{
	Ieum__V1__Settled settled = IEUM__V1__SETTLED__INIT;
	Ieum__V1__Frame frame = IEUM__V1__FRAME__INIT;
	enum ieum_err err;

	settled.through_request_id = through;
	frame.request_id = through;
	frame.what_case = IEUM__V1__FRAME__WHAT_SETTLED;
	frame.settled = &settled;
	err = codec_put(to, &frame);
	if (err)
		session_overflow(s, err);
}

void outbox_settled(struct session *s, uint64_t request_id)
{
	int side = recorder_side(&s->server->recorder);

	if (side == RECORDER_NOTHING_PENDING) {
		put_settled(s, outbox_direct(s), request_id);
		return;
	}
	list(s, side);
	s->outbox.side[side].settled_through = request_id;
}

static void release(struct session *s, struct outbox_side *side)
{
	enum ieum_err err = IEUM_E_OK;

	if (side->settled_through)
		put_settled(s, &side->held, side->settled_through);
	side->settled_through = 0;
	s->outstanding -= side->answers;
	side->answers = 0;
	s->welcomed = true;
	if (buf_len(&side->held) && !channel_out_swap(s->ch, &side->held)) {
		err = buf_append(outbox_direct(s), buf_bytes(&side->held), buf_len(&side->held));
		buf_consume(&side->held, buf_len(&side->held));
	}
	if (buf_len(&side->held) == 0 && side->held.cap > OUTBOX_KEEP_BYTES)
		buf_release(&side->held);
	if (s->state == SESSION_CLOSING)
		channel_finish(s->ch);
	else if (err)
		session_overflow(s, err);
	else
		outbox_weigh(s);
}

void outbox_release(struct server *sv, int side)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&sv->held[side]))) {
		unlist(s, side);
		release(s, &s->outbox.side[side]);
	}
}

bool outbox_holds(const struct session *s)
{
	bool holds = false;

	for (int side = 0; side < RECORDER_SIDES; side++)
		holds = holds || s->outbox.side[side].listed;
	return holds;
}

static size_t weight(const struct session *s)
{
	size_t bytes = channel_out_bytes(s->ch);

	for (int side = 0; side < RECORDER_SIDES; side++)
		bytes += buf_len(&s->outbox.side[side].held);
	return bytes;
}

bool outbox_full(const struct session *s)
{
	return s->outbox.full_since_ms != 0;
}

void outbox_weigh(struct session *s)
{
	size_t limit = (size_t)s->server->config->limits.out_buffer;
	size_t bytes = weight(s);

	if (!outbox_full(s) && bytes > limit) {
		s->outbox.full_since_ms = clock_read().monotonic_us / 1000;
		session_wait(s, SESSION_WAIT_OUTPUT);
	} else if (outbox_full(s) && bytes <= limit / 2) {
		s->outbox.full_since_ms = 0;
		session_resume(s, SESSION_WAIT_OUTPUT);
		releases_want(s);
	}
	/* Piece by piece it may leave without ever being much for the channel. */
	if (outbox_full(s))
		channel_owe_drained(s->ch);
}
