/* The subcommands of ieum-certs, apart from the reading of their arguments. */
#ifndef IEUM_CERTS_COMMANDS_H
#define IEUM_CERTS_COMMANDS_H

#include <stdio.h>

#include "certs/hub_file.h"
#include "certs/store.h"

enum {
	CERTS_LIST_MAX = 256, /* --host, --actor */
	CERTS_CA_DAYS = 3650,
	CERTS_DAYS_DEFAULT = 365,
	CERTS_DAYS_MAX = 3650,
};

struct dev_options {
	const char *ca_name; /* of a new authority; NULL: says that it is for development */
	const char *hosts[CERTS_LIST_MAX]; /* further names and addresses of the hub */
	size_t hosts_n;
	const char *actors[CERTS_LIST_MAX]; /* "participant=label" */
	size_t actors_n;
	int days;
	int64_t now_s;
};

/* Authority, hub, one certificate for each participant and one for each further actor, CRL.
 * Tells on out what was made and what kept. */
enum ieum_err certs_dev(struct store *store, const struct hub_file *hub,
			const struct dev_options *options, FILE *out,
			char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* A subject that an honest certificate of the zoo has. */
struct zoo_subject {
	const char *hub;  /* "gimpo.ieum" */
	const char *kind; /* "police" */
	const char *name; /* "gimpo-ps" */
};

/* Certificates to be refused, and "good" to be accepted, signed by the authority (its index
 * and CRL learn of "revoked").  zoo.tsv says of each by whom and with what words it is
 * refused. */
enum ieum_err certs_zoo(struct store *store, struct store *authority,
			const struct zoo_subject *subject, int64_t now_s, FILE *out,
			char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
