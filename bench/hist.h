/* A histogram of times with a relative width of 3 % per bucket, for percentiles.
 *
 * Fixed memory, no allocation.  One owner at a time. */
#ifndef IEUM_BENCH_HIST_H
#define IEUM_BENCH_HIST_H

#include <stdint.h>
#include <stdio.h>

enum { HIST_SUB_BITS = 5, HIST_BUCKETS = 64 << HIST_SUB_BITS };

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t total;
	int64_t max_ns;
	double sum_ns;
};

void hist_add(struct hist *h, int64_t ns);

/* The time below which the share q (0 … 1) of all samples lies, nanoseconds. */
double hist_quantile_ns(const struct hist *h, double q);

/* Writes `,"name_us":{"n":…,"mean":…,"p50":…,"p99":…,"p999":…,"max":…}`. */
void hist_print(const struct hist *h, const char *name, FILE *out);

#endif
