/* The load generator: one real hub over mTLS with the SQLite journal on this machine's disk.
 *
 *   ieum-bench [--test tput|lat|seal|spool] [--seconds S] [--rate N] [--window N] [--payload BYTES]
 *              [--publishers N] [--recipients N] [--base FOLDER] [--keep]
 *
 * Prints one JSON line.  "tput": as many messages as the windows allow; "lat": an open loop
 * at --rate messages a second, latency from the scheduled time, together with the disk's
 * own fdatasync and the TLS round trip of the same run; "seal": what sealing costs, each
 * measurement --seconds / 7 long; "spool": what libieum's spool costs, each --seconds / 5. */
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/seal.h"
#include "bench/spool.h"
#include "tests/process/ieumd_process.h"

struct options {
	const char *test;
	const char *base;
	const char *bin;
	struct load_config load;
	bool keep;
};

struct journal_shape {
	uint64_t events, commits;
	uint64_t file_bytes;
};

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "test", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ "window", required_argument, NULL, 'w' },
		{ "payload", required_argument, NULL, 'p' },
		{ "publishers", required_argument, NULL, 'P' },
		{ "recipients", required_argument, NULL, 'C' },
		{ "base", required_argument, NULL, 'b' },
		{ "bin", required_argument, NULL, 'B' },
		{ "keep", no_argument, NULL, 'k' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 't': o->test = optarg; break;
		case 's': o->load.seconds = strtod(optarg, NULL); break;
		case 'r': o->load.rate_per_s = strtod(optarg, NULL); break;
		case 'w': o->load.window = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'p': o->load.payload_bytes = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'P': o->load.publishers = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'C': o->load.recipients = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'b': o->base = optarg; break;
		case 'B': o->bin = optarg; break;
		case 'k': o->keep = true; break;
		default: return false;
		}
	}
	if (strcmp(o->test, "lat") == 0 && o->load.rate_per_s <= 0)
		o->load.rate_per_s = 500;
	const struct load_config *l = &o->load;
	return optind == argc && l->window > 0 && l->window <= LOAD_WINDOW_MAX &&
	       l->publishers > 0 && l->publishers <= 8 && l->recipients > 0 && l->recipients <= 8 &&
	       l->payload_bytes >= 64 && l->payload_bytes <= 65536 && l->seconds > 0;
}

