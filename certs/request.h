/* Requests for certificates (PKCS#10), as agencies make them: the key never comes here.
 *
 * What a request may ask for is a short list: to be a participant of the hub file, or the hub
 * itself, and to be called so in the subject.  Everything else of it is left aside.  One thread. */
#ifndef IEUM_CERTS_REQUEST_H
#define IEUM_CERTS_REQUEST_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "certs/authority.h"
#include "certs/hub_file.h"

enum {
	REQUEST_SAN_BYTES = 8192,
	REQUEST_RSA_BITS_MIN = 3072,
	REQUEST_HOSTS_MAX = 64, /* of a hub */
};

/* A request that was found good. */
struct request {
	X509_REQ *pem;
	char participant[TLS_LABEL_MAX_BYTES + 1]; /* "hub" for the hub's own */
	char actor[4 * TLS_ACTOR_MAX_BYTES + 1];
	char san[REQUEST_SAN_BYTES]; /* as struct wish takes it */
	bool of_hub;
};

/* FILE_UNREADABLE, FILE_INVALID with what is wrong with it and what to do, NO_MEMORY. */
enum ieum_err request_load(const char *path, const struct hub_file *hub, struct request *out,
			   char why[CERTS_WHY_BYTES]) IEUM_MUST_CHECK;
void request_release(struct request *r);

#endif
