/* What the channels of one event base share: memory, the end of a turn, ids.
 *
 * A turn is one pass of the event base over what was ready.  turn_ev is activated by hand and
 * so runs behind everything that was ready with it; there output leaves, CHANNEL_CLOSED is
 * told and memory is freed, never earlier. */
#include "proto/channel_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

const struct channel_limits channel_limits_default = {
	.max_frame_bytes = 1024 * 1024,
	.out_max_bytes = 8 * 1024 * 1024,
	.out_high_bytes = 1024 * 1024,
	.out_low_bytes = 256 * 1024,
	.channels_max = 4096,
	.handshaking_max = 256,
	.handshake_within_ms = 10 * 1000,
	.close_within_ms = 5 * 1000,
};

int64_t channel_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Processor time: other work on the machine doesn't count. */
static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void channel_loop_measure(struct channel_loop *loop, channel_took_cb *cb, void *arg)
{
	loop->took_cb = cb;
	loop->took_arg = arg;
}

int64_t channel_began_us(const struct channel_loop *loop)
{
	return loop->took_cb ? now_us() : 0;
}

void channel_took(const struct channel_loop *loop, const char *what, int64_t began_us)
{
	if (loop->took_cb)
		loop->took_cb(what, now_us() - began_us, loop->took_arg);
}

