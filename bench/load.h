/* The load: publishers that submit, recipients that take and settle, all counted.
 *
 * One thread and one event loop drive every connection over TLS.  A message counts once it
 * was received by its recipient and the hub has said that its settling is on disk.  A
 * bitmap per publisher finds what is lost and what comes twice. */
#ifndef IEUM_BENCH_LOAD_H
#define IEUM_BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/hist.h"
#include "bench/machine.h"

enum { LOAD_PARTIES_MAX = 64, LOAD_WINDOW_MAX = 4096, LOAD_STALL_S = 15 };

struct load_config {
	const char *address;      /* of the hub */
	const char *certificates; /* folder with ca.crt and participants/NAME.crt */
	unsigned publishers; /* "publisher-0" …, each sends to "recipient-(i mod recipients)" */
	unsigned recipients;
	unsigned window; /* submits outstanding per publisher */
	unsigned payload_bytes;
	double seconds;
	double rate_per_s; /* 0: as fast as the window allows; else open loop */
	pid_t broker;
};

struct load_result {
	uint64_t published, confirmed, delivered, settled, repeated, foreign;
	double seconds; /* first submit to last settled */
	double pub_seconds;
	uint64_t settled_in_pub_phase;
	struct hist confirm;  /* scheduled time to receipt */
	struct hist delivery; /* scheduled time to delivery */
	struct hist ping;     /* TLS round trip without the journal, measured while idle */
	struct machine_usage before, after;
	double own_cpu_s;
	bool incomplete;   /* it stalled */
	char trouble[256]; /* why it failed */
};

/* False when it could not be run; trouble says why.  `out` is large. */
bool load_measure(const struct load_config *config, struct load_result *out);

#endif
