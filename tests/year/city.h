/* A city's year: every case that a city's agencies have in a year, ten messages each, with one
 * kill in the middle, and a waiting list for care places at the end.
 *
 * The agencies are played by one program; the hub is behind a small table of functions,
 * simulated or a real ieumd.  One thread. */
#ifndef IEUM_TESTS_YEAR_CITY_H
#define IEUM_TESTS_YEAR_CITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ieum/v1/query.pb-c.h"
#include "ieum/v1/referral.pb-c.h"
#include "proto/error.h"

enum { CITY_ID_BYTES = 16, CITY_NAME_BYTES = 128 };

/* What the city hears from its hub. */
struct city_events {
	void *ctx;
	/* A message has its receipt, or was refused (then detail says why). */
	void (*receipt)(void *ctx, const uint8_t *message_id, enum ieum_err code,
			const char *detail);
	/* Somebody got a message; it is settled.  Redelivered ones come again. */
	void (*delivery)(void *ctx, const char *mailbox, uint64_t delivery_id,
			 const Ieum__V1__Referral *referral);
};

/* A mailbox's counts as the hub's journal has them. */
struct city_mailbox {
	char name[CITY_NAME_BYTES];
	uint64_t routed, settled, other;
};

/* Every function prints why to stderr when it returns false. */
struct city_hub {
	void *ctx;
	const char *kind; /* "simulated", "real" */
	/* Queues a submit; the receipt comes by run(). */
	bool (*submit)(void *ctx, const char *who, const Ieum__V1__Referral *referral);
	/* Works until something was heard, or (quiet true) until nothing more comes. */
	bool (*run)(void *ctx, bool quiet);
	bool (*advance)(void *ctx, int64_t by_ms);
	/* The result is good until the next call. */
	bool (*query)(void *ctx, const char *who, const Ieum__V1__Query *query,
		      const Ieum__V1__Result **result);
	/* Kill and restart; *restart_ms: until it takes connections again.  What had no receipt is
	 * sent again by itself. */
	bool (*kill)(void *ctx, double *restart_ms);
	int64_t (*now_ms)(void *ctx);
	/* Of the hub; 0 where it has no process of its own. */
	uint64_t (*peak_memory_kib)(void *ctx);
	/* Stops the hub, verifies the journal and counts.  The rows are the caller's (free()). */
	bool (*reconcile)(void *ctx, struct city_mailbox **rows, size_t *n, uint64_t *messages);
	void (*end)(void *ctx);
};

/* 2026-01-01 00:00 in Korea. */
#define CITY_STARTS_US (INT64_C(1767193200) * 1000000)

/* NULL after saying why. */
struct city_hub *sim_city_new(const char *hub_file, const struct city_events *events);
struct city_hub *real_city_new(const char *hub_file, const char *bin, const char *base,
			       const struct city_events *events);

#endif
