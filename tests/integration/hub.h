/* A real hub for integration and crash tests: a folder of its own, certificates, ieumd as a
 * process.
 *
 *     struct hub h;
 *     hub_make(&h, &(struct hub_options){ 0 });   // folder, certificates, configuration
 *     hub_start(&h);                              // returns when it listens
 *     …  peer.h is a client for it; h.address, h.certificates for any other
 *     hub_kill(&h); hub_start(&h);                // SIGKILL and restart, same journal
 *     assert_int_equal(hub_stop(&h), 0);          // SIGTERM, the exit code
 *     hub_remove(&h);
 *
 * Nothing sleeps: a thread reads the daemon's log, and hub_await_log() waits for a line of
 * it.  A failed expectation fails the cmocka test and shows the log.  Set IEUM_KEEP=1 to keep the folder.
 * One test thread. */
#ifndef IEUM_TESTS_INTEGRATION_HUB_H
#define IEUM_TESTS_INTEGRATION_HUB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	HUB_PATH_BYTES = 256,
	HUB_WAIT_S = 20, /* for anything; generous, because sanitizers are slow */
};

struct hub_options {
	const char *hub_file; /* NULL: tests/integration/town.yaml */
	const char *
		config; /* lines to append to ieumd.yaml, for example "limits: { connections: 4 }\n" */
	const char *engine; /* NULL: sqlite */
	const char *user;   /* what it becomes when the tests run as root; NULL: it stays root */
	bool drill;
	bool json_log;
};

struct hub {
	char folder[HUB_PATH_BYTES];
	char config[HUB_PATH_BYTES];   /* ieumd.yaml */
	char hub_file[HUB_PATH_BYTES]; /* a copy: may be changed before hub_reload() */
	char certificates
		[HUB_PATH_BYTES]; /* ca.crt, ca.crl, hub.crt, participants/NAME.crt, .key */
	char journal[HUB_PATH_BYTES];
	char name[64];    /* of the hub, in its certificates */
	char address[64]; /* "127.0.0.1:40123", once started; kept over restarts */
	bool drill;
	pid_t pid; /* 0: not running */

	/* The log so far; under the lock. */
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t grown;
	char *log;
	size_t log_len;
	bool log_ended;
	int log_fd;
	size_t mark; /* hub_await_log() looks from here on */
};

void hub_make(struct hub *h, const struct hub_options *options);
void hub_start(struct hub *h);

/* Starts it and expects that it ends by itself: its exit code. */
int hub_start_and_end(struct hub *h);

/* SIGTERM; the exit code. */
int hub_stop(struct hub *h);
/* Waits for an end that something else caused; the exit code, or 128 + the signal. */
int hub_await_end(struct hub *h);
/* SIGKILL. */
void hub_kill(struct hub *h);
void hub_signal(struct hub *h, int signal_number);

/* From the current place in the log on, waits for a line that holds the text; then looks on
 * behind that line.  The line, good until the next call. */
const char *hub_await_log(struct hub *h, const char *text);
/* Is the text anywhere in the log of this run? */
bool hub_logged(struct hub *h, const char *text);

/* SIGHUP and its result: true when everything was taken, false when nothing was. */
bool hub_reload(struct hub *h);

/* A command of a program in the build's bin folder, or any other, by the shell; its exit code.
 * %s: see hub_make(): paths of the hub have no blanks. */
int hub_run(const struct hub *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The build's bin folder. */
const char *hub_bin(void);

/* Revokes a participant's certificate in the CRL; the hub learns of it by hub_reload(). */
void hub_revoke(struct hub *h, const char *participant);

/* Stops it if need be, removes the folder. */
void hub_remove(struct hub *h);

#endif
