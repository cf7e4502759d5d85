/* What sealing costs: seals and openings a second on one core, the size on the wire, and the time
 * that a sealed submit takes longer than a clear one. */
#ifndef IEUM_BENCH_SEAL_H
#define IEUM_BENCH_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/hist.h"

enum { SEAL_BENCH_SIZES = 3 };

struct seal_bench_config {
	const char *address;      /* of the hub of bench/hub.yaml */
	const char *certificates; /* folder with ca.crt and participants/NAME.crt */
	unsigned payload_bytes;
	double seconds; /* of each measurement */
};

struct seal_bench_result {
	struct {
		unsigned recipients;
		double seals_per_s, opens_per_s;
		size_t bytes; /* of the sealed part */
	} size[SEAL_BENCH_SIZES];
	struct hist clear, sealed; /* ieum_submit_sealed() to its receipt, one at a time */
	char trouble[600];
};

/* False when it could not be run; trouble says why. */
bool seal_bench(const struct seal_bench_config *config, struct seal_bench_result *out);

#endif
