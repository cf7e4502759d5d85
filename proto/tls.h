/* Credentials: what one side needs to prove who it is and to judge the other.
 *
 * A struct tls is built whole from files or not at all, and never changes afterwards; a
 * reload builds a new one and swaps (channel_listener_set_tls).  TLS 1.3 only, no session
 * resumption, the peer's certificate always required and checked: chain, time, extended key
 * usage, revocation when a CRL is given, and exactly one identity.  Build and free on one
 * thread; it may be freed while channels made from it live. */
#ifndef IEUM_PROTO_TLS_H
#define IEUM_PROTO_TLS_H

#include <stdint.h>

#include "proto/error.h"

#define TLS_ALPN "ieum/1"

enum {
	TLS_WHY_BYTES = 512,          /* room for any reason text, with its NUL */
	TLS_IDENTITY_MAX_BYTES = 255, /* the whole spiffe URI (RFC 1035 length of names) */
	TLS_LABEL_MAX_BYTES = 63,     /* kind, name */
	TLS_ACTOR_MAX_BYTES = 64, /* subject CN, X.520 upper bound in characters; bytes here x4 */
};

struct tls;

enum tls_role {
	TLS_SERVER, /* a hub: asks for client certificates */
	TLS_CLIENT, /* an agency or operator: checks the hub's certificate and name */
};

struct tls_files {
	const char *cert; /* PEM: own certificate, then intermediates */
	const char *key;  /* PEM, unencrypted, readable by its owner only */
	const char *ca;   /* PEM: whom to trust */
	const char *crl;  /* PEM file, or a directory of *.crl and *.pem; NULL = none */
};

/* Who a certificate says its holder is. */
struct tls_identity {
	char uri[TLS_IDENTITY_MAX_BYTES + 1];    /* spiffe://<hub>/<kind>/<name> */
	char hub[TLS_IDENTITY_MAX_BYTES + 1];    /* "gimpo.ieum" */
	char kind[TLS_LABEL_MAX_BYTES + 1];      /* "police" */
	char name[TLS_LABEL_MAX_BYTES + 1];      /* "gimpo-ps" */
	char actor[4 * TLS_ACTOR_MAX_BYTES + 1]; /* subject CN: person or workstation, UTF-8 */
	char serial[41];                         /* hex, lower case; RFC 5280: at most 20 bytes */
	int64_t not_after_s;                     /* Unix seconds */
};

/* FILE_UNREADABLE, FILE_INVALID or NO_MEMORY, with the file and the reason in why. */
enum ieum_err tls_new(enum tls_role role, const struct tls_files *files, struct tls **out,
		      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Channels and listeners that use it are not disturbed.  NULL is fine. */
void tls_free(struct tls *tls);

/* The identity in the own certificate. */
const struct tls_identity *tls_own(const struct tls *tls);

/* When the first of the CRLs goes stale, Unix seconds; 0 without a CRL.  From then on every
 * handshake is refused, so an operator must hear of it before. */
int64_t tls_crl_next_update_s(const struct tls *tls);

#endif
