/* What the spool costs: submits a second and the time to the receipt, with it and without, through
 * libieum to a hub on the same machine; and the time until a message is accepted. */
#ifndef IEUM_BENCH_SPOOL_H
#define IEUM_BENCH_SPOOL_H

#include <stdbool.h>

#include "bench/hist.h"

struct spool_bench_config {
	const char *address;      /* of the hub of bench/hub.yaml */
	const char *certificates; /* folder with ca.crt and participants/NAME.crt */
	const char *folder;       /* where the spool lies */
	unsigned payload_bytes;
	unsigned window; /* submits without a receipt */
	double seconds;  /* of each measurement */
};

struct spool_bench_run {
	double submits_per_s;       /* receipted, by the window */
	struct hist receipt, alone; /* ieum_submit() to its receipt: in the window, one at a time */
	struct hist accepted;       /* to `accepted`, one at a time; empty without a spool */
};

struct spool_bench_result {
	struct spool_bench_run without, with;
	double kept_per_s; /* accepted while there is no hub */
	char trouble[600];
};

/* False when it could not be run; trouble says why.  `out` is large. */
bool spool_bench(const struct spool_bench_config *config, struct spool_bench_result *out);

#endif
