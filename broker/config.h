/* ieumd.yaml: how the daemon runs.
 *
 *     listen: 0.0.0.0:7443             # or a list
 *     certificate: hub.crt             # PEM, own then intermediates
 *     key: hub.key
 *     ca: ca.crt
 *     crl: ca.crl                      # file or folder; may be left out
 *     revocation_list_past: refuse     # or {accept_known_for: 24 h}
 *     hub_file: hub.yaml
 *     journal: { engine: sqlite, path: journal.db }
 *     user: ieum                       # started as root, it becomes this account
 *     log: { format: kv, level: info }
 *     snapshot: { every_events: 200000 }
 *     cache: 64 MiB                    # recent payloads
 *     limits: { frame: 1 MiB, … }      # see struct config_limits
 *
 * Paths are relative to the file's folder.  A config is read whole, with every mistake and its
 * line, and never changes afterwards; what a SIGHUP reloads are the files it names. */
#ifndef IEUM_BROKER_CONFIG_H
#define IEUM_BROKER_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "broker/log.h"
#include "proto/error.h"
#include "proto/tls.h"
#include "yaml/yaml_diag.h"

/* So long a revocation list that has ended may still count. */
#define CONFIG_LIST_PAST_MIN_MS ((int64_t)60 * 1000)
#define CONFIG_LIST_PAST_MAX_MS ((int64_t)7 * 24 * 60 * 60 * 1000)

enum {
	CONFIG_LISTEN_MAX = 8,
	CONFIG_TEXT_MAX_BYTES = 1024,
	CONFIG_CERTIFICATE_WARNING_DAYS = 30,
	CONFIG_LIST_WARNING_DAYS = 3, /* before the revocation list's end */
	CONFIG_AGREEMENT_WARNING_DAYS = 30,
};

/* What a peer, or all of them together, can make the daemon hold.  Each is a key of `limits`. */
struct config_limits {
	int64_t frame;                /* bytes of one frame */
	int64_t payload;              /* bytes of one referral */
	int64_t outstanding_requests; /* of one connection, without an answer yet */
	int64_t unsettled_deliveries; /* most credit of one connection */
	int64_t connections;          /* in all */
	int64_t connections_per_participant;
	int64_t rate_per_participant; /* submits and queries a second, unless the hub file says; 0: none */
	int64_t out_buffer;    /* bytes that wait for one slow reader before deliveries pause */
	int64_t slow_after_ms; /* a reader whose buffer stays full so long is dropped */
	int64_t handshakes;    /* at a time */
	int64_t handshake_within_ms; /* TLS and Hello */
	int64_t idle_after_ms;       /* no frame for so long: dropped */
	int64_t close_within_ms;     /* to flush and say good-bye */
	int64_t stop_within_ms;      /* SIGTERM: what hasn't gone by then is cut off */
	int64_t journal_pending;     /* bytes waiting for the disk; at it submitters aren't read */
	int64_t referrals, deliveries, cases; /* held in memory; deliveries: not settled */
};

struct config {
	char *path;
	char *listen[CONFIG_LISTEN_MAX];
	size_t n_listen;
	struct tls_files tls; /* strings owned by this struct */
	int tls_line;         /* of `certificate`, for mistakes inside those files */
	char *user;           /* NULL: not said */
	int user_line;
	char *hub_file;
	int hub_file_line;
	char *journal_engine; /* "sqlite" or "memory" */
	char *journal_path;   /* NULL with the memory engine */
	enum log_format log_format;
	enum log_level log_level;
	int64_t snapshot_every_events; /* 0: never */
	int64_t cache_bytes;
	struct config_limits limits;
};

/* FILE_UNREADABLE, FILE_INVALID (every mistake in diag), NO_MEMORY.  The caller owns *out. */
enum ieum_err config_load(const char *path, struct yaml_diag *diag,
			  struct config **out) IEUM_MUST_CHECK;
/* The same, but with FILE_INVALID *out is there too: without what was mistaken. */
enum ieum_err config_read(const char *path, struct yaml_diag *diag,
			  struct config **out) IEUM_MUST_CHECK;
void config_free(struct config *c); /* takes NULL */

/* `--check`: beyond config_read(), reads the hub file and the certificates, so far as they are named, and says what is
 * wrong with them, one line each on `out`; warnings (soon to expire) too.  Returns the number of mistakes. */
size_t config_check(const char *path, FILE *out);

#endif
