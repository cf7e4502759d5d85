#include "broker/clock.h"

#include <sys/timex.h>
#include <time.h>

int64_t clock_gap_us(const struct clock *c, struct clock_reading now)
{
	return now.realtime_us - (now.monotonic_us + c->offset_us);
}

static bool is_jump(int64_t gap_us)
{
	return gap_us > CLOCK_JUMP_US || gap_us < -CLOCK_JUMP_US;
}

void clock_start(struct clock *c, struct clock_reading now, int64_t newest_us, bool drill)
{
	int64_t behind_us = newest_us - now.realtime_us;

	*c = (struct clock){ .offset_us = now.realtime_us - now.monotonic_us,
			     .last_us = newest_us };
	if (behind_us <= 0)
		return;
	if (drill) {
		c->drill_us = behind_us;
	} else if (behind_us > CLOCK_JUMP_US) {
		/* Standing still until the system has caught up would stop every deadline. */
		c->offset_us += behind_us;
		c->doubted = true;
	}
}

void clock_start_drill_at(struct clock *c, struct clock_reading now, int64_t from_us)
{
	int64_t start_us = c->last_us > from_us ? c->last_us : from_us;

	c->drill_us = start_us - (now.monotonic_us + c->offset_us);
}

int64_t clock_now_us(struct clock *c, struct clock_reading now)
{
	int64_t gap_us = clock_gap_us(c, now);
	int64_t hub_us;

	/* Small differences are NTP at work: follow.  Larger ones wait for clock_check(). */
	if (!c->doubted && !is_jump(gap_us))
		c->offset_us += gap_us;
	hub_us = now.monotonic_us + c->offset_us + c->drill_us;
	if (hub_us > c->last_us)
		c->last_us = hub_us;
	return c->last_us;
}

enum clock_change clock_check(struct clock *c, struct clock_reading now, bool vouched)
{
	int64_t gap_us = clock_gap_us(c, now);

	if (!is_jump(gap_us)) {
		bool was_doubted = c->doubted;

		c->doubted = false;
		return was_doubted ? CLOCK_RETURNED : CLOCK_NO_CHANGE;
	}
	if (vouched) {
		c->offset_us += gap_us;
		c->doubted = false;
		return CLOCK_ADOPTED;
	}
	if (c->doubted)
		return CLOCK_NO_CHANGE;
	c->doubted = true;
	return CLOCK_DOUBTED;
}

void clock_advance(struct clock *c, int64_t by_us)
{
	c->drill_us += by_us;
}

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct clock_reading clock_read(void)
{
	return (struct clock_reading){
		.realtime_us = read_us(CLOCK_REALTIME),
		.monotonic_us = read_us(CLOCK_MONOTONIC),
	};
}

bool clock_synchronised(void)
{
	struct timex t = { .modes = 0 };

	/* Setting the clock by hand makes the kernel raise STA_UNSYNC until NTP has spoken again. */
	return adjtimex(&t) != TIME_ERROR && !(t.status & STA_UNSYNC);
}