static void finish_turn(struct channel *ch)
{
	if (ch->state == CHANNEL_OPEN || ch->state == CHANNEL_FINISHING)
		channel_write_turn(ch);
	if (ch->state < CHANNEL_LINGERING)
		return;
	if (!ch->told_closed) {
		ch->told_closed = true;
		channel_slot_give(ch);
		ch->cb(ch, CHANNEL_CLOSED, NULL, ch->arg);
	}
	if (ch->state == CHANNEL_GONE)
		channel_destroy(ch);
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Much output on many channels would keep what comes meanwhile from being read: after a while the
 * rest waits until the sockets were looked at, and is first then. */
static void put_off(struct channel_loop *loop, struct channel_list *rest)
{
	static const struct timeval at_once = { 0, 0 };

	TAILQ_CONCAT(rest, &loop->turn, turn_link);
	TAILQ_CONCAT(&loop->turn, rest, turn_link);
	event_add(&loop->later_ev, &at_once);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel_loop *loop = arg;
	struct channel_list now = TAILQ_HEAD_INITIALIZER(now);
	int64_t began_us = channel_began_us(loop);
	int64_t until_us = wall_us() + CHANNEL_WRITE_HOLD_US;
	struct channel *ch;

	/* What the owners add meanwhile waits for the next activation. */
	TAILQ_CONCAT(&now, &loop->turn, turn_link);
	while ((ch = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, ch, turn_link);
		ch->on_turn = false;
		finish_turn(ch);
		if (!TAILQ_EMPTY(&now) && wall_us() >= until_us) {
			put_off(loop, &now);
			break;
		}
	}
	channel_took(loop, "write", began_us);
}

void channel_on_turn_end(struct channel *ch)
{
	if (ch->on_turn)
		return;
	ch->on_turn = true;
	TAILQ_INSERT_TAIL(&ch->loop->turn, ch, turn_link);
	event_active(&ch->loop->turn_ev, 0, 0);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct channel_loop *loop = arg;
	struct channel_list now = TAILQ_HEAD_INITIALIZER(now);
	int64_t began_us = channel_began_us(loop);
	struct channel *ch;

	TAILQ_CONCAT(&now, &loop->again, again_link);
	while ((ch = TAILQ_FIRST(&now))) {
		TAILQ_REMOVE(&now, ch, again_link);
		ch->on_again = false;
		/* Paused again meanwhile: the next resume asks for a turn of its own. */
		if (ch->state == CHANNEL_OPEN && !ch->paused)
			channel_read_turn(ch);
		else if (ch->state == CHANNEL_FINISHING)
			channel_discard_turn(ch);
	}
	channel_took(loop, "read on", began_us);
}

/* A timer of zero and not event_active(): libevent runs timers only after it has polled, so
 * one channel with much to read cannot keep the others from being seen. */
void channel_on_next_turn(struct channel *ch)
{
	static const struct timeval at_once = { 0, 0 };

	if (ch->on_again)
		return;
	ch->on_again = true;
	TAILQ_INSERT_TAIL(&ch->loop->again, ch, again_link);
	event_add(&ch->loop->again_ev, &at_once);
}

struct channel_loop *channel_loop_new(struct event_base *base, const struct channel_limits *limits)
{
	struct channel_loop *loop = calloc(1, sizeof *loop);

	if (!loop)
		return NULL;
	loop->base = base;
	loop->limits = limits ? *limits : channel_limits_default;
	TAILQ_INIT(&loop->turn);
	TAILQ_INIT(&loop->again);
	TAILQ_INIT(&loop->listeners);
	if (event_assign(&loop->turn_ev, base, -1, 0, on_turn, loop) < 0 ||
	    event_assign(&loop->later_ev, base, -1, 0, on_turn, loop) < 0 ||
	    event_assign(&loop->again_ev, base, -1, 0, on_again, loop) < 0) {
		free(loop);
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	return loop;
}

void channel_loop_free(struct channel_loop *loop)
{
	struct channel *ch;

	if (!loop)
		return;
	while ((ch = LIST_FIRST(&loop->all)))
		channel_destroy(ch);
	event_del(&loop->turn_ev);
	event_del(&loop->later_ev);
	event_del(&loop->again_ev);
	for (unsigned i = 0; i < loop->spares_n; i++)
		buf_release(&loop->spares[i]);
	free(loop->slots);
	free(loop);
}

uint32_t channel_loop_count(const struct channel_loop *loop)
{
	return loop->count;
}

/* --- ids: slot number and how often the slot was used --- */

static bool grow_slots(struct channel_loop *loop)
{
	uint32_t n = loop->slots_n ? loop->slots_n * 2 : 64;
	struct channel_slot *slots = reallocarray(loop->slots, n, sizeof *slots);

	if (!slots)
		return false;
	for (uint32_t i = loop->slots_n; i < n; i++)
		slots[i] = (struct channel_slot){ .next_free = i + 1 < n ? i + 2 : 0 };
	loop->free_slot = loop->slots_n + 1;
	loop->slots = slots;
	loop->slots_n = n;
	return true;
}

bool channel_slot_take(struct channel *ch)
{
	struct channel_loop *loop = ch->loop;

	if (loop->free_slot == 0 && !grow_slots(loop))
		return false;
	uint32_t number = loop->free_slot;
	struct channel_slot *slot = &loop->slots[number - 1];
	loop->free_slot = slot->next_free;
	slot->ch = ch;
	slot->generation++;
	ch->id = (uint64_t)slot->generation << 32 | number;
	return true;
}

void channel_slot_give(struct channel *ch)
{
	uint32_t number = (uint32_t)ch->id;

	if (number == 0 || ch->loop->slots[number - 1].ch != ch)
		return;
	ch->loop->slots[number - 1].ch = NULL;
	ch->loop->slots[number - 1].next_free = ch->loop->free_slot;
	ch->loop->free_slot = number;
}

struct channel *channel_find(struct channel_loop *loop, uint64_t id)
{
	uint32_t number = (uint32_t)id;

	if (number == 0 || number > loop->slots_n)
		return NULL;
	const struct channel_slot *slot = &loop->slots[number - 1];
	return slot->ch && slot->ch->id == id ? slot->ch : NULL;
}

/* --- memory between two uses: idle channels hold none --- */

void channel_buf_lend(struct channel_loop *loop, struct buf *b)
{
	if (b->base || loop->spares_n == 0)
		return;
	size_t max = b->max;
	*b = loop->spares[--loop->spares_n];
	b->max = max;
}

void channel_buf_back(struct channel_loop *loop, struct buf *b)
{
	if (!b->base)
		return;
	if (loop->spares_n == CHANNEL_SPARES_MAX || b->cap > CHANNEL_SPARE_MAX_BYTES) {
		buf_release(b);
		return;
	}
	b->head = b->tail = 0;
	loop->spares[loop->spares_n++] = *b;
	buf_init(b, b->max);
}
