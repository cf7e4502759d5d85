/* Hub time: what every event is stamped with and every deadline is judged by.
 *
 * It follows the system's clock, with three promises: it never runs backwards (also not over
 * a restart, because it starts at the newest event); a jump of the system's clock of more than
 * CLOCK_JUMP_US is not followed until someone vouches for it (NTP says synchronised, or an
 * operator confirms), and until then it goes on by CLOCK_MONOTONIC; a drill's clock is moved
 * forward by its operator only, on top of that.
 *
 *               jump                      synchronised or confirmed
 *     STEADY ──────────► DOUBTED ─────────────────────────────────► STEADY
 *                           └── system clock came back by itself ──►
 *
 * Pure: readings are handed in.  One owner. */
#ifndef IEUM_BROKER_CLOCK_H
#define IEUM_BROKER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_JUMP_US = 2 * 1000 * 1000 };

struct clock_reading {
	int64_t realtime_us;  /* CLOCK_REALTIME */
	int64_t monotonic_us; /* CLOCK_MONOTONIC */
};

struct clock {
	int64_t offset_us; /* hub time = monotonic + offset + drill */
	int64_t drill_us;
	int64_t last_us; /* the newest time given out */
	bool doubted;
};

enum clock_change {
	CLOCK_NO_CHANGE,
	CLOCK_DOUBTED,  /* the system's clock jumped; it is not followed */
	CLOCK_RETURNED, /* it jumped back by itself */
	CLOCK_ADOPTED,  /* vouched for: followed again */
};

/* newest_us: time of the journal's newest event, 0 without one.  A drill goes on from there; a live hub
 * whose system clock lies more than CLOCK_JUMP_US before it starts doubted. */
void clock_start(struct clock *c, struct clock_reading now, int64_t newest_us, bool drill);

/* After clock_start(): a drill's time begins then, or, when its newest event is later, there. */
void clock_start_drill_at(struct clock *c, struct clock_reading now, int64_t from_us);

/* Hub time, microseconds Unix UTC; never smaller than before. */
int64_t clock_now_us(struct clock *c, struct clock_reading now);

/* To be called about once a second.  vouched: NTP says synchronised, or an operator confirms. */
enum clock_change clock_check(struct clock *c, struct clock_reading now, bool vouched);

/* How far the system's clock is ahead of hub time (negative: behind), the drill's part left out. */
int64_t clock_gap_us(const struct clock *c, struct clock_reading now);

/* Moves a drill's clock forward. */
void clock_advance(struct clock *c, int64_t by_us);

/* The machine's clocks. */
struct clock_reading clock_read(void);
/* Does the kernel say that something (NTP, PTP) keeps the clock synchronised? */
bool clock_synchronised(void);

#endif
