/* The command line of ieum-certs, as its commands take it. */
#ifndef IEUM_CERTS_ARGUMENTS_H
#define IEUM_CERTS_ARGUMENTS_H

#include "certs/commands.h"

struct arguments {
	const char *hub_file, *out, *ca, *hub, *participant, *name;
	const char *requests, *cn, *passphrase_file;
	char passphrase[256]; /* forgotten at the end */
	int64_t until_s;      /* 0: by --days */
	int within_days;
	struct dev_options dev;
	bool force, stolen, of_hub;
};

/* One line on standard error; the code of exit. */
int complain(const char *text);
int misused(const char *text);

int run_ca(struct arguments *args);
int run_sign(struct arguments *args, bool batch); /* `sign REQUEST`, `batch --requests DIR` */
int run_due(struct arguments *args);
int run_crl(struct arguments *args, bool revoke); /* `revoke NAME`, `crl` */

#endif
