/* A real hub as a process, for programs that are no cmocka tests (the demo, the benchmark): a
 * temporary folder, certificates for everyone in the hub file, ieumd on a free port.
 *
 * Functions return false after they have said why on stderr. */
#ifndef IEUM_TESTS_PROCESS_IEUMD_PROCESS_H
#define IEUM_TESTS_PROCESS_IEUMD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ieumd_process {
	const char *bin;        /* folder of the programs; borrowed */
	char folder[256];       /* everything lies here */
	char certificates[280]; /* ca.crt, participants/NAME.crt and .key */
	char journal[280];
	char config[280];
	char log[280];    /* what ieumd says after it is ready, all runs */
	char *hub_file;   /* absolute */
	char address[64]; /* "127.0.0.1:40123"; the same after a restart */
	bool drill;
	int64_t drill_from_us; /* when a new drill's clock begins; 0: now */
	pid_t pid;             /* 0: not running */
};

/* Folder below `base`, certificates, configuration. */
bool ieumd_prepare(struct ieumd_process *h, const char *bin, const char *hub_file, const char *base,
		   bool drill);

/* Returns when it listens. */
bool ieumd_start(struct ieumd_process *h);

/* SIGKILL. */
bool ieumd_kill(struct ieumd_process *h);

/* SIGTERM; true when it exited 0. */
bool ieumd_stop(struct ieumd_process *h);

/* Kills it if need be and removes the folder. */
void ieumd_remove(struct ieumd_process *h);

#endif