/* How many events and commits the journal holds, and how large it is. */
static struct journal_shape look_at_journal(const char *path)
{
	struct journal_shape shape = { 0 };
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(
		    db,
		    "SELECT (SELECT max(seq) FROM event), (SELECT count(*) FROM tree),"
		    " (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)",
		    -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		shape.events = (uint64_t)sqlite3_column_int64(s, 0);
		shape.commits = (uint64_t)sqlite3_column_int64(s, 1);
		shape.file_bytes = (uint64_t)sqlite3_column_int64(s, 2);
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	return shape;
}

static void print(const struct options *o, const struct load_result *r,
		  const struct journal_shape *j, double fdatasync_us)
{
	const struct load_config *l = &o->load;
	double done = (double)r->delivered;
	double cpu = r->after.cpu_s - r->before.cpu_s;
	uint64_t written = r->after.write_bytes - r->before.write_bytes;

	printf("{\"peer\":\"ieum\",\"test\":\"%s\",\"P\":%u,\"C\":%u,\"Q\":%u,\"W\":%u,\"size\":%u,\"rate\":%.0f",
	       o->test, l->publishers, l->recipients, l->recipients, l->window, l->payload_bytes,
	       l->rate_per_s);
	printf(",\"published\":%lu,\"confirmed\":%lu,\"delivered\":%lu,\"acked\":%lu,\"dup\":%lu,\"lost\":%ld",
	       (unsigned long)r->published, (unsigned long)r->confirmed,
	       (unsigned long)r->delivered, (unsigned long)r->settled, (unsigned long)r->repeated,
	       (long)(r->published - r->delivered));
	printf(",\"secs\":%.3f,\"msgs_per_s\":%.0f,\"pub_per_s\":%.0f,\"acked_in_pub_phase_per_s\":%.0f,\"drain_s\":%.2f",
	       r->seconds, done / r->seconds, (double)r->published / r->pub_seconds,
	       (double)r->settled_in_pub_phase / r->pub_seconds, r->seconds - r->pub_seconds);
	hist_print(&r->confirm, "confirm", stdout);
	hist_print(&r->delivery, "delivery", stdout);
	printf(",\"broker_cpu_s\":%.2f,\"broker_cpu_per_100k\":%.3f,\"gen_cpu_s\":%.2f", cpu,
	       cpu / done * 1e5, r->own_cpu_s);
	printf(",\"broker_rss_kb\":%ld,\"broker_pss_kb\":%ld,\"nproc\":1,\"incomplete\":%d",
	       r->after.rss_kb, r->after.pss_kb, r->incomplete);
	printf(",\"events\":%lu,\"commits\":%lu,\"msgs_per_commit\":%.1f", (unsigned long)j->events,
	       (unsigned long)j->commits, j->commits ? done / (double)j->commits : 0);
	printf(",\"disk_bytes_per_msg\":%.0f,\"journal_bytes_per_msg\":%.0f",
	       (double)written / done, (double)j->file_bytes / done);
	printf(",\"fdatasync_4k_us\":%.0f,\"tls_round_trip_us\":%.0f}\n", fdatasync_us,
	       hist_quantile_ns(&r->ping, .5) / 1e3);
}

static void print_seal(const struct options *o, const struct seal_bench_result *r,
		       double fdatasync_us)
{
	printf("{\"peer\":\"ieum\",\"test\":\"seal\",\"size\":%u", o->load.payload_bytes);
	for (int i = 0; i < SEAL_BENCH_SIZES; i++)
		printf(",\"to_%u\":{\"seals_per_s\":%.0f,\"opens_per_s\":%.0f,\"sealed_bytes\":%zu}",
		       r->size[i].recipients, r->size[i].seals_per_s, r->size[i].opens_per_s,
		       r->size[i].bytes);
	hist_print(&r->clear, "clear_submit", stdout);
	hist_print(&r->sealed, "sealed_submit", stdout);
	printf(",\"added_p50_us\":%.0f,\"fdatasync_4k_us\":%.0f}\n",
	       (hist_quantile_ns(&r->sealed, .5) - hist_quantile_ns(&r->clear, .5)) / 1e3,
	       fdatasync_us);
}

/* 0: done. */
static int run_seal(const struct options *o, struct ieumd_process *hub, double fdatasync_us)
{
	const struct seal_bench_config config = { .address = hub->address,
						  .certificates = hub->certificates,
						  .payload_bytes = o->load.payload_bytes,
						  .seconds = o->load.seconds / 7 };
	struct seal_bench_result *r = calloc(1, sizeof *r);
	bool ok = r && seal_bench(&config, r);

	if (ok)
		print_seal(o, r, fdatasync_us);
	else if (r)
		fprintf(stderr, "ieum-bench: %s\n", r->trouble);
	free(r);
	return ieumd_stop(hub) && ok ? 0 : 1;
}

static void print_spool(const struct options *o, const struct spool_bench_result *r,
			double fdatasync_us)
{
	printf("{\"peer\":\"ieum\",\"test\":\"spool\",\"size\":%u,\"W\":%u", o->load.payload_bytes,
	       o->load.window);
	printf(",\"without_per_s\":%.0f,\"with_per_s\":%.0f,\"kept_offline_per_s\":%.0f",
	       r->without.submits_per_s, r->with.submits_per_s, r->kept_per_s);
	hist_print(&r->without.receipt, "without_receipt", stdout);
	hist_print(&r->with.receipt, "with_receipt", stdout);
	hist_print(&r->without.alone, "without_alone", stdout);
	hist_print(&r->with.alone, "with_alone", stdout);
	hist_print(&r->with.accepted, "accepted_alone", stdout);
	printf(",\"added_p50_us\":%.0f,\"fdatasync_4k_us\":%.0f}\n",
	       (hist_quantile_ns(&r->with.alone, .5) - hist_quantile_ns(&r->without.alone, .5)) /
		       1e3,
	       fdatasync_us);
}

/* 0: done. */
static int run_spool(const struct options *o, struct ieumd_process *hub, double fdatasync_us)
{
	const struct spool_bench_config config = { .address = hub->address,
						   .certificates = hub->certificates,
						   .folder = hub->folder,
						   .payload_bytes = o->load.payload_bytes,
						   .window = o->load.window,
						   .seconds = o->load.seconds / 5 };
	struct spool_bench_result *r = calloc(1, sizeof *r);
	bool ok = r && spool_bench(&config, r);

	if (ok)
		print_spool(o, r, fdatasync_us);
	else if (r)
		fprintf(stderr, "ieum-bench: %s\n", r->trouble);
	free(r);
	return ieumd_stop(hub) && ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct options o = { .test = "tput",
			     .base = "build",
			     .bin = getenv("IEUM_BUILD") ? NULL : "build/release/bin",
			     .load = { .publishers = 8,
				       .recipients = 8,
				       .window = 64,
				       .payload_bytes = 1024,
				       .seconds = 20 } };
	struct load_result *r = calloc(1, sizeof *r);
	struct ieumd_process hub = { .pid = 0 };
	char bin[300];
	int code = 1;

	if (!o.bin) {
		snprintf(bin, sizeof bin, "%s/bin", getenv("IEUM_BUILD"));
		o.bin = bin;
	}
	if (!r || !read_options(argc, argv, &o)) {
		fprintf(stderr,
			"usage: ieum-bench [--test tput|lat|seal|spool] [--seconds S] [--rate N] [--window N] [--payload BYTES]\n"
			"                  [--publishers 1-8] [--recipients 1-8] [--base FOLDER] [--keep]\n");
		free(r);
		return 2;
	}
	double fdatasync_us = machine_fdatasync_p50_us(o.base, 2);
	if (!ieumd_prepare(&hub, o.bin, "bench/hub.yaml", o.base, false) || !ieumd_start(&hub))
		goto out;
	if (strcmp(o.test, "seal") == 0) {
		code = run_seal(&o, &hub, fdatasync_us);
		goto out;
	}
	if (strcmp(o.test, "spool") == 0) {
		code = run_spool(&o, &hub, fdatasync_us);
		goto out;
	}
	o.load.address = hub.address;
	o.load.certificates = hub.certificates;
	o.load.broker = hub.pid;
	bool ok = load_measure(&o.load, r);
	if (!ok)
		fprintf(stderr, "ieum-bench: %s\n", r->trouble);
	bool stopped = ieumd_stop(&hub);
	if (r->delivered > 0) {
		struct journal_shape shape = look_at_journal(hub.journal);
		print(&o, r, &shape, fdatasync_us);
	}
	code = ok && stopped && r->repeated == 0 && r->delivered == r->published ? 0 : 1;
out:
	if (!o.keep)
		ieumd_remove(&hub);
	free(r);
	return code;
}
