/* What the machine and the broker's process cost: CPU, memory, bytes written, and the disk's
 * own fdatasync as a yardstick.  Linux /proc. */
#ifndef IEUM_BENCH_MACHINE_H
#define IEUM_BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct machine_usage {
	double cpu_s; /* user + system since its start */
	long rss_kb;
	long pss_kb;
	uint64_t write_bytes; /* sent to the disk */
};

/* False when the process is gone. */
bool machine_usage(pid_t pid, struct machine_usage *out);

/* CPU seconds of this process. */
double machine_own_cpu_s(void);

/* CLOCK_MONOTONIC, nanoseconds. */
int64_t machine_now_ns(void);

/* Median of appending 4 KiB and fdatasync in the folder, microseconds, over `seconds`;
 * negative when it can't be measured. */
double machine_fdatasync_p50_us(const char *folder, double seconds);

#endif
