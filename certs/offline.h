/* The signing side that a city keeps apart from its hub: an authority of its own, and certificates
 * for requests that agencies made themselves. */
#ifndef IEUM_CERTS_OFFLINE_H
#define IEUM_CERTS_OFFLINE_H

#include <stdio.h>

#include "certs/hub_file.h"
#include "certs/store.h"

enum { OFFLINE_RENEW_DAYS = 60 }; /* ahead of its end a certificate is due for another one */

struct offline_options {
	int64_t now_s;
	int64_t until_s; /* end of what is signed */
	int within_days; /* what ends sooner is due */
	bool of_hub;     /* the hub's own certificate is wanted, and no other */
};

/* ca.crt, ca.key (encrypted where the store has a passphrase), an empty index and ca.crl, in a
 * folder that has none of them. */
enum ieum_err offline_ca(struct store *store, const char *cn, const struct offline_options *options,
			 char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Signs one request that is good; the hub's own only when that was said, since whoever has it is the
 * hub to every agency, and its names are told.  A certificate of the same participant and CN that is in force
 * stays so: both are good until the older ends.  Tells on `out` what was signed. */
enum ieum_err offline_sign(struct store *store, const struct hub_file *hub, const char *request,
			   const struct offline_options *options, FILE *out,
			   char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Every *.csr of a folder, but for the hub's own, which is refused (nobody looks at each), and for
 * those whose key has a certificate that is not due; then tells which participants have none in force.  One bad request doesn't keep the others; *refused counts
 * them. */
enum ieum_err offline_batch(struct store *store, const struct hub_file *hub, const char *requests,
			    const struct offline_options *options, FILE *out, size_t *refused,
			    char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

/* What ends within `within_days`, one line each: file, serial, end. */
enum ieum_err offline_due(const struct store *store, const struct offline_options *options,
			  FILE *out, char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
