/* /proc and fdatasync; see machine.h. */
#include "bench/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/hist.h"

int64_t machine_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double machine_own_cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static bool read_stat(pid_t pid, struct machine_usage *out)
{
	char path[64];
	char text[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	/* The name in brackets may hold anything: count fields from its end. */
	char *at = strrchr(text, ')');
	char *rest = NULL;
	if (!at)
		return false;
	char *field = strtok_r(at + 1, " ", &rest);
	uint64_t values[25] = { 0 };
	for (int i = 3; field && i < 25; i++, field = strtok_r(NULL, " ", &rest))
		values[i] = strtoull(field, NULL, 10);
	out->cpu_s = (double)(values[14] + values[15]) / (double)sysconf(_SC_CLK_TCK);
	out->rss_kb = (long)values[24] * (sysconf(_SC_PAGESIZE) / 1024);
	return true;
}

/* The number behind a label in a file of "label: number" lines; 0 when it isn't there. */
static uint64_t labelled(pid_t pid, const char *file, const char *label)
{
	char path[64];
	char line[256];
	uint64_t value = 0;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, label, strlen(label)) == 0)
			value = strtoull(line + strlen(label), NULL, 10);
	}
	if (f)
		fclose(f);
	return value;
}

bool machine_usage(pid_t pid, struct machine_usage *out)
{
	*out = (struct machine_usage){ 0 };
	if (!read_stat(pid, out))
		return false;
	out->pss_kb = (long)labelled(pid, "smaps_rollup", "Pss:");
	out->write_bytes = labelled(pid, "io", "write_bytes:");
	return true;
}

double machine_fdatasync_p50_us(const char *folder, double seconds)
{
	char path[512];
	char block[4096];
	struct hist *h = calloc(1, sizeof *h);
	double p50 = -1;

	snprintf(path, sizeof path, "%s/fdatasync.XXXXXX", folder);
	int fd = h ? mkstemp(path) : -1;
	if (fd < 0)
		goto out;
	unlink(path);
	memset(block, 'x', sizeof block);
	int64_t at = machine_now_ns();
	int64_t end = at + (int64_t)(seconds * 1e9);
	while (at < end) {
		if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0)
			goto out;
		int64_t now = machine_now_ns();
		hist_add(h, now - at);
		at = now;
	}
	p50 = hist_quantile_ns(h, .5) / 1e3;
out:
	if (fd >= 0)
		close(fd);
	free(h);
	return p50;
}
