/* Credentials: what one side needs to prove who it is and to judge the other.
 *
 * A struct tls is built whole from files or not at all, and never changes afterwards; a
 * reload builds a new one and swaps (channel_listener_set_tls).  TLS 1.3 only, no session
 * resumption, the peer's certificate always required and checked: chain, time, extended key
 * usage, revocation when a CRL is given, and exactly one identity.  Build and free on one
 * thread; it may be freed while channels made from it live. */
#ifndef IEUM_PROTO_TLS_H
#define IEUM_PROTO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define TLS_ALPN "ieum/1"

enum {
	TLS_WHY_BYTES = 512,          /* room for any reason text, with its NUL */
	TLS_IDENTITY_MAX_BYTES = 255, /* the whole spiffe URI (RFC 1035 length of names) */
	TLS_LABEL_MAX_BYTES = 63,     /* kind, name */
	TLS_ACTOR_MAX_BYTES = 64, /* subject CN, X.520 upper bound in characters; bytes here x4 */
	TLS_HASH_BYTES = 32,      /* SHA-256 */
	TLS_NAMES_MAX = 10,       /* the key, issuer and subject, and the first URIs */
	TLS_CERTIFICATE_MAX_BYTES = 4096, /* DER, to be handed on: nobody seals to a larger one */
};

/* A certificate as those need it who seal to its holder. */
struct tls_certificate {
	uint8_t der[TLS_CERTIFICATE_MAX_BYTES];
	size_t der_len;                        /* 0: larger than that */
	uint8_t fingerprint[TLS_HASH_BYTES];   /* over the DER */
	uint8_t key_id[TLS_HASH_BYTES];        /* subject key identifier */
	size_t key_id_len;                     /* 0: none, or longer */
	bool can_be_sealed_to;                 /* by its key and that key's usage */
	uint8_t issuer_serial[TLS_HASH_BYTES]; /* over the DER of issuer and serial number */
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
	/* So long after its end a revocation list still counts, for who is known: whoever uses the
	 * channel asks channel_peer_is_stale() and refuses the others.  0: it does not. */
	int64_t crl_grace_s;
	/* Also certificates without a spiffe URI: somebody else knows them by tls_identity.names. */
	bool other_names;
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
	int64_t chain_ends_s; /* the first of the verified chain; of a peer only */
	/* What else it is called, each as SHA-256 over a text: "uri " and a URI of the SAN;
	 * "name ", the issuer's name, a line feed and the subject's (RFC 4514, UTF-8 as it is);
	 * "key " and, in lower-case hexadecimal, SHA-256 over the public key's DER. */
	uint8_t names[TLS_NAMES_MAX][TLS_HASH_BYTES];
	size_t n_names;
};

/* Another number when one of the files, or of those in the folder of lists, was replaced or written
 * over since.  What is missing counts as well; nothing is read.  Any thread. */
uint64_t tls_files_sum(const struct tls_files *files);

/* FILE_UNREADABLE, FILE_INVALID or NO_MEMORY, with the file and the reason in why. */
enum ieum_err tls_new(enum tls_role role, const struct tls_files *files, struct tls **out,
		      char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

/* Channels and listeners that use it are not disturbed.  NULL is fine. */
void tls_free(struct tls *tls);

/* The identity in the own certificate. */
const struct tls_identity *tls_own(const struct tls *tls);

/* The own certificate as others seal to it. */
const struct tls_certificate *tls_own_certificate(const struct tls *tls);

/* When the first of the CRLs goes stale, Unix seconds; 0 without a CRL.  From then on every
 * handshake is refused (but for crl_grace_s), so an operator must hear of it before. */
int64_t tls_crl_next_update_s(const struct tls *tls);
/* SHA-256 over the DER of that CRL; NULL without one. */
const uint8_t *tls_crl_fingerprint(const struct tls *tls);

/* Would a peer's certificate (DER) be accepted now, by the authorities and the CRLs that are given
 * here?  A CRL that is past its end still counts.  Then who its holder is, in *out.
 * CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, TLS_FAILED or NO_MEMORY, with the reason in why.  For a
 * certificate that needs intermediates it is not enough: they came in the handshake alone. */
enum ieum_err tls_judge(const struct tls *tls, const uint8_t *der, size_t len,
			struct tls_identity *out, char why[TLS_WHY_BYTES]) IEUM_MUST_CHECK;

#endif
